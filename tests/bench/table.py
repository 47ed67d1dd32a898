# SPDX-License-Identifier: EUPL-1.2
"""How the parts of the benchmark tell a figure: a line for people, or one JSON object."""
import json


def words(row):
    for key, value in row.items():
        if key == "lane":
            continue
        if isinstance(value, dict):
            inner = " ".join(f"{name} {number:.3g}" for name, number in value.items())
            yield f"{key} ({inner})"
        elif isinstance(value, float):
            yield f"{key} {value:,.4g}"
        else:
            yield f"{key} {value:,}" if isinstance(value, int) else f"{key} {value}"


def emitter(as_json):
    def emit(row):
        print(json.dumps(row) if as_json else "  ".join([f"{row['lane']:<28}", *words(row)]), flush=True)
    return emit
