/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/openapi.h"

#include "base/json_write.h"
#include "web/endpoint.h"
#include "web/problem.h"

static void put_flag(struct buf *out, const char *key, bool value)
{
    json_write_key(out, key);
    buf_puts(out, value ? "true" : "false");
}

static void put_text(struct buf *out, const char *key, const char *value)
{
    json_write_member_string(out, key, slice_of(value));
}

static void open_object(struct buf *out, const char *key)
{
    json_write_key(out, key);
    buf_putc(out, '{');
}

static void put_reference(struct buf *out, const char *where, const char *name)
{
    json_write_key(out, "$ref");
    buf_printf(out, "\"#/components/%s/%s\"", where, name);
}

/* Between the elements of an array. */
static void put_comma(struct buf *out)
{
    char last = out->len ? out->ptr[out->len - 1] : '[';
    if (last != '[' && last != '{') buf_putc(out, ',');
}

/* ---- parameters -------------------------------------------------------------------------- */

/* {name} of a path. */
static void put_path_parameters(struct buf *out, const char *path)
{
    struct slice rest = slice_of(path), name;
    while (slice_split(rest, '{', &name, &rest)) {
        (void)slice_split(rest, '}', &name, &rest);
        put_comma(out);
        buf_putc(out, '{');
        json_write_member_string(out, "name", name);
        put_text(out, "in", "path");
        put_flag(out, "required", true);
        open_object(out, "schema");
        put_text(out, "type", "string");
        json_write_member_u64(out, "minLength", 1);
        json_write_member_u64(out, "maxLength", 128);
        buf_puts(out, "}}");
    }
}

static void put_choices(struct buf *out, const char *choices)
{
    struct slice rest = slice_of(choices), word;
    bool more = true;
    json_write_key(out, "enum");
    buf_putc(out, '[');
    while (more) {
        more = slice_split(rest, '|', &word, &rest);
        put_comma(out);
        json_write_string(out, word);
    }
    buf_putc(out, ']');
}

static void put_query_parameter(struct buf *out, const struct api_parameter_row *p)
{
    put_comma(out);
    buf_putc(out, '{');
    put_text(out, "name", p->name);
    put_text(out, "in", "query");
    put_text(out, "description", p->text);
    open_object(out, "schema");
    put_text(out, "type", p->most ? "integer" : "string");
    if (p->most) json_write_member_u64(out, "minimum", (uint64_t)p->least);
    if (p->most) json_write_member_u64(out, "maximum", (uint64_t)p->most);
    if (!p->most) json_write_member_u64(out, "minLength", 1);
    if (!p->most) json_write_member_u64(out, "maxLength", 512);
    if (p->choices) put_choices(out, p->choices);
    buf_puts(out, "}}");
}

static void put_header_parameter(struct buf *out, const char *name)
{
    put_comma(out);
    buf_putc(out, '{');
    put_reference(out, "parameters", name);
    buf_putc(out, '}');
}

/* What is done to an incident. */
static bool is_act(const struct api_endpoint *e)
{
    return e->body && slice_starts_with(slice_of(e->body), SLICE("Act"));
}

static void put_parameters(struct buf *out, const struct api_endpoint *e)
{
    json_write_key(out, "parameters");
    buf_putc(out, '[');
    put_path_parameters(out, e->path);
    for (unsigned p = 0; p < PARAMETER_COUNT; p++)
        if (e->parameters & 1u << p) put_query_parameter(out, &api_parameters[p]);
    bool anybody = api_endpoint_right(e) == RIGHT_ANYBODY;
    if (!anybody) put_header_parameter(out, "Tenant");
    if (api_endpoint_is_once(e)) put_header_parameter(out, "IdempotencyKey");
    if (e->method == API_GET && e->kind == ANSWER_JSON) put_header_parameter(out, "IfNoneMatch");
    if (is_act(e)) put_header_parameter(out, "IfMatch");
    if (e->kind == ANSWER_EVENTS) put_header_parameter(out, "LastEventId");
    buf_putc(out, ']');
}

/* ---- answers ----------------------------------------------------------------------------- */

static void put_success(struct buf *out, const struct api_endpoint *e)
{
    open_object(out, "200");
    put_text(out, "description", "It was done.");
    open_object(out, "content");
    open_object(out, api_answer_type(e->kind));
    open_object(out, "schema");
    if (e->answer) put_reference(out, "schemas", e->answer);
    else put_text(out, "type", "string");
    buf_puts(out, "}}}}");
}

/* Whether it may answer with this status. */
static bool may_answer(const struct api_endpoint *e, unsigned status)
{
    unsigned right = api_endpoint_right(e);
    bool anybody = right == RIGHT_ANYBODY, changes = e->method != API_GET;
    bool action = e->action != ACTION_COUNT;
    switch (status) {
    case 200:
    case 400:
    case 401:
    case 429:
    case 503:
        return true;
    case 403:
        return !anybody || changes;
    case 304:
        return !changes && e->kind == ANSWER_JSON;
    case 404:
        /* There may be no plan of who is on call. */
        if (e->kind == ANSWER_LINES || e->kind == ANSWER_PIECES ||
            strncmp(e->path, "/oncall/", 8) == 0)
            return true;
        return strchr(e->path, '{') != NULL ||
               (action && (changes || (e->parameters & WITH(NAME))));
    case 409:
        return api_endpoint_is_once(e) || action;
    case 412:
        return is_act(e);
    case 422:
        return api_endpoint_is_once(e);
    case 413:
    case 415:
        return e->body != NULL;
    default:
        return false;
    }
}

