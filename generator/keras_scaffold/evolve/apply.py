"""Planning a change of the spec or of the template: what it does to a project's files."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from keras_scaffold.evolve import edits
from keras_scaffold.evolve.change import (
    Change,
    apply,
    check_undisturbed,
    earlier_files,
    files_now,
    plan,
)
from keras_scaffold.evolve.project import Project, ProjectError, open_project, parse_answers
from keras_scaffold.evolve.renames import CODE, Renames, mentions, renames
from keras_scaffold.evolve.repository import Repository
from keras_scaffold.evolve.three_way import Scratch, scratch
from keras_scaffold.render.history import ANSWERS_FILE, Recorded, template_at
from keras_scaffold.spec import Given, Spec, SpecError, validate, without_unread_codes

# From the spec as it is, and as it was before each of the last changes, to the one that is wanted.
Edit = Callable[[Given, list[Given]], Given]


@contextmanager
def locked_repository(root: Path) -> Iterator[Repository]:
    """The repository of a project, of which we are the only command at work in it."""
    repository = Repository.around(root)
    with repository.locked():
        yield repository


@dataclass
class PlannedChange:
    """A change that is not made yet."""

    project: Project
    spec: Spec
    change: Change
    repository: Repository
    work: Scratch
    note: str = ""  # of what was not committed
    # FILE:LINE: NAME, where the person's code may mean what was renamed, or a column of that name.
    mentions: list[str] = field(default_factory=list)

    def diff(self, *options: str) -> str:
        """What the change does to the person's files, as git shows it."""
        return self.work.diff(self.change.before, self.change.merged.tree, *options)

    def named(self, sign: str) -> dict[str, list[str]]:
        """The functions and classes that come (`+`) or go (`-`), by file."""
        found: dict[str, list[str]] = {}
        path = ""
        for line in self.diff("--unified=0", "--no-color").splitlines():
            if line.startswith(("--- ", "+++ ")):
                path = line[6:] if line[4:] != "/dev/null" else path
            elif name := re.match(rf"{re.escape(sign)}(?:def|class) (\w+)", line):
                found.setdefault(path, []).append(name[1])
        return found

    def new_columns(self) -> list[str]:
        """The columns that a manifest needs from now on."""
        before = self.project.spec.columns
        return [column for column in self.spec.columns if column not in before]

    def apply(self) -> None:
        """Make the change."""
        apply(self.repository, self.work, self.change)

    def commit(self) -> None:
        """Commit what the change wrote."""
        title = self.change.title
        self.repository.commit(self.change.files, f"{title[:1].upper()}{title[1:]}")


@contextmanager
def plan_change(
    repository: Repository,
    title: str,
    edit: Edit | None = None,
    *,
    to: Recorded | None = None,
    renamed: tuple[str, str] | None = None,
    force: bool = False,
    dry_run: bool = False,
    rejects: bool = False,
) -> Iterator[PlannedChange]:
    """Work out what becomes of a project when its spec is edited, or its template another version.

    `renamed` is an input's or an output's name, before and after. SpecError where it cannot be.
    """
    check_undisturbed(repository)
    project = open_project(repository.project)
    spec = project.spec
    if edit is not None:
        earlier = _earlier_specs(repository)
        given = without_unread_codes(edit(project.given, earlier))
        spec = validate(edits.as_before(given, earlier))
    goal = to or project.recorded
    if spec.given.get("table", {}) != project.given.get("table", {}):
        _check_table(goal)
    if spec.given.get("features") != project.given.get("features"):
        _check_features(spec.given.get("features", ()), goal)
    before, note = files_now(repository, force=force, title=title, look_only=dry_run)
    with scratch(repository) as work:
        base, wanted = work.folder / "rendered-before", work.folder / "rendered-after"
        _render(project.given, project.recorded, base)
        _render(spec.given, goal, wanted)
        moves = _moves(renamed, base, wanted)
        rewrite = moves.apply if moves else None
        merged = work.merge(base, before, wanted, f"scaffold {title}", rewrite)
        if rejects and merged.conflicts:
            merged = work.leave_rejects(merged, before, title)
        change = plan(merged, work, before, title)
        left = _mentions(renamed[0], work.work, wanted) if renamed else []
        yield PlannedChange(project, spec, change, repository, work, note, left)


def _check_features(features: Iterable[str], recorded: Recorded) -> None:
    """Refuse features that the project's version of the template does not have."""
    with template_at(recorded) as root:
        for name in features:
            if not (root / "template" / "features" / name / "feature.yml").is_file():
                raise ProjectError(
                    f"version {recorded.commit} of the template has no feature '{name}';"
                    " run scaffold update first"
                )


def _check_table(recorded: Recorded) -> None:
    """Refuse a table's notation that the project's version of the template would not read."""
    with template_at(recorded) as root:
        if not (root / "template" / "table.yml").is_file():
            raise ProjectError(
                f"version {recorded.commit} of the template has no key 'table';"
                " run scaffold update first"
            )


def _earlier_specs(repository: Repository) -> list[Given]:
    specs = []
    for text in earlier_files(repository, ANSWERS_FILE):
        with contextlib.suppress(SpecError):
            specs.append(parse_answers(text, Path(ANSWERS_FILE))[0])
    return specs


def _render(given: Given, recorded: Recorded, folder: Path) -> None:
    from keras_scaffold.render.project import RenderError, render_version

    with template_at(recorded) as root:
        try:
            render_version(given, folder, root, recorded)
        except RenderError as error:
            raise SpecError(f"{error} (by version {recorded.commit} of the template)") from None


def _moves(renamed: tuple[str, str] | None, base: Path, wanted: Path) -> Renames | None:
    """What a rename does to names in code."""
    before, after = _texts(base), _texts(wanted)
    if renamed is not None:
        return renames([renamed], before, after)
    # Not the names that this tool makes of the project's: an earlier version made others.
    old, new = (_package(texts) for texts in (before, after))
    names = [(old, new), (old.replace("_", "-"), new.replace("_", "-"))]
    pairs = [(one, other) for one, other in dict(names).items() if one and other != one]
    return renames(pairs, before, after, bare=True) if pairs else None


def _package(texts: dict[str, str]) -> str:
    """The package that was rendered; none where a template of somebody's has no such folder."""
    folders = (re.fullmatch(r"src/(\w+)/__main__\.py", path) for path in texts)
    return next((found[1] for found in folders if found), "")


def _mentions(name: str, merged: Path, wanted: Path) -> list[str]:
    """Where the old name is left in the person's Python files, in lines that are not rendered."""
    rendered = {
        line.strip()
        for path, text in _texts(wanted).items()
        if path.endswith(".py")
        for line in text.splitlines()
    }
    found = []
    for path in sorted(merged.rglob("*.py")):
        if path.is_symlink() or not path.is_file():
            continue
        text = path.read_bytes().decode(errors="replace")
        place = path.relative_to(merged).as_posix()
        found += [f"{place}:{line}: {name}" for line in mentions(name, text, rendered)]
    return found


def _texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in folder.rglob("*")
        if path.suffix in CODE and path.is_file()
    }
