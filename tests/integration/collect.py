#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The collecting room against senders: our own, which are exact, and those that cities run.

    collect.py PROGRAM     the test program collect-sink

rsyslog, curl, logger, socat and systemd-journal-upload are used when they are installed, syslog-ng
also from a folder that its packages were unpacked in (SYSLOG_NG_ROOT): it cannot be installed beside
rsyslog.
"""
import base64
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from common import Tap  # noqa: E402
from peers import (JOURNAL_REMOTE, JOURNAL_UPLOAD, lumberjack, make_certificates, make_journal,  # noqa: E402
                     syslog_ng)

PROGRAM = sys.argv[1]
TOKEN = "a-token-that-is-long-enough"
PATIENCE = 60


class Sink:
    """The room, running; what it handed on."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.lines = []
        self.ports = {}
        self.ledger = {}
        self.state = None
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        wanted = sum(1 for argument in arguments if argument.count(",") >= 3 and
                     not argument.startswith((TOKEN, "file,", "journal,")))
        self.wait(lambda: len(self.ports) == wanted or self.process.poll() is not None)

    def read(self):
        for line in self.process.stdout:
            line = json.loads(line)
            with self.changed:
                if "listening" in line:
                    self.ports[line["listening"]] = line["port"]
                elif "state" in line:
                    self.state = line["state"]
                elif "ledger" in line:
                    self.ledger[line["ledger"]] = line
                else:
                    self.lines.append(line)
                self.changed.notify_all()

    def wait(self, condition):
        with self.changed:
            return self.changed.wait_for(condition, PATIENCE)

    def wait_lines(self, n):
        self.wait(lambda: len(self.lines) >= n)
        return self.lines

    def connect(self, name):
        s = socket.create_connection(("127.0.0.1", self.ports[name]), PATIENCE)
        return s

    def release(self):
        self.process.send_signal(signal.SIGUSR1)

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        self.reader.join(PATIENCE)
        status = self.process.wait(PATIENCE)
        errors = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        return status, errors


def balanced(row):
    """Everything that was received went exactly one way."""
    for kind in ("records", "requests"):
        sums = dict(row[kind])
        if sums.pop("received") != sum(sums.values()):
            return False
    return True


def finish(tap, sink, name):
    status, errors = sink.stop()
    tap.ok(status == 0 and not errors, f"{name}: ends well", f"{status} {errors}")
    tap.ok(sink.ledger and all(balanced(row) for row in sink.ledger.values()),
           f"{name}: the ledger balances", sink.ledger)


def total(sink, kind, what):
    return sum(row[kind].get(what, 0) for row in sink.ledger.values())


# ---- TLS --------------------------------------------------------------------------------------

def tls_row(folder, input_name, name, how):
    return (f"{input_name},{name},127.0.0.1,0,{folder}/server.pem,{folder}/server.key,"
            f"{folder}/ca.pem,{how}")


def tls_connect(sink, name, folder, who=None):
    context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    if who:
        context.load_cert_chain(f"{folder}/{who}.pem", f"{folder}/{who}.key")
    return context.wrap_socket(sink.connect(name), server_hostname="localhost")


# ---- syslog -----------------------------------------------------------------------------------

def send_in_pieces(s, data, seed):
    dice = random.Random(seed)
    while data:
        n = dice.choice((1, 2, 7, 100, 5000))
        s.sendall(data[:n])
        data = data[n:]


def test_tcp(tap):
    sink = Sink("--record-max", "100", "syslog-tcp,t,127.0.0.1,0")
    lines = [f"<34>line {i}" for i in range(300)]
    counted = [f"<34>counted\n{i}" for i in range(300)]
    with sink.connect("t") as s:
        send_in_pieces(s, "".join(f"{line}\n" for line in lines).encode(), 1)
        send_in_pieces(s, "".join(f"{len(c)} {c}" for c in counted).encode(), 2)
        s.sendall(b"<34>" + b"x" * 500 + b"\n<34>last")
    got = sink.wait_lines(602)
    tap.equal([r["raw"] for r in got],
              lines + counted + ["<34>" + "x" * 96, "<34>last"], "tcp: both framings, in pieces")
    tap.equal({(r["source"], r["tenant"], r["format"]) for r in got},
              {("syslog-tcp\tt\t\t127.0.0.1", 3, "syslog")}, "tcp: who sent it")
    tap.equal(got[600]["flags"] & 2, 2, "tcp: a cut record says so")
    finish(tap, sink, "tcp")
    tap.equal(sink.ledger["syslog-tcp\tt\t\t127.0.0.1"]["cut"], 1, "tcp: a cut record is counted")


