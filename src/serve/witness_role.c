/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that asks witnesses on other machines to sign the checkpoints of the log. It has no
 * file, no key and no record; it connects to the addresses that its settings named before it
 * entered the sandbox, and nothing waits for it. A witness that does not answer is asked again
 * after a pause that grows, and told of when it has signed nothing for store.witness_wait.
 */
#include <netdb.h>

#include "base/file.h"
#include "base/json_write.h"
#include "serve/cosign.h"
#include "serve/role.h"
#include "witness/address.h"
#include "witness/post.h"
#include "witness/request.h"

enum { TOKEN_FILE_MAX = 4096, WHY_MAX = 128 };
#define TICK       NSEC_PER_SEC
#define WAIT_LEAST (5 * NSEC_PER_SEC)
#define WAIT_MOST  (300 * NSEC_PER_SEC)
/* Addresses are looked up before the sandbox: after so long without an answer, anew, by a new
 * process. */
#define LOOK_UP_AGAIN (900 * NSEC_PER_SEC)

struct asked {
    struct role *role;
    struct witness_address address;
    struct post_target target;
    struct post post;
    struct buf note; /* the checkpoint that is being submitted */
    uint64_t note_size;
    uint64_t known; /* size that the witness has signed, when it is known */
    uint64_t old;   /* that the request named */
    bool is_known, proving, late;
    unsigned conflicts; /* in a row */
    uint64_t signatures, failures;
    nsec signed_at;             /* realtime; 0: never */
    nsec heard, wait, not_till; /* monotonic: its last signature or the start; the pause */
    char why[WHY_MAX];          /* of the last failure; "" after a signature */
};

struct witness_ctx {
    struct asked asked[COSIGN_WITNESSES_MAX];
    size_t n;
    gnutls_certificate_credentials_t trust;
    struct buf token;
    uint64_t old, size; /* of the newest checkpoint */
    struct tree_proof proof;
    struct buf note, request;
    struct loop_timer tick;
};

/* ---- one witness ------------------------------------------------------------------------- */

static void fail(struct asked *a, const char *why)
{
    a->failures++;
    a->conflicts = 0;
    (void)snprintf(a->why, sizeof a->why, "%s", why);
    a->wait = a->wait == 0 ? WAIT_LEAST : a->wait * 2 > WAIT_MOST ? WAIT_MOST : a->wait * 2;
    a->not_till = clock_monotonic(&a->role->clock) + a->wait;
}

/* What people must hear of at once: the witness has seen another past than ours. */
static void contradict(struct asked *a, const char *what)
{
    struct buf text;
    buf_init(&text, 1024);
    buf_printf(&text, "%s: %s (it has signed %llu, the checkpoint is of %llu)", a->address.key.name,
               what, (unsigned long long)a->known, (unsigned long long)a->note_size);
    role_alarm(a->role, "witness-contradicts", buf_slice(&text));
    buf_done(&text);
    fail(a, what);
}

static void send_request(struct asked *a, const struct tree_proof *proof)
{
    struct witness_ctx *c = a->role->ctx;
    a->old = a->is_known ? a->known : 0;
    buf_clear(&c->request);
    witness_request_write(&c->request, a->old, proof, buf_slice(&a->note));
    post_begin(&a->post, buf_slice(&c->request));
}

static void ask_proof(struct asked *a)
{
    struct link *link = role_link(a->role, ROLE_SEAL);
    if (!link_is_open(link)) return;
    a->proving = true;
    say_prove_write(link_out(link), &(struct say_prove){.old = a->known, .size = a->note_size});
    link_flush(link);
}

static void submit(struct asked *a)
{
    static const struct tree_proof none = {.n = 0};
    struct witness_ctx *c = a->role->ctx;
    if (!a->is_known || a->known == 0 || a->known == a->note_size) send_request(a, &none);
    else if (a->known > a->note_size) contradict(a, "records that it has seen are not there");
    else if (a->known == c->old && a->note_size == c->size) send_request(a, &c->proof);
    else ask_proof(a);
}

/* The newest checkpoint, unless it is not the time. */
static void go_on(struct asked *a)
{
    const struct witness_ctx *c = a->role->ctx;
    if (c->note.len == 0 || post_is_busy(&a->post) || a->proving ||
        clock_monotonic(&a->role->clock) < a->not_till)
        return;
    buf_clear(&a->note);
    buf_put(&a->note, buf_slice(&c->note));
    a->note_size = c->size;
    submit(a);
}

static bool is_signed(struct asked *a, struct slice lines)
{
    struct checkpoint checkpoint;
    struct buf text;
    buf_init(&text, CHECKPOINT_MAX);
    buf_put(&text, buf_slice(&a->note));
    buf_put(&text, lines);
    bool good = !buf_failed(&text) && checkpoint_parse(buf_slice(&text), &checkpoint) == 0 &&
                checkpoint_verify(&checkpoint, &a->address.key, NULL) == 0;
    buf_done(&text);
    return good;
}

