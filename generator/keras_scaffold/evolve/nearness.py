"""How near a project is to a rendering: how many of the rendered lines still stand in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from keras_scaffold.evolve.project import OTHERS

# The modules by which a package is known for a rendered one, whatever its folder is called.
KNOWN_BY = ("model.py", "data.py")
NOT_LOOKED_AT = OTHERS | {"runs"}


@dataclass(frozen=True)
class FileNearness:
    """One rendered file, and how much of it stands."""

    path: str  # as it is in the project
    lines: int
    standing: int
    more: int = 0  # lines of the project's that were not rendered
    gone: bool = False


@dataclass(frozen=True)
class Nearness:
    """A rendering beside a project."""

    files: tuple[FileNearness, ...]

    @property
    def lines(self) -> int:
        """How many lines were rendered."""
        return sum(file.lines for file in self.files)

    @property
    def standing(self) -> int:
        """How many of them stand in the project, in the file that they were rendered into."""
        return sum(file.standing for file in self.files)

    @property
    def distance(self) -> int:
        """The lines that are in one of the two alone, by which two specs are compared."""
        return sum(file.lines - file.standing + file.more for file in self.files)

    @property
    def share(self) -> float:
        """The part that stands, of what is there of the files: a deleted one says nothing."""
        there = sum(file.lines for file in self.files if not file.gone)
        return self.standing / there if there else 0.0

    @property
    def gone(self) -> list[str]:
        """The rendered files that the project does not have."""
        return [file.path for file in self.files if file.gone]

    @property
    def differing(self) -> list[FileNearness]:
        """The files in which lines are missing, the one with the most first."""
        found = [file for file in self.files if not file.gone and file.standing < file.lines]
        return sorted(found, key=lambda file: file.standing - file.lines)

    def line(self) -> str:
        """All of it in words."""
        if not self.differing:
            return f"all {self.lines:,} rendered lines stand in the project"
        shown = [f"{it.path} ({it.standing} of {it.lines})" for it in self.differing[:3]]
        if len(self.differing) > 3:
            shown.append(f"{len(self.differing) - 3} more files")
        return (
            f"{percent(self.share)} of the rendered lines stand in the project; what differs: "
            + (", ".join(shown))
        )


def percent(share: float) -> str:
    """`97 %`; all is said of nothing less, and nothing of no more."""
    return f"{min(99, max(1, round(100 * share))) if 0 < share < 1 else round(100 * share)} %"


def counted(text: str) -> Counter[str]:
    """The lines of a text that say something; indentation is a formatter's."""
    return Counter(filter(None, map(str.strip, text.splitlines())))


@dataclass(frozen=True)
class Package:
    """The package of a project, which a person may have moved or renamed."""

    folder: str  # from the project's root
    modules: frozenset[str]

    @property
    def name(self) -> str:
        """What it is imported as."""
        return PurePosixPath(self.folder).name


def find_packages(root: Path) -> list[Package]:
    """The folders of a project that look like a rendered package, those under src/ first."""
    found = []
    for path in root.rglob(KNOWN_BY[0]):
        folder = path.parent.relative_to(root)
        if NOT_LOOKED_AT & set(folder.parts) or any(part.startswith(".") for part in folder.parts):
            continue
        if all((path.parent / name).is_file() for name in KNOWN_BY) and folder.parts:
            modules = frozenset(each.name for each in path.parent.glob("*.py"))
            found.append(Package(folder.as_posix(), modules))
    return sorted(found, key=lambda it: (not it.folder.startswith("src/"), it.folder))


def rendered_package(rendered: Iterable[str]) -> str:
    """The folder of the package in a rendering."""
    for path in rendered:
        if path.endswith(f"/{KNOWN_BY[0]}"):
            return path.removesuffix(f"/{KNOWN_BY[0]}")
    return ""


def moved(rendered: Mapping[str, str], package: Package) -> dict[str, str]:
    """A rendering with its package where the project has it."""
    folder = rendered_package(rendered)
    name = PurePosixPath(folder).name
    if not folder or folder == package.folder:
        return dict(rendered)
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return {
        re.sub(f"^{re.escape(folder)}/", f"{package.folder}/", path): word.sub(package.name, text)
        for path, text in rendered.items()
    }


def texts_of(root: Path, rendered: Iterable[str], package: Package | None) -> dict[str, str]:
    """The rendered files that a project has, and the other modules of its package."""
    paths = {*rendered}
    if package is not None:
        paths |= {f"{package.folder}/{name}" for name in package.modules}
    found = {}
    for path in sorted(paths):
        if (root / path).is_file():
            found[path] = (root / path).read_bytes().decode("utf-8-sig", errors="replace")
    return found


def compare(rendered: Mapping[str, str], project: Mapping[str, str]) -> Nearness:
    """Count the rendered lines that stand in the files of a project, and those that are more."""
    files = []
    for path in {**rendered, **project}:
        wanted, there = counted(rendered.get(path, "")), counted(project.get(path, ""))
        total, standing = wanted.total(), (wanted & there).total()
        more = there.total() - standing
        files.append(FileNearness(path, total, standing, more, path not in project))
    return Nearness(tuple(files))
