/* SPDX-License-Identifier: EUPL-1.2 */
#include "notify/senders.h"

#include <stdio.h>
#include <stdlib.h>

#include <nettle/memops.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "notify/hosts.h"
#include "notify/internal.h"

enum { SECRET_MAX = 8 * 1024, ANSWERS_KEPT = 64 };
#define CONNECT_WITHIN (8 * NSEC_PER_SEC)
#define REPEATED_FOR   (600 * NSEC_PER_SEC)

/* An answer that was told, for who was not there. */
struct answer {
    struct line *line; /* NULL: none */
    enum notify_channel channel;
    bool held; /* it is not told yet */
    nsec at;   /* monotonic */
    char reference[NOTIFY_REFERENCE_MAX], from[NOTIFY_ADDRESS_MAX], text[NOTIFY_ANSWER_MAX];
};

struct senders {
    struct senders_options options;
    struct notify_provider providers[NOTIFY_PROVIDERS_MAX];
    struct line lines[NOTIFY_PROVIDERS_MAX];
    size_t n;
    struct dial_address proxy;
    struct dial *dial; /* NULL: there are no providers */
    struct hosts hosts;
    struct memory *memory;
    struct answer answers[ANSWERS_KEPT];
    size_t next_answer;
    struct senders_figures figures;
};

static const struct kind_ops *const kind_ops[NOTIFY_KIND_COUNT] = {
    [NOTIFY_KIND_SMTP] = &kind_smtp,       [NOTIFY_KIND_ELKS] = &kind_elks,
    [NOTIFY_KIND_WEBHOOK] = &kind_webhook, [NOTIFY_KIND_TEAMS] = &kind_teams,
    [NOTIFY_KIND_NTFY] = &kind_ntfy,
};

nsec senders_now(const struct senders *s)
{
    return clock_monotonic(&s->options.clock);
}

nsec senders_realtime(const struct senders *s)
{
    return clock_realtime(&s->options.clock);
}

struct loop *senders_loop(const struct senders *s)
{
    return s->options.loop;
}

struct memory *senders_memory(struct senders *s)
{
    return s->memory;
}

/* ---- how providers are ------------------------------------------------------------------- */

static void changed(struct senders *s)
{
    if (s->options.out.changed) s->options.out.changed(s->options.out.ctx);
}

void line_is_well(struct line *l)
{
    bool failed = l->failing_since != 0;
    l->failing_since = 0;
    l->failure[0] = '\0';
    if (failed) changed(l->senders);
}

void line_fails(struct line *l, const char *why)
{
    bool first = !l->failing_since;
    if (first) l->failing_since = senders_now(l->senders);
    l->failed_at = senders_realtime(l->senders);
    (void)snprintf(l->failure, sizeof l->failure, "%s", why);
    if (first) changed(l->senders);
}

bool line_put_callback(const struct line *l, struct buf *out)
{
    const char *address = l->senders->options.address;
    if (!address || !l->callback.len) return false;
    buf_printf(out, "%s/api/v1/callbacks/%s/%.*s", address, l->provider->name,
               SLICE_FMT(buf_slice(&l->callback)));
    return true;
}

/* ---- what became of attempts ------------------------------------------------------------- */

static void count(struct senders *s, enum notify_outcome outcome)
{
    uint64_t *const counts[NOTIFY_OUTCOME_END] = {[NOTIFY_ACCEPTED] = &s->figures.accepted,
                                                  [NOTIFY_DELIVERED] = &s->figures.delivered,
                                                  [NOTIFY_RETRY] = &s->figures.retry,
                                                  [NOTIFY_REFUSED] = &s->figures.refused,
                                                  [NOTIFY_UNKNOWN] = &s->figures.unknown};
    ++*counts[outcome];
}

static void tell(struct senders *s, const struct known *k)
{
    s->options.out.sent(s->options.out.ctx, k->asker, k->attempt, k->outcome,
                        slice_of(k->reference), slice_of(k->detail));
}

