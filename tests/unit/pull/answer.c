/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/answer.h"

#include "base/time.h"
#include "pull/explain.h"
#include "pull/url.h"
#include "test.h"

static int read_token(const char *body, const char *want, nsec life)
{
    struct buf token;
    nsec got = 0;
    buf_init(&token, ANSWER_TOKEN_MAX);
    int error = answer_token(slice_of(body), &token, &got);
    if (error == 0) {
        CHECK_SLICE(buf_slice(&token), want);
        CHECK_INT(got, life);
    }
    buf_done(&token);
    return error;
}

TEST(tokens_are_read)
{
    CHECK_INT(
        read_token("{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"e.y-_\"}",
                   "e.y-_", 3599 * NSEC_PER_SEC),
        0);
    CHECK_INT(
        read_token("{\"expires_in\":\"60\",\"access_token\":\"a\\/b\"}", "a/b", 60 * NSEC_PER_SEC),
        0);
    CHECK_INT(read_token("{\"access_token\":\"a\"}", "a", 300 * NSEC_PER_SEC), 0);
    CHECK_INT(read_token("{\"expires_in\":99999999999999,\"access_token\":\"a\"}", "a",
                         86400 * NSEC_PER_SEC),
              0);
    CHECK_INT(read_token("{\"expires_in\":1}", "", 0), ERR_SYNTAX);
    CHECK_INT(read_token("{\"access_token\":\"\"}", "", 0), ERR_SYNTAX);
    CHECK_INT(read_token("{\"access_token\":\"a\\r\\nX: y\"}", "", 0), ERR_SYNTAX);
    CHECK_INT(read_token("{\"access_token\":\"a\"", "", 0), ERR_SYNTAX);
    CHECK_INT(read_token("{\"access_token\":\"a\"} x", "", 0), ERR_SYNTAX);
    CHECK_INT(read_token("", "", 0), ERR_SYNTAX);
}

static int read_page(enum pull_kind kind, const char *body, const char *items, const char *next)
{
    struct buf link;
    buf_init(&link, 64);
    struct answer_page page = {.next = &link};
    int error = answer_page_read(kind, slice_of(body), &page);
    if (error == 0) {
        CHECK_SLICE(page.items, items);
        CHECK_SLICE(buf_slice(&link), next);
    }
    buf_done(&link);
    return error;
}

TEST(pages_are_read)
{
    CHECK_INT(read_page(PULL_M365, "\xEF\xBB\xBF[ {\"a\":1} ]\r\n", "[ {\"a\":1} ]", ""), 0);
    CHECK_INT(read_page(PULL_M365, "{\"a\":1}", "", ""), ERR_SYNTAX);
    CHECK_INT(read_page(PULL_M365, "[{\"a\":1}", "", ""), ERR_TRUNCATED);
    CHECK_INT(read_page(PULL_M365, "[] []", "", ""), ERR_SYNTAX);
    CHECK_INT(read_page(PULL_M365, "", "", ""), ERR_TRUNCATED);
    CHECK_INT(read_page(PULL_AUDIT, "{\"@odata.context\":\"x\",\"value\":[]}", "[]", ""), 0);
    CHECK_INT(read_page(PULL_AUDIT,
                        "{\"@odata.nextLink\":\"https://g/x?a=1\\u0026b=2\",\"value\":[{}]}",
                        "[{}]", "https://g/x?a=1&b=2"),
              0);
    CHECK_INT(read_page(PULL_AUDIT, "{\"value\":[1],\"@odata.nextLink\":null}", "[1]", ""), 0);
    CHECK_INT(read_page(PULL_AUDIT, "{\"value\":[1],\"@odata.nextLink\":7}", "", ""), ERR_SYNTAX);
    CHECK_INT(read_page(PULL_AUDIT, "{\"value\":{}}", "", ""), ERR_SYNTAX);
    CHECK_INT(read_page(PULL_AUDIT, "[]", "", ""), ERR_SYNTAX);
    CHECK_INT(read_page(PULL_AUDIT,
                        "{\"value\":[],\"@odata.nextLink\":\"https://g/"
                        "0123456789012345678901234567890123456789012345678901234567890123456789\"}",
                        "", ""),
              ERR_LIMIT);
}

