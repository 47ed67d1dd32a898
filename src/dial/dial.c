/* SPDX-License-Identifier: EUPL-1.2 */
#include "dial/dial.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dial/resolver.h"

enum { LOOKED_UP_MAX = 4096, CONNECT_WITHIN = 20, SLOW_FOR = 60, KEPT_MAX = 64 };

struct dial {
    struct loop *loop;
    const char *trust, *proxy;
    CURLM *multi;
    struct curl_slist *addresses; /* CURLOPT_RESOLVE */
    struct loop_timer timer;
};

/* A socket of libcurl's. */
struct dial_watch {
    struct dial *dial;
    struct loop_watch watch;
};

/* ---- libcurl on the loop ----------------------------------------------------------------- */

static const char *why_of(const struct dial_call *c, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "its name has no address";
    case CURLE_COULDNT_CONNECT:
        return "it cannot be reached";
    case CURLE_OPERATION_TIMEDOUT:
        return "no answer in time";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "its certificate is not one that is trusted for its name";
    case CURLE_SSL_CACERT_BADFILE:
        return "the file of trusted certificates cannot be read";
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
        return "the answer broke off";
    case CURLE_USE_SSL_FAILED:
        return "it does not offer STARTTLS";
    case CURLE_LOGIN_DENIED:
        return "it refuses the user or the secret";
    case CURLE_WRITE_ERROR:
        return buf_error(&c->body) == ERR_LIMIT ? "the answer is too large" : "out of memory";
    default:
        return c->error[0] ? c->error : curl_easy_strerror(code);
    }
}

/* Whether the other side may have all of it, whatever came of that. */
static bool was_sent(const struct dial_call *c)
{
    long bytes = 0;
    if (c->mailing) return c->mail.len && c->handed == c->mail.len;
    (void)curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes > 0;
}

static void conclude(struct dial_call *c, CURLcode code)
{
    struct dial_answer a = {.body = buf_slice(&c->body), .next = buf_slice(&c->next)};
    long status = 0;
    curl_off_t wait = 0;
    c->busy = false;
    if (code != CURLE_OK) {
        a.why = why_of(c, code);
        a.body = SLICE_NONE;
        a.too_large = buf_error(&c->body) == ERR_LIMIT;
        a.sent = was_sent(c);
        a.refused = code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED ||
                    code == CURLE_PEER_FAILED_VERIFICATION;
    }
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &wait);
    a.status = (unsigned)status;
    a.retry_after = wait > 0 ? (wait > 86400 ? 86400 : wait) * NSEC_PER_SEC : 0;
    c->done(c->ctx, &a);
}

static void tell_done(struct dial *h)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(h->multi, &left))) {
        struct dial_call *c = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE) continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &c);
        (void)curl_multi_remove_handle(h->multi, c->easy);
        conclude(c, code);
    }
}

static void act(struct dial *h, curl_socket_t fd, int what)
{
    int running;
    (void)curl_multi_socket_action(h->multi, fd, what, &running);
    tell_done(h);
}

static void on_ready(void *ctx, unsigned what)
{
    struct dial_watch *w = ctx;
    int flags =
        (what & LOOP_READ ? CURL_CSELECT_IN : 0) | (what & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    if (what & LOOP_HANGUP) flags |= CURL_CSELECT_IN | CURL_CSELECT_ERR;
    act(w->dial, w->watch.fd, flags);
}

static void on_timer(void *ctx)
{
    act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int timer_wanted(CURLM *multi, long ms, void *ctx)
{
    struct dial *h = ctx;
    (void)multi;
    if (ms < 0) loop_timer_stop(h->loop, &h->timer);
    else if (loop_timer_set(h->loop, &h->timer, ms * NSEC_PER_MSEC, 0) != 0) return -1;
    return 0;
}

static int watch_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
    struct dial *h = ctx;
    struct dial_watch *w = of_socket;
    unsigned wanted =
        (what & CURL_POLL_IN ? LOOP_READ : 0U) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0U);
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) loop_watch_remove(h->loop, &w->watch);
        free(w);
        (void)curl_multi_assign(h->multi, fd, NULL);
        return 0;
    }
    if (w) return loop_watch_want(h->loop, &w->watch, wanted) == 0 ? 0 : -1;
    w = calloc(1, sizeof *w);
    if (!w) return -1;
    w->dial = h;
    w->watch = (struct loop_watch){.fd = fd, .ready = on_ready, .ctx = w};
    if (loop_watch_add(h->loop, &w->watch, wanted) == 0 &&
        curl_multi_assign(h->multi, fd, w) == CURLM_OK)
        return 0;
    loop_watch_remove(h->loop, &w->watch);
    free(w);
    return -1;
}

