/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The JSON decoder: NDJSON, concatenated and pretty-printed objects, arrays of objects, and
 * objects that wrap a list of records.
 *
 * Two ways lead through it. On the fast one a window of complete lines is indexed at once where
 * it lies, and the walker goes over the index, record after record; it accepts strict JSON only.
 * What it refuses, and the unfinished record at the end of a piece, takes the other way: the
 * splitter finds the end of that one record, which is then read alone, by the walker if it can
 * be, else by the tolerant reader. Both ways give the same events: the walker accepts only what
 * the splitter would delimit alike, so it does not matter where pieces begin and end.
 */
#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/json_write.h"
#include "normalise/decoder.h"
#include "normalise/json_index.h"
#include "normalise/json_slow.h"
#include "normalise/json_split.h"

enum {
    WINDOW = 128 * 1024,    /* bytes indexed at once; larger records go to the tolerant reader */
    WINDOW_MIN = 16 * 1024, /* text without line ends is only cut into windows this long */
    CHUNK = 64 * 1024,      /* bytes added at once to an unfinished record */
    ARENA_BUDGET = 2 * DECODER_RECORD_MAX,
    EDGE_KEYS = 4096, /* key ids that the predictor knows */
    EDGE_WAYS = 2,
    EDGE_NAME = 48,
};

/*
 * What came after a key the last time: most records repeat the order of names of an earlier one,
 * so a name is found by one comparison with the name expected. `unset` is the complement of the
 * bit mask of the bytes to compare (the name and its closing quote); an unused edge has unset 0,
 * which nothing matches.
 */
struct edge {
    char name[EDGE_NAME];
    uint64_t unset;
    key_id parent;
    key_id key;
};

enum json_state {
    STATE_BETWEEN, /* outside all records */
    STATE_RECORD,  /* at the start of a record that `split` has begun to look at */
    STATE_SKIP,    /* inside a record that is too long */
    STATE_GARBAGE, /* inside a run of bytes that are no record */
};

struct json_decoder {
    struct decoder base;
    struct json_index *many; /* of the window */
    struct json_index *one;  /* of a single record */
    uint64_t windows;        /* times `many` was filled */
    struct edge *edges;      /* [slot][EDGE_WAYS], each in one cache line */
    void *edges_memory;
    uint32_t generation; /* of the keys that the edges hold */
    struct arena arena;
    struct event ev;
    struct buf hold; /* an unfinished record */
    uint64_t offset; /* in the source, of the first byte of hold, or of the next byte to come */
    uint64_t begin;  /* of a record that is read as a source of its own; else 0 */
    uint64_t record; /* last number given */
    struct split split;
    enum json_state state;
    uint64_t arrays;   /* top-level arrays open around the records */
    bool wrapped;      /* inside the list of a wrapping object */
    bool tail;         /* the record is the rest of a wrapping object */
    bool strict_lines; /* a broken record was seen: see json_split.h */
    bool line_start;   /* only blanks since the last line end */
    bool whole_line;   /* of garbage: it goes to the end of the line, whatever comes */
};

/* ---- the walker ---- */

struct walk {
    const char *text;
    size_t len;
    const uint32_t *at; /* the index */
    uint32_t n;
    uint32_t i;   /* in: the record's {; out: the first entry behind it */
    size_t start; /* out: where the record begins and ends */
    size_t end;
    size_t fail;   /* out, on failure: how far it got */
    bool no_lists; /* walk lists of records like any other member */
};

struct frame {
    key_id key;    /* of the container */
    key_id parent; /* of the object around it */
    bool array;    /* what is around it is an array */
};

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The edges that follow a member, and those that lead to an object's first member. */
static inline uint32_t slot_after(key_id key)
{
    return key * 2;
}
static inline uint32_t slot_first(key_id key)
{
    return key * 2 + 1;
}

static inline bool edge_matches(const struct edge *e, const char *name)
{
#ifdef __SSE2__
    const __m128i *have = (const __m128i *)(const void *)name;
    const __m128i *want = (const __m128i *)(const void *)e->name;
    uint64_t same = 0;
    for (unsigned i = 0; i < EDGE_NAME / 16; i++) {
        __m128i eq = _mm_cmpeq_epi8(_mm_loadu_si128(have + i), _mm_load_si128(want + i));
        same |= (uint64_t)(unsigned)_mm_movemask_epi8(eq) << (16 * i);
    }
    return (same | e->unset) == UINT64_MAX;
#else
    if (!e->unset) return false;
    return memcmp(name, e->name, (size_t)__builtin_ctzll(e->unset)) == 0;
#endif
}

