/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Every corpus EVTX file against what libevtx decoded from it: record by record, value by value.
 * The oracle is NDJSON: {"Event": {section: …}, "_file": name}, in the form that puts attributes
 * under "#attributes" and text beside attributes under "#text".
 *
 * Values may differ only in the ways of `enum difference`, each as often as `folders` says, and
 * files only as `exceptions` says. docs/evidence/evtx.md tells the same in words.
 */
#include <fts.h>
#include <limits.h>
#include <stdlib.h>

#include "base/le.h"
#include "base/utf8.h"
#include "normalise/decoder.h"
#include "test.h"

struct pair {
    char *name;
    char *value; /* NULL: null */
    size_t name_len, value_len;
    bool used;
};

struct pairs {
    struct pair *ptr;
    size_t n, cap;
};

struct record {
    struct pairs fields;
    uint64_t id;
    bool used, damaged;
};

struct records {
    struct record *ptr;
    size_t n, cap;
    size_t notes;
};

enum { shown_max = 40 };

/* How a value of ours may differ from the oracle's. */
enum difference {
    SAME,
    /*
     * HexInt32 and HexInt64: libevtx pads with zeros to the type's width, Windows does not. Rules
     * are written against what Windows shows (SubjectLogonId: '0x3e7').
     */
    UNPADDED_HEX,
    /* The oracle was read back from XML: a reader gives CR LF and CR as LF (XML 1.0, 2.11). */
    LINE_ENDS,
    /* The same: characters below 0x20 other than HT, LF, CR cannot stand in XML (2.2). */
    CONTROLS,
    /* The same: text of nothing but white space was dropped as layout. */
    BLANK,
    OTHER,
    N_DIFFERENCES
};

/* What is expected of a folder's records that the oracle has. */
struct folder {
    const char *name;
    size_t files, records, values;
    size_t differences[N_DIFFERENCES];
    /* Fields the oracle leaves out: Qualifiers of EventID, and RenderingInfo. */
    size_t left_out;
};

static const struct folder folders[] = {
    {"evtx-attack-samples",
     277,
     8255,
     227684,
     {[UNPADDED_HEX] = 5356, [LINE_ENDS] = 1264, [CONTROLS] = 20},
     412},
    {"evtx-parser-samples",
     23,
     17344,
     368522,
     {[UNPADDED_HEX] = 11810, [LINE_ENDS] = 1087, [CONTROLS] = 4, [BLANK] = 1},
     831},
};

/*
 * Files that libevtx does not decode in full, or that are damaged. Of all others: as many records
 * decoded as the oracle has, and as are whole by their sizes; none damaged; no notes.
 *
 * `whole`: both sizes agree and the record ends before its chunk's free space (see count_whole).
 */
static const struct exception {
    const char *file;
    size_t oracle, whole, decoded, damaged, notes;
    const char *why;
} exceptions[] = {
    {"2-system-Microsoft-Windows-LiveId%4Operational.evtx", 152, 399, 399, 0, 0,
     "libevtx passes over records in every chunk, the first of them 2056; frames and checksums of "
     "all are right"},
    {"2-vss_0-Microsoft-Windows-RemoteDesktopServices-RdpCoreTS%4Operational.evtx", 1910, 1975,
     1975, 24, 28,
     "libevtx gives up two chunks where their middle was overwritten by records of another time "
     "(6952124 behind 6335011); 24 of these name templates that are not in the chunk and keep "
     "their System part only"},
    {"2-vss_0-Microsoft-Windows-TerminalServices-RemoteConnectionManager%4Operational.evtx", 1774,
     1795, 1795, 0, 3,
     "libevtx gives up two chunks at a record whose second size was overwritten, 463011, or that "
     "carries another time's number, 462791"},
    {"sample-with-zero-data-size-event.evtx", 335, 449, 449, 0, 2,
     "libevtx gives up the first chunk at its third record, whose size is 0; 114 records follow"},
    {"sample_with_a_bad_chunk_magic.evtx", 267, 380, 298, 0, 90,
     "two chunks lost their header and what follows it; of the 82 records left there the templates "
     "are gone, none can be read; of a third, libevtx gives up the 31 behind the damage at 25032"},
    {"E_ShadowCopy6_windows_system32_winevt_logs_Microsoft-Windows-CAPI2%4Operational.evtx", 0, 459,
     459, 0, 0, "libevtx decodes nothing: UserData is plain binary XML without a template"},
    {"E_Windows_system32_winevt_logs_Microsoft-Windows-CAPI2%4Operational.evtx", 0, 340, 340, 0, 0,
     "the same"},
    {"MSExchange_Management_wec.evtx", 0, 1, 1, 0, 0,
     "libevtx decodes nothing: the record is plain binary XML without a template"},
    {"issue_201.evtx", 0, 1, 1, 0, 0, "the same"},
    {"Microsoft-Windows-HelloForBusiness%4Operational.evtx", 5, 5, 5, 0, 2,
     "behind the five records a sixth is written in part, its second size is 0"},
    {"Microsoft-Windows-LanguagePackSetup%4Operational.evtx", 16, 16, 16, 0, 2,
     "the same behind the sixteenth"},
    {"security_bad_string_cache.evtx", 2261, 2261, 2261, 0, 1,
     "a chunk header's checksum is wrong, its string table is not needed"},
    {"sysmon.evtx", 358, 358, 358, 0, 8, "behind the records stand eight slots of other data"},
};

