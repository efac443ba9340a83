"""Locks that end with the process that holds them, and clearing away what killed processes left."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

LOCK = "lock"  # in a temporary folder, as long as somebody is at work in it
HOUR = 3600


@contextlib.contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold a lock, in a file that is made for it; whether nobody else does."""
    with path.open("a+") as file:
        yield _lock(file.fileno())


def clear(parent: Path, pattern: str) -> None:
    """Take away temporary folders whose process is no more."""
    for folder in parent.glob(pattern):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or not folder.is_dir():
                continue
            if not (folder / LOCK).is_file():  # somebody made it just now, or was killed then
                dead = not any(folder.iterdir()) and time.time() - folder.stat().st_mtime > HOUR
            else:
                with held(folder / LOCK) as dead:
                    pass
            if dead:
                shutil.rmtree(folder, ignore_errors=True)


def _lock(handle: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
