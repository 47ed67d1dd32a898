/* SPDX-License-Identifier: EUPL-1.2 */
/* Clocks of the law, as taxonomy/clocks.tsv and files like it have them. */
#ifndef VAKA_DESK_CLOCKS_H
#define VAKA_DESK_CLOCKS_H

#include "base/time.h"

struct desk_clock {
    struct slice key, begins, sv, en, law; /* borrowed from the file */
    nsec span;                             /* 0: one month of the calendar */
};

/* The built-in file. */
struct slice desk_clocks_text(void);
/* Takes the next one off *rest. 1, 0 at the end; ERR_SYNTAX: *ret_line says where it is no clock.
 */
int desk_clocks_next(struct slice *rest, uint32_t *line, struct desk_clock *ret);
/* When it is due that began then; in UTC. */
nsec desk_clocks_due(const struct desk_clock *clock, nsec begin);

#endif
