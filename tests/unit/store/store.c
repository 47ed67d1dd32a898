/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/store.h"

#include "disk.h"
#include "faults.h"
#include "history.h"
#include "test.h"

/* A store on a disk in memory, and what it was given. */
struct scene {
    struct disk disk;
    struct store_io io;
    struct clock_settable clock;
    struct history history;
    struct history_found found;
    struct store_options options;
    struct store *store;
};

static void scene_init(struct scene *s)
{
    *s = (struct scene){0};
    disk_init(&s->disk);
    s->io = disk_io(&s->disk);
    history_init(&s->history);
    history_options(&s->options, &s->io, &s->clock, &s->found);
    disk_record(&s->disk);
}

static void scene_open(struct scene *s)
{
    store_free(s->store);
    s->store = NULL;
    s->found = (struct history_found){0};
    int result = store_open(&s->options, &s->store);
    if (result != 0) test_fail(__FILE__, __LINE__, "store_open: %s", error_text(result));
    REQUIRE(result == 0);
}

static void scene_done(struct scene *s)
{
    store_free(s->store);
    history_done(&s->history);
    disk_done(&s->disk);
}

static int put(struct scene *s, uint32_t n, size_t raw_len)
{
    return history_append(&s->history, s->store, s->history.n, n, raw_len);
}

static void put_committed(struct scene *s, uint32_t n, size_t raw_len)
{
    REQUIRE(put(s, n, raw_len) == 0);
    REQUIRE(store_commit(s->store) == 0);
    history_promise(&s->history, 0);
}

static void check_all(struct scene *s)
{
    char why[HISTORY_WHY_MAX] = "";
    if (!history_check(&s->history, &s->io, &s->found, store_durable(s->store), 0, 0, why))
        test_fail(__FILE__, __LINE__, "%s", why);
}

static bool exists(struct scene *s, const char *name)
{
    size_t size;
    return disk_bytes(&s->disk, name, &size) != NULL;
}

TEST(what_was_committed_is_there)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    CHECK_INT(store_durable(s.store).next, 0);
    REQUIRE(put(&s, 3, 20) == 0);
    REQUIRE(put(&s, 1, 0) == 0);
    CHECK(store_waiting(s.store) > 0);
    CHECK_INT(store_durable(s.store).next, 0);
    CHECK_INT(store_durable(s.store).end, JOURNAL_DATA);
    REQUIRE(store_commit(s.store) == 0);
    history_promise(&s.history, 0);
    CHECK_INT(store_waiting(s.store), 0);
    CHECK_INT(store_durable(s.store).next, 4);
    CHECK_INT(store_durable(s.store).journal, 0);
    check_all(&s);
    REQUIRE(put(&s, 1, 5) == 0); /* never committed */
    scene_open(&s);
    CHECK_INT(s.found.n_journals, 1);
    CHECK_INT(s.found.journals[0].next, 4);
    CHECK_INT(s.found.journals[0].epoch, 1);
    CHECK_INT(s.found.current.first, 4);
    CHECK_INT(s.found.current.epoch, 2);
    CHECK_INT(store_durable(s.store).next, 4);
    check_all(&s);
    scene_done(&s);
}

TEST(a_commit_is_one_write_and_one_sync)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    put_committed(&s, 1, 10);
    disk_record(&s.disk);
    REQUIRE(store_commit(s.store) == 0);
    CHECK_INT(s.disk.n_steps, 0);
    for (int i = 0; i < 3; i++) REQUIRE(put(&s, 1, 10) == 0);
    CHECK_INT(s.disk.n_steps, 0);
    REQUIRE(store_commit(s.store) == 0);
    REQUIRE(s.disk.n_steps == 2);
    CHECK_INT(s.disk.steps[0].kind, STEP_WRITE);
    CHECK_INT(s.disk.steps[1].kind, STEP_SYNC_DATA);
    scene_done(&s);
}

