#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka serve, and vaka watchdog, as systemd starts them: service.py VAKA PACKAGING. Prints TAP."""
import contextlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile

import common
from peers import make_certificates
from serving import TOKEN, Serve, free_port

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
PACKAGING = pathlib.Path(sys.argv[2])
EXPOSURE_MAX = 1.5
# What systemd does between fork and exec: descriptors from 3 on, and who they are for.
EXEC = """
import os, sys
fds = [int(fd) for fd in sys.argv[1].split(",") if fd]
high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
os.closerange(3 + len(fds), 200)
os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class Manager:
    """The socket that READY=1 goes to."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(120)

    def heard(self):
        """What has come until now."""
        messages = []
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                messages.append(self.socket.recv(4096).decode())
        self.socket.settimeout(120)
        return messages

    def until(self, wanted):
        """Everything up to the message that begins so; a socket's timeout when it never comes."""
        messages = []
        while not messages or not messages[-1].startswith(wanted):
            messages.append(self.socket.recv(4096).decode())
        return messages


class Service(Serve):
    def start_as_service(self, environment, sockets=()):
        with open(self.log, "ab") as log:
            self.process = start_as_service(["serve", "-c", self.config], environment, log, self.folder, sockets)
        return self


def start_as_service(words, environment, log, folder, sockets=()):
    fds = [s.fileno() for s in sockets]
    return subprocess.Popen([sys.executable, "-c", EXEC, ",".join(map(str, fds)), VAKA, *words],
                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, pass_fds=fds,
                            env={**os.environ, **environment}, start_new_session=True)


def test_watchdog_of_another_machine(tap, folder):
    """vaka watchdog is a service by itself."""
    manager = Manager(folder)
    serve = Serve(VAKA, folder)
    secret = folder / "secret"
    secret.write_text("x\n", encoding="utf-8")
    secret.chmod(0o600)
    subprocess.run([VAKA, "init", folder / "pki", "--address", "127.0.0.1", "--ports", "high"], check=True,
                   capture_output=True, timeout=60)
    config = folder / "watchdog.yaml"
    config.write_text(
        f"watchdog:\n  listen: 127.0.0.1:{free_port()}\n  folder: dog\n"
        f"  key: {serve.ask('watchdog', 'init').strip()}\n  contacts: [\"push own x\"]\n"
        f"notify:\n  providers: [\"ntfy name=own url=https://127.0.0.1:9 secret={secret}\"]\n"
        "tls:\n  certificate: pki/server.crt\n  key: pki/server.key\n", encoding="utf-8")
    said = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "8000000"}
    with open(folder / "dog.log", "ab") as log:
        process = start_as_service(["watchdog", "-c", config], said, log, folder)
    try:
        tap.equal(manager.until("READY=1"), ["READY=1"], "the watchdog tells when it is ready")
        manager.until("WATCHDOG=1")
        manager.until("WATCHDOG=1")
        os.kill(process.pid, signal.SIGSTOP)
        manager.heard()
        os.kill(process.pid, signal.SIGCONT)
        manager.until("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        tap.equal(manager.until("STOPPING=1")[-1], "STOPPING=1", "that it lives, and that it stops")
        tap.equal(process.wait(120), 0, "and ends")
    finally:
        process.kill()
        process.wait()


def test_notify(tap, folder):
    manager = Manager(folder)
    with Service(VAKA, folder).start_as_service({"NOTIFY_SOCKET": manager.path}) as serve:
        tap.equal(manager.until("READY=1"), ["READY=1"], "it tells when it is ready")
        tap.ok(serve.status() is not None, "and answers then")
        serve.ask("reload")
        reloading, *rest = manager.until("READY=1")
        tap.ok(re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", reloading), "it tells that it reloads",
               reloading)
        tap.equal(rest, ["READY=1"], "and that it has")
        serve.wait(lambda: "event=rules-reloaded" in serve.log_text(), "new rules")
        for broken, where in (("rules: nowhere", "a rule folder that is not there"),
                              ("rules: [", "settings that cannot be read")):
            good = serve.config.read_text(encoding="utf-8")
            serve.config.write_text(good.replace("rules: rules", broken), encoding="utf-8")
            serve.process.send_signal(signal.SIGHUP)
            tap.equal([m[:11] for m in manager.until("READY=1")], ["RELOADING=1", "READY=1"],
                      f"a reload ends, too, with {where}")
            serve.config.write_text(good, encoding="utf-8")
        serve.process.send_signal(signal.SIGTERM)
        tap.equal(manager.until("STOPPING=1"), ["STOPPING=1"], "it tells that it stops")
        tap.equal(serve.process.wait(120), 0, "and ends")


def test_watchdog(tap, folder):
    manager = Manager(folder)
    said = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "8000000"}
    with Service(VAKA, folder).start_as_service(said) as serve:
        manager.until("WATCHDOG=1")
        tap.ok(True, "the watchdog is fed")
        stopped = serve.pids("sign")
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)

        def silences():
            return serve.log_text().count("event=role-silent role=sign")
        serve.wait(lambda: silences() >= 1, "the log names who is silent")
        manager.heard()
        before = silences()
        serve.wait(lambda: silences() >= before + 2, "it stays silent")
        tap.equal(manager.heard(), [], "one process that says nothing: the watchdog is not fed")
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        manager.until("WATCHDOG=1")
        tap.ok(True, "it is fed again when that one speaks")
        for pid in serve.pids("control"):
            os.kill(pid, signal.SIGSTOP)
        tap.equal(serve.stop(), 0, "it ends, even so")
        tap.equal(set(re.findall(r"event=role-silent role=(\w+)", serve.log_text())), {"sign"},
                  "while it stops nobody is called silent")


