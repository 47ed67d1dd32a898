#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The API while alerts come: api.py [flood|events] [--alerts N] [--minutes M] [--rate N] [--seconds S] [--json]

flood   N alerts of one rule (1,000,000), each about a computer of its own, come within M minutes (10) through a
        whole vaka serve, and among them four of another rule. Meanwhile pages are asked for: how long each takes,
        how much memory the processes have, how long after it came each of the four is an incident of its own.
events  R records a second (20,000), of which one in a thousand leads to an alert: how long after it was
        sent who listens has the alert, and the incident.

A record says when it was sent; what is measured is at the client, in this program.
"""
import argparse
import http.client
import json
import pathlib
import sys
import tempfile
import threading
import time

from table import emitter, load_1min  # pylint: disable=import-error

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/integration"))
from api_client import Office  # noqa: E402  pylint: disable=wrong-import-position
from serving import RULE  # noqa: E402  pylint: disable=wrong-import-position

VAKA = ROOT / "build/release/vaka"
PATHS = ("/alerts", "/alerts?limit=500", "/incidents", "/incidents?level=high", "/incidents/1",
         "/incidents/1/alerts?limit=100", "/incidents/1/log", "/assets", "/rules", "/status")


def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))] if values else None


def summary(seconds):
    return {"n": len(seconds), **{f"p{p}_ms": round(quantile(seconds, p / 100) * 1000, 1) for p in (50, 99)},
            "most_ms": round(max(seconds) * 1000, 1)} if seconds else {"n": 0}


def memory(serve):
    """Bytes that processes have for themselves, by role."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            parent = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if words[1:2] == [b"--role"] and parent == serve.process.pid:
                text = (path / "smaps_rollup").read_text()
                private = sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))
                found[words[2].decode()] = private * 1024
        except OSError:
            pass
    return found


class Reader(threading.Thread):
    """Asks for one page after the other, and remembers how long each took."""

    def __init__(self, api):
        super().__init__()
        self.api, self.going, self.took, self.odd = api, True, {path: [] for path in PATHS}, 0

    def run(self):
        while self.going:
            for path in PATHS:
                begin = time.perf_counter()
                status = self.api.ask("GET", path)[0]
                self.took[path].append(time.perf_counter() - begin)
                self.odd += status not in (200, 404)
                time.sleep(0.01)


def start(folder):
    office = Office(str(VAKA), folder, more="triage:\n  alike: 0s\n", journal="64MiB")
    other = RULE.format(marker="OTHERMARK").replace("6b2a6a4e", "6b2a6a4f").replace("Marker", "Other")
    (office.folder / "rules" / "other.yml").write_text(other, encoding="utf-8")
    return office.start()


class Planted(threading.Thread):
    """Four that matter: sent now and then, and looked for in the queue."""

    def __init__(self, serve, api, seconds):
        super().__init__()
        self.serve, self.api, self.every, self.took = serve, api, seconds / 5, []

    def run(self):
        for n in range(4):
            time.sleep(self.every)
            with self.serve.tcp() as s:
                s.sendall(b"<13>1 - planted%d app - - - OTHERMARK\n" % n)
            begin = time.monotonic()
            while not self.api.get(f"/incidents?entity=planted{n}")["incidents"]:
                time.sleep(0.02)
            self.took.append(time.monotonic() - begin)


def send_flood(serve, alerts, seconds):
    begin = time.monotonic()
    with serve.tcp() as s:
        for first in range(0, alerts, 1000):
            lines = b"".join(b"<13>1 - h%d app - - - VAKAMARK of %d\n" % (n, n)
                             for n in range(first, min(first + 1000, alerts)))
            s.sendall(lines)
            late = begin + seconds * (first + 1000) / alerts - time.monotonic()
            if late > 0:
                time.sleep(late)