/* A name that was not expected; `quote` is the offset of its closing quote. */
static __attribute__((noinline)) key_id key_unexpected(struct json_decoder *d, const struct walk *w,
                                                       uint32_t slot, key_id parent, size_t start,
                                                       size_t quote)
{
    struct slice name = slice_make(w->text + start, quote - start);
    if (name.len >= EDGE_NAME || slice_find_byte(name, '\\') != SIZE_MAX || slot >= EDGE_KEYS * 2)
        return json_key(&d->ev, parent, name);
    if (d->ev.flags & EVENT_CUT) return KEY_ROOT;
    key_id key = keys_intern(d->base.keys, parent, name);
    struct edge *e = &d->edges[slot * EDGE_WAYS];
    for (unsigned way = EDGE_WAYS - 1; way > 0; way--) e[way] = e[way - 1];
    *e = (struct edge){
        .unset = UINT64_MAX << (name.len + 1),
        .parent = parent,
        .key = key,
    };
    memcpy(e->name, name.ptr, name.len);
    e->name[name.len] = '"';
    return key;
}

/* The key of the member whose name begins at `start` and whose colon is at `colon`. */
static inline key_id walk_key(struct json_decoder *d, const struct walk *w, uint32_t slot,
                              key_id parent, size_t start, size_t colon)
{
    if (slot < EDGE_KEYS * 2 && w->len - start >= EDGE_NAME) {
        const struct edge *e = &d->edges[slot * EDGE_WAYS];
        for (unsigned way = 0; way < EDGE_WAYS; way++, e++)
            if (e->parent == parent && edge_matches(e, w->text + start)) return e->key;
    }
    size_t quote = colon - 1;
    while (w->text[quote] != '"') quote--;
    return key_unexpected(d, w, slot, parent, start, quote);
}

/* A token that is no string: 0, or -1 when JSON does not know it. */
static inline int walk_scalar(struct event *ev, key_id key, struct slice s)
{
    while (s.len && is_blank(s.ptr[s.len - 1])) s.len--;
    enum value_type type = VALUE_NUMBER;
    unsigned digit = (unsigned char)s.ptr[0] - (unsigned)'1';
    size_t i = 1;
    if (digit < 9)
        while (i < s.len && (unsigned char)(s.ptr[i] - '0') < 10) i++;
    if (digit >= 9 || i < s.len) {
        if (slice_eq(s, SLICE("true")) || slice_eq(s, SLICE("false"))) type = VALUE_BOOL;
        else if (slice_eq(s, SLICE("null"))) type = VALUE_NULL;
        else if (!json_is_number(s)) return -1;
    }
    event_add(ev, key, type, s);
    return 0;
}

/* Passes over the container at entry i by counting brackets; the entry behind it, or n. */
static uint32_t walk_over(const struct walk *w, uint32_t i)
{
    size_t depth = 0;
    for (; i < w->n; i++) {
        char c = w->text[w->at[i]];
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return i + 1;
    }
    return w->n;
}

/* Whether the array at entry i of the top-level member `name` may be a list of records. */
static bool is_list(const struct walk *w, struct event *ev, key_id key, uint32_t i)
{
    return !w->no_lists && w->text[w->at[i]] == '[' && w->text[w->at[i + 1]] == '{' &&
           split_is_list(keys_name(ev->keys, key));
}

/*
 * Adds the fields of the object at entry w->i. False when it is not strict JSON, does not end in
 * this text, or may be a wrapper.
 *
 * A member needs four entries (name, colon, value, and what follows it), an element two: with
 * that many left, everything a step looks at is there. The closing quote of a string is the last
 * byte before the next entry that is no blank.
 */
