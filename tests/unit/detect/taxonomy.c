/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/taxonomy.h"

#include <stdlib.h>

#include "detect/taxonomy_model.h"
#include "test.h"

static void plain(const struct taxonomy *t, const char *path, const char *want)
{
    struct slice got = taxonomy_plain_name(t, slice_of(path));
    if (!slice_eq(got, slice_of(want)))
        test_fail(__FILE__, __LINE__, "%s is \"%.*s\", not \"%s\"", path, SLICE_FMT(got), want);
}

TEST(names_of_every_shape)
{
    struct taxonomy *t = taxonomy_new();
    REQUIRE(t);
    plain(t, "winlog.event_data.Image", "Image");
    plain(t, "_source.winlog.event_data.Image", "Image");
    plain(t, "_source.winlog.channel", "Channel");
    plain(t, "winlog.channel", "Channel");
    plain(t, "event.code", "EventID");
    plain(t, "winlog.provider_name", "Provider_Name");
    plain(t, "Event.EventData.Image", "Image");
    plain(t, "Event.EventData.Threat Name", "Threat Name");
    plain(t, "Event.EventData.Data", "Data");
    plain(t, "Event.EventData.Data.#text", "Data");
    plain(t, "Event.UserData.EventXML.Address", "Address");
    plain(t, "Event.UserData.Operation_StartedOperational.HostProcess", "HostProcess");
    plain(t, "sd.junos@2636.1.1.1.2.129.source-address", "source-address");
    plain(t, "sd.ex@32473.iut", "sd.ex@32473.iut");
    plain(t, "Event.System.EventID", "EventID");
    plain(t, "Event.System.EventID.#text", "EventID");
    plain(t, "Event.System.EventID.#attributes.Qualifiers", "EventID_Qualifiers");
    plain(t, "Event.System.Provider.#attributes.Name", "Provider_Name");
    plain(t, "Event.System.Provider_attributes.Name", "Provider_Name");
    plain(t, "Event.System.TimeCreated.#attributes.SystemTime", "TimeCreated_SystemTime");
    plain(t, "Event.System.Security.#attributes.UserID", "Security_UserID");
    plain(t, "SYSLOG_IDENTIFIER", "program");
    taxonomy_free(t);
}

TEST(names_that_stay)
{
    struct taxonomy *t = taxonomy_new();
    REQUIRE(t);
    plain(t, "Image", "Image");
    plain(t, "id.orig_h", "id.orig_h");
    plain(t, "userIdentity.arn", "userIdentity.arn");
    plain(t, "hostname", "hostname");
    plain(t, "ProviderName", "ProviderName");
    plain(t, "winlog.event_data.ProviderName", "ProviderName");
    plain(t, "Event.UserData.X.ProviderName", "ProviderName");
    plain(t, "winlog.event_data", "winlog.event_data");
    plain(t, "winlog.event_data.", "winlog.event_data.");
    plain(t, "Event.UserData.EventXML", "Event.UserData.EventXML");
    plain(t, "Event.UserData..x", "Event.UserData..x");
    plain(t, "Event.EventDataX.Image", "Event.EventDataX.Image");
    plain(t, ".#text", ".#text");
    plain(t, "", "");
    taxonomy_free(t);
}

static void refused(const char *text, int error, uint32_t line, uint32_t column, const char *words)
{
    struct taxonomy *t = taxonomy_new();
    REQUIRE(t);
    struct taxonomy before = *t;
    struct diag diag = {0};
    CHECK_INT(taxonomy_add(t, "mine.yml", slice_of(text), &diag), error);
    if (diag.line != line || diag.column != column || !strstr(diag.message, words))
        test_fail(__FILE__, __LINE__, "%s:%u:%u: %s, for:\n%s", diag.file ? diag.file : "",
                  diag.line, diag.column, diag.message, text);
    CHECK_INT(t->sources.n, before.sources.n);
    CHECK_INT(t->labels.n, before.labels.n);
    CHECK_INT(t->slots.n, before.slots.n);
    CHECK_INT(t->facts.n, before.facts.n);
    taxonomy_free(t);
}

