#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Writes the manual page from its frame and the program's own table of options.

usage: gen-man.py VAKA FRAME OUTPUT VERSION DATADIR
"""
import subprocess
import sys


def main():
    vaka, frame, output, version, datadir = sys.argv[1:]
    commands = subprocess.run([vaka, "help", "--dump", "man"], check=True, stdout=subprocess.PIPE).stdout.decode()
    with open(frame, encoding="utf-8") as file:
        text = file.read()
    text = text.replace("@COMMANDS@\n", commands).replace("@VERSION@", version).replace("@DATADIR@", datadir)
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)


main()
