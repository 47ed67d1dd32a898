/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Lines of text: RFC 5424, RFC 3164 (BSD) as programs really write it, and lines that are neither.
 *
 *   5424   <PRI>1 TIMESTAMP HOST APP PROCID MSGID SD [MSG]        `-` is nothing
 *   3164   [<PRI>][TIMESTAMP ][HOST ][TAG[[PID]]: ]MSG
 *
 * where 3164's TIMESTAMP is `Mmm dd hh:mm:ss[.frac]`, the same with a year behind the day or
 * behind the time, or a zone (`+02:00`) there, and whole names of months, ISO 8601 with a `T`,
 * `YYYY:MM:DD-hh:mm:ss` (Sophos UTM), or behind a PRI `YYYY-MM-DD hh:mm:ss[.frac] ±hhmm`
 * (Barracuda). The host is missing when the word after the timestamp is itself a tag or cannot be a
 * host. A tag ends in `:` or `[PID]`. The
 * `<FACILITY.LEVEL>` that FreeBSD's syslogd may put behind the timestamp is passed over.
 *
 *   Cisco  [<PRI>]HEAD %FACILITY-SEVERITY-MNEMONIC: MSG
 *
 * HEAD is what devices and relays put there: any of COUNT, HOST, TAG or TAG[PID], `*` or `.`
 * TIMESTAMP, ZONE and the time since the start (`2y10w`), with blanks and colons between them.
 * Their timestamp may also be `YYYY Mmm dd hh:mm:ss`. The last of each counts; but a timestamp with
 * `*`, whose clock was never set, not when there is another one. Other words, or more than two
 * names, in HEAD are a program's own text, and the line is none of Cisco's. A mnemonic of digits
 * needs no colon.
 *
 *   Citrix [<PRI>][TIMESTAMP ][HOST ]99/99/9999:hh:mm:ss[ ZONE] [HOST] CORE-PPE-NUMBER : MSG
 *
 * NetScaler's packet engine (`0-PPE-0`) is the program; its own time and host count. Which of the
 * first two numbers is the month is a setting of the device.
 *
 * Fields, all text and each present only when the line has it:
 *
 *   timestamp   as written; also of a plain line that begins with `YYYY-MM-DD hh:mm:ss`
 *   hostname    HOST
 *   program     APP or TAG
 *               of Cisco's lines %FACILITY-SEVERITY-MNEMONIC; of 5424 only when there is no APP
 *   pid         PROCID or PID
 *   msgid       MSGID
 *   message     MSG without a byte order mark, UTF-16 as UTF-8; of a plain line the whole line
 *   priority    the number between < and >
 *   facility    priority / 8, a number
 *   severity    priority % 8, a number
 *   tag, timezone, sequence   a device's TAG, ZONE and COUNT
 *   mark        Cisco's %FACILITY-SEVERITY-MNEMONIC with the colon behind it: rules that look for
 *               words look for that
 *   sd.ID.NAME  one structured data parameter, escapes resolved; sd.ID is empty text for an
 *               element without parameters
 *
 * A 5424 header whose structured data is damaged keeps what was read; the message is then all
 * that follows, and the event is marked EVENT_DAMAGED.
 */
#include "normalise/decoder.h"

#include "base/time.h"
#include "base/utf8.h"
#include "normalise/lines.h"

struct syslog_keys {
    key_id timestamp, hostname, program, pid, msgid, message, priority, facility, severity, sd;
    key_id tag, timezone, sequence, mark; /* of devices */
};

