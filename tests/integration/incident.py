#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Incidents as who works on them sees them: incident.py VAKA [TEST...]. Prints TAP."""
import hashlib
import json
import pathlib
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from serving import APART, Serve, holds, run_tests, same, test  # noqa: E402

VAKA = str(pathlib.Path(sys.argv[1]).resolve())


def send(serve, *users):
    """A record each, one after the other: no two are alike."""
    before = len(serve.found())
    for number, user in enumerate(users, before + 1):
        body = json.dumps({"User": user, "message": "a VAKAMARK"}).encode() + b"\n"
        same(serve.post("/api/ingest", body)[0], 200)
        serve.wait(lambda n=number: len(serve.found()) >= n, "its alert")


def kill_triage(serve):
    """Until the next one answers."""
    serve.kill("triage")
    serve.wait(lambda: serve.alerts() is not None, "triage again")


def incidents(serve, *words):
    return [json.loads(line) for line in
            serve.ask("incident", "list", "-f", "json", *words).splitlines()]


def show(serve, number, *words):
    return json.loads(serve.ask("incident", "show", str(number), "-f", "json", *map(str, words)))


def act(serve, *words, status=0):
    return serve.ask("incident", *map(str, words), status=status)


def refused(serve, *words):
    done = subprocess.run([VAKA, "incident", *map(str, words), "-l", "en", "-c", serve.config],
                          capture_output=True, check=False, timeout=60)
    same(done.returncode, 1)
    return done.stderr.decode()


