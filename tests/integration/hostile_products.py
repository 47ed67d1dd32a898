#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Product files that are wrong, and records as no product expects them: hostile_products.py VAKA
[--sanitized] [TEST...]. Prints TAP."""
import collections
import datetime
import json
import os
import pathlib
import resource
import subprocess
import sys

import common
from serving import APART, TESTS, Fail, Serve, holds, run_tests, same, test

assert TESTS is not None
VAKA = os.path.abspath(sys.argv[1])
SANITIZED = "--sanitized" in sys.argv[2:]  # then memory is not the program's own
ONLY = [word for word in sys.argv[2:] if word != "--sanitized"]
HEAD = "title: T\nevidence: unverified\nrecognise: {program: shop}\n"
GOOD = HEAD.replace("T\n", "Good\n") + """steps:
  - pattern: message
    any: ['bought by {user.name:word}']
samples:
  - record: '<13>Jan  1 00:00:00 h shop: bought by anna'
    expect: {user.name: anna}
"""
RECORD = "<13>2026-11-26T10:00:00Z h shop: bought by anna"
SSHD = "<38>2026-11-26T10:00:00Z web sshd[7]: Failed password for {} from 192.0.2.7 port 22 ssh2"
NOW = "2026-11-26T10:00:00Z"


def nested(depth):
    """Steps inside of steps."""
    text, blanks = HEAD + "steps:\n", "  "
    for _ in range(depth):
        text += f"{blanks}- when: {{a: b}}\n{blanks}  steps:\n"
        blanks += "    "
    return text + f"{blanks}- set: {{a: b}}\n"


def patterns(*texts):
    return HEAD + "steps:\n  - pattern: message\n    any:\n" + "".join(f"      - '{t}'\n" for t in texts)


# What is refused: the file, the line (None: of the file as a whole), and a part of why.
Bad = collections.namedtuple("Bad", "name text line why")
BAD = [
    Bad("empty", "", 1, "the file is empty"),
    Bad("blank", "\n\n# nothing\n", 1, "the file is empty"),
    Bad("bytes", bytes(range(256)) * 20, 1, "U+0000"),
    Bad("nul", HEAD + 'steps:\n  - set: {a: "x\0y"}\n', 5, "U+0000"),
    Bad("latin-1", HEAD.encode() + "steps:\n  - set: {a: åäö}\n".encode("latin-1"), 5, "0xe5 is not UTF-8"),
    Bad("utf-16", (HEAD + "steps: []\n").encode("utf-16"), 1, "is not UTF-8"),
    Bad("tab", HEAD + "steps:\n\t- set: {a: b}\n", 5, "tab"),
    Bad("unclosed", HEAD + "steps: [\n", 5, "without a closing bracket"),
    Bad("huge", HEAD + "# " + "x" * 2 * 1024 * 1024, None, "longer than 1048576 bytes"),
    Bad("many steps", HEAD + "steps:\n" + "  - set: {a: b}\n" * 5000, 5, "more than 4096 entries"),
    Bad("many facts", HEAD.replace("shop", "[" + ",".join(f"p{i}" for i in range(5000)) + "]"), 3,
        "more than 4096 different conditions"),
    Bad("deep lists", HEAD + "steps: " + "[" * 5000 + "]" * 5000, 4, "more than 32 levels"),
    Bad("deep maps", HEAD + "steps: " + "{a: " * 5000 + "}" * 5000, 4, "more than 32 levels"),
    Bad("deep steps", nested(9), 21, "more than 8 deep"),
    Bad("cyclic anchor", HEAD + "steps: &a\n  - when: {x: y}\n    steps: *a\n", 6, "aliases"),
    Bad("many laughs", HEAD + "x0: &x0 [a, a]\n" +
        "".join(f"x{i}: &x{i} [*x{i - 1}, *x{i - 1}]\n" for i in range(1, 60)), 5, "aliases"),
    Bad("two products", HEAD + "---\n" + HEAD, 5, "one product"),
    Bad("doubled key", HEAD + "title: U\n", 4, "`title` is written twice, first in line 1"),
    Bad("doubled case", HEAD + "steps:\n  - switch: a\n    cases: {x: {}, 'y, X': {}}\n", 6, "there already"),
    Bad("no condition", HEAD.replace("{program: shop}", "{}"), 3, "a map of conditions"),
    Bad("unknown key", HEAD + "recogise: {}\n", 4, "did you mean `recognise`?"),
    Bad("unknown step", HEAD + "steps:\n  - pattren: message\n", 5, "did you mean `pattern`?"),
    Bad("unknown function", HEAD + "steps:\n  - map: {a: b | lowr}\n", 5, "did you mean `lower`?"),
    Bad("unknown table", HEAD + "tables: {out: {a: b}}\nsteps:\n  - map: {a: b | table uot}\n", 6,
        "did you mean `out`?"),
    Bad("unknown type", patterns("{a:itn}"), 7, "not a type"),
    Bad("no pattern", HEAD + "steps:\n  - pattern: message\n    any: []\n", 6, "no pattern"),
    Bad("same patterns", patterns("a {x:int}", "a {y:int}"), 8, "takes the same texts"),
    Bad("many places", patterns("{:any}a" * 100), 7, "too many places"),
    Bad("many options", patterns("{?a}b" * 100), 7, "too many optional parts"),
    Bad("options in options", patterns("{?{?{?a}b}c}"), 7, "inside of another"),
    Bad("many functions", HEAD + "steps:\n  - map: {a: b" + " | lower" * 40 + "}\n", 5, "too many functions"),
    Bad("long expression", HEAD + "steps:\n  - map: {a: " + " or ".join(["b"] * 400) + "}\n", 5, "longer than"),
    Bad("long name", HEAD + "steps:\n  - set: {" + "a" * 5000 + ": b}\n", 5, "not a name of a field"),
    Bad("no record", HEAD + "samples:\n  - record: ''\n    expect: {}\n", 5, "a record is empty"),
]


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def bound_memory():
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_DATA, (1 << 29, 1 << 29))


def vaka(*words, data=None):
    """A run whose memory is bounded."""
    # pylint: disable-next=subprocess-popen-preexec-fn
    done = subprocess.run([VAKA, *map(str, words)], input=data, capture_output=True, timeout=120, check=False,
                          stdin=None if data is not None else subprocess.DEVNULL, preexec_fn=bound_memory)
    return common.Run(done.returncode, done.stdout, done.stderr)


def explain(record, *words):
    """The explanation of one record, as JSON."""
    run = vaka("explain", "-f", "json", "--now", NOW, *words,
               data=(record if isinstance(record, bytes) else record.encode()) + b"\n")
    same(run.status, 0)
    return json.loads(run.out)


@test
def bad_files_are_refused_with_their_line(folder):
    for bad in BAD:
        path = write(folder / "bad.yml", bad.text)
        run = vaka("products", "check", path)
        place = f"{path}:{bad.line}:" if bad.line else f"{path}: "
        if run.status != 1 or place not in run.err or bad.why not in run.err:
            raise Fail(f"{bad.name}: {run.err[:300]}")


@test
def a_bad_file_leaves_the_others_in_force(folder):
    good = write(folder / "good.yml", GOOD)
    for bad in BAD:
        path = write(folder / "bad.yml", bad.text)
        for order in ((path, good), (good, path)):
            config = write(folder / "vaka.yaml", f"products: [{order[0]}, {order[1]}]\n")
            run = vaka("explain", "-f", "json", "--now", NOW, "-c", config, RECORD)
            same((bad.name, run.status, json.loads(run.out)["product"]), (bad.name, 0, "good"))
            holds(run.err, "refused: ")
    run = vaka("products", "test", "-c", config, "good", "sshd")
    same((run.status, b"# 0 failed" in run.out), (1, True))  # one is refused
    night = write(folder / "night.log", RECORD + "\n")
    rule = write(folder / "rule.yml", "title: R\nlogsource: {category: application}\ndetection:\n"
                 "  s: {user.name: anna}\n  condition: s\n")
    run = vaka("hunt", "-f", "json", "-r", rule, "-c", config, night)
    same((run.status, len(run.alerts())), (0, 1))
    holds(run.err, "refused: ")


@test
def what_looks_like_a_mistake_is_told(folder):
    """The file is in force all the same."""
    cases = {
        "steps:\n  - set: {event.categroy: web}\n": "5:11: warning: no product that comes with Vaka fills "
                                                   "`event.categroy`; did you mean `event.category`?",
        "steps:\n  - set: {event.category: webb}\n": "5:11: warning: event.category has no value `webb`; did "
                                                    "you mean `web`?",
        "steps:\n  - pattern: message\n    any: ['never seen']\n": "6:1: warning: no sample fits this pattern",
    }
    for text, said in cases.items():
        path = write(folder / "odd.yml", HEAD + text)
        run = vaka("products", "check", path)
        same((run.status, run.err), (0, f"vaka: {path}:{said}\n"))
        line, column, verdict, message = said.split(":", 3)
        run = vaka("products", "check", "-f", "json", path)
        same((run.status, json.loads(run.out)), (0, {
            "file": str(path), "line": int(line), "column": int(column), "verdict": verdict.strip(),
            "message": message.strip()}))
    same(vaka("products", "check", write(folder / "good.yml", GOOD)).err, "")


@test
def of_two_that_claim_the_same_records_both_are_named(folder):
    mine = write(folder / "mine.yml", "title: Mine\nevidence: unverified\nrecognise: {program: sshd}\n")
    run = vaka("products", "check", mine)
    line = next(n for n, text in enumerate((common.ROOT / "products/sshd.yml").read_text().splitlines(), 1)
                if text.startswith("recognise:"))
    same(run.err, f"vaka: {mine}:3:13: warning: products/sshd.yml:{line} recognises such records as well; "
                  "this file counts, for it is read later\n")
    same(explain(SSHD.format("root"), "--set", f"products={mine}")["product"], "mine")
    other = write(folder / "other.yml", "title: O\nevidence: u\nrecognise: {program: sshd, message: 'Failed *'}\n")
    run = vaka("products", "check", other, mine)
    holds(run.err, f"{mine}:3:13: warning: {other}:3 recognises such records as well; that one counts where it "
                   "fits, for it asks for more\n")
    config = write(folder / "vaka.yaml", f"products: [{other}, {mine}]\n")
    same(explain(SSHD.format("root"), "-c", config)["product"], "other")


@test
def wrong_samples_are_told(folder):
    path = write(folder / "wrong.yml", GOOD.replace("{user.name: anna}", "{user.name: eva, user.id: 7, "
                                                    "host.name: null}"))
    run = vaka("products", "test", "--set", f"products={path}", "wrong")
    same((run.status, run.out.decode().splitlines()[:2]),
         (1, [f"not ok 1 - {path}:8", "  # user.name is anna; user.id is not there"]))


@test
def patterns_and_texts_that_never_end_are_bounded(folder):
    """A look gives up after a number of steps: the record is as it came, and the next one is read."""
    bombs = {
        "places": (["{a:any}a{b:any}a{c:any}a{d:any}a{e:any}a{f:any}a{g:any}b"], "a" * 900000),
        "types": (["{:any}aa{:int}" * 10 + "b"], "aa1" * 100000),
        "words": (["{:word} " * 31 + "b"], "a " * 200000),
        "tree": ([f"{{:any}}{a}{{:any}}{b}{{:any}}{a}z" for a in "abcdefghij" for b in "abcdefghij"],
                 "abcdefghij" * 50000),
        "options": (["{:any}{?a}{?b}{?c}{?d}{?e}x"], "abcde" * 100000),
    }
    for name, (texts, record) in bombs.items():
        path = write(folder / "bomb.yml", patterns(*texts, "bought by {user.name:word}"))
        run = vaka("explain", "-f", "json", "--now", NOW, "--set", f"products={path}",
                   data=f"<13>2026-11-26T10:00:00Z h shop: {record}\n{RECORD}\n".encode())
        same((name, run.status), (name, 0))
        first, second = map(json.loads, run.out.splitlines())
        same((name, first["product"], first["fields"]["message"] == record), (name, "bomb", True))
        same((name, second["fields"]["user.name"]), (name, "anna"))


@test
def serve_tells_of_a_bad_file_and_goes_on(folder):
    good, bad = write(folder / "good.yml", GOOD), write(folder / "bad.yml", "title: T\ntitle: U\n")
    rules = folder / "rules.d"
    rules.mkdir()
    write(rules / "r.yml", "title: R\nid: 5b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11\nlevel: high\n"
          "logsource: {category: application}\ndetection:\n  s: {user.name: '*'}\n"
          "  k: {program: shop}\n  condition: s and k\n")
    more = APART + f"products: [{bad}, {good}]\n"
    with Serve(VAKA, folder, more, rules="rules.d").start() as serve:
        holds(serve.log_text(), "event=product-refused")
        holds(serve.log_text(), "the key `title` is written twice")
        counts = (lambda: [serve.status()["detect"][name] for name in ("products", "products_refused")])
        before = counts()
        same(before[1], 1)
        with serve.tcp() as s:
            s.sendall(f"{RECORD}\n".encode())
            serve.wait(lambda: len(serve.found()) == 1, "what the good file reads")
            # The next one spoils the other and mends this one.
            write(bad, GOOD.replace("shop", "store").replace("Good", "Mended"))
            write(good, GOOD + "samples: []\n")
            serve.ask("reload")
            serve.wait(lambda: serve.log_text().count("event=product-refused") == 2, "the new refusal")
            serve.wait(lambda: "event=rules-reloaded" in serve.log_text(), "new products")
            same(counts(), before)
            s.sendall(RECORD.replace("anna", "eva").encode() + b"\n")
            s.sendall(RECORD.replace("anna", "olga").replace("shop", "shop2").encode() + b"\n")
            serve.matched(3)
            same(len(serve.found()), 1)


ENCODED = "<38>2026-11-26T10:00:00Z webå sshd[7]: Failed password for åsa from 192.0.2.7 port 22 ssh2"


@test
def records_in_any_encoding_are_understood(folder):
    """What is not UTF-8 is kept, and hides nothing beside it."""
    head, body = ENCODED.split(": ", 1)
    head = f"{head}: ".encode()
    forms = {
        "utf-8": ENCODED.encode(),
        "utf-8 with a mark": b"\xef\xbb\xbf" + ENCODED.encode(),
        "utf-16le": ENCODED.encode("utf-16-le"),
        "utf-16be": ENCODED.encode("utf-16-be"),
        "utf-16 with a mark": ENCODED.encode("utf-16"),
        "body utf-16le": head + body.encode("utf-16-le"),
        "body utf-16be": head + body.encode("utf-16-be"),
        "body utf-16 with a mark": head + body.encode("utf-16"),
    }
    for name, record in forms.items():
        read = explain(record)
        same((name, read["product"], read["fields"]["user.name"], read["fields"]["source.ip"]),
             (name, "sshd", "åsa", "192.0.2.7"))
    odd = {
        "latin-1": ENCODED.encode("latin-1"),
        "mixed": ENCODED.encode().replace("å".encode(), b"\xe5", 1),
        "nul": ENCODED.encode().replace(b"password", b"password\0"),
        "nuls at the end": ENCODED.encode() + b"\0\0",
        "a mark inside": ENCODED.encode().replace(b"web", b"\xff\xfeweb"),
    }
    for name, record in odd.items():
        read = explain(record)
        same((name, read["product"], read["fields"]["program"]), (name, "sshd", "sshd"))
        if name != "nul":
            same((name, read["fields"]["source.ip"]), (name, "192.0.2.7"))
    # Neither a mark nor a few zeros hide what stands behind them.
    hidden = explain(b"\xff\xfe" + b"sshd[7]: mimikatz was here")
    holds(json.dumps(hidden), "mimikatz")
    hidden = explain(b"a\0b\0c\0d\0" + b"mimikatz was here")
    holds(json.dumps(hidden), "mimikatz")


@test
def files_in_utf_16_are_hunted_in(folder):
    lines = [SSHD.format("åsa"), SSHD.format("eva")]
    rule = write(folder / "rule.yml", "title: R\nlogsource: {product: linux, service: sshd}\ndetection:\n"
                 "  s: {user.name: [åsa, eva]}\n  condition: s\n")
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        for end in ("\n", "\r\n"):
            path = write(folder / "night.log", (end.join(lines) + end).encode(encoding))
            run = vaka("hunt", "-f", "json", "-r", rule, path)
            same((encoding, end, run.status, len(run.alerts())), (encoding, end, 0, 2))


@test
def followed_files_and_senders_may_use_utf_16(folder):
    rules = folder / "rules.d"
    rules.mkdir()
    write(rules / "r.yml", "title: R\nid: 5b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11\nlevel: high\n"
          "logsource: {product: linux, service: sshd}\ndetection:\n  s: {source.ip: 192.0.2.7}\n  condition: s\n")
    log = folder / "app.log"
    write(log, "".join(SSHD.format(f"å{i}") + "\r\n" for i in range(3)).encode("utf-16"))
    more = APART + f"files:\n  follow: {log}\n"
    with Serve(VAKA, folder, more, rules="rules.d").start() as serve:
        serve.wait(lambda: len(serve.found()) == 3, "the lines of the file")
        with serve.tcp() as s:
            s.sendall((SSHD.format("å3") + "\n").encode("utf-16-le"))
            s.sendall((SSHD.format("å4") + "\n").encode("utf-16-le"))
            serve.wait(lambda: len(serve.found()) == 5, "what the sender sent")
        same({name for a in serve.found() for name in a["entities"]["user.name"]}, {f"å{i}" for i in range(5)})


@test
def clocks_are_read_or_not_but_never_guessed(folder):
    del folder
    cases = {  # the time in the record: what it is, read at NOW
        "2026-11-26T10:00:00Z": "2026-11-26T10:00:00.000Z",
        "2026-11-26T11:00:00+01:00": "2026-11-26T10:00:00.000Z",
        "2036-11-26T10:00:00Z": "2036-11-26T10:00:00.000Z",
        "2016-11-26T10:00:00Z": "2016-11-26T10:00:00.000Z",
        "1970-01-01T00:00:00Z": "1970-01-01T00:00:00.000Z",
        "2016-12-31T23:59:60Z": "2017-01-01T00:00:00.000Z",
        "9999-12-31T23:59:59Z": None,
        "0000-00-00T00:00:00Z": None,
        "2026-02-30T10:00:00Z": None,
        "2026-11-26T25:00:00Z": None,
        "2026-11-26T10:00:00+99:00": None,
        "Nov 26 10:00:00": "2026-11-26T10:00:00.000Z",
        "Nov 27 10:00:00": "2026-11-27T10:00:00.000Z",  # of a zone, or a clock that is ahead
        "Nov 29 10:00:00": "2025-11-29T10:00:00.000Z",
        "Dec 31 10:00:00": "2025-12-31T10:00:00.000Z",
        "Feb 30 10:00:00": None,
    }
    for text, want in cases.items():
        record = SSHD.format("root").replace("2026-11-26T10:00:00Z", text)
        read = explain(record)
        same((text, read["product"], read.get("time")), (text, "sshd", want))
        seconds = (lambda t: datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp())
        same(read.get("ahead_s"), want and int(seconds(want) - seconds(NOW)))
    said = vaka("explain", "--now", NOW, SSHD.format("root").replace("2026", "2036")).out.decode()
    holds(said, "\ntime 2036-11-26T10:00:00.000Z, 3653 days ahead of the clock\n")
    said = vaka("explain", "--now", NOW, SSHD.format("root").replace("2026", "9999")).out.decode()
    holds(said, "\ntime not told; that of receipt counts\n")


@test
def clocks_of_senders_move_no_correlation(folder):
    """Five failures in a row are one burst, whatever year each of them claims: receipt counts."""
    rules = folder / "rules.d"
    rules.mkdir()
    write(rules / "r.yml", """title: Failed
id: 5b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11
name: failed
logsource: {product: linux, service: sshd}
detection:
  s: {source.ip: 192.0.2.7}
  condition: s
---
title: Burst
id: 6c2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11
level: high
correlation:
  type: event_count
  rules: failed
  group-by: [source.ip]
  timespan: 5s
  condition: {gte: 5}
""")
    with Serve(VAKA, folder, APART, rules="rules.d").start() as serve, serve.tcp() as s:
        for time in ("2016-11-26T10:00:00Z", "2036-11-26T10:00:00Z", "1970-01-01T00:00:00Z",
                     "9999-12-31T23:59:59Z", "Feb 30 10:00:00"):
            s.sendall(SSHD.format("root").replace("2026-11-26T10:00:00Z", time).encode() + b"\n")
        serve.wait(lambda: any(a["rule"]["title"] == "Burst" for a in serve.found()), "the burst")


if __name__ == "__main__":
    sys.exit(run_tests(ONLY))
