#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka serve and sources in the cloud: pull.py VAKA [TEST...]. The cloud is cloud.py, which behaves as
the vendor's documentation says; nothing of this was tried against the vendor. Prints TAP."""
import collections
import contextlib
import json
import pathlib
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


@test
def all_pages_are_fetched_and_each_record_once(folder):
    with both(folder, "m365-management", "entra-sign-in") as (cloud, serve):
        cloud.signins += [signin(i, i % 3000) for i in range(1200)]
        for i in range(20):
            cloud.add_content("Audit.Exchange", [operation(f"{i}-{j}") for j in range(3)], ago=90 * i)
        with serve.start():
            serve.has(1260)
            serve.rests("m365-management", "entra-sign-in")
            same(serve.stop(), 0)
        rows = serve.stored()
        same(len(rows), 1260)
        same(collections.Counter((r["delivery"], r["ordinal"]) for r in rows).most_common(1)[0][1], 1)
        same({json.loads(r["raw"])["id"] for r in rows if r["listener"] == "entra-sign-in"},
             {r["id"] for r in cloud.signins})
        same(sorted((r["delivery"], r["ordinal"]) for r in rows if r["listener"] != "entra-sign-in"),
             sorted((c["id"], j) for c in cloud.contents for j in range(3)))
        # Ordered by time where that can be asked for.
        same(all("$orderby" in entry[3] for entry in cloud.asked("signins")), True)


@test
def who_says_wait_is_waited_for(folder):
    with both(folder, "entra-sign-in", "m365-management") as (cloud, serve):
        cloud.signins.append(signin("anna"))
        cloud.add_content("Audit.Exchange", [operation("a")])
        cloud.fault("signins", fakes.throttled(3), fakes.throttled(None))
        cloud.fault("blob", fakes.throttled(2))
        cloud.fault("token", fakes.throttled(1))
        with serve.start():
            serve.until(lambda: serve.of("entra-sign-in")["throttled_until"] > time.time() + 1,
                        "a pause in the status")
            holds(serve.ask("status"), "throttled")
            serve.has(2)
            serve.rests("entra-sign-in", "m365-management")
            same(serve.of("entra-sign-in")["throttled_until"], 0)
            same(serve.status()["pull"]["throttled"], 4)
            same(serve.status()["store"]["next"], 2)
        times = [entry[4] for entry in cloud.asked("signins")]
        same(times[1] - times[0] >= 3, True)
        times = [entry[4] for entry in cloud.asked("blob")]
        same(times[1] - times[0] >= 2, True)


@test
def what_is_broken_is_asked_for_again(folder):
    with both(folder, *KINDS) as (cloud, serve):
        cloud.signins.append(signin("anna"))
        cloud.audits.append(audit("eva"))
        cloud.alerts.append(alert("one"))
        cloud.add_content("Audit.Exchange", [operation("a"), operation("b")])
        cloud.fault("signins", fakes.truncated, fakes.no_json, fakes.broken_server)
        cloud.fault("audits", fakes.hang(5), fakes.reset)
        cloud.fault("alerts", fakes.not_array, fakes.broken_server)
        cloud.fault("blob", fakes.truncated, fakes.not_array, fakes.broken_server)
        cloud.fault("m365-content", fakes.no_json)
        cloud.fault("token", fakes.broken_server, fakes.no_json)
        with serve.start():
            serve.until(lambda: not any(cloud.faults.values()), "all failures")
            serve.has(5)
            serve.rests()
            same(raws(serve).most_common(1)[0][1], 1)
            same(serve.status()["store"]["next"], 5)
            same({s["state"] == "failing" for s in serve.status()["pull"]["sources"]}, {False})
            same({s["failure"] for s in serve.status()["pull"]["sources"]}, {""})


@test
def tokens_are_fetched_anew(folder):
    with both(folder, "entra-sign-in") as (cloud, serve):
        cloud.token_life = 3
        with serve.start():
            serve.until(lambda: len(cloud.asked("token")) >= 3, "a third token")
            same(serve.status()["pull"]["failures"], 0)
            cloud.token_life = 3600
            # All tokens are withdrawn: one new one is enough.
            cloud.tokens.clear()
            before = len(cloud.asked("token"))
            cloud.signins.append(signin("anna", 0))
            serve.has(1)
            same(len(cloud.asked("token")), before + 1)
            same(serve.status()["pull"]["failures"], 0)
            # One that is refused although it is new is a failure, and told.
            cloud.fault("signins", *[fakes.unauthorised] * 3)
            serve.until(lambda: "401" in serve.of("entra-sign-in")["failure"], "the failure")
            serve.until(lambda: serve.of("entra-sign-in")["failure"] == "", "its end")


