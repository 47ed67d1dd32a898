#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The console in Debian's Chromium, on a running vaka serve that real senders feed.

usage: console.py VAKA FLOWS.mjs [--all] [--new] [--swap] [--keyboard] [FOLDER]

Starts vaka serve with Vaka's own rules, makes people, sends recorded nights with curl and a record with
logger, and lets node run FLOWS.mjs, which prints TAP. What the flows need of the outside they ask over
HTTP: to send a record, to start the server anew. FOLDER is where they put pictures; --all has them look
at everything that they know to look at; with --new it is a Vaka that nobody has set up; with --swap what is
done in Swedish otherwise is done in English, and the other way round; with --keyboard nobody has a
pointer.
"""
import base64
import contextlib
import http.server
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
# pylint: disable-next=wrong-import-position
import gateway
# pylint: disable-next=wrong-import-position
from api_client import PASSWORD, Office
# pylint: disable-next=wrong-import-position
from serving import TOKEN

NIGHTS = ("julnatt", "fredagskvall", "midsommarafton")
# Runs in as many places as one text can: attributes, comments, scripts, styles, addresses.
POLYGLOT = ("jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=window.xss=1 )//%0D%0A//</stYle/</titLe/"
            "</teXtarEa/</scRipt/--!>\\x3csVg/<sVg/oNloAd=window.xss=1//>\\x3e"
            "<img src=x onerror=window.xss=1><a href=javascript:window.xss=1>")
# Fields of ECS, as products/ name those that they fill.
ECS = re.compile(r"\b(?:client|cloud|destination|device|dns|email|error|event|file|group|host|http|log|network|observer"
                 r"|organization|process|registry|related|rule|server|service|source|threat|tls|url|user|user_agent"
                 r"|vulnerability)(?:\.[a-z_0-9]+)+\b(?!\.)")


class City:
    """What the flows may ask for, by name; what is returned is told to them."""

    def __init__(self, office, phones):
        self.office, self.phones = office, phones

    def sms(self, to=""):
        """The last one that was sent, to numbers that end so."""
        return next((s["message"] for s in reversed(self.phones.sms) if s["to"].endswith(to)), "")

    def push(self):
        """The last message of a push server, as JSON."""
        return json.dumps(self.phones.pushes[-1]) if self.phones.pushes else ""

    def reply(self, to=""):
        """Whom the last one went to answers it with its code."""
        sms = next(s for s in reversed(self.phones.sms) if s["to"].endswith(to))
        self.phones.reply(sms, re.search(r"/ack/([0-9A-Z]{8})", sms["message"])[1])

    def post(self, body):
        subprocess.run(["curl", "-sS", "--cacert", self.office.ca, "-o", "/dev/null", "--fail",
                        "-H", f"Authorization: Bearer {TOKEN}", "--data-binary", "@-",
                        f"https://localhost:{self.office.ports['http']}/api/ingest"],
                       input=body, check=True, timeout=60)

    def feed(self):
        for night in NIGHTS:
            for file in sorted((ROOT / "samples" / night).iterdir()):
                if file.suffix == ".ndjson":
                    self.post(file.read_bytes())
                else:
                    with self.office.tcp() as s:
                        s.sendall(file.read_bytes())
        self.office.wait(lambda: self.office.status()["detect"]["behind"] == 0, "all matched")

    def alarm(self, user):
        """A record that an alert about that user is made of; it is an incident then."""
        record = {"message": f"VAKAMARK user={user}", "user": {"name": user}}
        self.post(json.dumps(record).encode() + b"\n")
        self.office.wait(lambda: user in self.office.ask("incident", "list", "-f", "json"), "an incident")

    def logged(self, text):
        """The same by logger, as a Linux machine sends."""
        subprocess.run(["logger", "--tcp", "--server", "127.0.0.1", "--port",
                        str(self.office.ports["syslog_tcp"]), "--rfc5424", "--tag", "x",
                        f"VAKAMARK {text}"], check=True, timeout=30)

    def hostile(self):
        """The polyglot in every field that products fill, as the name of one, and as a computer's that sends syslog."""
        text = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "products").glob("*.yml"))
        names = sorted(set(ECS.findall(text)))
        for n in range(0, len(names), 60):
            record = {name: POLYGLOT for name in names[n:n + 60] + ["host.name", "user.name", "process.command_line"]}
            record |= {"message": "VAKAMARK " + POLYGLOT, "source.ip": "192.0.2.66", POLYGLOT: "a name"}
            self.post(json.dumps(record).encode() + b"\n")
        self.logged(POLYGLOT)
        with self.office.tcp() as s:
            host = "<img/src=x/onerror=window.xss=1>"
            s.sendall(f"<13>1 2026-11-27T03:00:00Z {host} {host} {host} - - VAKAMARK {POLYGLOT}\n".encode())

    def formulas(self):
        """What spreadsheets would run, in fields."""
        self.post(json.dumps({"message": "cells", "user": {"name": "=cmd|' /C FORMULA'!A0"},
                              "process": {"command_line": "@SUM(1+1)"}, "file": {"path": "+1-1"},
                              "url": {"original": "-2+3"}}).encode() + b"\n")

    def restart(self):
        self.office.stop()
        self.office.start()

    def relax(self):
        """From now on nobody needs an app."""
        text = self.office.config.read_text(encoding="utf-8")
        self.office.config.write_text(text.replace("app: required", "app: optional"), encoding="utf-8")
        self.restart()
        for name, roles in {"anna": ("analyst", "responder"), "bo": ("analyst",),
                            "vera": ("viewer",),
                            "alla": ("analyst", "responder", "admin", "auditor")}.items():
            self.office.hire(name, *roles)

    def pack(self):
        """A zip of rules as others publish them, one of which is none; in base64."""
        rule = ("title: Rule {n}\nid: 00000000-0000-4000-8000-00000000000{n}\nstatus: test\nlevel: high\n"
                "date: 2026-03-01\nlogsource:\n    category: application\ndetection:\n    s:\n"
                "        message|contains: pack{n}\n    condition: s\n")
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            for n in (1, 2):
                packed.writestr(f"rules/{n}.yml", rule.format(n=n))
            packed.writestr("rules/odd.yml", "title: Odd\n")
        return base64.b64encode(out.getvalue()).decode()

    def tenant(self):
        """Somebody of another organisation, who may do everything there."""
        self.office.hire("tove", "analyst", "responder", "admin", "auditor", tenant=1)

    def plan(self):
        """Somebody is on call."""
        self.office.ask("oncall", "plan", str(ROOT / "packaging/oncall.yml"), "--force", "--why", "test")


