/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What processes that have the same folder open tell each other: flags, which are locks of bytes
 * (F_OFD_SETLK, fcntl(2)) that nobody waits for. They cost no disk, and go with who raised them.
 */
#ifndef VAKA_STORE_FLAG_H
#define VAKA_STORE_FLAG_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FLAG_BEHIND,  /* records wait to be matched: who reads by hand gives way */
    FLAG_READERS, /* and those behind it: who reads without having his turn, one each */
};

/* `folder` is a descriptor of it that is opened for reading. A flag may be raised by many. */
void flag_set(int folder, uint32_t number, bool raised);
/* By another descriptor than this one. */
bool flag_is_raised(int folder, uint32_t number);

#endif
