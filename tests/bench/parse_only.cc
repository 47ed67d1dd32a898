/* SPDX-License-Identifier: EUPL-1.2 */
/* simdjson's on-demand walk: every field of every document visited, every string unescaped. */
#include <chrono>
#include <cstdint>

#include <simdjson.h>

using namespace simdjson;

extern "C" double bench_parse_only(const char *data, size_t len, double min_seconds,
                                   uint64_t *ret_events);

namespace
{

uint64_t sink;

error_code visit(ondemand::value v)
{
    ondemand::json_type type;
    if (auto e = v.type().get(type)) return e;
    switch (type) {
    case ondemand::json_type::object: {
        ondemand::object object;
        if (auto e = v.get_object().get(object)) return e;
        for (auto member : object) {
            std::string_view key;
            if (auto e = member.unescaped_key().get(key)) return e;
            sink += key.size();
            ondemand::value inner;
            if (auto e = member.value().get(inner)) return e;
            if (auto e = visit(inner)) return e;
        }
        break;
    }
    case ondemand::json_type::array: {
        ondemand::array array;
        if (auto e = v.get_array().get(array)) return e;
        for (auto element : array) {
            ondemand::value inner;
            if (auto e = element.get(inner)) return e;
            if (auto e = visit(inner)) return e;
        }
        break;
    }
    case ondemand::json_type::string: {
        std::string_view text;
        if (auto e = v.get_string().get(text)) return e;
        sink += text.size();
        break;
    }
    default:
        sink += v.raw_json_token().size();
    }
    return SUCCESS;
}

} // namespace

double bench_parse_only(const char *data, size_t len, double min_seconds, uint64_t *ret_events)
{
    using clock = std::chrono::steady_clock;
    padded_string text(data, len);
    ondemand::parser parser;
    parser.threaded = false; /* one core, as everything beside it */
    uint64_t events = 0;
    double seconds = 0;
    auto start = clock::now();
    while (seconds < min_seconds) {
        ondemand::document_stream stream;
        if (parser.iterate_many(text, 1 << 20).get(stream)) break;
        for (auto doc : stream) {
            ondemand::object object;
            if (doc.get_object().get(object)) continue;
            bool whole = true;
            for (auto member : object) {
                std::string_view key;
                ondemand::value value;
                if (member.unescaped_key().get(key) || member.value().get(value) || visit(value)) {
                    whole = false;
                    break;
                }
                sink += key.size();
            }
            events += whole;
        }
        seconds = std::chrono::duration<double>(clock::now() - start).count();
    }
    *ret_events = events;
    return seconds;
}
