/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Values by the hundred thousand that are looked for as one: lists of indicators. A list is made
 * once and only borrowed by all that asks it, so that neither another plan nor another field costs
 * memory, and a value is looked up by hashing, whatever the length of the list.
 *
 * The kind of a list says how a value of an event is read:
 *
 *     address  an address, or the host of a URL that is one; also what lies in a network
 *     domain   a name, or the host of a URL; also names below it
 *     url      a URL, whatever its scheme and with or without a slash at its end
 *     hash     one in hexadecimal, alone or among others (`SHA1=…,MD5=…`)
 *     email    an address of mail, alone or among others (`Anna <anna@a.example>, …`)
 */
#ifndef VAKA_DETECT_SIGMA_LISTED_H
#define VAKA_DETECT_SIGMA_LISTED_H

#include "base/arena.h"
#include "base/clock.h"

enum listed_kind { LISTED_ADDRESS, LISTED_DOMAIN, LISTED_URL, LISTED_HASH, LISTED_EMAIL };
enum { LISTED_KINDS = LISTED_EMAIL + 1 };

/* "address", … */
const char *listed_kind_name(enum listed_kind kind);

struct listed_value {
    struct slice value; /* folded (base/utf8.h); a name without a dot at its end */
    struct slice description, source;
    nsec expires; /* 0: never */
};

struct listed;

struct listed *listed_new(enum listed_kind kind) MUST_USE;
void listed_free(struct listed *l);
/*
 * Adds a value, whose texts are borrowed. Of an address it is checked that it is one (ERR_INVALID).
 * *ret_known: it was there already, and the first one stays. ERR_NOMEM.
 */
int listed_add(struct listed *l, const struct listed_value *value, bool *ret_known) MUST_USE;

enum listed_kind listed_kind(const struct listed *l);
uint32_t listed_count(const struct listed *l);
/* In the order in which they came. */
const struct listed_value *listed_at(const struct listed *l, uint32_t i);
size_t listed_bytes(const struct listed *l);

/* What a folded value of an event is or has in it; NULL: nothing of the list. */
const struct listed_value *listed_find(const struct listed *l, struct slice text);

/* The host that a URL or an authority names (RFC 3986 3.2), without user and port; or the text. */
struct slice listed_host(struct slice text);
/* A URL as it is compared: what is behind its scheme, without slashes at its end. */
struct slice listed_url(struct slice text);

#endif
