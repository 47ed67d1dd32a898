/* SPDX-License-Identifier: EUPL-1.2 */
#include "unwrap/flow.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/be.h"
#include "base/hash.h"
#include "event/flow.h"
#include "unwrap/internal.h"

enum {
    SET_HEADER = 4,
    DATA_SET_MIN = 256,
    HEADER_MAX = FLOW9_HEADER,
    BUCKETS = 4096, /* a power of two */
};

/* A set that waits for its template. */
struct waiting {
    TAILQ_ENTRY(waiting) all, mine; /* oldest first */
    struct slot *slot;
    nsec received;
    size_t len;
    char header[HEADER_MAX];
    char set[]; /* without its header */
};
TAILQ_HEAD(waiting_list, waiting);

/* A template, or the place for one that sets wait for. */
struct slot {
    TAILQ_ENTRY(slot) used; /* longest unused first */
    struct slot *next;      /* in the bucket */
    struct domain *domain;
    struct waiting_list waiting;
    nsec seen;
    size_t len; /* of `text`; 0: not there yet */
    char *text; /* set id and template record, see event/flow.h */
    uint16_t id;
};
TAILQ_HEAD(slot_list, slot);

/* One observation domain of one exporter. */
struct domain {
    TAILQ_ENTRY(domain) used;
    struct domain *next; /* in the bucket */
    uint64_t hash;
    uint32_t tenant, id, sequence; /* sequence: what the next header should say */
    uint8_t format;                /* enum record_format */
    bool in_sequence;              /* it is known */
    size_t len;
    char source[];
};
TAILQ_HEAD(domain_list, domain);

struct flows {
    struct unwrap_options options;
    struct unwrap_flow_stats stats;
    struct domain_list domains; /* longest unused first */
    struct slot_list slots;
    struct waiting_list waiting;
    uint32_t n_domains, n_slots;
    size_t template_bytes, waiting_bytes;
    struct domain *domain_buckets[BUCKETS];
    struct slot *slot_buckets[BUCKETS];
    struct flow_template parsed; /* of the set at hand */
};

/* One datagram. */
struct datagram {
    struct flows *f;
    struct job *j;
    struct domain *domain;
    enum record_format format;
    struct slice header, sets;
    uint32_t records; /* that were seen */
    bool all_seen;    /* no set was left to wait */
};

/* ---- waiting sets ------------------------------------------------------------------------- */

static void waiting_remove(struct flows *f, struct waiting *w)
{
    TAILQ_REMOVE(&f->waiting, w, all);
    TAILQ_REMOVE(&w->slot->waiting, w, mine);
    f->waiting_bytes -= sizeof *w + w->len;
    f->stats.waiting--;
    free(w);
}

static void waiting_drop(struct flows *f, struct waiting *w)
{
    f->stats.no_template++;
    waiting_remove(f, w);
}

static int waiting_add(struct datagram *d, struct slot *slot, struct slice set)
{
    struct flows *f = d->f;
    size_t bytes = sizeof(struct waiting) + set.len;
    if (bytes > f->options.waiting_bytes_max) {
        f->stats.no_template++;
        return 0;
    }
    while (bytes > f->options.waiting_bytes_max - f->waiting_bytes)
        waiting_drop(f, TAILQ_FIRST(&f->waiting));
    struct waiting *w = malloc(bytes);
    if (!w) return ERR_NOMEM;
    *w = (struct waiting){.slot = slot, .received = d->j->received, .len = set.len};
    memcpy(w->header, d->header.ptr, d->header.len);
    memcpy(w->set, set.ptr, set.len);
    TAILQ_INSERT_TAIL(&f->waiting, w, all);
    TAILQ_INSERT_TAIL(&slot->waiting, w, mine);
    f->waiting_bytes += bytes;
    f->stats.waiting++;
    return 0;
}

static void waiting_expire(struct flows *f, nsec now)
{
    struct waiting *w;
    while ((w = TAILQ_FIRST(&f->waiting)) && now - w->received > f->options.waiting_life)
        waiting_drop(f, w);
}

/* ---- templates ---------------------------------------------------------------------------- */

static struct slot **slot_bucket(struct flows *f, const struct domain *domain, uint16_t id)
{
    return &f->slot_buckets[hash_mix(domain->hash, id) % BUCKETS];
}

static void slot_forget_text(struct flows *f, struct slot *s)
{
    f->template_bytes -= s->len;
    if (s->len) f->stats.templates--;
    free(s->text);
    s->text = NULL;
    s->len = 0;
}

