#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka serve reading files and the machine's journal: files.py VAKA [TEST...]. Prints TAP."""
import collections
import os
import pathlib
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from peers import JOURNAL_REMOTE, make_journal  # noqa: E402
from serving import APART, Fail, Serve, Skip, holds, run_tests, same, test  # noqa: E402

LINE = "VAKAMARK line-%d."
VAKA = str(pathlib.Path(sys.argv[1]).resolve())


def reading(folder, more=""):
    (folder / "logs").mkdir(exist_ok=True)
    return Serve(VAKA, folder, f"{APART}files:\n  follow: [{folder}/logs/*.log]\n{more}")


def lines(first, end):
    return "".join(f"Nov 26 03:00:00 h{i} app: {LINE % i}\n" for i in range(first, end))


def write(path, text):
    with open(path, "a", encoding="utf-8") as out:
        out.write(text)


def numbers(serve):
    """How often each line has an alert, so how often it was stored."""
    return collections.Counter(
        int(re.search(r"line-(\d+)\.", str(alert["event"]))[1]) for alert in serve.found())


def each_once(serve, n):
    serve.wait(lambda: len(numbers(serve)) >= n, f"{n} lines with alerts")
    serve.shows(lambda s: s["triage"]["matched"] == s["store"]["next"] >= n, "all is matched")
    same(numbers(serve), collections.Counter(range(n)))


def stored_of(serve, path):
    """Lines of a file that collect knows to be stored, and has said so."""
    return sum(s["records"]["stored"] for s in serve.status()["collect"]["sources"]
               if s["address"] == str(path))


@test
def files_are_read_across_their_rotation(folder):
    with reading(folder).start() as serve:
        log = folder / "logs" / "a.log"
        write(log, lines(0, 100))
        write(folder / "logs" / "b.log", lines(100, 150))
        write(folder / "logs" / "c.txt", lines(1000, 1010))
        serve.wait(lambda: len(numbers(serve)) == 150, "150 lines with alerts")
        log.rename(folder / "logs" / "a.log.1")
        write(folder / "logs" / "a.log.1", lines(150, 170))
        write(log, lines(170, 200))
        each_once(serve, 200)
        source = serve.found()[0]["source"]
        same((source["input"], source["listener"]), ("file", f"{folder}/logs/*.log"))
        same(serve.stop(), 0)
        write(log, lines(200, 300))
        serve.start()
        each_once(serve, 300)


@test
def what_was_stored_is_not_read_again_when_collect_is_killed(folder):
    random.seed(20261126)
    with reading(folder).start() as serve:
        n = 0
        known = set()
        for cycle in range(6):
            log = folder / "logs" / f"{cycle}.log"
            begin = n
            end = time.monotonic() + random.uniform(0.8, 1.6)
            while time.monotonic() < end:
                write(log, lines(n, n + 10))
                n += 10
                time.sleep(0.02)
            serve.wait(lambda log=log: stored_of(serve, log) > 0, "some are stored")
            known |= set(range(begin, begin + stored_of(serve, log)))
            serve.kill("collect")
        serve.wait(lambda: len(numbers(serve)) == n, f"{n} lines with alerts")
        serve.shows(lambda s: s["triage"]["matched"] == s["store"]["next"], "all is matched")
        twice = {line for line, times in numbers(serve).items() if times > 1}
        same(sorted(twice & known), [])
        if len(known) < 100:
            raise Fail(f"only {len(known)} lines were known to be stored")


@test
def nothing_is_lost_when_everything_is_killed(folder):
    random.seed(7)
    with reading(folder).start() as serve:
        log = folder / "logs" / "a.log"
        n = 0
        for cycle in range(4):
            for _ in range(random.randrange(5, 30)):
                write(log, lines(n, n + 20))
                n += 20
                time.sleep(0.02)
            if cycle == 2:
                log.rename(folder / "logs" / "old.log")
            serve.kill_all()
            serve.start()
        serve.wait(lambda: len(numbers(serve)) == n, f"{n} lines with alerts")
        # At rest everything is known to be stored: not a line comes again.
        serve.wait(lambda: serve.status()["collect"]["records"]["pending"] == 0, "no more waits")
        serve.shows(lambda s: s["triage"]["matched"] == s["store"]["next"], "all is matched")
        stored = serve.status()["store"]["next"]
        time.sleep(1.2)
        serve.kill_all()
        write(log, lines(n, n + 1))
        serve.start()
        serve.wait(lambda: serve.status()["store"]["next"] > stored, "one more")
        serve.wait(lambda: len(numbers(serve)) == n + 1, "the new line")
        same(serve.status()["store"]["next"], stored + 1)


