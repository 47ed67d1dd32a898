#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "retro" of script/bench, which builds: all of SigmaHQ's rules (VAKA_CORPUS has them, else Vaka's
own are taken) over what a city's sources have sent. All figures are of one run.

First by hand, vaka hunt --store. Then while vaka serve watches: records at a fifth of the peak with
planted attacks, and as many as it takes, with the pass by itself at work (in its share of a processor)
and without, in turns. The pass is that of a first start, for which all rules are new. Indexes are not
made meanwhile, so that nothing else differs. Slow-down is that of the medians, in percent; what is
negative was faster.
"""
import argparse
import json
import os
import pathlib
import statistics
import time

from stored import VAKA, copy_records, fill, timed, work_folder
from table import emitter, load_1min
from city import ONE_RULE, OWN_RULES, SIZE, WARM, City

DISK = 0.6  # bytes for one of records
TURNS_GIGABYTES = 8  # of records, which come to those that are there
# Plants of the next run, which have the same hosts, are not alike; what is frequent is.
SETTINGS = "index:\n  share: 0\ntriage:\n  alike: 200ms\n"
AT_WORK = ("running", "waiting")
FIGURES = ("records_per_s", "p50_ms", "p99_ms")


def rules_of(corpus):
    return [*sorted((pathlib.Path(corpus) / "sigma").glob("rules*")), ONE_RULE] if corpus else [OWN_RULES]


def hunt(city, rules, records, raw, jobs, emit):
    words = [word for path in rules for word in ("-r", path)]
    run = timed([VAKA, "hunt", "--store", *words, "-j", str(jobs), "-f", "json", "-o", "/dev/null", "--stats",
                 "-c", city.config], cwd=city.folder)
    stats = next(json.loads(line) for line in run.told.splitlines() if line.startswith(b'{"events"'))
    if stats["events"] != records:
        raise AssertionError(f"{stats['events']} of {records} records were read")
    emit({"lane": f"hunt_{jobs}_processes", "rules": stats["rules_loaded"], "records": records, "raw_mb": raw / 1e6,
          "alerts": stats["alerts"], "seconds": run.seconds, "s_per_gb": run.seconds * 1e9 / raw,
          "raw_mb_per_s": raw / 1e6 / run.seconds, "cpu_s": run.cpu_s, "cpu_us": run.cpu_s * 1e6 / records,
          "peak_rss_mb": run.peak_rss_mb})


def pass_of(city):
    state = city.status()["retro"]
    if state["state"] not in AT_WORK:
        raise AssertionError(f"the pass is {state['state']} ({state['done_percent']} % done): more --gigabytes")
    return state


def send(city, *words):
    """What the generator says of it, when all that was planted was found and all else is matched."""
    said = city.send(*words, *SIZE)
    if said["found"] != said["planted"]:
        raise AssertionError(f"{said['planted']} planted, {said['found']} found")
    city.settled()
    return said


def live(city, beside, quick, rate):
    """What is taken and told, with the pass beside it or without; `rate`: records a second of the second part, or
    None: a fifth of what the first takes."""
    records = 30000 if quick else 600000
    if beside:
        (city.folder / "var" / "retro" / "book").unlink(missing_ok=True)
    city.arguments = [] if beside else ["--set", "retro.days=0"]
    city.start()
    if beside:
        city.wait(lambda: city.status()["retro"]["state"] in AT_WORK, "that the pass is at work", 300)
        before = pass_of(city)
    full = send(city, ["syslog_tcp"], "--records", records, "--last")
    rate = rate or int(records / full["found_after"] * 0.2)
    said = send(city, [("syslog_tcp", 8), ("relp", 1)], "--rate", rate, "--seconds", WARM + (2 if quick else 30),
                "--warm", WARM, "--plant", 0.05)
    row = {"lane": "live_beside_the_pass" if beside else "live_alone", "records_per_s": records / full["found_after"],
           "rate": rate, "plants": said["planted"], "p50_ms": said["detection_ms"]["p50"],
           "p99_ms": said["detection_ms"]["p99"]}
    if beside:
        after = pass_of(city)
        row.update({"rules": after["rules"], "share_percent": after["share_percent"],
                    "pass_mb": (after["bytes"] - before["bytes"]) / 1e6,
                    "pass_cpu_s": (after["cpu_ms"] - before["cpu_ms"]) / 1e3,
                    "waits": after["waits"] - before["waits"]})
    city.stop()
    return row


def turns(city, quick, emit):
    rows, rate = {True: [], False: []}, None
    for number in range(1 if quick else 3):
        for beside in (bool(number % 2), not number % 2):
            row = live(city, beside, quick, rate)
            rate = row["rate"]
            rows[beside].append(row)
            emit(row)
    alone, pressed = ({name: statistics.median(row[name] for row in rows[beside]) for name in FIGURES}
                      for beside in (False, True))
    emit({"lane": "slow_down_percent", "records_per_s": (1 - pressed["records_per_s"] / alone["records_per_s"]) * 100,
          **{name: (pressed[f"{name}_ms"] / alone[f"{name}_ms"] - 1) * 100 for name in ("p50", "p99")}})


def main():
    parser = argparse.ArgumentParser(prog="script/bench retro", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="end within 50 s: fewer records, one round")
    parser.add_argument("--json", action="store_true", help="one JSON line per lane")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gigabytes", type=float, help="of records that are stored (3; quick 0.1)")
    options = parser.parse_args()
    gigabytes = options.gigabytes or (0.1 if options.quick else 3)
    rules = rules_of(os.environ.get("VAKA_CORPUS"))
    begun = time.monotonic()
    with work_folder(gigabytes + TURNS_GIGABYTES * (not options.quick), DISK) as folder:
        emit = emitter(options.json, options.seed)
        with City(folder, rules, more=SETTINGS, journal="64MiB") as city:
            city.arguments = ["--set", "retro.days=0", "--set", f"rules={ONE_RULE}"]  # nothing is timed yet
            city.start()
            records = fill(city, gigabytes, options.seed)
            raw = copy_records(city, None)
            emit({"lane": "store", "records": records, "raw_mb": raw / 1e6, "fill_s": time.monotonic() - begun})
            for jobs in [1] if options.quick else [1, os.cpu_count()]:
                hunt(city, rules, records, raw, jobs, emit)
            turns(city, options.quick, emit)
    emit({"lane": "end", "seconds": time.monotonic() - begun, "load_1min": load_1min()})


main()
