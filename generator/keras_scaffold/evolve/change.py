"""Applying a change to a project's files, and undoing it.

Nothing is written before all of it is known. What was there is then kept under a ref of the
project's repository, each file is replaced at once, and only then the change counts as made: a
process that dies in between leaves a project that `undo` brings back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from keras_scaffold import interrupts
from keras_scaffold.evolve.project import ProjectError
from keras_scaffold.evolve.repository import Repository, RepositoryError
from keras_scaffold.evolve.three_way import Merged, Scratch, scratch
from keras_scaffold.render.project import free_name

APPLYING = "applying"  # the change that is being written, or was when its process died
PREPARED = "prepared"  # all that a change needs, before it is written
STAGED, KEPT = "files", "kept"  # in a temporary folder: what is to be written, what was there
LAST = "last"  # the change that undo takes back; its parent's parent is the one before


@dataclass
class Change:
    """What will be done to a project's files: from the tree before to that of a merge."""

    title: str
    before: str
    merged: Merged
    files: list[str]

    @property
    def nothing(self) -> bool:
        """Whether all stays as it is."""
        return not self.files and not self.merged.conflicts


def check_undisturbed(repository: Repository) -> None:
    """Refuse where an earlier change died on its way."""
    if title := interrupted(repository):
        raise ProjectError(
            f"'{title}' was interrupted while it wrote files; scaffold undo restores them"
        )


def interrupted(repository: Repository) -> str | None:
    """What was being written when its process died; None where all is well."""
    if commit := repository.find(repository.ref(APPLYING)):
        return repository.git("log", "-1", "--format=%s", commit).strip()
    return None


def files_now(
    repository: Repository, *, force: bool, title: str, look_only: bool = False
) -> tuple[str, str]:
    """The tree of a person's files, and a note on those that were not committed.

    They are all committed, or just as the last command left them, or `force` keeps a stash.
    """
    if unmerged := repository.unmerged():
        raise ProjectError(
            f"{_named(unmerged)}: has conflicts that are not resolved; resolve them,"
            " then git add and git commit"
        )
    changed = repository.changed()
    last = _last(repository)
    if (marked := repository.marked()) and not force:
        undo_it = ", or run scaffold undo" if last is not None and last.conflicted else ""
        raise ProjectError(f"{_named(marked)}: has conflict markers; resolve the conflict{undo_it}")
    if last is not None and repository.snapshot(last.after) == last.after:
        if not changed and repository.find(f"{last.after}^{{tree}}") == repository.head:
            return repository.head, ""
        if last.conflicted:
            raise ProjectError(
                f"{_named(last.conflicted)}: has conflicts that are not resolved; resolve them,"
                " or say scaffold undo"
            )
        return last.after, ""
    if not changed:
        return repository.head, ""
    if look_only:
        return repository.snapshot(), ""
    if not force:
        raise ProjectError(
            f"{_named(changed)}: is changed and not committed; commit or stash it,"
            " or use --force to continue with a stash of it"
        )
    tree = repository.snapshot()
    kept = repository.git("stash", "create", f"before {title}").strip()
    if not kept:
        raise ProjectError("git cannot stash what is not committed; commit it")
    repository.git("stash", "store", "-m", f"before {title}", kept)
    return tree, (
        "What was not committed is kept in git stash;"
        " scaffold undo brings the files back as they were."
    )