def encrypt(store, name, text, environment):
    """As an operator does it, and as it lies on the disk."""
    subprocess.run(["systemd-creds", "encrypt", "--with-key=host", f"--name={name}", "-", store / name],
                   input=text.encode(), check=True, capture_output=True, timeout=60, env=environment)


def hand_over(store, folder, environment):
    """What the service manager does between fork and exec for LoadCredentialEncrypted=."""
    folder.mkdir(mode=0o700)
    for path in store.iterdir():
        subprocess.run(["systemd-creds", "decrypt", f"--name={path.name}", path, folder / path.name], check=True,
                       capture_output=True, timeout=60, env=environment)
        (folder / path.name).chmod(0o400)
    folder.chmod(0o500)


def holds_anywhere(folder, secret):
    return [str(path) for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_credentials(tap, folder):
    """Secrets that lie encrypted on the disk: a key of TLS, tokens, the key of apps, a provider's secret."""
    if not shutil.which("systemd-creds"):
        tap.skip("secrets as credentials", "no systemd-creds")
        return
    environment = {**os.environ, "SYSTEMD_CREDENTIAL_SECRET": str(folder / "host.secret")}
    subprocess.run(["systemd-creds", "setup"], check=True, capture_output=True, timeout=60, env=environment)
    (folder / "pki").mkdir()
    make_certificates(folder / "pki")
    key = (folder / "pki/server.key").read_text(encoding="utf-8")
    (folder / "pki/server.key").unlink()
    secrets = {"vaka.tls.key": key, "vaka.tokens": f"tester ingest,metrics {TOKEN}\n",
               "vaka.accounts.key": "0123456789abcdef" * 4 + "\n", "vaka.push": "push-secret-4711\n",
               "vaka.seal": "fedcba9876543210" * 4 + "\n"}
    store = folder / "credstore.encrypted"
    store.mkdir()
    for name, text in secrets.items():
        encrypt(store, name, text, environment)
    web = free_port()
    serve = Service(VAKA, folder,
                    "accounts:\n  key: credential:vaka.accounts.key\n  hash_memory: 19MiB\n"
                    "keys:\n  seal: credential:vaka.seal\n"
                    "notify:\n  providers: [\"ntfy name=own url=https://127.0.0.1:9 secret=credential:vaka.push\"]\n"
                    "tls:\n  certificate: pki/server.pem\n  key: credential:vaka.tls.key\n")
    settings = serve.config.read_text(encoding="utf-8").replace(
        "tokens: tokens\n", f"tokens: credential:vaka.tokens\nweb:\n  listen: 127.0.0.1:{web}\n")
    serve.config.write_text(settings, encoding="utf-8")
    (folder / "tokens").unlink()
    hand_over(store, folder / "handed", environment)
    trust = ssl.create_default_context(cafile=folder / "pki/ca.pem")

    def ask(port, method, path):
        client = http.client.HTTPSConnection("localhost", port, context=trust, timeout=60)
        with contextlib.closing(client):
            client.request(method, path, b'{"message":"VAKAMARK"}' if method == "POST" else None,
                           {"Authorization": f"Bearer {TOKEN}"})
            return client.getresponse().status
    manager = Manager(folder)
    said = {"NOTIFY_SOCKET": manager.path, "CREDENTIALS_DIRECTORY": str(folder / "handed")}
    with serve.start_as_service(said):
        manager.until("READY=1")
        serve.wait(lambda: serve.status()["notify"]["providers"][0]["name"] == "own", "the provider's secret")
        tap.equal((ask(serve.ports["http"], "POST", "/api/ingest"), ask(web, "GET", "/api/v1/alerts")), (200, 401),
                  "TLS is spoken with a key that is a credential, and a token that is one is known")
        tap.ok(serve.status()["account"] and not (folder / "var/keys/accounts.key").exists(),
               "no key of apps is made beside the one that is handed over")
        serve.ask("reload")
        manager.until("READY=1")
        tap.equal(ask(serve.ports["http"], "POST", "/api/ingest"), 200, "and so it is behind a reload")
        tap.equal(re.findall(r"event=role-failed .*", serve.log_text()), [], "nobody misses a secret")
        key = folder / "var/keys/log.key"
        sealed = key.read_text(encoding="ascii")
        tap.ok(sealed.startswith("vaka-sealed-1:"), "the key that signs is sealed where it lies", sealed[:20])
        serve.wait(lambda: serve.status()["seal"]["signed"] > 0, "a signature")
        subprocess.run([VAKA, "key", "rotate", "-c", serve.config], check=True, capture_output=True, timeout=60,
                       env={**os.environ, **said})
        tap.ok(key.read_text(encoding="ascii") != sealed and key.read_text(encoding="ascii")[:14] == sealed[:14],
               "and the one that takes its place")
        serve.wait(lambda: len(serve.status()["sign"]["keys"].split("\n")) > 1, "the next key")
        (folder / "handed").chmod(0o700)
        shutil.rmtree(folder / "handed")
        lines = {line for text in secrets.values() for line in text.splitlines() if not line.startswith("-----")}
        tap.equal([path for line in sorted(lines) for path in holds_anywhere(folder, line)], [],
                  "no line of any lies anywhere as it is")
        tap.equal(serve.stop(), 0, "it ends")
    other = folder / "other"
    other.mkdir()
    missing = Service(VAKA, other, "accounts:\n  key: credential:vaka.accounts.key\n")
    with open(folder / "missing.log", "wb") as log:
        process = start_as_service(["serve", "-c", missing.config],
                                   {"CREDENTIALS_DIRECTORY": str(folder / "handed")}, log, folder)
    with contextlib.ExitStack() as stack:
        stack.callback(process.wait)
        stack.callback(process.kill)

        def told():
            return "handed/vaka.accounts.key: No such file" in (folder / "missing.log").read_text(encoding="utf-8")
        missing.wait(told, "the name of the credential that is not there")
        tap.ok(True, "one that is not there is named")


def test_sockets(tap, folder):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, \
            socket.socket(socket.AF_INET) as tcp, socket.socket(socket.AF_INET) as other:
        serve = Service(VAKA, folder, "triage:\n  alike: 0s\n")
        udp.bind(("127.0.0.1", serve.ports["syslog_udp"]))
        tcp.bind(("127.0.0.1", serve.ports["syslog_tcp"]))
        tcp.listen()
        other.bind(("127.0.0.1", 0))
        other.listen()
        # What came before it runs is not lost: the sockets are the service manager's.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"<13>Nov 26 03:00:00 h1 app: VAKAMARK early",
                     ("127.0.0.1", serve.ports["syslog_udp"]))
        early = socket.create_connection(("127.0.0.1", serve.ports["syslog_tcp"]), timeout=30)
        early.sendall(b"<13>Nov 26 03:00:00 h2 app: VAKAMARK early, too\n")
        with serve.start_as_service({"LISTEN_FDS": "3", "LISTEN_FDNAMES": "syslog-udp:nobody:syslog-tcp"},
                                    [udp, other, tcp]):
            serve.wait(lambda: serve.counted() == 2, "two records by sockets that were passed")
            tap.equal(sorted(a["source"]["input"] for a in serve.alerts()),
                      ["syslog-tcp", "syslog-udp"], "passed sockets are read")
            tap.equal(re.findall(r"event=socket-unused .*", serve.log_text()),
                      ["event=socket-unused name=nobody"], "the one that no setting names is told")
            serve.kill("collect")
            early.close()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.sendto(b"<13>Nov 26 03:00:00 h app: VAKAMARK late",
                         ("127.0.0.1", serve.ports["syslog_udp"]))
            serve.wait(lambda: serve.counted() == 3, "a record for the collect that was started again")
            tap.equal(serve.stop(), 0, "it ends")


