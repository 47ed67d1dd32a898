/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/inner.h"

#include <stdlib.h>

#include "normalise/decoder.h"
#include "normalise/record_forms.h"

enum { JSON_SURELY = 90 }; /* {" or the like */

struct inner_reader {
    struct decoder *decoders[INNER_KINDS];
    key_id message, program;
    uint32_t generation; /* of the key table that these two are of */
    bool keyed;
    /* Of the call. */
    struct event *outer;
    bool read; /* it said something */
};

enum inner_kind inner_look(struct slice text)
{
    if (decoder_json.sniff(text, true) >= JSON_SURELY) return INNER_JSON;
    return auditd_begins(text) ? INNER_AUDITD : INNER_SYSLOG;
}

static void intern(struct inner_reader *r, struct keys *k)
{
    if (r->keyed && r->generation == keys_generation(k)) return;
    r->message = keys_intern_path(k, SLICE("message"));
    r->program = keys_intern_path(k, SLICE("program"));
    r->generation = keys_generation(k);
    r->keyed = true;
}

key_id inner_message_key(struct inner_reader *r, struct keys *keys)
{
    intern(r, keys);
    return r->message;
}

/* The last one: syslog's message stands behind its header. */
static struct event_field *find(struct event *ev, key_id key)
{
    for (uint32_t i = ev->n_fields; i > 0; i--)
        if (ev->fields[i - 1].key == key) return &ev->fields[i - 1];
    return NULL;
}

static bool is_syslog(const struct event *ev)
{
    return slice_eq(slice_of(ev->format), SLICE("syslog"));
}

/*
 * An event inside of another one becomes part of it. A plain line says nothing, and one that only
 * begins with a time like syslog's would tell a wrong host: a program must be named.
 */
static int on_event(void *ctx, struct event *ev)
{
    struct inner_reader *r = ctx;
    intern(r, ev->keys);
    if (is_syslog(ev) && !find(ev, r->program)) return 0;
    r->read = true;
    r->outer->flags |= ev->flags & (EVENT_CUT | EVENT_DAMAGED);
    for (uint32_t i = 0; i < ev->n_fields; i++)
        event_add(r->outer, ev->fields[i].key, ev->fields[i].type, ev->fields[i].value);
    return 0;
}

/* Text that is no record is text. */
static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)ctx;
    (void)offset;
    (void)record;
    (void)reason;
}

int inner_read_text(struct inner_reader *r, struct event *outer, struct slice text, bool *ret_read)
{
    enum inner_kind kind = inner_look(text);
    struct decoder *inner = r->decoders[kind];
    *ret_read = kind == INNER_SYSLOG && kv_read(text, outer);
    if (*ret_read) return 0;
    /* The header of a syslog line stands in no other one. */
    if (kind == INNER_SYSLOG && is_syslog(outer)) return 0;
    r->outer = outer;
    r->read = false;
    int error = inner->ops->record(inner, text);
    *ret_read = r->read;
    return error;
}

/* rsyslog and others mark JSON in a message so (CEE). */
static struct slice without_cookie(struct slice text)
{
    text = slice_trim(text);
    return slice_starts_with(text, SLICE("@cee:")) ? slice_trim(slice_from(text, 5)) : text;
}

static bool begins_record(char c)
{
    return c == ' ' || c == '\t' || c == '{' || c == '[' || c == '@';
}

int inner_read_message(struct inner_reader *r, struct event *ev, bool shipped)
{
    intern(r, ev->keys);
    struct event_field *message = find(ev, r->message);
    bool read;
    if (!message || message->value.len == 0) return 0;
    /* Most messages of syslog are words, and their beginning shows it. */
    if (!shipped && !begins_record(message->value.ptr[0]) && !kv_begins(message->value)) return 0;
    return inner_read_text(r, ev, without_cookie(event_text(ev, message)), &read);
}

void inner_reader_free(struct inner_reader *r)
{
    if (!r) return;
    for (int i = 0; i < INNER_KINDS; i++)
        if (r->decoders[i]) r->decoders[i]->ops->close(r->decoders[i]);
    free(r);
}

struct inner_reader *inner_reader_new(struct keys *keys)
{
    static const struct decoder_ops *const ops[INNER_KINDS] = {[INNER_JSON] = &decoder_json,
                                                               [INNER_SYSLOG] = &decoder_syslog,
                                                               [INNER_AUDITD] = &decoder_auditd};
    struct inner_reader *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    const struct decoder_out out = {.ctx = r, .emit = on_event, .bad = on_bad};
    bool whole = true;
    for (int i = 0; i < INNER_KINDS; i++) {
        r->decoders[i] = ops[i]->open(&out, keys);
        whole = whole && r->decoders[i];
    }
    if (whole) return r;
    inner_reader_free(r);
    return NULL;
}
