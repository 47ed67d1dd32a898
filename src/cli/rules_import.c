/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka rules import, versions, diff */
#include <inttypes.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/rules_library.h"
#include "library/lines.h"

struct import_context {
    struct settings settings;
    const char *name, *profile, *by;
    bool json, dry_run, text;
};

/* ---- import ------------------------------------------------------------------------------ */

struct importing {
    struct rules_work *work;
    const struct import_context *c;
    const char *from;
    struct arena arena; /* of the profile */
    struct library_import it;
    struct library_name set;
};

static void put_refusals(struct buf *out, const struct library_import *it)
{
    const struct sigma_set *set = it->catalog.set;
    for (uint32_t i = 0; i < it->pack->n_refusals; i++) {
        buf_put(out, it->pack->refusals[i].path);
        buf_printf(out, ": refused: %s\n", it->pack->refusals[i].why);
    }
    for (uint32_t i = 0; i < set->n_refusals; i++) {
        const struct diag *d = &set->refusals[i].diag;
        if (set->refusals[i].warning) continue;
        buf_puts(out, d->file ? d->file : "?");
        if (d->line) buf_printf(out, ":%" PRIu32 ":%" PRIu32, d->line, d->column);
        buf_printf(out, ": refused: %s\n", d->message);
    }
}

/* How many rules each of the built-in profiles would switch on. */
static void put_profiles(struct importing *im)
{
    struct buf *out = &im->work->out;
    struct profile profile;
    struct diag diag;
    const char *name;
    buf_puts(out, "  built-in profiles:");
    for (uint32_t i = 0; (name = profile_builtin(i)); i++) {
        if (profile_load(&profile, &im->arena, name, &diag) != 0) continue;
        buf_printf(out, "%s %s %" PRIu32, i ? "," : "", name,
                   catalog_count_taken(&im->it.catalog, &profile));
    }
    buf_putc(out, '\n');
}

static void put_import(struct importing *im)
{
    struct buf *out = &im->work->out;
    const struct library_import *it = &im->it;
    uint32_t on = catalog_count_on(&it->catalog);
    put_refusals(out, it);
    buf_printf(out, "%s %s%s\n", it->set.text, it->version.text,
               im->c->dry_run ? ": nothing was kept (--dry-run)"
               : it->fresh    ? ""
                              : ": it was there already");
    buf_printf(out,
               "  %" PRIu32 " rules in %" PRIu32 " files, %" PRIu32 " refused; by the profile %.*s "
               "%" PRIu32 " are on and %" PRIu32 " off\n",
               it->catalog.n, it->pack->n, library_import_refused(it), SLICE_FMT(it->profile->name),
               on, it->catalog.n - on);
    put_profiles(im);
    if (it->has_before) buf_printf(out, "  from %s: ", it->before.version.text);
    else buf_puts(out, "  the first of this name: ");
    rules_put_counts(out, &it->changes);
    if (!im->c->dry_run)
        buf_printf(out,
                   "What it would have found: vaka rules noise %s %s\n"
                   "Switch it on: vaka rules use %s %s\n",
                   it->set.text, it->version.text, it->set.text, it->version.text);
}

/* With pack and profile read. */
static int import_understood(struct importing *im, const struct pack *pack,
                             const struct profile *profile, struct diag *diag)
{
    struct rules_work *w = im->work;
    const struct library_change change = {.who = slice_of(im->c->by ? im->c->by : w->who),
                                          .now = w->now};
    int error = library_import_make(&im->it, &w->library, w->placeholders, &im->set, pack, profile,
                                    im->from, diag);
    if (error) return error;
    if (!im->c->dry_run) error = library_import_keep(&im->it, &w->library, im->from, &change, diag);
    if (error == 0 && im->c->json) {
        library_import_write(&w->out, &im->it, UINT32_MAX);
        buf_putc(&w->out, '\n');
    } else if (error == 0) {
        put_import(im);
    }
    library_import_done(&im->it);
    return error;
}

