/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Modifiers: what `field|a|b: value` does to a value, in the order written.
 *
 * Each modifier is one row of a table that says what it takes, what may stand before it and what
 * it does; the checks and the messages about wrong combinations follow from the rows.
 *
 * A value starts as one operand. A modifier changes it, or makes several of it (windash,
 * base64offset, expand): those are alternatives, also under `all`, where each value still has to
 * match one way.
 */
#ifndef VAKA_DETECT_SIGMA_MODIFIER_H
#define VAKA_DETECT_SIGMA_MODIFIER_H

#include "detect/sigma/pattern.h"

enum {
    MODIFIERS_MAX = 16,     /* on one item */
    ALTERNATIVES_MAX = 4096 /* of one value */
};

enum operand_kind {
    OPERAND_STRING = 1 << 0,
    OPERAND_NUMBER = 1 << 1,
    OPERAND_BOOL = 1 << 2,
    OPERAND_NULL = 1 << 3,
    OPERAND_REGEX = 1 << 4,
    OPERAND_COMPARE = 1 << 5,
    OPERAND_TIME = 1 << 6,
    OPERAND_CIDR = 1 << 7,
    OPERAND_EXISTS = 1 << 8,
    OPERAND_REF = 1 << 9,
};

struct operand {
    enum operand_kind kind;
    struct pattern pattern; /* STRING; NUMBER and BOOL as text; REF: the field's name */
    struct slice written;   /* REGEX: the source */
    double num;             /* NUMBER, COMPARE, TIME */
    unsigned regex_flags;
    enum sigma_cmp cmp;
    enum time_part part;
    enum anchor anchor;
    bool flag;                 /* EXISTS */
    struct sigma_atom network; /* CIDR: only .cidr */
};

struct operands {
    struct operand *at;
    uint32_t n, cap;
};

struct modifier;

/* One item being interpreted. The first four are given, the others come out. */
struct modifying {
    struct arena *scratch; /* everything made here; when it is spent the value is refused */
    const struct placeholders *placeholders;
    const char *file;
    struct diag *diag;
    const struct sigma_item *item;
    const struct modifier *row[MODIFIERS_MAX];
    uint32_t n;
    bool expand;                     /* the item has that modifier */
    bool all, neq, cased;            /* set by the modifiers of that name */
    const struct sigma_value *value; /* the one at work, for messages */
};

/* Looks the item's modifiers up and checks what follows what. */
int modifier_begin(struct modifying *m, const struct sigma_item *item) MUST_USE;

/* Applies them to one value; *ret gets the alternatives, at least one. */
int modifier_apply(struct modifying *m, const struct sigma_value *value,
                   struct operands *ret) MUST_USE;

/* The table, for help texts: name and description by position; false past the end. */
bool modifier_describe(uint32_t i, const char **ret_name, const char **ret_text);

/*
 * The value of a YAML 1.2 core number, also 0x1F and 0o17. *ret_decimal gets the plain decimal text
 * (in buf) when the number is an integer that was written otherwise, else "".
 */
bool number_read(struct slice text, double *ret, char buf[static 24], struct slice *ret_decimal);

#endif
