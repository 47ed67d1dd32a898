/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/account.h"

#include <liboath/oath.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "fixture.h"
#include "state/sql.h"

#define ANNA    "sju gr\xc3\xb6na paraplyer"
#define BO      "nio bl\xc3\xa5 cyklar d\xc3\xa4r"
#define ALL     UINT64_MAX
#define SHOW_BO "\"password\":\"" BO "\""

/* anna: admin; bo: analyst and responder; both of tenant 0. */
static void open_two(struct fixture *f, const char *name)
{
    fixture_open(f, name);
    CHECK_INT(fixture_do(f, NULL, ACTION_USER_ADD,
                         "{\"name\":\"Anna\",\"password\":\"" ANNA "\",\"roles\":[\"admin\"]}"),
              200);
    CHECK_INT(fixture_do(f, NULL, ACTION_USER_ADD,
                         "{\"name\":\"bo\",\"shown\":\"Bo Ek\",\"password\":\"" BO
                         "\",\"roles\":[\"analyst\",\"responder\"]}"),
              200);
}

static uint64_t count_log(struct fixture *f, const char *what)
{
    char look[64];
    uint64_t n = 0;
    CHECK_INT(fixture_do(f, NULL, ACTION_LOG_LIST, "{\"limit\":1000}"), 200);
    (void)snprintf(look, sizeof look, "\"what\":\"%s\"", what);
    for (struct slice rest = buf_slice(&f->out);;) {
        size_t at = slice_find(rest, slice_of(look));
        if (at == SIZE_MAX) return n;
        n++;
        rest = slice_from(rest, at + 1);
    }
}

/* ---- sessions ---------------------------------------------------------------------------- */

TEST(a_password_begins_a_session_with_the_rights_of_the_roles)
{
    struct fixture f;
    open_two(&f, "session.db");
    struct account_principal who = fixture_login(&f, "BO", BO, "");
    CHECK_INT(who.status, PRINCIPAL_KNOWN);
    CHECK(strlen(who.secret) == SECRET_TEXT);
    struct account_principal again = fixture_prove(&f, who.secret, 0);
    CHECK_INT(again.status, PRINCIPAL_KNOWN);
    CHECK(again.rights ==
          rights_of_roles(1u << ACCOUNT_ROLE_ANALYST | 1u << ACCOUNT_ROLE_RESPONDER));
    CHECK(strcmp(again.name, "bo") == 0 && strcmp(again.shown, "Bo Ek") == 0);
    CHECK(again.secret[0] == '\0' && again.must == 0 && !again.token);
    /* Elsewhere he is known, and may do nothing. */
    again = fixture_prove(&f, who.secret, 7);
    CHECK_INT(again.status, PRINCIPAL_KNOWN);
    CHECK(again.rights == 0 && again.tenant == 7);
    CHECK_INT(count_log(&f, "login"), 1);
    fixture_close(&f);
}

TEST(a_session_ends_unseen_and_in_any_case)
{
    struct fixture f;
    open_two(&f, "ends.db");
    struct account_principal idle = fixture_login(&f, "bo", BO, "");
    struct account_principal used = fixture_login(&f, "bo", BO, "");
    for (int64_t passed = 0; passed < LONGEST - 1800; passed += 1800) {
        CHECK_INT(fixture_prove(&f, used.secret, 0).status, PRINCIPAL_KNOWN);
        fixture_pass(&f, 1800);
    }
    CHECK_INT(fixture_prove(&f, idle.secret, 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_prove(&f, used.secret, 0).status, PRINCIPAL_KNOWN);
    fixture_pass(&f, 1800);
    CHECK_INT(fixture_prove(&f, used.secret, 0).status, PRINCIPAL_REFUSED);
    CHECK(account_tidy(f.account, f.at.now) == 0);
    CHECK_INT(fixture_do(&f, NULL, ACTION_SESSION_LIST, ""), 200);
    CHECK_SLICE(buf_slice(&f.out), "{\"sessions\":[]}");
    fixture_close(&f);
}

TEST(every_way_to_be_wrong_is_one_answer)
{
    struct fixture f;
    open_two(&f, "wrong.db");
    CHECK_INT(fixture_login(&f, "bo", ANNA, "").status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_login(&f, "nobody", BO, "").status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_login(&f, "", "", "").status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_login(&f, "b\xc3\xb6", BO, "").status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_prove(&f, "", 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_prove(&f, "vaka_", 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_prove(&f, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0).status,
              PRINCIPAL_REFUSED);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_DISABLE, "{\"name\":\"bo\"}"), 200);
    CHECK_INT(fixture_login(&f, "bo", BO, "").status, PRINCIPAL_REFUSED);
    fixture_close(&f);
}

/* Also for a name that is nobody's there is a hash to compare with, and it costs as much. */
TEST(a_name_that_is_nobodys_is_as_much_work)
{
    struct fixture f;
    struct account_job known, unknown;
    struct account_principal who;
    struct account_claim claim = {
        .kind = CLAIM_PASSWORD, .address = ADDRESS, .name = SLICE("bo"), .secret = SLICE("x")};
    open_two(&f, "work.db");
    CHECK(account_claim_begin(f.account, &claim, f.at, &known, &who));
    claim.name = SLICE("nobody");
    CHECK(account_claim_begin(f.account, &claim, f.at, &unknown, &who));
    /* All but salt and hash is the same. */
    CHECK(strlen(known.hash) == strlen(unknown.hash));
    CHECK(memcmp(known.hash, unknown.hash, strlen("$argon2id$v=19$m=64,t=3,p=1$")) == 0);
    CHECK(known.old.len == unknown.old.len && known.fresh.len == unknown.fresh.len);
    fixture_close(&f);
}

/* ---- guessing ---------------------------------------------------------------------------- */

TEST(who_guesses_waits_and_is_not_locked_out_for_ever)
{
    struct fixture f;
    open_two(&f, "guess.db");
    int looked = 0;
    for (int i = 0; i < 50; i++)
        looked += fixture_login(&f, "bo", "wrong", "").status == PRINCIPAL_REFUSED;
    CHECK_INT(looked, 5);
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    CHECK_INT(who.status, PRINCIPAL_WAIT);
    CHECK(who.wait >= 1);
    fixture_pass(&f, who.wait);
    CHECK_INT(fixture_login(&f, "bo", BO, "").status, PRINCIPAL_KNOWN);
    /* One that does not exist is the same to see. */
    looked = 0;
    for (int i = 0; i < 50; i++)
        looked += fixture_login(&f, "nobody", "wrong", "").status == PRINCIPAL_REFUSED;
    CHECK_INT(looked, 5);
    /* The longest anybody waits. */
    for (int i = 0; i < 100; i++) {
        who = fixture_login(&f, "anna", "wrong", "");
        if (who.status == PRINCIPAL_WAIT) fixture_pass(&f, who.wait);
    }
    CHECK(fixture_login(&f, "anna", "wrong", "").wait <= 900);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_UNLOCK, "{\"name\":\"anna\"}"), 200);
    fixture_pass(&f, 900);
    CHECK_INT(fixture_login(&f, "anna", ANNA, "").status, PRINCIPAL_KNOWN);
    fixture_close(&f);
}

