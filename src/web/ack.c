/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/ack.h"

#include <nettle/base64.h>
#include <nettle/sha2.h>

#include "base/form.h"
#include "base/json_write.h"
#include "web/call.h"

enum { CODE_MAX_BYTES = 16, ANSWER_WORD_MAX = 32 };

#define PAGE_TYPE "text/html; charset=utf-8"

/* The page has no file of its own, so that one request is enough. */
static const char style[] =
    ":root{color-scheme:light dark;font:18px/1.5 system-ui,sans-serif}"
    "body{margin:0;background:#fff;color:#111}"
    "main{max-width:26rem;margin:0 auto;padding:1.5rem}"
    "h1{font-size:1.5rem;margin:0 0 1rem}"
    "input{box-sizing:border-box;width:100%;padding:.7rem;font:1.4rem ui-monospace,monospace;"
    "letter-spacing:.1em;text-transform:uppercase;color:inherit;background:inherit;"
    "border:2px solid #555;border-radius:.4rem}"
    "output{display:block;font:1.4rem ui-monospace,monospace;letter-spacing:.1em}"
    "button{width:100%;min-height:3.5rem;margin-top:1rem;font:inherit;font-weight:600;"
    "border:2px solid #0b5c2b;border-radius:.4rem;color:#fff;background:#0b5c2b}"
    "button.other{color:inherit;background:transparent;border-color:#555}"
    ":focus-visible{outline:3px solid #06c;outline-offset:2px}"
    "@media (prefers-color-scheme:dark){body{background:#111;color:#eee}"
    "input,button.other{border-color:#aaa}button{border-color:#8fdca6;background:#8fdca6;"
    "color:#06210f}button.other{color:#eee}:focus-visible{outline-color:#7bf}}";

/* ---- words ------------------------------------------------------------------------------- */

struct words {
    const char *sv, *en;
};

static const struct words title = {"Larm från Vaka", "Page from Vaka"};
static const struct words code_label = {"Koden i meddelandet", "The code in the message"};
static const struct words take = {"Jag tar det", "I have it"};
static const struct words pass_on = {"Eskalera till nästa", "Escalate to the next"};
static const struct words hint = {"Den som tar larmet äger det. Koden gäller en gång.",
                                  "Who takes the page owns it. The code is good once."};
static const struct words console = {"Öppna Vaka", "Open Vaka"};
static const struct words again = {"Försök igen", "Try again"};

/* What became of it, as oncall calls that. */
static const struct result {
    const char *answer;
    unsigned status;
    struct words text;
} results[] = {
    {"acknowledged", 200, {"Larmet är ditt.", "The page is yours."}},
    {"acknowledged-one",
     200,
     {"Du har kvitterat. Larmet väntar på fler.", "You have it. The page waits for others."}},
    {"escalated", 200, {"Larmet går vidare till nästa.", "The page goes on to the next."}},
    {"taken", 409, {"Någon annan har redan tagit larmet.", "Somebody else has the page already."}},
    {"over", 409, {"Larmet är över.", "The page is over."}},
    {"used", 409, {"Koden är redan använd.", "The code was used already."}},
    {"wrong", 404, {"Koden gäller inte.", "The code is not valid."}},
    {"too-many",
     429,
     {"För många felaktiga koder. Vänta tio minuter, eller svara på SMS:et.",
      "Too many wrong codes. Wait ten minutes, or reply to the SMS."}},
};

static const struct words not_now = {
    "Vaka kan inte ta emot svaret just nu. Försök igen, eller svara på SMS:et.",
    "Vaka cannot take the answer now. Try again, or reply to the SMS."};
static const struct words not_understood = {"Det går inte att förstå.", "This is not understood."};
static const struct words nothing_here = {"Här finns ingenting.", "There is nothing here."};

/* Swedish, unless English is what is asked for first. */
static const char *say(const struct api_call *c, const struct words *w)
{
    struct slice asked = api_request_header(c, MHD_HTTP_HEADER_ACCEPT_LANGUAGE);
    return slice_starts_with(asked, SLICE("en")) ? w->en : w->sv;
}

/* ---- pages ------------------------------------------------------------------------------- */

void ack_write_policy(char ret[256])
{
    struct sha256_ctx ctx;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char text[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE)];
    sha256_init(&ctx);
    sha256_update(&ctx, sizeof style - 1, (const uint8_t *)style);
    sha256_digest(&ctx, sizeof digest, digest);
    base64_encode_raw(text, sizeof digest, digest);
    (void)snprintf(ret, 256,
                   "default-src 'none'; style-src 'sha256-%.*s'; form-action 'self'; "
                   "base-uri 'none'; frame-ancestors 'none'",
                   (int)sizeof text, text);
}

static void begin(struct api_call *c, const char *heading)
{
    buf_clear(&c->out);
    buf_printf(&c->out,
               "<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
               "<meta name=\"robots\" content=\"noindex\"><title>%s</title><style>%s</style></head>"
               "<body><main><h1>%s</h1>",
               say(c, &(struct words){"sv", "en"}), say(c, &title), style, heading);
}

