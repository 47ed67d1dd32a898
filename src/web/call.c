/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/call.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/utf8.h"
#include "detect/sigma/doc.h"
#include "web/ack.h"
#include "web/console.h"
#include "web/header.h"
#include "wording/wording.h"

enum { FORWARDED_MAX = 16 * 1024, SWEDISH_MAX = 4 * 1024 };

static nsec now_of(const struct api_call *c)
{
    return clock_monotonic(&c->api->options.clock);
}

struct slice api_request_header(const struct api_call *c, const char *name)
{
    return slice_of(MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, name));
}

/* ---- from its beginning ------------------------------------------------------------------ */

struct api_call *api_call_new(struct api *w, struct MHD_Connection *mhd, const char *uri)
{
    struct api_call *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->api = w;
    c->mhd = mhd;
    c->id = ++w->next_call;
    (void)snprintf(c->name, sizeof c->name, "%016llx",
                   (unsigned long long)hash_mix(c->id, w->options.names));
    c->begun = now_of(c);
    c->policy = "default-src 'none'; frame-ancestors 'none'";
    c->caching = "no-store";
    c->target_error = api_target_read(slice_of(uri), &c->target);
    buf_init(&c->body, API_BODY_MAX);
    buf_init(&c->out, API_ANSWER_MAX);
    buf_init(&c->raw, API_ANSWER_MAX);
    buf_init(&c->given, API_TARGET_MAX + API_QUERY_MAX * 1024);
    c->next = w->calls;
    if (w->calls) w->calls->prev = c;
    w->calls = c;
    w->requests++;
    return c;
}

void api_call_free(struct api_call *c)
{
    if (c->once) api_once_end(c->once, 0, SLICE_NONE);
    if (c->listens) c->api->n_listeners--;
    if (c->files) c->api->n_files--;
    if (c->searches) c->api->options.out.cease(c->api->options.out.ctx, c->id);
    if (c->prev) c->prev->next = c->next;
    else c->api->calls = c->next;
    if (c->next) c->next->prev = c->prev;
    /* Passwords, and secrets that are told once. */
    if (c->body.ptr) explicit_bzero(c->body.ptr, c->body.cap);
    if (c->out.ptr) explicit_bzero(c->out.ptr, c->out.cap);
    explicit_bzero(c->proof, sizeof c->proof);
    buf_done(&c->body);
    buf_done(&c->out);
    api_veil_done(c);
    free(c);
}

struct api_call *api_call_find(struct api *w, uint64_t id, enum api_wait waits)
{
    for (struct api_call *c = w->calls; c; c = c->next)
        if (c->id == id && c->waits == waits) return c;
    return NULL;
}

/* ---- answers ----------------------------------------------------------------------------- */

static void resume(struct api_call *c)
{
    MHD_resume_connection(c->mhd);
    httpd_run_soon(&c->api->httpd);
}

void api_answer(struct api_call *c, unsigned status, const char *type)
{
    bool suspended = c->state == CALL_WAITING;
    c->status = status;
    c->type = type;
    if (buf_failed(&c->out)) {
        api_refuse(c, API_PROBLEM_BUSY, "the answer is too large");
        return;
    }
    if (api_veil_answer(c)) return;
    if (c->once) api_once_end(c->once, status, buf_slice(&c->out));
    c->once = NULL;
    c->state = CALL_ANSWERED;
    c->waits = WAIT_NOTHING;
    if (suspended) resume(c);
}

/* What is wrong, in Swedish for who asks for that and where there are words for it. */
static void write_problem(struct api_call *c, enum api_problem problem, struct slice detail,
                          const struct api_place *place)
{
    struct slice language = api_request_header(c, MHD_HTTP_HEADER_ACCEPT_LANGUAGE);
    struct buf swedish;
    buf_init(&swedish, SWEDISH_MAX);
    if (slice_starts_with(language, SLICE("sv")) && wording_swedish(&swedish, detail) &&
        !buf_failed(&swedish))
        detail = buf_slice(&swedish);
    buf_clear(&c->out);
    api_problem_write(&c->out, problem, detail, place, slice_of(c->name));
    buf_done(&swedish);
}

