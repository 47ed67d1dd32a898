/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/request.h"

#include "collect/http.h"
#include "collect/tls.h"

enum {
    SOURCE_MAX = 8192,
    TARGET_MAX = 1024,
    QUERY_MAX = 8192,
    HEADER_MAX = 256,
    REPLY_MAX = 16 * 1024 * 1024,
    BODY_RATE = 1024, /* bytes a second */
};

static nsec now_of(const struct request *r)
{
    return clock_monotonic(&r->core->clock);
}

static void answer(struct request *r, unsigned status, const char *body)
{
    r->state = REQUEST_ANSWERED;
    r->status = status;
    buf_clear(&r->reply);
    buf_clear(&r->reply_type);
    buf_puts(&r->reply, body);
    buf_puts(&r->reply_type, body[0] == '{' ? "application/json" : "text/plain");
}

static void answer_error(struct request *r, unsigned status)
{
    answer(r, status, route_error_body(&r->route, status));
}

/* A request that is refused, counted. */
static void refuse(struct request *r, unsigned status, enum ledger_loss why)
{
    if (r->ledger) {
        r->ledger->requests.received++;
        r->ledger->requests.lost[why]++;
        r->ledger->seen = clock_realtime(&r->core->clock);
    }
    answer_error(r, status);
}

static struct slice header(const struct request *r, const char *name)
{
    return slice_of(MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name));
}

/* ---- the head ---------------------------------------------------------------------------- */

static void put_escaped(struct buf *b, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) buf_putc(b, c);
        else buf_printf(b, "%%%02X", (unsigned char)c);
    }
}

static void put_parameter(struct buf *b, struct slice name, struct slice value)
{
    if (b->len) buf_putc(b, '&');
    put_escaped(b, name);
    buf_putc(b, '=');
    put_escaped(b, value);
}

static enum MHD_Result on_parameter(void *ctx, enum MHD_ValueKind kind, const char *key,
                                    size_t key_len, const char *value, size_t value_len)
{
    struct request *r = ctx;
    (void)kind;
    put_parameter(&r->query, slice_make(key, key_len), slice_make(value, value ? value_len : 0));
    return MHD_YES;
}

static void read_head(struct request *r)
{
    struct slice channel = header(r, "X-Splunk-Request-Channel");
    buf_put(&r->target, r->route.target);
    (void)MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, on_parameter, r);
    if (channel.len) put_parameter(&r->query, SLICE("channel"), channel);
    buf_put(&r->type, header(r, "Content-Type"));
    buf_put(&r->encoding, header(r, "Content-Encoding"));
    buf_put(&r->delivery, header(r, "Idempotency-Key"));
}

static bool head_failed(const struct request *r)
{
    return buf_failed(&r->target) || buf_failed(&r->query) || buf_failed(&r->type) ||
           buf_failed(&r->encoding) || buf_failed(&r->delivery);
}

/* The identity that a certificate proves; false: it showed one that nobody vouches for, or none
 * where one is required. */
static bool read_certificate(struct request *r, struct buf *identity)
{
    if (!r->row->tls || tls_context_client(r->row->tls) == TLS_CLIENT_IGNORED) return true;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    int error = info ? tls_identity(info->tls_session, identity) : ERR_NOT_FOUND;
    if (error == ERR_NOT_FOUND) return tls_context_client(r->row->tls) != TLS_CLIENT_REQUIRED;
    return error == 0;
}

static const struct token *read_token(struct request *r, bool *ret_shown)
{
    char scratch[TOKEN_MAX];
    struct slice secret, value = header(r, "Authorization");
    *ret_shown = value.len > 0;
    if (value.len == 0 || token_read_header(value, scratch, &secret) != 0) return NULL;
    return tokens_find(r->core->tokens, secret);
}

static int introduce(struct request *r, struct slice identity)
{
    const struct record_source source = {.input = slice_of(listen_input_name(r->row->input)),
                                         .listener = r->row->name,
                                         .identity = identity,
                                         .address = slice_of(http_address(r->conn))};
    return core_source(r->core, &source, &r->source, &r->ledger);
}

