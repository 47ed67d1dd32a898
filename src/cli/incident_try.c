/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka incident try: what incidents alerts make that were printed before. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/file.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cli.h"
#include "incident/assets.h"
#include "incident/grouping.h"
#include "incident/score.h"

enum { NAMES_SHOWN = 8, RULES_SHOWN = 64, TEXTS_MAX = 256 * 1024 * 1024, BAD_SHOWN = 20 };
static const size_t input_max = (size_t)1 << 30;

struct try_context {
    bool json, all;
    const char *assets;
};

struct alert {
    struct slice line;
    uint64_t number; /* of the line */
    nsec time;
    uint64_t incident; /* where it was placed */
};

struct named {
    struct slice text;
    enum name_kind kind;
};

struct incident {
    uint64_t into; /* 0: it is itself */
    struct score score;
    nsec first, last;
    uint64_t alerts;
    struct named names[NAMES_SHOWN];
    uint32_t n_names;
    struct slice rules[RULES_SHOWN]; /* titles */
    uint64_t counts[RULES_SHOWN];
    uint32_t n_rules;
};

struct trial {
    struct buf input;
    struct arena texts;
    struct facts facts;
    struct assets *assets;
    struct grouping *grouping;
    struct alert *alerts;
    struct incident *incidents; /* by id */
    size_t n_alerts, n_incidents;
    uint64_t bad;
};

/* ---- reading ----------------------------------------------------------------------------- */

static size_t count_lines(struct slice text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++) n += text.ptr[i] == '\n';
    return n;
}

static void tell_bad(struct trial *t, const char *path, uint64_t number)
{
    if (t->bad++ < BAD_SHOWN)
        cli_say("%s:%" PRIu64 ": this is no alert as `vaka hunt -f json` prints it; left out", path,
                number);
}

static int read_alerts(struct trial *t, const char *path)
{
    struct diag diag = {0};
    if (file_read(path, &t->input, &diag) != 0) {
        cli_diag(&diag, "not read");
        return EXIT_UNREADABLE;
    }
    struct slice rest = buf_slice(&t->input), line;
    size_t lines = count_lines(rest);
    t->alerts = calloc(lines, sizeof *t->alerts);
    t->incidents = calloc(lines + 1, sizeof *t->incidents);
    if (!t->alerts || !t->incidents) return EXIT_UNREADABLE;
    for (uint64_t number = 1; rest.len > 0; number++) {
        (void)slice_split(rest, '\n', &line, &rest);
        if (slice_trim(line).len == 0) continue;
        int error = facts_read(&t->facts, line);
        if (error == ERR_NOMEM) return EXIT_UNREADABLE;
        if (error == ERR_SYNTAX) tell_bad(t, path, number);
        else t->alerts[t->n_alerts++] = (struct alert){line, number, t->facts.time, 0};
    }
    return 0;
}

static int add_asset(void *ctx, const struct asset *asset)
{
    struct trial *t = ctx;
    return assets_add(t->assets, asset);
}

static int read_assets(struct trial *t, const char *path)
{
    struct diag diag = {0};
    struct buf text;
    if (!path) return 0;
    buf_init(&text, input_max);
    int error = file_read(path, &text, &diag);
    if (error == 0) error = assets_read(buf_slice(&text), path, add_asset, t, &diag);
    buf_done(&text);
    if (error) cli_diag(&diag, diag.message[0] ? "" : error_text(error));
    return error ? EXIT_UNREADABLE : 0;
}

/* By time, those without one first; then as they came. */
static int compare(const void *a, const void *b)
{
    const struct alert *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* ---- placing ----------------------------------------------------------------------------- */

static uint64_t now_of(const struct trial *t, uint64_t id)
{
    while (t->incidents[id].into) id = t->incidents[id].into;
    return id;
}

static void add_shown(struct trial *t, struct incident *incident, const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->n_names && incident->n_names < NAMES_SHOWN; i++) {
        const struct fact *name = &facts->names[i];
        bool had = name->bystander || name->kind == NAME_COMMAND || name->kind == NAME_RECORD ||
                   name->kind == NAME_DEED;
        for (uint32_t k = 0; k < incident->n_names && !had; k++)
            had = slice_eq(incident->names[k].text, name->text);
        if (had) continue;
        struct slice text = arena_dup(&t->texts, name->text);
        if (text.ptr) incident->names[incident->n_names++] = (struct named){text, name->kind};
    }
}

