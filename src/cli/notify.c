/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka notify providers, test */
#include <inttypes.h>
#include <signal.h>
#include <sys/random.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "notify/provider.h"
#include "notify/senders.h"

enum { OUTPUT_MAX = 256 * 1024, NAME_COLUMNS = 16, STATE_COLUMNS = 12, TEST_WATCHES = 1024 };

/* ---- providers --------------------------------------------------------------------------- */

struct providers_context {
    struct settings settings;
    bool json;
};

static const struct cli_option providers_options[] = {
    {'f', "format", "table|json", "What is printed: lines for people, or a JSON object a line.",
     OPTION_CHOICE(struct providers_context, json)},
    OPTION_SETTINGS(struct providers_context),
};

static void put_time(struct buf *out, const char *label, uint64_t time)
{
    if (!time) return;
    buf_printf(out, "; %s ", label);
    time_write_rfc3339(out, (nsec)time * NSEC_PER_SEC);
}

static void put_channels(struct buf *out, struct slice list)
{
    struct slice name, item, text;
    struct json_parts it;
    json_parts_init(&it, list);
    while (json_parts_next(&it, &name, &item))
        if (json_string_inside(item, &text)) buf_printf(out, " %.*s", SLICE_FMT(text));
}

static void put_provider(struct buf *out, struct slice provider)
{
    struct slice channels = json_member(provider, "channels");
    struct slice failure = json_member_text(provider, "failure");
    text_put_padded(out, json_member_text(provider, "name"), NAME_COLUMNS);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(provider, "state"), STATE_COLUMNS);
    if (channels.len) put_channels(out, channels);
    put_time(out, "accepted", json_member_u64(provider, "accepted_at"));
    put_time(out, "failed", json_member_u64(provider, "failed_at"));
    if (failure.len) {
        buf_puts(out, ": ");
        (void)text_put_visible(out, failure, NOTIFY_DETAIL_MAX);
    }
    buf_putc(out, '\n');
}

static int print_providers(void *ctx, const struct say_answer *answer)
{
    const struct providers_context *c = ctx;
    struct slice list =
        json_member(json_member(json_member(answer->text, "processes"), "notify"), "providers");
    struct slice name, provider;
    struct json_parts it;
    struct buf out;
    if (!list.len) return 0;
    buf_init(&out, OUTPUT_MAX);
    json_parts_init(&it, list);
    while (json_parts_next(&it, &name, &provider)) {
        if (!c->json) {
            put_provider(&out, provider);
            continue;
        }
        buf_put(&out, provider);
        buf_putc(&out, '\n');
    }
    if (out.len) (void)fwrite(out.ptr, 1, out.len, stdout);
    buf_done(&out);
    return 0;
}

static int providers_run(const struct invocation *in)
{
    struct providers_context *c = in->ctx;
    if (in->n_operands) return cli_usage("notify providers takes no operands");
    return ask_serve(&c->settings, (struct say_ask){.what = ASK_STATUS}, print_providers, c);
}

const struct command command_notify_providers = {
    .name = "notify providers",
    .operands = "",
    .summary = "by whom people are told, and how those are",
    .description =
        "Asks the running vaka serve for each of notify.providers: its channels, when it last took "
        "a "
        "message, when it last failed and why. docs/notify.md has what the members of the JSON "
        "mean.",
    .options = providers_options,
    .n_options = sizeof providers_options / sizeof *providers_options,
    .ctx_size = sizeof(struct providers_context),
    .run = providers_run,
};

/* ---- test -------------------------------------------------------------------------------- */

struct test_context {
    struct settings settings;
    const char *channel, *text;
    uint64_t wait;
    bool dry, json;
    struct loop *loop;
    struct senders *senders;
    struct loop_timer end;
    enum notify_outcome outcome;
};

static const struct cli_option test_options[] = {
    {'C', "channel", "mail|sms|voice|webhook|teams|push",
     "By which channel; the provider's first, when it is not said.",
     OPTION_TEXT(struct test_context, channel)},
    {'n', "dry", NULL,
     "Nobody is told: the provider is asked whether it would (docs/notify.md has what each is "
     "asked).",
     OPTION_FLAG(struct test_context, dry)},
    {'t', "text", "TEXT", "What the message says; a sentence about a test, when it is not said.",
     OPTION_TEXT(struct test_context, text)},
    {'w', "wait", "SECONDS", "Waits so long for delivery and answers, and prints them.",
     OPTION_NUMBER(struct test_context, wait, 1, 1800)},
    {'f', "format", "table|json", "What is printed: lines for people, or a JSON object a line.",
     OPTION_CHOICE(struct test_context, json)},
    OPTION_SETTINGS(struct test_context),
};

static void print_line(const struct test_context *c, const char *what, struct slice reference,
                       struct slice text)
{
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    if (c->json) {
        buf_putc(&out, '{');
        json_write_member_string(&out, "what", slice_of(what));
        json_write_member_string(&out, "reference", reference);
        json_write_member_string(&out, "detail", text);
        buf_puts(&out, "}\n");
    } else {
        buf_puts(&out, what);
        if (text.len) buf_puts(&out, ": ");
        (void)text_put_visible(&out, text, NOTIFY_DETAIL_MAX);
        if (reference.len) {
            buf_puts(&out, " (");
            (void)text_put_visible(&out, reference, NOTIFY_REFERENCE_MAX);
            buf_putc(&out, ')');
        }
        buf_putc(&out, '\n');
    }
    (void)fwrite(out.ptr, 1, out.len, stdout);
    (void)fflush(stdout);
    buf_done(&out);
}

