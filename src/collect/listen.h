/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The rows that say where records come in. A listener's socket is opened before the sandbox is
 * entered, or comes from the service manager; its certificate and key are read by the same.
 */
#ifndef VAKA_COLLECT_LISTEN_H
#define VAKA_COLLECT_LISTEN_H

#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"

/* name, text (the `input` of a record's source), socket, TLS */
#define LISTEN_INPUTS(X)                                                                           \
    X(SYSLOG_UDP, "syslog-udp", DGRAM, NEVER)                                                      \
    X(SYSLOG_TCP, "syslog-tcp", STREAM, NEVER)                                                     \
    X(SYSLOG_TLS, "syslog-tls", STREAM, ALWAYS) /* RFC 5425 */                                     \
    X(RELP, "relp", STREAM, NEVER)                                                                 \
    X(RELP_TLS, "relp-tls", STREAM, ALWAYS)                                                        \
    X(LUMBERJACK, "lumberjack", STREAM, NEVER)                                                     \
    X(LUMBERJACK_TLS, "lumberjack-tls", STREAM, ALWAYS)                                            \
    X(HTTP, "http", STREAM, MAY)                                                                   \
    X(FLOW_UDP, "flow-udp", DGRAM, NEVER)                                                          \
    X(WEB, "web", STREAM, ALWAYS) /* the API: brings no records */

enum listen_input {
#define X(name, text, type, tls) LISTEN_##name,
    LISTEN_INPUTS(X)
#undef X
        LISTEN_INPUT_COUNT,
};

enum listen_tls { LISTEN_TLS_NEVER, LISTEN_TLS_MAY, LISTEN_TLS_ALWAYS };

struct tls_context;

struct listener {
    enum listen_input input;
    struct slice name;
    uint32_t tenant;
    int fd;                        /* bound, and listening when it is a stream; non-blocking. -1:
                                      connections come by collect_connect(), of a stream only */
    bool through;                  /* is read also when others have to wait: it sends little */
    const struct tls_context *tls; /* NULL: none; as listen_tls() says */
    uint32_t record_max;           /* bytes; longer records are cut. 0: 64 KiB */
    uint32_t connections_max;      /* 0: 1024 */
    uint32_t per_address_max;      /* connections of one address. 0: 128 */
    uint64_t bytes_per_second;     /* of one source; 0: no limit. TCP is slowed, UDP is cut */
    nsec idle;                     /* a connection without a byte; 0: one hour */
    /* HTTP: what may be done without a token (TOKEN_…): with a certificate that somebody vouches
     * for, and by anyone. */
    unsigned certificate, anyone;
    size_t body_max; /* HTTP: bytes of one body. 0: 16 MiB */
};

/*
 * A socket for a row: `address` as text, IPv4 or IPv6 ("::" takes both), receive_buffer in bytes
 * (0: the system's). ERR_INVALID: no address; ERR_ACCESS, ERR_LIMIT (in use), ERR_IO.
 */
int listen_open(enum listen_input input, struct slice address, uint16_t port,
                uint32_t receive_buffer, int *ret_fd) MUST_USE;

/*
 * Whether a socket that somebody else opened is the one of a row: of its kind, listening when it is
 * a stream, bound to that address and port, and for "::" taking IPv4, too. Its buffer stays as it
 * is.
 */
bool listen_is_same(enum listen_input input, struct slice address, uint16_t port, int fd);

/* "syslog-tcp"; "unknown" out of range. */
const char *listen_input_name(unsigned input);
bool listen_is_stream(enum listen_input input);
enum listen_tls listen_tls(enum listen_input input);

#endif