static void settle(struct senders *s, struct known *k, const struct verdict *v)
{
    k->outcome = v->outcome;
    if (v->reference[0]) (void)snprintf(k->reference, sizeof k->reference, "%s", v->reference);
    (void)snprintf(k->detail, sizeof k->detail, "%s", v->detail);
    count(s, v->outcome);
    tell(s, k);
}

static void follow(struct senders *s, struct known *k)
{
    if (!k->line->poll || k->dry || !k->reference[0]) return;
    k->following = true;
    k->since = senders_now(s);
    poll_wake(k->line->poll);
}

/* Whether one is answered is followed also when it was delivered; what was refused is not. */
void senders_hear(struct senders *s, struct known *k, const struct verdict *v)
{
    if (k->outcome == v->outcome || k->outcome == NOTIFY_REFUSED) return;
    if (k->outcome == NOTIFY_DELIVERED && v->outcome == NOTIFY_REFUSED) return;
    if (v->outcome == NOTIFY_REFUSED || k->channel == NOTIFY_VOICE) k->following = false;
    settle(s, k, v);
}

static void tell_answer(struct senders *s, const struct answer *a)
{
    s->options.out.answered(s->options.out.ctx, a->channel, slice_of(a->line->provider->name),
                            slice_of(a->reference), slice_of(a->from), slice_of(a->text));
}

static void copy_cut(char *to, size_t size, struct slice text)
{
    size_t end = 0, step;
    while (end < text.len && end + (step = utf8_step(text, end)) < size) end += step;
    memcpy(to, end ? text.ptr : "", end);
    to[end] = '\0';
}

static bool is_calling(const struct line *l)
{
    for (size_t i = 0; i < LINE_CALLS; i++)
        if (l->tries[i].waiting && l->tries[i].waiting->message.channel == NOTIFY_VOICE)
            return true;
    return false;
}

void senders_answer(struct line *l, enum notify_channel channel, struct slice reference,
                    struct slice from, struct slice text)
{
    struct senders *s = l->senders;
    uint64_t id = hash_mix(hash64(reference), channel + 16 * (uint64_t)(l - s->lines));
    if (channel == NOTIFY_VOICE) id = hash_mix(id, hash64(text));
    if (!memory_is_new(s->memory, id)) return;
    struct answer *a = &s->answers[s->next_answer++ % ANSWERS_KEPT];
    a->line = l;
    a->channel = channel;
    a->at = senders_now(s);
    copy_cut(a->reference, sizeof a->reference, reference);
    copy_cut(a->from, sizeof a->from, from);
    copy_cut(a->text, sizeof a->text, text);
    s->figures.answers++;
    /* A key that is pressed before the provider has said what it calls the call means nothing yet
     * to who is told. */
    a->held = channel == NOTIFY_VOICE && is_calling(l) &&
              !memory_find_reference(s->memory, l, channel, reference);
    if (!a->held) tell_answer(s, a);
}

void senders_repeat(struct senders *s)
{
    nsec now = senders_now(s);
    for (size_t i = 0; i < ANSWERS_KEPT; i++) {
        const struct answer *a = &s->answers[(s->next_answer + i) % ANSWERS_KEPT];
        if (a->line && !a->held && now - a->at <= REPEATED_FOR) tell_answer(s, a);
    }
}

unsigned senders_told(struct senders *s, struct slice provider, struct slice secret,
                      struct slice body, struct buf *answer)
{
    buf_clear(answer);
    for (size_t i = 0; i < s->n; i++) {
        struct line *l = &s->lines[i];
        if (!slice_eq(provider, slice_of(l->provider->name))) continue;
        if (!l->ops->told || !l->callback.len || l->callback.len != secret.len ||
            !memeql_sec(l->callback.ptr, secret.ptr, secret.len))
            return 404;
        s->figures.callbacks++;
        return l->ops->told(l, body, answer);
    }
    return 404;
}

/* ---- attempts ---------------------------------------------------------------------------- */

static void start_next(struct line *l);

static void release(struct try *t)
{
    free(t->waiting);
    t->waiting = NULL;
    buf_clear(&t->url);
    buf_clear(&t->body);
    buf_clear(&t->header);
    dial_call_release(&t->call);
}

