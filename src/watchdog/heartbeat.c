/* SPDX-License-Identifier: EUPL-1.2 */
#include "watchdog/heartbeat.h"

#include <inttypes.h>
#include <stdio.h>

static const char head[] = "vaka heartbeat 1\n";

static void put_line(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "%s ", name);
    for (; *text; text++) buf_putc(out, (unsigned char)*text < ' ' ? ' ' : *text);
    buf_putc(out, '\n');
}

static void put_number(struct buf *out, const char *name, uint64_t number)
{
    buf_printf(out, "%s %" PRIu64 "\n", name, number);
}

void heartbeat_write(struct buf *out, const struct heartbeat *beat,
                     const struct checkpoint_signer *from, const struct checkpoint_key *to)
{
    struct buf body;
    buf_init(&body, HEARTBEAT_MAX);
    buf_puts(&body, head);
    put_line(&body, "from", from->key.name);
    put_line(&body, "to", to->name);
    put_number(&body, "number", beat->number);
    put_number(&body, "answers", beat->answers);
    put_number(&body, "time", beat->time);
    put_line(&body, "broken", beat->broken);
    put_number(&body, "loud", beat->loud);
    put_line(&body, "why", beat->why);
    buf_put(out, buf_slice(&body));
    buf_putc(out, '\n');
    checkpoint_sign(out, buf_slice(&body), from, 0);
    buf_done(&body);
}

/* The rest of the line that begins with the name and a blank. */
static bool take_line(struct slice *rest, const char *name, struct slice *ret)
{
    struct slice line;
    if (!slice_split(*rest, '\n', &line, rest)) return false;
    size_t n = strlen(name);
    if (!slice_starts_with(line, slice_of(name)) || line.len <= n || line.ptr[n] != ' ')
        return false;
    *ret = slice_from(line, n + 1);
    return true;
}

static bool take_number(struct slice *rest, const char *name, uint64_t *ret)
{
    struct slice text;
    return take_line(rest, name, &text) && slice_to_u64(text, ret);
}

static bool take_text(struct slice *rest, const char *name, char *ret, size_t size)
{
    struct slice text;
    if (!take_line(rest, name, &text) || text.len >= size || memchr(text.ptr, '\0', text.len))
        return false;
    (void)snprintf(ret, size, "%.*s", SLICE_FMT(text));
    return true;
}

static bool read_body(struct slice body, struct slice *from, struct slice *to,
                      struct heartbeat *ret)
{
    uint64_t loud;
    if (!slice_starts_with(body, slice_of(head))) return false;
    struct slice rest = slice_from(body, sizeof head - 1);
    if (!take_line(&rest, "from", from) || !take_line(&rest, "to", to) ||
        !take_number(&rest, "number", &ret->number) ||
        !take_number(&rest, "answers", &ret->answers) || !take_number(&rest, "time", &ret->time) ||
        !take_text(&rest, "broken", ret->broken, sizeof ret->broken) ||
        !take_number(&rest, "loud", &loud) || loud > 1 ||
        !take_text(&rest, "why", ret->why, sizeof ret->why))
        return false;
    ret->loud = loud != 0;
    return rest.len == 0;
}

int heartbeat_read(struct slice text, const struct checkpoint_key *from,
                   const struct checkpoint_key *to, struct heartbeat *ret)
{
    struct heartbeat beat;
    struct slice sender, receiver;
    size_t end = text.len <= HEARTBEAT_MAX ? slice_find(text, SLICE("\n\n")) : SIZE_MAX;
    if (end == SIZE_MAX) return ERR_SYNTAX;
    const struct checkpoint note = {.body = slice_until(text, end + 1),
                                    .signatures = slice_from(text, end + 2)};
    if (!slice_starts_with(note.signatures, SLICE("\xe2\x80\x94 ")) ||
        note.signatures.ptr[note.signatures.len - 1] != '\n' ||
        !read_body(note.body, &sender, &receiver, &beat))
        return ERR_SYNTAX;
    if (!slice_eq(sender, slice_of(from->name)) || !slice_eq(receiver, slice_of(to->name)))
        return ERR_INVALID;
    int error = checkpoint_verify(&note, from, NULL);
    if (error == 0) *ret = beat;
    return error;
}
