/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The text decoders over third-party logs: each file is recognised as what it is, gives one event
 * for each line that holds a record, and the same events however it is cut. Zeek's own JSON of the
 * same traffic says what its tab-separated values mean.
 */
#include <dirent.h>

#include "trace.h"

enum { PATH_BUF = 4096 };

/* Calls fn for every regular file below `dir` whose name ends in `suffix`, in order of names. */
static unsigned for_each_file(const char *dir, const char *suffix, int depth,
                              void (*fn)(void *ctx, const char *path), void *ctx)
{
    struct dirent **entries;
    unsigned n = 0;
    int count = scandir(dir, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char *path;
        REQUIRE(asprintf(&path, "%s/%s", dir, name) > 0);
        if (entries[i]->d_type == DT_DIR && name[0] != '.' && depth > 0)
            n += for_each_file(path, suffix, depth - 1, fn, ctx);
        if (entries[i]->d_type == DT_REG && slice_ends_with(slice_of(name), slice_of(suffix))) {
            fn(ctx, path);
            n++;
        }
        free(path);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    return n;
}

static struct slice read_gzip(const char *path, struct buf *storage)
{
    char command[PATH_BUF + 32];
    (void)snprintf(command, sizeof command, "gzip -dc '%s'", path);
    FILE *f = popen(command, "re");
    REQUIRE(f != NULL);
    buf_init(storage, 256 << 20);
    for (;;) {
        char *p = buf_reserve(storage, 65536);
        REQUIRE(p != NULL);
        size_t n = fread(p, 1, 65536, f);
        if (n == 0) break;
        storage->len += n;
    }
    CHECK_INT(pclose(f), 0);
    return buf_slice(storage);
}

static uint64_t count_lines(struct slice text, bool (*is_record)(struct slice line))
{
    uint64_t n = 0;
    struct slice line;
    while (text.len) {
        (void)slice_split(text, '\n', &line, &text);
        if (is_record(slice_trim(line))) n++;
    }
    return n;
}

static bool is_audit_record(struct slice line)
{
    return slice_starts_with(line, SLICE("type=")) || slice_starts_with(line, SLICE("node="));
}

static bool is_zeek_record(struct slice line)
{
    return line.len && line.ptr[0] != '#';
}

static bool is_not_blank(struct slice line)
{
    return line.len != 0;
}

struct totals {
    uint64_t files, records, fields;
    uint64_t by_format[8];
};

/* Decodes whole and in pieces of an odd size; both must agree. Returns the events. */
static uint64_t decode(const struct decoder_ops *ops, const char *path, struct slice in,
                       uint64_t *ret_bad)
{
    struct trace whole, pieces;
    trace_init(&whole, true);
    trace_init(&pieces, true);
    CHECK_INT(trace_run(&whole, ops, in, 0, 0), 0);
    CHECK_INT(trace_run(&pieces, ops, in, 0, 977), 0);
    if (!slice_eq(buf_slice(&whole.text), buf_slice(&pieces.text)))
        test_fail(__FILE__, __LINE__, "%s differs when cut", path);
    uint64_t events = whole.events;
    *ret_bad = whole.bad;
    trace_done(&whole);
    trace_done(&pieces);
    return events;
}

static void check_file(struct totals *totals, const struct decoder_ops *ops, const char *path,
                       struct slice in, bool (*is_record)(struct slice line))
{
    uint64_t bad = 0, events = decode(ops, path, in, &bad), want = count_lines(in, is_record);
    if (events != want)
        test_fail(__FILE__, __LINE__, "%s: %llu events of %llu records", path,
                  (unsigned long long)events, (unsigned long long)want);
    totals->files++;
    totals->records += events;
}

static const char *sniff_name(struct slice in)
{
    const struct decoder_ops *ops = decoder_sniff(slice_until(in, 4096), in.len <= 4096);
    return ops ? ops->name : "none";
}

static void check_sniff(const char *path, struct slice in, const char *want)
{
    const char *got = sniff_name(in);
    if (!slice_eq(slice_of(got), slice_of(want)))
        test_fail(__FILE__, __LINE__, "%s is taken for %s, not %s", path, got, want);
}

static void auditd_file(void *ctx, const char *path)
{
    size_t len;
    char *data = test_read_file(path, &len);
    struct slice in = slice_make(data, len);
    check_file(ctx, &decoder_auditd, path, in, is_audit_record);
    if (slice_starts_with(in, SLICE("type="))) check_sniff(path, in, "auditd");
    free(data);
}

TEST(text_corpus_laurel_auditd)
{
    if (!test_corpus()) SKIP("VAKA_CORPUS is not set");
    char dir[PATH_BUF];
    struct totals totals = {0};
    (void)snprintf(dir, sizeof dir, "%s/laurel-auditd", test_corpus());
    (void)for_each_file(dir, ".txt", 0, auditd_file, &totals);
    CHECK(totals.files >= 20 && totals.records >= 400);
    printf("# auditd: %llu files, %llu records\n", (unsigned long long)totals.files,
           (unsigned long long)totals.records);
}

/* One line for each event of Zeek's JSON: |name=value| … */
static int render_json(void *ctx, struct event *ev)
{
    struct buf *b = ctx;
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct slice value = event_text(ev, &ev->fields[i]);
        buf_putc(b, '\x1e');
        buf_put(b, keys_name(ev->keys, ev->fields[i].key));
        buf_putc(b, '=');
        buf_put(b, value);
        buf_putc(b, '\x1e');
    }
    buf_putc(b, '\0');
    return 0;
}

