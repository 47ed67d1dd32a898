#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka serve and sources in the cloud: pull.py VAKA [TEST...]. The cloud is cloud.py, which behaves as
the vendor's documentation says; nothing of this was tried against the vendor. Prints TAP."""
import collections
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import cloud as fakes  # noqa: E402
from cloud import CLIENT, SECRET, TENANT, Cloud, Proxy, stamp, write_secret  # noqa: E402
from peers import make_certificates  # noqa: E402
from serving import APART, Fail, Serve, holds, run_tests, same, test  # noqa: E402

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
KINDS = ("m365-management", "entra-sign-in", "entra-audit", "defender-alerts")
WITHIN = 60  # s; keeps a broken test from lasting for ever

RULES = """title: {title}
id: 6b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c{number}
status: test
level: high
logsource: {{{source}}}
detection:
  selection: {{{selection}}}
  condition: selection
"""


def signin(name, ago=1.0, **more):
    return {"id": f"signin-{name}", "createdDateTime": stamp(ago), "userDisplayName": name,
            "userPrincipalName": f"{name}@vallby.example", "userId": f"c-{name}", "appId": "d-1",
            "appDisplayName": "Office 365 Exchange Online", "ipAddress": "203.0.113.40",
            "clientAppUsed": "Browser", "conditionalAccessStatus": "notApplied",
            "isInteractive": True, "riskState": "none",
            "status": {"errorCode": 50126, "failureReason": "Invalid username or password."},
            "location": {"city": "Vallby", "countryOrRegion": "SE"}, **more}


def audit(name, ago=1.0):
    return {"id": f"Directory_{name}", "category": "RoleManagement", "result": "success",
            "activityDisplayName": "Add member to role", "activityDateTime": stamp(ago),
            "loggedByService": "Core Directory", "operationType": "Assign",
            "initiatedBy": {"user": {"id": "c-1", "userPrincipalName": f"{name}@vallby.example"}},
            "targetResources": [{"id": "c-9", "type": "User",
                                 "userPrincipalName": "vikarie7@vallby.example"}]}


def alert(name, ago=1.0, status="new"):
    return {"@odata.type": "#microsoft.graph.security.alert", "id": f"da-{name}", "status": status,
            "severity": "high", "serviceSource": "microsoftDefenderForEndpoint", "detectorId": "e0",
            "tenantId": TENANT, "title": f"Autostart was changed {name}", "category": "Persistence",
            "incidentWebUrl": "https://security.example/incidents/14",
            "createdDateTime": stamp(ago + 5), "lastUpdateDateTime": stamp(ago), "evidence": []}


def operation(name):
    return {"CreationTime": stamp(5)[:19], "Id": f"m-{name}", "Operation": "UserLoginFailed",
            "OrganizationId": TENANT, "RecordType": 15, "ResultStatus": "Failed",
            "UserType": 0, "Version": 1, "Workload": "AzureActiveDirectory",
            "ClientIP": "203.0.113.40", "UserId": f"{name}@vallby.example"}


class Pulled(Serve):
    """A serve with sources of a cloud of its own."""

    def __init__(self, folder, cloud, sources, certificates, more=APART, options="", proxy=None):
        self.secret = write_secret(pathlib.Path(folder) / "cloud.secret")
        self.cloud, self.options = cloud, options
        lines = "".join(f"    - \"{self.source(kind)}\"\n" for kind in sources)
        more += f"cloud:\n  trust: {certificates}/ca.pem\n  sources:\n{lines}"
        if proxy:
            more += f"  proxy: http://127.0.0.1:{proxy}\n"
        super().__init__(VAKA, folder, more)

    def source(self, kind):
        words = [kind, f"tenant={TENANT}", f"client={CLIENT}", f"secret={self.secret}",
                 f"login={self.cloud.origin}", f"api={self.cloud.origin}", "every=1s", "timeout=3s"]
        if kind == "m365-management":
            words.append("content=Audit.AzureActiveDirectory,Audit.Exchange")
        return " ".join(words + [self.options]).strip()

    def stored(self):
        """(delivery, ordinal) → how often, and the raw records."""
        done = subprocess.run([VAKA, "store", "cat", "-f", "json", self.folder / "var/store/0"],
                              capture_output=True, check=True, timeout=60)
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def of(self, kind):
        """What status says about that source."""
        return next(s for s in self.status()["pull"]["sources"] if s["kind"] == kind)

    def until(self, condition, what):
        self.wait(condition, what, WITHIN)

    def has(self, n):
        self.until(lambda: self.status()["store"]["next"] >= n, f"{n} records")

    def rests(self, *kinds):
        """Everything that there is now was asked for: twice, as a record may have come meanwhile."""
        for kind in kinds or KINDS:
            what = {"m365-management": "m365-content", "entra-sign-in": "signins",
                    "entra-audit": "audits", "defender-alerts": "alerts"}[kind]
            before = len(self.cloud.asked(what))
            self.until(lambda b=before, w=what: len(self.cloud.asked(w)) >= b + 4, f"{kind} rests")


def rules_of(serve):
    """A rule for each kind, by the log source that products/ and taxonomy/ give it."""
    for number, (title, source, selection) in enumerate((
            ("m365", "product: m365, service: audit", "Operation: UserLoginFailed"),
            ("signin", "product: azure, service: signinlogs", "clientAppUsed: Browser"),
            ("audit", "product: azure, service: auditlogs", "activityDisplayName: Add member to role"),
            ("alert", "category: application", "serviceSource: microsoftDefenderForEndpoint"),
    ), 20):
        (serve.folder / "rules" / f"{title}.yml").write_text(
            RULES.format(title=title, number=number, source=source, selection=selection),
            encoding="utf-8")


@contextlib.contextmanager
def both(folder, *sources, **options):
    certificates = folder / "certificates"
    certificates.mkdir()
    make_certificates(certificates)
    with Cloud(certificates) as cloud:
        yield cloud, Pulled(folder, cloud, sources, certificates, **options)


def raws(serve):
    return collections.Counter(row["raw"] for row in serve.stored())


@test
def every_kind_is_fetched_stored_and_matched(folder):
    with both(folder, *KINDS) as (cloud, serve):
        rules_of(serve)
        cloud.signins += [signin("anna"), signin("bo", 300)]
        cloud.audits += [audit("eva")]
        cloud.alerts += [alert("one")]
        cloud.add_content("Audit.AzureActiveDirectory", [operation("a"), operation("b")])
        cloud.add_content("Audit.Exchange", [operation("c")], ago=3000)
        with serve.start():
            serve.until(lambda: serve.counted() >= 7, "seven records with alerts")
            same(sorted({(a["rule"]["title"], a["source"]["input"], a["source"]["listener"],
                          a["source"]["identity"]) for a in serve.found()}),
                 sorted((title, "cloud", kind, f"{TENANT}/{CLIENT}") for title, kind in
                        zip(("m365", "signin", "audit", "alert"), KINDS)))
            serve.rests()
            same(serve.status()["store"]["next"], 7)
            rows = {s["listener"]: s["records"] for s in serve.status()["collect"]["sources"]}
            same({kind: (rows[kind]["received"], rows[kind]["stored"], rows[kind]["pending"])
                  for kind in KINDS},
                 {"m365-management": (3, 3, 0), "entra-sign-in": (2, 2, 0),
                  "entra-audit": (1, 1, 0), "defender-alerts": (1, 1, 0)})
            same(serve.stop(), 0)


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:]))
