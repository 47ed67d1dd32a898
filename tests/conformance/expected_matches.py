#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Compares `vaka hunt --any-logsource` with an independent evaluator's complete set of matches.

    expected_matches.py VAKA        needs VAKA_CORPUS; TAP
"""
import collections
import json
import os
import pathlib
import subprocess
import sys


def run(vaka, corpus, name):
    events = corpus / "expected-matches" / f"{name}.ndjson.zst"
    want, undetermined = set(), set()
    for line in (corpus / "expected-matches" / f"{name}.matches.tsv").read_text().splitlines():
        fields = line.split("\t")
        (undetermined if len(fields) > 2 else want).add((int(fields[0]), fields[1]))
    out = subprocess.run([vaka, "hunt", "--any-logsource", "-f", "json", "-r", str(corpus / "sigma"), str(events)],
                         capture_output=True, check=False)
    got = set()
    for line in out.stdout.splitlines():
        alert = json.loads(line)
        got.add((alert["source"]["record"], alert["rule"]["id"]))
    missing, extra = want - got, got - want - undetermined
    counts = collections.Counter(rule for _, rule in missing)
    for rule, n in counts.most_common(8):
        print(f"# {n} missing of {rule}, first at {min(e for e, r in missing if r == rule)}")
    counts = collections.Counter(rule for _, rule in extra)
    for rule, n in counts.most_common(8):
        print(f"# {n} too many of {rule}, first at {min(e for e, r in extra if r == rule)}")
    print(f"# {name}: {len(want)} pairs expected, {len(got)} found, {len(undetermined)} undetermined there, "
          f"{len(missing)} missing, {len(extra)} too many")
    return not missing and not extra and want


def main():
    corpus = os.environ.get("VAKA_CORPUS")
    names = ["cloud_linux", "evtx_attack", "windows_dev_sample"]
    print(f"1..{len(names)}")
    for number, name in enumerate(names, 1):
        if not corpus:
            print(f"ok {number} - {name} # SKIP VAKA_CORPUS is not set")
        else:
            good = run(sys.argv[1], pathlib.Path(corpus), name)
            print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    return 0


sys.exit(main())
