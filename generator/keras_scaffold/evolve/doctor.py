"""What state a project is in, and mending what can be mended.

It looks where the other commands refuse, so each question has its own answer here: none stops the
others. Nothing is written but by a finding's `mend`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from keras_scaffold.evolve import change
from keras_scaffold.evolve.answers import Comparer, Former, replace_answers
from keras_scaffold.evolve.edit_commands import commands
from keras_scaffold.evolve.nearness import (
    NOT_LOOKED_AT,
    Nearness,
    Package,
    find_packages,
    percent,
)
from keras_scaffold.evolve.project import (
    Project,
    ProjectError,
    find_root,
    open_project,
)
from keras_scaffold.evolve.repository import Repository, RepositoryError
from keras_scaffold.render import history
from keras_scaffold.render.history import ANSWERS_FILE
from keras_scaffold.render.project import BACKUP
from keras_scaffold.spec import SpecError

LARGEST = 1_000_000  # bytes of a file that is looked through for marks
FEW = 0.5  # where less of the rendered lines stands, changes will often conflict
MARKS = (
    re.compile(rb"^<<<<<<< ", re.M),
    re.compile(rb"^=======\r?$", re.M),
    re.compile(rb"^>>>>>>> ", re.M),
)
# What git keeps while something is under way, and how it is ended.
UNDER_WAY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "BISECT_LOG": "a bisection",
}


@dataclass(frozen=True)
class Finding:
    """One line: how it is, and what to do; `mend` does it, and says what it did."""

    state: str  # good, note or wrong
    text: str
    mend: Callable[[], str] | None = None
    proposal: str = ""  # what `mend` will do


def find_project(start: Path) -> Path:
    """The project that a folder is in, also where it has lost its answers file."""
    start = start.absolute()
    if not start.is_dir():
        raise ProjectError(f"{start}: no such folder; name the project's")
    try:
        return find_root(start)
    except ProjectError:
        for folder in (start, *start.parents):
            if (folder / "pyproject.toml").is_file():
                return folder
            if (folder / ".git").exists():
                break
        return start


def examine(root: Path) -> Iterator[Finding]:
    """Look at everything, one thing after the other."""
    repository = None
    try:
        repository = Repository.around(root)
    except RepositoryError as error:
        yield Finding("wrong", str(error))
    if repository is not None:
        yield from _repository(repository)
        yield from _ours(repository)
    yield from _left_over(root, repository)
    project = None
    try:
        project = open_project(root)
    except SpecError as error:
        yield _damaged(root, repository, str(error))
    if project is None:
        return
    names = [entry["name"] for entry in (*project.spec.inputs, *project.spec.outputs)]
    yield Finding(
        "good",
        f"the answers file can be read: {_many(len(project.spec.inputs), 'input')} and"
        f" {_many(len(project.spec.outputs), 'output')}, {_listed(names, 8)}",
    )
    version = list(_version(project))
    yield from version
    if all(finding.state != "wrong" for finding in version):
        yield from _code(project, repository)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _listed(names: list[str], most: int = 4) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


# The repository


def _repository(repository: Repository) -> Iterator[Finding]:
    commits = int(repository.git("rev-list", "--count", "HEAD"))
    place = f"{repository.top}, of which it is the folder {repository.prefix}"
    yield Finding(
        "good",
        f"git: the repository {place if repository.prefix else repository.top} has"
        f" {_many(commits, 'commit')}",
    )
    if not repository.find("HEAD") or not _branch(repository):
        yield Finding(
            "note", "no branch is checked out (a detached head): git switch -c NAME keeps commits"
        )
    if repository.git("rev-parse", "--show-superproject-working-tree").strip():
        yield Finding("note", "it is a submodule: commit it here, then in the repository around it")
    common = Path(repository.git("rev-parse", "--git-common-dir").strip())
    if (repository.project / common).resolve() != repository.folder.resolve():
        yield Finding("note", "it is a linked work tree: scaffold undo works in this one alone")
    for name, what in UNDER_WAY.items():
        if (repository.folder / name).exists():
            yield Finding("note", f"{what} is under way: end it before the next change; git status")
    unmerged = repository.unmerged()
    if unmerged:
        yield Finding(
            "wrong",
            f"{_listed(unmerged)}: conflicts are not resolved; choose between the marks, then git"
            " add and git commit; or scaffold undo",
        )
    changed = [path for path in repository.changed() if path not in unmerged]
    if changed:
        yield Finding(
            "note",
            f"{_listed(changed)}: changed and not committed; commit before the next change, or say"
            " --force then",
        )
    elif not unmerged:
        yield Finding("good", "all is committed")


def _branch(repository: Repository) -> str:
    try:
        return repository.git("symbolic-ref", "-q", "--short", "HEAD").strip()
    except RepositoryError:
        return ""


def _ours(repository: Repository) -> Iterator[Finding]:
    """What our own commands left, where they died."""
    try:
        with repository.locked():
            pass
    except RepositoryError:
        yield Finding("note", "another scaffold command is at work here; say this again at its end")
        return
    except OSError as error:
        yield Finding(
            "wrong",
            f"{repository.folder}: cannot be written ({error.strerror}), so nothing can be changed",
        )
        return
    if title := change.interrupted(repository):

        def bring_back() -> str:
            with repository.locked():
                _, files = change.undo(repository)
            return f"brought back what was there before '{title}' ({_many(len(files), 'file')})"

        yield Finding(
            "wrong",
            f"'{title}' was interrupted while it wrote; scaffold undo brings back what was there",
            bring_back,
            "bring back what was there",
        )


def _left_over(root: Path, repository: Repository | None) -> Iterator[Finding]:
    """Marks and files that a merge leaves, and temporary ones of commands that were killed."""
    marked, refused, backups, temporary = [], [], [], []
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        if path.suffix == ".rej":
            refused.append(name)
        elif re.search(rf"\{BACKUP}(\.\d+)?$", path.name):
            backups.append(name)
        elif path.name.startswith(".") and path.name.endswith(".keras-scaffold"):
            temporary.append(path)
        elif name != ANSWERS_FILE and _is_marked(path):
            marked.append(name)
    if repository is not None:
        unmerged = repository.unmerged()
        marked = [name for name in marked if name not in unmerged]
    if marked:
        yield Finding("wrong", f"{_listed(marked)}: has conflict marks in it; choose between them")
    if refused:
        yield Finding(
            "wrong",
            f"{_listed(refused)}: what did not go into the file beside it; put it in by hand, then"
            " delete the .rej",
        )
    if backups:
        yield Finding(
            "note", f"{_listed(backups)}: kept from before; delete it if it is not needed"
        )
    folders = [root, *([repository.folder] if repository is not None else [])]
    for folder, pattern in zip(folders, (".keras-scaffold-*", "keras-scaffold-*"), strict=False):
        temporary += [path for path in folder.glob(pattern) if path.is_dir()]
    if temporary and not _is_busy(repository):
        names = [_short(path, root) for path in temporary]

        def clear() -> str:
            for path in temporary:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
            return f"deleted {_listed(names)}"

        yield Finding(
            "note",
            f"{_listed(names)}: left over from a command that was killed; delete it",
            clear,
            "delete it",
        )


def _short(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _is_busy(repository: Repository | None) -> bool:
    try:
        with repository.locked() if repository else contextlib.nullcontext():
            return False
    except (RepositoryError, OSError):
        return True


def _files(root: Path) -> Iterator[Path]:
    """The project's files, those of environments, runs and the like left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name not in NOT_LOOKED_AT and not name.startswith(".keras-")
        )
        yield from (Path(folder, name) for name in sorted(names))


