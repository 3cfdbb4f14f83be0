/* Open an image that `audit` sealed: verify, decrypt, and hand out the exact model, or nothing.
 *
 * An image is read by one rule: the exact form that `audit` writes (signing/README.md), each value once, in order, and
 * no byte besides. Values come out only if every check held; otherwise the model's buffer and the values are wiped.
 *
 * No heap, no recursion and no global state of its own. Elliptic-curve arithmetic is of mbed TLS 2.28 or 3.x and takes
 * memory through `mbedtls_calloc`.
 */
#ifndef AUDIT_IMAGE_H
#define AUDIT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_SHA256_BYTES 32
#define AUDIT_UUID_BYTES 16
#define AUDIT_PRIVATE_KEY_BYTES 32

/* Every way to end: name in C, and the code that `audit verify` gives the same fault. `device.*` are faults that only a
 * device can see. */
#define AUDIT_STATUSES(X)                                                     \
    X(AUDIT_OK, "ok")                                                         \
    X(AUDIT_TRUNCATED, "image.truncated")                                     \
    X(AUDIT_MAGIC, "image.magic")                                             \
    X(AUDIT_HEADER_SIZE, "image.header-size")                                 \
    X(AUDIT_HEADER_RESERVED, "image.header-reserved")                         \
    X(AUDIT_AREA_MAGIC, "image.area-magic")                                   \
    X(AUDIT_AREA_SIZE, "image.area-size")                                     \
    X(AUDIT_TLV_OVERRUN, "image.tlv-overrun")                                 \
    X(AUDIT_TRAILING_BYTES, "image.trailing-bytes")                           \
    X(AUDIT_LOAD_ADDRESS, "image.load-address")                               \
    X(AUDIT_FLAGS, "image.flags")                                             \
    X(AUDIT_PAYLOAD_SIZE, "image.payload-size")                               \
    X(AUDIT_TLV_SET, "image.tlv-set")                                         \
    X(AUDIT_TLV_LENGTH, "image.tlv-length")                                   \
    X(AUDIT_MODEL_LENGTH, "image.model-length")                               \
    X(AUDIT_LOG_SIZE, "image.log-size")                                       \
    X(AUDIT_DEPENDENCY, "image.dependency")                                   \
    X(AUDIT_EPHEMERAL_NOT_CANONICAL, "image.ephemeral-not-canonical")         \
    X(AUDIT_EPHEMERAL_LOW_ORDER, "image.ephemeral-low-order")                 \
    X(AUDIT_EPHEMERAL_OFF_CURVE, "image.ephemeral-off-curve")                 \
    X(AUDIT_WRONG_SIGNER, "image.wrong-signer")                               \
    X(AUDIT_SIGNATURE_KIND, "image.signature-kind")                           \
    X(AUDIT_SIGNATURE, "image.signature")                                     \
    X(AUDIT_WRONG_RECIPIENT, "image.wrong-recipient")                         \
    X(AUDIT_HASH, "image.hash")                                               \
    X(AUDIT_PADDING, "image.padding")                                         \
    X(AUDIT_MODEL, "image.model")                                             \
    X(AUDIT_WRONG_VENDOR, "device.wrong-vendor")                              \
    X(AUDIT_WRONG_CLASS, "device.wrong-class")                                \
    X(AUDIT_COUNTER_ROLLBACK, "device.counter-rollback")                      \
    X(AUDIT_CAPACITY, "device.capacity")                                      \
    X(AUDIT_ARGUMENT, "device.argument")                                      \
    X(AUDIT_CRYPTO, "device.crypto")

#define AUDIT_STATUS_MEMBER(member, name) member,
typedef enum { AUDIT_STATUSES(AUDIT_STATUS_MEMBER) } audit_status;
#undef AUDIT_STATUS_MEMBER

typedef enum { AUDIT_X25519, AUDIT_P256 } audit_recipient_kind;

/* What the device holds. Pointers must stay valid for the call only. */
typedef struct {
    /* The one public key whose signature counts: SubjectPublicKeyInfo in DER, Ed25519 (44 bytes) or P-256 (91 bytes,
     * uncompressed), as `audit keys export` prints it. */
    const uint8_t *signer;
    size_t signer_bytes;
    /* The device's private key: an X25519 scalar (RFC 7748, little endian), or a P-256 scalar, big endian. */
    audit_recipient_kind recipient_kind;
    const uint8_t *recipient; /* AUDIT_PRIVATE_KEY_BYTES */
    /* An image whose security counter is below this is refused. Keep it in storage that only rises. */
    uint32_t least_counter;
    /* UUIDs that the image must name, or NULL where any will do. AUDIT_UUID_BYTES each. */
    const uint8_t *vendor;
    const uint8_t *device_class;
    /* Random bytes that blind the private key's use (mbed TLS's f_rng). mbed TLS 3 wants it; with 2.28 it may be NULL,
     * and blinding is then derived from the key itself. */
    int (*random)(void *state, unsigned char *to, size_t bytes);
    void *random_state;
} audit_keys;

typedef struct {
    uint8_t major;
    uint8_t minor;
    uint16_t revision;
    uint32_t build;
} audit_version;

/* What a verified image says of itself. */
typedef struct {
    audit_version version;
    uint32_t security_counter;
    uint32_t model_bytes; /* the .tflite is the first so many bytes of the buffer */
    uint8_t model_sha256[AUDIT_SHA256_BYTES];
    uint8_t verdict_sha256[AUDIT_SHA256_BYTES]; /* of the verdict attestation's payload */
    uint8_t policy_sha256[AUDIT_SHA256_BYTES];
    uint64_t log_size; /* entries of the audit log when the image was sealed, and the log's root */
    uint8_t log_root[AUDIT_SHA256_BYTES];
    bool has_dependency; /* the least version of another image; for the bootloader to hold it to */
    uint8_t dependency_image;
    audit_version dependency;
    bool has_vendor;
    uint8_t vendor[AUDIT_UUID_BYTES];
    bool has_class;
    uint8_t device_class[AUDIT_UUID_BYTES];
} audit_image;

/* Verify and decrypt an image.
 *
 * image, size      the whole image, in flash or RAM. Each of its bytes is read once, so that flash which changes under
 *                  the reader cannot show two faces
 * model, capacity  receives the plain payload; `capacity` is at least the model's length rounded up to 16. It must not
 *                  overlap the image, unless it is exactly the payload of an image in RAM (image + 32)
 * out              what the image says
 *
 * On every status but AUDIT_OK, all `capacity` bytes of `model` and all of `out` are wiped, an older model among them;
 * where the payload is decrypted in place, it is gone then.
 */
audit_status audit_image_open(const uint8_t *image, size_t size, const audit_keys *keys, uint8_t *model,
                              size_t capacity, audit_image *out);

/* "ok", or the stable code of a fault such as "image.hash". */
const char *audit_status_name(audit_status status);

#endif