def serve_wishes(city):
    class Wish(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # pylint: disable=invalid-name
            words = self.path.strip("/").split("/")
            told = (getattr(city, words[0])(*words[1:]) or "").encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_):  # pylint: disable=arguments-differ
            pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Wish)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def one_time_password(office, name):
    told = office.ask("user", "add", name, "--role", "admin", "--role", "auditor", "--invite")
    return told.split()[1]


def incidents(office):
    """The numbers of the two with the most alerts."""
    found = [json.loads(line) for line in office.ask("incident", "list", "-f", "json").splitlines()]
    much, more, *_ = sorted(found, key=lambda i: -i["alerts"])
    return {"much": much["id"], "more": more["id"]}


@contextlib.contextmanager
def running(vaka, folder):
    """A vaka serve with phones that can be reached, and what the flows may ask of both."""
    office = Office(vaka, folder, rules=f"[rules, {ROOT / 'rules'}]", app="required")
    with gateway.Gateway(folder) as phones:
        lines = [phones.provider("46elks", "sms", folder), phones.provider("ntfy", "push", folder)]
        text = office.config.read_text(encoding="utf-8")
        text = text.replace("web:\n", f"web:\n  address: https://localhost:{office.web}\n", 1)
        text += f"drill:\n  folder: {ROOT}/samples\n  speed: 100000\n"
        text += f"notify:\n  trust: {pathlib.Path(folder).resolve()}/ca.pem\n  providers:\n"
        text += "".join(f"    - {json.dumps(line)}\n" for line in lines)
        office.config.write_text(text, encoding="utf-8")
        with office.start():
            city = City(office, phones)
            server = serve_wishes(city)
            yield city, f"http://127.0.0.1:{server.server_port}"
            server.shutdown()


def run(vaka, flows, options, shots):
    with (tempfile.TemporaryDirectory(prefix="vaka-console-") as folder,
          running(vaka, folder) as (city, address)):
        office = city.office
        wishes = {"url": f"https://localhost:{office.web}", "password": PASSWORD, "city": address,
                  "shots": shots, "all": "--all" in options, "swap": "--swap" in options,
                  "keyboard": "--keyboard" in options}
        if "--new" in options:
            wishes["invites"] = {name: one_time_password(office, name) for name in ("chef", "boss")}
        else:
            city.plan()
            city.feed()
            wishes |= incidents(office)
        return subprocess.run(["node", flows, json.dumps(wishes)], check=False, timeout=1800).returncode


def main():
    vaka, flows, *more = [word for word in sys.argv[1:] if not word.startswith("--")]
    if not shutil.which("chromium"):
        print("1..0 # SKIP there is no chromium")
        return 0
    return run(str(pathlib.Path(vaka).resolve()), flows, sys.argv, more[0] if more else None)


if __name__ == "__main__":
    sys.exit(main())
