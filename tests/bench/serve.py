#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "serve" of script/bench, which builds. All figures are of one run.

Receiver and generator share the machine. "Matched" is when the alert of a record behind all others
was printed by `vaka alerts --follow`: by then every record before it is on disk and matched.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from table import emitter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "load"))
from city import ONE_RULE, OWN_RULES, SIZE, WARM, City, generate  # noqa: E402  pylint: disable=wrong-import-position
from serving import free_port  # noqa: E402  pylint: disable=wrong-import-position

WORK = ROOT / "build" / "bench"
# Unpacked by script/bench: Debian does not let it be installed beside rsyslog.
SYSLOG_NG_ROOT = WORK / "syslog-ng"

RSYSLOG = """module(load="imtcp")
input(type="imtcp" port="{port}" address="127.0.0.1")
action(type="omfile" file="{out}")
"""
SYSLOG_NG = """@version: 3.38
options {{ stats-freq(0); keep-hostname(yes); use-dns(no); }};
source s {{ network(transport("tcp") ip("127.0.0.1") port({port})); }};
destination d {{ file("{out}"); }};
log {{ source(s); destination(d); flags(flow-control); }};
"""


def cpu_us(city, before, records):
    """Microseconds of processor a record, by process."""
    return {name: round((used[0] - before.get(name, (0,))[0]) * 1e6 / records, 2)
            for name, used in sorted(city.processes().items())}


def tcp(rules, records):
    with tempfile.TemporaryDirectory(dir=WORK) as folder, City(folder, rules).start() as city:
        before = city.processes()
        said = city.send(["syslog_tcp"], "--records", records, "--last", *SIZE)
        used = cpu_us(city, before, records)
        state = city.settled()
        city.stop()
        if state["store"]["next"] != said["records"] or said["found"] != 1:
            raise AssertionError(f"{said['records']} sent, {state['store']['next']} stored")
    rate = records / said["found_after"]
    return rate, {"records": records, "records_per_s": rate, "mb_per_s": rate * 1024 / 1e6,
                  "sent_in_s": said["seconds"], "matched_in_s": said["found_after"],
                  "rules": state["detect"]["rules"], "alerts": state["detect"]["alerts"],
                  "cpu_us": used, "generator_us": said["cpu_seconds"] * 1e6 / records}


def lines_in(path):
    with open(path, "rb") as text:
        return sum(piece.count(b"\n") for piece in iter(lambda: text.read(1 << 20), b""))


def wait_for_last(path, daemon, begun):
    """Until the last record is in the file; 60 s later the daemon is broken."""
    while time.monotonic() < begun + 60 and daemon.poll() is None:
        if path.exists():
            with open(path, "rb") as text:
                text.seek(max(0, path.stat().st_size - 4096))
                if b"plant-0" in text.read():
                    return time.monotonic()
        time.sleep(0.005)
    raise AssertionError(f"{daemon.args[0]} did not write the last record")


def collector(name, folder, port, out):
    """(command, environment) of another collector; its configuration is in the folder then."""
    conf, text = folder / "conf", RSYSLOG if name == "rsyslog" else SYSLOG_NG
    conf.write_text(text.format(port=port, out=out), encoding="utf-8")
    if name == "rsyslog":
        return ["rsyslogd", "-n", "-f", conf, "-i", folder / "pid"], None
    lib = SYSLOG_NG_ROOT / "usr" / "lib"
    paths = [lib / "syslog-ng", lib / "x86_64-linux-gnu", SYSLOG_NG_ROOT / "lib" / "x86_64-linux-gnu"]
    return ([SYSLOG_NG_ROOT / "usr" / "sbin" / "syslog-ng", "-F", "--no-caps", "-f", conf,
             "--module-path", lib / "syslog-ng" / "3.38", "-R", folder / "persist",
             "-p", folder / "pid", "-c", folder / "ctl"],
            {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, paths))})


