"""Earlier versions of a project's answers file, in git, and replacing the file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keras_scaffold.evolve.project import parse_answers, write_answers
from keras_scaffold.evolve.repository import Repository, RepositoryError
from keras_scaffold.render.history import ANSWERS_FILE, Recorded, template_at
from keras_scaffold.render.project import free_name
from keras_scaffold.spec import SpecError, validate


@dataclass(frozen=True)
class Answers:
    """An answers file for a project, and where it comes from."""

    text: str
    recorded: Recorded
    source: str


def last_valid_answers(repository: Repository) -> Answers | None:
    """The newest valid version of the answers file, on this branch or else on any other."""
    return next(_valid_answers(repository), None)


def _valid_answers(repository: Repository) -> Iterator[Answers]:
    for revisions in ("HEAD", "--all"):
        log = repository.git(
            *("log", revisions, "--full-history", "--format=%h %cs", "--", ANSWERS_FILE)
        )
        for line in log.splitlines():
            commit, _, date = line.partition(" ")
            try:
                text = repository.git("cat-file", "blob", f"{commit}:./{ANSWERS_FILE}")
                given, recorded = parse_answers(text, repository.project / ANSWERS_FILE)
                validate(given)
                with template_at(recorded):
                    yield Answers(text, recorded, f"commit {commit} ({date})")
            except SpecError:
                continue  # deleted or damaged in that commit, or of an unknown version


def replace_answers(root: Path, text: str) -> str:
    """Write the answers file; the name of the backup of an earlier one that git does not have."""
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
