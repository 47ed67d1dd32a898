/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/veil.h"

#include <stdio.h>

#include "fixture.h"

#define BO "nio bl\xc3\xa5 cyklar d\xc3\xa4r"

static const char *show(struct fixture *f, uint64_t user, uint32_t tenant, const char *names)
{
    static char text[4096];
    struct buf out;
    buf_init(&out, sizeof text);
    int error = account_veil(f->account, user, tenant, slice_of(names), f->at.now, &out);
    text[0] = '\0';
    CHECK(error == 0 ? slice_copy(buf_slice(&out), text, sizeof text) : error == ERR_INVALID);
    buf_done(&out);
    return text;
}

TEST(a_name_has_one_pseudonym_in_a_tenant)
{
    struct veil_key key = {{1}}, other = {{2}};
    char a[PSEUDONYM_TEXT + 1], b[PSEUDONYM_TEXT + 1];
    REQUIRE(secret_start());
    veil_name(&key, 0, SLICE("KOMMUN\\anna"), a);
    CHECK(strlen(a) == PSEUDONYM_TEXT && memcmp(a, "person-", 7) == 0);
    veil_name(&key, 0, SLICE("kommun\\Anna"), b);
    CHECK(strcmp(a, b) == 0);
    veil_name(&key, 0, SLICE("kommun\\anne"), b);
    CHECK(strcmp(a, b) != 0);
    veil_name(&key, 1, SLICE("kommun\\anna"), b);
    CHECK(strcmp(a, b) != 0);
    veil_name(&other, 0, SLICE("kommun\\anna"), b);
    CHECK(strcmp(a, b) != 0);
}

TEST(names_are_shown_veiled_until_they_are_lifted_for_one_person_and_a_while)
{
    struct fixture f;
    char anna[64], pseudonym[PSEUDONYM_TEXT + 1], body[256], want[256];
    fixture_open(&f, "veil.db");
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_ADD,
                         "{\"name\":\"bo\",\"password\":\"" BO "\",\"roles\":[\"responder\"]}"),
              200);
    struct account_principal bo = fixture_login(&f, "bo", BO, "");
    veil_name(&f.account->veil, 0, SLICE("anna"), pseudonym);
    (void)snprintf(anna, sizeof anna, "[\"%s\"]", pseudonym);
    CHECK(strcmp(show(&f, bo.user, 0, "[\"anna\"]"), anna) == 0);
    (void)snprintf(body, sizeof body, "{\"pseudonym\":\"%s\",\"reason\":\" \"}", pseudonym);
    CHECK_INT(fixture_do(&f, bo.secret, ACTION_PSEUDONYM_LIFT, body), 400);
    (void)snprintf(body, sizeof body, "{\"pseudonym\":\"%s\"}", pseudonym);
    CHECK_INT(fixture_do(&f, bo.secret, ACTION_PSEUDONYM_LIFT, body), 400);
    CHECK_INT(fixture_do(&f, bo.secret, ACTION_PSEUDONYM_LIFT,
                         "{\"pseudonym\":\"person-000000000000\",\"reason\":\"x\"}"),
              404);
    (void)snprintf(body, sizeof body,
                   "{\"pseudonym\":\"%s\",\"reason\":\"to call her\",\"minutes\":30}", pseudonym);
    CHECK_INT(fixture_do(&f, bo.secret, ACTION_PSEUDONYM_LIFT, body), 200);
    CHECK_SLICE(fixture_member(&f, "name"), "anna");
    CHECK(strcmp(show(&f, bo.user, 0, "[\"anna\"]"), "[\"anna\"]") == 0);
    /* Neither for others, nor elsewhere, nor for other names, nor for ever. */
    CHECK(strcmp(show(&f, bo.user + 1, 0, "[\"anna\"]"), anna) == 0);
    CHECK(strcmp(show(&f, bo.user, 1, "[\"anna\"]"), "[\"anna\"]") != 0);
    veil_name(&f.account->veil, 0, SLICE("eva"), pseudonym);
    (void)snprintf(want, sizeof want, "[\"%s\",\"anna\"]", pseudonym);
    CHECK(strcmp(show(&f, bo.user, 0, "[\"eva\", \"anna\"]"), want) == 0);
    fixture_pass(&f, 1800);
    CHECK(strcmp(show(&f, bo.user, 0, "[\"anna\"]"), anna) == 0);
    CHECK_INT(fixture_do(&f, NULL, ACTION_LOG_LIST, "{\"name\":\"bo\"}"), 200);
    CHECK(slice_find(buf_slice(&f.out), SLICE("\"reason\":\"to call her\"")) != SIZE_MAX);
    fixture_close(&f);
}

TEST(what_is_no_list_of_names_is_refused)
{
    struct fixture f;
    static const char *const bad[] = {"", "{}", "[1]", "[\"a\"", "[\"a\"] ", "\"a\""};
    fixture_open(&f, "bad.db");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(show(&f, 1, 0, bad[i])[0] == '\0');
    CHECK(strcmp(show(&f, 1, 0, "[]"), "[]") == 0);
    fixture_close(&f);
}

TEST(who_is_shown_pseudonyms_is_told_by_the_tenant)
{
    struct fixture f;
    fixture_open(&f, "told.db");
    f.account->settings.veiled[0] = 4;
    f.account->settings.n_veiled = 1;
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_ADD,
                         "{\"name\":\"bo\",\"password\":\"" BO "\",\"roles\":[\"analyst\"]}"),
              200);
    struct account_principal bo = fixture_login(&f, "bo", BO, "");
    CHECK(!fixture_prove(&f, bo.secret, 0).veiled);
    CHECK(fixture_prove(&f, bo.secret, 4).veiled);
    fixture_close(&f);
}
