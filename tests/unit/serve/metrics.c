/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/metrics.h"

#include "event/record.h"
#include "test.h"

static struct buf out;

static void check_label(struct slice value, const char *want)
{
    buf_init(&out, 4096);
    metrics_put_label(&out, value);
    CHECK_SLICE(buf_slice(&out), want);
    buf_done(&out);
}

TEST(labels_are_escaped)
{
    check_label(SLICE_NONE, "");
    check_label(SLICE("r\xc3\xa5"
                      "dhus-7"),
                "r\xc3\xa5"
                "dhus-7");
    check_label(SLICE("a\"b\\c\nd\te"), "a\\\"b\\\\c\\nd\te");
    check_label(SLICE("a\xff\xc3"), "a\uFFFD\uFFFD");
}

TEST(long_labels_are_cut_between_characters)
{
    char value[300], want[300] = {0};
    memset(value, 'x', sizeof value);
    memcpy(value + METRICS_LABEL_MAX - 1, "\xc3\xa5", 2);
    memset(want, 'x', METRICS_LABEL_MAX - 1);
    check_label(slice_make(value, sizeof value), want);
}

static bool says(const char *line)
{
    return slice_find(buf_slice(&out), slice_of(line)) != SIZE_MAX;
}

TEST(figures_get_their_lines)
{
    struct ledger ledger;
    struct slice reports[REPORT_COUNT] = {
        [ROLE_STORE] = SLICE("{\"pid\":7,\"starts\":2,\"up_s\":3,\"records\":12,\"disk\":\"ok\","
                             "\"new\":true,\"list\":[1],\"none\":null}")};
    REQUIRE(ledger_init(&ledger, 4, 1) == 0);
    buf_init(&out, 1 << 20);
    metrics_write(&out, reports, &ledger);
    CHECK(says("\n# TYPE vaka_store_records_total counter\nvaka_store_records_total 12\n"));
    CHECK(says("\nvaka_store_disk{is=\"ok\"} 1\n"));
    CHECK(says("\n# TYPE vaka_store_new untyped\nvaka_store_new 1\n"));
    CHECK(says("\nvaka_process_starts_total{process=\"store\"} 2\n"));
    CHECK(!says("vaka_store_list") && !says("vaka_store_none"));
    ledger_done(&ledger);
    buf_done(&out);
}

TEST(sources_are_bounded_and_sums_are_whole)
{
    enum { SENDERS = METRICS_SOURCES_MAX + 20 };
    struct ledger ledger;
    struct slice reports[REPORT_COUNT] = {0};
    size_t shown = 0;
    REQUIRE(ledger_init(&ledger, SENDERS + 2, 1) == 0);
    for (int i = 0; i < SENDERS; i++) {
        char address[32];
        struct buf source;
        (void)snprintf(address, sizeof address, "10.0.%d.%d", i / 256, i % 256);
        buf_init(&source, 256);
        record_source_write(&source, &(struct record_source){.input = SLICE("syslog-udp"),
                                                             .address = slice_of(address)});
        struct ledger_row *row = ledger_row_of(&ledger, buf_slice(&source));
        row->seen = NSEC_PER_SEC;
        row->records.received = 2;
        row->records.lost[LEDGER_BUSY] = 1;
        buf_done(&source);
    }
    buf_init(&out, 8 << 20);
    metrics_write(&out, reports, &ledger);
    CHECK(!buf_failed(&out));
    for (struct slice rest = buf_slice(&out);;) {
        size_t at = slice_find(rest, SLICE("\nvaka_source_received_records_total{"));
        if (at == SIZE_MAX) break;
        shown++;
        rest = slice_from(rest, at + 1);
    }
    CHECK_INT(shown, METRICS_SOURCES_MAX);
    CHECK(says("\nvaka_collect_received_records_total 1040\n"));
    CHECK(says("\nvaka_collect_lost_records_total{reason=\"busy\"} 520\n"));
    ledger_done(&ledger);
    buf_done(&out);
}
