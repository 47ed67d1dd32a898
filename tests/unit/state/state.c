/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/state.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* The schema of version 1 with some content, as that version left it. */
static const char version_1[] =
    "CREATE TABLE matched (tenant INTEGER PRIMARY KEY, next INTEGER NOT NULL) STRICT;"
    "CREATE TABLE alert (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, count INTEGER NOT NULL,"
    " level INTEGER NOT NULL, time INTEGER, received INTEGER NOT NULL,"
    " last_received INTEGER NOT NULL, rule TEXT NOT NULL, title TEXT NOT NULL,"
    " host TEXT NOT NULL, entity TEXT NOT NULL, line TEXT NOT NULL) STRICT;"
    "CREATE INDEX alert_alike ON alert (rule, entity, last_received);"
    "INSERT INTO matched VALUES (0, 4711);"
    "INSERT INTO alert VALUES (7, 0, 40, 42, 3, 4, NULL, 1000, 3000, 'r1', 'One', 'h', 'h\tanna',"
    " '{\"a\":1}');"
    "PRAGMA user_version = 1;";

static void make_database(const char *path, const char *sql)
{
    sqlite3 *db;
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_close(db) == SQLITE_OK);
}

static struct state *open_state(const char *name)
{
    struct diag diag;
    struct state *s = NULL;
    int error = state_open(test_path(name), &s, &diag);
    if (error) test_fail(__FILE__, __LINE__, "%s", diag.message);
    REQUIRE(error == 0);
    return s;
}

static const struct state_alert an_alert = {.seq = 10,
                                            .last_seq = 12,
                                            .count = 3,
                                            .level = 4,
                                            .time = 99,
                                            .received = 1000,
                                            .last_received = 1000,
                                            .rule = {"r1", 2},
                                            .title = {"One", 3},
                                            .host = {"h", 1},
                                            .entity = {"h\tbo", 4},
                                            .line = {"{}", 2}};

/* To the count of one alike, or a new one. */
static bool add_alert(struct state *s, const struct state_alert *a, nsec alike)
{
    uint64_t id, incident, suppression;
    CHECK_INT(state_find_alike(s, a, alike, &id, &incident, &suppression), 0);
    if (id) CHECK_INT(state_count_alike(s, id, a), 0);
    else CHECK_INT(state_add_alert(s, a, &(uint64_t){0}), 0);
    return id == 0;
}

static bool add(struct state *s, uint64_t seq, nsec received, nsec alike)
{
    struct state_alert a = an_alert;
    a.seq = seq;
    a.last_seq = seq + 2;
    a.received = a.last_received = received;
    return add_alert(s, &a, alike);
}

static uint64_t records(struct state *s)
{
    uint64_t alerts, found = 0;
    CHECK_INT(state_count_alerts(s, &alerts, &found), 0);
    return found;
}

struct seen {
    uint32_t n, stop_at;
    uint64_t ids[8], seq, last_seq, count;
    nsec time;
    char line[32], body[32];
};

static bool see_alert(void *ctx, const struct state_alert *a)
{
    struct seen *seen = ctx;
    seen->ids[seen->n++ % 8] = a->id;
    seen->seq = a->seq;
    seen->last_seq = a->last_seq;
    seen->count = a->count;
    seen->time = a->time;
    (void)snprintf(seen->line, sizeof seen->line, "%.*s", SLICE_FMT(a->line));
    return seen->n != seen->stop_at;
}

static bool see_tuple(void *ctx, const struct state_tuple *t)
{
    struct seen *seen = ctx;
    seen->ids[seen->n++ % 8] = t->id;
    seen->seq = t->names;
    seen->time = t->time;
    (void)snprintf(seen->body, sizeof seen->body, "%.*s:%zu", SLICE_FMT(t->rule), t->body.len);
    return seen->n != seen->stop_at;
}

TEST(state_of_version_1_is_brought_up_to_date)
{
    make_database(test_path("old.db"), version_1);
    struct seen seen = {0};
    uint64_t next, last;
    nsec correlated = -1;
    for (int i = 0; i < 2; i++) {
        struct state *s = open_state("old.db");
        CHECK(state_matched(s, &next) == 0 && next == 4711);
        seen = (struct seen){0};
        CHECK_INT(state_alerts(s, 0, 10, see_alert, &seen), 0);
        CHECK(seen.n == 1 && seen.ids[0] == 7 && seen.seq == 40 && seen.count == 3);
        CHECK(seen.time == INT64_MIN);
        CHECK_SLICE(slice_of(seen.line), "{\"a\":1}");
        CHECK(state_correlated(s, &correlated) == 0 && correlated == 0);
        CHECK(state_tuples(s, 0, 10, see_tuple, &seen) == 0 && seen.n == 1);
        CHECK(state_last_alert(s, &last) == 0 && last == 7);
        uint64_t left_out;
        uint32_t n = 1;
        CHECK(state_quarantined(s, &left_out, 1, &n) == 0 && n == 0);
        state_close(s);
    }
    struct state *s = open_state("old.db");
    CHECK(add(s, 50, 9000, 0));
    CHECK(state_last_alert(s, &last) == 0 && last == 8);
    state_close(s);
}

