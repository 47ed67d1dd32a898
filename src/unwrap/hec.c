/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Splunk's HTTP event collector ("Format events for HTTP Event Collector", "Troubleshoot HTTP Event
 * Collector" for the codes, "About HTTP Event Collector Indexer Acknowledgment").
 *
 * Event endpoint: objects one behind the other, or in an array, with `event` and beside it time,
 * host, source, sourcetype, index, fields. An object is a record as it stands. Where Splunk stops
 * at the first bad one, the good ones behind it are taken here too; the answer names the first.
 *
 * Raw endpoint: each line is a record (one that is refused makes the answer a refusal, as no line
 * has an answer of its own), its context is `?` and the query, which says host, source, sourcetype
 * and index. (The context of an object is empty.)
 *
 * An answer with a channel carries a number that the sender asks for later. It gets it when it is
 * sent, which is when all of its records are durable: "are these stored?" is "were they given?".
 * Numbers count anew with every struct unwrap; of what an earlier one gave nothing is known, which
 * is "no", as with Splunk: the sender sends again.
 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "unwrap/internal.h"

enum hec_code {
    HEC_SUCCESS = 0,
    HEC_NO_DATA = 5,
    HEC_BAD_FORMAT = 6,
    HEC_INTERNAL = 8,
    HEC_NO_CHANNEL = 10,
    HEC_BAD_CHANNEL = 11,
    HEC_NO_EVENT = 12,
    HEC_BLANK_EVENT = 13,
    HEC_BAD_FIELDS = 15,
};

static const char *code_text(enum hec_code code)
{
    switch (code) {
    case HEC_SUCCESS:
        return "Success";
    case HEC_NO_DATA:
        return "No data";
    case HEC_BAD_FORMAT:
        return "Invalid data format";
    case HEC_INTERNAL:
        return "Internal server error";
    case HEC_NO_CHANNEL:
        return "Data channel is missing";
    case HEC_BAD_CHANNEL:
        return "Invalid data channel";
    case HEC_NO_EVENT:
        return "Event field is required";
    case HEC_BLANK_EVENT:
        return "Event field cannot be blank";
    case HEC_BAD_FIELDS:
        return "Error in handling indexed fields";
    }
    return "";
}

/* Leaves the object open. */
static void begin_answer(struct unwrap_answer *a, enum hec_code code)
{
    a->status = code == HEC_SUCCESS ? 200 : 400;
    a->content_type = "application/json";
    buf_clear(&a->body);
    buf_printf(&a->body, "{\"text\":\"%s\",\"code\":%d", code_text(code), (int)code);
}

static void answer(struct unwrap_answer *a, enum hec_code code)
{
    begin_answer(a, code);
    buf_putc(&a->body, '}');
}

void hec_answer_error(struct unwrap_answer *a, unsigned status, const char *text)
{
    a->status = status;
    a->content_type = "application/json";
    buf_clear(&a->body);
    buf_puts(&a->body, "{\"text\":");
    json_write_string(&a->body, slice_of(text));
    buf_printf(&a->body, ",\"code\":%d}", (int)HEC_BAD_FORMAT);
}

/* ---- channels ----------------------------------------------------------------------------- */

static struct slice channel_of(const struct job *j)
{
    struct slice channel = SLICE_NONE;
    (void)query_find(j->c->query, SLICE("channel"), &channel);
    return channel;
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_guid(struct slice s)
{
    if (s.len != 36) return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) return false;
    }
    return true;
}

/* false: answered. */
static bool accept_channel(struct job *j, bool needed)
{
    struct slice channel = channel_of(j);
    if (channel.len == 0 && !needed) return true;
    if (is_guid(channel)) return true;
    answer(j->a, channel.len ? HEC_BAD_CHANNEL : HEC_NO_CHANNEL);
    return false;
}

static void answer_success(struct job *j)
{
    begin_answer(j->a, HEC_SUCCESS);
    j->a->numbered = channel_of(j).len > 0;
    if (!j->a->numbered) buf_putc(&j->a->body, '}');
}

/* {"acks":[1,2]} → {"acks":{"1":true,"2":false}}: 2 was not given yet. */
int hec_answer_acks(struct job *j)
{
    struct slice acks, name, number;
    if (!accept_channel(j, true)) return 0;
    struct slice body = slice_trim(j->body);
    if (!json_is_object(body) || !json_find_member(body, "acks", NULL, &acks) ||
        acks.ptr[0] != '[') {
        answer(j->a, body.len ? HEC_BAD_FORMAT : HEC_NO_DATA);
        return 0;
    }
    struct json_parts it;
    struct buf *out = &j->a->body;
    buf_puts(out, "{\"acks\":{");
    uint32_t n = 0;
    for (json_parts_init(&it, acks); json_parts_next(&it, &name, &number); n++) {
        uint64_t id;
        if (!slice_to_u64(number, &id) || n == j->u->options.records_max) {
            answer(j->a, HEC_BAD_FORMAT);
            return 0;
        }
        buf_printf(out, "%s\"%llu\":%s", n ? "," : "", (unsigned long long)id,
                   id < j->u->next_ack ? "true" : "false");
    }
    buf_puts(out, "}}");
    j->a->status = 200;
    j->a->content_type = "application/json";
    return 0;
}

