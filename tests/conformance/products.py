#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Products against records and expectations that others wrote (elastic-integrations of the corpus).

usage: products.py VAKA [--show] [--limits] [NAME...]

For every product (or several that share files: "sshd,sudo") that products.tsv names, the sample records of its packages are read by `vaka
explain`, and of the fields below that the expected event has, it is counted how many are there and
how many of those are equal. Expected values that are empty or - are none, as products/README.md has
it. --show: also the deviations, most frequent first. --limits: exit status
1 when a product has less than 90 % present or less than 95 % of those equal. Prints TAP.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

FIELDS = re.compile(
    r"(@timestamp|event\.(code|action|outcome|category|type)"
    r"|(source|destination)\.(ip|port|bytes|nat\.(ip|port))"
    r"|network\.(transport|protocol|direction)|user\.(name|domain|id)|host\.(name|ip)"
    r"|process\.(name|pid|executable|command_line|parent\..*)|(file|registry|url|http|rule|observer)\..*"
    r"|dns\.question\.(?!registered_domain|top_level_domain|subdomain).*)$")  # these: Public Suffix List
PRESENT, EQUAL = 0.90, 0.95


def corpus():
    root = os.environ.get("VAKA_CORPUS")
    return pathlib.Path(root, "elastic-integrations") if root else None


