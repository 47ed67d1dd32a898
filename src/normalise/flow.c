/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One flow record with its header and template (event/flow.h). Every field is netflow.NAME; a field
 * of an enterprise is netflow.element_ENTERPRISE_ID, one that no registry knows netflow.element_ID.
 * Of the reverse direction (RFC 5103) it is netflow.reverse_NAME. Besides, as ECS has them:
 *
 *   @timestamp                    when the exporter sent it
 *   netflow.type                  netflow_flow, netflow_options
 *   netflow.exporter.version, netflow.exporter.source_id, observer.ip
 *   source.*, destination.*       ip, port, mac, as.number, nat.ip, nat.port
 *   source.bytes, destination.bytes and packets, network.bytes, network.packets
 *   network.iana_number, network.transport, network.type, network.direction, network.vlan.id
 *   event.start, event.end, event.duration (ns)
 *
 * Numbers of network and source count one direction unless the exporter counts both (initiator and
 * responder). Times that count from the exporter's start are turned into points in time by the
 * header, in IPFIX by the field that says when it started.
 */
#include "event/flow.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "base/be.h"
#include "base/time.h"
#include "normalise/ipfix_elements.h"
#include "normalise/record_forms.h"

enum {
    N_ELEMENTS = sizeof ipfix_elements / sizeof *ipfix_elements,
    REVERSE = 29305, /* the enterprise number of RFC 5103 */
    NAME_LEN = 96,
};

/* v5's records in the words of IPFIX; 210 is padding. */
static const struct flow_field v5_fields[] = {
    {0, 8, 4},  {0, 12, 4}, {0, 15, 4}, {0, 10, 2}, {0, 14, 2},  {0, 2, 4},   {0, 1, 4},
    {0, 22, 4}, {0, 21, 4}, {0, 7, 2},  {0, 11, 2}, {0, 210, 1}, {0, 6, 1},   {0, 4, 1},
    {0, 5, 1},  {0, 16, 2}, {0, 17, 2}, {0, 9, 1},  {0, 13, 1},  {0, 210, 2},
};

/* Elements that are a field of ECS as they stand. */
static const struct {
    uint16_t id;
    const char *name;
} ecs_fields[] = {
    {7, "source.port"},
    {8, "source.ip"},
    {11, "destination.port"},
    {12, "destination.ip"},
    {16, "source.as.number"},
    {17, "destination.as.number"},
    {27, "source.ip"},
    {28, "destination.ip"},
    {56, "source.mac"},
    {58, "network.vlan.id"},
    {80, "destination.mac"},
    {225, "source.nat.ip"},
    {226, "destination.nat.ip"},
    {227, "source.nat.port"},
    {228, "destination.nat.port"},
    {281, "source.nat.ip"},
    {282, "destination.nat.ip"},
};

/* What is put together from several fields. */
struct flow {
    struct event *ev;
    key_id netflow;
    nsec exported, booted; /* TIME_NONE: not known */
    nsec start, end;
    uint64_t start_uptime, end_uptime; /* milliseconds; UINT64_MAX: not told */
    uint64_t bytes, packets, back_bytes, back_packets;
    bool has_bytes, has_packets, has_back_bytes, has_back_packets;
};

static nsec from_millis(uint64_t ms)
{
    int64_t t;
    if (ms > INT64_MAX || __builtin_mul_overflow((int64_t)ms, NSEC_PER_MSEC, &t)) return TIME_NONE;
    return t;
}

static nsec from_seconds(uint64_t s)
{
    return s <= UINT32_MAX ? (nsec)s * NSEC_PER_SEC : TIME_NONE;
}

/* RFC 7011, 6.1.9: seconds since 1900 and a fraction of 32 bits. */
static nsec from_ntp(uint64_t v)
{
    int64_t seconds = (int64_t)(v >> 32) - INT64_C(2208988800); /* from 1900 to 1970 */
    uint64_t fraction = (v & UINT32_MAX) * (uint64_t)NSEC_PER_SEC >> 32;
    return seconds * NSEC_PER_SEC + (nsec)fraction;
}

static const char *transport_name(uint64_t protocol)
{
    switch (protocol) {
    case 1:
        return "icmp";
    case 2:
        return "igmp";
    case 6:
        return "tcp";
    case 17:
        return "udp";
    case 47:
        return "gre";
    case 50:
        return "esp";
    case 51:
        return "ah";
    case 58:
        return "ipv6-icmp";
    case 89:
        return "ospf";
    case 103:
        return "pim";
    case 112:
        return "vrrp";
    case 132:
        return "sctp";
    default:
        return NULL;
    }
}

