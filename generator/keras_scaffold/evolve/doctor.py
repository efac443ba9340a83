"""Checks of a project, each with the fix where there is one.

Only what git itself does not show: `git status` has the rest. The other commands stop at the first
problem; here each check runs. Nothing is written but by a finding's `fix`.
"""

from __future__ import annotations

import contextlib
import keyword
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from keras_scaffold.evolve import change
from keras_scaffold.evolve.answers import Answers, last_valid_answers, replace_answers
from keras_scaffold.evolve.project import (
    OTHERS,
    Project,
    ProjectError,
    find_root,
    open_project,
)
from keras_scaffold.evolve.repository import Repository, RepositoryError
from keras_scaffold.render import history
from keras_scaffold.render.history import ANSWERS_FILE
from keras_scaffold.render.project import BACKUP
from keras_scaffold.spec import SpecError, default_project_name, is_taken

LARGEST = 1_000_000  # bytes of a file that is looked through for marks
NOT_SEARCHED = OTHERS | {"runs"}
MARKS = (
    re.compile(rb"^<<<<<<< ", re.M),
    re.compile(rb"^=======\r?$", re.M),
    re.compile(rb"^>>>>>>> ", re.M),
)


@dataclass(frozen=True)
class Finding:
    """One line of the result; `fix` repairs it, and returns what it did."""

    state: str  # good, note or wrong
    text: str
    fix: Callable[[], str] | None = None
    proposal: str = ""  # what `fix` will do


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
    """Run all checks, one after the other."""
    repository = None
    try:
        repository = Repository.around(root)
    except RepositoryError as error:
        yield Finding("wrong", str(error))
    if repository is not None:
        yield from _interrupted(repository)
    yield from _left_over(root, repository)
    try:
        project = open_project(root)
    except SpecError as error:
        yield _damaged(root, repository, str(error))
        return
    names = [entry.name for entry in project.spec.entries]
    yield Finding(
        "good",
        f"{ANSWERS_FILE} is valid: {_many(len(project.spec.inputs), 'input')} and"
        f" {_many(len(project.spec.outputs), 'output')}, {_listed(names, 8)}",
    )
    yield from _package(project)
    yield from _version(project)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _listed(names: list[str], most: int = 4) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def _interrupted(repository: Repository) -> Iterator[Finding]:
    """A change that was interrupted, or a command that is running now."""
    try:
        with repository.locked():
            pass
    except RepositoryError:
        yield Finding(
            "note",
            "locked by another scaffold command; run scaffold doctor again when it has ended",
        )
        return
    except OSError as error:
        yield Finding(
            "wrong",
            f"{repository.folder}: is not writable ({error.strerror}), so no command can change files",
        )
        return
    if title := change.interrupted(repository):

        def undo() -> str:
            with repository.locked():
                _, files = change.undo(repository)
            return f"undid '{title}' ({_many(len(files), 'file')})"

        yield Finding(
            "wrong",
            f"'{title}' was interrupted while it wrote files; scaffold undo restores them",
            undo,
            "undo it",
        )


def _left_over(root: Path, repository: Repository | None) -> Iterator[Finding]:
    """Conflict markers and files that a merge leaves, and temporary ones of killed commands."""
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
    if marked:
        yield Finding("wrong", f"{_listed(marked)}: has conflict markers; resolve the conflict")
    if refused:
        yield Finding(
            "wrong",
            f"{_listed(refused)}: rejected lines of a merge; apply them by hand, then delete the"
            " .rej file",
        )
    if backups:
        yield Finding("note", f"{_listed(backups)}: a backup; delete it if you do not need it")
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
            f"{_listed(names)}: left over from a command that was killed",
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
    """The project's files, without those of environments, runs and the like."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name not in NOT_SEARCHED and not name.startswith(".keras-")
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
    """An answers file that is missing or invalid; git may have a valid one."""
    problem = problem.partition("; git restore it")[0]
    if not os.path.lexists(root / ANSWERS_FILE):
        problem = f"{root / ANSWERS_FILE}: is missing, and no command works without it"
    earlier = last_valid_answers(repository) if repository is not None else None
    if earlier is None:
        return Finding("wrong", f"{problem}; scaffold adopt --spec FILE writes one from a spec")
    return Finding(
        "wrong",
        f"{problem}; {earlier.source} has a valid one",
        lambda: restore(root, earlier),
        "restore that one",
    )


def restore(root: Path, earlier: Answers) -> str:
    """Write an earlier answers file; a replaced one that git does not have is kept."""
    kept = replace_answers(root, earlier.text)
    more = f"; the replaced one is in {kept}" if kept else ""
    return f"restored {ANSWERS_FILE} from {earlier.source}{more}"


def _package(project: Project) -> Iterator[Finding]:
    """A package in src/ that is not the one that the project's name gives."""
    wanted = project.spec.package_name
    packages = sorted(path.parent.name for path in (project.root / "src").glob("*/__main__.py"))
    if wanted in packages or not packages:
        return
    found = packages[0]
    if is_taken(found):
        what = "a Python keyword" if keyword.iskeyword(found) else "the name of another package"
        yield Finding(
            "wrong",
            f"src/{found}: '{found}' is {what}, so it cannot be imported;"
            " run scaffold rename project NAME",
        )
    else:
        name = shlex.quote(default_project_name(found))
        yield Finding(
            "note",
            f"src/{found}: the package of '{project.spec.project_name}' would be src/{wanted};"
            f" run scaffold rename project {name}",
        )


def _version(project: Project) -> Iterator[Finding]:
    """The project's version of the template, compared with this tool's."""
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
            f"the template was at {source}, which is gone; this tool's own history is used",
        )
    if behind:
        yield Finding(
            "note",
            f"the template is {recorded.commit}, the newest is {goal.commit}; run scaffold update",
        )
    else:
        yield Finding("good", f"the template is {recorded.commit}, the newest")
