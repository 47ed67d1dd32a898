/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One entry of systemd's journal export format (systemd.io/JOURNAL_EXPORT_FORMATS): fields keep
 * their names (systemd.journal-fields(7)), which the taxonomy knows. Besides, as syslog's decoder
 * has them, `program` where only _COMM tells it, `pid`, `severity` and `facility`.
 */
#include "base/le.h"
#include "normalise/record_forms.h"

/* Takes a field off *s; false at the end, and at what is none. */
static bool take_field(struct slice *s, struct slice *ret_name, struct slice *ret_value)
{
    struct slice line, rest;
    (void)slice_split(*s, '\n', &line, &rest);
    if (slice_split(line, '=', ret_name, ret_value)) {
        *s = rest;
        return ret_name->len > 0;
    }
    if (line.len == 0 || rest.len < 8) return false;
    uint64_t len = le64(rest.ptr);
    if (len > rest.len - 8) return false;
    *ret_name = line;
    *ret_value = slice_make(rest.ptr + 8, (size_t)len);
    *s = slice_from(rest, 8 + (size_t)len);
    if (s->len && s->ptr[0] == '\n') *s = slice_from(*s, 1);
    return true;
}

static void add_if(struct event *ev, struct slice name, struct slice value)
{
    if (value.len) event_add_named(ev, name, VALUE_STRING, value);
}

const char *journal_read(const struct record *r, struct event *ev)
{
    struct slice rest = r->raw, name, value;
    struct slice comm = SLICE_NONE, pid = SLICE_NONE;
    bool identified = false;
    while (rest.len && take_field(&rest, &name, &value)) {
        if (ev->flags & EVENT_CUT) break;
        event_add_named(ev, name, VALUE_STRING, value);
        if (slice_eq(name, SLICE("SYSLOG_IDENTIFIER"))) identified = true;
        else if (slice_eq(name, SLICE("_COMM"))) comm = value;
        else if (slice_eq(name, SLICE("_PID"))) pid = value;
        else if (slice_eq(name, SLICE("PRIORITY"))) add_if(ev, SLICE("severity"), value);
        else if (slice_eq(name, SLICE("SYSLOG_FACILITY"))) add_if(ev, SLICE("facility"), value);
    }
    if (ev->n_fields == 0) return "no field of a journal entry is in it";
    if (rest.len) ev->flags |= EVENT_DAMAGED;
    if (!identified) add_if(ev, SLICE("program"), comm);
    add_if(ev, SLICE("pid"), pid);
    return NULL;
}