/* ---- values ------------------------------------------------------------------------------- */

static double read_float(struct slice v)
{
    double d = 0;
    float f = 0;
    uint64_t bits = be_number(v.ptr, v.len);
    uint32_t half = (uint32_t)bits;
    if (v.len == sizeof d) memcpy(&d, &bits, sizeof d);
    else memcpy(&f, &half, sizeof f);
    return v.len == sizeof d ? d : (double)f;
}

static void put_time(struct buf *out, nsec t)
{
    if (t != TIME_NONE) time_write_rfc3339(out, t);
}

/* Writes a value of at most 16 bytes as text; false when its length is not its kind's. */
static bool put_value(struct buf *out, enum element_kind kind, struct slice v)
{
    char address[INET6_ADDRSTRLEN];
    const unsigned char *b = (const unsigned char *)v.ptr;
    uint64_t n = v.len >= 1 && v.len <= 8 ? be_number(v.ptr, v.len) : 0;
    bool number = v.len >= 1 && v.len <= 8;
    switch (kind) {
    case ELEMENT_UINT:
        if (number) buf_printf(out, "%" PRIu64, n);
        return number;
    case ELEMENT_INT:
        if (number && v.len < 8 && (b[0] & 0x80)) n |= UINT64_MAX << (8 * v.len);
        if (number) buf_printf(out, "%" PRId64, (int64_t)n);
        return number;
    case ELEMENT_FLOAT:
        if (v.len == 4 || v.len == 8) buf_printf(out, "%.17g", read_float(v));
        return v.len == 4 || v.len == 8;
    case ELEMENT_BOOL:
        if (v.len == 1 && (n == 1 || n == 2)) buf_puts(out, n == 1 ? "true" : "false");
        return out->len > 0;
    case ELEMENT_IPV4:
        if (v.len == 4 && inet_ntop(AF_INET, v.ptr, address, sizeof address))
            buf_puts(out, address);
        return out->len > 0;
    case ELEMENT_IPV6:
        if (v.len == 16 && inet_ntop(AF_INET6, v.ptr, address, sizeof address))
            buf_puts(out, address);
        return out->len > 0;
    case ELEMENT_MAC:
        if (v.len == 6)
            buf_printf(out, "%02X-%02X-%02X-%02X-%02X-%02X", b[0], b[1], b[2], b[3], b[4], b[5]);
        return out->len > 0;
    case ELEMENT_SECONDS:
        if (number) put_time(out, from_seconds(n));
        return out->len > 0;
    case ELEMENT_MILLIS:
        if (number) put_time(out, from_millis(n));
        return out->len > 0;
    case ELEMENT_NTP:
        if (v.len == 8) put_time(out, from_ntp(n));
        return out->len > 0;
    case ELEMENT_TEXT:
    case ELEMENT_BYTES:
    case ELEMENT_NONE:
        break;
    }
    return false;
}

static struct slice without_padding(struct slice text)
{
    while (text.len && text.ptr[text.len - 1] == '\0') text.len--;
    return text;
}

/* Adds the value under the key and, when `ecs` is a name, under that too. */
static void add_value(struct flow *f, key_id key, const char *ecs, enum element_kind kind,
                      struct slice v)
{
    struct event *ev = f->ev;
    char room[NAME_LEN];
    struct buf text = {.ptr = room, .cap = sizeof room, .max = sizeof room}; /* never grows */
    if (kind == ELEMENT_TEXT) {
        event_add(ev, key, VALUE_STRING, without_padding(v));
        return;
    }
    if (kind == ELEMENT_NONE && v.len <= 8) kind = ELEMENT_UINT;
    if (!put_value(&text, kind, v) || buf_failed(&text)) {
        form_add_hex(ev, key, v);
        return;
    }
    struct slice copy = arena_dup(ev->arena, buf_slice(&text));
    if (!copy.ptr) {
        ev->flags |= EVENT_CUT;
        return;
    }
    enum value_type type = kind == ELEMENT_UINT || kind == ELEMENT_INT || kind == ELEMENT_FLOAT
                               ? VALUE_NUMBER
                           : kind == ELEMENT_BOOL ? VALUE_BOOL
                                                  : VALUE_STRING;
    event_add(ev, key, type, copy);
    if (ecs) event_add_named(ev, slice_of(ecs), type, copy);
}

/* ---- fields ------------------------------------------------------------------------------- */

