/* SPDX-License-Identifier: EUPL-1.2 */
/* What the lanes speak. */
#include <inttypes.h>
#include <sys/socket.h>

#include "base/be.h"
#include "lane.h"

/* ---- syslog ------------------------------------------------------------------------------ */

static void put_line(struct lane *l, struct slice record)
{
    buf_put(&l->out, record);
    buf_putc(&l->out, '\n');
}

/* ---- RELP -------------------------------------------------------------------------------- */

static void relp_open(struct lane *l)
{
    static const char offer[] = "relp_version=0\nrelp_software=vaka-load\ncommands=syslog";
    buf_printf(&l->out, "%" PRIu64 " open %zu %s\n", ++l->next_id, sizeof offer - 1, offer);
    lane_add_unit(l, l->next_id, 0, 0);
}

static void relp_put(struct lane *l, struct slice record)
{
    buf_printf(&l->out, "%" PRIu64 " syslog %zu ", l->next_id + 1, record.len);
    put_line(l, record);
}

/* TXNR rsp LENGTH 200 …, of the oldest that waits: they are numbered in turn. */
static int relp_answer(struct lane *l, struct slice in, size_t *ret_used, nsec now)
{
    struct slice line, rest = in, number, word, len_text, status;
    uint64_t txnr, len;
    for (int blanks = 0; blanks < 3; blanks++) {
        size_t at = slice_find_byte(rest, ' ');
        if (at == SIZE_MAX) return 0;
        rest = slice_from(rest, at + 1);
    }
    line = slice_until(in, in.len - rest.len);
    (void)slice_split(line, ' ', &number, &line);
    (void)slice_split(line, ' ', &word, &line);
    (void)slice_split(line, ' ', &len_text, &line);
    if (!slice_to_u64(number, &txnr) || !slice_to_u64(len_text, &len) || len > 65536 ||
        !slice_eq(word, SLICE("rsp")))
        return ERR_CORRUPT;
    if (rest.len <= len) return 0;
    status = slice_until(rest, 3);
    const struct unit *u = lane_oldest(l);
    if (!u || u->id != txnr || !slice_eq(status, SLICE("200"))) return ERR_CORRUPT;
    l->acked += u->records;
    lane_take_unit(l, now);
    *ret_used = in.len - rest.len + len + 1;
    return 1;
}

/* ---- Lumberjack v2 ----------------------------------------------------------------------- */

static void put_be32(struct buf *out, uint32_t v)
{
    char bytes[4];
    be32_put(bytes, v);
    buf_put(out, slice_make(bytes, sizeof bytes));
}

static void lumberjack_put(struct lane *l, struct slice record)
{
    buf_puts(&l->gathered, "2J");
    put_be32(&l->gathered, l->n_gathered + 1);
    put_be32(&l->gathered, (uint32_t)record.len);
    buf_put(&l->gathered, record);
}

static void lumberjack_pack(struct lane *l)
{
    buf_puts(&l->out, "2W");
    put_be32(&l->out, l->n_gathered);
    buf_put(&l->out, buf_slice(&l->gathered));
    lane_add_unit(l, l->n_gathered, l->n_gathered, 0);
}

/* An ack may be of a part of the window, or of nothing (a sign of life). */
static int lumberjack_answer(struct lane *l, struct slice in, size_t *ret_used, nsec now)
{
    if (in.len < 6) return 0;
    const struct unit *u = lane_oldest(l);
    uint32_t seq = be32(in.ptr + 2);
    if (!u || in.ptr[0] != '2' || in.ptr[1] != 'A' || seq > u->id) return ERR_CORRUPT;
    *ret_used = 6;
    if (seq < u->id) return 1;
    l->acked += u->records;
    lane_take_unit(l, now);
    return 1;
}

/* ---- HTTP -------------------------------------------------------------------------------- */

static void ndjson_put(struct lane *l, struct slice record)
{
    buf_put(&l->gathered, record);
    buf_putc(&l->gathered, '\n');
}

static void bulk_put(struct lane *l, struct slice record)
{
    buf_puts(&l->gathered, "{\"create\":{\"_index\":\"logs-city\"}}\n");
    ndjson_put(l, record);
}

static void post(struct lane *l, const char *path, const char *type)
{
    buf_clear(&l->request);
    buf_printf(&l->request,
               "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\n"
               "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n",
               path, type, l->options.token, l->gathered.len);
    buf_put(&l->request, buf_slice(&l->gathered));
    buf_put(&l->out, buf_slice(&l->request));
    lane_add_unit(l, ++l->next_id, l->n_gathered, 0);
}

static void ndjson_pack(struct lane *l)
{
    post(l, "/api/ingest", "application/x-ndjson");
}

static void bulk_pack(struct lane *l)
{
    post(l, "/_bulk", "application/x-ndjson");
}

/* The number behind `name` in s; `otherwise` when there is none. */
static uint64_t number_behind(struct slice s, struct slice name, uint64_t otherwise)
{
    uint64_t v = 0;
    size_t at = slice_find(s, name);
    if (at == SIZE_MAX) return otherwise;
    s = slice_from(s, at + name.len);
    for (; s.len && s.ptr[0] >= '0' && s.ptr[0] <= '9' && v < 1000000000; s = slice_from(s, 1))
        v = v * 10 + (uint64_t)(s.ptr[0] - '0');
    return v;
}

