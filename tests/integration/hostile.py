#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Hunts in files that were made to break a reader: hostile.py VAKA [--sanitized] [TEST...]

Writes more than a thousand of them into a temporary folder, the same ones every time, and asserts
for all: the exit status is as documented, what could not be read is named, nothing crashes, no
process takes more than 16 MiB more than hunting in an empty folder, and a good file hunted in the
same command gives all of its alerts. An attack beside an odd byte must still be found.

--sanitized: the program carries sanitizers: memory is not compared, heavy files are left out.
"""
import collections
import functools
import gzip
import io
import json
import lzma
import os
import pathlib
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import common  # noqa: E402  pylint: disable=wrong-import-position
from common import COMMAND, SHADOW_RULE, attack, calm, line  # noqa: E402
from serving import Fail, Skip, holds, run_tests, same, test  # noqa: E402

VAKA = os.path.abspath(sys.argv[1])
SANITIZED = "--sanitized" in sys.argv[2:]
ONLY = [word for word in sys.argv[2:] if word != "--sanitized"]

MIB = 1024 * 1024
MORE_MEMORY = 16.0  # MiB above a hunt in an empty folder
BATCH = 100         # files of one hunt: fewer than the program names one by one

READ, NAMED, EITHER = "read", "named", "either"

# data: bytes, or a function that writes the file at a path. want: READ: nothing of it is reported;
# NAMED: it is. attacks: at least so many alerts of SHADOW_RULE are of it. memory: MiB on top of the
# bound, for what a compressed format itself asks for.
Case = collections.namedtuple("Case", "name data want attacks memory", defaults=[EITHER, 0, 0])

GOOD = b"".join(line(attack(RecordNumber=i)) for i in range(5)) + b"".join(map(line, map(calm, range(9))))
GOOD_ALERTS = 5


FILES = collections.Counter()  # hunted in, by kind
PEAK = collections.Counter()   # MiB, by kind


class Hunter:
    def __init__(self, folder):
        self.folder = folder
        empty = folder / "empty"
        empty.mkdir()
        self.idle = self.hunt(empty).stats["rss_mb"]
        self.good = folder / "good.ndjson"
        self.good.write_bytes(GOOD)

    def hunt(self, *paths, **more):
        return common.hunt(VAKA, *paths, **more)

    def problems(self, result, cases):
        """What is wrong with a hunt in the files of these cases and the good one."""
        if result.status not in (0, 1):
            yield f"exit status {result.status}: {result.err[-800:]}"
            return
        messages = result.named()
        crashes = [m for m in messages if "decoder" in m]
        if crashes or not result.stats or result.stats["crashes"]:
            yield f"a decoder crashed: {crashes} {result.err[-300:]}"
        if (result.status == 1) != (result.stats["unreadable"] > 0):
            yield f"exit status {result.status}, but {result.stats['unreadable']} unreadable"
        found = collections.Counter()
        for alert in result.alerts():
            if alert["rule"]["title"] == SHADOW_RULE:
                name = alert["source"]["file"].rpartition("/hostile/")[2].split("!")[0]
                found[name] += 1
        if found[str(self.good)] != GOOD_ALERTS:
            yield f"{found[str(self.good)]} alerts of the good file, not {GOOD_ALERTS}"
        for case in cases:
            told = [m for m in messages if common.names_file(m, case.name)]
            if case.want == NAMED and not told:
                yield f"{case.name}: not named"
            if case.want == READ and told:
                yield f"{case.name}: {told[0][-160:]}"
            if found[case.name] < case.attacks:
                yield f"{case.name}: {found[case.name]} attacks found, not {case.attacks} {told}"
        allowed = self.idle + MORE_MEMORY + max(case.memory for case in cases)
        if not SANITIZED and result.stats["rss_mb"] > allowed:
            yield f"{result.stats['rss_mb']} MiB, allowed {allowed:.1f}"

    def write(self, place, case):
        path = place / case.name
        if callable(case.data):
            case.data(path)
        else:
            path.write_bytes(case.data)

    def batch(self, kind, cases):
        """One hunt in up to BATCH files."""
        with tempfile.TemporaryDirectory(dir=self.folder) as space:
            place = pathlib.Path(space) / "hostile"
            place.mkdir()
            for case in cases:
                self.write(place, case)
            result = self.hunt(self.good, place)
        FILES[kind] += len(cases)
        PEAK[kind] = max(PEAK[kind], result.stats.get("rss_mb", 0))
        return list(self.problems(result, cases))

    def check(self, kind, cases, at_once=BATCH):
        """All cases of one kind."""
        cases = list(cases)
        wrong = []
        for begin in range(0, len(cases), at_once):
            wrong += self.batch(kind, cases[begin:begin + at_once])
        same("\n".join(wrong), "")


# ---- mutations -------------------------------------------------------------------------------

def mutate(random_, data):
    """One to eight small changes: bits, bytes, runs, a cut, a repetition."""
    data = bytearray(data)
    for _ in range(random_.randint(1, 8)):
        if len(data) < 8:
            break
        at = random_.randrange(len(data))
        size = random_.choice([1, 1, 2, 4, 8, 64, 512])
        kind = random_.randrange(7)
        if kind == 0:
            data[at] ^= 1 << random_.randrange(8)
        elif kind == 1:
            data[at] = random_.randrange(256)
        elif kind == 2:
            data[at:at + size] = random_.randbytes(size)
        elif kind == 3:
            data[at:at + size] = random_.choice([b"\0", b"\xff"]) * size
        elif kind == 4:
            del data[at:at + size]
        elif kind == 5:
            data[at:at] = data[at:at + size]
        elif kind == 6 and random_.random() < 0.2:
            del data[at:]
    return bytes(data)


def mutations(kind, bases, count, seed):
    random_ = random.Random(f"{kind}/{seed}")
    for i in range(count):
        base = bases[i % len(bases)]
        yield Case(f"{kind}{i:04}", mutate(random_, base))


def truncations(kind, base, count):
    for i in range(count):
        yield Case(f"{kind}cut{i:04}", base[:len(base) * i // count])


EVTX = common.evtx([attack()] * 3 + [calm(i) for i in range(37)])


def evtx_bases():
    """Ours and, when they are there, some recorded ones of at most 100 KiB."""
    bases = [EVTX]
    corpus = common.corpus()
    if corpus:
        files = sorted(corpus.glob("evtx-*/**/*.evtx"))
        bases += [f.read_bytes() for f in files if f.stat().st_size < 100 * 1024][:60]
    return bases


SYSLOG = b"".join(b"<86>Dec 23 21:47:%02d web01 sshd[%d]: Accepted password for root from 203.0.113.5 "
                  b"port 51122 ssh2\n" % (i, 100 + i) for i in range(20))
SYSLOG5424 = b"".join(b"<86>1 2026-12-23T21:47:%02d.5Z web01 sshd %d ID7 [a@1 k=\"v\\\"\"] hello\n" %
                      (i, i) for i in range(20))
AUDITD = (b"type=SYSCALL msg=audit(1798059692.100:%d): arch=c000003e syscall=59 success=yes exit=0 "
          b"a0=1 items=2 ppid=1 pid=2 auid=0 uid=0 comm=\"rm\" exe=\"/usr/bin/rm\"\n"
          b"type=EXECVE msg=audit(1798059692.100:%d): argc=3 a0=\"rm\" a1=\"-f\" "
          b"a2=2F7661722F6C6F672F617574682E6C6F67\n")
AUDIT = b"".join(AUDITD % (i, i) for i in range(20))
ZEEK = (b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
        b"#open\t2026-12-23-21-00-00\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tproto\n"
        b"#types\ttime\tstring\taddr\tport\tenum\n" +
        b"".join(b"1798059692.%06d\tC%d\t10.0.0.1\t%d\ttcp\n" % (i, i, i) for i in range(20)))


W3C = (b"#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n"
       b"#Fields: date time s-ip cs-method cs-uri-stem c-ip\r\n" +
       b"".join(b"2026-12-23 21:00:%02d 192.0.2.80 GET / 203.0.113.%d\r\n" % (i, i) for i in range(20)))


def csv_rows(rows):
    keys = list(rows[0])
    text = ",".join(keys) + "\n"
    text += "".join(",".join('"' + str(row[k]).replace('"', '""') + '"' for k in keys) + "\n"
                    for row in rows)
    return text.encode()


CSV = csv_rows([attack()] * 2 + [calm(i) for i in range(10)])
JSON = b"".join(map(line, [attack()] * 2 + [calm(i) for i in range(10)]))
ARRAY = b"[" + b",\n".join(line(e) for e in [attack()] * 2 + [calm(i) for i in range(5)]) + b"]"


# ---- an attack beside one odd byte -----------------------------------------------------------

def raw_attack(before=b"", after=b"", extra=b"", channel=common.CHANNEL.encode()):
    """The attack as bytes, with raw bytes where no writer of JSON would put them."""
    flat = line(attack()).strip()[1:-1].replace(common.CHANNEL.encode(), channel)
    return b"{" + before + flat + extra + b"}" + after + b"\n"


ODD = {
    "latin1": b"\xe5\xe4\xf6", "nul": b"\0", "control": b"\x01\x02\x1f", "tab": b"\t", "del": b"\x7f",
    "lone_high": b"\\ud800", "lone_low": b"\\udc00", "swapped": b"\\udc00\\ud800",
    "half_escape": b"\\u12", "bad_escape": b"\\q", "cesu": b"\xed\xa0\x80", "overlong": b"\xc0\xaf",
    "beyond": b"\xf4\x90\x80\x80", "bom": b"\xef\xbb\xbf", "feed": b"\xe2\x80\xa8", "ff": b"\xff\xfe",
    "cut_utf8": b"\xe2\x82",
}
VALUES = {
    "1e400": b"1e400", "minus1e400": b"-1e400", "big": b"9" * 400, "bigger": b"1" * 5000,
    "fraction": b"0." + b"1" * 3000, "leading_zero": b"007", "plus": b"+1", "hex": b"0x10",
    "nan": b"NaN", "infinity": b"-Infinity", "point": b".5", "true_typo": b"True", "empty": b"",
    "single": b"'x'", "undefined": b"undefined", "exponent": b"1e", "nested": b"[" * 300 + b"]" * 300,
    "objects": b'{"a":' * 300 + b"1" + b"}" * 300, "depth5000": b"[" * 5000 + b"]" * 5000,
    "long": b'"' + b"x" * 200000 + b'"', "many": b"[" + b"1," * 10000 + b"1]",
}


def hidden_json():
    for name, odd in ODD.items():
        yield Case(f"value-{name}", raw_attack(b'"x":"' + odd + b'",'), EITHER, 1)
        yield Case(f"after-{name}", raw_attack(extra=b',"x":"a' + odd + b'b"'), EITHER, 1)
        yield Case(f"key-{name}", raw_attack(b'"x' + odd + b'":"",'), EITHER, 1)
        yield Case(f"array-{name}", b"[" + raw_attack(b'"x":"' + odd + b'",').strip() + b"]", EITHER, 1)
        yield Case(f"line-{name}", line(calm(1)) + b'{"x":"' + odd + b'"}\n' + line(attack()), EITHER, 1)
        yield Case(f"between-{name}", line(calm(1)) + odd + b"\n" + line(attack()), EITHER, 1)
        bent = json.dumps(attack(CommandLine="@ " + COMMAND)).encode().replace(b"@", odd)
        yield Case(f"within-{name}", bent + b"\n", EITHER, 1)
        yield Case(f"pretty-{name}", json.dumps(attack(x="@"), indent=2).encode().replace(b"@", odd) +
                   b"\n" + json.dumps(calm(2), indent=2).encode(), EITHER, 1)
    for name, value in VALUES.items():
        yield Case(f"odd-{name}", raw_attack(b'"x":' + value + b","), EITHER, 1)
        yield Case(f"last-{name}", raw_attack(extra=b',"x":' + value), EITHER, 1)
        yield Case(f"next-{name}", b'{"x":' + value + b"}\n" + line(attack()), EITHER, 1)


def hidden_shapes():
    flat = line(attack())
    yield Case("twice", raw_attack(b'"CommandLine":"x","Image":"y",'), EITHER, 1)
    yield Case("twice_after", raw_attack(extra=b',"CommandLine":"x"'), EITHER, 1)
    yield Case("trailing_comma", raw_attack(extra=b","), EITHER, 1)
    yield Case("no_end", flat.strip()[:-1], NAMED, 0)
    yield Case("no_feed", flat.strip(), READ, 1)
    yield Case("carriage", flat.strip() + b"\r\n" + flat.strip() + b"\r", READ, 2)
    yield Case("marked", b"\xef\xbb\xbf" + flat, READ, 1)
    yield Case("separators", b"\x1e" + flat + b"\x1e" + flat, READ, 2)
    yield Case("together", flat.strip() * 50, READ, 50)
    yield Case("commas", (flat.strip() + b",\n") * 5, EITHER, 5)
    yield Case("open_string", b'{"x":"never closed\n' + flat * 3, NAMED, 2)
    yield Case("open_array", b'{"x":[1,2\n' + flat * 3, NAMED, 2)
    yield Case("open_object", b'{"x":{"y":\n' + flat * 3, NAMED, 2)
    yield Case("closers", b"}}}]]]\n".join([line(calm(1)), flat]), EITHER, 1)
    yield Case("junk_before", line(calm(1)) + b"%%% junk %%%\n" + flat, NAMED, 1)
    yield Case("junk_behind", flat.strip() + b" trailing words\n" + flat, EITHER, 2)
    yield Case("junk_end", flat * 3 + b"\0\0\0\0", EITHER, 3)
    yield Case("array_open", b"[" + flat.strip() + b"," + flat.strip(), EITHER, 2)
    yield Case("array_holes", b"[" + flat.strip() + b",," + flat.strip() + b",]", EITHER, 2)
    yield Case("array_scalars", b"[" + b'{},1,"x",null,' + flat.strip() + b"]", EITHER, 1)
    yield Case("arrays", b"[" + flat.strip() + b"]\n[" + flat.strip() + b"]", EITHER, 2)
    yield Case("values-16000", line({"x": list(range(16000)), **attack()}), READ, 1)
    yield Case("values-50000", line({"x": list(range(50000)), **attack()}), NAMED)
    yield Case("values-behind", line(attack(x=list(range(50000)))), NAMED, 1)


def hidden_text():
    one = SYSLOG.splitlines(True)[0]
    for name, odd in ODD.items():
        yield Case(f"syslog-{name}", one + b"<13>Dec 23 21:47:00 h p: " + odd + b"\n" + one)
        yield Case(f"csv-{name}", csv_rows([attack(), attack(Computer="@")]).replace(b"@", odd), EITHER, 2)
        yield Case(f"csvhead-{name}", csv_rows([attack(odd="v")] * 3).replace(b"odd", odd, 1),
                   EITHER, 3 if odd[0] >= 0x80 else 0)
        yield Case(f"csvrow-{name}", CSV + odd + b"\n" + CSV.split(b"\n", 1)[1], EITHER, 4)
        yield Case(f"zeek-{name}", ZEEK.replace(b"C7", odd, 1))
        yield Case(f"audit-{name}", AUDIT.replace(b'comm="rm"', b'comm="' + odd + b'"', 3))
    yield Case("csv-open_quote", CSV + b'"never closed,' + b"x" * 1000)
    yield Case("csv-open_first", csv_rows([attack()]) + b'"open,\n' + csv_rows([attack()] * 4))
    yield Case("csv-wide_row", csv_rows([attack()]) + b"," * 5000 + b"\n", EITHER, 1)
    yield Case("csv-no_rows", CSV.splitlines(True)[0])
    yield Case("csv-same_names", b"Image," * 300 + b"CommandLine\n" + b"x," * 300 + b"y\n")


def evtx_odd():
    for name, text in {"lone": "\ud800", "swapped": "\udc00\ud800", "nul": "\0", "ffff": "\uffff"}.items():
        yield Case(f"evtx-{name}", common.evtx([attack(x=text), attack(CommandLine=COMMAND + text)]), EITHER, 2)
    yield Case("evtx-dirty_tail", EVTX + b"\0" * 70000, EITHER, 3)
    yield Case("evtx-no_header", b"ElfFile\0" + b"\0" * 4088 + EVTX[4096:], EITHER, 3)
    yield Case("evtx-first_chunk_gone", common.evtx([calm(1)] * 8 + [attack()] * 8)[:4096] + b"\0" * 65536 +
               common.evtx([calm(1)] * 8 + [attack()] * 8)[4096 + 65536:], EITHER, 8)
    broken = bytearray(EVTX)
    broken[4096 + 52:4096 + 56] = b"\1\2\3\4"
    yield Case("evtx-wrong_sum", bytes(broken), EITHER, 3)
    yield Case("evtx-shifted", EVTX[:4096] + b"junk" * 5 + EVTX[4096:], EITHER, 3)
    yield Case("evtx-count_lies", EVTX[:42] + b"\xff\xff" + EVTX[44:], EITHER, 3)
    for name, size in {"0": 0, "3": 3, "27": 27, "max": 0xffffffff, "half": 0x80000000}.items():
        lies = bytearray(EVTX)
        struct.pack_into("<I", lies, 4096 + 512 + 4, size)
        yield Case(f"evtx-size-{name}", bytes(lies))

    def nested(at, depth):
        xml = common.Xml(at)
        for _ in range(depth):
            xml.put("BHI", 1, 0xffff, 0)
            xml.name("E")
            xml.put("B", 2)
        return bytes(xml.data + b"\x04" * depth + b"\0")

    for depth in (10, 100, 1000, 1500):
        chunk = common.evtx_chunk([lambda at, d=depth: nested(at, d)], 1)
        yield Case(f"evtx-depth-{depth}", EVTX[:4096] + chunk + EVTX[4096:], EITHER, 3)


# ---- text that lies --------------------------------------------------------------------------

def lies():
    yield Case("zeek-no_fields", ZEEK.replace(b"#fields", b"#feelds"), EITHER)
    yield Case("zeek-more_fields", ZEEK.replace(b"\tproto\n", b"\tproto" + b"\tx" * 500 + b"\n"))
    yield Case("zeek-fewer_fields", ZEEK.replace(b"\tproto\n", b"\n"))
    yield Case("zeek-types", ZEEK.replace(b"#types", b"#types\tset[" + b"set[" * 500))
    yield Case("zeek-separator", ZEEK.replace(b"\\x09", b"\\x" + b"f" * 500))
    yield Case("zeek-separator0", ZEEK.replace(b"\\x09", b"\\x00"))
    yield Case("zeek-empty", b"#separator \\x09\n")
    yield Case("zeek-long_header", b"#separator \\x09\n#fields\t" + b"abc\t" * 200000 + b"\n1\t2\n")
    yield Case("w3c-no_fields", W3C.replace(b"#Fields", b"#Feelds"), EITHER)
    yield Case("w3c-more_fields", W3C.replace(b" c-ip\r", b" c-ip" + b" x" * 5000 + b"\r"))
    yield Case("w3c-fewer_fields", W3C.replace(b" cs-uri-stem c-ip\r", b"\r"))
    yield Case("w3c-tabs", W3C.replace(b"/ 203", b"/\t\t\t\t\t\t\t203", 1))
    yield Case("w3c-quotes", W3C.replace(b"/ 203", b'"/ 203', 2))
    yield Case("w3c-empty", b"#Fields: \r\n")
    yield Case("w3c-long_header", b"#Fields: " + b"abc " * 200000 + b"\r\n1 2\r\n")
    yield Case("syslog-long", SYSLOG + b"<13>" + b"A" * 3 * MIB + b"\n" + SYSLOG)
    yield Case("syslog-pri", b"<99999999999999999999>Dec 23 21:47:00 h p: x\n" * 5 + SYSLOG)
    yield Case("syslog-sd", b'<13>1 - - - - - ' + b'[a b="' * 5000 + b"\n" + SYSLOG5424)
    yield Case("syslog-counts", b"999999999999999999999 <13>1 - - - - - - x" + SYSLOG)
    yield Case("syslog-counts2", b"4294967295 <13>1 - - - - - - x\n" + SYSLOG5424)
    yield Case("syslog-cr", SYSLOG.replace(b"\n", b"\r"))
    yield Case("syslog-blank", b"\n" * 100000 + SYSLOG)
    yield Case("audit-long", AUDIT + b"type=EXECVE msg=audit(1.1:9): a0=" + b"41" * MIB + b"\n" + AUDIT)
    yield Case("audit-args", b"type=EXECVE msg=audit(1.1:9): argc=4294967295 " +
               b" ".join(b"a%d=41" % i for i in range(20000)) + b"\n" + AUDIT)
    yield Case("audit-one_event", AUDIT + b"".join(
        b"type=PATH msg=audit(5.5:5): item=%d name=\"/x%d\"\n" % (i, i) for i in range(20000)))
    yield Case("audit-open", b"".join(AUDITD.split(b"\n")[0] % i + b"\n" for i in range(20000)))
    yield Case("audit-time", AUDIT.replace(b"1798059692.100", b"9" * 300 + b".1"))
    yield Case("csv-many_rows", csv_rows([attack()] * 60) + b"a\n" * 50000, EITHER, 60)
    yield Case("json-keys", b"{" + b",".join(b'"k%d":1' % i for i in range(50000)) + b"}\n" + line(attack()),
               EITHER, 1)
    yield Case("json-key_names", b"".join(b'{"n%d":1}\n' % i for i in range(100000)) + line(attack()),
               EITHER, 1)
    yield Case("json-same_key", b"{" + b'"k":1,' * 50000 + b'"k":2}\n' + line(attack()), EITHER, 1)
    yield Case("json-long_key", b'{"' + b"k" * 300000 + b'":1}\n' + line(attack()), EITHER, 1)
    yield Case("json-paths", line(json.loads('{"a":' * 60 + "1" + "}" * 60)) * 50 + line(attack()), EITHER, 1)
    yield Case("json-arrays", b'{"x":[' + b'{"y":[1,2]},' * 20000 + b"0]}\n" + line(attack()), EITHER, 1)
    yield Case("json-escapes", b'{"CommandLine":"' + b"\\u0041" * 100000 + b'"}\n' + line(attack()), EITHER, 1)
    yield Case("json-blanks", b" " * MIB + line(attack()))
    yield Case("json-braces", b"{" * 100000)
    yield Case("json-brackets", b"[" * 100000)
    yield Case("json-quotes", b'{"' * 100000)
    yield Case("json-backslashes", b'{"x":"' + b"\\" * 100001 + b"\n" + line(attack()))
    yield Case("records-open", b'{"Records":[' + b",".join([line(attack()).strip()] * 3), EITHER)
    yield Case("records-empty", b'{"Records":[]}')
    yield Case("feeds", b"\n" * MIB, EITHER)
    yield Case("spaces", b" " * MIB, EITHER)
    yield Case("nuls", b"\0" * MIB, NAMED)
    yield Case("empty", b"", READ)
    yield Case("one_byte", b"x", EITHER)
    yield Case("quote", b'"', EITHER)
    yield Case("elf", pathlib.Path(sys.executable).read_bytes()[:65536], NAMED)


# ---- archives --------------------------------------------------------------------------------

def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, capture_output=True, check=True).stdout


def zipped(members, method=zipfile.ZIP_DEFLATED):
    space = io.BytesIO()
    with zipfile.ZipFile(space, "w", method) as z:
        for name, data in members:
            z.writestr(name, data)
    return space.getvalue()


def tarred(members, layout=tarfile.GNU_FORMAT):
    """members: name, data or a type and a link's target."""
    space = io.BytesIO()
    with tarfile.open(fileobj=space, mode="w", format=layout) as t:
        for name, data in members:
            info = tarfile.TarInfo(name)
            if isinstance(data, tuple):
                info.type, info.linkname = data
                t.addfile(info)
            else:
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))
    return space.getvalue()


