#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Who is on call: plans of files, holidays and calendars beside other programs', and a plan that a
running vaka serve keeps: roster.py VAKA SOURCE_ROOT. Prints TAP."""
import collections
import datetime
import json
import os
import pathlib
import subprocess
import sys
import zoneinfo

from api_client import Office
from paging import ANNA, BO, CIA, Watch
from serving import Fail, Skip, holds, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
ROOT = pathlib.Path(sys.argv[2])
EXAMPLE = ROOT / "packaging" / "oncall.yml"
# Debian's own, which has Debian's packages.
DEBIAN = "/usr/bin/python3"


def vaka(*args):
    variables = {**os.environ, "VAKA_CONFIG": "/dev/null"}
    done = subprocess.run([VAKA, *args], capture_output=True, timeout=60, env=variables, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def other(module, script, text=""):
    """What Debian's Python prints as JSON with one of its packages."""
    if subprocess.run([DEBIAN, "-c", f"import {module}"], capture_output=True, check=False).returncode:
        raise Skip(f"python3-{module} is not installed")
    done = subprocess.run([DEBIAN, "-c", script], input=text.encode(), capture_output=True, timeout=60,
                          check=True)
    return json.loads(done.stdout)


@test
def holidays_are_those_of_another_program(_):
    """2024 to 2035: public holidays, and the eves that it has among them."""
    theirs = other("holidays", """
import holidays, json
found = holidays.Sweden(years=range(2024, 2036), include_sundays=False)
print(json.dumps({str(day): name for day, name in found.items()}))""")
    ours = {}
    for year in range(2024, 2036):
        status, out, _ = vaka("oncall", "holidays", "--year", str(year), "--json")
        same(status, 0)
        ours.update({d["day"]: d["kind"] for d in json.loads(out) if d["kind"] in ("red", "eve")})
    same(sorted(ours), sorted(theirs))
    same(len(ours), 12 * 16)


@test
def shifts_are_a_calendar_that_another_program_reads(folder):
    plan = folder / "plan.yml"
    text = EXAMPLE.read_text(encoding="utf-8")
    # A name that has to be escaped and folded.
    plan.write_text(text.replace("name: Säkerhet", 'name: "Säkerhet; drift, IT\\\\ ' + "åäö" * 6 + '"'),
                    encoding="utf-8")
    said = ("--plan", str(plan), "--from", "2026-01-05", "--until", "2026-12-31")
    status, out, _ = vaka("oncall", "ics", *said)
    same(status, 0)
    read = other("icalendar", """
import icalendar, json, sys
calendar = icalendar.Calendar.from_ical(sys.stdin.buffer.read())
print(json.dumps([[str(e["summary"]), str(e["uid"]), e.decoded("dtstart").isoformat(),
                   e.decoded("dtend").isoformat()] for e in calendar.walk("VEVENT")]))""", out)
    shifts = json.loads(vaka("oncall", "show", *said, "--json")[1])["teams"][0]["shifts"]

    def time(text):
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).replace(microsecond=0)

    same([(time(begin), time(end)) for _, _, begin, end in read],
         [(time(s["from"]), time(s["until"])) for s in shifts])
    same([summary.rsplit(": ", 1)[1] for summary, *_ in read], [s["shown"] for s in shifts])
    holds(read[0][0], "Säkerhet; drift, IT\\ " + "åäö" * 6)
    same(len({uid for _, uid, *_ in read}), len(shifts))
    if max(len(line) for line in out.encode().split(b"\r\n")) > 75:
        raise Fail("a line is longer than 75 bytes")


