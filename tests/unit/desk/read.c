/* SPDX-License-Identifier: EUPL-1.2 */
/* Pages of what is read, and other tenants. */
#include "fixture.h"

static uint32_t count(struct slice list)
{
    struct json_parts it;
    struct slice name, value;
    uint32_t n = 0;
    json_parts_init(&it, list);
    while (json_parts_next(&it, &name, &value)) n++;
    return n;
}

TEST(a_queue_is_read_in_pages)
{
    static const char *const levels[] = {"critical", "high", "medium", "low"};
    struct office o;
    char user[8];
    open_office(&o, "queue.db");
    for (int i = 0; i < 12; i++) {
        (void)snprintf(user, sizeof user, "u%d", i);
        (void)alert_at(&o, user, levels[i % 4], user, -1);
    }
    const struct desk_view view = view_of(&o);
    struct desk_page page = {.limit = 5};
    char cursor[DESK_CURSOR_MAX];
    uint32_t n = 0, pages = 0;
    int64_t before = 101;
    do {
        buf_clear(&o.out);
        CHECK_INT(desk_write_incidents(&view, &(struct desk_filter){.level = 3}, &page, &o.out), 0);
        struct json_parts it;
        struct slice name, value, score;
        json_parts_init(&it, buf_slice(&o.out));
        while (json_parts_next(&it, &name, &value)) {
            int64_t s = 0;
            CHECK(json_find_member(value, "score", NULL, &score) && slice_to_i64(score, &s));
            CHECK(s <= before);
            before = s;
            n++;
        }
        (void)snprintf(cursor, sizeof cursor, "%s", page.next);
        page.after = slice_of(cursor);
    } while (page.next[0] && ++pages < 9);
    CHECK(n == 9 && pages == 1);
    page.after = SLICE("1.2.x");
    CHECK_INT(desk_write_incidents(&view, &(struct desk_filter){0}, &page, &o.out), ERR_INVALID);
    page = (struct desk_page){.limit = 100};
    buf_clear(&o.out);
    CHECK_INT(
        desk_write_incidents(&view, &(struct desk_filter){.name = SLICE("u3")}, &page, &o.out), 0);
    CHECK_INT(count(buf_slice(&o.out)), 1);
    buf_clear(&o.out);
    CHECK_INT(
        desk_write_incidents(&view, &(struct desk_filter){.state = DESK_CLOSED}, &page, &o.out), 0);
    CHECK_SLICE(buf_slice(&o.out), "[]");
    close_office(&o);
}

TEST(alerts_of_an_incident_are_read_in_pages)
{
    struct office o;
    open_office(&o, "alerts.db");
    for (int i = 0; i < 7; i++) (void)alert(&o, "a", "anna");
    const struct desk_view view = view_of(&o);
    struct desk_page page = {.limit = 3};
    char cursor[DESK_CURSOR_MAX];
    uint32_t n = 0;
    do {
        buf_clear(&o.out);
        CHECK_INT(desk_write_alerts(&view, 1, &page, &o.out), 0);
        n += count(buf_slice(&o.out));
        (void)snprintf(cursor, sizeof cursor, "%s", page.next);
        page.after = slice_of(cursor);
    } while (page.next[0]);
    CHECK_INT(n, 7);
    CHECK(says(&o, "\"alert\":{\"time\":"));
    close_office(&o);
}

TEST(news_are_read_from_any_number)
{
    struct office o;
    uint64_t last = 0, middle, end;
    open_office(&o, "news.db");
    (void)alert(&o, "a", "anna");
    const struct desk_view view = view_of(&o);
    CHECK_INT(desk_last_change(&view, &middle), 0);
    (void)alert(&o, "b", "bo");
    (void)alert(&o, "a", "anna");
    CHECK_INT(desk_last_change(&view, &end), 0);
    buf_clear(&o.out);
    CHECK_INT(desk_write_news(&view, middle, 100, &o.out, &last), 0);
    CHECK(count(buf_slice(&o.out)) == 2 && last == end);
    buf_clear(&o.out);
    CHECK_INT(desk_write_news(&view, middle, 1, &o.out, &last), 0);
    CHECK(count(buf_slice(&o.out)) == 1 && last > middle && last < end);
    buf_clear(&o.out);
    CHECK_INT(desk_write_news(&view, end, 100, &o.out, &last), 0);
    CHECK(last == end);
    CHECK_SLICE(buf_slice(&o.out), "[]");
    open_again(&o);
    CHECK(act(&o, "ack", "{\"incident\":1}"));
    const struct desk_view later = view_of(&o);
    buf_clear(&o.out);
    CHECK_INT(desk_write_news(&later, end, 100, &o.out, &last), 0);
    CHECK(count(buf_slice(&o.out)) == 1 && last > end);
    close_office(&o);
}

