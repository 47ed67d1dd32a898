/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The structural index of JSON text: the offsets of { } [ ] : , outside strings, of the opening
 * quote of each string and of the first byte of every other token. It is what simdjson calls
 * stage 1. The text may hold any number of documents; it must begin and end outside a string.
 *
 * Success says: valid UTF-8, no control character inside a string (so no string goes over a line
 * end) and every string is closed. Nothing else has been looked at.
 */
#ifndef VAKA_NORMALISE_JSON_INDEX_H
#define VAKA_NORMALISE_JSON_INDEX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_index;

/* For texts of up to max_len bytes (at most 1 GiB); NULL when out of memory. */
struct json_index *json_index_new(size_t max_len);
void json_index_free(struct json_index *ix);

/*
 * Indexes len bytes; none are read beyond. 0 or -1. The offsets ascend and stay valid until the
 * next run; at least one entry behind the last is readable.
 */
int json_index_run(struct json_index *ix, const char *ptr, size_t len, const uint32_t **ret_offsets,
                   uint32_t *ret_count);

#ifdef __cplusplus
}
#endif

#endif
