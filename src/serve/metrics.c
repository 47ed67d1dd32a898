/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "event/record.h"

enum type { UNTYPED, COUNTER, GAUGE };

struct figure {
    const char *member;
    enum type type;
    const char *help;
};

/* Of every process. */
static const struct figure process_figures[] = {
    {"pid", GAUGE, "The number of the process."},
    {"starts", COUNTER, "How often it was started."},
    {"up_s", GAUGE, "Seconds since it was started."},
};

static const struct figure role_figures[REPORT_COUNT][24] = {
    [ROLE_STORE] =
        {
            {"records", COUNTER, "Records that were stored since the process was started."},
            {"batches", COUNTER, "Batches that were stored."},
            {"bytes", COUNTER, "Bytes of batches that were stored."},
            {"commits", COUNTER, "Commits to disk."},
            {"refused", COUNTER,
             "Batches that were refused: the disk was full, or they were damaged."},
            {"damaged", COUNTER, "Places where a journal was not what had been written."},
            {"next", COUNTER, "Records that were ever stored."},
            {"matched", COUNTER, "Records that were ever matched, as far as the store knows."},
            {"sealed", COUNTER, "Records that are in sealed segments, or were."},
            {"journals", GAUGE, "Journals that are not sealed and matched yet."},
            {"slowest_commit_us", GAUGE,
             "Microseconds of the slowest commit since the last report."},
            {"disk", GAUGE, "How full the disk is: ok, warn, critical or full."},
            {"disk_bytes", GAUGE, "Bytes of the disk of the store."},
            {"disk_free", GAUGE, "Bytes of it that are free."},
        },
    [ROLE_TRIAGE] =
        {
            {"matched", COUNTER, "Records that were ever matched and whose alerts are durable."},
            {"alerts_added", COUNTER, "Alerts that were added since the process was started."},
            {"alerts_counted", COUNTER, "Matches of rules, those that an alert counts among them."},
            {"commits", COUNTER, "Transactions of the database."},
            {"acts", COUNTER, "What people did to incidents, assets and suppressions."},
            {"watched_until", GAUGE,
             "Up to when it is known what came from sources, in seconds since 1970."},
            {"sources_watched", GAUGE, "Sources whose health is followed."},
            {"sources_judged", GAUGE, "Those of them that are known well enough to be judged."},
            {"sources_unwatched", COUNTER,
             "Times that a source was heard of for which there is no "
             "room."},
            {"sources_silent", GAUGE, "Sources that are silent."},
            {"sources_volume", GAUGE, "Sources that send much less than usual."},
            {"sources_unread", GAUGE, "Sources whose records are not understood any more."},
            {"sources_clock", GAUGE, "Sources whose clock is off."},
            {"sources_gap", GAUGE, "Sources of which records were missing in the last day."},
            {"day_off", GAUGE, "1: sources with a rhythm of work behave as on a day off."},
        },
    [ROLE_DETECT] =
        {
            {"rules", GAUGE, "Rules in force."},
            {"correlations", GAUGE, "Correlation rules in force."},
            {"refused", GAUGE, "Rules that were refused."},
            {"products", GAUGE, "Products whose records are understood."},
            {"products_refused", GAUGE, "Product files that were refused."},
            {"engines", GAUGE, "Processes that match."},
            {"events", COUNTER, "Events that were matched since the process was started."},
            {"undecodable", COUNTER, "Records that could not be decoded."},
            {"alerts", COUNTER, "Matches of rules."},
            {"next", COUNTER, "Records that were ever matched."},
            {"lag_s", GAUGE, "Seconds since the first record came that is not matched yet."},
            {"behind", GAUGE, "Records that are durable and not matched yet."},
            {"crashes", COUNTER, "Engines that ended when they should not."},
            {"quarantined", GAUGE, "Records that are passed over because an engine ended at them."},
            {"replayed", COUNTER, "What correlations were told again behind a start."},
            {"forgotten", COUNTER, "Of that, what no rule knows any more."},
        },
    [ROLE_UNWRAP] =
        {
            {"containers", COUNTER, "Bodies and datagrams that were taken apart."},
            {"records", COUNTER, "Records that were in them."},
            {"refused", COUNTER, "Parts of them that were refused."},
            {"failed", COUNTER, "Containers whose records could not be stored."},
            {"waiting", GAUGE, "Containers with records that are not durable yet."},
            {"flow_datagrams", COUNTER, "Datagrams of NetFlow and IPFIX."},
            {"flow_damaged", COUNTER, "Of those, the ones that made no sense."},
            {"flow_lost", COUNTER,
             "Datagrams or flows that did not arrive, by the sender's count."},
            {"flow_no_template", COUNTER, "Sets whose template was not known."},
            {"flow_templates", GAUGE, "Templates that are known."},
        },
    [ROLE_COLLECT] =
        {
            {"unacked", GAUGE, "Bytes that wait for the store."},
            {"sources_active", GAUGE, "Sources that were ever heard of."},
            {"source_limit", GAUGE,
             "Bytes a second that each source may send while matching does not keep up; 0: any."},
            {"bookmarks_failed", COUNTER, "Times that how far a file was read could not be kept."},
        },
    [ROLE_CONTROL] =
        {
            {"asked", COUNTER, "Questions of the local command line."},
        },
    [ROLE_SEAL] =
        {
            {"tree", COUNTER, "Records in the tree."},
            {"sealed", COUNTER, "Records in segments."},
            {"segments", COUNTER, "Segments that were finished since the process was started."},
            {"checkpoints", COUNTER, "Checkpoints that were signed since the process was started."},
            {"signed", COUNTER, "Records that the newest checkpoint covers."},
            {"signed_at", GAUGE, "When it was signed, in seconds since 1970."},
            {"lost", COUNTER, "Sequence numbers without a record."},
            {"removed", COUNTER, "Segments that retention removed."},
            {"removed_records", COUNTER, "Records that were in them."},
            {"held", GAUGE, "Segments that are old and held."},
            {"unreadable", GAUGE, "Segments that retention could not read."},
            {"retained_at", GAUGE, "When retention looked last, in seconds since 1970."},
            {"held_back", GAUGE, "1: the file of holds cannot be read, and nothing is removed."},
            {"clock_believed", GAUGE, "The time that retention goes by, in seconds since 1970."},
            {"clock_doubted", GAUGE, "1: the clock is too far ahead, and makes no record old."},
            {"witnessed", COUNTER, "Records that the newest checkpoint of a witness covers."},
            {"witnessed_at", GAUGE, "When that was signed, in seconds since 1970."},
            {"cosignatures_refused", COUNTER, "Answers of witnesses that were no signature."},
        },
    [ROLE_PULL] =
        {
            {"requests", COUNTER, "Requests to clouds."},
            {"records", COUNTER, "Records of clouds that are durable."},
            {"repeats", COUNTER, "Records and contents that were passed over: they are stored."},
            {"odd", COUNTER, "Records without an id, and what is no record."},
            {"failures", COUNTER, "Requests that failed."},
            {"throttled", COUNTER, "Times that a cloud said to wait."},
            {"expired", COUNTER, "Contents that were not there any more."},
            {"given_up", COUNTER, "Contents that could not be read."},
            {"gaps", COUNTER, "Times that a cloud did not keep what had not been fetched."},
            {"bookmarks_failed", COUNTER, "Times that how far it is could not be written."},
        },
    [ROLE_INDEX] =
        {
            {"segments", GAUGE, "Sealed segments."},
            {"current", GAUGE, "Segments whose index is current."},
            {"missing", GAUGE, "Segments without an index."},
            {"stale", GAUGE, "Segments whose index was made for other products or taxonomy."},
            {"damaged", GAUGE, "Segments whose index is damaged."},
            {"unfit", GAUGE, "Segments that cannot be read, or have no filters."},
            {"left", GAUGE, "Segments whose index could not be made."},
            {"made", COUNTER, "Indexes that were made since the process was started."},
            {"made_bytes", COUNTER, "Their bytes."},
            {"paused", GAUGE, "1: none is made, for matching does not keep up."},
        },
    [ROLE_RETRO] =
        {
            {"state", GAUGE, "off, idle, reading, running, waiting, telling or failed."},
            {"days", GAUGE, "Days over which new rules are run; 0: over none."},
            {"share_percent", GAUGE, "What that may take of a processor."},
            {"rules", GAUGE, "Rules of the pass at hand, or of the last one."},
            {"rules_found", GAUGE, "Of them those that would have fired."},
            {"done_percent", GAUGE, "How far it is."},
            {"bytes", GAUGE, "Bytes of records that were gone through in it."},
            {"bytes_all", GAUGE, "Bytes of records that there are for it."},
            {"blocks_read", GAUGE, "Blocks that were read in it."},
            {"blocks_passed", GAUGE, "Blocks that were passed over."},
            {"records", GAUGE, "Records that were matched."},
            {"matches", GAUGE, "Matches of rules in them."},
            {"damaged", GAUGE, "Parts that could not be read."},
            {"cpu_ms", GAUGE, "Time of processors that reading and matching took."},
            {"waits", COUNTER, "Times that it waited, for matching was behind."},
            {"told", COUNTER, "Rules that would have fired, as told in alerts."},
            {"from", GAUGE, "Records received from then on are looked at, in seconds since 1970."},
            {"to", GAUGE, "Records received before then are, in seconds since 1970."},
        },
    [ROLE_ACCOUNT] =
        {
            {"claims", COUNTER, "Times that somebody said who he is."},
            {"refused", COUNTER, "Of them those that were wrong."},
            {"held_off", COUNTER, "Of them those that were not looked at: too many came before."},
            {"actions", COUNTER, "Things asked of accounts: reads and changes."},
            {"waiting", GAUGE, "Passwords that wait to be hashed."},
            {"apps_lost", GAUGE, "Apps that were sealed with another accounts.key."},
        },
    [ROLE_WEB] =
        {
            {"requests", COUNTER, "Requests to the API."},
            {"refused", COUNTER, "Of them those that were refused."},
            {"connections", GAUGE, "Connections to the API."},
            {"listeners", GAUGE, "Who listens for events there."},
            {"dropped", COUNTER, "Requests that another process had no room for."},
        },
    [ROLE_SEARCH] =
        {
            {"running", GAUGE, "Searches that run for the API."},
            {"begun", COUNTER, "Searches that began."},
            {"refused", COUNTER, "Searches that there was no room for."},
            {"ended", COUNTER, "Searches that ended."},
            {"looked", COUNTER, "Times that one thing was looked at over the API."},
        },
    [ROLE_LIBRARY] =
        {
            {"changes", COUNTER, "Changes of rules over the API."},
            {"refused", COUNTER, "Those that were refused."},
        },
    [ROLE_ONCALL] =
        {
            {"plan", GAUGE, "Whether there is a plan of who is on call."},
            {"in_memory", GAUGE,
             "Whether its file cannot be written, so that it pages from memory."},
            {"empty_shifts", GAUGE, "Teams that have nobody on call now who should."},
            {"unreachable_people", GAUGE, "People of the plan without a contact."},
            {"providers", GAUGE, "Providers that messages go by."},
            {"pages_open", GAUGE, "Pages that nobody has yet."},
            {"pages_loud", GAUGE, "Of them those that everybody was told of."},
            {"undelivered", GAUGE, "People whom open pages could not reach."},
            {"waiting", GAUGE, "Messages that wait for a limit of a person or a provider."},
            {"wait_for_morning", GAUGE, "Incidents that page when the plan lets them."},
            {"unplanned", GAUGE, "Incidents that wait for a plan."},
            {"taken", COUNTER, "What triage has handed over since the process was started."},
            {"pages", COUNTER, "Pages that began."},
            {"acknowledged", COUNTER, "Pages that somebody took."},
            {"attempts", COUNTER, "Messages that were to be sent."},
            {"not_told", COUNTER, "Times that somebody could not be told."},
            {"held_back", COUNTER, "Times that somebody was told later, for he was told much."},
            {"acts", COUNTER, "What people did to pages and to the plan."},
        },
    [ROLE_OIDC] =
        {
            {"logins", COUNTER, "Browsers that were sent to the identity provider."},
            {"vouched", COUNTER, "Of them those that it vouched for."},
            {"refused", COUNTER, "Those that it did not, or whose token was wrong."},
            {"trouble", GAUGE, "What is wrong with the provider."},
        },
    [ROLE_NOTIFY] =
        {
            {"attempts", COUNTER, "Attempts to tell somebody."},
            {"accepted", COUNTER, "Of them those that a provider took."},
            {"delivered", COUNTER, "Those that reached a phone, as the provider says."},
            {"retry", COUNTER, "Those that a provider could not take at the time."},
            {"refused", COUNTER, "Those that were refused, or could not be delivered."},
            {"unknown", COUNTER, "Those of which the provider's answer is not known."},
            {"repeats", COUNTER, "Attempts that were asked for again and not made again."},
            {"answers", COUNTER, "What people wrote back or pressed."},
            {"callbacks", COUNTER, "Times that a provider told something by itself."},
            {"busy", GAUGE, "Attempts that wait or are under way."},
            {"dropped", COUNTER, "What another process had no room for."},
        },
    [ROLE_CANARY] =
        {
            {"now", GAUGE, "When it said this, in seconds since 1970."},
            {"every", GAUGE, "Seconds from one probe to the next; 0: there are none."},
            {"within", GAUGE, "Seconds that one may take."},
            {"broken", GAUGE, "The stage that the canary found broken, or nothing."},
            {"why", GAUGE, "What is known of that."},
            {"unset", GAUGE, "1: nobody can be paged, as there is no plan or no provider."},
            {"since", GAUGE, "Since when that is so, in seconds since 1970."},
            {"passed", COUNTER, "Probes of the canary that went all the way."},
            {"failed", COUNTER, "Those that did not in time."},
            {"took_ms", GAUGE, "Milliseconds that the last one took that did."},
        },
    [ROLE_SUPERVISOR] =
        {
            {"clock", GAUGE, "Whether the machine's clock is right, as far as can be known."},
        },
    [ROLE_SIGN] =
        {
            {"signatures", COUNTER, "Signatures since the process was started."},
            {"size", COUNTER, "Records that the newest one covers."},
            {"tombstones", COUNTER, "Tombstones that were signed."},
            {"refused", COUNTER, "What was not signed: it went back, or was none."},
            {"keys", GAUGE, "1; `is`: the public keys of the log, a line each."},
        },
};