static void refuse(struct api_call *c, enum api_problem problem, const char *detail,
                   const struct api_place *place)
{
    c->api->refused++;
    if (c->endpoint && c->endpoint->kind == ANSWER_PAGE) {
        ack_refuse(c, problem);
        return;
    }
    write_problem(c, problem, slice_of(detail), place);
    /* What was refused may be tried again with the same key. */
    if (c->once) api_once_end(c->once, 0, SLICE_NONE);
    c->once = NULL;
    api_answer(c, api_problem_status(problem), API_PROBLEM_TYPE);
}

void api_refuse(struct api_call *c, enum api_problem problem, const char *detail)
{
    refuse(c, problem, detail, NULL);
}

void api_refuse_member(struct api_call *c, const char *member, const char *detail)
{
    char pointer[128];
    (void)snprintf(pointer, sizeof pointer, "/%s", member);
    refuse(c, API_PROBLEM_BODY, detail, &(struct api_place){.pointer = pointer});
}

void api_refuse_breaches(struct api_call *c, const char *detail, struct slice breaches)
{
    refuse(c, API_PROBLEM_CONFLICT, detail, &(struct api_place){.breaches = breaches});
}

void api_refuse_parameter(struct api_call *c, const char *name, const char *detail)
{
    refuse(c, API_PROBLEM_PARAMETER, detail, &(struct api_place){.parameter = slice_of(name)});
}

void api_refuse_for(struct api_call *c, enum api_problem problem, uint32_t seconds)
{
    api_header(c, "Retry-After", "%u", seconds ? seconds : 1);
    api_refuse(c, problem, NULL);
}

void api_refuse_busy(struct api_call *c, enum api_problem problem, const char *detail)
{
    api_header(c, "Retry-After", "1");
    api_refuse(c, problem, detail);
}

void api_wait(struct api_call *c, enum api_wait what)
{
    c->waits = what;
}

void api_header(struct api_call *c, const char *name, const char *fmt, ...)
{
    va_list ap;
    ASSERT(c->n_headers < API_HEADERS_MAX);
    va_start(ap, fmt);
    (void)vsnprintf(c->headers[c->n_headers].value, sizeof c->headers[0].value, fmt, ap);
    va_end(ap);
    c->headers[c->n_headers++].name = name;
}

/* ---- what is said to MHD ----------------------------------------------------------------- */

static const char *const always[][2] = {
    {"Strict-Transport-Security", "max-age=63072000; includeSubDomains"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
};

static bool put_header(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool put_headers(struct api_call *c, struct MHD_Response *response)
{
    bool good = put_header(response, "X-Request-Id", c->name) &&
                put_header(response, "Content-Security-Policy", c->policy) &&
                put_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, c->caching);
    for (size_t i = 0; i < sizeof always / sizeof *always && good; i++)
        good = put_header(response, always[i][0], always[i][1]);
    if (good && c->type) good = put_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, c->type);
    for (size_t i = 0; i < c->n_headers && good; i++)
        good = put_header(response, c->headers[i].name, c->headers[i].value);
    if (good && c->closes) good = put_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return good;
}

/* What was read has a tag; who has it already is told so. */
static void tag(struct api_call *c)
{
    if (c->method != API_GET || c->status != MHD_HTTP_OK) return;
    bool own = c->tag[0] != '\0';
    if (!own)
        (void)snprintf(c->tag, sizeof c->tag, "\"%016llx\"",
                       (unsigned long long)hash64(buf_slice(&c->out)));
    api_header(c, MHD_HTTP_HEADER_ETAG, "%s", c->tag);
    struct slice known = api_request_header(c, MHD_HTTP_HEADER_IF_NONE_MATCH);
    /* The version says nothing of who is shown by which name. */
    if (known.len == 0 || (own && c->veiled) || !header_has_tag(known, slice_of(c->tag))) return;
    buf_clear(&c->out);
    c->status = MHD_HTTP_NOT_MODIFIED;
    c->type = NULL;
}

