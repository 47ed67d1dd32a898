#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""docs/api/openapi.yaml is what the program serves, and nothing else, and stands by itself; docs/api.md
says of each command of the command line by which operation it is done, or why by none.

usage: openapi.py PRINT DOCUMENT [--write]

PRINT is the program that prints the document as JSON. With --write DOCUMENT is written.
"""
import json
import pathlib
import re
import subprocess
import sys

PLAIN = re.compile(r"^[A-Za-z_/][A-Za-z0-9_ ./{}-]*$")
WORDS = {"null", "true", "false", "yes", "no", "on", "off"}


def scalar(value):
    """JSON's scalars are YAML's; short plain words stand without quotes."""
    if isinstance(value, str) and PLAIN.match(value) and value.lower() not in WORDS and \
            value == value.strip():
        return value
    return json.dumps(value, ensure_ascii=False)


def is_leaf(value):
    return not isinstance(value, (dict, list)) or not value


def lines(value, indent):
    """Block style, two spaces; empty containers as JSON has them."""
    pad = "  " * indent
    if isinstance(value, dict):
        for key, inner in value.items():
            if is_leaf(inner):
                yield f"{pad}{scalar(key)}: {scalar(inner)}"
            else:
                yield f"{pad}{scalar(key)}:"
                yield from lines(inner, indent + 1)
    else:
        for inner in value:
            if is_leaf(inner):
                yield f"{pad}- {scalar(inner)}"
            else:
                first, *rest = lines(inner, indent + 1)
                yield f"{pad}- {first.lstrip()}"
                yield from rest


def as_yaml(document):
    head = ["# SPDX-License-Identifier: EUPL-1.2",
            "# Made from src/web/endpoints.tbl: tests/conformance/openapi.py --write"]
    return "\n".join([*head, *lines(document, 0)]) + "\n"


def references(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolve(document, reference):
    found = document
    for word in reference.removeprefix("#/").split("/"):
        found = found[word]
    return found


def check(document):
    """What is wrong with the document by itself."""
    used = set()
    for reference in references(document):
        used.add(reference)
        try:
            resolve(document, reference)
        except KeyError:
            yield f"{reference} is nowhere"
    for name in document["components"]["schemas"]:
        if f"#/components/schemas/{name}" not in used:
            yield f"schema {name} is used nowhere"
    seen = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            named = {p["name"] for p in operation["parameters"] if p.get("in") == "path"}
            if named != set(re.findall(r"{(\w+)}", path)):
                yield f"{method} {path}: its parameters are {named}"
            if operation["operationId"] in seen:
                yield f"{operation['operationId']} is there twice"
            seen.add(operation["operationId"])
            missing = {"200", "400", "401", "429", "503"} - set(operation["responses"])
            if missing:
                yield f"{method} {path} has no {missing}"


ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SECTION = re.compile(r"## The command line over the API\n(.*?)\n## ", re.S)


def commands_of(text, known):
    """Commands that a cell or the begin of a list's entry names: `hold add`, `ls`; `oncall …`; `a x` … `y`."""
    group, before, through = "", None, False
    for word, between in re.findall(r"`([^`]+)`([^`]*)", text):
        if word.startswith("--"):
            continue
        first, _, rest = word.partition(" ")
        if rest == "…":
            yield from (name for name in known if name.split()[0] == first)
            continue
        if any(name.split()[0] == first for name in known) and (rest or first in known):
            group = first
        else:
            word = f"{group} {word}"
        if through and before in known and word in known:
            yield from known[known.index(before):known.index(word)]
        yield word
        before, through = word, "…" in between


def check_commands(document):
    """What is wrong with the list of docs/api.md."""
    known = [name.replace("_", " ") for name in
             re.findall(r"^COMMAND\((\w+)\)", (ROOT / "src/cli/commands.tbl").read_text(encoding="utf-8"), re.M)]
    section = SECTION.search((ROOT / "docs/api.md").read_text(encoding="utf-8")).group(1)
    named = set()
    for line in re.sub(r"\n  ", " ", section).splitlines():
        if line.startswith("| `"):
            _, first, second, _ = line.split("|")
            for path in re.findall(r"`(?:[A-Z]+(?:, [A-Z]+)* )?(/[^`…]*)`", second):
                if path not in document["paths"]:
                    yield f"there is no {path}"
        elif line.startswith("- `"):
            first = line.split(": ", 1)[0]
        else:
            continue
        named |= set(commands_of(first, known))
    yield from (f"nothing is said of {name}" for name in known if name not in named)
    yield from (f"there is no command {name}" for name in sorted(named - set(known)))


def main():
    text = subprocess.run([sys.argv[1]], check=True, capture_output=True).stdout
    document = json.loads(text)
    target = pathlib.Path(sys.argv[2])
    if "--write" in sys.argv:
        target.write_text(as_yaml(document), encoding="utf-8")
        return 0
    wrong = list(check(document))
    same = target.read_text(encoding="utf-8") == as_yaml(document)
    print(f"{'not ok' if wrong else 'ok'} 1 - the document stands by itself")
    for line in wrong:
        print(f"# {line}")
    print(f"{'ok' if same else 'not ok'} 2 - {target.name} is what the program serves")
    lost = list(check_commands(document))
    print(f"{'not ok' if lost else 'ok'} 3 - each command has an operation, or a reason to have none")
    for line in lost:
        print(f"# {line}")
    print("1..3")
    return 1 if wrong or lost or not same else 0


sys.exit(main())
