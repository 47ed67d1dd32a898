/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Landlock by system call: the C library has no wrappers, and what can be asked for depends on the
 * kernel that runs, not on the headers that were compiled with.
 */
#ifndef VAKA_PROC_LANDLOCK_H
#define VAKA_PROC_LANDLOCK_H

#include "base/error.h"

struct landlock_allowed {
    const char *const *paths; /* read what is there and below */
    size_t n_paths;
    const char *const *folders; /* make, write, rename and remove files below */
    size_t n_folders;
    bool makes_folders;    /* and folders */
    const uint16_t *ports; /* connect to these TCP ports of any host */
    size_t n_ports;
};

/*
 * From here on this process and its children may do what is allowed and nothing else with files,
 * and nothing else with TCP where the kernel knows that. A path that cannot be opened is passed
 * over (it stays forbidden). ERR_UNSUPPORTED: the kernel has no Landlock.
 */
int landlock_confine(const struct landlock_allowed *allowed) MUST_USE;

#endif
