/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "collect/framing.h"
#include "collect/heading.h"

enum {
    FIRST_LINE_MAX = 1024, /* bytes of it that are hashed */
    TAIL_MAX = 256,        /* bytes before an offset that are hashed */
    READ_PIECE = 32 * 1024,
    SOURCE_MAX = 8192,
};

/* Where a file was left, and where the heading of the lines there begins. */
struct place {
    uint64_t device, inode, first_line, offset, tail, heading;
};

struct file {
    struct follow *follow;
    struct file *next;
    int fd;
    struct place place; /* offset: up to where it was read … */
    uint64_t safe;      /* … and up to where it is safe, */
    uint64_t safe_tail; /* with the hash of the bytes before that, */
    uint64_t safe_heading;
    struct heading heading; /* of the next line */
    bool known;             /* its first line was read */
    bool anew;              /* what was handed in is of an earlier life of it */
    bool seen;              /* by the running scan */
    bool gone, ended;       /* has no name any more; was read to its end then */
    nsec grew;              /* monotonic */
    struct framing framing;
    struct buf in, source, delivery;
    struct ledger_row *row;
    struct claimant claimant;
    struct in_line in_line;
    struct loop_deferred again;
    bool refused; /* begins again behind what is safe, at the next tick */
};

struct follow {
    struct core *core;
    struct follow_row row;
    struct file *first;
    uint32_t n;
    struct place *places; /* of the state that was handed in */
    uint32_t n_places;
    struct buf state;
    struct loop_deferred telling;
    bool scanned, stopped;
};

/* ---- places ------------------------------------------------------------------------------ */

/* The hash of the bytes [from, to) of a file. False: they cannot be read. */
static bool hash_range(int fd, uint64_t from, uint64_t to, uint64_t *ret)
{
    char bytes[FIRST_LINE_MAX];
    size_t len = (size_t)(to - from);
    ASSERT(from <= to && to - from <= sizeof bytes);
    if (len > 0 && pread(fd, bytes, len, (off_t)from) != (ssize_t)len) return false;
    *ret = hash64(slice_make(bytes, len));
    return true;
}

static bool hash_tail(int fd, uint64_t offset, uint64_t *ret)
{
    return hash_range(fd, offset > TAIL_MAX ? offset - TAIL_MAX : 0, offset, ret);
}

/* 1: it is there, 0: not whole yet; ERR_IO. */
static int hash_first_line(int fd, uint64_t *ret)
{
    char bytes[FIRST_LINE_MAX];
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    if (n < 0) return ERR_IO;
    size_t lf = slice_find_byte(slice_make(bytes, (size_t)n), '\n');
    if (lf == SIZE_MAX && n < (ssize_t)sizeof bytes) return 0;
    *ret = hash64(slice_until(slice_make(bytes, (size_t)n), lf));
    return 1;
}

static void has_changed(struct follow *f)
{
    loop_defer(f->core->loop, &f->telling);
}

static const struct place *place_of(const struct follow *f, const struct file *file)
{
    for (uint32_t i = 0; i < f->n_places; i++) {
        const struct place *p = &f->places[i];
        if (p->device == file->place.device && p->inode == file->place.inode &&
            p->first_line == file->place.first_line)
            return p;
    }
    return NULL;
}

/* The state: "device inode first-line offset tail heading" a line, decimal. */
static bool read_place(struct slice line, struct place *ret)
{
    uint64_t *const numbers[] = {&ret->device, &ret->inode, &ret->first_line,
                                 &ret->offset, &ret->tail,  &ret->heading};
    struct slice word;
    ret->heading = 0; /* before 0.3 there was none */
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (i == 5 && line.len == 0) break;
        (void)slice_split(line, ' ', &word, &line);
        if (!slice_to_u64(word, numbers[i])) return false;
    }
    return line.len == 0;
}

static int read_state(struct follow *f, struct slice state)
{
    struct slice line;
    if (state.len == 0) return 0;
    if (state.len > FOLLOW_STATE_MAX) return ERR_LIMIT;
    f->places = calloc(FOLLOW_FILES_MAX, sizeof *f->places);
    if (!f->places) return ERR_NOMEM;
    while (state.len > 0) {
        if (f->n_places == FOLLOW_FILES_MAX || !slice_split(state, '\n', &line, &state) ||
            !read_place(line, &f->places[f->n_places]))
            return ERR_INVALID;
        f->n_places++;
    }
    return 0;
}

