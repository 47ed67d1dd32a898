/* SPDX-License-Identifier: EUPL-1.2 */
#include "incident/names.h"

#include "test.h"

/* The kind that it becomes and what is compared. */
static void check(enum name_kind kind, const char *text, enum name_kind becomes,
                  const char *compared)
{
    struct buf out;
    buf_init(&out, 16 * 1024);
    buf_puts(&out, "before ");
    enum name_kind got = name_write(&out, kind, slice_of(text));
    CHECK_SLICE(slice_from(buf_slice(&out), 7), compared);
    if (compared[0]) CHECK_INT(got, becomes);
    buf_done(&out);
}

TEST(users_are_compared_without_case_and_domain)
{
    check(NAME_USER, "Anna", NAME_USER, "anna");
    check(NAME_USER, " BJORKVIK\\Anna ", NAME_USER, "anna");
    check(NAME_USER, "Anna@bjorkvik.example", NAME_USER, "anna");
    check(NAME_USER, "ÅSA", NAME_USER, "åsa");
    check(NAME_USER, "@x", NAME_USER, "@x");
}

TEST(the_account_of_a_computer_is_the_computer)
{
    check(NAME_USER, "BJORKVIK\\DC01$", NAME_HOST, "dc01");
    check(NAME_USER, "$", NAME_USER, "");
}

TEST(computers_are_compared_by_their_first_label)
{
    check(NAME_HOST, "DC01.bjorkvik.example", NAME_HOST, "dc01");
    check(NAME_HOST, "10.1.2.3", NAME_ADDRESS, "10.1.2.3");
    check(NAME_HOST, "2001:DB8::1", NAME_ADDRESS, "2001:db8::1");
}

static void check_full(const char *text, const char *want)
{
    struct buf out;
    buf_init(&out, 4096);
    name_write_full(&out, slice_of(text));
    CHECK_SLICE(buf_slice(&out), want);
    buf_done(&out);
}

TEST(the_whole_name_of_a_computer_has_its_domain)
{
    check_full("DC01.Bjorkvik.example.", "dc01.bjorkvik.example");
    check_full("DC01", "");
    check_full("DC01.", "");
    check_full("10.1.2.3", "");
    check_full("localhost.localdomain", "");
    check_full("", "");
}

TEST(values_are_what_they_look_like)
{
    check(NAME_VALUE, "192.0.2.1", NAME_ADDRESS, "192.0.2.1");
    check(NAME_VALUE, "bo@bjorkvik.example", NAME_USER, "bo");
    check(NAME_VALUE, "7fa92de2-978e", NAME_VALUE, "7fa92de2-978e");
}

TEST(what_many_have_is_nobody)
{
    static const char *const users[] = {"SYSTEM", "NT AUTHORITY\\SYSTEM", "root", "-",
                                        "UMFD-3", "Local Service",        ""};
    for (size_t i = 0; i < sizeof users / sizeof *users; i++)
        check(NAME_USER, users[i], NAME_USER, "");
    check(NAME_ADDRESS, "127.0.0.53", NAME_ADDRESS, "");
    check(NAME_HOST, "localhost.localdomain", NAME_HOST, "");
    check(NAME_HASH, "D41D8CD98F00B204E9800998ECF8427E", NAME_HASH, "");
    /* A word is shared as what it is listed for, and only when it is all of the name. */
    check(NAME_HOST, "root", NAME_HOST, "root");
    check(NAME_USER, "rooter", NAME_USER, "rooter");
}

TEST(short_commands_are_written_by_many)
{
    char text[NAME_COMMAND_MIN + 1];
    memset(text, 'x', NAME_COMMAND_MIN);
    text[NAME_COMMAND_MIN] = '\0';
    check(NAME_COMMAND, text, NAME_COMMAND, text);
    check(NAME_COMMAND, text + 1, NAME_COMMAND, "");
}

TEST(long_names_are_compared_by_their_beginning)
{
    static char text[2 * NAME_MAX_BYTES + 1], want[NAME_MAX_BYTES + 1];
    memset(text, 'q', sizeof text - 1);
    memset(want, 'q', sizeof want - 1);
    check(NAME_USER, text, NAME_USER, want);
}
