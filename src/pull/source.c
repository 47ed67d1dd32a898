/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/source.h"

#include "base/hash.h"
#include "base/hint.h"
#include "config/words.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* What the interfaces keep: 7 days of content, 30 days of sign-ins with Entra ID P1. */
#define KEPT_CONTENT (7 * DAY)
#define KEPT_GRAPH   (30 * DAY)

static const char *const kind_names[PULL_KIND_COUNT] = {
#define X(id, name, api, permission) name,
    PULL_KINDS(X)
#undef X
};

static const struct kind {
    const char *api, *permission;
} kinds[PULL_KIND_COUNT] = {
#define X(id, name, api, permission) {api, permission},
    PULL_KINDS(X)
#undef X
};

static const struct content {
    const char *name, *permission;
} contents[PULL_CONTENT_COUNT] = {
#define X(name, permission) {name, permission},
    PULL_CONTENTS(X)
#undef X
};

const char *pull_kind_name(unsigned kind)
{
    return kind < PULL_KIND_COUNT ? kind_names[kind] : "?";
}

const char *pull_permission(enum pull_kind kind, unsigned content)
{
    return kind == PULL_M365 && content < PULL_CONTENT_COUNT ? contents[content].permission
                                                             : kinds[kind].permission;
}

const char *pull_content_name(unsigned content)
{
    return content < PULL_CONTENT_COUNT ? contents[content].name : "";
}

/* ---- words ------------------------------------------------------------------------------- */

static int read_id(struct slice value, char to[PULL_ID_MAX], const char *name, struct diag *diag)
{
    if (slice_is_plain(value, "-.") && slice_copy(value, to, PULL_ID_MAX)) return 0;
    return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                    "%s= is an id such as 11111111-2222-3333-4444-555555555555", name);
}

static int read_contents(struct slice value, unsigned *ret, struct diag *diag)
{
    struct slice word;
    unsigned found = 0;
    for (bool more = true; more;) {
        struct hint hint;
        char like[HINT_SIZE], shown[HINT_SHOW_SIZE];
        unsigned i = 0;
        more = slice_split(value, ',', &word, &value);
        hint_init(&hint, word);
        for (; i < PULL_CONTENT_COUNT && !slice_eq(word, slice_of(contents[i].name)); i++)
            hint_offer(&hint, slice_of(contents[i].name));
        if (i == PULL_CONTENT_COUNT)
            return diag_set(diag, ERR_INVALID, NULL, 0, 0, "content=: there is no %s%s",
                            hint_show(shown, word), hint_text(&hint, like));
        found |= 1U << i;
    }
    *ret = found;
    return 0;
}

static int read_place(struct slice value, const char *name, struct dial_address *to,
                      struct diag *diag)
{
    if (dial_https_read(value, to)) return 0;
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s= is an address https://HOST[:PORT]", name);
}

enum word { TENANT, CLIENT, SECRET, LOGIN, API, CONTENT, EVERY, BEGIN, LATE, TIMEOUT, WORDS };
static const char *const words[WORDS] = {"tenant",  "client", "secret", "login", "api",
                                         "content", "every",  "begin",  "late",  "timeout"};

static int read_value(void *ctx, unsigned word, struct slice value, struct diag *diag)
{
    struct pull_source *s = ctx;
    const char *name = words[word];
    nsec kept = s->kind == PULL_M365 ? KEPT_CONTENT : KEPT_GRAPH;
    switch ((enum word)word) {
    case TENANT:
        return read_id(value, s->tenant, name, diag);
    case CLIENT:
        return read_id(value, s->client, name, diag);
    case SECRET:
        return words_read_path(value, name, s->secret, sizeof s->secret, diag);
    case LOGIN:
        return read_place(value, name, &s->login, diag);
    case API:
        return read_place(value, name, &s->api, diag);
    case CONTENT:
        if (s->kind == PULL_M365) return read_contents(value, &s->contents, diag);
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "content= is of m365-management alone");
    case EVERY:
        return words_read_duration(value, name, NSEC_PER_SEC, DAY, &s->every, diag);
    case BEGIN:
        return words_read_duration(value, name, 0, kept, &s->begin, diag);
    case LATE:
        return words_read_duration(value, name, 0, 12 * HOUR, &s->late, diag);
    case TIMEOUT:
        return words_read_duration(value, name, NSEC_PER_SEC, 10 * MINUTE, &s->timeout, diag);
    case WORDS:
        break;
    }
    return ERR_INVALID;
}

