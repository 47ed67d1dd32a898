/* SPDX-License-Identifier: EUPL-1.2 */
/* Single records of the store for somebody at the API, and the verification of all of them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "serve/searcher_work.h"
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
