/* SPDX-License-Identifier: EUPL-1.2 */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "notify/senders.h"
#include "pull/pool.h"
#include "serve/credentials.h"
#include "serve/supervisor_state.h"

static void tell_reloading(struct supervisor *s)
{
    char text[64];
    int n = snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                     clock_monotonic(&s->options->clock) / 1000);
    service_tell(s->options->service, slice_make(text, (size_t)n));
}

int reload_set_config(struct supervisor *s, const struct config *config)
{
    buf_clear(&s->config);
    s->pulls = config->cloud_sources.n > 0;
    config_write_values(&s->config, config);
    buf_clear(&s->origins);
    config_write_origins(&s->origins, config);
    int error = buf_error(&s->config);
    return error ? error : buf_error(&s->origins);
}

/* What a reload brings into force: rules by a new process, credentials by the one that has them. */
static bool is_reloaded(enum config_key key)
{
    static const enum config_key keys[] = {
        CONFIG_RULES,          CONFIG_TAXONOMY,
        CONFIG_PLACEHOLDERS,   CONFIG_CORRELATION_STATE,
        CONFIG_DETECT_ENGINES, CONFIG_TLS_CERTIFICATE,
        CONFIG_TLS_KEY,        CONFIG_TLS_CLIENTS,
        CONFIG_LISTEN_TOKENS,  CONFIG_CLOUD_SOURCES,
        CONFIG_CLOUD_TRUST,    CONFIG_CLOUD_PROXY,
        CONFIG_RETRO_DAYS,     CONFIG_RETRO_SHARE,
        CONFIG_PRODUCTS,       CONFIG_INDEX_SHARE,
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i] == key) return true;
    return false;
}

static bool is_same(const struct config *a, const struct config *b, enum config_key key)
{
    struct buf x, y;
    buf_init(&x, SUPERVISOR_TEXT_MAX);
    buf_init(&y, SUPERVISOR_TEXT_MAX);
    config_write_value(&x, a, key);
    config_write_value(&y, b, key);
    bool same = slice_eq(buf_slice(&x), buf_slice(&y));
    buf_done(&x);
    buf_done(&y);
    return same;
}

/* Settings that are others than at the start and stay without effect until the next one. */
static void tell_unchanged(struct supervisor *s, const struct config *config, struct buf *out)
{
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        if (is_reloaded(key) || is_same(s->options->config, config, key)) continue;
        if (out->len) buf_puts(out, ", ");
        buf_puts(out, config_settings[key].key);
    }
    if (out->len) log_write(LOG_RELOAD_INCOMPLETE, LOG_TEXT("settings", buf_slice(out)));
}

static void tell_control(struct supervisor *s, uint8_t status, struct slice text)
{
    struct child *control = s->children[ROLE_CONTROL];
    if (!link_is_open(&control->link) || link_room(&control->link) < text.len + 1024) return;
    say_reloaded_write(link_out(&control->link),
                       &(struct say_reloaded){.status = status, .text = text});
    link_flush(&control->link);
}

/* Files that were replaced are not within the reach of the process that has the sockets. */
static int reload_credentials(struct supervisor *s, const struct config *config, struct diag *diag)
{
    struct child *collect = s->children[ROLE_COLLECT];
    struct credential_files files;
    if (!link_is_open(&collect->link) || !collect->ready) return 0;
    int error = credentials_open(config, &files, diag);
    if (error) return error;
    for (unsigned i = 0; i < CREDENTIAL_FILES && error == 0; i++)
        if (files.fds[i] >= 0)
            error = child_give(collect, (uint8_t)(GIVE_CREDENTIAL + i), SLICE(""), files.fds[i]);
    credentials_close(&files);
    say_reload_write(link_out(&collect->link), &(struct say_reload){});
    link_flush(&collect->link);
    return error;
}

/*
 * A second process reads the rules while the first goes on. When it cannot, nothing has changed;
 * when it has, it takes the role, and begins where the other had come to. Without `config` the
 * settings stay those that were read last.
 */
