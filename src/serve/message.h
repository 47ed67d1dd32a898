/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the processes of serve say to each other, see proc/message.h and roles.h. Sequence numbers
 * count the records of a tenant from 0. "Durable" is behind a successful fdatasync.
 *
 * supervisor → process
 *   start      first: the settings as a file's text; number of this start of the program
 *   give       a descriptor it needs: what kind, and its name in the settings
 *   peer       a channel to another process, at the start and again when that one was replaced
 *   go         everything was given: enter the sandbox, run
 *   reload     (collect) credentials are to be read again from the files that were given
 *   stop       finish what is at hand, then end
 *   reloaded   (control) what became of a reload: text is the settings that changed and need a
 *              start, or with status 1 what is wrong
 *   trouble    (triage) something about Vaka itself that people should hear of, from that process
 *   tell       to say what it says about itself now
 *   report     (control, collect) what a process says about itself; text is a JSON object
 * process → supervisor
 *   ready      it runs
 *   status     what it says about itself: once a second, with the round 0, and when it is told to,
 *              with that round
 *   alarm      something that people should hear of
 *   heard      (triage) the oldest trouble is in the database
 *   broke      that peer broke the protocol: it is to be started again
 *   command    (control) somebody with the right to do so asks for it; (detect) an exception has
 *              ended: the rules are to be read again
 *   refresh    (control) every process is to tell
 *
 * collect → unwrap
 *   container  a body that holds records, with what is known of its sender; `id` is collect's
 * unwrap → collect
 *   reply      what the sender is told: all that was taken of the container is durable; its records
 *              were `bytes`
 *
 * pull → collect, collect, unwrap → store
 *   batch      records of one tenant; `id` is the sender's
 * store → collect, index, retro
 *   pace       how matching keeps up: bytes stored and not matched, bytes matched, and how long the
 *              oldest of the former wait (ns); while there are some
 * store → collect, unwrap; collect → pull
 *   stored     the batch is durable
 *   refused    it is not and will not be: the store is full, or the batch damaged; to pull also:
 * too much waits
 *
 * detect → store
 *   begin      the first record it needs: journals from there on are told
 *   progress   everything before `next` was matched, for now: only `matched` is for ever
 * store → detect
 *   journal    a journal's descriptor, for reading; the first is the oldest
 *   durable    records before `next` are durable: they end at `offset` of journal `first`
 *
 * store → seal
 *   present    a journal is there, by its number
 *   durable    as for detect
 *   removed    journals before `first` have no name any more
 * seal → store
 *   sealed     everything before `next` is in durable segments
 * seal → sign
 *   sign       what a checkpoint says, up to its empty line and with it
 *   bury       what the tombstone of a segment says, see store/retain.h
 * sign → seal
 *   origin     the key it signs with, as text, and the size of the largest tree it has signed
 *   signed     the lines of its signatures
 *   buried     the same of the tombstone
 *
 * seal → witness
 *   submit     a checkpoint as it was signed; how the tree of `old` records became it
 *   proof      how the tree of `old` became that of `size`; no hashes: it cannot be told
 * witness → seal
 *   prove      asks for that
 *   cosigned   a checkpoint that was submitted, and the line of a witness's signature
 *
 * triage → detect
 *   quarantine a record that an engine ended at, before; all of them come before begin
 *   kept       what correlations were told before; all of it comes before begin
 *   begin      the first record that is not matched yet; windows were ended up to `correlated`
 * detect → triage
 *   alert      a rule held for `count` records alike, from `seq` to `last_seq`; `marks`: they are
 *              the canary's, or an exercise's (event/record.h)
 *   kept       what correlations are told of a record, to be kept for the next start
 *   advance    everything before `next` was matched, and its alerts were told; what was kept
 *              before `horizon` is not needed any more
 *   quarantine a record that an engine ended at: to be left out also after the next start
 *   sighted    what came from a source, up to the next advance
 *   watched    everything that was received before `time` was told
 *   reset      what was told behind the last advance comes again
 * engine → detect
 *   alert, tuple (what a correlation wants of a record, see correlate.h), sighted, advance
 * detect → engine
 *   journal, durable
 * retro → triage
 *   alert      a rule would have fired in the past; one at a time
 * triage → retro
 *   heard      it is in the database
 * web → search
 *   find       FIND_RECORDS: a query over the tenant's records; FIND_AUDIT: the audit log; for that
 *              account; `id` is web's
 *   taken      so many bytes of what was found are with who asked
 *   cease      he is gone
 *   look       somebody reads something that has a record in it
 * searcher → search → web
 *   found      lines of JSON, as they come; FIND_EVIDENCE: pieces of one object
 *   finished   its end: status 200 and the last line, or what is wrong
 * search → web
 *   looked     it is in the audit log, or cannot be
 *
 * triage → store
 *   matched    everything before `next` is in the database
 *
 * triage → oncall
 *   page       an incident that somebody may have to be told of, by the number of its handover: it
 * is new, worse, open again, or somebody asks for it; title is an object of its plain line in
 * Swedish and English. Said again until it is taken settled    somebody has it, or it is closed or
 * part of another; `id` as above noted      that is in the incident's log oncall → triage
 *   taken_page that handover is durable
 *   paged      what became of the page of an incident, by the number of oncall's row. Said again
 *              until it is noted
 *
 * control, web → triage
 *   watch      alerts with an id above `after`; `follow`: and those to come
 *   unwatch    no more
 *   act        somebody does something to an incident: desk/desk.h has which and what of
 * control, web → oncall; oncall → control, web
 *   act, acted the same of pages and of who is on call: oncall/oncall.h has which
 * triage → control, web
 *   acted      what became of it (enum desk_status), and the thing as it is then, or what is wrong;
 *              what was done is durable
 *   row        one alert for `client`
 *   end        no more rows (not when following)
 *
 * web → account
 *   claim      who a client says it is, see account/claim.h; `id` is web's
 *   veil       names of people, a JSON array of texts, that are to be shown to `user`
 * account → web
 *   principal  who it is, and what that may do; `tenant` is the one the rights are of, `session`
 *              the number of the session or, when `token` is set, of the API token; `veiled`: he is
 *              to be shown pseudonyms; times in seconds since 1970; `secret`: when one was made
 *   veiled     what is shown of them, as many: a pseudonym, or the name when it was lifted; empty:
 *              they cannot be told, and nothing is to be shown
 * account → oidc
 *   depart     somebody wants to log in by the identity provider; `id` is account's
 *   arrive     his browser has come back with that
 * oidc → account
 *   departed   where his browser is to go to; without `url` it cannot
 *   arrived    what the provider says of him, a JSON object; empty: nothing that counts
 * web, control → account
 *   manage     something is to be done to accounts, see account/action.h; who wants it is proved
 *              by the secret of his session or token in `proof`, or is the user `uid` of this
 *              machine: that is taken of control alone
 * account → web, control
 *   managed    what became of it
 *
 * oncall → notify
 *   send       one attempt to tell somebody, see notify/notify.h; `page` is what messages about one
 *              thing have in common. An attempt that was made already is not made again: what
 *              became of it is said again
 *   follow     an attempt that an earlier process made is looked after: whether it is delivered,
 *              and what is answered
 * notify → oncall
 *   sent       what became of an attempt (enum notify_outcome), several times: accepted, then
 *              delivered
 *   answered   what somebody wrote back or pressed; may be said more than once
 * notify → oncall, web
 *   providers  the providers of the settings and how each is, a JSON list; again when that changes
 * web → notify
 *   callback   a provider tells something; whether it is one, its secret shows
 * notify → web
 *   called     what the provider is answered
 *
 * canary → detect, triage, oncall, notify
 *   probe      what it saw of the canary's records with that number
 * detect, triage, oncall, notify → canary
 *   seen       that (enum canary_sight), when (realtime) it saw the last of it, and what is wrong
 * canary → collect
 *   connect    a connection comes with it: its other end speaks as a sender does to a listener of
 *              that input (enum listen_input); what comes by it has that mark (event/record.h)
 *
 * command line → control
 *   ask        one question a connection
 *   manage     the same, about accounts; control says who asks
 * control → command line
 *   answer     an alert, or the state of everything, as one JSON object; after a reload the
 *              settings that need a start
 *   done       nothing more comes; status 0, or `text` says what is wrong
 */
