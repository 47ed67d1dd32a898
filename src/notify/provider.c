/* SPDX-License-Identifier: EUPL-1.2 */
#include "notify/provider.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "config/words.h"

static const char *const kinds[NOTIFY_KIND_COUNT] = {
#define X(id, name, channels) name,
    NOTIFY_KINDS(X)
#undef X
};

static const unsigned channels_of[NOTIFY_KIND_COUNT] = {
#define X(id, name, channels) channels,
    NOTIFY_KINDS(X)
#undef X
};

const char *notify_kind_name(unsigned kind)
{
    return kind < NOTIFY_KIND_COUNT ? kinds[kind] : "?";
}

unsigned notify_provider_channels(const struct notify_provider *p)
{
    unsigned channels = channels_of[p->kind];
    if (p->kind != NOTIFY_KIND_ELKS) return channels;
    if (!p->from[0]) channels &= ~(1U << NOTIFY_SMS);
    return p->voice[0] ? channels : channels & ~(1U << NOTIFY_VOICE);
}

/* ---- addresses --------------------------------------------------------------------------- */

bool notify_is_number(struct slice text)
{
    if (text.len < 6 || text.len > 16 || text.ptr[0] != '+' || text.ptr[1] == '0') return false;
    for (size_t i = 1; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    return true;
}

bool notify_is_address(struct slice text)
{
    struct dial_address address;
    return dial_https_read(text, &address) && slice_eq(slice_of(address.origin), text);
}

bool notify_is_mail(struct slice text)
{
    size_t at = slice_find_last_byte(text, '@');
    if (at == 0 || at >= text.len || text.len > NOTIFY_WORD_MAX - 2) return false;
    struct slice name = slice_until(text, at), host = slice_from(text, at + 1);
    return slice_is_plain(name, ".!#$%&'*+-/=?^_`{|}~") && host.len > 0 &&
           slice_is_plain(host, ".-") && host.ptr[0] != '-' && host.ptr[0] != '.' &&
           slice_find(host, SLICE("..")) == SIZE_MAX;
}

/* No blank, control character or other byte that a request must not have. */
static bool is_url(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || strchr("\"<>\\^`{|}", text.ptr[i]))
            return false;
    return true;
}

bool notify_provider_point(struct notify_provider *p, struct slice url)
{
    struct slice origin = url;
    size_t scheme = sizeof "https://" - 1;
    size_t slash = url.len > scheme ? slice_find_byte(slice_from(url, scheme), '/') : SIZE_MAX;
    if (slash != SIZE_MAX) origin.len = scheme + slash;
    return is_url(url) && dial_https_read(origin, &p->where) &&
           slice_copy(url, p->url, sizeof p->url);
}

/* ---- words ------------------------------------------------------------------------------- */

enum word {
    NAME,
    OWN,
    TIMEOUT,
    ADDRESS,
    HOST,
    TLS,
    URL,
    USER,
    SECRET,
    FROM,
    VOICE,
    PROMPT,
    SPEAKS,
    CALLBACK,
    WORDS
};
static const char *const words[WORDS] = {"name",  "own",    "timeout", "address", "host",
                                         "tls",   "url",    "user",    "secret",  "from",
                                         "voice", "prompt", "speaks",  "callback"};

#define BIT(word) (1U << (word))
enum { COMMON = BIT(NAME) | BIT(OWN) | BIT(TIMEOUT) | BIT(ADDRESS) };

/* What each kind takes, and what it cannot be without. */
static const struct {
    uint32_t takes, needs;
} takes[NOTIFY_KIND_COUNT] = {
    [NOTIFY_KIND_SMTP] = {COMMON | BIT(HOST) | BIT(TLS) | BIT(USER) | BIT(SECRET) | BIT(FROM),
                          BIT(HOST) | BIT(FROM)},
    [NOTIFY_KIND_ELKS] = {COMMON | BIT(URL) | BIT(USER) | BIT(SECRET) | BIT(FROM) | BIT(VOICE) |
                              BIT(PROMPT) | BIT(SPEAKS) | BIT(CALLBACK),
                          BIT(USER) | BIT(SECRET)},
    [NOTIFY_KIND_WEBHOOK] = {COMMON | BIT(URL) | BIT(SECRET), BIT(URL) | BIT(SECRET)},
    [NOTIFY_KIND_TEAMS] = {COMMON | BIT(SECRET), BIT(SECRET)},
    [NOTIFY_KIND_NTFY] = {COMMON | BIT(URL) | BIT(SECRET), BIT(URL)},
};

