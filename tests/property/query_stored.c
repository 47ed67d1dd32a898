/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Searches of stores, as people do them (search/search.h), compared with the slow evaluator, while
 * products change: random events lie in a sealed segment and a journal, with an index made under
 * the products of now or of before, a damaged one or none; random queries are asked under the one
 * version of products and then under the other.
 *
 * Some of the queries' filters are then rules, a few of them together, that are tried on the same
 * records (noise/noise.h), with and without blocks that are passed over.
 *
 *     property-query-stored [--pairs N] [--seed S]
 *
 * A pair is a query and a store, under one version. What a product makes of an event is said a
 * second time here (derive()). The first disagreement is printed; the exit status is 1.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "index/cells.h"
#include "noise/noise.h"
#include "query_index.h"
#include "query_made.h"
#include "search/search.h"
#include "store/store.h"

enum { QUERIES = 32, STORES = 8, VERSIONS = 2, WORDS_MAX = 4, ROWS_MAX = 1 << 20, RULES = 3 };

/* What the searches of all processes did. */
struct seen {
    uint64_t passed, counted, unindexed, rows;
    uint64_t tried, unread, matches; /* by rules: stores, records that were not read */
};

/* ---- products ---------------------------------------------------------------------------- */

static const char *const words[] = {
    "a", "b", "ab", "root", "roots", "kroot", "404", "10.0.0.1", "host-1.example", "jul", "b_a"};

/* One version of a product for the events that have Z. */
struct version {
    const char *when, *then, *action; /* of f, and what event.action is then; else */
    int from[REF_FIELDS];             /* the record's field that is copied to it; -1: none */
    const char *table[WORDS_MAX][2];  /* for event.outcome */
    int n_table;
    const char *others; /* that the table does not have; NULL: nothing */
    struct config config;
    struct ruleset rules;
    struct slice names[CELLS_FIELDS_MAX]; /* of which indexes keep cells */
    struct index_maker *maker;
};

enum { WORDS = sizeof words / sizeof *words };

static const char *word(void)
{
    return words[made_below(WORDS)];
}

static int source(void)
{
    static const int fields[] = {MADE_F, MADE_G, MADE_SRC, -1};
    return fields[made_below(4)];
}

static void make_version(struct version *v)
{
    *v =
        (struct version){.when = word(), .then = word(), .action = made_chance(80) ? word() : NULL};
    v->from[MADE_IP] = source();
    v->from[MADE_OUTCOME] = source();
    v->from[MADE_HOST] = source();
    v->n_table = 1 + (int)made_below(WORDS_MAX);
    unsigned first = made_below(WORDS);
    for (int i = 0; i < v->n_table; i++) {
        v->table[i][0] = words[(first + (unsigned)i) % WORDS];
        v->table[i][1] = word();
    }
    v->others = made_chance(50) ? word() : NULL;
}

static void put_map(struct buf *out, const struct version *v, int field, const char *through)
{
    if (v->from[field] < 0) return;
    buf_printf(out, "      %s: %s%s\n", made_names[field], made_names[v->from[field]], through);
}

static void put_version(struct buf *out, const struct version *v)
{
    buf_puts(out, "title: Made\nevidence: unverified\nrecognise: {Z: {exists: true}}\n"
                  "sources: [{product: made}]\ntables:\n  t:\n");
    for (int i = 0; i < v->n_table; i++)
        buf_printf(out, "    '%s': '%s'\n", v->table[i][0], v->table[i][1]);
    if (v->others) buf_printf(out, "    '*': '%s'\n", v->others);
    buf_printf(out, "steps:\n  - when: {f: '%s'}\n    set: {event.action: '%s'}\n", v->when,
               v->then);
    if (v->action) buf_printf(out, "  - set: {event.action: '%s'}\n", v->action);
    buf_puts(out, "  - map:\n      process.pid: nothing\n");
    put_map(out, v, MADE_IP, "");
    put_map(out, v, MADE_OUTCOME, " | table t");
    put_map(out, v, MADE_HOST, " | lower");
}

