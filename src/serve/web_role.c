/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that has the API. It reads the database of alerts, and has nothing else: who asks is
 * told by the process that has the accounts, and what is done others do.
 */
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <nettle/hmac.h>

#include "base/file.h"
#include "base/json_write.h"
#include "calendar/calendar.h"
#include "retro/book.h"
#include "ruleset/ruleset.h"
#include "serve/catalogue.h"
#include "serve/credentials.h"
#include "serve/listeners.h"
#include "serve/reports.h"
#include "serve/role.h"
#include "store/evidence.h"
#include "web/api.h"

_Static_assert((int)API_EVIDENCE_MAX == EVIDENCE_RECORDS_MAX, "the store's");
_Static_assert((int)API_FIND_RECORDS == FIND_RECORDS && (int)API_FIND_AUDIT == FIND_AUDIT &&
                   (int)API_FIND_TRIAL == FIND_TRIAL && (int)API_FIND_CHECK == FIND_CHECK &&
                   (int)API_FIND_DRAFT == FIND_DRAFT && (int)API_FIND_RECORD == FIND_RECORD &&
                   (int)API_FIND_VERIFY == FIND_VERIFY && (int)API_FIND_EVIDENCE == FIND_EVIDENCE &&
                   (int)API_FIND_VERSION == FIND_VERSION,
               "the same over the channel");

enum { ALERTS_CLIENT = 1 }; /* as who this process follows alerts */

struct web_ctx {
    struct api *api; /* NULL: web.listen is not set */
    struct credentials credentials;
    int socket; /* 0: none */
    struct reports reports;
    struct catalogue catalogue;
    struct buf holidays; /* oncall.holidays */
    uint64_t dropped;    /* questions for which there was no room */
};

/* ---- out --------------------------------------------------------------------------------- */

/* NULL: there is nobody, or no room. */
static struct link *find_room(struct role *r, enum serve_role peer, size_t bytes)
{
    struct web_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    if (link_is_open(link) && link_room(link) >= bytes + 1024) return link;
    c->dropped++;
    return NULL;
}

static int on_claim(void *ctx, uint64_t call, const struct api_claim *m)
{
    struct role *r = ctx;
    struct link *link =
        find_room(r, ROLE_ACCOUNT, m->name.len + m->secret.len + m->code.len + m->address.len);
    if (!link) return ERR_LIMIT;
    say_claim_write(link_out(link), &(struct say_claim){.id = call,
                                                        .kind = (uint8_t)m->kind,
                                                        .tenant = m->tenant,
                                                        .address = m->address,
                                                        .name = m->name,
                                                        .secret = m->secret,
                                                        .code = m->code});
    link_flush(link);
    return 0;
}

static int on_manage(void *ctx, uint64_t call, const struct api_manage *m)
{
    struct role *r = ctx;
    struct link *link = find_room(r, ROLE_ACCOUNT, m->body.len + m->proof.len + m->address.len);
    if (!link) return ERR_LIMIT;
    say_manage_write(link_out(link), &(struct say_manage){.id = call,
                                                          .action = (uint8_t)m->action,
                                                          .uid = UINT32_MAX,
                                                          .tenant = m->tenant,
                                                          .proof = m->proof,
                                                          .address = m->address,
                                                          .body = m->body});
    link_flush(link);
    return 0;
}

/* Who does it. */
static const enum serve_role doers[API_DEED_COUNT] = {[API_DEED_DESK] = ROLE_TRIAGE,
                                                      [API_DEED_LIBRARY] = ROLE_LIBRARY,
                                                      [API_DEED_HOLDS] = ROLE_SEAL,
                                                      [API_DEED_DRILLS] = ROLE_CANARY};

static int on_act(void *ctx, uint64_t call, const struct api_deed *m)
{
    struct role *r = ctx;
    struct link *link =
        find_room(r, doers[m->to], m->actor.len + m->kind.len + m->body.len + m->file.len);
    if (!link) return ERR_LIMIT;
    say_act_write(link_out(link), &(struct say_act){.client = call,
                                                    .tenant = m->tenant,
                                                    .actor = m->actor,
                                                    .kind = m->kind,
                                                    .body = m->body,
                                                    .once = m->once,
                                                    .asked = m->asked,
                                                    .file = m->file});
    link_flush(link);
    return 0;
}

