/* audit-image: the device's verifier and decryptor as a program, for tests and for whoever writes the firmware.
 *
 * Exit code 0: the image holds; 1: it does not, and stdout has the code; 2: the command or a file is at fault.
 */
#include "files.h"

#include <mbedtls/platform_util.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "audit-image IMAGE --signer PUB.der --x25519|--p256 KEY.raw\n"
    "            [--least-counter N] [--vendor HEX] [--class HEX] [--out FILE]\n"
    "audit-image --batch    reads IMAGE<tab>PUB.der<tab>x25519|p256<tab>KEY.raw lines, writes a code for each\n";

typedef struct {
    const char *image;
    const char *signer;
    const char *recipient;
    const char *model;
    audit_recipient_kind kind;
    uint32_t least_counter;
    uint8_t uuids[2][AUDIT_UUID_BYTES];
    bool has_uuid[2];
} request;

typedef struct {
    host_file image, signer, recipient;
    uint8_t *model;
    audit_image values;
} opened;

static void release(opened *files)
{
    if (files->recipient.bytes != NULL) {
        mbedtls_platform_zeroize(files->recipient.bytes, files->recipient.size);
    }
    free(files->image.bytes);
    free(files->signer.bytes);
    free(files->recipient.bytes);
    free(files->model);
}

/* False where a file cannot be used; otherwise `status` is the image's. */
static bool open_files(const request *asked, opened *files, audit_status *status)
{
    memset(files, 0, sizeof *files);
    if (!host_read(asked->image, &files->image) || !host_read(asked->signer, &files->signer) ||
        !host_read(asked->recipient, &files->recipient)) {
        return false;
    }
    if (files->recipient.size != AUDIT_PRIVATE_KEY_BYTES) {
        fprintf(stderr, "%s: a private key is %d raw bytes\n", asked->recipient, AUDIT_PRIVATE_KEY_BYTES);
        return false;
    }
    files->model = malloc(files->image.size + 1);
    if (files->model == NULL) {
        return false;
    }
    const audit_keys keys = {
        .signer = files->signer.bytes,
        .signer_bytes = files->signer.size,
        .recipient_kind = asked->kind,
        .recipient = files->recipient.bytes,
        .least_counter = asked->least_counter,
        .vendor = asked->has_uuid[0] ? asked->uuids[0] : NULL,
        .device_class = asked->has_uuid[1] ? asked->uuids[1] : NULL,
        .random = host_random,
    };
    *status = audit_image_open(files->image.bytes, files->image.size, &keys, files->model, files->image.size,
                               &files->values);
    return true;
}

static void print_hex(const char *name, const uint8_t *bytes, size_t size)
{
    printf("%-18s", name);
    for (size_t i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
    putchar('\n');
}

static void print_version(const char *name, audit_version version)
{
    printf("%-18s%u.%u.%u+%" PRIu32 "\n", name, version.major, version.minor, version.revision, version.build);
}

static void print_values(const audit_image *image)
{
    print_version("version", image->version);
    printf("%-18s%" PRIu32 "\n", "security-counter", image->security_counter);
    printf("%-18s%" PRIu32 "\n", "model-bytes", image->model_bytes);
    print_hex("model-sha256", image->model_sha256, AUDIT_SHA256_BYTES);
    print_hex("verdict-sha256", image->verdict_sha256, AUDIT_SHA256_BYTES);
    print_hex("policy-sha256", image->policy_sha256, AUDIT_SHA256_BYTES);
    printf("%-18s%" PRIu64 "\n", "log-size", image->log_size);
    print_hex("log-root", image->log_root, AUDIT_SHA256_BYTES);
    if (image->has_dependency) {
        printf("%-18s%u\n", "dependency-image", image->dependency_image);
        print_version("dependency", image->dependency);
    }
    if (image->has_vendor) {
        print_hex("vendor", image->vendor, AUDIT_UUID_BYTES);
    }
    if (image->has_class) {
        print_hex("class", image->device_class, AUDIT_UUID_BYTES);
    }
}

static bool write_model(const char *path, const uint8_t *model, size_t bytes)
{
    FILE *const stream = fopen(path, "wb");
    const bool written = stream != NULL && fwrite(model, 1, bytes, stream) == bytes;
    if ((stream != NULL && fclose(stream) != 0) || !written) {
        perror(path);
        return false;
    }
    return true;
}

static int open_one(const request *asked)
{
    opened files;
    audit_status status = AUDIT_ARGUMENT;
    int code = 2;
    if (open_files(asked, &files, &status)) {
        code = status == AUDIT_OK ? 0 : 1;
        puts(audit_status_name(status));
        if (status == AUDIT_OK) {
            print_values(&files.values);
            if (asked->model != NULL && !write_model(asked->model, files.model, files.values.model_bytes)) {
                code = 2;
            }
        }
    }
    release(&files);
    return code;
}

static int open_batch(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        request asked = {0};
        asked.image = strtok(line, "\t\n");
        asked.signer = strtok(NULL, "\t\n");
        const char *const kind = strtok(NULL, "\t\n");
        asked.recipient = strtok(NULL, "\t\n");
        if (asked.recipient == NULL || !host_recipient_kind(kind, &asked.kind)) {
            fputs(USAGE, stderr);
            return 2;
        }
        opened files;
        audit_status status = AUDIT_ARGUMENT;
        const bool done = open_files(&asked, &files, &status);
        release(&files);
        if (!done) {
            return 2;
        }
        puts(audit_status_name(status));
    }
    return 0;
}

static bool read_uuid(const char *hex, uint8_t uuid[AUDIT_UUID_BYTES])
{
    if (strlen(hex) != 2 * AUDIT_UUID_BYTES || strspn(hex, "0123456789abcdef") != 2 * AUDIT_UUID_BYTES) {
        return false;
    }
    for (size_t i = 0; i < AUDIT_UUID_BYTES; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        uuid[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

static bool read_option(request *asked, const char *option, const char *value)
{
    if (strcmp(option, "--signer") == 0) {
        asked->signer = value;
    } else if (strcmp(option, "--x25519") == 0 || strcmp(option, "--p256") == 0) {
        asked->recipient = value;
        return host_recipient_kind(option + 2, &asked->kind);
    } else if (strcmp(option, "--out") == 0) {
        asked->model = value;
    } else if (strcmp(option, "--least-counter") == 0) {
        char *end = NULL;
        const unsigned long long counter = strtoull(value, &end, 10);
        asked->least_counter = (uint32_t)counter;
        return *value >= '0' && *value <= '9' && *end == 0 && counter <= UINT32_MAX;
    } else if (strcmp(option, "--vendor") == 0 || strcmp(option, "--class") == 0) {
        const size_t which = strcmp(option, "--class") == 0;
        asked->has_uuid[which] = true;
        return read_uuid(value, asked->uuids[which]);
    } else {
        return false;
    }
    return true;
}

int main(int count, char **arguments)
{
    request asked = {0};
    if (count == 2 && strcmp(arguments[1], "--batch") == 0) {
        return open_batch();
    }
    bool valid = count >= 2;
    asked.image = valid ? arguments[1] : NULL;
    for (int i = 2; valid && i < count; i += 2) {
        valid = i + 1 < count && read_option(&asked, arguments[i], arguments[i + 1]);
    }
    if (!valid || asked.signer == NULL || asked.recipient == NULL) {
        fputs(USAGE, stderr);
        return 2;
    }
    return open_one(&asked);
}
