/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What people answer. A code of eight characters (40 bits) is of one page and one person; a reply
 * has it, the link has it, and who pressed a key is known by the call that he was called by. Who
 * sent it proves nothing.
 */
#include "base/hash.h"
#include "oncall/internal.h"

/* Crockford's base 32: what is read to somebody over the phone is no other. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* CODE_TRIES: as many that are taken already are no chance: the random source repeats itself. */
enum { GUESSES_ALARM = 10 /* times those of one */, CODE_TRIES = 16 };
#define GUESSES_WITHIN (10 * 60 * NSEC_PER_SEC)

/* ---- codes ------------------------------------------------------------------------------- */

static void make_code(struct oncall *o, char ret[CODE_LEN])
{
    uint8_t bytes[CODE_LEN];
    o->out.random(o->out.ctx, bytes, sizeof bytes);
    for (size_t i = 0; i < CODE_LEN; i++) ret[i] = alphabet[bytes[i] % 32];
}

int code_give(struct oncall *o, uint64_t page, struct slice person)
{
    int64_t there = 0;
    int error =
        db_run(o->db, "DELETE FROM code WHERE page = ?1 AND person = ?2 AND used IS NOT NULL",
               DB_WITH(db_u64(page), db_text(person)));
    for (int tries = 0; error == 0 && !there && tries < CODE_TRIES; tries++) {
        char code[CODE_LEN];
        make_code(o, code);
        error = db_run(o->db,
                       "INSERT OR IGNORE INTO code (code, page, person, expires)"
                       " VALUES (?1, ?2, ?3, ?4)",
                       DB_WITH(db_text(slice_make(code, CODE_LEN)), db_u64(page), db_text(person),
                               db_number(o->now + o->out.limits.code_lives)));
        if (error == 0)
            error = db_get(o->db, "SELECT count(*) FROM code WHERE page = ?1 AND person = ?2",
                           DB_WITH(db_u64(page), db_text(person)), &there);
    }
    return error || there ? error : ERR_IO;
}

/* As it is kept, whatever was meant by letters that look like digits; false: it is none. */
static bool read_code(struct slice word, char ret[CODE_LEN])
{
    if (word.len != CODE_LEN) return false;
    for (size_t i = 0; i < CODE_LEN; i++) {
        char c = word.ptr[i];
        if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        if (c == 'O') c = '0';
        if (c == 'I' || c == 'L') c = '1';
        if (!c || !strchr(alphabet, c)) return false;
        ret[i] = c;
    }
    return true;
}

/* ---- guesses ----------------------------------------------------------------------------- */

/* Whether that one may go on; a wrong code is counted. */
static bool may_answer(struct oncall *o, struct slice from, bool wrong)
{
    struct guess *g = &o->guesses[hash64(from) % ONCALL_GUESSES];
    if (o->now - g->since > GUESSES_WITHIN) *g = (struct guess){.since = o->now};
    if (o->now - o->guessed > GUESSES_WITHIN) {
        o->guessed = o->now;
        o->wrong_codes = 0;
    }
    if (!wrong) return g->wrong < o->out.limits.wrong_codes;
    g->wrong++;
    if (++o->wrong_codes == GUESSES_ALARM * o->out.limits.wrong_codes)
        alarm_add(o, "codes-guessed", 0);
    return true;
}

/* ---- what is meant ----------------------------------------------------------------------- */

struct reply {
    bool escalate, has_code;
    char code[CODE_LEN];
};

static bool is_escalate(struct slice word)
{
    static const char *const words[] = {"E", "2", "ESK", "ESC", "ESKALERA", "ESCALATE"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_eq_nocase(word, slice_of(words[i]))) return true;
    return false;
}

static void read_reply(struct slice text, struct reply *ret)
{
    *ret = (struct reply){.has_code = false};
    for (struct slice word; (word = slice_next_word(&text)).len > 0;) {
        /* ESKALERA and ESCALATE have as many letters as a code. */
        if (is_escalate(word)) ret->escalate = true;
        else if (!ret->has_code) ret->has_code = read_code(word, ret->code);
    }
}

struct bound {
    uint64_t page;
    struct slice person, name; /* of o->scratch */
    bool used;
};

static int take_bound(struct oncall *o, struct db_rows *rows, struct bound *ret, bool *ret_found)
{
    *ret_found = db_next(rows);
    if (*ret_found)
        *ret = (struct bound){.page = (uint64_t)db_get_number(rows, 0),
                              .person = keep(o, db_get_text(rows, 1)),
                              .name = keep(o, db_get_text(rows, 2)),
                              .used = db_get_number(rows, 3) != 0};
    return db_end(rows);
}

static int find_by_code(struct oncall *o, const char code[CODE_LEN], struct bound *ret,
                        bool *ret_found)
{
    struct db_rows rows =
        db_select(o->db,
                  "SELECT c.page, c.person, n.name, c.used IS NOT NULL FROM code c"
                  " JOIN notice n ON n.page = c.page AND n.person = c.person"
                  " WHERE c.code = ?1 AND c.expires > ?2 LIMIT 1",
                  DB_WITH(db_text(slice_make(code, CODE_LEN)), db_number(o->now)));
    return take_bound(o, &rows, ret, ret_found);
}