static void slot_remove(struct flows *f, struct slot *s)
{
    struct slot **p = slot_bucket(f, s->domain, s->id);
    while (*p != s) p = &(*p)->next;
    *p = s->next;
    while (!TAILQ_EMPTY(&s->waiting)) waiting_drop(f, TAILQ_FIRST(&s->waiting));
    TAILQ_REMOVE(&f->slots, s, used);
    slot_forget_text(f, s);
    f->n_slots--;
    free(s);
}

/* NULL: not there. Counts as a use. */
static struct slot *slot_find(struct flows *f, const struct domain *domain, uint16_t id)
{
    struct slot *s = *slot_bucket(f, domain, id);
    while (s && (s->domain != domain || s->id != id)) s = s->next;
    if (!s) return NULL;
    TAILQ_REMOVE(&f->slots, s, used);
    TAILQ_INSERT_TAIL(&f->slots, s, used);
    return s;
}

/* Finds or makes it; NULL out of memory. */
static struct slot *slot_get(struct flows *f, struct domain *domain, uint16_t id)
{
    struct slot *s = slot_find(f, domain, id);
    if (s) return s;
    if (f->n_slots == f->options.templates_max) slot_remove(f, TAILQ_FIRST(&f->slots));
    s = calloc(1, sizeof *s);
    if (!s) return NULL;
    struct slot **bucket = slot_bucket(f, domain, id);
    *s = (struct slot){.next = *bucket, .domain = domain, .id = id};
    TAILQ_INIT(&s->waiting);
    *bucket = s;
    f->n_slots++;
    TAILQ_INSERT_TAIL(&f->slots, s, used);
    return s;
}

/* Keeps the template; 0 or ERR_NOMEM. */
static int slot_set_text(struct flows *f, struct slot *s, unsigned set_id, struct slice template)
{
    size_t len = 2 + template.len;
    slot_forget_text(f, s);
    while (len > f->options.template_bytes_max - f->template_bytes) {
        struct slot *oldest = TAILQ_FIRST(&f->slots);
        if (oldest == s) return 0; /* larger than all the room there is */
        slot_remove(f, oldest);
    }
    s->text = malloc(len);
    if (!s->text) return ERR_NOMEM;
    be16_put(s->text, (uint16_t)set_id);
    memcpy(s->text + 2, template.ptr, template.len);
    s->len = len;
    f->template_bytes += len;
    f->stats.templates++;
    return 0;
}

/* ---- domains ------------------------------------------------------------------------------ */

static void domain_remove(struct flows *f, struct domain *domain)
{
    struct domain **p = &f->domain_buckets[domain->hash % BUCKETS];
    while (*p != domain) p = &(*p)->next;
    *p = domain->next;
    struct slot *next;
    for (struct slot *s = TAILQ_FIRST(&f->slots); s; s = next) {
        next = TAILQ_NEXT(s, used);
        if (s->domain == domain) slot_remove(f, s);
    }
    TAILQ_REMOVE(&f->domains, domain, used);
    f->n_domains--;
    free(domain);
}

/* Finds or makes it; NULL out of memory. */
static struct domain *domain_get(struct flows *f, const struct container *c,
                                 enum record_format format, uint32_t id)
{
    uint64_t hash = hash_mix(hash64(c->source), (uint64_t)c->tenant << 32 | id) + format;
    struct domain **bucket = &f->domain_buckets[hash % BUCKETS], *d = *bucket;
    while (d && (d->hash != hash || d->tenant != c->tenant || d->id != id || d->format != format ||
                 !slice_eq(slice_make(d->source, d->len), c->source)))
        d = d->next;
    if (d) {
        TAILQ_REMOVE(&f->domains, d, used);
    } else {
        if (f->n_domains == f->options.domains_max) domain_remove(f, TAILQ_FIRST(&f->domains));
        d = malloc(sizeof *d + c->source.len);
        if (!d) return NULL;
        *d = (struct domain){.next = *bucket,
                             .hash = hash,
                             .tenant = c->tenant,
                             .id = id,
                             .format = (uint8_t)format,
                             .len = c->source.len};
        if (c->source.len) memcpy(d->source, c->source.ptr, c->source.len);
        *bucket = d;
        f->n_domains++;
    }
    TAILQ_INSERT_TAIL(&f->domains, d, used);
    return d;
}

