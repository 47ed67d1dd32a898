/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/hearing.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/time.h"
#include "serve/message.h"

enum { SLOTS = 2 * HEARING_SOURCES_MAX };
#define NOBODY UINT16_MAX

struct heard {
    struct slice source;
    nsec first, last, longest;
    uint64_t records, unread;
    uint32_t first_number, last_number;
    uint32_t claims;
    nsec freshest;
    uint64_t sequence, number, high, numbers;
    bool in_events; /* its events have the numbers, not its records */
};

struct hearing {
    struct heard heard[HEARING_SOURCES_MAX];
    uint32_t n;
    uint16_t slots[SLOTS];          /* numbers from 1; 0: free */
    uint16_t of[BATCH_RECORDS_MAX]; /* whose record it is; NOBODY */
    bool unread[BATCH_RECORDS_MAX]; /* one of its events was not understood */
};
_Static_assert(HEARING_SOURCES_MAX < NOBODY, "an index is never NOBODY");

struct hearing *hearing_new(void)
{
    return calloc(1, sizeof(struct hearing));
}

void hearing_free(struct hearing *h)
{
    free(h);
}

static uint16_t find(struct hearing *h, struct slice source)
{
    uint32_t at = (uint32_t)hash64(source) % SLOTS;
    for (; h->slots[at]; at = (at + 1) % SLOTS)
        if (slice_eq(h->heard[h->slots[at] - 1].source, source))
            return (uint16_t)(h->slots[at] - 1);
    if (h->n == HEARING_SOURCES_MAX) return NOBODY;
    h->heard[h->n] = (struct heard){.source = source};
    h->slots[at] = (uint16_t)++h->n;
    return (uint16_t)(h->n - 1);
}

/* Numbers of one count; those of a second one in the same frame are passed over. */
static void count_number(struct heard *s, uint64_t sequence, uint64_t number)
{
    if (s->sequence == 0) {
        s->sequence = sequence;
        s->number = s->high = number;
    }
    if (s->sequence != sequence) return;
    if (number < s->number) s->number = number;
    if (number > s->high) s->high = number;
    s->numbers++;
}

static void hear(struct heard *s, const struct record *record, uint32_t number)
{
    if (s->records++ == 0) {
        s->first = s->last = record->received;
        s->first_number = number;
    }
    if (record->received - s->last > s->longest) s->longest = record->received - s->last;
    if (record->received > s->last) s->last = record->received;
    s->last_number = number;
    /* Entries of a journal are numbered without gaps (export_cursor()). */
    if (record->format == RECORD_JOURNAL && slice_starts_with(record->delivery, SLICE("s=")))
        count_number(s, hash64(record->delivery) | 1, record->ordinal);
}

void hearing_begin(struct hearing *h, const struct batch *batch, uint32_t from)
{
    struct batch_iter it;
    struct record record;
    struct slice before = SLICE_NONE;
    uint16_t who = NOBODY;
    h->n = 0;
    memset(h->slots, 0, sizeof h->slots);
    batch_iter_init(&it, batch);
    for (uint32_t i = 0; batch_iter_next(&it, &record); i++) {
        h->unread[i] = false;
        h->of[i] = NOBODY;
        if (i < from) continue;
        /* Records of one source have one text in the batch, nearly always. */
        if (who == NOBODY || record.source.ptr != before.ptr || record.source.len != before.len)
            who = record_mark(record.source) ? NOBODY : find(h, record.source);
        before = record.source;
        h->of[i] = who;
        if (who != NOBODY) hear(&h->heard[who], &record, i);
    }
}

static void claim(struct heard *s, uint32_t number, nsec time)
{
    nsec difference, received = number == s->first_number ? s->first : s->last;
    if (time == TIME_NONE || __builtin_sub_overflow(time, received, &difference)) return;
    if (s->claims == 0 || difference > s->freshest) s->freshest = difference;
    s->claims++;
}

/* RFC 5424, 7.3.1. */
static void count_event(struct heard *s, uint32_t number, struct event *ev)
{
    uint64_t value;
    if (number != s->first_number && !s->in_events) return;
    struct event_field *f = event_find(ev, SLICE("sd.meta.sequenceId"));
    if (!f || !slice_to_u64(event_text(ev, f), &value) || value == 0) return;
    s->in_events = true;
    count_number(s, hash64(s->source) | 1, value);
}

void hearing_event(struct hearing *h, uint32_t number, struct event *ev, struct engine *engine,
                   bool understood)
{
    if (h->of[number] == NOBODY) return;
    struct heard *s = &h->heard[h->of[number]];
    if (!understood) hearing_undecodable(h, number);
    if (number == s->first_number || number == s->last_number) {
        engine_read_all(engine, ev);
        claim(s, number, router_event_time(engine_router(engine), ev));
    }
    count_event(s, number, ev);
}

void hearing_undecodable(struct hearing *h, uint32_t number)
{
    if (h->of[number] == NOBODY || h->unread[number]) return;
    h->unread[number] = true;
    h->heard[h->of[number]].unread++;
}

void hearing_write(const struct hearing *h, struct buf *out)
{
    for (uint32_t i = 0; i < h->n; i++) {
        const struct heard *s = &h->heard[i];
        say_sighted_write(out, &(struct say_sighted){.source = s->source,
                                                     .first = s->first,
                                                     .last = s->last,
                                                     .longest = s->longest,
                                                     .records = s->records,
                                                     .unread = s->unread,
                                                     .claims = s->claims,
                                                     .freshest = s->freshest,
                                                     .sequence = s->sequence,
                                                     .number = s->number,
                                                     .last_number = s->high,
                                                     .numbers = s->numbers});
    }
}
