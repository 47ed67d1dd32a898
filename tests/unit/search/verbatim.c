/* SPDX-License-Identifier: EUPL-1.2 */
/* That records which may be passed over by their bytes have in them what their values say. */
#include "normalise/verbatim.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/find.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "normalise/record_decoder.h"
#include "query/needles.h"
#include "ruleset/ruleset.h"
#include "test.h"

enum { LINES_OF_FILE = 40, FILE_LARGEST = 4 * 1024 * 1024 };

struct checking {
    struct ruleset rules;
    struct config config;
    struct matcher matcher;
    struct record_decoder *decoder;
    struct products_copies *copies;
    struct record record;
    uint64_t values, runs, opaque, records;
    const char *file;
};

static void checking_init(struct checking *c)
{
    struct diag diag;
    *c = (struct checking){0};
    config_init(&c->config);
    REQUIRE(ruleset_load_without_rules(&c->rules, &c->config, &diag) == 0);
    REQUIRE(matcher_init(&c->matcher, &c->rules, &(struct engine_options){.read_all = true}) == 0);
    c->decoder = record_decoder_new(engine_keys(c->matcher.engine));
    c->copies = products_copies_new(c->rules.products, verbatim_is_plain);
    REQUIRE(c->decoder && c->copies);
}

static void checking_done(struct checking *c)
{
    products_copies_free(c->copies);
    record_decoder_free(c->decoder);
    matcher_done(&c->matcher);
    ruleset_done(&c->rules);
    config_done(&c->config);
}

static void check_value(struct checking *c, struct slice name, struct slice value)
{
    char *folded = malloc(utf8_fold_bound(value.len) + 1);
    REQUIRE(folded);
    struct slice text = slice_make(folded, utf8_fold(folded, value));
    c->values++;
    for (size_t i = 0; i < text.len;) {
        size_t n = 0;
        while (i + n < text.len && verbatim_is_plain(text.ptr[i + n])) n++;
        struct slice run = slice_make(text.ptr + i, n);
        i += n ? n : 1;
        if (n < NEEDLE_LEAST) continue;
        c->runs++;
        if (find_nocase(c->record.raw, run, 0) == SIZE_MAX)
            test_fail(__FILE__, __LINE__, "%s: %.*s has %.*s, which is not in %.*s", c->file,
                      SLICE_FMT(name), SLICE_FMT(run), SLICE_FMT(c->record.raw));
    }
    free(folded);
}

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct checking *c = ctx;
    struct engine_result found;
    (void)number;
    REQUIRE(engine_match(c->matcher.engine, ev, &found) == 0);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        struct slice name = keys_name(engine_keys(c->matcher.engine), f->key);
        if (f->type == VALUE_NULL || (f->derived && !products_copied(c->copies, name))) continue;
        check_value(c, name, event_text(ev, f));
    }
    engine_housekeep(c->matcher.engine);
    return 0;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    (void)ctx;
    (void)number;
    (void)reason;
}

static void check_record(struct checking *c, enum record_format format, struct slice raw)
{
    const struct record_sink sink = {.ctx = c, .event = on_event, .undecodable = on_undecodable};
    struct batch_writer writer;
    struct batch batch;
    struct buf bytes;
    uint64_t opaque = 0;
    c->record = (struct record){.raw = raw, .format = (uint8_t)format};
    batch_writer_init(&writer, 0, BATCH_MAX);
    buf_init(&bytes, BATCH_MAX);
    REQUIRE(batch_writer_add(&writer, &c->record) == 0);
    batch_writer_finish(&writer, &bytes);
    REQUIRE(batch_open(buf_slice(&bytes), &batch) == 0);
    verbatim_mark(&batch, NULL, 0, &opaque);
    c->records++;
    c->opaque += opaque;
    if (!opaque) REQUIRE(record_decoder_one(c->decoder, &c->record, &sink) == 0);
    batch_writer_done(&writer);
    buf_done(&bytes);
}

