#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Keys that are changed while vaka serve runs, and while it does not: keys.py VAKA. Prints TAP."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from serving import Serve, run_tests  # noqa: E402  pylint: disable=wrong-import-position

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
SHORT = "  checkpoint: 1s\n"


def same(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, not {want!r}")


def event(name):
    return json.dumps({"User": name, "message": "something"}).encode() + b"\n"


def keys(serve):
    return serve.folder / "var" / "keys"


def store(serve):
    return serve.folder / "var" / "store" / "0"


def public_keys(serve):
    return (keys(serve) / "log.pub").read_text(encoding="utf-8").split()


def verdict(serve, lines):
    named = serve.folder / "named.pub"
    named.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run([VAKA, "verify", "-f", "json", "--key", named, store(serve)],
                          check=False, capture_output=True, timeout=60)
    return json.loads(done.stdout)["verdict"]


def signed(serve, records):
    serve.shows(lambda s: s["seal"]["signed"] == records, f"{records} signed")


def signatures(path):
    return path.read_text(encoding="utf-8").count("\u2014 ")


def secrets(serve):
    """Of every key that is left in the folder."""
    return [path.read_text(encoding="utf-8") for path in keys(serve).glob("*key*")]


def a_running_serve_signs_with_the_new_key(folder):
    with Serve(VAKA, folder, SHORT).start() as serve:
        serve.post("/api/ingest", event("a") * 3)
        signed(serve, 3)
        old, secret = public_keys(serve), secrets(serve)
        serve.ask("key", "rotate")
        both = public_keys(serve)
        same((len(both), both[1:]), (2, old))
        same((len(secrets(serve)), secrets(serve) == secret), (1, False))
        same(signatures(store(serve) / f"checkpoint-{3:020}"), 2)
        serve.post("/api/ingest", event("b") * 2)
        signed(serve, 5)
        same(serve.stop(), 0)
        same(signatures(store(serve) / "checkpoint"), 1)
        same([verdict(serve, lines) for lines in (both, both[:1], old)],
             ["intact", "intact", "tampered"])


def a_serve_that_does_not_run_has_the_new_key_when_it_starts(folder):
    serve = Serve(VAKA, folder, SHORT)
    with serve.start():
        serve.post("/api/ingest", event("a") * 3)
        signed(serve, 3)
        serve.stop()
        for records in (4, 5):
            # What a rotation that was killed in the middle leaves.
            os.link(keys(serve) / "log.key", keys(serve) / "log.key.old")
            (keys(serve) / "log.key.new").write_text("half a ke", encoding="utf-8")
            serve.ask("key", "rotate")
            serve.start()
            serve.post("/api/ingest", event("b"))
            signed(serve, records)
            serve.stop()
        three = public_keys(serve)
        same(len(three), 3)
        same(verdict(serve, three), "intact")


def without_a_checkpoint_nothing_is_rotated(folder):
    serve = Serve(VAKA, folder)
    with serve.start():
        serve.stop()
    for path in store(serve).glob("checkpoint*"):
        path.unlink()
    before = public_keys(serve), secrets(serve)
    done = subprocess.run([VAKA, "key", "rotate", "-c", serve.config], cwd=folder, check=False,
                          capture_output=True, timeout=60)
    same((done.returncode, "no checkpoint yet" in done.stderr.decode()), (1, True))
    same((public_keys(serve), secrets(serve) == before[1]), (before[0], True))


sys.exit(run_tests([a_running_serve_signs_with_the_new_key,
                    a_serve_that_does_not_run_has_the_new_key_when_it_starts,
                    without_a_checkpoint_nothing_is_rotated]))
