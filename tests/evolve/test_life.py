"""Commands that die on their way: the project is as before or as after, or `undo` brings it back."""

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from helpers import ROOT, assert_one_error, files_in, run_scaffold
from keras_scaffold import locks
from keras_scaffold.evolve import change
from keras_scaffold.evolve.repository import Repository
from keras_scaffold.render.history import Recorded
from past import NOBODY, OLD, commit_all, git, locked_repository, tool_with_past
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
    with locked_repository(tool), quick_rendering():
        yield tool


class Killer:
    """Runs commands in processes that die at the n-th thing that they do."""

    def __init__(self, tool):
        left = tool.with_name("left")  # temporary folders of the killed
        left.mkdir(exist_ok=True)
        path = os.pathsep.join([str(tool / "generator"), str(ROOT / "tests" / "support")])
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests" / "support" / "killing.py"],
            env={**os.environ, **NOBODY, "PYTHONPATH": path, "TMPDIR": str(left)},
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


NAMES = ["conflict", "force", "rename", "commit", "update"]


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
        if "code" in done:  # it took a step less this time
            assert step > len(whole["steps"]) - 3
            break
        assert done == {"signal": signal.SIGKILL}
        hit = (step, whole["steps"][step - 1])
        fates.append(_fate(project, before, after, killer, hit, committed=name == "commit"))
        if fates[-1] != "after" and step % 7 == 0:
            assert killer.run(project, *words)["code"] == whole["code"], hit
            assert {**state(project), "head": ""} == {**after, "head": ""}, hit
            assert not left_behind(project), hit
    assert {"before", "undone", "after"} <= set(fates), fates


def interrupted(project):
    return change.interrupted(Repository.around(project))


def _steps(steps):
    """All from where the project is written to, and some of those before."""
    first = next(place for place, step in enumerate(steps) if "/applying" in step)
    return [*range(1, first, 9), *range(first, len(steps) + 1)]


def _fate(project, before, after, killer, hit, *, committed=False):
    """What is there after a kill: as before, as after, or what undo takes back."""
    found = state(project)
    if interrupted(project):
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


@pytest.mark.slow
def test_undo_killed_at_every_step(prepared, killer, tmp_path):
    origin, words = prepared["conflict"]
    changed, project = tmp_path / "changed", tmp_path / "project"
    same_as(changed, origin)
    before = state(changed)
    assert killer.run(changed, *words)["code"] == 1
    after = state(changed)
    same_as(project, changed)
    steps = killer.run(project, "undo")["steps"]
    assert state(project) == before
    fates = []
    for step in _steps(steps):
        same_as(project, changed)
        done = killer.run(project, "undo", at=step)
        if "code" in done:
            assert step > len(steps) - 3
            break
        if interrupted(project):
            fates.append("undone")
            refused = killer.run(project, "set", "merge", "maximum", "--yes")
            assert "interrupted" in refused["err"], (step, refused)
            assert killer.run(project, "undo")["code"] == 0, step
            assert files_in(project) == files_in(changed), step
        elif state(project) == before:
            fates.append("after")
            continue
        else:
            fates.append("before")
            assert state(project) == after, step
        assert killer.run(project, "undo")["code"] == 0, step
        assert state(project) == before, step
        assert not left_behind(project), step
    assert {"before", "undone", "after"} <= set(fates), fates


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill", "interrupt"])
def test_new_killed_at_every_step(number, killer, tmp_path):
    words = ["new", "made", "--yes", "-i", "a:text", "-o", "y:binary"]
    place, whole = tmp_path / "place", tmp_path / "whole"
    whole.mkdir()
    first = killer.run(whole, *words)
    assert first["code"] == 0
    fates = []
    for step in range(1, len(first["steps"]) + 1, 3):
        place.mkdir()
        done = killer.run(place, *words, at=step, number=number)
        made = (place / "made").exists()
        if made:
            assert files_in(place / "made") == files_in(whole / "made"), step
            assert git(place / "made", "log", "--format=%an") == "A\n"
        fates.append(made)
        if number == signal.SIGINT:
            assert done["code"] in (0, 130), (step, done)
            assert [path.name for path in place.iterdir()] == ["made"] * made, step
        # The next one clears away what is left over; what has no lock yet, after an hour.
        for left in place.glob(".keras-scaffold-*"):
            if not (left / locks.LOCK).exists():
                os.utime(left, (0, 0))
        again = killer.run(place, *("new", "next", *words[2:], "--no-git"))
        assert again["code"] == 0, (step, again)
        assert sorted(path.name for path in place.iterdir()) == ["made"] * made + ["next"], step
        shutil.rmtree(place)
    assert False in fates


def test_a_workshop_of_a_living_process_stays(tool, tmp_path):
    with locks.held(_workshop(tmp_path, "living") / locks.LOCK):
        _workshop(tmp_path, "just-made")
        (_workshop(tmp_path, "dead") / locks.LOCK).touch()
        assert run_scaffold("new", "made", "--yes", "-i", "a:text", cwd=tmp_path).code == 0
        left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".keras-scaffold-just-made", ".keras-scaffold-living", "made"]


