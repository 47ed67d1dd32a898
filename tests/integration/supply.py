#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Rules that others made, from a folder or zip into force, as an operator does it: supply.py VAKA
[TEST...]. Prints TAP."""
import collections
import json
import os
import pathlib
import pty
import shutil
import signal
import stat
import subprocess
import sys
import time
import uuid
import zipfile

from serving import Fail, Serve, Skip, holds, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
CORPUS = os.environ.get("VAKA_CORPUS", "")
IDS = [str(uuid.UUID(int=n, version=4)) for n in range(100)]


def rule(number, word="x", status="test", level="high", more="", logsource="category: application"):
    return (f"title: Rule {number}\nid: {IDS[number]}\nstatus: {status}\nlevel: {level}\n"
            f"date: 2026-03-0{number % 9 + 1}\n{more}"
            f"logsource:\n    {logsource}\ndetection:\n    s:\n        word: {word}\n"
            "    condition: s\n")


def tree(folder, files):
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def run(folder, *words, status=0):
    result = subprocess.run([VAKA, "rules", *words, "--set", f"serve.folder={folder}/var", "--set",
                             f"serve.socket={folder}/v.sock"],
                            cwd=folder, check=False, capture_output=True, timeout=120,
                            stdin=subprocess.DEVNULL)
    if result.returncode != status:
        raise Fail(f"{words}: {result.returncode}: {result.stderr.decode()}{result.stdout.decode()}")
    return (result.stdout if status == 0 else result.stderr).decode()


def ask(folder, *words):
    return [json.loads(line) for line in run(folder, *words, "-f", "json").splitlines()]


def take(folder, source, *words):
    """What an import says."""
    return ask(folder, "import", source, *words)[0]


RELEASE = {
    "rules/windows/one.yml": rule(1),
    "rules/two.yml": rule(2, level="medium"),
    "rules-emerging-threats/2026/three.yml": rule(3, status="stable", level="critical"),
    "rules-threat-hunting/four.yml": rule(4, status="experimental"),
    "deprecated/five.yml": rule(5, status="deprecated"),
    "unsupported/six.yml": rule(6, status="unsupported"),
    "tests/seven.yml": rule(7),
    "version.txt": "release: r2026-08-05\n",
    "LICENSE": "Detection Rule License\n",
}


@test
def a_release_is_imported_and_kept_with_its_place(folder):
    (folder / "var").mkdir()
    source = tree(folder / "release", RELEASE)
    (source / "rules/broken.yml").write_text("title: Broken\nlogsource: {product: x}\n", encoding="utf-8")
    (source / "rules/again.yml").write_text(rule(1, word="y"), encoding="utf-8")
    (source / "rules/link.yml").symlink_to("/etc/passwd")
    found = take(folder, source, "--dry-run")
    same(found["kept"], False)
    same(list((folder / "var").iterdir()), [])
    found = take(folder, source)
    same((found["set"], found["profile"], found["kept"], found["fresh"]), ("sigmahq", "default", True, True))
    same((found["rules"], found["on"], found["new"], found["before"]), (5, 2, 5, None))
    same({(r["file"], r["line"]) for r in found["refused"]},
         {("rules/broken.yml", 1), ("rules/windows/one.yml", 1), ("rules/link.yml", 0),
          ("unsupported/six.yml", 3)})
    version = found["version"]
    same(version.startswith("r2026-08-05-"), True)
    kept = folder / "var/rules/sigmahq" / version
    same({str(p.relative_to(kept)) for p in kept.rglob("*") if p.is_file()},
         {"on/rules/again.yml", "on/rules-emerging-threats/2026/three.yml", "off/rules/two.yml",
          "off/rules-threat-hunting/four.yml", "off/deprecated/five.yml", "off/unsupported/six.yml",
          "off/rules/broken.yml", "off/rules/windows/one.yml", "off/version.txt", "off/LICENSE",
          "profile.yml", "version.json"})
    same((kept / "off/rules/two.yml").read_bytes(), RELEASE["rules/two.yml"].encode())
    # The same once more is the same version; with another profile it is another one.
    found = take(folder, source)
    same((found["fresh"], found["version"], found["unchanged"]), (False, version, 5))
    found = take(folder, source, "--profile", "all")
    same((found["on"], found["switched"], found["switched_on"]), (4, 2, 2))
    versions = ask(folder, "versions")
    same([(v["version"], v["on"], v["rules"], v["current"]) for v in versions],
         [(version, 2, 5, False), (found["version"], 4, 5, False)])
    history = [json.loads(line) for line in (folder / "var/rules/history").read_text("utf-8").splitlines()]
    same([(h["what"], h["version"]) for h in history], [("import", version), ("import", found["version"])])
    holds(run(folder, "import", source, "--name", "a/b", status=2), "--name wants")
    holds(run(folder, "import", folder / "nowhere", status=1), "No such file")
    holds(run(folder, "import", source, "--profile", "nope", status=1), "'nope' is no profile")


@test
def a_profile_of_ones_own_decides(folder):
    (folder / "var").mkdir()
    source = tree(folder / "release", RELEASE)
    profile = folder / "mine.yml"
    profile.write_text(f"name: mine\nlevel: [medium]\nrules:\n    include: [{IDS[4]}]\n", encoding="utf-8")
    found = take(folder, source, "--profile", profile)
    same((found["profile"], found["on"]), ("mine", 2))
    profile.write_text("name: mine\nlevel: [medum]\n", encoding="utf-8")
    holds(run(folder, "import", source, "--profile", profile, status=1), f"{profile}:2:9: `medum` means nothing")


def pack(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in members:
            z.writestr(name, text)
    return path


@test
def a_zip_is_the_same_as_its_folder(folder):
    (folder / "var").mkdir()
    source = tree(folder / "release", RELEASE)
    zipped = pack(folder / "sigma_core.zip", RELEASE.items())
    around = pack(folder / "main.zip", [(f"sigma-master/{name}", text) for name, text in RELEASE.items()])
    found = take(folder, source)
    for archive in (zipped, around):
        again = take(folder, archive)
        same((again["version"], again["fresh"]), (found["version"], False))
    nameless = dict(RELEASE)
    del nameless["version.txt"]
    same(take(folder, pack(folder / "x-r2026-07-01.zip", nameless.items()))["version"][:12], "r2026-07-01-")
    same(take(folder, pack(folder / "x.zip", nameless.items()))["version"][:11], "2026-03-06-")


def link_member(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    info.create_system = 3
    return info


@test
def a_hostile_zip_changes_nothing(folder):
    (folder / "var").mkdir()
    large, too_large = "x" * (3 << 20), "x" * (5 << 20)
    cases = {
        "traversal": ([("rules/../../../escape.yml", rule(1))], "leads out of the pack"),
        "absolute": ([("/tmp/escape.yml", rule(1))], "leads out of the pack"),
        "no rule": ([("rules/one.yml", rule(1)), ("../README.md", "x")], "leads out of the pack"),
        "large": ([(f"rules/{n}.yml", large) for n in range(90)], "the files are larger than 256 MiB"),
        "bomb": ([(f"rules/{n}.yml", too_large) for n in range(65)], "decompression bomb"),
        "nothing": ([("README.md", "x")], "there is no rule in it"),
    }
    for name, (members, message) in cases.items():
        archive = pack(folder / f"{name}.zip", members)
        holds(run(folder, "import", archive, status=1), message)
    twice = folder / "twice.zip"
    with zipfile.ZipFile(twice, "w") as z:
        z.writestr("rules/one.yml", rule(1))
        z.writestr("rules/One.yml", rule(2))
    twice.write_bytes(twice.read_bytes().replace(b"rules/One.yml", b"rules/one.yml"))
    holds(run(folder, "import", twice, status=1), "rules/one.yml: its path is there twice")
    good = pack(folder / "good.zip", [(f"rules/{n}.yml", rule(n)) for n in range(1, 20)]).read_bytes()
    (folder / "cut.zip").write_bytes(good[:len(good) // 2])
    run(folder, "import", folder / "cut.zip", status=1)
    (folder / "none.zip").write_bytes(b"PK\3\4" + b"\0" * 100)
    run(folder, "import", folder / "none.zip", status=1)
    same(ask(folder, "versions"), [])
    same(list(folder.rglob("escape.yml")), [])
    # A link is not followed and takes nothing else with it.
    found = take(folder, pack(folder / "link.zip", [(link_member("rules/link.yml"), "/etc/passwd"),
                                                    ("rules/one.yml", rule(1))]))
    same((found["rules"], [r["file"] for r in found["refused"]]), (1, ["rules/link.yml"]))


@test
def what_changed_is_told_rule_by_rule(folder):
    (folder / "var").mkdir()
    source = tree(folder / "release", RELEASE)
    old = take(folder, source)["version"]
    tree(source, {"rules/windows/one.yml": rule(1, word="other"),
                  "rules/two.yml": rule(2, level="high"),
                  "rules/eight.yml": rule(8, status="stable"),
                  "rules-threat-hunting/four.yml": "# words\n" + rule(4, status="experimental"),
                  "version.txt": "release: r2026-09-01\n"})
    (source / "rules-emerging-threats/2026/three.yml").unlink()
    found = take(folder, source)
    new = found["version"]
    same({k: found[k] for k in ("before", "new", "removed", "logic", "metadata", "switched", "unchanged")},
         {"before": old, "new": 1, "removed": 1, "logic": 1, "metadata": 2, "switched": 0, "unchanged": 1})
    changes = {c["id"]: c for c in ask(folder, "diff", old, new)}
    same({i: (c["change"], c["was_on"], c["is_on"]) for i, c in changes.items()},
         {IDS[1]: ("logic", True, True), IDS[2]: ("metadata", False, True), IDS[3]: ("removed", True, False),
          IDS[4]: ("metadata", False, False), IDS[8]: ("new", False, True)})
    same(changes[IDS[2]]["metadata"], {"level": ["medium", "high"]})
    same(changes[IDS[4]]["metadata"], {})
    same(ask(folder, "diff"), list(changes.values()))
    back = {c["id"]: c["change"] for c in ask(folder, "diff", new, old)}
    same((back[IDS[3]], back[IDS[8]]), ("new", "removed"))
    same(found["profiles"], {"default": 3, "all": 4})
    holds(run(folder, "diff", "--text"), "          - " + "        word: x\n" + "          + " + "        word: other\n")
    holds(run(folder, "diff"), "1 new, 1 removed, 1 with other logic, 2 with other metadata, 1 unchanged")
    shown = ask(folder, "show", IDS[2])[0]
    same((shown["version"], shown["on"], shown["in_force"], shown["text"]), (new, True, False, rule(2, level="high")))
    holds(run(folder, "show", "Rule 8"), f"# sigmahq {new}, on, not in force\n# rules/eight.yml\n")
    holds(run(folder, "show", IDS[50], status=1), "no imported rule is called")
    holds(run(folder, "diff", "r1999-01-01-0", new, status=1), "No such file")


@test
def an_import_that_is_killed_leaves_only_whole_versions(folder):
    (folder / "var").mkdir()
    files = {f"rules/{n:04}.yml": rule(1).replace(IDS[1], str(uuid.UUID(int=5000 + n, version=4)))
             for n in range(1500)}
    source = tree(folder / "release", files)
    for attempt in range(8):
        (source / "rules/changing.yml").write_text(rule(2, word=f"w{attempt}"), encoding="utf-8")
        with subprocess.Popen([VAKA, "rules", "import", source, "--set", f"serve.folder={folder}/var"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(0.02 * attempt)
            process.send_signal(signal.SIGKILL)
        for version in ask(folder, "versions"):
            run(folder, "use", "sigmahq", version["version"], "--no-report")
    found = take(folder, source)
    same(found["rules"], 1501)
    run(folder, "use", "sigmahq", found["version"], "--no-report")
    same(list((folder / "var/rules/sigmahq").glob(".new")), [])


# ---- in force --------------------------------------------------------------------------------

def event(number, **more):
    return json.dumps({"word": "x", "host": f"h{number}", "user.name": f"u{number}",
                       "category": "application", **more}) + "\n"


class Watch(Serve):
    """A serve whose rules can be changed by words of the command line."""

    def rules(self, *words, status=0):
        result = subprocess.run([VAKA, "rules", *words, "-c", self.config], cwd=self.folder, check=False,
                                capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
        if result.returncode != status:
            raise Fail(f"{words}: {result.returncode}: {result.stderr.decode()}")
        return (result.stdout if status == 0 else result.stderr).decode()

    def use(self, version, *words):
        """In force when the command has ended."""
        before = self.status()["detect"]["pid"]
        self.rules("use", "sigmahq", version, "--no-report", *words)
        same(self.status()["detect"]["pid"] != before, True)

    def send(self, text):
        """All of its lines are matched afterwards."""
        n = self.status()["store"]["next"] + text.count("\n")
        same(self.post("/api/ingest", text.encode())[0], 200)
        self.matched(n)

    def fired(self):
        """Alerts by the rule's id."""
        return collections.Counter(a["rule"]["id"] for a in self.found())


