/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka witness */
#include "cli/server.h"
#include "serve/witness_server.h"

static const struct cli_option witness_options[] = {SERVER_OPTIONS};

static int witness_main(const struct invocation *in)
{
    return server_run_outpost(in, witness_server_run);
}

const struct command command_witness = {
    .name = "witness",
    .operands = "",
    .summary = "sign what other machines' records are",
    .description =
        "To be run on another machine than vaka serve, by other people: signs a checkpoint of a "
        "log "
        "that witness.logs knows when it goes on from the one it signed before (C2SP tlog-witness, "
        "POST /add-checkpoint over HTTPS), and nothing that goes back or is written anew. Who has "
        "all keys of the machine with the records then still cannot change the past unseen.\n\n"
        "It listens where witness.listen says, for senders with a token that has the right witness "
        "(listen.tokens) or with a certificate that tls.clients vouches for. Its key and what it "
        "signed last are in witness.folder; its public key is told at the start and goes into "
        "store.witnesses of vaka serve. It runs until it is told to end (SIGTERM, SIGINT).\n\n"
        "Exit status: 0 it was told to end; 1 it could not start, and says why; 2 the command line "
        "or the settings could not be understood.",
    .options = witness_options,
    .n_options = sizeof witness_options / sizeof *witness_options,
    .ctx_size = sizeof(struct server),
    .run = witness_main,
};