static int import_pack(struct importing *im, struct diag *diag)
{
    struct profile profile;
    struct pack pack;
    int error =
        profile_load(&profile, &im->arena, im->c->profile ? im->c->profile : "default", diag);
    if (error) return error;
    error = pack_read(&pack, im->from, diag);
    if (error) return error;
    /* Its bytes are read; what they mean is not for root to find out. */
    error = library_drop_root(&im->work->library, diag);
    if (error == 0) error = import_understood(im, &pack, &profile, diag);
    pack_done(&pack);
    return error;
}

static int import_run(const struct invocation *in)
{
    const struct import_context *c = in->ctx;
    struct rules_work work;
    struct diag diag = {0};
    if (in->n_operands != 1) return cli_usage("rules import wants one folder or zip");
    struct importing im = {.work = &work, .c = c, .from = in->operands[0]};
    if (!library_name_read(slice_of(c->name ? c->name : RULES_SET_DEFAULT), &im.set))
        return cli_usage("--name wants 1 to %d of a-z A-Z 0-9 . _ - +, not '%s'", LIBRARY_NAME_MAX,
                         c->name);
    int status = rules_work_init(&work, &c->settings, !c->dry_run);
    arena_init(&im.arena, 4 * 1024 * 1024);
    if (status == 0) {
        int error = import_pack(&im, &diag);
        if (error) status = rules_work_failed(&diag, error);
    }
    rules_print(&work.out);
    arena_done(&im.arena);
    rules_work_done(&work);
    return status;
}

/* ---- versions ---------------------------------------------------------------------------- */

static void put_version(struct rules_work *w, const struct import_context *c, struct slice about,
                        bool current)
{
    struct buf *out = &w->out;
    if (c->json) {
        struct slice object = slice_trim(about);
        if (object.len < 2) return;
        buf_put(out, slice_until(object, object.len - 1));
        buf_printf(out, ",\"current\":%s}\n", current ? "true" : "false");
        return;
    }
    buf_puts(out, current ? "* " : "  ");
    text_put_padded(out, json_member_text(about, "set"), 12);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(about, "version"), 32);
    buf_printf(out, " %6" PRIu64 " of %6" PRIu64 " on  ", json_member_u64(about, "on"),
               json_member_u64(about, "rules"));
    text_put_padded(out, json_member_text(about, "profile"), 10);
    buf_putc(out, ' ');
    (void)text_put_visible(
        out, slice_until(json_member_text(about, "imported"), strlen("2026-11-26")), 10);
    buf_puts(out, "  ");
    (void)text_put_visible(out, json_member_text(about, "by"), 32);
    buf_putc(out, '\n');
}

static int put_versions(struct rules_work *w, const struct import_context *c, const char *set,
                        struct diag *diag)
{
    struct library_list versions;
    struct library_name current = {""};
    struct buf about;
    int error = library_versions(&w->library, set, &versions, diag);
    bool any = library_current(&w->library, set, &current);
    buf_init(&about, 64 * 1024);
    for (uint32_t i = 0; i < versions.n && error == 0; i++) {
        const char *version = versions.items[i].text;
        buf_clear(&about);
        error = library_about(&w->library, set, version, &about, diag);
        if (error == 0)
            put_version(w, c, buf_slice(&about), any && strcmp(version, current.text) == 0);
    }
    buf_done(&about);
    library_list_done(&versions);
    return error;
}

static int versions_run(const struct invocation *in)
{
    const struct import_context *c = in->ctx;
    struct rules_work work;
    struct library_list sets = {0};
    struct diag diag = {0};
    if (in->n_operands > 1) return cli_usage("rules versions takes one name");
    int status = rules_work_enter(&work, &c->settings, false);
    int error = status ? 0 : library_sets(&work.library, &sets, &diag);
    for (uint32_t i = 0; i < sets.n && error == 0; i++)
        if (in->n_operands == 0 || strcmp(in->operands[0], sets.items[i].text) == 0)
            error = put_versions(&work, c, sets.items[i].text, &diag);
    if (error) status = rules_work_failed(&diag, error);
    library_list_done(&sets);
    rules_print(&work.out);
    rules_work_done(&work);
    return status;
}

