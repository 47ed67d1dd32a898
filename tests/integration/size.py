#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka size: size.py VAKA SOURCE. Prints TAP."""
import json
import math
import pathlib
import re
import sys

import common

VAKA, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
GIB = 2 ** 30


def size(*words):
    return common.run(VAKA, "size", *words)


def expected(found):
    """The same reckoning, once more."""
    f = found["figures"]
    day = found["rate"] * found["bytes"] * 86400 / GIB
    searchable = day * f["disk_per_byte"] * found["searchable_days"]
    older = day * f["disk_per_byte"] * (found["kept_days"] - found["searchable_days"])
    each = max(f["us_per_kib"] * found["bytes"] / 1024, f["us_per_record"])
    busy = found["rate"] * found["peak"] * each / 1e6
    return {"received_gib_per_day": day, "searchable_gib": searchable, "older_gib": older,
            "disk_gib": (searchable + older + f["journals_gib"]) / f["full"], "busy_cores": busy,
            "cores": max(2, math.ceil(busy / f["busy"]))}


def check_reckoning(tap):
    for words in (["-r", "1600"], ["-r", "1600", "-b", "300", "--peak", "3", "-s", "30", "-k", "400"],
                  ["-r", "0.5", "-b", "50"], ["-r", "60000", "-b", "1024", "-s", "0", "-k", "0"],
                  ["-r", "10", "-k", "30"], ["-r", "10", "-s", "700"]):
        found = json.loads(size(*words, "-f", "json").out)
        wrong = {key: (found[key], value) for key, value in expected(found).items()
                 if not math.isclose(found[key], value, rel_tol=1e-9, abs_tol=1e-12)}
        tap.equal(wrong, {}, f"reckoned: {' '.join(words)}")
    days = json.loads(size("-r", "1", "-k", "30", "-f", "json").out)
    tap.equal((days["searchable_days"], days["kept_days"]), (30, 30), "fewer days than are searchable by default")


def check_text(tap):
    text = size("-r", "1600", "-b", "700").out.decode()
    found = json.loads(size("-r", "1600", "-b", "700", "-f", "json").out)
    tap.ok(re.search(rf"^disk +{math.ceil(found['disk_gib'])} GiB: ", text, re.M), "the text tells of the disk", text)
    tap.ok(re.search(rf"^processors +{found['cores']:.0f}: ", text, re.M), "and of processors", text)
    tap.ok("docs/evidence/size.md" in text, "and where its figures are from")


def check_evidence(tap):
    """Each figure stands in the page that says how it was measured."""
    page = (SOURCE / "docs/evidence/size.md").read_text(encoding="utf-8")
    figures = json.loads(size("-r", "1", "-f", "json").out)["figures"]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", page, re.M))
    tap.equal({name: float(value) for name, value in rows.items()}, figures, "the page has the figures of the program")


def check_usage(tap):
    for words, told in (([], "wants --rate"), (["-r", "many"], "--rate wants a number"), (["-r", "nan"], "--rate"),
                        (["-r", "-5"], "--rate"), (["-r", "1", "-b", "0"], "--bytes"), (["-r", "1", "x"], "no operands"),
                        (["-r", "1", "-s", "10", "-k", "5"], "--kept is less"), (["-r", "1", "-k", "40000"], "--kept")):
        run = size(*words)
        tap.ok(run.status == 2 and told in run.err, f"refused: {' '.join(words)}", run)


def main():
    tap = common.Tap()
    for check in (check_reckoning, check_text, check_evidence, check_usage):
        check(tap)
    tap.done()


main()
