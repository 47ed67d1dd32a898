/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The events a rule brings along to be tested with, under Vaka's custom key:
 *
 *     vaka:
 *         tests:
 *             - name: a login that must fire
 *               fires: true
 *               event: {EventID: 4625}        # or a list of maps, for correlations
 *             - name: the same as it comes from the wire
 *               fires: true
 *               raw: '<38>Jun 14 15:16:01 web1 sshd[7]: Accepted …'   # or a list of lines
 *
 * Raw records are kept as lines. Events are kept as JSON: numbers stay the digits they were written
 * with, except that what JSON cannot write (0x10, 0o7, +1, 007, .5) is written as JSON writes that
 * number.
 */
#include "base/hint.h"
#include "base/json_write.h"
#include "detect/sigma/read.h"

enum { TESTS_MAX = 1024, EVENT_MAX = 1024 * 1024 };

static bool hex_or_octal(struct slice s, uint64_t *ret)
{
    unsigned shift = s.ptr[1] == 'x' ? 4 : 3;
    uint64_t v = 0;
    for (size_t i = 2; i < s.len; i++) {
        char c = s.ptr[i];
        unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
        if (v >> (64 - shift)) return false;
        v = v << shift | digit;
    }
    *ret = v;
    return true;
}

static size_t digit_run(struct slice s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9') n++;
    return n;
}

static int write_number(struct sigma_reading *rd, const struct yaml_node *node, struct buf *out)
{
    struct slice s = node->text;
    uint64_t v;
    if (s.len > 2 && s.ptr[0] == '0' && (s.ptr[1] == 'x' || s.ptr[1] == 'o')) {
        if (!hex_or_octal(s, &v))
            return READ_REFUSE(rd, ERR_INVALID, node->pos, "the number does not fit in 64 bits");
        json_write_u64(out, v);
        return 0;
    }
    if (s.ptr[0] == '-') buf_putc(out, '-');
    if (s.ptr[0] == '-' || s.ptr[0] == '+') s = slice_from(s, 1);
    if (s.len > 1 && s.ptr[0] == '.' && (s.ptr[1] < '0' || s.ptr[1] > '9'))
        return READ_REFUSE(rd, ERR_INVALID, node->pos, "JSON has no infinity and no NaN");
    struct slice whole = slice_until(s, digit_run(s));
    s = slice_from(s, whole.len);
    while (whole.len > 1 && whole.ptr[0] == '0') whole = slice_from(whole, 1);
    buf_put(out, whole.len > 0 ? whole : SLICE("0"));
    if (s.len > 0 && s.ptr[0] == '.') {
        s = slice_from(s, 1);
        struct slice part = slice_until(s, digit_run(s));
        s = slice_from(s, part.len);
        if (part.len > 0) {
            buf_putc(out, '.');
            buf_put(out, part);
        }
    }
    buf_put(out, s); /* the exponent is written alike */
    return 0;
}

/* Recursion is as deep as the YAML: YAML_DEPTH_MAX at most. */
static int write_json(struct sigma_reading *rd, const struct yaml_node *node, struct buf *out)
{
    int error = 0;
    if (node->kind == YAML_MAP) {
        buf_putc(out, '{');
        for (const struct yaml_node *key = node->first; key && !error; key = key->next) {
            if (key != node->first) buf_putc(out, ',');
            json_write_string(out, key->text);
            buf_putc(out, ':');
            error = write_json(rd, key->value, out);
        }
        buf_putc(out, '}');
        return error;
    }
    if (node->kind == YAML_SEQ) {
        buf_putc(out, '[');
        for (const struct yaml_node *e = node->first; e && !error; e = e->next) {
            if (e != node->first) buf_putc(out, ',');
            error = write_json(rd, e, out);
        }
        buf_putc(out, ']');
        return error;
    }
    switch (node->type) {
    case YAML_STRING:
        json_write_string(out, node->text);
        return 0;
    case YAML_NUMBER:
        return write_number(rd, node, out);
    case YAML_BOOL:
        buf_puts(out, node->text.ptr[0] == 't' || node->text.ptr[0] == 'T' ? "true" : "false");
        return 0;
    case YAML_NULL:
        buf_puts(out, "null");
        return 0;
    }
    return 0;
}