def other(name, records):
    """Records a second of a plain TCP → file set-up of another collector; it promises no disk."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        folder = pathlib.Path(folder)
        port, out = free_port(), folder / "out.log"
        command, environment = collector(name, folder, port, out)
        with open(folder / "log", "wb") as log, \
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env=environment) as daemon:
            try:
                wait_for_port(port, daemon)
                said = generate([("syslog_tcp", port)], "--records", records, *SIZE)
                generate([("syslog_tcp", port)], "--seconds", 0.001, "--last", "--rate", 1)
                end = wait_for_last(out, daemon, time.monotonic())
            finally:
                daemon.terminate()
        written = lines_in(out)
    return records / (end - said["begun_at"]), {"written": written, "sent": said["records"] + 1}


def wait_for_port(port, daemon):
    wanted = f":{port:04X}"
    for _ in range(1000):
        table = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        if any(line.split()[1].endswith(wanted) and line.split()[3] == "0A" for line in table):
            return
        if daemon.poll() is not None:
            break
        time.sleep(0.01)
    raise AssertionError(f"{daemon.args[0]} does not listen")


def throughput(rules, quick, emit):
    """Turn about, so that what else the machine does meets all of them; medians. The peak."""
    records = 100000 if quick else 600000
    others = ["rsyslog"] if shutil.which("rsyslogd") else []
    if (SYSLOG_NG_ROOT / "usr").exists():
        others.append("syslog-ng")
    rates, rows, ratios = [], [], {name: [] for name in others}
    for _ in range(1 if quick else 3):
        rate, row = tcp(rules, records)
        rates.append(rate)
        rows.append(row)
        for name in others:
            their, count = other(name, records)
            ratios[name].append((rate / their, their, count))
    middle = sorted(range(len(rates)), key=rates.__getitem__)[len(rates) // 2]
    emit({"lane": "tcp_all_rules", **rows[middle]})
    for name in others:
        ratio, their, count = sorted(ratios[name])[len(rates) // 2]
        emit({"lane": f"tcp_to_file_{name}", "records_per_s": their, "vaka_to_it": ratio, **count})
    rate, row = tcp([ONE_RULE], records)
    emit({"lane": "tcp_store_only", **row})
    return statistics.median(rates)


def acked_lanes(rules, _peak, quick, emit):
    """Until the last ack: everything is on disk then. One after the other."""
    records = 20000 if quick else 300000
    with tempfile.TemporaryDirectory(dir=WORK) as folder, City(folder, rules).start() as city:
        for number, kind in enumerate(("relp", "lumberjack", "ndjson", "bulk"), 1):
            said = city.send([kind] if kind == "relp" else [kind] * 4, "--records", records, *SIZE)
            lane = said["lanes"][kind]
            state = city.settled()
            if not number * lane["acked"] == number * lane["records"] == state["store"]["next"]:
                raise AssertionError(f"{kind}: {lane} and {state['store']['next']} stored")
            emit({"lane": f"{kind}_acked", "records": records, "connections": lane["lanes"],
                  "records_per_s": records / said["answered_after"], "resent": lane["resent"],
                  "ack_ms": lane["ack_ms"]})
        city.stop()


def udp(rules, _peak, quick, emit):
    """As fast as it can be sent: what is lost is counted, to the record."""
    records = 50000 if quick else 1000000
    with tempfile.TemporaryDirectory(dir=WORK) as folder, City(folder, rules).start() as city:
        said = city.send(["syslog_udp"], "--records", records, *SIZE)
        state = city.settled()
        city.stop()
    sums = state["collect"]["records"]
    lost = sum(sums["lost"].values())
    sent = said["records"]
    if sent != sums["stored"] + lost:
        raise AssertionError(f"UDP: {sent} sent, {sums}")
    emit({"lane": "udp", "records": sent, "sent_per_s": sent / said["seconds"],
          "stored": sums["stored"], "lost": lost, "unaccounted": 0})


def check_found(said):
    if said["found"] != said["planted"]:
        raise AssertionError(f"{said['planted']} planted, {said['found']} found")


def acks_at(name, rules, rate, quick, emit):
    """How long senders wait that send no more than that, from when a record was due."""
    seconds = WARM + (2 if quick else 30)
    with tempfile.TemporaryDirectory(dir=WORK) as folder, City(folder, rules).start() as city:
        said = city.send(["relp"] * 4 + ["bulk"] * 4, "--rate", rate, "--seconds", seconds, "--warm", WARM,
                         "--plant", 0.05, *SIZE)
        city.stop()
    check_found(said)
    emit({"lane": f"acks_at_{rate}_{name}", "records_per_s": said["records"] / said["seconds"],
          **{f"{kind}_ack_ms": said["lanes"][kind]["ack_ms"] for kind in ("relp", "bulk")},
          "resent": said["lanes"]["bulk"]["resent"], "detection_ms": said["detection_ms"]})


def acks(rules, _peak, quick, emit):
    acks_at("all_rules", rules, 50000, quick, emit)
    acks_at("store_only", [ONE_RULE], 100000, quick, emit)


class Searches:
    """So many people who search what is stored, one query behind the other, while this is open."""
    QUERIES = ("no.such: 1 | count", "*qxjwvkabsen* | count", "failed | count", "| count by host.name",
               "| stats count, distinct(source.ip) by event.action")

    def __init__(self, city, number):
        self.city, self.end, self.finished = city, threading.Event(), []
        self.all = [threading.Thread(target=self.search, args=(self.QUERIES[i % len(self.QUERIES)],))
                    for i in range(number)]

    def search(self, query):
        words = [self.city.vaka, "search", query, "-f", "json", "-c", self.city.config]
        while not self.end.is_set():
            with subprocess.Popen(words, cwd=self.city.folder, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as process:
                while process.poll() is None and not self.end.wait(0.05):
                    pass
                if process.poll() is None:
                    process.terminate()
                elif process.returncode == 0:
                    self.finished.append(query)
                else:
                    raise AssertionError(f"{query}: {process.returncode}")

    def __enter__(self):
        for thread in self.all:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for thread in self.all:
            thread.join()


def beside_searches(rules, peak, quick, emit):
    """Alerts and acks while ten search what was stored before."""
    seconds = WARM + (2 if quick else 30)
    for name, rate, lanes in (("latency_at_20%", int(peak * 0.2), [("syslog_tcp", 8), ("relp", 1), ("bulk", 1)]),
                              ("acks_at_50000", 50000, ["relp"] * 4 + ["bulk"] * 4)):
        with tempfile.TemporaryDirectory(dir=WORK) as folder, City(folder, rules).start() as city:
            city.send(["syslog_tcp"] * 2, "--records", 20000 if quick else 300000, *SIZE)
            stored = city.settled()["store"]["next"]
            with Searches(city, 10) as searches:
                said = city.send(lanes, "--rate", rate, "--seconds", seconds, "--warm", WARM, "--plant", 0.05, *SIZE)
            city.stop()
        check_found(said)
        emit({"lane": f"{name}_beside_searches", "records_per_s": said["records"] / said["seconds"],
              "stored_before": stored, "searches_finished": len(searches.finished),
              "detection_ms": said["detection_ms"],
              **{f"{kind}_ack_ms": said["lanes"][kind]["ack_ms"] for kind in ("relp", "bulk")}})


def lost_of(state, kind):
    """(sent, stored, lost by reason) of all sources of that kind, and of its listener."""
    rows = [s["records"] for s in state["collect"]["sources"] if s["input"] == kind]
    lost = {}
    for row in rows:
        for reason, n in row["lost"].items():
            lost[reason] = lost.get(reason, 0) + n
    return sum(r["received"] for r in rows), sum(r["stored"] for r in rows), lost


def flood(kind, rules, quick, emit):
    """One source sends as fast as it can, another a planted attack every 100 ms over RELP; nothing of
    that one may be lost."""
    seconds, before = (2.5, 1) if quick else (30, 2)
    flooded = {}
    with tempfile.TemporaryDirectory(dir=WORK) as folder, City(folder, rules).start() as city:
        flooder = threading.Thread(target=lambda: flooded.update(generate(
            [(kind, city.ports[kind])] * 4, "--seconds", before + seconds, *SIZE)))
        flooder.start()
        time.sleep(before)
        said = city.send(["relp"], "--rate", 200, "--seconds", seconds, "--plant", 0.1)
        flooder.join()
        state = city.settled()
        city.stop()
    check_found(said)
    sent, stored, lost = lost_of(state, kind.replace("_", "-"))
    quiet = lost_of(state, "relp")
    if sent != flooded["records"] or sent != stored + sum(lost.values()):
        raise AssertionError(f"{flooded['records']} sent, {sent} counted, {stored} stored, {lost}")
    if quiet != (said["records"], said["records"], {}):
        raise AssertionError(f"the quiet source: {said['records']} sent, {quiet}")
    emit({"lane": f"flood_{kind}", "asked_per_s": sent / flooded["seconds"], "taken_per_s": stored / flooded["seconds"],
          "lost_of_flood": lost, "lost_of_quiet": 0, "quiet_detection_ms": said["detection_ms"],
          "quiet_ack_ms": said["lanes"]["relp"]["ack_ms"]})


def floods(rules, _peak, quick, emit):
    for kind in ("syslog_tcp", "syslog_udp"):
        flood(kind, rules, quick, emit)


def latency(rules, peak, part, quick, emit):
    seconds = WARM + (2 if quick else 30)
    rate = int(peak * part)
    with tempfile.TemporaryDirectory(dir=WORK) as folder, City(folder, rules).start() as city:
        said = city.send([("syslog_tcp", 8), ("relp", 1), ("bulk", 1)], "--rate", rate, "--seconds", seconds,
                         "--warm", WARM, "--plant", 0.05, *SIZE)
        city.stop()
    check_found(said)
    emit({"lane": f"latency_at_{part:.0%}", "records_per_s": said["records"] / said["seconds"],
          "detection_ms": said["detection_ms"], "relp_ack_ms": said["lanes"]["relp"]["ack_ms"],
          "bulk_ack_ms": said["lanes"]["bulk"]["ack_ms"]})


def latencies(rules, peak, quick, emit):
    for part in (0.2, 0.8):
        latency(rules, peak, part, quick, emit)


def main():
    parts = {"udp": udp, "latency": latencies, "acks": acks, "searches": beside_searches, "floods": floods,
             "acked": acked_lanes}
    parser = argparse.ArgumentParser(prog="script/bench serve", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="end within 50 s: fewer records, one round")
    parser.add_argument("--json", action="store_true", help="one JSON line per lane")
    parser.add_argument("--only", choices=parts, action="append", help="a part of it; may be repeated")
    parser.add_argument("--peak", type=int, help="records/s that it takes, of a run before; else that is measured first")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    corpus = os.environ.get("VAKA_CORPUS")
    rules = [pathlib.Path(corpus) / "sigma" / "rules", ONE_RULE] if corpus else [OWN_RULES]
    emit = emitter(options.json, seed=1)  # the generator's own
    peak = options.peak or throughput(rules, options.quick, emit)
    for name, part in parts.items():
        if name in (options.only or parts):
            part(rules, peak, options.quick, emit)


main()
