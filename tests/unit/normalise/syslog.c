/* SPDX-License-Identifier: EUPL-1.2 */
#include "trace.h"

#define CHECK_SYSLOG(in, want) TRACE_CHECK(&decoder_syslog, in, want)

TEST(syslog_5424_whole)
{
    CHECK_SYSLOG("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 ID47 "
                 "[ex@32473 iut=\"3\" src=\"App\"][two@1 k=\"v\"] An entry\n",
                 "1|priority=165|facility=20|severity=5|timestamp=2003-08-24T05:14:15.000003-07:00"
                 "|hostname=192.0.2.1|program=myproc|pid=8710|msgid=ID47|sd.ex@32473.iut=3"
                 "|sd.ex@32473.src=App|sd.two@1.k=v|message=An entry\n");
}

TEST(syslog_5424_nil_values_are_absent)
{
    CHECK_SYSLOG("<0>1 - - - - - -", "1|priority=0|facility=0|severity=0\n");
    CHECK_SYSLOG("<191>1 - - - - - - -", "1|priority=191|facility=23|severity=7|message=-\n");
    CHECK_SYSLOG("<34>1 2003-10-11T22:14:15.003Z host su - ID47 - \xEF\xBB\xBF'su root' failed",
                 "1|priority=34|facility=4|severity=2|timestamp=2003-10-11T22:14:15.003Z"
                 "|hostname=host|program=su|msgid=ID47|message='su root' failed\n");
}

TEST(syslog_5424_structured_data_escapes)
{
    CHECK_SYSLOG("<13>1 - h a - - [x a=\"q\\\"q\" b=\"b\\\\b\" c=\"c\\]c\" d=\"\\d\" e=\"\"] m",
                 "1|priority=13|facility=1|severity=5|hostname=h|program=a|sd.x.a=q\"q|sd.x.b=b\\b"
                 "|sd.x.c=c]c|sd.x.d=\\d|sd.x.e=|message=m\n");
    /* A bracket in a value ends nothing; an element without parameters; none at all. */
    CHECK_SYSLOG("<13>1 - h a - - [x a=\"]\"][y] m\n<13>1 - h a - - [z]",
                 "1|priority=13|facility=1|severity=5|hostname=h|program=a|sd.x.a=]|sd.y="
                 "|message=m\n"
                 "2|priority=13|facility=1|severity=5|hostname=h|program=a|sd.z=\n");
}

TEST(syslog_5424_damaged_keeps_what_was_read)
{
    CHECK_SYSLOG("<13>1 - h a - - [x a=\"1\" b=evil] rest",
                 "1!|priority=13|facility=1|severity=5|hostname=h|program=a|sd.x.a=1"
                 "|message=[x a=\"1\" b=evil] rest\n");
    CHECK_SYSLOG("<13>1 - h a - - [x a=\"never closed",
                 "1!|priority=13|facility=1|severity=5|hostname=h|program=a"
                 "|message=[x a=\"never closed\n");
    CHECK_SYSLOG("<13>1 - h a", "1!|priority=13|facility=1|severity=5|hostname=h|program=a\n");
    CHECK_SYSLOG("<13>1 - h a - - [] m",
                 "1!|priority=13|facility=1|severity=5|hostname=h|program=a|message=[] m\n");
    CHECK_SYSLOG("<13>1 - h a - - free text",
                 "1!|priority=13|facility=1|severity=5|hostname=h|program=a|message=free text\n");
}

