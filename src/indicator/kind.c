/* SPDX-License-Identifier: EUPL-1.2 */
#include "indicator/kind.h"

#include "detect/sigma/match.h"

enum {
    WORD_MAX = 32,
    NAME_MAX_BYTES = 253,
    LABEL_MAX = 63,
    NETWORK_V4_MIN = 16,
    NETWORK_V6_MIN = 32
};

/* ---- words ------------------------------------------------------------------------------- */

bool indicator_kind_read(struct slice word, enum listed_kind *ret)
{
    static const struct {
        const char *word;
        enum listed_kind kind;
    } words[] = {
        {"address", LISTED_ADDRESS},
        {"ip", LISTED_ADDRESS},
        {"ipv4", LISTED_ADDRESS},
        {"ipv6", LISTED_ADDRESS},
        {"ipaddress", LISTED_ADDRESS},
        {"ipaddr", LISTED_ADDRESS},
        {"ipv4addr", LISTED_ADDRESS},
        {"ipv6addr", LISTED_ADDRESS},
        {"ipsrc", LISTED_ADDRESS},
        {"ipdst", LISTED_ADDRESS},
        {"ipport", LISTED_ADDRESS},
        {"cidr", LISTED_ADDRESS},
        {"network", LISTED_ADDRESS},
        {"subnet", LISTED_ADDRESS},
        {"domain", LISTED_DOMAIN},
        {"hostname", LISTED_DOMAIN},
        {"host", LISTED_DOMAIN},
        {"domainname", LISTED_DOMAIN},
        {"fqdn", LISTED_DOMAIN},
        {"url", LISTED_URL},
        {"uri", LISTED_URL},
        {"hash", LISTED_HASH},
        {"md5", LISTED_HASH},
        {"sha1", LISTED_HASH},
        {"sha256", LISTED_HASH},
        {"filehash", LISTED_HASH},
        {"filehashmd5", LISTED_HASH},
        {"filehashsha1", LISTED_HASH},
        {"filehashsha256", LISTED_HASH},
        {"email", LISTED_EMAIL},
        {"mail", LISTED_EMAIL},
        {"emailaddress", LISTED_EMAIL},
        {"emailaddr", LISTED_EMAIL},
        {"emailsrc", LISTED_EMAIL},
        {"emaildst", LISTED_EMAIL},
        {"emailreplyto", LISTED_EMAIL},
    };
    char plain[WORD_MAX];
    size_t n = 0;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        if (c == '-' || c == '_' || c == ':' || c == ' ') continue;
        if (n == sizeof plain) return false;
        plain[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!slice_eq(slice_of(words[i].word), slice_make(plain, n))) continue;
        *ret = words[i].kind;
        return true;
    }
    return false;
}

static bool begins_nocase(struct slice text, struct slice with)
{
    return text.len >= with.len && slice_eq_nocase(slice_until(text, with.len), with);
}

size_t indicator_refang(char *to, struct slice text)
{
    static const struct {
        const char *from, *to;
    } marks[] = {{"[.]", "."},  {"(.)", "."},     {"{.}", "."}, {"[dot]", "."}, {"(dot)", "."},
                 {"[:]", ":"},  {"[://]", "://"}, {"[@]", "@"}, {"(@)", "@"},   {"[at]", "@"},
                 {"(at)", "@"}, {"[/]", "/"},     {"[.", "."},  {".]", "."}};
    size_t n = 0;
    if (begins_nocase(text, SLICE("hxxp"))) {
        memcpy(to, "http", 4);
        n = 4;
        text = slice_from(text, 4);
    }
    while (text.len) {
        size_t k = 0, count = sizeof marks / sizeof *marks;
        while (k < count && !begins_nocase(text, slice_of(marks[k].from))) k++;
        struct slice put = k < count ? slice_of(marks[k].to) : slice_until(text, 1);
        memcpy(to + n, put.ptr, put.len);
        n += put.len;
        text = slice_from(text, k < count ? strlen(marks[k].from) : 1);
    }
    return n;
}

/* ---- looks ------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hash(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.ptr[i]) && !((s.ptr[i] | 0x20) >= 'a' && (s.ptr[i] | 0x20) <= 'f'))
            return false;
    return s.len == 32 || s.len == 40 || s.len == 64;
}

static bool is_label(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i], low = (char)(c | 0x20);
        bool good = (low >= 'a' && low <= 'z') || is_digit(c) || c == '-' || c == '_';
        if (!good && (unsigned char)c < 0x80) return false;
    }
    return s.len > 0 && s.len <= LABEL_MAX;
}

/* Labels with dots between them, of which the last is no number. */
static bool is_name(struct slice s)
{
    struct slice label, rest = s;
    uint64_t number;
    bool more = s.len > 0 && s.len <= NAME_MAX_BYTES;
    if (!more) return false;
    while (more) {
        more = slice_split(rest, '.', &label, &rest);
        if (!is_label(label)) return false;
    }
    return !slice_to_u64(label, &number);
}

static struct slice trim_name(struct slice s)
{
    if (slice_starts_with(s, SLICE("*."))) s = slice_from(s, 2);
    if (s.len && s.ptr[0] == '.') s = slice_from(s, 1);
    if (s.len && s.ptr[s.len - 1] == '.') s.len--;
    return s;
}

static bool is_network(struct slice s, struct sigma_atom *ret)
{
    return cidr_read(s, ret) == NULL;
}