struct tally {
    size_t files, oracle, equal, different, missing, values, left_out, shown;
    size_t differences[N_DIFFERENCES];
};

static char *copy(struct slice s)
{
    char *p = malloc(s.len + 1);
    REQUIRE(p != NULL);
    if (s.len) memcpy(p, s.ptr, s.len);
    p[s.len] = '\0';
    return p;
}

static void add_pair(struct pairs *l, struct slice name, const struct slice *value)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->ptr = realloc(l->ptr, l->cap * sizeof *l->ptr);
        REQUIRE(l->ptr != NULL);
    }
    l->ptr[l->n++] = (struct pair){.name = copy(name),
                                   .name_len = name.len,
                                   .value = value ? copy(*value) : NULL,
                                   .value_len = value ? value->len : 0};
}

static void free_pairs(struct pairs *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->ptr[i].name);
        free(l->ptr[i].value);
    }
    free(l->ptr);
    *l = (struct pairs){0};
}

/* ---- the oracle's JSON, flattened ------------------------------------------------------------ */

struct json {
    const char *p, *end;
};

static void skip_blank(struct json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\n')) j->p++;
}

static bool take_char(struct json *j, char c)
{
    skip_blank(j);
    if (j->p == j->end || *j->p != c) return false;
    j->p++;
    return true;
}

