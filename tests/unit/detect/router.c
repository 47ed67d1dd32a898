/* SPDX-License-Identifier: EUPL-1.2 */
#include <dirent.h>
#include <stdlib.h>

#include "detect/taxonomy.h"
#include "normalise/decoder.h"
#include "test.h"

struct bench {
    struct taxonomy *t;
    struct keys *keys;
    struct router *r;
    struct arena arena;
    struct event ev;
};

static void bench_open(struct bench *b, const char *own)
{
    b->t = taxonomy_new();
    b->keys = keys_new();
    REQUIRE(b->t && b->keys);
    struct diag diag;
    if (own) REQUIRE(taxonomy_add(b->t, "own.yml", slice_of(own), &diag) == 0);
    b->r = router_new(b->t, b->keys);
    REQUIRE(b->r);
    arena_init(&b->arena, 1024 * 1024);
    event_init(&b->ev, b->keys, &b->arena);
}

static void bench_close(struct bench *b)
{
    event_done(&b->ev);
    arena_done(&b->arena);
    router_free(b->r);
    keys_free(b->keys);
    taxonomy_free(b->t);
}

/* "name=value;name=value"; a value in <> is null. */
static struct event *event_of(struct bench *b, const char *text)
{
    event_reset(&b->ev);
    b->ev.format = "json";
    struct slice rest = slice_of(text), pair, name, value;
    while (rest.len) {
        slice_split(rest, ';', &pair, &rest);
        slice_split(pair, '=', &name, &value);
        bool null = slice_eq(value, SLICE("<>"));
        event_add_named(&b->ev, name, null ? VALUE_NULL : VALUE_JSON_STRING,
                        null ? SLICE("null") : value);
    }
    return &b->ev;
}

static const struct taxonomy_route *route_of(struct bench *b, const char *text)
{
    const struct taxonomy_route *route = router_route(b->r, event_of(b, text));
    CHECK(route == router_route(b->r, event_of(b, text)));
    return route;
}

static struct sigma_logsource source(const char *product, const char *category, const char *service)
{
    return (struct sigma_logsource){slice_of(product), slice_of(category), slice_of(service)};
}

static void check_applies(struct bench *b, int line, const char *text, const char *product,
                          const char *category, const char *service, bool want)
{
    struct sigma_logsource ls = source(product, category, service);
    const struct taxonomy_route *route = route_of(b, text);
    if (taxonomy_applies(route, &ls) == want) return;
    test_fail(__FILE__, line, "%s/%s/%s %s to %s", product, category, service,
              want ? "does not apply" : "applies", text);
}

#define YES(event, p, c, s) check_applies(&b, __LINE__, event, p, c, s, true)
#define NO(event, p, c, s)  check_applies(&b, __LINE__, event, p, c, s, false)

static void check_fields(struct bench *b, int line, const char *text, struct sigma_logsource ls,
                         const char *field, const char *want)
{
    struct slice names[8];
    const struct taxonomy_route *route = route_of(b, text);
    uint32_t n = taxonomy_fields(route, &ls, slice_of(field), names, 8);
    char got[256] = "";
    size_t len = 0;
    for (uint32_t i = 0; i < n && len < sizeof got; i++)
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%.*s", i ? " " : "",
                                SLICE_FMT(names[i]));
    if (strcmp(got, want) != 0)
        test_fail(__FILE__, line, "%s is \"%s\", not \"%s\"", field, got, want);
}

#define FIELDS(event, p, c, s, field, want)                                                        \
    check_fields(&b, __LINE__, event, source(p, c, s), field, want)

#define SYSMON_CHANNEL "Channel=Microsoft-Windows-Sysmon/Operational;"
#define SYSMON1        SYSMON_CHANNEL "EventID=1;Provider_Name=Microsoft-Windows-Sysmon;Computer=A"
#define SECURITY4688                                                                               \
    "Channel=Security;EventID=4688;NewProcessName=C:\\\\a.exe;ProcessId=4;Computer=A"

TEST(sysmon_in_every_shape)
{
    struct bench b;
    bench_open(&b, NULL);
    static const char *const shapes[] = {
        SYSMON1,
        "Event.System.Channel=Microsoft-Windows-Sysmon/Operational;Event.System.EventID=1;"
        "Event.System.Provider.#attributes.Name=Microsoft-Windows-Sysmon;Event.EventData.Image=x",
        "winlog.channel=Microsoft-Windows-Sysmon/"
        "Operational;event.code=1;winlog.event_data.Image=x",
        "winlog.channel=Microsoft-Windows-Sysmon\\/Operational;winlog.event_id=1",
        "SourceName=Microsoft-Windows-Sysmon;Hostname=h;Channel=microsoft-windows-sysmon/"
        "operational;"
        "EventID=1;Message=x",
        "winlog.channel=ForwardedEvents;winlog.provider_name=Microsoft-Windows-Sysmon;event.code=1",
        "Provider_Name=Microsoft-Windows-Sysmon;EventID=1",
        "_source.winlog.provider_name=Microsoft-Windows-Sysmon;_source.event.code=1",
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        YES(shapes[i], "windows", "process_creation", "");
        YES(shapes[i], "windows", "", "sysmon");
        YES(shapes[i], "windows", "", "");
        YES(shapes[i], "", "process_creation", "");
        YES(shapes[i], "windows", "process_creation", "sysmon");
        NO(shapes[i], "windows", "", "security");
        NO(shapes[i], "windows", "file_event", "");
        NO(shapes[i], "linux", "process_creation", "");
        NO(shapes[i], "linux", "", "");
        NO(shapes[i], "", "proxy", "");
        FIELDS(shapes[i], "windows", "process_creation", "", "Image", "Image");
    }
    bench_close(&b);
}

TEST(sysmon_event_ids)
{
    struct bench b;
    bench_open(&b, NULL);
    YES(SYSMON_CHANNEL "EventID=13", "windows", "registry_set", "");
    YES(SYSMON_CHANNEL "EventID=13", "windows", "registry_event", "");
    NO(SYSMON_CHANNEL "EventID=13", "windows", "registry_add", "");
    YES(SYSMON_CHANNEL "EventID=12;EventType=CreateKey", "windows", "registry_add", "");
    NO(SYSMON_CHANNEL "EventID=12;EventType=CreateKey", "windows", "registry_delete", "");
    YES(SYSMON_CHANNEL "EventID=12;EventType=DeleteValue", "windows", "registry_delete", "");
    NO(SYSMON_CHANNEL "EventID=12;EventType=DeleteKey", "windows", "registry_add", "");
    YES(SYSMON_CHANNEL "EventID=12", "windows", "registry_add", "");
    YES(SYSMON_CHANNEL "EventID=12", "windows", "registry_delete", "");
    YES(SYSMON_CHANNEL "EventID=17", "windows", "pipe_created", "");
    YES(SYSMON_CHANNEL "EventID=255", "windows", "sysmon_error", "");
    NO(SYSMON_CHANNEL "EventID=1", "windows", "driver_load", "");
    NO(SYSMON_CHANNEL "EventID=11", "windows", "process_creation", "");
    /* An event number of a later version: Sysmon, none of the categories. */
    YES(SYSMON_CHANNEL "EventID=77", "windows", "", "sysmon");
    NO(SYSMON_CHANNEL "EventID=77", "windows", "process_creation", "");
    bench_close(&b);
}

