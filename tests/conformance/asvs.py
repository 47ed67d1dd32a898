# SPDX-License-Identifier: EUPL-1.2
"""The ledger of docs/security names tests that there are, and says of each item whether it is met:
asvs.py LEDGER. Prints TAP."""
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent


def tests_of(path):
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    patterns = (r"^TEST\((\w+)\)", r"^def (\w+)\(", r"^await flow\('\w+', '([^']+)'")
    return {name for pattern in patterns for name in re.findall(pattern, text, re.M)}


def main():
    rows, wrong = 0, []
    for line in pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not re.match(r"\d+\.\d+", cells[0]):
            continue
        rows += 1
        named = re.findall(r"`([\w/]+\.(?:c|py|mjs)): ([^`]+)`", line)
        wrong += [f"{cells[0]}: there is no {file}: {name}" for file, name in named
                  if name not in tests_of(TESTS / file)]
        if len(cells) != 4 or cells[3] not in ("met", "not met"):
            wrong.append(f"{cells[0]}: {len(cells)} cells, {cells[-1]}")
        elif cells[3] == "met" and not named:
            wrong.append(f"{cells[0]}: it is met without a test")
    print(f"{'ok' if rows and not wrong else 'not ok'} 1 - the ledger holds")
    for why in wrong:
        print(f"# {why}")
    print("1..1")
    return 1 if wrong or not rows else 0


sys.exit(main())