/* Small commits write zeros ahead, and then stay within what was written; large ones do not. */
TEST(small_commits_write_ahead)
{
    struct scene s;
    scene_init(&s);
    s.options.ahead_bytes = 2048;
    s.options.commit_bytes = 8192;
    scene_open(&s);
    disk_record(&s.disk);
    put_committed(&s, 1, 10);
    size_t first = s.disk.steps[0].len;
    CHECK(first >= 2048 && (JOURNAL_DATA + first) % 4096 == 0);
    disk_record(&s.disk);
    size_t written = 0, n = 0;
    while (written + 2 * 300 < first) {
        put_committed(&s, 1, 10);
        CHECK(s.disk.steps[2 * n].len < 300);
        written += s.disk.steps[2 * n++].len;
    }
    CHECK(n > 5);
    disk_record(&s.disk);
    put_committed(&s, 1, 4000);
    CHECK(s.disk.steps[0].len < 4400);
    scene_open(&s);
    CHECK_INT(s.found.n_journals, 1);
    check_all(&s);
    scene_done(&s);
}

TEST(a_journal_ends_when_it_is_full)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    for (int i = 0; i < 40; i++) put_committed(&s, 2, 500);
    CHECK(s.found.n_journals >= 4);
    for (size_t i = 0; i < s.found.n_journals; i++) {
        const struct store_journal *j = &s.found.journals[i];
        char name[STORE_NAME_MAX + 1];
        size_t size = 0;
        journal_name_write(name, j->first);
        REQUIRE(disk_bytes(&s.disk, name, &size));
        CHECK_INT(size, j->end); /* what was allocated is given back */
        CHECK(size >= 8192 && size < 8192 + 4096 + JOURNAL_DATA);
        CHECK_INT(j->next, i + 1 < s.found.n_journals ? s.found.journals[i + 1].first
                                                      : s.found.current.first);
    }
    check_all(&s);
    scene_open(&s);
    check_all(&s);
    scene_done(&s);
}

TEST(a_journal_ends_when_it_is_old)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    clock_pass(&s.clock, 5000 * NSEC_PER_SEC);
    CHECK_INT(store_tick(s.store), 0);
    CHECK_INT(s.found.n_journals, 0); /* nothing is in it */
    put_committed(&s, 1, 10);
    clock_pass(&s.clock, 3599 * NSEC_PER_SEC);
    CHECK_INT(store_tick(s.store), 0);
    CHECK_INT(s.found.n_journals, 0);
    clock_pass(&s.clock, NSEC_PER_SEC);
    REQUIRE(put(&s, 1, 10) == 0);
    CHECK_INT(s.found.n_journals, 1);
    CHECK_INT(store_tick(s.store), 0); /* something waits */
    REQUIRE(store_commit(s.store) == 0);
    history_promise(&s.history, 0);
    clock_pass(&s.clock, 3600 * NSEC_PER_SEC);
    CHECK_INT(store_tick(s.store), 0);
    CHECK_INT(s.found.n_journals, 2);
    check_all(&s);
    scene_done(&s);
}

TEST(limits_and_tenants_are_kept)
{
    struct scene s;
    struct batch b;
    struct buf bytes;
    uint64_t first = 77;
    scene_init(&s);
    scene_open(&s);
    CHECK_INT(put(&s, 1, 5000), ERR_LIMIT);
    REQUIRE(put(&s, 1, 3000) == 0);
    CHECK_INT(put(&s, 1, 1500), ERR_LIMIT);
    REQUIRE(put(&s, 1, 500) == 0);
    REQUIRE(store_commit(s.store) == 0);
    history_promise(&s.history, 0);
    REQUIRE(put(&s, 1, 1500) == 0);
    buf_init(&bytes, BATCH_MAX);
    history_batch(&bytes, 1, 1, 1);
    REQUIRE(batch_open(buf_slice(&bytes), &b) == 0);
    b.tenant++;
    CHECK_INT(store_append(s.store, &b, &first), ERR_INVALID);
    CHECK_INT(first, 77);
    store_free(s.store);
    s.store = NULL;
    s.options.tenant++;
    CHECK_INT(store_open(&s.options, &s.store), ERR_INVALID);
    s.options.tenant--;
    scene_open(&s);
    history_forget(&s.history);
    check_all(&s);
    buf_done(&bytes);
    scene_done(&s);
}

