/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka verify */
#include "verify/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/settings.h"
#include "verify/evidence.h"
#include "verify/show.h"

enum {
    EVIDENCE_MAX = 256 * 1024 * 1024,
    KEYS_MAX = 128,           /* in all files of one kind */
    KEY_FILE_MAX = 32 * 1024, /* bytes */
    FILES_MAX = 32,           /* keys or checkpoints of one kind that may be named */
    FINDINGS_SHOWN = 100,     /* in text */
    FINDINGS_MAX = 16 * 1024, /* in JSON */
    OUTPUT_MAX = 16 * 1024 * 1024,
};

/* Files that were named, and what is in them. */
struct named {
    const char *paths[FILES_MAX];
    struct buf texts[FILES_MAX];
    size_t n;
};

struct known {
    struct verify_key keys[KEYS_MAX];
    size_t n;
};

struct verify_context {
    struct settings settings;
    struct named keys, witnesses, checkpoints;
    struct known known_keys, known_witnesses; /* what is in them */
    bool json;
    const char *evidence;
    struct buf findings; /* as they are to be shown */
    uint64_t n_findings;
};

static const struct cli_option verify_options[] = {
    {'k', "key", "FILE",
     "A public key of the log, as text. May be given several times. Without it and without a "
     "folder it is the one that vaka serve keeps.",
     OPTION_CALL},
    {'w', "witness-key", "FILE",
     "Public keys of witnesses, a line each. May be given several times.", OPTION_CALL},
    {'C', "checkpoint", "FILE",
     "A checkpoint that was kept elsewhere, signed by the log: the folder has to go on from it. "
     "May "
     "be given several times.",
     OPTION_CALL},
    {0, "evidence", "FILE", "Check exported evidence instead of a folder, and print its records.",
     OPTION_TEXT(struct verify_context, evidence)},
    {'f', "format", "text|json", "How to tell what was found.",
     OPTION_CHOICE(struct verify_context, json)},
    OPTION_SETTINGS(struct verify_context),
};

static int name_file(struct named *named, const char *path)
{
    if (named->n == FILES_MAX) return cli_usage("more than %d files of one kind", FILES_MAX);
    named->paths[named->n++] = path;
    return 0;
}

static int verify_option(void *ctx, int letter, const char *value)
{
    struct verify_context *c = ctx;
    switch (letter) {
    case 'k':
        return name_file(&c->keys, value);
    case 'w':
        return name_file(&c->witnesses, value);
    case 'C':
    default:
        return name_file(&c->checkpoints, value);
    }
}

/* ---- what is shown ----------------------------------------------------------------------- */

static void put_finding_text(struct buf *out, const struct verify_finding *f)
{
    buf_printf(out, "%s: ", verify_verdict_text(f->verdict));
    if (f->file[0]) buf_printf(out, "%s: ", f->file);
    buf_puts(out, f->what);
    if (f->seq != VERIFY_NOWHERE) buf_printf(out, ", from sequence number %" PRIu64, f->seq);
    if (f->offset != VERIFY_NOWHERE) buf_printf(out, ", at byte %" PRIu64, f->offset);
    buf_putc(out, '\n');
}

static void on_finding(void *ctx, const struct verify_finding *f)
{
    struct verify_context *c = ctx;
    if (c->n_findings++ >= (c->json ? FINDINGS_MAX : FINDINGS_SHOWN)) return;
    if (!c->json) {
        put_finding_text(&c->findings, f);
        return;
    }
    if (c->findings.len) buf_putc(&c->findings, ',');
    verify_write_finding(&c->findings, f);
}

static void put_json(struct buf *out, const struct verify_context *c, const struct verify_report *r)
{
    buf_putc(out, '{');
    verify_write_report(out, r);
    json_write_key(out, "findings");
    buf_putc(out, '[');
    buf_put(out, buf_slice(&c->findings));
    buf_puts(out, "]}\n");
}

static void put_text(struct buf *out, const struct verify_context *c, const struct verify_report *r)
{
    buf_put(out, buf_slice(&c->findings));
    if (c->n_findings > FINDINGS_SHOWN)
        buf_printf(out, "and %" PRIu64 " more\n", c->n_findings - FINDINGS_SHOWN);
    buf_printf(out,
               "%" PRIu64 " records in %" PRIu64 " segments, %" PRIu64 " in %" PRIu64
               " journals; %" PRIu64 " lost, %" PRIu64 " removed by retention\n",
               r->sealed, r->segments, r->waiting, r->journals, r->lost, r->removed);
    if (r->indexes.damaged)
        buf_printf(out,
                   "%" PRIu64 " of %" PRIu64 " indexes damaged, the first index/%s: searches do "
                   "without, vaka serve makes them anew\n",
                   r->indexes.damaged, r->indexes.n, r->indexes.first);
    buf_printf(out, "signed: %" PRIu64 " of %" PRIu64 "; seen by a witness: %" PRIu64 "\n",
               r->signed_size, r->size, r->witnessed_size);
    if (r->witnessed_size < r->size)
        buf_printf(out,
                   "The newest %" PRIu64 " are not proved against who can use the key of this "
                   "machine: no witness has signed them.\n",
                   r->size - r->witnessed_size);
    if (r->verdict == VERIFY_INTACT) {
        buf_puts(out, "intact\n");
        return;
    }
    buf_puts(out, "first: ");
    put_finding_text(out, &r->first);
}

