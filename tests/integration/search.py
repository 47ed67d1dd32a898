# SPDX-License-Identifier: EUPL-1.2
"""vaka search over what vaka serve has stored: search.py VAKA. Prints TAP."""
import collections
import contextlib
import csv
import fcntl
import io
import json
import os
import pathlib
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import time

from serving import Fail, Serve, holds, run_tests, same, test

VAKA = pathlib.Path(sys.argv[1]).resolve()
ZONE = {**os.environ, "TZ": "Europe/Stockholm"}


def search(serve, *words, status=0, form="json", env=None):
    """The rows of an answer, and what was said beside it."""
    result = subprocess.run([VAKA, "search", *words, "-f", form, "-c", serve.config],
                            cwd=serve.folder, check=False, capture_output=True, timeout=120,
                            env=env or ZONE)
    said = result.stderr.decode()
    if result.returncode != status:
        raise Fail(f"{words}: {result.returncode}: {said}")
    text = result.stdout.decode()
    return ([json.loads(line) for line in text.splitlines()] if form == "json" else text), said


def rows(serve, *words):
    return search(serve, *words)[0]


def send_lines(serve, lines):
    with serve.tcp() as s:
        s.sendall("".join(line + "\n" for line in lines).encode())


def send_json(serve, events):
    body = "".join(json.dumps(e) + "\n" for e in events).encode()
    status, answer = serve.post("/api/ingest", body)
    same((status, json.loads(answer)["refused"]), (200, 0))


def login(i):
    return (f"<38>Nov 26 10:{i % 60:02d}:00 host{i % 5} sshd[{i}]: Failed password for invalid user "
            f"u{i % 7} from 10.0.{i % 3}.{i} port {40000 + i} ssh2")


def event(i):
    return {"@timestamp": f"2026-07-26T09:00:{i % 60:02d}Z", "user": {"name": ["anna", "Bo"][i % 2]},
            "source": {"ip": f"192.168.{i % 4}.{i}"}, "n": i, "tags": ["a", "b"] if i % 3 else ["a"],
            "message": f"hej v\u00e4rlden {i}"}


@test
def the_unsealed_tail_is_searched(folder):
    with Serve(VAKA, folder, journal="64MiB").start() as serve:
        send_lines(serve, [login(i) for i in range(200)])
        serve.matched(200)
        send_json(serve, [event(i) for i in range(100)])
        serve.matched(300)
        same(len(list(folder.glob("var/store/0/segment-*"))), 0)
        same(rows(serve, "| count"), [{"count": 300}])
        same(rows(serve, "user.name: anna | count"), [{"count": 50}])
        same(rows(serve, "USER.NAME: x or user.name: BO | count"), [{"count": 50}])
        same(rows(serve, "sshd and not u3 | count"), [{"count": 171}])
        same(rows(serve, "ssh | count"), [{"count": 0}])
        same(rows(serve, "ssh* | count"), [{"count": 200}])
        same(rows(serve, "source.ip: 192.168.1.0/24 | count"), [{"count": 25}])
        same(rows(serve, "source.ip: 10.0.0.0/8 and source.port >= 40150 | count"), [{"count": 50}])
        same(rows(serve, "user.*: anna | count"), [{"count": 50}])
        same(rows(serve, "*.ip: 192.168.1.0/24 or us*: x | count"), [{"count": 25}])
        send_json(serve, [{"winlog": {"event_data": {"Image": "C:\\x.exe"}, "channel": "System"}}])
        serve.matched(301)
        same(rows(serve, "winlog.event_data.*: *x.exe | count"), [{"count": 1}])
        same(rows(serve, "winlog.event_data.*: System | count"), [{"count": 0}])
        same(rows(serve, "winlog.event_data.Im*: *x.exe and Image: *x.exe | count"), [{"count": 1}])
        same(rows(serve, "tags: b | count by user.name"),
             [{"user.name": "Bo", "count": 33}, {"user.name": "anna", "count": 33}])
        same(rows(serve, "v\u00c4RLDEN | count"), [{"count": 100}])
        same(rows(serve, "anna | stats sum(n), avg(n), min(n), max(n), p50(n), distinct(tags)"),
             [{"sum(n)": 2450, "avg(n)": 49, "min(n)": 0, "max(n)": 98, "p50(n)": 48,
               "distinct(tags)": 2}])
        same(rows(serve, "@timestamp < \"2026-07-26T09:00:10Z\" | count"), [{"count": 20}])
        same(rows(serve, "@timestamp < 2026-07-26T11:00:10 | count"), [{"count": 20}])
        same(rows(serve, "anna | table n, tags | head 2"), [{"n": 98, "tags": ["a", "b"]},
                                                            {"n": 96, "tags": "a"}])


