"""A program in a pseudo-terminal, and the screen that a person would see.

`APPROVE=1 pytest` writes the screens of `tests/screens` again; review the diff, then commit.
"""

import difflib
import os
import re
import time
from pathlib import Path

import pexpect
import pyte

SCREENS = Path(__file__).parents[1] / "screens"
ENTER, UP, DOWN, CTRL_C, CTRL_D, CLEAR = "\r", "\x1b[A", "\x1b[B", "\x03", "\x04", "\x15"
BACKSPACE = "\x7f"
PATIENCE = 60  # seconds; a screen that comes is never waited for longer than it takes


def approve(name: str, text: str) -> None:
    """The text must be what the file of this name holds."""
    path = SCREENS / f"{name}.txt"
    if os.environ.get("APPROVE"):
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8")


class Terminal:
    """A program that runs in a terminal of its own; every wait ends as soon as it can."""

    def __init__(self, command, cwd, columns=100, rows=40, **env):
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)
        quiet = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
        self._child = pexpect.spawn(
            command[0],
            [str(part) for part in command[1:]],
            cwd=str(cwd),
            dimensions=(rows, columns),
            encoding="utf-8",
            codec_errors="replace",
            env={**quiet, "TERM": "xterm-256color", "PYTHONUTF8": "1", **env},
        )
        # Where the program asks for the cursor's position, the terminal answers.
        self.screen.write_process_input = self._child.send

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display).strip("\n")

    def press(self, *keys: str) -> None:
        for key in keys:
            self._child.send(key)

    def read(self, timeout: float = 0.05) -> bool:
        """Take in what the program has written; whether it wrote something."""
        try:
            self._stream.feed(self._child.read_nonblocking(65536, timeout=timeout))
        except pexpect.TIMEOUT:
            return False
        except pexpect.EOF:
            return False
        return True

    def wait(self, holds, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            alive = self._child.isalive()
            if not self.read() and not alive and not holds():
                raise AssertionError(f"the program ended before {what}; the screen:\n{self.text()}")
            if time.monotonic() > end:
                raise AssertionError(f"waited {PATIENCE} s for {what}; the screen:\n{self.text()}")

    def shows(self, text: str) -> None:
        self.wait(lambda: text in self.text(), repr(text))

    def asks(self, message: str) -> None:
        """Wait until this question is the one that is open."""
        open_question = re.compile(rf"\? {re.escape(message)}( +\(.*)?")

        def is_open():
            asked = [line for line in self.text().split("\n") if line.startswith("? ")]
            return bool(asked) and open_question.fullmatch(asked[-1]) is not None

        self.wait(is_open, f"the question {message!r}")

    def answer(self, message: str, *keys: str) -> None:
        """Press keys at this question."""
        self.asks(message)
        self.press(*keys)

    def settle(self, quiet: float = 0.7) -> None:
        """Wait until nothing more is written; for pictures, not for tests to rely on."""
        while self.read(timeout=quiet):
            pass

    def approve(self, name: str) -> None:
        """The screen must become what the file of this name holds."""
        if os.environ.get("APPROVE"):
            self.settle()
            return approve(name, self.text())
        approved = (SCREENS / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")
        try:
            self.wait(lambda: self.text() == approved, name)
        except AssertionError:
            lines = difflib.unified_diff(
                approved.split("\n"), self.text().split("\n"), f"{name}.txt", "screen", lineterm=""
            )
            raise AssertionError("\n".join(lines)) from None

    def ends(self) -> int:
        """Wait for the program's end; its exit status."""
        self.wait(lambda: not self._child.isalive(), "the program's end")
        while self.read():
            pass
        self._child.close()
        return self._child.exitstatus

    def close(self) -> None:
        self._child.close(force=True)