static ssize_t read_stream(void *ctx, uint64_t at, char *to, size_t size)
{
    struct api_call *c = ctx;
    (void)at;
    if (c->gone) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (c->sent == c->out.len) {
        buf_clear(&c->out);
        c->sent = 0;
        if (!c->ended && c->raw.len == 0) c->more(c);
        api_veil_stream(c);
    }
    struct slice rest = slice_until(slice_from(buf_slice(&c->out), c->sent), size);
    if (rest.len) {
        memcpy(to, rest.ptr, rest.len);
        c->sent += rest.len;
        return (ssize_t)rest.len;
    }
    if (c->ended && c->raw.len == 0) return MHD_CONTENT_READER_END_OF_STREAM;
    MHD_suspend_connection(c->mhd);
    c->suspended = true;
    return 0;
}

static struct MHD_Response *make_response(struct api_call *c)
{
    if (c->more)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 * 1024, read_stream, c, NULL);
    return MHD_create_response_from_buffer(c->out.len, c->out.ptr, MHD_RESPMEM_MUST_COPY);
}

enum MHD_Result api_call_answer(struct api_call *c)
{
    if (!c->more) tag(c);
    struct MHD_Response *response = make_response(c);
    if (!response) return MHD_NO;
    enum MHD_Result result =
        put_headers(c, response) ? MHD_queue_response(c->mhd, c->status, response) : MHD_NO;
    MHD_destroy_response(response);
    c->state = c->more ? CALL_STREAMING : CALL_SENT;
    return result;
}

void api_stream(struct api_call *c, const char *type, void (*more)(struct api_call *c))
{
    c->more = more;
    c->spoke = now_of(c);
    api_answer(c, MHD_HTTP_OK, type);
}

void api_stream_wake(struct api_call *c)
{
    if (c->state != CALL_STREAMING || !c->suspended) return;
    c->suspended = false;
    resume(c);
}

void api_call_give_up(struct api_call *c)
{
    c->gone = true;
    if (c->state == CALL_WAITING) {
        c->state = CALL_ANSWERED;
        c->waits = WAIT_NOTHING;
        resume(c);
    } else {
        api_stream_wake(c);
    }
}

/* ---- the head ---------------------------------------------------------------------------- */

/* A token before a cookie: who sends one means it. */
static void read_proof(struct api_call *c)
{
    struct slice value = api_request_header(c, MHD_HTTP_HEADER_AUTHORIZATION), proof = SLICE_NONE;
    if (!header_bearer(value, &proof) && value.len == 0)
        c->cookie =
            header_cookie(api_request_header(c, MHD_HTTP_HEADER_COOKIE), SLICE(API_COOKIE), &proof);
    if (proof.len >= sizeof c->proof || !slice_is_plain(proof, "-_")) return;
    if (proof.len) memcpy(c->proof, proof.ptr, proof.len);
    c->proof_len = proof.len;
}

struct counted {
    unsigned lengths, encodings, hosts;
};

static enum MHD_Result count_header(void *ctx, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct counted *n = ctx;
    struct slice s = slice_of(name);
    (void)kind;
    (void)value;
    n->lengths += slice_eq_nocase(s, SLICE("content-length"));
    n->encodings += slice_eq_nocase(s, SLICE("transfer-encoding"));
    n->hosts += slice_eq_nocase(s, SLICE("host"));
    return MHD_YES;
}

/* Where a body ends is said once, or two servers would see two requests. */
static bool is_plain(const struct api_call *c, struct counted *ret)
{
    *ret = (struct counted){0};
    (void)MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, count_header, ret);
    return ret->lengths + ret->encodings <= 1 && ret->hosts == 1;
}

/*
 * A browser says where a request comes from (Sec-Fetch-Site, Origin); a cookie alone proves nothing
 * when another site made it. Both are asked, and the mark that only a page of ours can read.
 */
static bool is_cross_site(const struct api_call *c)
{
    struct slice site = api_request_header(c, "Sec-Fetch-Site");
    struct slice origin = api_request_header(c, "Origin");
    struct slice host = api_request_header(c, MHD_HTTP_HEADER_HOST);
    if (site.len && !slice_eq(site, SLICE("same-origin")) &&
        !(slice_eq(site, SLICE("none")) && c->method == API_GET))
        return true;
    return origin.len > 0 && !header_is_own(origin, host);
}

static bool has_mark(const struct api_call *c)
{
    return api_mark_is(c->api->options.secret, "csrf", slice_make(c->proof, c->proof_len),
                       api_request_header(c, "X-CSRF-Token"));
}

