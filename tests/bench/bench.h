/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef VAKA_TESTS_BENCH_H
#define VAKA_TESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * simdjson alone: every document of the NDJSON text is walked in full and every string unescaped,
 * looped for at least min_seconds. Returns the seconds taken; *ret_events is the documents walked.
 * The text must be readable 64 bytes past its end.
 */
double bench_parse_only(const char *data, size_t len, double min_seconds, uint64_t *ret_events);
double bench_now(void);

#ifdef __cplusplus
}
#endif

#endif
