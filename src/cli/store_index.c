/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka store index: what searches pass blocks over by, made at once. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/apart.h"
#include "cli/load.h"
#include "cli/settings.h"
#include "hunt/progress.h"
#include "index/keeper.h"
#include "proc/sandbox.h"
#include "scan/scan.h"

struct index_context {
    struct settings settings;
    bool all;
};

static const struct cli_option options[] = {
    {0, "all", NULL, "Make every index anew, also those that are current.",
     OPTION_FLAG(struct index_context, all)},
    OPTION_SETTINGS(struct index_context),
};

struct work {
    const struct index_context *said;
    struct config config;
    struct ruleset rules;
    const char *path;
    int store_fd, folder_fd;
    struct store_io store, folder;
    struct slice fields[CELLS_FIELDS_MAX];
    struct index_maker *maker;
    struct index_keeper keeper;
    struct clock clock;
    struct progress progress;
    uint64_t bytes, bytes_total; /* of raw records */
    uint64_t made, made_bytes, failed;
};

static int fail(const char *what, const char *why)
{
    cli_say("%s: %s", what, why);
    return EXIT_UNREADABLE;
}

/* ---- before any record is read ----------------------------------------------------------- */

static int open_folders(struct work *w)
{
    struct stat store;
    w->store_fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->store_fd < 0) return fail(w->path, strerror(errno));
    bool made = mkdirat(w->store_fd, INDEX_FOLDER, 0700) == 0;
    if (!made && errno != EEXIST) return fail(w->path, strerror(errno));
    /* Of whoever keeps the records, also when it is root who asks. */
    if (made && (fstat(w->store_fd, &store) != 0 ||
                 fchownat(w->store_fd, INDEX_FOLDER, store.st_uid, store.st_gid, 0) != 0))
        return fail(w->path, strerror(errno));
    w->folder_fd = openat(w->store_fd, INDEX_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->folder_fd < 0) return fail(w->path, strerror(errno));
    w->store = store_io_system(w->store_fd);
    w->folder = store_io_system(w->folder_fd);
    return 0;
}

/* Records come from outside: who reads them can reach nothing but them and the indexes. */
static int enter_sandbox(struct work *w)
{
    const char *folder = arena_printf(&w->config.arena, "%s/" INDEX_FOLDER, w->path);
    const struct sandbox_files files = {
        .paths = &w->path, .n_paths = 1, .folders = &folder, .n_folders = 1};
    if (!folder) return fail(w->path, error_text(ERR_NOMEM));
    int error = sandbox_enter(SANDBOX_INDEXER, &files, NULL);
    return error ? fail("the sandbox", error_text(error)) : 0;
}

static void begin_progress(struct work *w)
{
    struct winsize size = {.ws_col = 0};
    bool terminal = isatty(STDERR_FILENO) && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
    progress_init(&w->progress, terminal ? STDERR_FILENO : -1, size.ws_col,
                  clock_monotonic(&w->clock));
}

static int prepare(struct work *w, const struct invocation *in)
{
    struct diag diag;
    const struct invocation own = {.command = in->command};
    if (in->n_operands > 1) {
        config_init(&w->config);
        return cli_usage("store index takes one folder");
    }
    int status = settings_store(&w->said->settings, &own, &w->config, &w->path);
    if (status) return status;
    if (in->n_operands) w->path = in->operands[0];
    if (ruleset_load_without_rules(&w->rules, &w->config, &diag)) {
        cli_diag(&diag, "");
        return EXIT_USAGE;
    }
    status = open_folders(w);
    uint32_t fields = cells_fields(w->fields);
    if (status == 0 && index_maker_new(&w->rules, w->fields, fields, &w->maker) != 0)
        status = fail(w->path, error_text(ERR_NOMEM));
    if (status) return status;
    begin_progress(w);
    cli_work_apart(&w->config);
    return enter_sandbox(w);
}

/* ---- making ------------------------------------------------------------------------------ */

static void show_progress(struct work *w)
{
    char text[160];
    nsec now = clock_monotonic(&w->clock);
    uint64_t bytes = w->bytes + index_maker_bytes(w->maker);
    double part = w->bytes_total ? (double)bytes / (double)w->bytes_total : 1;
    if (!progress_is_due(&w->progress, now)) return;
    int n = snprintf(text, sizeof text, "%3.0f %% indexed: %" PRIu64 " of %" PRIu64 " MiB",
                     part * 100, bytes >> 20, w->bytes_total >> 20);
    progress_show_text(&w->progress, slice_make(text, (size_t)n), now);
}

