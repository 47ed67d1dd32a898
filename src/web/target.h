/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a request is for, as it stands in its first line: a path and parameters (RFC 9112, 3.2.1;
 * application/x-www-form-urlencoded without "+" for a blank). Stricter than servers use to be: one
 * way to write a path, so that nobody is fooled about which one it is. In a path no percent signs
 * and no "." or ".." are taken, names of parameters stand once, and every value is UTF-8 without
 * control characters.
 */
#ifndef VAKA_WEB_TARGET_H
#define VAKA_WEB_TARGET_H

#include "base/error.h"

enum {
    API_TARGET_MAX = 8192, /* bytes */
    API_SEGMENTS_MAX = 8,
    API_QUERY_MAX = 16, /* parameters */
};

struct api_target {
    struct slice path;
    struct slice segments[API_SEGMENTS_MAX]; /* between the slashes */
    uint32_t n_segments;
    struct api_query {
        struct slice name, value;
    } query[API_QUERY_MAX];
    uint32_t n_query;
    char text[API_TARGET_MAX]; /* what the slices refer to, unescaped */
};

/* ERR_SYNTAX: it is none; ERR_LIMIT: too long, or too many of something. */
int api_target_read(struct slice text, struct api_target *ret) MUST_USE;
/* False: there is no such parameter. */
bool api_target_find(const struct api_target *t, const char *name, struct slice *ret);

#endif