@test
def events_are_told_the_newest_first_from_journals_and_segments(folder):
    with Serve(VAKA, folder, journal="1MiB").start() as serve:
        for part in range(30):
            send_lines(serve, [f"<13>Nov 26 10:00:00 h app: line-{part * 500 + i}. {'x' * 200}"
                               for i in range(500)])
            serve.stored((part + 1) * 500)
        serve.wait(lambda: list(folder.glob("var/store/0/segment-*")), "a segment")
        found = rows(serve, "line*")
        same([r["_seq"] for r in found], list(range(14999, -1, -1)))
        same(collections.Counter(r["_raw"].split("line-")[1].split(".")[0] for r in found),
             collections.Counter(map(str, range(15000))))
        same(rows(serve, "line* | head 3 | table _seq"), [{"_seq": n} for n in (14999, 14998, 14997)])
        for jobs in "1", "3":
            same(rows(serve, "line* | table _seq", "--jobs", jobs),
                 [{"_seq": n} for n in range(14999, -1, -1)])
        same(rows(serve, "\"line-7777.\" | table _seq"), [{"_seq": 7777}])


@test
def times_are_those_of_the_zone(folder):
    with Serve(VAKA, folder).start() as serve:
        send_json(serve, [event(0)])
        serve.matched(1)
        text, _ = search(serve, "anna", form="table")
        holds(text, "2026-07-26 11:00:00")
        holds(text, "(received ")
        text, _ = search(serve, "anna", "--utc", form="table")
        holds(text, "2026-07-26 09:00:00")
        text, _ = search(serve, "anna", "--set", "health.zone=America/New_York", form="table")
        holds(text, "2026-07-26 05:00:00")
        same(rows(serve, "anna | timechart 1d"),
             [{"_time": "2026-07-25T22:00:00.000Z", "count": 1}])
        same(rows(serve, "anna | timechart 1d", "--utc"),
             [{"_time": "2026-07-26T00:00:00.000Z", "count": 1}])
        same(rows(serve, "anna | count", "--from", "-1h"), [{"count": 1}])
        same(rows(serve, "anna | count", "--to", "-1h"), [{"count": 0}])
        same(rows(serve, "anna | count", "--from", "2026-01-01", "--to", "2026-01-02"),
             [{"count": 0}])


@test
def csv_and_tables_are_of_the_same_rows(folder):
    with Serve(VAKA, folder).start() as serve:
        send_json(serve, [event(i) for i in range(10)] + [{"user": {"name": "=1+1\x1b[31m"}}])
        serve.matched(11)
        text, _ = search(serve, "| count by user.name", form="csv")
        same(list(csv.reader(io.StringIO(text))),
             [["user.name", "count"], ["Bo", "5"], ["anna", "5"], ["'=1+1\x1b[31m", "1"]])
        text, _ = search(serve, "| count by user.name", form="table")
        same(text.splitlines(), ["user.name     count", "Bo                5",
                                 "anna              5", "=1+1\\x1b[31m      1"])
        text, _ = search(serve, "nothing", form="csv")
        same(text, '"_time","_received","_seq","_host","_source","_raw"\r\n')