static void tell_state(void *ctx)
{
    struct follow *f = ctx;
    buf_clear(&f->state);
    for (const struct file *i = f->first; i; i = i->next)
        if (i->known)
            buf_printf(&f->state, "%llu %llu %llu %llu %llu %llu\n",
                       (unsigned long long)i->place.device, (unsigned long long)i->place.inode,
                       (unsigned long long)i->place.first_line, (unsigned long long)i->safe,
                       (unsigned long long)i->safe_tail, (unsigned long long)i->safe_heading);
    const struct collect_out *out = &f->core->out;
    if (out->state && !buf_failed(&f->state))
        out->state(out->ctx, f->row.name, buf_slice(&f->state));
}

/* ---- one file ---------------------------------------------------------------------------- */

static void file_free(struct file *file)
{
    struct core *core = file->follow->core;
    loop_defer_cancel(core->loop, &file->again);
    outbox_leave_line(core->outbox, &file->in_line);
    outbox_forget(core->outbox, &file->claimant);
    if (file->fd >= 0) (void)close(file->fd);
    framing_protocol.done(&file->framing);
    heading_done(&file->heading);
    buf_done(&file->in);
    buf_done(&file->source);
    buf_done(&file->delivery);
    free(file);
}

/* From this offset on, which is the beginning of a line, below a heading that begins there. */
static void read_from(struct file *file, uint64_t offset, uint64_t heading)
{
    const struct protocol_limits limits = {file->follow->row.record_max, UINT32_MAX};
    outbox_forget(file->follow->core->outbox, &file->claimant);
    framing_protocol.init(&file->framing, &limits);
    file->framing.lines = true;
    buf_clear(&file->in);
    file->place.offset = file->safe = offset;
    heading_restore(&file->heading, file->fd, heading, offset);
    file->safe_heading = file->heading.at;
    if (!hash_tail(file->fd, offset, &file->safe_tail)) file->safe_tail = 0;
    file->place.tail = file->safe_tail;
    has_changed(file->follow);
}

/* Once its first line is there it gets its name, and a place to begin at. */
static bool become_known(struct file *file)
{
    struct follow *f = file->follow;
    struct stat st;
    if (file->known) return true;
    if (hash_first_line(file->fd, &file->place.first_line) != 1 || fstat(file->fd, &st) != 0)
        return false;
    file->known = true;
    buf_clear(&file->delivery);
    buf_printf(&file->delivery, "%llx:%llx:%016llx", (unsigned long long)file->place.device,
               (unsigned long long)file->place.inode, (unsigned long long)file->place.first_line);
    const struct place *p = file->anew ? NULL : place_of(f, file);
    uint64_t tail = 0;
    bool same = p && (uint64_t)st.st_size >= p->offset && hash_tail(file->fd, p->offset, &tail) &&
                tail == p->tail;
    read_from(file, same ? p->offset : 0, same ? p->heading : 0);
    return true;
}

/* Whether the bytes before the place are still those that were read. */
static bool is_the_same(const struct file *file)
{
    struct stat st;
    uint64_t tail;
    return fstat(file->fd, &st) == 0 && (uint64_t)st.st_size >= file->place.offset &&
           hash_tail(file->fd, file->place.offset, &tail) && tail == file->place.tail;
}

static void begin_anew(struct file *file)
{
    file->row->odd++;
    file->known = false;
    outbox_forget(file->follow->core->outbox, &file->claimant);
    file->anew = true;
}

/* A line of the file from `at` to `end`. */
static int add_line(struct file *file, const struct piece *piece, uint64_t at, uint64_t end)
{
    struct core *core = file->follow->core;
    struct heading *h = &file->heading;
    bool below = !heading_take(h, piece->raw, at) && h->text.len > 0;
    const struct record record = {.raw = piece->raw,
                                  .source = buf_slice(&file->source),
                                  .delivery = buf_slice(&file->delivery),
                                  .context = below ? buf_slice(&h->text) : SLICE_NONE,
                                  .received = clock_realtime(&core->clock),
                                  .ordinal = end,
                                  .format = below ? h->format : RECORD_TEXT,
                                  .flags = piece->flags};
    return outbox_add(core->outbox, file->follow->row.tenant, &record, file->row, &file->claimant);
}

