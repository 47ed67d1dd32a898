/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka rules check, list, explain */
#include "cli/rules.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "cli/rules_retro.h"
#include "detect/correlate/correlate.h"
#include "detect/sigma/match.h"
#include "noise/events.h"
#include "proc/sandbox.h"
#include "ruleset/verdict.h"

int rules_load(const struct rules_context *c, char *const *paths, size_t n_paths,
               struct ruleset *ret)
{
    struct config config;
    struct diag diag;
    int status = settings_load(&c->settings, &config, NULL);
    for (size_t i = 0; i < n_paths && status == 0; i++)
        if (config_set(&config, CONFIG_RULES, slice_of(paths[i]), "PATH", &diag))
            status = cli_usage("%s", diag.message);
    bool watch = n_paths == 0 && !settings_says(&c->settings, CONFIG_RULES);
    if (status == 0 && (watch ? load_watch(ret, &config) : load_rules(ret, &config)))
        status = EXIT_USAGE;
    config_done(&config);
    return status;
}

bool rules_is_called(const struct sigma_doc *doc, struct slice id)
{
    return slice_eq_nocase(doc->id, id) || slice_eq_nocase(doc->title, id);
}

/* Lines on standard output; a terminal is not shown what could command it. */
void rules_print(struct buf *out)
{
    struct buf shown;
    buf_init(&shown, out->max > SIZE_MAX / 8 ? SIZE_MAX : out->max * 8);
    text_put_lines(&shown, buf_slice(out));
    if (shown.len) (void)fwrite(shown.ptr, 1, shown.len, stdout);
    buf_done(&shown);
    buf_clear(out);
}

/* ---- check ------------------------------------------------------------------------------- */

struct refused_list {
    uint32_t n;
};

static void on_firing(void *ctx, const struct correlator_firing *firing)
{
    (void)ctx;
    (void)firing;
}

static void on_refused(void *ctx, const struct sigma_corr_rule *rule, const char *why)
{
    struct refused_list *list = ctx;
    const struct sigma_doc *doc = rule->doc;
    struct buf line;
    buf_init(&line, 16384);
    list->n++;
    buf_printf(&line, "%s:%" PRIu32 ":%" PRIu32 ": refused: %s\n", doc->file, doc->pos.line,
               doc->pos.column, why);
    rules_print(&line);
    buf_done(&line);
}

/* Correlations that the correlator itself will not run: as much a refusal as any other. */
static uint32_t refused_by_correlator(const struct sigma_set *set)
{
    struct refused_list list = {0};
    const struct correlator_out out = {.ctx = &list, .firing = on_firing, .refused = on_refused};
    struct correlator *c =
        set->n_correlations ? correlator_new(set, &(struct correlator_options){0}, &out) : NULL;
    if (c) correlator_free(c);
    return list.n;
}

static int check_run(const struct invocation *in)
{
    struct ruleset load;
    if (in->n_operands == 0) return cli_usage("which rules? Name a file or a folder");
    int status = rules_load(in->ctx, in->operands, in->n_operands, &load);
    if (status) return status;
    const struct sigma_set *set = load.set;
    struct buf out;
    buf_init(&out, 64 * 1024);
    for (uint32_t i = 0; i < set->n_refusals; i++) {
        const struct sigma_refusal *r = &set->refusals[i];
        buf_printf(&out, "%s:%" PRIu32 ":%" PRIu32 ": %s: %s", r->diag.file ? r->diag.file : "?",
                   r->diag.line, r->diag.column, r->warning ? "warning" : "refused",
                   r->diag.message);
        if (r->title.len) {
            buf_puts(&out, " (");
            buf_put(&out, slice_until(r->title, 256));
            buf_putc(&out, ')');
        }
        buf_putc(&out, '\n');
        rules_print(&out);
    }
    uint32_t late = refused_by_correlator(set);
    uint32_t refused = ruleset_refused(set) + late;
    buf_printf(&out,
               "%" PRIu32 " loaded (%" PRIu32 " rules, %" PRIu32 " correlations, %" PRIu32
               " filters), %" PRIu32 " refused, in %" PRIu32 " files\n",
               set->n_rules + set->n_correlations + set->n_filters - late, set->n_rules,
               set->n_correlations - late, set->n_filters, refused, set->n_files);
    rules_print(&out);
    buf_done(&out);
    ruleset_done(&load);
    return refused ? EXIT_UNREADABLE : EXIT_RAN;
}

