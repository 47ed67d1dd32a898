#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "search" of script/bench, which builds: queries over what a city's sources send
(tests/load/city.mix, drawn anew, no record twice), by one process, from sealed segments. All figures
are of one run.

Beside each stands how long ripgrep takes for the same text in the same records, decompressed by
zstdcat from one file (zstd -3): it finds lines and does not know what a field is.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from table import emitter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from serving import TOKEN, Serve  # noqa: E402  pylint: disable=wrong-import-position

VAKA = ROOT / "build" / "release" / "vaka"
LOAD = ROOT / "build" / "release" / "tests" / "load" / "vaka-load"
WORK = ROOT / "build" / "bench"
MIX = ROOT / "tests" / "load" / "city.mix"

NEEDLE = (b"<38>Nov 26 10:00:00 host9 sshd[4711]: Failed password for invalid user needle from "
          b"203.0.113.77 port 40001 ssh2\n")

# (lane, query, what ripgrep looks for or None)
QUERIES = (
    ("absent_word", "zqxjwvkabsent | count", "zqxjwvkabsent"),
    ("address_free", "203.0.113.77 | count", "203.0.113.77"),
    ("address_field", "source.ip: 203.0.113.77 | count", "203.0.113.77"),
    ("first_found", "203.0.113.77 | head 1", "203.0.113.77"),
    ("frequent_word", "failed | count", "failed"),
    ("every_record", "no.such: 1 | count", None),
    ("count_by", "| count by host.name", None),
    ("stats", "| stats count, distinct(source.ip), p95(source.port) by event.action", None),
)


def timed(words, **more):
    """(seconds, seconds of processor, peak RSS in MB of one of its processes, what was printed)."""
    begun = time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **more) as process:
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def fill(serve, records, seed):
    """So many records, and one that is looked for in the middle."""
    half = records // 2
    for number, part in enumerate((half, records - half)):
        subprocess.run([LOAD, "--mix", MIX, "--lane", f"syslog_tcp={serve.ports['syslog_tcp']}",
                        "--lane", f"ndjson={serve.ports['http']}", "--token", TOKEN,
                        "--records", str(part), "--seed", str(2 * seed + number)],
                       check=True, stdout=subprocess.DEVNULL)
        if number == 0:
            with serve.tcp() as s:
                s.sendall(NEEDLE)
    serve.wait(lambda: serve.status()["triage"]["matched"] > records, "that all is matched", 3600)


def export(serve, folder):
    """The records as lines, compressed; their bytes, and those of the file and of the store."""
    plain, packed = folder / "raw", folder / "raw.zst"
    with open(plain, "wb") as out:
        subprocess.run([VAKA, "store", "cat", "-c", serve.config], check=True, stdout=out)
    raw = plain.stat().st_size
    subprocess.run(["zstd", "-q", "-3", "--rm", plain, "-o", packed], check=True)
    store = sum(p.stat().st_size for p in serve.folder.glob("var/store/0/segment-*"))
    return raw, packed, store


def ripgrep(packed, text):
    if not text or not shutil.which("rg"):
        return None
    seconds, used, _, _ = timed(["sh", "-c", f"zstdcat {packed} | rg -j1 -i -F -c {text}; true"])
    return seconds, used


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer records, one round")
    parser.add_argument("--json", action="store_true", help="one JSON line per lane")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    emit = emitter(options.json, options.seed)
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        folder = pathlib.Path(folder)
        with Serve(VAKA, folder, journal="64MiB").start() as serve:
            fill(serve, 300000 if options.quick else 4000000, options.seed)
            serve.stop()
            raw, packed, store = export(serve, folder)
            emit({"lane": "store", "raw_mb": raw / 1e6, "segments_mb": store / 1e6,
                  "zstd_file_mb": packed.stat().st_size / 1e6})
            for lane, query, text in QUERIES:
                for _ in range(1 if options.quick else 3):
                    seconds, used, rss, out = timed([VAKA, "search", query, "-f", "json", "--jobs", "1",
                                                     "-c", serve.config])
                    row = {"lane": lane, "seconds": seconds, "raw_mb_per_s": raw / 1e6 / seconds,
                           "cpu_s": used, "peak_rss_mb": rss, "rows": len(out.splitlines())}
                    beside = ripgrep(packed, text)
                    if beside:
                        row["of_zstdcat_rg"] = beside[0] / seconds
                        row["cpu_of_zstdcat_rg"] = used / beside[1]
                    if lane.startswith("address") and json.loads(out)["count"] != 1:
                        raise AssertionError(out)
                    emit(row)


main()
