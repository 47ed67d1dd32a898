#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""health.py VAKA-FAULTY HEALTH-SEED [NAME...]: what vaka serve tells of sources that are not well, and
what it does not. Prints TAP.

The database is made as it is after four weeks of sources that speak every 50 seconds. The clock of
serve goes 50 seconds in a step, and no step is made before all that came in the one before is in
the model, so that minutes pass in seconds and a slow machine changes nothing."""
import datetime
import http.client
import itertools
import pathlib
import subprocess
import sys
import time

from serving import APART, TOKEN, Faults, Serve, holds, run_tests, same, test

VAKA, SEED = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3])
STEP = 50
# What the built-in taxonomy knows, and what it does not.
KNOWN = "sshd[7]: Accepted publickey for anna from 192.0.2.7 port 50000 ssh2"
UNKNOWN = "zzz: qqq"
RULE = {silent: f"vaka.source-{silent}" for silent in ("silent", "volume", "unread", "clock", "gap")}


class City:
    """serve with a clock of its own and senders at addresses of the loopback network."""

    def __init__(self, folder, names, more=""):
        self.serve = Serve(VAKA, folder, APART + "health:\n  least: 1s\n  zone: UTC\n" + more)
        self.faults = Faults(self.serve)
        self.ahead = 0
        self.addresses = {name: f"127.0.0.{10 + i}" for i, name in enumerate(names)}
        self.number = 0
        (folder / "var/state").mkdir()
        listener = f"127.0.0.1:{self.serve.ports['syslog_tcp']}"
        subprocess.run([SEED, folder / "var/state/vaka.db", str(int(time.time())), str(STEP),
                        *(f"syslog-tcp\t{listener}\t\t{address}" for address in self.addresses.values())],
                       check=True, timeout=120)
        self.serve.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.serve.__exit__()

    def now(self):
        return time.time() + self.ahead

    def send(self, name, text=KNOWN, n=1, ahead=0, numbers=None):
        """`n` records, whose clock is `ahead` of that of serve; `numbers`: what they count."""
        at = datetime.datetime.fromtimestamp(self.now() + ahead, datetime.timezone.utc)
        stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        numbers = [f'[meta sequenceId="{i}"]' for i in numbers] if numbers else ["-"] * n
        program, _, message = text.partition(": ")
        program, _, pid = program.partition("[")
        with self.serve.tcp(source=self.addresses[name]) as s:
            s.sendall("".join(f"<13>1 {stamp} h {program} {pid.rstrip(']') or '-'} - {data} {message}\n"
                              for data in numbers).encode())
        self.number += len(numbers)
        self.serve.wait(lambda: self.serve.status()["triage"]["matched"] >= self.number, "matched")

    def step(self, names, **how):
        """Those speak, and 50 seconds pass."""
        for name in names:
            self.send(name, **how)
        self.ahead += STEP
        for role in ("collect", "detect", "triage"):
            self.faults.set(role, clock=self.ahead)
        until = self.now() - 3
        self.serve.wait(lambda: self.serve.status()["triage"]["watched_until"] >= until, "time that passes")

    def figures(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.serve.ports["http"], timeout=30)
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        return connection.getresponse().read().decode()

    def told(self):
        """(rule, host) of the alerts about sources."""
        return [(a["rule"]["id"].removeprefix("vaka.source-"), a["host"]) for a in self.serve.alerts()
                if a["rule"]["id"].startswith("vaka.source")]

    def until(self, told, names, steps=30, **how):
        """Steps until that is told, and how many they were; a function is called for each step."""
        for i in range(steps):
            if told in self.told():
                return i
            self.step(names, **{key: value() if callable(value) else value for key, value in how.items()})
        raise AssertionError(f"not told in {steps} steps: {told}, but {self.told()}")

    def source(self, name):
        return next(s for s in self.serve.status()["triage"]["sources"] if s["address"] == self.addresses[name])


@test
def silence_is_told_and_its_end(folder):
    with City(folder, ["speaks", "stops", "muted"], "  muted: 127.0.0.12\n") as city:
        speaks, stops = city.addresses["speaks"], city.addresses["stops"]
        # Senders that come back within two minutes of a start are given the time.
        for _ in range(5):
            city.step(["speaks", "stops", "muted"])
        same(city.told(), [])
        same(city.source("speaks")["state"], "well")
        same(city.source("muted")["state"], "muted")
        steps = city.until(("silent", stops), ["speaks"])
        usual = city.source("stops")["silence_s"]
        if (steps + 1) * (STEP + 5) > 2 * usual + 2 * STEP:
            raise AssertionError(f"told behind {steps} steps, usually heard of within {usual} s")
        same([t for t in city.told() if t[1] == speaks], [])
        same(city.source("stops")["found"], ["silent"])
        holds(city.figures(), f'address="{stops}",what="silent"}} 1\n')
        alert = next(a for a in city.serve.alerts() if a["rule"]["id"] == RULE["silent"])
        same(alert["source"]["address"], stops)
        same(alert["rule"]["level"], "high")
        holds(alert["matched"][2]["value"], "usually heard of within ")
        for _ in range(3):
            city.step(["speaks"])
        same(city.told(), [("silent", stops)])
        city.send("stops")
        city.until(("silent-ended", stops), ["speaks", "stops"])
        same(city.told(), [("silent", stops), ("silent-ended", stops)])
        holds(city.serve.ask("status"), "well: within ")
        figures = city.figures()
        holds(figures, 'vaka_triage_sources_silent 0\n')
        holds(figures, f'identity="",address="{speaks}"}} ')


@test
def what_is_known_outlives_a_restart(folder):
    with City(folder, ["speaks", "stops"]) as city:
        for _ in range(4):
            city.step(["speaks", "stops"])
        city.until(("silent", city.addresses["stops"]), ["speaks"])
        before = city.source("speaks")
        same(city.serve.stop(), 0)
        city.serve.start()
        after = city.source("speaks")
        same((after["days"], after["silence_s"]), (before["days"], before["silence_s"]))
        same(city.source("stops")["found"], ["silent"])
        for _ in range(4):
            city.step(["speaks"])
        # It was told before the restart, and is not told again.
        same(city.told(), [("silent", city.addresses["stops"])])
        city.serve.kill_all()
        city.serve.start()
        same(city.source("speaks")["days"], before["days"])


@test
def a_standstill_of_vaka_blames_nobody(folder):
    with City(folder, ["one", "two"]) as city:
        for _ in range(4):
            city.step(["one", "two"])
        same(city.serve.stop(), 0)
        city.ahead += 3600
        for role in city.faults.ROLES:
            city.faults.set(role, clock=city.ahead)
        city.serve.start()
        for _ in range(4):
            city.step(["one", "two"])
        same(city.told(), [])


@test
def format_clock_and_numbers_are_told(folder):
    with City(folder, ["format", "clock", "numbers", "well"]) as city:
        everybody = list(city.addresses)
        for _ in range(3):
            city.step(everybody)
        city.until(("unread", city.addresses["format"]), ["format"], text=UNKNOWN, n=60)
        city.until(("clock", city.addresses["clock"]), ["clock"], ahead=600)
        city.send("numbers", numbers=range(1, 1201))
        city.step(["numbers"], numbers=range(1241, 1243))
        following = itertools.count(1243)
        city.until(("gap", city.addresses["numbers"]), ["numbers"], numbers=lambda: [next(following)])
        gap = next(a for a in city.serve.alerts() if a["rule"]["id"] == RULE["gap"])
        holds(gap["matched"][2]["value"], "40 records are missing")
        told = city.told()
        for kind, name in (("unread", "format"), ("clock", "clock"), ("gap", "numbers")):
            same([t for t in told if t[0] == kind], [(kind, city.addresses[name])])


@test
def a_time_without_a_year_is_of_the_year_it_came_in(folder):
    serve = Serve(VAKA, folder, APART)
    faults = Faults(serve)
    now = datetime.datetime.now(datetime.timezone.utc)
    new_year = datetime.datetime(now.year + 1, 1, 1, tzinfo=datetime.timezone.utc)

    def at(hours):
        for role in faults.ROLES:
            faults.set(role, clock=int((new_year - now).total_seconds()) + hours * 3600)

    def send(line, n):
        with serve.tcp() as s:
            s.sendall(line)
        serve.wait(lambda: len(serve.found()) == n, f"{n} alerts")
    at(-1)
    with serve.start():
        send(b"<13>Dec 31 23:00:00 h app: VAKAMARK line-0.\n", 1)
        at(25)
        send(b"<13>Jan  2 01:00:00 h app: VAKAMARK line-1.\n", 2)
        same([a["time"][:4] for a in serve.found()], [str(now.year), str(now.year + 1)])


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[3:], together=3))
