#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""A recorded attack through a running watch, as an exercise, to a page: drill.py VAKA [TEST...].
Prints TAP."""
import json
import pathlib
import re
import subprocess
import sys

import common
import gateway
from peers import make_certificates
from serving import Fail, Serve, holds, run_tests, same, test

HERE = pathlib.Path(__file__).resolve().parent
VAKA = str(pathlib.Path(sys.argv[1]).resolve())
PLAN = """zone: Europe/Stockholm
people:
  - {id: anna, name: Anna, contacts: [{channel: sms, address: '+46700000001'}]}
policies:
  - {id: night, steps: [{targets: [{person: anna}], wait: 5m}]}
rules:
  - {page: night}
"""


def drill(serve, *words, status=0):
    result = subprocess.run([VAKA, "drill", *words, "-c", serve.config], cwd=serve.folder, check=False,
                            capture_output=True, timeout=120)
    if result.returncode != status:
        raise Fail(f"{words}: {result.returncode} {result.stderr.decode()}")
    return result.stdout.decode() if status == 0 else result.stderr.decode()


@test
def julnatt_pages_within_two_minutes_and_is_told_as_one_story(folder):
    folder = folder.resolve()
    make_certificates(folder)
    (folder / "watch").mkdir()
    with gateway.Gateway(folder) as g:
        line = g.provider("46elks", "elks", folder)
        more = (f"notify:\n  trust: {folder}/ca.pem\n  providers:\n    - {json.dumps(line)}\n"
                f"drill:\n  folder: {common.ROOT}/samples\n")
        with Serve(VAKA, folder / "watch", more, rules=json.dumps(str(common.RULES))) as serve:
            serve.start()
            (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
            serve.ask("oncall", "plan", str(folder / "plan.yaml"))
            holds(drill(serve, "list"), '"julnatt"')
            holds(drill(serve, "run", "nothing", status=1), "no recording of that name")
            drill(serve, "run", "julnatt", "--speed", "2000", "--wait")
            serve.wait(lambda: g.sms, "a page")
            serve.wait(lambda: json.loads(drill(serve, "show", "-f", "json"))["paged"], "paged")
            # What is found over time comes a moment behind the last record.
            serve.wait(lambda: first(serve)["records"] >= 23, "the story")
            told = json.loads(drill(serve, "show", "-f", "json"))
            same((told["scenario"], told["sent"], told["records"], told["left_out"], told["why"]),
                 ("julnatt", 975, 975, 0, ""))
            same(told["attack_begins"], "2026-12-23T21:47:00.000Z")
            assert 0 <= told["detected"]["after_s"] <= told["paged"]["after_s"] <= 120, told
            # From the tunnel to the ransom notes and the virtual machines, each phase of it; accounts with
            # several addresses come of the pace.
            story = told["incidents"][0]
            same((story["level"], story["alerts"], story["records"]), ("critical", 14, 23))
            same(rules_of(serve, story["id"]), phases("julnatt"))
            same({i["exercise"] for i in told["incidents"]}, {True})
            same({i["level"] for i in told["incidents"][1:]} - {"medium"}, set())
            holds(story["plain"]["sv"], "Med stor sannolikhet ett angrepp")
            holds(g.sms[0]["message"].lower(), "övning")
            same((told["acknowledged"], told["contained"]), (None, None))
            serve.ask("incident", "ack", str(story["id"]))
            told = json.loads(drill(serve, "show", "-f", "json"))
            assert told["acknowledged"]["after_s"] >= told["paged"]["after_s"], told
            holds(drill(serve, "show"), "acknowledged")
            # What happens beside it is no part of it, and no exercise.
            lines = (common.ROOT / "samples/julnatt/fw-radhuset.ndjson").read_bytes().splitlines(True)
            same(serve.post("/api/ingest", lines[31])[0], 200)
            serve.wait(lambda: any(not i["exercise"] for i in incidents(serve)), "an incident")
            same(first(serve)["records"], 23)
            assert serve.status()["triage"]["sources_watched"] <= 1


def phases(name):
    """The titles of all rules that have to say something of a recording."""
    with open(HERE / "scenarios" / f"{name}.tsv", encoding="utf-8") as table:
        files = {line.split("\t")[3] for line in table if not line.startswith("#")}
    found = set()
    for file in files:
        documents = (common.RULES / f"{file}.yml").read_text(encoding="utf-8").split("\n---\n")
        found.update(re.search(r"^title: (.*)$", text, re.MULTILINE)[1] for text in documents)
    return found


def rules_of(serve, incident):
    told = json.loads(serve.ask("incident", "show", str(incident), "-f", "json"))
    return {rule["title"] for rule in told["rules"]}


def first(serve):
    return json.loads(drill(serve, "show", "-f", "json"))["incidents"][0]


def incidents(serve):
    return [json.loads(line) for line in
            serve.ask("incident", "list", "--all", "-f", "json").splitlines()]


@test
def a_drill_is_planned_stopped_and_repeated(folder):
    scenario = folder / "drills" / "tiny"
    scenario.mkdir(parents=True)
    (scenario / "a.log").write_text("".join(
        f"<13>2026-12-23T21:{minute:02}:00Z host app: line {minute}\n" for minute in range(60)),
        encoding="utf-8")
    (folder / "watch").mkdir()
    with Serve(VAKA, folder / "watch", f"drill:\n  folder: {folder.resolve()}/drills\n  every: 2s\n"
               "  scenario: tiny\n  speed: 100000\n") as serve:
        serve.start()
        serve.wait(lambda: len(runs(serve)) >= 2, "two drills by themselves")
        same(runs(serve)[0]["records"], 60)
        serve.wait(lambda: runs(serve)[0]["sent"] == 60, "all of it")
        serve.kill("canary")
        serve.wait(lambda: len(runs(serve)) >= 3, "another one behind an end")
    (folder / "other").mkdir()
    with Serve(VAKA, folder / "other", f"drill:\n  folder: {folder.resolve()}/drills\n") as serve:
        serve.start()
        drill(serve, "run", "tiny", "--at", "2099-01-01T00:00:00Z")
        holds(drill(serve, "run", "tiny", "--at", "2001-01-01T00:00:00Z", status=1), "")
        drill(serve, "run", "tiny", "--speed", "1")
        holds(drill(serve, "run", "tiny", status=1), "runs already")
        serve.wait(lambda: runs(serve)[0]["sent"] == 1, "the first line")
        drill(serve, "stop")
        same(runs(serve)[0]["why"], "it was stopped")


def runs(serve):
    return serve.status()["canary"]["drills"]["runs"]


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:], 2))
