/* Open an image: read, signature, key, payload; then what only an authentic image may decide. */
#include "audit_image.h"

#include "audit_parts.h"
#include "mbedtls_names.h"

#include <mbedtls/constant_time.h>
#include <mbedtls/platform_util.h>

#include <string.h>

/* The hash covers header, plain payload and protected TLVs: what was altered in any of them ends here. */
static audit_status check_hash(const audit_parts *parts, const uint8_t *plain)
{
    uint8_t hash[AUDIT_SHA256_BYTES];
    mbedtls_sha256_context sha;
    mbedtls_sha256_init(&sha);
    const bool done = audit_sha256_starts(&sha, 0) == 0 &&
                      audit_sha256_update(&sha, parts->header, AUDIT_HEADER_BYTES) == 0 &&
                      audit_sha256_update(&sha, plain, parts->payload_bytes) == 0 &&
                      audit_sha256_update(&sha, parts->tlvs, parts->protected_bytes) == 0 &&
                      audit_sha256_finish(&sha, hash) == 0;
    mbedtls_sha256_free(&sha);
    if (!done) {
        return AUDIT_CRYPTO;
    }
    return mbedtls_ct_memcmp(hash, parts->image_hash, sizeof hash) == 0 ? AUDIT_OK : AUDIT_HASH;
}

static audit_status check_model(const audit_parts *parts, const audit_image *values, const uint8_t *plain)
{
    uint8_t hash[AUDIT_SHA256_BYTES];
    uint8_t padding = 0;
    for (size_t i = values->model_bytes; i < parts->payload_bytes; i++) {
        padding |= plain[i];
    }
    if (padding != 0) {
        return AUDIT_PADDING;
    }
    if (audit_sha256(plain, values->model_bytes, hash, 0) != 0) {
        return AUDIT_CRYPTO;
    }
    return mbedtls_ct_memcmp(hash, values->model_sha256, sizeof hash) == 0 ? AUDIT_OK : AUDIT_MODEL;
}

/* Whether the image, authentic by now, is one for this device and not an old one. */
static audit_status check_device(const audit_keys *keys, const audit_image *values)
{
    if (keys->vendor != NULL && (!values->has_vendor || memcmp(keys->vendor, values->vendor, AUDIT_UUID_BYTES) != 0)) {
        return AUDIT_WRONG_VENDOR;
    }
    if (keys->device_class != NULL &&
        (!values->has_class || memcmp(keys->device_class, values->device_class, AUDIT_UUID_BYTES) != 0)) {
        return AUDIT_WRONG_CLASS;
    }
    return values->security_counter < keys->least_counter ? AUDIT_COUNTER_ROLLBACK : AUDIT_OK;
}

static audit_status open_payload(const audit_parts *parts, const audit_keys *keys, const uint8_t *payload,
                                 uint8_t *plain)
{
    uint8_t aes_key[32];
    audit_status status = audit_unwrap(parts, keys, aes_key);
    if (status == AUDIT_OK && !audit_aes_ctr(aes_key, parts->aes_bytes, payload, plain, parts->payload_bytes)) {
        status = AUDIT_CRYPTO;
    }
    mbedtls_platform_zeroize(aes_key, sizeof aes_key);
    return status;
}

static audit_status open_image(const uint8_t *image, size_t size, const audit_keys *keys, uint8_t *model,
                               size_t capacity, audit_image *out)
{
    audit_parts parts;
    audit_status status = audit_read(image, size, &parts, out);
    if (status == AUDIT_OK) {
        status = audit_check_signature(&parts, keys);
    }
    if (status == AUDIT_OK && capacity < parts.payload_bytes) {
        status = AUDIT_CAPACITY;
    }
    if (status == AUDIT_OK) {
        status = open_payload(&parts, keys, image + AUDIT_HEADER_BYTES, model);
    }
    if (status == AUDIT_OK) {
        status = check_hash(&parts, model);
    }
    if (status == AUDIT_OK) {
        status = check_model(&parts, out, model);
    }
    if (status == AUDIT_OK) {
        status = check_device(keys, out);
    }
    return status;
}

audit_status audit_image_open(const uint8_t *image, size_t size, const audit_keys *keys, uint8_t *model,
                              size_t capacity, audit_image *out)
{
    const bool given = image != NULL && keys != NULL && keys->signer != NULL && keys->recipient != NULL;
    audit_status status = AUDIT_ARGUMENT;
    if (given && model != NULL && out != NULL) {
        memset(out, 0, sizeof *out);
        status = open_image(image, size, keys, model, capacity, out);
    }
    if (status != AUDIT_OK && out != NULL) {
        mbedtls_platform_zeroize(out, sizeof *out);
    }
    if (status != AUDIT_OK && model != NULL) { /* also where nothing was decrypted: an older model may be in it */
        mbedtls_platform_zeroize(model, capacity);
    }
    return status;
}
