/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Idempotency keys: what a user's request with a key was answered, so that the same request again
 * gets the same answer and is not done again. The newest answers are kept, up to a number and a
 * size, for a day.
 */
#ifndef VAKA_WEB_ONCE_H
#define VAKA_WEB_ONCE_H

#include "base/buf.h"
#include "base/clock.h"

enum {
    API_ONCE_KEPT = 2048,
    API_ONCE_PER_USER = 256,
    API_ONCE_KEY_MAX = 128,          /* bytes of a key */
    API_ONCE_ANSWER_MAX = 16 * 1024, /* of a longer one only the status is kept */
};

struct api_once_entry {
    uint64_t user;
    uint64_t key, request; /* hashes, of the key, and of method, path and body */
    nsec at;               /* monotonic; 0: free */
    bool doing;            /* it has no answer yet */
    unsigned status;
    char *answer; /* its own */
    size_t len;
};

struct api_once {
    uint64_t seed;
    struct api_once_entry entries[API_ONCE_KEPT];
};

enum api_once_found {
    API_ONCE_NEW,   /* to be done, and api_once_end() told */
    API_ONCE_DONE,  /* it was answered: *ret_entry */
    API_ONCE_DOING, /* it is being done */
    API_ONCE_OTHER, /* the key was used for another request */
};

enum api_once_found api_once_begin(struct api_once *o, uint64_t user, struct slice key,
                                   struct slice request, nsec now,
                                   struct api_once_entry **ret_entry);
/* Its answer, or that it may be tried again (status 0, 500 and above, 429). */
void api_once_end(struct api_once_entry *entry, unsigned status, struct slice answer);
void api_once_done(struct api_once *o);

#endif
