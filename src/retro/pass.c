/* SPDX-License-Identifier: EUPL-1.2 */
#include "retro/pass.h"

#include <errno.h>
#include <stdlib.h>

#include "base/folder.h"
#include "noise/noise.h"

enum {
    UNIT_BLOCKS = 4, /* what is done once more after an end is little */
};
#define SAVE_EVERY (2 * NSEC_PER_SEC)
#define DAY        (86400 * NSEC_PER_SEC)

struct work {
    const struct retro_options *options;
    struct retro_book *book;
    struct ruleset rules;
    uint32_t n; /* rules and correlations */
    struct sigma_digest *digests;
    bool *wanted; /* in the pass at hand */
    struct diag *diag;
};

/* One of the pass at hand. */
struct chosen {
    struct sigma_digest digest;
    struct retro_rule base; /* what was found before this process began */
    bool wanted;            /* else a wanted correlation refers to it */
};

struct pass {
    struct work *work;
    struct ruleset rules;
    struct tally tally;
    struct chosen *chosen; /* as many as the tally has */
    nsec saved;            /* when, monotonic */
};

struct sigma_digest *retro_digests(const struct sigma_set *set)
{
    struct sigma_digest *list =
        calloc((size_t)set->n_rules + set->n_correlations + 1, sizeof *list);
    if (!list) return NULL;
    for (uint32_t i = 0; i < set->n_rules; i++) sigma_digest_rule(set->rules[i], &list[i]);
    for (uint32_t i = 0; i < set->n_correlations; i++)
        sigma_digest_correlation(set, set->correlations[i], &list[set->n_rules + i]);
    return list;
}

static void show(uint32_t *place, uint32_t value)
{
    __atomic_store_n(place, value, __ATOMIC_RELAXED);
}

static void show_long(uint64_t *place, uint64_t value)
{
    __atomic_store_n(place, value, __ATOMIC_RELAXED);
}

static void show_time(nsec *place, nsec value)
{
    __atomic_store_n(place, value, __ATOMIC_RELAXED);
}

/* ---- the book ---------------------------------------------------------------------------- */

static int save(const struct work *w)
{
    struct buf text;
    buf_init(&text, RETRO_BOOK_MAX);
    retro_book_write(w->book, &text);
    int error = buf_error(&text);
    if (error == 0 && folder_replace(w->options->folder, RETRO_BOOK, buf_slice(&text)) != 0)
        error = diag_set(w->diag, ERR_IO, NULL, 0, 0, RETRO_FOLDER "/" RETRO_BOOK ": %s",
                         strerror(errno));
    buf_done(&text);
    return error;
}

static int by_digest(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sigma_digest));
}

static bool is_there(void *ctx, const struct sigma_digest *digest)
{
    const struct work *w = ctx;
    return bsearch(digest, w->digests, w->n, sizeof *w->digests, by_digest) != NULL;
}

/* What no rule means any more. */
static int forget_others(const struct work *w)
{
    struct work sorted = {.n = w->n, .digests = calloc(w->n + 1u, sizeof *sorted.digests)};
    if (!sorted.digests) return ERR_NOMEM;
    memcpy(sorted.digests, w->digests, w->n * sizeof *sorted.digests);
    qsort(sorted.digests, sorted.n, sizeof *sorted.digests, by_digest);
    retro_book_keep(w->book, is_there, &sorted);
    free(sorted.digests);
    return 0;
}

/* ---- what a pass is about ---------------------------------------------------------------- */

/* Those of the pass that was begun; how many. */
static uint32_t choose_begun(struct work *w)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        const struct retro_rule *r = retro_book_find(w->book, &w->digests[i]);
        w->wanted[i] = r && r->state == RETRO_BEGUN;
        n += w->wanted[i];
    }
    return n;
}

/* Those that were never looked at begin one. */
static int choose_new(struct work *w, uint32_t *ret_n)
{
    *ret_n = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        w->wanted[i] = !retro_book_find(w->book, &w->digests[i]);
        if (!w->wanted[i]) continue;
        struct retro_rule *r = retro_book_add(w->book, &w->digests[i]);
        if (!r) return ERR_NOMEM;
        r->state = RETRO_BEGUN;
        ++*ret_n;
    }
    if (*ret_n == 0) return 0;
    w->book->pass =
        (struct retro_pass){.on = true,
                            .from = w->options->now - (nsec)w->options->config->retro_days * DAY,
                            .to = w->options->now,
                            .latest = INT64_MIN};
    return save(w);
}