static bool may_read(const struct file *file)
{
    const struct core *core = file->follow->core;
    return outbox_takes(core->outbox, file->row) && file->claimant.unacked < core->claimant_max;
}

/* Lines of what was read. False: no more of them may be taken now. */
static bool take_lines(struct file *file, size_t *share)
{
    struct slice rest = buf_slice(&file->in);
    uint64_t begin = file->place.offset - file->in.len;
    struct piece piece;
    size_t used;
    int r = 1;
    while (may_read(file) && *share > 0) {
        uint64_t at = begin + (file->in.len - rest.len);
        r = framing_protocol.next(&file->framing, rest, NULL, &used, &piece);
        rest = slice_from(rest, used);
        if (r == 0) break;
        if (add_line(file, &piece, at, at + used) != 0) {
            file->refused = true; /* it stays in the file */
            break;
        }
        *share = piece.raw.len < *share ? *share - piece.raw.len : 0;
    }
    buf_consume(&file->in, file->in.len - rest.len);
    return r == 0;
}

/* Bytes that were read; 0: none now. */
static size_t read_more(struct file *file)
{
    char *to = buf_reserve(&file->in, READ_PIECE);
    ssize_t n = to ? pread(file->fd, to, READ_PIECE, (off_t)file->place.offset) : 0;
    if (n <= 0) return 0;
    file->in.len += (size_t)n;
    file->place.offset += (uint64_t)n;
    file->grew = clock_monotonic(&file->follow->core->clock);
    if (!hash_tail(file->fd, file->place.offset, &file->place.tail)) file->place.tail = 0;
    return (size_t)n;
}

/* A line without LF at the end of a file that nobody writes to any more. */
static void end_file(struct file *file)
{
    struct piece piece;
    if (file->ended) return;
    file->ended = true;
    if (framing_protocol.finish(&file->framing, buf_slice(&file->in), &piece) == 1 &&
        add_line(file, &piece, file->place.offset - file->in.len, file->place.offset) != 0)
        file->refused = true;
    buf_clear(&file->in);
}

static void on_turn(void *ctx)
{
    struct file *file = ctx;
    size_t share = CORE_SHARE, n = 0;
    if (file->refused || file->ended || !become_known(file)) return;
    if (!is_the_same(file)) {
        begin_anew(file);
        if (!become_known(file)) return;
    }
    do {
        if (!take_lines(file, &share)) {
            if (file->refused) return;
            if (!outbox_takes(file->follow->core->outbox, file->row))
                outbox_stand_in_line(file->follow->core->outbox, &file->in_line, file->row);
            else if (share == 0) loop_defer(file->follow->core->loop, &file->again);
            return; /* or until its own records are safe */
        }
        n = read_more(file);
    } while (n > 0);
}

static void on_acked(void *ctx, uint64_t n, uint64_t last)
{
    struct file *file = ctx;
    struct follow *f = file->follow;
    (void)n;
    file->safe = last;
    if (file->heading.at < last) file->safe_heading = file->heading.at;
    if (!hash_tail(file->fd, last, &file->safe_tail)) file->safe_tail = 0;
    has_changed(f);
    if (!f->stopped && may_read(file)) loop_defer(f->core->loop, &file->again);
}

static void on_refused(void *ctx)
{
    struct file *file = ctx;
    file->refused = true;
    outbox_forget(file->follow->core->outbox, &file->claimant);
}

/* ---- looking for files ------------------------------------------------------------------- */