struct syslog {
    struct line_decoder d;
    uint32_t generation;
    bool keyed;
    struct syslog_keys keys;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether s begins with the shape: `9` a digit, `_` a digit or space, anything else itself. */
static bool has_shape(struct slice s, const char *shape)
{
    size_t n = strlen(shape);
    if (s.len < n) return false;
    for (size_t i = 0; i < n; i++) {
        char c = s.ptr[i];
        bool fits = shape[i] == '9'   ? is_digit(c)
                    : shape[i] == '_' ? is_digit(c) || c == ' '
                                      : c == shape[i];
        if (!fits) return false;
    }
    return true;
}

/* Behind the seconds: `.123` or `,123`. */
static size_t fraction_len(struct slice s, size_t at)
{
    if (s.len - at < 2 || (s.ptr[at] != '.' && s.ptr[at] != ',') || !is_digit(s.ptr[at + 1]))
        return 0;
    size_t i = at + 1;
    while (i < s.len && is_digit(s.ptr[i])) i++;
    return i - at;
}

/* ` 2026` or ` +02:00` behind the clock of an RFC 3164 timestamp. */
static size_t bsd_tail_len(struct slice s)
{
    if (has_shape(s, " 9999") && (s.len == 5 || s.ptr[5] == ' ' || s.ptr[5] == ':')) return 5;
    return has_shape(s, " +99:99 ") || has_shape(s, " -99:99 ") ? 7 : 0;
}

/* The length of the RFC 3164 timestamp that s begins with, or 0. */
static size_t bsd_time_len(struct slice s)
{
    int month;
    size_t n = time_month_len(s, &month);
    if (n == 0) return 0;
    struct slice rest = slice_from(s, n);
    size_t day = has_shape(rest, " _9 ") ? 4 : has_shape(rest, " 9 ") ? 3 : 0;
    if (day == 0) return 0;
    n += day;
    bool year = has_shape(slice_from(s, n), "9999 ");
    if (year) n += 5;
    if (!has_shape(slice_from(s, n), "99:99:99")) return 0;
    n += 8;
    n += fraction_len(s, n);
    return year ? n : n + bsd_tail_len(slice_from(s, n));
}

/* The length of the ISO 8601 timestamp that s begins with, `separator` before the hour; or 0. */
static size_t iso_time_len(struct slice s, char separator)
{
    if (!has_shape(s, "9999-99-99") || s.len < 11 || s.ptr[10] != separator ||
        !has_shape(slice_from(s, 11), "99:99:99"))
        return 0;
    size_t n = 19;
    n += fraction_len(s, n);
    struct slice zone = slice_from(s, n);
    if (zone.len && (zone.ptr[0] == 'Z' || zone.ptr[0] == 'z')) return n + 1;
    if (zone.len && (zone.ptr[0] == '+' || zone.ptr[0] == '-')) {
        if (has_shape(slice_from(zone, 1), "99:99")) return n + 6;
        if (has_shape(slice_from(zone, 1), "9999")) return n + 5;
        if (has_shape(slice_from(zone, 1), "99")) return n + 3;
    }
    return n;
}

/* `YYYY-MM-DD hh:mm:ss[.frac] ±hhmm`, in which a program's own line begins, too. */
static size_t zoned_time_len(struct slice s)
{
    size_t n = iso_time_len(s, ' ');
    struct slice zone = slice_from(s, n);
    return n && (has_shape(zone, " +9999 ") || has_shape(zone, " -9999 ")) ? n + 6 : 0;
}

/* `<0>` to `<191>` at the start; *ret_text is the number as written. Returns its length or 0. */
static size_t priority_len(struct slice s, struct slice *ret_text, unsigned *ret_value)
{
    if (s.len < 3 || s.ptr[0] != '<') return 0;
    size_t i = 1;
    unsigned value = 0;
    for (; i < s.len && i <= 3 && is_digit(s.ptr[i]); i++)
        value = value * 10 + (unsigned)(s.ptr[i] - '0');
    if (i == 1 || i >= s.len || s.ptr[i] != '>' || value > 191) return 0;
    *ret_text = slice_make(s.ptr + 1, i - 1);
    *ret_value = value;
    return i + 1;
}

/* `YYYY Mmm dd hh:mm:ss[.frac]`, as Cisco's NX-OS writes it. */
static size_t year_time_len(struct slice s)
{
    size_t n = has_shape(s, "9999 ") ? bsd_time_len(slice_from(s, 5)) : 0;
    return n ? n + 5 : 0;
}

static void add(struct syslog *d, key_id key, struct slice value)
{
    event_add(&d->d.ev, key, VALUE_STRING, value);
}

/* Programs of Windows hand in UTF-16, which their sender puts behind a header of ASCII. */
static void add_message(struct syslog *d, struct slice s)
{
    size_t mark;
    if (utf16_look(s, &mark) != UTF16_NONE) {
        char *text = arena_alloc(&d->d.arena, s.len / 2 * 3 + UTF16_TAIL);
        if (text) s = slice_make(text, utf16_text(s, text));
        else d->d.ev.flags |= EVENT_CUT;
    }
    add(d, d->keys.message, s);
}

static void add_priority(struct syslog *d, struct slice text, unsigned value)
{
    static const char numbers[24][3] = {"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",
                                        "8",  "9",  "10", "11", "12", "13", "14", "15",
                                        "16", "17", "18", "19", "20", "21", "22", "23"};
    add(d, d->keys.priority, text);
    add(d, d->keys.facility, slice_of(numbers[value / 8]));
    add(d, d->keys.severity, slice_of(numbers[value % 8]));
}

static struct slice word_at(struct slice s)
{
    return slice_until(s, slice_find_byte(s, ' '));
}

/* `\"`, `\\` and `\]` (RFC 5424, 6.3.3); any other backslash stands for itself. */
static bool is_escape(struct slice s, size_t at)
{
    if (s.ptr[at] != '\\' || at + 1 >= s.len) return false;
    return s.ptr[at + 1] == '"' || s.ptr[at + 1] == '\\' || s.ptr[at + 1] == ']';
}

/*
 * A parameter's value from behind its opening quote, escapes resolved. Returns the bytes read up
 * to and with the closing quote, or 0 without one.
 */
static size_t sd_value(struct syslog *d, struct slice s, struct slice *ret)
{
    size_t end = 0, escapes = 0;
    while (end < s.len && s.ptr[end] != '"') {
        bool escape = is_escape(s, end);
        escapes += escape;
        end += escape ? 2 : 1;
    }
    if (end >= s.len) return 0;
    *ret = slice_until(s, end);
    if (escapes == 0) return end + 1;
    char *dst = line_decoder_room(&d->d, end - escapes);
    if (!dst) return end + 1;
    size_t o = 0;
    for (size_t i = 0; i < end; i++) {
        if (is_escape(s, i)) i++;
        dst[o++] = s.ptr[i];
    }
    *ret = slice_make(dst, o);
    return end + 1;
}

/* SD-NAME: printable ASCII without `=`, space, `]` and `"`. */
static size_t sd_name_len(struct slice s)
{
    size_t i = 0;
    while (i < s.len && s.ptr[i] > 0x20 && s.ptr[i] < 0x7f && s.ptr[i] != '=' && s.ptr[i] != ']' &&
           s.ptr[i] != '"')
        i++;
    return i;
}

/* One [ID NAME="VALUE" ...] at the start of s; the bytes read, or 0 when it is damaged. */
static size_t sd_element(struct syslog *d, struct slice s)
{
    struct event *ev = &d->d.ev;
    size_t at = 1, n = sd_name_len(slice_from(s, 1));
    if (n == 0) return 0;
    key_id id = keys_intern(ev->keys, d->keys.sd, slice_make(s.ptr + 1, n));
    at += n;
    if (at < s.len && s.ptr[at] == ']') {
        event_add(ev, id, VALUE_STRING, SLICE(""));
        return at + 1;
    }
    while (at < s.len && s.ptr[at] != ']') {
        while (at < s.len && s.ptr[at] == ' ') at++;
        if (at < s.len && s.ptr[at] == ']') break;
        struct slice name = slice_until(slice_from(s, at), sd_name_len(slice_from(s, at)));
        at += name.len;
        if (name.len == 0 || s.len - at < 2 || s.ptr[at] != '=' || s.ptr[at + 1] != '"') return 0;
        struct slice value;
        n = sd_value(d, slice_from(s, at + 2), &value);
        if (n == 0) return 0;
        at += 2 + n;
        if (ev->flags & EVENT_CUT) continue; /* interning more names would only fill the table */
        event_add(ev, keys_intern(ev->keys, id, name), VALUE_STRING, value);
    }
    return at < s.len ? at + 1 : 0;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_name(char c)
{
    static const bool is[256] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['_'] = true};
    return is[(unsigned char)c];
}

static size_t digits_len(struct slice s)
{
    size_t n = 0;
    while (n < s.len && is_digit(s.ptr[n])) n++;
    return n;
}

enum { MARK_MAX = 128 };

struct mark {
    struct slice name, written; /* with the colon behind it, or empty */
    size_t len;                 /* up to the message */
};

/*
 * %FACILITY-SEVERITY-MNEMONIC at the start of s, the facility perhaps with parts of its own
 * (`%PIM-SW1-6-INVALID_RP_JOIN`).
 */
static bool read_mark(struct slice s, struct mark *ret)
{
    struct slice window = slice_until(s, MARK_MAX);
    if (window.len < 2 || s.ptr[0] != '%' || !is_upper(s.ptr[1])) return false;
    size_t i = 1, part = 1;
    bool severity = false; /* the part before was one digit */
    for (; i < window.len && (is_name(s.ptr[i]) || (s.ptr[i] == '-' && !severity)); i++) {
        if (s.ptr[i] != '-') continue;
        severity = i - part == 1 && is_digit(s.ptr[part]);
        part = i + 1;
    }
    if (!severity || i == part) return false;
    struct mark mark = {.name = slice_until(s, i)};
    while (i < s.len && s.ptr[i] == ' ') i++;
    if (i < s.len && s.ptr[i] == ':') {
        if (i == mark.name.len) mark.written = slice_until(s, i + 1);
        i++;
    } else if (i == mark.name.len ||
               digits_len(slice_from(mark.name, part)) + part < mark.name.len) {
        return false;
    }
    if (i < s.len && s.ptr[i] == ' ') i++;
    mark.len = i;
    *ret = mark;
    return true;
}

/* STRUCTURED-DATA [SP MSG], the rest of a 5424 line; `named`: APP was there. */
static void structured_data(struct syslog *d, struct slice s, bool named)
{
    struct event *ev = &d->d.ev;
    if (slice_eq(s, SLICE("-")) || slice_starts_with(s, SLICE("- "))) {
        s = slice_from(s, 1);
    } else {
        while (s.len && s.ptr[0] == '[') {
            size_t n = sd_element(d, s);
            if (n == 0) break;
            s = slice_from(s, n);
        }
        if (s.len && s.ptr[0] != ' ') ev->flags |= EVENT_DAMAGED;
    }
    if (s.len && s.ptr[0] == ' ') s = slice_from(s, 1);
    if (slice_starts_with(s, SLICE("\xEF\xBB\xBF"))) s = slice_from(s, 3);
    struct mark mark;
    if (!named && read_mark(s, &mark)) {
        add(d, d->keys.program, mark.name);
        if (mark.written.len) add(d, d->keys.mark, mark.written);
        s = slice_from(s, mark.len);
    }
    if (s.len) add_message(d, s);
}

/* What follows <PRI>. */
static bool is_5424(struct slice s)
{
    size_t i = 0;
    while (i < s.len && i < 3 && is_digit(s.ptr[i])) i++;
    if (i == 0 || s.ptr[0] == '0' || i >= s.len || s.ptr[i] != ' ') return false;
    s = slice_from(s, i + 1);
    return slice_starts_with(s, SLICE("- ")) || iso_time_len(s, 'T') > 0;
}

static void parse_5424(struct syslog *d, struct slice s)
{
    const key_id header[] = {d->keys.timestamp, d->keys.hostname, d->keys.program, d->keys.pid,
                             d->keys.msgid};
    bool named = false;
    s = slice_from(s, slice_find_byte(s, ' ') + 1);
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) {
        struct slice word = word_at(s);
        if (word.len && !slice_eq(word, SLICE("-"))) {
            add(d, header[i], word);
            named = named || header[i] == d->keys.program;
        }
        if (word.len == s.len) {
            d->d.ev.flags |= EVENT_DAMAGED;
            return;
        }
        s = slice_from(s, word.len + 1);
    }
    structured_data(d, s, named);
}

