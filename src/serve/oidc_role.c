/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Asks the identity provider (oidc/login.h) about people who log in by it. It has the network and
 * the client's secret, and what it finds out it says to the process that has the accounts.
 */
#include "base/authority.h"
#include "base/file.h"
#include "base/json_write.h"
#include "oidc/login.h"
#include "serve/role.h"

enum { SECRET_FILE_MAX = 8 * 1024, HTTPS_PORT = 443 };

/* A login that has come back, while the provider is asked. */
struct arrival {
    struct role *role;
    uint64_t id; /* 0: free */
};

struct oidc_ctx {
    struct dial *dial;
    struct logins *logins; /* NULL: there is no provider */
    struct buf secret;
    struct arrival arrivals[LOGIN_CALLS];
    uint64_t begun, vouched, refused;
};

/* ---- to account -------------------------------------------------------------------------- */

static void send_arrived(struct role *r, uint64_t id, struct slice claims)
{
    struct link *account = role_link(r, ROLE_ACCOUNT);
    if (!link_is_open(account)) return;
    say_arrived_write(link_out(account), &(struct say_arrived){.id = id, .claims = claims});
    link_flush(account);
}

static void on_result(void *ctx, const struct login_result *result)
{
    struct arrival *a = ctx;
    struct oidc_ctx *c = a->role->ctx;
    uint64_t id = a->id;
    a->id = 0;
    c->vouched += result->why == NULL;
    c->refused += result->why != NULL;
    if (result->why) log_write(LOG_LOGIN_REFUSED, LOG_TEXT("why", slice_of(result->why)));
    send_arrived(a->role, id, result->why ? SLICE_NONE : result->claims);
}

/* ---- from account ------------------------------------------------------------------------ */

static int take_depart(struct role *r, const struct frame *frame)
{
    struct oidc_ctx *c = r->ctx;
    struct link *account = role_link(r, ROLE_ACCOUNT);
    struct say_depart m;
    struct buf url;
    char state[LOGIN_RANDOM + 1] = "";
    if (say_depart_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    buf_init(&url, LOGIN_URL_MAX);
    bool begun = c->logins && logins_begin(c->logins, &url, state) == 0;
    c->begun += begun;
    say_departed_write(link_out(account),
                       &(struct say_departed){.id = m.id,
                                              .url = begun ? buf_slice(&url) : SLICE_NONE,
                                              .state = slice_of(state)});
    link_flush(account);
    buf_done(&url);
    return 0;
}

static int take_arrive(struct role *r, const struct frame *frame)
{
    struct oidc_ctx *c = r->ctx;
    struct say_arrive m;
    struct arrival *a = NULL;
    if (say_arrive_read(frame->payload, &m) != 0 || m.id == 0) return ERR_CORRUPT;
    for (size_t i = 0; i < LOGIN_CALLS && !a; i++)
        if (!c->arrivals[i].id) a = &c->arrivals[i];
    if (a) *a = (struct arrival){.role = r, .id = m.id};
    if (a && c->logins && logins_return(c->logins, m.state, m.code, on_result, a) == 0) return 0;
    if (a) a->id = 0;
    c->refused++;
    send_arrived(r, m.id, SLICE_NONE);
    return 0;
}

static int oidc_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    if (peer == ROLE_ACCOUNT && frame->type == SAY_DEPART) return take_depart(r, frame);
    return peer == ROLE_ACCOUNT && frame->type == SAY_ARRIVE ? take_arrive(r, frame) : ERR_CORRUPT;
}

/* ---- the role ---------------------------------------------------------------------------- */

/* One that has no address now is as one that does not answer. */
static int look_up(struct role *r, struct slice authority, const char *setting, struct diag *diag)
{
    struct oidc_ctx *c = r->ctx;
    struct slice host, port;
    uint64_t number = HTTPS_PORT;
    char name[256];
    if (!authority_read(authority, &host, &port) || !slice_copy(host, name, sizeof name) ||
        (port.len && !slice_to_u64(port, &number)))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s names no host", setting);
    role_keep_port(r, (uint16_t)number);
    int error = dial_look_up(c->dial, name, (uint16_t)number);
    return error == ERR_NOT_FOUND ? 0 : error;
}

