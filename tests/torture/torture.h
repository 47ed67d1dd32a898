/* SPDX-License-Identifier: EUPL-1.2 */
/* Allocations and calls to the disk that fail, one after the other; see torture.c. */
#ifndef VAKA_TESTS_TORTURE_H
#define VAKA_TESTS_TORTURE_H

#include "base/buf.h"
#include "test.h"

enum { TORTURE_OUT_MAX = 256 * 1024 };

struct torture {
    /*
     * Does the same each time, from nothing to nothing; 0 or an error. What it read goes to `out`
     * as text: a run that says 0 must write what the undisturbed run wrote.
     */
    int (*run)(void *ctx, struct buf *out);
    void *ctx;
    /* "file.c:function": where an ASSERT may end it. Ends with NULL; may be NULL. */
    const char *const *asserts;
    /* Words of the output that tell of a loss. Ends with NULL; may be NULL. */
    const char *const *told_by;
    bool calls; /* calls to the disk fail too, with EIO: only where calls.c is linked */
};

/* Fails the test that runs it when the subject does not hold. */
void torture_run(const struct torture *subject);
/* What is done until the other call is the test's own, and does not fail. */
void torture_spare(void);
void torture_go_on(void);
/* For calls.c: whether this call is the one that fails. */
bool torture_call_fails(void);

#endif
