/* SPDX-License-Identifier: EUPL-1.2 */
#include "witness/address.h"

#include <stdio.h>

#include "test.h"

static char key[CHECKPOINT_KEY_TEXT];

static const char *key_text(enum checkpoint_key_type type)
{
    struct checkpoint_signer signer;
    struct buf text;
    const uint8_t seed[CHECKPOINT_SEED] = {7};
    REQUIRE(checkpoint_signer_init(&signer, SLICE("w.example/w"), type, seed) == 0);
    buf_init(&text, sizeof key);
    checkpoint_key_write(&text, &signer.key);
    (void)snprintf(key, sizeof key, "%.*s", SLICE_FMT(buf_slice(&text)));
    buf_done(&text);
    return key;
}

static int read_url(const char *url, struct witness_address *ret)
{
    char text[1024];
    const char *why;
    (void)snprintf(text, sizeof text, "%s %s", url, key_text(CHECKPOINT_WITNESS));
    return witness_address_read(slice_of(text), "add-checkpoint", CHECKPOINT_WITNESS, ret, &why);
}

TEST(addresses_of_witnesses_are_read)
{
    static const struct {
        const char *url, *authority, *host, *port, *path;
    } rows[] = {
        {"https://w.example", "w.example", "w.example", "443", "/add-checkpoint"},
        {"https://w.example/", "w.example", "w.example", "443", "/add-checkpoint"},
        {"https://w.example:8443/a/b/", "w.example:8443", "w.example", "8443",
         "/a/b/add-checkpoint"},
        {"https://[::1]:9/x", "[::1]:9", "::1", "9", "/x/add-checkpoint"},
        {"https://[2001:db8::1]", "[2001:db8::1]", "2001:db8::1", "443", "/add-checkpoint"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct witness_address a;
        REQUIRE(read_url(rows[i].url, &a) == 0);
        CHECK_SLICE(slice_of(a.authority), rows[i].authority);
        CHECK_SLICE(slice_of(a.host), rows[i].host);
        CHECK_SLICE(slice_of(a.port), rows[i].port);
        CHECK_SLICE(slice_of(a.path), rows[i].path);
        CHECK_SLICE(slice_of(a.key.name), "w.example/w");
    }
}

TEST(what_is_no_address_is_refused)
{
    static const char *const bad[] = {
        "http://w.example/",         "https:///x",          "https://w.example:0/",
        "https://w.example:65536/",  "https://w.example:/", "https://user@w.example/",
        "https://w.example/a?b",     "https://[::1/",       "https://[::1]9/",
        "https://w.example/a\r\nX:", "https://::1/",        "w.example",
    };
    struct witness_address a;
    const char *why;
    char text[1024];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_INT(read_url(bad[i], &a), ERR_SYNTAX);
    CHECK_INT(witness_address_read(SLICE("https://w.example/"), "x", CHECKPOINT_LOG, &a, &why),
              ERR_SYNTAX);
    (void)snprintf(text, sizeof text, "https://w.example/ %s", key_text(CHECKPOINT_LOG));
    CHECK_INT(witness_address_read(slice_of(text), "x", CHECKPOINT_WITNESS, &a, &why), ERR_SYNTAX);
    CHECK_SLICE(slice_of(why), "what stands behind the address is no public key of that kind");
}
