/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Attempts to tell somebody something, by providers of the settings (provider.h). An attempt is
 * made once: whoever asks for it decides about the next one, by this or another provider. What is
 * known of attempts is kept as long as the process, so that the same attempt asked for again is
 * not made again, but what became of it said again.
 *
 *     send ──► ACCEPTED ──► DELIVERED       the provider has it; the phone has it
 *          ├─► RETRY                        the provider has it not: it cannot be reached, is busy
 *          ├─► REFUSED                      … and will not: the number, the message, the secret
 *          └─► UNKNOWN                      it may have it or not: the answer broke off
 *
 * REFUSED also comes behind ACCEPTED: it could not be delivered. Delivery and answers are heard by
 * callbacks, and by asking the provider, because nothing may get in during an attack. An answer is
 * told once by a process, however often the provider says it.
 *
 * Bounds: NOTIFY_WAITING_MAX attempts wait, NOTIFY_CALLS are under way, NOTIFY_KNOWN_MAX are
 * remembered, and followed until they expire, at most NOTIFY_FOLLOW_MAX.
 */
#ifndef VAKA_NOTIFY_NOTIFY_H
#define VAKA_NOTIFY_NOTIFY_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"

enum {
    NOTIFY_WAITING_MAX = 1024,
    NOTIFY_CALLS = 16,
    NOTIFY_KNOWN_MAX = 4096,
    NOTIFY_TEXT_MAX = 16 * 1024, /* bytes of a message's text */
    NOTIFY_ADDRESS_MAX = 320,
    NOTIFY_REFERENCE_MAX = 128,
    NOTIFY_ANSWER_MAX = 512, /* of what somebody wrote back; the rest is cut */
    NOTIFY_DETAIL_MAX = 300,
};
#define NOTIFY_FOLLOW_MAX (30 * 60 * NSEC_PER_SEC)

/*
 * How long an attempt may take. Whoever asks for it waits longer than that before he gives it up:
 * who is impatient tells somebody twice. The next one is made within 30 s (oncall/internal.h).
 */
#define NOTIFY_TIMEOUT      (10 * NSEC_PER_SEC) /* of a call, where the settings say nothing */
#define NOTIFY_TIMEOUT_MOST (15 * NSEC_PER_SEC)
#define NOTIFY_WAIT_MOST    (10 * NSEC_PER_SEC) /* for a place at its provider */
#define NOTIFY_ENDS_WITHIN  (NOTIFY_WAIT_MOST + NOTIFY_TIMEOUT_MOST)

/* id, name */
#define NOTIFY_CHANNELS(X)                                                                         \
    X(MAIL, "mail")                                                                                \
    X(SMS, "sms")                                                                                  \
    X(VOICE, "voice")                                                                              \
    X(WEBHOOK, "webhook")                                                                          \
    X(TEAMS, "teams")                                                                              \
    X(PUSH, "push")

enum notify_channel {
    NOTIFY_NO_CHANNEL,
#define X(id, name) NOTIFY_##id,
    NOTIFY_CHANNELS(X)
#undef X
        NOTIFY_CHANNEL_END,
};

enum notify_outcome {
    NOTIFY_ACCEPTED = 1,
    NOTIFY_DELIVERED,
    NOTIFY_RETRY,
    NOTIFY_REFUSED,
    NOTIFY_UNKNOWN,
    NOTIFY_OUTCOME_END,
};

/* Marks of a message. */
enum {
    NOTIFY_DRY = 1,      /* nobody is told: the provider is asked whether it would */
    NOTIFY_EXERCISE = 2, /* so it is called in the message */
};

/* Borrowed for the call. */
struct notify_message {
    uint64_t attempt; /* not 0 */
    uint64_t page;    /* what messages about one thing have in common; 0: nothing */
    enum notify_channel channel;
    unsigned marks;
    int64_t expires; /* s since 1970: it is not sent behind it */
    nsec latest;     /* monotonic: it is not begun behind it; 0: whenever there is a place */
    nsec made;       /* with its number what it is known by, whatever it says; 0: its text is */
    struct slice provider, address;
    struct slice subject, body; /* of mail, webhook, Teams and push; of an SMS the body alone */
    struct slice spoken_sv, spoken_en; /* of a call: its provider reads one of them */
    struct slice link, code;           /* how to acknowledge; may be empty */
};

/* "sms"; "?" when there is none. */
const char *notify_channel_name(unsigned channel);
/* NOTIFY_NO_CHANNEL: there is none. */
enum notify_channel notify_channel_read(struct slice name);
/* "accepted". */
const char *notify_outcome_name(unsigned outcome);

#endif