static uint64_t count_refused(struct slice body)
{
    size_t n = 0, at;
    uint64_t refused = number_behind(body, SLICE("\"refused\":"), UINT64_MAX);
    if (refused != UINT64_MAX) return refused;
    if (slice_find(body, SLICE("\"errors\":false")) != SIZE_MAX) return 0;
    while ((at = slice_find(body, SLICE("\"error\":{"))) != SIZE_MAX) {
        body = slice_from(body, at + 1);
        n++;
    }
    return n;
}

static int http_answer(struct lane *l, struct slice in, size_t *ret_used, nsec now)
{
    size_t head_end = slice_find(in, SLICE("\r\n\r\n"));
    if (head_end == SIZE_MAX) return 0;
    struct slice head = slice_until(in, head_end + 2), body = slice_from(in, head_end + 4);
    uint64_t status = number_behind(head, SLICE("HTTP/1.1 "), 0);
    uint64_t len = number_behind(head, SLICE("Content-Length: "), 0);
    const struct unit *u = lane_oldest(l);
    if (!u || l->n_sent == 0) return ERR_CORRUPT;
    if (body.len < len) return 0;
    *ret_used = head_end + 4 + len;
    if (status == 503 || status == 429) {
        lane_send_again(l, now);
        return 1;
    }
    if (status != 200) return ERR_CORRUPT;
    uint64_t refused = count_refused(slice_until(body, len));
    l->refused += refused;
    l->acked += u->records - refused;
    lane_take_unit(l, now);
    return 1;
}

/* ---- NetFlow v5 -------------------------------------------------------------------------- */

enum { FLOWS_MAX = 30, FLOW_RECORD = 48 };

static void put_be16(struct buf *out, uint32_t v)
{
    char bytes[2];
    be16_put(bytes, (uint16_t)v);
    buf_put(out, slice_make(bytes, sizeof bytes));
}

/* Cisco's "NetFlow Export Datagram Format", version 5. */
static void flow_put(struct lane *l, struct slice record)
{
    (void)record;
    struct buf *out = &l->gathered;
    uint64_t a = mix_random(l->options.mix), b = mix_random(l->options.mix);
    uint32_t packets = 1 + (uint32_t)(b & 0xff),
             uptime = 100000 + (uint32_t)(l->made * 3 % 1000000);
    put_be32(out, 0x0a000000 | (uint32_t)(a & 0xffffff));
    put_be32(out, 0x50000000 | (uint32_t)(a >> 24 & 0xfffffff));
    put_be32(out, 0);
    put_be32(out, 1 << 16 | 2); /* interfaces */
    put_be32(out, packets);
    put_be32(out, packets * (40 + (uint32_t)(b >> 8 & 0x3ff)));
    put_be32(out, uptime);
    put_be32(out, uptime + (uint32_t)(b >> 18 & 0xfff));
    put_be16(out, 1024 + (uint32_t)(b >> 32 & 0x7fff));
    put_be16(out, a >> 63 ? 443 : 53);
    put_be32(out, 0x00180600); /* padding, flags, protocol TCP, service */
    put_be32(out, 0);          /* systems */
    put_be32(out, 0x18180000); /* masks */
    l->bytes += FLOW_RECORD;
}

static void flow_pack(struct lane *l)
{
    struct buf *out = &l->out;
    put_be16(out, 5);
    put_be16(out, l->n_gathered);
    put_be32(out, 2000000); /* ms since it was switched on */
    put_be32(out, (uint32_t)(l->gathered_since / NSEC_PER_SEC));
    put_be32(out, 0);
    put_be32(out, (uint32_t)l->next_id); /* flows before */
    put_be32(out, 0);                    /* engine, sampling */
    buf_put(out, buf_slice(&l->gathered));
    l->next_id += l->n_gathered;
}

const struct lane_kind lane_kinds[] = {
    {.name = "syslog_tcp",
     .form = MIX_TEXT,
     .socket = SOCK_STREAM,
     .outstanding = 1024,
     .put = put_line},
    {.name = "syslog_udp", .form = MIX_TEXT, .socket = SOCK_DGRAM, .outstanding = 1},
    {.name = "relp",
     .form = MIX_TEXT,
     .socket = SOCK_STREAM,
     .acked = true,
     .outstanding = 4096,
     .open = relp_open,
     .put = relp_put,
     .answer = relp_answer},
    {.name = "lumberjack",
     .form = MIX_JSON,
     .socket = SOCK_STREAM,
     .batches = true,
     .acked = true,
     .outstanding = 2,
     .put = lumberjack_put,
     .pack = lumberjack_pack,
     .answer = lumberjack_answer},
    {.name = "ndjson",
     .form = MIX_JSON,
     .socket = SOCK_STREAM,
     .batches = true,
     .acked = true,
     .resends = true,
     .outstanding = 1,
     .put = ndjson_put,
     .pack = ndjson_pack,
     .answer = http_answer},
    {.name = "bulk",
     .form = MIX_JSON,
     .socket = SOCK_STREAM,
     .batches = true,
     .acked = true,
     .resends = true,
     .outstanding = 1,
     .put = bulk_put,
     .pack = bulk_pack,
     .answer = http_answer},
    {.name = "flow_udp",
     .form = MIX_TEXT,
     .own_records = true,
     .socket = SOCK_DGRAM,
     .batches = true,
     .batch_max = FLOWS_MAX,
     .outstanding = 1,
     .put = flow_put,
     .pack = flow_pack},
};
const size_t lane_kinds_n = sizeof lane_kinds / sizeof *lane_kinds;