static void no_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)ctx;
    test_fail(__FILE__, __LINE__, "record %llu at %llu: %s", (unsigned long long)record,
              (unsigned long long)offset, reason);
}

struct twin {
    struct slice json; /* what render_json() wrote and is not yet compared */
    struct buf pair;
    const char *path;
    uint64_t fields;
};

/* Every text and bool of the tab-separated record stands in its JSON twin. */
static int compare_twin(void *ctx, struct event *ev)
{
    struct twin *t = ctx;
    struct slice twin;
    if (!slice_split(t->json, '\0', &twin, &t->json)) return ERR_TRUNCATED;
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        if (f->type == VALUE_NUMBER || f->value.len == 0) continue;
        buf_clear(&t->pair);
        buf_putc(&t->pair, '\x1e');
        buf_put(&t->pair, keys_name(ev->keys, f->key));
        buf_putc(&t->pair, '=');
        buf_put(&t->pair, f->value);
        buf_putc(&t->pair, '\x1e');
        /* Zeek's JSON has the text \xHH for bytes that are not printable ASCII. */
        bool ascii = true;
        for (size_t k = 0; k < f->value.len; k++)
            if (f->value.ptr[k] < 0x20 || f->value.ptr[k] >= 0x7f) ascii = false;
        if (ascii) t->fields++;
        if (ascii && slice_find(twin, buf_slice(&t->pair)) == SIZE_MAX)
            test_fail(__FILE__, __LINE__, "%s record %llu: no %.*s in JSON", t->path,
                      (unsigned long long)ev->record, SLICE_FMT(buf_slice(&t->pair)));
    }
    return 0;
}

static int run_decoder(const struct decoder_ops *ops, const struct decoder_out *out,
                       struct slice in)
{
    struct keys *keys = keys_new();
    REQUIRE(keys != NULL);
    struct decoder *d = ops->open(out, keys);
    REQUIRE(d != NULL);
    int rc = ops->feed(d, in);
    if (rc == 0) rc = ops->finish(d);
    ops->close(d);
    keys_free(keys);
    return rc;
}

