/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Sigma rules understood: modifiers applied, conditions expanded, every test on an event an atom.
 * This is what the matcher compiles, what `rules explain` shows and what correlation refers to.
 *
 * Truth of an atom for an event: the field's values are all values with that path (arrays give
 * several); a positive atom holds when any one of them satisfies it. A missing field satisfies only
 * ATOM_NULL and ATOM_EXISTS(false). A null value satisfies ATOM_NULL, no string or number atom.
 */
#ifndef VAKA_DETECT_SIGMA_RULE_H
#define VAKA_DETECT_SIGMA_RULE_H

#include "detect/sigma/doc.h"
#include "detect/sigma/listed.h"

enum atom_op {
    ATOM_STRING,   /* glob over the whole value */
    ATOM_KEYWORD,  /* glob, anywhere in any value of the event; field is empty */
    ATOM_REGEX,    /* search, not anchored */
    ATOM_NUMBER,   /* cmp against num (value must be a number as text) */
    ATOM_CIDR,     /* value is an address inside */
    ATOM_NULL,     /* field missing, or present with null and nothing else */
    ATOM_EXISTS,   /* presence of the path (also as an object) equals `flag` */
    ATOM_FIELDREF, /* compare with the other field's values as strings; `anchor` says how */
    ATOM_TIME,     /* part of the value, read as a point in time, cmp num */
    ATOM_LISTED,   /* value is one of a list, as the list's kind reads it */
};

/*
 * A pattern is a sequence of pieces; literals are stored folded unless the atom is cased.
 * startswith/endswith/contains only add GLOB_ANY at an end.
 */
enum glob_kind { GLOB_LITERAL, GLOB_ONE /* ? */, GLOB_ANY /* * */ };
struct glob_piece {
    enum glob_kind kind;
    struct slice text; /* GLOB_LITERAL */
};

enum anchor { ANCHOR_WHOLE, ANCHOR_START, ANCHOR_END, ANCHOR_INSIDE };
enum time_part {
    TIME_MINUTE,
    TIME_HOUR,
    TIME_DAY,
    TIME_WEEK,
    TIME_MONTH,
    TIME_YEAR,
    TIME_POINT, /* seconds since 1970-01-01T00:00:00Z; only queries ask for it */
};
enum regex_flags { REGEX_I = 1, REGEX_M = 2, REGEX_S = 4 };

/* In the field of a query's atom: any bytes. It is no byte of UTF-8, so no rule has it. */
#define SIGMA_FIELD_STAR '\xff'
static inline bool sigma_field_has_stars(struct slice field)
{
    return slice_find_byte(field, SIGMA_FIELD_STAR) != SIZE_MAX;
}

struct sigma_atom {
    enum atom_op op;
    struct slice field;
    bool cased;
    /*
     * ATOM_STRING, ATOM_KEYWORD: the glob may stand anywhere in the value where words begin and
     * end; an end that is GLOB_ANY may be inside of a word. Only queries ask for it, without
     * GLOB_ONE.
     */
    bool words;
    bool flag;    /* ATOM_EXISTS */
    bool numeric; /* ATOM_STRING written as a YAML number: also equals a JSON number of the same
                     value */
    const struct glob_piece *glob; /* adjacent GLOB_ANY are merged, adjacent literals too */
    uint32_t n_glob;
    struct slice regex; /* ATOM_REGEX: PCRE2 source */
    unsigned regex_flags;
    enum sigma_cmp cmp; /* ATOM_NUMBER, ATOM_TIME */
    double num;
    enum time_part part;
    struct {
        uint8_t addr[16]; /* IPv4 in the first 4 bytes */
        uint8_t bits;
        bool v6;
    } cidr;
    struct slice ref; /* ATOM_FIELDREF: the other field */
    enum anchor anchor;
    const struct listed *listed; /* ATOM_LISTED: borrowed */
    struct slice pattern;        /* as written in the rule, for people */
    struct yaml_pos pos;
};

enum expr_kind { EXPR_AND, EXPR_OR, EXPR_NOT, EXPR_ATOM, EXPR_TRUE, EXPR_FALSE };
struct sigma_expr {
    enum expr_kind kind;
    const struct sigma_atom *atom;
    const struct sigma_expr **child;
    uint32_t n_children;
    struct slice label; /* a search identifier's name on the node that stands for it, else empty */
};

struct sigma_rule {
    const struct sigma_doc *doc;
    struct sigma_logsource logsource;
    const struct sigma_expr *expr; /* filters already applied */
    uint32_t index;                /* position in the rule set */
    bool needed_by_correlation;
    bool silent; /* referred to by a correlation without `generate`: raises no alert of its own */
};

/* Values for `|expand` placeholders: name (without %) → list. */
struct placeholders;
struct placeholders *placeholders_new(void);
void placeholders_free(struct placeholders *p);
/* YAML: a map from name to a scalar or a list of scalars. */
int placeholders_read(struct placeholders *p, const char *file, struct slice text,
                      struct diag *diag) MUST_USE;
/* The same for those that have no values yet; names that have keep them. */
int placeholders_read_defaults(struct placeholders *p, const char *file, struct slice text,
                               struct diag *diag) MUST_USE;

/*
 * Interprets one document of kind SIGMA_RULE. placeholders may be NULL. Refusals (unknown modifier,
 * wrong combination, unresolved placeholder, bad regex …) fill diag with the item's place.
 */
int sigma_interpret(struct arena *arena, const struct sigma_doc *doc, const struct placeholders *ph,
                    struct sigma_rule *ret, struct diag *diag) MUST_USE;

/* The same for a bare detection (filters); ret_expr is its condition. */
int sigma_interpret_detection(struct arena *arena, const struct sigma_doc *doc,
                              const struct placeholders *ph, const struct sigma_expr **ret_expr,
                              struct diag *diag) MUST_USE;

#endif
