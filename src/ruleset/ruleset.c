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

static int take_product(struct ruleset *r, const char *path, struct slice text, struct diag *diag)
{
    return products_add(r->products, path, text, diag);
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

static int load_names(struct ruleset *r, const struct config *config, struct diag *diag)
{
    int result = 0;
    r->placeholders = placeholders_new();
    r->taxonomy = taxonomy_new();
    r->set = sigma_set_new();
    r->products = r->taxonomy ? products_new(r->taxonomy) : NULL;
    if (!r->placeholders || !r->products || !r->set) return ERR_NOMEM;
    for (uint32_t i = 0; i < config->placeholders.n && result == 0; i++)
        result = read_file(r, config->placeholders.items[i], diag, take_placeholders);
    for (uint32_t i = 0; i < config->taxonomy.n && result == 0; i++)
        result = read_file(r, config->taxonomy.items[i], diag, take_taxonomy);
    for (uint32_t i = 0; i < config->products.n && result == 0; i++)
        result = read_file(r, config->products.items[i], diag, take_product);
    return result;
}

static int load(struct ruleset *r, const struct config *config, bool rules, struct diag *diag)
{
    *r = (struct ruleset){0};
    diag->message[0] = '\0';
    int result = load_names(r, config, diag);
    if (result == 0) result = rules ? load_rules(r, config, diag) : sigma_set_finish(r->set);
    if (result && !diag->message[0])
        (void)diag_set(diag, result, NULL, 0, 0, "%s", error_text(result));
    if (result) ruleset_done(r);
    return result;
}

int ruleset_load(struct ruleset *r, const struct config *config, struct diag *diag)
{
    return load(r, config, true, diag);
}

int ruleset_load_without_rules(struct ruleset *r, const struct config *config, struct diag *diag)
{
    return load(r, config, false, diag);
}

void ruleset_done(struct ruleset *r)
{
    if (r->set) sigma_set_free(r->set);
    if (r->products) products_free(r->products);
    if (r->taxonomy) taxonomy_free(r->taxonomy);
    if (r->placeholders) placeholders_free(r->placeholders);
    *r = (struct ruleset){0};
}

static bool read_product(void *ctx, struct event *ev, const struct taxonomy_route *route)
{
    return product_read(ctx, ev, route);
}

int matcher_init(struct matcher *m, const struct ruleset *r, const struct engine_options *options)
{
    m->reader = NULL;
    m->engine = engine_new(r->set, r->taxonomy, options);
    if (m->engine) m->reader = product_reader_new(r->products, engine_keys(m->engine));
    if (!m->reader) {
        matcher_done(m);
        return ERR_NOMEM;
    }
    const struct clock clock = clock_system();
    matcher_set_now(m, clock_realtime(&clock));
    engine_set_reading(m->engine, &(struct engine_reading){m->reader, read_product});
    return 0;
}

void matcher_done(struct matcher *m)
{
    product_reader_free(m->reader);
    if (m->engine) engine_free(m->engine);
    *m = (struct matcher){0};
}

void matcher_set_now(struct matcher *m, nsec now)
{
    router_set_now(engine_router(m->engine), now);
    product_reader_set_now(m->reader, now);
}

uint32_t ruleset_refused(const struct sigma_set *set)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < set->n_refusals; i++) n += !set->refusals[i].warning;
    return n;
}
