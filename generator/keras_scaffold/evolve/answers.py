"""What a project's answers file said in the past: in any commit, and before each of our changes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from keras_scaffold.evolve.nearness import Nearness, Package, compare, moved, texts_of
from keras_scaffold.evolve.project import parse_answers, write_answers
from keras_scaffold.evolve.renderer import Renderer
from keras_scaffold.evolve.repository import Repository, RepositoryError
from keras_scaffold.render.history import ANSWERS_FILE, Recorded, template_at
from keras_scaffold.render.project import free_name
from keras_scaffold.spec import SpecError, validate

MOST = 12  # versions that are looked at


@dataclass(frozen=True)
class Former:
    """A version of the answers file."""

    text: str
    given: dict[str, Any]
    recorded: Recorded
    commit: str = ""  # the last one that has it, in short
    when: str = ""
    nearness: Nearness | None = None

    @property
    def share(self) -> float:
        """The part of its rendering that stands in the project."""
        assert self.nearness is not None  # it was compared
        return self.nearness.share

    @property
    def distance(self) -> int:
        """How far the project is from it."""
        assert self.nearness is not None  # it was compared
        return self.nearness.distance


def formers(repository: Repository, most: int = MOST) -> Iterator[Former]:
    """The versions that can be read, the last first, no two with the same spec and template."""
    told = repository.git(
        *("log", "--all", "--full-history", "--format=%h %cs", "--", ANSWERS_FILE)
    )
    seen: list[tuple[dict[str, Any], Recorded]] = []
    for line in told.splitlines():
        commit, _, when = line.partition(" ")
        try:
            text = repository.git("cat-file", "blob", f"{commit}:./{ANSWERS_FILE}")
            given, recorded = parse_answers(text, repository.project / ANSWERS_FILE)
            validate(given)
        except (RepositoryError, SpecError):
            continue  # it was deleted or damaged there
        if (given, recorded) not in seen:
            seen.append((given, recorded))
            yield Former(text, given, recorded, commit, when)
        if len(seen) >= most:
            return


def replace_answers(root: Path, text: str) -> str:
    """Write the answers file; the name of the copy of what was there, where git does not have it."""
    path, kept = root / ANSWERS_FILE, ""
    if os.path.lexists(path) and not _is_in_git(root):
        backup = free_name(path)
        path.rename(backup)
        kept = backup.name
    write_answers(root, text)
    return kept


def _is_in_git(root: Path) -> bool:
    try:
        repository = Repository.around(root)
        blob = repository.git("hash-object", "--", ANSWERS_FILE).strip()
        return repository.find(f"{blob}^{{blob}}") is not None
    except RepositoryError:
        return False


class Comparer:
    """Compares specs with a project, each rendered by the version that it records."""

    def __init__(self, root: Path, package: Package | None) -> None:
        self.root = root
        self.package = package
        self._stack = contextlib.ExitStack()
        self._renderers: dict[Recorded, Renderer] = {}

    def __enter__(self) -> Comparer:
        """Begin; the versions' files stay until the end."""
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def renderer(self, recorded: Recorded) -> Renderer:
        """A version of the template; SpecError where it cannot be had."""
        if recorded not in self._renderers:
            root = self._stack.enter_context(template_at(recorded))
            self._renderers[recorded] = Renderer(root)
        return self._renderers[recorded]

    def files(self, given: dict[str, Any], recorded: Recorded, *only: str) -> dict[str, str]:
        """A spec's rendering, with the package where the project has it."""
        rendered = self.renderer(recorded).render(given, only)
        return moved(rendered, self.package) if self.package else rendered

    def nearness(self, given: dict[str, Any], recorded: Recorded) -> Nearness:
        """How near the project is to a spec; SpecError where that cannot be rendered."""
        rendered = self.files(given, recorded)
        return compare(rendered, texts_of(self.root, rendered, self.package))

    def nearest(self, repository: Repository) -> Former | None:
        """The former answers file whose rendering is nearest to the project as it is."""
        best: Former | None = None
        for former in formers(repository):
            try:
                found = replace(former, nearness=self.nearness(former.given, former.recorded))
            except SpecError:
                continue
            if best is None or found.distance < best.distance:
                best = found
        return best
