/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/message.h"

#define M(name, NAME, FIELDS, number)                                                              \
    MESSAGE_DEFINE(say, name, number, SAY_TEXT_MAX, SAY_##FIELDS##_FIELDS)
SAY_MESSAGES(M)