@test
def secrets_are_replaced_by_a_reload(folder):
    with both(folder, "entra-sign-in") as (cloud, serve):
        cloud.secrets = {"another~secret"}
        cloud.signins.append(signin("anna"))
        with serve.start():
            serve.until(lambda: "AADSTS7000215" in serve.of("entra-sign-in")["failure"], "the failure")
            holds(serve.of("entra-sign-in")["failure"], "not its id")
            same(serve.of("entra-sign-in")["state"], "failing")
            serve.until(lambda: any(a["rule"]["id"] == "vaka.cloud-failing" for a in serve.alerts()),
                        "an alert of it")
            # What cannot be read leaves everything as it is.
            serve.secret.chmod(0o644)
            with contextlib.suppress(AssertionError):
                serve.ask("reload")
                raise Fail("a secret that all may read was taken")
            pid = serve.pids("pull")
            write_secret(serve.secret, "another~secret")
            serve.ask("reload")
            serve.has(1)
            same(serve.pids("pull") == pid, False)
            # A process that was told to end is no trouble.
            same([a for a in serve.alerts() if a["rule"]["id"] == "vaka.process-ended"], [])


@test
def sources_are_added_by_a_reload(folder):
    with both(folder, "entra-sign-in") as (cloud, serve):
        cloud.signins.append(signin("anna"))
        cloud.audits.append(audit("eva"))
        with serve.start():
            serve.has(1)
            text = serve.config.read_text(encoding="utf-8")
            serve.config.write_text(text + f"    - \"{serve.source('entra-audit')}\"\n", encoding="utf-8")
            serve.ask("reload")
            serve.has(2)
            serve.rests("entra-sign-in", "entra-audit")
            same(serve.status()["store"]["next"], 2)


@test
def what_comes_late_or_changes_is_fetched_and_repeats_are_not(folder):
    with both(folder, "entra-sign-in", "defender-alerts") as (cloud, serve):
        cloud.signins.append(signin("anna", 100))
        cloud.alerts.append(alert("one", 30))
        with serve.start():
            serve.has(2)
            serve.rests("entra-sign-in", "defender-alerts")
            with cloud.lock:
                cloud.signins.append(signin("late", 600))
                cloud.alerts.append(alert("one", 0, "resolved"))
                cloud.alerts.remove(cloud.alerts[0])
                cloud.alerts.append(alert("two", 700))
            serve.has(5)
            serve.rests("entra-sign-in", "defender-alerts")
            same(serve.status()["store"]["next"], 5)
            same(serve.status()["pull"]["repeats"] > 0, True)
        found = [r["delivery"].split("@")[0] for r in serve.stored()]
        same(sorted(found), ["da-one", "da-one", "da-two", "signin-anna", "signin-late"])


@test
def content_that_is_gone_is_left_out_and_told(folder):
    with both(folder, "m365-management") as (cloud, serve):
        cloud.add_content("Audit.Exchange", [operation("a")], name="one")
        cloud.expired.add(cloud.add_content("Audit.Exchange", [operation("b")], name="gone"))
        cloud.add_content("Audit.Exchange", [operation("c")], name="two")
        with serve.start():
            serve.has(2)
            serve.rests("m365-management")
            same(serve.of("m365-management")["expired"], 1)
            serve.until(lambda: any(a["rule"]["id"] == "vaka.cloud-content-lost"
                                    for a in serve.alerts()), "an alert of it")
            same(len([e for e in cloud.asked("blob") if e[2].endswith("/gone")]), 1)
            same(sorted(r["delivery"] for r in serve.stored()), ["one", "two"])


@test
def content_that_is_damaged_holds_up_nothing(folder):
    with both(folder, "m365-management") as (cloud, serve):
        cloud.damaged.add(cloud.add_content("Audit.Exchange", [operation("a")], name="damaged"))
        cloud.add_content("Audit.Exchange", [operation("b")], name="one")
        with serve.start():
            serve.has(1)
            same(serve.of("m365-management")["given_up"], 0)
            cloud.add_content("Audit.Exchange", [operation("c")], name="two")
            serve.has(2)
            serve.until(lambda: serve.of("m365-management")["given_up"] == 1, "its end")
            serve.rests("m365-management")
            before = len(cloud.asked("blob"))
            serve.rests("m365-management")
            same(len(cloud.asked("blob")), before)
            same(serve.of("m365-management")["cursor"] >= int(cloud.contents[-1]["created"]), True)
        same(sorted(r["delivery"] for r in serve.stored()), ["one", "two"])