/* As the sandbox wants them. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)ctx;
    if (purpose != CURLSOCKTYPE_IPCXN || address->socktype != SOCK_STREAM) return CURL_SOCKET_BAD;
    return socket(address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int dial_new(const struct dial_options *options, struct dial **ret)
{
    struct dial *h = calloc(1, sizeof *h);
    if (!h) return ERR_NOMEM;
    h->loop = options->loop;
    h->trust = options->trust;
    h->proxy = options->proxy;
    h->timer = (struct loop_timer){.due = on_timer, .ctx = h};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) h->multi = curl_multi_init();
    if (!h->multi ||
        curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, watch_wanted) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_MAX) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, timer_wanted) != CURLM_OK ||
        curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) != CURLM_OK) {
        dial_free(h);
        return ERR_NOMEM;
    }
    *ret = h;
    return 0;
}

void dial_free(struct dial *h)
{
    if (!h) return;
    (void)curl_multi_cleanup(h->multi);
    loop_timer_stop(h->loop, &h->timer);
    curl_slist_free_all(h->addresses);
    curl_global_cleanup();
    free(h);
}

/* ---- addresses --------------------------------------------------------------------------- */

/* "host:port:address", for libcurl. */
static int keep_address(struct dial *h, struct buf *line)
{
    buf_putc(line, '\0');
    struct curl_slist *list = buf_failed(line) ? NULL : curl_slist_append(h->addresses, line->ptr);
    buf_done(line);
    if (!list) return ERR_NOMEM;
    h->addresses = list;
    return 0;
}

int dial_pin(struct dial *h, const char *host, uint16_t port, const char *address)
{
    struct in6_addr number;
    struct buf line;
    bool v6 = inet_pton(AF_INET6, address, &number) == 1;
    if (!v6 && inet_pton(AF_INET, address, &number) != 1) return ERR_INVALID;
    buf_init(&line, LOOKED_UP_MAX);
    buf_printf(&line, v6 ? "%s:%u:[%s]" : "%s:%u:%s", host, port, address);
    return keep_address(h, &line);
}

static bool is_number(const char *host)
{
    struct in6_addr number;
    return inet_pton(AF_INET, host, &number) == 1 || inet_pton(AF_INET6, host, &number) == 1;
}

int dial_look_up(struct dial *h, const char *host, uint16_t port)
{
    struct buf line;
    if (is_number(host)) return 0;
    buf_init(&line, LOOKED_UP_MAX);
    buf_printf(&line, "%s:%u:", host, port);
    if (resolver_look_up(host, &line)) return keep_address(h, &line);
    int error = buf_error(&line);
    buf_done(&line);
    return error ? error : ERR_NOT_FOUND;
}

