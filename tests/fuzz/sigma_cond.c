/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Conditions over fixed searches. What is accepted is a well-formed tree; written with all its
 * parentheses and parsed again it is true for the same searches, which is asked for 64 assignments
 * at once: each search is a word of 64 truths. What is refused names a place in the text.
 */
#include "base/buf.h"
#include "base/hash.h"
#include "detect/sigma/doc.h"
#include "detect/sigma/read.h"
#include "target.h"

static const char *const names[] = {"selection", "selection_a", "selection_b", "filter",
                                    "filter_1",  "_hidden",     "a",           "1",
                                    "all",       "any",         "them",        "s\xC3\xA9l"};
enum { N_NAMES = sizeof names / sizeof *names, TREE_DEPTH_MAX = 4 * SIGMA_COND_DEPTH_MAX };

static uint64_t truths_of(const struct sigma_cond *c, unsigned depth)
{
    HOLDS(depth <= TREE_DEPTH_MAX);
    if (c->kind == COND_SEARCH) {
        HOLDS(c->search < N_NAMES);
        return hash_mix(c->search + UINT64_C(1), 0x5eed);
    }
    HOLDS(c->n_children > 0 && (c->kind != COND_NOT || c->n_children == 1));
    uint64_t sum = truths_of(c->child[0], depth + 1);
    for (uint32_t i = 1; i < c->n_children; i++) {
        uint64_t next = truths_of(c->child[i], depth + 1);
        sum = c->kind == COND_AND ? sum & next : sum | next;
    }
    return c->kind == COND_NOT ? ~sum : sum;
}

static void write_tree(const struct sigma_cond *c, struct buf *out)
{
    if (c->kind == COND_SEARCH) {
        buf_puts(out, names[c->search]);
        return;
    }
    buf_puts(out, c->kind == COND_NOT ? "not (" : "(");
    for (uint32_t i = 0; i < c->n_children; i++) {
        if (i) buf_puts(out, c->kind == COND_AND ? ") and (" : ") or (");
        write_tree(c->child[i], out);
    }
    buf_putc(out, ')');
}

static int parse(struct arena *arena, struct slice text, const struct sigma_cond **ret)
{
    struct sigma_search searches[N_NAMES] = {0};
    struct diag diag = {0};
    const struct sigma_value value = {YAML_STRING, text, {3, 7}};
    for (size_t i = 0; i < N_NAMES; i++) searches[i].name = slice_of(names[i]);
    int error = sigma_cond_parse(arena, "input", &value, searches, N_NAMES, ret, &diag);
    HOLDS(error != ERR_NOMEM);
    if (error) HOLDS(diag.line >= 3 && diag.column > 0 && diag.message[0] != '\0');
    return error;
}

static void check_names(struct arena *arena, struct slice text)
{
    struct sigma_value *list = NULL;
    uint32_t n = 0;
    const struct sigma_value value = {YAML_STRING, text, {3, 7}};
    HOLDS(sigma_cond_names(arena, &value, &list, &n) == 0 && n <= SIGMA_NAMES_MAX);
    for (uint32_t i = 0; i < n; i++) HOLDS(list[i].text.len > 0 && list[i].pos.line >= 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make(data, size);
    struct arena arena;
    struct buf again;
    const struct sigma_cond *tree, *copy;
    arena_init(&arena, 64 << 20);
    buf_init(&again, SIGMA_VALUE_LEN_MAX);
    check_names(&arena, text);
    if (parse(&arena, text, &tree) == 0) {
        uint64_t truths = truths_of(tree, 0);
        write_tree(tree, &again);
        /* The parentheses make it longer and deeper, which has a limit. */
        if (!buf_failed(&again)) {
            int error = parse(&arena, buf_slice(&again), &copy);
            HOLDS(error == 0 || error == ERR_LIMIT);
            if (error == 0) HOLDS(truths == truths_of(copy, 0));
        }
    }
    buf_done(&again);
    arena_done(&arena);
    return 0;
}
