/* SPDX-License-Identifier: EUPL-1.2 */
/* Everything that reads what comes from outside, while memory runs out. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "detect/sigma/set.h"
#include "hunt/chain.h"
#include "hunt/open.h"
#include "hunt/output.h"
#include "hunt/table.h"
#include "torture.h"

/* ---- decoders ---------------------------------------------------------------------------- */

struct source_text {
    const struct decoder_ops *ops;
    struct slice text;
};

static int put_event(void *ctx, struct event *ev)
{
    struct buf *out = ctx;
    buf_printf(out, "%llu", (unsigned long long)ev->record);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        buf_putc(out, '|');
        buf_put(out, keys_name(ev->keys, ev->fields[i].key));
        buf_putc(out, '=');
        buf_put(out, event_text(ev, &ev->fields[i]));
    }
    buf_puts(out, ev->flags & EVENT_CUT ? " cut\n" : "\n");
    return 0;
}

static void put_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct buf *out = ctx;
    buf_printf(out, "bad %llu %llu %s\n", (unsigned long long)offset, (unsigned long long)record,
               reason);
}

static int feed_halves(struct decoder *d, struct slice text)
{
    size_t half = text.len / 2;
    int result = d->ops->feed(d, slice_until(text, half));
    if (result == 0) result = d->ops->feed(d, slice_from(text, half));
    return result ? result : d->ops->finish(d);
}

static int decode(void *ctx, struct buf *out)
{
    const struct source_text *source = ctx;
    const struct decoder_out to = {.ctx = out, .emit = put_event, .bad = put_bad};
    struct keys *keys = keys_new();
    if (!keys) return ERR_NOMEM;
    struct decoder *d = source->ops->open(&to, keys);
    int result = d ? feed_halves(d, source->text) : ERR_NOMEM;
    if (d) d->ops->close(d);
    keys_free(keys);
    return result;
}

/* The key table says that it aborts (event/keys.h). */
static const char *const decoder_asserts[] = {"keys.c:", "auditd.c:intern", NULL};
static const char *const decoder_losses[] = {" cut", "bad ", NULL};

static void torture_decoder(const struct decoder_ops *ops, struct slice text)
{
    struct source_text source = {ops, text};
    torture_run(&(struct torture){
        .run = decode, .ctx = &source, .asserts = decoder_asserts, .told_by = decoder_losses});
}

TEST(json)
{
    torture_decoder(&decoder_json,
                    SLICE("{\"a\":1,\"b\":{\"c\":[\"x\",\"\\u00e5\\ny\"]},\"EventID\":4624}\n"
                          "{\"a\":\"raw \x01 control\",\"d\":null}\nnot json\n"
                          "{\n  \"pretty\": true\n}\n"));
}

TEST(json_array)
{
    torture_decoder(&decoder_json, SLICE("[{\"a\":1},{\"b\":\"\\\"x\"},\n{\"c\":[]}]\n"));
}

TEST(syslog)
{
    torture_decoder(&decoder_syslog,
                    SLICE("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick\n"
                          "<165>1 2003-10-11T22:14:15.003Z host app 12 ID47 [a@1 b=\"c\\\"d\"] hi\n"
                          "Dec  5 01:02:03 srv sshd[1]: Accepted password for root\n"));
}

TEST(csv)
{
    torture_decoder(&decoder_csv, SLICE("time,user,\"what, then\"\n"
                                        "2026-01-01T00:00:00Z,anna,\"a \"\"b\"\"\"\n"
                                        "2026-01-01T00:00:01Z,bo,\"two\nlines\"\n"));
}

TEST(w3c)
{
    torture_decoder(&decoder_w3c, SLICE("#Version: 1.0\n#Fields: a,b,c\nx,\"y \"\"z\"\"\",1\n"
                                        "#Fields: d e\n1 2\n3 4 5\n"));
}

TEST(zeek)
{
    torture_decoder(&decoder_zeek, SLICE("#separator \\x09\n#set_separator\t,\n#empty_field\t"
                                         "(empty)\n#unset_field\t-\n#path\tconn\n"
                                         "#fields\tts\tuid\tid.orig_h\n#types\ttime\tstring\taddr\n"
                                         "1.5\tCabc\t10.0.0.1\n2.5\t-\t10.0.0.2\n"));
}

