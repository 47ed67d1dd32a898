/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka store ls, cat */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/audited.h"
#include "cli/load.h"
#include "cli/settings.h"
#include "index/keeper.h"
#include "store/fetch.h"
#include "store/journal.h"
#include "store/segment.h"
#include "store/token.h"
#include "store/view.h"

enum {
    O_FROM = OPTION_LONG,
    O_TO,
    NAMES_MAX = 1 << 20,
    LINE_MAX = 16 * 1024 * 1024, /* one record as JSON */
};

struct store_context {
    struct settings settings;
    bool json;
    nsec from, to;
    bool has_from, has_to;
    const char *source, *grep, *purpose;
    uint64_t printed; /* records */
    const struct config *config;
    int folder;
    struct store_io io;
    struct index_keeper indexes;  /* of ls */
    struct buf segments, footers; /* of ls: u64, ascending */
    struct buf line, shown;
    bool terminal;
    int status;
};

static const struct cli_option ls_options[] = {
    {'f', "format", "text|json", "A table, or one JSON object a line.",
     OPTION_CHOICE(struct store_context, json)},
    OPTION_SETTINGS(struct store_context),
};

static const struct cli_option cat_options[] = {
    {O_FROM, "from", "TIME", "Only records that were received at or after this time.", OPTION_CALL},
    {O_TO, "to", "TIME", "Only records that were received before this time.", OPTION_CALL},
    {'s', "source", "TEXT", "Only records whose source has this text in it.",
     OPTION_TEXT(struct store_context, source)},
    {'g', "grep", "TEXT",
     "Only records with this text in their bytes. Whole words between other characters let most of "
     "a "
     "large store be passed over.",
     OPTION_TEXT(struct store_context, grep)},
    {'f', "format", "raw|json", "The bytes as they came, a line each; or with all that is known.",
     OPTION_CHOICE(struct store_context, json)},
    OPTION_PURPOSE(struct store_context),
    OPTION_SETTINGS(struct store_context),
};

static int take_time(const char *option, const char *value, nsec *ret)
{
    return time_parse(slice_of(value), 0, ret) ? 0
                                               : cli_usage("--%s: '%s' is no time", option, value);
}

static int store_option(void *ctx, int letter, const char *value)
{
    struct store_context *c = ctx;
    switch (letter) {
    case O_FROM:
        c->has_from = true;
        return take_time("from", value, &c->from);
    case O_TO:
    default:
        c->has_to = true;
        return take_time("to", value, &c->to);
    }
}

/* ---- the folder -------------------------------------------------------------------------- */

static int on_name(void *ctx, const char *name)
{
    struct store_context *c = ctx;
    uint64_t number;
    struct buf *to = segment_name_read(name, "segment", &number)  ? &c->segments
                     : segment_name_read(name, "footer", &number) ? &c->footers
                                                                  : NULL;
    if (!to) return 0;
    buf_put(to, slice_make(&number, sizeof number));
    return buf_error(to);
}

static int compare(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static size_t count(const struct buf *numbers)
{
    return numbers->len / sizeof(uint64_t);
}

static uint64_t number_at(const struct buf *numbers, size_t i)
{
    uint64_t n;
    memcpy(&n, numbers->ptr + i * sizeof n, sizeof n);
    return n;
}

static int list(struct store_context *c)
{
    struct buf *all[] = {&c->segments, &c->footers};
    int error = c->io.list(c->io.ctx, on_name, c);
    for (size_t i = 0; i < 2 && error == 0; i++)
        if (all[i]->len) qsort(all[i]->ptr, count(all[i]), sizeof(uint64_t), compare);
    return error;
}

static void print(struct store_context *c)
{
    buf_clear(&c->shown);
    if (c->terminal) text_put_lines(&c->shown, buf_slice(&c->line));
    else buf_put(&c->shown, buf_slice(&c->line));
    if (c->shown.len) (void)fwrite(c->shown.ptr, 1, c->shown.len, stdout);
    buf_clear(&c->line);
}

static void complain(struct store_context *c, const char *kind, uint64_t number, int error)
{
    cli_say("%s %" PRIu64 ": %s", kind, number, error_text(error));
    c->status = EXIT_UNREADABLE;
}

/* Opens the folder, runs `work` on it. */
static int work_in(struct store_context *c, const char *path, int (*work)(struct store_context *c))
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        cli_say("%s: %s", path, strerror(errno));
        return EXIT_UNREADABLE;
    }
    c->folder = folder;
    c->io = store_io_system(folder);
    c->terminal = isatty(STDOUT_FILENO);
    buf_init(&c->segments, NAMES_MAX * sizeof(uint64_t));
    buf_init(&c->footers, NAMES_MAX * sizeof(uint64_t));
    buf_init(&c->line, LINE_MAX);
    buf_init(&c->shown, 8 * (size_t)LINE_MAX);
    int error = work(c);
    if (error) cli_say("%s: %s", path, error_text(error));
    buf_done(&c->segments);
    buf_done(&c->footers);
    buf_done(&c->line);
    buf_done(&c->shown);
    (void)close(folder);
    return error ? EXIT_UNREADABLE : c->status;
}