static bool walk_object(struct json_decoder *d, struct walk *w)
{
    struct frame stack[JSON_DEPTH_MAX];
    struct event *ev = &d->ev;
    const char *text = w->text;
    const uint32_t *at = w->at;
    uint32_t i = w->i + 1, n = w->n;
    unsigned depth = 1;
    key_id parent = KEY_ROOT, key = KEY_ROOT;
    uint32_t slot = slot_first(KEY_ROOT);
    bool array = false;

    w->start = w->fail = at[w->i];
    if (i < n && text[at[i]] == '}') goto close;

member:
    if (n - i < 4) goto fail;
    if (text[at[i]] != '"' || text[at[i + 1]] != ':') goto fail;
    key = walk_key(d, w, slot, parent, (size_t)at[i] + 1, at[i + 1]);
    slot = slot_after(key);
    i += 2;

value:;
    size_t v = at[i], next = at[i + 1];
    char c = text[v];
    if (c == '"') {
        size_t quote = next - 1;
        while (text[quote] != '"') quote--;
        event_add(ev, key, VALUE_JSON_STRING, slice_make(text + v + 1, quote - v - 1));
        i++;
    } else if (c == '{' || c == '[') {
        if (text[next] == c + 2) {
            event_add(ev, key, VALUE_NULL, SLICE("null"));
            i += 2;
        } else if (depth == JSON_DEPTH_MAX) {
            i = walk_over(w, i);
            if (i == n) goto fail;
            event_add(ev, key, VALUE_STRING, slice_make(text + v, (size_t)at[i - 1] + 1 - v));
            ev->flags |= EVENT_DAMAGED;
        } else {
            if (depth == 1 && is_list(w, ev, key, i)) return false;
            stack[depth++] = (struct frame){.key = key, .parent = parent, .array = array};
            i++;
            array = c == '[';
            if (array) goto element;
            parent = key;
            slot = slot_first(key);
            goto member;
        }
    } else {
        if (walk_scalar(ev, key, slice_make(text + v, next - v))) goto fail;
        i++;
    }

after:
    if (i >= n) goto fail;
    c = text[at[i]];
    if (c == ',') {
        i++;
        if (!array) goto member;
    element:
        if (n - i < 2) goto fail;
        goto value;
    }
    if (c != (array ? ']' : '}')) goto fail;
close:
    i++;
    if (--depth) {
        key = stack[depth].key;
        parent = stack[depth].parent;
        array = stack[depth].array;
        slot = slot_after(key);
        goto after;
    }
    w->end = (size_t)at[i - 1] + 1;
    w->i = i;
    return true;

fail:
    w->fail = i < n ? at[i] : w->len;
    return false;
}

/* ---- one record ---- */

static void report(struct json_decoder *d, uint64_t offset, uint64_t record, const char *reason)
{
    if (d->base.out.bad) d->base.out.bad(d->base.out.ctx, d->begin + offset, record, reason);
}

/* What the predictor knows is of one generation of the key table. */
static void check_generation(struct json_decoder *d)
{
    if (keys_generation(d->base.keys) == d->generation) return;
    d->generation = keys_generation(d->base.keys);
    memset(d->edges, 0, sizeof *d->edges * EDGE_KEYS * 2 * EDGE_WAYS);
}

static int deliver(struct json_decoder *d, struct slice raw)
{
    struct event *ev = &d->ev;
    ev->raw = raw;
    ev->record = ++d->record;
    ev->format = "json";
    if (!(ev->flags & EVENT_DAMAGED)) ev->flags |= EVENT_RAW_IS_JSON;
    int r = d->base.out.emit(d->base.out.ctx, ev);
    check_generation(d);
    return r;
}

static bool walk_alone(struct json_decoder *d, struct slice record)
{
    struct walk w = {.text = record.ptr, .len = record.len, .no_lists = true};
    return record.len <= WINDOW &&
           json_index_run(d->one, record.ptr, record.len, &w.at, &w.n) == 0 && w.n &&
           walk_object(d, &w) && w.i == w.n;
}

/* A record whose closing brace is there. */
static int read_record(struct json_decoder *d, struct slice record)
{
    event_reset(&d->ev);
    if (!walk_alone(d, record)) {
        event_reset(&d->ev);
        if (json_slow_read(&d->ev, record, false) & JSON_SLOW_ODD) d->ev.flags |= EVENT_DAMAGED;
    }
    return deliver(d, record);
}

/* A record that breaks off: what there is of it, and a report. */
static int read_cut_record(struct json_decoder *d, struct slice record, uint64_t offset)
{
    int r = 0;
    record = slice_trim(record);
    event_reset(&d->ev);
    (void)json_slow_read(&d->ev, record, d->tail);
    d->ev.flags |= EVENT_DAMAGED;
    if (d->ev.n_fields) r = deliver(d, record);
    else d->record++;
    report(d, offset, d->record, "record is cut off");
    return r;
}

