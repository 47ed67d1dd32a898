#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "console" of script/bench: the console in Debian's Chromium on a vaka serve that has much.

usage: console.py [--alerts N] [--incidents N] [--records N] [--rounds N] [--json]

10,000 records lead to as many alerts of one incident, as they would in a flood. So that it need not take ten
minutes (script/bench api flood does), the database gets N alerts (1,000,000) in N incidents (20,000) more while
nobody has it open, which differ from those in numbers and times. The store gets N records (300,000) to be searched,
and behind them one that a search has to read all of them for.

Milliseconds are those of the page: `useful` is when what the page is opened for has been painted.
"""
import argparse
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

from table import emitter, load_1min  # pylint: disable=import-error

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
# pylint: disable-next=wrong-import-position
from api_client import PASSWORD, Office

VAKA = ROOT / "build/release/vaka"
ONE = 10_000  # alerts in one incident
CHUNK = 2000


def send(office, lines):
    with office.tcp() as s:
        for first in range(0, len(lines), CHUNK):
            s.sendall(b"".join(b"<13>1 - %b\n" % line for line in lines[first:first + CHUNK]))


def fill(office, records):
    """Alerts of one incident, and records that are no alerts; gives the number of the incident."""
    send(office, [b"h%d app - - - VAKAMARK of %d" % (n, n) for n in range(ONE)])
    send(office, [b"web%d nginx - - - GET /page/%d 200 %d bytes from 10.0.%d.%d"
                  % (n % 20, n, n * 7 % 9973, n // 250 % 250, n % 250) for n in range(records)])
    send(office, [b"web1 nginx - - - GET /qxjwvplanted 200"])
    office.wait(lambda: office.status()["triage"]["matched"] >= records + ONE + 1, "all are matched", 600)
    found = [json.loads(line) for line in office.ask("incident", "list", "-f", "json").splitlines()]
    return max(found, key=lambda i: i["alerts"])["id"]


def columns(db, table, but):
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[1] not in but]


def multiply(office, alerts, incidents):
    """Copies of the one incident and of its alerts, for nobody could tell these from others."""
    with sqlite3.connect(office.folder / "var/state/vaka.db") as db:
        (one,) = db.execute("SELECT id FROM incident ORDER BY alerts DESC LIMIT 1").fetchone()
        (last,) = db.execute("SELECT max(id) FROM incident").fetchone()
        each = alerts // incidents
        same = columns(db, "incident", ("id", "root", "alerts", "all_alerts", "version", "changed"))
        db.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {incidents}) "
                   f"INSERT INTO incident (id, root, alerts, all_alerts, version, changed, {', '.join(same)}) "
                   f"SELECT {last} + i, {last} + i, {each}, {each}, 1, 0, {', '.join(same)} FROM n, incident "
                   f"WHERE incident.id = {one}")
        for table in ("incident_rule", "incident_name"):
            same = columns(db, table, ("incident",))
            db.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {incidents}), "
                       f"few AS (SELECT * FROM {table} WHERE incident = {one} LIMIT 3) "
                       f"INSERT INTO {table} (incident, {', '.join(same)}) "
                       f"SELECT {last} + i, {', '.join(same)} FROM n, few")
        same = columns(db, "alert", ("id", "incident"))
        db.execute(f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {alerts // ONE - 1}), "
                   f"few AS (SELECT row_number() OVER () AS k, * FROM alert WHERE incident = {one} LIMIT {ONE}) "
                   f"INSERT INTO alert (incident, {', '.join(same)}) "
                   f"SELECT {last} + 1 + (i * {ONE} + k) % {incidents}, {', '.join(same)} FROM n, few")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--alerts", type=int, default=1_000_000)
    parser.add_argument("--incidents", type=int, default=20_000)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    emit = emitter(given.json)
    with tempfile.TemporaryDirectory(prefix="vaka-bench-console-") as folder:
        office = Office(str(VAKA), pathlib.Path(folder), more="triage:\n  alike: 0s\n", journal="64MiB")
        with office.start():
            big = fill(office, given.records)
            office.stop()
            multiply(office, given.alerts, given.incidents)
            office.start()
            office.hire("anna", "analyst", "admin")
            wishes = {"url": f"https://localhost:{office.web}", "name": "anna", "password": PASSWORD, "big": big,
                      "rounds": given.rounds}
            with subprocess.Popen(["node", ROOT / "tests/bench/console.mjs", json.dumps(wishes)],
                                  stdout=subprocess.PIPE) as node:
                for line in node.stdout:
                    emit(json.loads(line))
            emit({"lane": "load", "at_end": load_1min()})
            return node.returncode


if __name__ == "__main__":
    sys.exit(main())
