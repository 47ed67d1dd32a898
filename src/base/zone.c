/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define YEAR (366 * INT64_C(86400))

static int32_t offset_at(int64_t seconds)
{
    struct tm tm;
    time_t t = (time_t)seconds;
    return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* The first second of the offset at `to`; there is one step at most between them. */
static int64_t find_step(int64_t from, int64_t to)
{
    int32_t after = offset_at(to);
    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        if (offset_at(middle) == after) to = middle;
        else from = middle;
    }
    return to;
}

static void find_steps(struct zone *z, int64_t now)
{
    enum { STRIDE = 7 * 86400 };
    int64_t at = now - YEAR, end = now + ZONE_YEARS * YEAR;
    z->steps[0].from = INT64_MIN;
    z->steps[0].offset = offset_at(at);
    z->n = 1;
    for (; at < end && z->n < ZONE_STEPS_MAX; at += STRIDE) {
        if (offset_at(at + STRIDE) == z->steps[z->n - 1].offset) continue;
        z->steps[z->n].from = find_step(at, at + STRIDE);
        z->steps[z->n].offset = offset_at(at + STRIDE);
        z->n++;
    }
}

/* The C library takes a zone that it does not know for UTC. */
static bool exists(const char *name)
{
    char path[512];
    bool plain = name[0] != '/' && name[0] != '.' && !strstr(name, "..");
    int n = snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    return plain && n > 0 && (size_t)n < sizeof path && access(path, R_OK) == 0;
}

int zone_read(struct zone *z, const char *name, nsec now, struct diag *diag)
{
    const char *set = getenv("TZ");
    char *before = set ? strdup(set) : NULL;
    if (set && !before) return ERR_NOMEM;
    if (name && !exists(name)) {
        free(before);
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "health.zone: there is no time zone `%s`",
                        name);
    }
    if (name) (void)setenv("TZ", name, 1);
    else (void)unsetenv("TZ");
    tzset();
    find_steps(z, now / NSEC_PER_SEC);
    if (before) (void)setenv("TZ", before, 1);
    else (void)unsetenv("TZ");
    tzset();
    free(before);
    return 0;
}

int32_t zone_offset(const struct zone *z, nsec time)
{
    unsigned i = z->n;
    while (i > 1 && z->steps[i - 1].from > time / NSEC_PER_SEC) i--;
    return z->steps[i - 1].offset;
}

nsec zone_from_local(const struct zone *z, nsec local)
{
    nsec early, late;
    int32_t before = zone_offset(z, local - 86400 * NSEC_PER_SEC);
    int32_t after = zone_offset(z, local + 86400 * NSEC_PER_SEC);
    early = local - before * NSEC_PER_SEC;
    late = local - after * NSEC_PER_SEC;
    return zone_offset(z, late) == after ? late : early;
}