/* The members of a wrapping object that stand behind its list: an event when they say something. */
static int read_tail(struct json_decoder *d, struct slice tail)
{
    struct event *ev = &d->ev;
    event_reset(ev);
    (void)json_slow_read(ev, tail, true);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        if (split_is_paging(keys_name(ev->keys, ev->fields[i].key))) continue;
        ev->flags |= EVENT_DAMAGED;
        return deliver(d, tail);
    }
    return 0;
}

/* ---- the stream ---- */

/* The piece at hand. A window is a part of it that has been indexed. */
struct piece {
    struct slice s;
    size_t pos;
    uint64_t offset; /* of s in the source */
    bool final;
    size_t resume; /* the fast way is closed before here */
    size_t window, window_end;
    uint64_t stamp; /* d->windows when this window was indexed */
    struct walk walk;
};

static int run(struct json_decoder *d, struct piece *p);

static void begin_record(struct json_decoder *d, bool tail)
{
    d->state = STATE_RECORD;
    d->tail = tail;
    if (tail) split_init_inside(&d->split, d->strict_lines);
    else split_init(&d->split, d->strict_lines);
}

static void begin_garbage(struct json_decoder *d, uint64_t offset, bool whole_line)
{
    report(d, offset, ++d->record, "not a JSON object");
    d->state = STATE_GARBAGE;
    d->whole_line = whole_line;
}

/* The ] of an array around the records: false when none is open. */
static bool close_array(struct json_decoder *d)
{
    if (d->arrays) {
        d->arrays--;
    } else if (d->wrapped) {
        d->wrapped = false;
        begin_record(d, true);
    } else {
        return false;
    }
    return true;
}

static size_t next_line(struct slice s, size_t pos)
{
    size_t n = slice_find_byte(slice_from(s, pos), '\n');
    return n == SIZE_MAX ? s.len : pos + n + 1;
}

/*
 * Where a window that starts at pos may end: behind a line end, or, when there is none in a lot
 * of text, behind what looks like an element of an array. 0 when there is no such place. Wrong
 * guesses are harmless: text that ends inside a string is refused by the index.
 */
static size_t window_end(struct slice s, size_t pos)
{
    struct slice w = slice_until(slice_from(s, pos), WINDOW);
    const char *p = memrchr(w.ptr, '\n', w.len);
    if (p) return pos + (size_t)(p - w.ptr) + 1;
    if (w.len < WINDOW_MIN) return 0;
    for (size_t i = w.len - 1; i > w.len / 2; i--)
        if (w.ptr[i] == ',' && w.ptr[i - 1] == '}') return pos + i + 1;
    return 0;
}

/* Finds or makes the window to go on with; false when the fast way is closed here. */
static bool enter_window(struct json_decoder *d, struct piece *p)
{
    if (p->pos < p->resume) return false;
    if (p->pos < p->window_end && p->stamp == d->windows) {
        /* The index and the splitter read damaged text differently, but agree at a line's start. */
        if (p->pos > p->window && p->s.ptr[p->pos - 1] != '\n') {
            p->resume = next_line(slice_until(p->s, p->window_end), p->pos);
            return false;
        }
        while (p->walk.i < p->walk.n && p->walk.at[p->walk.i] < p->pos - p->window) p->walk.i++;
        return true;
    }
    size_t end = window_end(p->s, p->pos);
    p->walk = (struct walk){.text = p->s.ptr + p->pos, .len = end - p->pos};
    if (end) p->stamp = ++d->windows;
    if (!end || json_index_run(d->many, p->walk.text, p->walk.len, &p->walk.at, &p->walk.n)) {
        p->resume = end ? end : p->s.len;
        p->window_end = 0;
        return false;
    }
    p->window = p->pos;
    p->window_end = end;
    return true;
}

/* Goes over the window from p->walk.i on until its end or until something needs the slow way. */
static int run_window(struct json_decoder *d, struct piece *p)
{
    struct walk *w = &p->walk;
    while (w->i < w->n) {
        size_t at = w->at[w->i];
        char c = w->text[at];
        if (c == '{') {
            event_reset(&d->ev);
            if (!walk_object(d, w)) {
                p->pos = p->window + at;
                p->resume = next_line(slice_until(p->s, p->window_end), p->window + w->fail);
                return 0;
            }
            d->line_start = false;
            p->pos = p->window + w->end;
            int r = deliver(d, slice_make(w->text + at, w->end - at));
            if (r) return r;
            continue;
        }
        if (c == '[') {
            d->arrays++;
        } else if (c == ']' && close_array(d)) {
            if (d->state == STATE_RECORD) {
                p->pos = p->window + at + 1;
                p->resume = p->pos;
                return 0;
            }
        } else if (c != ',') {
            p->resume = next_line(slice_until(p->s, p->window_end), p->window + at);
            return 0;
        }
        d->line_start = false;
        p->pos = p->window + at + 1;
        w->i++;
    }
    p->pos = p->resume = p->window_end;
    d->line_start = p->s.ptr[p->pos - 1] == '\n';
    return 0;
}

