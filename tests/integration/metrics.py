#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""/metrics of vaka serve, read as Prometheus reads it: metrics.py VAKA. Prints TAP."""
import http.client
import json
import pathlib
import re
import socket
import sys
import tempfile

import common
from serving import TOKEN, Serve

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (NaN|[+-]Inf|[-+0-9.eE]+)( -?\d+)?")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
ESCAPES = {r"\n": "\n", r"\"": '"', r"\\": "\\"}


class Metrics:
    """https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4; an error for
    everything that is not so."""

    def __init__(self, text):
        self.types, self.helps, self.samples = {}, {}, {}
        if not text.endswith("\n"):
            raise ValueError("no line feed at the end")
        current, closed = None, set()
        for line in text.split("\n")[:-1]:
            name = self.take(line)
            if name != current:
                if name in closed:
                    raise ValueError(f"the lines of {name} do not stand together")
                closed.add(current)
                current = name

    def take(self, line):
        """The metric that the line is about."""
        if line.startswith("# HELP "):
            name, text = line[7:].split(" ", 1)
            return self.head(name, self.helps, text)
        if line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            if kind not in ("counter", "gauge", "untyped"):
                raise ValueError(f"type {kind}")
            if any(sample == name for sample, _ in self.samples):
                raise ValueError(f"the type of {name} behind its samples")
            return self.head(name, self.types, kind)
        match = SAMPLE.fullmatch(line)
        if not match:
            raise ValueError(f"no sample: {line!r}")
        key = (match[1], self.labels(match[2]))
        if key in self.samples:
            raise ValueError(f"twice: {line!r}")
        if match[1] not in self.types or match[1] not in self.helps:
            raise ValueError(f"{match[1]} has no type or no help")
        self.samples[key] = float(match[3])
        return match[1]

    @staticmethod
    def head(name, to, text):
        if not re.fullmatch(NAME, name) or name in to or not text:
            raise ValueError(f"{name}: {text!r}")
        to[name] = text
        return name

    @staticmethod
    def labels(text):
        found, at = {}, 0
        while text and at < len(text):
            match = LABEL.match(text, at)
            if not match or match[1] in found:
                raise ValueError(f"labels {text!r}")
            found[match[1]] = re.sub(r'\\["\\n]', lambda m: ESCAPES[m[0]], match[2])
            at = match.end()
        return frozenset(found.items())

    def get(self, name, **labels):
        return self.samples.get((name, frozenset(labels.items())))