/* ---- lines ------------------------------------------------------------------------------- */

void metrics_put_label(struct buf *out, struct slice value)
{
    struct slice shown = value;
    if (value.len > METRICS_LABEL_MAX) {
        shown.len = 0;
        for (size_t step; shown.len + (step = utf8_step(value, shown.len)) <= METRICS_LABEL_MAX;)
            shown.len += step;
    }
    for (size_t at = 0; at < shown.len;) {
        uint32_t cp;
        unsigned n = utf8_decode(shown, at, &cp);
        if (n == 0) buf_puts(out, "\uFFFD");
        else if (cp == '\n') buf_puts(out, "\\n");
        else if (cp == '"' || cp == '\\') buf_printf(out, "\\%c", (char)cp);
        else buf_put(out, slice_make(shown.ptr + at, n));
        at += n ? n : 1;
    }
}

/* HELP and TYPE stand before the lines of a metric; a counter's name says that it is one. */
static void put_head(struct buf *out, const char *name, enum type type, const char *help)
{
    static const char *const types[] = {"untyped", "counter", "gauge"};
    const char *end = type == COUNTER ? "_total" : "";
    buf_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, end, help, name, end, types[type]);
}

/* "true" and "false" are 1 and 0. False: it is no number. */
static bool put_number(struct buf *out, struct slice value)
{
    if (slice_eq(value, SLICE("true"))) buf_puts(out, " 1\n");
    else if (slice_eq(value, SLICE("false"))) buf_puts(out, " 0\n");
    else if (!json_is_number(value)) return false;
    else buf_printf(out, " %.*s\n", SLICE_FMT(value));
    return true;
}

