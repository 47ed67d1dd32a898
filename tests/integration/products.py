#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka products, and what its documentation shows: products.py VAKA. Prints TAP."""
import os
import pathlib
import re
import subprocess
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

TYPES = b"title: T\nevidence: u\nrecognise: {a: b}\nsteps:\n  - pattern: a\n    any: ['{a:none}']\n"


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


def blocks(path):
    """(the last line before it, its lines without the indentation) of each indented block."""
    before, lines = "", []
    for line in [*path.read_text(encoding="utf-8").splitlines(), "end"]:
        if line.startswith("    ") or (lines and not line):
            lines.append(line[4:])
        else:
            if lines:
                yield before, "\n".join(lines).rstrip("\n").split("\n")
            lines, before = [], line or before


def commands(lines):
    """[command, the lines it prints] of a block: commands stand behind $, more of one behind >."""
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif line.startswith("> "):
            found[-1][0] += "\n" + line[2:]
        else:
            found[-1][1].append(line)
    return found


def is_printed(want, got):
    """Whether the lines are those wanted, where "..." stands for any."""
    pattern = "".join(r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in want)
    return re.fullmatch(pattern, "".join(line + "\n" for line in got)) is not None


def check_walk(tap, folder):
    """The files and commands of docs/products.md, one after the other."""
    environment = {**os.environ, "PATH": f"{pathlib.Path(VAKA).resolve().parent}:{os.environ['PATH']}"}
    for before, lines in blocks(common.ROOT / "docs/products.md"):
        name = re.fullmatch(r"`([\w.]+)`:", before)
        if name:
            (folder / name[1]).write_text("\n".join(lines) + "\n", encoding="utf-8")
        elif lines[0].startswith("$ "):
            for command, want in commands(lines):
                run = subprocess.run(command, shell=True, cwd=folder, env=environment, text=True, timeout=60,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                got = run.stdout.splitlines()
                tap.ok(is_printed(want, got), f"docs: {command.splitlines()[0][:60]}", "\n".join(got))


def check_example(tap, folder):
    """The first block of products/README.md is a file that is good."""
    _, lines = next(blocks(common.ROOT / "products/README.md"))
    path = folder / "example.yml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = common.run(VAKA, "products", "check", path)
    tap.equal((run.status, re.sub(r".*recognises such records as well.*\n", "", run.err)), (0, ""),
              "the example of products/README.md is good")
    tap.equal(test(path, "example").status, 0, "it reads its sample as it says")


def check_words(tap):
    """products/README.md has every function, type and key of the language."""
    text = (common.ROOT / "products/README.md").read_text(encoding="utf-8")
    source = common.ROOT / "src/product"
    words = re.findall(r'X\(\w+, "(\w+)"', (source / "expr.h").read_text())
    for keys in re.findall(r"const keys\[\] = \{(.*?)\}", (source / "read.c").read_text(), re.S):
        words += re.findall(r'"(\w+)"', keys)
    run = common.run(VAKA, "products", "check", "/dev/stdin", data=TYPES)
    types = re.search(r"there are (.*?), before", run.err)[1]
    words += re.split(r", | and ", types)
    missing = [word for word in sorted(set(words)) if not re.search(rf"`[^`]*\b{word}\b[^`]*`", text)]
    tap.ok(len(words) > 40 and not missing, "products/README.md has every word of the language", missing)


def main():
    tap = common.Tap()
    with tempfile.TemporaryDirectory() as folder:
        check_replaced(tap, pathlib.Path(folder))
        check_walk(tap, pathlib.Path(folder))
        check_example(tap, pathlib.Path(folder))
    check_words(tap)
    check_all(tap)
    tap.done()


main()
