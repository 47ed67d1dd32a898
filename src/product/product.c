/* SPDX-License-Identifier: EUPL-1.2 */
/* The products there are, and the names of fields they share. */
#include "product/product.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "product/data.h"
#include "product/model.h"

enum { ARENA_MAX = 256 * 1024 * 1024, INDEX_SIZE = 4 * PRODUCT_FIELDS_MAX };

/* ---- names ------------------------------------------------------------------------------- */

/* Where the name's number stands or belongs. */
static uint32_t *find_name(const struct products *p, struct slice name)
{
    uint32_t at = (uint32_t)hash64(name) & p->index_mask;
    while (p->index[at] && !slice_eq(p->names[p->index[at] - 1], name))
        at = (at + 1) & p->index_mask;
    return &p->index[at];
}

uint32_t products_find_field(const struct products *p, struct slice name)
{
    uint32_t found = *find_name(p, name);
    return found ? found - 1 : UINT32_MAX;
}

int products_field(struct products *p, struct slice name)
{
    uint32_t *place = find_name(p, name);
    if (*place) return (int)(*place - 1);
    if (name.len == 0 || name.len > KEY_NAME_MAX) return ERR_INVALID;
    if (p->n_names == PRODUCT_FIELDS_MAX) return ERR_LIMIT;
    struct slice copy = arena_dup(&p->arena, name);
    if (!copy.ptr) return arena_error(&p->arena);
    p->names[p->n_names] = copy;
    *place = ++p->n_names;
    return (int)(p->n_names - 1);
}

/* ---- products ---------------------------------------------------------------------------- */

static int add(struct products *p, const char *file, struct slice text, struct diag *diag)
{
    if (p->n == PRODUCTS_MAX)
        return diag_set(diag, ERR_LIMIT, file, 0, 0, "more than %d products", PRODUCTS_MAX);
    struct product_box *box = arena_zalloc(&p->arena, 1, sizeof *box);
    if (!box) return ERR_NOMEM;
    int error = product_file_read(p, file, text, box, diag);
    if (!error) error = taxonomy_add_product(p->taxonomy, file, text, p->n + 1, diag);
    if (!error) p->at[p->n++] = box;
    return error;
}

void products_remark(struct products *p, bool refused, const struct diag *diag)
{
    p->n_refused += refused;
    if (p->n_remarks == PRODUCT_REMARKS_MAX) return;
    struct product_remark *remark = arena_zalloc(&p->arena, 1, sizeof *remark);
    const char *file = diag->file ? arena_printf(&p->arena, "%s", diag->file) : NULL;
    if (!remark) return;
    *remark = (struct product_remark){.refused = refused, .diag = *diag};
    remark->diag.file = file;
    if (p->last_remark) p->last_remark->next = remark;
    else p->remarks = remark;
    p->last_remark = remark;
    p->n_remarks++;
}

const struct product_remark *products_remarks(const struct products *p)
{
    return p->remarks;
}

uint32_t products_refused(const struct products *p)
{
    return p->n_refused;
}

/* What is to be said of the last product's records that others claim as well. */
static void remark_rivals(struct products *p)
{
    struct taxonomy_rival rival;
    for (uint32_t at = 0; taxonomy_next_rival(p->taxonomy, p->n, &at, &rival);) {
        const char *other = p->at[rival.other - 1]->product.file;
        const char *who = rival.asked > rival.other_asked ? "this file counts, for it asks for more"
                          : rival.asked < rival.other_asked
                              ? "that one counts where it fits, for it"
                                " asks for more"
                              : "this file counts, for it is read later";
        struct diag diag;
        (void)diag_set(&diag, 0, p->at[p->n - 1]->product.file, rival.line, rival.column,
                       "%s:%" PRIu32 " recognises such records as well; %s", other,
                       rival.other_line, who);
        products_remark(p, false, &diag);
    }
}

int products_add(struct products *p, const char *file, struct slice text, struct diag *diag)
{
    int error = add(p, file, text, diag);
    if (error == 0) remark_rivals(p);
    else if (error != ERR_NOMEM) products_remark(p, true, diag);
    return error;
}

struct products *products_new(struct taxonomy *taxonomy)
{
    struct products *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    arena_init(&p->arena, ARENA_MAX);
    p->taxonomy = taxonomy;
    p->names = calloc(PRODUCT_FIELDS_MAX, sizeof *p->names);
    p->index = calloc(INDEX_SIZE, sizeof *p->index);
    p->index_mask = INDEX_SIZE - 1;
    p->at = calloc(PRODUCTS_MAX, sizeof *p->at);
    int error = p->names && p->index && p->at ? 0 : ERR_NOMEM;
    for (const struct embedded *f = product_files; f->name && !error; f++) {
        struct diag diag = {0};
        error = add(p, f->name, f->text, &diag);
        /* What is built in is ours: a mistake in it is a bug. */
        if (error && error != ERR_NOMEM) {
            (void)fprintf(stderr, "%s:%" PRIu32 ":%" PRIu32 ": %s\n", f->name, diag.line,
                          diag.column, diag.message);
            ASSERT(!error);
        }
    }
    p->n_built_in = p->n;
    if (!error) return p;
    products_free(p);
    return NULL;
}

void products_free(struct products *p)
{
    if (!p) return;
    free(p->names);
    free(p->index);
    free(p->at);
    arena_done(&p->arena);
    free(p);
}

uint32_t products_count(const struct products *p)
{
    return p->n;
}

const struct product *products_at(const struct products *p, uint32_t index)
{
    return &p->at[index]->product;
}

bool products_field_name(const struct products *p, uint32_t number, struct slice *ret)
{
    if (number >= p->n_names) return false;
    *ret = p->names[number];
    return true;
}

const struct product *products_of(const struct products *p, const struct taxonomy_route *route)
{
    return route && route->owner ? &p->at[route->owner - 1]->product : NULL;
}