TEST(many_names_from_one_place_wait_as_well)
{
    struct fixture f;
    char name[32];
    struct account_principal who = {.status = PRINCIPAL_REFUSED};
    open_two(&f, "spray.db");
    for (int i = 0; i < 40 && who.status == PRINCIPAL_REFUSED; i++) {
        (void)snprintf(name, sizeof name, "user%d", i);
        who = fixture_login(&f, name, "Sommar2026!!", "");
    }
    CHECK_INT(who.status, PRINCIPAL_WAIT);
    /* From elsewhere bo is not held up by that. */
    struct account_claim claim = {.kind = CLAIM_PASSWORD,
                                  .tenant = TENANT_ANY,
                                  .address = SLICE("2001:db8:1:2:3::4"),
                                  .name = SLICE("bo"),
                                  .secret = slice_of(BO)};
    CHECK_INT(fixture_claim(&f, &claim).status, PRINCIPAL_KNOWN);
    fixture_close(&f);
}

TEST(what_was_refused_is_told_and_does_not_fill_the_disk)
{
    struct fixture f;
    open_two(&f, "told.db");
    for (int i = 0; i < 2000; i++)
        if (fixture_login(&f, "bo", "wrong", "").status == PRINCIPAL_WAIT) fixture_pass(&f, 900);
    uint64_t told = count_log(&f, "login.refused");
    CHECK(told >= 5 && told < 30);
    /* What was typed for a name that is none is not kept: it may be a password. */
    fixture_pass(&f, 900);
    CHECK_INT(fixture_login(&f, "hemligheten", "x", "").status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_do(&f, NULL, ACTION_LOG_LIST, "{\"limit\":1000}"), 200);
    CHECK(slice_find(buf_slice(&f.out), SLICE("hemligheten")) == SIZE_MAX);
    fixture_close(&f);
}

/* ---- the app ----------------------------------------------------------------------------- */

static void code_of(const struct totp_secret *secret, int64_t now, char code[8])
{
    REQUIRE(oath_totp_generate((const char *)secret->bytes, sizeof secret->bytes, (time_t)now, 30,
                               0, 6, code) == OATH_OK);
}

/* bo's app, enrolled by `session`; a recovery code goes to ret_recovery. */
static struct totp_secret enrol(struct fixture *f, const char *session, char *ret_recovery)
{
    struct book_user user;
    char code[8], body[64];
    CHECK_INT(fixture_do(f, session, ACTION_OWN_TOTP_END, "{\"code\":\"123456\"}"), 409);
    CHECK_INT(fixture_do(f, session, ACTION_OWN_TOTP_BEGIN, "{\"password\":\"wrong\"}"), 403);
    CHECK_INT(fixture_do(f, session, ACTION_OWN_TOTP_BEGIN, "{\"password\":\"" BO "\"}"), 200);
    CHECK_INT(fixture_member(f, "secret").len, 32);
    CHECK_INT(fixture_do(f, session, ACTION_OWN_TOTP_END, "{\"code\":\"12345\"}"), 400);
    REQUIRE(book_find_user(f->account->book, SLICE("bo"), &user) == 0);
    CHECK(user.enrolling && !user.has_app);
    code_of(&user.next_app, f->at.now, code);
    (void)snprintf(body, sizeof body, "{\"code\":\"%s\"}", code);
    CHECK_INT(fixture_do(f, session, ACTION_OWN_TOTP_END, body), 200);
    struct slice codes = fixture_member(f, "recovery");
    REQUIRE(codes.len > RECOVERY_TEXT + 2);
    memcpy(ret_recovery, codes.ptr + 2, RECOVERY_TEXT);
    ret_recovery[RECOVERY_TEXT] = '\0';
    return user.next_app;
}

static struct account_principal send_code(struct fixture *f, const char *half, const char *code)
{
    return fixture_claim(f, &(struct account_claim){.kind = CLAIM_CODE,
                                                    .tenant = TENANT_ANY,
                                                    .address = ADDRESS,
                                                    .secret = slice_of(half),
                                                    .code = slice_of(code)});
}

