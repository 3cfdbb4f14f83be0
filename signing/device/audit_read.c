/* The strict reader: header, then the one set and order of TLVs that an image of `audit` has. */
#include "audit_frame.h"

#include <string.h>

enum {
    TLV_KEY_HASH = 0x01,
    TLV_SHA256 = 0x10,
    TLV_P256 = 0x22,
    TLV_ED25519 = 0x24,
    TLV_ENC_P256 = 0x32,
    TLV_ENC_X25519 = 0x33
};

#define IMAGE_MAGIC 0x96F3B83DU
#define FLAG_AES128 0x4U
#define FLAG_AES256 0x8U

#define UNPROTECTED_TLVS 4

#define ECDSA_LEAST_BYTES 8U
#define ECDSA_MOST_BYTES 72U
#define X25519_POINT_BYTES 32U
#define P256_POINT_BYTES 65U

static audit_version version_at(const uint8_t *at)
{
    const audit_version version = {at[0], at[1], (uint16_t)audit_u16(at + 2), audit_u32(at + 4)};
    return version;
}

static audit_status read_header_form(const uint8_t *header)
{
    if (audit_u32(header) != IMAGE_MAGIC) {
        return AUDIT_MAGIC;
    }
    if (audit_u16(header + 8) != AUDIT_HEADER_BYTES) {
        return AUDIT_HEADER_SIZE;
    }
    return audit_u32(header + 28) == 0 ? AUDIT_OK : AUDIT_HEADER_RESERVED;
}

static audit_status read_header_values(audit_parts *parts, audit_image *values)
{
    if (audit_u32(parts->header + 4) != 0) {
        return AUDIT_LOAD_ADDRESS;
    }
    const uint32_t flags = audit_u32(parts->header + 16);
    if (flags != FLAG_AES128 && flags != FLAG_AES256) {
        return AUDIT_FLAGS;
    }
    if (parts->payload_bytes == 0 || parts->payload_bytes % AUDIT_BLOCK_BYTES != 0) {
        return AUDIT_PAYLOAD_SIZE;
    }
    parts->aes_bytes = flags == FLAG_AES128 ? 16 : 32;
    values->version = version_at(parts->header + 20);
    return AUDIT_OK;
}

enum { COUNTER, DEPENDENCY, VENDOR, CLASS, VERDICT, MODEL, POLICY, LOG, PROTECTED_TLVS };

/* The values of the protected TLVs; one that is left out, and may be, stays NULL. */
static audit_status match_protected(const audit_parts *parts, const audit_area *found,
                                    const uint8_t *value[PROTECTED_TLVS])
{
    static const struct {
        uint8_t type;
        uint8_t bytes;
        bool optional;
    } FORM[PROTECTED_TLVS] = {
        [COUNTER] = {0x50, 4, false},  [DEPENDENCY] = {0x40, 12, true}, [VENDOR] = {0x74, 16, true},
        [CLASS] = {0x75, 16, true},    [VERDICT] = {0xA0, 32, false},   [MODEL] = {0xA1, 36, false},
        [POLICY] = {0xA2, 32, false},  [LOG] = {0xA3, 40, false},
    };
    if (found->count > PROTECTED_TLVS) {
        return AUDIT_TLV_SET;
    }
    bool lengths_fit = true;
    size_t taken = 0;
    for (size_t i = 0; i < PROTECTED_TLVS; i++) {
        if (taken < found->count && found->entries[taken].type == FORM[i].type) {
            value[i] = parts->tlvs + found->entries[taken].at;
            lengths_fit = lengths_fit && found->entries[taken].bytes == FORM[i].bytes;
            taken++;
        } else if (!FORM[i].optional) {
            return AUDIT_TLV_SET;
        }
    }
    if (taken != found->count || (value[CLASS] != NULL && value[VENDOR] == NULL)) {
        return AUDIT_TLV_SET; /* a class is named in its vendor's namespace */
    }
    return lengths_fit ? AUDIT_OK : AUDIT_TLV_LENGTH;
}

static bool read_uuid(const uint8_t *value, uint8_t uuid[AUDIT_UUID_BYTES])
{
    if (value != NULL) {
        memcpy(uuid, value, AUDIT_UUID_BYTES);
    }
    return value != NULL;
}

