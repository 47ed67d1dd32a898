/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Rule files as somebody else made them, all of them in memory before one is looked at: a folder,
 * or a zip.
 *
 * The layout is that of SigmaHQ's releases (Releases.md, tests/sigma-package-release.py): folders
 * `rules`, `rules-…`, `deprecated` and `unsupported`, beside them the file `version.txt`. What else
 * lies there is no rule. GitHub's own archives have all of it in one folder more, which is taken
 * away. Where no folder is called so, every file is taken.
 *
 * Refused as a whole: a path that leads out of the pack (absolute, with .. or \, longer than
 * PACK_PATH_MAX), a path that is there twice, an archive that is damaged or expands to more than
 * PACK_BYTES_MAX. Refused one by one, with their place: links and whatever else is no file, files
 * above YAML_FILE_MAX, folders nested deeper than PACK_DEPTH_MAX.
 *
 * A zip is taken apart by a process without files and network.
 */
#ifndef VAKA_LIBRARY_PACK_H
#define VAKA_LIBRARY_PACK_H

#include "base/arena.h"
#include "base/error.h"
#include "yaml/yaml.h"

enum {
    PACK_BYTES_MAX = 256 * 1024 * 1024, /* of all files */
    PACK_ZIP_MAX = 128 * 1024 * 1024,
    PACK_FILES_MAX = 100 * 1000,
    PACK_PATH_MAX = 1024,
    PACK_DEPTH_MAX = 24,
    PACK_RELEASE_MAX = 32, /* bytes of a release's name */
};

struct pack_file {
    struct slice path; /* below the pack; NUL-terminated; sorted */
    struct slice text;
    bool on; /* of a version that is kept: it is switched on */
};

struct pack_refusal {
    struct slice path;
    const char *why; /* a constant sentence */
};

struct pack {
    struct arena arena;
    struct pack_file *files;
    struct pack_refusal *refusals;
    uint32_t n, cap, n_refusals, cap_refusals;
    struct slice release; /* r2026-08-05; empty: nothing says so */
    struct slice profile; /* of a version that is kept: the text of its profile */
};

/* A file, or a folder, by what it is. pack_done() after success only; diag names what is wrong. */
int pack_read(struct pack *p, const char *path, struct diag *diag) MUST_USE;
/* The same of an open zip, for who can open nothing: null_fd is /dev/null's. Both are borrowed. */
int pack_read_zip(struct pack *p, int fd, int null_fd, struct diag *diag) MUST_USE;
/* Every file of an open folder (borrowed), whatever the layout; `path` is for messages. */
int pack_read_tree(struct pack *p, int folder, const char *path, struct diag *diag) MUST_USE;
void pack_done(struct pack *p);

/* Sorts the files again, whose paths were changed. ERR_INVALID: one is there twice. */
int pack_sort(struct pack *p, struct diag *diag) MUST_USE;

/* For those who fill one: copies both. ERR_INVALID: no path of a pack; ERR_LIMIT; ERR_NOMEM. */
int pack_add(struct pack *p, struct slice path, struct slice text, struct diag *diag) MUST_USE;
int pack_refuse(struct pack *p, struct slice path, const char *why) MUST_USE;
/* Why no file of a pack can have this path; NULL: it can. */
const char *pack_path_wrong(struct slice path);
/* Whether a file of that name belongs into a pack at all: *.yml, *.yaml, LICENSE…, version.txt. */
bool pack_wants(struct slice path);
bool pack_is_rule(struct slice path);

#endif
