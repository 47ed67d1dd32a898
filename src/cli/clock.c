/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka clock trust */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"
#include "cli/settings.h"
#include "serve/retention.h"

struct clock_context {
    struct settings settings;
};

static const struct cli_option clock_options[] = {OPTION_SETTINGS(struct clock_context)};

static int clock_run(const struct invocation *in)
{
    const struct clock_context *c = in->ctx;
    struct config config;
    char folder[CONFIG_PATH_MAX + 64], text[32];
    if (in->n_operands) return cli_usage("clock trust takes no operands");
    int status = settings_load(&c->settings, &config, NULL);
    if (status == 0) {
        const struct clock clock = clock_system();
        (void)snprintf(folder, sizeof folder, "%s/store/0", config.serve_folder.items[0]);
        int n = snprintf(text, sizeof text, "%lld\n",
                         (long long)(clock_realtime(&clock) / NSEC_PER_SEC));
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool good =
            fd >= 0 && folder_replace(fd, RETENTION_CLOCK, slice_make(text, (size_t)n)) == 0;
        if (!good) cli_say("%s: %s", folder, strerror(errno));
        if (fd >= 0) (void)close(fd);
        status = good ? EXIT_RAN : EXIT_UNREADABLE;
    }
    config_done(&config);
    return status;
}

const struct command command_clock_trust = {
    .name = "clock trust",
    .operands = "",
    .summary = "say that the clock of this machine is right",
    .description =
        "Records go when they are older than store.keep. When the clock has leapt ahead by more "
        "than a day, or between two runs of vaka serve by more than a tenth of store.keep, that "
        "may be a mistake or an attack: vaka serve then goes on by the time that can have gone by, "
        "and says so (alarm clock-doubted). This tells it that the clock is right. To be run as "
        "the user of vaka serve or as root.",
    .options = clock_options,
    .n_options = sizeof clock_options / sizeof clock_options[0],
    .ctx_size = sizeof(struct clock_context),
    .run = clock_run,
};
