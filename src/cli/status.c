/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka status */
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "canary/awake.h"
#include "cli/ask.h"
#include "cli/proof.h"

enum { LABEL = 12, WIDTH = 100 };

struct status_context {
    struct settings settings;
    bool follow;
    enum { STATUS_TABLE, STATUS_JSON, STATUS_LINE } format;
};

static const struct cli_option status_options[] = {
    {'F', "follow", NULL, "Again every second, until it is interrupted.",
     OPTION_FLAG(struct status_context, follow)},
    {'f', "format", "table|json|line",
     "What is printed; json: one object a line (docs/status.md); line: the figures that matter "
     "most. Default: table.",
     OPTION_CHOICE(struct status_context, format)},
    OPTION_SETTINGS(struct status_context),
};

/* ---- figures for people ------------------------------------------------------------------ */

/* The two largest units: "3 d 4 h", "12 s". */
static void put_duration(struct buf *out, uint64_t seconds)
{
    static const struct {
        const char *unit;
        uint64_t seconds;
    } units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof *units && seconds < units[i].seconds) i++;
    buf_printf(out, "%" PRIu64 " %s", seconds / units[i].seconds, units[i].unit);
    uint64_t rest = seconds % units[i].seconds;
    if (rest && i + 1 < sizeof units / sizeof *units && rest / units[i + 1].seconds)
        buf_printf(out, " %" PRIu64 " %s", rest / units[i + 1].seconds, units[i + 1].unit);
}

static void put_size(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t i = 0;
    double n = (double)bytes;
    for (; n >= 1024 && i + 1 < sizeof units / sizeof *units; i++) n /= 1024;
    buf_printf(out, i ? "%.1f %s" : "%.0f %s", n, units[i]);
}

static void put_label(struct buf *out, const char *label)
{
    text_put_padded(out, slice_of(label), LABEL);
}

/* "10.3/s over 10 s"; nothing while it is not known. */
static void put_rate(struct buf *out, struct slice rates, const char *window, const char *what,
                     const char *over)
{
    struct slice rate = ask_member(ask_member(rates, window), what);
    if (json_is_number(rate)) buf_printf(out, ", %.*s/s over %s", SLICE_FMT(rate), over);
}

static void put_ago(struct buf *out, uint64_t seconds_1970)
{
    const struct clock clock = clock_system();
    nsec now = clock_realtime(&clock) / NSEC_PER_SEC;
    if (seconds_1970 == 0) {
        buf_puts(out, "never");
        return;
    }
    put_duration(out, now > (nsec)seconds_1970 ? (uint64_t)now - seconds_1970 : 0);
    buf_puts(out, " ago");
}

/* ---- the parts of the table -------------------------------------------------------------- */

static void put_service(struct buf *out, struct slice answer)
{
    struct slice own = ask_member(answer, "supervisor"), silent = ask_member(answer, "silent");
    struct slice name, value;
    struct json_parts it;
    put_label(out, "vaka serve");
    buf_puts(out, "up ");
    put_duration(out, ask_number(own, "up_s"));
    buf_printf(out, ", clock %.*s\n", SLICE_FMT(ask_text(own, "clock")));
    if (silent.len <= 2) return;
    put_label(out, "SILENT");
    json_parts_init(&it, silent);
    for (bool more = false; json_parts_next(&it, &name, &value); more = true) {
        struct slice inside = SLICE_NONE;
        (void)json_string_inside(value, &inside);
        buf_printf(out, "%s%.*s", more ? ", " : "", SLICE_FMT(inside));
    }
    buf_puts(out, ": did not answer within a second\n");
}

static void put_awake(struct buf *out, struct slice processes)
{
    const struct clock clock = clock_system();
    struct awake a;
    awake_read(ask_member(processes, "canary"), clock_realtime(&clock), &a);
    put_label(out, "watch");
    (void)text_put_visible(out, slice_of(a.en), AWAKE_LINE_MAX);
    buf_putc(out, '\n');
}

