/* SPDX-License-Identifier: EUPL-1.2 */
/* Heartbeats to the watchdog on another machine, and its own in what it answers. */
#include <inttypes.h>
#include <netdb.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "serve/canary.h"
#include "serve/signing_key.h"

enum {
    ANSWER_MAX = 16 * 1024,
    /* Numbers are written down so many ahead: a start goes on behind those that were not used. */
    AHEAD = 1000,
};
#define EVERY       (10 * NSEC_PER_SEC)
#define ANSWER_TIME (8 * NSEC_PER_SEC)
/* Its host is looked up that often, and soon behind a failure: one that has moved is found before
 * either side takes the other for silent. */
#define LOOK_UP      (60 * NSEC_PER_SEC)
#define LOOK_UP_SOON (5 * NSEC_PER_SEC)

static nsec now_of(const struct beat *b)
{
    return clock_monotonic(&b->role->clock);
}

static void look_up(struct beat *b)
{
    b->asked = now_of(b);
    resolver_ask(b->resolver);
}

static void fail(struct beat *b, const char *why)
{
    b->failures++;
    (void)snprintf(b->why, sizeof b->why, "%s", why);
    if (now_of(b) - b->asked >= LOOK_UP_SOON) look_up(b);
}

static void take_answer(struct beat *b, struct slice body)
{
    struct heartbeat beat;
    if (heartbeat_read(body, &b->address.key, &b->signer.key, &beat) != 0) {
        fail(b, "its answer is not signed with its key in watchdog.address");
        return;
    }
    /* One that answers another one of ours was said before. */
    if (beat.answers != b->number || beat.number <= b->heard_number) {
        fail(b, "its answer is an old one");
        return;
    }
    b->heard_number = beat.number;
    b->heard = now_of(b);
    b->heard_at = clock_realtime(&b->role->clock);
    b->why[0] = '\0';
    b->answers++;
    if (b->late) log_write(LOG_WATCHDOG_STATE, LOG_TEXT("state", SLICE("heard again")));
    b->late = false;
}

static void on_answer(void *ctx, unsigned status, struct slice body, const char *why)
{
    struct beat *b = ctx;
    char text[64];
    (void)snprintf(text, sizeof text, "it answered %u", status);
    if (why) fail(b, why);
    else if (status == 200) take_answer(b, body);
    else fail(b, text);
}

/* The next number; it is never said twice, whatever the end of a process was. */
static int next_number(struct beat *b)
{
    char text[32];
    if (b->number + 1 >= b->reserved) {
        int n = snprintf(text, sizeof text, "%" PRIu64, b->reserved + AHEAD);
        int error = bookmark_put(&b->bookmark, slice_make(text, (size_t)n));
        if (error == 0) error = bookmark_sync(&b->bookmark);
        if (error) return error;
        b->reserved += AHEAD;
    }
    b->number++;
    return 0;
}

static void send_beat(struct beat *b, const struct canary *k, bool loud)
{
    struct heartbeat beat = {.loud = loud,
                             .answers = b->heard_number,
                             .time = (uint64_t)(clock_realtime(&b->role->clock) / NSEC_PER_SEC)};
    struct slice why = k->n_changes ? slice_of(k->changes[k->n_changes - 1].text) : SLICE_NONE;
    if (next_number(b) != 0) {
        fail(b, "its number cannot be kept");
        return;
    }
    beat.number = b->number;
    (void)snprintf(beat.broken, sizeof beat.broken, "%s", canary_stage_name(k->broken));
    (void)snprintf(beat.why, sizeof beat.why, "%.*s", (int)why.len, why.len ? why.ptr : "");
    buf_clear(&b->text);
    heartbeat_write(&b->text, &beat, &b->signer, &b->address.key);
    post_begin(&b->post, buf_slice(&b->text));
}

static void tell_late(struct beat *b)
{
    struct buf text;
    buf_init(&text, 512);
    buf_printf(&text, "%s does not answer", b->address.key.name);
    if (b->why[0]) buf_printf(&text, ": %s", b->why);
    role_alarm(b->role, "watchdog-silent", buf_slice(&text));
    buf_done(&text);
    b->late = true;
}

void beat_tick(struct beat *b, const struct canary *k, bool loud)
{
    if (!b->role) return;
    nsec now = now_of(b), silence = b->role->config.watchdog_silence;
    nsec every = silence / 4 < EVERY ? silence / 4 : EVERY;
    if (post_is_busy(&b->post) && now - b->sent >= ANSWER_TIME) {
        post_cancel(&b->post);
        fail(b, "no answer in time");
    }
    if (!post_is_busy(&b->post) && (b->sent == 0 || now - b->sent >= every)) {
        b->sent = now;
        send_beat(b, k, loud);
    }
    if (!b->late && now - b->heard >= silence + EVERY) tell_late(b);
    if (now - b->asked >= LOOK_UP) look_up(b);
}

/* ---- what it needs ----------------------------------------------------------------------- */

static int read_trust(struct beat *b, struct diag *diag)
{
    const struct config_list *path = &b->role->config.watchdog_trust;
    if (gnutls_certificate_allocate_credentials(&b->trust) < 0) return ERR_NOMEM;
    if (!path->n) {
        (void)gnutls_certificate_set_x509_system_trust(b->trust);
        return 0;
    }
    if (gnutls_certificate_set_x509_trust_file(b->trust, path->items[0], GNUTLS_X509_FMT_PEM) > 0)
        return 0;
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: no certificate can be read from it",
                    path->items[0]);
}