/* ---- processes --------------------------------------------------------------------------- */

static bool is_of_every_process(struct slice name)
{
    for (size_t i = 0; i < sizeof process_figures / sizeof *process_figures; i++)
        if (slice_eq(name, slice_of(process_figures[i].member))) return true;
    return false;
}

static void put_processes(struct buf *out, const struct slice reports[REPORT_COUNT])
{
    for (size_t i = 0; i < sizeof process_figures / sizeof *process_figures; i++) {
        const struct figure *f = &process_figures[i];
        char name[64];
        struct slice value;
        (void)snprintf(name, sizeof name, "vaka_process_%s", f->member);
        put_head(out, name, f->type, f->help);
        for (unsigned role = 0; role < REPORT_COUNT; role++) {
            if (!json_find_member(reports[role], f->member, NULL, &value)) continue;
            buf_printf(out, "%s%s{process=\"%s\"}", name, f->type == COUNTER ? "_total" : "",
                       serve_role_name(role));
            if (!put_number(out, value)) buf_puts(out, " NaN\n");
        }
    }
}

static const struct figure *find_figure(unsigned role, struct slice name)
{
    static const struct figure unknown = {
        .type = UNTYPED, .help = "A figure of vaka status that has no description here."};
    for (const struct figure *f = role_figures[role]; f->member; f++)
        if (slice_eq(name, slice_of(f->member))) return f;
    return &unknown;
}

