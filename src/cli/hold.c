/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka hold add, ls, rm: records that are kept whatever their age. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/settings.h"
#include "store/holds.h"

enum { PATH_SIZE = 4096 };

struct hold_context {
    struct settings settings;
    const char *reason, *by;
    bool json;
    char folder[PATH_SIZE], path[PATH_SIZE];
    struct buf text, out;
};

static const struct cli_option add_options[] = {
    OPTION_SETTINGS(struct hold_context),
    {'r', "reason", "TEXT", "Why they are kept: a case number, a decision.",
     OPTION_TEXT(struct hold_context, reason)},
    {'b', "by", "NAME", "Who says so, without blanks; default: the user.",
     OPTION_TEXT(struct hold_context, by)},
};

static const struct cli_option ls_options[] = {
    OPTION_SETTINGS(struct hold_context),
    {'f', "format", "text|json", "A table, or one JSON object a line.",
     OPTION_CHOICE(struct hold_context, json)},
};

static const struct cli_option rm_options[] = {
    OPTION_SETTINGS(struct hold_context),
    {'b', "by", "NAME", "Who says so, without blanks; default: the user.",
     OPTION_TEXT(struct hold_context, by)},
};

/* ---- the file ---------------------------------------------------------------------------- */

static bool find_file(struct hold_context *c, const struct config *config)
{
    int n =
        config->store_holds.n
            ? snprintf(c->path, sizeof c->path, "%s", config->store_holds.items[0])
            : snprintf(c->path, sizeof c->path, "%s/store/0/holds", config->serve_folder.items[0]);
    if (n < 0 || (size_t)n >= sizeof c->path) return false;
    const char *slash = strrchr(c->path, '/');
    (void)snprintf(c->folder, sizeof c->folder, "%.*s", slash ? (int)(slash - c->path) + 1 : 1,
                   slash ? c->path : ".");
    return true;
}

static bool replace(const struct hold_context *c, int folder)
{
    const char *slash = strrchr(c->path, '/');
    bool good = folder_replace(folder, slash ? slash + 1 : c->path, buf_slice(&c->out)) == 0;
    if (!good) cli_say("%s: %s", c->path, strerror(errno));
    return good;
}

/* The text as it is and all its holds; one that is not there is empty. */
static int read_file(struct hold_context *c, struct buf *holds)
{
    struct diag diag = {0};
    int error = file_read(c->path, &c->text, &diag);
    if (error == ERR_NOT_FOUND) return 0;
    if (error == 0) error = holds_read(c->path, buf_slice(&c->text), holds, &diag);
    if (error) cli_diag(&diag, "nothing was changed");
    return error;
}

/* ---- the commands ------------------------------------------------------------------------ */

static nsec now(void)
{
    const struct clock clock = clock_system();
    return clock_realtime(&clock);
}

static int add(struct hold_context *c, const char *operand)
{
    struct hold hold = {
        .time = now(), .who = slice_of(settings_who(c->by)), .reason = slice_of(c->reason)};
    if (!hold_range_read(slice_of(operand), &hold.range))
        return cli_usage("'%s': sequence numbers are expected, FROM-TO or FROM-", operand);
    buf_put(&c->out, buf_slice(&c->text));
    if (c->out.len && c->out.ptr[c->out.len - 1] != '\n') buf_putc(&c->out, '\n');
    if (hold_write(&c->out, &hold) != 0)
        return cli_usage("the reason or the name is empty, too long, or has control characters");
    return 0;
}

static int lift(struct hold_context *c, const char *operand)
{
    struct retain_hold range;
    size_t n;
    if (!hold_range_read(slice_of(operand), &range))
        return cli_usage("'%s': sequence numbers are expected, FROM-TO or FROM-", operand);
    holds_lift(&c->out, buf_slice(&c->text), &range, now(), slice_of(settings_who(c->by)), &n);
    if (n > 0) return 0;
    cli_say("no hold is of exactly these records; 'vaka hold ls' lists them");
    return EXIT_UNREADABLE;
}

