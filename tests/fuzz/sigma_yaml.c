/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whole rule files. What loads is compiled and matched against a few events, of any log source and
 * of the event's own, and what fires goes through the correlations. An event that is seen again
 * fires the same rules, whether the engine remembers its values or not.
 */
#include "base/hash.h"
#include "detect/correlate/correlate.h"
#include "normalise/decoder.h"
#include "rules.h"

enum { EXPLAIN_MAX = 64, DETAILS_MAX = 16 };

static const char events[] =
    "{\"EventID\":1,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Image\":"
    "\"C:\\\\Windows\\\\System32\\\\cmd.exe\",\"CommandLine\":\"cmd /c whoami -all\","
    "\"User\":\"alice\",\"a\":1,\"b\":\"x*y\",\"c\":null}\n"
    "{\"a\":[\"A\",2.5,true],\"b\":{\"c\":\"caf\xC3\xA9\"},\"User\":\"bob\",\"ip\":\"10.1.2.3\","
    "\"time\":\"2024-02-29T23:59:59Z\",\"msg\":\"failed password for root\"}\n"
    "{\"eventSource\":\"iam.amazonaws.com\",\"eventName\":\"CreateUser\",\"eventTime\":"
    "\"2024-01-02T03:04:05Z\",\"empty\":\"\",\"a\":\"1\",\"b\":\"a\"}\n";

struct matching {
    const struct sigma_set *set;
    struct engine *engine;
    struct correlator *correlator;
    struct buf text;
    uint64_t hash; /* of all hits */
    nsec time;
};

static void push_tuple(struct matching *m, struct event *ev, const struct sigma_rule *rule)
{
    struct correlator_wants wants;
    correlator_wants(m->correlator, rule->index, &wants);
    if (!wants.wanted) return;
    HOLDS(wants.n_fields <= CORRELATOR_FIELDS_MAX);
    struct slice *values = calloc(wants.n_fields + UINT32_C(1), sizeof *values);
    HOLDS(values != NULL);
    for (uint32_t i = 0; i < wants.n_fields; i++)
        if (!engine_field(m->engine, ev, rule, wants.fields[i], &values[i])) values[i] = SLICE_NONE;
    m->time += 1000000000;
    const struct correlator_tuple tuple = {.rule = rule->index,
                                           .time = m->time,
                                           .ref = ev->record,
                                           .values = values,
                                           .n_values = wants.n_fields};
    HOLDS(correlator_push(m->correlator, &tuple) == 0);
    free(values);
}

static int on_event(void *ctx, struct event *ev)
{
    struct matching *m = ctx;
    struct engine_result result;
    HOLDS(engine_match(m->engine, ev, &result) == 0);
    m->hash = hash_mix(m->hash, result.n_hits);
    for (uint32_t i = 0; i < result.n_hits; i++) {
        const struct engine_hit *hit = &result.hits[i];
        struct engine_detail details[DETAILS_MAX];
        m->hash = hash_mix(m->hash, hit->rule->index * UINT64_C(2) + hit->undetermined);
        buf_clear(&m->text);
        engine_write_matched(m->engine, ev, hit, &m->text);
        HOLDS(engine_details(m->engine, ev, hit, details, DETAILS_MAX) <= DETAILS_MAX);
        if (m->correlator) push_tuple(m, ev, hit->rule);
    }
    for (uint32_t i = 0; m->correlator && i < m->set->n_rules && i < EXPLAIN_MAX; i++) {
        buf_clear(&m->text);
        engine_explain(m->engine, ev, m->set->rules[i], &m->text);
    }
    return 0;
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)ctx, (void)offset, (void)record;
    HOLDS(reason == NULL); /* the events are the target's own */
}

static void on_firing(void *ctx, const struct correlator_firing *firing)
{
    (void)ctx;
    HOLDS(firing->rule != NULL && firing->first <= firing->last);
}

/* A number that stands for what fired. With `report` all that is told about it is written, too. */
static uint64_t match_events(const struct sigma_set *set, bool any_logsource, bool no_memo,
                             bool report)
{
    struct matching m = {.set = set, .engine = rules_engine(set, any_logsource, no_memo)};
    const struct correlator_options options = {.max_bytes = 1 << 20, .seed = 1};
    const struct correlator_out firings = {.firing = on_firing};
    const struct decoder_out out = {.ctx = &m, .emit = on_event, .bad = on_bad};
    const struct slice input = slice_of(events);
    buf_init(&m.text, 1 << 20);
    if (report) {
        m.correlator = correlator_new(set, &options, &firings);
        HOLDS(m.correlator != NULL);
    }
    struct decoder *d = decoder_json.open(&out, engine_keys(m.engine));
    HOLDS(d != NULL);
    HOLDS(decoder_json.feed(d, input) == 0);
    uint64_t first = m.hash;
    m.hash = 0;
    HOLDS(decoder_json.feed(d, input) == 0 && decoder_json.finish(d) == 0);
    HOLDS(m.hash == first);
    decoder_json.close(d);
    if (m.correlator) {
        correlator_finish(m.correlator);
        correlator_free(m.correlator);
    }
    buf_done(&m.text);
    engine_free(m.engine);
    return first;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct placeholders *known = placeholders_new();
    HOLDS(known != NULL);
    HOLDS(placeholders_read(known, "known.yml", SLICE("who: [alice, b*b]\n"), NULL) == 0);
    struct sigma_set *set = rules_load(slice_make(data, size), known);
    if (set->n_rules) {
        uint64_t any = match_events(set, true, false, true);
        HOLDS(any == match_events(set, true, true, false));
        (void)match_events(set, false, false, false);
    }
    sigma_set_free(set);
    placeholders_free(known);
    return 0;
}
