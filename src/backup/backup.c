/* SPDX-License-Identifier: EUPL-1.2 */
#include "backup/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/time.h"
#include "state/db.h"
#include "state/state.h"
#include "store/journal.h"
#include "store/sealed.h"

enum { PATH_SIZE = 4096, FILE_MODE = 0640, MANIFEST_MAX = 4096 };

struct journal {
    uint64_t first, next; /* next: behind its last whole frame */
    int fd;
};

struct backup {
    const struct backup_options *options;
    struct copy_job top, tenant;
    struct journal *journals;
    size_t n_journals;
    struct state_snapshot *snapshot;
    struct backup_report report;
    struct diag *diag;
};

/* ---- journals ---------------------------------------------------------------------------- */

static bool has_journal(const struct backup *b, uint64_t first)
{
    for (size_t i = 0; i < b->n_journals; i++)
        if (b->journals[i].first == first) return true;
    return false;
}

/* Opened once: one that is removed meanwhile stays readable. */
static int hold_journal(void *ctx, const char *name)
{
    struct backup *b = ctx;
    uint64_t first;
    if (!journal_name_read(name, &first) || has_journal(b, first)) return 0;
    if (b->n_journals == BACKUP_JOURNALS_MAX)
        return diag_set(b->diag, ERR_LIMIT, NULL, 0, 0, "more than %d journals",
                        BACKUP_JOURNALS_MAX);
    int fd = openat(b->tenant.from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return 0;
    if (fd < 0) return copy_failed(b->diag, name);
    /* Else its name is gone, and it is being given back already (serve/release.h). */
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        (void)close(fd);
        return 0;
    }
    b->journals[b->n_journals++] = (struct journal){.first = first, .fd = fd};
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct journal *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Where its last whole frame ends: the writer may be at work behind that. */
static int find_end(struct journal *j, uint64_t *ret_end)
{
    struct store_io io = store_io_system(-1);
    struct journal_reader reader;
    struct journal_frame frame;
    uint64_t end = JOURNAL_DATA;
    int got, error = journal_reader_init(&reader, &io, j->fd, j->first);
    j->next = j->first;
    if (error) return error;
    while ((got = journal_reader_next(&reader, JOURNAL_ALL, &frame)) != 0) {
        if (got < 0 && got != ERR_CORRUPT) break;
        if (got < 0) continue;
        end = frame.end;
        j->next = frame.first + frame.batch.n;
    }
    journal_reader_done(&reader);
    *ret_end = end;
    return got;
}

/* The newest one to its last whole frame, the others as they are, damage and all. */
static int copy_journal(struct backup *b, struct journal *j, bool newest)
{
    char name[STORE_NAME_MAX + 1];
    uint64_t end;
    journal_name_write(name, j->first);
    int error = find_end(j, &end);
    if (error == ERR_CORRUPT && !newest) error = 0;
    if (error) return diag_set(b->diag, error, NULL, 0, 0, "%s: %s", name, error_text(error));
    if (fdatasync(j->fd) != 0) return copy_failed(b->diag, name);
    return copy_bytes(&b->tenant, j->fd, newest ? end : UINT64_MAX, name, FILE_MODE);
}

/*
 * A journal that is missing between two was sealed and matched meanwhile; when the database does
 * not know that yet, its records would never be matched by who goes on from the copy.
 */
static int check_gap(struct backup *b, size_t i)
{
    const struct journal *j = &b->journals[i], *before = i ? j - 1 : NULL;
    uint64_t from = before ? before->next : 0;
    bool damaged = before && before->next == before->first;
    if (j->first <= from || j->first <= b->report.matched || damaged) return 0;
    return diag_set(b->diag, ERR_STOPPED, NULL, 0, 0,
                    "a journal came and went while it was copied: try again");
}

static int copy_journals(struct backup *b)
{
    int error = 0;
    qsort(b->journals, b->n_journals, sizeof *b->journals, compare);
    for (size_t i = 0; i < b->n_journals && error == 0; i++) {
        error = copy_journal(b, &b->journals[i], i + 1 == b->n_journals);
        if (error == 0) error = check_gap(b, i);
    }
    if (b->n_journals) b->report.records = b->journals[b->n_journals - 1].next;
    return error;
}

/* ---- everything else of a tenant --------------------------------------------------------- */

static int copy_signed(void *ctx, const char *name)
{
    struct backup *b = ctx;
    bool is = strncmp(name, "checkpoint", 10) == 0 && !strchr(name, '.');
    return is ? copy_file(&b->tenant, name) : 0;
}

/* One that retention has removed meanwhile has left its footer. */
static int copy_segment(void *ctx, const char *name)
{
    struct backup *b = ctx;
    uint64_t number;
    if (!segment_name_read(name, "segment", &number)) return 0;
    int error = copy_sealed(&b->tenant, name);
    if (error != ERR_NOT_FOUND) return error;
    b->diag->message[0] = '\0';
    return 0;
}

/* What is left of segments and journals, and the tree of what is sealed. */
static int copy_rest(void *ctx, const char *name)
{
    static const char *const kinds[] = {"footer-", "tombstone-", "tree-", "damaged-"};
    struct backup *b = ctx;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(name, kinds[i], strlen(kinds[i])) == 0 && !strchr(name, '.'))
            return copy_file(&b->tenant, name);
    return 0;
}

