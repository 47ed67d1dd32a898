#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Any process of a running vaka serve ends at any time of an escalation:
oncall_kills.py VAKA [--kills N] [--seed N]. Prints what was found, and how late steps were; exit status 1
when a page was lost, or somebody was told twice in one step though it was known that he was told."""
import argparse
import collections
import contextlib
import datetime
import json
import pathlib
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time

from paging import Watch, code_of

WAIT = 1  # s, of a step
KILLS = 3  # of an escalation
PATIENCE = 300  # s, for a step to come; not a measure of speed
UNDER_WAY = 5  # s, for which the gateway may still take what a process asked that has ended
ROLES = ("store", "triage", "detect", "unwrap", "collect", "control", "seal", "sign", "witness", "pull",
         "index", "account", "web", "search", "oncall", "notify", "notify", "oncall", "triage", "triage")
# What processes end with is told of as well, at a level that pages nobody here. Many incidents of one rule
# become one, so that each escalation has a rule of its own.
RULE = """title: Mark {number}
id: 6b2a6a4e-0d0f-4f6c-9d53-{number:012x}
status: test
level: critical
logsource: {{category: application}}
detection:
  keywords: ['KILLMARK{number:06}']
  condition: keywords
"""
TOLD = "SELECT a.id FROM attempt a JOIN attempt b ON b.notice = a.notice AND b.id < a.id" \
       " WHERE b.accepted IS NOT NULL AND a.made > b.accepted"
# Nobody is spared: many nights go by in minutes.
LIMITS = "oncall:\n  per_person: 1000\n  per_channel: 100000\n"
PAGE = "SELECT i.page FROM page_incident i JOIN subject s ON s.id = i.subject WHERE s.title LIKE ?"
STEPS = "SELECT p.id FROM page p JOIN page_incident i ON i.page = p.id JOIN subject s ON s.id = i.subject" \
        " WHERE s.title LIKE ? AND p.steps >= 3 AND i.notified IS NOT NULL"


def rows(w, sql, *values):
    with contextlib.closing(sqlite3.connect(f"file:{w.folder}/var/oncall/oncall.db?mode=ro", uri=True,
                                            timeout=60)) as db:
        return db.execute(sql, values).fetchall()


def send(w, number):
    """Until it is durable: what a process that ends has only received nobody has promised to keep."""
    record = json.dumps({"message": f"KILLMARK{number:06}", "user": {"name": f"user{number}"}}).encode()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):
            if w.serve.post("/api/ingest", record + b"\n")[0] == 200:
                return
        time.sleep(0.05)
    raise AssertionError("nothing is taken")


def find(w, sql, number):
    """The page of that incident, when it is so; 0: it never was."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = rows(w, sql, f"%user{number}.%")
        if found:
            return found[-1][0]
        time.sleep(0.05)
    return 0


def trial(w, number, rng, killed):
    """One incident; processes end while people are told of it. The page, when it went on to its end."""
    roles = [rng.choice(ROLES) for _ in range(KILLS)]
    ends = sorted(rng.uniform(0, 3.2 * WAIT) for _ in roles)
    send(w, number)
    # From the first moment on, or while steps of it begin and end.
    if rng.random() < 0.7:
        find(w, PAGE, number)
    begun = time.monotonic()
    for role, end in zip(roles, ends):
        time.sleep(max(0, begun + end - time.monotonic()))
        w.serve.kill(role)
        killed[role].append(time.time())
    return find(w, STEPS, number)


def settle(w, page):
    """Somebody has it, so that the next one is a page of its own."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            w.serve.ask("oncall", "ack", str(page))
            return
        if not rows(w, "SELECT 1 FROM page WHERE id = ? AND ended IS NULL", page):
            return
        time.sleep(0.1)
    raise AssertionError(f"page {page} cannot be acknowledged")


def twice(w, killed):
    """Messages that the gateway has more of than there were attempts; and how many of them came though
    notify did not end between two of their kind."""
    made = dict(rows(w, "SELECT c.code, count(*) FROM code c JOIN notice n ON n.page = c.page AND"
                        " n.person = c.person JOIN attempt a ON a.notice = n.id WHERE a.state NOT IN"
                        " (0, 8) GROUP BY c.code"))
    came = collections.defaultdict(list)
    for message in w.gateway.sms:
        came[code_of(message)].append(message["_at"])
    again = without = 0
    for code, times in came.items():
        more = max(0, len(times) - made.get(code, len(times)))
        ends = sum(min(times) - UNDER_WAY <= end <= max(times) for end in killed["notify"])
        again += more
        without += max(0, more - ends)
        if more > ends:
            print(f"again: {code}, {times}; notify ended {killed['notify']}; " + repr(rows(
                w, "SELECT a.id, a.notice, a.state, a.made, a.accepted, a.reference, a.detail FROM code c JOIN notice n"
                   " ON n.page = c.page AND n.person = c.person JOIN attempt a ON a.notice = n.id WHERE c.code = ?",
                code)), flush=True)
    return again, without


def lateness(w):
    """Of each step behind a first one, in seconds: behind its time, and behind its time or the start of
    oncall, whichever was later."""
    starts = [datetime.datetime.fromisoformat(t).timestamp() for t in re.findall(
        r"^time=(\S+)Z? level=info event=sandbox-entered role=oncall", w.serve.log_text(), re.M)]
    late, behind = [], []
    for a, b in rows(w, "SELECT a.begun, b.begun FROM step a JOIN step b ON b.page = a.page AND b.number ="
                        " a.number + 1 WHERE a.number < 4"):
        due, begun = a / 1e9 + WAIT, b / 1e9
        late.append(begun - due)
        behind.append(begun - max([due] + [s for s in starts if s <= begun]))
    return sorted(late), sorted(behind)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vaka")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    killed, lost = collections.defaultdict(list), 0
    trials = -(-args.kills // KILLS)
    rules = [RULE.format(number=number) for number in range(1, trials + 1)]
    with tempfile.TemporaryDirectory() as folder, \
            Watch(str(pathlib.Path(args.vaka).resolve()), folder, wait=f"{WAIT}s", level="critical",
                  more=LIMITS, rules=rules) as w:
        for number in range(1, trials + 1):
            page = trial(w, number, rng, killed)
            lost += page == 0
            if page:
                settle(w, page)
            else:
                print(f"lost: user{number}; {w.serve.log_text()[-1000:]}", flush=True)
        late, behind = lateness(w)
        known = len(rows(w, TOLD))
        again, without = twice(w, killed)
        ends = {role: len(times) for role, times in killed.items()}
        print(f"{sum(ends.values())} kills in {trials} escalations (seed {args.seed}), of them"
              f" oncall {ends.get('oncall', 0)}, notify {ends.get('notify', 0)}, triage {ends.get('triage', 0)};"
              f" {len(w.gateway.sms)} messages, {len(late)} steps, late by at most {late[-1]:.2f} s"
              f" (p99 {late[len(late) * 99 // 100]:.2f} s), behind oncall's start by at most {behind[-1]:.2f} s"
              f" (p99 {behind[len(behind) * 99 // 100]:.2f} s); lost {lost}; told twice though it was known"
              f" {known}; messages sent again {again}, of them though notify had not ended {without}")
    return 1 if lost or known or without else 0


if __name__ == "__main__":
    sys.exit(main())