static void add_protocol(struct flow *f, uint64_t n)
{
    form_printf(f->ev, "network.iana_number", "%" PRIu64, n);
    const char *name = transport_name(n);
    if (name) event_add_named(f->ev, SLICE("network.transport"), VALUE_STRING, slice_of(name));
}

static void sum(uint64_t *total, bool *has, uint64_t n)
{
    if (!__builtin_add_overflow(*total, n, total)) *has = true;
}

/* What several fields together say. */
static void note(struct flow *f, unsigned id, uint64_t n)
{
    switch (id) {
    case 1:   /* octetDeltaCount */
    case 85:  /* octetTotalCount */
    case 231: /* initiatorOctets */
        sum(&f->bytes, &f->has_bytes, n);
        break;
    case 2:   /* packetDeltaCount */
    case 86:  /* packetTotalCount */
    case 298: /* initiatorPackets */
        sum(&f->packets, &f->has_packets, n);
        break;
    case 232: /* responderOctets */
        sum(&f->back_bytes, &f->has_back_bytes, n);
        break;
    case 299: /* responderPackets */
        sum(&f->back_packets, &f->has_back_packets, n);
        break;
    case 4: /* protocolIdentifier */
        add_protocol(f, n);
        break;
    case 61: /* flowDirection */
        if (n <= 1)
            event_add_named(f->ev, SLICE("network.direction"), VALUE_STRING,
                            n == 0 ? SLICE("inbound") : SLICE("outbound"));
        break;
    case 21: /* flowEndSysUpTime */
        f->end_uptime = n;
        break;
    case 22: /* flowStartSysUpTime */
        f->start_uptime = n;
        break;
    case 150:
        f->start = from_seconds(n);
        break;
    case 151:
        f->end = from_seconds(n);
        break;
    case 152:
        f->start = from_millis(n);
        break;
    case 153:
        f->end = from_millis(n);
        break;
    case 154: /* flowStartMicroseconds */
    case 156:
        f->start = from_ntp(n);
        break;
    case 155:
    case 157:
        f->end = from_ntp(n);
        break;
    case 160: /* systemInitTimeMilliseconds */
        f->booted = from_millis(n);
        break;
    default:
        break;
    }
}

static const char *ecs_name(const struct flow_field *field)
{
    for (size_t i = 0; i < sizeof ecs_fields / sizeof *ecs_fields; i++)
        if (ecs_fields[i].id == field->id) return ecs_fields[i].name;
    return NULL;
}

static void add_field(struct flow *f, const struct flow_field *field, struct slice v)
{
    char name[NAME_LEN];
    bool known = (field->enterprise == 0 || field->enterprise == REVERSE) &&
                 field->id < N_ELEMENTS && ipfix_elements[field->id].name;
    bool iana = known && field->enterprise == 0;
    int n;
    if (field->id == 210 && iana) return; /* paddingOctets */
    if (known)
        n = snprintf(name, sizeof name, "%s%s", iana ? "" : "reverse_",
                     ipfix_elements[field->id].name);
    else if (field->enterprise)
        n = snprintf(name, sizeof name, "element_%u_%u", field->enterprise, field->id);
    else n = snprintf(name, sizeof name, "element_%u", field->id);
    ASSERT(n > 0 && n < (int)sizeof name);
    key_id key = keys_intern(f->ev->keys, f->netflow, slice_make(name, (size_t)n));
    add_value(f, key, iana ? ecs_name(field) : NULL,
              known ? (enum element_kind)ipfix_elements[field->id].kind : ELEMENT_NONE, v);
    if (iana && v.len >= 1 && v.len <= 8) note(f, field->id, be_number(v.ptr, v.len));
    if (iana && (field->id == 8 || field->id == 27))
        event_add_named(f->ev, SLICE("network.type"), VALUE_STRING,
                        field->id == 8 ? SLICE("ipv4") : SLICE("ipv6"));
}

/* ---- what is put together ----------------------------------------------------------------- */

static void add_counts(struct flow *f)
{
    struct event *ev = f->ev;
    uint64_t bytes = 0, packets = 0;
    bool whole = !__builtin_add_overflow(f->bytes, f->back_bytes, &bytes) &&
                 !__builtin_add_overflow(f->packets, f->back_packets, &packets);
    if (f->has_bytes) form_printf(ev, "source.bytes", "%" PRIu64, f->bytes);
    if (f->has_packets) form_printf(ev, "source.packets", "%" PRIu64, f->packets);
    if (f->has_back_bytes) form_printf(ev, "destination.bytes", "%" PRIu64, f->back_bytes);
    if (f->has_back_packets) form_printf(ev, "destination.packets", "%" PRIu64, f->back_packets);
    if (whole && (f->has_bytes || f->has_back_bytes))
        form_printf(ev, "network.bytes", "%" PRIu64, bytes);
    if (whole && (f->has_packets || f->has_back_packets))
        form_printf(ev, "network.packets", "%" PRIu64, packets);
}