def flood(given, emit):
    with tempfile.TemporaryDirectory() as folder, start(pathlib.Path(folder)) as serve:
        reader = Reader(serve.hire("anna", "analyst"))
        begin, most = time.monotonic(), {}
        sender = threading.Thread(target=send_flood, args=(serve, given.alerts, given.minutes * 60))
        sender.start()
        reader.start()
        planted = Planted(serve, serve.login("anna"), given.minutes * 60)
        planted.start()

        def watch():
            for role, size in memory(serve).items():
                most[role] = max(most.get(role, 0), size)
            time.sleep(1)
            return not sender.is_alive() and serve.status()["triage"]["matched"] >= given.alerts
        serve.wait(watch, "all are matched", given.minutes * 60 * 3 + 60)
        took = time.monotonic() - begin
        planted.join()
        reader.going = False
        reader.join()
        incidents = reader.api.get("/incidents?limit=500")["incidents"]
        big = max(incidents, key=lambda i: i["alerts"])
        pages = []
        path = f"/incidents/{big['id']}/alerts?limit=100"
        cursor = ""
        for _ in range(min(100, big["alerts"] // 100)):
            at = time.perf_counter()
            page = reader.api.get(path + cursor)
            pages.append(time.perf_counter() - at)
            cursor = f"&cursor={page['next']}" if "next" in page else ""
        every = [t for times in reader.took.values() for t in times]
        emit({"lane": "flood", "alerts": big["alerts"], "sent": given.alerts, "seconds": round(took, 1),
              "incidents": len(incidents), "requests": summary(every), "odd": reader.odd,
              "its_pages": summary(pages), "planted": summary(planted.took), "load_1min": load_1min()})
        for path, times in reader.took.items():
            emit({"lane": path, **summary(times)})
        emit({"lane": "memory, MiB", **{role: round(size / 2**20, 1) for role, size in sorted(most.items())}})


class Listener(threading.Thread):
    """When each alert was there, and when incidents had so many of them."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.alerts, self.of, self.had = {}, {}, []
        self.connection = http.client.HTTPSConnection("127.0.0.1", api.port, timeout=600, context=api.context)
        self.connection.request("GET", "/api/v1/events", headers=api.heads("GET", {}))
        self.lines = self.connection.getresponse()

    def run(self):
        kind = b""
        for line in self.lines:
            if line.startswith(b"event: "):
                kind = line[7:].strip()
            if line.startswith(b"data: "):
                now = time.time()
                data = json.loads(line[6:])
                if kind == b"alert":
                    self.alerts.setdefault(data["host"], now)
                else:
                    self.of[data["id"]] = 0 if data["state"] == "merged" else data["alerts"]
                    total = sum(self.of.values())
                    self.had += [now] * (total - len(self.had))


def send_events(serve, rate, seconds, sent):
    quiet = b"".join(b"<14>1 - web1 nginx - - - GET /page/%d 200 %d bytes from 10.0.0.%d\n" % (i, i * 7, i % 250)
                     for i in range(999))
    begin, batch = time.monotonic(), 0
    with serve.tcp() as s:
        while time.monotonic() < begin + seconds:
            batch += 1
            host = f"h{batch}"
            s.sendall(quiet)
            sent[host] = time.time()
            s.sendall(b"<13>1 - %s app - - - VAKAMARK\n" % host.encode())
            late = begin + batch * 1000 / rate - time.monotonic()
            if late > 0:
                time.sleep(late)
    return batch


def events(given, emit):
    with tempfile.TemporaryDirectory() as folder, start(pathlib.Path(folder)) as serve:
        listener = Listener(serve.hire("anna", "analyst"))
        listener.start()
        sent = {}
        begin = time.monotonic()
        batches = send_events(serve, given.rate, given.seconds, sent)
        took = time.monotonic() - begin
        serve.wait(lambda: len(listener.alerts) >= batches, "all alerts", 120)
        late = [listener.alerts[h] - sent[h] for h in sent]
        serve.wait(lambda: len(listener.had) >= batches, "all in incidents", 120)
        known = [had - at for had, at in zip(listener.had, sent.values())]
        emit({"lane": "events", "events_a_second": round(batches * 1000 / took), "seconds": round(took, 1),
              "alerts": summary(late), "incidents": summary(known), "load_1min": load_1min()})


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("part", nargs="?", choices=("flood", "events"))
    parser.add_argument("--alerts", type=int, default=1000000)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    emit = emitter(given.json)
    parts = {"flood": flood, "events": events}
    for name in [given.part] if given.part else parts:
        parts[name](given, emit)


if __name__ == "__main__":
    main()
