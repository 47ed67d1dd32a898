# SPDX-License-Identifier: EUPL-1.2
"""A running vaka serve that pages by a gateway of a test's own."""
import json
import pathlib
import re

import gateway
import mailer
from disks import Small
from peers import make_certificates
from serving import APART, Faults, Serve

ANNA, BO, CIA = "+46700000011", "+46700000012", "+46700000013"
PLAN = """zone: Europe/Stockholm
digest: never
people:
  - {{id: anna, name: Anna, contacts: [{{channel: sms, address: '{anna}'}}]}}
  - {{id: bo, name: Bo, contacts: [{{channel: sms, address: '{bo}'}}]}}
  - {{id: cia, name: Cia, language: en, contacts: [{{channel: sms, address: '{cia}'}}]}}
teams:
  - {{id: soc, rotations: [{{order: [anna], since: 2026-01-05}}]}}
policies:
  - {{id: all, steps: [{{targets: [{{oncall: soc}}], wait: {wait}}}, {{targets: [{{person: bo}}], wait: {wait}}}],
     fallback: [{{person: cia}}]}}
rules:
  - {{level: {level}, page: all}}
  - {{never: true}}
"""
CODE = re.compile(r"Svara ([0-9A-Z]{8}) =|Reply ([0-9A-Z]{8}) =")


class Watch:
    """with paging.Watch(VAKA, folder) as w: w.event("one"); w.serve, w.gateway"""

    def __init__(self, vaka, folder, wait="5m", more="", providers=("one",), disk=None, level="high",
                 rules=(), mail=False, faulty=()):
        """`disk`: its pages are in a file system of so many bytes (disks.py). `level`: what pages. `rules`: texts
        of rules beside the marker's. `mail`: there is a mail server as well (mailer.py). `faulty`: processes of
        vaka-faulty whose clock can be set, by `faults`."""
        self.folder = pathlib.Path(folder)
        make_certificates(self.folder)
        self.mailer = mailer.Mailer(self.folder / "mailer", self.folder) if mail else None
        self.gateway = gateway.Gateway(self.folder)
        means = [self.gateway.provider("46elks", name, self.folder) for name in providers]
        if mail:
            means.append(self.mailer.provider("mail"))
        lines = "".join(f"    - {json.dumps(line)}\n" for line in means)
        self.serve = Serve(vaka, folder, APART + f"notify:\n  trust: {self.folder.resolve()}/ca.pem\n"
                           f"  providers:\n{lines}" + more)
        for number, text in enumerate(rules):
            (self.folder / "rules" / f"more-{number}.yml").write_text(text, encoding="utf-8")
        self.disk = None
        if disk:
            (self.folder / "var" / "oncall").mkdir()
            self.disk = Small(self.folder / "var" / "oncall", disk)
            self.disk.mount()
        if faulty:
            self.faults = Faults(self.serve, *faulty)
        self.serve.start()
        plan = self.folder / "plan.yaml"
        plan.write_text(PLAN.format(anna=ANNA, bo=BO, cia=CIA, wait=wait, level=level), encoding="utf-8")
        self.serve.ask("oncall", "plan", "plan.yaml", "--force", "--why", "a test")
        self.serve.shows(lambda s: s["oncall"]["providers"] == len(means), "providers are known")
        self.events = 0

    def event(self, user):
        """A record that a rule holds for: an incident of its own, by the computer and the user that it names."""
        with self.serve.tcp("syslog_tcp") as c:
            c.sendall(b'<13>1 2026-01-01T00:00:00Z %b app - - - {"message":"VAKAMARK","user":{"name":"%b"}}\n'
                      % (user.encode(), user.encode()))
        self.events += 1

    def sms(self, to, n=1, seconds=30):
        """The n-th message to that number, from 1, when it is there."""
        self.serve.wait(lambda: self.count(to) >= n, f"message {n} to {to}", seconds)
        return [m for m in list(self.gateway.sms) if m["to"] == to][n - 1]

    def count(self, to):
        return sum(m["to"] == to for m in list(self.gateway.sms))

    def pages(self, *words):
        return [json.loads(line) for line in
                self.serve.ask("oncall", "pages", "-f", "json", *words).splitlines()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.serve.stop()
        self.serve.__exit__()
        self.gateway.close()
        if self.mailer:
            self.mailer.close()
        if self.disk:
            self.disk.unmount()


def code_of(sms):
    found = CODE.search(sms["message"])
    assert found, sms["message"]
    return found.group(1) or found.group(2)