/* A word is a label of the value 1. */
static void put_member(struct buf *out, unsigned role, struct slice member, struct slice value)
{
    char name[96];
    struct slice word;
    const struct figure *f = find_figure(role, member);
    bool is_word = json_string_inside(value, &word);
    if (value.len == 0 || value.ptr[0] == '[' || value.ptr[0] == '{' || member.len > 64 ||
        slice_eq(value, SLICE("null")))
        return;
    (void)snprintf(name, sizeof name, "vaka_%s_%.*s", serve_role_name(role), SLICE_FMT(member));
    put_head(out, name, f->type, f->help);
    buf_printf(out, "%s%s", name, f->type == COUNTER ? "_total" : "");
    if (is_word) buf_printf(out, "{is=\"%.*s\"} 1\n", SLICE_FMT(word));
    else if (!put_number(out, value)) buf_puts(out, " NaN\n");
}

static void put_role(struct buf *out, unsigned role, struct slice report)
{
    struct json_parts it;
    struct slice name, value;
    json_parts_init(&it, report);
    while (json_parts_next(&it, &name, &value))
        if (!is_of_every_process(name)) put_member(out, role, name, value);
}

/* ---- sources ----------------------------------------------------------------------------- */

static const struct row_figure {
    const char *name;
    enum type type;
    const char *help;
    size_t offset; /* of a uint64_t in a row */
} row_figures[] = {
#define AT(member) offsetof(struct ledger_row, member)
    {"received_records", COUNTER, "Records that were received.", AT(records.received)},
    {"stored_records", COUNTER, "Records that are durable.", AT(records.stored)},
    {"pending_records", GAUGE, "Records that are not durable yet.", AT(records.pending)},
    {"received_requests", COUNTER, "Bodies and datagrams that were received.",
     AT(requests.received)},
    {"stored_requests", COUNTER, "Bodies and datagrams that are durable.", AT(requests.stored)},
    {"pending_requests", GAUGE, "Bodies and datagrams that are not durable yet.",
     AT(requests.pending)},
    {"received_bytes", COUNTER, "Bytes that were received.", AT(bytes)},
    {"cut", COUNTER, "Records that were longer than the limit.", AT(cut)},
    {"odd", COUNTER, "Records with something odd about their framing.", AT(odd)},
    {"broken", COUNTER, "Connections that ended by a mistake of the sender.", AT(broken)},
    {"refused", COUNTER, "Connections above a limit.", AT(refused)},
    {"connections", COUNTER, "Connections.", AT(connections)},
#undef AT
};
enum { ROW_FIGURES = sizeof row_figures / sizeof *row_figures };

