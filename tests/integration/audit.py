# SPDX-License-Identifier: EUPL-1.2
"""Who looked at the records of a vaka serve: audit.py VAKA. Prints TAP."""
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys

from serving import Serve, holds, run_tests, same, test

VAKA = pathlib.Path(sys.argv[1]).resolve()


def vaka(serve, *words, user=None):
    """(status, what it prints, what it says)."""
    run = subprocess.run([VAKA, *words, "-c", serve.config], cwd=serve.folder, check=False, timeout=60,
                         capture_output=True, text=True, user=user)
    return run.returncode, run.stdout, run.stderr


def entries(serve, *words):
    status, out, said = vaka(serve, "audit", "-f", "json", *words)
    same((status, said), (0, ""))
    return [json.loads(line) for line in out.splitlines()]


def send(serve, n):
    body = "".join(json.dumps({"user": {"name": "anna"}, "n": i}) + "\n" for i in range(n)).encode()
    same(serve.post("/api/ingest", body)[0], 200)
    serve.matched(n)


@test
def every_look_leaves_a_line(folder):
    with Serve(VAKA, folder).start() as serve:
        send(serve, 20)
        same(entries(serve), [])
        same(vaka(serve, "search", "n < 5", "| count", "-f", "json", "--purpose", "case 12", "--from", "-1d")[1],
             '{"count":5}\n')
        vaka(serve, "search", "n: 3", "-f", "json")
        same(vaka(serve, "search", "anna", "| head 3", "-f", "json")[1].count("\n"), 3)
        same(vaka(serve, "store", "cat", "--grep", "anna", "--purpose", "why")[1].count("anna"), 20)
        same(vaka(serve, "rules", "noise", "--purpose", "a rule")[0], 0)
        same(vaka(serve, "hunt", "--store", "-r", "rules", "--purpose", "the past")[0], 0)
        serve.wait(lambda: (serve.folder / "var/store/0/checkpoint").exists(), "a checkpoint")
        serve.wait(lambda: vaka(serve, "export", "evidence", "--seq", "2..4", "--reason", "police", "-o",
                                "evidence.json")[0] == 0, "evidence")
        found = entries(serve)
        same([(e["what"], e["query"], e["purpose"], e["found"], e["end"]) for e in found if e["end"] != "failed"],
             [("search", "n < 5 | count", "case 12", 5, "whole"), ("search", "n: 3", "", 1, "whole"),
              ("search", "anna | head 3", "", 3, "enough"),
              ("store cat", "--grep anna", "why", 20, "whole"), ("rules noise", "", "a rule", 0, "whole"),
              ("hunt --store", "-r rules", "the past", 0, "whole"),
              ("export evidence", "2..4", "police", 3, "whole")])
        same({(e["uid"], bool(e["user"])) for e in found}, {(os.getuid(), True)})
        same((found[0]["from"] is None, found[0]["to"], found[1]["from"]), (False, None, None))
        same(len(entries(serve, "--to", found[1]["time"])), 1)
        same(len(entries(serve, "--from", found[1]["time"])), len(found) - 1)
        out = vaka(serve, "audit")[1]
        holds(out, "n < 5 | count\n    purpose: case 12\n")
        holds(out, "5 found, whole")
        for path, mode in ("audit", 0o700), ("audit/log", 0o600):
            same(stat.S_IMODE((serve.folder / "var" / path).stat().st_mode), mode)


@test
def who_does_not_read_to_the_end_is_told(folder):
    with Serve(VAKA, folder, journal="64MiB").start() as serve:
        send(serve, 20000)
        # pylint: disable-next=consider-using-with
        process = subprocess.Popen([VAKA, "search", "anna", "-f", "json", "-c", serve.config], cwd=serve.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.readline()
        process.stdout.close()
        same(process.wait(60), -signal.SIGPIPE)
        same([(e["end"], e["found"] > 0) for e in entries(serve)], [("interrupted", True)])


@test
def what_looks_at_no_record_leaves_none(folder):
    with Serve(VAKA, folder).start() as serve:
        send(serve, 3)
        vaka(serve, "search", "n: 3", "--explain")
        vaka(serve, "search", "(n: 3")
        vaka(serve, "search", "--list")
        vaka(serve, "store", "ls")
        vaka(serve, "rules", "coverage")
        same(entries(serve), [])


@test
def without_its_line_nothing_is_read(folder):
    with Serve(VAKA, folder).start() as serve:
        send(serve, 3)
        (serve.folder / "var/audit").write_text("in its place", encoding="utf-8")
        for words in (("search", "anna"), ("store", "cat"), ("rules", "noise"),
                      ("export", "evidence", "--seq", "1", "--reason", "x", "-o", "e.json")):
            status, out, said = vaka(serve, *words)
            same((words, status, out), (words, 1, ""))
            holds(said, "without its line in the audit log nothing is read")
        same((serve.folder / "e.json").exists(), False)


@test
def a_copy_elsewhere_is_nobody_s_watch(folder):
    with Serve(VAKA, folder).start() as serve:
        send(serve, 3)
        serve.stop()
        shutil.copytree(serve.folder / "var/store/0", serve.folder / "copy")
        same(vaka(serve, "search", "| count", "-f", "json", "--store", "copy")[1], '{"count":3}\n')
        same(entries(serve), [])
        same(vaka(serve, "search", "| count", "-f", "json", "--store", "var/store/0")[1], '{"count":3}\n')
        same(len(entries(serve)), 1)
        # Not by settings that name another folder, nor where the store lies on another disk.
        (serve.folder / "other").mkdir()
        vaka(serve, "search", "| count", "--store", "var/store/0", "--set", "serve.folder=other")
        same(len(entries(serve)), 2)
        same(vaka(serve, "backup", "saved")[0], 0)
        vaka(serve, "search", "| count", "--store", "saved/store/0")
        same(len((serve.folder / "saved/audit/log").read_bytes().splitlines()), 4)
        (serve.folder / "var/store").rename(serve.folder / "disk")
        (serve.folder / "var/store").symlink_to(serve.folder / "disk")
        same(vaka(serve, "search", "| count", "-f", "json")[1], '{"count":3}\n')
        same(len(entries(serve)), 3)


@test
def lines_that_are_none_are_told(folder):
    with Serve(VAKA, folder).start() as serve:
        send(serve, 3)
        vaka(serve, "search", "n: 1", "-f", "json")
        with open(serve.folder / "var/audit/log", "ab") as log:
            log.write(b"not json\n\x00\xff\n{}\n\"\x1b[2J\"")
        vaka(serve, "search", "n: 2 and \x1b[31m", "-f", "json")
        status, out, said = vaka(serve, "audit")
        same((status, "\x1b" in out), (1, False))
        holds(said, "4 lines of the audit log are damaged")
        holds(out, "n: 1")
        holds(out, "n: 2")


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:]))
