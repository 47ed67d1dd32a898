#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka config, and that the commands honour what it says: config.py VAKA SOURCE_ROOT. Prints TAP."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from serving import Fail, holds, run_tests, same, test  # noqa: E402  pylint: disable=wrong-import-position

VAKA = sys.argv[1]
ROOT = pathlib.Path(sys.argv[2])
SAMPLES = str(ROOT / "samples" / "julnatt")


def vaka(*args, env=None):
    """Runs the program; without a configuration of the machine it runs on."""
    variables = {**os.environ, "VAKA_CONFIG": "/dev/null", **(env or {})}
    done = subprocess.run([VAKA, *args], capture_output=True, timeout=120, env=variables)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def file(folder, text):
    path = folder / "vaka.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def shown(*args, **more):
    status, out, err = vaka("config", "show", "-f", "json", *args, **more)
    same((status, err), (0, ""))
    return {row["key"]: row for row in map(json.loads, out.splitlines())}


@test
def default_file_is_good(folder):
    status, out, _ = vaka("config", "default")
    same(status, 0)
    path = file(folder, out)
    same(vaka("config", "check", path), (0, f"{path}: good, 0 settings\n", ""))


@test
def explain_knows_every_setting(_):
    for key in shown():
        status, out, _ = vaka("config", "explain", key)
        same((status, out.splitlines()[0]), (0, key))
        holds(out, "  default: ")
    status, _, err = vaka("config", "explain", "hunt.job")
    same(status, 2)
    holds(err, "did you mean `hunt.jobs`?")


@test
def man_page_and_help_know_every_setting(_):
    _, man, _ = vaka("help", "--dump", "man")
    for key in shown():
        holds(man, f"\\fB{key}\\fR\n")
    _, text, _ = vaka("help", "config")
    for word in ("check", "show", "explain", "default"):
        holds(text, f"Usage: vaka config {word}")


@test
def show_tells_where_from(folder):
    path = file(folder, "hunt:\n  jobs: 3\n  level: high\n")
    rows = shown("-c", path, "--set", "hunt.level=low")
    same(rows["hunt.jobs"], {"key": "hunt.jobs", "value": 3, "from": "file", "file": path, "line": 2})
    same(rows["hunt.level"], {"key": "hunt.level", "value": "low", "from": "option", "option": "--set"})
    same(rows["hunt.utc"], {"key": "hunt.utc", "value": False, "from": "default"})


@test
def file_is_looked_up(folder):
    path = file(folder, "hunt:\n  jobs: 3\n")
    other = folder / "other.yaml"
    other.write_text("hunt:\n  jobs: 5\n", encoding="utf-8")
    same(shown(env={"VAKA_CONFIG": path})["hunt.jobs"]["value"], 3)
    same(shown("-c", str(other), env={"VAKA_CONFIG": path})["hunt.jobs"]["value"], 5)
    status, _, err = vaka("config", "show", env={"VAKA_CONFIG": str(folder / "none.yaml")})
    same(status, 2)
    holds(err, "none.yaml: No such file")


@test
def mistakes_stop_every_command(folder):
    path = file(folder, "# a\nhunt:\n  jbos: 3\n")
    for command in (["config", "show"], ["hunt", SAMPLES], ["rules", "list"],
                    ["rules", "check", SAMPLES], ["rules", "test", SAMPLES]):
        status, out, err = vaka(*command, "-c", path)
        same((status, out), (2, ""))
        holds(err, f"vaka: {path}:3:3: there is no setting `hunt.jbos`; did you mean `hunt.jobs`?")
    same(vaka("config", "check", path)[0], 1)


@test
def hunt_honours_the_file(folder):
    path = file(folder, f"rules: {ROOT}/rules\nhunt:\n  format: json\n  level: critical\n  jobs: 2\n")
    status, out, _ = vaka("hunt", "-c", path, SAMPLES)
    same(status, 0)
    levels = [json.loads(line)["rule"]["level"] for line in out.splitlines()]
    same(set(levels), {"critical"})
    status, out, err = vaka("hunt", "-c", path, "-l", "all", "-j", "1", "--stats", SAMPLES)
    same(json.loads(err)["jobs"], 1)
    if len(out.splitlines()) <= len(levels):
        raise Fail("an option does not override the file")


@test
def rules_and_placeholders_lie_beside_the_file(folder):
    (folder / "rules").mkdir()
    (folder / "rules" / "r.yml").write_text(
        "title: t\nid: 11111111-1111-4111-8111-111111111111\nlogsource:\n  product: windows\n"
        "detection:\n  s:\n    User|expand: '%who%'\n  condition: s\n", encoding="utf-8")
    (folder / "who.yml").write_text("who: [root]\n", encoding="utf-8")
    path = file(folder, "rules: rules\n")
    event = json.dumps({"User": "root"})
    status, _, err = vaka("rules", "explain", "-c", path, "t", event)
    same(status, 2)
    holds(err, "no rule 't'")
    path = file(folder, "rules: rules\nplaceholders: [who.yml]\n")
    status, out, err = vaka("rules", "explain", "--any-logsource", "-c", path, "t", event)
    same((status, err), (0, ""))
    holds(out, "t: MATCH")


@test
def what_own_rules_ask_of_a_city_has_values(folder):
    (folder / "rules").mkdir()
    (folder / "rules" / "r.yml").write_text(
        "title: t\nid: 11111111-1111-4111-8111-111111111111\nlogsource:\n  product: windows\n"
        "detection:\n  s:\n    User|expand: '%vaka_supplier_accounts%'\n  condition: s\n", encoding="utf-8")
    (folder / "city.yml").write_text("vaka_supplier_accounts: [firma-*]\n", encoding="utf-8")
    for more, user in (("", "lev-kone"), ("placeholders: [city.yml]\n", "firma-kone")):
        path = file(folder, "rules: rules\n" + more)
        for name in ("lev-kone", "firma-kone"):
            status, out, err = vaka("rules", "explain", "--any-logsource", "-c", path, "t", json.dumps({"User": name}))
            same((status, err), (0, ""))
            holds(out, "t: MATCH" if name == user else "t: no match")


@test
def verbose_tells_what_happens_inside(_):
    quiet = vaka("hunt", "-r", f"{ROOT}/rules", "-f", "json", "-j", "2", SAMPLES)
    same(quiet[2], "")
    status, out, err = vaka("hunt", "-r", f"{ROOT}/rules", "-f", "json", "-j", "2", "-v", SAMPLES)
    same((status, out), quiet[:2])
    events = [word[len("event="):] for line in err.splitlines() for word in line.split()
              if word.startswith("event=")]
    same(len(events), len(err.splitlines()))
    for event in ("rules-loaded", "hunt-ended"):
        same(events.count(event), 1)
    for event in ("worker-started", "worker-ended", "plans-compiled"):
        same(events.count(event), 2)
    same(events.count("source-opened"), len(list(pathlib.Path(SAMPLES).iterdir())))
    holds(err, " format=json\n")


@test
def log_level_is_a_setting(folder):
    path = file(folder, "log:\n  level: debug\n")
    _, _, err = vaka("hunt", "-c", path, "-r", f"{ROOT}/rules", SAMPLES)
    holds(err, f" level=info event=config-read file={path}\n")
    holds(err, f" level=debug event=setting key=log.level value=debug from={path}:2\n")
    _, _, err = vaka("hunt", "-c", path, "--set", "log.level=error", "-r", f"{ROOT}/rules", SAMPLES)
    same(err, "")


sys.exit(run_tests(sys.argv[3:]))