TEST(security_4688_is_process_creation)
{
    struct bench b;
    bench_open(&b, NULL);
    static const char *const shapes[] = {
        SECURITY4688,
        "Channel=security;EventID=4688;NewProcessName=x",
        "SourceName=Microsoft-Windows-Security-Auditing;EventID=4688;NewProcessName=x",
        "EventID=4688;NewProcessName=x",
        "winlog.channel=Security;event.code=4688;winlog.event_data.NewProcessName=x",
        ("Event.System.Channel=Security;Event.System.EventID.#text=4688;"
         "Event.EventData.NewProcessName=x"),
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        YES(shapes[i], "windows", "process_creation", "");
        YES(shapes[i], "windows", "", "security");
        NO(shapes[i], "windows", "", "sysmon");
        NO(shapes[i], "windows", "image_load", "");
        FIELDS(shapes[i], "windows", "process_creation", "", "Image", "NewProcessName");
        FIELDS(shapes[i], "windows", "process_creation", "", "image", "NewProcessName");
        FIELDS(shapes[i], "", "process_creation", "", "ParentImage", "ParentProcessName");
        FIELDS(shapes[i], "windows", "process_creation", "", "ProcessId", "NewProcessId");
        FIELDS(shapes[i], "windows", "process_creation", "", "ParentProcessId", "ProcessId");
        FIELDS(shapes[i], "windows", "process_creation", "", "CommandLine",
               "CommandLine ProcessCommandLine");
        FIELDS(shapes[i], "windows", "process_creation", "", "OriginalFileName",
               "OriginalFileName");
        /* Rules for the Security log, or for Windows at large, mean the record's own names. */
        FIELDS(shapes[i], "windows", "", "security", "ProcessId", "ProcessId");
        FIELDS(shapes[i], "windows", "", "security", "Image", "Image");
        FIELDS(shapes[i], "windows", "", "", "ProcessId", "ProcessId");
    }
    bench_close(&b);
}

TEST(other_security_events)
{
    struct bench b;
    bench_open(&b, NULL);
    const char *set = "Channel=Security;EventID=4657;OperationType=%%1905;Computer=A";
    YES(set, "windows", "registry_set", "");
    YES(set, "windows", "registry_event", "");
    NO(set, "windows", "registry_delete", "");
    FIELDS(set, "windows", "registry_set", "", "TargetObject", "ObjectName ObjectValueName");
    FIELDS(set, "windows", "registry_event", "", "Details", "NewValue");
    YES("Channel=Security;EventID=4657;OperationType=%%1906", "windows", "registry_delete", "");
    YES("Channel=Security;EventID=5156", "windows", "network_connection", "");
    FIELDS("Channel=Security;EventID=5156", "windows", "network_connection", "", "DestinationIp",
           "DestAddress");
    NO("Channel=Security;EventID=4624", "windows", "process_creation", "");
    /* Equal text, another place. */
    NO("Channel=Application;EventID=4688;Computer=A", "windows", "process_creation", "");
    bench_close(&b);
}

TEST(powershell)
{
    struct bench b;
    bench_open(&b, NULL);
    const char *classic = "Channel=Windows PowerShell;EventID=400;Message=x";
    YES(classic, "windows", "ps_classic_start", "");
    YES(classic, "windows", "", "powershell-classic");
    NO(classic, "windows", "", "powershell");
    FIELDS(classic, "windows", "ps_classic_start", "", "Data",
           "Data param1 param2 param3 Message message");
    FIELDS(classic, "windows", "", "powershell-classic", "Data",
           "Data param1 param2 param3 Message message");
    YES("Channel=Windows PowerShell;EventID=600", "windows", "ps_classic_provider_start", "");
    YES("Channel=PowerShellCore/Operational;EventID=4104", "windows", "ps_script", "");
    YES("Channel=Microsoft-Windows-PowerShell/Operational;EventID=4103", "windows", "ps_module",
        "");
    NO("Channel=Microsoft-Windows-PowerShell/Operational;EventID=4103", "windows", "ps_script", "");
    YES("SourceName=PowerShell;EventID=800", "windows", "ps_classic_script", "");
    bench_close(&b);
}

TEST(unknown_channel_is_windows_and_closed)
{
    struct bench b;
    bench_open(&b, NULL);
    const char *ev = "Channel=Contoso/Operational;EventID=1;Computer=A";
    YES(ev, "windows", "", "");
    NO(ev, "windows", "process_creation", "");
    NO(ev, "windows", "", "sysmon");
    NO(ev, "windows", "", "contoso");
    NO(ev, "linux", "", "");
    /* A word "Channel" alone makes no Windows record. */
    YES("Channel=general;text=hello", "linux", "", "");
    bench_close(&b);
}

TEST(unknown_event_is_open)
{
    struct bench b;
    bench_open(&b, NULL);
    static const char *const events[] = {
        "",
        "message=hello",
        "EventID=1;Image=x",
        "Product=Microsoft Windows;Category=x",
        "service=checkout;msg=x",
        "category=audit-trail;msg=x",
        "product=<>;category=<>",
        "product=;category=",
        "product=  ",
        "program=my-own-daemon;message=x",
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        const struct taxonomy_route *route = route_of(&b, events[i]);
        CHECK_INT(route->n_labels, 0);
        CHECK(route->open_product && route->open_category && route->open_service);
        YES(events[i], "windows", "process_creation", "");
        YES(events[i], "linux", "", "auditd");
        YES(events[i], "", "proxy", "");
        FIELDS(events[i], "windows", "process_creation", "", "Image", "Image");
    }
    /* A rule that names a collector's field means the plain one too. */
    FIELDS("message=x", "windows", "", "", "winlog.event_data.Image",
           "winlog.event_data.Image Image");
    FIELDS("message=x", "windows", "", "", "Hostname", "Hostname Computer");
    bench_close(&b);
}

