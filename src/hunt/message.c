/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/message.h"

#define M(name, NAME, number)                                                                      \
    MESSAGE_DEFINE(message, name, number, MESSAGE_TEXT_MAX, MESSAGE_FIELDS_##NAME)
MESSAGES(M)
