"""Prove that the projects of every earlier version update to the template as it is committed.

    python scripts/prove_updates.py [REPOSITORY]

For each version's tag and each example that it had, a project is generated from that tag and brought
to the newest commit, once by `scaffold update` and once by plain `copier update`, both from the
public address and without network. Neither may conflict, and what comes out is what is generated
from the newest commit at once, byte for byte.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from keras_scaffold.git import environment as git_environment
from keras_scaffold.render.history import SOURCE, versions

EXAMPLE = re.compile(r"examples/([^/]+)/spec[^/]*\.yml")
COPIER = [sys.executable, "-m", "copier"]
WAYS = {
    "scaffold update": [sys.executable, "-m", "keras_scaffold", "update", "--yes"],
    "copier update": [*COPIER, "update", "--defaults", "--quiet", "--vcs-ref", "HEAD"],
}
NOBODY = {
    f"GIT_{role}_{what}": "keras-scaffold"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


class Case(NamedTuple):
    """A project of an earlier version."""

    tag: str
    example: str
    spec: str  # as it was then


class Failed(Exception):
    """A command failed; the text is what it said last."""


def prove(repository: Path) -> list[str]:
    """What is wrong with the updates to a repository's HEAD, a line each; empty where nothing is."""
    with tempfile.TemporaryDirectory(prefix="keras-scaffold-") as name:
        folder = Path(name)
        run(folder, {}, "git", "clone", "--quiet", "--", str(repository), "newest")
        env = environment(folder / "newest")
        work = list(enumerate(cases(folder / "newest")))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            each = pool.map(lambda item: list(faults(item[1], folder / str(item[0]), env)), work)
            return [fault for found in each for fault in found]


def cases(repository: Path) -> Iterator[Case]:
    """The projects of each version before HEAD; those of HEAD itself have nothing to update to."""
    head = run(repository, {}, "git", "rev-parse", "HEAD")
    for tag in versions(str(repository)):
        if run(repository, {}, "git", "rev-parse", f"{tag}^{{commit}}") == head:
            continue
        listed = run(repository, {}, "git", "ls-tree", "-r", "--name-only", tag, "examples")
        for path in listed.splitlines():
            if found := EXAMPLE.fullmatch(path):
                yield Case(tag, found[1], run(repository, {}, "git", "show", f"{tag}:{path}"))


def faults(case: Case, folder: Path, env: Mapping[str, str]) -> Iterator[str]:
    """Generate a case's project in a folder and update it, each way; say what is wrong."""
    folder.mkdir()
    (folder / "spec.yml").write_text(case.spec, encoding="utf-8")
    env = {**env, "COPIER_CACHE_DIR": str(folder / "cache")}
    what = f"{case.tag}, {case.example}"
    try:
        generate(folder, "HEAD", "expected", env)
        generate(folder, case.tag, "before", env)
    except Failed as error:
        yield f"{what}: cannot be generated: {error}"
        return
    for way, command in WAYS.items():
        project = folder / way.replace(" ", "-")
        run(folder, env, "git", "clone", "--quiet", "before", project.name)
        try:
            run(project, env, *command)
        except Failed as error:
            yield f"{what}, {way}: {error}"
            continue
        for path in differences(project, folder / "expected"):
            yield f"{what}, {way}: {path} is not as it is generated now"


def generate(folder: Path, version: str, name: str, env: Mapping[str, str]) -> None:
    """Generate a project from a version, and commit it."""
    copy = ["copy", "--defaults", "--quiet", "--data-file", "spec.yml", "--vcs-ref", version]
    run(folder, env, *COPIER, *copy, SOURCE, name)
    for command in ("init --quiet", "add --all", "commit --quiet --message generated"):
        run(folder / name, env, "git", *command.split())


def differences(one: Path, other: Path) -> list[str]:
    """The files that two projects do not have alike; a conflict's marks and rejects are such, too."""
    files = [
        {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and ".git" not in path.relative_to(root).parts
        }
        for root in (one, other)
    ]
    names = sorted(files[0].keys() | files[1].keys())
    return [name for name in names if files[0].get(name) != files[1].get(name)]


def environment(repository: Path) -> dict[str, str]:
    """The tool is the repository's, and so is the public address; there is no network."""
    env = {"PYTHONPATH": str(repository / "generator"), "GIT_ALLOW_PROTOCOL": "file", **NOBODY}
    say = "import json; from keras_scaffold.render.history import offline; print(json.dumps(offline()))"
    return {**env, **json.loads(run(repository, env, sys.executable, "-c", say))}


def run(folder: Path, env: Mapping[str, str], *command: str) -> str:
    """Run a command in a folder; what it printed, or Failed with the last that it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**git_environment(), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Failed(f"exit {done.returncode}: {''.join(said)}")
    return done.stdout.strip()


def main() -> int:
    """Prove it for a repository, by default this one; 1 where something is wrong."""
    repository = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
    count = len(list(cases(repository)))
    wrong = prove(repository)
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{count} projects of earlier versions, {len(WAYS)} ways to update: {len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
