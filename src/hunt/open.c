/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/open.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <unistd.h>

struct opener {
    const struct open_input *in;
    const struct open_events *events;
    struct keys *keys;
    uint64_t position; /* bytes read from the file; reading twice counts twice */
    uint64_t bytes;    /* given to decoders */
    uint64_t expanded; /* came out of containers, used or not */
    uint64_t members;
    int stopped; /* a callback's refusal, or ERR_NOMEM */
};

/*
 * Bytes to be pulled: a file, or a member of an archive. `held` is what was read and not used yet;
 * it lies in `space`.
 */
struct stream {
    struct opener *opener;
    int fd;                  /* files */
    uint64_t offset;         /* files: of the next read */
    struct archive *archive; /* members */
    bool at_end;
    const char *why; /* reading failed */
    char *space;     /* OPEN_PIECE */
    struct slice held;
};

static bool stream_init(struct stream *s, struct opener *o, int fd, struct archive *archive)
{
    *s = (struct stream){.opener = o, .fd = fd, .archive = archive};
    s->space = malloc(OPEN_PIECE);
    if (!s->space) o->stopped = ERR_NOMEM;
    return s->space != NULL;
}

static void stream_done(struct stream *s)
{
    free(s->space);
}

static const char too_large[] = "expands to more than the limit (a decompression bomb?)";

/* Whether what comes out is still in proportion to the file. */
static bool count_expanded(struct opener *o, uint64_t n)
{
    o->expanded += n;
    uint64_t in = o->position;
    if (o->in->regular && in > o->in->size) in = o->in->size;
    if (o->expanded > OPEN_EXPANDED_MAX) return false;
    return o->expanded <= OPEN_RATIO_FROM || o->expanded / OPEN_RATIO_MAX <= in;
}

static size_t read_file(struct stream *s, char *dst, size_t size)
{
    struct opener *o = s->opener;
    ssize_t n;
    do n = o->in->regular ? pread(s->fd, dst, size, (off_t)s->offset) : read(s->fd, dst, size);
    while (n < 0 && errno == EINTR);
    if (n < 0) s->why = strerror(errno);
    if (n <= 0) {
        s->at_end = true;
        return 0;
    }
    s->offset += (uint64_t)n;
    o->position += (uint64_t)n;
    return (size_t)n;
}

static size_t read_member(struct stream *s, char *dst, size_t size)
{
    la_ssize_t n = archive_read_data(s->archive, dst, size);
    if (n == ARCHIVE_RETRY) n = archive_read_data(s->archive, dst, size);
    if (n < 0) {
        const char *why = archive_error_string(s->archive);
        s->why = why ? why : "damaged archive";
    }
    if (n <= 0) {
        s->at_end = true;
        return 0;
    }
    if (!count_expanded(s->opener, (uint64_t)n)) {
        s->why = too_large;
        s->at_end = true;
        return 0;
    }
    return (size_t)n;
}

/* Reads on until `want` bytes are held or the source ends; what is held must be used up first. */
static void stream_fill(struct stream *s, size_t want)
{
    size_t len = 0;
    while (len < want && !s->at_end) {
        char *dst = s->space + len;
        size_t room = OPEN_PIECE - len;
        len += s->archive ? read_member(s, dst, room) : read_file(s, dst, room);
    }
    s->held = slice_make(s->space, len);
}

static int on_progress(struct opener *o)
{
    if (!o->stopped) o->stopped = o->events->progress(o->events->ctx, o->position, o->bytes);
    return o->stopped;
}

static void unreadable(struct opener *o, struct slice name, const char *why)
{
    o->events->unreadable(o->events->ctx, name, slice_of(why));
}

/* ---- logs -------------------------------------------------------------------------------- */

static int feed_emit(void *ctx, struct event *ev)
{
    struct opener *o = ctx;
    if (!o->stopped) o->stopped = o->events->emit(o->events->ctx, ev);
    return o->stopped;
}

static void feed_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct opener *o = ctx;
    o->events->bad(o->events->ctx, offset, record, reason);
}

static struct decoder *log_open(struct opener *o, const struct decoder_ops *ops, struct slice name)
{
    struct decoder_out out = {.ctx = o, .emit = feed_emit, .bad = feed_bad};
    struct decoder *d = ops->open(&out, o->keys);
    if (!d) o->stopped = ERR_NOMEM;
    else o->events->begin(o->events->ctx, name, ops);
    return d;
}

