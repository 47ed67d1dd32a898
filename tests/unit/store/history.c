/* SPDX-License-Identifier: EUPL-1.2 */
#include "history.h"

#include <stdlib.h>

#include "base/hash.h"

enum { BYTES_MAX = 1 << 30 };

void history_init(struct history *h)
{
    *h = (struct history){0};
    buf_init(&h->bytes, BYTES_MAX);
}

void history_done(struct history *h)
{
    buf_done(&h->bytes);
    free(h->entries);
}

void history_clear(struct history *h)
{
    buf_clear(&h->bytes);
    h->n = 0;
}

void history_batch(struct buf *out, uint64_t seed, uint32_t n, size_t raw_len)
{
    struct batch_writer w;
    struct buf raw;
    batch_writer_init(&w, HISTORY_TENANT, BATCH_MAX);
    buf_init(&raw, RECORD_MAX);
    for (uint32_t i = 0; i < n; i++) {
        buf_clear(&raw);
        while (raw.len < raw_len) {
            uint64_t word = hash_mix(seed * 1000 + i, raw.len + 1);
            buf_put(&raw, slice_make(&word, raw_len - raw.len < 8 ? raw_len - raw.len : 8));
        }
        const struct record r = {.raw = buf_slice(&raw),
                                 .source = SLICE("test\t\t\t"),
                                 .received = (nsec)(seed % 1000000 + i),
                                 .ordinal = seed,
                                 .format = RECORD_TEXT};
        if (batch_writer_add(&w, &r) != 0) abort();
    }
    batch_writer_finish(&w, out);
    if (buf_failed(out)) abort();
    batch_writer_done(&w);
    buf_done(&raw);
}

int history_append(struct history *h, struct store *s, uint64_t seed, uint32_t n, size_t raw_len)
{
    struct batch b;
    uint64_t first;
    size_t at = h->bytes.len;
    history_batch(&h->bytes, seed, n, raw_len);
    if (batch_open(slice_from(buf_slice(&h->bytes), at), &b) != 0) abort();
    int result = store_append(s, &b, &first);
    if (result != 0) {
        h->bytes.len = at;
        return result;
    }
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 64;
        h->entries = reallocarray(h->entries, h->cap, sizeof *h->entries);
        if (!h->entries) abort();
    }
    h->entries[h->n++] = (struct history_entry){.at = at,
                                                .len = h->bytes.len - at,
                                                .first = first,
                                                .n = n,
                                                .acked = HISTORY_NEVER,
                                                .removed = HISTORY_NEVER};
    return 0;
}

void history_promise(struct history *h, uint64_t now)
{
    for (size_t i = h->n; i-- > 0 && h->entries[i].acked == HISTORY_NEVER;)
        h->entries[i].acked = now;
}

int history_remove(struct history *h, struct store *s, const struct store_journal *j, uint64_t now)
{
    int result = store_remove_journal(s, j->first);
    if (result != 0 && result != ERR_IO) return result;
    for (size_t i = 0; i < h->n; i++)
        if (h->entries[i].first >= j->first && h->entries[i].first < j->next)
            h->entries[i].removed = now;
    return result;
}

/* ---- what is found ----------------------------------------------------------------------- */

static void on_complete(void *ctx, const struct store_journal *journal)
{
    struct history_found *found = ctx;
    if (found->n_journals == sizeof found->journals / sizeof found->journals[0]) abort();
    found->journals[found->n_journals++] = *journal;
}

static void on_damage(void *ctx, const struct store_damage *damage)
{
    struct history_found *found = ctx;
    found->damages[damage->kind]++;
    found->lost_numbers += damage->next - damage->first;
}

static void on_opened(void *ctx, const struct store_journal *journal)
{
    struct history_found *found = ctx;
    found->current = *journal;
}

struct store_events history_events(struct history_found *found)
{
    return (struct store_events){
        .complete = on_complete, .damage = on_damage, .opened = on_opened, .ctx = found};
}