/* One at a time changes the file. */
static int change(struct hold_context *c, const char *operand,
                  int (*edit)(struct hold_context *c, const char *operand))
{
    struct buf holds;
    int folder = open(c->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || flock(folder, LOCK_EX) != 0) {
        cli_say("%s: %s", c->folder, strerror(errno));
        if (folder >= 0) (void)close(folder);
        return EXIT_UNREADABLE;
    }
    buf_init(&holds, HOLDS_MAX * sizeof(struct hold));
    int status = read_file(c, &holds) ? EXIT_UNREADABLE : edit(c, operand);
    if (status == 0 && (buf_failed(&c->out) || !replace(c, folder))) status = EXIT_UNREADABLE;
    buf_done(&holds);
    (void)close(folder);
    return status;
}

static void put_hold(struct hold_context *c, const struct hold *h)
{
    if (c->json) {
        hold_write_json(&c->out, h);
    } else {
        hold_range_write(&c->out, &h->range);
        buf_putc(&c->out, ' ');
        time_write_rfc3339(&c->out, h->time);
        buf_putc(&c->out, ' ');
        (void)text_put_visible(&c->out, h->who, SIZE_MAX);
        buf_putc(&c->out, ' ');
        (void)text_put_visible(&c->out, h->reason, SIZE_MAX);
    }
    buf_putc(&c->out, '\n');
}

static int list(struct hold_context *c)
{
    struct buf holds;
    buf_init(&holds, HOLDS_MAX * sizeof(struct hold));
    int error = read_file(c, &holds);
    for (size_t at = 0; at < holds.len && error == 0; at += sizeof(struct hold)) {
        struct hold hold;
        memcpy(&hold, holds.ptr + at, sizeof hold);
        put_hold(c, &hold);
    }
    if (error == 0 && c->out.len) (void)fwrite(c->out.ptr, 1, c->out.len, stdout);
    buf_done(&holds);
    return error ? EXIT_UNREADABLE : 0;
}

/* edit: NULL lists. */
static int with_file(const struct invocation *in,
                     int (*edit)(struct hold_context *c, const char *operand))
{
    struct hold_context *c = in->ctx;
    struct config config;
    if (in->n_operands != (edit ? 1 : 0))
        return cli_usage(edit ? "%s wants one range of records" : "%s takes no operands",
                         in->command->name);
    int status = settings_load(&c->settings, &config, NULL);
    buf_init(&c->text, HOLDS_FILE_MAX);
    buf_init(&c->out, 8 * (size_t)HOLDS_FILE_MAX);
    if (status == 0 && !find_file(c, &config)) {
        cli_say("store.holds is too long");
        status = EXIT_USAGE;
    }
    if (status == 0) status = edit ? change(c, in->operands[0], edit) : list(c);
    buf_done(&c->text);
    buf_done(&c->out);
    config_done(&config);
    return status;
}

static int add_run(const struct invocation *in)
{
    const struct hold_context *c = in->ctx;
    if (!c->reason) return cli_usage("hold add wants a reason (--reason)");
    return with_file(in, add);
}

static int ls_run(const struct invocation *in)
{
    return with_file(in, NULL);
}

static int rm_run(const struct invocation *in)
{
    return with_file(in, lift);
}

const struct command command_hold_add = {
    .name = "hold add",
    .operands = "FROM-TO",
    .summary = "keep records whatever their age",
    .description =
        "Writes into the file of holds (store.holds) that the records with these sequence numbers "
        "are not to be removed by retention; FROM- is all from there on. Whole segments stay. A "
        "running vaka serve reads the file before it removes anything.",
    .options = add_options,
    .n_options = sizeof add_options / sizeof *add_options,
    .ctx_size = sizeof(struct hold_context),
    .run = add_run,
};

const struct command command_hold_ls = {
    .name = "hold ls",
    .operands = "",
    .summary = "list the records that are held",
    .description = "Lists what vaka hold add wrote: the sequence numbers, when, by whom, and why.",
    .options = ls_options,
    .n_options = sizeof ls_options / sizeof *ls_options,
    .ctx_size = sizeof(struct hold_context),
    .run = ls_run,
};

const struct command command_hold_rm = {
    .name = "hold rm",
    .operands = "FROM-TO",
    .summary = "lift a hold",
    .description =
        "Lifts the holds of exactly these sequence numbers, as vaka hold ls prints them. The line "
        "stays in the file as a comment that says who lifted it and when.",
    .options = rm_options,
    .n_options = sizeof rm_options / sizeof *rm_options,
    .ctx_size = sizeof(struct hold_context),
    .run = rm_run,
};