@test
def a_plan_is_looked_at_before_it_is_in_force(folder):
    same(vaka("oncall", "check", "--plan", str(EXAMPLE), "--from", "2026-01-02 16:30",
              "--until", "2026-12-31"), (0, "", ""))
    status, out, _ = vaka("oncall", "who", "--plan", str(EXAMPLE), "--at", "2026-12-24 03:00")
    same((status, out.split()[:3]), (0, ["Säkerhet", "Anna", "Andersson"]))
    text = EXAMPLE.read_text(encoding="utf-8")
    plan = folder / "plan.yml"
    plan.write_text(text.replace("weekly_standby: true", "weekly_standby: false"), encoding="utf-8")
    status, out, _ = vaka("oncall", "check", "--plan", str(plan), "--from", "2026-01-12",
                          "--until", "2026-01-31", "-l", "en")
    same(status, 1)
    holds(out, "weekly rest")
    holds(out, "ATL 14 §")
    plan.write_text(text.replace("handoff: friday", "handoff: frday"), encoding="utf-8")
    status, _, err = vaka("oncall", "check", "--plan", str(plan))
    line = 1 + text[:text.index("handoff: friday")].count("\n")
    same(status, 1)
    holds(err, f"{plan}:{line}:")


LACKING = """zone: Europe/Stockholm
people:
  - {id: anna, contacts: [{channel: sms, address: '+46700000001'}]}
  - {id: bo}
  - {id: cia, contacts: [{channel: sms, address: '+46700000003', hours: office},
                         {channel: mail, address: cia@example.se, hours: office}]}
teams:
  - {id: soc, cover: always, rotations: [{order: [anna, bo, cia], since: 2026-01-05, handoff: '08:00',
                                          hours: ['mon-fri 00:00-24:00']}]}
policies:
  - {id: p, steps: [{targets: [{oncall: soc}], wait: 5m}]}
rules:
  - {page: p}
  - {level: high, page: p}
"""


@test
def what_a_plan_lacks_is_named(folder):
    plan = folder / "plan.yml"
    plan.write_text(LACKING, encoding="utf-8")
    said = ("--plan", str(plan), "--from", "2026-01-05 08:00", "--until", "2026-01-14", "-l", "en")
    status, out, _ = vaka("oncall", "check", *said)
    same(status, 1)
    for part in ("3: warning: anna: can be reached in one way only", "4: bo: has no contact",
                 "5: cia: cannot be reached outside of office hours", "p: has neither a second step nor a fallback",
                 "never applies: a rule before it always does",
                 "soc: nobody is on call, Sat 2026-01-10 00:00 – Mon 2026-01-12 00:00"):
        holds(out, part)
    status, out, _ = vaka("oncall", "gaps", *said, "--json")
    same((status, [(gap["team"], gap["from"][:19], gap["until"][:19]) for gap in json.loads(out)]),
         (1, [("soc", "2026-01-09T23:00:00", "2026-01-11T23:00:00")]))
    for words in ((), ("--json",)):
        same([vaka("oncall", "who", *said[:2], "--at", at, *words)[0] for at in ("2026-01-09", "2026-01-10")], [0, 1])


def count_shares(shifts, year):
    """Minutes of each person by what kind of time they are: counted one half hour after the other, by the
    hours and days of taxonomy/duty.tsv."""
    holidays = json.loads(vaka("oncall", "holidays", "--year", str(year), "--json")[1])
    red = {day["day"] for day in holidays if day["kind"] in ("red", "eve")}
    zone, half = zoneinfo.ZoneInfo("Europe/Stockholm"), datetime.timedelta(minutes=30)
    shares = {}
    for shift in shifts:
        at = datetime.datetime.fromisoformat(shift["from"].replace("Z", "+00:00"))
        until = datetime.datetime.fromisoformat(shift["until"].replace("Z", "+00:00"))
        share = shares.setdefault(shift["person"], collections.Counter())
        for _ in range(round((until - at) / half)):
            local = at.astimezone(zone)
            share.update(kind for kind, holds_then in (
                ("total", True), ("nights", local.hour >= 22 or local.hour < 6),
                ("weekends", local.weekday() >= 5), ("red", str(local.date()) in red)) if holds_then)
            at += half
    return {person: {kind: 30 * n for kind, n in share.items()} for person, share in shares.items()}