TEST(refusals_name_the_place)
{
    refused("sources:\n  - {product: a, when: {X: 1}}\n  - {when: {X: 1}}\n", ERR_INVALID, 3, 6,
            "needs a product");
    refused("sources:\n  - product: a\n", ERR_INVALID, 2, 5, "needs a condition");
    refused("sources:\n  - {product: a, whem: {X: 1}}\n", ERR_INVALID, 2, 18,
            "unknown key \"whem\"");
    refused("sourcs: []\n", ERR_INVALID, 1, 1, "unknown key");
    refused("sources: 3\n", ERR_INVALID, 1, 10, "must be a list");
    refused("sources: [3]\n", ERR_INVALID, 1, 11, "must be a map");
    refused("- a\n", ERR_INVALID, 1, 3, "is a map");
    refused("sources:\n  - {product: a, when: {X: '*'}}\n", ERR_INVALID, 2, 29, "only at the end");
    refused("sources:\n  - {product: a, when: {X: 'a*b'}}\n", ERR_INVALID, 2, 29,
            "only at the end");
    refused("sources:\n  - {product: a, when: {X: []}}\n", ERR_INVALID, 2, 25, "needs a value");
    refused("sources:\n  - {product: a, when: {}}\n", ERR_INVALID, 0, 0, "no condition");
    refused("sources:\n  - {product: a, when: {X: {exists: maybe}}}\n", ERR_INVALID, 2, 37,
            "true or false");
    refused("sources:\n  - {product: a, when: {X: {is: 1}}}\n", ERR_INVALID, 2, 29,
            "a condition is");
    refused("sources:\n  - {product: a, when: {X: {like: '{:ipp}'}}}\n", ERR_INVALID, 2, 36,
            "type");
    refused("sources:\n  - {product: a, when: {X: {like: '{ip}'}}}\n", ERR_INVALID, 2, 36,
            "not a name of a field");
    refused("sources:\n  - {product: [a], when: {X: 1}}\n", ERR_INVALID, 2, 16, "plain text");
    refused("sources:\n  - {product: '', when: {X: 1}}\n", ERR_INVALID, 2, 16, "is empty");
    refused("sources:\n  - {product: a, open: product, when: {X: 1}}\n", ERR_INVALID, 2, 24,
            "open takes");
    refused("sources:\n  - {product: a, when: {X: 1}, fields: {A: [1,2,3,4,5,6,7,8,9]}}\n",
            ERR_INVALID, 2, 61, "more than 8");
    refused("sources:\n  - {product: a, when: {X: 1}, fields: {A: []}}\n", ERR_INVALID, 2, 41,
            "needs a name");
    refused("names: {rename: [a]}\n", ERR_INVALID, 1, 18, "from path to name");
    refused("names: {stand_in: [a]}\n", ERR_INVALID, 1, 20, "from name to name");
    refused("names: {stand_in: {a: [b]}}\n", ERR_INVALID, 1, 24, "plain text");
    refused("time: [date +]\n", ERR_INVALID, 1, 8, "date + time");
    refused("", ERR_SYNTAX, 0, 0, "not a YAML document");
}

TEST(refusals_of_yaml)
{
    struct taxonomy *t = taxonomy_new();
    struct diag diag = {0};
    CHECK_INT(taxonomy_add(t, "mine.yml", SLICE("time: [a\nhost: b]: c\n"), &diag), ERR_SYNTAX);
    CHECK_INT(diag.line, 2);
    CHECK(diag.column > 0);
    CHECK(diag.message[0] != '\0');
    CHECK_INT(taxonomy_add(t, "mine.yml", SLICE("time: \"a\nhost"), &diag), ERR_SYNTAX);
    /* The same key twice would hide one of the two. */
    CHECK(taxonomy_add(t, "mine.yml", SLICE("time: [a]\ntime: [b]\n"), &diag) != 0);
    CHECK(taxonomy_add(t, "mine.yml", SLICE("time: &a [*a]\n"), &diag) != 0);
    CHECK(taxonomy_add(t, "mine.yml", SLICE("time: *nowhere\n"), &diag) != 0);
    CHECK(taxonomy_add(t, "mine.yml", slice_make("time: [\0]", 9), &diag) != 0);
    taxonomy_free(t);
}

