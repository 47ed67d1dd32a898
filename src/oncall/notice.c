/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Notices: a person is told, by one contact and provider after the other, until one has taken it.
 * What of his contacts comes later (`after`) is a notice of its own that waits, unless those before
 * it are of no use.
 */
#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "oncall/internal.h"

enum { OUTAGE_RESERVE = 3 }; /* messages to a person above the limit */

struct contact {
    unsigned channel;
    uint64_t after; /* s */
    struct slice address;
};
struct contacts {
    struct contact of[ONCALL_CONTACTS_MAX];
    size_t n;
};
struct notice {
    uint64_t id, page, step, pass, start, after;
    struct slice person;
    struct slice contacts; /* of o->scratch, like the person */
    unsigned state, page_state, marks;
    bool shadow;
};

/* ---- rows -------------------------------------------------------------------------------- */

static bool read_contact(struct slice object, struct contact *ret, struct buf *text)
{
    struct slice channel, address, after;
    uint64_t number;
    buf_clear(text);
    if (!json_find_member(object, "channel", NULL, &channel) || !slice_to_u64(channel, &number) ||
        !json_find_member(object, "address", NULL, &address) || !json_string_text(address, text) ||
        !json_find_member(object, "after", NULL, &after) || !slice_to_u64(after, &ret->after))
        return false;
    ret->channel = (unsigned)number;
    return number < NOTIFY_CHANNEL_END;
}

static int read_contacts(struct oncall *o, struct slice list, struct contacts *ret)
{
    struct slice name, item;
    struct json_parts parts;
    ret->n = 0;
    json_parts_init(&parts, list);
    while (ret->n < ONCALL_CONTACTS_MAX && json_parts_next(&parts, &name, &item)) {
        if (!read_contact(item, &ret->of[ret->n], &o->more)) return ERR_CORRUPT;
        ret->of[ret->n++].address = keep(o, buf_slice(&o->more));
    }
    return 0;
}

static int load(struct oncall *o, uint64_t id, struct notice *ret, bool *ret_found)
{
    struct db_rows rows =
        db_select(o->db,
                  "SELECT n.id, n.page, n.step, n.pass, n.start, n.after, n.person, n.contacts,"
                  " n.state, n.shadow, p.state, p.marks FROM notice n JOIN page p ON p.id = n.page"
                  " WHERE n.id = ?1",
                  DB_WITH(db_u64(id)));
    *ret_found = db_next(&rows);
    if (*ret_found)
        *ret = (struct notice){.id = (uint64_t)db_get_number(&rows, 0),
                               .page = (uint64_t)db_get_number(&rows, 1),
                               .step = (uint64_t)db_get_number(&rows, 2),
                               .pass = (uint64_t)db_get_number(&rows, 3),
                               .start = (uint64_t)db_get_number(&rows, 4),
                               .after = (uint64_t)db_get_number(&rows, 5),
                               .person = keep(o, db_get_text(&rows, 6)),
                               .contacts = keep(o, db_get_text(&rows, 7)),
                               .state = (unsigned)db_get_number(&rows, 8),
                               .shadow = db_get_number(&rows, 9) != 0,
                               .page_state = (unsigned)db_get_number(&rows, 10),
                               .marks = (unsigned)db_get_number(&rows, 11)};
    return db_end(&rows);
}

static bool is_needed(const struct notice *n)
{
    return (n->page_state == PAGE_OPEN || n->page_state == PAGE_LOUD) && n->state != NOTICE_OVER;
}

static int set_state(struct oncall *o, uint64_t id, enum notice_state state)
{
    return db_run(o->db, "UPDATE notice SET state = ?2 WHERE id = ?1",
                  DB_WITH(db_u64(id), db_number(state)));
}

/* ---- attempts ---------------------------------------------------------------------------- */

