/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * NORMALISER_VERSION stands for what is read of records beside the texts of taxonomy and products.
 * When this test fails because records are read otherwise on purpose, raise that number, and write
 * it and the new hash here: indexes that were made before are then made anew.
 */
#include "base/hash.h"
#include "normalise/record_decoder.h"
#include "ruleset/ruleset.h"
#include "test.h"

enum { VERSION = 1, OWN = 2 /* records that are the product's here; others may change */ };
static const uint64_t events_hash = UINT64_C(0x35a68f5af22bcfa3);

static const char product[] =
    "title: T\n"
    "evidence: unverified\n"
    "recognise: {program: [indexguard]}\n"
    "steps:\n"
    "  - set: {event.module: indexguard, event.action: Looked-At}\n"
    "  - pattern: message\n"
    "    any: ['{user.name} from {source.ip:ip}:{source.port:int} {_rest}', '{_rest}']\n"
    "  - kv: _rest\n"
    "    prefix: kv.\n";

static const struct {
    uint8_t format;
    const char *raw;
} records[] = {
    {RECORD_TEXT,
     "<38>Nov 26 10:00:00 host9 indexguard[4711]: eva from 10.0.0.7:4001 a=1 b=\"x y\""},
    {RECORD_TEXT,
     "<165>1 2026-10-11T22:14:15.003Z host indexguard 1 ID47 [x@1 iut=\"3\" e=\"A\\]p\"] hi"},
    {RECORD_JSON,
     "{\"a\":{\"b\":[1,2.50,{\"c\":\"x\\u00e5\\n\"}]},\"n\":4.625e3,\"t\":true,\"z\":null}"},
    {RECORD_JSON, "{\"Records\":[{\"c\":1},{\"c\":\"2\"}]}"},
    {RECORD_BEATS, "{\"message\":\"indexguard\",\"host\":{\"name\":\"h\"}}"},
    {RECORD_TEXT, "{\"in\":\"text\",\"k\":\"C:\\\\x\"}"},
    {RECORD_TEXT, "<13>Nov 26 10:00:00 fw CEF:0|V|P|1|100|de\\|ny|5|src=10.1.2.3 msg=a b\\=c"},
    {RECORD_TEXT,
     "type=USER_LOGIN msg=audit(1364481363.243:24287): pid=1 acct=726F6F74 res=failed"},
    {RECORD_TEXT, "date=2026-11-26 devname=\"fw 1\" srcip=10.0.0.1 action=deny"},
    {RECORD_TEXT, "nothing in particular"},
};

struct reading {
    struct matcher matcher;
    size_t record;
    struct buf out;
};

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct reading *r = ctx;
    struct engine_result found;
    (void)number;
    REQUIRE(engine_match(r->matcher.engine, ev, &found) == 0);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        if (f->derived && r->record >= OWN) continue;
        struct slice name = keys_name(engine_keys(r->matcher.engine), f->key);
        buf_printf(&r->out, "%zu %.*s", r->record, SLICE_FMT(name));
        buf_printf(&r->out, " %d=%.*s\n", f->type == VALUE_NUMBER, SLICE_FMT(event_text(ev, f)));
    }
    engine_housekeep(r->matcher.engine);
    return 0;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    struct reading *r = ctx;
    buf_printf(&r->out, "%zu %s\n", r->record, reason);
    (void)number;
}

TEST(events_are_those_of_the_version)
{
    struct reading r = {.out = {0}};
    const struct record_sink sink = {.ctx = &r, .event = on_event, .undecodable = on_undecodable};
    struct ruleset rules;
    struct config config;
    struct diag diag;
    config_init(&config);
    buf_init(&r.out, 1 << 20);
    REQUIRE(ruleset_load_without_rules(&rules, &config, &diag) == 0);
    int error = products_add(rules.products, "indexguard.yml", slice_of(product), &diag);
    if (error) test_fail(__FILE__, __LINE__, "%u: %s", diag.line, diag.message);
    REQUIRE(matcher_init(&r.matcher, &rules, &(struct engine_options){.read_all = true}) == 0);
    matcher_set_now(&r.matcher, INT64_C(1795687200) * NSEC_PER_SEC);
    struct record_decoder *decoder = record_decoder_new(engine_keys(r.matcher.engine));
    REQUIRE(decoder);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        const struct record record = {.raw = slice_of(records[i].raw), .format = records[i].format};
        r.record = i;
        REQUIRE(record_decoder_one(decoder, &record, &sink) == 0);
    }
    CHECK_INT(NORMALISER_VERSION, VERSION);
    if (hash64(buf_slice(&r.out)) != events_hash)
        test_fail(__FILE__, __LINE__, "%.*s\nhas the hash 0x%llx", SLICE_FMT(buf_slice(&r.out)),
                  (unsigned long long)hash64(buf_slice(&r.out)));
    record_decoder_free(decoder);
    matcher_done(&r.matcher);
    ruleset_done(&rules);
    config_done(&config);
    buf_done(&r.out);
}