/* ---- ls ---------------------------------------------------------------------------------- */

static void put_time(struct buf *out, const char *key, nsec t)
{
    json_write_key(out, key);
    buf_putc(out, '"');
    time_write_rfc3339(out, t);
    buf_putc(out, '"');
}

static void put_number(struct buf *out, const char *key, uint64_t v)
{
    json_write_key(out, key);
    json_write_u64(out, v);
}

/* What lies between the head and the index and is no block. */
static uint64_t filter_bytes(const struct segment *s)
{
    const struct segment_footer *f = segment_footer_of(s);
    uint64_t n = f->index_at - SEGMENT_HEAD;
    struct segment_block block;
    for (uint32_t i = 0; i < f->blocks; i++) {
        segment_block_of(s, i, &block);
        n -= (uint64_t)block.sizes.meta + block.sizes.data;
    }
    return n;
}

/* `s` is NULL when retention has left no more than the footer. */
static void put_segment(struct store_context *c, const struct segment_footer *f,
                        const struct segment *s, uint64_t size)
{
    bool removed = !s;
    enum index_state state = INDEX_UNFIT;
    uint64_t beside = 0;
    if (s && index_probe(&c->indexes, f->begin, false, &state, &beside) != 0) beside = 0;
    if (c->json) {
        buf_putc(&c->line, '{');
        put_number(&c->line, "begin", f->begin);
        put_number(&c->line, "records", f->records);
        put_number(&c->line, "lost", f->lost);
        put_time(&c->line, "earliest", f->earliest);
        put_time(&c->line, "latest", f->latest);
        put_time(&c->line, "sealed", f->sealed);
        put_number(&c->line, "raw_bytes", f->raw_bytes);
        put_number(&c->line, "bytes", size);
        put_number(&c->line, "blocks", f->blocks);
        if (s) put_number(&c->line, "filter_bytes", filter_bytes(s));
        put_number(&c->line, "index_bytes", f->index_len);
        if (s) {
            json_write_key(&c->line, "index");
            json_write_string(&c->line, slice_of(index_state_name(state)));
            put_number(&c->line, "index_file_bytes", beside);
        }
        json_write_key(&c->line, "removed");
        buf_puts(&c->line, removed ? "true}\n" : "false}\n");
    } else {
        buf_printf(&c->line, "%12" PRIu64 " %10" PRIu64 "  ", f->begin, f->records);
        time_write_rfc3339(&c->line, f->earliest);
        buf_puts(&c->line, "  ");
        time_write_rfc3339(&c->line, f->latest);
        if (removed) buf_puts(&c->line, "  removed\n");
        else
            buf_printf(&c->line, "  %-7s  %" PRIu64 " of %" PRIu64 " bytes\n",
                       index_state_name(state), size, f->raw_bytes);
    }
    print(c);
}

/* Of segments that retention removed; one whose segment is still there was not removed yet. */
static void ls_removed(struct store_context *c)
{
    for (size_t i = 0; i < count(&c->footers); i++) {
        uint64_t begin = number_at(&c->footers, i);
        struct segment_footer footer;
        if (c->segments.len &&
            bsearch(&begin, c->segments.ptr, count(&c->segments), sizeof begin, compare))
            continue;
        int error = segment_footer_load(&c->io, "footer", begin, &footer);
        if (error) complain(c, "footer", begin, error);
        else put_segment(c, &footer, NULL, 0);
    }
}

