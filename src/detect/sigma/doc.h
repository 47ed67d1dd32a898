/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Sigma documents as written: the YAML brought into structs, nothing interpreted yet. One file may
 * hold several documents (rules, correlations, filters). Everything lives in the arena given to
 * sigma_read() and keeps the position it was written at, so that later stages can name it.
 *
 * Source of the format: Sigma specification 2.1.0 (rules, correlation rules, filters).
 */
#ifndef VAKA_DETECT_SIGMA_DOC_H
#define VAKA_DETECT_SIGMA_DOC_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "yaml/yaml.h"

/* A scalar. A plain YAML scalar is resolved by the YAML 1.2 core schema; a quoted one is a string.
 */
struct sigma_value {
    enum yaml_type type;
    struct slice text; /* as written, after YAML unquoting; "" for null */
    struct yaml_pos pos;
};

/* One `field|mod|mod: values` of a map. Keywords have an empty field. */
struct sigma_item {
    struct slice field;            /* without spaces: `Threat Name` is ThreatName */
    const struct slice *modifiers; /* as written, in order */
    const struct sigma_value *values;
    uint32_t n_modifiers, n_values; /* n_values 0: an empty list */
    bool is_list;                   /* values were written as a list */
    struct yaml_pos pos;            /* of the key (keywords: of the first value) */
};

/* All items must match. */
struct sigma_map {
    const struct sigma_item *items;
    uint32_t n_items;
};

/* One search identifier: its maps are alternatives. A list of plain strings is one keyword item. */
struct sigma_search {
    struct slice name;
    const struct sigma_map *maps;
    uint32_t n_maps;
    struct yaml_pos pos;
};

/* A parsed condition. */
enum sigma_cond_kind { COND_SEARCH, COND_AND, COND_OR, COND_NOT };
struct sigma_cond {
    enum sigma_cond_kind kind;
    uint32_t search;                 /* COND_SEARCH: index into detection.searches */
    const struct sigma_cond **child; /* COND_NOT has one */
    uint32_t n_children;
};

struct sigma_detection {
    const struct sigma_search *searches;
    uint32_t n_searches;
    struct sigma_value *conditions; /* as written; several are ORed */
    uint32_t n_conditions;
    const struct sigma_cond *condition; /* parsed */
};

struct sigma_logsource {
    struct slice product, category, service; /* {NULL,0} when absent; lower case */
};

enum sigma_level {
    LEVEL_NONE,
    LEVEL_INFORMATIONAL,
    LEVEL_LOW,
    LEVEL_MEDIUM,
    LEVEL_HIGH,
    LEVEL_CRITICAL
};
const char *sigma_level_name(enum sigma_level level); /* "informational" …; LEVEL_NONE: "" */
bool sigma_level_parse(struct slice text, enum sigma_level *ret);

enum sigma_kind { SIGMA_RULE, SIGMA_CORRELATION, SIGMA_FILTER };

enum sigma_corr_type {
    CORR_EVENT_COUNT,
    CORR_VALUE_COUNT,
    CORR_TEMPORAL,
    CORR_TEMPORAL_ORDERED,
    CORR_VALUE_SUM,
    CORR_VALUE_AVG,
    CORR_VALUE_PERCENTILE,
    CORR_VALUE_MEDIAN,
};

enum sigma_cmp { CMP_LT, CMP_LTE, CMP_GT, CMP_GTE, CMP_EQ, CMP_NEQ };

struct sigma_alias_source {
    struct slice rule, field;
};
struct sigma_alias {
    struct slice name;
    const struct sigma_alias_source *sources;
    uint32_t n_sources;
};

/* For the extended temporal condition (`condition: a and not b`), over the referenced rules. */
struct sigma_correlation {
    enum sigma_corr_type type;
    const struct sigma_value *rules; /* ids or names, in order */
    uint32_t n_rules;
    const struct slice *group_by;
    uint32_t n_group_by;
    const struct sigma_alias *aliases;
    uint32_t n_aliases;
    int64_t timespan; /* ns */
    struct {
        enum sigma_cmp cmp;
        double value;
    } bound[2]; /* both must hold */
    uint32_t n_bounds;
    const struct slice *fields; /* value_*: condition.field, one or several */
    uint32_t n_fields;
    double percentile; /* value_percentile: 0..100, default 50 */
    const struct sigma_cond
        *condition; /* extended temporal: COND_SEARCH indexes rules[]; or NULL */
    bool generate;
};

struct sigma_filter {
    const struct sigma_value *rules; /* ids or names */
    uint32_t n_rules;
    bool any;   /* `rules: any` */
    nsec until; /* Vaka's own key `vaka: until:`, a day or a moment; 0: for good */
};

/* One of Vaka's own test events (custom key `vaka.tests`). */
struct sigma_test {
    struct slice name;
    bool fires;         /* must fire / must not */
    struct slice event; /* a JSON object, an array of them in time order, or lines as they come */
    struct yaml_pos pos;
};

/* What to do first when the rule fires (custom key `vaka.respond`): in both languages, or empty. */
struct sigma_respond {
    struct slice sv, en;
};

struct sigma_doc {
    enum sigma_kind kind;
    const char *file;    /* borrowed from the caller of sigma_read */
    struct yaml_pos pos; /* where the document starts */
    struct slice title, id, name, status, description, author, date, modified, taxonomy;
    enum sigma_level level;
    struct slice *tags;
    uint32_t n_tags;
    struct sigma_logsource logsource;
    struct sigma_detection detection; /* rules; filters: from `filter`, without `rules` */
    struct sigma_correlation correlation;
    struct sigma_filter filter;
    struct sigma_test *tests;
    uint32_t n_tests;
    struct sigma_respond respond;
    bool has_falsepositives; /* says what else may fire it */
    struct sigma_doc *next;
};

/* When something ends that is said to hold until a moment, or a day: that day's end in UTC. */
bool sigma_until_parse(struct slice text, nsec *ret);

struct sigma_read_out {
    void *ctx;
    /* A document that was read whole. */
    void (*doc)(void *ctx, struct sigma_doc *doc);
    /*
     * One that was refused; the other documents of the file go on. `partial` has title, id and
     * name as far as they were read; it is NULL when the YAML is damaged.
     */
    void (*refused)(void *ctx, const struct diag *diag, const struct sigma_doc *partial);
};

enum {
    SIGMA_VALUES_MAX = 65536, /* of one rule */
    SIGMA_VALUE_LEN_MAX = 65536,
    SIGMA_COND_DEPTH_MAX = 64,
    SIGMA_COND_NODES_MAX = 65536,
};

/*
 * Reads all documents of one file's text. `file` is only for messages and must outlive the arena.
 * Every refusal names file:line:column. Returns 0, or ERR_NOMEM when the arena is spent.
 */
int sigma_read(struct arena *arena, const char *file, struct slice text,
               const struct sigma_read_out *out) MUST_USE;

/*
 * Parses one condition over the given searches (cond.c). The position of a mistake is pos plus the
 * offset inside the text (right for plain and quoted one-line scalars).
 */
int sigma_cond_parse(struct arena *arena, const char *file, const struct sigma_value *text,
                     const struct sigma_search *searches, uint32_t n_searches,
                     const struct sigma_cond **ret, struct diag *diag) MUST_USE;

#endif
