"""Running git: for the template's history, and for the repository that a new project begins with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

# Set inside git's hooks, where they would lead each command to another repository.
REPOSITORY_VARIABLES = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
}


class GitError(Exception):
    """git did not do it; the text is its last line of output, "" where there is none."""


def environment() -> dict[str, str]:
    """The environment without what would lead git to another repository than the one we name."""
    return {key: value for key, value in os.environ.items() if key not in REPOSITORY_VARIABLES}


def call(
    folder: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    around: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, whatever comes of it. It never asks for a password.

    `env` is added to the environment, `around` taken in its place. GitError where git cannot be run.
    """
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=folder,
            input=stdin,
            capture_output=True,
            env={**(around or environment()), "GIT_TERMINAL_PROMPT": "0", **(env or {})},
        )
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror}") from None


def git(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Run git in a folder; what it printed, or GitError."""
    done = call(folder, *arguments, env=env)
    if done.returncode:
        last = "".join(done.stderr.decode(errors="replace").strip().splitlines()[-1:])
        raise GitError(last.removeprefix("fatal: "))
    return done.stdout.decode(errors="replace").strip()
