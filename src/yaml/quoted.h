/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The text of a quoted YAML scalar (YAML 1.2.2, 7.3.1 and 7.3.2): escapes and folded lines. Here
 * and not in libfyaml, whose own way loses memory for texts with many escapes.
 */
#ifndef VAKA_YAML_QUOTED_H
#define VAKA_YAML_QUOTED_H

#include "base/slice.h"

/* Bytes that the text of a scalar of n bytes needs at most: \L is three bytes of UTF-8. */
static inline size_t yaml_unquote_bound(size_t n)
{
    return n + n / 2 + 4;
}

/*
 * `inner` is what stands between the quotes, already found to be well-formed; `quote` is ' or ".
 * dst has yaml_unquote_bound(inner.len) bytes. Returns the length of the text.
 */
size_t yaml_unquote(char *dst, struct slice inner, char quote);

#endif
