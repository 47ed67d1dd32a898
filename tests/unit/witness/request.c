/* SPDX-License-Identifier: EUPL-1.2 */
#include "witness/request.h"

#include "test.h"

/* The example of C2SP tlog-witness, with one signature. */
#define NOTE                                                                                       \
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"      \
    "\xe2\x80\x94 example.com/behind-the-sofa "                                                    \
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"                                    \
    "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
#define HASH "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"

TEST(a_request_is_read_and_written_the_same)
{
    static const char text[] = "old 20852014\n" HASH HASH "\n" NOTE;
    struct witness_request r;
    struct buf again;
    REQUIRE(witness_request_read(slice_of(text), &r) == 0);
    CHECK_INT(r.old_size, 20852014);
    CHECK_INT(r.proof.n, 2);
    CHECK_INT(r.checkpoint.size, 20852163);
    CHECK_SLICE(r.checkpoint.origin, "example.com/behind-the-sofa");
    buf_init(&again, WITNESS_REQUEST_MAX);
    witness_request_write(&again, r.old_size, &r.proof, r.note);
    CHECK_SLICE(buf_slice(&again), text);
    buf_done(&again);
}

TEST(what_is_no_request_is_refused)
{
    static const char *const bad[] = {
        "",
        "old 1",
        "old 1\n",
        "old 1\n\n",
        "old 01\n\n" NOTE,
        "old -1\n\n" NOTE,
        "old\n\n" NOTE,
        "Old 1\n\n" NOTE,
        "old 1 \n\n" NOTE,
        "old 1\r\n\r\n" NOTE,
        "old 1\n" NOTE,
        "old 1\nAAAA\n\n" NOTE,
        "old 18446744073709551616\n\n" NOTE,
        "old 1\n\nexample.com\n",
    };
    struct witness_request r;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_INT(witness_request_read(slice_of(bad[i]), &r), ERR_SYNTAX);
}

TEST(a_proof_has_an_end)
{
    struct buf text;
    struct witness_request r;
    buf_init(&text, 2 * WITNESS_REQUEST_MAX);
    for (int n = WITNESS_PROOF_MAX; n <= WITNESS_PROOF_MAX + 1; n++) {
        buf_clear(&text);
        buf_puts(&text, "old 1\n");
        for (int i = 0; i < n; i++) buf_puts(&text, HASH);
        buf_puts(&text, "\n" NOTE);
        CHECK_INT(witness_request_read(buf_slice(&text), &r),
                  n > WITNESS_PROOF_MAX ? ERR_LIMIT : 0);
    }
    buf_done(&text);
}

TEST(a_size_has_one_form)
{
    static const char *const bad[] = {"", "\n", "1", "01\n", "1\n\n", "1 \n", "x\n", "+1\n"};
    struct buf text;
    uint64_t size;
    buf_init(&text, 64);
    witness_size_write(&text, UINT64_MAX);
    CHECK(witness_size_read(buf_slice(&text), &size));
    CHECK(size == UINT64_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!witness_size_read(slice_of(bad[i]), &size));
    buf_done(&text);
}
