/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A request to a receiver of the city's own: one JSON object, and what proves whose it is,
 *
 *     X-Vaka-Signature: t=1795723200,v1=HEX
 *
 * HEX being HMAC-SHA256 over the time as it stands there, a dot and the body. Who receives it
 * refuses what is older than five minutes; docs/notify.md has an example.
 */
#include <nettle/base16.h>
#include <nettle/hmac.h>

#include "base/json_write.h"
#include "notify/internal.h"

static void sign(struct buf *out, struct slice secret, int64_t time, struct slice body)
{
    struct hmac_sha256_ctx ctx;
    uint8_t mac[SHA256_DIGEST_SIZE];
    char hex[BASE16_ENCODE_LENGTH(SHA256_DIGEST_SIZE)], head[32];
    int n = snprintf(head, sizeof head, "%lld.", (long long)time);
    hmac_sha256_set_key(&ctx, secret.len, (const uint8_t *)secret.ptr);
    hmac_sha256_update(&ctx, (size_t)n, (const uint8_t *)head);
    hmac_sha256_update(&ctx, body.len, (const uint8_t *)body.ptr);
    hmac_sha256_digest(&ctx, sizeof mac, mac);
    explicit_bzero(&ctx, sizeof ctx);
    base16_encode_update(hex, sizeof mac, mac);
    buf_printf(out, "X-Vaka-Signature: t=%lld,v1=%.*s", (long long)time, (int)sizeof hex, hex);
}

static void put_bool(struct buf *out, const char *name, bool value)
{
    json_write_key(out, name);
    buf_puts(out, value ? "true" : "false");
}

static bool make(struct try *t, const struct notify_message *m, char detail[NOTIFY_DETAIL_MAX])
{
    struct buf *out = &t->body;
    int64_t time = senders_realtime(t->line->senders) / NSEC_PER_SEC;
    (void)detail;
    buf_putc(out, '{');
    json_write_member_u64(out, "version", 1);
    json_write_member_u64(out, "attempt", m->attempt);
    json_write_member_u64(out, "page", m->page);
    json_write_member_u64(out, "time", (uint64_t)time);
    json_write_member_string(out, "to", m->address);
    json_write_member_string(out, "subject", m->subject);
    json_write_member_string(out, "text", m->body);
    json_write_member_string(out, "link", m->link);
    json_write_member_string(out, "code", m->code);
    put_bool(out, "exercise", m->marks & NOTIFY_EXERCISE);
    put_bool(out, "dry_run", m->marks & NOTIFY_DRY);
    buf_putc(out, '}');
    buf_puts(&t->url, t->line->provider->url);
    sign(&t->header, buf_slice(&t->line->secret), time, buf_slice(out));
    buf_putc(&t->header, '\0');
    t->headers[0] = t->header.ptr;
    t->request.type = "application/json";
    return true;
}

const struct kind_ops kind_webhook = {.make = make, .dry = true};
