/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/rules_library.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/json_write.h"

#include "cli/ask.h"

enum { OUT_MAX = 64 * 1024 * 1024 };

int rules_work_failed(const struct diag *diag, int error)
{
    if (diag->message[0]) cli_diag(diag, "");
    else cli_say("%s", error_text(error));
    return EXIT_UNREADABLE;
}

static int init(struct rules_work *w, const struct settings *settings, const char *folder,
                bool change)
{
    const struct clock clock = clock_system();
    struct diag diag = {0};
    *w = (struct rules_work){
        .library = {.folder = -1}, .who = settings_who(NULL), .now = clock_realtime(&clock)};
    buf_init(&w->out, OUT_MAX);
    int status = settings_load(settings, &w->config, NULL);
    if (status) return status;
    int error = ruleset_folder_path(&w->config, folder, w->path, &diag);
    if (error == 0) error = library_open(&w->library, w->path, change, &diag);
    if (error == 0) error = ruleset_read_placeholders(&w->config, &w->placeholders, &diag);
    return error ? rules_work_failed(&diag, error) : 0;
}

int rules_work_init(struct rules_work *w, const struct settings *settings, bool change)
{
    return init(w, settings, RULESET_RULES, change);
}

int rules_work_enter_folder(struct rules_work *w, const struct settings *settings,
                            const char *folder, bool change)
{
    struct diag diag = {0};
    int status = init(w, settings, folder, change);
    int error = status ? 0 : library_drop_root(&w->library, &diag);
    return error ? rules_work_failed(&diag, error) : status;
}

int rules_work_enter(struct rules_work *w, const struct settings *settings, bool change)
{
    return rules_work_enter_folder(w, settings, RULESET_RULES, change);
}

void rules_work_done(struct rules_work *w)
{
    placeholders_free(w->placeholders);
    library_close(&w->library);
    buf_done(&w->out);
    config_done(&w->config);
}

/* ---- versions ---------------------------------------------------------------------------- */

int rules_version_read(struct rules_work *w, const char *set, const char *version,
                       struct library_version *ret, struct diag *diag)
{
    return library_version_read(&w->library, w->placeholders, set, version, ret, diag);
}

bool rules_set_default(struct rules_work *w, struct library_name *ret)
{
    struct library_list sets;
    struct diag diag;
    if (library_sets(&w->library, &sets, &diag) != 0) return false;
    bool one = sets.n == 1;
    if (one) *ret = sets.items[0];
    for (uint32_t i = 0; i < sets.n && !one; i++) {
        one = strcmp(sets.items[i].text, RULES_SET_DEFAULT) == 0;
        if (one) *ret = sets.items[i];
    }
    library_list_done(&sets);
    return one;
}

/* ---- differences ----------------------------------------------------------------------- */

void rules_put_counts(struct buf *out, const struct differences *d)
{
    buf_printf(out,
               "%" PRIu32 " new, %" PRIu32 " removed, %" PRIu32 " with other logic, %" PRIu32
               " with other metadata, %" PRIu32 " unchanged; %" PRIu32 " switched on, %" PRIu32
               " off\n",
               d->counts[DIFFERENCE_NEW], d->counts[DIFFERENCE_REMOVED],
               d->counts[DIFFERENCE_LOGIC], d->counts[DIFFERENCE_METADATA], d->same, d->on, d->off);
}

/* ---- rules ------------------------------------------------------------------------------- */

static const struct catalog_rule *find_in(const struct catalog *c, struct slice id)
{
    for (uint32_t i = 0; i < c->n; i++) {
        const struct sigma_doc *doc = c->rules[i].doc;
        if (slice_eq_nocase(doc->id, id) || slice_eq_nocase(doc->title, id)) return &c->rules[i];
    }
    return NULL;
}

int rules_find(struct rules_work *w, const char *id, struct rules_found *ret, struct diag *diag)
{
    struct library_list sets;
    struct library_name current;
    int error = library_sets(&w->library, &sets, diag), found = 0;
    for (uint32_t i = 0; i < sets.n && error == 0 && !found; i++) {
        error = rules_version_read(w, sets.items[i].text, NULL, &ret->version, diag);
        if (error) break;
        ret->rule = find_in(&ret->version.catalog, slice_of(id));
        ret->current = library_current(&w->library, sets.items[i].text, &current);
        found = ret->rule != NULL;
        if (!found) library_version_done(&ret->version);
    }
    library_list_done(&sets);
    if (error || found) return error;
    return diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "no imported rule is called '%.80s'", id);
}

/* ---- vaka serve --------------------------------------------------------------------------- */

enum { LOOK_MS = 100, LOOKS_MAX = 600 };

static int ask(const struct rules_work *w, struct say_ask question,
               int (*answer)(void *ctx, const struct say_answer *answer), void *ctx,
               struct diag *diag)
{
    return client_ask(&(struct client_question){.socket = w->config.serve_socket.items[0],
                                                .ask = question,
                                                .answer = answer,
                                                .ctx = ctx},
                      diag);
}

/* The process that has the rules, and how many. */
struct matching {
    uint64_t pid, rules;
};

static int take_status(void *ctx, const struct say_answer *answer)
{
    struct matching *m = ctx;
    struct slice detect = json_member(json_member(answer->text, "processes"), "detect");
    m->pid = json_member_u64(detect, "pid");
    m->rules = json_member_u64(detect, "rules");
    return 0;
}

static int tell_answer(void *ctx, const struct say_answer *answer)
{
    (void)ctx;
    cli_say("these settings have changed and take effect when vaka serve is started again: %.*s",
            SLICE_FMT(answer->text));
    return 0;
}

/* New rules are another process: until it is there, those before are in force. */
static void await_rules(const struct rules_work *w, const struct matching *before)
{
    struct matching now = {0};
    struct diag diag;
    for (unsigned i = 0; i < LOOKS_MAX; i++) {
        if (ask(w, (struct say_ask){.what = ASK_STATUS}, take_status, &now, &diag) != 0) break;
        if (now.pid && now.pid != before->pid) {
            cli_say("vaka serve matches with %llu rules now", (unsigned long long)now.rules);
            return;
        }
        (void)usleep(LOOK_MS * 1000);
    }
    cli_say("vaka serve has not taken the rules; 'vaka alerts' may tell why");
}

void rules_reload(const struct rules_work *w)
{
    struct matching before = {0};
    struct diag diag = {0};
    int error = ask(w, (struct say_ask){.what = ASK_STATUS}, take_status, &before, &diag);
    if (error == 0) error = ask(w, (struct say_ask){.what = ASK_RELOAD}, tell_answer, NULL, &diag);
    if (error == ERR_NOT_FOUND)
        cli_say("vaka serve does not run: it reads them when it is started");
    else if (error)
        cli_say("vaka serve did not read them, say 'vaka reload': %s",
                diag.message[0] ? diag.message : error_text(error));
    else await_rules(w, &before);
}