TEST(explicit_labels)
{
    struct bench b;
    bench_open(&b, NULL);
    /* product only: the rest is open */
    YES("message=x;product=windows", "windows", "", "security");
    YES("message=x;product=Windows", "windows", "process_creation", "");
    NO("message=x;product=windows", "linux", "", "");
    YES("message=x;product=windows", "", "proxy", "");
    /* with a category the service is closed, and the other way round */
    const char *pc = "EventID=1;Image=x;product=windows;category=process_creation";
    YES(pc, "windows", "process_creation", "");
    YES(pc, "", "process_creation", "");
    YES(pc, "windows", "", "");
    NO(pc, "windows", "", "sysmon");
    NO(pc, "windows", "file_event", "");
    NO(pc, "linux", "process_creation", "");
    FIELDS(pc, "windows", "process_creation", "", "Image", "Image");
    const char *aaa = "message=x;product=cisco;service=aaa";
    YES(aaa, "cisco", "", "aaa");
    NO(aaa, "cisco", "", "bgp");
    NO(aaa, "cisco", "file_event", "aaa");
    /* words nobody knows count beside a product */
    NO("f=1;product=synthetic", "windows", "", "");
    YES("f=1;product=synthetic;category=odd", "synthetic", "odd", "");
    NO("f=1;product=synthetic;category=odd", "synthetic", "even", "");
    /* without a product, only words that Sigma has */
    YES("Image=x;category=process_creation", "windows", "process_creation", "");
    YES("Image=x;category=process_creation", "linux", "process_creation", "");
    NO("Image=x;category=process_creation", "windows", "file_event", "");
    YES("Image=x;category=unheard-of", "windows", "file_event", "");
    bench_close(&b);
}

TEST(explicit_labels_beside_sources)
{
    struct bench b;
    bench_open(&b, NULL);
    /* What the record itself shows stays, with its map. */
    const char *ev = SECURITY4688 ";product=windows;category=process_creation";
    YES(ev, "windows", "process_creation", "");
    YES(ev, "windows", "", "security");
    FIELDS(ev, "windows", "process_creation", "", "Image", "NewProcessName");
    CHECK(route_of(&b, ev) == route_of(&b, SECURITY4688));
    const char *more = SYSMON1 ";product=windows;category=mine";
    YES(more, "windows", "mine", "");
    YES(more, "windows", "process_creation", "");
    NO(more, "windows", "file_event", "");
    /* Zeek's own column `service` is no label. */
    const char *conn = "_path=conn;ts=1;id.orig_h=1.2.3.4;service=http";
    YES(conn, "zeek", "", "conn");
    NO(conn, "zeek", "", "http");
    bench_close(&b);
}

TEST(explicit_labels_are_bounded)
{
    struct bench b;
    bench_open(&b, NULL);
    char text[512], long_name[400];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    snprintf(text, sizeof text, "x=1;product=%s", long_name);
    YES(text, "windows", "", "");
    /* More names than there is room for: each time right, or at least open. */
    uint32_t most = 0;
    for (int i = 0; i < 6000; i++) {
        snprintf(text, sizeof text, "x=1;product=p%d;category=c%d", i, i % 7);
        const struct taxonomy_route *route = router_route(b.r, event_of(&b, text));
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        struct sigma_logsource ls = source(name, "", "");
        CHECK(taxonomy_applies(route, &ls));
        if (route->id > most) most = route->id;
    }
    CHECK(most < TAXONOMY_ROUTES_MAX);
    /* Real events still have their routes. */
    YES(SECURITY4688, "windows", "process_creation", "");
    NO(SECURITY4688, "windows", "", "sysmon");
    FIELDS(SECURITY4688, "windows", "process_creation", "", "Image", "NewProcessName");
    bench_close(&b);
}

TEST(linux_logs)
{
    struct bench b;
    bench_open(&b, NULL);
    const char *sysmon =
        "Channel=Linux-Sysmon/Operational;EventID=1;Provider_Name=Linux-Sysmon;Computer=a";
    YES(sysmon, "linux", "process_creation", "");
    NO(sysmon, "windows", "process_creation", "");
    NO(sysmon, "windows", "", "");
    YES("type=EXECVE;audit.timestamp=1.2;a0=id", "linux", "", "auditd");
    NO("type=EXECVE;audit.timestamp=1.2;a0=id", "linux", "process_creation", "");
    const char *call = "type=SYSCALL;audit.timestamp=1.2;syscall=59;syscall=execve;exe=/bin/id";
    YES(call, "linux", "process_creation", "");
    YES(call, "linux", "", "auditd");
    FIELDS(call, "linux", "process_creation", "", "Image", "exe SYSCALL.exe");
    NO("type=SYSCALL;audit.timestamp=1.2;syscall=2;exe=/bin/id", "linux", "process_creation", "");
    NO("type=SYSCALL;audit.timestamp=1.2;syscall=59;success=no;exe=/bin/id", "linux",
       "process_creation", "");
    YES("type=SYSCALL;syscall=42;exe=/usr/bin/python3;product=linux", "linux", "", "auditd");
    YES("program=sshd;message=x", "linux", "", "sshd");
    YES("program=sshd;message=x", "linux", "", "auth");
    YES("program=sshd;message=x", "linux", "", "");
    NO("program=sshd;message=x", "linux", "", "cron");
    NO("program=sshd;message=x", "windows", "", "");
    YES("program=CRON;message=x", "linux", "", "cron");
    YES("program=systemd-networkd;message=x", "linux", "", "syslog");
    YES("SYSLOG_IDENTIFIER=sudo;MESSAGE=x", "linux", "", "sudo");
    bench_close(&b);
}

