"""Rendering a spec into a folder, through copier.

A project is rendered into a temporary folder on the destination's file system and moved into
place at the end, so that it appears whole or not at all. What a person has in the destination
stays: without `force` nothing is rendered into a folder with something in it, and with it each
file that is replaced is kept beside the new one.
"""

from __future__ import annotations

import contextlib
import copy
import io
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from keras_scaffold import interrupts, locks
from keras_scaffold.git import call
from keras_scaffold.render.history import ANSWERS_FILE, Recorded, current
from keras_scaffold.source import is_packaged, template_root, version
from keras_scaffold.spec import Given, Spec, SpecError, one_line

BACKUP = ".orig"
WORKSHOP = ".keras-scaffold-"  # how the names of our temporary folders begin


class RenderError(SpecError):
    """A project cannot be rendered or written; the text is one line."""


@dataclass
class Rendered:
    """What was written: the project's files, and the backups of those that were replaced."""

    files: list[Path]
    replaced: dict[Path, Path] = field(default_factory=dict)
    note: str = ""  # on the repository, where there is something to know


def render(
    spec: Spec,
    destination: Path,
    *,
    template: str | None = None,
    force: bool = False,
    git: bool = True,
) -> Rendered:
    """Write the project into the destination; RenderError, and nothing written, where it fails."""
    occupied = check_destination(destination, force=force)
    top = _enclosing_repository(destination)
    git = git and not occupied and top is None and bool(shutil.which("git"))
    try:
        with _workshop(destination) as workshop:
            project = workshop / "project"
            _copy(spec, project, template)
            files = _files(project)
            _check_room(project, files, destination)
            note = _commit(project, spec.project_name) if git else ""
            if top is not None and top != Path(os.path.realpath(destination)):
                workflows = top / ".github" / "workflows"
                note = f"GitHub runs the workflows of {workflows} only; move the project's there"
            interrupts.check()
            with interrupts.held_off():
                replaced = _move(project, files, destination)
                interrupts.written.append(str(destination))
    except OSError as error:
        reason = error.strerror or str(error)
        raise RenderError(f"{destination}: cannot be written: {one_line(reason)}") from None
    return Rendered(files, replaced, note)


def render_to_memory(spec: Spec, template: str | None = None) -> dict[Path, str]:
    """The files that `render` would write, by their path in the project, and their text."""
    with tempfile.TemporaryDirectory(prefix="keras-scaffold-") as folder:
        project = Path(folder, "project")
        _copy(spec, project, template)
        return {
            path: (project / path).read_text(encoding="utf-8", errors="replace")
            for path in _files(project)
        }


def render_version(given: Given, folder: Path, root: Path, recorded: Recorded) -> None:
    """Render a version of the template that lies in a folder, as a project of it records it."""
    with _no_git_for_copier():
        _run_copier(str(root), given, folder)
    _record_source(folder / ANSWERS_FILE, recorded)


# The destination


def check_destination(destination: Path, *, force: bool = False) -> bool:
    """Refuse a destination that cannot take a project; whether there is something in it."""
    root = template_root()
    place = Path(os.path.realpath(destination))
    if place.is_relative_to(root if is_packaged(root) else root / "template"):
        raise RenderError(f"{destination}: lies in the template itself; choose another folder")
    if not os.path.lexists(destination):
        _check_parent(destination)
        return False
    if not destination.exists():
        raise RenderError(f"{destination}: is a link to nowhere; choose another folder")
    if not destination.is_dir():
        raise RenderError(f"{destination}: is a file; choose a folder")
    try:
        occupied = any(destination.iterdir())
    except OSError as error:
        raise RenderError(f"{destination}: cannot be read: {error.strerror}") from None
    if occupied and not force:
        raise RenderError(
            f"{destination}: is not empty; choose another folder, or use --force to write into it"
        )
    if not os.access(destination, os.W_OK | os.X_OK):
        raise RenderError(f"{destination}: is not writable for you; choose another folder")
    return occupied


def _check_parent(destination: Path) -> None:
    parent = next(folder for folder in destination.absolute().parents if os.path.lexists(folder))
    if not parent.is_dir():
        raise RenderError(f"{destination}: {parent} is not a folder; choose another place")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise RenderError(f"{destination}: {parent} is not writable for you; choose another place")


def _check_room(project: Path, files: list[Path], destination: Path) -> None:
    """Refuse where a folder of a person's stands in a file's way, or the other way round."""
    for path in files:
        for folder in [destination / parent for parent in path.parents[:-1]]:
            if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
                raise RenderError(f"{folder}: is no folder, but the project has one there; move it")
        target = destination / path
        if target.is_dir() and not target.is_symlink():
            raise RenderError(f"{target}: is a folder, but the project has a file there; move it")


def _enclosing_repository(destination: Path) -> Path | None:
    """The top of the work tree that a destination lies in or is; None outside of any."""
    here = Path(os.path.realpath(destination))
    tops = (folder for folder in (here, *here.parents) if (folder / ".git").exists())
    return next(tops, None)