#ifndef VAKA_SERVE_MESSAGE_H
#define VAKA_SERVE_MESSAGE_H

#include "event/record.h"
#include "proc/message.h"

enum {
    SAY_TEXT_MAX = BATCH_MAX + 1024 * 1024, /* bytes of one text */
    SAY_MAX = SAY_TEXT_MAX + 64 * 1024,     /* bytes of a payload */
};

#define SAY_START_FIELDS(F) F(u64, instance) F(u8, sandboxed) F(text, config) F(text, origins)
#define SAY_GIVE_FIELDS(F)  F(u8, kind) F(text, name)
#define SAY_PEER_FIELDS(F)  F(u8, role)
#define SAY_NO_FIELDS(F)
#define SAY_RELOADED_FIELDS(F) F(u8, status) F(text, text)
#define SAY_TROUBLE_FIELDS(F)  F(u8, role) F(text, event) F(text, text)
#define SAY_TELL_FIELDS(F)     F(u64, round)
#define SAY_REPORT_FIELDS(F)   F(u8, role) F(u64, round) F(text, text)
#define SAY_STATUS_FIELDS(F)   F(u64, round) F(text, text)
#define SAY_ALARM_FIELDS(F)    F(text, event) F(text, text)
#define SAY_BROKE_FIELDS(F)    F(u8, role)
#define SAY_COMMAND_FIELDS(F)  F(u8, command)

