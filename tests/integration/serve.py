#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka serve as its senders and its operator see it: serve.py VAKA [TEST...]. Prints TAP."""
import fcntl
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from peers import lumberjack, make_certificates  # noqa: E402
from serving import APART, RULE, Fail, Serve, holds, run_tests, same, test  # noqa: E402

VAKA = str(pathlib.Path(sys.argv[1]).resolve())


def event(name):
    return json.dumps({"User": name, "message": "a VAKAMARK"}).encode() + b"\n"


def users(serve):
    return [a["event"]["User"] for a in serve.found()]


@test
def numbers_that_were_matched_are_not_given_again(folder):
    """The journals are lost, and what was matched of them is known: new records are new."""
    with Serve(VAKA, folder, APART).start() as serve:
        same(serve.post("/api/ingest", b"".join(event(str(i)) for i in range(5)))[0], 200)
        serve.matched(5)
        same(serve.stop(), 0)
        for path in (serve.folder / "var" / "store" / "0").glob("journal-*"):
            path.unlink()
        serve.start()
        same(serve.status()["store"]["next"], 5)
        same(serve.post("/api/ingest", b"".join(event(str(i)) for i in range(5, 8)))[0], 200)
        serve.matched(8)
        same(serve.counted(), 8)


@test
def what_engines_read_is_not_given_back(folder):
    """A journal that they were told of is locked: who gives journals back in pieces has to wait."""
    with Serve(VAKA, folder, APART).start() as serve:
        same(serve.post("/api/ingest", event("anna"))[0], 200)
        serve.matched(1)
        journals = list((serve.folder / "var" / "store" / "0").glob("journal-*"))
        same(len(journals), 1)
        with open(journals[0], "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                raise Fail("it is not locked")
            except BlockingIOError:
                pass
        serve.kill("detect")
        serve.shows(lambda s: s["detect"]["starts"] == 2 and s["triage"]["matched"] == 1, "another one")
        same(serve.stop(), 0)


@test
def records_of_every_input_are_matched(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        with serve.tcp() as s:
            s.sendall(b"<13>Nov 26 03:00:00 h1 app: VAKAMARK by tcp\n21 <13>VAKAMARK counted.")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"<13>Nov 26 03:00:00 h2 app: VAKAMARK by udp",
                     ("127.0.0.1", serve.ports["syslog_udp"]))
        status, body = serve.post("/api/ingest", event("anna") + b"no json\n" + event("bo"))
        same(status, 200)
        same(json.loads(body), {"taken": 2, "refused": 1,
                                "errors": [{"line": 3 - 1, "reason": "not a JSON object"}]})
        serve.wait(lambda: serve.counted() == 5, "five records with alerts")
        alerts = serve.alerts()
        same(sorted({a["source"]["input"] for a in alerts}), ["http", "syslog-tcp", "syslog-udp"])
        same({a["source"]["identity"] for a in alerts if a["source"]["input"] == "http"}, {"tester"})
        same({a["rule"]["title"] for a in alerts}, {"Marker"})
        state = serve.shows(lambda s: s["store"]["next"] == 5 and
                            s["collect"]["records"]["stored"] == 3, "what came")
        same(state["collect"]["records"], {"received": 3, "stored": 3, "pending": 0, "lost": {}})
        same(serve.stop(), 0)


@test
def acknowledgements_by_number_are_of_what_is_stored(folder):
    channel = ["X-Splunk-Request-Channel: fe0ecfad-13d5-401b-847d-77833bd77131",
               "Idempotency-Key: no-channel"]

    def acks(*numbers):
        status, body = serve.post("/services/collector/ack",
                                  json.dumps({"acks": numbers}).encode(), channel)
        return status, json.loads(body).get("acks")
    with Serve(VAKA, folder, APART).start() as serve:
        same(acks(0, 1), (200, {"0": False, "1": False}))
        for number in range(2):
            status, body = serve.post("/services/collector/event",
                                      b'{"event":"a VAKAMARK"}', channel)
            same((status, json.loads(body)),
                 (200, {"text": "Success", "code": 0, "ackId": number}))
        same(acks(0, 1, 2), (200, {"0": True, "1": True, "2": False}))
        same(json.loads(serve.post("/services/collector/event", b'{"event":"x"}')[1]),
             {"text": "Success", "code": 0})
        same(serve.post("/services/collector/ack", b'{"acks":[0]}')[0], 400)
        serve.wait(lambda: serve.counted() == 2, "two records with alerts")


@test
def elasticsearch_says_its_name_once(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        for path, body in [("/logs/_bulk", b'{"index":{}}\n' + event("a")), ("/_bulk", b"no")]:
            _, head, body = serve.exchange(path, body)
            same([line for line in head if "elastic" in line.lower()],
                 ["X-Elastic-Product: Elasticsearch"])
            if path != "/_bulk":
                same(json.loads(body)["items"][0]["index"]["_index"], "logs")


@test
def alerts_can_be_followed_from_where_a_reader_was(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        serve.post("/api/ingest", event("one") + event("two"))
        serve.wait(lambda: len(serve.alerts()) == 2, "two alerts")
        first = serve.alerts()[0]["id"]
        with subprocess.Popen([VAKA, "alerts", "--follow", "-f", "json", "--after", str(first), "-c",
                               serve.config], cwd=folder, stdout=subprocess.PIPE) as follower:
            same(json.loads(follower.stdout.readline())["event"]["User"], "two")
            serve.post("/api/ingest", event("three"))
            same(json.loads(follower.stdout.readline())["event"]["User"], "three")
            follower.terminate()
        table = serve.ask("alerts", "--last", "1")
        holds(table, "Marker")
        holds(table, "VAKAMARK")
        same(len(table.splitlines()), 2)


@test
def one_alert_says_what_is_to_be_done_first(folder):
    with Serve(VAKA, folder, APART) as serve:
        with open(serve.folder / "rules" / "marker.yml", "a", encoding="utf-8") as rule:
            rule.write("vaka:\n  respond:\n    sv: Spärra kontot.\n    en: Disable the account.\n")
        serve.start()
        serve.post("/api/ingest", event("one") + event("two"))
        serve.wait(lambda: len(serve.alerts()) == 2, "two alerts")
        second = serve.alerts()[1]["id"]
        one = json.loads(serve.ask("alerts", "-f", "json", str(second)))
        same(one["event"]["User"], "two")
        same(one["rule"]["respond"], {"sv": "Spärra kontot.", "en": "Disable the account."})
        rows = serve.ask("alerts", str(second)).splitlines()
        holds(rows[0], f"#{second}")
        same(rows[2:], ["    sv: Spärra kontot.", "    en: Disable the account."])
        same(serve.ask("alerts", str(second + 1), status=1), "")
        for wrong in (["0"], ["x"], ["1", "--last", "1"], ["1", "2"]):
            serve.ask("alerts", *wrong, status=2)


@test
def who_reads_slowly_gets_all_alerts(folder):
    """More than the socket and the process behind it keep."""
    with Serve(VAKA, folder, APART).start() as serve:
        names = [f"u{i}" for i in range(3000)]
        for at in range(0, len(names), 100):
            body = b"".join(json.dumps({"User": name, "message": "VAKAMARK " + 9000 * "x"}).encode() + b"\n"
                            for name in names[at:at + 100])
            same(serve.post("/api/ingest", body)[0], 200)
        serve.matched(len(names))
        asked = serve.status()["control"]["asked"]
        with subprocess.Popen([VAKA, "alerts", "-f", "json", "-c", serve.config], cwd=folder,
                              stdout=subprocess.PIPE) as reader:
            # Others are answered meanwhile.
            serve.wait(lambda: serve.status()["control"]["asked"] >= asked + 20, "twenty more questions")
            lines = reader.stdout.read().splitlines()
            same(reader.wait(30), 0)
        same([json.loads(line)["event"]["User"] for line in lines], names)
        last = json.loads(serve.ask("alerts", "-f", "json", "--last", "100").splitlines()[-1])
        same(last["event"]["User"], names[99])


@test
def alike_alerts_are_counted_not_repeated(folder):
    with Serve(VAKA, folder).start() as serve:
        for _ in range(5):
            serve.post("/api/ingest", event("eva") * 20)
        serve.post("/api/ingest", event("eve"))
        serve.wait(lambda: serve.counted() == 101, "101 records")
        same(sorted((a["event"]["User"], a["count"]) for a in serve.alerts()),
             [("eva", 100), ("eve", 1)])


@test
def what_was_sealed_is_what_was_sent(folder):
    lines = [f"<13>Nov 26 03:00:00 h{i % 50} app: record {i} {random.Random(i).randbytes(200).hex()}"
             for i in range(8000)]
    with Serve(VAKA, folder).start() as serve:
        with serve.tcp() as s:
            s.sendall("".join(line + "\n" for line in lines).encode())
        serve.shows(lambda s: s["seal"]["segments"] >= 2 and s["seal"]["tree"] == 8000, "segments")
        serve.shows(lambda s: s["seal"]["signed"] == 8000, "a checkpoint of all")
        same(serve.stop(), 0)
        records = next(p for p in (folder / "var" / "store").iterdir() if p.is_dir())
        done = subprocess.run([VAKA, "verify", "-k", folder / "var" / "keys" / "log.pub", records],
                              capture_output=True, check=False, timeout=60)
        same((done.returncode, done.stderr), (0, b""))
        holds(done.stdout.decode(), "signed: 8000 of 8000")
        got = subprocess.run([VAKA, "store", "cat", records], capture_output=True, check=True,
                             timeout=60).stdout.decode()
        same(got.splitlines(), lines)


@test
def what_the_kernel_dropped_is_told_with_the_sources(folder):
    with Serve(VAKA, folder, "").start() as serve:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            # More than the socket keeps, faster than it is read.
            os.kill(serve.pids("collect")[0], signal.SIGSTOP)
            for _ in range(20000):
                s.sendto(b"<13>Nov 26 03:00:00 h app: " + b"x" * 1000,
                         ("127.0.0.1", serve.ports["syslog_udp"]))
            os.kill(serve.pids("collect")[0], signal.SIGCONT)

        def told(state):
            sums = [source["records"] for source in state["collect"]["sources"]]
            lost = sum(s["lost"].get("kernel", 0) for s in sums)
            return lost > 0 and lost + sum(s["stored"] for s in sums) == 20000
        serve.shows(told, "every datagram, with a source")


class Sender(threading.Thread):
    """Posts events with names of their own until it is told to end; what got a 200 is acknowledged,
    everything else is sent again, as a shipper does."""

    def __init__(self, serve, name, size=5):
        super().__init__()
        self.serve, self.label, self.size = serve, name, size
        self.acknowledged = []
        self.end = False

    def run(self):
        n = 0
        while not self.end:
            names = [f"{self.label}-{n + i}" for i in range(self.size)]
            body = b"".join(map(event, names))
            try:
                status, _ = self.serve.post("/api/ingest", body)
            except OSError:
                status = 0
            if status == 200:
                self.acknowledged += names
                n += self.size
            else:
                time.sleep(0.02)


@test
def killed_processes_lose_nothing_that_was_acknowledged(folder):
    random.seed(20261126)
    with Serve(VAKA, folder, APART).start() as serve:
        senders = [Sender(serve, f"s{i}") for i in range(3)]
        for sender in senders:
            sender.start()
        for role in ["store", "detect", "triage", "unwrap", "collect", "store", "control"] * 2:
            time.sleep(random.uniform(0.05, 0.4))
            serve.kill(role)
        time.sleep(0.5)
        for sender in senders:
            sender.end = True
            sender.join()
        sent = [name for sender in senders for name in sender.acknowledged]
        if len(sent) < 100:
            raise Fail(f"only {len(sent)} records were acknowledged")
        serve.wait(lambda: set(sent) <= set(users(serve)), "every acknowledged record has its alert")
        serve.shows(lambda s: s["triage"]["matched"] == s["store"]["next"], "all is matched")
        same(serve.stop(), 0)


@test
def killed_as_a_whole_it_goes_on_where_it_was(folder):
    random.seed(7)
    with Serve(VAKA, folder, APART).start() as serve:
        sent = []
        for number in range(4):
            sender = Sender(serve, f"r{number}")
            sender.start()
            time.sleep(random.uniform(0.3, 0.7))
            serve.kill_all()
            sender.end = True
            sender.join()
            sent += sender.acknowledged
            serve.start()
        serve.wait(lambda: set(sent) <= set(users(serve)), "every acknowledged record has its alert")
        # Each record once: what was matched again had its alerts already.
        serve.shows(lambda s: s["triage"]["matched"] == s["store"]["next"] == serve.counted() > 0,
                    "as many records with alerts as are stored")


@test
def a_store_that_ends_before_its_first_record_leaves_nothing_unsealed(folder):
    """The journal that it had begun is another file of the same name then."""
    with Serve(VAKA, folder, "  checkpoint: 1s\n" + APART).start() as serve:
        serve.shows(lambda s: s["seal"]["checkpoints"] > 0, "seal has what the store told")
        before = serve.pids("store")
        serve.kill("store")
        serve.wait(lambda: serve.pids("store") not in ([], before), "another store")
        names = [f"late-{i}" for i in range(300)]
        same(serve.post("/api/ingest", b"".join(map(event, names)))[0], 200)
        state = serve.shows(lambda s: s["seal"]["tree"] == 300, "all are in the tree")
        same(state["seal"]["lost"], 0)
        serve.wait(lambda: sorted(users(serve)) == sorted(names), "each has its alert")


@test
def tcp_senders_lose_nothing_when_the_store_is_killed(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        lines = [f"<13>Nov 26 03:00:00 h app: VAKAMARK number-{i}\n".encode() for i in range(6000)]
        with serve.tcp() as s:
            for i in range(0, len(lines), 500):
                s.sendall(b"".join(lines[i:i + 500]))
                if i % 2000 == 0:
                    serve.kill("store")
                    time.sleep(0.05)
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass
        state = serve.shows(lambda s: s["collect"]["records"]["stored"] == 6000 and
                            s["triage"]["matched"] == s["store"]["next"] >= 6000, "6000 stored")
        same(state["collect"]["records"]["lost"], {})
        same(serve.counted(), state["store"]["next"])


@test
def new_rules_are_taken_and_bad_ones_refused(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        serve.post("/api/ingest", event("before"))
        other = json.dumps({"User": "x", "message": "OTHERMARK"}).encode() + b"\n"
        serve.post("/api/ingest", other)
        (folder / "rules" / "other.yml").write_text(
            RULE.format(marker="OTHERMARK").replace("6b2a6a4e", "7b2a6a4e"), encoding="utf-8")
        serve.ask("reload")
        serve.wait(lambda: "event=rules-reloaded" in serve.log_text(), "new rules")
        serve.wait(lambda: serve.status()["detect"]["rules"] == 2, "two rules")
        serve.post("/api/ingest", other.replace(b'"x"', b'"y"'))
        serve.wait(lambda: sorted(users(serve)) == ["before", "y"], "an alert of the new rule")
        serve.config.write_text(serve.config.read_text().replace("rules: rules", "rules: nowhere"))
        serve.process.send_signal(signal.SIGHUP)
        serve.wait(lambda: "event=reload-failed" in serve.log_text(), "the refusal")
        serve.post("/api/ingest", other.replace(b'"x"', b'"z"'))
        serve.wait(lambda: sorted(users(serve)) == ["before", "y", "z"], "the rules before")


@test
def what_happens_to_vaka_itself_is_an_alert(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        serve.kill("store")
        serve.kill("triage")

        def told():
            return {m["value"] for a in serve.alerts() if a["rule"]["id"] == "vaka.process-ended"
                    for m in a["matched"] if m["field"] == "process"}
        serve.wait(lambda: told() == {"store", "triage"}, "both ends")
        serve.config.write_text(serve.config.read_text().replace("rules: rules", "rules: nowhere"))
        serve.ask("reload")
        serve.wait(lambda: "vaka.reload-failed" in {a["rule"]["id"] for a in serve.alerts()},
                   "the reload that failed")


CORRELATION = """title: Failing
id: 11111111-2222-4333-8444-555555555555
name: failing
logsource: {category: application}
detection:
  keywords: ['FAILMARK']
  condition: keywords
---
title: Many failures
id: 21111111-2222-4333-8444-555555555555
level: high
correlation:
  type: event_count
  rules: [failing]
  group-by: [User]
  timespan: 4s
  condition: {gte: 6}
"""


@test
def correlations_go_on_over_ends_of_processes(folder):
    """Six failures within four seconds, and every process that could forget them killed between;
    each correlation is told once."""
    serve = Serve(VAKA, folder, APART)
    (folder / "rules" / "many.yml").write_text(CORRELATION, encoding="utf-8")

    def fail(user, times):
        record = json.dumps({"User": user, "message": "FAILMARK"}).encode() + b"\n"
        same(serve.post("/api/ingest", record * times)[0], 200)

    def firings():
        return sorted(a["correlation"]["group"]["User"] for a in serve.found() if
                      a["rule"]["title"] == "Many failures")

    with serve.start():
        fail("anna", 3)
        fail("bo", 3)
        serve.shows(lambda s: s["triage"]["matched"] == 6, "what came first")
        serve.kill("detect")
        serve.kill("triage")
        fail("anna", 3)
        serve.shows(lambda s: s["triage"]["matched"] == 9 and s["detect"]["replayed"] >= 6,
                    "what came between")
        serve.wait(lambda: firings() == ["anna"], "anna's six failures")
        for _ in range(2):
            serve.kill("detect")
            serve.shows(lambda s: s["detect"]["replayed"] >= 9 and s["detect"]["up_s"] < 3, "a start")
        fail("cy", 6)
        serve.wait(lambda: firings() == ["anna", "cy"], "cy's, and nothing told twice")


@test
def correlations_are_told_when_they_become_true(folder):
    """Not when their window ends, which is an hour away."""
    serve = Serve(VAKA, folder, APART)
    (folder / "rules" / "many.yml").write_text(CORRELATION.replace("4s", "1h"), encoding="utf-8")
    record = json.dumps({"User": "anna", "message": "FAILMARK"}).encode() + b"\n"
    with serve.start():
        same(serve.post("/api/ingest", record * 5)[0], 200)
        serve.matched(5)
        same(serve.found(), [])
        same(serve.post("/api/ingest", record)[0], 200)
        serve.wait(lambda: serve.found(), "the sixth failure")
        same(serve.post("/api/ingest", record * 7)[0], 200)
        serve.matched(13)
        serve.kill("detect")
        serve.shows(lambda s: s["detect"]["replayed"] >= 13, "a start")
        same([(a["rule"]["title"], a["correlation"]["count"], a["count"]) for a in serve.found()],
             [("Many failures", 6, 1)])


@test
def only_who_has_a_token_may_send(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        same(serve.post("/api/ingest", event("eve"), token=None)[0], 401)
        same(serve.post("/api/ingest", event("eve"), token="wrong-token-0123456789")[0], 403)
        same(serve.post("/nowhere", b"")[0], 404)
        state = serve.shows(lambda s: s["collect"]["requests"]["received"] == 2 and
                            s["store"]["next"] == 0, "two requests and nothing stored")
        same(state["collect"]["requests"]["lost"], {"credential": 2})


@test
def mistakes_are_told_before_anything_runs(folder):
    serve = Serve(VAKA, folder)
    for change, told in (("syslog_tcp: nonsense", "listen.syslog_tcp: `nonsense` is not an address"),
                         ("syslog_tcp: 192.0.2.1:9", "listen.syslog_tcp: 192.0.2.1:9: "),
                         ("syslog_tls: 127.0.0.1:9999", "listen.syslog_tls needs tls.certificate")):
        text = serve.config.read_text(encoding="utf-8")
        key = change.split(":", maxsplit=1)[0]
        lines = [line for line in text.splitlines() if not line.startswith(f"  {key}:")]
        at = lines.index("listen:") + 1
        other = folder / "other.yaml"
        other.write_text("\n".join(lines[:at] + ["  " + change] + lines[at:]) + "\n")
        done = subprocess.run([VAKA, "serve", "-c", other], cwd=folder, capture_output=True,
                              timeout=60, check=False)
        same(done.returncode, 1)
        holds(done.stderr.decode(), told)
    (folder / "tokens").chmod(0o644)
    done = subprocess.run([VAKA, "serve", "-c", serve.config], cwd=folder, capture_output=True,
                          timeout=60, check=False)
    same(done.returncode, 1)
    holds(done.stderr.decode(), "chmod 600")


@test
def a_first_start_that_was_cut_short_is_made_good(folder):
    """The half of a key that a start left behind does not keep it from starting ever after."""
    serve = Serve(VAKA, folder)
    keys = folder / "var" / "keys"
    keys.mkdir()
    (keys / "log.pub").write_text("")
    (keys / "log.key.new").write_text("half")
    with serve.start():
        serve.shows(lambda s: s["seal"]["checkpoints"] > 0, "a checkpoint")
    same(sorted(path.name for path in keys.glob("log.*")), ["log.key", "log.pub", "log.signed"])


@test
def who_reads_alerts_slowly_gets_all_of_them(folder):
    """More than is kept for somebody who does not read; each once, in their order, and what comes later."""
    much, n = "x" * 8000, 3000
    with Serve(VAKA, folder, APART).start() as serve, \
            subprocess.Popen([VAKA, "alerts", "--follow", "-f", "json", "-c", serve.config], cwd=folder,
                             stdout=subprocess.PIPE) as follower:
        for first in range(0, n, 500):
            serve.post("/api/ingest", b"".join(
                json.dumps({"User": f"u{i}", "message": f"a VAKAMARK {much}"}).encode() + b"\n"
                for i in range(first, first + 500)))
        serve.shows(lambda s: s["triage"]["alerts_added"] >= n, "all alerts")
        serve.post("/api/ingest", json.dumps({"User": f"u{n}", "message": "a VAKAMARK"}).encode() + b"\n")
        told = [json.loads(follower.stdout.readline()) for _ in range(n + 1)]
        follower.terminate()
    same([alert["event"]["User"] for alert in told], [f"u{i}" for i in range(n + 1)])
    same([alert["id"] for alert in told], sorted({alert["id"] for alert in told}))


@test
def two_do_not_share_one_folder(folder):
    with Serve(VAKA, folder).start() as serve:
        done = subprocess.run([VAKA, "serve", "-c", serve.config], cwd=folder, capture_output=True,
                              timeout=60, check=False)
        same(done.returncode, 1)
        holds(done.stderr.decode(), "Vaka runs there already")


TLS = {
    "syslog_tls": lambda s: s.sendall(b"%d %s" % (len(SAID), SAID)),
    "relp_tls": lambda s: relp(s, SAID),
    "lumberjack_tls": lambda s: beats(s, {"message": "a VAKAMARK"}),
}
SAID = b"<13>Nov 26 03:00:00 h app: a VAKAMARK"


def relp(s, record):
    """One record; returns with its answer."""
    s.sendall(b"1 open 14 relp_version=0\n2 syslog %d %s\n" % (len(record), record))
    answers = b""
    while b"2 rsp" not in answers:
        piece = s.recv(4096)
        if not piece:
            raise ConnectionError("no answer")
        answers += piece


def beats(s, document):
    s.sendall(b"2W\0\0\0\1" + lumberjack(1, document))
    answers = b""
    while not answers.endswith(b"2A\0\0\0\1"):
        piece = s.recv(4096)
        if not piece:
            raise ConnectionError("no answer")
        answers += piece


@test
def only_who_has_a_certificate_may_send_over_tls(folder):
    make_certificates(folder)
    with Serve(VAKA, folder, APART, tls=folder).start() as serve:
        for name, send in TLS.items():
            for who in (None, "stranger", "expired"):
                try:
                    with serve.tls(name, folder, who) as s:
                        send(s)
                        refused = s.recv(1) == b""
                except (ssl.SSLError, ConnectionError):
                    refused = True
                same((name, who, refused), (name, who, True))
            with serve.tls(name, folder, "client") as s:
                send(s)
        serve.wait(lambda: len(serve.alerts()) >= 3, "three alerts")
        same(sorted((a["source"]["input"], a["source"]["identity"]) for a in serve.alerts()),
             [(name.replace("_", "-"), "fw1.example.org") for name in sorted(TLS)])
        # Who was refused is counted where he came from.
        state = serve.shows(lambda s: s["store"]["next"] == s["collect"]["records"]["stored"] == 3,
                            "nothing else is stored")
        same({s["input"]: s["connections"] for s in state["collect"]["sources"]
              if not s["identity"]}, {name.replace("_", "-"): 3 for name in TLS})


@test
def tls_without_a_certificate_does_not_start(folder):
    with Serve(VAKA, folder, tls=folder) as serve:
        text = serve.config.read_text().split("\ntls:")[0]
        serve.config.write_text(text)
        serve.start(ready=False)
        serve.wait(lambda: "tls needs tls.certificate and tls.key" in serve.log_text(), "the reason")


sys.exit(run_tests(sys.argv[2:], together=3))
