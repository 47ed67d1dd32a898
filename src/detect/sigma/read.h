/* SPDX-License-Identifier: EUPL-1.2 */
/* What the files that read Sigma documents share: from YAML nodes to values, with refusals. */
#ifndef VAKA_DETECT_SIGMA_READ_H
#define VAKA_DETECT_SIGMA_READ_H

#include "detect/sigma/doc.h"
#include "yaml/yaml.h"

enum { SIGMA_NAMES_MAX = 1024 }; /* rules, fields or aliases in one list of a correlation */

/* The document being read; all that is kept goes to the arena. */
struct sigma_reading {
    struct arena *arena;
    const char *file;
    struct diag *diag;
    uint32_t n_values;   /* in searches so far */
    uint32_t collection; /* line of an `action: global` before; 0 when there was none */
};

/* Fills rd->diag at a position and returns `error`. */
#define READ_REFUSE(rd, error, pos, ...)                                                           \
    diag_set((rd)->diag, error, (rd)->file, (pos).line, (pos).column, __VA_ARGS__)

/* A scalar copied to the arena. Refused: maps, lists, text over SIGMA_VALUE_LEN_MAX. */
int sigma_read_value(struct sigma_reading *rd, const struct yaml_node *node, const char *what,
                     struct sigma_value *ret) MUST_USE;
/* The same for optional text: a missing node and null give an empty slice. */
int sigma_read_text(struct sigma_reading *rd, const struct yaml_node *node, const char *what,
                    struct slice *ret) MUST_USE;
/*
 * A scalar or a list of scalars, none of them null or empty. A missing node and null give none.
 * At most `max`.
 */
int sigma_read_list(struct sigma_reading *rd, const struct yaml_node *node, const char *what,
                    uint32_t max, struct sigma_value **ret, uint32_t *ret_n) MUST_USE;
/* true or false, plain. */
int sigma_read_bool(struct sigma_reading *rd, const struct yaml_node *node, const char *what,
                    bool *ret) MUST_USE;
/* Refuses a key of map that is not in the NULL-terminated list, naming the nearest that is. */
int sigma_read_keys(struct sigma_reading *rd, const struct yaml_node *map, const char *what,
                    const char *const *known) MUST_USE;

/*
 * The searches and the condition of a map (detection, filter). Keys in `skip` are no searches.
 * `map_key` is the key the map belongs to.
 */
int sigma_read_detection(struct sigma_reading *rd, const struct yaml_node *map_key,
                         const char *const *skip, struct sigma_detection *ret) MUST_USE;
/* doc->correlation from the key `correlation`; `root` for what may also stand at the top. */
int sigma_read_correlation(struct sigma_reading *rd, const struct yaml_node *root,
                           struct sigma_correlation *ret) MUST_USE;
/* What a document says under Vaka's custom key `vaka`; NULL without. */
const struct yaml_node *sigma_vaka_get(const struct yaml_node *root, const char *key);
/* From `vaka: respond:`; *ret as it was without one. */
int sigma_read_respond(struct sigma_reading *rd, const struct yaml_node *root,
                       struct sigma_respond *ret) MUST_USE;
/* doc->tests from `vaka: tests:`. */
int sigma_read_tests(struct sigma_reading *rd, const struct yaml_node *root,
                     struct sigma_doc *doc) MUST_USE;

/* The distinct names a condition holds, in order, without knowing what exists. */
int sigma_cond_names(struct arena *arena, const struct sigma_value *text, struct sigma_value **ret,
                     uint32_t *ret_n) MUST_USE;

#endif
