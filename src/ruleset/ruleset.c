/* SPDX-License-Identifier: EUPL-1.2 */
#include "ruleset/ruleset.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "detect/sigma/placeholder.h"
#include "indicator/keep.h"
#include "indicator/rules.h"
#include "library/files.h"
#include "library/library.h"

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

static int read_placeholders(struct placeholders *p, const char *path, struct diag *diag)
{
    struct buf text;
    buf_init(&text, RULESET_FILE_MAX);
    int result = file_read(path, &text, diag);
    if (result == 0) result = placeholders_read(p, path, buf_slice(&text), diag);
    buf_done(&text);
    return result;
}

/* What Vaka's own rules ask for, where the settings' files do not say it. */
static int read_own_placeholders(struct placeholders *p, struct diag *diag)
{
    static const char name[] = "taxonomy/placeholders.yml";
    struct slice text = SLICE_NONE;
    ASSERT(library_file_find(slice_of(name), &text));
    return placeholders_read_defaults(p, name, text, diag);
}

static int read_taxonomy(struct taxonomy *t, const char *path, struct diag *diag)
{
    struct buf text;
    buf_init(&text, RULESET_FILE_MAX);
    int result = file_read(path, &text, diag);
    if (result == 0) result = taxonomy_add(t, path, buf_slice(&text), diag);
    buf_done(&text);
    return result;
}

int ruleset_read_placeholders(const struct config *config, struct placeholders **ret,
                              struct diag *diag)
{
    struct placeholders *p = placeholders_new();
    if (!p) return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "%s", error_text(ERR_NOMEM));
    int result = 0;
    for (uint32_t i = 0; i < config->placeholders.n && result == 0; i++)
        result = read_placeholders(p, config->placeholders.items[i], diag);
    if (result == 0) result = read_own_placeholders(p, diag);
    if (result == 0) *ret = p;
    else placeholders_free(p);
    return result;
}

static int read_product(struct products *p, const char *path, struct diag *diag)
{
    struct buf text;
    buf_init(&text, RULESET_FILE_MAX);
    int result = file_read(path, &text, diag);
    /* One that is refused does not keep the others from being in force. */
    if (result == 0)
        result = products_add(p, path, buf_slice(&text), diag) == ERR_NOMEM ? ERR_NOMEM : 0;
    buf_done(&text);
    return result;
}

/* What is to be loaded. */
struct wanted {
    const struct config *config;
    const char *const *paths; /* n_paths of them */
    uint32_t n_paths;
    bool library, exceptions; /* what is in force there */
    bool canary;              /* its rules */
    bool no_rules;
    const char *const *indicators; /* files, n_indicators of them */
    uint32_t n_indicators;
    nsec now;
};

static int add_path(struct ruleset *r, const char *path, nsec now, struct diag *diag)
{
    const struct sigma_set_options options = {.placeholders = r->placeholders, .now = now};
    struct diag why = {0};
    int result = sigma_set_add_path(r->set, path, &options, &why);
    return result ? diag_set(diag, result, NULL, 0, 0, "%s: %s", path,
                             why.message[0] ? why.message : error_text(result))
                  : 0;
}

int ruleset_folder_path(const struct config *config, const char *name, char *ret, struct diag *diag)
{
    int n = snprintf(ret, PATH_MAX, "%s/%s", config->serve_folder.items[0], name);
    if (n > 0 && n < PATH_MAX) return 0;
    return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "serve.folder is too long");
}

static int add_sets(struct ruleset *r, const struct library *library, const struct wanted *w,
                    struct diag *diag)
{
    struct library_list sets;
    struct library_name version;
    int result = library_sets(library, &sets, diag);
    for (uint32_t i = 0; i < sets.n && result == 0; i++) {
        if (!library_current(library, sets.items[i].text, &version)) continue;
        const char *path = arena_printf(&r->set->arena, "%s/%s/%s/on", library->path,
                                        sets.items[i].text, version.text);
        result = path ? add_path(r, path, w->now, diag) : ERR_NOMEM;
    }
    library_list_done(&sets);
    return result;
}

static int add_folder(struct ruleset *r, const char *library, const char *name, nsec now,
                      struct diag *diag)
{
    const char *path = arena_printf(&r->set->arena, "%s/%s", library, name);
    if (!path) return ERR_NOMEM;
    return is_folder(path) ? add_path(r, path, now, diag) : 0;
}

static int add_library(struct ruleset *r, const struct wanted *w, struct diag *diag)
{
    struct library library;
    char folder[PATH_MAX];
    int result = ruleset_folder_path(w->config, RULESET_RULES, folder, diag);
    if (result == 0) result = library_open(&library, folder, false, diag);
    if (result) return result;
    if (w->library) result = add_sets(r, &library, w, diag);
    if (result == 0 && w->library) result = add_folder(r, folder, LIBRARY_OWN, w->now, diag);
    if (result == 0) result = add_folder(r, folder, LIBRARY_EXCEPTIONS, w->now, diag);
    library_close(&library);
    return result;
}

/* ---- indicators -------------------------------------------------------------------------- */

