/* SPDX-License-Identifier: EUPL-1.2 */
/* Products as read from their files: made by read.c, followed by run.c. */
#ifndef VAKA_PRODUCT_MODEL_H
#define VAKA_PRODUCT_MODEL_H

#include "base/shape.h"
#include "product/expr.h"
#include "product/form.h"
#include "product/product.h"

enum {
    PRODUCT_FIELDS_MAX = 16384, /* names that all products use; fit in 16 bits */
    PRODUCT_DEPTH_MAX = 8,      /* steps inside steps */
};

/* One condition on a field: one of the tests must hold, or with `absent` none. */
struct condition {
    uint32_t field;
    bool absent, exists; /* exists: the test is that the field is there */
    struct test {
        struct slice text; /* lower case */
        enum { TEST_EQUALS, TEST_BEGINS, TEST_ENDS, TEST_CONTAINS } kind;
    } * tests;
    uint32_t n_tests;
};

#define FIELD_NONE UINT32_MAX

/* A field and what it becomes. */
struct assignment {
    uint32_t field, line;
    uint32_t needs;          /* a field without which nothing comes of it, or FIELD_NONE */
    bool is_copy;            /* of that field's text, and nothing else */
    const struct expr *expr; /* or NULL, and then */
    const struct slice *values;
    uint32_t n_values;
};

/* What is done: assignments, then the case that fits, then steps. */
struct body {
    const struct assignment *assignments;
    uint32_t n_assignments;
    const struct cases *cases; /* or NULL */
    const struct step *steps;
    uint32_t n_steps;
};

struct cases {
    uint32_t field;
    struct case_row {     /* by hash32_nocase() of the key */
        struct slice key; /* in lower case; empty: free */
        const struct body *body;
    } * rows;
    uint32_t mask;
    const struct body *other; /* or NULL */
};

enum operation { OP_NONE, OP_PATTERN, OP_FORM, OP_ENTRIES };

struct step {
    uint32_t line;
    const struct condition *conditions; /* all must hold */
    uint32_t n_conditions;
    enum operation operation;
    uint32_t from;   /* the field it takes apart; entries: of their names */
    uint32_t values; /* entries: the field of their values */
    const struct shape_set *patterns;
    const struct body *pattern_bodies; /* by a pattern's number */
    const uint32_t *pattern_lines;
    uint32_t n_pattern_bodies;
    struct form form;
    struct body body; /* when the operation said something, or there is none */
};

struct product_box {
    struct product product;
    bool again; /* what it adds may show that the records are another product's, too */
    struct body body;
    /* What it may fill: a field, and the one that it is a copy of, or itself. May repeat. */
    const struct fill {
        const struct fill *next;
        uint32_t field, copy_of;
    } * fills;
};

struct products {
    struct arena arena;
    struct taxonomy *taxonomy;
    struct product_box **at;
    uint32_t n, cap;
    /* All names of fields. */
    struct slice *names;
    uint32_t n_names, cap_names;
    uint32_t *index; /* hash table of numbers + 1 */
    uint32_t index_mask;
    uint32_t n_built_in; /* products that came with the program; 0 while they are read */
    struct product_remark *remarks, *last_remark;
    uint32_t n_remarks, n_refused;
};

/* The number of a name, added when it is new; negative: ERR_LIMIT, ERR_NOMEM. */
int products_field(struct products *p, struct slice name);
/* Without adding: UINT32_MAX when no product uses it. */
uint32_t products_find_field(const struct products *p, struct slice name);

/*
 * Remarks about what a user's file fills: a field that no built-in product fills but is called
 * nearly like one, and a value that ECS does not have. Nothing is said while the built-in ones are
 * read.
 */
void product_doubt_field(struct products *p, const struct diag *at, struct slice name);
void product_doubt_value(struct products *p, const struct diag *at, struct slice name,
                         struct slice value);
/* Takes a copy; `file` of it too. */
void products_remark(struct products *p, bool refused, const struct diag *diag);

/* Reads a file into box, all of it in the arena of p. */
int product_file_read(struct products *p, const char *file, struct slice text,
                      struct product_box *box, struct diag *diag) MUST_USE;

#endif
