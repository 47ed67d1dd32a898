/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/desk.h"

#include <inttypes.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/text.h"
#include "desk/clocks.h"

enum { CLOCKS_MAX = 256 * 1024, TEXT_MAX = 64 * 1024 };

/* ---- files ------------------------------------------------------------------------------- */

static int check_clocks(const struct desk_files *f, const char *path)
{
    struct slice rest = buf_slice(&f->clocks);
    struct desk_clock clock;
    uint32_t line = 0;
    int got;
    while ((got = desk_clocks_next(&rest, &line, &clock)) > 0) {
    }
    if (got < 0)
        cli_say("%s:%" PRIu32 ": this is no clock as taxonomy/clocks.tsv has them", path, line);
    return got < 0 ? EXIT_USAGE : EXIT_RAN;
}

static int read_clocks(struct desk_files *f)
{
    struct diag diag = {0};
    if (f->config.incident_clocks.n == 0) return EXIT_RAN;
    if (file_read(f->config.incident_clocks.items[0], &f->clocks, &diag) != 0) {
        cli_diag(&diag, "");
        return EXIT_USAGE;
    }
    f->view.clocks = buf_slice(&f->clocks);
    return check_clocks(f, f->config.incident_clocks.items[0]);
}

int desk_files_open(struct desk_files *f, const struct settings *settings)
{
    const struct clock clock = clock_system();
    struct diag diag = {0};
    *f = (struct desk_files){.view.now = clock_realtime(&clock)};
    buf_init(&f->clocks, CLOCKS_MAX);
    int status = settings_load(settings, &f->config, NULL);
    if (status == 0) status = read_clocks(f);
    if (status) return status;
    const char *path =
        arena_printf(&f->config.arena, "%s/state/vaka.db", f->config.serve_folder.items[0]);
    int error = path ? db_open_reader(path, &f->view.db, &diag) : ERR_NOMEM;
    if (error) cli_say("%s", diag.message[0] ? diag.message : error_text(error));
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}

void desk_files_close(struct desk_files *f)
{
    db_close(f->view.db);
    buf_done(&f->clocks);
    config_done(&f->config);
}

/* ---- printing ---------------------------------------------------------------------------- */

void desk_put_text(struct buf *out, struct slice object, const char *member, size_t columns)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    if (json_string_text(json_member(object, member), &text))
        (void)text_put_visible(out, buf_slice(&text), columns);
    buf_done(&text);
}

void desk_put_time(struct buf *out, struct slice object, const char *member)
{
    char text[32] = "                ";
    struct tm tm;
    nsec t;
    if (time_parse(json_member_text(object, member), 0, &t) && t != TIME_NONE) {
        time_t seconds = (time_t)(t / NSEC_PER_SEC);
        if (localtime_r(&seconds, &tm)) (void)strftime(text, sizeof text, "%F %H:%M", &tm);
    }
    buf_puts(out, text);
}

void desk_put_incident(struct buf *out, struct slice incident, const char *language)
{
    buf_printf(out, "#%-5" PRIu64 " %3" PRIu64 "  ", json_member_u64(incident, "id"),
               json_member_u64(incident, "score"));
    text_put_padded(out, json_member_text(incident, "level"), 9);
    text_put_padded(out, json_member_text(incident, "state"), 13);
    desk_put_time(out, incident, "last_activity");
    buf_printf(out, "  %6" PRIu64 " alert%s  ", json_member_u64(incident, "alerts"),
               json_member_u64(incident, "alerts") == 1 ? " " : "s");
    desk_put_text(out, incident, "assignee", 30);
    buf_puts(out, "\n    ");
    desk_put_text(out, json_member(incident, "plain"), language, 1000);
    buf_putc(out, '\n');
}

int desk_print(const struct buf *out, bool json)
{
    struct buf shown;
    if (buf_failed(out)) return buf_error(out);
    buf_init(&shown, 6 * out->len + 64);
    if (json) text_put_lines(&shown, buf_slice(out));
    const struct buf *from = json ? &shown : out;
    bool written = !buf_failed(from) && fwrite(from->ptr, 1, from->len, stdout) == from->len &&
                   fflush(stdout) == 0;
    buf_done(&shown);
    return written ? 0 : ERR_IO;
}
