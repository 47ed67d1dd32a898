/* SPDX-License-Identifier: EUPL-1.2 */
/* Limits of paging as the settings have them when nobody has changed them. */
#ifndef VAKA_TESTS_USUAL_LIMITS_H
#define VAKA_TESTS_USUAL_LIMITS_H

#include "config/config.h"
#include "oncall/oncall.h"

static inline struct oncall_limits usual_limits(void)
{
    struct config config;
    struct oncall_limits limits;
    config_init(&config);
    oncall_limits_read(&config, &limits);
    config_done(&config);
    return limits;
}

#endif
