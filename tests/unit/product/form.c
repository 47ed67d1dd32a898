/* SPDX-License-Identifier: EUPL-1.2 */
#include "product/form.h"

#include <stdlib.h>

#include "base/buf.h"
#include "test.h"

enum { ARENA_MAX = 16 << 20, TEXT_MAX = 64 << 20 };

/* An event of its own, and what it holds as text. */
struct reading {
    struct keys *keys;
    struct arena arena;
    struct event ev;
    struct buf text;
};

static void reading_begin(struct reading *r)
{
    *r = (struct reading){.keys = keys_new()};
    REQUIRE(r->keys != NULL);
    arena_init(&r->arena, ARENA_MAX);
    event_init(&r->ev, r->keys, &r->arena);
    buf_init(&r->text, TEXT_MAX);
}

static void reading_end(struct reading *r)
{
    event_done(&r->ev);
    arena_done(&r->arena);
    buf_done(&r->text);
    keys_free(r->keys);
}

/* name=value|name:=number|name?=bool|name~=null */
static struct slice written(struct reading *r)
{
    buf_clear(&r->text);
    for (uint32_t i = 0; i < r->ev.n_fields; i++) {
        struct event_field *f = &r->ev.fields[i];
        if (i) buf_putc(&r->text, '|');
        struct slice value = event_text(&r->ev, f);
        buf_put(&r->text, keys_name(r->keys, f->key));
        if (f->type == VALUE_NUMBER) buf_putc(&r->text, ':');
        if (f->type == VALUE_BOOL) buf_putc(&r->text, '?');
        if (f->type == VALUE_NULL) buf_putc(&r->text, '~');
        buf_putc(&r->text, '=');
        buf_put(&r->text, value);
    }
    return buf_slice(&r->text);
}

/* Reads a copy with nothing around it, where the sanitizer sees every byte too many. */
static bool read_copy(struct reading *r, const struct form *form, struct slice text, char **ret)
{
    *ret = malloc(text.len ? text.len : 1);
    REQUIRE(*ret != NULL);
    if (text.len) memcpy(*ret, text.ptr, text.len);
    return form_read(form, slice_make(*ret, text.len), &r->ev);
}

/* `want` NULL: the text has not this form. */
static void check_form(const char *file, int line, const struct form *form, const char *text,
                       const char *want)
{
    struct reading r;
    char *copy;
    reading_begin(&r);
    bool has = read_copy(&r, form, slice_of(text), &copy);
    struct slice got = written(&r);
    if (has != (want != NULL) || !slice_eq(got, slice_of(want)))
        test_fail(file, line, "%s\n%.*s\nnot\n%s", has ? "read" : "not read", SLICE_FMT(got),
                  want ? want : "");
    free(copy);
    reading_end(&r);
}
#define CHECK_FORM(form, text, want) check_form(__FILE__, __LINE__, form, text, want)

/* ---- KV ----------------------------------------------------------------------------------- */

static const struct form kv = {.kind = FORM_KV};

TEST(kv_pairs_as_firewalls_write_them)
{
    CHECK_FORM(&kv, "date=2020-04-23 time=12:17:48 devname=\"test switch\" srcip=192.0.2.1 msg=''",
               "date=2020-04-23|time=12:17:48|devname=test switch|srcip=192.0.2.1|msg=");
    CHECK_FORM(&kv, "[LAN_IN-2000-A]IN=eth0 OUT= MAC=90:10:92:6e SRC=192.0.2.1",
               "IN=eth0|OUT=|MAC=90:10:92:6e|SRC=192.0.2.1");
    CHECK_FORM(&kv, "  id=firewall sn=18B1 time=\"2007-01-03 14:48:06\" proto=tcp/50000\r\n",
               "id=firewall|sn=18B1|time=2007-01-03 14:48:06|proto=tcp/50000");
    CHECK_FORM(&kv, "device_name=\"XG\" log_id=0101 user_name=\"\" empty=", /* Sophos */
               "device_name=XG|log_id=0101|user_name=|empty=");
    CHECK_FORM(&kv, "date=2023-02-06,time=18:06, user=a,b,ui=mail,", /* FortiMail */
               "date=2023-02-06|time=18:06|user=a,b|ui=mail,");
}

TEST(kv_text_before_the_first_pair)
{
    CHECK_FORM(&kv, "authentication failure; logname= uid=0 rhost=192.0.2.7  user=root",
               "logname=|uid=0|rhost=192.0.2.7|user=root");
    CHECK_FORM(&kv, "07[CFG] (a=1 b=2", "a=1|b=2");
    CHECK_FORM(&kv, "kernel:a=1", "a=1");
    CHECK_FORM(&kv, "<13>a=1", "a=1");
    /* What an address asks is no pair. */
    CHECK_FORM(&kv, "GET /index?x=1&y=2 status=200", "status=200");
    CHECK_FORM(&kv, "no pairs, only words", NULL);
    CHECK_FORM(&kv, "== = =x \"=\" a =b", NULL);
    CHECK_FORM(&kv, "", NULL);
}