TEST(syslog_3164_as_programs_write_it)
{
    CHECK_SYSLOG("<34>Oct 11 22:14:15 mymachine su: 'su root' failed\n",
                 "1|priority=34|facility=4|severity=2|timestamp=Oct 11 22:14:15|hostname=mymachine"
                 "|program=su|message='su root' failed\n");
    CHECK_SYSLOG("Sep  6 09:57:21 bullseye sshd[581]: Accepted publickey for v\r\n",
                 "1|timestamp=Sep  6 09:57:21|hostname=bullseye|program=sshd|pid=581"
                 "|message=Accepted publickey for v\n");
    CHECK_SYSLOG("Feb 5 01:02:03 h postfix/smtpd[7]:x",
                 "1|timestamp=Feb 5 01:02:03|hostname=h|program=postfix/smtpd|pid=7|message=x\n");
    CHECK_SYSLOG("Feb  5 01:02:03 h kernel: [ 1.0] IN=eth0 OUT=",
                 "1|timestamp=Feb  5 01:02:03|hostname=h|program=kernel|message=[ 1.0]"
                 " IN=eth0 OUT=\n");
    CHECK_SYSLOG("Feb  5 01:02:03 h sudo:   nils : TTY=pts/0",
                 "1|timestamp=Feb  5 01:02:03|hostname=h|program=sudo|message=  nils :"
                 " TTY=pts/0\n");
    CHECK_SYSLOG("Feb  5 01:02:03 h sshd(pam_unix)[9] opened",
                 "1|timestamp=Feb  5 01:02:03|hostname=h|program=sshd(pam_unix)|pid=9"
                 "|message=opened\n");
}

TEST(syslog_3164_without_some_part)
{
    CHECK_SYSLOG("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!",
                 "1|priority=13|facility=1|severity=5|timestamp=Feb  5 17:32:18|hostname=10.0.0.99"
                 "|message=Use the BFG!\n");
    CHECK_SYSLOG("<13>Feb  5 17:32:18 cron[8]: no host",
                 "1|priority=13|facility=1|severity=5|timestamp=Feb  5 17:32:18|program=cron|pid=8"
                 "|message=no host\n");
    CHECK_SYSLOG("<13>root: no time",
                 "1|priority=13|facility=1|severity=5|program=root|message=no time\n");
    CHECK_SYSLOG("<13>plain", "1|priority=13|facility=1|severity=5|message=plain\n");
    CHECK_SYSLOG("<13>", "1|priority=13|facility=1|severity=5|message=\n");
    CHECK_SYSLOG("Feb  5 17:32:18 h", "1|timestamp=Feb  5 17:32:18|hostname=h\n");
    /* A URL, an IPv6 address and an empty PID are no tags. */
    CHECK_SYSLOG("Feb  5 17:32:18 fe80::1 http://a/ b",
                 "1|timestamp=Feb  5 17:32:18|hostname=fe80::1|message=http://a/ b\n");
    CHECK_SYSLOG("Feb  5 17:32:18 h a[]: b",
                 "1|timestamp=Feb  5 17:32:18|hostname=h|message=a[]: b\n");
}