/* It is let out behind the commit; when nobody is there to make it, later. */
static int add_attempt(struct oncall *o, uint64_t notice, uint64_t pass, unsigned channel,
                       struct slice provider, struct slice address)
{
    const unsigned state = o->senders ? ATTEMPT_SENDING : ATTEMPT_QUEUED;
    int error = db_run(o->db,
                       "INSERT INTO attempt (notice, pass, channel, provider, address, state, made)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                       DB_WITH(db_u64(notice), db_u64(pass), db_number(channel), db_text(provider),
                               db_text(address), db_number(state), db_number(o->now)));
    const uint64_t id = db_inserted(o->db);
    o->attempts++;
    if (error || !o->senders) return error;
    error = numbers_add(&o->sends, id);
    return error ? error : deadline_set(o, DEADLINE_ATTEMPT, id, o->now + ONCALL_ATTEMPT_WITHIN);
}

static int was_tried(struct oncall *o, const struct notice *n, const struct contact *c,
                     const struct provider *p, int64_t *ret)
{
    *ret = 0;
    return db_get(o->db,
                  "SELECT count(*) FROM attempt WHERE notice = ?1 AND pass = ?2 AND channel = ?3"
                  " AND provider = ?4 AND address = ?5",
                  DB_WITH(db_u64(n->id), db_u64(n->pass), db_number(c->channel),
                          db_text(slice_of(p->name)), db_text(c->address)),
                  ret);
}

/* Of one provider by one channel: as many calls as there may be hold back none of its messages. */
static int is_channel_full(struct oncall *o, const struct contact *c, const struct provider *p,
                           bool *ret)
{
    int64_t n = 0;
    int error = db_get(
        o->db, "SELECT count(*) FROM attempt WHERE provider = ?1 AND channel = ?2 AND made > ?3",
        DB_WITH(db_text(slice_of(p->name)), db_number(c->channel),
                db_number(o->now - o->out.limits.within)),
        &n);
    *ret = n >= o->out.limits.per_channel;
    return error;
}

int notice_may_send(struct oncall *o, struct slice person, size_t more, size_t above, bool *ret)
{
    int64_t n = 0;
    const nsec since = o->now - o->out.limits.within;
    int error = db_get(
        o->db,
        "SELECT count(*) FROM notice n JOIN attempt a ON a.notice = n.id"
        " WHERE n.person = ?1 AND n.made > ?2 AND a.made > ?3",
        DB_WITH(db_text(person), db_number(since - o->out.limits.within), db_number(since)), &n);
    *ret = (uint64_t)n + more <= o->out.limits.per_person + above;
    return error;
}

struct choice {
    struct contact contact;
    struct provider *provider; /* NULL: there is none left */
    bool full;                 /* one was passed over: too much went by it lately */
};

/* The next that was not tried in this pass. */
static int choose(struct oncall *o, const struct notice *n, struct choice *ret)
{
    struct contacts contacts;
    struct provider *providers[ONCALL_PROVIDERS_MAX];
    int error = read_contacts(o, n->contacts, &contacts);
    *ret = (struct choice){.provider = NULL};
    for (size_t i = 0; i < contacts.n && error == 0; i++) {
        const struct contact *c = &contacts.of[(n->start + i) % contacts.n];
        size_t n_providers = providers_for(o, c->channel, providers);
        for (size_t k = 0; k < n_providers && error == 0; k++) {
            int64_t tried = 0;
            bool full = false;
            error = was_tried(o, n, c, providers[k], &tried);
            if (error == 0 && !tried) error = is_channel_full(o, c, providers[k], &full);
            ret->full |= full;
            if (error || tried || full) continue;
            *ret = (struct choice){.contact = *c, .provider = providers[k]};
            return 0;
        }
    }
    return error;
}

/* ---- one notice -------------------------------------------------------------------------- */

static int hold_back(struct oncall *o, const struct notice *n, nsec after)
{
    int error = set_state(o, n->id, NOTICE_WAITS);
    o->held_back++;
    return error ? error : deadline_set(o, DEADLINE_NOTICE, n->id, o->now + after);
}

/* Whether it makes sense to go over all contacts once more. */
static int may_work_later(struct oncall *o, const struct notice *n, int64_t *ret)
{
    *ret = 0;
    if (n->pass + 1 >= ONCALL_PASSES_MAX) return 0;
    return db_get(o->db,
                  "SELECT count(*) FROM attempt WHERE notice = ?1 AND pass = ?2"
                  " AND state IN (?3, ?4, ?5)",
                  DB_WITH(db_u64(n->id), db_u64(n->pass), db_number(ATTEMPT_RETRY),
                          db_number(ATTEMPT_UNKNOWN), db_number(ATTEMPT_LATE)),
                  ret);
}

