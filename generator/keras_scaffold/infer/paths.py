"""Cells that should be paths of files and are not: what to write instead, where the files lie near."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from keras_scaffold.infer.tables import PICTURES, SERIES
from keras_scaffold.spec import one_line

DEEPEST = 3  # folders under the table's
MOST_FILES = 50_000
MOST_FOLDERS = 300
FILES = PICTURES + SERIES
ENOUGH = 0.5  # of the cells have a file


@lru_cache(maxsize=4)
def files_near(folder: Path) -> dict[str, str]:
    """The pictures and series under a folder, by name and by name without suffix, in lower case."""
    found: dict[str, str] = {}
    todo = [folder]
    for place in todo:  # the nearest folders first
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            continue
        depth = len(place.relative_to(folder).parts)
        for entry in entries:
            path = Path(entry.path)
            if path.suffix.lower() in FILES:
                inside = path.relative_to(folder).as_posix()
                found.setdefault(path.name.lower(), inside)
                found.setdefault(path.stem.lower(), inside)
            elif _may_be_folder(entry) and depth < DEEPEST and len(todo) < MOST_FOLDERS:
                todo.append(path)
        if len(found) > MOST_FILES:
            break
    return found


def _may_be_folder(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)


def find_fix(cells: Sequence[str], folder: Path, enough: float = ENOUGH) -> str:
    """What to write for cells so that they are paths of files, in words; empty where none are near."""
    near = files_near(folder)
    if not near:
        return ""
    fixed = [near.get(_tail(cell).lower(), "") for cell in cells]
    if sum(map(bool, fixed)) <= enough * len(cells):
        return ""
    cell, path = next(pair for pair in zip(cells, fixed, strict=True) if pair[1])
    return f"{_difference(cell, path)}; write paths such as {one_line(path)}"


def _tail(cell: str) -> str:
    return re.split(r"[/\\]", cell)[-1]


def _difference(cell: str, path: str) -> str:
    """How a cell differs from the path of its file, in words."""
    slashed = cell.replace("\\", "/")
    words = ["\\ is used where / is meant"] if slashed != cell else []
    suffix = Path(path).suffix
    if not slashed.lower().endswith(suffix.lower()):
        words.append(f"{suffix} is missing")
        slashed += suffix
    slashed = slashed.removeprefix("./")
    if path == slashed:
        return ", ".join(words)
    if path.lower() == slashed.lower():
        words.append("upper and lower case differ")
    elif path.lower().endswith(f"/{slashed.lower()}"):
        words.append(f"the files lie in {path[: -len(slashed)]}")
    else:
        front = slashed[: len(slashed) - len(Path(path).name)]
        words.append(f"no folder {front} is here")
    return ", ".join(words)
