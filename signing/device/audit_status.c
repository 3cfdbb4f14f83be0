/* Names of faults; a firmware that prints none leaves this file out. */
#include "audit_image.h"

const char *audit_status_name(audit_status status)
{
#define AUDIT_STATUS_NAME(member, name) name,
    static const char *const NAMES[] = {AUDIT_STATUSES(AUDIT_STATUS_NAME)};
#undef AUDIT_STATUS_NAME
    return (size_t)status < sizeof NAMES / sizeof NAMES[0] ? NAMES[status] : "device.unknown";
}
