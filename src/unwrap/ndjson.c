/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Vaka's own way in: one JSON object a line, or one array of objects. The answer:
 *
 *     {"taken":2,"refused":1,"errors":[{"line":2,"reason":"not a JSON object"}]}
 *
 * with status 200, or 400 when nothing was taken of a body that has something. In an array `item`
 * counts from 1 where a body of lines says `line`. Places are told up to a bound, the counts are
 * whole.
 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "unwrap/internal.h"

struct errors {
    struct job *j;
    const char *place; /* "line", "item" */
    uint32_t told;
};

void ndjson_answer_error(struct unwrap_answer *a, unsigned status, const char *text)
{
    a->status = status;
    a->content_type = "application/json";
    buf_clear(&a->body);
    buf_puts(&a->body, "{\"taken\":0,\"error\":");
    json_write_string(&a->body, slice_of(text));
    buf_putc(&a->body, '}');
}

static void tell(struct errors *e, uint64_t place, enum unwrap_reason reason)
{
    struct buf *out = &e->j->a->body;
    if (e->told == e->j->u->options.errors_max) return;
    buf_printf(out, "%s{\"%s\":%llu,\"reason\":", e->told++ ? "," : "", e->place,
               (unsigned long long)place);
    json_write_string(out, slice_of(unwrap_reason_text(reason)));
    buf_putc(out, '}');
}

/*
 * Text that begins and ends like an object is one: what is wrong inside, the tolerant reader makes
 * the best of.
 */
static bool has_braces(struct slice s)
{
    return s.len >= 2 && s.ptr[0] == '{' && s.ptr[s.len - 1] == '}';
}

static int take(struct errors *e, struct slice raw, uint64_t place)
{
    enum unwrap_reason reason = UNWRAP_NOT_OBJECT;
    int rc = JOB_REFUSED;
    if (has_braces(raw)) rc = job_add(e->j, RECORD_JSON, raw, SLICE_NONE, &reason);
    else job_refuse(e->j, reason);
    if (rc != JOB_REFUSED) return rc;
    tell(e, place, reason);
    return 0;
}

static int take_lines(struct errors *e)
{
    struct slice rest = e->j->body, line;
    int rc = 0;
    /* One object over several lines, as people write it. */
    if (line_next(&rest, &line) && !has_braces(slice_trim(line)) && json_is_object(e->j->body))
        return take(e, slice_trim(e->j->body), 1);
    rest = e->j->body;
    for (uint64_t number = 1; rc == 0 && line_next(&rest, &line); number++) {
        line = slice_trim(line);
        if (line.len) rc = take(e, line, number);
    }
    return rc;
}

static int take_items(struct errors *e, size_t at)
{
    struct slice s = e->j->body, value;
    int rc = 0;
    at = json_skip_blank(s, at + 1);
    for (uint64_t number = 1; rc == 0; number++) {
        if (at < s.len && s.ptr[at] == ']') return 0;
        if (json_read_value(s, at, &value) != 0) {
            job_refuse(e->j, UNWRAP_BAD_LINE);
            tell(e, number, UNWRAP_BAD_LINE);
            return 0;
        }
        rc = take(e, value, number);
        at = json_skip_blank(s, at + value.len);
        if (at < s.len && s.ptr[at] == ',') at = json_skip_blank(s, at + 1);
    }
    return rc;
}

int ndjson_unwrap(struct job *j)
{
    struct slice s = j->body;
    size_t at = slice_starts_with(s, SLICE("\xEF\xBB\xBF")) ? 3 : 0;
    j->body = s = slice_from(s, at);
    at = json_skip_blank(s, 0);
    bool array = at < s.len && s.ptr[at] == '[';
    struct errors e = {.j = j, .place = array ? "item" : "line"};
    int rc = array ? take_items(&e, at) : take_lines(&e);
    if (rc != 0) return rc;
    uint64_t refused = job_refused(j);
    char head[96];
    int n = snprintf(head, sizeof head, "{\"taken\":%llu,\"refused\":%llu,\"errors\":[",
                     (unsigned long long)j->a->taken, (unsigned long long)refused);
    answer_prepend(j->a, slice_make(head, (size_t)n));
    buf_puts(&j->a->body, "]}");
    j->a->status = refused && j->a->taken == 0 ? 400 : 200;
    j->a->content_type = "application/json";
    return 0;
}
