/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What comes out of a container, as text to compare: a line for each record,
 *
 *     0 json {"a":1}               ordinal, format, raw
 *     1 bulk {"b":2} < {"index":{}}  and its context
 *
 * Bytes that are not printable ASCII are \xHH. With `batches` a line `--` stands where a batch
 * ends.
 */
#ifndef VAKA_TESTS_UNWRAP_UNWRAPPED_H
#define VAKA_TESTS_UNWRAP_UNWRAPPED_H

#include "test.h"
#include "unwrap/unwrap.h"

enum { UNWRAPPED_RECEIVED = 1700000000 };

struct unwrapped {
    struct unwrap *unwrap;
    struct batch_writer writer;
    struct buf bytes, records;
    struct unwrap_answer answer;
    struct container container; /* filled by the test */
    bool batches, with_received;
    bool unsafe;      /* its records do not become durable */
    int refuse_batch; /* what the sink says; 0: takes it */
};

static inline void unwrapped_put(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c < 0x7f) buf_putc(out, (char)c);
        else buf_printf(out, "\\x%02x", c);
    }
}

static inline int unwrapped_full(void *ctx, struct batch_writer *writer)
{
    struct unwrapped *t = ctx;
    struct batch batch;
    struct batch_iter it;
    struct record r;
    if (t->refuse_batch) return t->refuse_batch;
    buf_clear(&t->bytes);
    batch_writer_finish(writer, &t->bytes);
    if (t->bytes.len == 0) return 0;
    REQUIRE(batch_open(buf_slice(&t->bytes), &batch) == 0);
    CHECK_INT(batch.tenant, t->container.tenant);
    batch_iter_init(&it, &batch);
    while (batch_iter_next(&it, &r)) {
        CHECK(slice_eq(r.source, t->container.source));
        CHECK(slice_eq(r.delivery, t->container.delivery));
        CHECK_INT(r.flags & ~RECORD_HAS_LF, t->container.flags);
        buf_printf(&t->records, "%llu %s ", (unsigned long long)r.ordinal,
                   record_format_name(r.format));
        unwrapped_put(&t->records, r.raw);
        if (r.context.len) buf_puts(&t->records, " < ");
        unwrapped_put(&t->records, r.context);
        if (t->with_received) buf_printf(&t->records, " @%lld", (long long)r.received);
        else CHECK_INT(r.received, t->container.received);
        buf_putc(&t->records, '\n');
    }
    if (t->batches) buf_puts(&t->records, "--\n");
    return 0;
}

static inline void unwrapped_init(struct unwrapped *t, enum container_kind kind,
                                  const struct unwrap_options *options, size_t batch_max)
{
    struct unwrap_options defaults = unwrap_options_default();
    *t = (struct unwrapped){.container = {.kind = kind,
                                          .source = SLICE("http\tdefault\tcert\t10.0.0.1"),
                                          .delivery = SLICE("request-1"),
                                          .received = UNWRAPPED_RECEIVED,
                                          .tenant = 3,
                                          .flags = RECORD_AUTHENTICATED}};
    t->unwrap = unwrap_new(options ? options : &defaults);
    REQUIRE(t->unwrap != NULL);
    batch_writer_init(&t->writer, 3, batch_max);
    buf_init(&t->bytes, BATCH_MAX);
    buf_init(&t->records, 64 * 1024 * 1024);
    unwrap_answer_init(&t->answer);
}

static inline void unwrapped_done(struct unwrapped *t)
{
    unwrap_free(t->unwrap);
    batch_writer_done(&t->writer);
    buf_done(&t->bytes);
    buf_done(&t->records);
    unwrap_answer_done(&t->answer);
}

/* Unwraps the body; the records of earlier ones are forgotten. */
static inline int unwrapped_run(struct unwrapped *t, struct slice body)
{
    const struct unwrap_sink sink = {.writer = &t->writer, .full = unwrapped_full, .ctx = t};
    buf_clear(&t->records);
    t->container.body = body;
    int rc = unwrap_container(t->unwrap, &t->container, &sink, &t->answer);
    if (rc == 0) rc = unwrapped_full(t, &t->writer);
    if (rc == 0 && !t->unsafe) unwrap_number_answer(t->unwrap, &t->answer);
    return rc;
}

static inline void unwrapped_check_at(const char *file, int line, struct unwrapped *t,
                                      struct slice body, const char *records, unsigned status,
                                      const char *answer)
{
    int rc = unwrapped_run(t, body);
    if (rc != 0) test_fail(file, line, "it ended with %s", error_text(rc));
    if (!slice_eq(buf_slice(&t->records), slice_of(records)))
        test_fail(file, line, "records are\n%.*s--- not\n%s---", SLICE_FMT(buf_slice(&t->records)),
                  records);
    struct buf body_text;
    buf_init(&body_text, 1 << 20);
    unwrapped_put(&body_text, buf_slice(&t->answer.body));
    if (t->answer.status != status || !slice_eq(buf_slice(&body_text), slice_of(answer)))
        test_fail(file, line, "the answer is %u %.*s, not %u %s", t->answer.status,
                  SLICE_FMT(buf_slice(&body_text)), status, answer);
    buf_done(&body_text);
}

#define UNWRAPPED_CHECK(t, body, records, status, answer)                                          \
    unwrapped_check_at(__FILE__, __LINE__, t, SLICE(body), records, status, answer)

#endif
