#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "products" of script/bench, which builds. All figures are of one run."""
import argparse
import json
import os
import pathlib
import subprocess

from table import emitter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCH = ROOT / "build" / "release" / "tests" / "bench" / "vaka-bench-products"
LANES = ROOT / "tests" / "bench" / "lanes"
FORMS = {"fortigate": "syslog", "cisco-asa": "syslog", "sshd": "syslog", "auditd": "text", "m365": "json",
         "zeek": "json", "suricata": "json"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter loops")
    parser.add_argument("--json", action="store_true", help="one JSON line per lane")
    options = parser.parse_args()
    corpus = os.environ.get("VAKA_CORPUS")
    rules = pathlib.Path(corpus) / "sigma" if corpus else ROOT / "rules"
    emit = emitter(options.json)
    for name, form in FORMS.items():
        out = subprocess.run([str(BENCH), "--rules", str(rules), "--seconds", "0.3" if options.quick else "2",
                              f"{form}:{name}={LANES / name}.mix"], check=True, stdout=subprocess.PIPE).stdout
        for line in out.splitlines():
            emit(json.loads(line))


main()