static void take_signature(struct asked *a, struct slice lines)
{
    if (!is_signed(a, lines)) {
        fail(a, "its answer is not signed with its key in store.witnesses");
        return;
    }
    struct link *link = role_link(a->role, ROLE_SEAL);
    struct slice line, rest = lines;
    a->known = a->note_size;
    a->is_known = true;
    a->conflicts = 0;
    a->wait = 0;
    a->why[0] = '\0';
    a->signatures++;
    a->signed_at = clock_realtime(&a->role->clock);
    a->heard = clock_monotonic(&a->role->clock);
    if (a->late) role_alarm(a->role, "witness-back", slice_of(a->address.key.name));
    a->late = false;
    while (link_is_open(link) && slice_split(rest, '\n', &line, &rest)) {
        if (link_room(link) < a->note.len + line.len + 1024) return;
        say_cosigned_write(link_out(link),
                           &(struct say_cosigned){.note = buf_slice(&a->note),
                                                  .line = slice_make(line.ptr, line.len + 1)});
    }
    link_flush(link);
}

/* It knows another size than we thought: once it is asked anew with that one. */
static void take_conflict(struct asked *a, struct slice body)
{
    uint64_t size;
    if (!witness_size_read(body, &size)) {
        fail(a, "its answer is not understood");
        return;
    }
    bool same = a->is_known && size == a->old;
    a->known = size;
    a->is_known = true;
    if (same) contradict(a, "it has signed other records of this size");
    else if (++a->conflicts > 1) fail(a, "it changes what it knows");
    else submit(a);
}

static void on_answer(void *ctx, unsigned status, struct slice body, const char *why)
{
    struct asked *a = ctx;
    char text[WHY_MAX];
    if (why) {
        fail(a, why);
    } else if (status == 200) {
        take_signature(a, body);
    } else if (status == 409) {
        take_conflict(a, body);
    } else if (status == 422) {
        contradict(a, "what it has signed does not go on to this");
    } else {
        (void)snprintf(text, sizeof text, "it answered %u", status);
        fail(a, text);
    }
}

static int take_proof(struct role *r, const struct frame *frame)
{
    struct witness_ctx *c = r->ctx;
    struct say_proof m;
    struct tree_proof proof = {.n = 0};
    if (say_proof_read(frame->payload, &m) != 0 || m.proof.len > sizeof proof.hashes ||
        m.proof.len % sizeof *proof.hashes != 0)
        return ERR_CORRUPT;
    proof.n = (unsigned)(m.proof.len / sizeof *proof.hashes);
    if (m.proof.len) memcpy(proof.hashes, m.proof.ptr, m.proof.len);
    for (size_t i = 0; i < c->n; i++) {
        struct asked *a = &c->asked[i];
        if (!a->proving || a->known != m.old || a->note_size != m.size) continue;
        a->proving = false;
        if (proof.n == 0) fail(a, "how the tree went on from what it knows cannot be told now");
        else send_request(a, &proof);
    }
    return 0;
}

static int take_submit(struct role *r, const struct frame *frame)
{
    struct witness_ctx *c = r->ctx;
    struct say_submit m;
    if (say_submit_read(frame->payload, &m) != 0 || m.proof.len > sizeof c->proof.hashes ||
        m.proof.len % sizeof *c->proof.hashes != 0)
        return ERR_CORRUPT;
    c->old = m.old;
    c->size = m.size;
    c->proof.n = (unsigned)(m.proof.len / sizeof *c->proof.hashes);
    if (m.proof.len) memcpy(c->proof.hashes, m.proof.ptr, m.proof.len);
    buf_clear(&c->note);
    buf_put(&c->note, m.note);
    for (size_t i = 0; i < c->n; i++) go_on(&c->asked[i]);
    return 0;
}

static int witness_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    if (peer == ROLE_SEAL && frame->type == SAY_SUBMIT) return take_submit(r, frame);
    return peer == ROLE_SEAL && frame->type == SAY_PROOF ? take_proof(r, frame) : ERR_CORRUPT;
}

static void witness_lost(struct role *r, enum serve_role peer)
{
    struct witness_ctx *c = r->ctx;
    (void)peer;
    for (size_t i = 0; i < c->n; i++) c->asked[i].proving = false;
}

/* ---- those that are silent --------------------------------------------------------------- */

static void tell_late(struct asked *a)
{
    struct buf text;
    buf_init(&text, 1024);
    buf_printf(&text, "%s has signed nothing for ", a->address.key.name);
    config_write_value(&text, &a->role->config, CONFIG_STORE_WITNESS_WAIT);
    if (a->why[0]) buf_printf(&text, ": %s", a->why);
    role_alarm(a->role, "witness-silent", buf_slice(&text));
    buf_done(&text);
    a->late = true;
}

static void on_tick(void *ctx)
{
    struct role *r = ctx;
    struct witness_ctx *c = r->ctx;
    nsec now = clock_monotonic(&r->clock);
    for (size_t i = 0; i < c->n; i++) {
        struct asked *a = &c->asked[i];
        if (!a->late && now - a->heard > r->config.store_witness_wait) tell_late(a);
        if (now - a->heard > LOOK_UP_AGAIN && a->wait > 0) {
            role_end(r, 0);
            return;
        }
    }
}

