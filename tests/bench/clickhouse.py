# SPDX-License-Identifier: EUPL-1.2
"""ClickHouse as Debian has it, installed or unpacked by script/bench: a server in a folder and on a port of
its own, with one thread for a query. Its table has, of each record, some fields as Vaka reads them and the
whole text."""
import os
import pathlib
import shutil
import subprocess

from stored import VAKA, WORK, show_progress
from city import stat_of
from machine import field
from serving import free_port

UNPACKED = WORK / "clickhouse"
CONFIG = """<yandex>
<logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
<tcp_port>{port}</tcp_port> <listen_host>127.0.0.1</listen_host>
<path>{folder}/</path> <tmp_path>{folder}/tmp/</tmp_path>
<mark_cache_size>1073741824</mark_cache_size>
<users_config>users.xml</users_config>
<default_profile>default</default_profile> <default_database>default</default_database>
</yandex>
"""
USERS = """<yandex>
<profiles><default><max_threads>1</max_threads></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></default></users>
<quotas><default></default></quotas>
</yandex>
"""
# Vaka's fields and the columns they become.
COLUMNS = (("_received", "time", "DateTime"), ("host.name", "host", "String"), ("source.ip", "source_ip", "String"),
           ("user.name", "user", "String"), ("event.action", "action", "String"), ("_raw", "message", "String"))


def program(name):
    """Where it is, or None."""
    return shutil.which(name) or next((str(p) for p in UNPACKED.glob(f"usr/*bin/{name}")), None)


def is_here():
    return all(map(program, ("clickhouse-server", "clickhouse-client")))


class ClickHouse:
    """Started by `with`, which ends it as well."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.process = None
        self.environment = {**os.environ, "TZ": "UTC", "LD_LIBRARY_PATH":
                            ":".join(map(str, UNPACKED.glob("usr/lib/*-linux-gnu")))}

    def __enter__(self):
        self.folder.mkdir()
        (self.folder / "config.xml").write_text(CONFIG.format(folder=self.folder, port=self.port), encoding="ascii")
        (self.folder / "users.xml").write_text(USERS, encoding="ascii")
        with open(self.folder / "out", "wb") as out:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                [program("clickhouse-server"), f"--config-file={self.folder}/config.xml"], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, env=self.environment, cwd=self.folder)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def client(self, sql, **more):
        """(what it printed, what it said): the seconds that the server took, without the client's own start."""
        done = subprocess.run([program("clickhouse-client"), "--port", str(self.port), "--time", *more.pop("words", ()),
                               "-q", sql], env=self.environment, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, **more)
        if done.returncode != 0:
            raise AssertionError(f"{sql}: {done.stderr.decode()}")
        return done.stdout.decode(), done.stderr.decode()

    def ask(self, sql):
        """Rows of texts."""
        return [line.split("\t") for line in self.client(sql)[0].splitlines()]

    def timed(self, sql):
        """(seconds, those of the server's processor, its peak RSS meanwhile in MB, rows)."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")  # see proc(5)
        before = stat_of(self.process.pid)[1]
        out, said = self.client(sql)
        used = stat_of(self.process.pid)[1] - before
        return float(said), used, self.peak_rss_mb(), [line.split("\t") for line in out.splitlines()]

    def peak_rss_mb(self):
        return int(field(f"/proc/{self.process.pid}/status", "VmHWM").split()[0]) / 1024

    def fill(self, serve):
        """All that is stored there, merged as far as the server does by itself; figures of the table."""
        serve.wait(self.listens, "that ClickHouse listens")
        self.ask("CREATE TABLE records (" + ", ".join(f"{name} {kind}" for _, name, kind in COLUMNS) +
                 ") ENGINE = MergeTree() PARTITION BY tuple() ORDER BY time")
        show_progress("ClickHouse takes the records")
        query = "| table " + ", ".join(name for name, _, _ in COLUMNS)
        with subprocess.Popen([VAKA, "search", query, "-f", "csv", "-c", serve.config], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as search:
            _, said = self.client("INSERT INTO records FORMAT CSVWithNames", stdin=search.stdout,
                                  words=["--date_time_input_format=best_effort"])
        if search.returncode != 0:
            raise AssertionError(f"vaka search ended with {search.returncode}")
        load_rss = self.peak_rss_mb()
        serve.wait(lambda: self.ask("SELECT count() FROM system.merges") == [["0"]], "the end of merges", 3600)
        show_progress("")
        rows, parts, size = map(int, self.ask("SELECT sum(rows), count(), sum(bytes_on_disk) FROM system.parts "
                                              "WHERE active AND table = 'records'")[0])
        columns = self.ask("SELECT name, data_compressed_bytes FROM system.columns WHERE table = 'records'")
        return rows, {"version": self.ask("SELECT version()")[0][0], "table_mb": size / 1e6, "parts": parts,
                      "columns_mb": {name: int(packed) / 1e6 for name, packed in columns},
                      "fill_s": float(said), "fill_peak_rss_mb": load_rss}

    def listens(self):
        if self.process.poll() is not None:
            raise OSError("clickhouse-server ended: " + (self.folder / "out").read_text(encoding="utf-8"))
        return self.ask("SELECT 1") == [["1"]]
