/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka pull check */
#include <signal.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/settings.h"
#include "pull/pool.h"

enum { OUTPUT_MAX = 256 * 1024, KIND_COLUMNS = 16, ID_COLUMNS = 36 };

struct pull_context {
    struct settings settings;
    bool json;
};

static const struct cli_option check_options[] = {
    {'f', "format", "table|json", "What is printed: lines for people, or a JSON object a line.",
     OPTION_CHOICE(struct pull_context, json)},
    OPTION_SETTINGS(struct pull_context),
};

/* ---- what came of it --------------------------------------------------------------------- */

static void put_json(struct buf *out, const struct puller *p)
{
    const struct pull_source *s = p->options.source;
    buf_putc(out, '{');
    json_write_member_string(out, "kind", slice_of(pull_kind_name(s->kind)));
    json_write_member_string(out, "tenant", slice_of(s->tenant));
    json_write_member_string(out, "client", slice_of(s->client));
    json_write_key(out, "ok");
    buf_puts(out, p->why[0] ? "false" : "true");
    json_write_member_string(out, "failure", slice_of(p->why));
    buf_puts(out, "}\n");
}

static void put_line(struct buf *out, const struct puller *p)
{
    const struct pull_source *s = p->options.source;
    text_put_padded(out, slice_of(pull_kind_name(s->kind)), KIND_COLUMNS);
    buf_putc(out, ' ');
    text_put_padded(out, slice_of(s->tenant), ID_COLUMNS);
    buf_puts(out, p->why[0] ? " FAILED: " : " ok");
    (void)text_put_visible(out, slice_of(p->why), sizeof p->why);
    buf_putc(out, '\n');
}

static int print_all(const struct pull_context *c, const struct pool *pool)
{
    struct buf out;
    int status = EXIT_RAN;
    buf_init(&out, OUTPUT_MAX);
    for (size_t i = 0; i < pool->n; i++) {
        (c->json ? put_json : put_line)(&out, &pool->pullers[i]);
        if (pool->pullers[i].why[0]) status = EXIT_UNREADABLE;
    }
    if (out.len) (void)fwrite(out.ptr, 1, out.len, stdout);
    buf_done(&out);
    return status;
}

/* ---- trying ------------------------------------------------------------------------------ */

struct trial {
    struct loop *loop;
    size_t left;
};

static void on_checked(void *ctx, struct puller *p)
{
    struct trial *t = ctx;
    (void)p;
    if (--t->left == 0) loop_stop(t->loop, 0);
}

/* An exit status; what keeps it from trying at all was told. */
static int try_all(const struct pull_context *c, const struct config *config, struct pool *pool,
                   struct loop *loop)
{
    struct diag diag = {0};
    struct trial trial = {.loop = loop, .left = config->cloud_sources.n};
    const struct pool_options options = {
        .loop = loop,
        .clock = clock_system(),
        .sources = config->cloud_sources.items,
        .n_sources = config->cloud_sources.n,
        .trust = config->cloud_trust.n ? config->cloud_trust.items[0] : NULL,
        .proxy = config->cloud_proxy.n ? config->cloud_proxy.items[0] : NULL,
        .out = {.ctx = &trial},
        .checked = on_checked,
    };
    int error = pool_open(pool, &options, &diag);
    for (size_t i = 0; i < pool->n && error == 0; i++) puller_start(&pool->pullers[i]);
    if (error == 0) error = loop_run(loop);
    if (error) cli_say("%s", diag.message[0] ? diag.message : error_text(error));
    int status = error ? EXIT_UNREADABLE : print_all(c, pool);
    pool_done(pool);
    return status;
}

static int check_all(const struct pull_context *c, const struct config *config)
{
    struct pool *pool = calloc(1, sizeof *pool);
    struct loop *loop = loop_new(&(struct loop_options){.clock = clock_system(),
                                                        .max_watches = 4 * PULL_SOURCES_MAX,
                                                        .max_timers = 4 * PULL_SOURCES_MAX});
    int status = EXIT_UNREADABLE;
    if (pool && loop) status = try_all(c, config, pool, loop);
    else cli_say("out of memory");
    loop_free(loop);
    free(pool);
    return status;
}

static int check_run(const struct invocation *in)
{
    struct pull_context *c = in->ctx;
    struct config config;
    if (in->n_operands) return cli_usage("pull check takes no operands");
    (void)signal(SIGPIPE, SIG_IGN);
    int status = settings_load(&c->settings, &config, NULL);
    if (status == 0 && config.cloud_sources.n == 0) {
        cli_say("cloud.sources names no source");
        status = EXIT_UNREADABLE;
    } else if (status == 0) {
        status = check_all(c, &config);
    }
    config_done(&config);
    return status;
}

const struct command command_pull_check = {
    .name = "pull check",
    .operands = "",
    .summary = "try the secrets and permissions of sources in the cloud",
    .description =
        "Gets a token for each of cloud.sources and asks for one page with it, and says for each "
        "that "
        "it works, or what is wrong and what to do about it. Nothing is stored, changed or "
        "ordered; "
        "vaka serve may be running. To be run as the user of vaka serve, who can read the secrets. "
        "docs/cloud.md has what to make in Microsoft Entra.\n\n"
        "Exit status: 0 all work; 1 some do not, or there are none; 2 the command line or the "
        "settings "
        "could not be understood.",
    .options = check_options,
    .n_options = sizeof check_options / sizeof *check_options,
    .ctx_size = sizeof(struct pull_context),
    .run = check_run,
};
