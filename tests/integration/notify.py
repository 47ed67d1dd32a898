#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Messages to people by providers: notify.py VAKA [TEST...]. Prints TAP."""
import json
import pathlib
import subprocess
import sys
import threading

import gateway
import mailer
from peers import make_certificates
from serving import holds, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
ANNA = "+46701234567"


class House:
    """A gateway, and a configuration with providers."""

    def __init__(self, folder, *lines, more=""):
        self.folder = pathlib.Path(folder)
        make_certificates(self.folder)
        self.gateway = gateway.Gateway(self.folder)
        self.lines, self.more = list(lines), more

    def add(self, kind, name, more=""):
        self.lines.append(self.gateway.provider(kind, name, self.folder, more))
        return self

    def config(self):
        providers = "".join(f"    - {json.dumps(line)}\n" for line in self.lines)
        path = self.folder / "vaka.yaml"
        path.write_text(f"serve:\n  folder: {self.folder}/var\nnotify:\n  trust: "
                        f"{self.folder.resolve()}/ca.pem\n  providers:\n{providers}{self.more}",
                        encoding="utf-8")
        return path

    def run(self, *words):
        return subprocess.run([VAKA, "notify", "test", *words, "-c", self.config(), "-f", "json"],
                              check=False, capture_output=True, timeout=90)

    def send(self, *words, status=0):
        """What became of it: objects with what, reference and detail."""
        result = self.run(*words)
        same((words, result.returncode, result.stderr.decode()), (words, status, ""))
        return [json.loads(line) for line in result.stdout.splitlines()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gateway.close()


@test
def mail_goes_out_by_tls_and_says_who_and_what(folder):
    with House(folder) as h, mailer.Mailer(folder / "mailer", folder) as m:
        h.lines += [m.provider("mail"), m.provider("wrong", secret="not-it"),
                    m.provider("plain", "tls=starttls").replace("localhost", "127.0.0.1")]
        text = "Allvar: hög\n.\nSök på rött = grönt; " + "lång rad " * 40 + "\n"
        found, = h.send("mail", "anna@example.se", "-t", text)
        same(found["what"], "accepted")
        holds(found["detail"], "250: OK id=")
        mail, = m.mails()
        same((mail["From"], mail["To"], mail["Subject"]),
             ("Vaka <vaka@example.se>", "anna@example.se", "Vaka: test"))
        same(mail["Auto-Submitted"], "auto-generated")
        same(mail.get_content().replace("\r\n", "\n"), text)
        same(m.came_by_tls(), 1)
        same([f["what"] for f in h.send("mail", "anna@example.se", "--dry")], ["accepted"])
        refused, = h.send("mail", "nobody@example.se", status=1)
        same((refused["what"], refused["detail"]), ("refused", "550: no such mailbox"))
        later, = h.send("mail", "later@example.se", status=1)
        same((later["what"], later["detail"]), ("retry", "451: come back later"))
        wrong, = h.send("wrong", "anna@example.se", status=1)
        same((wrong["what"], wrong["detail"]), ("refused", "535: Incorrect authentication data"))
        same(h.send("wrong", "anna@example.se", "--dry", status=1)[0]["what"], "refused")
        same(h.send("mail", "anna@example.se\r\nRCPT TO:<x@y.se>", status=1)[0]["detail"],
             "it is no address of mail")
        same(len(m.mails()), 1)


@test
def mail_without_tls_is_not_sent_nor_by_another_name(folder):
    with House(folder) as h, mailer.Mailer(folder / "mailer", folder, tls="") as m:
        h.lines.append(m.provider("mail"))
        found, = h.send("mail", "anna@example.se", status=1)
        same((found["what"], found["detail"]), ("refused", "it does not offer STARTTLS"))
        same(m.log().count(" <= "), 0)
        h.lines[0] = h.lines[0].replace("localhost", "mail.example.se")
        same(h.send("mail", "anna@example.se", status=1)[0]["what"], "refused")


@test
def every_kind_reaches_its_receiver(folder):
    with House(folder) as h:
        g = h.gateway
        h.add("46elks", "sms").add("webhook", "hook").add("teams", "teams").add("ntfy", "push")
        for name, to in (("sms", ANNA), ("hook", "anna"), ("teams", "-"), ("push", "vaka-anna")):
            found, = h.send(name, to, "-t", "Övning åäö & <b>")
            same((name, found["what"]), (name, "accepted"))
        same(h.send("sms", ANNA, "-t", "\u2713" * 71)[0]["detail"], "200, 2 SMS of UCS-2")
        found, = h.send("sms", ANNA, "-C", "voice")
        same(found["reference"], g.calls[0]["id"])
        same((g.sms[0]["to"], g.sms[0]["from"], g.sms[0]["message"]),
             (ANNA, gateway.FROM, "Övning åäö & <b>"))
        same((g.calls[0]["from"], g.calls[0]["_menu"]["ivr"], g.calls[0]["_menu"]["digits"]),
             (gateway.VOICE, "sound/beep", 1))
        holds(g.calls[0]["_action"]["play"], "en_US/")
        h.lines.append(g.provider("46elks", "svensk", folder, "speaks=sv"))
        same(h.send("svensk", ANNA, "-C", "voice")[0]["what"], "accepted")
        holds(g.calls[1]["_action"]["play"], "sv_SE/")
        same((g.hooks[0]["to"], g.hooks[0]["text"], g.hooks[0]["version"]),
             ("anna", "Övning åäö & <b>", 1))
        same(g.cards[0]["body"][1]["text"], "Övning åäö & <b>")
        same((g.pushes[0]["topic"], g.pushes[0]["priority"]), ("vaka-anna", 5))
        same(g.bad_signatures, 0)


@test
def what_became_of_an_attempt_is_told_as_it_is(folder):
    faults = [(gateway.refused, "refused", "403: Not enough credits"),
              (gateway.busy, "retry", "503: come back later"),
              (gateway.failed, "unknown", "500: oops"),
              (gateway.gone, "unknown", "the answer broke off"),
              (gateway.lost, "unknown", "the answer broke off"),
              (gateway.odd, "unknown", "the answer has no id")]
    with House(folder) as h:
        g = h.gateway
        # Busy machines stand still for seconds; who is in a hurry has a provider that is slower still.
        h.add("46elks", "sms", "timeout=15s").add("46elks", "hasty", "timeout=4s")
        h.lines.append("ntfy name=nobody url=https://localhost:9 address=127.0.0.1")
        h.lines.append(g.provider("ntfy", "other", folder).replace("localhost", "push.example.se"))
        for fault, what, detail in faults:
            g.fault("sms", fault)
            found, = h.send("sms", ANNA, status=1)
            same((found["what"], found["detail"]), (what, detail))
        g.fault("sms", gateway.slow(8))
        found, = h.send("hasty", ANNA, status=1)
        same((found["what"], found["detail"]), ("unknown", "no answer in time"))
        # An answer that broke off was not asked for again: what was lost was done once.
        while len(g.sms) < 2:  # the slow one is still at it
            pass
        same((g.count("sms"), len(g.sms)), (len(faults) + 1, 2))
        same(h.send("nobody", "topic", status=1)[0],
             {"what": "retry", "reference": "", "detail": "it cannot be reached"})
        found, = h.send("other", "topic", status=1)
        same((found["what"], found["detail"]),
             ("refused", "its certificate is not one that is trusted for its name"))
        for to in ("0701234567", "+46 70 123", "x"):
            same(h.send("sms", to, status=1)[0]["what"], "refused")
        same(h.send("sms", ANNA, "-C", "mail", status=1)[0]["detail"],
             "the provider does not have that channel")
        same(len(g.sms), 2)


@test
def a_dry_run_tells_nobody(folder):
    with House(folder) as h:
        g = h.gateway
        h.add("46elks", "sms").add("webhook", "hook").add("teams", "teams").add("ntfy", "push")
        for name, to, *more in (("sms", ANNA), ("sms", ANNA, "-C", "voice"), ("hook", "anna"),
                                ("push", "topic"), ("teams", "-")):
            same((name, h.send(name, to, "--dry", *more)[0]["what"]), (name, "accepted"))
        same((g.sms, g.calls, g.cards, g.pushes), ([], [], [], []))
        same(g.count("?", "GET"), 1)  # the host of the workflow
        same([hook["dry_run"] for hook in g.hooks], [True])
        same(dict(g.dry), {"sms": 1, "me": 1})
        g.fault("sms", gateway.gone)
        same(h.send("sms", ANNA, "--dry", status=1)[0]["what"], "retry")


@test
def delivery_and_answers_are_found_by_asking(folder):
    with House(folder) as h:
        g = h.gateway
        h.add("46elks", "sms")
        g.callbacks = g.delivers = False

        def answer():
            while not g.sms:
                pass
            g.reply(g.sms[0], "K7M2Q9XD åäö \u2713")
            while g.count("history", "GET") < 2:
                pass
            g.settle(g.sms[0], "delivered")
        thread = threading.Thread(target=answer)
        thread.start()
        found = h.send("sms", ANNA, "--wait", "30")
        thread.join()
        same([(f["what"], f["detail"]) for f in found],
             [("accepted", "200, 1 SMS"), ("answered", "K7M2Q9XD åäö \u2713"),
              ("delivered", "delivered")])


@test
def keys_are_found_by_asking_and_a_call_that_fails_is_refused(folder):
    with House(folder) as h:
        g = h.gateway
        h.add("46elks", "sms", "prompt=https://example.se/larm.mp3")
        g.callbacks = False

        def act(what):
            n = len(g.calls)
            while len(g.calls) == n:
                pass
            what(g.calls[-1])
        for what, expected, status in (
                (lambda call: g.press(call, "1"), ["accepted", "answered 1", "delivered"], 0),
                (lambda call: g.settle(call, "failed"), ["accepted", "refused"], 1)):
            thread = threading.Thread(target=act, args=(what,))
            thread.start()
            found = h.send("sms", ANNA, "-C", "voice", "--wait", "30", status=status)
            thread.join()
            same([f["what"] + (f" {f['detail']}" if f["what"] == "answered" else "")
                  for f in found], expected)
        same(g.calls[0]["_action"]["ivr"], "https://example.se/larm.mp3")


@test
def settings_that_are_wrong_are_told(folder):
    with House(folder) as h:
        h.lines.append("ntfy name=a url=https://x secret=/nowhere/at/all")
        found, = h.send("a", "topic", status=1)
        same(found["what"], "refused")
        holds(found["detail"], "/nowhere/at/all")
        result = h.run("b", "topic")
        same((result.returncode, b"none that is called b" in result.stderr), (1, True))
        h.lines.append("smpt host=x from=a@b.se")
        result = subprocess.run([VAKA, "config", "check", h.config()], check=False,
                                capture_output=True, timeout=30)
        same(result.returncode, 1)
        holds(result.stderr.decode(), "provider 2: there is no kind of provider smpt; did you mean "
                                      "`smtp`?")


sys.exit(run_tests(sys.argv[2:], together=4))