static void load_version(struct version *v, const char *folder, int number)
{
    char path[128];
    struct buf text;
    struct diag diag;
    buf_init(&text, 1 << 16);
    put_version(&text, v);
    (void)snprintf(path, sizeof path, "%s/made-%d.yml", folder, number);
    FILE *file = fopen(path, "w");
    ASSERT(file && fwrite(text.ptr, 1, text.len, file) == text.len && fclose(file) == 0);
    buf_done(&text);
    config_init(&v->config);
    ASSERT(config_set(&v->config, CONFIG_PRODUCTS, slice_of(path), "", &diag) == 0);
    ASSERT(ruleset_load_without_rules(&v->rules, &v->config, &diag) == 0);
    ASSERT(products_refused(v->rules.products) == 0);
    ASSERT(index_maker_new(&v->rules, v->names, cells_fields(v->names), &v->maker) == 0);
}

static void done_version(struct version *v)
{
    index_maker_free(v->maker);
    ruleset_done(&v->rules);
    config_done(&v->config);
}

static void set_value(struct ref_event *ev, int field, const char *text)
{
    struct ref_value *v = &ev->values[field][0];
    if (ev->n[field]) return;
    *v = (struct ref_value){.type = REF_STRING, .made = true};
    (void)snprintf(v->text, sizeof v->text, "%s", text);
    ev->n[field] = 1;
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z') *text = (char)(*text | 0x20);
}

static const char *look_up(const struct version *v, const char *text)
{
    for (int i = 0; i < v->n_table; i++)
        if (slice_eq_nocase(slice_of(text), slice_of(v->table[i][0]))) return v->table[i][1];
    return v->others;
}

/* What the version's product makes of the event. */
static void derive(const struct version *v, struct ref_event *ev)
{
    const char *f = ev->n[MADE_F] ? ev->values[MADE_F][0].text : NULL;
    if (ev->n[MADE_Z] == 0) return;
    if (f && slice_eq_nocase(slice_of(f), slice_of(v->when))) set_value(ev, MADE_ACTION, v->then);
    if (v->action) set_value(ev, MADE_ACTION, v->action);
    for (int to = MADE_IP; to <= MADE_HOST; to++) {
        char text[REF_TEXT];
        int from = v->from[to];
        if (from < 0 || ev->n[from] == 0) continue;
        (void)snprintf(text, sizeof text, "%s", ev->values[from][0].text);
        if (to == MADE_HOST) lower(text);
        const char *value = to == MADE_OUTCOME ? look_up(v, text) : text;
        if (value) set_value(ev, to, value);
    }
}

/* ---- stores ------------------------------------------------------------------------------ */

struct stored {
    char path[64];
    struct ref_event events[REF_EVENTS];
    int n;
    int indexed; /* under this version; -1: not */
};

struct made {
    char folder[32];
    struct version versions[VERSIONS];
    struct stored stores[STORES];
    struct segment_writer *writer;
    struct seen *seen;
    struct clock clock;
};

static int by_name(void *ctx, const char *name)
{
    struct buf *names = ctx;
    buf_put(names, slice_make(name, strlen(name) + 1));
    return 0;
}

static void empty(const struct store_io *io)
{
    struct buf names;
    buf_init(&names, 1 << 16);
    ASSERT(io->list(io->ctx, by_name, &names) == 0);
    for (size_t at = 0; at < names.len; at += strlen(names.ptr + at) + 1)
        (void)io->unlink(io->ctx, names.ptr + at);
    buf_done(&names);
}

static nsec received(int i)
{
    return (nsec)(i + 1) * NSEC_PER_SEC;
}

/* What a product copies is one text, so that it is plain what the copy is. */
static void make_plain(struct ref_event *ev)
{
    static const int fields[] = {MADE_F, MADE_G, MADE_SRC, MADE_Z};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct ref_value *v = &ev->values[fields[i]][0];
        if (ev->n[fields[i]] == 0) continue;
        ev->n[fields[i]] = 1;
        if (v->type != REF_STRING) (void)snprintf(v->text, sizeof v->text, "%s", word());
        v->type = REF_STRING;
    }
}

static void make_events(struct stored *s, struct buf *text, struct record *records)
{
    s->n = 1 + (int)made_below(REF_EVENTS);
    for (int i = 0; i < s->n; i++) {
        made_event(&s->events[i]);
        make_plain(&s->events[i]);
        size_t at = text->len;
        made_put_event(text, &s->events[i]);
        records[i] = (struct record){
            .raw = slice_from(buf_slice(text), at), .received = received(i), .format = RECORD_JSON};
        buf_putc(text, '\n');
    }
}

