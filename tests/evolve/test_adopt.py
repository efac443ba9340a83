"""`scaffold adopt`: an answers file that was lost, restored from git or written from a spec."""

import shutil

import pytest
import yaml
from helpers import assert_one_error, run_scaffold
from keras_scaffold.evolve.project import open_project
from keras_scaffold.render.history import ANSWERS_FILE, current
from repositories import WHO, commit, git

SPEC = {
    "project_name": "Mine",
    "inputs": [{"name": "nums", "type": "numeric"}, {"name": "pic", "type": "image"}],
    "outputs": [{"name": "label", "task": "binary"}],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project in git."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "spec.yml").write_text(yaml.safe_dump(SPEC))
    done = run_scaffold("new", "mine", "--spec", "spec.yml", "--no-git", cwd=folder)
    assert done.code == 0, done
    git(folder / "mine", "init", "--quiet", "--initial-branch", "main")
    commit(folder / "mine", "Start")
    return folder


@pytest.fixture
def mine(made, tmp_path, monkeypatch):
    """The project, and its spec beside it."""
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "mine"


def adopt(project, *arguments, code=0):
    done = run_scaffold("adopt", *arguments, cwd=project)
    assert done.code == code, done
    return done


# From git


def test_a_deleted_file_is_restored(mine):
    path = mine / ANSWERS_FILE
    path.write_text("# a note of ours\n" + path.read_text())
    kept = path.read_text()
    number = commit(mine, "Note")
    path.unlink()
    commit(mine, "Lose it")
    assert f"from commit {number}" in adopt(mine, "--yes").out
    assert path.read_text() == kept


def test_the_last_valid_version_is_restored(mine):
    path = mine / ANSWERS_FILE
    good = path.read_text()
    for damaged in ("inputs: [", good.replace("_commit: ", "_commit: v77.0.0\n_was: ")):
        path.write_text(damaged)
        commit(mine, "Damage")
    adopt(mine, "--yes")
    assert path.read_text() == good
    assert not (mine / f"{ANSWERS_FILE}.orig").exists()  # git has it


def test_another_branch_serves_where_this_one_has_none(mine):
    good = (mine / ANSWERS_FILE).read_text()
    git(mine, "checkout", "--quiet", "--orphan", "other")
    (mine / ANSWERS_FILE).unlink()
    commit(mine, "Start over")
    adopt(mine, "--yes")
    assert (mine / ANSWERS_FILE).read_text() == good


def test_a_damaged_file_that_git_does_not_have_is_kept(mine):
    (mine / ANSWERS_FILE).write_text("inputs: [")
    done = adopt(mine, "--yes")
    assert f"the replaced one is in {ANSWERS_FILE}.orig" in done.out
    assert (mine / f"{ANSWERS_FILE}.orig").read_text() == "inputs: ["


def test_where_git_has_none_it_names_the_spec(mine):
    shutil.rmtree(mine / ".git")
    (mine / ANSWERS_FILE).unlink()
    assert_one_error(adopt(mine, "--yes", code=1), 1, "in no git repository", "--spec FILE")
    git(mine, "init", "--quiet")
    assert_one_error(adopt(mine, "--yes", code=1), 1, "nothing is committed yet", "--spec FILE")
    commit(mine, "Start")
    assert_one_error(adopt(mine, "--yes", code=1), 1, "no commit has a valid", "--spec FILE")
    assert not (mine / ANSWERS_FILE).exists()


# From a spec


def test_a_spec_gives_the_file_that_new_wrote(mine):
    good = (mine / ANSWERS_FILE).read_text()
    shutil.rmtree(mine / ".git")
    (mine / ANSWERS_FILE).unlink()
    done = adopt(mine, "--spec", "../spec.yml", "--yes")
    assert current().commit in done.out
    assert (mine / ANSWERS_FILE).read_text() == good


def test_a_project_of_a_spec_can_be_changed(mine):
    (mine / ANSWERS_FILE).unlink()
    commit(mine, "Lose it")
    adopt(mine, "--spec", "../spec.yml", "--yes")
    assert git(mine, "status", "--porcelain") == f"?? {ANSWERS_FILE}"
    commit(mine, "Adopt")
    done = run_scaffold("add", "input", "note:text", "--yes", cwd=mine)
    assert done.code == 0, done
    assert "def encode_note" in (mine / "src/mine/model.py").read_text()


def test_the_name_is_the_folders_where_the_spec_has_none(mine):
    spec = mine.parent / "spec.yml"
    spec.write_text(yaml.safe_dump({key: SPEC[key] for key in ("inputs", "outputs")}))
    adopt(mine, "--spec", str(spec), "--yes", "--force")
    assert open_project(mine).spec.package_name == "mine"


def test_another_projects_spec_is_refused(mine):
    (mine.parent / "spec.yml").write_text(yaml.safe_dump({**SPEC, "project_name": "Yours"}))
    (mine / ANSWERS_FILE).unlink()
    command = ("--spec", "../spec.yml", "--yes")
    assert_one_error(adopt(mine, *command, code=1), 1, "src/yours: there is no such package")
    adopt(mine, *command, "--force")
    assert open_project(mine).spec.project_name == "Yours"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("inputs: [", "not valid YAML"),
        ("inputs: [{name: a, type: imge}]\noutputs: [{name: y, task: binary}]", "'image'"),
        ("inputs: [{name: a, type: image}]", "outputs"),
    ],
)
def test_a_spec_that_is_invalid(mine, text, error):
    (mine.parent / "spec.yml").write_text(text)
    (mine / ANSWERS_FILE).unlink()
    assert_one_error(adopt(mine, "--spec", "../spec.yml", "-y", code=1), 1, "spec.yml: ", error)


# The command


def test_it_asks_or_is_told(mine):
    path = mine / ANSWERS_FILE
    path.unlink()
    assert_one_error(adopt(mine, code=2), 2, "--yes", "--dry-run")
    done = run_scaffold("adopt", str(mine), "--dry-run", cwd=mine.parent)
    assert done.code == 0, done
    assert "name: pic" in done.out
    assert done.out.endswith("Nothing was written.\n")
    assert not path.exists()


def test_a_valid_file_is_left(mine):
    before = (mine / ANSWERS_FILE).read_text()
    assert_one_error(adopt(mine, "--yes", code=1), 1, "is valid already", "--force")
    adopt(mine, "--yes", "--force")
    assert (mine / ANSWERS_FILE).read_text() == before