TEST(kv_plain_values_hold_blanks)
{
    CHECK_FORM(&kv, "to=<a@example.se>, relay=mx[192.0.2.1]:25, status=sent (250 2.0.0 Ok: a)",
               "to=<a@example.se>|relay=mx[192.0.2.1]:25|status=sent (250 2.0.0 Ok: a)");
    CHECK_FORM(&kv, "a=one two\tb=three  four   c=", "a=one two|b=three  four|c=");
    CHECK_FORM(&kv, "url=http://h/?q=1&r=2 a=b=c", "url=http://h/?q=1&r=2|a=b=c");
    CHECK_FORM(&kv, "a=x =y b=1", "a=x =y|b=1");
}

TEST(kv_quoted_values)
{
    CHECK_FORM(&kv, "a=\"x y=1\" b='z \"w\"' c= \"d\"", "a=x y=1|b=z \"w\"|c=d");
    CHECK_FORM(&kv, "a=\"say \\\"no\\\"\" b='it\\'s' c=\"E:\\\\dir\\n\" d=\"[0..7\\]\"",
               "a=say \"no\"|b=it's|c=E:\\dir\\n|d=[0..7]");
    CHECK_FORM(&kv, "a=\"x\"b=\"y\",c=\"z\" and words d=1", "a=x|b=y|c=z|d=1");
    CHECK_FORM(&kv, "a=1 b=\"cut of", "a=1|b=cut of");
    CHECK_FORM(&kv, "a=1 b=\"", "a=1|b=");
    CHECK_FORM(&kv, "a=1 b=\"\\", "a=1|b=\\");
    /* An apostrophe that nothing closes hides nothing. */
    CHECK_FORM(&kv, "user='x srcip=192.0.2.1", "user='x|srcip=192.0.2.1");
    CHECK_FORM(&kv, "user='x srcip=192.0.2.1 msg=don't", "user='x|srcip=192.0.2.1|msg=don't");
    CHECK_FORM(&kv, "(a='x' b='y')", "a=x|b=y");
    CHECK_FORM(&kv, "a='", "a='");
}

TEST(kv_with_a_separator)
{
    const struct form checkpoint = {.kind = FORM_KV, .separator = ';', .assign = ':'};
    CHECK_FORM(
        &checkpoint,
        "<134>1 2022-07-06T15:53:08Z gw CheckPoint 2700 - [action:\"Failed Log In\"; "
        "flags:\"18688\"; tag:\"product=VPN-1[db={A;B};name=Standard\\]\"; src:\"192.0.2.1\"]",
        "action=Failed Log In|flags=18688|tag=product=VPN-1[db={A;B};name=Standard]"
        "|src=192.0.2.1");
    CHECK_FORM(&checkpoint, "[a::\"b; c:d\"; e::f; g::\"\"; h::]", "a=b; c:d|e=:f|g=|h=:]");
    CHECK_FORM(&checkpoint, "a:1 ; b: two words;;c:;d", "a=1|b=two words|c=");
    const struct form sudo = {.kind = FORM_KV, .separator = ';'};
    CHECK_FORM(&sudo, "   root : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/ls -l a=b",
               "TTY=pts/0|PWD=/root|USER=root|COMMAND=/bin/ls -l a=b");
    const struct form ise = {.kind = FORM_KV, .separator = ','};
    CHECK_FORM(
        &ise,
        "00103 5200 NOTICE Passed-Authentication: succeeded, ConfigVersionId=12, Device IP "
        "Address=192.0.2.1, Change=Object created:\\,Port = 9005\\,x, Step=11001, Step=11017",
        "ConfigVersionId=12|Device IP Address=192.0.2.1|Change=Object created:,Port = 9005,x"
        "|Step=11001|Step=11017");
    /* Words alone are passed over; a path may end in a backslash. */
    const struct form words = {.kind = FORM_KV, .separator = ' '};
    CHECK_FORM(&words, "TTL=63 ID=0 DF PROTO=TCP DIR=C:\\ RES=0x00 ACK PSH URGP=0 A= \"B\"",
               "TTL=63|ID=0|PROTO=TCP|DIR=C:\\|RES=0x00|URGP=0|A=");
    CHECK_FORM(&words, "only words", NULL);
    CHECK_FORM(&sudo, ";;;", NULL);
    CHECK_FORM(&sudo, "a=\"x;y", "a=x;y");
}

