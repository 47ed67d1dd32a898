/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/check.h"

#include "roster/compose.h"
#include "roster/internal.h"

static const struct {
    const char *word, *sv, *en;
    bool fails;
} kinds[] = {
#define X(id, word, fails, sv, en) [CHECK_##id] = {word, sv, en, fails},
    CHECK_KINDS(X)
#undef X
};

const char *check_word(enum check_kind kind)
{
    return kinds[kind].word;
}

bool check_fails(enum check_kind kind)
{
    return kinds[kind].fails;
}

void check_write(const struct roster *r, const struct finding *finding, bool english,
                 struct buf *out)
{
    if (finding->breach) {
        rest_write_breach(r, finding->breach, english, out);
        return;
    }
    if (finding->id.len) {
        buf_put(out, finding->id);
        buf_puts(out, ": ");
    }
    buf_puts(out, english ? kinds[finding->kind].en : kinds[finding->kind].sv);
    if (finding->from == TIME_NONE) return;
    buf_puts(out, ", ");
    compose_time(r, finding->from, english, out);
    buf_puts(out, " – ");
    compose_time(r, finding->until, english, out);
}

struct checking {
    const struct roster *r;
    int (*each)(void *ctx, const struct finding *finding);
    void *ctx;
};

static int tell(struct checking *c, enum check_kind kind, struct slice id, uint32_t line)
{
    const struct finding finding = {
        .kind = kind, .id = id, .line = line, .from = TIME_NONE, .until = TIME_NONE};
    return c->each(c->ctx, &finding);
}

/* ---- people ------------------------------------------------------------------------------ */

static bool is_phone(enum notify_channel channel)
{
    return channel == NOTIFY_SMS || channel == NOTIFY_VOICE;
}

/* Whether somebody has to be reached by the plan, and not only stands in it. */
static bool is_needed(const struct roster *r, const struct roster_person *person)
{
    struct roster_reached reached[ROSTER_PEOPLE_MAX];
    for (uint32_t i = 0; i < r->n_teams; i++) {
        const struct roster_target target = {.aim = ROSTER_AIM_EVERYBODY, .id = r->teams[i].id};
        const struct roster_step step = {.targets = &target, .n = 1};
        uint32_t n = roster_targets(r, &step, 0, reached);
        for (uint32_t k = 0; k < n; k++)
            if (reached[k].person == person) return true;
    }
    for (uint32_t i = 0; i < r->n_policies; i++)
        for (uint32_t k = 0; k <= r->policies[i].n; k++) {
            const struct roster_step *step =
                k < r->policies[i].n ? &r->policies[i].steps[k] : &r->policies[i].follow;
            for (uint32_t m = 0; m < step->n; m++)
                if (step->targets[m].aim == ROSTER_AIM_PERSON &&
                    slice_eq(step->targets[m].id, person->id))
                    return true;
        }
    return false;
}

static int check_person(struct checking *c, const struct roster_person *p)
{
    bool phone = false, other = false, night = false;
    if (!is_needed(c->r, p)) return 0;
    for (uint32_t i = 0; i < p->n_contacts; i++) {
        phone = phone || is_phone(p->contacts[i].channel);
        other = other || !is_phone(p->contacts[i].channel);
        night = night || p->contacts[i].when != ROSTER_OFFICE;
    }
    if (p->n_contacts == 0) return tell(c, CHECK_NO_CONTACT, p->id, p->line);
    int error = phone && other ? 0 : tell(c, CHECK_ONE_WAY, p->id, p->line);
    return error || night ? error : tell(c, CHECK_NOT_AT_NIGHT, p->id, p->line);
}

/* ---- policies and rules ------------------------------------------------------------------ */

static int check_policies(struct checking *c)
{
    int error = 0;
    for (uint32_t i = 0; i < c->r->n_policies && error == 0; i++) {
        const struct roster_policy *p = &c->r->policies[i];
        if (p->n < 2 && p->follow.n == 0) error = tell(c, CHECK_NO_FALLBACK, p->id, p->line);
    }
    return error;
}

static int check_rules(struct checking *c)
{
    bool always = false;
    int error = 0;
    for (uint32_t i = 0; i < c->r->n_rules && error == 0; i++) {
        const struct roster_rule *rule = &c->r->rules[i];
        if (always) error = tell(c, CHECK_UNREACHED, SLICE_NONE, rule->line);
        always = always || (rule->n_tenants == 0 && rule->n_services == 0 && rule->level <= 1 &&
                            rule->when == ROSTER_ALWAYS && rule->exercise < 0);
    }
    return error;
}

/* ---- time -------------------------------------------------------------------------------- */

static int tell_gap(void *ctx, const struct roster_gap *gap)
{
    struct checking *c = ctx;
    const struct finding finding = {.kind = CHECK_GAP,
                                    .id = gap->team->id,
                                    .line = gap->team->line,
                                    .from = gap->from,
                                    .until = gap->until};
    return c->each(c->ctx, &finding);
}

static int check_rest(struct checking *c, nsec from, nsec until, struct arena *arena)
{
    struct rest_breaches breaches = {0};
    int error = rest_check(c->r, from, until, arena, &breaches);
    for (uint32_t i = 0; i < breaches.n && error == 0; i++) {
        const struct rest_breach *b = &breaches.items[i];
        const struct finding finding = {.kind = CHECK_REST,
                                        .id = b->person->id,
                                        .line = b->person->line,
                                        .from = b->from,
                                        .until = b->until,
                                        .breach = b};
        error = c->each(c->ctx, &finding);
    }
    return error;
}

int roster_check(const struct roster *r, nsec from, nsec until, struct arena *arena,
                 int (*each)(void *ctx, const struct finding *finding), void *ctx)
{
    struct checking c = {.r = r, .each = each, .ctx = ctx};
    int error = 0;
    for (uint32_t i = 0; i < r->n_people && error == 0; i++)
        error = check_person(&c, &r->people[i]);
    for (uint32_t i = 0; i < r->n_teams && error == 0; i++)
        if (r->teams[i].n == 0)
            error = tell(&c, CHECK_NO_ROTATION, r->teams[i].id, r->teams[i].line);
    if (error == 0) error = check_policies(&c);
    if (error == 0) error = check_rules(&c);
    if (error == 0) error = roster_gaps(r, from, until, tell_gap, &c);
    if (error == 0) error = check_rest(&c, from, until, arena);
    return error;
}