struct tag {
    struct slice name, pid;
    size_t len; /* bytes of the line up to the message */
};

enum { TAG_MAX = 255 };

/* NAME: or NAME[PID]: or NAME[PID] before a space or the end. */
static bool read_tag(struct slice s, struct tag *ret)
{
    struct slice window = slice_until(s, TAG_MAX);
    size_t i = 0;
    while (i < window.len && (unsigned char)s.ptr[i] > 0x20 && s.ptr[i] != '[' &&
           !(s.ptr[i] == ':' && (i + 1 == s.len || s.ptr[i + 1] == ' ')))
        i++;
    if (i == 0 || i == window.len) return false;
    *ret = (struct tag){.name = slice_until(s, i)};
    if (s.ptr[i] == '[') {
        size_t start = ++i;
        while (i < window.len && (unsigned char)s.ptr[i] > 0x20 && s.ptr[i] != ']') i++;
        if (i == window.len || s.ptr[i] != ']' || i == start) return false;
        ret->pid = slice_make(s.ptr + start, i - start);
        i++;
        if (i < s.len && s.ptr[i] != ':' && s.ptr[i] != ' ') return false;
    } else if (s.ptr[i] != ':') {
        return false;
    }
    if (i < s.len && s.ptr[i] == ':') i++;
    if (i < s.len && s.ptr[i] == ' ') i++;
    ret->len = i;
    return true;
}