TEST(kv_names)
{
    const struct form colon = {.kind = FORM_KV, .assign = ':', .prefix = SLICE_NONE};
    CHECK_FORM(&colon, "at 12:30:01 src: 192.0.2.1 dst: ::1", "src=192.0.2.1|dst=::1");
    CHECK_FORM(&kv, "802.1x=on anv\xc3\xa4ndare=\xc3\xa5sa",
               "802.1x=on|anv\xc3\xa4ndare=\xc3\xa5sa");
    const struct form prefixed = {.kind = FORM_KV, .prefix = {"fw.", 3}};
    CHECK_FORM(&prefixed, "a=1 b.c=2", "fw.a=1|fw.b.c=2");
    char text[2 * FORM_NAME_MAX + 16], want[sizeof text];
    memset(text, 'n', sizeof text);
    text[FORM_NAME_MAX] = '=';
    memcpy(text + FORM_NAME_MAX + 1, "v", 2);
    CHECK_FORM(&kv, text, text);
    memset(text, 'n', sizeof text);
    memcpy(text + FORM_NAME_MAX + 1, "=v a=1", 7);
    CHECK_FORM(&kv, text, "a=1");
    /* A prefix and a name that are too long together. */
    memset(want, 'p', sizeof want);
    char prefix[KEY_NAME_MAX + 8];
    memset(prefix, 'p', sizeof prefix);
    const struct form large = {.kind = FORM_KV, .prefix = {prefix, sizeof prefix}};
    struct reading r;
    reading_begin(&r);
    CHECK(form_read(&large, SLICE("a=1"), &r.ev));
    REQUIRE(r.ev.n_fields == 1);
    CHECK_INT(keys_name(r.keys, r.ev.fields[0].key).len, KEY_NAME_MAX);
    reading_end(&r);
}

/* ---- CSV ---------------------------------------------------------------------------------- */

#define COLUMN(text)                                                                               \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
static const struct slice columns[] = {COLUMN("rule"), COLUMN(""), COLUMN("a.b"), COLUMN("c")};

TEST(csv_columns)
{
    const struct form csv = {.kind = FORM_CSV, .columns = columns, .n_columns = 4};
    CHECK_FORM(&csv, "146,,1.12,in", "rule=146|a.b=1.12|c=in");
    CHECK_FORM(&csv, "146,x,,\"a, \"\"b\"\"\",more,and more", "rule=146|c=a, \"b\"");
    CHECK_FORM(&csv, "1,2", "rule=1");
    CHECK_FORM(&csv, ",,,", "");
    CHECK_FORM(&csv, "1,,\"\",\"cut o", "rule=1|c=cut o");
    CHECK_FORM(&csv, "words without one", NULL);
    CHECK_FORM(&csv, "", NULL);
}

TEST(csv_options)
{
    const struct form tabs = {.kind = FORM_CSV,
                              .columns = columns,
                              .n_columns = 4,
                              .separator = '\t',
                              .prefix = {"x.", 2}};
    CHECK_FORM(&tabs, "1,1\t\ta b", "x.rule=1,1|x.a.b=a b");
    const struct form one = {.kind = FORM_CSV, .columns = columns, .n_columns = 1};
    CHECK_FORM(&one, "alone", "rule=alone");
    CHECK_FORM(&one, "\"a\"\"b\"", "rule=a\"b");
}

/* ---- CEF ---------------------------------------------------------------------------------- */

static const struct form cef = {.kind = FORM_CEF};
#define CEF_HEADER                                                                                 \
    "cef.version=0|cef.device_vendor=Citrix|cef.device_product=NetScaler|cef.device_version=NS11." \
    "0"                                                                                            \
    "|cef.device_event_class_id=APPFW|cef.name=START URL|cef.severity=6"

TEST(cef_header_and_extension)
{
    CHECK_FORM(&cef,
               "Jun 12 <local0.info> 192.0.2.1 CEF:0|Citrix|NetScaler|NS11.0|APPFW|START URL|6|"
               "src=192.0.2.7 request=http://h/p?a=b&c=d msg= Disallow  URL. cn1=1340 ad.x[0]=y ",
               CEF_HEADER "|src=192.0.2.7|request=http://h/p?a=b&c=d|msg=Disallow  URL.|cn1=1340"
                          "|ad.x[0]=y");
    CHECK_FORM(&cef, "CEF:0|Citrix|NetScaler|NS11.0|APPFW|START URL|6|", CEF_HEADER);
    CHECK_FORM(&cef, "CEF: CEF:0|Citrix|NetScaler|NS11.0|APPFW|START URL|6", CEF_HEADER);
    CHECK_FORM(&cef, "CEF:0|Citrix|NetScaler|NS11.0|APPFW|START URL|6|just words", CEF_HEADER);
}

TEST(cef_escapes)
{
    CHECK_FORM(&cef, "CEF:1|a\\|b|c\\\\|1.0|x=y|n\\o|Very-High|k=a\\=b\\\\c\\nd\\re\\f|g q=1\\",
               "cef.version=1|cef.device_vendor=a|b|cef.device_product=c\\|cef.device_version=1.0"
               "|cef.device_event_class_id=x=y|cef.name=n\\o|cef.severity=Very-High"
               "|k=a=b\\c\nd\re\\f|g|q=1\\");
    /* An escaped = names nothing; quotes are bytes like others. */
    CHECK_FORM(&cef, "CEF:0|Citrix|NetScaler|NS11.0|APPFW|START URL|6|m=\"a b\\=c\" d='e",
               CEF_HEADER "|m=\"a b=c\"|d='e");
}