static int reload_rules(struct supervisor *s, const struct config *config)
{
    if (s->spare->pid) return ERR_LIMIT;
    int error = config ? reload_set_config(s, config) : 0;
    if (error == 0) error = child_start(s, s->spare);
    if (error == 0) error = child_go(s->spare);
    if (error) child_kill(s->spare);
    return error;
}

static int check_cloud(const struct config *config, struct diag *diag)
{
    const struct pool_options options = {
        .sources = config->cloud_sources.items,
        .n_sources = config->cloud_sources.n,
        .proxy = config->cloud_proxy.n ? config->cloud_proxy.items[0] : NULL,
    };
    return pool_check(&options, diag);
}

static int check_notify(const struct config *config, struct diag *diag)
{
    const struct senders_options options = {
        .providers = config->notify_providers.items,
        .n_providers = config->notify_providers.n,
        .proxy = config->notify_proxy.n ? config->notify_proxy.items[0] : NULL,
        .address = config->web_address.n ? config->web_address.items[0] : NULL,
    };
    return senders_check(&options, diag);
}

void reload_renew(struct supervisor *s, enum serve_role role)
{
    struct child *c = s->children[role];
    if (!s->stopping && c->pid) child_stop(s, c);
}

void reload_all(struct supervisor *s)
{
    struct config config;
    struct diag diag = {0};
    struct buf restart;
    if (s->stopping) return;
    bool pulled = s->pulls;
    tell_reloading(s);
    buf_init(&restart, SUPERVISOR_TEXT_MAX);
    int error = s->options->read_config(s->options->ctx, &config);
    if (error) (void)diag_set(&diag, error, NULL, 0, 0, "the settings cannot be read");
    if (error == 0) error = check_cloud(&config, &diag);
    if (error == 0) error = check_notify(&config, &diag);
    if (error == 0) error = reload_credentials(s, &config, &diag);
    if (error == 0) error = reload_rules(s, &config);
    if (error == 0 && (pulled || s->pulls)) reload_renew(s, ROLE_PULL);
    if (error == 0) reload_renew(s, ROLE_NOTIFY);
    if (error == 0) reload_renew(s, ROLE_WEB);
    if (error == 0) reload_renew(s, ROLE_SEARCH);
    if (error == 0) reload_renew(s, ROLE_LIBRARY);
    if (error == 0) tell_unchanged(s, &config, &restart);
    if (error && !diag.message[0])
        (void)diag_set(&diag, error, NULL, 0, 0, "%s",
                       s->spare->pid ? "rules are being read already" : error_text(error));
    if (error) log_write(LOG_RELOAD_FAILED, LOG_TEXT("how", slice_of(diag.message)));
    tell_control(s, error != 0, error ? slice_of(diag.message) : buf_slice(&restart));
    buf_done(&restart);
    config_done(&config);
    if (!s->spare->pid) supervisor_tell_running(s);
}

void reload_changed(struct supervisor *s)
{
    s->again = s->spare->pid != 0;
    if (!s->again) reload_all(s);
}

void reload_again(struct supervisor *s)
{
    if (s->again && !s->stopping) reload_changed(s);
}

int reload_renew_rules(struct supervisor *s)
{
    if (s->stopping || s->spare->pid) return 0;
    int error = reload_rules(s, NULL);
    if (error) log_write(LOG_RELOAD_FAILED, LOG_TEXT("how", slice_of(error_text(error))));
    return 0;
}

/* It reads products and taxonomy before its sandbox: with the new ones records may say other
 * things.
 */
static void renew_index(struct supervisor *s)
{
    struct child *index = s->children[ROLE_INDEX];
    if (index->pid) child_stop(s, index);
}

void reload_adopt_spare(struct supervisor *s)
{
    struct child *old = s->children[ROLE_DETECT];
    s->children[ROLE_DETECT] = s->spare;
    s->spare = old;
    if (child_connect(s, s->children[ROLE_DETECT]) != 0) child_kill(s->children[ROLE_DETECT]);
    link_flush(&s->children[ROLE_DETECT]->link);
    renew_index(s);
    log_write(LOG_RULES_RELOADED, LOG_NUMBER("pid", s->children[ROLE_DETECT]->pid));
    reload_renew(s, ROLE_RETRO);
    supervisor_tell_running(s);
}