#define SAY_BATCH_FIELDS(F) F(u64, id) F(text, batch)
#define SAY_CONTAINER_FIELDS(F)                                                                    \
    F(u64, id)                                                                                     \
    F(u8, kind)                                                                                    \
    F(u8, flags)                                                                                   \
    F(u32, tenant)                                                                                 \
    F(i64, received)                                                                               \
    F(text, source)                                                                                \
    F(text, delivery) F(text, target) F(text, query) F(text, type) F(text, encoding) F(text, body)
#define SAY_REPLY_FIELDS(F)                                                                        \
    F(u64, id) F(u64, bytes) F(u32, status) F(text, type) F(text, header) F(text, body)
#define SAY_STORED_FIELDS(F)  F(u64, id)
#define SAY_REFUSED_FIELDS(F) F(u64, id) F(text, reason)
#define SAY_JOURNAL_FIELDS(F) F(u64, first)
#define SAY_DURABLE_FIELDS(F) F(u64, first) F(u64, offset) F(u64, next)

#define SAY_PRESENT_FIELDS(F)  F(u64, first)
#define SAY_REMOVED_FIELDS(F)  F(u64, first)
#define SAY_SEALED_FIELDS(F)   F(u64, next)
#define SAY_SIGN_FIELDS(F)     F(u64, size) F(text, body)
#define SAY_ORIGIN_FIELDS(F)   F(text, key) F(u64, size)
#define SAY_SIGNED_FIELDS(F)   F(u64, size) F(text, lines)
#define SAY_SUBMIT_FIELDS(F)   F(u64, old) F(u64, size) F(text, note) F(text, proof)
#define SAY_PROVE_FIELDS(F)    F(u64, old) F(u64, size)
#define SAY_PROOF_FIELDS(F)    F(u64, old) F(u64, size) F(text, proof)
#define SAY_COSIGNED_FIELDS(F) F(text, note) F(text, line)
#define SAY_BURY_FIELDS(F)     F(u64, begin) F(text, body)
#define SAY_BURIED_FIELDS(F)   F(u64, begin) F(text, lines)

#define SAY_BEGIN_FIELDS(F) F(u64, next) F(i64, correlated)
#define SAY_KEPT_FIELDS(F)  F(text, rule) F(u64, names) F(i64, time) F(text, body)
#define SAY_ALERT_FIELDS(F)                                                                        \
    F(u64, seq)                                                                                    \
    F(u64, last_seq)                                                                               \
    F(u32, count)                                                                                  \
    F(u8, level)                                                                                   \
    F(i64, time)                                                                                   \
    F(i64, received)                                                                               \
    F(u8, marks) F(text, rule) F(text, title) F(text, host) F(text, entity) F(text, line)
