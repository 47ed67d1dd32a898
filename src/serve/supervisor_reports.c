/* SPDX-License-Identifier: EUPL-1.2 */
#include <unistd.h>

#include "base/json_write.h"
#include "serve/supervisor_state.h"

static void send_report(struct child *to, unsigned about, uint64_t round, struct slice text)
{
    if (!link_is_open(&to->link) || link_room(&to->link) < text.len + 4096) return;
    say_report_write(link_out(&to->link),
                     &(struct say_report){.role = (uint8_t)about, .round = round, .text = text});
    link_flush(&to->link);
}

/* What every report begins with; open for more. */
static void begin_report(struct supervisor *s, struct buf *out, pid_t pid, uint32_t starts,
                         nsec started)
{
    nsec up = clock_monotonic(&s->options->clock) - started;
    buf_putc(out, '{');
    json_write_key(out, "pid");
    json_write_i64(out, pid);
    json_write_key(out, "starts");
    json_write_u64(out, starts);
    json_write_key(out, "up_s");
    json_write_i64(out, up / NSEC_PER_SEC);
}

/* About this process and its machine. */
static void tell_own(struct supervisor *s, uint64_t round)
{
    struct buf text;
    buf_init(&text, 1024);
    begin_report(s, &text, getpid(), 1, s->started);
    json_write_key(&text, "clock");
    json_write_string(&text, slice_of(service_clock_state()));
    buf_putc(&text, '}');
    if (!buf_failed(&text)) {
        send_report(s->children[ROLE_CONTROL], ROLE_SUPERVISOR, round, buf_slice(&text));
        send_report(s->children[ROLE_COLLECT], ROLE_SUPERVISOR, round, buf_slice(&text));
        send_report(s->children[ROLE_WEB], ROLE_SUPERVISOR, round, buf_slice(&text));
    }
    buf_done(&text);
}

void reports_ask(struct supervisor *s, uint64_t round)
{
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        struct link *link = &s->children[i]->link;
        if (!link_is_open(link)) continue;
        say_tell_write(link_out(link), &(struct say_tell){.round = round});
        link_flush(link);
    }
    tell_own(s, round);
}

/* What a process says about itself goes to who is asked about it; collect knows its own. */
int reports_pass(struct supervisor *s, const struct child *from, const struct frame *frame)
{
    struct say_status m;
    if (say_status_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    if (m.text.len < 2 || m.text.ptr[0] != '{') return ERR_CORRUPT;
    struct buf text;
    buf_init(&text, m.text.len + 256);
    begin_report(s, &text, from->pid, from->starts, from->started);
    size_t own = text.len;
    if (m.text.len > 2) buf_putc(&text, ',');
    buf_put(&text, slice_from(m.text, 1));
    if (!buf_failed(&text)) {
        send_report(s->children[ROLE_CONTROL], from->role, m.round, buf_slice(&text));
        send_report(s->children[ROLE_WEB], from->role, m.round, buf_slice(&text));
    }
    if (from->role == ROLE_COLLECT) {
        text.len = own;
        buf_putc(&text, '}');
    }
    if (!buf_failed(&text))
        send_report(s->children[ROLE_COLLECT], from->role, m.round, buf_slice(&text));
    buf_done(&text);
    if (from->role == ROLE_CONTROL && m.round == 0) tell_own(s, 0);
    return 0;
}
