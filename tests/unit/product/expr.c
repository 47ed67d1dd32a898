/* SPDX-License-Identifier: EUPL-1.2 */
#include "product/expr.h"

#include "test.h"

static const struct {
    const char *name, *value;
} fields[] = {
    {"user", "CITY\\Anna"},
    {"dash", "-"},
    {"empty", ""},
    {"ip", "192.0.2.7"},
    {"date", "2026-11-26"},
    {"clock", "11/26/26-08:15:00.123456"},
    {"time", "03:00:01"},
    {"tz", "+0100"},
    {"hex", "0x1F4"},
    {"path", "C:\\Windows\\cmd.exe"},
    {"dir", "/etc/passwd"},
    {"port", "443"},
    {"Process Name", "lsass"},
    {"action", "Deny"},
    {"mail", "a@b@kommun.se"},
    {"quoted", "\"x\""},
    {"labels", "(3)www(10)o(rrviken)(2)se(0)"},
    {"root", "(0)"},
    {"cut", "(3)www(9)orrv"},
    {"unclosed", "(3www"},
    /* One of four values: those behind it follow. */
    {"many", "Available"},
    {"many", "None"},
    {"many", "-"},
    {"many", " Host=Console "},
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static struct arena arena;
static nsec now = INT64_C(1795651200) * NSEC_PER_SEC; /* 2026-11-26T00:00:00Z */
static struct expr_table *actions;

static int field_number(void *ctx, struct slice name)
{
    (void)ctx;
    for (int i = 0; i < N_FIELDS; i++)
        if (slice_eq(name, slice_of(fields[i].name))) return i;
    return ERR_NOT_FOUND;
}

static const struct expr_table *table_of(void *ctx, struct slice name)
{
    (void)ctx;
    return slice_eq(name, SLICE("actions")) ? actions : NULL;
}

static struct slice get(void *ctx, uint32_t field)
{
    (void)ctx;
    return slice_of(fields[field].value);
}

static struct slice next(void *ctx, uint32_t field, uint32_t *at)
{
    (void)ctx;
    uint32_t i = *at ? *at : field + 1;
    if (i >= N_FIELDS || strcmp(fields[i].name, fields[field].name) != 0) return SLICE_NONE;
    *at = i + 1;
    return slice_of(fields[i].value);
}

static void begin(void)
{
    static const struct slice denied[] = {{"denied", 6}, {"end", 3}};
    static const struct slice other[] = {{"info", 4}};
    arena_init(&arena, 1024 * 1024);
    actions = expr_table_new(&arena, 3);
    REQUIRE(actions && expr_table_add(actions, SLICE("deny"), denied, 2));
    REQUIRE(expr_table_add(actions, SLICE("*"), other, 1));
    CHECK(!expr_table_add(actions, SLICE("DENY"), other, 1));
}

static int read(const char *text, const struct expr **ret, const char **why)
{
    const struct expr_world world = {.field = field_number, .table = table_of};
    size_t at;
    return expr_read(&arena, slice_of(text), &world, ret, why, &at);
}

/* Values with a blank between them; "" when there are none. */
static const char *compute(const char *text, char out[256])
{
    struct expr_told told = {0};
    const struct expr_scope scope = {
        .get = get, .next = next, .arena = &arena, .now = now, .told = &told};
    const struct expr *e;
    const char *why;
    struct slice values[EXPR_VALUES_MAX];
    out[0] = '\0';
    if (read(text, &e, &why) != 0) {
        (void)snprintf(out, 256, "refused: %s", why);
        return out;
    }
    uint32_t n = expr_values(e, &scope, values);
    for (uint32_t i = 0, len = 0; i < n; i++)
        len +=
            (uint32_t)snprintf(out + len, 256 - len, "%s%.*s", i ? " " : "", SLICE_FMT(values[i]));
    return out;
}

TEST(values_are_made_of_fields)
{
    static const struct {
        const char *expr, *want;
    } cases[] = {
        {"ip", "192.0.2.7"},
        {"dash", ""},
        {"empty", ""},
        {"dash or empty or ip", "192.0.2.7"},
        {"dash + ip or port", "443"},
        {"'x' + ip", "x192.0.2.7"},
        {"date + ' ' + time + ' ' + tz | time", "2026-11-26T02:00:01.000Z"},
        {"date + dash", ""},
        {"user | after_last '\\'", "Anna"},
        {"user | before '\\' | lower", "city"},
        {"user | upper", "CITY\\ANNA"},
        {"user | after '/'", "CITY\\Anna"},
        {"user | having '/'", ""},
        {"labels | labels", "www.o(rrviken).se"},
        {"root | labels", ""},
        {"cut | labels", "(3)www(9)orrv"},
        {"unclosed | labels", "(3www"},
        {"mail | labels", "a@b@kommun.se"},
        {"many | having 'Host'", "Host=Console"},
        {"many | having 'a'", "Available"},
        {"many | having 'x'", ""},
        {"many | having 'Host' | after '='", "Console"},
        {"many + '' | having 'Host'", ""},
        {"many | lower | having 'None'", ""},
        {"many | all", "Available None Host=Console"},
        {"many | all | lower", "available none host=console"},
        {"many | all | having 'a'", "Available"},
        {"many | all | before 'x' | last 1", "e"},
        {"many | all | table actions", "info"},
        {"many | all | having 'x' | default 'none'", "none"},
        {"dash | all", ""},
        {"action | table actions | upper", "DENIED END"},
        {"user | having '\\' | after '\\'", "Anna"},
        {"mail | before_last '@'", "a@b"},
        {"mail | after '@'", "b@kommun.se"},
        {"mail | after_last '@'", "kommun.se"},
        {"mail | before '@'", "a"},
        {"action | without 'deny'", ""},
        {"ip | unlike ip", ""},
        {"ip | unlike port", "192.0.2.7"},
        {"ip | unlike empty", "192.0.2.7"},
        {"ip + 'x' | before 'x' | unlike ip", ""},
        {"action | last 2", "ny"},
        {"action | last '4'", "Deny"},
        {"action | last 400", "Deny"},
        {"action | last 0", ""},
        {"quoted | trim '\"'", "x"},
        {"path | basename", "cmd.exe"},
        {"path | dirname", "C:\\Windows"},
        {"path | extension", "exe"},
        {"dir | basename", "passwd"},
        {"dir | dirname", "/etc"},
        {"dir | extension", ""},
        {"ip | ip", "192.0.2.7"},
        {"ip | name", ""},
        {"action | ip", ""},
        {"action | name", "Deny"},
        {"port | number", "443"},
        {"action | number", ""},
        {"hex | unhex", "500"},
        {"port | unhex", "443"},
        {"action | unhex", "Deny"},
        {"action | table actions", "denied end"},
        {"port | table actions", "info"},
        {"dash | table actions", ""},
        {"dash | default 'none'", "none"},
        {"ip | default 'none'", "192.0.2.7"},
        {"\"Process Name\"", "lsass"},
        {"date | strptime '%Y-%m-%d'", "2026-11-26T00:00:00.000Z"},
        {"date | strptime '%d'", ""},
        {"clock | strptime '%m/%d/%y-%H:%M:%S'", "2026-11-26T08:15:00.123456Z"},
        {"clock + '4567890' | strptime '%m/%d/%y-%H:%M:%S'", ""},
        {"clock + 'x' | strptime '%m/%d/%y-%H:%M:%S'", ""},
        {"date + '.' | strptime '%Y-%m-%d'", ""},
        {"action | time", ""},
        {"'it''s'", "it's"},
    };
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[256];
        if (strcmp(compute(cases[i].expr, out), cases[i].want) != 0)
            test_fail(__FILE__, __LINE__, "%s: %s, not %s", cases[i].expr, out, cases[i].want);
    }
    arena_done(&arena);
}

