/* SPDX-License-Identifier: EUPL-1.2 */
#include "alert/line.h"

#include "normalise/decoder.h"
#include "test.h"

static const char rule[] = "title: 'A \"rule\", it is'\nid: 929a690e-bef0-4204-a928-ef5e620d6fcc\n"
                           "level: high\ntags: [attack.execution, '=cmd\"']\n"
                           "logsource:\n    product: windows\n"
                           "detection:\n    s:\n        F|contains: evil\n    condition: s\n";

struct world {
    const char *rule; /* NULL: the one above */
    struct sigma_set *set;
    struct taxonomy *taxonomy;
    struct engine *engine;
    nsec time;
    struct slice host;
    struct line_writer lines;
    struct buf line;
    size_t splice;
    unsigned hits;
};

static int on_event(void *ctx, struct event *ev)
{
    struct world *w = ctx;
    struct engine_result result;
    REQUIRE(engine_match(w->engine, ev, &result) == 0);
    w->hits += result.n_hits;
    if (result.n_hits == 0) return 0;
    line_event(&w->lines, ev, w->time, w->host, SLICE("a \"b\".json"));
    w->splice = line_write(&w->lines, &result.hits[0], &w->line);
    /* The same once more, from what was kept of it. */
    struct buf again;
    buf_init(&again, w->line.max);
    CHECK_INT(line_write(&w->lines, &result.hits[0], &again), w->splice);
    CHECK(slice_eq(buf_slice(&again), buf_slice(&w->line)));
    buf_done(&again);
    return 0;
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)ctx;
    (void)record;
    test_fail(__FILE__, __LINE__, "%llu: %s", (unsigned long long)offset, reason);
}

/* The line of the one event in `json`; borrowed until world_done(). */
static struct slice world_line(struct world *w, enum hunt_format format, struct slice json)
{
    const struct engine_options options = {.any_logsource = true};
    const struct decoder_out out = {.ctx = w, .emit = on_event, .bad = on_bad};
    w->set = sigma_set_new();
    w->taxonomy = taxonomy_new();
    REQUIRE(w->set && w->taxonomy);
    REQUIRE(sigma_set_add_text(w->set, "r.yml", slice_of(w->rule ? w->rule : rule), NULL) == 0);
    REQUIRE(sigma_set_finish(w->set) == 0 && w->set->n_rules == 1);
    w->engine = engine_new(w->set, w->taxonomy, &options);
    REQUIRE(line_writer_init(&w->lines, w->engine, format, w->set->n_rules) == 0);
    buf_init(&w->line, 2 * (size_t)LINE_EVENT_MAX);
    struct decoder *d = decoder_json.open(&out, engine_keys(w->engine));
    REQUIRE(d);
    CHECK_INT(decoder_json.feed(d, json), 0);
    CHECK_INT(decoder_json.finish(d), 0);
    decoder_json.close(d);
    CHECK_INT(w->hits, 1);
    return buf_slice(&w->line);
}

static void world_done(struct world *w)
{
    engine_free(w->engine);
    taxonomy_free(w->taxonomy);
    sigma_set_free(w->set);
    line_writer_done(&w->lines);
    buf_done(&w->line);
}

#define RULE_JSON                                                                                  \
    "\"rule\":{\"id\":\"929a690e-bef0-4204-a928-ef5e620d6fcc\",\"title\":\"A \\\"rule\\\", it "    \
    "is\",\"level\":\"high\",\"tags\":[\"attack.execution\",\"=cmd\\\"\"],\"techniques\":[],"      \
    "\"file\":\"r.yml\"}"

TEST(json)
{
    struct world w = {.time = 0, .host = SLICE("srv\n1")};
    struct slice line = world_line(&w, HUNT_JSON, SLICE("{\"F\":\"an evil\\u00e5\"}\n"));
    CHECK_SLICE(line, "{\"time\":\"1970-01-01T00:00:00.000Z\"," RULE_JSON
                      ",\"host\":\"srv\\n1\",\"entities\":{},\"source\":{\"file\":\"a "
                      "\\\"b\\\".json\",\"record\":},"
                      "\"matched\":[{\"field\":\"F\",\"value\":\"an evilå\",\"pattern\":\"evil\"}],"
                      "\"event\":{\"F\":\"an evil\\u00e5\"}}\n");
    CHECK(slice_ends_with(slice_until(line, w.splice), SLICE("\"record\":")));
    world_done(&w);
}

