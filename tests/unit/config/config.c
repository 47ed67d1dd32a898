/* SPDX-License-Identifier: EUPL-1.2 */
#include "config/config.h"

#include <stdlib.h>

#include "config/value.h"
#include "config/words.h"
#include "test.h"

static struct config config;
static struct diag diag;

static int read_text(const char *text)
{
    config_init(&config);
    diag = (struct diag){0};
    return config_read(&config, "/etc/vaka/vaka.yaml", slice_of(text), &diag);
}

/* The text is refused there, with these words in the reason. */
static void refused(const char *text, unsigned line, unsigned column, const char *words)
{
    int error = read_text(text);
    bool there = error && diag.line == line && diag.column == column;
    if (!there || !strstr(diag.message, words) || strcmp(diag.file, "/etc/vaka/vaka.yaml") != 0)
        test_fail(__FILE__, __LINE__, "%s gives %d, %u:%u %s", text, error, diag.line, diag.column,
                  diag.message);
    config_done(&config);
}

static void check_shown(enum config_key key, const char *value, const char *origin)
{
    struct buf out;
    buf_init(&out, 4096);
    config_write_value(&out, &config, key);
    CHECK_SLICE(buf_slice(&out), value);
    buf_clear(&out);
    config_write_origin(&out, &config, key);
    CHECK_SLICE(buf_slice(&out), origin);
    buf_done(&out);
}

/* A default as it is shown: texts are quoted. */
static const char *shown_default(enum config_key key)
{
    static char text[256];
    const struct setting *s = &config_settings[key];
    bool quoted = (s->type == CONFIG_PATHS || s->type == CONFIG_TEXTS) && *s->initial;
    if (!quoted) return config_default(key);
    bool one = strcmp(s->most, "1") == 0;
    (void)snprintf(text, sizeof text, "%s\"%s\"%s", one ? "" : "[", s->initial, one ? "" : "]");
    return text;
}

TEST(config_defaults_are_those_of_the_table)
{
    CHECK_INT(read_text(""), 0);
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++)
        check_shown(key, shown_default(key), "default");
    CHECK_INT(config.hunt_jobs, 0);
    CHECK_INT(config.correlation_state, 64 << 20);
    CHECK_INT(config.hunt_silence, 300 * NSEC_PER_SEC);
    CHECK(!config.hunt_utc);
    config_done(&config);
}

TEST(config_every_setting_is_documented)
{
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        const struct setting *s = &config_settings[key];
        struct slice text = slice_of(s->text);
        if (text.len < 40 || text.ptr[text.len - 1] != '.' || !*s->since)
            test_fail(__FILE__, __LINE__, "%s says: %s", s->key, s->text);
        CHECK_INT(config_find(slice_of(s->key), NULL), key);
    }
}

TEST(config_reads_every_type_and_remembers_the_place)
{
    CHECK_INT(read_text("rules: [mine, /usr/share/rules]\n"
                        "taxonomy: tax.yml\n"
                        "hunt:\n"
                        "  jobs: 4\n"
                        "  format: \"json\"\n"
                        "  utc: true\n"
                        "  silence: 90 s\n"
                        "correlation:\n"
                        "  state: 1048576\n"
                        "log:\n"),
              0);
    check_shown(CONFIG_RULES, "[\"/etc/vaka/mine\", \"/usr/share/rules\"]",
                "/etc/vaka/vaka.yaml:1");
    check_shown(CONFIG_TAXONOMY, "[\"/etc/vaka/tax.yml\"]", "/etc/vaka/vaka.yaml:2");
    check_shown(CONFIG_HUNT_JOBS, "4", "/etc/vaka/vaka.yaml:4");
    check_shown(CONFIG_HUNT_FORMAT, "json", "/etc/vaka/vaka.yaml:5");
    check_shown(CONFIG_HUNT_UTC, "true", "/etc/vaka/vaka.yaml:6");
    check_shown(CONFIG_HUNT_SILENCE, "90s", "/etc/vaka/vaka.yaml:7");
    check_shown(CONFIG_CORRELATION_STATE, "1MiB", "/etc/vaka/vaka.yaml:9");
    check_shown(CONFIG_LOG_LEVEL, "off", "default");
    CHECK_INT(config.hunt_format, 1);
    config_done(&config);
}

