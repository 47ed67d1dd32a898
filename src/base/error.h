/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Errors: 0 is success, everything else is one negative code of this table. Library code returns
 * them; stage code logs them, once. Parsers of what people write (rules, configuration) also fill
 * a struct diag that names the place.
 */
#ifndef VAKA_BASE_ERROR_H
#define VAKA_BASE_ERROR_H

#include "base/slice.h"

#define VAKA_ERRORS(X)                                                                             \
    X(ERR_NOMEM, "out of memory")                                                                  \
    X(ERR_LIMIT, "a limit was reached")                                                            \
    X(ERR_SYNTAX, "syntax error")                                                                  \
    X(ERR_INVALID, "invalid value")                                                                \
    X(ERR_UNSUPPORTED, "not supported")                                                            \
    X(ERR_NOT_FOUND, "not found")                                                                  \
    X(ERR_TRUNCATED, "input ends too early")                                                       \
    X(ERR_CORRUPT, "input is damaged")                                                             \
    X(ERR_IO, "input/output error")                                                                \
    X(ERR_ACCESS, "permission denied")                                                             \
    X(ERR_STOPPED, "stopped")

enum error {
    ERR_OK = 0,
    ERR_LAST_ = -1000, /* codes count upwards from here so that they stay negative */
#define X(name, text) name,
    VAKA_ERRORS(X)
#undef X
};

#define MUST_USE                __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

/* A constant sentence for a code; never NULL. */
const char *error_text(int error);

/* Where something a person wrote is wrong, and why. Filled on failure only; owns nothing. */
struct diag {
    const char *file; /* borrowed, may be NULL */
    uint32_t line;    /* from 1; 0 when unknown */
    uint32_t column;  /* from 1, in characters; 0 when unknown */
    char message[240];
};

/* Fills *diag (which may be NULL) and returns `error`, so that a parser can say `return
 * diag_set(...)`. */
int diag_set(struct diag *diag, int error, const char *file, uint32_t line, uint32_t column,
             const char *fmt, ...) PRINTF_LIKE(6, 7);

/*
 * Assertions for our own mistakes only; they are always compiled in and end the process.
 * What comes from outside is an error, never an assertion.
 */
void assert_failed(const char *expr, const char *file, int line, const char *func)
    __attribute__((noreturn, cold));
/*
 * Called by a failed assertion before the process ends, once: an assertion that fails inside finds
 * no hook. NULL: none.
 */
typedef void assert_hook(const char *expr, const char *file, int line, const char *func);
void assert_hook_set(assert_hook *hook);
#define ASSERT(expr)                                                                               \
    (__builtin_expect(!!(expr), 1) ? (void)0 : assert_failed(#expr, __FILE__, __LINE__, __func__))

#endif