static int on_veil(void *ctx, uint64_t call, uint64_t user, uint32_t tenant, struct slice names)
{
    struct role *r = ctx;
    struct link *link = find_room(r, ROLE_ACCOUNT, names.len);
    if (!link) return ERR_LIMIT;
    say_veil_write(link_out(link),
                   &(struct say_veil){.id = call, .user = user, .tenant = tenant, .names = names});
    link_flush(link);
    return 0;
}

static int on_known(void *ctx, uint32_t tenant, struct slice after)
{
    struct role *r = ctx;
    struct link *link = find_room(r, ROLE_ACCOUNT, after.len);
    if (!link) return ERR_LIMIT;
    say_known_write(link_out(link), &(struct say_known){.tenant = tenant, .after = after});
    link_flush(link);
    return 0;
}

/* ---- searches ---------------------------------------------------------------------------- */

static int on_find(void *ctx, uint64_t call, const struct api_find *m)
{
    struct role *r = ctx;
    struct link *link =
        find_room(r, ROLE_SEARCH, m->name.len + m->purpose.len + m->query.len + m->said.len);
    if (!link) return ERR_LIMIT;
    say_find_write(link_out(link), &(struct say_find){.id = call,
                                                      .what = (uint8_t)m->what,
                                                      .user = m->user,
                                                      .tenant = m->tenant,
                                                      .from = m->from,
                                                      .to = m->to,
                                                      .name = m->name,
                                                      .purpose = m->purpose,
                                                      .query = m->query,
                                                      .said = m->said});
    link_flush(link);
    return 0;
}

static void on_taken(void *ctx, uint64_t call, uint64_t bytes)
{
    struct role *r = ctx;
    struct link *link = find_room(r, ROLE_SEARCH, 64);
    if (!link) return;
    say_taken_write(link_out(link), &(struct say_taken){.id = call, .bytes = bytes});
    link_flush(link);
}

static void on_cease(void *ctx, uint64_t call)
{
    struct role *r = ctx;
    struct link *link = find_room(r, ROLE_SEARCH, 64);
    if (!link) return;
    say_cease_write(link_out(link), &(struct say_cease){.id = call});
    link_flush(link);
}

static int on_look(void *ctx, uint64_t call, const struct api_look *m)
{
    struct role *r = ctx;
    struct link *link = find_room(r, ROLE_SEARCH, m->name.len + m->purpose.len + m->what.len);
    if (!link) return ERR_LIMIT;
    say_look_write(
        link_out(link),
        &(struct say_look){.id = call, .name = m->name, .purpose = m->purpose, .query = m->what});
    link_flush(link);
    return 0;
}

static void on_rule(void *ctx, struct slice id, struct buf *out)
{
    const struct role *r = ctx;
    const struct web_ctx *c = r->ctx;
    catalogue_put_rule(&c->catalogue, id, out);
}

static void on_retro(void *ctx, struct buf *out)
{
    const struct role *r = ctx;
    const struct web_ctx *c = r->ctx;
    catalogue_put_retro(&c->catalogue, out);
}

static int on_oncall(void *ctx, uint64_t call, const struct api_deed *m)
{
    struct role *r = ctx;
    struct link *link = find_room(r, ROLE_ONCALL, m->actor.len + m->kind.len + m->body.len);
    if (!link) return ERR_LIMIT;
    say_act_write(link_out(link), &(struct say_act){.client = call,
                                                    .tenant = m->tenant,
                                                    .actor = m->actor,
                                                    .kind = m->kind,
                                                    .body = m->body});
    link_flush(link);
    return 0;
}

static int on_answer(void *ctx, uint64_t call, struct slice body)
{
    const struct api_deed m = {.actor = SLICE("link"), .kind = SLICE("answer"), .body = body};
    return on_oncall(ctx, call, &m);
}

static int on_told(void *ctx, uint64_t call, const struct api_told *m)
{
    struct role *r = ctx;
    struct link *link = find_room(r, ROLE_NOTIFY, m->provider.len + m->secret.len + m->body.len);
    if (!link) return ERR_LIMIT;
    say_callback_write(link_out(link), &(struct say_callback){.id = call,
                                                              .provider = m->provider,
                                                              .secret = m->secret,
                                                              .body = m->body});
    link_flush(link);
    return 0;
}