@test
def what_is_too_large_is_bounded(folder):
    """Pages are asked for in smaller ones, content is left out; a record that is too long is cut."""
    with both(folder, "entra-sign-in", "m365-management", options="") as (cloud, serve):
        cloud.signins += [signin(i, i, text="x" * 900_000) for i in range(40)]
        cloud.signins.append(signin("long", 50, text="y" * 1_100_000))
        cloud.add_content("Audit.Exchange", [{**operation(i), "x": "z" * 900_000} for i in range(40)],
                          name="large")
        cloud.add_content("Audit.Exchange", [operation("small")], name="small")
        with serve.start():
            serve.has(42)
            serve.rests("entra-sign-in", "m365-management")
            same(serve.of("m365-management")["given_up"], 1)
            same(serve.status()["store"]["next"], 42)
            rows = {s["listener"]: s for s in serve.status()["collect"]["sources"]}
            same(rows["entra-sign-in"]["cut"], 1)
        tops = [int(e[3]["$top"]) for e in cloud.asked("signins")]
        same((tops[0], tops[-1] < 40), (500, True))


@test
def other_hosts_are_shown_no_token(folder):
    with both(folder, "entra-sign-in", "m365-management") as (cloud, serve), \
            Cloud(folder / "certificates") as other:
        cloud.signins.append(signin("anna"))

        def elsewhere(_):
            raise fakes.Reply(200, {"value": [], "@odata.nextLink": f"{other.origin}/v1.0/auditLogs/signIns"})

        def content_elsewhere(_):
            raise fakes.Reply(200, [{"contentId": "x", "contentUri": f"{other.origin}/x",
                                     "contentCreated": stamp(1), "contentType": "Audit.Exchange"}])
        cloud.fault("signins", elsewhere)
        cloud.fault("m365-content", *[content_elsewhere] * 3)
        with serve.start():
            serve.has(1)
            serve.rests("entra-sign-in", "m365-management")
            same(serve.of("entra-sign-in")["failures"] >= 1, True)
            same(serve.of("m365-management")["odd"] >= 1, True)
        same(other.log, [])


@test
def certificates_are_checked(folder):
    with both(folder, "entra-sign-in") as (cloud, serve):
        (folder / "certificates" / "ca.pem").write_bytes(
            (folder / "certificates" / "other.pem").read_bytes())
        with serve.start():
            serve.until(lambda: "not one that is trusted" in serve.of("entra-sign-in")["failure"],
                        "the failure")
            same(cloud.log, [])


@test
def a_feed_that_is_refused_holds_up_no_other(folder):
    with both(folder, "m365-management", "defender-alerts") as (cloud, serve):
        cloud.denied |= {"Audit.AzureActiveDirectory", "alerts"}
        cloud.add_content("Audit.Exchange", [operation("a")])
        with serve.start():
            serve.has(1)
            serve.rests("m365-management")
            source = serve.of("m365-management")
            same((source["state"], [f["refused"] for f in source["feeds"]]), ("failing", [True, False]))
            holds(source["failure"], "no permission ActivityFeed.Read")
            holds(serve.of("defender-alerts")["failure"], "no permission SecurityAlert.Read.All")
            holds(serve.ask("status"), "FAILING")


@test
def it_goes_on_where_it_was(folder):
    with both(folder, "m365-management", "entra-sign-in") as (cloud, serve):
        cloud.signins.append(signin("anna", 20))
        cloud.add_content("Audit.Exchange", [operation("a")], name="one", ago=20)
        with serve.start():
            serve.has(2)
            serve.rests("m365-management", "entra-sign-in")
            same(serve.stop(), 0)
            with cloud.lock:
                cloud.signins.append(signin("bo", 5))
                cloud.add_content("Audit.Exchange", [operation("b")], name="two")
                cloud.log.clear()
            serve.start()
            serve.has(4)
            serve.rests("m365-management", "entra-sign-in")
            same(serve.status()["store"]["next"], 4)
            same([e[2].rsplit("/", 1)[1] for e in cloud.asked("blob")], ["two"])
            # The day before was not asked for again.
            first = cloud.asked("signins")[0][3]["$filter"].split()[2]
            same(time.time() - fakes.parsed(first) < 3600, True)
            same(cloud.asked("m365-start"), [])


