/* SPDX-License-Identifier: EUPL-1.2 */
/* The plan as docs/oncall.md has its form. */
#include <stdlib.h>

#include "base/when.h"
#include "detect/sigma/doc.h"
#include "roster/internal.h"

enum { ARENA_MAX = 64 * 1024 * 1024 };

static const char *const whens[] = {
    [ROSTER_ALWAYS] = "always", [ROSTER_OFFICE] = "office", [ROSTER_ONCALL] = "oncall", NULL};

struct plan {
    struct reading r;
    struct roster *roster;
};

static int read_when(const struct reading *r, const struct yaml_node *map, const char *key,
                     enum roster_when *ret)
{
    unsigned when = *ret;
    int error = read_word(r, map, key, whens, &when);
    *ret = (enum roster_when)when;
    return error;
}

static int add_hours(const struct reading *r, const struct yaml_node *node, struct hours *hours)
{
    const char *why = "";
    if (node->kind != YAML_SCALAR)
        return read_wrong(r, ERR_INVALID, node->pos, "hours are such as `mon-fri 08:00-16:30`");
    int error = hours_add(hours, node->text, &why);
    return error ? read_wrong(r, error, node->pos, "%s", why) : 0;
}

static int add_all_hours(const struct reading *r, const struct yaml_node *list, struct hours *hours)
{
    int error = 0;
    for (const struct yaml_node *e = list->first; e && error == 0; e = e->next)
        error = add_hours(r, e, hours);
    return error;
}

/* ---- people ------------------------------------------------------------------------------ */

static int check_address(const struct reading *r, const struct yaml_node *node,
                         const struct roster_contact *c)
{
    struct slice a = c->address;
    const char *wrong = NULL;
    bool number = a.len >= 8 && a.len <= 16 && a.ptr[0] == '+';
    for (size_t i = 1; i < a.len; i++) number = number && a.ptr[i] >= '0' && a.ptr[i] <= '9';
    size_t at = slice_find_byte(a, '@');
    if ((c->channel == NOTIFY_SMS || c->channel == NOTIFY_VOICE) && !number)
        wrong = "a number is + and the country's and all digits, such as +46701234567";
    else if (c->channel == NOTIFY_MAIL && (at == 0 || at == SIZE_MAX || at + 1 == a.len))
        wrong = "this is no mail address";
    for (size_t i = 0; i < a.len && !wrong; i++)
        if (a.ptr[i] == ' ') wrong = "an address has no blanks";
    return wrong ? read_wrong(r, ERR_INVALID, node->pos, "%s", wrong) : 0;
}

static int read_contact(const struct reading *r, const struct yaml_node *node,
                        struct roster_contact *ret)
{
#define X(id, word) word,
    static const char *const channels[] = {NOTIFY_CHANNELS(X) NULL};
#undef X
    static const char *const known[] = {"channel", "address", "hours", "after", NULL};
    unsigned channel = NOTIFY_CHANNEL_END;
    int error = read_map(r, node, "a contact", known);
    if (error == 0) error = read_word(r, node, "channel", channels, &channel);
    if (error == 0 && channel == NOTIFY_CHANNEL_END)
        error = read_wrong(r, ERR_INVALID, node->pos, "`channel` is missing");
    ret->channel = (enum notify_channel)(channel + 1);
    if (error == 0) error = read_text(r, node, "address", true, ROSTER_ADDRESS_MAX, &ret->address);
    if (error == 0) error = check_address(r, yaml_get(node, "address"), ret);
    if (error == 0) error = read_when(r, node, "hours", &ret->when);
    if (error == 0) error = read_span(r, node, "after", &ret->after);
    return error;
}

static int read_contacts(const struct reading *r, const struct yaml_node *map,
                         struct roster_person *ret)
{
    const struct yaml_node *list;
    int error = read_list(r, map, "contacts", ROSTER_CONTACTS_MAX, &list);
    if (error || !list) return error;
    struct roster_contact *contacts = arena_zalloc(r->arena, list->n + 1u, sizeof *contacts);
    if (!contacts) return arena_error(r->arena);
    for (const struct yaml_node *e = list->first; e && error == 0; e = e->next)
        error = read_contact(r, e, &contacts[ret->n_contacts++]);
    ret->contacts = contacts;
    return error;
}

