/* SPDX-License-Identifier: EUPL-1.2 */
#include "audit/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

int audit_path(const char *serve_folder, char ret[static AUDIT_PATH_MAX], struct diag *diag)
{
    int n = snprintf(ret, AUDIT_PATH_MAX, "%s/audit", serve_folder);
    if (n > 0 && n < AUDIT_PATH_MAX) return 0;
    return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "serve.folder is too long");
}

int audit_fail(const char *path, struct diag *diag)
{
    int number = errno;
    int error = number == ENOENT                                          ? ERR_NOT_FOUND
                : number == EACCES || number == EPERM || number == EROFS  ? ERR_ACCESS
                : number == ENOSPC || number == EDQUOT || number == EFBIG ? ERR_LIMIT
                                                                          : ERR_IO;
    return diag_set(diag, error, NULL, 0, 0, "%s: %s", path, strerror(number));
}

/* Their names are moments: in the order of their bytes they are in that of time. */
static int is_aside(const struct dirent *entry)
{
    return strncmp(entry->d_name, AUDIT_LOG "-", sizeof AUDIT_LOG) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int audit_files(int folder, struct dirent ***ret)
{
    *ret = NULL;
    return scandirat(folder, ".", ret, is_aside, by_name);
}

void audit_files_free(struct dirent **names, int n)
{
    for (int i = 0; i < n; i++) free(names[i]);
    free(names);
}
