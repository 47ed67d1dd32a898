/* SPDX-License-Identifier: EUPL-1.2 */
#include "incident/grouping.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/time.h"

enum { WAYS = 8, BURST_MAX = 16, RULES_MAX = 4096 };

/*
 * What was named, found by the hash of its text: one of the WAYS places that its hash has, of which
 * the one that was used longest ago is given to a new one.
 */
struct known {
    uint64_t key;      /* 0: free */
    uint64_t incident; /* as it was then */
    nsec last;
    uint64_t
        full; /* of a first label: the key of the whole name it was said with; 0: without one */
};

/* Incidents that a rule began lately, for the same kind of table. */
struct beginner {
    uint64_t key;
    nsec last;
    uint64_t bundle; /* what its incidents were made part of; 0: nothing yet */
    uint32_t n;      /* of the ring */
    uint64_t begun[BURST_MAX];
    nsec at[BURST_MAX];
};

struct grouping {
    struct grouping_options options;
    uint64_t next;
    nsec now; /* of the alert at hand */
    struct known *known;
    struct beginner *beginners;
    struct grouping_group *groups; /* by id modulo their number */
};

struct grouping_options grouping_defaults(void)
{
    return (struct grouping_options){.next = 1,
                                     .window = 24 * 3600 * NSEC_PER_SEC,
                                     .deed_window = 600 * NSEC_PER_SEC,
                                     .names_max = 256 * 1024,
                                     .incidents_max = 16 * 1024,
                                     .burst = 5,
                                     .burst_time = 600 * NSEC_PER_SEC};
}

int grouping_new(const struct grouping_options *options, struct grouping **ret)
{
    struct grouping *g = calloc(1, sizeof *g);
    if (!g) return ERR_NOMEM;
    g->options = *options;
    if (g->options.burst > BURST_MAX) g->options.burst = BURST_MAX;
    g->next = options->next;
    g->known = calloc(options->names_max, sizeof *g->known);
    g->groups = calloc(options->incidents_max, sizeof *g->groups);
    g->beginners = calloc(RULES_MAX, sizeof *g->beginners);
    if (!g->known || !g->groups || !g->beginners) {
        grouping_free(g);
        return ERR_NOMEM;
    }
    *ret = g;
    return 0;
}

void grouping_free(struct grouping *g)
{
    if (!g) return;
    free(g->known);
    free(g->groups);
    free(g->beginners);
    free(g);
}

/* ---- incidents --------------------------------------------------------------------------- */

static struct grouping_group *group_of(const struct grouping *g, uint64_t id)
{
    return &g->groups[id % g->options.incidents_max];
}

/* Itself, or the one that it became part of. */
static uint64_t now_of(const struct grouping *g, uint64_t id)
{
    for (const struct grouping_group *group = group_of(g, id); group->id == id && group->into;) {
        id = group->into;
        group = group_of(g, id);
    }
    return id;
}

/* Whether names still lead to it: its place was not given to a later one. */
static bool is_remembered(const struct grouping *g, uint64_t id)
{
    return id != 0 && group_of(g, id)->id == id;
}

static void remember_group(struct grouping *g, uint64_t id)
{
    if (group_of(g, id)->id < id) *group_of(g, id) = (struct grouping_group){.id = id};
    if (g->next <= id) g->next = id + 1;
}

uint64_t grouping_begin(struct grouping *g)
{
    uint64_t id = g->next;
    remember_group(g, id);
    return id;
}

static bool is_apart(const struct grouping *g, uint64_t id)
{
    return is_remembered(g, id) && group_of(g, id)->apart;
}

static void merge(struct grouping *g, uint64_t from, struct grouping_place *place)
{
    if (from == place->incident || place->n_merged == GROUPING_MERGED_MAX) return;
    if (!is_remembered(g, from) || is_apart(g, from) || is_apart(g, place->incident)) return;
    group_of(g, from)->into = place->incident;
    place->merged[place->n_merged++] = from;
}

/* ---- names ------------------------------------------------------------------------------- */

static uint64_t key_of(const struct grouping *g, struct slice text)
{
    uint64_t key = hash64_seed(text, g->options.seed);
    return key ? key : 1;
}

static struct known *set_of(const struct grouping *g, uint64_t key)
{
    return &g->known[key % (g->options.names_max / WAYS) * WAYS];
}

static struct known *find_known(const struct grouping *g, uint64_t key)
{
    struct known *set = set_of(g, key);
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].key == key) return &set[i];
    return NULL;
}