static void ignore_journal(void *ctx, const struct store_journal *journal)
{
    (void)ctx;
    (void)journal;
}

static void ignore_damage(void *ctx, const struct store_damage *damage)
{
    (void)ctx;
    (void)damage;
}

static void write_journal(const struct made *m, const struct store_io *io,
                          const struct record *records, int n, int before)
{
    struct store_options options;
    struct store *store;
    struct batch_writer writer;
    struct batch batch;
    struct buf bytes;
    uint64_t first;
    store_options_default(&options);
    options.io = io;
    options.clock = m->clock;
    options.seed = 1;
    options.next_min = (uint64_t)before;
    options.ballast_bytes = options.ahead_bytes = 0;
    options.journal_bytes = 64 * 1024;
    options.events = (struct store_events){
        .complete = ignore_journal, .damage = ignore_damage, .opened = ignore_journal};
    ASSERT(store_open(&options, &store) == 0);
    buf_init(&bytes, BATCH_MAX);
    batch_writer_init(&writer, 0, BATCH_MAX);
    for (int i = 0; i < n; i++) {
        ASSERT(batch_writer_add(&writer, &records[i]) == 0);
        if (i + 1 < n && made_chance(60)) continue;
        buf_clear(&bytes);
        batch_writer_finish(&writer, &bytes);
        ASSERT(batch_open(buf_slice(&bytes), &batch) == 0);
        ASSERT(store_append(store, &batch, &first) == 0 && store_commit(store) == 0);
        batch_writer_clear(&writer);
    }
    batch_writer_done(&writer);
    buf_done(&bytes);
    store_free(store);
}

static void damage_index(const struct store_io *folder)
{
    char name[STORE_NAME_MAX + 1];
    segment_name(name, "index", 0);
    int file = folder->open(folder->ctx, name, STORE_WRITE);
    int64_t size = folder->size(folder->ctx, file);
    ASSERT(file >= 0 && size > 0);
    ASSERT(store_io_write(folder, file, SLICE("!"), made_below((unsigned)size)) == 0);
    folder->close(folder->ctx, file);
}

static void write_index(struct made *m, struct stored *s, const struct store_io *io,
                        const struct store_io *folder)
{
    s->indexed = made_chance(80) ? (int)made_below(VERSIONS) : -1;
    if (s->indexed < 0) return;
    query_index_make(m->versions[s->indexed].maker, io, folder);
    if (made_chance(10)) damage_index(folder);
}

static int open_folder(const char *path)
{
    (void)mkdir(path, 0700);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT(fd >= 0);
    return fd;
}

static void make_store(struct made *m, int number)
{
    struct stored *s = &m->stores[number];
    struct record records[REF_EVENTS];
    struct buf text;
    char indexes[sizeof s->path + 8];
    (void)snprintf(s->path, sizeof s->path, "%s/%d", m->folder, number);
    (void)snprintf(indexes, sizeof indexes, "%s/" INDEX_FOLDER, s->path);
    int fd = open_folder(s->path), index_fd = open_folder(indexes);
    const struct store_io io = store_io_system(fd), folder = store_io_system(index_fd);
    empty(&io);
    empty(&folder);
    buf_init(&text, 1 << 20);
    ASSERT(buf_reserve(&text, 1 << 20)); /* it does not move */
    make_events(s, &text, records);
    int sealed = made_chance(40) ? s->n : (int)made_below((unsigned)s->n + 1);
    s->indexed = -1;
    if (sealed) {
        ASSERT(segment_writer_new(&io, &m->writer) == 0);
        query_index_seal(m->writer, records, (uint32_t)sealed, made_chance(70) ? 1 : 1 << 20);
        segment_writer_free(m->writer);
        write_index(m, s, &io, &folder);
    }
    if (sealed < s->n) write_journal(m, &io, records + sealed, s->n - sealed, sealed);
    buf_done(&text);
    (void)close(index_fd);
    (void)close(fd);
}

/* ---- searches ---------------------------------------------------------------------------- */