@test
def rules_come_into_force_and_go_while_records_come(folder):
    source = tree(folder / "release", RELEASE)
    with Watch(VAKA, folder, "triage:\n  alike: 0s\n").start() as serve:
        version = json.loads(serve.rules("import", source, "-f", "json"))["version"]
        serve.send(event(1))
        same(serve.fired(), {})
        serve.use(version)
        same(serve.status()["detect"]["rules"], 3)
        serve.send(event(2))
        same(serve.fired(), {IDS[1]: 1, IDS[3]: 1})
        same([v["current"] for v in map(json.loads, serve.rules("versions", "-f", "json").splitlines())], [True])
        holds(serve.rules("list"), "Rule 3")
        holds(serve.rules("show", IDS[3]), "on, in force")
        # It stays in force over a start, and goes when it is said.
        same(serve.stop(), 0)
        serve.start()
        serve.send(event(3))
        same(serve.fired(), {IDS[1]: 2, IDS[3]: 2})
        serve.use("off")
        serve.send(event(4))
        same(serve.fired(), {IDS[1]: 2, IDS[3]: 2})
        history = [json.loads(line) for line in (serve.folder / "var/rules/history").read_text("utf-8").splitlines()]
        same([(h["what"], h["version"]) for h in history],
             [("import", version), ("use", version), ("use", "off")])
        # One that is damaged does not come into force.
        kept = serve.folder / "var/rules/sigmahq" / version / "on/rules/windows/one.yml"
        kept.chmod(0o600)
        kept.write_text(rule(1, word="nothing"), encoding="utf-8")
        holds(serve.rules("use", "sigmahq", version, "--no-report", status=1), "is not what was imported any more")
        holds(serve.rules("use", "sigmahq", "r1999-01-01-0", status=1), "No such file")
        same([v["current"] for v in map(json.loads, serve.rules("versions", "-f", "json").splitlines())], [False])


