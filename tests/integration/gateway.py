# SPDX-License-Identifier: EUPL-1.2
"""Providers of messages of a test's own, over TLS: a gateway in 46elks' shape (SMS, calls with keys,
callbacks, histories), receivers of webhooks and of Teams' workflows, and a server in ntfy's shape.
After the documentation of each; not the vendors' code, and not tried against them.

    with gateway.Gateway(folder_with_certificates) as g:
        g.provider("46elks", "sms", folder)   # a line for notify.providers; writes its secrets
        g.fault("sms", gateway.lost)           # the next request of that kind
        g.reply(g.sms[0], "K7M2Q9XD")          # somebody writes back
        g.press(g.calls[0], "1")               # somebody presses a key

Everything that was taken stands in g.sms, g.calls, g.hooks, g.cards, g.pushes; every request in g.log.
"""
import base64
import collections
import contextlib
import datetime
import hashlib
import hmac
import http.server
import itertools
import json
import pathlib
import re
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

USER, SECRET, CALLBACK = "u0123456789abcdef", "P4ssw0rd0123456789", "callback-0123456789abcdef"
HOOK_SECRET, PUSH_TOKEN = "hook-secret-0123456789", "tk_0123456789abcdef"
FROM, VOICE = "+46700000000", "+46700000001"
REPLAY = 300  # s: an older signature is refused


class Reply(Exception):
    """What a request is answered with."""

    def __init__(self, status, body=None):
        super().__init__(status)
        self.status, self.body = status, body


class Broken(Exception):
    """The connection ends without an answer."""


# ---- faults: called with the gateway and the function that does what was asked ------------------


def refused(_, __):
    raise Reply(403, "Not enough credits")


def busy(_, __):
    raise Reply(503, "come back later")


def failed(_, __):
    raise Reply(500, "oops")


def gone(_, __):
    """Nothing is done, and nothing said."""
    raise Broken


def lost(_, take):
    """It is done, and nobody hears of it."""
    with contextlib.suppress(Reply):
        take()
    raise Broken


def odd(_, __):
    raise Reply(200, b'{"id":')


def slow(seconds):
    def fault(_, take):
        time.sleep(seconds)
        take()
    return fault


def stamp():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.serve("GET")

    def do_POST(self):
        self.serve("POST")

    def serve(self, method):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.server.gateway.serve(method, self.path, self.headers, body)
        except Reply as answer:
            self.send(answer)
        except Broken:
            self.close_connection = True

    def send(self, reply):
        body = reply.body
        if isinstance(body, str):
            body = body.encode()
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        with contextlib.suppress(OSError):
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass


