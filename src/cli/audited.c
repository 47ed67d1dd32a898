/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/audited.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

/* Wherever links lead. */
static bool is_inside(const char *inner, const char *folder, const char *below)
{
    char outer[PATH_MAX], asked[PATH_MAX];
    int n = snprintf(asked, sizeof asked, "%s/%s", folder, below);
    if (n < 0 || (size_t)n >= sizeof asked || !realpath(asked, outer)) return false;
    struct slice rest = slice_of(inner), begin = slice_of(outer);
    return slice_starts_with(rest, begin) &&
           slice_starts_with(slice_from(rest, begin.len), SLICE("/"));
}

static bool has(const char *folder, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0;
}

/*
 * The folder of the vaka serve that keeps the records: that of the settings, or the one that they
 * lie in, whatever the settings say. A backup has the same shape, and a file that says what it is.
 */
static bool find_serve_folder(const char *store, const char *said, char ret[static PATH_MAX])
{
    char inner[PATH_MAX];
    if (!realpath(store, inner)) return false;
    if (is_inside(inner, said, "") || is_inside(inner, said, "store")) {
        int n = snprintf(ret, PATH_MAX, "%s", said);
        return n > 0 && n < PATH_MAX;
    }
    for (int above = 0; above < 2; above++) {
        char *slash = strrchr(inner, '/');
        if (slash) *slash = '\0';
    }
    memcpy(ret, inner, strlen(inner) + 1);
    return has(ret, "state/vaka.db") && !has(ret, "backup");
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
    const struct clock clock = clock_system();
    char folder[PATH_MAX];
    struct diag why = {0};
    struct buf login;
    *a = (struct audited){
        .on = find_serve_folder(look->store, config->serve_folder.items[0], folder)};
    if (!a->on) return 0;
    buf_init(&login, 4096);
    /* First: both names come from the same place of the C library's. */
    struct slice login_name = read_login(&login);
    const struct audit_entry entry = {
        .what = look->what,
        .uid = getuid(),
        .user = slice_of(settings_who(look->user)),
        .login = login_name,
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
