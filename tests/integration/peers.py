# SPDX-License-Identifier: EUPL-1.2
"""What tests send with: certificates, frames, and programs of this machine."""
import json
import os
import pathlib
import shutil
import struct
import subprocess

JOURNAL_REMOTE = "/lib/systemd/systemd-journal-remote"
JOURNAL_UPLOAD = "/lib/systemd/systemd-journal-upload"


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """ca, server, client, expired, of one authority; stranger is of another."""
    for ca in ("ca", "other"):
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-days", "30", "-subj", f"/CN={ca}")
    for name, ca, san in (("server", "ca", "DNS:localhost,IP:127.0.0.1"),
                          ("client", "ca", "DNS:fw1.example.org"),
                          ("plain", "ca", ""),
                          ("expired", "ca", "DNS:fw1.example.org"),
                          ("stranger", "other", "DNS:fw1.example.org")):
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/O=City/CN={name}")
        extension = pathlib.Path(folder, f"{name}.ext")
        extension.write_text(f"subjectAltName={san}\n" if san else "")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "-1" if name == "expired" else "30",
                "-extfile", extension.name)


def lumberjack(seq, document):
    body = json.dumps(document).encode()
    return b"2J" + struct.pack(">II", seq, len(body)) + body


def syslog_ng():
    """The program and its environment; None."""
    root = os.environ.get("SYSLOG_NG_ROOT", "")
    program = f"{root}/usr/sbin/syslog-ng" if root else shutil.which("syslog-ng")
    if not program or not os.path.exists(program):
        return None
    modules = sorted(pathlib.Path(f"{root}/usr/lib/syslog-ng").glob("3.*"))
    environment = dict(os.environ)
    options = []
    if root and modules:
        libraries = ":".join({str(p.parent) for p in pathlib.Path(root).rglob("lib*.so*")})
        environment["LD_LIBRARY_PATH"] = libraries
        options = [f"--module-path={modules[0]}"]
    return program, options, environment, root


def make_journal(path, first, n, message="line %d"):
    """A journal file with entries of hosts of their own; more of them when it is there."""
    entries = b"".join(
        b"__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032x\n_HOSTNAME=h%d\n"
        b"SYSLOG_IDENTIFIER=app\nMESSAGE=%s\n\n" %
        (1798000000000000 + i, i + 1, 7, i, (message % i).encode()) for i in range(first, first + n))
    subprocess.run([JOURNAL_REMOTE, "-o", str(path), "-"], input=entries, check=True,
                   capture_output=True, timeout=60)