TEST(auditd)
{
    torture_decoder(
        &decoder_auditd,
        SLICE("type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2 success=no "
              "exit=-13 comm=\"cat\" exe=\"/bin/cat\" key=\"sshd\"\n"
              "type=PATH msg=audit(1364481363.243:24287): item=0 name=2F746D70 inode=1\n"
              "type=USER_LOGIN msg=audit(1364481364.0:2): pid=1 msg='op=login acct=\"root\"'\n"));
}

TEST(evtx)
{
    char path[4096];
    size_t len;
    if (!test_corpus()) SKIP("no VAKA_CORPUS");
    (void)snprintf(path, sizeof path, "%s/evtx-parser-samples/%s", test_corpus(),
                   "new-user-security.evtx");
    char *file = test_read_file(path, &len);
    torture_decoder(&decoder_evtx, slice_make(file, len));
    free(file);
}

/* ---- rules ------------------------------------------------------------------------------- */

static const char rules[] =
    "title: One\nid: 929a690e-bef0-4204-a928-ef5e620d6fcc\nname: one\nlevel: high\n"
    "tags: [attack.execution]\nlogsource:\n    product: windows\ndetection:\n"
    "    a:\n        Image|endswith: ['\\x.exe', '*y?z']\n        Line|re: 'foo.*(bar|baz)'\n"
    "    b:\n        - Address|cidr: 10.0.0.0/8\n          Count|gt: 5\n        - Name: null\n"
    "    c: [word, 'other word']\n    d:\n        Line|base64offset|contains: secret\n"
    "    condition: (a or b) and not 1 of c* or d\n"
    "falsepositives: [Planned work]\n"
    "vaka:\n    respond: {sv: Gör, en: Do}\n    tests:\n        - fires: true\n          event: "
    "{Image: 'C:\\x.exe'}\n"
    "---\n"
    "title: Two\nname: two\ncorrelation:\n    type: value_count\n    rules: one\n"
    "    group-by: [User]\n    timespan: 5m\n    condition: {gte: 3, field: Host}\n"
    "    aliases: {User: {one: TargetUserName}}\n"
    "---\n"
    "title: Three\ncorrelation:\n    type: temporal\n    timespan: 1h\n    condition: one and not "
    "two\n"
    "---\n"
    "title: Filter\nlogsource:\n    product: windows\nfilter:\n    rules: [one]\n"
    "    s:\n        User|startswith: adm_\n    condition: not s\n"
    "---\n"
    "title: Refused\nlogsource:\n    product: windows\ndetection:\n    a:\n        F|nothing: x\n"
    "    condition: a\n";

static void put_set(struct buf *out, const struct sigma_set *set)
{
    for (uint32_t i = 0; i < set->n_rules; i++)
        buf_printf(out, "rule %.*s %d\n", SLICE_FMT(set->rules[i]->doc->title),
                   (int)set->rules[i]->silent);
    for (uint32_t i = 0; i < set->n_correlations; i++)
        buf_printf(out, "correlation %.*s\n", SLICE_FMT(set->correlations[i]->doc->title));
    for (uint32_t i = 0; i < set->n_refusals; i++)
        buf_printf(out, "refused %u:%u %s\n", set->refusals[i].diag.line,
                   set->refusals[i].diag.column, set->refusals[i].diag.message);
    buf_printf(out, "%u filters\n", set->n_filters);
}

static int read_rules(void *ctx, struct buf *out)
{
    (void)ctx;
    struct sigma_set *set = sigma_set_new();
    if (!set) return ERR_NOMEM;
    int result = sigma_set_add_text(set, "r.yml", slice_make(rules, sizeof rules - 1), NULL);
    if (result == 0) result = sigma_set_finish(set);
    if (result == 0) put_set(out, set);
    sigma_set_free(set);
    return result;
}

TEST(rules)
{
    torture_run(&(struct torture){.run = read_rules});
}