static audit_status read_protected(const audit_parts *parts, const audit_area *found, audit_image *values)
{
    const uint8_t *value[PROTECTED_TLVS] = {NULL};
    const audit_status status = match_protected(parts, found, value);
    if (status != AUDIT_OK) {
        return status;
    }
    values->security_counter = audit_u32(value[COUNTER]);
    values->has_dependency = value[DEPENDENCY] != NULL;
    if (values->has_dependency) {
        values->dependency_image = value[DEPENDENCY][0];
        values->dependency = version_at(value[DEPENDENCY] + 4);
    }
    values->has_vendor = read_uuid(value[VENDOR], values->vendor);
    values->has_class = read_uuid(value[CLASS], values->device_class);
    memcpy(values->verdict_sha256, value[VERDICT], AUDIT_SHA256_BYTES);
    values->model_bytes = audit_u32(value[MODEL]);
    memcpy(values->model_sha256, value[MODEL] + 4, AUDIT_SHA256_BYTES);
    memcpy(values->policy_sha256, value[POLICY], AUDIT_SHA256_BYTES);
    values->log_size = (uint64_t)audit_u32(value[LOG] + 4) << 32 | audit_u32(value[LOG]);
    memcpy(values->log_root, value[LOG] + 8, AUDIT_SHA256_BYTES);
    const uint64_t blocks = ((uint64_t)values->model_bytes + AUDIT_BLOCK_BYTES - 1) / AUDIT_BLOCK_BYTES;
    if (blocks * AUDIT_BLOCK_BYTES != parts->payload_bytes) {
        return AUDIT_MODEL_LENGTH;
    }
    if (values->log_size == 0) {
        return AUDIT_LOG_SIZE;
    }
    const bool padded = values->has_dependency && (audit_u32(value[DEPENDENCY]) & ~0xFFU) != 0;
    return padded ? AUDIT_DEPENDENCY : AUDIT_OK;
}

static audit_status read_unprotected(audit_parts *parts, const audit_area *found)
{
    const audit_entry *const tlv = found->entries;
    if (found->count != UNPROTECTED_TLVS || tlv[0].type != TLV_SHA256 || tlv[1].type != TLV_KEY_HASH ||
        (tlv[2].type != TLV_ED25519 && tlv[2].type != TLV_P256) ||
        (tlv[3].type != TLV_ENC_X25519 && tlv[3].type != TLV_ENC_P256)) {
        return AUDIT_TLV_SET;
    }
    const bool ed25519 = tlv[2].type == TLV_ED25519;
    const bool x25519 = tlv[3].type == TLV_ENC_X25519;
    const size_t point = x25519 ? X25519_POINT_BYTES : P256_POINT_BYTES;
    if (tlv[0].bytes != AUDIT_SHA256_BYTES || tlv[1].bytes != AUDIT_SHA256_BYTES) {
        return AUDIT_TLV_LENGTH;
    }
    if (ed25519 ? tlv[2].bytes != 64 : tlv[2].bytes < ECDSA_LEAST_BYTES || tlv[2].bytes > ECDSA_MOST_BYTES) {
        return AUDIT_TLV_LENGTH;
    }
    if (tlv[3].bytes != point + AUDIT_SHA256_BYTES + parts->aes_bytes) {
        return AUDIT_TLV_LENGTH;
    }
    parts->image_hash = parts->tlvs + tlv[0].at;
    parts->key_hash = parts->tlvs + tlv[1].at;
    parts->signature_kind = ed25519 ? AUDIT_SIGNED_ED25519 : AUDIT_SIGNED_P256;
    parts->signature = parts->tlvs + tlv[2].at;
    parts->signature_bytes = tlv[2].bytes;
    parts->recipient_kind = x25519 ? AUDIT_X25519 : AUDIT_P256;
    parts->ephemeral = parts->tlvs + tlv[3].at;
    parts->mac = parts->ephemeral + point;
    parts->wrapped = parts->mac + AUDIT_SHA256_BYTES;
    return AUDIT_OK;
}

audit_status audit_read(const uint8_t *image, size_t size, audit_parts *parts, audit_image *values)
{
    if (size < AUDIT_HEADER_BYTES) {
        return AUDIT_TRUNCATED;
    }
    memcpy(parts->header, image, AUDIT_HEADER_BYTES);
    audit_status status = read_header_form(parts->header);
    if (status != AUDIT_OK) {
        return status;
    }
    const size_t total = size - AUDIT_HEADER_BYTES;
    parts->payload_bytes = audit_u32(parts->header + 12);
    parts->protected_bytes = audit_u16(parts->header + 10);
    if (parts->payload_bytes > total) {
        return AUDIT_TRUNCATED;
    }
    audit_rest rest = {parts->tlvs, 0, total - parts->payload_bytes};
    rest.kept = rest.total < AUDIT_TLVS_BYTES ? rest.total : AUDIT_TLVS_BYTES;
    memcpy(parts->tlvs, image + AUDIT_HEADER_BYTES + parts->payload_bytes, rest.kept);

    audit_area protected_area;
    audit_area unprotected;
    status = audit_read_areas(&rest, parts->protected_bytes, &protected_area, &unprotected);
    if (status == AUDIT_OK) {
        status = read_header_values(parts, values);
    }
    if (status == AUDIT_OK) {
        status = read_unprotected(parts, &unprotected);
    }
    if (status == AUDIT_OK) {
        status = read_protected(parts, &protected_area, values);
    }
    return status;
}