static uint64_t figure_of(const struct ledger_row *row, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)row + offset, sizeof value);
    return value;
}

/* Where what was lost for a reason is counted. */
static const struct {
    const char *name, *help;
    size_t offset;
} losses[] = {
    {"lost_records", "Records that were lost.", offsetof(struct ledger_row, records.lost)},
    {"lost_requests", "Bodies and datagrams that were lost or refused.",
     offsetof(struct ledger_row, requests.lost)},
};
enum { LOSSES = sizeof losses / sizeof *losses };

/* The rows that are shown one by one. */
struct shown {
    const struct ledger_row *rows[METRICS_SOURCES_MAX];
    size_t n;
};

static void put_source_labels(struct buf *out, const struct record_source *from)
{
    const struct {
        const char *name;
        struct slice value;
    } labels[] = {{"input", from->input},
                  {"listener", from->listener},
                  {"identity", from->identity},
                  {"address", from->address}};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        buf_printf(out, "%s%s=\"", i ? "," : "{", labels[i].name);
        metrics_put_label(out, labels[i].value);
        buf_putc(out, '"');
    }
}

static void put_labels(struct buf *out, const struct ledger_row *row)
{
    struct record_source from;
    record_source_read(row->source, &from);
    put_source_labels(out, &from);
}

static void put_source_losses(struct buf *out, const struct shown *shown, size_t loss)
{
    char name[64];
    (void)snprintf(name, sizeof name, "vaka_source_%s", losses[loss].name);
    put_head(out, name, COUNTER, losses[loss].help);
    for (size_t i = 0; i < shown->n; i++) {
        for (unsigned why = 0; why < LEDGER_LOSS_COUNT; why++) {
            uint64_t n = figure_of(shown->rows[i], losses[loss].offset + why * sizeof(uint64_t));
            if (n == 0) continue;
            buf_printf(out, "%s_total", name);
            put_labels(out, shown->rows[i]);
            buf_printf(out, ",reason=\"%s\"} %" PRIu64 "\n", ledger_loss_name(why), n);
        }
    }
}