static void put_records(struct buf *out, struct slice answer, struct slice processes)
{
    struct slice rates = ask_member(answer, "rates"), detect = ask_member(processes, "detect");
    struct slice triage = ask_member(processes, "triage"), store = ask_member(processes, "store");
    put_label(out, "records");
    buf_printf(out, "%" PRIu64 " stored", ask_number(store, "next"));
    put_rate(out, rates, "10s", "stored", "10 s");
    put_rate(out, rates, "60s", "stored", "1 min");
    buf_putc(out, '\n');
    put_label(out, "");
    buf_printf(out, "%" PRIu64 " matched", ask_number(triage, "matched"));
    put_rate(out, rates, "10s", "matched", "10 s");
    put_rate(out, rates, "60s", "matched", "1 min");
    buf_printf(out, "; %" PRIu64 " behind", ask_number(detect, "behind"));
    if (ask_member(detect, "lag_s").len) {
        buf_puts(out, ", for ");
        put_duration(out, ask_number(detect, "lag_s"));
    }
    buf_putc(out, '\n');
}

/* Records that no rule was tried on. */
static void put_left_out(struct buf *out, struct slice processes)
{
    struct slice records = ask_member(ask_member(processes, "detect"), "quarantined_records");
    struct slice name, value;
    struct json_parts it;
    if (records.len <= 2) return;
    put_label(out, "LEFT OUT");
    json_parts_init(&it, records);
    for (bool more = false; json_parts_next(&it, &name, &value); more = true)
        buf_printf(out, "%s%.*s", more ? ", " : "record ", SLICE_FMT(value));
    buf_puts(out, ": stored, but not matched, for an engine ended at it\n");
}

static void put_state(struct buf *out, struct slice processes)
{
    struct slice triage = ask_member(processes, "triage"), store = ask_member(processes, "store");
    struct slice seal = ask_member(processes, "seal"), index = ask_member(processes, "index");
    put_label(out, "alerts");
    buf_printf(out, "%" PRIu64 " new, from %" PRIu64 " matches, since triage was started\n",
               ask_number(triage, "alerts_added"), ask_number(triage, "alerts_counted"));
    put_label(out, "sources");
    buf_printf(out,
               "%" PRIu64 " watched, %" PRIu64 " judged: %" PRIu64 " silent, %" PRIu64
               " with less than usual, %" PRIu64 " not understood, %" PRIu64 " clocks off, %" PRIu64
               " with gaps\n",
               ask_number(triage, "sources_watched"), ask_number(triage, "sources_judged"),
               ask_number(triage, "sources_silent"), ask_number(triage, "sources_volume"),
               ask_number(triage, "sources_unread"), ask_number(triage, "sources_clock"),
               ask_number(triage, "sources_gap"));
    put_label(out, "evidence");
    buf_printf(out, "%" PRIu64 " records signed, ", ask_number(seal, "signed"));
    put_ago(out, ask_number(seal, "signed_at"));
    buf_putc(out, '\n');
    put_label(out, "index");
    buf_printf(out, "%" PRIu64 " of %" PRIu64 " segments current", ask_number(index, "current"),
               ask_number(index, "segments"));
    if (ask_number(index, "left"))
        buf_printf(out, ", %" PRIu64 " cannot be made", ask_number(index, "left"));
    buf_puts(out, ask_number(index, "paused") ? ", paused: matching goes first\n" : "\n");
    uint64_t total = ask_number(store, "disk_bytes"), left = ask_number(store, "disk_free");
    put_label(out, "disk");
    buf_printf(out, "%.*s: ", SLICE_FMT(ask_text(store, "disk")));
    put_size(out, total > left ? total - left : 0);
    buf_puts(out, " used, ");
    put_size(out, left);
    buf_puts(out, " free of ");
    put_size(out, total);
    buf_putc(out, '\n');
}