/* One byte outside all records. */
static void step_between(struct json_decoder *d, struct piece *p)
{
    char c = p->s.ptr[p->pos];
    uint64_t offset = p->offset + p->pos;
    bool mark = offset < 3 && c == "\xEF\xBB\xBF"[offset]; /* byte order mark */
    if (c == '{') {
        begin_record(d, false);
    } else if (c == '\n') {
        d->line_start = true;
        p->pos++;
    } else if (is_blank(c) || mark || c == '\x1e') { /* RFC 7464 separates records by RS */
        p->pos++;
    } else if (c == '[' || c == ',' || (c == ']' && close_array(d))) {
        if (c == '[') d->arrays++;
        d->line_start = false;
        p->pos++;
    } else {
        begin_garbage(d, offset, d->line_start && c >= 0x21 && c < 0x7f);
    }
}

static void step_garbage(struct json_decoder *d, struct piece *p)
{
    size_t i = p->pos;
    for (; i < p->s.len; i++) {
        char c = p->s.ptr[i];
        if (c == '\n' || (!d->whole_line && (c == '{' || (c == ']' && (d->arrays || d->wrapped)))))
            break;
    }
    p->pos = i;
    if (i < p->s.len) d->state = STATE_BETWEEN;
}

/* Inside a record that is too long; whether there are bytes left that can be judged. */
static bool step_skip(struct json_decoder *d, struct piece *p)
{
    enum split_result r = split_scan(&d->split, slice_from(p->s, p->pos), p->final);
    p->pos += d->split.pos;
    split_forget(&d->split);
    if (r != SPLIT_MORE) {
        d->state = STATE_BETWEEN;
        d->line_start = r == SPLIT_CUT;
    }
    return r != SPLIT_MORE;
}

static int read_list(struct json_decoder *d, struct slice list, uint64_t offset)
{
    /* The window that this record may be in stays as it is: the fast way is closed. */
    struct piece p = {.s = list, .offset = offset, .final = true, .resume = list.len};
    d->state = STATE_BETWEEN;
    d->wrapped = true;
    int r = run(d, &p);
    d->state = STATE_BETWEEN;
    d->wrapped = d->tail = false;
    d->arrays = 0;
    return r;
}

/* The record at p->pos has no end within the bounds, or ends at a place that only looks like it. */
static int step_broken(struct json_decoder *d, struct piece *p, struct slice record, bool too_long)
{
    uint64_t offset = p->offset + p->pos;
    if (d->split.suspect) {
        record = slice_until(record, d->split.suspect);
        d->strict_lines = true;
    } else if (too_long && d->split.list && d->split.wraps && !d->wrapped && !d->arrays) {
        d->state = STATE_BETWEEN;
        d->wrapped = true;
        p->pos += d->split.list;
        return 0;
    } else if (too_long) {
        report(d, offset, ++d->record, "record is too long");
        d->state = STATE_SKIP;
        split_forget(&d->split);
        p->pos += record.len;
        return 0;
    }
    d->state = STATE_BETWEEN;
    d->line_start = true;
    p->pos += record.len;
    return read_cut_record(d, record, offset);
}