static int refuse(struct diag *diag, const char *name, const char *is)
{
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s= is %s", name, is);
}

static int read_choice(struct slice value, const char *name, const char *const *choices, unsigned n,
                       unsigned *ret, struct diag *diag)
{
    char what[64];
    (void)snprintf(what, sizeof what, "%s=", name);
    return words_read_kind(value, choices, n, what, ret, diag);
}

static int read_tls(struct notify_provider *p, struct slice value, struct diag *diag)
{
    static const char *const choices[] = {"starttls", "always", "none"};
    unsigned tls = 0;
    int error = read_choice(value, words[TLS], choices, 3, &tls, diag);
    if (error == 0) p->tls = tls;
    return error;
}

static int read_own(struct notify_provider *p, struct slice value, struct diag *diag)
{
    static const char *const choices[] = {"no", "yes"};
    unsigned own = 0;
    int error = read_choice(value, words[OWN], choices, 2, &own, diag);
    if (error == 0) p->own = own != 0;
    return error;
}

static int read_speaks(struct notify_provider *p, struct slice value, struct diag *diag)
{
    static const char *const choices[] = {"en", "sv"};
    unsigned language = 0;
    int error = read_choice(value, words[SPEAKS], choices, 2, &language, diag);
    if (error == 0) p->swedish = language == 1;
    return error;
}

static int read_from(struct notify_provider *p, struct slice value, struct diag *diag)
{
    if (p->kind == NOTIFY_KIND_SMTP) {
        if (notify_is_mail(value) && slice_copy(value, p->from, sizeof p->from)) return 0;
        return refuse(diag, "from", "an address such as vaka@example.se");
    }
    bool named = value.len >= 3 && value.len <= 11 && slice_is_plain(value, "");
    if ((named || notify_is_number(value)) && slice_copy(value, p->from, sizeof p->from)) return 0;
    return refuse(diag, "from", "a number such as +46700000000, or a name of 3 to 11 letters");
}

static bool read_pin(struct notify_provider *p, struct slice value)
{
    struct in6_addr number;
    return slice_copy(value, p->pin, sizeof p->pin) &&
           (inet_pton(AF_INET, p->pin, &number) == 1 || inet_pton(AF_INET6, p->pin, &number) == 1);
}

static int read_value(void *ctx, unsigned word, struct slice value, struct diag *diag)
{
    struct notify_provider *p = ctx;
    const char *name = words[word];
    if (!(takes[p->kind].takes & BIT(word)))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s has no %s=", kinds[p->kind], name);
    switch ((enum word)word) {
    case NAME:
        if (slice_is_plain(value, "-_.") && slice_copy(value, p->name, sizeof p->name)) return 0;
        return refuse(diag, name, "made of letters, digits, - and _, at most 63");
    case OWN:
        return read_own(p, value, diag);
    case TIMEOUT:
        return words_read_duration(value, name, NSEC_PER_SEC, NOTIFY_TIMEOUT_MOST, &p->timeout,
                                   diag);
    case ADDRESS:
        return read_pin(p, value) ? 0 : refuse(diag, name, "an address such as 192.0.2.1");
    case HOST:
        if (slice_copy(value, p->url, sizeof p->url)) return 0; /* read when tls is known */
        return refuse(diag, name, "HOST or HOST:PORT");
    case TLS:
        return read_tls(p, value, diag);
    case URL:
        if (notify_provider_point(p, value)) return 0;
        return refuse(diag, name, "an address https://HOST[:PORT]/…");
    case USER:
        if (is_url(value) && slice_copy(value, p->user, sizeof p->user)) return 0;
        return refuse(diag, name, "a word");
    case SECRET:
        return words_read_path(value, name, p->secret, sizeof p->secret, diag);
    case FROM:
        return read_from(p, value, diag);
    case VOICE:
        if (notify_is_number(value) && slice_copy(value, p->voice, sizeof p->voice)) return 0;
        return refuse(diag, name, "a number such as +46700000000");
    case PROMPT:
        if (slice_starts_with(value, SLICE("https://")) && is_url(value) &&
            slice_copy(value, p->prompt, sizeof p->prompt))
            return 0;
        return refuse(diag, name, "the address of a recording, https://…");
    case SPEAKS:
        return read_speaks(p, value, diag);
    case CALLBACK:
        return words_read_path(value, name, p->callback, sizeof p->callback, diag);
    case WORDS:
        break;
    }
    return ERR_INVALID;
}

