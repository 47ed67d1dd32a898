#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka status, as an operator sees it: status.py VAKA. Prints TAP."""
import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import common
from serving import Serve

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
EVENT = json.dumps({"message": "VAKAMARK"}).encode() + b"\n"
TIME_ERROR = 5


def whole(serve):
    return json.loads(serve.ask("status", "-f", "json"))


def children(pid):
    return [int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*")
            if (path / "stat").exists() and
            (path / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1] == str(pid)]


def check_fresh(tap, serve):
    """What was acknowledged is in the answer: nobody waits for the next second."""
    seen = []
    for _ in range(20):
        serve.post("/api/ingest", EVENT)
        state = serve.status()
        seen.append((state["store"]["next"], state["collect"]["requests"]["stored"]))
    tap.equal(seen, [(n, n) for n in range(1, 21)], "an answer is of now")
    tap.equal(whole(serve)["silent"], [], "all answered")


def check_silent(tap, serve):
    stopped = serve.pids("sign") + serve.pids("seal")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    serve.post("/api/ingest", EVENT)
    answer = whole(serve)
    tap.equal((answer["silent"], answer["processes"]["store"]["next"]), (["seal", "sign"], 21),
              "who does not answer is named, and keeps nobody from an answer")
    tap.ok("sign" in answer["processes"] and answer["processes"]["sign"]["pid"] in stopped,
           "with what it said before", answer["processes"]["sign"])
    tap.ok(re.search(r"^SILENT +seal, sign: ", serve.ask("status"), re.M),
           "the table says so, too")
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)


def check_lag(tap, serve):
    engines = [engine for pid in serve.pids("detect") for engine in children(pid)]
    tap.ok(engines, "there are engines")
    serve.wait(lambda: serve.status()["detect"]["behind"] == 0, "nothing behind")
    tap.equal(serve.status()["detect"]["lag_s"], 0, "no lag when all is matched")
    for pid in engines:
        os.kill(pid, signal.SIGSTOP)
    # A quiet while between the last record that was matched and the next.
    time.sleep(3)
    came = time.time()
    serve.post("/api/ingest", EVENT)
    state = serve.shows(lambda s: s["detect"]["lag_s"] >= 2, "a lag")
    tap.equal(state["detect"]["behind"], 1, "one record behind, and for how long")
    tap.ok(state["detect"]["lag_s"] <= time.time() - came,
           "since it came, not since the one before was matched", state["detect"])
    for pid in engines:
        os.kill(pid, signal.SIGCONT)
    state = serve.shows(lambda s: s["detect"]["behind"] == 0, "caught up")
    tap.equal(state["detect"]["lag_s"], 0, "no lag again")


def check_rates(tap, serve):
    def rates():
        found = whole(serve)["rates"]
        return [found[window][what] for window in ("10s", "60s") for what in ("stored", "matched")]

    def moves():
        serve.post("/api/ingest", EVENT * 50)
        return all(rate and rate > 0 for rate in rates())
    serve.wait(moves, "rates above 0")
    tap.ok(True, "rates of what is stored and matched, over 10 seconds and a minute")
    serve.kill("control")

    def starts_anew():
        return serve.ask("status", "-f", "json") and rates()[0] in (0, None)
    serve.wait(starts_anew, "a rate of the control that was started again")
    tap.ok(True, "what was stored before is not new to a control that was started again")


def check_machine(tap, serve):
    answer = whole(serve)
    store = answer["processes"]["store"]
    disk = os.statvfs(serve.folder / "var")
    tap.equal(store["disk_bytes"], disk.f_frsize * disk.f_blocks, "the size of the disk")
    tap.ok(0 < store["disk_free"] < store["disk_bytes"], "what is free of it", store)
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    expected = "unsynchronised" if state == TIME_ERROR else "synchronised"
    tap.ok(answer["supervisor"]["clock"] == expected or state < 0, "whether the clock is right", answer["supervisor"])
    tap.equal(answer["supervisor"]["pid"], serve.process.pid, "the process that was started")


def check_table(tap, serve):
    with serve.tcp() as s:
        s.sendall(b"<13>Nov 26 03:00:00 h1 app: one\n")
        serve.wait(lambda: serve.status()["collect"]["records"]["stored"] == 1, "the record")
        table = serve.ask("status")
    number = serve.status()["store"]["next"]
    for what, line in (
            ("that it runs", r"vaka serve  up .*, clock \w+"),
            ("records", rf"records     {number} stored(, [\d.]+/s over 10 s, [\d.]+/s over 1 min)?"),
            ("what is behind", r"            \d+ matched.*; \d+ behind, for \d+ s"),
            ("alerts", r"alerts      \d+ new, from \d+ matches, since triage was started"),
            ("the health of sources", r"sources     \d+ watched, \d+ judged: 0 silent, 0 with less than usual, "
             r"0 not understood, 0 clocks off, 0 with gaps"),
            ("evidence", r"evidence    \d+ records signed, (\d+ \w+ ago|never)"),
            ("disk", r"disk        ok: [\d.]+ \w+ used, [\d.]+ \w+ free of [\d.]+ \w+"),
            ("processes", r"store       pid=\d+  starts=1  up_s=\d+ .*"),
            ("sources", rf"syslog-tcp  127\.0\.0\.1:{serve.ports['syslog_tcp']} +127\.0\.0\.1 +\d+ s ago"
                        r"(  new)?  records: received=1 stored=1 pending=0")):
        tap.ok(re.search(f"^{line}$", table, re.M), f"the table tells of {what}", table)
    tap.ok(all(len(line) <= 160 for line in table.splitlines()), "lines can be read", table)
    line = serve.ask("status", "-f", "line")
    tap.ok(re.fullmatch(r"([\d.]+ records/s, )?\d+ records, \d+ sources, \d+ alerts, \d+ not matched yet, disk ok\n",
                        line), "one line", line)


def check_follow(tap, serve):
    with subprocess.Popen([VAKA, "status", "-F", "-f", "json", "-c", serve.config], cwd=serve.folder,
                          stdout=subprocess.PIPE) as follower:
        answers = [json.loads(follower.stdout.readline()) for _ in range(3)]
        follower.terminate()
    tap.ok(all(a["processes"]["store"]["next"] for a in answers), "following goes on")
    ups = [a["processes"]["store"]["up_s"] for a in answers]
    tap.ok(ups == sorted(ups) and ups[2] > ups[0], "every second", ups)


def main():
    tap = common.Tap()
    with tempfile.TemporaryDirectory() as folder:
        with Serve(VAKA, folder, "detect:\n  engines: 1\n").start() as serve:
            for check in (check_fresh, check_silent, check_lag, check_rates, check_machine, check_table, check_follow):
                check(tap, serve)
            tap.equal(serve.stop(), 0, "it ends")
    tap.done()


main()