TEST(times_without_a_year_are_the_last_ones)
{
    static const struct {
        const char *now, *expr, *want;
    } cases[] = {
        {"2026-01-01T00:00:10Z", "'Dec 31 23:59:59' | time", "2025-12-31T23:59:59.000Z"},
        {"2025-12-31T23:59:50Z", "'Jan  1 00:00:01' | time", "2026-01-01T00:00:01.000Z"},
        {"2025-12-31T23:59:50Z", "'Jan  3 00:00:01' | time", "2025-01-03T00:00:01.000Z"},
        {"2025-12-31T23:59:50Z", "'Jan  3 2026 00:00:01' | time", "2026-01-03T00:00:01.000Z"},
        {"2025-01-05T00:00:00Z", "'Feb 29 10:00:00' | time", "2024-02-29T10:00:00.000Z"},
        {"2026-01-05T00:00:00Z", "'Feb 29 10:00:00' | time", ""},
        {"2026-01-05T00:00:00Z", "'Feb 30 10:00:00' | time", ""},
        {"2026-01-01T00:00:10Z", "'31.12. 23:59:59' | strptime '%d.%m. %H:%M:%S'",
         "2025-12-31T23:59:59.000Z"},
        {"2025-12-31T23:59:50Z", "'1.1. 00:00:01' | strptime '%d.%m. %H:%M:%S'",
         "2026-01-01T00:00:01.000Z"},
        {"2025-01-05T00:00:00Z", "'29.2. 10' | strptime '%d.%m. %H'", "2024-02-29T10:00:00.000Z"},
        {"2026-01-01T00:00:10Z", "'31.12.2036' | strptime '%d.%m.%Y'", "2036-12-31T00:00:00.000Z"},
        {"2026-01-01T00:00:10Z", "'31.12.9999' | strptime '%d.%m.%Y'", ""},
        {"2026-01-01T00:00:10Z", "'2016-12-31T23:59:60Z' | time", "2017-01-01T00:00:00.000Z"},
    };
    const nsec before = now;
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[256];
        REQUIRE(time_parse(slice_of(cases[i].now), 0, &now));
        if (strcmp(compute(cases[i].expr, out), cases[i].want) != 0)
            test_fail(__FILE__, __LINE__, "%s at %s: %s", cases[i].expr, cases[i].now, out);
    }
    now = TIME_NONE;
    char out[256];
    CHECK(strcmp(compute("'Dec 31 23:59:59' | time", out), "") == 0);
    CHECK(strcmp(compute("'Dec 31 2025 23:59:59' | time", out), "2025-12-31T23:59:59.000Z") == 0);
    now = before;
    arena_done(&arena);
}