TEST(the_defaults_take_the_largest_batch)
{
    struct scene s;
    struct buf bytes;
    struct batch b;
    uint64_t first;
    scene_init(&s);
    struct store_options options = s.options;
    store_options_default(&s.options);
    s.options.io = options.io;
    s.options.clock = options.clock;
    s.options.events = options.events;
    s.options.tenant = options.tenant;
    s.options.journal_bytes = 1024 * 1024; /* of memory, here */
    scene_open(&s);
    buf_init(&bytes, BATCH_MAX);
    /* What the writer takes a record for: as if its texts were new each time. */
    size_t rest = BATCH_MAX - BATCH_HEADER - 4 * (BATCH_ROW + 1 + 12 + strlen("test\t\t\t"));
    history_batch(&bytes, 1, 4, rest / 4);
    CHECK(bytes.len > BATCH_MAX - 128);
    REQUIRE(batch_open(buf_slice(&bytes), &b) == 0);
    CHECK_INT(store_append(s.store, &b, &first), 0);
    CHECK_INT(store_append(s.store, &b, &first), 0);
    CHECK_INT(store_commit(s.store), 0);
    CHECK_INT(store_append(s.store, &b, &first), 0);
    CHECK_INT(s.found.n_journals, 1);
    buf_done(&bytes);
    scene_done(&s);
}

TEST(numbers_begin_where_others_have_ended)
{
    struct scene s;
    scene_init(&s);
    s.options.next_min = 1000;
    scene_open(&s);
    put_committed(&s, 5, 10);
    CHECK_INT(s.history.entries[0].first, 1000);
    s.options.next_min = 3;
    scene_open(&s);
    CHECK_INT(s.found.current.first, 1005);
    scene_open(&s); /* an empty journal keeps them too */
    CHECK_INT(s.found.current.first, 1005);
    CHECK_INT(s.found.n_journals, 1);
    s.options.next_min = UINT64_MAX - 1;
    scene_open(&s);
    CHECK_INT(put(&s, 2, 10), ERR_LIMIT);
    REQUIRE(put(&s, 1, 10) == 0);
    CHECK_INT(put(&s, 1, 10), ERR_LIMIT);
    scene_done(&s);
}

TEST(journals_are_removed_when_it_is_asked_for)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    for (int i = 0; i < 20; i++) put_committed(&s, 2, 500);
    REQUIRE(s.found.n_journals >= 2);
    CHECK_INT(store_remove_journal(s.store, s.found.current.first), ERR_INVALID);
    CHECK_INT(store_remove_journal(s.store, 1), ERR_NOT_FOUND);
    disk_record(&s.disk);
    CHECK_INT(history_remove(&s.history, s.store, &s.found.journals[0], 0), 0);
    CHECK(!exists(&s, "journal-00000000000000000000"));
    CHECK_INT(s.disk.steps[s.disk.n_steps - 1].kind, STEP_SYNC_NAMES);
    scene_open(&s);
    check_all(&s);
    CHECK_INT(store_remove_journal(s.store, 0), ERR_NOT_FOUND);
    scene_done(&s);
}

/* ---- damage ------------------------------------------------------------------------------ */

static void flip(struct scene *s, const char *name, size_t at)
{
    size_t size = 0;
    char *bytes = disk_bytes(&s->disk, name, &size);
    REQUIRE(bytes && at < size);
    bytes[at] ^= 1;
}

static uint64_t damage_count(const struct scene *s)
{
    uint64_t n = 0;
    for (int kind = 0; kind <= STORE_DAMAGE_HEAD; kind++) n += s->found.damages[kind];
    return n;
}

TEST(only_the_tail_of_the_newest_is_cut)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    for (int i = 0; i < 4; i++) put_committed(&s, 1, 100);
    size_t end = store_durable(s.store).end;
    flip(&s, "journal-00000000000000000000", end - 50);
    scene_open(&s);
    CHECK_INT(s.found.damages[STORE_DAMAGE_TAIL], 1);
    CHECK_INT(damage_count(&s), 1);
    CHECK_INT(store_durable(s.store).next, 3);
    size_t size = 0;
    REQUIRE(disk_bytes(&s.disk, "journal-00000000000000000000", &size));
    CHECK(size < end);
    scene_open(&s); /* told once */
    CHECK_INT(damage_count(&s), 0);
    scene_done(&s);
}

