/* SPDX-License-Identifier: EUPL-1.2 */
#include "ruleset/ruleset.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The folder `rules` below folder/from, when it is there and so is what `beside` names. */
static bool rules_below(const char *folder, const char *from, const char *beside, char *ret)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s/%s", folder, from, beside);
    if (n < 0 || (size_t)n >= sizeof path || access(path, F_OK) != 0) return false;
    n = snprintf(path, sizeof path, "%s/%s/rules", folder, from);
    return n > 0 && (size_t)n < sizeof path && is_folder(path) && realpath(path, ret) != NULL;
}

/*
 * Vaka's own rules: beside the source that this program was built from, when it still lies in its
 * build folder (build/NAME/vaka); where they were installed with it; where they are installed.
 */
static const char *own_rules(char space[static PATH_MAX])
{
    char folder[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (n > 0) {
        folder[n] = '\0';
        char *slash = strrchr(folder, '/');
        if (slash) *slash = '\0';
        if (rules_below(folder, "../..", "meson.build", space)) return space;
        if (rules_below(folder, "../share/vaka", "rules", space)) return space;
    }
    return is_folder(VAKA_DATADIR "/rules") ? VAKA_DATADIR "/rules" : NULL;
}

/* The file's text goes to `take`. */
static int read_file(struct ruleset *r, const char *path, struct diag *diag,
                     int (*take)(struct ruleset *r, const char *path, struct slice text,
                                 struct diag *diag))
{
    struct buf text;
    buf_init(&text, RULESET_FILE_MAX);
    int result = file_read(path, &text, diag);
    if (result == 0) result = take(r, path, buf_slice(&text), diag);
    buf_done(&text);
    return result;
}

static int take_placeholders(struct ruleset *r, const char *path, struct slice text,
                             struct diag *diag)
{
    return placeholders_read(r->placeholders, path, text, diag);
}

static int take_taxonomy(struct ruleset *r, const char *path, struct slice text, struct diag *diag)
{
    return taxonomy_add(r->taxonomy, path, text, diag);
}

static int load_rules(struct ruleset *r, const struct config *config, struct diag *diag)
{
    char space[PATH_MAX];
    const struct sigma_set_options set_options = {.placeholders = r->placeholders};
    const char *own = config->rules.n ? NULL : own_rules(space);
    if (!config->rules.n && !own)
        return diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "no rules: name some with -r");
    uint32_t n = own ? 1 : config->rules.n;
    for (uint32_t i = 0; i < n; i++) {
        const char *path = own ? own : config->rules.items[i];
        struct diag why = {0};
        int result = sigma_set_add_path(r->set, path, &set_options, &why);
        if (result)
            return diag_set(diag, result, NULL, 0, 0, "%s: %s", path,
                            why.message[0] ? why.message : error_text(result));
    }
    return sigma_set_finish(r->set);
}

static int load(struct ruleset *r, const struct config *config, struct diag *diag)
{
    int result = 0;
    r->placeholders = placeholders_new();
    r->taxonomy = taxonomy_new();
    r->set = sigma_set_new();
    if (!r->placeholders || !r->taxonomy || !r->set) return ERR_NOMEM;
    for (uint32_t i = 0; i < config->placeholders.n && result == 0; i++)
        result = read_file(r, config->placeholders.items[i], diag, take_placeholders);
    for (uint32_t i = 0; i < config->taxonomy.n && result == 0; i++)
        result = read_file(r, config->taxonomy.items[i], diag, take_taxonomy);
    return result ? result : load_rules(r, config, diag);
}

int ruleset_load(struct ruleset *r, const struct config *config, struct diag *diag)
{
    *r = (struct ruleset){0};
    diag->message[0] = '\0';
    int result = load(r, config, diag);
    if (result && !diag->message[0])
        (void)diag_set(diag, result, NULL, 0, 0, "%s", error_text(result));
    if (result) ruleset_done(r);
    return result;
}

void ruleset_done(struct ruleset *r)
{
    if (r->set) sigma_set_free(r->set);
    if (r->taxonomy) taxonomy_free(r->taxonomy);
    if (r->placeholders) placeholders_free(r->placeholders);
    *r = (struct ruleset){0};
}

uint32_t ruleset_refused(const struct sigma_set *set)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < set->n_refusals; i++) n += !set->refusals[i].warning;
    return n;
}