/* A name or an address; a program's own line has a level or a thread in brackets there. */
static bool is_host(struct slice s)
{
    if (s.len == 0 || s.len > TAG_MAX) return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool fits = is_digit(s.ptr[i]) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c >= 0x80 || c == '.' || c == '-' || c == '_' || c == ':' || c == '%' ||
                    c == '/' || c == '@';
        if (!fits) return false;
    }
    return true;
}

/* ---- Cisco --------------------------------------------------------------------------------- */

enum { CISCO_HEAD_MAX = 256, CISCO_NAMES_MAX = 2 };

/* What the header of a device's line says. */
struct device {
    struct slice timestamp, zone, host, tag, program, mark, pid, sequence, message;
    unsigned names;
    bool clock_set;
};

static size_t blanks_len(struct slice s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] == ' ') n++;
    return n;
}

/* The name of a zone: three to five capitals. */
static size_t zone_len(struct slice s)
{
    size_t n = 0;
    while (n < s.len && n < 6 && is_upper(s.ptr[n])) n++;
    return n >= 3 && n <= 5 ? n : 0;
}

/* `[*|.]TIMESTAMP[ ZONE:]`; the length, or 0. */
static size_t cisco_time(struct device *c, struct slice s)
{
    bool clock_set = s.ptr[0] != '*';
    size_t mark = s.ptr[0] == '*' || s.ptr[0] == '.';
    s = slice_from(s, mark);
    size_t n = bsd_time_len(s);
    if (n == 0) n = iso_time_len(s, 'T');
    if (n == 0) n = year_time_len(s);
    if (n == 0) return 0;
    struct slice time = slice_until(s, n), zone = SLICE("");
    struct slice rest = slice_from(s, n);
    if (rest.len && rest.ptr[0] == ' ') {
        size_t z = zone_len(slice_from(rest, 1));
        if (z && z + 1 < rest.len && rest.ptr[z + 1] == ':') zone = slice_make(rest.ptr + 1, z);
    }
    if (clock_set || !c->clock_set) {
        c->timestamp = time;
        c->zone = zone;
        c->clock_set = clock_set;
    }
    return mark + n + (zone.len ? zone.len + 1 : 0);
}