static int try(struct oncall *o, struct notice *n, bool *ret_failed);

/* Those of his that wait for their time need not wait for it any more. */
static int try_later_contacts(struct oncall *o, const struct notice *n, bool *ret_failed)
{
    struct notice next;
    bool found = false;
    int64_t id = 0;
    int error = db_get(o->db,
                       "SELECT id FROM notice WHERE page = ?1 AND step = ?2 AND person = ?3"
                       " AND after > ?4 AND state = ?5 ORDER BY after LIMIT 1",
                       DB_WITH(db_u64(n->page), db_u64(n->step), db_text(n->person),
                               db_u64(n->after), db_number(NOTICE_WAITS)),
                       &id);
    if (error || !id) return error;
    error = deadline_drop(o, DEADLINE_NOTICE, (uint64_t)id);
    if (error == 0) error = load(o, (uint64_t)id, &next, &found);
    return error || !found ? error : try(o, &next, ret_failed);
}

static int fail(struct oncall *o, struct notice *n, bool *ret_failed)
{
    int64_t later = 0;
    int error = set_state(o, n->id, NOTICE_FAILED);
    *ret_failed = true;
    o->failures++;
    if (error == 0) error = may_work_later(o, n, &later);
    if (error == 0 && later) {
        nsec wait = ONCALL_RETRY_FIRST << n->pass;
        error = deadline_set(o, DEADLINE_NOTICE, n->id,
                             o->now + (wait < ONCALL_RETRY_MOST ? wait : ONCALL_RETRY_MOST));
    }
    if (error == 0) error = event_add(o, n->page, "not-told", n->person, SLICE_NONE);
    return error ? error : try_later_contacts(o, n, ret_failed);
}

static int try(struct oncall *o, struct notice *n, bool *ret_failed)
{
    struct choice choice;
    bool may = false;
    *ret_failed = false;
    if (!o->providers_known) return set_state(o, n->id, NOTICE_WAITS);
    /* Who has had all that he may get hears all the same that the watch is broken. */
    const unsigned outage = n->marks & ONCALL_OUTAGE ? OUTAGE_RESERVE : 0;
    int error = notice_may_send(o, n->person, 1, outage, &may);
    if (error || !may) return error ? error : hold_back(o, n, o->out.limits.within / 10);
    error = choose(o, n, &choice);
    if (error) return error;
    if (!choice.provider && choice.full) return hold_back(o, n, o->out.limits.within / 20);
    if (!choice.provider) return fail(o, n, ret_failed);
    error = add_attempt(o, n->id, n->pass, choice.contact.channel, slice_of(choice.provider->name),
                        choice.contact.address);
    return error ? error : set_state(o, n->id, NOTICE_TRYING);
}

static int insert(struct oncall *o, const struct page *page, const struct person *person,
                  struct slice contacts, uint64_t after, uint64_t *ret)
{
    const struct db_value values[] = {db_u64(page->id),           db_u64(page->steps),
                                      db_text(person->id),        db_text(person->name),
                                      db_number(person->english), db_number(person->shadow),
                                      db_text(contacts),          db_u64(after),
                                      db_number(NOTICE_WAITS),    db_number(o->now)};
    int error = db_run(o->db,
                       "INSERT INTO notice (page, step, person, name, english, shadow, contacts,"
                       " listed, start, after, state, made) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
                       " (SELECT coalesce(max(number), 0) FROM page_incident WHERE page = ?1),"
                       " (SELECT count(*) FROM notice WHERE page = ?1 AND person = ?3"
                       " AND after = ?8), ?8, ?9, ?10)",
                       values, sizeof values / sizeof *values);
    *ret = db_inserted(o->db);
    return error;
}

static void write_contact(struct buf *out, const struct contact *c)
{
    buf_puts(out, out->len > 1 ? ",{" : "{");
    json_write_member_u64(out, "channel", c->channel);
    json_write_member_string(out, "address", c->address);
    json_write_member_u64(out, "after", c->after);
    buf_putc(out, '}');
}