#define SAY_ADVANCE_FIELDS(F)                                                                      \
    F(u64, next)                                                                                   \
    F(i64, received) F(u64, events) F(u64, undecodable) F(i64, correlated) F(i64, horizon)
#define SAY_SIGHTED_FIELDS(F)                                                                      \
    F(text, source)                                                                                \
    F(i64, first)                                                                                  \
    F(i64, last)                                                                                   \
    F(i64, longest)                                                                                \
    F(u64, records)                                                                                \
    F(u64, unread)                                                                                 \
    F(u32, claims)                                                                                 \
    F(i64, freshest) F(u64, sequence) F(u64, number) F(u64, last_number) F(u64, numbers)
#define SAY_WATCHED_FIELDS(F)    F(i64, time)
#define SAY_TUPLE_FIELDS(F)      F(u8, marks) F(text, body)
#define SAY_MATCHED_FIELDS(F)    F(u64, next)
#define SAY_QUARANTINE_FIELDS(F) F(u64, seq)
#define SAY_PROGRESS_FIELDS(F)   F(u64, next)
#define SAY_PACE_FIELDS(F)       F(u64, waiting) F(u64, matched) F(i64, age)

#define SAY_WATCH_FIELDS(F)   F(u64, client) F(u64, after) F(u32, limit) F(u8, follow)
#define SAY_UNWATCH_FIELDS(F) F(u64, client)
#define SAY_ROW_FIELDS(F)     F(u64, client) F(u64, id) F(u64, count) F(text, line)
#define SAY_END_FIELDS(F)     F(u64, client)

#define SAY_CLAIM_FIELDS(F)                                                                        \
    F(u64, id)                                                                                     \
    F(u8, kind)                                                                                    \
    F(u32, tenant) F(text, address) F(text, name) F(text, secret) F(text, code)
#define SAY_PRINCIPAL_FIELDS(F)                                                                    \
    F(u64, id)                                                                                     \
    F(u8, status)                                                                                  \
    F(u8, must)                                                                                    \
    F(u8, token)                                                                                   \
    F(u8, veiled)                                                                                  \
    F(u32, wait)                                                                                   \
    F(u32, tenant)                                                                                 \
    F(u64, user)                                                                                   \
    F(u64, rights)                                                                                 \
    F(u64, session) F(i64, expires) F(text, name) F(text, shown) F(text, secret) F(text, where)
#define SAY_MANAGE_FIELDS(F)                                                                       \
    F(u64, id)                                                                                     \
    F(u8, action) F(u32, uid) F(u32, tenant) F(text, proof) F(text, address) F(text, body)
#define SAY_MANAGED_FIELDS(F)  F(u64, id) F(u32, status) F(text, body)
#define SAY_DEPART_FIELDS(F)   F(u64, id)
#define SAY_DEPARTED_FIELDS(F) F(u64, id) F(text, url) F(text, state)
#define SAY_ARRIVE_FIELDS(F)   F(u64, id) F(text, state) F(text, code)
#define SAY_ARRIVED_FIELDS(F)  F(u64, id) F(text, claims)
#define SAY_VEIL_FIELDS(F)     F(u64, id) F(u64, user) F(u32, tenant) F(text, names)
#define SAY_VEILED_FIELDS(F)   F(u64, id) F(text, names)
#define SAY_KNOWN_FIELDS(F)    F(u32, tenant) F(text, after)
#define SAY_NAMES_FIELDS(F)    F(u32, tenant) F(text, names)

#define SAY_ACT_FIELDS(F)                                                                          \
    F(u64, client)                                                                                 \
    F(u32, tenant)                                                                                 \
    F(text, actor) F(text, kind) F(text, body) F(text, once) F(text, asked) F(text, file)
