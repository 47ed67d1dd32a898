/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * systemd's journal export format (systemd.io/JOURNAL_EXPORT_FORMATS): entries with a blank line
 * behind each, of fields that are either
 *
 *     NAME=value LF                       for text without line ends
 *     NAME LF u64 length (LE) data LF     for anything
 *
 * An entry is a record: its fields, without the blank line. The answer is that of
 * systemd-journal-remote. A field that is none costs its entry: what follows is read again behind
 * the next blank line.
 */
#include "base/le.h"
#include "unwrap/internal.h"

enum { NAME_MAX_LEN = 64 }; /* journal-fields: longer names are refused by systemd too */

void journal_answer(struct unwrap_answer *a, unsigned status, const char *text)
{
    a->status = status;
    a->content_type = "text/plain";
    buf_clear(&a->body);
    buf_printf(&a->body, "%s\n", text);
}

/* A-Z, 0-9 and _, no digit first. */
static size_t name_len(struct slice s)
{
    size_t n = 0;
    while (n < s.len && ((s.ptr[n] >= 'A' && s.ptr[n] <= 'Z') || s.ptr[n] == '_' ||
                         (n > 0 && s.ptr[n] >= '0' && s.ptr[n] <= '9')))
        n++;
    return n <= NAME_MAX_LEN ? n : 0;
}

/* The length of the field at the start of s with its LF, or ERR_SYNTAX, ERR_TRUNCATED. */
static int field_len(struct slice s, size_t *ret)
{
    size_t n = name_len(s);
    if (n == 0) return ERR_SYNTAX;
    if (n == s.len) return ERR_TRUNCATED;
    if (s.ptr[n] == '=') {
        size_t lf = slice_find_byte(slice_from(s, n), '\n');
        *ret = lf == SIZE_MAX ? s.len : n + lf + 1;
        return 0;
    }
    if (s.ptr[n] != '\n') return ERR_SYNTAX;
    struct slice data = slice_from(s, n + 1);
    if (data.len < 8) return ERR_TRUNCATED;
    uint64_t len = le64(data.ptr);
    if (len >= data.len - 8) return ERR_TRUNCATED;
    if (data.ptr[8 + len] != '\n') return ERR_SYNTAX;
    *ret = n + 1 + 8 + (size_t)len + 1;
    return 0;
}

/* The fields at the start of s up to a blank line; *ret_len is where they end, or what is wrong. */
static int entry_len(struct slice s, size_t *ret_len)
{
    size_t at = 0, n;
    int rc = 0;
    while (at < s.len && s.ptr[at] != '\n') {
        rc = field_len(slice_from(s, at), &n);
        if (rc != 0) break;
        at += n;
    }
    *ret_len = at;
    return rc;
}

static int take(struct job *j, struct slice entry)
{
    enum unwrap_reason reason;
    int rc = job_add(j, RECORD_JOURNAL, entry, SLICE_NONE, &reason);
    return rc == JOB_REFUSED ? 0 : rc;
}

int journal_unwrap(struct job *j)
{
    struct slice s = j->body;
    int rc = 0;
    while (rc == 0 && s.len) {
        size_t n;
        if (s.ptr[0] == '\n') {
            s = slice_from(s, 1);
            continue;
        }
        int error = entry_len(s, &n);
        if (error == 0) {
            rc = take(j, slice_until(s, n));
            s = slice_from(s, n);
            continue;
        }
        job_refuse(j, error == ERR_TRUNCATED ? UNWRAP_CUT_OFF : UNWRAP_BAD_LINE);
        size_t blank = slice_find(slice_from(s, n), SLICE("\n\n"));
        s = blank == SIZE_MAX ? SLICE_NONE : slice_from(s, n + blank + 2);
    }
    if (rc != 0) return rc;
    if (j->a->taken || job_refused(j) == 0) journal_answer(j->a, 202, "OK.");
    else journal_answer(j->a, 400, "no journal entry could be read");
    return 0;
}