static void put_source_figure(struct buf *out, const struct shown *shown,
                              const struct row_figure *f)
{
    char name[64];
    (void)snprintf(name, sizeof name, "vaka_source_%s", f->name);
    put_head(out, name, f->type, f->help);
    for (size_t i = 0; i < shown->n; i++) {
        buf_printf(out, "%s%s", name, f->type == COUNTER ? "_total" : "");
        put_labels(out, shown->rows[i]);
        buf_printf(out, "} %" PRIu64 "\n", figure_of(shown->rows[i], f->offset));
    }
}

static void put_sources(struct buf *out, const struct shown *shown)
{
    for (size_t i = 0; i < ROW_FIGURES; i++) put_source_figure(out, shown, &row_figures[i]);
    for (size_t i = 0; i < LOSSES; i++) put_source_losses(out, shown, i);
    put_head(out, "vaka_source_open", GAUGE, "Connections that are open.");
    for (size_t i = 0; i < shown->n; i++) {
        buf_puts(out, "vaka_source_open");
        put_labels(out, shown->rows[i]);
        buf_printf(out, "} %" PRIu32 "\n", shown->rows[i]->open);
    }
    put_head(out, "vaka_source_seen", GAUGE,
             "When its last byte came, in seconds since 1970; 0: none came.");
    for (size_t i = 0; i < shown->n; i++) {
        buf_puts(out, "vaka_source_seen");
        put_labels(out, shown->rows[i]);
        buf_printf(out, "} %" PRId64 "\n", shown->rows[i]->seen / NSEC_PER_SEC);
    }
}

/* ---- their health ------------------------------------------------------------------------ */

static void put_health_labels(struct buf *out, struct slice source)
{
    const struct record_source from = {.input = json_member_text(source, "input"),
                                       .listener = json_member_text(source, "listener"),
                                       .identity = json_member_text(source, "identity"),
                                       .address = json_member_text(source, "address")};
    put_source_labels(out, &from);
}

/* Every word of a source's `found`, with the value 1. */
static void put_found(struct buf *out, struct slice source)
{
    struct json_parts it;
    struct slice found, name, value, word;
    if (!json_find_member(source, "found", NULL, &found)) return;
    json_parts_init(&it, found);
    while (json_parts_next(&it, &name, &value)) {
        if (!json_string_inside(value, &word)) continue;
        buf_puts(out, "vaka_source_found");
        put_health_labels(out, source);
        buf_printf(out, ",what=\"%.*s\"} 1\n", SLICE_FMT(word));
    }
}

static void put_silence(struct buf *out, struct slice source)
{
    struct slice value;
    if (!json_find_member(source, "silence_s", NULL, &value) || !json_is_number(value)) return;
    buf_puts(out, "vaka_source_usual_silence_seconds");
    put_health_labels(out, source);
    buf_putc(out, '}');
    (void)put_number(out, value);
}

/* Of what triage says about sources. */
static void put_health(struct buf *out, struct slice report)
{
    static const struct {
        const char *name, *help;
        void (*put)(struct buf *out, struct slice source);
    } parts[] = {
        {"vaka_source_found", "What is wrong with a source.", put_found},
        {"vaka_source_usual_silence_seconds",
         "The longest silence that is usual for a source at this hour of the week.", put_silence},
    };
    struct slice sources = SLICE_NONE, name, source;
    (void)json_find_member(report, "sources", NULL, &sources);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct json_parts it;
        put_head(out, parts[i].name, GAUGE, parts[i].help);
        json_parts_init(&it, sources);
        for (size_t n = 0; n < METRICS_SOURCES_MAX && sources.len > 0; n++) {
            if (!json_parts_next(&it, &name, &source)) break;
            parts[i].put(out, source);
        }
    }
}