struct asking {
    struct made *m;
    const struct version *version;
    struct ref_tree *tree;
    struct ref_pipe pipe;
    struct slice text;
    struct query query;
    struct sigma_rule rule;
    bool tried; /* its filter as a rule as well, with these */
    unsigned n_others;
    struct ref_tree *others[RULES - 1];
    struct slice other_texts[RULES - 1];
    struct sigma_rule other_rules[RULES - 1];
};

static void on_damage(void *ctx, enum scan_damage_kind kind, uint64_t seq)
{
    (void)ctx;
    (void)seq;
    ASSERT(kind == SCAN_BESIDE_DAMAGED);
}

static bool on_tick(void *ctx, const struct search_progress *p)
{
    (void)ctx;
    (void)p;
    return true;
}

static void add(uint64_t *to, uint64_t n)
{
    __atomic_add_fetch(to, n, __ATOMIC_RELAXED);
}

/* The newest first. */
static void expect(const struct asking *a, const struct stored *s, nsec from, nsec to,
                   struct buf *out)
{
    static struct ref_event events[REF_EVENTS];
    const struct ref_event *held[REF_EVENTS];
    int n = 0;
    for (int i = s->n - 1; i >= 0; i--) {
        if (received(i) < from || received(i) >= to) continue;
        events[i] = s->events[i];
        derive(a->version, &events[i]);
        if (ref_holds(a->tree, &events[i])) held[n++] = &events[i];
    }
    ref_rows(&a->pipe, held, n, out);
}

static void note(struct seen *seen, const struct search_result *r, size_t rows)
{
    add(&seen->passed, r->progress.scan.filtered);
    add(&seen->counted, r->progress.scan.read == 0 && r->progress.matches > 0);
    add(&seen->unindexed, r->progress.unindexed);
    add(&seen->rows, rows != 0);
}

static bool ask_store(const struct asking *a, const struct stored *s)
{
    struct search_result result;
    struct diag diag;
    struct buf is, want;
    bool bounded = made_chance(30);
    nsec from = bounded ? received((int)made_below((unsigned)s->n)) : INT64_MIN;
    nsec to = bounded ? from + (nsec)made_below(REF_EVENTS) * NSEC_PER_SEC + 1 : INT64_MAX;
    buf_init(&is, ROWS_MAX);
    buf_init(&want, ROWS_MAX);
    int error = search_run(&(struct search_options){.rules = &a->version->rules,
                                                    .query = &a->query,
                                                    .store = s->path,
                                                    .from = from,
                                                    .to = to,
                                                    .jobs = made_chance(20) ? 2 : 1,
                                                    .clock = &a->m->clock,
                                                    .silence = 600 * NSEC_PER_SEC,
                                                    .time = 600 * NSEC_PER_SEC,
                                                    .memory = 64 << 20,
                                                    .ctx = &is,
                                                    .row = made_put_row,
                                                    .damage = on_damage,
                                                    .tick = on_tick},
                           &result, &diag);
    expect(a, s, from, to, &want);
    bool good = error == 0 && slice_eq(buf_slice(&is), buf_slice(&want));
    if (!good) {
        struct buf product;
        buf_init(&product, 1 << 16);
        put_version(&product, a->version);
        printf("%.*s\nunder %d:\n%.*s\nindexed under %d, received from %lld to %lld\n",
               SLICE_FMT(a->text), (int)(a->version - a->m->versions),
               SLICE_FMT(buf_slice(&product)), s->indexed, (long long)from, (long long)to);
        for (int i = 0; i < s->n; i++) {
            buf_clear(&product);
            made_put_event(&product, &s->events[i]);
            printf("%d: %.*s\n", i + 1, SLICE_FMT(buf_slice(&product)));
        }
        printf("is  %.*s\nnot %.*s\n%s\n", SLICE_FMT(buf_slice(&is)), SLICE_FMT(buf_slice(&want)),
               error ? diag.message : "");
        buf_done(&product);
    }
    note(a->m->seen, &result, is.len);
    buf_done(&is);
    buf_done(&want);
    return good;
}

/* ---- rules ------------------------------------------------------------------------------- */

