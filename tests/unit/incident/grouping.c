/* SPDX-License-Identifier: EUPL-1.2 */
#include "incident/grouping.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "test.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)

struct world {
    struct grouping *grouping;
    struct facts *facts;
    nsec now;
    struct grouping_place place;
    char why[64];
};

static void begin_with(struct world *w, struct grouping_options options)
{
    *w = (struct world){.now = HOUR};
    options.seed = 7;
    REQUIRE(grouping_new(&options, &w->grouping) == 0);
    w->facts = calloc(1, sizeof *w->facts);
    REQUIRE(w->facts != NULL);
}

static void begin_world(struct world *w)
{
    begin_with(w, grouping_defaults());
}

static void end_world(struct world *w)
{
    grouping_free(w->grouping);
    free(w->facts);
}

static void set(struct fact *to, uint32_t *n, const char *text)
{
    to[(*n)++] = (struct fact){.kind = NAME_USER, .text = slice_of(text)};
}

/* An alert of a rule that names these (NULL: none), and speaks of that. Where it was put. */
static uint64_t alert(struct world *w, const char *rule, const char *name, const char *other,
                      const char *word)
{
    *w->facts = (struct facts){.rule = slice_of(rule), .time = w->now};
    if (name) set(w->facts->names, &w->facts->n_names, name);
    if (other) set(w->facts->names, &w->facts->n_names, other);
    if (word) set(w->facts->mentions, &w->facts->n_mentions, word);
    grouping_place(w->grouping, w->facts, &w->place);
    return w->place.incident;
}

TEST(what_names_the_same_belongs_together)
{
    struct world w;
    begin_world(&w);
    uint64_t anna = alert(&w, "a", "anna", NULL, NULL), bo = alert(&w, "a", "bo", NULL, NULL);
    CHECK(anna == 1 && bo == 2);
    CHECK_INT(w.place.reason, GROUPING_NEW);
    CHECK_INT(alert(&w, "b", "anna", "pc1", NULL), anna);
    CHECK_INT(w.place.reason, GROUPING_NAMED);
    CHECK_SLICE(w.place.by, "anna");
    /* By what an alert before brought along. */
    CHECK_INT(alert(&w, "c", "pc1", NULL, NULL), anna);
    CHECK_INT(w.place.n_merged, 0);
    end_world(&w);
}

/* An alert at that computer, by its whole name (NULL: not said) and its first label. */
static uint64_t at_host(struct world *w, const char *rule, const char *label, const char *full)
{
    *w->facts = (struct facts){.rule = slice_of(rule), .time = w->now};
    struct fact *names = w->facts->names;
    names[0] = (struct fact){.kind = NAME_HOST, .text = slice_of(label), .full = slice_of(full)};
    names[1] = (struct fact){.kind = NAME_FULL, .text = slice_of(full)};
    w->facts->n_names = full ? 2 : 1;
    grouping_place(w->grouping, w->facts, &w->place);
    return w->place.incident;
}

TEST(computers_of_two_domains_are_two)
{
    struct world w;
    begin_world(&w);
    uint64_t a = at_host(&w, "r1", "fs01", "fs01.a.se"), b = at_host(&w, "r2", "fs01", "fs01.b.se");
    CHECK(a == 1 && b == 2);
    CHECK_INT(at_host(&w, "r3", "fs01", "fs01.a.se"), a);
    CHECK_INT(at_host(&w, "r4", "fs01", "fs01.b.se"), b);
    CHECK_INT(w.place.n_merged, 0);
    /* Without a domain it is the one that was named last, and that does not make them one. */
    CHECK_INT(at_host(&w, "r5", "fs01", NULL), b);
    CHECK_INT(at_host(&w, "r6", "fs01", "fs01.a.se"), a);
    CHECK_INT(at_host(&w, "r7", "fs01", NULL), a);
    CHECK_INT(at_host(&w, "r8", "fs01", "fs01.b.se"), b);
    CHECK_INT(w.place.n_merged, 0);
    end_world(&w);
}

TEST(a_computer_may_be_named_with_and_without_its_domain)
{
    struct world w;
    begin_world(&w);
    uint64_t id = at_host(&w, "r1", "dc01", NULL);
    CHECK_INT(at_host(&w, "r2", "dc01", "dc01.a.se"), id);
    CHECK_INT(at_host(&w, "r3", "dc01", NULL), id);
    CHECK(at_host(&w, "r4", "dc01", "dc01.b.se") != id);
    end_world(&w);
}

