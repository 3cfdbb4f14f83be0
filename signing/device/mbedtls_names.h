/* SHA-256 under one name: mbed TLS 2.28 calls the functions that report errors `…_ret`, 3.x dropped the others. */
#ifndef AUDIT_MBEDTLS_NAMES_H
#define AUDIT_MBEDTLS_NAMES_H

#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

#if MBEDTLS_VERSION_MAJOR < 3
#define audit_sha256 mbedtls_sha256_ret
#define audit_sha256_starts mbedtls_sha256_starts_ret
#define audit_sha256_update mbedtls_sha256_update_ret
#define audit_sha256_finish mbedtls_sha256_finish_ret
#else
#define audit_sha256 mbedtls_sha256
#define audit_sha256_starts mbedtls_sha256_starts
#define audit_sha256_update mbedtls_sha256_update
#define audit_sha256_finish mbedtls_sha256_finish
#endif

#endif