static int choose(struct work *w, uint32_t *ret_n)
{
    *ret_n = w->book->pass.on ? choose_begun(w) : 0;
    return *ret_n ? 0 : choose_new(w, ret_n);
}

/* ---- a pass ------------------------------------------------------------------------------ */

/* What was found so far, into the book; how many of the rules would have fired. */
static uint32_t note_counts(const struct pass *p)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < p->tally.n; i++) {
        const struct chosen *c = &p->chosen[i];
        const struct tally_rule *t = &p->tally.rules[i];
        struct retro_rule *r = c->wanted ? retro_book_find(p->work->book, &c->digest) : NULL;
        if (!r) continue;
        *r = c->base;
        if (t->matches) {
            r->first = r->matches && r->first < t->first ? r->first : t->first;
            r->last = r->matches && r->last > t->last ? r->last : t->last;
        }
        r->matches += t->matches;
        r->alerts += t->alerts;
        found += r->alerts > 0;
    }
    return found;
}

static void show_progress(const struct pass *p, const struct scan_progress *s)
{
    struct retro_page *page = p->work->options->page;
    show_long(&page->bytes, s->bytes);
    show_long(&page->bytes_total, s->bytes_total);
    show_long(&page->read, s->read);
    show_long(&page->passed, s->early + s->filtered);
    show_long(&page->records, p->tally.records + s->unread);
    show_long(&page->matches, tally_matches(&p->tally));
    show_long(&page->damaged, p->tally.damaged + p->tally.unreadable);
    show_time(&page->cpu, s->cpu);
}

static int on_tick(void *ctx, const struct scan_progress *progress)
{
    struct pass *p = ctx;
    const struct work *w = p->work;
    nsec now = clock_monotonic(w->options->clock);
    int error = w->options->tick(w->options->ctx);
    show_progress(p, progress);
    if (error) return error;
    if (now - p->saved < SAVE_EVERY || progress->next <= w->book->pass.next) return 0;
    p->saved = now;
    show(&w->options->page->found, note_counts(p));
    w->book->pass.next = progress->next;
    if (p->tally.last > w->book->pass.latest) w->book->pass.latest = p->tally.last;
    return save(w);
}

/* How long alerts and correlations remember a record. */
static nsec memory_of(const struct pass *p)
{
    const struct sigma_set *set = p->rules.set;
    nsec memory = p->work->options->config->triage_alike;
    for (uint32_t i = 0; i < set->n_correlations; i++) {
        nsec span = set->correlations[i]->corr->timespan;
        /* Twice: a window may have begun when the one before it ended. */
        if (span < INT64_MAX / 4 && 2 * span > memory) memory = 2 * span;
    }
    return memory;
}

static int match(struct pass *p)
{
    const struct work *w = p->work;
    const struct retro_options *o = w->options;
    const struct retro_pass *pass = &w->book->pass;
    nsec known_from = INT64_MIN;
    if (pass->next && __builtin_sub_overflow(pass->latest, memory_of(p), &known_from))
        known_from = INT64_MIN;
    int error = noise_run(&(struct noise_options){.rules = &p->rules,
                                                  .store = o->store,
                                                  .from = pass->from,
                                                  .to = pass->to,
                                                  .known = pass->next,
                                                  .known_from = known_from,
                                                  .share = &o->page->share,
                                                  .alike = o->config->triage_alike,
                                                  .jobs = 1,
                                                  .clock = o->clock,
                                                  .silence = o->config->detect_silence,
                                                  .null_fd = o->null_fd,
                                                  .blocks = UNIT_BLOCKS,
                                                  .hits_only = true,
                                                  .ctx = p,
                                                  .tick = on_tick},
                          &p->tally, w->diag);
    /* Nothing was ever stored. */
    return error == ERR_NOT_FOUND ? 0 : error;
}

