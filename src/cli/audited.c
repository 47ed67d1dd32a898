/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/audited.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

static bool is_inside(const char *path, const char *folder)
{
    char inner[PATH_MAX], outer[PATH_MAX];
    if (!realpath(path, inner) || !realpath(folder, outer)) return false;
    struct slice rest = slice_of(inner), begin = slice_of(outer);
    return slice_starts_with(rest, begin) &&
           slice_starts_with(slice_from(rest, begin.len), SLICE("/"));
}

/* The kernel's own word for who logged in, which stays when a user becomes another one. */
static struct slice read_login(struct buf *space)
{
    uint64_t uid;
    struct diag diag;
    if (file_read("/proc/self/loginuid", space, &diag) != 0) return SLICE_NONE;
    if (!slice_to_u64(slice_trim(buf_slice(space)), &uid) || uid >= UINT32_MAX) return SLICE_NONE;
    const struct passwd *user = getpwuid((uid_t)uid);
    if (!user) return slice_trim(buf_slice(space));
    buf_clear(space);
    buf_puts(space, user->pw_name);
    return buf_slice(space);
}

int audited_begin(struct audited *a, const struct config *config, const struct audited_look *look,
                  struct diag *diag)
{
    const char *folder = config->serve_folder.items[0];
    const struct clock clock = clock_system();
    struct diag why = {0};
    struct buf login;
    *a = (struct audited){.on = is_inside(look->store, folder)};
    if (!a->on) return 0;
    buf_init(&login, 4096);
    const struct audit_entry entry = {
        .what = look->what,
        .uid = getuid(),
        .user = slice_of(settings_who(look->user)),
        .login = read_login(&login),
        .query = look->query,
        .purpose = slice_of(look->purpose),
        .now = clock_realtime(&clock),
        .from = look->from,
        .to = look->to,
    };
    int error = audit_begin(folder, &entry, &a->audit, &why);
    buf_done(&login);
    if (error == 0) return 0;
    a->on = false;
    return diag_set(diag, error, NULL, 0, 0,
                    "without its line in the audit log nothing is read: %s", why.message);
}

void audited_end(const struct audited *a, const char *how, uint64_t found)
{
    const struct clock clock = clock_system();
    struct diag diag = {0};
    if (!a->on || audit_end(&a->audit, clock_realtime(&clock), how, found, &diag) == 0) return;
    cli_say("%s", diag.message);
    cli_say("the audit log does not say what was found");
}
