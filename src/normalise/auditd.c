/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Records of the Linux audit system, as auditd writes them and `ausearch --raw` prints them:
 *
 *   [node=HOST ]type=TYPE msg=audit(SECONDS.MILLIS:SERIAL): NAME=VALUE …[GS NAME=VALUE …]
 *
 * One line is one event, as Sigma's auditd rules expect; lines with the same serial are not
 * joined. Fields have the names of the record, and besides:
 *
 *   type, node        from the front of the line
 *   audit.timestamp   as written between the parentheses (1364481363.243)
 *   audit.sequence    SERIAL
 *   syscall           with arch=c000003e (x86-64) also the call's name, next to the number;
 *   SYSCALL           the same name, unless the enriched part has it
 *   seresult, seperms SELinux: `avc:  denied  { read write } for` gives `denied` and a value each
 *   message           the text behind the front, when it holds words outside NAME=VALUE
 *
 * A value is "quoted", plain to the next space, or 'nested' in single quotes (what user space
 * sends as msg='…', which ends at the last single quote of its part) or { … } (the enriched SADDR):
 * nested text is a value itself and its own NAME=VALUE are fields too. What follows the group
 * separator 0x1d is auditd's enriched part (names in capitals) and read alike.
 *
 * The kernel writes text that a user controls in hexadecimal when it holds a space, a quote or a
 * control character, and then without quotes. Fields that hold such text are decoded: the ones of
 * `special` below and EXECVE's aN. In a decoded proctitle NUL (between arguments) becomes a space;
 * a key is split at 0x01 into one value for each key. Long EXECVE arguments come as a1[0], a1[1]…:
 * each piece is a value of a1.
 *
 * Blank lines, comments (#) and ausearch's separators (----, time->) are no records.
 */
#include "normalise/auditd_syscalls.h"
#include "normalise/decoder.h"
#include "normalise/lines.h"
#include "normalise/record_forms.h"

enum { NESTED_MAX = 8, NAME_MAX_LEN = 64 };

struct auditd_keys {
    key_id type, node, timestamp, sequence, syscall, syscall_name, seresult, seperms, message;
};

struct auditd {
    struct line_decoder d;
    uint32_t generation;
    bool keyed;
    struct auditd_keys keys;
    uint8_t *roles; /* by key */
    uint32_t n_roles;
    bool execve, x86_64, named_syscall; /* of the record at hand */
    struct slice syscall;
    struct slice nested[NESTED_MAX]; /* text still to be read for fields */
    uint32_t n_nested, next_nested;
};

enum role {
    ROLE_ENCODED = 1, /* untrusted text: audit_log_untrustedstring, libaudit's value encoding */
    ROLE_PROCTITLE = 2,
    ROLE_KEY = 4,
    ROLE_ARCH = 8,
    ROLE_SYSCALL = 16,
    ROLE_SYSCALL_NAME = 32,
};

/* The names whose values are more than text to be added. */
static const struct {
    const char *name;
    unsigned roles;
} special[] = {
    {"acct", ROLE_ENCODED},         {"arch", ROLE_ARCH},
    {"cgroup", ROLE_ENCODED},       {"cmd", ROLE_ENCODED},
    {"comm", ROLE_ENCODED},         {"cwd", ROLE_ENCODED},
    {"data", ROLE_ENCODED},         {"dir", ROLE_ENCODED},
    {"exe", ROLE_ENCODED},          {"key", ROLE_ENCODED | ROLE_KEY},
    {"name", ROLE_ENCODED},         {"new-disk", ROLE_ENCODED},
    {"ocomm", ROLE_ENCODED},        {"old-disk", ROLE_ENCODED},
    {"path", ROLE_ENCODED},         {"proctitle", ROLE_ENCODED | ROLE_PROCTITLE},
    {"profile", ROLE_ENCODED},      {"root_dir", ROLE_ENCODED},
    {"sw", ROLE_ENCODED},           {"syscall", ROLE_SYSCALL},
    {"SYSCALL", ROLE_SYSCALL_NAME}, {"vm", ROLE_ENCODED},
    {"watch", ROLE_ENCODED},
};
enum { N_SPECIAL = sizeof special / sizeof *special };

/* a0, a12, a1[0]: how long the part before the bracket is; 0 when it is no argument. */
static size_t argument_len(struct slice name)
{
    size_t i = 1;
    if (name.len < 2 || name.ptr[0] != 'a') return 0;
    while (i < name.len && name.ptr[i] >= '0' && name.ptr[i] <= '9') i++;
    return i > 1 && (i == name.len || name.ptr[i] == '[') ? i : 0;
}

static bool is_hex(struct slice s)
{
    if (s.len == 0 || s.len % 2) return false;
    for (size_t i = 0; i < s.len; i++)
        if (hex_value(s.ptr[i]) < 0) return false;
    return true;
}

static struct slice decode_hex(struct auditd *d, struct slice s)
{
    char *dst = line_decoder_room(&d->d, s.len / 2);
    if (!dst) return s;
    for (size_t i = 0; i < s.len / 2; i++)
        dst[i] = (char)(hex_value(s.ptr[2 * i]) << 4 | hex_value(s.ptr[2 * i + 1]));
    return slice_make(dst, s.len / 2);
}

/* Arguments stand one behind the other with a NUL between; trailing NULs say nothing. */
static struct slice join_arguments(struct slice s)
{
    char *p = (char *)(uintptr_t)s.ptr; /* decoded by us: our own room */
    while (s.len && p[s.len - 1] == '\0') s.len--;
    for (size_t i = 0; i < s.len; i++)
        if (p[i] == '\0') p[i] = ' ';
    return s;
}

static void add(struct auditd *d, key_id key, struct slice value)
{
    event_add(&d->d.ev, key, VALUE_STRING, value);
}

static __attribute__((noinline)) void add_special(struct auditd *d, key_id key, unsigned roles,
                                                  struct slice value, bool quoted)
{
    if (!quoted && roles & ROLE_ENCODED && is_hex(value)) {
        struct slice text = decode_hex(d, value);
        if (roles & ROLE_PROCTITLE && text.ptr != value.ptr) text = join_arguments(text);
        value = text;
    }
    if (roles & ROLE_SYSCALL) d->syscall = value;
    if (roles & ROLE_SYSCALL_NAME) d->named_syscall = true;
    if (roles & ROLE_ARCH && slice_eq(value, SLICE("c000003e"))) d->x86_64 = true;
    struct slice one = value;
    while (roles & ROLE_KEY && slice_split(value, '\x01', &one, &value)) add(d, key, one);
    add(d, key, one);
}

/* A value as it stands in the record. */
static void add_pair(struct auditd *d, struct slice name, struct slice value, bool quoted)
{
    size_t argument = d->execve ? argument_len(name) : 0;
    if (argument) name.len = argument;
    key_id key = keys_intern_path(d->d.ev.keys, name);
    unsigned roles = key < d->n_roles ? d->roles[key] : 0;
    if (argument) roles |= ROLE_ENCODED;
    if (roles) add_special(d, key, roles, value, quoted);
    else add(d, key, value);
}

static bool is_name_byte(char c)
{
    static const bool is[256] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['_'] = true,
        ['-'] = true,         ['['] = true,         [']'] = true,         ['.'] = true,
    };
    return is[(unsigned char)c];
}

