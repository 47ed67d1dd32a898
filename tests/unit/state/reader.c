/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/reader.h"

#include <sqlite3.h>

#include "test.h"

enum { MANY = 45 * 1000, RARE_EVERY = 15 * 1000 };

struct seen {
    uint64_t first, last;
    uint32_t n;
    uint32_t most; /* after which it ends; 0: never */
};

static bool see(void *ctx, const struct state_alert *a)
{
    struct seen *s = ctx;
    if (s->n++ == 0) s->first = a->id;
    s->last = a->id;
    return s->most == 0 || s->n < s->most;
}

/* Alerts 1 to MANY of tenant 0, each RARE_EVERYth of the rule "rare" and critical; one of tenant 7.
 */
static struct db *make(const char *name)
{
    struct state *s;
    struct diag diag;
    struct db *db = NULL;
    sqlite3 *raw;
    char sql[1024];
    REQUIRE(state_open(test_path(name), &s, &diag) == 0);
    REQUIRE(sqlite3_open(test_path(name), &raw) == SQLITE_OK);
    (void)snprintf(sql, sizeof sql,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   " INSERT INTO alert (id, tenant, seq, last_seq, count, level, time, received,"
                   " last_received, rule, title, host, entity, line) SELECT i, 0, i, i, 1,"
                   " iif(i %% %d = 0, 5, 3), NULL, i, i, iif(i %% %d = 0, 'rare', 'usual'), 't',"
                   " 'h', 'e' || i, '{}' FROM n;"
                   "INSERT INTO alert (id, tenant, seq, last_seq, count, level, time, received,"
                   " last_received, rule, title, host, entity, line)"
                   " VALUES (%d, 7, 0, 0, 1, 3, NULL, 0, 0, 'far', 't', 'h', 'e', '{}');",
                   MANY, RARE_EVERY, RARE_EVERY, MANY + 1);
    REQUIRE(sqlite3_exec(raw, sql, NULL, NULL, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_close(raw) == SQLITE_OK);
    REQUIRE(db_open_reader(test_path(name), &db, &diag) == 0);
    state_close(s);
    return db;
}

TEST(pages_from_the_newest)
{
    struct db *db = make("reader-pages");
    struct state_page page = {.tenant = 0, .before = UINT64_MAX >> 1, .limit = 500};
    uint64_t next = 1, all = 0, expected = MANY;
    while (next) {
        struct seen seen = {0};
        REQUIRE(state_read_older(db, &page, &next, see, &seen) == 0);
        if (seen.n) CHECK_INT(seen.first, expected);
        all += seen.n;
        expected -= seen.n;
        page.before = next;
    }
    CHECK_INT(all, MANY);
    db_close(db);
}

/* A page looks at so many, and says where it goes on, also without a row. */
TEST(pages_look_at_a_bounded_number)
{
    struct db *db = make("reader-bounded");
    struct state_page page = {
        .tenant = 0, .before = UINT64_MAX >> 1, .limit = 50, .rule = SLICE("rare")};
    uint64_t next = 1, all = 0, pages = 0;
    for (; next; pages++) {
        struct seen seen = {0};
        uint64_t before = page.before > MANY + 1 ? MANY + 2 : page.before;
        REQUIRE(state_read_older(db, &page, &next, see, &seen) == 0);
        CHECK(next == 0 || before - next <= STATE_LOOKED);
        all += seen.n;
        page.before = next;
    }
    CHECK_INT(all, MANY / RARE_EVERY);
    CHECK_INT(pages, (MANY + STATE_LOOKED) / STATE_LOOKED);
    page = (struct state_page){.tenant = 0, .before = MANY + 2, .limit = 50, .level = 4};
    struct seen seen = {0};
    REQUIRE(state_read_older(db, &page, &next, see, &seen) == 0);
    CHECK_INT(seen.n, 2);
    db_close(db);
}

TEST(what_came_behind_one)
{
    struct db *db = make("reader-newer");
    struct state_page page = {.tenant = 0, .after = MANY - 3, .limit = 2};
    struct seen seen = {0};
    uint64_t last = 0;
    REQUIRE(state_read_newer(db, &page, see, &seen) == 0);
    CHECK_INT(seen.n, 2);
    CHECK_INT(seen.last, MANY - 1);
    REQUIRE(state_read_last(db, &last) == 0);
    CHECK_INT(last, MANY + 1);
    seen = (struct seen){.most = 1};
    REQUIRE(state_read_newer(db, &page, see, &seen) == 0);
    CHECK_INT(seen.n, 1);
    db_close(db);
}

TEST(tenants_are_apart)
{
    struct db *db = make("reader-tenants");
    struct state_page page = {.tenant = 7, .before = UINT64_MAX >> 1, .limit = 50};
    struct seen seen = {0};
    uint64_t next;
    REQUIRE(state_read_older(db, &page, &next, see, &seen) == 0);
    CHECK_INT(seen.n, 1);
    CHECK_INT(seen.first, MANY + 1);
    seen = (struct seen){0};
    REQUIRE(state_read_newer(db, &page, see, &seen) == 0);
    CHECK_INT(seen.n, 1);
    seen = (struct seen){0};
    REQUIRE(state_read_alert(db, 7, MANY + 1, see, &seen) == 0);
    CHECK_INT(seen.n, 1);
    REQUIRE(state_read_alert(db, 7, 1, see, &seen) == 0);
    REQUIRE(state_read_alert(db, 0, MANY + 1, see, &seen) == 0);
    CHECK_INT(seen.n, 1);
    db_close(db);
}