TEST(network_logs)
{
    struct bench b;
    bench_open(&b, NULL);
    const char *dns = "_path=dns;ts=1;id.orig_h=1.2.3.4;query=a.b;qtype_name=A";
    YES(dns, "zeek", "", "dns");
    YES(dns, "", "dns", "");
    YES(dns, "", "network", "dns");
    NO(dns, "zeek", "", "http");
    NO(dns, "", "proxy", "");
    NO(dns, "suricata", "", "dns");
    FIELDS(dns, "", "dns", "", "record_type", "qtype_name");
    FIELDS(dns, "zeek", "", "dns", "query", "query");
    FIELDS(dns, "", "network", "dns", "dns.question.name", "query dns.question.name");
    const char *http = "_path=http;ts=1;id.orig_h=1.2.3.4;uri=/x";
    YES(http, "", "proxy", "");
    YES(http, "", "webserver", "");
    FIELDS(http, "", "webserver", "", "cs-uri-query", "uri");
    FIELDS(http, "zeek", "", "http", "c-uri", "uri");
    YES("_path=zigbee;ts=1", "zeek", "", "");
    NO("_path=zigbee;ts=1", "zeek", "", "dns");
    /* Zeek's JSON does not name the log. */
    const char *plain = "ts=1;uid=C1;id.orig_h=1.2.3.4;id.resp_h=1.1.1.1;conn_state=SF;service=dns";
    YES(plain, "zeek", "", "conn");
    YES(plain, "", "firewall", "");
    NO(plain, "zeek", "", "dns");
    FIELDS(plain, "", "firewall", "", "dst_ip", "id.resp_h");
    const char *files = "ts=1;fuid=F1;source=HTTP;seen_bytes=7";
    YES(files, "zeek", "", "files");
    NO(files, "zeek", "", "http");
    const char *eve = "event_type=dns;flow_id=1;src_ip=1.2.3.4;dest_ip=1.1.1.1;dns.rrname=a.b";
    YES(eve, "suricata", "", "dns");
    YES(eve, "", "dns", "");
    NO(eve, "zeek", "", "dns");
    FIELDS(eve, "", "dns", "", "query", "dns.rrname dns.queries.rrname");
    YES("event_type=flow;flow_id=1;src_ip=a;dest_ip=b", "", "firewall", "");
    FIELDS("event_type=flow;flow_id=1;src_ip=a;dest_ip=b", "", "firewall", "", "dst_ip", "dest_ip");
    YES("program=%AAA-5-USER_LOGGED;message=x", "cisco", "", "aaa");
    NO("program=%AAA-5-USER_LOGGED;message=x", "cisco", "", "bgp");
    YES("program=%IP-TCP-3-BADAUTH;message=x", "cisco", "", "bgp");
    YES("program=%TCP-6-BADAUTH;message=x", "cisco", "", "ldp");
    YES("program=%%01BGP/3/AUTH;message=x", "huawei", "", "bgp");
    NO("program=%%01BGP/3/AUTH;message=x", "cisco", "", "bgp");
    bench_close(&b);
}

TEST(flows_are_what_a_firewall_saw)
{
    struct bench b;
    bench_open(&b, NULL);
    const char *flow =
        "netflow.type=netflow_flow;source.ip=10.0.0.1;destination.ip=10.0.0.2;destination.port=22";
    YES(flow, "", "", "netflow");
    YES(flow, "", "firewall", "");
    YES(flow, "", "network", "connection");
    NO(flow, "", "network", "dns");
    NO(flow, "windows", "process_creation", "");
    FIELDS(flow, "", "firewall", "", "dst_port", "destination.port");
    FIELDS(flow, "", "firewall", "", "src_ip", "source.ip");
    YES("netflow.type=netflow_options", "", "", "netflow");
    NO("netflow.type=netflow_options", "", "firewall", "");
    bench_close(&b);
}

TEST(web_and_cloud_logs)
{
    struct bench b;
    bench_open(&b, NULL);
    const char *iis = "date=2026-01-02;time=03:04:05;cs-method=GET;cs-uri-stem=/;cs-uri-query=-;"
                      "cs(User-Agent)=x;sc-status=200";
    YES(iis, "", "webserver", "");
    NO(iis, "", "proxy", "");
    YES(iis, "apache", "webserver", "");
    FIELDS(iis, "", "webserver", "", "cs-user-agent", "cs-user-agent cs(User-Agent) cs-useragent");
    const char *proxy = "c-uri=http://a/;cs-host=a;cs-method=GET";
    YES(proxy, "", "proxy", "");
    NO(proxy, "", "webserver", "");
    const char *trail =
        "eventSource=s3.amazonaws.com;eventName=x;eventVersion=1.08;awsRegion=eu-north-1";
    YES(trail, "aws", "", "cloudtrail");
    NO(trail, "azure", "", "");
    NO(trail, "m365", "", "exchange");
    const char *audit =
        "category=AuditLogs;operationName=Add user;properties.category=UserManagement";
    YES(audit, "azure", "", "auditlogs");
    NO(audit, "azure", "", "signinlogs");
    FIELDS(audit, "azure", "", "auditlogs", "Category", "properties.category Category category");
    YES("category=SignInLogs;operationName=Sign-in activity;resultType=0", "azure", "",
        "signinlogs");
    /* Rules and exports differ in the case of Azure's names; the event's are compared with it. */
    FIELDS("category=SignInLogs;operationName=Sign-in activity", "azure", "", "signinlogs",
           "resultType", "ResultType resultType properties.status.errorCode status.errorCode");
    YES("Workload=Exchange;Operation=New-InboxRule;RecordType=1", "m365", "", "exchange");
    YES("Workload=Exchange;Operation=New-InboxRule;RecordType=1", "m365", "", "audit");
    NO("Workload=Exchange;Operation=New-InboxRule", "m365", "", "threat_management");
    YES("eventType=user.session.start;actor.alternateId=a@b;published=x", "okta", "", "okta");
    YES("action=repo.create;actor=x;org=y;created_at=1", "github", "", "audit");
    YES("protoPayload.methodName=x;protoPayload.serviceName=y", "gcp", "", "gcp.audit");
    FIELDS("protoPayload.methodName=x", "gcp", "", "gcp.audit", "gcp.audit.method_name",
           "protoPayload.methodName data.protoPayload.methodName");
    YES("kind=Event;apiVersion=audit.k8s.io/v1;verb=get", "kubernetes", "application", "audit");
    YES("kind=Event;apiVersion=audit.k8s.io/v1;verb=get", "kubernetes", "", "audit");
    bench_close(&b);
}

TEST(values_of_all_lengths)
{
    struct bench b;
    bench_open(&b, NULL);
    char text[1400];
    char value[600];
    for (size_t n = 0; n < sizeof value; n++) {
        memset(value, 'x', n);
        value[n] = '\0';
        snprintf(text, sizeof text, "Channel=%s;EventID=%s;Provider_Name=p", value, value);
        YES(text, "windows", "", "");
        NO(text, "windows", "", "security");
    }
    /* A long value may still begin with what is asked. */
    memset(value, 'x', sizeof value - 1);
    memcpy(value, "gunicorn", 8);
    value[sizeof value - 1] = '\0';
    snprintf(text, sizeof text, "program=%s;message=m", value);
    YES(text, "python", "application", "");
    NO(text, "jvm", "application", "");
    bench_close(&b);
}

