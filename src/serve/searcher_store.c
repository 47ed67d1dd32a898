/* SPDX-License-Identifier: EUPL-1.2 */
/* Single records of the store for somebody at the API, and the verification of all of them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "serve/searcher_work.h"
#include "store/evidence.h"
#include "store/fetch.h"
#include "verify/show.h"

enum { LOG_KEYS_MAX = 128, WITNESSES_MAX = 8, FINDINGS_MAX = 1000, END_MAX = 16 * 1024 };

static int open_store(const struct searcher_work *w)
{
    return open(w->s->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int refuse(struct searcher_work *w, unsigned status, const char *why)
{
    return searcher_end(w, status, 0, slice_of(why));
}

/* ---- records ----------------------------------------------------------------------------- */

struct showing {
    struct searcher_work *work;
    bool bytes;
};

static void put_record(void *ctx, uint64_t seq, const struct record *r)
{
    const struct showing *s = ctx;
    buf_puts(&s->work->lines, "{\"record\":");
    record_write_json(&s->work->lines, seq, r, s->bytes);
    buf_puts(&s->work->lines, "}\n");
}

/* The query: numbers, and `bytes` when those are wanted as they are as well. */
static int put_records(struct searcher_work *w, const struct store_io *io, uint64_t *ret_n)
{
    struct slice rest = w->s->query, word;
    struct showing s = {.work = w, .bytes = slice_ends_with(rest, SLICE(" bytes"))};
    uint64_t seq;
    int error = 0;
    for (bool more = true; more && error == 0;) {
        more = slice_split(rest, ' ', &word, &rest);
        if (!slice_to_u64(word, &seq)) continue;
        error = store_fetch(io, seq, put_record, &s);
        *ret_n += error == 0;
    }
    return error ? error : buf_error(&w->lines);
}

int searcher_record(struct searcher_work *w)
{
    static const struct slice end = SLICE("{\"end\":{\"how\":\"whole\"}}\n");
    uint64_t n = 0;
    int fd = open_store(w);
    if (fd < 0) return refuse(w, 503, strerror(errno));
    const struct store_io io = store_io_system(fd);
    int error = put_records(w, &io, &n);
    (void)close(fd);
    if (error == ERR_NOT_FOUND) return refuse(w, 404, "the record is not in the store any more");
    if (error) return refuse(w, 503, error_text(error));
    error = searcher_send(w);
    return error ? error : searcher_end(w, 200, n, end);
}

/* ---- evidence ---------------------------------------------------------------------------- */

static int write_evidence(const struct searcher *s, const struct store_io *io, struct buf *out)
{
    struct evidence_options options = {
        .by = s->name, .reason = s->purpose, .now = clock_realtime(s->clock)};
    struct tree_reader *tree;
    struct buf checkpoint;
    if (!evidence_read_range(s->query, &options.from, &options.to)) return ERR_INVALID;
    buf_init(&checkpoint, CHECKPOINT_MAX);
    int error = evidence_read_checkpoint(io, options.to, &checkpoint);
    if (error == ERR_NOT_FOUND) error = ERR_INVALID;
    if (error == 0) error = tree_reader_new(io, &tree);
    if (error == 0) {
        options.checkpoint = buf_slice(&checkpoint);
        error = evidence_write(out, tree, &options);
        tree_reader_free(tree);
    }
    buf_done(&checkpoint);
    return error;
}

static void ignore(void *ctx, uint64_t seq, const struct record *r)
{
    (void)ctx;
    (void)seq;
    (void)r;
}

/* No checkpoint has the last record: in a moment one has it, or there is no such record. */
static int missing(const struct searcher *s, const struct store_io *io)
{
    uint64_t from, to;
    bool good = evidence_read_range(s->query, &from, &to);
    return good && store_fetch(io, to, ignore, NULL) == ERR_NOT_FOUND ? ERR_NOT_FOUND : ERR_INVALID;
}

