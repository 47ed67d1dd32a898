/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What can be asked over HTTP, once: routing, permissions, the checks of parameters and the OpenAPI
 * document are made from endpoints.tbl. What is not in it does not exist.
 */
#ifndef VAKA_WEB_ENDPOINT_H
#define VAKA_WEB_ENDPOINT_H

#include "account/action.h"
#include "web/api.h"
#include "web/target.h"

#define API_ROOT "/api/v1"

/* HEAD is what GET is, without the body. */
#define API_METHODS(X) X(GET, "get") X(POST, "post") X(PUT, "put") X(DELETE, "delete")

enum api_method {
#define X(id, word) API_##id,
    API_METHODS(X)
#undef X
        API_METHOD_COUNT,
};

/* Rights that are none of account/rights.h: whoever asks, and whoever is known. */
enum { RIGHT_ANYBODY = RIGHT_COUNT + 1, RIGHT_SOMEBODY };

/* id, name, least, most, choices (separated by |), text; numbers when there is a most */
#define API_PARAMETERS(X)                                                                          \
    X(LIMIT, "limit", 1, 500, NULL, "how many at most; 50")                                        \
    X(CURSOR, "cursor", 0, 0, NULL, "where the list goes on: `next` of the page before")           \
    X(LEVEL, "level", 0, 0, "informational|low|medium|high|critical", "this level and above")      \
    X(RULE, "rule", 0, 0, NULL, "of the rule with this id")                                        \
    X(STATE, "state", 0, 0, "open|closed|any", "open, closed, or any; open")                       \
    X(ASSIGNEE, "assignee", 0, 0, NULL, "of whom it is given to")                                  \
    X(ENTITY, "entity", 0, 0, NULL,                                                                \
      "of which an alert names this user, computer, address or hash")                              \
    X(FROM, "from", 0, 0, NULL, "at or after: 2026-12-23, 2026-12-23T21:47:00Z, or -7d")           \
    X(TO, "to", 0, 0, NULL, "before; a date is its end")                                           \
    X(AT, "at", 0, 0, NULL, "then: 2026-12-23T21:47:00Z; now")                                     \
    X(NAME, "name", 0, 0, NULL, "of this account")                                                 \
    X(AFTER, "after", 0, INT64_MAX, NULL, "behind the one with this number")                       \
    X(OLD, "old", 0, 0, NULL, "the version before")                                                \
    X(NEW, "new", 0, 0, NULL, "the version behind")                                                \
    X(PROFILE, "profile", 0, 0, "default|all|current",                                             \
      "which rules are on: default, all, or as in the version in force; default")                  \
    X(INCIDENT, "incident", 1, INT64_MAX, NULL, "that list the incident with this number")

enum api_parameter {
#define X(id, name, least, most, choices, text) PARAMETER_##id,
    API_PARAMETERS(X)
#undef X
        PARAMETER_COUNT,
};
#define WITH(id) (1u << PARAMETER_##id)

struct api_parameter_row {
    const char *name;
    int64_t least, most;
    const char *choices, *text;
};
extern const struct api_parameter_row api_parameters[PARAMETER_COUNT];

/* What an answer is. */
enum api_answer {
    ANSWER_JSON,    /* one object */
    ANSWER_NOTHING, /* 204 */
    ANSWER_LINES,   /* a stream of them */
    ANSWER_PIECES,  /* one object, as a stream */
    ANSWER_EVENTS,  /* server-sent events */
    ANSWER_PAGE,    /* for people, without the console; not of the table */
};

struct api_call;

struct api_endpoint {
    const char *id; /* of its operation */
    enum api_method method;
    const char *path; /* below API_ROOT, with {names} */
    unsigned right;   /* of one that is not an action's */
    void (*run)(struct api_call *call);
    enum account_action action; /* when it is one; else ACTION_COUNT */
    unsigned parameters;        /* WITH() */
    const char *body, *answer;  /* names of schemas; NULL: none */
    enum api_answer kind;
    const char *text;
    enum api_deed_to to; /* of one that another process does: who, … */
    const char *deed;    /* … and what it is told; NULL: it is none */
};

extern const struct api_endpoint api_endpoints[];
extern const size_t api_n_endpoints;

/* What a path leads to: its segments that stand for {names}. */
struct api_match {
    const struct api_endpoint *endpoint; /* NULL: there is none for the method */
    unsigned methods;                    /* bits of those that there are */
    struct slice names[2], values[2];
    uint32_t n;
};

/* False: there is nothing of that path. */
bool api_endpoint_find(const struct api_target *target, enum api_method method,
                       struct api_match *ret);
/* enum account_right, RIGHT_ANYBODY or RIGHT_SOMEBODY. */
unsigned api_endpoint_right(const struct api_endpoint *e);
/* Whether its body is a form, whose fields prove what is asked by themselves; else JSON. */
bool api_endpoint_takes_form(const struct api_endpoint *e);
/* Whether its body is a zip. */
bool api_endpoint_takes_file(const struct api_endpoint *e);
/* Whether Idempotency-Key means something: it changes something, and has one answer. */
bool api_endpoint_is_once(const struct api_endpoint *e);
/* The media type of what is answered. */
const char *api_answer_type(enum api_answer kind);
const char *api_method_word(enum api_method method);
/* API_METHOD_COUNT: none of ours. "HEAD" is API_GET. */
enum api_method api_method_read(const char *text);

/* 0, or ERR_INVALID: diag says why the parameter *ret_name is not one of it, or its value is not
 * valid. */
int api_endpoint_check(const struct api_endpoint *e, const struct api_target *target,
                       struct slice *ret_name, struct diag *diag) MUST_USE;

#endif
