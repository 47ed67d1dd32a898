# SPDX-License-Identifier: EUPL-1.2
"""The API of a running vaka serve, as a client has it: over TLS, with a token or a session."""
import http.client
import json
import pathlib
import re
import socket
import ssl
import subprocess

from peers import make_certificates
from serving import Fail, Serve, free_port

ROLES = ("viewer", "analyst", "responder", "on-call", "admin", "auditor")
PASSWORD = "correct horse battery staple 7"


class Api:
    """One who asks; by a token, a session, or by nothing."""

    def __init__(self, port, ca, token=None, cookie=None, csrf=None):
        self.port, self.token, self.cookie, self.csrf = port, token, cookie, csrf
        self.context = ssl.create_default_context(cafile=ca)
        self.connection = None

    def connect(self):
        return self.context.wrap_socket(self.raw(), server_hostname="localhost")

    def raw(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def heads(self, method, more):
        found = {"Content-Type": "application/json"} if method not in ("GET", "HEAD", "OPTIONS") else {}
        if self.token:
            found["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            found["Cookie"] = f"__Host-vaka={self.cookie}"
        if self.csrf:
            found["X-CSRF-Token"] = self.csrf
        found.update(more)
        return {name: value for name, value in found.items() if value is not None}

    def ask(self, method, path, body=None, headers=()):
        """(status, headers in small letters, bytes); the connection is kept."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        for again in (True, False):
            if not self.connection:
                self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=180,
                                                              context=self.context)
            try:
                self.connection.request(method, "/api/v1" + path, body,
                                        self.heads(method, dict(headers)))
                answer = self.connection.getresponse()
                return (answer.status, {k.lower(): v for k, v in answer.getheaders()},
                        answer.read())
            except (http.client.HTTPException, OSError):
                self.close()
                if not again:
                    raise
        return None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def get(self, path, status=200, **headers):
        return self.json("GET", path, None, status, headers)

    def post(self, path, body=None, status=200, **headers):
        return self.json("POST", path, {} if body is None else body, status, headers)

    def json(self, method, path, body, status, headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        got, head, text = self.ask(method, path, body, names)
        if got != status:
            raise Fail(f"{method} {path}: {got} {text!r:.300}, not {status}")
        if got >= 400:
            check_problem(got, head, text)
        return json.loads(text) if text else None


def typed(operation):
    """The header that says what the body of an operation is."""
    return {"Content-Type": kind for kind in operation.get("requestBody", {}).get("content", {})}


def check_problem(status, head, text):
    """RFC 9457, and the headers that every answer has."""
    if head.get("content-type") != "application/problem+json":
        raise Fail(f"{status} is {head.get('content-type')}")
    problem = json.loads(text)
    if problem["status"] != status or not problem["type"].startswith("urn:vaka:problem:"):
        raise Fail(f"{problem}")
    if problem["request"] != head["x-request-id"]:
        raise Fail("the request is called two names")
    return problem


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def filled(path):
    """A path with names of things that are not there."""
    return re.sub(r"{\w+}", "999999999", path)


class Office(Serve):
    """A vaka serve with the API, and people of every role."""

    def __init__(self, vaka, folder, more="", rate=1000000, accounts="", app="optional", **options):
        make_certificates(folder)
        self.web = free_port()
        self.ca = str(pathlib.Path(folder) / "ca.pem")
        more += (f"web:\n  listen: 127.0.0.1:{self.web}\n  rate: {rate}\n"
                 f"accounts:\n  app: {app}\n{accounts}")
        super().__init__(vaka, folder, more=more, tls=folder, **options)

    def tcp(self, name="syslog_tcp", source="127.0.0.1"):
        """With a certificate HTTP is spoken over TLS alone."""
        found = super().tcp(name, source)
        if name != "http":
            return found
        return ssl.create_default_context(cafile=self.ca).wrap_socket(found, server_hostname="localhost")

    def nobody(self):
        return Api(self.web, self.ca)

    def hire(self, name, *roles, tenant=None):
        """Makes an account and logs in."""
        words = ["user", "add", name, "--stdin"]
        for role in roles:
            words += ["--role", role]
        if tenant is not None:
            words += ["--tenant", str(tenant)]
        self.tell(words, PASSWORD)
        return self.login(name)

    def tell(self, words, text):
        result = subprocess.run([self.vaka, *words, "-c", self.config], cwd=self.folder, check=False,
                                capture_output=True, input=text.encode() + b"\n", timeout=60)
        if result.returncode:
            raise AssertionError(f"{words}: {result.stderr.decode()}")
        return result.stdout.decode()

    def login(self, name, password=PASSWORD):
        """The account as a browser has it; a password that was given is changed first."""
        found = self.begin(name, password)
        if found.must == "change_password":
            found.post("/me/password", {"password": password, "new": password + "!"})
            found = self.begin(name, password + "!")
        return found

    def begin(self, name, password):
        found = self.nobody()
        status, head, text = found.ask("POST", "/session", {"name": name, "password": password})
        if status != 200:
            raise Fail(f"login of {name}: {status} {text!r:.300}")
        answer = json.loads(text)
        found.cookie = head["set-cookie"].split(";")[0].split("=", 1)[1]
        found.csrf, found.must = answer["csrf"], answer["must"]
        return found