/* "3 rules over 30 days: 45 %, 2 of them found something; 20 % of a processor". */
static void put_retro(struct buf *out, struct slice processes)
{
    struct slice retro = ask_member(processes, "retro"), state = ask_text(retro, "state");
    uint64_t rules = ask_number(retro, "rules"), days = ask_number(retro, "days");
    put_label(out, "retro-hunt");
    if (slice_eq(state, SLICE("off"))) {
        buf_puts(out, "off: retro.days is 0\n");
        return;
    }
    if (slice_eq(state, SLICE("failed"))) {
        buf_puts(out, "FAILED, it begins anew within a minute; vaka alerts says why\n");
        return;
    }
    if (rules == 0) {
        buf_printf(out, "no rule is new; %" PRIu64 " %% of a processor over %" PRIu64 " days\n",
                   ask_number(retro, "share_percent"), days);
        return;
    }
    buf_printf(out,
               "%" PRIu64 " rule%s over %" PRIu64 " days: %" PRIu64 " %%, %" PRIu64
               " found something; %" PRIu64 " %% of a processor",
               rules, rules == 1 ? "" : "s", days, ask_number(retro, "done_percent"),
               ask_number(retro, "rules_found"), ask_number(retro, "share_percent"));
    if (slice_eq(state, SLICE("waiting"))) buf_puts(out, "; it waits, for matching is behind");
    if (slice_eq(state, SLICE("idle"))) buf_puts(out, "; done");
    if (ask_number(retro, "damaged"))
        buf_printf(out, "; %" PRIu64 " DAMAGED parts left out", ask_number(retro, "damaged"));
    buf_putc(out, '\n');
}

/* Everything that is no list and no object, as it is called. */
static void put_members(struct buf *out, struct slice object)
{
    struct json_parts it;
    struct slice name, value;
    size_t column = LABEL;
    json_parts_init(&it, object);
    while (json_parts_next(&it, &name, &value)) {
        if (value.len == 0 || value.ptr[0] == '[' || value.ptr[0] == '{') continue;
        if (column + name.len + value.len + 1 > WIDTH) {
            buf_putc(out, '\n');
            put_label(out, "");
            column = LABEL;
        }
        buf_printf(out, "%.*s=", SLICE_FMT(name));
        (void)text_put_visible(out, value, 60);
        buf_puts(out, "  ");
        column += name.len + value.len + 3;
    }
    buf_putc(out, '\n');
}

static void put_processes(struct buf *out, struct slice processes)
{
    struct json_parts it;
    struct slice name, process;
    buf_putc(out, '\n');
    json_parts_init(&it, processes);
    while (json_parts_next(&it, &name, &process)) {
        text_put_padded(out, name, LABEL);
        if (process.ptr[0] == '{') put_members(out, process);
        else buf_puts(out, "has not said anything yet\n");
    }
}

/* ---- sources ----------------------------------------------------------------------------- */

static void put_lost(struct buf *out, struct slice sums)
{
    struct json_parts it;
    struct slice name, value, lost = ask_member(sums, "lost");
    if (lost.len == 0 || lost.ptr[0] != '{') return;
    json_parts_init(&it, lost);
    while (json_parts_next(&it, &name, &value))
        buf_printf(out, "  lost(%.*s)=%.*s", SLICE_FMT(name), SLICE_FMT(value));
}

/* Records, or the bodies and datagrams that they come in. */
static void put_sums(struct buf *out, struct slice source, const char *kind)
{
    struct slice sums = ask_member(source, kind);
    if (ask_number(sums, "received") == 0) return;
    buf_printf(out, "  %s: received=%.*s stored=%.*s pending=%.*s", kind,
               SLICE_FMT(ask_member(sums, "received")), SLICE_FMT(ask_member(sums, "stored")),
               SLICE_FMT(ask_member(sums, "pending")));
    put_lost(out, sums);
}

static bool is_same_source(struct slice a, struct slice b)
{
    static const char *const names[] = {"address", "identity", "listener", "input"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!slice_eq(ask_text(a, names[i]), ask_text(b, names[i]))) return false;
    return true;
}

/* "  well: within 40 s, 90/h"; "  SILENT, CLOCK: …". */
static void put_health(struct buf *out, struct slice source, struct slice all)
{
    struct json_parts it;
    struct slice name, health, kind;
    json_parts_init(&it, all);
    do {
        if (!json_parts_next(&it, &name, &health)) return;
    } while (!is_same_source(source, health));
    struct slice state = ask_text(health, "state"), found = ask_member(health, "found");
    bool more = false;
    buf_puts(out, "  ");
    json_parts_init(&it, found);
    while (found.len > 2 && json_parts_next(&it, &name, &kind)) {
        struct slice word = SLICE_NONE;
        (void)json_string_inside(kind, &word);
        buf_puts(out, more ? ", " : "");
        for (size_t i = 0; i < word.len; i++) buf_putc(out, (char)(word.ptr[i] - 'a' + 'A'));
        more = true;
    }
    if (!more) buf_put(out, state);
    if (!json_is_number(ask_member(health, "silence_s"))) return;
    buf_puts(out, ": within ");
    put_duration(out, ask_number(health, "silence_s"));
    if (json_is_number(ask_member(health, "hourly")))
        buf_printf(out, ", %" PRIu64 " an hour", ask_number(health, "hourly"));
}

