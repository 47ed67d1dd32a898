#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""From a record to a provider that has the message: page.py [latency|storm] [--json] [--quick]

latency  20,000 records a second come over TCP, and now and then one for which a rule of its own holds: how long
         after it was sent the gateway on loopback, over TLS as any provider, has been asked for an SMS about it.
storm    1,000,000 alerts of 500 rules come within 10 minutes, with the canary on and a plan that pages for all of
         them: whether the pager keeps its limits and lists every incident, and how long after the matching process
         hangs somebody is told of that.

--rate and --seconds are of latency, --alerts and --minutes of the storm. Times are taken in this program, at the sender
and at the gateway.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import sqlite3
import sys
import tempfile
import threading
import time

from table import emitter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/integration"))
from paging import ANNA, BO, CIA, Watch  # noqa: E402  pylint: disable=wrong-import-position

VAKA = str(ROOT / "build/release/vaka")
RULE = """title: Mark {number}
id: 6b2a6a4e-0d0f-4f6c-9d53-{number:012x}
status: test
level: critical
logsource: {{category: application}}
detection:
  keywords: ['PAGEMARK{number:06}']
  condition: keywords
"""
QUIET = b"".join(b"<14>1 - web1 nginx - - - GET /page/%d 200 %d bytes from 10.0.0.%d\n" % (i, i * 7, i % 250)
                 for i in range(1000))
PEOPLE_PER_TEN_MINUTES = 15


def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def rows(w, sql, *values):
    with sqlite3.connect(f"file:{w.folder}/var/oncall/oncall.db?mode=ro", uri=True, timeout=60) as db:
        return db.execute(sql, values).fetchall()


def mark(number, user):
    return b'<13>1 - h%d app - - - {"message":"PAGEMARK%06d","user":{"name":"user%d."}}\n' % (user, number, user)


def send_quiet(w, rate, seconds, done):
    begin, n = time.monotonic(), 0
    with w.serve.tcp() as s:
        while time.monotonic() < begin + seconds:
            s.sendall(QUIET)
            n += 1000
            time.sleep(max(0, begin + n / rate - time.monotonic()))
    done.append(n / (time.monotonic() - begin))


def latency(given):
    pages = int(given.seconds * 2)
    more = "oncall:\n  bundle: 0s\n  per_person: 1000\n  per_channel: 100000\n"
    rules = [RULE.format(number=n) for n in range(1, pages + 1)]
    with tempfile.TemporaryDirectory() as folder, \
            Watch(VAKA, folder, wait="60m", more=more, level="critical", rules=rules) as w:
        sent, rate = {}, []
        quiet = threading.Thread(target=send_quiet, args=(w, given.rate, given.seconds + 5, rate))
        quiet.start()
        time.sleep(3)
        begin = time.monotonic()
        with w.serve.tcp() as s:
            for n in range(1, pages + 1):
                time.sleep(max(0, begin + n * 0.5 - time.monotonic()))
                sent[n] = time.time()
                s.sendall(mark(n, n))
        quiet.join()
        w.serve.wait(lambda: len(w.gateway.sms) >= pages, "all pages", 300)
        of = {incident: int(re.search(r"Mark (\d+)", title)[1])
              for incident, title in rows(w, "SELECT incident, title FROM subject WHERE title LIKE '%Mark %'")}
        took = []
        for sms in w.gateway.sms:
            number = of[int(re.search(r"incident (\d+)", sms["message"])[1])]
            took.append((sms["_at"] - sent[number]) * 1000)
        return {"lane": "page", "records_a_second": round(rate[0]), "pages": len(took),
                "ms": {"p50": round(quantile(took, 0.5), 1), "p99": round(quantile(took, 0.99), 1),
                       "max": round(max(took), 1)}}


def send_alerts(w, alerts, rules, seconds):
    begin = time.monotonic()
    with w.serve.tcp() as s:
        for first in range(0, alerts, 500):
            s.sendall(b"".join(mark(n % rules + 1, n) for n in range(first, min(first + 500, alerts))))
            time.sleep(max(0, begin + seconds * (first + 500) / alerts - time.monotonic()))


def most_within(times, span):
    """How many at most came within a span."""
    times, first, most = sorted(times), 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - span:
            first += 1
        most = max(most, last - first + 1)
    return most


def storm(given):
    rules = [RULE.format(number=n) for n in range(1, given.rules + 1)]
    with tempfile.TemporaryDirectory() as folder, \
            Watch(VAKA, folder, wait="2m", more="canary:\n  every: 30s\n", level="critical", rules=rules) as w:
        begin = time.monotonic()
        sender = threading.Thread(target=send_alerts, args=(w, given.alerts, given.rules, given.minutes * 60))
        sender.start()
        # In its middle what matches hangs: the canary is what finds out.
        time.sleep(given.minutes * 60 / 2)
        stopped = [*w.serve.pids("detect"), *w.serve.engines()]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        hung = time.time()
        w.serve.wait(lambda: any("bruten" in m["message"] or "broken" in m["message"] for m in list(w.gateway.sms)),
                     "somebody is told that the watch is broken", 600)
        told = next(m["_at"] for m in w.gateway.sms if "bruten" in m["message"] or "broken" in m["message"])
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        sender.join()
        w.serve.wait(lambda: w.serve.status()["triage"]["alerts_counted"] >= given.alerts, "all alerts", 1800)
        took = time.monotonic() - begin
        w.serve.wait(lambda: not rows(w, "SELECT 1 FROM subject WHERE state = 0 LIMIT 1"), "all judged", 60)
        listed = rows(w, "SELECT count(DISTINCT s.incident), count(*) FROM page_incident i JOIN subject s"
                         " ON s.id = i.subject WHERE s.origin = 0")[0]
        with sqlite3.connect(f"file:{folder}/var/state/vaka.db?mode=ro", uri=True, timeout=60) as db:
            incidents = db.execute("SELECT count(*) FROM incident WHERE level = 5").fetchone()[0]
            left = db.execute("SELECT count(*) FROM handover").fetchone()[0]
        status = w.serve.status()["oncall"]
        per = {name: [m["_at"] for m in w.gateway.sms if m["to"] == to]
               for name, to in (("anna", ANNA), ("bo", BO), ("cia", CIA))}
        return {"lane": "storm", "alerts": given.alerts, "seconds": round(took), "incidents": incidents,
                "listed": listed[0], "not_handed_over": left,
                "pages": rows(w, "SELECT count(*) FROM page WHERE marks <> 2")[0][0],
                "messages": len(w.gateway.sms), "held_back": status["held_back"],
                "most_in_10_min": {name: most_within(times, 600) for name, times in per.items()},
                "limit": PEOPLE_PER_TEN_MINUTES, "broken_told_s": round(told - hung, 1)}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("part", nargs="?", choices=("latency", "storm"), default="latency")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--alerts", type=int)
    parser.add_argument("--rules", type=int, default=500)
    parser.add_argument("--minutes", type=float)
    given = parser.parse_args()
    given.seconds = given.seconds or (15 if given.quick else 100)
    given.alerts = given.alerts or (50000 if given.quick else 1000000)
    given.minutes = given.minutes or (0.5 if given.quick else 10)
    emitter(given.json)({"latency": latency, "storm": storm}[given.part](given))


if __name__ == "__main__":
    main()