TEST(refusals_by_size)
{
    struct taxonomy *t = taxonomy_new();
    struct diag diag = {0};
    size_t n = 2 * 1024 * 1024;
    char *big = malloc(n);
    REQUIRE(t && big);
    memset(big, ' ', n);
    CHECK_INT(taxonomy_add(t, "mine.yml", slice_make(big, n), &diag), ERR_LIMIT);

    /* Sources in sources, deeper than allowed and much deeper. */
    for (int depth = 5; depth <= 3000; depth += 2995) {
        size_t len = 0;
        len += (size_t)snprintf(big + len, n - len, "sources: ");
        for (int i = 0; i < depth; i++) len += (size_t)snprintf(big + len, n - len, "[{sources: ");
        len += (size_t)snprintf(big + len, n - len, "[]");
        for (int i = 0; i < depth; i++) len += (size_t)snprintf(big + len, n - len, "}]");
        CHECK(taxonomy_add(t, "mine.yml", slice_make(big, len), &diag) != 0);
    }
    /* More fields in conditions than roles can tell apart. */
    size_t len = (size_t)snprintf(big, n, "sources:\n");
    for (int i = 0; i < 1001; i++)
        len += (size_t)snprintf(big + len, n - len, "- {product: p, when: {F%d: 1}}\n", i);
    CHECK(taxonomy_add(t, "mine.yml", slice_make(big, len), &diag) != 0);
    CHECK(strstr(diag.message, "more than 1000 fields") != NULL);
    CHECK(diag.line > 1);
    len = (size_t)snprintf(big, n, "names:\n  stand_in:\n");
    for (int i = 0; i < 33; i++) len += (size_t)snprintf(big + len, n - len, "    F%d: X\n", i);
    CHECK(taxonomy_add(t, "mine.yml", slice_make(big, len), &diag) != 0);
    CHECK(strstr(diag.message, "more than 32 stand-ins") != NULL);
    /* Alternatives multiply: 8 * 9 are too many. */
    len = (size_t)snprintf(big, n, "sources:\n- product: p\n  when: [");
    for (int i = 0; i < 8; i++) len += (size_t)snprintf(big + len, n - len, "{X: %d},", i);
    len += (size_t)snprintf(big + len, n - len, "]\n  sources:\n  - when: [");
    for (int i = 0; i < 9; i++) len += (size_t)snprintf(big + len, n - len, "{Y: %d},", i);
    len += (size_t)snprintf(big + len, n - len, "]\n");
    CHECK_INT(taxonomy_add(t, "mine.yml", slice_make(big, len), &diag), ERR_INVALID);
    CHECK(strstr(diag.message, "alternatives") != NULL);
    free(big);
    taxonomy_free(t);
}

/* A cut-off file is refused or read; it never leaves half of itself. */
TEST(every_beginning_of_the_built_in_files)
{
    for (const struct embedded *f = taxonomy_files; f->name; f++) {
        for (size_t len = 0; len < f->text.len; len += 97) {
            struct taxonomy *t = calloc(1, sizeof *t);
            REQUIRE(t);
            arena_init(&t->arena, 4 * 1024 * 1024);
            struct diag diag = {0};
            if (taxonomy_add(t, f->name, slice_until(f->text, len), &diag) != 0) {
                CHECK_INT(t->sources.n, 0);
                CHECK(diag.message[0] != '\0');
            }
            CHECK_INT(t->sources.n, t->labels.n);
            taxonomy_free(t);
        }
    }
}

