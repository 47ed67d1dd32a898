#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "benign" of script/bench, which builds: what rules say of a day on which nothing happens.

vaka-day writes parts of an ordinary day of the reference city (tests/load/day.mix): some seconds of
each hour and, for rules that count over time, many in a row in the busiest. They are hunted with
Vaka's own rules and, when VAKA_CORPUS is set, with those that the profile `default` switches on of
SigmaHQ's. Prints alerts by level and by rule; exit status 1 when one of Vaka's own is high or
critical.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from table import emitter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VAKA = ROOT / "build" / "release" / "vaka"
DAY = ROOT / "build" / "release" / "tests" / "load" / "vaka-day"
MIX = ROOT / "tests" / "load" / "day.mix"
BEGIN = "2026-11-26T00:00:00Z"
LEVELS = ("critical", "high", "medium", "low", "informational")
SEED = 1


def hunt(rules, part, longer, vaka=VAKA, day_writer=DAY):
    """Levels and titles of the alerts with their numbers, and the figures of the run."""
    levels, titles = collections.Counter(), collections.Counter()
    with (tempfile.TemporaryFile() as said,
          subprocess.Popen([day_writer, MIX, str(SEED), BEGIN, str(part), str(longer)], stdout=subprocess.PIPE) as day,
          subprocess.Popen([vaka, "hunt", "-r", rules, "-f", "json", "--stats", "-"], stdin=day.stdout,
                           stdout=subprocess.PIPE, stderr=said, env={**os.environ, "VAKA_CONFIG": "/dev/null"}) as found):
        day.stdout.close()
        for line in found.stdout:
            rule = json.loads(line)["rule"]
            levels[rule["level"]] += 1
            titles[f"{rule['level']}: {rule['title']}"] += 1
        if found.wait() or day.wait():
            raise AssertionError(f"hunt {found.returncode}, vaka-day {day.returncode}")
        said.seek(0)
        stats = next(json.loads(line) for line in said if line.startswith(b'{"events"'))
    return levels, titles, stats


def tell(emit, lane, rules, options):
    levels, titles, stats = hunt(rules, 1 if options.quick else 5, 60 if options.quick else 600)
    emit({"lane": lane, "events": stats["events"], "rules": stats["rules_loaded"], "alerts": levels.total(),
          **{level: levels[level] for level in LEVELS}, "by_rule": dict(titles.most_common())})
    return levels


def import_sigma(folder):
    """The folder of the rules that are on."""
    settings = ("--set", f"serve.folder={folder}", "--set", f"serve.socket={folder}/socket")
    subprocess.run([VAKA, "rules", "import", pathlib.Path(os.environ["VAKA_CORPUS"]) / "sigma", *settings],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return next(pathlib.Path(folder).glob("rules/sigmahq/*/on"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer seconds of each hour")
    parser.add_argument("--json", action="store_true", help="one JSON line per lane")
    options = parser.parse_args()
    emit = emitter(options.json, SEED)
    own = tell(emit, "own", ROOT / "rules", options)
    if os.environ.get("VAKA_CORPUS"):
        with tempfile.TemporaryDirectory() as folder:
            tell(emit, "sigmahq_default", import_sigma(folder), options)
    else:
        emit({"lane": "sigmahq_default", "skipped": "VAKA_CORPUS is not set"})
    return 1 if own["critical"] + own["high"] else 0


if __name__ == "__main__":
    sys.exit(main())