/* ---- running ----------------------------------------------------------------------------- */

static int read_named(struct named *named, size_t max)
{
    for (size_t i = 0; i < named->n; i++) {
        struct diag diag = {.file = named->paths[i]};
        buf_init(&named->texts[i], max);
        if (file_read(named->paths[i], &named->texts[i], &diag) == 0) continue;
        cli_say("%s: %s", named->paths[i], diag.message);
        return EXIT_USAGE;
    }
    return 0;
}

/* All keys of all files, a line each. */
static int read_keys(const struct named *named, struct known *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < named->n; i++) {
        struct slice line, rest = slice_trim(buf_slice(&named->texts[i]));
        for (bool more = true; more;) {
            more = slice_split(rest, '\n', &line, &rest);
            if (ret->n == KEYS_MAX) return cli_usage("more than %d keys", KEYS_MAX);
            if (verify_key_read(line, &ret->keys[ret->n++]) != 0)
                return cli_usage("%s: this is no public key", named->paths[i]);
        }
    }
    return 0;
}

static void done_named(struct named *named)
{
    for (size_t i = 0; i < named->n; i++) buf_done(&named->texts[i]);
}

static int status_of(enum verify_verdict verdict)
{
    if (verdict == VERIFY_TAMPERED) return EXIT_FOUND;
    return verdict == VERIFY_INTACT ? EXIT_RAN : EXIT_UNREADABLE;
}

static int verify_and_tell(struct verify_context *c, const struct verify_options *options)
{
    struct verify_report report;
    struct buf out, shown;
    int error = verify_folder(options, &report);
    if (error) {
        cli_say("the folder cannot be verified: %s", error_text(error));
        return EXIT_UNREADABLE;
    }
    buf_init(&out, OUTPUT_MAX);
    buf_init(&shown, 8 * (size_t)OUTPUT_MAX);
    if (c->json) put_json(&out, c, &report);
    else put_text(&out, c, &report);
    text_put_lines(&shown, buf_slice(&out));
    if (shown.len) (void)fwrite(shown.ptr, 1, shown.len, stdout);
    buf_done(&shown);
    buf_done(&out);
    return status_of(report.verdict);
}

/* ---- evidence ---------------------------------------------------------------------------- */

/* A record of evidence, in a form fit for a terminal. */
static void on_evidence(void *ctx, uint64_t seq, const struct verify_record *r)
{
    struct verify_context *c = ctx;
    if (c->json) {
        if (c->findings.len) buf_putc(&c->findings, ',');
        buf_putc(&c->findings, '{');
        json_write_member_u64(&c->findings, "seq", seq);
        json_write_key(&c->findings, "received");
        buf_putc(&c->findings, '"');
        time_write_rfc3339(&c->findings, r->received);
        buf_putc(&c->findings, '"');
        json_write_key(&c->findings, "source");
        json_write_string(&c->findings, r->source);
        json_write_key(&c->findings, "raw");
        json_write_string(&c->findings, r->raw);
        buf_putc(&c->findings, '}');
        return;
    }
    buf_printf(&c->findings, "%" PRIu64 " ", seq);
    time_write_rfc3339(&c->findings, r->received);
    buf_puts(&c->findings, " [");
    (void)text_put_visible(&c->findings, r->source, SIZE_MAX);
    buf_puts(&c->findings, "] ");
    (void)text_put_visible(&c->findings, r->raw, SIZE_MAX);
    buf_putc(&c->findings, '\n');
}

static void put_evidence_json(struct buf *out, const struct verify_context *c,
                              const struct verify_evidence *e)
{
    buf_putc(out, '{');
    json_write_key(out, "verdict");
    json_write_string(out, slice_of(e->what ? "tampered" : "intact"));
    if (e->what) {
        json_write_key(out, "what");
        json_write_string(out, slice_of(e->what));
    }
    json_write_member_u64(out, "size", e->size);
    json_write_key(out, "witnessed");
    buf_puts(out, e->witnessed ? "true" : "false");
    json_write_key(out, "records");
    buf_putc(out, '[');
    buf_put(out, buf_slice(&c->findings));
    buf_puts(out, "]}\n");
}

static void put_evidence_text(struct buf *out, const struct verify_context *c,
                              const struct verify_evidence *e)
{
    buf_put(out, buf_slice(&c->findings));
    if (e->what) {
        buf_printf(out, "tampered: %s (after %" PRIu64 " records)\n", e->what, e->records);
        return;
    }
    buf_printf(out, "intact: %" PRIu64 " records, in a tree of %" PRIu64 "%s\n", e->records,
               e->size, e->witnessed ? ", seen by a witness" : "; no witness has signed it");
    buf_puts(out, "They are what was received. Whether the sender told the truth is not proved.\n");
}