TEST(how_far_it_was_matched_is_read_by_others)
{
    struct diag diag;
    uint64_t next = 1;
    CHECK(state_peek_matched(test_path("peek.db"), &next, &diag) == 0 && next == 0);
    test_write("peek.db", "");
    CHECK(state_peek_matched(test_path("peek.db"), &next, &diag) == 0 && next == 0);
    struct state *s = open_state("peek.db");
    CHECK(state_peek_matched(test_path("peek.db"), &next, &diag) == 0 && next == 0);
    CHECK(state_begin(s) == 0 && state_set_matched(s, 12) == 0);
    CHECK(state_peek_matched(test_path("peek.db"), &next, &diag) == 0 && next == 0);
    CHECK_INT(state_commit(s), 0);
    CHECK(state_peek_matched(test_path("peek.db"), &next, &diag) == 0 && next == 12);
    state_close(s);
    CHECK(state_peek_matched(test_path("peek.db"), &next, &diag) == 0 && next == 12);
    test_write("none.db", "this is no database, though it is long enough to be looked at");
    CHECK(state_peek_matched(test_path("none.db"), &next, &diag) != 0 && next == 12);
}

/* As one that recovers the file after a crash. */
static void lock_for_a_while(const char *path, int told)
{
    sqlite3 *db;
    if (sqlite3_open(path, &db) != SQLITE_OK) _exit(1);
    (void)sqlite3_exec(db,
                       "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE;"
                       "INSERT INTO matched VALUES (0, 5); COMMIT",
                       NULL, NULL, NULL);
    if (write(told, "x", 1) != 1) _exit(1);
    (void)usleep(200 * 1000);
    _exit(sqlite3_close(db) == SQLITE_OK ? 0 : 1);
}

TEST(a_file_that_is_locked_is_waited_for)
{
    int pipe_fds[2], status = 1;
    char byte;
    uint64_t next;
    state_close(open_state("busy.db"));
    REQUIRE(pipe(pipe_fds) == 0);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) lock_for_a_while(test_path("busy.db"), pipe_fds[1]);
    REQUIRE(read(pipe_fds[0], &byte, 1) == 1);
    struct state *s = open_state("busy.db");
    CHECK(state_matched(s, &next) == 0 && next == 5);
    state_close(s);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
}

TEST(quarantined_records_are_kept_up_to_a_number)
{
    uint64_t seen[4] = {0};
    uint32_t n = 0;
    struct state *s = open_state("quarantine.db");
    CHECK(state_quarantined(s, seen, 4, &n) == 0 && n == 0);
    CHECK_INT(state_add_quarantined(s, 70, 3), 0);
    CHECK_INT(state_add_quarantined(s, 9, 3), 0);
    CHECK_INT(state_add_quarantined(s, 70, 3), 0);
    state_close(s);
    s = open_state("quarantine.db");
    CHECK(state_quarantined(s, seen, 4, &n) == 0 && n == 2 && seen[0] == 9 && seen[1] == 70);
    CHECK_INT(state_add_quarantined(s, 80, 3), 0);
    CHECK_INT(state_add_quarantined(s, 5, 3), 0);
    CHECK(state_quarantined(s, seen, 4, &n) == 0 && n == 3);
    CHECK(seen[0] == 5 && seen[1] == 9 && seen[2] == 80);
    CHECK(state_quarantined(s, seen, 1, &n) == 0 && n == 1 && seen[0] == 5);
    state_close(s);
}

TEST(state_of_a_newer_version_is_refused_as_it_is)
{
    struct state *s = NULL;
    struct diag diag;
    make_database(test_path("new.db"), "CREATE TABLE x (y); PRAGMA user_version = 1000;");
    CHECK_INT(state_open(test_path("new.db"), &s, &diag), ERR_UNSUPPORTED);
    CHECK(!s && slice_find(slice_of(diag.message), SLICE("newer version")) != SIZE_MAX);
    make_database(test_path("new.db"), "INSERT INTO x VALUES (1);");
}

TEST(state_that_is_no_database_is_refused)
{
    struct state *s = NULL;
    struct diag diag;
    test_write("text.db",
               "this is a text, and longer than the head of a database is; so it is read "
               "as one and refused, whatever else is in it.");
    CHECK_INT(state_open(test_path("text.db"), &s, &diag), ERR_CORRUPT);
    CHECK(!s && diag.message[0]);
    CHECK_INT(state_open("/nowhere/at/all.db", &s, &diag), ERR_ACCESS);
    CHECK_INT(state_open("/nowhere/at/all.db", &s, NULL), ERR_ACCESS);
    state_close(NULL);
}