static struct slice name_at(struct slice s)
{
    const struct slice window = slice_until(s, NAME_MAX_LEN);
    size_t n = 0;
    while (n < window.len && is_name_byte(window.ptr[n])) n++;
    return slice_until(s, n);
}

/* Reads the value at *s, which stands behind the `=`; returns it and moves *s behind it. */
static void read_value(struct auditd *d, struct slice name, struct slice *s)
{
    char first = s->len ? s->ptr[0] : ' ';
    char close = first == '"' ? '"' : first == '\'' ? '\'' : first == '{' ? '}' : '\0';
    if (close) {
        struct slice inner = slice_from(*s, 1);
        bool last = close == '\'' && slice_eq(name, SLICE("msg"));
        const char *end = inner.len == 0 ? NULL
                          : last         ? memrchr(inner.ptr, close, inner.len)
                                         : memchr(inner.ptr, close, inner.len);
        size_t n = end ? (size_t)(end - inner.ptr) : inner.len;
        struct slice value = slice_until(inner, n);
        if (close != '"') {
            value = slice_trim(value);
            if (d->n_nested < NESTED_MAX) d->nested[d->n_nested++] = value;
            else d->d.ev.flags |= EVENT_CUT;
        }
        add_pair(d, name, value, true);
        *s = slice_from(inner, end ? n + 1 : n);
        return;
    }
    struct slice value = slice_until(*s, slice_find_byte(*s, ' '));
    *s = slice_from(*s, value.len);
    /* Older programs write (hostname=?, addr=?, terminal=pts/0 res=success). */
    if (value.len && value.ptr[value.len - 1] == ',') value.len--;
    if (value.len && value.ptr[value.len - 1] == ')' && slice_find_byte(value, '(') == SIZE_MAX)
        value.len--;
    add_pair(d, name, value, false);
}