static void put_allow(struct api_call *c)
{
    char text[64] = "OPTIONS";
    for (unsigned i = 0; i < API_METHOD_COUNT; i++) {
        if (!(c->match.methods & 1u << i)) continue;
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, ", %s%s", api_method_word(i),
                       i == API_GET ? ", HEAD" : "");
    }
    api_header(c, MHD_HTTP_HEADER_ALLOW, "%s", text);
}

static void refuse_unknown(struct api_call *c)
{
    api_header(c, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"vaka\"");
    api_refuse(c, API_PROBLEM_UNAUTHORIZED, NULL);
}

/* Path and method; without credentials nobody hears which there are. */
static void find_endpoint(struct api_call *c, const char *method)
{
    c->method = api_method_read(method);
    if (slice_eq(c->target.segments[0], SLICE("ack"))) {
        ack_find(c);
        return;
    }
    if (!slice_eq(c->target.segments[0], SLICE("api"))) {
        console_answer(c);
        return;
    }
    bool found = api_endpoint_find(&c->target, c->method, &c->match);
    const struct api_endpoint *e = c->endpoint = c->match.endpoint;
    bool anybody = e && api_endpoint_right(e) == RIGHT_ANYBODY;
    if (!anybody && c->proof_len == 0) {
        refuse_unknown(c);
    } else if (!found) {
        api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    } else if (strcmp(method, "OPTIONS") == 0) {
        put_allow(c);
        api_answer(c, MHD_HTTP_NO_CONTENT, NULL);
    } else if (!e) {
        put_allow(c);
        api_refuse(c, API_PROBLEM_METHOD, NULL);
    }
}

/* What a body has to be. */
static bool is_type_right(const struct api_endpoint *e, struct slice type)
{
    return api_endpoint_takes_form(e)   ? header_is_form(type)
           : api_endpoint_takes_file(e) ? header_is_zip(type)
                                        : header_is_json(type);
}

static size_t most_of(const struct api_endpoint *e)
{
    return api_endpoint_takes_form(e)   ? API_FORM_MAX
           : api_endpoint_takes_file(e) ? API_FILE_MAX
                                        : API_BODY_MAX;
}

/* A file is in memory before it is known who sends it: a few at a time. */
static void begin_file(struct api_call *c)
{
    if (c->api->n_files == API_FILES_MAX) {
        c->closes = true;
        api_refuse_busy(c, API_PROBLEM_BUSY, "as many files as may come at once do");
        return;
    }
    c->files = true;
    c->api->n_files++;
    buf_done(&c->body);
    buf_init(&c->body, API_FILE_MAX);
}

static void check_body(struct api_call *c, const struct counted *n)
{
    uint64_t len = 0;
    struct slice given = api_request_header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);
    bool sized = n->lengths > 0 && slice_to_u64(given, &len);
    bool has = n->encodings > 0 || len > 0, form = api_endpoint_takes_form(c->endpoint);
    struct slice type = api_request_header(c, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (n->lengths && !sized) api_refuse(c, API_PROBLEM_MALFORMED, "Content-Length");
    else if (len > most_of(c->endpoint)) api_refuse(c, API_PROBLEM_TOO_LARGE, NULL);
    else if (has && !c->endpoint->body)
        api_refuse(c, API_PROBLEM_MALFORMED, "there is nothing to say in a body");
    else if (c->endpoint->body && !is_type_right(c->endpoint, type))
        api_refuse(c, API_PROBLEM_MEDIA_TYPE, form ? "it has to be a form here" : NULL);
    else if (api_endpoint_takes_file(c->endpoint)) begin_file(c);
    if (c->state == CALL_ANSWERED && has) c->closes = true;
}

static enum MHD_Result add_forwarded(void *ctx, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    struct buf *all = ctx;
    (void)kind;
    if (!slice_eq_nocase(slice_of(name), SLICE("X-Forwarded-For"))) return MHD_YES;
    if (all->len) buf_putc(all, ',');
    buf_puts(all, value ? value : "");
    return MHD_YES;
}

