/* SPDX-License-Identifier: EUPL-1.2 */
/* A file of assets from any bytes: what is refused is named, what is taken has its names found. */
#include "incident/assets.h"

#include "target.h"

static int take(void *ctx, const struct asset *asset)
{
    struct asset_name names[ASSET_NAMES_MAX];
    struct buf text;
    buf_init(&text, ASSET_NAMES_MAX * 4 * ASSET_CELL_MAX);
    HOLDS(asset->host.len + asset->addresses.len > 0);
    HOLDS(asset->importance < ASSET_IMPORTANCE_COUNT);
    uint32_t n = asset_names(asset, &text, names);
    HOLDS(!buf_failed(&text) && n <= ASSET_NAMES_MAX);
    for (uint32_t i = 0; i < n; i++) HOLDS(names[i].text.len > 0);
    HOLDS(assets_add(ctx, asset) == 0);
    buf_done(&text);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct assets *assets;
    struct diag diag = {0};
    if (size > 64 * 1024 || assets_new(1, &assets) != 0) return 0;
    int error = assets_read(slice_make(data, size), "assets.csv", take, assets, &diag);
    HOLDS(error == 0 || diag.message[0] != '\0');
    assets_free(assets);
    return 0;
}
