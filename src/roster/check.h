/* SPDX-License-Identifier: EUPL-1.2 */
/* What is wrong with a plan that can be read: why somebody might not be woken, or not rest. */
#ifndef VAKA_ROSTER_CHECK_H
#define VAKA_ROSTER_CHECK_H

#include "roster/rest.h"

/* id, word; whether the plan fails by it (else it is a warning); Swedish, English; %s: what */
#define CHECK_KINDS(X)                                                                             \
    X(GAP, "gap", true, "ingen har beredskap", "nobody is on call")                                \
    X(NO_CONTACT, "no-contact", true, "har ingen kontaktväg", "has no contact")                    \
    X(ONE_WAY, "one-way", false, "kan bara nås på ett sätt: ange två, ett utanför telefonnätet",   \
      "can be reached in one way only: give two, one of them not by telephone")                    \
    X(NOT_AT_NIGHT, "not-at-night", true, "kan inte nås utanför kontorstid",                       \
      "cannot be reached outside of office hours")                                                 \
    X(NO_ROTATION, "no-rotation", true, "saknar schema", "has no rotation")                        \
    X(NO_FALLBACK, "no-fallback", false, "har varken ett andra steg eller en reserv",              \
      "has neither a second step nor a fallback")                                                  \
    X(UNREACHED, "unreached", false, "gäller aldrig: en regel före den gäller alltid",             \
      "never applies: a rule before it always does")                                               \
    X(REST, "rest", true, "bryter mot viloreglerna", "breaks rules of rest")

enum check_kind {
#define X(id, word, fails, sv, en) CHECK_##id,
    CHECK_KINDS(X)
#undef X
        CHECK_KIND_COUNT,
};

struct finding {
    enum check_kind kind;
    struct slice id;                  /* of the person, team or policy; empty: of none */
    uint32_t line;                    /* of the plan; 0: none */
    nsec from, until;                 /* TIME_NONE: at all times */
    const struct rest_breach *breach; /* CHECK_REST */
};
const char *check_word(enum check_kind kind);
bool check_fails(enum check_kind kind);
void check_write(const struct roster *r, const struct finding *finding, bool english,
                 struct buf *out);

/* `each` returns not 0 to end it, which is passed through. Errors of rest_check(). */
int roster_check(const struct roster *r, nsec from, nsec until, struct arena *arena,
                 int (*each)(void *ctx, const struct finding *finding), void *ctx) MUST_USE;

#endif