@test
def a_year_is_shared_as_another_count_has_it(_):
    """Five people and 2026, with its holidays and both nights in which the clock changes."""
    said = ("--plan", str(EXAMPLE), "--from", "2026-01-02 16:30", "--until", "2026-12-31", "--json")
    shifts = json.loads(vaka("oncall", "show", *said)[1])["teams"][0]["shifts"]
    status, out, _ = vaka("oncall", "fairness", *said)
    same(status, 0)
    ours = {p["person"]: p for p in json.loads(out)["people"]}
    theirs = count_shares([s for s in shifts if s["person"]], 2026)
    same((sorted(ours), len(theirs)), (sorted(theirs), 5))
    for person, share in theirs.items():
        for kind, minutes in share.items():
            if abs(ours[person][kind] - minutes) > 1:  # the year ends a nanosecond before midnight
                raise Fail(f"{person} {kind}: {ours[person][kind]}, not {minutes}")
    same(vaka("oncall", "check", "--plan", str(EXAMPLE), *said[2:-1]), (0, "", ""))


@test
def the_plan_of_the_manual_is_read(folder):
    manual = (ROOT / "docs" / "oncall.md").read_text(encoding="utf-8")
    block = manual[manual.index("    zone:"):manual.index("\n\n| key")]
    text = "\n".join(line[4:] for line in block.split("\n"))
    plan = folder / "plan.yml"
    plan.write_text(text.replace("teams:\n", "  - {id: bo}\n  - {id: chef}\nteams:\n", 1), encoding="utf-8")
    status, out, err = vaka("oncall", "who", "--plan", str(plan), "--at", "2026-02-02", "--json")
    same((status, err), (0, ""))
    same(json.loads(out)["teams"][0]["person"], "anna")


@test
def who_has_a_shift_less_or_more_is_told(folder):
    with Watch(VAKA, folder) as w:
        w.serve.ask("oncall", "override", "--team", "soc", "--person", "cia", "--from", "2030-01-07 08:00",
                    "--until", "2030-01-08 08:00", "--force", "--why", "a test")
        same(w.sms(ANNA)["message"].strip(),
             "Inte längre ditt: soc, mån 2030-01-07 08:00 – tis 2030-01-08 08:00")
        same(w.sms(CIA)["message"].strip(), "New: soc, Mon 2030-01-07 08:00 – Tue 2030-01-08 08:00")
        same(w.count(BO), 0)


def plan_text(**more):
    people = "".join(f"  - {{id: {p}, user: {p}, contacts: [{{channel: sms, address: '+4670000000{n}'}},"
                     f" {{channel: push, address: {p}}}]}}\n"
                     for n, p in enumerate(("anna", "bo", "cia")))
    return (f"zone: Europe/Stockholm\npeople:\n{people}teams:\n  - {{id: soc, rotations: [{{order: [anna, bo, cia],"
            f" since: 2020-01-06}}]}}\npolicies: [{{id: p, steps: [{{targets: [{{oncall: soc}}]}}],"
            f" fallback: [{{person: cia}}]}}]\nrest: {{weekly_standby: {more.get('standby', 'true')}}}\n")


def later(days):
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


@test
def a_plan_that_is_kept_is_changed_by_those_who_may(folder):
    with Office(VAKA, folder).start() as o:
        admin, anna, viewer = o.hire("chef", "admin"), o.hire("anna", "on-call"), o.hire("vera", "viewer")
        same(admin.get("/oncall/who", 404)["type"], "urn:vaka:problem:not-found")
        admin.json("PUT", "/oncall/plan", {"text": "people: []\n"}, 400, {})
        anna.json("PUT", "/oncall/plan", {"text": plan_text()}, 403, {})
        same(admin.json("PUT", "/oncall/plan", {"text": plan_text()}, 200, {})["breaches"], [])
        check_changes(o, admin, anna, viewer)
        check_command_line(o)
        check_breach(admin)


