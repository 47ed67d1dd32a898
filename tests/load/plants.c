/* SPDX-License-Identifier: EUPL-1.2 */
#include "plants.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 16 * 1024 * 1024, PIECE = 64 * 1024 };

struct plants *plants_new(void)
{
    struct plants *p = calloc(1, sizeof *p);
    if (p) buf_init(&p->in, LINE_MAX_BYTES);
    return p;
}

void plants_free(struct plants *p)
{
    if (!p) return;
    buf_done(&p->in);
    free(p);
}

void plants_sent(struct plants *p, uint32_t number, nsec now)
{
    p->sent[number] = now;
}

static void take_line(struct plants *p, struct slice line, nsec now)
{
    static const struct slice mark = SLICE("plant-");
    size_t at = slice_find(line, mark);
    uint64_t number;
    if (at == SIZE_MAX) return;
    struct slice digits = slice_from(line, at + mark.len);
    for (digits.len = 0; digits.ptr[digits.len] >= '0' && digits.ptr[digits.len] <= '9';)
        digits.len++;
    if (!slice_to_u64(digits, &number) || number >= p->n || p->sent[number] <= 0) return;
    if (p->sent[number] >= p->warm_at) histogram_add(&p->latency, now - p->sent[number], 1);
    p->sent[number] = -1;
    p->latest = now;
    p->seen++;
}

void plants_read(struct plants *p, int fd, nsec now)
{
    char *to = buf_reserve(&p->in, PIECE);
    ssize_t n = to ? read(fd, to, PIECE) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        p->ended = true;
        return;
    }
    p->in.len += (size_t)n;
    struct slice rest = buf_slice(&p->in), line;
    /* What is behind the last line feed stays. */
    for (size_t end; (end = slice_find_byte(rest, '\n')) != SIZE_MAX;) {
        line = slice_until(rest, end + 1);
        take_line(p, line, now);
        rest = slice_from(rest, end + 1);
    }
    buf_consume(&p->in, p->in.len - rest.len);
}
