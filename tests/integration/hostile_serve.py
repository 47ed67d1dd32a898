#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka serve among senders that flood it, mislead it or say nothing: another source's records come
through, and what is lost is counted for who caused it. hostile_serve.py VAKA [--slow] [TEST...]. TAP.
"""
import json
import pathlib
import resource
import socket
import struct
import sys
import threading
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from peers import lumberjack  # noqa: E402
from serving import APART, Fail, Serve, holds, run_tests, same, test  # noqa: E402

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
SLOW = "--slow" in sys.argv
QUIET, FLOODER = "127.0.0.9", "127.0.0.2"
IDLE = 10000 if SLOW else 500
PER_ADDRESS = 100  # connections of one address: below the limit


class Quiet:
    """A source that sends one record at a time and expects its alert."""

    def __init__(self, serve):
        self.serve, self.sent = serve, 0

    def is_heard(self):
        with self.serve.tcp(source=QUIET) as s:
            s.sendall(b"<13>Nov 26 03:00:00 quiet-%d app: VAKAMARK\n" % self.sent)
        self.sent += 1
        self.serve.wait(lambda: self.hosts() >= {f"quiet-{i}" for i in range(self.sent)},
                        "the alert of the quiet source")

    def hosts(self):
        return {a["host"] for a in self.serve.found()}

    def lost_nothing(self):
        row = sources(self.serve, lambda rows: stored(rows.get(QUIET)) == self.sent)[QUIET]
        same(row["records"], {"received": self.sent, "stored": self.sent, "pending": 0, "lost": {}})


def stored(row):
    return row["records"]["stored"] if row else 0


def stored_of_all(serve):
    return serve.status()["collect"]["records"]["stored"]


def sources(serve, condition):
    """Rows of the ledger by address, once they are so; of one input each in these tests."""
    def rows(state):
        return {s["address"]: s for s in state["collect"]["sources"]}
    return rows(serve.shows(lambda state: condition(rows(state)), "rows of sources"))


# ---- floods -----------------------------------------------------------------------------------

class Flood(threading.Thread):
    """Sends as fast as it is taken, until it is told to end."""

    def __init__(self, serve):
        super().__init__(daemon=True)
        self.serve, self.sent, self.end = serve, 0, False

    def run(self):
        lines = (b"<13>Nov 26 03:00:00 flood app: " + b"x" * 990 + b"\n") * 100
        with self.serve.tcp(source=FLOODER) as s:
            while not self.end:
                s.sendall(lines)
                self.sent += 100
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass


@test
def a_flood_over_tcp_does_not_keep_others_out(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        flood, quiet = Flood(serve), Quiet(serve)
        flood.start()
        serve.wait(lambda: stored_of_all(serve) > 1000, "the flood")
        for _ in range(3):
            quiet.is_heard()
            same((flood.is_alive(), flood.end), (True, False))
        flood.end = True
        flood.join(60)
        rows = sources(serve, lambda rows: stored(rows.get(FLOODER)) == flood.sent)
        same(rows[FLOODER]["records"]["lost"], {})
        if flood.sent < 1000 * quiet.sent:
            raise Fail(f"that was no flood: {flood.sent}")
        quiet.lost_nothing()


@test
def a_flood_over_udp_costs_the_flooder(folder):
    n, line = 100000, b"<13>Nov 26 03:00:00 flood app: " + b"x" * 1400
    with Serve(VAKA, folder, APART).start() as serve:
        quiet = Quiet(serve)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((FLOODER, 0))
            s.connect(("127.0.0.1", serve.ports["syslog_udp"]))
            for i in range(n):
                s.send(line)
                if i % (n // 4) == n // 8:
                    quiet.is_heard()

            def all_is_told():
                """The kernel tells what it dropped with the next datagram that it did not."""
                nonlocal n
                s.send(line)
                n += 1
                records = serve.status()["collect"]["records"]
                return records["received"] >= n - 100 and records["pending"] == 0
            serve.wait(all_is_told, "what became of all")
        state = serve.shows(lambda state: state["collect"]["records"]["received"] == n + quiet.sent,
                            "every datagram is counted")
        records = state["collect"]["records"]
        same(records["received"], records["stored"] + sum(records["lost"].values()))
        quiet.lost_nothing()


# Expressions without a word to look for: each record goes through all of them.
SLOW_RULE = '''title: Slow
id: 0b6c5f0e-8f0e-4a58-9f43-6f5d8d1b7a02
status: test
level: low
logsource: {category: application}
detection:
  keywords:
    '|re': [%s]
  condition: keywords
'''


def with_slow_matching(folder):
    serve = Serve(VAKA, folder, APART)
    rules = ", ".join(f"'[a-w]+[0-9]{{{n}}}[^x]+[y-z]{{{n}}}'" for n in range(2, 60))
    (folder / "rules" / "slow.yml").write_text(SLOW_RULE % rules, encoding="utf-8")
    return serve.start()


@test
def who_sends_more_than_is_matched_waits(folder):
    with with_slow_matching(folder) as serve:
        flood, quiet = Flood(serve), Quiet(serve)
        flood.start()
        for _ in range(3):
            serve.shows(lambda s: s["collect"]["source_limit"] > 0, "that it is held back")
            quiet.is_heard()
            same((flood.is_alive(), flood.end), (True, False))
        flood.end = True
        flood.join(60)
        rows = sources(serve, lambda rows: stored(rows.get(FLOODER)) == flood.sent)
        same(rows[FLOODER]["records"]["lost"], {})
        quiet.lost_nothing()
        serve.shows(lambda s: s["collect"]["source_limit"] == 0, "that nobody is held back any more")


@test
def who_posts_more_than_is_matched_waits(folder):
    answers, end = set(), threading.Event()
    with with_slow_matching(folder) as serve:
        body = json.dumps({"message": "flood " + "x" * 990}).encode() + b"\n"

        def post():
            while not end.is_set():
                answers.add(serve.post("/api/ingest", body * 500))
        senders, quiet = [threading.Thread(target=post, daemon=True) for _ in range(4)], Quiet(serve)
        quiet.is_heard()
        for sender in senders:
            sender.start()
        for _ in range(3):
            serve.shows(lambda s: s["collect"]["source_limit"] > 0, "that it is held back")
            quiet.is_heard()
        end.set()
        for sender in senders:
            sender.join()
        same({(status, json.loads(answer)["taken"]) for status, answer in answers}, {(200, 500)})
        quiet.lost_nothing()


@test
def who_cannot_wait_loses_what_is_above_his_share(folder):
    line = b"<13>Nov 26 03:00:00 flood app: " + b"x" * 1400

    def share(rows):
        return rows[FLOODER]["records"]["lost"].get("share", 0)
    with with_slow_matching(folder) as serve, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        quiet, end = Quiet(serve), threading.Event()
        s.bind((FLOODER, 0))
        s.connect(("127.0.0.1", serve.ports["syslog_udp"]))

        def flood():
            while not end.is_set():
                s.send(line)
        sender = threading.Thread(target=flood, daemon=True)
        quiet.is_heard()
        sender.start()
        before = 0
        for _ in range(3):
            rows = sources(serve, lambda rows, least=before: FLOODER in rows and share(rows) > least)
            before = share(rows)
            quiet.is_heard()
        end.set()
        sender.join()
        state = serve.shows(lambda s: s["collect"]["records"]["pending"] == 0, "all is stored")
        same({r["address"] for r in state["collect"]["sources"] if "share" in r["records"]["lost"]},
             {FLOODER})
        quiet.lost_nothing()


# ---- what is not as it should be ---------------------------------------------------------------

def ends(serve, name, data):
    """Sent, it is hung up on; what was said before."""
    with serve.tcp(name, FLOODER) as s:
        s.sendall(data)
        said = b""
        while piece := s.recv(65536):
            said += piece
        return said


def gzip(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


@test
def frames_that_are_none_end_their_connection(folder):
    bomb = zlib.compress(b"".join(lumberjack(i, {"x": "x" * 60000}) for i in range(1, 1500)))
    frames = [
        ("relp", b"GET / HTTP/1.1\r\n\r\n"), ("relp", b"1 open 9999999999 x"), ("relp", b"1 syslog 3 abc\n"),
        ("lumberjack", b"1W\0\0\0\1"),
        ("lumberjack", b"2W\0\0\0\1" + b"2C\xff\xff\xff\xff"),
        ("lumberjack", b"2W\0\0\0\1" + b"2C\0\0\0\4abcd"),
        ("lumberjack", b"2W\0\0\x05\xdc2C" + struct.pack(">I", len(bomb)) + bomb),
        ("http", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000),
    ]
    with Serve(VAKA, folder, APART).start() as serve:
        quiet = Quiet(serve)
        for name, data in frames:
            try:
                ends(serve, name, data)
            except ConnectionError:
                pass
            except TimeoutError as why:
                raise Fail(f"{name} goes on after {data[:40]!r}") from why
            quiet.is_heard()
        state = serve.shows(lambda s: sum(r["broken"] for r in s["collect"]["sources"]
                                          if r["address"] == FLOODER) >= 7, "that it is counted")
        same({r["address"] for r in state["collect"]["sources"] if r["broken"]}, {FLOODER})
        same(state["collect"]["starts"], 1)
        quiet.lost_nothing()


@test
def requests_that_are_refused_are_told_why(folder):
    huge = b"[" + b" " * (20 << 20)
    requests = [
        (401, "/api/ingest", b"{}", [], None), (403, "/api/ingest", b"{}", [], "x" * 30),
        (403, "/_bulk", b"{}", [], "y" * 2000), (404, "/nowhere", b"{}", [], "right"),
        (413, "/api/ingest", huge, [], "right"),
        (413, "/api/ingest", gzip(b"\n" * (64 << 20)), ["Content-Encoding: gzip"], "right"),
        (413, "/_bulk", gzip(b"\n" * (64 << 20)), ["Content-Encoding: gzip"], "right"),
        (415, "/api/ingest", b"{}", ["Content-Encoding: br"], "right"),
        (400, "/api/ingest", b"{}", ["Content-Encoding: gzip"], "right"),
        (400, "/_bulk", b"nonsense\n", [], "right"),
        (400, "/services/collector", b"nonsense", [], "right"),
        (400, "/services/collector/ack", b"nonsense", [], "right"),
        (400, "/v1/logs", b"nonsense", ["Content-Type: application/json"], "right"),
        (400, "/v1/logs", b"\xff\xff", ["Content-Type: application/x-protobuf"], "right"),
    ]
    with Serve(VAKA, folder, APART).start() as serve:
        quiet = Quiet(serve)
        for status, path, body, headers, token in requests:
            known = {} if token == "right" else {"token": token}
            try:
                got, answer = serve.post(path, body, headers, **known)
            except ConnectionError:
                # It hung up while we were still sending: that is how a body too long ends.
                got, answer = 413 if body is huge else 0, b"{}"
            same((path, got), (path, status))
            if answer[:1] == b"{":
                json.loads(answer)
            quiet.is_heard()
        state = serve.shows(lambda s: s["collect"]["requests"]["lost"].get("credential") == 3 and
                            s["store"]["next"] == quiet.sent, "that nothing of it is stored")
        lost = state["collect"]["requests"]["lost"]
        same((lost["size"], lost["store"] > 0), (1, True))
        same((state["collect"]["starts"], state["unwrap"]["starts"]), (1, 1))
        quiet.lost_nothing()


def template(domain, number):
    """A NetFlow 9 datagram with one template of one field."""
    body = struct.pack(">HHHHHH", 0, 12, 256 + number, 1, 8, 4)
    return struct.pack(">HHIIII", 9, 1, 1, 1, number, domain) + body


@test
def floods_of_templates_are_bounded(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        quiet = Quiet(serve)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((FLOODER, 0))
            for domain in range(100):
                for number in range(100):
                    s.sendto(template(domain, number), ("127.0.0.1", serve.ports["flow_udp"]))
                quiet.is_heard() if domain % 25 == 0 else None

            def damaged_are_counted(state):
                # Again and again: whoever floods UDP loses some.
                for data in (b"\0\x09", b"\0\5\xff\xff" + b"x" * 100,
                             b"\0\x0a\xff\xff" + b"x" * 30, b"\xff" * 50):
                    s.sendto(data, ("127.0.0.1", serve.ports["flow_udp"]))
                return state["unwrap"]["flow_damaged"] >= 3
            state = serve.shows(damaged_are_counted, "damaged datagrams")
        if not 0 < state["unwrap"]["flow_templates"] <= 4096:
            raise Fail(f"{state['unwrap']['flow_templates']} templates")
        quiet.is_heard()
        quiet.lost_nothing()


# ---- connections that say nothing --------------------------------------------------------------

def addresses(n):
    return [f"127.0.1.{1 + i // PER_ADDRESS}" for i in range(n)]


@test
def idle_connections_keep_nobody_out(folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < IDLE + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, IDLE + 200), hard))
    names = ["syslog_tcp", "relp", "lumberjack", "http"]
    begun = {"syslog_tcp": b"<13>Nov", "relp": b"1 open 1", "lumberjack": b"2W\0\0",
             "http": b"POST /api/ingest HTTP/1.1\r\nHost: x\r\nContent-Le"}
    with Serve(VAKA, folder, APART).start() as serve:
        held = []
        try:
            for i, address in enumerate(addresses(IDLE)):
                name = names[i % 4]
                held.append(serve.tcp(name, address))
                if i % 8 < 4:
                    held[-1].sendall(begun[name])
            quiet = Quiet(serve)
            quiet.is_heard()
            same(serve.post("/api/ingest", b'{"message":"x"}')[0], 200)
            state = serve.shows(lambda s: sum(r["open"] for r in s["collect"]["sources"]) >=
                                sum(names[i % 4] != "http" for i in range(IDLE)), "that they are open")
            same(sum(r["refused"] for r in state["collect"]["sources"]), 0)
            quiet.is_heard()
            quiet.lost_nothing()
        finally:
            for s in held:
                s.close()


@test
def connections_of_one_address_are_bounded(folder):
    with Serve(VAKA, folder, APART).start() as serve:
        held = [serve.tcp(source=FLOODER) for _ in range(200)]
        Quiet(serve).is_heard()
        row = sources(serve, lambda rows: rows[FLOODER]["refused"] == 72)[FLOODER]
        same(row["open"], 128)
        for s in held:
            s.close()


@test
def slow_senders_of_requests_hold_only_themselves(folder):
    head = b"POST /api/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    with Serve(VAKA, folder, APART).start() as serve:
        held = [serve.tcp("http", FLOODER) for _ in range(100)]
        quiet = Quiet(serve)
        for i in range(len(head)):
            for s in held:
                s.sendall(head[i:i + 1])
            if i % 20 == 0:
                quiet.is_heard()
                same(serve.post("/api/ingest", b'{"message":"x"}')[0], 200)
        holds(serve.log_text(), "event=serve-ready")
        quiet.lost_nothing()
        for s in held:
            s.close()


sys.exit(run_tests([word for word in sys.argv[2:] if word != "--slow"]))
