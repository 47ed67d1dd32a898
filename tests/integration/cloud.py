# SPDX-License-Identifier: EUPL-1.2
"""A cloud of a test's own: tokens, the Office 365 Management Activity API and three logs of Microsoft
Graph over TLS, as their documentation (Microsoft Learn) says they behave. Not the vendor's code."""
import base64
import contextlib
import datetime
import http.server
import json
import pathlib
import re
import socket
import ssl
import threading
import time
import urllib.parse
import uuid

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "99999999-8888-4777-8666-555555555555"
SECRET = "s3cret~value.0123456789-ABC"
GRAPH = {"auditLogs/signIns": ("signins", "createdDateTime"),
         "auditLogs/directoryAudits": ("audits", "activityDateTime"),
         "security/alerts_v2": ("alerts", "lastUpdateDateTime")}
CONTENTS = ("Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General",
            "DLP.All")


def stamp(seconds_ago=0.0):
    """As Graph writes times: with seven digits."""
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def parsed(text):
    """Seconds since 1970; of times without a zone, UTC."""
    text = re.sub(r"(\.\d{6})\d*", r"\1", text).replace("Z", "+00:00")
    when = datetime.datetime.fromisoformat(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    return when.timestamp()


class Reply(Exception):
    """What a request is answered with."""

    def __init__(self, status, body=None, headers=()):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, dict(headers)


def refuse(status, code, message, **headers):
    return Reply(status, {"error": {"code": code, "message": message}}, headers)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.serve("GET")

    def do_POST(self):
        self.serve("POST")

    def serve(self, method):
        cloud = self.server.cloud
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        what = cloud.kind(url.path)
        with cloud.lock:
            cloud.log.append((method, what, url.path, query, time.time()))
            fault = cloud.next_fault(what)
        try:
            if fault:
                fault(self)
            reply = Reply(500)
            with cloud.lock:
                cloud.answer(method, url.path, query, body, self.headers)
        except Reply as answer:
            reply = answer
        except Broken:
            self.close_connection = True
            return
        self.send(reply)

    def send(self, reply):
        raw = reply.body if isinstance(reply.body, bytes) else \
            b"" if reply.body is None else json.dumps(reply.body).encode()
        with contextlib.suppress(OSError):
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name.replace("_", "-"), str(value))
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)


class Broken(Exception):
    """The connection ends without more of an answer."""


# ---- faults: each takes the handler, and raises or returns for the usual answer ----------------


def throttled(seconds):
    def fault(_):
        raise Reply(429, {"error": {"code": "TooManyRequests", "message": "slow down"}},
                    {"Retry-After": str(seconds)} if seconds else {})
    return fault


def broken_server(_):
    raise Reply(503 if time.time() % 2 < 1 else 500, b"<html>oops</html>")