/* ---- sources ----------------------------------------------------------------------------- */

static void set_defaults(struct pull_source *s)
{
    bool m365 = s->kind == PULL_M365;
    s->contents = m365 ? PULL_CONTENTS_USUAL : 0;
    s->every = 2 * MINUTE;
    s->begin = DAY;
    s->late = m365 ? HOUR : 15 * MINUTE;
    s->timeout = 2 * MINUTE;
    bool good = dial_https_read(slice_of(kinds[s->kind].api), &s->api) &&
                dial_https_read(SLICE("https://login.microsoftonline.com"), &s->login);
    ASSERT(good);
}

int pull_source_read(struct slice text, struct pull_source *ret, struct diag *diag)
{
    struct pull_source s = {0};
    uint32_t said = 0;
    unsigned kind = 0;
    int error = words_read_kind(slice_next_word(&text), kind_names, PULL_KIND_COUNT,
                                "kind of source", &kind, diag);
    if (error) return error;
    s.kind = kind;
    set_defaults(&s);
    error = words_read(text, words, WORDS, read_value, &s, &said, diag);
    if (error) return error;
    for (unsigned i = TENANT; i <= SECRET; i++)
        if (!(said & 1U << i))
            return diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "%s needs %s=", kind_names[s.kind],
                            words[i]);
    *ret = s;
    return 0;
}

static bool is_same(const struct pull_source *a, const struct pull_source *b)
{
    return a->kind == b->kind && strcmp(a->tenant, b->tenant) == 0 &&
           strcmp(a->api.origin, b->api.origin) == 0 &&
           (a->kind != PULL_M365 || (a->contents & b->contents));
}

int pull_sources_read(const char *const *texts, size_t n, struct pull_source *ret,
                      struct diag *diag)
{
    if (n > PULL_SOURCES_MAX) return ERR_LIMIT;
    for (size_t i = 0; i < n; i++) {
        struct diag why = {0};
        int error = pull_source_read(slice_of(texts[i]), &ret[i], &why);
        for (size_t j = 0; j < i && error == 0; j++)
            if (is_same(&ret[i], &ret[j]))
                error = diag_set(&why, ERR_INVALID, NULL, 0, 0,
                                 "it asks for the same as source %zu", j + 1);
        if (error)
            return diag_set(diag, error, NULL, 0, 0, "cloud.sources: source %zu: %s", i + 1,
                            why.message);
    }
    return 0;
}

/* ---- feeds ------------------------------------------------------------------------------- */

unsigned pull_source_feeds(const struct pull_source *s)
{
    return s->kind == PULL_M365 ? (unsigned)__builtin_popcount(s->contents) : 1;
}

unsigned pull_source_content(const struct pull_source *s, unsigned n)
{
    for (unsigned i = 0; i < PULL_CONTENT_COUNT; i++)
        if ((s->contents & 1U << i) && n-- == 0) return i;
    return PULL_CONTENT_COUNT;
}

int pull_source_feed_name(const struct pull_source *s, unsigned n, struct buf *out)
{
    struct buf whole;
    const char *content = pull_content_name(pull_source_content(s, n));
    buf_init(&whole, sizeof *s);
    buf_printf(&whole, "%s %s %s %s", kind_names[s->kind], s->tenant, s->api.origin, content);
    int error = buf_error(&whole);
    if (error == 0)
        buf_printf(out, "%s-%016llx", kind_names[s->kind],
                   (unsigned long long)hash64(buf_slice(&whole)));
    buf_done(&whole);
    return error ? error : buf_error(out);
}
