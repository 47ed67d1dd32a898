/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/duty.h"

#include "roster/files.h"

static const char *const keys[] = {
#define X(id, key) [DUTY_##id] = key,
    DUTY_FACTS(X)
#undef X
};

const char *duty_key(enum duty_fact fact)
{
    return keys[fact];
}

enum duty_fact duty_find(struct slice key)
{
    unsigned i = 0;
    while (i < DUTY_COUNT && !slice_eq(key, slice_of(keys[i]))) i++;
    return (enum duty_fact)i;
}

/* Of a file that is ours: what is missing is a mistake of the build. */
static void read_line(struct duty *d, struct slice line)
{
    struct slice cells[6] = {{NULL, 0}};
    uint64_t value = 0;
    for (size_t i = 0; i < 6; i++) (void)slice_split(line, '\t', &cells[i], &line);
    enum duty_fact fact = duty_find(cells[0]);
    ASSERT(fact < DUTY_COUNT && slice_to_u64(cells[1], &value) && cells[5].len > 0);
    d->facts[fact].value = (uint32_t)value;
    d->facts[fact].law = cells[2];
    d->facts[fact].sv = cells[4];
    d->facts[fact].en = cells[5];
}

void duty_init(struct duty *d)
{
    struct slice text = roster_files[0].text, line;
    *d = (struct duty){0};
    while (text.len > 0) {
        (void)slice_split(text, '\n', &line, &text);
        if (line.len && line.ptr[0] != '#') read_line(d, line);
    }
    for (size_t i = 0; i < DUTY_COUNT; i++) ASSERT(d->facts[i].law.len > 0);
}
