/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/source.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/hint.h"
#include "config/value.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* What the interfaces keep: 7 days of content, 30 days of sign-ins with Entra ID P1. */
#define KEPT_CONTENT (7 * DAY)
#define KEPT_GRAPH   (30 * DAY)

static const struct kind {
    const char *name, *api, *permission;
} kinds[] = {
#define X(id, name, api, permission) {name, api, permission},
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
    return kind < PULL_KIND_COUNT ? kinds[kind].name : "?";
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

static int read_duration(struct slice value, const char *name, nsec least, nsec most, nsec *ret,
                         struct diag *diag)
{
    uint64_t number;
    if (value_parse(value, value_durations, &number) && (nsec)number >= least &&
        (nsec)number <= most) {
        *ret = (nsec)number;
        return 0;
    }
    char text[2][32];
    for (int i = 0; i < 2; i++) {
        struct buf out;
        buf_init(&out, sizeof text[i]);
        value_write(&out, (uint64_t)(i ? most : least), value_durations);
        (void)snprintf(text[i], sizeof text[i], "%.*s", SLICE_FMT(buf_slice(&out)));
        buf_done(&out);
    }
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s= is a time from %s to %s", name, text[0],
                    text[1]);
}

static int read_secret_path(struct slice value, struct pull_source *s, struct diag *diag)
{
    if (value.len && value.ptr[0] == '/' && slice_copy(value, s->secret, sizeof s->secret))
        return 0;
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "secret= is the absolute path of a file");
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

static int read_value(struct pull_source *s, enum word word, struct slice value, struct diag *diag)
{
    const char *name = words[word];
    nsec kept = s->kind == PULL_M365 ? KEPT_CONTENT : KEPT_GRAPH;
    switch (word) {
    case TENANT:
        return read_id(value, s->tenant, name, diag);
    case CLIENT:
        return read_id(value, s->client, name, diag);
    case SECRET:
        return read_secret_path(value, s, diag);
    case LOGIN:
        return read_place(value, name, &s->login, diag);
    case API:
        return read_place(value, name, &s->api, diag);
    case CONTENT:
        if (s->kind == PULL_M365) return read_contents(value, &s->contents, diag);
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "content= is of m365-management alone");
    case EVERY:
        return read_duration(value, name, NSEC_PER_SEC, DAY, &s->every, diag);
    case BEGIN:
        return read_duration(value, name, 0, kept, &s->begin, diag);
    case LATE:
        return read_duration(value, name, 0, 12 * HOUR, &s->late, diag);
    case TIMEOUT:
        return read_duration(value, name, NSEC_PER_SEC, 10 * MINUTE, &s->timeout, diag);
    case WORDS:
        break;
    }
    return ERR_INVALID;
}

static int read_word(struct pull_source *s, struct slice word, unsigned *said, struct diag *diag)
{
    struct slice name, value;
    struct hint hint;
    char like[HINT_SIZE], shown[HINT_SHOW_SIZE];
    unsigned i = 0;
    /* The word is not shown: it may be a secret that does not belong here. */
    if (!slice_split(word, '=', &name, &value))
        return diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "words NAME=VALUE are expected");
    hint_init(&hint, name);
    for (; i < WORDS && !slice_eq(name, slice_of(words[i])); i++)
        hint_offer(&hint, slice_of(words[i]));
    if (i == WORDS)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "there is no %s=%s", hint_show(shown, name),
                        hint_text(&hint, like));
    if (*said & 1U << i)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s= stands there twice", words[i]);
    *said |= 1U << i;
    return read_value(s, i, value, diag);
}

/* ---- sources ----------------------------------------------------------------------------- */

static int read_kind(struct slice word, struct pull_source *s, struct diag *diag)
{
    struct hint hint;
    char like[HINT_SIZE], shown[HINT_SHOW_SIZE];
    hint_init(&hint, word);
    for (unsigned i = 0; i < PULL_KIND_COUNT; i++) {
        hint_offer(&hint, slice_of(kinds[i].name));
        if (!slice_eq(word, slice_of(kinds[i].name))) continue;
        s->kind = i;
        return 0;
    }
    if (word.len == 0)
        return diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "it has to begin with a kind of source");
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "there is no kind of source %s%s",
                    hint_show(shown, word), hint_text(&hint, like));
}

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
    struct slice word;
    unsigned said = 0;
    int error = read_kind(slice_next_word(&text), &s, diag);
    if (error) return error;
    set_defaults(&s);
    while ((word = slice_next_word(&text)).len > 0) {
        error = read_word(&s, word, &said, diag);
        if (error) return error;
    }
    for (unsigned i = TENANT; i <= SECRET; i++)
        if (!(said & 1U << i))
            return diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "%s needs %s=", kinds[s.kind].name,
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
    buf_printf(&whole, "%s %s %s %s", kinds[s->kind].name, s->tenant, s->api.origin, content);
    int error = buf_error(&whole);
    if (error == 0)
        buf_printf(out, "%s-%016llx", kinds[s->kind].name,
                   (unsigned long long)hash64(buf_slice(&whole)));
    buf_done(&whole);
    return error ? error : buf_error(out);
}
