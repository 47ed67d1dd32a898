# SPDX-License-Identifier: EUPL-1.2
"""Lists of indicators in a vaka serve that runs: indicators.py VAKA. Prints TAP."""
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

from serving import Serve, holds, run_tests, same, test

VAKA = pathlib.Path(sys.argv[1]).resolve()
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "indicators.md"
DIGEST = "0123456789abcdef" * 4


def send(serve, events):
    body = "".join(json.dumps(event) + "\n" for event in events).encode()
    before = serve.status()["triage"]["matched"]
    status, answer = serve.post("/api/ingest", body)
    same((status, json.loads(answer)["refused"]), (200, 0))
    serve.matched(before + len(events))


def told(serve):
    """Of each alert the value and its indicator."""
    return sorted((m["value"], m["indicator"]["value"], m["indicator"]["description"])
                  for alert in serve.found() for m in alert["matched"] if "indicator" in m)


def write(serve, name, text):
    path = serve.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def vaka(serve, *words):
    """(status, what it prints, what it says)."""
    run = subprocess.run([VAKA, *words, "-c", serve.config], cwd=serve.folder, check=False, timeout=60,
                         capture_output=True, text=True)
    return run.returncode, run.stdout, run.stderr


@test
def records_that_have_one_are_alerts_from_the_import_on(folder):
    with Serve(VAKA, folder).start() as serve:
        feed = write(serve, "feed.csv", "value,description,source\n198.51.100.0/24,a network,CERT\n"
                                        f"evil[.]example,a name,CERT\n{DIGEST},a file,\n"
                                        "http://b.example/x,a page,\neve@evil.test,mail,\n")
        events = [{"source": {"ip": "198.51.100.9"}}, {"source": {"ip": "198.51.101.9"}},
                  {"dns": {"question": {"name": "a.EVIL.example."}}},
                  {"dns": {"question": {"name": "notevil.example"}}},
                  {"Hashes": f"MD5=00,SHA256={DIGEST.upper()}"}, {"url": {"full": "https://b.example/x/"}},
                  {"email": {"from": {"address": "Eve <EVE@evil.test>"}}}]
        send(serve, events)
        same(told(serve), [])
        status, out, said = vaka(serve, "indicators", "import", feed)
        same((status, out), (0, "feed: 5 indicators taken (address 1, domain 1, url 1, hash 1, email 1), "
                                "0 doubled, 0 ended, 0 refused\n"))
        holds(said, "vaka serve matches with 6 rules now")
        send(serve, events)
        with serve.tcp() as s:  # what only a product tells
            s.sendall(b"<38>Nov 26 10:00:00 host1 sshd[12]: Failed password for root from 198.51.100.77 port 1 ssh2\n")
        serve.wait(lambda: len(told(serve)) >= 6, "alerts")
        same(told(serve), sorted([
            ("198.51.100.77", "198.51.100.0/24", "a network"),
            ("198.51.100.9", "198.51.100.0/24", "a network"), ("a.EVIL.example.", "evil.example", "a name"),
            (f"MD5=00,SHA256={DIGEST.upper()}", DIGEST, "a file"),
            ("https://b.example/x/", "http://b.example/x", "a page"),
            ("Eve <EVE@evil.test>", "eve@evil.test", "mail")]))
        same({a["rule"]["title"] for a in serve.found()} >= {"Indicator of the list feed (addresses)"}, True)
        holds(serve.ask("alerts"), "source.ip=198.51.100.9 (198.51.100.0/24: a network, CERT)")
        _, _, said = vaka(serve, "indicators", "import", feed)
        same(said, "")
        status, _, said = vaka(serve, "indicators", "remove", "feed")
        same(status, 0)
        holds(said, "with 1 rules now")
        count = len(serve.found())
        send(serve, [{"source": {"ip": "198.51.100.10"}}])
        same(len(serve.found()), count)
        same(vaka(serve, "indicators", "list"), (0, "", ""))
        same(vaka(serve, "indicators", "remove", "feed")[0], 1)


@test
def those_that_have_ended_are_no_alerts(folder):
    with Serve(VAKA, folder).start() as serve:
        day = datetime.datetime.now(datetime.timezone.utc)
        soon, never = (day + datetime.timedelta(seconds=2)).isoformat(), "2099-01-01"
        feed = write(serve, "feed.csv", "value,expires\n198.51.100.1,2020-01-01\n"
                                        f"198.51.100.2,{soon}\n198.51.100.3,{never}\n")
        _, out, _ = vaka(serve, "indicators", "import", feed, "-f", "json")
        same((json.loads(out)["indicators"], json.loads(out)["ended"]), (2, 1))
        serve.wait(lambda: datetime.datetime.now(datetime.timezone.utc) > day + datetime.timedelta(seconds=2),
                   "the end of one")
        same([json.loads(line)["value"] for line in
              serve.ask("indicators", "show", "feed", "-f", "json").splitlines()], ["198.51.100.3"])
        before = serve.pids("detect")
        serve.ask("reload")
        serve.wait(lambda: serve.pids("detect") not in ([], before) and len(serve.pids("detect")) == 1, "rules")
        send(serve, [{"source": {"ip": f"198.51.100.{i}"}} for i in (1, 2, 3)])
        serve.wait(lambda: told(serve), "the alert")
        same(told(serve), [("198.51.100.3", "198.51.100.3", "")])