static void note(struct line *l, const struct verdict *v)
{
    bool good = v->outcome == NOTIFY_ACCEPTED || v->outcome == NOTIFY_DELIVERED;
    l->accepted += good;
    l->refused += v->outcome == NOTIFY_REFUSED;
    if (!good) {
        line_fails(l, v->detail);
        return;
    }
    l->accepted_at = senders_realtime(l->senders);
    line_is_well(l);
    changed(l->senders);
}

/* What waited for a call to have a name, or for there to be none any more that has none. */
static void tell_held(struct line *l)
{
    struct senders *s = l->senders;
    bool calling = is_calling(l);
    for (size_t i = 0; i < ANSWERS_KEPT; i++) {
        struct answer *a = &s->answers[i];
        if (a->line != l || !a->held) continue;
        a->held =
            calling && !memory_find_reference(s->memory, l, a->channel, slice_of(a->reference));
        if (!a->held) tell_answer(s, a);
    }
}

static void conclude(struct try *t, const struct verdict *v)
{
    struct line *l = t->line;
    struct known *k = t->waiting->known;
    release(t);
    settle(l->senders, k, v);
    if (v->outcome == NOTIFY_ACCEPTED) follow(l->senders, k);
    tell_held(l);
    start_next(l);
}

/* Of a provider that cannot be asked whether it would: that somebody answers at its host. */
static bool is_reach(const struct try *t)
{
    return (t->waiting->message.marks & NOTIFY_DRY) && !t->line->ops->dry;
}

static void judge_reach(const struct dial_answer *a, struct verdict *v)
{
    judge_http(a, v);
    if (a->why) return;
    v->outcome = NOTIFY_ACCEPTED;
    (void)snprintf(v->detail, sizeof v->detail, "its host answers; it has no dry run");
}

static void on_done(void *ctx, const struct dial_answer *a)
{
    struct try *t = ctx;
    const struct notify_message *m = &t->waiting->message;
    const struct kind_ops *ops = t->line->ops;
    struct verdict v = {0};
    if (is_reach(t)) judge_reach(a, &v);
    else if (!t->request.mail) judge_http(a, &v);
    if (ops->judge && (t->request.mail || v.outcome == NOTIFY_ACCEPTED)) ops->judge(m, a, &v);
    /* Nothing that was asked can have done anything. */
    if ((m->marks & NOTIFY_DRY) && v.outcome == NOTIFY_UNKNOWN) v.outcome = NOTIFY_RETRY;
    if (a->why && !a->sent && !a->refused) hosts_doubt(&t->line->senders->hosts);
    note(t->line, &v);
    conclude(t, &v);
}

static void end(struct buf *b)
{
    if (b->len) buf_putc(b, '\0');
}

static bool make(struct try *t, const struct notify_message *m, char detail[NOTIFY_DETAIL_MAX])
{
    if (!is_reach(t)) return t->line->ops->make(t, m, detail);
    buf_printf(&t->url, "%s/", t->line->provider->where.origin);
    t->request.post = false;
    return true;
}

static void begin(struct try *t)
{
    const struct notify_message *m = &t->waiting->message;
    struct verdict v = {.outcome = NOTIFY_REFUSED};
    nsec timeout = t->line->provider->timeout;
    memset(t->headers, 0, sizeof t->headers);
    t->request =
        (struct dial_request){.post = true,
                              .once = true,
                              .headers = t->headers,
                              .timeout = timeout,
                              .connect = timeout < CONNECT_WITHIN ? timeout : CONNECT_WITHIN};
    if (m->expires && senders_realtime(t->line->senders) / NSEC_PER_SEC >= m->expires)
        (void)snprintf(v.detail, sizeof v.detail, "it came too late");
    else if (m->latest && senders_now(t->line->senders) > m->latest) {
        v.outcome = NOTIFY_RETRY;
        (void)snprintf(v.detail, sizeof v.detail, "it waited too long for a place");
    } else if (make(t, m, v.detail)) v.outcome = 0;
    t->request.body = t->request.post ? buf_slice(&t->body) : SLICE_NONE;
    end(&t->url);
    t->request.url = t->url.ptr;
    bool failed = buf_failed(&t->url) || buf_failed(&t->body) || buf_failed(&t->header);
    if (!v.outcome && !failed && dial_call_begin(&t->call, &t->request) == 0) return;
    if (!v.outcome) {
        v.outcome = failed ? NOTIFY_REFUSED : NOTIFY_RETRY;
        (void)snprintf(v.detail, sizeof v.detail, failed ? "it is too long" : "out of memory");
    }
    conclude(t, &v);
}