static int look_up_issuer(struct role *r, const char *issuer, struct diag *diag)
{
    struct slice rest = slice_of(issuer), authority, path;
    if (!slice_starts_with(rest, SLICE("https://")))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "accounts.oidc_issuer has to be https://…");
    (void)slice_split(slice_from(rest, 8), '/', &authority, &path);
    return look_up(r, authority, "accounts.oidc_issuer", diag);
}

/* They are one parameter, with blanks between them. */
static int check_acr(const struct config *config, struct diag *diag)
{
    for (uint32_t i = 0; i < config->accounts_oidc_acr.n; i++) {
        const char *acr = config->accounts_oidc_acr.items[i];
        if (*acr && !strpbrk(acr, " \t\n")) continue;
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "accounts.oidc_acr: '%s' is empty or has blanks in it", acr);
    }
    return 0;
}

static int open_provider(struct role *r, struct diag *diag)
{
    struct oidc_ctx *c = r->ctx;
    const struct config *config = &r->config;
    const char *trust =
        config->accounts_oidc_trust.n ? config->accounts_oidc_trust.items[0] : DIAL_TRUST;
    if (!config->accounts_oidc_redirect.n)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "accounts.oidc_issuer wants accounts.oidc_redirect as well");
    buf_init(&c->secret, SECRET_FILE_MAX);
    int error = check_acr(config, diag);
    if (error == 0 && config->accounts_oidc_secret.n)
        error = file_read_secret(config->accounts_oidc_secret.items[0], &c->secret, diag);
    if (error == 0)
        error = dial_new(&(struct dial_options){.loop = r->loop, .trust = trust}, &c->dial);
    if (error == 0) error = look_up_issuer(r, config->accounts_oidc_issuer.items[0], diag);
    for (uint32_t i = 0; i < config->accounts_oidc_hosts.n && error == 0; i++)
        error =
            look_up(r, slice_of(config->accounts_oidc_hosts.items[i]), "accounts.oidc_hosts", diag);
    role_keep_path(r, trust);
    return error;
}

static int oidc_prepare(struct role *r, struct diag *diag)
{
    return r->config.accounts_oidc_issuer.n ? open_provider(r, diag) : 0;
}

static int oidc_start(struct role *r)
{
    struct oidc_ctx *c = r->ctx;
    const struct config *config = &r->config;
    if (!c->dial) return 0;
    return logins_new(&(struct login_options){.loop = r->loop,
                                              .clock = r->clock,
                                              .dial = c->dial,
                                              .issuer = config->accounts_oidc_issuer.items[0],
                                              .client = config->accounts_oidc_client.items[0],
                                              .secret = buf_slice(&c->secret),
                                              .redirect = config->accounts_oidc_redirect.items[0],
                                              .acr = config->accounts_oidc_acr.items,
                                              .n_acr = config->accounts_oidc_acr.n},
                      &c->logins);
}

static void oidc_status(struct role *r, struct buf *out)
{
    const struct oidc_ctx *c = r->ctx;
    json_write_member_u64(out, "logins", c->begun);
    json_write_member_u64(out, "vouched", c->vouched);
    json_write_member_u64(out, "refused", c->refused);
    json_write_member_string(out, "trouble", slice_of(c->logins ? logins_trouble(c->logins) : ""));
}

static void oidc_stop(struct role *r)
{
    struct oidc_ctx *c = r->ctx;
    logins_free(c->logins);
    role_end(r, 0);
}

const struct role_ops role_oidc = {
    .ctx_size = sizeof(struct oidc_ctx),
    .prepare = oidc_prepare,
    .start = oidc_start,
    .frame = oidc_frame,
    .status = oidc_status,
    .stop = oidc_stop,
};
