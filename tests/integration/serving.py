# SPDX-License-Identifier: EUPL-1.2
"""A running vaka serve for tests: a folder and free ports of its own, ended with the test; and how
tests of it are run."""
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

TOKEN = "test-token-0123456789abcdef"
RULE = """title: Marker
id: 6b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11
status: test
level: high
logsource: {{category: application}}
detection:
  keywords: ['{marker}']
  condition: keywords
"""

# Every record gets an alert of its own: each names another user.
APART = "triage:\n  alike: 0s\n"
TESTS = []
GIVEN = set()  # ports, for good


def test(function):
    """Marks a test; it gets an empty folder."""
    TESTS.append(function)
    return function


class Fail(AssertionError):
    pass


class Skip(Exception):
    """What the test needs is not here; says what."""


def same(got, want):
    if got != want:
        raise Fail(f"got {got!r:.2000}, not {want!r:.2000}")


def holds(text, part):
    if part not in text:
        raise Fail(f"{part!r} is not in {text!r}")


def outcome_of(function):
    """What TAP says of it: whether it passed, and the line behind its number."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            function(pathlib.Path(folder))
            return True, function.__name__
        except Skip as why:
            return True, f"{function.__name__} # SKIP {why}"
        except (AssertionError, OSError, KeyError, TypeError, ValueError,
                subprocess.SubprocessError) as why:
            text = str(why).replace("\n", "\n# ")
            return False, f"{function.__name__}\n# {type(why).__name__}: {text}"


def run_tests(only=(), together=1):
    """Runs them, those named or all, and prints TAP; the exit status. Tests that wait more than they
    work may be run several together."""
    chosen = [t for t in TESTS if not only or t.__name__ in only]
    if not chosen or set(only) - {t.__name__ for t in chosen}:
        print(f"Bail out! no such test: {', '.join(map(str, only))}")
        return 1
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(together) as pool:
        for number, (passed, line) in enumerate(pool.map(outcome_of, chosen), 1):
            failed += not passed
            print(f"{'ok' if passed else 'not ok'} {number} - {line}", flush=True)
            if not passed:  # where whoever runs the suite sees why
                print(line, file=sys.stderr, flush=True)
    print(f"1..{len(chosen)}")
    return 1 if failed else 0


def free_port(kind=socket.SOCK_STREAM):
    """One that the kernel gives to no client meanwhile: below those it gives by itself."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(1000):
        port = random.randrange(min(10000, first // 2), first)
        if port in GIVEN:
            continue
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        GIVEN.add(port)
        return port
    raise OSError("no port is free")


class Serve:
    """Started by start(); status() and alerts() ask it, as a user would. `more` are settings: lines
    behind the section store, or more of that."""

    def __init__(self, vaka, folder, more="", arguments=(), before=(), rules="rules",
                 journal="1MiB", tls=None):
        """`tls`: a folder of make_certificates(), for the listeners that speak it."""
        self.vaka, self.folder = vaka, pathlib.Path(folder)
        self.before = list(before)
        self.arguments = list(arguments)
        self.process = None
        self.ports = {name: free_port(socket.SOCK_DGRAM if "udp" in name else socket.SOCK_STREAM)
                      for name in ("syslog_tcp", "syslog_udp", "http", "relp", "lumberjack",
                                   "flow_udp")}
        if tls:
            for name in ("syslog_tls", "relp_tls", "lumberjack_tls"):
                self.ports[name] = free_port()
            more += (f"tls:\n  certificate: {tls}/server.pem\n  key: {tls}/server.key\n"
                     f"  clients: {tls}/ca.pem\n")
        # Tests run several together, and have not all day.
        search = "" if "search:\n" in more else "search:\n  background: false\n"
        # They count records, and want no others among them.
        search += "" if "canary:\n" in more else "canary:\n  every: 0s\n"
        own = self.folder / "rules"
        own.mkdir()
        (own / "marker.yml").write_text(RULE.format(marker="VAKAMARK"), encoding="utf-8")
        tokens = self.folder / "tokens"
        tokens.write_text(f"tester ingest,elastic,splunk,otlp,journal,metrics {TOKEN}\n",
                          encoding="utf-8")
        tokens.chmod(0o600)
        listen = "".join(f"  {name}: 127.0.0.1:{port}\n" for name, port in self.ports.items())
        self.config = self.folder / "vaka.yaml"
        self.config.write_text(
            f"serve:\n  folder: var\n  socket: v.sock\nrules: {rules}\n"
            f"listen:\n{listen}  tokens: tokens\nlog:\n  level: info\n{search}"
            f"store:\n  journal: {journal}\n  ballast: 0B\n" + more, encoding="utf-8")
        (self.folder / "var").mkdir()
        self.log = self.folder / "serve.log"

    def start(self, ready=True):
        with open(self.log, "ab") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                [*self.before, self.vaka, "serve", "-c", self.config, *self.arguments], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.folder, start_new_session=True)
        if ready:
            before = self.log_text().count("event=serve-ready")
            self.wait(lambda: self.log_text().count("event=serve-ready") > before or
                      self.process.poll() is not None, "ready")
            if self.process.poll() is not None:
                raise AssertionError("serve ended: " + self.log_text()[-800:])
        return self

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def wait(self, condition, what, seconds=120):
        """Until it holds; not a measure of speed: it only keeps a broken test from lasting for
        ever. What has taken long is asked less often, for most answers cost a process."""
        begin = time.monotonic()
        while (waited := time.monotonic() - begin) < seconds:
            with contextlib.suppress(AssertionError, KeyError, TypeError):
                if condition():
                    return
            time.sleep(min(max(0.02, waited / 4), 0.25))
        raise AssertionError(f"never: {what}; {self.log_text()[-400:]}")

    def ask(self, *words, status=0):
        result = subprocess.run([self.vaka, *words, "-c", self.config], cwd=self.folder, check=False,
                                capture_output=True, timeout=180)
        if result.returncode != status:
            raise AssertionError(f"{words}: {result.stdout.decode()[-400:]}{result.stderr.decode()}")
        return result.stdout.decode()

    def status(self):
        """What every process says now; None before it has said anything."""
        return json.loads(self.ask("status", "-f", "json"))["processes"]

    def shows(self, condition, what):
        """Waits until the status is so, and returns it."""
        found = {}

        def holds():
            found.update(self.status())
            return condition(found)
        self.wait(holds, what)
        return found

    def alerts(self):
        return [json.loads(line) for line in self.ask("alerts", "-f", "json").splitlines()]

    def found(self):
        """Alerts about records, without those about Vaka itself."""
        return [a for a in self.alerts() if not a["rule"]["id"].startswith("vaka.")]

    def counted(self):
        """Records that alerts are about."""
        return sum(a["count"] for a in self.found())

    def stored(self, records):
        """Waits until so many records are durable."""
        self.wait(lambda: self.status()["store"]["next"] >= records, f"{records} stored")

    def matched(self, records):
        """Waits until so many records are stored and matched, and that is in the database."""
        self.wait(lambda: self.status()["triage"]["matched"] >= records, f"{records} matched")

    def lines(self):
        """How often each "VAKAMARK line-N." stands in the journals, as it was sent."""
        found = collections.Counter()
        for path in self.folder.glob("var/store/0/journal-*"):
            found.update(map(int, re.findall(rb"VAKAMARK line-(\d+)\.", path.read_bytes())))
        return found

    def has_each_once(self, n):
        """Waits for n records, lines 0 to n - 1, each stored once and matched."""
        self.wait(lambda: self.counted() >= n, f"{n} records with alerts")
        found = self.lines()
        same({i: found[i] for i in set(found) | set(range(n)) if found[i] != (i in range(n))}, {})
        same(self.counted(), n)

    def pids(self, role):
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (path / "cmdline").read_bytes().split(b"\0")
                parent = (path / "stat").read_text().rsplit(")", 1)[1].split()[1]
                if words[1:3] == [b"--role", role.encode()] and int(parent) == self.process.pid:
                    found.append(int(path.name))
        return found

    def engines(self):
        """The processes that match: children of detect."""
        found = []
        for pid in self.pids("detect"):
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
                found += [int(word) for word in words.split()]
        return found

    def kill(self, role):
        for pid in self.pids(role):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def tls(self, name, folder, who=None):
        """A connection with TLS; `who` is one of make_certificates()."""
        context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
        if who:
            context.load_cert_chain(f"{folder}/{who}.pem", f"{folder}/{who}.key")
        return context.wrap_socket(self.tcp(name), server_hostname="localhost")

    def kill_all(self):
        """All processes at once; until none is left, for those that are about to end still hold
        their sockets and files."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

        def gone():
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return True
            return False
        self.wait(gone, "the end of all processes")

    def tcp(self, name="syslog_tcp", source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.ports[name]), timeout=30,
                                        source_address=(source, 0))

    def post(self, path, body, headers=(), token=TOKEN):
        """(status, body)."""
        status, _, answer = self.exchange(path, body, headers, token)
        return status, answer

    def exchange(self, path, body, headers=(), token=TOKEN):
        """(status, header lines, body)."""
        lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}",
                 "Connection: close", *headers]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        with self.tcp("http") as s:
            s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            answer = b""
            while piece := s.recv(65536):
                answer += piece
        if not answer:
            raise ConnectionError("no answer")
        head, _, rest = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode().split("\r\n")[1:], rest

    def stop(self, how=signal.SIGTERM):
        if not self.process or self.process.poll() is not None:
            return None
        self.process.send_signal(how)
        return self.process.wait(120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill_all()


class Faults:
    """What faulty.c reads; set() before the start makes them, and may change them at any time."""
    ROLES = ("store", "triage", "detect", "unwrap", "collect", "control", "seal", "sign")
    NAMES = ("no_sync", "fail_sync", "slow_sync", "fail_write", "clock")

    def __init__(self, started, *more):
        """Of a process that is started in `started.folder`; `more`: roles beside those."""
        self.folder = started.folder / "faults"
        self.folder.mkdir()
        for role in (*self.ROLES, *more):
            self.set(role)

    def set(self, role, **values):
        """The process has the file itself mapped: it is written in place."""
        path = self.folder / role
        with open(path, "r+b" if path.exists() else "wb") as file:
            file.write(struct.pack("<5q", *(values.get(name, 0) for name in self.NAMES)))

    def left(self, role, name):
        numbers = struct.unpack("<5q", (self.folder / role).read_bytes())
        return numbers[self.NAMES.index(name)]