@test
def mistakes_are_told_with_their_place(folder):
    with Serve(VAKA, folder).start() as serve:
        _, said = search(serve, "user.name: (anna or bo | count", status=2)
        same(said.splitlines()[:3], ["vaka: this parenthesis is not closed",
                                     "    user.name: (anna or bo | count",
                                     "               ^"])
        _, said = search(serve, "x | cuont", status=2)
        holds(said, "did you mean `count`?")
        _, said = search(serve, "user.nmae: anna")
        holds(said, "no product has a field `user.nmae`; did you mean `user.name`?")
        same(search(serve, "user.name: nobody and some.thing.else: x")[1], "")
        _, said = search(serve, "x", "--from", "yesterday", status=2)
        holds(said, "'yesterday' is not a point in time")
        _, said = search(serve, "x", "--from", "-1h", "--to", "-2h", status=2)
        holds(said, "--from is not before --to")
        _, said = search(serve, status=2)
        holds(said, "search needs a query")
        _, said = search(serve, "x", "--store", "nowhere", status=1)
        holds(said, "nowhere: No such file or directory")


def damage(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0xff]))


@test
def what_is_damaged_is_named(folder):
    with Serve(VAKA, folder, journal="1MiB").start() as serve:
        for part in range(20):
            send_lines(serve, [f"<13>Nov 26 10:00:00 h app: line-{part * 500 + i}. "
                               f"{os.urandom(100).hex()}" for i in range(500)])
            serve.stored((part + 1) * 500)
        serve.wait(lambda: list(folder.glob("var/store/0/segment-*")), "a segment")
        serve.stop()
        segments = sorted(folder.glob("var/store/0/segment-*"))
        same(rows(serve, "| count"), [{"count": 10000}])
        damage(segments[0], 5000)
        (folder / "var/store/0/damaged-00000000000000000123").write_bytes(b"x")
        # Not what an index counts without reading.
        found, said = search(serve, "line* | count", status=1)
        holds(said, "the block that begins with record 0 is damaged: its records were not read")
        holds(said, "the journal 123 was set aside as damaged")
        same(0 < found[0]["count"] < 10000, True)
        found, said = search(serve, "| stats min(_seq)", status=1)
        same(found[0]["min(_seq)"] > 0, True)


def fill_segments(serve, least=3):
    """So many segments or more, after which the serve has ended; their paths and how many records each has."""
    n, segments = 0, []
    while len(segments) < least:
        send_lines(serve, [f"<13>Nov 26 10:00:00 h app: line-{n + i}. {os.urandom(100).hex()}" for i in range(2000)])
        n += 2000
        serve.stored(n)
        segments = sorted(serve.folder.glob("var/store/0/segment-*"))
    serve.stop()
    listed = [json.loads(line) for line in serve.ask("store", "ls", "-f", "json").splitlines()]
    return n, sorted(serve.folder.glob("var/store/0/segment-*")), [row["records"] for row in listed]


