#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The canary names the stage that is broken: canary.py VAKA [TEST...]. Prints TAP."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import gateway
from disks import WITH_HOSTS
from peers import make_certificates
from serving import Serve, Skip, holds, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
PLAN = """zone: Europe/Stockholm
digest: never
people:
  - {id: anna, name: Anna, contacts: [{channel: sms, address: '+46700000001'}]}
policies:
  - {id: night, steps: [{targets: [{person: anna}], wait: 5m}]}
rules:
  - {page: night}
"""
# Busy machines stand still for seconds.
FAST = "canary:\n  every: 1s\n  within: 6s\n"


def canary(serve):
    return serve.status()["canary"]


def awake(serve):
    """Waits until a probe has passed that began after this."""
    before = canary(serve)["passed"]
    serve.wait(lambda: canary(serve)["passed"] > before + 1 and canary(serve)["broken"] == "nothing",
               "a probe that passes")


@contextlib.contextmanager
def stopped(pids):
    """They stand still meanwhile."""
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def answer(serve, status):
    """What vaka awake says."""
    result = subprocess.run([VAKA, "awake", "-f", "json", "-c", serve.config], cwd=serve.folder,
                            check=False, capture_output=True, timeout=60)
    same(result.returncode, status)
    return json.loads(result.stdout)


@test
def a_stage_that_stands_still_is_named(folder):
    with Serve(VAKA, folder, FAST) as serve:
        serve.start()
        awake(serve)
        for stage, pids in (("collect", lambda: serve.pids("collect")),
                            ("unwrap", lambda: serve.pids("unwrap")),
                            ("store", lambda: serve.pids("store")),
                            ("engine", serve.engines),
                            ("correlate", lambda: serve.pids("detect")),
                            ("triage", lambda: serve.pids("triage"))):
            with stopped(pids()):
                serve.wait(lambda stage=stage: canary(serve)["broken"] == stage, f"{stage} named")
            awake(serve)
        changes = [change["broken"] for change in canary(serve)["changes"]]
        same([change for change in changes if change != "nothing"],
             ["collect", "unwrap", "store", "engine", "correlate", "triage"])
        told = [alert["matched"][2]["value"] for alert in serve.alerts()
                if alert["rule"]["id"].startswith("vaka.canary-broken-")]
        same([text.split(":")[0] for text in told],
             ["collect", "unwrap", "store", "engine", "correlate", "triage"])
        # What it sends is stored, and counts as nothing.
        same(serve.found(), [])
        same(serve.status()["triage"]["sources_watched"], 0)


@test
def one_end_of_a_process_is_nothing(folder):
    with Serve(VAKA, folder, "canary:\n  every: 1s\n  within: 8s\n") as serve:
        serve.start()
        awake(serve)
        failed = canary(serve)["failed"]
        for role in ("collect", "unwrap", "store", "triage"):
            serve.kill(role)
            awake(serve)
        same(len(canary(serve)["changes"]), 1)
        assert canary(serve)["failed"] <= failed + 4


@test
def a_process_that_ends_again_and_again_is_named(folder):
    with Serve(VAKA, folder, FAST) as serve:
        serve.start()
        awake(serve)
        over = threading.Event()

        def end_it():
            while not over.is_set():
                serve.kill("store")
                time.sleep(0.02)
        killer = threading.Thread(target=end_it)
        killer.start()
        try:
            serve.wait(lambda: canary(serve)["broken"] == "store", "the store named", 120)
        finally:
            over.set()
            killer.join()
        serve.wait(lambda: canary(serve)["broken"] == "nothing", "store is back", 120)


@test
def nobody_else_s_record_is_the_canary_s(folder):
    with Serve(VAKA, folder, FAST) as serve:
        serve.start()
        awake(serve)
        number = 99999999999
        status, _ = serve.post("/api/ingest", b"".join(
            b'{"vaka":{"canary":"%d","way":"%s"}}\n' % (number, way) for way in (b"record", b"body")))
        same(status, 200)
        awake(serve)
        same(serve.alerts(), [])


@test
def what_is_proven_is_said_in_one_line(folder):
    with Serve(VAKA, folder, FAST) as serve:
        serve.start()
        awake(serve)
        said = answer(serve, 1)
        holds(said["line"]["en"], "nobody can be woken")
        same([stage for stage, at in said["proven"].items() if at],
             ["collect", "unwrap", "store", "engine", "correlate", "triage"])
        with stopped(serve.pids("store")):
            serve.wait(lambda: answer(serve, 1)["broken"] == "store", "store named")
        with stopped(serve.pids("canary")):
            serve.wait(lambda: "does not answer" in answer(serve, 1)["line"]["en"], "silence named")
        awake(serve)
        holds(serve.ask("status"), "nobody can be woken")