def unauthorised(_):
    raise refuse(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")


def truncated(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'[{"half":')
    handler.wfile.flush()
    raise Broken


def no_json(_):
    raise Reply(200, b'{"value":[{"id":"x"},')


def not_array(_):
    raise Reply(200, {"hello": "world"})


def hang(seconds):
    def fault(_):
        time.sleep(seconds)
        raise Broken
    return fault


def reset(handler):
    handler.connection.close()
    raise Broken


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass


class Cloud:
    """Runs until it is closed. Its lists may be changed at any time, with its lock."""

    def __init__(self, folder, port=0, certificates=None):
        certificates = certificates or folder
        self.lock = threading.RLock()
        self.secrets = {SECRET}
        self.tokens, self.token_life = {}, 3600
        self.signins, self.audits, self.alerts = [], [], []
        self.contents = []  # {"type", "id", "created", "records"}
        self.expired, self.damaged = set(), set()  # contents
        self.subscribed = set()
        self.denied = set()  # kinds that the application has no permission for
        self.log, self.faults = [], {}
        self.list_page, self.max_top = 3, 1000
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{certificates}/server.pem", f"{certificates}/server.key")
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.cloud = self
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.origin = f"https://localhost:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                                       daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- what a test does ----

    def fault(self, what, *faults):
        """The next answers of that kind."""
        with self.lock:
            self.faults.setdefault(what, []).extend(faults)

    def asked(self, what):
        with self.lock:
            return [entry for entry in self.log if entry[1] == what]

    def add_content(self, kind, records, ago=0.0, name=None):
        with self.lock:
            name = name or f"{uuid.uuid4().hex}$audit${kind}"
            self.contents.append({"type": kind, "id": name, "created": time.time() - ago,
                                  "records": records})
            return name

    # ---- what it answers ----

    @staticmethod
    def kind(path):
        if path.endswith("/oauth2/v2.0/token"):
            return "token"
        if path.startswith("/v1.0/"):
            return GRAPH.get(path[len("/v1.0/"):], ("?",))[0]
        for word in ("start", "list", "content"):
            if path.endswith(f"/activity/feed/subscriptions/{word}"):
                return f"m365-{word}"
        return "blob" if "/activity/feed/audit/" in path else "?"

    def next_fault(self, what):
        waiting = self.faults.get(what)
        return waiting.pop(0) if waiting else None

    def answer(self, method, path, query, body, headers):
        what = self.kind(path)
        if what == "token":
            raise self.token(method, path, body)
        bearer = headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(bearer, 0) < time.time():
            raise refuse(401, "InvalidAuthenticationToken", "Access token has expired.")
        if what in self.denied:
            raise refuse(403, "Authorization_RequestDenied", "Insufficient privileges.")
        if what in ("signins", "audits", "alerts"):
            raise self.graph(path[len("/v1.0/"):], query)
        if f"/api/v1.0/{TENANT}/activity/feed/" not in path:
            raise refuse(404, "AF20013", "The tenant does not exist.")
        raise {"m365-start": self.start, "m365-list": self.subscriptions,
               "m365-content": self.content, "blob": self.blob}[what](method, path, query)

    def token(self, method, path, body):
        form = dict(urllib.parse.parse_qsl(body))
        if method != "POST" or form.get("grant_type") != "client_credentials" or \
                not form.get("scope", "").endswith("/.default"):
            return Reply(400, {"error": "invalid_request", "error_description": "AADSTS900144: ?"})
        if f"/{TENANT}/" not in path:
            return Reply(400, {"error": "invalid_request",
                               "error_description": "AADSTS90002: Tenant not found."})
        if form.get("client_id") != CLIENT:
            return Reply(400, {"error": "unauthorized_client",
                               "error_description": "AADSTS700016: Application was not found."})
        if form.get("client_secret") not in self.secrets:
            return Reply(401, {"error": "invalid_client",
                               "error_description": "AADSTS7000215: Invalid client secret provided."})
        token = base64.urlsafe_b64encode(uuid.uuid4().bytes + uuid.uuid4().bytes).decode().strip("=")
        self.tokens[token] = time.time() + self.token_life
        return Reply(200, {"token_type": "Bearer", "expires_in": self.token_life,
                           "ext_expires_in": self.token_life, "access_token": token})

    def graph(self, path, query):
        name, field = GRAPH[path]
        span = re.fullmatch(rf"{field} ge (\S+) and {field} le (\S+)", query.get("$filter", ""))
        top = int(query.get("$top", 1000))
        if not span or not 1 <= top <= self.max_top:
            return refuse(400, "BadRequest", "Invalid filter clause")
        least, most = map(parsed, span.groups())
        found = [r for r in getattr(self, name) if least <= parsed(r[field]) <= most]
        found.sort(key=lambda r: parsed(r[field]), reverse="$orderby" not in query)
        at = int(query.get("$skiptoken", 0))
        page = {"@odata.context": f"{self.origin}/v1.0/$metadata#{path}",
                "value": found[at:at + top]}
        if at + top < len(found):
            more = urllib.parse.urlencode({**query, "$skiptoken": at + top})
            page["@odata.nextLink"] = f"{self.origin}/v1.0/{path}?{more}"
        # A serialiser of .NET escapes like this.
        return Reply(200, json.dumps(page).replace("&", "\\u0026").encode())

    def start(self, method, _, query):
        kind = query.get("contentType")
        if method != "POST" or kind not in CONTENTS:
            return refuse(400, "AF20020", "The specified content type is not valid.")
        if kind in self.subscribed:
            return refuse(400, "AF20024", "The subscription is already enabled. No property change.")
        self.subscribed.add(kind)
        return Reply(200, {"contentType": kind, "status": "enabled", "webhook": None})

    def subscriptions(self, *_):
        return Reply(200, [{"contentType": kind, "status": "enabled", "webhook": None}
                           for kind in sorted(self.subscribed)])

    def content(self, _, path, query):
        kind = query.get("contentType")
        if kind not in self.subscribed:
            return refuse(400, "AF20022", "No subscription found for the specified content type")
        if kind in self.denied:
            return refuse(403, "AF10001", "The permission set sent in the request did not include the "
                          "expected permission.")
        least, most = parsed(query["startTime"]), parsed(query["endTime"])
        if not least < most or most - least >= 86400 or least < time.time() - 7 * 86400:
            return refuse(400, "AF20055", "Start time and end time must both be specified (or both "
                          "omitted) and must be less than or equal to 24 hours apart.")
        found = [c for c in self.contents if c["type"] == kind and least <= c["created"] < most]
        at = int(query.get("nextPage", 0))
        page = [{"contentType": kind, "contentId": c["id"],
                 "contentUri": f"{self.origin}/api/v1.0/{TENANT}/activity/feed/audit/{c['id']}",
                 "contentCreated": stamp(time.time() - c["created"])[:-5] + "Z",
                 "contentExpiration": stamp(time.time() - c["created"] - 7 * 86400)[:-5] + "Z"}
                for c in found[at:at + self.list_page]]
        if at + self.list_page >= len(found):
            return Reply(200, page)
        more = urllib.parse.urlencode({**query, "nextPage": at + self.list_page})
        return Reply(200, page, {"NextPageUri": f"{self.origin}{path}?{more}"})

    def blob(self, _, path, __):
        name = urllib.parse.unquote(path.rsplit("/", 1)[1])
        if name in self.expired:
            return refuse(404, "AF20051", "Content requested has already expired. Content older than "
                          "7 days cannot be retrieved.")
        if name in self.damaged:
            return Reply(200, b'[{"Id":')
        for content in self.contents:
            if content["id"] == name:
                return Reply(200, content["records"])
        return refuse(404, "AF20050", "The specified content does not exist.")


class Proxy(threading.Thread):
    """Passes CONNECT on, and counts."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.seen = []
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.pass_on, args=(self.socket.accept()[0],),
                                 daemon=True).start()

    def pass_on(self, client):
        with contextlib.suppress(OSError, ValueError), client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            word, target = head.decode().split()[:2]
            self.seen.append((word, target))
            host, port = target.rsplit(":", 1)
            with socket.create_connection((host, int(port))) as other:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=self.copy, args=(other, client), daemon=True).start()
                self.copy(client, other)

    @staticmethod
    def copy(source, to):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                to.sendall(piece)
            to.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()


def write_secret(path, secret=SECRET):
    path = pathlib.Path(path)
    path.write_text(secret + "\n", encoding="ascii")
    path.chmod(0o600)
    return path
