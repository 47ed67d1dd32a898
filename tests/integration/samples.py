#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The recorded nights of samples/, and what Vaka's own rules find in each phase: samples.py VAKA. Prints TAP."""
import collections
import datetime
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import common  # noqa: E402  pylint: disable=wrong-import-position

SAMPLES = common.ROOT / "samples"

# For each night the phases by local time: from when (until the next one), and how often which rule fires,
# no more and no less; then what marks the lines of the attack.
NIGHTS = {
    "julnatt": ({
        "2026-12-23T22:47+01:00": {"Supplier account opens a VPN tunnel without second factor": 1},
        "2026-12-23T23:31+01:00": {"Service ticket with weak encryption for a user account": 6,
                                   "Weak service tickets for many accounts": 1},
        "2026-12-24T00:18+01:00": {"Member added to a domain administrator group": 1},
        "2026-12-24T01:40+01:00": {"Backup job or repository deleted": 3},
        "2026-12-24T02:12+01:00": {"Copying to cloud storage with rclone or a like tool": 1},
        "2026-12-24T02:55+01:00": {"SSH switched on at a virtualisation host": 1},
        "2026-12-24T03:03+01:00": {"Event log cleared": 1},
        "2026-12-24T03:09+01:00": {"Shadow copies deleted": 1, "Automatic recovery at boot switched off": 1,
                                   "Virtual machines killed at the host shell": 1,
                                   "File with a ransom note name created": 3},
    }, rb"entreprenad01|svhost|vssadmin|bcdedit|RESTORE_FILES|ssh\.enabled|shell\["),
    "fredagskvall": ({
        "2026-11-27T18:40+01:00": {"Remote management runs a hidden script": 40,
                                   "Remote management runs a hidden script at many computers": 1,
                                   "Defender weakened by command or exclusion": 40},
        "2026-11-27T18:52+01:00": {"Defender protection switched off": 40,
                                   "Defender switched off at many computers": 1},
        "2026-11-27T18:58+01:00": {"Many files given a second ending": 1,
                                   "Many files of a share given a second ending": 2,
                                   "File with a ransom note name created": 6},
    }, rb"kworking|\"event_id\": \"5001\"|\.bjk9q"),
    "pasklordag": ({
        "2027-03-27T08:12+01:00": {"Sign-in that Microsoft takes for an attack succeeded": 1,
                                   "One account signed in from home and from abroad within an hour": 1},
        "2027-03-27T08:19+01:00": {"One session used from two countries": 1,
                                   "Stolen account found by Entra ID Protection": 1},
        "2027-03-27T08:24+01:00": {"Inbox rule that hides or forwards mail": 1},
        "2027-03-27T08:40+01:00": {"Application allowed to read mail or files": 1,
                                   "Application allowed to read mail or files (audit log)": 1},
        "2027-03-27T11:05+01:00": {"One mailbox sends very many messages": 2},
    }, rb"203\.0\.113\.45|192\.0\.2\.201"),
}


def by_phase(alerts, begins):
    """Titles and how often they are, by the last phase that had begun; before the first: None."""
    found = collections.defaultdict(collections.Counter)
    order = sorted(begins, key=datetime.datetime.fromisoformat)
    for alert in alerts:
        time = datetime.datetime.fromisoformat(alert["time"].replace("Z", "+00:00"))
        begun = [b for b in order if datetime.datetime.fromisoformat(b) <= time]
        found[begun[-1] if begun else None][alert["rule"]["title"]] += 1
    return {phase: dict(titles) for phase, titles in found.items()}


def without(folder, marks, target):
    """Copies the night without the lines of the attack; how many those were."""
    left = 0
    for path in sorted((SAMPLES / folder).iterdir()):
        lines = path.read_bytes().splitlines(keepends=True)
        calm = [line for line in lines if not re.search(marks, line)]
        left += len(lines) - len(calm)
        (target / path.name).write_bytes(b"".join(calm))
    return left


def main():
    vaka = str(pathlib.Path(sys.argv[1]).resolve())
    tap = common.Tap()
    tap.equal(sorted(NIGHTS), sorted(p.name for p in SAMPLES.iterdir() if p.is_dir()), "every night is known here")
    for folder, (phases, marks) in NIGHTS.items():
        result = common.hunt(vaka, SAMPLES / folder)
        tap.equal((result.status, result.stats["unreadable"], result.stats["bad_records"], result.stats["unknown_source"]),
                  (0, 0, 0, 0), f"{folder}: every line is read, and what it is of is known")
        found = by_phase(result.alerts(), phases)
        tap.equal([p for p in found if p not in phases], [], f"{folder}: nothing before it begins")
        for phase, titles in phases.items():
            tap.equal(found.get(phase, {}), titles, f"{folder}: {phase}")
        with tempfile.TemporaryDirectory(prefix="vaka-samples-") as space:
            left = without(folder, marks, pathlib.Path(space))
            calm = common.hunt(vaka, space)
            tap.ok(left > 0 and calm.stats["events"] + left == result.stats["events"],
                   f"{folder}: lines of the attack are left out", (left, calm.stats, result.stats))
            tap.equal([a["rule"]["title"] for a in calm.alerts()], [], f"{folder}: the rest raises nothing")
    tap.done()


main()
