/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/trial.h"

#include "base/json_write.h"
#include "noise/exam.h"
#include "noise/noise.h"
#include "wording/wording.h"

enum { LINES_MAX = 16 * 1024 * 1024 };

struct trying {
    const struct trial *t;
    struct ruleset rules;
    struct buf out;
};

static void put_doc(struct buf *out, const struct sigma_doc *doc)
{
    json_write_member_string(out, "id", doc->id);
    json_write_member_string(out, "title", doc->title);
    json_write_member_string(out, "level", slice_of(sigma_level_name(doc->level)));
}

static void put_understood(struct buf *out, const struct sigma_set *set)
{
    for (uint32_t i = 0; i < set->n_rules + set->n_correlations; i++) {
        buf_puts(out, "{\"rule\":{");
        put_doc(out,
                i < set->n_rules ? set->rules[i]->doc : set->correlations[i - set->n_rules]->doc);
        buf_puts(out, "}}\n");
    }
    for (uint32_t i = 0; i < set->n_refusals; i++) {
        const struct sigma_refusal *r = &set->refusals[i];
        buf_puts(out, "{\"refused\":{");
        json_write_member_u64(out, "line", r->diag.line);
        json_write_member_u64(out, "column", r->diag.column);
        json_write_member_string(out, "message", slice_of(r->diag.message));
        wording_write_member(out, "message_sv", slice_of(r->diag.message));
        json_write_key(out, "warning");
        buf_puts(out, r->warning ? "true}}\n" : "false}}\n");
    }
}

/* "values":{"user.name":["anna"]}: those of a field stand together. */
static void put_values(struct buf *out, const struct tally_rule *r)
{
    json_write_key(out, "values");
    buf_putc(out, '{');
    for (uint32_t i = 0; i < r->n_values; i++) {
        bool begun = false;
        for (uint32_t k = 0; k < i; k++) begun |= slice_eq(r->values[k].field, r->values[i].field);
        if (begun) continue;
        if (i) buf_putc(out, ',');
        json_write_string(out, r->values[i].field);
        buf_puts(out, ":[");
        json_write_string(out, r->values[i].value);
        for (uint32_t k = i + 1; k < r->n_values; k++) {
            if (!slice_eq(r->values[k].field, r->values[i].field)) continue;
            buf_putc(out, ',');
            json_write_string(out, r->values[k].value);
        }
        buf_putc(out, ']');
    }
    buf_putc(out, '}');
}

static void put_found(struct buf *out, const struct tally *tally, const struct tally_rule *r)
{
    buf_puts(out, "{\"found\":{");
    put_doc(out, r->doc);
    json_write_member_u64(out, "matches", r->matches);
    json_write_member_u64(out, "alerts", r->alerts);
    json_write_key(out, "a_day");
    json_write_double(out, (double)r->alerts / tally_days(tally));
    json_write_member_u64(out, "hosts", r->hosts);
    json_write_member_u64(out, "users", r->users);
    json_write_key(out, "has_data");
    buf_puts(out, r->has_data ? "true" : "false");
    json_write_key(out, "examples");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < r->n_examples; i++) {
        if (i) buf_putc(out, ',');
        json_write_u64(out, r->examples[i]);
    }
    buf_putc(out, ']');
    put_values(out, r);
    buf_puts(out, "}}\n");
}

static void put_end(struct trying *w, const char *how, uint64_t records, const char *detail)
{
    const struct sigma_set *set = w->rules.set;
    buf_puts(&w->out, "{\"end\":{");
    json_write_member_string(&w->out, "how", slice_of(how));
    if (detail) {
        json_write_member_string(&w->out, "detail", slice_of(detail));
        wording_write_member(&w->out, "detail_sv", slice_of(detail));
    }
    json_write_member_u64(&w->out, "rules", (uint64_t)set->n_rules + set->n_correlations);
    json_write_member_u64(&w->out, "refused", ruleset_refused(set));
    json_write_member_u64(&w->out, "records", records);
    buf_puts(&w->out, "}}\n");
}

static int on_tick(void *ctx, const struct scan_progress *progress)
{
    struct trying *w = ctx;
    return w->t->lines(w->t->ctx, &w->out, progress);
}

