/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * That the forms are read in linear time, by counting instead of timing: they are compiled so that
 * every basic block calls back, and a search of the C library counts as many steps as the bytes
 * that it looked at.
 */
#include "product/form.h"

#include <stdlib.h>

#include "test.h"

enum {
    LINE = 1 << 20,
    PIECE = 16 << 10,
    SHORT = 2 << 10,
    STEPS_A_BYTE = 100, /* quadratic: hundreds, even in a short line */
    ARENA_MAX = 64 << 20,
};

static uint64_t steps, steps_max;
static const char *begin, *first, *second; /* of the text that is read */

static void count(uint64_t n)
{
    steps += n;
    if (steps <= steps_max) return;
    steps_max = UINT64_MAX;
    test_fail(__FILE__, __LINE__, "too many steps for \"%s\", many \"%s\", many \"%s\"", begin,
              first, second);
    test_stop();
}

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    count(1);
}

void *__real_memchr(const void *s, int c, size_t n);
void *__wrap_memchr(const void *s, int c, size_t n);
void *__real_memrchr(const void *s, int c, size_t n);
void *__wrap_memrchr(const void *s, int c, size_t n);
void *__real_memmem(const void *s, size_t n, const void *needle, size_t len);
void *__wrap_memmem(const void *s, size_t n, const void *needle, size_t len);
int __real_memcmp(const void *a, const void *b, size_t n);
int __wrap_memcmp(const void *a, const void *b, size_t n);

void *__wrap_memchr(const void *s, int c, size_t n)
{
    const char *at = __real_memchr(s, c, n);
    count(at ? (size_t)(at - (const char *)s) : n);
    return (void *)(uintptr_t)at;
}

void *__wrap_memrchr(const void *s, int c, size_t n)
{
    const char *at = __real_memrchr(s, c, n);
    count(at ? n - (size_t)(at - (const char *)s) : n);
    return (void *)(uintptr_t)at;
}

void *__wrap_memmem(const void *s, size_t n, const void *needle, size_t len)
{
    const char *at = __real_memmem(s, n, needle, len);
    count(at ? (size_t)(at - (const char *)s) : n);
    return (void *)(uintptr_t)at;
}

int __wrap_memcmp(const void *a, const void *b, size_t n)
{
    count(n);
    return __real_memcmp(a, b, n);
}

static const struct slice columns[] = {{"a", 1}, {"b", 1}, {"c", 1}};
static const struct form forms[] = {
    {.kind = FORM_KV},
    {.kind = FORM_KV, .separator = ';', .assign = ':'},
    {.kind = FORM_KV, .separator = ' '},
    {.kind = FORM_CSV, .columns = columns, .n_columns = 3},
    {.kind = FORM_CEF},
    {.kind = FORM_LEEF},
    {.kind = FORM_JSON},
    {.kind = FORM_XML},
    {.kind = FORM_URL},
};
static const char *const begins[] = {
    "",
    "a=\"",
    "a='",
    "a:",
    "1,2,\"",
    "CEF:0|a|b|c|d|e|5|",
    "LEEF:2.0|a|b|1|d|;|",
    "{\"a\":",
    "{\"a\":[1",
    "<a>",
    "<a b='",
    "<a><![CDATA[",
    "http://",
    "/",
};
static const char *const units[] = {
    "=",     ":",      "\"",        "'",      "<",      ",",         "&",         "\\",   "|",
    ";",     " ",      "{",         "[",      "/",      "@",         ".",         "a",    "]",
    "-",     "  =",    "a=",        "a=\"",   " a='",   "a:\"x\";",  " a= b",     "a b;", "=;",
    "\\;",   "\"\"",   "\",",       "\"x\",", "{\"",    "{ \"",      ",1",        "\\\"", "&#x",
    "&amp;", "<a",     "<a>",       "</a>",   "<b/>",   "<!--",      "<![CDATA[", "]]>",  "<?",
    "< ",    "<a b='", "<a b='c' ", "CEF:",   "CEF:0|", "LEEF:1.0|", " xLabel=y", "://",
};
enum {
    FORMS = sizeof forms / sizeof *forms,
    BEGINS = sizeof begins / sizeof *begins,
    UNITS = sizeof units / sizeof *units,
};

/* What is read: `begin`, then `first` again and again up to the middle, then `second`. */
static void check_linear(const struct form *form, char *text, size_t len, struct event *ev)
{
    size_t at = strlen(begin);
    memcpy(text, begin, at);
    for (size_t i = 0; at < len / 2; i++) text[at++] = first[i % strlen(first)];
    for (size_t i = 0; at < len; i++) text[at++] = second[i % strlen(second)];
    event_reset(ev);
    steps = 0;
    steps_max = (uint64_t)len * STEPS_A_BYTE;
    CHECK(form_read(form, slice_make(text, len), ev) || ev->n_fields == 0);
    CHECK(steps > 0);
    steps_max = UINT64_MAX;
}

/* Each form with each of the units; `halves`: and each other unit behind it. */
static void check_all(size_t len, size_t n_begins, bool halves)
{
    struct arena arena;
    struct event ev;
    struct keys *keys = keys_new();
    char *text = malloc(len);
    size_t n_seconds = halves ? UNITS : 1;
    REQUIRE(keys != NULL && text != NULL);
    arena_init(&arena, ARENA_MAX);
    event_init(&ev, keys, &arena);
    for (size_t i = 0; i < FORMS * n_begins * UNITS * n_seconds; i++) {
        size_t n = i / n_seconds;
        first = units[n % UNITS];
        second = halves ? units[i % UNITS] : first;
        begin = begins[n / UNITS % n_begins];
        check_linear(&forms[n / UNITS / n_begins], text, len, &ev);
    }
    event_done(&ev);
    arena_done(&arena);
    keys_free(keys);
    free(text);
}

TEST(a_long_line_of_one_thing)
{
    check_all(LINE, 1, false);
}

TEST(a_line_that_begins_as_something)
{
    check_all(PIECE, BEGINS, false);
}

TEST(a_line_of_two_things)
{
    check_all(SHORT, 1, true);
}