TEST(with_an_app_a_password_is_half)
{
    struct fixture f;
    char code[8], recovery[RECOVERY_TEXT + 1];
    open_two(&f, "app.db");
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    struct totp_secret app = enrol(&f, who.secret, recovery);
    fixture_pass(&f, 60);
    who = fixture_login(&f, "bo", BO, "");
    CHECK_INT(who.status, PRINCIPAL_NEEDS_CODE);
    CHECK(who.rights == 0);
    /* It is worth nothing else. */
    CHECK_INT(fixture_prove(&f, who.secret, 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_SHOW, ""), 401);
    code_of(&app, f.at.now, code);
    struct account_principal whole = send_code(&f, who.secret, code);
    CHECK_INT(whole.status, PRINCIPAL_KNOWN);
    CHECK_INT(fixture_prove(&f, whole.secret, 0).status, PRINCIPAL_KNOWN);
    /* Neither the half session nor the code is good twice. */
    CHECK_INT(send_code(&f, who.secret, code).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_login(&f, "bo", BO, code).status, PRINCIPAL_REFUSED);
    fixture_pass(&f, 60);
    code_of(&app, f.at.now, code);
    CHECK_INT(fixture_login(&f, "bo", BO, code).status, PRINCIPAL_KNOWN);
    /* A code for when the phone is lost is good once. */
    CHECK_INT(fixture_login(&f, "bo", BO, recovery).status, PRINCIPAL_KNOWN);
    CHECK_INT(fixture_login(&f, "bo", BO, recovery).status, PRINCIPAL_REFUSED);
    fixture_close(&f);
}

/* His phone is so many s behind; as he types it. */
static struct account_principal log_in_late(struct fixture *f, const struct totp_secret *app,
                                            int64_t behind)
{
    char code[8];
    code_of(app, f->at.now - behind, code);
    return fixture_login(f, "bo", BO, code);
}

TEST(an_app_whose_clock_is_off_gets_in_by_two_codes_in_a_row)
{
    struct fixture f;
    char recovery[RECOVERY_TEXT + 1];
    open_two(&f, "drift.db");
    struct totp_secret app = enrol(&f, fixture_login(&f, "bo", BO, "").secret, recovery);
    fixture_pass(&f, 300);
    CHECK_INT(log_in_late(&f, &app, 60).status, PRINCIPAL_REFUSED);
    fixture_pass(&f, TOTP_STEP);
    CHECK_INT(log_in_late(&f, &app, 60).status, PRINCIPAL_KNOWN);
    CHECK_INT(count_log(&f, "app.clock"), 1);
    fixture_pass(&f, 3600);
    CHECK_INT(log_in_late(&f, &app, 60).status, PRINCIPAL_KNOWN);
    CHECK_INT(log_in_late(&f, &app, 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(count_log(&f, "app.clock"), 1);
    fixture_close(&f);
}

TEST(an_app_whose_clock_is_off_is_set_up_by_two_codes_in_a_row)
{
    struct fixture f;
    struct book_user user;
    char code[8], body[64];
    open_two(&f, "setup.db");
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_TOTP_BEGIN, "{\"password\":\"" BO "\"}"), 200);
    for (int i = 0; i < 2; i++) {
        REQUIRE(book_find_user(f.account->book, SLICE("bo"), &user) == 0);
        code_of(&user.next_app, f.at.now + 90, code);
        (void)snprintf(body, sizeof body, "{\"code\":\"%s\"}", code);
        CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_TOTP_END, body), i ? 200 : 400);
        fixture_pass(&f, TOTP_STEP);
    }
    REQUIRE(book_find_user(f.account->book, SLICE("bo"), &user) == 0);
    CHECK(user.has_app && !user.enrolling);
    CHECK_INT(user.app_clock.drift, 3);
    fixture_pass(&f, 300);
    CHECK_INT(log_in_late(&f, &user.app, -90).status, PRINCIPAL_KNOWN);
    fixture_close(&f);
}

TEST(codes_are_not_guessed_either)
{
    struct fixture f;
    char recovery[RECOVERY_TEXT + 1];
    open_two(&f, "codes.db");
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    (void)enrol(&f, who.secret, recovery);
    fixture_pass(&f, 60);
    who = fixture_login(&f, "bo", BO, "");
    for (int i = 0; i < 100; i++) {
        struct account_principal got = send_code(&f, who.secret, "000000");
        if (got.status == PRINCIPAL_WAIT) fixture_pass(&f, got.wait);
    }
    /* After five the half session has ended, and there is nothing to look at any more. */
    CHECK_INT(count_log(&f, "login.refused"), 5);
    CHECK_INT(send_code(&f, who.secret, recovery).status, PRINCIPAL_REFUSED);
    /* It ends by itself, too. */
    fixture_pass(&f, 3600);
    who = fixture_login(&f, "bo", BO, "");
    CHECK_INT(who.status, PRINCIPAL_NEEDS_CODE);
    fixture_pass(&f, HALF_SESSION);
    CHECK_INT(send_code(&f, who.secret, recovery).status, PRINCIPAL_REFUSED);
    fixture_close(&f);
}

TEST(an_app_can_be_wanted_of_everybody)
{
    struct fixture f;
    open_two(&f, "required.db");
    f.account->settings.app_required = true;
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    CHECK_INT(who.status, PRINCIPAL_KNOWN);
    CHECK_INT(who.must, MUST_ENROL);
    CHECK(who.rights == 0);
    char recovery[RECOVERY_TEXT + 1];
    (void)enrol(&f, who.secret, recovery);
    struct account_principal again = fixture_prove(&f, who.secret, 0);
    CHECK(again.must == 0 && again.rights != 0);
    fixture_close(&f);
}

/* ---- passwords --------------------------------------------------------------------------- */

