# SPDX-License-Identifier: EUPL-1.2
"""Accounts of a vaka serve, from the command line: accounts.py VAKA. Prints TAP."""
import hashlib
import json
import os
import pathlib
import pty
import random
import re
import select
import subprocess
import sys
import time

from serving import Fail, Serve, Skip, holds, run_tests, same, test

VAKA = pathlib.Path(sys.argv[1]).resolve()
PASSWORD = "sju gröna paraplyer"
CHEAP = "accounts:\n  hash_memory: 19MiB\n"
DOCS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs"
KILLS = int(os.environ.get("VAKA_KILLS", "20"))


def vaka(serve, *words, text="", user=None):
    """(status, what it prints, what it says)."""
    run = subprocess.run([VAKA, *words, "-c", serve.config], cwd=serve.folder, check=False, timeout=60,
                         capture_output=True, text=True, input=text, user=user)
    return run.returncode, run.stdout, run.stderr


def does(serve, *words, text=""):
    status, out, said = vaka(serve, *words, text=text)
    same((words, status, said), (words, 0, ""))
    return out


def add(serve, name, *roles, password=PASSWORD):
    words = [word for role in roles for word in ("--role", role)]
    return does(serve, "user", "add", name, "--stdin", *words, text=password + "\n")


def users(serve):
    return {u["name"]: u for u in json.loads(does(serve, "user", "list", "-f", "json"))["users"]}


def log(serve, *words):
    return json.loads(does(serve, "user", "log", "-f", "json", *words))["log"]


@test
def accounts_are_made_shown_and_removed(folder):
    with Serve(VAKA, folder, CHEAP).start() as serve:
        same(add(serve, "Anna", "admin"), "")
        does(serve, "user", "add", "bo@example.se", "--stdin", "--role", "analyst", "--role", "on-call",
             "--shown", "Bo Ek", "--reason", "case 7", text=PASSWORD)
        same(sorted(users(serve)), ["anna", "bo@example.se"])
        same(users(serve)["bo@example.se"]["roles"],
             [{"tenant": 0, "roles": ["analyst", "on-call"]}])
        holds(does(serve, "user", "list"), "analyst, on-call")
        holds(does(serve, "user", "show", "bo@example.se"), "shown as       Bo Ek\n")
        does(serve, "role", "revoke", "bo@example.se", "analyst")
        does(serve, "role", "grant", "bo@example.se", "viewer", "--tenant", "3")
        same(users(serve)["bo@example.se"]["roles"],
             [{"tenant": 0, "roles": ["on-call"]}, {"tenant": 3, "roles": ["viewer"]}])
        does(serve, "user", "disable", "bo@example.se")
        same(users(serve)["bo@example.se"]["disabled"] is None, False)
        does(serve, "user", "enable", "bo@example.se")
        does(serve, "user", "remove", "bo@example.se")
        same(sorted(users(serve)), ["anna"])
        told = log(serve, "bo@example.se")
        same([entry["what"] for entry in told],
             ["user.add", "role.revoke", "role.grant", "user.disable", "user.enable", "user.remove"])
        same((told[0]["actor"], told[0]["reason"]), (f"uid {os.getuid()}", "case 7"))
        # The numbers go on: none is of two entries.
        same([entry["id"] for entry in log(serve, "--after", "2")], [3, 4, 5, 6, 7])


@test
def what_is_wrong_is_said(folder):
    with Serve(VAKA, folder, CHEAP).start() as serve:
        add(serve, "anna", "admin")
        for words, text, want in [
                (("user", "add", "anna", "--stdin"), PASSWORD, "name: there is an account of this name"),
                (("user", "add", "b o", "--stdin"), PASSWORD, "name: a name has up to 64"),
                (("user", "add", "bo", "--stdin"), "kort", "password: a password has at least 12"),
                (("user", "add", "bo", "--stdin"), "Sommar2026!!", "password: this is among the first"),
                (("user", "add", "bo", "--stdin"), "", "no password was read"),
                (("user", "show", "bo"), "", "name: there is no such account"),
                (("user", "remove", "anna"), "", "this is the last admin"),
                (("role", "grant", "anna", "king"), "", "role: names of roles are wanted"),
                (("role", "revoke", "anna", "viewer"), "", "role: the account does not have this role"),
                (("token", "revoke", "7"), "", "id: there is no such token")]:
            status, out, said = vaka(serve, *words, text=text)
            same((words, status, out), (words, 1, ""))
            holds(said, want)
        for words, want in [
                (("user", "add", "bo"), "say --stdin or --invite"),
                (("user", "add", "bo", "--role", "king"), "--role is one of"),
                (("token", "add", "anna", "--label", "x", "--right", "serch"), "there is no right"),
                (("token", "add", "anna", "--label", "x", "--right", "search"), "--expires 90d")]:
            status, out, said = vaka(serve, *words)
            same((words, status, out), (words, 2, ""))
            holds(said, want)
        same([entry["what"] for entry in log(serve)], ["user.add"])