static void add_rule(struct incident *incident, struct slice title, uint64_t n)
{
    uint32_t at = 0;
    while (at < incident->n_rules && !slice_eq(incident->rules[at], title)) at++;
    if (at == RULES_SHOWN) return;
    if (at == incident->n_rules) incident->rules[incident->n_rules++] = title;
    incident->counts[at] += n;
}

static void merge(struct trial *t, uint64_t from, uint64_t to)
{
    struct incident *a = &t->incidents[to], *b = &t->incidents[from];
    if (from == to || b->into) return;
    b->into = to;
    score_merge(&a->score, &b->score);
    if (b->first < a->first) a->first = b->first;
    if (b->last > a->last) a->last = b->last;
    a->alerts += b->alerts;
    for (uint32_t i = 0; i < b->n_rules; i++) add_rule(a, b->rules[i], b->counts[i]);
    for (uint32_t i = 0; i < b->n_names && a->n_names < NAMES_SHOWN; i++)
        a->names[a->n_names++] = b->names[i];
}

static void place(struct trial *t, struct alert *alert)
{
    struct grouping_place at;
    enum asset_importance importance;
    assets_apply(t->assets, &t->facts, &importance);
    grouping_place(t->grouping, &t->facts, &at);
    if (at.incident > t->n_incidents) t->n_incidents = at.incident;
    alert->incident = at.incident;
    struct incident *incident = &t->incidents[at.incident];
    if (incident->alerts++ == 0) incident->first = t->facts.time;
    incident->last = t->facts.time;
    score_add(&incident->score, &t->facts);
    if (importance - ASSET_NORMAL > incident->score.importance)
        incident->score.importance = importance - ASSET_NORMAL;
    add_rule(incident, t->facts.title, 1);
    add_shown(t, incident, &t->facts);
    for (uint32_t i = 0; i < at.n_merged; i++) merge(t, at.merged[i], at.incident);
}

static int place_all(struct trial *t)
{
    struct grouping_options options = grouping_defaults();
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) return ERR_IO;
    int error = grouping_new(&options, &t->grouping);
    qsort(t->alerts, t->n_alerts, sizeof *t->alerts, compare);
    for (size_t i = 0; i < t->n_alerts && error == 0; i++) {
        error = facts_read(&t->facts, t->alerts[i].line);
        if (error != ERR_NOMEM) error = 0;
        if (error == 0) place(t, &t->alerts[i]);
    }
    return error;
}

/* ---- printing ---------------------------------------------------------------------------- */

static void put_time(struct buf *out, nsec time)
{
    if (time == TIME_NONE) buf_puts(out, "null");
    else time_write_rfc3339(out, time);
}

static void put_quoted_time(struct buf *out, const char *name, nsec time)
{
    buf_printf(out, ",\"%s\":%s", name, time == TIME_NONE ? "" : "\"");
    put_time(out, time);
    if (time != TIME_NONE) buf_putc(out, '"');
}

static void put_json(struct buf *out, const struct trial *t, uint64_t id)
{
    const struct incident *n = &t->incidents[id];
    buf_printf(out, "{\"incident\":%" PRIu64 ",\"level\":\"%s\",\"score\":%u,\"alerts\":%" PRIu64,
               id, sigma_level_name(n->score.level), score_value(&n->score), n->alerts);
    put_quoted_time(out, "first", n->first);
    put_quoted_time(out, "last", n->last);
    buf_puts(out, ",\"rules\":[");
    for (uint32_t i = 0; i < n->n_rules; i++) {
        buf_puts(out, i ? ",{\"title\":\"" : "{\"title\":\"");
        buf_put(out, n->rules[i]);
        buf_printf(out, "\",\"alerts\":%" PRIu64 "}", n->counts[i]);
    }
    buf_puts(out, "],\"names\":[");
    for (uint32_t i = 0; i < n->n_names; i++) {
        buf_printf(out, "%s{\"kind\":\"%s\",\"name\":", i ? "," : "",
                   name_kind_word(n->names[i].kind));
        json_write_string(out, n->names[i].text);
        buf_putc(out, '}');
    }
    buf_puts(out, "],\"lines\":[");
    const char *comma = "";
    for (size_t i = 0; i < t->n_alerts; i++) {
        if (now_of(t, t->alerts[i].incident) != id) continue;
        buf_printf(out, "%s%" PRIu64, comma, t->alerts[i].number);
        comma = ",";
    }
    buf_puts(out, "]}\n");
}