/* ---- list -------------------------------------------------------------------------------- */

void rules_put_logsource(struct buf *out, const struct sigma_logsource *ls)
{
    const struct {
        const char *key;
        struct slice value;
    } parts[] = {{"product", ls->product}, {"category", ls->category}, {"service", ls->service}};
    bool any = false;
    for (size_t i = 0; i < 3; i++) {
        if (!parts[i].value.len) continue;
        buf_printf(out, "%s%s=", any ? " " : "", parts[i].key);
        buf_put(out, parts[i].value);
        any = true;
    }
}

static void list_json(struct buf *out, const struct sigma_doc *doc, const struct ruleset_verdict *v,
                      const char *kind, const struct retro_rule *retro)
{
    const struct sigma_logsource *ls = &doc->logsource;
    const struct {
        const char *key;
        struct slice value;
    } texts[] = {{"kind", slice_of(kind)},
                 {"id", doc->id},
                 {"title", doc->title},
                 {"level", slice_of(sigma_level_name(doc->level))},
                 {"product", ls->product},
                 {"category", ls->category},
                 {"service", ls->service},
                 {"file", slice_of(doc->file)},
                 {"reason", v->can_fire ? SLICE_NONE : slice_of(v->why)},
                 {"field", v->can_fire ? SLICE_NONE : v->field}};
    buf_putc(out, '{');
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_write_key(out, texts[i].key);
        if (texts[i].value.len) json_write_string(out, texts[i].value);
        else buf_puts(out, "null");
    }
    json_write_key(out, "can_fire");
    buf_puts(out, v->can_fire ? "true" : "false");
    json_write_key(out, "retro");
    retro_rule_write_json(out, retro);
    buf_puts(out, "}\n");
}

static void list_line(struct buf *out, const struct sigma_doc *doc, const struct ruleset_verdict *v,
                      const struct retro_rule *retro)
{
    static const char *const levels[] = {"-", "info", "low", "medium", "high", "critical"};
    buf_printf(out, "%-3s  %-8s  ", v->can_fire ? "yes" : "no", levels[doc->level]);
    buf_put(out, doc->title);
    if (!v->can_fire) {
        buf_printf(out, "  [%s: ", v->why);
        if (v->field.len) buf_put(out, v->field);
        else rules_put_logsource(out, &doc->logsource);
        buf_putc(out, ']');
    }
    if (retro && retro->matches) {
        buf_puts(out, "  [");
        rules_retro_put(out, retro);
        buf_putc(out, ']');
    }
    buf_putc(out, '\n');
}

struct listing {
    const struct rules_context *said;
    struct ruleset rules;
    struct retro_book book;       /* of the rules in force, else empty */
    struct sigma_digest *digests; /* of rules, and behind them of correlations */
    bool *can;                    /* rules that can fire */
    uint32_t fire;
    struct buf out;
};

static void list_one(struct listing *l, uint32_t number, const struct sigma_doc *doc,
                     const struct ruleset_verdict *v, const char *kind)
{
    const struct retro_rule *retro = retro_book_find(&l->book, &l->digests[number]);
    l->fire += v->can_fire;
    if (l->said->json) list_json(&l->out, doc, v, kind, retro);
    else list_line(&l->out, doc, v, retro);
    rules_print(&l->out);
}

static void list_all(struct listing *l)
{
    const struct sigma_set *set = l->rules.set;
    for (uint32_t i = 0; i < set->n_rules; i++) {
        struct ruleset_verdict v = ruleset_judge(l->rules.taxonomy, set->rules[i]);
        l->can[i] = v.can_fire;
        list_one(l, i, set->rules[i]->doc, &v, "rule");
    }
    for (uint32_t i = 0; i < set->n_correlations; i++) {
        /* Any rule it refers to is enough to say that it is fed. */
        const struct sigma_corr_rule *corr = set->correlations[i];
        struct ruleset_verdict v = {.why = "none of its rules can fire"};
        for (uint32_t k = 0; k < corr->corr->n_rules; k++)
            v.can_fire |= corr->refs[k].is_corr || l->can[corr->refs[k].index];
        list_one(l, set->n_rules + i, corr->doc, &v, "correlation");
    }
    if (l->said->json) return;
    buf_printf(&l->out, "%" PRIu32 " of %" PRIu32 " can fire\n", l->fire,
               set->n_rules + set->n_correlations);
    rules_print(&l->out);
}