/* The first of its addresses, as the order of these is that in which they are reached. One that is
 * another one than before is tried at once. */
static void on_found(void *ctx, unsigned host, struct slice addresses)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct beat *b = ctx;
    struct addrinfo *found = NULL;
    struct slice first;
    char text[NI_MAXHOST];
    (void)host;
    (void)slice_split(addresses, ',', &first, &addresses);
    if (slice_starts_with(first, SLICE("["))) first = slice_make(first.ptr + 1, first.len - 2);
    if (!slice_copy(first, text, sizeof text) ||
        getaddrinfo(text, b->address.port, &hints, &found) != 0)
        return;
    bool moved = b->target.address_len != found->ai_addrlen ||
                 memcmp(&b->target.address, found->ai_addr, found->ai_addrlen) != 0;
    memcpy(&b->target.address, found->ai_addr, found->ai_addrlen);
    b->target.address_len = found->ai_addrlen;
    freeaddrinfo(found);
    if (!moved) return;
    post_cancel(&b->post);
    b->sent = 0;
}

/* By a new process there is a new one. */
static void on_lost(void *ctx)
{
    struct beat *b = ctx;
    role_end(b->role, ERR_STOPPED);
}

/* A name without an address is as a watchdog that does not answer. */
static int open_resolver(struct beat *b)
{
    const char *const hosts[] = {b->address.host};
    struct buf found;
    buf_init(&found, RESOLVER_TEXT_MAX);
    if (resolver_look_up(hosts[0], &found)) on_found(b, 0, buf_slice(&found));
    buf_done(&found);
    b->asked = now_of(b);
    return resolver_new(&(struct resolver_options){.loop = b->role->loop,
                                                   .hosts = hosts,
                                                   .n_hosts = 1,
                                                   .confined = b->role->sandboxed,
                                                   .found = on_found,
                                                   .lost = on_lost,
                                                   .ctx = b},
                        &b->resolver);
}

static int open_files(struct beat *b, struct diag *diag)
{
    struct role *r = b->role;
    char space[192];
    const struct config_list none = {0};
    const char *keys = role_make_folder(r, "keys", diag);
    const char *folder = keys ? role_make_folder(r, "canary", diag) : NULL;
    const char *path = arena_printf(&r->config.arena, "%s/beat", folder ? folder : "");
    if (!folder || !path) return ERR_ACCESS;
    struct signing_seal seal;
    int error = signing_seal_read(&r->config, &seal, diag);
    if (error == 0)
        error = signing_key_open(keys, "heartbeat", CHECKPOINT_LOG,
                                 signing_key_name(&none, "/vaka", space, sizeof space), &seal,
                                 &b->signer, diag);
    explicit_bzero(&seal, sizeof seal);
    if (error == 0) error = bookmark_open(&b->bookmark, path, &b->text, diag);
    if (error == 0 && b->text.len && !slice_to_u64(buf_slice(&b->text), &b->number))
        error = diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "%s is not what the canary wrote", path);
    b->reserved = b->number;
    return error;
}

int beat_prepare(struct beat *b, struct role *r, struct diag *diag)
{
    const struct config_list *list = &r->config.watchdog_address;
    const char *why;
    uint64_t port;
    if (list->n == 0) return 0;
    b->role = r;
    buf_init(&b->text, ANSWER_MAX);
    int error = witness_address_read(slice_of(list->items[0]), "heartbeat", CHECKPOINT_LOG,
                                     &b->address, &why);
    if (error)
        return diag_set(diag, error, NULL, 0, 0, "watchdog.address: %s: %s", list->items[0], why);
    error = read_trust(b, diag);
    if (error == 0) error = open_files(b, diag);
    if (error) return error;
    b->target = (struct post_target){.host = b->address.host,
                                     .authority = b->address.authority,
                                     .path = b->address.path,
                                     .trust = b->trust};
    if (slice_to_u64(slice_of(b->address.port), &port)) role_keep_port(r, (uint16_t)port);
    post_init(&b->post, r->loop, &b->target, HEARTBEAT_MAX + 4096, ANSWER_MAX);
    b->post.done = on_answer;
    b->post.ctx = b;
    b->heard = now_of(b);
    return open_resolver(b);
}

void beat_stop(struct beat *b)
{
    if (!b->role) return;
    post_cancel(&b->post);
    resolver_free(b->resolver);
    b->resolver = NULL;
}

void beat_status(const struct beat *b, struct buf *out)
{
    if (!b->role) return;
    json_write_key(out, "watchdog");
    buf_putc(out, '{');
    json_write_member_string(out, "name", slice_of(b->address.key.name));
    json_write_key(out, "silent");
    buf_puts(out, b->late ? "true" : "false");
    json_write_member_u64(out, "heard", (uint64_t)(b->heard_at / NSEC_PER_SEC));
    json_write_member_u64(out, "answers", b->answers);
    json_write_member_u64(out, "failures", b->failures);
    json_write_member_string(out, "why", slice_of(b->why));
    buf_putc(out, '}');
}