static int write_lines(struct sigma_reading *rd, const struct yaml_node *raw, struct buf *out)
{
    bool list = raw->kind == YAML_SEQ;
    for (const struct yaml_node *e = list ? raw->first : raw; e; e = list ? e->next : NULL) {
        if (e->kind != YAML_SCALAR || e->type != YAML_STRING || e->text.len == 0)
            return READ_REFUSE(rd, ERR_INVALID, e->pos,
                               "`raw` is a record's text, or a list of such");
        buf_put(out, e->text);
        buf_putc(out, '\n');
    }
    return 0;
}

static bool is_event(const struct yaml_node *event)
{
    bool good = event->kind == YAML_MAP || (event->kind == YAML_SEQ && event->n > 0);
    for (const struct yaml_node *e = good && event->kind == YAML_SEQ ? event->first : NULL; e;
         e = e->next)
        good = good && e->kind == YAML_MAP;
    return good;
}

static int read_event(struct sigma_reading *rd, const struct yaml_node *test, struct buf *out,
                      struct slice *ret)
{
    const struct yaml_node *event = yaml_get(test, "event"), *raw = yaml_get(test, "raw");
    const struct yaml_node *node = event ? event : raw;
    if (!node || (event && (raw || !is_event(event))) ||
        (raw && raw->kind == YAML_SEQ && raw->n == 0))
        return READ_REFUSE(rd, ERR_INVALID, node ? node->pos : test->pos,
                           "a test needs an `event`, a map or a list of maps, or a `raw` record");
    buf_clear(out);
    int error = event ? write_json(rd, event, out) : write_lines(rd, raw, out);
    if (error) return error;
    if (buf_error(out) == ERR_NOMEM) return ERR_NOMEM;
    if (buf_failed(out))
        return READ_REFUSE(rd, ERR_LIMIT, node->pos, "the event is larger than %d KiB",
                           EVENT_MAX / 1024);
    *ret = arena_dup(rd->arena, buf_slice(out));
    return ret->ptr ? 0 : ERR_NOMEM;
}

static int read_test(struct sigma_reading *rd, const struct yaml_node *node, struct buf *out,
                     struct sigma_test *ret)
{
    static const char *const known[] = {"name", "fires", "event", "raw", NULL};
    if (node->kind != YAML_MAP)
        return READ_REFUSE(rd, ERR_INVALID, node->pos, "a test must be a map");
    int error = sigma_read_keys(rd, node, "a test", known);
    if (error) return error;
    const struct yaml_node *fires = yaml_get(node, "fires");
    if (!fires)
        return READ_REFUSE(rd, ERR_INVALID, node->pos,
                           "a test must say `fires: true` or `fires: false`");
    ret->pos = node->pos;
    error = sigma_read_bool(rd, fires, "`fires`", &ret->fires);
    if (!error) error = sigma_read_text(rd, yaml_get(node, "name"), "a test's `name`", &ret->name);
    if (!error) error = read_event(rd, node, out, &ret->event);
    return error;
}

int sigma_read_tests(struct sigma_reading *rd, const struct yaml_node *root, struct sigma_doc *doc)
{
    const struct yaml_node *tests = sigma_vaka_get(root, "tests");
    if (!tests) return 0;
    if (tests->kind != YAML_SEQ)
        return READ_REFUSE(rd, ERR_INVALID, tests->pos, "`tests` must be a list");
    if (tests->n > TESTS_MAX)
        return READ_REFUSE(rd, ERR_LIMIT, tests->pos, "more than %d tests", TESTS_MAX);
    doc->tests = arena_zalloc(rd->arena, tests->n, sizeof *doc->tests);
    if (!doc->tests) return ERR_NOMEM;
    struct buf out;
    buf_init(&out, EVENT_MAX);
    int error = 0;
    for (const struct yaml_node *test = tests->first; test && !error; test = test->next) {
        error = read_test(rd, test, &out, &doc->tests[doc->n_tests]);
        if (!error) doc->n_tests++;
    }
    buf_done(&out);
    return error;
}