/* Some proxies add a header of their own behind the one that they were given. */
static void find_from(struct api_call *c)
{
    const struct api_proxies *proxies = &c->api->options.proxies;
    struct buf forwarded;
    buf_init(&forwarded, FORWARDED_MAX);
    if (proxies->n)
        (void)MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, add_forwarded, &forwarded);
    api_proxies_find(proxies, slice_of(c->conn->head.address),
                     buf_failed(&forwarded) ? SLICE_NONE : buf_slice(&forwarded), c->from);
    buf_done(&forwarded);
}

void api_call_head(struct api_call *c, const char *method)
{
    struct counted n;
    find_from(c);
    uint32_t wait = api_rate_take(&c->api->by_address, slice_of(c->from), now_of(c));
    c->state = CALL_WORKING;
    read_proof(c);
    if (c->target_error || !is_plain(c, &n)) {
        c->closes = true;
        api_refuse(c, API_PROBLEM_MALFORMED, c->target_error ? "the path or its parameters" : NULL);
    } else if (wait) {
        api_refuse_for(c, API_PROBLEM_RATE, wait);
    } else {
        find_endpoint(c, method);
        if (c->state == CALL_WORKING) check_body(c, &n);
    }
    if (c->state == CALL_WORKING) c->state = CALL_BODY;
}

/* ---- the body ---------------------------------------------------------------------------- */

void api_call_take(struct api_call *c, struct slice bytes)
{
    if (c->state != CALL_BODY) return;
    buf_put(&c->body, bytes);
    if (!buf_failed(&c->body)) return;
    c->closes = true;
    api_refuse(c, API_PROBLEM_TOO_LARGE, NULL);
}

static bool body_is_good(struct api_call *c)
{
    struct slice body = buf_slice(&c->body);
    if (!c->endpoint->body || api_endpoint_takes_form(c->endpoint) || c->files) return true;
    if (utf8_valid(body) && json_is_object(body)) return true;
    api_refuse(c, API_PROBLEM_BODY, "not one JSON object");
    return false;
}

bool api_body_text(struct api_call *c, const char *member, size_t least, size_t most,
                   struct buf *space)
{
    struct slice value;
    bool found = json_find_member(buf_slice(&c->body), member, NULL, &value);
    buf_clear(space);
    if (!found && least == 0) return true;
    if (!found) api_refuse_member(c, member, "missing");
    else if (!json_string_text(value, space)) api_refuse_member(c, member, "not a string");
    else if (buf_failed(space) || space->len < least || space->len > most)
        api_refuse_member(c, member, "too short or too long");
    else return true;
    return false;
}

bool api_purpose(struct api_call *c, struct slice *ret)
{
    *ret = api_request_header(c, "X-Purpose");
    if (ret->len <= API_PURPOSE_MAX && utf8_valid(*ret)) return true;
    api_refuse(c, API_PROBLEM_MALFORMED, "X-Purpose is longer than 1024 bytes, or not UTF-8");
    return false;
}

/* ---- who asks ---------------------------------------------------------------------------- */

void api_call_claim(struct api_call *c)
{
    struct slice asked = api_request_header(c, "X-Vaka-Tenant"),
                 proof = slice_make(c->proof, c->proof_len);
    uint64_t tenant = TENANT_ANY;
    if (asked.len && (!slice_to_u64(asked, &tenant) || tenant >= TENANT_ANY)) {
        api_refuse(c, API_PROBLEM_MALFORMED, "X-Vaka-Tenant is not the number of a tenant");
        return;
    }
    bool token = slice_starts_with(proof, SLICE(API_TOKEN_PREFIX));
    const struct api_claim m = {.kind = token ? CLAIM_TOKEN : CLAIM_SESSION,
                                .tenant = (uint32_t)tenant,
                                .address = slice_of(c->from),
                                .secret = proof};
    if (c->api->options.out.claim(c->api->options.out.ctx, c->id, &m) != 0)
        api_refuse_for(c, API_PROBLEM_BUSY, 1);
    else api_wait(c, WAIT_CLAIM);
}

static bool may(const struct api_call *c)
{
    unsigned right = api_endpoint_right(c->endpoint);
    return right >= RIGHT_COUNT || (c->rights & right_bit(right));
}