/* `advance`: by how much the next header's number is higher. */
static void domain_count(struct flows *f, struct domain *d, uint32_t sequence, uint32_t advance,
                         bool known)
{
    uint32_t gap = sequence - d->sequence;
    if (d->in_sequence && gap > 0 && gap < UINT32_C(1) << 16) f->stats.lost += gap;
    /* A datagram that comes late tells nothing about those to come; a restart begins anew. */
    bool late = d->in_sequence && gap > UINT32_MAX - (UINT32_C(1) << 16);
    if (late) return;
    d->sequence = sequence + advance;
    d->in_sequence = known;
}

/* ---- sets --------------------------------------------------------------------------------- */

static int put_record(struct datagram *d, struct slice raw, struct slice context)
{
    enum unwrap_reason reason;
    int rc = job_add(d->j, d->format, raw, context, &reason);
    d->records++;
    return rc == JOB_REFUSED ? 0 : rc;
}

/* The data records of a set; what is shorter than one behind them is padding. */
static int put_set(struct datagram *d, const struct slot *slot, struct slice header,
                   struct slice set)
{
    struct flow_template *t = &d->f->parsed;
    struct buf *context = &d->j->u->context;
    struct slice text = slice_make(slot->text, slot->len);
    size_t len;
    int rc = flow_template_read(d->format, be16(text.ptr), slice_from(text, 2), t, &len);
    if (rc != 0) return rc; /* it was read before */
    buf_clear(context);
    buf_put(context, header);
    buf_put(context, text);
    if (buf_failed(context)) return buf_error(context);
    while (rc == 0 && set.len >= t->min_len) {
        if (flow_record_len(t, set, &len) != 0) {
            job_refuse(d->j, UNWRAP_CUT_OFF);
            break;
        }
        rc = put_record(d, slice_until(set, len), buf_slice(context));
        set = slice_from(set, len);
    }
    return rc;
}

static int put_waiting(struct datagram *d, struct slot *slot)
{
    nsec now = d->j->received;
    uint32_t records = d->records;
    int rc = 0;
    while (rc == 0 && !TAILQ_EMPTY(&slot->waiting)) {
        struct waiting *w = TAILQ_FIRST(&slot->waiting);
        d->j->received = w->received;
        rc = put_set(d, slot, slice_make(w->header, d->header.len), slice_make(w->set, w->len));
        waiting_remove(d->f, w);
    }
    d->j->received = now;
    d->records = records; /* they were another datagram's */
    return rc;
}

static void withdraw(struct datagram *d, uint16_t id)
{
    struct slot *s = slot_find(d->f, d->domain, id);
    if (s) slot_remove(d->f, s);
}

static int take_template(struct datagram *d, unsigned set_id, struct slice template)
{
    const struct flow_template *t = &d->f->parsed;
    struct flows *f = d->f;
    if (t->n_fields == 0) {
        withdraw(d, t->id);
        return 0;
    }
    struct slot *slot = slot_get(f, d->domain, t->id);
    if (!slot) return ERR_NOMEM;
    slot->seen = d->j->received;
    bool same = slot->len == template.len + 2 && be16(slot->text) == set_id &&
                slice_eq(slice_make(slot->text + 2, template.len), template);
    int rc = same ? 0 : slot_set_text(f, slot, set_id, template);
    return rc == 0 && slot->len ? put_waiting(d, slot) : rc;
}

static int take_templates(struct datagram *d, unsigned set_id, struct slice set)
{
    int rc = 0;
    while (rc == 0 && set.len >= 4) {
        size_t len;
        if (be16(set.ptr) == 0) break; /* padding */
        int error = flow_template_read(d->format, set_id, set, &d->f->parsed, &len);
        if (error != 0) job_refuse(d->j, UNWRAP_BAD_TEMPLATE);
        if (error == ERR_TRUNCATED) break;
        if (error == 0) rc = take_template(d, set_id, slice_until(set, len));
        set = slice_from(set, len);
    }
    return rc;
}

static int take_data(struct datagram *d, unsigned set_id, struct slice set)
{
    struct slot *slot = slot_get(d->f, d->domain, (uint16_t)set_id);
    if (!slot) return ERR_NOMEM;
    if (slot->len && d->j->received - slot->seen > d->f->options.template_life)
        slot_forget_text(d->f, slot);
    if (slot->len) return put_set(d, slot, d->header, set);
    d->all_seen = false;
    return waiting_add(d, slot, set);
}

