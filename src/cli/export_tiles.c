/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka export tiles */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/copy.h"
#include "cli/export.h"
#include "cli/settings.h"
#include "store/tile_files.h"

struct tiles_context {
    struct settings settings;
    const char *checkpoint, *output;
    int folder; /* of the output */
};

static const struct cli_option tiles_options[] = {
    {'C', "checkpoint", "FILE",
     "The signed checkpoint whose tree is written, by default the folder's newest.",
     OPTION_TEXT(struct tiles_context, checkpoint)},
    {'o', "output", "FOLDER", "Where to write it; made when it is not there, must be empty.",
     OPTION_TEXT(struct tiles_context, output)},
    OPTION_SETTINGS(struct tiles_context),
};

/* The folders that `path` lies in. */
static int make_folders(int folder, const char *path)
{
    char name[TILE_FILE_NAME_MAX];
    for (const char *at = path; (at = strchr(at, '/')) != NULL; at++) {
        (void)snprintf(name, sizeof name, "%.*s", (int)(at - path), path);
        if (mkdirat(folder, name, 0755) == 0 || errno == EEXIST) continue;
        cli_say("%s: %s", name, strerror(errno));
        return ERR_IO;
    }
    return 0;
}

static int put_file(void *ctx, const char *path, struct slice bytes)
{
    const struct tiles_context *c = ctx;
    int error = make_folders(c->folder, path);
    return error ? error : export_write_file(c->folder, path, 0644, false, bytes);
}

static int write_tiles(struct tiles_context *c, const struct store_io *io, struct slice checkpoint)
{
    struct tree_reader *tree;
    struct tile_files_counts counts = {0};
    int error = tree_reader_new(io, &tree);
    if (error) {
        cli_say("the folder cannot be read: %s", error_text(error));
        return EXIT_UNREADABLE;
    }
    error = tile_files_write(tree, checkpoint, put_file, c, &counts);
    tree_reader_free(tree);
    if (error == 0 && syncfs(c->folder) != 0) error = ERR_IO;
    if (error)
        cli_say("%s: %s", c->output,
                error == ERR_INVALID ? "the checkpoint is not one of this folder's tree"
                                     : error_text(error));
    else
        (void)printf("%" PRIu64 " tiles; %" PRIu64 " left out, whose records were removed\n",
                     counts.tiles, counts.left_out);
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}

static int export_from(struct tiles_context *c, const char *path)
{
    struct buf checkpoint;
    struct diag diag;
    if (!c->output) return cli_usage("export tiles wants --output");
    int from = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (from < 0) {
        cli_say("%s: %s", path, strerror(errno));
        return EXIT_UNREADABLE;
    }
    const struct store_io io = store_io_system(from);
    int status = EXIT_UNREADABLE;
    buf_init(&checkpoint, CHECKPOINT_MAX);
    if (export_read_checkpoint(&io, c->checkpoint, UINT64_MAX, &checkpoint) == 0) {
        c->folder = copy_open_empty(c->output, &diag);
        if (c->folder < 0) cli_say("%s", diag.message);
        else status = write_tiles(c, &io, buf_slice(&checkpoint));
        if (c->folder >= 0) (void)close(c->folder);
    }
    buf_done(&checkpoint);
    (void)close(from);
    return status;
}

static int tiles_run(const struct invocation *in)
{
    struct tiles_context *c = in->ctx;
    struct config config;
    const char *path;
    int status = settings_store(&c->settings, in, &config, &path);
    if (status == 0) status = export_from(c, path);
    config_done(&config);
    return status;
}

const struct command command_export_tiles = {
    .name = "export tiles",
    .operands = "[FOLDER]",
    .summary = "write the tree of all records as files that other tools read",
    .description =
        "Writes the signed checkpoint and the hashes of the tree of a tenant's records, by default "
        "of the ones that vaka serve keeps, as the files of C2SP tlog-tiles: checkpoint, "
        "tile/L/N, and tile/L/N.p/W for those that are not full yet. No record is in them. Any "
        "tool that knows this format can check proofs with them, or that one such tree goes on "
        "from another.\n\n"
        "Tiles of level 0 whose records were removed by retention are left out.",
    .options = tiles_options,
    .n_options = sizeof tiles_options / sizeof tiles_options[0],
    .ctx_size = sizeof(struct tiles_context),
    .run = tiles_run,
};
