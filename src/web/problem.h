/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is wrong with a request, as RFC 9457 has it: "application/problem+json" with a type that
 * never changes its meaning, and the place of it: a member of the body as a JSON pointer, or a
 * parameter by its name.
 *
 *     {"type":"urn:vaka:problem:invalid-parameter","title":"A parameter is not valid","status":400,
 *      "detail":"not a number from 1 to 500","parameter":"limit","request":"6f0a91c2d3e4f506"}
 */
#ifndef VAKA_WEB_PROBLEM_H
#define VAKA_WEB_PROBLEM_H

#include "base/buf.h"

/* id, status, word of the type, title */
#define API_PROBLEMS(X)                                                                            \
    X(MALFORMED, 400, "malformed", "The request cannot be understood")                             \
    X(PARAMETER, 400, "invalid-parameter", "A parameter is not valid")                             \
    X(BODY, 400, "invalid-body", "The body is not what is asked for")                              \
    X(CURSOR, 400, "invalid-cursor", "The cursor is not one of this list")                         \
    X(UNAUTHORIZED, 401, "unauthorized", "Nobody that may ask is known by this")                   \
    X(FORBIDDEN, 403, "forbidden", "The right to do this is missing")                              \
    X(CROSS_SITE, 403, "cross-site", "The request comes from another site")                        \
    X(NOT_FOUND, 404, "not-found", "There is no such thing")                                       \
    X(METHOD, 405, "method-not-allowed", "This cannot be done to it")                              \
    X(CONFLICT, 409, "conflict", "It does not go with how things are")                             \
    X(PROTECTED, 409, "protected", "It may concern protective security, or nobody said")           \
    X(KEY_REUSED, 422, "idempotency-key-reused", "The key was used for another request")           \
    X(CHANGED, 412, "changed", "It was changed meanwhile")                                         \
    X(TOO_LARGE, 413, "too-large", "The body is too large")                                        \
    X(MEDIA_TYPE, 415, "unsupported-media-type", "The body has to be JSON")                        \
    X(RATE, 429, "too-many-requests", "Too many requests")                                         \
    X(BUSY, 503, "busy", "Not now")

enum api_problem {
#define X(id, status, word, title) API_PROBLEM_##id,
    API_PROBLEMS(X)
#undef X
        API_PROBLEM_COUNT,
};

#define API_PROBLEM_TYPE "application/problem+json"

struct api_place {
    const char *pointer;    /* "/limit"; NULL: none */
    struct slice parameter; /* its name; empty: none */
    struct slice breaches;  /* of rest: a JSON list; empty: none */
};

unsigned api_problem_status(enum api_problem problem);
/* The word of its type: "not-found". */
const char *api_problem_word(enum api_problem problem);
/* detail may be empty; `request` is the request's id. */
void api_problem_write(struct buf *out, enum api_problem problem, struct slice detail,
                       const struct api_place *place, struct slice request);

#endif