/* A free one, or the one that was named longest ago. */
static struct known *room_for(const struct grouping *g, uint64_t key)
{
    struct known *set = set_of(g, key), *best = set;
    for (unsigned i = 1; i < WAYS && best->key; i++)
        if (!set[i].key || set[i].last < best->last) best = &set[i];
    return best;
}

/* A label alone goes on being that of the whole name that it was said with in this incident. */
static void lead(struct grouping *g, struct slice name, uint64_t incident, nsec last)
{
    uint64_t key = key_of(g, name), full = 0;
    struct known *place = find_known(g, key);
    if (!place) place = room_for(g, key);
    /* What comes late makes nothing older. */
    if (place->key == key && place->last > last) last = place->last;
    if (place->key == key && place->incident == incident) full = place->full;
    *place = (struct known){.key = key, .incident = incident, .last = last, .full = full};
}

void grouping_lead(struct grouping *g, enum name_kind kind, struct slice name, uint64_t incident,
                   nsec last)
{
    lead(g, name, incident, last);
    if (kind != NAME_FULL) return;
    struct slice label = slice_until(name, slice_find_byte(name, '.'));
    struct known *place = find_known(g, key_of(g, label));
    if (place && place->incident == incident) place->full = key_of(g, name);
}

static void remember_names(struct grouping *g, const struct facts *facts, uint64_t incident)
{
    for (uint32_t i = 0; i < facts->n_names; i++) {
        const struct fact *name = &facts->names[i];
        if (!name->bystander) grouping_lead(g, name->kind, name->text, incident, g->now);
    }
}

static bool is_closed(const struct grouping *g, uint64_t id)
{
    return is_remembered(g, id) && group_of(g, id)->closed;
}

/* For so long it joins. A record is that one record, whenever it is told of: what is counted comes
 * at the time of its counting, which is days behind that of records that came late. */
static nsec window_of(const struct grouping *g, enum name_kind kind)
{
    return kind == NAME_DEED     ? g->options.deed_window
           : kind == NAME_RECORD ? INT64_MAX
                                 : g->options.window;
}

/* The incident that named it lately; 0: none. A closed one is only noted: the newest of them. */
static uint64_t incident_of(const struct grouping *g, const struct fact *name,
                            struct grouping_place *place)
{
    const struct known *known = find_known(g, key_of(g, name->text));
    if (!known || g->now - known->last > window_of(g, name->kind)) return 0;
    if (!is_remembered(g, known->incident)) return 0;
    /* The same first label in another domain is another computer. */
    if (name->full.len && known->full && known->full != key_of(g, name->full)) return 0;
    uint64_t id = now_of(g, known->incident);
    if (!is_closed(g, id)) return id;
    if (id > place->follows) place->follows = id;
    return 0;
}

/* ---- where an alert belongs -------------------------------------------------------------- */

/* The oldest of those that its names lead to; the others become part of it. */
static bool join_named(struct grouping *g, const struct facts *facts, struct grouping_place *place)
{
    uint64_t found[FACTS_NAMES_MAX];
    place->incident = 0;
    for (uint32_t i = 0; i < facts->n_names; i++) {
        const struct fact *name = &facts->names[i];
        found[i] = name->bystander ? 0 : incident_of(g, name, place);
        if (found[i] == 0 || (place->incident && place->incident <= found[i])) continue;
        place->incident = found[i];
        place->by = name->text;
    }
    for (uint32_t i = 0; i < facts->n_names; i++)
        if (found[i] && now_of(g, found[i]) != place->incident) merge(g, found[i], place);
    return place->incident != 0;
}

/* The one of whose names most are spoken of; of as many, the oldest. */
static bool join_spoken(struct grouping *g, const struct facts *facts, struct grouping_place *place)
{
    uint64_t ids[GROUPING_MERGED_MAX];
    uint32_t counts[GROUPING_MERGED_MAX], n = 0, best = 0;
    for (uint32_t i = 0; i < facts->n_mentions; i++) {
        uint64_t id = incident_of(g, &facts->mentions[i], place);
        uint32_t at = 0;
        while (at < n && ids[at] != id) at++;
        if (id == 0 || at == GROUPING_MERGED_MAX) continue;
        if (at == n) {
            ids[n] = id;
            counts[n++] = 0;
        }
        counts[at]++;
        bool better = at != best && (counts[at] > counts[best] ||
                                     (counts[at] == counts[best] && ids[at] < ids[best]));
        if (better) best = at;
        if (at == best) place->by = facts->mentions[i].text;
    }
    if (n) place->incident = ids[best];
    return n > 0;
}

