/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/progress.h"

#include <inttypes.h>
#include <unistd.h>

enum { BAR_MIN = 4, BAR_MAX = 24 };
#define SHOW_EVERY (NSEC_PER_SEC / 8)
#define SHOW_FIRST (NSEC_PER_SEC / 4) /* a hunt that ends at once shows nothing */

void progress_init(struct progress *p, int fd, unsigned width, nsec now)
{
    *p = (struct progress){.fd = fd, .width = width, .started = now, .shown = now};
}

static void put_size(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double v = (double)bytes;
    size_t unit = 0;
    while (v >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        v /= 1024;
        unit++;
    }
    buf_printf(out, unit ? "%.1f %s" : "%.0f %s", v, units[unit]);
}

static void put_eta(struct buf *out, double seconds)
{
    if (seconds < 1 || seconds > 360000) return;
    unsigned s = (unsigned)seconds;
    if (s >= 3600) buf_printf(out, "  %u:%02u:%02u left", s / 3600, s / 60 % 60, s % 60);
    else buf_printf(out, "  %u:%02u left", s / 60, s % 60);
}

static void put_bar(struct buf *out, double part, size_t columns)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < columns; i++)
        buf_putc(out, i < (size_t)(part * (double)columns) ? '#' : '.');
    buf_puts(out, "] ");
}

/* The bar is as long as the figures let it be. */
static void compose(struct buf *out, const struct progress *p, const struct progress_numbers *n,
                    nsec now)
{
    double seconds = (double)(now - p->started) / (double)NSEC_PER_SEC, part = 0;
    struct buf figures;
    buf_init(&figures, 1024);
    if (n->bytes_total > 0) {
        part = (double)n->bytes_done / (double)n->bytes_total;
        if (part > 1) part = 1;
        buf_printf(&figures, "%3.0f %%  ", part * 100);
    }
    put_size(&figures, n->bytes_done);
    if (n->bytes_total > 0) {
        buf_puts(&figures, " of ");
        put_size(&figures, n->bytes_total);
    }
    buf_printf(&figures, "  %.0f events/s  %" PRIu64 " alert%s", (double)n->events / seconds,
               n->alerts, n->alerts == 1 ? "" : "s");
    if (n->bytes_total > n->bytes_done && n->bytes_done > 0)
        put_eta(&figures,
                seconds * (double)(n->bytes_total - n->bytes_done) / (double)n->bytes_done);
    size_t used = figures.len + 4; /* brackets, a blank, and the last column, which stays free */
    size_t room = p->width > used ? p->width - used : 0;
    if (n->bytes_total > 0 && room >= BAR_MIN) put_bar(out, part, room < BAR_MAX ? room : BAR_MAX);
    buf_put(out, buf_slice(&figures));
    buf_done(&figures);
}

bool progress_is_due(const struct progress *p, nsec now)
{
    return p->fd >= 0 && now - p->started >= SHOW_FIRST && now - p->shown >= SHOW_EVERY;
}

void progress_show_text(struct progress *p, struct slice text, nsec now)
{
    struct buf line;
    if (p->width > 1) text = slice_until(text, p->width - 1);
    buf_init(&line, 2048);
    buf_puts(&line, "\r");
    buf_put(&line, text);
    buf_puts(&line, "\033[K");
    if (!buf_failed(&line)) p->visible |= write(p->fd, line.ptr, line.len) > 0;
    buf_done(&line);
    p->shown = now;
}

void progress_show(struct progress *p, const struct progress_numbers *n, nsec now)
{
    struct buf out;
    if (!progress_is_due(p, now)) return;
    buf_init(&out, 1024);
    compose(&out, p, n, now);
    progress_show_text(p, buf_slice(&out), now);
    buf_done(&out);
}

void progress_show_blocks(struct progress *p, const struct progress_blocks *n, nsec now)
{
    struct buf line;
    double part = n->bytes_total ? (double)n->bytes_done / (double)n->bytes_total : 1;
    uint64_t all = n->read + n->passed;
    if (!progress_is_due(p, now)) return;
    buf_init(&line, 512);
    buf_printf(&line,
               "%3.0f %% searched: %" PRIu64 " blocks read, %.1f %% passed over  %" PRIu64
               " records, %" PRIu64 " found  ^C ends it",
               part * 100, n->read, all ? 100.0 * (double)n->passed / (double)all : 0, n->records,
               n->found);
    progress_show_text(p, buf_slice(&line), now);
    buf_done(&line);
}

void progress_clear(struct progress *p)
{
    static const char clear[] = "\r\033[K";
    if (p->visible) p->visible = write(p->fd, clear, sizeof clear - 1) < 0;
}