@test
def an_exception_is_kept_apart_and_ends(folder):
    source = tree(folder / "release", RELEASE)
    with Watch(VAKA, folder, "triage:\n  alike: 0s\n").start() as serve:
        version = json.loads(serve.rules("import", source, "-f", "json"))["version"]
        before = {p: p.read_bytes() for p in (serve.folder / "var/rules/sigmahq").rglob("*") if p.is_file()}
        serve.use(version)
        path = serve.rules("except", IDS[1], "--when", "host: h1", "--when", "host: h2", "--reason",
                           "it's a test", "--by", "anna").strip()
        serve.send(event(1) + event(2) + event(3))
        same(serve.fired(), {IDS[1]: 1, IDS[3]: 3})
        same({p: p.read_bytes() for p in before}, before)
        found = json.loads(serve.rules("exceptions", "-f", "json"))
        same({k: found[k] for k in ("rule", "state", "reason", "by", "until", "file")},
             {"rule": IDS[1], "state": "applies", "reason": "it's a test", "by": "anna", "until": None, "file": path})
        # Others' text goes, the exception stays and is told of.
        holds(serve.rules("use", "sigmahq", "off"), "its rule is not in force")
        tree(source, {"rules/windows/one.yml": rule(9)})
        other = json.loads(serve.rules("import", source, "-f", "json"))["version"]
        said = json.loads(serve.rules("use", "sigmahq", version, "--no-report", "-f", "json"))
        same("changes" in said, False)
        said = json.loads(serve.rules("use", "sigmahq", other, "--no-report", "-f", "json"))
        same((said["before"], said["changes"]["new"], said["changes"]["removed"], said["changes"]["unchanged"]), (version, 1, 1, 4))
        same(json.loads(serve.rules("exceptions", "-f", "json"))["state"], "its rule is gone")
        serve.use(version)
        # It is lifted by its id, and what was lifted is not lost.
        serve.rules("except", "--lift", found["id"])
        serve.send(event(1))
        same(serve.fired()[IDS[1]], 2)
        same(serve.rules("exceptions"), "")
        holds(serve.rules("except", "--lift", found["id"], status=1), "No such file")
        # One that ends does so by itself.
        serve.rules("except", IDS[1], "--when", "host: h1", "--reason", "for long", "--until", "2100-01-01")
        serve.send(event(1))
        same(serve.fired()[IDS[1]], 2)
        serve.rules("except", "--lift", json.loads(serve.rules("exceptions", "-f", "json"))["id"])
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
        serve.rules("except", IDS[1], "--when", "host: h1", "--reason", "for now", "--until", until)

        def fires_again():
            serve.send(event(1))
            return serve.fired()[IDS[1]] > 2
        serve.wait(fires_again, "the end of the exception", 60)
        same(json.loads(serve.rules("exceptions", "-f", "json"))["state"], "ended")


