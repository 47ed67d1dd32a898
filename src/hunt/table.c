/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/table.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/text.h"

enum { LEVELS = LEVEL_CRITICAL + 1, WRITE_AT = 64 * 1024, HOST_COLUMNS_MAX = 24 };

struct kept_row {
    nsec time;
    uint64_t seq; /* keeps the order of rows of one time */
    const struct sigma_doc *doc;
    struct slice host, details;
    bool undetermined;
};

struct host_count {
    struct slice name;
    uint64_t hash, alerts;
    enum sigma_level highest;
};

struct table {
    const struct output_options *options;
    void *ctx;
    void (*write)(void *ctx, struct slice text);
    struct arena texts; /* of the rows */
    struct kept_row *rows;
    uint32_t n_rows, cap_rows, runs;
    uint64_t seq;
    /* Counts, over all runs. */
    uint64_t by_level[LEVELS];
    uint64_t *by_rule; /* rules, then correlations */
    uint32_t n_by_rule;
    struct arena names;
    struct host_count *hosts; /* open addressing, 2 * TABLE_HOSTS_MAX */
    uint32_t n_hosts;
    uint64_t other_hosts, no_host;
    struct buf out;
    bool failed; /* sticky: `out` was not whole when it was written */
};

struct style {
    const char *name, *colour;
};
static const struct style styles[LEVELS] = {
    [LEVEL_NONE] = {"-", ""},
    [LEVEL_INFORMATIONAL] = {"info", "\033[2m"},
    [LEVEL_LOW] = {"low", "\033[36m"},
    [LEVEL_MEDIUM] = {"medium", "\033[33m"},
    [LEVEL_HIGH] = {"high", "\033[31m"},
    [LEVEL_CRITICAL] = {"critical", "\033[1;97;41m"},
};

struct table *table_new(const struct output_options *options, void *ctx,
                        void (*write)(void *ctx, struct slice text))
{
    struct table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->options = options;
    t->ctx = ctx;
    t->write = write;
    t->n_by_rule = options->set->n_rules + options->set->n_correlations;
    t->by_rule = calloc((size_t)t->n_by_rule + 1, sizeof *t->by_rule);
    t->hosts = calloc(2 * TABLE_HOSTS_MAX, sizeof *t->hosts);
    arena_init(&t->texts, TABLE_MEMORY_MAX);
    arena_init(&t->names, TABLE_HOSTS_MAX * 1024);
    buf_init(&t->out, 16 * 1024 * 1024);
    if (t->by_rule && t->hosts) return t;
    table_free(t);
    return NULL;
}

void table_free(struct table *t)
{
    if (!t) return;
    arena_done(&t->texts);
    arena_done(&t->names);
    buf_done(&t->out);
    free(t->rows);
    free(t->by_rule);
    free(t->hosts);
    free(t);
}

static void spill(struct table *t)
{
    t->failed |= buf_failed(&t->out);
    t->write(t->ctx, buf_slice(&t->out));
    buf_clear(&t->out);
}

static void colour(struct table *t, const char *code)
{
    if (t->options->colour && *code) buf_puts(&t->out, code);
}

static void heading(struct table *t, const char *text)
{
    buf_putc(&t->out, '\n');
    colour(t, "\033[1m");
    buf_puts(&t->out, text);
    colour(t, "\033[0m");
    buf_putc(&t->out, '\n');
}

/* ---- timeline ---------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const struct kept_row *x = a, *y = b;
    if (x->time != y->time) {
        /* What has no time comes last. */
        if (x->time == TIME_NONE) return 1;
        if (y->time == TIME_NONE) return -1;
        return x->time < y->time ? -1 : 1;
    }
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Seconds, as a calendar has them, in the zone that is shown. */
static bool calendar(const struct table *t, nsec time, struct tm *ret)
{
    if (time == TIME_NONE) return false;
    time_t s = (time_t)(time / NSEC_PER_SEC - (time % NSEC_PER_SEC < 0));
    return t->options->utc ? gmtime_r(&s, ret) != NULL : localtime_r(&s, ret) != NULL;
}

struct columns {
    size_t host, rule, details;
};