class Gateway:
    """Runs until it is closed. `down` refuses connections in effect: each is closed at once."""

    def __init__(self, certificates, port=0, trust=None):
        self.lock = threading.RLock()
        self.numbers = itertools.count(1)
        self.sms, self.calls, self.received = [], [], []
        self.hooks, self.cards, self.pushes = [], [], []
        self.bad_signatures = 0
        self.dry = collections.Counter()  # what was only tried
        self.log, self.faults = [], {}
        self.down = False
        self.callbacks = True     # whether it calls back
        self.repeats = 1          # how often it says each thing by itself
        self.delivers = True      # SMS are delivered as soon as they are taken
        self.told = []            # (what, status) of its own requests
        self.certificates = pathlib.Path(certificates)
        self.context = ssl.create_default_context(cafile=trust or self.certificates / "ca.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates / "server.pem", self.certificates / "server.key")
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.gateway = self
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.origin = f"https://localhost:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.05}, daemon=True)
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

    def provider(self, kind, name, folder, more=""):
        """A line for notify.providers; its secrets are written into the folder."""
        def secret(what, text):
            path = pathlib.Path(folder).resolve() / f"{name}.{what}"
            path.write_text(text + "\n", encoding="utf-8")
            path.chmod(0o600)
            return path
        words = {
            "46elks": lambda: f"url={self.origin} user={USER} secret={secret('secret', SECRET)} "
                              f"callback={secret('callback', CALLBACK)} from={FROM} voice={VOICE}",
            "webhook": lambda: f"url={self.origin}/hook secret={secret('secret', HOOK_SECRET)}",
            "teams": lambda: f"secret={secret('secret', self.origin + '/workflow?sig=abc')}",
            "ntfy": lambda: f"url={self.origin} secret={secret('secret', PUSH_TOKEN)}",
        }[kind]()
        return f"{kind} name={name} address=127.0.0.1 {words} {more}".strip()

    def fault(self, what, fault, times=1):
        """What becomes of the next requests of that kind: sms, calls, history, me, hook, card, push."""
        with self.lock:
            self.faults.setdefault(what, []).extend([fault] * times)

    def count(self, what, method="POST"):
        with self.lock:
            return sum(m == method and w == what for m, w, _ in self.log)

    def settle(self, item, state):
        """What became of an SMS (delivered, failed) or a call (success, failed)."""
        with self.lock:
            item["status" if "message" in item else "state"] = state
        if "message" in item:
            self.call_back(item.get("_callback"), {"id": item["id"], "status": state})
        else:
            self.call_back(item.get("_hangup"), {"id": item["id"], "state": state,
                                                 "direction": "outgoing"})

    def reply(self, sms, text):
        """Somebody writes back: into the history, and to the callback of the number."""
        item = {"id": f"s{next(self.numbers):032x}", "created": stamp(), "direction": "incoming",
                "from": sms["to"], "to": sms["from"], "message": text}
        with self.lock:
            self.received.append(item)
        self.call_back(sms.get("_callback"), {k: item[k] for k in
                                              ("id", "direction", "from", "to", "message", "created")})
        return item

    def press(self, call, digits):
        """He takes the call and presses keys; what the menu is answered with, or None."""
        menu = call["_menu"]
        with self.lock:
            call["state"] = "success"
            call["actions"] = [{"ivr": menu["ivr"], "result": digits}]
        return self.call_back(menu.get("next"), {"callid": call["id"], "from": call["from"],
                                                 "result": digits})

    # ---- what it does ----

    def call_back(self, url, fields):
        if not url or not self.callbacks:
            return None
        answer = None
        for _ in range(self.repeats):
            request = urllib.request.Request(url, urllib.parse.urlencode(fields).encode())
            try:
                with urllib.request.urlopen(request, timeout=20, context=self.context) as r:
                    answer, status = r.read(), r.status
            except urllib.error.HTTPError as why:
                status = why.code
            except OSError as why:
                status = str(why)
            with self.lock:
                self.told.append((fields, status))
        return answer

    def serve(self, method, target, headers, body):
        url = urllib.parse.urlsplit(target)
        what, take = self.route(method, url, headers, body)
        with self.lock:
            self.log.append((method, what, time.time()))
            if self.down:
                raise Broken
            waiting = self.faults.get(what)
            fault = waiting.pop(0) if waiting else None
        if fault:
            fault(self, take)
        else:
            take()

    def route(self, method, url, headers, body):
        query = dict(urllib.parse.parse_qsl(url.query))
        form = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"))) \
            if method == "POST" else {}
        routes = {
            ("POST", "/a1/sms"): ("sms", lambda: self.take_sms(headers, form)),
            ("POST", "/a1/calls"): ("calls", lambda: self.take_call(headers, form)),
            ("GET", "/a1/sms"): ("history", lambda: self.tell(headers, self.sms + self.received, query)),
            ("GET", "/a1/calls"): ("history", lambda: self.tell(headers, self.calls, query)),
            ("GET", "/a1/me"): ("me", lambda: self.take_me(headers)),
            ("POST", "/hook"): ("hook", lambda: self.take_hook(headers, body)),
            ("POST", "/workflow"): ("card", lambda: self.take_card(query, body)),
            ("POST", "/"): ("push", lambda: self.take_push(headers, body)),
            ("GET", "/v1/health"): ("health", lambda: self.answer(200, {"healthy": True})),
        }
        return routes.get((method, url.path), ("?", lambda: self.answer(404, "no such path")))

    @staticmethod
    def answer(status, body):
        raise Reply(status, body)

    @staticmethod
    def knows(headers):
        want = "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
        if headers.get("Authorization") != want:
            raise Reply(401, "API access requires Basic HTTP authentication")

    def take_me(self, headers):
        self.knows(headers)
        with self.lock:
            self.dry["me"] += 1
        raise Reply(200, {"id": USER, "balance": 100000})

    def check_number(self, text, name):
        if not re.fullmatch(r"\+[1-9]\d{4,14}", text):
            raise Reply(400, f"Invalid parameter \"{name}\"")

    def take_sms(self, headers, form):
        self.knows(headers)
        self.check_number(form.get("to", ""), "to")
        if not form.get("message") or not form.get("from"):
            raise Reply(400, "Missing key message")
        if form.get("dryrun") == "yes":
            with self.lock:
                self.dry["sms"] += 1
            raise Reply(200, {"status": "created", "direction": "outgoing", "from": form["from"],
                              "to": form["to"], "estimated_cost": 3500, "parts": 1})
        item = {"id": f"s{next(self.numbers):032x}", "created": stamp(), "direction": "outgoing",
                "from": form["from"], "to": form["to"], "message": form["message"],
                "status": "created", "_callback": form.get("whendelivered"), "_at": time.time()}
        with self.lock:
            self.sms.append(item)
        if self.delivers:
            threading.Timer(0.05, self.settle, (item, "delivered")).start()
        raise Reply(200, self.shown(item))

    def take_call(self, headers, form):
        self.knows(headers)
        self.check_number(form.get("to", ""), "to")
        self.check_number(form.get("from", ""), "from")
        try:
            action = json.loads(form.get("voice_start", ""))
        except ValueError:
            raise Reply(400, "Invalid parameter \"voice_start\"") from None
        menu = action if "ivr" in action else action.get("next")
        item = {"id": f"c{next(self.numbers):032x}", "created": stamp(), "direction": "outgoing",
                "from": form["from"], "to": form["to"], "state": "ongoing", "actions": [],
                "_action": action, "_menu": menu, "_hangup": form.get("whenhangup"),
                "_at": time.time()}
        with self.lock:
            self.calls.append(item)
        raise Reply(200, self.shown(item))

    @staticmethod
    def shown(item):
        return {key: value for key, value in item.items() if not key.startswith("_")}

    def tell(self, headers, items, query):
        """The newest first, in pages that begin before `start`."""
        self.knows(headers)
        with self.lock:
            found = sorted(map(self.shown, items), key=lambda i: i["created"], reverse=True)
        if "start" in query:
            found = [i for i in found if i["created"] < query["start"]]
        limit = min(int(query.get("limit", 100)), 100)
        page = {"data": found[:limit]}
        if len(found) > limit:
            page["next"] = found[limit - 1]["created"]
        raise Reply(200, page)

    def take_hook(self, headers, body):
        """As docs/notify.md tells who receives them to do."""
        signed = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers.get("X-Vaka-Signature", ""))
        mac = hmac.new(HOOK_SECRET.encode(), (signed[1] if signed else "").encode() + b"." + body,
                       hashlib.sha256).hexdigest()
        if not signed or not hmac.compare_digest(mac, signed[2]) or \
                abs(time.time() - int(signed[1])) > REPLAY:
            with self.lock:
                self.bad_signatures += 1
            raise Reply(401, "bad signature")
        with self.lock:
            self.hooks.append(json.loads(body))
        raise Reply(204)

    def take_card(self, query, body):
        if query != {"sig": "abc"}:
            raise Reply(401, "DirectApiAuthorizationRequired")
        message = json.loads(body)
        card = message["attachments"][0]
        if message["type"] != "message" or card["content"]["type"] != "AdaptiveCard" or \
                card["contentType"] != "application/vnd.microsoft.card.adaptive":
            raise Reply(400, "no card")
        with self.lock:
            self.cards.append(card["content"])
        raise Reply(202)

    def take_push(self, headers, body):
        if headers.get("Authorization") != f"Bearer {PUSH_TOKEN}":
            raise Reply(403, {"code": 40301, "http": 403, "error": "forbidden"})
        message = json.loads(body)
        item = {"id": f"p{next(self.numbers):011x}", "time": int(time.time()), "event": "message",
                **message}
        with self.lock:
            self.pushes.append(item)
        raise Reply(200, item)
