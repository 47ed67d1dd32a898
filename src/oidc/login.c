/* SPDX-License-Identifier: EUPL-1.2 */
#include "oidc/login.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/form.h"
#include "base/json_read.h"

enum { RANDOM_BYTES = 32, ANSWER_MAX = JWKS_TEXT_MAX, TEXT_MAX = 2048 };
#define FETCH_WITHIN (20 * NSEC_PER_SEC)
#define FETCH_EVERY  (3600 * NSEC_PER_SEC)
#define FETCH_AGAIN  (10 * NSEC_PER_SEC)
#define KEYS_AGAIN   (60 * NSEC_PER_SEC)

/* A browser that is at the provider. */
struct pending {
    char state[LOGIN_RANDOM + 1]; /* empty: none */
    char nonce[LOGIN_RANDOM + 1], verifier[LOGIN_RANDOM + 1];
    nsec begun; /* monotonic */
};

/* A code that is being exchanged. */
struct exchange {
    struct logins *logins;
    struct dial_call call;
    struct buf form, token; /* token: waits for new keys */
    char nonce[LOGIN_RANDOM + 1];
    void (*done)(void *ctx, const struct login_result *result);
    void *ctx;
    bool busy, waits;
};

struct logins {
    struct login_options options;
    struct dial_call call; /* of provider and keys */
    struct loop_timer fetch;
    struct buf authorization, token, keys_url, claims; /* with a NUL behind them, but for claims */
    struct jwks keys;
    bool known, fetching_keys;
    nsec keys_at; /* monotonic: fetched */
    char trouble[160];
    struct pending pending[LOGINS_MAX];
    struct exchange exchanges[LOGIN_CALLS];
};

static nsec now_of(const struct logins *l)
{
    return clock_monotonic(&l->options.clock);
}

/* ---- the provider ------------------------------------------------------------------------ */

static void fetch_later(struct logins *l, nsec after)
{
    if (loop_timer_set(l->options.loop, &l->fetch, after, 0) != 0)
        (void)snprintf(l->trouble, sizeof l->trouble, "out of memory");
}

static void ask(struct logins *l, const char *url)
{
    const struct dial_request request = {.url = url, .timeout = FETCH_WITHIN};
    if (dial_call_begin(&l->call, &request) != 0) fetch_later(l, FETCH_AGAIN);
}

/* An address of the provider's document: over HTTPS alone. */
static bool take_url(struct slice document, const char *name, struct buf *ret)
{
    struct slice value;
    buf_clear(ret);
    if (!json_find_member(document, name, NULL, &value) || !json_string_text(value, ret) ||
        !slice_starts_with(buf_slice(ret), SLICE("https://")) ||
        slice_find_byte(buf_slice(ret), '\0') != SIZE_MAX)
        return false;
    buf_putc(ret, '\0');
    return !buf_failed(ret);
}

static bool names_issuer(const struct logins *l, struct slice document)
{
    struct slice value;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    bool same = json_find_member(document, "issuer", NULL, &value) &&
                json_string_text(value, &text) &&
                slice_eq(buf_slice(&text), slice_of(l->options.issuer));
    buf_done(&text);
    return same;
}

static void finish_waiting(struct logins *l);

static void refuse(struct logins *l, const char *what)
{
    (void)snprintf(l->trouble, sizeof l->trouble, "%s", what);
    fetch_later(l, FETCH_AGAIN);
    finish_waiting(l);
}

/* OpenID Connect Discovery 1.0, 4.2 and 4.3. */
static void take_provider(struct logins *l, struct slice body)
{
    struct slice document = slice_trim(body);
    if (!json_is_object(document)) refuse(l, "the provider's document is no JSON object");
    else if (!names_issuer(l, document)) refuse(l, "the provider says it is another issuer");
    else if (!take_url(document, "authorization_endpoint", &l->authorization) ||
             !take_url(document, "token_endpoint", &l->token) ||
             !take_url(document, "jwks_uri", &l->keys_url))
        refuse(l, "the provider's document lacks an address of its own over HTTPS");
    else {
        l->fetching_keys = true;
        ask(l, l->keys_url.ptr);
    }
}

static void take_keys(struct logins *l, struct slice body)
{
    struct jwks keys;
    int error = jwks_read(body, &keys);
    if (error) {
        refuse(l, error == ERR_NOT_FOUND ? "the provider has no key for RS256, ES256 or EdDSA"
                                         : "the provider's keys make no sense");
        return;
    }
    jwks_done(&l->keys);
    l->keys = keys;
    l->known = true;
    l->keys_at = now_of(l);
    l->trouble[0] = '\0';
    fetch_later(l, FETCH_EVERY);
    finish_waiting(l);
}