/* The same bytes may be JSON text with escapes or plain text, one after the other. */
TEST(values_seen_before)
{
    struct bench b;
    bench_open(&b, NULL);
    struct sigma_logsource security = source("windows", "", "security");
    struct sigma_logsource mine = source("mine\\u0041", "", "");
    static const enum value_type types[] = {VALUE_JSON_STRING, VALUE_STRING, VALUE_JSON_STRING,
                                            VALUE_JSON_STRING, VALUE_STRING, VALUE_STRING};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        event_reset(&b.ev);
        event_add_named(&b.ev, SLICE("Channel"), types[i], SLICE("Secur\\u0069ty"));
        event_add_named(&b.ev, SLICE("EventID"), VALUE_NUMBER, SLICE("4624"));
        event_add_named(&b.ev, SLICE("Computer"), VALUE_STRING, SLICE("A"));
        CHECK_INT(taxonomy_applies(router_route(b.r, &b.ev), &security), types[i] != VALUE_STRING);
        event_reset(&b.ev);
        event_add_named(&b.ev, SLICE("product"), types[i], SLICE("mine\\u0041"));
        CHECK_INT(taxonomy_applies(router_route(b.r, &b.ev), &mine), types[i] == VALUE_STRING);
    }
    /* Another value, none, an empty one and the first again. */
    YES("Channel=Security;EventID=1;Computer=a", "windows", "", "security");
    NO("Channel=System;EventID=1;Computer=a", "windows", "", "security");
    YES("EventID=1;Computer=a", "windows", "", "sysmon"); /* nobody knows it */
    NO("Channel=;EventID=1;Computer=a", "windows", "", "security");
    YES("Channel=Security;EventID=1;Computer=a", "windows", "", "security");
    YES("x=1;product=p;category=c", "p", "c", "");
    NO("x=1;product=p;category=d", "p", "c", "");
    YES("x=1;product=p;category=c", "p", "c", "");
    bench_close(&b);
}

TEST(values_in_arrays)
{
    struct bench b;
    bench_open(&b, "sources:\n  - {product: p, service: both, when: {tag: [a], kind: x}}\n"
                   "  - {product: p, service: neither, when: {tag: {not: [a]}, kind: x}}\n");
    YES("kind=x;tag=b;tag=a;tag=c", "p", "", "both");
    NO("kind=x;tag=b;tag=c", "p", "", "both");
    YES("kind=x;tag=b;tag=c", "p", "", "neither");
    NO("kind=x;tag=b;tag=a", "p", "", "neither");
    YES("kind=x", "p", "", "neither");
    YES("kind=x;tag=<>", "p", "", "neither");
    bench_close(&b);
}

TEST(lines_that_look_like_a_pattern)
{
    struct bench b;
    bench_open(&b,
               "sources:\n"
               "  - {product: p, service: web, when: {line: {like: ['{:ip} - [{:text}] \"{:any}',\n"
               "     '{:int}.{:int} {:ip}']}}}\n"
               "  - {product: p, service: rest, when: {line: {exists: true}}}\n");
    YES("line=192.0.2.1 - [today] \"GET /", "p", "", "web");
    YES("line=17.5   192.0.2.1", "p", "", "web");
    YES("line=17.5   192.0.2.1", "p", "", "rest");
    NO("line=17.5 192.0.2.1 more", "p", "", "web");
    NO("line=host - [today] \"GET /", "p", "", "web");
    YES("line=host", "p", "", "rest");
    bench_close(&b);
}

TEST(looks_matter_when_all_else_holds)
{
    struct bench b;
    bench_open(&b, "sources:\n"
                   "  - {product: p, service: a, when: {tag: x, line: {like: 'a {:any}'}}}\n"
                   "  - product: p\n"
                   "    service: b\n"
                   "    when: {line: {like: '{:any} z'}}\n"
                   "    sources: [{category: c, when: {line: {like: 'q{:any}'}}}, {service: b}]\n"
                   "  - {product: p, service: rest, when: {line: {exists: true}}}\n");
    YES("tag=x;line=a 1", "p", "", "a");
    YES("line=a 1;tag=x", "p", "", "a");
    NO("tag=w;line=a 1", "p", "", "a");
    NO("line=a 1", "p", "", "a");
    YES("line=q 1 z", "p", "c", "");
    NO("line=q 1", "p", "c", "");
    NO("line=1 z", "p", "c", "");
    /* More values than are kept. */
    YES("line=1;line=2;line=3;line=4;line=5;line=6;line=7;line=8;line=9;line=q z", "p", "c", "");
    NO("line=1;line=2;line=3;line=4;line=5;line=6;line=7;line=8;line=9;line=q", "p", "c", "");
    bench_close(&b);
}

TEST(a_look_does_not_outweigh_what_a_product_is_known_by)
{
    static const char known[] = "recognise: {tag: x}\n";
    static const char look[] = "recognise:\n  - {line: {like: 'a {:any}'}}\n"
                               "  - {tag: y, line: {like: 'b {:any}'}}\n"
                               "  - {tag: x, line: {like: 'c {:any}'}}\n";
    static const char twice[] = "recognise: {line: {like: 'e {:any}'}}\n"
                                "sources:\n  - {category: q, when: {line: {like: '{:any} f'}}}\n";
    struct diag diag;
    struct taxonomy *t = taxonomy_new();
    struct keys *keys = keys_new();
    CHECK_INT(taxonomy_add_product(t, "known.yml", slice_of(known), 1, &diag), 0);
    CHECK_INT(taxonomy_add_product(t, "look.yml", slice_of(look), 2, &diag), 0);
    CHECK_INT(taxonomy_add_product(t, "twice.yml", slice_of(twice), 3, &diag), 0);
    struct bench b = {.t = t, .keys = keys, .r = router_new(t, keys)};
    arena_init(&b.arena, 1024 * 1024);
    event_init(&b.ev, b.keys, &b.arena);
    CHECK_INT(router_route(b.r, event_of(&b, "line=a 1"))->owner, 2);
    CHECK_INT(router_route(b.r, event_of(&b, "tag=x;line=a 1"))->owner, 1);
    CHECK_INT(router_route(b.r, event_of(&b, "line=d 1"))->owner, 0);
    CHECK_INT(router_route(b.r, event_of(&b, "tag=x;line=d 1"))->owner, 1);
    CHECK_INT(router_route(b.r, event_of(&b, "tag=x;line=c 1"))->owner, 2);
    CHECK_INT(router_route(b.r, event_of(&b, "tag=y;line=b 1"))->owner, 2);
    CHECK_INT(router_route(b.r, event_of(&b, "tag=y;line=d 1"))->owner, 0);
    /* Two looks at one text are no more than one. */
    CHECK_INT(router_route(b.r, event_of(&b, "line=e f"))->owner, 3);
    CHECK_INT(router_route(b.r, event_of(&b, "tag=x;line=e f"))->owner, 1);
    bench_close(&b);
}

