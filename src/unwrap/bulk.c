/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Elasticsearch's _bulk (8.x, REST API, "Bulk API"): a line that says what to do, and for all but
 * `delete` a line with the document.
 *
 *     {"create":{"_index":"logs-x","_id":"1"}}
 *     {"@timestamp":"…","message":"…"}
 *
 * `index` and `create` give a record each, whose context is the action line. What is kept is never
 * changed: `delete` and `update` are refused, each with an item of its own, as a version conflict
 * would be. The answer is Elasticsearch's: took, errors, and an item with a status for each action,
 * in order, which is how clients tell what to send again. A body in which actions cannot be told
 * from documents is refused whole, before a record of it is taken, as Elasticsearch does.
 */
#include "base/json_read.h"
#include "base/json_write.h"
#include "unwrap/internal.h"

enum { NAME_LEN_MAX = 512 };

struct action {
    struct slice line;  /* all of it */
    struct slice name;  /* index, create, update, delete */
    struct slice index; /* JSON strings with their quotes, or empty */
    struct slice id;
    struct slice document; /* empty for delete */
};

void bulk_answer_error(struct unwrap_answer *a, unsigned status, const char *text)
{
    static const char type[] = "illegal_argument_exception";
    a->status = status;
    a->content_type = "application/json";
    a->header = "X-Elastic-Product: Elasticsearch";
    buf_clear(&a->body);
    buf_printf(&a->body, "{\"error\":{\"root_cause\":[{\"type\":\"%s\",\"reason\":", type);
    json_write_string(&a->body, slice_of(text));
    buf_printf(&a->body, "}],\"type\":\"%s\",\"reason\":", type);
    json_write_string(&a->body, slice_of(text));
    buf_printf(&a->body, "},\"status\":%u}", status);
}

/* A string or a number: what _id and _index may be. Longer ones than Elasticsearch's are none. */
static struct slice plain_member(struct slice object, const char *name)
{
    struct slice value;
    if (!json_find_member(object, name, NULL, &value) || value.ptr[0] == '{' ||
        value.ptr[0] == '[' || value.len > NAME_LEN_MAX)
        return SLICE_NONE;
    return value;
}

/* {"create":{…}}: one member that is an object. */
static bool read_action(struct slice line, struct action *ret)
{
    struct json_parts it;
    struct slice name, value;
    *ret = (struct action){.line = slice_trim(line)};
    if (!json_is_object(ret->line)) return false;
    json_parts_init(&it, ret->line);
    if (!json_parts_next(&it, &ret->name, &value) || value.ptr[0] != '{') return false;
    ret->index = plain_member(value, "_index");
    ret->id = plain_member(value, "_id");
    return !json_parts_next(&it, &name, &value);
}

static bool is_blank(struct slice line)
{
    return slice_trim(line).len == 0;
}

/*
 * Takes the next action off *rest. 1, 0 at the end, or ERR_SYNTAX. *number counts lines.
 */
static int next_action(struct slice *rest, uint64_t *number, struct action *ret)
{
    struct slice line, document = SLICE_NONE;
    do {
        if (!line_next(rest, &line)) return 0;
        (*number)++;
    } while (is_blank(line));
    if (!read_action(line, ret)) return ERR_SYNTAX;
    bool known = slice_eq(ret->name, SLICE("index")) || slice_eq(ret->name, SLICE("create")) ||
                 slice_eq(ret->name, SLICE("update"));
    if (!known && !slice_eq(ret->name, SLICE("delete"))) return ERR_SYNTAX;
    if (known) {
        if (!line_next(rest, &document)) return ERR_SYNTAX;
        (*number)++;
    }
    ret->document = slice_trim(document);
    return 1;
}

/* Whether actions and documents can be told apart to the end; *ret_line is where they cannot. */
static bool is_readable(struct slice body, uint64_t *ret_line, uint64_t *ret_actions)
{
    struct action action;
    int rc;
    *ret_line = *ret_actions = 0;
    while ((rc = next_action(&body, ret_line, &action)) == 1) ++*ret_actions;
    return rc == 0;
}