static void put_source(struct buf *out, struct slice source, struct slice health)
{
    struct slice identity = ask_text(source, "identity");
    text_put_padded(out, ask_text(source, "input"), LABEL);
    text_put_padded(out, ask_text(source, "listener"), 22);
    buf_putc(out, ' ');
    text_put_padded(out, identity.len ? identity : ask_text(source, "address"), 24);
    buf_putc(out, ' ');
    put_ago(out, ask_number(source, "seen"));
    if (health.len) put_health(out, source, health);
    put_sums(out, source, "records");
    put_sums(out, source, "requests");
    buf_putc(out, '\n');
}

static void put_sources(struct buf *out, struct slice sources, struct slice health)
{
    struct json_parts it;
    struct slice name, source;
    if (sources.len <= 2 || sources.ptr[0] != '[') return;
    buf_putc(out, '\n');
    json_parts_init(&it, sources);
    while (json_parts_next(&it, &name, &source)) put_source(out, source, health);
}

/* ---- the cloud --------------------------------------------------------------------------- */

/* "m365-management  TENANT  well, 12 s ago; behind 2 min; 40 records". */
static void put_cloud_source(struct buf *out, struct slice source)
{
    struct slice state = ask_text(source, "state"), failure = ask_text(source, "failure");
    bool failing = slice_eq(state, SLICE("failing"));
    text_put_padded(out, ask_text(source, "kind"), 16);
    buf_putc(out, ' ');
    text_put_padded(out, ask_text(source, "tenant"), 36);
    buf_printf(out, " %.*s, ", SLICE_FMT(failing ? SLICE("FAILING") : state));
    put_ago(out, ask_number(source, "succeeded"));
    if (ask_number(source, "cursor")) {
        buf_puts(out, "; behind ");
        put_duration(out, ask_number(source, "lag_s"));
    }
    buf_printf(out, "; %" PRIu64 " records", ask_number(source, "records"));
    if (ask_number(source, "throttled_until")) {
        buf_puts(out, "; to wait till ");
        time_write_rfc3339(out, (nsec)ask_number(source, "throttled_until") * NSEC_PER_SEC);
    }
    for (const char *const *lost = (const char *const[]){"expired", "given_up", "gaps", NULL};
         *lost; lost++)
        if (ask_number(source, *lost))
            buf_printf(out, "; %s=%" PRIu64, *lost, ask_number(source, *lost));
    if (failure.len) {
        buf_puts(out, ": ");
        (void)text_put_visible(out, failure, 400);
    }
    buf_putc(out, '\n');
}

static void put_cloud(struct buf *out, struct slice sources)
{
    struct json_parts it;
    struct slice name, source;
    if (sources.len <= 2 || sources.ptr[0] != '[') return;
    buf_putc(out, '\n');
    json_parts_init(&it, sources);
    while (json_parts_next(&it, &name, &source)) put_cloud_source(out, source);
}

/* ---- the whole --------------------------------------------------------------------------- */

