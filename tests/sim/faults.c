/* SPDX-License-Identifier: EUPL-1.2 */
/* Every statement of the rooms goes through sqlite3_step(), which the linker wraps. */
#include <sqlite3.h>

#include "world.h"

static struct {
    uint64_t left;
    bool armed;
} fault;

int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement);

void fault_arm(uint64_t left)
{
    fault.left = left;
    fault.armed = left > 0;
}

uint64_t fault_left(void)
{
    return fault.left;
}

/* Of a process that has ended nothing happens any more. */
int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
    if (fault.armed && fault.left == 0) return SQLITE_IOERR;
    int code = __real_sqlite3_step(statement);
    if (fault.armed) fault.left--;
    return code;
}