TEST(syslog_3164_other_timestamps)
{
    CHECK_SYSLOG("2024-10-31T12:38:21.817327+00:00 m postfix/smtpd[2]: w",
                 "1|timestamp=2024-10-31T12:38:21.817327+00:00|hostname=m|program=postfix/smtpd"
                 "|pid=2|message=w\n");
    CHECK_SYSLOG("<5>2024-10-31T12:38:21Z m a: w",
                 "1|priority=5|facility=0|severity=5|timestamp=2024-10-31T12:38:21Z|hostname=m"
                 "|program=a|message=w\n");
    CHECK_SYSLOG("Feb  5 2024 17:32:18 h a: w",
                 "1|timestamp=Feb  5 2024 17:32:18|hostname=h|program=a|message=w\n");
    CHECK_SYSLOG("Feb 15 17:32:18.123 2024 h a: w",
                 "1|timestamp=Feb 15 17:32:18.123 2024|hostname=h|program=a|message=w\n");
    CHECK_SYSLOG("June 8 00:21:09 h a: w\nSept 30 00:21:09 h a: w\nJunes 8 00:21:09 h a: w",
                 "1|timestamp=June 8 00:21:09|hostname=h|program=a|message=w\n"
                 "2|timestamp=Sept 30 00:21:09|hostname=h|program=a|message=w\n"
                 "3|message=Junes 8 00:21:09 h a: w\n");
    CHECK_SYSLOG("Mar  3 10:42:25 +02:00 ise1 a: w\nMar  3 10:42:25 +2 a: w",
                 "1|timestamp=Mar  3 10:42:25 +02:00|hostname=ise1|program=a|message=w\n"
                 "2|timestamp=Mar  3 10:42:25|message=+2 a: w\n");
    CHECK_SYSLOG("<30>2026:03:02-08:15:09 utm ulogd[5009]: id=\"2002\"",
                 "1|priority=30|facility=3|severity=6|timestamp=2026:03:02-08:15:09|hostname=utm"
                 "|program=ulogd|pid=5009|message=id=\"2002\"\n");
    CHECK_SYSLOG("<134>2026-03-02 08:15:09.123 +0100  waf TR 192.0.2.1 443",
                 "1|priority=134|facility=16|severity=6|timestamp=2026-03-02 08:15:09.123 +0100"
                 "|hostname=waf|message=TR 192.0.2.1 443\n");
    CHECK_SYSLOG("2026-03-02 08:15:09 +0100 ERROR w",
                 "1|timestamp=2026-03-02 08:15:09|message=2026-03-02 08:15:09 +0100 ERROR w\n");
    CHECK_SYSLOG("2026:03:02-08:15:9 utm a: w", "1|message=2026:03:02-08:15:9 utm a: w\n");
    CHECK_SYSLOG("<166>Jan 01 2020 10:00:00: %ASA-6-302013: Built",
                 "1|priority=166|facility=20|severity=6|timestamp=Jan 01 2020 10:00:00"
                 "|program=%ASA-6-302013|mark=%ASA-6-302013:|message=Built\n");
}

/* What stands before the mark, and what becomes of it. */
static void check_cisco_at(int line, const char *head, const char *want)
{
    char in[256], out[256];
    snprintf(in, sizeof in, "%s%%SYS-5-CONFIG_I: x: y", head);
    snprintf(out, sizeof out,
             "1%s|program=%%SYS-5-CONFIG_I|mark=%%SYS-5-CONFIG_I:%s|message=x: y\n", want,
             strchr(head, '[') ? "|pid=999" : "");
    trace_check_at(__FILE__, line, &decoder_syslog, slice_of(in), out);
}
#define CHECK_CISCO(head, want) check_cisco_at(__LINE__, head, want)