/* The same as a shipper sends it. */
static void check_shipped(struct checking *c, struct slice raw)
{
    struct buf json;
    buf_init(&json, 8 * RECORD_MAX);
    buf_puts(&json, "{\"message\":");
    json_write_string(&json, raw);
    buf_puts(&json, ",\"host\":{\"name\":\"srv-1\"}}");
    check_record(c, RECORD_BEATS, buf_slice(&json));
    check_record(c, RECORD_JSON, buf_slice(&json));
    buf_done(&json);
}

TEST(samples_of_all_products_say_what_is_in_their_bytes)
{
    struct checking c;
    checking_init(&c);
    for (uint32_t i = 0; i < products_count(c.rules.products); i++) {
        const struct product *p = products_at(c.rules.products, i);
        c.file = p->file;
        for (uint32_t k = 0; k < p->n_samples; k++) {
            check_record(&c, RECORD_TEXT, p->samples[k].record);
            check_record(&c, RECORD_SYSLOG, p->samples[k].record);
            check_shipped(&c, p->samples[k].record);
        }
    }
    /* They are not all passed by. */
    CHECK(c.records > 1000 && c.opaque < c.records / 2 && c.runs > 10000);
    CHECK(products_copied(c.copies, SLICE("source.ip")));
    CHECK(products_copied(c.copies, SLICE("nobody.fills.this")));
    CHECK(!products_copied(c.copies, SLICE("event.outcome")));
    checking_done(&c);
}

static struct checking corpus; /* nftw() hands nothing through */

static void check_lines(struct checking *c, const char *path)
{
    size_t len;
    char *text = test_read_file(path, &len);
    struct slice rest = slice_make(text, len), line;
    c->file = path;
    for (unsigned n = 0; rest.len && n < LINES_OF_FILE; n++) {
        (void)slice_split(rest, '\n', &line, &rest);
        if (line.len == 0 || line.len > RECORD_MAX / 8) continue;
        check_record(c, RECORD_TEXT, line);
        check_record(c, RECORD_SYSLOG, line);
        check_shipped(c, line);
    }
    free(text);
}

static int on_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type == FTW_F && st->st_size < FILE_LARGEST &&
        slice_ends_with(slice_of(path), SLICE(".log")))
        check_lines(&corpus, path);
    return 0;
}

TEST(logs_of_others_say_what_is_in_their_bytes)
{
    char path[4096];
    if (!test_corpus()) SKIP("no VAKA_CORPUS");
    checking_init(&corpus);
    (void)snprintf(path, sizeof path, "%s/elastic-integrations", test_corpus());
    REQUIRE(nftw(path, on_file, 16, FTW_PHYS) == 0);
    CHECK(corpus.records > 10000 && corpus.opaque < corpus.records / 2);
    checking_done(&corpus);
}

