/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Every corpus EVTX file against what libevtx decoded from it: record by record, value by value.
 * The oracle is NDJSON: {"Event": {section: …}, "_file": name}, in the form that puts attributes
 * under "#attributes" and text beside attributes under "#text".
 *
 * Differences that are decided (docs/evidence/evtx.md) are counted apart; any other fails.
 */
#include <limits.h>
#include <stdlib.h>

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
    size_t bad;
};

enum { shown_max = 4000 };

struct tally {
    size_t files, oracle, decoded, equal, different, missing, extra_records, extra_fields, notes;
    size_t xml, hex, values;
    size_t shown;
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

static void count_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct records *l = ctx;
    printf("#   at %llu record %llu: %s\n", (unsigned long long)offset, (unsigned long long)record,
           reason);
    l->bad++;
}

static void decode_file(const char *path, struct records *out)
{
    size_t len;
    char *data = test_read_file(path, &len);
    struct keys *keys = keys_new();
    REQUIRE(keys != NULL);
    struct decoder_out to = {.ctx = out, .emit = keep_record, .bad = count_bad};
    struct decoder *d = decoder_evtx.open(&to, keys);
    REQUIRE(d != NULL);
    CHECK_INT(decoder_evtx.feed(d, slice_make(data, len)), 0);
    CHECK_INT(decoder_evtx.finish(d), 0);
    decoder_evtx.close(d);
    keys_free(keys);
    free(data);
}

static void free_records(struct records *l)
{
    for (size_t i = 0; i < l->n; i++) free_pairs(&l->ptr[i].fields);
    free(l->ptr);
    *l = (struct records){0};
}

/* ---- comparing ------------------------------------------------------------------------------- */

/*
 * The oracle's text went through an XML reader: CR LF became LF, characters that XML cannot hold
 * are gone, and a text of nothing but line ends is empty.
 */
static bool equal_through_xml(struct slice ours, struct slice theirs)
{
    size_t o = 0;
    if (theirs.len == 0 && slice_trim(ours).len == 0) return true;
    for (size_t i = 0; i < ours.len; i++) {
        unsigned char c = (unsigned char)ours.ptr[i];
        if (c == '\r') {
            if (i + 1 < ours.len && ours.ptr[i + 1] == '\n') i++;
            c = '\n';
        }
        if (c < 0x20 && c != '\n' && c != '\t') continue;
        if (o == theirs.len || (unsigned char)theirs.ptr[o++] != c) return false;
    }
    return o == theirs.len;
}

/* libevtx pads hexadecimal integers to their width; Windows does not, and rules rely on that. */
static bool equal_but_padding(struct slice ours, struct slice theirs)
{
    if (theirs.len != 10 && theirs.len != 18) return false;
    if (!slice_starts_with(ours, SLICE("0x")) || !slice_starts_with(theirs, SLICE("0x")))
        return false;
    struct slice a = slice_from(ours, 2), b = slice_from(theirs, 2);
    while (b.len > a.len && *b.ptr == '0') b = slice_from(b, 1);
    return slice_eq(a, b);
}

static bool equal_value(struct tally *t, const struct pair *ours, const struct pair *theirs)
{
    t->values++;
    if (!ours->value || !theirs->value) return ours->value == theirs->value;
    struct slice a = slice_make(ours->value, ours->value_len);
    struct slice b = slice_make(theirs->value, theirs->value_len);
    if (slice_eq(a, b)) return true;
    if (equal_but_padding(a, b)) {
        t->hex++;
        return true;
    }
    if (!equal_through_xml(a, b)) return false;
    t->xml++;
    return true;
}

