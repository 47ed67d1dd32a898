#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka serve under a city's load for as long as one likes; started by script/soak, which builds.

Checks, and ends with status 1 when one does not hold: no process grows in memory after it has warmed
up, every record that was sent is stored or counted as lost, all planted attacks are found and nothing
else of level high or critical is, and `vaka verify` finds the store intact. Memory is told of any run
and judged from five minutes on.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from city import LANES, OWN_RULES, ROOT, VAKA, City
from machine import run_facts

WORK = ROOT / "build" / "soak"
INPUTS = {"syslog_tcp": "syslog-tcp", "syslog_udp": "syslog-udp", "relp": "relp",
          "lumberjack": "lumberjack", "flow_udp": "flow-udp"}
FLOWS_MAX = 30  # of one packet
GROWTH_MAX = 0.02
JUDGED_FROM = 300  # seconds: in less, buffers that are used once a segment are not warm


class Memory(threading.Thread):
    """Bytes that each process has in memory, a sample a second."""

    def __init__(self, city):
        super().__init__(daemon=True)
        self.city, self.samples, self.end = city, {}, threading.Event()

    def run(self):
        while not self.end.wait(1):
            for name, (_, memory) in self.city.processes().items():
                self.samples.setdefault(name, []).append(memory)

    def growth(self):
        """Name → (MiB, growth from the first to the last third after warming up), the most of each."""
        found = {}
        for name, samples in self.samples.items():
            warm = samples[len(samples) // 4:]
            third = max(1, len(warm) // 3)
            first, last = max(warm[:third]), max(warm[-third:])
            found[name] = (last / (1 << 20), last / first - 1)
        return found


def sums_of(state, kind, what):
    """(stored, lost) of `what`, records or requests, of all sources of that input."""
    stored = lost = 0
    for source in state["collect"]["sources"]:
        if source["input"] == INPUTS[kind]:
            stored += source[what]["stored"]
            lost += sum(source[what]["lost"].values())
    return stored, lost


def balance(said, state):
    """Lane → (sent, stored, lost), and what does not balance."""
    rows, problems, lanes = {}, [], said["lanes"]
    for kind, lane in lanes.items():
        if kind == "flow_udp":
            continue
        stored, lost = (lane["acked"], lane["refused"]) if kind in ("ndjson", "bulk") else \
            sums_of(state, kind, "records")
        rows[kind] = (lane["records"], stored, lost)
        if lane["records"] != stored + lost:
            problems.append(f"{kind}: {lane['records']} sent, {stored} stored, {lost} lost")
        if "acked" in lane and lane["acked"] != stored:
            problems.append(f"{kind}: {stored} stored, {lane['acked']} acknowledged")
    # Flows become records when their packets are unpacked: theirs is what is left of the store.
    sent, packets = lanes["flow_udp"]["records"], lanes["flow_udp"]["requests"]
    taken, dropped = sums_of(state, "flow_udp", "requests")
    stored = state["store"]["next"] - sum(row[1] for row in rows.values())
    rows["flow_udp"] = (sent, stored, sent - stored)
    if packets != taken + dropped:
        problems.append(f"flow_udp: {packets} packets sent, {taken} taken, {dropped} lost")
    if not dropped <= sent - stored <= FLOWS_MAX * dropped:
        problems.append(f"flow_udp: {sent} sent, {stored} stored, {dropped} packets lost")
    return rows, problems


def compression(folder):
    """(bytes of records, of segments, of their filters) of what is sealed."""
    listed = subprocess.run([VAKA, "store", "ls", "-f", "json", folder], check=True,
                            stdout=subprocess.PIPE).stdout
    segments = [json.loads(line) for line in listed.splitlines()]
    return tuple(sum(s[key] for s in segments) for key in ("raw_bytes", "bytes", "filter_bytes"))


def soak(options, folder):
    with City(folder, [OWN_RULES], journal=options.journal).start() as city:
        memory = Memory(city)
        memory.start()
        said = city.send(LANES, "--rate", options.rate, "--seconds", options.minutes * 60,
                         "--plant", 1, "--seed", options.seed)
        memory.end.set()
        memory.join()
        state = city.settled()
        loud = [a["rule"]["title"] for a in city.alerts()
                if a["rule"]["level"] in ("high", "critical") and not (a["host"] or "").startswith("plant-")]
        city.stop()
        verify = subprocess.run([VAKA, "verify", "-k", city.folder / "var" / "keys" / "log.pub",
                                 city.folder_of_records()], check=False,
                                capture_output=True)
        raw, packed, filters = compression(city.folder_of_records())
    rows, problems = balance(said, state)
    growth = memory.growth()
    problems += [f"{name} grows by {part:.1%}" for name, (_, part) in growth.items()
                 if part > GROWTH_MAX and said["seconds"] >= JUDGED_FROM]
    problems += [f"an alert of a benign day: {title}" for title in sorted(set(loud))]
    if said["found"] != said["planted"]:
        problems.append(f"{said['planted']} attacks planted, {said['found']} found")
    if verify.returncode != 0:
        problems.append(f"vaka verify: {verify.stdout.decode()} {verify.stderr.decode()}")
    return {"seconds": said["seconds"], "records": said["records"],
            "records_per_s": said["records"] / said["seconds"], "lanes": rows,
            "memory_mib_growth": growth, "detection_ms": said["detection_ms"],
            "raw_bytes": raw, "segment_bytes": packed, "filter_bytes": filters,
            "compression": raw / packed if packed else None, "problems": problems}


def tell(figures):
    print(f"{figures['records']:,} records in {figures['seconds']:.0f} s, "
          f"{figures['records_per_s']:,.0f} a second")
    for name, (sent, stored, lost) in figures["lanes"].items():
        print(f"  {name:<12} sent {sent:>12,}  stored {stored:>12,}  lost {lost:>8,}")
    for name, (mib, growth) in sorted(figures["memory_mib_growth"].items()):
        print(f"  {name:<12} {mib:8.1f} MiB  {growth:+.2%}")
    print("  detection    " + "  ".join(f"{k} {v:.1f}" for k, v in figures["detection_ms"].items()))
    if figures["compression"]:
        print(f"  segments     {figures['compression']:.2f} times smaller than the records, "
              f"{figures['filter_bytes'] / figures['segment_bytes']:.1%} of them filters")
    for problem in figures["problems"]:
        print(f"  PROBLEM      {problem}")


def main():
    parser = argparse.ArgumentParser(prog="script/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=20000, help="records a second")
    parser.add_argument("--journal", help="of the store, one makes a segment; 64MiB, quick 16MiB")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="end within 50 s")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    if options.quick:
        options.minutes = 0.4
    options.journal = options.journal or ("16MiB" if options.quick else "64MiB")
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        figures = soak(options, pathlib.Path(folder))
    if options.json:
        print(json.dumps({**run_facts(options.seed), **figures}))
    else:
        tell(figures)
    return 1 if figures["problems"] else 0


sys.exit(main())