def test_udp_counts_exactly(tap):
    """The kernel's buffer overflows while nobody reads."""
    sent = 4000
    sink = Sink("--receive-buffer", "65536", "syslog-udp,u,127.0.0.1,0")
    sink.process.send_signal(signal.SIGSTOP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(sent):
            s.sendto(f"<34>{i}".encode(), ("127.0.0.1", sink.ports["u"]))
        sink.process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        s.sendto(b"<34>last\n", ("127.0.0.1", sink.ports["u"]))
    sink.wait(lambda: sink.lines and sink.lines[-1]["raw"] == "<34>last")
    finish(tap, sink, "udp")
    tap.equal(total(sink, "records", "received"), sent + 1, "udp: received and dropped is sent")
    tap.equal(total(sink, "records", "stored"), len(sink.lines), "udp: stored is what came out")
    tap.ok(total(sink, "records", "kernel") > 0, "udp: the kernel did drop some", sink.ledger)


def test_udp_sheds(tap):
    """Too much waits for the store: datagrams are dropped and counted, never queued."""
    sink = Sink("--hold", "--unacked", str(8 << 20), "--receive-buffer", str(64 << 20),
                "syslog-udp,u,127.0.0.1,0")
    sent = 400
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(sent):
            s.sendto(b"x" * 60000, ("127.0.0.1", sink.ports["u"]))
            time.sleep(0.0005)
    time.sleep(0.5)
    sink.release()
    time.sleep(0.5)
    finish(tap, sink, "shedding")
    tap.equal(total(sink, "records", "received"), sent, "shedding: nothing is uncounted")
    tap.ok(total(sink, "records", "busy") > 100, "shedding: what had no room is counted", sink.ledger)


def test_sources_are_bounded(tap):
    sink = Sink("--sources", "6", "syslog-udp,u,127.0.0.1,0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(1, 20):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
                own.bind((f"127.0.0.{i}", 0))
                own.sendto(b"<34>x", ("127.0.0.1", sink.ports["u"]))
        sink.wait_lines(19)
    finish(tap, sink, "sources")
    tap.equal(len(sink.ledger), 6, "sources: no more rows than allowed")
    tap.equal(sink.ledger["others\t\t\t"]["records"]["stored"], 15, "sources: the rest share one")
    tap.equal({r["source"].split("\t")[3] for r in sink.lines}, {f"127.0.0.{i}" for i in range(1, 20)},
              "sources: the record still says who")


def test_back_pressure(tap):
    """A sender that can wait is not read any more, and nothing is lost."""
    sink = Sink("--hold", "--unacked", str(8 << 20), "syslog-tcp,t,127.0.0.1,0")
    n, size = 40000, 1000
    line = b"<34>" + b"x" * (size - 5) + b"\n"
    sent = [0]

    def flood():
        with sink.connect("t") as s:
            for _ in range(n):
                s.sendall(line)
                sent[0] += 1

    flooder = threading.Thread(target=flood, daemon=True)
    flooder.start()
    last = -1
    while sent[0] != last and flooder.is_alive():
        last = sent[0]
        time.sleep(1)
    tap.ok(last < n and len(sink.lines) * size <= 9 << 20, "back-pressure: the sender waits",
           f"{last} sent, {len(sink.lines)} taken")
    sink.release()
    sink.wait_lines(n)
    tap.equal(len(sink.lines), n, "back-pressure: nothing is lost")
    flooder.join(PATIENCE)
    finish(tap, sink, "back-pressure")


def test_fairness(tap):
    """Somebody who floods does not keep out somebody who does not."""
    sink = Sink("--unacked", str(8 << 20), "syslog-tcp,t,127.0.0.1,0")
    stop = threading.Event()
    line = b"<34>" + b"f" * 995 + b"\n"

    def flood():
        with sink.connect("t") as s:
            while not stop.is_set():
                s.sendall(line * 100)

    flooders = [threading.Thread(target=flood, daemon=True) for _ in range(3)]
    for flooder in flooders:
        flooder.start()
    sink.wait_lines(5000)
    with sink.connect("t") as s:
        for i in range(20):
            s.sendall(f"<34>quiet {i}\n".encode())
            time.sleep(0.01)
        heard = sink.wait(lambda: any(r["raw"] == "<34>quiet 19" for r in sink.lines[-200000:]))
    tap.ok(heard, "fairness: heard while others flood")
    stop.set()
    for flooder in flooders:
        flooder.join(PATIENCE)
    finish(tap, sink, "fairness")


def test_connection_limit(tap):
    sink = Sink("--per-address", "3", "syslog-tcp,t,127.0.0.1,0")
    connections = [sink.connect("t") for _ in range(5)]
    for i, s in enumerate(connections):
        s.settimeout(PATIENCE)
        if i < 3:
            s.sendall(f"<34>{i}\n".encode())
    tap.equal([connections[i].recv(1) for i in (3, 4)], [b"", b""], "limit: one too many is closed")
    tap.equal(sorted(r["raw"] for r in sink.wait_lines(3)), ["<34>0", "<34>1", "<34>2"],
              "limit: the others are served")
    for s in connections:
        s.close()
    finish(tap, sink, "limit")
    tap.equal(sink.ledger["syslog-tcp\tt\t\t127.0.0.1"]["refused"], 2, "limit: they are counted")


def test_rate(tap):
    sink = Sink("--rate", "1000", "syslog-udp,u,127.0.0.1,0", "syslog-tcp,t,127.0.0.1,0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(100):
            s.sendto(b"<34>" + b"x" * 96, ("127.0.0.1", sink.ports["u"]))
    with sink.connect("t") as s:
        s.sendall((b"<34>" + b"t" * 95 + b"\n") * 40)
    got = lambda: sum("t" * 90 in r["raw"] for r in sink.lines)
    sink.wait(lambda: got() == 40)
    tap.equal(got(), 40, "rate: a sender that can wait loses nothing")
    finish(tap, sink, "rate")
    tap.equal(total(sink, "records", "received"), 140, "rate: nothing is uncounted")
    tap.ok(total(sink, "records", "rate") >= 80, "rate: UDP above it is dropped", sink.ledger)


def test_tls(tap, folder):
    sink = Sink(tls_row(folder, "syslog-tls", "need", "require"),
                tls_row(folder, "syslog-tls", "may", "request"))
    for name, who in (("need", "client"), ("need", "plain"), ("may", None)):
        with tls_connect(sink, name, folder, who) as s:
            s.sendall(f"{len(name) + 4} <34>{name}".encode())
        n = len(sink.lines)
        sink.wait(lambda: len(sink.lines) > n or len(sink.lines) >= 3)
    sink.wait_lines(3)
    tap.equal(sorted((r["source"], r["flags"]) for r in sink.lines),
              [("syslog-tls\tmay\t\t127.0.0.1", 0),
               ("syslog-tls\tneed\tCN=plain,O=City\t127.0.0.1", 4),
               ("syslog-tls\tneed\tfw1.example.org\t127.0.0.1", 4)], "tls: the certificate says who")
    for name, who in (("need", None), ("need", "stranger"), ("need", "expired"), ("may", "stranger")):
        try:
            with tls_connect(sink, name, folder, who) as s:
                s.sendall(b"9 <34>false")
                refused = s.recv(1) == b""
        except (ssl.SSLError, ConnectionError):
            refused = True
        tap.ok(refused, f"tls: {name} refuses {who}")
    finish(tap, sink, "tls")
    tap.equal(len(sink.lines), 3, "tls: nothing of them was taken")


# ---- acks -------------------------------------------------------------------------------------

def quiet(s):
    """Nothing comes for a while."""
    s.settimeout(0.5)
    try:
        return s.recv(100)
    except socket.timeout:
        return None
    finally:
        s.settimeout(PATIENCE)


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            break
        data += more
    return data


def test_relp(tap):
    sink = Sink("--hold", "relp,r,127.0.0.1,0")
    with sink.connect("r") as s:
        s.sendall(b"1 open 0\n")
        head = read_exactly(s, 66)
        tap.ok(head.startswith(b"1 rsp 56 200 OK\n"), "relp: the session opens", head)
        s.sendall(b"".join(b"%d syslog 7 <34>%3d\n" % (i, i) for i in range(2, 102)))
        sink.wait_lines(100)
        tap.equal(quiet(s), None, "relp: no answer before the store's")
        sink.release()
        want = b"".join(b"%d rsp 6 200 OK\n" % i for i in range(2, 102))
        tap.equal(read_exactly(s, len(want)), want, "relp: each record is answered behind it")
        s.sendall(b"102 close 0\n")
        tap.equal(read_exactly(s, 100), b"102 rsp 0\n0 serverclose 0\n", "relp: the session closes")
    tap.equal([r["ordinal"] for r in sink.lines], list(range(2, 102)), "relp: TXNR is the ordinal")
    tap.equal(len({r["delivery"] for r in sink.lines}), 1, "relp: one delivery a connection")
    finish(tap, sink, "relp")


def test_relp_refused(tap):
    sink = Sink("--refuse", "relp,r,127.0.0.1,0")
    with sink.connect("r") as s:
        s.sendall(b"1 open 0\n2 syslog 5 <34>x\n")
        data = read_exactly(s, 1000)
    tap.ok(b"2 rsp" not in data, "relp: what the store refused has no answer", data)
    finish(tap, sink, "relp refused")
    tap.equal(total(sink, "records", "store"), 1, "relp: it is counted")



def test_lumberjack(tap):
    sink = Sink("--hold", "lumberjack,l,127.0.0.1,0")
    with sink.connect("l") as s:
        plain = b"".join(lumberjack(i, {"n": i}) for i in range(1, 501))
        packed = zlib.compress(plain)
        s.sendall(b"2W" + struct.pack(">I", 500) + b"2C" + struct.pack(">I", len(packed)) + packed)
        sink.wait_lines(500)
        tap.equal(quiet(s), None, "lumberjack: no ack before the store's")
        tap.equal(read_exactly(s, 6), b"2A\0\0\0\0", "lumberjack: a sender that waits hears of us")
        sink.release()
        ack = b""
        while ack != b"2A" + struct.pack(">I", 500):
            ack = read_exactly(s, 6)
            if len(ack) < 6:
                break
        tap.equal(ack, b"2A" + struct.pack(">I", 500), "lumberjack: the window is acked behind it")
    tap.equal([json.loads(r["raw"])["n"] for r in sink.lines], list(range(1, 501)),
              "lumberjack: every record")
    tap.equal({r["format"] for r in sink.lines}, {"beats"}, "lumberjack: its format")
    finish(tap, sink, "lumberjack")


# ---- HTTP -------------------------------------------------------------------------------------

def curl(*arguments, data=None):
    """(status, body)"""
    done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", "--max-time", "50", *arguments],
                          input=data, capture_output=True, timeout=PATIENCE)
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status or 0), body


def http_sink(*arguments):
    return Sink("--token", f"{TOKEN},shipper,9,ingest,elastic,splunk,otlp,metrics", *arguments,
                "http,h,127.0.0.1,0")


def test_http(tap):
    sink = http_sink("--anyone", "journal", "--body-max", "1000000")
    url = f"http://127.0.0.1:{sink.ports['h']}"
    bearer = ["-H", f"Authorization: Bearer {TOKEN}"]
    api_key = base64.b64encode(f"id:{TOKEN}".encode()).decode()
    for path, kind, header in (
            ("/api/ingest", "ndjson", f"Bearer {TOKEN}"), ("/_bulk", "bulk", f"ApiKey {api_key}"),
            ("/idx/_bulk", "bulk", f"Basic {api_key}"), ("/services/collector", "hec", f"Splunk {TOKEN}"),
            ("/services/collector/raw", "hec-raw", f"Splunk {TOKEN}"),
            ("/services/collector/ack", "hec-ack", f"Splunk {TOKEN}"),
            ("/v1/logs", "otlp-logs", f"Bearer {TOKEN}")):
        n = len(sink.lines)
        status = curl("-H", f"Authorization: {header}", "--data-binary", "@-", f"{url}{path}?a=1&b=%20x",
                      "-H", "Content-Type: x/y", "-H", "Content-Encoding: gzip", data=b"body\n")
        line = sink.wait_lines(n + 1)[n]
        tap.equal((status, [line[k] for k in ("kind", "target", "query", "type", "encoding", "body",
                                              "tenant", "authenticated", "source")]),
                  ((200, b"{}"), [kind, path[1:-6] if path.endswith("/_bulk") else "", "a=1&b=%20x", "x/y", "gzip", "body\n", 9, 1,
                                  "http\th\tshipper\t127.0.0.1"]), f"http: {path}")
    tap.equal(curl("--data", "x", f"{url}/api/ingest")[0], 401, "http: no token, no entry")
    shown = curl(*bearer, "-i", "--data", "x", f"{url}/_bulk")[1].lower()
    tap.equal([shown.count(line) for line in (b"x-sink: it is\r\n", b"x-elastic-product")], [1, 0],
              "http: an answer brings its header")
    shown = curl(*bearer, "-i", f"{url}/")[1].lower()
    tap.equal(shown.count(b"x-elastic-product: elasticsearch\r\n"), 1, "http: so do our own")
    tap.equal(curl("-H", "Authorization: Bearer wrong", "--data", "x", f"{url}/_bulk")[0], 403,
              "http: nor with another")
    big = b"x" * 1000001
    tap.equal(curl(*bearer, "--data-binary", "@-", f"{url}/api/ingest", data=big)[0], 413,
              "http: a body that says it is too large")
    tap.equal(curl(*bearer, "-X", "POST", "-T", "-", f"{url}/api/ingest", data=big)[0], 413,
              "http: a body that does not say it")
    tap.equal(curl(*bearer, "-X", "POST", "-T", "-", f"{url}/api/ingest", data=big[1:])[0], 200,
              "http: one that just fits")
    tap.equal(json.loads(curl(*bearer, f"{url}/")[1])["version"]["number"][0], "8",
              "http: Elasticsearch's handshake")
    tap.equal(curl(*bearer, f"{url}/_license")[0], 200, "http: its licence")
    tap.equal(curl(f"{url}/services/collector/health")[0], 200, "http: Splunk's health")
    tap.equal(curl(*bearer, f"{url}/metrics")[0], 200, "http: metrics")
    tap.equal(curl(f"{url}/metrics")[0], 401, "http: metrics need a right")
    tap.equal(curl(*bearer, f"{url}/nothing")[0], 404, "http: what is not there")
    entries = b"".join(b"__CURSOR=s=ab;i=%x;b=1\nMESSAGE\n\5\0\0\0\0\0\0\0a\n\nb\0\n\n" % i
                       for i in range(1, 1001))
    tap.equal(curl("--data-binary", "@-", f"{url}/upload", data=entries)[0], 200, "http: entries")
    entries_of = lambda: [r for r in sink.lines if r.get("format") == "journal"]
    sink.wait(lambda: len(entries_of()) >= 1000)
    got = entries_of()
    tap.equal([(r["delivery"], r["ordinal"]) for r in got], [("s=ab", i) for i in range(1, 1001)],
              "http: their cursors are their delivery")
    finish(tap, sink, "http")
    tap.equal(total(sink, "requests", "credential"), 3, "http: who may not is counted")


def test_http_waits_for_the_store(tap):
    sink = http_sink("--hold", "--anyone", "journal")
    url = f"http://127.0.0.1:{sink.ports['h']}"
    results = []
    threads = [threading.Thread(target=lambda a=a: results.append(curl(*a)[0])) for a in (
        ["-H", f"Authorization: Bearer {TOKEN}", "--data", "x", f"{url}/api/ingest"],
        ["--data-binary", "A=1\n\nA=2\n\n", f"{url}/upload"])]
    for thread in threads:
        thread.start()
    sink.wait_lines(3)
    time.sleep(0.3)
    tap.equal(results, [], "http: no answer before the store's")
    sink.release()
    for thread in threads:
        thread.join(PATIENCE)
    tap.equal(results, [200, 200], "http: answered behind it")
    finish(tap, sink, "http waits")


def test_http_is_busy(tap):
    sink = http_sink("--hold", "--unacked", str(8 << 20))
    url = f"http://127.0.0.1:{sink.ports['h']}/api/ingest"
    bearer = ["-H", f"Authorization: Bearer {TOKEN}"]
    body = b"x" * (9 << 20)
    first = threading.Thread(target=curl, args=[*bearer, "--data-binary", "@-", url], kwargs={"data": body})
    first.start()
    sink.wait_lines(1)
    tap.equal(curl(*bearer, "--data", "x", url)[0], 503, "http: too much waits: not now")
    sink.release()
    first.join(PATIENCE)
    tap.equal(curl(*bearer, "--data", "x", url)[0], 200, "http: later")
    finish(tap, sink, "http busy")
    tap.equal(total(sink, "requests", "busy"), 1, "http: it is counted")


def test_http_refused(tap):
    sink = http_sink("--refuse", "--anyone", "journal")
    url = f"http://127.0.0.1:{sink.ports['h']}"
    tap.equal(curl("-H", f"Authorization: Bearer {TOKEN}", "--data", "x", f"{url}/api/ingest")[0], 503,
              "http: what the store refuses")
    tap.equal(curl("--data-binary", "A=1\n\n", f"{url}/upload")[0], 503, "http: entries, the same")
    finish(tap, sink, "http refused")


def test_http_leaves(tap):
    """A sender that goes away in the middle, and one that does before its answer."""
    sink = http_sink("--hold")
    head = (f"POST /api/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
            "Content-Length: 4\r\n\r\n").encode()
    with sink.connect("h") as s:
        s.sendall(head + b"ab")
        time.sleep(0.3)
    with sink.connect("h") as s:
        s.sendall(head + b"abcd")
        sink.wait_lines(1)
    sink.release()
    time.sleep(0.3)
    finish(tap, sink, "http leaves")
    tap.equal((total(sink, "requests", "time"), total(sink, "requests", "stored")), (1, 1),
              "http: the first is lost and counted, the second is stored")


def test_https(tap, folder):
    sink = Sink("--token", f"{TOKEN},shipper,9,ingest", tls_row(folder, "http", "need", "require"),
                tls_row(folder, "http", "may", "request"))
    ca = ["--cacert", f"{folder}/ca.pem", "--resolve", "localhost:0:127.0.0.1"]
    cert = ["--cert", f"{folder}/client.pem", "--key", f"{folder}/client.key"]
    stranger = ["--cert", f"{folder}/stranger.pem", "--key", f"{folder}/stranger.key"]
    bearer = ["-H", f"Authorization: Bearer {TOKEN}"]
    url = {name: f"https://localhost:{port}/api/ingest" for name, port in sink.ports.items()}
    tap.equal(curl(*ca, *cert, "--data", "x", url["need"])[0], 200, "https: a certificate is enough")
    tap.equal(sink.wait_lines(1)[0]["source"], "http\tneed\tfw1.example.org\t127.0.0.1",
              "https: it says who")
    tap.equal(curl(*ca, *bearer, "--data", "x", url["may"])[0], 200, "https: a token is, too")
    tap.ok(curl(*ca, *bearer, "--data", "x", url["need"])[0] in (0, 401, 403),
           "https: but not where a certificate is needed")
    tap.ok(curl(*ca, *bearer, *stranger, "--data", "x", url["may"])[0] in (0, 401, 403),
           "https: nor beside one that nobody vouches for")
    tap.equal(curl(*ca, "--data", "x", url["may"])[0], 401, "https: nothing is not enough")
    finish(tap, sink, "https")
    tap.equal(len(sink.lines), 2, "https: nothing of the others was taken")


class Slow:
    """Holds connections as an attacker would; looked at again at the end."""

    def __init__(self):
        self.sink = http_sink()
        self.head = self.sink.connect("h")
        self.head.sendall(b"POST /api/ingest HTTP/1.1\r\nHost: x\r\n")
        self.body = self.sink.connect("h")
        self.body.sendall(f"POST /api/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
                          "Content-Length: 1000000\r\n\r\n".encode())
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.drip, daemon=True)
        self.thread.start()

    def drip(self):
        while not self.stop.wait(0.5):
            for s in (self.head, self.body):
                try:
                    s.sendall(b"x: y\r\n" if s is self.head else b"x")
                except OSError:
                    pass

    def check(self, tap):
        for name in ("head", "body"):
            s = getattr(self, name)
            s.settimeout(PATIENCE)
            try:
                data = s.recv(1000)
            except ConnectionError:
                data = b""
            except socket.timeout:
                data = b"still open"
            tap.equal(data, b"", f"slow: a {name} that never ends is closed")
        self.stop.set()
        self.thread.join()
        finish(tap, self.sink, "slow")
        tap.equal(total(self.sink, "requests", "time"), 1, "slow: the body is counted")