static void put_answers(struct buf *out, const struct api_endpoint *e)
{
    open_object(out, "responses");
    put_success(out, e);
    if (may_answer(e, 304)) {
        open_object(out, "304");
        put_text(out, "description", "It is as it was.");
        buf_putc(out, '}');
    }
    for (unsigned status = 400; status < 600; status++) {
        if (!may_answer(e, status)) continue;
        char key[16];
        (void)snprintf(key, sizeof key, "%u", status);
        open_object(out, key);
        put_reference(out, "responses", "Problem");
        buf_putc(out, '}');
    }
    buf_putc(out, '}');
}

/* ---- endpoints --------------------------------------------------------------------------- */

static const char *right_word(unsigned right)
{
    return right == RIGHT_ANYBODY    ? "anybody"
           : right == RIGHT_SOMEBODY ? "somebody"
                                     : right_name(right);
}

static const char *type_of_body(const struct api_endpoint *e)
{
    return api_endpoint_takes_form(e)   ? "application/x-www-form-urlencoded"
           : api_endpoint_takes_file(e) ? "application/zip"
                                        : "application/json";
}

static void put_endpoint(struct buf *out, const struct api_endpoint *e)
{
    static const char *const methods[API_METHOD_COUNT] = {
#define X(id, word) [API_##id] = word,
        API_METHODS(X)
#undef X
    };
    unsigned right = api_endpoint_right(e);
    open_object(out, methods[e->method]);
    put_text(out, "operationId", e->id);
    put_text(out, "description", e->text);
    put_text(out, "x-right", right_word(right));
    if (right == RIGHT_ANYBODY) {
        json_write_key(out, "security");
        buf_puts(out, "[]");
    }
    put_parameters(out, e);
    if (e->body) {
        open_object(out, "requestBody");
        put_flag(out, "required", true);
        open_object(out, "content");
        open_object(out, type_of_body(e));
        open_object(out, "schema");
        put_reference(out, "schemas", e->body);
        buf_puts(out, "}}}}");
    }
    put_answers(out, e);
    buf_putc(out, '}');
}

/* All methods of a path together, where it stands first. */
static void put_path(struct buf *out, size_t first)
{
    const char *path = api_endpoints[first].path;
    for (size_t i = 0; i < first; i++)
        if (strcmp(api_endpoints[i].path, path) == 0) return;
    open_object(out, path);
    for (size_t i = first; i < api_n_endpoints; i++)
        if (strcmp(api_endpoints[i].path, path) == 0) put_endpoint(out, &api_endpoints[i]);
    buf_putc(out, '}');
}

/* ---- the document ------------------------------------------------------------------------ */

static void put_header(struct buf *out, const char *id, const char *name, const char *text)
{
    open_object(out, id);
    put_text(out, "name", name);
    put_text(out, "in", "header");
    put_text(out, "description", text);
    buf_puts(out, ",\"schema\":{\"type\":\"string\"}}");
}

static void put_problem_types(struct buf *out)
{
    json_write_key(out, "x-problems");
    buf_putc(out, '[');
    for (unsigned i = 0; i < API_PROBLEM_COUNT; i++) {
        put_comma(out);
        buf_printf(out, "\"urn:vaka:problem:%s\"", api_problem_word(i));
    }
    buf_putc(out, ']');
}

static void put_components(struct buf *out)
{
    open_object(out, "components");
    open_object(out, "parameters");
    put_header(out, "Tenant", "X-Vaka-Tenant",
               "The number of the tenant that is meant, for who has roles in several.");
    put_header(
        out, "IdempotencyKey", "Idempotency-Key",
        "At most 128 bytes; the same request with it is done once, and answered alike, for a "
        "day.");
    put_header(out, "IfNoneMatch", "If-None-Match", "The ETag of what is known already.");
    put_header(out, "IfMatch", "If-Match", "The ETag of the version that is meant.");
    put_header(out, "LastEventId", "Last-Event-ID", "The id of the last event that came.");
    buf_putc(out, '}');
    buf_puts(out, ",\"responses\":{\"Problem\":{\"description\":\"What is wrong, by RFC 9457; with "
                  "429 and 503 Retry-After says when it may go.\",\"content\":{"
                  "\"application/problem+json\":{\"schema\":{"
                  "\"$ref\":\"#/components/schemas/Problem\"}}}}}");
    buf_puts(out, ",\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
                  "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"__Host-vaka\"}}");
    json_write_key(out, "schemas");
    buf_put(out, slice_trim(openapi_files[0].text));
    buf_putc(out, '}');
}

void openapi_write(struct buf *out)
{
    buf_puts(out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Vaka\",\"version\":\"1\","
                  "\"license\":{\"name\":\"EUPL-1.2\",\"identifier\":\"EUPL-1.2\"}},"
                  "\"servers\":[{\"url\":\"" API_ROOT "\"}],"
                  "\"security\":[{\"token\":[]},{\"session\":[]}]");
    put_problem_types(out);
    open_object(out, "paths");
    for (size_t i = 0; i < api_n_endpoints; i++) put_path(out, i);
    buf_putc(out, '}');
    put_components(out);
    buf_puts(out, "}\n");
}