static int list_run(const struct invocation *in)
{
    struct listing l = {.said = in->ctx};
    int status = rules_load(in->ctx, in->operands, in->n_operands, &l.rules);
    if (status) return status;
    buf_init(&l.out, 1024 * 1024);
    l.digests = retro_digests(l.rules.set);
    l.can = calloc((size_t)l.rules.set->n_rules + 1, sizeof *l.can);
    if (in->n_operands == 0 && !settings_says(&l.said->settings, CONFIG_RULES))
        rules_retro_load(&l.said->settings, &l.book);
    bool good = l.digests && l.can;
    if (good) list_all(&l);
    else cli_say("out of memory");
    free(l.can);
    free(l.digests);
    retro_book_done(&l.book);
    buf_done(&l.out);
    ruleset_done(&l.rules);
    return good ? EXIT_RAN : EXIT_UNREADABLE;
}

/* ---- explain ----------------------------------------------------------------------------- */

struct explaining {
    struct engine *engine;
    const struct sigma_set *set;
    const char *name; /* id, name or title; or … */
    const char *file; /* … all rules of this file */
    struct buf out;
    uint64_t events;
};

static bool is_meant(const struct explaining *x, const struct sigma_rule *rule)
{
    if (x->file) return strcmp(rule->doc->file, x->file) == 0;
    struct slice name = slice_of(x->name);
    return slice_eq_nocase(rule->doc->id, name) || slice_eq_nocase(rule->doc->title, name) ||
           slice_eq_nocase(rule->doc->name, name);
}

static int explain_event(void *ctx, struct event *ev, const struct engine_result *result)
{
    struct explaining *x = ctx;
    x->events++;
    for (uint32_t i = 0; i < x->set->n_rules; i++) {
        const struct sigma_rule *rule = x->set->rules[i];
        if (!is_meant(x, rule)) continue;
        bool hit = false;
        for (uint32_t k = 0; k < result->n_hits; k++) hit |= result->hits[k].rule == rule;
        buf_printf(&x->out, "event %" PRIu64 ": ", x->events);
        buf_put(&x->out, rule->doc->title);
        buf_puts(&x->out, hit ? ": MATCH\n" : ": no match\n");
        if (result->route && !taxonomy_applies(result->route, &rule->logsource)) {
            buf_puts(&x->out, "  the event is of another log source than ");
            rules_put_logsource(&x->out, &rule->logsource);
            buf_putc(&x->out, '\n');
        } else if (result->route && !taxonomy_says(result->route, &rule->logsource) &&
                   expr_holds_for_nothing(rule->expr))
            buf_puts(&x->out, "  the rule holds for an event without anything, and nothing says "
                              "that this one is of its log source\n");
        engine_explain(x->engine, ev, rule, &x->out);
        rules_print(&x->out);
    }
    return 0;
}

/* EVENT is JSON text when it looks like it, else a file. */
static char *read_event(const char *said, size_t *ret_len)
{
    if (*said != '{' && *said != '[') return load_file(said, RULESET_FILE_MAX, ret_len);
    *ret_len = strlen(said);
    char *copy = strdup(said);
    if (!copy) cli_say("out of memory");
    return copy;
}

static uint32_t count_meant(const struct explaining *x)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < x->set->n_rules; i++) n += is_meant(x, x->set->rules[i]);
    return n;
}

/* The event is a stranger's: it is decoded without files and network. Ends the process's freedom.
 */
static int explain_in_sandbox(struct explaining *x, struct slice text)
{
    (void)fflush(stdout);
    if (sandbox_enter(SANDBOX_DECODER, NULL, NULL) != 0)
        cli_say("warning: the kernel offers no sandbox; the event is decoded without one");
    buf_init(&x->out, 64 * 1024 * 1024);
    int result = events_match(x->engine, text, x, explain_event);
    buf_done(&x->out);
    if (result == ERR_UNSUPPORTED) cli_say("the event is in no format I know");
    else if (result) cli_say("the event: %s", error_text(result));
    return result || x->events == 0 ? EXIT_UNREADABLE : EXIT_RAN;
}

