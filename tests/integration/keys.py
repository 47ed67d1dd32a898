#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Keys that are changed while vaka serve runs, and while it does not: keys.py VAKA. Prints TAP."""
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from serving import TOKEN, Serve, free_port, run_tests, same, test  # noqa: E402

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
SHORT = "  checkpoint: 1s\n"


def event(name):
    return json.dumps({"User": name, "message": "something"}).encode() + b"\n"


def keys(serve):
    return serve.folder / "var" / "keys"


def store(serve):
    return serve.folder / "var" / "store" / "0"


def forget(serve):
    """Records go, and what was matched of them."""
    shutil.rmtree(store(serve))
    shutil.rmtree(serve.folder / "var" / "state")


def public_keys(serve):
    return (keys(serve) / "log.pub").read_text(encoding="utf-8").splitlines()


def verdict(serve, lines):
    named = serve.folder / "named.pub"
    named.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run([VAKA, "verify", "-f", "json", "--key", named, store(serve)],
                          check=False, capture_output=True, timeout=60)
    return json.loads(done.stdout)["verdict"]


def signed(serve, records):
    serve.shows(lambda s: s["seal"]["signed"] == records, f"{records} signed")


def signatures(path):
    return path.read_text(encoding="utf-8").count("\u2014 ")


def secrets(serve):
    """Of every key of the log that is left in the folder."""
    return [path.read_text(encoding="utf-8") for path in keys(serve).glob("log.*key*")]


@test
def a_running_serve_signs_with_the_new_key(folder):
    with Serve(VAKA, folder, SHORT).start() as serve:
        serve.post("/api/ingest", event("a") * 3)
        signed(serve, 3)
        old, secret = public_keys(serve), secrets(serve)
        serve.ask("key", "rotate")
        both = public_keys(serve)
        same((len(both), both[1].split()[:2]), (2, [*old, "3"]))
        same((len(secrets(serve)), secrets(serve) == secret), (1, False))
        same(signatures(store(serve) / f"checkpoint-{3:020}"), 2)
        serve.post("/api/ingest", event("b") * 2)
        signed(serve, 5)
        same(serve.stop(), 0)
        same(signatures(store(serve) / "checkpoint"), 1)
        # Before the old key's end the new one has signed what it begins with.
        same([verdict(serve, lines) for lines in (both, both[:1], both[1:], old)],
             ["intact", "intact", "tampered", "tampered"])


@test
def a_serve_that_does_not_run_has_the_new_key_when_it_starts(folder):
    serve = Serve(VAKA, folder, SHORT)
    with serve.start():
        serve.post("/api/ingest", event("a") * 3)
        signed(serve, 3)
        serve.stop()
        for records in (4, 5):
            # What a rotation that was killed in the middle leaves.
            os.link(keys(serve) / "log.key", keys(serve) / "log.key.old")
            (keys(serve) / "log.key.new").write_text("half a ke", encoding="utf-8")
            serve.ask("key", "rotate")
            serve.start()
            serve.post("/api/ingest", event("b"))
            signed(serve, records)
            serve.stop()
        three = public_keys(serve)
        same(len(three), 3)
        same(verdict(serve, three), "intact")


def halved(serve, before):
    """What a rotation leaves that was killed when the new key was in place, and log.pub not yet."""
    (keys(serve) / "log.pub").rename(keys(serve) / "log.pub.new")
    (keys(serve) / "log.pub").write_text("\n".join(before) + "\n", encoding="utf-8")


@test
def a_rotation_that_was_cut_short_is_brought_to_its_end(folder):
    serve = Serve(VAKA, folder, SHORT)
    with serve.start():
        serve.post("/api/ingest", event("a") * 3)
        signed(serve, 3)
        serve.stop()
        before = public_keys(serve)
        serve.ask("key", "rotate")
        after = public_keys(serve)
        halved(serve, before)
        serve.start()
        same(public_keys(serve), after)
        serve.post("/api/ingest", event("b"))
        signed(serve, 4)
        serve.stop()
        serve.ask("key", "rotate")
        third = public_keys(serve)
        halved(serve, after)
        serve.ask("key", "rotate")
        same([public_keys(serve)[n + 1].split()[0] for n in range(3)],
             [third[0], *(line.split()[0] for line in after)])
        same(verdict(serve, public_keys(serve)), "intact")


