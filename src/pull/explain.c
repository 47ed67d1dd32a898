/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/explain.h"

#include "base/text.h"

enum { SAID_COLUMNS = 160 };

/*
 * Codes of tokens: "Microsoft Entra authentication and authorization error codes"; of Graph:
 * "Microsoft Graph error responses"; AF…: "Office 365 Management Activity API reference". All
 * Microsoft Learn.
 */
static const struct {
    const char *code, *what;
} advice[] = {
    {"AADSTS7000215", "the secret is not the right one: the file has to have what Entra calls its "
                      "value, not its id"},
    {"AADSTS7000222",
     "the secret has expired: make a new one under Certificates & secrets, and put "
     "its value into the file"},
    {"AADSTS700016", "the tenant has no application with this client id"},
    {"AADSTS90002", "there is no such tenant: look at tenant=, and at login= for a national cloud"},
    {"AADSTS900023",
     "there is no such tenant: look at tenant=, and at login= for a national cloud"},
    {"AADSTS500011", "the tenant does not know this interface: look at api= and login="},
    {"AADSTS7000112", "the application is disabled in Entra"},
    {"Authentication_RequestFromNonPremiumTenantOrB2CTenant",
     "this log is only there with Microsoft Entra ID P1 or P2"},
    {"Authentication_RequestFromUnsupportedUserRole",
     "the application has no role that may read this log"},
    {"AF20012", "the tenant's id is not one: look at tenant="},
    {"AF20013", "the tenant does not exist: look at tenant="},
    {"AF20020", "the content type is not one"},
};

bool explain_has_code(const struct answer_error *error, const char *code)
{
    struct slice want = slice_of(code), rest = error->message;
    return slice_eq(error->code, want) ||
           (slice_starts_with(rest, want) && rest.len > want.len && rest.ptr[want.len] == ':');
}

static void put_advice(struct buf *out, const char *permission, unsigned status,
                       const struct answer_error *error)
{
    for (size_t i = 0; i < sizeof advice / sizeof *advice; i++) {
        if (!explain_has_code(error, advice[i].code)) continue;
        buf_printf(out, "; %s", advice[i].what);
        return;
    }
    if (permission && (status == 401 || status == 403))
        buf_printf(
            out, "; the application has no permission %s, or no administrator has consented to it",
            permission);
}

void explain_refusal(struct buf *out, const char *permission, unsigned status,
                     const struct answer_error *error)
{
    buf_printf(out, "it answered %u", status);
    if (error->code.len) {
        buf_putc(out, ' ');
        (void)text_put_visible(out, error->code, SAID_COLUMNS);
    }
    if (error->message.len) {
        buf_puts(out, ": ");
        (void)text_put_visible(out, error->message, SAID_COLUMNS);
    }
    put_advice(out, permission, status, error);
}