static nsec since_boot(const struct flow *f, nsec told, uint64_t uptime)
{
    nsec t;
    if (told != TIME_NONE || f->booted == TIME_NONE || uptime > UINT32_MAX) return told;
    if (__builtin_add_overflow(f->booted, (nsec)uptime * NSEC_PER_MSEC, &t)) return TIME_NONE;
    return t;
}

static void add_times(struct flow *f)
{
    nsec start = since_boot(f, f->start, f->start_uptime), duration;
    nsec end = since_boot(f, f->end, f->end_uptime);
    if (start != TIME_NONE) form_add_time(f->ev, "event.start", start);
    if (end != TIME_NONE) form_add_time(f->ev, "event.end", end);
    if (start == TIME_NONE || end == TIME_NONE || end < start ||
        __builtin_sub_overflow(end, start, &duration))
        return;
    form_printf(f->ev, "event.duration", "%" PRId64, duration);
}

/* ---- the record --------------------------------------------------------------------------- */

static void begin_flow(struct flow *f, struct event *ev, const struct record *r, bool options,
                       unsigned version, uint32_t domain)
{
    struct record_source source;
    record_source_read(r->source, &source);
    form_add_time(ev, "@timestamp", f->exported);
    event_add_named(ev, SLICE("netflow.type"), VALUE_STRING,
                    options ? SLICE("netflow_options") : SLICE("netflow_flow"));
    form_printf(ev, "netflow.exporter.version", "%u", version);
    form_printf(ev, "netflow.exporter.source_id", "%u", domain);
    if (source.address.len) event_add_named(ev, SLICE("observer.ip"), VALUE_STRING, source.address);
}

static const char *read_fields(struct flow *f, const struct flow_field *fields, size_t n,
                               struct slice raw)
{
    for (size_t i = 0; i < n; i++) {
        struct slice value;
        if (flow_take_field(&fields[i], &raw, &value) != 0) return "the record ends too early";
        add_field(f, &fields[i], value);
    }
    add_counts(f);
    add_times(f);
    return NULL;
}

static const char *read_v5(struct flow *f, const struct record *r)
{
    const char *h = r->context.ptr;
    if (r->context.len != FLOW5_HEADER) return "its packet header is missing";
    f->exported = from_seconds(be32(h + 8)) + (nsec)be32(h + 12) % NSEC_PER_SEC;
    f->booted = f->exported - (nsec)be32(h + 4) * NSEC_PER_MSEC;
    begin_flow(f, f->ev, r, false, 5, be16(h + 20));
    return read_fields(f, v5_fields, sizeof v5_fields / sizeof *v5_fields, r->raw);
}

const char *flow_read(const struct record *r, struct event *ev)
{
    struct flow f = {.ev = ev,
                     .netflow = keys_intern_path(ev->keys, SLICE("netflow")),
                     .booted = TIME_NONE,
                     .start = TIME_NONE,
                     .end = TIME_NONE,
                     .start_uptime = UINT64_MAX,
                     .end_uptime = UINT64_MAX};
    if (r->format == RECORD_NETFLOW5) return read_v5(&f, r);
    bool v9 = r->format == RECORD_NETFLOW9;
    size_t header = v9 ? FLOW9_HEADER : FLOW_IPFIX_HEADER, len;
    struct flow_template t;
    const char *h = r->context.ptr;
    if (r->context.len < header + 2) return "its header and template are missing";
    unsigned set = be16(h + header);
    enum record_format format = (enum record_format)r->format;
    if (!flow_has_templates(format, set) ||
        flow_template_read(format, set, slice_from(r->context, header + 2), &t, &len) != 0)
        return "its template cannot be read";
    f.exported = from_seconds(be32(h + (v9 ? 8 : 4)));
    if (v9) f.booted = f.exported - (nsec)be32(h + 4) * NSEC_PER_MSEC;
    begin_flow(&f, ev, r, t.options, v9 ? 9 : 10, be32(h + header - 4));
    return read_fields(&f, t.fields, t.n_fields, r->raw);
}
