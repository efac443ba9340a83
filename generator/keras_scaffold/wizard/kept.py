"""Answers of an interrupted `scaffold new`, kept for `scaffold new DEST --resume`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

from keras_scaffold.spec import SpecError


def _file() -> Path:
    import platformdirs  # only where a wizard ends

    return platformdirs.user_state_path("keras-scaffold") / "answers.json"


def keep(destination: Path, answers: Sequence[tuple[str, str]]) -> bool:
    """Keep the answers; whether that could be done. Only those of the last conversation are kept."""
    kept = {"destination": str(destination.resolve()), "answers": list(answers)}
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        _file().write_text(json.dumps(kept), encoding="utf-8")
    except OSError:
        return False
    return True


def load(destination: Path) -> list[tuple[str, str]]:
    """The questions and answers that were kept for a destination; SpecError where there are none."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(_file().read_text(encoding="utf-8"))
        if kept["destination"] == str(destination.resolve()):
            return [(str(message), str(answer)) for message, answer in kept["answers"]]
    raise SpecError(f"{destination}: no answers are kept; run scaffold new {destination}")


def forget() -> None:
    """Delete what is kept: the project is there."""
    with contextlib.suppress(OSError):
        _file().unlink()