TEST(whole_names_are_restored)
{
    struct world w;
    begin_world(&w);
    struct grouping *g = w.grouping;
    for (uint64_t id = 3; id <= 4; id++) {
        bool first = id == 3;
        grouping_restore(g, &(struct grouping_group){.id = id});
        grouping_lead(g, NAME_HOST, SLICE("fs01"), id, w.now);
        grouping_lead(g, NAME_FULL, first ? SLICE("fs01.a.se") : SLICE("fs01.b.se"), id, w.now);
    }
    CHECK_INT(at_host(&w, "r1", "fs01", "fs01.a.se"), 3);
    CHECK_INT(at_host(&w, "r2", "fs01", "fs01.b.se"), 4);
    CHECK_INT(at_host(&w, "r3", "fs01", "fs01.c.se"), 5);
    end_world(&w);
}

/* An alert at that computer of something that is done by one hand. */
static uint64_t deed(struct world *w, const char *rule, const char *host)
{
    *w->facts = (struct facts){.rule = slice_of(rule), .time = w->now};
    set(w->facts->names, &w->facts->n_names, host);
    w->facts->names[w->facts->n_names++] =
        (struct fact){.kind = NAME_DEED, .text = SLICE("data encrypted (t1486)")};
    grouping_place(w->grouping, w->facts, &w->place);
    return w->place.incident;
}

TEST(what_is_done_at_two_computers_at_once_is_one)
{
    struct world w;
    begin_world(&w);
    uint64_t pc = alert(&w, "a", "pc1", NULL, NULL), esx = alert(&w, "a", "esx03", NULL, NULL);
    CHECK(pc != esx);
    w.now += HOUR;
    CHECK_INT(deed(&w, "b", "esx03"), esx);
    w.now += MINUTE;
    /* The older one has both now. */
    CHECK_INT(deed(&w, "c", "pc1"), pc);
    CHECK_INT(w.place.n_merged, 1);
    CHECK_INT(w.place.merged[0], esx);
    w.now += 9 * MINUTE;
    CHECK_INT(deed(&w, "d", "pc2"), pc);
    CHECK_INT(w.place.reason, GROUPING_NAMED);
    CHECK_SLICE(w.place.by, "data encrypted (t1486)");
    /* Another time it is another hand, though the computers are remembered for a day. */
    w.now += 11 * MINUTE;
    CHECK(deed(&w, "d", "pc3") != pc);
    CHECK_INT(alert(&w, "e", "pc2", NULL, NULL), pc);
    end_world(&w);
}

/* A correlation of records that came late says so when it counts them. */
TEST(a_record_is_the_same_whenever_it_is_told_of)
{
    struct world w;
    begin_world(&w);
    const struct fact record = {.kind = NAME_RECORD, .text = SLICE("record 7")};
    *w.facts = (struct facts){.rule = SLICE("a"), .time = w.now, .names = {record}, .n_names = 1};
    grouping_place(w.grouping, w.facts, &w.place);
    uint64_t first = w.place.incident;
    w.facts->time = w.now + 60 * 24 * HOUR;
    w.facts->rule = SLICE("b");
    set(w.facts->names, &w.facts->n_names, "anna");
    grouping_place(w.grouping, w.facts, &w.place);
    CHECK_INT(w.place.incident, first);
    CHECK_SLICE(w.place.by, "record 7");
    /* And she leads there as well, at the time of the records. */
    w.now += HOUR;
    CHECK_INT(alert(&w, "c", "anna", NULL, NULL), first);
    end_world(&w);
}

TEST(what_names_nothing_is_alone)
{
    struct world w;
    begin_world(&w);
    CHECK(alert(&w, "a", NULL, NULL, NULL) != alert(&w, "b", NULL, NULL, NULL));
    end_world(&w);
}

TEST(names_are_forgotten)
{
    struct world w;
    begin_world(&w);
    uint64_t first = alert(&w, "a", "anna", NULL, NULL);
    w.now += 24 * HOUR;
    CHECK_INT(alert(&w, "a", "anna", NULL, NULL), first);
    w.now += 24 * HOUR + 1;
    CHECK(alert(&w, "a", "anna", NULL, NULL) != first);
    end_world(&w);
}