@test
def who_goes_on_from_a_backup_fetches_what_came_after_it(folder):
    with both(folder, "m365-management", "entra-sign-in") as (cloud, serve):
        cloud.signins.append(signin("before", 20))
        cloud.add_content("Audit.Exchange", [operation("before")], name="one", ago=20)
        with serve.start():
            serve.has(2)
            serve.rests("m365-management", "entra-sign-in")
            serve.ask("backup", folder / "backup")
            cloud.signins.append(signin("after", 1))
            cloud.add_content("Audit.Exchange", [operation("after")], name="two")
            serve.has(4)
            same(serve.stop(), 0)
            (serve.folder / "var").rename(serve.folder / "lost")
            serve.ask("restore", folder / "backup")
            serve.start()
            serve.has(4)
            serve.rests("m365-management", "entra-sign-in")
            same(sorted(r["delivery"] for r in serve.stored()),
                 ["one", "signin-after", "signin-before", "two"])


def disturb(serve, cloud, acts):
    """Records come while processes are killed; each is stored, and repeats say that they are."""
    sent = collections.Counter()
    for number, act in enumerate(acts):
        with cloud.lock:
            for i in range(20):
                name = f"{number}-{i}"
                cloud.signins.append(signin(name, 0))
                sent[f"signin-{name}", 0] += 1
                cloud.add_content("Audit.Exchange", [operation(f"{name}-{j}") for j in range(3)],
                                  name=f"c-{name}")
                sent.update((f"c-{name}", j) for j in range(3))
        cloud.fault("blob", fakes.truncated)
        cloud.fault("signins", fakes.broken_server)
        time.sleep(0.7)
        act()
    serve.until(lambda: set(sent) <= {(r["delivery"], r["ordinal"]) for r in serve.stored()},
                "every record")
    serve.rests("entra-sign-in", "m365-management")
    rows = serve.stored()
    same({(r["delivery"], r["ordinal"]) for r in rows}, set(sent))
    texts = collections.defaultdict(set)
    for row in rows:
        texts[row["delivery"], row["ordinal"]].add(row["raw"])
    same({len(t) for t in texts.values()}, {1})
    return len(rows) - len(sent)


@test
def nothing_is_lost_when_processes_are_killed(folder):
    with both(folder, "entra-sign-in", "m365-management") as (cloud, serve):
        with serve.start():
            def kill(*roles):
                return lambda: [serve.kill(role) for role in roles]
            disturb(serve, cloud, [kill("pull"), kill("collect"), kill("store"), kill("pull", "collect"),
                                   kill("unwrap", "pull", "store")])
            sums = {s["listener"]: s["records"] for s in serve.status()["collect"]["sources"]}
            for row in sums.values():
                same(row["received"], row["stored"] + row["pending"] + sum(row["lost"].values()))


@test
def nothing_is_lost_when_serve_is_killed(folder):
    with both(folder, "entra-sign-in", "m365-management") as (cloud, serve):
        with serve.start():
            def all_at_once():
                serve.kill_all()
                serve.start()

            def in_order():
                same(serve.stop(), 0)
                serve.start()
            repeats = disturb(serve, cloud, [all_at_once, in_order, all_at_once])
            # Of an end in order, nothing comes twice; of the others at most what was under way.
            same(repeats <= 2 * 80, True)


@test
def secrets_are_seen_nowhere(folder):
    with both(folder, *KINDS, more="log:\n  level: debug\n") as (cloud, serve):
        text = serve.config.read_text(encoding="utf-8")
        serve.config.write_text(text.replace("log:\n  level: info\n", "", 1), encoding="utf-8")
        cloud.fault("signins", fakes.unauthorised, fakes.unauthorised, fakes.no_json)
        cloud.fault("token", fakes.broken_server)
        cloud.signins.append(signin("anna"))
        with serve.start():
            serve.has(1)
            serve.rests()
            pid = serve.pids("pull")[0]
            limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
            if "role=pull level=none" not in serve.log_text():
                same([l.split()[4:6] for l in limits.splitlines() if "core file" in l], [["0", "0"]])
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            state = serve.ask("status", "-f", "json") + serve.ask("status")
            check = subprocess.run([VAKA, "pull", "check", "-c", serve.config], check=True, timeout=60,
                                   capture_output=True)
            same(serve.stop(), 0)
        tokens = list(cloud.tokens)
        same(len(tokens) >= 4, True)
        places = {"log": serve.log_text().encode(), "status": state.encode(), "command": command,
                  "check": check.stdout + check.stderr}
        for path in serve.folder.glob("var/**/*"):
            if path.is_file():
                places[str(path)] = path.read_bytes()
        same([place for place, text in places.items()
              for secret in [SECRET, *tokens] if secret.encode() in text], [])