TEST(items_say_what_they_are_called_and_when_they_are_of)
{
    struct answer_item item;
    struct buf text;
    buf_init(&text, 64);
    answer_item_read(
        PULL_SIGN_IN,
        SLICE("{\"id\":\"66-01\",\"createdDateTime\":\"2020-03-13T19:15:41.6195833Z\"}"), &item);
    CHECK_SLICE(item.id, "66-01");
    time_write_rfc3339(&text, item.time);
    CHECK_SLICE(buf_slice(&text), "2020-03-13T19:15:41.619583300Z");
    answer_item_read(
        PULL_M365,
        SLICE("{\"contentUri\":\"https:\\/\\/x\",\"contentId\":\"a$b\",\"contentCreated\":"
              "\"2020-03-13T19:15:41.619Z\",\"id\":\"no\"}"),
        &item);
    CHECK_SLICE(item.id, "a$b");
    CHECK_SLICE(item.uri, "\"https:\\/\\/x\"");
    answer_item_read(PULL_ALERTS, SLICE("{\"id\":7,\"lastUpdateDateTime\":\"soon\"}"), &item);
    CHECK_INT(item.id.len, 0);
    CHECK(item.time == TIME_NONE);
    buf_done(&text);
}

static void check_refusal(unsigned status, const char *body, const char *want)
{
    struct answer_error error;
    struct buf out;
    buf_init(&out, 1024);
    answer_error_read(slice_of(body), &error);
    explain_refusal(&out, "AuditLog.Read.All", status, &error);
    CHECK_SLICE(buf_slice(&out), want);
    buf_done(&out);
}

TEST(refusals_are_explained)
{
    check_refusal(
        401, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000222: expired\"}",
        "it answered 401 invalid_client: AADSTS7000222: expired; the secret has expired: make "
        "a new one under Certificates & secrets, and put its value into the file");
    check_refusal(
        403, "{\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":\"no \\u001b[1m\"}}",
        "it answered 403 Authorization_RequestDenied: no \\u001b[1m; the application has no "
        "permission AuditLog.Read.All, or no administrator has consented to it");
    check_refusal(400, "{\"error\":{\"code\":\"AADSTS70002\",\"message\":\"AADSTS70002158: x\"}}",
                  "it answered 400 AADSTS70002: AADSTS70002158: x");
    check_refusal(502, "<html>\x1b[2J", "it answered 502");
    check_refusal(500, "{\"error\":null}", "it answered 500");
}

TEST(addresses_are_whole)
{
    struct pull_source s;
    struct buf out;
    const struct url_span span = {1583000000 * NSEC_PER_SEC, 1583003600 * NSEC_PER_SEC};
    buf_init(&out, 1024);
    REQUIRE(pull_source_read(SLICE("m365-management tenant=t client=c secret=/s"), &s, NULL) == 0);
    url_page(&out, &s, 1, &span, 0);
    CHECK_SLICE(slice_of(out.ptr),
                "https://manage.office.com/api/v1.0/t/activity/feed/subscriptions/"
                "content?PublisherIdentifier=t&contentType=Audit.Exchange&startTime="
                "2020-02-29T18%3A13%3A20&endTime=2020-02-29T19%3A13%3A20");
    url_token_form(&out, &s, SLICE("a+b &%~"));
    CHECK_SLICE(buf_slice(&out),
                "grant_type=client_credentials&client_id=c&scope=https%3A%2F%2Fmanage."
                "office.com%2F.default&client_secret=a%2Bb%20%26%25~");
    CHECK(url_is_own(SLICE("https://manage.office.com/x"), &s));
    CHECK(!url_is_own(SLICE("https://manage.office.com"), &s));
    CHECK(!url_is_own(SLICE("https://manage.office.com.evil.example/x"), &s));
    CHECK(!url_is_own(SLICE("https://manage.office.com@evil.example/x"), &s));
    CHECK(!url_is_own(SLICE("https://manage.office.com/x\r\ny"), &s));
    CHECK(!url_is_own(SLICE("http://manage.office.com/x"), &s));
    REQUIRE(pull_source_read(SLICE("defender-alerts tenant=t client=c secret=/s"), &s, NULL) == 0);
    url_page(&out, &s, 0, &span, 100);
    CHECK_SLICE(
        slice_of(out.ptr),
        "https://graph.microsoft.com/v1.0/security/alerts_v2?$top=100&$filter="
        "lastUpdateDateTime%20ge%202020-02-29T18%3A13%3A20Z%20and%20lastUpdateDateTime%20le%20"
        "2020-02-29T19%3A13%3A20Z");
    buf_done(&out);
}
