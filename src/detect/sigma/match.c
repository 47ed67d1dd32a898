/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/match.h"

#include <arpa/inet.h>

#include "base/utf8.h"

/*
 * A pattern falls into segments at its stars; a segment is literals and question marks only, so
 * its length in characters is fixed and the leftmost place where it stands is always a right one.
 * Question marks next to a star are moved in front of it (`*?a` is `?*a`): every segment after a
 * star then starts with a literal, which is what is searched for.
 */

/* Whether the segment stands at text[at]; *ret_end gets where it ends. */
static bool segment_at(const struct glob_piece *g, uint32_t n, struct slice text, size_t at,
                       size_t *ret_end)
{
    for (uint32_t i = 0; i < n; i++) {
        if (g[i].kind == GLOB_ONE) {
            if (at >= text.len) return false;
            at += utf8_step(text, at);
            continue;
        }
        struct slice lit = g[i].text;
        if (lit.len > text.len - at) return false;
        if (lit.len && memcmp(text.ptr + at, lit.ptr, lit.len) != 0) return false;
        at += lit.len;
    }
    *ret_end = at;
    return true;
}

/* The leftmost place at or after `at`; the segment starts with a literal. */
static bool segment_find(const struct glob_piece *g, uint32_t n, struct slice text, size_t at,
                         size_t *ret_end)
{
    for (;;) {
        size_t found = slice_find(slice_from(text, at), g[0].text);
        if (found == SIZE_MAX) return false;
        at += found;
        if (n == 1) {
            *ret_end = at + g[0].text.len;
            return true;
        }
        if (segment_at(g, n, text, at, ret_end)) return true;
        if (at >= text.len) return false;
        at++;
    }
}

/* Whether the segment can stand at or after `at` so that it ends where the text ends. */
static bool segment_ends(const struct glob_piece *g, uint32_t n, struct slice text, size_t at)
{
    size_t shortest = 0, longest = 0;
    for (uint32_t i = 0; i < n; i++) {
        shortest += g[i].kind == GLOB_ONE ? 1 : g[i].text.len;
        longest += g[i].kind == GLOB_ONE ? 4 : g[i].text.len;
    }
    if (shortest > text.len - at) return false;
    if (longest < text.len - at) at = text.len - longest;
    for (size_t last = text.len - shortest, end; at <= last; at++)
        if (segment_at(g, n, text, at, &end) && end == text.len) return true;
    return false;
}

static uint32_t segment_length(const struct glob_piece *g, uint32_t n)
{
    uint32_t i = 0;
    while (i < n && g[i].kind != GLOB_ANY) i++;
    return i;
}

bool glob_match(const struct glob_piece *glob, uint32_t n, struct slice text)
{
    size_t at = 0;
    uint32_t k = segment_length(glob, n), i = k;
    if (!segment_at(glob, k, text, 0, &at)) return false;
    if (k == n) return at == text.len;
    for (;;) {
        for (; i < n && glob[i].kind != GLOB_LITERAL; i++) {
            if (glob[i].kind == GLOB_ANY) continue;
            if (at >= text.len) return false;
            at += utf8_step(text, at);
        }
        if (i == n) return true;
        k = segment_length(glob + i, n - i);
        if (i + k == n) return segment_ends(glob + i, k, text, at);
        if (!segment_find(glob + i, k, text, at, &at)) return false;
        i += k;
    }
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

/* Whether no word goes on here. */
static bool is_edge(struct slice text, size_t at)
{
    return at == 0 || at == text.len || !is_word_byte(text.ptr[at - 1]) ||
           !is_word_byte(text.ptr[at]);
}

bool words_match(const struct glob_piece *glob, uint32_t n, struct slice text)
{
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct slice lit = glob[i].text;
        ASSERT(glob[i].kind != GLOB_ONE);
        if (glob[i].kind == GLOB_ANY) continue;
        for (bool stands = false; !stands;) {
            size_t found = slice_find(slice_from(text, at), lit);
            if (found == SIZE_MAX) return false;
            at += found;
            stands = (i > 0 || is_edge(text, at)) && (i + 1 < n || is_edge(text, at + lit.len));
            at += stands ? lit.len : 1;
        }
    }
    return true;
}

