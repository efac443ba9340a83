"""Commands that die on their way: the project is as before or as after, or `undo` brings it back."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from helpers import ROOT, files_in, run_scaffold, scaffold_process
from past import NOBODY, OLD, at_work, commit_all, git, tool_with_past
from people import texts
from keras_scaffold.history import Recorded, current
from walks import begin, quick_rendering

GIVEN = {
    "project_name": "Life",
    "inputs": [{"name": "numbers", "type": "numeric"}, {"name": "words", "type": "text"}],
    "outputs": [{"name": "label", "task": "binary"}],
}
MODEL = "src/life/model.py"


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def tool(tmp_path_factory):
    """A tool whose template has a past."""
    tool = tool_with_past(tmp_path_factory.mktemp("tool") / "tool")
    with at_work(tool), quick_rendering():
        yield tool


class Killer:
    """Runs commands in processes that die at the n-th thing that they do."""

    def __init__(self, tool):
        path = os.pathsep.join([str(tool / "generator"), str(ROOT / "tests")])
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests" / "killing.py"],
            env={**os.environ, **NOBODY, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        while self.process.stdout.readline() != "ready\n":
            assert self.process.poll() is None

    def run(self, folder, *words, at=0, number=signal.SIGKILL, places=(), env=None):
        """Run a command in a folder; what it came to, or which signal ended it."""
        task = {"folder": str(folder), "words": words, "at": at, "signal": number}
        task |= {"places": [str(place) for place in places or [folder]], "env": env or {}}
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def killer(tool):
    killer = Killer(tool)
    yield killer
    killer.process.stdin.close()
    killer.process.wait()


def state(folder):
    """All that a person has: the files, what git says of them, its index."""
    git(folder, "update-index", "-q", "--refresh") if not git(folder, "ls-files", "-u") else None
    return {
        **files_in(folder),
        "status": git(folder, "status", "--porcelain"),
        "index": git(folder, "ls-files", "-s"),
        "head": git(folder, "log", "--format=%H %s", "--exclude=refs/worktree/*", "--all"),
    }


def left_behind(folder):
    """What a command leaves in the repository besides its refs."""
    return [path.name for path in (folder / ".git").glob("keras-scaffold-*") if path.is_dir()]


def same_as(folder, copy):
    """Bring a folder back to its copy."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(copy, folder, symlinks=True)


def cases(tool, tmp_path):
    """Projects before a change, and the command: clean, with a conflict, with a dirty file, an update."""
    recorded = Recorded(str(tool), OLD)
    for name, words in {
        "add": ["add", "input", "pulse:timeseries", "--yes"],
        "conflict": ["set", "merge", "add", "--yes"],
        "rej": ["set", "merge", "add", "--yes", "--conflict", "rej"],
        "force": ["set", "merge", "add", "--yes", "--force"],
        "rename": ["rename", "project", "Other", "--yes"],
        "commit": ["remove", "input", "words", "--yes", "--commit"],
        "update": ["update", "--yes"],
    }.items():
        project = begin(GIVEN, tmp_path / name, recorded if name == "update" else None)
        model = project / MODEL
        if name in ("conflict", "rej"):
            text = model.read_text().replace("merged = layers.Conc", "merged = mine = layers.Conc")
            assert text != model.read_text()
            model.write_text(text)
            commit_all(project)
        if name == "force":
            model.write_text(model.read_text() + "\nMINE = 1\n")
        yield name, project, words


NAMES = ["add", "conflict", "rej", "force", "rename", "commit", "update"]


@pytest.fixture(scope="module")
def prepared(tool, tmp_path_factory):
    return {case[0]: case[1:] for case in cases(tool, tmp_path_factory.mktemp("cases"))}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_killed_at_every_step(name, prepared, killer, tmp_path):
    origin, words = prepared[name]
    project = tmp_path / "project"
    same_as(project, origin)
    before = state(project)
    whole = killer.run(project, *words)
    assert whole["code"] == (1 if name in ("conflict", "rej") else 0), whole
    after = state(project)
    assert not left_behind(project)
    fates = []
    for step in _steps(whole["steps"]):
        same_as(project, origin)
        done = killer.run(project, *words, at=step)
        assert done == {"signal": signal.SIGKILL}
        hit = (step, whole["steps"][step - 1])
        fates.append(_fate(project, before, after, killer, hit, committed=name == "commit"))
        if fates[-1] != "after" and step % 7 == 0:
            assert killer.run(project, *words)["code"] == whole["code"], hit
            assert {**state(project), "head": ""} == {**after, "head": ""}, hit
            assert not left_behind(project), hit
    assert {"before", "undone", "after"} <= set(fates), fates


def _steps(steps):
    """All from where the project is written to, and some of those before."""
    first = next(place for place, step in enumerate(steps) if "/applying" in step)
    return [*range(1, first, 9), *range(first, len(steps) + 1)]


def _fate(project, before, after, killer, hit, *, committed=False):
    """What is there after a kill: as before, as after, or what undo takes back."""
    found = state(project)
    if git(project, "for-each-ref", "refs/worktree/keras-scaffold/root/applying"):
        refused = killer.run(project, "set", "merge", "maximum", "--yes")
        assert refused["code"] == 1, (hit, refused)
        assert "interrupted" in refused["err"], (hit, refused)
        assert refused["err"].count("\n") == 1, (hit, refused)
        undone = killer.run(project, "undo")
        assert undone["code"] == 0, (hit, undone)
        assert _without_stash(state(project)) == _without_stash(before), hit
        assert not left_behind(project), hit
        return "undone"
    if _without_stash(found) == _without_stash(before):
        return "before"
    # Where it is committed as well, git may not have come to that.
    unsure = dict.fromkeys(["head", *(["status", "index"] if committed else [])], "")
    assert {**found, **unsure} == {**after, **unsure}, hit
    return "after"


def _without_stash(found):
    return {
        **found,
        "head": "\n".join(
            it for it in found["head"].splitlines() if "before " not in it and "index on" not in it
        ),
    }
