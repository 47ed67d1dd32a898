/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What vaka witness and vaka watchdog are: one process on another machine than vaka serve, which
 * answers requests with a small body over HTTPS (libmicrohttpd on the loop), and keeps what it must
 * not forget in a folder that no other process has. It tells systemd that it is ready, and lives.
 *
 *     outpost_open()     the folder, the loop, signals that end it
 *     outpost_listen()   certificate, socket and daemon: before the sandbox, as MHD makes
 * descriptors outpost_confine() outpost_run()      until a signal outpost_done()     in any case
 * behind outpost_open()
 */
#ifndef VAKA_SERVE_OUTPOST_H
#define VAKA_SERVE_OUTPOST_H

#include "base/clock.h"
#include "collect/tls.h"
#include "config/config.h"
#include "httpd/httpd.h"
#include "proc/sandbox.h"
#include "serve/service.h"

/* Who runs it. */
struct outpost_given {
    struct clock clock;
    const struct config *config;   /* borrowed */
    const struct service *service; /* borrowed */
    bool sandboxed;
    /* It listens; `key` is its public key as text. */
    void (*ready)(void *ctx, struct slice key);
    void *ctx;
};

struct outpost_options {
    const struct outpost_given *given; /* borrowed */
    const char *name;                  /* "witness": of its settings, its role in the log */
    const char *folder;                /* made when it is not there */
    const struct config_list *listen;  /* NAME.listen */
    const struct config_list *clients; /* who vouches for clients, whose certificates are asked for;
                                          NULL: none are */
    size_t body_max;
    uint32_t watches_max; /* of the loop: also of its timers */
    /* From the head alone: 0, or the status of the refusal. */
    unsigned (*head)(void *ctx, struct MHD_Connection *connection, const char *method,
                     const char *path);
    /* With all of the body: outpost_answer(). */
    enum MHD_Result (*body)(void *ctx, struct MHD_Connection *connection, struct slice body);
    void (*tick)(void *ctx); /* once a second; may be NULL */
    void *ctx;
};

struct outpost {
    struct outpost_options options;
    struct loop *loop;
    int folder, socket;
    struct tls_context *tls;
    struct httpd httpd;
    struct loop_timer tick;
};

int outpost_open(struct outpost *o, const struct outpost_options *options,
                 struct diag *diag) MUST_USE;
int outpost_listen(struct outpost *o, struct diag *diag) MUST_USE;
int outpost_confine(struct outpost *o, enum sandbox_role role, const struct sandbox_files *files,
                    struct diag *diag) MUST_USE;
/* Says that it is ready, with its public key. 0: it was told to end. */
int outpost_run(struct outpost *o, struct slice key) MUST_USE;
void outpost_done(struct outpost *o);

enum MHD_Result outpost_answer(struct MHD_Connection *connection, unsigned status, const char *type,
                               struct slice body);
enum MHD_Result outpost_refuse(struct MHD_Connection *connection, unsigned status);

#endif
