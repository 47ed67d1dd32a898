/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_write.h"
#include "roster/internal.h"

static const char *const aims[] = {[ROSTER_AIM_ONCALL] = "oncall",
                                   [ROSTER_AIM_PERSON] = "person",
                                   [ROSTER_AIM_EVERYBODY] = "everybody",
                                   NULL};

/* ---- reading ----------------------------------------------------------------------------- */

static int read_target(const struct reading *r, const struct yaml_node *node,
                       struct roster_target *ret)
{
    int error = read_map(r, node, "a target", aims);
    if (error) return error;
    if (node->n != 1)
        return read_wrong(r, ERR_INVALID, node->pos,
                          "a target is one of {oncall: TEAM}, {person: ID}, {everybody: TEAM}");
    for (unsigned i = 0; aims[i]; i++) {
        if (!slice_eq(node->first->text, slice_of(aims[i]))) continue;
        ret->aim = (enum roster_aim)i;
        return read_text(r, node, aims[i], true, ROSTER_ID_MAX, &ret->id);
    }
    return 0;
}

static int read_targets(const struct reading *r, const struct yaml_node *map, const char *key,
                        struct roster_step *ret)
{
    const struct yaml_node *list;
    int error = read_list(r, map, key, ROSTER_TARGETS_MAX, &list);
    if (error || !list) return error;
    struct roster_target *targets = arena_zalloc(r->arena, list->n + 1u, sizeof *targets);
    if (!targets) return arena_error(r->arena);
    for (const struct yaml_node *e = list->first; e && error == 0; e = e->next)
        error = read_target(r, e, &targets[ret->n++]);
    ret->targets = targets;
    return error;
}

static int read_step(const struct reading *r, const struct yaml_node *node, struct roster_step *ret)
{
    static const char *const known[] = {"targets", "wait", NULL};
    int error = read_map(r, node, "a step", known);
    ret->wait = 5 * 60 * NSEC_PER_SEC;
    if (error == 0) error = read_targets(r, node, "targets", ret);
    if (error == 0) error = read_span(r, node, "wait", &ret->wait);
    if (error == 0 && ret->n == 0)
        error = read_wrong(r, ERR_INVALID, node->pos, "a step needs `targets`");
    return error;
}

static int read_steps(const struct reading *r, const struct yaml_node *map,
                      struct roster_policy *ret)
{
    const struct yaml_node *list;
    int error = read_list(r, map, "steps", ROSTER_STEPS_MAX, &list);
    if (error) return error;
    if (!list || list->n == 0)
        return read_wrong(r, ERR_INVALID, map->pos, "a policy needs `steps`");
    struct roster_step *steps = arena_zalloc(r->arena, list->n, sizeof *steps);
    if (!steps) return arena_error(r->arena);
    for (const struct yaml_node *e = list->first; e && error == 0; e = e->next)
        error = read_step(r, e, &steps[ret->n++]);
    ret->steps = steps;
    return error;
}

int policy_read(const struct reading *r, const struct yaml_node *node, struct roster_policy *ret)
{
    static const char *const known[] = {"id",       "name", "steps", "repeat", "everyone_must_ack",
                                        "fallback", NULL};
    int error = read_map(r, node, "a policy", known);
    ret->line = node->pos.line;
    if (error == 0) error = read_id(r, node, &ret->id);
    ret->name = ret->id;
    if (error == 0) error = read_text(r, node, "name", false, ROSTER_ID_MAX, &ret->name);
    if (error == 0) error = read_steps(r, node, ret);
    if (error == 0) error = read_number(r, node, "repeat", ROSTER_REPEAT_MAX, &ret->repeat);
    if (error == 0) error = read_bool(r, node, "everyone_must_ack", &ret->everyone_must);
    if (error == 0) error = read_targets(r, node, "fallback", &ret->follow);
    ret->follow.wait = ret->n ? ret->steps[ret->n - 1].wait : 0;
    return error;
}

int roster_policy_read(struct slice text, struct arena *arena, struct roster_policy *ret,
                       struct diag *diag)
{
    const struct reading r = {.arena = arena, .file = "policy", .diag = diag};
    struct roster_policy policy = {0};
    struct yaml_reader yaml;
    const struct yaml_node *root;
    yaml_init(&yaml, r.file, text);
    int error = yaml_next(&yaml, &root, diag);
    if (error == 0 && !root) error = diag_set(diag, ERR_INVALID, r.file, 1, 1, "it is empty");
    if (error == 0) error = policy_read(&r, root, &policy);
    yaml_done(&yaml);
    if (error == 0) *ret = policy;
    return error;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void write_targets(const struct roster_step *step, struct buf *out)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < step->n; i++) {
        buf_puts(out, i ? ",{" : "{");
        json_write_member_string(out, aims[step->targets[i].aim], step->targets[i].id);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

void roster_policy_write(const struct roster_policy *policy, struct buf *out)
{
    buf_putc(out, '{');
    json_write_member_string(out, "id", policy->id);
    json_write_member_string(out, "name", policy->name);
    json_write_key(out, "steps");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < policy->n; i++) {
        buf_puts(out, i ? ",{\"targets\":" : "{\"targets\":");
        write_targets(&policy->steps[i], out);
        buf_printf(out, ",\"wait\":\"%llds\"}", (long long)(policy->steps[i].wait / NSEC_PER_SEC));
    }
    buf_putc(out, ']');
    json_write_member_u64(out, "repeat", policy->repeat);
    json_write_key(out, "everyone_must_ack");
    buf_puts(out, policy->everyone_must ? "true" : "false");
    json_write_key(out, "fallback");
    write_targets(&policy->follow, out);
    buf_putc(out, '}');
}