/* Whether who sends it may; 0, or the status to refuse it with. */
static unsigned authorize(struct request *r)
{
    struct buf certificate;
    bool shown;
    buf_init(&certificate, SOURCE_MAX / 4);
    bool fine = read_certificate(r, &certificate);
    const struct token *token = fine ? read_token(r, &shown) : NULL;
    struct slice identity = token ? token->identity : buf_slice(&certificate);
    unsigned rights = r->row->anyone;
    if (token) rights |= token->rights;
    else if (fine && certificate.len) rights |= r->row->certificate;
    unsigned status = 0;
    if (!fine || (r->route.right & ~rights)) status = fine && !token && !shown ? 401 : 403;
    r->authenticated = fine && identity.len > 0;
    r->tenant = token ? token->tenant : r->row->tenant;
    /* Who is refused is counted where he comes from, not under a name. */
    if (introduce(r, status ? SLICE_NONE : identity) != 0 && !status) status = 403;
    buf_done(&certificate);
    return status;
}

/* ---- entries of a journal ---------------------------------------------------------------- */

static bool may_read(const struct request *r)
{
    return outbox_takes(r->core->outbox, r->ledger) && r->claimant.unacked < r->core->claimant_max;
}

static void suspend(struct request *r, enum request_state state)
{
    r->state = state;
    r->seen = now_of(r);
    MHD_suspend_connection(r->connection);
}

static void resume(struct request *r, enum request_state state)
{
    bool suspended = r->state == REQUEST_WAITING || r->state == REQUEST_PAUSED;
    r->state = state;
    r->seen = now_of(r);
    if (!suspended) return;
    MHD_resume_connection(r->connection);
    http_resume(r->conn);
}

static void answer_later(struct request *r, unsigned status, const char *body)
{
    bool suspended = r->state == REQUEST_WAITING || r->state == REQUEST_PAUSED;
    enum request_state before = r->state;
    answer(r, status, body);
    if (!suspended) return;
    r->state = before;
    resume(r, REQUEST_ANSWERED);
}

static void on_entries_safe(void *ctx, uint64_t n, uint64_t last)
{
    struct request *r = ctx;
    (void)last;
    r->pending -= n;
    if (r->state == REQUEST_PAUSED && may_read(r)) resume(r, REQUEST_BODY);
    else if (r->ended && r->pending == 0 && r->state == REQUEST_WAITING)
        answer_later(r, 200, "OK.\n");
}

static void on_entries_refused(void *ctx)
{
    struct request *r = ctx;
    outbox_forget(r->core->outbox, &r->claimant);
    outbox_leave_line(r->core->outbox, &r->in_line);
    answer_later(r, 503, route_error_body(&r->route, 503));
}

static void on_turn(void *ctx)
{
    struct request *r = ctx;
    if (r->state != REQUEST_PAUSED) return;
    if (!outbox_takes(r->core->outbox, r->ledger)) {
        outbox_stand_in_line(r->core->outbox, &r->in_line, r->ledger);
        return;
    }
    /* The time it waited for its turn is not its own. */
    if (r->received == 0) r->begun = now_of(r);
    resume(r, REQUEST_BODY);
}

/* Before its body: whether it has to wait until its source may send. */
static bool waits_for_turn(struct request *r)
{
    if (r->received > 0 || outbox_takes(r->core->outbox, r->ledger)) return false;
    outbox_stand_in_line(r->core->outbox, &r->in_line, r->ledger);
    suspend(r, REQUEST_PAUSED);
    return true;
}

static int add_entry(struct request *r, const struct piece *piece)
{
    struct slice delivery;
    uint64_t ordinal;
    export_cursor(export_cursor_of(piece->raw), &delivery, &ordinal);
    const struct record record = {
        .raw = piece->raw,
        .source = buf_slice(&r->source),
        .delivery = delivery,
        .received = clock_realtime(&r->core->clock),
        .ordinal = ordinal,
        .format = RECORD_JOURNAL,
        .flags = (uint8_t)(piece->flags | (r->authenticated ? RECORD_AUTHENTICATED : 0))};
    if (piece->reason) r->ledger->odd++;
    int error = outbox_add(r->core->outbox, r->tenant, &record, r->ledger, &r->claimant);
    if (!error) r->pending++;
    return error;
}

