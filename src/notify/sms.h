/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How long a text is as an SMS (3GPP TS 23.038): 160 characters of the GSM alphabet, or 70 when one
 * is not of it; of several segments 153 or 67 each. Some characters of the alphabet count twice.
 */
#ifndef VAKA_NOTIFY_SMS_H
#define VAKA_NOTIFY_SMS_H

#include "base/slice.h"

struct sms_size {
    bool wide;         /* UCS-2: some character is not of the GSM alphabet */
    uint32_t units;    /* septets, or 16-bit units */
    uint32_t segments; /* 0: it is empty */
};

/* Bytes that are not UTF-8 count as U+FFFD. */
void sms_measure(struct slice text, struct sms_size *ret);

#endif
