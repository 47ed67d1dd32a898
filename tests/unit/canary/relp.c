/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/relp.h"

#include "canary/notes.h"
#include "test.h"

struct talk {
    struct relp_sender sender;
    struct buf out, in;
};

static void begin(struct talk *t)
{
    buf_init(&t->out, 4096);
    buf_init(&t->in, 16 * 1024);
    relp_sender_open(&t->sender, &t->out);
    relp_sender_record(&t->sender, SLICE("<13>one\ntwo"), &t->out);
}

static void end(struct talk *t)
{
    buf_done(&t->out);
    buf_done(&t->in);
}

static int hear(struct talk *t, const char *text)
{
    buf_puts(&t->in, text);
    return relp_sender_read(&t->sender, &t->in);
}

TEST(frames_are_what_the_protocol_says)
{
    struct talk t;
    begin(&t);
    CHECK_SLICE(buf_slice(&t.out), "1 open 49 relp_version=0\nrelp_software=vaka\ncommands=syslog\n"
                                   "2 syslog 11 <13>one\ntwo\n");
    end(&t);
}

TEST(answers_come_in_pieces)
{
    static const char all[] = "1 rsp 10 200 OK\nabc\n2 rsp 6 200 OK\n";
    struct talk t;
    begin(&t);
    for (size_t i = 0; i < sizeof all - 1; i++) {
        char piece[2] = {all[i], 0};
        CHECK_INT(hear(&t, piece), 0);
        CHECK_INT(t.sender.answered, i < 19 ? 0 : i < sizeof all - 2 ? 1 : 2);
    }
    CHECK_INT(relp_sender_stored(&t.sender), 1);
    CHECK_INT(t.in.len, 0);
    end(&t);
}

TEST(what_is_no_answer_ends_it)
{
    static const char *const wrong[] = {
        "2 rsp 6 200 OK\n",
        "1 ack 6 200 OK\n",
        "1 rsp 6 500 NO\n",
        "1 rsp 99999 200\n",
        "1 rsp x 200 OK\n",
        "1 rsp 6 200 OK!\n",
        "0123456789012345678901234567890123456789012345678901234567890123456789",
        "1 rsp 6 200 OK\n2 rsp 6 200 OK\n3 rsp 6 200 OK\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct talk t;
        begin(&t);
        CHECK_INT(hear(&t, wrong[i]), ERR_CORRUPT);
        end(&t);
    }
}

TEST(notes_are_of_the_last_probes)
{
    struct canary_notes notes = {0};
    CHECK(!canary_notes_find(&notes, 0));
    canary_notes_see(&notes, 1, 8, 100);
    canary_notes_see(&notes, 1, 16, 101);
    const struct canary_note *one = canary_notes_find(&notes, 1);
    CHECK(one && one->sights == 24 && one->when == 101);
    for (uint64_t n = 2; n <= CANARY_NOTES; n++) canary_notes_see(&notes, n, 1, 0);
    CHECK(canary_notes_find(&notes, 1) && !canary_notes_find(&notes, 99));
    canary_notes_see(&notes, 99, 1, 0);
    CHECK(!canary_notes_find(&notes, 1) && canary_notes_find(&notes, 2) &&
          canary_notes_find(&notes, 99));
}