/* `2y10w`, `1d02h`: how long the device has been running. */
static size_t uptime_len(struct slice s)
{
    size_t n = 0, units = 0;
    for (size_t digits; (digits = digits_len(slice_from(s, n))) > 0; units++) {
        if (n + digits >= s.len || !memchr("ywdhm", s.ptr[n + digits], 5)) return 0;
        n += digits + 1;
    }
    return units && n < s.len && s.ptr[n] == ':' ? n : 0;
}

/* A number and a colon. */
static size_t cisco_count(struct device *c, struct slice s)
{
    size_t n = digits_len(s);
    if (n == 0 || n >= s.len || s.ptr[n] != ':') return 0;
    c->sequence = slice_until(s, n);
    return n;
}

static bool begins_with_time(struct slice s)
{
    struct device unused = {0};
    return s.len && cisco_time(&unused, s);
}

/* HOST, TAG[PID], or the place of a card in the device (`RP/0/RSP0/CPU0`, a time behind its colon).
 */
static size_t cisco_name(struct device *c, struct slice s)
{
    size_t n = 0;
    while (n < s.len && (unsigned char)s.ptr[n] > 0x20 && s.ptr[n] != '[' && s.ptr[n] != '%' &&
           !(s.ptr[n] == ':' &&
             (n + 1 == s.len || s.ptr[n + 1] == ' ' || begins_with_time(slice_from(s, n + 1)))))
        n++;
    struct slice name = slice_until(s, n);
    if (!is_host(name) || n == s.len) return 0;
    if (slice_find_byte(name, '/') != SIZE_MAX) return n;
    if (++c->names > CISCO_NAMES_MAX) return 0;
    if (s.ptr[n] != '[') {
        /* Behind a host it is a tag when blanks alone part it from the mark. */
        struct slice rest = slice_from(s, n + blanks_len(slice_from(s, n)));
        if (c->host.len && rest.len && rest.ptr[0] == '%') c->tag = name;
        else c->host = name;
        return n;
    }
    size_t pid = digits_len(slice_from(s, n + 1)), end = n + 1 + pid;
    if (pid == 0 || end >= s.len || s.ptr[end] != ']') return 0;
    c->tag = name;
    c->pid = slice_make(s.ptr + n + 1, pid);
    return end + 1;
}

