"""Three versions of a project into one: what was rendered, what people made of it, what is wanted.

It is an ordinary git merge in a repository made for it, so that renamed files and folders are
followed. Two things are added: line ends are those of the person's files, and changes of neighbouring
lines, which git calls a conflict, are both taken.

Copier's own update puts the person's changes as a patch onto the new rendering, which finds a place
by three lines of context and can find a wrong one; a merge compares whole files (adr/0005).
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from keras_scaffold.evolve.repository import NOBODY, PLAIN, Repository, run_git
from keras_scaffold.render.history import ANSWERS_FILE

# The files are taken as git keeps them: no line end, encoding or keyword is turned into another, and
# no merge driver of a person's decides.
ATTRIBUTES = "* -text !eol !crlf !filter !ident !working-tree-encoding !merge !diff\n"
LINK = "160000"  # the mode of a submodule
HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", flags=re.M)
Rewrite = Callable[[str, str], str]  # the path and the text of a file -> its text


@dataclass
class Merged:
    """The result: a tree, and the files in which both sides changed the same lines."""

    tree: str
    conflicts: list[str] = field(default_factory=list)
    # For those that are in all three versions: base, the person's and the wanted one, as blobs.
    stages: dict[str, dict[int, tuple[str, str]]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)  # by the person, who wants no news of them
    edited: list[str] = field(default_factory=list)  # by the person, where the change deletes them


class Scratch:
    """A repository that a merge is made in; it borrows the objects of the person's."""

    def __init__(self, folder: Path, borrowed: Repository) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        self.git("init", "-q", "--template=", f"--object-format={borrowed.object_format}", ".")
        (self.work / ".git" / "info").mkdir()
        (self.work / ".git" / "info" / "attributes").write_text(ATTRIBUTES)
        alternates = self.work / ".git" / "objects" / "info" / "alternates"
        alternates.parent.mkdir(parents=True, exist_ok=True)
        alternates.write_bytes(os.fsencode(borrowed.objects.resolve()) + b"\n")

    def git(
        self,
        *arguments: str,
        stdin: bytes = b"",
        allowed: tuple[int, ...] = (0,),
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Run git here, whatever a person's configuration says."""
        done = run_git(
            self.work,
            *arguments,
            options=PLAIN,
            env={**NOBODY, "HOME": str(self.folder), "XDG_CONFIG_HOME": "", **(env or {})},
            stdin=stdin,
            allowed=allowed,
            alone=True,
        )
        return done.decode(errors="surrogateescape")

    # Trees and files

    def tree_of(self, folder: Path) -> str:
        """The tree of a folder with all its files, whatever a .gitignore in it says."""
        index = self.folder / "index-of-a-folder"
        env = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(folder)}
        self.git("add", "-A", "-f", ".", env=env)
        tree = self.git("write-tree", env=env).strip()
        index.unlink()
        return tree

    def files_of(self, tree: str, folder: Path) -> None:
        """Write a tree's files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        index = self.folder / "index-of-a-tree"
        env = {"GIT_INDEX_FILE": str(index)}
        self.git("read-tree", tree, env=env)
        self.git("checkout-index", "-a", "-f", f"--prefix={folder}/", env=env)
        index.unlink()

    def commit(self, tree: str, message: str, *parents: str) -> str:
        """A commit on no branch."""
        words = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *words, stdin=message.encode()).strip()

    def diff(self, before: str, after: str, *options: str) -> str:
        """What changes from one tree to another, for a person's eyes."""
        return self.git("diff", *options, before, after)

    def changed(self, before: str, after: str) -> list[str]:
        """The files that differ between two trees."""
        output = self.git("diff-tree", "-r", "-z", "--no-renames", "--name-only", before, after)
        return [path for path in output.split("\0") if path]

    # Merging

    def merge(
        self, base: Path, ours: str, theirs: Path, label: str, rewrite: Rewrite | None = None
    ) -> Merged:
        """Merge two rendered folders around the tree of a person's files.

        `rewrite` is what a rename does to the texts of both, the old rendering and the person's.
        """
        own = self.folder / "ours"
        self.files_of(ours, own)
        _keep_answers(base, own)
        if rewrite is not None:
            _rewrite_files(base, rewrite)
            _rewrite_files(own, rewrite)
        for folder in (base, theirs):
            _take_line_ends(folder, own)
        start = self.commit(self.tree_of(base), "rendered before")
        person = self.commit(self.tree_of(own), "yours", start)
        wanted = self.commit(self.tree_of(theirs), label, start)
        self.git("checkout", "-q", "-f", "--detach", person)
        self.git(
            *("-c", "merge.directoryRenames=true", "-c", "merge.renames=true"),
            *("-c", "merge.renameLimit=10000", "-c", "diff.renameLimit=10000"),
            *("merge-recursive", start, "--", person, wanted),
            allowed=(0, 1),
            env={f"GITHEAD_{person}": "yours", f"GITHEAD_{wanted}": label},
        )
        stages = self._stages()
        deleted = sorted(path for path, known in stages.items() if set(known) == {1, 3})
        for path in list(stages):
            if path in deleted:
                (self.work / path).unlink(missing_ok=True)
                del stages[path]
            elif self._settle(path, stages[path], label, renamed=rewrite is not None):
                del stages[path]
        edited = sorted(path for path, known in stages.items() if set(known) == {1, 2})
        return Merged(self._written(ours), sorted(stages), stages, deleted, edited)

    def _written(self, ours: str) -> str:
        """The tree of the work tree; the submodules are those of the person's."""
        self.git("add", "-A", "-f", ".")
        entries = self.git("ls-tree", "-r", "-z", ours).split("\0")
        links = "".join(f"{entry}\0" for entry in entries if entry.startswith(f"{LINK} "))
        if links:
            kept = links.encode(errors="surrogateescape")
            self.git("update-index", "-z", "--index-info", stdin=kept)
        return self.git("write-tree").strip()

    def _stages(self) -> dict[str, dict[int, tuple[str, str]]]:
        """The files that git could not merge, and the mode and blob of each version."""
        stages: dict[str, dict[int, tuple[str, str]]] = {}
        for entry in self.git("ls-files", "-u", "-z").split("\0"):
            if entry:
                mode, blob, rest = entry.split(" ", 2)
                stage, _, path = rest.partition("\t")
                stages.setdefault(path, {})[int(stage)] = (mode, blob)
        return stages

    def blob(self, blob: str) -> bytes:
        """The content of a blob."""
        return run_git(self.work, "cat-file", "blob", blob, options=PLAIN, alone=True)

    def _settle(
        self, path: str, stages: dict[int, tuple[str, str]], label: str, *, renamed: bool
    ) -> bool:
        """Merge a file line by line where git saw a conflict; whether none is left."""
        if set(stages) != {1, 2, 3} or not all(
            mode.startswith("100") for mode, _ in stages.values()
        ):
            return False
        try:
            parts = self._parts(stages)
        except UnicodeDecodeError:
            return False
        if renamed:
            parts = [_without_reflow(part) for part in parts]
        text = "".join(part if isinstance(part, str) else part.marked(label) for part in parts)
        # As bytes: Python would turn the line ends of this machine into it.
        (self.work / path).write_bytes(text.encode())
        return all(isinstance(part, str) for part in parts)

    def _parts(self, stages: dict[int, tuple[str, str]]) -> list[str | Conflict]:
        """The three versions of a file merged; UnicodeDecodeError where it is no text."""
        base = _lines(self.blob(stages[1][1]))
        edits = [self._edits(stages[1][1], stages[number][1]) for number in (2, 3)]
        return merge_edits(base, *edits)

    def _edits(self, before: str, after: str) -> list[Edit]:
        """What git's diff says was done to a file's lines."""
        lines = _lines(self.blob(after))
        output = self.git("diff", "-U0", "--histogram", "--text", before, after)
        edits = []
        for found in HUNK.finditer(output):
            start, count, to, taken = (1 if part is None else int(part) for part in found.groups())
            # Where nothing is taken or put, git names the line before.
            start, to = start - (count > 0), to - (taken > 0)
            edits.append(Edit(start, start + count, tuple(lines[to : to + taken])))
        return edits

    def leave_rejects(self, merged: Merged, ours: str, label: str) -> Merged:
        """The person's version of each file with a conflict, and beside it what did not go in."""
        for path, stages in merged.stages.items():
            versions = {
                number: self.blob(blob).decode(errors="replace")
                for number, (_, blob) in stages.items()
            }
            before, wanted = versions.get(1, ""), versions.get(3, "")
            if set(stages) == {1, 2, 3}:
                parts = self._parts(stages)
                before = "".join(it if isinstance(it, str) else "".join(it.ours) for it in parts)
                wanted = "".join(it if isinstance(it, str) else "".join(it.theirs) for it in parts)
                (self.work / path).write_bytes(before.encode())
            refused = difflib.unified_diff(
                before.splitlines(keepends=True),
                wanted.splitlines(keepends=True),
                f"a/{path}",
                f"b/{path}",
            )
            (self.work / f"{path}.rej").write_bytes("".join(refused).encode())
        return replace(merged, tree=self._written(ours), stages={})


