/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka indicators import, remove */
#include "cli/indicators.h"

#include <inttypes.h>

#include "base/file.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/rules_library.h"

struct import_context {
    struct settings settings;
    const char *name, *expires, *by;
    enum sigma_level level;
    bool force, dry_run, json;
};

void indicators_tell(const struct indicators *in)
{
    for (uint32_t i = 0; i < in->n_told; i++) cli_diag(&in->told[i], "refused");
    if (in->refused > in->n_told)
        cli_say("%" PRIu32 " more were refused", in->refused - in->n_told);
}

/* ---- the name ---------------------------------------------------------------------------- */

/* The file's, without folder and ending, as far as a list may be called so. */
static bool name_of_file(const char *path, struct library_name *ret)
{
    struct slice file = slice_of(path);
    size_t slash = slice_find_last_byte(file, '/');
    if (slash != SIZE_MAX) file = slice_from(file, slash + 1);
    size_t dot = slice_find_last_byte(file, '.');
    if (dot != SIZE_MAX && dot > 0) file = slice_until(file, dot);
    char name[LIBRARY_NAME_MAX];
    file = slice_until(file, sizeof name);
    for (size_t i = 0; i < file.len; i++)
        name[i] = slice_is_plain(slice_make(file.ptr + i, 1), "._-+") ? file.ptr[i] : '-';
    return library_name_read(slice_make(name, file.len), ret);
}

static int choose_name(const struct import_context *c, const char *path, struct library_name *ret)
{
    if (c->name && !library_name_read(slice_of(c->name), ret))
        return cli_usage("'%.80s' is no name for a list: up to %d of a-z A-Z 0-9 . _ - +", c->name,
                         LIBRARY_NAME_MAX);
    if (!c->name && (strcmp(path, "-") == 0 || !name_of_file(path, ret)))
        return cli_usage("give the list a name with --name");
    return 0;
}

/* ---- import ------------------------------------------------------------------------------ */

struct importing {
    const struct import_context *c;
    struct rules_work *work;
    const char *path;
    struct library_name name, version;
    struct indicators in;
    bool fresh;
};

static void put_counts(struct buf *out, const struct indicators *in)
{
    const char *between = " (";
    for (unsigned k = 0; k < LISTED_KINDS; k++) {
        if (!in->lists[k] || listed_count(in->lists[k]) == 0) continue;
        buf_printf(out, "%s%s %" PRIu32, between, listed_kind_name((enum listed_kind)k),
                   listed_count(in->lists[k]));
        between = ", ";
    }
    buf_puts(out, in->n ? ")" : "");
}

static void put_import(const struct importing *im)
{
    struct buf *out = &im->work->out;
    buf_printf(out, "%s: %" PRIu32 " indicators taken", im->name.text, im->in.n);
    put_counts(out, &im->in);
    buf_printf(out, ", %" PRIu32 " doubled, %" PRIu32 " ended, %" PRIu32 " refused\n",
               im->in.doubled, im->in.ended, im->in.refused);
    if (im->c->dry_run) buf_puts(out, "nothing was kept (--dry-run)\n");
    else if (!im->fresh) buf_puts(out, "that is what is in force already\n");
}

static void put_import_json(const struct importing *im)
{
    struct buf *out = &im->work->out;
    buf_putc(out, '{');
    json_write_member_string(out, "list", slice_of(im->name.text));
    json_write_member_string(out, "version", slice_of(im->version.text));
    json_write_key(out, "kept");
    buf_puts(out, im->c->dry_run ? "false" : "true");
    json_write_key(out, "fresh");
    buf_puts(out, im->fresh ? "true" : "false");
    json_write_member_u64(out, "indicators", im->in.n);
    for (unsigned k = 0; k < LISTED_KINDS; k++)
        json_write_member_u64(out, listed_kind_name((enum listed_kind)k),
                              im->in.lists[k] ? listed_count(im->in.lists[k]) : 0);
    json_write_member_u64(out, "doubled", im->in.doubled);
    json_write_member_u64(out, "ended", im->in.ended);
    json_write_member_u64(out, "refused", im->in.refused);
    json_write_key(out, "refusals");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < im->in.n_told; i++) {
        const struct diag *d = &im->in.told[i];
        buf_puts(out, i ? ",{" : "{");
        json_write_member_u64(out, "line", d->line);
        json_write_member_u64(out, "column", d->column);
        json_write_member_string(out, "why", slice_of(d->message));
        buf_putc(out, '}');
    }
    buf_puts(out, "]}\n");
}

