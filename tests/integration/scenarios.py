#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The recordings in samples/, hunted with Vaka's rules: scenarios.py VAKA. Prints TAP.

What must be found stands in scenarios/NAME.tsv, the recording's name: local time and words of the
phase, the rule's level and file, the file with the records and the numbers of those that raise the
alerts (of a correlation the last one). Nothing else may be found: all other records are benign. And
a running watch to which the recording is sent finds the same, but for what is counted over time.

And own_rules.tsv: rules that fire on what a real product wrote when it happened.
"""
import csv
import json
import pathlib
import sys
import tempfile

import common
from serving import Serve

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = common.ROOT / "samples"
COLUMNS = ("time", "phase", "level", "rule", "file", "records")


def numbers(text):
    """"3-5,9" as 3, 4, 5, 9"""
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def expected(path):
    """(level, rule, file, record) -> the phase it belongs to"""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if row and not row[0].startswith("#")]
    assert all(len(row) == len(COLUMNS) for row in rows), f"{path}: a row has {COLUMNS}"
    return {(level, rule, name, record): f"{time} {phase}"
            for time, phase, level, rule, name, records in rows for record in numbers(records)}


def found(alert):
    source = alert["source"] or alert["correlation"]["records"][-1]
    rule = pathlib.Path(alert["rule"]["file"]).relative_to(common.RULES).with_suffix("")
    return alert["rule"]["level"], str(rule), pathlib.Path(source["file"]).name, source["record"]


def show(alert):
    return "\t".join(map(str, found(alert))) + f"  {alert['time']} {alert['rule']['title']}"


def is_table(path):
    """Its first lines say what the columns of the others are: such a file is followed, not sent."""
    return path.read_bytes().startswith(b"#")


def replay(serve, folder):
    """Sends the records as their senders would; how many they are. Tables are followed already."""
    records = 0
    for path in sorted(folder.iterdir()):
        lines = path.read_bytes().splitlines(keepends=True)
        records += sum(not line.startswith(b"#") for line in lines) if is_table(path) else len(lines)
        if is_table(path):
            continue
        if path.suffix != ".ndjson":
            with serve.tcp() as connection:
                connection.sendall(b"".join(lines))
            continue
        for at in range(0, len(lines), 200):
            status, body = serve.post("/api/ingest", b"".join(lines[at:at + 200]))
            if status != 200:
                raise AssertionError(f"{path.name}: {status} {body!r}")
    return records


def check_watch(tap, vaka, name, alerts):
    """What happened within hours comes within a second here: what correlations say is another matter."""
    tables = [str(path) for path in sorted((SAMPLES / name).iterdir()) if is_table(path)]
    of_time = {alert["rule"]["title"] for alert in alerts if not alert["source"]}
    with tempfile.TemporaryDirectory(prefix="vaka-scenario-") as space:
        more = f"files:\n  follow: {json.dumps(tables)}\n" if tables else ""
        with Serve(vaka, space, more, rules=json.dumps(str(common.RULES))).start() as serve:
            serve.matched(replay(serve, SAMPLES / name))
            found_there = [a for a in serve.found() if "correlation" not in a or not a["correlation"]]
            tap.equal({a["rule"]["title"] for a in found_there} - of_time,
                      {a["rule"]["title"] for a in alerts} - of_time, f"{name}: a watch finds the same")


def check(tap, vaka, path):
    name = path.stem
    want = expected(path)
    run = common.hunt(vaka, SAMPLES / name, rules=common.RULES)
    tap.ok(run.status == 0 and not run.named(), f"{name}: all of it is read", run)
    alerts = run.alerts()
    got = [found(alert) for alert in alerts]
    for phase in dict.fromkeys(want.values()):
        missing = [key for key, of in want.items() if of == phase and key not in got]
        tap.ok(not missing, f"{name}: {phase}", "\n".join(map(str, missing)))
    more = [alert for alert in alerts if found(alert) not in want]
    tap.ok(not more, f"{name}: nothing else is found", "\n".join(map(show, more)))
    tap.equal(len(set(got)), len(got), f"{name}: each record raises a rule's alert once")
    check_watch(tap, vaka, name, alerts)


def check_recordings_of_others(tap, vaka):
    with open(HERE / "own_rules.tsv", encoding="utf-8") as file:
        wanted = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    corpus = common.corpus()
    if not corpus:
        tap.skip("recordings of others", "no VAKA_CORPUS")
        return
    run = common.hunt(vaka, *(corpus / name for name in sorted({name.split("!")[0] for _, name in wanted})))
    got = {(a["rule"]["title"], a["source"]["file"]) for a in run.alerts() if a["source"]}
    for title, name in wanted:
        tap.ok((title, str(corpus / name)) in got, f"{title}: {name.rsplit('/', 1)[-1]}")


def main():
    tap = common.Tap()
    vaka = str(pathlib.Path(sys.argv[1]).resolve())
    paths = sorted((HERE / "scenarios").glob("*.tsv"))
    tap.equal([path.stem for path in paths], sorted(p.name for p in SAMPLES.iterdir() if p.is_dir()),
              "every recording has a table of what must be found in it")
    for path in paths:
        check(tap, vaka, path)
    check_recordings_of_others(tap, vaka)
    tap.done()


main()