def _is_marked(path: Path) -> bool:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return False
        content = path.read_bytes()
    except OSError:
        return False
    return all(mark.search(content) for mark in MARKS)


# The answers file


def _damaged(root: Path, repository: Repository | None, problem: str) -> Finding:
    """An answers file that is not there or cannot serve; git may have one that can."""
    there = os.path.lexists(root / ANSWERS_FILE)
    problem = problem.partition("; git restore it")[0]
    if not there:
        problem = f"{root / ANSWERS_FILE}: is not there, and no command works without it"
    former = None
    if repository is not None:
        with Comparer(root, _package(root, "")) as comparer:
            former = comparer.nearest(repository)
    if former is None or repository is None:
        return Finding("wrong", f"{problem}; scaffold adopt writes it anew")
    return Finding(
        "wrong",
        f"{problem}; that of {former.commit} ({former.when}) fits:"
        f" {percent(former.share)} of its rendering stands",
        lambda: put_back(root, former),
        "put that one back",
    )


def put_back(root: Path, former: Former) -> str:
    """Write a former answers file; what was there is kept where git does not have it."""
    kept = replace_answers(root, former.text)
    more = f"; what was there is in {kept}" if kept else ""
    return f"put back {ANSWERS_FILE} as it was in {former.commit} ({former.when}){more}"


