/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Syslog (RFC 5426) and flows over UDP. Nobody can be told to wait: what finds the gate closed, or
 * its source above its rate, is dropped and counted, and what the kernel dropped before we came is
 * counted in the row of the listener, which has no address: every datagram that reached the machine
 * is in exactly one of the sums. The kernel's number is the socket's drop counter (SO_MEMINFO),
 * which, other than SO_RXQ_OVFL, is right also when no datagram follows.
 */
#ifndef VAKA_COLLECT_DATAGRAM_H
#define VAKA_COLLECT_DATAGRAM_H

#include "collect/core.h"

struct datagram;

/* Takes row->fd when it succeeds. */
int datagram_new(struct core *core, const struct listener *row, struct datagram **ret) MUST_USE;
void datagram_stop(struct datagram *d);
void datagram_free(struct datagram *d);
/* Looks after the kernel's counter; to be called now and then. */
void datagram_tick(struct datagram *d);

#endif