@test
def a_password_that_was_stolen_elsewhere_is_not_taken(folder):
    wanted = "en gam flyger lågt 4"
    hashes = sorted(hashlib.sha1(text.encode()).hexdigest().upper()
                    for text in (wanted, *(f"password {i}" for i in range(1000))))
    stolen = folder / "stolen.txt"
    stolen.write_text("".join(f"{digest}:{i}\r\n" for i, digest in enumerate(hashes)), encoding="ascii")
    (folder / "serve").mkdir()
    with Serve(VAKA, folder / "serve", CHEAP + f"  stolen: {stolen}\n").start() as serve:
        status, _, said = vaka(serve, "user", "add", "bo", "--stdin", text=wanted)
        same(status, 1)
        holds(said, "password: this one was stolen somewhere")
        add(serve, "bo", "analyst", password=wanted + "2")


@test
def a_token_is_printed_once_and_bounded(folder):
    with Serve(VAKA, folder, CHEAP).start() as serve:
        add(serve, "bo", "analyst")
        out = does(serve, "token", "add", "bo", "--label", "nightly report", "--right", "alerts.read",
                   "--right", "search", "--expires", "90d")
        token = re.search(r"^token      (vaka_[A-Za-z0-9_-]{43})$", out, re.M).group(1)
        listed = json.loads(does(serve, "token", "list", "bo", "-f", "json"))["tokens"]
        same([(t["label"], t["rights"], t["used"]) for t in listed],
             [("nightly report", ["alerts.read", "search"], None)])
        same(abs(listed[0]["expires"] - time.time() - 90 * 86400) < 600, True)
        holds(does(serve, "token", "list"), "nightly report")
        for words, want in [(("--right", "users.manage", "--expires", "1d"), "its owner has not"),
                            (("--right", "search", "--expires", "401d"), "within 400 days")]:
            status, _, said = vaka(serve, "token", "add", "bo", "--label", "x", *words)
            same(status, 1)
            holds(said, want)
        # It is no token of who sends logs.
        same(serve.post("/api/ingest", b"x", token=token)[0], 403)
        does(serve, "token", "revoke", str(listed[0]["id"]))
        same(json.loads(does(serve, "token", "list", "-f", "json"))["tokens"], [])
        serve.stop()
        kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        same(token.encode() in kept, False)


@test
def a_password_is_nowhere_but_in_its_hash(folder):
    with Serve(VAKA, folder, CHEAP).start() as serve:
        add(serve, "anna", "admin", password="ett mycket ovanligt lösenmärke")
        out = does(serve, "user", "add", "bo", "--invite", "--role", "viewer")
        given = re.search(r"^password   (\S+)$", out, re.M).group(1)
        vaka(serve, "user", "add", "cilla", "--stdin", text="ovanligt")
        serve.stop()
        for path in folder.rglob("*"):
            if path.is_file():
                kept = path.read_bytes()
                same((path.name, b"ovanligt" in kept, given.encode() in kept),
                     (path.name, False, False))
        database = folder / "var/accounts/accounts.db"
        holds(database.read_bytes().decode("latin-1"), "$argon2id$v=19$m=19456,t=3,p=1$")
        same(oct(database.parent.stat().st_mode & 0o777), "0o700")


