/* SPDX-License-Identifier: EUPL-1.2 */
#include "noise/passing.h"

#include <unistd.h>

#include "index/maker.h"

void passing_none(struct passing *p)
{
    *p = (struct passing){.folder = -1};
}

int passing_init(struct passing *p, const struct ruleset *rules, const char *store)
{
    passing_none(p);
    p->asks = index_asks_new_any(rules->set->rules, rules->set->n_rules);
    if (!p->asks) return ERR_NOMEM;
    if (index_asks_nothing(p->asks)) {
        passing_done(p);
        return 0;
    }
    p->version = index_version(rules);
    p->folder = index_folder_open(store);
    return 0;
}

void passing_done(struct passing *p)
{
    index_asks_free(p->asks);
    if (p->folder >= 0) (void)close(p->folder);
    passing_none(p);
}

int passing_beside(const struct passing *p, uint64_t begin)
{
    return index_folder_file(p->folder, begin);
}

int passing_may(struct passing *p, const struct scan_segment *at, uint32_t group, uint64_t *ret)
{
    uint64_t begin = segment_footer_of(at->segment)->begin;
    int error = 0;
    /* Units are smaller than groups; what is damaged is told once. */
    if (p->group != group + UINT64_C(1) || p->begin != begin) {
        error =
            index_asks_beside(p->asks, at->segment, at->io, at->beside, p->version, group, &p->may);
        if (error == ERR_UNSUPPORTED) error = 0;
        p->begin = begin;
        p->group = group + UINT64_C(1);
    }
    *ret = p->may;
    return error;
}
