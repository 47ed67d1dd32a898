# SPDX-License-Identifier: EUPL-1.2
"""Indexes, by which searches pass over blocks: index.py VAKA. Prints TAP."""
import hashlib
import json
import pathlib
import re
import subprocess
import sys

from common import less
from serving import Fail, Serve, holds, run_tests, same, test

VAKA = pathlib.Path(sys.argv[1]).resolve()
FAST = "index:\n  share: 100\n"
MANY = less(110, 48)  # blocks: of several segments

PRODUCT = """title: T
evidence: unverified
recognise: {program: [zeppelin]}
steps:
  - set: {event.module: zeppelin, event.action: %s}
samples:
  - record: '<38>Jun 14 15:16:01 web1 zeppelin[7]: x'
    expect: {event.action: %s}
"""


def search(serve, query, status=0):
    """(count, blocks read, blocks passed over, what else was said)."""
    result = subprocess.run([VAKA, "search", f"{query} | count", "-c", serve.config],
                            cwd=serve.folder, check=False, capture_output=True, timeout=120)
    said = result.stderr.decode()
    if result.returncode != status:
        raise Fail(f"{query}: {result.returncode}: {said}")
    read, passed = map(int, re.search(r"(\d+) blocks read, (\d+) passed over", said).groups())
    return int(result.stdout.split()[-1]), read, passed, said


def words(seed, n):
    """Of 100 letters, so that they are few and hardly become smaller."""
    return " ".join(hashlib.sha512(f"{seed} {i}".encode()).hexdigest()[:100] for i in range(n))


def fill(serve, blocks):
    """Records for so many blocks, 128 in each of them; the tail stays in the journal."""
    n = blocks * 128
    for begin in range(0, n, 256):
        with serve.tcp() as s:
            for i in range(begin, min(begin + 256, n)):
                s.sendall(f"<38>Nov 26 10:00:00 host{i} zeppelin[{i}]: mark-{i}x from 10.7.{i // 200}.{i % 200} "
                          f"{words(i, 80)}\n".encode())
    serve.matched(n)
    return n


def indexes(serve):
    return sorted(serve.folder.glob("var/store/0/index/index-*"))


def is_indexed(serve, least=1):
    """Waits until every segment has an index that is current; how many."""
    state = serve.shows(lambda s: s["index"]["current"] == s["index"]["segments"] >= least and
                        s["index"]["segments"] == len(segments(serve)), "all is indexed")["index"]
    return state["current"]


def segments(serve):
    return sorted(serve.folder.glob("var/store/0/segment-*"))


@test
def only_blocks_that_may_have_it_are_read(folder):
    with Serve(VAKA, folder, journal="8MiB", more=FAST).start() as serve:
        n = fill(serve, MANY)
        serve.wait(lambda: len(segments(serve)) >= 4, "segments")
        is_indexed(serve, 4)
        sealed = waiting = 0

        def enough():
            nonlocal sealed, waiting
            every, read, _, _ = search(serve, "mark*")
            same(every, n)
            waiting = search(serve, "zqxjwvkabsent")[1]
            sealed = read - waiting
            return sealed > MANY // 2
        serve.wait(enough, "most blocks are sealed and have their index")
        for query, found in (("zqxjwvkabsent", 0), ("mark-17x", 1), ("source.ip: 10.9.9.9", 0),
                             ("10.7.0.21", 1), ("hostname: host5", 1), ("hostname: hos*", n),
                             ("event.action: no-such-thing", 0), ("mark-3x or mark-4x", 2),
                             ("not mark-3x", n - 1)):
            count, read, passed, _ = search(serve, query)
            same((query, count), (query, found))
            # One block that has it, and one in a hundred that only looks so.
            if found < 10 and read - waiting > 2 + found + sealed // 100:
                raise Fail(f"{query}: {read} blocks read, {passed} passed over")
        raw = sum(json.loads(line)["raw_bytes"] for line in serve.ask("store", "ls", "-f", "json").splitlines())
        size = sum(path.stat().st_size for path in indexes(serve))
        if size > raw / 50:
            raise Fail(f"{size} bytes of indexes for {raw}")