/*
 * IPv4 in dotted decimal, or IPv6 (RFC 4291 section 2.2) with an optional zone (RFC 4007). An
 * IPv4-mapped address is the IPv4 address it stands for: Windows writes `::ffff:10.0.0.1` where
 * others write `10.0.0.1`, and a rule about 10.0.0.0/8 means both.
 */
bool addr_parse(struct slice text, uint8_t ret_addr[16], bool *ret_v6)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char copy[INET6_ADDRSTRLEN];
    uint8_t addr[16];
    bool v6 = slice_find_byte(text, ':') != SIZE_MAX;
    if (v6) {
        size_t zone = slice_find_byte(text, '%');
        if (zone != SIZE_MAX && zone + 1 == text.len) return false;
        text = slice_until(text, zone);
    }
    if (text.len == 0 || text.len >= sizeof copy) return false;
    if (slice_find_byte(text, '\0') != SIZE_MAX) return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(v6 ? AF_INET6 : AF_INET, copy, addr) != 1) return false;
    if (v6 && memcmp(addr, mapped, sizeof mapped) == 0) {
        memcpy(ret_addr, addr + sizeof mapped, 4);
        v6 = false;
    } else {
        memcpy(ret_addr, addr, v6 ? 16 : 4);
    }
    *ret_v6 = v6;
    return true;
}

const char *cidr_read(struct slice text, struct sigma_atom *ret)
{
    struct slice head, rest;
    uint8_t addr[16];
    bool v6;
    uint64_t bits;
    bool has_bits = slice_split(text, '/', &head, &rest);
    if (slice_find_byte(head, '%') != SIZE_MAX || !addr_parse(head, addr, &v6))
        return "this is no network in the form 192.0.2.0/24 or 2001:db8::/32";
    bool mapped = !v6 && slice_find_byte(head, ':') != SIZE_MAX;
    uint64_t width = v6 ? 128 : 32;
    if (!has_bits) bits = mapped ? 128 : width;
    else if (!slice_to_u64(rest, &bits) || bits > (mapped ? 128 : width) || (mapped && bits < 96))
        return "a network's prefix length is a number up to 32 (IPv4) or 128 (IPv6)";
    if (mapped) bits -= 96;
    for (uint64_t i = bits; i < width; i++)
        if (addr[i / 8] >> (7 - i % 8) & 1)
            return "this network has bits set behind its prefix length";
    memcpy(ret->cidr.addr, addr, width / 8);
    ret->cidr.bits = (uint8_t)bits;
    ret->cidr.v6 = v6;
    return NULL;
}

bool cidr_contains(const struct sigma_atom *atom, struct slice text)
{
    uint8_t addr[16];
    bool v6;
    if (!addr_parse(text, addr, &v6) || v6 != atom->cidr.v6) return false;
    size_t whole = atom->cidr.bits / 8, rest = atom->cidr.bits % 8;
    if (memcmp(addr, atom->cidr.addr, whole) != 0) return false;
    return rest == 0 || ((addr[whole] ^ atom->cidr.addr[whole]) >> (8 - rest)) == 0;
}

static bool atom_holds_for_nothing(const struct sigma_atom *atom)
{
    return atom->op == ATOM_NULL || (atom->op == ATOM_EXISTS && !atom->flag);
}

bool expr_holds_for_nothing(const struct sigma_expr *expr)
{
    bool any = false, all = true;
    for (uint32_t i = 0; i < expr->n_children; i++) {
        bool holds = expr_holds_for_nothing(expr->child[i]);
        any |= holds;
        all &= holds;
    }
    switch (expr->kind) {
    case EXPR_AND:
        return all;
    case EXPR_OR:
        return any;
    case EXPR_NOT:
        return !any;
    case EXPR_ATOM:
        return atom_holds_for_nothing(expr->atom);
    case EXPR_TRUE:
        return true;
    case EXPR_FALSE:
        break;
    }
    return false;
}
