#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "search" of script/bench, which builds: queries over what a city's sources send
(tests/load/city.mix, drawn anew, no record twice), by one process, from sealed segments with their
indexes. All figures are of one run.

Beside each stands how long ripgrep takes for the same text in the same records, decompressed by
zstdcat from one file (zstd -3): it finds lines and does not know what a field is. Beside what takes
every record apart stands jq, by its speed over the first records: it takes only those apart that are
JSON, and passes the others by. And ClickHouse, with one thread, the same fields of the same records in a
table ordered by time (tests/bench/clickhouse.py): its time is that which the server says of a query, Vaka's
is that of the whole program. Both must give the same answer.

Cold: the kernel has dropped its pages of segments and indexes, as far as it does so when asked.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import typing

from clickhouse import ClickHouse, is_here
from stored import VAKA, copy_records, fill, segments, timed, work_folder
from table import emitter, load_1min
from serving import Serve

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
NEEDLES = (f"<38>Nov 26 10:00:00 host9 sshd[4711]: Failed password for invalid user needle from 203.0.113.77 "
           f"port 40001 ssh2\n<13>Nov 26 10:00:00 host9 scan[7]: sha256={HASH}\n").encode()
JQ_BYTES = 64 << 20
# Bytes of disk for one of records: segments, filters and indexes 0.3, the file of zstd 0.2, journals, and the
# table of ClickHouse 0.4, twice while it merges.
DISK, DISK_TABLE = 0.7, 0.8
SPAN_BYTES = 1e9
# Distinct addresses of 20 GB do not fit into the memory that is usual.
SETTINGS = "search:\n  time: 6h\n  memory: 1GiB\n"


class Query(typing.NamedTuple):
    lane: str
    text: str
    literal: str = None  # for ripgrep
    program: str = None  # for jq
    sql: str = None  # behind FROM records, and what is selected when it is more than count()
    select: str = "count()"
    answer: int = None
    cold: bool = False


def like(text):
    return f"WHERE message LIKE '%{text}%'"


QUERIES = (
    Query("absent_word", "zqxjwvkabsent | count", "zqxjwvkabsent", sql=like("zqxjwvkabsent"), answer=0, cold=True),
    Query("absent_name", "user.name: zqxjwvkabsent | count", "zqxjwvkabsent", sql="WHERE user = 'zqxjwvkabsent'",
          answer=0),
    Query("one_hash", f"{HASH} | count", HASH, sql=like(HASH), answer=1, cold=True),
    Query("one_address", "203.0.113.77 | count", "203.0.113.77", sql=like("203.0.113.77"), answer=1, cold=True),
    Query("address_field", "source.ip: 203.0.113.77 | count", "203.0.113.77", sql="WHERE source_ip = '203.0.113.77'",
          answer=1, cold=True),
    Query("first_found", "203.0.113.77 | head 1", "203.0.113.77"),
    Query("scan_literal", "*qxjwvkabsen* | count", "qxjwvkabsen", sql=like("qxjwvkabsen"), answer=0),
    Query("frequent_word", "failed | count", "failed", sql="WHERE positionCaseInsensitive(message, 'failed') > 0"),
    Query("every_record", "no.such: 1 | count", program="select(.no.such == 1)", answer=0),
    Query("count_by", "| count by host.name", program=".host.name // empty", select="count(), host",
          sql="GROUP BY host"),
    Query("stats", "| stats count, distinct(source.ip), p95(source.port) by event.action"),
)


def index(serve):
    """All indexes anew: bytes of them and of the filters in segments, and how long it took."""
    run = timed([VAKA, "store", "index", "--all", "-c", serve.config])
    rows = segments(serve)
    if {row["index"] for row in rows} != {"current"}:
        raise AssertionError("not all is indexed")
    return {"filters_mb": sum(row["filter_bytes"] for row in rows) / 1e6,
            "indexes_mb": sum(row["index_file_bytes"] for row in rows) / 1e6,
            "index_s": run.seconds, "index_cpu_s": run.cpu_s, "index_rss_mb": run.peak_rss_mb,
            "segments": len(rows), "blocks": sum(row["blocks"] for row in rows)}


def export(serve, folder):
    """The records as lines, compressed; their bytes, and those of the file and of the store."""
    packed = folder / "raw.zst"
    with open(packed, "wb") as out, \
            subprocess.Popen(["zstd", "-q", "-3"], stdin=subprocess.PIPE, stdout=out) as zstd:
        raw = copy_records(serve, zstd.stdin)
        zstd.stdin.close()
    if zstd.returncode != 0:
        raise AssertionError(f"zstd ended with {zstd.returncode}")
    store = sum(p.stat().st_size for p in serve.folder.glob("var/store/0/segment-*"))
    return raw, packed, store


def ripgrep(packed, text):
    if not text or not shutil.which("rg"):
        return None
    return timed(["sh", "-c", f"zstdcat {packed} | rg -j1 -i -F -c {text}; true"])


def jq(packed, program):
    """Bytes a second."""
    if not program or not shutil.which("jq"):
        return None
    return JQ_BYTES / timed(["sh", "-c", f"zstdcat {packed} | head -c {JQ_BYTES} | "
                                         f"jq -R -c 'fromjson? | {program}'"]).seconds


