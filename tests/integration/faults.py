#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What serve does when an engine dies of a record, or the disk of its data: faults.py VAKA-FAULTY.
Prints TAP."""
import contextlib
import functools
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from api_client import Office  # noqa: E402  pylint: disable=wrong-import-position
from disks import Small, own_namespace  # noqa: E402  pylint: disable=wrong-import-position
from senders import Alerts, Senders, marked, stored, text  # noqa: E402  pylint: disable=wrong-import-position
# pylint: disable-next=wrong-import-position
from serving import APART, Faults, Serve, Skip, holds, run_tests, same, test  # noqa: E402

FAULTY = str(pathlib.Path(sys.argv[1]).resolve())
HASTY = APART + "detect:\n  silence: 3s\n  engines: 1\n"
DAY = 86400
# Before any thread: why there can be no disks of a test's own; None: there can.
NO_DISKS = own_namespace()


def test_with_disks(function):
    """Marks a test that makes disks."""
    @functools.wraps(function)
    def unless_skipped(folder):
        if NO_DISKS:
            raise Skip(NO_DISKS)
        function(folder)
    return test(unless_skipped)


def event(name, more=""):
    return json.dumps({"User": name, "message": text(name) + more}).encode() + b"\n"


def names(numbers, label="h0"):
    return [f"{label}-{i}" for i in numbers]


def all_is_well(serve, senders):
    """What was acknowledged is stored and has its alert, each record one; and serve works on."""
    alerts = Alerts(serve)
    acked = senders.acked()
    serve.wait(lambda: acked <= alerts.read(), "an alert of every acknowledged record")
    serve.wait(lambda: len(senders.acked()) > len(acked), "more acks")
    senders.stop()
    serve.shows(lambda s: s["triage"]["matched"] == s["store"]["next"], "all is matched")
    same(senders.acked() - alerts.read(), set())
    # From the beginning: a record that is given again may add to the alert that it has already.
    again = Alerts(serve)
    again.read()
    same(serve.stop(), 0)
    same(again.records, marked(serve))
    there, numbers = stored(serve)
    same(senders.acked() - set(there), set())
    same(numbers, list(range(len(numbers))))


# ---- an engine that dies of a record ------------------------------------------------------


def one_record_is_left_out(folder, mark, engines=1):
    """A record among others in one batch brings the engine down each time it is matched."""
    with Serve(FAULTY, folder, HASTY.replace("engines: 1", f"engines: {engines}")).start() as serve:
        same(serve.post("/api/ingest", b"".join(map(event, names(range(50)))))[0], 200)
        body = [event(n) for n in names(range(50, 150))]
        body.insert(40, event("h0-999", mark))
        same(serve.post("/api/ingest", b"".join(body))[0], 200)
        same(serve.post("/api/ingest", b"".join(map(event, names(range(150, 200)))))[0], 200)
        alerts = Alerts(serve)
        serve.wait(lambda: set(names(range(200))) == alerts.read(), "the alerts of all others")
        state = serve.shows(lambda s: s["triage"]["matched"] == 201 and s["detect"]["crashes"] == 3,
                            "three ends of an engine")
        same(state["detect"]["quarantined"], 1)
        same(alerts.records, 200)
        same(serve.log_text().count("alarm=record-quarantined"), 1)
        same(serve.log_text().count('text="record 90"'), 1)
        same({"vaka.record-quarantined", "vaka.engine-crashed"} -
             {a["rule"]["id"] for a in serve.alerts()}, set())
        same(len(serve.engines()), engines)
        same(serve.post("/api/ingest", event("h0-1000"))[0], 200)
        serve.wait(lambda: "h0-1000" in alerts.read(), "an alert behind it")
        hangs = serve.log_text().count("alarm=engine-hangs")
        same(serve.stop(), 0)
        there, _ = stored(serve)
        same(there["h0-999"], 1)
        return hangs


@test
def a_record_that_crashes_the_engine_is_left_out(folder):
    same(one_record_is_left_out(folder, "ABORTMARK"), 0)


@test
def a_record_that_the_engine_never_ends_with_is_left_out(folder):
    same(one_record_is_left_out(folder, "HANGMARK"), 3)


def spent(pid):
    """Seconds of a processor."""
    with contextlib.suppress(OSError, IndexError):
        words = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return 0


@test
def who_is_killed_at_a_record_does_not_blame_it(folder):
    """Twice: while a frame is matched whole, and at one record of it by itself."""
    with Serve(FAULTY, folder, HASTY.replace("silence: 3s", "silence: 60s")).start() as serve:
        same(serve.post("/api/ingest", event("h0-0") + event("h0-1", "HANGMARK") + event("h0-2"))[0], 200)
        for crashes in range(2):
            serve.shows(lambda s, n=crashes: s["detect"]["crashes"] == n, "the engine that was killed")
            serve.wait(lambda: any(spent(pid) > 0.3 for pid in serve.engines()), "one that hangs")
            for pid in serve.engines():
                os.kill(pid, signal.SIGKILL)
        serve.shows(lambda s: s["detect"]["crashes"] == 2, "the second end")
        same(left_out(serve), [])
        serve.kill_all()


def left_out(serve):
    return serve.status()["detect"]["quarantined_records"]


@test
def what_was_left_out_stays_so_over_starts(folder):
    """Of detect, of triage, and of all; no engine ends at the record again."""
    with Serve(FAULTY, folder, HASTY).start() as serve:
        same(serve.post("/api/ingest", event("h0-0") + event("h0-1", "ABORTMARK"))[0], 200)
        serve.shows(lambda s: s["triage"]["matched"] == 2, "all is matched")
        same(left_out(serve), [1])
        holds(serve.ask("status"), "LEFT OUT    record 1: stored, but not matched")
        serve.kill("detect")
        serve.shows(lambda s: s["detect"]["starts"] == 2 and
                    s["detect"]["quarantined_records"] == [1], "detect knows it again")
        serve.kill("triage")
        serve.shows(lambda s: s["triage"]["starts"] == 2, "another triage")
        same(serve.post("/api/ingest", event("h0-2", "ABORTMARK") + event("h0-3"))[0], 200)
        serve.shows(lambda s: s["triage"]["matched"] == 4, "all is matched")
        same(left_out(serve), [1, 2])
        same(serve.stop(), 0)
        # Everything is matched anew, as from a copy of the records alone but for what is left out.
        database = serve.folder / "var" / "state" / "vaka.db"
        with contextlib.closing(sqlite3.connect(database)) as state, state:
            state.execute("UPDATE matched SET next = 0")
            state.execute("DELETE FROM alert")
        serve.start()
        state = serve.shows(lambda s: s["triage"]["matched"] == 4, "all is matched again")
        same(state["detect"]["quarantined_records"], [1, 2])
        same(state["detect"]["crashes"], 0)
        same(Alerts(serve).read(), set(names([0, 3])))


@test
def a_record_that_eats_all_memory_is_left_out(folder):
    same(one_record_is_left_out(folder, "EATMARK"), 0)


@test
def with_several_engines_it_is_the_same(folder):
    for mark, hangs in (("ABORTMARK", 0), ("HANGMARK", 3)):
        (folder / mark).mkdir()
        same(one_record_is_left_out(folder / mark, mark, 3), hangs)


@test
def a_report_leaves_out_what_brings_it_down(folder):
    """The frame of such a record, and nothing else."""
    with Serve(FAULTY, folder, HASTY).start() as serve:
        for mark in ("ABORTMARK", "HANGMARK"):
            for part in range(3):
                body = [event(n) for n in names(range(part * 10, part * 10 + 10))]
                if part == 1:
                    body.insert(5, event("h0-999", mark))
                same(serve.post("/api/ingest", b"".join(body))[0], 200)
        serve.shows(lambda s: s["triage"]["matched"] == 62, "that all but two are matched")
        report = json.loads(serve.ask("rules", "noise", "-f", "json"))
        same((report["unreadable"], report["records"], report["matches"]), (2, 40, 40))
        same(serve.stop(), 0)


def searched(serve, *words):
    """The rows of a search that could not read everything, and what it said."""
    result = subprocess.run([FAULTY, "search", *words, "-f", "json", "-c", serve.config], check=False,
                            cwd=serve.folder, capture_output=True, timeout=120)
    same(result.returncode, 1)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr.decode()


@test
def a_search_leaves_out_what_ends_it_and_tells_the_rest_once(folder):
    """What was told of a journal before that is not told again: it is read in runs of 1 MiB."""
    with Serve(FAULTY, folder, HASTY, journal="64MiB").start() as serve:
        for post in range(6):
            body = [event(f"h{post}-{i}") for i in range(10)]
            if post in (2, 4):
                body.insert(5, event("h0-999", "ABORTMARK" if post == 2 else "HANGMARK"))
            body = [line.rstrip()[:-1] + b',"pad":"' + b"x" * 60000 + b'"}\n' for line in body]
            same(serve.post("/api/ingest", b"".join(body))[0], 200)
        serve.shows(lambda s: s["triage"]["matched"] == 62, "that all but two are matched")
        for jobs in "1", "2":
            found, said = searched(serve, "*", "--jobs", jobs)
            left = re.findall(r"the records from (\d+) on could not be read", said)
            same(sorted(left), ["20", "41"])
            numbers = [row["_seq"] for row in found]
            same(numbers, sorted(set(numbers), reverse=True))
            same(len(numbers), 40)
            found, _ = searched(serve, "| stats count, distinct(_seq)", "--jobs", jobs)
            same(found, [{"count": 40, "distinct(_seq)": 40}])
        same(serve.stop(), 0)


@test
def a_stopped_engine_is_replaced_and_no_record_blamed(folder):
    """One that hangs between records, or is stopped from outside, comes back."""
    with Serve(FAULTY, folder, HASTY).start() as serve:
        same(serve.post("/api/ingest", event("h0-1"))[0], 200)
        alerts = Alerts(serve)
        serve.wait(lambda: "h0-1" in alerts.read(), "an alert")
        with Senders(serve) as senders:
            for pid in serve.engines():
                os.kill(pid, signal.SIGSTOP)
            serve.wait(lambda: "alarm=engine-hangs" in serve.log_text(), "that it is noticed")
            all_is_well(serve, senders)
        same(serve.log_text().count("alarm=record-quarantined"), 0)


@test
def an_engine_that_has_nothing_to_do_is_left_alone(folder):
    with Serve(FAULTY, folder, HASTY.replace("3s", "1s")).start() as serve:
        same(serve.post("/api/ingest", event("h0-1"))[0], 200)
        before = serve.shows(lambda s: s["triage"]["matched"] == 1, "one record")
        serve.shows(lambda s: s["detect"]["up_s"] > before["detect"]["up_s"] + 3, "three seconds")
        same(serve.status()["detect"]["crashes"], 0)


# ---- disks --------------------------------------------------------------------------------


def post_segment(serve, line):
    """So many of these lines that a journal, and with it a segment, is complete."""
    same(serve.post("/api/ingest", line * 1000)[0], 200)


def padding():
    """A long line for which no rule holds."""
    return json.dumps({"pad": os.urandom(600).hex()}).encode() + b"\n"


def fail_until_it_ends(serve, faults, role, fault, provoke):
    """A call fails, and the process ends of it. It does not of one of retention, which says so and tries
    again ten seconds later: then another call fails."""
    def spared():
        return serve.log_text().count("alarm=retention-failed")
    starts = serve.shows(lambda s: s[role]["starts"], "the process")[role]["starts"]
    before, told = 0, 1
    while told > before:
        before = spared()
        faults.set(role, **{fault: 1})
        provoke(serve)
        serve.wait(lambda n=before: serve.status()[role]["starts"] > starts or spared() > n, "another process")
        told = spared()
    same(faults.left(role, fault), 0)


def fails_once(folder, role, fault, provoke=lambda serve: None):
    """A call of that process fails: it ends, is started again, and nothing is lost. `provoke` makes it
    call when senders alone do not, however slow they are."""
    serve = Serve(FAULTY, folder, "  checkpoint: 1s\n" + APART)
    faults = Faults(serve)
    with serve.start(), Senders(serve) as senders:
        serve.wait(lambda: len(senders.acked()) > 100, "acks")
        for _ in range(3):
            fail_until_it_ends(serve, faults, role, fault, provoke)
        all_is_well(serve, senders)


@test
def an_alert_that_was_told_is_durable(folder):
    """Whoever asks sees it when it is in the database for good: all ends as soon as it was seen. A look
    back at what was there before the rule would be alerts as well."""
    serve = Serve(FAULTY, folder, APART + "retro:\n  days: 0\n")
    Faults(serve).set("triage", slow_sync=200)
    with serve.start():
        for number in range(8):
            seen = threading.Event()

            def ask(after=number, seen=seen):
                with contextlib.suppress(AssertionError, subprocess.SubprocessError):
                    while not seen.is_set():
                        if serve.ask("alerts", "-f", "json", "--after", str(after)).strip():
                            seen.set()
            askers = [threading.Thread(target=ask) for _ in range(4)]
            for asker in askers:
                asker.start()
            same(serve.post("/api/ingest", event(f"h0-{number}"))[0], 200)
            same(seen.wait(60), True)
            serve.kill_all()
            for asker in askers:
                asker.join()
            with contextlib.closing(sqlite3.connect(serve.folder / "var/state/vaka.db")) as db:
                same(db.execute("SELECT count(*) FROM alert").fetchone(), (number + 1,))
            serve.start()


@test
def a_sync_of_the_store_fails(folder):
    fails_once(folder, "store", "fail_sync")


@test
def a_write_of_the_store_fails(folder):
    fails_once(folder, "store", "fail_write")


@test
def a_sync_of_the_database_fails(folder):
    fails_once(folder, "triage", "fail_sync")


@test
def a_write_of_the_database_fails(folder):
    fails_once(folder, "triage", "fail_write")


@test
def a_sync_while_sealing_fails(folder):
    fails_once(folder, "seal", "fail_sync", lambda serve: post_segment(serve, padding()))


@test
def a_write_while_sealing_fails(folder):
    fails_once(folder, "seal", "fail_write", lambda serve: post_segment(serve, padding()))


@test
def syncs_are_slow(folder):
    serve = Serve(FAULTY, folder, APART)
    faults = Faults(serve)
    for role in ("store", "triage", "seal"):
        faults.set(role, slow_sync=150)
    with serve.start(), Senders(serve) as senders:
        serve.wait(lambda: len(senders.acked()) > 200, "acks")
        serve.shows(lambda s: s["store"]["slowest_commit_us"] >= 150000, "that it is told")
        all_is_well(serve, senders)


@test
def the_clock_jumps(folder):
    """A day ahead, and two back: what is received is stored and matched."""
    serve = Serve(FAULTY, folder, APART)
    faults = Faults(serve)
    with serve.start(), Senders(serve) as senders:
        for ahead in (DAY, -DAY, 0):
            many = len(senders.acked())
            for role in Faults.ROLES:
                faults.set(role, clock=ahead)
            serve.wait(lambda n=many: len(senders.acked()) > n + 100, "acks")
        all_is_well(serve, senders)


def set_clocks(faults, ahead):
    for role in Faults.ROLES:
        faults.set(role, clock=ahead)


def after_a_pass(serve):
    """What seal says when retention has gone through the segments once more."""
    many = serve.log_text().count("event=retention-ended")
    serve.wait(lambda: serve.log_text().count("event=retention-ended") > many, "a pass")
    state = serve.shows(lambda s: s["seal"]["segments"] >= 0, "the status")["seal"]
    return state["removed"], state["clock_doubted"]


@test
def a_clock_set_far_ahead_makes_no_record_old(folder):
    """While serve runs, and while it does not; until somebody says that it is right. Retention goes
    through the segments every ten seconds."""
    with Serve(FAULTY, folder, "  checkpoint: 1s\n  keep: 240s\n" + APART) as serve:
        faults = Faults(serve)
        serve.start()
        for name in ("h0-0", "h0-1"):
            post_segment(serve, event(name, os.urandom(600).hex()))
        serve.shows(lambda s: s["seal"]["segments"] >= 1, "a segment")
        set_clocks(faults, 365 * DAY)
        same(after_a_pass(serve), (0, True))
        serve.wait(lambda: "vaka.clock-doubted" in {a["rule"]["id"] for a in serve.alerts()}, "an alert")
        serve.stop()
        serve.start()
        serve.shows(lambda s: s["seal"]["clock_doubted"], "doubt after a start")
        same(after_a_pass(serve), (0, True))
        set_clocks(faults, 0)
        same(after_a_pass(serve), (0, False))
        set_clocks(faults, 365 * DAY)
        same(after_a_pass(serve), (0, True))
        # As vaka clock trust does when the whole machine's clock is so far ahead.
        clock = serve.folder / "var" / "store" / "0" / "clock"
        serve.ask("clock", "trust")
        said = int(clock.read_text(encoding="utf-8"))
        clock.write_text(f"{said + 365 * DAY}\n", encoding="utf-8")
        serve.shows(lambda s: s["seal"]["removed"] >= 1 and not s["seal"]["clock_doubted"],
                    "what is old now goes")


def full(serve):
    return serve.status()["store"]["disk"] == "full"


@test_with_disks
def nothing_is_looked_at_that_cannot_be_written_down(folder):
    """On a full disk of the audit log: neither over the API nor at the command line, until there is space."""
    office = Office(FAULTY, folder, APART)
    audit = office.folder / "var" / "audit"
    audit.mkdir(mode=0o700)
    with Small(audit, "256k") as disk, office:
        try:
            office.start()
            anna = office.hire("anna", "analyst")
            same(office.post("/api/ingest", event("h1"))[0], 200)
            office.wait(lambda: office.counted() >= 1, "an alert")
            number = anna.get("/alerts")["alerts"][0]["id"]
            anna.get(f"/alerts/{number}")
            disk.fill()

            def by_hand():
                return subprocess.run([FAULTY, "search", "*", "-c", office.config], cwd=folder, check=False,
                                      capture_output=True, timeout=60).returncode
            # There is room for some lines in what the file has already.
            office.wait(lambda: anna.ask("GET", f"/alerts/{number}")[0] == 503, "no look at an alert")
            office.wait(lambda: anna.ask("POST", "/search", {"query": "*"})[0] == 503, "no search")
            office.wait(by_hand, "no search by hand")
            same("audit-failed" in office.log_text(), True)
            disk.free()
            same((anna.ask("GET", f"/alerts/{number}")[0], anna.ask("POST", "/search", {"query": "*"})[0], by_hand()),
                 (200, 200, 0))
            written = {json.loads(line)["what"] for line in office.ask("audit", "-f", "json").splitlines()}
            same({"alert", "search"} - written, set())
        finally:
            office.kill_all()


@test_with_disks
def a_full_disk_is_told_to_senders_and_survived(folder):
    """Nothing is acknowledged that is not stored, and when there is space work is taken up again."""
    serve = Serve(FAULTY, folder, APART)
    settings = serve.config.read_text(encoding="utf-8")
    serve.config.write_text(settings.replace("ballast: 0B", "ballast: 4MiB"), encoding="utf-8")
    with Small(serve.folder / "var", "48m") as disk:
        try:
            with serve.start(), Senders(serve) as senders:
                serve.wait(lambda: len(senders.acked()) > 100, "acks")
                free = os.statvfs(disk.at).f_bavail
                ballast = disk.at / "store" / "0" / "ballast"
                same(ballast.exists(), True)
                disk.fill()
                serve.wait(lambda: full(serve), "that the disk is full")
                serve.wait(lambda: not ballast.exists(), "that the ballast is given up")
                same("alarm=disk text=full" in serve.log_text(), True)
                same(serve.post("/api/ingest", event("h9-1"))[0], 503)
                disk.free()
                serve.wait(lambda: not full(serve), "that there is space")
                all_is_well(serve, senders)
                same(os.statvfs(disk.at).f_bavail < free, True)
        finally:
            serve.kill_all()


@test_with_disks
def a_full_disk_of_the_database_stops_no_sender(folder):
    """Records are stored meanwhile; their alerts come when there is space."""
    serve = Serve(FAULTY, folder, APART)
    state = serve.folder / "var" / "state"
    state.mkdir()
    with Small(state, "8m") as disk:
        try:
            with serve.start(), Senders(serve) as senders:
                serve.wait(lambda: len(senders.acked()) > 100, "acks")
                disk.fill()
                serve.wait(lambda: "alarm=state-failed" in serve.log_text(), "that it is told")
                many = len(senders.acked())
                serve.wait(lambda: len(senders.acked()) > many + 100, "acks meanwhile")
                disk.free()
                all_is_well(serve, senders)
        finally:
            serve.kill_all()


sys.exit(run_tests(sys.argv[2:], together=3))
