"""The git repository around a project: what is committed, what is not, and who is at work in it.

Nothing here writes into the work tree. What a change needs to be taken back is kept under refs of
our own, which belong to one work tree and are neither branches nor pushed.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from keras_scaffold import locks
from keras_scaffold.git import GitError, call, environment
from keras_scaffold.spec import SpecError, one_line

OLDEST_GIT = (2, 29)  # fetch --no-write-fetch-head

# Whatever a person's configuration says: no hook runs, no line end changes, nobody signs.
PLAIN = (
    "core.hooksPath=/dev/null",
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.quotePath=false",
    "core.fsmonitor=false",
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
)
CONFLICT_MARKERS = ("^<<<<<<< ", "^=======.?$", "^>>>>>>> ")  # a file with conflicts has all three
# Variables of the environment by which a person tells git how to diff, merge, print ...
SETTINGS = (
    *("GIT_CONFIG", "GIT_EXTERNAL_DIFF", "GIT_DIFF", "GIT_ATTR", "GIT_DEFAULT", "GIT_TRACE"),
    *("GIT_MERGE", "GIT_LITERAL", "GIT_GLOB", "GIT_NOGLOB", "GIT_ICASE", "GIT_PAGER"),
)
# Our own commits are never on a branch; they need no name of a person.
NOBODY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "keras-scaffold"), ("EMAIL", "keras-scaffold@localhost"))
}


class RepositoryError(SpecError):
    """The repository cannot serve, or git refused; the text is one line with its reason."""


def run_git(
    folder: Path,
    *arguments: str,
    options: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    allowed: tuple[int, ...] = (0,),
    alone: bool = False,
) -> bytes:
    """What git prints; RepositoryError with the reason that it gives where it fails.

    `alone` leaves out what the environment says to git, its configuration too.
    """
    around = environment()
    if alone:
        around = {key: value for key, value in around.items() if not key.startswith(SETTINGS)}
        around |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
    settings = [word for option in options for word in ("-c", option)]
    try:
        done = call(
            folder,
            *settings,
            *arguments,
            env={"LC_ALL": "C", **(env or {})},
            around=around,
            stdin=stdin,
        )
    except GitError:
        raise RepositoryError(
            "git is not installed, or cannot be run here; changing a project needs it"
        ) from None
    if done.returncode not in allowed:
        output = done.stderr.decode(errors="replace").strip().splitlines()
        output = [line for line in output if line.startswith(("fatal:", "error:"))] or output
        reason = one_line(output[0]) if output else f"exit code {done.returncode}"
        raise RepositoryError(f"git {arguments[0]}: {reason.removeprefix('fatal: ')}")
    return done.stdout


@dataclass(frozen=True)
class Repository:
    """The repository that a project lies in, at its top or in a folder of it (`prefix`)."""

    project: Path
    top: Path
    prefix: str  # with a slash at its end; empty at the top

    @classmethod
    def around(cls, project: Path) -> Repository:
        """Find it; RepositoryError where there is none, or nothing is committed yet."""
        _check_version(project)
        try:
            output = run_git(project, "rev-parse", "--show-toplevel", "--show-prefix").decode()
        except RepositoryError as error:
            if "dubious ownership" in str(error):
                raise RepositoryError(
                    f"{project}: belongs to another user, so git does not open it;"
                    " see git's safe.directory"
                ) from None
            raise RepositoryError(
                f"{project}: is in no git repository, so a change could lose what you have;"
                " first run git init && git add -A && git commit -m Start"
            ) from None
        top, _, prefix = output.removesuffix("\n").partition("\n")
        repository = cls(project, Path(top), prefix.removesuffix("\n"))
        try:
            _ = repository.head
        except RepositoryError:
            raise RepositoryError(
                f"{project}: nothing is committed yet, so a change could lose what you have;"
                " first run git add -A && git commit -m Start"
            ) from None
        return repository

    def git(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Run git in the project's folder, with its own configuration."""
        options = ("core.quotePath=false", "core.hooksPath=/dev/null")
        output = run_git(self.project, *arguments, options=options, env=env, stdin=stdin)
        return output.decode(errors="surrogateescape")

    def at_top(self, *arguments: str, stdin: bytes = b"") -> None:
        """Run git where paths begin at the repository's top."""
        options = ("core.quotePath=false", "core.hooksPath=/dev/null")
        run_git(self.top, *arguments, options=options, stdin=stdin)

    def blobs(self, tree: str) -> dict[str, str]:
        """The content of each file of a tree, as git names it."""
        output = self.git("ls-tree", "-r", "-z", "--full-tree", tree)
        entries = [entry.partition("\t") for entry in output.split("\0") if entry]
        return {path: meta.split()[2] for meta, _, path in entries}

    @cached_property
    def head(self) -> str:
        """The tree of the project's folder in the last commit."""
        return self.git("rev-parse", "--verify", "-q", f"HEAD:{self.prefix}").strip()

    @cached_property
    def folder(self) -> Path:
        """Where git keeps what belongs to this work tree."""
        return Path(self.git("rev-parse", "--absolute-git-dir").strip())

    @cached_property
    def objects(self) -> Path:
        """Where git keeps its objects."""
        path = Path(self.git("rev-parse", "--git-path", "objects").strip())
        return path if path.is_absolute() else self.project / path

    @cached_property
    def object_format(self) -> str:
        """sha1 or sha256."""
        return self.git("rev-parse", "--show-object-format").strip()

    @cached_property
    def key(self) -> str:
        """The project among those of the repository."""
        return hashlib.sha256(self.prefix.encode()).hexdigest()[:12] if self.prefix else "root"

    def ref(self, name: str) -> str:
        """The full name of a ref of ours."""
        return f"refs/worktree/keras-scaffold/{self.key}/{name}"

    def find(self, revision: str) -> str | None:
        """The object that a revision names; None where there is none."""
        output = run_git(self.project, "rev-parse", "--verify", "-q", revision, allowed=(0, 1, 128))
        return output.decode().strip() or None

    # What is there

    def changed(self) -> list[str]:
        """The project's tracked files that differ from the last commit."""
        output = self.git("status", "--porcelain=v1", "-z", "--untracked-files=no", "--", ".")
        entries = iter(output.split("\0"))
        paths = []
        for entry in entries:
            if not entry:
                continue
            paths.append(entry[3:].removeprefix(self.prefix))
            if entry[0] in "RC":  # the old name follows
                next(entries, None)
        return paths

    def unmerged(self) -> list[str]:
        """Files with conflicts that nobody has resolved."""
        output = self.git("ls-files", "-u", "-z", "--", ".")
        return sorted({entry.partition("\t")[2] for entry in output.split("\0") if entry})

    def marked(self) -> list[str]:
        """Tracked files that hold conflict markers, committed or not."""
        patterns = [word for mark in CONFLICT_MARKERS for word in ("-e", mark)]
        search = ("grep", "-lzIE", "--all-match", *patterns, "--", ".")
        output = run_git(self.project, *search, allowed=(0, 1), alone=True)
        return [path for path in output.decode(errors="surrogateescape").split("\0") if path]

    def snapshot(self, tracked_in: str | None = None) -> str:
        """The tree of the files as they are now; the index stays as it is.

        Those that the index or a given tree has; other files are not looked at.
        """
        with tempfile.TemporaryDirectory(prefix="keras-scaffold-") as folder:
            index = Path(folder, "index")
            env = {"GIT_INDEX_FILE": str(index)}
            if tracked_in is None:
                own = Path(self.git("rev-parse", "--git-path", "index").strip())
                shutil.copy2(own if own.is_absolute() else self.project / own, index)
            elif self.prefix:
                self.git("read-tree", f"--prefix={self.prefix}", tracked_in, env=env)
            else:
                self.git("read-tree", tracked_in, env=env)
            self.git("add", "-u", "--", ".", env=env)
            where = [f"--prefix={self.prefix}"] if self.prefix else []
            return self.git("write-tree", *where, env=env).strip()

    def commit(self, paths: list[str], message: str) -> None:
        """Commit files of the project on the branch, as the person would: their hooks run."""
        names = "".join(f"{path}\0" for path in paths).encode(errors="surrogateescape")
        listed = ("--pathspec-from-file=-", "--pathspec-file-nul")
        run_git(self.project, "--literal-pathspecs", "add", "-A", *listed, stdin=names)
        run_git(
            self.project, "--literal-pathspecs", "commit", "-q", "-m", message, *listed, stdin=names
        )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only command at work in the project; the lock ends with the process."""
        path = self.folder / f"keras-scaffold-{self.key}.lock"
        with locks.held(path) as alone:
            if not alone:
                raise RepositoryError(
                    f"{self.project}: locked by another scaffold command; wait until it ends"
                )
            yield


def _check_version(folder: Path) -> None:
    output = run_git(folder, "version").decode().split()
    numbers = tuple(int(part) for part in output[2].split(".")[:2] if part.isdigit())
    if numbers < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        raise RepositoryError(f"git {output[2]} is too old for this; install git {oldest} or newer")
