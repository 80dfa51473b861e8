"""File systems of a fault's own, to be filled or to fail. A run that ends unmounts them, also by a signal that
it can see; those of one that was killed (SIGKILL) stay until sweep(), at the start of the next run."""

import contextlib
import errno
import os
import re
import subprocess
import sys
import tempfile
import time

PREFIX = "nearzero-accuracy."
PAGE = 4096


def _command(*arguments):
    # A session of its own: Ctrl-C in a terminal is meant for us, who then undo what a mount has made.
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, start_new_session=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def _unmount(folder):
    for _ in range(50):  # busy until the last file of a process that was killed is closed
        try:
            return _command("umount", folder)
        except RuntimeError:
            time.sleep(0.1)
    return _command("umount", "--lazy", folder)


def mounted(mountinfo):
    """The folders of ours in such a table, the one that was mounted last first: it may lie on the ones before."""
    points = [re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), row.split()[4]) for row in mountinfo]
    return [point for point in reversed(points) if os.path.basename(point).startswith(PREFIX)]


def sweep():
    """Unmounts what runs that were killed have left. No other run may be under way."""
    with open("/proc/self/mountinfo") as f:
        left = mounted(f)
    for folder in left:
        print(f"left by a run that was killed: {folder}", file=sys.stderr)
        _unmount(folder)
        os.rmdir(folder)


class FileSystems(contextlib.ExitStack):
    """What was made last goes first, at close(); one that does not go keeps no other one."""

    def _mount(self, parent, *arguments):
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
        self.callback(os.rmdir, folder)
        _command("mount", *arguments, folder)
        self.callback(_unmount, folder)
        return folder

    def tmpfs(self, size, parent=None):
        """The folder of a file system in memory, of `size` bytes at most."""
        return self._mount(parent, "-t", "tmpfs", "-o", f"size={size}", "nearzero-accuracy")

    def ext4_in(self, image, size):
        """The folder of an ext4 in this file, by a loop device, which goes with the mount. It has no journal, so
        a write that fails does not make it read-only."""
        with open(image, "wb") as f:
            f.truncate(size)
        _command("mkfs.ext4", "-q", "-F", "-m", "0", "-N", "128", "-O", "^has_journal", "-E", "lazy_itable_init=0", image)
        return self._mount(None, "-t", "ext4", "-o", "loop,errors=continue", image)


def fill(path, share=1):
    """A file that takes what is missing to this share of its file system."""
    with open(path, "wb") as f:
        stat = os.statvfs(path)
        size = stat.f_bavail - int((1 - share) * stat.f_blocks)
        at, size = 0, size * stat.f_frsize // PAGE * PAGE
        while size >= PAGE:
            try:
                os.posix_fallocate(f.fileno(), at, size)
            except OSError as e:
                if e.errno != errno.ENOSPC:
                    raise
                size = size // 2 // PAGE * PAGE  # others took some meanwhile
                continue
            if share < 1:
                return
            at += size
