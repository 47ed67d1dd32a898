/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What people at the API change of rules, and ask of them: exceptions, and rules of their own. This
 * process has the folder `rules` of serve.folder and nothing else; it read the rules in force when
 * it began, and begins anew when they are read again, which it asks for after each change.
 */
#include <limits.h>
#include <stdlib.h>

#include "base/body.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "desk/desk.h"
#include "indicator/rules.h"
#include "library/own.h"
#include "ruleset/ruleset.h"
#include "serve/role.h"

enum { ANSWER_MAX = 1024 * 1024, TEXTS_MAX = 256 * 1024 * 1024, RELOAD_AFTER = 200 /* ms */ };

struct library_ctx {
    struct ruleset rules;
    struct buf texts; /* of files of rules */
    size_t *ends;     /* of each rule's, and behind them each correlation's */
    char path[PATH_MAX];
    struct buf answer;
    struct loop_timer reload;
    uint64_t changes, refused;
};

/* What is asked, while it is done. */
struct doing {
    struct role *role;
    const struct say_act *act;
    struct library_change change;
    struct library library;
    bool changes; /* what is in force, when it is done */
    struct body body;
    enum desk_status status;
    struct diag diag;
};

static const struct sigma_doc *doc_at(const struct sigma_set *set, uint32_t i)
{
    return i < set->n_rules ? set->rules[i]->doc : set->correlations[i - set->n_rules]->doc;
}

/* The number of the rule with that id or title in force; UINT32_MAX: there is none. */
static uint32_t find_rule(const struct sigma_set *set, struct slice id)
{
    uint32_t n = set->n_rules + set->n_correlations;
    for (uint32_t i = 0; i < n; i++) {
        const struct sigma_doc *doc = doc_at(set, i);
        if (slice_eq_nocase(doc->id, id) || slice_eq(doc->title, id)) return i;
    }
    return UINT32_MAX;
}

static struct slice text_at(const struct library_ctx *c, uint32_t i)
{
    size_t begin = i ? c->ends[i - 1] : 0;
    return slice_make(c->texts.ptr + begin, c->ends[i] - begin);
}

static void refuse(struct doing *d, enum desk_status status, const char *member, const char *why)
{
    d->status = status;
    if (d->body.member) return;
    body_wrong(&d->body, member, "%s", why);
}

/* What the library says is wrong: with what was asked, or with the disk. */
static int take_error(struct doing *d, const char *member, int error)
{
    char text[sizeof d->diag.message + 48];
    if (error != ERR_INVALID && error != ERR_NOT_FOUND) return error;
    if (d->diag.line)
        (void)snprintf(text, sizeof text, "line %u, column %u: %s", d->diag.line, d->diag.column,
                       d->diag.message);
    else (void)snprintf(text, sizeof text, "%s", d->diag.message);
    refuse(d, error == ERR_NOT_FOUND ? DESK_NOT_FOUND : DESK_INVALID, member, text);
    return 0;
}

/* ---- exceptions -------------------------------------------------------------------------- */

/* Texts of a list, NUL-terminated, in the body's arena. */
static uint32_t read_when(struct doing *d, const char *ret[EXCEPTION_WHEN_MAX])
{
    struct json_parts parts;
    struct slice key, part, list = body_list(&d->body, "when");
    struct buf text;
    uint32_t n = 0;
    buf_init(&text, EXCEPTION_TEXT_MAX);
    json_parts_init(&parts, list);
    while (list.len && json_parts_next(&parts, &key, &part)) {
        buf_clear(&text);
        bool good = n < EXCEPTION_WHEN_MAX && json_string_text(part, &text) && text.len &&
                    !buf_failed(&text) && slice_find_byte(buf_slice(&text), '\0') == SIZE_MAX;
        const char *copy =
            good ? arena_printf(&d->body.texts, "%.*s", SLICE_FMT(buf_slice(&text))) : NULL;
        if (!copy) {
            body_wrong(&d->body, "when", "up to %d texts, such as 'Image|endswith: \\x.exe'",
                       EXCEPTION_WHEN_MAX);
            break;
        }
        ret[n++] = copy;
    }
    buf_done(&text);
    if (n == 0 && !d->body.member)
        body_wrong(&d->body, "when", "what is not to fire is to be said");
    return n;
}