/* Who asks for what he has no right to is told, and so is who operates this. */
static void forbid(struct api_call *c)
{
    log_write(LOG_REQUEST_REFUSED, LOG_TEXT("operation", slice_of(c->endpoint->id)),
              LOG_TEXT("right", slice_of(right_name(api_endpoint_right(c->endpoint)))),
              LOG_NUMBER("user", c->user), LOG_NUMBER("tenant", c->tenant),
              LOG_TEXT("address", slice_of(c->from)));
    api_refuse(c, API_PROBLEM_FORBIDDEN, NULL);
}

/* The whole request: the same again is the same. */
static void write_request(const struct api_call *c, struct buf *out)
{
    buf_puts(out, api_method_word(c->method));
    buf_putc(out, ' ');
    buf_put(out, c->target.path);
    for (uint32_t i = 0; i < c->target.n_query; i++) {
        buf_putc(out, '\n');
        buf_put(out, c->target.query[i].name);
        buf_putc(out, '=');
        buf_put(out, c->target.query[i].value);
    }
    buf_puts(out, "\n\n");
    buf_put(out, buf_slice(&c->body));
}

static void mark_once(struct api_call *c, struct slice key, struct slice request)
{
    char text[API_ONCE_KEY_MAX + 48];
    int n = snprintf(text, sizeof text, "%u %llu %.*s", c->tenant, (unsigned long long)c->user,
                     SLICE_FMT(key));
    api_mark_write(c->api->options.secret, "once", slice_make(text, (size_t)n), c->once_key);
    api_mark_write(c->api->options.secret, "asked", request, c->once_asked);
}

/* False: there is nothing to do any more. */
static bool is_to_be_done(struct api_call *c)
{
    struct slice key = api_request_header(c, "Idempotency-Key");
    struct api_once_entry *entry = NULL;
    struct buf request;
    if (key.len == 0 || !api_endpoint_is_once(c->endpoint)) return true;
    if (key.len > API_ONCE_KEY_MAX) {
        api_refuse(c, API_PROBLEM_MALFORMED, "Idempotency-Key is longer than 128 bytes");
        return false;
    }
    buf_init(&request, API_TARGET_MAX + API_FILE_MAX + 256);
    write_request(c, &request);
    mark_once(c, key, buf_slice(&request));
    enum api_once_found found =
        api_once_begin(&c->api->once, c->user, key, buf_slice(&request), now_of(c), &entry);
    buf_done(&request);
    switch (found) {
    case API_ONCE_NEW:
        c->once = entry;
        return true;
    case API_ONCE_DONE:
        api_header(c, "Idempotency-Replayed", "true");
        buf_put(&c->out, slice_make(entry->answer, entry->len));
        api_answer(c, entry->status, entry->len ? API_JSON : NULL);
        return false;
    case API_ONCE_OTHER:
        api_refuse(c, API_PROBLEM_KEY_REUSED, NULL);
        return false;
    case API_ONCE_DOING:
        break;
    }
    api_refuse(c, API_PROBLEM_CONFLICT, "the request with this key is being done");
    return false;
}

static bool parameters_are_good(struct api_call *c)
{
    struct api_place place = {0};
    struct diag diag = {0};
    if (api_endpoint_check(c->endpoint, &c->target, &place.parameter, &diag) == 0) return true;
    refuse(c, API_PROBLEM_PARAMETER, diag.message, &place);
    return false;
}

/* Everything is known: what was asked is done. */
static void perform(struct api_call *c)
{
    if (parameters_are_good(c) && body_is_good(c) && api_veil_request(c) && is_to_be_done(c))
        c->endpoint->run(c);
}

static void perform_known(struct api_call *c, const struct api_principal *p)
{
    char user[24];
    int n = snprintf(user, sizeof user, "%llu", (unsigned long long)p->user);
    uint32_t wait = api_rate_take(&c->api->by_user, slice_make(user, (size_t)n), now_of(c));
    c->user = p->user;
    c->rights = p->rights;
    c->tenant = p->tenant;
    c->veiled = p->veiled;
    c->who = p;
    if (wait) api_refuse_for(c, API_PROBLEM_RATE, wait);
    else if (c->cookie && is_cross_site(c)) api_refuse(c, API_PROBLEM_CROSS_SITE, NULL);
    else if (c->cookie && c->method != API_GET && !has_mark(c))
        api_refuse(c, API_PROBLEM_CROSS_SITE, "X-CSRF-Token is not that of the session");
    else if (!may(c)) forbid(c);
    else perform(c);
}

