"""A copy of the tool with two versions of its template before the present one, made up."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from helpers import ROOT
from keras_scaffold.render import history
from keras_scaffold.render import project as rendering

# Whoever runs the tests: no settings of theirs, and a name for commits.
NOBODY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_ALLOW_PROTOCOL": "file",
    **{f"GIT_{role}_NAME": "A" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "a@example.org" for role in ("AUTHOR", "COMMITTER")},
}
OLD, OLDER, NOW = "v0.0.2", "v0.0.1", "v0.0.3"


def git(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Run git as nobody; what it printed."""
    command = ["git", "-C", str(folder), *arguments]
    env = {**os.environ, **NOBODY, **(env or {})}
    done = subprocess.run(command, env=env, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done
    return done.stdout


def commit_all(folder: Path, message: str = "Work") -> None:
    """Commit all that is there; the first time, make the repository."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)


def tool_with_past(folder: Path) -> Path:
    """A repository like ours, with an older and an old template under the present one."""
    left_out = shutil.ignore_patterns("__pycache__", "_history.bundle", "_template", "_commit.txt")
    for name in ("generator", "template"):
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    shutil.copy(ROOT / "copier.yml", folder)
    (folder / ".gitignore").write_text("__pycache__/\n")
    now = {
        path: path.read_text(encoding="utf-8") for path in [*(folder / "template").rglob("*.jinja")]
    }
    for version, steps in ((OLDER, 2), (OLD, 1), (NOW, 0)):
        for path, text in now.items():
            name = path.relative_to(folder).as_posix()
            older = _older(name, text) if steps else text
            path.write_text(_oldest(name, older) if steps == 2 else older, encoding="utf-8")
        project = folder / "template" / "project"
        (project / "CHANGES.md").unlink(missing_ok=True)
        if steps:
            (project / "CHANGES.md").write_text("# Changes\n\nGone since.\n")
        shutil.rmtree(project / "notes", ignore_errors=True)
        shutil.rmtree(project / "docs", ignore_errors=True)
        if steps:  # moved, and then gone
            kept = project / ("docs" if steps == 1 else "notes")
            kept.mkdir()
            (kept / "usage.md").write_text("# Usage\n\n" + "Say so.\n" * 20 + f"\nStep {steps}.\n")
        commit_all(folder, version)
        git(folder, "tag", "-a", version, "-m", version)
    return folder


def _chance(*words: str) -> int:
    return zlib.crc32("/".join(words).encode()) % 100


def _older(name: str, text: str) -> str:
    """Other words in docstrings, comments that came, a line that came."""
    lines = []
    in_function = False
    for line in text.splitlines(keepends=True):
        if re.match(r" *def \w+\(", line) and line.endswith(":\n"):
            lines.append(line)
            in_function = True
            continue
        chance = _chance(name, line)
        plain = not re.search(r"[{}]", line)
        if in_function and re.match(r' +"""[^"]*"""\n', line) and len(line) < 90 and chance < 25:
            line = line.replace('"""', '"""Once: ', 1)
        elif plain and re.fullmatch(r"    # [^#]*\n", line) and chance < 40:
            in_function = False
            continue
        in_function = False
        lines.append(line)
    return "".join(lines)


def _oldest(name: str, text: str) -> str:
    """The same again in other places."""
    lines = []
    for line in text.splitlines(keepends=True):
        chance = _chance("oldest", name, line)
        plain = not re.search(r"[{}]", line)
        if re.fullmatch(r"    return \w+\n", line) and chance < 30:
            lines.append("    # It was so once.\n")
        if (
            name.endswith("README.md.jinja")
            and plain
            and re.match(r"[A-Z][a-z]", line)
            and chance < 40
        ):
            line = f"Once. {line}"
        lines.append(line)
    return "".join(lines)


@contextmanager
def locked_repository(tool: Path) -> Iterator[Path]:
    """Let this process be the tool in another checkout."""
    before = history.template_root
    history.template_root = rendering.template_root = lambda: tool
    history._repository.cache_clear()
    try:
        yield tool
    finally:
        history.template_root = rendering.template_root = before
        history._repository.cache_clear()