@test
def an_exception_that_would_do_nothing_is_refused(folder):
    (folder / "var").mkdir()
    source = tree(folder / "release", RELEASE)
    take(folder, source)
    for words, message in (
            ((IDS[1], "--when", "host|nope: x", "--reason", "r"), "unknown modifier `nope`"),
            ((IDS[1], "--when", "host=x", "--reason", "r"), "is not `field: value`"),
            ((IDS[50], "--when", "host: x", "--reason", "r"), "no imported rule is called"),
            ((IDS[1], "--when", "host: x", "--reason", "r", "--until", "2020-01-01"), "is no time to come")):
        holds(run(folder, "except", *words, status=1), message)
    holds(run(folder, "except", IDS[1], "--reason", "r", status=2), "wants --when and --reason")
    same(run(folder, "exceptions"), "")
    # A rule that was imported and is off may be excepted before it is switched on.
    run(folder, "except", "Rule 2", "--when", "host: x", "--reason", "r")
    same(ask(folder, "exceptions")[0]["state"], "its rule is not in force")


# ---- noise -----------------------------------------------------------------------------------

def kinds(serve):
    """Rule ids and what the database has of them, to be compared with a report."""
    found = {}
    for alert in serve.found():
        alerts, matches = found.get(alert["rule"]["id"], (0, 0))
        found[alert["rule"]["id"]] = (alerts + 1, matches + alert["count"])
    return found


