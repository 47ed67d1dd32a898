#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "search" of script/bench, which builds: queries over what a city's sources send
(tests/load/city.mix, drawn anew, no record twice), by one process, from sealed segments with their
indexes. All figures are of one run.

Beside each stands how long ripgrep takes for the same text in the same records, decompressed by
zstdcat from one file (zstd -3): it finds lines and does not know what a field is. Beside what takes
every record apart stands jq, by its speed over the first records: it takes only those apart that are
JSON, and passes the others by.

Cold: the kernel has dropped its pages of segments and indexes, as far as it does so when asked.
"""
import argparse
import json
import os
import pathlib
import re
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

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
NEEDLES = (f"<38>Nov 26 10:00:00 host9 sshd[4711]: Failed password for invalid user needle from 203.0.113.77 "
           f"port 40001 ssh2\n<13>Nov 26 10:00:00 host9 scan[7]: sha256={HASH}\n").encode()
JQ_BYTES = 64 << 20

# (lane, query, what ripgrep looks for or None, what jq does or None, the answer or None)
QUERIES = (
    ("absent_word", "zqxjwvkabsent | count", "zqxjwvkabsent", None, 0),
    ("absent_name", "user.name: zqxjwvkabsent | count", "zqxjwvkabsent", None, 0),
    ("one_hash", f"{HASH} | count", HASH, None, 1),
    ("one_address", "203.0.113.77 | count", "203.0.113.77", None, 1),
    ("address_field", "source.ip: 203.0.113.77 | count", "203.0.113.77", None, 1),
    ("first_found", "203.0.113.77 | head 1", "203.0.113.77", None, None),
    ("scan_literal", "*qxjwvkabsen* | count", "qxjwvkabsen", None, 0),
    ("frequent_word", "failed | count", "failed", None, None),
    ("every_record", "no.such: 1 | count", None, "select(.no.such == 1)", 0),
    ("count_by", "| count by host.name", None, ".host.name // empty", None),
    ("stats", "| stats count, distinct(source.ip), p95(source.port) by event.action", None, None, None),
)
COLD = ("absent_word", "one_hash", "one_address", "address_field")


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
                s.sendall(NEEDLES)
    serve.wait(lambda: serve.status()["triage"]["matched"] > records + 1, "that all is matched", 3600)
    # What waits is sealed by the next start.
    serve.stop()
    serve.start()
    serve.wait(lambda: serve.status()["seal"]["sealed"] > records + 1, "that all is sealed", 3600)
    serve.stop()


def drop_pages(serve):
    for path in [*serve.folder.glob("var/store/0/segment-*"), *serve.folder.glob("var/store/0/index/*")]:
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def index(serve):
    """All indexes anew: bytes of them and of the filters in segments, and how long it took."""
    seconds, used, rss, _ = timed([VAKA, "store", "index", "--all", "-c", serve.config])
    rows = [json.loads(line) for line in serve.ask("store", "ls", "-f", "json").splitlines()]
    if {row["index"] for row in rows} != {"current"}:
        raise AssertionError("not all is indexed")
    return {"filters_mb": sum(row["filter_bytes"] for row in rows) / 1e6,
            "indexes_mb": sum(row["index_file_bytes"] for row in rows) / 1e6,
            "index_s": seconds, "index_cpu_s": used, "index_rss_mb": rss,
            "blocks": sum(row["blocks"] for row in rows)}


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


def jq(packed, program):
    """Bytes a second."""
    if not program or not shutil.which("jq"):
        return None
    seconds, _, _, _ = timed(["sh", "-c", f"zstdcat {packed} | head -c {JQ_BYTES} | "
                                          f"jq -R -c 'fromjson? | {program}'"])
    return JQ_BYTES / seconds


def ask(serve, query):
    """timed(), and blocks read and passed over."""
    words = [VAKA, "search", query, "--jobs", "1", "-c", serve.config]
    told = subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).stderr
    read, passed = re.search(rb"(\d+) blocks read, (\d+) passed over", told).groups()
    return timed([*words, "-f", "json"]), int(read), int(passed)


def measure(serve, lane, query, raw, cold):
    (seconds, used, rss, out), read, passed = ask(serve, query)
    if cold:
        drop_pages(serve)
        seconds, used, rss, out = timed([VAKA, "search", query, "-f", "json", "--jobs", "1", "-c", serve.config])
    return {"lane": lane + "_cold" * cold, "seconds": seconds, "raw_mb_per_s": raw / 1e6 / seconds, "cpu_s": used,
            "peak_rss_mb": rss, "blocks_read": read, "blocks_passed": passed, "rows": len(out.splitlines())}, out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer records, one round")
    parser.add_argument("--json", action="store_true", help="one JSON line per lane")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, help="so many (4,000,000; quick 300,000)")
    options = parser.parse_args()
    emit = emitter(options.json, options.seed)
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        folder = pathlib.Path(folder)
        with Serve(VAKA, folder, journal="64MiB").start() as serve:
            fill(serve, options.records or (300000 if options.quick else 4000000), options.seed)
            raw, packed, store = export(serve, folder)
            built = index(serve)
            emit({"lane": "store", "raw_mb": raw / 1e6, "segments_mb": store / 1e6,
                  "zstd_file_mb": packed.stat().st_size / 1e6, **built,
                  "index_of_raw": (built["filters_mb"] + built["indexes_mb"]) * 1e6 / raw,
                  "index_mb_per_s": raw / 1e6 / built["index_s"]})
            for lane, query, text, program, answer in QUERIES:
                grep, other = ripgrep(packed, text), jq(packed, program)
                for cold in [False, True] if lane in COLD else [False]:
                    for _ in range(1 if options.quick else 3):
                        row, out = measure(serve, lane, query, raw, cold)
                        if answer is not None and json.loads(out)["count"] != answer:
                            raise AssertionError(f"{query}: {out}")
                        if grep:
                            row["of_zstdcat_rg"] = grep[0] / row["seconds"]
                            row["cpu_of_zstdcat_rg"] = row["cpu_s"] / grep[1]
                        if other:
                            row["of_zstdcat_jq"] = row["raw_mb_per_s"] * 1e6 / other
                        emit(row)


main()