TEST(damage_in_the_middle_stays_and_is_told)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    for (int i = 0; i < 4; i++) put_committed(&s, 2, 100);
    flip(&s, "journal-00000000000000000000", JOURNAL_DATA + 10);
    for (int again = 0; again < 3; again++) {
        scene_open(&s);
        CHECK_INT(s.found.damages[STORE_DAMAGE_LOST], 1);
        CHECK_INT(damage_count(&s), 1);
        CHECK_INT(s.found.lost_numbers, 2);
        CHECK_INT(s.found.journals[0].next, 8);
        if (again == 1) put_committed(&s, 1, 10); /* then it is not the newest any more */
    }
    CHECK_INT(s.found.n_journals, 2);
    CHECK_INT(store_durable(s.store).next, 9);
    scene_done(&s);
}

/* Of frames that were written together, the first did not reach the disk. */
TEST(a_hole_in_the_last_commit_may_never_have_been_promised)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    put_committed(&s, 1, 100);
    size_t begin = store_durable(s.store).end;
    for (int i = 0; i < 3; i++) REQUIRE(put(&s, 1, 100) == 0);
    REQUIRE(store_commit(s.store) == 0);
    flip(&s, "journal-00000000000000000000", begin + 20);
    scene_open(&s);
    CHECK_INT(s.found.damages[STORE_DAMAGE_TORN], 1);
    CHECK_INT(damage_count(&s), 1);
    CHECK_INT(s.found.lost_numbers, 1);
    CHECK_INT(store_durable(s.store).next, 4);
    scene_done(&s);
}

TEST(a_journal_without_heads_is_set_aside)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    for (int i = 0; i < 3; i++) put_committed(&s, 1, 100);
    flip(&s, "journal-00000000000000000000", 4);
    flip(&s, "journal-00000000000000000000", JOURNAL_SECOND_HEAD + 4);
    scene_open(&s);
    CHECK_INT(s.found.damages[STORE_DAMAGE_HEAD], 1);
    CHECK_INT(damage_count(&s), 1);
    CHECK(exists(&s, "damaged-00000000000000000000"));
    CHECK_INT(s.found.n_journals, 0);
    CHECK(store_durable(s.store).next >= 3); /* no number is given again */
    uint64_t next = store_durable(s.store).next;
    scene_open(&s);
    CHECK_INT(damage_count(&s), 0);
    CHECK_INT(store_durable(s.store).next, next);
    scene_done(&s);
}

/* Also when there is no space for a journal that would keep them. */
TEST(numbers_of_what_was_set_aside_are_not_given_again)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    for (int i = 0; i < 3; i++) put_committed(&s, 1, 100);
    flip(&s, "journal-00000000000000000000", 4);
    flip(&s, "journal-00000000000000000000", JOURNAL_SECOND_HEAD + 4);
    s.disk.total = disk_used(&s.disk);
    for (int again = 0; again < 3; again++) {
        scene_open(&s);
        CHECK_INT(store_space(s.store), STORE_SPACE_FULL);
        CHECK(store_durable(s.store).next >= 3);
    }
    scene_done(&s);
}

/* It may be repaired by hand: only the newest is ever removed for having no frames. */
TEST(a_journal_without_whole_frames_is_kept)
{
    struct scene s;
    scene_init(&s);
    scene_open(&s);
    put_committed(&s, 1, 100);
    scene_open(&s);
    put_committed(&s, 1, 100);
    flip(&s, "journal-00000000000000000000", JOURNAL_DATA + 70);
    scene_open(&s);
    CHECK_INT(s.found.damages[STORE_DAMAGE_LOST], 1);
    CHECK_INT(s.found.n_journals, 2);
    CHECK(exists(&s, "journal-00000000000000000000"));
    scene_done(&s);
}

