// SPDX-License-Identifier: EUPL-1.2
#include "bench.h"

#include <cstring>
#include <simdjson.h>

namespace od = simdjson::ondemand;

template <typename T> static uint64_t walk_value(T &&v);

template <typename T> static uint64_t walk_object(T &&object)
{
    uint64_t sum = 0;
    for (auto field : object) {
        sum += static_cast<unsigned char>(*field.key().value_unsafe().raw());
        sum += walk_value(field.value().value_unsafe());
    }
    return sum;
}

template <typename T> static uint64_t walk_value(T &&v)
{
    uint64_t sum = 0;
    switch (v.type().value_unsafe()) {
    case od::json_type::object:
        return walk_object(v.get_object().value_unsafe());
    case od::json_type::array:
        for (auto element : v.get_array().value_unsafe()) sum += walk_value(element.value_unsafe());
        return sum;
    case od::json_type::string:
        return v.get_string().value_unsafe().size();
    default:
        return v.raw_json_token().size();
    }
}

double bench_parse_only(const char *data, size_t len, double min_seconds, uint64_t *ret_events)
{
    od::parser parser;
    double start = bench_now(), now;
    uint64_t events = 0, sum = 0;
    do {
        for (size_t at = 0; at < len;) {
            const char *nl = static_cast<const char *>(memchr(data + at, '\n', len - at));
            size_t n = nl ? static_cast<size_t>(nl - (data + at)) : len - at;
            od::document doc;
            od::object object;
            if (n && !parser.iterate(data + at, n, n + simdjson::SIMDJSON_PADDING).get(doc) &&
                !doc.get_object().get(object)) {
                sum += walk_object(object);
                events++;
            }
            at += n + 1;
        }
        now = bench_now();
    } while (now - start < min_seconds);
    *ret_events = events + (sum == 1);
    return now - start;
}
