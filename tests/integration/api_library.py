#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What people keep over the API: sets of rules, lists of indicators, searches, holds, and what the store
says of its records: api_library.py VAKA [TEST...]. Prints TAP."""
import base64
import contextlib
import io
import json
import pathlib
import subprocess
import sys
import uuid
import zipfile

from api_client import Office
from common import less
from serving import Fail, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
IDS = [str(uuid.UUID(int=n, version=4)) for n in range(20)]


def office(folder, **options):
    return Office(VAKA, folder, **options)


def rule(number, word, level="high"):
    return (f"title: Rule {number}\nid: {IDS[number]}\nstatus: test\nlevel: {level}\ndate: 2026-03-01\n"
            f"logsource:\n    category: application\ndetection:\n    s:\n        message|contains: {word}\n"
            "    condition: s\n")


def release(folder, name, texts):
    for path, text in texts.items():
        target = pathlib.Path(folder) / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return pathlib.Path(folder) / name


def take_in(o, source):
    done = subprocess.run([VAKA, "rules", "import", source, "-f", "json", "-c", o.config], cwd=o.folder, check=True,
                          capture_output=True)
    return json.loads(done.stdout)["version"]


def change(who, method, path, body=None, status=200):
    """What is done while processes begin anew is done again."""
    for _ in range(100):
        got, _, text = who.ask(method, path, body)
        if got != 503:
            break
    same((method, path, got, text[:300] if got != status else b""), (method, path, status, b""))
    return json.loads(text)


def lines(who, method, path, body=None, status=200):
    for _ in range(100):
        got, _, text = who.ask(method, path, body)
        if got != 503:
            break
    same((path, got, text[:300] if got != status else b""), (path, status, b""))
    return [json.loads(line) for line in text.splitlines()]


def reads(who, path):
    """None while who would answer begins anew."""
    status, _, text = who.ask("GET", path)
    return json.loads(text) if status == 200 else None


def in_force(o, who, number, there=True):
    o.wait(lambda: (who.ask("GET", f"/rules/{IDS[number]}")[0] == 200) == there, f"rule {number}: {there}")


@test
def sets_are_seen_compared_and_put_into_force(folder):
    with office(folder).start() as o:
        anna, vera = o.hire("anna", "analyst"), o.hire("vera", "viewer")
        same(anna.get("/rulesets"), {"sets": []})
        change(anna, "GET", "/rulesets/sigmahq/difference", status=404)
        first = take_in(o, release(folder, "one", {"rules/a.yml": rule(1, "aa"), "rules/b.yml": rule(2, "bb")}))
        second = take_in(o, release(folder, "two", {"rules/a.yml": rule(1, "other"), "rules/c.yml": rule(3, "cc"),
                                                    "rules/low.yml": rule(4, "dd", "low")}))
        found, = vera.get("/rulesets")["sets"]
        same([(v["version"], v["rules"], v["on"], v["current"]) for v in found["versions"]],
             [(first, 2, 2, False), (second, 3, 2, False)])
        told = change(vera, "GET", "/rulesets/sigmahq/difference")
        same((told["old_version"], told["new_version"], told["new"], told["removed"], told["logic"]),
             (first, second, 2, 1, 1))
        same({(c["change"], c["id"]) for c in told["changes"]},
             {("logic", IDS[1]), ("removed", IDS[2]), ("new", IDS[3]), ("new", IDS[4])})
        back = change(vera, "GET", f"/rulesets/sigmahq/difference?old={second}&new={first}")
        same((back["new"], back["removed"]), (1, 2))
        vera.post("/rulesets/sigmahq/use", {"version": first}, 403)
        same(change(anna, "POST", "/rulesets/sigmahq/use", {"version": first}),
             {"on": 2, "set": "sigmahq", "version": first, "before": "off"})
        in_force(o, anna, 2)
        change(anna, "POST", "/rulesets/sigmahq/use", {"version": "nothing"}, 404)
        change(anna, "POST", "/rulesets/..x/use", {"version": first}, 404)
        change(anna, "POST", "/rulesets/sigmahq/use", {"version": second})
        in_force(o, anna, 3)
        in_force(o, anna, 2, there=False)
        in_force(o, anna, 4, there=False)
        same([v["current"] for v in change(anna, "GET", "/rulesets")["sets"][0]["versions"]], [False, True])
        change(anna, "POST", "/rulesets/sigmahq/use", {})
        in_force(o, anna, 3, there=False)
        history = (pathlib.Path(folder) / "var/rules/history").read_text(encoding="utf-8")
        done = [json.loads(line) for line in history.splitlines()]
        same([(h["by"], h["version"], h["before"]) for h in done if h["what"] == "use"],
             [("anna", first, "off"), ("anna", second, first), ("anna", "off", second)])


def packed(texts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for path, text in texts.items():
            z.writestr(path, text)
    return out.getvalue()


def upload(who, path, data, status=200, kind="application/zip"):
    for _ in range(100):
        got, _, text = who.ask("POST", path, data, {"Content-Type": kind})
        if got != 503:
            break
    same((path, got, text[:300] if got != status else b""), (path, status, b""))
    return json.loads(text)


@test
def sets_are_imported_and_single_rules_switched(folder):
    with office(folder).start() as o:
        anna, vera = o.hire("anna", "analyst"), o.hire("vera", "viewer")
        good = packed({"rules/a.yml": rule(1, "aa"), "rules/b.yml": rule(2, "bb", "low"),
                       "rules/odd.yml": "title: Odd\n", "version.txt": "release: r2026-08-05\n"})
        same(vera.ask("POST", "/rulesets/city/versions", good, {"Content-Type": "application/zip"})[0], 403)
        found = upload(anna, "/rulesets/city/versions", good)
        same((found["set"], found["version"][:12], found["rules"], found["on"], found["kept"], found["fresh"]),
             ("city", "r2026-08-05-", 2, 1, True, True))
        same([(r["file"], r["line"]) for r in found["refused"]], [("rules/odd.yml", 1)])
        same(upload(anna, "/rulesets/city/versions", good)["fresh"], False)
        same(upload(anna, "/rulesets/city/versions?profile=all", good)["on"], 2)
        for bad in (b"", b"no zip", good[:len(good) // 2], packed({"../x.yml": rule(3, "cc")}), packed({"x.txt": "y"})):
            got, _, text = anna.ask("POST", "/rulesets/city/versions", bad, {"Content-Type": "application/zip"})
            same((got in (400, 404), text[:200] if got not in (400, 404) else b""), (True, b""))
        upload(anna, "/rulesets/city/versions", good, 415, "application/octet-stream")
        with contextlib.suppress(OSError):  # the answer may be lost, for nobody reads what comes
            same(anna.ask("POST", "/rulesets/city/versions", b"x" * (5 << 20), {"Content-Type": "application/zip"})[0], 413)
        anna.close()
        upload(anna, "/rulesets/city/versions?profile=current", good, 400)
        change(anna, "POST", "/rulesets/city/switch", {"rule": IDS[2], "on": True}, 404)
        change(anna, "POST", "/rulesets/city/use", {"version": found["version"]})
        in_force(o, anna, 1)
        in_force(o, anna, 2, there=False)
        one = change(anna, "POST", "/rulesets/city/switch", {"rule": IDS[2], "on": True})
        same((one["before"], one["on"]), (found["version"], 2))
        in_force(o, anna, 2)
        two = change(anna, "POST", "/rulesets/city/switch", {"rule": IDS[1], "on": False})
        same((two["before"], two["on"]), (one["version"], 1))
        in_force(o, anna, 1, there=False)
        in_force(o, anna, 2)
        change(anna, "POST", "/rulesets/city/switch", {"rule": IDS[9], "on": False}, 404)
        # What was switched holds for what comes later with the profile in force.
        more = packed({"rules/a.yml": rule(1, "aa"), "rules/b.yml": rule(2, "bb", "low"), "rules/c.yml": rule(3, "cc")})
        same(upload(anna, "/rulesets/city/versions?profile=current", more)["on"], 2)
        same(change(anna, "POST", "/rulesets/city/switch", {"rule": IDS[1], "on": True})["on"], 2)
        in_force(o, anna, 1)
        same(list((pathlib.Path(folder) / "var/rules").glob(".upload*")), [])


@test
def what_is_changed_while_rules_are_read_is_in_force(folder):
    """One change behind the other: each asks for the rules to be read, and none is left out."""
    with office(folder).start() as o:
        anna = o.hire("anna", "analyst")
        for number in range(1, 6):
            change(anna, "POST", "/rules", {"text": rule(number, f"w{number}")})
        for number in range(1, 6):
            in_force(o, anna, number)
        o.wait(lambda: o.status()["detect"]["rules"] >= 6, "six rules matched")


@test
def lists_of_indicators_are_made_and_changed(folder):
    with office(folder).start() as o:
        anna, vera = o.hire("anna", "analyst"), o.hire("vera", "viewer")
        text = "value,description\nevil.example,one\n203.0.113.7,two\nhxxp://bad[.]example/x,three\nnot an indicator,\n"
        vera.json("PUT", "/indicators/city", {"text": text}, 403, {})
        made = change(anna, "PUT", "/indicators/city", {"text": text, "level": "medium"})
        same((made["indicators"], made["refused"], made["refusals"][0]["line"]), (3, 1, 5))
        o.wait(lambda: [(i["list"], i["level"]) for i in (reads(vera, "/indicators") or {"lists": []})["lists"]] ==
               [("city", "medium")], "the list")
        page = change(vera, "GET", "/indicators/city?limit=2")
        same((page["total"], len(page["indicators"]), page["level"]), (3, 2, "medium"))
        rest = change(vera, "GET", f"/indicators/city?after={page['indicators'][-1]['number']}")
        every = page["indicators"] + rest["indicators"]
        same([i["number"] for i in every], [1, 2, 3])
        same({i["value"]: i["description"] for i in every},
             {"evil.example": "one", "203.0.113.7": "two", "bad.example/x": "three"} if "bad.example/x" in
             {i["value"] for i in every} else
             {"evil.example": "one", "203.0.113.7": "two", "http://bad.example/x": "three"})
        same(change(anna, "POST", "/indicators/city/add",
                    {"text": "value,description\nevil.example,again\nworse.example,four\n"})["indicators"], 4)
        def values():
            return {i["value"]: i["description"] for i in change(vera, "GET", "/indicators/city")["indicators"]}
        found = values()
        same((found["evil.example"], found["worse.example"], len(found)), ("again", "four", 4))
        same(change(anna, "POST", "/indicators/city/remove", {"values": ["EVIL.example", "203.0.113.7"]})["cut"], 2)
        same(sorted(values())[-1], "worse.example")
        same(len(values()), 2)
        change(anna, "POST", "/indicators/city/remove", {"values": ["evil.example"]}, 404)
        change(anna, "POST", "/indicators/city/remove", {"values": list(values())}, 409)
        change(anna, "POST", "/indicators/other/add", {"text": "a.example\n"}, 404)
        change(anna, "PUT", "/indicators/city", {"text": "nothing here\n"}, 400)
        change(anna, "PUT", "/indicators/city", {"text": "a.example\n", "expires": "soon"}, 400)
        change(anna, "DELETE", "/indicators/city")
        o.wait(lambda: reads(vera, "/indicators") == {"lists": []}, "that the list is gone")
        change(vera, "GET", "/indicators/city", status=404)
        same(o.status()["library"]["starts"] >= 1, True)


@test
def searches_are_kept_under_a_name(folder):
    with office(folder).start() as o:
        anna, rosa, vera = o.hire("anna", "analyst"), o.hire("rosa", "responder"), o.hire("vera", "viewer")
        same(anna.get("/searches"), {"searches": []})
        vera.get("/searches", 403)
        anna.json("PUT", "/searches/logins", {"query": " user.name: anna* | count by host.name "}, 200, {})
        rosa.json("PUT", "/searches/all", {"query": "*"}, 200, {})
        same(rosa.get("/searches"), {"searches": [
            {"name": "all", "query": "*"}, {"name": "logins", "query": "user.name: anna* | count by host.name"}]})
        anna.json("PUT", "/searches/all", {"query": "x: 1"}, 200, {})
        same(rosa.get("/searches")["searches"][0]["query"], "x: 1")
        anna.json("PUT", "/searches/bad", {"query": "user.name: ("}, 400, {})
        anna.json("PUT", "/searches/.hidden", {"query": "*"}, 400, {})
        # The command line keeps them in the same place.
        told = subprocess.run([VAKA, "search", "--list", "-c", o.config], check=True, capture_output=True).stdout
        same(told.split()[:2], [b"all", b"x:"])
        anna.json("DELETE", "/searches/all", None, 200, {})
        anna.json("DELETE", "/searches/all", None, 404, {})
        same([s["name"] for s in anna.get("/searches")["searches"]], ["logins"])
        same(o.status()["library"]["starts"], 1)


@test
def records_are_held(folder):
    with office(folder).start() as o:
        rosa, anna = o.hire("rosa", "responder"), o.hire("anna", "analyst")
        same(anna.get("/holds"), {"holds": []})
        anna.post("/holds", {"range": "0-9", "reason": "case 7"}, 403)
        rosa.post("/holds", {"range": "0-9", "reason": "case 7"})
        rosa.post("/holds", {"range": "12-", "reason": "case 8, åter"})
        same([(h["range"], h["by"], h["reason"]) for h in anna.get("/holds")["holds"]],
             [("0-9", "rosa", "case 7"), ("12-", "rosa", "case 8, åter")])
        for body in ({"range": "9-0", "reason": "x"}, {"range": "x", "reason": "x"}, {"range": "1-2"},
                     {"range": "1-2", "reason": "a\nb"}, {"range": "1-2", "reason": "x", "who": "me"}):
            rosa.post("/holds", body, 400)
        told = subprocess.run([VAKA, "hold", "ls", "-f", "json", "-c", o.config], check=True,
                              capture_output=True).stdout
        same([json.loads(line)["range"] for line in told.splitlines()], ["0-9", "12-"])
        rosa.json("DELETE", "/holds/0-8", None, 404, {})
        rosa.json("DELETE", "/holds/0-9", None, 200, {})
        same([h["range"] for h in anna.get("/holds")["holds"]], ["12-"])
        text = (pathlib.Path(folder) / "var/store/0/holds").read_text(encoding="utf-8")
        same((text.count("# lifted "), "rosa: 0-9 " in text), (1, True))


@test
def a_file_of_holds_that_a_setting_names_is_only_read(folder):
    path = pathlib.Path(folder) / "holds"
    path.write_text("3-4 2026-01-01T00:00:00Z root why\n", encoding="utf-8")
    with office(folder, more=f"  holds: {path}\n").start() as o:
        rosa = o.hire("rosa", "responder")
        same([h["range"] for h in rosa.get("/holds")["holds"]], ["3-4"])
        rosa.post("/holds", {"range": "0-9", "reason": "x"}, 409)
        rosa.json("DELETE", "/holds/3-4", None, 409, {})


def marked(o, line):
    with o.tcp() as s:
        s.sendall(b"<13>1 - h a - - - VAKAMARK " + line + b"\n")
    o.wait(lambda: o.counted() >= 1, "an alert")


@test
def the_record_of_an_alert_is_seen_as_it_is_stored(folder):
    with office(folder).start() as o:
        marked(o, b"blob \xff\xfe.")
        anna, far = o.hire("anna", "analyst"), o.hire("far", "analyst", tenant=7)
        alert, = anna.get("/alerts")["alerts"]
        found, end = lines(anna, "GET", f"/alerts/{alert['id']}/record")
        same(end, {"end": {"how": "whole"}})
        record = found["record"]
        same((record["seq"], record["listener"] != "", "VAKAMARK" in record["raw"]), (alert["record"], True, True))
        same(base64.b64decode(record["base64"]), b"<13>1 - h a - - - VAKAMARK blob \xff\xfe.")
        far.get(f"/alerts/{alert['id']}/record", 404)
        anna.get("/alerts/999999/record", 404)
        # What Vaka says of itself is of no record.
        o.kill("witness")
        o.wait(lambda: len(anna.get("/alerts")["alerts"]) > 1, "its own")
        own = [a["id"] for a in anna.get("/alerts")["alerts"] if a["id"] != alert["id"]]
        anna.get(f"/alerts/{own[0]}/record", 404)
        said = (pathlib.Path(folder) / "var/audit/log").read_text(encoding="utf-8")
        same([(json.loads(line)["user"], json.loads(line)["query"]) for line in said.splitlines()
              if json.loads(line).get("what") == "record"],
             [("anna", f"alert {alert['id']}, record {alert['record']}")])


def verify(who):
    return lines(who, "POST", "/store/verify", {})


@test
def the_store_is_verified_and_the_last_result_stays(folder):
    with office(folder, more="  checkpoint: 1s\n").start() as o:
        marked(o, b"one.")
        anna = o.hire("anna", "analyst")
        same(anna.get("/store")["verified"], None)
        o.wait(lambda: anna.get("/store")["sign"]["keys"] and anna.get("/store")["seal"]["signed"] >= 1, "a signature")
        begun, *_, end = verify(anna)
        same((begun["begun"]["keys"], end["end"]["how"], end["end"]["verdict"]), (1, "whole", "intact"))
        same(end["end"]["signed_size"] >= 1, True)
        o.wait(lambda: anna.get("/store")["verified"], "the result")
        kept = anna.get("/store")["verified"]
        same((kept["by"], kept["verdict"], kept["size"]), ("anna", "intact", end["end"]["size"]))
        o.kill("search")
        o.wait(lambda: (anna.get("/store")["verified"] or {}).get("at") == kept["at"] and
               o.status()["search"]["starts"] == 2, "the result after an end")
        # A bit of a record is another.
        store = pathlib.Path(folder) / "var/store/0"
        file, = [p for p in store.iterdir() if p.name.startswith("journal") and b"VAKAMARK one." in p.read_bytes()]
        at = file.read_bytes().index(b"VAKAMARK one.")
        with file.open("r+b") as f:
            f.seek(at)
            f.write(b"X")
        told = verify(anna)
        same(told[-1]["end"]["verdict"] in ("damaged", "tampered"), True)
        same(any("finding" in line for line in told), True)
        o.wait(lambda: anna.get("/store")["verified"]["verdict"] == told[-1]["end"]["verdict"], "that it is told")


def signed(o, who, size):
    o.wait(lambda: who.get("/store")["sign"]["keys"] and who.get("/store")["seal"]["signed"] >= size, "a signature")


@test
def records_are_exported_as_evidence(folder):
    many = less(2000, 300)
    with office(folder, more="  checkpoint: 1s\ntriage:\n  alike: 0s\n").start() as o:
        with o.tcp() as s:
            s.sendall(b"".join(b"<13>1 - h a - - - VAKAMARK line-%d. %s\n" % (i, b"x" * 600) for i in range(many)))
        o.stored(many)
        anna, vera, far = o.hire("anna", "analyst"), o.hire("vera", "viewer"), o.hire("far", "analyst", tenant=7)
        signed(o, anna, many)
        vera.post("/store/evidence", {"first": 0, "reason": "case 17"}, 403)
        far.post("/store/evidence", {"first": 0, "reason": "case 17"}, 403)
        for wrong in ({"first": 0}, {"reason": "x"}, {"first": 0, "reason": ""}, {"first": 5, "last": 4, "reason": "x"},
                      {"first": 0, "last": 10000, "reason": "x"}, {"first": -1, "reason": "x"},
                      {"first": "0", "reason": "x"}):
            anna.post("/store/evidence", wrong, 400)
        anna.post("/store/evidence", {"first": 10 ** 9, "reason": "x"}, 404)
        status, head, text = anna.ask("POST", "/store/evidence",
                                      {"first": 7, "last": many - 1, "reason": "case 17 åäö"})
        same((status, head["content-type"]), (200, "application/json"))
        told = json.loads(text)
        same((told["by"], told["reason"], [r["seq"] for r in told["records"]]),
             ("anna", "case 17 åäö", list(range(7, many))))
        file = pathlib.Path(folder) / "evidence.json"
        check = [VAKA, "verify", "--evidence", file, "--key", pathlib.Path(folder) / "var/keys/log.pub"]
        file.write_bytes(text)
        same(subprocess.run(check, check=False, capture_output=True).returncode, 0)
        leaf = told["records"][3]["leaf"]
        file.write_bytes(text.replace(leaf[:-8].encode(), (leaf[:-9] + ("A" if leaf[-9] != "A" else "B")).encode()))
        same(subprocess.run(check, check=False, capture_output=True).returncode != 0, True)
        said = [json.loads(line) for line in
                (pathlib.Path(folder) / "var/audit/log").read_text(encoding="utf-8").splitlines()]
        same([(s["user"], s["query"], s["purpose"]) for s in said if s.get("what") == "export evidence"][-1],
             ("anna", f"7..{many - 1}", "case 17 åäö"))


@test
def evidence_waits_for_a_signature(folder):
    with office(folder, more="  checkpoint: 1h\n").start() as o:
        anna = o.hire("anna", "analyst")
        o.wait(lambda: anna.get("/store")["sign"]["keys"], "a key")
        marked(o, b"one.")
        status, head, _ = anna.ask("POST", "/store/evidence", {"first": 0, "reason": "too early"})
        same((status, "retry-after" in head), (503, True))


@test
def evidence_is_not_for_who_sees_pseudonyms(folder):
    with office(folder, accounts="  pseudonyms: ['0']\n").start() as o:
        o.hire("anna", "analyst").post("/store/evidence", {"first": 0, "reason": "x"}, 403)


@test
def versions_are_tried_on_what_is_stored(folder):
    with office(folder).start() as o:
        marked(o, b"one.")
        anna, vera = o.hire("anna", "analyst"), o.hire("vera", "viewer")
        loud = rule(1, "x").replace("    s:\n        message|contains: x\n", "    s: [VAKAMARK]\n")
        first = take_in(o, release(folder, "one", {"rules/a.yml": loud, "rules/b.yml": rule(2, "nothing-of-it"),
                                                   "rules/low.yml": rule(4, "off", "low")}))
        second = take_in(o, release(folder, "two", {"rules/c.yml": rule(3, "nothing-of-it")}))
        told = lines(anna, "POST", "/rulesets/sigmahq/try", {"version": first, "purpose": "how loud it is"})
        found = {line["found"]["id"]: line["found"]["matches"] for line in told if "found" in line}
        same(found, {IDS[1]: 1, IDS[2]: 0})
        same((told[-1]["end"]["how"], told[-1]["end"]["rules"]), ("whole", 2))
        alone = json.loads(o.ask("rules", "noise", "sigmahq", first, "-f", "json"))
        same([(f["id"], f["matches"]) for f in alone["fired"]], [(IDS[1], 1)])
        # The one that was imported last, as none is in force.
        same([line["found"]["id"] for line in lines(anna, "POST", "/rulesets/sigmahq/try", {}) if "found" in line],
             [IDS[3]])
        past = lines(anna, "POST", "/rulesets/sigmahq/try", {"version": first, "to": "2001-01-01"})
        same([line["found"]["matches"] for line in past if "found" in line], [0, 0])
        lines(anna, "POST", "/rulesets/sigmahq/try", {"version": "nothing"}, 404)
        lines(anna, "POST", "/rulesets/none/try", {"version": second}, 404)
        lines(anna, "POST", "/rulesets/..x/try", {}, 404)
        vera.post("/rulesets/sigmahq/try", {}, 403)
        said = [json.loads(line) for line in
                (pathlib.Path(folder) / "var/audit/log").read_text(encoding="utf-8").splitlines()]
        same([(s["user"], s["query"], s["purpose"]) for s in said if s.get("what") == "rules noise"][0],
             ("anna", f"sigmahq {first}", "how loud it is"))
        # One that was changed on the disk is not tried.
        target, = (pathlib.Path(folder) / f"var/rules/sigmahq/{first}/on").rglob("a.yml")
        target.chmod(0o600)
        target.write_text(loud.replace("Rule 1", "Rule X"), encoding="utf-8")
        status, _, text = anna.ask("POST", "/rulesets/sigmahq/try", {"version": first})
        same((status, b"not what was imported" in text), (503, True))


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:], together=3))
