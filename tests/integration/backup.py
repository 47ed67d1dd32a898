#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka backup and vaka restore: backup.py VAKA. Prints TAP."""
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading

import common
from serving import Serve

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
APART = "  checkpoint: 1s\ntriage:\n  alike: 0s\n"
BACKUPS = 6


def run(*words):
    done = subprocess.run([VAKA, *map(str, words)], capture_output=True, check=False, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def is_marked(name):
    """Of the many records, these have alerts."""
    return not name.startswith("u") or name.endswith("7")


def event(name):
    # Long enough that journals of 1 MiB are complete all the time; does not compress to nothing.
    mark = "VAKAMARK " if is_marked(name) else ""
    return json.dumps({"User": name, "message": mark + os.urandom(600).hex()}).encode() + b"\n"


def names_in(folder):
    status, out, err = run("store", "cat", folder)
    if status != 0:
        raise AssertionError(err)
    return {json.loads(line)["User"] for line in out.splitlines()}


def users(serve):
    return {a["event"]["User"] for a in serve.found()}


class Sender(threading.Thread):
    """Posts until it is told to end; what got a 200 is acknowledged."""

    def __init__(self, serve):
        super().__init__()
        self.serve, self.acknowledged, self.end = serve, [], False

    def run(self):
        n = 0
        while not self.end:
            names = [f"u{n + i}" for i in range(100)]
            if self.serve.post("/api/ingest", b"".join(map(event, names)))[0] == 200:
                self.acknowledged += names
                n += len(names)


def restored(folder, backup, name):
    """A serve of its own folder and ports that goes on from the backup."""
    place = folder / name
    place.mkdir()
    serve = Serve(VAKA, place, APART)
    (place / "var").rmdir()
    status, out, err = run("restore", backup, "-c", serve.config)
    return serve, (status, out, err)


def check_under_load(tap, folder):
    with Serve(VAKA, folder, APART + "detect:\n  engines: 1\n").start() as serve:
        sender = Sender(serve)
        sender.start()
        before = []
        tap.equal(run("search", "no.such: 1 | count", "--save", "kept", "-c", serve.config)[0], 0, "a search is saved")
        (folder / "var/searches/half~").write_text("hal", encoding="utf-8")
        serve.wait(lambda: serve.status()["seal"]["segments"] >= 1 and serve.status()["seal"]["signed"] > 0,
                   "a segment, and a checkpoint that covers records")
        for number in range(BACKUPS):
            known = list(sender.acknowledged)
            status, out, err = run("backup", folder / f"copy{number}", "-c", serve.config)
            before.append((known, status, out + err))
        sender.end = True
        sender.join()
        tap.equal([status for _, status, _ in before], [0] * BACKUPS, "copies while it works") or \
            tap.comment(str([text for _, _, text in before]))
        segments = serve.status()["seal"]["segments"]
        tap.ok(segments >= 3, "segments were made meanwhile", segments)
        tap.equal(serve.stop(), 0, "it ends")
    for number, (known, _, _) in enumerate(before):
        copy = folder / f"copy{number}"
        status, out, err = run("verify", "-k", copy / "keys/log.pub", copy / "store/0")
        tap.ok(status == 0 and out.endswith("intact\n"), f"copy {number} is verified", out + err)
        tap.equal(set(known) - names_in(copy / "store/0"), set(),
                  f"copy {number} has everything that was acknowledged before ({len(known)})")
    return before


def check_contents(tap, folder):
    copy = folder / "copy0"
    tap.equal(stat.S_IMODE((copy / "keys/log.key").stat().st_mode), 0o600, "nobody else may read the key")
    # What rules found in the past is there when they were looked at by then.
    tap.equal(sorted({p.name for p in copy.iterdir()} - {"retro"}),
              ["accounts", "audit", "backup", "keys", "oncall", "searches", "state", "store"], "what a copy holds")
    tap.equal([p.name for p in (copy / "searches").iterdir()], ["kept"], "searches that were saved whole")
    tap.equal([p.name for p in (copy / "state").iterdir()], ["vaka.db"], "the database is one file")
    manifest = json.loads((copy / "backup").read_text())
    tap.ok(manifest["format"] == 1 and 0 < manifest["matched"] <= manifest["records"], "what it says of itself", manifest)


def check_restore(tap, folder, before):
    for number in (0, BACKUPS - 1):
        serve, (status, out, err) = restored(folder, folder / f"copy{number}", f"back{number}")
        if not tap.equal(status, 0, f"copy {number} is put back"):
            tap.comment(out + err)
            continue
        tap.equal(run("search", "--list", "-c", serve.config)[1], "kept                     no.such: 1 | count\n",
                  "searches are back")
        with serve.start():
            records = serve.status()["store"]["next"]
            tap.ok(set(before[number][0]) <= names_in(serve.folder / "var/store/0"), "all records are there")
            serve.post("/api/ingest", event("after"))
            serve.shows(lambda s: s["triage"]["matched"] == s["store"]["next"] == records + 1, "all matched")
            tap.equal({name for name in before[number][0] if is_marked(name)} - users(serve), set(),
                      "each of them has its alert")
            tap.ok("after" in users(serve), "and it goes on")
            serve.wait(lambda: serve.status()["seal"]["signed"] == records + 1, "signed")
            tap.equal(serve.stop(), 0, "it ends")
        status, out, err = run("verify", "-c", serve.config)
        tap.ok(status == 0, "what follows is verified", out + err)
        status, _, err = run("verify", "-k", folder / f"copy{number}/keys/log.pub", folder / f"copy{number}/store/0")
        tap.ok(status == 0, "the backup is what it was", err)


def check_unmatched(tap, folder):
    """Records that no engine had matched when the copy was made are matched by who goes on."""
    place = folder / "unmatched"
    place.mkdir()
    with Serve(VAKA, place, APART).start() as serve:
        serve.post("/api/ingest", event("matched"))
        serve.matched(1)
        for pid in serve.pids("detect"):
            os.kill(pid, signal.SIGSTOP)
        serve.post("/api/ingest", event("waits"))
        status, _, err = run("backup", place / "copy", "-c", serve.config)
        tap.equal(status, 0, "a copy while nothing is matched") or tap.comment(err)
        for pid in serve.pids("detect"):
            os.kill(pid, signal.SIGCONT)
        tap.equal(serve.stop(), 0, "it ends")
        tap.equal(json.loads((place / "copy/backup").read_text())["records"], 2, "both records are in it")
        tap.equal(json.loads((place / "copy/backup").read_text())["matched"], 1, "one is matched")
        status, _, err = run("backup", place / "stopped", "-c", serve.config)
        tap.equal(status, 0, "a copy of one that does not run") or tap.comment(err)
    other, (status, _, err) = restored(place, place / "copy", "back")
    tap.equal(status, 0, "it is put back") or tap.comment(err)
    with other.start():
        other.wait(lambda: users(other) == {"matched", "waits"}, "the alert of the one that waited")
        tap.equal(other.counted(), 2, "each record has its alert once")
        other.stop()


def check_gap(tap, folder):
    """A journal that is gone although the database does not know its records as matched: as if it had
    been sealed, matched and removed between the two looks at the folder."""
    place = folder / "gap"
    place.mkdir()
    with Serve(VAKA, place, APART).start() as serve:
        for pid in serve.pids("detect"):
            os.kill(pid, signal.SIGSTOP)

        def grows():
            serve.post("/api/ingest", b"".join(event(f"u{i}") for i in range(100)))
            return serve.status()["store"]["journals"] >= 3
        serve.wait(grows, "three journals")
        os.killpg(serve.process.pid, signal.SIGKILL)
        serve.process.wait()
        journals = sorted((place / "var/store/0").glob("journal-*"))
        for which, gone in (("first", journals[0]), ("second", journals[1])):
            kept = gone.rename(place / "kept")
            status, _, err = run("backup", place / which, "-c", serve.config)
            tap.ok(status == 1 and "try again" in err, f"without the {which} journal there is no backup", err)
            tap.ok(not (place / which / "backup").exists(), "what there is of it is not taken for one")
            kept.rename(gone)
        status, _, err = run("backup", place / "whole", "-c", serve.config)
        tap.equal(status, 0, "with all of them there is") or tap.comment(err)


KEPT = ("rules versions", "rules exceptions", "indicators list")


def check_rules(tap, folder):
    """Imported rules, what of them is in force, exceptions and lists of indicators come along."""
    place = folder / "rules-serve"
    place.mkdir()
    source = place / "release/rules/deep/deeper/deepest/folder/of/them/all"
    source.mkdir(parents=True)
    with Serve(VAKA, place, APART) as serve:
        rule = (serve.folder / "rules/marker.yml").read_text("utf-8")
        (source / "own.yml").write_text(rule.replace("6b2a6a4e", "7b2a6a4e").replace("Marker", "Other"), "utf-8")
        serve.start()
        serve.ask("rules", "import", place / "release", "--name", "theirs")
        version = json.loads(serve.ask("rules", "versions", "-f", "json"))["version"]
        serve.ask("rules", "use", "theirs", version, "--no-report")
        serve.ask("rules", "except", "Marker", "--when", "User: nobody", "--reason", "a test")
        (place / "feed.csv").write_text("value\n198.51.100.7\n", "utf-8")
        serve.ask("indicators", "import", place / "feed.csv")
        told = [serve.ask(*words.split()) for words in KEPT]
        status, out, err = run("backup", folder / "with-rules", "-c", serve.config)
        tap.equal(status, 0, "a backup with rules") or tap.comment(out + err)
        tap.equal(serve.stop(), 0, "it ends")
    serve, (status, out, err) = restored(folder, folder / "with-rules", "back-rules")
    tap.equal(status, 0, "is put back") or tap.comment(out + err)
    tap.equal([serve.ask(*words.split()) for words in KEPT], told, "as they were")
    with serve.start():
        tap.equal(serve.status()["detect"]["rules"], 3, "and in force")


def check_owner(tap, folder):
    if os.geteuid() != 0:
        tap.skip("owners", "not root")
        return
    place = folder / "owned"
    place.mkdir()
    os.chown(place, 65534, 65534)
    status, _, err = run("restore", folder / "copy0", "--set", f"serve.folder={place}")
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in place.rglob("*")}
    tap.equal((status, owners), (0, {(65534, 65534)}), "what root restores is the folder's owner's") or \
        tap.comment(err)
    tap.equal(stat.S_IMODE((place / "keys/log.key").stat().st_mode), 0o600, "and the key is still nobody else's")


