/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is saved of a source: u8 version · fields in the order below, little-endian; numbers with a
 * fraction as the bits of an IEEE 754 single or double. The version grows with any change of it.
 */
#include <math.h>

#include "base/le.h"
#include "health/source.h"

/* Goes over the fields, and writes them or reads them: one order for both. */
struct carrier {
    struct buf *out; /* NULL: it reads */
    struct slice in;
    bool failed;
};

/* More than any of these numbers may be: so that no arithmetic on them overflows. */
#define FLOAT_MOST  1e10
#define DOUBLE_MOST 1e15
#define TIME_MOST   (INT64_C(1) << 62)

static uint64_t carry_bits(struct carrier *c, uint64_t bits, size_t size)
{
    char bytes[8] = {0};
    if (c->out) {
        le64_put(bytes, bits);
        buf_put(c->out, slice_make(bytes, size));
        return bits;
    }
    c->failed = c->failed || c->in.len < size;
    if (c->failed) return 0;
    memcpy(bytes, c->in.ptr, size);
    c->in = slice_from(c->in, size);
    return le64(bytes);
}

static void carry_u8(struct carrier *c, uint8_t *field)
{
    *field = (uint8_t)carry_bits(c, *field, sizeof *field);
}

static void carry_flag(struct carrier *c, bool *field)
{
    *field = carry_bits(c, *field, 1) != 0;
}

static void carry_u32(struct carrier *c, uint32_t *field)
{
    *field = (uint32_t)carry_bits(c, *field, sizeof *field);
}

static void carry_i32(struct carrier *c, int32_t *field)
{
    *field = (int32_t)carry_bits(c, (uint32_t)*field, sizeof *field);
}

static void carry_u64(struct carrier *c, uint64_t *field)
{
    *field = carry_bits(c, *field, sizeof *field);
}

static void carry_time(struct carrier *c, nsec *field)
{
    *field = (nsec)carry_bits(c, (uint64_t)*field, sizeof *field);
    c->failed = c->failed || *field > TIME_MOST || *field < -TIME_MOST;
}

static void carry_float(struct carrier *c, float *field)
{
    uint32_t bits;
    memcpy(&bits, field, sizeof bits);
    bits = (uint32_t)carry_bits(c, bits, sizeof bits);
    memcpy(field, &bits, sizeof bits);
    c->failed = c->failed || !(fabs((double)*field) <= FLOAT_MOST);
}

static void carry_double(struct carrier *c, double *field)
{
    uint64_t bits;
    memcpy(&bits, field, sizeof bits);
    bits = carry_bits(c, bits, sizeof bits);
    memcpy(field, &bits, sizeof bits);
    c->failed = c->failed || !(fabs(*field) <= DOUBLE_MOST);
}

#define CARRY(c, field)                                                                            \
    _Generic(&(field), uint8_t *                                                                   \
             : carry_u8, bool *                                                                    \
             : carry_flag, uint32_t *                                                              \
             : carry_u32, int32_t *                                                                \
             : carry_i32, uint64_t *                                                               \
             : carry_u64, nsec *                                                                   \
             : carry_time, float *                                                                 \
             : carry_float, double *                                                               \
             : carry_double)(c, &(field))

static void carry_rhythm(struct carrier *c, struct rhythm *r)
{
    for (unsigned i = 0; i < RHYTHM_HOURS; i++) {
        struct rhythm_hour *h = &r->hours[i];
        CARRY(c, h->weeks);
        CARRY(c, h->silence);
        CARRY(c, h->longest);
        CARRY(c, h->records);
        for (unsigned k = 0; k < RHYTHM_DIPS; k++) CARRY(c, h->dips[k]);
        c->failed = c->failed || h->weeks < 0 || h->silence < 0 || h->longest < 0 || h->records < 0;
    }
    for (unsigned i = 0; i < RHYTHM_KINDS; i++)
        for (unsigned k = 0; k < 24; k++) CARRY(c, r->odd[i][k]);
    CARRY(c, r->spread);
    c->failed = c->failed || r->spread < 0;
    CARRY(c, r->learned);
    CARRY(c, r->spreads);
}

/* The stretch at hand is not kept: it was not watched to its end. */
static void carry_volume(struct carrier *c, struct volume *v)
{
    CARRY(c, v->bias);
    CARRY(c, v->spread);
    CARRY(c, v->sum);
    CARRY(c, v->stretches);
    CARRY(c, v->low);
    CARRY(c, v->since);
    CARRY(c, v->found);
    CARRY(c, v->before);
}