static void on_status(void *ctx, struct buf *out)
{
    struct role *r = ctx;
    struct web_ctx *c = r->ctx;
    buf_putc(out, '{');
    reports_write(&c->reports, out);
    buf_puts(out, "}\n");
}

/* ---- answers ----------------------------------------------------------------------------- */

static int take_principal(struct role *r, const struct frame *frame)
{
    struct web_ctx *c = r->ctx;
    struct say_principal m;
    if (say_principal_read(frame->payload, &m) != 0 || m.status < PRINCIPAL_KNOWN ||
        m.status > PRINCIPAL_ELSEWHERE)
        return ERR_CORRUPT;
    api_claimed(c->api, m.id,
                &(struct api_principal){.status = (enum principal_status)m.status,
                                        .must = m.must,
                                        .token = m.token != 0,
                                        .veiled = m.veiled != 0,
                                        .wait = m.wait,
                                        .tenant = m.tenant,
                                        .user = m.user,
                                        .rights = m.rights,
                                        .expires = m.expires,
                                        .name = m.name,
                                        .shown = m.shown,
                                        .secret = m.secret,
                                        .where = m.where});
    return 0;
}

static int take_managed(struct role *r, const struct frame *frame)
{
    struct web_ctx *c = r->ctx;
    struct say_managed m;
    if (say_managed_read(frame->payload, &m) != 0 || m.status < 200 || m.status > 599)
        return ERR_CORRUPT;
    api_managed(c->api, m.id, m.status, m.body);
    return 0;
}

static int take_names(struct role *r, const struct frame *frame)
{
    struct web_ctx *c = r->ctx;
    struct say_veiled veiled;
    struct say_names names;
    if (frame->type == SAY_VEILED && say_veiled_read(frame->payload, &veiled) == 0)
        api_veiled(c->api, veiled.id, veiled.names);
    else if (frame->type == SAY_NAMES && say_names_read(frame->payload, &names) == 0)
        api_known(c->api, names.tenant, names.names);
    else return ERR_CORRUPT;
    return 0;
}

/* The row itself is read from the database, by each who listens. */
static int take_row(struct role *r, const struct frame *frame)
{
    struct web_ctx *c = r->ctx;
    struct say_row m;
    if (say_row_read(frame->payload, &m) != 0 || m.client != ALERTS_CLIENT) return ERR_CORRUPT;
    api_news_came(c->api);
    return 0;
}

static int take_acted(struct role *r, const struct frame *frame,
                      void (*tell)(struct api *w, uint64_t call, unsigned status,
                                   struct slice body))
{
    struct web_ctx *c = r->ctx;
    struct say_acted m;
    if (say_acted_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    tell(c->api, m.client, m.status, m.body);
    return 0;
}

static int take_search(struct role *r, const struct frame *frame)
{
    struct web_ctx *c = r->ctx;
    struct say_found found;
    struct say_finished finished;
    struct say_looked looked;
    if (frame->type == SAY_FOUND && say_found_read(frame->payload, &found) == 0)
        api_found(c->api, found.id, found.lines);
    else if (frame->type == SAY_FINISHED && say_finished_read(frame->payload, &finished) == 0)
        api_finished(c->api, finished.id, finished.status, finished.text);
    else if (frame->type == SAY_LOOKED && say_looked_read(frame->payload, &looked) == 0)
        api_looked(c->api, looked.id, looked.written != 0);
    else return ERR_CORRUPT;
    return 0;
}

static int take_notify(struct role *r, const struct frame *frame)
{
    struct web_ctx *c = r->ctx;
    struct say_called called;
    struct say_providers providers;
    if (frame->type == SAY_CALLED && say_called_read(frame->payload, &called) == 0)
        api_called(c->api, called.id, called.status, called.body);
    else if (frame->type == SAY_PROVIDERS && say_providers_read(frame->payload, &providers) == 0)
        api_providers_are(c->api, providers.list);
    else return ERR_CORRUPT;
    return 0;
}

static int web_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    const struct web_ctx *c = r->ctx;
    /* Providers are told of to whoever is there. */
    if (!c->api) return peer == ROLE_NOTIFY ? 0 : ERR_CORRUPT;
    if (peer == ROLE_ACCOUNT && frame->type == SAY_PRINCIPAL) return take_principal(r, frame);
    if (peer == ROLE_ACCOUNT && frame->type == SAY_MANAGED) return take_managed(r, frame);
    if (peer == ROLE_ACCOUNT) return take_names(r, frame);
    if (peer == ROLE_TRIAGE && frame->type == SAY_ROW) return take_row(r, frame);
    bool does =
        peer == ROLE_TRIAGE || peer == ROLE_LIBRARY || peer == ROLE_SEAL || peer == ROLE_CANARY;
    if (does && frame->type == SAY_ACTED) return take_acted(r, frame, api_acted);
    if (peer == ROLE_SEARCH) return take_search(r, frame);
    if (peer == ROLE_ONCALL && frame->type == SAY_ACTED) return take_acted(r, frame, api_answered);
    if (peer == ROLE_NOTIFY) return take_notify(r, frame);
    return ERR_CORRUPT;
}

