/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The page behind the link of a message: whoever has the code takes the page, or hands it on. GET
 * shows a form and does nothing, because mail scanners open links; POST does it. It has no script,
 * names nothing that the message did not say, and is small.
 *
 *     GET  /ack          asks for the code
 *     GET  /ack/{code}   has it already
 *     POST /ack          code=K7M2Q9XD&do=ack (or escalate)
 */
#ifndef VAKA_WEB_ACK_H
#define VAKA_WEB_ACK_H

#include "web/problem.h"

struct api_call;

/* Content-Security-Policy of its pages. */
void ack_write_policy(char ret[256]);
/* Sets the endpoint of a call below /ack, or refuses it. */
void ack_find(struct api_call *c);
/* A refusal as a page. */
void ack_refuse(struct api_call *c, enum api_problem problem);
/* WAIT_ANSWER: what oncall says of it; status: enum desk_status. */
void ack_answered(struct api_call *c, unsigned status, struct slice body);

#endif
