/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/hasher.h"

#include <sodium.h>

MESSAGE_DEFINE(hasher, job, HASHER_JOB, PASSWORD_MAX, HASHER_JOB_FIELDS)
MESSAGE_DEFINE(hasher, done, HASHER_DONE, PASSWORD_HASH_MAX, HASHER_DONE_FIELDS)

static struct slice of_password(const struct account_password *p)
{
    return slice_make(p->text, p->len);
}

void hasher_ask(struct buf *out, const struct account_job *job)
{
    hasher_job_write(out, &(struct hasher_job){.hash = slice_of(job->hash),
                                               .old = of_password(&job->old),
                                               .fresh = of_password(&job->fresh)});
}

int hasher_answer(const struct frame *frame, struct account_hashed *ret)
{
    struct hasher_done m;
    if (frame->type != HASHER_DONE || hasher_done_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    *ret = (struct account_hashed){.right = m.right != 0, .failed = m.failed != 0};
    if (m.fresh.len && !slice_copy(m.fresh, ret->fresh, sizeof ret->fresh)) return ERR_CORRUPT;
    return 0;
}

/* A wrong password is not hashed anew: nobody waits for that. */
static int work(size_t memory, const struct frame *frame, struct buf *out)
{
    struct hasher_job job;
    struct hasher_done done = {.right = true};
    char hash[PASSWORD_HASH_MAX] = "", fresh[PASSWORD_HASH_MAX] = "";
    if (frame->type != HASHER_JOB || hasher_job_read(frame->payload, &job) != 0) return ERR_CORRUPT;
    if (job.hash.len)
        done.right = slice_copy(job.hash, hash, sizeof hash) && password_verify(hash, job.old);
    if (done.right && job.fresh.len) done.failed = password_hash(job.fresh, memory, fresh) != 0;
    done.fresh = slice_of(fresh);
    hasher_done_write(out, &done);
    return buf_error(out);
}

int hasher_run(void *ctx, struct channel *channel)
{
    const size_t memory = *(const size_t *)ctx;
    struct buf out;
    int result = 0;
    buf_init(&out, HASHER_FRAME_MAX);
    while (result == 0) {
        struct frame frame;
        int got = channel_next(channel, &frame);
        buf_clear(&out);
        if (got < 0) result = got;
        else if (got == 0) result = channel_fill(channel);
        else result = work(memory, &frame, &out);
        /* The password stays in the channel's buffer no longer than it has to. */
        if (got > 0) sodium_memzero((void *)(uintptr_t)frame.payload.ptr, frame.payload.len);
        if (got > 0 && result == 0) result = channel_send(channel, buf_slice(&out), -1);
    }
    buf_done(&out);
    return result == ERR_STOPPED ? 0 : 1;
}