def check_refusals(tap, folder):
    settings = folder / "vaka.yaml"
    status, _, err = run("backup", folder / "copy0", "-c", settings)
    tap.ok(status == 1 and "it is not empty" in err, "no backup is written over", err)
    status, _, err = run("restore", folder / "copy0", "-c", settings)
    tap.ok(status == 1 and "it is not empty" in err, "no folder is restored over", err)
    broken = folder / "broken"
    shutil.copytree(folder / "copy0", broken)
    (broken / "backup").unlink()
    _, (status, _, err) = restored(folder, broken, "one")
    tap.ok(status == 1 and "not finished" in err, "one that was not finished is refused", err)
    (broken / "backup").write_text('{"format":2}\n')
    _, (status, _, err) = restored(folder, broken, "two")
    tap.ok(status == 1 and "another version" in err, "one of a later version is refused", err)
    (broken / "backup").write_text((folder / "copy0/backup").read_text())
    (broken / "keys/link").symlink_to("/etc/passwd")
    _, (status, _, err) = restored(folder, broken, "three")
    tap.ok(status == 1 and "link" in err, "links are not followed", err)
    status, _, err = run("backup", "-c", settings)
    tap.ok(status == 2 and "wants one folder" in err, "usage", err)
    status, _, err = run("backup", folder / "new", "--set", f"serve.folder={folder / 'nowhere'}")
    tap.ok(status == 1 and "nowhere" in err and not (folder / "new").exists(), "nothing to copy", err)


def main():
    tap = common.Tap()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        before = check_under_load(tap, folder)
        check_contents(tap, folder)
        check_restore(tap, folder, before)
        check_unmatched(tap, folder)
        check_gap(tap, folder)
        check_rules(tap, folder)
        check_owner(tap, folder)
        check_refusals(tap, folder)
    tap.done()


main()
