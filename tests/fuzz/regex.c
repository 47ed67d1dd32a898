/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Regular expressions: flags, then the expression up to a NUL byte, then a text. The engine runs an
 * expression only where one of its required literals is, so every text that matches must hold one.
 * Few texts match an expression by chance; some that resemble it are tried as well.
 */
#include "detect/sigma/regex.h"
#include "base/utf8.h"
#include "target.h"

enum { TEXT_MAX_LEN = 512, SOURCE_MAX_LEN = 1024 };

struct expression {
    const struct regex *re;
    struct slice literal[REGEX_LITERALS_MAX];
    uint32_t n;
};

static void check_text(const struct expression *x, struct slice text)
{
    text = slice_until(text, TEXT_MAX_LEN);
    int r = regex_match(x->re, text);
    HOLDS(r == 0 || r == 1 || r == ERR_LIMIT);
    if (r != 1 || x->n == 0) return;
    char *folded = malloc(utf8_fold_bound(text.len));
    HOLDS(folded != NULL);
    struct slice f = slice_make(folded, utf8_fold(folded, text));
    bool found = false;
    for (uint32_t i = 0; i < x->n && !found; i++) found = slice_find(f, x->literal[i]) != SIZE_MAX;
    HOLDS(found);
    free(folded);
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char other_case(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? (char)(c ^ 0x20) : c;
}

/* The expression itself, without backslashes, and without punctuation; each also in other case. */
static void check_likenesses(const struct expression *x, struct slice source)
{
    char text[2][SOURCE_MAX_LEN];
    for (int kind = 0; kind < 3; kind++) {
        size_t n = 0;
        for (size_t i = 0; i < source.len; i++) {
            char c = source.ptr[i];
            if (kind == 1 && c == '\\') continue;
            if (kind == 2 && !is_alnum(c) && c != ' ' && !(c & 0x80)) continue;
            text[0][n] = c;
            text[1][n++] = other_case(c);
        }
        check_text(x, slice_make(text[0], n));
        check_text(x, slice_make(text[1], n));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct slice in = slice_make(data + 1, size - 1), source, text;
    unsigned flags = data[0] & (REGEX_I | REGEX_M | REGEX_S);
    (void)slice_split(in, '\0', &source, &text);
    if (source.len > SOURCE_MAX_LEN) return 0;
    struct regex *re;
    struct diag diag = {0};
    if (regex_compile(source, flags, &diag, &re) < 0) {
        HOLDS(diag.message[0] != '\0' && diag.column <= source.len + 1);
        return 0;
    }
    struct arena arena;
    struct expression x = {.re = re};
    arena_init(&arena, 1 << 20);
    x.n = regex_required_literals(source, flags, &arena, x.literal);
    HOLDS(x.n <= REGEX_LITERALS_MAX);
    for (uint32_t i = 0; i < x.n; i++) HOLDS(x.literal[i].len > 0);
    check_text(&x, text);
    check_likenesses(&x, source);
    arena_done(&arena);
    regex_free(re);
    return 0;
}
