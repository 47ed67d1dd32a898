# SPDX-License-Identifier: EUPL-1.2
"""File systems of a test's own, in a namespace of its own: nothing of them outlives it."""
import ctypes
import fcntl
import os
import struct
import subprocess
import time

EXT4_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32), fs/ext4/ext4.h of Linux
NO_LOG_FLUSH = 2
CLONE_NEWNS = 0x20000
MS_REC_PRIVATE = 0x4000 | 0x40000


# In front of a command, behind which a file of hosts of its own stands; in a mount namespace of its own.
WITH_HOSTS = ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"']


def own_namespace():
    """None, or why there is none: file systems that are mounted from now on are ours alone."""
    if os.geteuid() != 0:
        return "not root"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, MS_REC_PRIVATE, None) != 0:
        return "no mount namespace of its own"
    return None


class Disk:
    def __init__(self, at):
        self.at = at

    def mount(self):
        raise NotImplementedError

    def unmount(self):
        """Processes that were killed may still be about to end."""
        for _ in range(500):
            done = subprocess.run(["umount", self.at], stderr=subprocess.DEVNULL, check=False)
            if done.returncode == 0:
                return
            time.sleep(0.02)
        raise AssertionError(f"{self.at} cannot be unmounted")

    def __enter__(self):
        self.mount()
        return self

    def __exit__(self, *_):
        self.unmount()


class Small(Disk):
    """In memory, and of few bytes."""

    def __init__(self, at, size):
        super().__init__(at)
        self.size = size

    def mount(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size}", "none", self.at], check=True)

    def fill(self):
        """Until nothing fits any more."""
        with open(self.at / "filler", "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        (self.at / "filler").unlink()


class Ext4(Disk):
    """In a file, on a loop device; its power can be cut."""

    def __init__(self, at, image, size):
        super().__init__(at)
        self.image = image
        with open(image, "wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)

    def mount(self):
        subprocess.run(["mount", "-o", "loop,noatime", self.image, self.at], check=True)

    def cut(self):
        """From now on nothing is written, and all writes and syncs fail."""
        folder = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def is_sound(self):
        return subprocess.run(["e2fsck", "-fn", self.image], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0