TEST(state_keeps_what_was_committed)
{
    struct state *s = open_state("a.db");
    uint64_t next = 9;
    nsec time = 9;
    CHECK(state_matched(s, &next) == 0 && next == 0);
    CHECK(state_correlated(s, &time) == 0 && time == 0);
    CHECK_INT(state_begin(s), 0);
    CHECK(add(s, 10, 1000, 0));
    CHECK_INT(state_set_matched(s, 13), 0);
    CHECK_INT(state_set_correlated(s, -5), 0);
    CHECK_INT(state_commit(s), 0);
    CHECK_INT(state_begin(s), 0);
    CHECK(add(s, 20, 2000, 0));
    CHECK_INT(state_set_matched(s, 23), 0);
    state_rollback(s);
    state_rollback(s);
    CHECK(state_matched(s, &next) == 0 && next == 13);
    CHECK_INT(records(s), 3);
    CHECK_INT(state_begin(s), 0);
    CHECK(add(s, 20, 2000, 0));
    CHECK_INT(state_set_matched(s, UINT64_MAX / 2), 0);
    state_close(s);
    s = open_state("a.db");
    CHECK(state_matched(s, &next) == 0 && next == 13);
    CHECK(state_correlated(s, &time) == 0 && time == -5);
    CHECK_INT(records(s), 3);
    state_close(s);
}

TEST(state_counts_alike_alerts)
{
    struct state *s = open_state("alike.db");
    struct seen seen = {0};
    CHECK(add(s, 10, 1000, 500));
    CHECK(!add(s, 20, 1500, 500));
    CHECK(!add(s, 30, 2000, 500)); /* 500 behind the last one, 1000 behind the first */
    CHECK(add(s, 40, 2501, 500));
    CHECK(add(s, 50, 2502, 0));
    CHECK(!add(s, 5, INT64_MIN + 1, INT64_MAX)); /* as old as can be: alike with what came later */
    CHECK_INT(records(s), 18);
    CHECK_INT(state_alerts(s, 0, 1, see_alert, &seen), 0);
    CHECK(seen.n == 1 && seen.seq == 10 && seen.last_seq == 32 && seen.count == 9);
    state_close(s);
}

TEST(state_alike_is_of_one_rule_and_entity)
{
    struct state *s = open_state("entity.db");
    struct state_alert a = an_alert;
    CHECK(add(s, 10, 1000, 500));
    a.rule = SLICE("r2");
    CHECK(add_alert(s, &a, 500));
    a = an_alert;
    a.entity = SLICE("h\teve");
    CHECK(add_alert(s, &a, 500));
    a.host = a.entity = a.title = a.line = SLICE_NONE;
    a.time = INT64_MIN;
    CHECK(add_alert(s, &a, 500));
    CHECK_INT(records(s), 12);
    state_close(s);
}

TEST(state_alerts_are_listed_from_where_a_reader_was)
{
    struct state *s = open_state("list.db");
    struct seen seen = {0};
    for (uint64_t i = 0; i < 6; i++) CHECK(add(s, i * 10, (nsec)i, -1));
    CHECK_INT(state_alerts(s, 2, 3, see_alert, &seen), 0);
    CHECK(seen.n == 3 && seen.ids[0] == 3 && seen.ids[2] == 5);
    seen = (struct seen){.stop_at = 2};
    CHECK_INT(state_alerts(s, 0, 100, see_alert, &seen), 0);
    CHECK(seen.n == 2 && seen.ids[1] == 2);
    seen = (struct seen){0};
    CHECK_INT(state_alerts(s, 6, 100, see_alert, &seen), 0);
    CHECK_INT(seen.n, 0);
    state_close(s);
}

static void add_tuple(struct state *s, nsec time)
{
    const struct state_tuple t = {
        .rule = SLICE("r"), .names = UINT64_C(1) << 62, .time = time, .body = SLICE("a\0b")};
    CHECK_INT(state_add_tuple(s, &t), 0);
}

struct rules_found {
    struct state_rule rules[4];
    char ids[4][8];
    uint32_t n, most;
};

static bool take_rule(void *ctx, const struct state_rule *rule)
{
    struct rules_found *f = ctx;
    REQUIRE(f->n < 4 && rule->rule.len < 8);
    f->rules[f->n] = *rule;
    memcpy(f->ids[f->n], rule->rule.ptr, rule->rule.len);
    f->ids[f->n][rule->rule.len] = '\0';
    return ++f->n < f->most;
}

