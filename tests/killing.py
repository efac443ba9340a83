"""Run commands in children of this process, which a signal hits at the n-th thing that they do.

    python killing.py < one JSON object a line    -> one JSON object a line

What counts is what changes something in a folder, and each start of git. The children are forked,
so that what takes long to import is there already.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from helpers import NUMBERS_AND_PICTURE
from keras_scaffold import cli, interrupts
from keras_scaffold.render import render_to_memory
from keras_scaffold.spec import validate
from walks import quick_rendering

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.chmod",
    "shutil.copyfile",
}


def counts(event: str, given: tuple[Any, ...], places: list[str]) -> bool:
    """Whether an event of Python's is one of those that count."""
    if event == "subprocess.Popen":
        return True
    if event == "open":
        if not isinstance(given[2], int) or not given[2] & WRITES:
            return False
    elif event not in CHANGES:
        return False
    words = [os.path.abspath(os.fsdecode(it)) for it in given if isinstance(it, str | bytes)]
    return any(word.startswith(place) for word in words for place in places)


def child(task: dict[str, Any], answer: int) -> int:
    """Run the command; tell how many things it did, should it come to an end."""
    seen = 0
    what = ""

    def watch(event: str, given: tuple[Any, ...]) -> None:
        nonlocal seen, what
        if counts(event, given, task["places"]):
            seen += 1
            if seen == task["at"]:
                os.write(answer, f"{event} {str(given)[:300]}\n".encode())
                os.kill(os.getpid(), task["signal"])

    os.chdir(task["folder"])
    os.environ.update(task.get("env", {}))
    interrupts.install()
    sys.stdin = io.StringIO()
    out, err = io.StringIO(), io.StringIO()
    sys.addaudithook(watch)
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.run(task["words"])
    os.write(
        answer, json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue()}).encode()
    )
    return code


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Run a command in a child; what became of it."""
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
    with open(reading, encoding="utf-8") as pipe:
        told = pipe.read()
    _, status = os.waitpid(process, 0)
    first, _, rest = told.rpartition("\n")
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status), "hit": told.strip()}
    return {"hit": first.strip(), **json.loads(rest)}


def main() -> None:
    """Answer each line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with quick_rendering():
        render_to_memory(validate(NUMBERS_AND_PICTURE))
        with tempfile.TemporaryDirectory() as folder:
            cli.run(["new", str(Path(folder, "warm")), "--yes", "--no-git", "-i", "a:text"])
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