TEST(a_password_that_was_given_is_good_for_a_while_and_to_be_changed)
{
    struct fixture f;
    char given[64], body[256];
    open_two(&f, "given.db");
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_ADD, "{\"name\":\"cilla\",\"roles\":[\"viewer\"]}"),
              200);
    REQUIRE(slice_copy(fixture_member(&f, "password"), given, sizeof given));
    struct account_principal who = fixture_login(&f, "cilla", given, "");
    CHECK_INT(who.status, PRINCIPAL_KNOWN);
    CHECK_INT(who.must, MUST_CHANGE_PASSWORD);
    CHECK(who.rights == 0);
    (void)snprintf(body, sizeof body, "{\"password\":\"%s\",\"new\":\"kort\"}", given);
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_PASSWORD, body), 400);
    CHECK_SLICE(fixture_member(&f, "member"), "new");
    (void)snprintf(body, sizeof body, "{\"password\":\"%s\",\"new\":\"" ANNA "\"}", given);
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_PASSWORD, body), 200);
    struct account_principal again = fixture_prove(&f, who.secret, 0);
    CHECK(again.must == 0 && again.rights == rights_of_role(ACCOUNT_ROLE_VIEWER));
    CHECK_INT(fixture_login(&f, "cilla", given, "").status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_login(&f, "cilla", ANNA, "").status, PRINCIPAL_KNOWN);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_PASSWORD, "{\"name\":\"cilla\"}"), 200);
    REQUIRE(slice_copy(fixture_member(&f, "password"), given, sizeof given));
    fixture_pass(&f, GIVEN_FOR);
    CHECK_INT(fixture_login(&f, "cilla", given, "").status, PRINCIPAL_REFUSED);
    fixture_close(&f);
}

TEST(a_hash_of_another_cost_is_made_anew)
{
    struct fixture f;
    struct book_user before, after;
    open_two(&f, "dated.db");
    REQUIRE(book_find_user(f.account->book, SLICE("bo"), &before) == 0);
    f.account->settings.memory = 2 * MEMORY;
    CHECK_INT(fixture_login(&f, "bo", "wrong", "").status, PRINCIPAL_REFUSED);
    REQUIRE(book_find_user(f.account->book, SLICE("bo"), &after) == 0);
    CHECK(strcmp(before.password, after.password) == 0);
    CHECK_INT(fixture_login(&f, "bo", BO, "").status, PRINCIPAL_KNOWN);
    REQUIRE(book_find_user(f.account->book, SLICE("bo"), &after) == 0);
    CHECK(strcmp(before.password, after.password) != 0);
    CHECK_INT(fixture_login(&f, "bo", BO, "").status, PRINCIPAL_KNOWN);
    fixture_close(&f);
}

/* What was right when it began to be looked at is wrong when that is no more. */
TEST(a_password_that_changes_meanwhile_lets_nobody_in)
{
    struct fixture f;
    struct account_job job;
    struct account_principal who;
    const struct account_claim claim = {.kind = CLAIM_PASSWORD,
                                        .tenant = TENANT_ANY,
                                        .address = ADDRESS,
                                        .name = SLICE("bo"),
                                        .secret = slice_of(BO)};
    open_two(&f, "meanwhile.db");
    CHECK(account_claim_begin(f.account, &claim, f.at, &job, &who));
    struct account_hashed hashed = fixture_hash(&job);
    CHECK(hashed.right);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_PASSWORD, "{\"name\":\"bo\"}"), 200);
    account_claim_end(f.account, &claim, f.at, &job, &hashed, &who);
    CHECK_INT(who.status, PRINCIPAL_REFUSED);
    fixture_close(&f);
}

TEST(sessions_end_with_what_they_were_begun_with)
{
    struct fixture f;
    static const struct {
        enum account_action action;
        const char *body;
    } ends[] = {
        {ACTION_USER_PASSWORD, "{\"name\":\"bo\",\"password\":\"" BO "\"}"},
        {ACTION_ROLE_GRANT, "{\"name\":\"bo\",\"role\":\"auditor\"}"},
        {ACTION_ROLE_REVOKE, "{\"name\":\"bo\",\"role\":\"auditor\"}"},
        {ACTION_USER_TOTP, "{\"name\":\"bo\"}"},
        {ACTION_USER_DISABLE, "{\"name\":\"bo\"}"},
    };
    open_two(&f, "with.db");
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct account_principal who = fixture_login(&f, "bo", BO, "");
        CHECK_INT(who.status, PRINCIPAL_KNOWN);
        CHECK_INT(fixture_do(&f, NULL, ends[i].action, ends[i].body), 200);
        CHECK_INT(fixture_prove(&f, who.secret, 0).status, PRINCIPAL_REFUSED);
    }
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_ENABLE, "{\"name\":\"bo\"}"), 200);
    struct account_principal one = fixture_login(&f, "bo", BO, ""),
                             two = fixture_login(&f, "bo", BO, "");
    CHECK_INT(fixture_do(&f, one.secret, ACTION_OWN_LOGOUT, ""), 200);
    CHECK_INT(fixture_prove(&f, one.secret, 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_prove(&f, two.secret, 0).status, PRINCIPAL_KNOWN);
    fixture_close(&f);
}

TEST(a_new_password_leaves_the_app)
{
    struct fixture f;
    char recovery[RECOVERY_TEXT + 1];
    open_two(&f, "leaves.db");
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    (void)enrol(&f, who.secret, recovery);
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_PASSWORD,
                         "{\"password\":\"" BO "\",\"new\":\"" ANNA "\"}"),
              200);
    CHECK_INT(fixture_login(&f, "bo", ANNA, "").status, PRINCIPAL_NEEDS_CODE);
    CHECK_INT(
        fixture_do(&f, NULL, ACTION_USER_PASSWORD, "{\"name\":\"bo\",\"password\":\"" BO "\"}"),
        200);
    CHECK_INT(fixture_login(&f, "bo", BO, "").status, PRINCIPAL_NEEDS_CODE);
    fixture_close(&f);
}

static unsigned end_session(struct fixture *f, const char *by, uint64_t id, const char *shown)
{
    char body[256];
    (void)snprintf(body, sizeof body, "{\"id\":%u%s%s}", (unsigned)id, *shown ? "," : "", shown);
    return fixture_do(f, by, ACTION_OWN_SESSION_END, body);
}

