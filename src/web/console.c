/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/console.h"

#include "web/call.h"
#include "web/header.h"

/*
 * Scripts, styles and fonts are files of ours; nothing stands within a page, nothing is evaluated,
 * and no text becomes markup (Trusted Types without a policy). Nobody frames it, no form leaves it.
 */
#define SHELL_POLICY                                                                               \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "                \
    "img-src 'self' data:; font-src 'self'; manifest-src 'self'; base-uri 'none'; "                \
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "             \
    "trusted-types 'none'"

static const char *const types[][2] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".woff2", "font/woff2"},
    {".svg", "image/svg+xml"},
};

static const char *type_of(struct slice name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_ends_with(name, slice_of(types[i][0]))) return types[i][1];
    return "application/octet-stream";
}

static const struct embedded *find(struct slice name)
{
    for (const struct embedded *f = console_files; f->name; f++)
        if (slice_eq(slice_of(f->name), name)) return f;
    return NULL;
}

static const struct embedded *find_shell(void)
{
    const struct embedded *f = console_files;
    while (f->name && !slice_ends_with(slice_of(f->name), SLICE(".html"))) f++;
    return f->name ? f : NULL;
}

static const struct embedded *find_packed(const struct api_call *c, const struct embedded *f)
{
    char name[128];
    int n = snprintf(name, sizeof name, "%s.gz", f->name);
    if (!header_takes_gzip(api_request_header(c, MHD_HTTP_HEADER_ACCEPT_ENCODING))) return NULL;
    return n > 0 && (size_t)n < sizeof name ? find(slice_make(name, (size_t)n)) : NULL;
}

static void send_file(struct api_call *c, const struct embedded *f)
{
    const struct embedded *packed = find_packed(c, f);
    api_header(c, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    if (packed) api_header(c, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    if (!packed) packed = f;
    buf_put(&c->out, packed->text);
    api_answer(c, MHD_HTTP_OK, type_of(slice_of(f->name)));
}

static void send_shell(struct api_call *c)
{
    const struct embedded *shell = find_shell();
    if (!shell) {
        api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
        return;
    }
    c->policy = SHELL_POLICY;
    c->caching = "no-cache";
    send_file(c, shell);
}

void console_answer(struct api_call *c)
{
    const struct api_target *t = &c->target;
    const struct embedded *f;
    if (c->method != API_GET) {
        api_header(c, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
        api_refuse(c, API_PROBLEM_METHOD, NULL);
    } else if (!slice_eq(t->segments[0], SLICE("assets"))) {
        send_shell(c);
    } else if ((f = find(slice_from(t->path, 1)))) {
        c->caching = "public, max-age=31536000, immutable";
        send_file(c, f);
    } else {
        api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    }
}