static void start_next(struct line *l)
{
    for (size_t i = 0; i < LINE_CALLS && l->first; i++) {
        struct try *t = &l->tries[i];
        if (t->waiting) continue;
        t->waiting = l->first;
        l->first = t->waiting->next;
        if (!l->first) l->last = &l->first;
        l->n_waiting--;
        begin(t);
    }
}

static struct slice keep(char **at, struct slice text)
{
    struct slice kept = slice_make(*at, text.len);
    if (text.len) memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return kept;
}

/* NULL: out of memory. */
static struct waiting *copy(const struct notify_message *m)
{
    struct waiting *w =
        calloc(1, sizeof *w + m->address.len + m->subject.len + m->body.len + m->spoken_sv.len +
                      m->spoken_en.len + m->link.len + m->code.len);
    if (!w) return NULL;
    char *at = w->text;
    w->message = *m;
    w->message.provider = SLICE_NONE;
    w->message.address = keep(&at, m->address);
    w->message.subject = keep(&at, m->subject);
    w->message.body = keep(&at, m->body);
    w->message.spoken_sv = keep(&at, m->spoken_sv);
    w->message.spoken_en = keep(&at, m->spoken_en);
    w->message.link = keep(&at, m->link);
    w->message.code = keep(&at, m->code);
    return w;
}

static struct line *find_line(struct senders *s, struct slice name)
{
    for (size_t i = 0; i < s->n; i++)
        if (slice_eq(name, slice_of(s->lines[i].provider->name))) return &s->lines[i];
    return NULL;
}

/* NULL: it can be tried. */
static const char *why_not(const struct line *l, const struct notify_message *m)
{
    if (!l) return "there is no provider of that name";
    if (m->channel >= NOTIFY_CHANNEL_END ||
        !(notify_provider_channels(l->provider) & 1U << m->channel))
        return "the provider does not have that channel";
    if (l->why.message[0]) return l->why.message;
    if (m->address.len >= NOTIFY_ADDRESS_MAX || m->subject.len > NOTIFY_TEXT_MAX ||
        m->body.len > NOTIFY_TEXT_MAX || m->spoken_sv.len > NOTIFY_TEXT_MAX ||
        m->spoken_en.len > NOTIFY_TEXT_MAX || m->link.len > NOTIFY_URL_MAX ||
        m->code.len > NOTIFY_URL_MAX)
        return "it is too long";
    return NULL;
}

static uint64_t hash_of(const struct notify_message *m)
{
    uint64_t h = hash_mix(hash64(m->provider), m->channel + 16 * (uint64_t)m->marks);
    h = hash_mix(h, hash64(m->address));
    /* What is to be told may have grown since it was asked for first. */
    if (m->made) return hash_mix(h, (uint64_t)m->made);
    h = hash_mix(h, hash64(m->body));
    return hash_mix(h, hash64(m->spoken_en));
}

/* True: it was asked for before, and what is known is told. */
static bool is_repeat(struct senders *s, unsigned asker, const struct notify_message *m)
{
    struct known *k = memory_find(s->memory, asker, m->attempt);
    if (!k || k->same != hash_of(m)) return false;
    s->figures.repeats++;
    if (k->outcome) tell(s, k);
    return true;
}

static void refuse(struct senders *s, unsigned asker, uint64_t attempt, enum notify_outcome outcome,
                   const char *why)
{
    count(s, outcome);
    s->options.out.sent(s->options.out.ctx, asker, attempt, outcome, SLICE_NONE, slice_of(why));
}