static uint64_t expected_matches(const struct asking *a, const struct stored *s,
                                 const struct ref_tree *tree)
{
    uint64_t n = 0;
    for (int i = 0; i < s->n; i++) {
        struct ref_event ev = s->events[i];
        derive(a->version, &ev);
        n += ref_holds(tree, &ev);
    }
    return n;
}

static bool try_store(const struct asking *a, const struct stored *s, bool hits_only)
{
    const struct ruleset *rules = &a->version->rules;
    struct tally tally;
    struct diag diag;
    bool good = true;
    ASSERT(tally_init(&tally, rules->set, 0) == 0);
    int error = noise_run(&(struct noise_options){.rules = rules,
                                                  .store = s->path,
                                                  .from = INT64_MIN,
                                                  .to = INT64_MAX,
                                                  .jobs = made_chance(20) ? 2 : 1,
                                                  .clock = &a->m->clock,
                                                  .silence = 600 * NSEC_PER_SEC,
                                                  .blocks = 1 + made_below(4),
                                                  .hits_only = hits_only},
                          &tally, &diag);
    for (unsigned i = 0; i < rules->set->n_rules && good; i++) {
        uint64_t want = expected_matches(a, s, i ? a->others[i - 1] : a->tree);
        good = error == 0 && tally.rules[i].matches == want;
        add(&a->m->seen->matches, want);
        if (good) continue;
        printf("rule %u of %u matches %llu times, not %llu, indexed under %d\n%.*s\n%s\n", i,
               rules->set->n_rules, (unsigned long long)tally.rules[i].matches,
               (unsigned long long)want, s->indexed, SLICE_FMT(i ? a->other_texts[i - 1] : a->text),
               error ? diag.message : "");
    }
    good = good && tally.records + tally.unread == (uint64_t)s->n;
    add(&a->m->seen->tried, 1);
    add(&a->m->seen->unread, tally.unread);
    tally_done(&tally);
    return good;
}

static bool try_all(struct asking *a)
{
    const struct query_options options = {.whole = false};
    struct sigma_set *set = a->version->rules.set;
    for (unsigned i = 0; i < a->n_others; i++) {
        struct query query;
        struct diag diag;
        ASSERT(query_read(&set->arena, a->other_texts[i], &options, &query, &diag) == 0);
        a->other_rules[i].expr = query.filter;
        ASSERT(sigma_set_add_rule(set, &a->other_rules[i]) == 0);
    }
    for (int i = 0; i < STORES; i++)
        if (!try_store(a, &a->m->stores[i], false) || !try_store(a, &a->m->stores[i], true))
            return false;
    return true;
}

/* In a process of its own, whose only rule is the filter. */
static bool ask_all(struct asking *a)
{
    const struct query_options options = {.whole = false};
    struct diag diag;
    struct sigma_set *set = a->version->rules.set;
    if (query_read(&set->arena, a->text, &options, &a->query, &diag) != 0) {
        printf("%.*s\n%u: %s\n", SLICE_FMT(a->text), diag.column, diag.message);
        return false;
    }
    a->rule.expr = a->query.filter;
    ASSERT(sigma_set_add_rule(set, &a->rule) == 0);
    for (int i = 0; i < STORES; i++)
        if (!ask_store(a, &a->m->stores[i])) return false;
    return !a->tried || try_all(a);
}

static bool ask(struct made *m, const struct version *version, struct asking *a)
{
    int status;
    a->m = m;
    a->version = version;
    (void)fflush(stdout);
    pid_t pid = fork();
    ASSERT(pid >= 0);
    if (pid == 0) {
        bool good = ask_all(a);
        (void)fflush(stdout);
        _exit(!good);
    }
    ASSERT(waitpid(pid, &status, 0) == pid);
    return status == 0;
}

/* Of all events, by a field of which indexes keep cells, so that nothing need be read. */
static void make_count(struct arena *arena, struct asking *a)
{
    static const int fields[] = {MADE_USER, MADE_ACTION, MADE_IP, MADE_OUTCOME, MADE_HOST};
    a->tree = arena_zalloc(arena, 1, sizeof *a->tree);
    ASSERT(a->tree);
    a->tree->kind = REF_FREE;
    a->tree->text[0] = REF_STAR;
    a->pipe = (struct ref_pipe){.kind = (enum ref_pipe_kind)made_below(REF_RARE + 1),
                                .columns = {fields[made_below(5)]},
                                .n = 1,
                                .limit = 1 + (int)made_below(5)};
}

