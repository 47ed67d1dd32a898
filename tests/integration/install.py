#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What `meson install` leaves on a machine: install.py BUILD"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import common


def main():
    build = pathlib.Path(sys.argv[1])
    tap = common.Tap()
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["meson", "install", "-C", str(build), "--no-rebuild", "--quiet"], check=True,
                       env={**os.environ, "DESTDIR": root}, stdout=subprocess.DEVNULL)
        installed = {str(path.relative_to(root)): path for path in pathlib.Path(root).rglob("*") if path.is_file()}

        def one(ending):
            return next((path for name, path in installed.items() if name.endswith(ending)), None)

        for ending in ("bin/vaka", "man/man1/vaka.1", "bash-completion/completions/vaka",
                       "vaka/rules/windows/dcsync.yml", "vaka/taxonomy/windows.yml"):
            tap.ok(one(ending) is not None, f"{ending} is installed")
        vaka = one("bin/vaka")
        run = subprocess.run([str(vaka), "rules", "list"], cwd=root, capture_output=True, check=False)
        tap.ok(run.returncode == 0 and b"Directory replication" in run.stdout, "the installed program finds the installed rules",
               run.stderr.decode())
        page = one("man/man1/vaka.1").read_text(encoding="utf-8")
        tap.ok(not re.search(r"@[A-Z]+@", page), "the manual page is filled in")
        commands = subprocess.run([str(vaka), "--help"], capture_output=True, check=True).stdout.decode()
        names = re.findall(r"^  (\w+(?: \w+)?)  +\S", commands, re.MULTILINE)
        missing = [name for name in names if f".SS vaka {name}" not in page]
        tap.ok(names and not missing, "the manual page has every command", f"missing: {missing}")
    tap.done()


main()
