#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""From an event to a person who has it, with real processes: oncall.py VAKA [--faulty VAKA-FAULTY] [TEST...].
Prints TAP."""
import datetime
import json
import os
import pathlib
import signal
import sqlite3
import sys

import common
import gateway
import schema
from disks import own_namespace
from paging import ANNA, BO, CIA, Watch, code_of
from serving import RULE, Skip, holds, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
FAULTY = str(pathlib.Path(sys.argv[3]).resolve()) if sys.argv[2:3] == ["--faulty"] else None
DAN = "+46700000014"
DAY, WITHIN = 86400, 600  # s
INCIDENTS = 30  # of a storm
SCHEMAS = json.loads((common.ROOT / "src/web/schemas.json").read_text(encoding="utf-8"))


def incident(w, number):
    return json.loads(w.serve.ask("incident", "show", str(number), "-f", "json"))


def kinds(w, number):
    with sqlite3.connect(f"file:{w.folder}/var/state/vaka.db?mode=ro", uri=True) as db:
        return [kind for kind, in db.execute(
            "SELECT kind FROM change WHERE incident = ? AND kind IN"
            " ('notified', 'ack', 'escalated', 'page_loud') ORDER BY number", (number,))]


@test
def an_event_wakes_somebody_who_answers(folder):
    with Watch(VAKA, folder) as w:
        w.event("one")
        sms = w.sms(ANNA)
        holds(sms["message"], "Vaka: incident 1, hög")
        holds(w.serve.ask("oncall", "pages"), "page #1  open  high")
        w.gateway.reply(sms, "Ja " + code_of(sms))
        w.serve.wait(lambda: not w.pages(), "the page is taken")
        page, = w.pages("1")
        same((page["state"], page["ended_by"], page["incidents"]), ("acknowledged", "Anna", [1]))
        w.serve.wait(lambda: incident(w, 1)["acked"], "the incident says so")
        found = incident(w, 1)
        same((found["assignee"], found["notified"] is not None), ("Anna", True))
        same(kinds(w, 1), ["notified", "ack"])
        # Open again, it waits for somebody again.
        w.serve.ask("incident", "close", "1", "--as", "benign", "--why", "x", "--protected", "no")
        w.serve.ask("incident", "reopen", "1", "--why", "y")
        again = w.sms(ANNA, 2)
        same(w.pages()[0]["incidents"], [1])
        # A code is good once, and of its own page.
        w.gateway.reply(again, code_of(sms))
        w.gateway.reply(again, "AAAAAAAA")
        w.gateway.reply(again, "E " + code_of(again))
        w.sms(BO)
        w.serve.ask("oncall", "ack", "2")
        same(w.pages(), [])
        w.serve.ask("oncall", "ack", "2", status=1)
        w.serve.ask("oncall", "test", "cia")
        holds(w.sms(CIA)["message"], "This is a test")


@test
def whoever_ends_is_started_and_nobody_is_told_twice(folder):
    with Watch(VAKA, folder, wait="4s", providers=("one", "two")) as w:
        # Handed over while nobody is there to take it, and taken while nobody is there to send it.
        w.serve.kill("oncall")
        w.serve.kill("notify")
        w.event("one")
        w.sms(ANNA)
        w.serve.kill("oncall")
        w.sms(BO)
        # What is handed over goes on without triage.
        w.serve.kill("triage")
        w.serve.kill("detect")
        w.sms(CIA)
        w.serve.wait(lambda: w.serve.status()["oncall"]["pages_loud"] == 1, "the page is loud")
        same([w.pages()[0]["state"], kinds(w, 1)[-1]], ["loud", "page_loud"])
        holds(w.serve.ask("status"), "loud")
        # Steps of its policy, then everybody.
        same({who: w.count(who) for who in (ANNA, BO, CIA)}, {ANNA: 2, BO: 2, CIA: 2})
        w.serve.ask("oncall", "ack", "1")
        same(w.pages(), [])


@test
def a_triage_that_hangs_keeps_nobody_from_being_woken(folder):
    with Watch(VAKA, folder, wait="4s") as w:
        w.event("one")
        w.sms(ANNA)
        hanging = w.serve.pids("triage")
        for pid in hanging:
            os.kill(pid, signal.SIGSTOP)
        w.sms(BO)
        w.sms(CIA)
        w.serve.wait(lambda: w.pages("1")[0]["state"] == "loud", "the page is loud")
        for pid in hanging:
            os.kill(pid, signal.SIGCONT)
        w.serve.wait(lambda: kinds(w, 1)[-1:] == ["page_loud"], "triage hears all of it")


@test
def a_provider_that_fails_is_passed_over(folder):
    with Watch(VAKA, folder, providers=("one", "two")) as w:
        w.gateway.fault("sms", gateway.busy)
        w.event("one")
        w.sms(ANNA)
        w.serve.wait(lambda: w.pages("1")[0]["notified"], "it is taken")
        page, = w.pages("1")
        same([(a["provider"], a["state"]) for a in page["told"][0]["attempts"]],
             [("one", "retry"), ("two", "accepted")])
        # When all of them fail that is said wherever anybody looks, and people are told when one works again.
        w.serve.ask("oncall", "ack", "1")
        w.gateway.down = True
        w.event("two")
        w.serve.wait(lambda: w.serve.status()["oncall"]["pages_loud"] == 1, "the page is loud")
        holds(w.serve.ask("status"), "1 page is loud: everybody was told, and nobody has it")
        w.serve.wait(lambda: " could not be told of " in w.serve.ask("status"), "that they were not told")
        holds(w.serve.log_text(), "alarm=page-loud")
        w.gateway.down = False
        w.sms(ANNA, 2, 120)
        w.serve.shows(lambda s: s["oncall"]["undelivered"] == 0, "everybody was told")


def until(moment):
    """Seconds until a minute behind it."""
    then = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return int((then - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) + 60


def ways(w):
    """The state of each, and with whom it was proven last."""
    found = w.serve.status()["oncall"]["proof"]["ways"]
    return {way["channel"]: (way["state"], way["reached"]) for way in found}


def awake(w):
    """What vaka awake says of the proof: in lines and in JSON."""
    lines = w.serve.ask("awake", status=1).splitlines()[1:]
    told = json.loads(w.serve.ask("awake", "-f", "json", status=1))
    same(schema.wrong({"components": {"schemas": SCHEMAS}}, SCHEMAS["Awake"], told), None)
    return [line.strip() for line in lines], told["proof"]


@test
def every_way_is_proven_by_a_real_message(folder):
    """By SMS, a call and mail, the daily proof of two days: what works, and what has stopped to."""
    if not FAULTY:
        raise Skip("no program with a clock that can be set")
    with Watch(FAULTY, folder, mail=True, faulty=("oncall",), level="critical") as w:
        plan = (w.folder / "plan.yaml").read_text(encoding="utf-8")
        plan = "proof: anna 10:00\n" + plan.replace(
            f"contacts: [{{channel: sms, address: '{ANNA}'}}]",
            f"contacts: [{{channel: sms, address: '{ANNA}'}}, {{channel: mail, address: anna@example.se}},"
            f" {{channel: voice, address: '{ANNA}', after: 3m}}]")
        (w.folder / "plan.yaml").write_text(plan, encoding="utf-8")
        w.serve.ask("oncall", "plan", "plan.yaml", "--force", "--why", "a test")
        holds(w.serve.ask("status"), "sms by one: not proven")
        lines, proof = awake(w)
        holds(lines[0], "the daily proof has not reached anna; the next proof 20")
        same((proof["person"], proof["reached"]), ("anna", None))
        ahead = until(proof["next_at"])
        w.faults.set("oncall", clock=ahead)
        holds(w.sms(ANNA)["message"], "dagliga prov")
        mail, = w.mailer.mails(1)
        same((mail["To"], w.mailer.came_by_tls()), ("anna@example.se", 1))
        holds(mail.get_content(), "dagliga prov")
        w.serve.wait(lambda: len(w.gateway.calls) == 1, "a call")
        w.serve.wait(lambda: ways(w) == {"sms": ("proven", "anna"), "mail": ("proven", "anna"),
                                         "voice": ("waits", "")}, "the phone has it")
        w.gateway.settle(w.gateway.calls[0], "noanswer")
        w.serve.wait(lambda: ways(w)["voice"] == ("failed", ""), "nobody takes the call")
        lines, proof = awake(w)
        holds(lines[0], "anna was reached 20")
        told = {line.split(" ")[0]: line for line in lines[1:]}
        holds(told["sms"], "sms by one: proven 20")
        holds(told["voice"], "voice by one: NOT PROVEN 20")
        holds(told["voice"], "proven last never")
        same((proof["reached"]["person"], proof["reached"]["channel"] in ("sms", "mail")), ("anna", True))
        holds(w.serve.ask("status"), "voice by one: NOT PROVEN 20")
        # The next day somebody else is asked and takes the call, and has no mailbox any more.
        first = {way["channel"]: way["proven_at"] for way in proof["ways"]}
        plan = plan.replace("proof: anna", "proof: bo").replace(
            f"contacts: [{{channel: sms, address: '{BO}'}}]",
            f"contacts: [{{channel: mail, address: nobody@example.se}}, {{channel: voice, address: '{BO}'}}]")
        (w.folder / "plan.yaml").write_text(plan, encoding="utf-8")
        w.serve.ask("oncall", "plan", "plan.yaml", "--force", "--why", "a test")
        w.faults.set("oncall", clock=ahead + DAY)
        w.serve.wait(lambda: len(w.gateway.calls) == 2, "another call")
        w.gateway.settle(w.gateway.calls[1], "success")
        w.serve.wait(lambda: ways(w) == {"sms": ("proven", "anna"), "mail": ("failed", "anna"),
                                         "voice": ("proven", "bo")}, "what became of the second")
        lines, proof = awake(w)
        holds(lines[0], "bo was reached 20")
        failed, = (line for line in lines if line.startswith("mail by mail: NOT PROVEN 20"))
        holds(failed, ", bo, ")
        holds(failed, "no such mailbox")
        holds(failed, f"; proven last {first['mail']}")
        same((proof["reached"]["person"], proof["reached"]["channel"], proof["reached"]["provider"]),
             ("bo", "voice", "one"))
        same([(way["channel"], way["state"], way["asked"]) for way in proof["ways"]
              if way["state"] == "failed"], [("mail", "failed", "bo")])


def rule_of(number):
    return RULE.format(marker=f"STORM-{number}-OF").replace("6b2a6a4e", f"6b2a6a{number:02x}")


@test
def limits_hold_and_what_waits_is_not_lost(folder):
    """Four people, three messages in ten minutes each, ten by each channel of a provider, and incidents that go on
    coming to one page: all of them stand in its list, and what may not be sent yet is sent later."""
    if not FAULTY:
        raise Skip("no program with a clock that can be set")
    limits = "oncall:\n  per_person: 3\n  per_channel: 10\n  more_after: 10s\n"
    with Watch(FAULTY, folder, wait="12h", more=limits, providers=("one", "two"), faulty=("oncall",),
               rules=[rule_of(n) for n in range(1, INCIDENTS + 1)]) as w:
        plan = (w.folder / "plan.yaml").read_text(encoding="utf-8")
        dan = f"  - {{id: dan, name: Dan, contacts: [{{channel: sms, address: '{DAN}'}}]}}\n"
        # Nobody is on call in one team, and one person cannot be told of anything.
        none = "  - {id: none, rotations: [{order: [eva], since: 2040-01-02}]}\n"
        plan = plan.replace("teams:\n", f"{dan}  - {{id: eva}}\nteams:\n{none}")
        plan = plan.replace("{oncall: soc}", "{person: anna}, {person: bo}, {person: cia}, {person: dan}")
        (w.folder / "plan.yaml").write_text(plan, encoding="utf-8")
        w.serve.ask("oncall", "plan", "plan.yaml", "--force", "--why", "a test")
        people, came = (ANNA, BO, CIA, DAN), 0
        for batch, upto in enumerate((1, 10, 20, INCIDENTS), 1):
            with w.serve.tcp("syslog_tcp") as c:
                for n in range(came + 1, upto + 1):
                    c.sendall(f"<13>1 - host-{n} app - - - STORM-{n}-OF it\n".encode())
            came = upto
            w.serve.wait(lambda: [len(p["incidents"]) for p in w.pages()] == [came], f"{came} are listed")
            if batch < 4:
                for who in people:
                    w.sms(who, batch, 120)
        # The fourth message is above what each gets, and waits.
        w.serve.shows(lambda s: s["oncall"]["waiting"] >= len(people), "it waits for all of them")
        status = w.serve.ask("status")
        for part in (" messages wait: a person, or a provider, has had as many as the limits let",
                     "1 team has nobody on call", "1 person of the plan has no contact"):
            holds(status, part)
        page, = w.pages()
        same(sorted(page["incidents"]), list(range(1, INCIDENTS + 1)))
        w.faults.set("oncall", clock=WITHIN)
        for who in people:
            w.serve.wait(lambda who=who: any(m["to"] == who and f"{INCIDENTS} inc" in m["message"]
                                             for m in list(w.gateway.sms)), "all of it is told")
        w.serve.shows(lambda s: s["oncall"]["waiting"] == 0, "nothing waits")
        w.gateway.reply(w.sms(ANNA, 4), code_of(w.sms(ANNA, 4)))
        w.serve.wait(lambda: not w.pages(), "she has all of it")
        w.serve.wait(lambda: all(incident(w, n)["acked"] and incident(w, n)["notified"]
                                 for n in (1, 2, 15, INCIDENTS)), "of each that is known")
        with sqlite3.connect(f"file:{w.folder}/var/oncall/oncall.db?mode=ro", uri=True) as db:
            made = db.execute("SELECT n.person, a.provider || ' ' || a.channel, a.made FROM attempt a JOIN notice n"
                              " ON n.id = a.notice ORDER BY a.made").fetchall()
        same(len(made), len(w.gateway.sms))
        for at, limit in ((0, 3), (1, 10)):
            for name in {row[at] for row in made}:
                times = [row[2] for row in made if row[at] == name]
                same([b - a for a, b in zip(times, times[limit:]) if b - a < WITHIN * 10**9], [])
        same({row[1].split()[0] for row in made}, {"one", "two"})


@test
def a_full_disk_keeps_nobody_from_being_woken(folder):
    why = own_namespace()
    if why:
        raise Skip(why)
    with Watch(VAKA, folder, disk="2m") as w:
        w.disk.fill()
        w.event("one")
        sms = w.sms(ANNA)
        holds(w.serve.log_text(), "alarm=page-not-kept")
        holds(w.serve.ask("status"), "FROM MEMORY")
        w.gateway.reply(sms, code_of(sms))
        w.serve.wait(lambda: w.serve.status()["oncall"]["pages_open"] == 0, "somebody has it")
        w.disk.free()
        w.serve.wait(lambda: not w.serve.status()["oncall"]["in_memory"], "it is kept again")
        # All of it is in the file.
        w.serve.kill("oncall")
        w.serve.wait(lambda: w.pages("1")[0]["state"] == "acknowledged", "what was done meanwhile")
        same(w.count(ANNA), 1)


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[4 if FAULTY else 2:], 2))
