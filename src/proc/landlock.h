/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Landlock by system call: the C library has no wrappers, and what can be asked for depends on the
 * kernel that runs, not on the headers that were compiled with.
 */
#ifndef VAKA_PROC_LANDLOCK_H
#define VAKA_PROC_LANDLOCK_H

#include "base/error.h"

/*
 * From here on this process and its children may read below `paths`, may make, write, rename and
 * remove files (not folders) below `folders`, and may do nothing else with files, and nothing with
 * TCP where the kernel knows that. A path that cannot be opened is passed over (it stays
 * forbidden). ERR_UNSUPPORTED: the kernel has no Landlock.
 */
int landlock_confine(const char *const *paths, size_t n_paths, const char *const *folders,
                     size_t n_folders) MUST_USE;

#endif