static int read_person(const struct plan *p, const struct yaml_node *node,
                       struct roster_person *ret)
{
    static const char *const known[] = {"id", "name", "user", "language", "work", "contacts", NULL};
    static const char *const languages[] = {"sv", "en", NULL}, *const work[] = {"none", "office",
                                                                                NULL};
    const struct reading *r = &p->r;
    unsigned english = 0, works = 1;
    int error = read_map(r, node, "a person", known);
    ret->line = node->pos.line;
    if (error == 0) error = read_id(r, node, &ret->id);
    ret->name = ret->id;
    if (error == 0) error = read_text(r, node, "name", false, ROSTER_ID_MAX, &ret->name);
    if (error == 0) error = read_text(r, node, "user", false, ROSTER_ID_MAX, &ret->user);
    if (error == 0) error = read_word(r, node, "language", languages, &english);
    if (error == 0) error = read_word(r, node, "work", work, &works);
    if (error == 0) error = read_contacts(r, node, ret);
    ret->english = english == 1;
    ret->works = works == 1;
    if (error == 0 && roster_person(p->roster, ret->id))
        error = read_wrong(r, ERR_INVALID, node->pos, "there are two people with the id `%.*s`",
                           SLICE_FMT(ret->id));
    return error;
}

static int read_people(const struct plan *p, const struct yaml_node *root)
{
    const struct yaml_node *list;
    int error = read_list(&p->r, root, "people", ROSTER_PEOPLE_MAX, &list);
    if (error) return error;
    if (!list || list->n == 0)
        return read_wrong(&p->r, ERR_INVALID, root->pos, "a plan needs `people`");
    struct roster_person *people = arena_zalloc(p->r.arena, list->n, sizeof *people);
    if (!people) return arena_error(p->r.arena);
    p->roster->people = people;
    for (const struct yaml_node *e = list->first; e && error == 0; e = e->next) {
        error = read_person(p, e, &people[p->roster->n_people]);
        p->roster->n_people++;
    }
    return error;
}

/* ---- teams ------------------------------------------------------------------------------- */

static int read_order(const struct plan *p, const struct yaml_node *map,
                      struct roster_rotation *ret)
{
    const struct yaml_node *list;
    int error = read_list(&p->r, map, "order", ROSTER_ORDER_MAX, &list);
    if (error) return error;
    if (!list || list->n == 0)
        return read_wrong(&p->r, ERR_INVALID, map->pos, "a rotation needs an `order` of people");
    uint32_t *order = arena_zalloc(p->r.arena, list->n, sizeof *order);
    if (!order) return arena_error(p->r.arena);
    for (const struct yaml_node *e = list->first; e; e = e->next) {
        const struct roster_person *person =
            e->kind == YAML_SCALAR ? roster_person(p->roster, e->text) : NULL;
        if (!person)
            return read_wrong(&p->r, ERR_INVALID, e->pos, "this is the id of none of `people`");
        order[ret->n++] = (uint32_t)(person - p->roster->people);
    }
    ret->order = order;
    return 0;
}

/* "week", "2 weeks", "day", "3 days", "12 hours" */
static bool parse_every(struct slice text, nsec *ret)
{
    static const struct {
        const char *one, *many;
        nsec span;
    } units[] = {{"hour", "hours", CALENDAR_HOUR},
                 {"day", "days", CALENDAR_DAY},
                 {"week", "weeks", 7 * CALENDAR_DAY}};
    struct slice word = slice_next_word(&text);
    uint64_t n = 1;
    if (slice_to_u64(word, &n)) word = slice_next_word(&text);
    if (n < 1 || n > 400 || slice_trim(text).len) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!slice_eq(word, slice_of(units[i].one)) && !slice_eq(word, slice_of(units[i].many)))
            continue;
        *ret = (nsec)n * units[i].span;
        return true;
    }
    return false;
}

static int read_every(const struct reading *r, const struct yaml_node *map,
                      struct roster_rotation *ret)
{
    struct slice text = SLICE("week");
    int error = read_text(r, map, "every", false, ROSTER_ID_MAX, &text);
    if (error == 0 && !parse_every(text, &ret->period))
        error = read_wrong(r, ERR_INVALID, yaml_get(map, "every")->pos,
                           "`every` is such as week, 2 weeks, day, 12 hours; at most 400 of them");
    return error;
}