class Store:
    """What is asked: by Vaka, and beside it by others. `raw`: bytes of records; `table`: a ClickHouse or None."""

    def __init__(self, serve, packed, raw, table, rounds):
        self.serve, self.packed, self.raw, self.table, self.rounds = serve, packed, raw, table, rounds

    def search(self, query, *words):
        return timed([VAKA, "search", query.text, "--jobs", "1", "-c", self.serve.config, *words])

    def drop_pages(self):
        folder = self.serve.folder / "var" / "store" / "0"
        for path in [*folder.glob("segment-*"), *folder.glob("index/*")]:
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def others(self, query):
        """Figures of a row from its seconds and those of the processor."""
        grep, bytes_per_s = ripgrep(self.packed, query.literal), jq(self.packed, query.program)
        theirs = None
        if self.table and query.sql:
            sql = f"SELECT {query.select} FROM records {query.sql}"
            theirs = sorted(self.table.timed(sql) for _ in range(self.rounds))[self.rounds // 2]

        def compare(run, raw):
            row = {}
            if grep:
                row["of_zstdcat_rg"] = grep.seconds / run.seconds
                row["cpu_of_zstdcat_rg"] = run.cpu_s / grep.cpu_s
            if bytes_per_s:
                row["of_zstdcat_jq"] = raw / run.seconds / bytes_per_s
            if theirs:
                row.update({"clickhouse_s": theirs[0], "clickhouse_cpu_s": theirs[1],
                            "clickhouse_peak_rss_mb": theirs[2],
                            "time_to_clickhouse": run.seconds / theirs[0]})
                check_same(query, run.out, theirs[3])
            return row
        return compare

    def measure(self, query, emit, raw=None, words=()):
        """`raw`: bytes of records that are asked, when not all are."""
        raw = raw or self.raw
        told = self.search(query, *words).told  # and all is warm
        read, passed = map(int, re.search(rb"(\d+) blocks read, (\d+) passed over", told).groups())
        compare = self.others(query)
        for cold in (False, True) if query.cold else (False,):
            for _ in range(self.rounds):
                if cold:
                    self.drop_pages()
                run = self.search(query, "-f", "json", *words)
                if query.answer is not None and json.loads(run.out)["count"] != query.answer:
                    raise AssertionError(f"{query.text}: {run.out}")
                emit({"lane": query.lane + "_cold" * cold, "seconds": run.seconds,
                      "raw_mb_per_s": raw / 1e6 / run.seconds, "cpu_s": run.cpu_s, "peak_rss_mb": run.peak_rss_mb,
                      "blocks_read": read, "blocks_passed": passed, "rows": run.out.count(b"\n"),
                      **compare(run, raw)})


def check_same(query, out, rows):
    """Groups of JSON lines, without one the only, and those of ClickHouse."""
    ours = {tuple(row.values())[0] or "" if len(row) > 1 else "": row["count"]
            for row in map(json.loads, out.splitlines())}
    theirs = {row[1] if len(row) > 1 else "": int(row[0]) for row in rows}
    if ours != theirs:
        raise AssertionError(f"{query.text}: {sorted(ours.items() ^ theirs.items())[:10]}")


def second_of(text):
    return int(datetime.datetime.fromisoformat(text[:19] + "+00:00").timestamp())


def count_by_1gb(store, emit):
    """Over the segments in the middle that have so many bytes, from whole second to whole second."""
    rows = segments(store.serve)
    size = sum(row["raw_bytes"] for row in rows)
    before, chosen = max(0, (size - SPAN_BYTES) / 2), []
    for row in rows:
        before -= row["raw_bytes"]
        if before < 0 and sum(r["raw_bytes"] for r in chosen) < SPAN_BYTES:
            chosen.append(row)
    begin, end = second_of(chosen[0]["earliest"]), second_of(chosen[-1]["latest"]) + 1
    words = [word for name, at in (("--from", begin), ("--to", end))
             for word in (name, datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%FT%TZ"))]
    store.measure(Query("count_by_1gb", "| count by host.name", select="count(), host",
                        sql=f"WHERE time >= toDateTime({begin}) AND time < toDateTime({end}) GROUP BY host"),
                  emit, copy_records(store.serve, None, *words), words)


@contextlib.contextmanager
def table_of(serve, folder, records, emit):
    """A ClickHouse that has the records; None when there is none here."""
    if not is_here():
        emit({"lane": "clickhouse", "skipped": "clickhouse-server is not here"})
        yield None
        return
    with ClickHouse(folder / "clickhouse") as table:
        rows, figures = table.fill(serve)
        if rows != records:
            raise AssertionError(f"{rows} of {records} records are in ClickHouse's table")
        emit({"lane": "clickhouse", **figures})
        yield table


def main():
    parser = argparse.ArgumentParser(prog="script/bench search", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer records, one round")
    parser.add_argument("--json", action="store_true", help="one JSON line per lane")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gigabytes", type=float, help="of records (1.4; quick 0.1)")
    options = parser.parse_args()
    gigabytes = options.gigabytes or (0.1 if options.quick else 1.4)
    begun = time.monotonic()
    with work_folder(gigabytes, DISK + DISK_TABLE * is_here()) as folder:
        emit = emitter(options.json, options.seed)
        folder = pathlib.Path(folder)
        with Serve(VAKA, folder, more=SETTINGS, journal="64MiB").start() as serve:
            records = fill(serve, gigabytes, options.seed, NEEDLES)
            filled = time.monotonic() - begun
            raw, packed, size = export(serve, folder)
            built = index(serve)
            emit({"lane": "store", "records": records, "raw_mb": raw / 1e6, "fill_s": filled,
                  "segments_mb": size / 1e6, "zstd_file_mb": packed.stat().st_size / 1e6, **built,
                  "index_of_raw": (built["filters_mb"] + built["indexes_mb"]) * 1e6 / raw,
                  "index_mb_per_s": raw / 1e6 / built["index_s"]})
            with table_of(serve, folder, records, emit) as table:
                store = Store(serve, packed, raw, table, 1 if options.quick else 3)
                for query in QUERIES:
                    store.measure(query, emit)
                count_by_1gb(store, emit)
    emit({"lane": "end", "seconds": time.monotonic() - begun, "load_1min": load_1min()})


main()
