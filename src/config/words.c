/* SPDX-License-Identifier: EUPL-1.2 */
#include "config/words.h"

#include <stdio.h>

#include "base/hint.h"
#include "config/credential.h"
#include "config/value.h"

int words_read_kind(struct slice word, const char *const *names, unsigned n, const char *what,
                    unsigned *ret, struct diag *diag)
{
    struct hint hint;
    char like[HINT_SIZE], shown[HINT_SHOW_SIZE];
    unsigned i = (unsigned)hint_find(&hint, word, names, n);
    if (word.len == 0)
        return diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "it has to begin with a %s", what);
    if (i == n)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "there is no %s %s%s", what,
                        hint_show(shown, word), hint_text(&hint, like));
    *ret = i;
    return 0;
}

int words_read(struct slice text, const char *const *names, unsigned n,
               int (*read)(void *ctx, unsigned word, struct slice value, struct diag *diag),
               void *ctx, uint32_t *ret_said, struct diag *diag)
{
    struct slice word, name, value;
    uint32_t said = 0;
    ASSERT(n <= 32);
    while ((word = slice_next_word(&text)).len > 0) {
        struct hint hint;
        char like[HINT_SIZE], shown[HINT_SHOW_SIZE];
        if (!slice_split(word, '=', &name, &value))
            return diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "words NAME=VALUE are expected");
        unsigned i = (unsigned)hint_find(&hint, name, names, n);
        if (i == n)
            return diag_set(diag, ERR_INVALID, NULL, 0, 0, "there is no %s=%s",
                            hint_show(shown, name), hint_text(&hint, like));
        if (said & 1U << i)
            return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s= stands there twice", names[i]);
        said |= 1U << i;
        int error = read(ctx, i, value, diag);
        if (error) return error;
    }
    *ret_said = said;
    return 0;
}

int words_read_duration(struct slice value, const char *name, nsec least, nsec most, nsec *ret,
                        struct diag *diag)
{
    uint64_t number;
    if (value_parse(value, value_durations, &number) && (nsec)number >= least &&
        (nsec)number <= most) {
        *ret = (nsec)number;
        return 0;
    }
    char text[2][32];
    for (int i = 0; i < 2; i++) {
        struct buf out;
        buf_init(&out, sizeof text[i]);
        value_write(&out, (uint64_t)(i ? most : least), value_durations);
        (void)snprintf(text[i], sizeof text[i], "%.*s", SLICE_FMT(buf_slice(&out)));
        buf_done(&out);
    }
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s= is a time from %s to %s", name, text[0],
                    text[1]);
}

int words_read_path(struct slice value, const char *name, char *ret, size_t size, struct diag *diag)
{
    bool good = credential_is(value)
                    ? credential_path(value, ret, size) == 0
                    : value.len && value.ptr[0] == '/' && slice_copy(value, ret, size);
    return good ? 0
                : diag_set(diag, ERR_INVALID, NULL, 0, 0,
                           "%s= is the absolute path of a file, or credential:NAME", name);
}