def check(serve, *more):
    done = subprocess.run([VAKA, "pull", "check", "-c", serve.config, *more], check=False,
                          capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@test
def credentials_can_be_tried_before(folder):
    with both(folder, *KINDS) as (cloud, serve):
        cloud.denied.add("audits")
        status, out, _ = check(serve)
        same([line.split()[0] + " " + line.split()[2] for line in out.splitlines()],
             ["m365-management ok", "entra-sign-in ok", "entra-audit FAILED:", "defender-alerts ok"])
        same(status, 1)
        holds(out, "no permission AuditLog.Read.All")
        cloud.denied.clear()
        status, out, _ = check(serve, "-f", "json")
        same((status, [json.loads(line)["ok"] for line in out.splitlines()]), (0, [True] * 4))
        # Nothing was ordered by it.
        same((cloud.asked("m365-start"), cloud.subscribed), ([], set()))
        write_secret(serve.secret, "wrong")
        status, out, _ = check(serve)
        same((status, out.count("what Entra calls its value")), (1, 4))
        serve.secret.chmod(0o640)
        status, out, _ = check(serve)
        same((status, out.count("chmod 600")), (1, 4))
        write_secret(serve.secret)
        wrong = f"entra-audit tenant={TENANT} client=no-such-client secret={serve.secret}"
        for words, part in ((f"{wrong} login={cloud.origin} api={cloud.origin}", "this client id"),
                            (f"{wrong} login=https://127.0.0.1:9 api={cloud.origin}", "cannot be reached"),
                            (f"{wrong} login=https://no-such-host.invalid", "has no address"),
                            (f"{wrong} evry=5min", "did you mean `every`?"),
                            ("entra-audits", "did you mean `entra-audit`?"),
                            (f"entra-audit tenant={TENANT}", "needs client=")):
            status, out, err = check(serve, "--set", f"cloud.sources={words}")
            same(status, 1)
            holds(out + err, part)


@test
def a_secret_that_cannot_be_read_stops_nothing_else(folder):
    with both(folder, "entra-sign-in") as (cloud, serve):
        cloud.signins.append(signin("anna"))
        serve.secret.unlink()
        with serve.start():
            same(serve.post("/api/ingest", b'{"a":1}\n')[0], 200)
            serve.until(lambda: serve.of("entra-sign-in")["state"] == "failing", "the state")
            holds(serve.of("entra-sign-in")["failure"], "cloud.secret")
            write_secret(serve.secret)
            serve.ask("reload")
            serve.has(2)


@test
def mistakes_in_the_settings_are_told(folder):
    with both(folder, "entra-sign-in", options="evry=1s") as (_, serve):
        serve.start(ready=False)
        same(serve.process.wait(30), 1)
        holds(serve.log_text(), "cloud.sources: source 1: there is no evry=; did you mean `every`?")
        done = subprocess.run([VAKA, "config", "check", serve.config], check=False, capture_output=True,
                              timeout=60)
        same(done.returncode, 1)
        holds(done.stderr.decode(), "did you mean `every`?")


@test
def a_proxy_is_asked_to_connect(folder):
    proxy = Proxy()
    with both(folder, "entra-sign-in", proxy=proxy.port) as (cloud, serve):
        cloud.signins.append(signin("anna"))
        with serve.start():
            serve.has(1)
        same(set(proxy.seen), {("CONNECT", f"localhost:{cloud.port}")})
    proxy.close()


@test
def figures_are_told(folder):
    with both(folder, "entra-sign-in") as (cloud, serve):
        cloud.signins.append(signin("anna"))
        with serve.start():
            serve.has(1)
            serve.rests("entra-sign-in")
            with serve.tcp("http") as s:
                s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                          b"Authorization: Bearer test-token-0123456789abcdef\r\n\r\n")
                text = b""
                while piece := s.recv(65536):
                    text += piece
            labels = f'{{kind="entra-sign-in",tenant="{TENANT}"}}'
            holds(text.decode(), f"vaka_cloud_failing{labels} 0\n")
            holds(text.decode(), f"vaka_cloud_lag_seconds{labels} ")
            holds(text.decode(), "vaka_pull_records_total 1\n")
            serve.until(lambda: ("cloud", "entra-sign-in") in
                        {(s["input"], s["listener"]) for s in serve.status()["triage"]["sources"]},
                        "its health")
            holds(text.decode(), 'vaka_source_stored_records_total{input="cloud",listener="entra-sign-in"')
            table = serve.ask("status")
            holds(table, "entra-sign-in")
            holds(table, "1 records")


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:], together=4))