static bool equal_record(struct tally *t, const char *file, struct record *ours,
                         struct pairs *theirs)
{
    bool equal = true;
    for (size_t i = 0; i < theirs->n; i++) {
        struct pair *want = &theirs->ptr[i], *got = NULL;
        for (size_t k = 0; k < ours->fields.n && !got; k++) {
            struct pair *p = &ours->fields.ptr[k];
            if (!p->used && p->name_len == want->name_len &&
                memcmp(p->name, want->name, p->name_len) == 0)
                got = p;
        }
        if (got) got->used = true;
        if (got && equal_value(t, got, want)) continue;
        equal = false;
        if (t->shown++ < shown_max)
            printf("#   %s record %llu: %s is %s%.300s, not %.300s\n", file,
                   (unsigned long long)ours->id, want->name, got ? "" : "missing",
                   got ? (got->value ? got->value : "null") : "",
                   want->value ? want->value : "null");
    }
    for (size_t k = 0; k < ours->fields.n; k++) {
        struct pair *p = &ours->fields.ptr[k];
        if (p->used) continue;
        t->extra_fields++;
        /* The oracle leaves out attributes of EventID, and RenderingInfo. */
        if (strcmp(p->name, "EventID_Qualifiers") == 0 || strcmp(p->name, "Message") == 0 ||
            strncmp(p->name, "RenderingInfo", 13) == 0)
            continue;
        equal = false;
        if (t->shown++ < shown_max)
            printf("#   %s record %llu: %s=%.200s is not in the oracle\n", file,
                   (unsigned long long)ours->id, p->name, p->value ? p->value : "null");
    }
    return equal;
}

static uint64_t oracle_id(const struct pairs *p)
{
    uint64_t id = 0;
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->ptr[i].name, "EventRecordID") == 0 && p->ptr[i].value)
            (void)slice_to_u64(slice_of(p->ptr[i].value), &id);
    return id;
}

static void compare_record(struct tally *t, const char *file, struct records *ours,
                           struct pairs *theirs)
{
    uint64_t id = oracle_id(theirs);
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

static void close_file(struct tally *t, struct slice file, struct records *ours)
{
    if (!file.ptr) return;
    size_t extra = 0;
    for (size_t i = 0; i < ours->n; i++) extra += !ours->ptr[i].used;
    if (extra || ours->bad)
        printf("#   %.*s: %zu records, %zu not in the oracle, %zu notes\n", SLICE_FMT(file),
               ours->n, extra, ours->bad);
    t->extra_records += extra;
    t->decoded += ours->n;
    t->notes += ours->bad;
    free_records(ours);
}

static void run_oracle(const char *folder)
{
    const char *corpus = test_corpus();
    if (!corpus) SKIP("no corpus");
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/_oracle_libevtx.ndjson", corpus, folder);
    FILE *probe = fopen(path, "rb");
    if (!probe) SKIP("no oracle in the corpus");
    fclose(probe);
    size_t len;
    char *text = test_read_file(path, &len);
    struct tally t = {0};
    struct records ours = {0};
    struct slice rest = slice_make(text, len), line, file = SLICE_NONE;
    while (rest.len) {
        slice_split(rest, '\n', &line, &rest);
        if (line.len == 0) continue;
        struct pairs theirs = {0};
        struct slice name = SLICE_NONE;
        read_oracle(line, &theirs, &name);
        if (!slice_eq(name, file)) {
            close_file(&t, file, &ours);
            drop(file);
            file = slice_make(copy(name), name.len);
            struct slice base = name;
            if (slice_starts_with(base, SLICE("samples/"))) base = slice_from(base, 8);
            snprintf(path, sizeof path, "%s/%s/%.*s", corpus, folder, SLICE_FMT(base));
            printf("# %.*s\n", SLICE_FMT(base));
            decode_file(path, &ours);
            t.files++;
        }
        compare_record(&t, file.ptr, &ours, &theirs);
        drop(name);
        free_pairs(&theirs);
    }
    close_file(&t, file, &ours);
    drop(file);
    free(text);
    printf("# %s: files %zu, oracle %zu, decoded %zu, equal %zu, different %zu, missing %zu\n",
           folder, t.files, t.oracle, t.decoded, t.equal, t.different, t.missing);
    printf("# %s: values %zu, of these without zero padding %zu, not intact in XML %zu; beyond the "
           "oracle: records %zu, fields %zu; notes %zu\n",
           folder, t.values, t.hex, t.xml, t.extra_records, t.extra_fields, t.notes);
    CHECK(t.oracle > 0);
    CHECK_INT(t.different, 0);
    CHECK_INT(t.missing, 0);
}

TEST(attack_samples)
{
    run_oracle("evtx-attack-samples");
}

TEST(parser_samples)
{
    run_oracle("evtx-parser-samples");
}
