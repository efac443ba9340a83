"""`scaffold doctor`: what it finds in a project, and what it fixes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT, assert_one_error, files_in, run_scaffold
from keras_scaffold.evolve.project import read_answers
from keras_scaffold.render.history import ANSWERS_FILE, Recorded
from past import commit_all, locked_repository
from repositories import WHO, commit, git
from walks import begin, quick_rendering

SPEC = ("-i", "nums:numeric:5", "-i", "pic:image", "-o", "label:binary")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project that is committed, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    done = run_scaffold("new", "mine", *SPEC, "--yes", "--no-git", cwd=folder)
    assert done.code == 0, done
    git(folder / "mine", "init", "--quiet", "--initial-branch", "main")
    commit(folder / "mine", "Start")
    return folder / "mine"


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    return Path(shutil.copytree(made, tmp_path / "mine"))


def _doctor(project, *arguments, code=0):
    """What it prints; nothing comes on stderr."""
    done = run_scaffold("doctor", *arguments, cwd=project)
    assert done.code == code, done
    assert done.err == ""
    return done.out


def _line(out, *words):
    """The one finding that has these words."""
    lines = [line for line in out.splitlines() if all(word in line for word in words)]
    assert len(lines) == 1, (words, out)
    return lines[0]


def _replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, text.count(old)
    path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")


# Nothing is wrong


def test_a_new_project_has_no_problems(project):
    before = files_in(project)
    out = _doctor(project)
    assert {line.split()[0] for line in out.splitlines()[1:-2]} == {"good"}
    _line(out, "2 inputs and 1 output, nums, pic, label")
    assert out.endswith("\nNo problems found.\n")
    assert files_in(project) == before
    assert not git(project, "status", "--porcelain")


def test_it_finds_the_project_from_a_folder_inside_and_by_name(project):
    for arguments, cwd in (((), project / "tests"), (("--project", "mine"), project.parent)):
        assert run_scaffold("doctor", *arguments, cwd=cwd).out.splitlines()[0] == str(project)
    done = run_scaffold("doctor", "--project", "nowhere", cwd=project)
    assert_one_error(done, 1, "nowhere", "no such folder")


def test_comments_in_the_answers_file_and_another_order_are_fine(project):
    path = project / ANSWERS_FILE
    lines = path.read_text().splitlines(keepends=True)
    name = next(line for line in lines if line.startswith("project_name"))
    lines.remove(name)
    path.write_text("".join(["# ours\n", name, *lines]))
    commit(project, "Comment")
    assert "wrong " not in _doctor(project)


# The repository


def test_no_repository(project):
    shutil.rmtree(project / ".git")
    out = _doctor(project, code=1)
    assert "git init" in _line(out, "wrong", "in no git repository")
    _line(out, "good", "is valid")


def test_nothing_committed(project):
    shutil.rmtree(project / ".git")
    git(project, "init", "--quiet")
    _line(_doctor(project, code=1), "wrong", "nothing is committed yet", "git commit")


def test_no_git(project, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    _line(_doctor(project, code=1), "wrong", "git is not installed")


def test_a_project_in_a_folder_of_a_repository(project, tmp_path):
    shutil.rmtree(project / ".git")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "All")
    (project / ANSWERS_FILE).unlink()
    _line(_doctor(project, "--fix", "--yes"), "Fixed: restored")
    assert not git(tmp_path, "status", "--porcelain")


def test_conflicts_and_what_they_leave(project):
    model = project / "src" / "mine" / "model.py"
    git(project, "checkout", "--quiet", "-b", "other")
    _replace(model, "x = layers.Dense(64, ", "x = layers.Dense(96, ")
    commit(project, "Wider")
    git(project, "checkout", "--quiet", "main")
    _replace(model, "x = layers.Dense(64, ", "x = layers.Dense(32, ")
    commit(project, "Narrower")
    subprocess.run(["git", "-C", project, "merge", "-q", "other"], capture_output=True)
    _line(_doctor(project, code=1), "wrong", "src/mine/model.py: has conflict markers")
    commit(project, "Oh dear")
    _line(_doctor(project, code=1), "wrong", "src/mine/model.py: has conflict markers")
    git(project, "reset", "--quiet", "--hard", "HEAD~1")
    for name in ("src/mine/model.py.rej", "README.md.orig"):
        (project / name).touch()
    out = _doctor(project, code=1)
    _line(out, "wrong", "src/mine/model.py.rej")
    _line(out, "note", "README.md.orig")


# Killed commands

KILLED = """
import os, sys
from keras_scaffold import cli
from keras_scaffold.evolve import change

put, calls = change._put, []

def dying(source, target):
    put(source, target)
    calls.append(target)
    if len(calls) == 3:
        os._exit(9)