/* HEAD %FACILITY-SEVERITY-MNEMONIC: MSG; false when the line has another form: *ret is scratch. */
static bool read_cisco(struct slice s, struct device *ret)
{
    struct slice head = slice_until(s, CISCO_HEAD_MAX);
    if (slice_find_byte(head, '%') == SIZE_MAX) return false;
    *ret = (struct device){0};
    struct mark mark;
    for (;;) {
        while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == ':')) s = slice_from(s, 1);
        if (read_mark(s, &mark)) {
            ret->program = mark.name;
            ret->mark = mark.written;
            ret->message = slice_from(s, mark.len);
            return true;
        }
        if (s.len == 0 || s.ptr > head.ptr + head.len) return false;
        size_t n = cisco_time(ret, s);
        if (n == 0) n = uptime_len(s);
        if (n == 0) n = cisco_count(ret, s);
        if (n == 0) n = cisco_name(ret, s);
        if (n == 0) return false;
        s = slice_from(s, n);
    }
}

static void add_device(struct syslog *d, const struct device *c)
{
    const struct {
        key_id key;
        struct slice value;
    } parts[] = {{d->keys.timestamp, c->timestamp},
                 {d->keys.timezone, c->zone},
                 {d->keys.hostname, c->host},
                 {d->keys.sequence, c->sequence},
                 {d->keys.tag, c->tag},
                 {d->keys.program, c->program},
                 {d->keys.mark, c->mark},
                 {d->keys.pid, c->pid},
                 {d->keys.message, c->message}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].value.len) add(d, parts[i].key, parts[i].value);
}

/* ---- NetScaler ----------------------------------------------------------------------------- */

/* `<local0.info> `, which FreeBSD's syslogd puts behind the timestamp when called with -v. */
static size_t level_len(struct slice s)
{
    size_t n = 1;
    if (s.len == 0 || s.ptr[0] != '<') return 0;
    while (n < s.len && (is_name(s.ptr[n]) || s.ptr[n] == '.')) n++;
    if (n >= s.len || s.ptr[n] != '>' || memchr(s.ptr, '.', n) == NULL) return 0;
    n++;
    return n + blanks_len(slice_from(s, n));
}