@test
def an_exception_holds_for_a_list(folder):
    with Serve(VAKA, folder).start() as serve:
        feed = write(serve, "feed.csv", "value\nevil.example\n")
        vaka(serve, "indicators", "import", feed)
        rules = [json.loads(line) for line in serve.ask("rules", "list", "-f", "json").splitlines()]
        rule = next(r for r in rules if r["title"].startswith("Indicator of the list feed"))
        status, _, said = vaka(serve, "rules", "except", rule["id"], "--when", "dns.question.name: a.evil.example",
                               "--reason", "our own test")
        same((status, "matches with" in said), (0, True))
        send(serve, [{"dns": {"question": {"name": name}}} for name in ("a.evil.example", "b.evil.example")])
        serve.wait(lambda: told(serve), "the alert")
        same(told(serve), [("b.evil.example", "evil.example", "")])


@test
def rules_are_shown_and_counted_with_lists(folder):
    with Serve(VAKA, folder).start() as serve:
        vaka(serve, "indicators", "import", write(serve, "feed.csv", "value\nevil.example\n198.51.100.7\n"))
        send(serve, [{"source": {"ip": "198.51.100.7"}}])
        holds(serve.ask("rules", "list"), "Indicator of the list feed (names)")
        same(vaka(serve, "rules", "coverage")[0], 0)
        same(vaka(serve, "rules", "noise")[0], 0)
        holds(serve.ask("rules", "noise"), "Indicator of the list feed (addresses)")


@test
def what_is_wrong_with_a_list_is_told(folder):
    with Serve(VAKA, folder) as serve:
        def refused(text, *words, part, status=1):
            got = vaka(serve, "indicators", "import", write(serve, "feed.csv", text), *words)
            same((got[0], got[1]), (status, ""))
            holds(got[2], part)
        refused("", part="feed.csv: there is nothing in it")
        refused("type,comment\nip,x\n", part="feed.csv:1:1: the header names no column `value`")
        refused("value\n10.0.0.1\n", part="feed.csv:2:1: refused: `10.0.0.1`: the address is private")
        refused("value\n198.51.100.7\n", "--expires", "soon", part="--expires is a day, a moment or a span")
        refused("value\n198.51.100.7\n", "--name", "../x", part="is no name for a list", status=2)
        same((serve.folder / "var/indicators").exists() and os.listdir(serve.folder / "var/indicators"), [])
        status, _, said = vaka(serve, "hunt", "--indicators", "feed.csv", "--indicators", "./feed.csv", "feed.csv")
        same(status, 2)
        holds(said, "./feed.csv: another list is called so")
        status, _, said = vaka(serve, "indicators", "import", "-")
        same(status, 2)
        holds(said, "give the list a name with --name")
        status, out, _ = vaka(serve, "indicators", "import", write(serve, "feed.csv", "value\n198.51.100.7\n"),
                              "--dry-run")
        same((status, "nothing was kept" in out), (0, True))
        same(vaka(serve, "indicators", "show", "feed")[0], 1)
        status, out, said = vaka(serve, "indicators", "import", write(serve, "feed.csv", "198.51.100.7\n"))
        same(status, 0)
        holds(said, "vaka serve does not run")
        lists = list((serve.folder / "var/indicators/feed").glob("2*/list.csv"))
        lists[0].chmod(0o600)
        lists[0].write_text("value\n198.51.100.8\n", encoding="utf-8")
        holds(vaka(serve, "indicators", "show", "feed")[2], "it is not what was imported any more")
        holds(vaka(serve, "rules", "check", serve.folder / "rules")[1], "1")


@test
def a_changed_list_keeps_nothing_else_from_being_in_force(folder):
    with Serve(VAKA, folder) as serve:
        vaka(serve, "indicators", "import", write(serve, "feed.csv", "198.51.100.7\n"))
        vaka(serve, "indicators", "import", write(serve, "other.csv", "198.51.100.8\n"))
        path = next((serve.folder / "var/indicators/feed").glob("2*/list.csv"))
        path.chmod(0o600)
        path.write_text("value\n198.51.100.9\n", encoding="utf-8")
        serve.start()
        same((serve.status()["detect"]["rules"], serve.status()["detect"]["refused"]), (2, 1))


def blocks():
    """(the line before a block, its lines) of the page."""
    text = DOCS.read_text("utf-8")
    return [(text[:found.start()].rstrip().rsplit("\n", 1)[-1], found[1])
            for found in re.finditer(r"^```\n(.*?)^```$", text, re.M | re.S)]


@test
def the_examples_of_the_manual_are_right(folder):
    with Serve(VAKA, folder).start() as serve:
        for before, block in blocks():
            name = re.fullmatch(r"`([\w.]+)`:", before)
            if name:
                write(serve, name[1], block)
        plain = {**os.environ, "PATH": f"{VAKA.parent}:{os.environ['PATH']}"}
        count = 0
        for _, block in blocks():
            for command, want in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block, re.M):
                environment = plain if command.startswith("vaka hunt") else plain | {"VAKA_CONFIG": serve.config}
                run = subprocess.run(command, shell=True, cwd=serve.folder, env=environment, text=True, check=False,
                                     timeout=60, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                pattern = re.escape(want).replace(re.escape("..."), ".*")
                same(bool(re.fullmatch(pattern, run.stdout)) or (command, run.stdout), True)
                count += 1
        same(count, 4)


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:]))