def check_changes(o, admin, anna, viewer):
    who = viewer.get("/oncall/who")["teams"][0]
    same((who["covered"], who["planned"]), (True, who["person"]))
    other_one = "bo" if who["person"] != "bo" else "cia"
    body = {"team": "soc", "person": other_one, "from": later(-0.01), "until": later(0.5)}
    viewer.post("/oncall/override", body, 403)
    anna.post("/oncall/override", {**body, "person": "nobody"}, 404)
    anna.post("/oncall/override", {**body, "until": later(-1)}, 400)
    done = anna.post("/oncall/override", body)
    same({(m["person"], m["gained"]) for m in done["moved"]}, {(who["person"], False), (other_one, True)})
    same(viewer.get("/oncall/who")["teams"][0]["person"], other_one)
    status, out, _ = vaka("oncall", "who", "-c", o.config, "--json")
    same((status, json.loads(out)["teams"][0]["change"]), (0, done["change"]))
    same([c["change"] for c in viewer.get("/oncall/changes")["changes"]], [done["change"]])
    anna.post("/oncall/drop", {"change": done["change"]})
    same(viewer.get("/oncall/who")["teams"][0]["person"], who["person"])
    me = anna.get("/oncall/me")
    same([c["channel"] for c in me["contacts"]], ["sms", "push"])
    admin.get("/oncall/me", 404)
    viewer.get("/oncall/plan", 403)
    same(admin.get("/oncall/plan")["text"], plan_text().strip())
    schedule = viewer.get("/oncall/schedule?from=2026-03-23&to=2026-04-12")
    same([s["person"] for s in schedule["teams"][0]["shifts"]],
         [s["person"] for s in schedule["teams"][0]["lanes"][0]["shifts"]])
    same([d["day"] for d in schedule["days"] if d["kind"] == "red"], ["2026-04-03", "2026-04-05", "2026-04-06"])
    viewer.get("/oncall/schedule?from=2026-03-23&to=2028-04-12", 400)
    viewer.get("/oncall/fairness")
    same(anna.post("/oncall/disturbance", {"from": later(-0.2), "until": later(-0.1)})["person"], "anna")
    same(len(viewer.get("/oncall/rest")["disturbances"]), 1)


def check_command_line(o):
    """The same from the command line; a breach is named with both answers."""
    status, out, err = vaka("oncall", "override", "-c", o.config, "--team", "soc", "--person", "cia",
                            "--from", "now", "--until", later(0.1))
    same((status, err), (0, ""))
    holds(out, "change #")
    number = out.split("#")[1].split()[0]
    same(vaka("oncall", "drop", number, "-c", o.config)[0], 0)
    status, _, err = vaka("oncall", "drop", number, "-c", o.config)
    same((status, err), (1, f"vaka: there is no change {number} in force\n"))
    plan = pathlib.Path(o.folder) / "plan.yml"
    plan.write_text(plan_text(standby="false"), encoding="utf-8")
    status, _, err = vaka("oncall", "plan", str(plan), "-c", o.config, "-l", "en")
    same(status, 1)
    holds(err, "ATL 14 §")
    same(vaka("oncall", "plan", "-c", o.config)[1], plan_text())


def check_breach(admin):
    """What breaks rules of rest is named, and saved with a reason only."""
    body = {"text": plan_text(standby="false")}
    problem = admin.json("PUT", "/oncall/plan", body, 409, {})
    holds(problem["detail"], "weekly rest")
    same({b["rule"] for b in problem["breaches"]}, {"weekly-rest"})
    swedish = admin.json("PUT", "/oncall/plan", body, 409, {"Accept_Language": "sv"})
    holds(swedish["detail"], "veckovila")
    same(admin.get("/oncall/check")["good"], True)
    admin.json("PUT", "/oncall/plan", {**body, "force": True}, 400, {})
    done = admin.json("PUT", "/oncall/plan", {**body, "force": True, "why": "avtal saknas ännu"}, 200, {})
    if not done["breaches"]:
        raise Fail("no breach is named")
    same(admin.get("/oncall/check")["good"], False)


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[3:]))
