/* SPDX-License-Identifier: EUPL-1.2 */
/* What people do to pages; what they do to the plan goes to the roster. */
#include <stdarg.h>

#include "base/body.h"
#include "base/json_write.h"
#include "oncall/internal.h"
#include "oncall/read.h"
#include "roster/rows.h"

enum { WORD_MAX = 256, WHY_MAX = 4096 };

struct act {
    const struct oncall_request *request;
    struct body body;
    unsigned status; /* enum roster_status */
    struct buf *out;
};

static int refuse(struct act *a, unsigned status, const char *member, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
static int refuse(struct act *a, unsigned status, const char *member, const char *fmt, ...)
{
    va_list ap;
    a->status = status;
    a->body.member = member;
    va_start(ap, fmt);
    (void)vsnprintf(a->body.message, sizeof a->body.message, fmt, ap);
    va_end(ap);
    return 0;
}

static void write_refusal(const struct act *a)
{
    buf_putc(a->out, '{');
    json_write_member_string(a->out, "member", slice_of(a->body.member));
    json_write_member_string(a->out, "message", slice_of(a->body.message));
    buf_putc(a->out, '}');
}

/* ---- pages ------------------------------------------------------------------------------- */

static int write_page(struct oncall *o, struct act *a, uint64_t id)
{
    bool found;
    const struct oncall_view view = {.db = o->db, .tenant = a->request->tenant};
    return oncall_write_page(&view, id, a->out, &found);
}

/* *ret_found is false when it was refused. */
static int find_page(struct oncall *o, struct act *a, struct page *ret, bool *ret_found)
{
    uint64_t id = body_number(&a->body, "page", true);
    *ret_found = false;
    if (a->body.member) return 0;
    int error = page_load(o, id, ret, ret_found);
    if (error) return error;
    if (*ret_found && ret->tenant == a->request->tenant && page_is_open(ret)) return 0;
    const bool there = *ret_found && ret->tenant == a->request->tenant;
    *ret_found = false;
    return there ? refuse(a, ROSTER_CONFLICT, "page", "the page is over: %s",
                          ret->state == PAGE_ACKED ? "somebody has it" : "it needs nobody")
                 : refuse(a, ROSTER_NOT_FOUND, "page", "there is no page %llu",
                          (unsigned long long)id);
}

static struct slice person_of(const struct oncall *o, struct slice actor)
{
    struct slice name, rest;
    (void)slice_split(actor, ' ', &name, &rest);
    const struct roster_person *p = o->roster ? roster_person_of(o->roster, name) : NULL;
    return p ? p->id : name;
}

static int act_page_ack(struct oncall *o, struct act *a)
{
    struct page p;
    bool found = false, ended = false;
    uint64_t last = 0;
    int error = find_page(o, a, &p, &found);
    if (error || !found || !body_end(&a->body)) return error;
    error = page_count(o, p.id, &last);
    if (error == 0)
        error = page_ack(o, p.id, person_of(o, a->request->actor), a->request->actor, last, &ended);
    return error ? error : write_page(o, a, p.id);
}

static int act_page_escalate(struct oncall *o, struct act *a)
{
    struct page p;
    bool found = false;
    struct slice why = body_text(&a->body, "why", WHY_MAX, false);
    int error = find_page(o, a, &p, &found);
    if (error || !found || !body_end(&a->body)) return error;
    if (why.len) error = event_add(o, p.id, "why", a->request->actor, why);
    if (error == 0) error = page_next_step(o, p.id, "asked for", a->request->actor);
    return error ? error : write_page(o, a, p.id);
}

static int act_page_test(struct oncall *o, struct act *a)
{
    struct persons persons;
    uint64_t page = 0;
    struct slice id = body_text(&a->body, "person", WORD_MAX, true);
    if (!body_end(&a->body)) return 0;
    int error = plan_person(o, id, false, &persons);
    if (error) return error;
    if (persons.n == 0)
        return refuse(a, ROSTER_NOT_FOUND, "person", "the plan has nobody of that id or account");
    error = page_test(o, a->request->tenant, &persons.of[0], a->request->actor, &page);
    return error ? error : write_page(o, a, page);
}

/* ---- answers ----------------------------------------------------------------------------- */

static const char *const answers[] = {[ANSWER_SHOWN] = "shown",
                                      [ANSWER_ACKED] = "acknowledged",
                                      [ANSWER_ACKED_ONE] = "acknowledged-one",
                                      [ANSWER_ESCALATED] = "escalated",
                                      [ANSWER_TAKEN_ALREADY] = "taken",
                                      [ANSWER_OVER] = "over",
                                      [ANSWER_USED] = "used",
                                      [ANSWER_WRONG] = "wrong",
                                      [ANSWER_TOO_MANY] = "too-many"};

static bool read_do(struct slice text, enum oncall_do *ret)
{
    static const char *const words[] = {"show", "ack", "escalate"};
    unsigned at = 0;
    if (!text.len) text = SLICE("ack");
    while (at < 3 && !slice_eq(text, slice_of(words[at]))) at++;
    *ret = (enum oncall_do)at;
    return at < 3;
}

/* For who has a code, and nothing else: he is told no more than his message told him. */
static int act_answer(struct oncall *o, struct act *a)
{
    enum oncall_do what;
    enum oncall_answer became;
    uint64_t page = 0;
    struct slice code = body_text(&a->body, "code", WORD_MAX, true);
    struct slice from = body_text(&a->body, "from", WORD_MAX, false);
    uint64_t seen = body_number(&a->body, "seen", false);
    if (!read_do(body_text(&a->body, "do", WORD_MAX, false), &what))
        body_wrong(&a->body, "do", "this is none of show, ack, escalate");
    if (!body_end(&a->body)) return 0;
    int error = answer_by_code(o, code, from, what, seen, &became, &page);
    if (error) return error;
    buf_putc(a->out, '{');
    json_write_member_string(a->out, "answer", slice_of(answers[became]));
    if (page) {
        json_write_key(a->out, "page");
        error = oncall_write_summary(o->db, page, a->out);
    }
    buf_putc(a->out, '}');
    return error;
}

/* ---- all of them ------------------------------------------------------------------------- */

static const struct kind {
    const char *name;
    enum account_right right;
    int (*run)(struct oncall *o, struct act *a);
} kinds[] = {
#define X(name, right) {#name, RIGHT_##right, act_##name},
    ONCALL_ACTS(X)
#undef X
};

static const struct kind *find_kind(struct slice name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_eq(name, slice_of(kinds[i].name))) return &kinds[i];
    return NULL;
}

