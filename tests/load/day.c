/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Writes parts of a day of a city to standard output, one record a line, told the times of that
 * day:
 *
 *     vaka-day MIX SEED BEGIN PART LONG
 *
 * From BEGIN (RFC 3339) on: PART seconds of each of 24 hours, and LONG seconds of the tenth, all at
 * the rate of the mix by day and at a quarter of it at night. What comes is said by MIX and SEED.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "mix.h"

enum { HOURS = 24, BUSIEST = 9, DAY_BEGINS = 6, DAY_ENDS = 17, NIGHT_PART = 4 };

static const nsec hour = 3600 * NSEC_PER_SEC;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "vaka-day: %s: %s\n", what, why);
    exit(1);
}

static uint64_t number_of(const char *text)
{
    uint64_t v = 0;
    if (!slice_to_u64(slice_of(text), &v)) die(text, "not a number");
    return v;
}

static void write_part(struct mix *m, nsec begin, uint64_t number, uint64_t seconds)
{
    uint64_t n = mix_rate(m) * seconds;
    if (number < DAY_BEGINS || number >= DAY_ENDS) n /= NIGHT_PART;
    for (uint64_t i = 0; i < n; i++) {
        nsec within = (nsec)((unsigned __int128)seconds * NSEC_PER_SEC * i / n);
        struct slice record = mix_next(m, MIX_TEXT, begin + (nsec)number * hour + within);
        (void)fwrite(record.ptr, 1, record.len, stdout);
        (void)putchar('\n');
    }
}

int main(int argc, char **argv)
{
    struct mix *m;
    struct diag diag = {0};
    nsec begin;
    if (argc != 6) die("usage", "vaka-day MIX SEED BEGIN PART LONG");
    if (!time_parse(slice_of(argv[3]), 2026, &begin)) die(argv[3], "not a time");
    const struct mix_options options = {.path = argv[1], .seed = number_of(argv[2])};
    if (mix_new(&options, begin, &m, &diag)) {
        fprintf(stderr, "vaka-day: %s:%" PRIu32 ": %s\n", argv[1], diag.line, diag.message);
        return 1;
    }
    uint64_t part = number_of(argv[4]), longer = number_of(argv[5]);
    for (uint64_t i = 0; i < HOURS; i++)
        write_part(m, begin, i, i == BUSIEST && longer ? longer : part);
    mix_free(m);
    return fflush(stdout) || ferror(stdout);
}