/* What is left of the line after time and level is shared between computer, rule and values. */
static struct columns lay_out(const struct table *t, const struct kept_row *rows, uint32_t n)
{
    struct columns c = {.host = 8, .rule = 4};
    for (uint32_t i = 0; i < n; i++) {
        size_t host = text_columns(rows[i].host, HOST_COLUMNS_MAX);
        size_t rule = text_columns(rows[i].doc->title, TABLE_WIDTH_MAX);
        if (host > c.host) c.host = host;
        if (rule > c.rule) c.rule = rule;
    }
    size_t width = t->options->width;
    if (width < TABLE_WIDTH_MIN) width = TABLE_WIDTH_MIN;
    if (width > TABLE_WIDTH_MAX) width = TABLE_WIDTH_MAX;
    if (c.host > width / 6) c.host = width / 6;
    size_t fixed = 19 + 2 + 8 + 2 + c.host + 2 + 2;
    size_t rest = width - fixed; /* at least 15: see TABLE_WIDTH_MIN */
    if (c.rule > rest / 2) c.rule = rest / 2;
    c.details = rest - c.rule;
    return c;
}

static void write_row(struct table *t, const struct kept_row *row, const struct columns *c)
{
    struct buf *out = &t->out;
    struct tm tm;
    if (calendar(t, row->time, &tm))
        buf_printf(out, "%04d-%02d-%02d %02d:%02d:%02d  ", tm.tm_year + 1900, tm.tm_mon + 1,
                   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    else buf_printf(out, "%-19s  ", "-");
    const struct style *style = &styles[row->doc->level];
    colour(t, style->colour);
    buf_printf(out, "%-8s", style->name);
    if (*style->colour) colour(t, "\033[0m");
    buf_puts(out, "  ");
    text_put_padded(out, row->host.len ? row->host : SLICE("-"), c->host);
    buf_puts(out, "  ");
    text_put_padded(out, row->doc->title, c->rule);
    buf_puts(out, "  ");
    size_t room = c->details;
    if (row->undetermined && room > 4) {
        buf_puts(out, "(?) ");
        room -= 4;
    }
    (void)text_put_visible(out, row->details, room);
    while (out->len > 0 && out->ptr[out->len - 1] == ' ') out->len--;
    buf_putc(out, '\n');
    if (out->len >= WRITE_AT) spill(t);
}

/* What the clock of the zone says may change between the first row and the last that has a time. */
static void write_zone(struct table *t, nsec first, nsec last)
{
    struct tm tm, end;
    bool utc = t->options->utc || !calendar(t, first, &tm) || !calendar(t, last, &end);
    if (utc || (tm.tm_gmtoff == end.tm_gmtoff && strcmp(tm.tm_zone, "UTC") == 0)) {
        buf_puts(&t->out, "Times are UTC.\n");
        return;
    }
    if (tm.tm_gmtoff != end.tm_gmtoff) {
        buf_puts(&t->out, "Times are local; the clock was changed between them.\n");
        return;
    }
    long minutes = tm.tm_gmtoff / 60, size = minutes < 0 ? -minutes : minutes;
    buf_puts(&t->out, "Times are local (");
    (void)text_put_visible(&t->out, slice_of(tm.tm_zone), 12);
    buf_printf(&t->out, ", UTC%c%02ld:%02ld).\n", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

static void write_run(struct table *t, const struct kept_row *rows, uint32_t n)
{
    struct columns c = lay_out(t, rows, n);
    uint32_t timed = n;
    while (timed > 1 && rows[timed - 1].time == TIME_NONE) timed--;
    write_zone(t, rows[0].time, rows[timed - 1].time);
    colour(t, "\033[1m");
    buf_printf(&t->out, "%-19s  %-8s  ", "Time", "Level");
    text_put_padded(&t->out, SLICE("Computer"), c.host);
    buf_puts(&t->out, "  ");
    text_put_padded(&t->out, SLICE("Rule"), c.rule);
    buf_puts(&t->out, "  Matched");
    colour(t, "\033[0m");
    buf_putc(&t->out, '\n');
    for (uint32_t i = 0; i < n; i++) write_row(t, &rows[i], &c);
    spill(t);
}

static void write_rows(struct table *t)
{
    if (t->n_rows == 0) return;
    qsort(t->rows, t->n_rows, sizeof *t->rows, compare_rows);
    write_run(t, t->rows, t->n_rows);
    t->n_rows = 0;
    arena_reset(&t->texts);
}

/* ---- counting ---------------------------------------------------------------------------- */

static void count_host(struct table *t, struct slice host, enum sigma_level level)
{
    if (host.len == 0) {
        t->no_host++;
        return;
    }
    uint64_t hash = hash64(host);
    for (uint32_t i = (uint32_t)hash;; i++) {
        struct host_count *h = &t->hosts[i % (2 * TABLE_HOSTS_MAX)];
        if (!h->name.ptr) {
            struct slice name = SLICE_NONE;
            if (t->n_hosts < TABLE_HOSTS_MAX) name = arena_dup(&t->names, host);
            if (!name.ptr) {
                t->other_hosts++;
                return;
            }
            *h = (struct host_count){.name = name, .hash = hash};
            t->n_hosts++;
        }
        if (h->hash != hash || !slice_eq(h->name, host)) continue;
        h->alerts++;
        if (level > h->highest) h->highest = level;
        return;
    }
}

void table_add(struct table *t, const struct table_row *row)
{
    t->by_level[row->doc->level]++;
    if (row->rule < t->n_by_rule) t->by_rule[row->rule]++;
    count_host(t, row->host, row->doc->level);
    if (t->n_rows == t->cap_rows && t->cap_rows < TABLE_ROWS_MAX) {
        uint32_t cap = t->cap_rows ? t->cap_rows * 2 : 1024;
        if (cap > TABLE_ROWS_MAX) cap = TABLE_ROWS_MAX;
        struct kept_row *rows = realloc(t->rows, cap * sizeof *rows);
        if (rows) {
            t->rows = rows;
            t->cap_rows = cap;
        }
    }
    struct kept_row kept = {
        .time = row->time, .seq = t->seq++, .doc = row->doc, .undetermined = row->undetermined};
    for (int attempt = 0; attempt < 2; attempt++) {
        kept.host = arena_dup(&t->texts, row->host);
        kept.details = arena_dup(&t->texts, row->details);
        if (t->n_rows < t->cap_rows && !arena_failed(&t->texts)) {
            t->rows[t->n_rows++] = kept;
            return;
        }
        t->runs++;
        write_rows(t);
        arena_reset(&t->texts);
        buf_puts(&t->out, "\nMore alerts than are kept in memory: "
                          "the timeline goes on in a new run, sorted by itself.\n\n");
    }
    /* No memory for even one row: a run of its own. */
    kept.host = row->host;
    kept.details = row->details;
    write_run(t, &kept, 1);
}

/* ---- summaries --------------------------------------------------------------------------- */

struct ranked {
    const struct sigma_doc *doc;
    uint64_t alerts;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->doc->level != y->doc->level) return x->doc->level > y->doc->level ? -1 : 1;
    if (x->alerts != y->alerts) return x->alerts > y->alerts ? -1 : 1;
    return slice_cmp(x->doc->title, y->doc->title);
}

static int compare_hosts(const void *a, const void *b)
{
    const struct host_count *x = a, *y = b;
    if (x->highest != y->highest) return x->highest > y->highest ? -1 : 1;
    if (x->alerts != y->alerts) return x->alerts > y->alerts ? -1 : 1;
    return slice_cmp(x->name, y->name);
}

static void put_level(struct table *t, enum sigma_level level)
{
    colour(t, styles[level].colour);
    buf_printf(&t->out, "%-8s", styles[level].name);
    if (*styles[level].colour) colour(t, "\033[0m");
}

static void write_levels(struct table *t)
{
    heading(t, "By level");
    for (enum sigma_level level = LEVEL_CRITICAL;; level--) {
        if (t->by_level[level]) {
            buf_printf(&t->out, "%10" PRIu64 "  ", t->by_level[level]);
            put_level(t, level);
            buf_putc(&t->out, '\n');
        }
        if (level == LEVEL_NONE) break;
    }
}

static const struct sigma_doc *doc_of(const struct sigma_set *set, uint32_t i)
{
    return i < set->n_rules ? set->rules[i]->doc : set->correlations[i - set->n_rules]->doc;
}

static void write_rules(struct table *t)
{
    struct ranked *list = calloc((size_t)t->n_by_rule + 1, sizeof *list);
    uint32_t n = 0;
    if (!list) {
        t->failed = true;
        return;
    }
    for (uint32_t i = 0; i < t->n_by_rule; i++)
        if (t->by_rule[i]) list[n++] = (struct ranked){doc_of(t->options->set, i), t->by_rule[i]};
    qsort(list, n, sizeof *list, compare_ranked);
    heading(t, "By rule");
    for (uint32_t i = 0; i < n && i < TABLE_TOP_RULES; i++) {
        buf_printf(&t->out, "%10" PRIu64 "  ", list[i].alerts);
        put_level(t, list[i].doc->level);
        buf_puts(&t->out, "  ");
        (void)text_put_visible(&t->out, list[i].doc->title, t->options->width - 22);
        buf_putc(&t->out, '\n');
    }
    if (n > TABLE_TOP_RULES)
        buf_printf(&t->out, "            … and %" PRIu32 " more rules\n", n - TABLE_TOP_RULES);
    free(list);
}

static void write_hosts(struct table *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < 2 * TABLE_HOSTS_MAX; i++)
        if (t->hosts[i].name.ptr) t->hosts[n++] = t->hosts[i];
    qsort(t->hosts, n, sizeof *t->hosts, compare_hosts);
    heading(t, "By computer");
    for (uint32_t i = 0; i < n && i < TABLE_TOP_HOSTS; i++) {
        buf_printf(&t->out, "%10" PRIu64 "  ", t->hosts[i].alerts);
        put_level(t, t->hosts[i].highest);
        buf_puts(&t->out, "  ");
        (void)text_put_visible(&t->out, t->hosts[i].name, t->options->width - 22);
        buf_putc(&t->out, '\n');
    }
    if (n > TABLE_TOP_HOSTS)
        buf_printf(&t->out, "            … and %" PRIu32 " more computers\n", n - TABLE_TOP_HOSTS);
    if (t->other_hosts)
        buf_printf(&t->out, "%10" PRIu64 "  on computers beyond the first %d\n", t->other_hosts,
                   TABLE_HOSTS_MAX);
    if (t->no_host) buf_printf(&t->out, "%10" PRIu64 "  without a computer's name\n", t->no_host);
}

/* Enterprise matrix, in its order; names that older rules use stand beside what replaced them. */
static const struct tactic {
    const char *tag, *name;
} tactics[] = {
    {"reconnaissance", "Reconnaissance"},
    {"resource-development", "Resource Development"},
    {"initial-access", "Initial Access"},
    {"execution", "Execution"},
    {"persistence", "Persistence"},
    {"privilege-escalation", "Privilege Escalation"},
    {"defense-evasion", "Defense Evasion"},
    {"stealth", "Stealth"},
    {"defense-impairment", "Defense Impairment"},
    {"credential-access", "Credential Access"},
    {"discovery", "Discovery"},
    {"lateral-movement", "Lateral Movement"},
    {"collection", "Collection"},
    {"command-and-control", "Command and Control"},
    {"exfiltration", "Exfiltration"},
    {"impact", "Impact"},
};
enum { N_TACTICS = sizeof tactics / sizeof *tactics };

/* attack.initial-access and attack.initial_access are one. */
static bool is_tactic(struct slice tag, const char *tactic)
{
    if (!slice_starts_with(tag, SLICE("attack."))) return false;
    tag = slice_from(tag, 7);
    size_t len = strlen(tactic);
    if (tag.len != len) return false;
    for (size_t i = 0; i < len; i++)
        if ((tag.ptr[i] == '_' ? '-' : tag.ptr[i]) != tactic[i]) return false;
    return true;
}

static void write_tactics(struct table *t)
{
    uint64_t alerts[N_TACTICS] = {0};
    bool any = false;
    for (uint32_t i = 0; i < t->n_by_rule; i++) {
        if (!t->by_rule[i]) continue;
        const struct sigma_doc *doc = doc_of(t->options->set, i);
        for (uint32_t k = 0; k < doc->n_tags; k++)
            for (size_t n = 0; n < N_TACTICS; n++)
                if (is_tactic(doc->tags[k], tactics[n].tag)) {
                    alerts[n] += t->by_rule[i];
                    any = true;
                }
    }
    if (!any) return;
    heading(t, "By ATT&CK tactic");
    for (size_t n = 0; n < N_TACTICS; n++)
        if (alerts[n]) buf_printf(&t->out, "%10" PRIu64 "  %s\n", alerts[n], tactics[n].name);
}

void table_finish(struct table *t, uint64_t events)
{
    uint64_t total = 0;
    for (size_t i = 0; i < LEVELS; i++) total += t->by_level[i];
    write_rows(t);
    if (total == 0) {
        buf_printf(&t->out, "No alerts in %" PRIu64 " event%s.\n", events, events == 1 ? "" : "s");
    } else {
        write_levels(t);
        write_rules(t);
        write_hosts(t);
        write_tactics(t);
        buf_printf(&t->out, "\n%" PRIu64 " alert%s in %" PRIu64 " event%s.\n", total,
                   total == 1 ? "" : "s", events, events == 1 ? "" : "s");
    }
    spill(t);
}

bool table_failed(const struct table *t)
{
    return t->failed;
}