TEST(config_mistakes_name_their_place)
{
    refused("hunt:\n  jbos: 4\n", 2, 3, "no setting `hunt.jbos`; did you mean `hunt.jobs`?");
    refused("rulez: x\n", 1, 1, "no setting `rulez`; did you mean `rules`?");
    refused("zzzzzzzzzz: 1\n", 1, 1, "no setting `zzzzzzzzzz`");
    refused("hunt.jobs: 4\n", 1, 1, "a key with a dot");
    refused("hunt:\n  jobs: 4\n  jobs: 5\n", 3, 3, "`jobs` is written twice, first in line 2");
    refused("hunt: 4\n", 1, 7, "a map of settings");
    refused("hunt:\n  jobs:\n    a: 4\n", 3, 5, "hunt.jobs: a whole number from 1 to 64");
    refused("hunt:\n  jobs: 65\n", 2, 9, "from 1 to 64 processes, or auto, not `65`");
    refused("hunt:\n  jobs: 0\n", 2, 9, "not `0`");
    refused("hunt:\n  jobs: -1\n", 2, 9, "not `-1`");
    refused("hunt:\n  jobs: 99999999999999999999\n", 2, 9, "from 1 to 64");
    refused("hunt:\n  jobs:\n", 2, 3, "hunt.jobs: a whole number");
    refused("hunt:\n  utc: yes\n", 2, 8, "true or false, not `yes`");
    refused("hunt:\n  format: xml\n", 2, 11, "one of table|json|csv, not `xml`");
    refused("hunt:\n  silence: 30\n", 2, 12, "a duration from 10s to 1d, not `30`");
    refused("hunt:\n  silence: 9s\n", 2, 12, "not `9s`");
    refused("correlation:\n  state: 63KiB\n", 2, 10, "a size from 64KiB to 16GiB");
    refused("correlation:\n  state: 1TB\n", 2, 10, "not `1TB`");
    refused("correlation:\n  state: 18446744073709551615GiB\n", 2, 10, "a size");
    refused("rules: {a: b}\n", 1, 8, "a path is expected");
    refused("rules:\n  - a\n  - [b]\n", 3, 5, "a path is expected");
    refused("rules: ''\n", 1, 9, "a path of 1 to 4096 bytes");
    refused("- a\n", 1, 1, "a map from keys");
    refused("rules: a\n---\nrules: b\n", 3, 1, "more than one document");
    refused("hunt: [\n", 2, 1, "not valid YAML");
    refused("rules: a\tb\x01\n", 1, 11, "U+0001");
}

TEST(config_limits)
{
    struct buf text;
    buf_init(&text, 2 * CONFIG_FILE_MAX);
    buf_puts(&text, "rules:\n");
    for (int i = 0; i <= CONFIG_PATHS_MAX; i++) buf_puts(&text, "  - a\n");
    buf_putc(&text, '\0');
    REQUIRE(!buf_failed(&text));
    refused(text.ptr, CONFIG_PATHS_MAX + 2, 5, "more than 256 paths");
    buf_clear(&text);
    while (text.len <= CONFIG_FILE_MAX) buf_puts(&text, "# a line that only fills the file\n");
    buf_putc(&text, '\0');
    refused(text.ptr, 1, 1, "larger than 1024 KiB");
    buf_done(&text);
}

TEST(config_options_come_after_the_file)
{
    CHECK_INT(read_text("rules: [a, b]\nhunt:\n  jobs: 4\n"), 0);
    CHECK_INT(config_set(&config, CONFIG_HUNT_JOBS, SLICE("2"), "-j", &diag), 0);
    CHECK_INT(config_set(&config, CONFIG_RULES, SLICE("c"), "-r", &diag), 0);
    CHECK_INT(config_set(&config, CONFIG_RULES, SLICE("d"), "-r", &diag), 0);
    check_shown(CONFIG_HUNT_JOBS, "2", "-j");
    check_shown(CONFIG_RULES, "[\"c\", \"d\"]", "-r");
    CHECK_INT(config_set(&config, CONFIG_HUNT_JOBS, SLICE("many"), "-j", &diag), ERR_INVALID);
    CHECK_SLICE(slice_of(diag.message),
                "-j: a whole number from 1 to 64 processes, or auto, not `many`");
    CHECK_INT(config_set(&config, CONFIG_RULES, SLICE(""), "-r", &diag), ERR_INVALID);
    check_shown(CONFIG_HUNT_JOBS, "2", "-j");
    config_done(&config);
}

/* As it is, and with every number sign before a key taken away, it says the defaults. */
TEST(config_default_file_says_the_defaults)
{
    struct buf file, bare;
    buf_init(&file, CONFIG_FILE_MAX);
    buf_init(&bare, CONFIG_FILE_MAX);
    config_write_file(&file, NULL);
    buf_putc(&file, '\0');
    REQUIRE(!buf_failed(&file));
    CHECK_INT(read_text(file.ptr), 0);
    config_done(&config);
    for (size_t i = 0; i < file.len; i++)
        if (file.ptr[i] != '#' || file.ptr[i + 1] == ' ') buf_putc(&bare, file.ptr[i]);
    if (read_text(bare.ptr)) test_fail(__FILE__, __LINE__, "%u: %s", diag.line, diag.message);
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        CHECK(config.origin[key].line > 0);
        struct buf out;
        buf_init(&out, 256);
        config_write_value(&out, &config, key);
        CHECK_SLICE(buf_slice(&out), shown_default(key));
        buf_done(&out);
    }
    config_done(&config);
    buf_done(&file);
    buf_done(&bare);
}

