/* The image's AES key, by ECIES as MCUboot defines it (docs/encrypted_images.md). */
#include "audit_parts.h"

#include <mbedtls/constant_time.h>
#include <mbedtls/ecdh.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

#include <string.h>

#define SECRET_BYTES 32U
#define MAC_KEY_BYTES 32U
#define X25519_BYTES 32U
#define P256_POINT_BYTES 65U

/* Whether 32 bytes are the one encoding of an X25519 u-coordinate: below 2^255 - 19, top bit clear. RFC 7748 section 5
 * takes the others too, and then an image could be altered unnoticed. */
static bool is_canonical_x25519(const uint8_t *point)
{
    bool above = point[0] >= 0xED && point[X25519_BYTES - 1] == 0x7F;
    for (size_t i = 1; i < X25519_BYTES - 1; i++) {
        above = above && point[i] == 0xFF;
    }
    return !above && (point[X25519_BYTES - 1] & 0x80) == 0;
}

static audit_status load_ephemeral(const audit_parts *parts, const mbedtls_ecp_group *curve, mbedtls_ecp_point *point)
{
    const bool x25519 = parts->recipient_kind == AUDIT_X25519;
    if (x25519 ? !is_canonical_x25519(parts->ephemeral) : parts->ephemeral[0] != 0x04) {
        return AUDIT_EPHEMERAL_NOT_CANONICAL;
    }
    if (mbedtls_ecp_point_read_binary(curve, point, parts->ephemeral, x25519 ? X25519_BYTES : P256_POINT_BYTES) != 0) {
        return AUDIT_CRYPTO;
    }
    const int fault = mbedtls_ecp_check_pubkey(curve, point);
    if (fault == MBEDTLS_ERR_ECP_INVALID_KEY) {
        return x25519 ? AUDIT_EPHEMERAL_LOW_ORDER : AUDIT_EPHEMERAL_OFF_CURVE;
    }
    return fault == 0 ? AUDIT_OK : AUDIT_CRYPTO;
}

static audit_status load_private(const audit_keys *keys, const mbedtls_ecp_group *curve, mbedtls_mpi *scalar)
{
    if (keys->recipient_kind == AUDIT_P256) {
        if (mbedtls_mpi_read_binary(scalar, keys->recipient, AUDIT_PRIVATE_KEY_BYTES) != 0) {
            return AUDIT_CRYPTO;
        }
        return mbedtls_ecp_check_privkey(curve, scalar) == 0 ? AUDIT_OK : AUDIT_ARGUMENT;
    }
    uint8_t clamped[AUDIT_PRIVATE_KEY_BYTES]; /* RFC 7748 section 5, decodeScalar25519 */
    memcpy(clamped, keys->recipient, sizeof clamped);
    clamped[0] &= 0xF8;
    clamped[31] = (uint8_t)((clamped[31] & 0x7F) | 0x40);
    const bool loaded = mbedtls_mpi_read_binary_le(scalar, clamped, sizeof clamped) == 0;
    mbedtls_platform_zeroize(clamped, sizeof clamped);
    return loaded ? AUDIT_OK : AUDIT_CRYPTO;
}

static bool write_secret(const audit_parts *parts, const mbedtls_mpi *x, uint8_t secret[SECRET_BYTES])
{
    return parts->recipient_kind == AUDIT_X25519 ? mbedtls_mpi_write_binary_le(x, secret, SECRET_BYTES) == 0
                                                 : mbedtls_mpi_write_binary(x, secret, SECRET_BYTES) == 0;
}

static audit_status agree(const audit_parts *parts, const audit_keys *keys, uint8_t secret[SECRET_BYTES])
{
    static const uint8_t ZERO[SECRET_BYTES] = {0};
    const mbedtls_ecp_group_id id =
        parts->recipient_kind == AUDIT_X25519 ? MBEDTLS_ECP_DP_CURVE25519 : MBEDTLS_ECP_DP_SECP256R1;
    mbedtls_ecp_group curve;
    mbedtls_ecp_point ephemeral;
    mbedtls_mpi scalar;
    mbedtls_mpi x;
    mbedtls_ecp_group_init(&curve);
    mbedtls_ecp_point_init(&ephemeral);
    mbedtls_mpi_init(&scalar);
    mbedtls_mpi_init(&x);
    audit_status status = mbedtls_ecp_group_load(&curve, id) == 0 ? AUDIT_OK : AUDIT_CRYPTO;
    if (status == AUDIT_OK) {
        status = load_ephemeral(parts, &curve, &ephemeral);
    }
    if (status == AUDIT_OK) {
        status = load_private(keys, &curve, &scalar);
    }
    if (status == AUDIT_OK) {
        const int fault =
            mbedtls_ecdh_compute_shared(&curve, &x, &ephemeral, &scalar, keys->random, keys->random_state);
        status = fault == 0 && write_secret(parts, &x, secret) ? AUDIT_OK : AUDIT_CRYPTO;
    }
    /* mbed TLS refuses the points that lead here; RFC 7748 section 6.1 asks it of whoever uses the secret. */
    if (status == AUDIT_OK && mbedtls_ct_memcmp(secret, ZERO, SECRET_BYTES) == 0) {
        status = AUDIT_EPHEMERAL_LOW_ORDER;
    }
    mbedtls_mpi_free(&x);
    mbedtls_mpi_free(&scalar);
    mbedtls_ecp_point_free(&ephemeral);
    mbedtls_ecp_group_free(&curve);
    return status;
}

audit_status audit_unwrap(const audit_parts *parts, const audit_keys *keys, uint8_t aes_key[32])
{
    static const uint8_t INFO[] = {'M', 'C', 'U', 'B', 'o', 'o', 't', '_', 'E', 'C', 'I', 'E', 'S', '_', 'v', '1'};
    const mbedtls_md_info_t *const sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    uint8_t secret[SECRET_BYTES];
    uint8_t derived[32 + MAC_KEY_BYTES];
    uint8_t mac[AUDIT_SHA256_BYTES];
    if (parts->recipient_kind != keys->recipient_kind) {
        return AUDIT_WRONG_RECIPIENT;
    }
    audit_status status = agree(parts, keys, secret);
    if (status == AUDIT_OK) {
        const uint8_t *const mac_key = derived + parts->aes_bytes;
        const size_t derived_bytes = parts->aes_bytes + MAC_KEY_BYTES;
        const bool hashed =
            mbedtls_hkdf(sha256, NULL, 0, secret, sizeof secret, INFO, sizeof INFO, derived, derived_bytes) == 0 &&
            mbedtls_md_hmac(sha256, mac_key, MAC_KEY_BYTES, parts->wrapped, parts->aes_bytes, mac) == 0;
        if (!hashed) {
            status = AUDIT_CRYPTO;
        } else if (mbedtls_ct_memcmp(mac, parts->mac, sizeof mac) != 0) {
            status = AUDIT_WRONG_RECIPIENT;
        } else if (!audit_aes_ctr(derived, parts->aes_bytes, parts->wrapped, aes_key, parts->aes_bytes)) {
            status = AUDIT_CRYPTO;
        }
    }
    mbedtls_platform_zeroize(secret, sizeof secret);
    mbedtls_platform_zeroize(derived, sizeof derived);
    mbedtls_platform_zeroize(mac, sizeof mac);
    return status;
}
