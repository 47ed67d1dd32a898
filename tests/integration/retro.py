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
import re
import shlex
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
        serve.stored(n)
    serve.matched(n)
    if parts >= 20:
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
        same((stats["events"] + stats["passed_over"], stats["alerts"], stats["rules_loaded"]), (n, 200, 1))
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


# ---- by itself -------------------------------------------------------------------------------

def retro(serve):
    return serve.status()["retro"]


def idle(serve):
    serve.wait(lambda: retro(serve)["state"] == "idle", "the end of a pass")


def told(serve):
    """What was told of the past: by the id of the rule, what its alert says."""
    found = {}
    for alert in serve.alerts():
        if alert["rule"]["id"] == "vaka.retro":
            said = {m["field"]: m["value"] for m in alert["matched"]}
            same((said["rule"] in found, alert["count"]), (False, 1))
            found[said["rule"]] = {**said, "level": alert["rule"]["level"],
                                   "title": alert["rule"]["title"]}
    return found


def counts(serve):
    return {name: (int(said["matches"]), int(said["alerts"])) for name, said in told(serve).items()}


def found_in_lists(serve):
    """How many records each told list of indicators has matched."""
    alerts = (a for a in serve.alerts() if a["rule"]["id"] == "vaka.retro")
    return [int(m["value"]) for a in alerts for m in a["matched"]
            if "Indicator of the list" in a["rule"]["title"] and m["field"] == "matches"]


OTHER = "7b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11"
THIRD = "8b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11"
MARKER = "6b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11"
MANY_ID = "21111111-2222-4333-8444-555555555555"


def add(serve, *rules):
    for number, text in enumerate(rules):
        rule(serve.folder / "rules", text, f"added-{number}.yml")
    before = serve.log_text().count("event=rules-reloaded")
    serve.ask("reload")
    serve.wait(lambda: serve.log_text().count("event=rules-reloaded") > before, "new rules")


def change(serve, before, after):
    """Another setting, in force."""
    text = serve.config.read_text(encoding="utf-8")
    holds(text, before)
    serve.config.write_text(text.replace(before, after), encoding="utf-8")
    add(serve)


def book(serve):
    """The words of its lines, by their first one."""
    found = collections.defaultdict(list)
    for line in (serve.folder / "var/retro/book").read_text("ascii").splitlines()[1:]:
        first, *rest = line.split()
        found[first].append(rest)
    return found


def place(serve):
    """The record that the pass at hand goes on with; 0: none is at hand."""
    passes = book(serve)["pass"]
    return int(passes[0][2]) if passes else 0


@test
def a_rule_that_comes_after_the_attack_is_told_with_its_counts(folder):
    with Serve(VAKA, folder).start() as serve:
        idle(serve)
        same(told(serve), {})
        fill(serve)
        send(serve, "FAILMARK", range(7), "bo")
        serve.wait(lambda: retro(serve)["state"] == "idle", "nothing to do")
        serve.matched(20 * 415 + 7)
        add(serve, other(), other("NOWHERE", "8b2a6a4e"), MANY)
        serve.wait(lambda: {OTHER, MANY_ID} <= set(told(serve)), "what was found")
        idle(serve)
        # What a correlation alone asks for is no finding.
        same(counts(serve), {OTHER: (200, 200), MANY_ID: (1, 1)})
        said = told(serve)[OTHER]
        same((said["title"], said["level"]), ("In the past: Marker", "high"))
        holds(serve.ask("alerts"), f"rule={OTHER}  matches=200  first={said['first']}")
        received = [a["received"] for a in lines(serve, "-r", folder / "rules" / "added-0.yml")]
        same((said["first"], said["last"]), (received[0], received[-1]))
        listed = [json.loads(line) for line in serve.ask("rules", "list", "-f", "json").splitlines()]
        same({r["id"]: (r["retro"]["matches"], r["retro"]["done"]) for r in listed if r["retro"]},
             {OTHER: (200, True), THIRD: (0, True), MANY_ID: (1, True),
              "11111111-2222-4333-8444-555555555555": (0, True)})
        shown = json.loads(serve.ask("rules", "show", OTHER, "-f", "json"))["retro"]
        same((shown["alerts"], shown["first"], shown["last"]), (200, received[0], received[-1]))
        holds(serve.ask("rules", "show", OTHER), f": 200 alerts from 200 matches, the first {received[0]}, "
                                                 f"the last {received[-1]}")
        holds(serve.ask("rules", "show", THIRD), "# in the past since ")
        holds(serve.ask("rules", "list"), "1 alert from 1 match")
        # The same rules once more: nothing is looked at, or told again.
        add(serve)
        serve.wait(lambda: retro(serve)["state"] == "idle" and retro(serve)["rules"] == 0, "rest")
        same(len(told(serve)), 2)
        same([line[1] for line in book(serve)["rule"]].count("2"), 4)
        # It means something else now.
        add(serve, other("VAKAMARK"))
        serve.wait(lambda: len([a for a in serve.alerts() if a["rule"]["id"] == "vaka.retro"]) == 3,
                   "what the changed rule would have found")
        last = {m["field"]: m["value"] for m in serve.alerts()[-1]["matched"]}
        same((last["rule"], last["matches"]), (OTHER, "100"))


