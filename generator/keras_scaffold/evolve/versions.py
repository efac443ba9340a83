"""Which projects there are, and which version of the template each is from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from keras_scaffold.evolve.project import OTHERS, ProjectError, read_answers
from keras_scaffold.render import history
from keras_scaffold.render.history import ANSWERS_FILE, Recorded
from keras_scaffold.spec import SpecError, parse_spec


@dataclass(frozen=True)
class State:
    """Which version of the template a project is from, and which it should be from."""

    recorded: Recorded
    goal: Recorded
    behind: bool

    @property
    def line(self) -> str:
        """The state in words."""
        if self.behind:
            return f"the template is {self.recorded.commit}, there is {self.goal.commit}"
        return f"the template is {self.recorded.commit}, the newest here"


def compare(root: Path, to: str | None = None) -> State:
    """Compare a project's template with this tool's, or with a version that is asked for."""
    _, recorded = read_answers(root)
    goal = history.latest(recorded.source)
    if to is None:
        return State(recorded, goal, history.is_behind(recorded))
    known = history.versions(recorded.source)
    found = next((tag for tag in known if tag.removeprefix("v") == to.removeprefix("v")), None)
    if found is None:
        listed = ", ".join(known[-5:]) or "none"
        raise ProjectError(f"--to {to}: no such version of the template; the last ones: {listed}")
    goal = Recorded(goal.source, found)
    return State(recorded, goal, history.is_behind(recorded, goal))


def find_projects(folder: Path) -> list[Path]:
    """The projects under a folder, those of their own environments left out."""
    found = []
    for place, folders, names in os.walk(folder):
        if ANSWERS_FILE in names and _is_ours(Path(place)):
            found.append(Path(place))
            folders[:] = []
        folders[:] = sorted(name for name in folders if name not in OTHERS)
    return sorted(found)


def _is_ours(root: Path) -> bool:
    """Whether a project is scaffold's, not another template's; a damaged one could be."""
    try:
        answers = parse_spec((root / ANSWERS_FILE).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, SpecError):
        return True
    return "inputs" in answers and "outputs" in answers
