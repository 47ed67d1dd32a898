/* SPDX-License-Identifier: EUPL-1.2 */
#include "event/event.h"

#include "test.h"

static struct keys *keys;
static struct arena arena;
static struct event ev;
static struct buf out;

static void begin(void)
{
    if (!keys) {
        keys = keys_new();
        arena_init(&arena, 8 << 20);
        event_init(&ev, keys, &arena);
        buf_init(&out, 1 << 20);
    }
    event_reset(&ev);
    buf_clear(&out);
}

static struct slice text_of(struct slice json)
{
    begin();
    event_add_named(&ev, SLICE("f"), VALUE_JSON_STRING, json);
    struct slice once = event_text(&ev, &ev.fields[0]);
    CHECK_INT(ev.fields[0].type, VALUE_STRING);
    CHECK(event_text(&ev, &ev.fields[0]).ptr == once.ptr);
    return once;
}

static struct slice written(void)
{
    event_write_json(&ev, &out);
    return buf_slice(&out);
}

TEST(event_text_decodes_every_escape)
{
    CHECK_SLICE(text_of(SLICE("plain")), "plain");
    CHECK_SLICE(text_of(SLICE("")), "");
    CHECK_SLICE(text_of(SLICE("\\\"\\\\\\/\\b\\f\\n\\r\\t")), "\"\\/\b\f\n\r\t");
    CHECK_SLICE(text_of(SLICE("C:\\\\Windows\\\\cmd.exe")), "C:\\Windows\\cmd.exe");
    CHECK_SLICE(text_of(SLICE("\\u0041\\u00e5\\u20AC!")), "A\xC3\xA5\xE2\x82\xAC!");
    CHECK_SLICE(text_of(SLICE("\\\\u0041")), "\\u0041");
    struct slice nul = text_of(SLICE("a\\u0000b"));
    CHECK(slice_eq(nul, SLICE("a\0b")));
}

TEST(event_text_surrogates)
{
    CHECK_SLICE(text_of(SLICE("\\ud83d\\ude00")), "\xF0\x9F\x98\x80");
    CHECK_SLICE(text_of(SLICE("\\uDBFF\\uDFFFx")), "\xF4\x8F\xBF\xBFx");
    CHECK_SLICE(text_of(SLICE("\\ud83d")), "\xEF\xBF\xBD");
    CHECK_SLICE(text_of(SLICE("\\ud83dx")), "\xEF\xBF\xBDx");
    CHECK_SLICE(text_of(SLICE("\\ude00\\ud83d")), "\xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK_SLICE(text_of(SLICE("\\ud83d\\u0041")), "\xEF\xBF\xBD"
                                                  "A");
    CHECK_SLICE(text_of(SLICE("\\ud83d\\ud83d\\ude00")), "\xEF\xBF\xBD\xF0\x9F\x98\x80");
}

TEST(event_text_keeps_damaged_escapes)
{
    CHECK_SLICE(text_of(SLICE("a\\x41")), "a\\x41");
    CHECK_SLICE(text_of(SLICE("a\\u12")), "a\\u12");
    CHECK_SLICE(text_of(SLICE("a\\u12g4 \\n")), "a\\u12g4 \n");
    CHECK_SLICE(text_of(SLICE("a\\")), "a\\");
}

TEST(event_find_by_path)
{
    begin();
    event_add_named(&ev, SLICE("a.b"), VALUE_NUMBER, SLICE("1"));
    event_add_named(&ev, SLICE("a.b"), VALUE_NUMBER, SLICE("2"));
    struct event_field *f = event_find(&ev, SLICE("a.b"));
    REQUIRE(f);
    CHECK_SLICE(f->value, "1");
    CHECK(event_find(&ev, SLICE("a")) == NULL);
    CHECK(event_find(&ev, SLICE("nowhere")) == NULL);
}