TEST(what_may_be_said_otherwise_is_opaque)
{
    static const struct {
        enum record_format format;
        const char *raw;
        bool opaque;
    } cases[] = {
        {RECORD_JSON, "{\"a\":\"root\"}", false},
        {RECORD_JSON, "{\"a\":\"r\\u006fot\"}", true},
        {RECORD_JSON, "{\"a\":\"\\\\u006f\"}", true},
        {RECORD_SYSLOG, "<13>a: GET /%72oot", false},
        {RECORD_TEXT, "<a>&#114;oot</a>", true},
        {RECORD_TEXT, "<a>ro<b/>ot</a>", true},
        {RECORD_TEXT, "type=PROCTITLE msg=audit(1.2:3): proctitle=2F62", true},
        {RECORD_HEC, "{\"event\":\"root\"}", true},
        {RECORD_OTLP_JSON, "{}", true},
        {RECORD_JOURNAL, "MESSAGE=root\n", true},
        {RECORD_IPFIX, "root", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct checking c = {0};
        struct batch_writer writer;
        struct batch batch;
        struct buf bytes;
        uint64_t bits = 0;
        /* One that is plain stands on either side. */
        const struct record plain = {.raw = SLICE("plain"), .format = RECORD_TEXT};
        c.record =
            (struct record){.raw = slice_of(cases[i].raw), .format = (uint8_t)cases[i].format};
        batch_writer_init(&writer, 0, BATCH_MAX);
        buf_init(&bytes, BATCH_MAX);
        REQUIRE(batch_writer_add(&writer, &plain) == 0);
        REQUIRE(batch_writer_add(&writer, &c.record) == 0);
        REQUIRE(batch_writer_add(&writer, &plain) == 0);
        batch_writer_finish(&writer, &bytes);
        REQUIRE(batch_open(buf_slice(&bytes), &batch) == 0);
        verbatim_mark(&batch, NULL, 0, &bits);
        if (bits != (cases[i].opaque ? 2 : 0))
            test_fail(__FILE__, __LINE__, "%s: %llx", cases[i].raw, (unsigned long long)bits);
        bits = 0;
        const struct slice texts[] = {SLICE("lai"), SLICE("oot")};
        verbatim_mark(&batch, texts, 2, &bits);
        CHECK_INT(bits & 5, 5);
        CHECK_INT(bits >> 1 & 1,
                  cases[i].opaque || slice_find(c.record.raw, SLICE("oot")) != SIZE_MAX);
        batch_writer_done(&writer);
        buf_done(&bytes);
    }
}

/* Whether it has one of the marks, looked for one after the other. */
static bool has_mark(struct slice raw)
{
    static const char *const marks[] = {"\\u", "&#", "</", "msg=audit("};
    bool found = memchr(raw.ptr, '\0', raw.len) != NULL;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        found |= slice_find(raw, slice_of(marks[i])) != SIZE_MAX;
    return found;
}

TEST(marks_are_found_wherever_they_stand)
{
    enum { RECORDS = 64, LENGTH = 150 };
    static const char bytes[] = "\\\\u&#<//t(x\xe5 ";
    static const char *const words[] = {"msg=audit(", "msg=audit", "sg=audit(", "\\u", "&#", "</"};
    for (uint64_t round = 0; round < 300; round++) {
        char raw[RECORDS][LENGTH];
        uint64_t want = 0, got = 0;
        struct batch_writer writer;
        struct batch batch;
        struct buf packed;
        batch_writer_init(&writer, 0, BATCH_MAX);
        buf_init(&packed, BATCH_MAX);
        for (uint64_t i = 0; i < RECORDS; i++) {
            uint64_t random = hash_mix(round, i);
            size_t n = 1 + random % (LENGTH - 1);
            /* Of few bytes that marks have, of many, or of none but at one place. */
            memset(raw[i], 'a', n);
            for (size_t k = 0; k < n && random >> 40 & 1; k++)
                if (hash_mix(random, k) % 8 == 0)
                    raw[i][k] = bytes[hash_mix(random, k + LENGTH) % (sizeof bytes - 1)];
            const char *word = words[(random >> 20) % (sizeof words / sizeof *words)];
            size_t len = strlen(word);
            if ((random >> 50) % 4 == 0 && len < n) memcpy(raw[i] + random % (n - len), word, len);
            if ((random >> 52) % 64 == 0) raw[i][n - 1] = '\0';
            const struct record r = {.raw = slice_make(raw[i], n), .format = RECORD_TEXT};
            REQUIRE(batch_writer_add(&writer, &r) == 0);
            want |= (uint64_t)has_mark(r.raw) << i;
        }
        batch_writer_finish(&writer, &packed);
        REQUIRE(batch_open(buf_slice(&packed), &batch) == 0);
        verbatim_mark(&batch, NULL, 0, &got);
        CHECK(got == want);
        CHECK(want != 0 && want != UINT64_MAX);
        batch_writer_done(&writer);
        buf_done(&packed);
    }
}