static void end(struct api_call *c, unsigned status)
{
    buf_puts(&c->out, "</main></body></html>\n");
    c->policy = c->api->ack_policy;
    api_answer(c, status, PAGE_TYPE);
}

/* The code, letters and digits alone, is in the path, or is asked for. */
static void put_code(struct api_call *c, struct slice code)
{
    if (code.len)
        buf_printf(&c->out,
                   "<input type=\"hidden\" name=\"code\" value=\"%.*s\"><output>%.*s</output>",
                   SLICE_FMT(code), SLICE_FMT(code));
    else
        buf_printf(&c->out,
                   "<label for=\"code\">%s</label><input id=\"code\" name=\"code\" required "
                   "maxlength=\"%d\" autocapitalize=\"characters\" autocomplete=\"off\" "
                   "spellcheck=\"false\">",
                   say(c, &code_label), CODE_MAX_BYTES);
}

static void show(struct api_call *c)
{
    struct slice code = c->target.n_segments > 1 ? c->target.segments[1] : SLICE_NONE;
    begin(c, say(c, &title));
    buf_puts(&c->out, "<form method=\"post\" action=\"/ack\">");
    put_code(c, code);
    buf_printf(&c->out,
               "<button name=\"do\" value=\"ack\">%s</button>"
               "<button class=\"other\" name=\"do\" value=\"escalate\">%s</button></form><p>%s</p>",
               say(c, &take), say(c, &pass_on), say(c, &hint));
    end(c, MHD_HTTP_OK);
}

static void tell(struct api_call *c, const struct words *text, unsigned status)
{
    bool good = status == MHD_HTTP_OK;
    begin(c, say(c, text));
    buf_printf(&c->out, "<p><a href=\"%s\">%s</a></p>", good ? "/" : "/ack",
               say(c, good ? &console : &again));
    end(c, status);
}

void ack_refuse(struct api_call *c, enum api_problem problem)
{
    unsigned status = api_problem_status(problem);
    tell(c,
         status >= 500 || status == 429 ? &not_now
         : status == 404                ? &nothing_here
                                        : &not_understood,
         status);
}

/* ---- what is done ------------------------------------------------------------------------ */

static void put_request(struct buf *out, const struct api_call *c, struct slice code,
                        struct slice what)
{
    char from[IP_TEXT_MAX + 8];
    (void)snprintf(from, sizeof from, "web %s", c->from);
    buf_putc(out, '{');
    json_write_member_string(out, "code", code);
    json_write_member_string(out, "do", what);
    json_write_member_string(out, "from", slice_of(from));
    buf_putc(out, '}');
}

static void do_it(struct api_call *c)
{
    const struct api_out *out = &c->api->options.out;
    struct buf code, what, body;
    buf_init(&code, 4 * CODE_MAX_BYTES);
    buf_init(&what, CODE_MAX_BYTES);
    buf_init(&body, 1024);
    bool good =
        form_find(buf_slice(&c->body), "code", &code) &&
        form_find(buf_slice(&c->body), "do", &what) &&
        (slice_eq(buf_slice(&what), SLICE("ack")) || slice_eq(buf_slice(&what), SLICE("escalate")));
    put_request(&body, c, slice_trim(buf_slice(&code)), buf_slice(&what));
    if (!good) api_refuse(c, API_PROBLEM_BODY, NULL);
    else if (buf_failed(&body) || out->answer(out->ctx, c->id, buf_slice(&body)) != 0)
        api_refuse_for(c, API_PROBLEM_BUSY, 1);
    else api_wait(c, WAIT_ANSWER);
    buf_done(&code);
    buf_done(&what);
    buf_done(&body);
}

void ack_answered(struct api_call *c, unsigned status, struct slice body)
{
    char word[ANSWER_WORD_MAX];
    if (status != 0 || !api_json_text(body, "answer", word, sizeof word)) {
        api_refuse(c, API_PROBLEM_BODY, NULL);
        return;
    }
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        if (strcmp(results[i].answer, word) != 0) continue;
        tell(c, &results[i].text, results[i].status);
        return;
    }
    api_refuse(c, API_PROBLEM_BUSY, NULL);
}

static const struct api_endpoint endpoints[] = {
    {.id = "ackPage",
     .method = API_GET,
     .path = "/ack",
     .right = RIGHT_ANYBODY,
     .run = show,
     .action = ACTION_COUNT,
     .kind = ANSWER_PAGE},
    {.id = "ack",
     .method = API_POST,
     .path = "/ack",
     .right = RIGHT_ANYBODY,
     .run = do_it,
     .action = ACTION_COUNT,
     .body = "FormAck",
     .kind = ANSWER_PAGE},
};

void ack_find(struct api_call *c)
{
    const struct api_target *t = &c->target;
    c->endpoint = &endpoints[0];
    bool coded = t->n_segments == 2 && t->segments[1].len <= CODE_MAX_BYTES &&
                 slice_is_plain(t->segments[1], "");
    if (t->n_segments != 1 && !coded) api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
    else if (c->method == API_POST && !coded) c->endpoint = &endpoints[1];
    else if (c->method != API_GET) api_refuse(c, API_PROBLEM_METHOD, NULL);
}
