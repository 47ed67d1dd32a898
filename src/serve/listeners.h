/* SPDX-License-Identifier: EUPL-1.2 */
/* The addresses of the settings that records come in by. */
#ifndef VAKA_SERVE_LISTENERS_H
#define VAKA_SERVE_LISTENERS_H

#include "collect/listen.h"
#include "config/config.h"
#include "serve/service.h"

enum { LISTENERS_MAX = LISTEN_INPUT_COUNT * 16 };

/*
 * Takes from `service` those that it has, and opens the others; `each` takes the descriptor, with
 * "syslog-udp 127.0.0.1:5514". diag names the setting and the address that cannot be had; what was
 * given before stays given.
 */
int listeners_open(const struct config *config, struct service *service,
                   int (*each)(void *ctx, enum listen_input input, struct slice name, int fd),
                   void *ctx, struct diag *diag) MUST_USE;

/* The setting of its addresses: "listen.syslog_udp". */
const char *listeners_key(enum listen_input input);

/* "127.0.0.1:5514" or "[::]:5514"; false when it is neither. */
bool listeners_parse(struct slice text, struct slice *ret_address, uint16_t *ret_port);

#endif
