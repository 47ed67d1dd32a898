/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/load.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"

char *load_file(const char *path, size_t max, size_t *ret_len)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    if (!f) {
        cli_say("%s: %s", path, strerror(errno));
        return NULL;
    }
    struct buf data;
    buf_init(&data, max);
    size_t n = 0;
    do {
        char piece[8192];
        n = fread(piece, 1, sizeof piece, f);
        buf_put(&data, slice_make(piece, n));
    } while (n > 0);
    buf_putc(&data, '\0');
    bool broken = ferror(f) != 0;
    if (f != stdin) (void)fclose(f);
    if (broken || buf_failed(&data)) {
        cli_say("%s: %s", path, broken ? "cannot be read" : "too large");
        buf_done(&data);
        return NULL;
    }
    *ret_len = data.len - 1;
    return data.ptr;
}

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

static int load_placeholders(struct load *load, const struct config *config)
{
    struct diag diag;
    load->placeholders = placeholders_new();
    if (!load->placeholders) return ERR_NOMEM;
    for (uint32_t i = 0; i < config->placeholders.n; i++) {
        size_t len;
        char *text = load_file(config->placeholders.items[i], LOAD_FILE_MAX, &len);
        if (!text) return ERR_IO;
        int result = placeholders_read(load->placeholders, config->placeholders.items[i],
                                       slice_make(text, len), &diag);
        free(text);
        if (result) {
            cli_diag(&diag, "");
            return result;
        }
    }
    return 0;
}

static int load_taxonomy(struct load *load, const struct config *config)
{
    struct diag diag;
    load->taxonomy = taxonomy_new();
    if (!load->taxonomy) return ERR_NOMEM;
    for (uint32_t i = 0; i < config->taxonomy.n; i++) {
        size_t len;
        char *text = load_file(config->taxonomy.items[i], LOAD_FILE_MAX, &len);
        if (!text) return ERR_IO;
        int result =
            taxonomy_add(load->taxonomy, config->taxonomy.items[i], slice_make(text, len), &diag);
        free(text);
        if (result) {
            cli_diag(&diag, "");
            return result;
        }
    }
    return 0;
}

static int load_rules(struct load *load, const struct config *config)
{
    struct diag diag = {0};
    char space[PATH_MAX];
    const struct sigma_set_options set_options = {.placeholders = load->placeholders};
    load->set = sigma_set_new();
    if (!load->set) return ERR_NOMEM;
    const char *own = config->rules.n ? NULL : own_rules(space);
    if (!config->rules.n && !own) {
        cli_say("no rules: name some with -r");
        return ERR_NOT_FOUND;
    }
    uint32_t n = own ? 1 : config->rules.n;
    for (uint32_t i = 0; i < n; i++) {
        const char *path = own ? own : config->rules.items[i];
        int result = sigma_set_add_path(load->set, path, &set_options, &diag);
        if (result) {
            cli_say("%s: %s", path, diag.message[0] ? diag.message : error_text(result));
            return result;
        }
    }
    return sigma_set_finish(load->set);
}

int load_all(struct load *load, const struct config *config)
{
    *load = (struct load){0};
    int result = load_placeholders(load, config);
    if (result == 0) result = load_taxonomy(load, config);
    if (result == 0) result = load_rules(load, config);
    if (result == ERR_NOMEM) cli_say("%s", error_text(result));
    if (result) load_done(load);
    return result;
}

void load_done(struct load *load)
{
    if (load->set) sigma_set_free(load->set);
    if (load->taxonomy) taxonomy_free(load->taxonomy);
    if (load->placeholders) placeholders_free(load->placeholders);
    *load = (struct load){0};
}

uint32_t load_refused(const struct sigma_set *set)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < set->n_refusals; i++) n += !set->refusals[i].warning;
    return n;
}
