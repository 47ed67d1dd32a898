#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""From an incident to somebody who has it, over a whole vaka serve: notify_serve.py VAKA [TEST...].
Prints TAP."""
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import re
import ssl
import sys
import time
import urllib.parse
import zoneinfo

import gateway
import mailer
import schema
from api_client import Office
from serving import RULE, holds, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
ANNA, BO = "+46701234567", "+46701234568"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# The proof's next hour is tomorrow's.
BEFORE = datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Stockholm")) - datetime.timedelta(minutes=1)
PLAN = {
    "zone": "Europe/Stockholm",
    "proof": f"anna {BEFORE:%H:%M}",
    "people": [
        {"id": "anna", "name": "Anna A", "contacts": [{"channel": "sms", "address": ANNA},
                                                      {"channel": "mail", "address": "anna@example.se"}]},
        {"id": "bo", "name": "Bo B", "contacts": [{"channel": "voice", "address": BO}]}],
    "teams": [{"id": "soc", "rotations": [{"name": "week", "order": ["anna"], "every": "week",
                                           "handoff": "monday 08:00", "since": "2026-01-01"}]}],
    "policies": [{"id": "day", "steps": [{"targets": [{"oncall": "soc"}], "wait": "10m"},
                                         {"targets": [{"person": "bo"}], "wait": "10m"}]}],
    "rules": [{"page": "day"}]}


class Watch(Office):
    """A vaka serve that pages by a gateway and a mail server of the test's own."""

    def __init__(self, folder):
        super().__init__(VAKA, folder)
        self.gateway = gateway.Gateway(folder)
        self.mailer = mailer.Mailer(folder / "mailer", folder)
        lines = [self.gateway.provider("46elks", "sms", folder), self.mailer.provider("mail", "own=yes")]
        text = self.config.read_text(encoding="utf-8")
        text = text.replace("web:\n", f"web:\n  address: https://localhost:{self.web}\n"
                            "  proxies: 127.0.0.0/8\n", 1)
        text += f"notify:\n  trust: {folder.resolve()}/ca.pem\n  providers:\n"
        self.config.write_text(text + "".join(f"    - {json.dumps(line)}\n" for line in lines),
                               encoding="utf-8")
        self.incidents = 0
        # Another rule and another computer each, so that none is part of the one before.
        for n in range(1, 20):
            rule = RULE.format(marker=f"EVENT-{n}-OF").replace("6b2a6a4e", f"6b2a6a{n:02x}")
            (folder / "rules" / f"event-{n}.yml").write_text(rule, encoding="utf-8")

    def start(self, ready=True):
        super().start(ready)
        plan = self.folder / "plan.yaml"
        plan.write_text(json.dumps(PLAN), encoding="utf-8")
        self.ask("oncall", "plan", "--force", "--why", "a test", str(plan))
        return self

    def incident(self):
        self.incidents += 1
        with self.tcp() as s:
            s.sendall(f"<13>1 - host-{self.incidents} app - - - EVENT-{self.incidents}-OF it\n".encode())

    def page(self, channel="sms"):
        """The message about a new incident."""
        taken = getattr(self.gateway, channel)
        before = len(taken)
        self.incident()
        self.wait(lambda: len(taken) > before, "a message")
        return taken[before]

    def pages(self):
        return self.status()["oncall"]

    def acknowledged(self, n):
        self.wait(lambda: self.pages()["acknowledged"] >= n, f"{n} acknowledged")

    def web_ask(self, method, path, body=None, headers=()):
        context = ssl.create_default_context(cafile=self.ca)
        connection = http.client.HTTPSConnection("localhost", self.web, timeout=30, context=context)
        connection.putrequest(method, path)
        given = list(dict(headers).items()) if not isinstance(headers, list) else headers
        if body is not None:
            given = [*given, ("Content-Length", str(len(body)))]
        for name, value in given:
            connection.putheader(name, value)
        # What is too large may be refused before all of it was sent.
        with contextlib.suppress(OSError):
            connection.endheaders(body.encode() if body is not None else None)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text.decode()

    def __exit__(self, *what):
        super().__exit__(*what)
        self.gateway.close()
        self.mailer.close()


def link_in(text):
    found = re.search(r"https://localhost:\d+(/ack/([0-9A-Z]{8}))", text)
    if not found:
        raise AssertionError(f"no link in {text!r}")
    return found[1], found[2]


