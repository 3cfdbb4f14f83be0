/* Framing: where TLV areas and their entries begin and end. Every size is checked before it is used. */
#include "audit_frame.h"

#define PROTECTED_MAGIC 0x6908U
#define UNPROTECTED_MAGIC 0x6907U
#define HEAD_BYTES 4U /* of a TLV, and of an area */

uint32_t audit_u16(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

uint32_t audit_u32(const uint8_t *at)
{
    return audit_u16(at) | audit_u16(at + 2) << 16;
}

static audit_status read_area(const audit_rest *rest, size_t start, uint32_t magic, audit_area *found)
{
    if (rest->total - start < HEAD_BYTES) {
        return AUDIT_TRUNCATED;
    }
    if (rest->kept - start < HEAD_BYTES) {
        return AUDIT_TLV_SET; /* more than all TLVs of the form take */
    }
    const size_t size = audit_u16(rest->bytes + start + 2);
    if (audit_u16(rest->bytes + start) != magic) {
        return AUDIT_AREA_MAGIC;
    }
    if (size < HEAD_BYTES) {
        return AUDIT_AREA_SIZE;
    }
    if (size > rest->total - start) {
        return AUDIT_TRUNCATED;
    }
    if (size > rest->kept - start) {
        return AUDIT_TLV_SET;
    }
    found->count = 0;
    found->end = start + size;
    size_t at = start + HEAD_BYTES;
    while (at < found->end) {
        if (found->end - at < HEAD_BYTES) {
            return AUDIT_TLV_OVERRUN;
        }
        const audit_entry tlv = {audit_u16(rest->bytes + at), at + HEAD_BYTES, audit_u16(rest->bytes + at + 2)};
        if (tlv.bytes > found->end - tlv.at) {
            return AUDIT_TLV_OVERRUN;
        }
        if (found->count < AUDIT_ENTRIES) {
            found->entries[found->count] = tlv;
        }
        found->count++;
        at = tlv.at + tlv.bytes;
    }
    return AUDIT_OK;
}

audit_status audit_read_areas(const audit_rest *rest, size_t protected_bytes, audit_area *protected_area,
                              audit_area *unprotected)
{
    if (protected_bytes > rest->total) {
        return AUDIT_TRUNCATED;
    }
    protected_area->count = 0;
    protected_area->end = 0;
    if (protected_bytes != 0) {
        const audit_status status = read_area(rest, 0, PROTECTED_MAGIC, protected_area);
        if (status != AUDIT_OK) {
            return status;
        }
        if (protected_area->end != protected_bytes) {
            return AUDIT_AREA_SIZE;
        }
    }
    const audit_status status = read_area(rest, protected_area->end, UNPROTECTED_MAGIC, unprotected);
    if (status != AUDIT_OK) {
        return status;
    }
    return unprotected->end == rest->total ? AUDIT_OK : AUDIT_TRAILING_BYTES;
}
