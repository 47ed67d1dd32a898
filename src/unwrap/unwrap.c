/* SPDX-License-Identifier: EUPL-1.2 */
#include "unwrap/unwrap.h"

#include <stdlib.h>

#include "unwrap/encoding.h"
#include "unwrap/flow.h"
#include "unwrap/internal.h"

const char *unwrap_reason_text(enum unwrap_reason reason)
{
    static const char *const texts[] = {
#define X(name, text) text,
        UNWRAP_REASONS(X)
#undef X
    };
    return reason < UNWRAP_REASON_COUNT ? texts[reason] : "unknown";
}

void unwrap_answer_init(struct unwrap_answer *a)
{
    *a = (struct unwrap_answer){0};
    buf_init(&a->body, UNWRAP_ANSWER_MAX);
}

void unwrap_answer_done(struct unwrap_answer *a)
{
    buf_done(&a->body);
}

struct unwrap_options unwrap_options_default(void)
{
    return (struct unwrap_options){
        .body_max = 32 * 1024 * 1024,
        .ratio_max = 200,
        .records_max = 100 * 1000,
        .errors_max = 100,
        .templates_max = 4096,
        .domains_max = 4096,
        .template_bytes_max = 8 * 1024 * 1024,
        .waiting_bytes_max = 8 * 1024 * 1024,
        .template_life = 4 * 3600 * NSEC_PER_SEC,
        .waiting_life = 120 * NSEC_PER_SEC,
    };
}

struct unwrap *unwrap_new(const struct unwrap_options *options)
{
    ASSERT(options->ratio_max > 0);
    struct unwrap *u = calloc(1, sizeof *u);
    if (!u) return NULL;
    u->options = *options;
    buf_init(&u->plain, options->body_max + 1); /* one byte tells that there are more */
    buf_init(&u->context, RECORD_TEXT_MAX);
    buf_init(&u->scratch, RECORD_TEXT_MAX);
    u->encoding = encoding_new();
    u->flows = flows_new(options);
    if (u->encoding && u->flows) return u;
    unwrap_free(u);
    return NULL;
}

void unwrap_free(struct unwrap *u)
{
    if (!u) return;
    buf_done(&u->plain);
    buf_done(&u->context);
    buf_done(&u->scratch);
    encoding_free(u->encoding);
    flows_free(u->flows);
    free(u);
}

void unwrap_number_answer(struct unwrap *u, struct unwrap_answer *answer)
{
    if (!answer->numbered) return;
    answer->numbered = false;
    buf_printf(&answer->body, ",\"ackId\":%llu}", (unsigned long long)u->next_ack++);
}

void unwrap_flow_stats(const struct unwrap *u, struct unwrap_flow_stats *ret)
{
    flows_stats(u->flows, ret);
}

/* ---- for the kinds ------------------------------------------------------------------------ */

static int job_put(struct job *j, const struct record *record)
{
    int rc = batch_writer_add(j->sink->writer, record);
    if (rc == ERR_LIMIT) {
        rc = j->sink->full(j->sink->ctx, j->sink->writer);
        if (rc == 0) rc = batch_writer_add(j->sink->writer, record);
    }
    if (rc == 0) j->a->taken++;
    return rc;
}

int job_add(struct job *j, enum record_format format, struct slice raw, struct slice context,
            enum unwrap_reason *ret_reason)
{
    bool too_many = j->position >= j->u->options.records_max;
    if (too_many || raw.len > RECORD_MAX || context.len > RECORD_TEXT_MAX) {
        *ret_reason = too_many ? UNWRAP_TOO_MANY : UNWRAP_TOO_LARGE;
        job_refuse(j, *ret_reason);
        return JOB_REFUSED;
    }
    return job_put(j, &(struct record){.raw = raw,
                                       .source = j->c->source,
                                       .delivery = j->c->delivery,
                                       .context = context,
                                       .received = j->received,
                                       .ordinal = j->position++,
                                       .format = (uint8_t)format,
                                       .flags = j->c->flags});
}

void job_refuse(struct job *j, enum unwrap_reason reason)
{
    j->a->refused[reason]++;
    j->position++;
}

uint64_t job_refused(const struct job *j)
{
    uint64_t n = 0;
    for (int i = 0; i < UNWRAP_REASON_COUNT; i++) n += j->a->refused[i];
    return n;
}