static int log_feed(struct opener *o, struct decoder *d, struct slice data)
{
    o->bytes += data.len;
    int result = d->ops->feed(d, data);
    if (result == 0 || o->stopped) result = on_progress(o);
    return result;
}

/* `result`: of the last feed. */
static void log_close(struct opener *o, struct decoder *d, int result, struct slice name,
                      const char *why)
{
    if (result == 0) result = d->ops->finish(d);
    if (o->stopped == 0 && result == ERR_NOMEM) o->stopped = ERR_NOMEM;
    if (o->stopped == 0 && result != 0) why = error_text(result);
    d->ops->close(d);
    if (o->stopped == 0 && why) unreadable(o, name, why);
    o->events->end(o->events->ctx);
}

static void read_log(struct stream *s, const struct decoder_ops *ops, struct slice name)
{
    struct opener *o = s->opener;
    struct decoder *d = log_open(o, ops, name);
    if (!d) return;
    int result = 0;
    while (result == 0 && s->held.len > 0) {
        result = log_feed(o, d, s->held);
        s->held = SLICE_NONE;
        if (result == 0) stream_fill(s, 1);
    }
    log_close(o, d, result, name, s->why);
}

/* ---- containers -------------------------------------------------------------------------- */

enum { TAR_BLOCK = 512, TAR_CHECKSUM_AT = 148, TAR_CHECKSUM_LEN = 8 };

/* POSIX ustar: the sum of the header's bytes, its own field taken as blanks, in octal. */
static bool is_tar(struct slice head)
{
    if (head.len < TAR_BLOCK || head.ptr[0] == '\0') return false;
    unsigned long sum = 0, said = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        bool own = i >= TAR_CHECKSUM_AT && i < TAR_CHECKSUM_AT + TAR_CHECKSUM_LEN;
        sum += own ? ' ' : (unsigned char)head.ptr[i];
    }
    size_t i = TAR_CHECKSUM_AT, digits = 0;
    while (i < TAR_CHECKSUM_AT + TAR_CHECKSUM_LEN && head.ptr[i] == ' ') i++;
    for (; i < TAR_CHECKSUM_AT + TAR_CHECKSUM_LEN; i++, digits++) {
        if (head.ptr[i] < '0' || head.ptr[i] > '7') break;
        said = said * 8 + (unsigned long)(head.ptr[i] - '0');
    }
    return digits > 0 && said == sum;
}

/* What is around something; by its first bytes. */
enum container {
    CONTAINER_NONE,
    CONTAINER_GZIP,
    CONTAINER_ZSTD,
    CONTAINER_XZ,
    CONTAINER_ZIP,
    CONTAINER_TAR
};

static enum container container_kind(struct slice head)
{
    static const struct {
        struct slice magic;
        enum container kind;
    } kinds[] = {
        {{"\x1f\x8b", 2}, CONTAINER_GZIP},         /* RFC 1952 */
        {{"\x28\xb5\x2f\xfd", 4}, CONTAINER_ZSTD}, /* RFC 8878 */
        {{"\xfd"
          "7zXZ\0",
          6},
         CONTAINER_XZ},
        {{"PK\3\4", 4}, CONTAINER_ZIP}, /* APPNOTE 4.3.7 */
        {{"PK\5\6", 4}, CONTAINER_ZIP}, /* without members, 4.3.16 */
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_starts_with(head, kinds[i].magic)) return kinds[i].kind;
    return is_tar(head) ? CONTAINER_TAR : CONTAINER_NONE;
}

enum {
    XZ_HEADER = 12,
    XZ_FLAGS_HAVE_SIZES = 0xc0,
    XZ_FILTERS = 3,
    XZ_LZMA2 = 0x21,
    XZ_DICT_BITS = 40,
};

static size_t xz_skip_number(struct slice s, size_t at)
{
    while (at < s.len && ((unsigned char)s.ptr[at] & 0x80)) at++;
    return at + 1;
}

/*
 * The dictionary that an xz file's first block asks for (xz file format 1.1.0, 3.1 and 5.3.1): a
 * block header holds flags, two optional sizes, then filters as (id, size of properties,
 * properties); LZMA2 comes last and has one byte of properties. 0 when it is not understood.
 */
