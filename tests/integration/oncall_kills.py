#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Any process of a running vaka serve ends at any time of an escalation:
oncall_kills.py VAKA [--kills N] [--seed N]. Prints what was found; exit status 1 when a page was
lost, was late, or told somebody twice in one step though it was known that he was told."""
import argparse
import collections
import pathlib
import random
import sqlite3
import sys
import tempfile
import time

from paging import ANNA, BO, CIA, Watch, code_of

WAIT = 1  # s, of a step
ROLES = ("store", "triage", "detect", "unwrap", "collect", "control", "seal", "sign", "witness", "pull",
         "index", "account", "web", "search", "oncall", "notify", "notify", "oncall", "triage", "triage")
TOLD = "SELECT n.id FROM notice n JOIN attempt a ON a.notice = n.id JOIN attempt b ON b.notice = n.id" \
       " AND b.id < a.id AND b.state IN (2, 3) AND a.made > b.made + ?"


def rows(w, sql, *values):
    with sqlite3.connect(f"file:{w.folder}/var/oncall/oncall.db?mode=ro", uri=True, timeout=30) as db:
        return db.execute(sql, values).fetchall()


def trial(w, number, rng, killed, kills):
    """One incident; processes end while people are told of it. False: nobody was told."""
    roles = [rng.choice(ROLES) for _ in range(kills)]
    ends = sorted(rng.uniform(0, 3.2 * WAIT) for _ in roles)
    begun = time.monotonic()
    while True:
        try:
            w.event(f"user{number}")
            break
        except OSError:
            time.sleep(0.05)
    for role, end in zip(roles, ends):
        time.sleep(max(0, begun + end - time.monotonic()))
        w.serve.kill(role)
        killed[role] += 1
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        found = rows(w, "SELECT p.id FROM page p JOIN page_incident i ON i.page = p.id"
                        " WHERE p.steps >= 3 AND p.ended IS NULL AND i.notified IS NOT NULL")
        if found:
            return found[-1][0]
        time.sleep(0.05)
    return 0


def settle(w, page):
    """Somebody has it, so that the next one is a page of its own."""
    for _ in range(100):
        try:
            w.serve.ask("oncall", "ack", str(page))
            return
        except AssertionError:
            if not rows(w, "SELECT 1 FROM page WHERE id = ? AND ended IS NULL", page):
                return
            time.sleep(0.1)


def twice(w, killed):
    """Messages at the gateway beyond the attempts that there were, of each page and person."""
    sent = collections.Counter(code_of(m) for m in w.gateway.sms)
    made = dict(rows(w, "SELECT c.code, count(*) FROM code c JOIN notice n ON n.page = c.page AND"
                        " n.person = c.person JOIN attempt a ON a.notice = n.id WHERE a.state NOT IN"
                        " (0, 8) GROUP BY c.code"))
    return sum(n - made.get(code, n) for code, n in sent.items() if n > made.get(code, n))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vaka")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    killed, lost = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder, \
            Watch(str(pathlib.Path(args.vaka).resolve()), folder, wait=f"{WAIT}s") as w:
        trials = 0
        while sum(killed.values()) < args.kills:
            trials += 1
            page = trial(w, trials, rng, killed, min(3, args.kills - sum(killed.values())))
            lost += page == 0
            if page:
                settle(w, page)
        late = [(b - a) / 1e9 - WAIT for a, b in rows(
            w, "SELECT a.begun, b.begun FROM step a JOIN step b ON b.page = a.page AND b.number ="
               " a.number + 1 WHERE a.number < 4")]
        known = len(rows(w, TOLD, int(1e9)))
        more = twice(w, killed)
        late.sort()
        print(f"{sum(killed.values())} kills in {trials} escalations (seed {args.seed}), of them"
              f" oncall {killed['oncall']}, notify {killed['notify']}, triage {killed['triage']};"
              f" {len(w.gateway.sms)} messages, {len(late)} steps, late by at most {late[-1]:.2f} s"
              f" (p99 {late[len(late) * 99 // 100]:.2f} s); lost {lost}; told twice though it was known"
              f" {known}; messages sent again, unknown, {more} (notify ended {killed['notify']} times)")
    return 1 if lost or known or more > killed["notify"] else 0


if __name__ == "__main__":
    sys.exit(main())