TEST(mistakes_are_refused)
{
    static const struct {
        const char *expr, *why;
    } cases[] = {
        {"", "name or a text is missing"},
        {"nope", "not a name"},
        {"ip +", "name or a text is missing"},
        {"ip | nope", "no such function"},
        {"ip | lower | all", "directly behind one field"},
        {"ip + port | all", "directly behind one field"},
        {"'x' | all", "directly behind one field"},
        {"ip | before", "needs a text"},
        {"ip | before 'x", "quote is missing"},
        {"ip | last x", "needs a number"},
        {"ip | last", "needs a text"},
        {"ip | table nope", "no such table"},
        {"ip | unlike nope", "not a name"},
        {"ip | unlike", "needs a text"},
        {"ip port", "missing here"},
        {"'x", "quote is missing"},
        {"ip |", "no such function"},
        {"ip or", "missing here"},
        {"ip or or", "not a name"},
    };
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct expr *e;
        const char *why = "";
        CHECK(read(cases[i].expr, &e, &why) < 0);
        if (!strstr(why, cases[i].why)) test_fail(__FILE__, __LINE__, "%s: %s", cases[i].expr, why);
    }
    char many[EXPR_LEN_MAX + 8];
    memset(many, ' ', sizeof many);
    many[0] = '\'';
    const struct expr *e;
    const char *why;
    const struct expr_world world = {.field = field_number, .table = table_of};
    size_t at;
    CHECK_INT(expr_read(&arena, slice_make(many, sizeof many), &world, &e, &why, &at), ERR_LIMIT);
    CHECK_INT(
        read("ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip+ip"
             "+ip+ip+ip+ip+ip+ip",
             &e, &why),
        ERR_LIMIT);
    arena_done(&arena);
}
