#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "hunt" of script/bench, which builds. All figures are of one run."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from table import emitter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "bench"
VAKA = ROOT / "build" / "release" / "vaka"
BENCH = ROOT / "build" / "release" / "tests" / "bench" / "vaka-bench"
EVTX = ROOT / "build" / "release" / "tests" / "bench" / "vaka-bench-evtx"


def unpack(source, limit=None):
    """The NDJSON text of a .zst lane, unpacked once; with a limit cut at a line."""
    target = WORK / (source.name.split(".")[0] + (f"-{limit >> 20}" if limit else "") + ".ndjson")
    if target.exists():
        return target
    part = target.with_suffix(".part")
    with open(part, "wb") as out:
        unzstd = subprocess.Popen(["zstd", "-dc", str(source)], stdout=subprocess.PIPE)
        left = limit if limit else 1 << 62
        while left > 0:
            piece = unzstd.stdout.read(min(1 << 20, left))
            if not piece:
                break
            left -= len(piece)
            if left == 0:
                piece = piece[:piece.rfind(b"\n") + 1]
            out.write(piece)
        unzstd.stdout.close()
        unzstd.wait()
    part.rename(target)
    return target


def lanes(corpus, quick):
    if not corpus:
        samples = WORK / "samples.ndjson"
        text = b"".join(p.read_bytes() for p in sorted((ROOT / "samples").rglob("*.ndjson")))
        samples.write_bytes(text)
        return {"samples": samples}
    found = {"windows_dev": unpack(corpus / "bench" / "windows_dev.ndjson.zst", 64 << 20 if quick else None)}
    for path in sorted((corpus / "bench" / "lanes").glob("*.zst")):
        found[path.name.split(".")[0]] = unpack(path)
    return found


def bench(rules, chosen, seconds, *options):
    command = [str(BENCH), "--rules", str(rules), "--seconds", str(seconds), "--json", *options]
    rows = []
    for name, path in chosen.items():  # a process each, so that memory is the lane's own
        out = subprocess.run([*command, f"{name}={path}"], check=True, stdout=subprocess.PIPE).stdout
        rows += [json.loads(line) for line in out.splitlines()]
    return rows


def hunt(rules, path, jobs):
    """One whole `vaka hunt`: (wall seconds, its --stats)."""
    start = time.monotonic()
    run = subprocess.run([str(VAKA), "hunt", "-r", str(rules), "-f", "json", "-o", "/dev/null", "--stats",
                          "-j", str(jobs), str(path)], stderr=subprocess.PIPE, check=False)
    seconds = time.monotonic() - start
    stats = [line for line in run.stderr.splitlines() if line.startswith(b"{")]
    return seconds, json.loads(stats[-1]) if stats else {}


def whole_program(rules, path, one_event, quick, emit):
    """Start-up, memory and what a second job brings."""
    times = [hunt(rules, one_event, 1)[0] for _ in range(3 if quick else 5)]
    emit({"lane": "start_to_first_alert", "seconds": statistics.median(times)})
    ratios, stats = [], {}
    for _ in range(2 if quick else 5):
        one, stats = hunt(rules, path, 1)
        two, _ = hunt(rules, path, 2)
        start = statistics.median(times)
        ratios.append((one - start) / max(two - start, 1e-9))
    emit({"lane": "whole_program", "jobs": 1, **stats})
    emit({"lane": "second_job", "jobs": 2, "speedup": statistics.median(ratios)})


def ten_times_rules(rules, chosen, seconds, emit):
    """Each lane with the rules and with ten altered copies of each, in turn; medians of pairs."""
    few = {name: chosen[name] for name in ("structured_windows", "windows_dev") if name in chosen}
    for name, path in few.items():
        pairs = []
        for _ in range(3):
            one = bench(rules, {name: path}, seconds, "--no-parse")[0]
            ten = bench(rules, {name: path}, seconds, "--no-parse", "--copies", "10")[0]
            pairs.append((1 - ten["events_per_s"] / one["events_per_s"], one, ten))
        slower, one, ten = sorted(pairs, key=lambda pair: pair[0])[1]
        emit({"lane": name + "_rules_x10", "rules": ten["rules"], "events_per_s": ten["events_per_s"],
              "mb_per_s": ten["mb_per_s"], "rss_mb": ten["rss_mb"], "slower": slower,
              "alerts_per_event": ten["alerts"] / ten["events"],
              "alerts_per_event_before": one["alerts"] / one["events"]})


def main():
    parser = argparse.ArgumentParser(prog="script/bench [hunt]", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="end within 50 s: shorter loops, smaller files")
    parser.add_argument("--json", action="store_true", help="one JSON line per lane")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    corpus = os.environ.get("VAKA_CORPUS")
    corpus = pathlib.Path(corpus) if corpus else None
    rules = corpus / "sigma" if corpus else ROOT / "rules"
    seconds = 0.7 if options.quick else 2.5

    emit = emitter(options.json)
    chosen = lanes(corpus, options.quick)
    for row in bench(rules, chosen, seconds):
        emit(row)
    first = next(iter(chosen.values()))
    one_event = WORK / "one.ndjson"
    source = chosen.get("match_heavy", first)
    with open(source, "rb") as lines:
        one_event.write_bytes(lines.readline())
    whole_program(rules, first, one_event, options.quick, emit)
    if corpus and not options.quick:
        ten_times_rules(rules, chosen, seconds, emit)
    if corpus and EVTX.exists():
        out = subprocess.run([str(EVTX), "--json", str(corpus / "evtx-attack-samples"),
                              str(corpus / "evtx-parser-samples")], stdout=subprocess.PIPE, check=False).stdout
        for line in out.splitlines():
            if line.startswith(b"{"):
                emit(json.loads(line))


main()