static unsigned hex4(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        v = v << 4 | (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return v;
}

/* A string, its opening quote not taken yet, unescaped into new memory. */
static struct slice take_json_string(struct json *j)
{
    REQUIRE(take_char(j, '"'));
    char *out = malloc((size_t)(j->end - j->p) + 4), *o = out;
    REQUIRE(out != NULL);
    while (j->p < j->end && *j->p != '"') {
        char c = *j->p++;
        if (c != '\\') {
            *o++ = c;
            continue;
        }
        c = *j->p++;
        static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
        const char *at = strchr(from, c);
        if (c == 'u') {
            uint32_t cp = hex4(j->p);
            j->p += 4;
            if (cp >= 0xD800 && cp < 0xDC00 && j->p[0] == '\\' && j->p[1] == 'u') {
                cp = 0x10000 + ((cp - 0xD800) << 10) + (hex4(j->p + 2) - 0xDC00);
                j->p += 6;
            }
            o += utf8_encode(o, cp);
        } else {
            *o++ = at ? to[at - from] : c;
        }
    }
    REQUIRE(take_char(j, '"'));
    return slice_make(out, (size_t)(o - out));
}

enum level { LEVEL_EVENT, LEVEL_SECTION, LEVEL_WRAPPER, LEVEL_FIELD };

static struct slice joined(struct slice a, char c, struct slice b)
{
    char *p = malloc(a.len + b.len + 1);
    REQUIRE(p != NULL);
    if (a.len == 0) c = '\0';
    if (a.len) memcpy(p, a.ptr, a.len);
    p[a.len] = c;
    size_t n = a.len + (c != 0);
    if (b.len) memcpy(p + n, b.ptr, b.len);
    return slice_make(p, n + b.len);
}

static void drop(struct slice s)
{
    free((void *)(uintptr_t)s.ptr);
}

static void flatten(struct json *j, struct pairs *out, struct slice name, struct slice path,
                    enum level level);

static void flatten_attributes(struct json *j, struct pairs *out, struct slice path)
{
    REQUIRE(take_char(j, '{'));
    while (!take_char(j, '}')) {
        struct slice key = take_json_string(j);
        REQUIRE(take_char(j, ':'));
        struct slice value = take_json_string(j), full = joined(path, '_', key);
        add_pair(out, full, &value);
        drop(key);
        drop(value);
        drop(full);
        take_char(j, ',');
    }
}

/* {"#attributes": {"Name": "X"}, "#text": "v"} is <Data Name="X">v</Data>. */
static void flatten_data(struct json *j, struct pairs *out)
{
    struct pairs inner = {0};
    struct slice text = SLICE(""), name = SLICE("Data");
    bool has_text = false;
    while (!take_char(j, '}')) {
        struct slice key = take_json_string(j);
        REQUIRE(take_char(j, ':'));
        if (slice_eq(key, SLICE("#attributes"))) {
            flatten_attributes(j, &inner, SLICE(""));
        } else {
            text = take_json_string(j);
            has_text = true;
        }
        drop(key);
        take_char(j, ',');
    }
    for (size_t i = 0; i < inner.n; i++)
        if (strcmp(inner.ptr[i].name, "Name") == 0) name = slice_of(inner.ptr[i].value);
    add_pair(out, name, &text);
    if (has_text) drop(text);
    free_pairs(&inner);
}

static void flatten_object(struct json *j, struct pairs *out, struct slice name, struct slice path,
                           enum level level)
{
    if (level == LEVEL_FIELD && slice_eq(name, SLICE("Data"))) {
        flatten_data(j, out);
        return;
    }
    while (!take_char(j, '}')) {
        struct slice key = take_json_string(j);
        REQUIRE(take_char(j, ':'));
        if (slice_eq(key, SLICE("#attributes"))) {
            flatten_attributes(j, out, level == LEVEL_FIELD ? path : name);
        } else if (slice_eq(key, SLICE("#text"))) {
            struct slice text = take_json_string(j);
            add_pair(out, path, &text);
            drop(text);
        } else if (level == LEVEL_EVENT) {
            bool user = slice_eq(key, SLICE("UserData"));
            flatten(j, out, key, SLICE(""), user ? LEVEL_WRAPPER : LEVEL_SECTION);
        } else {
            struct slice full = joined(path, '.', key);
            /* The wrapper's own name goes; its children are fields. */
            skip_blank(j);
            if (level == LEVEL_WRAPPER && *j->p == '{')
                flatten(j, out, key, SLICE(""), LEVEL_SECTION);
            else flatten(j, out, key, full, LEVEL_FIELD);
            drop(full);
        }
        drop(key);
        take_char(j, ',');
    }
}

static void flatten(struct json *j, struct pairs *out, struct slice name, struct slice path,
                    enum level level)
{
    skip_blank(j);
    if (take_char(j, '{')) {
        flatten_object(j, out, name, path, level);
    } else if (take_char(j, '[')) {
        while (!take_char(j, ']')) {
            flatten(j, out, name, path, level);
            take_char(j, ',');
        }
    } else if (j->end - j->p >= 4 && memcmp(j->p, "null", 4) == 0) {
        j->p += 4;
        if (level == LEVEL_FIELD) add_pair(out, path, NULL);
    } else if (*j->p == '"') {
        struct slice text = take_json_string(j);
        add_pair(out, path, &text);
        drop(text);
    } else {
        const char *from = j->p;
        while (j->p < j->end && *j->p != ',' && *j->p != '}' && *j->p != ']') j->p++;
        struct slice text = slice_make(from, (size_t)(j->p - from));
        add_pair(out, path, &text);
    }
}

/* One line; *ret_file is new memory. */
static void read_oracle(struct slice line, struct pairs *out, struct slice *ret_file)
{
    struct json j = {line.ptr, line.ptr + line.len};
    REQUIRE(take_char(&j, '{'));
    while (!take_char(&j, '}')) {
        struct slice key = take_json_string(&j);
        REQUIRE(take_char(&j, ':'));
        if (slice_eq(key, SLICE("_file"))) *ret_file = take_json_string(&j);
        else flatten(&j, out, SLICE(""), SLICE(""), LEVEL_EVENT);
        drop(key);
        take_char(&j, ',');
    }
}

/* ---- ours ------------------------------------------------------------------------------------ */

static int keep_record(void *ctx, struct event *ev)
{
    struct records *l = ctx;
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 256;
        l->ptr = realloc(l->ptr, l->cap * sizeof *l->ptr);
        REQUIRE(l->ptr != NULL);
    }
    struct record *r = &l->ptr[l->n++];
    *r = (struct record){.id = ev->record, .damaged = ev->flags & EVENT_DAMAGED};
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct slice v = event_text(ev, &ev->fields[i]);
        add_pair(&r->fields, keys_name(ev->keys, ev->fields[i].key),
                 ev->fields[i].type == VALUE_NULL ? NULL : &v);
    }
    return 0;
}

