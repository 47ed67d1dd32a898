#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "products" of script/bench, which builds. All figures are of one run."""
import argparse
import json
import os
import pathlib
import re
import subprocess

from table import emitter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCH = ROOT / "build" / "release" / "tests" / "bench" / "vaka-bench-products"
LANES = ROOT / "tests" / "bench" / "lanes"
FORMS = {"fortigate": "syslog", "cisco-asa": "syslog", "sshd": "syslog", "auditd": "text", "m365": "json",
         "zeek": "json", "suricata": "json"}
STAGES = ["decode", "few", "all", "read", "match"]


def run(command, lane):
    argument = f"{FORMS[lane]}:{lane}={LANES / lane}.mix"
    return subprocess.run([*command, argument], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def count(program, lane):
    """Instructions an event up to and with each stage."""
    row = {"lane": lane}
    for stage in STAGES:
        out = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no",
                   "--toggle-collect=count_pass*", *program, "--count", stage], lane)
        collected = re.search(rb"Collected : (\d+)", out.stderr).group(1)
        row[stage] = round(int(collected) / json.loads(out.stdout)["events"])
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter loops")
    parser.add_argument("--json", action="store_true", help="one JSON line per lane")
    parser.add_argument("--instructions", action="store_true", help="count them with callgrind instead")
    options = parser.parse_args()
    corpus = os.environ.get("VAKA_CORPUS")
    rules = pathlib.Path(corpus) / "sigma" if corpus else ROOT / "rules"
    emit = emitter(options.json)
    program = [str(BENCH), "--rules", str(rules)]
    for lane in FORMS:
        if options.instructions:
            emit(count(program, lane))
        else:
            seconds = "0.3" if options.quick else "2"
            for line in run([*program, "--seconds", seconds], lane).stdout.splitlines():
                emit(json.loads(line))


main()