TEST(cef_labels)
{
    CHECK_FORM(&cef,
               "CEF:0|Citrix|NetScaler|NS11.0|APPFW|START URL|6|cs1Label=Rule  Name (new) cs1=deny "
               "cn2=7 cn2Label=a.b cs3Label=nothing cs4Label=?? cs4=x Label=y",
               CEF_HEADER "|cs1Label=Rule  Name (new)|cs1=deny|cn2=7|cn2Label=a.b|cs3Label=nothing"
                          "|cs4Label=??|cs4=x|Label=y|cef.labels.Rule_Name_new=deny"
                          "|cef.labels.a_b=7");
    const struct form prefixed = {.kind = FORM_CEF, .prefix = {"p.", 2}};
    CHECK_FORM(&prefixed, "CEF:0|||||||cs1=v cs1Label=L",
               "p.cef.version=0|p.cef.device_vendor=|p.cef.device_product=|p.cef.device_version="
               "|p.cef.device_event_class_id=|p.cef.name=|p.cef.severity=|p.cs1=v|p.cs1Label=L"
               "|p.cef.labels.L=v");
}

TEST(cef_damaged)
{
    CHECK_FORM(&cef, "CEF:0|Citrix|NetScaler|NS11.0|APPFW|START URL", NULL);
    CHECK_FORM(&cef, "CEF:0|Citrix|NetScaler|NS11.0|APPFW|START URL|", NULL);
    CHECK_FORM(&cef, "CEF:x|a|b|c|d|e|f|g=1", NULL);
    CHECK_FORM(&cef, "CEF:", NULL);
    CHECK_FORM(&cef, "CEF:0|\\", NULL);
    CHECK_FORM(&cef, "", NULL);
}

/* ---- LEEF --------------------------------------------------------------------------------- */

static const struct form leef = {.kind = FORM_LEEF};
#define LEEF_HEADER(version)                                                                       \
    "leef.version=" version                                                                        \
    "|leef.vendor=Lancope|leef.product=StealthWatch|leef.product_version=1.0"                      \
    "|leef.event_id=41"

TEST(leef_1)
{
    CHECK_FORM(&leef,
               "<13>Jan 18 h LEEF:1.0|Lancope|StealthWatch|1.0|41|src=192.0.2.1\tdst=192.0.2.2\t"
               "usrName=a b=c\tempty=\tmsg=\"q\"",
               LEEF_HEADER("1.0") "|src=192.0.2.1|dst=192.0.2.2|usrName=a b=c|empty=|msg=\"q\"");
    CHECK_FORM(&leef, "LEEF:1.0|Lancope|StealthWatch|1.0|41|^|a=1", LEEF_HEADER("1.0") "|a=1");
    CHECK_FORM(&leef, "LEEF:1.0|Lancope|StealthWatch|1.0|41|", LEEF_HEADER("1.0"));
    CHECK_FORM(&leef, "LEEF:1.0|Lancope|StealthWatch|1.0|41", LEEF_HEADER("1.0"));
}

TEST(leef_2)
{
    CHECK_FORM(&leef, "LEEF:2.0|Lancope|StealthWatch|1.0|41|^|src=192.0.2.1^My Key=a\tb^sev=5",
               LEEF_HEADER("2.0") "|src=192.0.2.1|My Key=a\tb|sev=5");
    CHECK_FORM(&leef, "LEEF:2.0|Lancope|StealthWatch|1.0|41|0x5e|a=1^b=2",
               LEEF_HEADER("2.0") "|a=1|b=2");
    CHECK_FORM(&leef, "LEEF:2.0|Lancope|StealthWatch|1.0|41|x7C|a=1|b=2",
               LEEF_HEADER("2.0") "|a=1|b=2");
    CHECK_FORM(&leef, "LEEF:2.0|Lancope|StealthWatch|1.0|41|x9|a=1\tb=2",
               LEEF_HEADER("2.0") "|a=1|b=2");
    CHECK_FORM(&leef, "LEEF:2.0|Lancope|StealthWatch|1.0|41||a=1\tb=2",
               LEEF_HEADER("2.0") "|a=1|b=2");
    /* Left out, though it must be there. */
    CHECK_FORM(&leef, "LEEF:2.0|Lancope|StealthWatch|1.0|41|a=1|2\tb=2",
               LEEF_HEADER("2.0") "|a=1|2|b=2");
    CHECK_FORM(&leef, "LEEF:2.0|Lancope|StealthWatch|1.0|41|xzz|a=1", LEEF_HEADER("2.0") "|a=1");
    CHECK_FORM(&leef, "LEEF:2.0|Lancope|StealthWatch|1.0|41|x00|a=1", LEEF_HEADER("2.0") "|a=1");
}

