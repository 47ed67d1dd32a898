/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdlib.h>

#include "base/time.h"
#include "pull/internal.h"

enum { DELIVERY_MAX = 2 * ANSWER_ID_MAX };

/* What of a record is known from its place in the answer. */
struct found {
    struct slice raw, delivery;
    uint64_t ordinal;
    struct seen_item item;
    bool known; /* has an id */
};

/* A page may have a record twice. */
static bool is_pending(const struct puller *p, struct seen_id id)
{
    for (uint32_t i = 0; i < p->n_pending; i++)
        if (p->pending[i].id.a == id.a && p->pending[i].id.b == id.b) return true;
    return false;
}

/* Records of Graph: the id is the delivery; of alerts, with the time of the change. False: it is
 * passed over. */
static bool find_record(struct puller *p, struct slice raw, struct buf *delivery, struct found *ret)
{
    const struct pull_source *s = puller_source(p);
    struct answer_item item;
    *ret = (struct found){.raw = raw};
    if (raw.ptr[0] != '{') {
        p->stats.odd++;
        return false;
    }
    if (s->kind == PULL_M365) {
        ret->delivery = buf_slice(&p->id);
        ret->ordinal = p->ordinal++;
        return true;
    }
    answer_item_read(s->kind, raw, &item);
    buf_clear(delivery);
    buf_put(delivery, item.id);
    if (s->kind == PULL_ALERTS && item.time != TIME_NONE) {
        buf_putc(delivery, '@');
        time_write_rfc3339(delivery, item.time);
    }
    ret->known = item.id.len > 0;
    if (!ret->known) {
        p->stats.odd++;
        return true;
    }
    ret->delivery = buf_slice(delivery);
    ret->item =
        (struct seen_item){item.time == TIME_NONE ? p->to : item.time, seen_id_of(ret->delivery)};
    if (!seen_has(&puller_feed(p)->seen, ret->item.id) && !is_pending(p, ret->item.id)) return true;
    p->repeats++;
    return false;
}

static bool add_pending(struct puller *p, const struct seen_item *item)
{
    if (p->n_pending == p->max_pending) {
        uint32_t max = p->max_pending ? 2 * p->max_pending : 256;
        struct seen_item *grown = realloc(p->pending, max * sizeof *grown);
        if (!grown) return false;
        p->pending = grown;
        p->max_pending = max;
    }
    p->pending[p->n_pending++] = *item;
    return true;
}

static int add_record(struct puller *p, const struct found *f, nsec received)
{
    bool cut = f->raw.len > RECORD_MAX;
    return batch_writer_add(
        &p->writer,
        &(struct record){.raw = slice_until(f->raw, RECORD_MAX),
                         .source = buf_slice(&p->source),
                         .delivery = f->delivery,
                         .received = received,
                         .ordinal = f->ordinal,
                         .format = RECORD_JSON,
                         .flags = (uint8_t)(RECORD_AUTHENTICATED | (cut ? RECORD_CUT : 0))});
}

/* Fills the writer from `records` as far as it goes. */
static int fill_batch(struct puller *p)
{
    struct buf delivery;
    struct slice name, raw;
    nsec received = clock_realtime(&p->options.clock);
    int error = 0;
    buf_init(&delivery, DELIVERY_MAX);
    for (struct json_parts at = p->records; json_parts_next(&at, &name, &raw); p->records = at) {
        struct found found;
        uint64_t ordinal = p->ordinal;
        bool wanted = find_record(p, raw, &delivery, &found);
        error = buf_error(&delivery);
        if (error == 0 && !wanted) continue;
        if (error == 0) error = add_record(p, &found, received);
        if (error == 0 && found.known && !add_pending(p, &found.item)) error = ERR_NOMEM;
        if (error == 0) continue;
        p->ordinal = ordinal;
        break;
    }
    buf_done(&delivery);
    return error == ERR_LIMIT && p->writer.n > 0 ? 0 : error;
}

void fetched_take_back(struct puller *p)
{
    batch_writer_clear(&p->writer);
    p->records = p->before;
    p->ordinal = p->ordinal_before;
    p->n_pending = 0;
    p->repeats = 0;
}

bool fetched_send(struct puller *p)
{
    p->before = p->records;
    p->ordinal_before = p->ordinal;
    p->n_pending = p->repeats = 0;
    int error = fill_batch(p);
    if (error == 0 && p->writer.n == 0) {
        p->stats.repeats += p->repeats;
        return false;
    }
    p->n_batch = p->writer.n;
    buf_clear(&p->batch);
    if (error == 0) batch_writer_finish(&p->writer, &p->batch);
    if (error == 0) error = buf_error(&p->batch);
    p->storing = error == 0;
    if (error == 0) error = p->options.out.batch(p->options.out.ctx, p, buf_slice(&p->batch));
    if (error) {
        p->storing = false;
        fetched_take_back(p);
        pause_failed(p, "what came cannot be stored now");
    }
    return true;
}

void fetched_remember(struct puller *p, const struct seen_item *item)
{
    /* One that is not remembered comes again at worst. */
    (void)!seen_add(&puller_feed(p)->seen, item->id, item->time);
    p->taken++;
}

void fetched_stored(struct puller *p)
{
    for (uint32_t i = 0; i < p->n_pending; i++) fetched_remember(p, &p->pending[i]);
    p->stats.records += p->n_batch;
    p->stats.repeats += p->repeats;
    if (p->n_pending) span_tell_moved(p);
    p->n_pending = p->repeats = 0;
}