def told(serve, *words):
    return json.loads(serve.rules("noise", *words, "-f", "json"))


CORRELATION = (f"title: Often\nid: {IDS[20]}\nlevel: high\nstatus: test\ncorrelation:\n"
               f"    type: event_count\n    rules: [{IDS[1]}]\n    group-by: [host]\n"
               "    timespan: 1h\n    condition: {gte: 4}\n    generate: true\n")


@test
def a_report_counts_what_the_watch_counts(folder):
    files = dict(RELEASE)
    files["rules/often.yml"] = CORRELATION
    files["rules/nowhere.yml"] = rule(30, logsource="product: windows\n    service: ntlm")
    source = tree(folder / "release", files)
    with Watch(VAKA, folder, "triage:\n  alike: 1h\n").start() as serve:
        version = json.loads(serve.rules("import", source, "-f", "json"))["version"]
        serve.use(version)
        # Enough for several journals and segments: a MiB each.
        filler = "y" * 900
        for part in range(6):
            serve.send("".join(event(n % 7, filler=filler, n=n) for n in range(part * 600, part * 600 + 600)))
        serve.send("".join(json.dumps({"word": "other", "n": n}) + "\n" for n in range(50)))
        serve.shows(lambda s: s["seal"]["segments"] >= 2, "sealed segments")
        journals = list((serve.folder / "var/store/0").glob("journal-*"))
        same(len(journals) > 0, True)
        report = told(serve)
        # Windows that are open still are told of by the watch when they end.
        watched = {i: v for i, v in kinds(serve).items() if i != IDS[20]}
        same({r["id"]: (r["alerts"], r["matches"]) for r in report["fired"] if r["id"] != IDS[20]}, watched)
        same(watched, {IDS[1]: (7, 3600), IDS[3]: (7, 3600)})
        fired = {r["id"]: r for r in report["fired"]}
        same(fired[IDS[20]]["alerts"], 7)
        same((report["records"], report["events"], report["undecodable"], report["damaged"]), (3650, 3650, 0, 0))
        first = fired[IDS[1]]
        same((first["hosts"], first["users"], sorted(first["records"])), (7, 7, [0, 1, 2, 3, 4]))
        same({(v["field"], v["value"]) for v in first["values"]} >= {("word", "x"), ("(user)", "u3")}, True)
        same([r["id"] for r in report["no_data"]], [IDS[30]])
        same([s["category"] for s in report["sources"] if s["events"] == 3600], ["application"])
        # However many read, and whatever is sealed meanwhile, it is the same.
        for jobs in ("1", "3", "8"):
            again = told(serve, "--jobs", jobs)
            same([{k: v for k, v in r.items() if k != "values"} for r in again["fired"]],
                 [{k: v for k, v in r.items() if k != "values"} for r in report["fired"]])
        # A folder is tried without being imported; times cut.
        trial = tree(folder / "trial", {"one.yml": rule(40, word="other")})
        same([(r["id"], r["matches"]) for r in told(serve, trial)["fired"]], [(IDS[40], 50)])
        same(told(serve, "sigmahq", version)["matches"] >= 7200, True)
        # A set is meant before a folder that is called so.
        tree(serve.folder / "sigmahq", {"one.yml": rule(40, word="other")})
        same(told(serve, "sigmahq")["matches"] >= 7200, True)
        holds(serve.rules("noise", "nosuchset", status=1), "no rules were imported under the name nosuchset")
        same((told(serve, "--to", report["from"])["records"], told(serve, "--from", "2001-01-01", "--to", "2002-01-01")["records"]), (0, 0))
        part = told(serve, "--from", report["to"])
        same(0 < part["records"] < report["records"], True)
        same(told(serve, "--from", report["from"], "--to", report["to"])["records"] + part["records"], report["records"])
        table = serve.rules("noise")
        holds(table, "no data for 1 rule: product=windows service=ntlm")
        holds(table, "looked at 3650 records")
        # Before it is switched on, an exception shows what it would take away.
        serve.rules("except", IDS[1], "--when", "host: h3", "--reason", "r")
        same({r["id"]: r["alerts"] for r in told(serve, "sigmahq", version)["fired"]}[IDS[1]], 6)
        holds(serve.rules("use", "sigmahq", version), "is in force already")