def test_flow(tap):
    sink = Sink("flow-udp,f,127.0.0.1,0")
    packet = struct.pack(">HH", 9, 0) + bytes(range(60))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(packet, ("127.0.0.1", sink.ports["f"]))
    line = sink.wait_lines(1)[0]
    tap.equal((line["kind"], line["source"], line["length"]), ("flow", "flow-udp\tf\t\t127.0.0.1", 64),
              "flow: a datagram is a container")
    finish(tap, sink, "flow")


def test_stop_in_the_middle(tap, folder):
    """The end comes while everybody waits for an answer."""
    sink = http_sink("--hold", "--anyone", "journal", "syslog-tcp,t,127.0.0.1,0", "relp,r,127.0.0.1,0",
                     "lumberjack,l,127.0.0.1,0", "syslog-udp,u,127.0.0.1,0",
                     tls_row(folder, "syslog-tls", "s", "require"))
    url = f"http://127.0.0.1:{sink.ports['h']}"
    threads = [threading.Thread(target=curl, args=arguments) for arguments in (
        ["-H", f"Authorization: Bearer {TOKEN}", "--data", "x", f"{url}/api/ingest"],
        ["--data-binary", "A=1\n\n", f"{url}/upload"])]
    for thread in threads:
        thread.start()
    with sink.connect("t") as t, sink.connect("r") as r, sink.connect("l") as l, \
            sink.connect("h") as h, sink.connect("s") as unfinished, \
            tls_connect(sink, "s", folder, "client") as s:
        t.sendall(b"<34>x\n<34>par")
        r.sendall(b"1 open 0\n2 syslog 5 <34>x\n3 syslog")
        l.sendall(b"2W\0\0\0\2" + lumberjack(1, {}))
        h.sendall(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nA=1\n\nB")
        s.sendall(b"7 <34>tls")
        unfinished.sendall(b"\x16\x03")
        sink.wait_lines(7)
        finish(tap, sink, "stop")
    for thread in threads:
        thread.join(PATIENCE)
    tap.equal(total(sink, "records", "pending") + total(sink, "requests", "pending"), 7,
              "stop: what waits is said to wait")


# ---- what cities run --------------------------------------------------------------------------

def test_logger(tap):
    if not shutil.which("logger"):
        tap.skip("logger", "not installed")
        return
    sink = Sink("syslog-udp,u,127.0.0.1,0", "syslog-tcp,t,127.0.0.1,0")
    for name, how in (("u", ["-d"]), ("t", ["-T"]), ("t", ["-T", "--octet-count"])):
        subprocess.run(["logger", "-n", "127.0.0.1", "-P", str(sink.ports[name]), *how, "--rfc5424",
                        f"hello {name}"], check=True, timeout=PATIENCE)
    if shutil.which("socat"):
        subprocess.run(["socat", "-", f"TCP:127.0.0.1:{sink.ports['t']}"], input=b"<34>socat\n",
                       check=True, timeout=PATIENCE)
    want = 3 + bool(shutil.which("socat"))
    got = sink.wait_lines(want)
    tap.ok(len(got) == want and sum(r["raw"].endswith("hello t") for r in got) == 2 and
           sum(r["raw"].endswith("hello u") for r in got) == 1, "logger and socat", got)
    finish(tap, sink, "logger")


def run_rsyslog(folder, name, action, n, sink):
    """Sends n lines of a file through rsyslog; it runs until all came out."""
    work = pathlib.Path(folder, f"rsyslog-{name}")
    work.mkdir()
    log = work / "in.log"
    log.write_text("".join(f"line {i}\n" for i in range(n)))
    config = work / "rsyslog.conf"
    config.write_text(f"""
global(workDirectory="{work}" maxMessageSize="64k")
module(load="imfile" PollingInterval="1")
module(load="omrelp")
input(type="imfile" File="{log}" Tag="app:" Facility="local0" Severity="info")
{action}
""")
    process = subprocess.Popen(["rsyslogd", "-n", "-f", str(config), "-i", str(work / "pid")],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        sink.wait(lambda: len(sink.lines) >= n or process.poll() is not None)
    finally:
        process.terminate()
        out = process.communicate(timeout=PATIENCE)[0].decode()
    return out


def ends_are(lines, n):
    return sorted(r["raw"].rsplit("line ", 1)[-1].strip() for r in lines) == sorted(map(str, range(n)))


def test_rsyslog(tap, folder):
    if not shutil.which("rsyslogd"):
        tap.skip("rsyslog", "not installed")
        return
    certs = (f'StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="anon"')
    globals_tls = (f'global(DefaultNetstreamDriverCAFile="{folder}/ca.pem" '
                   f'DefaultNetstreamDriverCertFile="{folder}/client.pem" '
                   f'DefaultNetstreamDriverKeyFile="{folder}/client.key")')
    n = 2000
    cases = (
        ("tcp", "syslog-tcp,x,127.0.0.1,0",
         'action(type="omfwd" target="127.0.0.1" port="PORT" protocol="tcp")'),
        ("octet", "syslog-tcp,x,127.0.0.1,0",
         'action(type="omfwd" target="127.0.0.1" port="PORT" protocol="tcp" '
         'TCP_Framing="octet-counted")'),
        ("tls", tls_row(folder, "syslog-tls", "x", "require"),
         globals_tls + f'\naction(type="omfwd" target="127.0.0.1" port="PORT" protocol="tcp" '
         f'TCP_Framing="octet-counted" {certs})'),
        ("relp", "relp,x,127.0.0.1,0", 'action(type="omrelp" target="127.0.0.1" port="PORT")'),
        ("relp-tls", tls_row(folder, "relp-tls", "x", "require"),
         f'action(type="omrelp" target="127.0.0.1" port="PORT" tls="on" tls.caCert="{folder}/ca.pem" '
         f'tls.myCert="{folder}/client.pem" tls.myPrivKey="{folder}/client.key" tls.authMode="name" '
         'tls.permittedPeer=["localhost"])'),
    )
    for name, row, action in cases:
        sink = Sink(row)
        out = run_rsyslog(folder, name, action.replace("PORT", str(sink.ports["x"])), n, sink)
        tap.ok(ends_are(sink.lines, n), f"rsyslog {name}: every line, once",
               f"{len(sink.lines)} lines\n{out}\n{sink.lines[:3]}")
        if "tls" in name:
            tap.equal({r["source"].split("\t")[2] for r in sink.lines}, {"fw1.example.org"},
                      f"rsyslog {name}: its certificate says who")
        finish(tap, sink, f"rsyslog {name}")


def test_syslog_ng(tap, folder):
    found = syslog_ng()
    if not found:
        tap.skip("syslog-ng", "not installed, and no SYSLOG_NG_ROOT")
        return
    program, options, environment, root = found
    n = 500
    cases = (
        ("tcp", ["syslog-tcp,x,127.0.0.1,0"], 'network("127.0.0.1" port(PORT) transport("tcp"));'),
        ("tls", [tls_row(folder, "syslog-tls", "x", "require")],
         f'syslog("127.0.0.1" port(PORT) transport("tls") tls(ca-file("{folder}/ca.pem") '
         f'cert-file("{folder}/client.pem") key-file("{folder}/client.key") '
         'peer-verify(required-untrusted)));'),
        ("http", ["--token", f"{TOKEN},shipper,9,ingest", "http,x,127.0.0.1,0"],
         f'http(url("http://127.0.0.1:PORT/api/ingest") method("POST") '
         f'headers("Authorization: Bearer {TOKEN}") body("$MSG") batch-lines(10));'),
    )
    for name, arguments, destination in cases:
        sink = Sink(*arguments)
        work = pathlib.Path(folder, f"syslog-ng-{name}")
        work.mkdir()
        (work / "in.log").write_text("".join(f"line {i}\n" for i in range(n)))
        (work / "conf").write_text(f"""@version: 3.38
source s {{ file("{work}/in.log" follow-freq(1) flags(no-parse)); }};
destination d {{ {destination.replace("PORT", str(sink.ports["x"]))} }};
log {{ source(s); destination(d); }};
""")
        process = subprocess.Popen(
            [program, "-F", "--no-caps", "-f", str(work / "conf"), "-R", str(work / "persist"), "-p",
             str(work / "pid"), "-c", str(work / "ctl"), *options], env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        body = lambda: "\n".join(r.get("raw") or r["body"] for r in sink.lines)
        sink.wait(lambda: body().count("line ") >= n or process.poll() is not None)
        process.terminate()
        out = process.communicate(timeout=PATIENCE)[0].decode()
        got = [line.rsplit("line ", 1)[-1].strip() for line in body().split("\n") if "line " in line]
        tap.equal(sorted(got), sorted(map(str, range(n))), f"syslog-ng {name}: every line, once")
        if len(got) != n:
            tap.comment(out[:1000].replace("\n", " | "))
        finish(tap, sink, f"syslog-ng {name}")


def test_journal_upload(tap, folder):
    if not os.path.exists(JOURNAL_REMOTE) or not os.path.exists(JOURNAL_UPLOAD):
        tap.skip("systemd-journal-upload", "not installed")
        return
    n = 300
    made = pathlib.Path(folder, "made.journal")
    make_journal(made, 0, n)
    sink = Sink("--anyone", "journal", "http,h,127.0.0.1,0")
    done = subprocess.run([JOURNAL_UPLOAD, f"--url=http://127.0.0.1:{sink.ports['h']}", f"--file={made}", "--follow=no",
                           f"--save-state={folder}/upload-state"], capture_output=True, timeout=PATIENCE)
    tap.equal(done.returncode, 0, "journal-upload: ends well")
    if done.returncode:
        tap.comment(done.stderr.decode()[:1000].replace("\n", " | "))
    got = sink.wait_lines(n)
    tap.equal([r["raw"].split("MESSAGE=line ")[1].split("\n")[0] for r in got], list(map(str, range(n))),
              "journal-upload: every entry, once")
    tap.ok(got and got[0]["delivery"].startswith("s=") and
           [r["ordinal"] for r in got] == list(range(1, n + 1)), "journal-upload: its cursors", got[:1])
    finish(tap, sink, "journal-upload")


def messages(sink):
    return [int(r["raw"].split("MESSAGE=line ")[1].split("\n")[0]) for r in sink.lines]


def test_journal(tap, folder):
    if not os.path.exists(JOURNAL_REMOTE):
        tap.skip("journal", "systemd-journal-remote is not installed")
        return
    journals = pathlib.Path(folder, "journals")
    journals.mkdir()
    make_journal(journals / "a.journal", 0, 1500)
    sink = Sink(f"journal,j,{journals}")
    sink.wait_lines(1500)
    make_journal(journals / "a.journal", 1500, 10)
    sink.wait_lines(1510)
    tap.equal(messages(sink), list(range(1510)), "journal: every entry, also what comes later")
    tap.equal({(r["source"], r["format"]) for r in sink.lines}, {("journal\tj\t\t", "journal")},
              "journal: where it is from")
    first = sink.lines[0]["raw"]
    tap.ok(first.startswith("__CURSOR=s=") and "\n__REALTIME_TIMESTAMP=1798000000000000\n" in first,
           "journal: an entry is in the export format", first)
    sink.wait(lambda: sink.state and "i=5e6;" in sink.state)
    finish(tap, sink, "journal")
    make_journal(journals / "a.journal", 1510, 5)
    again = Sink("--state", sink.state, f"journal,j,{journals}")
    again.wait_lines(5)
    tap.equal(messages(again), list(range(1510, 1515)), "journal: it goes on behind its state")
    finish(tap, again, "journal again")
    new = Sink("--new-only", f"journal,j,{journals}")
    time.sleep(1.5)
    make_journal(journals / "a.journal", 1515, 3)
    new.wait_lines(3)
    tap.equal(messages(new), [1515, 1516, 1517], "journal: only what is new, when asked")
    finish(tap, new, "journal new")
    held = Sink("--refuse", f"journal,j,{journals}")
    held.wait_lines(2000)
    tap.equal(messages(held)[:10], list(range(10)), "journal: what the store refuses …")
    tap.ok(messages(held).count(0) > 1, "journal: … is read again")
    finish(tap, held, "journal refused")


def main():
    tap = Tap()
    only = sys.argv[2:]
    slow = Slow() if not only or "slow" in only else None
    with tempfile.TemporaryDirectory() as folder:
        make_certificates(folder)
        for test in (test_tcp, test_udp_counts_exactly, test_udp_sheds, test_sources_are_bounded,
                     test_back_pressure, test_fairness, test_connection_limit, test_rate, test_tls,
                     test_relp, test_relp_refused, test_lumberjack, test_http,
                     test_http_waits_for_the_store, test_http_is_busy, test_http_refused,
                     test_http_leaves, test_https, test_flow, test_stop_in_the_middle, test_logger, test_rsyslog,
                     test_syslog_ng, test_journal_upload, test_journal):
            if only and test.__name__ not in only:
                continue
            arguments = (tap, folder) if test.__code__.co_argcount == 2 else (tap,)
            try:
                test(*arguments)
            except (OSError, subprocess.SubprocessError) as error:
                tap.ok(False, test.__name__, repr(error))
    if slow:
        slow.check(tap)
    tap.done()


main()