/* libcurl reads the list when a call begins, and keeps what it read. */
int dial_move(struct dial *h, const char *host, uint16_t port, struct slice addresses)
{
    struct buf line;
    if (is_number(host)) return 0;
    buf_init(&line, LOOKED_UP_MAX);
    buf_printf(&line, "%s:%u:", host, port);
    size_t head = line.len;
    buf_put(&line, addresses);
    for (struct curl_slist *i = h->addresses; i; i = i->next) {
        if (strncmp(i->data, line.ptr, head) != 0) continue;
        buf_putc(&line, '\0');
        char *copy = buf_failed(&line) ? NULL : strdup(line.ptr);
        buf_done(&line);
        if (!copy) return ERR_NOMEM;
        /* Made by strdup(3) of libcurl, as nobody has told it another one. */
        free(i->data);
        i->data = copy;
        return 0;
    }
    return keep_address(h, &line);
}

/* ---- one call ---------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t one, size_t n, void *ctx)
{
    struct dial_call *c = ctx;
    buf_put(&c->body, slice_make(bytes, one * n));
    return buf_failed(&c->body) ? 0 : n;
}

static size_t on_header(char *bytes, size_t one, size_t n, void *ctx)
{
    struct dial_call *c = ctx;
    struct slice name, value;
    (void)one;
    if (c->mailing) {
        /* What is said to QUIT is about nothing. */
        if (slice_starts_with(slice_make(bytes, n), SLICE("221"))) return n;
        buf_clear(&c->next);
        buf_put(&c->next, slice_trim(slice_make(bytes, n)));
        return n;
    }
    if (!slice_split(slice_make(bytes, n), ':', &name, &value) ||
        !slice_eq_nocase(name, SLICE("NextPageUri")))
        return n;
    buf_clear(&c->next);
    buf_put(&c->next, slice_trim(value));
    return buf_failed(&c->next) ? 0 : n;
}

static size_t on_mail(char *to, size_t one, size_t n, void *ctx)
{
    struct dial_call *c = ctx;
    struct slice rest = slice_until(slice_from(c->mail, c->handed), one * n);
    if (rest.len) memcpy(to, rest.ptr, rest.len);
    c->handed += rest.len;
    return rest.len;
}

/* What is the same for all requests. */
static bool set_up(struct dial_call *c)
{
    CURL *e = c->easy;
    const struct dial *h = c->dial;
    return curl_easy_setopt(e, CURLOPT_PRIVATE, c) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https,smtp,smtps") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CAINFO, h->trust) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROXY, h->proxy ? h->proxy : "") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_RESOLVE, h->addresses) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_USERAGENT, "vaka/" VAKA_VERSION) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)SLOW_FOR) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEDATA, c) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERDATA, c) == CURLE_OK;
}

int dial_call_init(struct dial_call *c, struct dial *h, size_t body_max)
{
    *c = (struct dial_call){.dial = h, .easy = curl_easy_init()};
    buf_init(&c->body, body_max);
    buf_init(&c->next, DIAL_NEXT_MAX);
    if (c->easy) return 0;
    dial_call_done(c);
    return ERR_NOMEM;
}

void dial_call_done(struct dial_call *c)
{
    dial_call_cancel(c);
    if (c->easy) curl_easy_cleanup(c->easy);
    c->easy = NULL;
    curl_slist_free_all(c->headers);
    curl_slist_free_all(c->to);
    c->headers = c->to = NULL;
    buf_done(&c->body);
    buf_done(&c->next);
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    struct buf line;
    buf_init(&line, strlen(name) + strlen(value) + 1);
    buf_puts(&line, name);
    buf_puts(&line, value);
    buf_putc(&line, '\0');
    struct curl_slist *longer = buf_failed(&line) ? NULL : curl_slist_append(*list, line.ptr);
    if (line.ptr) explicit_bzero(line.ptr, line.len);
    buf_done(&line);
    if (longer) *list = longer;
    return longer != NULL;
}

/* The list is libcurl's as long as the request is. */
static bool set_headers(struct dial_call *c, const struct dial_request *r)
{
    bool good = add_header(&c->headers, "Accept: ", "application/json");
    if (good && r->token) good = add_header(&c->headers, "Authorization: Bearer ", r->token);
    if (good && r->type) good = add_header(&c->headers, "Content-Type: ", r->type);
    for (size_t i = 0; good && r->headers && r->headers[i]; i++)
        good = add_header(&c->headers, "", r->headers[i]);
    return good && curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers) == CURLE_OK;
}