@test
def a_password_is_asked_for_without_being_shown(folder):
    with Serve(VAKA, folder, CHEAP).start() as serve:
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(serve.folder)
            os.execv(VAKA, [str(VAKA), "user", "add", "anna", "--role", "admin", "-c",
                            str(serve.config)])
        seen = b""

        def until(text):
            nonlocal seen
            while text not in seen:
                if not select.select([terminal], [], [], 30)[0]:
                    raise Fail(f"never {text}: {seen}")
                seen += os.read(terminal, 4096)
        for prompt in (b"Password: ", b"Again: "):
            until(prompt)
            os.write(terminal, PASSWORD.encode() + b"\n")
        same(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        same("paraplyer".encode() in seen, False)
        os.close(terminal)
        same(users(serve)["anna"]["own_password"], True)


@test
def nobody_else_of_the_machine_manages_accounts(folder):
    if os.geteuid() != 0:
        raise Skip("needs to be root, to be somebody else")
    with Serve(VAKA, folder, CHEAP).start() as serve:
        add(serve, "anna", "admin")
        for path in [serve.folder, *serve.folder.parents]:
            if path.parts[:2] == ("/", "tmp") and len(path.parts) > 2:
                path.chmod(0o755)
        (serve.folder / "v.sock").chmod(0o777)
        status, out, said = vaka(serve, "user", "list", user="nobody")
        same((status, out), (1, ""))
        holds(said, "accounts are managed by root")
        # What the socket is open to otherwise stays.
        same(vaka(serve, "status", user="nobody")[0], 0)


@test
def what_was_answered_outlives_any_kill(folder):
    """An account that was made is there, whole, with its line of the log; and none is half there."""
    with Serve(VAKA, folder, CHEAP).start() as serve:
        made, tried = set(), 0
        for kill in range(KILLS):
            child = subprocess.Popen(["sh", "-c", f"sleep {random.random() * 0.5:.3f}"])
            while child.poll() is None:
                tried += 1
                status, _, said = vaka(serve, "user", "add", f"u{tried}", "--stdin", "--role", "viewer",
                                       text=PASSWORD)
                if status == 0:
                    made.add(f"u{tried}")
                elif "being started again" not in said and "is unknown" not in said:
                    raise Fail(f"{kill}: {said}")
            serve.kill("account")
        serve.shows(lambda s: s["account"]["starts"] > 1, "another one")
        serve.wait(lambda: vaka(serve, "user", "list")[0] == 0, "it answers again")
        there = users(serve)
        same(made - set(there), set())
        same({name for name, user in there.items()
              if user["roles"] != [{"tenant": 0, "roles": ["viewer"]}]}, set())
        told, after = [], 0
        while page := log(serve, "--after", str(after), "--last", "1000"):
            told += page
            after = page[-1]["id"]
        same(sorted(entry["subject"] for entry in told), sorted(there))


@test
def a_backup_has_the_accounts(folder):
    with Serve(VAKA, folder, CHEAP).start() as serve:
        add(serve, "anna", "admin")
        does(serve, "token", "add", "anna", "--label", "x", "--right", "users.read", "--expires", "1d")
        copy = folder / "copy"
        does(serve, "backup", str(copy))
        same([path.name for path in (copy / "accounts").iterdir()], ["accounts.db"])
        key = folder / "var/keys/accounts.key"
        same((oct(key.stat().st_mode & 0o777), (copy / "keys/accounts.key").read_bytes()), ("0o600", key.read_bytes()))
        add(serve, "bo", "viewer")
        before = log(serve)[:2]
        serve.stop()
        (folder / "var").rename(folder / "lost")
        does(serve, "restore", str(copy))
        serve.start()
        same((sorted(users(serve)), log(serve)), (["anna"], before))
        same(len(json.loads(does(serve, "token", "list", "-f", "json"))["tokens"]), 1)


def told(serve, *words):
    """What is said on standard error by one that works."""
    result = subprocess.run([VAKA, *words, "-c", serve.config], cwd=serve.folder, check=True, capture_output=True,
                            text=True, timeout=60)
    return result.stderr


@test
def a_restore_without_the_key_of_apps_says_so(folder):
    with Serve(VAKA, folder, CHEAP).start() as serve:
        add(serve, "anna", "admin")
        copy = folder / "copy"
        does(serve, "backup", str(copy))
        serve.stop()
        for lacks in (False, True):
            (folder / "var").rename(folder / f"lost{lacks}")
            if lacks:
                (copy / "keys/accounts.key").unlink()
            same("keys/accounts.key was not in the backup" in told(serve, "restore", str(copy)), lacks)
        serve.start()
        same(serve.status()["account"]["apps_lost"], 0)


@test
def a_key_that_is_named_is_not_made(folder):
    named = folder / "apps.key"
    with Serve(VAKA, folder, CHEAP, arguments=[f"--set=accounts.key={named}"]) as serve:
        result = subprocess.run([VAKA, "serve", "-c", serve.config, f"--set=accounts.key={named}"], cwd=folder,
                                check=False, capture_output=True, text=True, timeout=60)
        same((result.returncode != 0, "apps.key" in result.stderr, named.exists()), (True, True, False))
        named.write_text("5a" * 32 + "\n", encoding="ascii")
        named.chmod(0o400)
        serve.start()
        add(serve, "anna", "admin")
        same((folder / "var/keys/accounts.key").exists(), False)


@test
def the_matrix_in_the_documents_is_that_of_the_program(folder):
    serve = Serve(VAKA, folder)
    roles = [json.loads(line) for line in
             subprocess.run([VAKA, "role", "list", "-f", "json"], check=True, capture_output=True,
                            cwd=serve.folder).stdout.splitlines()]
    lines = (DOCS / "accounts.md").read_text(encoding="utf-8").splitlines()
    head = next(at for at, line in enumerate(lines) if line.startswith("| right |"))
    same([cell.strip() for cell in lines[head].split("|")[2:-2]], [role["name"] for role in roles])
    rows = {}
    for line in lines[head + 2:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[cells[0].strip("`")] = {role["name"] for role, cell in zip(roles, cells[1:]) if cell}
    same(rows, {right: {role["name"] for role in roles if right in role["rights"]} for right in rows})
    same(set(rows), {right for role in roles for right in role["rights"]})
    matrix = subprocess.run([VAKA, "role", "list"], check=True, capture_output=True, text=True).stdout
    for line in matrix.splitlines()[1:]:
        same({role["name"] for role, cell in zip(roles, line.split()[1:]) if cell == "x"},
             rows[line.split()[0]])


if __name__ == "__main__":
    sys.exit(run_tests(sys.argv[2:]))
