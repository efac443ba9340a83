"""What a build of keras-scaffold adds: the version from git's tags, and the template's history.

A package records in its projects which version of the template they are from, and has to find
that version again later, without network. So what `git describe` says and a bundle of the history
are put into the sdist, and into the wheel. A build without git works, and says what it lacks.
"""

from __future__ import annotations

import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
PACKAGE = ROOT / "generator" / "keras_scaffold"
sys.path.insert(0, str(PACKAGE.parent))

from keras_scaffold.git import GitError, git  # noqa: E402
from keras_scaffold.source import BUNDLE, COMMIT_FILE, commit, version_of  # noqa: E402

TEMPLATE = ("copier.yml", "template")
NOBODY = "keras-scaffold"
ROLES = ("AUTHOR", "COMMITTER")
# The same files give the same bytes, whoever builds.
ALIKE = ("-c", "pack.threads=1", "-c", "core.fsmonitor=false")


class History(NamedTuple):
    """What is packaged: the template's commit, a repository that has it, or why there is none."""

    commit: str
    repository: Path | None = None
    lacks: str = ""


def version() -> str:
    """The version of what is built, for pyproject.toml."""
    return version_of(_history().commit)


class HistoryHook(BuildHookInterface[Any]):
    """Puts the commit and the history into sdist and wheel; a checkout has both as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say which files come in besides those of the tree; hatchling calls this."""
        if version == "editable" or (PACKAGE / COMMIT_FILE).is_file():  # an sdist has them
            return
        history = _history()
        place = "keras_scaffold" if self.target_name == "wheel" else "generator/keras_scaffold"
        self._folder = tempfile.TemporaryDirectory(prefix="keras-scaffold-")
        written = Path(self._folder.name, COMMIT_FILE)
        written.write_text(f"{history.commit}\n" if history.commit else "", encoding="utf-8")
        build_data["force_include"][str(written)] = f"{place}/{COMMIT_FILE}"
        lacks = history.lacks
        if history.repository is not None:
            bundle = Path(self._folder.name, BUNDLE)
            try:
                git(history.repository, *ALIKE, "bundle", "create", str(bundle), "HEAD", "--all")
                build_data["force_include"][str(bundle)] = f"{place}/{BUNDLE}"
            except GitError as error:
                lacks = f"git could not bundle it ({error})"
        if lacks:
            self.app.display_warning(
                f"keras-scaffold: built without the template's history: {lacks}. It makes projects, "
                "but to update or change them it will need the network; build from a full clone, "
                "or from a released sdist."
            )


@cache
def _history() -> History:
    """Find out what is packaged; nothing is written into the checkout, its .git included."""
    described = commit(ROOT)
    if not (ROOT / ".git").exists():
        return History(described, lacks="there is no git repository here (a source archive?)")
    try:
        if git(ROOT, "rev-parse", "--is-shallow-repository") == "true":
            again = "`git fetch --unshallow --tags` gets the rest"
            return History(described, lacks=f"this is a shallow clone ({again})")
        repository = _repository()
        return History(git(repository, "describe", "--tags", "--always"), repository)
    except GitError as error:
        return History(described, lacks=f"git could not read the repository ({error})")


_folders: list[tempfile.TemporaryDirectory[str]] = []  # kept until the process ends


def _repository() -> Path:
    """A repository beside the checkout's: its tags, and a branch main that is what is packaged.

    Where the template has changes that are not committed, main has one commit more, with them;
    else what a project records could not be rendered again.
    """
    folder = tempfile.TemporaryDirectory(prefix="keras-scaffold-")
    _folders.append(folder)
    repository = Path(folder.name, "history.git")
    git(ROOT, "clone", "--quiet", "--bare", "--shared", "--", str(ROOT), str(repository))
    head = git(repository, "rev-parse", "HEAD")
    for reference in git(repository, "for-each-ref", "--format=%(refname)", "refs/heads").split():
        git(repository, "update-ref", "--no-deref", "-d", reference)
    here = (f"--git-dir={repository}", f"--work-tree={ROOT}")
    git(ROOT, *here, "read-tree", head)
    git(ROOT, *here, *ALIKE, "add", "--all", "--", *TEMPLATE)
    tree = git(ROOT, *here, "write-tree")
    if tree != git(repository, "rev-parse", f"{head}^{{tree}}"):
        who = {f"GIT_{role}_{what}": NOBODY for role in ROLES for what in ("NAME", "EMAIL")}
        when = git(repository, "show", "--no-patch", "--format=%ct +0000", head)
        dates = {f"GIT_{role}_DATE": when for role in ROLES}
        message = "The template as it was packaged, with what was not committed"
        arguments = ("commit-tree", tree, "-p", head, "-m", message)
        head = git(repository, *arguments, env={**who, **dates})
    git(repository, "update-ref", "refs/heads/main", head)
    git(repository, "symbolic-ref", "HEAD", "refs/heads/main")
    return repository