def table():
    """(product, package/stream, file pattern) of products.tsv."""
    rows = []
    for line in (pathlib.Path(__file__).parent / "products.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            rows.append(line.split("\t"))
    return rows


def flat(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        if any(isinstance(v, (dict, list)) for v in value):
            for inner in value:
                yield from flat(inner, path)
        else:
            yield path, [str(v) if not isinstance(v, bool) else str(v).lower() for v in value]
    elif value is not None:
        yield path, [str(value) if not isinstance(value, bool) else str(value).lower()]


def fields_of(event):
    found = {}
    for name, values in flat(event):
        found.setdefault(name, []).extend(values)
    return found


def records(path):
    """The raw records of a test file: lines, or the messages (else the whole) of its events."""
    if path.suffix == ".json":
        for event in json.loads(path.read_text(encoding="utf-8"))["events"]:
            only = set(event) <= {"message", "@timestamp", "tags", "log", "event", "ecs", "input",
                                  "agent", "_conf", "host", "fields", "data_stream"}
            original = event.get("event", {}).get("original") or ""
            if "CEF:0|" in original:  # beside it stands what the collector made of it
                yield original
                continue
            message = event.get("message") or original
            yield message if only and message else json.dumps(event, ensure_ascii=False)
    else:
        yield from path.read_text(encoding="utf-8", errors="replace").rstrip("\n").split("\n")


def zone_of(source):
    """The zone that the test's settings say clocks without one are of, which no record tells; of a
    zone with a name, how it ends in what is expected."""
    for config in (source.with_name(f"{source.name}-config.yml"), source.with_name("test-common-config.yml")):
        found = config.exists() and re.search(
            r'(?:tz_offset: "?|timezone: "?GMT)(?:([+-])(\d+)(?::?(\d\d))?|\w+/\w+)',
            config.read_text(encoding="utf-8"))
        if found:
            return re.escape(f"{found[1]}{int(found[2]):02}:{found[3] or '00'}") if found[1] else r"[+-]\d\d:\d\d"
    return None


def original(event):
    """The record that an expected event says it was made of."""
    return ((event or {}).get("event") or {}).get("original")


def cases(root, package, pattern):
    folder = root / package / "_dev" / "test" / "pipeline"
    for expected in sorted(folder.glob(f"{pattern}-expected.json")):
        source = expected.with_name(expected.name[:-len("-expected.json")])
        want = json.loads(expected.read_text(encoding="utf-8"))["expected"]
        got = [r for r in records(source)]
        if source.suffix != ".json" and len(got) != len(want):
            got = [r for r in got if r.strip()]
        if len(got) != len(want) and all(original(event) for event in want):
            got = [original(event) for event in want]
        if len(got) != len(want):
            print(f"# {source.name}: {len(got)} records, {len(want)} expected events: left out")
            continue
        zone = zone_of(source)
        for number, (record, event) in enumerate(zip(got, want), 1):
            if zone and event and "@timestamp" in event:
                event["@timestamp"] = re.sub(f"({zone})$", "Z", event["@timestamp"])
            if event and record.strip() and "\n" not in record:
                yield f"{source.name}:{number}", record, event


def explain(vaka, lines, now):
    run = subprocess.run([vaka, "explain", "-f", "json", "--now", now], input="\n".join(lines) + "\n", text=True,
                         capture_output=True, timeout=600, check=False)
    out = [json.loads(line) for line in run.stdout.splitlines()]
    if len(out) != len(lines):
        sys.exit(f"{len(lines)} records, {len(out)} answers: {run.stderr[:500]}")
    return out


def instant(text):
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return text


def alike(name, want, got):
    if name == "@timestamp":
        return abs(instant(want[0]) - instant(got[0])) < 0.001 if isinstance(
            instant(want[0]), float) and isinstance(instant(got[0]), float) else False
    return sorted(set(want)) == sorted(set(got))


def explained(vaka, found):
    """Each case and what it was read as. Times without a year are read as of the end of the year
    that most of the expectations of their kind have in the file: with a year in the text, or without."""
    groups = collections.defaultdict(list)
    for case in found:
        groups[case[0].split(":")[0], bool(re.search(r"\b(19|20)\d\d\b", case[1][:140]))].append(case)
    for group in groups.values():
        years = collections.Counter(e["@timestamp"][:4] for _, _, e in group if "@timestamp" in e)
        now = f"{years.most_common(1)[0][0] if years else 2023}-12-31T23:59:59Z"
        yield from zip(group, explain(vaka, [record for _, record, _ in group], now))


class Count:
    def __init__(self):
        self.records = self.recognised = self.expected = self.present = self.equal = 0
        self.deviations = collections.Counter()
        self.examples = {}

    def add(self, name, place, want, got):
        self.expected += 1
        if got is None:
            verdict = f"{name} is missing"
        elif alike(name, want, got):
            self.present += 1
            self.equal += 1
            return
        else:
            self.present += 1
            verdict = f"{name} differs"
        self.deviations[verdict] += 1
        self.examples.setdefault(verdict, []).append((place, want, got))

    def report(self, number, product, show):
        """Prints the line of a test; whether the limits are kept."""
        present = self.present / self.expected if self.expected else 0
        equal = self.equal / self.present if self.present else 0
        good = present >= PRESENT and equal >= EQUAL
        print(f"{'' if good else 'not '}ok {number} - {product}: {self.records} records, "
              f"{self.recognised} recognised, {self.expected} fields, {100 * present:.1f} % present, "
              f"{100 * equal:.1f} % of them equal")
        for verdict, n in self.deviations.most_common(40 if show else 0):
            print(f"#   {n:5} {verdict}")
            for place, want, got in self.examples[verdict][:3]:
                print(f"#         {place}: wanted {want}, got {got}")
        return good


def measure(vaka, root, product, sources):
    count = Count()
    for package, pattern in sources:
        for (place, _, event), read in explained(vaka, cases(root, package, pattern)):
            count.records += 1
            count.recognised += read.get("product") in product.split(",")
            got = fields_of(read.get("fields", {}))
            if "time" in read:
                got["@timestamp"] = [read["time"]]
            for name, want in fields_of(event).items():
                want = [value for value in want if value not in ("", "-")]
                if FIELDS.match(name) and want:
                    count.add(name, place, want, got.get(name))
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vaka")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_intermixed_args()
    root = corpus()
    if not root or not root.is_dir():
        print("1..0 # SKIP VAKA_CORPUS is not set")
        return 0
    sources = collections.defaultdict(list)
    for product, package, pattern in table():
        if not args.names or product in args.names:
            sources[product].append((package, pattern))
    bad = 0
    for number, (product, packages) in enumerate(sorted(sources.items()), 1):
        bad += not measure(args.vaka, root, product, packages).report(number, product, args.show)
    print(f"1..{len(sources)}")
    return 1 if bad and args.limits else 0


if __name__ == "__main__":
    sys.exit(main())