static int read_placeholders(void *ctx, struct buf *out)
{
    (void)ctx;
    struct diag diag;
    struct placeholders *p = placeholders_new();
    if (!p) return ERR_NOMEM;
    int result = placeholders_read(p, "p.yml", SLICE("admins: [anna, bo]\nservers: srv*\n"), &diag);
    if (result == 0) buf_puts(out, "read");
    placeholders_free(p);
    return result;
}

TEST(placeholders)
{
    torture_run(&(struct torture){.run = read_placeholders});
}

/* ---- archives ---------------------------------------------------------------------------- */

static void opened(void *ctx, struct slice name, const struct decoder_ops *format)
{
    (void)format;
    buf_put(ctx, name);
    buf_puts(ctx, " begins\n");
}
static void closed(void *ctx)
{
    buf_puts(ctx, "ends\n");
}
static void unreadable(void *ctx, struct slice name, struct slice why)
{
    buf_put(ctx, name);
    buf_puts(ctx, ": ");
    buf_put(ctx, why);
}
static int goes_on(void *ctx, uint64_t position, uint64_t bytes)
{
    (void)ctx;
    (void)position;
    (void)bytes;
    return 0;
}

enum { ARCHIVE_SIZE = 41 };

static int open_archive(void *ctx, struct buf *out)
{
    const struct open_events events = {.ctx = out,
                                       .begin = opened,
                                       .end = closed,
                                       .unreadable = unreadable,
                                       .progress = goes_on,
                                       .emit = put_event,
                                       .bad = put_bad};
    const struct open_input in = {
        .fd = *(int *)ctx, .regular = true, .size = ARCHIVE_SIZE, .name = SLICE("a.gz")};
    struct open_split split;
    struct keys *keys = keys_new();
    if (!keys) return ERR_NOMEM;
    int result = open_file(&in, keys, &events, 0, &split);
    keys_free(keys);
    return result;
}

