#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka products: products.py VAKA. Prints TAP."""
import pathlib
import sys
import tempfile

import common

VAKA = sys.argv[1]
MINE = """title: Mine
evidence: unverified
recognise: {program: [sshd, sshd-session]}
steps:
  - set: {event.module: %s}
samples:
  - record: '<38>Jun 14 15:16:01 web1 sshd[7]: Connection closed'
    expect: {event.module: mine}
"""


def test(path, *names):
    return common.run(VAKA, "products", "test", "--set", f"products={path}", *names)


def check_replaced(tap, folder):
    """A file of a built-in one's name takes its place, in the tests as well."""
    path = folder / "sshd.yml"
    path.write_text(MINE % "mine")
    run = test(path, "sshd")
    tap.equal((run.status, run.out.decode().splitlines()), (0, [f"ok 1 - {path}:7", "1..1", "# 0 failed"]),
              "only the file that replaces the built-in one is tested")
    path.write_text(MINE % "other")
    run = test(path, "sshd")
    tap.equal((run.status, "event.module is other" in run.out.decode()), (1, True),
              "what it does not keep of its word is told")


def check_all(tap):
    run = common.run(VAKA, "products", "test")
    tap.equal((run.status, b"# 0 failed" in run.out), (0, True), "the built-in products keep their word")


def main():
    tap = common.Tap()
    with tempfile.TemporaryDirectory() as folder:
        check_replaced(tap, pathlib.Path(folder))
    check_all(tap)
    tap.done()


main()
