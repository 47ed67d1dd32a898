/* SPDX-License-Identifier: EUPL-1.2 */
#include "noise/message.h"

#define M(name, NAME, number)                                                                      \
    MESSAGE_DEFINE(noise, name, number, NOISE_TEXT_MAX, NOISE_##NAME##_FIELDS)
NOISE_MESSAGES(M)
#undef M
