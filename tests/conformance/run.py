#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Runs the conformance cases against the real program: run.py VAKA [AREA/CASE...]

A case is a folder AREA/CASE with rule.yml, events.ndjson and expected.json:
  options   more options for `vaka hunt` (files are meant relative to the case)
  matches   {rule title: [record numbers]}: all alerts of plain rules, no more, no less
  refused   [{line, column, reason}]: what `vaka rules check` must say (0: any place; a part of the reason)
  correlations  see correlation/README.md
"""
import collections
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def hunt(vaka, folder, expected):
    run = subprocess.run([vaka, "hunt", "-f", "json", "-j", "1", "-r", "rule.yml",
                          *expected.get("options", []), "events.ndjson"],
                         cwd=folder, capture_output=True, timeout=60, check=False)
    if run.returncode not in (0, 1):
        return None, f"exit {run.returncode}: {run.stderr.decode()[:300]}"
    return [json.loads(line) for line in run.stdout.splitlines()], None


def check_matches(vaka, folder, expected):
    alerts, error = hunt(vaka, folder, expected)
    if error:
        return error
    got = collections.defaultdict(list)
    for alert in alerts:
        if not alert.get("correlation"):
            got[alert["rule"]["title"]].append(alert["source"]["record"])
    got = {title: sorted(records) for title, records in got.items()}
    want = {title: sorted(records) for title, records in expected["matches"].items() if records}
    return None if got == want else f"got {got}, want {want}"


def check_refused(vaka, folder, expected):
    run = subprocess.run([vaka, "rules", "check", "rule.yml"], cwd=folder, capture_output=True,
                         timeout=60, check=False)
    text = (run.stdout + run.stderr).decode()
    if run.returncode != 1:
        return f"exit {run.returncode}: {text[:300]}"
    for refusal in expected["refused"]:
        place = f"rule.yml:{refusal['line']}:"
        if refusal["column"]:
            place += f"{refusal['column']}:"
        hits = [line for line in text.splitlines() if place in line and refusal["reason"] in line]
        if not hits:
            return f"no line with '{place}' and '{refusal['reason']}' in: {text[:400]}"
    return None


def short_time(text):
    """Without a fraction that is zero."""
    return text.replace(".000Z", "Z") if text else text


def check_correlations(vaka, folder, expected):
    alerts, error = hunt(vaka, folder, expected)
    if error:
        return error
    got = sorted(([a["rule"]["id"] or a["rule"]["title"], a["correlation"]["group"],
                   a["correlation"]["count"], short_time(a["time"])] for a in alerts if a.get("correlation")),
                 key=json.dumps)
    want = sorted(([c["rule"]["id"], c["group"], c["count"], c["time"]]
                   for c in expected["correlations"]), key=json.dumps)
    plain = collections.Counter(a["rule"]["title"] for a in alerts
                                if not a.get("correlation"))
    if got != want:
        return f"got {got}, want {want}"
    if "alerts" in expected and dict(plain) != expected["alerts"]:
        return f"plain alerts {dict(plain)}, want {expected['alerts']}"
    return None


def main():
    vaka = str(pathlib.Path(sys.argv[1]).resolve())
    chosen = sys.argv[2:]
    failed = number = 0
    for file in sorted(HERE.glob("*/*/expected.json")):
        folder = file.parent
        name = str(folder.relative_to(HERE))
        if chosen and name not in chosen:
            continue
        expected = json.loads(file.read_text(encoding="utf-8"))
        check = (check_refused if "refused" in expected else
                 check_correlations if "correlations" in expected else check_matches)
        try:
            error = check(vaka, folder, expected)
        except (subprocess.TimeoutExpired, ValueError, KeyError) as e:
            error = f"{type(e).__name__}: {e}"
        number += 1
        if error:
            failed += 1
            print("# " + error.replace("\n", " / "))
        print(f"{'not ok' if error else 'ok'} {number} - {name}", flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


sys.exit(main())