/* ---- events ------------------------------------------------------------------------------- */

/* Indexed fields are plain values or lists of them. */
static bool are_plain(struct slice fields)
{
    struct json_parts it, list;
    struct slice name, value, one;
    if (fields.ptr[0] != '{') return false;
    for (json_parts_init(&it, fields); json_parts_next(&it, &name, &value);) {
        if (value.ptr[0] == '{') return false;
        if (value.ptr[0] != '[') continue;
        for (json_parts_init(&list, value); json_parts_next(&list, &name, &one);)
            if (one.ptr[0] == '{' || one.ptr[0] == '[') return false;
    }
    return true;
}

static enum hec_code judge(struct slice object, enum unwrap_reason *ret_reason)
{
    struct slice event, fields;
    *ret_reason = UNWRAP_NOT_OBJECT;
    if (object.ptr[0] != '{') return HEC_BAD_FORMAT;
    *ret_reason = UNWRAP_NO_EVENT;
    if (!json_find_member(object, "event", NULL, &event) || slice_eq(event, SLICE("null")))
        return HEC_NO_EVENT;
    *ret_reason = UNWRAP_BLANK_EVENT;
    if (slice_eq(event, SLICE("\"\""))) return HEC_BLANK_EVENT;
    *ret_reason = UNWRAP_BAD_FIELDS;
    if (json_find_member(object, "fields", NULL, &fields) && !are_plain(fields))
        return HEC_BAD_FIELDS;
    return HEC_SUCCESS;
}

struct first_bad {
    enum hec_code code;
    uint64_t number; /* of the event, from 0 */
};

static int take_object(struct job *j, struct slice object, struct first_bad *bad)
{
    enum unwrap_reason reason;
    uint64_t at = j->position;
    enum hec_code code = judge(object, &reason);
    int rc = JOB_REFUSED;
    if (code == HEC_SUCCESS) {
        rc = job_add(j, RECORD_HEC, object, SLICE_NONE, &reason);
        if (rc == JOB_REFUSED) code = HEC_BAD_FORMAT;
    } else {
        job_refuse(j, reason);
    }
    if (rc != JOB_REFUSED) return rc;
    if (bad->code == HEC_SUCCESS) *bad = (struct first_bad){code, at};
    return 0;
}

/* Between objects: blanks, and an array's punctuation. */
static size_t next_object(struct slice s, size_t at)
{
    do at = json_skip_blank(s, at);
    while (at < s.len && (s.ptr[at] == ',' || s.ptr[at] == '[' || s.ptr[at] == ']') && ++at);
    return at;
}

int hec_unwrap(struct job *j)
{
    struct slice s = j->body, object;
    struct first_bad bad = {.code = HEC_SUCCESS};
    if (!accept_channel(j, false)) return 0;
    int rc = 0;
    size_t at = next_object(s, 0);
    while (rc == 0 && at < s.len) {
        if (json_read_value(s, at, &object) != 0) {
            if (bad.code == HEC_SUCCESS) bad = (struct first_bad){HEC_BAD_FORMAT, j->position};
            job_refuse(j, UNWRAP_BAD_LINE);
            break;
        }
        rc = take_object(j, object, &bad);
        at = next_object(s, at + object.len);
    }
    if (rc != 0) return rc;
    if (j->position == 0) {
        answer(j->a, HEC_NO_DATA);
    } else if (bad.code != HEC_SUCCESS) {
        begin_answer(j->a, bad.code);
        buf_printf(&j->a->body, ",\"invalid-event-number\":%llu}", (unsigned long long)bad.number);
    } else {
        answer_success(j);
    }
    return 0;
}

int hec_unwrap_raw(struct job *j)
{
    struct slice rest = j->body, line;
    struct buf *context = &j->u->context;
    if (!accept_channel(j, false)) return 0;
    buf_clear(context);
    buf_putc(context, '?');
    buf_put(context, j->c->query);
    if (buf_error(context) == ERR_NOMEM) return ERR_NOMEM;
    if (buf_failed(context)) {
        hec_answer_error(j->a, 414, "the query is too long");
        return 0;
    }
    int rc = 0;
    while (rc == 0 && line_next(&rest, &line)) {
        enum unwrap_reason reason;
        if (slice_trim(line).len == 0) continue;
        rc = job_add(j, RECORD_HEC, line, buf_slice(context), &reason);
        if (rc == JOB_REFUSED) rc = 0;
    }
    if (rc != 0) return rc;
    if (j->position == 0) answer(j->a, HEC_NO_DATA);
    else if (job_refused(j)) answer(j->a, HEC_BAD_FORMAT);
    else answer_success(j);
    return 0;
}
