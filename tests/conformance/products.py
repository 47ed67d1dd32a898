#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Products against records and expectations that others wrote (elastic-integrations of the corpus).

usage: products.py VAKA [--show] [--limits] [--table] [NAME...]

For every product (or several that share files: "sshd,sudo") that products.tsv names, the sample
records of its packages are read by `vaka explain`, and of the fields below that the expected event
has, it is counted how many are there and how many of those are equal. Expected values that are
empty or - are none, as products/README.md has it.

Deviations that are explained stand in products-apart.tsv, each with why. The figures are given with
and without them, and a row there that fits no deviation is a failure. The limits (90 % present, 95 %
of those equal) hold for the figures without them; the last line says for how many products they
hold with them. --show: also the deviations that are not set apart, most frequent first. --limits:
exit status 1 when a product does not keep them. --table: the figures as a table, for docs/evidence.
Prints TAP.
"""
import argparse
import collections
import datetime
import fnmatch
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


def rows_of(name):
    """(number of the line, its columns) of a table beside this file."""
    text = (pathlib.Path(__file__).parent / name).read_text(encoding="utf-8")
    return [(number, line.split("\t")) for number, line in enumerate(text.splitlines(), 1)
            if line and not line.startswith("#")]


class Apart:
    """Deviations that products-apart.tsv explains: a product's field that is expected and read like
    two patterns, values in their order with commas between them. @FIELD: what is read as that one."""

    def __init__(self):
        self.rows = rows_of("products-apart.tsv")
        self.used = collections.Counter()

    def holds(self, product, name, want, read):
        texts = [product, name, ", ".join(want), ", ".join(read.get(name, ["none"]))]
        for line, (*patterns, _) in self.rows:
            if patterns[2].startswith("@"):
                patterns[2] = ", ".join(read.get(patterns[2][1:], ["none"]))
            if all(fnmatch.fnmatchcase(text, pattern) for text, pattern in zip(texts, patterns)):
                self.used[line] += 1
                return True
        return False

    def unused(self, products):
        return [line for line, row in self.rows if row[0] in products and not self.used[line]]


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
            print(f"# {source.name}: {len(got)} records, {len(want)} expected events: left out", file=sys.stderr)
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


def explained(vaka, root, sources):
    """Each case and what it was read as. Times without a year are read as of the end of the year
    that most of the expectations of their kind have in the file: with a year in the text, or without."""
    runs = collections.defaultdict(list)
    for package, pattern in sources:
        groups = collections.defaultdict(list)
        for case in cases(root, package, pattern):
            groups[case[0].split(":")[0], bool(re.search(r"\b(19|20)\d\d\b", case[1][:140]))].append(case)
        for group in groups.values():
            years = collections.Counter(e["@timestamp"][:4] for _, _, e in group if "@timestamp" in e)
            runs[years.most_common(1)[0][0] if years else "2023"] += group
    for year, found in runs.items():
        yield from zip(found, explain(vaka, [record for _, record, _ in found], f"{year}-12-31T23:59:59Z"))


class Count:
    """What was compared of one product; `apart`, when there is one, knows what is explained."""

    def __init__(self, product="", apart=None):
        self.product, self.apart = product, apart
        self.records = self.recognised = self.expected = self.present = self.equal = 0
        self.apart_missing = self.apart_differing = 0
        self.deviations = collections.Counter()
        self.examples = {}

    def add(self, name, place, want, read):
        """Of a record whose fields are `read`, the one of this name."""
        got = read.get(name)
        self.expected += 1
        self.present += got is not None
        if got is not None and alike(name, want, got):
            self.equal += 1
        elif self.apart and self.apart.holds(self.product, name, want, read):
            self.apart_missing += got is None
            self.apart_differing += got is not None
        else:
            verdict = f"{name} {'is missing' if got is None else 'differs'}"
            self.deviations[verdict] += 1
            self.examples.setdefault(verdict, []).append((place, want, got))

    def figures(self, apart):
        """How much is present, and how much of that equal; without what is set apart, or with it."""
        expected = self.expected - (self.apart_missing + self.apart_differing if apart else 0)
        present = self.present - (self.apart_differing if apart else 0)
        return present / expected if expected else 0, self.equal / present if present else 0

    def good(self, apart):
        present, equal = self.figures(apart)
        return present >= PRESENT and equal >= EQUAL

    def report(self, number, show):
        """Prints the line of a test; whether the limits are kept."""
        good = self.good(True)
        present, equal = self.figures(False)
        text = (f"{self.product}: {self.records} records, {self.recognised} recognised, {self.expected} "
                f"fields, {100 * present:.1f} % present, {100 * equal:.1f} % of them equal")
        set_apart = self.apart_missing + self.apart_differing
        if set_apart:
            present, equal = self.figures(True)
            text += f"; {set_apart} set apart, {100 * present:.1f} % and {100 * equal:.1f} % without them"
        print(f"{'' if good else 'not '}ok {number} - {text}")
        for verdict, n in self.deviations.most_common(40 if show else 0):
            print(f"#   {n:5} {verdict}")
            for place, want, got in self.examples[verdict][:3]:
                print(f"#         {place}: wanted {want}, got {got}")
        return good

    def row(self):
        """The same as a row of a table in Markdown."""
        parts = [f"{100 * part:.1f} %" for part in self.figures(False) + self.figures(True)]
        set_apart = self.apart_missing + self.apart_differing
        return " | ".join(["", self.product.replace(",", ", "), f"{self.records:,}", f"{self.recognised:,}",
                           f"{self.expected:,}", *parts[:2], f"{set_apart:,}", *parts[2:], ""]).strip()


def measure(vaka, root, product, sources, apart):
    count = Count(product, apart)
    for (place, _, event), read in explained(vaka, root, sources):
        count.records += 1
        count.recognised += read.get("product") in product.split(",")
        got = fields_of(read.get("fields", {}))
        if "time" in read:
            got["@timestamp"] = [read["time"]]
        for name, want in fields_of(event).items():
            want = [value for value in want if value not in ("", "-")]
            if FIELDS.match(name) and want:
                count.add(name, place, want, got)
    return count


def print_table(counts):
    print("| product | records | recognised | fields | present | equal | set apart | present | equal |\n"
          "|---|---|---|---|---|---|---|---|---|")
    for count in counts:
        print(count.row())


def report_all(counts, apart, show):
    """Whether all is as it must be."""
    bad = sum([not count.report(number, show) for number, count in enumerate(counts, 1)])
    unused = apart.unused([count.product for count in counts])
    print(f"{'not ' if unused else ''}ok {len(counts) + 1} - what is set apart was found")
    for line in unused:
        print(f"# products-apart.tsv:{line} fits no deviation")
    print(f"1..{len(counts) + 1}")
    print(f"# of {len(counts)}, {sum(count.good(False) for count in counts)} keep the limits with all "
          f"deviations, {sum(count.good(True) for count in counts)} without those set apart")
    return not bad and not unused


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vaka")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_intermixed_args()
    root = corpus()
    if not root or not root.is_dir():
        print("1..0 # SKIP VAKA_CORPUS is not set")
        return 0
    sources = collections.defaultdict(list)
    for _, (product, package, pattern) in rows_of("products.tsv"):
        if not args.names or product in args.names:
            sources[product].append((package, pattern))
    apart = Apart()
    counts = [measure(args.vaka, root, product, packages, apart)
              for product, packages in sorted(sources.items())]
    if args.table:
        print_table(counts)
        return 0
    good = report_all(counts, apart, args.show)
    return 1 if args.limits and not good else 0


if __name__ == "__main__":
    sys.exit(main())
