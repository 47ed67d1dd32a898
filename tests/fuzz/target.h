/* SPDX-License-Identifier: EUPL-1.2 */
/* What every fuzz target needs: the entry point, and a check that stays in all builds. */
#ifndef VAKA_TESTS_FUZZ_TARGET_H
#define VAKA_TESTS_FUZZ_TARGET_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs one input; returns 0. Borrows data. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(expr)                                                                                \
    do {                                                                                           \
        if (!(expr)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #expr);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
