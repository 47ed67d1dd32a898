#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Whether alerts that belong together become one incident: incidents.py VAKA DAY [--full] [--show]
[--sigma FOLDER]. Prints TAP.

The recordings in samples/ and, where VAKA_CORPUS names it, the attacks of otrf are hunted with
Vaka's own rules, by themselves and interleaved two by two with an ordinary day of the reference
city (DAY is vaka-day): the second attack begins half an hour after the first. What otrf recorded
happened to the same few computers: of two that have one in common, or a user, those of the second get
other names. `vaka incident try`
groups all alerts. Wanted for every attack: at most 2 incidents, of which the largest is its own to
95 %; and at most 5 incidents of the day. That the station of midsommarafton which writes to the
controllers is 10.60.1.50 stands in no alert: a file of assets says so. --full takes as much of the day as script/bench benign and
all pairs of otrf, else every tenth.

With --sigma the default profile of that release of SigmaHQ's rules is hunted with as well; what is wrong is
told then, and fails nothing: whose rules are loud, whose are not. How many attacks are as wanted is told beside the
day's own incidents, and of which rules those are.
"""
import collections
import datetime
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VAKA, DAY = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3])
FULL, SHOW = ("--full" in sys.argv[3:]), ("--show" in sys.argv[3:])
SIGMA = sys.argv[sys.argv.index("--sigma") + 1] if "--sigma" in sys.argv[3:] else None
RULES = [ROOT / "rules"]
SAMPLES = ("fredagskvall", "julnatt", "midsommarafton", "pasklordag", "trettondagsafton")
BEGIN = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc)
FIRST, SECOND = BEGIN + datetime.timedelta(hours=8), BEGIN + datetime.timedelta(hours=8.5)
INCIDENTS, PURITY, BENIGN = 2, 0.95, 5
ASSETS = "host,address,service,importance\nscada-ews01,10.60.1.50,vatten,critical\n"
BUILTIN = {"system", "localsystem", "administrator", "root", "local service", "network service"}


def hunt(path, **more):
    rules = [word for folder in RULES for word in ("-r", folder)]
    done = subprocess.run([VAKA, "hunt", *rules, "-f", "json", path], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env={**os.environ, "VAKA_CONFIG": "/dev/null"}, **more)
    return [json.loads(line) for line in done.stdout.decode("utf-8", "replace").splitlines()]


def benign():
    amount = ("5", "600") if FULL else ("1", "60")
    with subprocess.Popen([DAY, ROOT / "tests/load/day.mix", "1", f"{BEGIN:%FT%TZ}", *amount],
                          stdout=subprocess.PIPE) as day:
        return hunt("-", stdin=day.stdout)


def time_of(alert):
    return datetime.datetime.fromisoformat(alert["time"].replace("Z", "+00:00"))


def moved(alerts, begin):
    """The same, beginning then; what has no time is left out."""
    alerts = [a for a in alerts if a["time"]]
    by = begin - min(map(time_of, alerts))
    return [{**a, "time": (time_of(a) + by).isoformat().replace("+00:00", "Z")} for a in alerts]


def names_of(alerts):
    """Computers and people."""
    found = {a["host"].split(".")[0] for a in alerts if a["host"]}
    for alert in alerts:
        found.update(n for n in (alert.get("entities") or {}).get("user.name", ()))
    return {n.lower() for n in found} - BUILTIN


def elsewhere(alerts, mark="2"):
    """The same at other computers and to other people."""
    names = names_of(alerts)
    if not names:
        return alerts
    pattern = re.compile(r"(?<!\w)(" + "|".join(map(re.escape, sorted(names))) + r")(?!\w)", re.IGNORECASE)
    return [json.loads(pattern.sub(lambda m: m[0] + mark, json.dumps(a))) for a in alerts]


def apart(others, alerts):
    """At other computers and to other people, when one is the others', too."""
    return elsewhere(alerts) if names_of(others) & names_of(alerts) else alerts


def grouped(alerts):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as assets:
        assets.write(ASSETS)
        assets.flush()
        done = subprocess.run([VAKA, "incident", "try", "-f", "json", "--assets", assets.name], check=True,
                              stdout=subprocess.PIPE, input="".join(json.dumps(a) + "\n" for a in alerts).encode())
    return [json.loads(line) for line in done.stdout.splitlines()]


