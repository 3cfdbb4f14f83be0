/* fuzz-image: nothing but the image itself may open.
 *
 * flips inverts every single bit, truncations drops every number of bytes from the end, a number makes so many random
 * mutations of a small image from a seed, memory lets one allocation after the other fail. Prints how often each status
 * came. Exit code 1: an altered image opened, or something was left in the buffers of one that did not.
 */
#include "files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 32U
#define LEAST_BYTES 400U /* of any image; what is cut out of one leaves enough to cut from */
#define GROWTH 64U
#define UNTOUCHED 0xAA
#define MOST_ALLOCATIONS 1000000

typedef struct {
    host_file image;
    audit_keys keys;
    size_t payload_end; /* where the TLVs begin */
    audit_status excuse; /* for the image itself not to open */
    unsigned long seen[64];
    uint64_t random;
} fuzzer;

/* xorshift64* (Vigna 2016). */
static uint32_t below(fuzzer *fuzz, uint32_t limit)
{
    fuzz->random ^= fuzz->random >> 12;
    fuzz->random ^= fuzz->random << 25;
    fuzz->random ^= fuzz->random >> 27;
    return (uint32_t)((fuzz->random * 0x2545F4914F6CDD1DU) >> 32) % limit;
}

static bool all(const uint8_t *bytes, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

/* Open a copy that is allocated to the byte, and hold what is left behind against what is promised. */
static bool holds(fuzzer *fuzz, const uint8_t *bytes, size_t size, size_t capacity)
{
    uint8_t *const image = malloc(size == 0 ? 1 : size);
    uint8_t *const model = malloc(capacity == 0 ? 1 : capacity);
    audit_image values;
    if (image == NULL || model == NULL) {
        exit(2);
    }
    memcpy(image, bytes, size);
    memset(model, UNTOUCHED, capacity);
    memset(&values, UNTOUCHED, sizeof values);
    const audit_status status = audit_image_open(image, size, &fuzz->keys, model, capacity, &values);
    const bool same = size == fuzz->image.size && memcmp(bytes, fuzz->image.bytes, size) == 0;
    bool kept = memcmp(image, bytes, size) == 0;
    if (status == AUDIT_OK) {
        kept = kept && same;
    } else {
        kept = kept && all(model, capacity, 0) && all((const uint8_t *)&values, sizeof values, 0) &&
               (!same || status == fuzz->excuse);
    }
    fuzz->seen[status]++;
    free(model);
    free(image);
    if (!kept) {
        fprintf(stderr, "%s: promise broken for these %zu bytes:\n", audit_status_name(status), size);
        for (size_t i = 0; i < size; i++) {
            fprintf(stderr, "%02x", bytes[i]);
        }
        fputc('\n', stderr);
    }
    return kept;
}

static bool flip_each_bit(fuzzer *fuzz, uint8_t *work)
{
    bool kept = true;
    for (size_t bit = 0; kept && bit < fuzz->image.size * 8; bit++) {
        work[bit / 8] ^= (uint8_t)(1U << bit % 8);
        kept = holds(fuzz, work, fuzz->image.size, fuzz->image.size);
        work[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    return kept;
}

static bool truncate_each(fuzzer *fuzz, const uint8_t *work)
{
    bool kept = true;
    for (size_t size = 0; kept && size < fuzz->image.size; size++) {
        kept = holds(fuzz, work, size, fuzz->image.size);
    }
    return kept;
}

/* The image itself, with memory for more and more allocations, until they are enough. */
static bool starve(fuzzer *fuzz, const uint8_t *work)
{
    const unsigned long opened = fuzz->seen[AUDIT_OK];
    bool kept = true;
    fuzz->excuse = AUDIT_CRYPTO;
    for (long given = 0; kept && fuzz->seen[AUDIT_OK] == opened && given < MOST_ALLOCATIONS; given += 1 + given / 200) {
        host_allocations_left = given;
        kept = holds(fuzz, work, fuzz->image.size, fuzz->image.size);
        host_allocations_left = -1;
    }
    return kept && fuzz->seen[AUDIT_OK] > opened;
}

/* One alteration of `size` bytes, in a buffer that can grow by GROWTH; returns the new size. */
static size_t mutate(fuzzer *fuzz, uint8_t *work, size_t size)
{
    static const uint8_t EDGES[] = {0x00, 0x01, 0x03, 0x04, 0x05, 0x10, 0x20, 0x7F, 0x80, 0xFE, 0xFF};
    const size_t at = below(fuzz, (uint32_t)size);
    const size_t run = 1 + below(fuzz, 40);
    const size_t payload_end = fuzz->payload_end;
    switch (below(fuzz, 8)) {
    case 0:
        work[at] ^= (uint8_t)(1U << below(fuzz, 8));
        return size;
    case 1:
        work[at] = (uint8_t)below(fuzz, 256);
        return size;
    case 2: /* a field of the header */
        work[below(fuzz, 32)] = EDGES[below(fuzz, sizeof EDGES)];
        return size;
    case 3: /* the head of the protected TLVs, or of their first */
        work[payload_end + below(fuzz, 16)] = EDGES[below(fuzz, sizeof EDGES)];
        return size;
    case 4: { /* two bytes become a small number, as a type or a length would be */
        const size_t field = at < size - 1 ? at : size - 2;
        work[field] = EDGES[below(fuzz, sizeof EDGES)];
        work[field + 1] = 0;
        return size;
    }
    case 5: { /* repeat a run elsewhere */
        const size_t length = run < size - at ? run : size - at;
        memmove(work + below(fuzz, (uint32_t)(size - length + 1)), work + at, length);
        return size;
    }
    case 6: { /* cut a run out */
        const size_t length = run < size - at ? run : size - at;
        memmove(work + at, work + at + length, size - at - length);
        return size - length;
    }
    default: { /* put a run in */
        memmove(work + at + run, work + at, size - at);
        memset(work + at, EDGES[below(fuzz, sizeof EDGES)], run);
        return size + run;
    }
    }
}

static bool mutate_many(fuzzer *fuzz, uint8_t *work, unsigned long rounds)
{
    const size_t most = fuzz->image.size + GROWTH;
    fuzz->excuse = AUDIT_CAPACITY;
    bool kept = true;
    for (unsigned long round = 0; kept && round < rounds; round++) {
        size_t size = fuzz->image.size;
        memcpy(work, fuzz->image.bytes, size);
        for (uint32_t times = 1 + below(fuzz, 4); times > 0 && size + 40 < most; times--) {
            size = mutate(fuzz, work, size);
        }
        kept = holds(fuzz, work, size, below(fuzz, 16) == 0 ? below(fuzz, 64) : fuzz->image.size);
    }
    return kept;
}

/* Whether the payload of an image in RAM is decrypted where it lies as it is elsewhere. */
static bool opens_in_place(const fuzzer *fuzz)
{
    const size_t size = fuzz->image.size;
    uint8_t *const image = malloc(size);
    uint8_t *const model = malloc(size);
    audit_image values;
    bool same = false;
    if (image != NULL && model != NULL) {
        uint8_t *const payload = image + HEADER_BYTES;
        memcpy(image, fuzz->image.bytes, size);
        same = audit_image_open(image, size, &fuzz->keys, model, size, &values) == AUDIT_OK &&
               audit_image_open(image, size, &fuzz->keys, payload, size - HEADER_BYTES, &values) == AUDIT_OK &&
               memcmp(payload, model, values.model_bytes) == 0;
    }
    free(model);
    free(image);
    return same;
}

static bool run(fuzzer *fuzz, const char *what)
{
    if (fuzz->image.size < LEAST_BYTES) {
        return false;
    }
    const uint8_t *const payload_bytes = fuzz->image.bytes + 12;
    fuzz->payload_end = HEADER_BYTES + payload_bytes[0] + 256U * payload_bytes[1];
    if (!opens_in_place(fuzz)) {
        fputs("the image itself does not open\n", stderr);
        return false;
    }
    uint8_t *const work = malloc(fuzz->image.size + 2 * GROWTH);
    if (work == NULL) {
        return false;
    }
    memcpy(work, fuzz->image.bytes, fuzz->image.size);
    bool kept = false;
    if (strcmp(what, "memory") == 0) {
        kept = starve(fuzz, work);
    } else if (strcmp(what, "flips") == 0) {
        kept = flip_each_bit(fuzz, work);
    } else if (strcmp(what, "truncations") == 0) {
        kept = truncate_each(fuzz, work);
    } else {
        kept = mutate_many(fuzz, work, strtoul(what, NULL, 10));
    }
    free(work);
    return kept;
}

int main(int count, char **arguments)
{
    fuzzer fuzz = {.keys = {.random = host_random}, .random = 1};
    host_file signer = {NULL, 0};
    host_file recipient = {NULL, 0};
    if (count < 6 || !host_recipient_kind(arguments[3], &fuzz.keys.recipient_kind) ||
        !host_read(arguments[1], &fuzz.image) || !host_read(arguments[2], &signer) ||
        !host_read(arguments[4], &recipient) || recipient.size != AUDIT_PRIVATE_KEY_BYTES) {
        fputs("fuzz-image IMAGE PUB.der x25519|p256 KEY.raw memory|flips|truncations|MUTATIONS [SEED]\n", stderr);
        return 2;
    }
    fuzz.keys.signer = signer.bytes;
    fuzz.keys.signer_bytes = signer.size;
    fuzz.keys.recipient = recipient.bytes;
    if (count > 6) {
        fuzz.random = strtoull(arguments[6], NULL, 10) * 2 + 1; /* never zero, which xorshift would stay at */
    }
    const bool kept = run(&fuzz, arguments[5]);
    for (size_t i = 0; i < sizeof fuzz.seen / sizeof fuzz.seen[0]; i++) {
        if (fuzz.seen[i] != 0) {
            printf("%s %lu\n", audit_status_name((audit_status)i), fuzz.seen[i]);
        }
    }
    free(fuzz.image.bytes);
    free(signer.bytes);
    free(recipient.bytes);
    return kept ? 0 : 1;
}