void history_options(struct store_options *o, const struct store_io *io,
                     struct clock_settable *clock, struct history_found *found)
{
    *o = (struct store_options){.io = io,
                                .clock = clock_of(clock),
                                .events = history_events(found),
                                .seed = 12345,
                                .tenant = HISTORY_TENANT,
                                .journal_age = 3600 * NSEC_PER_SEC,
                                .journal_bytes = 8192,
                                .commit_bytes = 4096,
                                .ahead_bytes = 1024,
                                .ballast_bytes = 1024};
}

/* ---- comparing --------------------------------------------------------------------------- */

static struct history_entry *find(struct history *h, uint64_t first)
{
    size_t low = 0, high = h->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (h->entries[middle].first < first) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < h->n && h->entries[low].first == first ? &h->entries[low] : NULL;
}

static bool check_frame(struct history *h, const struct journal_frame *f, char *why)
{
    struct history_entry *e = find(h, f->first);
    if (!e) {
        (void)snprintf(why, HISTORY_WHY_MAX, "number %llu was never given",
                       (unsigned long long)f->first);
        return false;
    }
    if (e->seen || !slice_eq(f->batch.bytes, slice_make(h->bytes.ptr + e->at, e->len))) {
        (void)snprintf(why, HISTORY_WHY_MAX, "number %llu is %s", (unsigned long long)f->first,
                       e->seen ? "there twice" : "not what was appended");
        return false;
    }
    e->seen = true;
    return true;
}

/* The reader itself sees to the order of numbers within a journal. */
static bool check_journal(struct history *h, const struct store_io *io, uint64_t first,
                          uint64_t limit, char *why)
{
    struct journal_reader r;
    struct journal_frame f;
    bool good = true;
    int file = journal_open(io, first, STORE_READ);
    int result = file < 0 ? file : journal_reader_init(&r, io, file, first);
    if (result == 0) {
        while (good && (result = journal_reader_next(&r, limit, &f)) != 0)
            if (result == 1) {
                good = check_frame(h, &f, why);
            } else if (result != ERR_CORRUPT) {
                break;
            }
        journal_reader_done(&r);
    }
    if (file >= 0) io->close(io->ctx, file);
    if (good && result != 0)
        (void)snprintf(why, HISTORY_WHY_MAX, "journal %llu: %s", (unsigned long long)first,
                       error_text(result));
    return good && result == 0;
}

bool history_check(struct history *h, const struct store_io *io, const struct history_found *found,
                   struct store_durable durable, uint64_t now, uint64_t spare,
                   char why[HISTORY_WHY_MAX])
{
    uint64_t before = 0;
    for (size_t i = 0; i < h->n; i++) h->entries[i].seen = false;
    for (size_t i = 0; i < found->n_journals; i++) {
        const struct store_journal *j = &found->journals[i];
        if (j->first < before || j->next < j->first) {
            (void)snprintf(why, HISTORY_WHY_MAX, "journal %llu is out of order",
                           (unsigned long long)j->first);
            return false;
        }
        before = j->next;
        if (!check_journal(h, io, j->first, j->end, why)) return false;
    }
    if (durable.end > 0 && !check_journal(h, io, durable.journal, durable.end, why)) return false;
    for (size_t i = 0; i < h->n; i++) {
        const struct history_entry *e = &h->entries[i];
        if (e->seen && e->first + e->n > durable.next) {
            (void)snprintf(why, HISTORY_WHY_MAX, "number %llu would be given again",
                           (unsigned long long)e->first);
            return false;
        }
        if (e->seen || e->acked > now || e->removed <= now) continue;
        if (spare-- > 0) continue;
        (void)snprintf(why, HISTORY_WHY_MAX, "number %llu was promised and is lost",
                       (unsigned long long)e->first);
        return false;
    }
    return true;
}

void history_forget(struct history *h)
{
    size_t kept = 0;
    for (size_t i = 0; i < h->n; i++)
        if (h->entries[i].seen || h->entries[i].acked != HISTORY_NEVER)
            h->entries[kept++] = h->entries[i];
    h->n = kept;
}

void history_restart(struct history *h)
{
    size_t kept = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (!h->entries[i].seen) continue;
        h->entries[kept] = h->entries[i];
        h->entries[kept].acked = 0;
        h->entries[kept++].removed = HISTORY_NEVER;
    }
    h->n = kept;
}