static int do_except(struct doing *d)
{
    struct library_ctx *c = d->role->ctx;
    const char *when[EXCEPTION_WHEN_MAX];
    char id[EXCEPTION_ID + 1];
    struct slice rule = body_text(&d->body, "rule", 256, true);
    struct slice reason = body_text(&d->body, "reason", EXCEPTION_TEXT_MAX, true);
    struct slice until = body_text(&d->body, "until", 64, false);
    struct exception e = {
        .when = when, .reason = reason, .who = d->change.who, .now = d->change.now};
    e.n_when = read_when(d, when);
    if (until.len) e.until = arena_printf(&d->body.texts, "%.*s", SLICE_FMT(until));
    if (!body_end(&d->body)) return 0;
    uint32_t i = find_rule(c->rules.set, rule);
    if (i == UINT32_MAX) {
        refuse(d, DESK_INVALID, "rule", "there is no such rule in force");
        return 0;
    }
    e.rule = doc_at(c->rules.set, i);
    int error = library_except(&d->library, &e, text_at(c, i), &d->change, id, &d->diag);
    if (error) return take_error(d, "when", error);
    json_write_member_string(&c->answer, "id", slice_of(id));
    return 0;
}

static int do_lift(struct doing *d)
{
    struct slice id = body_text(&d->body, "exception", EXCEPTION_ID, true);
    if (!body_end(&d->body)) return 0;
    const char *text = arena_printf(&d->body.texts, "%.*s", SLICE_FMT(id));
    if (!text) return ERR_NOMEM;
    return take_error(d, "exception", library_lift(&d->library, text, &d->change, &d->diag));
}

/* ---- rules ------------------------------------------------------------------------------- */

/* Of a file of one's own. */
static bool is_own(const struct library_ctx *c, const struct sigma_doc *doc)
{
    struct slice file = slice_of(doc->file ? doc->file : ""), path = slice_of(c->path);
    return slice_starts_with(file, path) &&
           slice_starts_with(slice_from(file, path.len), SLICE("/" LIBRARY_OWN "/"));
}

/* What is in force from elsewhere cannot be had twice. */
static bool is_taken(const struct library_ctx *c, struct slice id)
{
    uint32_t i = find_rule(c->rules.set, id);
    return i != UINT32_MAX && !is_own(c, doc_at(c->rules.set, i));
}

static int do_save(struct doing *d)
{
    struct library_ctx *c = d->role->ctx;
    char id[OWN_ID + 1];
    struct slice text = body_text(&d->body, "text", 64 * 1024, true);
    struct slice wanted = body_text(&d->body, "id", OWN_ID, false);
    if (!body_end(&d->body)) return 0;
    int error = library_own_id(text, &d->change, id, &d->diag);
    if (error) return take_error(d, "text", error);
    if (wanted.len && !slice_eq_nocase(wanted, slice_of(id))) {
        refuse(d, DESK_INVALID, "text", "its `id` is another");
    } else if (is_taken(c, slice_of(id))) {
        refuse(d, DESK_CONFLICT, "text", "a rule of another origin has this `id`: give it its own");
    } else {
        error = library_own_save(&d->library, text, &d->change, id, &d->diag);
        if (error) return take_error(d, "text", error);
        json_write_member_string(&c->answer, "id", slice_of(id));
    }
    return 0;
}

static int do_drop(struct doing *d)
{
    struct slice id = body_text(&d->body, "id", 128, true);
    if (!body_end(&d->body)) return 0;
    return take_error(d, "id", library_own_drop(&d->library, id, &d->change, &d->diag));
}

static int do_versions(struct doing *d)
{
    struct library_ctx *c = d->role->ctx;
    struct slice id = body_text(&d->body, "id", 128, true);
    if (!body_end(&d->body)) return 0;
    json_write_key(&c->answer, "versions");
    return library_own_versions(&d->library, id, &c->answer, &d->diag);
}

static int do_version(struct doing *d)
{
    struct library_ctx *c = d->role->ctx;
    struct buf text;
    struct slice id = body_text(&d->body, "id", 128, true);
    struct slice version = body_text(&d->body, "version", 32, true);
    if (!body_end(&d->body)) return 0;
    buf_init(&text, YAML_FILE_MAX);
    int error = library_own_version(&d->library, id, version, &text, &d->diag);
    if (error) d->status = DESK_NOT_FOUND;
    else json_write_member_string(&c->answer, "text", buf_slice(&text));
    buf_done(&text);
    return error == ERR_INVALID || error == ERR_NOT_FOUND ? 0 : error;
}

/* ---- what is asked ----------------------------------------------------------------------- */

static const struct kind {
    const char *name;
    int (*run)(struct doing *d);
    bool changes;
} kinds[] = {
    {"except", do_except, true}, {"lift", do_lift, true},          {"save", do_save, true},
    {"drop", do_drop, true},     {"versions", do_versions, false}, {"version", do_version, false},
};

/* NULL: there is none. */
static const struct kind *find_kind(struct slice name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_eq(name, slice_of(kinds[i].name))) return &kinds[i];
    return NULL;
}

