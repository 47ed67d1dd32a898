/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "proc/message.h"
#include "proc/worker.h"

enum {
    UNPACK_BEGIN = 1, /* → with the zip's descriptor */
    UNPACK_FILE = 2,  /* ← */
    UNPACK_LINK = 3,  /* ← a member that is no file */
    UNPACK_LARGE = 4, /* ← a member that is too large */
    UNPACK_END = 5,   /* ← */
    PAYLOAD_MAX = YAML_FILE_MAX + PACK_PATH_MAX + 1024,
    TEXT_MAX = YAML_FILE_MAX,
    PATH_SENT_MAX = PACK_PATH_MAX + 1, /* one more than a pack takes: it is the pack that refuses */
    PIECE = 64 * 1024,
};

#define UNPACK_BEGIN_FIELDS(F)
#define UNPACK_FILE_FIELDS(F) F(text, path) F(text, text)
#define UNPACK_ODD_FIELDS(F)  F(text, path)
#define UNPACK_END_FIELDS(F)  F(i64, error) F(text, text)

MESSAGE_DECLARE(unpack, begin, UNPACK_BEGIN_FIELDS)
MESSAGE_DECLARE(unpack, file, UNPACK_FILE_FIELDS)
MESSAGE_DECLARE(unpack, link, UNPACK_ODD_FIELDS)
MESSAGE_DECLARE(unpack, large, UNPACK_ODD_FIELDS)
MESSAGE_DECLARE(unpack, end, UNPACK_END_FIELDS)
MESSAGE_DEFINE(unpack, begin, UNPACK_BEGIN, TEXT_MAX, UNPACK_BEGIN_FIELDS)
MESSAGE_DEFINE(unpack, file, UNPACK_FILE, TEXT_MAX, UNPACK_FILE_FIELDS)
MESSAGE_DEFINE(unpack, link, UNPACK_LINK, TEXT_MAX, UNPACK_ODD_FIELDS)
MESSAGE_DEFINE(unpack, large, UNPACK_LARGE, TEXT_MAX, UNPACK_ODD_FIELDS)
MESSAGE_DEFINE(unpack, end, UNPACK_END, TEXT_MAX, UNPACK_END_FIELDS)

/* ---- the process ------------------------------------------------------------------------- */

struct unpacking {
    struct channel *channel;
    struct buf out, text;
    uint64_t bytes; /* that came out so far */
    uint32_t members;
    const char *why;
};

static int send_out(struct unpacking *u)
{
    int error = buf_error(&u->out);
    if (error == 0) error = channel_send(u->channel, buf_slice(&u->out), -1);
    buf_clear(&u->out);
    return error;
}

static int fail(struct unpacking *u, int error, const char *why)
{
    u->why = why;
    return error;
}

/* What the archive says of a size is not believed: what comes out is counted. */
static int read_text(struct unpacking *u, struct archive *a)
{
    buf_clear(&u->text);
    for (;;) {
        char *to = buf_reserve(&u->text, PIECE);
        if (!to) return buf_error(&u->text);
        la_ssize_t n = archive_read_data(a, to, PIECE);
        if (n == ARCHIVE_RETRY) continue;
        if (n < 0) {
            const char *why = archive_error_string(a);
            return fail(u, ERR_CORRUPT, why ? why : "the archive is damaged");
        }
        if (n == 0) return 0;
        u->text.len += (size_t)n;
        u->bytes += (uint64_t)n;
        if (u->bytes > PACK_BYTES_MAX)
            return fail(u, ERR_LIMIT, "it expands to more than the limit (a decompression bomb?)");
        if (u->text.len > YAML_FILE_MAX) return ERR_LIMIT;
    }
}

static int take_member(struct unpacking *u, struct archive *a, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    if (!name) return fail(u, ERR_CORRUPT, "a member has a name that cannot be read");
    struct slice path = slice_until(slice_of(name), PATH_SENT_MAX);
    if (++u->members > PACK_FILES_MAX) return fail(u, ERR_LIMIT, "it has too many members");
    bool folder = archive_entry_filetype(entry) == AE_IFDIR;
    if (folder && path.len > 1 && path.ptr[path.len - 1] == '/') path.len--;
    if (pack_path_wrong(path)) {
        /* For the pack to refuse, whatever it is. */
        unpack_file_write(&u->out, &(struct unpack_file){.path = path});
        return send_out(u);
    }
    if (folder) return 0;
    if (archive_entry_filetype(entry) != AE_IFREG) {
        unpack_link_write(&u->out, &(struct unpack_link){.path = path});
        return send_out(u);
    }
    if (!pack_wants(path)) return 0;
    int error = read_text(u, a);
    if (error == ERR_LIMIT && !u->why)
        unpack_large_write(&u->out, &(struct unpack_large){.path = path});
    else if (error) return error;
    else
        unpack_file_write(&u->out,
                          &(struct unpack_file){.path = path, .text = buf_slice(&u->text)});
    return send_out(u);
}