static bool set_user(struct dial_call *c, const struct dial_request *r)
{
    return !r->user ||
           (curl_easy_setopt(c->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) == CURLE_OK &&
            curl_easy_setopt(c->easy, CURLOPT_USERNAME, r->user) == CURLE_OK &&
            curl_easy_setopt(c->easy, CURLOPT_PASSWORD, r->secret ? r->secret : "") == CURLE_OK);
}

static bool set_method(struct dial_call *c, const struct dial_request *r)
{
    if (!r->post) return curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    return curl_easy_setopt(c->easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE, (long)r->body.len) == CURLE_OK &&
           curl_easy_setopt(c->easy, CURLOPT_COPYPOSTFIELDS, r->body.len ? r->body.ptr : "") ==
               CURLE_OK;
}

/* A proxy is one of HTTP. Behind a refusal libcurl says QUIT and waits for the answer, and
 * everybody with it: no longer than for any other. */
static bool set_mail(struct dial_call *c, const struct dial_request *r)
{
    CURL *e = c->easy;
    const struct dial_mail *m = r->mail;
    long patience = (long)(r->timeout / NSEC_PER_SEC);
    bool good = curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_SERVER_RESPONSE_TIMEOUT, patience) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_USE_SSL,
                                 (long)(m->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL)) == CURLE_OK;
    if (!m->from) return good && curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, "NOOP") == CURLE_OK;
    c->mail = m->text;
    return good && add_header(&c->to, "", m->to) &&
           curl_easy_setopt(e, CURLOPT_MAIL_FROM, m->from) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_MAIL_RCPT, c->to) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_READFUNCTION, on_mail) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_READDATA, c) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)m->text.len) == CURLE_OK;
}

static bool set_time(struct dial_call *c, const struct dial_request *r)
{
    nsec connect = r->connect ? r->connect : CONNECT_WITHIN * NSEC_PER_SEC;
    long once = r->once;
    return curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)(r->timeout / NSEC_PER_MSEC)) ==
               CURLE_OK &&
           curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect / NSEC_PER_MSEC)) ==
               CURLE_OK &&
           curl_easy_setopt(c->easy, CURLOPT_FRESH_CONNECT, once) == CURLE_OK &&
           curl_easy_setopt(c->easy, CURLOPT_FORBID_REUSE, once) == CURLE_OK;
}

/* Of the request before nothing is left but connections. */
static void forget(struct dial_call *c)
{
    buf_clear(&c->body);
    buf_clear(&c->next);
    c->error[0] = '\0';
    curl_easy_reset(c->easy);
    curl_slist_free_all(c->headers);
    curl_slist_free_all(c->to);
    c->headers = c->to = NULL;
    c->mail = SLICE_NONE;
    c->handed = 0;
}

int dial_call_begin(struct dial_call *c, const struct dial_request *r)
{
    ASSERT(!c->busy);
    forget(c);
    c->mailing = r->mail != NULL;
    bool good = set_up(c) && (r->mail ? set_mail(c, r) : set_headers(c, r) && set_method(c, r)) &&
                set_user(c, r) && set_time(c, r) &&
                curl_easy_setopt(c->easy, CURLOPT_URL, r->url) == CURLE_OK &&
                curl_multi_add_handle(c->dial->multi, c->easy) == CURLM_OK;
    c->busy = good;
    return good ? 0 : ERR_NOMEM;
}

void dial_call_cancel(struct dial_call *c)
{
    if (c->busy) (void)curl_multi_remove_handle(c->dial->multi, c->easy);
    c->busy = false;
}

void dial_call_release(struct dial_call *c)
{
    size_t max = c->body.max;
    ASSERT(!c->busy);
    buf_done(&c->body);
    buf_init(&c->body, max);
}