/* Goes on with the record at p->pos; *ret_more says that its end has not come yet. */
static int step_record(struct json_decoder *d, struct piece *p, bool *ret_more)
{
    struct slice s = slice_from(p->s, p->pos);
    bool too_long = s.len >= DECODER_RECORD_MAX;
    s = slice_until(s, DECODER_RECORD_MAX);
    enum split_result r = split_scan(&d->split, s, p->final || too_long);
    struct slice record = slice_until(s, d->split.pos);
    uint64_t offset = p->offset + p->pos;
    switch (r) {
    case SPLIT_MORE:
        if (too_long || p->final) return step_broken(d, p, s, too_long);
        *ret_more = true;
        return 0;
    case SPLIT_CUT:
        return step_broken(d, p, record, false);
    case SPLIT_LIST:
        d->state = STATE_BETWEEN;
        d->wrapped = true;
        d->arrays = 0;
        p->pos += record.len;
        return 0;
    case SPLIT_END:
        break;
    }
    d->state = STATE_BETWEEN;
    d->line_start = false;
    p->pos += record.len;
    if (d->tail) return read_tail(d, record);
    if (d->split.list && d->split.wraps && !d->wrapped && !d->arrays)
        return read_list(d, slice_from(record, d->split.list), offset + d->split.list);
    return read_record(d, record);
}

/*
 * Reads all records of the piece. p->pos is left before its end when the last one is unfinished:
 * then the rest belongs in front of the next piece. With `final` nothing is left.
 */
static int run(struct json_decoder *d, struct piece *p)
{
    int r = 0;
    bool more = false;
    while (p->pos < p->s.len && !r && !more) {
        switch (d->state) {
        case STATE_BETWEEN:
            if (enter_window(d, p)) r = run_window(d, p);
            else step_between(d, p);
            break;
        case STATE_RECORD:
            r = step_record(d, p, &more);
            break;
        case STATE_SKIP:
            more = !step_skip(d, p);
            break;
        case STATE_GARBAGE:
            step_garbage(d, p);
            break;
        }
    }
    return r;
}

static int run_piece(struct json_decoder *d, struct slice s, bool final, size_t *ret_used)
{
    struct piece p = {.s = s, .offset = d->offset, .final = final};
    int r = run(d, &p);
    d->offset += p.pos;
    *ret_used = p.pos;
    return r;
}

/* ---- records that come one by one ---- */

/* A record as it would be read in a source of its own. The index of a window stays as it is. */
static int read_alone(struct json_decoder *d, struct slice record, uint64_t offset)
{
    struct piece p = {.s = record, .final = true, .resume = record.len};
    d->begin = offset;
    d->state = STATE_BETWEEN;
    d->arrays = 0;
    d->wrapped = d->tail = d->strict_lines = false;
    d->line_start = true;
    int r = run(d, &p);
    if (r == 0 && (d->arrays || d->wrapped || d->state == STATE_RECORD))
        report(d, 0, 0, "the list of records is cut off");
    return r;
}

/* The first entry that is not before `end`; `i` is at most that far, `guess` more are likely. */
static uint32_t entries_until(const uint32_t *at, uint32_t i, uint32_t n, uint32_t guess,
                              size_t end)
{
    uint32_t k = guess < n - i ? i + guess : n;
    while (k > i && at[k - 1] >= end) k--;
    while (k < n && at[k] < end) k++;
    return k;
}

/*
 * Lines of one window, each with its LF. Strings end on their line, or the text would not be
 * indexed; and a record sees no entry behind its line, so that one that is broken takes nothing of
 * the next.
 */
static int read_window(struct json_decoder *d, struct slice lines, uint64_t offset)
{
    struct walk w = {.text = lines.ptr, .len = lines.len};
    uint32_t i = 0, n = 0, count = 0;
    if (json_index_run(d->many, lines.ptr, lines.len, &w.at, &n)) n = 0;
    int r = 0;
    for (size_t pos = 0, end; pos < lines.len && r == 0; pos = end) {
        end = next_line(lines, pos);
        w.i = i;
        w.n = entries_until(w.at, i, n, count, end);
        count = w.n - i;
        i = w.n;
        event_reset(&d->ev);
        if (count && w.text[w.at[w.i]] == '{' && walk_object(d, &w) && w.i == w.n)
            r = deliver(d, slice_make(w.text + w.start, w.end - w.start));
        else r = read_alone(d, slice_make(lines.ptr + pos, end - 1 - pos), offset + pos);
    }
    return r;
}

static int json_record(struct decoder *base, struct slice record)
{
    struct json_decoder *d = (struct json_decoder *)base;
    check_generation(d);
    return read_alone(d, record, 0);
}

static int json_records(struct decoder *base, struct slice lines)
{
    struct json_decoder *d = (struct json_decoder *)base;
    int r = 0;
    check_generation(d);
    for (size_t pos = 0, end; pos < lines.len && r == 0; pos = end) {
        const char *lf =
            memrchr(lines.ptr + pos, '\n', slice_until(slice_from(lines, pos), WINDOW).len);
        end = lf ? (size_t)(lf - lines.ptr) + 1 : next_line(lines, pos);
        struct slice window = slice_make(lines.ptr + pos, end - pos);
        r = lf ? read_window(d, window, pos)
               : read_alone(d, slice_until(window, window.len - 1), pos);
    }
    return r;
}