static int explain_run(const struct invocation *in)
{
    struct rules_context *c = in->ctx;
    struct ruleset load;
    if (in->n_operands != 2) return cli_usage("rules explain wants a rule and an event");
    struct explaining x = {0};
    if (access(in->operands[0], R_OK) == 0) x.file = in->operands[0];
    else x.name = in->operands[0];
    size_t len = 0;
    char *text = read_event(in->operands[1], &len);
    if (!text) return EXIT_USAGE;
    int status = rules_load(c, in->operands, x.file ? 1 : 0, &load);
    if (status) {
        free(text);
        return status;
    }
    x.set = load.set;
    struct matcher matcher = {0};
    if (matcher_init(&matcher, &load,
                     &(struct engine_options){.any_logsource = c->any_logsource}) == 0)
        x.engine = matcher.engine;
    status = EXIT_UNREADABLE;
    if (!x.engine) {
        cli_say("out of memory");
    } else if (count_meant(&x) == 0) {
        for (uint32_t i = 0; i < load.set->n_refusals; i++)
            if (!load.set->refusals[i].warning) cli_diag(&load.set->refusals[i].diag, "refused");
        status = cli_usage("no rule '%s'", in->operands[0]);
    } else {
        status = explain_in_sandbox(&x, slice_make(text, len));
    }
    if (x.engine) matcher_done(&matcher);
    free(text);
    ruleset_done(&load);
    return status;
}

/* ---- tables ------------------------------------------------------------------------------ */

#define OPTION_RULES                                                                               \
    {                                                                                              \
        'r', "rules", "PATH", "Use the Sigma rules in PATH, a file or a folder; may be repeated.", \
            OPTION_SETTING(struct rules_context, CONFIG_RULES)                                     \
    }

static const struct cli_option check_options[] = {OPTIONS_RULES_DATA};
static const struct cli_option list_options[] = {
    OPTION_RULES,
    {'f', "format", "table|json", "What to print: lines for people, or one JSON object a line.",
     OPTION_CHOICE(struct rules_context, json)},
    OPTIONS_RULES_DATA,
};
static const struct cli_option explain_options[] = {
    OPTION_RULES,
    {0, "any-logsource", NULL, "As for vaka hunt: no routing, no field mapping.",
     OPTION_FLAG(struct rules_context, any_logsource)},
    OPTIONS_RULES_DATA,
};

const struct command command_rules_check = {
    .name = "rules check",
    .operands = "PATH...",
    .summary = "load rules and say which are refused, and why",
    .description = "Loads the rules in the named files and folders and prints each that is refused "
                   "with its file, line, column and the reason.\n\n"
                   "Exit status: 0 all were loaded; 1 some were refused; 2 a path could not be "
                   "read.",
    .options = check_options,
    .n_options = sizeof check_options / sizeof *check_options,
    .ctx_size = sizeof(struct rules_context),
    .run = check_run,
};

const struct command command_rules_list = {
    .name = "rules list",
    .operands = "[PATH...]",
    .summary = "tell for each rule whether it can fire here",
    .description =
        "Lists the rules with level and title, and whether each can fire: whether any log source "
        "that the taxonomy knows is one the rule asks for, and has its fields. If not, why. "
        "Without a PATH, the rules in force: those that the settings name, or that come with Vaka, "
        "and what was imported and switched on; with what they would have found in the past, as "
        "far as vaka serve has looked (docs/retro-hunt.md).",
    .options = list_options,
    .n_options = sizeof list_options / sizeof *list_options,
    .ctx_size = sizeof(struct rules_context),
    .run = list_run,
};

const struct command command_rules_explain = {
    .name = "rules explain",
    .operands = "RULE EVENT",
    .summary = "show why a rule matches an event, or why not",
    .description =
        "Shows the rule's condition as a tree, with the truth of every part for the event. RULE is "
        "a rule file, or the id, name or title of a rule in those given with -r (without -r, "
        "in those in force). EVENT is a file, JSON text, or - for standard input.",
    .options = explain_options,
    .n_options = sizeof explain_options / sizeof *explain_options,
    .ctx_size = sizeof(struct rules_context),
    .run = explain_run,
};
