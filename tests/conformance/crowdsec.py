#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Products against what the tests of CrowdSec's hub say of their lines (crowdsec-hub-tests of the corpus).

usage: crowdsec.py VAKA [--show] [--limits] [NAME...]

For every product that crowdsec.tsv names, the lines of its tests are read by `vaka explain`, and of
the values that parser.assert states and ECS has a field for, it is counted how many are there and
how many of those are equal. --show: also the deviations. --limits: exit status 1 when a product has
less than 90 % present or less than 95 % of those equal. Prints TAP.
"""
import argparse
import collections
import os
import pathlib
import re
import sys

from products import Count, explain, fields_of

# What it is called there (in Meta, or in Parsed), and in ECS.
FIELDS = {
    "body_bytes_sent": "http.response.body.bytes",
    "bytes": "http.response.body.bytes",
    "client_port": "source.port",
    "clientport": "source.port",
    "dovecot_local_ip": "destination.ip",
    "dovecot_user": "user.name",
    "dst_ip": "destination.ip",
    "dst_port": "destination.port",
    "http_referer": "http.request.referrer",
    "http_version": "http.version",
    "httpversion": "http.version",
    "referrer": "http.request.referrer",
    "remote_port": "source.port",
    "remote_user": "user.name",
    "source_port": "source.port",
    "src_port": "source.port",
    "sshd_client_port": "source.port",
    "sshd_port": "source.port",

    "source_ip": "source.ip",
    "target_user": "user.name",
    "username": "user.name",
    "user": "user.name",
    "dest_ip": "destination.ip",
    "dest_port": "destination.port",
    "http_path": "url.original",
    "http_status": "http.response.status_code",
    "http_user_agent": "user_agent.original",
    "http_verb": "http.request.method",
    "target_fqdn": "url.domain",
    "comm": "process.name",
    "exe": "process.executable",
    "pid": "process.pid",
    "ppid": "process.parent.pid",
}
STATED = re.compile(r'results\["s01-parse"\]\["([^"]+)"\]\[(\d+)\]\.Evt\.(?:Parsed|Meta)\["(\w+)"\] == "(.*)"$')


def table():
    """(products, name of a test) of crowdsec.tsv."""
    text = (pathlib.Path(__file__).parent / "crowdsec.tsv").read_text()
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def stated(folder):
    """What parser.assert says of each line: {(parser, number): {name: value}}."""
    found = collections.defaultdict(dict)
    for line in (folder / "parser.assert").read_text(encoding="utf-8").splitlines():
        match = STATED.match(line)
        if match:
            parser, number, name, value = match.groups()
            found[parser, int(number)][name] = re.sub(r"\\(.)", r"\1", value)
    return found


def cases(folder):
    """(place, line, {field of ECS: value}); a line is known by the message that it ends in."""
    config = (folder / "config.yaml").read_text(encoding="utf-8")
    log = folder / re.search(r"^log_file:\s*\"?([^\"\s]+)", config, re.M).group(1)
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").split("\n") if line.strip()]
    for (_, number), values in sorted(stated(folder).items(), key=lambda item: item[0][1]):
        message = values.pop("message", "").strip()
        line = next((one for one in lines if message and one.rstrip().endswith(message)), None)
        want = {FIELDS[name]: [value] for name, value in values.items() if name in FIELDS and value not in ("", "-")}
        if line and want:
            lines.remove(line)
            yield f"{folder.name}:{number}", line, want


def measure(vaka, root, product, names):
    count = Count(product)
    found = [case for name in names for case in cases(root / name)]
    if not found:
        return count
    for (place, _, want), read in zip(found, explain(vaka, [line for _, line, _ in found], "2025-12-31T23:59:59Z")):
        count.records += 1
        count.recognised += read.get("product") in product.split(",")
        got = fields_of(read.get("fields", {}))
        for name, value in want.items():
            count.add(name, place, value, got)
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vaka")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_intermixed_args()
    root = pathlib.Path(os.environ.get("VAKA_CORPUS", ""), "crowdsec-hub-tests")
    if "VAKA_CORPUS" not in os.environ or not root.is_dir():
        print("1..0 # SKIP VAKA_CORPUS is not set")
        return 0
    tests = collections.defaultdict(list)
    for product, name in table():
        if not args.names or product in args.names:
            tests[product].append(name)
    bad = 0
    for number, (product, names) in enumerate(sorted(tests.items()), 1):
        bad += not measure(args.vaka, root, product, names).report(number, args.show)
    print(f"1..{len(tests)}")
    return 1 if bad and args.limits else 0


if __name__ == "__main__":
    sys.exit(main())