/* One @, a name behind it, and nothing that stands between addresses. */
static bool is_email(struct slice s)
{
    size_t at = slice_find_byte(s, '@');
    if (at == SIZE_MAX || at == 0 || slice_find_last_byte(s, '@') != at) return false;
    for (size_t i = 0; i < at; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || memchr("<>\"(),:;[]", s.ptr[i], 10)) return false;
    return is_name(slice_from(s, at + 1));
}

static bool is_url(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ') return false;
    struct sigma_atom atom;
    struct slice host = listed_host(s);
    return is_name(host) || is_network(host, &atom);
}

bool indicator_guess(struct slice value, enum listed_kind *ret)
{
    struct sigma_atom atom;
    struct slice host = listed_host(value);
    bool has_path = slice_find_byte(value, '/') != SIZE_MAX;
    bool has_at = slice_find_byte(value, '@') != SIZE_MAX;
    if (is_hash(value)) *ret = LISTED_HASH;
    else if (slice_find(value, SLICE("://")) != SIZE_MAX) *ret = LISTED_URL;
    else if (is_network(value, &atom)) *ret = LISTED_ADDRESS;
    else if (is_email(value)) *ret = LISTED_EMAIL;
    /* A network whose prefix is wrong is no path below an address. */
    else if (is_network(host, &atom)) *ret = LISTED_ADDRESS;
    else if (has_path && is_name(host)) *ret = LISTED_URL;
    else if (!has_at && is_name(trim_name(host))) *ret = LISTED_DOMAIN;
    else return false;
    return true;
}

const char *indicator_check(enum listed_kind kind, struct slice value, struct slice *ret)
{
    struct sigma_atom atom;
    *ret = value;
    switch (kind) {
    case LISTED_ADDRESS:
        if (slice_find_byte(value, '/') != SIZE_MAX) return cidr_read(value, &atom);
        if (!is_network(value, &atom)) *ret = listed_host(value);
        return is_network(*ret, &atom) ? NULL : "this is no address or network";
    case LISTED_DOMAIN:
        *ret = trim_name(listed_host(value));
        if (slice_find_byte(value, '/') != SIZE_MAX) return "this is a URL and no name of a host";
        if (slice_find_byte(value, '@') != SIZE_MAX) return "this is no name of a host";
        return is_name(*ret) ? NULL : "this is no name of a host";
    case LISTED_URL:
        return is_url(value) ? NULL : "this is no URL with a host";
    case LISTED_HASH:
        return is_hash(value) ? NULL : "this is no MD5, SHA-1 or SHA-256 in hexadecimal";
    case LISTED_EMAIL:
        return is_email(value) ? NULL : "this is no address of mail";
    }
    return "this is nothing that is looked for";
}

/* ---- too general ------------------------------------------------------------------------- */

static bool have_in_common(const struct sigma_atom *a, const struct sigma_atom *b)
{
    if (a->cidr.v6 != b->cidr.v6) return false;
    unsigned bits = a->cidr.bits < b->cidr.bits ? a->cidr.bits : b->cidr.bits;
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a->cidr.addr, b->cidr.addr, whole) != 0) return false;
    return rest == 0 || ((a->cidr.addr[whole] ^ b->cidr.addr[whole]) >> (8 - rest)) == 0;
}

static const char *general_address(struct slice value, const struct indicator_own *own)
{
    /* What is routed nowhere: IANA's special-purpose registries (RFC 6890), and multicast. */
    static const char *const special[] = {
        "0.0.0.0/8",     "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4",   "240.0.0.0/4", "::/127",
        "fc00::/7",      "fe80::/10",      "ff00::/8"};
    struct sigma_atom it, other;
    if (!is_network(value, &it)) return NULL;
    if (it.cidr.bits < (it.cidr.v6 ? NETWORK_V6_MIN : NETWORK_V4_MIN))
        return "the network is too large (more than a /16, or an IPv6 /32)";
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (is_network(slice_of(special[i]), &other) && have_in_common(&it, &other))
            return "the address is private, local or nobody's";
    for (uint32_t i = 0; i < own->n; i++)
        if (is_network(own->networks[i], &other) && have_in_common(&it, &other))
            return "the address is of a network of one's own (vaka_internal_networks)";
    return NULL;
}

static const char *general_name(struct slice name)
{
    static const char *const local[] = {"local", "localhost", "localdomain", "lan",
                                        "home",  "internal",  "intranet",    "arpa"};
    size_t dot = slice_find_last_byte(name, '.');
    if (dot == SIZE_MAX) return "the name has a single part";
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (slice_eq_nocase(slice_from(name, dot + 1), slice_of(local[i])))
            return "the name is one within a network";
    return NULL;
}

static const char *general_hash(struct slice value)
{
    static const char *const empty[] = {
        "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        if (slice_eq_nocase(value, slice_of(empty[i]))) return "it is the hash of the empty file";
    return NULL;
}

const char *indicator_too_general(enum listed_kind kind, struct slice value,
                                  const struct indicator_own *own)
{
    struct sigma_atom atom;
    struct slice host = listed_host(value);
    switch (kind) {
    case LISTED_ADDRESS:
        return general_address(value, own);
    case LISTED_DOMAIN:
        return general_name(value);
    case LISTED_URL:
        return is_network(host, &atom) ? general_address(host, own) : general_name(host);
    case LISTED_HASH:
        return general_hash(value);
    case LISTED_EMAIL:
        break;
    }
    return NULL;
}