static void count_note(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct records *l = ctx;
    (void)offset;
    (void)record;
    (void)reason;
    l->notes++;
}

static void decode_bytes(struct slice bytes, struct records *out)
{
    struct keys *keys = keys_new();
    REQUIRE(keys != NULL);
    struct decoder_out to = {.ctx = out, .emit = keep_record, .bad = count_note};
    struct decoder *d = decoder_evtx.open(&to, keys);
    REQUIRE(d != NULL);
    CHECK_INT(decoder_evtx.feed(d, bytes), 0);
    CHECK_INT(decoder_evtx.finish(d), 0);
    decoder_evtx.close(d);
    keys_free(keys);
}

/*
 * Records by nothing but their frame: 2a 2a 00 00, a size, and the same size at the end, one behind
 * the other or, where there is none, at the next multiple of eight; in every slot of 64 KiB up to
 * the free space that its header names, or to the end when it has no header.
 */
static size_t count_whole(struct slice file)
{
    size_t n = 0;
    for (size_t slot = 4096; slot < file.len; slot += 65536) {
        struct slice s = slice_until(slice_from(file, slot), 65536);
        if (s.len < 512) break;
        size_t used = memcmp(s.ptr, "ElfChnk", 8) == 0 ? le32(s.ptr + 48) : s.len;
        for (size_t at = 512; at + 28 <= s.len && at < used;) {
            size_t size = le32(s.ptr + at + 4);
            bool whole = memcmp(s.ptr + at, "**\0", 4) == 0 && size >= 28 && size <= s.len - at &&
                         le32(s.ptr + at + size - 4) == size;
            n += whole;
            at += whole ? size : 8;
        }
    }
    return n;
}