static void put_index(struct buf *out, const struct job *j, struct slice index)
{
    if (index.len) buf_put(out, index);
    else
        json_write_string(out, j->c->target.len && j->c->target.len <= NAME_LEN_MAX
                                   ? j->c->target
                                   : SLICE("records"));
}

/* Documents without a name get one that no other request's has: when and where it came. */
static void put_id(struct buf *out, const struct job *j, const struct action *action, uint64_t at)
{
    if (action->id.len) buf_put(out, action->id);
    else
        buf_printf(out, "\"%016llx-%llx\"", (unsigned long long)j->c->received,
                   (unsigned long long)at);
}

static void begin_item(struct job *j, const struct action *action, uint64_t at)
{
    struct buf *out = &j->a->body;
    buf_puts(out, at ? ",{\"" : "{\"");
    buf_put(out, action->name);
    buf_puts(out, "\":{\"_index\":");
    put_index(out, j, action->index);
    buf_puts(out, ",\"_id\":");
    put_id(out, j, action, at);
}

static void put_taken(struct job *j, const struct action *action, uint64_t at)
{
    begin_item(j, action, at);
    buf_printf(&j->a->body,
               ",\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":1,\"successful\":1,"
               "\"failed\":0},\"_seq_no\":%llu,\"_primary_term\":1,\"status\":201}}",
               (unsigned long long)at);
}

static void put_refused(struct job *j, const struct action *action, uint64_t at,
                        enum unwrap_reason reason)
{
    bool parse = reason == UNWRAP_NOT_OBJECT;
    unsigned status = reason == UNWRAP_TOO_LARGE ? 413 : 400;
    begin_item(j, action, at);
    buf_printf(&j->a->body, ",\"status\":%u,\"error\":{\"type\":\"%s\",\"reason\":", status,
               parse ? "document_parsing_exception" : "illegal_argument_exception");
    json_write_string(&j->a->body, slice_of(unwrap_reason_text(reason)));
    buf_puts(&j->a->body, "}}}");
}

static int take(struct job *j, const struct action *action)
{
    uint64_t at = j->position;
    enum unwrap_reason reason;
    bool keeps = slice_eq(action->name, SLICE("index")) || slice_eq(action->name, SLICE("create"));
    struct slice doc = action->document;
    int rc = JOB_REFUSED;
    if (!keeps) {
        job_refuse(j, reason = UNWRAP_BAD_ACTION);
    } else if (doc.len < 2 || doc.ptr[0] != '{' || doc.ptr[doc.len - 1] != '}') {
        job_refuse(j, reason = UNWRAP_NOT_OBJECT);
    } else {
        rc = job_add(j, RECORD_BULK, doc, action->line, &reason);
    }
    if (rc == 0) put_taken(j, action, at);
    else if (rc == JOB_REFUSED) put_refused(j, action, at, reason);
    return rc == JOB_REFUSED ? 0 : rc;
}

int bulk_unwrap(struct job *j)
{
    uint64_t line, actions;
    if (is_blank(j->body)) {
        bulk_answer_error(j->a, 400, "request body is required");
        return 0;
    }
    if (!is_readable(j->body, &line, &actions)) {
        char text[96];
        (void)snprintf(text, sizeof text, "Malformed action/metadata line [%llu]",
                       (unsigned long long)line);
        bulk_answer_error(j->a, 400, text);
        return 0;
    }
    /* Each would get an item of the answer. */
    if (actions > j->u->options.records_max) {
        bulk_answer_error(j->a, 413, unwrap_reason_text(UNWRAP_TOO_MANY));
        return 0;
    }
    struct slice rest = j->body;
    struct action action;
    int rc = 0;
    while (rc == 0 && next_action(&rest, &line, &action) == 1) rc = take(j, &action);
    if (rc != 0) return rc;
    answer_prepend(j->a, job_refused(j) ? SLICE("{\"took\":0,\"errors\":true,\"items\":[")
                                        : SLICE("{\"took\":0,\"errors\":false,\"items\":["));
    buf_puts(&j->a->body, "]}");
    j->a->status = 200;
    j->a->content_type = "application/json";
    j->a->header = "X-Elastic-Product: Elasticsearch";
    return 0;
}