/* A day, a moment, or a span from now. */
static bool read_expires(const char *text, nsec now, nsec *ret)
{
    nsec span;
    if (!text) return true;
    if (!when_parse_span(slice_of(text), &span)) return sigma_until_parse(slice_of(text), ret);
    return !__builtin_add_overflow(now, span, ret);
}

static int read_list(struct importing *im, struct slice text, struct diag *diag)
{
    struct indicators_options options = {.file = im->path,
                                         .now = im->work->now,
                                         .force = im->c->force,
                                         .own = ruleset_own_networks(im->work->placeholders)};
    if (!read_expires(im->c->expires, options.now, &options.expires))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "--expires is a day, a moment or a span (2026-12-31, 30d), not '%.64s'",
                        im->c->expires);
    int error = indicators_read(text, &options, &im->in, diag);
    if (error) return error;
    indicators_tell(&im->in);
    if (im->in.n) return 0;
    indicators_done(&im->in);
    return diag_set(diag, ERR_INVALID, im->path, 0, 0, "no indicator was taken from it");
}

static int keep(struct importing *im, struct diag *diag)
{
    const struct import_context *c = im->c;
    const struct indicators_origin origin = {
        .from = slice_of(im->path),
        .who = slice_of(c->by ? c->by : im->work->who),
        .level = c->level == LEVEL_NONE ? LEVEL_HIGH : c->level,
        .now = im->work->now,
    };
    return indicators_keep(&im->work->library, im->name.text, &im->in, &origin, &im->version,
                           &im->fresh, diag);
}

static int import(struct importing *im, struct slice text)
{
    struct diag diag = {0};
    int error = read_list(im, text, &diag);
    if (error) return rules_work_failed(&diag, error);
    if (!im->c->dry_run) error = keep(im, &diag);
    if (error == 0 && im->c->json) put_import_json(im);
    else if (error == 0) put_import(im);
    indicators_done(&im->in);
    if (error) return rules_work_failed(&diag, error);
    library_unlock(&im->work->library);
    rules_print(&im->work->out);
    (void)fflush(stdout); /* before serve is waited for */
    if (im->fresh) rules_reload(im->work);
    return EXIT_RAN;
}

static int import_run(const struct invocation *in)
{
    const struct import_context *c = in->ctx;
    struct rules_work work;
    struct importing im = {.c = c, .work = &work};
    struct buf text;
    struct diag diag = {0};
    if (in->n_operands != 1) return cli_usage("indicators import wants one file, or -");
    im.path = in->operands[0];
    int status = choose_name(c, im.path, &im.name);
    if (status) return status;
    /* Before root becomes another one. */
    buf_init(&text, INDICATORS_FILE_MAX);
    int error = file_read(im.path, &text, &diag);
    if (error) {
        buf_done(&text);
        return rules_work_failed(&diag, error);
    }
    status = rules_work_enter_folder(&work, &c->settings, RULESET_INDICATORS, !c->dry_run);
    if (status == 0) status = import(&im, buf_slice(&text));
    rules_work_done(&work);
    buf_done(&text);
    return status;
}

/* ---- remove ------------------------------------------------------------------------------ */