static void carry_share(struct carrier *c, struct share *s)
{
    CARRY(c, s->n);
    CARRY(c, s->bad);
    CARRY(c, s->began);
    CARRY(c, s->usual);
    CARRY(c, s->most);
    CARRY(c, s->blocks);
    CARRY(c, s->high);
    CARRY(c, s->normal);
    CARRY(c, s->dropped);
    CARRY(c, s->since);
    CARRY(c, s->found);
    CARRY(c, s->before);
    CARRY(c, s->records);
}

static void carry_skew(struct carrier *c, struct skew *s)
{
    for (unsigned i = 0; i < SKEW_ROW; i++) CARRY(c, s->row[i]);
    for (unsigned i = 0; i < SKEW_LEARNED; i++) CARRY(c, s->learning[i]);
    CARRY(c, s->stretches);
    CARRY(c, s->usual);
    CARRY(c, s->width);
    CARRY(c, s->off);
    CARRY(c, s->since);
    CARRY(c, s->found);
}

static void carry_sequence(struct carrier *c, struct sequence *s)
{
    CARRY(c, s->key);
    CARRY(c, s->high);
    CARRY(c, s->came);
    CARRY(c, s->missing);
    CARRY(c, s->told);
    c->failed = c->failed || s->told > s->missing;
    CARRY(c, s->changed);
    CARRY(c, s->heard);
}

/* Also what was found and not told yet. */
static void carry_finding(struct carrier *c, struct health_finding *f)
{
    CARRY(c, f->since);
    CARRY(c, f->at);
    CARRY(c, f->usual);
    CARRY(c, f->found);
    CARRY(c, f->count);
    CARRY(c, f->open);
    CARRY(c, f->untold);
    CARRY(c, f->ended);
}

static void carry_source(struct carrier *c, struct health_source *s)
{
    CARRY(c, s->born);
    CARRY(c, s->last);
    CARRY(c, s->heard);
    CARRY(c, s->excused);
    CARRY(c, s->days);
    CARRY(c, s->day);
    CARRY(c, s->rests);
    CARRY(c, s->resting);
    CARRY(c, s->missed);
    CARRY(c, s->missed_most);
    CARRY(c, s->unusual);
    for (unsigned i = 0; i < ENDED; i++) {
        CARRY(c, s->ended[i]);
        CARRY(c, s->ended_at[i]);
    }
    CARRY(c, s->today);
    CARRY(c, s->today_at);
    carry_rhythm(c, &s->rhythm);
    for (unsigned i = 0; i < VOLUMES; i++) carry_volume(c, &s->volumes[i]);
    carry_share(c, &s->share);
    carry_skew(c, &s->skew);
    for (unsigned i = 0; i < SEQUENCES; i++) carry_sequence(c, &s->sequences[i]);
    for (unsigned i = 0; i < HEALTH_KIND_COUNT; i++) carry_finding(c, &s->findings[i]);
}

static void carry_all(struct carrier *c, struct health *h)
{
    CARRY(c, h->now);
    CARRY(c, h->offset);
    CARRY(c, h->blind);
    CARRY(c, h->day_off);
    CARRY(c, h->shift);
}

void health_save(const struct health *h, uint32_t i, struct buf *out)
{
    struct carrier c = {.out = out};
    buf_putc(out, HEALTH_VERSION);
    if (i == h->n) {
        struct health all = *h;
        carry_all(&c, &all);
    } else {
        carry_source(&c, h->sources[i]);
    }
}

bool health_is_changed(const struct health *h, uint32_t i)
{
    return h->sources[i]->changed;
}

void health_mark_saved(struct health *h, uint32_t i)
{
    h->sources[i]->changed = false;
}

static int open_saved(struct slice saved, struct carrier *ret)
{
    *ret = (struct carrier){.in = slice_from(saved, 1)};
    if (saved.len == 0) return ERR_CORRUPT;
    return saved.ptr[0] == HEALTH_VERSION ? 0 : ERR_UNSUPPORTED;
}

static int restore_all(struct health *h, struct carrier *c)
{
    struct health all = *h;
    carry_all(c, &all);
    if (c->failed || c->in.len > 0 || all.now < 0) return ERR_CORRUPT;
    *h = all;
    h->minute = h->now;
    h->spoilt = h->restored = true;
    return 0;
}

int health_restore(struct health *h, struct slice source, struct slice saved)
{
    struct carrier c, check;
    struct health_source probe = {0};
    int error = open_saved(saved, &c);
    if (error) return error;
    if (source.len == 0) return restore_all(h, &c);
    check = c;
    carry_source(&check, &probe);
    if (check.failed || check.in.len > 0) return ERR_CORRUPT;
    struct health_source *s = health_source_of(h, source);
    if (!s) return h->n == h->options.sources_max ? ERR_LIMIT : ERR_NOMEM;
    carry_source(&c, s);
    s->spoilt = true;
    health_source_refresh(h, s);
    return 0;
}
