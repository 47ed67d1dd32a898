/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/holds.h"

#include "base/json_write.h"
#include "base/time.h"
#include "base/utf8.h"

bool hold_range_read(struct slice text, struct retain_hold *ret)
{
    struct slice from, to;
    uint64_t first, last = UINT64_MAX - 1;
    if (!slice_split(text, '-', &from, &to) || !slice_to_u64(from, &first)) return false;
    if (to.len > 0 && (!slice_to_u64(to, &last) || last == UINT64_MAX)) return false;
    if (last < first) return false;
    *ret = (struct retain_hold){.from = first, .to = last + 1};
    return true;
}

void hold_range_write(struct buf *out, const struct retain_hold *range)
{
    buf_printf(out, "%llu-", (unsigned long long)range->from);
    if (range->to != UINT64_MAX) buf_printf(out, "%llu", (unsigned long long)range->to - 1);
}

/* One line, without control bytes. */
static bool text_valid(struct slice text, size_t max)
{
    if (text.len == 0 || text.len > max || !utf8_valid(text)) return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f) return false;
    return true;
}

static bool who_valid(struct slice who)
{
    return text_valid(who, HOLD_WHO_MAX) && slice_find_byte(who, ' ') == SIZE_MAX;
}

/* NULL, or what is wrong. */
static const char *read_line(struct slice line, struct hold *ret)
{
    struct slice range, time;
    (void)slice_split(line, ' ', &range, &line);
    (void)slice_split(line, ' ', &time, &line);
    (void)slice_split(line, ' ', &ret->who, &ret->reason);
    if (!hold_range_read(range, &ret->range)) return "FROM-TO is expected: sequence numbers";
    if (!time_parse(time, 0, &ret->time)) return "the time is none";
    if (!who_valid(ret->who)) return "who wrote it is missing";
    if (!text_valid(ret->reason, HOLD_REASON_MAX)) return "a reason is missing, or is no text";
    return NULL;
}

static bool says_nothing(struct slice line)
{
    return line.len == 0 || line.ptr[0] == '#';
}

int holds_read(const char *file, struct slice text, struct buf *out, struct diag *diag)
{
    uint32_t number = 0;
    size_t n = 0;
    for (bool more = text.len > 0; more;) {
        struct slice line;
        struct hold hold;
        more = slice_split(text, '\n', &line, &text);
        number++;
        line = slice_trim(line);
        if (says_nothing(line)) continue;
        const char *wrong = read_line(line, &hold);
        if (wrong) return diag_set(diag, ERR_SYNTAX, file, number, 1, "%s", wrong);
        if (++n > HOLDS_MAX)
            return diag_set(diag, ERR_LIMIT, file, number, 1, "more than %d holds", HOLDS_MAX);
        buf_put(out, slice_make(&hold, sizeof hold));
    }
    return buf_failed(out)
               ? diag_set(diag, buf_error(out), file, 0, 0, "%s", error_text(buf_error(out)))
               : 0;
}

void hold_write_json(struct buf *out, const struct hold *hold)
{
    buf_puts(out, "{\"range\":\"");
    hold_range_write(out, &hold->range);
    buf_puts(out, "\",\"time\":\"");
    time_write_rfc3339(out, hold->time);
    buf_putc(out, '"');
    json_write_member_string(out, "by", hold->who);
    json_write_member_string(out, "reason", hold->reason);
    buf_putc(out, '}');
}

int hold_write(struct buf *out, const struct hold *hold)
{
    if (hold->range.from >= hold->range.to || !who_valid(hold->who) ||
        !text_valid(hold->reason, HOLD_REASON_MAX))
        return ERR_INVALID;
    hold_range_write(out, &hold->range);
    buf_putc(out, ' ');
    time_write_rfc3339(out, hold->time);
    buf_putc(out, ' ');
    buf_put(out, hold->who);
    buf_putc(out, ' ');
    buf_put(out, hold->reason);
    buf_putc(out, '\n');
    return 0;
}

void holds_lift(struct buf *out, struct slice text, const struct retain_hold *range, nsec now,
                struct slice who, size_t *ret_n)
{
    *ret_n = 0;
    for (bool more = text.len > 0; more;) {
        struct slice line;
        struct hold hold;
        more = slice_split(text, '\n', &line, &text);
        if (!says_nothing(slice_trim(line)) && !read_line(slice_trim(line), &hold) &&
            hold.range.from == range->from && hold.range.to == range->to) {
            buf_puts(out, "# lifted ");
            time_write_rfc3339(out, now);
            buf_putc(out, ' ');
            buf_put(out, who);
            buf_puts(out, ": ");
            ++*ret_n;
        }
        buf_put(out, line);
        if (more || line.len > 0) buf_putc(out, '\n');
        if (text.len == 0) break;
    }
}