TEST(sessions_are_seen_and_ended_by_who_may)
{
    struct fixture f;
    char body[64];
    open_two(&f, "seen.db");
    struct account_principal anna = fixture_login(&f, "anna", ANNA, "");
    struct account_principal one = fixture_login(&f, "bo", BO, ""),
                             two = fixture_login(&f, "bo", BO, "");
    CHECK_INT(fixture_do(&f, one.secret, ACTION_OWN_SESSION_LIST, ""), 200);
    CHECK(slice_find(buf_slice(&f.out), SLICE("\"anna\"")) == SIZE_MAX);
    CHECK(slice_find(buf_slice(&f.out), SLICE("\"address\":\"10.1.2.3\"")) != SIZE_MAX);
    /* One's own, but nobody else's. */
    CHECK_INT(end_session(&f, one.secret, anna.session, SHOW_BO), 404);
    CHECK_INT(end_session(&f, one.secret, two.session, SHOW_BO), 200);
    CHECK_INT(fixture_prove(&f, two.secret, 0).status, PRINCIPAL_REFUSED);
    /* An admin anybody's. */
    (void)snprintf(body, sizeof body, "{\"id\":%u}", (unsigned)one.session);
    CHECK_INT(fixture_do(&f, anna.secret, ACTION_SESSION_END, body), 200);
    CHECK_INT(fixture_prove(&f, one.secret, 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_prove(&f, anna.secret, 0).status, PRINCIPAL_KNOWN);
    fixture_close(&f);
}

TEST(ones_own_sessions_end_when_a_factor_was_shown_again)
{
    struct fixture f;
    open_two(&f, "again.db");
    struct account_principal one = fixture_login(&f, "bo", BO, ""),
                             two = fixture_login(&f, "bo", BO, ""),
                             three = fixture_login(&f, "bo", BO, "");
    CHECK_INT(end_session(&f, one.secret, two.session, ""), 400);
    CHECK_INT(end_session(&f, one.secret, two.session, "\"password\":\"\""), 403);
    CHECK_INT(end_session(&f, one.secret, two.session, "\"code\":\"123456\""), 400);
    CHECK_INT(end_session(&f, one.secret, two.session, SHOW_BO ",\"code\":\"123456\""), 400);
    CHECK_INT(fixture_do(&f, one.secret, ACTION_OWN_SESSIONS_END, "{}"), 400);
    CHECK_INT(fixture_do(&f, one.secret, ACTION_OWN_SESSIONS_END, "{\"password\":\"" ANNA "\"}"),
              403);
    CHECK_INT(fixture_prove(&f, two.secret, 0).status, PRINCIPAL_KNOWN);
    CHECK_INT(count_log(&f, "own.refused"), 2);
    CHECK_INT(count_log(&f, "own.session.end"), 0);
    CHECK_INT(fixture_do(&f, one.secret, ACTION_OWN_SESSIONS_END, "{" SHOW_BO "}"), 200);
    CHECK_INT(fixture_prove(&f, one.secret, 0).status, PRINCIPAL_KNOWN);
    CHECK_INT(fixture_prove(&f, two.secret, 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_prove(&f, three.secret, 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(count_log(&f, "own.sessions.end"), 1);
    fixture_close(&f);
}

TEST(a_code_of_the_app_is_a_factor_and_is_used_up)
{
    struct fixture f;
    char recovery[RECOVERY_TEXT + 1], code[8], body[64];
    open_two(&f, "shown_code.db");
    struct account_principal one = fixture_login(&f, "bo", BO, "");
    struct totp_secret app = enrol(&f, one.secret, recovery);
    fixture_pass(&f, 60);
    code_of(&app, f.at.now, code);
    struct account_principal two = fixture_login(&f, "bo", BO, code);
    CHECK_INT(two.status, PRINCIPAL_KNOWN);
    (void)snprintf(body, sizeof body, "\"code\":\"%s\"", code);
    CHECK_INT(end_session(&f, one.secret, two.session, body), 403);
    fixture_pass(&f, 60);
    code_of(&app, f.at.now, code);
    (void)snprintf(body, sizeof body, "\"code\":\"%s\"", code);
    /* Also when nothing comes of what was asked for. */
    CHECK_INT(end_session(&f, one.secret, 4711, body), 404);
    CHECK_INT(end_session(&f, one.secret, two.session, body), 403);
    fixture_pass(&f, 60);
    code_of(&app, f.at.now, code);
    (void)snprintf(body, sizeof body, "\"code\":\"%s\"", code);
    CHECK_INT(end_session(&f, one.secret, two.session, body), 200);
    CHECK_INT(fixture_prove(&f, two.secret, 0).status, PRINCIPAL_REFUSED);
    fixture_close(&f);
}

/* Another key, as when it was lost, and back. */
static void change_key(struct fixture *f, const char *name, const struct strongbox_key *key)
{
    struct diag diag = {0};
    book_close(f->account->book);
    REQUIRE(book_open(test_path(name), key, &f->account->book, &diag) == 0);
}

TEST(the_database_alone_has_no_key_of_an_app)
{
    static const char *const ends[] = {"", "-wal"};
    struct fixture f;
    char recovery[RECOVERY_TEXT + 1];
    open_two(&f, "sealed.db");
    struct totp_secret app = enrol(&f, fixture_login(&f, "bo", BO, "").secret, recovery);
    size_t names = 0;
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        struct buf bytes;
        (void)snprintf(path, sizeof path, "%s%s", test_path("sealed.db"), ends[i]);
        buf_init(&bytes, 16 * 1024 * 1024);
        if (access(path, F_OK) == 0) CHECK_INT(file_read(path, &bytes, NULL), 0);
        names += slice_find(buf_slice(&bytes), SLICE("Bo Ek")) != SIZE_MAX;
        CHECK(slice_find(buf_slice(&bytes), slice_make(app.bytes, sizeof app.bytes)) == SIZE_MAX);
        buf_done(&bytes);
    }
    CHECK(names > 0);
    fixture_close(&f);
}

/* A key that is not there must not make the second factor go away, nor what is kept be lost. */
TEST(an_app_that_was_sealed_with_another_key_is_good_for_nobody)
{
    const struct strongbox_key other = {{8}};
    struct fixture f;
    uint64_t lost = 0;
    char recovery[RECOVERY_TEXT + 1], code[8];
    open_two(&f, "otherkey.db");
    struct totp_secret app = enrol(&f, fixture_login(&f, "bo", BO, "").secret, recovery),
                       none = {{0}};
    fixture_pass(&f, 60);
    change_key(&f, "otherkey.db", &other);
    CHECK_INT(book_count_lost(f.account->book, &lost), 0);
    CHECK_INT(lost, 1);
    CHECK_INT(fixture_login(&f, "bo", BO, "").status, PRINCIPAL_NEEDS_CODE);
    code_of(&app, f.at.now, code);
    CHECK_INT(fixture_login(&f, "bo", BO, code).status, PRINCIPAL_REFUSED);
    code_of(&none, f.at.now, code);
    CHECK_INT(fixture_login(&f, "bo", BO, code).status, PRINCIPAL_REFUSED);
    /* He gets in as who has lost his phone, and changes what he likes. */
    struct account_principal who = fixture_login(&f, "bo", BO, recovery);
    CHECK_INT(who.status, PRINCIPAL_KNOWN);
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_PASSWORD,
                         "{\"password\":\"" BO "\",\"new\":\"" ANNA "\"}"),
              200);
    change_key(&f, "otherkey.db", &fixture_key);
    code_of(&app, f.at.now, code);
    CHECK_INT(fixture_login(&f, "bo", ANNA, code).status, PRINCIPAL_KNOWN);
    /* Or another app takes its place. */
    change_key(&f, "otherkey.db", &other);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_TOTP, "{\"name\":\"bo\"}"), 200);
    CHECK_INT(fixture_login(&f, "bo", ANNA, "").status, PRINCIPAL_KNOWN);
    CHECK_INT(book_count_lost(f.account->book, &lost), 0);
    CHECK_INT(lost, 0);
    fixture_close(&f);
}