bool oncall_act_right(struct slice name, enum account_right *ret)
{
    const struct kind *kind = find_kind(name);
    if (!kind) return roster_act_right(name, ret);
    *ret = kind->right;
    return true;
}

static int act_of_roster(struct oncall *o, const struct oncall_request *request, struct buf *out,
                         unsigned *ret)
{
    enum roster_status status = ROSTER_UNKNOWN;
    struct diag diag;
    const struct roster_request r = {
        .actor = request->actor, .kind = request->kind, .body = request->body, .now = o->t.real};
    int error = roster_act(o->db, o->calendar, &r, out, &status);
    *ret = status;
    if (error || status != ROSTER_DONE) return error;
    error = plan_load(o, &diag);
    if (error == 0) error = news_plan(o);
    if (error == 0) error = proof_plan(o);
    return error ? error : subject_judge_waiting(o);
}

int act_run(struct oncall *o, const struct oncall_request *request, struct buf *out, unsigned *ret)
{
    const struct kind *kind = find_kind(request->kind);
    if (!kind) return act_of_roster(o, request, out, ret);
    struct act a = {.request = request, .out = out};
    const size_t begin = out->len;
    body_init(&a.body, request->body);
    int error = kind->run(o, &a);
    if (error == 0) error = body_error(&a.body);
    if (error == 0 && a.body.member) {
        if (a.status == ROSTER_DONE) a.status = ROSTER_INVALID;
        out->len = begin;
        write_refusal(&a);
    }
    *ret = a.status;
    body_done(&a.body);
    return error ? error : buf_error(out);
}