/* In zeros no place is its own mark. */
TEST(salts_are_no_places)
{
    struct scene s;
    struct journal_reader r;
    scene_init(&s);
    uint64_t salt = 0;
    for (int seed = 0; seed < 8; seed++) {
        s.options.seed = (uint64_t)seed;
        scene_open(&s);
        int file = journal_open(&s.io, 0, STORE_READ);
        REQUIRE(file >= 0 && journal_reader_init(&r, &s.io, file, 0) == 0);
        CHECK(r.head.salt >> 63 == 1 && r.head.salt != salt);
        salt = r.head.salt;
        journal_reader_done(&r);
        s.io.close(s.io.ctx, file);
    }
    scene_done(&s);
}

/* It may be the controller, and readable in an hour; an older journal is not changed anyway. */
TEST(what_cannot_be_read_is_not_cut)
{
    struct scene s;
    size_t before = 0, after = 0;
    static const char name[] = "journal-00000000000000000000";
    scene_init(&s);
    s.options.journal_bytes = 16384;
    scene_open(&s);
    for (int i = 0; i < 9; i++) put_committed(&s, 1, 1000);
    store_free(s.store);
    s.store = NULL;
    REQUIRE(disk_bytes(&s.disk, name, &before));
    disk_spoil(&s.disk, name, 8192, 12288);
    CHECK_INT(store_open(&s.options, &s.store), ERR_IO);
    REQUIRE(disk_bytes(&s.disk, name, &after));
    CHECK_INT(after, before);
    disk_spoil(&s.disk, name, 0, 0);
    scene_open(&s);
    check_all(&s);
    put_committed(&s, 1, 10); /* it is not the newest any more */
    disk_spoil(&s.disk, name, 8192, 12288);
    scene_open(&s);
    CHECK_INT(s.found.damages[STORE_DAMAGE_LOST], 1);
    CHECK_INT(damage_count(&s), 1);
    CHECK(s.found.lost_numbers > 0 && s.found.lost_numbers < 9);
    CHECK_INT(store_durable(s.store).next, 10);
    disk_spoil(&s.disk, name, 0, 0);
    scene_open(&s);
    check_all(&s);
    scene_done(&s);
}

/* ---- a full disk ------------------------------------------------------------------------- */

TEST(a_full_disk_refuses_and_comes_back)
{
    struct scene s;
    scene_init(&s);
    s.disk.total = 160000;
    scene_open(&s);
    CHECK_INT(store_space(s.store), STORE_SPACE_OK);
    CHECK(exists(&s, "ballast"));
    bool seen[STORE_SPACE_FULL + 1] = {0};
    int result;
    while ((result = put(&s, 1, 500)) == 0) {
        REQUIRE(store_commit(s.store) == 0);
        history_promise(&s.history, 0);
        REQUIRE(store_tick(s.store) == 0);
        seen[store_space(s.store)] = true;
        REQUIRE(s.history.n < 500);
    }
    CHECK_INT(result, ERR_LIMIT);
    CHECK(seen[STORE_SPACE_OK] && seen[STORE_SPACE_WARN] && seen[STORE_SPACE_CRITICAL]);
    CHECK_INT(store_space(s.store), STORE_SPACE_FULL);
    CHECK(!exists(&s, "ballast"));
    CHECK_INT(put(&s, 1, 500), ERR_LIMIT);
    CHECK_INT(store_commit(s.store), 0);
    CHECK_INT(store_tick(s.store), 0);
    CHECK_INT(store_space(s.store), STORE_SPACE_FULL);
    check_all(&s);
    scene_open(&s); /* full: opens all the same */
    CHECK_INT(store_space(s.store), STORE_SPACE_FULL);
    CHECK_INT(put(&s, 1, 500), ERR_LIMIT);
    check_all(&s);
    s.disk.total = 1000000;
    CHECK_INT(store_tick(s.store), 0);
    CHECK_INT(store_space(s.store), STORE_SPACE_OK);
    CHECK(exists(&s, "ballast"));
    put_committed(&s, 1, 500);
    check_all(&s);
    scene_done(&s);
}

