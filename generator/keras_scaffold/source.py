"""Where this tool's template is, and which version of it.

The version comes from git's tags and is nowhere in the code: a build records what
`git describe` says (hatch_build.py), and a checkout asks git on demand.
"""

from __future__ import annotations

import re
from pathlib import Path

# Beside this module, in a package: the output of `git describe`, and the history.
COMMIT_FILE = "_commit.txt"
BUNDLE = "_history.bundle"
ARCHIVE_FILE = ".git_archival.txt"  # git fills it in where it makes an archive of the repository
UNKNOWN = "0.0.0"


def template_root() -> Path:
    """The folder that holds copier.yml: inside the installed package, or the checkout around it."""
    packaged = Path(__file__).parent / "_template"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]


def is_packaged(root: Path) -> bool:
    """Whether the template's folder is that of an installed package, not of a checkout."""
    return root.name == "_template"


def commit(root: Path) -> str:
    """`git describe --tags --always` for the template in a folder; "" where it is unknown."""
    package = root.parent if is_packaged(root) else root / "generator" / "keras_scaffold"
    if (package / COMMIT_FILE).is_file():
        return (package / COMMIT_FILE).read_text(encoding="utf-8").strip()
    if is_packaged(root):
        return ""
    if (root / ".git").exists():
        from keras_scaffold.git import GitError, git

        try:
            return git(root, "describe", "--tags", "--always")
        except GitError:  # no git here, or nothing committed yet
            return ""
    if (root / ARCHIVE_FILE).is_file():
        described = (root / ARCHIVE_FILE).read_text(encoding="utf-8").strip()
        return described if re.fullmatch(r"v[\w.+-]+", described) else ""
    return ""


def version() -> str:
    """The version of this tool."""
    return version_of(commit(template_root()))


def version_of(described: str) -> str:
    """The output of `git describe` as a version by PEP 440: v0.1.0-5-gabc is 0.1.0.post5+gabc."""
    found = re.fullmatch(r"v(\d+(?:\.\w+)*)(?:-(\d+)-(g[0-9a-f]+))?", described)
    if found:
        release, count, name = found.groups()
        return f"{release}.post{count}+{name}" if count else release
    return f"{UNKNOWN}+g{described}" if re.fullmatch("[0-9a-f]{4,64}", described) else UNKNOWN
