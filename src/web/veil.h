/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Names of staff as pseudonyms in everything that goes out to who is not to see them: an answer, or
 * what of a stream is whole lines, waits while the process that has the accounts is asked how this
 * user is shown the names in it. What cannot be asked does not go out.
 */
#ifndef VAKA_WEB_VEIL_H
#define VAKA_WEB_VEIL_H

#include "base/buf.h"

struct api;
struct api_call;
struct people;

enum { API_VEILS_MAX = 64 }; /* tenants */

/* What is known of a tenant's people; loaded before anything of it goes out. */
struct api_veil {
    uint32_t tenant;
    struct people *people;
    struct buf last; /* pseudonym up to which names were told */
    bool loading, loaded;
};

/* Of a call: the names in what it has waiting. */
struct api_veiling {
    int *names;          /* of people */
    struct slice *shown; /* of each, in texts when all are told */
    uint32_t n, asked, told;
    size_t take; /* of call->raw */
    struct buf texts;
};

/* Who asks is to be shown pseudonyms: what he calls people by them means their names. False: it is
 * waited for which these are. */
bool api_veil_request(struct api_call *c);
/* True: the answer is waited for, and comes again. */
bool api_veil_answer(struct api_call *c);
/* What is in call->out of a stream goes on when it is known how. */
void api_veil_stream(struct api_call *c);
/* Appends to a stream, whatever stands in call->out. */
void api_stream_put(struct api_call *c, struct slice lines);
void api_veil_done(struct api_call *c);
void api_veils_done(struct api *w);

#endif
