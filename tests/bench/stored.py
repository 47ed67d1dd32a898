# SPDX-License-Identifier: EUPL-1.2
"""For parts of the benchmark that ask what is stored: a store full of a city's records, and what asking
it takes."""
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "load"))
from city import VAKA, generate  # noqa: E402  pylint: disable=wrong-import-position

WORK = ROOT / "build" / "bench"
PART_BYTES = 350e6  # of one run of the generator, which has a seed of its own
PARTS_MAX = 10000
RECORD_BYTES = 340  # what one of the city's has, before it is known


class Run(typing.NamedTuple):
    seconds: float
    cpu_s: float
    peak_rss_mb: float  # of the largest of its processes
    out: bytes
    told: bytes


def timed(words, **more):
    """A program from its beginning to its end. Its memory is that of time(1)'s child: what Python starts itself
    has Python's peak from birth."""
    begun = time.monotonic()
    with tempfile.NamedTemporaryFile() as peak, tempfile.TemporaryFile() as told, \
            subprocess.Popen(["/usr/bin/time", "-q", "-f", "%M", "-o", peak.name, *words], stdout=subprocess.PIPE,
                             stderr=told, **more) as process:
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        said = told.read()
        if process.returncode != 0:
            raise AssertionError(f"{words}: {process.returncode}: {said.decode()}")
        return Run(seconds, usage.ru_utime + usage.ru_stime, int(peak.read()) / 1024, out, said)


def work_folder(gigabytes, disk):
    """An empty folder that is removed with all in it, also when the program is told to end. `disk`: bytes
    that are needed for one of records."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    WORK.mkdir(parents=True, exist_ok=True)
    need, free = gigabytes * disk + 1, shutil.disk_usage(WORK).free / 1e9
    if free < need:
        sys.exit(f"{gigabytes:g} GB of records need {need:.1f} GB of disk in {WORK}, {free:.1f} are free")
    return tempfile.TemporaryDirectory(dir=WORK)


def show_progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def fill(serve, gigabytes, seed, needles=b""):
    """So much of records that are drawn anew, none of them twice, and the lines of `needles` behind half of
    them; sealed, and the serve ended. How many."""
    most, sent, records, each, begun = gigabytes * 1e9, 0, 0, RECORD_BYTES, time.monotonic()
    lanes = [("syslog_tcp", serve.ports["syslog_tcp"]), ("ndjson", serve.ports["http"])]
    for number in range(PARTS_MAX):
        part = min(PART_BYTES, most / 2, most - sent)
        said = generate(lanes, "--records", max(1, math.ceil(part / each)), "--seed", seed * PARTS_MAX + number)
        sent += sum(lane["bytes"] for lane in said["lanes"].values())
        records += said["records"]
        each = sent / records
        if needles and sent >= most / 2:
            with serve.tcp() as s:
                s.sendall(needles)
            records += needles.count(b"\n")
            needles = b""
        show_progress(f"{sent / 1e9:.1f} of {gigabytes:g} GB of records taken, "
                      f"{sent / 1e6 / (time.monotonic() - begun):.0f} MB/s")
        if sent >= most:
            break
    serve.wait(lambda: serve.status()["triage"]["matched"] >= records, "that all is matched", 3600)
    # What waits is sealed by the next start.
    serve.stop()
    serve.start()
    serve.wait(lambda: serve.status()["seal"]["sealed"] >= records, "that all is sealed", 3600)
    serve.stop()
    show_progress("")
    return records


def segments(serve):
    """What `vaka store ls` tells of each."""
    return [json.loads(line) for line in serve.ask("store", "ls", "-f", "json").splitlines()]


def copy_records(serve, out, *words):
    """The records as lines; their bytes. `out` may be None."""
    size = 0
    with subprocess.Popen([VAKA, "store", "cat", *words, "-c", serve.config], stdout=subprocess.PIPE) as cat:
        while piece := cat.stdout.read(1 << 20):
            size += len(piece)
            if out:
                out.write(piece)
    if cat.returncode != 0:
        raise AssertionError(f"vaka store cat ended with {cat.returncode}")
    return size
