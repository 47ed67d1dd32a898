/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Regular expressions of rules: PCRE2 with limits, and the literals without which one cannot match.
 *
 * Compiled as UTF-8 with PCRE2_MATCH_INVALID_UTF: bytes that are not UTF-8 match nothing but do not
 * stop the search beside them. \d \w \s and \b are ASCII (no UCP, and (*UCP) is refused); a line
 * ends at LF. Matching is PCRE2's interpreter, not its JIT compiler: a process that reads hostile
 * input maps no page writable and executable.
 */
#ifndef VAKA_DETECT_SIGMA_REGEX_H
#define VAKA_DETECT_SIGMA_REGEX_H

#include "base/arena.h"
#include "base/error.h"
#include "detect/sigma/rule.h"

enum {
    REGEX_SOURCE_MAX = 65536,     /* bytes of one expression */
    REGEX_MATCH_LIMIT = 1000000,  /* internal steps of one search */
    REGEX_DEPTH_LIMIT = 100000,   /* nested backtracking points */
    REGEX_HEAP_LIMIT_KIB = 8192,  /* memory of one search */
    REGEX_HEAP_KEEP = 256 * 1024, /* bytes an expression keeps between searches, at most */
    REGEX_LITERALS_MAX = 16,
};

struct regex;

/*
 * flags: enum regex_flags. On refusal diag (may be NULL) gets PCRE2's own words and, in `column`,
 * the offset in the source, from 1. *ret is freed with regex_free().
 */
int regex_compile(struct slice source, unsigned flags, struct diag *diag,
                  struct regex **ret) MUST_USE;
void regex_free(struct regex *re);

/*
 * 1: found, 0: not there, ERR_LIMIT: given up, undetermined. Working memory is the expression's
 * own, so one expression is used by one thread at a time.
 */
int regex_match(const struct regex *re, struct slice text) MUST_USE;

/*
 * Literals of which at least one is contained in utf8_fold(text) for every text the expression
 * matches; ret has REGEX_LITERALS_MAX slots, the bytes come from the arena. 0: none are known.
 * The guarantee is one-sided: a text with a literal need not match.
 */
uint32_t regex_required_literals(struct slice source, unsigned flags, struct arena *arena,
                                 struct slice *ret);

#endif
