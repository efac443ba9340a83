"""The versions of the template: which one a project was made from, and that version's files.

An installed package carries the template's history as a git bundle; a checkout is its own
history. What a project records is the public address, or a fork's, and what `git describe` says.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from keras_scaffold import source
from keras_scaffold.git import GitError, git
from keras_scaffold.source import BUNDLE, is_packaged, template_root
from keras_scaffold.spec import SpecError, one_line

if TYPE_CHECKING:
    from packaging.version import Version

ANSWERS_FILE = ".copier-answers.yml"  # where a project keeps its spec and what it records
SOURCE = "https://github.com/keras-scaffold/keras-scaffold"
TEMPLATE = ("copier.yml", "template")

UPGRADE = "upgrade the tool (pip install --upgrade keras-scaffold)"
ALIASES = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}  # as copier has them


class HistoryError(SpecError):
    """A version of the template cannot be had; the text is one line."""


@dataclass(frozen=True)
class Recorded:
    """Where a project's template is to be had, and which version: `_src_path` and `_commit`."""

    source: str
    commit: str


def current() -> Recorded:
    """What a project records that this tool makes now."""
    root = template_root()
    return Recorded(SOURCE if is_packaged(root) else str(root), source.commit(root))


def latest(source: str) -> Recorded:
    """What a project from a source is updated to: our own template, or a fork's newest version."""
    if _is_ours(source):
        # The public address stays, also where a checkout does the update.
        stays = source if _is_public(source) else current().source
        return Recorded(stays, current().commit)
    finals = [tag for tag in versions(source) if not _version(tag).is_prerelease]
    if finals:
        return Recorded(source, finals[-1])
    head = _references(source, "HEAD").get("HEAD")
    if not head:
        raise HistoryError(f"{one_line(source)}: nothing is committed there, so no template either")
    return Recorded(source, head)


def versions(source: str) -> list[str]:
    """The tags of a source that are versions, oldest first; of ours, those that are carried."""
    address = str(_own_place()) if _is_ours(source) else source
    tags = [name.removeprefix("refs/tags/") for name in _references(address, "refs/tags/*")]
    return sorted((tag for tag in tags if _is_version(tag)), key=_version)


def is_behind(recorded: Recorded, goal: Recorded | None = None) -> bool:
    """Whether there is a newer template than the recorded one, or a given one is newer.

    HistoryError where that is unknown, and where the project's is newer than this tool's.
    """
    goal = goal or latest(recorded.source)
    _check_commit(recorded)
    if not goal.commit:
        raise HistoryError(
            "this keras-scaffold does not know which version it is, as it was built without git; "
            "install a release"
        )
    if recorded.commit == goal.commit:
        return False
    order = _order(recorded.commit, goal)
    if order > 0 and _is_ours(recorded.source):
        raise HistoryError(
            f"the project's template {recorded.commit} is newer than this tool's, {goal.commit}; "
            f"{UPGRADE}"
        )
    return order < 0


@contextlib.contextmanager
def template_at(recorded: Recorded) -> Iterator[Path]:
    """A folder with copier.yml and template/ as they were in a version; gone afterwards.

    The version that this tool carries is there already, and takes no git.
    """
    now = current()
    if recorded.commit == now.commit and _is_ours(recorded.source):
        yield template_root()
        return
    repository, found = _find(recorded)
    with tempfile.TemporaryDirectory(prefix="keras-scaffold-") as folder:
        root = Path(folder, "source")
        root.mkdir()
        _check_out(repository, found, root, recorded)
        yield root


def offline(source: str = SOURCE) -> dict[str, str]:
    """Variables with which git, and so plain copier, finds a source in our own history.

    What a project records stays the source; no network is used.
    """
    place = str(_own_place())
    plain = _address(source).removesuffix(".git")
    before = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    env = {"GIT_CONFIG_COUNT": str(before + 2)}
    # Copier adds the ending; of the two the longer match wins.
    for number, address in enumerate((plain, f"{plain}.git"), start=before):
        env[f"GIT_CONFIG_KEY_{number}"] = f"url.{place}.insteadOf"
        env[f"GIT_CONFIG_VALUE_{number}"] = address
    return env


# Sources


def _is_public(source: str) -> bool:
    """Whether it is the public address, in any of the ways of writing it."""
    plain = re.sub(r"^(ssh://)?git@github\.com[:/]", "https://github.com/", _address(source))
    return plain.rstrip("/").removesuffix(".git").lower() == SOURCE


def _is_ours(source: str) -> bool:
    """Whether our own history is the source's: public, this checkout, or a path that is gone."""
    if _is_url(source):
        return _is_public(source)
    place = Path(_address(source))
    root = template_root()
    return not place.exists() or (not is_packaged(root) and place.resolve() == root.resolve())


def _is_url(source: str) -> bool:
    return bool(re.match(r"[\w+]+://|[\w.-]+@[\w.-]+:", _address(source)))


def _address(source: str) -> str:
    """What git takes for a source as copier writes it."""
    source = source.removeprefix("git+")
    for alias, place in ALIASES.items():
        if source.startswith(alias):
            return place + source.removeprefix(alias).strip("/").removesuffix(".git") + ".git"
    return str(Path(source).expanduser()) if source.startswith("~") else source


