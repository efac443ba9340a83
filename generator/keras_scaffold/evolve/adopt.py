"""Restoring a lost answers file: from git's history, or from a spec."""

from __future__ import annotations

import tempfile
from pathlib import Path

from keras_scaffold.evolve.answers import Answers, last_valid_answers
from keras_scaffold.evolve.project import ProjectError, open_project
from keras_scaffold.evolve.repository import Repository, RepositoryError
from keras_scaffold.render.history import ANSWERS_FILE, current, template_at
from keras_scaffold.render.project import render_version
from keras_scaffold.spec import Given, SpecError, default_project_name, validate


def check_needed(root: Path) -> None:
    """ProjectError where the answers file is valid already."""
    try:
        recorded = open_project(root).recorded
        with template_at(recorded):
            pass
    except SpecError:
        return
    raise ProjectError(f"{root / ANSWERS_FILE}: is valid already; --force replaces it")


def from_git(root: Path) -> Answers:
    """The newest valid answers file that git has; ProjectError where it has none."""
    instead = "scaffold adopt --spec FILE writes one from a spec"
    try:
        earlier = last_valid_answers(Repository.around(root))
    except RepositoryError as error:
        raise ProjectError(f"{str(error).partition(';')[0]}; {instead}") from None
    if earlier is None:
        raise ProjectError(f"{root}: no commit has a valid {ANSWERS_FILE}; {instead}")
    return earlier


def from_spec(root: Path, given: Given, *, force: bool = False) -> Answers:
    """The answers file that a spec gives with this version of the template.

    ProjectError where the project does not have the package that the spec names.
    """
    spec = validate({"project_name": default_project_name(root.name), **given})
    package = root / "src" / spec.package_name
    if not package.is_dir() and not force:
        raise ProjectError(
            f"{package}: there is no such package, so the spec seems to be another project's;"
            " set its project_name, or use --force"
        )
    recorded = current()
    with (
        template_at(recorded) as template,
        tempfile.TemporaryDirectory(prefix="keras-scaffold-") as folder,
    ):
        place = Path(folder, "project")
        render_version(spec.given, place, template, recorded)
        text = (place / ANSWERS_FILE).read_text(encoding="utf-8")
    return Answers(text, recorded, "the spec")
