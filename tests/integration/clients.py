#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""The whole vaka serve against the programs that cities send with: clients.py VAKA [TEST...]. TAP.

Each record must be stored once, as it was sent, and matched; clients with acks must believe them.
A program that is not there skips its test. syslog-ng cannot be installed beside rsyslog and may lie
in a folder that its packages were unpacked in (SYSLOG_NG_ROOT); the npm clients in node/ are those of
NODE_CLIENTS, a folder with their node_modules.
"""
import contextlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from peers import (JOURNAL_REMOTE, JOURNAL_UPLOAD, make_certificates, make_journal,  # noqa: E402
                     syslog_ng)
from serving import RULE, TOKEN, Serve, Skip, holds, run_tests, same, test  # noqa: E402

VAKA = str(pathlib.Path(sys.argv[1]).resolve())
HERE = pathlib.Path(__file__).resolve().parent
LINE = "VAKAMARK line-%d."
N = 300


def need(*programs):
    for program in programs:
        if not shutil.which(program) and not os.path.exists(program):
            raise Skip(f"{program} is not installed")


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, timeout=120,
                          **more)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]}: {done.stderr.decode()[-800:]}{done.stdout.decode()[-800:]}")
    return done.stdout


def inputs(serve):
    return {a["source"]["input"] for a in serve.found()}


@contextlib.contextmanager
def running(*command, **more):
    """A daemon; ended with the block, asked for its words by it."""
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **more) as process:
        try:
            yield process
        except AssertionError as why:
            process.terminate()
            words = process.communicate(timeout=60)[0].decode()[-800:]
            raise AssertionError(f"{why}; {command[0]}: {words}") from why
        finally:
            process.terminate()
            process.wait(60)


# ---- syslog -----------------------------------------------------------------------------------

def rsyslog(folder, serve, name, action):
    """Sends the lines of a file; returns when they are stored, and rsyslog has ended."""
    need("rsyslogd")
    (folder / "in.log").write_text("".join(f"{LINE % i}\n" for i in range(N)), encoding="ascii")
    tls = (f'global(DefaultNetstreamDriverCAFile="{folder}/ca.pem" '
           f'DefaultNetstreamDriverCertFile="{folder}/client.pem" '
           f'DefaultNetstreamDriverKeyFile="{folder}/client.key")') if "tls" in name else ""
    config = folder / "rsyslog.conf"
    config.write_text(f"""
global(workDirectory="{folder}" maxMessageSize="64k")
{tls}
module(load="imfile" PollingInterval="1")
module(load="omrelp")
input(type="imfile" File="{folder}/in.log" Tag="app:" Facility="local0" Severity="info")
{action.replace("PORT", str(serve.ports[name]))}
""", encoding="ascii")
    with running("rsyslogd", "-n", "-f", config, "-i", folder / "pid"):
        serve.has_each_once(N)
    serve.has_each_once(N)


def rsyslog_test(folder, name, action, identity=""):
    make_certificates(folder)
    with Serve(VAKA, folder, tls=folder).start() as serve:
        rsyslog(folder, serve, name, action)
        same({(a["source"]["input"], a["source"]["identity"]) for a in serve.found()},
             {(name.replace("_", "-"), identity)})


@test
def rsyslog_over_tcp(folder):
    rsyslog_test(folder, "syslog_tcp",
                 'action(type="omfwd" target="127.0.0.1" port="PORT" protocol="tcp")', None)


@test
def rsyslog_over_tls_with_a_certificate(folder):
    rsyslog_test(folder, "syslog_tls",
                 'action(type="omfwd" target="127.0.0.1" port="PORT" protocol="tcp" '
                 'TCP_Framing="octet-counted" StreamDriver="gtls" StreamDriverMode="1" '
                 'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost")',
                 "fw1.example.org")


@test
def rsyslog_over_relp(folder):
    rsyslog_test(folder, "relp", 'action(type="omrelp" target="127.0.0.1" port="PORT")', None)


@test
def rsyslog_over_relp_and_tls(folder):
    rsyslog_test(folder, "relp_tls",
                 f'action(type="omrelp" target="127.0.0.1" port="PORT" tls="on" '
                 f'tls.caCert="{folder}/ca.pem" tls.myCert="{folder}/client.pem" '
                 f'tls.myPrivKey="{folder}/client.key" tls.authMode="name" '
                 'tls.permittedPeer=["localhost"])', "fw1.example.org")


@test
def rsyslog_to_elasticsearch(folder):
    need("/usr/lib/x86_64-linux-gnu/rsyslog/omelasticsearch.so")
    with Serve(VAKA, folder).start() as serve:
        rsyslog(folder, serve, "http", f"""