def _own_place() -> Path:
    """Our own history: a package's bundle, or the checkout."""
    root = template_root()
    if is_packaged(root) and root.with_name(BUNDLE).is_file():
        return root.with_name(BUNDLE)
    if (root / ".git").exists():
        return root
    raise HistoryError(
        "this keras-scaffold carries no history of its template, as it was built or copied without "
        f"git; {UPGRADE}, or work from a clone of {SOURCE}"
    )


# Repositories


def _find(recorded: Recorded) -> tuple[Path, str]:
    """A repository that has the recorded version, and the name of its commit there."""
    _check_commit(recorded)
    name = f"{recorded.commit}^{{commit}}"
    tried = []
    for place in _places(recorded.source):
        try:
            repository = _repository(place)
        except GitError as error:
            tried.append(f"{place} cannot be read ({one_line(str(error))})")
            continue
        try:
            ask = ("rev-parse", "--verify", "--quiet", "--end-of-options", name)
            return repository, _ask(repository, *ask)
        except GitError:
            tried.append(f"it is not in {place}")
    if _is_public(recorded.source) and len(tried) < 2:
        tried.insert(0, "this keras-scaffold carries no history")
    advice = f"{UPGRADE}, or " if _is_ours(recorded.source) else ""
    raise HistoryError(
        f"version {recorded.commit} of the template cannot be found: {', and '.join(tried)}; "
        f"{advice}correct _src_path and _commit in the answers file"
    )


def _places(source: str) -> Iterator[str]:
    """Where a source's history may be, the nearest first."""
    if _is_public(source):
        with contextlib.suppress(HistoryError):
            yield str(_own_place())
        yield _address(source)
    else:
        yield str(_own_place()) if _is_ours(source) else _address(source)


@cache
def _repository(place: str) -> Path:
    """The git directory of a folder, or a clone of a bundle or an address.

    A clone is made once a process, and gone at its end.
    """
    if Path(place).is_dir():
        # Not that of a repository around it.
        ceiling = {"GIT_CEILING_DIRECTORIES": str(Path(place).resolve().parent)}
        return Path(git(Path(place), "rev-parse", "--absolute-git-dir", env=ceiling))
    folder = Path(tempfile.mkdtemp(prefix="keras-scaffold-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    git(folder, "clone", "--quiet", "--bare", "--", place, "history.git")
    return folder / "history.git"


def _ask(repository: Path, *arguments: str) -> str:
    return git(repository, "--git-dir=.", *arguments)


def _check_out(repository: Path, found: str, root: Path, recorded: Recorded) -> None:
    """Write a version's template into a folder; the repository's own files and index stay."""
    plain = ("core.autocrlf=false", f"core.hooksPath={os.devnull}", "core.fsmonitor=false")
    options = [word for option in plain for word in ("-c", option)]
    env = {"GIT_INDEX_FILE": str(root.with_name("index"))}
    try:
        explicit = [f"--git-dir={repository}", f"--work-tree={root}"]
        git(root, *options, *explicit, "checkout", "--quiet", found, "--", *TEMPLATE, env=env)
    except GitError as error:
        raise HistoryError(
            f"version {recorded.commit} of the template cannot be read from "
            f"{one_line(recorded.source)} ({one_line(str(error))}); is it a fork of {SOURCE}?"
        ) from None


def _references(address: str, pattern: str) -> dict[str, str]:
    """The references of an address that match a pattern, and the commit or tag of each."""
    try:
        output = git(Path(), "ls-remote", "--", _address(address), pattern)
    except GitError as error:
        raise HistoryError(
            f"{one_line(address)}: the template cannot be reached there ({one_line(str(error))})"
        ) from None
    lines = [line.split("\t") for line in output.splitlines()]
    return {name: commit for commit, name in lines if not name.endswith("^{}")}


# Order


def _check_commit(recorded: Recorded) -> None:
    """Refuse what is no name of a version before git sees it."""
    if not recorded.commit:
        raise HistoryError(
            "the answers file does not say which version of the template the project is from "
            "(_commit); scaffold adopt restores an earlier one"
        )
    if not re.fullmatch(r"\w+(?:[.+/-]\w+)*", recorded.commit, flags=re.ASCII):
        raise HistoryError(
            f"the answers file names no version of a template: {one_line(recorded.commit)} "
            "(_commit); scaffold adopt restores an earlier one"
        )


def _is_version(tag: str) -> bool:
    from packaging.version import InvalidVersion

    try:
        return bool(_version(tag))
    except InvalidVersion:
        return False


def _version(tag: str) -> Version:
    from packaging.version import Version

    return Version(tag)


def _described(name: str) -> tuple[Version, int] | None:
    """A version and the commits since, from `git describe`; None for a bare hash."""
    tag, count = name, 0
    if found := re.fullmatch(r"(.+)-(\d+)-g[0-9a-f]+", name):
        tag, count = found[1], int(found[2])
    if re.fullmatch(r"[0-9a-f]{4,64}", tag) or not _is_version(tag):
        return None
    return _version(tag), count


def _order(name: str, goal: Recorded) -> int:
    """Less than 0 where a version is before the goal, or beside it; 0 where they are the same."""
    one, other = _described(name), _described(goal.commit)
    if one and other and one != other:
        return -1 if one < other else 1
    repository, ours = _find(Recorded(goal.source, name))
    _, theirs = _find(goal)
    if ours == theirs:
        return 0
    try:
        _ask(repository, "merge-base", "--is-ancestor", theirs, ours)
    except GitError:
        return -1
    return 1
