#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Plants bugs in copies of the engine, one at a time, and shows which test catches each.

    tests/property/planted.py [--only WORDS] [--jobs N] [--list | --fits]

The copies lie in build/planted, one a job. The unchanged source must pass; then every bug of
planted_bugs.py must make a test fail, and most of them one that compares with a slow evaluator.
TAP, then a table of bug and test; exit status 1 when a bug survives or no longer fits the source.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import queue
import shutil
import subprocess
import sys

from planted_bugs import BUGS, CORRELATE, INDEX, ROUTING

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COPIES = ROOT / "build" / "planted"
TIMEOUT = 240  # a bug that hangs is caught as well
PROPERTY_LEAST = 40  # bugs that the comparisons with slow evaluators have to catch themselves

# A test: its name, the target to build, and what to run; "{build}" and "{source}" are the copy's.
Test = collections.namedtuple("Test", "name target command")
DIFFERENTIAL = Test("differential", "tests/property/differential",
                    ["{build}/tests/property/differential", "--pairs", "300000"])
CORRELATIONS = Test("property-correlate", "tests/property/property-correlate",
                    ["{build}/tests/property/property-correlate"])
QUERIES = Test("property-query", "tests/property/property-query", ["{build}/tests/property/property-query"])
CASES = Test("conformance", "vaka", [sys.executable, "-B", "{source}/tests/conformance/run.py", "{build}/vaka"])


def unit(room, name):
    program = f"tests/unit/test-{room}-{name}"
    return Test(f"{room}/{name}", program, ["{build}/" + program])


UNITS = [unit("detect", name) for name in ("match", "plan", "literals", "modifier", "interpret", "cond", "regex",
                                           "router", "taxonomy", "correlate")] + [unit("base", "utf8")]
INDEX_UNITS = [unit("store", "token"), unit("index", "file"), unit("index", "value")]


class Copy:
    """The source and a build of it, to plant one bug in at a time."""

    def __init__(self, number):
        self.source, self.build = COPIES / str(number) / "source", COPIES / str(number) / "build"
        listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others",
                                 "--exclude-standard"], check=True, stdout=subprocess.PIPE).stdout
        names = {name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()}
        for name in names:
            source, target = ROOT / name, self.source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != source.read_bytes():
                shutil.copyfile(source, target)
        for file in self.source.rglob("*"):
            if file.is_file() and str(file.relative_to(self.source)) not in names:
                file.unlink()
        if not (self.build / "build.ninja").exists():
            subprocess.run(["meson", "setup", str(self.build), str(self.source), "-Doptimization=1",
                            "-Db_ndebug=false"], check=True, stdout=subprocess.DEVNULL)
        self.make([test.target for test in [DIFFERENTIAL, CORRELATIONS, QUERIES, CASES, *UNITS, *INDEX_UNITS]])

    def make(self, targets):
        built = subprocess.run(["ninja", "-j", "2", "-C", str(self.build), *targets], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, check=False)
        if built.returncode:
            raise RuntimeError(f"{targets[0]} does not build:\n" + built.stdout[-2000:].decode(errors="replace"))

    def passes(self, test):
        self.make([test.target])
        command = [part.format(build=self.build, source=self.source) for part in test.command]
        # Third-party data would only make a difference where it is there.
        environment = {name: value for name, value in os.environ.items() if name != "VAKA_CORPUS"}
        try:
            run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT,
                                 check=False, cwd=self.source, env=environment)
        except subprocess.TimeoutExpired:
            return False
        return run.returncode == 0

    def catch(self, path, old, new):
        """The name of the first test that fails with the bug in place, or None."""
        file = self.source / path
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(old, new), encoding="utf-8")
        try:
            return next((test.name for test in order(path) if not self.passes(test)), None)
        finally:
            file.write_text(text, encoding="utf-8")


def order(path):
    """What is run until something fails; tests that never reach the file are left out."""
    if path.startswith(CORRELATE):
        return [CORRELATIONS, CASES, *UNITS]
    if path in INDEX:
        return [QUERIES, *INDEX_UNITS]
    if path in ROUTING:
        return [CASES, *UNITS]
    return [DIFFERENTIAL, CASES, *UNITS]


class Tap:
    def __init__(self):
        self.number = self.failed = 0

    def tell(self, good, text):
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - planted/{text}", flush=True)


def misfit(bug):
    """Why it cannot be planted, or None."""
    _, path, old, _ = bug
    times = (ROOT / path).read_text(encoding="utf-8").count(old)
    return None if times == 1 else f"the text to change is there {times} times in {path}"


def plant(copies, bug):
    """Plants one bug in a copy that is free: (the test that caught it or None, what went wrong or None)."""
    _, path, old, new = bug
    if why := misfit(bug):
        return None, why
    copy = copies.get()
    try:
        caught = copy.catch(path, old, new)
        return caught, None if caught else "SURVIVES"
    except RuntimeError as e:
        return None, str(e).replace("\n", " / ")
    finally:
        copies.put(copy)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORDS", help="bugs whose description or file holds these words")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="bugs at the same time (2)")
    parser.add_argument("--list", action="store_true", help="print the bugs and end")
    parser.add_argument("--fits", action="store_true", help="only look whether all of them can be planted")
    options = parser.parse_args()
    bugs = [bug for bug in BUGS if not options.only or options.only in bug[0] or options.only in bug[1]]
    if options.list:
        for what, path, _, _ in bugs:
            print(f"{path}: {what}")
        return 0
    tap = Tap()
    if options.fits:
        wrong = [f"{bug[0]}: {why}" for bug in bugs if (why := misfit(bug))]
        tap.tell(not wrong, "; ".join(wrong) or f"all {len(bugs)} fit")
        print("1..1")
        return 1 if wrong else 0
    copies, first = queue.Queue(), Copy(0)
    for test in [DIFFERENTIAL, CORRELATIONS, CASES, *UNITS]:
        tap.tell(first.passes(test), f"unchanged: {test.name} passes")
    if tap.failed:
        print(f"1..{tap.number}")
        return 1
    for copy in [first, *(Copy(number) for number in range(1, options.jobs))]:
        copies.put(copy)
    caught_by = collections.Counter()
    table = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for bug, (caught, wrong) in zip(bugs, pool.map(lambda bug: plant(copies, bug), bugs)):
            tap.tell(not wrong, f"{bug[0]}: {wrong or 'caught by ' + caught}")
            caught_by[caught] += 1
            table.append((bug[1], bug[0], caught or "NOTHING"))
    by_property = caught_by[DIFFERENTIAL.name] + caught_by[CORRELATIONS.name]
    if not options.only:
        tap.tell(by_property >= PROPERTY_LEAST, f"at least {PROPERTY_LEAST} are caught by slow evaluators")
    print(f"1..{tap.number}")
    for path, what, caught in table:
        print(f"# {path.rpartition('/')[2]:18} {what:66} {caught}")
    print(f"# {len(bugs)} bugs, {caught_by[None]} not caught; caught by: " +
          ", ".join(f"{name} {n}" for name, n in caught_by.most_common() if name))
    return 1 if tap.failed else 0


sys.exit(main())
