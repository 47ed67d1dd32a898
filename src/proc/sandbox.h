/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a process of the program may still do once it has what it needs. One row of a table per
 * role; a role is entered once, is inherited by forks, and can only get narrower.
 *
 * Every role: no new privileges, no core files. exec, ptrace, mount, bpf and making network
 * sockets (but for the roles that call others) kill the process; any other
 * call that the role does not list fails with ENOSYS. Files: Landlock (where the kernel has it) and
 * the system call filter both say no, so that either alone is enough.
 *
 * With sanitizers compiled in (they need calls of their own) sandbox_enter() does nothing and says
 * so in ret->level.
 */
#ifndef VAKA_PROC_SANDBOX_H
#define VAKA_PROC_SANDBOX_H

#include "base/error.h"

enum sandbox_role {
    SANDBOX_HUNTER,  /* opens the named paths read-only, forks decoders, talks to its terminal */
    SANDBOX_DECODER, /* nothing but the descriptors it has and is sent */
    SANDBOX_SERVANT, /* the same with an event loop: a process of serve that only talks to others */
    SANDBOX_DETECTOR,  /* a servant that forks decoders */
    SANDBOX_KEEPER,    /* a servant that keeps files in the named folders */
    SANDBOX_SEALER,    /* the same, but takes no space in advance and cuts no file */
    SANDBOX_DATABASE,  /* the same for SQLite: no names are changed or listed */
    SANDBOX_RECEIVER,  /* a servant that accepts on sockets it has and reads the named paths */
    SANDBOX_LISTENER,  /* a servant that accepts on sockets it has, and opens nothing */
    SANDBOX_SIGNER,    /* a servant that keeps one file that it has open */
    SANDBOX_INDEXER,   /* a sealer that cuts nothing, and reads the named paths */
    SANDBOX_FRONT,     /* accepts on a socket it has and reads a database of others' */
    SANDBOX_SEARCHER,  /* a reviewer (below) with an event loop */
    SANDBOX_CALLER,    /* a servant that connects to the named ports, over TCP */
    SANDBOX_PULLER,    /* a caller that keeps files it has open, and reads the named paths */
    SANDBOX_LIBRARIAN, /* makes and replaces files in folders that it has; forks decoders */
    SANDBOX_PROBER,    /* a puller that makes pairs of connected sockets */
    SANDBOX_REVIEWER,  /* reads the named paths, keeps files in the named folders, forks decoders */
    SANDBOX_RESOLVER,  /* reads the named paths, and asks name servers over UDP and TCP */
    SANDBOX_WATCHDOG,  /* a witness that calls others as well */
    SANDBOX_WITNESS,   /* a keeper that accepts on sockets it has */
};

enum sandbox_level {
    SANDBOX_NONE,   /* neither: sanitizer build, or a kernel without both */
    SANDBOX_FILTER, /* system calls are filtered */
    SANDBOX_FULL,   /* and Landlock confines files */
};

struct sandbox_files {
    const char *const *paths; /* files and folders that stay readable, of roles that open */
    size_t n_paths;
    const char *const *folders; /* in which files may be made and changed, of those that keep */
    size_t n_folders;
    const uint16_t *ports; /* of those that call, where the kernel can tell ports apart */
    size_t n_ports;
};

/*
 * `files` may be NULL. ERR_LIMIT: the kernel refused the filter. *ret_level (may be NULL) says what
 * is in force, also on failure.
 */
int sandbox_enter(enum sandbox_role role, const struct sandbox_files *files,
                  enum sandbox_level *ret_level) MUST_USE;
const char *sandbox_level_name(enum sandbox_level level);

#endif