/* ---- the role ---------------------------------------------------------------------------- */

static int read_token(struct role *r, struct diag *diag)
{
    struct witness_ctx *c = r->ctx;
    const struct config_list *path = &r->config.store_witness_token;
    buf_init(&c->token, TOKEN_FILE_MAX);
    return path->n ? file_read_secret(path->items[0], &c->token, diag) : 0;
}

static int read_trust(struct role *r, struct diag *diag)
{
    struct witness_ctx *c = r->ctx;
    const struct config_list *path = &r->config.store_witness_trust;
    if (gnutls_certificate_allocate_credentials(&c->trust) < 0) return ERR_NOMEM;
    if (!path->n) {
        (void)gnutls_certificate_set_x509_system_trust(c->trust);
        return 0;
    }
    if (gnutls_certificate_set_x509_trust_file(c->trust, path->items[0], GNUTLS_X509_FMT_PEM) > 0)
        return 0;
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: no certificate can be read from it",
                    path->items[0]);
}

/* A name without an address is as a witness that does not answer. */
static void look_up(struct asked *a)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    if (getaddrinfo(a->address.host, a->address.port, &hints, &found) != 0) return;
    memcpy(&a->target.address, found->ai_addr, found->ai_addrlen);
    a->target.address_len = found->ai_addrlen;
    freeaddrinfo(found);
}

static int prepare_one(struct role *r, const char *text, struct diag *diag)
{
    struct witness_ctx *c = r->ctx;
    struct asked *a = &c->asked[c->n];
    const char *why;
    uint64_t port;
    int error = witness_address_read(slice_of(text), "add-checkpoint", CHECKPOINT_WITNESS,
                                     &a->address, &why);
    if (error) return diag_set(diag, error, NULL, 0, 0, "store.witnesses: %s: %s", text, why);
    a->role = r;
    a->target = (struct post_target){.host = a->address.host,
                                     .authority = a->address.authority,
                                     .path = a->address.path,
                                     .trust = c->trust,
                                     .token = c->token.len ? c->token.ptr : NULL};
    look_up(a);
    if (slice_to_u64(slice_of(a->address.port), &port)) role_keep_port(r, (uint16_t)port);
    post_init(&a->post, r->loop, &a->target, WITNESS_REQUEST_MAX + 4096, WITNESS_ANSWER_MAX);
    a->post.done = on_answer;
    a->post.ctx = a;
    a->heard = clock_monotonic(&r->clock);
    buf_init(&a->note, CHECKPOINT_MAX);
    c->n++;
    return 0;
}

static int witness_prepare(struct role *r, struct diag *diag)
{
    struct witness_ctx *c = r->ctx;
    const struct config_list *list = &r->config.store_witnesses;
    buf_init(&c->note, CHECKPOINT_MAX);
    buf_init(&c->request, WITNESS_REQUEST_MAX);
    int error = list->n ? read_token(r, diag) : 0;
    if (error == 0 && list->n) error = read_trust(r, diag);
    for (uint32_t i = 0; i < list->n && error == 0; i++)
        error = prepare_one(r, list->items[i], diag);
    return error;
}

static int witness_start(struct role *r)
{
    struct witness_ctx *c = r->ctx;
    c->tick = (struct loop_timer){.due = on_tick, .ctx = r};
    return loop_timer_set(r->loop, &c->tick, TICK, TICK);
}

static void put(struct buf *out, const char *key, uint64_t value)
{
    json_write_key(out, key);
    json_write_u64(out, value);
}

static void put_one(struct buf *out, const struct asked *a)
{
    buf_putc(out, '{');
    json_write_key(out, "name");
    json_write_string(out, slice_of(a->address.key.name));
    put(out, "signed", a->is_known ? a->known : 0);
    put(out, "signed_at", (uint64_t)(a->signed_at / NSEC_PER_SEC));
    put(out, "signatures", a->signatures);
    put(out, "failures", a->failures);
    json_write_key(out, "silent");
    buf_puts(out, a->late ? "true" : "false");
    json_write_key(out, "failure");
    json_write_string(out, slice_of(a->why));
    buf_putc(out, '}');
}

static void witness_status(struct role *r, struct buf *out)
{
    const struct witness_ctx *c = r->ctx;
    json_write_key(out, "witnesses");
    buf_putc(out, '[');
    for (size_t i = 0; i < c->n; i++) {
        if (i > 0) buf_putc(out, ',');
        put_one(out, &c->asked[i]);
    }
    buf_putc(out, ']');
}

static void witness_stop(struct role *r)
{
    struct witness_ctx *c = r->ctx;
    for (size_t i = 0; i < c->n; i++) post_cancel(&c->asked[i].post);
    role_end(r, 0);
}

const struct role_ops role_witness = {
    .ctx_size = sizeof(struct witness_ctx),
    .prepare = witness_prepare,
    .start = witness_start,
    .lost = witness_lost,
    .frame = witness_frame,
    .status = witness_status,
    .stop = witness_stop,
};
