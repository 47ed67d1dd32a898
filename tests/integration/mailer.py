# SPDX-License-Identifier: EUPL-1.2
"""A mail server of a test's own: Debian's exim, on a free port, with STARTTLS and AUTH, which keeps
what it gets in a file. Whatever is for nobody@ it refuses, for later@ it says to come back."""
import contextlib
import email
import email.policy
import mailbox
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

from serving import Skip, free_port

USER, SECRET = "vaka", "mail-secret-0123456789"
CONFIG = """
primary_hostname = localhost
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
tls_advertise_hosts = {tls}
tls_certificate = {certificates}/server.pem
tls_privatekey = {folder}/server.key
acl_smtp_rcpt = rcpt
acl_smtp_predata = predata
keep_environment =
begin acl
rcpt:
  deny message = authenticate first
       !authenticated = *
  defer message = come back later
       local_parts = later
  deny message = no such mailbox
       local_parts = nobody
  accept
predata:
  warn delay = ${{if exists{{{folder}/slow}}{{20s}}{{0s}}}}
  accept
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  file = {folder}/mail
  user = Debian-exim
  envelope_to_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{secret}}}}}}}}}
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""


class Mailer:
    """Runs until it is closed."""

    def __init__(self, folder, certificates, tls="*"):
        program = shutil.which("exim4") or shutil.which("exim4", path="/usr/sbin")
        if not program or os.geteuid() != 0:
            raise Skip("exim4, as root")
        self.folder = pathlib.Path(folder).resolve()
        # It delivers as a user of its own.
        for path in (self.folder, self.folder / "spool", self.folder / "log"):
            path.mkdir(exist_ok=True)
            path.chmod(0o777)
        for parent in self.folder.parents:
            if parent.stat().st_uid == os.geteuid() and str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o055)
        shutil.copy(pathlib.Path(certificates) / "server.key", self.folder / "server.key")
        (self.folder / "server.key").chmod(0o644)
        config = self.folder / "exim.conf"
        config.write_text(CONFIG.format(folder=self.folder, user=USER, secret=SECRET, tls=tls,
                                        certificates=pathlib.Path(certificates).resolve()),
                          encoding="utf-8")
        self.port = free_port()
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            [program, "-C", config, "-bdf", "-oX", f"127.0.0.1.{self.port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()

    def wait(self):
        for _ in range(500):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            time.sleep(0.02)
        raise AssertionError("exim does not listen")

    def provider(self, name, more="", secret=SECRET):
        path = self.folder / f"{name}.secret"
        path.write_text(secret + "\n", encoding="utf-8")
        path.chmod(0o600)
        return (f"smtp name={name} host=localhost:{self.port} address=127.0.0.1 "
                f"from=vaka@example.se user={USER} secret={path} {more}").strip()

    def mails(self, at_least=1):
        """Those that were delivered, as a mail program reads them."""
        for _ in range(1000):
            path = self.folder / "mail"
            found = list(mailbox.mbox(path, create=False)) if path.exists() else []
            if len(found) >= at_least:
                return [email.message_from_bytes(bytes(m), policy=email.policy.default)
                        for m in found]
            time.sleep(0.02)
        raise AssertionError("no mail: " + self.log())

    def log(self):
        path = self.folder / "log" / "mainlog"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def came_by_tls(self):
        return len(re.findall(r" <= .* X=TLS", self.log()))

    def close(self):
        self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
