/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Forms that texts of many products have: each adds the names and values that stand in a text to an
 * event. Values are parts of the text, or lie in the event's arena where they had to be unescaped.
 *
 * KV: name=value pairs, anywhere; text before the first is passed over. A value may stand in " or '
 * (\" \' \\ \] are escapes there; a " that nothing closes goes to the end, such a ' is a byte);
 * what stands between its end and the next name is passed over. Without a separator a value goes on
 * up to blanks, or a comma, behind which the next name= stands, so that it may hold blanks. With
 * one it ends there, names may hold blanks ("Device IP Address"), parts without a name are passed
 * over (with ' ' the flags of netfilter, "DF"), and a backslash before the separator, unless that
 * is a blank, keeps it inside. Names are letters, digits and _ - . and begin with no digit where
 * ':' assigns, because times look alike.
 *
 * CSV: RFC 4180; more values than columns, empty ones, and those of columns without a name are not
 * added.
 *
 * CEF: ArcSight Common Event Format, revision 25. The header's parts are cef.version,
 * cef.device_vendor, cef.device_product, cef.device_version, cef.device_event_class_id, cef.name
 * and cef.severity; the extension's keys are names as they stand. What a key K holds that KLabel
 * names is also cef.labels.LABEL, where anything but letters, digits, - and _ is one _.
 *
 * LEEF: IBM's Log Event Extended Format 1.0 and 2.0. The header's parts are leef.version,
 * leef.vendor, leef.product, leef.product_version and leef.event_id.
 *
 * JSON: the first object in the text, named and typed as the decoder of JSON does (normalise/):
 * dots between the names, repeated names for arrays.
 *
 * XML: the first element in the text: A.B for its elements' text, A.B.@NAME for attributes, without
 * prefixes of namespaces. Data Name="X" in Windows' EventData is A.EventData.X. An element with
 * nothing is null. Text beside elements loses the blanks at its ends. Only the five predefined
 * entities and references to characters are known; a DOCTYPE ends the reading.
 *
 * URL: url.original, full, scheme, username, domain, port, path, extension, query and fragment of
 * ECS: of a URL, of a request target that begins with /, or of HOST:PORT and HOST/PATH. Passwords
 * are not taken out. A prefix stands in the place of "url.".
 */
#ifndef VAKA_PRODUCT_FORM_H
#define VAKA_PRODUCT_FORM_H

#include "event/event.h"

/* name in product files; the reader is form_NAME_read() */
#define FORM_KINDS(X)                                                                              \
    X(FORM_KV, kv)                                                                                 \
    X(FORM_CSV, csv)                                                                               \
    X(FORM_CEF, cef)                                                                               \
    X(FORM_LEEF, leef)                                                                             \
    X(FORM_JSON, json)                                                                             \
    X(FORM_XML, xml)                                                                               \
    X(FORM_URL, url)

enum form_kind {
#define X(id, name) id,
    FORM_KINDS(X)
#undef X
};

enum {
    N_FORMS = FORM_URL + 1,
    FORM_NAME_MAX = 128,  /* bytes of a name in KV, CEF, LEEF; longer ones are not seen as names */
    FORM_DEPTH_MAX = 64,  /* JSON, XML: what lies deeper ends the reading */
    FORM_LABELS_MAX = 64, /* CEF: those beyond stay keys only */
};

struct form {
    enum form_kind kind;
    const struct slice *columns; /* CSV: empty names are passed over */
    uint32_t n_columns;
    char separator;      /* KV: between pairs, 0: blanks or commas; CSV: between columns, 0: ',' */
    char assign;         /* KV: between name and value, 0: '=' */
    struct slice prefix; /* put before every name, as it is: "cisco.ise." */
    /* Values of other names are passed over; NULL: all are wanted. */
    bool (*wants)(void *ctx, key_id key);
    void *ctx;
};

const char *form_name(enum form_kind kind);
/* Calls back with every path that the form may add. False: its names stand in the text. */
bool form_each_name(const struct form *form, void (*each)(void *ctx, struct slice path), void *ctx);
/*
 * False: the text has not this form, and nothing was added. What is damaged further on ends the
 * reading; what was read before it stays. Time is linear in the text.
 */
bool form_read(const struct form *form, struct slice text, struct event *ev) MUST_USE;

#endif