#define SAY_ACTED_FIELDS(F) F(u64, client) F(u8, status) F(text, body)

#define SAY_PAGE_FIELDS(F)                                                                         \
    F(u64, id)                                                                                     \
    F(u32, tenant)                                                                                 \
    F(u64, incident)                                                                               \
    F(u8, level)                                                                                   \
    F(u8, why)                                                                                     \
    F(u8, marks) F(i64, first_activity) F(i64, detected) F(text, service) F(text, title)
#define SAY_TAKEN_PAGE_FIELDS(F) F(u64, id)
#define SAY_SETTLED_FIELDS(F)                                                                      \
    F(u64, id) F(u32, tenant) F(u64, incident) F(u8, how) F(u64, into) F(text, who)
#define SAY_PAGED_FIELDS(F)                                                                        \
    F(u64, id) F(u32, tenant) F(u64, incident) F(u8, what) F(i64, time) F(text, who)
#define SAY_NOTED_FIELDS(F) F(u64, id)
#define SAY_SEND_FIELDS(F)                                                                         \
    F(u64, attempt)                                                                                \
    F(u64, page)                                                                                   \
    F(u8, channel)                                                                                 \
    F(u8, marks)                                                                                   \
    F(i64, expires)                                                                                \
    F(i64, latest)                                                                                 \
    F(i64, made)                                                                                   \
    F(text, provider)                                                                              \
    F(text, address)                                                                               \
    F(text, subject) F(text, body) F(text, spoken_sv) F(text, spoken_en) F(text, link) F(text, code)
#define SAY_FOLLOW_FIELDS(F)                                                                       \
    F(u64, attempt) F(u8, channel) F(i64, expires) F(text, provider) F(text, reference)
#define SAY_SENT_FIELDS(F) F(u64, attempt) F(u8, outcome) F(text, reference) F(text, detail)
#define SAY_ANSWERED_FIELDS(F)                                                                     \
    F(u8, channel) F(text, provider) F(text, reference) F(text, from) F(text, text)
#define SAY_PROVIDERS_FIELDS(F) F(text, list)
#define SAY_CALLBACK_FIELDS(F)  F(u64, id) F(text, provider) F(text, secret) F(text, body)
#define SAY_CALLED_FIELDS(F)    F(u64, id) F(u32, status) F(text, body)

#define SAY_ASK_FIELDS(F)                                                                          \
    F(u8, what) F(u64, after) F(u32, limit) F(u8, follow) F(text, who) F(text, kind) F(text, body)
#define SAY_ANSWER_FIELDS(F) F(u64, id) F(u64, count) F(text, text)
#define SAY_DONE_FIELDS(F)   F(u8, status) F(text, text)

#define SAY_FIND_FIELDS(F)                                                                         \
    F(u64, id)                                                                                     \
    F(u8, what)                                                                                    \
    F(u64, user)                                                                                   \
    F(u32, tenant)                                                                                 \
    F(i64, from) F(i64, to) F(text, name) F(text, purpose) F(text, query) F(text, said)
#define SAY_TAKEN_FIELDS(F)    F(u64, id) F(u64, bytes)
#define SAY_CEASE_FIELDS(F)    F(u64, id)
#define SAY_LOOK_FIELDS(F)     F(u64, id) F(text, name) F(text, purpose) F(text, query)
#define SAY_LOOKED_FIELDS(F)   F(u64, id) F(u8, written)
#define SAY_FOUND_FIELDS(F)    F(u64, id) F(text, lines)
#define SAY_FINISHED_FIELDS(F) F(u64, id) F(u32, status) F(u64, found) F(text, text)

#define SAY_PROBE_FIELDS(F)   F(u64, number)
#define SAY_SEEN_FIELDS(F)    F(u64, number) F(u32, sights) F(i64, when) F(text, wrong)
#define SAY_CONNECT_FIELDS(F) F(u8, input) F(u8, mark)