struct indicator_own ruleset_own_networks(const struct placeholders *placeholders)
{
    const struct placeholder *own =
        placeholders_find(placeholders, SLICE("vaka_internal_networks"));
    return own ? (struct indicator_own){own->values, own->n_values} : (struct indicator_own){0};
}

static int read_fields(struct ruleset *r, struct indicator_fields *ret, struct diag *diag)
{
    static const char name[] = "taxonomy/indicators.yml";
    struct slice text = SLICE_NONE;
    ASSERT(library_file_find(slice_of(name), &text));
    return indicator_fields_read(&r->set->arena, name, text, ret, diag);
}

/* Makes rules of what was put at the end of r->lists. */
static int use_list(struct ruleset *r, const struct indicator_fields *fields, const char *name,
                    const char *version, enum sigma_level level)
{
    const struct indicator_list list = {name, version, level, &r->lists[r->n_lists++]};
    return indicator_rules_add(r->set, fields, &list);
}

static int add_list(struct ruleset *r, const struct library *library, const char *name, nsec now,
                    const struct indicator_fields *fields)
{
    struct library_name version;
    struct indicators_kept kept;
    struct diag diag = {0};
    if (!library_current(library, name, &version)) return 0;
    int error = indicators_load(library, name, now, &kept, &diag);
    if (error == ERR_NOMEM) return error;
    if (error) return sigma_set_refuse(r->set, &diag);
    r->lists[r->n_lists] = kept.in;
    return use_list(r, fields, name, kept.version.text, kept.level);
}

static int add_lists(struct ruleset *r, const struct wanted *w, struct diag *diag)
{
    struct library library;
    struct library_list names;
    struct indicator_fields fields;
    char folder[PATH_MAX];
    int result = ruleset_folder_path(w->config, RULESET_INDICATORS, folder, diag);
    if (result == 0) result = library_open(&library, folder, false, diag);
    if (result) return result;
    result = library_sets(&library, &names, diag);
    if (result == 0 && names.n) {
        r->lists = calloc(names.n, sizeof *r->lists);
        result = r->lists ? read_fields(r, &fields, diag) : ERR_NOMEM;
        for (uint32_t i = 0; i < names.n && result == 0; i++)
            result = add_list(r, &library, names.items[i].text, w->now, &fields);
    }
    library_list_done(&names);
    library_close(&library);
    return result;
}

static int read_list(struct ruleset *r, const char *path, nsec now, struct diag *diag)
{
    const struct indicators_options options = {
        .file = path, .now = now, .own = ruleset_own_networks(r->placeholders)};
    struct buf text;
    buf_init(&text, INDICATORS_FILE_MAX);
    int result = file_read(path, &text, diag);
    if (result == 0)
        result = indicators_read(buf_slice(&text), &options, &r->lists[r->n_lists], diag);
    buf_done(&text);
    return result;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static int add_indicator_files(struct ruleset *r, const struct wanted *w, struct diag *diag)
{
    struct indicator_fields fields;
    r->lists = calloc(w->n_indicators, sizeof *r->lists);
    if (!r->lists) return ERR_NOMEM;
    int result = read_fields(r, &fields, diag);
    for (uint32_t i = 0; i < w->n_indicators && result == 0; i++) {
        const char *path = arena_printf(&r->set->arena, "%s", w->indicators[i]);
        result = path ? read_list(r, path, w->now, diag) : ERR_NOMEM;
        if (result == 0) result = use_list(r, &fields, file_name(path), "", LEVEL_HIGH);
        if (result == ERR_INVALID && !diag->message[0])
            (void)diag_set(diag, result, NULL, 0, 0, "%s: another list is called so", path);
    }
    return result;
}

static int add_canary(struct ruleset *r, nsec now)
{
    static const char name[] = "taxonomy/canary.yml";
    const struct sigma_set_options options = {.placeholders = r->placeholders, .now = now};
    struct slice text = SLICE_NONE;
    ASSERT(library_file_find(slice_of(name), &text));
    return sigma_set_add_text(r->set, name, text, &options);
}

bool ruleset_is_canary(struct slice id)
{
    return slice_starts_with(id, SLICE(RULESET_CANARY));
}

static int load_rules(struct ruleset *r, const struct wanted *w, struct diag *diag)
{
    char space[PATH_MAX];
    bool any = w->n_paths || w->n_indicators;
    const char *own = any ? NULL : own_rules(space);
    if (!any && !own)
        return diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "no rules: name some with -r");
    int result = own ? add_path(r, own, w->now, diag) : 0;
    for (uint32_t i = 0; i < w->n_paths && result == 0; i++)
        result = add_path(r, w->paths[i], w->now, diag);
    if (result == 0 && w->exceptions) result = add_library(r, w, diag);
    if (result == 0 && w->library) result = add_lists(r, w, diag);
    if (result == 0 && w->n_indicators) result = add_indicator_files(r, w, diag);
    if (result == 0 && w->canary) result = add_canary(r, w->now);
    return result ? result : sigma_set_finish(r->set);
}