TEST(own_files_come_first)
{
    struct taxonomy *t = taxonomy_new();
    struct diag diag = {0};
    const struct taxonomy_label *labels;
    uint32_t n = taxonomy_sources(t, &labels);
    CHECK_INT(
        taxonomy_add(t, "mine.yml",
                     SLICE("names: {strip_start: payload., rename: {Hostname: MyHost, a: b}}\n"
                           "sources:\n"
                           "  - {product: Mine, category: C1, when: {X: 1}}\n"
                           "  - {product: Mine, category: C2, when: {X: 2}}\n"
                           "time: [mytime]\nhost: myhost\n"),
                     &diag),
        0);
    CHECK_INT(taxonomy_sources(t, &labels), n + 2);
    CHECK_SLICE(labels[0].product, "mine");
    CHECK_SLICE(labels[0].category, "c1");
    CHECK_SLICE(labels[1].category, "c2");
    CHECK(!slice_eq(labels[2].product, SLICE("mine")));
    plain(t, "Hostname", "MyHost");
    plain(t, "payload.a", "b");
    CHECK_SLICE(t->times.at[0].first, "mytime");
    CHECK_SLICE(t->hosts.at[0], "myhost");
    taxonomy_free(t);
}

static bool can_be(const struct taxonomy *t, const char *product, const char *category,
                   const char *service)
{
    const struct taxonomy_label *l;
    uint32_t n = taxonomy_sources(t, &l);
    for (uint32_t i = 0; i < n; i++)
        if (slice_eq(l[i].product, slice_of(product)) &&
            slice_eq(l[i].category, slice_of(category)) &&
            slice_eq(l[i].service, slice_of(service)))
            return true;
    return false;
}

TEST(sources_of_the_standard)
{
    struct taxonomy *t = taxonomy_new();
    static const char *const categories[] = {
        "process_creation",
        "file_change",
        "network_connection",
        "sysmon_status",
        "process_termination",
        "driver_load",
        "image_load",
        "create_remote_thread",
        "raw_access_thread",
        "process_access",
        "file_event",
        "registry_event",
        "registry_add",
        "registry_delete",
        "registry_set",
        "registry_rename",
        "create_stream_hash",
        "pipe_created",
        "wmi_event",
        "dns_query",
        "file_delete",
        "clipboard_capture",
        "process_tampering",
        "file_delete_detected",
        "file_block_executable",
        "file_block_shredding",
        "file_executable_detected",
        "sysmon_error",
        "file_access",
        "file_rename",
        "ps_classic_start",
        "ps_classic_provider_start",
        "ps_classic_script",
        "ps_module",
        "ps_script",
    };
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
        if (!can_be(t, "windows", categories[i], ""))
            test_fail(__FILE__, __LINE__, "no source gives windows/%s", categories[i]);
    static const char *const services[] = {
        "application",
        "application-experience",
        "applocker",
        "appmodel-runtime",
        "appxdeployment-server",
        "appxpackaging-om",
        "bitlocker",
        "bits-client",
        "capi2",
        "certificateservicesclient-lifecycle-system",
        "codeintegrity-operational",
        "dhcp",
        "diagnosis-scripted",
        "dns-client",
        "dns-server",
        "dns-server-analytic",
        "dns-server-audit",
        "driver-framework",
        "firewall-as",
        "hyper-v-worker",
        "iis-configuration",
        "kernel-event-tracing",
        "kernel-shimengine",
        "ldap",
        "lsa-server",
        "msexchange-management",
        "ntfs",
        "ntlm",
        "openssh",
        "powershell",
        "powershell-classic",
        "printservice-admin",
        "printservice-operational",
        "security",
        "security-mitigations",
        "sense",
        "servicebus-client",
        "shell-core",
        "smbclient-security",
        "sysmon",
        "system",
        "taskscheduler",
        "terminalservices-localsessionmanager",
        "vhdmp",
        "windefend",
        "wmi",
    };
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (!can_be(t, "windows", "", services[i]))
            test_fail(__FILE__, __LINE__, "no source gives windows service %s", services[i]);
    CHECK(can_be(t, "linux", "", "auditd"));
    CHECK(can_be(t, "linux", "process_creation", ""));
    CHECK(can_be(t, "aws", "", "cloudtrail"));
    CHECK(can_be(t, "", "proxy", ""));
    CHECK(can_be(t, "", "antivirus", ""));
    CHECK(!can_be(t, "linux", "process_access", ""));
    taxonomy_free(t);
}
