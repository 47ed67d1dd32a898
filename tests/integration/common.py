# SPDX-License-Identifier: EUPL-1.2
"""What the integration tests share: TAP, running the program, and files it can read."""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "rules"


class Tap:
    """Numbers the tests and prints why one failed."""

    def __init__(self):
        self.n = 0
        self.failed = 0

    def ok(self, good, name, why=""):
        self.n += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}", flush=True)
        if not good:
            for line in str(why)[:4000].splitlines():
                print(f"# {line}")
        return good

    def equal(self, got, want, name):
        return self.ok(got == want, name, f"got  {got!r:.1500}\nwant {want!r:.1500}")

    def skip(self, name, why):
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {why}", flush=True)

    def comment(self, text):
        print(f"# {text}", flush=True)

    def done(self):
        print(f"1..{self.n}")
        sys.exit(self.failed > 0)


def less(n, least=1):
    """`n`, or a part of it, `least` at least, where VAKA_TEST_LESS says that all is that many times slower:
    for tests of what is large, whose size is not what they are about."""
    return min(n, max(least, n // int(os.environ.get("VAKA_TEST_LESS", "1"))))


def long_int(digits):
    """Python refuses to convert very long ones."""
    return int(digits) if len(digits) < 4000 else digits


class Run:
    """One finished run of the program."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err.decode("utf-8", "replace")
        self.stats = {}
        for line in self.err.splitlines():
            if line.startswith('{"events"'):
                self.stats = json.loads(line)

    def alerts(self):
        return [json.loads(line, parse_int=long_int) for line in self.out.splitlines()]

    def named(self):
        """Names of what was unreadable, with the reason: "vaka: NAME: why"."""
        return [line[6:] for line in self.err.splitlines() if line.startswith("vaka: ")]

    def __repr__(self):
        return f"status {self.status}\n{self.err}\n{self.out[:500]!r}"


# A shell between the test and the program: the peak memory that the kernel counts for a process
# starts with that of the one it was forked from, and that must not be the test's.
SHELL = ["/bin/sh", "-c", '"$@"; exit $?', "sh"]


def run(*command, data=None, cwd=None, env=None, timeout=300):
    done = subprocess.run([*SHELL, *map(os.fspath, command)], input=data, cwd=cwd, timeout=timeout,
                          env={**os.environ, **env} if env else None, capture_output=True,
                          stdin=None if data is not None else subprocess.DEVNULL, check=False)
    return Run(done.returncode, done.stdout, done.stderr)


def hunt(vaka, *arguments, rules=RULES, **more):
    return run(vaka, "hunt", "-f", "json", "--stats", "-r", rules, *arguments, **more)


# ---- events that Vaka's own rules find -------------------------------------------------------

SHADOW_RULE = "Shadow copies deleted"
COMMAND = "vssadmin.exe Delete Shadows /All /Quiet"
IMAGE = "C:\\Windows\\System32\\vssadmin.exe"
CHANNEL = "Microsoft-Windows-Sysmon/Operational"
TIME = "2026-12-23T21:47:00.000Z"


def attack(**more):
    """Sysmon's process creation of SHADOW_RULE, flat."""
    return {"EventTime": TIME, "Channel": CHANNEL, "EventID": 1, "Computer": "FIL01",
            "Image": IMAGE, "CommandLine": COMMAND, **more}


def calm(number):
    return {"EventTime": TIME, "Channel": CHANNEL, "EventID": 1, "Computer": "FIL01",
            "Image": "C:\\Windows\\notepad.exe", "CommandLine": f"notepad.exe {number}"}


def line(event):
    return json.dumps(event).encode() + b"\n"


# ---- EVTX ------------------------------------------------------------------------------------
# Plain binary XML without templates: what the format allows, and what every reader must read. The
# layout is described in src/normalise/evtx.c and binxml.c.

HEADER, CHUNK, RECORDS = 4096, 65536, 512


class Xml:
    """Binary XML that begins at a byte of its chunk: names are given by their place in it."""

    def __init__(self, at):
        self.at = at
        self.data = bytearray(b"\x0f\x01\x01\x00")

    def put(self, layout, *values):
        self.data += struct.pack("<" + layout, *values)

    def name(self, name):
        self.put("IIHH", self.at + len(self.data) + 4, 0, 0, len(name))
        self.data += name.encode("utf-16-le") + b"\0\0"

    def text(self, text):
        units = text.encode("utf-16-le", "surrogatepass")
        self.put("BBH", 5, 1, len(units) // 2)
        self.data += units

    def element(self, name, content, **attributes):
        """content: text, or a function that writes the children; None: an empty element."""
        self.put("BHI", 0x41 if attributes else 0x01, 0xffff, 0)
        self.name(name)
        if attributes:
            self.put("I", 0)
        for i, (key, value) in enumerate(attributes.items()):
            self.put("B", 0x06 if i == len(attributes) - 1 else 0x46)
            self.name(key)
            self.text(value)
        if content is None:
            self.put("B", 3)
            return
        self.put("B", 2)
        if callable(content):
            content()
        else:
            self.text(content)
        self.put("B", 4)


def evtx_xml(event, number, at):
    xml = Xml(at)

    def system():
        xml.element("Provider", None, Name="Microsoft-Windows-Sysmon")
        xml.element("EventID", str(event["EventID"]))
        xml.element("TimeCreated", None, SystemTime=event["EventTime"])
        xml.element("EventRecordID", str(number))
        xml.element("Channel", event["Channel"])
        xml.element("Computer", event["Computer"])

    def data():
        for key, value in event.items():
            if key not in ("EventID", "EventTime", "Channel", "Computer"):
                xml.element("Data", str(value), Name=key)

    def both():
        xml.element("System", system)
        xml.element("EventData", data)

    xml.element("Event", both)
    xml.put("B", 0)
    return bytes(xml.data)


def evtx_chunk(records, first):
    """records: binary XML as a function of its place, one for each number from `first`."""
    body = bytearray()
    last_at = RECORDS
    for number, make in enumerate(records, first):
        last_at = RECORDS + len(body)
        xml = make(last_at + 24)
        size = len(xml) + 28
        body += struct.pack("<IIQQ", 0x2a2a, size, number, 133_000_000_000_000_000) + xml
        body += struct.pack("<I", size)
    last = first + len(records) - 1
    assert len(body) <= CHUNK - RECORDS
    head = bytearray(RECORDS)
    struct.pack_into("<8sQQQQIIII", head, 0, b"ElfChnk\0", first, last, first, last, 128, last_at,
                     RECORDS + len(body), zlib.crc32(body))
    struct.pack_into("<I", head, 124, zlib.crc32(bytes(head[:120] + head[128:])))
    return bytes(head + body).ljust(CHUNK, b"\0")


def evtx(events, per_chunk=8):
    """An EVTX file of events as attack() makes them."""
    chunks = []
    for begin in range(0, len(events), per_chunk):
        part = events[begin:begin + per_chunk]
        makers = [lambda at, e=e, n=begin + i + 1: evtx_xml(e, n, at) for i, e in enumerate(part)]
        chunks.append(evtx_chunk(makers, begin + 1))
    head = bytearray(HEADER)
    struct.pack_into("<8sQQQIHHHH", head, 0, b"ElfFile\0", 0, max(len(chunks) - 1, 0),
                     len(events) + 1, 128, 1, 3, HEADER, len(chunks))
    struct.pack_into("<I", head, 124, zlib.crc32(bytes(head[:120])))
    return bytes(head) + b"".join(chunks)


def corpus():
    """The folder of third-party data, or None."""
    said = os.environ.get("VAKA_CORPUS")
    return pathlib.Path(said) if said and os.path.isdir(said) else None


def names_file(message, name):
    """Whether a message "NAME: why" or "NAME!member: why" is about a file of that name."""
    return re.search(r"(^|/)" + re.escape(name) + r"(!|: )", message) is not None