/* A date, or date and time, by the zone's clock: local time. */
static int read_local(const struct reading *r, const struct yaml_node *map, const char *key,
                      bool must, nsec *ret)
{
    struct slice text = SLICE_NONE;
    struct civil_time civil;
    int error = read_text(r, map, key, must, ROSTER_ID_MAX, &text);
    if (error || text.len == 0) return error;
    if (!time_parse_civil(text, &civil) || text.len < 10 || text.ptr[4] != '-')
        return read_wrong(r, ERR_INVALID, yaml_get(map, key)->pos,
                          "`%s` is a date such as 2026-01-05, or one with a time", key);
    *ret = time_from_civil(&civil);
    return *ret == TIME_NONE
               ? read_wrong(r, ERR_INVALID, yaml_get(map, key)->pos, "`%s` is out of range", key)
               : 0;
}

/* "monday 08:00", "08:00": when the first turn begins, at or after the day that it is `since`. */
static int read_start(const struct reading *r, const struct yaml_node *map,
                      struct roster_rotation *ret)
{
    struct slice text = SLICE("08:00"), word;
    unsigned weekday = 0;
    int32_t seconds;
    int error = read_local(r, map, "since", true, &ret->start);
    if (error == 0) error = read_text(r, map, "handoff", false, ROSTER_ID_MAX, &text);
    if (error) return error;
    int64_t day = ret->start / CALENDAR_DAY - (ret->start % CALENDAR_DAY < 0);
    word = slice_next_word(&text);
    bool named = hours_parse_weekday(word, &weekday);
    if (named) word = slice_next_word(&text);
    if (!hours_parse_time(word, &seconds) || slice_trim(text).len)
        return read_wrong(r, ERR_INVALID, yaml_get(map, "handoff")->pos,
                          "`handoff` is such as `monday 08:00`, or `08:00`");
    if (named) day += (int64_t)((weekday + 7 - calendar_weekday(day)) % 7);
    ret->start = day * CALENDAR_DAY + seconds * NSEC_PER_SEC;
    return 0;
}

/* always, office, oncall; or a list of its own */
static int read_rotation_hours(const struct reading *r, const struct yaml_node *map,
                               struct roster_rotation *ret)
{
    const struct yaml_node *node = yaml_get(map, "hours");
    if (!node) return 0;
    if (node->kind != YAML_SEQ) return read_when(r, map, "hours", &ret->when);
    struct hours *hours = arena_zalloc(r->arena, 1, sizeof *hours);
    if (!hours) return arena_error(r->arena);
    if (node->n == 0) return read_wrong(r, ERR_INVALID, node->pos, "`hours` is an empty list");
    ret->hours = hours;
    return add_all_hours(r, node, hours);
}

static int read_rotation(const struct plan *p, const struct yaml_node *node,
                         struct roster_rotation *ret)
{
    static const char *const known[] = {"name",  "order", "every",  "handoff", "since",
                                        "until", "hours", "shadow", NULL};
    const struct reading *r = &p->r;
    nsec until = TIME_NONE;
    int error = read_map(r, node, "a rotation", known);
    ret->line = node->pos.line;
    if (error == 0) error = read_text(r, node, "name", false, ROSTER_ID_MAX, &ret->name);
    if (error == 0) error = read_order(p, node, ret);
    if (error == 0) error = read_every(r, node, ret);
    if (error == 0) error = read_start(r, node, ret);
    if (error == 0) error = read_local(r, node, "until", false, &until);
    ret->until = until == TIME_NONE ? INT64_MAX : zone_from_local(p->roster->zone, until);
    if (error == 0) error = read_rotation_hours(r, node, ret);
    if (error == 0) error = read_bool(r, node, "shadow", &ret->shadow);
    return error;
}

static int read_rotations(const struct plan *p, const struct yaml_node *map,
                          struct roster_team *ret)
{
    const struct yaml_node *list;
    int error = read_list(&p->r, map, "rotations", ROSTER_ROTATIONS_MAX, &list);
    if (error || !list) return error;
    struct roster_rotation *rotations = arena_zalloc(p->r.arena, list->n + 1u, sizeof *rotations);
    if (!rotations) return arena_error(p->r.arena);
    for (const struct yaml_node *e = list->first; e && error == 0; e = e->next)
        error = read_rotation(p, e, &rotations[ret->n++]);
    ret->rotations = rotations;
    return error;
}