@test
def a_list_of_indicators_is_looked_for_in_the_past(folder):
    with Serve(VAKA, folder).start() as serve:
        idle(serve)
        body = "".join(json.dumps({"source": {"ip": f"198.51.100.{i}"}}) + "\n" for i in range(1, 11))
        same(serve.post("/api/ingest", body.encode())[0], 200)
        serve.matched(10)
        feed = serve.folder / "feed.txt"
        for values, (matches, lists) in (("198.51.100.3\n198.51.100.77\n", (1, 1)),
                                         ("198.51.100.3\n198.51.100.4\n", (2, 2))):
            feed.write_text(values, encoding="utf-8")
            serve.ask("indicators", "import", "feed.txt")
            serve.wait(lambda n=lists: len(found_in_lists(serve)) == n, "what the list has found")
            same(found_in_lists(serve)[-1], matches)
        # Read again, the same list is nothing new.
        serve.ask("reload")
        serve.wait(lambda: retro(serve)["state"] == "idle" and retro(serve)["rules"] == 0, "rest")
        same(len(found_in_lists(serve)), 2)


@test
def rules_that_were_there_first_are_looked_at_where_something_is_stored(folder):
    with Serve(VAKA, folder).start() as serve:
        idle(serve)
        same([line[1] for line in book(serve)["rule"]], ["0"])
        fill(serve, 3)
        serve.stop()
        (folder / "var/retro/book").unlink()
        serve.start()
        serve.wait(lambda: told(serve), "what was found")
        same(counts(serve), {MARKER: (15, 15)})
        idle(serve)
        serve.ask("backup", "copy")
        same((folder / "copy/retro/book").read_bytes(), (folder / "var/retro/book").read_bytes())
        serve.stop()
        serve.start()
        idle(serve)
        same(counts(serve), {MARKER: (15, 15)})


SLOW = "retro:\n  share: 1\ntriage:\n  alike: 0s\n"


