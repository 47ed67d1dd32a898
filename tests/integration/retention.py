#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What is old goes from a running vaka serve, and what is held stays: retention.py VAKA. Prints
TAP."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable-next=wrong-import-position
from serving import Serve, run_tests, same, test  # noqa: E402

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
# The store's section goes on.
SHORT = "  checkpoint: 1s\n  keep: 4s\n"


def post(serve, marker):
    """Some 1.2 MB: a journal, and with it a segment, is complete."""
    pad = os.urandom(600).hex()
    line = json.dumps({"User": marker, "message": pad}).encode() + b"\n"
    same(serve.post("/api/ingest", line * 1000)[0], 200)


def store(folder):
    return folder / "var" / "store" / "0"


def listed(folder):
    out = subprocess.run([VAKA, "store", "ls", "-f", "json", store(folder)], check=True,
                         capture_output=True, timeout=60).stdout
    return [json.loads(line) for line in out.splitlines()]


def verified(folder):
    done = subprocess.run([VAKA, "verify", "-f", "json", "--key", folder / "var/keys/log.pub",
                           store(folder)], check=False, capture_output=True, timeout=60)
    return json.loads(done.stdout)


@test
def old_records_go_and_held_ones_stay(folder):
    with Serve(VAKA, folder, SHORT).start() as serve:
        serve.ask("hold", "add", "5-5", "--reason", "case 1", "--by", "anna")
        for n in range(4):
            post(serve, f"u{n}")
        # Each process says how it is a moment after the other.
        state = serve.shows(lambda s: s["seal"]["removed"] == 3 == s["sign"]["tombstones"] and
                            s["seal"]["held"] == 1, "three segments removed and one held")
        same(state["seal"]["held_back"], False)
        rows = listed(folder)
        removed = [row for row in rows if row["removed"]]
        held = [row for row in rows if row["begin"] == 0]
        same([row["removed"] for row in held], [False])
        same(len(removed), state["seal"]["removed"])
        same(sum(row["records"] for row in removed), state["seal"]["removed_records"])
        for row in removed:
            name = f"tombstone-{row['begin']:020}"
            text = (store(folder) / name).read_text(encoding="utf-8")
            if "older than 4s" not in text:
                raise AssertionError(text)
        same(serve.log_text().count("event=segment-removed"), len(removed))
        serve.ask("hold", "rm", "5-5", "--by", "bo")
        serve.shows(lambda s: s["seal"]["removed"] > len(removed) and s["seal"]["held"] == 0,
                    "the segment whose hold was lifted goes too")
        same([row["removed"] for row in listed(folder) if row["begin"] == 0], [True])
        same(serve.ask("hold", "ls"), "")
        text = (store(folder) / "holds").read_text(encoding="utf-8")
        same((" bo: 5-5 " in text, text.startswith("# lifted "), " anna case 1" in text),
             (True, True, True))
        same(serve.stop(), 0)
    report = verified(folder)
    same((report["verdict"], report["footers"] >= 3), ("intact", True))


@test
def holds_that_cannot_be_read_hold_everything(folder):
    with Serve(VAKA, folder, SHORT + "  holds: legal/holds\n") as serve:
        (folder / "legal").mkdir()
        holds = folder / "legal" / "holds"
        holds.write_text("# kept\n1-2 2026-11-26 anna\n", encoding="utf-8")
        serve.start()
        post(serve, "a")
        post(serve, "b")
        serve.shows(lambda s: s["seal"]["segments"] >= 1 and s["seal"]["held_back"],
                    "held back by a bad line")
        serve.wait(lambda: "legal/holds:2: a reason is missing" in serve.log_text(),
                   "the place is told")
        holds.unlink()
        serve.wait(lambda: "legal/holds: No such file" in serve.log_text(), "a missing file too")
        passes = serve.log_text().count("event=retention-ended")
        serve.wait(lambda: serve.log_text().count("event=retention-ended") > passes + 6,
                   "passes that are longer than store.keep")
        same(serve.status()["seal"]["removed"], 0)
        serve.ask("hold", "add", "1000000-", "--reason", "nothing there yet")
        serve.shows(lambda s: s["seal"]["removed"] >= 1 and not s["seal"]["held_back"],
                    "removal goes on")


@test
def a_hold_is_not_added_to_a_file_that_is_not_understood(folder):
    serve = Serve(VAKA, folder, SHORT)
    store(folder).mkdir(parents=True)
    holds = store(folder) / "holds"
    holds.write_text("nonsense\n", encoding="utf-8")
    done = subprocess.run([VAKA, "hold", "add", "1-2", "--reason", "x", "-c", serve.config],
                          cwd=folder, capture_output=True, check=False, timeout=60)
    same(done.returncode, 1)
    same("holds:1:1: " in done.stderr.decode(), True)
    same(holds.read_text(encoding="utf-8"), "nonsense\n")
    holds.unlink()
    for words in (("1-2",), ("2-1", "--reason", "x"), ("1-2", "--reason", "a\nb")):
        done = subprocess.run([VAKA, "hold", "add", *words, "-c", serve.config], cwd=folder,
                              capture_output=True, check=False, timeout=60)
        same(done.returncode, 2)
    same(holds.exists(), False)


sys.exit(run_tests())