static int read_team(const struct plan *p, const struct yaml_node *node, struct roster_team *ret)
{
    static const char *const known[] = {"id", "name", "duty", "cover", "rotations", NULL};
    static const char *const duties[] = {
        [ROSTER_BEREDSKAP] = "beredskap", [ROSTER_JOUR] = "jour", NULL};
    const struct reading *r = &p->r;
    unsigned duty = ROSTER_BEREDSKAP;
    int error = read_map(r, node, "a team", known);
    ret->line = node->pos.line;
    if (error == 0) error = read_id(r, node, &ret->id);
    ret->name = ret->id;
    if (error == 0) error = read_text(r, node, "name", false, ROSTER_ID_MAX, &ret->name);
    if (error == 0) error = read_word(r, node, "duty", duties, &duty);
    ret->duty = (enum roster_duty)duty;
    if (error == 0) error = read_when(r, node, "cover", &ret->cover);
    if (error == 0) error = read_rotations(p, node, ret);
    if (error == 0 && roster_team(p->roster, ret->id))
        error = read_wrong(r, ERR_INVALID, node->pos, "there are two teams with the id `%.*s`",
                           SLICE_FMT(ret->id));
    return error;
}

static int read_teams(const struct plan *p, const struct yaml_node *root)
{
    const struct yaml_node *list;
    int error = read_list(&p->r, root, "teams", ROSTER_TEAMS_MAX, &list);
    if (error || !list) return error;
    struct roster_team *teams = arena_zalloc(p->r.arena, list->n + 1u, sizeof *teams);
    if (!teams) return arena_error(p->r.arena);
    p->roster->teams = teams;
    for (const struct yaml_node *e = list->first; e && error == 0; e = e->next) {
        error = read_team(p, e, &teams[p->roster->n_teams]);
        p->roster->n_teams++;
    }
    return error;
}

/* ---- policies ---------------------------------------------------------------------------- */

static int check_targets(const struct plan *p, const struct roster_policy *policy,
                         const struct roster_step *step, struct yaml_pos pos)
{
    for (uint32_t i = 0; i < step->n; i++) {
        const struct roster_target *t = &step->targets[i];
        bool person = t->aim == ROSTER_AIM_PERSON;
        if (person ? roster_person(p->roster, t->id) != NULL
                   : roster_team(p->roster, t->id) != NULL)
            continue;
        return read_wrong(&p->r, ERR_INVALID, pos,
                          "policy `%.*s` names `%.*s`, which is none of %s", SLICE_FMT(policy->id),
                          SLICE_FMT(t->id), person ? "`people`" : "`teams`");
    }
    return 0;
}

static int read_known_policy(const struct plan *p, const struct yaml_node *node,
                             struct roster_policy *ret)
{
    int error = policy_read(&p->r, node, ret);
    if (error == 0 && roster_policy(p->roster, ret->id))
        error = read_wrong(&p->r, ERR_INVALID, node->pos,
                           "there are two policies with the id `%.*s`", SLICE_FMT(ret->id));
    for (uint32_t i = 0; i < ret->n && error == 0; i++)
        error = check_targets(p, ret, &ret->steps[i], node->pos);
    if (error == 0) error = check_targets(p, ret, &ret->follow, node->pos);
    return error;
}

static int read_policies(const struct plan *p, const struct yaml_node *root)
{
    const struct yaml_node *list;
    int error = read_list(&p->r, root, "policies", ROSTER_POLICIES_MAX, &list);
    if (error) return error;
    if (!list || list->n == 0)
        return read_wrong(&p->r, ERR_INVALID, root->pos, "a plan needs `policies`");
    struct roster_policy *policies = arena_zalloc(p->r.arena, list->n, sizeof *policies);
    if (!policies) return arena_error(p->r.arena);
    p->roster->policies = policies;
    for (const struct yaml_node *e = list->first; e && error == 0; e = e->next) {
        error = read_known_policy(p, e, &policies[p->roster->n_policies]);
        p->roster->n_policies++;
    }
    return error;
}

/* ---- rules ------------------------------------------------------------------------------- */

