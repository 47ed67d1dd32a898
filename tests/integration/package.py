#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The Debian package: package.py [--chroot]. Builds it and looks at what it holds; with --chroot, as
root, also installs, runs, upgrades and purges it in a Debian made for that by debootstrap. Prints
TAP."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import common

FILES = """
usr/bin/vaka
usr/lib/systemd/system/vaka-syslog-tcp.socket
usr/lib/systemd/system/vaka-syslog-udp.socket
usr/lib/systemd/system/vaka-watchdog.service
usr/lib/systemd/system/vaka.service
usr/lib/sysusers.d/vaka.conf
usr/lib/tmpfiles.d/vaka.conf
usr/share/bash-completion/completions/vaka
usr/share/doc/vaka/LICENSE.gz
usr/share/doc/vaka/changelog.gz
usr/share/doc/vaka/copyright
usr/share/man/man1/vaka.1.gz
usr/share/vaka/rules/windows/dcsync.yml
usr/share/vaka/taxonomy/windows.yml
""".split()
# What the program is linked with says that these are needed.
LIBRARIES = "libc6 libarchive13 libgnutls30 libmicrohttpd12 libpcre2-8-0 libseccomp2 libsqlite3-0 libzstd1".split()
# Where a package may put things: nothing below /etc, /var or /usr/local is in the package itself.
PLACES = re.compile(r"(bin/vaka|lib/(systemd/system|sysusers\.d|tmpfiles\.d)/.*|share/(vaka|doc/vaka|man|bash-completion)/.*)")


def output(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def check_control(tap, package):
    fields = {name: output("dpkg-deb", "--field", package, name).strip() for name in
              ("Package", "Version", "Architecture", "Depends", "Description", "Installed-Size", "Maintainer")}
    tap.equal((fields["Package"], fields["Architecture"]),
              ("vaka", output("dpkg", "--print-architecture").strip()), "name and architecture")
    tap.ok(re.fullmatch(r"\d+\.\d+\.\d+", fields["Version"]), "version", fields["Version"])
    tap.equal(package.name, f"vaka_{fields['Version']}_{fields['Architecture']}.deb", "file name")
    depends = {item.split()[0] for item in fields["Depends"].split(", ")}
    tap.equal(sorted(set(LIBRARIES) - depends), [], "the libraries of the program are needed")
    tap.ok(not any(re.search(r"@[A-Z]+@", value) for value in fields.values()), "everything is filled in", fields)
    tap.ok(int(fields["Installed-Size"]) > 1000, "size", fields["Installed-Size"])


def check_content(tap, package, root):
    lines = output("dpkg-deb", "--contents", package).splitlines()
    rows = [(line.split()[0], line.split()[1], line.split(None, 5)[5]) for line in lines]
    tap.equal(sorted({owner for _, owner, _ in rows}), ["root/root"], "everything is root's")
    tap.equal([row for row in rows if row[0][5] == "w" or row[0][8] == "w" or "s" in row[0][1:]], [],
              "nothing may be written by others, nothing is set-uid")
    subprocess.run(["dpkg-deb", "--raw-extract", package, root], check=True)
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*")
                   if path.is_file() and path.relative_to(root).parts[0] != "DEBIAN")
    tap.equal(sorted(set(FILES) - set(names)), [], "what is installed")
    tap.equal([name for name in names if not PLACES.fullmatch(name.removeprefix("usr/"))], [],
              "nothing elsewhere")
    sums = output("md5sum", *names, cwd=root)
    tap.equal((root / "DEBIAN/md5sums").read_text(encoding="utf-8"), sums, "checksums")
    executables = [row[2] for row in rows if row[0][0] == "-" and row[0][3] == "x"]
    tap.equal(executables, ["./usr/bin/vaka"], "one program")
    head = output("readelf", "-hdlW", root / "usr/bin/vaka")
    tap.ok("DYN (Position-Independent" in head and "BIND_NOW" in head and "GNU_RELRO" in head,
           "it is position independent, its tables read-only", head)
    tap.ok(".symtab" not in output("readelf", "-SW", root / "usr/bin/vaka"), "it is stripped")
    for script in ("postinst", "prerm", "postrm"):
        path = root / "DEBIAN" / script
        checked = subprocess.run(["shellcheck", "-S", "warning", path], capture_output=True, check=False, text=True)
        tap.ok(os.access(path, os.X_OK) and checked.returncode == 0, f"{script} can run", checked.stdout)
    page = subprocess.run(["zgrep", "-c", "SS vaka serve", root / "usr/share/man/man1/vaka.1.gz"],
                          capture_output=True, check=False, text=True)
    tap.ok(page.returncode == 0, "the manual has the commands", page.stderr)