/* Nothing is written any more, and all that was has been sealed elsewhere. */
TEST(numbers_go_on_when_the_disk_is_full)
{
    struct scene s;
    scene_init(&s);
    s.disk.total = 40000;
    scene_open(&s);
    while (put(&s, 1, 500) == 0) {
        REQUIRE(store_commit(s.store) == 0);
        history_promise(&s.history, 0);
    }
    CHECK_INT(store_space(s.store), STORE_SPACE_FULL);
    CHECK_INT(store_durable(s.store).end, 0);
    uint64_t next = store_durable(s.store).next;
    REQUIRE(s.found.n_journals >= 2);
    size_t n = s.found.n_journals;
    for (size_t i = 0; i + 1 < n; i++)
        CHECK_INT(store_remove_journal(s.store, s.found.journals[i].first), 0);
    CHECK_INT(store_remove_journal(s.store, s.found.journals[n - 1].first), ERR_INVALID);
    scene_open(&s);
    CHECK_INT(store_durable(s.store).next, next);
    scene_done(&s);
}

/* Others use the disk too: what is left for a commit is not used up to the last byte. */
TEST(a_disk_that_others_fill_refuses_in_time)
{
    struct scene s;
    scene_init(&s);
    s.disk.total = 100000;
    scene_open(&s);
    put_committed(&s, 1, 100);
    s.disk.total -= 100000 - 20000;
    CHECK_INT(store_tick(s.store), 0);
    CHECK_INT(store_space(s.store), STORE_SPACE_FULL);
    CHECK_INT(put(&s, 1, 100), ERR_LIMIT);
    /* A little more is not enough: it would be full again at once. */
    s.disk.total = disk_used(&s.disk) + 5000;
    CHECK_INT(store_tick(s.store), 0);
    CHECK_INT(store_space(s.store), STORE_SPACE_FULL);
    s.disk.total = 100000;
    CHECK_INT(store_tick(s.store), 0);
    CHECK_INT(store_space(s.store), STORE_SPACE_OK);
    put_committed(&s, 1, 100);
    check_all(&s);
    scene_done(&s);
}

/* ---- failing ----------------------------------------------------------------------------- */

TEST(a_failed_sync_is_never_tried_again)
{
    struct scene s;
    struct faults faults = {.kind = FAULT_SYNC};
    scene_init(&s);
    struct store_io failing = faults_io(&faults);
    faults.below = &s.io;
    s.options.io = &failing;
    scene_open(&s);
    REQUIRE(put(&s, 1, 100) == 0);
    faults.at = faults.calls + 1;
    CHECK_INT(store_commit(s.store), ERR_IO);
    uint64_t calls = faults.calls;
    CHECK_INT(store_commit(s.store), ERR_IO);
    CHECK_INT(put(&s, 1, 100), ERR_IO);
    CHECK_INT(store_tick(s.store), ERR_IO);
    CHECK_INT(store_remove_journal(s.store, 5), ERR_IO);
    CHECK_INT(store_durable(s.store).next, 0);
    CHECK_INT(faults.calls, calls);
    scene_done(&s);
}

/* Only what was synced is left. */
static void lose_power(struct scene *s)
{
    struct disk image;
    struct disk_cut cut;
    disk_init(&image);
    disk_cut_init(&cut, &s->disk);
    while (disk_cut_next(&cut)) continue;
    disk_cut_image(&cut, REACHED_NONE, 0, &image);
    disk_cut_done(&cut);
    store_free(s->store);
    s->store = NULL;
    disk_done(&s->disk);
    s->disk = image;
}

/* What is read back may be in memory only: before it counts as durable it is synced. */
TEST(recovery_syncs_what_it_calls_durable)
{
    struct scene s;
    struct faults faults = {.kind = FAULT_SYNC};
    scene_init(&s);
    struct store_io failing = faults_io(&faults);
    faults.below = &s.io;
    s.options.io = &failing;
    scene_open(&s);
    REQUIRE(put(&s, 1, 100) == 0);
    faults.at = faults.calls + 1;
    CHECK_INT(store_commit(s.store), ERR_IO);
    scene_open(&s);
    CHECK_INT(store_durable(s.store).next, 1);
    lose_power(&s);
    scene_open(&s);
    REQUIRE(s.found.n_journals == 1);
    CHECK_INT(s.found.journals[0].next, 1);
    scene_done(&s);
}
