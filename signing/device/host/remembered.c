/* For fuzzing: a signature that held and a key that was unwrapped are not computed again from the same bytes.
 *
 * Linked with --wrap. Both functions depend on nothing but the bytes that are compared here, and on keys that stay; the
 * curve arithmetic would otherwise take nine tenths of the time, in code that is not under test. Where memory runs out,
 * nothing is remembered.
 */
#include "audit_parts.h"

#include "files.h"

#include <string.h>

audit_status __real_audit_check_signature(const audit_parts *parts, const audit_keys *keys);
audit_status __wrap_audit_check_signature(const audit_parts *parts, const audit_keys *keys);
audit_status __real_audit_unwrap(const audit_parts *parts, const audit_keys *keys, uint8_t aes_key[32]);
audit_status __wrap_audit_unwrap(const audit_parts *parts, const audit_keys *keys, uint8_t aes_key[32]);

#define MOST_BYTES 160

typedef struct {
    uint8_t bytes[MOST_BYTES];
    size_t size;
} question;

static void append(question *asked, const void *bytes, size_t size)
{
    memcpy(asked->bytes + asked->size, bytes, size);
    asked->size += size;
}

static bool is_known(const question *known, const question *asked)
{
    return host_allocations_left < 0 && known->size == asked->size &&
           memcmp(known->bytes, asked->bytes, asked->size) == 0;
}

audit_status __wrap_audit_check_signature(const audit_parts *parts, const audit_keys *keys)
{
    static question known;
    question asked = {{0}, 0};
    append(&asked, &parts->signature_kind, sizeof parts->signature_kind);
    append(&asked, parts->image_hash, AUDIT_SHA256_BYTES);
    append(&asked, parts->key_hash, AUDIT_SHA256_BYTES);
    append(&asked, parts->signature, parts->signature_bytes);
    if (is_known(&known, &asked)) {
        return AUDIT_OK;
    }
    const audit_status status = __real_audit_check_signature(parts, keys);
    if (status == AUDIT_OK) {
        known = asked;
    }
    return status;
}

audit_status __wrap_audit_unwrap(const audit_parts *parts, const audit_keys *keys, uint8_t aes_key[32])
{
    static question known;
    static uint8_t known_key[32];
    question asked = {{0}, 0};
    append(&asked, &parts->recipient_kind, sizeof parts->recipient_kind);
    append(&asked, parts->ephemeral, (size_t)(parts->mac - parts->ephemeral));
    append(&asked, parts->mac, AUDIT_SHA256_BYTES);
    append(&asked, parts->wrapped, parts->aes_bytes);
    if (!is_known(&known, &asked)) {
        const audit_status status = __real_audit_unwrap(parts, keys, aes_key);
        if (status != AUDIT_OK) {
            return status;
        }
        known = asked;
        memcpy(known_key, aes_key, parts->aes_bytes);
    }
    memcpy(aes_key, known_key, parts->aes_bytes);
    return AUDIT_OK;
}
