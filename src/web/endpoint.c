/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/endpoint.h"

#include "desk/desk.h"
#include "web/run.h"

const struct api_parameter_row api_parameters[PARAMETER_COUNT] = {
#define X(id, name, least, most, choices, text)                                                    \
    [PARAMETER_##id] = {name, least, most, choices, text},
    API_PARAMETERS(X)
#undef X
};

/* The right of each act. */
enum {
#define X(name, right, to, text, undo) ACT_##name = RIGHT_##right,
    DESK_ACTS(X)
#undef X
};

const struct api_endpoint api_endpoints[] = {
#define ENDPOINT(id, method, path, right, function, parameters, body, answer, kind, text)          \
    {#id,  API_##method, path,          right, function, ACTION_COUNT, (parameters),               \
     body, answer,       ANSWER_##kind, text,  0,        NULL},
#define ACCOUNT(id, method, path, action, parameters, body, answer, text)                          \
    {#id,          API_##method, path,   RIGHT_SOMEBODY, api_manage, ACTION_##action,              \
     (parameters), body,         answer, ANSWER_JSON,    text,       0,                            \
     NULL},
#define DEED(id, method, path, right, to, deed, parameters, body, answer, text)                    \
    {#id,  API_##method, path,        right, api_deed,      ACTION_COUNT, (parameters),            \
     body, answer,       ANSWER_JSON, text,  API_DEED_##to, deed},
#define ACT(name, id, body, text)                                                                  \
    {id,          API_POST, "/incidents/{incident}/" #name,                                        \
     ACT_##name,  api_act,  ACTION_COUNT,                                                          \
     0,           body,     "Incident",                                                            \
     ANSWER_JSON, text,     0,                                                                     \
     NULL},
#define ANYBODY  RIGHT_ANYBODY
#define SOMEBODY RIGHT_SOMEBODY
#include "web/endpoints.tbl"
#undef SOMEBODY
#undef ANYBODY
#undef ACT
#undef DEED
#undef ACCOUNT
#undef ENDPOINT
};
const size_t api_n_endpoints = sizeof api_endpoints / sizeof *api_endpoints;

const char *api_answer_type(enum api_answer kind)
{
    return kind == ANSWER_EVENTS  ? "text/event-stream"
           : kind == ANSWER_LINES ? "application/x-ndjson"
                                  : "application/json";
}

bool api_endpoint_is_once(const struct api_endpoint *e)
{
    return e->method != API_GET && e->kind == ANSWER_JSON && api_endpoint_right(e) != RIGHT_ANYBODY;
}

bool api_endpoint_takes_form(const struct api_endpoint *e)
{
    return e->body && slice_starts_with(slice_of(e->body), SLICE("Form"));
}

bool api_endpoint_takes_file(const struct api_endpoint *e)
{
    return e->body && slice_starts_with(slice_of(e->body), SLICE("File"));
}

static const char *const methods[API_METHOD_COUNT] = {
#define X(id, word) [API_##id] = #id,
    API_METHODS(X)
#undef X
};

const char *api_method_word(enum api_method method)
{
    return methods[method];
}

enum api_method api_method_read(const char *text)
{
    if (strcmp(text, "HEAD") == 0) return API_GET;
    for (unsigned i = 0; i < API_METHOD_COUNT; i++)
        if (strcmp(text, methods[i]) == 0) return i;
    return API_METHOD_COUNT;
}

unsigned api_endpoint_right(const struct api_endpoint *e)
{
    unsigned right = e->action == ACTION_COUNT ? e->right : action_right(e->action);
    return right == RIGHT_OWN ? RIGHT_SOMEBODY : right;
}

/* ---- paths ------------------------------------------------------------------------------- */

static bool takes(struct slice pattern, struct slice segment, struct api_match *m)
{
    if (pattern.len == 0 || pattern.ptr[0] != '{') return slice_eq(pattern, segment);
    if (segment.len == 0 || segment.len > 128) return false;
    m->names[m->n] = slice_make(pattern.ptr + 1, pattern.len - 2);
    m->values[m->n++] = segment;
    return true;
}

/* The segments of API_ROOT are the first two. */
static bool fits(const struct api_endpoint *e, const struct api_target *t, struct api_match *m)
{
    struct slice rest = slice_from(slice_of(e->path), 1), pattern;
    bool more = true;
    m->n = 0;
    for (uint32_t i = 2; more; i++) {
        more = slice_split(rest, '/', &pattern, &rest);
        if (i >= t->n_segments || !takes(pattern, t->segments[i], m)) return false;
        if (!more && i + 1 != t->n_segments) return false;
    }
    return true;
}

bool api_endpoint_find(const struct api_target *t, enum api_method method, struct api_match *ret)
{
    struct api_match m = {0};
    *ret = (struct api_match){0};
    if (t->n_segments < 3 || !slice_eq(t->segments[0], SLICE("api")) ||
        !slice_eq(t->segments[1], SLICE("v1")))
        return false;
    for (size_t i = 0; i < api_n_endpoints; i++) {
        if (!fits(&api_endpoints[i], t, &m)) continue;
        unsigned before = ret->methods;
        if (api_endpoints[i].method == method) {
            *ret = m;
            ret->endpoint = &api_endpoints[i];
        }
        ret->methods = before | 1u << api_endpoints[i].method;
    }
    return ret->methods != 0;
}

/* ---- parameters -------------------------------------------------------------------------- */

static bool is_choice(const char *choices, struct slice value)
{
    struct slice rest = slice_of(choices), word;
    bool more = true;
    while (more) {
        more = slice_split(rest, '|', &word, &rest);
        if (slice_eq(word, value)) return true;
    }
    return false;
}

static int check_value(const struct api_parameter_row *p, struct slice value, struct diag *diag)
{
    int64_t n;
    if (p->choices && !is_choice(p->choices, value))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "one of %s", p->choices);
    if (p->most && (!slice_to_i64(value, &n) || n < p->least || n > p->most))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "a number from %lld to %lld",
                        (long long)p->least, (long long)p->most);
    if (value.len == 0 || value.len > 512)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "from 1 to 512 bytes");
    return 0;
}

int api_endpoint_check(const struct api_endpoint *e, const struct api_target *t,
                       struct slice *ret_name, struct diag *diag)
{
    for (uint32_t i = 0; i < t->n_query; i++) {
        unsigned p = 0;
        *ret_name = t->query[i].name;
        while (p < PARAMETER_COUNT && !slice_eq(slice_of(api_parameters[p].name), *ret_name)) p++;
        if (p == PARAMETER_COUNT || !(e->parameters & 1u << p))
            return diag_set(diag, ERR_INVALID, NULL, 0, 0, "there is no such parameter here");
        int error = check_value(&api_parameters[p], t->query[i].value, diag);
        if (error) return error;
    }
    return 0;
}