/* Those that begin `after`; the smallest later one goes to *ret_next, UINT64_MAX: none. */
static struct slice contacts_of(struct oncall *o, const struct contacts *all, uint64_t after,
                                uint64_t *ret_next)
{
    *ret_next = UINT64_MAX;
    buf_clear(&o->more);
    buf_putc(&o->more, '[');
    for (size_t i = 0; i < all->n; i++) {
        if (all->of[i].after == after) write_contact(&o->more, &all->of[i]);
        else if (all->of[i].after > after && all->of[i].after < *ret_next)
            *ret_next = all->of[i].after;
    }
    buf_putc(&o->more, ']');
    return keep(o, buf_slice(&o->more));
}

/* One that has no contact but this. */
static int insert_for(struct oncall *o, const struct page *page, const struct person *person,
                      const struct contact *contact, uint64_t *ret)
{
    buf_clear(&o->more);
    buf_putc(&o->more, '[');
    write_contact(&o->more, contact);
    buf_putc(&o->more, ']');
    return insert(o, page, person, keep(o, buf_slice(&o->more)), 0, ret);
}

int notice_test(struct oncall *o, const struct page *page, const struct person *person)
{
    struct contacts all;
    struct notice n;
    bool found, failed;
    uint64_t id = 0;
    int error = read_contacts(o, person->contacts, &all);
    if (error == 0) error = code_give(o, page->id, person->id);
    for (size_t i = 0; i < all.n && error == 0; i++) {
        error = insert_for(o, page, person, &all.of[i], &id);
        if (error == 0) error = load(o, id, &n, &found);
        if (error == 0) error = try(o, &n, &failed);
    }
    return error;
}

int notice_ways(struct oncall *o, const struct person *person, size_t *ret)
{
    struct contacts all;
    struct provider *providers[ONCALL_PROVIDERS_MAX];
    int error = read_contacts(o, person->contacts, &all);
    *ret = 0;
    for (size_t i = 0; i < all.n && error == 0; i++)
        *ret += providers_for(o, all.of[i].channel, providers);
    return error;
}

int notice_proof(struct oncall *o, const struct page *page, const struct person *person)
{
    struct contacts all;
    struct provider *providers[ONCALL_PROVIDERS_MAX];
    uint64_t id = 0;
    int error = read_contacts(o, person->contacts, &all);
    for (size_t i = 0; i < all.n && error == 0; i++) {
        const size_t n = providers_for(o, all.of[i].channel, providers);
        for (size_t k = 0; k < n && error == 0; k++) {
            error = insert_for(o, page, person, &all.of[i], &id);
            if (error == 0) error = set_state(o, id, NOTICE_TRYING);
            if (error == 0)
                error = add_attempt(o, id, 0, all.of[i].channel, slice_of(providers[k]->name),
                                    all.of[i].address);
        }
    }
    return error;
}

int notice_begin(struct oncall *o, const struct page *page, const struct person *person,
                 bool *ret_failed)
{
    struct contacts all;
    uint64_t id = 0, first = 0, next = 0;
    struct notice n;
    bool found;
    int error = read_contacts(o, person->contacts, &all);
    for (uint64_t after = 0; error == 0 && after != UINT64_MAX; after = next) {
        struct slice contacts = contacts_of(o, &all, after, &next);
        /* Who has none at all has a notice all the same, which fails. */
        if (contacts.len <= 2 && (next != UINT64_MAX || first)) continue;
        error = insert(o, page, person, contacts, after, &id);
        if (!first) first = id;
        else if (error == 0)
            error = deadline_set(o, DEADLINE_NOTICE, id, o->now + (nsec)after * NSEC_PER_SEC);
    }
    if (error == 0) error = code_give(o, page->id, person->id);
    if (error == 0) error = load(o, first, &n, &found);
    return error ? error : try(o, &n, ret_failed);
}

