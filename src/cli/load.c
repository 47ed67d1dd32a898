/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/load.h"

#include "base/file.h"
#include "cli/cli.h"

char *load_file(const char *path, size_t max, size_t *ret_len)
{
    struct buf data;
    struct diag diag;
    buf_init(&data, max);
    int result = file_read(path, &data, &diag);
    *ret_len = data.len;
    if (result == 0) {
        buf_putc(&data, '\0');
        result = buf_error(&data);
        if (result) (void)diag_set(&diag, result, NULL, 0, 0, "%s: too large", path);
    }
    if (result == 0) return data.ptr;
    cli_say("%s", diag.message);
    buf_done(&data);
    return NULL;
}

uint32_t load_tell_products(const struct products *products)
{
    for (const struct product_remark *r = products_remarks(products); r; r = r->next)
        if (r->refused) cli_diag(&r->diag, "refused");
    return products_refused(products);
}

static int tell(int result, const struct diag *diag, const struct ruleset *r)
{
    if (result) cli_diag(diag, "");
    else (void)load_tell_products(r->products);
    return result;
}

int load_rules(struct ruleset *r, const struct config *config)
{
    struct diag diag;
    return tell(ruleset_load(r, config, &diag), &diag, r);
}

int load_watch(struct ruleset *r, const struct config *config)
{
    const struct clock clock = clock_system();
    struct diag diag;
    return tell(ruleset_load_watch(r, config, clock_realtime(&clock), &diag), &diag, r);
}