#define SAY_MESSAGES(M)                                                                            \
    M(start, START, START, 1)                                                                      \
    M(give, GIVE, GIVE, 2)                                                                         \
    M(peer, PEER, PEER, 3)                                                                         \
    M(go, GO, NO, 4)                                                                               \
    M(reload, RELOAD, NO, 5)                                                                       \
    M(reloaded, RELOADED, RELOADED, 17)                                                            \
    M(stop, STOP, NO, 6)                                                                           \
    M(tell, TELL, TELL, 13)                                                                        \
    M(refresh, REFRESH, TELL, 14)                                                                  \
    M(report, REPORT, REPORT, 7)                                                                   \
    M(ready, READY, NO, 8)                                                                         \
    M(status, STATUS, STATUS, 9)                                                                   \
    M(alarm, ALARM, ALARM, 10)                                                                     \
    M(command, COMMAND, COMMAND, 11)                                                               \
    M(trouble, TROUBLE, TROUBLE, 15)                                                               \
    M(heard, HEARD, NO, 16)                                                                        \
    M(broke, BROKE, BROKE, 12)                                                                     \
    M(batch, BATCH, BATCH, 20)                                                                     \
    M(stored, STORED, STORED, 21)                                                                  \
    M(refused, REFUSED, REFUSED, 22)                                                               \
    M(container, CONTAINER, CONTAINER, 25)                                                         \
    M(reply, REPLY, REPLY, 26)                                                                     \
    M(journal, JOURNAL, JOURNAL, 23)                                                               \
    M(durable, DURABLE, DURABLE, 24)                                                               \
    M(present, PRESENT, PRESENT, 27)                                                               \
    M(removed, REMOVED, REMOVED, 66)                                                               \
    M(sealed, SEALED, SEALED, 28)                                                                  \
    M(sign, SIGN, SIGN, 29)                                                                        \
    M(origin, ORIGIN, ORIGIN, 37)                                                                  \
    M(signed, SIGNED, SIGNED, 36)                                                                  \
    M(bury, BURY, BURY, 60)                                                                        \
    M(buried, BURIED, BURIED, 61)                                                                  \
    M(submit, SUBMIT, SUBMIT, 62)                                                                  \
    M(prove, PROVE, PROVE, 63)                                                                     \
    M(proof, PROOF, PROOF, 64)                                                                     \
    M(cosigned, COSIGNED, COSIGNED, 65)                                                            \
    M(begin, BEGIN, BEGIN, 30)                                                                     \
    M(alert, ALERT, ALERT, 31)                                                                     \
    M(advance, ADVANCE, ADVANCE, 32)                                                               \
    M(matched, MATCHED, MATCHED, 33)                                                               \
    M(progress, PROGRESS, PROGRESS, 45)                                                            \
    M(pace, PACE, PACE, 44)                                                                        \
    M(tuple, TUPLE, TUPLE, 34)                                                                     \
    M(sighted, SIGHTED, SIGHTED, 46)                                                               \
    M(watched, WATCHED, WATCHED, 47)                                                               \
    M(kept, KEPT, KEPT, 38)                                                                        \
    M(quarantine, QUARANTINE, QUARANTINE, 39)                                                      \
    M(reset, RESET, NO, 35)                                                                        \
    M(watch, WATCH, WATCH, 40)                                                                     \
    M(unwatch, UNWATCH, UNWATCH, 41)                                                               \
    M(row, ROW, ROW, 42)                                                                           \
    M(act, ACT, ACT, 90)                                                                           \
    M(acted, ACTED, ACTED, 91)                                                                     \
    M(page, PAGE, PAGE, 110)                                                                       \
    M(taken_page, TAKEN_PAGE, TAKEN_PAGE, 111)                                                     \
    M(settled, SETTLED, SETTLED, 112)                                                              \
    M(paged, PAGED, PAGED, 113)                                                                    \
    M(noted, NOTED, NOTED, 114)                                                                    \
    M(end, END, END, 43)                                                                           \
    M(claim, CLAIM, CLAIM, 80)                                                                     \
    M(principal, PRINCIPAL, PRINCIPAL, 81)                                                         \
    M(manage, MANAGE, MANAGE, 82)                                                                  \
    M(managed, MANAGED, MANAGED, 83)                                                               \
    M(veil, VEIL, VEIL, 84)                                                                        \
    M(veiled, VEILED, VEILED, 85)                                                                  \
    M(known, KNOWN, KNOWN, 78)                                                                     \
    M(names, NAMES, NAMES, 79)                                                                     \
    M(depart, DEPART, DEPART, 86)                                                                  \
    M(departed, DEPARTED, DEPARTED, 87)                                                            \
    M(arrive, ARRIVE, ARRIVE, 88)                                                                  \
    M(arrived, ARRIVED, ARRIVED, 89)                                                               \
    M(ask, ASK, ASK, 50)                                                                           \
    M(answer, ANSWER, ANSWER, 51)                                                                  \
    M(find, FIND, FIND, 100)                                                                       \
    M(taken, TAKEN, TAKEN, 101)                                                                    \
    M(cease, CEASE, CEASE, 102)                                                                    \
    M(look, LOOK, LOOK, 103)                                                                       \
    M(looked, LOOKED, LOOKED, 104)                                                                 \
    M(found, FOUND, FOUND, 105)                                                                    \
    M(finished, FINISHED, FINISHED, 106)                                                           \
    M(send, SEND, SEND, 120)                                                                       \
    M(sent, SENT, SENT, 121)                                                                       \
    M(answered, ANSWERED, ANSWERED, 122)                                                           \
    M(providers, PROVIDERS, PROVIDERS, 123)                                                        \
    M(follow, FOLLOW, FOLLOW, 124)                                                                 \
    M(callback, CALLBACK, CALLBACK, 125)                                                           \
    M(called, CALLED, CALLED, 126)                                                                 \
    M(done, DONE, DONE, 52)                                                                        \
    M(probe, PROBE, PROBE, 130)                                                                    \
    M(seen, SEEN, SEEN, 131)                                                                       \
    M(connect, CONNECT, CONNECT, 132)

