/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/db.h"

#include <sqlite3.h>

#include "test.h"

static const char *const migrations[] = {
    "CREATE TABLE page (id INTEGER PRIMARY KEY, at INTEGER, text TEXT NOT NULL);"};

static struct db *open_pages(const char *name)
{
    struct db *db = NULL;
    struct diag diag = {0};
    REQUIRE(db_open(test_path(name), migrations, 1, &db, &diag) == 0);
    return db;
}

static void add(struct db *db, const char *text)
{
    CHECK_INT(db_run(db, "INSERT INTO page (at, text) VALUES (?1, ?2)",
                     DB_WITH(db_time(1000000000), db_text(slice_of(text)))),
              0);
}

static int64_t count(struct db *db)
{
    int64_t n = -1;
    CHECK_INT(db_get(db, "SELECT count(*) FROM page WHERE rfc3339(at) > '1970'", DB_ALONE, &n), 0);
    return n;
}

/* As another process sees the file. */
static int64_t count_in_file(const char *name)
{
    struct db *reader = NULL;
    struct diag diag = {0};
    REQUIRE(db_open_reader(test_path(name), &reader, &diag) == 0);
    int64_t n = count(reader);
    db_close(reader);
    return n;
}

TEST(what_goes_on_in_memory_comes_back_into_the_file)
{
    struct db *db = open_pages("there-and-back");
    add(db, "one");
    CHECK(!db_is_detached(db));
    for (int64_t round = 0; round < 3; round++) {
        const int64_t before = 1 + 2 * round;
        CHECK_INT(db_detach(db), 0);
        CHECK(db_is_detached(db));
        /* All that was committed went along, statements are the same, and functions are there. */
        CHECK_INT(count(db), before);
        add(db, "in memory");
        CHECK_INT(count(db), before + 1);
        CHECK_INT(count_in_file("there-and-back"), before);
        CHECK_INT(db_attach(db), 0);
        CHECK(!db_is_detached(db));
        CHECK_INT(count(db), before + 1);
        CHECK_INT(count_in_file("there-and-back"), before + 1);
        add(db, "on disk");
        CHECK_INT(count_in_file("there-and-back"), before + 2);
    }
    db_close(db);
    db = open_pages("there-and-back");
    CHECK_INT(count(db), 7);
    db_close(db);
}

TEST(what_was_not_committed_stays_behind)
{
    struct db *db = open_pages("open");
    add(db, "one");
    CHECK_INT(db_script(db, "BEGIN"), 0);
    add(db, "two");
    db_rollback(db);
    CHECK_INT(db_detach(db), 0);
    CHECK_INT(count(db), 1);
    CHECK_INT(db_script(db, "BEGIN"), 0);
    add(db, "three");
    db_rollback(db);
    CHECK_INT(db_attach(db), 0);
    CHECK_INT(count(db), 1);
    db_close(db);
}

/* A file that cannot be written now loses nothing of what is in memory. */
TEST(a_file_that_somebody_holds_is_written_later)
{
    struct db *db = open_pages("held");
    sqlite3 *other;
    add(db, "one");
    CHECK_INT(db_detach(db), 0);
    add(db, "two");
    REQUIRE(sqlite3_open(test_path("held"), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    CHECK(db_attach(db) != 0);
    CHECK(db_is_detached(db));
    CHECK_INT(count(db), 2);
    add(db, "three");
    REQUIRE(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_close(other) == SQLITE_OK);
    CHECK_INT(count_in_file("held"), 1);
    CHECK_INT(db_attach(db), 0);
    CHECK_INT(count(db), 3);
    CHECK_INT(count_in_file("held"), 3);
    db_close(db);
}

/* What ends in memory leaves the file as it was. */
TEST(an_end_without_a_disk_loses_what_was_done_without_it)
{
    struct db *db = open_pages("lost");
    add(db, "one");
    CHECK_INT(db_detach(db), 0);
    add(db, "two");
    db_close(db);
    db = open_pages("lost");
    CHECK_INT(count(db), 1);
    db_close(db);
}
