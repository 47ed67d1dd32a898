/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/veil.h"

#include <sodium.h>

#include "account/manage.h"
#include "base/be.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/utf8.h"

enum { NAME_MOST = 1024 };

void veil_name(const struct veil_key *key, uint32_t tenant, struct slice name,
               char ret[static PSEUDONYM_TEXT + 1])
{
    crypto_generichash_state state;
    char number[4];
    uint8_t hash[crypto_generichash_BYTES];
    char folded[3 * NAME_MOST + 64];
    name = slice_until(name, NAME_MOST);
    size_t n = utf8_fold(folded, name);
    be32_put(number, tenant);
    (void)crypto_generichash_init(&state, key->bytes, sizeof key->bytes, sizeof hash);
    (void)crypto_generichash_update(&state, (const uint8_t *)number, sizeof number);
    (void)crypto_generichash_update(&state, (const uint8_t *)folded, n);
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    memcpy(ret, "person-", 7);
    (void)sodium_bin2hex(ret + 7, 13, hash, 6);
}

static int show_one(struct account *a, uint64_t user, uint32_t tenant, struct slice name,
                    int64_t now, struct buf *out)
{
    char pseudonym[PSEUDONYM_TEXT + 1];
    int64_t until = 0;
    veil_name(&a->veil, tenant, name, pseudonym);
    int error = book_keep_name(a->book, tenant, slice_of(pseudonym), name);
    if (error) return error;
    error = book_lifted(a->book, user, tenant, slice_of(pseudonym), &until);
    if (error && error != ERR_NOT_FOUND) return error;
    if (out->ptr[out->len - 1] != '[') buf_putc(out, ',');
    json_write_string(out, error == 0 && now < until ? name : slice_of(pseudonym));
    return buf_error(out);
}

static int show_all(struct account *a, uint64_t user, uint32_t tenant, struct slice names,
                    int64_t now, struct buf *out)
{
    struct json_parts it;
    struct slice none, part;
    struct buf name;
    int error = 0;
    buf_init(&name, NAME_MOST);
    buf_putc(out, '[');
    json_parts_init(&it, names);
    for (unsigned n = 0; error == 0 && json_parts_next(&it, &none, &part); n++) {
        buf_clear(&name);
        if (n == VEIL_NAMES_MAX || !json_string_text(part, &name)) error = ERR_INVALID;
        if (error == 0) error = buf_error(&name);
        if (error == 0) error = show_one(a, user, tenant, buf_slice(&name), now, out);
    }
    buf_putc(out, ']');
    buf_done(&name);
    return error ? error : buf_error(out);
}

int account_veil(struct account *a, uint64_t user, uint32_t tenant, struct slice names, int64_t now,
                 struct buf *out)
{
    struct slice array;
    if (json_read_value(names, 0, &array) != 0 || array.len != names.len || array.ptr[0] != '[')
        return ERR_INVALID;
    int error = book_begin(a->book);
    if (error == 0) error = show_all(a, user, tenant, array, now, out);
    if (error == 0) error = book_commit(a->book);
    if (error) book_rollback(a->book);
    return error;
}

static bool list_name(void *ctx, struct slice pseudonym, struct slice name)
{
    struct buf *out = ctx;
    if (out->ptr[out->len - 1] != '[') buf_putc(out, ',');
    json_write_string(out, pseudonym);
    buf_putc(out, ',');
    json_write_string(out, name);
    return !buf_failed(out);
}

int account_names(struct account *a, uint32_t tenant, struct slice after, struct buf *out)
{
    buf_putc(out, '[');
    int error = book_names(a->book, tenant, after, VEIL_NAMES_MAX, list_name, out);
    buf_putc(out, ']');
    return error ? error : buf_error(out);
}

/* ---- lifting ----------------------------------------------------------------------------- */

static int tell(struct manage *m, struct slice pseudonym, struct slice name, int64_t until)
{
    struct buf detail;
    buf_init(&detail, 128);
    buf_putc(&detail, '{');
    json_write_member_u64(&detail, "until", (uint64_t)until);
    buf_putc(&detail, '}');
    int error = manage_log_with(m, pseudonym, &detail);
    buf_putc(m->out, '{');
    json_write_member_string(m->out, "name", name);
    json_write_member_u64(m->out, "until", (uint64_t)until);
    buf_putc(m->out, '}');
    return error;
}

int manage_pseudonym_lift(struct manage *m)
{
    struct buf name;
    struct slice pseudonym = manage_text(m, MEMBER_PSEUDONYM);
    uint64_t minutes =
        manage_has(m, MEMBER_MINUTES) ? manage_number(m, MEMBER_MINUTES) : LIFT_MINUTES;
    if (minutes == 0 || minutes > LIFT_MINUTES_MAX)
        return manage_refuse(m, MANAGE_WRONG, "minutes", "1 to 480 are wanted");
    if (slice_trim(manage_text(m, MEMBER_REASON)).len == 0)
        return manage_refuse(m, MANAGE_WRONG, "reason", "a reason is wanted");
    int64_t until = m->at.now + (int64_t)minutes * 60;
    buf_init(&name, NAME_MOST);
    int error = book_find_name(m->account->book, m->tenant, pseudonym, &name);
    /* From the command line of this machine it is told once. */
    if (error == 0 && !m->order->local)
        error = book_lift(m->account->book, m->who.user, m->tenant, pseudonym, until);
    if (error == 0) error = tell(m, pseudonym, buf_slice(&name), until);
    buf_done(&name);
    if (error != ERR_NOT_FOUND) return error;
    return manage_refuse(m, MANAGE_UNKNOWN, "pseudonym", "there is no such pseudonym");
}
