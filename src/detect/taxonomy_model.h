/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The taxonomy as read from its data files: shared by taxonomy_read.c, which reads
 * it, taxonomy.c, and the router, which asks it. Nothing here changes once the first router exists,
 * so threads may share it.
 */
#ifndef VAKA_DETECT_TAXONOMY_MODEL_H
#define VAKA_DETECT_TAXONOMY_MODEL_H

#include "base/arena.h"
#include "base/embedded.h"
#include "base/shape.h"
#include "detect/taxonomy.h"

enum {
    TAXONOMY_FILE_MAX = 1024 * 1024,
    TAXONOMY_SOURCES_MAX = 8192,
    TAXONOMY_SLOTS_MAX = 1000, /* different fields that conditions ask for */
    TAXONOMY_FACTS_MAX = 4096, /* different tests on them */
    TAXONOMY_NAME_MAX = 256,   /* bytes of a field name or value in a data file */
    TAXONOMY_TIMES_MAX = 64,
    TAXONOMY_NEST_MAX = 4,   /* sources inside sources */
    TAXONOMY_WHEN_MAX = 64,  /* alternatives of one source, its parents' multiplied in */
    TAXONOMY_FIELDS_MAX = 8, /* event fields for one rule field */
    TAXONOMY_STAND_INS_MAX = 32,
    TAXONOMY_ENTITY_FIELDS_MAX = 250, /* of all entities together */
};

/* Asked as a field's name: the decoder's name instead of a value of the event. */
#define TAXONOMY_FORMAT_SLOT SLICE("$format")

enum fact_kind {
    FACT_EQUALS,
    FACT_PREFIX,
    FACT_EXISTS,
    FACT_LIKE,   /* looks like a pattern (base/shape.h) */
    FACT_BESIDE, /* the slot's name, a stand-in, is there together with what it stands for */
};

/* One test on one field. */
struct taxonomy_fact {
    enum fact_kind kind;
    uint32_t slot;
    struct slice text; /* in lower case (ASCII) but for FACT_LIKE: the pattern as written */
    const struct shape_set *shape; /* FACT_LIKE */
};

/* One field of a `when`: any of the facts must hold; absent: none. */
struct taxonomy_cond {
    const uint32_t *facts;
    uint32_t n_facts;
    bool absent;
};

/* All conditions must hold. */
struct taxonomy_when {
    const struct taxonomy_cond *conds;
    uint32_t n_conds;
    uint32_t line, column; /* where it stands in its file */
};

struct taxonomy_source {
    const struct taxonomy_when *whens; /* any of them */
    uint32_t n_whens;
    bool open_category, open_service; /* says nothing in that respect */
    uint32_t owner;                   /* number of the product whose file said so; 0: none */
};

struct taxonomy_map_entry {
    struct slice field; /* the rule's */
    struct slice names[TAXONOMY_FIELDS_MAX];
    uint32_t n_names;
};

struct taxonomy_map {
    const struct taxonomy_map_entry *entries;
    uint32_t n_entries;
};

struct taxonomy_rename {
    struct slice path, name;
};

/* A name that counts as another one where the event has no field of that other name. */
struct taxonomy_stand_in {
    struct slice name, stands_for;
    uint32_t slot, target; /* of the two names */
    uint32_t exists;       /* fact: the target is there */
    uint32_t beside;       /* fact: so are both */
};

/* `second` is joined to the first with a space (date and time of day in two fields). */
struct taxonomy_time {
    struct slice first, second;
};

/* What an event may be about, and the fields that say it, the best first. */
struct taxonomy_entity {
    struct slice name;
    const struct slice *fields;
    uint32_t n_fields;
};

/* A growable array in user's-files-first order. */
#define TAXONOMY_LIST(type)                                                                        \
    struct {                                                                                       \
        type *at;                                                                                  \
        uint32_t n, cap;                                                                           \
    }

struct taxonomy {
    struct arena arena;
    uint64_t hash; /* of the files' texts */
    TAXONOMY_LIST(struct slice) strip_start;
    TAXONOMY_LIST(struct slice) strip_end;
    TAXONOMY_LIST(struct taxonomy_rename) renames;
    TAXONOMY_LIST(struct taxonomy_stand_in) stand_ins;
    TAXONOMY_LIST(struct taxonomy_label) labels; /* parallel to sources */
    TAXONOMY_LIST(struct taxonomy_source) sources;
    TAXONOMY_LIST(struct slice) slots;
    TAXONOMY_LIST(struct taxonomy_fact) facts;
    TAXONOMY_LIST(struct taxonomy_time) times;
    TAXONOMY_LIST(struct slice) hosts;
    TAXONOMY_LIST(struct taxonomy_entity) entities;
    TAXONOMY_LIST(struct slice) about; /* names of entities */
};

/* Those that a file adds to, and whose order says what goes before what. */
#define TAXONOMY_LISTS(X)                                                                          \
    X(strip_start)                                                                                 \
    X(strip_end) X(renames) X(stand_ins) X(labels) X(sources) X(times) X(hosts) X(entities) X(about)

/* The data files built into the program. */
extern const struct embedded taxonomy_files[]; /* ends with a NULL name */

/* ASCII lower case, in place of any locale. */
static inline char taxonomy_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

#endif
