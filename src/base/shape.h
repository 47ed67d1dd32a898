/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Texts with places in them: what a product's messages look like.
 *
 *     Failed password for {?invalid user }{user.name} from {source.ip:ip} port {source.port:int}
 * ssh2
 *
 * `{name}` takes what stands there up to the text behind it, at least one byte and as few as will
 * do; at the end of a pattern it takes the rest. `{name:type}` takes what the type allows (below);
 * `{}` and `{:type}` take without keeping. `{?…}` may be there or not and may hold places. A blank
 * stands for one or more blanks and tabs. `{{` and `}}` are braces. A pattern covers the whole text
 * but for blanks at its ends; `{:any}` at the end takes whatever is left, also nothing.
 *
 * All patterns of a set become one tree whose branches are the texts and types that patterns have
 * in common, so that a text is compared with hundreds of them at once. Where several fit, text goes
 * before types and narrow types before wide ones (the order of the list below), not the order in
 * which they were written. Looking stops after SHAPE_STEPS_MAX steps, which then is no match.
 */
#ifndef VAKA_BASE_SHAPE_H
#define VAKA_BASE_SHAPE_H

#include "base/arena.h"

/* name, what it takes */
#define SHAPE_TYPES(X)                                                                             \
    X(SHAPE_INT, "int")   /* digits, a sign before them */                                         \
    X(SHAPE_IP, "ip")     /* an IPv4 or IPv6 address */                                            \
    X(SHAPE_HEX, "hex")   /* hexadecimal digits, 0x before them or not */                          \
    X(SHAPE_MAC, "mac")   /* six pairs of hexadecimal digits with : or - */                        \
    X(SHAPE_HOST, "host") /* letters, digits and . - _ : % */                                      \
    X(SHAPE_WORD, "word") /* anything but blanks */                                                \
    X(SHAPE_TEXT, "text") /* up to what is behind it: what a place without a type is */            \
    X(SHAPE_ANY, "any")   /* the same, or nothing */

enum shape_type {
#define X(id, name) id,
    SHAPE_TYPES(X)
#undef X
};

enum {
    SHAPE_LEN_MAX = 2048,
    SHAPE_PLACES_MAX = 48,  /* in one pattern */
    SHAPE_OPTIONAL_MAX = 6, /* in one pattern: 2^n of it stand in the tree */
    SHAPE_STEPS_MAX = 8192,
};

struct shape_set;

/* All of it lives in the arena. NULL: the arena is full. */
struct shape_set *shape_set_new(struct arena *arena);

/*
 * Gives the place's name a number that matches will tell; negative (an error): refuse it. An empty
 * name is not asked about.
 */
typedef int shape_name_fn(void *ctx, struct slice name);

/*
 * Adds a pattern known by `number`. A set that refused one is good for nothing more. 0, ERR_NOMEM,
 * what `name` returned, or ERR_SYNTAX, ERR_LIMIT, ERR_INVALID (the same pattern is there already)
 * with a constant sentence in *ret_why and the offset in the text in *ret_at.
 */
int shape_add(struct shape_set *set, struct slice text, uint32_t number, shape_name_fn *name,
              void *ctx, const char **ret_why, size_t *ret_at) MUST_USE;

/* One more than the highest number of a pattern. */
uint32_t shape_set_numbers(const struct shape_set *set);

struct shape_match {
    uint32_t number;                      /* of the pattern */
    uint32_t n_places;                    /* in the order of the text */
    const int *names;                     /* -1: not kept */
    struct slice texts[SHAPE_PLACES_MAX]; /* parts of the text that was matched */
};

/* Calls back with the number of every place that is kept; one may come several times. */
void shape_each_name(const struct shape_set *set, void (*each)(void *ctx, int name), void *ctx);
/* Whether one of the patterns fits texts that begin with this byte. */
bool shape_may_begin(const struct shape_set *set, char first);
/* Allocates nothing. *ret is large, and scratch when nothing is found: not for the stack of a loop.
 */
bool shape_find(const struct shape_set *set, struct slice text, struct shape_match *ret);

#endif
