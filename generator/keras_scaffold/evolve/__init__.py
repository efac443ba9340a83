"""A project's life after its first day: changing its spec or its template, around people's edits."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_scaffold import history
from keras_scaffold.evolve import edits
from keras_scaffold.evolve.change import (
    Change,
    apply,
    check_undisturbed,
    earlier_files,
    files_now,
    plan,
    undo,
)
from keras_scaffold.evolve.edits import UnclearMerge
from keras_scaffold.evolve.merging import Scratch, scratch
from keras_scaffold.evolve.project import (
    Project,
    ProjectError,
    find_root,
    open_project,
    read_answers,
    spec_in,
)
from keras_scaffold.evolve.renames import CODE, Renames, renames
from keras_scaffold.evolve.repository import Repository
from keras_scaffold.history import Recorded, template_at
from keras_scaffold.render import ANSWERS_FILE
from keras_scaffold.spec import Spec, SpecError, parse_spec, validate

__all__ = [
    "Change",
    "Project",
    "ProjectError",
    "Repository",
    "UnclearMerge",
    "Worked",
    "at_work",
    "edits",
    "find_projects",
    "find_root",
    "open_project",
    "state",
    "undo",
    "work_out",
]

OTHERS = {".git", ".venv", "venv", "node_modules", "__pycache__", "site-packages"}
Given = dict[str, Any]
# From the spec as it is, and as it was before each of the last changes, to the one that is wanted.
Edit = Callable[[Given, list[Given]], Given]


@contextmanager
def at_work(root: Path) -> Iterator[Repository]:
    """The repository of a project, of which we are the only command at work in it."""
    repository = Repository.around(root)
    with repository.locked():
        yield repository


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


def state(root: Path, to: str | None = None) -> State:
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


@dataclass
class Worked:
    """A change that is worked out, and not made yet."""

    project: Project
    spec: Spec
    change: Change
    repository: Repository
    work: Scratch
    note: str = ""  # of what was not committed

    def diff(self, *options: str) -> str:
        """What the change does to the person's files, as git shows it."""
        return self.work.diff(self.change.before, self.change.after, *options)

    def apply(self) -> None:
        """Make the change."""
        apply(self.repository, self.work, self.change)


@contextmanager
def work_out(
    repository: Repository,
    title: str,
    edit: Edit | None = None,
    *,
    to: Recorded | None = None,
    renamed: tuple[str, str] | None = None,
    force: bool = False,
    dry_run: bool = False,
    rejects: bool = False,
) -> Iterator[Worked]:
    """Work out what becomes of a project when its spec is edited, or its template another version.

    `renamed` is an input's or an output's name, before and after. SpecError where it cannot be.
    """
    check_undisturbed(repository)
    project = open_project(repository.project)
    spec = project.spec
    if edit is not None:
        earlier = _earlier_specs(repository)
        spec = validate(edits.as_before(edit(project.given, earlier), earlier))
    goal = to or project.recorded
    before, note = files_now(repository, force=force, title=title, look_only=dry_run)
    with scratch(repository) as work:
        base, wanted = work.folder / "rendered-before", work.folder / "rendered-after"
        _render(project.given, project.recorded, base)
        _render(spec.given, goal, wanted)
        moves = _moves(project, spec, renamed, base, wanted)
        rewrite = moves.apply if moves else None
        merged = work.merge(base, before, wanted, f"scaffold {title}", rewrite)
        change = plan(merged, work, before, title, rejects=rejects)
        yield Worked(project, spec, change, repository, work, note)


def _earlier_specs(repository: Repository) -> list[Given]:
    specs = []
    for text in earlier_files(repository, ANSWERS_FILE):
        with contextlib.suppress(SpecError):
            specs.append(spec_in(text))
    return specs


def _render(given: dict[str, Any], recorded: Recorded, folder: Path) -> None:
    from keras_scaffold.render import RenderError, render_version

    with template_at(recorded) as root:
        try:
            render_version(given, folder, root, recorded)
        except RenderError as error:
            raise SpecError(f"{error} (by version {recorded.commit} of the template)") from None


def _moves(
    project: Project, spec: Spec, renamed: tuple[str, str] | None, base: Path, wanted: Path
) -> Renames | None:
    """What a rename does to names in code."""
    before, after = _texts(base), _texts(wanted)
    if renamed is not None:
        return renames([renamed], before, after)
    old = [(project.spec.package_name, spec.package_name)]
    old += [(project.spec.project_slug, spec.project_slug)]
    pairs = [(one, other) for one, other in old if one != other]
    return renames(pairs, before, after, bare=True) if pairs else None


def _texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in folder.rglob("*")
        if path.suffix in CODE and path.is_file()
    }
