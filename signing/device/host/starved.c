/* For fuzzing: memory that runs out. mbed TLS takes its memory by `calloc`, which is this one. */
#include "files.h"

#include <stdlib.h>

long host_allocations_left = -1;

#ifndef __SANITIZE_ADDRESS__
void *__libc_calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
    if (host_allocations_left == 0) {
        return NULL;
    }
    host_allocations_left -= host_allocations_left > 0;
    return __libc_calloc(count, size);
}
#endif