TEST(bystanders_join_nothing)
{
    struct world w;
    begin_world(&w);
    uint64_t first = alert(&w, "a", "dc01", NULL, NULL);
    *w.facts = (struct facts){.rule = SLICE("b"), .time = w.now, .n_names = 2};
    w.facts->names[0] = (struct fact){.kind = NAME_HOST, .text = SLICE("dc01"), .bystander = true};
    w.facts->names[1] = (struct fact){.kind = NAME_HOST, .text = SLICE("fw"), .bystander = true};
    grouping_place(w.grouping, w.facts, &w.place);
    CHECK(w.place.incident != first);
    CHECK(alert(&w, "c", "fw", NULL, NULL) != w.place.incident || w.place.reason == GROUPING_NEW);
    end_world(&w);
}

TEST(what_names_two_makes_them_one)
{
    struct world w;
    begin_world(&w);
    uint64_t anna = alert(&w, "a", "anna", NULL, NULL), pc = alert(&w, "b", "pc1", NULL, NULL);
    CHECK_INT(alert(&w, "c", "pc1", "anna", NULL), anna);
    REQUIRE(w.place.n_merged == 1);
    CHECK_INT(w.place.merged[0], pc);
    CHECK_INT(alert(&w, "d", "pc1", NULL, NULL), anna);
    CHECK_INT(w.place.n_merged, 0);
    end_world(&w);
}

TEST(what_speaks_of_a_name_belongs_to_it)
{
    struct world w;
    begin_world(&w);
    uint64_t anna = alert(&w, "a", "anna", NULL, NULL);
    CHECK_INT(alert(&w, "b", "pc1", NULL, "anna"), anna);
    CHECK_INT(w.place.reason, GROUPING_SPOKEN);
    /* What it names goes before that. */
    uint64_t bo = alert(&w, "c", "bo", NULL, NULL);
    CHECK_INT(alert(&w, "d", "bo", NULL, "anna"), bo);
    CHECK_INT(w.place.n_merged, 0);
    /* Words are not names: nobody joins by them. */
    CHECK(alert(&w, "e", "eva", NULL, "zebra") != alert(&w, "f", "zebra", NULL, NULL));
    end_world(&w);
}

TEST(a_rule_that_begins_many_begins_one)
{
    struct world w;
    begin_world(&w);
    const char *const names[] = {"pc1", "pc2", "pc3", "pc4", "pc5", "pc6"};
    for (int i = 0; i < 4; i++) {
        CHECK_INT(alert(&w, "r", names[i], NULL, NULL), i + 1);
        w.now += MINUTE;
    }
    CHECK_INT(alert(&w, "r", names[4], NULL, NULL), 1);
    CHECK_INT(w.place.reason, GROUPING_BURST);
    CHECK_INT(w.place.n_merged, 4);
    CHECK_INT(alert(&w, "r", names[5], NULL, NULL), 1);
    CHECK_INT(w.place.n_merged, 0);
    CHECK_INT(alert(&w, "other", names[3], NULL, NULL), 1);
    /* When it was quiet for a while, it begins again. */
    w.now += 11 * MINUTE;
    CHECK(alert(&w, "r", "pc7", NULL, NULL) > 1);
    end_world(&w);
}

TEST(few_or_slow_ones_stay_apart)
{
    struct world w;
    begin_world(&w);
    char name[16];
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof name, "pc%d", i);
        CHECK_INT(alert(&w, "r", name, NULL, NULL), i + 1);
        CHECK_INT(w.place.reason, GROUPING_NEW);
        w.now += 3 * MINUTE;
    }
    end_world(&w);
}

/* A million alerts that have nothing in common: what was named last is still known. */
TEST(memory_is_bounded)
{
    struct world w;
    struct grouping_options options = grouping_defaults();
    options.names_max = 1024;
    options.incidents_max = 256;
    options.burst_time = 0;
    begin_with(&w, options);
    char name[32];
    uint64_t id = 0;
    for (int i = 0; i < 100000; i++) {
        w.now += NSEC_PER_MSEC;
        (void)snprintf(name, sizeof name, "name%d", i);
        id = alert(&w, "r", name, NULL, NULL);
    }
    CHECK_INT(id, 100000);
    CHECK_INT(alert(&w, "s", name, NULL, NULL), id);
    CHECK(alert(&w, "s", "name5", NULL, NULL) != 6);
    end_world(&w);
}