/* ---- diff -------------------------------------------------------------------------------- */

static const char *switched(const struct difference *d)
{
    if (!d->switched) return d->new && d->new->on ? "on" : d->old && d->old->on ? "on" : "off";
    return d->new && d->new->on ? "off > on" : "on > off";
}

static void put_difference(struct buf *out, const struct difference *d)
{
    const struct catalog_rule *r = d->new ? d->new : d->old;
    const char *name;
    struct slice old, new;
    buf_printf(out, "%-9s %-8s ", difference_name(d->kind), switched(d));
    text_put_padded(out, slice_of(sigma_level_name(r->doc->level)), 13);
    buf_putc(out, ' ');
    (void)text_put_visible(out, r->doc->title, 200);
    buf_puts(out, "\n          ");
    (void)text_put_visible(out, r->key, 200);
    for (unsigned part = 0; (part = difference_part(d, part, &name, &old, &new)) != 0;) {
        buf_printf(out, "\n          %s: ", name);
        (void)text_put_visible(out, old, 100);
        buf_puts(out, " > ");
        (void)text_put_visible(out, new, 100);
    }
    buf_putc(out, '\n');
}

/* What was written before and is now; of files with several rules all of it. */
static int put_text(struct buf *out, const struct library_version *old,
                    const struct library_version *new, const struct difference *d)
{
    int error = lines_write_difference(out, "          ", old->pack.files[d->old->file].text,
                                       new->pack.files[d->new->file].text);
    if (error == ERR_LIMIT) buf_puts(out, "          (too many lines differ)\n");
    return error == ERR_LIMIT ? 0 : error;
}

static int put_differences(struct rules_work *w, const struct import_context *c,
                           const struct library_version *old, const struct library_version *new)
{
    struct differences d;
    int error = difference_make(&d, &old->catalog, &new->catalog);
    if (error) return error;
    for (uint32_t i = 0; i < d.n && error == 0; i++) {
        const struct difference *item = &d.items[i];
        if (c->json) difference_write(&w->out, item);
        else put_difference(&w->out, item);
        if (c->json) buf_putc(&w->out, '\n');
        if (c->text && !c->json && item->old && item->new)
            error = put_text(&w->out, old, new, item);
        rules_print(&w->out);
    }
    if (!c->json && error == 0) {
        buf_printf(&w->out, "%s from %s to %s: ", new->set.text, old->version.text,
                   new->version.text);
        rules_put_counts(&w->out, &d);
    }
    difference_done(&d);
    return error;
}

static int diff(struct rules_work *w, const struct import_context *c, const char *old,
                const char *new, struct diag *diag)
{
    struct library_name set, names[2];
    struct library_version a, b;
    if (!c->name && !rules_set_default(w, &set))
        return diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "of which set? Name it with --name");
    const char *name = c->name ? c->name : set.text;
    int error = library_version_pair(&w->library, name, &old, &new, names, diag);
    if (error == 0) error = rules_version_read(w, name, old, &a, diag);
    if (error) return error;
    error = rules_version_read(w, name, new, &b, diag);
    if (error == 0) {
        error = put_differences(w, c, &a, &b);
        library_version_done(&b);
    }
    library_version_done(&a);
    return error;
}