/* Every text of up to five letters against texts and beginnings, some inside of others. */
TEST(texts_and_beginnings)
{
    static const char *const asked[] = {"a*",  "ab*", "abb*", "abba*", "b*",    "bab*",
                                        "bb*", "ab",  "abba", "b",     "aaab*", "bbbbb"};
    enum { N = sizeof asked / sizeof *asked, LETTERS = 5 };
    char own[2048] = "sources:\n  - {product: p, service: rest, when: {line: {exists: true}}}\n";
    for (size_t i = 0; i < N; i++) {
        size_t len = strlen(own);
        (void)snprintf(own + len, sizeof own - len,
                       "  - {product: p, service: s%zu, when: {line: '%s'}}\n", i, asked[i]);
    }
    struct bench b;
    bench_open(&b, own);
    for (unsigned number = 1; number < 1u << (LETTERS + 1); number++) {
        char text[16] = "line=", service[16];
        size_t n = strlen(text);
        for (unsigned bit = 31 - (unsigned)__builtin_clz(number); bit-- > 0;)
            text[n++] = number >> bit & 1 ? "bB"[number & 1] : 'a';
        struct slice value = slice_make(text + 5, n - 5);
        for (size_t i = 0; i < N; i++) {
            struct slice want = slice_of(asked[i]);
            bool beginning = slice_ends_with(want, SLICE("*"));
            if (beginning) want.len--;
            struct slice part = beginning ? slice_until(value, want.len) : value;
            (void)snprintf(service, sizeof service, "s%zu", i);
            check_applies(&b, __LINE__, text, "p", "", service, slice_eq_nocase(part, want));
        }
    }
    bench_close(&b);
}

TEST(own_sources)
{
    struct bench b;
    bench_open(&b,
               "sources:\n"
               "  - product: shop\n"
               "    open: [service]\n"
               "    when: [{app: Shop*}, {$format: csv, app: {exists: true}}]\n"
               "    sources:\n"
               "      - {category: orders, when: {kind: [1, 2]}, fields: {who: [user, u.name]}}\n"
               "      - {service: web, when: {kind: 3}}\n");
    YES("app=SHOP-7;kind=2", "shop", "orders", "");
    YES("app=shop;kind=2", "shop", "", "anything");
    NO("app=shop;kind=2", "shop", "other", "");
    YES("app=sho;kind=2", "shop", "orders", ""); /* nobody knows it: open to every rule */
    FIELDS("app=shop;kind=1", "shop", "orders", "", "who", "user u.name");
    FIELDS("app=shop;kind=1", "shop", "", "", "who", "who");
    NO("app=shop;kind=3", "shop", "", "sales");
    YES("app=shop;kind=3", "shop", "", "web");
    bench_close(&b);
}

TEST(routes_are_interned_and_survive_cleared_keys)
{
    struct bench b;
    bench_open(&b, NULL);
    const struct taxonomy_route *first = route_of(&b, SYSMON1);
    const struct taxonomy_route *other = route_of(&b, SECURITY4688);
    CHECK(first != other && first->id != other->id);
    /* Different facts, the same labels. */
    CHECK(first == route_of(&b, SYSMON1 ";eventName=x"));
    for (int round = 0; round < 3; round++) {
        keys_clear(b.keys);
        /* Other names get the ids that the known ones had. */
        for (int i = 0; i < 400; i++) {
            char name[16];
            snprintf(name, sizeof name, "n%d", i + round);
            keys_intern_path(b.keys, slice_of(name));
        }
        CHECK(first == route_of(&b, SYSMON1));
        CHECK(other == route_of(&b, SECURITY4688));
    }
    bench_close(&b);
}

/* Every subset of many facts: more keys than the cache has rows. */
TEST(cache_overflow)
{
    struct bench b;
    bench_open(&b, NULL);
    static const char *const fields[] = {"cs-uri", "c-uri",  "r-dns",  "eventName",
                                         "actor",  "org",    "repo",   "action",
                                         "txid",   "factor", "object", "kind"};
    for (unsigned set = 0; set < 1u << 12; set++) {
        event_reset(&b.ev);
        event_add_named(&b.ev, SLICE("Channel"), VALUE_STRING, SLICE("Security"));
        event_add_named(&b.ev, SLICE("EventID"), VALUE_NUMBER, SLICE("4688"));
        for (unsigned i = 0; i < 12; i++)
            if (set >> i & 1) event_add_named(&b.ev, slice_of(fields[i]), VALUE_STRING, SLICE("v"));
        const struct taxonomy_route *route = router_route(b.r, &b.ev);
        struct sigma_logsource pc = source("windows", "process_creation", "");
        struct sigma_logsource proxy = source("", "proxy", "");
        struct sigma_logsource github = source("github", "", "audit");
        CHECK(taxonomy_applies(route, &pc));
        CHECK_INT(taxonomy_applies(route, &proxy), (set & 7) != 0);
        CHECK_INT(taxonomy_applies(route, &github),
                  (set >> 4 & 1) && (set >> 5 & 1) && (set >> 7 & 1));
    }
    bench_close(&b);
}

static nsec time_of(struct bench *b, const char *text)
{
    return router_event_time(b->r, event_of(b, text));
}

