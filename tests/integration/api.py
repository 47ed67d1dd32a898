#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The API, over TLS as clients have it: api.py VAKA [TEST...]. Prints TAP."""
import contextlib
import gzip
import http.client
import itertools
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

import schema
from api_client import PASSWORD, ROLES, Api, Office, check_problem, filled, operations, typed
from serving import RULE, Fail, free_port, holds, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
OWN_RULE = pathlib.Path(__file__).resolve().parents[2] / "rules" / "linux" / "ssh_root_password.yml"
SAFE = {"get"}
ALWAYS = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff", "x-frame-options": "DENY",
    "referrer-policy": "no-referrer", "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
}


def office(folder, **options):
    return Office(VAKA, folder, **options)


def send(serve, *lines):
    with serve.tcp() as s:
        s.sendall(b"".join(b"<13>1 - h%d a - - - " % i + line + b"\n"
                           for i, line in enumerate(lines)))


def marked(serve, n, before=0):
    """n alerts."""
    send(serve, *(b"VAKAMARK line-%d." % i for i in range(before, before + n)))
    serve.wait(lambda: serve.counted() >= before + n, "alerts")


APART = {"more": "triage:\n  alike: 0s\n"}


@test
def who_shows_nothing_hears_nothing(folder):
    with office(folder).start() as o:
        document = o.hire("anna", "viewer").get("/openapi.json")
        nobody, odd = o.nobody(), Api(o.web, o.ca, token="vaka_" + "a" * 43)
        for method, path, operation in operations(document):
            if operation["x-right"] == "anybody":
                continue
            for who in (nobody, odd, Api(o.web, o.ca, cookie="b" * 43)):
                body = "{}" if "requestBody" in operation else None
                status, head, text = who.ask(method.upper(), filled(path), body, typed(operation))
                same((method, path, status), (method, path, 401))
                same(check_problem(status, head, text)["type"], "urn:vaka:problem:unauthorized")
                same({k: head.get(k) for k in ALWAYS}, ALWAYS)
                who.close()
        for path in ("/nothing", "/alerts/1/2"):
            same(nobody.ask("GET", path)[0], 401)


def fetch(o, path, method="GET", **headers):
    """(status, headers in small letters, bytes) of what is not of the API, as it is sent."""
    connection = http.client.HTTPSConnection("127.0.0.1", o.web, timeout=30,
                                             context=ssl.create_default_context(cafile=o.ca))
    connection.request(method, path, headers={"Host": "localhost", **headers})
    answer = connection.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    connection.close()
    return found


@test
def the_console_is_for_everybody_and_runs_nothing_else(folder):
    with office(folder).start() as o:
        status, head, shell = fetch(o, "/")
        same((status, head["content-type"], head["cache-control"]),
             (200, "text/html; charset=utf-8", "no-cache"))
        policy = dict(part.strip().partition(" ")[::2]
                      for part in head["content-security-policy"].split(";"))
        same({k: policy[k] for k in ("default-src", "script-src", "frame-ancestors", "trusted-types")},
             {"default-src": "'none'", "script-src": "'self'", "frame-ancestors": "'none'",
              "trusted-types": "'none'"})
        same("unsafe" in head["content-security-policy"], False)
        same({k: head.get(k) for k in ALWAYS if k[0] != "c"}, {k: v for k, v in ALWAYS.items() if k[0] != "c"})
        # Pages are the shell's own, whatever their names; nothing in it is for anybody in particular.
        same([fetch(o, path)[2] for path in ("/queue?state=any", "/incidents/7", "/.env")], [shell] * 3)
        same("set-cookie" in head, False)
        same(fetch(o, "/", "HEAD")[::2], (200, b""))
        same(fetch(o, "/", **{"If-None-Match": head["etag"]})[::2], (304, b""))
        same(fetch(o, "/", "POST")[0], 405)
        same(fetch(o, "/assets/../index.html")[0], 400)
        same(fetch(o, "/assets/nothing.js")[0], 404)
        status, packed, body = fetch(o, "/", **{"Accept-Encoding": "br, gzip"})
        if packed.get("content-encoding") == "gzip":
            same(gzip.decompress(body), shell)
        for path in re.findall(rb'(?:src|href)="(/assets/[^"]+)"', shell):
            status, head, body = fetch(o, path.decode(), **{"Accept-Encoding": "gzip"})
            same((status, head["cache-control"], head["vary"]),
                 (200, "public, max-age=31536000, immutable", "Accept-Encoding"))
            plain = fetch(o, path.decode())[2]
            same(gzip.decompress(body) if head.get("content-encoding") else body, plain)


@test
def each_role_does_what_the_matrix_says(folder):
    """Endpoint by role; the rights of a role are those that `vaka role` tells."""
    with office(folder).start() as o:
        people = {role: o.hire(role.replace("-", ""), role) for role in ROLES}
        rights = {r["name"]: set(r["rights"]) for r in people["admin"].get("/roles")["roles"]}
        document = people["admin"].get("/openapi.json")
        seen = set()
        for method, path, operation in operations(document):
            right = operation["x-right"]
            if right in ("anybody", "somebody") or operation["operationId"] == "events":
                continue
            for role, who in people.items():
                body = "{\"no such member\": 1}" if "requestBody" in operation else None
                status, head, text = who.ask(method.upper(), filled(path), body, typed(operation))
                may = right in rights[role]
                if (status != 403) != may or status >= 500:
                    raise Fail(f"{method} {path} by {role}: {status} {text!r:.200}")
                if not may:
                    check_problem(status, head, text)
                seen.add((right, may))
        if len(seen) < 10:
            raise Fail(f"nothing was compared: {seen}")
        # Who operates it hears of that, though not a thousand times a minute.
        line = next(line for line in o.log_text().splitlines() if "event=request-refused" in line)
        holds(line, " operation=")
        holds(line, " address=127.0.0.1")