@contextmanager
def scratch(repository: Repository) -> Iterator[Scratch]:
    """A repository for one merge, gone afterwards."""
    with TemporaryDirectory(prefix="keras-scaffold-", ignore_cleanup_errors=True) as folder:
        yield Scratch(Path(folder), repository)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _rewrite_files(folder: Path, rewrite: Rewrite) -> None:
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if name == ANSWERS_FILE:
            continue
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError:
            continue
        if (changed := rewrite(name, text)) != text:
            path.write_bytes(changed.encode())


def _keep_answers(base: Path, own: Path) -> None:
    """The answers file is ours to write: comments in it, or another order, are no edits."""
    if (base / ANSWERS_FILE).is_file() and (own / ANSWERS_FILE).is_file():
        (own / ANSWERS_FILE).unlink()  # a link could lead to a file of the person's
        shutil.copy(base / ANSWERS_FILE, own / ANSWERS_FILE)


def _take_line_ends(rendered: Path, own: Path) -> None:
    """Give rendered files the line ends of Windows where the person's file has them."""
    for path in _files(rendered):
        mine = own / path.relative_to(rendered)
        if not mine.is_file():
            continue
        text = mine.read_bytes()
        if text.count(b"\r\n") * 2 > text.count(b"\n"):
            path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


