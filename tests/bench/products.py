#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "products" of script/bench, which builds. All figures are of one run."""
import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

from table import emitter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCH = ROOT / "build" / "release" / "tests" / "bench" / "vaka-bench-products"
LANES = ROOT / "tests" / "bench" / "lanes"
FORMS = {"fortigate": "syslog", "cisco-asa": "syslog", "sshd": "syslog", "auditd": "text", "m365": "json",
         "zeek": "json", "suricata": "json"}
STAGES = ["decode", "few", "more", "all", "read", "match"]
# The products of a lane's records; five of them and others are the few, 45 are more.
OWN = {"fortigate": ["fortigate"], "cisco-asa": ["cisco-asa"], "sshd": ["sshd", "linux-pam"], "auditd": ["auditd"],
       "m365": ["m365-audit"], "zeek": ["zeek"], "suricata": ["suricata"]}
OTHERS = ["sshd", "suricata", "zeek", "cisco-asa", "fortigate"]
FEW, MORE = 5, 45
LISTS = [1000, 100000]


def some(lane, n):
    """The lane's own products, and others up to n."""
    every = sorted(path.stem for path in (ROOT / "products").glob("*.yml"))
    return ",".join(list(dict.fromkeys([*OWN[lane], *OTHERS, *every]))[:n])


def run(command, lane):
    lists = ["--few", some(lane, FEW), "--more", some(lane, MORE)]
    argument = f"{FORMS[lane]}:{lane}={LANES / lane}.mix"
    return subprocess.run([*command, *lists, argument], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def count(program, lane):
    """Instructions an event up to and with each stage."""
    row = {"lane": lane}
    for stage in STAGES:
        out = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no",
                   "--toggle-collect=count_pass*", *program, "--count", stage], lane)
        collected = re.search(rb"Collected : (\d+)", out.stderr).group(1)
        row[stage] = round(int(collected) / json.loads(out.stdout)["events"])
    return row


def write_list(path, n):
    """Addresses, names, hashes and URLs that no lane has."""
    with open(path, "w", encoding="utf-8") as out:
        out.write("value,description,source\n")
        for i in range(n):
            word = hashlib.sha256(str(i).encode()).hexdigest()
            value = [f"45.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}", f"{word[:12]}.invalid", word,
                     f"http://{word[:9]}.invalid/{word[9:17]}"][i % 4]
            out.write(f"{value},seen in campaign {i % 50},bench\n")


def flat(row):
    """What is said of each list as columns of its own."""
    out = {key: value for key, value in row.items() if not isinstance(value, dict)}
    for key, value in row.items():
        if isinstance(value, dict):
            out |= {f"{key}_{part}": figure for part, figure in value.items()}
    return out


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
    with tempfile.TemporaryDirectory() as folder:
        lists = []
        for n in LISTS:
            write_list(f"{folder}/{n}.csv", n)
            lists += ["--indicators", f"{folder}/{n}.csv"]
        for lane in FORMS:
            if options.instructions:
                emit(count(program, lane))
                continue
            seconds = "0.3" if options.quick else "2"
            for line in run([*program, "--seconds", seconds, *lists], lane).stdout.splitlines():
                emit(flat(json.loads(line)))


main()