/* Takes the entries that are whole. */
static int take_entries(struct request *r)
{
    struct slice rest = buf_slice(&r->body);
    struct piece piece;
    size_t used;
    int n = 0;
    while (n >= 0 && may_read(r)) {
        n = export_protocol.next(&r->export, rest, &r->reply, &used, &piece);
        if (n < 0) break;
        rest = slice_from(rest, used);
        if (n == 0) break;
        n = add_entry(r, &piece);
    }
    buf_consume(&r->body, r->body.len - rest.len);
    return n < 0 ? n : 0;
}

static void take_stream(struct request *r, const char *bytes, size_t *size)
{
    struct slice rest = slice_make(bytes, *size);
    while (rest.len > 0 && r->state == REQUEST_BODY && may_read(r)) {
        struct slice part = slice_until(rest, r->body.max - r->body.len);
        buf_put(&r->body, part);
        rest = slice_from(rest, part.len);
        int error = buf_failed(&r->body) ? ERR_NOMEM : take_entries(r);
        if (!error) continue;
        r->ledger->broken += error == ERR_CORRUPT;
        answer_error(r, error == ERR_CORRUPT ? 400 : 503);
        rest.len = 0;
    }
    *size = rest.len;
    if (r->state != REQUEST_BODY || may_read(r)) return;
    if (!outbox_takes(r->core->outbox, r->ledger))
        outbox_stand_in_line(r->core->outbox, &r->in_line, r->ledger);
    suspend(r, REQUEST_PAUSED);
}

static void end_stream(struct request *r)
{
    struct piece piece;
    int error = take_entries(r);
    if (!error && !r->ended && r->body.len > 0 && !may_read(r)) {
        if (!outbox_takes(r->core->outbox, r->ledger))
            outbox_stand_in_line(r->core->outbox, &r->in_line, r->ledger);
        suspend(r, REQUEST_PAUSED);
        return;
    }
    if (!error && !r->ended && export_protocol.finish(&r->export, buf_slice(&r->body), &piece) == 1)
        error = add_entry(r, &piece);
    r->ended = true;
    buf_clear(&r->body);
    if (error) answer_error(r, error == ERR_CORRUPT ? 400 : 503);
    else if (r->pending == 0) answer(r, 200, "OK.\n");
    else suspend(r, REQUEST_WAITING);
}

/* ---- bodies ------------------------------------------------------------------------------ */

static void take_body(struct request *r, const char *bytes, size_t size)
{
    if (size > r->row->body_max - r->body.len) {
        refuse(r, 413, LEDGER_SIZE);
        return;
    }
    if (size > r->core->bodies_max - r->core->bodies) {
        refuse(r, 503, LEDGER_BUSY);
        return;
    }
    buf_put(&r->body, slice_make(bytes, size));
    if (buf_failed(&r->body)) {
        refuse(r, 503, LEDGER_MEMORY);
        return;
    }
    r->core->bodies += size;
    r->counted += size;
}

static void on_answered(void *ctx, const struct collect_reply *reply)
{
    struct request *r = ctx;
    buf_clear(&r->reply);
    buf_clear(&r->reply_type);
    buf_put(&r->reply, reply->body);
    buf_put(&r->reply_type, reply->type);
    buf_put(&r->reply_header, reply->header);
    r->status = reply->status;
    resume(r, REQUEST_ANSWERED);
}

static void forget_body(struct request *r)
{
    r->core->bodies -= r->counted;
    r->counted = 0;
    buf_done(&r->body);
}

