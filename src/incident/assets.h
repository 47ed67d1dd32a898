/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What belongs to the city: computers with their addresses, the services they carry, who answers
 * for them and how much they matter. Read from CSV; who names one of an asset's names names the
 * others.
 *
 *     host,address,service,owner,importance,shared
 *     scada-ews01,10.60.1.50,vatten,Anna Berg,critical,
 *     proxy01,"10.1.0.8 10.1.0.9",,IT,,yes
 *
 * The first line says which columns there are, in any order; host or address must be one. Cells are
 * separated by commas, or by semicolons where the first line has them. Several addresses of a cell
 * are separated by blanks. importance is low, normal (when it is empty), high or critical. shared:
 * many have to do with it (a proxy, a domain controller), so that to name it joins nothing.
 */
#ifndef VAKA_INCIDENT_ASSETS_H
#define VAKA_INCIDENT_ASSETS_H

#include "incident/facts.h"

#define ASSET_IMPORTANCES(X)                                                                       \
    X(LOW, "low") X(NORMAL, "normal") X(HIGH, "high") X(CRITICAL, "critical")

enum asset_importance {
#define X(id, word) ASSET_##id,
    ASSET_IMPORTANCES(X)
#undef X
        ASSET_IMPORTANCE_COUNT,
};
const char *asset_importance_word(enum asset_importance importance);
bool asset_importance_parse(struct slice word, enum asset_importance *ret);

enum {
    ASSETS_MAX = 100 * 1000,
    ASSET_CELL_MAX = 1024, /* bytes of one */
    ASSET_NAMES_MAX = 32,  /* of one asset */
};

struct asset {
    struct slice host, addresses, service, owner; /* borrowed for the call */
    enum asset_importance importance;
    bool shared;
};

/*
 * Reads a file. `each` gets them in order; not 0 ends it and is passed through. ERR_SYNTAX,
 * ERR_INVALID, ERR_LIMIT: diag names the line.
 */
int assets_read(struct slice text, const char *path,
                int (*each)(void *ctx, const struct asset *asset), void *ctx,
                struct diag *diag) MUST_USE;

/* ---- names ---- */

/* Names that an asset has, as they are compared: its host first. The texts go to `out`. */
struct asset_name {
    enum name_kind kind;
    struct slice text;
};
uint32_t asset_names(const struct asset *asset, struct buf *out,
                     struct asset_name ret[ASSET_NAMES_MAX]);

struct assets;

/* Empty. ERR_NOMEM. */
int assets_new(uint64_t seed, struct assets **ret) MUST_USE;
void assets_free(struct assets *a);
void assets_clear(struct assets *a);
/* ERR_LIMIT, ERR_NOMEM. A name that was another's before is this one's from now on. */
int assets_add(struct assets *a, const struct asset *asset) MUST_USE;
/*
 * Adds to what an alert names and speaks of the names that its assets are compared by, and makes
 * shared ones bystanders. *ret_importance: of the most important one that is named; ASSET_NORMAL
 * without any.
 */
void assets_apply(const struct assets *a, struct facts *facts,
                  enum asset_importance *ret_importance);

#endif