void senders_send(struct senders *s, unsigned asker, const struct notify_message *m)
{
    struct line *l = find_line(s, m->provider);
    const char *why = why_not(l, m);
    if (!why && is_repeat(s, asker, m)) return;
    s->figures.attempts++;
    if (why) {
        refuse(s, asker, m->attempt, NOTIFY_REFUSED, why);
        return;
    }
    struct known *k = l->n_waiting < LINE_WAITING ? memory_add(s->memory, asker, m->attempt) : NULL;
    struct waiting *w = k ? copy(m) : NULL;
    if (!w) {
        if (k) k->attempt = 0;
        refuse(s, asker, m->attempt, NOTIFY_RETRY, "too many wait for this provider");
        return;
    }
    k->same = hash_of(m);
    k->line = l;
    k->channel = m->channel;
    k->dry = m->marks & NOTIFY_DRY;
    k->expires = m->expires;
    w->known = k;
    *l->last = w;
    l->last = &w->next;
    l->n_waiting++;
    start_next(l);
}

void senders_follow(struct senders *s, unsigned asker, uint64_t attempt,
                    enum notify_channel channel, struct slice provider, struct slice reference,
                    int64_t expires)
{
    struct line *l = find_line(s, provider);
    struct known *k = memory_find(s->memory, asker, attempt);
    if (k && k->outcome) tell(s, k);
    if (!l || !l->poll || k) return;
    k = memory_add(s->memory, asker, attempt);
    if (!k) return;
    k->line = l;
    k->channel = channel;
    k->outcome = NOTIFY_ACCEPTED;
    k->expires = expires;
    copy_cut(k->reference, sizeof k->reference, reference);
    follow(s, k);
}

size_t senders_busy(const struct senders *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        n += s->lines[i].n_waiting;
        for (size_t j = 0; j < LINE_CALLS; j++) n += s->lines[i].tries[j].waiting != NULL;
    }
    return n;
}

/* ---- from the settings ------------------------------------------------------------------- */

static int read_settings(const struct senders_options *o, struct notify_provider *providers,
                         struct dial_address *proxy, struct diag *diag)
{
    int error = notify_providers_read(o->providers, o->n_providers, providers, diag);
    if (error == 0 && o->address && !notify_is_address(slice_of(o->address)))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "web.address is no https://HOST[:PORT]");
    if (error || !o->proxy || dial_proxy_read(slice_of(o->proxy), proxy)) return error;
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "notify.proxy is no address http://HOST:PORT");
}

/* A segment of a path that nobody guesses. */
static bool is_callback(struct slice secret)
{
    return secret.len >= 16 && secret.len <= 128 && slice_is_plain(secret, "-_");
}

/* Of Teams the secret is the address itself. */
static int read_secrets(struct notify_provider *p, struct buf *secret, struct buf *callback,
                        struct diag *diag)
{
    int error = p->secret[0] ? file_read_secret(p->secret, secret, diag) : 0;
    if (error == 0 && p->callback[0]) error = file_read_secret(p->callback, callback, diag);
    if (error == 0 && p->callback[0] && !is_callback(buf_slice(callback)))
        error = diag_set(diag, ERR_INVALID, NULL, 0, 0,
                         "%s: it has to be 16 to 128 letters and digits", p->callback);
    if (error == 0 && p->kind == NOTIFY_KIND_TEAMS && !notify_provider_point(p, buf_slice(secret)))
        error =
            diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: it is no address https://…", p->secret);
    return error;
}

static void forget(struct buf *secret)
{
    if (secret->ptr) explicit_bzero(secret->ptr, secret->cap);
    buf_done(secret);
}

static int open_try(struct try *t, struct line *l)
{
    t->line = l;
    buf_init(&t->url, NOTIFY_URL_MAX + 64);
    buf_init(&t->body, REQUEST_MAX);
    buf_init(&t->header, NOTIFY_URL_MAX);
    int error = dial_call_init(&t->call, l->senders->dial, ANSWER_BODY_MAX);
    t->call.done = on_done;
    t->call.ctx = t;
    return error;
}