static int ls(struct store_context *c)
{
    int error = list(c);
    if (error) return error;
    if (!c->json) {
        buf_printf(&c->line, "%12s %10s  %-66s%-9s%s\n", "begin", "records", "received", "index",
                   "size");
        print(c);
    }
    ls_removed(c);
    for (size_t i = 0; i < count(&c->segments); i++) {
        uint64_t begin = number_at(&c->segments, i);
        char name[STORE_NAME_MAX + 1];
        struct segment *s;
        error = segment_open(&c->io, begin, &s);
        if (error) {
            complain(c, "segment", begin, error);
            continue;
        }
        segment_name(name, "segment", begin);
        int file = c->io.open(c->io.ctx, name, STORE_READ);
        int64_t size = file < 0 ? 0 : c->io.size(c->io.ctx, file);
        if (file >= 0) c->io.close(c->io.ctx, file);
        put_segment(c, segment_footer_of(s), s, size > 0 ? (uint64_t)size : 0);
        segment_close(s);
    }
    return 0;
}

/* Which indexes are current is seen by the version of products and taxonomy. */
static int ls_with_indexes(struct store_context *c)
{
    struct ruleset rules;
    struct diag diag;
    if (ruleset_load_without_rules(&rules, c->config, &diag)) {
        cli_diag(&diag, "");
        return ERR_INVALID;
    }
    int fd = openat(c->folder, INDEX_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct store_io folder = store_io_system(fd);
    index_keeper_init(&c->indexes, &c->io, fd < 0 ? NULL : &folder, index_version(&rules));
    int error = ls(c);
    index_keeper_done(&c->indexes);
    if (fd >= 0) (void)close(fd);
    ruleset_done(&rules);
    return error;
}

static int ls_run(const struct invocation *in)
{
    struct store_context *c = in->ctx;
    struct config config;
    const char *path;
    int status = settings_store(&c->settings, in, &config, &path);
    c->config = &config;
    if (status == 0) status = work_in(c, path, ls_with_indexes);
    config_done(&config);
    return status;
}

/* ---- cat --------------------------------------------------------------------------------- */

static void put_record(struct store_context *c, uint64_t seq, const struct record *r)
{
    if (c->grep && slice_find(r->raw, slice_of(c->grep)) == SIZE_MAX) return;
    if (c->json) {
        record_write_json(&c->line, seq, r, false);
        buf_putc(&c->line, '\n');
    } else {
        buf_put(&c->line, r->raw);
        buf_putc(&c->line, '\n');
    }
    c->printed++;
    print(c);
}

static int cat_segment(struct store_context *c, uint64_t begin, const struct segment_query *query)
{
    struct segment *s;
    struct segment_cursor cursor;
    struct record r;
    uint64_t seq;
    int error = segment_open(&c->io, begin, &s);
    if (error) {
        complain(c, "segment", begin, error);
        return 0;
    }
    error = segment_cursor_init(&cursor, s, query);
    while (error == 0) {
        int answer = segment_cursor_next(&cursor, &seq, &r);
        if (answer == 0) break;
        if (answer == 1) put_record(c, seq, &r);
        else if (answer == ERR_CORRUPT) complain(c, "block of sequence number", seq, answer);
        else error = answer;
    }
    segment_cursor_done(&cursor);
    segment_close(s);
    return error;
}

static void cat_batch(struct store_context *c, const struct journal_frame *f, uint64_t from,
                      const struct segment_query *q)
{
    struct batch_iter it;
    struct record r;
    batch_iter_init(&it, &f->batch);
    for (uint64_t seq = f->first; batch_iter_next(&it, &r); seq++)
        if (seq >= from && r.received >= q->from && r.received < q->to &&
            (q->source.len == 0 || slice_find(r.source, q->source) != SIZE_MAX))
            put_record(c, seq, &r);
}

/* Records from `from` on: those before it are sealed. */
static int cat_journal(struct store_context *c, const struct store_view_journal *journal,
                       uint64_t from, const struct segment_query *q)
{
    struct journal_reader reader = {.io = NULL};
    struct journal_frame frame;
    int error = journal_reader_init(&reader, &c->io, journal->file, journal->first);
    while (error == 0) {
        int answer = journal_reader_next(&reader, JOURNAL_ALL, &frame);
        if (answer == 0) break;
        if (answer == 1) cat_batch(c, &frame, from, q);
        else if (answer == ERR_CORRUPT) complain(c, "journal", journal->first, answer);
        else error = answer;
    }
    if (error) complain(c, "journal", journal->first, error);
    journal_reader_done(&reader);
    return 0;
}

static int cat(struct store_context *c)
{
    uint64_t tokens[TOKEN_LITERAL_MAX];
    struct segment_query q = {.from = c->from, .to = c->to, .tokens = tokens};
    struct store_view view;
    int n = c->grep ? token_of_literal(slice_of(c->grep), tokens) : 0;
    if (n < 0) return n;
    q.n_tokens = (uint32_t)n;
    if (c->source) q.source = slice_of(c->source);
    int error = store_view_open(&c->io, &view);
    for (size_t i = 0; i < store_view_segments(&view) && error == 0; i++)
        error = cat_segment(c, store_view_segment(&view, i), &q);
    for (size_t i = 0; i < view.n_journals && error == 0; i++)
        error = cat_journal(c, &view.journals[i], view.sealed, &q);
    store_view_close(&c->io, &view);
    return error;
}

/* What is asked for, as it would be asked again. */
static void put_question(const struct store_context *c, struct buf *out)
{
    if (c->source) buf_printf(out, "--source %s", c->source);
    if (c->grep) buf_printf(out, "%s--grep %s", out->len ? " " : "", c->grep);
}

static int cat_audited(struct store_context *c, const struct config *config, const char *path)
{
    struct audited audited;
    struct diag diag = {0};
    struct buf question;
    buf_init(&question, AUDIT_QUERY_MAX);
    put_question(c, &question);
    const struct audited_look look = {.what = "store cat",
                                      .store = path,
                                      .query = buf_slice(&question),
                                      .purpose = c->purpose,
                                      .from = c->from,
                                      .to = c->to};
    int error = audited_begin(&audited, config, &look, &diag);
    buf_done(&question);
    if (error) {
        cli_say("%s", diag.message);
        return EXIT_UNREADABLE;
    }
    int status = work_in(c, path, cat);
    audited_end(&audited, status == EXIT_RAN ? "whole" : "failed", c->printed);
    return status;
}

static int cat_run(const struct invocation *in)
{
    struct store_context *c = in->ctx;
    struct config config;
    const char *path;
    if (!c->has_to) c->to = INT64_MAX;
    if (!c->has_from) c->from = INT64_MIN;
    if (c->from >= c->to) return cli_usage("--from is not before --to");
    int status = settings_store(&c->settings, in, &config, &path);
    if (status == 0) status = cat_audited(c, &config, path);
    config_done(&config);
    return status;
}

const struct command command_store_ls = {
    .name = "store ls",
    .operands = "[FOLDER]",
    .summary = "list the sealed segments of a tenant's folder",
    .description =
        "Lists the sealed segments of a tenant's folder, by default of the one that vaka serve "
        "keeps: the sequence number each begins "
        "with, its records, the times between which they were received, the state of its index, "
        "and "
        "its size. Those that retention removed come first.\n\nAn index is current when it was "
        "made with the products and the taxonomy of the settings, or for a folder that is named "
        "with those that come with Vaka; else searches read the whole segment.",
    .options = ls_options,
    .n_options = sizeof ls_options / sizeof ls_options[0],
    .ctx_size = sizeof(struct store_context),
    .option = store_option,
    .run = ls_run,
};

const struct command command_store_cat = {
    .name = "store cat",
    .operands = "[FOLDER]",
    .summary = "print stored records",
    .description =
        "Prints the records of a tenant's folder, by default of the one that vaka serve keeps, in "
        "the order in which they were stored, those of "
        "sealed segments and those that wait to be sealed.\n\nA block or frame that is damaged is "
        "named and passed over; the exit status is 1 then.",
    .options = cat_options,
    .n_options = sizeof cat_options / sizeof cat_options[0],
    .ctx_size = sizeof(struct store_context),
    .option = store_option,
    .run = cat_run,
};