static int diff_run(const struct invocation *in)
{
    const struct import_context *c = in->ctx;
    struct rules_work work;
    struct diag diag = {0};
    if (in->n_operands > 2) return cli_usage("rules diff takes two versions");
    int status = rules_work_enter(&work, &c->settings, false);
    if (status == 0) {
        int error = diff(&work, c, in->n_operands > 0 ? in->operands[0] : NULL,
                         in->n_operands > 1 ? in->operands[1] : NULL, &diag);
        if (error) status = rules_work_failed(&diag, error);
    }
    rules_print(&work.out);
    rules_work_done(&work);
    return status;
}

/* ---- tables ------------------------------------------------------------------------------ */

static const struct cli_option import_options[] = {
    {0, "name", "NAME", "What the set is called. Default: sigmahq.",
     OPTION_TEXT(struct import_context, name)},
    {0, "profile", "FILE",
     "Which rules are switched on: default (status stable and test, level high and critical), all, "
     "or a file of your own. Default: default.",
     OPTION_TEXT(struct import_context, profile)},
    {0, "dry-run", NULL, "Tell what would be imported, and keep nothing.",
     OPTION_FLAG(struct import_context, dry_run)},
    {0, "by", "NAME", "Who says so; default: the user.", OPTION_TEXT(struct import_context, by)},
    {'f', "format", "text|json", "Lines for people, or one JSON object.",
     OPTION_CHOICE(struct import_context, json)},
    OPTION_SETTINGS(struct import_context),
};
static const struct cli_option versions_options[] = {
    {'f', "format", "text|json", "Lines for people, or one JSON object a line.",
     OPTION_CHOICE(struct import_context, json)},
    OPTION_SETTINGS(struct import_context),
};
static const struct cli_option diff_options[] = {
    {0, "name", "NAME", "Of which set. Default: the only one, or sigmahq.",
     OPTION_TEXT(struct import_context, name)},
    {0, "text", NULL, "Show the lines, too, that differ.",
     OPTION_FLAG(struct import_context, text)},
    {'f', "format", "text|json", "Lines for people, or one JSON object a line.",
     OPTION_CHOICE(struct import_context, json)},
    OPTION_SETTINGS(struct import_context),
};

const struct command command_rules_import = {
    .name = "rules import",
    .operands = "FOLDER|ZIP",
    .summary = "take in rules that others made, as a version that is kept",
    .description =
        "Reads rules in the layout of SigmaHQ's releases (folders rules, rules-..., deprecated, "
        "unsupported) from a folder or a zip, refuses what cannot be used with its place, and "
        "keeps "
        "the rest as a version of its own in serve.folder/rules. A profile decides which of its "
        "rules are switched on; nothing is in force before 'vaka rules use'.\n\n"
        "Exit status: 0 it was imported, though rules may have been refused; 1 it was not; 2 the "
        "command line could not be understood.",
    .options = import_options,
    .n_options = sizeof import_options / sizeof *import_options,
    .ctx_size = sizeof(struct import_context),
    .run = import_run,
};

const struct command command_rules_versions = {
    .name = "rules versions",
    .operands = "[NAME]",
    .summary = "list what was imported, and what of it is in force",
    .description =
        "Lists the versions of every set that was imported, the oldest import first: how "
        "many rules it has and how many are switched on, by which profile, when it was "
        "imported and by whom. A star marks what is in force.",
    .options = versions_options,
    .n_options = sizeof versions_options / sizeof *versions_options,
    .ctx_size = sizeof(struct import_context),
    .run = versions_run,
};

const struct command command_rules_diff = {
    .name = "rules diff",
    .operands = "[OLD [NEW]]",
    .summary = "tell what became of each rule between two versions",
    .description =
        "Compares two versions rule by rule, by their ids: new, removed, with other logic (they "
        "may "
        "fire on other events), with other metadata (level, status, title, place, description; or "
        "only comments and references), switched (nothing but that it is on or off). Without OLD, "
        "what is in "
        "force (or was imported before); without NEW, what was imported last.",
    .options = diff_options,
    .n_options = sizeof diff_options / sizeof *diff_options,
    .ctx_size = sizeof(struct import_context),
    .run = diff_run,
};