enum say_type {
#define M(name, NAME, FIELDS, number) SAY_##NAME = number,
    SAY_MESSAGES(M)
#undef M
};

#define M(name, NAME, FIELDS, number) MESSAGE_DECLARE(say, name, SAY_##FIELDS##_FIELDS)
SAY_MESSAGES(M)
#undef M

/* "batch"; "?" when there is none. */
const char *say_name(unsigned type);

/* Kinds of give; GIVE_LISTENER and above: plus the enum listen_input; GIVE_CREDENTIAL and above:
 * plus the enum credential_file. */
enum { GIVE_CONTROL_SOCKET = 1, GIVE_LISTENER = 2, GIVE_CREDENTIAL = 64 };
/* Commands of control. */
/* COMMAND_RULES: of detect alone. */
enum { COMMAND_RELOAD = 1, COMMAND_STOP = 2, COMMAND_KEYS = 3, COMMAND_RULES = 4 };
/* What is to be found. */
/* FIND_TRIAL, FIND_CHECK: `query` is the text of rules (serve/trial.h). FIND_TRIAL without one:
 * those in force. */
/* FIND_DRAFT: a query, whose filter is to be the text of a rule. */
/* FIND_RECORD: numbers of records, and whether their bytes are wanted; FIND_VERIFY: all of them
 * are verified, by these public keys of the log. */
/* FIND_EVIDENCE: "N..M", records as evidence (store/evidence.h), of which `purpose` is the reason;
 * FIND_VERSION: "SET" or "SET VERSION", imported rules that are tried. */
enum {
    FIND_RECORDS = 0,
    FIND_AUDIT = 1,
    FIND_TRIAL = 2,
    FIND_CHECK = 3,
    FIND_DRAFT = 4,
    FIND_RECORD = 5,
    FIND_VERIFY = 6,
    FIND_EVIDENCE = 7,
    FIND_VERSION = 8,
    FIND_COUNT
};
/* What is asked. */
/* ASK_ACT: an act of that kind; `who` is whom the command line takes its user for. */
enum { ASK_STATUS = 1, ASK_ALERTS = 2, ASK_RELOAD = 3, ASK_KEYS = 4, ASK_ACT = 5 };

#endif