static bool is_packed(const char *path)
{
    static const char *const ends[] = {".gz", ".xz", ".zst", ".bz2", ".zip"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (slice_ends_with(slice_of(path), slice_of(ends[i]))) return true;
    return false;
}

static int introduce(struct file *file, const char *path)
{
    const struct record_source source = {
        .input = SLICE("file"), .listener = file->follow->row.name, .address = slice_of(path)};
    return core_source(file->follow->core, &source, &file->source, &file->row);
}

static struct file *file_new(struct follow *f, int fd, const struct stat *st, const char *path)
{
    struct file *file = f->n < FOLLOW_FILES_MAX ? calloc(1, sizeof *file) : NULL;
    if (!file) return NULL;
    file->follow = f;
    file->fd = fd;
    file->place.device = st->st_dev;
    file->place.inode = st->st_ino;
    file->grew = clock_monotonic(&f->core->clock);
    heading_init(&file->heading);
    buf_init(&file->in, protocol_input(f->row.record_max) + READ_PIECE);
    buf_init(&file->source, SOURCE_MAX);
    buf_init(&file->delivery, 64);
    file->claimant = (struct claimant){.acked = on_acked, .refused = on_refused, .ctx = file};
    file->in_line = (struct in_line){.resume = on_turn, .ctx = file};
    file->again = (struct loop_deferred){.call = on_turn, .ctx = file};
    if (introduce(file, path) != 0) {
        file->fd = -1; /* it stays the caller's */
        file_free(file);
        return NULL;
    }
    file->next = f->first;
    f->first = file;
    f->n++;
    return file;
}

static struct file *find_file(struct follow *f, const struct stat *st)
{
    for (struct file *i = f->first; i; i = i->next)
        if (i->place.device == st->st_dev && i->place.inode == st->st_ino) return i;
    return NULL;
}

static void look_at(struct follow *f, const char *path)
{
    struct stat st;
    if (is_packed(path) || lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) return;
    struct file *file = find_file(f, &st);
    if (!file) {
        int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) return;
        /* It may be another one by now. */
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !find_file(f, &st))
            file = file_new(f, fd, &st, path);
        if (!file) {
            (void)close(fd);
            return;
        }
        if (f->row.skip_existing && !f->scanned && become_known(file))
            read_from(file, (uint64_t)st.st_size, 0);
    }
    file->seen = true;
}

static void scan(struct follow *f)
{
    char pattern[PATH_MAX];
    glob_t found;
    for (struct file *i = f->first; i; i = i->next) i->seen = false;
    memcpy(pattern, f->row.pattern.ptr, f->row.pattern.len);
    pattern[f->row.pattern.len] = 0;
    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) look_at(f, found.gl_pathv[i]);
        globfree(&found);
    }
    f->scanned = true;
    for (struct file *i = f->first; i; i = i->next) i->gone = !i->seen;
}

/* Files that are gone, at their end, and safe. */
static void drop_gone(struct follow *f, nsec now)
{
    struct file **at = &f->first;
    while (*at) {
        struct file *file = *at;
        if (file->gone && now - file->grew > FOLLOW_GONE_TIME && may_read(file)) end_file(file);
        if (!file->ended || file->claimant.unacked > 0 || file->refused) {
            at = &file->next;
            continue;
        }
        *at = file->next;
        f->n--;
        has_changed(f);
        file_free(file);
    }
}

void follow_tick(struct follow *f)
{
    if (f->stopped) return;
    scan(f);
    for (struct file *i = f->first; i; i = i->next) {
        if (i->refused) {
            i->refused = i->ended = false;
            read_from(i, i->safe, i->safe_heading);
        }
        on_turn(i);
    }
    drop_gone(f, clock_monotonic(&f->core->clock));
}

int follow_new(struct core *core, const struct follow_row *row, struct follow **ret)
{
    if (row->pattern.len == 0 || row->pattern.len >= PATH_MAX || row->pattern.ptr[0] != '/' ||
        row->record_max > RECORD_MAX)
        return ERR_INVALID;
    struct follow *f = calloc(1, sizeof *f);
    if (!f) return ERR_NOMEM;
    f->core = core;
    f->row = *row;
    if (f->row.record_max == 0) f->row.record_max = 64 * 1024;
    if (row->state.len) f->row.skip_existing = false;
    buf_init(&f->state, FOLLOW_STATE_MAX);
    f->telling = (struct loop_deferred){.call = tell_state, .ctx = f};
    int error = read_state(f, row->state);
    f->row.state = SLICE_NONE;
    if (error) {
        follow_free(f);
        return error;
    }
    *ret = f;
    return 0;
}

void follow_stop(struct follow *f)
{
    f->stopped = true;
    for (struct file *i = f->first; i; i = i->next) {
        loop_defer_cancel(f->core->loop, &i->again);
        outbox_leave_line(f->core->outbox, &i->in_line);
    }
}

void follow_free(struct follow *f)
{
    struct file *next;
    if (!f) return;
    loop_defer_cancel(f->core->loop, &f->telling);
    for (struct file *i = f->first; i; i = next) {
        next = i->next;
        file_free(i);
    }
    free(f->places);
    buf_done(&f->state);
    free(f);
}