@test
def other_tenants_do_not_exist(folder):
    with office(folder, **APART).start() as o:
        marked(o, 3)
        anna, far = o.hire("anna", "analyst"), o.hire("far", "analyst", tenant=7)
        ids = [a["id"] for a in anna.get("/alerts")["alerts"]]
        same(len(ids), 3)
        same(far.get("/alerts"), {"alerts": []})
        for number in ids:
            anna.get(f"/alerts/{number}")
            far.get(f"/alerts/{number}", 404)
        far.get("/status", 403)
        anna.get("/status")
        far.get("/alerts", 403, X_Vaka_Tenant="0")
        anna.get("/alerts", 403, X_Vaka_Tenant="7")
        anna.get("/alerts", 400, X_Vaka_Tenant="x")
        far.post("/search", {"query": "VAKAMARK"}, 404)
        admin = o.hire("chef", "admin")
        admin.get("/users/far", 404)
        status, _, _ = admin.ask("DELETE", "/users/far")
        same(status, 404)


@test
def a_page_of_another_site_does_nothing(folder):
    with office(folder).start() as o:
        anna = o.hire("anna", "analyst")
        body = {"label": "x", "rights": [], "expires": 1}

        def tries(**headers):
            return anna.ask("POST", "/me/tokens", body, headers)[0]
        here = f"127.0.0.1:{o.web}"
        if tries() == 403 or tries(Origin=f"https://{here}") == 403:
            raise Fail("its own page is refused")
        csrf, anna.csrf = anna.csrf, None
        same(tries(), 403)
        anna.csrf = "0" * 32
        same(tries(), 403)
        anna.csrf = csrf
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"},
                        {"Origin": f"http://{here}"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}):
            same((headers, tries(**headers)), (headers, 403))
        same(anna.ask("GET", "/me", None, {"Sec-Fetch-Site": "cross-site"})[0], 403)
        same(anna.ask("GET", "/me", None, {"Sec-Fetch-Site": "none"})[0], 200)
        same(o.nobody().ask("POST", "/session", {"name": "anna", "password": PASSWORD},
                            {"Origin": "https://evil.example"})[0], 403)
        status, head, _ = anna.ask("OPTIONS", "/alerts", None, {
            "Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
        same((status, [k for k in head if k.startswith("access-control")]), (204, []))


@test
def sessions_begin_and_end(folder):
    with office(folder).start() as o:
        anna = o.hire("anna", "analyst")
        status, head, text = o.nobody().ask("POST", "/session",
                                            {"name": "anna", "password": PASSWORD})
        same(status, 200)
        holds(head["set-cookie"], "; Path=/; Secure; HttpOnly; SameSite=Strict")
        if not head["set-cookie"].startswith("__Host-vaka="):
            raise Fail(head["set-cookie"])
        same(json.loads(text)["rights"], anna.get("/session")["rights"])
        wrong = o.nobody()
        answers = {wrong.ask("POST", "/session", {"name": name, "password": "x" * 12})[0]
                   for name in ("anna", "no such one")}
        same(answers, {401})
        same(anna.ask("DELETE", "/session")[0], 200)
        anna.get("/session", 401)


@test
def ones_own_sessions_end_with_the_password(folder):
    with office(folder).start() as o:
        here, there, third = o.hire("anna", "analyst"), o.login("anna"), o.login("anna")
        told = [s["id"] for s in here.get("/me/sessions")["sessions"]]
        same(len(told), 3)
        one = f"/me/sessions/{told[1]}/end"
        same(here.ask("POST", one, {})[0], 400)
        same(here.ask("POST", "/me/sessions/end", {})[0], 400)
        same(here.ask("POST", one, {"password": "not the password"})[0], 403)
        same(here.ask("DELETE", f"/me/sessions/{told[1]}")[0], 404)
        there.get("/me")
        same(here.ask("POST", one, {"password": PASSWORD})[0], 200)
        there.get("/me", 401)
        same(here.ask("POST", "/me/sessions/end", {"password": PASSWORD})[0], 200)
        third.get("/me", 401)
        here.get("/me")
        # At the screen as at the login: after five nobody looks any more.
        def waits():
            statuses = set()
            while 429 not in statuses:
                statuses.add(here.ask("POST", "/me/sessions/end", {"password": "not the password"})[0])
            same(statuses <= {403, 429}, True)
            return o.nobody().ask("POST", "/session", {"name": "anna", "password": PASSWORD})[0] == 429
        # Where a password takes long to be looked at the first waits are over by then.
        o.wait(waits, "who guesses at the screen waits at the login")


@test
def who_guesses_waits(folder):
    with office(folder).start() as o:
        o.hire("anna", "analyst")
        nobody = o.nobody()
        found = [nobody.ask("POST", "/session", {"name": "anna", "password": f"wrong {i} wrong"})
                 for i in range(12)]
        statuses = [status for status, _, _ in found]
        if set(statuses) != {401, 429}:
            raise Fail(f"{statuses}")
        waits = [int(head["retry-after"]) for status, head, _ in found if status == 429]
        if min(waits) < 1:
            raise Fail(f"{waits}")


@test
def what_a_proxy_might_say_is_not_believed(folder):
    """Nobody guesses from another address by saying so, nor is another host or scheme believed."""
    with office(folder).start() as o:
        o.hire("anna", "analyst")
        nobody = o.nobody()
        statuses = [nobody.ask("POST", "/session", {"name": "anna", "password": f"wrong {i} wrong"},
                               {"X-Forwarded-For": f"192.0.2.{i}", "Forwarded": f"for=192.0.2.{i}",
                                "X-Real-IP": f"192.0.2.{i}"})[0] for i in range(12)]
        same(set(statuses), {401, 429})
        log = o.tell(["user", "log", "-f", "json"], "")
        same((any("192.0.2." in line for line in log.splitlines()), "127.0.0.1" in log), (False, True))
        anna = o.hire("bo", "analyst")
        same(anna.ask("POST", "/me/tokens", {"label": "x", "rights": [], "expires": 1},
                      {"Origin": "https://vaka.example", "X-Forwarded-Host": "vaka.example"})[0], 403)


@test
def lists_go_on(folder):
    with office(folder, **APART).start() as o:
        marked(o, 25)
        anna = o.hire("anna", "viewer")
        every, cursor = [], ""
        while True:
            page = anna.get("/alerts?limit=10" + cursor)
            every += page["alerts"]
            if "next" not in page:
                break
            cursor = f"&cursor={page['next']}"
        ids = [a["id"] for a in every]
        same((len(ids), ids), (25, sorted(ids, reverse=True)))
        first = anna.get("/alerts?limit=10")["next"]
        anna.get(f"/alerts?level=high&cursor={first}", 400)
        anna.get(f"/rules?cursor={first}", 400)
        anna.get(f"/alerts?cursor={first[:-1]}", 400)
        changed = first[:-1] + ("A" if first[-1] != "A" else "B")
        problem = json.loads(anna.ask("GET", f"/alerts?cursor={changed}")[2])
        same((problem["type"], problem["parameter"]), ("urn:vaka:problem:invalid-cursor", "cursor"))
        same(anna.get("/alerts?level=critical"), {"alerts": []})
        same(len(anna.get("/alerts?level=high&limit=500")["alerts"]), 25)
        same(anna.get("/alerts?rule=nothing"), {"alerts": []})
        for wrong in ("limit=0", "limit=501", "limit=x", "level=odd", "what=1", "limit=1&limit=2",
                      "rule=%ff", "rule=%00"):
            anna.get("/alerts?" + wrong, 400)
        o.kill("web")
        o.wait(lambda: len(o.pids("web")) == 1 and anna.ask("GET", "/session")[0] == 200, "web again")
        same([a["id"] for a in anna.get(f"/alerts?limit=10&cursor={first}")["alerts"]], ids[10:20])


@test
def what_is_known_is_not_sent_again(folder):
    with office(folder, **APART).start() as o:
        marked(o, 1)
        anna = o.hire("anna", "viewer")
        status, head, text = anna.ask("GET", "/alerts")
        same(status, 200)
        for known in (head["etag"], f'"x", {head["etag"]}', "W/" + head["etag"], "*"):
            again, more, nothing = anna.ask("GET", "/alerts", None, {"If-None-Match": known})
            same((again, more["etag"], nothing), (304, head["etag"], b""))
        same(anna.ask("GET", "/alerts", None, {"If-None-Match": '"0"'})[2], text)
        status, head, nothing = anna.ask("HEAD", "/alerts")
        same((status, int(head["content-length"]), nothing), (200, len(text), b""))
        marked(o, 1, before=1)
        same(anna.ask("GET", "/alerts", None, {"If-None-Match": head["etag"]})[0], 200)


@test
def a_key_does_it_once(folder):
    with office(folder).start() as o:
        chef = o.hire("chef", "admin")
        body = {"name": "bo", "password": PASSWORD, "roles": ["viewer"]}
        first = chef.ask("POST", "/users", body, {"Idempotency-Key": "k1"})
        again = chef.ask("POST", "/users", body, {"Idempotency-Key": "k1"})
        same((first[0], again[0], again[2]), (200, 200, first[2]))
        same(again[1]["idempotency-replayed"], "true")
        chef.post("/users", body, 409)
        same(chef.ask("POST", "/users", dict(body, name="bo2"), {"Idempotency-Key": "k1"})[0], 422)
        same(chef.ask("POST", "/users", body, {"Idempotency-Key": "k" * 129})[0], 400)
        names = [u["name"] for u in chef.get("/users")["users"]]
        same(sorted(names), ["bo", "chef"])


def listen(who, last=None):
    """Listens for events: the connection, its answer, and the status."""
    connection = http.client.HTTPSConnection("127.0.0.1", who.port, timeout=60, context=who.context)
    more = {} if last is None else {"Last-Event-ID": last}
    connection.request("GET", "/api/v1/events", headers=who.heads("GET", more))
    answer = connection.getresponse()
    return connection, answer, answer.status


def events(file, n, kind="alert"):
    """The next n of that kind in a chunked stream: (id, data)."""
    found, number, event = [], None, None
    for line in file:
        if line.startswith(b"id: "):
            number = line[4:].strip().decode()
        if line.startswith(b"event: "):
            event = line[7:].strip().decode()
        if line.startswith(b"data: ") and event == kind:
            found.append((number, json.loads(line[6:])))
            if len(found) == n:
                break
    return found


def numbers(found):
    return [e["id"] for _, e in found]


@test
def events_come_and_go_on(folder):
    with office(folder, **APART).start() as o:
        anna = o.hire("anna", "viewer")
        marked(o, 2)
        connection, file, status = listen(anna)
        same(status, 200)
        begun = file.readline()
        same(begun.startswith(b"id: 2."), True)
        file.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            connection.close()
        marked(o, 3, before=2)
        # Who had heard nothing yet goes on behind what was there when the stream began.
        connection, file, status = listen(anna, last=begun[4:].strip().decode())
        first = events(file, 3)
        same((numbers(first), {e["title"] for _, e in first}), ([3, 4, 5], {"Marker"}))
        o.kill("web")
        file.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            connection.close()
        marked(o, 2, before=5)
        o.wait(lambda: anna.ask("GET", "/session")[0] == 200, "web again")
        connection, file, status = listen(anna, last=first[1][0])
        same(numbers(events(file, 3)), [5, 6, 7])
        o.kill("triage")
        o.wait(lambda: o.status()["triage"]["starts"] == 2, "triage again")
        marked(o, 1, before=7)
        same(numbers(events(file, 1)), [8])
        file.close()
        connection.close()
        o.shows(lambda s: s["web"]["listeners"] == 0, "that nobody listens any more")
        for wrong in ("x", "1", "1.", "1.x", "-1.1", "99999999999999999999.1"):
            same(listen(anna, last=wrong)[2], 400)


@test
def incidents_are_worked_on(folder):
    with office(folder, **APART).start() as o:
        marked(o, 3)
        anna, eva = o.hire("anna", "analyst"), o.hire("eva", "viewer")
        connection, file, _ = listen(eva)
        found = anna.get("/incidents?limit=1&state=any")
        number = found["incidents"][0]["id"]
        path = f"/incidents/{number}"
        same(len(anna.get("/incidents?limit=500")["incidents"]), 3)
        anna.get(f"/incidents?cursor={found['next']}", 400)
        anna.get(f"/incidents?limit=1&state=any&cursor={found['next']}")
        _, head, _ = anna.ask("GET", path)
        same(anna.ask("GET", path, None, {"If-None-Match": head["etag"]})[0], 304)
        done = anna.post(path + "/ack", {}, If_Match=head["etag"])
        same((done["id"], done["state"]), (number, "acknowledged"))
        _, event = events(file, 1, "incident")[0]
        same((event["id"], event["state"]), (number, "acknowledged"))
        anna.post(path + "/assign", {"to": "eva"}, 412, If_Match=head["etag"])
        anna.post(path + "/assign", {"to": "eva"}, 412, If_Match="x")
        anna.post(path + "/assign", {"to": "eva", "incident": 7}, 400)
        same(anna.post(path + "/assign", {"to": "eva"})["assignee"], "eva")
        eva.post(path + "/ack", {}, 403)
        anna.post(path + "/assign", {}, 400)
        anna.post(path + "/note", {"text": "seen"}, 409)
        problem = json.loads(anna.ask("POST", path + "/note", {"text": "seen"},
                                      {"Accept-Language": "sv"})[2])
        same(problem["type"], "urn:vaka:problem:protected")
        anna.post(path + "/note", {"text": "seen", "protected": False})
        kinds = [e["kind"] for e in anna.get(path + "/log")["log"]]
        same([k for k in kinds if k in ("ack", "assign", "note")], ["ack", "assign", "note"])
        same({e["actor"] for e in anna.get(path + "/log")["log"]} - {"vaka"}, {"anna"})
        same(len(anna.get(path + "/alerts")["alerts"]), 1)
        anna.get(path + "/similar")
        for wrong in ("999", "x", "0"):
            for below in ("", "/alerts", "/log", "/similar"):
                anna.get(f"/incidents/{wrong}{below}", 404)
            anna.post(f"/incidents/{wrong}/ack", {}, 404)
        far = o.hire("far", "analyst", tenant=7)
        same(far.get("/incidents?state=any"), {"incidents": []})
        far.get(path, 404)
        far.post(path + "/ack", {}, 404)
        file.close()
        connection.close()


@test
def records_are_searched(folder):
    with office(folder, **APART).start() as o:
        marked(o, 30)
        o.matched(30)
        anna = o.hire("anna", "analyst")
        status, head, text = anna.ask("POST", "/search", {"query": "VAKAMARK", "purpose": "why not"})
        lines = [json.loads(line) for line in text.splitlines()]
        same((status, head["content-type"]), (200, "application/x-ndjson"))
        rows = [line["row"] for line in lines if "row" in line]
        same((len(rows), list(lines[0])), (30, ["columns"]))
        same(lines[-1]["end"]["how"], "whole")
        holds(rows[0]["_raw"], "line-29.")
        status, _, text = anna.ask("POST", "/search", {"query": "VAKAMARK | count"})
        same([line["row"] for line in map(json.loads, text.splitlines()) if "row" in line],
             [{"count": 30}])
        status, head, text = anna.ask("POST", "/search", {"query": "a and (", "from": "-1h"})
        same(check_problem(status, head, text)["pointer"], "/query")
        for body in ({}, {"query": ""}, {"query": 1}, {"query": "a", "from": "soon"},
                     {"query": "a", "from": "-1h", "to": "-2h"}):
            anna.post("/search", body, 400)
        log = [json.loads(line) for line in o.ask("audit", "-f", "json").splitlines()]
        mine = [e for e in log if e.get("user") == "anna"]
        same([(e["what"], e["query"], e["purpose"]) for e in mine][:1],
             [("search", "VAKAMARK", "why not")])


@test
def who_reads_an_alert_is_written_down(folder):
    with office(folder, **APART).start() as o:
        marked(o, 1)
        anna = o.hire("anna", "viewer")
        number = anna.get("/alerts")["alerts"][0]["id"]
        whole = anna.get(f"/alerts/{number}", X_Purpose="a look")
        holds(json.dumps(whole["found"]), "VAKAMARK line-0.")
        log = [json.loads(line) for line in o.ask("audit", "-f", "json").splitlines()]
        same([(e["user"], e["what"], e["query"], e["purpose"]) for e in log],
             [("anna", "alert", f"alert {number}", "a look")])
        status, head, text = o.hire("rev", "auditor").ask("GET", "/audit?from=-1h", None,
                                                          {"X-Purpose": "a review"})
        lines = [json.loads(line) for line in text.splitlines()]
        same((status, head["content-type"], lines[-1]["end"]["how"]),
             (200, "application/x-ndjson", "whole"))
        same([(e["entry"]["user"], e["entry"]["what"], e["entry"]["end"]) for e in lines[:-1]],
             [("anna", "alert", "whole"), ("rev", "audit", None)])
        anna.get(f"/alerts/{number + 1}", 404)
        anna.get("/alerts/x", 404)


@test
def assets_are_known(folder):
    with office(folder).start() as o:
        anna, eva = o.hire("anna", "analyst"), o.hire("eva", "viewer")
        assets = [{"host": f"pay{i}", "addresses": f"10.0.0.{i} 10.0.1.{i}", "service": "payroll",
                   "owner": "HR", "importance": "critical"} for i in range(1, 8)]
        eva_put = eva.ask("PUT", "/assets", {"assets": assets})
        same(eva_put[0], 403)
        same(anna.ask("PUT", "/assets", {"assets": assets})[0], 200)
        found, cursor = [], ""
        while True:
            page = eva.get("/assets?limit=3" + cursor)
            found += page["assets"]
            if "next" not in page:
                break
            cursor = f"&cursor={page['next']}"
        same([a["host"] for a in found], [f"pay{i}" for i in range(1, 8)])
        same({(a["service"], a["owner"], a["importance"]) for a in found},
             {("payroll", "HR", "critical")})
        same([a["host"] for a in eva.get("/assets?entity=pay3")["assets"]], ["pay3"])
        status, _, text = anna.ask("PUT", "/assets", {"assets": [{"host": "x", "importance": "odd"}]})
        same((status, json.loads(text)["pointer"]), (400, "/assets"))
        same(anna.ask("PUT", "/assets", {"assets": assets[:1], "replace": True})[0], 200)
        same(len(eva.get("/assets")["assets"]), 1)
        same(o.hire("far", "analyst", tenant=7).get("/assets"), {"assets": []})


@test
def suppressions_have_an_owner_and_an_end(folder):
    with office(folder, **APART).start() as o:
        anna, eva = o.hire("anna", "analyst"), o.hire("eva", "viewer")
        body = {"rule": "6b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11", "owner": "anna", "why": "a test",
                "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))}
        eva.post("/suppressions", body, 403)
        for missing in ("owner", "why", "expires", "rule"):
            less = {k: v for k, v in body.items() if k != missing}
            anna.post("/suppressions", less, 400)
        anna.post("/suppressions", body)
        found = eva.get("/suppressions")["suppressions"]
        same([(s["owner"], s["why"], s["state"]) for s in found], [("anna", "a test", "active")])
        path = f"/suppressions/{found[0]['id']}"
        same(eva.ask("DELETE", path)[0], 403)
        same(o.hire("far", "analyst", tenant=7).ask("DELETE", path)[0], 404)
        same(anna.ask("DELETE", path)[0], 200)
        same(anna.ask("DELETE", path)[0], 404)
        same(anna.ask("DELETE", "/suppressions/x")[0], 404)
        if eva.get("/suppressions")["suppressions"][0]["state"] == "active":
            raise Fail("it is still active")


@test
def the_state_of_things_is_told(folder):
    with office(folder, **APART).start() as o:
        marked(o, 2)
        anna = o.hire("anna", "viewer")
        o.wait(lambda: anna.get("/store")["store"]["next"] >= 2, "two records")
        o.wait(lambda: [k for k, v in anna.get("/store").items() if v is None] == ["verified"], "all of the store")
        o.wait(lambda: any(s["records"]["stored"] == 2 for s in anna.get("/sources")["received"]),
               "a source with two records")
        document = anna.get("/openapi.json")
        for path in ("/store", "/sources"):
            of = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            same((path, schema.wrong(document, of, anna.get(path))), (path, None))
        same(set(anna.get("/status")), {"processes", "supervisor"})
        o.wait(lambda: None not in anna.get("/status")["processes"].values(), "all processes")
        rules = anna.get("/rules")["rules"]
        same([r["title"] for r in rules], ["Marker"])
        told = anna.get(f"/rules/{rules[0]['id']}")
        same({name: told[name] for name in rules[0]}, rules[0])
        anna.get("/rules/nothing", 404)
        same(anna.get("/rules?level=critical"), {"rules": []})


@test
def searches_end_with_who_asks(folder):
    with office(folder).start() as o:
        send(o, *(b"x" * 800 + b" n%d" % i for i in range(40000)))
        o.matched(40000)
        anna = o.hire("anna", "analyst")
        connection = anna.connect()
        body = json.dumps({"query": "*"}).encode()
        connection.sendall(
            f"POST /api/v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Cookie: __Host-vaka={anna.cookie}\r\nX-CSRF-Token: {anna.csrf}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        same(connection.recv(12), b"HTTP/1.1 200")
        o.shows(lambda s: s["search"]["running"] == 1, "that it runs")
        connection.close()
        o.shows(lambda s: s["search"]["running"] == 0 and s["search"]["ended"] == 1, "its end")
        log = [json.loads(line) for line in o.ask("audit", "-f", "json").splitlines()]
        same([e.get("end") for e in log if e.get("what") == "search"], ["interrupted"])


@test
def bounds_hold(folder):
    with office(folder, rate=5).start() as o:
        anna = o.hire("anna", "viewer")
        found = [anna.ask("GET", "/session") for _ in range(60)]
        statuses = {status for status, _, _ in found}
        same(statuses, {200, 429})
        for status, head, text in found:
            if status == 429:
                check_problem(status, head, text)
                if int(head["retry-after"]) < 1:
                    raise Fail(head["retry-after"])


def shaped(o, *pieces):
    """What is answered to bytes as they are; b"" when the connection is closed."""
    who = o.nobody()
    with who.connect() as s:
        with contextlib.suppress(OSError):
            for piece in pieces:
                s.sendall(piece)
        answer = b""
        with contextlib.suppress(OSError):
            while piece := s.recv(65536):
                answer += piece
                if b"\r\n\r\n" in answer and b"close" not in answer.lower():
                    break
        return answer


@test
def odd_requests_are_refused(folder):
    with office(folder).start() as o:
        token = b"Authorization: Bearer x\r\n"
        post = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        smuggled = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n"
        for shape in (
                post + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
                post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
                post + b"Content-Length: 2, 2\r\n\r\n{}",
                post + b"Content-Length: +2\r\n\r\n{}",
                post + b"Content-Length: -2\r\n\r\n{}",
                post + b"Content-Length: 99999999999999999999\r\n\r\n{}",
                post + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                post + b"Host: y\r\nContent-Length: 2\r\n\r\n{}",
                b"GET /api/v1/alerts HTTP/1.1\r\n" + token + b"\r\n",
                b"GET /api/v1/../v1/alerts HTTP/1.1\r\nHost: x\r\n" + token + b"\r\n",
                b"GET /api/v1/alerts%00 HTTP/1.1\r\nHost: x\r\n" + token + b"\r\n",
                b"GET /api/v1/alerts?a=%zz HTTP/1.1\r\nHost: x\r\n" + token + b"\r\n",
                b"GET http://x/api/v1/alerts HTTP/1.1\r\nHost: x\r\n" + token + b"\r\n",
                b"GET /api/v1/alerts HTTP/1.1\r\nHost: x\r\n" + token + b"Content-Length: 2\r\n\r\n{}",
                b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                b"GET /api/v1/alerts HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40000 + b"\r\n\r\n",
                b"\x16\x03\x01garbage\r\n\r\n",
                post + b"Content-Length: 300000\r\n\r\n"):
            answer = shaped(o, shape)
            statuses = set(map(int, re.findall(rb"HTTP/1.1 (\d+)", answer)))
            if statuses - {400, 413, 414, 431}:
                raise Fail(f"{shape!r:.120}: {answer!r:.200}")
        body = b'{"name":"' + b"a" * 400000 + b'"}'
        answer = shaped(o, post + b"Transfer-Encoding: chunked\r\n\r\n" +
                        b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
        same(answer[:12], b"HTTP/1.1 413")
        anna = o.hire("anna", "viewer")
        for headers in ({"Authorization": "Basic eDp5"}, {"Authorization": "Bearer " + "a" * 5000},
                        {"Authorization": "Bearer a\tb"}, {"Cookie": "__Host-vaka="},
                        {"Cookie": "__Host-vaka=a b; x"}):
            same((headers, o.nobody().ask("GET", "/me", None, headers)[0]), (headers, 401))
        for headers in ({"X-Purpose": "a" * 2000}, {"X-Purpose": b"\xff\xfe"}):
            same(anna.ask("GET", "/alerts/1", None, headers)[0] in (400, 404), True)
        same(anna.ask("POST", "/me/password", "{}", {"Content-Type": "text/plain"})[0], 415)
        same(anna.ask("POST", "/me/password", "[]")[0], 400)
        same(anna.ask("POST", "/me/password", b'{"password":"\xff"}')[0], 400)
        same(anna.ask("PATCH", "/alerts")[0], 405)
        same(anna.ask("DELETE", "/alerts")[1]["allow"], "OPTIONS, GET, HEAD")
        same([anna.ask(method, "/alerts")[0] for method in ("BREW", "TRACE")], [405] * 2)
        same(anna.ask("GET", "/session")[0], 200)


@test
def slow_clients_hold_up_nobody(folder):
    with office(folder).start() as o:
        anna = o.hire("anna", "viewer")
        slow = [o.nobody().connect() for _ in range(100)]
        for s in slow:
            s.sendall(b"GET /api/v1/alerts HTTP/1.1\r\nHost: x\r\nX: ")
        body = o.nobody().connect()
        body.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 1000\r\n\r\n{")
        mute = o.nobody().raw()
        same(anna.ask("GET", "/session")[0], 200)

        def drip():
            for s in [*slow, body]:
                with contextlib.suppress(OSError):
                    s.sendall(b"a")
            return o.status()["web"]["connections"] <= 1
        o.wait(drip, "that the slow ones are gone", 60)
        for s in (*slow, body, mute):
            s.close()
        same(anna.ask("GET", "/session")[0], 200)


@test
def a_kill_loses_nothing(folder):
    """What was answered is done, and what was not can be asked again."""
    with office(folder).start() as o:
        chef = o.hire("chef", "admin")
        done = []
        stop = threading.Event()

        def kill():
            for _ in range(4):
                if stop.wait(0.5):
                    return
                o.wait(lambda: o.pids("web"), "web")
                o.kill("web")
        killer = threading.Thread(target=kill)
        killer.start()
        for i in range(20):
            body = {"name": f"user{i}", "roles": ["viewer"], "password": PASSWORD}
            for _ in range(200):
                try:
                    status, _, text = chef.ask("POST", "/users", body)
                except (OSError, http.client.HTTPException):
                    time.sleep(0.05)
                    continue
                if status in (200, 409):
                    done.append(f"user{i}")
                    break
                same((status, text if status != 503 else b""), (503, b""))
                time.sleep(0.05)
        stop.set()
        killer.join()
        same(len(done), 20)
        o.wait(lambda: chef.ask("GET", "/session")[0] == 200, "web again")
        same(sorted(u["name"] for u in chef.get("/users")["users"]), sorted(["chef", *done]))


@test
def without_a_certificate_nothing_is_taken(folder):
    """By senders' ports that want one; nor with an old TLS. Which ports there are ports.py looks at."""
    with office(folder).start() as o:
        for name in ("syslog_tls", "relp_tls", "lumberjack_tls"):
            with contextlib.suppress(OSError), o.tls(name, folder) as s:
                s.sendall(b"x\n")
                same(s.recv(100), b"")
        context = ssl.create_default_context(cafile=o.ca)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            with socket.create_connection(("127.0.0.1", o.web)) as s, \
                    context.wrap_socket(s, server_hostname="localhost"):
                raise Fail("TLS 1.1 is taken")
        except (ssl.SSLError, OSError):
            pass


@test
def curl_is_a_client(folder):
    with office(folder).start() as o:
        anna = o.hire("anna", "viewer")
        result = subprocess.run(
            ["curl", "-sS", "--cacert", o.ca, "--resolve", f"localhost:{o.web}:127.0.0.1", "-b",
             f"__Host-vaka={anna.cookie}", "-w", "%{http_code} %{content_type}", "-o", "/dev/null",
             f"https://localhost:{o.web}/api/v1/rules"], capture_output=True, check=False, timeout=60)
        same(result.stdout.decode(), "200 application/json")


@test
def what_it_is_made_of_is_told(folder):
    """Rules with their text, what they cover, settings with what they are for: as the command line has them."""
    o = office(folder)
    shutil.copy(OWN_RULE, folder / "rules")
    with o.start():
        anna, chef = o.hire("anna", "analyst"), o.hire("chef", "admin")
        own = anna.get("/rules/" + re.search(r"^id: (\S+)", OWN_RULE.read_text(), re.M)[1])
        same((own["description_sv"] is None, own["description_sv"] == own["description"]), (False, False))
        rule = anna.get("/rules/6b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11")
        same(rule["description_sv"], None)
        same(rule["text"], (folder / "rules" / "marker.yml").read_text())
        same(pathlib.Path(rule["file"]).name, "marker.yml")
        shown = [json.loads(line) for line in o.ask("rules", "coverage", "-f", "json").splitlines()]
        told = anna.get("/coverage")["techniques"]
        same([(t["technique"], t["rules"]) for t in told], [(t["technique"], t["rules"]) for t in shown])
        shown = [json.loads(line) for line in o.ask("products", "list", "-f", "json").splitlines()]
        same(anna.get("/products")["products"], shown)
        same((anna.get("/indicators"), anna.get("/exceptions")), ({"lists": []}, {"exceptions": []}))
        anna.get("/settings", 403)
        shown = [json.loads(line) for line in o.ask("config", "show", "-f", "json").splitlines()]
        told = chef.get("/settings")["settings"]
        same({s["key"]: s["value"] for s in told}, {s["key"]: s["value"] for s in shown})
        same([s["key"] for s in told if not s["text"] or not s["text_sv"]], [])
        lines = pathlib.Path(o.config).read_text(encoding="utf-8").splitlines()
        of = {s["key"]: (s["from"], s["line"]) for s in told}
        same((of["detect.silence"], of["store.keep"], of["rules"]),
             (("default", None), ("default", None), ("file", 1 + lines.index("rules: rules"))))
        same({key: lines[line - 1].strip().split(":")[0] for key, (_, line) in of.items() if line},
             {key: key.split(".")[-1] for key, (_, line) in of.items() if line})


# Behind a rule that looks for line-1.: what it says of itself.
TESTED = """vaka:
  tests:
    - name: its mark
      fires: true
      event: {message: line-1.}
    - name: another
      fires: false
      event: {message: line-2.}
    - name: no mark
      fires: true
      event: {message: line-3.}
"""


@test
def noise_is_counted(folder):
    """How often each rule fired: alerts, those that are suppressed among them, and their records."""
    with office(folder, **APART).start() as o:
        anna = o.hire("anna", "analyst")
        same(anna.get("/noise"), {"noise": []})
        marked(o, 3)
        one, = anna.get("/noise")["noise"]
        last, = {a["last_received"] for a in anna.get("/alerts?limit=1")["alerts"]}
        same(one, {"rule": "6b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11", "week": 3, "month": 3, "records": 3,
                   "suppressed": 0, "last": last})
        anna.post("/suppressions", {"rule": one["rule"], "owner": "anna", "why": "known", "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))})
        marked(o, 2, before=3)
        two, = anna.get("/noise")["noise"]
        same((two["month"], two["suppressed"]), (5, 2))


@test
def rules_are_tried_before_they_are_kept(folder):
    """Read, and run over what is stored; what is wrong is told with its place."""
    with office(folder, **APART).start() as o:
        marked(o, 3)
        anna, vera = o.hire("anna", "analyst"), o.hire("vera", "viewer")

        def tries(path, text, **more):
            status, _, body = anna.ask("POST", path, {**({"text": text} if text else {}), **more})
            same(status, 200)
            return [next(iter(json.loads(line).items())) for line in body.splitlines()]
        good = RULE.format(marker="line-1.").replace("6b2a6a4e", "6b2a6a4f")
        same(tries("/rules/check", good),
             [("rule", {"id": "6b2a6a4f-0d0f-4f6c-9d53-0d8f0c7e3c11", "title": "Marker", "level": "high"}),
              ("end", {"how": "whole", "rules": 1, "refused": 0, "records": 0})])
        lines = tries("/rules/try", good, purpose="a new rule")
        same([name for name, _ in lines if name != "progress"], ["rule", "found", "end"])
        found = dict(lines)["found"]
        same((found["matches"], found["alerts"], len(found["examples"])), (1, 1, 1))
        same(dict(lines)["end"]["records"], 3)
        same(dict(tries("/rules/try", good, **{"from": "2001-01-01", "to": "2001-01-02"}))["found"]["matches"], 0)
        lines = tries("/rules/try", None, purpose="how loud it is")
        in_force = anna.get("/rules?limit=200")["rules"]
        same([x["id"] for name, x in lines if name == "rule"], [x["id"] for x in in_force])
        same([(x["title"], x["matches"]) for name, x in lines if name == "found" and x["matches"]], [("Marker", 3)])
        same(lines[-1], ("end", {"how": "whole", "rules": len(in_force), "refused": 0, "records": 3}))
        (name, wrong), (_, end) = tries("/rules/try", good.replace("condition: keywords", "condition: nothing"))
        same((name, wrong["line"], wrong["warning"], end["refused"]), ("refused", 8, False, 1))
        same((wrong["message"], wrong["message_sv"]),
             ("the condition names `nothing`, which is not defined", "villkoret nämner `nothing`, som inte är bestämt"))
        same(tries("/rules/check", "{")[-1][0], "end")
        of = tries("/rules/check", good + TESTED)
        same([(name, x["name"], x["fires"], x["passed"], x.get("why"), x.get("why_sv")) for name, x in of[1:-1]],
             [("test", "its mark", True, True, None, None),
              ("test", "another", False, True, None, None),
              ("test", "no mark", True, False, "the rule did not fire", "regeln larmade inte")])
        same([x["line"] for _, x in of[1:-1]], [n for n, line in enumerate((good + TESTED).splitlines(), 1)
                                                if "- name:" in line])
        status, _, body = anna.ask("POST", "/rules/draft", {"query": "line-1 and not user.name: anna"})
        drafted = json.loads(body.splitlines()[0])["draft"]["text"]
        same((status, json.loads(body.splitlines()[-1])), (200, {"end": {"how": "whole"}}))
        same(dict(tries("/rules/try", drafted))["found"]["matches"], 1)
        refusal = anna.ask("POST", "/rules/draft", {"query": "line-1 | count"})
        same((refusal[0], json.loads(refusal[2])["pointer"]), (400, "/query"))
        holds(json.loads(refusal[2])["detail"], "line 1, column ")
        wrong = anna.ask("POST", "/search", {"query": "x | cuont"}, {"Accept-Language": "sv"})
        same((wrong[0], json.loads(wrong[2])["detail"]),
             (400, "rad 1, kolumn 5: `cuont` är inget av count, top, rare, stats, timechart, table, sort, head "
                   "och dedup; menade du `count`?"))
        same(vera.ask("POST", "/rules/draft", {"query": "line-1"})[0], 403)
        same(vera.ask("POST", "/rules/try", {"text": good})[0], 403)
        status, _, body = o.hire("ada", "auditor").ask("GET", "/audit?from=2001-01-01&to=2001-01-02")
        same((status, body), (200, b'{"end":{"how":"whole","damaged":0}}\n'))
        entry = [json.loads(line) for line in o.ask("audit", "-f", "json").splitlines()]
        same([(e["user"], e["purpose"]) for e in entry if e["what"] == "rules try"][0], ("anna", "a new rule"))
        same([(e["user"], e["purpose"]) for e in entry if e["what"] == "rules noise"], [("anna", "how loud it is")])


@test
def rules_and_exceptions_are_kept(folder):
    """A rule of one's own is matched after it was kept, an exception holds, both are taken away again."""
    with office(folder, **APART).start() as o:
        anna, vera = o.hire("anna", "analyst"), o.hire("vera", "viewer")
        text = RULE.format(marker="OWNMARK").replace("6b2a6a4e", "7b2a6a4e")
        rule = "7b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11"

        def change(method, path, body=None, want=200, who=anna):
            status, _, answer = who.ask(method, path, body)
            same((method, path, status, answer if status != want else b""), (method, path, want, b""))
            return json.loads(answer)

        def is_there(path, there=True):
            o.wait(lambda: (anna.ask("GET", path)[0] == 200) == there, f"{path} is there: {there}")

        numbers = itertools.count()

        def fires(name, times):
            """Waits for what is there to be in force as well: a record of that name has so many alerts."""
            def so():
                n, before = next(numbers), o.status()["store"]["next"]
                send(o, b"OWNMARK line-%d. of %s" % (n, name))
                o.matched(before + 1)
                return sum(f"line-{n}." in json.dumps(a) for a in o.found()) == times
            o.wait(so, f"{times} alerts of {name}")
        change("POST", "/rules", {"text": text}, 403, vera)
        same(change("POST", "/rules", {"text": text.replace("condition: keywords", "condition: x")}, 400)["pointer"],
             "/text")
        change("POST", "/rules", {"text": RULE.format(marker="OWNMARK")}, 409)
        same(change("POST", "/rules", {"text": text}), {"id": rule})
        is_there(f"/rules/{rule}")
        same(anna.get(f"/rules/{rule}")["text"], text.strip())
        same(json.loads(o.ask("rules", "show", rule, "-f", "json"))["in_force"], True)
        fires(b"somebody", 1)
        change("PUT", f"/rules/{rule}", {"text": text.replace("level: high", "level: low")})
        o.wait(lambda: anna.get(f"/rules/{rule}")["level"] == "low", "the new text")
        told = anna.get(f"/rules/{rule}")
        same((told["own"], told["title_sv"]), (True, None))
        versions = anna.get(f"/rules/{rule}/versions")["versions"]
        same([(v["what"], v["by"]) for v in versions], [("save", "anna")] * 2)
        texts = [vera.get(f"/rules/{rule}/versions/{v['version']}")["text"].strip() for v in versions]
        same(texts, [text.replace("level: high", "level: low").strip(), text.strip()])
        for wrong in (f"{rule}/versions/1", f"{rule}/versions/...", "x/versions/1"):
            anna.get(f"/rules/{wrong}", 404)
        same(anna.get("/rules/x/versions"), {"versions": []})
        made = change("POST", "/exceptions", {"rule": rule, "when": ["message|contains: nobody"], "reason": "a test"})
        is_there("/exceptions")
        o.wait(lambda: [e["id"] for e in anna.get("/exceptions")["exceptions"]] == [made["id"]], "the exception")
        same([(e["for"], e["own"]) for e in anna.get("/exceptions")["exceptions"]], [([rule], True)])
        fires(b"nobody", 0)
        fires(b"somebody", 1)
        change("POST", "/exceptions", {"rule": "nothing", "when": ["a: b"], "reason": "x"}, 400)
        change("DELETE", f"/exceptions/{made['id']}")
        o.wait(lambda: not anna.get("/exceptions")["exceptions"], "no exception")
        change("DELETE", f"/exceptions/{made['id']}", None, 404)
        # What means something else is looked for in what is stored.
        change("PUT", f"/rules/{rule}", {"text": text.replace("OWNMARK", "OWNMARK line")})
        def looked():
            return [r["found"] for r in anna.get("/retro")["retro"] if r["rule"] == rule and r["found"]["done"]]
        # What it meant before was looked for as well, with fewer of them stored.
        o.wait(lambda: [found["matches"] >= 3 for found in looked()] == [True], "a retro-hunt of what it means now")
        same(looked(), [anna.get(f"/rules/{rule}")["retro"]])
        change("DELETE", f"/rules/{rule}")
        is_there(f"/rules/{rule}", False)
        change("DELETE", f"/rules/{rule}", None, 404)
        same([v["what"] for v in anna.get(f"/rules/{rule}/versions")["versions"]], ["drop", "save", "save", "save"])
        fires(b"somebody", 0)
        history = [json.loads(line) for line in (folder / "var/rules/history").read_text().splitlines()]
        same([(h["what"], h["by"]) for h in history], [(w, "anna") for w in ("save", "save", "except", "lift", "save", "drop")])


sys.exit(run_tests(sys.argv[2:], together=4))