static int remove_run(const struct invocation *in)
{
    const struct import_context *c = in->ctx;
    struct rules_work work;
    struct library_name name;
    struct diag diag = {0};
    if (in->n_operands != 1) return cli_usage("indicators remove wants the name of one list");
    if (!library_name_read(slice_of(in->operands[0]), &name))
        return cli_usage("'%.80s' is no name of a list", in->operands[0]);
    int status = rules_work_enter_folder(&work, &c->settings, RULESET_INDICATORS, true);
    if (status == 0) {
        const struct indicators_origin origin = {.who = slice_of(c->by ? c->by : work.who),
                                                 .now = work.now};
        int error = indicators_remove(&work.library, name.text, &origin, &diag);
        library_unlock(&work.library);
        if (error) status = rules_work_failed(&diag, error);
        else rules_reload(&work);
    }
    rules_work_done(&work);
    return status;
}

/* ---- tables ------------------------------------------------------------------------------ */

static const struct cli_option import_options[] = {
    {0, "name", "NAME",
     "What the list is called; one of that name is replaced. Default: the file's name.",
     OPTION_TEXT(struct import_context, name)},
    {0, "expires", "T",
     "When those end that tell no end themselves: a day, which counts, a moment, or a span such as "
     "30d. Without it they never do.",
     OPTION_TEXT(struct import_context, expires)},
    {0, "level", OPTION_LEVELS, "The level of its alerts. Default: high.",
     OPTION_LEVEL(struct import_context, level)},
    {0, "force", NULL,
     "Take what would be met all the time, too: private addresses, large networks, names of one "
     "part; and what MISP says is not to be looked for.",
     OPTION_FLAG(struct import_context, force)},
    {0, "dry-run", NULL, "Only tell what would be taken and what refused.",
     OPTION_FLAG(struct import_context, dry_run)},
    {0, "by", "NAME", "Who imports it; default: the user.", OPTION_TEXT(struct import_context, by)},
    {'f', "format", "text|json", "Lines for people, or one JSON object.",
     OPTION_CHOICE(struct import_context, json)},
    OPTION_SETTINGS(struct import_context),
};
static const struct cli_option remove_options[] = {
    {0, "by", "NAME", "Who removes it; default: the user.", OPTION_TEXT(struct import_context, by)},
    OPTION_SETTINGS(struct import_context),
};

const struct command command_indicators_import = {
    .name = "indicators import",
    .operands = "FILE",
    .summary = "look for addresses, names, URLs and hashes that others warn of",
    .description =
        "Reads a list of indicators: CSV with a header that names a column value and, in any "
        "order, type, description, source and expires (commas, semicolons or tabs between them), "
        "MISP's CSV export among it; or a value a line. Known are IPv4 and IPv6 addresses and "
        "networks, names of hosts (and all below them), URLs, MD5, SHA-1 and SHA-256, and "
        "addresses of mail, also as hxxp://evil[.]example. What cannot be one is refused with its "
        "line and column, and so is what would be met all the time.\n\n"
        "The list is kept as a version of its own in serve.folder/indicators, is in force at once "
        "and replaces the one of that name; a running vaka serve reads it. An alert names the "
        "list, the indicator, its description and its source. Each ends within the quarter of an "
        "hour after its time.\n\n"
        "Exit status: 0 it was imported, though some may have been refused; 1 it was not; 2 the "
        "command line could not be understood.",
    .options = import_options,
    .n_options = sizeof import_options / sizeof *import_options,
    .ctx_size = sizeof(struct import_context),
    .run = import_run,
};

const struct command command_indicators_remove = {
    .name = "indicators remove",
    .operands = "NAME",
    .summary = "look for the indicators of a list no more",
    .description = "Takes a list of indicators out of force and lets a running vaka serve read its "
                   "rules again. Its versions stay in serve.folder/indicators.",
    .options = remove_options,
    .n_options = sizeof remove_options / sizeof *remove_options,
    .ctx_size = sizeof(struct import_context),
    .run = remove_run,
};