TEST(event_fields_are_bounded)
{
    begin();
    key_id key = keys_intern_path(keys, SLICE("many"));
    for (int i = 0; i < EVENT_FIELDS_MAX; i++) event_add(&ev, key, VALUE_STRING, SLICE("x"));
    CHECK(!(ev.flags & EVENT_CUT));
    event_add(&ev, key, VALUE_STRING, SLICE("x"));
    CHECK(ev.flags & EVENT_CUT);
    CHECK_INT(ev.n_fields, EVENT_FIELDS_MAX);
    event_reset(&ev);
    CHECK_INT(ev.flags, 0);
}

TEST(event_write_json_flat_names_and_arrays)
{
    begin();
    CHECK_SLICE(written(), "{}");
    begin();
    event_add_named(&ev, SLICE("a.b"), VALUE_STRING, SLICE("x\"y"));
    event_add_named(&ev, SLICE("n"), VALUE_NUMBER, SLICE("-1.5e3"));
    event_add_named(&ev, SLICE("a.b"), VALUE_JSON_STRING, SLICE("\\u00e5"));
    event_add_named(&ev, SLICE("t"), VALUE_BOOL, SLICE("true"));
    event_add_named(&ev, SLICE("z"), VALUE_NULL, SLICE("null"));
    event_add_named(&ev, SLICE("a.b"), VALUE_NULL, SLICE_NONE);
    CHECK_SLICE(written(),
                "{\"a.b\":[\"x\\\"y\",\"\xC3\xA5\",null],\"n\":-1.5e3,\"t\":true,\"z\":null}");
}

TEST(event_write_json_only_writes_numbers_that_json_knows)
{
    static const char *const refused[] = {"007", "1.", ".5", "0x1", "-", "", "1e", "+1", "NaN"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        begin();
        event_add_named(&ev, SLICE("n"), VALUE_NUMBER, slice_of(refused[i]));
        char want[32];
        (void)snprintf(want, sizeof want, "{\"n\":\"%s\"}", refused[i]);
        CHECK_SLICE(written(), want);
    }
    begin();
    event_add_named(&ev, SLICE("n"), VALUE_NUMBER, SLICE("1e400"));
    event_add_named(&ev, SLICE("m"), VALUE_NUMBER, SLICE("0.10E-7"));
    event_add_named(&ev, SLICE("b"), VALUE_BOOL, SLICE("yes"));
    CHECK_SLICE(written(), "{\"n\":1e400,\"m\":0.10E-7,\"b\":\"yes\"}");
}

TEST(event_write_json_raw)
{
    begin();
    event_add_named(&ev, SLICE("n"), VALUE_NUMBER, SLICE("1"));
    ev.raw = SLICE("{ \"n\" : 1 }");
    ev.flags |= EVENT_RAW_IS_JSON;
    CHECK_SLICE(written(), "{ \"n\" : 1 }");
}

static struct slice rewritten(const char *raw)
{
    begin();
    event_add_named(&ev, SLICE("n"), VALUE_NUMBER, SLICE("1"));
    ev.raw = slice_of(raw);
    ev.flags |= EVENT_RAW_IS_JSON;
    return written();
}

TEST(event_write_json_raw_is_one_valid_line)
{
    CHECK_SLICE(rewritten("{\n  \"a\" : [\r\n1]\n}\n"), "{  \"a\" : [1]}");
    CHECK_SLICE(rewritten("{\"a\":\"\\u00e5\\\\\\n\"}"), "{\"a\":\"\\u00e5\\\\\\n\"}");
    CHECK_SLICE(rewritten("{\"a\":\"\\x41\"}"), "{\"n\":1}");
    CHECK_SLICE(rewritten("{\"a\":\"\\ud800\"}"), "{\"n\":1}");
    CHECK_SLICE(rewritten("{\"a\":\"\\ud83d\\ude00\"}"), "{\"a\":\"\\ud83d\\ude00\"}");
}