@test
def what_the_store_has_not_taken_is_read_again(folder):
    with reading(folder).start() as serve:
        for cycle in range(4):
            write(folder / "logs" / "a.log", lines(cycle * 1000, (cycle + 1) * 1000))
            time.sleep(0.3)
            serve.kill("store")
            serve.kill("collect")
        serve.wait(lambda: len(numbers(serve)) == 4000, "4000 lines with alerts")


COLUMNS = """title: A user's request
id: 6d2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11
level: high
logsource: {category: %s}
detection:
  s: {%s}
  condition: s
"""


@test
def columns_are_those_of_the_file(folder):
    """IIS in an order of columns that nobody has foreseen, and Zeek's own form."""
    with reading(folder) as serve:
        (folder / "rules" / "iis.yml").write_text(COLUMNS % ("webserver", "cs-username: anna"))
        (folder / "rules" / "zeek.yml").write_text(
            (COLUMNS % ("dns", "query: kommun.example")).replace("category: dns", "product: zeek, service: dns")
            .replace("6d2a6a4e", "7d2a6a4e"))
        web, dns = folder / "logs" / "u_ex.log", folder / "logs" / "dns.log"
        write(web, "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n"
              "#Fields: cs-username c-ip date time sc-status sc-win32-status cs-uri-stem\r\n"
              "anna 192.0.2.7 2026-11-26 10:00:00 200 0 /a\r\n")
        write(dns, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
              "#fields\tts\tuid\tid.orig_h\tquery\n#types\ttime\tstring\taddr\tstring\n"
              "1795651200.5\tC1\t192.0.2.8\tkommun.example\n")

        def sources():
            return sorted(a["entities"].get("source.ip", ["?"])[0] for a in serve.found())
        serve.start()
        serve.wait(lambda: sources() == ["192.0.2.7", "192.0.2.8"], "an alert of each")
        # From the middle of the files, and below columns that change.
        serve.kill("collect")
        write(web, "anna 192.0.2.9 2026-11-26 10:00:01 200 0 /b\r\n#Fields: c-ip cs-username sc-win32-status "
              "cs-uri-stem\r\n192.0.2.10 anna 0 /c\r\n")
        write(dns, "1795651201.5\tC2\t192.0.2.11\tkommun.example\n")
        serve.wait(lambda: sources() == ["192.0.2.10", "192.0.2.11", "192.0.2.7", "192.0.2.8", "192.0.2.9"],
                   "an alert of each later one")


@test
def a_folder_that_is_not_there_is_told(folder):
    with Serve(VAKA, folder, f"files:\n  follow: [{folder}/nowhere/*.log]\n") as serve:
        serve.start(ready=False)
        serve.wait(lambda: "event=role-alarm" in serve.log_text(), "the reason")
        holds(serve.log_text(), f"files.follow: {folder}/nowhere: No such file or directory")


def own_journal(folder):
    """A command's beginning that gives it a journal of its own; and its folder."""
    try:
        machine = pathlib.Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError as why:
        raise Skip("this machine has no number") from why
    journal = folder / "journal" / machine
    journal.mkdir(parents=True)
    here = ["unshare", "--mount", "sh", "-c",
            f'mount --bind "{folder}/journal" /var/log/journal && exec "$@"', "sh"]
    if not os.path.exists(JOURNAL_REMOTE):
        raise Skip("systemd-journal-remote is not installed")
    if subprocess.run([*here, "true"], check=False, capture_output=True).returncode != 0:
        raise Skip("no mount namespace, or no /var/log/journal")
    return here, journal


@test
def the_journal_is_read_on_behind_what_was_stored(folder):
    here, journal = own_journal(folder)
    make_journal(journal / "a.journal", 0, 500, LINE)
    with Serve(VAKA, folder, APART + "files:\n  journal: true\n", before=here).start() as serve:
        each_once(serve, 500)
        make_journal(journal / "a.journal", 500, 100, LINE)
        each_once(serve, 600)
        serve.shows(lambda s: s["collect"]["records"]["stored"] == 600, "that they are stored")
        serve.kill("collect")
        make_journal(journal / "b.journal", 600, 100, LINE)
        each_once(serve, 700)
        same({a["source"]["input"] for a in serve.found()}, {"journal"})
        same(serve.stop(), 0)
        make_journal(journal / "b.journal", 700, 100, LINE)
        serve.start()
        each_once(serve, 800)


sys.exit(run_tests(sys.argv[2:]))
