/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

/* What a search changes; the rest of a compiled expression is constant. */
struct work {
    pcre2_match_data *data;
    size_t held; /* bytes PCRE2 holds for this expression */
};

struct regex {
    pcre2_general_context *general;
    pcre2_match_context *limits;
    pcre2_code *code;
    struct work *work;
};

/* PCRE2's frees do not say how much; the size stands in front of what it gets. */
struct chunk {
    _Alignas(16) size_t size;
};

static void *count_malloc(size_t size, void *ctx)
{
    struct work *work = ctx;
    size_t total;
    if (__builtin_add_overflow(size, sizeof(struct chunk), &total)) return NULL;
    struct chunk *c = malloc(total);
    if (!c) return NULL;
    c->size = size;
    work->held += size;
    return c + 1;
}

static void count_free(void *p, void *ctx)
{
    struct work *work = ctx;
    if (!p) return;
    struct chunk *c = (struct chunk *)p - 1;
    work->held -= c->size;
    free(c);
}

static uint32_t options_of(unsigned flags)
{
    uint32_t options =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;
    if (flags & REGEX_I) options |= PCRE2_CASELESS;
    if (flags & REGEX_M) options |= PCRE2_MULTILINE;
    if (flags & REGEX_S) options |= PCRE2_DOTALL;
    return options;
}

static int compile(struct regex *re, struct slice source, unsigned flags, struct diag *diag)
{
    int code;
    size_t offset;
    pcre2_compile_context *cc = pcre2_compile_context_create(re->general);
    if (!cc) return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "out of memory");
    (void)pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
    (void)pcre2_set_bsr(cc, PCRE2_BSR_UNICODE);
    (void)pcre2_set_max_pattern_length(cc, REGEX_SOURCE_MAX);
    re->code = pcre2_compile((PCRE2_SPTR)(source.ptr ? source.ptr : ""), source.len,
                             options_of(flags), &code, &offset, cc);
    pcre2_compile_context_free(cc);
    if (re->code) return 0;
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "out of memory");
    PCRE2_UCHAR text[160];
    if (pcre2_get_error_message(code, text, sizeof text) < 0) text[0] = '\0';
    uint32_t column = offset < REGEX_SOURCE_MAX ? (uint32_t)offset + 1 : 0;
    return diag_set(diag, ERR_SYNTAX, NULL, 0, column, "%s", (const char *)text);
}

int regex_compile(struct slice source, unsigned flags, struct diag *diag, struct regex **ret)
{
    if (source.len > REGEX_SOURCE_MAX)
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "longer than %d bytes", REGEX_SOURCE_MAX);
    struct regex *re = calloc(1, sizeof *re);
    if (!re) return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "out of memory");
    int r = ERR_NOMEM;
    re->work = calloc(1, sizeof *re->work);
    if (re->work) re->general = pcre2_general_context_create(count_malloc, count_free, re->work);
    if (re->general) re->limits = pcre2_match_context_create(re->general);
    if (re->limits) {
        (void)pcre2_set_match_limit(re->limits, REGEX_MATCH_LIMIT);
        (void)pcre2_set_depth_limit(re->limits, REGEX_DEPTH_LIMIT);
        (void)pcre2_set_heap_limit(re->limits, REGEX_HEAP_LIMIT_KIB);
        r = compile(re, source, flags, diag);
    }
    /* One pair of offsets: only whether there is a match is asked. */
    if (r == 0) {
        re->work->data = pcre2_match_data_create(1, re->general);
        if (!re->work->data) r = ERR_NOMEM;
    }
    if (r < 0) {
        regex_free(re);
        return r;
    }
    *ret = re;
    return 0;
}

void regex_free(struct regex *re)
{
    if (!re) return;
    if (re->work) pcre2_match_data_free(re->work->data);
    pcre2_code_free(re->code);
    pcre2_match_context_free(re->limits);
    pcre2_general_context_free(re->general);
    free(re->work);
    free(re);
}

/* A search over a long value may have grown the working memory; it is not kept at that size. */
static void shrink(const struct regex *re)
{
    pcre2_match_data *fresh = pcre2_match_data_create(1, re->general);
    if (!fresh) return;
    pcre2_match_data_free(re->work->data);
    re->work->data = fresh;
}

int regex_match(const struct regex *re, struct slice text)
{
    int r = pcre2_match(re->code, (PCRE2_SPTR)(text.ptr ? text.ptr : ""), text.len, 0, 0,
                        re->work->data, re->limits);
    if (re->work->held > REGEX_HEAP_KEEP) shrink(re);
    if (r >= 0) return 1;
    return r == PCRE2_ERROR_NOMATCH ? 0 : ERR_LIMIT;
}
