/* SPDX-License-Identifier: EUPL-1.2 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup.h"
#include "base/json_read.h"

enum { MANIFEST_MAX = 4096 };

/* The file that is written last: what the backup holds, and that it is whole. */
static int read_manifest(int folder, struct backup_report *ret, struct diag *diag)
{
    char bytes[MANIFEST_MAX];
    int fd = openat(folder, "backup", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    if (fd >= 0) (void)close(fd);
    struct slice text = slice_trim(slice_make(bytes, n > 0 ? (size_t)n : 0));
    if (!json_is_object(text))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "this is no backup, or one that was not finished");
    uint64_t format = json_member_u64(text, "format");
    if (format != BACKUP_FORMAT)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "this is a backup of another version of Vaka");
    ret->records = json_member_u64(text, "records");
    ret->matched = json_member_u64(text, "matched");
    return 0;
}

static int find_owner(int folder, struct copy_owner *ret)
{
    struct stat st;
    if (fstat(folder, &st) != 0) return ERR_IO;
    *ret = (struct copy_owner){.given = geteuid() == 0, .uid = st.st_uid, .gid = st.st_gid};
    return 0;
}

/* One that accounts.key names is kept elsewhere. */
static bool lacks_key(int folder)
{
    return faccessat(folder, "accounts/accounts.db", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
           faccessat(folder, "keys/accounts.key", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

static int copy_back(int from, int to, struct backup_report *ret, struct diag *diag)
{
    struct backup_report report = {.records = 0};
    struct copy_job job = {.from = from, .to = to, .counts = &report.counts, .diag = diag};
    int error = read_manifest(from, &report, diag);
    if (error == 0) error = find_owner(to, &job.owner);
    if (error == 0) error = copy_all(&job, "backup");
    if (error == 0 && fsync(to) != 0) error = copy_failed(diag, "folder");
    report.without_key = lacks_key(to);
    if (error == 0) *ret = report;
    return error;
}

int backup_restore(const char *from, const char *folder, struct backup_report *ret,
                   struct diag *diag)
{
    diag->message[0] = '\0';
    int source = copy_open(from, diag);
    if (source < 0) return source;
    int to = copy_open_empty(folder, diag);
    int error = to < 0 ? to : copy_back(source, to, ret, diag);
    if (to >= 0) (void)close(to);
    (void)close(source);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    return error;
}