TEST(config_where_values_are_from_is_told_to_others)
{
    struct config from, to;
    struct buf text;
    config_init(&from);
    config_init(&to);
    buf_init(&text, 64 * 1024);
    CHECK_INT(config_read(&from, "a b.yaml", SLICE("log:\n  level: debug\n"), &diag), 0);
    CHECK_INT(config_set(&from, CONFIG_WEB_RATE, SLICE("7"), "--set web.rate", &diag), 0);
    config_write_origins(&text, &from);
    CHECK_INT(config_read_origins(&to, buf_slice(&text)), 0);
    CHECK_SLICE(slice_of(to.origin[CONFIG_LOG_LEVEL].name), "a b.yaml");
    CHECK_INT(to.origin[CONFIG_LOG_LEVEL].line, 2);
    CHECK_SLICE(slice_of(to.origin[CONFIG_WEB_RATE].name), "--set web.rate");
    CHECK_INT(to.origin[CONFIG_WEB_RATE].line, 0);
    CHECK(!to.origin[CONFIG_RULES].name);
    CHECK_INT(config_read_origins(&to, slice_until(buf_slice(&text), text.len - 1)), ERR_CORRUPT);
    CHECK_INT(config_read_origins(&to, SLICE("x\n")), ERR_CORRUPT);
    buf_done(&text);
    config_done(&from);
    config_done(&to);
}

TEST(config_values_are_written_as_they_are_read)
{
    static const uint64_t sizes[] = {0, 1, 1023, 1024, 1536, 1 << 20, 3ull << 30, INT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf out;
        uint64_t back = 7;
        buf_init(&out, 64);
        value_write(&out, sizes[i], value_sizes);
        CHECK(value_parse(buf_slice(&out), value_sizes, &back));
        CHECK_INT(back, sizes[i]);
        buf_done(&out);
    }
    uint64_t none;
    CHECK(!value_parse(SLICE("1  MiB"), value_sizes, &none));
    CHECK(!value_parse(SLICE("MiB"), value_sizes, &none));
    CHECK(!value_parse(SLICE("1 "), value_sizes, &none));
    CHECK(!value_parse(SLICE("9223372036854775808"), value_sizes, &none));
    CHECK(!value_parse(SLICE("9007199254740992GiB"), value_sizes, &none));
}

/* Where the service manager has put them, whichever folder the file of settings is in. */
TEST(a_path_may_be_a_credential)
{
    const char *text = "tls:\n  key: credential:vaka.tls.key\n  certificate: a.crt\n";
    char path[64];
    config_init(&config);
    REQUIRE(setenv("CREDENTIALS_DIRECTORY", "/run/credentials/test", 1) == 0);
    CHECK_INT(config_read(&config, "/etc/vaka/vaka.yaml", slice_of(text), &diag), 0);
    CHECK_SLICE(slice_of(config.tls_key.items[0]), "/run/credentials/test/vaka.tls.key");
    CHECK_SLICE(slice_of(config.tls_certificate.items[0]), "/etc/vaka/a.crt");
    CHECK_INT(words_read_path(SLICE("credential:sms"), "secret", path, sizeof path, &diag), 0);
    CHECK_SLICE(slice_of(path), "/run/credentials/test/sms");
    CHECK_INT(words_read_path(SLICE("credential:sms"), "secret", path, 8, &diag), ERR_INVALID);
    REQUIRE(unsetenv("CREDENTIALS_DIRECTORY") == 0);
    CHECK_INT(words_read_path(SLICE("credential:sms"), "secret", path, sizeof path, &diag), 0);
    CHECK_SLICE(slice_of(path), "/run/credentials/vaka.service/sms");
    config_done(&config);
    static const char *const bad[] = {"credential:", "credential:.x", "credential:../tls.key",
                                      "credential:a/b", "credential:a b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_INT(words_read_path(slice_of(bad[i]), "secret", path, sizeof path, &diag),
                  ERR_INVALID);
        char file[128];
        (void)snprintf(file, sizeof file, "tls:\n  key: \"%s\"\n", bad[i]);
        refused(file, 2, 9, "credential");
    }
}