static int evidence_and_tell(struct verify_context *c)
{
    const struct known *keys = &c->known_keys, *witnesses = &c->known_witnesses;
    struct verify_evidence e;
    struct buf text, out;
    struct diag diag = {.file = c->evidence};
    buf_init(&text, EVIDENCE_MAX);
    buf_init(&out, 2 * (size_t)EVIDENCE_MAX);
    int error = file_read(c->evidence, &text, &diag);
    if (error) cli_say("%s: %s", c->evidence, diag.message);
    else
        error = verify_evidence(buf_slice(&text), keys->keys, keys->n, witnesses->keys,
                                witnesses->n, on_evidence, c, &e);
    if (error && error != ERR_CORRUPT) {
        if (text.len) cli_say("%s: this is no evidence: %s", c->evidence, error_text(error));
    } else if (c->json) {
        put_evidence_json(&out, c, &e);
    } else {
        put_evidence_text(&out, c, &e);
    }
    if (out.len) (void)fwrite(out.ptr, 1, out.len, stdout);
    buf_done(&text);
    buf_done(&out);
    return error == ERR_CORRUPT ? EXIT_FOUND : error ? EXIT_UNREADABLE : EXIT_RAN;
}

/* `path`: a folder, or NULL for evidence. */
static int verify_in(struct verify_context *c, const char *path)
{
    const struct known *keys = &c->known_keys, *witnesses = &c->known_witnesses;
    struct slice checkpoints[FILES_MAX];
    int status = read_named(&c->keys, KEY_FILE_MAX);
    if (status == 0) status = read_named(&c->witnesses, KEY_FILE_MAX);
    if (status == 0) status = read_named(&c->checkpoints, VERIFY_NOTE_MAX);
    if (status == 0) status = read_keys(&c->keys, &c->known_keys);
    if (status == 0) status = read_keys(&c->witnesses, &c->known_witnesses);
    bool in_folder = status == 0 && !c->evidence;
    int folder = in_folder ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (in_folder && folder < 0) {
        cli_say("%s: %s", path, strerror(errno));
        status = EXIT_UNREADABLE;
    }
    for (size_t i = 0; i < c->checkpoints.n; i++)
        checkpoints[i] = buf_slice(&c->checkpoints.texts[i]);
    buf_init(&c->findings, c->evidence ? EVIDENCE_MAX : OUTPUT_MAX / 2);
    if (status == 0 && c->evidence) status = evidence_and_tell(c);
    else if (status == 0)
        status = verify_and_tell(c, &(struct verify_options){.folder = folder,
                                                             .keys = keys->keys,
                                                             .n_keys = keys->n,
                                                             .witnesses = witnesses->keys,
                                                             .n_witnesses = witnesses->n,
                                                             .witnessed = checkpoints,
                                                             .n_witnessed = c->checkpoints.n,
                                                             .finding = on_finding,
                                                             .ctx = c});
    if (folder >= 0) (void)close(folder);
    buf_done(&c->findings);
    done_named(&c->keys);
    done_named(&c->witnesses);
    done_named(&c->checkpoints);
    return status;
}

static int verify_run(const struct invocation *in)
{
    struct verify_context *c = in->ctx;
    struct config config;
    const char *path;
    if (c->evidence)
        return in->n_operands ? cli_usage("verify wants one folder, or --evidence and none")
                              : verify_in(c, NULL);
    int status = settings_store(&c->settings, in, &config, &path);
    if (status == 0 && in->n_operands == 0 && c->keys.n == 0) {
        const char *key = settings_log_key(&config);
        status = key ? name_file(&c->keys, key) : EXIT_USAGE;
    }
    if (status == 0) status = verify_in(c, path);
    config_done(&config);
    return status;
}

const struct command command_verify = {
    .name = "verify",
    .operands = "[FOLDER]",
    .summary = "tell whether stored records are what was stored",
    .description =
        "Reads everything in the folder of a tenant, by default of the one that vaka serve keeps, "
        "computes the tree of its records anew, and "
        "compares it with each checkpoint that the log has signed. Tells the first place where "
        "something is wrong.\n\n"
        "The exit status is 0 when all is intact, 1 when bytes are damaged or nothing signed "
        "covers "
        "the records, 3 when what is there is not what was signed.\n\n"
        "Who can use the key of the log can write the past anew. Only checkpoints that a witness "
        "has signed, or copies that were kept elsewhere (--checkpoint), show that. The newest "
        "records, which no witness has seen, are counted.",
    .options = verify_options,
    .n_options = sizeof verify_options / sizeof verify_options[0],
    .ctx_size = sizeof(struct verify_context),
    .option = verify_option,
    .run = verify_run,
};