static int read_tenants(const struct reading *r, const struct yaml_node *map,
                        struct roster_rule *ret)
{
    const struct yaml_node *list;
    int error = read_list(r, map, "tenants", ROSTER_RULES_MAX, &list);
    if (error || !list) return error;
    uint32_t *tenants = arena_zalloc(r->arena, list->n + 1u, sizeof *tenants);
    if (!tenants) return arena_error(r->arena);
    for (const struct yaml_node *e = list->first; e; e = e->next) {
        uint64_t number;
        if (e->kind != YAML_SCALAR || !slice_to_u64(e->text, &number) || number > UINT32_MAX)
            return read_wrong(r, ERR_INVALID, e->pos, "a tenant is a number");
        tenants[ret->n_tenants++] = (uint32_t)number;
    }
    ret->tenants = tenants;
    return 0;
}

static int read_services(const struct reading *r, const struct yaml_node *map,
                         struct roster_rule *ret)
{
    const struct yaml_node *list;
    int error = read_list(r, map, "services", ROSTER_RULES_MAX, &list);
    if (error || !list) return error;
    struct slice *services = arena_zalloc(r->arena, list->n + 1u, sizeof *services);
    if (!services) return arena_error(r->arena);
    for (const struct yaml_node *e = list->first; e; e = e->next) {
        if (e->kind != YAML_SCALAR || e->text.len == 0)
            return read_wrong(r, ERR_INVALID, e->pos, "a service is a name");
        services[ret->n_services++] = arena_dup(r->arena, e->text);
    }
    ret->services = services;
    return arena_error(r->arena);
}

static int read_wait(const struct reading *r, const struct yaml_node *map, struct roster_rule *ret)
{
    struct slice text = SLICE_NONE;
    int32_t seconds = 0;
    int error = read_text(r, map, "wait_until", false, ROSTER_ID_MAX, &text);
    if (error || text.len == 0) return error;
    ret->what = ROSTER_WAIT;
    ret->until_office = slice_eq(text, SLICE("office"));
    if (!ret->until_office && (!hours_parse_time(text, &seconds) || seconds == 24 * 3600))
        return read_wrong(r, ERR_INVALID, yaml_get(map, "wait_until")->pos,
                          "`wait_until` is a time such as 07:00, or office");
    ret->until = seconds * NSEC_PER_SEC;
    return 0;
}

static int read_outcome(const struct plan *p, const struct yaml_node *map, struct roster_rule *ret)
{
    struct slice policy = SLICE_NONE;
    bool never = false;
    int error = read_wait(&p->r, map, ret);
    if (error == 0) error = read_bool(&p->r, map, "never", &never);
    if (error == 0) error = read_text(&p->r, map, "page", false, ROSTER_ID_MAX, &policy);
    if (error) return error;
    if (never && (policy.len || ret->what == ROSTER_WAIT))
        return read_wrong(&p->r, ERR_INVALID, map->pos,
                          "`never` goes with neither of page and "
                          "wait_until");
    if (never) {
        ret->what = ROSTER_NEVER;
        return 0;
    }
    const struct roster_policy *found = roster_policy(p->roster, policy);
    if (policy.len == 0)
        return read_wrong(&p->r, ERR_INVALID, map->pos,
                          "a rule says `page: POLICY`, also with `wait_until`, or `never: true`");
    if (!found)
        return read_wrong(&p->r, ERR_INVALID, yaml_get(map, "page")->pos,
                          "this is the id of none of `policies`");
    ret->policy = (uint32_t)(found - p->roster->policies);
    return 0;
}

static int read_rule(const struct plan *p, const struct yaml_node *node, struct roster_rule *ret)
{
    static const char *const known[] = {"tenants", "services", "level",      "hours", "exercise",
                                        "page",    "never",    "wait_until", NULL};
    const char *levels[] = {"",
                            sigma_level_name(LEVEL_INFORMATIONAL),
                            sigma_level_name(LEVEL_LOW),
                            sigma_level_name(LEVEL_MEDIUM),
                            sigma_level_name(LEVEL_HIGH),
                            sigma_level_name(LEVEL_CRITICAL),
                            NULL};
    const struct reading *r = &p->r;
    bool exercise = false;
    int error = read_map(r, node, "a rule", known);
    ret->line = node->pos.line;
    if (error == 0) error = read_tenants(r, node, ret);
    if (error == 0) error = read_services(r, node, ret);
    if (error == 0) error = read_word(r, node, "level", levels, &ret->level);
    if (error == 0) error = read_when(r, node, "hours", &ret->when);
    if (error == 0) error = read_bool(r, node, "exercise", &exercise);
    if (error) return error;
    ret->exercise = yaml_get(node, "exercise") ? exercise : -1;
    return read_outcome(p, node, ret);
}