/* ---- providers --------------------------------------------------------------------------- */

static void set_defaults(struct notify_provider *p)
{
    (void)snprintf(p->name, sizeof p->name, "%s", kinds[p->kind]);
    p->timeout = NOTIFY_TIMEOUT;
    if (p->kind != NOTIFY_KIND_ELKS) return;
    bool good = notify_provider_point(p, SLICE("https://api.46elks.com"));
    ASSERT(good);
}

static int finish_smtp(struct notify_provider *p, uint32_t said, struct diag *diag)
{
    char host[DIAL_HOST_MAX + 16];
    const char *scheme = p->tls == NOTIFY_TLS ? "smtps://" : "smtp://";
    struct slice port = p->tls == NOTIFY_TLS ? SLICE("465") : SLICE("587");
    int n = snprintf(host, sizeof host, "%s%s", scheme, p->url);
    if (n >= (int)sizeof host ||
        !dial_address_read(slice_of(host), slice_of(scheme), port, &p->where))
        return refuse(diag, "host", "HOST or HOST:PORT");
    if (!(said & BIT(USER)) != !(said & BIT(SECRET)))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "user= and secret= go together");
    if (p->tls == NOTIFY_NO_TLS && (said & BIT(USER)))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "a secret is not said without TLS");
    bool v6 = strchr(p->where.host, ':') != NULL;
    (void)snprintf(p->url, sizeof p->url, "%s%s%s%s:%u", scheme, v6 ? "[" : "", p->where.host,
                   v6 ? "]" : "", p->where.port);
    return 0;
}

static int finish_elks(struct notify_provider *p, struct diag *diag)
{
    if (!notify_provider_channels(p))
        return diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "46elks needs from= or voice=");
    /* One way to write it: paths go behind it. */
    (void)slice_copy(slice_of(p->where.origin), p->url, sizeof p->url);
    return 0;
}

int notify_provider_read(struct slice text, struct notify_provider *ret, struct diag *diag)
{
    struct notify_provider p = {0};
    uint32_t said = 0;
    unsigned kind = 0;
    int error = words_read_kind(slice_next_word(&text), kinds, NOTIFY_KIND_COUNT,
                                "kind of provider", &kind, diag);
    if (error) return error;
    p.kind = kind;
    set_defaults(&p);
    error = words_read(text, words, WORDS, read_value, &p, &said, diag);
    if (error) return error;
    for (unsigned i = 0; i < WORDS; i++)
        if (takes[kind].needs & BIT(i) & ~said)
            return diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "%s needs %s=", kinds[kind], words[i]);
    if (kind == NOTIFY_KIND_SMTP) error = finish_smtp(&p, said, diag);
    if (kind == NOTIFY_KIND_ELKS) error = finish_elks(&p, diag);
    if (error == 0) *ret = p;
    return error;
}

int notify_providers_read(const char *const *texts, size_t n, struct notify_provider *ret,
                          struct diag *diag)
{
    if (n > NOTIFY_PROVIDERS_MAX) return ERR_LIMIT;
    for (size_t i = 0; i < n; i++) {
        struct diag why = {0};
        int error = notify_provider_read(slice_of(texts[i]), &ret[i], &why);
        for (size_t j = 0; j < i && error == 0; j++)
            if (strcmp(ret[i].name, ret[j].name) == 0)
                error = diag_set(&why, ERR_INVALID, NULL, 0, 0,
                                 "provider %zu is called %s as well; name= tells them apart", j + 1,
                                 ret[i].name);
        if (error)
            return diag_set(diag, error, NULL, 0, 0, "notify.providers: provider %zu: %s", i + 1,
                            why.message);
    }
    return 0;
}