@test
def the_report_comes_before_the_switch(folder):
    source = tree(folder / "release", RELEASE)
    with Watch(VAKA, folder).start() as serve:
        version = json.loads(serve.rules("import", source, "-f", "json"))["version"]
        serve.send(event(1) + event(2))
        said = serve.rules("use", "sigmahq", version)
        holds(said, "Rule 3")
        holds(said, "about 4.0 alerts a day by 2 rules (4 matches)")
        holds(said, f"sigmahq: {version} is in force, before it was off")
        said = json.loads(serve.rules("use", "sigmahq", "off", "-f", "json"))
        same(said, {"set": "sigmahq", "version": "off", "before": version})
        said = json.loads(serve.rules("use", "sigmahq", version, "-f", "json"))
        same((said["on"], said["before"], said["report"]["matches"], len(said["report"]["fired"])), (2, "off", 4, 2))
        said = json.loads(serve.rules("except", IDS[1], "--when", "host: h1", "--reason", "r", "-f", "json"))
        same(pathlib.Path(said["file"]).name, said["id"] + ".yml")


def answered(folder, answer, *words):
    """What becomes of it at a terminal where a person says that: (status, what was printed)."""
    master, slave = pty.openpty()
    with subprocess.Popen([VAKA, "rules", *words, "--set", f"serve.folder={folder}/var", "--set",
                           f"serve.socket={folder}/v.sock"], cwd=folder, stdin=slave, stderr=slave,
                          stdout=subprocess.PIPE) as process:
        os.close(slave)
        os.write(master, answer)
        out = process.stdout.read().decode()
        status = process.wait(60)
    os.close(master)
    return status, out