def answer_by_link(w):
    """The page behind the link does nothing when it is opened, and takes the page when it is told to."""
    path, code = link_in(w.page()["message"])
    for _ in range(3):  # as mail scanners do
        status, head, text = w.web_ask("GET", path)
        same((status, head["content-type"]), (200, "text/html; charset=utf-8"))
    same(w.pages()["acknowledged"], 0)
    for part in (code, 'method="post"', 'lang="sv"', "Jag tar det"):
        holds(text, part)
    same(("<script" in text, len(text) < 10000), (False, True))
    holds(head["content-security-policy"], "default-src 'none'; style-src 'sha256-")
    same(head["cache-control"], "no-store")
    holds(w.web_ask("GET", path, headers={"Accept-Language": "en"})[2], "I have it")
    form = urllib.parse.urlencode({"code": code, "do": "ack"})
    # A browser says that a form of this page is from nowhere, because it tells nobody where it was.
    status, _, text = w.web_ask("POST", "/ack", form, {**FORM, "Origin": "null"})
    same(status, 200)
    holds(text, "Larmet är ditt.")
    w.acknowledged(1)
    status, _, text = w.web_ask("POST", "/ack", form, FORM)
    same(status, 409)
    holds(text, "Koden är redan använd.")


def what_is_no_answer_is_refused(w):
    for method, path, body, headers, want in (
            ("GET", "/ack", None, {}, 200),
            ("GET", "/ack/K7M2Q9XD/x", None, {}, 404),
            ("GET", "/ack/" + "A" * 17, None, {}, 404),
            ("PUT", "/ack", "x", FORM, 405),
            ("POST", "/ack", "code=K7M2Q9XD", FORM, 400),
            ("POST", "/ack", "code=K7M2Q9XD&do=close", FORM, 400),
            ("POST", "/ack", "code=%ZZ&do=ack", FORM, 400),
            ("POST", "/ack", '{"code":"K7M2Q9XD"}', {"Content-Type": "application/json"}, 415),
            ("POST", "/ack", "code=" + "A" * 20000, FORM, 413),
            ("POST", "/ack", "code=K7M2Q9XD&do=ack", FORM, 404),
            ("POST", "/api/v1/callbacks/sms/wrong-0123456789abcdef", "id=s1&status=delivered", FORM, 404),
            ("POST", f"/api/v1/callbacks/mail/{gateway.CALLBACK}", "id=s1&status=delivered", FORM, 404),
            ("POST", f"/api/v1/callbacks/sms/{gateway.CALLBACK}", "nothing=here", FORM, 400),
            ("GET", f"/api/v1/callbacks/sms/{gateway.CALLBACK}", None, {}, 401)):
        status, head, _ = w.web_ask(method, path, body, headers)
        same((method, path[:40], status), (method, path[:40], want))
        same(head["x-content-type-options"], "nosniff")


def who_guesses_behind_a_proxy_keeps_nobody_else_out(w):
    def guess(n, *forwarded):
        found = [w.web_ask("POST", "/ack", "code=ZZZZZZZZ&do=ack", [*FORM.items(), *(
            ("X-Forwarded-For", address) for address in forwarded)])[0] for _ in range(n)]
        return sorted(set(found))
    # He writes what he likes; what the proxy saw stands behind it, or in a header of its own.
    same(guess(10, "203.0.113.1, 198.51.100.9"), [404])
    same(guess(1, "203.0.113.2, 198.51.100.9"), [429])
    same(guess(1, "203.0.113.2", "198.51.100.9"), [429])
    same(guess(1, "198.51.100.9, 203.0.113.3"), [404])


def answer_by_sms_that_is_told(w):
    sms = w.page()
    same((sms["to"], sms["from"]), (ANNA, gateway.FROM))
    _, code = link_in(sms["message"])
    w.gateway.repeats = 3
    w.gateway.reply(sms, f"  {code.lower()} jag tar det")
    w.gateway.repeats = 1
    w.acknowledged(2)
    same({status for _, status in w.gateway.told}, {200})
    w.shows(lambda s: s["notify"]["delivered"] >= 2, "what was delivered")


def answer_by_sms_that_is_asked_for(w):
    """Nothing gets in: what people answer is found all the same."""
    w.gateway.callbacks = False
    sms = w.page()
    w.gateway.reply(sms, link_in(sms["message"])[1])
    w.acknowledged(3)
    w.gateway.callbacks = True


def escalate_and_press_a_key(w):
    sms = w.page()
    w.gateway.reply(sms, f"E {link_in(sms['message'])[1]}")
    w.wait(lambda: w.gateway.calls, "a call")
    call = w.gateway.calls[0]
    same((call["to"], call["from"]), (BO, gateway.VOICE))
    same(w.gateway.press(call, "1"), b'{"play":"sound/beep"}')
    w.acknowledged(4)