@test
def a_stolen_key_signs_nothing_after_its_end(folder):
    """The thief has the old secret key and all files, and a vaka serve of his own."""
    with Serve(VAKA, folder, SHORT).start() as serve:
        serve.post("/api/ingest", event("a") * 3)
        signed(serve, 3)
        stolen = keys(serve) / "log.key"
        secret = stolen.read_text(encoding="utf-8")
        serve.ask("key", "rotate")
        serve.post("/api/ingest", event("b") * 2)
        signed(serve, 5)
        same(serve.stop(), 0)
        trusted = public_keys(serve)
        for path in keys(serve).glob("log.*"):
            path.unlink()
        forget(serve)
        replace(stolen, secret)
        replace(keys(serve) / "log.pub", trusted[1].split()[0] + "\n")
        serve.start()
        serve.post("/api/ingest", event("mallory") * 2)
        signed(serve, 2)
        same(verdict(serve, public_keys(serve)), "intact")
        same(verdict(serve, trusted), "tampered")
        serve.post("/api/ingest", event("mallory"))
        signed(serve, 3)
        same(verdict(serve, trusted), "tampered")
        serve.post("/api/ingest", event("mallory") * 2)
        signed(serve, 5)
        same(verdict(serve, public_keys(serve)), "intact")
        same(verdict(serve, trusted), "tampered")


@test
def without_a_checkpoint_nothing_is_rotated(folder):
    serve = Serve(VAKA, folder)
    with serve.start():
        serve.stop()
    for path in store(serve).glob("checkpoint*"):
        path.unlink()
    (keys(serve) / "log.signed").unlink()
    before = public_keys(serve), secrets(serve)
    done = subprocess.run([VAKA, "key", "rotate", "-c", serve.config], cwd=folder, check=False,
                          capture_output=True, timeout=60)
    same((done.returncode, "nothing was signed with the key yet" in done.stderr.decode()), (1, True))
    same((public_keys(serve), secrets(serve) == before[1]), (before[0], True))


@test
def a_start_forgets_nothing_that_was_signed(folder):
    """The records are an older copy; the key knows that there were more."""
    serve = Serve(VAKA, folder, SHORT)
    with serve.start():
        serve.post("/api/ingest", event("a") * 3)
        signed(serve, 3)
        serve.stop()
        shutil.copytree(store(serve), folder / "old")
        serve.start()
        serve.post("/api/ingest", event("b") * 2)
        signed(serve, 5)
        serve.stop()
        forget(serve)
        shutil.copytree(folder / "old", store(serve))
        serve.start()
        serve.wait(lambda: "alarm=signature-refused" in serve.log_text(), "the refusal")
        same(serve.shows(lambda s: s["sign"]["refused"] > 0, "it counts")["sign"]["size"], 5)
        serve.post("/api/ingest", event("c"))
        serve.shows(lambda s: s["seal"]["tree"] == 4, "the record is kept")
        same(serve.status()["seal"]["checkpoints"], 0)
        same(serve.stop(), 0)
        # Who restores an older copy knowingly removes what says that there was more.
        (keys(serve) / "log.signed").unlink()
        serve.start()
        signed(serve, 4)
        same(serve.stop(), 0)
        same(verdict(serve, public_keys(serve)), "intact")


OTHER_TOKEN = "another-token-0123456789abcdef"


def replace(path, text):
    fresh = path.with_suffix(".fresh")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o600)
    os.replace(fresh, path)


