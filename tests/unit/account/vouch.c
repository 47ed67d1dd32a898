/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/account.h"

#include <stdio.h>

#include "fixture.h"

#define ANNA "sju gr\xc3\xb6na paraplyer"

static struct account_principal vouch(struct fixture *f, const char *claims)
{
    struct account_principal who;
    account_vouch(
        f->account,
        &(struct account_claim){.kind = CLAIM_RETURN, .tenant = TENANT_ANY, .address = ADDRESS},
        slice_of(claims), f->at, &who);
    return who;
}

static void open_with_groups(struct fixture *f, const char *name)
{
    static const char *const groups[] = {"soc=analyst", "soc=on-call", "chiefs=admin",
                                         "cn=a,ou=b=viewer@5"};
    fixture_open(f, name);
    f->account->settings.groups = "groups";
    for (unsigned i = 0; i < 4; i++)
        REQUIRE(account_vouched_read(slice_of(groups[i]), &f->account->settings.vouched[i]));
    f->account->settings.n_vouched = 4;
}

TEST(groups_are_roles_and_change_with_each_login)
{
    struct fixture f;
    open_with_groups(&f, "groups.db");
    f.account->settings.app_required = true;
    struct account_principal who = vouch(&f, "{\"sub\":\"17\",\"email\":\"Bo@Example.se\",\"name\":"
                                             "\"Bo Ek\",\"groups\":[\"x\",\"soc\"]}");
    CHECK_INT(who.status, PRINCIPAL_KNOWN);
    CHECK(strcmp(who.name, "bo@example.se") == 0 && strcmp(who.shown, "Bo Ek") == 0);
    CHECK(who.must == 0);
    struct account_principal again = fixture_prove(&f, who.secret, 0);
    CHECK(again.rights == rights_of_roles(1u << ACCOUNT_ROLE_ANALYST | 1u << ACCOUNT_ROLE_ONCALL));
    /* Another name, the same person; other groups, other roles, and no session that had the old. */
    struct account_principal later =
        vouch(&f, "{\"sub\":\"17\",\"email\":\"bo.ek@example.se\",\"groups\":[\"cn=a,ou=b\"]}");
    CHECK_INT(later.status, PRINCIPAL_KNOWN);
    CHECK(later.user == who.user && later.tenant == 5);
    CHECK(fixture_prove(&f, later.secret, 5).rights == rights_of_role(ACCOUNT_ROLE_VIEWER));
    CHECK_INT(fixture_prove(&f, who.secret, 0).status, PRINCIPAL_REFUSED);
    /* The same groups: sessions go on. */
    CHECK_INT(vouch(&f, "{\"sub\":\"17\",\"groups\":\"cn=a,ou=b\"}").status, PRINCIPAL_KNOWN);
    CHECK_INT(fixture_prove(&f, later.secret, 5).status, PRINCIPAL_KNOWN);
    fixture_close(&f);
}

/* There is nothing to show but the login itself; and it gives nobody a password. */
TEST(who_came_just_now_ends_his_sessions)
{
    struct fixture f;
    char body[64];
    open_with_groups(&f, "fresh.db");
    f.account->settings.fresh = 900;
    const char *claims = "{\"sub\":\"17\",\"email\":\"bo@example.se\",\"groups\":[\"soc\"]}";
    struct account_principal one = vouch(&f, claims), two = vouch(&f, claims);
    (void)snprintf(body, sizeof body, "{\"id\":%u}", (unsigned)one.session);
    fixture_pass(&f, 899);
    CHECK_INT(fixture_do(&f, two.secret, ACTION_OWN_SESSION_END, body), 200);
    CHECK_INT(fixture_prove(&f, one.secret, 0).status, PRINCIPAL_REFUSED);
    fixture_pass(&f, 1);
    CHECK_INT(fixture_do(&f, two.secret, ACTION_OWN_SESSIONS_END, "{}"), 403);
    CHECK_INT(fixture_do(&f, two.secret, ACTION_OWN_SESSIONS_END, "{\"password\":\"\"}"), 403);
    CHECK_INT(
        fixture_do(&f, two.secret, ACTION_OWN_PASSWORD, "{\"password\":\"\",\"new\":\"" ANNA "\"}"),
        409);
    CHECK_INT(fixture_do(&f, two.secret, ACTION_OWN_TOTP_BEGIN, "{\"password\":\"\"}"), 409);
    CHECK_INT(fixture_login(&f, "bo@example.se", ANNA, "").status, PRINCIPAL_REFUSED);
    struct account_principal three = vouch(&f, claims);
    CHECK_INT(fixture_do(&f, three.secret, ACTION_OWN_SESSIONS_END, "{}"), 200);
    CHECK_INT(fixture_prove(&f, two.secret, 0).status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_prove(&f, three.secret, 0).status, PRINCIPAL_KNOWN);
    fixture_close(&f);
}