module(load="omelasticsearch")
template(name="t" type="list" option.jsonf="on") {{
    property(outname="host" name="hostname" format="jsonf")
    property(outname="message" name="msg" format="jsonf") }}
action(type="omelasticsearch" server="http://127.0.0.1" serverport="PORT" template="t"
       searchIndex="logs" searchType="" bulkmode="on" uid="x" pwd="{TOKEN}"
       errorFile="{folder}/errors")""")
        same((folder / "errors").exists(), False)
        same({(a["source"]["input"], a["source"]["identity"]) for a in serve.found()},
             {("http", "tester")})


def syslog_ng_test(folder, name, destination, tls=None):
    found = syslog_ng()
    if not found:
        raise Skip("syslog-ng is not installed, and there is no SYSLOG_NG_ROOT")
    program, options, environment, _ = found
    with Serve(VAKA, folder, tls=tls).start() as serve:
        (folder / "in.log").write_text("".join(f"{LINE % i}\n" for i in range(N)), encoding="ascii")
        (folder / "conf").write_text(f"""@version: 3.38
source s {{ file("{folder}/in.log" follow-freq(1) flags(no-parse)); }};
destination d {{ {destination.replace("PORT", str(serve.ports[name]))} }};
log {{ source(s); destination(d); }};
""", encoding="ascii")
        with running(program, "-F", "--no-caps", "-f", folder / "conf", "-R", folder / "persist", "-p",
                     folder / "pid", "-c", folder / "ctl", *options, env=environment):
            serve.has_each_once(N)
        serve.has_each_once(N)
        same(inputs(serve), {name.replace("_", "-")})


@test
def syslog_ng_over_tcp(folder):
    syslog_ng_test(folder, "syslog_tcp", 'network("127.0.0.1" port(PORT) transport("tcp"));')


@test
def syslog_ng_over_tls(folder):
    make_certificates(folder)
    syslog_ng_test(folder, "syslog_tls",
                   f'syslog("127.0.0.1" port(PORT) transport("tls") tls(ca-file("{folder}/ca.pem") '
                   f'cert-file("{folder}/client.pem") key-file("{folder}/client.key") '
                   'peer-verify(required-untrusted)));', tls=folder)


@test
def syslog_ng_over_http(folder):
    syslog_ng_test(folder, "http",
                   'http(url("http://127.0.0.1:PORT/api/ingest") method("POST") '
                   f'headers("Authorization: Bearer {TOKEN}") '
                   'body("$(format-json message=$MSG)") batch-lines(10));')


@test
def logger_and_socat(folder):
    need("logger", "socat")
    with Serve(VAKA, folder).start() as serve:
        ports = serve.ports
        run("logger", "-n", "127.0.0.1", "-P", ports["syslog_udp"], "-d", "--rfc5424", LINE % 0)
        run("logger", "-n", "127.0.0.1", "-P", ports["syslog_tcp"], "-T", "--rfc3164", LINE % 1)
        run("logger", "-n", "127.0.0.1", "-P", ports["syslog_tcp"], "-T", "--octet-count", LINE % 2)
        run("socat", "-", f"TCP:127.0.0.1:{ports['syslog_tcp']}", input=f"<34>{LINE % 3}\n".encode())
        run("socat", "-", f"UDP:127.0.0.1:{ports['syslog_udp']}", input=f"<34>{LINE % 4}".encode())
        serve.has_each_once(5)
        same(inputs(serve), {"syslog-udp", "syslog-tcp"})


# ---- the journal, HTTP ------------------------------------------------------------------------

@test
def journal_upload_with_a_certificate(folder):
    need(JOURNAL_REMOTE, JOURNAL_UPLOAD)
    make_certificates(folder)
    make_journal(folder / "made.journal", 0, N, LINE)
    with Serve(VAKA, folder, tls=folder).start() as serve:
        upload = [JOURNAL_UPLOAD, f"--url=https://localhost:{serve.ports['http']}",
                  f"--trust={folder}/ca.pem", f"--file={folder}/made.journal", "--follow=no",
                  f"--save-state={folder}/state"]
        refused = subprocess.run([*upload, "--key=-", "--cert=-"], check=False, capture_output=True,
                                 timeout=60)
        same(refused.returncode != 0, True)
        run(*upload, f"--key={folder}/client.key", f"--cert={folder}/client.pem")
        serve.has_each_once(N)
        same({(a["source"]["input"], a["source"]["identity"]) for a in serve.found()},
             {("http", "fw1.example.org")})
        # It believes that the last one is stored.
        holds((folder / "state").read_text(encoding="ascii"), f";i={N:x};")


@test
def curl_to_every_path(folder):
    need("curl")
    with Serve(VAKA, folder).start() as serve:
        def post(path, body, *more, who=f"Bearer {TOKEN}"):
            return json.loads(run("curl", "-sS", "--fail", "--max-time", "60", "-H",
                                  f"Authorization: {who}", "--data-binary", "@-", *more,
                                  f"http://127.0.0.1:{serve.ports['http']}{path}", input=body))
        text = [json.dumps({"message": LINE % i}).encode() + b"\n" for i in range(5)]
        same(post("/api/ingest", text[0])["taken"], 1)
        same(post("/logs/_bulk", b'{"create":{}}\n' + text[1])["errors"], False)
        same(post("/services/collector", b'{"event":%s}' % text[2], who=f"Splunk {TOKEN}")["code"], 0)
        same(post("/services/collector/raw?sourcetype=app", text[3], who=f"Splunk {TOKEN}")["code"], 0)
        otlp = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": LINE % 4}}]}]}]}
        same(post("/v1/logs", json.dumps(otlp).encode(), "-H", "Content-Type: application/json"),
             {"partialSuccess": {}})
        serve.has_each_once(5)


def node(folder, script, *more):
    """What the client believes, and serve has."""
    need("node")
    modules = pathlib.Path(os.environ.get("NODE_CLIENTS", "-")) / "node_modules"
    if not modules.is_dir():
        raise Skip("the packages of tests/integration/node were not fetched (NODE_CLIENTS)")
    with Serve(VAKA, folder).start() as serve:
        said = run("node", HERE / "node" / script, f"http://127.0.0.1:{serve.ports['http']}", TOKEN, N,
                   *more, env={**os.environ, "NODE_PATH": str(modules)})
        same(json.loads(said), {"stored": N, "failed": 0})
        serve.has_each_once(N)


@test
def elasticsearch_bulk_helper(folder):
    node(folder, "elastic.js")


@test
def splunk_logger(folder):
    node(folder, "splunk.js")


@test
def opentelemetry_protobuf(folder):
    node(folder, "otlp.js", "proto")


@test
def opentelemetry_json(folder):
    node(folder, "otlp.js", "http")


# ---- flows ------------------------------------------------------------------------------------

PORT = 4242


def make_capture(path, n):
    """n flows of a packet each, from n ports to PORT: a pcap file with Ethernet, IPv4, UDP."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(n):
            udp = struct.pack(">HHHH", 20000 + i, PORT, 12, 0) + b"data"
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), i, 0, 64, 17, 0,
                             bytes([10, 0, 0, 1]), bytes([192, 0, 2, 53]))
            packet = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + udp
            out.write(struct.pack("<IIII", 1798000000 + i // 100, i, len(packet), len(packet)) + packet)


def flows(folder):
    serve = Serve(VAKA, folder)
    rule = RULE.format(marker="x").replace("category: application", "product: netflow")
    rule = rule.replace("keywords: ['x']", f"keywords: {{destination.port: {PORT}}}")
    (folder / "rules" / "marker.yml").write_text(rule, encoding="utf-8")
    return serve


def check_flows(serve, n):
    serve.wait(lambda: serve.counted() >= n, f"{n} flows with alerts")
    same(serve.counted(), n)
    same(inputs(serve), {"flow-udp"})
    event = serve.found()[0]["event"]
    same((event["source.ip"], event["destination.ip"], str(event["destination.port"])),
         ("10.0.0.1", "192.0.2.53", str(PORT)))
    state = serve.shows(lambda s: s["unwrap"]["records"] >= n, "the flows")
    same(state["unwrap"]["flow_damaged"], 0)


def softflowd_test(folder, version):
    need("softflowd")
    make_capture(folder / "made.pcap", 100)
    with flows(folder).start() as serve:
        run("softflowd", "-r", folder / "made.pcap", "-n", f"127.0.0.1:{serve.ports['flow_udp']}", "-v",
            version, "-d", "-p", folder / "pid", "-c", "none")
        check_flows(serve, 100)


@test
def softflowd_netflow_5(folder):
    softflowd_test(folder, 5)


@test
def softflowd_netflow_9(folder):
    softflowd_test(folder, 9)


@test
def softflowd_ipfix(folder):
    softflowd_test(folder, 10)


@test
def nfdump_netflow_5_and_9(folder):
    need("nfpcapd", "nfreplay")
    make_capture(folder / "made.pcap", 100)
    (folder / "flows").mkdir()
    run("nfpcapd", "-r", folder / "made.pcap", "-l", folder / "flows")
    files = sorted((folder / "flows").glob("nfcapd.*"))
    with flows(folder).start() as serve:
        for count, version in enumerate((5, 9), 1):
            for path in files:
                run("nfreplay", "-r", path, "-H", "127.0.0.1", "-p", serve.ports["flow_udp"], "-v", version)
            check_flows(serve, 100 * count)


sys.exit(run_tests(sys.argv[2:]))
