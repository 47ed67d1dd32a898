/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/relp.h"

enum { HEAD_MAX = 64, ANSWER_MAX = 4096 };

static void put_frame(struct relp_sender *s, const char *command, struct slice data,
                      struct buf *out)
{
    buf_printf(out, "%u %s %zu ", ++s->sent, command, data.len);
    buf_put(out, data);
    buf_putc(out, '\n');
}

void relp_sender_open(struct relp_sender *s, struct buf *out)
{
    *s = (struct relp_sender){0};
    put_frame(s, "open", SLICE("relp_version=0\nrelp_software=vaka\ncommands=syslog"), out);
}

void relp_sender_record(struct relp_sender *s, struct slice record, struct buf *out)
{
    put_frame(s, "syslog", record, out);
}

/* "TXNR rsp LENGTH 200 …": the bytes of the frame; 0: it is not whole; ERR_CORRUPT. */
static ssize_t read_frame(struct slice in, uint64_t expected)
{
    struct slice number, command, length, rest = in;
    uint64_t txnr, len;
    if (!slice_split(rest, ' ', &number, &rest) || !slice_split(rest, ' ', &command, &rest) ||
        !slice_split(rest, ' ', &length, &rest))
        return in.len > HEAD_MAX ? ERR_CORRUPT : 0;
    if (!slice_to_u64(number, &txnr) || txnr != expected || !slice_eq(command, SLICE("rsp")) ||
        !slice_to_u64(length, &len) || len > ANSWER_MAX)
        return ERR_CORRUPT;
    if (rest.len < len + 1) return 0;
    if (!slice_starts_with(rest, SLICE("200")) || rest.ptr[len] != '\n') return ERR_CORRUPT;
    return (ssize_t)((size_t)(rest.ptr - in.ptr) + len + 1);
}

int relp_sender_read(struct relp_sender *s, struct buf *in)
{
    while (in->len > 0) {
        ssize_t n = read_frame(buf_slice(in), s->answered + 1u);
        if (n <= 0) return (int)n;
        if (s->answered == s->sent) return ERR_CORRUPT;
        s->answered++;
        buf_consume(in, (size_t)n);
    }
    return 0;
}