HOSTS = """title: Hosts
id: 7b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11
status: test
level: high
logsource: {{}}
detection:
  known: {{host.name: [{hosts}]}}
  sent: {{source.ip: 10.9.9.9}}
  condition: 1 of them
"""


def hunt(serve, rule):
    """(numbers of records found, events read, records passed over, what else was said)."""
    result = subprocess.run([VAKA, "hunt", "--store", "-r", rule, "-f", "json", "--stats", "-c", serve.config],
                            cwd=serve.folder, check=False, capture_output=True, timeout=120)
    said = result.stderr.decode()
    if result.returncode != 0:
        raise Fail(f"{result.returncode}: {said}")
    stats = json.loads(said.splitlines()[-1])
    found = [json.loads(line)["source"]["record"] for line in result.stdout.splitlines()]
    return found, stats["events"], stats["passed_over"], said


@test
def rules_read_only_blocks_in_which_one_can_hold(folder):
    with Serve(VAKA, folder, journal="8MiB", more=FAST + "triage:\n  alike: 0s\n").start() as serve:
        n = fill_events(serve, MANY)
        serve.wait(lambda: len(segments(serve)) >= 4, "segments")
        is_indexed(serve, 4)
        some, all_of_them = folder / "some.yml", folder / "all.yml"
        some.write_text(HOSTS.format(hosts="host17, host4000"), encoding="utf-8")
        all_of_them.write_text(HOSTS.format(hosts="'*ost17', '*ost4000'"), encoding="utf-8")
        found, read, passed, _ = hunt(serve, some)
        same((found, read + passed), ([17, 4000], n))
        if passed < n // 4:
            raise Fail(f"{passed} of {n} records were passed over")
        same(hunt(serve, all_of_them)[:3], ([17, 4000], n, 0))
        # By itself, with the same index; the rule of all tests, which needs no word, may have been looked for first.
        serve.shows(lambda s: s["retro"]["state"] == "idle", "nothing is left to be looked for")
        (folder / "rules" / "some.yml").write_text(some.read_text(encoding="utf-8"), encoding="utf-8")
        serve.ask("reload")
        state = serve.shows(lambda s: s["retro"]["matches"] == 2 and s["retro"]["state"] == "idle", "a pass")["retro"]
        same(state["records"], n)
        if state["blocks_passed"] < state["blocks_read"]:
            raise Fail(str(state))
        serve.stop()
        # What has no index, or one that is damaged, is read.
        first, *others = indexes(serve)
        first.write_bytes(bytes([first.read_bytes()[0] ^ 1]) + first.read_bytes()[1:])
        for path in others:
            path.unlink()
        found, read, passed, said = hunt(serve, some)
        same((found, read, passed), ([17, 4000], n, 0))
        same(said.count("the index of the segment 0 is damaged: all of its records were read"), 1)


def count_by(serve, field, more=()):
    """({value: how many}, blocks read, what else was said)."""
    result = subprocess.run([VAKA, "search", f"| count by {field}", "-c", serve.config, *more],
                            cwd=serve.folder, check=False, capture_output=True, timeout=120)
    said = result.stderr.decode()
    rows = [line.split() for line in result.stdout.decode().splitlines()[1:]]
    return ({value: int(n) for value, n in rows}, int(re.search(r"(\d+) blocks read", said).group(1)), said)


def fill_events(serve, blocks):
    """The same of events of ECS; some without a user, and some with two tags of an action."""
    n = blocks * 128
    for begin in range(0, n, 128):
        events = [{"host": {"name": f"host{i}"}, "process": {"pid": i}, "message": words(i, 80),
                   **({"user": {"name": f"u{i % 7}"}} if i % 3 else {}),
                   "event": {"action": ["a", "b"] if i % 2 else "a"}} for i in range(begin, begin + 128)]
        status, _ = serve.post("/api/ingest", "".join(json.dumps(e) + "\n" for e in events).encode())
        same(status, 200)
    serve.matched(n)
    return n