TEST(syslog_cisco_heads)
{
    CHECK_CISCO("", "");
    CHECK_CISCO("<165>", "|priority=165|facility=20|severity=5");
    CHECK_CISCO("Feb  5 2024 17:32:18: ", "|timestamp=Feb  5 2024 17:32:18");
    CHECK_CISCO("Feb  5 2024 17:32:18 fw1 : ", "|timestamp=Feb  5 2024 17:32:18|hostname=fw1");
    CHECK_CISCO("Feb  5 17:32:18 fw1: ", "|timestamp=Feb  5 17:32:18|hostname=fw1");
    CHECK_CISCO("Feb  5 17:32:18 fw1 ", "|timestamp=Feb  5 17:32:18|hostname=fw1");
    CHECK_CISCO("2024-02-05T17:32:18Z  : ", "|timestamp=2024-02-05T17:32:18Z");
    CHECK_CISCO("2024-02-05T17:32:18Z fe80::1 : ",
                "|timestamp=2024-02-05T17:32:18Z|hostname=fe80::1");
    CHECK_CISCO("2024 Feb  5 17:32:18.250 CET: ",
                "|timestamp=2024 Feb  5 17:32:18.250|timezone=CET");
    CHECK_CISCO("Feb 5 2024 17:32:18 localhost CiscoASA[999]: ",
                "|timestamp=Feb 5 2024 17:32:18|hostname=localhost|tag=CiscoASA");
    CHECK_CISCO("2024-02-05T17:32:18Z fw1 Alerts ",
                "|timestamp=2024-02-05T17:32:18Z|hostname=fw1|tag=Alerts");
    CHECK_CISCO("000012: sw1: .Feb  5 17:32:18.250: ",
                "|timestamp=Feb  5 17:32:18.250|hostname=sw1|sequence=000012");
    CHECK_CISCO("7433: sw1: 007439: 2y10w: ", "|hostname=sw1|sequence=007439");
    CHECK_CISCO("7433: RP/0/RSP0/CPU0:Feb  5 17:32:18.250 UTC: ifmgr[999]: ",
                "|timestamp=Feb  5 17:32:18.250|timezone=UTC|sequence=7433|tag=ifmgr");
    /* A relay's time and the device's own, whose clock may never have been set. */
    CHECK_CISCO("Feb  5 17:32:20 192.0.2.1 585917: Feb  5 17:32:18.250 CEST: ",
                "|timestamp=Feb  5 17:32:18.250|timezone=CEST|hostname=192.0.2.1"
                "|sequence=585917");
    CHECK_CISCO("Feb  5 17:32:20 relay1 Feb  5 2024 17:32:18 fw1 : ",
                "|timestamp=Feb  5 2024 17:32:18|hostname=fw1");
    CHECK_CISCO("Feb  5 17:32:20 192.0.2.1 585917: *Mar  1 00:00:07.250: ",
                "|timestamp=Feb  5 17:32:20|hostname=192.0.2.1|sequence=585917");
    CHECK_CISCO("585917: *Mar  1 00:00:07.250: ", "|timestamp=Mar  1 00:00:07.250|sequence=585917");
}

TEST(syslog_cisco_marks)
{
    CHECK_SYSLOG(
        "%PIM-SW1-6-INVALID_RP_JOIN: a",
        "1|program=%PIM-SW1-6-INVALID_RP_JOIN|mark=%PIM-SW1-6-INVALID_RP_JOIN:|message=a\n");
    CHECK_SYSLOG("%ASA-session-3-106102: a",
                 "1|program=%ASA-session-3-106102|mark=%ASA-session-3-106102:|message=a\n");
    CHECK_SYSLOG("%ASA-6-302016 a", "1|program=%ASA-6-302016|message=a\n");
    CHECK_SYSLOG("%PKT_INFRA-LINK-3-UPDOWN : a", "1|program=%PKT_INFRA-LINK-3-UPDOWN|message=a\n");
    CHECK_SYSLOG(
        "<189>1 - sw1 - - - - %VSHD-5-VSHD_SYSLOG_CONFIG_I: a",
        "1|priority=189|facility=23|severity=5|hostname=sw1"
        "|program=%VSHD-5-VSHD_SYSLOG_CONFIG_I|mark=%VSHD-5-VSHD_SYSLOG_CONFIG_I:|message=a\n");
    CHECK_SYSLOG("<189>1 - sw1 b - - - %VSHD-5-X: a",
                 "1|priority=189|facility=23|severity=5|hostname=sw1|program=b"
                 "|message=%VSHD-5-X: a\n");
    /* No marks. */
    CHECK_SYSLOG("%SYS-5-: a", "1|message=%SYS-5-: a\n");
    CHECK_SYSLOG("%SYS-55-X: a", "1|message=%SYS-55-X: a\n");
    CHECK_SYSLOG("%SYS-5-CONFIG a", "1|message=%SYS-5-CONFIG a\n");
    CHECK_SYSLOG("%sys-5-X: a", "1|message=%sys-5-X: a\n");
    CHECK_SYSLOG("%ASA-6-302016", "1|message=%ASA-6-302016\n");
}

