/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/lines.h"

#include <stdlib.h>

struct text {
    struct slice *lines;
    uint32_t n;
};

/* What is to be told of a line. */
struct step {
    char mark; /* - + or blank */
    struct slice line;
};

static int split(struct slice s, struct text *ret)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.len; i++) n += s.ptr[i] == '\n';
    ret->lines = calloc(n + 1u, sizeof *ret->lines);
    ret->n = 0;
    if (!ret->lines) return ERR_NOMEM;
    while (s.len > 0) (void)slice_split(s, '\n', &ret->lines[ret->n++], &s);
    return 0;
}

/* length[i][k]: of the longest common subsequence of the lines of a from i and of b from k on. */
static void measure(const struct text *a, const struct text *b, uint16_t *length)
{
    size_t width = b->n + 1u;
    for (uint32_t i = a->n; i-- > 0;)
        for (uint32_t k = b->n; k-- > 0;) {
            uint16_t down = length[(i + 1) * width + k], right = length[i * width + k + 1];
            uint16_t both = (uint16_t)(length[(i + 1) * width + k + 1] + 1);
            length[i * width + k] = slice_eq(a->lines[i], b->lines[k]) ? both
                                    : down > right                     ? down
                                                                       : right;
        }
}

/* The middle of both texts, where they differ. */
static int walk(const struct text *a, const struct text *b, struct step *steps, uint32_t *n)
{
    size_t width = b->n + 1u;
    uint16_t *length = calloc((a->n + 1u) * width, sizeof *length);
    uint32_t i = 0, k = 0;
    if (!length) return ERR_NOMEM;
    measure(a, b, length);
    while (i < a->n || k < b->n) {
        bool same = i < a->n && k < b->n && slice_eq(a->lines[i], b->lines[k]);
        bool old =
            k == b->n || (i < a->n && length[(i + 1) * width + k] >= length[i * width + k + 1]);
        if (same) {
            steps[(*n)++] = (struct step){' ', a->lines[i]};
            i++;
            k++;
        } else if (old) {
            steps[(*n)++] = (struct step){'-', a->lines[i++]};
        } else {
            steps[(*n)++] = (struct step){'+', b->lines[k++]};
        }
    }
    free(length);
    return 0;
}

/* Whether a change is at most LINES_CONTEXT lines away. */
static bool is_near(const struct step *steps, uint32_t n, uint32_t at)
{
    uint32_t from = at > LINES_CONTEXT ? at - LINES_CONTEXT : 0;
    for (uint32_t i = from; i < n && i <= at + LINES_CONTEXT; i++)
        if (steps[i].mark != ' ') return true;
    return false;
}

static void write_steps(struct buf *out, const char *indent, const struct step *steps, uint32_t n)
{
    bool gap = false, any = false;
    for (uint32_t i = 0; i < n; i++) {
        if (!is_near(steps, n, i)) {
            gap = any;
            continue;
        }
        if (gap) buf_printf(out, "%s...\n", indent);
        gap = false;
        any = true;
        buf_printf(out, "%s%c ", indent, steps[i].mark);
        buf_put(out, steps[i].line);
        buf_putc(out, '\n');
    }
}

/* Lines that both begin or end with need no measuring. */
static int compare(struct buf *out, const char *indent, const struct text *a, const struct text *b)
{
    uint32_t least = a->n < b->n ? a->n : b->n, head = 0, tail = 0, n = 0;
    while (head < least && slice_eq(a->lines[head], b->lines[head])) head++;
    while (tail < least - head && slice_eq(a->lines[a->n - 1 - tail], b->lines[b->n - 1 - tail]))
        tail++;
    const struct text old = {a->lines + head, a->n - head - tail};
    const struct text new = {b->lines + head, b->n - head - tail};
    if (old.n > LINES_MAX || new.n > LINES_MAX) return ERR_LIMIT;
    struct step *steps = calloc((size_t)a->n + b->n + 1, sizeof *steps);
    if (!steps) return ERR_NOMEM;
    for (uint32_t i = 0; i < head; i++) steps[n++] = (struct step){' ', a->lines[i]};
    int error = walk(&old, &new, steps, &n);
    for (uint32_t i = a->n - tail; i < a->n; i++) steps[n++] = (struct step){' ', a->lines[i]};
    if (error == 0) write_steps(out, indent, steps, n);
    free(steps);
    return error;
}

int lines_write_difference(struct buf *out, const char *indent, struct slice old, struct slice new)
{
    struct text a = {0}, b = {0};
    int error = split(old, &a);
    if (error == 0) error = split(new, &b);
    if (error == 0) error = compare(out, indent, &a, &b);
    free(a.lines);
    free(b.lines);
    return error;
}
