/* SPDX-License-Identifier: EUPL-1.2 */
#include "trace.h"

static const char *sniffed(struct slice head, bool final)
{
    const struct decoder_ops *ops = decoder_sniff(head, final);
    return ops ? ops->name : "none";
}

#define SNIFF(text, want)      CHECK_SLICE(slice_of(sniffed(SLICE(text), true)), want)
#define SNIFF_HEAD(text, want) CHECK_SLICE(slice_of(sniffed(SLICE(text), false)), want)

TEST(sniff_by_name)
{
    static const char *const names[] = {"json", "json-utf16", "evtx", "syslog",
                                        "csv",  "zeek",       "w3c",  "auditd"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct decoder_ops *ops = decoder_by_name(slice_of(names[i]));
        CHECK(ops && slice_eq(slice_of(ops->name), slice_of(names[i])));
    }
    CHECK(decoder_by_name(SLICE("Zeek")) == &decoder_zeek);
    CHECK(decoder_by_name(SLICE("")) == NULL);
    CHECK(decoder_by_name(SLICE("jso")) == NULL);
    CHECK(decoder_by_name(SLICE_NONE) == NULL);
}

TEST(sniff_json_and_evtx)
{
    SNIFF("{\"a\":1}\n{\"a\":2}\n", "json");
    SNIFF("[\n {\"a\":1}\n]\n", "json");
    SNIFF("\xEF\xBB\xBF{\"a\":1,\"b\":2}\n", "json");
    SNIFF_HEAD("ElfFile\0\0\0\0\0\0\0\0\0", "evtx");
    /* Zeek's JSON is JSON. */
    SNIFF("{\"_path\":\"dns\",\"ts\":1.5}\n", "json");
}

TEST(sniff_zeek)
{
    SNIFF("#separator \\x09\n#set_separator\t,\n", "zeek");
    SNIFF_HEAD("#separator \\x09\n#set_separator\t,\n", "zeek");
    SNIFF("#path\tconn\n#fields\tts\tuid\n1\tC\n", "zeek");
    SNIFF("# a comment\nfoo\n", "syslog");
}

TEST(sniff_w3c)
{
    SNIFF("#Software: Microsoft IIS\n#Fields: date time\n2020-01-01 00:00:00\n", "w3c");
    SNIFF_HEAD("#Version: 1.0\r\n#Fields: a,b\r\n1,2\r\n", "w3c");
    SNIFF("#Software: Microsoft IIS\n2020-01-01 00:00:00\n#Fields: date time\n", "syslog");
}

TEST(sniff_auditd)
{
    SNIFF("type=EOE msg=audit(1.000:1): \n", "auditd");
    SNIFF("----\ntime->Thu\nnode=a type=EOE msg=audit(1.000:1): \n", "auditd");
    SNIFF("# a\n\ntype=SYSCALL msg=audit(1.000:1): arch=c000003e,x\n", "auditd");
    SNIFF_HEAD("type=A msg=audit(1.000:1): a=b\ntype=SYSC", "auditd");
    SNIFF("type=audit\ntype=audit\n", "syslog");
    SNIFF("Jan  1 00:00:00 h kernel: audit: type=1400 audit(1.0:1): x\n", "syslog");
}

TEST(sniff_csv)
{
    SNIFF("time,host,user\n1,a,b\n2,c,d\n", "csv");
    SNIFF("time;host;user\n1;a;b\n", "csv");
    SNIFF("time\thost\n1\ta\n2\tb\n", "csv");
    SNIFF("\"TimeCreated\",\"Id\",\"Message\"\n\"x\",\"1\",\"a\r\nb\"\n", "csv");
    SNIFF("#TYPE X\n\"TimeCreated\",\"Id\"\n\"x\",\"1\"\n\"y\",\"2\"\n", "csv");
    SNIFF("sep=;\nA;B;C\n1;2;3\n", "csv");
    SNIFF("Level,Date and Time,Source,Event ID,Task Category\n"
          "Information,1/2/2020 1:02:03 PM,Sysmon,1,Process Create,\"Process\nCreate: x,y\"\n"
          "Information,1/2/2020 1:02:04 PM,Sysmon,1,Process Create,\"Process\nCreate:"
          " x\"\n",
          "csv");
    SNIFF("\xFF\xFE"
          "a\0,\0b\0,\0c\0\n\0"
          "1\0,\0"
          "2\0,\0"
          "3\0\n\0",
          "csv");
    /* The head ends within a row. */
    SNIFF_HEAD("time,host,user\n1,a,b\n2,", "csv");
    SNIFF_HEAD("time,host,user\n1,a,b\n2,\"open", "csv");
}

TEST(sniff_csv_is_conservative)
{
    SNIFF("Hello world, this is a log\nfoo, bar\nbaz, qux\nx\n", "syslog");
    SNIFF("2022-04-05 14:40:34,644 1 INFO odoo\n2022-04-05 14:40:35,644 1 INFO odoo\n", "syslog");
    SNIFF("2022-12-16 13:01:07.9|Warn|Auth|x\n2022-12-16 13:01:12.2|Warn|Auth|y\n", "syslog");
    SNIFF("a=1,b=2\na=2,b=3\na=4,b=5\n", "syslog");
    SNIFF("one\ntwo\n", "syslog");
    SNIFF("name,value\n1\n2\n3\n", "syslog");
    SNIFF("a,b\n1,2\n", "syslog");
    SNIFF("Feb  5 01:02:03 h a: x, y\nFeb  5 01:02:04 h a: z, w\n", "syslog");
    SNIFF("\"x, y\" \"z\"\n\"x, y\" \"z\"\n", "syslog");
}

TEST(sniff_syslog_and_nothing)
{
    SNIFF("<34>1 2003-10-11T22:14:15.003Z h su - - - x\n", "syslog");
    SNIFF("Feb  5 01:02:03 h a: x", "syslog");
    SNIFF("just text", "syslog");
    SNIFF("caf\xE9 au lait", "syslog");
    SNIFF("\x1b[31mred\x1b[0m\n", "syslog");
    SNIFF("", "none");
    SNIFF("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "none");
    SNIFF("\x7f"
          "ELF\2\1\1\0\0\0\0\0\0\0\0\0",
          "none");
    SNIFF("\x1f\x8b\x08\0\0\0\0\0\0\3", "none");
    char zeros[4096] = {0};
    CHECK_SLICE(slice_of(sniffed(slice_make(zeros, sizeof zeros), false)), "none");
}

/* No head, however cut, makes a sniff read past it (seen by the sanitizer). */
TEST(sniff_every_prefix)
{
    static const char *const heads[] = {
        "{\"a\":1,\"b\":[1,2]}\n",
        "#separator \\x09\n#fields\ta\tb\n1\t2\n",
        "node=a type=EOE msg=audit(1.000:1): a=b\n",
        "time,\"ho\"\"st\",user\n1,\"a\nb\",c\n",
        "<34>1 2003-10-11T22:14:15.003Z h su - - [a b=\"c\"] x\n",
        "Feb  5 2024 01:02:03.5 h a[1]: x\n",
        "\xFF\xFE<\n1\xD8>x",
        "ElfFile",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct slice head = slice_of(heads[i]);
        for (size_t n = 0; n <= head.len; n++) {
            char *copy = malloc(n ? n : 1);
            REQUIRE(copy != NULL);
            memcpy(copy, head.ptr, n);
            (void)decoder_sniff(slice_make(copy, n), n % 2 == 0);
            free(copy);
        }
    }
}
