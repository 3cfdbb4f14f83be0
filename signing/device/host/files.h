/* Whole files and their device keys, for the programs that run on a host. */
#ifndef AUDIT_HOST_FILES_H
#define AUDIT_HOST_FILES_H

#include "audit_image.h"

typedef struct {
    uint8_t *bytes; /* allocated to the byte, so that a sanitizer sees the first one too many; free it */
    size_t size;
} host_file;

/* False, with a line on stderr, where the file cannot be read. */
bool host_read(const char *path, host_file *file);

/* The kind of a recipient by its name, "x25519" or "p256". */
bool host_recipient_kind(const char *name, audit_recipient_kind *kind);

/* How many more allocations mbed TLS is given; below zero, all. Has no effect under AddressSanitizer. */
extern long host_allocations_left;

/* Random bytes of the system, in the form that mbed TLS asks for. */
int host_random(void *state, unsigned char *to, size_t bytes);

#endif
