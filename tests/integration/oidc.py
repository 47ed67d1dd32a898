# SPDX-License-Identifier: EUPL-1.2
"""Logins by a real identity provider, oidc-provider of npm: oidc.py OIDC-LOGIN VAKA. Prints TAP."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import select
import ssl
import subprocess
import sys
import urllib.parse

from api_client import Office
from peers import make_certificates
from serving import Skip, free_port, holds, run_tests, same, test

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
VAKA = pathlib.Path(sys.argv[2]).resolve()
HERE = pathlib.Path(__file__).resolve().parent
MODULES = pathlib.Path(os.environ.get("NODE_CLIENTS", "-")) / "node_modules"
REDIRECT = "https://vaka.example/api/v1/login/return"
SECRET = "a/secret&more=%"


class Lines:
    """A program that is talked to by lines."""

    def __init__(self, *words, **more):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(list(map(str, words)), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, **more)
        self.rest = b""

    def line(self):
        while b"\n" not in self.rest:
            if not select.select([self.process.stdout], [], [], 60)[0]:
                raise AssertionError(f"nothing is said: {self.rest}")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise AssertionError(f"it has ended: {self.rest}")
            self.rest += piece
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@contextlib.contextmanager
def provider(folder, port, algorithm="RS256", kid="first"):
    if not (MODULES / "oidc-provider").is_dir():
        raise Skip("the packages of tests/integration/node were not fetched (NODE_CLIENTS)")
    own = folder / "id"
    if not own.exists():
        own.mkdir()
        make_certificates(own)
    with Lines("node", HERE / "node/provider.mjs", port, own / "server.key", own / "server.pem",
               algorithm, kid, REDIRECT, stderr=subprocess.DEVNULL,
               env={**os.environ, "NODE_PATH": str(MODULES)}) as node:
        same(node.line(), "ready")
        yield node


def client(folder, port, *acr, secret=SECRET, issuer=None):
    return Lines(PROGRAM, issuer or f"https://127.0.0.1:{port}", "vaka", secret, REDIRECT,
                 folder / "id/ca.pem", *acr)


def begin(login):
    """(where the browser is sent to, the state), as soon as the provider is known."""
    for _ in range(200):
        login.say("begin")
        line = login.line()
        if line.startswith("url "):
            return line[4:], login.line().removeprefix("state ")
        select.select([], [], [], 0.05)
    raise AssertionError(line)


def stopped(login):
    """Why nobody can log in, as soon as that is known."""
    while True:
        login.say("begin")
        line = login.line()
        if line != "stopped ":
            return line.removeprefix("stopped ")
        select.select([], [], [], 0.05)


def finish(login, state, code):
    login.say(f"return {state} {code}")
    return login.line()


class Browser:
    def __init__(self, folder):
        self.context = ssl.create_default_context(cafile=str(folder / "id/ca.pem"))
        self.cookies = {}

    def ask(self, url, form=None):
        """(status, where it is sent to, body)."""
        at = urllib.parse.urlsplit(url)
        connection = http.client.HTTPSConnection(at.hostname, at.port, context=self.context, timeout=30)
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if form is None else "POST", at.path + ("?" + at.query if at.query else ""),
                           None if form is None else urllib.parse.urlencode(form), headers)
        answer = connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        body = answer.read().decode()
        place = answer.getheader("location")
        connection.close()
        return answer.status, place and urllib.parse.urljoin(url, place), body

    def login(self, url, who):
        """The parameters with which it comes back."""
        form = None
        for _ in range(20):
            if url.startswith(REDIRECT):
                return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
            status, place, body = self.ask(url, form)
            form = None
            if place:
                url = place
                continue
            same((status, body[:300] if status != 200 else ""), (200, ""))
            url = re.search(r'action="([^"]+)"', body).group(1)
            form = {"prompt": "login", "login": who, "password": "x"} if 'name="login"' in body \
                else {"prompt": "consent"}
        raise AssertionError("it never comes back")


@test
def people_log_in_by_each_algorithm(folder):
    for algorithm in ("RS256", "ES256", "EdDSA"):
        port = free_port()
        with provider(folder, port, algorithm), client(folder, port) as login:
            url, state = begin(login)
            holds(url, "code_challenge_method=S256")
            back = Browser(folder).login(url, "anna")
            same((back["state"], back["iss"]), (state, f"https://127.0.0.1:{port}"))
            word, _, text = finish(login, state, back["code"]).partition(" ")
            same((algorithm, word), (algorithm, "claims"))
            claims = json.loads(text)
            same((claims["sub"], claims["groups"], claims["name"]),
                 ("anna", ["soc", "on call"], "Name of anna"))
            # Neither state nor code is good twice.
            same(finish(login, state, back["code"]), "error not found")


@test
def what_is_not_of_this_login_is_refused(folder):
    port = free_port()
    with provider(folder, port), client(folder, port) as login, \
            client(folder, port, secret="another") as stranger:
        one, first = begin(login)
        two, second = begin(login)
        code = Browser(folder).login(one, "anna")["code"]
        # A code that was stolen into another login: its verifier is another.
        same(finish(login, second, code), "refused the provider does not know the code")
        same(finish(login, "x" * 43, code), "error not found")
        same(finish(login, first, "made-up"), "refused the provider does not know the code")
        url, state = begin(stranger)
        code = Browser(folder).login(url, "anna")["code"]
        same(finish(stranger, state, code), "refused the provider does not know the code")
        url, state = begin(login)
        code = Browser(folder).login(url, "anna")["code"]
        login.say("pass 600")
        same(finish(login, state, code), "error not found")


@test
def keys_that_were_changed_are_fetched_anew(folder):
    port = free_port()
    with provider(folder, port, "ES256", "first"):
        login = client(folder, port)
        url, state = begin(login)
        word = finish(login, state, Browser(folder).login(url, "anna")["code"]).split()[0]
        same(word, "claims")
    with login, provider(folder, port, "ES256", "second"):
        url, state = begin(login)
        same(finish(login, state, Browser(folder).login(url, "bo")["code"]),
             "refused it is signed by a key that the provider does not publish")
        login.say("pass 61")
        url, state = begin(login)
        same(finish(login, state, Browser(folder).login(url, "bo")["code"]).split()[0], "claims")


@test
def a_provider_that_is_another_or_not_trusted_is_told(folder):
    port = free_port()
    with provider(folder, port):
        with client(folder, port, issuer=f"https://127.0.0.1:{port}/") as login:
            same(stopped(login), "the provider says it is another issuer")
        (folder / "id/ca.pem").write_bytes((folder / "id/other.pem").read_bytes())
        with client(folder, port) as login:
            holds(stopped(login).lower(), "certificate")


@test
def who_logged_in_by_less_than_is_wanted_is_refused(folder):
    port = free_port()
    why = "refused the login there was none of those that are wanted (acr)"
    with provider(folder, port), client(folder, port, "three", "two") as login:
        for who, word in (("anna", why), ("two of them", "claims")):
            url, state = begin(login)
            holds(url, "&acr_values=three%20two&")
            text = finish(login, state, Browser(folder).login(url, who)["code"])
            same(text if word == why else text.split()[0], word)
        same(json.loads(text.partition(" ")[2])["acr"], "two")
    with provider(folder, port), client(folder, port) as login:
        url, state = begin(login)
        same("acr" in url, False)
        same(finish(login, state, Browser(folder).login(url, "anna")["code"]).split()[0], "claims")


def office(folder, port, *groups, acr=()):
    """A vaka serve that knows the provider."""
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    (folder / "secret").chmod(0o600)
    settings = {"oidc_issuer": f"https://127.0.0.1:{port}", "oidc_redirect": REDIRECT,
                "oidc_secret": folder / "secret", "oidc_trust": folder / "id/ca.pem"}
    words = [f"--set=accounts.{name}={value}" for name, value in settings.items()]
    words += [f"--set=accounts.oidc_roles={group}" for group in groups]
    words += [f"--set=accounts.oidc_acr={value}" for value in acr]
    return Office(VAKA, folder, arguments=words)


def depart(serve):
    """(a browser without a session, where it is sent to)."""
    browser = serve.nobody()
    found = {}

    def known():
        found["answer"] = browser.ask("POST", "/session/elsewhere")
        return found["answer"][0] == 200
    serve.wait(known, "the provider is known")
    _, head, text = found["answer"]
    cookie = head["set-cookie"]
    same(re.fullmatch(r"__Host-vaka-login=[\w-]{43}; Path=/; Secure; HttpOnly; SameSite=Strict; "
                      r"Max-Age=600", cookie) is None, False)
    return browser, json.loads(text)["url"], cookie.split(";")[0]


@test
def people_log_in_to_the_api(folder):
    port = free_port()
    with provider(folder, port, "EdDSA"), office(folder, port, "soc=analyst", "on call=on-call") as serve:
        serve.start()
        browser, url, cookie = depart(serve)
        back = Browser(folder).login(url, "anna")
        come = {"state": back["state"], "code": back["code"]}
        # Another browser has not that cookie.
        same(serve.nobody().ask("POST", "/session/return", come)[0], 401)
        status, head, text = browser.ask("POST", "/session/return", come, {"Cookie": cookie})
        same(status, 200)
        session = json.loads(text)
        same((session["name"], session["shown"], session["must"]), ("anna@example.se", "Name of anna", None))
        same({"search", "rules.write"} <= set(session["rights"]), True)
        browser.cookie = head["set-cookie"].split(";")[0].split("=", 1)[1]
        browser.csrf = session["csrf"]
        same(browser.get("/me")["user"]["elsewhere"], True)
        # There is no password to show: who has just come ends his sessions, and cannot give himself one.
        same(browser.ask("POST", "/me/sessions/end", {})[0], 200)
        same(browser.ask("POST", "/me/password", {"password": "x", "new": "nine blue bicycles there"})[0], 409)
        same(browser.ask("POST", "/session/return", come, {"Cookie": cookie})[0] in (401, 403), True)
        told = json.loads(serve.ask("user", "log", "-f", "json"))["log"]
        same([(e["what"], e["actor"]) for e in told],
             [("user.add", "identity provider"), ("user.roles", "identity provider"), ("login", "anna@example.se"),
              ("own.sessions.end", "anna@example.se")])
        # Whoever asks is killed: it is asked again.
        serve.kill("oidc")
        browser, url, cookie = depart(serve)
        back = Browser(folder).login(url, "bo")
        same(browser.ask("POST", "/session/return", {"state": back["state"], "code": back["code"]},
                         {"Cookie": cookie})[0], 200)
        same(serve.status()["oidc"]["trouble"], "")


@test
def who_is_in_no_group_does_not_get_in(folder):
    port = free_port()
    with provider(folder, port), office(folder, port, "chiefs=admin") as serve:
        serve.start()
        browser, url, cookie = depart(serve)
        back = Browser(folder).login(url, "anna")
        same(browser.ask("POST", "/session/return", {"state": back["state"], "code": back["code"]},
                         {"Cookie": cookie})[0], 401)
        same(json.loads(serve.ask("user", "list", "-f", "json"))["users"], [])


@test
def a_login_that_is_too_weak_does_not_get_in_and_is_told(folder):
    port = free_port()
    with provider(folder, port), office(folder, port, "soc=analyst", acr=["two"]) as serve:
        serve.start()
        for who, status in (("anna", 401), ("two", 200)):
            browser, url, cookie = depart(serve)
            back = Browser(folder).login(url, who)
            same(browser.ask("POST", "/session/return", {"state": back["state"], "code": back["code"]},
                             {"Cookie": cookie})[0], status)
        same(json.loads(serve.ask("user", "list", "-f", "json"))["users"][0]["name"], "two@example.se")
        same(serve.status()["oidc"]["refused"], 1)
        holds(pathlib.Path(serve.log).read_text(encoding="utf-8"), "none of those that are wanted (acr)")


@test
def without_a_provider_nobody_is_sent_anywhere(folder):
    with Office(VAKA, folder).start() as serve:
        same(serve.nobody().ask("POST", "/session/elsewhere")[0], 401)
        same(serve.nobody().ask("POST", "/session/return", {"state": "x", "code": "y"})[0], 401)
        same(serve.status()["oidc"]["logins"], 0)


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[3:]))