/* What somebody typed into another program's message does not make it one of Cisco's. */
TEST(syslog_cisco_mark_in_a_text)
{
    CHECK_SYSLOG("Feb  5 01:02:03 h sshd[7]: Invalid user %ASA-6-302013: from 192.0.2.7",
                 "1|timestamp=Feb  5 01:02:03|hostname=h|program=sshd|pid=7"
                 "|message=Invalid user %ASA-6-302013: from 192.0.2.7\n");
    CHECK_SYSLOG("Feb  5 01:02:03 h app: (%SYS-5-CONFIG_I: x",
                 "1|timestamp=Feb  5 01:02:03|hostname=h|program=app"
                 "|message=(%SYS-5-CONFIG_I: x\n");
}

TEST(syslog_netscaler)
{
    CHECK_SYSLOG(
        "<134> 02/05/2026:17:32:18 GMT ns1 0-PPE-0 : default TCP CONN_TERMINATE 4 0 :  Source",
        "1|priority=134|facility=16|severity=6|timestamp=02/05/2026:17:32:18|timezone=GMT"
        "|hostname=ns1|program=0-PPE-0|message=default TCP CONN_TERMINATE 4 0 :  Source\n");
    CHECK_SYSLOG("<134> 02/05/2026:17:32:18 GMT  0-PPE-1 : AAA LOGIN",
                 "1|priority=134|facility=16|severity=6|timestamp=02/05/2026:17:32:18|timezone=GMT"
                 "|program=0-PPE-1|message=AAA LOGIN\n");
    CHECK_SYSLOG("Feb  5 17:32:18 <local0.info> 192.0.2.1 02/05/2026:17:32:18 ns1 10-PPE-0 : x : y",
                 "1|timestamp=02/05/2026:17:32:18|hostname=ns1|program=10-PPE-0|message=x : y\n");
    CHECK_SYSLOG("<134>Feb  5 17:32:18 ns1 02/05/2026:17:32:18 GMT ns1 is no engine : x",
                 "1|priority=134|facility=16|severity=6|timestamp=Feb  5 17:32:18|hostname=ns1"
                 "|message=02/05/2026:17:32:18 GMT ns1 is no engine : x\n");
}

TEST(syslog_level_behind_the_time)
{
    CHECK_SYSLOG("Feb  5 17:32:18 <auth.info> h sshd[7]: x",
                 "1|timestamp=Feb  5 17:32:18|hostname=h|program=sshd|pid=7|message=x\n");
    CHECK_SYSLOG("Feb  5 17:32:18 <b> x", "1|timestamp=Feb  5 17:32:18|message=<b> x\n");
}

TEST(syslog_a_level_is_no_host)
{
    CHECK_SYSLOG("2022-04-25T15:08:29.098Z [AUTH] WARN: wrong password",
                 "1|timestamp=2022-04-25T15:08:29.098Z|message=[AUTH] WARN: wrong password\n");
}

TEST(syslog_plain_lines)
{
    CHECK_SYSLOG("hello\n\n   \nworld", "1|message=hello\n2|message=world\n");
    CHECK_SYSLOG("{\"a\":1}", "1|message={\"a\":1}\n");
    CHECK_SYSLOG("2022-04-05 14:40:34,644 1 INFO odoo: x",
                 "1|timestamp=2022-04-05 14:40:34,644|message=2022-04-05 14:40:34,644 1"
                 " INFO odoo: x\n");
    CHECK_SYSLOG("<192>x", "1|message=<192>x\n");
    CHECK_SYSLOG("<1234>x", "1|message=<1234>x\n");
    CHECK_SYSLOG("<>x", "1|message=<>x\n");
    CHECK_SYSLOG("<13", "1|message=<13\n");
    CHECK_SYSLOG("Feb 5", "1|message=Feb 5\n");
    CHECK_SYSLOG("Febr  5 01:02:03 h a: b", "1|message=Febr  5 01:02:03 h a: b\n");
    CHECK_SYSLOG("caf\xE9\t\x01", "1|message=caf\xE9\t\x01\n");
}

TEST(syslog_json_message_stays_text)
{
    CHECK_SYSLOG("Feb  5 01:02:03 h app[1]: {\"a\": \"b\"}",
                 "1|timestamp=Feb  5 01:02:03|hostname=h|program=app|pid=1|message={\"a\":"
                 " \"b\"}\n");
}