@test
def what_is_only_counted_is_not_read(folder):
    with Serve(VAKA, folder, journal="8MiB", more=FAST).start() as serve:
        n = fill_events(serve, MANY)
        serve.wait(lambda: len(segments(serve)) >= 4, "segments")
        is_indexed(serve, 4)
        serve.stop()
        of_journals = search(serve, "zqxjwvkabsent")[1]
        hosts = {f"host{i}": 1 for i in range(n)}
        users = {"-": sum(i % 3 == 0 for i in range(n)),
                 **{f"u{u}": sum(i % 3 > 0 and i % 7 == u for i in range(n)) for u in range(7)}}
        for field, want in (("host.name", hosts), ("user.name", users), ("event.action", {"a": n, "b": n // 2})):
            rows, read, _ = count_by(serve, field)
            same((field, rows), (field, want))
            if read > of_journals + 2:
                raise Fail(f"{field}: {read} blocks read, {of_journals} of journals")
        # What is not kept is read, and what is kept for other products, or damaged, is not believed.
        rows, read, _ = count_by(serve, "process.pid")
        same((rows, read > of_journals + MANY // 2), ({str(i): 1 for i in range(n)}, True))
        path = indexes(serve)[0]
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 4]))
        rows, read, said = count_by(serve, "host.name")
        same((rows == hosts, read > of_journals + 2), (True, True))
        holds(said, "the index of the segment 0 is damaged")
        path.unlink()
        rows, read, said = count_by(serve, "host.name")
        same((rows == hosts, read > of_journals + 2), (True, True))
        holds(said, "blocks have no index that is current")
        # Blocks of which not all is asked for are read.
        line = json.loads(serve.ask("store", "ls", "-f", "json").splitlines()[-1])
        middle = line["earliest"][:19] + "Z"
        before, after = (sum(count_by(serve, "host.name", (way, middle))[0].values()) for way in ("--to", "--from"))
        same(before + after, n)


@test
def other_products_say_other_things(folder):
    product = folder / "zeppelin.yml"
    product.write_text(PRODUCT % ("rising", "rising"))
    with Serve(VAKA, folder, more=FAST + "products: zeppelin.yml\n").start() as serve:
        n = fill(serve, 4)
        serve.wait(lambda: len(segments(serve)) >= 2, "segments")
        is_indexed(serve, 2)
        same(search(serve, "event.action: rising")[0], n)
        count, _, passed, _ = search(serve, "event.action: falling")
        same((count, passed > 0), (0, True))
        # Before anything else has heard of it: what was made for the other one is not asked.
        product.write_text(PRODUCT % ("falling", "falling"))
        count, _, passed, said = search(serve, "event.action: falling")
        same((count, passed), (n, 0))
        holds(said, " blocks have no index that is current")
        same(search(serve, "event.action: rising")[0], 0)
        holds(serve.ask("store", "ls"), "  stale  ")
        serve.ask("reload")
        serve.wait(lambda: " stale " not in serve.ask("store", "ls"), "all is indexed anew")
        is_indexed(serve, 2)
        same(search(serve, "event.action: falling")[0], n)
        count, _, passed, _ = search(serve, "event.action: rising")
        same((count, passed > 0), (0, True))


@test
def damage_is_told_and_nothing_is_missed(folder):
    with Serve(VAKA, folder, more=FAST).start() as serve:
        n = fill(serve, 4)
        serve.wait(lambda: len(segments(serve)) >= 2, "segments")
        is_indexed(serve, 2)
        serve.shows(lambda s: s["seal"]["signed"] == s["store"]["next"], "all is signed")
        serve.stop()
        path = indexes(serve)[0]
        whole = path.read_bytes()
        for at in (3, 20, 60, 78, 90, len(whole) - 1):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
            for i in range(0, n, 128 // less(4)):
                same(search(serve, f"mark-{i}x")[0], 1)
            same(serve.ask("verify").splitlines()[-1], "intact")
            if at >= 78:
                holds(serve.ask("verify"), f"1 of {len(indexes(serve))} indexes damaged, the first index/{path.name}")
        path.write_bytes(whole[:90] + b"?" + whole[91:])
        holds(search(serve, "mark-1x")[3], "the index of the segment 0 is damaged")
        holds(serve.ask("store", "ls"), "damaged")
        holds(serve.ask("store", "index"), f"{len(segments(serve))} of {len(segments(serve))} segments indexed, 1 now")
        same(path.read_bytes(), whole)
        path.unlink()
        holds(serve.ask("store", "ls"), "missing")
        same(search(serve, "mark-1x")[0], 1)
        holds(serve.ask("store", "index", folder / "var/store/0"), " 1 now")
        holds(serve.ask("store", "index", "--all"), f" {len(segments(serve))} now")
        same(path.read_bytes(), whole)
        (path.parent / "index-00000000000000009999").write_bytes(b"of no segment")
        serve.start()
        serve.wait(lambda: not (path.parent / "index-00000000000000009999").exists(), "that is removed")
        path.write_bytes(b"short")
        serve.stop()
        serve.start()
        serve.wait(lambda: path.read_bytes() == whole, "the index is made anew")


@test
def a_process_that_is_killed_begins_anew(folder):
    with Serve(VAKA, folder, more="index:\n  share: 1\n").start() as serve:
        n = fill(serve, 4)
        serve.wait(lambda: len(segments(serve)) >= 2, "segments")
        serve.wait(lambda: list(folder.glob("var/store/0/index/trying")), "it works")
        serve.kill("index")
        serve.shows(lambda s: s["index"]["starts"] == 2, "another one")
        for i in range(0, n, 128 // less(4)):
            same(search(serve, f"mark-{i}x")[0], 1)
        serve.shows(lambda s: s["seal"]["checkpoints"] > 0, "a checkpoint")
        same(serve.ask("verify").splitlines()[-1], "intact")
        serve.stop()
        serve.config.write_text(serve.config.read_text().replace("share: 1\n", "share: 100\n"))
        serve.start()
        is_indexed(serve, 2)


@test
def a_segment_that_ends_it_is_left_alone(folder):
    with Serve(VAKA, folder, more=FAST).start() as serve:
        n = fill(serve, 4)
        serve.wait(lambda: len(segments(serve)) >= 2, "segments")
        serve.stop()
        serve.start()  # what waited is sealed
        serve.wait(lambda: serve.status()["seal"]["sealed"] == n, "all is sealed")
        is_indexed(serve, 3)
        serve.stop()
        trying = folder / "var/store/0/index/trying"
        newest = max(indexes(serve))
        version, _, _ = trying.read_text().split()
        trying.write_text(f"{version} {int(newest.name[-20:])} 3\n")
        newest.unlink()
        serve.start()
        state = serve.shows(lambda s: s["index"]["left"] == 1, "one is left alone")["index"]
        same((state["current"], state["missing"]), (len(segments(serve)) - 1, 0))
        serve.wait(lambda: any("has no index" in json.dumps(a) for a in serve.alerts()), "an alert")
        for i in range(0, n, 128 // less(4)):
            same(search(serve, f"mark-{i}x")[0], 1)


@test
def none_is_made_with_no_share(folder):
    with Serve(VAKA, folder, more="index:\n  share: 0\n").start() as serve:
        fill(serve, 4)
        serve.wait(lambda: segments(serve), "a segment")
        same(search(serve, "mark-1x")[0], 1)
        same((indexes(serve), serve.status()["index"]["made"]), ([], 0))
        holds(serve.ask("search", "user.name: bo*", "--explain"), "all blocks are read")
        holds(serve.ask("search", "user.name: bo and event.action: (a.b or c)", "--explain"),
              "blocks are passed over whose index is current and does not have\n  bo")


sys.exit(run_tests(sys.argv[2:], together=3))
