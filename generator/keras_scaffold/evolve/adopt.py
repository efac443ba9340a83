"""Writing the answers file anew for a project that lost it: the spec whose rendering is nearest."""

from __future__ import annotations

import ast
import contextlib
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_scaffold.evolve.answers import Comparer
from keras_scaffold.evolve.nearness import (
    KNOWN_BY,
    Nearness,
    Package,
    find_packages,
    texts_of,
)
from keras_scaffold.evolve.project import ProjectError, open_project
from keras_scaffold.evolve.reading import Code
from keras_scaffold.evolve.repository import Repository, RepositoryError
from keras_scaffold.evolve.search import Search
from keras_scaffold.render import history
from keras_scaffold.render.history import ANSWERS_FILE, Recorded, template_at
from keras_scaffold.render.project import render_version
from keras_scaffold.spec import (
    Spec,
    SpecError,
    check_project_name,
    default_project_name,
    package_name,
    validate,
)

NEAR = 0.9  # what git has is taken where it names the same, and so much of it stands
LEAST = 0.5  # below it the project could be somebody else's
MOST_VERSIONS = 12

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Adopted:
    """An answers file that fits a project, and how well."""

    spec: Spec
    recorded: Recorded
    nearness: Nearness
    source: str  # where it is from, in words
    text: str


def check_needed(root: Path) -> None:
    """Refuse where the answers file serves."""
    try:
        recorded = open_project(root).recorded
        with template_at(recorded):
            pass
    except SpecError:
        return
    raise ProjectError(
        f"{root / ANSWERS_FILE}: is there and can be read; scaffold doctor says how near the project"
        " is to it, --force writes it anew all the same"
    )


def adopt(root: Path, progress: Progress = lambda _: None) -> Adopted:
    """Find the answers file that is nearest to a project; SpecError where there is none."""
    packages = find_packages(root)
    if not packages:
        raise ProjectError(
            f"{root}: there is no package with {' and '.join(KNOWN_BY)} in it, so scaffold did not"
            " make this project; name the project's folder"
        )
    package = packages[0]
    code = _code(root, package)
    with Comparer(root, package) as comparer:
        found = _known(root, comparer, progress)
        if found is None or not _is_of(found, code):
            searched = _search(root, package, code, comparer, progress)
            if found is None or searched.nearness.distance < found.nearness.distance:
                found = searched
    return found


def _code(root: Path, package: Package) -> Code:
    files = [root / package.folder / name for name in KNOWN_BY]
    return Code(*(path.read_bytes().decode("utf-8-sig", errors="replace") for path in files))


def _is_of(found: Adopted, code: Code) -> bool:
    """Whether the code has the same inputs and outputs as a spec, and is near to it."""
    names = [[entry["name"] for entry in them] for them in (found.spec.inputs, found.spec.outputs)]
    same = names == [code.names("inputs"), code.names("outputs")]
    return same and found.nearness.share >= NEAR


def _known(root: Path, comparer: Comparer, progress: Progress) -> Adopted | None:
    """What git has, or the file itself where only its version is wrong."""
    progress("what git has")
    found: list[Adopted] = []
    try:
        former = comparer.nearest(Repository.around(root))
        if former is not None and former.nearness is not None:
            spec, where = validate(former.given), f"as it was in {former.commit} ({former.when})"
            found.append(Adopted(spec, former.recorded, former.nearness, where, former.text))
    except RepositoryError:
        pass
    try:
        given = open_project(root).given
        for recorded in _versions():
            near = comparer.nearness(given, recorded)
            where = "the spec that is there, of the version that it is nearest to"
            found.append(Adopted(validate(given), recorded, near, where, ""))
    except SpecError:
        pass
    best = min(found, key=lambda it: it.nearness.distance, default=None)
    return _with_text(best) if best is not None and not best.text else best


