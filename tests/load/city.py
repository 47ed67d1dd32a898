# SPDX-License-Identifier: EUPL-1.2
"""vaka serve under the load of a city, for script/bench and script/soak."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from serving import TOKEN, Serve  # noqa: E402  pylint: disable=wrong-import-position

VAKA = ROOT / "build" / "release" / "vaka"
LOAD = ROOT / "build" / "release" / "tests" / "load" / "vaka-load"
MIX = ROOT / "tests" / "load" / "city.mix"
OWN_RULES = ROOT / "rules"
ONE_RULE = OWN_RULES / "linux" / "ssh_root_password.yml"  # the one that plants are found by
SIZE = ("--size", 1024, "--pool", 64)
WARM = 1  # second: rules are made ready for a kind of record when the first of it comes
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# How a city's records come: most by syslog, the rest by what modern shippers speak.
LANES = [("syslog_tcp", 8), ("syslog_udp", 3), ("relp", 3), ("lumberjack", 2), ("ndjson", 1),
         ("bulk", 1), ("flow_udp", 2)]
# The listener that a kind of lane sends to, where it is not named like it.
LISTENERS = {"ndjson": "http", "bulk": "http"}


def generate(lanes, *options, alerts=None):
    """One run of the generator; what it says. lanes: (kind, port) or (kind, port, share)."""
    words = []
    for kind, port, *share in lanes:
        words += ["--lane", f"{kind}={port}" + "".join(f"*{s}" for s in share)]
    result = subprocess.run([LOAD, "--mix", MIX, "--token", TOKEN, *words, *map(str, options)],
                            stdin=alerts or subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if result.returncode != 0:
        raise AssertionError(f"vaka-load ended with {result.returncode}")
    return json.loads(result.stdout)


def stat_of(pid):
    """(parent, processor seconds, bytes in memory); the fields are proc(5)'s."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS, int(fields[21]) * PAGE


class City(Serve):
    """As it is by itself: Serve's own settings are those of tests."""
    def __init__(self, folder, rules=(OWN_RULES,), more="", journal="256MiB"):
        if "search:\n" not in more:
            more += "search:\n  background: true\n"
        super().__init__(VAKA, folder, more=more, journal=journal,
                         rules=json.dumps([str(r) for r in rules]))

    def processes(self):
        """Name → (processor seconds, bytes in memory); engines are the children of detect."""
        found = {}
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (path / "cmdline").read_bytes().split(b"\0")
                if words[1:2] != [b"--role"]:
                    continue
                parent, seconds, memory = stat_of(path.name)
                name = words[2].decode()
                if parent != self.process.pid:
                    if stat_of(parent)[0] != self.process.pid:
                        continue
                    name = "engine"
                before = found.get(name, (0, 0))
                found[name] = (before[0] + seconds, before[1] + memory)
        return found

    def folder_of_records(self):
        return next(p for p in (self.folder / "var" / "store").iterdir() if p.is_dir())

    def send(self, kinds, *options):
        """Sends by these kinds of lanes, or (kind, share), with somebody who follows the alerts."""
        lanes = []
        for kind in kinds:
            kind, *share = (kind,) if isinstance(kind, str) else kind
            lanes.append((kind, self.ports[LISTENERS.get(kind, kind)], *share))
        # A plant of a run before has the same mark.
        told = [json.loads(line)["id"] for line in self.ask("alerts", "-f", "json", "-n", "1").splitlines()]
        with subprocess.Popen([VAKA, "alerts", "--follow", "--after", str(max(told, default=0)), "-f", "json",
                               "-c", self.config], cwd=self.folder, stdout=subprocess.PIPE) as follower:
            try:
                return generate(lanes, *options, alerts=follower.stdout)
            finally:
                follower.terminate()

    def settled(self, seconds=300):
        """Its state when everything that was taken is stored and matched, and none comes any more."""
        end = time.monotonic() + seconds
        before = None
        while time.monotonic() < end:
            state = self.status()
            with contextlib.suppress(KeyError, TypeError):
                now = (state["collect"]["records"], state["collect"]["requests"], state["store"]["next"])
                done = (all(sums["pending"] == 0 for sums in now[:2]) and
                        state["triage"]["matched"] == state["store"]["next"] and
                        state["unwrap"]["waiting"] == 0)
                if done and now == before:
                    return state
                before = now
            time.sleep(0.2)  # processes do not say it in the same moment
        raise AssertionError("records that were taken are not matched")