TEST(times)
{
    struct bench b;
    bench_open(&b, NULL);
    const nsec s = NSEC_PER_SEC;
    nsec base = INT64_C(1767323045) * s; /* 2026-01-02T03:04:05Z */
    router_set_now(b.r, base + 3600 * s);
    CHECK_INT(time_of(&b, "x=1"), TIME_NONE);
    CHECK_INT(time_of(&b, "@timestamp=2026-01-02T03:04:05Z"), base);
    CHECK_INT(time_of(&b, "EventReceivedTime=2026-01-02 03:04:09;UtcTime=2026-01-02 03:04:05"),
              base);
    CHECK_INT(time_of(&b, "Event.System.TimeCreated.#attributes.SystemTime=2026-01-02T03:04:05Z;"
                          "@timestamp=2026-01-03T00:00:00Z"),
              base);
    /* One that cannot be read gives way to the next. */
    CHECK_INT(time_of(&b, "TimeCreated_SystemTime=yesterday;@timestamp=2026-01-02T03:04:05Z"),
              base);
    CHECK_INT(time_of(&b, "UtcTime=;timestamp=<>;ts=1767323045.5"), base + s / 2);
    CHECK_INT(time_of(&b, "date=2026-01-02;time=03:04:05"), base);
    CHECK_INT(time_of(&b, "time=2026-01-02T03:04:05Z;category=AuditLogs"), base);
    CHECK_INT(time_of(&b, "date=2026-01-02"), base - (3 * 3600 + 4 * 60 + 5) * s);
    /* Without a year: this year's, or last year's when that is still to come. */
    CHECK_INT(time_of(&b, "timestamp=Jan  2 03:04:05"), base);
    /* A zone beside it counts when it is known. */
    CHECK_INT(time_of(&b, "timestamp=Jan  2 2026 04:04:05;timezone=CET"), base);
    CHECK_INT(time_of(&b, "timestamp=Jan  2 2026 03:04:05;timezone=CST"), base);
    CHECK_INT(time_of(&b, "timestamp=Jan  3 03:04:05"), base + 86400 * s);
    CHECK_INT(time_of(&b, "timestamp=Dec 31 03:04:05"), base - 2 * 86400 * s);
    CHECK_INT(time_of(&b, "timestamp=Jan  9 03:04:05"), base - 358 * 86400 * s);
    /* At the end of December a clock that is ahead writes January. */
    router_set_now(b.r, base - (2 * 86400 + 3 * 3600) * s);
    CHECK_INT(time_of(&b, "timestamp=Jan  1 03:04:05"), base - 86400 * s);
    keys_clear(b.keys);
    CHECK_INT(time_of(&b, "a=1;@timestamp=2026-01-02T03:04:05Z"), base);
    bench_close(&b);
}

/* The time of an event whose fields from `first` on a product has made. */
static nsec time_made(struct bench *b, const char *text, uint32_t first)
{
    struct event *ev = event_of(b, text);
    for (uint32_t i = first; i < ev->n_fields; i++) ev->fields[i].derived = true;
    return router_event_time(b->r, ev);
}

TEST(times_that_a_product_has_made)
{
    struct bench b;
    bench_open(&b, NULL);
    const nsec s = NSEC_PER_SEC;
    nsec base = INT64_C(1767323045) * s; /* 2026-01-02T03:04:05Z */
    /* Its @timestamp counts, also where the record has a better name, and a worse one stands first.
     */
    CHECK_INT(
        time_made(&b, "TimeCreated=2025-01-01;date=2025-01-01;@timestamp=2026-01-02T03:04:05Z", 1),
        base);
    /* What it found in a text has the rank of its name, wherever it stands. */
    CHECK_INT(time_made(&b, "EventTime=2025-01-01;UtcTime=2026-01-02T03:04:05Z", 0), base);
    CHECK_INT(time_made(&b, "date=2026-01-02;time=03:04:05", 0), base);
    CHECK_INT(time_made(&b, "timestamp=2026-01-02T03:04:05Z;eventtime=2025-01-01", 1), base);
    /* One that cannot be read gives way. */
    CHECK_INT(time_made(&b, "ts=2026-01-02T03:04:05Z;@timestamp=never", 1), base);
    bench_close(&b);
}

TEST(stand_ins)
{
    struct bench b;
    bench_open(&b, NULL);
    static const char alone[] = "LogName=Security;EventId=1;ProviderName=Linux-Sysmon";
    static const char both[] =
        "Channel=Security;EventID=1;Provider_Name=P;ProviderName=Linux-Sysmon";
    static const char nested[] = "winlog.channel=Security;event.code=1;winlog.provider_name=P;"
                                 "winlog.event_data.ProviderName=Linux-Sysmon";
    /* Alone, one name is the other, for rules and for conditions (SourceName is not there). */
    FIELDS(alone, "", "", "", "Provider_Name", "Provider_Name SourceName ProviderName");
    FIELDS(alone, "", "", "", "ProviderName", "ProviderName Provider_Name");
    FIELDS(alone, "", "", "", "EventID", "EventID EventId");
    YES(alone, "linux", "", "sysmon");
    YES("ProviderName=Linux-Sysmon;EventID=1", "linux", "", "sysmon");
    /* Both: each is itself, and the event's data does not say what the event is. */
    const char *const shapes[] = {both, nested};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        FIELDS(shapes[i], "", "", "", "Provider_Name", "Provider_Name SourceName");
        FIELDS(shapes[i], "", "", "", "ProviderName", "ProviderName");
        YES(shapes[i], "windows", "", "security");
        NO(shapes[i], "linux", "", "sysmon");
    }
    /* Null is not there. */
    FIELDS("Provider_Name=<>;ProviderName=x", "", "", "", "ProviderName",
           "ProviderName Provider_Name");
    /* The first of the list stands in, whatever comes first in the event. */
    static const char two[] = "ProviderName=Linux-Sysmon;SourceName=P;EventID=1;Channel=Security";
    FIELDS(two, "", "", "", "Provider_Name", "Provider_Name SourceName");
    FIELDS(two, "", "", "", "ProviderName", "ProviderName");
    NO(two, "linux", "", "sysmon");
    /* An event like the first again: nothing is kept from those between. */
    FIELDS(alone, "", "", "", "Provider_Name", "Provider_Name SourceName ProviderName");
    bench_close(&b);
}

TEST(hosts)
{
    struct bench b;
    bench_open(&b, NULL);
    CHECK_SLICE(router_event_host(b.r, event_of(&b, "x=1")), "");
    CHECK_SLICE(router_event_host(b.r, event_of(&b, "host=collector;Hostname=PC1")), "PC1");
    CHECK_SLICE(
        router_event_host(b.r, event_of(&b, "agent.hostname=x;winlog.computer_name=PC\\u0031")),
        "PC1");
    CHECK_SLICE(router_event_host(b.r, event_of(&b, "Computer=;hostname=b")), "b");
    CHECK_SLICE(router_event_host(b.r, event_of(&b, "Computer=<>;host.name=c")), "c");
    CHECK_SLICE(router_event_host(b.r, event_of(&b, "hostname=site.example;devname=fw1")), "fw1");
    bench_close(&b);
}

/* ---- against real data ---- */

struct rule_source {
    char id[64];
    char text[3][64];
};

struct rules {
    struct rule_source *at;
    size_t n, cap;
    struct arena arena;
};

static void take_rule(void *ctx, struct sigma_doc *doc)
{
    struct rules *rules = ctx;
    if (doc->kind != SIGMA_RULE) return;
    if (rules->n == rules->cap) {
        rules->cap = rules->cap ? rules->cap * 2 : 1024;
        rules->at = realloc(rules->at, rules->cap * sizeof *rules->at);
        REQUIRE(rules->at);
    }
    struct rule_source *r = &rules->at[rules->n++];
    const struct sigma_logsource *ls = &doc->logsource;
    snprintf(r->id, sizeof r->id, "%.*s", SLICE_FMT(doc->id));
    snprintf(r->text[0], sizeof r->text[0], "%.*s", SLICE_FMT(ls->product));
    snprintf(r->text[1], sizeof r->text[1], "%.*s", SLICE_FMT(ls->category));
    snprintf(r->text[2], sizeof r->text[2], "%.*s", SLICE_FMT(ls->service));
}