TEST(what_to_do_first_goes_with_the_rule)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "%svaka: {respond: {sv: 'Spärra \"x\"', en: Disable x}}\n",
                   rule);
    struct world w = {.rule = text, .time = 0};
    struct slice line = world_line(&w, HUNT_JSON, SLICE("{\"F\":\"evil\"}"));
    CHECK(slice_find(line, SLICE("\"file\":\"r.yml\",\"respond\":{\"sv\":\"Spärra \\\"x\\\"\","
                                 "\"en\":\"Disable x\"}},\"host\"")) != SIZE_MAX);
    world_done(&w);
}

TEST(entities_are_named_as_in_ecs)
{
    struct world w = {.time = 0};
    struct slice line =
        world_line(&w, HUNT_JSON,
                   SLICE("{\"F\":\"evil\",\"SubjectUserName\":\"srv$\",\"TargetUserName\":\"anna\","
                         "\"IpAddress\":\"-\",\"id.orig_h\":[\"192.0.2.1\",\"192.0.2.2\"]}"));
    CHECK(slice_find(line, SLICE(",\"entities\":{\"user.name\":[\"anna\"],"
                                 "\"source.ip\":[\"192.0.2.1\",\"192.0.2.2\"]},")) != SIZE_MAX);
    world_done(&w);
}

TEST(what_is_not_known_is_null)
{
    struct world w = {.time = TIME_NONE};
    struct slice line = world_line(&w, HUNT_JSON, SLICE("{\"F\":\"evil\"}"));
    CHECK(slice_starts_with(line, SLICE("{\"time\":null,")));
    CHECK(slice_find(line, SLICE(",\"host\":null,")) != SIZE_MAX);
    world_done(&w);
}

TEST(a_pretty_event_becomes_one_line)
{
    struct world w = {.time = 0};
    struct slice line = world_line(
        &w, HUNT_JSON, SLICE("{\n  \"F\" : \"evil  \\\" , x\",\r\n\t\"B\": [ 1, true ]\n}\n"));
    CHECK(slice_ends_with(
        line, SLICE(",\"event\":{  \"F\" : \"evil  \\\" , x\",\t\"B\": [ 1, true ]}}\n")));
    CHECK_INT(slice_find_byte(line, '\n'), line.len - 1);
    world_done(&w);
}

/* Rules often test one value several times; people need to see it once. */
TEST(a_value_that_matched_twice_is_shown_once)
{
    struct world w = {
        .rule = "title: Twice\nlogsource:\n    product: windows\ndetection:\n    s:\n"
                "        F|contains|all: [evil, an]\n        G|startswith: an\n    condition: s\n"};
    struct slice line = world_line(&w, HUNT_TABLE, SLICE("{\"F\":\"an evil\",\"G\":\"an evil\"}"));
    CHECK_SLICE(line, "F=an evil  G=an evil");
    world_done(&w);
}

/* A spreadsheet must not take a value for a formula, nor a quote for the end of a field. */
TEST(csv)
{
    struct world w = {.time = 0, .host = SLICE("=host")};
    struct slice line = world_line(&w, HUNT_CSV, SLICE("{\"F\":\"an \\\"evil\\\"\"}\n"));
    CHECK_SLICE(line, "\"1970-01-01T00:00:00.000Z\",\"high\",\"'=host\",\"A \"\"rule\"\", it is\","
                      "\"929a690e-bef0-4204-a928-ef5e620d6fcc\",\"attack.execution =cmd_\","
                      "\"a \"\"b\"\".json\",,\"F=an \"\"evil\"\"\"\n");
    CHECK_INT(line.ptr[w.splice], ',');
    CHECK_INT(line.ptr[w.splice - 1], ',');
    world_done(&w);
}

