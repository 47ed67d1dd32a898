#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""From an event to a person who has it, with real processes: oncall.py VAKA [TEST...]. Prints TAP."""
import datetime
import json
import os
import pathlib
import signal
import sqlite3
import sys
import zoneinfo

import gateway
from disks import own_namespace
from paging import ANNA, BO, CIA, Watch, code_of
from serving import Skip, holds, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())


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


@test
def every_way_is_proven_by_a_real_message(folder):
    with Watch(VAKA, folder) as w:
        # The hour of the plan is one that is to come, and not far away.
        at = datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Stockholm")) + datetime.timedelta(seconds=75)
        plan = (w.folder / "plan.yaml").read_text(encoding="utf-8")
        plan = f"proof: anna {at:%H:%M}\n" + plan.replace(
            f"contacts: [{{channel: sms, address: '{ANNA}'}}]",
            f"contacts: [{{channel: sms, address: '{ANNA}'}}, {{channel: voice, address: '{ANNA}', after: 3m}}]")
        (w.folder / "plan.yaml").write_text(plan, encoding="utf-8")
        w.serve.ask("oncall", "plan", "plan.yaml", "--force", "--why", "a test")
        holds(w.serve.ask("status"), "sms by one: not proven")
        sms = w.sms(ANNA, seconds=300)
        holds(sms["message"], "dagliga prov")
        w.serve.wait(lambda: len(w.gateway.calls) == 1, "a call", 120)

        def ways():
            found = w.serve.status()["oncall"]["proof"]["ways"]
            return {way["channel"]: way["state"] for way in found}
        w.serve.wait(lambda: ways() == {"sms": "proven", "voice": "waits"}, "the phone has it", 120)
        w.gateway.settle(w.gateway.calls[0], "noanswer")
        w.serve.wait(lambda: ways() == {"sms": "proven", "voice": "failed"}, "nobody takes the call", 120)
        holds(w.serve.ask("awake", status=1), "  sms by one: proven 20")
        holds(w.serve.ask("status"), "voice by one: NOT PROVEN 20")


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
    sys.exit(run_tests(sys.argv[2:]))
