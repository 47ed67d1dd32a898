/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What rules would have found in the past, rule by rule, and how far a pass that was begun has
 * come. A file of text that is replaced as a whole:
 *
 *     vaka retro 1
 *     pass  FROM TO NEXT LATEST                      while one goes on
 *     rule  DIGEST STATE TOLD MATCHES ALERTS FIRST LAST FROM TO LOOKED
 *     end   CRC32C                                   of all that is in front of the line
 *
 * Words are apart by one blank; numbers are decimal, times in nanoseconds since 1970. A rule that
 * has changed has another digest (detect/sigma/digest.h) and so is a new one.
 */
#ifndef VAKA_RETRO_BOOK_H
#define VAKA_RETRO_BOOK_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "detect/sigma/digest.h"

enum { RETRO_RULES_MAX = 1 << 18, RETRO_BOOK_MAX = 64 * 1024 * 1024 };

enum retro_state {
    RETRO_KNOWN,  /* it was there before anything was stored: there is nothing to look at */
    RETRO_BEGUN,  /* in the pass at hand; figures are so far */
    RETRO_LOOKED, /* at all of from…to */
};

struct retro_rule {
    struct sigma_digest digest;
    enum retro_state state;
    bool told; /* it would have fired, and an alert says so */
    uint64_t matches, alerts;
    nsec first, last; /* of matches, when received; 0 without any */
    nsec from, to;    /* the time that was looked at */
    nsec looked;      /* when that ended */
};

struct retro_pass {
    bool on;
    nsec from, to;
    uint64_t next; /* records before it were looked at … */
    nsec latest;   /* … of which the newest was received then */
};

struct retro_book {
    struct retro_rule *rules;
    uint32_t n, cap;
    struct retro_pass pass;
};

/* Empty when it is all zero. */
void retro_book_done(struct retro_book *b);
/* Reads what was written: ERR_CORRUPT, and diag says where it is wrong; ERR_NOMEM. */
int retro_book_read(struct retro_book *b, struct slice text, struct diag *diag) MUST_USE;
void retro_book_write(const struct retro_book *b, struct buf *out);
/* NULL: it has not got it. */
struct retro_rule *retro_book_find(const struct retro_book *b, const struct sigma_digest *digest);
/* A new one, with nothing but its digest. NULL: out of memory, or RETRO_RULES_MAX. */
struct retro_rule *retro_book_add(struct retro_book *b, const struct sigma_digest *digest) MUST_USE;
/* Forgets those of which keep() is false. */
void retro_book_keep(struct retro_book *b,
                     bool (*keep)(void *ctx, const struct sigma_digest *digest), void *ctx);

/* As an object, or null: of one that was not looked at. */
void retro_rule_write_json(struct buf *out, const struct retro_rule *rule);

/* Of serve.folder/retro; *b is to be given to retro_book_done() in any case. ERR_NOT_FOUND: there
 * is none; else as retro_book_read() and file_read(). */
int retro_book_load(struct retro_book *b, const char *path, struct diag *diag) MUST_USE;

#define RETRO_FOLDER "retro"
#define RETRO_BOOK   "book"

#endif
