"""Git repositories of the template with made-up past versions, for what happens over time."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers import ROOT

WHO = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{role}_NAME": "A" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "a@example.org" for role in ("AUTHOR", "COMMITTER")},
}
PACKAGED = ("generator", "template", "copier.yml", "hatch_build.py", "pyproject.toml")
BESIDES = (
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    ".gitignore",
    ".gitattributes",
    ".git_archival.txt",
)
README = Path("template", "project", "README.md.jinja")


def git(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Run git as somebody; what it printed."""
    command = ["git", "-C", str(folder), *arguments]
    env = {**os.environ, **WHO, **(env or {})}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout.strip()


def commit(folder: Path, message: str, tag: str = "") -> str:
    """Commit all; the commit's short name."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    if tag:
        git(folder, "tag", "--annotate", tag, "--message", tag)
    return git(folder, "rev-parse", "--short", "HEAD")


def small_history(folder: Path) -> Path:
    """A repository with v0.1.0, v0.2.0rc1, v0.2.0 and a commit since, of a template of one file."""
    template = folder / "template"
    template.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / "copier.yml").write_text("_subdirectory: template\n")
    for name, tag in (("none", ""), ("1", "v0.1.0"), ("rc", "v0.2.0rc1"), ("2", "v0.2.0")):
        (template / "version").write_text(name)
        commit(folder, name, tag)
    (template / "version").write_text("since")
    commit(folder, "since")
    git(folder, "tag", "not-a-version", "HEAD~1")
    return folder


def whole_history(folder: Path, examples: Sequence[str] = ()) -> Path:
    """The files as they are now, with two versions before them that are made up."""
    folder.mkdir(parents=True)
    for name in PACKAGED + BESIDES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)
    for example in examples:
        (folder / "examples" / example).mkdir(parents=True)
        shutil.copy(ROOT / "examples" / example / "spec.yml", folder / "examples" / example)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    now = (folder / README).read_text(encoding="utf-8")
    (folder / README).write_text(f"{now}\n## Once\n\nThis stood here once.\n", encoding="utf-8")
    (folder / "template" / "project" / "OLD").write_text("gone since\n")
    commit(folder, "First", "v0.1.0")
    (folder / README).write_text(f"{now}\n## Once\n\nThis, too.\n", encoding="utf-8")
    commit(folder, "Second", "v0.2.0")
    (folder / README).write_text(now, encoding="utf-8")
    (folder / "template" / "project" / "OLD").unlink()
    commit(folder, "As it is now")
    return folder