@test
def a_person_is_asked(folder):
    (folder / "var").mkdir()
    version = take(folder, tree(folder / "release", RELEASE))["version"]
    for answer in (b"n\n", b"\n", b"\4"):
        same(answered(folder, answer, "use", "sigmahq", version)[0], 1)
        same([v["current"] for v in ask(folder, "versions")], [False])
    status, out = answered(folder, b"y\n", "use", "sigmahq", version)
    same((status, [v["current"] for v in ask(folder, "versions")]), (0, [True]))
    holds(out, "there are no records to try it on\n")
    # Nobody has to be asked to switch something off, or when the command line says yes.
    same(answered(folder, b"", "use", "sigmahq", "off")[0], 0)
    same(answered(folder, b"", "use", "sigmahq", version, "--yes")[0], 0)


@test
def damaged_records_are_left_out_and_told(folder):
    source = tree(folder / "release", RELEASE)
    with Watch(VAKA, folder).start() as serve:
        version = json.loads(serve.rules("import", source, "-f", "json"))["version"]
        filler = "y" * 900
        for part in range(3):
            serve.send("".join(event(n % 7, filler=filler) for n in range(600)))
        serve.shows(lambda s: s["seal"]["segments"] >= 1, "a sealed segment")
        same(serve.stop(), 0)
        segment = sorted((serve.folder / "var/store/0").glob("segment-*"))[0]
        data = bytearray(segment.read_bytes())
        data[200] ^= 0xff
        segment.chmod(0o600)
        segment.write_bytes(data)
        report = told(serve, "sigmahq", version)
        same((report["damaged"] > 0, 0 < report["records"] < 1800), (True, True))
        holds(serve.rules("noise", "sigmahq", version), "damaged places")
        shutil.rmtree(serve.folder / "var/store")
        holds(serve.rules("noise", "sigmahq", version, status=1), "store/0: No such file")


# ---- coverage --------------------------------------------------------------------------------

