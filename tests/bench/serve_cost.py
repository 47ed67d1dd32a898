#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What vaka serve spends on a record: serve_cost.py VAKA RULES NAME=NDJSON... Prints one JSON object for
each file: processor time of every process by record and by KiB, and bytes on disk by byte received.
Processor time, not time that passed: other work on the machine makes it larger, but not by much."""
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from serving import Serve  # noqa: E402  pylint: disable=wrong-import-position

BODY = 512 * 1024
RECEIVED_MAX = 64 << 20
TICKS = os.sysconf("SC_CLK_TCK")


def bodies(path):
    """Whole lines, about as many bytes as a shipper sends at once; a short file again and again, which
    blocks of 1 MiB, each compressed by itself, hardly notice."""
    body, size, total = [], 0, 0
    while total < RECEIVED_MAX:
        with open(path, "rb") as lines:
            for line in lines:
                body.append(line)
                size += len(line)
                if size < BODY:
                    continue
                yield len(body), b"".join(body)
                total += size
                body, size = [], 0
                if total >= RECEIVED_MAX:
                    return


def spent(pid):
    """Seconds of a process and of its children, those that live too: engines."""
    total = 0.0
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(path.name) == pid or int(fields[1]) == pid:
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def size_of(folder, kind):
    return sum(p.stat().st_size for p in folder.glob(kind))


def measure(vaka, rules, name, path):
    with tempfile.TemporaryDirectory() as folder:
        serve = Serve(vaka, folder, "detect:\n  engines: 1\n")
        text = serve.config.read_text(encoding="utf-8").replace("journal: 1MiB", "journal: 16MiB")
        serve.config.write_text(text.replace("rules: rules", f"rules: {rules}"), encoding="utf-8")
        with serve.start():
            roles = {role: report["pid"] for role, report in serve.status().items()}
            before = {role: spent(pid) for role, pid in roles.items()}
            records = received = 0
            for n, body in bodies(path):
                while serve.post("/api/ingest", body)[0] != 200:
                    pass
                records, received = records + n, received + len(body)
            serve.wait(lambda: serve.status()["triage"]["matched"] == serve.status()["store"]["next"] > 0,
                       "all is matched", 300)
            serve.wait(lambda: serve.status()["store"]["journals"] == 1, "all but the last journal is sealed", 300)
            state = serve.status()
            after = {role: spent(pid) for role, pid in roles.items()}
            store = pathlib.Path(folder) / "var/store/0"
            sealed = state["seal"]["sealed"]
            disk = size_of(store, "segment-*") + size_of(store, "tree-*")
    each = {role: round((after[role] - before[role]) * 1e6 / records, 2) for role in roles}
    return {"lane": name, "records": records, "bytes_per_record": round(received / records),
            "cpu_us_per_record": each, "cpu_us_total": round(sum(each.values()), 1),
            "sealed_records": sealed, "disk_per_received": round(disk / (sealed * received / records), 4),
            "alerts_per_record": round(state["triage"]["alerts_counted"] / records, 4),
            "alerts": state["triage"]["alerts_added"]}


def main():
    vaka, rules = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:3])
    for word in sys.argv[3:]:
        name, path = word.split("=", 1)
        print(json.dumps(measure(vaka, rules, name, path)), flush=True)


main()