static int web_command(struct role *r, const struct frame *frame)
{
    struct web_ctx *c = r->ctx;
    struct say_report m;
    return frame->type == SAY_REPORT ? reports_take(&c->reports, frame, &m) : ERR_CORRUPT;
}

/* Those that came while nobody told of them are there to be read, too. */
static void follow_alerts(struct role *r)
{
    struct web_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    say_watch_write(
        link_out(link),
        &(struct say_watch){.client = ALERTS_CLIENT, .after = UINT64_MAX, .follow = true});
    link_flush(link);
    api_news_came(c->api);
}

static void web_peer(struct role *r, enum serve_role peer)
{
    const struct web_ctx *c = r->ctx;
    if (peer == ROLE_TRIAGE && c->api) follow_alerts(r);
}

static void web_lost(struct role *r, enum serve_role peer)
{
    const struct web_ctx *c = r->ctx;
    if (peer == ROLE_ACCOUNT && c->api) api_accounts_lost(c->api);
    for (unsigned i = 0; i < API_DEED_COUNT; i++)
        if (peer == doers[i] && c->api) api_deeds_lost(c->api, (enum api_deed_to)i);
    if (peer == ROLE_SEARCH && c->api) api_searches_lost(c->api);
    if (peer == ROLE_ONCALL && c->api) api_oncall_lost(c->api);
    if (peer == ROLE_NOTIFY && c->api) api_notify_lost(c->api);
}

/* ---- the role ---------------------------------------------------------------------------- */

static int web_given(struct role *r, const struct say_give *give, int fd)
{
    struct web_ctx *c = r->ctx;
    if (give->kind != GIVE_LISTENER + LISTEN_WEB || c->socket) {
        (void)close(fd);
        return ERR_CORRUPT;
    }
    c->socket = fd;
    return 0;
}

/* What cursors and marks are made with has to be the same after a start anew, and nobody but who
 * has the key of the certificate may know it. */
static void make_secret(const char *key, uint8_t ret[API_SECRET])
{
    static const char purpose[] = "vaka: cursors and marks of the API";
    struct hmac_sha256_ctx ctx;
    hmac_sha256_set_key(&ctx, strlen(key), (const uint8_t *)key);
    hmac_sha256_update(&ctx, sizeof purpose, (const uint8_t *)purpose);
    hmac_sha256_digest(&ctx, API_SECRET, ret);
    explicit_bzero(&ctx, sizeof ctx);
}

static int read_credentials(struct role *r, struct diag *diag)
{
    struct web_ctx *c = r->ctx;
    struct credential_files files;
    int error = credentials_open(&r->config, &files, diag);
    if (error) return error;
    error = credentials_read(&c->credentials, &r->config, &files, diag);
    credentials_close(&files);
    if (error == 0 && !c->credentials.tls)
        error =
            diag_set(diag, ERR_INVALID, NULL, 0, 0, "web.listen needs tls.certificate and tls.key");
    return error;
}