/* Held back, between two passes, or a contact whose time has come. */
int notice_due(struct oncall *o, uint64_t id)
{
    struct notice n;
    bool found = false, failed = false;
    int64_t acked = 0;
    int error = load(o, id, &n, &found);
    if (error || !found || !is_needed(&n)) return error;
    error = db_get(o->db,
                   "SELECT count(*) FROM notice WHERE page = ?1 AND person = ?2"
                   " AND acked IS NOT NULL",
                   DB_WITH(db_u64(n.page), db_text(n.person)), &acked);
    if (error || acked) return error ? error : set_state(o, id, NOTICE_OVER);
    if (n.state == NOTICE_FAILED) {
        n.pass++;
        error = db_run(o->db, "UPDATE notice SET pass = ?2 WHERE id = ?1",
                       DB_WITH(db_u64(id), db_u64(n.pass)));
    }
    if (error == 0 && (n.state == NOTICE_FAILED || n.state == NOTICE_WAITS))
        error = try(o, &n, &failed);
    return error || !failed ? error : page_check_step(o, n.page);
}

int notice_end_all(struct oncall *o, uint64_t page)
{
    const struct db_value values[] = {db_u64(page),
                                      db_number(NOTICE_OVER),
                                      db_number(ATTEMPT_DROPPED),
                                      db_number(ATTEMPT_QUEUED),
                                      db_number(DEADLINE_NOTICE),
                                      db_number(DEADLINE_ATTEMPT),
                                      db_number(ATTEMPT_UNKNOWN)};
    /* What may have been asked for is not asked for again. */
    int error = db_run(o->db,
                       "UPDATE attempt SET state = CASE state WHEN ?4 THEN ?3 ELSE ?7 END"
                       " WHERE state IN (0, 1)"
                       " AND notice IN (SELECT id FROM notice WHERE page = ?1)",
                       values, 7);
    if (error == 0)
        error = db_run(o->db,
                       "DELETE FROM deadline WHERE kind = ?6 AND id IN (SELECT a.id FROM attempt a"
                       " JOIN notice n ON n.id = a.notice WHERE n.page = ?1)",
                       values, 6);
    if (error == 0)
        error = db_run(o->db,
                       "DELETE FROM deadline WHERE kind = ?5 AND id IN"
                       " (SELECT id FROM notice WHERE page = ?1)",
                       values, 5);
    if (error) return error;
    return db_run(o->db, "UPDATE notice SET state = ?2 WHERE page = ?1 AND state IN (0, 1, 4)",
                  values, 2);
}

int notice_try_waiting(struct oncall *o)
{
    struct numbers waiting = {0};
    int error = 0;
    struct db_rows rows =
        db_select(o->db,
                  "SELECT n.id FROM notice n WHERE n.state = ?1 AND NOT EXISTS"
                  " (SELECT 1 FROM deadline d WHERE d.kind = ?2 AND d.id = n.id) ORDER BY n.id",
                  DB_WITH(db_number(NOTICE_WAITS), db_number(DEADLINE_NOTICE)));
    while (error == 0 && db_next(&rows))
        error = numbers_add(&waiting, (uint64_t)db_get_number(&rows, 0));
    int ended = db_end(&rows);
    if (error == 0) error = ended;
    for (size_t i = 0; i < waiting.n && error == 0; i++) error = notice_due(o, waiting.of[i]);
    free(waiting.of);
    return error;
}

int notice_canary(struct oncall *o, uint64_t page)
{
    uint64_t id = 0;
    const struct page p = {.id = page};
    const struct person nobody = {.contacts = SLICE("[]")};
    int error = insert(o, &p, &nobody, SLICE("[]"), 0, &id);
    if (error == 0) error = set_state(o, id, NOTICE_OVER);
    for (size_t i = 0; i < o->n_providers && error == 0; i++) {
        unsigned channel = 1;
        while (channel < NOTIFY_CHANNEL_END && !(o->providers[i].channels >> channel & 1))
            channel++;
        error = add_attempt(o, id, 0, channel, slice_of(o->providers[i].name), SLICE_NONE);
    }
    return error;
}

/* ---- what became of attempts ------------------------------------------------------------- */

struct attempt {
    uint64_t id, notice;
    unsigned state;
    struct slice provider;
};

