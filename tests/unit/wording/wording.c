/* SPDX-License-Identifier: EUPL-1.2 */
#include "wording/wording.h"

#include "test.h"

static void check_said(const char *english, const char *swedish, int line)
{
    struct buf out;
    buf_init(&out, 4096);
    buf_puts(&out, "> ");
    bool known = wording_swedish(&out, slice_of(english));
    if (known != (swedish != NULL)) test_fail(__FILE__, line, "%s: known: %d", english, known);
    struct slice said = slice_from(buf_slice(&out), 2);
    if (!slice_eq(said, slice_of(swedish ? swedish : "")))
        test_fail(__FILE__, line, "%s: %.*s", english, SLICE_FMT(said));
    buf_done(&out);
}
#define SAID(english, swedish) check_said(english, swedish, __LINE__)

TEST(texts_are_said_in_swedish)
{
    SAID("this parenthesis is not closed", "den här parentesen stängs aldrig");
    SAID("a pipe has at most 32 fields", "ett led har högst 32 fält");
    SAID("the byte 0xff is not UTF-8", "byten 0xff är inte UTF-8");
    SAID("placeholder %admins% has values already", "platshållaren %admins% har redan värden");
}

TEST(what_stands_within_is_said_as_well)
{
    SAID("a value is expected here", "här väntas ett värde");
    SAID("line 2, column 14: a number or a time is expected here",
         "rad 2, kolumn 14: här väntas ett tal eller en tid");
    SAID("line 1, column 3: `cuont` is none of count, top, rare, stats, timechart, table, sort, "
         "head "
         "and dedup; did you mean `count`?",
         "rad 1, kolumn 3: `cuont` är inget av count, top, rare, stats, timechart, table, sort, "
         "head "
         "och dedup; menade du `count`?");
    SAID("`neq` cannot follow `gt`: a comparison says it already",
         "`neq` kan inte stå efter `gt`: en jämförelse säger det redan");
    SAID("`re` does not apply to a number (put it in quotes)",
         "`re` gäller inte ett tal (sätt det inom citattecken)");
    SAID("`title` must be a single value, not a list",
         "`title` måste vara ett enda värde, inte en lista");
}

TEST(what_people_wrote_stays)
{
    SAID("there is no column `a field` any more here", "här finns ingen kolumn `a field` längre");
    SAID("the rule `%1` is listed twice", "regeln `%1` står med två gånger");
    SAID("the condition names `a`, which is not defined; did you mean `b`?",
         "villkoret nämner `a`, som inte är bestämt; menade du `b`?");
    SAID("not valid YAML: mapping values are not allowed here",
         "inte giltig YAML: mapping values are not allowed here");
}

TEST(what_is_not_known_is_not_said)
{
    SAID("", NULL);
    SAID("the moon is made of cheese", NULL);
    SAID("this parenthesis is not closed.", NULL);
    SAID("a pipe has at most many fields", NULL);
}

TEST(no_text_takes_long)
{
    char text[WORDING_TEXT_MAX + 2];
    struct buf out;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i + 1 < sizeof text; i++) text[i] = "`, :"[i % 4];
    text[sizeof text - 1] = '\0';
    CHECK(!wording_swedish(&out, slice_of(text))); /* too long */
    text[WORDING_TEXT_MAX] = '\0';
    (void)wording_swedish(&out, slice_of(text));
    CHECK(!buf_failed(&out));
    buf_done(&out);
}

static bool is_described(const char *english)
{
    return wording_description(slice_of(english)).len > 0;
}

TEST(rules_are_described_however_their_lines_are_broken)
{
    CHECK(is_described("The policy with all rights was attached to a user, group or role."));
    CHECK(is_described(
        "The policy with all rights\n    was attached to a user,\r\ngroup or role.\n"));
    CHECK(!is_described("The policy with all rights was attached to a user"));
    CHECK(!is_described("The policywith all rights was attached to a user, group or role."));
    CHECK(!is_described(""));
}

TEST(settings_are_known_by_their_keys)
{
    CHECK(wording_setting(SLICE("retro.share")).len > 0);
    CHECK(wording_setting(SLICE("retro.shar")).len == 0);
    CHECK(wording_setting(SLICE("")).len == 0);
}