TEST(leef_damaged)
{
    CHECK_FORM(&leef, "LEEF:1.0|Lancope|StealthWatch|1.0", NULL);
    CHECK_FORM(&leef, "LEEF:3.0|a|b|c|d|e=1", NULL);
    CHECK_FORM(&leef, "LEEF:1.0", NULL);
    CHECK_FORM(&leef, "", NULL);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static const struct form json = {.kind = FORM_JSON};

TEST(json_object_in_a_text)
{
    CHECK_FORM(&json,
               "@cee: {\"a\":{\"b\":\"\\u00e5\",\"c\":[1,-2.5e3,{\"d\":true}]},\"e\":null} tail",
               "a.b=\xc3\xa5|a.c:=1|a.c:=-2.5e3|a.c.d?=true|e~=null");
    CHECK_FORM(&json, "{x} {y {\"a\" : [ ] , \"b\" : { } , \"c\" : [[\"x\"],[]]}",
               "a~=null|b~=null|c=x|c~=null");
    CHECK_FORM(&json, "{\"a.b\":1,\"a\":{\"b\":2},\"q\\\"\":3,\"\":4}", "a.b:=1|a.b:=2|q\":=3|:=4");
    CHECK_FORM(&json, "{}", "");
    const struct form prefixed = {.kind = FORM_JSON, .prefix = {"aws.", 4}};
    CHECK_FORM(&prefixed, "{\"a\":{\"b\":1},\"c\":2}", "aws.a.b:=1|aws.c:=2");
}

TEST(json_damaged)
{
    CHECK_FORM(&json, "{\"a\":1,\"b\":{\"c\":\"d\",\"e\":\"cut o", "a:=1|b.c=d");
    CHECK_FORM(&json, "{\"a\":1,\"b\":44", "a:=1"); /* of what may have been 443 */
    CHECK_FORM(&json, "{\"a\":1,\"b\":tru}", "a:=1");
    CHECK_FORM(&json, "{\"a\":1 \"b\":2}", "a:=1");
    CHECK_FORM(&json, "{\"a\":1,}", "a:=1");
    CHECK_FORM(&json, "{\"a\":[1,2}", "a:=1|a:=2");
    CHECK_FORM(&json, "{\"a\":1", NULL);
    CHECK_FORM(&json, "{\"a\"", NULL);
    CHECK_FORM(&json, "{\"", NULL);
    CHECK_FORM(&json, "{", NULL);
    CHECK_FORM(&json, "{a:1}", NULL);
    CHECK_FORM(&json, "[1]", NULL);
    CHECK_FORM(&json, "", NULL);
}

/* `open` as often as may stand in one another, and once more. */
static void check_depth(const struct form *form, const char *open, const char *inside,
                        unsigned levels, bool read)
{
    struct reading r;
    struct buf text;
    reading_begin(&r);
    buf_init(&text, 1 << 20);
    for (unsigned i = 0; i < levels; i++) buf_puts(&text, open);
    buf_puts(&text, inside);
    CHECK(form_read(form, buf_slice(&text), &r.ev) || !read);
    CHECK_INT(r.ev.n_fields, read);
    buf_done(&text);
    reading_end(&r);
}

TEST(depth_is_bounded)
{
    check_depth(&json, "{\"a\":", "1}", FORM_DEPTH_MAX, true);
    check_depth(&json, "{\"a\":", "1}", FORM_DEPTH_MAX + 1, false);
    const struct form xml = {.kind = FORM_XML};
    check_depth(&xml, "<a>", "1</a>", FORM_DEPTH_MAX, true);
    check_depth(&xml, "<a>", "1</a>", FORM_DEPTH_MAX + 1, false);
}

/* ---- XML ---------------------------------------------------------------------------------- */

static const struct form xml = {.kind = FORM_XML};

TEST(xml_windows_event)
{
    CHECK_FORM(
        &xml,
        "h: <Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        "<Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625}'/>"
        "<EventID Qualifiers=\"0\">4625</EventID><Correlation/><Security UserID = 'S-1-5-18' />"
        "<TimeCreated "
        "SystemTime='2022-04-28T16:09:28.9443547Z'/><Channel>Security</Channel></System>"
        "<EventData><Data Name='TargetUserName'>EXCHANGE-1$</Data><Data Name='Empty'></Data>"
        "<Data Name='None'/><Data>first</Data><Data>second</Data><Data Name=''>x</Data>"
        "<Data Name='CommandLine'>\"C:\\a&amp;b.exe\" </Data></EventData>\r\n"
        "<RenderingInfo Culture='sv-SE'><Message>Ett konto</Message></RenderingInfo></Event> tail",
        "Event.System.Provider.@Name=Microsoft-Windows-Security-Auditing"
        "|Event.System.Provider.@Guid={54849625}|Event.System.EventID.@Qualifiers=0"
        "|Event.System.EventID=4625|Event.System.Correlation~=null"
        "|Event.System.Security.@UserID=S-1-5-18"
        "|Event.System.TimeCreated.@SystemTime=2022-04-28T16:09:28.9443547Z"
        "|Event.System.Channel=Security|Event.EventData.TargetUserName=EXCHANGE-1$"
        "|Event.EventData.Empty=|Event.EventData.None=|Event.EventData.Data=first"
        "|Event.EventData.Data=second|Event.EventData.Data.@Name=|Event.EventData.Data=x"
        "|Event.EventData.CommandLine=\"C:\\a&b.exe\" "
        "|Event.RenderingInfo.@Culture=sv-SE|Event.RenderingInfo.Message=Ett konto");
    CHECK_FORM(&xml,
               "<Event><UserData><a:EventXML xmlns:a='u' a:t='1'><Param1>x</Param1></a:EventXML>"
               "</UserData></Event>",
               "Event.UserData.EventXML.@t=1|Event.UserData.EventXML.Param1=x");
}

