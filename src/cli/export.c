/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka export evidence */
#include "cli/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/audited.h"
#include "store/evidence.h"

struct export_context {
    struct settings settings;
    const char *seq, *reason, *by, *checkpoint, *output;
};

static const struct cli_option export_options[] = {
    {0, "seq", "N[..M]", "The sequence number of the record, or of the first and the last.",
     OPTION_TEXT(struct export_context, seq)},
    {0, "reason", "TEXT", "Why this is exported; it stands in the file.",
     OPTION_TEXT(struct export_context, reason)},
    {0, "by", "NAME", "Who exports it; by default the user's name on this machine.",
     OPTION_TEXT(struct export_context, by)},
    {'C', "checkpoint", "FILE",
     "The signed checkpoint to prove against, by default the folder's newest; one that a witness "
     "has "
     "signed proves more.",
     OPTION_TEXT(struct export_context, checkpoint)},
    {'o', "output", "FILE", "Where to write it; the file must not exist.",
     OPTION_TEXT(struct export_context, output)},
    OPTION_SETTINGS(struct export_context),
};

int export_read_checkpoint(const struct store_io *io, const char *path, uint64_t last,
                           struct buf *out)
{
    struct diag diag = {.file = path};
    if (path) {
        int error = file_read(path, out, &diag);
        if (error) cli_say("%s: %s", path, diag.message);
        return error;
    }
    int error = evidence_read_checkpoint(io, last, out);
    if (error == ERR_NOT_FOUND)
        cli_say("the folder has no checkpoint: there is nothing to prove with");
    else if (error) cli_say("checkpoint: %s", error_text(error));
    return error;
}

int export_write_file(int folder, const char *path, mode_t mode, bool sync, struct slice bytes)
{
    int fd = openat(folder, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    bool good = fd >= 0;
    for (size_t done = 0; good && done < bytes.len;) {
        ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);
        if (n < 0 && errno == EINTR) continue;
        good = n > 0;
        done += good ? (size_t)n : 0;
    }
    if (good && sync) good = fsync(fd) == 0;
    if (!good) cli_say("%s: %s", path, strerror(errno));
    if (fd >= 0) (void)close(fd);
    if (fd >= 0 && !good) (void)unlinkat(folder, path, 0);
    return good ? 0 : ERR_IO;
}

static const char *reason_of(int error)
{
    switch (error) {
    case ERR_NOT_FOUND:
        return "a record is not there: it was removed, or was lost";
    case ERR_INVALID:
        return "the checkpoint is not one of this folder's tree, or does not cover the records yet";
    case ERR_LIMIT:
        return "these are too many records for one file";
    default:
        return error_text(error);
    }
}

static int export_to(const struct store_io *io, const struct evidence_options *options,
                     const char *path)
{
    struct tree_reader *tree;
    struct buf out;
    int error = tree_reader_new(io, &tree);
    if (error) {
        cli_say("the folder cannot be read: %s", error_text(error));
        return EXIT_UNREADABLE;
    }
    buf_init(&out, EVIDENCE_MAX);
    error = evidence_write(&out, tree, options);
    tree_reader_free(tree);
    if (error) cli_say("%s", reason_of(error));
    else error = export_write_file(AT_FDCWD, path, 0600, true, buf_slice(&out));
    buf_done(&out);
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}

static const char *name_of_user(void)
{
    const struct passwd *user = getpwuid(getuid());
    return user ? user->pw_name : "unknown";
}

/* The reason for the file is the purpose, too. */
static int begin_audit(struct audited *a, const struct export_context *c,
                       const struct config *config, const char *path)
{
    struct diag diag = {0};
    const struct audited_look look = {.what = "export evidence",
                                      .store = path,
                                      .query = slice_of(c->seq),
                                      .purpose = c->reason,
                                      .from = INT64_MIN,
                                      .to = INT64_MAX};
    if (audited_begin(a, config, &look, &diag) == 0) return 0;
    cli_say("%s", diag.message);
    return EXIT_UNREADABLE;
}

static int export_from(const struct export_context *c, const struct config *config,
                       const char *path)
{
    struct audited audited;
    struct evidence_options options = {.from = 0};
    struct clock clock = clock_system();
    if (!c->seq || !c->reason || !c->output || !*c->reason)
        return cli_usage("export evidence wants --seq, --reason and --output");
    if (!evidence_read_range(slice_of(c->seq), &options.from, &options.to))
        return cli_usage("--seq wants N or N..M, not '%s'", c->seq);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        cli_say("%s: %s", path, strerror(errno));
        return EXIT_UNREADABLE;
    }
    struct store_io io = store_io_system(folder);
    struct buf checkpoint;
    buf_init(&checkpoint, CHECKPOINT_MAX);
    int status = EXIT_UNREADABLE;
    if (begin_audit(&audited, c, config, path) == 0 &&
        export_read_checkpoint(&io, c->checkpoint, options.to, &checkpoint) == 0) {
        options.checkpoint = buf_slice(&checkpoint);
        options.by = slice_of(c->by ? c->by : name_of_user());
        options.reason = slice_of(c->reason);
        options.now = clock_realtime(&clock);
        status = export_to(&io, &options, c->output);
        audited_end(&audited, status == EXIT_RAN ? "whole" : "failed",
                    status == EXIT_RAN ? options.to - options.from + 1 : 0);
    }
    buf_done(&checkpoint);
    (void)close(folder);
    return status;
}

static int export_run(const struct invocation *in)
{
    const struct export_context *c = in->ctx;
    struct config config;
    const char *path;
    int status = settings_store(&c->settings, in, &config, &path);
    if (status == 0) status = export_from(c, &config, path);
    config_done(&config);
    return status;
}

const struct command command_export_evidence = {
    .name = "export evidence",
    .operands = "[FOLDER]",
    .summary = "write records with the proof that they are what was stored",
    .description =
        "Writes records of a tenant's folder, by default of the one that vaka serve keeps, into "
        "one "
        "JSON file: the bytes as they came with all that was known when they arrived, for each the "
        "proof that it is in the tree that the "
        "checkpoint "
        "signs, who exported it and why, and how to check all that without Vaka.\n\n"
        "It proves that nothing was changed since the records were received, not that their sender "
        "told the truth. 'vaka verify --evidence' checks such a file.",
    .options = export_options,
    .n_options = sizeof export_options / sizeof export_options[0],
    .ctx_size = sizeof(struct export_context),
    .run = export_run,
};