static int make(struct work *w, uint64_t begin)
{
    uint64_t bytes;
    int error = index_lock(w->folder_fd, true);
    if (error == 0) error = index_maker_begin(w->maker, &w->store, begin);
    for (int more = 1; error == 0 && more > 0;) {
        more = index_maker_step(w->maker);
        error = more < 0 ? more : 0;
        show_progress(w);
    }
    if (error == 0) error = index_maker_finish(w->maker, &w->folder, &bytes);
    index_unlock(w->folder_fd);
    if (error) return error;
    w->bytes += index_maker_bytes(w->maker);
    w->made_bytes += bytes;
    w->made++;
    return 0;
}

/* Those that are not current, or all, are to be made. */
static int look(struct work *w)
{
    struct segment_footer footer;
    int error = index_keeper_look(&w->keeper);
    uint64_t begin, bytes;
    for (size_t i = 0; error == 0 && index_keeper_at(&w->keeper, i, &begin); i++) {
        enum index_state state = INDEX_STALE;
        error = index_probe(&w->keeper, begin, true, &state, &bytes);
        if (w->said->all && state == INDEX_CURRENT) state = INDEX_STALE;
        index_keeper_note(&w->keeper, begin, state);
        bool wanted = state != INDEX_CURRENT && state != INDEX_UNFIT;
        if (wanted && segment_footer_load(&w->store, "segment", begin, &footer) == 0)
            w->bytes_total += footer.raw_bytes;
    }
    return error;
}

static int make_all(struct work *w)
{
    uint64_t begin;
    index_keeper_init(&w->keeper, &w->store, &w->folder, index_version(&w->rules));
    int error = look(w);
    while (error == 0 && index_keeper_next(&w->keeper, &begin)) {
        error = make(w, begin);
        index_keeper_note(&w->keeper, begin, error ? INDEX_LEFT : INDEX_CURRENT);
        if (error == 0 || error == ERR_NOT_FOUND) {
            error = 0;
            continue;
        }
        progress_clear(&w->progress);
        cli_say("the segment %" PRIu64 ": %s", begin, error_text(error));
        w->failed++;
        if (error != ERR_ACCESS && error != ERR_NOMEM) error = 0;
    }
    progress_clear(&w->progress);
    return error;
}

static void tell(const struct work *w)
{
    uint64_t n[INDEX_STATES], all = 0;
    index_keeper_count(&w->keeper, n);
    for (unsigned i = 0; i < INDEX_STATES; i++) all += n[i];
    (void)printf("%" PRIu64 " of %" PRIu64 " segments indexed, %" PRIu64 " now", n[INDEX_CURRENT],
                 all, w->made);
    if (w->made)
        (void)printf(": %.2f %% of %" PRIu64 " MiB",
                     w->bytes ? 100.0 * (double)w->made_bytes / (double)w->bytes : 0,
                     w->bytes >> 20);
    (void)printf("\n");
}

static int run(const struct invocation *in)
{
    struct work w = {.said = in->ctx, .store_fd = -1, .folder_fd = -1, .clock = clock_system()};
    int status = prepare(&w, in);
    if (status == 0) {
        int error = make_all(&w);
        if (error && !w.failed) cli_say("%s: %s", w.path, error_text(error));
        else tell(&w);
        status = error || w.failed ? EXIT_UNREADABLE : EXIT_RAN;
        index_keeper_done(&w.keeper);
    }
    index_maker_free(w.maker);
    if (w.store_fd >= 0) (void)close(w.store_fd);
    if (w.folder_fd >= 0) (void)close(w.folder_fd);
    if (w.rules.set) ruleset_done(&w.rules);
    config_done(&w.config);
    return status;
}

const struct command command_store_index = {
    .name = "store index",
    .operands = "[FOLDER]",
    .summary = "index stored records for searches",
    .description =
        "Makes the indexes by which searches pass over blocks that have nothing of what is asked, "
        "for the sealed segments of a tenant's folder, by default of the one that vaka serve "
        "keeps, the newest first. vaka serve does that by itself in the background, and again "
        "when products or taxonomy have changed; this does it at once.\n\nIt says how many "
        "segments have a current index, and how large the new ones are beside the raw records. "
        "The exit status is 1 when one could not be made.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .ctx_size = sizeof(struct index_context),
    .run = run,
};
