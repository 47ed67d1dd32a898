/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/json_index.h"

#include <memory>
#include <new>

#include <simdjson.h>

namespace
{
using parser = simdjson::internal::dom_parser_implementation;
constexpr size_t max_text = size_t{1} << 30;
constexpr size_t max_depth = 1; /* of stage 2, which is not used */
} // namespace

struct json_index {
    std::unique_ptr<parser> impl;
    size_t max_len = 0;
};

struct json_index *json_index_new(size_t max_len)
{
    if (max_len > max_text) return nullptr;
    auto ix = std::unique_ptr<json_index>(new (std::nothrow) json_index);
    if (!ix) return nullptr;
    ix->max_len = max_len;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(max_len, max_depth,
                                                                                ix->impl))
        return nullptr;
    return ix.release();
}

void json_index_free(struct json_index *ix)
{
    delete ix;
}

int json_index_run(struct json_index *ix, const char *ptr, size_t len, const uint32_t **ret_offsets,
                   uint32_t *ret_count)
{
    if (len == 0 || len > ix->max_len) return -1;
    const auto *text = reinterpret_cast<const uint8_t *>(ptr);
    if (ix->impl->stage1(text, len, simdjson::stage1_mode::regular)) return -1;
    *ret_offsets = ix->impl->structural_indexes.get();
    *ret_count = ix->impl->n_structural_indexes;
    return 0;
}