static int conclude(const struct pass *p)
{
    const struct work *w = p->work;
    struct retro_pass *pass = &w->book->pass;
    bool nothing = pass->next == 0 && p->tally.records + p->tally.unread == 0;
    show(&w->options->page->found, note_counts(p));
    for (uint32_t i = 0; i < w->book->n; i++) {
        struct retro_rule *r = &w->book->rules[i];
        if (r->state != RETRO_BEGUN) continue;
        r->state = nothing ? RETRO_KNOWN : RETRO_LOOKED;
        r->from = pass->from;
        r->to = pass->to;
        r->looked = clock_realtime(w->options->clock);
    }
    pass->on = false;
    return save(w);
}

/* The rules of it, and what was found of each before. */
static int prepare(struct pass *p)
{
    struct work *w = p->work;
    p->rules = w->rules;
    p->rules.set = sigma_set_choose(w->rules.set, w->wanted);
    if (!p->rules.set) return ERR_NOMEM;
    struct sigma_digest *digests = retro_digests(p->rules.set);
    int error = tally_init(&p->tally, p->rules.set, w->options->config->triage_alike);
    p->chosen = calloc(p->tally.n + 1u, sizeof *p->chosen);
    if (!p->chosen || !digests) error = ERR_NOMEM;
    for (uint32_t i = 0; i < p->tally.n && error == 0; i++) {
        const struct retro_rule *r = retro_book_find(w->book, &digests[i]);
        p->chosen[i].digest = digests[i];
        p->chosen[i].wanted = r && r->state == RETRO_BEGUN;
        if (r) p->chosen[i].base = *r;
    }
    free(digests);
    return error;
}

static int run_pass(struct work *w, uint32_t n)
{
    struct pass p = {.work = w, .saved = clock_monotonic(w->options->clock)};
    struct retro_page *page = w->options->page;
    int error = prepare(&p);
    show(&page->rules, n);
    show_time(&page->from, w->book->pass.from);
    show_time(&page->to, w->book->pass.to);
    show(&page->doing, RETRO_RUNS);
    if (error == 0) error = match(&p);
    if (error == 0) error = conclude(&p);
    if (p.rules.set) {
        tally_done(&p.tally);
        sigma_set_free(p.rules.set);
    }
    free(p.chosen);
    return error;
}

/* ---- telling ----------------------------------------------------------------------------- */

static const struct sigma_doc *doc_of(const struct work *w, uint32_t number)
{
    const struct sigma_set *set = w->rules.set;
    return number < set->n_rules ? set->rules[number]->doc
                                 : set->correlations[number - set->n_rules]->doc;
}

/* Every rule that would have fired, once. */
static int tell(const struct work *w)
{
    int error = 0;
    show(&w->options->page->doing, RETRO_TELLS);
    for (uint32_t i = 0; i < w->n && error == 0; i++) {
        struct retro_rule *r = retro_book_find(w->book, &w->digests[i]);
        if (!r || r->state != RETRO_LOOKED || r->alerts == 0 || r->told) continue;
        error = w->options->found(w->options->ctx, doc_of(w, i), r);
        r->told = error == 0;
        if (error == 0) error = save(w);
    }
    return error;
}

/* ---- all of it --------------------------------------------------------------------------- */

static int work(struct work *w)
{
    uint32_t n = 1;
    w->n = w->rules.set->n_rules + w->rules.set->n_correlations;
    w->digests = retro_digests(w->rules.set);
    w->wanted = calloc(w->n + 1u, sizeof *w->wanted);
    if (!w->digests || !w->wanted) return ERR_NOMEM;
    int error = w->options->confine(w->options->ctx);
    if (error == 0) error = forget_others(w);
    if (error == 0) error = tell(w);
    while (error == 0 && n) {
        error = choose(w, &n);
        if (error == 0 && n) error = run_pass(w, n);
        if (error == 0 && n) error = tell(w);
    }
    return error;
}

int retro_run(const struct retro_options *options, struct diag *diag)
{
    struct work w = {.options = options, .book = options->book, .diag = diag};
    show(&options->page->doing, RETRO_READS_RULES);
    int error = ruleset_load_watch(&w.rules, options->config, options->now, diag);
    if (error) return error;
    error = work(&w);
    ruleset_done(&w.rules);
    free(w.digests);
    free(w.wanted);
    if (error == 0) show(&options->page->doing, RETRO_DONE);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    return error;
}
