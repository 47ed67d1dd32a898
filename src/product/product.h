/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a city's systems say, in one language: a product file says how to recognise the records of
 * one product, how to take them apart, and which fields of ECS they fill. The format is described
 * in products/README.md. Products are data; this room reads them and does what they say.
 *
 * Recognising is the router's work (detect/taxonomy.h): what a file says about its sources goes
 * into the taxonomy, so that a record's route tells its product at no cost of its own.
 */
#ifndef VAKA_PRODUCT_PRODUCT_H
#define VAKA_PRODUCT_PRODUCT_H

#include "base/buf.h"
#include "detect/taxonomy.h"
#include "event/event.h"

struct products;

/* A record that says what the file promises of it. */
struct product_sample {
    struct slice record;
    uint32_t line; /* in the file */
    const struct product_expected {
        struct slice field;
        const struct slice *values; /* none: the field must not be there */
        uint32_t n_values;
    } * fields;
    uint32_t n_fields;
};

struct product {
    struct slice name;     /* of the file, without .yml: "cisco-asa" */
    struct slice title;    /* "Cisco ASA" */
    struct slice evidence; /* whose records it was compared with; "unverified": nobody's */
    const char *file;
    const struct product_sample *samples;
    uint32_t n_samples;
    const struct product_pattern {
        const struct product_pattern *next;
        uint32_t line;
    } * patterns; /* where the entries of `any` stand in the file, the last one first */
};

/* What is to be said of a user's file. */
struct product_remark {
    const struct product_remark *next;
    bool refused; /* the file is not in force; else it is, and something in it looks like a mistake
                   */
    struct diag diag;
};

enum { PRODUCTS_MAX = 1024, PRODUCT_FILE_MAX = 1024 * 1024, PRODUCT_REMARKS_MAX = 256 };

/*
 * With the products built into the program, whose sources are added to the taxonomy, which is
 * borrowed and must have no router yet. NULL when out of memory.
 */
struct products *products_new(struct taxonomy *taxonomy);
void products_free(struct products *p);
/*
 * Adds a user's file, which is asked before all there are. `name` is the file's base name. On
 * failure diag says where, and all is as it was but for the remark. `text` is borrowed for the
 * call.
 */
int products_add(struct products *p, const char *file, struct slice text,
                 struct diag *diag) MUST_USE;
/* The first remark, in the order of the files and the lines; those beyond the maximum are left out.
 */
const struct product_remark *products_remarks(const struct products *p);
/* How many files were refused. */
uint32_t products_refused(const struct products *p);

uint32_t products_count(const struct products *p);
const struct product *products_at(const struct products *p, uint32_t index);
/* The product of a route, or NULL. */
const struct product *products_of(const struct products *p, const struct taxonomy_route *route);

/*
 * Names of fields that products take or fill, by number from 0; false past the last. Those that
 * begin with _ are a product's own.
 */
bool products_field_name(const struct products *p, uint32_t number, struct slice *ret);

/* What a reader did, for people. */
struct product_trace {
    void *ctx;
    /* A step of the file: `line` in it, what it is ("pattern", "kv", …) and what came of it. */
    void (*step)(void *ctx, uint32_t line, const char *what, struct slice text);
    /* A field that it filled. */
    void (*field)(void *ctx, uint32_t line, struct slice name, struct slice value);
};

/* Does what products say, for one thread with one key table. */
struct product_reader;

/* All are borrowed and outlive the reader. NULL when out of memory. */
struct product_reader *product_reader_new(const struct products *p, struct keys *keys);
void product_reader_free(struct product_reader *r);
/* Times without a year are of the last such day before it. Not set: such times are not read. */
void product_reader_set_now(struct product_reader *r, nsec now);
/* NULL: none, as at first. Borrowed. */
void product_reader_trace(struct product_reader *r, const struct product_trace *trace);
/*
 * Adds what the product of this route says about the event, marked as derived. What the record
 * says by itself under a name stays and is not doubled. A value that cannot be made is left out.
 * Nothing is allocated in the steady state; values live as long as the event. Answers whether the
 * route is to be looked up again: the fields may show another product.
 */
bool product_read(struct product_reader *r, struct event *ev, const struct taxonomy_route *route);
/* Whether what product_read() adds may show another route. */
bool product_shows(const struct product_reader *r, const struct taxonomy_route *route);
/*
 * What of the product of this route may make a difference to somebody who looks at fields of which
 * `asks` holds (given a path) and no others; NULL: nothing. A field that only repeats another under
 * the same plain name makes none. Lives as long as the reader; ctx lives longer. Slow; the same for
 * the same arguments.
 */
struct product_part;
struct product_part *product_part_of(struct product_reader *r, const struct taxonomy_route *route,
                                     bool (*asks)(void *ctx, struct slice path), void *ctx);
/* Adds of the event's fields those of the part, as product_read() adds all. */
void product_read_part(struct product_reader *r, struct event *ev, struct product_part *part);

/*
 * Which fields are only copied: every value that a product may fill them with is a part of one that
 * the record has itself, but for the case of ASCII letters and what forms resolve: entities of XML,
 * and escapes, which give no `plain` bytes. The products are borrowed. NULL: out of memory.
 */
struct products_copies;
struct products_copies *products_copies_new(const struct products *p,
                                            bool (*plain)(char c)) MUST_USE;
void products_copies_free(struct products_copies *f);
/* Names with blanks are as rules have them, without. */
bool products_copied(const struct products_copies *f, struct slice field);

#endif
