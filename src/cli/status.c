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
    struct slice rate = json_member(json_member(rates, window), what);
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
    struct slice own = json_member(answer, "supervisor"), silent = json_member(answer, "silent");
    struct slice name, value;
    struct json_parts it;
    put_label(out, "vaka serve");
    buf_puts(out, "up ");
    put_duration(out, json_member_u64(own, "up_s"));
    buf_printf(out, ", clock %.*s\n", SLICE_FMT(json_member_text(own, "clock")));
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
    awake_read(json_member(processes, "canary"), json_member(processes, "oncall"),
               clock_realtime(&clock), &a);
    put_label(out, "watch");
    (void)text_put_visible(out, slice_of(a.en), AWAKE_LINE_MAX);
    buf_putc(out, '\n');
}

static void put_records(struct buf *out, struct slice answer, struct slice processes)
{
    struct slice rates = json_member(answer, "rates"), detect = json_member(processes, "detect");
    struct slice triage = json_member(processes, "triage"), store = json_member(processes, "store");
    put_label(out, "records");
    buf_printf(out, "%" PRIu64 " stored", json_member_u64(store, "next"));
    put_rate(out, rates, "10s", "stored", "10 s");
    put_rate(out, rates, "60s", "stored", "1 min");
    buf_putc(out, '\n');
    put_label(out, "");
    buf_printf(out, "%" PRIu64 " matched", json_member_u64(triage, "matched"));
    put_rate(out, rates, "10s", "matched", "10 s");
    put_rate(out, rates, "60s", "matched", "1 min");
    buf_printf(out, "; %" PRIu64 " behind", json_member_u64(detect, "behind"));
    if (json_member(detect, "lag_s").len) {
        buf_puts(out, ", for ");
        put_duration(out, json_member_u64(detect, "lag_s"));
    }
    buf_putc(out, '\n');
}

/* Records that no rule was tried on. */
static void put_left_out(struct buf *out, struct slice processes)
{
    struct slice records = json_member(json_member(processes, "detect"), "quarantined_records");
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
    struct slice triage = json_member(processes, "triage"), store = json_member(processes, "store");
    struct slice seal = json_member(processes, "seal"), index = json_member(processes, "index");
    put_label(out, "alerts");
    buf_printf(out, "%" PRIu64 " new, from %" PRIu64 " matches, since triage was started\n",
               json_member_u64(triage, "alerts_added"), json_member_u64(triage, "alerts_counted"));
    put_label(out, "sources");
    buf_printf(out,
               "%" PRIu64 " watched, %" PRIu64 " judged: %" PRIu64 " silent, %" PRIu64
               " with less than usual, %" PRIu64 " not understood, %" PRIu64 " clocks off, %" PRIu64
               " with gaps\n",
               json_member_u64(triage, "sources_watched"),
               json_member_u64(triage, "sources_judged"), json_member_u64(triage, "sources_silent"),
               json_member_u64(triage, "sources_volume"), json_member_u64(triage, "sources_unread"),
               json_member_u64(triage, "sources_clock"), json_member_u64(triage, "sources_gap"));
    put_label(out, "evidence");
    buf_printf(out, "%" PRIu64 " records signed, ", json_member_u64(seal, "signed"));
    put_ago(out, json_member_u64(seal, "signed_at"));
    buf_putc(out, '\n');
    put_label(out, "index");
    buf_printf(out, "%" PRIu64 " of %" PRIu64 " segments current",
               json_member_u64(index, "current"), json_member_u64(index, "segments"));
    if (json_member_u64(index, "left"))
        buf_printf(out, ", %" PRIu64 " cannot be made", json_member_u64(index, "left"));
    buf_puts(out, json_member_u64(index, "paused") ? ", paused: matching goes first\n" : "\n");
    uint64_t total = json_member_u64(store, "disk_bytes"),
             left = json_member_u64(store, "disk_free");
    put_label(out, "disk");
    buf_printf(out, "%.*s: ", SLICE_FMT(json_member_text(store, "disk")));
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
    struct slice retro = json_member(processes, "retro"), state = json_member_text(retro, "state");
    uint64_t rules = json_member_u64(retro, "rules"), days = json_member_u64(retro, "days");
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
                   json_member_u64(retro, "share_percent"), days);
        return;
    }
    buf_printf(out,
               "%" PRIu64 " rule%s over %" PRIu64 " days: %" PRIu64 " %%, %" PRIu64
               " found something; %" PRIu64 " %% of a processor",
               rules, rules == 1 ? "" : "s", days, json_member_u64(retro, "done_percent"),
               json_member_u64(retro, "rules_found"), json_member_u64(retro, "share_percent"));
    if (slice_eq(state, SLICE("waiting"))) buf_puts(out, "; it waits, for matching is behind");
    if (slice_eq(state, SLICE("idle"))) buf_puts(out, "; done");
    if (json_member_u64(retro, "damaged"))
        buf_printf(out, "; %" PRIu64 " DAMAGED parts left out", json_member_u64(retro, "damaged"));
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
    struct slice name, value, lost = json_member(sums, "lost");
    if (lost.len == 0 || lost.ptr[0] != '{') return;
    json_parts_init(&it, lost);
    while (json_parts_next(&it, &name, &value))
        buf_printf(out, "  lost(%.*s)=%.*s", SLICE_FMT(name), SLICE_FMT(value));
}