@test
def a_pass_goes_on_where_it_was_killed(folder):
    with Serve(VAKA, folder, SLOW).start() as serve:
        idle(serve)
        n = 0
        for part in range(30):
            send(serve, "FAILMARK", range(1), "anna")
            send(serve, "OTHERMARK", range(part * 10, part * 10 + 10))
            send_filling(serve, 400, 1000)
            n += 411
            serve.stored(n)
        serve.matched(n)
        add(serve, other(), MANY)
        places = [0]
        for _ in range(3):
            serve.wait(lambda: place(serve) > places[-1], "some of the pass")
            serve.kill("retro")
            places.append(place(serve))
        same(places, sorted(set(places)))
        change(serve, "share: 1", "share: 100")
        serve.wait(lambda: {OTHER, MANY_ID} <= set(told(serve)), "what was found")
        same(counts(serve), {OTHER: (300, 300), MANY_ID: (1, 1)})
        same("pass" in book(serve), False)
        # A kill of everything is no end either.
        change(serve, "share: 100", "share: 1")
        add(serve, other(), MANY, other("OTHERMARK", "8b2a6a4e"))
        serve.wait(lambda: place(serve) > n // 6, "some of another pass")
        serve.kill_all()
        serve.config.write_text(serve.config.read_text().replace("share: 1", "share: 100"))
        serve.start()
        serve.wait(lambda: THIRD in told(serve), "what was found")
        same(counts(serve), {OTHER: (300, 300), THIRD: (300, 300), MANY_ID: (1, 1)})
        # Without correlations only the last block is read twice.
        same(retro(serve)["blocks_passed"] > 0, True)


@test
def it_waits_while_matching_is_behind(folder):
    with Serve(VAKA, folder, SLOW).start() as serve:
        idle(serve)
        n = 0
        for part in range(20):
            send(serve, "OTHERMARK", range(part * 10, part * 10 + 10))
            send_filling(serve, 400, 1000)
            n += 410
            serve.stored(n)
        serve.matched(n)
        add(serve, other())
        serve.wait(lambda: retro(serve)["state"] == "running", "a pass")
        same((retro(serve)["share_percent"], retro(serve)["days"]), (1, 30))
        engines = serve.engines()
        for pid in engines:
            os.kill(pid, signal.SIGSTOP)
        send(serve, "VAKAMARK", range(1))
        serve.wait(lambda: retro(serve)["state"] == "waiting", "a pause")
        same({retro(serve)["state"] for _ in range(20)}, {"waiting"})
        holds(serve.ask("status"), "it waits, for matching is behind")
        for pid in engines:
            os.kill(pid, signal.SIGCONT)
        serve.wait(lambda: retro(serve)["state"] == "running", "it goes on")
        same(retro(serve)["waits"] > 0, True)
        change(serve, "share: 1", "share: 100")
        serve.wait(lambda: OTHER in told(serve), "what was found")
        same(counts(serve), {OTHER: (200, 200)})


@test
def a_book_that_is_damaged_is_set_aside_and_begun_anew(folder):
    with Serve(VAKA, folder).start() as serve:
        idle(serve)
        fill(serve, 3)
        path = folder / "var/retro/book"
        whole = path.read_bytes()
        for number, text in enumerate((whole[:-5], b"", os.urandom(5000), whole.replace(b"1", b"2"),
                                       b"vaka retro 1\nrule x\nend 00000000\n")):
            serve.stop()
            path.write_bytes(text)
            serve.start()
            idle(serve)
            same((folder / "var/retro/book.damaged").read_bytes(), text)
            alarms = [a for a in serve.alerts() if a["rule"]["id"] == "vaka.retro-book-damaged"]
            same(sum(a["count"] for a in alarms), number + 1)
            holds(json.dumps(alarms), "book.damaged, and every rule is looked at again")
            same([line[1] for line in book(serve)["rule"]], ["2"])
        serve.ask("rules", "list")


@test
def what_keeps_it_from_going_on_is_told(folder):
    with Serve(VAKA, folder) as serve:
        (folder / "var/retro/book").mkdir(parents=True)
        serve.start()
        serve.wait(lambda: retro(serve)["state"] == "failed", "a failure")
        serve.wait(lambda: "vaka.retro-failed" in {a["rule"]["id"] for a in serve.alerts()}, "its alert")
        holds(serve.ask("status"), "FAILED, it begins anew within a minute")
        send(serve, "VAKAMARK", range(1))
        serve.wait(lambda: serve.found(), "what else there is to do")
        (folder / "var/retro/book").rmdir()
        add(serve, other())
        idle(serve)


@test
def it_can_be_switched_off(folder):
    with Serve(VAKA, folder, "retro:\n  days: 0\n").start() as serve:
        same(retro(serve)["state"], "off")
        fill(serve, 1)
        add(serve, other())
        same(retro(serve)["state"], "off")
        same((told(serve), (folder / "var/retro").exists()), ({}, False))
        change(serve, "days: 0", "days: 7")
        serve.wait(lambda: OTHER in told(serve), "what was found")
        same(retro(serve)["days"], 7)


# ---- the manual ------------------------------------------------------------------------------

def without_times(text):
    """When something was received is another time each time."""
    return re.sub(r"(since|first|last) \d{4}-\d\d-\d\dT[\d:.]+Z", r"\1 TIME", text)


@test
def the_examples_of_the_manual_are_right(folder):
    text = (pathlib.Path(__file__).resolve().parents[2] / "docs/retro-hunt.md").read_text("utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    parts = {kind: block for kind, block in blocks if kind}
    commands = [part for kind, block in blocks if not kind
                for part in re.findall(r"^\$ (.*)\n((?:[^$].*\n|\n)*)", block, re.M)]
    same([command.split()[1] for command, _ in commands], ["hunt", "reload", "rules"])
    with Serve(VAKA, folder).start() as serve:
        idle(serve)
        same(serve.post("/api/ingest", parts["ndjson"].encode())[0], 200)
        serve.matched(3)
        rule(folder / "rules", parts["yaml"], "shadow.yml")
        for command, want in commands:
            got = serve.ask(*shlex.split(command)[1:]).replace(f"{folder}/", "")
            same(without_times(got), without_times(want))
            if command == "vaka reload":
                serve.wait(lambda: told(serve), "what was found")


sys.exit(run_tests(sys.argv[2:], together=2))