@test
def a_segment_that_goes_meanwhile_is_no_damage(folder):
    serve = Serve(VAKA, folder, journal="1MiB").start()
    n, segments, counts = fill_segments(serve)
    same(len(segments), len(counts))
    store = folder / "var" / "store" / "0"
    words = ["search", "line* | count", "--jobs", "1", "-f", "json", "-c", serve.config]
    with turn_of(store):
        # pylint: disable-next=consider-using-with
        asking = subprocess.Popen([VAKA, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        serve.wait(lambda: waiting_for(store), "that it waits for its turn")
        # It has begun with the newest records and opens a segment when it comes to it: retention was faster.
        segments[0].unlink()
    out, said = asking.communicate()
    same((json.loads(out), asking.returncode), ({"count": n - counts[0]}, 0))
    same("damaged" in said.decode(), False)


@test
def of_several_tenants_one_is_searched(folder):
    serve = Serve(VAKA, folder, journal="1MiB").start()
    n, segments, counts = fill_segments(serve)
    other = folder / "var" / "store" / "7"
    other.mkdir()
    segments[0].rename(other / segments[0].name)
    same(rows(serve, "line* | count"), [{"count": n - counts[0]}])
    same(rows(serve, "line* | count", "--store", other), [{"count": counts[0]}])
    same(rows(serve, f"\"line-0.\" or \"line-{n - 1}.\" | table _seq"), [{"_seq": n - 1}])
    same(rows(serve, f"\"line-0.\" or \"line-{n - 1}.\" | table _seq", "--store", other), [{"_seq": 0}])


@test
def patterns_that_could_be_tried_in_many_ways_end(folder):
    with Serve(VAKA, folder).start() as serve:
        send_json(serve, [{"f": "a" * 60000, "n": 1}, {"f": "a" * 60000 + "b", "n": 2}])
        serve.matched(2)
        stars = "*a" * 100
        same(rows(serve, f"f: {stars}*b | table n"), [{"n": 2}])
        same(rows(serve, f"{stars}*b* | table n"), [{"n": 2}])
        same(rows(serve, f"f: {stars}*c or {stars}*c* | count"), [{"count": 0}])
        same(rows(serve, f"{'*.' * 40}f: x | count"), [{"count": 0}])
        same(rows(serve, f"{'(' * 50}f: x{')' * 50} or n: 2 | table n"), [{"n": 2}])


@test
def times_that_cannot_be_are_refused(folder):
    with Serve(VAKA, folder).start() as serve:
        send_json(serve, [event(0)])
        serve.matched(1)
        for time_ in ("2026-02-30", "2026-13-01", "2026-01-01 25:00", "2026-01-01T00:00:00+99:99", "0000-01-01",
                      "9999-12-31", "-999999999999999d", "-99999999999999999999d", "--5d", "24:00", ""):
            for option in "--from", "--to":
                _, said = search(serve, "anna | count", option, time_, status=2)
                holds(said, f"{option}: '{time_}' is not a point in time")
        # An hour that a change of clocks leaves out is one all the same: nothing is missed.
        same(rows(serve, "anna | count", "--from", "2026-03-29 02:30"), [{"count": 1}])
        same(rows(serve, "anna | count", "--from", "2262-04-10"), [{"count": 0}])
        same(rows(serve, "anna | count", "--from", "1678-01-01", "--to", "2262-04-10"), [{"count": 1}])


@test
def limits_of_time_and_memory_are_kept_and_told(folder):
    with Serve(VAKA, folder, journal="64MiB").start() as serve:
        for part in range(10):
            send_lines(serve, [f"<13>Nov 26 10:00:00 h app: user=u{part * 5000 + i} {'y' * 40}"
                               for i in range(5000)])
        serve.matched(50000)
        found, said = search(serve, "| count by _raw | stats count", "--set", "search.memory=1MiB",
                             status=1)
        holds(said, "search.memory is spent")
        same(0 < found[0]["count"] < 50000, True)
        same(rows(serve, "| count by _raw | stats count"), [{"count": 50000}])
        serve.stop()


def waiting_for(path):
    """Processes that wait for a lock on it, which somebody else has."""
    inode = f":{path.stat().st_ino} "
    lines = pathlib.Path("/proc/locks").read_text(encoding="ascii").splitlines()
    return [int(line.split()[5]) for line in lines if " -> " in line and inode in line]


@contextlib.contextmanager
def turn_of(store):
    """Nobody else has his turn meanwhile."""
    turn = os.open(store, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        os.close(turn)


def waits_for_its_turn(serve, words, out):
    """A command that reads the records and has this as its output waits for its turn longer than
    detect.silence: it is not taken for one that hangs."""
    store = serve.folder / "var" / "store" / "0"
    with turn_of(store):
        # pylint: disable-next=consider-using-with
        asking = subprocess.Popen([VAKA, *words, "-f", "json", "-c", serve.config], cwd=serve.folder,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        serve.wait(lambda: waiting_for(store), "that it waits for its turn")
        [waiting] = waiting_for(store)
        same(os.sched_getscheduler(waiting), os.SCHED_IDLE)
        same(os.getsid(waiting) in (os.getsid(0), os.getsid(asking.pid)), False)
        group = pathlib.Path(f"/proc/{waiting}/autogroup")
        if group.exists():
            holds(group.read_text(encoding="ascii"), "nice 10")
        time.sleep(3)
        same(waiting_for(store), [waiting])
    same((asking.communicate()[0], asking.returncode), (out, 0))


@test
def who_asks_by_hand_takes_turns_apart_from_everything_else(folder):
    with Serve(VAKA, folder, more="detect:\n  silence: 1s\nsearch:\n  background: true\n").start() as serve:
        send_lines(serve, [f"<13>Nov 26 10:00:00 h app: {i}" for i in range(300)])
        serve.matched(300)
        # The one waits before it reads products, of the other who reads records.
        waits_for_its_turn(serve, ["search", "| count"], b'{"count":300}\n')
        waits_for_its_turn(serve, ["hunt", "--store", "-r", serve.folder / "rules"], b"")
        serve.stop()


def lock_of_first_byte(kind):
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 1, 0)


def is_behind(folder):
    """Whether somebody says that records wait to be matched; fcntl(2), struct flock."""
    found = fcntl.fcntl(folder, fcntl.F_OFD_GETLK, lock_of_first_byte(fcntl.F_WRLCK))
    return struct.unpack("hhqqi4x", found)[0] != fcntl.F_UNLCK


def engines(serve):
    detect = serve.status()["detect"]["pid"]
    return [int(pid) for pid in pathlib.Path(f"/proc/{detect}/task/{detect}/children").read_text().split()]


@test
def searches_give_way_while_matching_is_behind(folder):
    with Serve(VAKA, folder, more="detect:\n  silence: 60s\n", journal="64MiB").start() as serve:
        store = os.open(serve.folder / "var" / "store" / "0", os.O_RDONLY)
        send_lines(serve, [login(1)])
        serve.matched(1)
        serve.wait(lambda: not is_behind(store), "that nothing waits")
        stopped = engines(serve)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        send_lines(serve, [login(2)])
        serve.wait(lambda: is_behind(store), "that a record waits")
        # It is not held up for ever.
        same(rows(serve, "| count"), [{"count": 2}])
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        serve.matched(2)
        serve.wait(lambda: not is_behind(store), "that nothing waits any more")
        for part in range(10):
            send_lines(serve, [f"<13>Nov 26 10:00:00 h app: {part * 5000 + i}" for i in range(5000)])
        serve.matched(50002)
        serve.stop()
        # It is held up ten times as long as it works; other work on the machine makes it only longer.
        fcntl.fcntl(store, fcntl.F_OFD_SETLK, lock_of_first_byte(fcntl.F_RDLCK))
        begun, before = time.monotonic(), os.times()
        same(rows(serve, "no.such: 1 | count"), [{"count": 0}])
        took, after = time.monotonic() - begun, os.times()
        os.close(store)
        used = after.children_user + after.children_system - before.children_user - before.children_system
        same(took > 3 * used, True)


def interrupt(serve):
    """^C in a terminal of its own; what was told, and the exit status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(serve.folder)
        os.execv(VAKA, [VAKA, "search", "*", "-c", serve.config, "--jobs", "1"])
    text = b""
    sent = False
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
        if not sent:
            os.kill(pid, signal.SIGINT)
            sent = True
    return text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@test
def an_interrupt_ends_it_with_what_was_found(folder):
    with Serve(VAKA, folder, journal="64MiB").start() as serve:
        for part in range(10):
            send_lines(serve, [f"<13>Nov 26 10:00:00 h app: {part * 5000 + i} {'y' * 400}"
                               for i in range(5000)])
        serve.matched(50000)
        serve.stop()
        text, status = interrupt(serve)
        # It may have been through before the signal came.
        same(status in (0, 130), True)
        if status == 130:
            holds(text.decode(), "ended: this is what was found in the newest")


@test
def the_plan_is_explained(folder):
    with Serve(VAKA, folder).start() as serve:
        text, _ = search(serve, "user.name: anna* and not x | count by host.name", "--explain",
                         "--from", "2026-11-25 03:00", form="table")
        same(text.splitlines(),
             ["received  2026-11-25 03:00:00 to now", "", "all of", "  user.name is anna*", "  not",
              "    any value has x", "", "group -> host.name, count", "",
              "all blocks are read: the filter needs no whole word", "all records are taken apart"])
        text, _ = search(serve, "source.ip: 10.0.0.5 and (failed or Passw*)", "--explain",
                         form="table")
        holds(text, 'only records are taken apart that have "10.0.0.5" in their bytes')


@test
def records_that_are_passed_over_by_their_bytes_have_nothing(folder):
    with Serve(VAKA, folder, journal="1MiB").start() as serve:
        odd = [{"user": {"name": f"r\u006fot{i}"}, "message": "r\u00f6d"} for i in range(20)]
        for part in range(5):
            send_lines(serve, [login(part * 1000 + i) for i in range(1000)])
            send_lines(serve, [f"<13>Nov 26 10:00:00 h app: {json.dumps(event(i))}" for i in range(99)])
            send_json(serve, [event(i) for i in range(500)])
            body = "".join(json.dumps(e).replace("\\\\", "\\") + "\n" for e in odd).encode()
            same(serve.post("/api/ingest", body)[0], 200)
            serve.stored((part + 1) * 1619)
        for query, least in (("u3", 1), ("root7", 5), ("r\u00f6d", 100), ("anna", 1), ("host2", 1),
                             ("user.name: root7", 5), ("source.ip: 10.0.2.8", 1), ("nowhere", 0),
                             ("source.ip: 192.168.*", 1), ("\"failed password\"", 5000),
                             ("message: v\u00e4rlden", 1), ("u3 or anna or root*", 1)):
            # A number may be written in many ways: with one of them all records are taken apart.
            found = rows(serve, f"{query} | stats count, distinct(_seq)")
            same(found, rows(serve, f"({query}) or no.such: 1 | stats count, distinct(_seq)"))
            same(found[0]["count"] >= least, True)


@test
def it_goes_on_while_records_come(folder):
    with Serve(VAKA, folder, journal="1MiB").start() as serve:
        sent = 0
        for _ in range(10):
            send_lines(serve, [f"<13>Nov 26 10:00:00 h app: n{i} {'z' * 300}" for i in range(2000)])
            sent += 2000
            serve.stored(sent)
            found = rows(serve, "| stats count, distinct(_seq)")[0]
            same((found["count"] >= sent, found["count"]), (True, found["distinct(_seq)"]))
            time.sleep(0.05)


@test
def searches_are_kept_by_name(folder):
    with Serve(VAKA, folder).start() as serve:
        send_json(serve, [event(i) for i in range(10)])
        serve.matched(10)
        same(search(serve, "--list", form="table")[0], "")
        same(rows(serve, "user.name: anna | count", "--save", "annas"), [{"count": 5}])
        search(serve, "n >= 8", "--save", "last-two", "--explain", form="table")
        same(rows(serve, "--saved", "annas"), [{"count": 5}])
        same(rows(serve, "--saved", "last-two", "| count"), [{"count": 2}])
        same(search(serve, "--list", form="table")[0].split("\n")[0].split(maxsplit=1),
             ["annas", "user.name: anna | count"])
        same(rows(serve, "user.name: anna and n < 4 | count", "--save", "annas"), [{"count": 2}])
        same(rows(serve, "--saved", "annas"), [{"count": 2}])
        _, said = search(serve, "--saved", "anna", status=2)
        holds(said, "no search is saved as `anna`; did you mean `annas`?")
        _, said = search(serve, "x", "--save", "../x", status=2)
        holds(said, "'../x' is no name")
        _, said = search(serve, "(x", "--save", "wrong", status=2)
        holds(said, "this parenthesis is not closed")
        same(sorted(p.name for p in folder.glob("var/searches/*")), ["annas", "last-two"])


@test
def a_search_becomes_a_rule(folder):
    with Serve(VAKA, folder).start() as serve:
        events = [event(i) for i in range(40)]
        send_json(serve, events)
        serve.matched(40)
        (folder / "events.ndjson").write_text("".join(json.dumps(e) + "\n" for e in events), "utf-8")
        for number, query in enumerate(("user.name: ANNA and not source.ip: 192.168.1.0/24", "n >= 30 or hej",
                                        "tags: (b or c) and n: (3 or 4 or 5)", "v\u00e4rlden and user: *",
                                        "message: \"V\u00c4RLDEN 7\" or n: 1*")):
            wanted = [r["_seq"] for r in rows(serve, query + " | sort _seq | table _seq")]
            same(len(wanted) > 0, True)
            path = folder / f"rule{number}.yml"
            text = search(serve, query, "--as-rule", "--title", "T: 'x'", "--level", "high", form="table")[0]
            holds(text, "title: 'T: ''x'''\n")
            holds(text, "level: high\n")
            same(search(serve, query, "--save-rule", path, form="table")[0], "")
            serve.ask("rules", "check", path)
            run = subprocess.run([VAKA, "hunt", "-r", path, "-f", "json", "events.ndjson"], cwd=folder, check=True,
                                 capture_output=True, timeout=60)
            alerts = [json.loads(line) for line in run.stdout.splitlines()]
            same([a["source"]["record"] - 1 for a in alerts], wanted)
            same({a["rule"]["level"] for a in alerts}, {"medium"})
        _, said = search(serve, "n: 1", "--save-rule", folder / "rule0.yml", form="table", status=1)
        holds(said, "File exists")
        for query, part in (("n: 1 | count", "no pipes; it is what stands before them\n    n: 1 | count\n         ^"),
                            ("n*: 1", "a rule has no wildcards in the names of fields\n    n*: 1\n        ^"),
                            ("n: 1 or (@timestamp > now-1d)", "a rule does not compare points in time"),
                            ("n: 007", "a rule takes this number for others"), ("*", "a rule needs something")):
            holds(search(serve, query, "--as-rule", form="table", status=2)[1], part)


def examples():
    """The records of docs/search.md, and its commands with what they print."""
    text = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "search.md").read_text("utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    records = next(block for kind, block in blocks if kind == "ndjson")
    commands = [part for kind, block in blocks if not kind
                for part in re.findall(r"^\$ (.*)\n((?:[^$].*\n|\n)*)", block, re.M)]
    return records, commands


@test
def the_examples_of_the_manual_are_right(folder):
    records, commands = examples()
    with Serve(VAKA, folder).start() as serve:
        same(serve.post("/api/ingest", records.encode())[0], 200)
        serve.matched(records.count("\n"))
        same(len(commands) >= 30, True)
        for command, want in commands:
            words = shlex.split(command)
            same(words[:2], ["vaka", "search"])
            result = subprocess.run([VAKA, *words[1:], "-c", serve.config], check=False, env=ZONE,
                                    capture_output=True, timeout=60)
            got = result.stdout.decode() or "".join(
                line + "\n" for line in result.stderr.decode().splitlines() if "--help" not in line)
            if got != want:
                raise Fail(f"{command}\n{got}\nnot\n{want}")


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:]))
