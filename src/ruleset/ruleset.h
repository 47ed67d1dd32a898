/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Rules, placeholders, taxonomy and products as the settings name them, the rules that were
 * imported into the library (library/library.h) and are switched on, and lists of indicators that
 * were.
 */
#ifndef VAKA_RULESET_RULESET_H
#define VAKA_RULESET_RULESET_H

#include "config/config.h"
#include "detect/engine.h"
#include "indicator/read.h"
#include "product/product.h"

enum { RULESET_FILE_MAX = 16 * 1024 * 1024 };

struct ruleset {
    struct sigma_set *set;
    struct taxonomy *taxonomy;
    struct products *products;
    struct placeholders *placeholders;
    struct indicators *lists; /* n_lists of them; the set refers to them */
    uint32_t n_lists;
};

/*
 * Loads all of it; without rules in the settings those that come with the program. What is wrong
 * with a path, a placeholder or taxonomy file is an error, and diag says which; refused rules and
 * product files are not: the set and the products tell of them. To be given to ruleset_done() after
 * success only.
 */
int ruleset_load(struct ruleset *r, const struct config *config, struct diag *diag) MUST_USE;
/*
 * The same for the watch: with the sets of serve.folder/rules that are in force, the exceptions
 * there and the lists of serve.folder/indicators, as far as they have not ended by `now`. A list
 * that cannot be read is refused as a rule is.
 */
int ruleset_load_watch(struct ruleset *r, const struct config *config, nsec now,
                       struct diag *diag) MUST_USE;
/*
 * The same with the rules of the canary (taxonomy/canary.yml), which hold for its records: for
 * whoever matches what comes in. They are the last of the set, RULESET_CANARY_RULES of rules and
 * one of correlations.
 */
enum { RULESET_CANARY_RULES = 2, RULESET_CANARY_CORRELATIONS = 1 };
int ruleset_load_live(struct ruleset *r, const struct config *config, nsec now,
                      struct diag *diag) MUST_USE;
#define RULESET_CANARY      "vaka.canary."
#define RULESET_CANARY_BOTH "vaka.canary.both"
/* Whether the id is that of a rule of the canary. */
bool ruleset_is_canary(struct slice id);
/*
 * Only the files and folders named, and those exceptions: what would be if they were switched on.
 */
int ruleset_load_trial(struct ruleset *r, const struct config *config, nsec now,
                       const char *const *paths, uint32_t n_paths, struct diag *diag) MUST_USE;
/*
 * The same for who has all but the rules already, and may be in a sandbox: *r borrows that from
 * `with` and has a set of its own, which sigma_set_free() takes after success only. ERR_NOMEM.
 */
int ruleset_try(struct ruleset *r, const struct ruleset *with, const struct config *config,
                nsec now, const char *path, struct diag *diag) MUST_USE;
/* Without rules of its own, as there: to read by, beside rules that are in force. ERR_NOMEM. */
int ruleset_borrow(struct ruleset *r, const struct ruleset *with) MUST_USE;
/*
 * Files of indicators, which nobody has kept; with `rules` those that the settings name as well.
 * Values that were refused are told by the lists.
 */
int ruleset_load_indicators(struct ruleset *r, const struct config *config, bool rules, nsec now,
                            const char *const *files, uint32_t n_files, struct diag *diag) MUST_USE;
/* The same without rules: to read events by, not to judge them. */
int ruleset_load_without_rules(struct ruleset *r, const struct config *config,
                               struct diag *diag) MUST_USE;
void ruleset_done(struct ruleset *r);

/* The values of placeholders that the settings name; placeholders_free() on success. */
int ruleset_read_placeholders(const struct config *config, struct placeholders **ret,
                              struct diag *diag) MUST_USE;

/* serve.folder/NAME; into a buffer of PATH_MAX. ERR_LIMIT: it is too long. */
#define RULESET_RULES      "rules"
#define RULESET_INDICATORS "indicators"
int ruleset_folder_path(const struct config *config, const char *name, char *ret,
                        struct diag *diag) MUST_USE;
/* What is one's own by the values of placeholders; borrowed. */
struct indicator_own ruleset_own_networks(const struct placeholders *placeholders);

/* An engine over these rules that reads what the products say of an event. */
struct matcher {
    struct engine *engine;
    struct product_reader *reader;
};

/* The ruleset is borrowed. ERR_NOMEM. To be given to matcher_done() after success only. */
int matcher_init(struct matcher *m, const struct ruleset *r,
                 const struct engine_options *options) MUST_USE;
void matcher_done(struct matcher *m);
/* The time by which times without a year are read. */
void matcher_set_now(struct matcher *m, nsec now);

/* Refused rules (not warnings) of a set. */
uint32_t ruleset_refused(const struct sigma_set *set);

#endif
