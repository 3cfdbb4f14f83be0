#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LARGEST_FILE (64L * 1024 * 1024)

bool host_read(const char *path, host_file *file)
{
    file->bytes = NULL;
    file->size = 0;
    FILE *const stream = fopen(path, "rb");
    if (stream == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    bool done = false;
    if (fseek(stream, 0, SEEK_END) == 0) {
        const long size = ftell(stream);
        if (size >= 0 && size <= LARGEST_FILE && fseek(stream, 0, SEEK_SET) == 0) {
            file->size = (size_t)size;
            file->bytes = malloc(file->size == 0 ? 1 : file->size);
            done = file->bytes != NULL && fread(file->bytes, 1, file->size, stream) == file->size;
        }
    }
    fclose(stream);
    if (!done) {
        fprintf(stderr, "%s: cannot be read whole\n", path);
        free(file->bytes);
        file->bytes = NULL;
    }
    return done;
}

bool host_recipient_kind(const char *name, audit_recipient_kind *kind)
{
    *kind = strcmp(name, "p256") == 0 ? AUDIT_P256 : AUDIT_X25519;
    return *kind == AUDIT_P256 || strcmp(name, "x25519") == 0;
}

int host_random(void *state, unsigned char *to, size_t bytes)
{
    (void)state;
    return getrandom(to, bytes, 0) == (ssize_t)bytes ? 0 : -1;
}
