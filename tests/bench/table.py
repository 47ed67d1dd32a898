# SPDX-License-Identifier: EUPL-1.2
"""How the parts of the benchmark tell a figure: a line for people, or one JSON object."""
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from machine import run_facts  # noqa: E402  pylint: disable=wrong-import-position


def words(row):
    for key, value in row.items():
        if key == "lane":
            continue
        if isinstance(value, dict):
            inner = " ".join(f"{name} {number:,}" if isinstance(number, int) else f"{name} {number:.3g}"
                             for name, number in value.items())
            yield f"{key} ({inner or 'none'})"
        elif isinstance(value, float):
            yield f"{key} {value:,.4g}"
        else:
            yield f"{key} {value:,}" if isinstance(value, int) else f"{key} {value}"


def load_1min():
    """What else the machine does, in part."""
    return os.getloadavg()[0]


def emitter(as_json, seed=None):
    """As JSON the first row says what all others are of. `seed`: of what is generated."""
    if as_json:
        print(json.dumps({"lane": "run", **run_facts(seed), "load_1min": load_1min()}), flush=True)

    def emit(row):
        print(json.dumps(row) if as_json else "  ".join([f"{row['lane']:<28}", *words(row)]), flush=True)
    return emit