static int read_rules(const struct plan *p, const struct yaml_node *root)
{
    const struct yaml_node *list;
    int error = read_list(&p->r, root, "rules", ROSTER_RULES_MAX, &list);
    if (error || !list) return error;
    struct roster_rule *rules = arena_zalloc(p->r.arena, list->n + 1u, sizeof *rules);
    if (!rules) return arena_error(p->r.arena);
    for (const struct yaml_node *e = list->first; e && error == 0; e = e->next)
        error = read_rule(p, e, &rules[p->roster->n_rules++]);
    p->roster->rules = rules;
    return error;
}

/* ---- all of it --------------------------------------------------------------------------- */

static int read_zone(const struct plan *p, const struct yaml_node *root, struct calendar *calendar)
{
    struct diag diag = {0};
    struct slice name = SLICE_NONE;
    int error = read_text(&p->r, root, "zone", false, ROSTER_ID_MAX, &name);
    if (error) return error;
    p->roster->zone_name = name;
    error = calendar_zone(calendar, name, &p->roster->zone, &diag);
    if (error == ERR_INVALID && name.len)
        return read_wrong(&p->r, error, yaml_get(root, "zone")->pos, "there is no time zone `%.*s`",
                          SLICE_FMT(name));
    return error;
}

static int read_office(const struct plan *p, const struct yaml_node *root)
{
    const struct yaml_node *list;
    const char *why;
    p->roster->office.closed_on_red = true;
    int error = read_list(&p->r, root, "office_hours", HOURS_SPANS_MAX, &list);
    if (error) return error;
    if (!list) return hours_add(&p->roster->office, SLICE("mon-fri 08:00-17:00"), &why);
    return add_all_hours(&p->r, list, &p->roster->office);
}

/* ---- rest -------------------------------------------------------------------------------- */

/* The time at which most people begin. */
static nsec first_office(const struct hours *office)
{
    int32_t first = INT32_MAX;
    for (uint32_t i = 0; i < office->n; i++)
        if (office->spans[i].from < first) first = office->spans[i].from;
    return office->n ? first * NSEC_PER_SEC : 0;
}

static int read_rest(const struct plan *p, const struct yaml_node *root)
{
    static const char *const known[] = {"day_begins", "weekly_standby", "jour", "exception", NULL};
    static const char *const periods[] = {"month", "weeks", NULL};
    const struct yaml_node *map = yaml_get(root, "rest");
    const struct reading *r = &p->r;
    struct roster_rest *rest = &p->roster->rest;
    struct slice begins = SLICE_NONE;
    unsigned weeks = 0;
    int32_t seconds = 0;
    rest->day_begins = first_office(&p->roster->office);
    if (!map) return 0;
    int error = read_map(r, map, "rest", known);
    if (error == 0) error = read_text(r, map, "day_begins", false, ROSTER_ID_MAX, &begins);
    if (error == 0 && begins.len && !hours_parse_time(begins, &seconds))
        return read_wrong(r, ERR_INVALID, yaml_get(map, "day_begins")->pos,
                          "`day_begins` is a time such as 07:00");
    if (begins.len) rest->day_begins = seconds * NSEC_PER_SEC;
    if (error == 0) error = read_bool(r, map, "weekly_standby", &rest->weekly_standby);
    if (error == 0) error = read_word(r, map, "jour", periods, &weeks);
    rest->jour_weeks = weeks == 1;
    if (error == 0) error = read_text(r, map, "exception", false, 256, &rest->exception);
    return error;
}

/* "thursday 10:00", or never */
static int read_digest(const struct plan *p, const struct yaml_node *root)
{
    struct roster_digest *digest = &p->roster->digest;
    struct slice text = SLICE("thursday 10:00"), rest;
    int32_t seconds = 0;
    int error = read_text(&p->r, root, "digest", false, ROSTER_ID_MAX, &text);
    if (error) return error;
    digest->never = slice_eq(text, SLICE("never"));
    rest = text;
    if (!digest->never &&
        (!hours_parse_weekday(slice_next_word(&rest), &digest->weekday) ||
         !hours_parse_time(slice_next_word(&rest), &seconds) || slice_trim(rest).len))
        return read_wrong(&p->r, ERR_INVALID, yaml_get(root, "digest")->pos,
                          "`digest` is such as `thursday 10:00`, or never");
    digest->time = seconds * NSEC_PER_SEC;
    return 0;
}

