/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a field of ECS is made of:
 *
 *     srcip                                   a field of the record, when it is there
 *     hostname or devname                     the first that is there
 *     date + ' ' + time + tz | time           joined; there when every part is
 *     TargetUserName | after_last '\' | lower through functions, which may leave nothing
 *
 * Names are bare words (letters, digits and . _ - @ #) or stand in double quotes; texts stand in
 * single quotes, where '' is a quote. `or` binds weaker than +, and | is for all of it. A value
 * that is empty or - is not there.
 * Of a field with several values the first counts; `FIELD | having S` takes the first that has S,
 * `FIELD | all` each of them, once. Functions work on every value there is.
 */
#ifndef VAKA_PRODUCT_EXPR_H
#define VAKA_PRODUCT_EXPR_H

#include "base/arena.h"
#include "base/time.h"

/* Without an argument, or with one (S): a word, or text in single quotes. */
#define EXPR_FUNCTIONS(X)                                                                          \
    X(LOWER, "lower", false) /* ASCII letters */                                                   \
    X(UPPER, "upper", false)                                                                       \
    X(BEFORE, "before", true)           /* what stands before the first S; all without S */        \
    X(AFTER, "after", true)             /* what stands behind the first S; all without S */        \
    X(BEFORE_LAST, "before_last", true) /* the same with the last S */                             \
    X(AFTER_LAST, "after_last", true)                                                              \
    X(ALL, "all", false)             /* directly behind a field: all of its values */              \
    X(HAVING, "having", true)        /* nothing unless S is in it */                               \
    X(WITHOUT, "without", true)      /* nothing when it is S, letters' case aside */               \
    X(UNLIKE, "unlike", true)        /* nothing when the field S has the same text */              \
    X(LAST, "last", true)            /* its last S bytes; all when there are fewer */              \
    X(TRIM, "trim", true)            /* bytes of S dropped at both ends */                         \
    X(BASENAME, "basename", false)   /* behind the last / or \ */                                  \
    X(DIRNAME, "dirname", false)     /* before it */                                               \
    X(EXTENSION, "extension", false) /* behind the last dot of the base name */                    \
    X(IP, "ip", false)               /* nothing unless it is an IP address */                      \
    X(NAME, "name", false)           /* nothing when it is an IP address */                        \
    X(NUMBER, "number", false)       /* nothing unless it is a whole number */                     \
    X(UNHEX, "unhex", false)         /* 0x1f4 as 500; a decimal number stays */                    \
    X(LABELS, "labels", false)       /* (3)www(2)se(0) as www.se; other text stays */              \
    X(TIME, "time", false)           /* any form base/time.h reads, as RFC 3339 in UTC */          \
    X(STRPTIME, "strptime", true)    /* the same, written as S (strptime(3)), a fraction behind */ \
    X(TABLE, "table", true)          /* what the product's table S has for it */                   \
    X(DEFAULT, "default", true)      /* S when there is nothing */

enum expr_function {
#define X(id, name, argument) EXPR_##id,
    EXPR_FUNCTIONS(X)
#undef X
};

enum { EXPR_LEN_MAX = 1024, EXPR_PARTS_MAX = 32, EXPR_VALUES_MAX = 8 };

struct expr;
struct expr_table;

/* What stands around an expression where it is read. */
struct expr_world {
    void *ctx;
    /* The number of a field's name, or a negative error. */
    int (*field)(void *ctx, struct slice name);
    /* The table of that name, or NULL. */
    const struct expr_table *(*table)(void *ctx, struct slice name);
};

/*
 * Lives in the arena. 0, ERR_NOMEM, or ERR_SYNTAX, ERR_INVALID, ERR_LIMIT with a constant sentence
 * in *ret_why and the offset in *ret_at. ERR_NOT_FOUND: the word there is no function, or no table.
 */
int expr_read(struct arena *arena, struct slice text, const struct expr_world *world,
              const struct expr **ret, const char **ret_why, size_t *ret_at) MUST_USE;

/* Whether it is a field and nothing else; then its number. */
bool expr_is_field(const struct expr *e, uint32_t *ret);

/* Whether it has no value unless one certain field is there; then its number. */
bool expr_needs_field(const struct expr *e, uint32_t *ret);

/* Calls back with every field that it looks at; one may come several times. */
void expr_each_field(const struct expr *e, void (*each)(void *ctx, uint32_t field), void *ctx);
/*
 * Whether every value it can have is a part of the value of one field that is `copied`, but for the
 * case of ASCII letters.
 */
bool expr_copies(const struct expr *e, void *ctx, bool (*copied)(void *ctx, uint32_t field));

/* Keys compare without (ASCII) case; the key * is for all others. */
struct expr_table *expr_table_new(struct arena *arena, uint32_t rows);
/* At most the rows said; values are borrowed. False: the key is there already. */
bool expr_table_add(struct expr_table *t, struct slice key, const struct slice *values,
                    uint32_t n_values) MUST_USE;

/* What was found out of a text before; texts do not change while it lives. */
struct expr_told {
    struct slice text;
    bool is_ip;
};

/* What stands around an expression where it is computed. */
struct expr_scope {
    void *ctx;
    /* The field's first value; empty when it is not there. */
    struct slice (*get)(void *ctx, uint32_t field);
    /* Its next value; *at begins as 0. {NULL, 0}: there are no more. */
    struct slice (*next)(void *ctx, uint32_t field, uint32_t *at);
    struct arena *arena; /* for values that are made; full: they are not there */
    nsec now;            /* for times that tell no year; TIME_NONE: they are not read */
    struct expr_told *told;
};

/* A dash says that there is no value. */
static inline bool expr_is_value(struct slice s)
{
    return s.len > 1 || (s.len == 1 && s.ptr[0] != '-');
}

/* The values, in ret; 0 of them: not there. Parts of fields, of tables, or in the arena. */
uint32_t expr_values(const struct expr *e, const struct expr_scope *scope,
                     struct slice ret[EXPR_VALUES_MAX]);

#endif