/* For who asks which there are; they are new ones with a new process. */
static int start_with_rules(struct role *r, struct api_options *options, struct diag *diag)
{
    struct web_ctx *c = r->ctx;
    struct ruleset rules;
    int error = ruleset_load_watch(&rules, &r->config, clock_realtime(&r->clock), diag);
    if (error) return error;
    options->rules = rules.set;
    error = catalogue_make(&c->catalogue, &r->config, &rules, diag);
    for (unsigned i = 0; i < API_DOCUMENT_COUNT; i++)
        options->documents[i] = buf_slice(&c->catalogue.documents[i]);
    if (error == 0) error = api_new(options, &c->api);
    ruleset_done(&rules);
    return error;
}

static int start_web(struct role *r, const char *database, const char *oncall, struct diag *diag)
{
    struct web_ctx *c = r->ctx;
    const struct tls_context *tls = c->credentials.tls;
    struct api_options options = {.loop = r->loop,
                                  .clock = r->clock,
                                  .out = {.ctx = r,
                                          .claim = on_claim,
                                          .manage = on_manage,
                                          .act = on_act,
                                          .find = on_find,
                                          .taken = on_taken,
                                          .cease = on_cease,
                                          .look = on_look,
                                          .veil = on_veil,
                                          .known = on_known,
                                          .rule = on_rule,
                                          .retro = on_retro,
                                          .answer = on_answer,
                                          .oncall = on_oncall,
                                          .told = on_told,
                                          .status = on_status},
                                  .socket = c->socket,
                                  .certificate = tls_context_certificate(tls),
                                  .key = tls_context_key(tls),
                                  .priorities = tls_priorities(),
                                  .rate = (uint32_t)r->config.web_rate,
                                  .elsewhere = r->config.accounts_oidc_issuer.n > 0,
                                  .database = database,
                                  .oncall = oncall,
                                  .holidays = buf_slice(&c->holidays)};
    int error = api_proxies_read(r->config.web_proxies.items, r->config.web_proxies.n,
                                 &options.proxies, diag);
    if (error) return error;
    make_secret(options.key, options.secret);
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed ||
        getrandom(&options.names, sizeof options.names, 0) != sizeof options.names)
        return ERR_IO;
    error = start_with_rules(r, &options, diag);
    explicit_bzero(options.secret, sizeof options.secret);
    return error;
}

static int web_prepare(struct role *r, struct diag *diag)
{
    struct web_ctx *c = r->ctx;
    reports_init(&c->reports);
    if (!c->socket) return 0;
    const char *folder = role_make_folder(r, "state", diag);
    const char *retro = role_make_folder(r, RETRO_FOLDER, diag);
    const char *path = arena_printf(&r->config.arena, "%s/vaka.db", folder ? folder : "");
    const char *oncall_folder = role_make_folder(r, "oncall", diag);
    const char *oncall =
        arena_printf(&r->config.arena, "%s/oncall.db", oncall_folder ? oncall_folder : "");
    if (!folder || !retro || !path || !oncall_folder || !oncall) return ERR_ACCESS;
    role_keep_path(r, folder);
    role_keep_path(r, oncall_folder);
    /* A plan names a zone. */
    role_keep_path(r, "/usr/share/zoneinfo");
    role_keep_path(r, retro);
    /* SQLite asks for randomness here. */
    role_keep_path(r, "/dev/urandom");
    buf_init(&c->holidays, CALENDAR_FILE_MAX);
    int error = read_credentials(r, diag);
    if (error == 0 && r->config.oncall_holidays.n)
        error = file_read(r->config.oncall_holidays.items[0], &c->holidays, diag);
    /* Before the sandbox: it makes descriptors of its own. */
    return error ? error : start_web(r, path, oncall, diag);
}

static void web_status(struct role *r, struct buf *out)
{
    const struct web_ctx *c = r->ctx;
    struct api_figures f = {0};
    if (c->api) api_figures(c->api, &f);
    json_write_member_u64(out, "requests", f.requests);
    json_write_member_u64(out, "refused", f.refused);
    json_write_member_u64(out, "connections", f.connections);
    json_write_member_u64(out, "listeners", f.listeners);
    json_write_member_u64(out, "dropped", c->dropped);
}

static void web_stop(struct role *r)
{
    role_end(r, 0);
}

const struct role_ops role_web = {
    .ctx_size = sizeof(struct web_ctx),
    .given = web_given,
    .prepare = web_prepare,
    .peer = web_peer,
    .lost = web_lost,
    .frame = web_frame,
    .command = web_command,
    .status = web_status,
    .stop = web_stop,
};