static uint64_t xz_dictionary(struct slice head)
{
    if (!slice_starts_with(head, (struct slice){"\xfd"
                                                "7zXZ\0",
                                                6}) ||
        head.len < XZ_HEADER + 2)
        return 0;
    struct slice block = slice_make(head.ptr + XZ_HEADER, head.len - XZ_HEADER);
    block = slice_until(block, ((size_t)(unsigned char)block.ptr[0] + 1) * 4);
    if (block.len < 2 || !block.ptr) return 0;
    unsigned flags = (unsigned char)block.ptr[1];
    size_t at = 2;
    for (unsigned bit = 0x40; bit & XZ_FLAGS_HAVE_SIZES; bit <<= 1)
        if (flags & bit) at = xz_skip_number(block, at);
    for (unsigned filter = 0; filter <= (flags & XZ_FILTERS); filter++) {
        if (block.len < 3 || at > block.len - 3) return 0;
        unsigned id = (unsigned char)block.ptr[at], size = (unsigned char)block.ptr[at + 1];
        unsigned bits = (unsigned char)block.ptr[at + 2];
        if (id != XZ_LZMA2) {
            at += 2 + (size_t)size;
            continue;
        }
        if (bits > XZ_DICT_BITS) return UINT64_MAX;
        return bits == XZ_DICT_BITS ? UINT32_MAX : (uint64_t)(2 | (bits & 1)) << (bits / 2 + 11);
    }
    return 0;
}

static la_ssize_t archive_pull(struct archive *a, void *ctx, const void **ret)
{
    struct stream *s = ctx;
    if (s->held.len == 0) stream_fill(s, 1);
    struct slice piece = s->held;
    s->held = SLICE_NONE;
    *ret = s->space;
    if (piece.len == 0 && s->why) {
        archive_set_error(a, EIO, "%s", s->why);
        return -1;
    }
    if (piece.len > 0 && on_progress(s->opener)) {
        archive_set_error(a, EIO, "stopped");
        return -1;
    }
    return (la_ssize_t)piece.len;
}

static la_int64_t archive_seek(struct archive *a, void *ctx, la_int64_t offset, int whence)
{
    struct stream *s = ctx;
    int64_t base = 0;
    if (whence == SEEK_END) base = (int64_t)s->opener->in->size;
    if (whence == SEEK_CUR) base = (int64_t)(s->offset - s->held.len);
    if (__builtin_add_overflow(base, offset, &base) || base < 0) {
        archive_set_error(a, EIO, "damaged archive: an offset outside of it");
        return ARCHIVE_FATAL;
    }
    s->held = SLICE_NONE;
    s->at_end = false;
    s->offset = (uint64_t)base;
    return base;
}

/*
 * Only what was recognised, so that nothing is around a log that was not counted: left to bid,
 * libarchive would stack up to 25 filters.
 */
static bool archive_support(struct archive *a, enum container kind, bool seekable)
{
    static const int filters[] = {[CONTAINER_GZIP] = ARCHIVE_FILTER_GZIP,
                                  [CONTAINER_ZSTD] = ARCHIVE_FILTER_ZSTD,
                                  [CONTAINER_XZ] = ARCHIVE_FILTER_XZ};
    if (kind == CONTAINER_ZIP)
        return (seekable ? archive_read_support_format_zip(a)
                         : archive_read_support_format_zip_streamable(a)) == ARCHIVE_OK;
    if (kind == CONTAINER_TAR) return archive_read_support_format_tar(a) == ARCHIVE_OK;
    return archive_read_append_filter(a, filters[kind]) == ARCHIVE_OK &&
           archive_read_support_format_zip_streamable(a) == ARCHIVE_OK &&
           archive_read_support_format_tar(a) == ARCHIVE_OK &&
           archive_read_support_format_empty(a) == ARCHIVE_OK &&
           archive_read_support_format_raw(a) == ARCHIVE_OK;
}