/* SELinux: denied  { read write } */
static void read_avc(struct auditd *d, struct slice s)
{
    s = slice_trim(slice_from(s, 4));
    struct slice result = slice_until(s, slice_find_byte(s, ' '));
    s = slice_trim(slice_from(s, result.len));
    if (s.len == 0 || s.ptr[0] != '{') return;
    add(d, d->keys.seresult, result);
    s = slice_trim(slice_until(slice_from(s, 1), slice_find_byte(slice_from(s, 1), '}')));
    struct slice one;
    while (s.len && !(d->d.ev.flags & EVENT_CUT)) {
        (void)slice_split(s, ' ', &one, &s);
        if (one.len) add(d, d->keys.seperms, one);
    }
}

/* Reads all NAME=VALUE of s; returns whether there were other words. */
static bool read_pairs(struct auditd *d, struct slice s)
{
    bool words = false;
    while (s.len && !(d->d.ev.flags & EVENT_CUT)) {
        if (s.ptr[0] == ' ' || s.ptr[0] == '(' || s.ptr[0] == ',') {
            s = slice_from(s, 1);
            continue;
        }
        const struct slice name = name_at(s);
        if (name.len && name.len < s.len && s.ptr[name.len] == '=') {
            s = slice_from(s, name.len + 1);
            read_value(d, name, &s);
        } else {
            words = true;
            s = slice_from(s, slice_until(s, slice_find_byte(s, ' ')).len);
        }
    }
    return words;
}

static void add_syscall_name(struct auditd *d)
{
    enum { N = sizeof auditd_syscalls_x86_64 / sizeof *auditd_syscalls_x86_64 };
    uint64_t number;
    if (!d->x86_64 || !slice_to_u64(d->syscall, &number) || number >= N) return;
    struct slice name = slice_of(auditd_syscalls_x86_64[number]);
    if (name.len == 0) return;
    add(d, d->keys.syscall, name);
    if (!d->named_syscall) add(d, d->keys.syscall_name, name);
}

struct front {
    struct slice node, type, timestamp, sequence, body;
};

/* Takes `NAME=WORD ` off *s. */
static bool take_word(struct slice *s, struct slice prefix, struct slice *ret)
{
    if (!slice_starts_with(*s, prefix)) return false;
    struct slice rest = slice_from(*s, prefix.len);
    if (!slice_split(rest, ' ', ret, &rest) || ret->len == 0) return false;
    *s = rest;
    return true;
}

static bool read_front(struct slice line, struct front *ret)
{
    *ret = (struct front){0};
    (void)take_word(&line, SLICE("node="), &ret->node);
    if (!take_word(&line, SLICE("type="), &ret->type)) return false;
    if (!slice_starts_with(line, SLICE("msg=audit("))) return false;
    line = slice_from(line, 10);
    size_t close = slice_find_byte(slice_until(line, 128), ')');
    if (close == SIZE_MAX) return false;
    struct slice id = slice_until(line, close);
    const char *colon = id.len ? memrchr(id.ptr, ':', id.len) : NULL;
    if (!colon) return false;
    uint64_t serial;
    ret->timestamp = slice_until(id, (size_t)(colon - id.ptr));
    ret->sequence = slice_from(id, ret->timestamp.len + 1);
    if (ret->timestamp.len == 0 || !slice_to_u64(ret->sequence, &serial)) return false;
    line = slice_from(line, close + 1);
    /* `ausearch -i` puts a space before the colon. */
    if (slice_starts_with(line, SLICE(" "))) line = slice_from(line, 1);
    if (!slice_starts_with(line, SLICE(":"))) return false;
    ret->body = slice_trim(slice_from(line, 1));
    return true;
}

static bool is_no_record(struct slice line)
{
    struct slice text = slice_trim(line);
    return text.len == 0 || text.ptr[0] == '#' || slice_eq(text, SLICE("----")) ||
           slice_starts_with(text, SLICE("time->"));
}

static void intern_special(struct auditd *d)
{
    key_id ids[N_SPECIAL], most = 0;
    for (size_t i = 0; i < N_SPECIAL; i++) {
        ids[i] = keys_intern_path(d->d.base.keys, slice_of(special[i].name));
        if (ids[i] > most) most = ids[i];
    }
    uint8_t *grown = realloc(d->roles, most + 1);
    ASSERT(grown);
    memset(grown, 0, most + 1);
    for (size_t i = 0; i < N_SPECIAL; i++) grown[ids[i]] = (uint8_t)special[i].roles;
    d->roles = grown;
    d->n_roles = most + 1;
}

