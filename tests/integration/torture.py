#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""A whole vaka serve under load, whose processes are killed and whose power is cut:
torture.py VAKA FAULTY [--quick] [--kills N] [--cuts N] [--control N] [--seed S] [--json]

kills      A process chosen at random, an engine or all of them are killed at random times.
cuts       serve.folder is an ext4 of its own, which is shut down without writing back anything
           (EXT4_IOC_SHUTDOWN), and mounted again. Needs root and a loop device.
control    The same with syncs that do nothing (FAULTY) has to lose, or the cuts prove nothing.

After each round: what was acknowledged is stored, came at most as often as it was sent, and has its
alert; sequence numbers have no gap; vaka verify says intact. Prints TAP; with --json the figures and
what became of each part, as one object, and TAP goes to standard error.
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from disks import Ext4, own_namespace  # noqa: E402  pylint: disable=wrong-import-position
from machine import run_facts  # noqa: E402  pylint: disable=wrong-import-position
from senders import Alerts, Senders, stored  # noqa: E402  pylint: disable=wrong-import-position
from serving import Faults, Serve  # noqa: E402  pylint: disable=wrong-import-position

APART = "  checkpoint: 1s\ntriage:\n  alike: 0s\ndetect:\n  engines: {}\n"
VICTIMS = (*Faults.ROLES, "retro", "engine")
ROUNDS = 25  # in one folder, then a new one
SLOW = 30  # milliseconds
IMAGE = 128 << 20


class Bad(AssertionError):
    pass


class Figures(dict):
    def add(self, **more):
        for key, value in more.items():
            self[key] = self.get(key, 0) + value


def a_serve(vaka, folder, chance):
    return Serve(vaka, folder, APART.format(chance.choice((1, 3))))