static void on_sent(void *ctx, unsigned asker, uint64_t attempt, enum notify_outcome outcome,
                    struct slice reference, struct slice detail)
{
    struct test_context *c = ctx;
    (void)asker;
    (void)attempt;
    c->outcome = outcome;
    print_line(c, notify_outcome_name(outcome), reference, detail);
    if (!c->wait || outcome != NOTIFY_ACCEPTED) loop_stop(c->loop, 0);
}

static void on_answered(void *ctx, enum notify_channel channel, struct slice provider,
                        struct slice reference, struct slice from, struct slice text)
{
    (void)channel;
    (void)provider;
    (void)from;
    print_line(ctx, "answered", reference, text);
}

static void on_end(void *ctx)
{
    struct test_context *c = ctx;
    loop_stop(c->loop, 0);
}

static enum notify_channel first_channel(const struct notify_provider *p)
{
    unsigned channels = notify_provider_channels(p);
    return channels ? (enum notify_channel)__builtin_ctz(channels) : NOTIFY_NO_CHANNEL;
}

/* The channel of the provider that is meant; NOTIFY_NO_CHANNEL: it was told why not. */
static enum notify_channel find_channel(const struct test_context *c, const struct config *config,
                                        const char *name)
{
    const struct config_list *list = &config->notify_providers;
    for (uint32_t i = 0; i < list->n; i++) {
        struct notify_provider p;
        struct diag diag = {0};
        if (notify_provider_read(slice_of(list->items[i]), &p, &diag) != 0 ||
            strcmp(p.name, name) != 0)
            continue;
        return c->channel ? notify_channel_read(slice_of(c->channel)) : first_channel(&p);
    }
    cli_say("notify.providers has none that is called %s", name);
    return NOTIFY_NO_CHANNEL;
}

static void send(struct test_context *c, enum notify_channel channel, char **operands)
{
    const struct clock clock = clock_system();
    const char *text = c->text ? c->text : "This is a test of Vaka. Nothing has happened.";
    struct notify_message m = {.channel = channel,
                               .marks = c->dry ? NOTIFY_DRY : 0,
                               .expires = clock_realtime(&clock) / NSEC_PER_SEC + 1800,
                               .provider = slice_of(operands[0]),
                               .address = slice_of(operands[1]),
                               .subject = SLICE("Vaka: test"),
                               .body = slice_of(text),
                               .spoken_sv = slice_of(text),
                               .spoken_en = slice_of(text)};
    if (getrandom(&m.attempt, sizeof m.attempt, 0) != sizeof m.attempt || !m.attempt) m.attempt = 1;
    senders_send(c->senders, 0, &m);
}

static int try_one(struct test_context *c, const struct config *config, char **operands)
{
    struct diag diag = {0};
    enum notify_channel channel = find_channel(c, config, operands[0]);
    const struct senders_options options = {
        .loop = c->loop,
        .clock = clock_system(),
        .providers = config->notify_providers.items,
        .n_providers = config->notify_providers.n,
        .trust = config->notify_trust.n ? config->notify_trust.items[0] : NULL,
        .proxy = config->notify_proxy.n ? config->notify_proxy.items[0] : NULL,
        .out = {.ctx = c, .sent = on_sent, .answered = on_answered},
    };
    if (!channel) return EXIT_UNREADABLE;
    c->end = (struct loop_timer){.due = on_end, .ctx = c};
    int error = senders_new(&options, &c->senders, &diag);
    if (error == 0 && c->wait)
        error = loop_timer_set(c->loop, &c->end, (nsec)c->wait * NSEC_PER_SEC, 0);
    if (error == 0) send(c, channel, operands);
    /* It may have been refused at once, without a loop. */
    if (error == 0 && (!c->outcome || (c->wait && c->outcome == NOTIFY_ACCEPTED)))
        error = loop_run(c->loop);
    loop_timer_stop(c->loop, &c->end);
    senders_free(c->senders);
    if (error) cli_say("%s", diag.message[0] ? diag.message : error_text(error));
    bool good = c->outcome == NOTIFY_ACCEPTED || c->outcome == NOTIFY_DELIVERED;
    return error == 0 && good ? EXIT_RAN : EXIT_UNREADABLE;
}

static int test_run(const struct invocation *in)
{
    struct test_context *c = in->ctx;
    struct config config;
    if (in->n_operands != 2) return cli_usage("notify test takes a PROVIDER and an ADDRESS");
    (void)signal(SIGPIPE, SIG_IGN);
    int status = settings_load(&c->settings, &config, NULL);
    c->loop = loop_new(&(struct loop_options){
        .clock = clock_system(), .max_watches = TEST_WATCHES, .max_timers = TEST_WATCHES});
    if (status == 0 && c->loop) status = try_one(c, &config, in->operands);
    else if (status == 0) {
        cli_say("out of memory");
        status = EXIT_UNREADABLE;
    }
    loop_free(c->loop);
    config_done(&config);
    return status;
}

const struct command command_notify_test = {
    .name = "notify test",
    .operands = "PROVIDER ADDRESS",
    .summary = "send one message by a provider",
    .description =
        "Sends a message that says that it is a test to the address (of mail, a number such as "
        "+46701234567, a topic; webhooks are told it, Teams has none: -) by the provider of that "
        "name, and prints what became of it: accepted, delivered, retry, refused or unknown, and "
        "what the provider says. vaka serve need not be running, and hears nothing of it. To be "
        "run as the user of vaka serve, who can read the secrets.\n\n"
        "Exit status: 0 it was accepted; 1 it was not; 2 the command line or the settings could "
        "not "
        "be understood.",
    .options = test_options,
    .n_options = sizeof test_options / sizeof *test_options,
    .ctx_size = sizeof(struct test_context),
    .run = test_run,
};