static int do_in_library(struct doing *d)
{
    struct library_ctx *c = d->role->ctx;
    const struct kind *kind = find_kind(d->act->kind);
    if (!kind) {
        d->status = DESK_UNKNOWN;
        return 0;
    }
    int error = library_open(&d->library, c->path, kind->changes, &d->diag);
    if (error) return error;
    d->changes = kind->changes;
    error = kind->run(d);
    library_close(&d->library);
    return error ? error : body_error(&d->body);
}

static void put_refusal(struct buf *out, const struct body *body)
{
    buf_clear(out);
    buf_putc(out, '{');
    json_write_member_string(out, "member", slice_of(body->member ? body->member : ""));
    json_write_member_string(out, "message", slice_of(body->message));
    buf_putc(out, '}');
}

static void answer(struct doing *d)
{
    struct library_ctx *c = d->role->ctx;
    struct link *link = role_link(d->role, ROLE_WEB);
    if (d->status == DESK_DONE && d->body.member) d->status = DESK_INVALID;
    if (d->status == DESK_DONE) buf_putc(&c->answer, '}');
    else put_refusal(&c->answer, &d->body);
    bool changed = d->status == DESK_DONE && d->changes;
    c->changes += changed;
    c->refused += d->status != DESK_DONE;
    say_acted_write(link_out(link), &(struct say_acted){.client = d->act->client,
                                                        .status = (uint8_t)d->status,
                                                        .body = buf_slice(&c->answer)});
    link_flush(link);
    if (changed && loop_timer_set(d->role->loop, &c->reload, RELOAD_AFTER * NSEC_PER_MSEC, 0) != 0)
        role_end(d->role, ERR_NOMEM);
}

static int library_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct library_ctx *c = r->ctx;
    struct say_act m;
    if (peer != ROLE_WEB || frame->type != SAY_ACT || say_act_read(frame->payload, &m) != 0)
        return ERR_CORRUPT;
    struct doing d = {.role = r,
                      .act = &m,
                      .change = {.who = slice_until(m.actor, LIBRARY_WHO_MAX),
                                 .now = clock_realtime(&r->clock),
                                 .placeholders = c->rules.placeholders}};
    buf_clear(&c->answer);
    buf_putc(&c->answer, '{');
    body_init(&d.body, m.body);
    int error = do_in_library(&d);
    if (error) {
        role_alarm(r, "library-failed",
                   slice_of(d.diag.message[0] ? d.diag.message : error_text(error)));
        refuse(&d, DESK_CONFLICT, "", "it could not be written: the log of serve says why");
    }
    answer(&d);
    body_done(&d.body);
    return 0;
}

/* Those who match read the rules again, and so does this process, by beginning anew. */
static void on_reload(void *ctx)
{
    struct role *r = ctx;
    say_command_write(link_out(&r->supervisor), &(struct say_command){.command = COMMAND_RELOAD});
    link_flush(&r->supervisor);
}

/* ---- the role ---------------------------------------------------------------------------- */

static int read_texts(struct library_ctx *c)
{
    const struct sigma_set *set = c->rules.set;
    uint32_t n = set->n_rules + set->n_correlations;
    c->ends = calloc(n + 1u, sizeof *c->ends);
    if (!c->ends) return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const struct sigma_doc *doc = doc_at(set, i);
        size_t begin = c->texts.len;
        bool file = doc->file && !indicator_rules_has(doc);
        if (file && file_read(doc->file, &c->texts, NULL) != 0) c->texts.len = begin;
        c->ends[i] = c->texts.len;
    }
    return buf_error(&c->texts);
}

static int library_prepare(struct role *r, struct diag *diag)
{
    static const char *const folders[] = {RULESET_RULES, RULESET_RULES "/" LIBRARY_EXCEPTIONS,
                                          RULESET_RULES "/" LIBRARY_OWN};
    struct library_ctx *c = r->ctx;
    buf_init(&c->texts, TEXTS_MAX);
    buf_init(&c->answer, ANSWER_MAX);
    c->reload = (struct loop_timer){.due = on_reload, .ctx = r};
    if (!r->config.listen_web.n) return 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (!role_make_folder(r, folders[i], diag)) return ERR_ACCESS;
    int error = ruleset_folder_path(&r->config, RULESET_RULES, c->path, diag);
    if (error) return error;
    role_keep_folder(r, c->path);
    error = ruleset_load_watch(&c->rules, &r->config, clock_realtime(&r->clock), diag);
    return error ? error : read_texts(c);
}

static void library_status(struct role *r, struct buf *out)
{
    const struct library_ctx *c = r->ctx;
    json_write_member_u64(out, "changes", c->changes);
    json_write_member_u64(out, "refused", c->refused);
}

static void library_stop(struct role *r)
{
    role_end(r, 0);
}

const struct role_ops role_library = {
    .ctx_size = sizeof(struct library_ctx),
    .prepare = library_prepare,
    .frame = library_frame,
    .status = library_status,
    .stop = library_stop,
};