/* What lines() gave, or 0: what went wrong is told. */
static int look(struct trying *w)
{
    const struct trial *t = w->t;
    struct tally tally;
    struct diag diag = {0};
    int error = tally_init(&tally, w->rules.set, t->config->triage_alike);
    if (error == 0)
        error = noise_run(&(struct noise_options){.rules = &w->rules,
                                                  .store = t->store,
                                                  .from = t->from,
                                                  .to = t->to,
                                                  .alike = t->config->triage_alike,
                                                  .jobs = t->jobs,
                                                  .clock = t->clock,
                                                  .silence = t->config->detect_silence,
                                                  .null_fd = t->null_fd,
                                                  .ctx = w,
                                                  .tick = on_tick},
                          &tally, &diag);
    for (uint32_t i = 0; i < tally.n && error == 0; i++)
        put_found(&w->out, &tally, &tally.rules[i]);
    bool ended = error == ERR_STOPPED;
    if (!ended)
        put_end(w, error ? "failed" : "whole", tally.records,
                !error            ? NULL
                : diag.message[0] ? diag.message
                                  : error_text(error));
    tally_done(&tally);
    return ended ? ERR_STOPPED : t->lines(t->ctx, &w->out, NULL);
}

/* ---- the tests that the rules carry ------------------------------------------------------ */

static void put_test(struct buf *out, const struct sigma_doc *doc, const struct sigma_test *test,
                     const char *why)
{
    buf_puts(out, "{\"test\":{");
    json_write_member_string(out, "rule", doc->title);
    json_write_member_string(out, "name", test->name);
    json_write_member_u64(out, "line", test->pos.line);
    json_write_key(out, "fires");
    buf_puts(out, test->fires ? "true" : "false");
    json_write_key(out, "passed");
    buf_puts(out, why ? "false" : "true");
    if (why) {
        json_write_member_string(out, "why", slice_of(why));
        wording_write_member(out, "why_sv", slice_of(why));
    }
    buf_puts(out, "}}\n");
}

static int examine_one(struct trying *w, struct exam *exam, const struct exam_subject *subject,
                       const struct sigma_doc *doc)
{
    int error = 0;
    for (uint32_t i = 0; i < doc->n_tests && error == 0; i++) {
        bool elsewhere;
        const char *why = exam_run(exam, subject, &doc->tests[i], &elsewhere);
        put_test(&w->out, doc, &doc->tests[i], why);
        error = w->t->lines(w->t->ctx, &w->out, NULL);
    }
    return error;
}

static int examine(struct trying *w)
{
    const struct sigma_set *set = w->rules.set;
    struct exam *exam = exam_new(&w->rules, &(struct engine_options){0});
    int error = exam ? 0 : ERR_NOMEM;
    for (uint32_t i = 0; i < set->n_rules && error == 0; i++)
        error =
            examine_one(w, exam, &(struct exam_subject){.rule = set->rules[i]}, set->rules[i]->doc);
    for (uint32_t i = 0; i < set->n_correlations && error == 0; i++)
        error = examine_one(w, exam, &(struct exam_subject){.corr = set->correlations[i]},
                            set->correlations[i]->doc);
    exam_free(exam);
    return error;
}

static int read_rules(struct trying *w)
{
    struct diag diag = {0};
    if (w->t->in_force) {
        w->rules = *w->t->in_force;
        return 0;
    }
    if (w->t->path)
        return ruleset_try(&w->rules, w->t->rules, w->t->config, clock_realtime(w->t->clock),
                           w->t->path, &diag);
    const struct sigma_set_options options = {.placeholders = w->t->rules->placeholders,
                                              .now = clock_realtime(w->t->clock)};
    w->rules = *w->t->rules;
    w->rules.set = sigma_set_new();
    if (!w->rules.set) return ERR_NOMEM;
    int error = sigma_set_add_text(w->rules.set, "text", w->t->text, &options);
    return error ? error : sigma_set_finish(w->rules.set);
}

int trial_run(const struct trial *t)
{
    struct trying w = {.t = t};
    buf_init(&w.out, LINES_MAX);
    int error = read_rules(&w);
    if (error == 0) {
        bool any = w.rules.set->n_rules + w.rules.set->n_correlations > 0;
        put_understood(&w.out, w.rules.set);
        if (!t->store && any) error = examine(&w);
        if (!t->store || !any) put_end(&w, "whole", 0, NULL);
        if (error == 0) error = t->lines(t->ctx, &w.out, NULL);
        if (error == 0 && t->store && any) error = look(&w);
    }
    if (w.rules.set && !t->in_force) sigma_set_free(w.rules.set);
    buf_done(&w.out);
    return error;
}
