/* SPDX-License-Identifier: EUPL-1.2 */
/* What goes out as bytes: the size of an SMS, mail, forms. */
#include "base/form.h"
#include "notify/mime.h"
#include "notify/sms.h"
#include "test.h"

static struct sms_size size_of(struct slice text)
{
    struct sms_size size;
    sms_measure(text, &size);
    return size;
}

static struct sms_size size_of_many(const char *one, unsigned n)
{
    struct buf b;
    buf_init(&b, 4096);
    for (unsigned i = 0; i < n; i++) buf_puts(&b, one);
    struct sms_size size = size_of(buf_slice(&b));
    buf_done(&b);
    return size;
}

TEST(swedish_is_of_the_gsm_alphabet)
{
    CHECK_INT(size_of(SLICE("")).segments, 0);
    CHECK(!size_of(SLICE("Övning på tjänsten: \xe2\x82\xac 5 ÅÄÖ åäö éÉ @$_/?")).wide);
    CHECK_INT(size_of_many("å", 160).segments, 1);
    CHECK_INT(size_of_many("a", 161).segments, 2);
    CHECK_INT(size_of_many("a", 306).segments, 2);
    CHECK_INT(size_of_many("a", 307).segments, 3);
    /* Of the extension table: two septets each. */
    CHECK_INT(size_of_many("[", 80).segments, 1);
    CHECK_INT(size_of_many("\xe2\x82\xac", 81).units, 162);
}

TEST(one_character_outside_makes_an_sms_wide)
{
    CHECK(size_of(SLICE("á")).wide);
    CHECK(size_of(SLICE("`")).wide);
    CHECK(size_of(SLICE("a\tb")).wide);
    CHECK_INT(size_of_many("ł", 70).segments, 1);
    CHECK_INT(size_of_many("ł", 71).segments, 2);
    CHECK_INT(size_of_many("\xf0\x9f\x98\x80", 35).segments, 1);
    CHECK_INT(size_of_many("\xf0\x9f\x98\x80", 36).segments, 2);
    CHECK(size_of(SLICE("\xff")).wide);
}

static struct buf mail_of(struct slice subject, struct slice body, uint64_t thread)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    mime_write(&out, &(struct mime){.from = "vaka@example.se",
                                    .to = SLICE("anna@example.se"),
                                    .subject = subject,
                                    .body = body,
                                    .id = 0x1f,
                                    .thread = thread,
                                    .time = INT64_C(1795723200) * NSEC_PER_SEC});
    return out;
}

TEST(a_mail_is_as_the_standards_have_it)
{
    struct buf out = mail_of(SLICE("Övning"), SLICE("Allvar: hög\n. =\n\nslut \n"), 7);
    CHECK_SLICE(buf_slice(&out),
                "Date: Thu, 26 Nov 2026 20:00:00 +0000\r\nFrom: Vaka <vaka@example.se>\r\n"
                "To: <anna@example.se>\r\nSubject: =?utf-8?B?w5Z2bmluZw==?=\r\n"
                "Message-ID: <vaka.1f.18ebb0bc7aed8000@example.se>\r\n"
                "In-Reply-To: <vaka.page.7@example.se>\r\nReferences: <vaka.page.7@example.se>\r\n"
                "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
                "Importance: high\r\nX-Priority: 1\r\nMIME-Version: 1.0\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                "Allvar: h=C3=B6g\r\n=2E =3D\r\n\r\nslut=20\r\n");
    buf_done(&out);
}

TEST(no_text_makes_a_header_or_a_long_line)
{
    char hostile[2000];
    static const char bytes[] = "\r\nBcc: x@y.se\r\n\r\n.\r\nå\xff\t=";
    for (size_t i = 0; i < sizeof hostile; i++) hostile[i] = bytes[i % (sizeof bytes - 1)];
    struct slice all = slice_make(hostile, sizeof hostile), line, rest;
    struct buf out = mail_of(all, all, 0);
    rest = buf_slice(&out);
    bool head = true;
    for (bool more = true; more;) {
        more = slice_split(rest, '\n', &line, &rest);
        CHECK(!more || (line.len && line.ptr[line.len - 1] == '\r'));
        CHECK(line.len <= 79);
        if (line.len == 1) head = false;
        CHECK(!head || !slice_starts_with(line, SLICE("Bcc")));
        CHECK(!slice_starts_with(line, SLICE(".")));
        for (size_t i = 0; i < line.len; i++) CHECK((unsigned char)line.ptr[i] < 0x80);
    }
    buf_done(&out);
}

TEST(forms_are_read_as_they_were_written)
{
    struct buf form, value;
    struct slice all = SLICE("a b&c=d+e%\r\nåäö\0.");
    buf_init(&form, 4096);
    buf_init(&value, 4096);
    form_put(&form, "first", SLICE("1"));
    form_put(&form, "all", all);
    CHECK(form_find(buf_slice(&form), "all", &value));
    CHECK(slice_eq(buf_slice(&value), all));
    CHECK(form_find(SLICE("x=1&y=a+b%2Bc&y=2"), "y", &value));
    CHECK_SLICE(buf_slice(&value), "a b+c");
    CHECK(!form_find(SLICE("x=1"), "y", &value));
    CHECK(!form_find(SLICE("y=%4"), "y", &value));
    CHECK(!form_find(SLICE("y=%zz"), "y", &value));
    CHECK(form_find(SLICE("y"), "y", &value));
    CHECK_INT(value.len, 0);
    buf_done(&form);
    buf_done(&value);
}