/* [HOST ]MM/DD/YYYY:hh:mm:ss[ ZONE] [HOST] CORE-PPE-NUMBER : MSG; the first host is a relay's. */
static bool read_netscaler(struct slice s, struct device *ret)
{
    static const char stamp[] = "99/99/9999:99:99:99 ";
    s = slice_from(s, blanks_len(s));
    if (!has_shape(s, stamp)) s = slice_from(s, word_at(s).len + 1);
    if (!has_shape(s, stamp)) return false;
    struct device found = {.timestamp = slice_until(s, sizeof stamp - 2)};
    s = slice_from(s, sizeof stamp - 1);
    for (int words = 0; words < 3; words++) {
        s = slice_from(s, blanks_len(s));
        struct slice word = word_at(s);
        s = slice_from(s, word.len);
        if (slice_find(word, SLICE("-PPE-")) != SIZE_MAX) {
            if (!slice_starts_with(s, SLICE(" :"))) return false;
            found.program = word;
            found.message = slice_from(s, slice_starts_with(s, SLICE(" : ")) ? 3 : 2);
            *ret = found;
            return true;
        }
        if (!is_host(word)) return false;
        if (words == 0 && zone_len(word) == word.len) found.zone = word;
        else found.host = word;
    }
    return false;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* [HOST ][TAG]MSG after a timestamp. */
static void parse_3164_rest(struct syslog *d, struct slice s)
{
    struct tag tag;
    bool tagged = read_tag(s, &tag);
    if (!tagged) {
        struct slice host = word_at(s);
        if (is_host(host)) {
            add(d, d->keys.hostname, host);
            s = slice_from(s, host.len + 1);
            tagged = read_tag(s, &tag);
        }
    }
    if (tagged) {
        add(d, d->keys.program, tag.name);
        if (tag.pid.len) add(d, d->keys.pid, tag.pid);
        s = slice_from(s, tag.len);
    }
    if (s.len) add_message(d, s);
}

/*
 * The length of a timestamp and the space behind it, 0 without one. Cisco's firewalls put a colon
 * behind it and no host.
 */
static size_t time_and_space(struct slice s, bool has_priority, size_t *ret_time)
{
    size_t n = bsd_time_len(s);
    if (n == 0) n = iso_time_len(s, 'T');
    if (n == 0 && has_priority) n = zoned_time_len(s);
    if (n == 0 && has_shape(s, "9999:99:99-99:99:99")) n = 19;
    *ret_time = n;
    if (n == 0) return 0;
    if (n < s.len && s.ptr[n] == ':') n++;
    if (n >= s.len || s.ptr[n] != ' ') return 0;
    while (n < s.len && s.ptr[n] == ' ') n++;
    return n;
}

static void parse_line(struct syslog *d, struct slice s)
{
    struct slice text;
    unsigned value = 0;
    size_t pri = priority_len(s, &text, &value);
    if (pri) {
        add_priority(d, text, value);
        s = slice_from(s, pri);
        if (is_5424(s)) {
            parse_5424(d, s);
            return;
        }
    }
    struct device device;
    if (read_cisco(s, &device)) {
        add_device(d, &device);
        return;
    }
    size_t time_len, n = time_and_space(s, pri > 0, &time_len);
    struct slice rest = slice_from(s, n);
    if (n) rest = slice_from(rest, level_len(rest));
    if (read_netscaler(rest, &device)) {
        add_device(d, &device);
        return;
    }
    if (n) {
        add(d, d->keys.timestamp, slice_until(s, time_len));
        parse_3164_rest(d, rest);
        return;
    }
    struct tag tag;
    if (pri && read_tag(s, &tag)) {
        add(d, d->keys.program, tag.name);
        if (tag.pid.len) add(d, d->keys.pid, tag.pid);
        s = slice_from(s, tag.len);
    } else {
        n = iso_time_len(s, ' ');
        if (n) add(d, d->keys.timestamp, slice_until(s, n));
    }
    add_message(d, s);
}

static void syslog_intern(struct syslog *d)
{
    struct keys *k = d->d.base.keys;
    if (d->keyed && d->generation == keys_generation(k)) return;
    d->keys = (struct syslog_keys){
        .timestamp = keys_intern_path(k, SLICE("timestamp")),
        .hostname = keys_intern_path(k, SLICE("hostname")),
        .program = keys_intern_path(k, SLICE("program")),
        .pid = keys_intern_path(k, SLICE("pid")),
        .msgid = keys_intern_path(k, SLICE("msgid")),
        .message = keys_intern_path(k, SLICE("message")),
        .priority = keys_intern_path(k, SLICE("priority")),
        .facility = keys_intern_path(k, SLICE("facility")),
        .severity = keys_intern_path(k, SLICE("severity")),
        .sd = keys_intern_path(k, SLICE("sd")),
        .tag = keys_intern_path(k, SLICE("tag")),
        .timezone = keys_intern_path(k, SLICE("timezone")),
        .sequence = keys_intern_path(k, SLICE("sequence")),
        .mark = keys_intern_path(k, SLICE("mark")),
    };
    d->generation = keys_generation(k);
    d->keyed = true;
}

static int syslog_line(void *ctx, struct slice line, uint64_t offset)
{
    (void)offset;
    struct syslog *d = ctx;
    if (slice_trim(line).len == 0) return 0;
    syslog_intern(d);
    (void)line_decoder_event(&d->d, line);
    parse_line(d, line);
    return line_decoder_emit(&d->d);
}

/* Many senders end a datagram or a frame with what was the end of a line. */
static int syslog_record(struct decoder *base, struct slice record)
{
    for (; record.len; record.len--) {
        char c = record.ptr[record.len - 1];
        if (c != '\n' && c != '\r' && c != '\0') break;
    }
    if (slice_starts_with(record, SLICE("\xEF\xBB\xBF"))) record = slice_from(record, 3);
    return syslog_line(base, record, 0);
}

static int syslog_too_long(void *ctx, uint64_t offset)
{
    struct syslog *d = ctx;
    line_decoder_bad(&d->d, offset, "line too long");
    return 0;
}

static bool looks_like_syslog(struct slice s)
{
    struct slice text;
    unsigned value;
    size_t pri = priority_len(s, &text, &value);
    s = slice_from(s, pri);
    if (pri && is_5424(s)) return true;
    size_t time_len;
    struct device device;
    return pri || time_and_space(s, pri > 0, &time_len) || read_cisco(s, &device) ||
           read_netscaler(s, &device);
}

/* Any text is lines at least, so this decoder takes what no other one knows. */
static int syslog_sniff(struct slice head, bool final)
{
    char storage[LINES_SNIFF_TEXT];
    struct slice text = lines_sniff_text(head, storage), line;
    if (!lines_is_text(text)) return 0;
    unsigned lines = 0, fits = 0;
    for (bool first = true; lines_sniff_next(&text, final, &first, &line);) {
        if (slice_trim(line).len == 0) continue;
        lines++;
        if (looks_like_syslog(line)) fits++;
    }
    if (fits == 0) return 5;
    return fits == lines ? 80 : fits * 2 > lines ? 65 : 20;
}

static struct decoder *syslog_open(const struct decoder_out *out, struct keys *keys)
{
    struct syslog *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    line_decoder_init(&d->d, &decoder_syslog, out, keys, false);
    return &d->d.base;
}

static struct lines_sink syslog_sink(struct syslog *d)
{
    return (struct lines_sink){.ctx = d, .line = syslog_line, .too_long = syslog_too_long};
}

static int syslog_feed(struct decoder *base, struct slice data)
{
    struct syslog *d = (struct syslog *)base;
    const struct lines_sink sink = syslog_sink(d);
    return lines_feed(&d->d.lines, data, &sink);
}

static int syslog_finish(struct decoder *base)
{
    struct syslog *d = (struct syslog *)base;
    const struct lines_sink sink = syslog_sink(d);
    return lines_finish(&d->d.lines, &sink);
}

static void syslog_close(struct decoder *base)
{
    if (!base) return;
    line_decoder_done((struct line_decoder *)base);
    free(base);
}

const struct decoder_ops decoder_syslog = {
    .name = "syslog",
    .sniff = syslog_sniff,
    .open = syslog_open,
    .feed = syslog_feed,
    .finish = syslog_finish,
    .record = syslog_record,
    .close = syslog_close,
};
