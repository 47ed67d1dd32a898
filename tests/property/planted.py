#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Plants bugs in a copy of the engine, one at a time, and shows which test catches each.

    tests/property/planted.py [--only WORDS] [--list]

The copy lies in build/planted. The unchanged copy must pass; then every bug of planted_bugs.py must
make a test fail. TAP; exit status 1 when a bug survives or no longer fits the source.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

from planted_bugs import BUGS, CORRELATE

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COPY = ROOT / "build" / "planted"
SOURCE, BUILD = COPY / "source", COPY / "build"
TIMEOUT = 120  # a bug that hangs is caught as well

# What is run, in this order, until something fails: name, targets, command, what it is for.
DIFFERENTIAL = ("differential", ["tests/property/differential"],
                [BUILD / "tests/property/differential", "--pairs", "300000"])
CORRELATIONS = ("property-correlate", ["tests/property/property-correlate"],
                [BUILD / "tests/property/property-correlate"])
CASES = ("conformance", ["vaka"], [sys.executable, SOURCE / "tests/conformance/run.py", BUILD / "vaka"])


def unit(name):
    program = f"tests/unit/test-detect-{name}"
    return (f"detect/{name}", [program], [BUILD / program])


UNITS = [unit(name) for name in ("match", "literals", "modifier", "interpret", "regex", "correlate")]


def copy_tree():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            check=True, stdout=subprocess.PIPE).stdout
    for name in listed.decode().split("\0"):
        source, target = ROOT / name, SOURCE / name
        if not name or not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", str(BUILD), str(SOURCE), "-Doptimization=1", "-Db_ndebug=false"],
                       check=True, stdout=subprocess.DEVNULL)


def passes(test):
    name, targets, command = test
    built = subprocess.run(["ninja", "-C", str(BUILD), *targets], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           check=False)
    if built.returncode:
        sys.stdout.buffer.write(built.stdout[-2000:])
        sys.exit(f"{name} does not build")
    try:
        run = subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0


def order(path):
    if path.startswith(CORRELATE):
        return [CORRELATIONS, CASES, *UNITS]
    return [DIFFERENTIAL, CASES, *UNITS]


def catch(path, old, new):
    """The name of the first test that fails with the bug in place, or None."""
    file = SOURCE / path
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(old, new), encoding="utf-8")
    try:
        return next((test[0] for test in order(path) if not passes(test)), None)
    finally:
        file.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORDS", help="bugs whose description or file holds these words")
    parser.add_argument("--list", action="store_true", help="print the bugs and end")
    options = parser.parse_args()
    bugs = [bug for bug in BUGS if not options.only or options.only in bug[0] or options.only in bug[1]]
    if options.list:
        for what, path, _, _ in bugs:
            print(f"{path}: {what}")
        return 0
    copy_tree()
    number = failed = 0
    caught_by = {}

    def tell(good, text):
        nonlocal number, failed
        number += 1
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {text}", flush=True)

    for test in [DIFFERENTIAL, CORRELATIONS, CASES, *UNITS]:
        tell(passes(test), f"planted/unchanged: {test[0]} passes")
    for what, path, old, new in bugs:
        times = (SOURCE / path).read_text(encoding="utf-8").count(old)
        if times != 1:
            tell(False, f"planted/{what}: the text to change is there {times} times in {path}")
            continue
        name = catch(path, old, new)
        caught_by[name] = caught_by.get(name, 0) + 1
        tell(name is not None, f"planted/{what}: " + (f"caught by {name}" if name else "SURVIVES"))
    print(f"1..{number}")
    print("# caught by: " + ", ".join(f"{name} {n}" for name, n in sorted(caught_by.items(), key=str)))
    return 1 if failed else 0


sys.exit(main())
