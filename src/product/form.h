/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Forms that texts of many products have: each adds the names and values that stand in a text to an
 * event. Values are parts of the text, or lie in the event's arena where they had to be unescaped.
 */
#ifndef VAKA_PRODUCT_FORM_H
#define VAKA_PRODUCT_FORM_H

#include "event/event.h"

enum form_kind {
    FORM_KV,   /* name=value pairs, anywhere in the text */
    FORM_CSV,  /* columns with names (RFC 4180 quoting) */
    FORM_CEF,  /* ArcSight Common Event Format, revision 25 */
    FORM_LEEF, /* IBM Log Event Extended Format 1.0 and 2.0 */
    FORM_JSON, /* an object */
    FORM_XML,  /* elements and attributes by their path; Windows' EventData by its Names */
    FORM_URL,  /* url.* of ECS */
};

struct form {
    enum form_kind kind;
    const struct slice *columns; /* CSV: empty names are passed over */
    uint32_t n_columns;
    char separator;      /* KV: between pairs; CSV: between columns */
    char assign;         /* KV: between name and value */
    struct slice prefix; /* put before every name */
};

/*
 * False: the text has not this form, and nothing was added. What is damaged further on ends the
 * reading; what was read before it stays.
 */
bool form_read(const struct form *form, struct slice text, struct event *ev) MUST_USE;

#endif