def titles_of(incident, alerts):
    """Its rules, and how often."""
    counts = collections.Counter(alerts[line - 1]["rule"]["title"] for line in incident["lines"])
    return ", ".join(f"{title} ({n})" for title, n in counts.most_common())


def judge(parts):
    """parts: name → alerts; what is wrong with attacks, and with the day, as texts."""
    owners, alerts = [], []
    for name, its in parts.items():
        owners += [name] * len(its)
        alerts += its
    found = [(i, collections.Counter(owners[line - 1] for line in i["lines"])) for i in grouped(alerts)]
    wrong, quiet = [], []
    for name in parts:
        if name == "day":
            mine = [i for i, whose in found if set(whose) == {"day"}]
            if len(mine) > BENIGN:
                quiet.append(f"{len(mine)} incidents of the day")
                quiet += [f"the day's: {titles_of(i, alerts)}" for i in mine] if len(parts) == 1 else []
            continue
        mine = sorted(((whose[name], whose.total()) for _, whose in found if whose[name]), reverse=True)
        if len(mine) > INCIDENTS or (mine and mine[0][0] < PURITY * mine[0][1]):
            wrong.append(f"{name}: {len(mine)} incidents, (its own, all): {mine}")
        if not mine and any(a["rule"]["level"] in ("medium", "high", "critical") for a in parts[name]):
            wrong.append(f"{name}: no incident")
    return wrong, quiet


def otrf():
    """Name → alerts, of those that have any."""
    corpus = os.environ.get("VAKA_CORPUS")
    paths = sorted(p for p in (pathlib.Path(corpus) / "otrf").rglob("*") if p.suffix in (".zip", ".gz")) \
        if corpus else []
    found = {path.stem: hunt(path) for path in paths}
    return {name: alerts for name, alerts in found.items() if any(a["time"] for a in alerts)}


def cases():
    day = benign()
    samples = {name: hunt(ROOT / "samples" / name) for name in SAMPLES}
    attacks = otrf()
    yield "day", [{"day": day}]
    yield "each sample", [{n: a} for n, a in samples.items()]
    yield "samples two by two in a day", [{x: moved(samples[x], FIRST), y: moved(samples[y], SECOND), "day": day}
                                          for x, y in itertools.combinations(samples, 2)]
    if not attacks:
        yield "otrf", None
        return
    yield "each of otrf", [{n: a} for n, a in attacks.items()]
    step = 1 if FULL else 10
    everything = {**attacks, **samples}
    for name, pairs in (("otrf and samples in a day", itertools.product(attacks, samples)),
                        ("otrf two by two in a day", itertools.combinations(attacks, 2))):
        yield name, [{x: moved(attacks[x], FIRST), y: moved(apart(attacks[x], everything[y]), SECOND), "day": day}
                     for x, y in list(pairs)[::step]]


def import_sigma(folder):
    """The default profile of a release, as vaka rules import keeps it."""
    (folder / "vaka.yaml").write_text(f"serve:\n  folder: {folder}\n", encoding="utf-8")
    done = subprocess.run([VAKA, "rules", "import", SIGMA, "--profile", "default", "-f", "json", "-c",
                           folder / "vaka.yaml"], check=False, stdout=subprocess.PIPE)
    said = json.loads(done.stdout)
    print(f"# {said['set']} {said['version']}: {said['on']} rules on")
    RULES.append(folder / "rules" / said["set"] / said["version"] / "on")


def main():
    with tempfile.TemporaryDirectory() as folder:
        if SIGMA:
            import_sigma(pathlib.Path(folder))
        return try_all()


def try_all():
    failed = number = 0
    for number, (name, trials) in enumerate(cases(), 1):
        if trials is None:
            print(f"ok {number} - {name} # SKIP VAKA_CORPUS is not set")
            continue
        found = [judge(parts) for parts in trials]
        wrong = [text for attacks, day in found for text in (*attacks, *day)]
        good = not wrong
        failed += not good and not SIGMA
        apart = sum(not attacks for attacks, _ in found)
        print(f"{'ok' if good else 'not ok'} {number} - {name} ({len(trials)} trials, {found.count(([], []))} as wanted; "
              f"attacks in {apart})", flush=True)
        for text in wrong if SHOW else [*dict.fromkeys(wrong)][:40]:
            print(f"# {text}")
    print(f"1..{number}")
    return 1 if failed else 0


sys.exit(main())