/* Who would be woken, and what nobody has: nothing of it stays unseen. */
static void put_paging(struct buf *out, struct slice processes)
{
    static const struct {
        const char *member, *one, *many;
    } troubles[] = {
        {"pages_loud", "page is loud: everybody was told, and nobody has it",
         "pages are loud: everybody was told, and nobody has them"},
        {"undelivered", "person could not be told of an open page",
         "people could not be told of open pages"},
        {"empty_shifts", "team has nobody on call", "teams have nobody on call"},
        {"unreachable_people", "person of the plan has no contact",
         "people of the plan have no contact"},
        {"unplanned", "incident waits for a plan of who is on call",
         "incidents wait for a plan of who is on call"},
    };
    struct slice oncall = ask_member(processes, "oncall");
    if (oncall.len == 0) return;
    buf_printf(out, "paging         %" PRIu64 " pages open, %" PRIu64 " wait for morning%s%s\n",
               ask_number(oncall, "pages_open"), ask_number(oncall, "wait_for_morning"),
               slice_eq(ask_member(oncall, "plan"), SLICE("true")) ? "" : "; NO PLAN",
               ask_number(oncall, "providers") ? "" : "; NO PROVIDER of messages");
    if (slice_eq(ask_member(oncall, "in_memory"), SLICE("true")))
        buf_puts(out, "               FROM MEMORY: its file cannot be written\n");
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        uint64_t n = ask_number(oncall, troubles[i].member);
        if (n)
            buf_printf(out, "               %" PRIu64 " %s\n", n,
                       n == 1 ? troubles[i].one : troubles[i].many);
    }
    proof_put(out, oncall, "               ", false);
}

static void put_table(struct buf *out, struct slice answer)
{
    struct slice processes = ask_member(answer, "processes");
    put_service(out, answer);
    put_awake(out, processes);
    put_records(out, answer, processes);
    put_left_out(out, processes);
    put_state(out, processes);
    put_retro(out, processes);
    put_paging(out, processes);
    put_processes(out, processes);
    put_sources(out, ask_member(ask_member(processes, "collect"), "sources"),
                ask_member(ask_member(processes, "triage"), "sources"));
    put_cloud(out, ask_member(ask_member(processes, "pull"), "sources"));
}

/* One line, over the one before when it is a terminal. */
static void put_line(struct buf *out, struct slice answer)
{
    struct slice processes = ask_member(answer, "processes");
    struct slice store = ask_member(processes, "store"), collect = ask_member(processes, "collect");
    struct slice triage = ask_member(processes, "triage"), detect = ask_member(processes, "detect");
    struct slice rate = ask_member(ask_member(ask_member(answer, "rates"), "10s"), "stored");
    bool terminal = isatty(STDOUT_FILENO) == 1;
    if (terminal) buf_puts(out, "\r\033[K");
    if (json_is_number(rate)) buf_printf(out, "%.*s records/s, ", SLICE_FMT(rate));
    buf_printf(out,
               "%" PRIu64 " records, %" PRIu64 " sources, %" PRIu64 " alerts, %" PRIu64
               " not matched yet, disk %.*s",
               ask_number(store, "next"), ask_number(collect, "sources_active"),
               ask_number(triage, "alerts_added"), ask_number(detect, "behind"),
               SLICE_FMT(ask_text(store, "disk")));
    if (!terminal) buf_putc(out, '\n');
}

static int print_status(void *ctx, const struct say_answer *a)
{
    struct status_context *c = ctx;
    struct buf out;
    buf_init(&out, 8 * a->text.len + 64 * 1024);
    if (c->format == STATUS_JSON) {
        text_put_lines(&out, a->text);
        buf_putc(&out, '\n');
    } else if (c->format == STATUS_LINE) {
        put_line(&out, a->text);
    } else {
        put_table(&out, a->text);
    }
    bool written = fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_done(&out);
    return written ? 0 : ERR_IO;
}

static int status_main(const struct invocation *in)
{
    struct status_context *c = in->ctx;
    if (in->n_operands) return cli_usage("status takes no operands");
    return ask_serve(&c->settings, (struct say_ask){.what = ASK_STATUS, .follow = c->follow},
                     print_status, c);
}

const struct command command_status = {
    .name = "status",
    .operands = "",
    .summary = "show how vaka serve is",
    .description =
        "Prints how the running vaka serve is: how much is stored and matched and how fast, how "
        "full the disk is, whether the clock is right; what each process says about itself now; "
        "and of each source when it was heard of last, what was received, stored and lost, with "
        "the reasons. A process that does not answer within a second is named.\n\n"
        "Exit status: 0; 1 vaka serve does not run; 2 the command line could not be understood.",
    .options = status_options,
    .n_options = sizeof status_options / sizeof *status_options,
    .ctx_size = sizeof(struct status_context),
    .run = status_main,
};