change._put = dying
sys.exit(cli.run(sys.argv[1:]))
"""


def test_a_change_that_was_killed_is_brought_back(project):
    before = files_in(project)
    line = ["add", "input", "note:text", "--yes"]
    done = subprocess.run([sys.executable, "-c", KILLED, *line], cwd=project, capture_output=True)
    assert done.returncode == 9, done
    assert files_in(project) != before
    out = _doctor(project, code=1)
    _line(out, "wrong", "'add input note:text' was interrupted", "scaffold undo")
    _line(out, "note", "/keras-scaffold-", "left over")
    out = _doctor(project, "--fix", "--yes")
    _line(out, "Fixed", "undid 'add input note:text'")
    assert files_in(project) == before
    assert not list((project / ".git").glob("keras-scaffold-*/"))
    assert not git(project, "status", "--porcelain")
    assert run_scaffold(*line, cwd=project).code == 0


def test_what_a_command_at_work_needs_is_not_taken_from_it(project):
    from keras_scaffold.evolve.apply import locked_repository

    temporary = project / ".git" / "keras-scaffold-abc"
    temporary.mkdir()
    with locked_repository(project):
        _line(_doctor(project, "--fix", "--yes"), "note", "locked by another scaffold command")
        assert temporary.is_dir()
    _line(_doctor(project, "--fix", "--yes"), "Fixed: deleted .git/keras-scaffold-abc")
    assert not temporary.exists()


# The answers file


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: None, "is missing"),
        (lambda text: text.replace("type: image", "type: image\n  encoder"), "not valid YAML"),
        (lambda text: text.replace("type: image", "type: imgae"), "imgae"),
        (lambda text: f"<<<<<<< yours\n{text}=======\n{text}>>>>>>> theirs\n", "conflict markers"),
        (lambda text: "", "a spec is a mapping"),
        (lambda text: "\x00\xff", "not valid"),
        (lambda text: text.replace("_src_path", "_source"), "_src_path"),
        (lambda text: "inputs: 3\noutputs: 4\n" + text.split("inputs:")[0], "inputs"),
    ],
)
@pytest.mark.parametrize("committed", [False, True])
def test_a_damaged_answers_file_is_restored(project, damage, said, committed):
    path = project / ANSWERS_FILE
    good = path.read_bytes()
    damaged = damage(good.decode())
    path.unlink()
    if damaged is not None:
        path.write_text(damaged, encoding="utf-8")
    if committed:
        commit(project, "Damage")
    out = _doctor(project, code=1)
    assert "has a valid one" in _line(out, "wrong", said)
    out = _doctor(project, "--fix", "--yes")
    _line(out, "Fixed: restored")
    assert path.read_bytes() == good
    kept = project / f"{ANSWERS_FILE}.orig"
    assert kept.exists() == (damaged is not None and not committed)
    if kept.exists():
        assert kept.read_text(encoding="utf-8") == damaged


def test_where_git_has_none_it_names_adopt(project):
    shutil.rmtree(project / ".git")
    (project / ANSWERS_FILE).unlink()
    git(project, "init", "--quiet")
    commit(project, "Start")
    _line(_doctor(project, code=1), "wrong", "is missing", "scaffold adopt --spec")


# The template's version


def test_a_version_that_nobody_knows(project):
    path = project / ANSWERS_FILE
    path.write_text(path.read_text().replace("_commit: ", "_commit: v77.0.0\n_was: "))
    line = _line(_doctor(project, code=1), "wrong", "v77.0.0")
    assert "upgrade" in line


def test_a_template_that_has_moved(project):
    path = project / ANSWERS_FILE
    lines = path.read_text().splitlines(keepends=True)
    moved = [("_src_path: /gone/away\n" if line.startswith("_src") else line) for line in lines]
    path.write_text("".join(moved))
    _line(_doctor(project), "note", "/gone/away, which is gone")


# Fixing


def test_nothing_is_fixed_where_nobody_can_be_asked(project):
    (project / ANSWERS_FILE).unlink()
    done = run_scaffold("doctor", "--fix", cwd=project)
    assert_one_error(done, 2, "--fix --yes")
    assert not (project / ANSWERS_FILE).exists()


# The package


def test_a_package_of_another_name(project):
    git(project, "mv", "src/mine", "src/our_own")
    commit(project, "Move the package")
    line = _line(_doctor(project), "src/our_own", "would be src/mine")
    assert line.startswith("note") and line.endswith("run scaffold rename project 'Our Own'")


@pytest.mark.parametrize(
    ("name", "what"), [("class", "a Python keyword"), ("json", "the name of another package")]
)
def test_a_package_that_cannot_be_imported(name, what, project):
    """A version of the template from before such names were refused; a rename gets out of it."""
    tool = project.parent / "tool"
    for part in ("generator", "template"):
        shutil.copytree(ROOT / part, tool / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "copier.yml", tool)
    taken = tool / "template" / "shared" / "taken_packages.yml"
    text = taken.read_text()
    taken.write_text(text.replace(f"- {name}\n", ""))
    for version in ("v0.0.1", "v0.0.2"):
        commit_all(tool, version)
        git(tool, "tag", version)
        taken.write_text(text)
    given = {**read_answers(project)[0], "project_name": name}
    with locked_repository(tool), quick_rendering():
        old = begin(given, project.parent / "old", Recorded(str(tool), "v0.0.1"))
        (old / "src" / name / "own.py").write_text(f"from {name}.data import make_dataset\n")
        commit_all(old)
        line = _line(_doctor(old, code=1), f"src/{name}: '{name}' is {what}")
        assert line.endswith("run scaffold rename project NAME")
        done = run_scaffold("rename", "project", "Lesson", "--yes", cwd=old)
        assert done.code == 0, done
        assert [path.name for path in (old / "src").iterdir()] == ["lesson"]
        assert "src/" not in _doctor(old)
