/* SPDX-License-Identifier: EUPL-1.2 */
/* What a product file may say and probably does not mean. */
#include "base/hint.h"
#include "product/model.h"

/* The values that ECS 8 allows, field by field (its "Categorization fields"), a blank around each.
 */
static const struct {
    const char *field, *values;
} allowed[] = {
    {"event.kind", " alert asset enrichment event metric state pipeline_error signal "},
    {"event.category",
     " api authentication configuration database driver email file host iam intrusion_detection"
     " library malware network package process registry session threat vulnerability web "},
    {"event.type",
     " access admin allowed change connection creation deletion denied device end error group"
     " indicator info installation protocol start user "},
    {"event.outcome", " failure success unknown "},
};

static void doubt(struct products *p, const struct diag *at, struct slice shown, const char *what,
                  const struct hint *hint)
{
    char word[HINT_SHOW_SIZE], meant[HINT_SIZE];
    struct diag diag;
    (void)diag_set(&diag, 0, at->file, at->line, at->column, "%s `%s`%s", what,
                   hint_show(word, shown), hint_text(hint, meant));
    products_remark(p, false, &diag);
}

void product_doubt_field(struct products *p, const struct diag *at, struct slice name)
{
    struct hint hint;
    if (p->n_built_in == 0 || slice_find_byte(name, '.') == SIZE_MAX || name.ptr[0] == '_') return;
    hint_init(&hint, name);
    for (uint32_t i = 0; i < p->n_built_in; i++) {
        for (const struct fill *f = p->at[i]->fills; f; f = f->next) {
            if (slice_eq(p->names[f->field], name)) return;
            hint_offer(&hint, p->names[f->field]);
        }
    }
    if (hint.best.ptr) doubt(p, at, name, "no product that comes with Vaka fills", &hint);
}

void product_doubt_value(struct products *p, const struct diag *at, struct slice name,
                         struct slice value)
{
    if (p->n_built_in == 0) return;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (!slice_eq(slice_of(allowed[i].field), name)) continue;
        struct slice rest = slice_trim(slice_of(allowed[i].values)), word;
        struct hint hint;
        hint_init(&hint, value);
        for (bool more = true; more;) {
            more = slice_split(rest, ' ', &word, &rest);
            if (slice_eq(word, value)) return;
            hint_offer(&hint, word);
        }
        char what[64];
        (void)snprintf(what, sizeof what, "%s has no value", allowed[i].field);
        doubt(p, at, value, what, &hint);
    }
}
