/* Framing of an image: little-endian numbers, TLV areas and their entries. For audit_frame.c and audit_read.c only. */
#ifndef AUDIT_FRAME_H
#define AUDIT_FRAME_H

#include "audit_parts.h"

#define AUDIT_ENTRIES 8 /* more than any area of the form holds */

/* Everything after the payload: `kept` bytes of it were copied, `total` are in the image. */
typedef struct {
    const uint8_t *bytes;
    size_t kept;
    size_t total;
} audit_rest;

typedef struct {
    uint32_t type;
    size_t at; /* of its value, in the copy */
    size_t bytes;
} audit_entry;

typedef struct {
    audit_entry entries[AUDIT_ENTRIES];
    size_t count; /* may be above AUDIT_ENTRIES, which no form allows */
    size_t end;
} audit_area;

uint32_t audit_u16(const uint8_t *at);
uint32_t audit_u32(const uint8_t *at);

/* Both TLV areas, of which the first may be absent, and that nothing follows them. */
audit_status audit_read_areas(const audit_rest *rest, size_t protected_bytes, audit_area *protected_area,
                              audit_area *unprotected);

#endif