static int load_attempt(struct oncall *o, uint64_t id, struct attempt *ret, bool *ret_found)
{
    struct db_rows rows =
        db_select(o->db, "SELECT id, notice, state, provider FROM attempt WHERE id = ?1",
                  DB_WITH(db_u64(id)));
    *ret_found = db_next(&rows);
    if (*ret_found)
        *ret = (struct attempt){.id = (uint64_t)db_get_number(&rows, 0),
                                .notice = (uint64_t)db_get_number(&rows, 1),
                                .state = (unsigned)db_get_number(&rows, 2),
                                .provider = keep(o, db_get_text(&rows, 3))};
    return db_end(&rows);
}

static int set_attempt(struct oncall *o, uint64_t id, enum attempt_state state,
                       const struct oncall_sent *m)
{
    int error = deadline_drop(o, DEADLINE_ATTEMPT, id);
    if (error) return error;
    return db_run(o->db,
                  "UPDATE attempt SET state = ?2, reference = coalesce(?3, reference), detail ="
                  " coalesce(?4, detail), accepted = CASE WHEN ?2 IN (?5, ?6) THEN"
                  " coalesce(accepted, ?7) ELSE accepted END WHERE id = ?1",
                  DB_WITH(db_u64(id), db_number(state), db_text_or_null(m->reference),
                          db_text_or_null(m->detail), db_number(ATTEMPT_ACCEPTED),
                          db_number(ATTEMPT_DELIVERED), db_number(o->t.real)));
}

/* Of what a message has told triage hears, once. */
static int note_notified(struct oncall *o, const struct notice *n)
{
    const struct db_value values[] = {db_u64(n->page),      db_u64(n->id),
                                      db_number(o->t.real), db_number(PAGED_NOTIFIED),
                                      db_text(n->person),   db_number(ORIGIN_TRIAGE)};
    int error = db_run(o->db,
                       "INSERT INTO told (tenant, incident, what, time, who)"
                       " SELECT s.tenant, s.incident, ?4, ?3, ?5 FROM page_incident i"
                       " JOIN subject s ON s.id = i.subject WHERE i.page = ?1 AND s.origin = ?6"
                       " AND i.notified IS NULL"
                       " AND i.number <= (SELECT listed FROM notice WHERE id = ?2)",
                       values, 6);
    if (error) return error;
    return db_run(o->db,
                  "UPDATE page_incident SET notified = ?3 WHERE page = ?1 AND notified IS NULL"
                  " AND number <= (SELECT listed FROM notice WHERE id = ?2)",
                  values, 3);
}

static int take_accepted(struct oncall *o, const struct attempt *a, const struct oncall_sent *m)
{
    struct notice n;
    bool found = false;
    const bool delivered = m->outcome == NOTIFY_DELIVERED;
    struct provider *provider = provider_find(o, a->provider);
    if (provider) provider->failed = 0;
    int error = set_attempt(o, a->id, delivered ? ATTEMPT_DELIVERED : ATTEMPT_ACCEPTED, m);
    if (error == 0) error = load(o, a->notice, &n, &found);
    if (error || !found || n.marks & ONCALL_CANARY) return error;
    error = proof_note(o, a->id, delivered);
    if (error) return error;
    if (n.state != NOTICE_OVER) {
        error = set_state(o, n.id, delivered ? NOTICE_DELIVERED : NOTICE_TAKEN);
        if (error == 0) error = deadline_drop(o, DEADLINE_NOTICE, n.id);
        /* What becomes of others of it does not matter any more: they are not asked for again. */
        if (error == 0)
            error =
                db_run(o->db,
                       "UPDATE attempt SET state = CASE state WHEN ?3 THEN ?2 ELSE ?4 END"
                       " WHERE notice = ?1 AND id <> ?5 AND state IN (0, 1)",
                       DB_WITH(db_u64(n.id), db_number(ATTEMPT_DROPPED), db_number(ATTEMPT_QUEUED),
                               db_number(ATTEMPT_UNKNOWN), db_u64(a->id)));
    }
    return error ? error : note_notified(o, &n);
}

