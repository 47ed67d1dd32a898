/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/decoder.h"

static const struct decoder_ops *const decoders[] = {
    &decoder_json, &decoder_json_utf16, &decoder_evtx, &decoder_zeek,
    &decoder_w3c,  &decoder_auditd,     &decoder_csv,  &decoder_syslog,
};

enum { N_DECODERS = sizeof decoders / sizeof *decoders };

const struct decoder_ops *decoder_sniff(struct slice head, bool final)
{
    const struct decoder_ops *best = NULL;
    int best_score = 0;
    for (size_t i = 0; i < N_DECODERS; i++) {
        int score = decoders[i]->sniff(head, final);
        if (score > best_score) {
            best_score = score;
            best = decoders[i];
        }
    }
    return best;
}

const struct decoder_ops *decoder_by_name(struct slice name)
{
    for (size_t i = 0; i < N_DECODERS; i++)
        if (slice_eq_nocase(name, slice_of(decoders[i]->name))) return decoders[i];
    return NULL;
}