def _named(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def plan(merged: Merged, work: Scratch, before: str, title: str) -> Change:
    """A change out of a merge."""
    return Change(title, before, merged, work.changed(before, merged.tree))


# Applying


def apply(repository: Repository, work: Scratch, change: Change) -> None:
    """Write a change into the project's files, all of it or nothing."""
    if change.nothing:
        return

    def record_change(record: str) -> None:
        _mark_conflicts(repository, work, change)
        _finish(repository, repository.ref(LAST), record)

    _write(repository, work, change, record_change)


def _write(
    repository: Repository, work: Scratch, change: Change, record_change: Callable[[str], None]
) -> None:
    """Replace the files, then record it in git; all is as before where one of the two fails."""
    record = _record(repository, work, change)
    with _staged(repository, record, change.files) as room:
        _check_room(repository, work, change)
        repository.git("update-ref", repository.ref(APPLYING), record)
        interrupts.check()
        with interrupts.held_off():
            _replace(repository, change, room)
            try:
                record_change(record)
            except RepositoryError as error:
                _put_back(repository, change.files, room)
                raise ProjectError(f"{error}; all is as before") from None
            interrupts.written.append(str(repository.project))


def _record(repository: Repository, work: Scratch, change: Change) -> str:
    """Bring the trees before and after into the person's repository, as commits on no branch."""
    parents = [last.commit] if (last := _last(repository)) else []
    before = work.commit(change.before, f"before {change.title}", *parents)
    lines = [change.title, "", *(f"conflict: {path}" for path in change.merged.conflicts)]
    record = work.commit(change.merged.tree, "\n".join(lines).strip(), before)
    work.git("update-ref", "refs/heads/record", record)
    repository.git(
        *("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "fetch.writeCommitGraph=false"),
        *("fetch", "-q", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
        *(str(work.work), f"+refs/heads/record:{repository.ref(PREPARED)}"),
    )
    return record


@contextlib.contextmanager
def _staged(repository: Repository, record: str, files: list[str]) -> Iterator[Path]:
    """The new files as they will be written: with the line ends of this person's git."""
    parent, prefix = repository.folder, f"keras-scaffold-{repository.key}-"
    for left in parent.glob(f"{prefix}*"):  # by a process that was killed: we hold the lock
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        where = [f"--prefix={repository.prefix}"] if repository.prefix else []
        repository.git("read-tree", *where, record, env=env)
        staged = Path(folder, STAGED)
        there = repository.git("ls-files", "-z", "--", ".", env=env).split("\0")
        wanted = [path for path in files if path in set(there)]
        listed = "".join(f"{path}\0" for path in wanted).encode(errors="surrogateescape")
        repository.git(
            *("checkout-index", "-q", "-f", "-z", "--stdin", f"--prefix={staged}/"),
            stdin=listed,
            env=env,
        )
        yield Path(folder)


def _check_room(repository: Repository, work: Scratch, change: Change) -> None:
    """Refuse where a file of a person's stands in the way, or one must not be written."""
    had = set(work.git("ls-tree", "-r", "-z", "--name-only", change.before).split("\0"))
    for path in change.files:
        target = repository.project / path
        for folder in target.parents:
            if folder == repository.project:
                break
            if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
                raise ProjectError(f"{folder}: is no folder, but {path} is to be written; move it")
        if path not in had and os.path.lexists(target):
            raise ProjectError(
                f"{path}: is there, unknown to git, where a new file goes; move it or commit it"
            )
        if target.is_file() and not target.is_symlink() and not target.stat().st_mode & 0o200:
            raise ProjectError(f"{path}: is read-only, but has to change; chmod u+w it")
        folder = next(each for each in target.parents if each.is_dir())
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ProjectError(f"{folder}: is not writable for you, but {path} has to change")


def _replace(repository: Repository, change: Change, room: Path, *, again: bool = False) -> None:
    """Put each file in its place at once; all that was there comes back where one fails.

    `again` where what was there is a change that died: it is then still to be taken back.
    """
    staged, kept = room / STAGED / repository.prefix, room / KEPT
    done: list[str] = []
    try:
        for path in change.files:
            target = repository.project / path
            if os.path.lexists(target):
                (kept / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(target, kept / path, follow_symlinks=False)
        for path in change.files:
            done.append(path)
            _put(staged / path, repository.project / path)
    except OSError as error:
        _put_back(repository, done, room, again=again)
        where = error.filename or repository.project
        raise ProjectError(
            f"{where}: cannot be written: {error.strerror}; all is as before"
        ) from None
    for path in change.files:
        _drop_empty(repository.project / path, repository.project)


def _put_back(repository: Repository, paths: list[str], room: Path, *, again: bool = False) -> None:
    for path in paths:
        _put(room / KEPT / path, repository.project / path)
        _drop_empty(repository.project / path, repository.project)
    if not again:
        repository.git("update-ref", "-d", repository.ref(APPLYING))


def _put(source: Path, target: Path) -> None:
    """Move a file to its place; where there is none, take away what is in the place."""
    if not os.path.lexists(source):
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # the repository is on another file system
            raise
        beside = target.with_name(f".{target.name}.keras-scaffold")
        shutil.copy2(source, beside, follow_symlinks=False)
        beside.replace(target)


def _drop_empty(path: Path, root: Path) -> None:
    """Take away the folders that a file has left empty."""
    for folder in path.parents:
        if folder == root:
            return
        with contextlib.suppress(OSError):
            folder.rmdir()


def _mark_conflicts(repository: Repository, work: Scratch, change: Change) -> None:
    """Let git know of the conflicts: git status names them, git mergetool resolves them."""
    nothing = "0" * len(change.before)
    lines = []
    for path, stages in change.merged.stages.items():
        full = repository.prefix + path
        lines.append(f"0 {nothing}\t{full}")
        for stage, (mode, blob) in stages.items():
            content = work.blob(blob)  # git status and mergetool need all three versions here
            repository.git("hash-object", "-w", "--stdin", stdin=content)
            lines.append(f"{mode} {blob} {stage}\t{full}")
    text = "".join(f"{line}\0" for line in lines).encode(errors="surrogateescape")
    repository.at_top("update-index", "-z", "--index-info", stdin=text)


def _finish(repository: Repository, last: str, record: str | None) -> None:
    """Record in one step that a change is made, and which one undo reverts from now on."""
    lines = [f"update {last} {record}" if record else f"delete {last}"]
    for name in (APPLYING, PREPARED):
        if repository.find(repository.ref(name)):
            lines.append(f"delete {repository.ref(name)}")
    repository.git("update-ref", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode())


# Taking it back


@dataclass(frozen=True)
class _Made:
    """A change that was made."""

    commit: str
    title: str
    before: str
    after: str
    earlier: str | None  # the change before it
    conflicted: list[str]


def _last(repository: Repository, name: str = LAST) -> _Made | None:
    commit = repository.find(repository.ref(name))
    return _made(repository, commit) if commit else None


def _made(repository: Repository, commit: str) -> _Made:
    lines = repository.git("log", "-1", "--format=%T%n%P%n%B", commit).splitlines()
    after, before, title = lines[:3]
    conflicted = [
        line.removeprefix("conflict: ") for line in lines if line.startswith("conflict: ")
    ]
    tree = repository.find(f"{before}^{{tree}}")
    assert tree is not None  # a commit has a tree
    return _Made(commit, title, tree, after, repository.find(f"{before}^1"), conflicted)


def earlier_files(repository: Repository, path: str, most: int = 10) -> list[str]:
    """A file as it was before each of the last changes, the last first."""
    texts: list[str] = []
    made = _last(repository)
    while made is not None and len(texts) < most:
        if blob := repository.find(f"{made.before}:{path}"):
            texts.append(repository.git("cat-file", "blob", blob))
        made = _made(repository, made.earlier) if made.earlier else None
    return texts


def last_title(repository: Repository) -> str | None:
    """What the last change was, that `undo` would take back; None where there is none."""
    last = _last(repository)
    return last.title if last is not None else None


def undo(repository: Repository) -> tuple[str, list[str]]:
    """Take the last change back: its title, and the files that it wrote.

    What was edited since stays where it is; ProjectError, and nothing written, where the same lines
    were.
    """
    if interrupted(repository):
        return _bring_back(repository)
    last = _last(repository)
    if last is None:
        raise ProjectError(f"{repository.project}: no change by scaffold to undo")
    with scratch(repository) as work:
        now = repository.snapshot(last.after)
        merged = Merged(last.before)
        if now != last.after:
            base, theirs = work.folder / "after", work.folder / "before"
            work.files_of(last.after, base)
            work.files_of(last.before, theirs)
            merged = work.merge(base, now, theirs, f"before {last.title}")
            if merged.conflicts:
                raise ProjectError(
                    f"{_named(merged.conflicts)}: was edited since '{last.title}' in the same lines;"
                    f" git checkout {last.commit[:10]}^ -- FILE brings single files back"
                )
        undone = plan(merged, work, now, f"undo {last.title}")

        def record_change(_: str) -> None:
            _forget_conflicts(repository, last.conflicted)
            _finish(repository, repository.ref(LAST), last.earlier)

        _write(repository, work, undone, record_change)
    return last.title, undone.files


def _forget_conflicts(repository: Repository, paths: list[str]) -> None:
    unmerged = set(repository.unmerged())
    for path in paths:
        if repository.prefix + path in unmerged or path in unmerged:
            repository.git("reset", "-q", "--", path)


def _bring_back(repository: Repository) -> tuple[str, list[str]]:
    """Put back what was there before a change whose process died while it wrote."""
    dead = _last(repository, APPLYING)
    assert dead is not None  # it was asked for
    with scratch(repository) as work:
        files = work.changed(dead.before, dead.after)
        before = repository.find(f"{dead.commit}^1")
        assert before is not None  # the record of a change has a parent
        with _staged(repository, before, files) as room, interrupts.held_off():
            _keep_others(repository, work, dead, files)
            change = Change(f"undo {dead.title}", dead.after, Merged(dead.before), files)
            _replace(repository, change, room, again=True)
            _forget_conflicts(repository, dead.conflicted)
            last = repository.find(repository.ref(LAST))
            _finish(repository, repository.ref(LAST), last)
    return dead.title, files


def _keep_others(repository: Repository, work: Scratch, dead: _Made, files: list[str]) -> None:
    """Keep a copy of what is neither as before nor as after: somebody wrote it since."""
    known = {tree: repository.blobs(tree) for tree in (dead.before, dead.after)}
    for path in files:
        target = repository.project / path
        if target.is_symlink() or not target.is_file():
            continue
        blob = repository.git("hash-object", "--", path).strip()
        if blob not in {blobs.get(path) for blobs in known.values()}:
            shutil.copy2(target, free_name(target))
