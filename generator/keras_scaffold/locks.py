"""Locks that end with the process that holds them, and clearing away what killed processes left."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

LOCK = "lock"  # in a temporary folder, as long as a process works in it
HOUR = 3600


@contextlib.contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold a lock, in a file that is made for it; whether no other process holds it."""
    lock = FileLock(path, blocking=False)
    with contextlib.suppress(Timeout):
        lock.acquire()
    try:
        yield lock.is_locked
    finally:
        lock.release()


def clear(parent: Path, pattern: str) -> None:
    """Delete temporary folders whose process has ended."""
    for folder in parent.glob(pattern):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or not folder.is_dir():
                continue
            if not (folder / LOCK).is_file():  # a process made it just now, or was killed then
                dead = not any(folder.iterdir()) and time.time() - folder.stat().st_mtime > HOUR
            else:
                with held(folder / LOCK) as dead:
                    pass
            if dead:
                # The lock last: a git of the dead process may still write, and the next one tries again.
                for path in sorted(folder.iterdir(), key=lambda path: path.name == LOCK):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                folder.rmdir()
