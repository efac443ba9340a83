"""A generated project: its folder and its answers file."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from keras_scaffold.render.history import ANSWERS_FILE, Recorded
from keras_scaffold.spec import KEYS, Given, Spec, SpecError, parse_spec, validate

FIX = "git restore it, or restore it with scaffold adopt"


# Folders in which nothing is a person's source.
OTHERS = {".git", ".venv", "venv", "env", "node_modules", "__pycache__", "site-packages"}


class ProjectError(SpecError):
    """Something about a project that keeps a change from being made; the text is one line."""


@dataclass(frozen=True)
class Project:
    """A project as its answers file describes it."""

    root: Path
    spec: Spec
    recorded: Recorded  # the template that it was made from

    @property
    def given(self) -> Given:
        """The spec as it was written."""
        return self.spec.given


def find_root(start: Path) -> Path:
    """The project that a folder is in; ProjectError where it is in none."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / ANSWERS_FILE).is_file():
            return folder
        if (folder / ".git").exists():
            break  # what lies outside the repository is another project
    raise ProjectError(
        f"{start}: is in no project: there is no {ANSWERS_FILE};"
        " go into one, or restore the file with scaffold adopt"
    )


def read_answers(root: Path) -> tuple[Given, Recorded]:
    """The spec that the answers file keeps, and the template that it names."""
    path = root / ANSWERS_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ProjectError(f"{path}: cannot be read: {reason}; {FIX}") from None
    return parse_answers(text, path)


def parse_answers(text: str, path: Path) -> tuple[Given, Recorded]:
    """The content of an answers file; the path is for the error."""
    try:
        answers = parse_spec(text)
    except SpecError as error:
        if "<<<<<<<" in text:
            raise ProjectError(f"{path}: has conflict markers in it; {FIX}") from None
        raise ProjectError(f"{path}: {error}; {FIX}") from None
    given = {key: answers[key] for key in KEYS if key in answers}
    if "inputs" not in given or "outputs" not in given:
        raise ProjectError(
            f"{path}: has no inputs and outputs, so scaffold did not create it; {FIX}"
        )
    source, commit = answers.get("_src_path"), answers.get("_commit", "")
    if not isinstance(source, str) or not source:
        raise ProjectError(f"{path}: does not name its template (_src_path); {FIX}")
    # YAML takes a commit of digits alone for a number.
    return given, Recorded(source, commit if isinstance(commit, str) else _as_written(text))


def write_answers(root: Path, text: str) -> None:
    """Write the answers file, all of it or nothing."""
    path = root / ANSWERS_FILE
    handle, name = tempfile.mkstemp(prefix=".keras-scaffold-", dir=root)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).chmod(path.stat().st_mode & 0o777 if path.is_file() else 0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _as_written(text: str) -> str:
    line = re.search(r"^_commit: *(\S+)", text, flags=re.M)
    return line[1].strip("'\"") if line else ""


def open_project(root: Path) -> Project:
    """Read a project's answers file; ProjectError where it cannot serve."""
    given, recorded = read_answers(root)
    try:
        spec = validate(given)
    except SpecError as error:
        raise ProjectError(f"{root / ANSWERS_FILE}: {error}") from None
    return Project(root, spec, recorded)
