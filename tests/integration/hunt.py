#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What a user of `vaka hunt` and `vaka rules` sees: hunt.py VAKA"""
import csv
import fcntl
import gzip
import io
import json
import lzma
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios
import time
import zipfile

import common
from common import COMMAND, SHADOW_RULE, attack, calm, hunt, less, line, run

RULE_ID = "11111111-1111-4111-8111-111111111111"
KEYWORD_RULE = f"""title: Needle
id: {RULE_ID}
level: high
tags:
  - attack.execution
  - attack.t1059
logsource:
  product: any
detection:
  words:
    - needle7
  condition: words
"""


class Bench:
    """The program, a folder to write into, and the numbering of tests."""

    def __init__(self, vaka, folder):
        self.vaka = vaka
        self.folder = folder
        self.tap = common.Tap()
        self.rule = self.file("needle.yml", KEYWORD_RULE.encode())

    def file(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def seek(self, *arguments, **more):
        return hunt(self.vaka, "--any-logsource", *arguments, rules=self.rule, **more)


# ---- forms -----------------------------------------------------------------------------------

def json_lines(events):
    return b"".join(line(e) for e in events)


def winlogbeat(word, number):
    return {"@timestamp": common.TIME, "winlog": {"channel": "Security", "event_id": 4688, "record_id": number,
                                                  "event_data": {"CommandLine": word}}}


def evtx_dump(word, number):
    return {"Event": {"#attributes": {"xmlns": "x"},
                      "System": {"EventID": {"#text": 1}, "EventRecordID": number, "Channel": "Security",
                                 "TimeCreated": {"#attributes": {"SystemTime": common.TIME}}},
                      "EventData": {"CommandLine": word}}}


def nxlog(word, number):
    return {"EventTime": "2026-12-23 21:47:00", "Hostname": "a", "RecordNumber": number, "CommandLine": word}


def cloudtrail(words):
    return json.dumps({"Records": [{"eventVersion": "1.08", "eventTime": common.TIME, "eventName": w}
                                   for w in words]}).encode()


def zeek_tsv(words):
    head = ("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
            "#fields\tts\tuid\tquery\n#types\ttime\tstring\tstring\n")
    return (head + "".join(f"1798059692.5\tC{i}\t{w}\n" for i, w in enumerate(words))).encode()


def auditd(words):
    return "".join(f'type=USER_CMD msg=audit(1798059692.100:{i}): pid=1 uid=0 msg=\'cmd="{w}"\'\n'
                   for i, w in enumerate(words)).encode()


def evtx(words):
    return common.evtx([attack(CommandLine=w) for w in words])


FORMS = {
    "ndjson": lambda ws: json_lines({"a": w} for w in ws),
    "array": lambda ws: json.dumps([{"a": w} for w in ws]).encode(),
    "pretty": lambda ws: "\n".join(json.dumps({"a": {"b": w}}, indent=4) for w in ws).encode(),
    "winlogbeat": lambda ws: json_lines(winlogbeat(w, i) for i, w in enumerate(ws, 1)),
    "evtx_dump": lambda ws: json_lines(evtx_dump(w, i) for i, w in enumerate(ws, 1)),
    "nxlog": lambda ws: json_lines(nxlog(w, i) for i, w in enumerate(ws, 1)),
    "cloudtrail": cloudtrail,
    "eve": lambda ws: json_lines({"timestamp": "2026-12-23T21:47:00.123456+0000", "event_type": "dns",
                                  "dns": {"rrname": w}} for w in ws),
    "zeek_tsv": zeek_tsv,
    "zeek_json": lambda ws: json_lines({"ts": 1798059692.5, "_path": "dns", "query": w} for w in ws),
    "syslog3164": lambda ws: "".join(f"<13>Dec 23 21:47:00 host app[7]: {w} end\n" for w in ws).encode(),
    "syslog5424": lambda ws: "".join(f"<13>1 2026-12-23T21:47:00Z host app 7 - - {w} end\n" for w in ws).encode(),
    "auditd": auditd,
    "csv": lambda ws: ("time,host,text\n" + "".join(f'2026-12-23T21:47:00Z,h,"a ""{w}"", b"\n' for w in ws)).encode(),
    "evtx": evtx,
}
WORDS = ["needle7", "straw", "hay", "NEEDLE7 too", "hay"]
WANT = [1, 4]


def zip_of(*members):
    space = io.BytesIO()
    with zipfile.ZipFile(space, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members:
            z.writestr(name, data)
    return space.getvalue()


def tar_of(*members):
    space = io.BytesIO()
    with tarfile.open(fileobj=space, mode="w") as t:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return space.getvalue()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


# How a log may be wrapped, and what its place is called.
WRAPPINGS = {
    "plain": (lambda d: d, ""),
    "gzip": (gzip.compress, ""),
    "zstd": (zstd, ""),
    "xz": (lzma.compress, ""),
    "zip": (lambda d: zip_of(("m", d)), "!m"),
    "tar": (lambda d: tar_of(("m", d)), "!m"),
    "tar.gz": (lambda d: gzip.compress(tar_of(("m", d))), "!m"),
    "tar in zip": (lambda d: zip_of(("t", tar_of(("m", d)))), "!t!m"),
    "gzip in tar": (lambda d: tar_of(("g", gzip.compress(d))), "!g"),
}


def test_forms(b):
    """Every form in every wrapping, all in one folder."""
    want = {}
    for form, make in FORMS.items():
        data = make(WORDS)
        for wrapping, (wrap, suffix) in WRAPPINGS.items():
            path = b.file(f"forms/{form} {wrapping}", wrap(data))
            want[f"{path}{suffix}"] = WANT
    result = b.seek(b.folder / "forms")
    got = {}
    for alert in result.alerts():
        got.setdefault(alert["source"]["file"], []).append(alert["source"]["record"])
    for form in FORMS:
        mine = {k: v for k, v in want.items() if f"/forms/{form} " in k}
        b.tap.equal({k: v for k, v in got.items() if f"/forms/{form} " in k}, mine,
                    f"{form}: plain and in {len(mine) - 1} wrappings")
    b.tap.ok(result.status == 0 and result.stats["events"] == len(want) * len(WORDS), "every event is counted", result)
    piped = {}
    for form, make in FORMS.items():
        for wrapping in ("plain", "gzip", "zip", "tar.gz"):
            wrap, suffix = WRAPPINGS[wrapping]
            piped[form + wrapping] = [(a["source"]["file"], a["source"]["record"])
                                      for a in b.seek("-", data=wrap(make(WORDS))).alerts()]
            if piped[form + wrapping] == [("-" + suffix, n) for n in WANT]:
                del piped[form + wrapping]
    b.tap.equal(piped, {}, "every form from standard input, plain and wrapped")
    deep = zip_of(("z", zip_of(("y", zip_of(("x", FORMS["ndjson"](WORDS)))), ("n", FORMS["ndjson"](WORDS)))))
    result = b.seek(b.file("deep.zip", deep))
    b.tap.ok(result.status == 1 and "deep.zip!z!y: archives are nested too deeply" in result.err and
             len(result.alerts()) == 2, "what is nested twice is named, the rest is read", result)


# ---- paths -----------------------------------------------------------------------------------

def test_paths(b):
    log = FORMS["ndjson"](WORDS)
    for name in ("tree/b", "tree/a/z", "tree/a/b/c", "tree/C"):
        b.file(name, log)
    tree = b.folder / "tree"
    (tree / "link").symlink_to(tree / "b")
    result = b.seek(tree)
    b.tap.equal([a["source"]["file"][len(str(tree)) + 1:] for a in result.alerts()][::2], ["C", "a/b/c", "a/z", "b"],
                "folders are read recursively and in order; links in them are passed over")
    b.tap.ok(result.status == 0 and not result.named(), "nothing is said about them", result)
    result = b.seek(tree / "link")
    b.tap.equal(len(result.alerts()), 2, "a link that is named is followed")
    result = b.seek(b.folder / "nowhere", tree / "b")
    b.tap.ok(result.status == 1 and len(result.alerts()) == 2 and
             f"{b.folder}/nowhere: No such file or directory" in result.err, "a missing file is named", result)
    result = b.seek("/proc/self/mem", tree / "b")
    b.tap.ok(result.status == 1 and len(result.alerts()) == 2 and
             "/proc/self/mem: Input/output error" in result.err, "a file that cannot be read is named", result)
    if os.getuid() == 0:
        b.tap.skip("a file without permission is named", "root may read every file")
    else:
        closed = b.file("closed", log)
        closed.chmod(0)
        result = b.seek(closed, tree / "b")
        b.tap.ok(result.status == 1 and len(result.alerts()) == 2 and f"{closed}: Permission denied" in result.err,
                 "a file without permission is named", result)
    result = b.seek(b.file("empty", b""), tree / "b")
    b.tap.ok(result.status == 0 and len(result.alerts()) == 2, "an empty file is read", result)
    result = b.seek(b.file("noise", bytes(range(256)) * 40), tree / "b")
    b.tap.ok(result.status == 1 and len(result.alerts()) == 2 and "noise: not a log format I know" in result.err,
             "a file of no known format is named", result)
    for name, data in (("beside/README.md", b"# Night shift\n\nwe saw needle7 here\n"),
                       ("beside/log.json", json_lines([{"Channel": "Security", "EventID": 1, "Computer": "a"}])),
                       ("beside/mine.json", json_lines([{"shop": 1}, {"shop": 2}]))):
        b.file(name, data)
    beside = b.folder / "beside"
    result = hunt(b.vaka, beside, rules=b.rule)
    b.tap.equal([(a["event"], a["source"]) for a in result.alerts()],
                [({"message": "we saw needle7 here"}, {"file": str(beside / "README.md"), "record": 2})],
                "text of no known format is read line by line")
    b.tap.equal((result.status, result.stats["events"], result.stats["unknown_source"]), (0, 5, 4),
                "what no log source claims is counted: two lines of text, two of unknown JSON")
    result = b.seek(tree / "b", "-", tree / "C", data=log)
    b.tap.equal([a["source"]["file"][-2:] for a in result.alerts()], ["/b", "/b", "-", "-", "/C", "/C"],
                "the order is that of the command line")
    fifo = b.folder / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["/bin/sh", "-c", 'cat "$0" > "$1"', tree / "b", fifo]):
        result = b.seek(fifo)
    b.tap.equal([a["source"]["file"] for a in result.alerts()], [str(fifo)] * 2, "a pipe with a name is read")
    with open(tree / "b", "rb") as whole:
        whole.seek(len(line({"a": WORDS[0]})))
        out = subprocess.run([b.vaka, "hunt", "-f", "json", "-r", b.rule, "--any-logsource", "-"], stdin=whole,
                             capture_output=True, check=False).stdout
    b.tap.equal([json.loads(x)["source"]["record"] for x in out.splitlines()], [3],
                "a redirected file is read from where it stands")


# ---- options and statuses --------------------------------------------------------------------

def levels_rules():
    levels = ("informational", "low", "medium", "high", "critical")
    return "---\n".join(f"title: {level}\nlevel: {level}\nlogsource: {{product: any}}\ndetection:\n"
                        f"  a:\n    a|contains: {level}\n  condition: a\n" for level in levels).encode()


def test_options(b):
    rules = b.file("levels.yml", levels_rules())
    log = b.file("levels.json", json_lines({"a": f"low {x}", "time": f"2026-12-2{i}T12:00:00Z"}
                                           for i, x in enumerate(("x", "medium", "high"), 1)))

    def levels(*arguments):
        result = hunt(b.vaka, "--any-logsource", *arguments, log, rules=rules)
        return result.status, sorted(a["rule"]["level"] for a in result.alerts())

    b.tap.equal(levels(), (0, ["high", "low", "low", "low", "medium"]), "all levels")
    b.tap.equal(levels("-l", "medium"), (0, ["high", "medium"]), "-l medium")
    b.tap.equal(levels("--level=critical"), (0, []), "--level=critical")
    b.tap.equal(levels("--fail-on", "high")[0], 3, "--fail-on high: status 3")
    b.tap.equal(levels("--fail-on", "critical")[0], 0, "--fail-on critical: status 0")
    b.tap.equal(levels("-l", "high", "--fail-on", "low"), (3, ["high"]), "-l and --fail-on together")
    b.tap.equal(levels("--from", "2026-12-22")[1], ["high", "low", "low", "medium"], "--from a day")
    b.tap.equal(levels("--to", "2026-12-22")[1], ["low", "low", "medium"], "--to a day: to its end")
    b.tap.equal(levels("--from", "2026-12-22T12:00:00Z", "--to", "2026-12-22T13:00:00+01:00")[1], ["low", "medium"],
                "--from and --to are points in time, both included")
    for arguments, says in ((["-l", "lots"], "lots"), (["-f", "xml"], "xml"), (["-j", "0"], "-j"),
                            (["--from", "soon"], "soon"), (["--nope"], "--nope"), (["-r"], "-r")):
        result = run(b.vaka, "hunt", log, *arguments)
        b.tap.ok(result.status == 2 and says in result.err and not result.out, f"{' '.join(arguments)}: status 2", result)
    for arguments in (["hunt"], ["hint"], [], ["rules"], ["rules", "chek"]):
        result = run(b.vaka, *arguments)
        b.tap.ok(result.status == 2 and result.err, f"'vaka {' '.join(arguments)}': status 2", result)
    b.tap.ok("did you mean `hunt`" in run(b.vaka, "hint").err, "a near command is suggested")
    result = run(b.vaka, "hunt", "-r", b.folder / "nowhere", log)
    b.tap.ok(result.status == 2 and "nowhere" in result.err, "rules that are missing: status 2", result)
    result = run(b.vaka, "hunt", "-r", b.file("norules/readme.txt", b"x").parent, log)
    b.tap.ok(result.status == 2 and "there is no rule to hunt with" in result.err and not result.out,
             "a folder without rules: status 2", result)
    for command in (["--help"], ["rules", "list"], ["hunt", "--help"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([b.vaka, *command], stdout=full, stderr=subprocess.PIPE, check=False)
        b.tap.ok(done.returncode == 1 and b"standard output: No space left" in done.stderr,
                 f"{' '.join(command)} to a full standard output", done)
    out = b.folder / "out.json"
    result = b.seek("-o", out, b.file("o.json", FORMS["ndjson"](WORDS)))
    b.tap.ok(result.status == 0 and not result.out and len(out.read_bytes().splitlines()) == 2, "-o FILE", result)
    result = b.seek("-o", "/dev/full", b.folder / "o.json")
    b.tap.ok(result.status == 1 and "/dev/full: No space left on device" in result.err, "-o on a full disk", result)
    result = b.seek("-o", b.folder / "no" / "folder", b.folder / "o.json")
    b.tap.ok(result.status == 1 and "No such file or directory" in result.err, "-o in no folder", result)
    for kind in ("table", "csv", "json"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([b.vaka, "hunt", "-f", kind, "-r", b.rule, "--any-logsource", b.folder / "o.json"],
                                  stdout=full, stderr=subprocess.PIPE, check=False)
        b.tap.ok(done.returncode == 1 and b"standard output: No space left" in done.stderr,
                 f"{kind} to a full standard output", done)


# ---- what is printed -------------------------------------------------------------------------

RULE_KEYS = {"id": (str, type(None)), "title": str, "level": (str, type(None)), "tags": list,
             "techniques": list, "file": str}
ALERT_KEYS = {"time": (str, type(None)), "rule": dict, "host": (str, type(None)), "entities": dict, "source": dict,
              "matched": list, "event": dict}
CORRELATION_KEYS = {"type": str, "count": (int, float), "group": dict, "first": str, "last": str}
STATS_KEYS = ("events", "bytes", "seconds", "alerts", "rules_loaded", "rules_refused", "unreadable", "rss_mb")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def mismatches(value, keys):
    """Keys that are missing or of another type. More keys are allowed."""
    return [k for k, kind in keys.items() if k not in value or not isinstance(value[k], kind)]


def check_alert(alert):
    if "correlation" in alert:
        keys = {k: v for k, v in ALERT_KEYS.items() if k not in ("entities", "source", "event", "matched")}
        wrong = mismatches(alert, keys) + mismatches(alert["correlation"], CORRELATION_KEYS)
    else:
        wrong = mismatches(alert, ALERT_KEYS) + mismatches(alert["source"], {"file": str, "record": int})
        for matched in alert["matched"]:
            wrong += mismatches(matched, {"field": str, "value": str, "pattern": str})
    wrong += mismatches(alert["rule"], RULE_KEYS)
    if alert["time"] is not None and not RFC3339.fullmatch(alert["time"]):
        wrong.append("time")
    return wrong


def vpn_event(minute, action):
    return {"devid": "FG1", "logid": "0101039426", "type": "event", "subtype": "vpn", "action": action,
            "user": "anna.berg", "remip": "203.0.113.9", "@timestamp": f"2026-12-23T21:{minute}:00Z"}


def test_json(b):
    vpn = b.file("vpn.json", json_lines(vpn_event(m, "ssl-login-fail") for m in range(30, 35)) +
                 line(vpn_event(35, "tunnel-up")))
    result = hunt(b.vaka, common.ROOT / "samples", vpn)
    alerts = result.alerts()
    b.tap.ok(len(alerts) > 20 and any("correlation" in a for a in alerts), "the recorded night gives alerts", result)
    b.tap.equal([(a["rule"]["title"], w) for a in alerts for w in [check_alert(a)] if w], [],
                "every alert has the keys that docs/alerts.md promises")
    b.tap.equal([k for k in STATS_KEYS if not isinstance(result.stats.get(k), (int, float))], [], "--stats has its keys")
    b.tap.equal(list(result.stats)[:8], list(STATS_KEYS), "--stats begins with them")
    b.tap.equal((result.stats["alerts"], result.stats["unreadable"]), (len(alerts), 0), "--stats counts alerts")
    event = {"a": "x needle7", "é": "å", "list": [1, {"k": None}], "n": 1.50, "t": True}
    alert = b.seek(b.file("one.json", line(event))).alerts()[0]
    b.tap.equal(alert["event"], event, "the event is whole")
    b.tap.equal(alert["matched"], [{"field": "a", "value": "x needle7", "pattern": "needle7"}], "matched")
    b.tap.equal((alert["time"], alert["host"], alert["source"]), (None, None,
                {"file": str(b.folder / "one.json"), "record": 1}), "time, host, source")
    b.tap.equal(alert["rule"], {"id": RULE_ID, "title": "Needle", "level": "high",
                                "tags": ["attack.execution", "attack.t1059"],
                                "techniques": ["T1059"], "file": str(b.rule)}, "rule")
    large = {"a": "needle7", "b": "x" * 3_000_000}
    b.tap.equal(b.seek(b.file("large.json", line(large))).alerts()[0]["event"], large, "a large event is whole")


def test_csv(b):
    log = b.file("formula.json", json_lines([{"a": '=cmd|"needle7"', "Computer": "+h"}, {"a": "needle7,\n2"}]))
    result = b.seek("-f", "csv", log)
    rows = list(csv.DictReader(io.StringIO(result.out.decode())))
    b.tap.equal(list(rows[0]), ["time", "level", "computer", "rule", "rule_id", "tags", "file", "record", "matched"],
                "csv: the header")
    b.tap.equal([(r["rule"], r["rule_id"], r["tags"], r["file"], r["record"]) for r in rows],
                [("Needle", RULE_ID, "attack.execution attack.t1059", str(log), str(n)) for n in (1, 2)], "csv: rows")
    b.tap.ok(not [c for r in rows for c in r.values() if c[:1] in ("=", "+", "-", "@")], "csv: no cell is a formula", rows)


def test_table(b):
    events = [attack(EventTime=f"2026-12-23T21:{m}:00Z", Computer=f"H{m}\x1b[2J\u202e") for m in (50, 40, 45)]
    result = hunt(b.vaka, "-f", "table", "--utc", b.file("table.json", json_lines(events)))
    text = result.out.decode()
    rows = [x for x in text.splitlines() if x.startswith("2026-12-23 21:")]
    b.tap.equal([r[14:16] for r in rows], ["40", "45", "50"], "table: in order of time")
    b.tap.ok("\x1b" not in text and "\u202e" not in text, "table: nothing commands the terminal", text)
    b.tap.ok("critical" in text and SHADOW_RULE[:20] in text and "Times are UTC" in text, "table: summaries", text)
    local = hunt(b.vaka, "-f", "table", b.folder / "table.json", env={"TZ": "XST-2"}).out.decode()
    b.tap.ok("2026-12-23 23:50:00" in local, "table: local time without --utc", local)
    b.tap.ok("No alerts in 1 event." in run(b.vaka, "hunt", b.file("calm.json", line(calm(1)))).out.decode(),
             "table: says when there is nothing")


def test_jobs(b):
    lines = less(12000, 5000)
    rows = [attack(n=i) if i % 500 == 0 else calm(i) for i in range(less(150000, 60000))]
    b.file("jobs/big.ndjson", json_lines(rows) + b'{"cut off": \n')
    for i in range(40):
        b.file(f"jobs/small{i:02}", json_lines([attack(n=i), calm(i)]) + b"{]\n" * (i % 3))
    b.file("jobs/syslog", b"".join(b"<86>Dec 23 21:47:00 h sshd[%d]: Accepted password for root from 1.2.3.4 port 1 "
                                   b"ssh2 %s\n" % (i, b"x" * 2000) for i in range(lines)))
    runs = [hunt(b.vaka, "-j", str(jobs), b.folder / "jobs", common.ROOT / "samples") for jobs in (1, 2, 7, 2)]
    b.tap.ok(len(runs[0].alerts()) > lines, "many alerts of files that are cut into ranges", runs[0])
    first = runs[0]
    for other, name in zip(runs[1:], ("-j 2", "-j 7", "a second run")):
        b.tap.ok(other.out == first.out, f"{name}: the same output", "differs")
        told = [[m for m in r.named() if "events" not in m] for r in (first, other)]
        b.tap.ok(told[0] == told[1], f"{name}: the same messages", told)
        for key in ("events", "alerts", "unreadable", "bad_records", "sources"):
            b.tap.equal(other.stats[key], first.stats[key], f"{name}: the same {key}")


# ---- ends ------------------------------------------------------------------------------------

class Live:
    """A hunt that waits: in a good file, a pipe we hold open, and a good file."""

    def __init__(self, b, *arguments):
        self.pipe = b.folder / "live"
        if not self.pipe.exists():
            os.mkfifo(self.pipe)
        good = b.file("live.json", FORMS["ndjson"](WORDS))
        self.process = subprocess.Popen(
            [b.vaka, "hunt", "--stats", "-j", "1", "--any-logsource", "-r", b.rule, *arguments, good, self.pipe, good],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.writer = open(self.pipe, "wb", buffering=0)
        # What a stream holds is seen from its first 4 KiB.
        self.writer.write(line({"a": "hay"}) * 400)

    def children(self):
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def unread(self):
        return struct.unpack("i", fcntl.ioctl(self.writer, termios.FIONREAD, b"\0" * 4))[0]

    def lines(self, n):
        return [self.process.stdout.readline() for _ in range(n)]

    def finish(self, before=b""):
        self.writer.close()
        out, err = self.process.communicate(timeout=60)
        return common.Run(self.process.returncode, before + out, err)


def test_killed(b):
    """A decoder that dies in the middle of a file costs the rest of that file."""
    live = Live(b, "-f", "json")
    live.writer.write(line({"a": "needle7", "live": 1}))
    before = live.lines(3)  # two of the first file, one of the pipe: the decoder is in it
    victims = live.children()
    b.tap.equal(len(victims), 1, "-j 1 has one decoder")
    os.kill(victims[0], signal.SIGKILL)
    result = live.finish(b"".join(before))
    b.tap.ok(f"{live.pipe}: decoder crashed with signal 9 (Killed)" in result.err, "the file is named", result)
    b.tap.equal((result.status, result.stats["crashes"], result.stats["unreadable"]), (1, 1, 1), "status 1, one crash")
    b.tap.equal([a["source"]["file"] for a in result.alerts()],
                [str(b.folder / "live.json")] * 2 + [str(live.pipe)] + [str(b.folder / "live.json")] * 2,
                "everything else is found")


def gone(pids):
    """Whether the processes end; the kernel may need a moment after their parent's end."""
    for _ in range(1000):
        if not any(os.path.exists(f"/proc/{pid}") for pid in pids):
            return True
        time.sleep(0.01)
    return False


def test_interrupted(b):
    for number in (signal.SIGINT, signal.SIGTERM):
        live = Live(b, "-f", "json")
        live.writer.write(line({"a": "needle7"}))
        before = live.lines(3)
        children = live.children()
        live.process.send_signal(number)
        result = live.finish(b"".join(before))
        b.tap.ok(result.status == 130 and len(result.alerts()) == 3 and result.stats["alerts"] == 3 and
                 not result.named(), f"{number.name}: status 130, what was found stays", result)
        b.tap.ok(gone(children), f"{number.name}: no decoder stays behind")
    live = Live(b, "-f", "json", "-o", b.folder / "cut.json")
    live.writer.write(line({"a": "needle7"}))
    out = b.folder / "cut.json"
    while len(out.read_bytes().splitlines()) < 3:
        time.sleep(0.01)
    live.process.send_signal(signal.SIGINT)
    b.tap.equal((live.finish().status, len(out.read_bytes().splitlines())), (130, 3), "SIGINT: -o keeps what was found")
    # A table is known at the end only: the summary is of what was read until then.
    live = Live(b, "-f", "table")
    live.writer.write(line({"a": "needle7"}) + line({"a": "hay"}))
    while live.unread():  # the decoder has come to the pipe: the first file is done
        time.sleep(0.01)
    live.process.send_signal(signal.SIGINT)
    result = live.finish()
    b.tap.ok(result.status == 130 and result.out.count(b"Needle") >= 2, "SIGINT: the table tells what was found", result)


def test_broken_pipe(b):
    big = b.file("pipe.ndjson", json_lines(attack(n=i) for i in range(less(60000))))
    with subprocess.Popen([b.vaka, "hunt", "-f", "json", big], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        first = p.stdout.readline()
        pid = p.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        p.stdout.close()
        error = p.stderr.read()
        p.wait(60)
    b.tap.ok(json.loads(first)["rule"]["title"] == SHADOW_RULE and p.returncode == -signal.SIGPIPE and not error,
             "| head -1 ends the hunt quietly", (p.returncode, error))
    b.tap.ok(gone(children), "| head -1: no decoder stays behind")


# ---- vaka rules ------------------------------------------------------------------------------

def test_rules_check(b):
    rule = ("title: Bad\nlogsource:\n  product: windows\ndetection:\n  sel:\n    Image|endswith: '\\x.exe'\n"
            "    CommandLine|nosuch: y\n  condition: sel and other\n")
    bad = b.file("check/bad.yml", rule.replace(" and other", "").encode())
    b.file("check/good.yml", KEYWORD_RULE.encode())
    result = run(b.vaka, "rules", "check", b.folder / "check")
    text = result.out.decode()
    b.tap.ok(result.status == 1 and f"{bad}:7:5: refused: " in text and "nosuch" in text and "(Bad)" in text,
             "rules check: file:line:column, reason and title", result)
    b.tap.ok("1 loaded" in text and "1 refused" in text, "rules check: the counts", text)
    bad.write_text(rule.replace("|nosuch", ""))
    text = run(b.vaka, "rules", "check", bad).out.decode()
    b.tap.ok(f"{bad}:8:22: refused: " in text and "other" in text, "rules check: a place inside the condition", text)
    bad.write_text(rule.replace("title: Bad", "title: [Bad"))
    text = run(b.vaka, "rules", "check", bad).out.decode()
    b.tap.ok(re.search(re.escape(str(bad)) + r":\d+:\d+: refused: ", text), "rules check: a place in broken YAML", text)
    b.tap.equal(run(b.vaka, "rules", "check", common.RULES).status, 0, "rules check: Vaka's own are loaded")
    b.tap.equal(run(b.vaka, "rules", "check", b.folder / "nowhere").status, 2, "rules check: a missing path is status 2")
    bad.write_text(rule)
    result = b.seek("-r", bad, b.file("r.json", FORMS["ndjson"](WORDS)))
    b.tap.ok("1 of 2 rules were refused" in result.err and "vaka rules check" in result.err and len(result.alerts()) == 2,
             "hunt: tells that a rule was refused and goes on", result)


def test_rules_list(b):
    result = run(b.vaka, "rules", "list", "-f", "json", common.RULES)
    rules = result.alerts()
    keys = {"kind": str, "title": str, "can_fire": bool, "file": str}
    b.tap.ok(result.status == 0 and len(rules) > 30 and not any(mismatches(r, keys) for r in rules), "rules list -f json",
             result)
    odd = b.file("odd.yml", KEYWORD_RULE.encode())
    text = run(b.vaka, "rules", "list", odd).out.decode()
    b.tap.ok("no" in text and "product=any" in text and "0 of 1 can fire" in text, "rules list: why a rule cannot fire", text)


def test_rules_explain(b):
    rules = common.RULES / "windows"
    hit = run(b.vaka, "rules", "explain", "-r", rules, SHADOW_RULE, json.dumps(attack()))
    miss = run(b.vaka, "rules", "explain", "-r", rules, SHADOW_RULE, "-", data=line(calm(1)))
    b.tap.ok(hit.status == 0 and b": MATCH" in hit.out and COMMAND.encode() in hit.out, "rules explain: a match", hit)
    b.tap.ok(miss.status == 0 and b": no match" in miss.out and b"false" in miss.out, "rules explain: none, from -", miss)
    path = b.file("explain.json", line(calm(1)) + line(attack()))
    both = run(b.vaka, "rules", "explain", rules / "backup_shadow_copies_deleted.yml", path)
    b.tap.ok(b"event 1: " in both.out and b"event 2: " in both.out and both.out.count(b": MATCH") == 1,
             "rules explain: a rule file and an event file", both)
    result = run(b.vaka, "rules", "explain", "-r", rules, "No such rule", "{}")
    b.tap.ok(result.status == 2 and "no rule 'No such rule'" in result.err, "rules explain: an unknown rule", result)
    result = run(b.vaka, "rules", "explain", "-r", rules, SHADOW_RULE, "{not json")
    b.tap.ok(result.status == 1 and "the event" in result.err, "rules explain: no event", result)


def test_rules_show(b):
    path = common.RULES / "windows" / "dcsync.yml"
    text = path.read_text(encoding="utf-8")
    name = "937a8fcc-6b7f-4c99-a405-a85dbd3a0c63"
    result = run(b.vaka, "rules", "show", name.upper())
    b.tap.equal((result.status, result.out.decode()), (0, f"# on, in force\n# {path}\n{text}"),
                "rules show: a rule that comes with Vaka")
    shown = json.loads(run(b.vaka, "rules", "show", "-f", "json", name).out)
    b.tap.equal((shown["set"], shown["id"], shown["in_force"], shown["text"], sorted(shown["respond"])),
                (None, name, True, text, ["en", "sv"]), "rules show: as JSON, with what is to be done first")
    several = json.loads(run(b.vaka, "rules", "show", "-f", "json", "VPN password guessed").out)
    b.tap.ok(several["file"].endswith("vpn_guessing_then_success.yml") and several["level"] == "high",
             "rules show: a correlation, by its title", several)


def test_rules_test(b):
    result = run(b.vaka, "rules", "test", "--own", common.RULES)
    b.tap.ok(result.status == 0 and b"not ok" not in result.out and re.search(rb"^1\.\.\d+$", result.out, re.M),
             "rules test: Vaka's own pass", result)
    rule = KEYWORD_RULE + ("vaka:\n  tests:\n    - name: wrong\n      fires: true\n      event:\n"
                           "        product: any\n        a: hay\n")
    path = b.file("tested.yml", rule.encode())
    result = run(b.vaka, "rules", "test", path)
    b.tap.ok(result.status == 1 and b"not ok 1 - Needle: fires on wrong" in result.out and
             f"{path}:15: the rule did not fire".encode() in result.out, "rules test: a failure has its place", result)
    result = run(b.vaka, "rules", "test", b.rule)
    b.tap.ok(result.status == 1 and b"1..0" in result.out, "rules test: no tests is a failure", result)


OWN_RULE = """title: Account becomes an administrator of a Linux machine
id: 0c1d4a76-6a5f-4d0c-9c2e-1f4b5f1f2a10
status: test
description: An account was added to a group whose members can become root.
tags: [attack.t1059.001]
logsource: {product: windows, service: security}
detection:
  s: {EventID: 4688, P|contains: evil}
  condition: s
falsepositives: [None that is known]
level: high
vaka:
  respond: {sv: Gör, en: Do}
  tests:
    - fires: true
      event: {Channel: Security, EventID: 4688, P: %s, Q: [1, {R: x}]}
    - fires: false
      event: %s
"""


def test_rules_test_own(b):
    def lacks(rule):
        result = run(b.vaka, "rules", "test", "--own", b.file("own.yml", rule.encode()))
        return result.status, [x.split(b": ", 1)[1].decode() for x in result.out.splitlines() if x.startswith(b"# /")]

    near = "no event that must not fire it differs in one value from one that must"
    long, other, like = "evil" + 60 * "a", 64 * "b", "kind" + 60 * "a"
    for name, first, second, want in (
            ("another value", "evil", "{Channel: Security, EventID: 4688, P: kind, Q: [1, {R: x}]}", []),
            ("a value less", "evil", "{Channel: Security, EventID: 4688, Q: [1, {R: x}]}", []),
            ("two values", "evil", "{Channel: Security, EventID: 4688, P: kind, Q: [2, {R: x}]}", [near]),
            ("two inside", "evil", "{Channel: Security, EventID: 4688, P: kind, Q: [1, {R: y}]}", [near]),
            ("a part of a text", long, f"{{Channel: Security, EventID: 4688, P: {like}, Q: [1, {{R: x}}]}}", []),
            ("a text altogether", long, f"{{Channel: Security, EventID: 4688, P: {other}, Q: [1, {{R: x}}]}}", [near]),
            ("another log source", "evil", "{Channel: System, EventID: 4688, P: evil, Q: [1, {R: x}]}",
             ["it differs in what log source it is of, which is no near miss"])):
        b.tap.equal(lacks(OWN_RULE % (first, second)), (1 if want else 0, want), f"rules test --own: {name}")
    good = OWN_RULE % ("evil", "{Channel: Security, EventID: 4688, P: kind, Q: [1, {R: x}]}")
    calm_line, bad_line = (json.dumps({"Channel": "Security", "EventID": 4688, "P": p, "Q": 1}) for p in ("calm", "evil"))
    raw = good[:good.index("    - fires: true")] + "    - {fires: true, raw: %s}\n    - {fires: false, raw: %s}\n"
    for name, first, second, want in (
            ("another record", [calm_line, bad_line], [calm_line, calm_line], []),
            ("a record less", [calm_line, bad_line], [calm_line], []),
            ("two records", [bad_line, bad_line], [calm_line, calm_line], [near]),
            ("two values of the second record", [calm_line, bad_line],
             [calm_line, calm_line.replace('"Q": 1', '"Q": 2')], [near])):
        b.tap.equal(lacks(raw % tuple("[" + ", ".join(f"'{x}'" for x in lines) + "]" for lines in (first, second))),
                    (1 if want else 0, want), f"rules test --own: {name}")
    for part, instead, want in (
            ("title: Account becomes an administrator of a Linux machine\n", "title: Own\n",
             "it has no Swedish title (taxonomy/titles.tsv)"),
            ("id: 0c1d4a76-6a5f-4d0c-9c2e-1f4b5f1f2a10\n", "", "it has no `id`"),
            ("status: test\n", "", "it has no `status`"),
            ("level: high\n", "", "it has no `level`"),
            ("description: An account was added to a group whose members can become root.\n", "",
             "it has no `description`"),
            ("description: An account was added", "description: An own account was added",
             "it has no Swedish description (taxonomy/descriptions.tsv)"),
            ("[None that is known]", "[Unknown]", "it has no `falsepositives`"),
            ("  respond: {sv: Gör, en: Do}\n", "", "it has no first response (`vaka.respond`)"),
            ("attack.t1059.001", "attack.execution", "no tag names a technique of ATT&CK"),
            ("attack.t1059.001", "attack.t1059.001, attack.t9999", "no technique of ATT&CK is T9999")):
        b.tap.equal(lacks(good.replace(part, instead)), (1, [want]), f"rules test --own: {want}")
    status, found = lacks(good[:good.index("  tests:")])
    b.tap.equal((status, found), (1, ["no event fires it", near]), "rules test --own: no events")
    several = common.RULES / "network" / "vpn_guessing_then_success.yml"
    text = several.read_text(encoding="utf-8")
    last = text.index("        - {devid: FG1, logid: '0101039424'", text.index("fires: false"))
    end = text.index("---")
    for name, more, want in (("one event less", "", []), ("two less", None, [near])):
        cut = last if more == "" else text.rindex("        - {devid", 0, last)
        b.tap.equal(lacks(text[:cut] + text[end:]), (1 if want else 0, want), f"rules test --own: {name}")


def test_help(b):
    def complete(*words):
        quoted = " ".join(f"'{w}'" for w in words)
        script = (f"source \"$1\"; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _vaka; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"; complete -p vaka >&2")
        done = subprocess.run(["bash", "-c", script, "bash", path], capture_output=True, cwd=b.folder, check=False)
        return sorted(done.stdout.decode().split()), done.stderr.decode()

    path = b.file("completion", run(b.vaka, "help", "--dump", "bash").out)
    words, registered = complete("vaka", "")
    b.tap.ok({"hunt", "rules", "help", "--version"} <= set(words) and "-F _vaka vaka" in registered,
             "bash completion loads and knows the commands", (words, registered))
    for typed, want in ((("vaka", "hu"), ["hunt"]), (("vaka", "rules", "exp"), ["explain"]),
                        (("vaka", "hunt", "--any"), ["--any-logsource"]),
                        (("vaka", "hunt", "-f", ""), ["csv", "json", "table"]),
                        (("vaka", "hunt", "--level", "c"), ["critical"]),
                        (("vaka", "rules", "list", "--format", "j"), ["json"]),
                        (("vaka", "hunt", "--rules", "needl"), ["needle.yml"]),
                        (("vaka", "hunt", "needl"), ["needle.yml"])):
        b.tap.equal(complete(*typed)[0], want, f"completion: {' '.join(typed)}")
    for command in (["hunt"], ["rules", "check"], ["rules", "list"], ["rules", "explain"], ["rules", "test"]):
        shown = run(b.vaka, *command, "--help")
        same = run(b.vaka, "help", *command)
        b.tap.ok(shown.status == 0 and shown.out == same.out and f"vaka {' '.join(command)}".encode() in shown.out,
                 f"{' '.join(command)} --help", shown)
    man = run(b.vaka, "help", "--dump", "man").out
    commands = [line.split()[2] for line in man.splitlines() if line.startswith(b".SS vaka ")]
    b.tap.ok(man.startswith(b".SS vaka ") and b"hunt" in commands, "help --dump man")


def main():
    with tempfile.TemporaryDirectory(prefix="vaka-hunt-") as space:
        b = Bench(os.path.abspath(sys.argv[1]), pathlib.Path(os.path.realpath(space)))
        for test in (test_forms, test_paths, test_options, test_json, test_csv, test_table, test_jobs, test_killed,
                     test_interrupted, test_broken_pipe, test_rules_check, test_rules_list, test_rules_explain,
                     test_rules_show, test_rules_test, test_rules_test_own, test_help):
            test(b)
        b.tap.done()


main()
