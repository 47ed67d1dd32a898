#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The part "seal" of script/bench, which builds: what sealing costs on one core, with the records that
`vaka serve` takes of a city (tests/load/city.mix, by the lanes of script/soak).

Speeds are processor time of tests/bench/segment.c; what zstd alone does with the same records is in
the same run.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "load"))
from city import LANES, City  # noqa: E402  pylint: disable=wrong-import-position

WORK = ROOT / "build" / "bench"
SEGMENT = ROOT / "build" / "release" / "tests" / "bench" / "vaka-bench-segment"
BYTES_OF_RECORD = 322  # on average
RATE = 20000  # a second, as in script/soak: at it every lane sends its share


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=150, help="of raw records")
    parser.add_argument("--quick", action="store_true", help="20 MiB")
    options = parser.parse_args()
    mib = 20 if options.quick else options.mib
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        out = pathlib.Path(folder) / "out"
        out.mkdir()
        with City(folder, [], journal="16MiB").start() as city:
            # A fifth more than is needed: the last journal is not sealed.
            city.send(LANES, "--rate", RATE, "--records", (mib * 6 // 5 + 24) * (1 << 20) // BYTES_OF_RECORD)
            stored = city.settled()["store"]["next"]
            # Sealing has the lowest priority: it follows.
            while city.status()["seal"]["tree"] < stored:
                time.sleep(1)
            records = city.folder_of_records()
            city.stop()
        subprocess.run([SEGMENT, out, str(mib), "--store", records], check=True)


main()