class Secured(Serve):
    """With syslog over TLS and HTTPS; the certificate can be changed."""

    def __init__(self, folder):
        super().__init__(VAKA, folder, SHORT + "tls:\n  certificate: server.crt\n"
                                               "  key: server.key\n")
        for name in ("one", "two"):
            subprocess.run([VAKA, "init", folder / name, "--address", "127.0.0.1", "--ports",
                            "high"], check=True, capture_output=True, timeout=60)
        self.ports["syslog_tls"] = free_port()
        text = self.config.read_text(encoding="utf-8")
        self.config.write_text(
            text.replace("listen:\n", f"listen:\n  syslog_tls: 127.0.0.1:{self.ports['syslog_tls']}\n"),
            encoding="utf-8")
        self.certify("one")

    def certify(self, name):
        for file in ("server.crt", "server.key"):
            replace(self.folder / file, (self.folder / name / file).read_text(encoding="utf-8"))

    def certificate(self, name):
        return ssl.PEM_cert_to_DER_cert((self.folder / name / "server.crt").read_text())

    def secure(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(self.tcp(name))

    def shown(self, name):
        """The certificate that a new connection is shown."""
        with self.secure(name) as s:
            return s.getpeercert(binary_form=True)

    def reload(self):
        done = subprocess.run([VAKA, "reload", "-c", self.config], cwd=self.folder, check=False,
                              capture_output=True, timeout=60)
        return done.returncode, done.stderr.decode()


def ingest(connection, token, body):
    connection.request("POST", "/api/ingest", body, {"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


@test
def certificate_and_tokens_change_under_open_connections(folder):
    with Secured(folder).start() as serve:
        stream = serve.secure("syslog_tls")
        context = ssl._create_unverified_context()  # pylint: disable=protected-access
        web = http.client.HTTPSConnection("127.0.0.1", serve.ports["http"], context=context)
        stream.sendall(b"12 <13>one line")
        same(ingest(web, TOKEN, event("a")), 200)
        kept = web.sock
        same([serve.shown(n) == serve.certificate("one") for n in ("syslog_tls", "http")],
             [True, True])
        serve.certify("two")
        replace(folder / "tokens", f"tester ingest {OTHER_TOKEN}\n")
        same(serve.reload(), (0, ""))
        serve.wait(lambda: "event=credentials-reloaded" in serve.log_text(), "new credentials")
        same([serve.shown(n) == serve.certificate("two") for n in ("syslog_tls", "http")],
             [True, True])
        stream.sendall(b"12 <13>two line")
        same(ingest(web, OTHER_TOKEN, event("b")), 200)
        same(web.sock is kept, True)
        same(ingest(web, TOKEN, event("c")), 403)
        with serve.secure("syslog_tls") as other:
            other.sendall(b"12 <13>new line")
        serve.shows(lambda s: s["store"]["next"] == 5, "what came by all of them")
        stream.close()
        web.close()


@test
def what_cannot_be_read_changes_nothing(folder):
    with Secured(folder).start() as serve:
        serve.certify("two")
        replace(folder / "server.key", "nonsense")
        replace(folder / "tokens", f"tester ingest {OTHER_TOKEN}\n")
        same(serve.reload(), (0, ""))
        serve.wait(lambda: "alarm=reload-failed" in serve.log_text(), "the refusal")
        same([serve.shown(n) == serve.certificate("one") for n in ("syslog_tls", "http")],
             [True, True])
        context = ssl._create_unverified_context()  # pylint: disable=protected-access
        web = http.client.HTTPSConnection("127.0.0.1", serve.ports["http"], context=context)
        same(ingest(web, TOKEN, event("a")), 200)
        web.close()
        (folder / "tokens").unlink()
        code, said = serve.reload()
        same((code, "tokens: No such file" in said), (1, True))


@test
def a_reload_names_what_needs_a_start(folder):
    with Serve(VAKA, folder, SHORT).start() as serve:
        text = serve.config.read_text(encoding="utf-8")
        serve.config.write_text(text.replace("checkpoint: 1s", "checkpoint: 2s\n  keep: 5d"),
                                encoding="utf-8")
        done = subprocess.run([VAKA, "reload", "-c", serve.config], cwd=folder, check=False,
                              capture_output=True, timeout=60)
        same((done.returncode, done.stderr.decode().split(": ")[-1].strip()),
             (0, "store.checkpoint, store.keep"))
        serve.wait(lambda: 'settings="store.checkpoint, store.keep"' in serve.log_text(), "logged")
        serve.wait(lambda: "event=rules-reloaded" in serve.log_text(), "new rules")
        serve.config.write_text("nonsense: [", encoding="utf-8")
        (folder / "other.yaml").write_text(text, encoding="utf-8")
        done = subprocess.run([VAKA, "reload", "-c", folder / "other.yaml"], cwd=folder,
                              check=False, capture_output=True, timeout=60)
        same((done.returncode, "the settings cannot be read" in done.stderr.decode()), (1, True))


sys.exit(run_tests(sys.argv[2:], together=3))
