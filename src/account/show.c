/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/show.h"

#include "account/rights.h"
#include "base/json_write.h"
#include "wording/wording.h"

static void put_time(struct buf *out, const char *key, int64_t time)
{
    json_write_key(out, key);
    if (time) json_write_i64(out, time);
    else buf_puts(out, "null");
}

static void put_flag(struct buf *out, const char *key, bool value)
{
    json_write_key(out, key);
    buf_puts(out, value ? "true" : "false");
}

static void put_comma(struct buf *out)
{
    if (out->len && out->ptr[out->len - 1] == '}') buf_putc(out, ',');
}

static bool put_tenant(void *ctx, uint32_t tenant, uint32_t roles)
{
    struct buf *out = ctx;
    put_comma(out);
    buf_putc(out, '{');
    json_write_member_u64(out, "tenant", tenant);
    json_write_key(out, "roles");
    rights_write_roles(out, roles);
    buf_putc(out, '}');
    return true;
}

int show_user(struct buf *out, struct book *book, const struct book_user *user)
{
    uint64_t codes = 0;
    int error = book_count_recovery(book, user->id, &codes);
    buf_putc(out, '{');
    json_write_member_u64(out, "id", user->id);
    json_write_member_string(out, "name", slice_of(user->name));
    json_write_member_string(out, "shown", slice_of(user->shown));
    put_time(out, "made", user->made);
    put_time(out, "disabled", user->disabled);
    put_flag(out, "own_password", user->given == 0);
    put_flag(out, "app", user->has_app);
    put_flag(out, "elsewhere", user->subject[0] != '\0');
    json_write_member_u64(out, "recovery_codes", codes);
    json_write_key(out, "roles");
    buf_putc(out, '[');
    if (error == 0) error = book_tenants(book, user->id, put_tenant, out);
    buf_puts(out, "]}");
    return error;
}

void show_session(struct buf *out, const struct book_session *s)
{
    put_comma(out);
    buf_putc(out, '{');
    json_write_member_u64(out, "id", s->id);
    json_write_member_string(out, "name", slice_of(s->name));
    json_write_member_string(out, "address", slice_of(s->address));
    put_time(out, "made", s->made);
    put_time(out, "seen", s->seen);
    buf_putc(out, '}');
}

void show_token(struct buf *out, const struct book_token *t)
{
    put_comma(out);
    buf_putc(out, '{');
    json_write_member_u64(out, "id", t->id);
    json_write_member_string(out, "name", slice_of(t->name));
    json_write_member_string(out, "label", slice_of(t->label));
    json_write_member_u64(out, "tenant", t->tenant);
    json_write_key(out, "rights");
    rights_write(out, t->rights);
    put_time(out, "made", t->made);
    put_time(out, "expires", t->expires);
    put_time(out, "used", t->used);
    buf_putc(out, '}');
}

void show_entry(struct buf *out, const struct book_entry *e)
{
    put_comma(out);
    buf_putc(out, '{');
    json_write_member_u64(out, "id", e->id);
    put_time(out, "time", e->time);
    json_write_member_u64(out, "tenant", e->tenant);
    json_write_member_string(out, "actor", e->actor);
    json_write_member_string(out, "what", e->what);
    json_write_member_string(out, "subject", e->subject);
    json_write_member_string(out, "address", e->address);
    json_write_member_string(out, "reason", e->reason);
    json_write_key(out, "detail");
    if (e->detail.len) buf_put(out, e->detail);
    else buf_puts(out, "{}");
    buf_putc(out, '}');
}

static void put_said(struct buf *out, const char *text)
{
    json_write_member_string(out, "text", slice_of(text));
    wording_write_member(out, "text_sv", slice_of(text));
}

void show_rights(struct buf *out, uint64_t rights)
{
    buf_putc(out, '[');
    for (unsigned at = 0; at < RIGHT_COUNT; at++) {
        if (!(rights & right_bit(at))) continue;
        put_comma(out);
        buf_putc(out, '{');
        json_write_member_string(out, "name", slice_of(right_name(at)));
        put_said(out, right_text(at));
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

void show_roles(struct buf *out)
{
    buf_puts(out, "{\"roles\":[");
    for (unsigned at = 0; at < ACCOUNT_ROLE_COUNT; at++) {
        put_comma(out);
        buf_putc(out, '{');
        json_write_member_string(out, "name", slice_of(rights_role_name(at)));
        put_said(out, rights_role_text(at));
        json_write_key(out, "rights");
        rights_write(out, rights_of_role(at));
        buf_putc(out, '}');
    }
    buf_puts(out, "],\"rights\":");
    show_rights(out, UINT64_MAX);
    buf_putc(out, '}');
}