def _search(
    root: Path, package: Package, code: Code, comparer: Comparer, progress: Progress
) -> Adopted:
    """What the code says."""
    given: dict[str, Any] | None = None
    name = default_project_name(package.name)
    recorded = _versions()[0]
    for _ in range(2):
        found = _with_version(root, package, comparer, code, recorded, name, progress)
        given = {**found, "project_name": _project_name(root, package, comparer, found, recorded)}
        progress("the version of the template")
        nearest = _nearest_version(comparer, given)
        if nearest == recorded:
            break
        recorded = nearest
    assert given is not None  # the search gave it, or an error
    near = comparer.nearness(given, recorded)
    where = "found by what stands in the code"
    return _with_text(Adopted(validate(given), recorded, near, where, ""))


def _with_version(
    root: Path,
    package: Package,
    comparer: Comparer,
    code: Code,
    recorded: Recorded,
    name: str,
    progress: Progress,
) -> dict[str, Any]:
    def render(given: dict[str, Any]) -> dict[str, str]:
        return comparer.files(given, recorded, ".py")

    some = comparer.files({"project_name": name, **ANY}, recorded)
    project = {
        path: text for path, text in texts_of(root, some, package).items() if path.endswith(".py")
    }

    def whole(given: dict[str, Any]) -> int:
        return comparer.nearness(given, recorded).distance

    return Search(render, whole, project, code, name, progress).run()


ANY: dict[str, Any] = {}  # the questions' own defaults


# Versions


def _versions() -> list[Recorded]:
    """The versions of the template: this tool's, and those before it, the last first."""
    now = history.current()
    try:
        tags = history.versions(now.source)[-MOST_VERSIONS:]
    except SpecError:
        tags = []
    return [now, *(Recorded(now.source, tag) for tag in reversed(tags) if tag != now.commit)]


def _nearest_version(comparer: Comparer, given: dict[str, Any]) -> Recorded:
    best, least = None, 0
    for recorded in _versions():
        try:
            distance = comparer.nearness(given, recorded).distance
        except SpecError:
            continue
        if best is None or distance < least:
            best, least = recorded, distance
    if best is None:
        raise ProjectError("no version of the template can be rendered with what the code says")
    return best


# The project's name


def _project_name(
    root: Path, package: Package, comparer: Comparer, given: dict[str, Any], recorded: Recorded
) -> str:
    """The name that README, pyproject.toml or the package says, with which most lines stand."""
    names = [*dict.fromkeys(_names(root, package))]
    ours = [name for name in names if package_name(name) == package.name] or names
    distances = {
        name: comparer.nearness({**given, "project_name": name}, recorded).distance for name in ours
    }
    return min(ours, key=lambda name: distances[name])


def _names(root: Path, package: Package) -> Iterator[str]:
    said = [default_project_name(package.name), default_project_name(root.name)]
    readme, pyproject = root / "README.md", root / "pyproject.toml"
    module = root / package.folder / "__init__.py"
    if module.is_file():
        title = re.search(r"^TITLE = (.+)$", module.read_bytes().decode("utf-8", "replace"), re.M)
        with contextlib.suppress(ValueError, SyntaxError):
            said += [ast.literal_eval(title[1].strip())] if title else []
    if readme.is_file():
        title = re.search(r"^# (.+)$", readme.read_bytes().decode("utf-8", "replace"), re.M)
        said += [title[1].rstrip("\r")] if title else []
    if pyproject.is_file():
        try:
            project = tomllib.loads(pyproject.read_bytes().decode()).get("project", {})
            said += [project.get(key) for key in ("description", "name")]
        except (ValueError, AttributeError):
            pass
    for name in said:
        try:
            yield check_project_name(name)
        except SpecError:
            continue


# Its text


def _with_text(found: Adopted) -> Adopted:
    """With the text that copier writes."""
    with (
        template_at(found.recorded) as template,
        tempfile.TemporaryDirectory(prefix="keras-scaffold-") as folder,
    ):
        place = Path(folder, "project")
        render_version(found.spec.given, place, template, found.recorded)
        text = (place / ANSWERS_FILE).read_text(encoding="utf-8")
    return Adopted(found.spec, found.recorded, found.nearness, found.source, text)