static void free_records(struct records *l)
{
    for (size_t i = 0; i < l->n; i++) free_pairs(&l->ptr[i].fields);
    free(l->ptr);
    *l = (struct records){0};
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* `ours` as it comes out of an XML writer and reader. */
static enum difference differs_by_xml(struct slice ours, struct slice theirs)
{
    enum difference found = SAME;
    size_t o = 0;
    if (theirs.len == 0 && slice_trim(ours).len == 0) return BLANK;
    for (size_t i = 0; i < ours.len; i++) {
        unsigned char c = (unsigned char)ours.ptr[i];
        if (c == '\r') {
            if (found == SAME) found = LINE_ENDS;
            if (i + 1 < ours.len && ours.ptr[i + 1] == '\n') continue;
            c = '\n';
        }
        if (c < 0x20 && c != '\n' && c != '\t') {
            found = CONTROLS;
            continue;
        }
        if (o == theirs.len || (unsigned char)theirs.ptr[o++] != c) return OTHER;
    }
    return o == theirs.len ? found : OTHER;
}

static bool is_unpadded_hex(struct slice ours, struct slice theirs)
{
    if (theirs.len != 10 && theirs.len != 18) return false;
    if (!slice_starts_with(ours, SLICE("0x")) || !slice_starts_with(theirs, SLICE("0x")))
        return false;
    struct slice a = slice_from(ours, 2), b = slice_from(theirs, 2);
    while (b.len > a.len && *b.ptr == '0') b = slice_from(b, 1);
    return slice_eq(a, b);
}

static enum difference compare_value(const struct pair *ours, const struct pair *theirs)
{
    if (!ours) return OTHER;
    if (!ours->value || !theirs->value) return ours->value == theirs->value ? SAME : OTHER;
    struct slice a = slice_make(ours->value, ours->value_len);
    struct slice b = slice_make(theirs->value, theirs->value_len);
    if (slice_eq(a, b)) return SAME;
    return is_unpadded_hex(a, b) ? UNPADDED_HEX : differs_by_xml(a, b);
}

/* Several values of one name are compared in order; names in any. */
static struct pair *take_pair(struct record *r, const struct pair *like)
{
    for (size_t k = 0; k < r->fields.n; k++) {
        struct pair *p = &r->fields.ptr[k];
        if (p->used || p->name_len != like->name_len ||
            memcmp(p->name, like->name, p->name_len) != 0)
            continue;
        p->used = true;
        return p;
    }
    return NULL;
}

static bool is_left_out(const struct pair *p)
{
    return strcmp(p->name, "EventID_Qualifiers") == 0 || strcmp(p->name, "Message") == 0 ||
           strncmp(p->name, "RenderingInfo", 13) == 0;
}

static const char *shown(const struct pair *p)
{
    return !p ? "missing" : p->value ? p->value : "null";
}

static bool equal_record(struct tally *t, const char *file, struct record *ours,
                         struct pairs *theirs)
{
    bool equal = !ours->damaged;
    for (size_t i = 0; i < theirs->n; i++) {
        struct pair *want = &theirs->ptr[i], *got = take_pair(ours, want);
        enum difference found = compare_value(got, want);
        t->values++;
        t->differences[found]++;
        if (found != OTHER) continue;
        equal = false;
        if (t->shown++ < shown_max)
            printf("#   %s record %llu: %s is %.300s, not %.300s\n", file,
                   (unsigned long long)ours->id, want->name, shown(got), shown(want));
    }
    for (size_t k = 0; k < ours->fields.n; k++) {
        struct pair *p = &ours->fields.ptr[k];
        if (p->used) continue;
        if (is_left_out(p)) {
            t->left_out++;
            continue;
        }
        equal = false;
        if (t->shown++ < shown_max)
            printf("#   %s record %llu: %s=%.200s is not in the oracle\n", file,
                   (unsigned long long)ours->id, p->name, shown(p));
    }
    return equal;
}

static const char *value_of(const struct pairs *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->ptr[i].name, name) == 0) return p->ptr[i].value;
    return NULL;
}

