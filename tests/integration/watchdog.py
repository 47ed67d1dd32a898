#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka serve and vaka watchdog on two machines, as far as a network namespace is one:
watchdog.py VAKA [--faulty VAKA-FAULTY] [--defaults] [TEST...]. Prints TAP. With --defaults only how long
it takes with the settings that nobody has changed.

Between both stands a proxy of the test's own, which sees and keeps what is said."""
import contextlib
import http.client
import http.server
import itertools
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import threading
import time

import gateway
from disks import WITH_HOSTS
from peers import make_certificates
from serving import TESTS, Faults, Serve, Skip, free_port, holds, run_tests, same, test

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
FAULTY = str(pathlib.Path(sys.argv[3]).resolve()) if sys.argv[2:3] == ["--faulty"] else None
ARGUMENTS = sys.argv[4 if FAULTY else 2:]
ANNA = "+46701234567"
# s; busy machines stand still for seconds.
SILENCE, REPEAT = 10, 600
WITHIN = 60  # s: a page behind the end of the watch, with the settings of nobody
HOUR = 3600
NETS = itertools.count(1)


def run(*words):
    subprocess.run(words, check=True, capture_output=True, timeout=120)


@contextlib.contextmanager
def other_machine():
    """(name of a network namespace, two addresses of this side, what cuts and mends the wire)."""
    n = os.getpid() % 200 * 4 + next(NETS)
    name, here, there = f"vaka-{n}", f"vk{n}a", f"vk{n}b"
    address = f"10.{77 + n // 250}.{n % 250}."
    try:
        run("ip", "netns", "add", name)
    except (OSError, subprocess.SubprocessError) as why:
        raise Skip("network namespaces cannot be made here") from why
    try:
        run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        for last in "1", "3":
            run("ip", "addr", "add", f"{address}{last}/24", "dev", here)
        run("ip", "link", "set", here, "up")
        run("ip", "-n", name, "addr", "add", address + "2/24", "dev", there)
        run("ip", "-n", name, "link", "set", there, "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        yield name, (address + "1", address + "3"), lambda up: run("ip", "link", "set", here, "up" if up else "down")
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", here], check=False, capture_output=True)


class Proxy:
    """What the watch takes for the watchdog; passes on and keeps what was said, or says old things."""

    def __init__(self, address, pki, behind, port=0):
        proxy = self
        self.asked, self.answers = [], []
        self.old_answers = False
        self.behind = behind

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                proxy.asked.append(body)
                status, answer = proxy.behind(body)
                if status == 200:
                    proxy.answers.append(answer)
                if proxy.old_answers:
                    answer = proxy.answers[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki / "server.crt", pki / "server.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Watchdog:
    def __init__(self, folder, key, lines, trust, how):
        """`how`: settings of the section watchdog; its program is VAKA, or the one with faults."""
        self.folder, self.port, self.vaka = folder, free_port(), VAKA
        self.process = None
        self.log = folder / "watchdog.log"
        folder.mkdir()
        run(VAKA, "init", folder / "pki", "--address", "127.0.0.1", "--ports", "high")
        providers = "".join(f"    - {json.dumps(line)}\n" for line in lines)
        self.config = folder / "watchdog.yaml"
        self.config.write_text(
            f"watchdog:\n  listen: 127.0.0.1:{self.port}\n  folder: state\n  key: {key}\n"
            f"  contacts: [\"sms elks {ANNA}\"]\n{how}"
            f"notify:\n  trust: {trust}\n  providers:\n{providers}"
            "tls:\n  certificate: pki/server.crt\n  key: pki/server.key\nlog:\n  level: info\n",
            encoding="utf-8")
        self.context = ssl.create_default_context(cafile=folder / "pki/server.crt")
        self.hosts = folder / "hosts"

    def key(self):
        return subprocess.run([VAKA, "watchdog", "init", "-c", self.config], check=True,
                              capture_output=True, cwd=self.folder, timeout=120).stdout.decode().strip()

    def said(self):
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def start(self):
        before = self.said().count("ready; public key:")
        with open(self.log, "ab") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(["unshare", "-m", *WITH_HOSTS, self.hosts, self.vaka, "watchdog", "-c",
                                             self.config], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            cwd=self.folder)
        end = time.monotonic() + 120
        while self.said().count("ready; public key:") == before:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("watchdog: " + self.said()[-500:])
            time.sleep(0.02)

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(120)

    def ask(self, body):
        """(status, answer)."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=10)
        try:
            connection.request("POST", "/heartbeat", body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError as why:
            return 502, str(why).encode()
        finally:
            connection.close()


class House:
    """A watch on another machine, its watchdog here, and a provider that the latter has; each knows the
    other by its name."""

    def __init__(self, folder, stack, silence=SILENCE):
        """`silence`: None: nobody has set anything."""
        self.folder = pathlib.Path(folder).resolve()
        make_certificates(self.folder)
        self.net, self.addresses, self.wire = stack.enter_context(other_machine())
        self.gateway = stack.enter_context(gateway.Gateway(self.folder))
        how = f"  silence: {silence}s\n" if silence else ""
        (self.folder / "serve").mkdir()
        self.hosts = self.folder / "serve" / "hosts"
        self.serve = stack.enter_context(
            Serve(VAKA, self.folder / "serve", before=["ip", "netns", "exec", self.net, *WITH_HOSTS, self.hosts]))
        key = self.serve.ask("watchdog", "init").strip()
        line = self.gateway.provider("46elks", "elks", self.folder).replace(" address=127.0.0.1", "")
        self.dog = Watchdog(self.folder / "dog", key, [line], self.folder / "ca.pem",
                            how + (f"  repeat: {REPEAT}s\n" if silence else ""))
        self.move_watchdog(0)
        self.move_provider("127.0.0.1")
        (self.folder / "proxy").mkdir()
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", self.folder / "proxy/server.key", "-out", self.folder / "proxy/server.crt",
            "-days", "30", "-subj", "/CN=proxy", "-addext", "subjectAltName=DNS:watchdog.test")
        self.proxy = Proxy(self.addresses[0], self.folder / "proxy", self.dog.ask)
        stack.callback(lambda: self.proxy.close())  # pylint: disable=unnecessary-lambda
        stack.callback(self.dog.stop)
        text = self.serve.config.read_text(encoding="utf-8")
        self.serve.config.write_text(
            text + f"watchdog:\n  address: https://watchdog.test:{self.proxy.port} {self.dog.key()}\n"
            f"  trust: {self.folder}/proxy/server.crt\n{how}", encoding="utf-8")

    def move_watchdog(self, which):
        self.hosts.write_text(f"{self.addresses[which]} watchdog.test\n", encoding="utf-8")

    def move_provider(self, address):
        self.dog.hosts.write_text(f"{address} localhost\n", encoding="utf-8")

    def start(self):
        self.serve.start()
        self.dog.start()
        self.heard()

    def watchdog(self):
        return self.serve.status()["canary"]["watchdog"]

    def heard(self):
        before = self.watchdog()["answers"]
        self.serve.wait(lambda: self.watchdog()["answers"] > before + 1, "answers of the watchdog")

    def told(self, n, words):
        self.serve.wait(lambda: len(self.gateway.sms) >= n, f"message {n}")
        same(len(self.gateway.sms), n)
        same(self.gateway.sms[-1]["to"], ANNA)
        holds(self.gateway.sms[-1]["message"], words)

    def alarms(self):
        return [a["rule"]["id"] for a in self.serve.alerts()]


@test
def a_watch_that_is_dead_or_cut_off_is_told_of(folder):
    with contextlib.ExitStack() as stack:
        h = House(folder, stack)
        h.start()
        # Four heartbeats come in the time that is silence.
        for _ in range(2):
            h.heard()
        same(h.gateway.sms, [])
        h.serve.kill_all()
        h.told(1, "has been silent")
        h.serve.start()
        h.told(2, "awake again")
        h.heard()
        h.wire(False)
        h.told(3, "has been silent")
        h.serve.wait(lambda: h.watchdog()["silent"], "silence at the other end")
        h.serve.wait(lambda: "vaka.watchdog-silent" in h.alarms(), "an alarm")
        h.wire(True)
        h.told(4, "awake again")
        h.serve.wait(lambda: not h.watchdog()["silent"], "the watchdog is back")


@test
def what_was_said_before_is_refused(folder):
    with contextlib.ExitStack() as stack:
        h = House(folder, stack)
        h.start()
        said = list(h.proxy.asked)
        for body in said:
            same(h.dog.ask(body)[0], 409)
        same(h.dog.ask(said[0].replace(b"number ", b"number 9"))[0], 403)
        same(h.dog.ask(b"hello")[0], 403)
        # Nor behind a start of the watchdog; and the watch goes on behind its own.
        h.dog.stop(signal.SIGKILL)
        h.dog.start()
        same(h.dog.ask(said[0])[0], 409)
        h.heard()
        h.serve.kill("canary")
        h.heard()
        h.serve.kill_all()
        end = time.monotonic() + 120
        while not h.gateway.sms and time.monotonic() < end:
            same(h.dog.ask(h.proxy.asked[-1])[0], 409)
            time.sleep(0.2)
        h.told(1, "has been silent")


@test
def an_answer_that_was_given_before_is_silence(folder):
    with contextlib.ExitStack() as stack:
        h = House(folder, stack)
        h.start()
        h.proxy.old_answers = True
        h.serve.wait(lambda: h.watchdog()["silent"], "silence")
        holds(h.watchdog()["why"], "an old one")
        h.proxy.old_answers = False
        h.serve.wait(lambda: not h.watchdog()["silent"], "the watchdog is back")


@test
def a_message_is_tried_again_until_a_provider_has_it(folder):
    with contextlib.ExitStack() as stack:
        h = House(folder, stack)
        h.start()
        h.gateway.fault("sms", gateway.busy, 1)
        h.serve.kill_all()
        h.told(1, "has been silent")


@test
def who_moves_is_found(folder):
    """The watchdog, to another address of its name, before anybody takes it for silent; and its provider,
    while a message waits."""
    with contextlib.ExitStack() as stack:
        h = House(folder, stack, 30)
        h.move_provider("127.0.0.2")
        h.start()
        h.proxy.close()
        h.proxy = Proxy(h.addresses[1], h.folder / "proxy", h.dog.ask, h.proxy.port)
        h.move_watchdog(1)
        h.heard()
        h.heard()
        same((h.gateway.sms, h.watchdog()["silent"]), ([], False))
        same(h.alarms(), [])
        h.serve.kill_all()
        h.serve.wait(lambda: "outcome=retry" in h.dog.said(), "an attempt at an address where nobody is")
        h.move_provider("127.0.0.1")
        h.told(1, "has been silent")


@test
def clocks_that_differ_by_an_hour_decide_nothing(folder):
    """Neither do they while one of them is set."""
    if not FAULTY:
        raise Skip("no program with a clock that can be set")
    with contextlib.ExitStack() as stack:
        h = House(folder, stack)
        h.dog.vaka = h.serve.vaka = FAULTY
        dog, watch = Faults(h.dog, "watchdog"), Faults(h.serve, "canary")
        dog.set("watchdog", clock=HOUR)
        h.start()
        for ahead, other in ((HOUR, 0), (-HOUR, 0), (-HOUR, HOUR), (0, HOUR), (0, 0)):
            dog.set("watchdog", clock=ahead)
            watch.set("canary", clock=other)
            for _ in range(2):
                h.heard()
            same((h.gateway.sms, h.watchdog()["silent"]), ([], False))
        dog.set("watchdog", clock=-HOUR)
        watch.set("canary", clock=HOUR)
        h.heard()
        h.serve.kill_all()
        h.told(1, "has been silent")


def with_the_settings_of_nobody(folder):
    """The end of the watch is told of within a minute."""
    with contextlib.ExitStack() as stack:
        h = House(folder, stack, None)
        h.start()
        h.serve.kill_all()
        began = time.monotonic()
        h.told(1, "has been silent")
        took = time.monotonic() - began
        print(f"# a page {took:.1f} s behind the end of the watch")
        assert took <= WITHIN, took


if __name__ == "__main__":
    if "--defaults" in ARGUMENTS:
        TESTS[:] = [with_the_settings_of_nobody]
        ARGUMENTS.remove("--defaults")
    sys.exit(run_tests(ARGUMENTS, 3))
