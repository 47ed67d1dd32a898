/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Connections of senders that can wait: syslog, RELP and Lumberjack over TCP and TLS.
 *
 * One turn of a connection reads CORE_SHARE bytes at most. It is not read any more while the gate
 * of the outbox is closed, while its own records that wait are more than its share of what may
 * wait, or while its source is above its rate; the kernel then slows the sender.
 */
#ifndef VAKA_COLLECT_STREAM_H
#define VAKA_COLLECT_STREAM_H

#include "collect/core.h"

struct stream;

/* Takes row->fd when it succeeds. */
int stream_new(struct core *core, const struct listener *row, struct stream **ret) MUST_USE;
bool stream_has_name(const struct stream *s, enum listen_input input, struct slice name);
/* A connection that was not accepted; takes fd. ERR_LIMIT: there is no room for it. */
int stream_take(struct stream *s, int fd) MUST_USE;
/* Accepts and reads no more; connections stay for the acks of what they sent. */
void stream_stop(struct stream *s);
void stream_free(struct stream *s);
/* To be called about once a second. */
void stream_tick(struct stream *s);

#endif