static struct archive *archive_begin(struct stream *s)
{
    struct archive *a = archive_read_new();
    if (!a) return NULL;
    bool seekable = !s->archive && s->opener->in->regular;
    if (!archive_support(a, container_kind(s->held), seekable) ||
        archive_read_set_read_callback(a, archive_pull) != ARCHIVE_OK ||
        archive_read_set_callback_data(a, s) != ARCHIVE_OK ||
        (seekable && archive_read_set_seek_callback(a, archive_seek) != ARCHIVE_OK)) {
        (void)archive_read_free(a);
        return NULL;
    }
    return a;
}

static void read_stream(struct stream *s, struct slice name, unsigned depth);

/* "outer!member"; the single content of a bare compressed file has its file's name. */
static struct slice member_name(struct opener *o, struct buf *space, struct slice outer,
                                struct archive *a, struct archive_entry *entry)
{
    if (archive_format(a) == ARCHIVE_FORMAT_RAW) return outer;
    const char *path = archive_entry_pathname_utf8(entry);
    if (!path) path = archive_entry_pathname(entry);
    buf_clear(space);
    buf_put(space, slice_until(outer, OPEN_NAME_MAX));
    buf_putc(space, '!');
    if (path) buf_put(space, slice_until(slice_of(path), OPEN_NAME_MAX));
    else buf_printf(space, "member %llu", (unsigned long long)o->members);
    return buf_failed(space) ? outer : buf_slice(space);
}

/* One member: what it is, then what it holds; the rest is pulled here, so that it is counted. */
static void read_member_of(struct opener *o, struct archive *a, struct slice name, unsigned depth)
{
    struct stream member;
    if (!stream_init(&member, o, -1, a)) return;
    stream_fill(&member, OPEN_HEAD);
    read_stream(&member, name, depth);
    while (!o->stopped && !member.at_end) stream_fill(&member, 1);
    stream_done(&member);
}

static const char unknown_format[] = "not a log format I know";

/* Why an archive without members is none; NULL: it is one. */
static const char *why_hollow(struct archive *a)
{
    int format = archive_format(a) & ARCHIVE_FORMAT_BASE_MASK;
    /* libarchive takes anything that begins with 512 NULs for the end of a tar … */
    if (format == ARCHIVE_FORMAT_TAR) return unknown_format;
    /* … and gzip's header, when it has no end, for nothing at all. */
    bool skipped = format == ARCHIVE_FORMAT_EMPTY && archive_filter_bytes(a, -1) == 0;
    return skipped ? "damaged archive" : NULL;
}

static void read_container(struct stream *s, struct slice name, unsigned depth)
{
    struct opener *o = s->opener;
    if (xz_dictionary(s->held) > OPEN_XZ_DICT_MAX) {
        unreadable(o, name, "asks for too much memory (its xz dictionary is above 64 MiB)");
        return;
    }
    struct archive *a = archive_begin(s);
    struct archive_entry *entry;
    if (!a) {
        o->stopped = ERR_NOMEM;
        return;
    }
    struct buf space;
    buf_init(&space, 2 * OPEN_NAME_MAX + 64);
    uint64_t before = o->members;
    int r = archive_read_open1(a);
    /* A filter that fails at once looks like an empty file to the formats. */
    if (r == ARCHIVE_OK && archive_errno(a) != 0) r = ARCHIVE_FATAL;
    while (r >= ARCHIVE_WARN && r != ARCHIVE_EOF && !o->stopped) {
        r = archive_read_next_header(a, &entry);
        if (r < ARCHIVE_WARN || r == ARCHIVE_EOF) break;
        if (++o->members > OPEN_MEMBERS_MAX) {
            unreadable(o, name, "has too many members");
            break;
        }
        bool raw = archive_format(a) == ARCHIVE_FORMAT_RAW;
        if (!raw && archive_entry_filetype(entry) != AE_IFREG) continue;
        read_member_of(o, a, member_name(o, &space, name, a, entry), depth + 1);
        if (o->expanded > OPEN_RATIO_FROM && !count_expanded(o, 0)) r = ARCHIVE_EOF;
    }
    const char *why = o->members == before ? why_hollow(a) : NULL;
    if (r < ARCHIVE_WARN)
        why = archive_error_string(a) ? archive_error_string(a) : "damaged archive";
    if (why && !o->stopped) unreadable(o, name, why);
    buf_done(&space);
    (void)archive_read_free(a);
}

