/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/accounts.h"

#include "account/account.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/secret.h"

void accounts_begin(struct accounts *a, const char *name)
{
    buf_init(&a->body, MANAGE_BODY_MAX);
    buf_init(&a->answer, MANAGE_ANSWER_MAX);
    buf_putc(&a->body, '{');
    accounts_put(a, "name", name);
    accounts_put(a, "reason", a->reason);
}

void accounts_put(struct accounts *a, const char *member, const char *value)
{
    if (value) json_write_member_string(&a->body, member, slice_of(value));
}

void accounts_put_number(struct accounts *a, const char *member, uint64_t value)
{
    json_write_member_u64(&a->body, member, value);
}

void accounts_done(struct accounts *a)
{
    secret_done(&a->body);
    secret_done(&a->answer);
}

/* What is wrong is said here; else the object is kept. */
static int take_answer(void *ctx, const struct say_answer *answer)
{
    struct accounts *a = ctx;
    struct slice member = json_member_text(answer->text, "member");
    if (answer->id >= 400) {
        struct slice detail = json_member_text(answer->text, "detail");
        if (member.len) cli_say("%.*s: %.*s", SLICE_FMT(member), SLICE_FMT(detail));
        else cli_say("%.*s", SLICE_FMT(detail));
        return 0;
    }
    buf_put(&a->answer, answer->text);
    return 0;
}

static int ask(struct accounts *a, enum account_action action)
{
    buf_putc(&a->body, '}');
    if (buf_failed(&a->body)) return cli_usage("what is said is too long");
    const struct say_manage manage = {
        .action = (uint8_t)action, .tenant = (uint32_t)a->tenant, .body = buf_slice(&a->body)};
    int status = ask_accounts(&a->settings, &manage, take_answer, a);
    return status || a->answer.len ? status : EXIT_UNREADABLE;
}

static void print(const struct buf *out)
{
    (void)fwrite(out->ptr, 1, out->len, stdout);
}

static void print_json(const struct accounts *a)
{
    struct buf out;
    buf_init(&out, 8 * (size_t)MANAGE_ANSWER_MAX);
    text_put_lines(&out, buf_slice(&a->answer));
    buf_putc(&out, '\n');
    print(&out);
    secret_done(&out);
}

static void put(struct buf *out, const struct buf *text, size_t columns)
{
    if (columns) text_put_padded(out, buf_slice(text), columns);
    else (void)text_put_visible(out, buf_slice(text), SIZE_MAX);
}

void accounts_put_time(struct buf *out, struct slice seconds, size_t columns)
{
    struct buf text;
    int64_t time;
    buf_init(&text, 64);
    if (slice_to_i64(seconds, &time) && time > 0 && time < INT64_MAX / NSEC_PER_SEC)
        time_write_rfc3339(&text, time * NSEC_PER_SEC);
    else buf_putc(&text, '-');
    put(out, &text, columns);
    buf_done(&text);
}

void accounts_put_names(struct buf *out, struct slice array, size_t columns)
{
    struct buf text;
    struct json_parts it;
    struct slice name, part, inside;
    buf_init(&text, 4096);
    json_parts_init(&it, array);
    while (json_parts_next(&it, &name, &part)) {
        if (text.len) buf_puts(&text, ", ");
        if (json_string_inside(part, &inside)) buf_put(&text, inside);
    }
    put(out, &text, columns);
    buf_done(&text);
}

void accounts_print_rows(const struct accounts *a, const char *member,
                         void (*row)(struct buf *out, struct slice part))
{
    struct buf out;
    struct json_parts it;
    struct slice name, part;
    buf_init(&out, 8 * (size_t)MANAGE_ANSWER_MAX);
    json_parts_init(&it, json_member(buf_slice(&a->answer), member));
    while (json_parts_next(&it, &name, &part)) {
        row(&out, part);
        buf_putc(&out, '\n');
    }
    print(&out);
    buf_done(&out);
}

int accounts_finish(struct accounts *a, enum account_action action,
                    void (*tell)(const struct accounts *a))
{
    int status = ask(a, action);
    if (status == 0 && a->json) print_json(a);
    else if (status == 0 && tell) tell(a);
    accounts_done(a);
    return status;
}
