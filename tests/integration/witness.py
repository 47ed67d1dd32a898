#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka serve and vaka witness together, and who has the log's key against them: witness.py VAKA.
Prints TAP."""
import contextlib
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from serving import Serve, free_port, run_tests, same, test  # noqa: E402

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
TOKEN = "witness-token-0123456789abcdef"


def event(name):
    return json.dumps({"User": name, "message": "something"}).encode() + b"\n"


class Witness:
    """vaka witness in a folder of its own; its key is known before it is started for real."""

    def __init__(self, folder, log_key):
        self.folder = folder
        self.port = free_port()
        self.process = None
        self.log = folder / "witness.log"
        folder.mkdir()
        subprocess.run([VAKA, "init", folder / "pki", "--address", "127.0.0.1", "--ports", "high"],
                       check=True, capture_output=True, timeout=60)
        tokens = folder / "tokens"
        tokens.write_text(f"city witness {TOKEN}\n", encoding="utf-8")
        tokens.chmod(0o600)
        self.config = folder / "witness.yaml"
        self.config.write_text(
            f"witness:\n  listen: 127.0.0.1:{self.port}\n  folder: state\n  logs: {log_key}\n"
            "  name: witness.example/w\nlisten:\n  tokens: tokens\n"
            "tls:\n  certificate: pki/server.crt\n  key: pki/server.key\nlog:\n  level: info\n",
            encoding="utf-8")

    def start(self):
        said = self.said().count("ready; public key:")
        with open(self.log, "ab") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen([VAKA, "witness", "-c", self.config], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder)
        end = time.monotonic() + 30
        while self.said().count("ready; public key:") == said:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("witness: " + self.said()[-500:])
            time.sleep(0.02)
        return self

    def said(self):
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def key(self):
        return re.findall(r"public key: (\S+)", self.said())[-1]

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            return self.process.wait(30)
        return None

    def settings(self):
        """The lines of serve's section store that name it."""
        token = self.folder / "asker-token"
        token.write_text(TOKEN + "\n", encoding="utf-8")
        token.chmod(0o600)
        return ("  checkpoint: 1s\n  witness_wait: 2s\n"
                f"  witnesses: \"https://127.0.0.1:{self.port}/ {self.key()}\"\n"
                f"  witness_trust: {self.folder}/pki/server.crt\n"
                f"  witness_token: {token}\n")


def log_key(folder):
    """Of a serve that runs once to make it."""
    (folder / "first").mkdir()
    with Serve(VAKA, folder / "first").start() as serve:
        serve.stop()
    return folder / "first" / "var" / "keys"


@contextlib.contextmanager
def both(folder, more=""):
    """A witness and a serve whose log it knows."""
    keys = log_key(folder)
    witness = Witness(folder / "witness", keys / "log.pub").start()
    (folder / "serve").mkdir()
    serve = Serve(VAKA, folder / "serve", witness.settings() + more)
    shutil.copytree(keys, folder / "serve" / "var" / "keys")
    try:
        with serve:
            yield witness, serve
    finally:
        witness.stop(signal.SIGKILL)


def witnessed(serve, records):
    """Waits until a witness has signed so many, and that is stored."""
    return serve.shows(lambda s: s["seal"]["witnessed"] >= records, f"{records} witnessed")


def store(serve):
    return serve.folder / "var" / "store" / "0"


def verify(serve, *more):
    done = subprocess.run([VAKA, "verify", "-f", "json", "--key",
                           serve.folder / "var" / "keys" / "log.pub", *more, store(serve)],
                          check=False, capture_output=True, timeout=60)
    return json.loads(done.stdout)


def with_witness(serve, witness):
    key = serve.folder / "witness.pub"
    key.write_text(witness.key(), encoding="utf-8")
    return ("--witness-key", key)


def exported(serve, witness):
    """Evidence of all records, without saying which checkpoint."""
    file = serve.folder / "evidence.json"
    subprocess.run([VAKA, "export", "evidence", "--seq", "0..11", "--reason", "test", "--output",
                    file, store(serve)], check=True, capture_output=True, timeout=60)
    done = subprocess.run([VAKA, "verify", "-f", "json", "--evidence", file, "--key",
                           serve.folder / "var" / "keys" / "log.pub",
                           *with_witness(serve, witness)],
                          check=False, capture_output=True, timeout=60)
    report = json.loads(done.stdout)
    return report["verdict"], report["witnessed"], len(report["records"])


@test
def what_is_stored_is_witnessed(folder):
    with both(folder) as (witness, serve):
        serve.start()
        serve.post("/api/ingest", event("a") * 7)
        state = witnessed(serve, 7)
        same(state["witness"]["witnesses"][0]["name"], "witness.example/w")
        same(state["witness"]["witnesses"][0]["silent"], False)
        serve.post("/api/ingest", event("b") * 5)
        witnessed(serve, 12)
        same(serve.stop(), 0)
        report = verify(serve, *with_witness(serve, witness))
        same((report["verdict"], report["witnessed_size"], report["size"]), ("intact", 12, 12))
        same(verify(serve)["witnessed_size"], 0)
        same(exported(serve, witness), ("intact", True, 12))
        # After a start of both the proof begins where the witness was.
        same(witness.stop(), 0)
        witness.start()
        serve.start()
        serve.post("/api/ingest", event("c") * 3)
        witnessed(serve, 15)
        same("witness-contradicts" in serve.log_text(), False)
        same(serve.status()["seal"]["cosignatures_refused"], 0)
        same("witness-fork" in witness.said(), False)