/* "anna 10:00", or never */
static int read_proof(const struct plan *p, const struct yaml_node *root)
{
    struct roster_proof *proof = &p->roster->proof;
    struct slice text = SLICE("never"), rest;
    int32_t seconds = 0;
    int error = read_text(&p->r, root, "proof", false, 2 * ROSTER_ID_MAX, &text);
    if (error || slice_eq(text, SLICE("never"))) return error;
    rest = text;
    proof->person = slice_next_word(&rest);
    if (!hours_parse_time(slice_next_word(&rest), &seconds) || seconds == 24 * 3600 ||
        slice_trim(rest).len)
        return read_wrong(&p->r, ERR_INVALID, yaml_get(root, "proof")->pos,
                          "`proof` is such as `anna 10:00`, or never");
    if (!roster_person(p->roster, proof->person))
        return read_wrong(&p->r, ERR_INVALID, yaml_get(root, "proof")->pos,
                          "there is nobody `%.*s` in the plan", SLICE_FMT(proof->person));
    proof->time = seconds * NSEC_PER_SEC;
    return 0;
}

/* Numbers of an agreement, before those of taxonomy/duty.tsv. */
static int read_duty(const struct plan *p, const struct yaml_node *root)
{
    const struct yaml_node *map = yaml_get(root, "duty");
    const char *known[DUTY_COUNT + 1] = {0};
    duty_init(&p->roster->duty);
    if (!map) return 0;
    for (unsigned i = 0; i < DUTY_COUNT; i++) known[i] = duty_key((enum duty_fact)i);
    int error = read_map(&p->r, map, "duty", known);
    for (const struct yaml_node *key = map->first; key && error == 0; key = key->next) {
        enum duty_fact fact = duty_find(key->text);
        error = read_number(&p->r, map, known[fact], 1000, &p->roster->duty.facts[fact].value);
        p->roster->duty.facts[fact].law = SLICE("the plan's duty");
    }
    return error;
}

static int read_root(const struct plan *p, const struct yaml_node *root, struct calendar *calendar)
{
    static const char *const known[] = {"zone",     "office_hours", "people", "teams",
                                        "policies", "rules",        "rest",   "duty",
                                        "digest",   "proof",        NULL};
    int error = read_map(&p->r, root, "a plan", known);
    if (error == 0) error = read_zone(p, root, calendar);
    if (error == 0) error = read_office(p, root);
    if (error == 0) error = read_people(p, root);
    if (error == 0) error = read_teams(p, root);
    if (error == 0) error = read_policies(p, root);
    if (error == 0) error = read_rules(p, root);
    if (error == 0) error = read_rest(p, root);
    if (error == 0) error = read_duty(p, root);
    if (error == 0) error = read_digest(p, root);
    if (error == 0) error = read_proof(p, root);
    return error;
}

int roster_read(struct slice text, const char *path, struct calendar *calendar, struct roster **ret,
                struct diag *diag)
{
    struct diag unwanted;
    struct yaml_reader yaml;
    const struct yaml_node *root;
    if (!diag) diag = &unwanted;
    if (text.len > ROSTER_PLAN_MAX)
        return diag_set(diag, ERR_LIMIT, path, 0, 0, "a plan has at most %d bytes",
                        ROSTER_PLAN_MAX);
    struct roster *roster = calloc(1, sizeof *roster);
    if (!roster) return ERR_NOMEM;
    arena_init(&roster->arena, ARENA_MAX);
    roster->calendar = calendar;
    const struct plan p = {.r = {.arena = &roster->arena, .file = path, .diag = diag},
                           .roster = roster};
    yaml_init(&yaml, path, text);
    int error = yaml_next(&yaml, &root, diag);
    if (error == 0 && !root) error = diag_set(diag, ERR_INVALID, path, 1, 1, "the plan is empty");
    if (error == 0) error = read_root(&p, root, calendar);
    yaml_done(&yaml);
    if (error) roster_free(roster);
    else *ret = roster;
    return error;
}

void roster_free(struct roster *r)
{
    if (!r) return;
    arena_done(&r->arena);
    free(r);
}
