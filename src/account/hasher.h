/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that hashes passwords, one job after the other: it has a channel and memory, and
 * nothing else, so that whoever asks about a session does not wait for a login of somebody else.
 */
#ifndef VAKA_ACCOUNT_HASHER_H
#define VAKA_ACCOUNT_HASHER_H

#include "account/account.h"
#include "proc/channel.h"
#include "proc/message.h"

#define HASHER_JOB_FIELDS(F)  F(text, hash) F(text, old) F(text, fresh)
#define HASHER_DONE_FIELDS(F) F(u8, right) F(u8, failed) F(text, fresh)

enum { HASHER_JOB = 1, HASHER_DONE = 2, HASHER_FRAME_MAX = 2048 };

MESSAGE_DECLARE(hasher, job, HASHER_JOB_FIELDS)
MESSAGE_DECLARE(hasher, done, HASHER_DONE_FIELDS)

/* Until the other end closes; ctx: the bytes of memory of a hash (size_t). */
int hasher_run(void *ctx, struct channel *channel);

/* Appends the frame of a job. */
void hasher_ask(struct buf *out, const struct account_job *job);
/* ERR_CORRUPT: it is no answer. */
int hasher_answer(const struct frame *frame, struct account_hashed *ret) MUST_USE;

#endif