def eras(rounds, vaka, faulty):
    """(rounds, program, milliseconds) of each folder. Every other is one of slow syncs: what is told
    too early is told long before it is true then, so that an end in between is likely."""
    size = min(ROUNDS, (rounds + 1) // 2)
    for number, begin in enumerate(range(0, rounds, size)):
        slow = number % 2 == 1
        yield min(size, rounds - begin), faulty if slow else vaka, SLOW if slow else 0


def verify(serve):
    folder = serve.folder / "var" / "store" / "0"
    key = serve.folder / "var" / "keys" / "log.pub"
    keys = ["-k", key] if key.exists() else []
    return subprocess.run([serve.vaka, "verify", *keys, folder], capture_output=True, timeout=300,
                          check=False)


class Era:
    """One folder, and what was acknowledged and found in it so far."""

    def __init__(self, serve, figures):
        self.serve, self.figures = serve, figures
        self.senders = Senders(serve)
        self.alerts = Alerts(serve)
        self.late = set()

    def begin(self):
        """Until there is a checkpoint: before that nothing proves anything."""
        self.serve.shows(lambda s: s["seal"]["signed"] > 0, "the first checkpoint")
        return self

    def check_stored(self, acked):
        """The folder as it lies there, with nobody at work in it."""
        found = stored(self.serve)
        if found is None:
            raise Bad("the store cannot be read")
        names, numbers = found
        lost = acked - set(names)
        self.figures.add(lost=len(lost))
        if lost:
            raise Bad(f"acknowledged and lost: {sorted(lost)[:5]}, {len(lost)} in all")
        if numbers != list(range(len(numbers))):
            raise Bad("sequence numbers have a gap")
        often = [n for n, times in names.items() if times > self.senders.sent(n)]
        if often:
            raise Bad(f"came more often than sent: {often[:5]}")
        done = verify(self.serve)
        if done.returncode != 0:
            raise Bad(f"verify: {(done.stdout + done.stderr).decode()[-400:]}")
        return len(numbers)

    def check_matched(self, acked):
        """With serve at work: every one of them has its alert."""
        with contextlib.suppress(AssertionError):
            self.serve.wait(lambda: acked <= self.alerts.read(), "alerts")
        missing = acked - self.alerts.names
        self.figures.add(never_matched=len(missing))
        if missing:
            raise Bad(f"acknowledged and never matched: {sorted(missing)[:5]}, {len(missing)} in all; "
                      f"{self.serve.log_text()[-800:]}")

    def finish(self):
        """The end of a folder: each record that is stored has one alert."""
        self.senders.stop()
        acked = self.senders.acked() - self.late
        self.check_matched(acked)
        self.serve.shows(lambda s: s["triage"]["matched"] == s["store"]["next"], "all is matched")
        self.serve.shows(lambda s: s["seal"]["signed"] == s["store"]["next"], "all is signed")
        # From the beginning: a record that is given again adds to the alert that it has already.
        alerts = Alerts(self.serve)
        alerts.read()
        if self.serve.stop() != 0:
            raise Bad("serve did not end well")
        records = self.check_stored(acked)
        without = set(stored(self.serve)[0]) - alerts.names
        if without or alerts.records != records:
            raise Bad(f"{records} records are stored, alerts are about {alerts.records}; stored, and "
                      f"without an alert: {sorted(without)[:5]}, {len(without)} in all")
        self.figures.add(acked=len(acked), stored=records, alerts=alerts.records)


# ---- kills --------------------------------------------------------------------------------


def kill_some(serve, chance):
    """One process, or two one behind the other."""
    for _ in range(chance.randint(1, 2)):
        role = chance.choice(VICTIMS)
        for pid in serve.engines() if role == "engine" else serve.pids(role):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(chance.uniform(0, 0.1))


def kill_round(era, chance):
    time.sleep(chance.uniform(0.02, 0.4))
    if chance.random() < 0.5:
        kill_some(era.serve, chance)
        era.figures.add(kills=1)
        era.check_matched(era.senders.acked())
        return
    era.serve.kill_all()
    era.figures.add(kills=1, kills_of_all=1)
    era.check_stored(era.senders.acked())
    era.serve.start()


def run_kills(vaka, faulty, rounds, chance, figures):
    for number, program, slow in eras(rounds, vaka, faulty):
        with tempfile.TemporaryDirectory() as folder, a_serve(program, folder, chance) as serve:
            Faults(serve).set("store", slow_sync=slow)
            era = Era(serve.start(), figures)
            with era.senders:
                era.begin()
                for _ in range(number):
                    kill_round(era, chance)
            era.finish()


# ---- power cuts ---------------------------------------------------------------------------


def why_no_cuts():
    """None when this machine has power cuts; then we are in a namespace of our own."""
    why = own_namespace()
    if why:
        return why
    with tempfile.TemporaryDirectory() as folder:
        try:
            at = pathlib.Path(folder) / "at"
            at.mkdir()
            with Ext4(at, pathlib.Path(folder) / "image", IMAGE) as disk:
                disk.cut()
        except (OSError, subprocess.CalledProcessError) as error:
            return f"no power cuts of ext4 on a loop device: {error}"
    return None


def power_off(era, disk):
    """What was acknowledged before the cut; what is told while it happens does not count."""
    acked = era.senders.acked() - era.late
    disk.cut()
    era.serve.kill_all()
    time.sleep(0.01)  # an answer may still be on its way to a sender
    era.late |= era.senders.acked() - acked
    disk.unmount()
    disk.mount()
    return acked


def cut_round(era, disk, chance):
    time.sleep(chance.uniform(0.02, 0.5))
    acked = power_off(era, disk)
    era.figures.add(cuts=1)
    era.check_stored(acked)
    era.serve.start()
    era.check_matched(acked)


@contextlib.contextmanager
def on_disk(serve):
    """Its folder on an ext4 of its own; ends serve with it."""
    disk = Ext4(serve.folder / "var", serve.folder / "image", IMAGE)
    with disk:
        try:
            yield disk
        finally:
            if serve.process:
                serve.kill_all()
    if not disk.is_sound():
        raise Bad("the file system is damaged")


def run_cuts(vaka, faulty, rounds, chance, figures):
    for number, program, slow in eras(rounds, vaka, faulty):
        with tempfile.TemporaryDirectory() as folder:
            serve = a_serve(program, folder, chance)
            Faults(serve).set("store", slow_sync=slow)
            with on_disk(serve) as disk:
                era = Era(serve.start(), figures)
                with era.senders:
                    era.begin()
                    for _ in range(number):
                        cut_round(era, disk, chance)
                era.finish()
                figures.add(late=len(era.late))


def run_control(faulty, rounds, chance, figures):
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            serve = a_serve(faulty, folder, chance)
            faults = Faults(serve)
            for role in Faults.ROLES:
                faults.set(role, no_sync=1)
            with on_disk(serve) as disk:
                serve.start()
                era = Era(serve, figures)
                with era.senders:
                    serve.wait(lambda: len(era.senders.acked()) >= 50, "acks")
                    time.sleep(chance.uniform(0.02, 0.5))
                    acked = power_off(era, disk)
                there = stored(serve)
                lost = acked - set(there[0] if there else ())
                figures.add(control=1, control_lost=len(lost) > 0)
    if figures["control_lost"] == 0:
        raise Bad("nothing was lost without syncs")


# ---- main ---------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(prog="script/torture")
    parser.add_argument("vaka")
    parser.add_argument("faulty")
    parser.add_argument("--quick", action="store_true", help="few rounds, within 50 s")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--cuts", type=int)
    parser.add_argument("--control", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    kills, cuts, control = (8, 4, 2) if given.quick else (300, 300, 30)
    kills = kills if given.kills is None else given.kills
    cuts = cuts if given.cuts is None else given.cuts
    control = control if given.control is None else given.control
    print(f"# seed {given.seed}", flush=True)
    chance = random.Random(given.seed)
    figures = Figures(kills=0, kills_of_all=0, cuts=0, acked=0, stored=0, alerts=0, lost=0,
                      never_matched=0, late=0, control=0, control_lost=0)
    vaka, faulty = (str(pathlib.Path(p).resolve()) for p in (given.vaka, given.faulty))
    no_cuts = why_no_cuts() if cuts or control else "not asked for"
    parts = [("kills", kills, None, lambda n: run_kills(vaka, faulty, n, chance, figures)),
             ("cuts", cuts, no_cuts, lambda n: run_cuts(vaka, faulty, n, chance, figures)),
             ("control", control, no_cuts, lambda n: run_control(faulty, n, chance, figures))]
    results, tap = {}, sys.stderr if given.json else sys.stdout
    print(f"1..{len(parts)}", file=tap)
    for number, (name, rounds, skip, run) in enumerate(parts, 1):
        if skip or not rounds:
            results[name] = f"skipped: {skip or 'not asked for'}"
            print(f"ok {number} - {name} # SKIP {skip or 'not asked for'}", flush=True, file=tap)
            continue
        try:
            run(rounds)
            results[name] = "ok"
            print(f"ok {number} - {name}", flush=True, file=tap)
        except (AssertionError, OSError, subprocess.SubprocessError, KeyError) as why:
            results[name] = f"failed: {why}"
            lines = str(why).replace("\n", "\n# ")
            print(f"not ok {number} - {name}\n# {type(why).__name__}: {lines}", flush=True,
                  file=tap)
    if given.json:
        print(json.dumps({**run_facts(given.seed), **figures, "parts": results}))
    return 1 if any(result.startswith("failed") for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
