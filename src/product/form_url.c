/* SPDX-License-Identifier: EUPL-1.2 */
/* RFC 3986, 3, read as leniently as browsers and proxies write it. */
#include "product/form_read.h"

enum { PORT_DIGITS_MAX = 5 };

struct url {
    struct form parent;
    struct event *ev;
};

/* One part of it; an empty one is not there. */
static void add_part(const struct url *u, struct slice name, enum value_type type,
                     struct slice value)
{
    if (value.len) form_put(&u->parent, u->ev, form_key(&u->parent, u->ev, name), type, value);
}

static void add_text(const struct url *u, struct slice name, struct slice value)
{
    add_part(u, name, VALUE_STRING, value);
}

static bool is_scheme_byte(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (!first && (form_is_digit(c) || c == '+' || c == '-' || c == '.'));
}

/* The bytes of the scheme, when :// stands behind it; else 0. */
static size_t scheme_len(struct slice s)
{
    size_t n = 0;
    while (n < s.len && is_scheme_byte(s.ptr[n], n == 0)) n++;
    return slice_starts_with(slice_from(s, n), SLICE("://")) ? n : 0;
}

/* Where path, query or fragment begins. */
static size_t authority_len(struct slice s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] != '/' && s.ptr[n] != '?' && s.ptr[n] != '#') n++;
    return n;
}

/* A number from 0 to 65535 as JSON writes it. */
static bool is_port(struct slice s)
{
    uint64_t port;
    return s.len <= PORT_DIGITS_MAX && slice_to_u64(s, &port) && port <= UINT16_MAX &&
           (s.len == 1 || s.ptr[0] != '0');
}

/*
 * The port of HOST, HOST: or HOST:PORT, and the host without it; the brackets of an IPv6 address
 * belong to that (ECS).
 */
static struct slice cut_port(struct slice *host)
{
    size_t colon = slice_find_last_byte(*host, ':'), bracket = slice_find_last_byte(*host, ']');
    if (colon == SIZE_MAX || (bracket != SIZE_MAX && bracket > colon)) return SLICE_NONE;
    struct slice port = slice_from(*host, colon + 1);
    *host = slice_until(*host, colon);
    return port;
}

static void add_authority(const struct url *u, struct slice s)
{
    struct slice user = SLICE_NONE, password;
    size_t at = slice_find_last_byte(s, '@');
    if (at != SIZE_MAX) {
        (void)slice_split(slice_until(s, at), ':', &user, &password);
        s = slice_from(s, at + 1);
    }
    struct slice port = cut_port(&s);
    add_text(u, SLICE("username"), user);
    add_text(u, SLICE("domain"), s);
    if (is_port(port)) add_part(u, SLICE("port"), VALUE_NUMBER, port);
}

/* What stands behind the last dot of the last part, unless that begins with it. */
static struct slice extension_of(struct slice path)
{
    size_t slash = slice_find_last_byte(path, '/');
    struct slice name = slash == SIZE_MAX ? path : slice_from(path, slash + 1);
    size_t dot = slice_find_last_byte(name, '.');
    return dot == SIZE_MAX || dot == 0 ? SLICE_NONE : slice_from(name, dot + 1);
}

/* /PATH?QUERY#FRAGMENT, all of which may be missing. */
static void add_target(const struct url *u, struct slice s)
{
    struct slice fragment, path, query;
    (void)slice_split(s, '#', &s, &fragment);
    (void)slice_split(s, '?', &path, &query);
    add_text(u, SLICE("path"), path);
    add_text(u, SLICE("extension"), extension_of(path));
    add_text(u, SLICE("query"), query);
    add_text(u, SLICE("fragment"), fragment);
}

/* Without a scheme: a name with a dot in it, or something with a port. */
static bool is_authority(struct slice s)
{
    struct slice port = cut_port(&s);
    bool dot = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool inside = s.ptr[0] == '[' && (c == '[' || c == ']' || c == ':' || c == '%');
        if (!form_is_letter(c) && !form_is_digit(c) && c != '-' && c != '_' && c != '.' && !inside)
            return false;
        dot |= c == '.' && i > 0;
    }
    return s.len > 0 && (is_port(port) || (port.len == 0 && (dot || s.ptr[0] == '[')));
}

const char *const form_url_names[] = {"original", "full",     "scheme", "username",
                                      "domain",   "port",     "path",   "extension",
                                      "query",    "fragment", NULL};

struct slice form_url_prefix(const struct form *form)
{
    return form->prefix.len ? form->prefix : SLICE("url.");
}

bool form_url_read(const struct form *form, struct slice text, struct event *ev)
{
    struct url u = {.parent = *form, .ev = ev};
    u.parent.prefix = form_url_prefix(form);
    struct slice s = slice_trim(text), rest = s;
    size_t scheme = scheme_len(s);
    if (scheme) rest = slice_from(s, scheme + strlen("://"));
    bool target = !scheme && s.len && s.ptr[0] == '/';
    struct slice authority = target ? SLICE_NONE : slice_until(rest, authority_len(rest));
    if (!scheme && !target && !is_authority(authority)) return false;
    add_text(&u, SLICE("original"), s);
    if (scheme) add_text(&u, SLICE("full"), s);
    add_text(&u, SLICE("scheme"), slice_until(s, scheme));
    add_authority(&u, authority);
    add_target(&u, slice_from(rest, authority.len));
    return true;
}
