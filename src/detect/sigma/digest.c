/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/digest.h"

#include <nettle/sha2.h>

/* Numbers of fixed length and texts behind their length: no two rules give the same bytes. */
static void add_number(struct sha256_ctx *c, uint64_t n)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(n >> 8 * i);
    sha256_update(c, sizeof bytes, bytes);
}

static void add_real(struct sha256_ctx *c, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_number(c, bits);
}

static void add_text(struct sha256_ctx *c, struct slice text)
{
    add_number(c, text.len);
    sha256_update(c, text.len, (const uint8_t *)text.ptr);
}

static void add_name(struct sha256_ctx *c, const struct sigma_doc *doc)
{
    add_text(c, doc->id.len ? doc->id : doc->title);
}

static void end(struct sha256_ctx *c, struct sigma_digest *ret)
{
    sha256_digest(c, sizeof ret->bytes, ret->bytes);
}

void sigma_digest_write(struct buf *out, const struct sigma_digest *digest)
{
    for (size_t i = 0; i < sizeof digest->bytes; i++) buf_printf(out, "%02x", digest->bytes[i]);
}

/* ---- rules ------------------------------------------------------------------------------- */

static void add_atom(struct sha256_ctx *c, const struct sigma_atom *a)
{
    add_number(c, a->op);
    add_text(c, a->field);
    add_number(c, (uint64_t)a->cased | (uint64_t)a->words << 1 | (uint64_t)a->flag << 2 |
                      (uint64_t)a->numeric << 3);
    add_number(c, a->n_glob);
    for (uint32_t i = 0; i < a->n_glob; i++) {
        add_number(c, a->glob[i].kind);
        add_text(c, a->glob[i].text);
    }
    add_text(c, a->regex);
    add_number(c, a->regex_flags);
    add_number(c, a->cmp);
    add_real(c, a->num);
    add_number(c, a->part);
    sha256_update(c, sizeof a->cidr.addr, a->cidr.addr);
    add_number(c, (uint64_t)a->cidr.bits | (uint64_t)a->cidr.v6 << 8);
    add_text(c, a->ref);
    add_number(c, a->anchor);
}

/* In the order of the list: the same list read again is the same rule. */
static void add_listed(struct sha256_ctx *c, const struct listed *l)
{
    add_number(c, listed_kind(l));
    add_number(c, listed_count(l));
    for (uint32_t i = 0; i < listed_count(l); i++) {
        add_text(c, listed_at(l, i)->value);
        add_number(c, (uint64_t)listed_at(l, i)->expires);
    }
}

static void add_expr(struct sha256_ctx *c, const struct sigma_expr *e)
{
    add_number(c, e->kind);
    if (e->kind == EXPR_ATOM) add_atom(c, e->atom);
    if (e->kind == EXPR_ATOM && e->atom->listed) add_listed(c, e->atom->listed);
    add_number(c, e->n_children);
    for (uint32_t i = 0; i < e->n_children; i++) add_expr(c, e->child[i]);
}

void sigma_digest_rule(const struct sigma_rule *rule, struct sigma_digest *ret)
{
    struct sha256_ctx c;
    sha256_init(&c);
    add_name(&c, rule->doc);
    add_text(&c, rule->logsource.product);
    add_text(&c, rule->logsource.category);
    add_text(&c, rule->logsource.service);
    add_number(&c, rule->silent);
    add_expr(&c, rule->expr);
    end(&c, ret);
}

/* ---- correlations ------------------------------------------------------------------------ */

static void add_texts(struct sha256_ctx *c, const struct slice *texts, uint32_t n)
{
    add_number(c, n);
    for (uint32_t i = 0; i < n; i++) add_text(c, texts[i]);
}

static void add_aliases(struct sha256_ctx *c, const struct sigma_correlation *corr)
{
    add_number(c, corr->n_aliases);
    for (uint32_t i = 0; i < corr->n_aliases; i++) {
        const struct sigma_alias *a = &corr->aliases[i];
        add_text(c, a->name);
        add_number(c, a->n_sources);
        for (uint32_t k = 0; k < a->n_sources; k++) {
            add_text(c, a->sources[k].rule);
            add_text(c, a->sources[k].field);
        }
    }
}

static void add_cond(struct sha256_ctx *c, const struct sigma_cond *cond)
{
    add_number(c, cond->kind);
    add_number(c, cond->search);
    add_number(c, cond->n_children);
    for (uint32_t i = 0; i < cond->n_children; i++) add_cond(c, cond->child[i]);
}

void sigma_digest_correlation(const struct sigma_set *set, const struct sigma_corr_rule *rule,
                              struct sigma_digest *ret)
{
    const struct sigma_correlation *corr = rule->corr;
    struct sha256_ctx c;
    sha256_init(&c);
    add_name(&c, rule->doc);
    add_number(&c, corr->type);
    add_number(&c, (uint64_t)corr->timespan);
    add_texts(&c, corr->group_by, corr->n_group_by);
    add_texts(&c, corr->fields, corr->n_fields);
    add_aliases(&c, corr);
    add_number(&c, corr->n_bounds);
    for (uint32_t i = 0; i < corr->n_bounds; i++) {
        add_number(&c, corr->bound[i].cmp);
        add_real(&c, corr->bound[i].value);
    }
    add_real(&c, corr->percentile);
    add_number(&c, (uint64_t)rule->silent | (uint64_t)(corr->condition != NULL) << 1);
    if (corr->condition) add_cond(&c, corr->condition);
    for (uint32_t i = 0; i < corr->n_rules; i++) {
        struct sigma_digest of;
        uint32_t index = rule->refs[i].index;
        if (rule->refs[i].is_corr) sigma_digest_correlation(set, set->correlations[index], &of);
        else sigma_digest_rule(set->rules[index], &of);
        sha256_update(&c, sizeof of.bytes, of.bytes);
    }
    end(&c, ret);
}