@test
def coverage_tells_data_rule_test_and_alert(folder):
    own = tree(folder / "own", {
        "seen.yml": rule(50, more="tags: [attack.t1003.001, attack.credential-access]\n") +
                    "vaka:\n    tests:\n        - {fires: true, event: {word: x}}\n",
        "stored.yml": rule(51, word="nothing", more="tags: [attack.t1059, attack.t1486]\n"),
        "known.yml": rule(52, more="tags: [attack.t1110]\n", logsource="product: windows\n    service: security"),
        "none.yml": rule(53, more="tags: [attack.t9999.001]\n", logsource="category: nosuchcategory"),
    })
    with Watch(VAKA, folder, rules=own).start() as serve:
        serve.send(event(1) + event(1))

        def rows(*words):
            return {r["technique"]: r for r in map(json.loads, serve.rules("coverage", "-f", "json", *words).splitlines())}
        found = rows()
        same({t: (found[t]["data"], found[t]["rules"], found[t]["tested"], found[t]["seen"])
              for t in ("T1003.001", "T1059", "T1486", "T1110", "T9999.001", "T1550")},
             {"T1003.001": ("stored", [IDS[50]], 1, 1), "T1059": ("stored", [IDS[51]], 0, 0),
              "T1486": ("stored", [IDS[51]], 0, 0), "T1110": ("known", [IDS[52]], 0, 0),
              "T9999.001": ("none", [IDS[53]], 0, 0), "T1550": ("none", [], 0, 0)})
        same((found["T1003.001"]["name"], found["T9999.001"]["name"]), ("OS Credential Dumping: LSASS Memory", ""))
        same(rows("--all"), found)
        table = serve.rules("coverage")
        holds(table, "T1003.001  stored      1       1       1  OS Credential Dumping: LSASS Memory\n")
        holds(table, "5 of ")
        same("T1550" in table, False)
        holds(serve.rules("coverage", "--gaps"), "T1550      -           0       0       0  ")
        layer = json.loads(serve.rules("coverage", "-f", "navigator"))
        same((layer["versions"]["layer"], layer["domain"]), ("4.5", "enterprise-attack"))
        same({t["techniqueID"]: t["score"] for t in layer["techniques"]},
             {"T1003.001": 4, "T1059": 2, "T1486": 2, "T1110": 1, "T9999.001": 1})
        same(len(layer["gradient"]["colors"]) == len(layer["legendItems"]) == layer["gradient"]["maxValue"], True)
    bare = folder / "bare"
    (bare / "var").mkdir(parents=True)
    holds(run(bare, "coverage"), "there are no stored records")


@test
def what_root_imports_is_the_owners(folder):
    if os.geteuid() != 0:
        raise Skip("not root")
    place = folder / "var"
    place.mkdir()
    folder.chmod(0o755)
    os.chown(place, 65534, 65534)
    source = tree(folder / "release", RELEASE)
    os.environ["SUDO_USER"] = "anna"
    try:
        version = take(folder, source)["version"]
        run(folder, "use", "sigmahq", version, "--no-report")
        run(folder, "except", IDS[1], "--when", "host: x", "--reason", "r")
    finally:
        del os.environ["SUDO_USER"]
    history = [json.loads(line) for line in (place / "rules/history").read_text("utf-8").splitlines()]
    same([h["by"] for h in history], ["anna"] * 3)
    run(folder, "use", "sigmahq", "off")
    same({(p.stat().st_uid, p.stat().st_gid) for p in place.rglob("*")}, {(65534, 65534)})
    same({oct(p.stat().st_mode & 0o007) for p in place.rglob("*")}, {"0o0"})


@test
def the_rules_of_sigmahq_are_imported(folder):
    if not CORPUS:
        raise Skip("VAKA_CORPUS is not set")
    (folder / "var").mkdir()
    source = pathlib.Path(CORPUS) / "sigma"
    found = take(folder, source, "--profile", "all")
    same(found["rules"] > 3700, True)
    odd = [r for r in found["refused"] if not r["file"].startswith("unsupported/") and "placeholder" not in r["why"]]
    same(odd, [])
    default = take(folder, source)
    same(1000 < default["on"] < found["on"], True)
    same(default["switched"], found["on"] - default["on"])
    run(folder, "use", "sigmahq", default["version"])
    lines = run(folder, "list").splitlines()
    same(int(lines[-1].split()[2]) >= default["on"], True)


sys.exit(run_tests(sys.argv[2:], together=3))
