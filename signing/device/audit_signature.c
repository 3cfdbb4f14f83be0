/* Who sealed the image: the key hash, then the signature over the image hash. */
#include "audit_parts.h"

#include "audit_port.h"
#include "mbedtls_names.h"

#include <mbedtls/constant_time.h>
#include <mbedtls/ecdsa.h>

#include <string.h>

#define NUMBER_BYTES 32U
#define P256_POINT_BYTES 65U

/* SubjectPublicKeyInfo up to the key itself (RFC 8410 section 4, RFC 5480 section 2). */
static const uint8_t ED25519_HEAD[] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
static const uint8_t P256_HEAD[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
                                    0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

/* Half the order of P-256 (SP 800-186, 3.2.1.3), rounded down, big endian: the largest s that is taken. */
static const uint8_t HALF_ORDER[NUMBER_BYTES] = {0x7F, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00, 0x7F, 0xFF, 0xFF,
                                                 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xDE, 0x73, 0x7D, 0x56, 0xD3, 0x8B,
                                                 0xCF, 0x42, 0x79, 0xDC, 0xE5, 0x61, 0x7E, 0x31, 0x92, 0xA8};

/* One INTEGER of a signature in strict DER, as 32 bytes big endian. False where its form is not the only one. */
static bool read_integer(const uint8_t *der, size_t bytes, size_t *at, uint8_t number[NUMBER_BYTES])
{
    if (bytes - *at < 3 || der[*at] != 0x02) {
        return false;
    }
    size_t length = der[*at + 1];
    const uint8_t *digits = der + *at + 2;
    if (length == 0 || length > NUMBER_BYTES + 1 || length > bytes - *at - 2 || (digits[0] & 0x80) != 0) {
        return false;
    }
    *at += 2 + length;
    if (digits[0] == 0) {
        /* A leading zero is for a number whose first bit is set, and for nothing else. */
        if (length == 1 || (digits[1] & 0x80) == 0) {
            return false;
        }
        digits++;
        length--;
    }
    if (length > NUMBER_BYTES) {
        return false;
    }
    memset(number, 0, NUMBER_BYTES);
    memcpy(number + NUMBER_BYTES - length, digits, length);
    return true;
}

/* ECDSA's (r, s) in strict DER with the low one of the two s; every other encoding is refused, though it may hold. */
static bool read_signature(const uint8_t *der, size_t bytes, uint8_t r[NUMBER_BYTES], uint8_t s[NUMBER_BYTES])
{
    size_t at = 2;
    return bytes >= at && der[0] == 0x30 && der[1] == bytes - at && read_integer(der, bytes, &at, r) &&
           read_integer(der, bytes, &at, s) && at == bytes && memcmp(s, HALF_ORDER, NUMBER_BYTES) <= 0;
}

static audit_status verify_p256(const audit_parts *parts, const uint8_t point[P256_POINT_BYTES])
{
    uint8_t r_bytes[NUMBER_BYTES];
    uint8_t s_bytes[NUMBER_BYTES];
    if (!read_signature(parts->signature, parts->signature_bytes, r_bytes, s_bytes)) {
        return AUDIT_SIGNATURE;
    }
    mbedtls_ecp_group curve;
    mbedtls_ecp_point key;
    mbedtls_mpi r;
    mbedtls_mpi s;
    mbedtls_ecp_group_init(&curve);
    mbedtls_ecp_point_init(&key);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    audit_status status = AUDIT_CRYPTO;
    if (mbedtls_ecp_group_load(&curve, MBEDTLS_ECP_DP_SECP256R1) == 0 &&
        mbedtls_ecp_point_read_binary(&curve, &key, point, P256_POINT_BYTES) == 0 &&
        mbedtls_ecp_check_pubkey(&curve, &key) == 0 && mbedtls_mpi_read_binary(&r, r_bytes, NUMBER_BYTES) == 0 &&
        mbedtls_mpi_read_binary(&s, s_bytes, NUMBER_BYTES) == 0) {
        const int fault = mbedtls_ecdsa_verify(&curve, parts->image_hash, AUDIT_SHA256_BYTES, &key, &r, &s);
        if (fault == 0) {
            status = AUDIT_OK;
        } else if (fault == MBEDTLS_ERR_ECP_VERIFY_FAILED) {
            status = AUDIT_SIGNATURE;
        }
    }
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_ecp_point_free(&key);
    mbedtls_ecp_group_free(&curve);
    return status;
}

static bool is_key(const audit_keys *keys, const uint8_t *head, size_t head_bytes, size_t key_bytes)
{
    return keys->signer_bytes == head_bytes + key_bytes && memcmp(keys->signer, head, head_bytes) == 0;
}

audit_status audit_check_signature(const audit_parts *parts, const audit_keys *keys)
{
    const bool ed25519 = is_key(keys, ED25519_HEAD, sizeof ED25519_HEAD, 32);
    uint8_t key_hash[AUDIT_SHA256_BYTES];
    if (!ed25519 && !is_key(keys, P256_HEAD, sizeof P256_HEAD, P256_POINT_BYTES)) {
        return AUDIT_ARGUMENT;
    }
    if (audit_sha256(keys->signer, keys->signer_bytes, key_hash, 0) != 0) {
        return AUDIT_CRYPTO;
    }
    if (mbedtls_ct_memcmp(key_hash, parts->key_hash, sizeof key_hash) != 0) {
        return AUDIT_WRONG_SIGNER;
    }
    if (ed25519 != (parts->signature_kind == AUDIT_SIGNED_ED25519)) {
        return AUDIT_SIGNATURE_KIND; /* the key decides on the algorithm, never the image */
    }
    if (!ed25519) {
        return verify_p256(parts, keys->signer + sizeof P256_HEAD);
    }
    const uint8_t *const key = keys->signer + sizeof ED25519_HEAD;
    const bool holds = audit_port_ed25519_verify(parts->signature, parts->image_hash, AUDIT_SHA256_BYTES, key);
    return holds ? AUDIT_OK : AUDIT_SIGNATURE;
}