static void hand_on(struct request *r)
{
    const struct container container = {.kind = (enum container_kind)r->route.container,
                                        .tenant = r->tenant,
                                        .flags = r->authenticated ? RECORD_AUTHENTICATED : 0,
                                        .received = clock_realtime(&r->core->clock),
                                        .source = buf_slice(&r->source),
                                        .delivery = buf_slice(&r->delivery),
                                        .target = buf_slice(&r->target),
                                        .query = buf_slice(&r->query),
                                        .content_type = buf_slice(&r->type),
                                        .content_encoding = buf_slice(&r->encoding),
                                        .body = buf_slice(&r->body)};
    int error = outbox_put(r->core->outbox, &container, r->ledger, &r->waiting);
    forget_body(r);
    if (error) answer_error(r, 503);
    else suspend(r, REQUEST_WAITING);
}

static void ask_metrics(struct request *r)
{
    int error = outbox_ask(r->core->outbox, &r->waiting);
    if (error) answer_error(r, error == ERR_UNSUPPORTED ? 404 : 503);
    else suspend(r, REQUEST_WAITING);
}

/* ---- from outside ------------------------------------------------------------------------ */

static void init_buffers(struct request *r)
{
    buf_init(&r->source, SOURCE_MAX);
    buf_init(&r->target, TARGET_MAX);
    buf_init(&r->query, QUERY_MAX);
    buf_init(&r->type, HEADER_MAX);
    buf_init(&r->encoding, HEADER_MAX);
    buf_init(&r->delivery, HEADER_MAX);
    buf_init(&r->reply, REPLY_MAX);
    buf_init(&r->reply_type, HEADER_MAX);
    buf_init(&r->reply_header, HEADER_MAX);
    buf_init(&r->body, r->route.action == ROUTE_JOURNAL
                           ? protocol_input(r->row->record_max) + CORE_SHARE
                           : r->row->body_max);
}

/* What can be said before the body comes. */
static void decide(struct request *r)
{
    uint64_t len = 0;
    struct slice given = header(r, "Content-Length");
    bool has_body = r->route.action == ROUTE_CONTAINER || r->route.action == ROUTE_JOURNAL;
    unsigned status = authorize(r);
    if (status) refuse(r, status, LEDGER_CREDENTIAL);
    else if (head_failed(r)) refuse(r, 400, LEDGER_FORM);
    else if (r->route.action == ROUTE_ANSWER) answer(r, r->route.status, r->route.body);
    else if (r->route.action == ROUTE_HEC_HEALTH && outbox_is_open(r->core->outbox))
        answer(r, 200, "{\"text\":\"HEC is healthy\",\"code\":17}");
    else if (r->route.action == ROUTE_HEC_HEALTH)
        answer(r, 503, "{\"text\":\"HEC is unhealthy, queues are full\",\"code\":18}");
    else if (has_body && !outbox_is_open(r->core->outbox)) refuse(r, 503, LEDGER_BUSY);
    else if (r->route.action == ROUTE_CONTAINER && slice_to_u64(given, &len) &&
             len > r->row->body_max)
        refuse(r, 413, LEDGER_SIZE);
    else if (r->route.action == ROUTE_JOURNAL && r->encoding.len) refuse(r, 415, LEDGER_FORM);
}

struct request *request_new(struct core *core, const struct listener *row, struct http_conn *conn,
                            struct MHD_Connection *connection, const char *method, const char *path)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    const struct protocol_limits limits = {row->record_max, UINT32_MAX};
    r->core = core;
    r->row = row;
    r->conn = conn;
    r->connection = connection;
    route_find(slice_of(method), slice_of(path), &r->route);
    init_buffers(r);
    r->begun = r->seen = now_of(r);
    r->waiting = (struct waiting){.answered = on_answered, .ctx = r};
    r->claimant =
        (struct claimant){.acked = on_entries_safe, .refused = on_entries_refused, .ctx = r};
    r->in_line = (struct in_line){.resume = on_turn, .ctx = r};
    export_protocol.init(&r->export, &limits);
    read_head(r);
    decide(r);
    return r;
}