static void on_provider(void *ctx, const struct dial_answer *answer)
{
    struct logins *l = ctx;
    char what[sizeof l->trouble];
    bool keys = l->fetching_keys;
    l->fetching_keys = false;
    if (answer->why || answer->status != 200) {
        if (answer->why) (void)snprintf(what, sizeof what, "%.150s", answer->why);
        else (void)snprintf(what, sizeof what, "the provider answers %u", answer->status);
        refuse(l, what);
    } else if (keys) {
        take_keys(l, answer->body);
    } else {
        take_provider(l, answer->body);
    }
}

static void fetch(void *ctx)
{
    struct logins *l = ctx;
    struct buf url;
    if (l->call.busy) return;
    buf_init(&url, LOGIN_URL_MAX);
    buf_puts(&url, l->options.issuer);
    if (url.len && url.ptr[url.len - 1] == '/') url.len--;
    buf_puts(&url, "/.well-known/openid-configuration");
    buf_putc(&url, '\0');
    l->fetching_keys = false;
    if (buf_failed(&url)) refuse(l, "the issuer's address is too long");
    else ask(l, url.ptr);
    buf_done(&url);
}

/* ---- to the provider --------------------------------------------------------------------- */

static void make_random(char ret[LOGIN_RANDOM + 1])
{
    unsigned char bytes[RANDOM_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    (void)sodium_bin2base64(ret, LOGIN_RANDOM + 1, bytes, sizeof bytes,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static struct pending *place_for(struct logins *l)
{
    struct pending *oldest = &l->pending[0];
    for (size_t i = 0; i < LOGINS_MAX; i++) {
        if (!l->pending[i].state[0]) return &l->pending[i];
        if (l->pending[i].begun < oldest->begun) oldest = &l->pending[i];
    }
    return oldest;
}

static void put(struct buf *out, const char *name, const char *value)
{
    buf_puts(out, name);
    form_put_escaped(out, slice_of(value));
}

static void put_challenge(struct buf *out, const char *verifier)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char text[LOGIN_RANDOM + 1];
    (void)crypto_hash_sha256(hash, (const unsigned char *)verifier, strlen(verifier));
    (void)sodium_bin2base64(text, sizeof text, hash, sizeof hash,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    put(out, "&code_challenge_method=S256&code_challenge=", text);
}

int logins_begin(struct logins *l, struct buf *url, char ret_state[LOGIN_RANDOM + 1])
{
    if (!l->known) return ERR_STOPPED;
    struct pending *p = place_for(l);
    make_random(p->state);
    make_random(p->nonce);
    make_random(p->verifier);
    p->begun = now_of(l);
    buf_puts(url, l->authorization.ptr);
    buf_putc(url, strchr(l->authorization.ptr, '?') ? '&' : '?');
    buf_puts(url, "response_type=code&scope=openid%20profile%20email");
    put(url, "&client_id=", l->options.client);
    put(url, "&redirect_uri=", l->options.redirect);
    put(url, "&state=", p->state);
    put(url, "&nonce=", p->nonce);
    for (uint32_t i = 0; i < l->options.n_acr; i++)
        put(url, i ? "%20" : "&acr_values=", l->options.acr[i]);
    put_challenge(url, p->verifier);
    memcpy(ret_state, p->state, sizeof p->state);
    return buf_error(url);
}

/* ---- and back ---------------------------------------------------------------------------- */

static void finish(struct exchange *e, const char *why, struct slice claims)
{
    const struct login_result result = {.why = why, .claims = claims};
    sodium_memzero(e->nonce, sizeof e->nonce);
    buf_clear(&e->token);
    e->busy = e->waits = false;
    e->done(e->ctx, &result);
}

/* `again`: keys that may be older than the token are fetched anew, once. */
static void check(struct exchange *e, bool again)
{
    struct logins *l = e->logins;
    const char *why;
    const struct id_token_expected expected = {.keys = &l->keys,
                                               .issuer = slice_of(l->options.issuer),
                                               .client = slice_of(l->options.client),
                                               .nonce = slice_of(e->nonce),
                                               .acr = l->options.acr,
                                               .n_acr = l->options.n_acr,
                                               .now = clock_realtime(&l->options.clock) /
                                                      NSEC_PER_SEC};
    int error = id_token_check(buf_slice(&e->token), &expected, &l->claims, &why);
    if (error == ERR_NOT_FOUND && again && now_of(l) - l->keys_at >= KEYS_AGAIN) {
        e->waits = true;
        fetch(l);
        return;
    }
    finish(e,
           error == 0           ? NULL
           : error == ERR_NOMEM ? "out of memory"
                                : why,
           buf_slice(&l->claims));
}

static void finish_waiting(struct logins *l)
{
    for (size_t i = 0; i < LOGIN_CALLS; i++)
        if (l->exchanges[i].waits) check(&l->exchanges[i], false);
}

/* Core 1.0, 3.1.3.3; what else it says is of no use here. */
static void on_token(void *ctx, const struct dial_answer *answer)
{
    struct exchange *e = ctx;
    struct slice value, body = answer->why ? SLICE_NONE : slice_trim(answer->body);
    if (answer->why) finish(e, "the provider cannot be reached", SLICE_NONE);
    else if (answer->status != 200) finish(e, "the provider does not know the code", SLICE_NONE);
    else if (!json_is_object(body) || !json_find_member(body, "id_token", NULL, &value) ||
             !json_string_text(value, &e->token) || buf_failed(&e->token))
        finish(e, "the provider gives no ID token", SLICE_NONE);
    else check(e, true);
}

/* Taken out: a state is good once. */
static bool take_pending(struct logins *l, struct slice state, struct pending *ret)
{
    bool found = false;
    if (state.len != LOGIN_RANDOM) return false;
    for (size_t i = 0; i < LOGINS_MAX; i++) {
        struct pending *p = &l->pending[i];
        if (!p->state[0] || sodium_memcmp(p->state, state.ptr, LOGIN_RANDOM) != 0) continue;
        found = now_of(l) - p->begun < LOGIN_WITHIN * NSEC_PER_SEC;
        *ret = *p;
        sodium_memzero(p, sizeof *p);
    }
    return found;
}

static int begin_exchange(struct exchange *e, const struct pending *p, struct slice code)
{
    const struct login_options *o = &e->logins->options;
    buf_clear(&e->form);
    put(&e->form, "grant_type=authorization_code&client_id=", o->client);
    put(&e->form, "&redirect_uri=", o->redirect);
    put(&e->form, "&code_verifier=", p->verifier);
    buf_puts(&e->form, "&code=");
    form_put_escaped(&e->form, code);
    if (o->secret.len) buf_puts(&e->form, "&client_secret=");
    form_put_escaped(&e->form, o->secret);
    memcpy(e->nonce, p->nonce, sizeof e->nonce);
    if (buf_failed(&e->form)) return buf_error(&e->form);
    return dial_call_begin(&e->call, &(struct dial_request){.url = e->logins->token.ptr,
                                                            .body = buf_slice(&e->form),
                                                            .post = true,
                                                            .timeout = FETCH_WITHIN});
}

int logins_return(struct logins *l, struct slice state, struct slice code,
                  void (*done)(void *ctx, const struct login_result *result), void *ctx)
{
    struct pending p;
    struct exchange *e = NULL;
    for (size_t i = 0; i < LOGIN_CALLS && !e; i++)
        if (!l->exchanges[i].busy) e = &l->exchanges[i];
    if (!e) return ERR_LIMIT;
    if (!take_pending(l, state, &p)) return ERR_NOT_FOUND;
    int error = code.len == 0 || code.len > LOGIN_CODE_MAX ? ERR_INVALID : 0;
    if (error == 0) error = begin_exchange(e, &p, code);
    sodium_memzero(&p, sizeof p);
    if (error) return error;
    e->busy = true;
    e->done = done;
    e->ctx = ctx;
    return 0;
}

/* ---- all of it --------------------------------------------------------------------------- */

const char *logins_trouble(const struct logins *l)
{
    return l->trouble;
}

int logins_new(const struct login_options *options, struct logins **ret)
{
    struct logins *l = calloc(1, sizeof *l);
    if (!l) return ERR_NOMEM;
    l->options = *options;
    l->fetch = (struct loop_timer){.due = fetch, .ctx = l};
    buf_init(&l->authorization, LOGIN_URL_MAX);
    buf_init(&l->token, LOGIN_URL_MAX);
    buf_init(&l->keys_url, LOGIN_URL_MAX);
    buf_init(&l->claims, ID_TOKEN_MAX);
    int error = dial_call_init(&l->call, options->dial, ANSWER_MAX);
    l->call.done = on_provider;
    l->call.ctx = l;
    for (size_t i = 0; i < LOGIN_CALLS; i++) {
        struct exchange *e = &l->exchanges[i];
        e->logins = l;
        buf_init(&e->form, 8 * LOGIN_CODE_MAX);
        buf_init(&e->token, ID_TOKEN_MAX);
        if (error == 0) error = dial_call_init(&e->call, options->dial, ANSWER_MAX);
        e->call.done = on_token;
        e->call.ctx = e;
    }
    if (error == 0) error = loop_timer_set(options->loop, &l->fetch, 0, 0);
    if (error) logins_free(l);
    else *ret = l;
    return error;
}

void logins_free(struct logins *l)
{
    if (!l) return;
    loop_timer_stop(l->options.loop, &l->fetch);
    dial_call_done(&l->call);
    for (size_t i = 0; i < LOGIN_CALLS; i++) {
        dial_call_done(&l->exchanges[i].call);
        buf_done(&l->exchanges[i].form);
        buf_done(&l->exchanges[i].token);
    }
    buf_done(&l->authorization);
    buf_done(&l->token);
    buf_done(&l->keys_url);
    buf_done(&l->claims);
    jwks_done(&l->keys);
    sodium_memzero(l->pending, sizeof l->pending);
    free(l);
}
