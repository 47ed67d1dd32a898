#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""SigmaHQ's own regression cases: each must fire its rule, from .json and from .evtx, with routing.

    regression.py VAKA              needs VAKA_CORPUS; TAP
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def rule_files(corpus):
    files = {}
    for path in (corpus / "sigma").rglob("*.yml"):
        match = re.search(r"(?m)^id:\s*(\S+)", path.read_text(encoding="utf-8", errors="replace"))
        if match:
            files[match.group(1)] = path
    return files


def main():
    corpus = os.environ.get("VAKA_CORPUS")
    if not corpus:
        print("1..1\nok 1 - regression # SKIP VAKA_CORPUS is not set")
        return 0
    corpus = pathlib.Path(corpus)
    files, cases = rule_files(corpus), []
    for info in sorted((corpus / "sigma-regression").rglob("info.yml")):
        text = info.read_text()
        rule = re.search(r"rule_metadata:\s*\n\s*-\s*id:\s*(\S+)", text).group(1)
        least = re.search(r"match_count:\s*(\d+)", text)
        if rule in files:
            for path in sorted(info.parent.iterdir()):
                if path.suffix in (".json", ".evtx"):
                    cases.append((rule, int(least.group(1)) if least else 1, path))
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder)
        for rule in {c[0] for c in cases}:
            (rules / f"{rule}.yml").write_bytes(files[rule].read_bytes())
        run = subprocess.run([sys.argv[1], "hunt", "-f", "json", "-r", folder,
                              *[str(c[2]) for c in cases]], capture_output=True, check=False)
    found = collections.Counter()
    for line in run.stdout.splitlines():
        alert = json.loads(line)
        found[(alert["rule"]["id"], os.path.realpath(alert["source"]["file"]))] += 1
    print(f"1..{len(cases)}")
    for number, (rule, least, path) in enumerate(cases, 1):
        n = found[(rule, os.path.realpath(path))]
        print(f"{'ok' if n >= least else 'not ok'} {number} - {path.parent.name}{path.suffix}: {n} of {least}")
    print(f"# {len({c[0] for c in cases})} rules, {len(cases)} files")
    return 0


sys.exit(main())
