/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The settings of the program: one table (settings.tbl), from which the struct of values, the
 * parser, the defaults and the documentation are made. The file is YAML; a key with a dot is a key
 * of a section:
 *
 *     hunt:
 *       jobs: 4          # hunt.jobs
 *
 * A value comes from the table, then from a file, then from options of the command line, and each
 * remembers where. Numbers: INT plain, SIZE with B, KiB, MiB or GiB, DURATION with ms, s, min, h or
 * d (whole numbers; without a unit a SIZE is bytes, a DURATION is refused). PATHS is one path or a
 * list; those in a file are relative to its folder, and "credential:NAME" is one (credential.h).
 * TEXTS is the same without being a path.
 */
#ifndef VAKA_CONFIG_CONFIG_H
#define VAKA_CONFIG_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

enum {
    CONFIG_FILE_MAX = 1024 * 1024, /* bytes of a file */
    CONFIG_PATHS_MAX = 256,        /* items of one setting, unless it says fewer */
    CONFIG_PATH_MAX = 4096,        /* bytes of one path or text */
};

enum config_type {
    CONFIG_BOOL,
    CONFIG_INT,
    CONFIG_SIZE,
    CONFIG_DURATION,
    CONFIG_CHOICE,
    CONFIG_PATHS,
    CONFIG_TEXTS,
};

struct config_list {
    const char **items;
    uint32_t n;
};

typedef bool config_value_BOOL;
typedef uint64_t config_value_INT;  /* 0: auto */
typedef uint64_t config_value_SIZE; /* bytes */
typedef nsec config_value_DURATION;
typedef unsigned config_value_CHOICE; /* which word of the table's list, from 0 */
typedef struct config_list config_value_PATHS;
typedef struct config_list config_value_TEXTS;

enum config_key {
#define SETTING(type, ID, ...) CONFIG_##ID,
#include "config/settings.tbl"
#undef SETTING
    CONFIG_KEY_COUNT,
};

/* One row of the table. */
struct setting {
    const char *key;
    enum config_type type;
    size_t offset; /* of the value in struct config */
    const char *initial, *least, *most, *unit, *since, *text;
};
extern const struct setting config_settings[CONFIG_KEY_COUNT];

struct config_origin {
    const char *name; /* NULL: the default; else a file, or an option as it is written */
    uint32_t line;    /* of the file; 0: it is an option */
};

struct config {
    struct arena arena;
    struct config_origin origin[CONFIG_KEY_COUNT];
#define SETTING(type, ID, member, ...) config_value_##type member;
#include "config/settings.tbl"
#undef SETTING
};

/* The defaults. */
void config_init(struct config *c);
void config_done(struct config *c);

/*
 * Reads a file's text; `file` names it in messages and places. The first mistake is told with its
 * place: damaged YAML, a key that is unknown (with the nearest known one) or written twice, a value
 * that is out of range. ERR_NOMEM fills diag too.
 */
int config_read(struct config *c, const char *file, struct slice text, struct diag *diag) MUST_USE;

/*
 * One value as an option says it; borrowed `option` is what messages and places call it. PATHS: one
 * more path; the first takes the place of what a file said. diag has no place.
 */
int config_set(struct config *c, enum config_key key, struct slice text, const char *option,
               struct diag *diag) MUST_USE;

/* By name; CONFIG_KEY_COUNT when unknown, and then diag (may be NULL) names the nearest. */
enum config_key config_find(struct slice name, struct diag *diag);

/* The word of a CHOICE; "" when there are not so many. */
struct slice config_choice(enum config_key key, unsigned value);

/* ---- for people ---- */

/* As in a file; "[]" for a list that is empty. */
const char *config_default(enum config_key key);

/* As in a file: 64MiB, auto, [a, "b c"]. */
void config_write_value(struct buf *out, const struct config *c, enum config_key key);
/* As JSON: numbers of bytes and (real) seconds, words, lists. */
void config_write_json(struct buf *out, const struct config *c, enum config_key key);
/* "default", "FILE:LINE" or the option. */
void config_write_origin(struct buf *out, const struct config *c, enum config_key key);
/* Where all of them are from, in the order of the table: a line each, empty for a default, else
 * the line of the file (0: none) and its name, or the option. */
void config_write_origins(struct buf *out, const struct config *c);
/* Takes that over, of a configuration whose values are these. ERR_CORRUPT, ERR_NOMEM. */
int config_read_origins(struct config *c, struct slice text) MUST_USE;
/* What may be written: "a whole number from 1 to 64, or auto". */
void config_write_range(struct buf *out, enum config_key key);
/* A whole file: every setting with its text and its default, commented out; those that c (may be
 * NULL) says otherwise are set. */
void config_write_file(struct buf *out, const struct config *c);
/* A file that says what c says, for another process of the program. */
void config_write_values(struct buf *out, const struct config *c);

#endif
