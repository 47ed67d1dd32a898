#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""A recorded attack through a running watch, as an exercise, to a page: drill.py VAKA
[--faulty VAKA-FAULTY] [TEST...]. Prints TAP."""
import json
import pathlib
import re
import subprocess
import sys
import time

import common
import gateway
import schema
from api_client import Office
from peers import make_certificates
from serving import Fail, Faults, Serve, Skip, holds, run_tests, same, test

HERE = pathlib.Path(__file__).resolve().parent
VAKA = str(pathlib.Path(sys.argv[1]).resolve())
FAULTY = str(pathlib.Path(sys.argv[3]).resolve()) if sys.argv[2:3] == ["--faulty"] else None
DAY = 86400
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


@test
def julnatt_is_one_story_months_later(folder):
    """What is counted over time is told at the time of the counting, the rest at that of the recording."""
    if not FAULTY:
        raise Skip("no program with a clock that can be set")
    (folder / "watch").mkdir()
    more = f"drill:\n  folder: {common.ROOT}/samples\n"
    serve = Serve(FAULTY, folder / "watch", more, rules=json.dumps(str(common.RULES)))
    roles = (*Faults.ROLES, "canary", "oncall", "notify")
    faults = Faults(serve, *roles)
    # The 1st of March behind that Christmas.
    ahead = 1803859200 - int(time.time())
    for role in roles:
        faults.set(role, clock=max(ahead, 0))
    with serve.start():
        drill(serve, "run", "julnatt", "--speed", "2000", "--wait")
        serve.wait(lambda: first(serve)["records"] >= 23, "the story")
        story = first(serve)
        same((story["level"], story["alerts"], story["records"]), ("critical", 14, 23))
        same(rules_of(serve, story["id"]), phases("julnatt"))


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


def make_tiny(folder):
    """A recording of an hour, a line a minute."""
    scenario = folder / "drills" / "tiny"
    scenario.mkdir(parents=True)
    (scenario / "a.log").write_text("".join(
        f"<13>2026-12-23T21:{minute:02}:00Z host app: VAKAMARK line {minute}\n" for minute in range(60)),
        encoding="utf-8")


@test
def a_drill_is_planned_stopped_and_repeated(folder):
    (folder / "watch").mkdir()
    make_tiny(folder)
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
        # What is planned outlives the end of everything.
        drill(serve, "run", "tiny", "--at", "2099-01-01T00:00:00Z")
        serve.kill_all()
        serve.start()
        serve.shows(lambda s: s["canary"]["drills"]["planned"] == 4070908800 * 10**9, "the plan")


@test
def one_comes_every_week(folder):
    """By the clock that the canary's process is given, over starts; and one that was far ahead does not
    stop them for good."""
    if not FAULTY:
        raise Skip("no program with a clock that can be set")
    make_tiny(folder)
    (folder / "watch").mkdir()
    serve = Serve(FAULTY, folder / "watch", f"drill:\n  folder: {folder.resolve()}/drills\n  every: 7d\n"
                  "  scenario: tiny\n  speed: 100000\n")
    faults = Faults(serve, "canary")

    def is_sent(n):
        serve.wait(lambda: len(runs(serve)) >= n and runs(serve)[-1]["sent"] == 60, f"drill {n}")
        same(len(runs(serve)), n)
        same(runs(serve)[-1]["by"], "drill.every")

    def nothing_more(n):
        """Two looks of the canary at its clock behind this."""
        now = serve.status()["canary"]["now"]
        serve.shows(lambda s: s["canary"]["now"] > now + 2, "a moment")
        same(len(runs(serve)), n)
    with serve.start():
        nothing_more(0)
        # The first is waited for since the first start, whatever ends come between.
        faults.set("canary", clock=4 * DAY)
        nothing_more(0)
        serve.kill("canary")
        serve.shows(lambda s: s["canary"]["starts"] == 2, "another canary")
        faults.set("canary", clock=6 * DAY)
        nothing_more(0)
        for week in (1, 2, 3):
            faults.set("canary", clock=week * 7 * DAY + 60 * week)
            is_sent(week)
            nothing_more(week)
        same(serve.stop(), 0)
        serve.start()
        faults.set("canary", clock=27 * DAY)
        nothing_more(3)
        faults.set("canary", clock=29 * DAY)
        is_sent(4)
        # The clock was four weeks ahead, and comes right.
        faults.set("canary", clock=0)
        is_sent(5)
        nothing_more(5)


def stop(who, status=200):
    return who.json("POST", "/drills/stop", None, status, {})


@test
def one_is_begun_over_the_api(folder):
    folder = folder.resolve()
    make_tiny(folder)
    (folder / "watch").mkdir()
    with Office(VAKA, folder / "watch", f"drill:\n  folder: {folder}/drills\n") as o:
        o.start()
        rolf, anna = o.hire("rolf", "responder"), o.hire("anna", "analyst")
        body = {"scenario": "tiny", "speed": 100000}
        anna.post("/drills", body, 403)
        stop(anna, 403)
        rolf.get("/drills/last", 404)
        holds(rolf.post("/drills", {"scenario": "nothing"}, 400)["detail"], "no recording of that name")
        for wrong in ({}, {"scenario": "tiny", "speed": 0}, {"scenario": "tiny", "speed": 100001},
                      {"scenario": "tiny", "at": "2001-01-01T00:00:00Z"}, {"scenario": "tiny", "more": 1}):
            rolf.post("/drills", wrong, 400)
        o.wait(lambda: rolf.get("/drills")["drills"]["runs"] == [], "that web has heard of the canary")
        said = rolf.post("/drills", body, Idempotency_Key="k1")["drills"]
        same((said["scenarios"], [(r["scenario"], r["by"]) for r in said["runs"]]), (["tiny"], [("tiny", "rolf")]))
        o.wait(lambda: runs(o)[0]["ended"], "its end")
        # Asked again with the key it is not done again.
        same(rolf.post("/drills", body, Idempotency_Key="k1")["drills"], said)
        same(len(runs(o)), 1)
        o.wait(lambda: anna.get("/drills/last")["detected"], "what was found")
        told = anna.get("/drills/last")
        same((told["records"], told["sent"], told["by"], told["paged"]), (60, 60, "rolf", None))
        same(told, anna.get(f"/drills/{told['id']}"))
        same([(i["exercise"], i["level"]) for i in told["incidents"]], [(True, "high")])
        assert told["detected"]["after_s"] >= 0, told
        anna.get("/drills/1", 404)
        anna.get("/drills/x", 404)
        holds(o.log_text(), "event=drill-begun")
        holds(o.log_text(), "by=rolf")
        # One at a time; who stops it is heard at once.
        rolf.post("/drills", {"scenario": "tiny", "speed": 1})
        rolf.post("/drills", body, 409)
        stop(rolf)
        same(runs(o)[1]["why"], "it was stopped")
        said = rolf.post("/drills", dict(body, at="2099-01-01T00:00:00Z"))["drills"]
        same((said["planned"], said["planned_scenario"]), ("2099-01-01T00:00:00.000Z", "tiny"))
        o.wait(lambda: rolf.get("/drills")["drills"] == said, "the same, asked for")
        said = stop(rolf)["drills"]
        same((said["planned"], said["planned_scenario"]), (None, None))
        # Times are those of all of the API; what was not told by then is null.
        assert all(run["begun"] <= run["ended"] for run in said["runs"]), said
        same(schema.wrong(rolf.get("/openapi.json"), {"$ref": "#/components/schemas/Drills"}, {"drills": said}), None)


def runs(serve):
    return serve.status()["canary"]["drills"]["runs"]


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[4 if FAULTY else 2:], 2))