static int take_members(struct unpacking *u, struct archive *a)
{
    struct archive_entry *entry;
    int error = 0;
    while (error == 0) {
        int r = archive_read_next_header(a, &entry);
        if (r == ARCHIVE_EOF) break;
        if (r < ARCHIVE_WARN) {
            const char *why = archive_error_string(a);
            error = fail(u, ERR_CORRUPT, why ? why : "the archive is damaged");
        } else {
            error = take_member(u, a, entry);
        }
    }
    if (error == 0 && u->members == 0) error = fail(u, ERR_CORRUPT, "it is no zip, or is empty");
    return error;
}

static int unpack(struct unpacking *u, int fd)
{
    struct buf zip;
    struct diag diag = {0};
    buf_init(&zip, PACK_ZIP_MAX);
    int error = file_read_fd(fd, "zip", &zip, &diag);
    if (error == ERR_LIMIT) u->why = "the zip is too large";
    struct archive *a = archive_read_new();
    if (!a) error = ERR_NOMEM;
    if (error == 0 && (archive_read_support_format_zip(a) != ARCHIVE_OK ||
                       archive_read_open_memory(a, zip.ptr, zip.len) != ARCHIVE_OK))
        error = fail(u, ERR_CORRUPT, "it is neither a folder nor a zip");
    if (error == 0) error = take_members(u, a);
    unpack_end_write(&u->out,
                     &(struct unpack_end){.error = error,
                                          .text = slice_of(u->why ? u->why : error_text(error))});
    if (a) (void)archive_read_free(a);
    buf_done(&zip);
    return send_out(u);
}

static int unpack_run(void *ctx, struct channel *channel)
{
    struct unpacking u = {.channel = channel};
    struct frame frame;
    (void)ctx;
    buf_init(&u.out, 2 * PAYLOAD_MAX);
    buf_init(&u.text, YAML_FILE_MAX + 2 * PIECE);
    int got = 0;
    while (got == 0) {
        got = channel_next(channel, &frame);
        if (got == 0 && channel_fill(channel) != 0) return 1;
    }
    int fd = channel_take_fd(channel);
    return got == 1 && frame.type == UNPACK_BEGIN && fd >= 0 && unpack(&u, fd) == 0 ? 0 : 1;
}

/* ---- its parent -------------------------------------------------------------------------- */

static int take_frame(struct pack *p, const struct frame *f, bool *ret_end, struct diag *diag)
{
    struct unpack_file file;
    struct unpack_link link;
    struct unpack_large large;
    struct unpack_end end;
    if (f->type == UNPACK_FILE && unpack_file_read(f->payload, &file) == 0)
        return pack_add(p, file.path, file.text, diag);
    if (f->type == UNPACK_LINK && unpack_link_read(f->payload, &link) == 0)
        return pack_refuse(p, link.path, "it is a link, or no file");
    if (f->type == UNPACK_LARGE && unpack_large_read(f->payload, &large) == 0)
        return pack_refuse(p, large.path, "the file is too large");
    if (f->type != UNPACK_END || unpack_end_read(f->payload, &end) != 0) return ERR_CORRUPT;
    *ret_end = true;
    if (end.error == 0) return 0;
    return diag_set(diag, ERR_CORRUPT, NULL, 0, 0, "%.*s", (int)slice_until(end.text, 160).len,
                    end.text.ptr);
}

static int receive(struct pack *p, struct channel *channel, struct diag *diag)
{
    bool end = false;
    int error = 0;
    while (error == 0 && !end) {
        struct frame frame;
        int got = channel_next(channel, &frame);
        if (got == 1) error = take_frame(p, &frame, &end, diag);
        else if (got == 0) error = channel_fill(channel);
        else error = got;
    }
    if (error && !end && !diag->message[0])
        (void)diag_set(diag, ERR_CORRUPT, NULL, 0, 0, "the process that unpacks it ended: %s",
                       error_text(error));
    return error;
}

int unpack_zip(struct pack *p, int fd, int null_fd, struct diag *diag)
{
    struct worker worker = {0};
    struct buf out;
    struct rusage usage;
    buf_init(&out, 1024);
    int error = worker_start(&worker, &(struct worker_spec){.run = unpack_run,
                                                            .role = SANDBOX_DECODER,
                                                            .max_payload = PAYLOAD_MAX,
                                                            .null_fd = null_fd});
    unpack_begin_write(&out, &(struct unpack_begin){});
    if (error == 0) error = channel_send(&worker.channel, buf_slice(&out), fd);
    if (error == 0) error = receive(p, &worker.channel, diag);
    (void)worker_stop(&worker, true, &usage);
    buf_done(&out);
    return error;
}