TEST(similar_incidents_name_the_same)
{
    struct office o;
    open_office(&o, "similar.db");
    (void)alert(&o, "a", "anna\",\"bo");
    CHECK(
        act(&o, "close",
            "{\"incident\":1,\"protected\":false,\"disposition\":\"benign\",\"why\":\"backup\"}"));
    (void)alert(&o, "a", "cia");
    CHECK_INT(alert(&o, "b", "bo\",\"anna"), 3);
    const struct desk_view view = view_of(&o);
    buf_clear(&o.out);
    CHECK_INT(desk_write_similar(&view, 3, &o.out), 0);
    CHECK_INT(count(buf_slice(&o.out)), 1);
    CHECK(says(
        &o,
        "\"about\":[{\"kind\":\"user\",\"name\":\"anna\"},{\"kind\":\"user\",\"name\":\"bo\"}]"));
    CHECK(says(&o, "\"common\":[{\"kind\":\"user\",\"name\":\"anna\"},{\"kind\":\"user\",\"name\":"
                   "\"bo\"}]") &&
          says(&o, "\"disposition\":\"benign\""));
    close_office(&o);
}

TEST(another_tenant_finds_nothing)
{
    struct office o;
    bool found = true;
    struct desk_page page = {.limit = 10};
    uint64_t last = 5;
    open_office(&o, "tenant.db");
    (void)alert(&o, "a", "anna");
    struct desk_view view = view_of(&o);
    view.tenant = 1;
    buf_clear(&o.out);
    CHECK(desk_write_incident(&view, 1, &o.out, &found) == 0 && !found && o.out.len == 0);
    CHECK_INT(desk_write_incidents(&view, &(struct desk_filter){0}, &page, &o.out), 0);
    CHECK_INT(desk_write_alerts(&view, 1, &page, &o.out), 0);
    CHECK_INT(desk_write_log(&view, 1, &page, &o.out), 0);
    CHECK_INT(desk_write_similar(&view, 1, &o.out), 0);
    CHECK_INT(desk_write_news(&view, 0, 10, &o.out, &last), 0);
    CHECK_SLICE(buf_slice(&o.out), "[][][][][]");
    const struct desk_request request = {.actor = SLICE("eve"),
                                         .tenant = 1,
                                         .kind = SLICE("ack"),
                                         .body = SLICE("{\"incident\":1}"),
                                         .now = o.now};
    REQUIRE(state_begin(o.state) == 0);
    CHECK_INT(desk_act(o.desk, &request, &o.out, &o.status), 0);
    CHECK_INT(o.status, DESK_NOT_FOUND);
    close_office(&o);
}

TEST(names_that_are_no_text_are_told_as_text)
{
    struct office o;
    open_office(&o, "bytes.db");
    (void)alert(&o, "a",
                "an\xff"
                "na");
    REQUIRE(look(&o, 1));
    CHECK(utf8_valid(buf_slice(&o.out)) && says(&o, "an\xef\xbf\xbdna"));
    close_office(&o);
}

/* Titles have full stops within, and names line feeds. */
TEST(plain_words_come_in_parts)
{
    struct office o;
    open_office(&o, "parts.db");
    (void)alert(&o, "setup. exe ran", "an\\nna");
    REQUIRE(look(&o, 1));
    CHECK(says(&o, "\"plain_parts\":{\"sv\":[\"setup. exe ran: användaren an na.\",\""));
    CHECK(says(&o, "\"plain\":{\"sv\":\"setup. exe ran: användaren an na. "));
    CHECK(says(&o, "Gör först: Spärra.\"],\"en\":[\"setup. exe ran: user an na.\",\""));
    close_office(&o);
}

TEST(lists_of_indicators_are_told_of_in_swedish)
{
    struct office o;
    open_office(&o, "list.db");
    (void)alert(&o, "Indicator of the list feodo (addresses)", "anna");
    REQUIRE(look(&o, 1));
    CHECK(says(&o, "\"plain\":{\"sv\":\"Indikator ur listan feodo (adresser): användaren anna. "));
    CHECK(says(&o, "\"en\":\"Indicator of the list feodo (addresses): user anna. "));
    close_office(&o);
}

TEST(noise_is_of_the_last_days)
{
    static const int days_ago[] = {40, 20, 6, 0};
    struct office o;
    open_office(&o, "noise.db");
    const nsec now = o.now;
    for (size_t i = 0; i < sizeof days_ago / sizeof *days_ago; i++) {
        o.now = now - days_ago[i] * 86400 * NSEC_PER_SEC;
        (void)alert(&o, "a", "anna");
    }
    (void)alert(&o, "b", "anna");
    (void)alert_at(&o, "b", "high", "anna", 60 * NSEC_PER_SEC); /* one more record of it */
    o.marks = 1;                                                /* an exercise */
    (void)alert(&o, "c", "anna");
    const struct desk_view view = view_of(&o);
    buf_clear(&o.out);
    CHECK_INT(desk_write_noise(&view, &o.out), 0);
    CHECK_INT(count(buf_slice(&o.out)), 2);
    CHECK(says(&o, "[{\"rule\":\"a\",\"week\":2,\"month\":3,\"records\":3,\"suppressed\":0,"));
    CHECK(says(&o, "{\"rule\":\"b\",\"week\":1,\"month\":1,\"records\":2,\"suppressed\":0,"));
    struct desk_view other = view;
    other.tenant = 7;
    buf_clear(&o.out);
    CHECK_INT(desk_write_noise(&other, &o.out), 0);
    CHECK_SLICE(buf_slice(&o.out), "[]");
    close_office(&o);
}