/* ---- rules that begin many --------------------------------------------------------------- */

static struct beginner *beginner_of(struct grouping *g, struct slice rule)
{
    uint64_t key = key_of(g, rule);
    struct beginner *set = &g->beginners[key % (RULES_MAX / WAYS) * WAYS], *best = set;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].key == key) return &set[i];
        if (best->key && (!set[i].key || set[i].last < best->last)) best = &set[i];
    }
    *best = (struct beginner){.key = key, .last = INT64_MIN / 2};
    return best;
}

/* Those that it began within the time, as what they are part of now; oldest first. */
static uint32_t begun_lately(const struct grouping *g, const struct beginner *b,
                             uint64_t ret[BURST_MAX])
{
    uint32_t n = 0, ring = g->options.burst;
    for (uint32_t i = b->n > ring ? b->n - ring : 0; i < b->n; i++) {
        uint64_t id = b->begun[i % ring];
        if (g->now - b->at[i % ring] > g->options.burst_time || !is_remembered(g, id)) continue;
        id = now_of(g, id);
        if (is_closed(g, id) || is_apart(g, id)) continue;
        bool had = false;
        for (uint32_t k = 0; k < n; k++) had |= ret[k] == id;
        if (!had) ret[n++] = id;
    }
    return n;
}

static void note_begun(const struct grouping *g, struct beginner *b, uint64_t incident, nsec at)
{
    b->begun[b->n % g->options.burst] = incident;
    b->at[b->n % g->options.burst] = at;
    b->n++;
    if (at > b->last) b->last = at;
}

/* One more that this rule began: with enough others, they are one. */
static void bundle(struct grouping *g, const struct facts *facts, struct grouping_place *place)
{
    struct beginner *b = beginner_of(g, facts->rule);
    uint64_t others[BURST_MAX];
    note_begun(g, b, place->incident, g->now);
    uint32_t n = begun_lately(g, b, others);
    if (n < g->options.burst) return;
    place->reason = GROUPING_BURST;
    for (uint32_t i = 0; i < n; i++)
        if (others[i] < place->incident) place->incident = others[i];
    for (uint32_t i = 0; i < n; i++) merge(g, others[i], place);
    b->bundle = place->incident;
}

/* It goes on with what was bundled. */
static bool join_bundle(struct grouping *g, const struct facts *facts, struct grouping_place *place)
{
    struct beginner *b = beginner_of(g, facts->rule);
    bool goes_on = b->bundle && g->now - b->last <= g->options.burst_time &&
                   is_remembered(g, b->bundle) && !is_closed(g, now_of(g, b->bundle));
    if (!goes_on) b->bundle = 0;
    if (!goes_on) return false;
    if (g->now > b->last) b->last = g->now;
    place->incident = now_of(g, b->bundle);
    return true;
}

/* The time of what has none is that of the alert before it. None is so far off that it cannot be
 * compared. */
static void set_now(struct grouping *g, const struct facts *facts)
{
    const nsec most = INT64_MAX / 4;
    if (facts->time == TIME_NONE) return;
    g->now = facts->time < -most ? -most : facts->time > most ? most : facts->time;
}

void grouping_place(struct grouping *g, const struct facts *facts, struct grouping_place *ret)
{
    *ret = (struct grouping_place){.reason = GROUPING_NAMED};
    set_now(g, facts);
    if (!join_named(g, facts, ret)) {
        if (join_spoken(g, facts, ret)) {
            ret->reason = GROUPING_SPOKEN;
        } else if (join_bundle(g, facts, ret)) {
            ret->reason = GROUPING_BURST;
        } else {
            ret->reason = GROUPING_NEW;
            ret->incident = grouping_begin(g);
            bundle(g, facts, ret);
        }
    }
    remember_names(g, facts, ret->incident);
    ret->time = g->now;
}

/* ---- what people say, and what it knew ---------------------------------------------------- */

void grouping_set(struct grouping *g, const struct grouping_group *group)
{
    if (is_remembered(g, group->id)) *group_of(g, group->id) = *group;
}

void grouping_restore(struct grouping *g, const struct grouping_group *group)
{
    remember_group(g, group->id);
    grouping_set(g, group);
}

void grouping_restore_begun(struct grouping *g, struct slice rule, uint64_t incident, nsec at)
{
    note_begun(g, beginner_of(g, rule), incident, at);
}

void grouping_restore_bundle(struct grouping *g, struct slice rule, uint64_t incident, nsec last)
{
    struct beginner *b = beginner_of(g, rule);
    b->bundle = incident;
    b->last = last;
}
