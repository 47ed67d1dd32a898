/* SPDX-License-Identifier: EUPL-1.2 */
#include "scan/message.h"

#define M(name, NAME, number) MESSAGE_DEFINE(scan, name, number, 0, SCAN_##NAME##_FIELDS)
SCAN_MESSAGES(M)
#undef M