TEST(xml_text)
{
    CHECK_FORM(&xml, "<a>1 &lt;2&gt; &amp;amp; &quot;&apos; &#65;&#x1F600;&#xE5;</a>",
               "a=1 <2> &amp; \"' A\xf0\x9f\x98\x80\xc3\xa5");
    CHECK_FORM(&xml,
               "<a>&nbsp; &; & &#; &#x; &#12a; &#xg; &lt &#0;&#xD800;&#1114112;&#99999999;</a>",
               "a=&nbsp; &; & &#; &#x; &#12a; &#xg; &lt "
               "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    CHECK_FORM(&xml, "<a>x<!-- <b>&amp; -->y<![CDATA[<c>&amp;]]>z<?p i?></a>", "a=xy<c>&amp;z");
    CHECK_FORM(&xml, "<a>\n  one\n  <b>2 < 3 </b>\n  <c/> two <d> </d>\n</a>",
               "a=one|a.b=2 < 3 |a.c~=null|a=two|a.d~=null");
    CHECK_FORM(&xml, "<a x='&lt;<!--' y=\"1&#10;2\"/>", "a.@x=<<!--|a.@y=1\n2");
    CHECK_FORM(&xml, "<a><![CDATA[]]></a>", "a~=null");
}

TEST(xml_before_the_root)
{
    CHECK_FORM(&xml, "<13>1 - <?xml version='1.0'?><!-- c --> 1 < 2 <a>x</a><b>y</b>", "a=x");
    const struct form prefixed = {.kind = FORM_XML, .prefix = {"p.", 2}};
    CHECK_FORM(&prefixed, "<a b='1'><c>2</c></a>", "p.a.@b=1|p.a.c=2");
    CHECK_FORM(&xml, "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", NULL);
    CHECK_FORM(&xml, "<a><b>1</b><!DOCTYPE a><b>2</b></a>", "a.b=1");
    CHECK_FORM(&xml, "</a><b/>", NULL);
    CHECK_FORM(&xml, "text < 3", NULL);
    CHECK_FORM(&xml, "<", NULL);
    CHECK_FORM(&xml, "", NULL);
}

TEST(xml_damaged)
{
    CHECK_FORM(&xml, "<a><b>1</b><c>cut o", "a.b=1|a.c=cut o");
    CHECK_FORM(&xml, "<a><b>1</b><c d='cut", "a.b=1");
    CHECK_FORM(&xml, "<a><b>1</b><c", "a.b=1");
    CHECK_FORM(&xml, "<a><b>1</b", "a.b=1");
    CHECK_FORM(&xml, "<a>x<!-- cut <b>1</b>", "a=x");
    CHECK_FORM(&xml, "<a><![CDATA[cut <b>", "a=cut <b>");
    CHECK_FORM(&xml, "<a><b>1</x></b><c>2</a><d>3</d>", "a.b=1|a.c=2");
    CHECK_FORM(&xml, "<a><b>1<c>2</b><d>3</d></a>", "a.b=1|a.b.c=2|a.d=3");
    CHECK_FORM(&xml, "<a b=1>x</a>", NULL);
    CHECK_FORM(&xml, "<a b>x</a>", NULL);
    CHECK_FORM(&xml, "<a><b>1</b></><c>2</c></a>", "a.b=1");
    CHECK_FORM(&xml, "<a/ >", NULL);
    CHECK_FORM(&xml, "<:>", NULL);
    CHECK_FORM(&xml, "<n:>", NULL);
}

/* ---- URL ---------------------------------------------------------------------------------- */

static const struct form url = {.kind = FORM_URL};

TEST(url_absolute)
{
    CHECK_FORM(&url, "https://u:p@www.example.se:8443/a/b.tar.gz?x=1&y=/?#frag?#",
               "url.original=https://u:p@www.example.se:8443/a/b.tar.gz?x=1&y=/?#frag?#"
               "|url.full=https://u:p@www.example.se:8443/a/b.tar.gz?x=1&y=/?#frag?#"
               "|url.scheme=https|url.username=u|url.domain=www.example.se|url.port:=8443"
               "|url.path=/a/b.tar.gz|url.extension=gz|url.query=x=1&y=/?|url.fragment=frag?#");
    CHECK_FORM(&url, " ftp://[2001:db8::1]:21 ",
               "url.original=ftp://[2001:db8::1]:21|url.full=ftp://[2001:db8::1]:21"
               "|url.scheme=ftp|url.domain=[2001:db8::1]|url.port:=21");
    CHECK_FORM(&url, "http://a@b@h?q",
               "url.original=http://a@b@h?q|url.full=http://a@b@h?q|url.scheme=http"
               "|url.username=a@b|url.domain=h|url.query=q");
    CHECK_FORM(&url, "http://[::1]/.ssh",
               "url.original=http://[::1]/.ssh|url.full=http://[::1]/.ssh|url.scheme=http"
               "|url.domain=[::1]|url.path=/.ssh");
    CHECK_FORM(&url, "file:///etc/passwd",
               "url.original=file:///etc/passwd|url.full=file:///etc/passwd|url.scheme=file"
               "|url.path=/etc/passwd");
    /* No port. */
    CHECK_FORM(&url, "http://h:70000/",
               "url.original=http://h:70000/|url.full=http://h:70000/|url.scheme=http"
               "|url.domain=h|url.path=/");
    CHECK_FORM(&url, "http://h:",
               "url.original=http://h:|url.full=http://h:|url.scheme=http|url.domain=h");
    CHECK_FORM(&url, "http://h:08",
               "url.original=http://h:08|url.full=http://h:08|url.scheme=http"
               "|url.domain=h");
}

TEST(url_targets)
{
    CHECK_FORM(&url, "/cgi-bin/x.PHP?a=b?c#d",
               "url.original=/cgi-bin/x.PHP?a=b?c#d|url.path=/cgi-bin/x.PHP|url.extension=PHP"
               "|url.query=a=b?c|url.fragment=d");
    CHECK_FORM(&url, "/", "url.original=/|url.path=/");
    CHECK_FORM(&url, "//etc/passwd", "url.original=//etc/passwd|url.path=//etc/passwd");
    CHECK_FORM(&url, "/a.b/c", "url.original=/a.b/c|url.path=/a.b/c");
    CHECK_FORM(&url, "/r?u=http://x/",
               "url.original=/r?u=http://x/|url.path=/r|url.query=u=http://x/");
    const struct form referrer = {.kind = FORM_URL, .prefix = {"http.request.referrer.", 22}};
    CHECK_FORM(&referrer, "/a", "http.request.referrer.original=/a|http.request.referrer.path=/a");
}

TEST(url_without_a_scheme)
{
    CHECK_FORM(&url, "www.example.se:443",
               "url.original=www.example.se:443|url.domain=www.example.se|url.port:=443");
    CHECK_FORM(&url, "www.example.se/p?q",
               "url.original=www.example.se/p?q|url.domain=www.example.se|url.path=/p|url.query=q");
    CHECK_FORM(&url, "[::1]:80", "url.original=[::1]:80|url.domain=[::1]|url.port:=80");
    CHECK_FORM(&url, "localhost:8080/",
               "url.original=localhost:8080/|url.domain=localhost"
               "|url.port:=8080|url.path=/");
    static const char *const others[] = {"",       "-",     "word",  "mailto:a@example.se",
                                         "data:,", "a b.c", "?q",    "a:99999",
                                         "x@y.z",  ":80",   "://h/", "about:blank"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) CHECK_FORM(&url, others[i], NULL);
}

/* ---- what is written comes back ----------------------------------------------------------- */

/* How a form writes a value: what stands around it, and each byte that must be escaped. */
struct writing {
    struct form form;
    const char *before, *behind, *name;
    const char *bytes; /* values are made of them */
    struct {
        char byte;
        const char *as;
    } escapes[4];
};

static const struct writing writings[] = {
    {{.kind = FORM_KV}, "a=\"", "\" z=1", "a", "x \"'\\=],", {{'"', "\\\""}, {'\\', "\\\\"}}},
    {{.kind = FORM_KV, .separator = ','}, "z=1,a=", ",b=2", "a", "x\"=,]y", {{',', "\\,"}}},
    {{.kind = FORM_CSV, .columns = columns, .n_columns = 1},
     "\"",
     "\",z",
     "rule",
     "x\",; '",
     {{'"', "\"\""}}},
    {{.kind = FORM_CEF},
     "CEF:0|v|p|1|i|",
     "|5|z=1",
     "cef.name",
     "x|\\=n\"",
     {{'|', "\\|"}, {'\\', "\\\\"}}},
    {{.kind = FORM_CEF},
     "CEF:0|v|p|1|i|n|5|a=",
     " z=1",
     "a",
     "x=\\|\n\"",
     {{'=', "\\="}, {'\\', "\\\\"}, {'\n', "\\n"}}},
    {{.kind = FORM_JSON},
     "{\"a\":\"",
     "\",\"z\":1}",
     "a",
     "x\"\\{}\n",
     {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}}},
    {{.kind = FORM_XML}, "<a>", "</a>", "a", "x<&>;\"", {{'<', "&lt;"}, {'&', "&#38;"}}},
    {{.kind = FORM_XML}, "<a b='", "'>z</a>", "a.@b", "x<&'>", {{'\'', "&apos;"}, {'&', "&#x26;"}}},
};

