/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka backup and vaka restore */
#include "backup/backup.h"

#include <inttypes.h>

#include "base/clock.h"
#include "cli/settings.h"

struct backup_context {
    struct settings settings;
};

static const struct cli_option backup_options[] = {OPTION_SETTINGS(struct backup_context)};

static int make(const char *folder, const char *to, struct backup_report *report, struct diag *diag)
{
    const struct clock clock = clock_system();
    return backup_make(
        &(struct backup_options){
            .folder = folder, .to = to, .version = VAKA_VERSION, .now = clock_realtime(&clock)},
        report, diag);
}

static int restore(const char *folder, const char *from, struct backup_report *report,
                   struct diag *diag)
{
    return backup_restore(from, folder, report, diag);
}

/* `work` with serve.folder and the folder that was named. */
static int run(const struct invocation *in, const char *did,
               int (*work)(const char *folder, const char *named, struct backup_report *report,
                           struct diag *diag))
{
    struct backup_context *c = in->ctx;
    struct config config;
    struct backup_report report;
    struct diag diag;
    if (in->n_operands != 1) return cli_usage("%s wants one folder", in->command->name);
    int status = settings_load(&c->settings, &config, NULL);
    if (status == 0) {
        const char *folder = config.serve_folder.items[0];
        int error = work(folder, in->operands[0], &report, &diag);
        if (error) cli_say("%s", diag.message);
        else
            (void)printf("%s %" PRIu64 " files, %" PRIu64 " bytes: %" PRIu64
                         " records, of which %" PRIu64 " were matched\n",
                         did, report.counts.files, report.counts.bytes, report.records,
                         report.matched);
        if (error == 0 && report.without_key)
            cli_say("keys/accounts.key was not in the backup: without it, or the file that "
                    "accounts.key names, nobody's app is good; people get in by recovery codes");
        status = error ? EXIT_UNREADABLE : EXIT_RAN;
    }
    config_done(&config);
    return status;
}

static int backup_main(const struct invocation *in)
{
    return run(in, "copied", make);
}

static int restore_main(const struct invocation *in)
{
    return run(in, "restored", restore);
}

const struct command command_backup = {
    .name = "backup",
    .operands = "FOLDER",
    .summary = "copy what vaka serve must not lose, while it runs",
    .description =
        "Copies the records, the databases, the keys and what was saved or imported from "
        "serve.folder into FOLDER, which is made when it is not there and must be empty. vaka "
        "serve goes on meanwhile, and the copy is of one moment: everything that was acknowledged "
        "before is in it, 'vaka verify FOLDER/store/0 -k FOLDER/keys/log.pub' passes, and what was "
        "not matched yet is matched by who goes on from it. On the same disk, sealed segments get "
        "a second name instead of being copied.\n\n"
        "The copy holds the key that signs, and everything that was collected: it is to be kept as "
        "what it was made of. Settings, certificates and tokens (/etc/vaka) are not in it, nor a "
        "key "
        "that accounts.key names.\n\n"
        "Exit status: 0; 1 it could not be made, and is not whole; 2 the command line or the "
        "settings could not be understood.",
    .options = backup_options,
    .n_options = sizeof backup_options / sizeof *backup_options,
    .ctx_size = sizeof(struct backup_context),
    .run = backup_main,
};

const struct command command_restore = {
    .name = "restore",
    .operands = "FOLDER",
    .summary = "put a backup back where vaka serve works",
    .description =
        "Copies the backup in FOLDER into serve.folder, which is made when it is not there and "
        "must be empty: nothing is ever written over. When root does it, everything becomes the "
        "owner's of serve.folder. vaka serve goes on from there when it is started.\n\n"
        "Records that came after the backup are not in it: the log goes on from an earlier place, "
        "which 'vaka verify --checkpoint' with a later checkpoint tells.\n\n"
        "Exit status: 0; 1 it could not be done; 2 the command line or the settings could not be "
        "understood.",
    .options = backup_options,
    .n_options = sizeof backup_options / sizeof *backup_options,
    .ctx_size = sizeof(struct backup_context),
    .run = restore_main,
};