static int take_snapshot(struct backup *b)
{
    char path[PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s/state/vaka.db", b->options->folder);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_LIMIT;
    return state_snapshot_open(path, &b->snapshot, &b->report.matched, b->diag);
}

/* Writes the file by write(ctx, its path) into that folder of the copy. */
static int copy_database(struct backup *b, const char *name, const char *file,
                         int (*write)(void *ctx, const char *path, struct diag *diag), void *ctx)
{
    char path[PATH_SIZE];
    struct copy_job folder;
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s/%s", b->options->to, name, file);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_LIMIT;
    int error = copy_folder(&b->top, name, &folder);
    if (error) return error;
    error = write(ctx, path, b->diag);
    if (error == 0 && fstatat(folder.to, file, &st, 0) == 0) {
        b->report.counts.files++;
        b->report.counts.bytes += (uint64_t)st.st_size;
    }
    return copy_folder_done(&folder, error);
}

static int write_state(void *ctx, const char *path, struct diag *diag)
{
    return state_snapshot_write(ctx, path, diag);
}

static int write_snapshot(struct backup *b)
{
    return copy_database(b, "state", "vaka.db", write_state, b->snapshot);
}

static int copy_tenant(struct backup *b)
{
    struct tree_range sealed;
    int error = copy_each(&b->tenant, copy_signed, b);
    if (error == 0) error = copy_each(&b->tenant, hold_journal, b);
    if (error == 0) error = take_snapshot(b);
    if (error == 0) error = copy_each(&b->tenant, hold_journal, b);
    if (error == 0) error = write_snapshot(b);
    if (error == 0) error = copy_journals(b);
    if (error == 0) error = copy_each(&b->tenant, copy_segment, b);
    if (error == 0) error = copy_each(&b->tenant, copy_rest, b);
    if (error) return error;
    struct store_io io = store_io_system(b->tenant.to);
    error = sealed_tree(&io, &sealed);
    if (error) return diag_set(b->diag, error, NULL, 0, 0, "segments: %s", error_text(error));
    if (sealed.end > b->report.records) b->report.records = sealed.end;
    return 0;
}

static int copy_store(struct backup *b)
{
    struct copy_job store;
    int error = copy_folder(&b->top, "store", &store);
    if (error) return error;
    error = copy_folder(&store, "0", &b->tenant);
    if (error == 0) error = copy_folder_done(&b->tenant, copy_tenant(b));
    for (size_t i = 0; i < b->n_journals; i++) (void)close(b->journals[i].fd);
    state_snapshot_close(b->snapshot);
    return copy_folder_done(&store, error);
}

static int copy_keys(struct backup *b)
{
    struct copy_job keys;
    int error = copy_folder(&b->top, "keys", &keys);
    return error ? error : copy_folder_done(&keys, copy_all(&keys, NULL));
}

/*
 * What was imported, and the audit log; nobody changes them meanwhile (library/library.h,
 * audit/audit.h).
 */
static int copy_library(struct backup *b, const char *name)
{
    struct copy_job library;
    if (faccessat(b->top.from, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    int error = copy_folder(&b->top, name, &library);
    if (error) return error;
    if (flock(library.from, LOCK_SH) != 0) error = copy_failed(b->diag, name);
    return copy_folder_done(&library, error ? error : copy_all(&library, NULL));
}

/*
 * How far clouds were fetched. Before the store, so that it says nothing of records that the copy
 * has not: what came after them is fetched again by who goes on from the copy.
 */
static int copy_pull(struct backup *b)
{
    struct copy_job pull;
    if (faccessat(b->top.from, "pull", F_OK, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    int error = copy_folder(&b->top, "pull", &pull);
    return error ? error : copy_folder_done(&pull, copy_all(&pull, NULL));
}

/*
 * What rules found in the past, so that it is not told again from the copy; before the store for
 * the same reason.
 */
static int copy_retro(struct backup *b)
{
    struct copy_job retro;
    if (faccessat(b->top.from, "retro/book", F_OK, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    int error = copy_folder(&b->top, "retro", &retro);
    return error ? error : copy_folder_done(&retro, copy_file(&retro, "book"));
}

static int copy_search(void *ctx, const char *name)
{
    /* One that is being written has another name at its end. */
    return slice_ends_with(slice_of(name), SLICE("~")) ? 0 : copy_file(ctx, name);
}

static int copy_searches(struct backup *b)
{
    struct copy_job searches;
    if (faccessat(b->top.from, "searches", F_OK, AT_SYMLINK_NOFOLLOW) != 0) return 0;
    int error = copy_folder(&b->top, "searches", &searches);
    return error ? error
                 : copy_folder_done(&searches, copy_each(&searches, copy_search, &searches));
}

static int write_database(void *ctx, const char *path, struct diag *diag)
{
    return db_copy(ctx, path, diag);
}

/* A database in a folder of its own, when it is there, as it is at some moment from now on. */
static int copy_other(struct backup *b, const char *name, const char *file)
{
    char path[PATH_SIZE];
    struct db *db;
    int n = snprintf(path, sizeof path, "%s/%s/%s", b->options->folder, name, file);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_LIMIT;
    if (access(path, F_OK) != 0) return 0;
    int error = db_open_reader(path, &db, b->diag);
    if (error) return error;
    error = copy_database(b, name, file, write_database, db);
    db_close(db);
    return error;
}

/* ---- the whole --------------------------------------------------------------------------- */

static int write_manifest(struct backup *b)
{
    struct buf text;
    buf_init(&text, MANIFEST_MAX);
    buf_putc(&text, '{');
    json_write_key(&text, "format");
    json_write_u64(&text, BACKUP_FORMAT);
    json_write_key(&text, "version");
    json_write_string(&text, slice_of(b->options->version));
    json_write_key(&text, "made");
    buf_putc(&text, '"');
    time_write_rfc3339(&text, b->options->now);
    buf_putc(&text, '"');
    json_write_key(&text, "records");
    json_write_u64(&text, b->report.records);
    json_write_key(&text, "matched");
    json_write_u64(&text, b->report.matched);
    buf_puts(&text, "}\n");
    int error = buf_error(&text);
    if (error == 0) error = copy_text(&b->top, buf_slice(&text), "backup", FILE_MODE);
    buf_done(&text);
    return error;
}

int backup_make(const struct backup_options *options, struct backup_report *ret, struct diag *diag)
{
    struct backup b = {.options = options, .diag = diag};
    diag->message[0] = '\0';
    b.journals = calloc(BACKUP_JOURNALS_MAX, sizeof *b.journals);
    if (!b.journals) return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "out of memory");
    b.top = (struct copy_job){.counts = &b.report.counts, .diag = diag, .to = -1};
    b.top.from = copy_open(options->folder, diag);
    int error = b.top.from < 0 ? b.top.from : 0;
    if (error == 0) b.top.to = copy_open_empty(options->to, diag);
    if (b.top.to < 0 && error == 0) error = b.top.to;
    if (error == 0) error = copy_keys(&b);
    if (error == 0) error = copy_library(&b, "rules");
    if (error == 0) error = copy_library(&b, "indicators");
    if (error == 0) error = copy_library(&b, "audit");
    if (error == 0) error = copy_pull(&b);
    if (error == 0) error = copy_retro(&b);
    if (error == 0) error = copy_searches(&b);
    if (error == 0) error = copy_other(&b, "accounts", "accounts.db");
    if (error == 0) error = copy_store(&b);
    /* What triage forgot as oncall had it is there then; what it has not is handed over again. */
    if (error == 0) error = copy_other(&b, "oncall", "oncall.db");
    if (error == 0) error = write_manifest(&b);
    if (error == 0 && fsync(b.top.to) != 0) error = copy_failed(diag, options->to);
    if (b.top.from >= 0) (void)close(b.top.from);
    if (b.top.to >= 0) (void)close(b.top.to);
    free(b.journals);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    if (error == 0) *ret = b.report;
    return error;
}