static void put_escaped(struct buf *out, const struct writing *w, char c)
{
    for (size_t i = 0; i < 4 && w->escapes[i].as; i++) {
        if (w->escapes[i].byte != c) continue;
        buf_puts(out, w->escapes[i].as);
        return;
    }
    buf_putc(out, c);
}

static void check_round_trip(struct reading *r, struct buf *text, const struct writing *w,
                             struct slice value)
{
    buf_clear(text);
    buf_puts(text, w->before);
    for (size_t i = 0; i < value.len; i++) put_escaped(text, w, value.ptr[i]);
    buf_puts(text, w->behind);
    event_reset(&r->ev);
    CHECK(form_read(&w->form, buf_slice(text), &r->ev));
    struct event_field *f = event_find(&r->ev, slice_of(w->name));
    if (!f || !slice_eq(event_text(&r->ev, f), value))
        test_fail(__FILE__, __LINE__, "%.*s came back as %.*s", SLICE_FMT(buf_slice(text)),
                  f ? (int)f->value.len : 4, f ? f->value.ptr : "none");
}

TEST(written_values_come_back)
{
    enum { LEN_MAX = 4 };
    struct reading r;
    struct buf text;
    reading_begin(&r);
    buf_init(&text, 1 << 12);
    for (size_t i = 0; i < sizeof writings / sizeof *writings; i++) {
        const struct writing *w = &writings[i];
        size_t n_bytes = strlen(w->bytes), n = n_bytes;
        for (size_t len = 1; len <= LEN_MAX; len++, n *= n_bytes) {
            for (size_t k = 0; k < n; k++) {
                /* Letters at both ends: blanks there would be trimmed, a quote would be one. */
                char value[LEN_MAX + 2] = "v";
                for (size_t at = 1, rest = k; at <= len; at++, rest /= n_bytes)
                    value[at] = w->bytes[rest % n_bytes];
                value[len + 1] = 'w';
                check_round_trip(&r, &text, w, slice_make(value, len + 2));
            }
        }
    }
    buf_done(&text);
    reading_end(&r);
}

