/* The parts of an image between its reader and those who judge them. Not for firmware: include audit_image.h. */
#ifndef AUDIT_PARTS_H
#define AUDIT_PARTS_H

#include "audit_image.h"

#define AUDIT_HEADER_BYTES 32
#define AUDIT_BLOCK_BYTES 16

/* Both TLV areas at their largest: all eight protected TLVs; DER of 72 bytes, a P-256 point and AES-256. */
#define AUDIT_TLVS_BYTES (224 + 285)

typedef enum { AUDIT_SIGNED_ED25519, AUDIT_SIGNED_P256 } audit_signature_kind;

/* Header and TLVs, copied out of the image before anything is believed; the pointers lead into `tlvs`. */
typedef struct {
    uint8_t header[AUDIT_HEADER_BYTES];
    uint8_t tlvs[AUDIT_TLVS_BYTES];
    size_t protected_bytes; /* of `tlvs`, from its beginning; hashed together with header and payload */
    size_t payload_bytes;
    size_t aes_bytes; /* of the image's key: 16 or 32 */
    const uint8_t *image_hash;
    const uint8_t *key_hash;
    audit_signature_kind signature_kind;
    const uint8_t *signature;
    size_t signature_bytes;
    audit_recipient_kind recipient_kind;
    const uint8_t *ephemeral; /* 32 bytes of X25519, or 65 of P-256 */
    const uint8_t *mac;       /* AUDIT_SHA256_BYTES */
    const uint8_t *wrapped;   /* the encrypted AES key, aes_bytes */
} audit_parts;

/* Take an image apart and hold it against the one form; `values` are read but not to be believed yet. */
audit_status audit_read(const uint8_t *image, size_t size, audit_parts *parts, audit_image *values);

/* Key hash, then the signature over the image hash. */
audit_status audit_check_signature(const audit_parts *parts, const audit_keys *keys);

/* The AES key of the image, `parts->aes_bytes` long, by ECIES with the device's private key. */
audit_status audit_unwrap(const audit_parts *parts, const audit_keys *keys, uint8_t aes_key[32]);

/* AES-CTR from a counter of zero, `to` may be `from`. False where mbed TLS fails. */
bool audit_aes_ctr(const uint8_t *key, size_t key_bytes, const uint8_t *from, uint8_t *to, size_t bytes);

#endif