def overlapped_zip(count, size):
    """`count` entries that share one compressed stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"x" * size
    body = packer.compress(data) + packer.flush()
    sum_ = zlib.crc32(data)
    local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 8, 0, 0, sum_, len(body), size, 1, 0) + b"a"
    central = b"".join(struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 8, 0, 0, sum_, len(body),
                                   size, 1, 0, 0, 0, 0, 0, 0) + b"a" for _ in range(count))
    end = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, count & 0xffff, count & 0xffff, len(central),
                      len(local) + len(body), 0)
    return local + body + central + end


def xz(data, dictionary):
    return lzma.compress(data, filters=[{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": dictionary}])


PACKED = {
    "gzip": gzip.compress(JSON), "zstd": zstd(JSON), "xz": xz(JSON, MIB), "zip": zipped([("a", JSON)]),
    "tar": tarred([("a", JSON)]), "targz": gzip.compress(tarred([("a", JSON), ("b", JSON)])),
}


def archives():
    for name, data in PACKED.items():
        yield Case(f"{name}-whole", data, READ, 2)
        yield Case(f"{name}-half", data[:1024 if name == "tar" else len(data) // 2], NAMED)
        # The libraries of zstd and xz lose the last block before the garbage with it.
        kept = 0 if name in ("zstd", "xz") else 2
        yield Case(f"{name}-garbage", data + b"garbage behind the end" * 20, EITHER if kept else NAMED, kept)
        yield Case(f"{name}-nuls", data + b"\0" * 1023, EITHER if kept else NAMED, kept)
        yield Case(f"{name}-twice", data + data, EITHER, 2)
    big = b"".join(line(attack(n=i)) for i in range(20000))
    for name, data in {"gzip": gzip.compress(big), "zstd": zstd(big), "xz": xz(big, MIB)}.items():
        yield Case(f"{name}-cut", data[:len(data) * 9 // 10], NAMED, 100)
    yield Case("tar-traversal", tarred([("../../../../etc/cron.d/x", JSON), ("/etc/shadow", JSON)]), READ, 4)
    yield Case("zip-traversal", zipped([("../../x", JSON), ("/etc/passwd", JSON), ("C:\\x", JSON)]), READ, 6)
    yield Case("tar-links", tarred([("l", (tarfile.SYMTYPE, "/etc/passwd")), ("h", (tarfile.LNKTYPE, "l")),
                                    ("c", (tarfile.CHRTYPE, "")), ("p", (tarfile.FIFOTYPE, "")), ("a", JSON)]),
               EITHER, 2)
    yield Case("tar-names", tarred([("x" * 20000, JSON), ("\x1b[2J\u202e", JSON), ("\udcff\udcfe", JSON)],
                                   tarfile.GNU_FORMAT), READ, 6)
    yield Case("tar-pax", tarred([("y/" * 5000 + "z", JSON), ("\n\r\t", JSON)], tarfile.PAX_FORMAT), EITHER, 4)
    sparse = tarfile.TarInfo("GNUSparseFile.0/s")
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s",
                          "GNU.sparse.realsize": str(1 << 42)}
    body = b"1\n0\n6\n".ljust(512, b"\0") + JSON
    sparse.size = len(body)
    space = io.BytesIO()
    with tarfile.open(fileobj=space, mode="w", format=tarfile.PAX_FORMAT) as t:
        t.addfile(sparse, io.BytesIO(body))
    yield Case("tar-sparse", space.getvalue())
    huge = bytearray(tarred([("a", JSON)]))
    huge[124:136] = b"\x80" + b"\0" * 3 + b"\x7f" + b"\xff" * 7
    huge[148:156] = b" " * 8
    huge[148:156] = b"%06o\0 " % sum(huge[:512])
    yield Case("tar-huge_size", bytes(huge), NAMED)
    yield Case("zip-empty", zipped([]), READ)
    yield Case("zip-many", zipped([(f"f{i}", b"") for i in range(20000)]), READ)
    yield Case("zip-directory", zipped([("d/", b""), ("d/a", JSON)]), READ, 2)
    yield Case("zip-locked", zip_locked(), NAMED)
    yield Case("zip-bzip2", zipped([("a", JSON)], zipfile.ZIP_BZIP2), EITHER)
    yield Case("zip-sizes", PACKED["zip"].replace(struct.pack("<I", len(JSON)), b"\xff\xff\xff\xff"))
    yield Case("zip-in_zip", zipped([("i.zip", zipped([("a", JSON)]))]), READ, 2)
    three = PACKED["zip"]
    for i in range(3):
        three = zipped([(f"i{i}.zip", three), (f"side{i}", JSON)])
    yield Case("zip-3_deep", three, NAMED, 4)
    onion = JSON
    for _ in range(20):
        onion = gzip.compress(onion)
    yield Case("gzip-20_deep", onion, NAMED)
    onion = JSON
    for _ in range(8):
        onion = xz(onion, MIB)
    yield Case("xz-8_deep", onion, NAMED)
    yield Case("gzip-head", PACKED["gzip"][:10], NAMED)
    yield Case("gzip-name", b"\x1f\x8b\x08\x08\0\0\0\0\0\3" + b"n" * MIB, NAMED)
    yield Case("zstd-skippable", b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd(JSON))
    yield Case("evtx-in_zip", zipped([("a.evtx", EVTX)]), READ, 3)


def zip_locked():
    """A member marked as encrypted."""
    data = bytearray(PACKED["zip"])
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def bombs():
    zeros = b"\0" * (200 * MIB)
    rows = line(calm(1)) * (100 * MIB // len(line(calm(1))))
    yield Case("gzip-zeros", gzip.compress(zeros, 9), NAMED)
    yield Case("gzip-zeros_before", gzip.compress(bytes(1024) + JSON), NAMED)
    yield Case("zip-zeros", zipped([("a", zeros), ("b", JSON)]), NAMED)
    yield Case("zstd-zeros", zstd(zeros, "--ultra", "-20", "--long=24"), NAMED)
    yield Case("xz-zeros", xz(zeros, 4 * MIB), NAMED)
    yield Case("zip-overlap", overlapped_zip(2000, 4 * MIB))
    yield Case("gzip-gzip", gzip.compress(gzip.compress(zeros, 9), 9), NAMED)
    yield Case("tar-zeros", gzip.compress(tarred([(f"z{i}", zeros[:40 * MIB]) for i in range(5)]), 9), NAMED)
    yield Case("gzip-rows", gzip.compress(rows, 9))


def wide_windows():
    """Formats whose reader keeps a window that the file chooses (the bounds are in hunt/open.h)."""
    random_ = random.Random(7)
    text = b"".join(line(calm(random_.randbytes(4).hex())) for i in range(400000))
    yield Case("xz-9", xz(text, 64 * MIB), READ, 0, 64)
    yield Case("xz-too_much", xz(text[:4096], 512 * MIB), NAMED)
    yield Case("xz-in_gzip", gzip.compress(xz(text[:MIB] + b"\n", 512 * MIB)), NAMED)
    yield Case("xz-in_tar", tarred([("a.xz", xz(text[:MIB], 512 * MIB))]), NAMED)
    yield Case("zstd-long", zstd(text, "--long=27", "-1"), READ, 0, 128)
    yield Case("zstd-too_long", zstd(text, "--ultra", "--long=30", "-1"), NAMED)


# ---- large files -----------------------------------------------------------------------------

def repeat(piece, size, before=b"", after=b""):
    def write(path):
        with open(path, "wb") as f:
            f.write(before)
            for _ in range(size // len(piece)):
                f.write(piece)
            f.write(after)
    return write


def sparse_file(head, size):
    def write(path):
        with open(path, "wb") as f:
            f.write(head)
            f.truncate(size)
    return write


def heavy():
    a = line(attack())
    mib = b"x" * MIB
    yield Case("line-100MB", repeat(mib, 100 * MIB, a + b'{"x":"', b'"}\n' + a), NAMED, 2)
    yield Case("line-100MB_open", repeat(mib, 100 * MIB, a + b'{"x":"'), NAMED, 1)
    yield Case("array-100MB", repeat(line(calm(1)).strip() + b",", 100 * MIB, b"[", a.strip() + b"]"), READ, 1)
    yield Case("together-30MB", repeat(line(calm(1)).strip(), 30 * MIB, b"", a), READ, 1)
    yield Case("syslog-100MB", repeat(mib, 100 * MIB, SYSLOG + b"<13>", b"\n" + SYSLOG), NAMED)
    yield Case("audit-100MB", repeat(mib, 100 * MIB, AUDIT + b"type=USER_CMD msg=audit(1.1:1): a=", b"\n" + AUDIT), NAMED)
    yield Case("zeek-100MB", repeat(mib, 100 * MIB, ZEEK + b"1.5\t", b"\n"), NAMED)
    yield Case("csv-100MB_quote", repeat(mib, 100 * MIB, CSV + b'"', b""), NAMED, 2)
    yield Case("csv-1e6_columns", b"a," * 1000000 + b"b\n" + b"1," * 1000000 + b"2\n")
    yield Case("csv-1e6_names", b",".join(b"c%d" % i for i in range(1000000)) + b"\n" + b"1," * 1000000 + b"2\n")
    yield Case("csv-1e6_cells", CSV + b"," * 1000000 + b"\n" + csv_rows([attack()]).split(b"\n", 1)[1], EITHER, 3)
    yield Case("json-1e6_array", b"[" * 1000000 + b"]" * 1000000 + b"\n" + a)
    yield Case("json-1e6_object", b'{"a":' * 1000000 + b"1" + b"}" * 1000000 + b"\n" + a, NAMED, 1)
    yield Case("json-1e6_beside", raw_attack(b'"x":' + b"[" * 1000000 + b"]" * 1000000 + b","), EITHER, 1)
    yield Case("json-1e6_behind", raw_attack(extra=b',"x":' + b"[" * 1000000 + b"]" * 1000000), EITHER, 1)
    yield Case("json-1e6_open", a + b'{"a":[' * 1000000, NAMED, 1)
    yield Case("json-names", b"".join(b'{"name%d":1,"CommandLine":"%d"}\n' % (i, i) for i in range(300000)) + a,
               EITHER, 1)
    yield Case("json-values", b"".join(b'{"Channel":"c%d","EventID":%d}\n' % (i, i) for i in range(300000)) + a,
               READ, 1)
    yield Case("sparse-evtx", sparse_file(EVTX, 512 * MIB), EITHER, 3)
    yield Case("sparse-json", sparse_file(a, 512 * MIB), NAMED, 1)
    yield Case("sparse-nuls", sparse_file(b"", 1 << 40), NAMED)
    yield Case("sparse-gzip", sparse_file(PACKED["gzip"], 256 * MIB), EITHER, 2)
    yield Case("sparse-tar", sparse_file(PACKED["tar"], 256 * MIB), EITHER, 2)


# ---- things that are no files ----------------------------------------------------------------

@test
def what_is_no_file_of_a_folder_is_passed_over(folder):
    """Links, pipes, and folders inside folders."""
    h = Hunter(folder)
    place = folder / "special"
    place.mkdir()
    (place / "loop").symlink_to("loop")
    (place / "up").symlink_to("..")
    (place / "away").symlink_to("/etc/passwd")
    (place / "dangling").symlink_to("nowhere")
    os.mkfifo(place / "pipe")
    deep = place
    for _ in range(80):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (place / "odd\n\x1b[2J name").write_bytes(b"\0\1\2")
    (place / "z.json").write_bytes(line(attack()))
    result = h.hunt(place)
    same([a["rule"]["title"] for a in result.alerts()], [SHADOW_RULE])
    holds(result.err, "nested too deeply")
    same((result.status, "\x1b" in result.err), (1, False))
    FILES["no files"] += 6


@test
def what_is_no_file_is_named(folder):
    h = Hunter(folder)
    for device in ("/dev/null", "/dev/zero", "/dev/full", "/dev/urandom"):
        result = h.hunt(h.good, device)
        same((device, result.status, len(result.alerts())),
             (device, 0 if device == "/dev/null" else 1, GOOD_ALERTS))
        if device != "/dev/null":
            holds(result.err, f"{device}: ")
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("nowhere")
    for name in ("loop", "dangling"):
        result = h.hunt(h.good, folder / name)
        same((name, result.status, common.names_file(result.err, name), len(result.alerts())),
             (name, 1, True, GOOD_ALERTS))
    FILES["no files"] += 6


# ---- rules -----------------------------------------------------------------------------------

def rule(detection, title="t", more=""):
    return f"title: {title}\nlogsource:\n  product: windows\ndetection:\n{detection}\n{more}"


def one(value, condition="a"):
    return rule(f"  a:\n    x: {value}\n  condition: {condition}")


def correlation(i, refers):
    return (f"title: c{i}\nname: c{i}\ncorrelation:\n  type: temporal\n  rules: [{refers}]\n"
            f"  timespan: 1m\n  generate: true\n")


def hostile_rules(heavy_too):
    """Name, text, whether it must be refused (None: either)."""
    yield "utf8", b"title: \xff\xfe\ndetection: {}\n", True
    yield "nul", b"title: a\0b\n", True
    yield "latin1", one('"\xe5"').encode("latin-1"), True
    yield "empty", b"", None
    yield "scalar", b"just text\n", True
    yield "sequence", b"- a\n- b\n", True
    yield "tabs", b"title:\n\t- x\n", True
    yield "open_quote", b'title: "never closed\nlogsource: {}\n', True
    yield "open_brace", b"title: {a: [b, {c: \n", True
    yield "alias", rule("  a: &x\n    y: z\n  b: *x\n  condition: a or b").encode(), True
    yield "merge", rule("  a: &x\n    y: z\n  b:\n    <<: *x\n  condition: a or b").encode(), True
    laughs = "a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    yield "laughs", (laughs + one("y")).encode(), True
    yield "tag", b"title: !!python/object/apply:os.system [id]\n", True
    yield "twice", one("y").replace("  condition", "  a:\n    x: z\n  condition").encode(), True
    yield "depth", (rule("  a: " + "[" * 20000 + "]" * 20000 + "\n  condition: a")).encode(), True
    yield "depth_maps", (rule("  a: " + "{a: " * 20000 + "x" + "}" * 20000 + "\n  condition: a")).encode(), True
    yield "indent", ("".join(" " * i + f"k{i}:\n" for i in range(2000))).encode(), True
    yield "condition_depth", one("y", "(" * 10000 + "a" + ")" * 10000).encode(), True
    yield "condition_not", one("y", "not " * 10000 + "a").encode(), True
    yield "condition_long", one("y", " or ".join(["a"] * 10000)).encode(), None
    yield "condition_open", one("y", "a and (").encode(), True
    yield "condition_junk", one("y", "a ;;; b").encode(), True
    yield "condition_them", one("y", "99999999999999999999 of them").encode(), True
    yield "regex_open", rule("  a:\n    x|re: '(((('\n  condition: a").encode(), True
    yield "regex_repeat", rule("  a:\n    x|re: '(((a{1000}){1000}){1000})'\n  condition: a").encode(), True
    yield "regex_nested", rule("  a:\n    x|re: '(a+)+(a+)+(a+)+$'\n  condition: a").encode(), None
    yield "regex_parens", rule(f"  a:\n    x|re: '{'(' * 5000}a{')' * 5000}'\n  condition: a").encode(), None
    yield "regex_1MB", rule(f"  a:\n    x|re: '{'a.*b' * 262144}'\n  condition: a").encode(), None
    yield "cidr", rule("  a:\n    x|cidr: 1.2.3.4/999\n  condition: a").encode(), True
    yield "modifiers", rule(f"  a:\n    x{'|contains' * 3000}: y\n  condition: a").encode(), True
    yield "base64", rule(f"  a:\n    x{'|base64' * 40}: y\n  condition: a").encode(), None
    yield "windash", rule(f"  a:\n    x|windash|contains: '{' -a' * 40}'\n  condition: a").encode(), None
    yield "stars", one("'" + "*a" * 20000 + "*'").encode(), None
    yield "questions", one("'" + "?" * 100000 + "'").encode(), None
    yield "long_value", one("'" + "y" * 1000000 + "'").encode(), None
    yield "long_name", rule(f"  a:\n    {'x' * 500000}: y\n  condition: a").encode(), None
    yield "long_title", one("y").replace("title: t", "title: " + "t" * 500000).encode(), None
    yield "self", correlation(1, "c1").encode(), True
    yield "circle", "---\n".join(correlation(i, f"c{(i + 1) % 50}") for i in range(50)).encode(), True
    yield "chain", ("---\n".join(correlation(i, f"c{i + 1}") for i in range(500)) + "---\n" +
                    one("y").replace("title: t", "title: t\nname: c500")).encode(), None
    yield "timespan", correlation(1, "t").replace("1m", "9" * 30 + "M").encode(), True
    if heavy_too:
        yield "values", rule("  a:\n    x:\n" + "".join(f"      - v{i}\n" for i in range(100000)) +
                             "  condition: a").encode(), None
        yield "contains", rule("  a:\n    x|contains:\n" + "".join(f"      - v{i}w\n" for i in range(100000)) +
                               "  condition: a").encode(), None
        yield "documents", "---\n".join([one("y")] * 20000).encode(), None
        yield "selections", rule("".join(f"  s{i}:\n    x: y\n" for i in range(20000)) +
                                 "  condition: all of them").encode(), None


@test
def beside_hostile_rules_a_good_one_finds(folder):
    h = Hunter(folder)
    place = folder / "rules"
    place.mkdir()
    wrong = []
    good_rule = place / "good.yml"
    good_rule.write_bytes((common.RULES / "windows/backup_shadow_copies_deleted.yml").read_bytes())
    for name, text, refused in hostile_rules(not SANITIZED):
        bad = place / f"{name}.yml"
        bad.write_bytes(text)
        check = common.run(VAKA, "rules", "check", bad, timeout=60)
        said = (check.out.decode("utf-8", "replace") + check.err)
        if check.status not in (0, 1):
            wrong.append(f"{name}: check: status {check.status}: {said[-300:]}")
        if refused and (check.status != 1 or f"{bad}:" not in said or ": refused: " not in said):
            wrong.append(f"{name}: is not refused: {check.status} {said[:300]}")
        result = h.hunt(h.good, rules=place, timeout=60)
        if result.status != 0 or len([a for a in result.alerts() if a["rule"]["title"] == SHADOW_RULE]) != GOOD_ALERTS:
            wrong.append(f"{name}: the good rule: {result!r:.400}")
        PEAK["rules"] = max(PEAK["rules"], result.stats.get("rss_mb", 0))
        FILES["rules"] += 1
        bad.unlink()
    same("\n".join(wrong), "")


# ---- kinds of files --------------------------------------------------------------------------

def add_kind(kind, cases, at_once=BATCH):
    """A test of its own for all cases that cases() makes."""
    def hunted(folder):
        Hunter(folder).check(kind, cases(), at_once)
    hunted.__name__ = kind.replace(" ", "_")
    test(hunted)


def add_kinds():
    few = 6 if SANITIZED else 1
    add_kind("attack hidden in JSON", hidden_json)
    add_kind("attack hidden by shape", hidden_shapes)
    add_kind("attack hidden in text", hidden_text)
    add_kind("attack hidden in EVTX", evtx_odd)
    add_kind("lies", lies)
    add_kind("archives", archives)
    add_kind("EVTX mutated", lambda: mutations("evtx", evtx_bases(), 360 // few, 1))
    add_kind("EVTX truncated", lambda: truncations("evtx", EVTX, 60 // few))
    for kind, base in {"json": JSON, "array": ARRAY, "csv": CSV, "syslog": SYSLOG + SYSLOG5424,
                       "audit": AUDIT, "zeek": ZEEK}.items():
        add_kind(f"{kind} mutated", functools.partial(mutations, kind, [base], 50 // few, 1))
    add_kind("archives mutated", lambda: mutations("packed", list(PACKED.values()), 180 // few, 1))
    if not SANITIZED:
        add_kind("bombs", bombs, 1)
        add_kind("wide windows", wide_windows, 1)
        add_kind("heavy", heavy, 1)


add_kinds()


@test
def more_than_a_thousand_files_were_hunted_in(_):
    if SANITIZED or ONLY:
        raise Skip("these are not all of them")
    for kind, count in FILES.items():
        print(f"# {kind}: {count} files, peak {PEAK[kind]:.1f} MiB")
    if sum(FILES.values()) < 1000:
        raise Fail(f"{sum(FILES.values())} files")


# Meson sets it: every allocation is written to then, and so takes memory that no one uses.
os.environ.pop("MALLOC_PERTURB_", None)
sys.setrecursionlimit(50000)  # Python's reader of JSON wants it for nested events
sys.exit(run_tests(ONLY))
