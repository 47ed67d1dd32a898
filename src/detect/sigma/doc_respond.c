/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What to do first when a rule fires, under Vaka's custom key; in Swedish and English, or not at
 * all:
 *
 *     vaka:
 *         respond:
 *             sv: Spärra kontot och avsluta dess sessioner.
 *             en: Disable the account and end its sessions.
 */
#include "detect/sigma/read.h"

enum { RESPOND_MAX = 1024 }; /* bytes in one language: who is woken reads it on a telephone */

static int read_language(struct sigma_reading *rd, const struct yaml_node *map, const char *name,
                         struct slice *ret)
{
    const struct yaml_node *node = yaml_get(map, name);
    struct slice text = SLICE_NONE;
    int error = sigma_read_text(rd, node, "`respond`", &text);
    if (error) return error;
    text = slice_trim(text);
    if (text.len == 0)
        return READ_REFUSE(rd, ERR_INVALID, node ? node->pos : map->pos,
                           "`respond` says nothing in `%s`; it wants `sv` and `en`", name);
    if (text.len > RESPOND_MAX)
        return READ_REFUSE(rd, ERR_LIMIT, node->pos, "`respond` is longer than %d bytes",
                           RESPOND_MAX);
    *ret = text;
    return 0;
}

int sigma_read_respond(struct sigma_reading *rd, const struct yaml_node *root,
                       struct sigma_respond *ret)
{
    static const char *const known[] = {"sv", "en", NULL};
    const struct yaml_node *node = sigma_vaka_get(root, "respond");
    if (!node) return 0;
    if (node->kind != YAML_MAP)
        return READ_REFUSE(rd, ERR_INVALID, node->pos, "`respond` must be a map of `sv` and `en`");
    struct sigma_respond respond;
    int error = sigma_read_keys(rd, node, "`respond`", known);
    if (!error) error = read_language(rd, node, "sv", &respond.sv);
    if (!error) error = read_language(rd, node, "en", &respond.en);
    if (!error) *ret = respond;
    return error;
}
