/* What the platform supplies: Ed25519, which mbed TLS has not.
 *
 * On a device, MCUboot's own `ED25519_verify` (ext/fiat) serves; on a host, host/port_sodium.c. A firmware that trusts
 * P-256 signers only may return false.
 */
#ifndef AUDIT_PORT_H
#define AUDIT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a signature holds (RFC 8032 section 5.1.7, with S below the order of the group). */
bool audit_port_ed25519_verify(const uint8_t signature[64], const uint8_t *message, size_t bytes,
                               const uint8_t public_key[32]);

#endif
