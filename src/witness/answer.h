/* SPDX-License-Identifier: EUPL-1.2 */
/* The answer of a server of HTTP/1.1 to one request that said "Connection: close". */
#ifndef VAKA_WITNESS_ANSWER_H
#define VAKA_WITNESS_ANSWER_H

#include "base/error.h"

struct answer {
    unsigned status;
    struct slice body; /* of the bytes */
};

/*
 * 1: `in` begins with a whole answer; 0: more has to come; `ended`: nothing more comes. ERR_SYNTAX,
 * ERR_TRUNCATED; ERR_UNSUPPORTED: its body is encoded for transfer.
 */
int answer_read(struct slice in, bool ended, struct answer *ret) MUST_USE;

#endif