/* All of it is there before the first piece goes out: half of it proves nothing. */
int searcher_evidence(struct searcher_work *w)
{
    uint64_t from, to;
    struct buf out;
    int fd = open_store(w);
    if (fd < 0) return refuse(w, 503, strerror(errno));
    const struct store_io io = store_io_system(fd);
    buf_init(&out, EVIDENCE_MAX);
    int error = write_evidence(w->s, &io, &out);
    if (error == ERR_INVALID) error = missing(w->s, &io);
    (void)close(fd);
    if (error == 0) error = searcher_pass(w, buf_slice(&out));
    buf_done(&out);
    if (w->error) return w->error;
    if (error == ERR_NOT_FOUND)
        return refuse(w, 404, "a record is not there: it was removed, or was lost");
    if (error == ERR_LIMIT) return refuse(w, 400, "these are too many records at once");
    if (error == ERR_INVALID)
        return refuse(w, 503, "no signed checkpoint has all of these records yet");
    if (error) return refuse(w, 503, error_text(error));
    (void)evidence_read_range(w->s->query, &from, &to);
    return searcher_end(w, 200, to - from + 1, SLICE_NONE);
}

/* ---- verification ------------------------------------------------------------------------ */

struct keys {
    struct verify_key log[LOG_KEYS_MAX], witnesses[WITNESSES_MAX];
    size_t n_log, n_witnesses;
};

/* Keys of the log as the process that signs tells them, a line each; a witness as the settings name
 * it, behind its address. */
static bool read_keys(const struct searcher *s, struct keys *ret)
{
    struct slice line, rest = slice_trim(s->query), address;
    const struct config_list *list = &s->config->store_witnesses;
    for (bool more = rest.len > 0; more;) {
        more = slice_split(rest, '\n', &line, &rest);
        if (ret->n_log == LOG_KEYS_MAX || verify_key_read(line, &ret->log[ret->n_log]) != 0)
            return false;
        ret->n_log++;
    }
    for (uint32_t i = 0; i < list->n && ret->n_witnesses < WITNESSES_MAX; i++)
        if (slice_split(slice_of(list->items[i]), ' ', &address, &line) &&
            verify_key_read(slice_trim(line), &ret->witnesses[ret->n_witnesses]) == 0)
            ret->n_witnesses++;
    return ret->n_log > 0;
}

static void on_finding(void *ctx, const struct verify_finding *f)
{
    struct searcher_work *w = ctx;
    if (w->entries++ >= FINDINGS_MAX || w->error) return;
    buf_puts(&w->lines, "{\"finding\":");
    verify_write_finding(&w->lines, f);
    buf_puts(&w->lines, "}\n");
    w->error = searcher_send(w);
}

static int end_verify(struct searcher_work *w, const struct verify_report *report)
{
    struct buf end;
    buf_init(&end, END_MAX);
    buf_puts(&end, "{\"end\":{\"how\":\"whole\"");
    verify_write_report(&end, report);
    buf_puts(&end, "}}\n");
    int error = buf_error(&end);
    if (error == 0) error = searcher_end(w, 200, report->findings, buf_slice(&end));
    buf_done(&end);
    return error;
}

int searcher_verify(struct searcher_work *w)
{
    struct verify_report report;
    struct keys keys = {.n_log = 0};
    if (!read_keys(w->s, &keys))
        return refuse(w, 503, "the public key of the log is not known yet");
    int fd = open_store(w);
    if (fd < 0) return refuse(w, 503, strerror(errno));
    /* It may take long: who waits sees that it was begun. */
    buf_puts(&w->lines, "{\"begun\":{");
    json_write_member_u64(&w->lines, "keys", keys.n_log);
    json_write_member_u64(&w->lines, "witnesses", keys.n_witnesses);
    buf_puts(&w->lines, "}}\n");
    int error = searcher_send(w);
    if (error) return error;
    error = verify_folder(&(struct verify_options){.folder = fd,
                                                   .keys = keys.log,
                                                   .n_keys = keys.n_log,
                                                   .witnesses = keys.witnesses,
                                                   .n_witnesses = keys.n_witnesses,
                                                   .finding = on_finding,
                                                   .ctx = w},
                          &report);
    (void)close(fd);
    if (w->error) return w->error;
    return error ? refuse(w, 503, error_text(error)) : end_verify(w, &report);
}
