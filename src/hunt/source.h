/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is to be read: the files behind the PATHs of a command line. Folders are walked recursively
 * and in order of name; symbolic links inside them, and anything that is not a regular file, are
 * passed over (only what was named, or lies in what was named, is read). A PATH itself may be a
 * link, a pipe or a device; `-` is standard input.
 */
#ifndef VAKA_HUNT_SOURCE_H
#define VAKA_HUNT_SOURCE_H

#include "base/arena.h"
#include "base/error.h"

enum {
    SOURCES_MAX = 4 * 1000 * 1000,
    SOURCE_DEPTH_MAX = 64,       /* folders in folders */
    SOURCE_PATH_MAX = 32 * 1024, /* bytes of one path */
};

struct source {
    const char *path; /* what it is called in output and messages; "-" is standard input */
    uint64_t size;    /* 0 unless regular */
    bool regular;
    bool named; /* on the command line: may be a link */
    int fd;     /* standard input, pipes, devices: opened when they were added; else -1 */
};

struct source_list {
    struct arena arena;
    struct source *items;
    uint32_t n, cap;
    uint64_t bytes; /* of all regular files */
    /* A path, or something below it, could not be looked at. Called while adding. */
    void (*unreadable)(void *ctx, const char *path, const char *why);
    void *ctx;
};

void source_list_init(struct source_list *list, void *ctx,
                      void (*unreadable)(void *ctx, const char *path, const char *why));
/* Closes what is still open. */
void source_list_done(struct source_list *list);
/* 0 also when something was unreadable (it was told); ERR_NOMEM, ERR_LIMIT. */
int source_list_add(struct source_list *list, const char *path) MUST_USE;
/* A descriptor for reading that the caller closes, or -1 with errno. */
int source_open(const struct source *source);

#endif