static uint64_t compare_with_json(const char *path, struct slice tsv)
{
    char twin[PATH_BUF];
    struct slice text = slice_of(path);
    size_t at = slice_find(text, SLICE("zeek-default/"));
    struct slice name = slice_from(text, at + 13);
    (void)snprintf(twin, sizeof twin, "%.*szeek-json/%.*s.json.gz", (int)at, path,
                   (int)name.len - 7, name.ptr);
    struct buf storage, rendered;
    struct slice json = read_gzip(twin, &storage);
    check_sniff(twin, json, "json");
    buf_init(&rendered, 256 << 20);
    const struct decoder_out json_out = {.ctx = &rendered, .emit = render_json, .bad = no_bad};
    CHECK_INT(run_decoder(&decoder_json, &json_out, json), 0);
    struct twin t = {.json = buf_slice(&rendered), .path = path};
    buf_init(&t.pair, 1 << 20);
    const struct decoder_out tsv_out = {.ctx = &t, .emit = compare_twin, .bad = no_bad};
    CHECK_INT(run_decoder(&decoder_zeek, &tsv_out, tsv), 0);
    CHECK_INT(t.json.len, 0);
    buf_done(&t.pair);
    buf_done(&rendered);
    buf_done(&storage);
    return t.fields;
}

static void zeek_file(void *ctx, const char *path)
{
    struct totals *totals = ctx;
    struct buf storage;
    struct slice in = read_gzip(path, &storage);
    check_sniff(path, in, "zeek");
    check_file(totals, &decoder_zeek, path, in, is_zeek_record);
    totals->fields += compare_with_json(path, in);
    buf_done(&storage);
}

TEST(text_corpus_zeek_means_what_its_json_says)
{
    if (!test_corpus()) SKIP("VAKA_CORPUS is not set");
    char dir[PATH_BUF];
    struct totals totals = {0};
    (void)snprintf(dir, sizeof dir, "%s/zeek/zeek-default", test_corpus());
    (void)for_each_file(dir, ".gz", 0, zeek_file, &totals);
    CHECK(totals.files >= 30 && totals.records >= 1000);
    printf("# zeek: %llu files, %llu records, %llu values found in the JSON\n",
           (unsigned long long)totals.files, (unsigned long long)totals.records,
           (unsigned long long)totals.fields);
}

static const char *const formats[8] = {"none", "json", "evtx", "syslog", "csv", "zeek", "auditd"};

/* What a person sees in the first line. */
static const char *expected_format(struct slice in)
{
    struct slice text = slice_trim(in);
    if (slice_starts_with(text, SLICE("{"))) return "json";
    if (slice_starts_with(text, SLICE("type=")) &&
        slice_find(slice_until(text, 60), SLICE("msg=audit(")) != SIZE_MAX)
        return "auditd";
    return text.len ? "syslog" : "none";
}

static void hub_file(void *ctx, const char *path)
{
    struct totals *totals = ctx;
    size_t len;
    char *data = test_read_file(path, &len);
    struct slice in = slice_make(data, len);
    const char *got = sniff_name(in);
    check_sniff(path, in, expected_format(in));
    for (size_t i = 0; i < 7; i++)
        if (slice_eq(slice_of(got), slice_of(formats[i]))) totals->by_format[i]++;
    check_file(totals, &decoder_syslog, path, in, is_not_blank);
    free(data);
}

TEST(text_corpus_crowdsec_hub)
{
    if (!test_corpus()) SKIP("VAKA_CORPUS is not set");
    char dir[PATH_BUF];
    struct totals totals = {0};
    (void)snprintf(dir, sizeof dir, "%s/crowdsec-hub-tests", test_corpus());
    (void)for_each_file(dir, ".log", 1, hub_file, &totals);
    CHECK(totals.files >= 390 && totals.records >= 5000);
    printf("# text: %llu files, %llu records;", (unsigned long long)totals.files,
           (unsigned long long)totals.records);
    for (size_t i = 0; i < 7; i++)
        printf(" %s %llu", formats[i], (unsigned long long)totals.by_format[i]);
    printf("\n");
}