def one_provider_fails_and_another_takes_it(w):
    """And an attempt that nobody knows the end of is made by the other one as well."""
    w.gateway.down = True
    before = time.monotonic()
    w.incident()
    mail = w.mailer.mails(1)[-1]
    if time.monotonic() - before > 30:
        raise AssertionError("later than 30 s")
    anna = w.hire("anna", "admin")
    w.wait(lambda: {p["name"]: p["state"] for p in anna.get("/notify/providers")["providers"]} ==
           {"mail": "well", "sms": "failing"}, "the state of both")
    holds(w.ask("notify", "providers"), "sms              failing")
    w.gateway.down = False
    same((mail["To"], mail["From"]), ("anna@example.se", "Vaka <vaka@example.se>"))
    holds(mail["In-Reply-To"], "<vaka.page.")
    text = mail.get_content()
    form = urllib.parse.urlencode({"code": link_in(text)[1], "do": "ack"})
    same(w.web_ask("POST", "/ack", form, FORM)[0], 200)
    w.acknowledged(5)


def killed_in_the_middle(w):
    """Before the provider was asked, and when it had answered: nobody is told twice, and answers to
    what an earlier process sent are still found. That it was killed is paged for as well."""
    w.gateway.callbacks = False
    for _ in range(2):
        before = len(w.gateway.sms)
        w.kill("notify")
        w.incident()
        w.wait(lambda n=before: len(w.gateway.sms) > n, "a message")
        w.shows(lambda s: s["notify"]["busy"] == 0 and s["notify"]["accepted"] > 0, "it was accepted")
        w.kill("notify")

        def answered(n=before):
            for sms in w.gateway.sms[n:]:
                if not sms.get("_answered"):
                    sms["_answered"] = w.gateway.reply(sms, link_in(sms["message"])[1])
            return w.pages()["pages_open"] == 0
        w.wait(answered, "that all have somebody")
    w.gateway.callbacks = True
    codes = [link_in(s["message"])[1] for s in w.gateway.sms]
    same(len(set(codes)), len(codes))


def what_is_proven_of_people_is_told_by_the_api(w):
    """The proof is tomorrow's: oncall.py has those of two days."""
    eva = w.hire("eva", "admin")
    told = eva.get("/awake")
    same(schema.wrong(eva.get("/openapi.json"), {"$ref": "#/components/schemas/Awake"}, told), None)
    same((told["proof"]["person"], told["proof"]["reached"]), ("anna", None))
    same({way["channel"]: way["state"] for way in told["proof"]["ways"]},
         {"sms": "never", "voice": "never", "mail": "never"})


def nothing_secret_is_in_the_log(w):
    log = w.log_text()
    for secret in (gateway.SECRET, gateway.CALLBACK, mailer.SECRET, ANNA):
        if secret in log:
            raise AssertionError(f"{secret} is in the log")


def a_reload_brings_providers(w):
    text = w.config.read_text(encoding="utf-8")
    line = w.gateway.provider("ntfy", "push", w.folder)
    w.config.write_text(text + f"    - {json.dumps(line)}\n", encoding="utf-8")
    w.ask("reload")
    w.shows(lambda s: [p["name"] for p in s["notify"]["providers"]] == ["sms", "mail", "push"],
            "three providers")
    w.config.write_text(text + "    - smpt host=x\n", encoding="utf-8")
    try:
        w.ask("reload")
    except AssertionError as why:
        holds(str(why), "provider 3: there is no kind of provider smpt")
    else:
        raise AssertionError("it was reloaded")


@test
def people_are_told_and_answer(folder):
    with Watch(folder) as w:
        w.start()
        for step in (answer_by_link, what_is_no_answer_is_refused,
                     who_guesses_behind_a_proxy_keeps_nobody_else_out, answer_by_sms_that_is_told,
                     answer_by_sms_that_is_asked_for, escalate_and_press_a_key,
                     one_provider_fails_and_another_takes_it, killed_in_the_middle,
                     what_is_proven_of_people_is_told_by_the_api, a_reload_brings_providers,
                     nothing_secret_is_in_the_log):
            before = time.monotonic()
            try:
                step(w)
            except AssertionError as why:
                raise AssertionError(f"{step.__name__}: {why}") from why
            if os.environ.get("VAKA_TEST_TIMES"):
                print(f"# {step.__name__} {time.monotonic() - before:.1f} s")


sys.exit(run_tests(sys.argv[2:]))