TEST(the_table_shows_values_cut_to_a_length)
{
    char json[LINE_VALUE_MAX + 64] = "{\"F\":\"evil";
    struct world w = {.time = 0};
    size_t at = strlen(json);
    memset(json + at, 'x', LINE_VALUE_MAX);
    memcpy(json + at + LINE_VALUE_MAX, "\"}", 3);
    struct slice line = world_line(&w, HUNT_TABLE, slice_of(json));
    CHECK_INT(line.len, 2 + LINE_VALUE_MAX + 3);
    CHECK(slice_starts_with(line, SLICE("F=evilx")));
    CHECK(slice_ends_with(line, SLICE("x…")));
    CHECK_INT(w.splice, 0);
    world_done(&w);
}

static struct slice firing_line(struct buf *out, enum hunt_format format)
{
    static const struct slice names[] = {{"User", 4}, {"H", 1}}, values[] = {{"a\"b", 3}, {"c", 1}};
    struct sigma_doc doc = {.title = SLICE("C"), .file = "c.yml", .level = LEVEL_LOW};
    const struct sigma_correlation corr = {.type = CORR_VALUE_COUNT};
    const struct sigma_corr_rule of = {.doc = &doc, .corr = &corr};
    const struct line_ref refs[] = {{SLICE("x"), 1}, {SLICE("y"), UINT64_MAX}};
    const struct correlator_firing firing = {.rule = &of,
                                             .time = NSEC_PER_SEC,
                                             .first = 0,
                                             .last = TIME_NONE,
                                             .count = 2.5,
                                             .approximate = true,
                                             .names = names,
                                             .values = values,
                                             .n_group = 2,
                                             .n_refs = 2};
    buf_init(out, 64 * 1024);
    struct taxonomy *taxonomy = taxonomy_new();
    REQUIRE(taxonomy != NULL);
    line_write_correlation(out, format, taxonomy, &firing, refs);
    taxonomy_free(taxonomy);
    return buf_slice(out);
}

TEST(correlations)
{
    struct buf out;
    CHECK_SLICE(firing_line(&out, HUNT_JSON),
                "{\"time\":\"1970-01-01T00:00:01.000Z\",\"rule\":{\"id\":null,\"title\":\"C\","
                "\"level\":\"low\",\"tags\":[],\"techniques\":[],\"file\":\"c.yml\"},\"host\":null,"
                "\"entities\":{\"user.name\":[\"a\\\"b\"]},\"source\":null,"
                "\"matched\":[],\"event\":null,\"correlation\":{\"type\":\"value_count\","
                "\"count\":2.5,\"first\":\"1970-01-01T00:00:00.000Z\",\"last\":null,"
                "\"group\":{\"User\":\"a\\\"b\",\"H\":\"c\"},\"records\":[{\"file\":\"x\","
                "\"record\":1},{\"file\":\"y\",\"record\":18446744073709551615}],"
                "\"approximate\":true}}\n");
    buf_done(&out);
    CHECK_SLICE(firing_line(&out, HUNT_TABLE), "value_count=2.5  User=a\"b  H=c");
    buf_done(&out);
    CHECK_SLICE(firing_line(&out, HUNT_CSV),
                "\"1970-01-01T00:00:01.000Z\",\"low\",\"\",\"C\",\"\",\"\",\"\",,"
                "\"value_count=2.5  User=a\"\"b  H=c\"\n");
    buf_done(&out);
}

/* Every CSV line has as many fields as the header. */
TEST(csv_lines_have_the_columns_of_the_header)
{
    struct buf out;
    buf_init(&out, 1024);
    line_write_csv_header(&out);
    unsigned commas = 0, fields = 0;
    for (size_t i = 0; i < out.len; i++) commas += out.ptr[i] == ',';
    buf_done(&out);
    struct slice line = firing_line(&out, HUNT_CSV);
    bool quoted = false;
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '"') quoted = !quoted;
        fields += line.ptr[i] == ',' && !quoted;
    }
    CHECK_INT(fields, commas);
    buf_done(&out);
}
