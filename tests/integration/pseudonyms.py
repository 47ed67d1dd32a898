#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Names of staff as pseudonyms on every way out of the API: pseudonyms.py VAKA [TEST...]."""
import json
import pathlib
import re
import sys
import time

from api_client import ROLES, Office
from serving import RULE, Fail, holds, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
NAME = "plantagren"
MARK = re.compile(r"person-[0-9a-f]{12}")
LINES = (b"<38>1 - h1 sshd 9 - - Accepted publickey for plantagren from 10.9.8.7 port 22 ssh2: RSA "
         b"SHA256:VAKAMARK\n"
         b"<13>1 - h2 app - - - VAKAMARK user=Plantagren wrote to plantagren@kommun.example\n")


def listen(who, last):
    """What is told within the first events."""
    head = who.heads("GET", {"Last-Event-ID": last, "Host": f"127.0.0.1:{who.port}"})
    with who.connect() as s:
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        s.sendall(f"GET /api/v1/events HTTP/1.1\r\n{lines}\r\n".encode())
        text = b""
        while text.count(b"event: incident") < 1 or text.count(b"event: alert") < 2:
            piece = s.recv(65536)
            if not piece:
                raise Fail(f"the stream ended: {text!r:.500}")
            text += piece
    return text.decode()


def search(who, query):
    status, _, text = who.ask("POST", "/search", {"query": query, "purpose": "a test"})
    same(status, 200)
    return text.decode()


def walk(who, things):
    """All that can be read, by its path."""
    for path, methods in who.get("/openapi.json")["paths"].items():
        operation = methods.get("get")
        if not operation or operation["operationId"] in ("events", "openapi"):
            continue
        for thing in things:
            path = path.replace(*thing)
        status, _, text = who.ask("GET", path)
        if status >= 500:
            raise Fail(f"{path}: {status}")
        yield path, text.decode()


@test
def no_plain_name_leaves(folder):
    office = Office(VAKA, folder, accounts="  pseudonyms: ['0']\n")
    (folder / "rules" / "linux.yml").write_text(
        RULE.format(marker="VAKAMARK").replace("category: application", "product: linux")
        .replace("6b2a6a4e", "7b2a6a4e"), encoding="utf-8")
    with office.start() as o:
        vera = o.hire("vera", *ROLES)
        olle = o.hire("olle", "analyst")
        same(vera.get("/session")["veiled"], True)
        with o.tcp() as s:
            s.sendall(LINES)
        o.wait(lambda: o.counted() >= 2, "alerts")
        alerts = vera.get("/alerts")["alerts"]
        incident = vera.get("/incidents")["incidents"][0]["id"]
        vera.post(f"/incidents/{incident}/note", {"text": "Plantagren was called", "protected": False})
        vera.post("/suppressions", {"rule": alerts[0]["rule"], "name": NAME, "owner": "vera",
                                    "why": f"{NAME} tests", "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))})
        seen = {"events": listen(vera, "0.0")}
        for query in (NAME, "*", "* | table _raw", "* | table _raw, user.name", "* | count by user.name",
                      f"user.name: {NAME} | stats count, max(user.name) as most"):
            seen[query] = search(vera, query)
        things = (("{incident}", str(incident)), ("{id}", str(alerts[0]["id"])), ("{name}", "vera"))
        for _ in range(2):
            seen.update(walk(vera, things))
            # What is known is in the accounts: a new process of the API knows it as well.
            o.kill("web")
            o.wait(lambda: vera.ask("GET", "/session")[0] == 200, "the API again")
        for path, text in seen.items():
            if NAME in text.lower():
                at = text.lower().index(NAME)
                raise Fail(f"{path} tells the name: {text[max(at - 200, 0):at + 100]!r}")
        for path in ("events", "/alerts", "/incidents", f"/incidents/{incident}",
                     f"/incidents/{incident}/alerts", f"/incidents/{incident}/log",
                     f"/alerts/{alerts[0]['id']}", "/suppressions", "/audit", NAME, "* | table _raw"):
            if not MARK.search(seen[path]):
                raise Fail(f"{path} has no pseudonym: {seen[path]:.600}")
        mark = MARK.search(seen[NAME]).group()
        lifts(o, vera, olle, mark)


def lifts(o, vera, olle, mark):
    """It means the name in what is asked; who has the right sees the name for a while, with a reason."""
    found = olle.get(f"/incidents?entity={mark}")["incidents"]
    same(len(found) > 0, True)
    holds(search(olle, f"user.name: {mark}"), f'"user.name":"{mark}"')
    olle.post(f"/pseudonyms/{mark}/lift", {"reason": "to call"}, 403)
    vera.post(f"/pseudonyms/{mark}/lift", {"reason": " "}, 400)
    vera.post("/pseudonyms/person-000000000000/lift", {"reason": "to call"}, 404)
    same(vera.post(f"/pseudonyms/{mark}/lift", {"reason": "to call", "minutes": 5})["name"], NAME)
    holds(json.dumps(vera.get("/alerts")), NAME)
    same(NAME in json.dumps(olle.get("/alerts")), False)
    log = vera.get("/accounts/log?name=vera&limit=500")["log"]
    entry = next(e for e in log if e["what"] == "pseudonym.lift")
    same((entry["subject"], entry["reason"]), (mark, "to call"))
    same(o.ask("user", "lift", mark, "--reason", "the police asks"), f"{NAME}\n")
    o.ask("user", "lift", mark, status=2)
    holds(o.ask("user", "log"), "the police asks")


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:]))