TEST(syslog_utf16_file)
{
    CHECK_SYSLOG("\xFF\xFE<\0"
                 "5\0>\0\xE5\0:\0 \0x\0\r\0\n\0",
                 "1|priority=5|facility=0|severity=5|program=\xC3\xA5|message=x\n");
}

TEST(syslog_raw_is_the_line)
{
    struct trace t;
    trace_init(&t, true);
    CHECK_INT(trace_run(&t, &decoder_syslog, SLICE("<13>a: b\r\nc"), 0, 0), 0);
    CHECK_SLICE(buf_slice(&t.text), "1|priority=13|facility=1|severity=5|program=a|message=b"
                                    "|raw <13>a: b\n2|message=c|raw c\n");
    trace_done(&t);
}

TEST(syslog_long_line_is_bad_and_counted)
{
    struct trace t;
    size_t n = DECODER_RECORD_MAX + 1;
    char *in = malloc(n + 8);
    REQUIRE(in != NULL);
    memcpy(in, "a\n", 2);
    memset(in + 2, 'x', n);
    memcpy(in + 2 + n, "\nb\n", 3);
    for (size_t piece = 0; piece < 100000; piece += 33333) {
        trace_init(&t, false);
        CHECK_INT(trace_run(&t, &decoder_syslog, slice_make(in, n + 5), 0, piece), 0);
        CHECK_SLICE(buf_slice(&t.text), "1|message=a\nbad 2 #2 line too long\n3|message=b\n");
        trace_done(&t);
    }
    free(in);
}

TEST(syslog_more_parameters_than_an_event_holds)
{
    struct trace t;
    struct buf in;
    buf_init(&in, 8 << 20);
    buf_puts(&in, "<13>1 - - - - - [x");
    for (int i = 0; i < 40000; i++) buf_printf(&in, " p%d=\"\\\"\"", i);
    buf_puts(&in, "] m\n<13>1 - - - - - [y a=\"b\"] n\n");
    trace_init(&t, false);
    CHECK_INT(trace_run(&t, &decoder_syslog, buf_slice(&in), 0, 0), 0);
    CHECK(slice_starts_with(buf_slice(&t.text), SLICE("1~|priority=13|")));
    CHECK(slice_ends_with(buf_slice(&t.text), SLICE("\n2|priority=13|facility=1|severity=5|sd.y.a=b"
                                                    "|message=n\n")));
    CHECK_INT(t.events, 2);
    trace_done(&t);
    buf_done(&in);
}

TEST(syslog_keys_may_be_cleared_between_records)
{
    struct trace t;
    const struct decoder_out out = {.ctx = &t, .emit = trace_emit, .bad = trace_bad};
    trace_init(&t, false);
    struct decoder *d = decoder_syslog.open(&out, t.keys);
    REQUIRE(d != NULL);
    CHECK_INT(decoder_syslog.feed(d, SLICE("<13>a: b\n")), 0);
    keys_clear(t.keys);
    (void)keys_intern_path(t.keys, SLICE("something.else"));
    CHECK_INT(decoder_syslog.feed(d, SLICE("<13>c: d\n")), 0);
    CHECK_INT(decoder_syslog.finish(d), 0);
    decoder_syslog.close(d);
    CHECK_SLICE(buf_slice(&t.text), "1|priority=13|facility=1|severity=5|program=a|message=b\n"
                                    "2|priority=13|facility=1|severity=5|program=c|message=d\n");
    trace_done(&t);
}

TEST(syslog_refusal_ends_the_feed)
{
    struct trace t;
    trace_init(&t, false);
    t.stop_after = 2;
    CHECK_INT(trace_run(&t, &decoder_syslog, SLICE("a\nb\nc\n"), 0, 1), ERR_STOPPED);
    CHECK_SLICE(buf_slice(&t.text), "1|message=a\n");
    trace_done(&t);
}