# Lines


@dataclass
class Conflict:
    """Lines that both sides changed."""

    base: list[str]
    ours: list[str]
    theirs: list[str]

    def marked(self, label: str) -> str:
        """The lines between git's conflict markers."""
        windows = any(line.endswith("\r\n") for line in (*self.ours, *self.theirs))
        end = "\r\n" if windows else "\n"
        sides = [_closed(lines, end) for lines in (self.ours, self.theirs)]
        return f"<<<<<<< yours{end}{sides[0]}======={end}{sides[1]}>>>>>>> {label}{end}"


def _without_reflow(part: str | Conflict) -> str | Conflict:
    """The person's lines where a rename only breaks the template's lines in other places.

    A longer name can give each argument of a call a line of its own.
    """
    if isinstance(part, Conflict):
        base, theirs = (
            re.sub(r",(?=[)\]}])", "", "".join("".join(lines).split()))
            for lines in (part.base, part.theirs)
        )
        if base == theirs:
            return "".join(part.ours)
    return part


def _lines(content: bytes) -> list[str]:
    """The lines as git counts them: a form feed ends none."""
    return re.findall(r"[^\n]*\n|[^\n]+", content.decode())


def _closed(lines: list[str], end: str) -> str:
    text = "".join(lines)
    return text if not text or text.endswith("\n") else text + end


@dataclass(frozen=True)
class Edit:
    """Lines start to stop of the base become others."""

    start: int
    stop: int
    lines: tuple[str, ...]

    def clashes(self, other: Edit) -> bool:
        """Whether both change a line, or put lines into the same place."""
        if self.start == self.stop == other.start == other.stop:
            return True
        return (
            max(self.start, other.start) < min(self.stop, other.stop)
            # An insertion into the midst of what the other takes away.
            or self.start < other.start == other.stop < self.stop
            or other.start < self.start == self.stop < other.stop
        )


def merge_edits(base: list[str], ours: list[Edit], theirs: list[Edit]) -> list[str | Conflict]:
    """Apply both sides' edits, each in order, to a text; neighbouring ones are no conflict."""
    parts = [part for part in _merged(base, ours, theirs) if part]
    for place, part in enumerate(parts[:-1]):
        # A side whose last line has no end, to which the other adds some.
        if isinstance(part, str) and not part.endswith("\n"):
            parts[place] = f"{part}\n"
    return parts


def _merged(base: list[str], ours: list[Edit], theirs: list[Edit]) -> Iterator[str | Conflict]:
    mine, wanted = list(ours), list(theirs)
    place = 0
    while mine or wanted:
        group = _next_group(mine, wanted)
        start = min(edit.start for side in group for edit in side)
        stop = max(edit.stop for side in group for edit in side)
        yield "".join(base[place:start])
        if all(group) and group[0] != group[1]:
            sides = [_applied(base, start, stop, side) for side in group]
            yield Conflict(base[start:stop], *sides)
        else:
            yield "".join(_applied(base, start, stop, group[0] or group[1]))
        place = stop
    yield "".join(base[place:])


def _next_group(mine: list[Edit], wanted: list[Edit]) -> tuple[list[Edit], list[Edit]]:
    """Take the first edit from the lists, and all that clash with it, one through another."""
    group: tuple[list[Edit], list[Edit]] = ([], [])
    first = 0 if not wanted or (mine and _order(mine[0]) <= _order(wanted[0])) else 1
    sides = (mine, wanted)
    group[first].append(sides[first].pop(0))
    found = True
    while found:
        found = False
        for here, there in ((0, 1), (1, 0)):
            rest = sides[here]
            if rest and any(rest[0].clashes(edit) for edit in group[there]):
                group[here].append(rest.pop(0))
                found = True
    return group


def _order(edit: Edit) -> tuple[int, int]:
    return edit.start, edit.stop


def _applied(base: list[str], start: int, stop: int, edits: list[Edit]) -> list[str]:
    lines: list[str] = []
    place = start
    for edit in edits:
        lines += [*base[place : edit.start], *edit.lines]
        place = edit.stop
    return lines + base[place:stop]
