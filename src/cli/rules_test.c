/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka rules test: the events that rule files carry must fire their rule, or must not. TAP. */
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/rules.h"
#include "cli/rules_own.h"
#include "noise/exam.h"

struct testing {
    const struct ruleset *load;
    struct exam *exam;
    bool own;
    struct buf out;
    uint32_t n, failed, without;
};

/* What the test shows: NULL when it is as it should be. */
static const char *run_test(struct testing *t, const struct exam_subject *subject,
                            const struct sigma_doc *doc, const struct sigma_test *test)
{
    bool elsewhere;
    const char *why = exam_run(t->exam, subject, test, &elsewhere);
    if (t->own && elsewhere && !test->fires && rules_own_is_near_miss(doc, test))
        return "it differs in what log source it is of, which is no near miss";
    return why;
}

/* One TAP line: a number sign or a line feed in a title would be read as something else. */
static void put_name(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        buf_putc(out, c == '#' || c == '\n' || c == '\r' ? ' ' : c);
    }
}

static void report(struct testing *t, const struct sigma_doc *doc, const struct sigma_test *test,
                   const char *why)
{
    t->n++;
    if (why) t->failed++;
    buf_printf(&t->out, "%s %" PRIu32 " - ", why ? "not ok" : "ok", t->n);
    put_name(&t->out, doc->title);
    buf_puts(&t->out, test->fires ? ": fires on " : ": does not fire on ");
    put_name(&t->out, test->name.len ? test->name : SLICE("its event"));
    buf_putc(&t->out, '\n');
    if (why) buf_printf(&t->out, "# %s:%" PRIu32 ": %s\n", doc->file, test->pos.line, why);
    rules_print(&t->out);
}

/* What own rules must have besides. One that only feeds correlations raises no alert to be read. */
static void test_own(struct testing *t, const struct sigma_doc *doc)
{
    struct buf lacks;
    struct slice line, rest;
    buf_init(&lacks, 4096);
    rules_own_check(doc, &lacks);
    t->n++;
    t->failed += lacks.len > 0;
    buf_printf(&t->out, "%s %" PRIu32 " - ", lacks.len ? "not ok" : "ok", t->n);
    put_name(&t->out, doc->title);
    buf_puts(&t->out, ": has what own rules have\n");
    for (rest = buf_slice(&lacks); rest.len > 0;) {
        (void)slice_split(rest, '\n', &line, &rest);
        buf_printf(&t->out, "# %s:%" PRIu32 ": ", doc->file, doc->pos.line);
        buf_put(&t->out, line);
        buf_putc(&t->out, '\n');
    }
    rules_print(&t->out);
    buf_done(&lacks);
}

static void test_doc(struct testing *t, const struct exam_subject *subject)
{
    const struct sigma_doc *doc = subject->rule ? subject->rule->doc : subject->corr->doc;
    bool silent = subject->rule ? subject->rule->silent : subject->corr->silent;
    if (t->own && !silent) test_own(t, doc);
    if (doc->n_tests == 0) t->without++;
    for (uint32_t i = 0; i < doc->n_tests; i++)
        report(t, doc, &doc->tests[i], run_test(t, subject, doc, &doc->tests[i]));
}

static void test_all(struct testing *t)
{
    const struct sigma_set *set = t->load->set;
    for (uint32_t i = 0; i < set->n_rules; i++)
        test_doc(t, &(struct exam_subject){.rule = set->rules[i]});
    for (uint32_t i = 0; i < set->n_correlations; i++)
        test_doc(t, &(struct exam_subject){.corr = set->correlations[i]});
    for (uint32_t i = 0; i < set->n_refusals; i++) {
        const struct sigma_refusal *r = &set->refusals[i];
        if (r->warning) continue;
        t->n++;
        t->failed++;
        buf_printf(&t->out, "not ok %" PRIu32 " - loads\n# %s:%" PRIu32 ":%" PRIu32 ": %s\n", t->n,
                   r->diag.file ? r->diag.file : "?", r->diag.line, r->diag.column,
                   r->diag.message);
        rules_print(&t->out);
    }
    buf_printf(&t->out, "1..%" PRIu32 "\n# %" PRIu32 " failed, %" PRIu32 " rules carry no events\n",
               t->n, t->failed, t->without);
    rules_print(&t->out);
}

static int test_run(const struct invocation *in)
{
    const struct rules_context *c = in->ctx;
    struct ruleset load;
    if (in->n_operands == 0) return cli_usage("which rules? Name a file or a folder");
    int status = rules_load(c, in->operands, in->n_operands, &load);
    if (status) return status;
    struct testing t = {.load = &load, .own = c->own};
    buf_init(&t.out, 1024 * 1024);
    t.exam = exam_new(&load, &(struct engine_options){.any_logsource = c->any_logsource});
    if (t.exam) test_all(&t);
    else cli_say("out of memory");
    status = t.exam && t.failed == 0 && t.n > 0 ? EXIT_RAN : EXIT_UNREADABLE;
    exam_free(t.exam);
    buf_done(&t.out);
    ruleset_done(&load);
    return status;
}

static const struct cli_option test_options[] = {
    {0, "any-logsource", NULL, "As for vaka hunt: no routing, no field mapping.",
     OPTION_FLAG(struct rules_context, any_logsource)},
    {0, "own", NULL,
     "Hold them to what Vaka asks of its own rules: id, status, level, description, techniques of "
     "ATT&CK, false positives, a first response in Swedish and English, an event that fires the "
     "rule, and one that does not and differs from it in one value.",
     OPTION_FLAG(struct rules_context, own)},
    OPTIONS_RULES_DATA,
};

const struct command command_rules_test = {
    .name = "rules test",
    .operands = "PATH...",
    .summary = "run the events that rule files carry",
    .description =
        "Runs the events under vaka.tests in the rules of the named files and folders: those that "
        "must fire their rule, and the near misses that must not. Prints TAP.\n\n"
        "Exit status: 0 all are as they should be; 1 not so, or there are none; 2 a path could not "
        "be read.",
    .options = test_options,
    .n_options = sizeof test_options / sizeof *test_options,
    .ctx_size = sizeof(struct rules_context),
    .run = test_run,
};
