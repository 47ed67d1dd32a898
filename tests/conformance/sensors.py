#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Zeek and Suricata against what the sample logs of others say about themselves.

usage: sensors.py VAKA

Zeek: each record names its log; without that name it must still be known as that log. Left out are
logs whose records say nothing but an address or a text. Suricata: the lists of signatures and their
numbers, and every record's addresses. Prints TAP; skipped without VAKA_CORPUS.
"""
import gzip
import itertools
import json
import os
import pathlib
import subprocess
import sys

RECORDS = 200  # of each log
NAMELESS = {"known_hosts", "loaded_scripts", "packet_filter"}


def explain(vaka, records):
    run = subprocess.run([vaka, "explain", "-f", "json"], input="\n".join(records) + "\n", text=True,
                         capture_output=True, timeout=300, check=False)
    out = [json.loads(line) for line in run.stdout.splitlines()]
    if len(out) != len(records):
        sys.exit(f"{len(records)} records, {len(out)} answers: {run.stderr[:500]}")
    return out


def field(read, name):
    value = read["fields"].get(name)
    return value[0] if isinstance(value, list) else value


def zeek_log(vaka, path):
    log = path.name.split(".")[0]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in itertools.islice(lines, RECORDS)]
    # Records of a log that has no field but those of every connection cannot be told.
    bare = {"_path", "_write_ts", "ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"}
    records = [r for r in records if set(r) - bare]
    named = explain(vaka, [json.dumps(r) for r in records])
    wrong = [r for r, read in zip(records, named) if field(read, "event.dataset") != f"zeek.{log}"]
    if log not in NAMELESS:
        plain = [{k: v for k, v in r.items() if k not in ("_path", "_write_ts")} for r in records]
        for r, read in zip(plain, explain(vaka, [json.dumps(r) for r in plain])):
            if (field(read, "event.dataset"), read["product"]) != (f"zeek.{log}", "zeek"):
                wrong.append(r)
    for r, read in zip(records, named):
        if "id.orig_h" in r and field(read, "source.ip") != r["id.orig_h"]:
            wrong.append(r)
    return len(records), wrong


def listed(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    values = [json.loads(line) for line in lines if line and not line.startswith("#")]
    return sorted(v.strip() if isinstance(v, str) else v for v in values)


def suricata_network(vaka, folder):
    records = json.loads((folder / "alerts-only.json").read_text(encoding="utf-8"))
    read = explain(vaka, [json.dumps(r) for r in records])
    wrong = [r for r, got in zip(records, read)
             if got["product"] != "suricata" or field(got, "source.ip") != r["src_ip"]
             or field(got, "destination.ip") != r["dest_ip"] or field(got, "event.kind") != "alert"]
    if sorted(int(field(got, "rule.id")) for got in read) != listed(folder / "ids-list.txt"):
        wrong.append("ids-list.txt")
    if sorted(field(got, "rule.name") for got in read) != listed(folder / "signature-list.txt"):
        wrong.append("signature-list.txt")
    return len(records), wrong


def main():
    root = os.environ.get("VAKA_CORPUS")
    if not root:
        print("1..0 # SKIP VAKA_CORPUS is not set")
        return 0
    tests = [(zeek_log, path) for path in sorted(pathlib.Path(root, "zeek/zeek-json").glob("*.gz"))]
    tests += [(suricata_network, p.parent)
              for p in sorted(pathlib.Path(root, "suricata").glob("*/alerts-only.json"))]
    bad = 0
    for number, (test, path) in enumerate(tests, 1):
        n, wrong = test(sys.argv[1], path)
        bad += bool(wrong or not n)
        print(f"{'not ' if wrong or not n else ''}ok {number} - {path.parent.name}/{path.name}: {n} records")
        for r in wrong[:3]:
            print("#", json.dumps(r)[:300])
    print(f"1..{len(tests)}")
    return 1 if bad else 0


sys.exit(main())