/* Records, or the bodies and datagrams that they come in. */
static void put_sums(struct buf *out, struct slice source, const char *kind)
{
    struct slice sums = json_member(source, kind);
    if (json_member_u64(sums, "received") == 0) return;
    buf_printf(out, "  %s: received=%.*s stored=%.*s pending=%.*s", kind,
               SLICE_FMT(json_member(sums, "received")), SLICE_FMT(json_member(sums, "stored")),
               SLICE_FMT(json_member(sums, "pending")));
    put_lost(out, sums);
}

static bool is_same_source(struct slice a, struct slice b)
{
    static const char *const names[] = {"address", "identity", "listener", "input"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!slice_eq(json_member_text(a, names[i]), json_member_text(b, names[i]))) return false;
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
    struct slice state = json_member_text(health, "state"), found = json_member(health, "found");
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
    if (!json_is_number(json_member(health, "silence_s"))) return;
    buf_puts(out, ": within ");
    put_duration(out, json_member_u64(health, "silence_s"));
    if (json_is_number(json_member(health, "hourly")))
        buf_printf(out, ", %" PRIu64 " an hour", json_member_u64(health, "hourly"));
}

static void put_source(struct buf *out, struct slice source, struct slice health)
{
    struct slice identity = json_member_text(source, "identity");
    text_put_padded(out, json_member_text(source, "input"), LABEL);
    text_put_padded(out, json_member_text(source, "listener"), 22);
    buf_putc(out, ' ');
    text_put_padded(out, identity.len ? identity : json_member_text(source, "address"), 24);
    buf_putc(out, ' ');
    put_ago(out, json_member_u64(source, "seen"));
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
    struct slice state = json_member_text(source, "state"),
                 failure = json_member_text(source, "failure");
    bool failing = slice_eq(state, SLICE("failing"));
    text_put_padded(out, json_member_text(source, "kind"), 16);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(source, "tenant"), 36);
    buf_printf(out, " %.*s, ", SLICE_FMT(failing ? SLICE("FAILING") : state));
    put_ago(out, json_member_u64(source, "succeeded"));
    if (json_member_u64(source, "cursor")) {
        buf_puts(out, "; behind ");
        put_duration(out, json_member_u64(source, "lag_s"));
    }
    buf_printf(out, "; %" PRIu64 " records", json_member_u64(source, "records"));
    if (json_member_u64(source, "throttled_until")) {
        buf_puts(out, "; to wait till ");
        time_write_rfc3339(out, (nsec)json_member_u64(source, "throttled_until") * NSEC_PER_SEC);
    }
    for (const char *const *lost = (const char *const[]){"expired", "given_up", "gaps", NULL};
         *lost; lost++)
        if (json_member_u64(source, *lost))
            buf_printf(out, "; %s=%" PRIu64, *lost, json_member_u64(source, *lost));
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
        {"waiting", "message waits: a person, or a provider, has had as many as the limits let",
         "messages wait: a person, or a provider, has had as many as the limits let"},
        {"empty_shifts", "team has nobody on call", "teams have nobody on call"},
        {"unreachable_people", "person of the plan has no contact",
         "people of the plan have no contact"},
        {"unplanned", "incident waits for a plan of who is on call",
         "incidents wait for a plan of who is on call"},
    };
    struct slice oncall = json_member(processes, "oncall");
    if (oncall.len == 0) return;
    buf_printf(out, "paging         %" PRIu64 " pages open, %" PRIu64 " wait for morning%s%s\n",
               json_member_u64(oncall, "pages_open"), json_member_u64(oncall, "wait_for_morning"),
               slice_eq(json_member(oncall, "plan"), SLICE("true")) ? "" : "; NO PLAN",
               json_member_u64(oncall, "providers") ? "" : "; NO PROVIDER of messages");
    if (slice_eq(json_member(oncall, "in_memory"), SLICE("true")))
        buf_puts(out, "               FROM MEMORY: its file cannot be written\n");
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        uint64_t n = json_member_u64(oncall, troubles[i].member);
        if (n)
            buf_printf(out, "               %" PRIu64 " %s\n", n,
                       n == 1 ? troubles[i].one : troubles[i].many);
    }
    proof_put(out, oncall, "               ", false);
}

static void put_table(struct buf *out, struct slice answer)
{
    struct slice processes = json_member(answer, "processes");
    put_service(out, answer);
    put_awake(out, processes);
    put_records(out, answer, processes);
    put_left_out(out, processes);
    put_state(out, processes);
    put_retro(out, processes);
    put_paging(out, processes);
    put_processes(out, processes);
    put_sources(out, json_member(json_member(processes, "collect"), "sources"),
                json_member(json_member(processes, "triage"), "sources"));
    put_cloud(out, json_member(json_member(processes, "pull"), "sources"));
}

/* One line, over the one before when it is a terminal. */
static void put_line(struct buf *out, struct slice answer)
{
    struct slice processes = json_member(answer, "processes");
    struct slice store = json_member(processes, "store"),
                 collect = json_member(processes, "collect");
    struct slice triage = json_member(processes, "triage"),
                 detect = json_member(processes, "detect");
    struct slice rate = json_member(json_member(json_member(answer, "rates"), "10s"), "stored");
    bool terminal = isatty(STDOUT_FILENO) == 1;
    if (terminal) buf_puts(out, "\r\033[K");
    if (json_is_number(rate)) buf_printf(out, "%.*s records/s, ", SLICE_FMT(rate));
    buf_printf(out,
               "%" PRIu64 " records, %" PRIu64 " sources, %" PRIu64 " alerts, %" PRIu64
               " not matched yet, disk %.*s",
               json_member_u64(store, "next"), json_member_u64(collect, "sources_active"),
               json_member_u64(triage, "alerts_added"), json_member_u64(detect, "behind"),
               SLICE_FMT(json_member_text(store, "disk")));
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
