/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who may send over HTTP. A token is known by its SHA-256 only, and compared with all of them in a
 * time that does not tell how much of it was right.
 */
#ifndef VAKA_COLLECT_TOKEN_H
#define VAKA_COLLECT_TOKEN_H

#include "base/error.h"
#include "base/slice.h"

/* name, text: what a credential may be good for. */
#define TOKEN_RIGHTS(X)                                                                            \
    X(INGEST, "ingest")   /* /api/ingest */                                                        \
    X(ELASTIC, "elastic") /* Elasticsearch: /_bulk and what shippers ask before */                 \
    X(SPLUNK, "splunk")   /* HTTP Event Collector */                                               \
    X(OTLP, "otlp")       /* OpenTelemetry */                                                      \
    X(JOURNAL, "journal") /* systemd-journal-upload */                                             \
    X(METRICS, "metrics") /* to read our own figures */                                            \
    X(WITNESS, "witness") /* vaka witness: to submit checkpoints */

enum token_right_number {
#define X(name, text) TOKEN_NUMBER_##name,
    TOKEN_RIGHTS(X)
#undef X
        TOKEN_RIGHT_COUNT,
};
enum token_right {
#define X(name, text) TOKEN_##name = 1 << TOKEN_NUMBER_##name,
    TOKEN_RIGHTS(X)
#undef X
};

enum { TOKEN_MIN = 16, TOKEN_MAX = 1024, TOKENS_MAX = 4096 };

struct token {
    struct slice identity; /* goes into the source of what it sends */
    uint32_t tenant;
    unsigned rights; /* TOKEN_… */
};

struct tokens;

struct tokens *tokens_new(void) MUST_USE;
void tokens_free(struct tokens *t);
/* The identity is copied. ERR_INVALID: a token or identity of a length that makes no sense, or a
 * token that is there already; ERR_LIMIT: TOKENS_MAX; ERR_NOMEM. */
int tokens_add(struct tokens *t, struct slice secret, const struct token *token) MUST_USE;
/* NULL: nobody's. Until the next change. `t` may be NULL. */
const struct token *tokens_find(const struct tokens *t, struct slice secret);

/*
 * The secret in the value of an Authorization header: "Bearer S", "Splunk S"; "Basic B" and "ApiKey
 * B", where B is base64 of "name:S" (RFC 7617; Elasticsearch). ERR_SYNTAX: something else, or it is
 * longer than TOKEN_MAX. *ret borrows from value or scratch.
 */
int token_read_header(struct slice value, char scratch[TOKEN_MAX], struct slice *ret) MUST_USE;
/* TOKEN_… of its name; 0: none. */
unsigned token_right_of(struct slice name);

#endif
