"""Ctrl-C and its like: what is being written is whole or not there, whenever they come."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

EXIT_CODE = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)

seen: list[int] = []
written: list[str] = []  # the projects that this process has put in place


def _note(number: int, _: Any) -> None:
    seen.append(number)


def _interrupt(number: int, _: Any) -> NoReturn:
    seen.append(number)
    raise KeyboardInterrupt


def install() -> None:
    """Let each of the signals interrupt this process."""
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    sys.unraisablehook = _unraisable


def _unraisable(event: sys.UnraisableHookArgs) -> None:
    if not isinstance(event.exc_value, KeyboardInterrupt):  # `check` will raise that one
        sys.__unraisablehook__(event)


def ignore() -> None:
    """From here on it is too late."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end_waits() -> None:
    """Let Ctrl-C end a wait for input, too: polars makes the system restart such a wait."""
    if hasattr(signal, "siginterrupt"):  # not on Windows, which has no such waits
        signal.siginterrupt(signal.SIGINT, True)


def check() -> None:
    """Interrupt now, where a signal was held off, or swallowed by an import."""
    if seen:
        raise KeyboardInterrupt


@contextmanager
def held_off() -> Iterator[None]:
    """A few milliseconds in which signals wait for the next `check`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, _note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def message() -> str:
    """The message for an interrupt."""
    where = f"; the project is in {written[-1]}" if written else ", nothing was written"
    return f"interrupted{where}"
