#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The console in Debian's Chromium, on a running vaka serve that real senders feed.

usage: console.py VAKA FLOWS.mjs [--all] [FOLDER]

Starts vaka serve with Vaka's own rules, makes people, sends recorded nights with curl and a record with
logger, and lets node run FLOWS.mjs, which prints TAP. What the flows need of the outside they ask over
HTTP: to send a record, to start the server anew. FOLDER is where they put pictures; --all has them look
at everything that they know to look at.
"""
import http.server
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
# pylint: disable-next=wrong-import-position
from api_client import PASSWORD, Office
# pylint: disable-next=wrong-import-position
from serving import TOKEN

NIGHTS = ("julnatt", "fredagskvall", "midsommarafton")
# Runs in as many places as one text can: attributes, comments, scripts, styles, addresses.
POLYGLOT = ("jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=window.xss=1 )//%0D%0A//</stYle/</titLe/"
            "</teXtarEa/</scRipt/--!>\\x3csVg/<sVg/oNloAd=window.xss=1//>\\x3e"
            "<img src=x onerror=window.xss=1><a href=javascript:window.xss=1>")


class City:
    """What the flows may ask for, by name."""

    def __init__(self, office):
        self.office = office

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
        """A record that an alert about that user is made of."""
        record = {"message": f"VAKAMARK user={user}", "user": {"name": user}}
        self.post(json.dumps(record).encode() + b"\n")

    def logged(self, text):
        """The same by logger, as a Linux machine sends."""
        subprocess.run(["logger", "--tcp", "--server", "127.0.0.1", "--port",
                        str(self.office.ports["syslog_tcp"]), "--rfc5424", "--tag", "x",
                        f"VAKAMARK {text}"], check=True, timeout=30)

    def hostile(self):
        """The polyglot in every field, and as the name of one."""
        fields = ("message", "host.name", "user.name", "process.command_line", "process.executable",
                  "file.path", "url.original", "event.action", "rule.name", "user_agent.original")
        record = {name: POLYGLOT for name in fields}
        record["message"] = "VAKAMARK " + POLYGLOT
        record["source.ip"] = "192.0.2.66"
        record[POLYGLOT] = "a name"
        self.post(json.dumps(record).encode() + b"\n")
        self.logged(POLYGLOT)

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

    def plan(self):
        """Somebody is on call."""
        self.office.ask("oncall", "plan", str(ROOT / "packaging/oncall.yml"))


def serve_wishes(city):
    class Wish(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # pylint: disable=invalid-name
            words = self.path.strip("/").split("/")
            getattr(city, words[0])(*words[1:])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):  # pylint: disable=arguments-differ
            pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Wish)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def one_time_password(office):
    told = office.ask("user", "add", "chef", "--role", "admin", "--role", "auditor", "--invite")
    return told.split()[1]


def incidents(office):
    """The numbers of one with much in it, and of the one with the most alerts."""
    found = [json.loads(line) for line in office.ask("incident", "list", "-f", "json").splitlines()]
    much = next(i for i in found if i["plain"]["en"].startswith("Shadow copies"))
    return much["id"], max(found, key=lambda i: i["alerts"])["id"]


def run(vaka, flows, everything, shots):
    with tempfile.TemporaryDirectory(prefix="vaka-console-") as folder:
        office = Office(vaka, folder, rules=f"[rules, {ROOT / 'rules'}]", app="required")
        with office.start():
            city = City(office)
            office.ask("oncall", "plan", str(ROOT / "packaging/oncall.yml"), "--force", "--why", "test")
            city.feed()
            server = serve_wishes(city)
            much, most = incidents(office)
            wishes = {"url": f"https://localhost:{office.web}", "password": PASSWORD,
                      "city": f"http://127.0.0.1:{server.server_port}", "shots": shots,
                      "invite": one_time_password(office), "much": much, "most": most,
                      "all": everything}
            status = subprocess.run(["node", flows, json.dumps(wishes)], check=False,
                                    timeout=1800).returncode
            server.shutdown()
            return status


def main():
    vaka, flows, *more = [word for word in sys.argv[1:] if word != "--all"]
    if not shutil.which("chromium"):
        print("1..0 # SKIP there is no chromium")
        return 0
    return run(str(pathlib.Path(vaka).resolve()), flows, "--all" in sys.argv,
               more[0] if more else None)


if __name__ == "__main__":
    sys.exit(main())