/* ---- the cloud --------------------------------------------------------------------------- */

static void put_cloud_figure(struct buf *out, struct slice sources, const char *metric,
                             const char *member)
{
    struct json_parts it;
    struct slice name, source, value;
    if (sources.len == 0) return;
    json_parts_init(&it, sources);
    while (json_parts_next(&it, &name, &source)) {
        if (!json_find_member(source, member, NULL, &value)) continue;
        buf_printf(out, "%s{kind=\"", metric);
        metrics_put_label(out, json_member_text(source, "kind"));
        buf_puts(out, "\",tenant=\"");
        metrics_put_label(out, json_member_text(source, "tenant"));
        buf_puts(out, "\"}");
        if (json_is_number(value)) (void)put_number(out, value);
        else buf_puts(out, slice_eq(value, SLICE("\"failing\"")) ? " 1\n" : " 0\n");
    }
}

/* Of what pull says about its sources. */
static void put_cloud(struct buf *out, struct slice report)
{
    static const struct {
        const char *metric, *member, *help;
    } rows[] = {
        {"vaka_cloud_failing", "state", "1: a source in the cloud cannot be fetched now."},
        {"vaka_cloud_lag_seconds", "lag_s", "How far what was fetched is behind."},
        {"vaka_cloud_cursor", "cursor",
         "All before was asked for and is stored, in seconds since 1970."},
        {"vaka_cloud_succeeded", "succeeded",
         "When the cloud last gave what it was asked for, in seconds since 1970; 0: not yet."},
        {"vaka_cloud_throttled_until", "throttled_until",
         "When the cloud may be asked again, in seconds since 1970; 0: at any time."},
    };
    struct slice sources = SLICE_NONE;
    (void)json_find_member(report, "sources", NULL, &sources);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_head(out, rows[i].metric, GAUGE, rows[i].help);
        put_cloud_figure(out, sources, rows[i].metric, rows[i].member);
    }
}

static uint64_t sum_of(const struct ledger *ledger, size_t offset)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < ledger->n; i++) sum += figure_of(&ledger->rows[i], offset);
    return sum;
}

/* Of all sources, also of those that are not shown. */
static void put_sums(struct buf *out, const struct ledger *ledger)
{
    char name[64];
    for (size_t i = 0; i < ROW_FIGURES; i++) {
        const struct row_figure *f = &row_figures[i];
        (void)snprintf(name, sizeof name, "vaka_collect_%s", f->name);
        put_head(out, name, f->type, f->help);
        buf_printf(out, "%s%s %" PRIu64 "\n", name, f->type == COUNTER ? "_total" : "",
                   sum_of(ledger, f->offset));
    }
    for (size_t i = 0; i < LOSSES; i++) {
        (void)snprintf(name, sizeof name, "vaka_collect_%s", losses[i].name);
        put_head(out, name, COUNTER, losses[i].help);
        for (unsigned why = 0; why < LEDGER_LOSS_COUNT; why++)
            buf_printf(out, "%s_total{reason=\"%s\"} %" PRIu64 "\n", name, ledger_loss_name(why),
                       sum_of(ledger, losses[i].offset + why * sizeof(uint64_t)));
    }
}

void metrics_write(struct buf *out, const struct slice reports[REPORT_COUNT],
                   const struct ledger *ledger)
{
    struct shown shown = {.n = 0};
    for (uint32_t i = 0; i < ledger->n && shown.n < METRICS_SOURCES_MAX; i++)
        if (ledger_row_is_active(&ledger->rows[i])) shown.rows[shown.n++] = &ledger->rows[i];
    put_processes(out, reports);
    for (unsigned role = 0; role < REPORT_COUNT; role++) put_role(out, role, reports[role]);
    put_sums(out, ledger);
    put_sources(out, &shown);
    put_health(out, reports[ROLE_TRIAGE]);
    put_cloud(out, reports[ROLE_PULL]);
}