@test
def a_silent_witness_is_told_and_holds_nothing_up(folder):
    with both(folder) as (witness, serve):
        serve.start()
        serve.post("/api/ingest", event("a"))
        witnessed(serve, 1)
        witness.stop(signal.SIGKILL)
        serve.post("/api/ingest", event("b") * 9)
        state = serve.shows(lambda s: s["witness"]["witnesses"][0]["silent"] and
                            s["witness"]["witnesses"][0]["failure"] == "connection refused" and
                            s["seal"]["signed"] == 10, "silence is told, and signing goes on")
        same(state["seal"]["witnessed"], 1)
        same("alarm=witness-silent" in serve.log_text(), True)
        # What it had signed before is still there, and the rest is counted as unproven.
        report = verify(serve, *with_witness(serve, witness))
        same((report["witnessed_size"], report["verdict"]), (1, "intact"))
        witness.start()
        witnessed(serve, 10)
        serve.wait(lambda: "alarm=witness-back" in serve.log_text(), "its return is told")


@test
def another_key_or_certificate_is_not_believed(folder):
    with both(folder) as (witness, serve):
        other = Witness(folder / "other", folder / "first" / "var" / "keys" / "log.pub").start()
        other.stop()
        text = serve.config.read_text(encoding="utf-8")
        serve.config.write_text(text.replace(witness.key(), other.key()), encoding="utf-8")
        serve.start()
        serve.post("/api/ingest", event("a"))
        state = serve.shows(lambda s: s["witness"]["witnesses"][0]["silent"], "it counts as silent")
        same(state["witness"]["witnesses"][0]["failure"],
             "its answer is not signed with its key in store.witnesses")
        same(state["seal"]["witnessed"], 0)
        same((store(serve) / "witnessed").exists(), False)
        serve.stop()
        serve.config.write_text(text.replace(str(witness.folder / "pki"),
                                             str(other.folder / "pki")), encoding="utf-8")
        serve.start()
        serve.shows(lambda s: s["witness"]["witnesses"][0]["failure"] ==
                    "its certificate is not one that is trusted for its name", "not trusted")


def forget(serve):
    """Who has the machine writes the past anew: all records go, what was signed and what was
    matched, but the log's key stays."""
    shutil.rmtree(store(serve))
    shutil.rmtree(serve.folder / "var" / "state")
    (serve.folder / "var" / "keys" / "log.signed").unlink()


@test
def a_rollback_is_seen_only_with_the_witness(folder):
    with both(folder) as (witness, serve):
        serve.start()
        serve.post("/api/ingest", event("a") * 5)
        witnessed(serve, 5)
        serve.stop()
        kept = (store(serve) / "witnessed").read_bytes()
        shutil.copytree(store(serve), folder / "old")
        serve.start()
        serve.post("/api/ingest", event("evil") * 4)
        witnessed(serve, 9)
        seen = folder / "seen"
        seen.write_bytes((store(serve) / "witnessed").read_bytes())
        serve.stop()
        # The folder as it was before, with everything that was signed then.
        forget(serve)
        shutil.copytree(folder / "old", store(serve))
        same((store(serve) / "witnessed").read_bytes(), kept)
        key = with_witness(serve, witness)
        report = verify(serve, *key)
        same((report["verdict"], report["size"]), ("intact", 5))
        same(verify(serve, *key, "--checkpoint", seen)["verdict"], "tampered")
        serve.start()
        serve.wait(lambda: "alarm=witness-contradicts" in serve.log_text(), "the witness objects")
        same("records that it has seen are not there" in serve.log_text(), True)


@test
def a_rewrite_is_seen_only_with_the_witness(folder):
    with both(folder) as (witness, serve):
        serve.start()
        serve.post("/api/ingest", event("mallory") * 6)
        witnessed(serve, 6)
        seen = folder / "seen"
        seen.write_bytes((store(serve) / "witnessed").read_bytes())
        serve.stop()
        forget(serve)
        text = serve.config.read_text(encoding="utf-8")
        alone = "\n".join(line for line in text.splitlines() if "witness" not in line) + "\n"
        serve.config.write_text(alone, encoding="utf-8")
        serve.start()
        serve.post("/api/ingest", event("nobody") * 6)
        serve.shows(lambda s: s["seal"]["signed"] == 6, "the new past is signed")
        serve.stop()
        same(verify(serve)["verdict"], "intact")
        same(verify(serve, *with_witness(serve, witness))["witnessed_size"], 0)
        same(verify(serve, "--checkpoint", seen)["verdict"], "tampered")
        serve.config.write_text(text, encoding="utf-8")
        serve.start()
        serve.wait(lambda: "alarm=witness-contradicts" in serve.log_text(), "the witness objects")
        same("it has signed other records of this size" in serve.log_text(), True)
        same("event=witness-fork" in witness.said(), True)
        same(len(list((witness.folder / "state").glob("fork-*"))), 1)
        serve.post("/api/ingest", event("nobody"))
        serve.shows(lambda s: s["seal"]["signed"] == 7, "signing goes on")
        same(serve.status()["seal"]["witnessed"], 0)


sys.exit(run_tests(sys.argv[2:], together=3))