/* ---- the decoder ---- */

static int json_feed(struct decoder *base, struct slice data)
{
    struct json_decoder *d = (struct json_decoder *)base;
    size_t used;
    check_generation(d);
    while (data.len && d->hold.len) {
        struct slice chunk = slice_until(data, CHUNK);
        chunk = slice_until(chunk, next_line(chunk, 0));
        size_t held = d->hold.len;
        buf_put(&d->hold, chunk);
        if (buf_failed(&d->hold)) return ERR_NOMEM;
        int r = run_piece(d, buf_slice(&d->hold), false, &used);
        if (r) return r;
        if (used >= held) {
            /* What remains lies in `data` as well. */
            data = slice_from(data, used - held);
            buf_clear(&d->hold);
        } else {
            buf_consume(&d->hold, used);
            data = slice_from(data, chunk.len);
        }
    }
    if (data.len == 0) return 0;
    int r = run_piece(d, data, false, &used);
    if (r) return r;
    buf_put(&d->hold, slice_from(data, used));
    return buf_failed(&d->hold) ? ERR_NOMEM : 0;
}

static int json_finish(struct decoder *base)
{
    struct json_decoder *d = (struct json_decoder *)base;
    size_t used;
    check_generation(d);
    int r = run_piece(d, buf_slice(&d->hold), true, &used);
    buf_clear(&d->hold);
    if (r) return r;
    if (d->arrays || d->wrapped || d->state == STATE_RECORD)
        report(d, d->offset, 0, "the list of records is cut off");
    return 0;
}

static void json_close(struct decoder *base)
{
    struct json_decoder *d = (struct json_decoder *)base;
    if (d->many) json_index_free(d->many);
    if (d->one) json_index_free(d->one);
    event_done(&d->ev);
    arena_done(&d->arena);
    buf_done(&d->hold);
    free(d->edges_memory);
    free(d);
}

static struct decoder *json_open(const struct decoder_out *out, struct keys *keys)
{
    struct json_decoder *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->base = (struct decoder){.ops = &decoder_json, .out = *out, .keys = keys};
    d->generation = keys_generation(keys);
    d->line_start = true;
    arena_init(&d->arena, ARENA_BUDGET);
    event_init(&d->ev, keys, &d->arena);
    buf_init(&d->hold, DECODER_RECORD_MAX + CHUNK);
    d->many = json_index_new(WINDOW);
    d->one = json_index_new(WINDOW);
    /* calloc, so that what is never used is never touched. */
    d->edges_memory = calloc(EDGE_KEYS * 2 * EDGE_WAYS + 1, sizeof *d->edges);
    uintptr_t line = (uintptr_t)d->edges_memory + sizeof *d->edges - 1;
    d->edges = (struct edge *)(line & ~(uintptr_t)(sizeof *d->edges - 1));
    if (!d->many || !d->one || !d->edges_memory) {
        json_close(&d->base);
        return NULL;
    }
    return &d->base;
}

/* The first bytes behind { or [ tell JSON from other text that begins with a bracket. */
static int json_sniff(struct slice head, bool final)
{
    if (slice_starts_with(head, SLICE("\xEF\xBB\xBF"))) head = slice_from(head, 3);
    size_t i = 0;
    while (i < head.len && (is_blank(head.ptr[i]) || head.ptr[i] == '\x1e')) i++;
    if (i == head.len) return 0;
    char open = head.ptr[i++];
    if (open != '{' && open != '[') return 0;
    while (i < head.len && (is_blank(head.ptr[i]) || (open == '[' && head.ptr[i] == '['))) i++;
    if (i == head.len) return final ? 20 : 60;
    if (open == '{') return head.ptr[i] == '"' || head.ptr[i] == '}' ? 95 : 30;
    return head.ptr[i] == '{' || head.ptr[i] == ']' ? 95 : 0;
}

const struct decoder_ops decoder_json = {
    .name = "json",
    .sniff = json_sniff,
    .open = json_open,
    .feed = json_feed,
    .finish = json_finish,
    .record = json_record,
    .records = json_records,
    .close = json_close,
};