static int load_all(struct ruleset *r, const struct wanted *w, struct diag *diag)
{
    const struct config *config = w->config;
    r->taxonomy = taxonomy_new();
    r->set = sigma_set_new();
    r->products = r->taxonomy ? products_new(r->taxonomy) : NULL;
    if (!r->products || !r->set) return ERR_NOMEM;
    int result = ruleset_read_placeholders(config, &r->placeholders, diag);
    for (uint32_t i = 0; i < config->taxonomy.n && result == 0; i++)
        result = read_taxonomy(r->taxonomy, config->taxonomy.items[i], diag);
    for (uint32_t i = 0; i < config->products.n && result == 0; i++)
        result = read_product(r->products, config->products.items[i], diag);
    if (result) return result;
    return w->no_rules ? sigma_set_finish(r->set) : load_rules(r, w, diag);
}

static int load(struct ruleset *r, const struct wanted *w, struct diag *diag)
{
    *r = (struct ruleset){0};
    diag->message[0] = '\0';
    int result = load_all(r, w, diag);
    if (result && !diag->message[0])
        (void)diag_set(diag, result, NULL, 0, 0, "%s", error_text(result));
    if (result) ruleset_done(r);
    return result;
}

int ruleset_load(struct ruleset *r, const struct config *config, struct diag *diag)
{
    return load(r,
                &(struct wanted){
                    .config = config, .paths = config->rules.items, .n_paths = config->rules.n},
                diag);
}

static struct wanted of_watch(const struct config *config, nsec now)
{
    return (struct wanted){.config = config,
                           .paths = config->rules.items,
                           .n_paths = config->rules.n,
                           .library = true,
                           .exceptions = true,
                           .now = now};
}

int ruleset_load_watch(struct ruleset *r, const struct config *config, nsec now, struct diag *diag)
{
    const struct wanted w = of_watch(config, now);
    return load(r, &w, diag);
}

int ruleset_load_live(struct ruleset *r, const struct config *config, nsec now, struct diag *diag)
{
    struct wanted w = of_watch(config, now);
    w.canary = true;
    return load(r, &w, diag);
}

int ruleset_load_trial(struct ruleset *r, const struct config *config, nsec now,
                       const char *const *paths, uint32_t n_paths, struct diag *diag)
{
    return load(
        r,
        &(struct wanted){
            .config = config, .paths = paths, .n_paths = n_paths, .exceptions = true, .now = now},
        diag);
}

static struct ruleset borrow(const struct ruleset *with)
{
    return (struct ruleset){.set = sigma_set_new(),
                            .taxonomy = with->taxonomy,
                            .products = with->products,
                            .placeholders = with->placeholders};
}

int ruleset_try(struct ruleset *r, const struct ruleset *with, const struct config *config,
                nsec now, const char *path, struct diag *diag)
{
    const struct wanted w = {
        .config = config, .paths = &path, .n_paths = 1, .exceptions = true, .now = now};
    struct ruleset tried = borrow(with);
    int error = tried.set ? load_rules(&tried, &w, diag) : ERR_NOMEM;
    if (error) sigma_set_free(tried.set);
    else *r = tried;
    return error;
}

int ruleset_borrow(struct ruleset *r, const struct ruleset *with)
{
    *r = borrow(with);
    int error = r->set ? sigma_set_finish(r->set) : ERR_NOMEM;
    if (error) sigma_set_free(r->set);
    return error;
}

int ruleset_load_indicators(struct ruleset *r, const struct config *config, bool rules, nsec now,
                            const char *const *files, uint32_t n_files, struct diag *diag)
{
    return load(r,
                &(struct wanted){.config = config,
                                 .paths = config->rules.items,
                                 .n_paths = rules ? config->rules.n : 0,
                                 .indicators = files,
                                 .n_indicators = n_files,
                                 .now = now},
                diag);
}

int ruleset_load_without_rules(struct ruleset *r, const struct config *config, struct diag *diag)
{
    return load(r, &(struct wanted){.config = config, .no_rules = true}, diag);
}

void ruleset_done(struct ruleset *r)
{
    if (r->set) sigma_set_free(r->set);
    if (r->products) products_free(r->products);
    if (r->taxonomy) taxonomy_free(r->taxonomy);
    if (r->placeholders) placeholders_free(r->placeholders);
    for (uint32_t i = 0; i < r->n_lists; i++) indicators_done(&r->lists[i]);
    free(r->lists);
    *r = (struct ruleset){0};
}

static void read_event(void *ctx, struct event *ev, const struct taxonomy_route *route, void *part)
{
    if (part) product_read_part(ctx, ev, part);
    else (void)product_read(ctx, ev, route);
}

static void *part_of(void *ctx, const struct taxonomy_route *route,
                     bool (*asks)(void *asks_ctx, struct slice path), void *asks_ctx)
{
    return product_part_of(ctx, route, asks, asks_ctx);
}

static bool shows(void *ctx, const struct taxonomy_route *route)
{
    return product_shows(ctx, route);
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
    engine_set_reading(m->engine, &(struct engine_reading){m->reader, read_event, part_of, shows});
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