def scrape(serve, token=TOKEN, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", serve.ports["http"], timeout=30)
    connection.request(method, "/metrics", headers={"Authorization": f"Bearer {token}"} if token else {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


def check_parser(tap):
    """The reader itself refuses what is wrong."""
    good = '# HELP a b\n# TYPE a counter\na{x="1\\"\\\\\\n"} 1\n'
    tap.equal(Metrics(good).samples, {("a", frozenset({("x", '1"\\\n')})): 1.0}, "the reader reads")
    for wrong in (good[:-1], good + good, good + 'a{x="1\\"\\\\\\n"} 2\n', good + "b 1\n", good + 'a{x="\\t"} 1\n',
                  "a 1\n# HELP a b\n# TYPE a counter\n", good + "# HELP c d\n# TYPE c gauge\nc 1\na 3\n", "\n"):
        try:
            Metrics(wrong)
            tap.ok(False, "the reader refuses", wrong)
        except ValueError:
            pass


def check_status_is_all_there(tap, serve):
    """Every figure of `vaka status` has its metric."""
    def all_spoke():
        return all(f'vaka_process_pid{{process="{role}"}}' in scrape(serve)[1] for role in serve.status())
    serve.wait(all_spoke, "a report of every process")
    before, metrics, after = serve.status(), Metrics(scrape(serve)[1]), serve.status()
    missing, unknown = [], []
    for role, report in after.items():
        for member, value in report.items():
            if isinstance(value, (list, dict)) or member not in before[role]:
                continue
            if isinstance(value, str) and value != before[role][member]:
                continue  # it said something else a moment ago: what it said between the two is not known
            if member in ("pid", "starts", "up_s"):
                found = [metrics.get(f"vaka_process_{member}{end}", process=role) for end in ("", "_total")]
            elif isinstance(value, str):
                found = [metrics.get(f"vaka_{role}_{member}", **{"is": value})]
            else:
                found = [metrics.get(f"vaka_{role}_{member}{end}") for end in ("", "_total")]
            if found == [None] * len(found):
                missing.append(f"{role}.{member}")
            if metrics.types.get(f"vaka_{role}_{member}") == "untyped":
                unknown.append(f"{role}.{member}")
    tap.equal(missing, [], "every figure of vaka status is there")
    tap.equal(unknown, [], "and has a type and a description")
    tap.equal([name for name, kind in metrics.types.items() if (kind == "counter") != name.endswith("_total")], [],
              "counters are called _total, and nothing else is")


def check_sources(tap, serve):
    event = json.dumps({"message": "VAKAMARK"}).encode() + b"\n"
    serve.post("/api/ingest", event * 3)
    with serve.tcp() as s:
        s.sendall(b"<13>Nov 26 03:00:00 h1 app: one\n")
        serve.matched(4)
    serve.post("/api/ingest", event, token="wrong-token-0123456789")
    source = {"input": "syslog-tcp", "listener": f"127.0.0.1:{serve.ports['syslog_tcp']}", "identity": "",
              "address": "127.0.0.1"}
    serve.wait(lambda: Metrics(scrape(serve)[1]).get("vaka_store_next_total") == 4, "the store's report")
    metrics = Metrics(scrape(serve)[1])
    tap.equal([metrics.get(f"vaka_source_{name}", **source) for name in
               ("received_records_total", "stored_records_total", "pending_records", "connections_total")],
              [1, 1, 0, 1], "figures of a source")
    tap.ok(metrics.get("vaka_source_seen", **source) > 1.7e9, "when it was heard of")
    by_token = {**source, "input": "http", "listener": f"127.0.0.1:{serve.ports['http']}", "identity": "tester"}
    tap.equal(metrics.get("vaka_source_stored_requests_total", **by_token), 1, "a source that is known by its token")
    tap.equal(metrics.get("vaka_collect_lost_requests_total", reason="credential"), 1, "what was refused, with why")
    tap.equal(metrics.get("vaka_collect_received_records_total"), 1, "the sum of all sources")


def check_rights(tap, serve):
    answer, body = scrape(serve)
    tap.equal((answer.status, answer.getheader("Content-Type")), (200, "text/plain; version=0.0.4; charset=utf-8"),
              "form and version are said")
    tap.equal([scrape(serve, token=None)[0].status, scrape(serve, token="wrong-token-0123456789")[0].status],
              [401, 403], "only who may see them does")
    answer, body = scrape(serve, method="HEAD")
    tap.equal((answer.status, body), (200, ""), "HEAD")
    sockets = [socket.create_connection(("127.0.0.1", serve.ports["http"]), timeout=30) for _ in range(100)]
    request = f"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n".encode()
    for s in sockets:
        s.sendall(request)
    told = {s.recv(65536).split(b"\r\n", 1)[0].split(b" ")[1] for s in sockets}
    for s in sockets:
        s.close()
    tap.ok(b"200" in told and told <= {b"200", b"503"}, "many at once are answered or refused", told)


def main():
    tap = common.Tap()
    check_parser(tap)
    with tempfile.TemporaryDirectory() as folder:
        with Serve(VAKA, folder).start() as serve:
            check_status_is_all_there(tap, serve)
            check_sources(tap, serve)
            check_rights(tap, serve)
            tap.equal(serve.stop(), 0, "it ends")
    tap.done()


main()
