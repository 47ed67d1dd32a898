/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/csv.h"

#include <stdlib.h>

#include "test.h"

static char *room_of_test(void *ctx, size_t n)
{
    char *room = ctx;
    CHECK(n < 64);
    return room;
}

/* The cells of a line, each behind a bar, with ! behind one whose quote is open. */
static const char *cells(const char *line, char delimiter, char text[256])
{
    struct slice s = slice_of(line);
    size_t n = 0;
    for (bool more = true; more;) {
        char room[64];
        struct csv_cell c = csv_take_cell(&s, delimiter, &more);
        struct slice value = csv_cell_text(c, room_of_test, room);
        REQUIRE(value.len + 4 < 256 - n);
        text[n++] = '|';
        memcpy(text + n, value.ptr, value.len);
        n += value.len;
        if (c.open) text[n++] = '!';
    }
    text[n] = '\0';
    return text;
}

static char *no_room(void *ctx, size_t n)
{
    (void)ctx;
    (void)n;
    return NULL;
}

TEST(cells_of_a_line)
{
    char text[256];
#define CHECK_CELLS(line, delimiter, want) CHECK_SLICE(slice_of(cells(line, delimiter, text)), want)
    CHECK_CELLS("", ',', "|");
    CHECK_CELLS("a,b,", ',', "|a|b|");
    CHECK_CELLS("a;b,c", ';', "|a|b,c");
    CHECK_CELLS("\"a,b\",\"\",c", ',', "|a,b||c");
    CHECK_CELLS("\"say \"\"no\"\"\",x", ',', "|say \"no\"|x");
    CHECK_CELLS("a\"b\",c", ',', "|a\"b\"|c");
    CHECK_CELLS("\"a\"b\"\",c", ',', "|ab\"\"|c");
    CHECK_CELLS("x,\"a,b", ',', "|x|a,b!");
    CHECK_CELLS("\"\"\"", ',', "|\"!");
}

TEST(cells_stay_as_they_are_without_room)
{
    bool more;
    struct slice s = SLICE("\"a\"\"b\"");
    struct csv_cell c = csv_take_cell(&s, ',', &more);
    CHECK(!more);
    CHECK_SLICE(csv_cell_text(c, no_room, NULL), "a\"\"b\"");
}
