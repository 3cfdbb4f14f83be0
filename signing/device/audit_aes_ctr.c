/* AES-CTR as MCUboot uses it, for the payload and for the key in its wrapping. */
#include "audit_parts.h"

#include <mbedtls/aes.h>
#include <mbedtls/platform_util.h>

bool audit_aes_ctr(const uint8_t *key, size_t key_bytes, const uint8_t *from, uint8_t *to, size_t bytes)
{
    mbedtls_aes_context aes;
    /* The zero start is MCUboot's format, and safe only because every image has its own random key. */
    uint8_t counter[AUDIT_BLOCK_BYTES] = {0};
    uint8_t stream[AUDIT_BLOCK_BYTES];
    size_t used = 0;
    mbedtls_aes_init(&aes);
    const bool done = mbedtls_aes_setkey_enc(&aes, key, (unsigned)(key_bytes * 8)) == 0 &&
                      mbedtls_aes_crypt_ctr(&aes, bytes, &used, counter, stream, from, to) == 0;
    mbedtls_aes_free(&aes);
    mbedtls_platform_zeroize(stream, sizeof stream);
    return done;
}
