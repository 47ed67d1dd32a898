/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *error_text(int error)
{
    switch (error) {
    case ERR_OK:
        return "success";
#define X(name, text)                                                                              \
    case name:                                                                                     \
        return text;
        VAKA_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}

int diag_set(struct diag *diag, int error, const char *file, uint32_t line, uint32_t column,
             const char *fmt, ...)
{
    if (!diag) return error;
    diag->file = file;
    diag->line = line;
    diag->column = column;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(diag->message, sizeof diag->message, fmt, ap);
    va_end(ap);
    return error;
}

static assert_hook *fatal_hook;

void assert_hook_set(assert_hook *hook)
{
    fatal_hook = hook;
}

void assert_failed(const char *expr, const char *file, int line, const char *func)
{
    assert_hook *hook = fatal_hook;
    fatal_hook = NULL;
    if (hook) hook(expr, file, line, func);
    (void)fprintf(stderr, "vaka: impossible: %s (%s:%d in %s)\n", expr, file, line, func);
    abort();
}