static void put_row(struct buf *out, const struct trial *t, uint64_t id)
{
    const struct incident *n = &t->incidents[id];
    buf_printf(out, "#%-4" PRIu64 " %3u  %-13s ", id, score_value(&n->score),
               sigma_level_name(n->score.level));
    put_time(out, n->first);
    buf_printf(out, "  %" PRIu64 " alert%s\n", n->alerts, n->alerts == 1 ? "" : "s");
    for (uint32_t i = 0; i < n->n_rules; i++) {
        buf_printf(out, "      %6" PRIu64 "  ", n->counts[i]);
        (void)text_put_visible(out, n->rules[i], 100);
        buf_putc(out, '\n');
    }
    for (uint32_t i = 0; i < n->n_names; i++) {
        buf_printf(out, "%s%s ", i ? ", " : "              ", name_kind_word(n->names[i].kind));
        (void)text_put_visible(out, n->names[i].text, 60);
    }
    buf_puts(out, n->n_names ? "\n" : "");
}

static int print_all(const struct trial *t, const struct try_context *c)
{
    struct buf out;
    bool written = true;
    buf_init(&out, input_max);
    for (uint64_t id = 1; id <= t->n_incidents && written; id++) {
        if (t->incidents[id].into || t->incidents[id].alerts == 0) continue;
        if (!c->all && !score_counts(&t->incidents[id].score)) continue;
        buf_clear(&out);
        if (c->json) put_json(&out, t, id);
        else put_row(&out, t, id);
        written = !buf_failed(&out) && fwrite(out.ptr, 1, out.len, stdout) == out.len;
    }
    buf_done(&out);
    return written && fflush(stdout) == 0 ? 0 : ERR_IO;
}

/* ---- the command ------------------------------------------------------------------------- */

static const struct cli_option try_options[] = {
    {'f', "format", "table|json", "What is printed; json: one object a line. Default: table.",
     OPTION_CHOICE(struct try_context, json)},
    {'a', "all", NULL, "Also what is below level medium by all that is known of it.",
     OPTION_FLAG(struct try_context, all)},
    {'A', "assets", "FILE", "Computers and their addresses, as 'vaka asset import' takes them.",
     OPTION_TEXT(struct try_context, assets)},
};

static void free_trial(struct trial *t)
{
    grouping_free(t->grouping);
    assets_free(t->assets);
    facts_done(&t->facts);
    arena_done(&t->texts);
    buf_done(&t->input);
    free(t->alerts);
    free(t->incidents);
    free(t);
}

static int try_main(const struct invocation *in)
{
    if (in->n_operands > 1) return cli_usage("incident try takes one file");
    struct trial *t = calloc(1, sizeof *t);
    if (!t) return EXIT_UNREADABLE;
    buf_init(&t->input, input_max);
    arena_init(&t->texts, TEXTS_MAX);
    facts_init(&t->facts);
    const struct try_context *c = in->ctx;
    int status = assets_new(0, &t->assets) ? EXIT_UNREADABLE : read_assets(t, c->assets);
    if (status == 0) status = read_alerts(t, in->n_operands ? in->operands[0] : "-");
    int error = status ? 0 : place_all(t);
    if (status == 0 && error == 0) error = print_all(t, in->ctx);
    if (error) cli_say("%s", error_text(error));
    if (t->bad > BAD_SHOWN) cli_say("and %" PRIu64 " more lines", t->bad - BAD_SHOWN);
    if (error || t->bad) status = EXIT_UNREADABLE;
    free_trial(t);
    return status;
}

const struct command command_incident_try = {
    .name = "incident try",
    .operands = "[FILE]",
    .summary = "what incidents alerts make",
    .description =
        "Reads alerts as `vaka hunt -f json` and `vaka alerts -f json` print them, of a file or of "
        "standard input, and groups them by the users, addresses, "
        "computers, hashes and command lines that they name within a day of one another.\n\n"
        "Exit status: 0; 1 something could not be read; 2 the command line could not be "
        "understood.",
    .options = try_options,
    .n_options = sizeof try_options / sizeof *try_options,
    .ctx_size = sizeof(struct try_context),
    .run = try_main,
};