static int find_by_call(struct oncall *o, const struct oncall_answered *m, struct bound *ret,
                        bool *ret_found)
{
    struct db_rows rows =
        db_select(o->db,
                  "SELECT n.page, n.person, n.name, 0 FROM attempt a"
                  " JOIN notice n ON n.id = a.notice"
                  " WHERE a.reference = ?1 AND a.provider = ?2 AND a.channel = ?3 LIMIT 1",
                  DB_WITH(db_text(m->reference), db_text(m->provider), db_number(m->channel)));
    return take_bound(o, &rows, ret, ret_found);
}

/* ---- what becomes of it ------------------------------------------------------------------ */

/* How much of the list he was told of for sure: by what was taken; else by the first he was sent.
 */
static int told_of(struct oncall *o, const struct bound *b, int64_t *ret)
{
    return db_get(
        o->db,
        "SELECT coalesce((SELECT max(n.listed) FROM notice n JOIN attempt a"
        " ON a.notice = n.id WHERE n.page = ?1 AND n.person = ?2 AND a.state IN (?3, ?4)),"
        " (SELECT min(listed) FROM notice WHERE page = ?1 AND person = ?2))",
        DB_WITH(db_u64(b->page), db_text(b->person), db_number(ATTEMPT_ACCEPTED),
                db_number(ATTEMPT_DELIVERED)),
        ret);
}

static int apply(struct oncall *o, const struct bound *b, bool escalate, uint64_t seen,
                 enum oncall_answer *ret)
{
    struct page p;
    bool found = false, ended = false;
    int64_t listed = 0;
    int error = page_load(o, b->page, &p, &found);
    if (error) return error;
    if (!found || !page_is_open(&p)) {
        *ret = found && p.state == PAGE_ACKED ? ANSWER_TAKEN_ALREADY : ANSWER_OVER;
        return 0;
    }
    if (escalate) {
        *ret = ANSWER_ESCALATED;
        return page_next_step(o, b->page, "asked for", b->name);
    }
    error = told_of(o, b, &listed);
    if (error) return error;
    if (seen < (uint64_t)listed) seen = (uint64_t)listed;
    error = page_ack(o, b->page, b->person, b->name, seen, &ended);
    *ret = ended ? ANSWER_ACKED : ANSWER_ACKED_ONE;
    return error;
}

int answer_by_code(struct oncall *o, struct slice code, struct slice from, enum oncall_do what,
                   uint64_t seen, enum oncall_answer *ret, uint64_t *ret_page)
{
    struct bound b;
    char kept[CODE_LEN];
    bool found = false;
    *ret = ANSWER_WRONG;
    *ret_page = 0;
    if (!may_answer(o, from, false)) {
        *ret = ANSWER_TOO_MANY;
        return 0;
    }
    int error = read_code(code, kept) ? find_by_code(o, kept, &b, &found) : 0;
    if (error) return error;
    if (!found) {
        (void)may_answer(o, from, true);
        return 0;
    }
    *ret_page = b.page;
    *ret = ANSWER_SHOWN;
    if (what == ANSWER_SHOW) return 0;
    *ret = ANSWER_USED;
    if (b.used) return 0;
    error = apply(o, &b, what == ANSWER_ESCALATE, seen, ret);
    if (error) return error;
    return db_run(o->db, "UPDATE code SET used = ?2 WHERE code = ?1",
                  DB_WITH(db_text(slice_make(kept, CODE_LEN)), db_number(o->now)));
}

/* The same may be told more than once. */
static int note_answer(struct oncall *o, const struct oncall_answered *m, bool *ret_new)
{
    int error = db_run(o->db,
                       "INSERT OR IGNORE INTO answer (channel, provider, reference, text, came)"
                       " VALUES (?1, ?2, ?3, ?4, ?5)",
                       DB_WITH(db_number(m->channel), db_text(m->provider), db_text(m->reference),
                               db_text(m->text), db_number(o->now)));
    *ret_new = error == 0 && db_changed(o->db) > 0;
    return error;
}

static int take_key(struct oncall *o, const struct oncall_answered *m)
{
    struct bound b;
    bool found = false;
    enum oncall_answer became;
    const struct slice digits = slice_trim(m->text);
    const bool escalate = slice_eq(digits, SLICE("2"));
    if (!escalate && !slice_eq(digits, SLICE("1"))) return 0;
    int error = find_by_call(o, m, &b, &found);
    return error || !found ? error : apply(o, &b, escalate, 0, &became);
}

int answer_take(struct oncall *o, const struct oncall_answered *m)
{
    struct reply reply;
    enum oncall_answer became;
    bool is_new = false;
    uint64_t page;
    int error = note_answer(o, m, &is_new);
    if (error || !is_new) return error;
    if (m->channel == NOTIFY_VOICE) return take_key(o, m);
    read_reply(m->text, &reply);
    if (!reply.has_code) return 0;
    return answer_by_code(o, slice_make(reply.code, CODE_LEN), m->from,
                          reply.escalate ? ANSWER_ESCALATE : ANSWER_ACK, 0, &became, &page);
}