static int take_sets(struct datagram *d)
{
    struct slice rest = d->sets;
    int rc = 0;
    while (rc == 0 && rest.len >= SET_HEADER) {
        unsigned id = be16(rest.ptr), len = be16(rest.ptr + 2);
        if (len < SET_HEADER || len > rest.len) {
            d->f->stats.damaged++;
            d->all_seen = false;
            job_refuse(d->j, UNWRAP_CUT_OFF);
            break;
        }
        struct slice set = slice_make(rest.ptr + SET_HEADER, len - SET_HEADER);
        if (flow_has_templates(d->format, id)) rc = take_templates(d, id, set);
        else if (id >= DATA_SET_MIN) rc = take_data(d, id, set);
        rest = slice_from(rest, len);
    }
    return rc;
}

/* ---- datagrams ---------------------------------------------------------------------------- */

static int damaged(struct datagram *d)
{
    d->f->stats.damaged++;
    job_refuse(d->j, UNWRAP_BAD_LINE);
    return 0;
}

static int take_v5(struct datagram *d)
{
    struct slice s = d->j->body;
    if (s.len < FLOW5_HEADER) return damaged(d);
    unsigned count = be16(s.ptr + 2);
    struct slice header = slice_until(s, FLOW5_HEADER);
    struct slice records = slice_from(s, FLOW5_HEADER);
    struct domain *domain = domain_get(d->f, d->j->c, RECORD_NETFLOW5, be16(s.ptr + 20));
    if (!domain) return ERR_NOMEM;
    domain_count(d->f, domain, be32(s.ptr + 16), count, true);
    int rc = 0;
    for (unsigned i = 0; i < count && rc == 0; i++) {
        if (records.len < FLOW5_RECORD) return damaged(d);
        rc = put_record(d, slice_until(records, FLOW5_RECORD), header);
        records = slice_from(records, FLOW5_RECORD);
    }
    return rc;
}

static int take_v9(struct datagram *d)
{
    struct slice s = d->j->body;
    if (s.len < FLOW9_HEADER) return damaged(d);
    d->header = slice_until(s, FLOW9_HEADER);
    d->sets = slice_from(s, FLOW9_HEADER);
    d->domain = domain_get(d->f, d->j->c, RECORD_NETFLOW9, be32(s.ptr + 16));
    if (!d->domain) return ERR_NOMEM;
    domain_count(d->f, d->domain, be32(s.ptr + 12), 1, true);
    return take_sets(d);
}

static int take_ipfix(struct datagram *d)
{
    struct slice s = d->j->body;
    if (s.len < FLOW_IPFIX_HEADER) return damaged(d);
    size_t len = be16(s.ptr + 2);
    if (len < FLOW_IPFIX_HEADER || len > s.len) return damaged(d);
    d->header = slice_until(s, FLOW_IPFIX_HEADER);
    d->sets = slice_make(s.ptr + FLOW_IPFIX_HEADER, len - FLOW_IPFIX_HEADER);
    d->domain = domain_get(d->f, d->j->c, RECORD_IPFIX, be32(s.ptr + 12));
    if (!d->domain) return ERR_NOMEM;
    int rc = take_sets(d);
    if (rc == 0) domain_count(d->f, d->domain, be32(s.ptr + 8), d->records, d->all_seen);
    return rc;
}

int flows_unwrap(struct flows *f, struct job *j)
{
    struct datagram d = {.f = f, .j = j, .all_seen = true};
    f->stats.datagrams++;
    waiting_expire(f, j->received);
    if (j->body.len < 2) return damaged(&d);
    switch (be16(j->body.ptr)) {
    case 5:
        d.format = RECORD_NETFLOW5;
        return take_v5(&d);
    case 9:
        d.format = RECORD_NETFLOW9;
        return take_v9(&d);
    case 10:
        d.format = RECORD_IPFIX;
        return take_ipfix(&d);
    default:
        return damaged(&d);
    }
}

void flows_stats(const struct flows *f, struct unwrap_flow_stats *ret)
{
    *ret = f->stats;
}

struct flows *flows_new(const struct unwrap_options *options)
{
    ASSERT(options->templates_max > 0 && options->domains_max > 0);
    struct flows *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->options = *options;
    TAILQ_INIT(&f->domains);
    TAILQ_INIT(&f->slots);
    TAILQ_INIT(&f->waiting);
    return f;
}

void flows_free(struct flows *f)
{
    if (!f) return;
    while (!TAILQ_EMPTY(&f->domains)) domain_remove(f, TAILQ_FIRST(&f->domains));
    free(f);
}