@test
def an_incident_is_worked_on_from_alert_to_end(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        send(serve, "anna", "anna", "bo")
        found = incidents(serve)
        same([(i["id"], i["alerts"], i["state"]) for i in found], [(2, 1, "new"), (1, 2, "new")])
        holds(found[1]["plain"]["sv"], "användaren anna")
        holds(found[1]["plain"]["en"], "user anna")
        act(serve, "ack", 1)
        holds(refused(serve, "note", 1, "called her"), "säkerhetsskydd")
        act(serve, "note", 1, "called her", "--protected", "no")
        act(serve, "task", 1, "reset the password", "--owner", "bo")
        act(serve, "task", 1, "--done", 1)
        holds(refused(serve, "close", 1, "--as", "benign"), "missing")
        act(serve, "close", 1, "--as", "benign", "--why", "a test of ours")
        one = show(serve, 1)
        same([one["state"], one["disposition"], one["why"]], ["closed", "benign", "a test of ours"])
        same([t["done"] is not None for t in one["tasks"]], [True])
        same([i["id"] for i in incidents(serve)], [2])
        log = show(serve, 1, "--log")
        same([c["kind"] for c in log], ["begin", "ack", "note", "task", "task_done", "close"])
        same([c["actor"].endswith(")") for c in log], [False] + [True] * 5)
        # What is closed swallows nothing.
        send(serve, "anna")
        same([(i["id"], i["follows"]) for i in incidents(serve)], [(3, 1), (2, None)])
        holds(serve.ask("incident", "show", "3"), "follows #1")
        holds(serve.ask("incident", "show", "3", "--similar"), "in common: anna")
        same(json.loads(serve.ask("audit", "-f", "json").splitlines()[-1])["what"], "incident show")


@test
def what_belongs_together_is_said_and_taken_back(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        send(serve, "anna", "bo", "cia", "anna")
        act(serve, "merge", 1, 2, "--protected", "no", "--why", "one attack")
        same([(i["id"], i["alerts"]) for i in incidents(serve)], [(3, 1), (1, 3)])
        number = show(serve, 1, "--log")[-1]["number"]
        act(serve, "undo", 1, number)
        same([(i["id"], i["alerts"]) for i in incidents(serve)], [(3, 1), (2, 1), (1, 2)])
        moved = [row["id"] for row in show(serve, 1, "--alerts", 10)][-1:]
        made = json.loads(act(serve, "split", 1, *moved, "-f", "json"))
        same((made["id"], made["alerts"]), (4, 1))
        same(show(serve, 1)["alerts"], 1)


@test
def clocks_of_the_law_are_shown(folder):
    clocks = folder / "clocks.tsv"
    clocks.write_text("snart\tincident\t1h\tSnart\tSoon\ten lag\n", encoding="utf-8")
    with Serve(VAKA, folder, APART).start() as serve:
        send(serve, "anna")
        act(serve, "aware", 1)
        act(serve, "significant", 1, "--value", "yes", "--why", "8 h", "--protected", "no")
        same([c["clock"] for c in show(serve, 1)["clocks"]], ["upplysning", "incidentanmalan"])
        act(serve, "report", 1, "incidentanmalan", "--reference", "C-17")
        same([c["clock"] for c in show(serve, 1)["clocks"]],
             ["upplysning", "incidentanmalan", "slutrapport"])
        own = show(serve, 1, "--set", f"incident.clocks={clocks}")["clocks"]
        same([(c["clock"], c["law"]) for c in own], [("snart", "en lag")])
        clocks.write_text("# mine\nsnart incident\n", encoding="utf-8")
        done = subprocess.run([VAKA, "incident", "show", "1", "-c", serve.config, "--set",
                               f"incident.clocks={clocks}"], capture_output=True, check=False)
        same(done.returncode, 2)
        holds(done.stderr.decode(), "clocks.tsv:2:")


@test
def who_follows_sees_what_changes(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        send(serve, "anna")
        with subprocess.Popen([VAKA, "incident", "list", "--follow", "-f", "json", "-c", serve.config],
                              stdout=subprocess.PIPE) as follower:
            same(json.loads(follower.stdout.readline())["id"], 1)
            send(serve, "bo")
            same(json.loads(follower.stdout.readline())["id"], 2)
            act(serve, "assign", 1, "eva")
            same(json.loads(follower.stdout.readline())["assignee"], "eva")
            follower.terminate()


@test
def what_was_said_is_there_after_a_kill(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        send(serve, "anna", "bo")
        for number in range(5):
            act(serve, "note", 1, f"note {number}", "--protected", "no")
            kill_triage(serve)
        send(serve, "anna")
        log = show(serve, 1, "--log")
        same([c["body"]["text"] for c in log if c["kind"] == "note"], [f"note {n}" for n in range(5)])
        # The other one is about Vaka itself, whose process ended.
        same([(i["id"], i["alerts"]) for i in incidents(serve) if i["id"] < 3], [(2, 1), (1, 2)])


@test
def assets_are_imported_and_count(folder):
    table = folder / "assets.csv"
    table.write_text("host;address;service;owner;importance\n"
                     "lon01.bjorkvik.example;10.0.0.7;lön;Anna Berg;critical\n", encoding="utf-8")
    with Serve(VAKA, folder, APART).start() as serve:
        send(serve, "lon01")
        before = show(serve, 1)["score"]
        holds(serve.ask("asset", "import", str(table)), "1 assets")
        one = show(serve, 1)
        same(one["score"], before + 10)
        same([(a["service"], a["owner"]) for a in one["impact"]], [("lön", "Anna Berg")])
        holds(serve.ask("incident", "show", "1"), "lön on lon01.bjorkvik.example, critical, Anna Berg")
        same(json.loads(serve.ask("asset", "show", "10.0.0.7", "-f", "json"))["incidents"], 1)
        serve.ask("asset", "show", "10.0.0.8", status=1)
        table.write_text("host,importance\na,low\nb,very\n", encoding="utf-8")
        done = subprocess.run([VAKA, "asset", "import", table, "-c", serve.config], capture_output=True,
                              check=False)
        same(done.returncode, 1)
        holds(done.stderr.decode(), "assets.csv:3:1: nothing was changed: importance is none of")
        same(len(serve.ask("asset", "list").splitlines()), 1)


@test
def alerts_are_kept_out_for_a_while(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        rule = "6b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11"
        serve.ask("suppression", "add", "--rule", rule, "--for", "7d", status=1)
        serve.ask("suppression", "add", "--rule", rule, "--why", "x", status=2)
        holds(serve.ask("suppression", "add", "--rule", rule, "--name", "anna", "--for", "7d", "--why", "a test"),
              "suppression 1")
        send(serve, "anna", "bo")
        same([i["plain"]["en"].split(": ")[1].split(".")[0] for i in incidents(serve)], ["user bo"])
        same([json.loads(line)["alerts"] for line in serve.ask("suppression", "list", "-f", "json").splitlines()], [1])
        serve.ask("suppression", "end", "1")
        send(serve, "anna")
        same(len(incidents(serve)), 2)


@test
def evidence_names_records_and_the_file(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        send(serve, "anna")
        taken = folder / "evidence"
        taken.write_bytes(b"abc")
        act(serve, "evidence", 1, 0, 0, "her logon", "--file", taken, "--protected", "no")
        same([(e["first"], e["last"], e["sha256"]) for e in show(serve, 1)["evidence"]],
             [(0, 0, hashlib.sha256(b"abc").hexdigest())])


@test
def no_alert_is_without_its_incident(folder):
    """Whatever is alike, closed, joined and killed in between."""
    with Serve(VAKA, folder).start() as serve:
        for turn in range(4):
            body = b"".join(json.dumps({"User": f"u{n % 7}", "message": "a VAKAMARK"}).encode() + b"\n"
                            for n in range(200))
            same(serve.post("/api/ingest", body)[0], 200)
            serve.matched(200 * (turn + 1))
            kill_triage(serve)
        same(serve.stop(), 0)
        with sqlite3.connect(serve.folder / "var/state/vaka.db") as db:
            same(db.execute("SELECT count(*) FROM alert WHERE incident IS NULL").fetchone(), (0,))
            same(db.execute("SELECT sum(records), sum(alerts) FROM incident").fetchone(),
                 db.execute("SELECT sum(count), count(*) FROM alert").fetchone())


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:]))
