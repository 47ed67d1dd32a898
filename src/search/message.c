/* SPDX-License-Identifier: EUPL-1.2 */
#include "search/message.h"

#define M(name, NAME, number)                                                                      \
    MESSAGE_DEFINE(search, name, number, SEARCH_TEXT_MAX, SEARCH_##NAME##_FIELDS)
SEARCH_MESSAGES(M)
#undef M
