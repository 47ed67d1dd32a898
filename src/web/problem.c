/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/problem.h"

#include "base/json_write.h"

static const struct {
    unsigned status;
    const char *word, *title;
} problems[API_PROBLEM_COUNT] = {
#define X(id, status, word, title) [API_PROBLEM_##id] = {status, word, title},
    API_PROBLEMS(X)
#undef X
};

unsigned api_problem_status(enum api_problem problem)
{
    return problems[problem].status;
}

const char *api_problem_word(enum api_problem problem)
{
    return problems[problem].word;
}

void api_problem_write(struct buf *out, enum api_problem problem, struct slice detail,
                       const struct api_place *place, struct slice request)
{
    buf_puts(out, "{\"type\":\"urn:vaka:problem:");
    buf_puts(out, problems[problem].word);
    buf_putc(out, '"');
    json_write_member_string(out, "title", slice_of(problems[problem].title));
    json_write_member_u64(out, "status", problems[problem].status);
    if (detail.len) json_write_member_string(out, "detail", detail);
    if (place && place->pointer) json_write_member_string(out, "pointer", slice_of(place->pointer));
    if (place && place->parameter.len) json_write_member_string(out, "parameter", place->parameter);
    if (place && place->breaches.len) {
        json_write_key(out, "breaches");
        buf_put(out, place->breaches);
    }
    json_write_member_string(out, "request", request);
    buf_puts(out, "}\n");
}
