/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/message.h"

#define M(name, NAME, FIELDS, number)                                                              \
    MESSAGE_DEFINE(say, name, number, SAY_TEXT_MAX, SAY_##FIELDS##_FIELDS)
SAY_MESSAGES(M)
#undef M

/* Two messages with one number do not compile. */
const char *say_name(unsigned type)
{
    switch (type) {
#define M(name, NAME, FIELDS, number)                                                              \
    case number:                                                                                   \
        return #name;
        SAY_MESSAGES(M)
    default:
        return "?";
    }
}