/* Neither who sits at an unlocked screen nor who guesses elsewhere gets more tries by the other. */
TEST(what_is_shown_wrong_counts_as_a_wrong_login)
{
    struct fixture f;
    int looked = 0;
    open_two(&f, "shown_wrong.db");
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    for (int i = 0; i < 3; i++)
        CHECK_INT(fixture_login(&f, "bo", "wrong", "").status, PRINCIPAL_REFUSED);
    for (int i = 0; i < 20; i++)
        looked += end_session(&f, who.secret, who.session, "\"password\":\"wrong\"") == 403;
    CHECK_INT(looked, 2);
    CHECK_INT(end_session(&f, who.secret, who.session, SHOW_BO), 429);
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_PASSWORD,
                         "{\"password\":\"" BO "\",\"new\":\"" ANNA "\"}"),
              429);
    struct account_principal held = fixture_login(&f, "bo", BO, "");
    CHECK_INT(held.status, PRINCIPAL_WAIT);
    fixture_pass(&f, held.wait);
    CHECK_INT(end_session(&f, who.secret, who.session, SHOW_BO), 200);
    /* What was right has paid for what was not. */
    CHECK_INT(fixture_login(&f, "bo", "wrong", "").status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_login(&f, "bo", BO, "").status, PRINCIPAL_KNOWN);
    fixture_close(&f);
}

/* From many names of one address, too. */
TEST(what_is_shown_wrong_counts_for_the_address)
{
    struct fixture f;
    open_two(&f, "shown_place.db");
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    for (int i = 0; i < 19; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%d", i);
        CHECK_INT(fixture_login(&f, name, "wrong", "").status, PRINCIPAL_REFUSED);
    }
    CHECK_INT(end_session(&f, who.secret, who.session, "\"password\":\"wrong\""), 403);
    CHECK_INT(fixture_login(&f, "n20", "wrong", "").status, PRINCIPAL_WAIT);
    fixture_close(&f);
}

/* Without memory for the hash it was no attempt. */
TEST(what_could_not_be_looked_at_does_not_count)
{
    struct fixture f;
    open_two(&f, "shown_busy.db");
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    const struct account_order order = {.action = ACTION_OWN_SESSIONS_END,
                                        .tenant = TENANT_ANY,
                                        .proof = slice_of(who.secret),
                                        .address = ADDRESS,
                                        .body = SLICE("{" SHOW_BO "}")};
    for (int i = 0; i < 10; i++) {
        struct account_job job;
        unsigned status = 0;
        CHECK(account_manage_begin(f.account, &order, f.at, &job, &status, &f.out));
        account_manage_end(f.account, &order, f.at, &job, &(struct account_hashed){.failed = true},
                           &status, &f.out);
        CHECK_INT(status, 503);
    }
    CHECK_INT(count_log(&f, "own.refused"), 0);
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_SESSIONS_END, "{" SHOW_BO "}"), 200);
    fixture_close(&f);
}

/* ---- tokens ------------------------------------------------------------------------------ */

static void make_token(struct fixture *f, const char *session, const char *rights, char *ret)
{
    char body[256];
    (void)snprintf(body, sizeof body, "{\"label\":\"script\",\"rights\":%s,\"expires\":%d}", rights,
                   NOW + 86400);
    CHECK_INT(fixture_do(f, session, ACTION_OWN_TOKEN_ADD, body), 200);
    REQUIRE(slice_copy(fixture_member(f, "token"), ret, 64));
}

TEST(a_password_that_is_given_ends_tokens_and_ones_own_does_not)
{
    struct fixture f;
    char token[64];
    open_two(&f, "reset.db");
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    make_token(&f, who.secret, "[\"search\"]", token);
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_PASSWORD,
                         "{\"password\":\"" BO "\",\"new\":\"" ANNA "\"}"),
              200);
    CHECK_INT(fixture_prove(&f, token, 0).status, PRINCIPAL_KNOWN);
    CHECK_INT(
        fixture_do(&f, NULL, ACTION_USER_PASSWORD, "{\"name\":\"bo\",\"password\":\"" BO "\"}"),
        200);
    CHECK_INT(fixture_prove(&f, token, 0).status, PRINCIPAL_REFUSED);
    fixture_close(&f);
}