void api_call_claimed(struct api_call *c, const struct api_principal *p)
{
    c->waits = WAIT_NOTHING;
    if (p->status == PRINCIPAL_KNOWN) perform_known(c, p);
    else if (p->status == PRINCIPAL_WAIT) api_refuse_for(c, API_PROBLEM_RATE, p->wait);
    else if (p->status == PRINCIPAL_BUSY || p->status == PRINCIPAL_BROKEN)
        api_refuse_for(c, API_PROBLEM_BUSY, p->wait);
    else refuse_unknown(c);
    c->who = NULL;
}

void api_call_run(struct api_call *c)
{
    c->state = CALL_WORKING;
    if (api_endpoint_right(c->endpoint) != RIGHT_ANYBODY) api_call_claim(c);
    else if (!api_endpoint_takes_form(c->endpoint) && is_cross_site(c))
        api_refuse(c, API_PROBLEM_CROSS_SITE, NULL);
    else perform(c);
    if (c->state != CALL_WORKING) return;
    MHD_suspend_connection(c->mhd);
    c->state = CALL_WAITING;
}

/* ---- lists ------------------------------------------------------------------------------- */

uint32_t api_limit(const struct api_call *c)
{
    struct slice text;
    uint64_t n = 50;
    return api_target_find(&c->target, "limit", &text) && slice_to_u64(text, &n) ? (uint32_t)n : 50;
}

unsigned api_level(const struct api_call *c)
{
    struct slice text;
    enum sigma_level level = LEVEL_NONE;
    if (api_target_find(&c->target, "level", &text) && sigma_level_parse(text, &level))
        return level;
    return LEVEL_NONE;
}

void api_list_name(const struct api_call *c, struct buf *out)
{
    buf_printf(out, "%s %u ", c->endpoint->id, c->tenant);
    buf_put(out, c->target.path);
    for (unsigned p = 0; p < PARAMETER_COUNT; p++) {
        struct slice value;
        if (p == PARAMETER_LIMIT || p == PARAMETER_CURSOR) continue;
        if (!api_target_find(&c->target, api_parameters[p].name, &value)) continue;
        buf_printf(out, "\n%s=", api_parameters[p].name);
        buf_put(out, value);
    }
}

bool api_cursor_place(struct api_call *c, char space[API_PLACE_MAX], struct slice *ret)
{
    struct slice text;
    struct buf list;
    if (!api_target_find(&c->target, "cursor", &text)) return true;
    buf_init(&list, API_TARGET_MAX);
    api_list_name(c, &list);
    bool good = api_cursor_read(text, c->api->options.secret, buf_slice(&list), space, ret);
    buf_done(&list);
    if (!good) api_refuse_cursor(c);
    return good;
}

void api_refuse_cursor(struct api_call *c)
{
    refuse(c, API_PROBLEM_CURSOR, NULL, &(struct api_place){.parameter = SLICE("cursor")});
}

bool api_cursor(struct api_call *c, uint64_t *ret_position)
{
    char space[API_PLACE_MAX];
    struct slice place = SLICE_NONE;
    if (!api_cursor_place(c, space, &place)) return false;
    if (place.len == 0 || slice_to_u64(place, ret_position)) return true;
    api_refuse_cursor(c);
    return false;
}

void api_put_next_place(struct api_call *c, struct slice place)
{
    struct buf list;
    buf_init(&list, API_TARGET_MAX);
    api_list_name(c, &list);
    json_write_key(&c->out, "next");
    buf_putc(&c->out, '"');
    api_cursor_write(&c->out, c->api->options.secret, buf_slice(&list), place);
    buf_putc(&c->out, '"');
    buf_done(&list);
}

void api_put_next(struct api_call *c, uint64_t position)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)position);
    api_put_next_place(c, slice_make(text, (size_t)n));
}

/* ---- time -------------------------------------------------------------------------------- */

void api_call_tick(struct api_call *c, nsec now)
{
    if (c->tick && c->state == CALL_STREAMING) c->tick(c, now);
}
