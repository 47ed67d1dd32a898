#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Requests made of the API's own document, right and nearly right: none is answered with 5xx, with
a status that the document does not have, or with a body that is not of its schema.

usage: api_fuzz.py VAKA [REQUESTS [SEED]]     prints TAP
"""
import collections
import concurrent.futures
import http.client
import json
import pathlib
import random
import re
import sys
import tempfile
import time
import urllib.parse

import schema
from api_client import PASSWORD, ROLES, Office
from serving import Fail

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
REQUESTS = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
# Those that lock others out, or end what the others ask by, come last and are few.
APART = {"login", "loginCode", "logout", "mePassword", "userDisable", "userRemove", "userPassword",
         "sessionEnd", "meSessionEnd", "meSessionsEnd", "tokenRevoke", "roleGrant", "roleRevoke", "meTotpEnd", "userTotp"}
# What cannot be done here: there is no plan, provider, or identity provider, and processes that read rules anew
# begin anew; and no set or list was imported.
NOT_HERE = ("oncall", "callback", "loginElsewhere", "loginReturn", "ruleNew", "rulePut", "ruleDrop", "except", "lift",
            "ruleset", "indicatorList", "indicatorsAdd", "indicatorsCut")
TRIES = 600
# Values that mean something, by the names of members.
KNOWN = {
    "why": ["because"], "text": ["seen"], "to": ["analyst0", None], "owner": ["analyst0"],
    "disposition": ["benign", "false-positive", "true-positive", "undetermined"],
    "protected": [False], "concerns": [False], "value": [True, False], "with": [1, 2, 3, 4],
    "alerts": [[1], [2, 3]], "change": list(range(1, 30)), "task": [1, 2], "clock": ["nis2-early"],
    "at": ["2026-01-01T00:00:00Z"], "name": ["new1", "new2", "analyst0", "viewer1"],
    "password": [PASSWORD], "new": [PASSWORD], "roles": [["viewer"]], "rights": [["alerts.read"], []],
    "expires": [int(time.time()) + 86400], "label": ["a script"], "query": ["VAKAMARK", "* | count"],
    "from": ["-1h"], "tenant": [0], "range": ["0-9", "0-"], "values": [["evil.example"]],
    "first": [0, 3], "last": [3, 7],
}
PLAIN = re.compile(r"^[A-Za-z0-9._~:@!$&'()*+,;=-]+$")


def begun_anew(office):
    """How often rules were read anew."""
    return office.log_text().count("event=role-started role=detect ") - 1


def ended_badly(office):
    """Processes that ended otherwise than to begin anew with other rules."""
    ended = re.findall(r'event=role-ended role=(\w+) .*how="([^"]*)"', office.log_text())
    times = collections.Counter(role for role, _ in ended)
    return ([f"{role}: {how}" for role, how in ended if how != "exit status 0"] +
            [f"{role}: {n} times" for role, n in times.items() if n > begun_anew(office)])


class Fuzzer:
    """One who asks for all; with a generator of its own."""

    def __init__(self, office, document, people, seed):
        self.office, self.document, self.people, self.random = office, document, people, random.Random(seed)
        self.seen = collections.Counter()

    def path_value(self):
        pick = self.random
        if pick.random() < 0.9:
            return str(pick.choice([1, 2, 3, 4, 5, 6, 0, 999, 2**63, "viewer", "0-9", "new1", "new2", "analyst0",
                                    "6b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11"]))
        return urllib.parse.quote(pick.choice(schema.ODD).encode("utf-8", "surrogatepass"), safe="")

    def request(self, method, path, operation):
        """(path with parameters, headers, body)."""
        pick = self.random
        filled = re.sub(r"{\w+}", lambda _: self.path_value(), path)
        query = []
        for parameter in operation["parameters"]:
            if parameter.get("in") == "query" and pick.random() < 0.4:
                value = str(schema.value_of(self.document, parameter["schema"], pick))
                query.append(f"{parameter['name']}=" + urllib.parse.quote(
                    value.encode("utf-8", "surrogatepass"), safe=""))
        if pick.random() < 0.05:
            query.append(pick.choice(["limit=1", "what=ever", "%", "a=%ff", "&", "=", "cursor=" + "A" * 40]))
        headers, body = {}, None
        if "requestBody" in operation and pick.random() < 0.97:
            (kind, content), = operation["requestBody"]["content"].items()
            value = schema.value_of(self.document, content["schema"], pick, KNOWN)
            body = schema.as_bytes(value, pick)
            if kind != "application/json":
                headers["Content-Type"] = kind
                body = urllib.parse.urlencode(value if isinstance(value, dict) else {"From": "46700000000"},
                                              errors="surrogatepass").encode()
        elif pick.random() < 0.02:
            body = b"{}"
        if pick.random() < 0.03:
            headers["Content-Type"] = pick.choice(["text/plain", "application/json; charset=utf-8", ""])
        for name, chance in (("Idempotency-Key", 0.1), ("X-Purpose", 0.1), ("If-None-Match", 0.1),
                             ("If-Match", 0.1), ("X-Vaka-Tenant", 0.03), ("Last-Event-ID", 0.2)):
            if pick.random() < chance:
                headers[name] = pick.choice(["k1", "k2", '"1.2"', "*", "0", "1", "1.1", "é", "x" * 200])
        return filled + ("?" + "&".join(query) if query else ""), headers, body

    def answer(self, send):
        """What is answered in the end. Who is told when to come again comes again: work of the library is done one
        at a time, holds are not changed while a search has its turn at the folder of the records, evidence waits for
        a signature. Where rules were changed `web` begins anew with them, and connections end."""
        for _ in range(TRIES):
            try:
                answer = send()
            except (OSError, http.client.HTTPException):
                if not begun_anew(self.office):
                    raise
                self.seen["", "ended"] += 1
            else:
                if answer[0] != 503 or "retry-after" not in answer[1]:
                    return answer
                self.seen["", "later"] += 1
            time.sleep(0.1)
        return answer

    def ask(self, method, path, operation):
        who = self.random.choice(list(self.people.values()))
        target, headers, body = self.request(method, path, operation)
        headers = {k: v.encode("utf-8") for k, v in headers.items()}
        if operation["operationId"] in ("events", "search"):
            status, head, text = self.answer(lambda: self.stream(who, method, target, headers, body))
        else:
            status, head, text = self.answer(lambda: who.ask(method.upper(), target, body, headers))
        self.seen[operation["operationId"], status] += 1
        said = f"{method} {target} {headers} {body!r:.300} -> {status} {text!r:.300}"
        if status >= 500 or str(status) not in operation["responses"]:
            # A path that is none leads to no operation.
            segment = urllib.parse.urlsplit(target).path
            if status in (400, 404) and not PLAIN.match(segment.replace("/", "")):
                return
            raise Fail(said)
        self.check(operation, status, head, text, said)

    def stream(self, who, method, target, headers, body):
        """The head of an answer that has no end; of one that has, all."""
        connection = http.client.HTTPSConnection("127.0.0.1", who.port, timeout=60,
                                                 context=who.context)
        try:
            connection.request(method.upper(), "/api/v1" + target, body,
                               who.heads(method.upper(), headers))
            answer = connection.getresponse()
            head = {k.lower(): v for k, v in answer.getheaders()}
            endless = head.get("content-type") == "text/event-stream"
            return answer.status, head, b"" if endless else answer.read()
        finally:
            connection.close()

    def check(self, operation, status, head, text, said):
        answer = schema.resolve(self.document, operation["responses"][str(status)])
        if "content" not in answer:
            if text:
                raise Fail(f"a body: {said}")
            return
        kind = head.get("content-type")
        if kind not in answer["content"]:
            raise Fail(f"{kind}: {said}")
        of = answer["content"][kind]["schema"]
        if kind == "text/event-stream":
            return
        lines = text.splitlines() if kind == "application/x-ndjson" else [text]
        for line in lines:
            found = schema.wrong(self.document, of, json.loads(line))
            if found:
                raise Fail(f"{found}: {said}")


def run(office, people, document, operations, requests, seed):
    fuzzer = Fuzzer(office, document, people, seed)
    for _ in range(requests):
        fuzzer.ask(*fuzzer.random.choice(operations))
    return fuzzer.seen


def main():
    lanes = 4
    with tempfile.TemporaryDirectory() as folder:
        with Office(VAKA, folder, more="triage:\n  alike: 0s\n").start() as o:
            with o.tcp() as s:
                s.sendall(b"".join(b"<13>1 - h%d a - - - VAKAMARK line-%d.\n" % (i, i) for i in range(20)))
            o.wait(lambda: o.counted() >= 20, "alerts")
            people = [{r: o.hire(r.replace("-", "") + str(lane), r) for r in ROLES} for lane in range(lanes)]
            document = people[0]["admin"].get("/openapi.json")
            every = [(m, p, op) for p, methods in document["paths"].items() for m, op in methods.items()]
            usual = [x for x in every if x[2]["operationId"] not in APART]
            apart = [x for x in every if x[2]["operationId"] in APART]
            seen = collections.Counter()
            with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
                jobs = [pool.submit(run, o, people[lane], document, usual, REQUESTS // lanes, SEED + lane)
                        for lane in range(lanes)]
                for job in jobs:
                    seen += job.result()
            seen += run(o, people[0], document, apart, min(REQUESTS // 10, 1000), SEED + lanes)
            again, anew = ended_badly(o), begun_anew(o)
    waited = {what: seen.pop(("", what), 0) for what in ("later", "ended")}
    asked = {name for name, _ in seen if not name.startswith(NOT_HERE)}
    good = {name for name, status in seen if status == 200} & asked
    missing = {op["operationId"] for _, _, op in every} - {name for name, _ in seen}
    print(f"# {sum(seen.values())} requests, seed {SEED}; {len(asked)} operations, {len(good)} of them done")
    print(f"# {dict(sorted(collections.Counter(s for _, s in seen.elements()).items()))}")
    print(f"{'not ok' if missing else 'ok'} 1 - every operation was asked {missing or ''}")
    print(f"# told to come later {waited['later']} times; rules read anew {anew} times, {waited['ended']} connections ended")
    print(f"# never done: {sorted(asked - good)}")
    print(f"{'ok' if len(good) > len(asked) // 2 else 'not ok'} 2 - most were done")
    print(f"{'not ok' if again else 'ok'} 3 - no process ended, but to begin anew {again or ''}")
    print("1..3")
    return 1 if missing or again or len(good) <= len(asked) // 2 else 0


sys.exit(main())
