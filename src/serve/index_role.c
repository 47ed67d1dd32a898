/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that makes indexes of sealed segments (index/file.h), the newest first, so that
 * searches can pass blocks over: those of new segments, and all of them anew when records are read
 * otherwise than before. It gives way to everything else: it works for a part of one processor's
 * time, block by block, and not at all while matching does not keep up.
 *
 * It reads what others have sent. A segment over which it ends is begun anew; which one it works on
 * is in a file, so that it is left alone after TRIES times.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json_write.h"
#include "index/keeper.h"
#include "serve/role.h"

#define TRYING     "trying"
#define LOOK_EVERY (5 * NSEC_PER_SEC)
#define LAG_MOST   (2 * NSEC_PER_SEC)
enum { TRIES = 3, TRYING_MAX = 80 };

struct index_ctx {
    int store_fd, folder_fd;
    struct store_io store, folder;
    struct ruleset rules;
    struct slice fields[CELLS_FIELDS_MAX];
    struct index_maker *maker;
    struct index_keeper keeper;
    struct loop_timer work;
    bool making;
    uint64_t begin; /* of the segment at hand */
    nsec lag;       /* of matching */
    uint64_t made, made_bytes;
};

/* ---- what it ended over ------------------------------------------------------------------ */

static bool next_number(struct slice *rest, uint64_t *ret)
{
    struct slice word;
    (void)slice_split(*rest, ' ', &word, rest);
    return slice_to_u64(slice_trim(word), ret);
}

/* How often it began with this segment, in this version, and did not come to an end. */
static uint64_t tries_of(const struct index_ctx *c, uint64_t begin)
{
    char text[TRYING_MAX];
    uint64_t version, segment, tries;
    int file = c->folder.open(c->folder.ctx, TRYING, STORE_READ);
    if (file < 0) return 0;
    int64_t n = store_io_read(&c->folder, file, text, sizeof text, 0);
    c->folder.close(c->folder.ctx, file);
    struct slice rest = slice_make(text, n > 0 ? (size_t)n : 0);
    bool same = next_number(&rest, &version) && next_number(&rest, &segment) &&
                next_number(&rest, &tries) && version == c->keeper.version && segment == begin;
    return same ? tries : 0;
}

static int keep_tries(const struct index_ctx *c, uint64_t begin, uint64_t tries)
{
    char text[TRYING_MAX];
    int n = snprintf(text, sizeof text, "%llu %llu %llu\n", (unsigned long long)c->keeper.version,
                     (unsigned long long)begin, (unsigned long long)tries);
    return store_io_replace(&c->folder, TRYING, slice_make(text, (size_t)n));
}

/* ---- work -------------------------------------------------------------------------------- */

static void come_again(struct role *r, nsec wait)
{
    struct index_ctx *c = r->ctx;
    if (loop_timer_set(r->loop, &c->work, wait, 0) != 0) role_end(r, ERR_LIMIT);
}

/* It is not tried again before the next start. One that retention took is no failure. */
static void leave(struct role *r, int error)
{
    struct index_ctx *c = r->ctx;
    char text[160];
    c->making = false;
    index_unlock(c->folder_fd);
    index_keeper_note(&c->keeper, c->begin, INDEX_LEFT);
    if (error == ERR_NOT_FOUND) return;
    (void)snprintf(text, sizeof text, "segment %llu has no index, searches read all of it: %s",
                   (unsigned long long)c->begin, error_text(error));
    role_alarm(r, "index-failed", slice_of(text));
}

/* 1: a segment is at hand; 0: there is none, or another process makes one. */
static int choose(struct role *r)
{
    struct index_ctx *c = r->ctx;
    enum index_state state = INDEX_UNFIT;
    uint64_t bytes;
    int error = index_keeper_look(&c->keeper);
    if (error || !index_keeper_next(&c->keeper, &c->begin)) return error;
    if (index_lock(c->folder_fd, false) != 0) return 0;
    c->making = true;
    error = index_probe(&c->keeper, c->begin, false, &state, &bytes);
    if (error) return error;
    if (state == INDEX_CURRENT || state == INDEX_UNFIT) {
        c->making = false;
        index_unlock(c->folder_fd);
        index_keeper_note(&c->keeper, c->begin, state);
        return 1;
    }
    uint64_t tries = tries_of(c, c->begin);
    if (tries >= TRIES) error = ERR_CORRUPT;
    if (error == 0) error = keep_tries(c, c->begin, tries + 1);
    if (error == 0) error = index_maker_begin(c->maker, &c->store, c->begin);
    if (error == ERR_NOMEM) return error;
    if (error) leave(r, error);
    return 1;
}

