#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Writes N renamed copies of every Sigma rule below SOURCE to TARGET, their literals altered.

    multiply_rules.py SOURCE TARGET N

Copy 0 is the rule itself. In the others the id is new and every value of the detection section that
holds letters gets two characters of the copy's own put into its middle, so that nothing is shared
but the shape: as many more literals as there are rules.
"""
import pathlib
import re
import sys
import uuid

NAMESPACE = uuid.UUID("0d8cfc0e-56f4-4f0e-8f0b-8a5d2c9e7f10")
VALUE = re.compile(r"^(\s+(?:- |[^\s#'\"][^:'\"]*: )+)(['\"]?)([^'\"#\[{|>&*!%@`\n]*?[A-Za-z]{3}.*?)(\2)(\s*(?:#.*)?)$")


def alter(text, copy):
    out = []
    section = ""
    for line in text.splitlines():
        top = re.match(r"^(\w[\w-]*):", line)
        if top:
            section = top.group(1)
        if section == "id" and top:
            line = f"id: {uuid.uuid5(NAMESPACE, line + str(copy))}"
        elif section == "title" and top:
            line = f"{line} {copy}" if not line.rstrip().endswith(("'", '"')) else line
        elif section == "detection" and not re.match(r"^\s+(condition|timeframe):", line) \
                and "|re" not in line and "|cidr" not in line and "|exists" not in line \
                and "|fieldref" not in line and "|expand" not in line:
            match = VALUE.match(line)
            if match and match.group(3).lower() not in ("null", "true", "false"):
                value = match.group(3)
                at = len(value) // 2
                while at < len(value) and value[at - 1:at + 1].count("\\"):
                    at += 1
                value = f"{value[:at]}{chr(ord('g') + copy % 10)}q{value[at:]}"
                line = match.group(1) + match.group(2) + value + match.group(4) + match.group(5)
        out.append(line)
    return "\n".join(out) + "\n"


def main():
    source, target, copies = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    for folder in sorted(source.glob("rules*")):
        for path in sorted(folder.rglob("*.yml")):
            text = path.read_text(encoding="utf-8")
            if "|re" in text.split("detection:")[-1] and "|re" in text:
                regex_free = False
            else:
                regex_free = True
            for copy in range(copies):
                name = target / str(copy) / path.relative_to(source)
                name.parent.mkdir(parents=True, exist_ok=True)
                body = text if copy == 0 else alter(text, copy)
                if copy and not regex_free:
                    # Expressions are left as they are; only their rule's identity is new.
                    body = re.sub(r"(?m)^id: .*$", f"id: {uuid.uuid5(NAMESPACE, str(path) + str(copy))}", text)
                name.write_text(body, encoding="utf-8")


main()
