# SPDX-License-Identifier: EUPL-1.2
"""Senders that wait for acks, each record with a name of its own, and what became of the records.

A sender sends again what was not acknowledged, as shippers do, so that a record may come as
often as it was sent, and has to be stored at least once when it was acknowledged.
"""
import json
import re
import struct
import subprocess
import threading
import time

NAME = re.compile(rb"VAKAMARK ([a-z]+[0-9]+-[0-9]+)\.")


def text(name):
    return f"VAKAMARK {name}."


class Sender(threading.Thread):
    """One connection at a time; `acked` only grows."""
    kind = None

    def __init__(self, serve, number, size=8, pause=0.02):
        super().__init__(daemon=True)
        self.serve, self.label, self.size, self.pause = serve, f"{self.kind}{number}", size, pause
        self.acked = []
        self.sent = {}  # name → how often
        self.end = threading.Event()
        self.next = 0

    def names(self):
        """The next ones; what is counted here goes out at once."""
        return [f"{self.label}-{self.next + i}" for i in range(self.size)]

    def count(self, names):
        for name in names:
            self.sent[name] = self.sent.get(name, 0) + 1

    def ack(self, names):
        self.acked += names
        self.next += len(names)

    def run(self):
        while not self.end.is_set():
            try:
                self.session()
            except (OSError, ValueError):
                time.sleep(0.02)

    def stop(self):
        self.end.set()
        self.join()

    def session(self):
        """Sends until the end or until an error."""
        raise NotImplementedError


class Http(Sender):
    kind = "h"

    def session(self):
        while not self.end.is_set():
            names = self.names()
            body = b"".join(json.dumps({"User": n, "message": text(n)}).encode() + b"\n"
                            for n in names)
            self.count(names)
            status, _ = self.serve.post("/api/ingest", body)
            if status != 200:
                raise ValueError(status)
            self.ack(names)
            time.sleep(self.pause)


def read_line(stream):
    line = stream.readline()
    if not line:
        raise ConnectionError("closed")
    return line


class Relp(Sender):
    kind = "r"

    def session(self):
        with self.serve.tcp("relp") as s, s.makefile("rb") as answers:
            s.sendall(b"1 open 0\n")
            head = read_line(answers).split(b" ", 3)
            # The length counts from behind its blank; the line end of the frame comes after it.
            answers.read(int(head[2]) - len(head[3]) + 1)
            number = 1
            while not self.end.is_set():
                names = self.names()
                self.count(names)
                frames = b""
                for i, name in enumerate(names, number + 1):
                    data = f"<13>Nov 26 03:00:00 h-{name} app: {text(name)}".encode()
                    frames += b"%d syslog %d %s\n" % (i, len(data), data)
                s.sendall(frames)
                for name in names:
                    number += 1
                    if not read_line(answers).startswith(b"%d rsp 6 200 OK" % number):
                        raise ValueError("not taken")
                    self.ack([name])
                time.sleep(self.pause)


class Lumberjack(Sender):
    kind = "l"

    def session(self):
        with self.serve.tcp("lumberjack") as s, s.makefile("rb") as answers:
            while not self.end.is_set():
                names = self.names()
                self.count(names)
                window = b"2W" + struct.pack(">I", len(names))
                for i, name in enumerate(names, 1):
                    body = json.dumps({"User": name, "message": text(name)}).encode()
                    window += b"2J" + struct.pack(">II", i, len(body)) + body
                s.sendall(window)
                done = 0
                while done < len(names):
                    answer = answers.read(6)
                    if len(answer) < 6:
                        raise ConnectionError("closed")
                    # 0: it is alive.
                    upto = max(done, struct.unpack(">I", answer[2:])[0])
                    self.ack(names[done:upto])
                    done = upto
                time.sleep(self.pause)


class Senders:
    """Two of each kind; `acked()` is what was acknowledged so far."""

    def __init__(self, serve, each=2, **options):
        kinds = (Http, Relp, Lumberjack)
        self.all = [kind(serve, number, **options) for kind in kinds for number in range(each)]

    def start(self):
        for sender in self.all:
            sender.start()
        return self

    def acked(self):
        # The list of a running sender only grows: a copy of it was true.
        return {name for sender in self.all for name in list(sender.acked)}

    def sent(self, name):
        label = name.split("-")[0]
        return next(s.sent.get(name, 0) for s in self.all if s.label == label)

    def stop(self):
        for sender in self.all:
            sender.end.set()
        for sender in self.all:
            sender.join()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def lines_of_store(serve):
    """(sequence number, all else that is known of the record) of what lies in the folder; None: it cannot
    be read."""
    folder = serve.folder / "var" / "store" / "0"
    done = subprocess.run([serve.vaka, "store", "cat", "-f", "json", folder], capture_output=True,
                          timeout=300, check=False)
    if done.returncode != 0:
        return None
    parts = (line[len(b'{"seq":'):].split(b",", 1) for line in done.stdout.splitlines())
    return [(int(number), rest) for number, rest in parts]


def stored(serve):
    """(names → how often each came, sequence numbers) of what lies in the folder; None: it cannot be
    read. A record that is stored twice with all that is known of it came once: the store was killed
    behind the commit, and was given the batch again."""
    lines = lines_of_store(serve)
    if lines is None:
        return None
    came = {}
    for _, rest in lines:
        for name in set(NAME.findall(rest)):
            came.setdefault(name.decode(), set()).add(rest)
    return {name: len(many) for name, many in came.items()}, [number for number, _ in lines]


def marked(serve):
    """How many of the stored records a rule holds for."""
    return sum(NAME.search(rest) is not None for _, rest in lines_of_store(serve))


class Alerts:
    """Alerts so far: each is read once."""

    def __init__(self, serve):
        self.serve, self.last = serve, 0
        self.names, self.records = set(), 0

    def read(self):
        lines = self.serve.ask("alerts", "-f", "json", "--after", str(self.last)).splitlines()
        for line in lines:
            alert = json.loads(line)
            self.last = max(self.last, alert["id"])
            if alert["rule"]["id"].startswith("vaka."):
                continue  # about a process, not about a record
            self.records += alert["count"]
            self.names.update(n.decode() for n in NAME.findall(line.encode()))
        return self.names