static int finish(struct role *r)
{
    struct index_ctx *c = r->ctx;
    uint64_t bytes;
    int error = index_maker_finish(c->maker, &c->folder, &bytes);
    if (error == ERR_NOMEM) return error;
    if (error) {
        leave(r, error);
        return 0;
    }
    c->making = false;
    index_unlock(c->folder_fd);
    index_keeper_note(&c->keeper, c->begin, INDEX_CURRENT);
    c->made++;
    c->made_bytes += bytes;
    return 0;
}

/* One block. ERR_NOMEM is the end of the process. */
static int go_on(struct role *r)
{
    struct index_ctx *c = r->ctx;
    int more = index_maker_step(c->maker);
    if (more == 0) return finish(r);
    if (more < 0 && more != ERR_NOMEM) leave(r, more);
    return more == ERR_NOMEM ? more : 0;
}

static void work(void *ctx)
{
    struct role *r = ctx;
    struct index_ctx *c = r->ctx;
    nsec share = (nsec)r->config.index_share;
    nsec begun = clock_monotonic(&r->clock), rest = LOOK_EVERY;
    int there = 1, error = 0;
    if (c->lag > LAG_MOST || share == 0) {
        come_again(r, LOOK_EVERY);
        return;
    }
    if (!c->making) there = choose(r);
    else error = go_on(r);
    if (there < 0) error = there;
    if (error) {
        role_alarm(r, "index-failed", slice_of(error_text(error)));
        role_end(r, error);
        return;
    }
    /* So that it has its share of the time since it began. */
    nsec took = clock_monotonic(&r->clock) - begun;
    if (there) rest = took * (100 - share) / share + 1;
    come_again(r, rest < LOOK_EVERY ? rest : LOOK_EVERY);
}

/* ---- the role ---------------------------------------------------------------------------- */

static int index_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct index_ctx *c = r->ctx;
    struct say_pace m;
    if (peer != ROLE_STORE || frame->type != SAY_PACE || say_pace_read(frame->payload, &m) != 0)
        return ERR_CORRUPT;
    c->lag = m.waiting ? m.age : 0;
    return 0;
}

/* Nobody says any more how matching keeps up. */
static void index_lost(struct role *r, enum serve_role peer)
{
    struct index_ctx *c = r->ctx;
    (void)peer;
    c->lag = 0;
}

static int open_folder(const char *path, int *ret, struct diag *diag)
{
    *ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret < 0 ? diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(errno)) : 0;
}

static int index_prepare(struct role *r, struct diag *diag)
{
    struct index_ctx *c = r->ctx;
    const char *store = role_store_folder(r, diag);
    const char *folder = store ? role_make_folder(r, "store/0/" INDEX_FOLDER, diag) : NULL;
    if (!folder) return ERR_ACCESS;
    int error = open_folder(store, &c->store_fd, diag);
    if (error == 0) error = open_folder(folder, &c->folder_fd, diag);
    if (error == 0) error = ruleset_load_without_rules(&c->rules, &r->config, diag);
    uint32_t fields = cells_fields(c->fields);
    if (error == 0) error = index_maker_new(&c->rules, c->fields, fields, &c->maker);
    if (error) return error;
    role_keep_path(r, store);
    role_keep_folder(r, folder);
    (void)setpriority(PRIO_PROCESS, 0, NICE_INDEX);
    c->store = store_io_system(c->store_fd);
    c->folder = store_io_system(c->folder_fd);
    index_keeper_init(&c->keeper, &c->store, &c->folder, index_version(&c->rules));
    c->work = (struct loop_timer){.due = work, .ctx = r};
    return 0;
}

static int index_start(struct role *r)
{
    struct index_ctx *c = r->ctx;
    return loop_timer_set(r->loop, &c->work, NSEC_PER_SEC, 0);
}

static void index_status(struct role *r, struct buf *out)
{
    const struct index_ctx *c = r->ctx;
    uint64_t n[INDEX_STATES], all = 0;
    index_keeper_count(&c->keeper, n);
    for (unsigned i = 0; i < INDEX_STATES; i++) {
        json_write_member_u64(out, index_state_name(i), n[i]);
        all += n[i];
    }
    json_write_member_u64(out, "segments", all);
    json_write_member_u64(out, "made", c->made);
    json_write_member_u64(out, "made_bytes", c->made_bytes);
    json_write_member_u64(out, "paused", c->lag > LAG_MOST);
}

static void index_stop(struct role *r)
{
    struct index_ctx *c = r->ctx;
    loop_timer_stop(r->loop, &c->work);
    index_maker_free(c->maker);
    index_keeper_done(&c->keeper);
    ruleset_done(&c->rules);
    role_end(r, 0);
}

const struct role_ops role_index = {
    .ctx_size = sizeof(struct index_ctx),
    .prepare = index_prepare,
    .start = index_start,
    .lost = index_lost,
    .frame = index_frame,
    .status = index_status,
    .stop = index_stop,
};