TEST(gzip)
{
    /* {"a":1} and {"b":"x"}, one a line, in a stored block (RFC 1951, 3.2.4). */
    static const char bytes[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03"
                                "\x01\x12\0\xed\xff"
                                "{\"a\":1}\n{\"b\":\"x\"}\n"
                                "\x9a\x9c\xb1\x7c\x12\0\0\0";
    int fd = memfd_create("a.gz", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    REQUIRE(write(fd, bytes, ARCHIVE_SIZE) == ARCHIVE_SIZE);
    torture_run(&(struct torture){
        .run = open_archive, .ctx = &fd, .asserts = decoder_asserts, .told_by = decoder_losses});
    (void)close(fd);
}

/* ---- what the hunt keeps ----------------------------------------------------------------- */

static struct sigma_set *load_rules(void)
{
    struct sigma_set *set = sigma_set_new();
    REQUIRE(set);
    REQUIRE(sigma_set_add_text(set, "r.yml", slice_make(rules, sizeof rules - 1), NULL) == 0);
    REQUIRE(sigma_set_finish(set) == 0);
    REQUIRE(set->n_rules == 1 && set->n_correlations == 2);
    return set;
}

/* What the table prints: its rows, by what stands in them. */
static void count_rows(void *ctx, struct slice text)
{
    uint32_t *rows = ctx;
    for (size_t at; (at = slice_find(text, SLICE("  One   srv"))) != SIZE_MAX; ++*rows)
        text = slice_from(text, at + 1);
}

/*
 * What the table cannot keep it prints early, in a run of its own, so only the number of rows is
 * compared: none may be missing.
 */
static int fill_table(void *ctx, struct buf *out)
{
    const struct sigma_set *set = ctx;
    const struct output_options options = {
        .format = HUNT_TABLE, .utc = true, .width = 100, .set = set};
    uint32_t rows = 0;
    struct table *t = table_new(&options, &rows, count_rows);
    if (!t) return ERR_NOMEM;
    for (int i = 0; i < 1100; i++) {
        char host[16];
        (void)snprintf(host, sizeof host, "srv%d", i % 7);
        table_add(t, &(struct table_row){.time = i * NSEC_PER_SEC,
                                         .doc = set->rules[0]->doc,
                                         .host = slice_of(host),
                                         .details = slice_of(host)});
    }
    table_finish(t, 1100);
    int result = table_failed(t) ? ERR_NOMEM : 0;
    table_free(t);
    buf_printf(out, "%u rows", rows);
    return result;
}

TEST(table)
{
    struct sigma_set *set = load_rules();
    torture_run(&(struct torture){.run = fill_table, .ctx = set});
    sigma_set_free(set);
}

/* Lines: one that was not composed whole must be an error, not half a line. */
static int write_lines(void *ctx, struct buf *out)
{
    char text[4096];
    int fd = memfd_create("out", MFD_CLOEXEC);
    const struct output_options options = {
        .format = HUNT_JSON, .fd = fd, .terminal = true, .set = ctx};
    struct output *o = fd < 0 ? NULL : output_new(&options);
    const struct message_alert alert = {.splice = 10,
                                        .line = SLICE("{\"record\":,\"a\":\"\x1b[\"}\n")};
    for (uint64_t i = 0; o && i < 50; i++) output_alert(o, &alert, i);
    if (o) output_finish(o, 50);
    int result = o && !output_error(o) ? 0 : ERR_NOMEM;
    output_free(o);
    ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof text, 0);
    if (n > 0) buf_put(out, slice_make(text, (size_t)n));
    if (fd >= 0) (void)close(fd);
    return result;
}

TEST(lines)
{
    struct sigma_set *set = load_rules();
    torture_run(&(struct torture){.run = write_lines, .ctx = set});
    sigma_set_free(set);
}

static void put_firing(void *ctx, const struct correlator_firing *f, const struct line_ref *refs)
{
    struct buf *out = ctx;
    buf_printf(out, "%.*s %g", SLICE_FMT(f->rule->doc->title), f->count);
    for (uint32_t i = 0; i < f->n_refs; i++)
        buf_printf(out, " %.*s:%llu", SLICE_FMT(refs[i].source),
                   (unsigned long long)refs[i].record);
    buf_putc(out, '\n');
}

static void put_refused(void *ctx, const struct sigma_corr_rule *rule, const char *why)
{
    buf_printf(ctx, "%.*s: %s\n", SLICE_FMT(rule->doc->title), why);
}

static void add_tuples(struct chain *c)
{
    struct correlator_wants wants;
    correlator_wants(chain_correlator(c), 0, &wants);
    for (unsigned i = 0; i < 300; i++) {
        char space[512];
        struct buf body = {.ptr = space, .cap = sizeof space, .max = sizeof space};
        struct slice values[8] = {0};
        for (uint32_t k = 0; k < wants.n_fields && k < 8; k++)
            values[k] = slice_make(&"abcdefghijklmnop"[i % 11], 4);
        correlator_tuple_write(&body, &(struct correlator_tuple){.time = i * NSEC_PER_SEC,
                                                                 .values = values,
                                                                 .n_values = wants.n_fields});
        const struct message_tuple m = {.source = i < 150 ? SLICE("first") : SLICE("second"),
                                        .body = buf_slice(&body)};
        chain_add(c, &m, i);
    }
}

static int run_chain(void *ctx, struct buf *out)
{
    struct correlator_stats stats;
    const struct chain_options memory = {
        .seed = 1, .state_max = 64 * 1024 * 1024, .sort_max = 64 * 1024 * 1024};
    struct chain *c = chain_new(ctx, &memory, out, put_firing, put_refused);
    if (!c) return ERR_NOMEM;
    add_tuples(c);
    chain_finish(c);
    chain_get_stats(c, &stats);
    int result = stats.evicted || stats.truncated || chain_lost(c) ? ERR_NOMEM : 0;
    chain_free(c);
    return result;
}

/* The name of a source for which there was no memory. */
static const char *const chain_losses[] = {"?:", NULL};

TEST(chain)
{
    struct sigma_set *set = load_rules();
    torture_run(&(struct torture){.run = run_chain, .ctx = set, .told_by = chain_losses});
    sigma_set_free(set);
}