static void compare_record(struct tally *t, const char *file, struct records *ours,
                           struct pairs *theirs)
{
    const char *text = value_of(theirs, "EventRecordID");
    uint64_t id = 0;
    CHECK(text && slice_to_u64(slice_of(text), &id));
    t->oracle++;
    for (size_t i = 0; i < ours->n; i++) {
        struct record *r = &ours->ptr[i];
        if (r->used || r->id != id) continue;
        r->used = true;
        if (equal_record(t, file, r, theirs)) t->equal++;
        else t->different++;
        return;
    }
    t->missing++;
    if (t->shown++ < shown_max)
        printf("#   %s: record %llu is missing\n", file, (unsigned long long)id);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* The oracle's lines, each read, with a mark for those that some file answered. */
struct oracle {
    struct entry {
        struct pairs fields;
        struct slice file;
    } * ptr;
    size_t n, used;
};

static void load_oracle(const char *path, struct oracle *ret)
{
    size_t len, cap = 0;
    char *text = test_read_file(path, &len);
    struct slice rest = slice_make(text, len), line;
    *ret = (struct oracle){0};
    while (rest.len) {
        slice_split(rest, '\n', &line, &rest);
        if (line.len == 0) continue;
        if (ret->n == cap) {
            cap = cap ? cap * 2 : 4096;
            ret->ptr = realloc(ret->ptr, cap * sizeof *ret->ptr);
            REQUIRE(ret->ptr != NULL);
        }
        struct entry *e = &ret->ptr[ret->n++];
        *e = (struct entry){0};
        read_oracle(line, &e->fields, &e->file);
    }
    free(text);
}

static void free_oracle(struct oracle *o)
{
    for (size_t i = 0; i < o->n; i++) {
        free_pairs(&o->ptr[i].fields);
        drop(o->ptr[i].file);
    }
    free(o->ptr);
}

static struct slice without_folder(struct slice file)
{
    return slice_starts_with(file, SLICE("samples/")) ? slice_from(file, 8) : file;
}

/* Records that only we decode must be events: they say who wrote them, where and when. */
static void check_unknown_record(const char *file, const struct record *r)
{
    static const char *const names[] = {"Provider_Name",          "EventID", "EventRecordID",
                                        "TimeCreated_SystemTime", "Channel", "Computer"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = value_of(&r->fields, names[i]);
        if (value && *value) continue;
        test_fail(__FILE__, __LINE__, "%s record %llu has no %s", file, (unsigned long long)r->id,
                  names[i]);
    }
}

static void check_counts(const char *file, const struct exception *got)
{
    struct exception want = {.oracle = got->oracle, .whole = got->oracle, .decoded = got->oracle};
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        if (strcmp(exceptions[i].file, file) == 0) want = exceptions[i];
    if (got->oracle == want.oracle && got->whole == want.whole && got->decoded == want.decoded &&
        got->damaged == want.damaged && got->notes == want.notes)
        return;
    test_fail(__FILE__, __LINE__,
              "%s: oracle %zu, whole %zu, decoded %zu, damaged %zu, notes %zu, not %zu, %zu, %zu, "
              "%zu, %zu",
              file, got->oracle, got->whole, got->decoded, got->damaged, got->notes, want.oracle,
              want.whole, want.decoded, want.damaged, want.notes);
}

static void compare_file(struct tally *t, const char *path, const char *file, struct oracle *oracle)
{
    size_t len;
    char *data = test_read_file(path, &len);
    struct records ours = {0};
    struct exception got = {.whole = count_whole(slice_make(data, len))};
    decode_bytes(slice_make(data, len), &ours);
    for (size_t i = 0; i < oracle->n; i++) {
        if (!slice_eq(without_folder(oracle->ptr[i].file), slice_of(file))) continue;
        compare_record(t, file, &ours, &oracle->ptr[i].fields);
        got.oracle++;
    }
    oracle->used += got.oracle;
    got.decoded = ours.n;
    got.notes = ours.notes;
    for (size_t i = 0; i < ours.n; i++) {
        got.damaged += ours.ptr[i].damaged;
        if (!ours.ptr[i].used && !ours.ptr[i].damaged) check_unknown_record(file, &ours.ptr[i]);
    }
    check_counts(file, &got);
    free_records(&ours);
    free(data);
    t->files++;
}

static void compare_folder(struct tally *t, const char *folder, struct oracle *oracle)
{
    char *roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *fts = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    REQUIRE(fts != NULL);
    for (FTSENT *e; (e = fts_read(fts));) {
        if (e->fts_info != FTS_F || !slice_ends_with(slice_of(e->fts_path), SLICE(".evtx")))
            continue;
        compare_file(t, e->fts_path, e->fts_path + strlen(folder) + 1, oracle);
    }
    fts_close(fts);
}

static void check_folder(const struct folder *want)
{
    const char *corpus = test_corpus();
    if (!corpus) SKIP("VAKA_CORPUS names no corpus");
    char path[PATH_MAX];
    struct oracle oracle;
    struct tally t = {0};
    snprintf(path, sizeof path, "%s/%s/_oracle_libevtx.ndjson", corpus, want->name);
    load_oracle(path, &oracle);
    path[strlen(path) - strlen("/_oracle_libevtx.ndjson")] = '\0';
    compare_folder(&t, path, &oracle);
    printf("# %s: files %zu, oracle %zu, equal %zu, different %zu, missing %zu\n", want->name,
           t.files, t.oracle, t.equal, t.different, t.missing);
    printf("# values %zu: same %zu, unpadded hex %zu, line ends %zu, controls %zu, blank %zu; left "
           "out by the oracle %zu\n",
           t.values, t.differences[SAME], t.differences[UNPADDED_HEX], t.differences[LINE_ENDS],
           t.differences[CONTROLS], t.differences[BLANK], t.left_out);
    CHECK_INT(t.files, want->files);
    CHECK_INT(oracle.used, oracle.n);
    CHECK_INT(t.equal, want->records);
    CHECK_INT(t.different, 0);
    CHECK_INT(t.missing, 0);
    CHECK_INT(t.values, want->values);
    for (int i = UNPADDED_HEX; i < N_DIFFERENCES; i++)
        CHECK_INT(t.differences[i], want->differences[i]);
    CHECK_INT(t.left_out, want->left_out);
    free_oracle(&oracle);
}

TEST(attack_samples)
{
    check_folder(&folders[0]);
}

TEST(parser_samples)
{
    check_folder(&folders[1]);
}
