/* SPDX-License-Identifier: EUPL-1.2 */
#include "notify/sms.h"

#include "base/utf8.h"

enum { ONE = 160, EACH = 153, WIDE_ONE = 70, WIDE_EACH = 67 };

/* 6.2.1: the default alphabet, but for ASCII that it has in common; then its extension table. */
static const uint16_t beyond_ascii[] = {
    0xa1, 0xa3, 0xa4, 0xa5,  0xa7,  0xbf,  0xc4,  0xc5,  0xc6,  0xc7,  0xc9,  0xd1,  0xd6,
    0xd8, 0xdc, 0xdf, 0xe0,  0xe4,  0xe5,  0xe6,  0xe8,  0xe9,  0xec,  0xf1,  0xf2,  0xf6,
    0xf8, 0xf9, 0xfc, 0x393, 0x394, 0x398, 0x39b, 0x39e, 0x3a0, 0x3a3, 0x3a6, 0x3a8, 0x3a9,
};
static const char twice[] = "\f^{}\\[~]|";
static const char not_there[] = "`\t\b\v\a";

/* Septets; 0: the alphabet does not have it. */
static unsigned septets(uint32_t cp)
{
    if (cp == 0x20ac) return 2; /* the euro sign */
    if (cp == '\n' || cp == '\r') return 1;
    if (cp < 0x80) {
        if (cp && strchr(twice, (int)cp)) return 2;
        return cp < ' ' || cp == 0x7f || strchr(not_there, (int)cp) ? 0 : 1;
    }
    for (size_t i = 0; i < sizeof beyond_ascii / sizeof *beyond_ascii; i++)
        if (beyond_ascii[i] == cp) return 1;
    return 0;
}

static uint32_t segments(uint32_t units, uint32_t one, uint32_t each)
{
    return units == 0 ? 0 : units <= one ? 1 : (units + each - 1) / each;
}

void sms_measure(struct slice text, struct sms_size *ret)
{
    uint32_t narrow = 0, wide = 0;
    bool fits = true;
    for (size_t at = 0; at < text.len;) {
        uint32_t cp;
        unsigned n = utf8_decode(text, at, &cp);
        if (n == 0) cp = 0xfffd;
        at += n ? n : 1;
        unsigned s = septets(cp);
        fits = fits && s > 0;
        narrow += s;
        wide += cp > 0xffff ? 2 : 1;
    }
    *ret = (struct sms_size){.wide = !fits,
                             .units = fits ? narrow : wide,
                             .segments = fits ? segments(narrow, ONE, EACH)
                                              : segments(wide, WIDE_ONE, WIDE_EACH)};
}