def _workshop(folder, name):
    path = folder / f".keras-scaffold-{name}"
    path.mkdir()
    return path


@pytest.mark.slow
def test_interrupted_at_every_step(prepared, killer, tmp_path):
    """Ctrl-C: all or nothing, and no word of a half."""
    origin, words = prepared["conflict"]
    project = tmp_path / "project"
    same_as(project, origin)
    before = state(project)
    steps = killer.run(project, *words)["steps"]
    after = state(project)
    for step in _steps(steps):
        same_as(project, origin)
        done = killer.run(project, *words, at=step, number=signal.SIGINT)
        found = state(project)
        assert found in (before, after), step
        assert done["code"] in (1, 130), (step, done)
        assert done["err"].count("\n") == 1, (step, done)
        if done["code"] == 130 and found == before:
            assert "nothing was written" in done["err"], (step, done)
        if found == after:
            assert killer.run(project, "undo")["code"] == 0, step
            assert state(project) == before, step
            assert not left_behind(project), step


def test_two_commands_at_once(prepared, tmp_path):
    project = tmp_path / "project"
    same_as(project, prepared["update"][0])
    with locks.held(project / ".git" / "keras-scaffold-root.lock") as alone:
        assert alone
        for words in (["set", "merge", "add", "--yes"], ["undo"], ["update", "--yes"]):
            assert_one_error(run_scaffold(*words, cwd=project), 1, "another scaffold command")
    assert run_scaffold("set", "merge", "add", "--yes", cwd=project).code == 0


@pytest.mark.parametrize("name", ["update", "conflict"])
def test_the_disc_is_full(name, prepared, tmp_path, monkeypatch):
    """The third file that is put in its place finds no room: the first two are taken back."""
    project = tmp_path / "project"
    same_as(project, prepared[name][0])
    before = state(project)
    calls = []
    put = change._put

    def full(source, target):
        calls.append(target)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        put(source, target)

    monkeypatch.setattr(change, "_put", full)
    done = run_scaffold(*prepared[name][1], cwd=project)
    monkeypatch.undo()
    assert done.code == 1
    assert "No space left on device; all is as before" in done.err
    assert done.err.count("\n") == 1
    assert state(project) == before
    assert not left_behind(project)
    assert run_scaffold(*prepared[name][1], cwd=project).code in (0, 1)


@pytest.mark.parametrize("words", [["conflict"], ["undo"]], ids=str)
def test_an_index_that_another_git_holds(words, prepared, tmp_path):
    """Git cannot be told of the conflict, or that it is gone: nothing is written."""
    origin, command = prepared["conflict"]
    project = tmp_path / "project"
    same_as(project, origin)
    if words == ["undo"]:
        run_scaffold(*command, cwd=project)
        command = words
    before = state(project)
    (project / ".git" / "index.lock").touch()
    assert_said(run_scaffold(*command, cwd=project), "Unable to create", "all is as before")
    (project / ".git" / "index.lock").unlink()
    assert state(project) == before
    assert not left_behind(project)
    assert run_scaffold(*command, cwd=project).code == (0 if words == ["undo"] else 1)
    assert state(project) != before


def test_taking_back_a_change_that_died_can_fail_and_go_on(prepared, killer, tmp_path, monkeypatch):
    origin, words = prepared["conflict"]
    project = tmp_path / "project"
    same_as(project, origin)
    before = state(project)
    steps = killer.run(project, *words)["steps"]
    same_as(project, origin)
    last = max(place for place, step in enumerate(steps, start=1) if step.startswith("os.rename"))
    killer.run(project, *words, at=last)

    def full(source, target):
        if target.name == "model.py":
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        put(source, target)

    put = change._put
    monkeypatch.setattr(change, "_put", full)
    assert run_scaffold("undo", cwd=project).code == 1
    monkeypatch.setattr(change, "_put", put)
    assert run_scaffold("undo", cwd=project).code == 0
    assert state(project) == before


def assert_said(done, *words):
    """It failed with one line, after showing what would have changed."""
    assert_one_error(type(done)(done.code, "", done.err), 1, *words)


@pytest.mark.slow
def test_a_disc_that_is_really_full(prepared, tmp_path):
    """At every size of what is left: done, or one line and all as before."""
    origin, words = prepared["update"]
    disc = tmp_path / "disc"
    disc.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", disc]).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        fates = []
        for room in (0, 4, 16, 32, 64, 96, 128, 192, 256, 1024):
            same_as(disc / "project", origin)
            before = state(disc / "project")
            with (disc / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
                while filler.write(b"x" * 4096):
                    pass
            left = (disc / "filler").stat().st_size - room * 1024
            os.truncate(disc / "filler", max(left, 0))
            done = run_scaffold(*words, cwd=disc / "project")
            (disc / "filler").unlink()
            fates.append(done.code)
            if done.code:
                assert done.err.count("\n") == 1, done
                if (
                    "interrupted"
                    in run_scaffold("set", "merge", "add", "--dry-run", cwd=disc / "project").err
                ):
                    assert run_scaffold("undo", cwd=disc / "project").code == 0
                assert state(disc / "project") == before, (room, done)
        assert {0, 1} == set(fates), fates
    finally:
        subprocess.run(["umount", disc])