@contextlib.contextmanager
def _workshop(destination: Path) -> Iterator[Path]:
    """A temporary folder that is renamed from within one file system; gone at the end.

    It lies in the destination where there is one, whose parent may be out of reach, and beside
    it otherwise, in parents that are made and, should nothing come of it, taken away again.
    """
    made: list[Path] = []
    parent = destination
    try:
        if not destination.is_dir():
            parent = destination.absolute().parent
            for folder in reversed([parent, *parent.parents]):
                if not folder.is_dir():
                    folder.mkdir()
                    made.append(folder)
        locks.clear(parent, f"{WORKSHOP}*")
        workshop = None
        try:
            with interrupts.held_off():  # or nobody would know of the folder
                workshop = Path(tempfile.mkdtemp(prefix=WORKSHOP, dir=parent))
            interrupts.check()
            with locks.held(workshop / locks.LOCK):
                yield workshop
        finally:
            with interrupts.held_off():
                if workshop is not None:
                    shutil.rmtree(workshop, ignore_errors=True)
    except BaseException:
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _files(project: Path) -> list[Path]:
    """The project's files by their path in it; its repository is none of them."""
    found = []
    for folder, folders, names in os.walk(project):
        folders[:] = [name for name in folders if Path(folder) != project or name != ".git"]
        found += [Path(folder, name).relative_to(project) for name in names]
    return sorted(found)


def _move(project: Path, files: list[Path], destination: Path) -> dict[Path, Path]:
    """Move the project to its place; the backups of what it replaced. Undone where it fails."""
    if not destination.is_dir():
        project.rename(destination)
        return {}
    undo: list[tuple[Path, Path | None]] = []  # what to take away, or to move back
    replaced: dict[Path, Path] = {}
    try:
        for path in files:
            source, target = project / path, destination / path
            for folder in reversed(target.parents[: len(path.parts) - 1]):
                if not folder.is_dir():
                    folder.mkdir()
                    undo.append((folder, None))
            if os.path.lexists(target):
                if not target.is_symlink() and target.read_bytes() == source.read_bytes():
                    continue
                backup = free_name(target)
                target.rename(backup)
                undo.append((backup, target))
                replaced[path] = backup.relative_to(destination)
            source.rename(target)
            undo.append((target, None))
        if (project / ".git").is_dir():
            (project / ".git").rename(destination / ".git")
    except BaseException:
        for path, back in reversed(undo):
            if back is not None:
                path.rename(back)
            elif path.is_dir():
                path.rmdir()
            else:
                path.unlink()
        raise
    return replaced


def free_name(target: Path) -> Path:
    """`README.md.orig`, or the first of `README.md.orig.1` ... that is not taken."""
    backup, number = target.with_name(target.name + BACKUP), 0
    while os.path.lexists(backup):
        number += 1
        backup = target.with_name(f"{target.name}{BACKUP}.{number}")
    return backup


# Copier


def _copy(spec: Spec, project: Path, template: str | None) -> None:
    if template is not None:
        local = Path(template).expanduser()
        # A relative path in the answers file would lead nowhere from inside the project.
        source = str(local.resolve()) if local.exists() else template
        _run_copier(source, spec.given, project)
        return
    render_version(spec.given, project, template_root(), current())


def _run_copier(source: str, given: Given, project: Path) -> None:
    import copier

    try:
        with contextlib.redirect_stderr(io.StringIO()):  # it is not quiet about everything
            copier.run_copy(
                source,
                project,
                data=copy.deepcopy(given),
                defaults=True,
                overwrite=True,
                quiet=True,
                unsafe=False,
            )
    except Exception as error:  # copier's, Jinja's, git's: whatever it is, the person gets a line
        raise RenderError(f"the template cannot be rendered: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    output = getattr(error, "stderr", "") or ""  # where git failed, its last line is the reason
    text = output.strip().splitlines()[-1] if output.strip() else str(error)
    return one_line(text if " " in text.strip() else f"{type(error).__name__} {text}")


@contextlib.contextmanager
def _no_git_for_copier() -> Iterator[None]:
    """Let copier take the template's folder as it is.

    Where copier finds git, it asks it three times whether the folder is a repository; a checkout
    it clones, and renders the latest tag instead of the files that are there.
    """
    from plumbum import local

    with local.env(PATH=os.devnull):
        yield


def _record_source(answers: Path, recorded: Recorded) -> None:
    """Record the template's source in the answers file, for `copier update`."""
    values = {"_commit": recorded.commit, "_src_path": recorded.source}
    if not recorded.commit:
        del values["_commit"]
    lines = yaml.safe_dump(values, allow_unicode=True, width=math.inf)
    text = answers.read_text(encoding="utf-8")
    text = re.sub(r"^_src_path: .*\n", lambda _: lines, text, count=1, flags=re.M)
    answers.write_text(text, encoding="utf-8", newline="\n")


# Git


def _commit(project: Path, project_name: str) -> str:
    """Commit what is rendered, in a repository of its own; a note where that fails."""

    def works(*arguments: str, stdin: bytes = b"") -> bool:
        with interrupts.held_off():  # or a git that nobody waits for would write on
            done = call(project, *arguments, stdin=stdin)
        interrupts.check()
        return done.returncode == 0

    if not works("init", "-q", "-b", "main") or not works("add", "--all"):
        return "git could not make a repository of it"
    # Nobody's name is made up: where git knows none, the files wait for their commit.
    options = ("user.useConfigOnly=true", "gc.auto=0", "maintenance.auto=false")
    flags = [word for option in options for word in ("-c", option)]
    message = f"Start {project_name} with keras-scaffold {version()}".encode()
    if not works(*flags, "commit", "-q", "-F", "-", stdin=message):
        return "the files are staged in git, but not committed: set git's user.name and user.email"
    return ""
