"""Run commands in children of this process, which a signal hits at the n-th thing that they do.

    python killing.py < one JSON object a line    -> one JSON object a line

What counts is what changes something in a folder, and each start of git. The children are forked,
so that what takes long to import is there already.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from helpers import NUMBERS_AND_PICTURE
from keras_scaffold import cli, interrupts
from keras_scaffold.render import project as rendering
from keras_scaffold.render.history import Recorded
from keras_scaffold.render.project import render_to_memory
from keras_scaffold.spec import validate
from walks import quick_rendering

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.link", "shutil.copyfile"}


def counts(event: str, given: tuple[Any, ...], places: list[str]) -> bool:
    """Whether an event of Python's changes something in one of the places, or starts git there."""
    if event == "subprocess.Popen":
        given = (str(given[2]),)
    elif event == "open":
        if isinstance(given[0], int) or not given[2] & WRITES:
            return False
    elif event not in CHANGES:
        return False
    words = [os.fsdecode(it) for it in given if isinstance(it, str | bytes | os.PathLike)]
    return any(word.startswith(place) for word in words for place in places)


def child(task: dict[str, Any], answer: int) -> int:
    """Run the command; tell how many things it did, should it come to an end."""
    seen: list[str] = []

    def watch(event: str, given: tuple[Any, ...]) -> None:
        if counts(event, given, task["places"]):
            seen.append(f"{event} {str(given)[:1000]}")
            if len(seen) == task["at"]:
                os.kill(os.getpid(), task["signal"])

    os.chdir(task["folder"])
    os.environ.update(task.get("env", {}))
    interrupts.install()
    interrupts.written.clear()
    sys.stdin = io.StringIO()
    out, err = io.StringIO(), io.StringIO()
    sys.addaudithook(watch)
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.run(task["words"])
    told = {"code": code, "out": out.getvalue(), "err": err.getvalue(), "steps": seen}
    os.write(answer, json.dumps(told).encode())
    return code


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Run a command in a child process; its result."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        code = 70
        try:
            os.close(reading)
            code = child(task, writing)
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        told = pipe.read()
    _, status = os.waitpid(process, 0)
    return {"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else dict(json.loads(told))


@contextmanager
def remembered_renderings() -> Iterator[None]:
    """Render each version of a project once, for all children."""
    before = rendering.render_version
    with tempfile.TemporaryDirectory() as name:

        def remember(given: Any, folder: Path, root: Path, recorded: Recorded) -> None:
            words = repr((given, recorded)).encode()
            kept = Path(name, hashlib.sha256(words).hexdigest())
            if not kept.exists():
                making = Path(tempfile.mkdtemp(dir=name), "made")
                before(given, making, root, recorded)
                making.rename(kept)
            shutil.copytree(kept, folder, dirs_exist_ok=True)  # new has begun a repository in it

        def run_once(source: str, given: Any, project: Path) -> None:
            kept = Path(name, hashlib.sha256(repr((source, given)).encode()).hexdigest())
            if not kept.exists():
                making = Path(tempfile.mkdtemp(dir=name), "made")
                copier(source, given, making)
                making.rename(kept)
            shutil.copytree(kept, project, dirs_exist_ok=True)

        copier = rendering._run_copier
        rendering.render_version, rendering._run_copier = remember, run_once
        yield
        rendering.render_version, rendering._run_copier = before, copier


def main() -> None:
    """Answer each line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with quick_rendering(), remembered_renderings():
        render_to_memory(validate(NUMBERS_AND_PICTURE))
        with tempfile.TemporaryDirectory() as folder:
            cli.run(["new", str(Path(folder, "warm")), "--yes", "--no-git", "-i", "a:text"])
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
