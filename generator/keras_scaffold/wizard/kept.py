"""Answers of an interrupted `scaffold new`, kept for `scaffold new DEST --resume`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from keras_scaffold.spec import SpecError
from keras_scaffold.state import forget_state, load_state, save_state

NAME = "answers"


def keep(destination: Path, answers: Sequence[tuple[str, str]]) -> bool:
    """Keep the answers; whether that could be done. Only those of the last conversation are kept."""
    return save_state(NAME, {"destination": str(destination.resolve()), "answers": list(answers)})


def load(destination: Path) -> list[tuple[str, str]]:
    """The questions and answers that were kept for a destination; SpecError where there are none."""
    kept = load_state(NAME)
    with contextlib.suppress(ValueError, KeyError, TypeError):
        if kept["destination"] == str(destination.resolve()):
            return [(str(message), str(answer)) for message, answer in kept["answers"]]
    raise SpecError(f"{destination}: no answers are kept; run scaffold new {destination}")


def forget() -> None:
    """Delete what is kept: the project is there."""
    forget_state(NAME)
