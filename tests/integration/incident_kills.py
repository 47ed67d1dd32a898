#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Triage and web are killed at random times while alerts come and people work on incidents, at the
command line and by the API: incident_kills.py VAKA [--kills N] [--seed S]. Prints TAP.

After every kill, and once more at the end: each alert is in one incident, whose numbers are those of its
alerts; what was told to be done is in the log once and in force; merging and splitting were done whole or
not at all. What was told to have failed or was not answered may have been done or not.
"""
import argparse
import collections
import contextlib
import http.client
import json
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from api_client import Office  # noqa: E402  pylint: disable=wrong-import-position
from serving import APART, RULE, Fail, same  # noqa: E402  pylint: disable=wrong-import-position

USERS = 40
RULES = 12  # none begins so many incidents that they are made one
BATCH = 10
ERA = 10  # kills after which serve is started anew

WHOLE = {
    "alerts without an incident": "SELECT count(*) FROM alert WHERE incident IS NULL",
    "alerts in an incident that is not there":
        "SELECT count(*) FROM alert a LEFT JOIN incident i ON i.id = a.incident WHERE i.id IS NULL",
    "incidents whose own numbers are wrong":
        "SELECT count(*) FROM incident i WHERE (i.alerts, i.records) != (SELECT count(*),"
        " coalesce(sum(count), 0) FROM alert a WHERE a.incident = i.id)",
    "incidents whose sums are wrong":
        "SELECT count(*) FROM incident i WHERE i.part_of IS NULL AND (i.all_alerts, i.all_records) !="
        " (SELECT sum(alerts), sum(records) FROM incident p WHERE p.root = i.id)",
    "parts that are half a part":
        "SELECT count(*) FROM incident i WHERE (i.part_of IS NULL) != (i.root = i.id)"
        " OR (i.part_of IS NULL) != (i.open IS NOT NULL)",
    "parts of a part that show elsewhere":
        "SELECT count(*) FROM incident i JOIN incident p ON p.id = i.part_of WHERE p.root != i.root",
    "closed ones that are open": "SELECT count(*) FROM incident WHERE (closed IS NULL) = (open = 0)",
    "rules whose numbers are wrong":
        "SELECT count(*) FROM incident_rule r WHERE (r.alerts, r.records) != (SELECT count(*),"
        " coalesce(sum(count), 0) FROM alert a WHERE a.incident = r.incident AND a.rule = r.rule)",
    "changes with a number that is not known to its incident":
        "SELECT count(*) FROM change c JOIN incident i ON i.id = c.incident WHERE c.number > i.version",
}


class Worker(threading.Thread):
    """Works on incidents until it is told to stop, and remembers what was told to be done."""

    def __init__(self, serve, seed):
        super().__init__()
        self.seed = seed
        self.serve, self.chance, self.told = serve, random.Random(seed), []
        self.going, self.number = True, 0

    def choose(self):
        """An act, and how the log knows it."""
        number = self.number = self.number + 1
        one, other = self.chance.sample(range(1, USERS + 1), 2)
        mark = f"mark {self.seed}-{number};"
        words = self.chance.choice((["note", one, mark], ["task", one, mark], ["merge", one, other, "--why", mark],
                                    ["close", one, "--as", "benign", "--why", mark],
                                    ["reopen", one, "--why", mark],
                                    ["split", one, self.chance.randint(1, 200), "--why", mark],
                                    ["undo", one, self.chance.randint(1, 400), "--why", mark]))
        return [*words, "--protected", "no"], mark

    def run(self):
        while self.going:
            words, mark = self.choose()
            done = subprocess.run([self.serve.vaka, "incident", *map(str, words), "-c", self.serve.config],
                                  capture_output=True, check=False)
            if done.returncode == 0:
                self.told.append(mark)


class Client(threading.Thread):
    """Does the same by the API; what was not answered is asked again with the same key."""

    def __init__(self, office, seed):
        super().__init__()
        self.seed, self.told, self.going, self.repeated = seed, [], True, 0
        self.chance = random.Random(seed)
        self.api = office.hire(f"client{seed}", "analyst")

    def ask(self, path, body, key):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.api.ask("POST", path, body, {"Idempotency-Key": key})[0]
        self.api.close()
        return 503

    def run(self):
        number = 0
        while self.going:
            number += 1
            mark = f"mark {self.seed}-{number};"
            path = f"/incidents/{self.chance.randint(1, USERS)}/" + self.chance.choice(("note", "task"))
            status = self.ask(path, {"text": mark, "protected": False}, mark)
            while status == 503 and self.going:
                self.repeated += 1
                time.sleep(0.05)
                status = self.ask(path, {"text": mark, "protected": False}, mark)
            if status == 200:
                self.told.append(mark)
            elif status >= 500 and status != 503:
                raise Fail(f"{path}: {status}")


class Sender(threading.Thread):
    def __init__(self, serve, seed):
        super().__init__()
        self.serve, self.chance, self.sent, self.going = serve, random.Random(seed), 0, True
        self.turn = threading.Lock()

    def run(self):
        while self.going:
            with self.turn:
                self.send()
            time.sleep(0.02)

    def send(self):
        users = [self.chance.randrange(USERS) for _ in range(BATCH)]
        body = b"".join(json.dumps({"User": f"u{u}", "message": f"a MARK{u % RULES}."}).encode() + b"\n"
                        for u in users)
        if self.serve.post("/api/ingest", body)[0] == 200:
            self.sent += BATCH


def check(serve, told):
    with sqlite3.connect(serve.folder / "var/state/vaka.db", timeout=30) as db:
        db.execute("BEGIN")
        for what, query in WHOLE.items():
            found = db.execute(query).fetchone()[0]
            if found:
                raise Fail(f"{found} {what}")
        log = collections.Counter(text for text, in db.execute(
            "SELECT coalesce(json_extract(body, '$.text'), why) FROM change WHERE kind != 'begin'"))
    wrong = {mark: log[mark] for mark in told if log[mark] != 1}
    if wrong:
        raise Fail(f"told to be done, and so often in the log: {wrong}")


def write_rules(folder):
    for number in range(RULES):
        text = RULE.format(marker=f"MARK{number}.").replace("7e3c11", f"7e3d{number:02}")
        (folder / "rules" / f"mark{number}.yml").write_text(text, encoding="utf-8")


def kill(serve, chance):
    """One of the two that are there, at a random time of what it does."""
    role = chance.choice(("triage", "web"))
    serve.wait(lambda: serve.pids(role), f"a process {role}")
    time.sleep(chance.uniform(0.0, 0.5))
    serve.kill(role)


def begin_again(serve, sender):
    """Who ends often is started again later and later, until serve itself is."""
    with sender.turn:
        same(serve.stop(), 0)
        serve.start()


def run(vaka, kills, seed, folder):
    chance = random.Random(seed)
    with Office(vaka, folder, APART) as serve:
        write_rules(serve.folder)
        serve.start()
        threads = [Sender(serve, seed), Worker(serve, seed), Client(serve, seed + 1)]
        for thread in threads:
            thread.start()
        try:
            for number in range(kills):
                kill(serve, chance)
                if number % ERA == ERA - 1:
                    check(serve, [mark for worker in threads[1:] for mark in list(worker.told)])
                    begin_again(serve, threads[0])
        finally:
            for thread in threads:
                thread.going = False
            for thread in threads:
                thread.join()
        serve.wait(lambda: serve.counted() >= threads[0].sent, "all alerts", 120)
        told = [mark for worker in threads[1:] for mark in worker.told]
        if not told:
            raise Fail("nothing was told to be done")
        check(serve, told)
        same(serve.counted(), threads[0].sent)
        same(serve.stop(), 0)
        odd = [line for line in serve.log_text().splitlines()
               if "assertion-failed" in line or '"signal ' in line and '"signal 9 ' not in line]
        same(odd, [])
        return len(told), threads[0].sent, threads[2].repeated


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vaka")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            done, sent, repeated = run(str(pathlib.Path(given.vaka).resolve()), given.kills, given.seed, folder)
            print(f"ok 1 - {given.kills} kills, {done} acts, {repeated} asked again, {sent} records (seed {given.seed})\n1..1")
            return 0
        except (AssertionError, OSError, subprocess.SubprocessError, sqlite3.Error) as why:
            text = str(why).replace("\n", "\n# ")
            print(f"not ok 1 - kills\n# {type(why).__name__}: {text}\n1..1")
            return 1


if __name__ == "__main__":
    sys.exit(main())
