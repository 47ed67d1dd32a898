/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The text of rules that somebody writes, a folder of them, or those in force: how it is
 * understood, and what it would have found in the stored records. It is told in lines of JSON, each
 * an object with one member:
 *
 *   rule      a rule of the text: {"id":…,"title":…,"level":…}
 *   refused   what is wrong with a document: {"line":…,"column":…,"message":…,"message_sv":…,
 *             "warning":false}
 *   test      what a test in the text showed, when the text is only read: {"rule":…,"name":…,
 *             "line":…,"fires":true,"passed":false,"why":…,"why_sv":…}
 *   progress  as that of a search
 *   found     what a rule would have found: {"id":…,"title":…,"matches":…,"alerts":…,"a_day":…,
 *             "hosts":…,"users":…,"examples":[…],"values":{"user.name":["anna"]}}
 *   end       {"how":"whole","rules":1,"refused":0,"records":…}
 */
#ifndef VAKA_SERVE_TRIAL_H
#define VAKA_SERVE_TRIAL_H

#include "ruleset/ruleset.h"
#include "scan/scan.h"

struct trial {
    const struct ruleset *rules; /* taxonomy, products and placeholders of it count */
    const struct config *config;
    const struct clock *clock;
    struct slice text;
    /* In its place; or NULL. */
    const struct ruleset *in_force;
    const char *path;  /* rules of this folder, with the exceptions there are */
    const char *store; /* NULL: the text is only read */
    nsec from, to;
    uint32_t jobs;
    int null_fd;
    void *ctx;
    /* Whole lines are in out, to be taken; non-zero ends it. Also when there are none. */
    int (*lines)(void *ctx, struct buf *out, const struct scan_progress *progress);
};

/* 0, also when nothing of the text can be used: `end` says so. What lines() gave; ERR_NOMEM. */
int trial_run(const struct trial *t) MUST_USE;

#endif
