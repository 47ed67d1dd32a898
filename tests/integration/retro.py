# SPDX-License-Identifier: EUPL-1.2
"""Rules over what vaka serve has stored, by hand and by itself: retro.py VAKA [TEST...]. Prints
TAP."""
import collections
import csv
import io
import json
import os
import pathlib
import pty
import signal
import subprocess
import sys

from serving import RULE, Fail, Serve, holds, run_tests, same, test

VAKA = pathlib.Path(sys.argv[1]).resolve()
FAILING = """title: Failing
id: 11111111-2222-4333-8444-555555555555
name: failing
logsource: {category: application}
detection:
  keywords: ['FAILMARK']
  condition: keywords
"""
MANY = FAILING + """---
title: Many failures
id: 21111111-2222-4333-8444-555555555555
level: high
correlation:
  type: event_count
  rules: [failing]
  group-by: [User]
  timespan: 1h
  condition: {gte: 6}
"""


def hunt(serve, *words, status=0):
    """What is printed, and what was said beside it."""
    result = subprocess.run([VAKA, "hunt", "--store", *words, "-c", serve.config], cwd=serve.folder,
                            check=False, capture_output=True, timeout=120)
    if result.returncode != status:
        raise Fail(f"{words}: {result.returncode}: {result.stderr.decode()}")
    return result.stdout.decode(), result.stderr.decode()


def lines(serve, *words, status=0):
    return [json.loads(line) for line in hunt(serve, *words, "-f", "json", status=status)[0].splitlines()]


def send(serve, marker, numbers, user=None):
    """Each record has an alert of its own: it names another user."""
    body = "".join(json.dumps({"User": user or f"u{i}", "message": f"{marker} line-{i}."}) + "\n"
                   for i in numbers).encode()
    status, answer = serve.post("/api/ingest", body)
    same((status, json.loads(answer)["refused"]), (200, 0))


def send_filling(serve, n, size=200):
    body = "".join(json.dumps({"n": i, "message": os.urandom(size // 2).hex()}) + "\n"
                   for i in range(n)).encode()
    same(serve.post("/api/ingest", body)[0], 200)


def rule(folder, text, name="other.yml"):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def other(marker="OTHERMARK", first="7b2a6a4e"):
    return RULE.format(marker=marker).replace("6b2a6a4e", first)


def fill(serve, parts=20):
    """Records of two markers in sealed segments and in a journal that is not; how many."""
    n = 0
    for part in range(parts):
        send(serve, "OTHERMARK", range(part * 10, part * 10 + 10))
        send(serve, "VAKAMARK", range(part * 10, part * 10 + 5))
        send_filling(serve, 400)
        n += 415
        serve.matched(n)
    serve.wait(lambda: list(serve.folder.glob("var/store/0/segment-*")), "a segment")
    return n


# ---- by hand ---------------------------------------------------------------------------------

@test
def what_is_stored_is_hunted_in_all_forms(folder):
    with Serve(VAKA, folder, "triage:\n  alike: 0s\n").start() as serve:
        n = fill(serve)
        path = rule(folder / "new", other())
        found = lines(serve, "-r", path)
        same([a["rule"]["id"][:8] for a in found], ["7b2a6a4e"] * 200)
        numbers = [a["source"]["record"] for a in found]
        same(numbers, sorted(set(numbers)))
        same([a["event"]["User"] for a in found], [f"u{i}" for i in range(200)])
        same({key: value for key, value in found[0]["source"].items() if key != "record"},
             {"input": "http", "listener": f"127.0.0.1:{serve.ports['http']}", "identity": "tester",
              "address": "127.0.0.1"})
        for jobs in "1", "3":
            same([a["source"]["record"] for a in lines(serve, "-r", path, "-j", jobs)], numbers)
        # Without -r it is the rules in force, which told the same while it came.
        live = sorted(a["source"]["record"] for a in serve.found())
        same([a["source"]["record"] for a in lines(serve)], live)
        text, _ = hunt(serve, "-r", path, "-f", "csv")
        table = list(csv.DictReader(io.StringIO(text)))
        same([(int(row["record"]), row["file"], row["rule"]) for row in table],
             [(number, "tester", "Marker") for number in numbers])
        text, said = hunt(serve, "-r", path, "--stats")
        holds(text, "Marker")
        stats = json.loads(said.splitlines()[-1])
        same((stats["events"], stats["alerts"], stats["rules_loaded"]), (n, 200, 1))
        hunt(serve, "-r", path, "--fail-on", "high", status=3)
        hunt(serve, "-r", path, "--fail-on", "critical")
        same(lines(serve, "-r", path, "-l", "critical"), [])
        same(lines(serve, "-r", path, "--to", "-1h"), [])
        same(len(lines(serve, "-r", path, "--from", "-1h")), 200)
        serve.stop()
        same([a["source"]["record"] for a in lines(serve, "-r", path)], numbers)
        same([a["source"]["record"] for a in lines(serve, "var/store/0", "-r", path)], numbers)


@test
def correlations_are_counted_over_what_is_stored(folder):
    with Serve(VAKA, folder).start() as serve:
        send(serve, "FAILMARK", range(5), "anna")
        send(serve, "FAILMARK", range(7), "bo")
        serve.matched(12)
        found = lines(serve, "-r", rule(folder / "new", MANY))
        same([(a["rule"]["title"], a["correlation"]["group"]["User"], a["correlation"]["count"],
               [r["record"] for r in a["correlation"]["records"]]) for a in found],
             [("Many failures", "bo", 7, list(range(5, 12)))])


@test
def what_is_damaged_is_named_and_the_rest_is_read(folder):
    with Serve(VAKA, folder).start() as serve:
        fill(serve)
        serve.stop()
        path = rule(folder / "new", other())
        segment = sorted(folder.glob("var/store/0/segment-*"))[0]
        with open(segment, "r+b") as file:
            file.seek(5000)
            byte = file.read(1)[0]
            file.seek(5000)
            file.write(bytes([byte ^ 0xff]))
        (folder / "var/store/0/damaged-00000000000000000123").write_bytes(b"x")
        text, said = hunt(serve, "-r", path, "-f", "json", status=1)
        holds(said, "the block that begins with record 0 is damaged: its records were not read")
        holds(said, "the journal 123 was set aside as damaged")
        same(0 < len(text.splitlines()) < 200, True)


@test
def mistakes_are_told(folder):
    serve = Serve(VAKA, folder)
    holds(hunt(serve, status=1)[1], "var/store/0: No such file or directory")
    holds(hunt(serve, "a", "b", status=2)[1], "hunt --store takes one folder")
    holds(hunt(serve, "--from", "-1h", "--to", "-2h", status=2)[1], "--from -1h is after --to -2h")
    holds(hunt(serve, "-r", "nowhere", status=2)[1], "nowhere")


@test
def an_interrupt_ends_it_with_what_was_found(folder):
    with Serve(VAKA, folder).start() as serve:
        fill(serve)
        serve.stop()
        words = [VAKA, "hunt", "--store", "-f", "json", "-j", "1", "-c", serve.config]
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.execv(VAKA, words)
        text, sent = b"", False
        while True:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            text += piece
            if not sent and b"sandbox-entered" in text:
                os.kill(pid, signal.SIGINT)
                sent = True
        # It may have been through before the signal came.
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        same(status if status != 130 else 0, 0)
        same(collections.Counter(b"vaka: " in line for line in text.splitlines())[True], 0)


sys.exit(run_tests(sys.argv[2:]))
