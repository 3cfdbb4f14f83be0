/* Ed25519 on a host, by libsodium. */
#include "audit_port.h"

#include <sodium.h>

bool audit_port_ed25519_verify(const uint8_t signature[64], const uint8_t *message, size_t bytes,
                               const uint8_t public_key[32])
{
    return crypto_sign_verify_detached(signature, message, bytes, public_key) == 0;
}