void answer_prepend(struct unwrap_answer *a, struct slice head)
{
    if (!buf_reserve(&a->body, head.len)) return;
    memmove(a->body.ptr + head.len, a->body.ptr, a->body.len);
    memcpy(a->body.ptr, head.ptr, head.len);
    a->body.len += head.len;
}

bool query_find(struct slice query, struct slice name, struct slice *ret)
{
    struct slice pair, key;
    while (query.len) {
        (void)slice_split(query, '&', &pair, &query);
        struct slice value;
        (void)slice_split(pair, '=', &key, &value);
        if (!slice_eq(key, name)) continue;
        *ret = value;
        return true;
    }
    return false;
}

bool content_type_is(struct slice content_type, struct slice type)
{
    struct slice head, rest;
    (void)slice_split(content_type, ';', &head, &rest);
    return slice_eq_nocase(slice_trim(head), type);
}

bool line_next(struct slice *text, struct slice *ret_line)
{
    if (text->len == 0) return false;
    (void)slice_split(*text, '\n', ret_line, text);
    if (ret_line->len && ret_line->ptr[ret_line->len - 1] == '\r') ret_line->len--;
    return true;
}

/* ---- one container ------------------------------------------------------------------------ */

static void answer_error(struct job *j, unsigned status, const char *text)
{
    struct unwrap_answer *a = j->a;
    switch (j->c->kind) {
    case CONTAINER_NDJSON:
        ndjson_answer_error(a, status, text);
        break;
    case CONTAINER_BULK:
        bulk_answer_error(a, status, text);
        break;
    case CONTAINER_HEC:
    case CONTAINER_HEC_RAW:
    case CONTAINER_HEC_ACK:
        hec_answer_error(a, status, text);
        break;
    case CONTAINER_OTLP_LOGS:
        otlp_answer_error(j, status, text);
        break;
    case CONTAINER_FLOW:
    case CONTAINER_KIND_COUNT:
        break;
    }
}

/* Takes the Content-Encoding off. 0; JOB_REFUSED: answered; or ERR_NOMEM. */
static int open_body(struct job *j)
{
    const struct unwrap_options *o = &j->u->options;
    struct slice in = j->c->body;
    struct slice encoding = slice_trim(j->c->content_encoding);
    j->body = in;
    if (encoding.len == 0 && in.len <= o->body_max) return 0;
    size_t max = o->body_max;
    if (in.len < max / o->ratio_max) max = in.len * o->ratio_max;
    if (max < UNWRAP_SMALL) max = o->body_max < UNWRAP_SMALL ? o->body_max : UNWRAP_SMALL;
    buf_clear(&j->u->plain);
    int rc = encoding_decode(j->u->encoding, encoding, in, max, &j->u->plain);
    j->body = buf_slice(&j->u->plain);
    if (rc == 0 || rc == ERR_NOMEM) return rc;
    if (rc == ERR_UNSUPPORTED) answer_error(j, 415, "this Content-Encoding is not read");
    else if (rc == ERR_LIMIT) answer_error(j, 413, "the body is too large");
    else answer_error(j, 400, "the body is not what its Content-Encoding says");
    return JOB_REFUSED;
}

static int unwrap_job(struct job *j)
{
    switch (j->c->kind) {
    case CONTAINER_NDJSON:
        return ndjson_unwrap(j);
    case CONTAINER_BULK:
        return bulk_unwrap(j);
    case CONTAINER_HEC:
        return hec_unwrap(j);
    case CONTAINER_HEC_RAW:
        return hec_unwrap_raw(j);
    case CONTAINER_HEC_ACK:
        return hec_answer_acks(j);
    case CONTAINER_OTLP_LOGS:
        return otlp_unwrap(j);
    case CONTAINER_FLOW:
        return flows_unwrap(j->u->flows, j);
    case CONTAINER_KIND_COUNT:
        break;
    }
    return ERR_INVALID;
}

int unwrap_container(struct unwrap *u, const struct container *c, const struct unwrap_sink *sink,
                     struct unwrap_answer *answer)
{
    ASSERT(c->kind < CONTAINER_KIND_COUNT && sink->writer->tenant == c->tenant);
    struct job j = {.u = u, .c = c, .sink = sink, .a = answer, .received = c->received};
    struct buf body = answer->body;
    buf_clear(&body);
    *answer = (struct unwrap_answer){.body = body};
    int rc = open_body(&j);
    if (rc == 0) rc = unwrap_job(&j);
    if (rc < 0) return rc;
    return buf_failed(&answer->body) ? buf_error(&answer->body) : 0;
}