TEST(a_token_is_worth_what_it_was_given_and_its_owner_has)
{
    struct fixture f;
    char token[64], body[128];
    open_two(&f, "token.db");
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_TOKEN_ADD,
                         "{\"label\":\"x\",\"rights\":[\"users.manage\"],\"expires\":1790086400}"),
              400);
    CHECK_INT(fixture_do(&f, who.secret, ACTION_OWN_TOKEN_ADD,
                         "{\"label\":\"x\",\"rights\":[\"search\"],\"expires\":1790000000}"),
              400);
    make_token(&f, who.secret, "[\"search\",\"respond\"]", token);
    struct account_principal by = fixture_prove(&f, token, TENANT_ANY);
    CHECK_INT(by.status, PRINCIPAL_KNOWN);
    CHECK(by.token && by.rights == (right_bit(RIGHT_SEARCH) | right_bit(RIGHT_RESPOND)));
    CHECK(fixture_prove(&f, token, 3).rights == 0);
    /* A token neither makes others nor changes the account. */
    CHECK_INT(fixture_do(&f, token, ACTION_OWN_TOKEN_LIST, ""), 403);
    CHECK_INT(fixture_do(&f, token, ACTION_OWN_SHOW, ""), 200);
    /* It loses what its owner loses. */
    CHECK_INT(fixture_do(&f, NULL, ACTION_ROLE_REVOKE, "{\"name\":\"bo\",\"role\":\"responder\"}"),
              200);
    CHECK(fixture_prove(&f, token, 0).rights == right_bit(RIGHT_SEARCH));
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_DISABLE, "{\"name\":\"bo\"}"), 200);
    CHECK_INT(fixture_prove(&f, token, 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_ENABLE, "{\"name\":\"bo\"}"), 200);
    CHECK_INT(fixture_prove(&f, token, 0).status, PRINCIPAL_KNOWN);
    (void)snprintf(body, sizeof body, "{\"id\":%u}", (unsigned)by.session);
    CHECK_INT(fixture_do(&f, NULL, ACTION_TOKEN_REVOKE, body), 200);
    CHECK_INT(fixture_prove(&f, token, 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_do(&f, NULL, ACTION_TOKEN_REVOKE, body), 404);
    fixture_close(&f);
}

TEST(a_token_ends)
{
    struct fixture f;
    char token[64];
    open_two(&f, "expires.db");
    struct account_principal who = fixture_login(&f, "bo", BO, "");
    make_token(&f, who.secret, "[\"search\"]", token);
    fixture_pass(&f, 86399);
    CHECK_INT(fixture_prove(&f, token, 0).status, PRINCIPAL_KNOWN);
    fixture_pass(&f, 1);
    CHECK_INT(fixture_prove(&f, token, 0).status, PRINCIPAL_REFUSED);
    fixture_close(&f);
}

/* ---- rights ------------------------------------------------------------------------------ */

TEST(what_needs_a_right_is_refused_without_it)
{
    struct fixture f;
    open_two(&f, "rights.db");
    struct account_principal bo = fixture_login(&f, "bo", BO, "");
    unsigned tried = 0;
    for (unsigned action = 0; action < ACTION_COUNT; action++) {
        if (action_right(action) == RIGHT_OWN || (bo.rights & right_bit(action_right(action))))
            continue;
        /* Also with a body that is right. */
        unsigned status = fixture_do(&f, bo.secret, action, "{\"name\":\"anna\"}");
        CHECK(status == 403 || status == 400);
        CHECK_INT(fixture_do(&f, "no-session", action, "{\"name\":\"anna\"}"), 401);
        tried++;
    }
    CHECK(tried > 10);
    fixture_close(&f);
}

TEST(one_tenant_does_not_see_another)
{
    struct fixture f;
    open_two(&f, "tenants.db");
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_ADD,
                         "{\"name\":\"eva\",\"password\":\"" BO "\",\"roles\":[\"admin\"],"
                         "\"tenant\":5}"),
              200);
    struct account_principal eva = fixture_login(&f, "eva", BO, "");
    CHECK_INT(eva.tenant, 5);
    CHECK_INT(fixture_do(&f, eva.secret, ACTION_USER_LIST, ""), 200);
    CHECK(slice_find(buf_slice(&f.out), SLICE("\"eva\"")) != SIZE_MAX);
    CHECK(slice_find(buf_slice(&f.out), SLICE("\"bo\"")) == SIZE_MAX);
    CHECK_INT(fixture_do(&f, eva.secret, ACTION_USER_SHOW, "{\"name\":\"bo\"}"), 404);
    CHECK_INT(fixture_do(&f, eva.secret, ACTION_USER_DISABLE, "{\"name\":\"bo\"}"), 404);
    CHECK_INT(fixture_do(&f, eva.secret, ACTION_ROLE_GRANT,
                         "{\"name\":\"eva\",\"role\":\"analyst\",\"tenant\":0}"),
              403);
    struct account_principal bo = fixture_login(&f, "bo", BO, "");
    char body[64];
    (void)snprintf(body, sizeof body, "{\"id\":%u}", (unsigned)bo.session);
    CHECK_INT(fixture_do(&f, eva.secret, ACTION_SESSION_END, body), 404);
    /* Who has a role in both is seen from here, but is not hers to change. */
    CHECK_INT(fixture_do(&f, NULL, ACTION_ROLE_GRANT,
                         "{\"name\":\"bo\",\"role\":\"viewer\",\"tenant\":5}"),
              200);
    CHECK_INT(fixture_do(&f, eva.secret, ACTION_USER_SHOW, "{\"name\":\"bo\"}"), 200);
    CHECK_INT(fixture_do(&f, eva.secret, ACTION_USER_PASSWORD, "{\"name\":\"bo\"}"), 403);
    CHECK_INT(fixture_do(&f, eva.secret, ACTION_LOG_LIST, ""), 403);
    fixture_close(&f);
}