@contextlib.contextmanager
def whole_watch(folder, more=FAST, pinned=True, **options):
    """With somebody on call, and a provider; not `pinned`, its name is looked up."""
    folder = folder.resolve()
    make_certificates(folder)
    with gateway.Gateway(folder) as g:
        line = g.provider("46elks", "elks", folder)
        if not pinned:
            line = line.replace(" address=127.0.0.1", "")
        with Serve(VAKA, folder / "watch", more + f"notify:\n  trust: {folder}/ca.pem\n  providers:\n"
                   f"    - {json.dumps(line)}\n", **options) as serve:
            serve.start()
            plan = folder / "plan.yaml"
            plan.write_text(PLAN, encoding="utf-8")
            serve.ask("oncall", "plan", str(plan))
            yield serve, g


@test
def what_pages_people_is_followed_to_the_provider(folder):
    (folder / "watch").mkdir()
    with whole_watch(folder) as (serve, g):
        awake(serve)
        serve.wait(lambda: answer(serve, 0)["awake"], "awake")
        said = answer(serve, 0)
        same([stage for stage, at in said["proven"].items() if not at], [])
        holds(said["line"]["en"], "from a record to the providers")
        for stage in ("oncall", "notify"):
            with stopped(serve.pids(stage)):
                serve.wait(lambda stage=stage: canary(serve)["broken"] == stage, f"{stage} named")
            awake(serve)
        g.down = True
        serve.wait(lambda: canary(serve)["broken"] == "provider", "provider named")
        holds(canary(serve)["why"], "elks: ")
        g.down = False
        awake(serve)
        # Nobody was told of what is not his to repair: oncall, notify and a provider are the watchdog's.
        same(g.sms, [])
        assert g.dry["me"] + g.dry["sms"] > 5, g.dry
        # What is broken before them is paged for, by itself.
        with stopped(serve.pids("triage")):
            serve.wait(lambda: canary(serve)["broken"] == "triage", "triage named")
            serve.wait(lambda: len(g.sms) == 1, "a page")
        holds(g.sms[0]["message"], "vaka")
        awake(serve)
        serve.wait(lambda: serve.status()["oncall"]["pages_open"] == 0, "the end of the page")
        same(len(g.sms), 1)


@test
def a_provider_that_moves_is_found(folder):
    """Its name leads to nobody, and then to it; the process that pages goes on meanwhile."""
    if os.geteuid() != 0:
        raise Skip("not root")
    (folder / "watch").mkdir()
    hosts = folder / "hosts"
    hosts.write_text("127.0.0.2 localhost\n", encoding="utf-8")
    with whole_watch(folder, pinned=False, before=["unshare", "-m", *WITH_HOSTS, hosts]) as (serve, _):
        serve.wait(lambda: canary(serve)["broken"] == "provider", "provider named")
        hosts.write_text("127.0.0.1 localhost\n", encoding="utf-8")
        serve.wait(lambda: answer(serve, 0)["awake"], "awake")
        hosts.write_text("127.0.0.2 localhost\n", encoding="utf-8")
        serve.wait(lambda: canary(serve)["broken"] == "provider", "provider named")
        same(serve.status()["notify"]["starts"], 1)


def held(pid, folder):
    """The files that a process has open, below the folder, and how many of its sockets are TCP's or UDP's."""
    files, sockets = set(), set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        name = os.readlink(fd)
        if name.startswith("socket:["):
            sockets.add(name[8:-1])
        elif name.startswith(f"{folder}/"):
            files.add(name[len(f"{folder}/"):])
    net = set()
    for kind in "tcp", "tcp6", "udp", "udp6":
        lines = pathlib.Path(f"/proc/{pid}/net/{kind}").read_text(encoding="ascii").splitlines()[1:]
        net.update(line.split()[9] for line in lines)
    return files - {"serve.log"}, len(sockets & net)


# sandbox.c has what its kind of sandbox lets each do; this is what it holds while all of it works.
HELD = {
    "oncall": {"var/oncall/oncall.db", "var/oncall/oncall.db-wal", "var/oncall/oncall.db-shm"},
    "notify": set(),
    "canary": {"var/canary/state", "var/canary/drills"},
    "library": set(),
}


@test
def who_pages_people_holds_what_he_needs_and_nothing_else(folder):
    (folder / "watch").mkdir()
    with whole_watch(folder) as (serve, g):
        serve.wait(lambda: answer(serve, 0)["awake"], "awake")
        levels = set(re.findall(r"event=sandbox-entered role=\w+ level=(\S+)", serve.log_text()))
        if not levels or "none" in levels:
            raise Skip("no sandbox here: sanitizers, or the kernel has none")
        g.down = True  # so that notify has no connection to a provider at hand
        serve.wait(lambda: canary(serve)["broken"] == "provider", "nobody to call")
        for role, files in HELD.items():
            pid, = serve.pids(role)
            status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            holds(status, "\nSeccomp:\t2\n")
            holds(status, "\nNoNewPrivs:\t1\n")
            serve.wait(lambda pid=pid, files=files: held(pid, serve.folder.resolve()) == (files, 0),
                       f"{role} holds {files} and no connection, and has {held(pid, serve.folder.resolve())}")


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:], 4))