static void no_refusal(void *ctx, const struct diag *diag, const struct sigma_doc *doc)
{
    (void)ctx, (void)diag, (void)doc;
}

typedef void (*file_fn)(void *ctx, const char *path, const char *name);

static void walk(const char *folder, const char *ending, file_fn each, void *ctx)
{
    DIR *dir = opendir(folder);
    if (!dir) return;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        char path[1024];
        if (entry->d_name[0] == '.') continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path)
            continue;
        if (slice_ends_with(slice_of(entry->d_name), slice_of(ending)))
            each(ctx, path, entry->d_name);
        else if (entry->d_type == DT_DIR) walk(path, ending, each, ctx);
    }
    closedir(dir);
}

static void read_rules_of(void *ctx, const char *path, const char *name)
{
    struct rules *rules = ctx;
    struct sigma_read_out out = {rules, take_rule, no_refusal};
    size_t len;
    char *text = test_read_file(path, &len);
    arena_reset(&rules->arena);
    CHECK_INT(sigma_read(&rules->arena, name, slice_make(text, len), &out), 0);
    free(text);
}

static void read_rules(struct rules *rules, const char *corpus)
{
    static const char *const folders[] = {"rules",
                                          "rules-compliance",
                                          "rules-dfir",
                                          "rules-emerging-threats",
                                          "rules-placeholder",
                                          "rules-threat-hunting"};
    *rules = (struct rules){0};
    arena_init(&rules->arena, 64 * 1024 * 1024);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/sigma/%s", corpus, folders[i]);
        walk(path, ".yml", read_rules_of, rules);
    }
}

static void free_rules(struct rules *rules)
{
    arena_done(&rules->arena);
    free(rules->at);
}

struct regression {
    struct bench *b;
    struct rules *rules;
    const struct rule_source *rule;
    const struct decoder_ops *ops;
    uint32_t files, events, contradicted, unknown;
};

static int route_event(void *ctx, struct event *ev)
{
    struct regression *g = ctx;
    const struct taxonomy_route *route = router_route(g->b->r, ev);
    struct sigma_logsource ls = source(g->rule->text[0], g->rule->text[1], g->rule->text[2]);
    g->events++;
    g->unknown += route->n_labels == 0;
    CHECK(router_event_time(g->b->r, ev) != TIME_NONE);
    CHECK(router_event_host(g->b->r, ev).len > 0);
    if (taxonomy_applies(route, &ls)) return 0;
    g->contradicted++;
    return 0;
}

static void bad_record(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)ctx, (void)offset, (void)record, (void)reason;
}

static void route_file(void *ctx, const char *path, const char *name)
{
    struct regression *g = ctx;
    g->rule = NULL;
    for (size_t i = 0; i < g->rules->n && !g->rule; i++)
        if (strncmp(g->rules->at[i].id, name, 36) == 0) g->rule = &g->rules->at[i];
    if (!g->rule) {
        printf("# no rule for %s\n", name);
        return;
    }
    size_t len;
    char *text = test_read_file(path, &len);
    struct decoder_out out = {g, route_event, bad_record};
    struct decoder *d = g->ops->open(&out, g->b->keys);
    REQUIRE(d);
    uint32_t before = g->contradicted, events = g->events;
    CHECK_INT(g->ops->feed(d, slice_make(text, len)), 0);
    CHECK_INT(g->ops->finish(d), 0);
    g->ops->close(d);
    free(text);
    g->files++;
    /* Some files hold more than the event the rule is about. */
    if (g->events == events || g->contradicted - before == g->events - events)
        test_fail(__FILE__, __LINE__, "%s/%s/%s applies to none of %u events of %s",
                  g->rule->text[0], g->rule->text[1], g->rule->text[2], g->events - events, name);
}

TEST(regression_cases_reach_their_rules)
{
    const char *corpus = test_corpus();
    if (!corpus) SKIP("no corpus");
    struct bench b;
    struct rules rules;
    bench_open(&b, NULL);
    read_rules(&rules, corpus);
    char path[1024];
    snprintf(path, sizeof path, "%s/sigma-regression", corpus);
    struct regression json = {.b = &b, .rules = &rules, .ops = &decoder_json};
    walk(path, ".json", route_file, &json);
    struct regression evtx = {.b = &b, .rules = &rules, .ops = &decoder_evtx};
    walk(path, ".evtx", route_file, &evtx);
    printf("# json: %u files, %u events, %u contradicted, %u unknown\n", json.files, json.events,
           json.contradicted, json.unknown);
    printf("# evtx: %u files, %u events, %u contradicted, %u unknown\n", evtx.files, evtx.events,
           evtx.contradicted, evtx.unknown);
    CHECK(json.files >= 100 && evtx.files >= 100);
    CHECK_INT(json.unknown + evtx.unknown, 0);
    free_rules(&rules);
    bench_close(&b);
}

/* Which log sources of real rules nothing can give. */
TEST(log_sources_of_real_rules)
{
    const char *corpus = test_corpus();
    if (!corpus) SKIP("no corpus");
    struct rules rules;
    struct taxonomy *t = taxonomy_new();
    read_rules(&rules, corpus);
    CHECK(rules.n > 3700);
    const struct taxonomy_label *l;
    uint32_t n = taxonomy_sources(t, &l), without = 0;
    for (size_t i = 0; i < rules.n; i++) {
        const struct rule_source *r = &rules.at[i];
        bool can = false;
        for (uint32_t j = 0; j < n && !can; j++)
            can = (!r->text[0][0] || slice_eq(l[j].product, slice_of(r->text[0]))) &&
                  (!r->text[1][0] || slice_eq(l[j].category, slice_of(r->text[1]))) &&
                  (!r->text[2][0] || slice_eq(l[j].service, slice_of(r->text[2])));
        if (can) continue;
        without++;
        /* Nothing in a record says macOS; events that name their product are matched. */
        if (strcmp(r->text[0], "macos") != 0)
            test_fail(__FILE__, __LINE__, "no source gives %s/%s/%s", r->text[0], r->text[1],
                      r->text[2]);
    }
    printf("# %zu rules, %u of them for a log source that only an event's own labels give\n",
           rules.n, without);
    free_rules(&rules);
    taxonomy_free(t);
}