def test_nonsense(tap, folder):
    serve = Serve(VAKA, folder)
    done = subprocess.run([VAKA, "serve", "-c", serve.config], cwd=folder, capture_output=True, check=False,
                          timeout=60, env={**os.environ, "WATCHDOG_USEC": "soon"})
    tap.equal((done.returncode, done.stderr.decode().splitlines()[-1:]),
              (1, ["vaka: WATCHDOG_USEC: 'soon' makes no sense"]), "what makes no sense is told")


def test_unit(tap):
    if not shutil.which("systemd-analyze"):
        tap.skip("exposure of the unit", "no systemd-analyze")
        return
    for unit in "vaka.service", "vaka-watchdog.service":
        told = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                               PACKAGING / unit], capture_output=True, check=False, text=True)
        found = re.search(rf"Overall exposure level for {unit}: ([\d.]+)", told.stdout)
        tap.comment(found.group(0) if found else told.stderr)
        tap.ok(found and float(found.group(1)) <= EXPOSURE_MAX,
               f"the exposure of {unit} is at most {EXPOSURE_MAX}", told.stdout + told.stderr)


def main():
    tap = common.Tap()
    for test in (test_notify, test_watchdog, test_watchdog_of_another_machine, test_credentials, test_sockets,
                 test_nonsense):
        with tempfile.TemporaryDirectory() as folder:
            test(tap, pathlib.Path(folder))
    test_unit(tap)
    tap.done()


main()