def check_unit(tap, root):
    """Paths in the unit are those of the package; systemd finds nothing wrong with them."""
    if not shutil.which("systemd-analyze"):
        tap.skip("units", "no systemd-analyze")
        return
    units = root / "usr/lib/systemd/system"
    with tempfile.TemporaryDirectory() as folder:
        # The program of the package, at the place where a test may have it.
        for unit in units.iterdir():
            text = unit.read_text(encoding="utf-8").replace("/usr/bin/vaka", str(root / "usr/bin/vaka"))
            (pathlib.Path(folder) / unit.name).write_text(text, encoding="utf-8")
        told = subprocess.run(["systemd-analyze", "verify", "--man=no", *pathlib.Path(folder).iterdir()],
                              capture_output=True, check=False, text=True)
        wrong = [line for line in told.stderr.splitlines() if "vaka" in line]
        tap.equal((told.returncode, wrong), (0, []), "systemd has nothing to say against the units")


# ---- in a Debian of its own ------------------------------------------------------------------

class Chroot:
    def __init__(self, root):
        self.root = root

    def run(self, *command, **more):
        return subprocess.run(["chroot", self.root, *command], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=500,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive",
                                   "LC_ALL": "C.UTF-8", **more})

    def owner(self, path):
        return self.run("stat", "-c", "%U:%G %a", path).stdout.strip()


@contextlib.contextmanager
def debian(folder):
    root = pathlib.Path(folder) / "debian"
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", root], check=True, stdout=subprocess.DEVNULL,
                   timeout=500)
    subprocess.run(["mount", "-t", "proc", "proc", root / "proc"], check=True)
    try:
        yield Chroot(root)
    finally:
        subprocess.run(["umount", root / "proc"], check=True)


def wait_for(condition):
    """Not a measure of speed: only so that a broken package does not keep the test for ever."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def check_run(tap, box):
    """As the unit starts it, but without systemd: the user, and ports that need no right."""
    settings = box.root / "etc/vaka/vaka.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(re.sub(r"\[::\]:(\d+)", lambda m: f"127.0.0.1:{20000 + int(m[1])}", text), encoding="utf-8")
    as_vaka = ["chroot", "--userspec=vaka:vaka", box.root, "/usr/bin/vaka"]
    with subprocess.Popen([*as_vaka, "serve"], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as serve:
        try:
            tap.ok(wait_for(lambda: box.run("vaka", "status").returncode == 0), "the service runs as its user")
            tap.equal(box.owner("/run/vaka/vaka.sock"), "vaka:vaka 660", "its socket is its group's")
        finally:
            serve.send_signal(signal.SIGTERM)
            tap.equal(serve.wait(60), 0, "and ends")
    tap.equal(box.run("test", "-f", "/var/lib/vaka/keys/log.pub").returncode, 0, "it has its keys")


def check_install(tap, package, folder):
    with debian(folder) as box:
        shutil.copy(package, box.root / "root")
        done = box.run("apt-get", "install", "-y", "--no-install-recommends", f"/root/{package.name}")
        tap.equal(done.returncode, 0, "it can be installed") or tap.comment((done.stdout + done.stderr)[-2000:])
        tap.equal({path: box.owner(path) for path in
                   ("/etc/vaka", "/etc/vaka/vaka.yaml", "/etc/vaka/server.key", "/etc/vaka/tokens", "/var/lib/vaka")},
                  {"/etc/vaka": "root:vaka 750", "/etc/vaka/vaka.yaml": "root:vaka 640",
                   "/etc/vaka/server.key": "vaka:vaka 600", "/etc/vaka/tokens": "vaka:vaka 600",
                   "/var/lib/vaka": "vaka:vaka 750"}, "who may read what")
        tap.equal(box.run("systemctl", "is-enabled", "vaka.service").stdout.strip(), "enabled", "the service is enabled")
        check_run(tap, box)
        tokens = (box.root / "etc/vaka/tokens").read_text(encoding="utf-8")
        again = box.run("dpkg", "-i", f"/root/{package.name}")
        tap.equal((again.returncode, (box.root / "etc/vaka/tokens").read_text(encoding="utf-8")), (0, tokens),
                  "installed again it keeps its settings")
        done = box.run("apt-get", "purge", "-y", "vaka")
        tap.equal((done.returncode, (box.root / "etc/vaka").exists(), (box.root / "var/lib/vaka/store").exists()),
                  (0, False, True), "purging takes the settings and keeps the evidence")
        tap.ok("Kept: /var/lib/vaka" in done.stderr + done.stdout, "and says so", done.stderr)
        box.run("dpkg", "-i", f"/root/{package.name}")
        done = box.run("apt-get", "purge", "-y", "vaka", VAKA_PURGE_EVIDENCE="yes")
        tap.equal((done.returncode, (box.root / "var/lib/vaka").exists()), (0, False), "unless it is asked to")


def main():
    tap = common.Tap()
    built = output("script/package", cwd=common.ROOT).splitlines()
    package = common.ROOT / built[-1]
    tap.ok(package.is_file(), "it can be built", built)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "content"
        check_control(tap, package)
        check_content(tap, package, root)
        check_unit(tap, root)
        if "--chroot" not in sys.argv:
            tap.skip("installation", "not asked for (--chroot)")
        elif os.geteuid() != 0 or not shutil.which("debootstrap"):
            tap.skip("installation", "needs root and debootstrap")
        else:
            check_install(tap, package, folder)
    tap.done()


main()