/* ---- all of them -------------------------------------------------------------------------- */

static const struct slice many[] = {COLUMN("a"), COLUMN("b"), COLUMN("c")};
static const struct form forms[] = {
    {.kind = FORM_KV},
    {.kind = FORM_KV, .separator = ';', .assign = ':'},
    {.kind = FORM_KV, .separator = ','},
    {.kind = FORM_CSV, .columns = many, .n_columns = 3},
    {.kind = FORM_CEF},
    {.kind = FORM_LEEF},
    {.kind = FORM_JSON},
    {.kind = FORM_XML},
    {.kind = FORM_URL},
};
static const char *const texts[] = {
    "words a=\"x \\\" y\" b='c' d=e f, g=h\\,i, j k=l; m:\"n;\"; o: p",
    "1,\"a \"\"b\"\" c\",,x",
    "CEF:0|v\\|w|p|1|id|n|5|cs1Label=A b cs1=x\\=y\\n msg=t u",
    "LEEF:2.0|v|p|1|id|0x5e|a=b^c=d",
    "x {\"a\":{\"b\\u00e5\":[1,\"\\n\",{\"c\":true}],\"d\":{}},\"e\":null}",
    "<?xml?><!-- c --><n:a x='&#65;'>t &amp; <b><![CDATA[u]]></b><c/></n:a>",
    "https://u:p@h.se:80/a/b.c?d#e",
};

/* Every beginning of every text: values are parts of it, or lie in the arena. */
TEST(beginnings_of_texts)
{
    struct reading r;
    reading_begin(&r);
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
            struct slice text = slice_of(texts[t]);
            for (size_t len = 0; len <= text.len; len++) {
                char *copy;
                event_reset(&r.ev);
                bool has = read_copy(&r, &forms[f], slice_until(text, len), &copy);
                CHECK(has || r.ev.n_fields == 0);
                for (uint32_t i = 0; i < r.ev.n_fields; i++)
                    CHECK(r.ev.fields[i].type == VALUE_NULL || r.ev.fields[i].value.len <= len);
                (void)written(&r);
                free(copy);
            }
        }
    }
    reading_end(&r);
}

TEST(nothing_has_no_form)
{
    struct reading r;
    reading_begin(&r);
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
        CHECK(!form_read(&forms[f], SLICE_NONE, &r.ev));
    CHECK_INT(r.ev.n_fields, 0);
    reading_end(&r);
}

/* What does not fit ends the reading and is said. */
TEST(limits_of_an_event)
{
    struct reading r;
    struct buf text;
    reading_begin(&r);
    buf_init(&text, 1 << 20);
    for (int i = 0; i <= EVENT_FIELDS_MAX; i++) buf_puts(&text, "a=\"\\\"\" ");
    CHECK(form_read(&kv, buf_slice(&text), &r.ev));
    CHECK_INT(r.ev.n_fields, EVENT_FIELDS_MAX);
    CHECK(r.ev.flags & EVENT_CUT);
    reading_end(&r);

    reading_begin(&r);
    arena_done(&r.arena);
    arena_init(&r.arena, 0);
    CHECK(form_read(&kv, SLICE("a=1 b=\"x\\\"y\" c=3"), &r.ev));
    CHECK_SLICE(written(&r), "a=1|b=x\\\"y");
    CHECK(r.ev.flags & EVENT_CUT);
    reading_end(&r);
    buf_done(&text);
}
