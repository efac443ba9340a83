"""What the tool remembers between two commands, as JSON in the user's folder of state."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any


def _file(name: str) -> Path:
    import platformdirs  # only where something is remembered

    return platformdirs.user_state_path("keras-scaffold") / f"{name}.json"


def load_state(name: str) -> dict[str, Any]:
    """What was saved under a name; nothing where that cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        state = json.loads(_file(name).read_text(encoding="utf-8"))
        return state if isinstance(state, dict) else {}
    return {}


def save_state(name: str, state: dict[str, Any]) -> bool:
    """Save under a name, in the place of what was there; whether that could be done."""
    try:
        _file(name).parent.mkdir(parents=True, exist_ok=True)
        _file(name).write_text(json.dumps(state), encoding="utf-8")
    except OSError:
        return False
    return True


def forget_state(name: str) -> None:
    """Delete what is saved under a name."""
    with contextlib.suppress(OSError):
        _file(name).unlink()