/* Behind a proxy names are its business, but mail goes past it. */
static bool is_called(const struct senders *s, const struct notify_provider *p)
{
    return p->where.host[0] && (!s->options.proxy || p->kind == NOTIFY_KIND_SMTP);
}

static int look_up(struct senders *s, struct line *l)
{
    const struct dial_address *where = &l->provider->where;
    if (!is_called(s, l->provider)) return 0;
    if (l->provider->pin[0]) return dial_pin(s->dial, where->host, where->port, l->provider->pin);
    int error = dial_look_up(s->dial, where->host, where->port);
    l->unknown = error == ERR_NOT_FOUND;
    return l->unknown ? 0 : error;
}

static int open_line(struct senders *s, size_t i)
{
    struct line *l = &s->lines[i];
    l->senders = s;
    l->provider = &s->providers[i];
    l->ops = kind_ops[l->provider->kind];
    l->last = &l->first;
    buf_init(&l->secret, SECRET_MAX);
    buf_init(&l->callback, SECRET_MAX);
    int error = read_secrets(&s->providers[i], &l->secret, &l->callback, &l->why);
    if (error) line_fails(l, l->why.message);
    error = look_up(s, l);
    for (size_t j = 0; j < LINE_CALLS && error == 0; j++) error = open_try(&l->tries[j], l);
    if (error == 0 && l->provider->kind == NOTIFY_KIND_ELKS) error = poll_new(l, s->dial, &l->poll);
    return error;
}

static int open_all(struct senders *s, struct diag *diag)
{
    const struct senders_options *o = &s->options;
    int error = read_settings(o, s->providers, &s->proxy, diag);
    if (error == 0) error = memory_new(&s->memory);
    if (error || o->n_providers == 0) return error;
    error = dial_new(&(struct dial_options){.loop = o->loop,
                                            .trust = senders_trust(s),
                                            .proxy = o->proxy ? s->proxy.origin : NULL},
                     &s->dial);
    if (error == 0 && o->proxy) {
        error = dial_look_up(s->dial, s->proxy.host, s->proxy.port);
        if (error == ERR_NOT_FOUND) error = 0;
    }
    for (size_t i = 0; i < o->n_providers && error == 0; i++) {
        s->n = i + 1;
        error = open_line(s, i);
    }
    return error;
}

static void on_lost(void *ctx)
{
    const struct senders *s = ctx;
    s->options.out.lost(s->options.out.ctx);
}

static void on_found(void *ctx, const char *host)
{
    struct senders *s = ctx;
    for (size_t i = 0; i < s->n; i++) {
        struct line *l = &s->lines[i];
        if (!l->unknown || strcmp(l->provider->where.host, host) != 0) continue;
        l->unknown = false;
        changed(s);
    }
}

/* Numbers and pinned hosts stay where they are. */
static int watch_hosts(struct senders *s)
{
    s->hosts = (struct hosts){.loop = s->options.loop,
                              .clock = s->options.clock,
                              .dial = s->dial,
                              .found = on_found,
                              .lost = on_lost,
                              .ctx = s};
    if (s->options.proxy) hosts_add(&s->hosts, s->proxy.host, s->proxy.port);
    for (size_t i = 0; i < s->n; i++) {
        const struct notify_provider *p = &s->providers[i];
        if (is_called(s, p) && !p->pin[0]) hosts_add(&s->hosts, p->where.host, p->where.port);
    }
    return hosts_start(&s->hosts, s->options.confined);
}

int senders_new(const struct senders_options *options, struct senders **ret, struct diag *diag)
{
    struct senders *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->options = *options;
    s->options.out.changed = NULL; /* nobody is to be told before it is there */
    int error = open_all(s, diag);
    s->options.out = options->out;
    if (error == 0 && options->lasting) error = watch_hosts(s);
    if (error) senders_free(s);
    else *ret = s;
    return error;
}

