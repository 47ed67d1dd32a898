/* SPDX-License-Identifier: EUPL-1.2 */
#include "unwrapped.h"

TEST(entries_are_records)
{
    struct unwrapped t;
    unwrapped_init(&t, UNWRAP_JOURNAL, NULL, BATCH_MAX);
    /* After the example in systemd.io/JOURNAL_EXPORT_FORMATS, with a binary field. */
    UNWRAPPED_CHECK(
        &t,
        "__CURSOR=s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7\n"
        "__REALTIME_TIMESTAMP=1342540861416351\nPRIORITY=6\n_UID=0\nMESSAGE=hello = world\n"
        "\n\n"
        "__CURSOR=x\nMESSAGE\n\x07\0\0\0\0\0\0\0foo\n\nba\n_PID=7\n\n",
        "0 journal __CURSOR=s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7\\x0a"
        "__REALTIME_TIMESTAMP=1342540861416351\\x0aPRIORITY=6\\x0a_UID=0\\x0aMESSAGE=hello = "
        "world\\x0a\n"
        "1 journal "
        "__CURSOR=x\\x0aMESSAGE\\x0a\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00foo\\x0a\\x0aba\\x0a"
        "_PID=7\\x0a\n",
        202, "OK.\\x0a");
    UNWRAPPED_CHECK(&t, "", "", 202, "OK.\\x0a");
    /* The last line without its end. */
    UNWRAPPED_CHECK(&t, "A=1\nB=2", "0 journal A=1\\x0aB=2\n", 202, "OK.\\x0a");
    unwrapped_done(&t);
}

TEST(a_bad_entry_costs_only_itself)
{
    static const char *const bad[] = {"lower=1", "=1",           "1A=1",
                                      "A 1=",    "A=1\nno name", "A\n\x01\0\0\0"};
    struct unwrapped t;
    unwrapped_init(&t, UNWRAP_JOURNAL, NULL, BATCH_MAX);
    struct buf body;
    buf_init(&body, 1024);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        buf_clear(&body);
        buf_printf(&body, "A=1\n\n%s\n\nB=2\n\n", bad[i]);
        unwrapped_check_at(__FILE__, __LINE__, &t, buf_slice(&body),
                           "0 journal A=1\\x0a\n2 journal B=2\\x0a\n", 202, "OK.\\x0a");
        CHECK_INT(t.answer.refused[UNWRAP_BAD_LINE] + t.answer.refused[UNWRAP_CUT_OFF], 1);
    }
    UNWRAPPED_CHECK(&t, "nothing of the kind", "", 400, "no journal entry could be read\\x0a");
    buf_done(&body);
    unwrapped_done(&t);
}

/* The length of a binary field is what a sender says. */
TEST(lengths_are_not_believed)
{
    struct unwrapped t;
    unwrapped_init(&t, UNWRAP_JOURNAL, NULL, BATCH_MAX);
    UNWRAPPED_CHECK(&t, "A=1\n\nM\n\xff\xff\xff\xff\xff\xff\xff\xffxx\n", "0 journal A=1\\x0a\n",
                    202, "OK.\\x0a");
    CHECK_INT(t.answer.refused[UNWRAP_CUT_OFF], 1);
    UNWRAPPED_CHECK(&t, "A=1\n\nM\n\x03\0\0\0\0\0\0\0xx\n", "0 journal A=1\\x0a\n", 202,
                    "OK.\\x0a");
    CHECK_INT(t.answer.refused[UNWRAP_CUT_OFF], 1);
    UNWRAPPED_CHECK(&t, "A=1\n\nM\n\x01\0\0\0\0\0\0\0xx\n", "0 journal A=1\\x0a\n", 202,
                    "OK.\\x0a");
    CHECK_INT(t.answer.refused[UNWRAP_BAD_LINE], 1);
    UNWRAPPED_CHECK(&t, "M", "", 400, "no journal entry could be read\\x0a");
    CHECK_INT(t.answer.refused[UNWRAP_CUT_OFF], 1);
    unwrapped_done(&t);
}