TEST(who_has_no_group_here_has_no_session)
{
    struct fixture f;
    open_with_groups(&f, "none.db");
    CHECK_INT(vouch(&f, "{\"sub\":\"1\",\"groups\":[\"soc\"]}").status, PRINCIPAL_KNOWN);
    CHECK_INT(vouch(&f, "{\"sub\":\"1\",\"groups\":[]}").status, PRINCIPAL_REFUSED);
    CHECK_INT(vouch(&f, "{\"sub\":\"1\"}").status, PRINCIPAL_REFUSED);
    CHECK_INT(vouch(&f, "{\"sub\":\"2\",\"groups\":[\"SOC\"]}").status, PRINCIPAL_REFUSED);
    CHECK_INT(vouch(&f, "{\"groups\":[\"soc\"]}").status, PRINCIPAL_REFUSED);
    CHECK_INT(vouch(&f, "{\"sub\":\"a b\",\"groups\":[\"soc\"]}").status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_do(&f, NULL, ACTION_LOG_LIST, ""), 200);
    CHECK(slice_find(buf_slice(&f.out), SLICE("no group that is known here")) != SIZE_MAX);
    /* Nobody was added for that. */
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_SHOW, "{\"name\":\"2\"}"), 404);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_SHOW, "{\"name\":\"1\"}"), 200);
    fixture_close(&f);
}

/* What the provider calls somebody opens no account that was made here. */
TEST(an_account_of_ours_is_not_theirs)
{
    struct fixture f;
    open_with_groups(&f, "ours.db");
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_ADD,
                         "{\"name\":\"anna\",\"password\":\"" ANNA "\",\"roles\":[\"admin\"]}"),
              200);
    CHECK_INT(
        vouch(&f, "{\"sub\":\"9\",\"preferred_username\":\"Anna\",\"groups\":[\"chiefs\"]}").status,
        PRINCIPAL_REFUSED);
    CHECK_INT(vouch(&f, "{\"sub\":\"anna\",\"groups\":[\"chiefs\"]}").status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_login(&f, "anna", ANNA, "").status, PRINCIPAL_KNOWN);
    /* And theirs is not opened by a password, nor given one. */
    CHECK_INT(vouch(&f, "{\"sub\":\"8\",\"email\":\"eva\",\"groups\":[\"chiefs\"]}").status,
              PRINCIPAL_KNOWN);
    CHECK_INT(fixture_login(&f, "eva", "", "").status, PRINCIPAL_REFUSED);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_PASSWORD, "{\"name\":\"eva\"}"), 409);
    /* One that is disabled here stays so. */
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_DISABLE, "{\"name\":\"eva\"}"), 200);
    CHECK_INT(vouch(&f, "{\"sub\":\"8\",\"groups\":[\"chiefs\"]}").status, PRINCIPAL_REFUSED);
    fixture_close(&f);
}

TEST(what_a_group_is_has_one_form)
{
    struct account_vouched v;
    CHECK(account_vouched_read(SLICE("a=b=auditor@7"), &v));
    CHECK_SLICE(v.group, "a=b");
    CHECK(v.tenant == 7 && v.role == ACCOUNT_ROLE_AUDITOR);
    static const char *const bad[] = {
        "", "soc", "=viewer", "soc=king", "soc=viewer@", "soc=viewer@x", "soc=viewer@4294967295"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!account_vouched_read(slice_of(bad[i]), &v));
}
