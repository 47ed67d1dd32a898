/* SPDX-License-Identifier: EUPL-1.2 */
/* The files of the folder, for who writes and who reads. */
#ifndef VAKA_AUDIT_FILES_H
#define VAKA_AUDIT_FILES_H

#include "audit/audit.h"

struct dirent;

#define AUDIT_LOG "log"

/* serve.folder/audit */
int audit_path(const char *serve_folder, char ret[static AUDIT_PATH_MAX],
               struct diag *diag) MUST_USE;
/* By errno. */
int audit_fail(const char *path, struct diag *diag);

/* Those that were set aside, the oldest first; their number, or -1. audit_files_free() in any case.
 */
int audit_files(int folder, struct dirent ***ret);
void audit_files_free(struct dirent **names, int n);

#endif
