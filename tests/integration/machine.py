# SPDX-License-Identifier: EUPL-1.2
"""What a figure is of: the commit, the seed and the machine, so that it can be kept and repeated."""
import os
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def commit():
    """Of the source, with "-dirty" when it was changed; None outside of a repository."""
    told = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return told.stdout.decode().strip() or None


def field(path, name):
    """The value behind "name: " in a file of /proc; None without one."""
    for line in pathlib.Path(path).read_text(encoding="ascii", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def run_facts(seed):
    memory = field("/proc/meminfo", "MemTotal")
    return {"commit": commit(), "seed": seed,
            "machine": {"cpu": field("/proc/cpuinfo", "model name") or platform.machine(),
                        "cores": len(os.sched_getaffinity(0)),
                        "memory_mib": int(memory.split()[0]) // 1024 if memory else None,
                        "kernel": platform.release()}}