def _version(project: Project) -> Iterator[Finding]:
    """The template that the project is from, beside this tool's."""
    recorded = project.recorded
    try:
        goal = history.latest(recorded.source)
        behind = history.is_behind(recorded, goal)
        with history.template_at(recorded):
            pass
    except SpecError as error:
        yield Finding("wrong", str(error))
        return
    source = recorded.source
    if not re.match(r"[\w+]+:", source) and not Path(source).expanduser().exists():
        yield Finding(
            "note",
            f"the template was at {source}, where nothing is; this tool's own history serves",
        )
    if behind:
        yield Finding(
            "note",
            f"the template is {recorded.commit}, there is {goal.commit}: scaffold update brings it",
        )
    else:
        yield Finding("good", f"the template is {recorded.commit}, the newest here")


# The code


def _package(root: Path, name: str) -> Package | None:
    """The project's package: that of the name, else the one that looks like it."""
    found = find_packages(root)
    by_name = [package for package in found if package.folder == f"src/{name}"]
    return next(iter([*by_name, *found]), None)


def _code(project: Project, repository: Repository | None) -> Iterator[Finding]:
    """How near the code is to what the answers say."""
    root, name = project.root, project.spec.package_name
    package = _package(root, name)
    if package is None:
        yield Finding(
            "wrong",
            f"src/{name}: the package is not there; git restore src/{name} brings it back",
        )
        return
    if package.folder != f"src/{name}":
        yield Finding(
            "note",
            f"the package is in {package.folder}, the answers file says src/{name}: changes follow"
            f" it, but new files would import {name}",
        )
    try:
        with Comparer(root, package) as comparer:
            near = comparer.nearness(project.given, project.recorded)
            former = None
            if near.distance and repository is not None:
                former = comparer.nearest(repository)
    except SpecError as error:
        yield Finding("wrong", f"what the answers say cannot be rendered: {error}")
        return
    yield from _nearness(near)
    if former is not None and former.distance < near.distance:
        yield _edited(project, former, near)


def _nearness(near: Nearness) -> Iterator[Finding]:
    many = near.share < FEW
    more = "; changes will often meet what you changed" if many else ""
    yield Finding("note" if many else "good", f"{near.line()}{more}")
    if near.gone:
        yield Finding("note", f"deleted since: {_listed(near.gone)}; it stays so")


def _edited(project: Project, former: Former, near: Nearness) -> Finding:
    """An answers file that says what the code is not, where a former one says what it is."""
    wishes = commands(former.given, project.given)
    wish = f", then say what was meant: {'; '.join(wishes)}" if wishes else ""
    return Finding(
        "wrong",
        f"the answers file was edited by hand, which changes no code: that of {former.commit}"
        f" ({former.when}) is nearer to it, by {_many(near.distance - former.distance, 'line')};"
        f" put it back{wish}",
        lambda: put_back(project.root, former) + (f"{wish}" if wish else ""),
        "put that one back",
    )