TEST(the_last_admin_stays)
{
    struct fixture f;
    open_two(&f, "last.db");
    static const struct {
        enum account_action action;
        const char *body;
    } ways[] = {
        {ACTION_USER_DISABLE, "{\"name\":\"anna\"}"},
        {ACTION_USER_REMOVE, "{\"name\":\"anna\"}"},
        {ACTION_ROLE_REVOKE, "{\"name\":\"anna\",\"role\":\"admin\"}"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        CHECK_INT(fixture_do(&f, NULL, ways[i].action, ways[i].body), 409);
    CHECK_INT(fixture_login(&f, "anna", ANNA, "").status, PRINCIPAL_KNOWN);
    CHECK_INT(fixture_do(&f, NULL, ACTION_ROLE_GRANT, "{\"name\":\"bo\",\"role\":\"admin\"}"), 200);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_REMOVE, "{\"name\":\"anna\"}"), 200);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_DISABLE, "{\"name\":\"bo\"}"), 409);
    fixture_close(&f);
}

/* ---- bodies, and the log ----------------------------------------------------------------- */

TEST(a_body_that_is_wrong_names_the_member)
{
    struct fixture f;
    static const struct {
        const char *body, *member;
    } rows[] = {
        {"{\"name\":\"x\",\"rolls\":[]}", "rolls"},
        {"{\"name\":\"x\",\"name\":\"y\"}", "name"},
        {"{\"name\":7}", "name"},
        {"{\"name\":\"a b\"}", "name"},
        {"{\"shown\":\"X\"}", "name"},
        {"{\"name\":\"x\",\"roles\":[\"king\"]}", "roles"},
        {"{\"name\":\"x\",\"tenant\":-1}", "tenant"},
        {"{\"name\":\"x\",\"tenant\":4294967295}", "tenant"},
        {"{\"name\":\"x\",\"password\":\"kort\"}", "password"},
        {"{\"name\":\"x\",\"password\":\"a\\u0000b\"}", "password"},
        {"[]", ""},
        {"{\"name\":\"x\"", ""},
    };
    fixture_open(&f, "body.db");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_INT(fixture_do(&f, NULL, ACTION_USER_ADD, rows[i].body), 400);
        CHECK_SLICE(fixture_member(&f, "member"), rows[i].member);
        CHECK(fixture_member(&f, "detail").len > 0);
    }
    CHECK_INT(fixture_do(&f, NULL, ACTION_COUNT, "{}"), 404);
    CHECK_INT(fixture_do(&f, NULL, ACTION_OWN_SHOW, "{}"), 400);
    CHECK_INT(count_log(&f, "user.add"), 0);
    fixture_close(&f);
}

TEST(what_was_done_is_in_the_log_with_who_and_why_and_stays)
{
    struct fixture f;
    struct diag diag;
    sqlite3 *db = NULL;
    static const char *const none[BOOK_VERSION] = {""};
    open_two(&f, "log.db");
    struct account_principal anna = fixture_login(&f, "anna", ANNA, "");
    CHECK_INT(fixture_do(&f, anna.secret, ACTION_USER_DISABLE,
                         "{\"name\":\"bo\",\"reason\":\"left the \\\"city\\\"\"}"),
              200);
    CHECK_INT(fixture_do(&f, NULL, ACTION_LOG_LIST, "{\"after\":3}"), 200);
    CHECK_SLICE(buf_slice(&f.out),
                "{\"log\":[{\"id\":4,\"time\":1790000000,\"tenant\":0,\"actor\":\"anna\","
                "\"what\":\"user.disable\",\"subject\":\"bo\",\"address\":\"10.1.2.3\","
                "\"reason\":\"left the \\\"city\\\"\",\"detail\":{}}]}");
    REQUIRE(sql_open(test_path("log.db"), none, BOOK_VERSION, &db, &diag) == 0);
    CHECK(sqlite3_exec(db, "UPDATE change SET reason = ''", NULL, NULL, NULL) ==
          SQLITE_CONSTRAINT_TRIGGER);
    CHECK(sqlite3_exec(db, "DELETE FROM change", NULL, NULL, NULL) == SQLITE_CONSTRAINT_TRIGGER);
    (void)sqlite3_close(db);
    fixture_close(&f);
}

/* In no answer and in no column but its own there is a hash, a key, or a secret. */
TEST(no_answer_has_a_hash_or_a_key)
{
    struct fixture f;
    struct book_user user;
    char recovery[RECOVERY_TEXT + 1], key[64];
    struct buf text;
    open_two(&f, "secrets.db");
    struct account_principal bo = fixture_login(&f, "bo", BO, "");
    (void)enrol(&f, bo.secret, recovery);
    REQUIRE(book_find_user(f.account->book, SLICE("bo"), &user) == 0);
    buf_init(&text, sizeof key);
    totp_write_secret(&text, &user.app);
    REQUIRE(slice_copy(buf_slice(&text), key, sizeof key));
    buf_done(&text);
    static const enum account_action reads[] = {ACTION_USER_LIST, ACTION_LOG_LIST,
                                                ACTION_SESSION_LIST, ACTION_TOKEN_LIST};
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        CHECK_INT(fixture_do(&f, NULL, reads[i], ""), 200);
        struct slice told = buf_slice(&f.out);
        CHECK(slice_find(told, SLICE("argon2")) == SIZE_MAX);
        CHECK(slice_find(told, slice_of(key)) == SIZE_MAX);
        CHECK(slice_find(told, slice_of(bo.secret)) == SIZE_MAX);
        CHECK(slice_find(told, slice_of(recovery)) == SIZE_MAX);
    }
    fixture_close(&f);
}