static void auditd_intern(struct auditd *d)
{
    struct keys *k = d->d.base.keys;
    if (d->keyed && d->generation == keys_generation(k)) return;
    d->keys = (struct auditd_keys){
        .type = keys_intern_path(k, SLICE("type")),
        .node = keys_intern_path(k, SLICE("node")),
        .timestamp = keys_intern_path(k, SLICE("audit.timestamp")),
        .sequence = keys_intern_path(k, SLICE("audit.sequence")),
        .syscall = keys_intern_path(k, SLICE("syscall")),
        .syscall_name = keys_intern_path(k, SLICE("SYSCALL")),
        .seresult = keys_intern_path(k, SLICE("seresult")),
        .seperms = keys_intern_path(k, SLICE("seperms")),
        .message = keys_intern_path(k, SLICE("message")),
    };
    intern_special(d);
    d->generation = keys_generation(k);
    d->keyed = true;
}

static int auditd_line(void *ctx, struct slice line, uint64_t offset)
{
    struct auditd *d = ctx;
    struct front front;
    if (is_no_record(line)) return 0;
    if (!read_front(line, &front)) {
        line_decoder_bad(&d->d, offset, "not an audit record");
        return 0;
    }
    auditd_intern(d);
    struct event *ev = line_decoder_event(&d->d, line);
    ev->flags |= EVENT_CANONICAL;
    add(d, d->keys.type, front.type);
    if (front.node.len) add(d, d->keys.node, front.node);
    add(d, d->keys.timestamp, front.timestamp);
    add(d, d->keys.sequence, front.sequence);

    d->execve = slice_eq(front.type, SLICE("EXECVE"));
    d->x86_64 = d->named_syscall = false;
    d->syscall = SLICE_NONE;
    d->n_nested = d->next_nested = 0;
    struct slice body, enriched;
    (void)slice_split(front.body, '\x1d', &body, &enriched);
    if (slice_starts_with(body, SLICE("avc:"))) read_avc(d, body);
    bool words = read_pairs(d, body);
    if (read_pairs(d, enriched)) words = true;
    while (d->next_nested < d->n_nested) (void)read_pairs(d, d->nested[d->next_nested++]);
    add_syscall_name(d);
    if (words) add(d, d->keys.message, front.body);
    return line_decoder_emit(&d->d);
}

static int auditd_record(struct decoder *base, struct slice record)
{
    int rc = 0;
    struct slice rest = record, line;
    while (rc == 0 && rest.len) {
        uint64_t offset = record.len - rest.len;
        (void)slice_split(rest, '\n', &line, &rest);
        if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
        rc = auditd_line(base, line, offset);
    }
    return rc;
}

static int auditd_too_long(void *ctx, uint64_t offset)
{
    struct auditd *d = ctx;
    line_decoder_bad(&d->d, offset, "line too long");
    return 0;
}

static int sniff_text(struct slice text, bool final)
{
    struct slice line;
    unsigned lines = 0, fits = 0;
    struct front front;
    for (bool first = true; lines_sniff_next(&text, final, &first, &line);) {
        if (is_no_record(line)) continue;
        lines++;
        if (read_front(line, &front)) fits++;
    }
    return fits == 0 ? 0 : fits == lines ? 95 : fits * 2 > lines ? 85 : 0;
}

static int auditd_sniff(struct slice head, bool final)
{
    char storage[LINES_SNIFF_TEXT];
    return sniff_text(lines_sniff_text(head, storage), final);
}

bool auditd_begins(struct slice text)
{
    return (slice_starts_with(text, SLICE("type=")) || slice_starts_with(text, SLICE("node="))) &&
           sniff_text(slice_until(text, LINES_SNIFF_MAX), true) > 0;
}

static struct decoder *auditd_open(const struct decoder_out *out, struct keys *keys)
{
    struct auditd *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    line_decoder_init(&d->d, &decoder_auditd, out, keys, false);
    return &d->d.base;
}

static struct lines_sink auditd_sink(struct auditd *d)
{
    return (struct lines_sink){.ctx = d, .line = auditd_line, .too_long = auditd_too_long};
}

static int auditd_feed(struct decoder *base, struct slice data)
{
    struct auditd *d = (struct auditd *)base;
    const struct lines_sink sink = auditd_sink(d);
    return lines_feed(&d->d.lines, data, &sink);
}

static int auditd_finish(struct decoder *base)
{
    struct auditd *d = (struct auditd *)base;
    const struct lines_sink sink = auditd_sink(d);
    return lines_finish(&d->d.lines, &sink);
}

static void auditd_close(struct decoder *base)
{
    if (!base) return;
    free(((struct auditd *)base)->roles);
    line_decoder_done((struct line_decoder *)base);
    free(base);
}

const struct decoder_ops decoder_auditd = {
    .name = "auditd",
    .sniff = auditd_sniff,
    .open = auditd_open,
    .feed = auditd_feed,
    .finish = auditd_finish,
    .record = auditd_record,
    .close = auditd_close,
};