static void close_line(struct line *l)
{
    poll_free(l->poll);
    for (size_t i = 0; i < LINE_CALLS; i++) {
        struct try *t = &l->tries[i];
        if (!t->line) continue;
        dial_call_done(&t->call);
        free(t->waiting);
        buf_done(&t->url);
        buf_done(&t->body);
        buf_done(&t->header);
    }
    while (l->first) {
        struct waiting *w = l->first;
        l->first = w->next;
        free(w);
    }
    forget(&l->secret);
    forget(&l->callback);
}

void senders_free(struct senders *s)
{
    if (!s) return;
    hosts_done(&s->hosts);
    for (size_t i = 0; i < s->n; i++) close_line(&s->lines[i]);
    dial_free(s->dial);
    memory_free(s->memory);
    free(s);
}

int senders_check(const struct senders_options *options, struct diag *diag)
{
    struct notify_provider *providers = calloc(NOTIFY_PROVIDERS_MAX, sizeof *providers);
    struct dial_address proxy;
    struct buf secret, callback;
    if (!providers) return ERR_NOMEM;
    buf_init(&secret, SECRET_MAX);
    buf_init(&callback, SECRET_MAX);
    int error = read_settings(options, providers, &proxy, diag);
    for (size_t i = 0; i < options->n_providers && error == 0; i++) {
        buf_clear(&callback);
        error = read_secrets(&providers[i], &secret, &callback, diag);
    }
    forget(&secret);
    forget(&callback);
    free(providers);
    return error;
}

const char *senders_trust(const struct senders *s)
{
    return s->options.trust ? s->options.trust : DIAL_TRUST;
}

void senders_ports(const struct senders *s, void (*each)(void *ctx, uint16_t port), void *ctx)
{
    if (s->options.proxy) each(ctx, s->proxy.port);
    for (size_t i = 0; i < s->n; i++)
        if (s->providers[i].where.port) each(ctx, s->providers[i].where.port);
}

/* ---- told -------------------------------------------------------------------------------- */

static void put_channels(struct buf *out, const struct notify_provider *p)
{
    unsigned channels = notify_provider_channels(p);
    json_write_key(out, "channels");
    buf_putc(out, '[');
    for (unsigned i = 1; i < NOTIFY_CHANNEL_END; i++) {
        if (!(channels & 1U << i)) continue;
        if (out->ptr[out->len - 1] != '[') buf_putc(out, ',');
        json_write_string(out, slice_of(notify_channel_name(i)));
    }
    buf_putc(out, ']');
}

static void put_bool(struct buf *out, const char *name, bool value)
{
    json_write_key(out, name);
    buf_puts(out, value ? "true" : "false");
}

static const char *state_of(const struct line *l)
{
    if (l->failing_since || l->why.message[0]) return "failing";
    if (l->unknown) return "unknown host";
    return l->accepted_at ? "well" : "unused";
}

void senders_write(const struct senders *s, struct buf *out)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < s->n; i++) {
        const struct line *l = &s->lines[i];
        if (i > 0) buf_putc(out, ',');
        buf_putc(out, '{');
        json_write_member_string(out, "name", slice_of(l->provider->name));
        json_write_member_string(out, "kind", slice_of(notify_kind_name(l->provider->kind)));
        put_channels(out, l->provider);
        put_bool(out, "own", l->provider->own);
        put_bool(out, "dry_run", l->ops->dry);
        json_write_member_string(out, "state", slice_of(state_of(l)));
        json_write_member_u64(out, "accepted", l->accepted);
        json_write_member_u64(out, "refused", l->refused);
        json_write_member_u64(out, "waiting", l->n_waiting);
        json_write_member_u64(out, "accepted_at", (uint64_t)(l->accepted_at / NSEC_PER_SEC));
        json_write_member_u64(out, "failed_at", (uint64_t)(l->failed_at / NSEC_PER_SEC));
        json_write_member_string(out, "failure", slice_of(l->failure));
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

void senders_figures(const struct senders *s, struct senders_figures *ret)
{
    *ret = s->figures;
}
