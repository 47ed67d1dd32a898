/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the journals of a directory hold after the writer has ended in any way: by itself, by a
 * signal, by a power cut. Only the unparseable tail of the newest one is cut off; what is damaged
 * before it stays where it is, is passed over and told.
 */
#ifndef VAKA_STORE_RECOVER_H
#define VAKA_STORE_RECOVER_H

#include "store/journal.h"

/* Of the journals of one directory; ERR_LIMIT above it. */
enum { RECOVER_JOURNALS_MAX = 64 * 1024 };

/* A journal that is not written any more, or the one that is. */
struct store_journal {
    uint64_t first; /* sequence number; names the file */
    uint64_t next;  /* the one behind its last record */
    uint64_t end;   /* bytes of the file up to which there are frames */
    uint32_t epoch;
};

enum store_damage_kind {
    /* The tail of the newest journal: it was never promised, or its last commit is damaged. Cut. */
    STORE_DAMAGE_TAIL,
    /* A hole inside the last commit of a journal: not promised, when the power failed meanwhile. */
    STORE_DAMAGE_TORN,
    /* Records that were durable once are gone. */
    STORE_DAMAGE_LOST,
    /* Both heads of a journal. Nothing of it is read; it was renamed damaged-N. */
    STORE_DAMAGE_HEAD,
};

struct store_damage {
    enum store_damage_kind kind;
    uint64_t journal;  /* its first sequence number */
    uint64_t from, to; /* bytes of the file */
    uint64_t first;    /* the sequence number that was expected there */
    uint64_t next;     /* that of the frame behind it; `first` when there is none */
};

struct recover_events {
    /* Each journal that is kept, in order, and what is damaged in it before that. */
    void (*complete)(void *ctx, const struct store_journal *journal);
    void (*damage)(void *ctx, const struct store_damage *damage);
    void *ctx;
};

struct recover_result {
    uint64_t next;   /* the first sequence number that no journal holds or may hold */
    uint64_t newest; /* the journal kept that begins last; UINT64_MAX: none is kept */
    uint32_t epoch;  /* the highest of all journals; 0: there is none */
};

/*
 * Names that change are not made durable: a later recovery would change them again.
 * Afterwards every journal ends with a frame or with what was told as damage, and every one has
 * frames: those without are removed. Time is linear in the bytes of the journals.
 * Pages that cannot be read are damage; in the newest journal they are ERR_IO, so that nothing of
 * it is cut off.
 * ERR_INVALID: a journal of another tenant. ERR_LIMIT: too many journals. ERR_IO, ERR_NOMEM,
 * ERR_ACCESS.
 */
int recover_run(const struct store_io *io, uint32_t tenant, const struct recover_events *events,
                struct recover_result *ret) MUST_USE;

#endif