/* The next contact, unless another attempt is under way or was taken. */
static int go_on(struct oncall *o, const struct attempt *a)
{
    struct notice n;
    bool found = false, failed = false;
    int64_t hopes = 0;
    int error = load(o, a->notice, &n, &found);
    if (error || !found || !is_needed(&n) || n.state == NOTICE_FAILED) return error;
    if (n.marks & ONCALL_PROOF) return set_state(o, n.id, NOTICE_FAILED); /* by itself */
    error =
        db_get(o->db, "SELECT count(*) FROM attempt WHERE notice = ?1 AND state IN (0, 1, 2, 3)",
               DB_WITH(db_u64(n.id)), &hopes);
    if (error == 0 && !hopes) error = try(o, &n, &failed);
    return error || !failed ? error : page_check_step(o, n.page);
}

static int take_failed(struct oncall *o, const struct attempt *a, enum attempt_state state,
                       const struct oncall_sent *m)
{
    struct provider *provider = provider_find(o, a->provider);
    if (provider && state != ATTEMPT_REFUSED) {
        provider->failed++;
        provider->failed_at = o->now;
    }
    int error = set_attempt(o, a->id, state, m);
    return error ? error : go_on(o, a);
}

int attempt_take(struct oncall *o, const struct oncall_sent *m)
{
    static const enum attempt_state states[NOTIFY_OUTCOME_END] = {
        [NOTIFY_RETRY] = ATTEMPT_RETRY,
        [NOTIFY_REFUSED] = ATTEMPT_REFUSED,
        [NOTIFY_UNKNOWN] = ATTEMPT_UNKNOWN};
    struct attempt a;
    bool found = false;
    if (m->outcome == 0 || m->outcome >= NOTIFY_OUTCOME_END) return 0;
    int error = load_attempt(o, m->attempt, &a, &found);
    if (error || !found || a.state == ATTEMPT_DROPPED) return error;
    if (m->outcome <= NOTIFY_DELIVERED) {
        const bool known = a.state == ATTEMPT_DELIVERED ||
                           (a.state == ATTEMPT_ACCEPTED && m->outcome == NOTIFY_ACCEPTED);
        return known ? 0 : take_accepted(o, &a, m);
    }
    /* It was given up, or it was taken and nothing but a refusal can change that. */
    if (a.state == ATTEMPT_SENDING || a.state == ATTEMPT_QUEUED)
        return take_failed(o, &a, states[m->outcome], m);
    if (a.state == ATTEMPT_ACCEPTED && m->outcome == NOTIFY_REFUSED)
        return take_failed(o, &a, ATTEMPT_REFUSED, m);
    return a.state == ATTEMPT_LATE ? set_attempt(o, a.id, states[m->outcome], m) : 0;
}

int attempt_late(struct oncall *o, uint64_t id)
{
    static const struct oncall_sent silence = {.detail = {"nothing was heard of it", 23}};
    struct attempt a;
    bool found = false;
    int error = load_attempt(o, id, &a, &found);
    if (error || !found || a.state != ATTEMPT_SENDING) return error;
    return take_failed(o, &a, ATTEMPT_LATE, &silence);
}

/* ---- who makes attempts comes and goes --------------------------------------------------- */

int attempt_resend_all(struct oncall *o)
{
    struct numbers ids = {0};
    int error = 0;
    struct db_rows rows =
        db_select(o->db, "SELECT id FROM attempt WHERE state IN (0, 1) ORDER BY id", DB_ALONE);
    while (error == 0 && db_next(&rows))
        error = numbers_add(&ids, (uint64_t)db_get_number(&rows, 0));
    int ended = db_end(&rows);
    if (error == 0) error = ended;
    for (size_t i = 0; i < ids.n && error == 0; i++) {
        error = numbers_add(&o->sends, ids.of[i]);
        if (error == 0)
            error = deadline_set(o, DEADLINE_ATTEMPT, ids.of[i], o->now + ONCALL_ATTEMPT_WITHIN);
    }
    free(ids.of);
    if (error) return error;
    return db_run(o->db, "UPDATE attempt SET state = ?1 WHERE state = ?2",
                  DB_WITH(db_number(ATTEMPT_SENDING), db_number(ATTEMPT_QUEUED)));
}

int attempt_hold_all(struct oncall *o)
{
    return db_run(o->db, "DELETE FROM deadline WHERE kind = ?1",
                  DB_WITH(db_number(DEADLINE_ATTEMPT)));
}
