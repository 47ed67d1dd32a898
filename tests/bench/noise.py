#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "noise" of script/bench, which builds: SigmaHQ's rules into force, and tried on stored
records. All figures are of one run; VAKA_CORPUS has rules and events.

The ratio is that of vaka rules noise to vaka hunt on the same events: both decode and match all of
them; the one reads them from sealed blocks and counts, the other reads a plain file and prints.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

from stored import VAKA, WORK, timed
from table import emitter
from serving import Serve

POST = 4 << 20  # bytes of one request


def store(serve, events, most):
    """The events as records; how many. The file is what hunt reads."""
    total = 0
    with open(events, "wb") as plain, subprocess.Popen(
            ["zstd", "-dcq", pathlib.Path(os.environ["VAKA_CORPUS"]) / "bench" / "windows_dev.ndjson.zst"],
            stdout=subprocess.PIPE) as source:
        while total < most and (lines := source.stdout.readlines(POST)):
            plain.writelines(lines)
            status, body = serve.post("/api/ingest", b"".join(lines))
            if status != 200 or json.loads(body)["taken"] != len(lines):
                raise AssertionError(f"{status}: {body}")
            total += len(lines)
        source.kill()
    serve.wait(lambda: serve.status()["triage"]["matched"] == total, "that all is matched", 600)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer records, one round")
    parser.add_argument("--json", action="store_true", help="one JSON line per lane")
    options = parser.parse_args()
    emit = emitter(options.json)
    WORK.mkdir(parents=True, exist_ok=True)
    sigma = pathlib.Path(os.environ["VAKA_CORPUS"]) / "sigma"
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        with Serve(VAKA, folder, journal="64MiB").start() as serve:
            records = store(serve, f"{folder}/events.ndjson", 20000 if options.quick else 150000)
            here = ("-c", serve.config)
            seconds, used, rss, *_ = timed([VAKA, "rules", "import", sigma, "--profile", "all", *here])
            emit({"lane": "import", "seconds": seconds, "cpu_s": used, "peak_rss_mb": rss})
            for jobs in (1, os.cpu_count()):
                for _ in range(1 if options.quick else 3):
                    seconds, used, rss, out, _ = timed(
                        [VAKA, "rules", "noise", "sigmahq", "-f", "json", "-j", str(jobs), *here])
                    report = json.loads(out)
                    if report["records"] != records:
                        raise AssertionError(f"{report['records']} of {records} records")
                    on = next(p for p in serve.folder.glob("var/rules/sigmahq/*/on"))
                    hunt, hunt_used, *_ = timed(
                        [VAKA, "hunt", "-r", on, "-f", "json", "-j", str(jobs), f"{folder}/events.ndjson"])
                    emit({"lane": f"noise_{jobs}_processes", "records_per_s": records / seconds,
                          "cpu_us": used * 1e6 / records, "peak_rss_mb": rss,
                          "hunt_records_per_s": records / hunt, "hunt_cpu_us": hunt_used * 1e6 / records,
                          "of_hunt": hunt / seconds})
            for more in ((), ("--all",)):
                seconds, used, rss, *_ = timed([VAKA, "rules", "coverage", "-f", "json", *more, *here])
                emit({"lane": " ".join(("coverage", *more)), "seconds": seconds, "cpu_s": used, "peak_rss_mb": rss})
            serve.stop()


main()