TEST(times_that_are_off_or_missing)
{
    struct world w;
    begin_world(&w);
    w.now = INT64_MAX;
    uint64_t first = alert(&w, "a", "anna", NULL, NULL);
    w.now = TIME_NONE;
    CHECK_INT(alert(&w, "a", "anna", NULL, NULL), first);
    w.now = INT64_MIN + 1;
    CHECK_INT(alert(&w, "a", "anna", NULL, NULL), first);
    end_world(&w);
}

static void say(struct world *w, uint64_t id, uint64_t into, bool closed, bool apart)
{
    grouping_set(w->grouping, &(struct grouping_group){id, into, closed, apart});
}

TEST(what_is_closed_is_followed_not_joined)
{
    struct world w;
    begin_world(&w);
    uint64_t first = alert(&w, "a", "anna", "pc1", NULL);
    say(&w, first, 0, true, false);
    uint64_t second = alert(&w, "b", "anna", NULL, NULL);
    CHECK(second != first && w.place.follows == first);
    CHECK_INT(w.place.reason, GROUPING_NEW);
    CHECK_INT(alert(&w, "b", "anna", NULL, NULL), second);
    CHECK_INT(w.place.follows, 0);
    /* What only the closed one named, and what is only spoken of. */
    CHECK(alert(&w, "c", NULL, NULL, "pc1") != first);
    CHECK_INT(w.place.follows, first);
    say(&w, first, 0, false, false);
    CHECK_INT(alert(&w, "c", "pc1", NULL, NULL), first);
    end_world(&w);
}

TEST(a_closed_bundle_does_not_go_on)
{
    struct world w;
    char name[16];
    begin_world(&w);
    for (int i = 0; i < 6; i++) {
        (void)snprintf(name, sizeof name, "user%d", i);
        alert(&w, "noisy", name, NULL, NULL);
    }
    CHECK_INT(w.place.incident, 1);
    say(&w, 1, 0, true, false);
    CHECK(alert(&w, "noisy", "another", NULL, NULL) > 1);
    CHECK_INT(w.place.reason, GROUPING_NEW);
    end_world(&w);
}

TEST(what_people_parted_is_not_joined_again)
{
    struct world w;
    begin_world(&w);
    uint64_t anna = alert(&w, "a", "anna", NULL, NULL), bo = alert(&w, "b", "bo", NULL, NULL);
    CHECK_INT(alert(&w, "c", "anna", "bo", NULL), anna);
    CHECK(w.place.n_merged == 1 && w.place.merged[0] == bo);
    say(&w, bo, 0, false, true);
    grouping_lead(w.grouping, NAME_USER, SLICE("bo"), bo, w.now);
    CHECK_INT(alert(&w, "c", "anna", "bo", NULL), anna);
    CHECK_INT(w.place.n_merged, 0);
    uint64_t made = grouping_begin(w.grouping);
    CHECK(made > bo);
    grouping_lead(w.grouping, NAME_USER, SLICE("cia"), made, w.now);
    CHECK_INT(alert(&w, "c", "cia", NULL, NULL), made);
    end_world(&w);
}

TEST(what_it_knew_is_restored)
{
    struct world w;
    begin_world(&w);
    struct grouping *g = w.grouping;
    for (uint64_t id = 3; id <= 7; id++)
        grouping_restore(g, &(struct grouping_group){.id = id, .into = id == 5 ? 3 : 0});
    grouping_lead(g, NAME_USER, SLICE("anna"), 5, w.now);
    for (uint64_t id = 4; id <= 7; id++)
        if (id != 5) grouping_restore_begun(g, SLICE("noisy"), id, w.now);
    grouping_restore_bundle(g, SLICE("other"), 7, w.now);
    CHECK_INT(alert(&w, "a", "anna", NULL, NULL), 3);
    CHECK_INT(alert(&w, "other", NULL, NULL, NULL), 7);
    CHECK_INT(w.place.reason, GROUPING_BURST);
    CHECK_INT(alert(&w, "noisy", NULL, NULL, NULL), 8);
    CHECK_INT(alert(&w, "noisy", NULL, NULL, NULL), 4);
    CHECK_INT(w.place.reason, GROUPING_BURST);
    end_world(&w);
}