static void make_query(struct arena *arena, struct asking *a)
{
    *a = (struct asking){0};
    if (made_chance(20)) {
        make_count(arena, a);
        return;
    }
    a->tree = made_tree(arena, REF_FIELDS, 3);
    made_pipe(&a->pipe, REF_FIELDS);
    a->tried = made_chance(25);
    a->n_others = a->tried ? made_below(RULES) : 0;
    for (unsigned i = 0; i < a->n_others; i++) a->others[i] = made_tree(arena, REF_FIELDS, 1);
}

static void put_texts(struct asking *a, struct buf *out)
{
    static const struct ref_pipe none;
    size_t ends[RULES] = {0};
    made_put_query(out, a->tree, &a->pipe);
    ends[0] = out->len;
    for (unsigned i = 0; i < a->n_others; i++) {
        made_put_query(out, a->others[i], &none);
        ends[i + 1] = out->len;
    }
    a->text = slice_until(buf_slice(out), ends[0]);
    for (unsigned i = 0; i < a->n_others; i++)
        a->other_texts[i] = slice_make(out->ptr + ends[i], ends[i + 1] - ends[i]);
}

static bool one_round(struct made *m)
{
    bool good = true;
    struct arena arena;
    for (int i = 0; i < VERSIONS; i++) {
        make_version(&m->versions[i]);
        load_version(&m->versions[i], m->folder, i);
    }
    for (int i = 0; i < STORES; i++) make_store(m, i);
    arena_init(&arena, 16 << 20);
    for (int i = 0; i < QUERIES && good; i++) {
        struct asking a;
        struct buf text;
        make_query(&arena, &a);
        buf_init(&text, RULES * QUERY_TEXT_MAX);
        put_texts(&a, &text);
        for (int k = 0; k < VERSIONS && good; k++) good = ask(m, &m->versions[k], &a);
        buf_done(&text);
    }
    arena_done(&arena);
    for (int i = 0; i < VERSIONS; i++) done_version(&m->versions[i]);
    return good;
}

static void remove_all(const struct made *m)
{
    char path[128];
    for (int i = 0; i < STORES; i++) {
        static const char *const below[] = {"/" INDEX_FOLDER, ""};
        for (size_t k = 0; k < 2; k++) {
            (void)snprintf(path, sizeof path, "%s%s", m->stores[i].path, below[k]);
            int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            const struct store_io io = store_io_system(fd);
            empty(&io);
            (void)close(fd);
            (void)rmdir(path);
        }
    }
    for (int i = 0; i < VERSIONS; i++) {
        (void)snprintf(path, sizeof path, "%s/made-%d.yml", m->folder, i);
        (void)unlink(path);
    }
    (void)rmdir(m->folder);
}

int main(int argc, char **argv)
{
    static struct made m = {.folder = "/tmp/vaka-query-XXXXXX"};
    uint64_t pairs = 1000, done = 0, seed = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--pairs") == 0) pairs = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 10);
    }
    made_seed(seed);
    /* Tables of engines are pages that are zero already, in each of so many processes. */
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    m.clock = clock_system();
    m.seen = mmap(NULL, sizeof *m.seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(m.seen != MAP_FAILED && mkdtemp(m.folder));
    bool good = true;
    for (; done < pairs && good; done += QUERIES * STORES * VERSIONS) good = one_round(&m);
    remove_all(&m);
    const struct seen *s = m.seen;
    if (good)
        printf("%llu pairs of a query and a store agree (seed %llu), %llu of them with an answer; "
               "%llu blocks were passed over, %llu times only counted, %llu blocks had no index "
               "that is current; %llu times rules were tried, %llu matches, %llu records passed "
               "over\n",
               (unsigned long long)done, (unsigned long long)seed, (unsigned long long)s->rows,
               (unsigned long long)s->passed, (unsigned long long)s->counted,
               (unsigned long long)s->unindexed, (unsigned long long)s->tried,
               (unsigned long long)s->matches, (unsigned long long)s->unread);
    return !good || s->passed == 0 || s->counted == 0 || s->unindexed == 0 || s->unread == 0;
}
