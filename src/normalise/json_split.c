/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/json_split.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum split_member { MEMBER_OTHER, MEMBER_PAGING, MEMBER_RECORDS, MEMBER_LIST };

void split_init(struct split *sp, bool strict_lines)
{
    *sp = (struct split){.wraps = true, .strict_lines = strict_lines};
}

void split_init_inside(struct split *sp, bool strict_lines)
{
    *sp = (struct split){.depth = 1, .previous = ']', .strict_lines = strict_lines};
}

void split_forget(struct split *sp)
{
    sp->pos = sp->suspect = sp->list = sp->name_start = sp->name_end = 0;
    sp->wraps = sp->opened_list = false;
    sp->strict_lines = true;
}

bool split_is_paging(struct slice name)
{
    /* OData, AWS and Elastic answers. */
    static const char *const names[] = {
        "nextLink", "nextToken", "nextForwardToken", "nextBackwardToken", "next", "count",
        "total",    "cursor",    "hasMore"};
    if (name.len && (name.ptr[0] == '@' || name.ptr[0] == '$'))
        return slice_find(name, SLICE("odata.")) == 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq(name, slice_of(names[i]))) return true;
    return false;
}

bool split_is_list(struct slice name)
{
    return slice_eq(name, SLICE("Records")) || slice_eq(name, SLICE("records")) ||
           slice_eq(name, SLICE("value")) || slice_eq(name, SLICE("events"));
}

static enum split_member member_of(struct slice name)
{
    if (slice_eq(name, SLICE("Records"))) return MEMBER_RECORDS;
    if (split_is_list(name)) return MEMBER_LIST;
    return split_is_paging(name) ? MEMBER_PAGING : MEMBER_OTHER;
}

/* The next quote, backslash or line end at or behind i. */
static size_t skip_string(struct slice s, size_t i)
{
#ifdef __SSE2__
    for (; s.len - i >= 16; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.ptr + i));
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                   _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')),
                                                _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'))));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask) return i + (unsigned)__builtin_ctz(mask);
    }
#endif
    while (i < s.len && s.ptr[i] != '"' && s.ptr[i] != '\\' && s.ptr[i] != '\n') i++;
    return i;
}

/* Inside a string from sp->pos on. SPLIT_END: the string has ended. */
static enum split_result scan_string(struct split *sp, struct slice s, bool final)
{
    size_t i = sp->pos;
    enum split_result result = SPLIT_MORE;
    while (i < s.len) {
        if (sp->escaped) {
            sp->escaped = false;
            if (s.ptr[i] != '\n') i++;
            continue;
        }
        i = skip_string(s, i);
        if (i == s.len) break;
        if (s.ptr[i] == '\n') {
            if (s.len - i < 3 && !final) break;
            if (s.len - i >= 3 && s.ptr[i + 1] == '{' && s.ptr[i + 2] == '"') {
                i++;
                result = SPLIT_CUT;
                break;
            }
        } else if (s.ptr[i] == '\\') {
            sp->escaped = true;
        } else {
            sp->in_string = false;
            sp->previous = '"';
            if (sp->depth == 1) sp->name_end = i;
            i++;
            result = SPLIT_END;
            break;
        }
        i++;
    }
    sp->pos = i;
    return result;
}

static void open_container(struct split *sp, bool array)
{
    if (sp->depth == 1 && array && sp->member >= MEMBER_RECORDS && sp->previous == ':')
        sp->opened_list = true;
    else if (sp->depth == 1) sp->wraps = false;
    if (sp->depth++ >= 64) sp->deep = true;
    sp->kinds = sp->kinds << 1 | array;
}

/* A { at the start of a line: whether it ends the record. */
static bool ends_before_brace(struct split *sp, size_t i)
{
    bool allowed = sp->previous == ':' || sp->deep ||
                   ((sp->kinds & 1) && (sp->previous == '[' || sp->previous == ','));
    if (!allowed || sp->strict_lines) return true;
    if (!sp->suspect) sp->suspect = i;
    return false;
}

/* A { at i, which may begin a list's first element. */
static enum split_result scan_brace(struct split *sp, size_t i)
{
    if (sp->line_start && sp->depth && ends_before_brace(sp, i)) return SPLIT_CUT;
    if (sp->opened_list) {
        sp->opened_list = false;
        if (sp->wraps && sp->member == MEMBER_RECORDS) return SPLIT_LIST;
        if (sp->list) sp->wraps = false;
        sp->list = i;
    }
    open_container(sp, false);
    return SPLIT_MORE;
}

enum split_result split_scan(struct split *sp, struct slice s, bool final)
{
    for (;;) {
        if (sp->in_string) {
            enum split_result r = scan_string(sp, s, final);
            if (r != SPLIT_END) return r;
        }
        if (sp->pos >= s.len) return SPLIT_MORE;
        size_t i = sp->pos;
        char c = s.ptr[i];
        if (c == '\n' || c == ' ' || c == '\t' || c == '\r') {
            sp->line_start = c == '\n';
            sp->pos++;
            continue;
        }
        if (c == '{') {
            enum split_result r = scan_brace(sp, i);
            if (r != SPLIT_MORE) return r;
        } else if (sp->opened_list) {
            sp->opened_list = sp->wraps = false;
        }
        sp->line_start = false;
        sp->pos++;
        switch (c) {
        case '"':
            sp->in_string = true;
            if (sp->depth == 1) sp->name_start = i + 1;
            continue;
        case '[':
            open_container(sp, true);
            break;
        case '}':
        case ']':
            sp->kinds >>= 1;
            if (--sp->depth == 0) return SPLIT_END;
            break;
        case ':':
            if (sp->depth != 1 || sp->previous != '"' || !sp->wraps) break;
            sp->member = (uint8_t)member_of(
                slice_make(s.ptr + sp->name_start, sp->name_end - sp->name_start));
            if (sp->member == MEMBER_OTHER) sp->wraps = false;
            break;
        default:
            break;
        }
        sp->previous = c;
    }
}
