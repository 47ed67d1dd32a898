/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is read of the answers of cloud interfaces: tokens, errors, where the next page is, and
 * where records begin and end, what they are called and when they are of. Nothing else of a record
 * is looked at; it goes on byte for byte as it came.
 *
 * Tokens and their errors: RFC 6749, 5.1 and 5.2. Pages and errors of Graph: OData JSON
 * Format 4.01, 4.5 and 21. Content: "Office 365 Management Activity API reference", Microsoft
 * Learn.
 */
#ifndef VAKA_PULL_ANSWER_H
#define VAKA_PULL_ANSWER_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "pull/source.h"

enum {
    ANSWER_TOKEN_MAX = 16 * 1024, /* bytes of a token */
    ANSWER_ID_MAX = 1024,         /* of an id */
};

/* *token (cleared) gets it. ERR_SYNTAX: it is none; ERR_LIMIT: it is too long. */
int answer_token(struct slice body, struct buf *token, nsec *ret_lifetime) MUST_USE;

/* What an answer says is wrong; borrowed of it, escapes as they stand, both may be empty. */
struct answer_error {
    struct slice code, message;
};
void answer_error_read(struct slice body, struct answer_error *ret);

/* A page: the array with its items, and the next page's address, empty at the last one. */
struct answer_page {
    struct slice items; /* borrowed; `[…]` */
    struct buf *next;   /* the caller's, cleared */
};
/* ERR_SYNTAX: it is none, to its last byte; ERR_TRUNCATED; ERR_LIMIT. */
int answer_page_read(enum pull_kind kind, struct slice body, struct answer_page *page) MUST_USE;

/* One item of a page, as items go through with json_parts_next(). */
struct answer_item {
    struct slice id;  /* borrowed, escapes as they stand; empty: it has none */
    nsec time;        /* TIME_NONE: it has none that can be read */
    struct slice uri; /* of PULL_M365: the string with its quotes; empty: it has none */
};
void answer_item_read(enum pull_kind kind, struct slice item, struct answer_item *ret);

#endif