bool request_has_body(const struct request *r)
{
    struct slice len = header(r, "Content-Length");
    return header(r, "Transfer-Encoding").len > 0 || (len.len > 0 && !slice_eq(len, SLICE("0")));
}

void request_free(struct request *r)
{
    if (r->state == REQUEST_BODY && r->received > 0 && r->route.action == ROUTE_CONTAINER) {
        r->ledger->requests.received++;
        r->ledger->requests.lost[LEDGER_TIME]++;
    }
    outbox_forget_waiting(r->core->outbox, &r->waiting);
    outbox_forget(r->core->outbox, &r->claimant);
    outbox_leave_line(r->core->outbox, &r->in_line);
    forget_body(r);
    export_protocol.done(&r->export);
    buf_done(&r->source);
    buf_done(&r->target);
    buf_done(&r->query);
    buf_done(&r->type);
    buf_done(&r->encoding);
    buf_done(&r->delivery);
    buf_done(&r->reply);
    buf_done(&r->reply_type);
    buf_done(&r->reply_header);
    free(r);
}

void request_take(struct request *r, const char *bytes, size_t *size)
{
    size_t before = *size;
    if (r->state == REQUEST_BODY && waits_for_turn(r)) return;
    if (r->state == REQUEST_BODY && r->route.action == ROUTE_JOURNAL) {
        take_stream(r, bytes, size);
    } else {
        if (r->state == REQUEST_BODY) take_body(r, bytes, *size);
        *size = 0;
    }
    r->received += before - *size;
    if (before > *size) r->seen = now_of(r);
}

void request_end(struct request *r)
{
    switch (r->route.action) {
    case ROUTE_CONTAINER:
        hand_on(r);
        break;
    case ROUTE_JOURNAL:
        end_stream(r);
        break;
    case ROUTE_METRICS:
        ask_metrics(r);
        break;
    default:
        answer_error(r, 400); /* answered from the head: not reached */
    }
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    /* Without memory the answer goes without it. */
    (void)MHD_add_response_header(response, name, value);
}

/* "Name: value" */
static void add_line(struct MHD_Response *response, struct buf *line)
{
    size_t colon = slice_find(buf_slice(line), SLICE(": "));
    buf_putc(line, 0);
    if (buf_failed(line) || colon == SIZE_MAX) return;
    line->ptr[colon] = 0;
    add_header(response, line->ptr, line->ptr + colon + 2);
}

enum MHD_Result request_answer(struct request *r)
{
    if (buf_failed(&r->reply)) answer_error(r, 503);
    buf_putc(&r->reply_type, 0);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(r->reply.len, r->reply.ptr, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    if (!buf_failed(&r->reply_type) && r->reply_type.len > 1)
        add_header(response, "Content-Type", r->reply_type.ptr);
    if (r->reply_header.len == 0 && r->route.right == TOKEN_ELASTIC)
        buf_puts(&r->reply_header, "X-Elastic-Product: Elasticsearch");
    add_line(response, &r->reply_header);
    if (r->status == 401) add_header(response, "WWW-Authenticate", "Bearer");
    if (r->status == 503 || r->status == 429) add_header(response, "Retry-After", "1");
    add_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result result = MHD_queue_response(r->connection, r->status, response);
    MHD_destroy_response(response);
    return result;
}

void request_give_up(struct request *r)
{
    outbox_forget_waiting(r->core->outbox, &r->waiting);
    outbox_forget(r->core->outbox, &r->claimant);
    outbox_leave_line(r->core->outbox, &r->in_line);
    answer_later(r, 503, route_error_body(&r->route, 503));
}

bool request_tick(struct request *r, nsec now)
{
    if (r->state == REQUEST_WAITING && now - r->seen > HTTP_ANSWER_TIME) request_give_up(r);
    if (r->state != REQUEST_BODY) return true;
    if (r->route.action == ROUTE_JOURNAL) return now - r->seen <= r->row->idle;
    nsec late = now - r->begun - HTTP_BODY_TIME;
    return late <= 0 || r->received / BODY_RATE >= (uint64_t)(late / NSEC_PER_SEC);
}
