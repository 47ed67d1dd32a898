/* SPDX-License-Identifier: EUPL-1.2 */
/* Inside of the room. */
#ifndef VAKA_ROSTER_INTERNAL_H
#define VAKA_ROSTER_INTERNAL_H

#include "roster/roster.h"
#include "roster/spans.h"
#include "yaml/yaml.h"

struct roster_rule {
    const uint32_t *tenants; /* one of these; none: all */
    uint32_t n_tenants;
    const struct slice *services; /* one of these, * at the end: what begins so; none: all */
    uint32_t n_services;
    unsigned level; /* at least */
    enum roster_when when;
    int exercise; /* -1: it does not matter */
    enum roster_verdict_what what;
    bool until_office; /* ROSTER_WAIT: until office hours begin, */
    nsec until;        /* or that time of a working day */
    uint32_t policy;
    uint32_t line;
};

struct roster_change_kept {
    uint64_t id;
    enum roster_change_kind kind;
    const struct roster_team *team;
    const struct roster_person *person, *instead;
    nsec from, until;
};

/* ---- rotations (roster.c) ---- */

/* Whose turn it is in a rotation, whether he is there or not; NULL: nobody's. */
void rotation_turn(const struct roster *r, const struct roster_rotation *rotation, nsec at,
                   struct roster_shift *ret);

/* Office hours, joined (schedule.c). ERR_NOMEM, ERR_LIMIT. */
int office_spans(const struct roster *r, nsec from, nsec until, struct arena *arena,
                 struct spans *ret) MUST_USE;

/* ---- reading (read.c) ---- */

struct reading {
    struct arena *arena;
    const char *file;
    struct diag *diag;
};
int read_wrong(const struct reading *r, int error, struct yaml_pos pos, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* ERR_INVALID when it is no map, or has a key that is none of `known`, which a NULL ends. */
int read_map(const struct reading *r, const struct yaml_node *node, const char *what,
             const char *const *known) MUST_USE;
/* All below take a member of a map. Without it nothing is changed, or, if it must be, refused. */
int read_text(const struct reading *r, const struct yaml_node *map, const char *key, bool must,
              size_t max, struct slice *ret) MUST_USE;
int read_id(const struct reading *r, const struct yaml_node *map, struct slice *ret) MUST_USE;
int read_bool(const struct reading *r, const struct yaml_node *map, const char *key,
              bool *ret) MUST_USE;
int read_number(const struct reading *r, const struct yaml_node *map, const char *key, uint64_t max,
                uint32_t *ret) MUST_USE;
/* One of the words, which a NULL ends; *ret is its number. */
int read_word(const struct reading *r, const struct yaml_node *map, const char *key,
              const char *const *words, unsigned *ret) MUST_USE;
int read_span(const struct reading *r, const struct yaml_node *map, const char *key,
              nsec *ret) MUST_USE;
/* NULL in *ret: it is not there. */
int read_list(const struct reading *r, const struct yaml_node *map, const char *key, uint32_t max,
              const struct yaml_node **ret) MUST_USE;

/* ---- policies (policy.c) ---- */

/* One policy of a plan; names of people and teams are not looked up. */
int policy_read(const struct reading *r, const struct yaml_node *node,
                struct roster_policy *ret) MUST_USE;

#endif
