/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/once.h"

#include <stdlib.h>

#include "base/hash.h"

#define KEPT_FOR (24 * 3600 * NSEC_PER_SEC)

static void forget(struct api_once_entry *e)
{
    free(e->answer);
    *e = (struct api_once_entry){0};
}

static bool is_older(const struct api_once_entry *a, const struct api_once_entry *b)
{
    return !b || a->at < b->at;
}

/* Where a new one goes: a free place, else the user's oldest when he has his share, else the oldest
 * of all; never one that is being done. NULL: there is none. */
static struct api_once_entry *find_place(struct api_once *o, uint64_t user)
{
    struct api_once_entry *free_one = NULL, *own = NULL, *oldest = NULL;
    size_t n_own = 0;
    for (size_t i = 0; i < API_ONCE_KEPT; i++) {
        struct api_once_entry *e = &o->entries[i];
        if (e->at == 0) free_one = e;
        n_own += e->at && e->user == user;
        if (e->at == 0 || e->doing) continue;
        if (e->user == user && is_older(e, own)) own = e;
        if (is_older(e, oldest)) oldest = e;
    }
    if (n_own >= API_ONCE_PER_USER) return own;
    return free_one ? free_one : oldest;
}

enum api_once_found api_once_begin(struct api_once *o, uint64_t user, struct slice key,
                                   struct slice request, nsec now,
                                   struct api_once_entry **ret_entry)
{
    uint64_t key_hash = hash64_seed(key, o->seed), request_hash = hash64_seed(request, o->seed);
    for (size_t i = 0; i < API_ONCE_KEPT; i++) {
        struct api_once_entry *e = &o->entries[i];
        if (e->at && !e->doing && now - e->at > KEPT_FOR) forget(e);
        if (e->at == 0 || e->user != user || e->key != key_hash) continue;
        if (e->request != request_hash) return API_ONCE_OTHER;
        *ret_entry = e;
        return e->doing ? API_ONCE_DOING : API_ONCE_DONE;
    }
    struct api_once_entry *e = find_place(o, user);
    if (!e) return API_ONCE_DOING;
    forget(e);
    *e = (struct api_once_entry){
        .user = user, .key = key_hash, .request = request_hash, .at = now, .doing = true};
    *ret_entry = e;
    return API_ONCE_NEW;
}

void api_once_end(struct api_once_entry *e, unsigned status, struct slice answer)
{
    bool again = status == 0 || status >= 500 || status == 429;
    e->doing = false;
    e->status = status;
    if (again) {
        forget(e);
        return;
    }
    bool kept = answer.len > 0 && answer.len <= API_ONCE_ANSWER_MAX;
    e->answer = kept ? malloc(answer.len) : NULL;
    if (e->answer) memcpy(e->answer, answer.ptr, answer.len);
    e->len = e->answer ? answer.len : 0;
}

void api_once_done(struct api_once *o)
{
    for (size_t i = 0; i < API_ONCE_KEPT; i++) forget(&o->entries[i]);
}