TEST(state_sums_up_the_alerts_of_each_rule_while_it_is_written)
{
    struct state *s = open_state("rules.db");
    struct state_snapshot *snapshot;
    struct rules_found all = {.most = 4}, one = {.most = 1};
    struct diag diag;
    uint64_t next;
    struct state_alert other = an_alert;
    other.rule = SLICE("r2");
    REQUIRE(state_begin(s) == 0);
    CHECK(add(s, 10, 1000, 0));
    CHECK(add(s, 20, 5000, 0));
    CHECK(add_alert(s, &other, 0));
    REQUIRE(state_commit(s) == 0);
    REQUIRE(state_snapshot_open(test_path("rules.db"), &snapshot, &next, &diag) == 0);
    REQUIRE(state_begin(s) == 0);
    CHECK(add(s, 30, 9000, 0));
    REQUIRE(state_commit(s) == 0);
    CHECK_INT(state_snapshot_rules(snapshot, take_rule, &all, &diag), 0);
    REQUIRE(all.n == 2);
    uint32_t r1 = strcmp(all.ids[0], "r1") == 0 ? 0 : 1;
    CHECK_SLICE(slice_of(all.ids[r1]), "r1");
    CHECK_SLICE(slice_of(all.ids[1 - r1]), "r2");
    CHECK_INT(all.rules[r1].alerts, 2);
    CHECK_INT(all.rules[r1].records, 6);
    CHECK_INT(all.rules[r1].last, 5000);
    CHECK_INT(all.rules[1 - r1].alerts, 1);
    CHECK_INT(state_snapshot_rules(snapshot, take_rule, &one, &diag), 0);
    CHECK_INT(one.n, 1);
    state_snapshot_close(snapshot);
    state_close(s);
}

TEST(state_forgets_tuples_that_are_old_or_too_many)
{
    struct state *s = open_state("tuples.db");
    struct seen seen = {0};
    for (nsec time = 1; time <= 7; time++) add_tuple(s, time * 10);
    CHECK_INT(state_forget_tuples(s, 30, 100), 0);
    CHECK_INT(state_tuples(s, 0, 100, see_tuple, &seen), 0);
    CHECK(seen.n == 5 && seen.ids[0] == 3 && seen.time == 70 && seen.seq == UINT64_C(1) << 62);
    CHECK_SLICE(slice_of(seen.body), "r:3");
    CHECK_INT(state_forget_tuples(s, 0, 2), 0);
    seen = (struct seen){0};
    CHECK_INT(state_tuples(s, 0, 100, see_tuple, &seen), 0);
    CHECK(seen.n == 2 && seen.ids[0] == 6);
    seen = (struct seen){.stop_at = 1};
    CHECK_INT(state_tuples(s, 6, 100, see_tuple, &seen), 0);
    CHECK(seen.n == 1 && seen.ids[0] == 7);
    state_close(s);
}

struct health_seen {
    unsigned n;
    char all[64];
};

static bool see_health(void *ctx, struct slice source, struct slice saved)
{
    struct health_seen *seen = ctx;
    size_t at = strlen(seen->all);
    (void)snprintf(seen->all + at, sizeof seen->all - at, "%.*s=%zu:%d ", SLICE_FMT(source),
                   saved.len, saved.len ? saved.ptr[0] : -1);
    seen->n++;
    return true;
}

TEST(state_keeps_the_last_health_of_each_source)
{
    struct state *s = open_state("health.db");
    struct health_seen seen = {0};
    CHECK_INT(state_put_health(s, SLICE("a"), SLICE("\0one")), 0);
    CHECK_INT(state_put_health(s, SLICE("b"), SLICE("\2")), 0);
    CHECK_INT(state_put_health(s, SLICE("a"), SLICE("\7\0")), 0);
    CHECK_INT(state_put_health(s, SLICE("c"), SLICE("\3")), 0);
    CHECK_INT(state_drop_health(s, SLICE("b")), 0);
    CHECK_INT(state_health(s, see_health, &seen), 0);
    CHECK_SLICE(slice_of(seen.all), "a=2:7 c=1:3 ");
    state_close(s);
}

TEST(what_is_of_an_exercise_is_not_counted_with_what_is_not)
{
    struct state *s = open_state("marks.db");
    struct state_alert a = an_alert;
    uint64_t id, incident, suppression;
    CHECK_INT(state_add_alert(s, &a, &id), 0);
    CHECK_INT(state_find_alike(s, &a, 100, &id, &incident, &suppression), 0);
    CHECK_INT(id, 1);
    a.marks = 1;
    CHECK_INT(state_find_alike(s, &a, 100, &id, &incident, &suppression), 0);
    CHECK_INT(id, 0);
    state_close(s);
}