/* `s` holds at least OPEN_HEAD bytes, or all there is. */
static void read_stream(struct stream *s, struct slice name, unsigned depth)
{
    struct opener *o = s->opener;
    struct slice head = s->held;
    if (head.len == 0) {
        if (s->why) unreadable(o, name, s->why);
        return;
    }
    if (container_kind(head) != CONTAINER_NONE) {
        if (depth < OPEN_DEPTH_MAX) read_container(s, name, depth);
        else unreadable(o, name, "archives are nested too deeply");
        return;
    }
    const struct decoder_ops *ops = decoder_sniff(slice_until(head, 64 * 1024), s->at_end);
    if (ops) read_log(s, ops, name);
    else unreadable(o, name, s->why ? s->why : unknown_format);
}

int open_file(const struct open_input *in, struct keys *keys, const struct open_events *events,
              uint64_t split_from, struct open_split *ret_split)
{
    struct opener o = {.in = in, .events = events, .keys = keys};
    struct stream s;
    *ret_split = (struct open_split){.cut = CUT_NONE};
    if (!stream_init(&s, &o, in->fd, NULL)) return o.stopped;
    stream_fill(&s, OPEN_HEAD);
    if (split_from > 0 && in->regular && in->size >= split_from &&
        container_kind(s.held) == CONTAINER_NONE) {
        const struct decoder_ops *ops = decoder_sniff(slice_until(s.held, 64 * 1024), s.at_end);
        if (ops) *ret_split = (struct open_split){cut_kind(slice_of(ops->name), s.held), ops};
    }
    if (ret_split->cut == CUT_NONE) read_stream(&s, in->name, 0);
    stream_done(&s);
    return o.stopped;
}

/* Finds the part of one piece that belongs to the range. */
struct range {
    enum cut cut;
    uint64_t begin, end;
    bool started, finished;
};

/*
 * data[0] is at `offset` of the file and the first `known` bytes were seen with the piece before.
 * Returns what is to be decoded of the rest.
 */
static struct slice range_part(struct range *r, struct slice data, uint64_t offset, size_t known)
{
    size_t from = known;
    if (!r->started) {
        size_t look = r->begin > offset ? (size_t)(r->begin - offset) : 0;
        if (look < CUT_BEFORE) look = CUT_BEFORE;
        from = cut_find(r->cut, data, look);
        bool past = from == SIZE_MAX ? offset + data.len > r->end : offset + from >= r->end;
        if (past) r->finished = true;
        if (past || from == SIZE_MAX) return SLICE_NONE;
        r->started = true;
    }
    size_t until = data.len;
    if (offset + data.len > r->end) {
        size_t look = r->end > offset ? (size_t)(r->end - offset) : 0;
        if (look < CUT_BEFORE) look = CUT_BEFORE;
        size_t cut = cut_find(r->cut, data, look);
        if (cut != SIZE_MAX) {
            until = cut;
            r->finished = true;
        }
    }
    return slice_make(data.ptr + from, until > from ? until - from : 0);
}

int open_range(const struct open_input *in, struct keys *keys, const struct open_events *events,
               const struct open_split *split, uint64_t begin, uint64_t end)
{
    struct opener o = {.in = in, .events = events, .keys = keys};
    struct range range = {.cut = split->cut, .begin = begin, .end = end, .started = begin == 0};
    struct stream s;
    if (!stream_init(&s, &o, in->fd, NULL)) return o.stopped;
    struct decoder *d = log_open(&o, split->ops, in->name);
    int result = d ? 0 : ERR_NOMEM;
    /* The bytes before a position decide whether it is a cut, so the last ones are kept. */
    size_t known = 0;
    s.offset = begin > CUT_BEFORE ? begin - CUT_BEFORE : 0;
    while (result == 0 && !range.finished) {
        size_t n = read_file(&s, s.space + known, OPEN_PIECE - known);
        if (n == 0) break;
        struct slice data = slice_make(s.space, known + n);
        uint64_t offset = s.offset - data.len;
        struct slice part = range_part(&range, data, offset, known);
        if (part.len > 0) result = log_feed(&o, d, part);
        known = data.len < CUT_BEFORE ? data.len : CUT_BEFORE;
        memmove(s.space, data.ptr + data.len - known, known);
    }
    if (d) log_close(&o, d, result, in->name, s.why);
    stream_done(&s);
    return o.stopped;
}
