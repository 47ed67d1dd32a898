/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/output.h"

#include <errno.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/text.h"
#include "hunt/table.h"

enum { FLUSH_AT = 64 * 1024 };

struct output {
    struct output_options options;
    struct table *table;
    struct buf out;
    struct buf line;
    uint64_t alerts;
    enum sigma_level highest;
    int error;
};

static void write_all(struct output *o, struct slice text)
{
    while (text.len > 0 && !o->error) {
        ssize_t n = write(o->options.fd, text.ptr, text.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            o->error = errno;
            return;
        }
        text = slice_from(text, (size_t)n);
    }
}

static void table_write(void *ctx, struct slice text)
{
    write_all(ctx, text);
}

struct output *output_new(const struct output_options *options)
{
    struct output *o = calloc(1, sizeof *o);
    if (!o) return NULL;
    o->options = *options;
    /* A line, and its form on a terminal, where six characters may stand for one. */
    buf_init(&o->out, 8 * (size_t)MESSAGE_TEXT_MAX);
    buf_init(&o->line, 2 * (size_t)MESSAGE_TEXT_MAX);
    if (options->format == HUNT_TABLE) {
        o->table = table_new(&o->options, o, table_write);
        if (!o->table) {
            free(o);
            return NULL;
        }
    }
    if (options->format == HUNT_CSV) line_write_csv_header(&o->out);
    return o;
}

void output_free(struct output *o)
{
    if (!o) return;
    table_free(o->table);
    buf_done(&o->out);
    buf_done(&o->line);
    free(o);
}

/* A line or a table that could not be composed is an error of the output like a full disk. */
static void note_memory(struct output *o)
{
    bool failed = buf_failed(&o->line) || buf_failed(&o->out);
    if (o->table) failed |= table_failed(o->table);
    if (failed && !o->error) o->error = ENOMEM;
}

void output_flush(struct output *o)
{
    note_memory(o);
    write_all(o, buf_slice(&o->out));
    buf_clear(&o->out);
}

static void count(struct output *o, enum sigma_level level)
{
    o->alerts++;
    if (level > o->highest) o->highest = level;
}

static void put_line(struct output *o, struct slice text)
{
    if (o->options.terminal) text_put_lines(&o->out, text);
    else buf_put(&o->out, text);
    note_memory(o);
    if (o->out.len >= FLUSH_AT) output_flush(o);
}

void output_alert(struct output *o, const struct message_alert *m, uint64_t record)
{
    const struct sigma_doc *doc = o->options.set->rules[m->rule]->doc;
    count(o, doc->level);
    if (o->table) {
        table_add(o->table, &(struct table_row){.time = m->time,
                                                .doc = doc,
                                                .rule = m->rule,
                                                .undetermined = m->undetermined != 0,
                                                .host = m->host,
                                                .details = m->line});
        return;
    }
    buf_clear(&o->line);
    if (m->splice == MESSAGE_IN_PLACE) {
        buf_put(&o->line, m->line);
    } else {
        buf_put(&o->line, slice_until(m->line, m->splice));
        json_write_u64(&o->line, record);
        buf_put(&o->line, slice_from(m->line, m->splice));
    }
    put_line(o, buf_slice(&o->line));
}

void output_correlation(struct output *o, const struct correlator_firing *firing,
                        const struct line_ref *refs)
{
    count(o, firing->rule->doc->level);
    buf_clear(&o->line);
    line_write_correlation(&o->line, o->options.format, o->options.taxonomy, firing, refs);
    if (!o->table) {
        put_line(o, buf_slice(&o->line));
        return;
    }
    note_memory(o);
    struct slice host = SLICE_NONE;
    for (uint32_t i = 0; i < firing->n_group; i++)
        if (slice_eq_nocase(firing->names[i], SLICE("Computer"))) host = firing->values[i];
    table_add(o->table, &(struct table_row){.time = firing->time,
                                            .doc = firing->rule->doc,
                                            .rule = o->options.set->n_rules + firing->rule->index,
                                            .host = host,
                                            .details = buf_slice(&o->line)});
}

void output_finish(struct output *o, uint64_t events)
{
    if (o->table) table_finish(o->table, events);
    output_flush(o);
}

int output_error(const struct output *o)
{
    return o->error;
}

uint64_t output_alerts(const struct output *o)
{
    return o->alerts;
}

enum sigma_level output_highest(const struct output *o)
{
    return o->highest;
}
