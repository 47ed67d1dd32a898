#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What a scan of a running vaka serve finds, in a network of its own: ports.py VAKA. Prints TAP."""
import ctypes
import errno
import os
import pathlib
import re
import selectors
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from api_client import Office, check_problem, filled, operations  # noqa: E402  pylint: disable=wrong-import-position
from serving import Skip, run_tests, same, test  # noqa: E402  pylint: disable=wrong-import-position

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
CLONE_NEWNET = 0x40000000
ADDRESSES = (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")
TOGETHER = 500
# Log sources that know no passwords send to these; what they send is only ever kept.
SENDERS = ("syslog_tcp", "syslog_tls", "relp", "relp_tls", "lumberjack", "lumberjack_tls")


def own_network():
    """None, or why there is none. Threads that are begun from now on are in it, too."""
    if os.geteuid() != 0:
        return "not root"
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return "no network namespace of its own"
    up = subprocess.run(["ip", "link", "set", "lo", "up"], check=False, capture_output=True)
    return None if up.returncode == 0 else "lo cannot be set up"


def open_ports(family, address):
    """Every TCP port that takes a connection there."""
    found = set()
    waiting = iter(range(1, 65536))
    with selectors.DefaultSelector() as asked:
        while True:
            for port in waiting:
                s = socket.socket(family, socket.SOCK_STREAM)
                s.setblocking(False)
                if s.connect_ex((address, port)) in (0, errno.EINPROGRESS):
                    asked.register(s, selectors.EVENT_WRITE, port)
                else:
                    s.close()
                if len(asked.get_map()) == TOGETHER:
                    break
            if not asked.get_map():
                return found
            for key, _ in asked.select():
                # One may have reached itself: the port that the kernel gave it is that which it asks.
                if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0 and \
                        key.fileobj.getsockname() != key.fileobj.getpeername():
                    found.add(key.data)
                asked.unregister(key.fileobj)
                key.fileobj.close()


def bound_udp():
    """Ports that datagrams of anybody are taken at: of sockets that are connected to nobody."""
    found = set()
    for name in ("udp", "udp6"):
        for line in pathlib.Path("/proc/net", name).read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if re.fullmatch("0+:0+", words[2]):
                found.add(int(words[1].split(":")[1], 16))
    return found


def office(folder):
    """With all inputs, and all that is on when nobody says otherwise."""
    if NO_NETWORK:
        raise Skip(NO_NETWORK)
    return Office(VAKA, folder, "canary:\n  every: 30s\n")


@test
def only_what_the_settings_name_listens(folder):
    with office(folder).start() as o:
        streams = {port for name, port in o.ports.items() if "udp" not in name} | {o.web}
        for family, address in ADDRESSES:
            same(open_ports(family, address), streams if family == socket.AF_INET else set())
        same(bound_udp(), {port for name, port in o.ports.items() if "udp" in name})
        same(streams - {o.ports[name] for name in SENDERS}, {o.ports["http"], o.web})


@test
def who_proves_nothing_is_told_nothing(folder):
    """HTTP for records wants a token, each operation of the API who asks; but for those of the login."""
    with office(folder).start() as o:
        for path in ("/api/ingest", "/_bulk", "/services/collector", "/v1/logs", "/upload", "/metrics"):
            same((path, o.post(path, b"{}\n", token=None)[0]), (path, 401))
        nobody = o.nobody()
        for method, path, operation in operations(o.hire("anna", "viewer").get("/openapi.json")):
            if operation["x-right"] == "anybody":
                continue
            body = "{}" if "requestBody" in operation else None
            status, head, text = nobody.ask(method.upper(), filled(path), body)
            same((method, path, status), (method, path, 401))
            check_problem(status, head, text)


NO_NETWORK = own_network()
sys.exit(run_tests(sys.argv[2:], together=1))
