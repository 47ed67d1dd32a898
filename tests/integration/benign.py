#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Vaka's own rules wake nobody on an ordinary day: benign.py VAKA VAKA-DAY. Prints TAP.

A second of each of its hours and a minute in a row; script/bench benign takes more of it."""
import pathlib
import sys

import common

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
from benign import hunt  # noqa: E402  pylint: disable=wrong-import-position


def main():
    tap = common.Tap()
    levels, titles, stats = hunt(common.RULES, 1, 60, sys.argv[1], sys.argv[2])
    told = "\n".join(f"{n} {title}" for title, n in titles.most_common())
    tap.ok(stats["events"] > 400000 and levels["medium"] + levels["low"] > 0,
           "the day is read, and what is for the morning is found", f"{stats}\n{told}")
    tap.ok(levels["high"] + levels["critical"] == 0, "no rule is high or critical on it", told)
    tap.done()


main()
