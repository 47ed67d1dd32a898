/* SPDX-License-Identifier: EUPL-1.2 */
#include "query/query.h"

#include "detect/dump_expr.h"
#include "test.h"
#include "wording/wording.h"

/* 2026-12-23T21:47:00Z */
#define NOW (INT64_C(1798062420) * NSEC_PER_SEC)

struct reading {
    struct arena arena;
    struct query query;
    struct diag diag;
    struct buf out;
    int error;
};

static void read_query(struct reading *r, struct slice text)
{
    const struct query_options options = {.when.now = NOW};
    *r = (struct reading){0};
    arena_init(&r->arena, 64 << 20);
    buf_init(&r->out, 1 << 20);
    r->error = query_read(&r->arena, text, &options, &r->query, &r->diag);
}

static void reading_done(struct reading *r)
{
    arena_done(&r->arena);
    buf_done(&r->out);
}

TEST(filters)
{
    static const struct {
        const char *query, *tree;
    } cases[] = {
        {"", "true"},
        {"  ", "true"},
        {"| count", "true"},
        {"*", "true"},
        /* free text */
        {"root", ":root"},
        {"Root", ":root"},
        {"failed root", "(:failed | :root)"},
        {"\"failed  Root\"", ":failed  root"},
        {"fail*", ":fail*"},
        {"*ail* x*", "(:*ail* | :x*)"},
        {"\"fail*\"", ":fail[*]"},
        {"10.0.0.5", ":10.0.0.5"},
        {"not root", "-:root"},
        {"NOT not root", ":root"},
        {"nothing", ":nothing"},
        {"oracle android", "(:oracle | :android)"},
        /* fields */
        {"f: a", "f=a"},
        {"f:a", "f=a"},
        {"f :a", "f=a"},
        {"f: \"A b\"", "f=a b"},
        {"f: A b", "f=a b"},
        {"f: a* b", "f=a* b"},
        {"f: \"*\"", "f=[*]"},
        {"f: \\*", "f=[*]"},
        {"f: \"\"", "f="},
        {"Threat Name: x", "ThreatName=x"},
        {"\"Threat Name\": x", "ThreatName=x"},
        {"f: *", "-f=null"},
        {"f.*: x", "f.\xff=x"},
        {"*: x", "\xff=x"},
        {"f\\*: x", "f*=x"},
        {"\"f*\": x", "f*=x"},
        {"not f: *", "f=null"},
        {"f: 4625", "f=4625#"},
        {"f: \"4625\"", "f=4625#"},
        {"f: 400 401 404", "(f=400# | f=401# | f=404#)"},
        {"f: true", "f=true"},
        {"message: failed root", "(message:failed | message:root)"},
        {"message: \"failed root\"", "message:failed root"},
        {"message: *fail*", "message:*fail*"},
        {"message: *", "-message=null"},
        {"f: C:/x", "f=c:/x"},
        {"f: \"c:\\x\\\\y\\\"z\"", "f=c:\\x\\y\"z"},
        {"f: a\\:b\\(c\\)", "f=a:b(c)"},
        {"f: \\and", "f=and"},
        {"f: x \\or y", "f=x or y"},
        {"f: x\\|y", "f=x|y"},
        {"f: \\u00e5x", "f=\xc3\xa5x"},
        {"f: \"\\u00C5\\t\"", "f=\xc3\xa5<09>"},
        /* addresses */
        {"f: 10.0.0.0/8", "(f=10.0.0.0/8 | f@10.0.0.0/8)"},
        {"f: \"10.0.0.0/8\"", "(f=10.0.0.0/8 | f@10.0.0.0/8)"},
        {"f: 10.0.0.5", "(f=10.0.0.5 | f=::ffff:10.0.0.5)"},
        {"f: fe80::1", "(f=fe80::1 | f@fe800000000000000000000000000001/128)"},
        {"f: ::ffff:10.0.0.5", "(f=::ffff:10.0.0.5 | f@10.0.0.5/32)"},
        {"f: 2001:db8::/32", "(f=2001:db8::/32 | f@20010db8000000000000000000000000/32)"},
        {"f: 10.0.0.*", "f=10.0.0.*"},
        /* ranges */
        {"f > 5", "f>5"},
        {"f>=5.5", "f>=5.5"},
        {"f < -1", "f<-1"},
        {"f <= 1e3", "f<=1000"},
        {"f >= \"2026-12-23T21:47:00Z\"", "f.point>=1798062420"},
        {"f >= 2026-12-23T21:47:00Z", "f.point>=1798062420"},
        {"f < now-1h", "f.point<1798058820"},
        {"f < -1h", "f.point<1798058820"},
        /* operators */
        {"a and b or c and d", "((:a & :b) | (:c & :d))"},
        {"a or b and c or d", "(:a | (:b & :c) | :d)"},
        {"(a or b) and c", "((:a | :b) & :c)"},
        {"a AND b Or c", "((:a & :b) | :c)"},
        {"not a and b", "(-:a & :b)"},
        {"not (a and b)", "-(:a & :b)"},
        {"not(a)", "-:a"},
        {"((a))", ":a"},
        {"f: (a or b)", "(f=a | f=b)"},
        {"f: (a b or c)", "(f=a b | f=c)"},
        {"f:(a or not (b and \"c d\"))", "(f=a | -(f=b & f=c d))"},
        {"f: (10.0.0.0/8 or *x)", "(f=10.0.0.0/8 | f@10.0.0.0/8 | f=*x)"},
        {"a and *", ":a"},
        {"a or *", "true"},
        {"f: a and g > 1 and not h: *", "(f=a & g>1 & h=null)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r;
        read_query(&r, slice_of(cases[i].query));
        if (r.error) buf_printf(&r.out, "%u: %s", r.diag.column, r.diag.message);
        else dump_expr(&r.out, r.query.filter);
        if (!slice_eq(buf_slice(&r.out), slice_of(cases[i].tree)))
            test_fail(__FILE__, __LINE__, "%s: %.*s", cases[i].query, SLICE_FMT(buf_slice(&r.out)));
        reading_done(&r);
    }
}

static void dump_columns(struct buf *out, const struct query_pipe *p)
{
    for (uint32_t i = 0; i < p->n_columns; i++)
        buf_printf(out, "%s%s%u", i ? "," : " ", p->descending[i] ? "-" : "", p->columns[i]);
}

static void dump_group(struct buf *out, const struct query_pipe *p)
{
    static const char *const orders[] = {"", " most", " least"};
    for (uint32_t i = 0; i < p->n_measures; i++) {
        const struct query_measure *m = &p->measures[i];
        buf_printf(out, "%s%s", i ? "," : " ", query_function_name(m->function));
        if (m->percent) buf_printf(out, "%u", m->percent);
        if (m->column != QUERY_NO_COLUMN) buf_printf(out, "(%u)", m->column);
    }
    if (p->span) buf_printf(out, " %llds", (long long)(p->span / NSEC_PER_SEC));
    buf_printf(out, "%s%s%s", orders[p->order], p->share ? " share" : "", p->there ? " there" : "");
}

static void dump_pipes(struct buf *out, const struct query *q)
{
    static const char *const kinds[] = {"group", "table", "sort", "head", "dedup"};
    for (uint32_t i = 0; i < q->n_columns; i++)
        buf_printf(out, "%s%.*s", i ? "," : "", SLICE_FMT(q->columns[i].name));
    for (uint32_t i = 0; i < q->n_pipes; i++) {
        const struct query_pipe *p = &q->pipes[i];
        buf_printf(out, " | %s", kinds[p->kind]);
        if (p->limit) buf_printf(out, " %llu", (unsigned long long)p->limit);
        if (p->kind == QUERY_GROUP) dump_group(out, p);
        dump_columns(out, p);
        for (uint32_t k = 0; k < p->n_names; k++)
            buf_printf(out, "%s%.*s", k ? "," : " = ", SLICE_FMT(p->names[k]));
    }
}

#define ALL         " | table 0,1,2,3,4,5 = _time,_received,_seq,_host,_source,_raw"
#define ALL_COLUMNS "_time,_received,_seq,_host,_source,_raw"

TEST(pipes)
{
    static const struct {
        const char *query, *pipes;
    } cases[] = {
        {"x", ALL_COLUMNS ALL},
        {"x | head", ALL_COLUMNS " | head 10" ALL},
        {"x | head 3", ALL_COLUMNS " | head 3" ALL},
        {"x|HEAD 3", ALL_COLUMNS " | head 3" ALL},
        {"x | count", " | group count most = count"},
        {"x | count by f", "f | group count most 0 = f,count"},
        {"x | count by f, g", "f,g | group count most 0,1 = f,g,count"},
        {"x | count by \"f g\"", "f g | group count most 0 = f g,count"},
        {"x | top f", "f | group 10 count most share there 0 = f,count,percent"},
        {"x | top 5 f,g", "f,g | group 5 count most share there 0,1 = f,g,count,percent"},
        {"x | rare 2 f", "f | group 2 count least share there 0 = f,count,percent"},
        {"x | stats count", " | group count = count"},
        {"x | stats", " | group count = count"},
        {"x | stats by f", "f | group count 0 = f,count"},
        {"x | stats count, distinct(f), sum(g) as s, avg(g),min(g) , max(g), p50(g), p99(g) by h",
         "f,g,h | group count,distinct(0),sum(1),avg(1),min(1),max(1),p50(1),p99(1) 2 = "
         "h,count,distinct(f),s,avg(g),min(g),max(g),p50(g),p99(g)"},
        {"x | stats count(f)", "f | group count(0) = count(f)"},
        {"x | timechart 5m", "_time | group count 300s 0 = _time,count"},
        {"x | timechart 1d sum(f) by g", "_time,f,g | group sum(1) 86400s 0,2 = _time,g,sum(f)"},
        {"x | timechart 1h by g", "_time,g | group count 3600s 0,1 = _time,g,count"},
        {"x | timechart 1h of _received by g",
         "_received,g | group count 3600s 0,1 = _time,g,count"},
        {"x | table a,b", "a,b | table 0,1 = a,b"},
        {"x | table b | table b", "b | table 0 = b | table 0 = b"},
        {"x | table _time, _raw", "_time,_raw | table 0,1 = _time,_raw"},
        {"x | count by f | sort -count, f | head 2",
         "f | group count most 0 = f,count | sort -1,0 | head 2"},
        {"x | sort +f | dedup g | table f", "f,g | sort 0 | dedup 1 | table 0 = f"},
        {"x | dedup f,f", "f,_time,_received,_seq,_host,_source,_raw | dedup 0,0 | table "
                          "1,2,3,4,5,6 = _time,_received,_seq,_host,_source,_raw"},
        {"x | count by f | stats sum(count), avg(count) as mean",
         "f | group count most 0 = f,count | group sum(1),avg(1) = sum(count),mean"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r;
        read_query(&r, slice_of(cases[i].query));
        if (r.error) buf_printf(&r.out, "%u: %s", r.diag.column, r.diag.message);
        else dump_pipes(&r.out, &r.query);
        if (!slice_eq(buf_slice(&r.out), slice_of(cases[i].pipes)))
            test_fail(__FILE__, __LINE__, "%s: %.*s", cases[i].query, SLICE_FMT(buf_slice(&r.out)));
        reading_done(&r);
    }
}

TEST(mistakes_have_a_place_and_a_hint)
{
    static const struct {
        const char *query;
        unsigned column;
        const char *message; /* that it begins with */
    } cases[] = {
        {"a and", 6, "a value is expected here"},
        {"and a", 1, "a value is expected here; a word that is an operator"},
        {"a and or b", 7, "a value is expected here; a word"},
        {"not", 4, "a value is expected here"},
        {"f: and", 4, "a value is expected here; a word"},
        {"f:", 3, "a value is expected here"},
        {"f: | count", 4, "a value is expected here"},
        {": a", 1, "a value is expected here"},
        {"(a", 1, "this parenthesis is not closed"},
        {"x and (a | count", 7, "this parenthesis is not closed"},
        {"a)", 2, "no parenthesis is open here"},
        {"f: (a b: c)", 8, "`and`, `or` or `)` is expected here"},
        {"f: ()", 5, "a value is expected here"},
        {"f: \"a", 4, "this quote is not closed"},
        {"f: c:\\windows", 6, "a backslash stands before a special character here"},
        {"f: a\\", 5, "a backslash"},
        {"f: {g: 1}", 4, "nested fields in braces are not told apart; write f.NAME: VALUE"},
        {"a {b}", 3, "a brace goes into quotes"},
        {"a \"b\"", 3, "`and` or `or` is missing before this"},
        {"\"a\" b", 5, "`and`, `or`, `|` or the end is expected here"},
        {"f: a g: b", 7, "a second colon"},
        {"f: > 5", 4, "a range has no colon: write `f > ...`"},
        {"f > x", 5, "only numbers and points in time have an order"},
        {"f > 10.0.0.1", 5, "only numbers"},
        {"f >", 4, "a number or a time is expected here"},
        {"f: 10.0.0.5/8", 4, "this network has bits set behind its prefix length"},
        {"f: 10.0.0.0/33", 4, "a network's prefix length is a number up to 32"},
        {"\"\"", 1, "an empty text is in everything"},
        {"message: \"\" and \"\"", 17, "an empty text is in everything"},
        {"a\n  and\n  (b", 3, "this parenthesis is not closed"},
        {"\xc3\xa5 and \xff", 7, "this byte is no text in UTF-8"},
        {"x |", 4, "a pipe is expected here"},
        {"x | | count", 5, "a pipe is expected here"},
        {"x | cuont", 5,
         "`cuont` is none of count, top, rare, stats, timechart, table, sort, head "
         "and dedup; did you mean `count`?"},
        {"x | count f", 11, "`|` or the end is expected here"},
        {"x | count by", 13, "a field is expected here"},
        {"x | count by f,", 16, "a field is expected here"},
        {"x | top 0 f", 9, "a whole number from 1 to"},
        {"x | top 5", 10, "a field is expected here"},
        {"x | head x", 10, "`|` or the end is expected here"},
        {"x | head 99999999999", 10, "a whole number from 1 to"},
        {"x | timechart by f", 15, "how long a step is comes first"},
        {"x | timechart 3651d", 15, "how long a step is comes first"},
        {"x | timechart 5", 15, "how long a step is comes first"},
        {"x | timechart 5m of  f", 22, "steps are of `_time` or of `_received`"},
        {"x | stats summ(f)", 11,
         "`summ` is none of count, distinct, sum, avg, min, max and p1 to "
         "p99; did you mean `sum`?"},
        {"x | stats sum", 14, "the field is missing: sum(...)"},
        {"x | stats p100(f)", 11, "`p100` is none of"},
        {"x | stats sum(f", 16, "`)` is expected here"},
        {"x | stats sum(f), sum(f)", 19, "two columns are called `sum(f)`"},
        {"x | stats count by f, f", 11, "two columns are called `f`"},
        {"x | stats count as", 19, "a name is expected here"},
        {"x | table f, f", 14, "two columns are called `f`"},
        {"x | sort f desc", 13, "the highest come first with a minus"},
        {"x | count by user.name | sort -user.nmae", 32,
         "there is no column `user.nmae` any more here; did you mean `user.name`?"},
        {"x | count | table f", 19, "there is no column `f` any more here"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r;
        read_query(&r, slice_of(cases[i].query));
        struct slice message = slice_of(r.diag.message);
        if (!r.error || r.diag.column != cases[i].column ||
            !slice_starts_with(message, slice_of(cases[i].message)))
            test_fail(__FILE__, __LINE__, "%s: %u: %s", cases[i].query, r.diag.column,
                      r.diag.message);
        if (!wording_swedish(&r.out, message))
            test_fail(__FILE__, __LINE__, "no Swedish: %s", r.diag.message);
        reading_done(&r);
    }
}

TEST(the_place_is_shown)
{
    struct reading r;
    struct slice text = SLICE("f: \xc3\xa5 and\nuser.name: (a or b | count");
    read_query(&r, text);
    REQUIRE(r.error == ERR_SYNTAX);
    CHECK_INT(r.diag.line, 2);
    query_show_place(&r.out, text, &r.diag);
    CHECK_SLICE(buf_slice(&r.out), "    user.name: (a or b | count\n               ^\n");
    reading_done(&r);
}

static void check_limit(const char *head, const char *part, unsigned n, const char *tail, int error)
{
    struct reading r;
    struct buf text;
    buf_init(&text, 1 << 22);
    buf_puts(&text, head);
    for (unsigned i = 0; i < n; i++) buf_puts(&text, part);
    buf_puts(&text, tail);
    read_query(&r, buf_slice(&text));
    if (r.error != error) test_fail(__FILE__, __LINE__, "%s x %u: %d", part, n, r.error);
    CHECK((r.error == 0) == (r.diag.message[0] == '\0'));
    reading_done(&r);
    buf_done(&text);
}

TEST(limits)
{
    check_limit("", "(", QUERY_DEPTH_MAX, "a", ERR_SYNTAX);
    check_limit("", "(", QUERY_DEPTH_MAX + 1, "a", ERR_LIMIT);
    check_limit("a", " or a", QUERY_TERMS_MAX - 1, "", 0);
    check_limit("a", " or a", QUERY_TERMS_MAX, "", ERR_LIMIT);
    check_limit("a", "a", QUERY_TEXT_MAX - 1, "", 0);
    check_limit("a", "a", QUERY_TEXT_MAX, "", ERR_LIMIT);
    check_limit("", "not ", 5000, "a", 0);
    check_limit("a", "|head", QUERY_PIPES_MAX, "", 0);
    check_limit("a", "|head", QUERY_PIPES_MAX + 1, "", ERR_LIMIT);
    check_limit("a|table x", ",y", QUERY_FIELDS_MAX, "", ERR_INVALID);
    check_limit("a|sort x", ",y", QUERY_FIELDS_MAX - 1, "", 0);
    check_limit("a|sort x", ",y", QUERY_FIELDS_MAX, "", ERR_LIMIT);
}
