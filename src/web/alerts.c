/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "desk/title.h"
#include "detect/sigma/doc.h"
#include "state/reader.h"
#include "web/alert.h"
#include "web/call.h"
#include "web/run.h"

static void put_time(struct buf *out, const char *key, nsec time)
{
    json_write_key(out, key);
    if (time == INT64_MIN) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '"');
    time_write_rfc3339(out, time);
    buf_putc(out, '"');
}

static void put_members(struct buf *out, const struct state_alert *a)
{
    json_write_member_u64(out, "id", a->id);
    json_write_member_string(out, "level", slice_of(sigma_level_name(a->level)));
    json_write_member_string(out, "title", a->title);
    desk_put_title_sv(out, "title_sv", a->title);
    json_write_member_string(out, "rule", a->rule);
    json_write_member_u64(out, "count", a->count);
    put_time(out, "time", a->time);
    put_time(out, "received", a->received);
    put_time(out, "last_received", a->last_received);
    json_write_member_string(out, "host", a->host);
    json_write_member_string(out, "entity", a->entity);
    json_write_member_u64(out, "record", a->seq);
    json_write_member_u64(out, "last_record", a->last_seq);
}

void api_put_alert(struct buf *out, const struct state_alert *a)
{
    buf_putc(out, '{');
    put_members(out, a);
    buf_putc(out, '}');
}

/* It is opened when somebody asks, and after it has failed: it is there when its writer has made
 * it. */
struct db *api_db(struct api *w)
{
    struct diag diag;
    if (!w->db && db_open_reader(w->options.database, &w->db, &diag) != 0) return NULL;
    return w->db;
}

void api_db_drop(struct api *w)
{
    db_close(w->db);
    w->db = NULL;
}

void api_db_failed(struct api_call *c)
{
    api_db_drop(c->api);
    api_refuse_for(c, API_PROBLEM_BUSY, 1);
}

struct listing {
    struct api_call *call;
    uint32_t n;
};

static bool list_alert(void *ctx, const struct state_alert *a)
{
    struct listing *l = ctx;
    if (l->n++) buf_putc(&l->call->out, ',');
    api_put_alert(&l->call->out, a);
    return true;
}

void api_alerts(struct api_call *c)
{
    struct db *db = api_db(c->api);
    struct listing listing = {.call = c};
    struct state_page page = {.tenant = c->tenant, .before = INT64_MAX, .limit = api_limit(c)};
    uint64_t next = 0;
    if (!api_cursor(c, &page.before)) return;
    page.level = api_level(c);
    (void)api_target_find(&c->target, "rule", &page.rule);
    buf_puts(&c->out, "{\"alerts\":[");
    if (!db || state_read_older(db, &page, &next, list_alert, &listing) != 0) {
        api_db_failed(c);
        return;
    }
    buf_putc(&c->out, ']');
    if (next) api_put_next(c, next);
    buf_puts(&c->out, "}\n");
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

static bool put_whole(void *ctx, const struct state_alert *a)
{
    struct api_call *c = ctx;
    buf_putc(&c->out, '{');
    put_members(&c->out, a);
    json_write_key(&c->out, "found");
    buf_put(&c->out, slice_trim(a->line));
    buf_puts(&c->out, "}\n");
    return true;
}

/* That it is looked at is written down; then it is read, as it is then. */
void api_alert_looked(struct api_call *c)
{
    struct db *db = api_db(c->api);
    if (!db || state_read_alert(db, c->tenant, c->position, put_whole, c) != 0) api_db_failed(c);
    else if (c->out.len == 0) api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    else api_answer(c, MHD_HTTP_OK, API_JSON);
}

static bool is_there(void *ctx, const struct state_alert *a)
{
    (void)a;
    *(bool *)ctx = true;
    return false;
}

static void look(struct api_call *c)
{
    const struct api_out *out = &c->api->options.out;
    char what[48];
    struct slice purpose;
    int n = snprintf(what, sizeof what, "alert %llu", (unsigned long long)c->position);
    if (!api_purpose(c, &purpose)) return;
    const struct api_look m = {
        .name = c->who->name, .purpose = purpose, .what = slice_make(what, (size_t)n)};
    if (out->look(out->ctx, c->id, &m) != 0) api_refuse_for(c, API_PROBLEM_BUSY, 1);
    else api_wait(c, WAIT_LOOK);
}

void api_alert(struct api_call *c)
{
    struct db *db = api_db(c->api);
    bool there = false;
    uint64_t id;
    if (!slice_to_u64(c->match.values[0], &id) || id > INT64_MAX) {
        api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
        return;
    }
    c->position = id;
    if (!db || state_read_alert(db, c->tenant, id, is_there, &there) != 0) api_db_failed(c);
    else if (!there) api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    else look(c);
}

struct place {
    uint64_t seq, last;
    bool there;
};

/* What Vaka says of itself or of a source is of no record, whatever its number. */
static bool is_of_record(struct slice line)
{
    struct slice value;
    uint64_t n;
    if (json_find_member(line, "correlation", NULL, &value) && json_is_object(value)) return true;
    return json_find_member(line, "source", NULL, &value) && json_is_object(value) &&
           json_find_member(value, "record", NULL, &value) && slice_to_u64(value, &n);
}

static bool take_place(void *ctx, const struct state_alert *a)
{
    *(struct place *)ctx = (struct place){a->seq, a->last_seq, is_of_record(slice_trim(a->line))};
    return false;
}

/* The records themselves another process reads, and writes down before that who looks. */
static void show_record(struct api_call *c, uint64_t id, const struct place *p)
{
    char said[96], query[64];
    struct api_find m = {.what = API_FIND_RECORD,
                         .tenant = c->tenant,
                         .user = c->user,
                         .name = c->who->name,
                         .from = INT64_MIN,
                         .to = INT64_MAX};
    int n = snprintf(query, sizeof query, "%llu", (unsigned long long)p->seq);
    if (p->last > p->seq)
        n += snprintf(query + n, sizeof query - (size_t)n, " %llu", (unsigned long long)p->last);
    m.said = slice_make(said, (size_t)snprintf(said, sizeof said, "alert %llu, record %s",
                                               (unsigned long long)id, query));
    if (!c->veiled) n += snprintf(query + n, sizeof query - (size_t)n, " bytes");
    m.query = slice_make(query, (size_t)n);
    if (api_purpose(c, &m.purpose)) api_find_begin(c, &m);
}

void api_alert_record(struct api_call *c)
{
    struct db *db = api_db(c->api);
    struct place p = {.there = false};
    uint64_t id;
    if (!slice_to_u64(c->match.values[0], &id) || id > INT64_MAX)
        api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    else if (!db || state_read_alert(db, c->tenant, id, take_place, &p) != 0) api_db_failed(c);
    else if (!p.there) api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    else show_record(c, id, &p);
}
