"""What `scaffold doctor` says of a project, and what it mends: real projects, real git."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import assert_one_error, files_in, run_scaffold
from keras_scaffold.evolve.edit_commands import commands
from keras_scaffold.evolve.project import spec_in
from keras_scaffold.render.history import ANSWERS_FILE
from repositories import WHO, commit, git

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


def test_a_new_project_is_well(project):
    before = files_in(project)
    out = _doctor(project)
    assert {line.split()[0] for line in out.splitlines()[1:-2]} == {"good"}
    _line(out, "2 inputs and 1 output, nums, pic, label")
    _line(out, "good", "all ", "rendered lines stand")
    assert out.endswith("\nNothing is wrong.\n")
    assert files_in(project) == before
    assert not git(project, "status", "--porcelain")


def test_it_finds_the_project_from_a_folder_inside_and_by_name(project):
    for arguments, cwd in (((), project / "tests"), (("--project", "mine"), project.parent)):
        assert run_scaffold("doctor", *arguments, cwd=cwd).out.splitlines()[0] == str(project)
    done = run_scaffold("doctor", "--project", "nowhere", cwd=project)
    assert_one_error(done, 1, "nowhere", "no such folder")


def test_a_persons_work_is_counted_and_is_no_fault(project):
    model = project / "src" / "mine" / "model.py"
    _replace(model, "x = layers.Dense(64, ", "x = layers.Dense(96, ")
    (project / "tests" / "test_report.py").unlink()
    commit(project, "Work")
    out = _doctor(project)
    assert "99 % of the rendered lines stand" in _line(
        out, "good", "what differs: src/mine/model.py"
    )
    _line(out, "note", "deleted since: tests/test_report.py")


def test_comments_in_the_answers_file_and_another_order_are_fine(project):
    path = project / ANSWERS_FILE
    lines = path.read_text().splitlines(keepends=True)
    name = next(line for line in lines if line.startswith("project_name"))
    lines.remove(name)
    path.write_text("".join(["# ours\n", name, *lines]))
    commit(project, "Comment")
    assert "wrong " not in _doctor(project)


def test_windows_line_ends_are_no_difference(project):
    for path in (project / "src" / "mine").glob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    commit(project, "Line ends")
    _line(_doctor(project), "good", "all ", "rendered lines stand")


# The repository


def test_no_repository(project):
    shutil.rmtree(project / ".git")
    out = _doctor(project, code=1)
    assert "git init" in _line(out, "wrong", "in no git repository")
    _line(out, "good", "rendered lines stand")


def test_nothing_committed(project):
    shutil.rmtree(project / ".git")
    git(project, "init", "--quiet")
    _line(_doctor(project, code=1), "wrong", "nothing is committed yet", "git commit")


def test_no_git(project, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    _line(_doctor(project, code=1), "wrong", "git is not installed")


def test_a_detached_head_is_a_note(project):
    git(project, "checkout", "--quiet", "--detach")
    _line(_doctor(project), "note", "detached head", "git switch -c")


def test_a_linked_work_tree_and_a_submodule_are_notes(project, tmp_path):
    git(project, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    _line(_doctor(tmp_path / "linked"), "note", "linked work tree")
    assert "linked work tree" not in _doctor(project)
    around = tmp_path / "around"
    around.mkdir()
    git(around, "init", "--quiet")
    allow = ("-c", "protocol.file.allow=always")
    git(around, *allow, "submodule", "--quiet", "add", str(project), "inner")
    out = _doctor(around / "inner")
    _line(out, "note", "submodule")
    assert "linked work tree" not in out


def test_a_project_in_a_folder_of_a_repository(project, tmp_path):
    shutil.rmtree(project / ".git")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "All")
    _line(_doctor(project), "good", f"{tmp_path}, of which it is the folder mine/")
    (project / ANSWERS_FILE).unlink()
    _line(_doctor(project, "--fix", "--yes"), "Mended: put back")
    assert not git(tmp_path, "status", "--porcelain")


def test_what_is_not_committed_is_a_note(project):
    (project / "README.md").write_text("mine\n")
    _line(_doctor(project), "note", "README.md: changed and not committed")


def test_conflicts_and_what_they_leave(project):
    model = project / "src" / "mine" / "model.py"
    git(project, "checkout", "--quiet", "-b", "other")
    _replace(model, "x = layers.Dense(64, ", "x = layers.Dense(96, ")
    commit(project, "Wider")
    git(project, "checkout", "--quiet", "main")
    _replace(model, "x = layers.Dense(64, ", "x = layers.Dense(32, ")
    commit(project, "Narrower")
    subprocess.run(["git", "-C", project, "merge", "-q", "other"], capture_output=True)
    out = _doctor(project, code=1)
    _line(out, "wrong", "src/mine/model.py: conflicts are not resolved")
    _line(out, "note", "a merge is under way")
    commit(project, "Oh dear")
    _line(_doctor(project, code=1), "wrong", "src/mine/model.py: has conflict marks in it")
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
    _line(out, "Mended", "brought back what was there before 'add input note:text'")
    assert files_in(project) == before
    assert not list((project / ".git").glob("keras-scaffold-*/"))
    assert not git(project, "status", "--porcelain")
    assert run_scaffold(*line, cwd=project).code == 0


def test_what_a_command_at_work_needs_is_not_taken_from_it(project):
    from keras_scaffold.evolve.apply import at_work

    temporary = project / ".git" / "keras-scaffold-abc"
    temporary.mkdir()
    with at_work(project):
        _line(_doctor(project, "--fix", "--yes"), "note", "another scaffold command is at work")
        assert temporary.is_dir()
    _line(_doctor(project, "--fix", "--yes"), "Mended: deleted .git/keras-scaffold-abc")
    assert not temporary.exists()


# The answers file


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: None, "is not there"),
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
def test_a_damaged_answers_file_is_put_back(project, damage, said, committed):
    path = project / ANSWERS_FILE
    good = path.read_bytes()
    damaged = damage(good.decode())
    path.unlink()
    if damaged is not None:
        path.write_text(damaged, encoding="utf-8")
    if committed:
        commit(project, "Damage")
    out = _doctor(project, code=1)
    line = _line(out, "wrong", said)
    assert "100 % of its rendering stands" in line
    out = _doctor(project, "--fix", "--yes")
    _line(out, "Mended: put back")
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
    _line(_doctor(project, code=1), "wrong", "is not there", "scaffold adopt")


def test_the_former_one_that_fits_best_is_put_back(project):
    """Not the last one: the code went back since."""
    path = project / ANSWERS_FILE
    good = path.read_bytes()
    assert (
        run_scaffold("set", "encoder", "pic", "resnet", "--yes", "--commit", cwd=project).code == 0
    )
    later = path.read_bytes()
    assert later != good
    path.unlink()
    commit(project, "Lose it")
    git(project, "checkout", "--quiet", "HEAD~2", "--", "src", "tests", "README.md")
    commit(project, "Go back")
    _doctor(project, "--fix", "--yes")
    assert path.read_bytes() == good


def test_an_answers_file_edited_by_hand_is_told_from_the_code(project):
    path = project / ANSWERS_FILE
    good = path.read_text()
    path.write_text(
        good.replace("type: image", "type: image\n    encoder: resnet").replace("- 5", "- 6")
    )
    commit(project, "Wish")
    edited = path.read_text()
    line = _line(_doctor(project, code=1), "wrong", "edited by hand")
    assert "scaffold set nums.shape '[6]'; scaffold set encoder pic resnet" in line
    out = _doctor(project, "--fix", "--yes")
    _line(out, "Mended", "put back", "scaffold set encoder pic resnet")
    assert path.read_text() == good
    commit(project, "Put back")
    # What it names leads to what was meant.
    for words in (("set", "nums.shape", "[6]"), ("set", "encoder", "pic", "resnet")):
        assert run_scaffold(*words, "--yes", "--commit", cwd=project).code == 0
    assert spec_in(path.read_text()) == spec_in(edited)
    assert "wrong " not in _doctor(project)


def test_code_and_answers_that_were_edited_alike_are_fine(project):
    model = project / "src" / "mine" / "model.py"
    _replace(
        project / ANSWERS_FILE,
        "task: binary",
        "task: binary\n    dropout: 0.25",
    )
    _replace(model, 'layers.Dropout(0.1, name="label.', 'layers.Dropout(0.25, name="label.')
    commit(project, "Both")
    _line(_doctor(project), "good", "all ", "rendered lines stand")


def test_an_edited_branch_is_no_edited_answers_file(project):
    """The former answers, without the input, render less, of which more stands."""
    assert run_scaffold("add", "input", "note:text", "--yes", "--commit", cwd=project).code == 0
    model = project / "src" / "mine" / "model.py"
    text = model.read_text()
    start = text.index("    x = layers.", text.index("def encode_note"))
    end = text.index("    return x", start)
    model.write_text(text[:start] + "    x = features\n" + text[end:])
    commit(project, "By hand")
    assert "wrong " not in _doctor(project)


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
    _line(_doctor(project), "note", "/gone/away, where nothing is")


# The package


def test_a_package_that_was_renamed_is_found(project):
    git(project, "mv", "src/mine", "src/yours")
    for path in [*(project / "src").rglob("*.py"), *(project / "tests").glob("*.py")]:
        path.write_text(path.read_text().replace("from mine", "from yours"))
    commit(project, "Rename")
    out = _doctor(project)
    _line(out, "note", "the package is in src/yours, the answers file says src/mine")
    _line(out, "rendered lines stand", "good")


def test_a_package_that_is_gone(project):
    shutil.rmtree(project / "src")
    _line(_doctor(project, code=1), "wrong", "src/mine: the package is not there", "git restore")


# Mending


def test_nothing_is_mended_where_nobody_can_be_asked(project):
    (project / ANSWERS_FILE).unlink()
    done = run_scaffold("doctor", "--fix", cwd=project)
    assert_one_error(done, 2, "--fix --yes")
    assert not (project / ANSWERS_FILE).exists()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"project_name": "It's B"}, ["scaffold rename project 'It'\"'\"'s B'"]),
        ({}, {"merge": "average"}, ["scaffold set merge average"]),
        (
            {},
            {"inputs": [{"name": "a", "type": "numeric"}, {"name": "b", "type": "text"}]},
            ["scaffold add input b:text"],
        ),
        (
            {},
            {"inputs": [{"name": "a", "type": "text", "encoder": "conv", "dropout": 0.5}]},
            [
                "scaffold remove input a",
                "scaffold add input a:text:conv",
                "scaffold set a.dropout 0.5",
            ],
        ),
        (
            {},
            {"outputs": [{"name": "z", "task": "multiclass", "classes": 4}]},
            ["scaffold add output z:multiclass:4", "scaffold remove output y"],
        ),
    ],
)
def test_what_was_wished_in_commands(before, after, said):
    plain = {
        "project_name": "A",
        "inputs": [{"name": "a", "type": "numeric"}],
        "outputs": [{"name": "y", "task": "binary"}],
    }
    assert commands({**plain, **before}, {**plain, **after}) == said
