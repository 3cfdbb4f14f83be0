/* The least of mbed TLS 2.28 or 3.6 that the verifier needs: -DMBEDTLS_CONFIG_FILE='"mbedtls_config.example.h"'.
 *
 * A signer or a device of one kind only leaves out the other's curve.
 */
#ifndef AUDIT_MBEDTLS_CONFIG_H
#define AUDIT_MBEDTLS_CONFIG_H

#define MBEDTLS_SHA256_C
#define MBEDTLS_MD_C
#define MBEDTLS_HKDF_C
#define MBEDTLS_AES_C
#define MBEDTLS_CIPHER_MODE_CTR

#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED  /* P-256: signer or device */
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED /* X25519: device */
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C

/* Random bytes for blinding come from the firmware (`audit_keys.random`), not from a generator inside the library. */
#define MBEDTLS_ECP_NO_INTERNAL_RNG

/* Memory from one static array instead of a heap: mbedtls_memory_buffer_alloc_init. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C

/* Small rather than fast; leave out for the other choice. */
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_ECP_WINDOW_SIZE 2
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0

#if defined(MBEDTLS_VERSION_NUMBER) && MBEDTLS_VERSION_NUMBER < 0x03000000
#include <mbedtls/check_config.h>
#endif

#endif
