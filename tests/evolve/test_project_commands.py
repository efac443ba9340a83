"""Commands that change a project, as a person meets them: in a terminal, and in a script."""

import subprocess

import pytest
import yaml
from helpers import BIN, assert_one_error, files_in, run_scaffold
from keras_scaffold.catalog import load_catalog
from keras_scaffold.cli import project_commands
from terminal import CLEAR, DOWN, ENTER, Terminal

IDENTITY = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
FLAGS = ["-i", "chart:image:32x32x3", "-i", "note:text", "-o", "label:binary"]

DEFAULT = load_catalog().default_features


def git(folder, *arguments):
    return subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def make(folder, *flags):
    assert run_scaffold("new", str(folder), *flags, "--no-git", cwd=folder.parent).code == 0
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Start")
    return folder


def answers(project):
    return yaml.safe_load((project / ".copier-answers.yml").read_text())


@pytest.fixture
def project(tmp_path):
    return make(tmp_path / "made", *FLAGS)


@pytest.fixture
def terminal():
    opened = []

    def start(project, *words):
        opened.append(Terminal([str(BIN / "scaffold"), *words], project, rows=60))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_what_is_not_said_is_asked(project, terminal):
    it = terminal(project, "add", "input")
    it.answer("Input 3: what is it called?", CLEAR, "pulse", ENTER)
    it.answer("What kind of input is pulse?", ENTER)
    it.answer("What is the shape of pulse?", ENTER)
    it.answer("Which layers turn pulse into features?", ENTER)
    it.answer("Make this change?", ENTER)
    assert it.ends() == 0
    assert "new in src/made/model.py: encode_pulse" in it.text()
    assert [entry["name"] for entry in answers(project)["inputs"]] == ["chart", "note", "pulse"]


def test_a_person_sees_the_difference_and_can_refuse(project, terminal):
    before = files_in(project)
    it = terminal(project, "set", "chart.shape", "48x48x3")
    it.shows('+        "chart": keras.Input((48, 48, 3)')
    it.answer("Make this change?", DOWN, ENTER)
    assert it.ends() == 0
    assert "Nothing was written." in it.text()
    assert files_in(project) == before


def test_a_feature_is_shown_as_a_difference_and_added(project, terminal):
    it = terminal(project, "add", "feature", "warm-start")
    it.shows("tests/test_warm_start.py")
    it.answer("Make this change?", ENTER)
    assert it.ends() == 0
    assert "Done: add feature warm-start" in it.text()
    assert answers(project)["features"] == [*DEFAULT, "warm-start"]
    done = run_scaffold("undo", cwd=project)
    assert (done.code, answers(project)["features"]) == (0, DEFAULT)
    assert git(project, "status", "--porcelain") == ""


def test_undo_asks_in_a_terminal(project, terminal):
    before = files_in(project)
    assert run_scaffold("remove", "feature", "report", "--yes", cwd=project).code == 0
    after = files_in(project)
    it = terminal(project, "undo")
    it.answer("Undo 'remove feature report'?", DOWN, ENTER)
    assert it.ends() == 0
    assert "Nothing was written." in it.text()
    assert files_in(project) == after
    it = terminal(project, "undo", "--yes")
    assert it.ends() == 0
    assert "Undo '" not in it.text()
    assert files_in(project) == before


@pytest.mark.parametrize("words", ["add input pulse:timeseries", "set chart.shape 48x48x3"])
def test_committed_conflict_markers_stop_a_change(project, words):
    """They are no conflict for git any more, but no code either; only all three of them are one."""
    readme, model = project / "README.md", project / "src" / "made" / "model.py"
    readme.write_text(readme.read_text() + "\n=======\n<<<<<<< is where a conflict begins\n")
    code = model.read_text()
    model.write_text(f"<<<<<<< mine\nA = 1\n=======\nA = 2\n>>>>>>> theirs\n{code}")
    git(project, "commit", "-q", "-a", "-m", "By mistake")
    done = run_scaffold(*words.split(), "--yes", cwd=project)
    assert_one_error(done, 1, "src/made/model.py: has conflict markers; resolve the conflict")
    model.write_text(code)
    git(project, "commit", "-q", "-a", "-m", "Resolve")
    assert run_scaffold(*words.split(), "--yes", cwd=project).code == 0


def test_the_last_feature_can_be_removed(project):
    for name in reversed(DEFAULT):
        done = run_scaffold("remove", "feature", name, "--yes", "--commit", cwd=project)
        assert done.code == 0, done
    assert answers(project)["features"] == []
    done = run_scaffold("remove", "feature", "report", "--yes", cwd=project)
    assert_one_error(done, 1, "no feature 'report' in the project; it has no features")
    fresh = make(project.parent / "fresh", *FLAGS, "--minimal", "--name", "Made")
    assert files_in(project) == files_in(fresh)


def test_a_project_keeps_how_its_table_is_written(tmp_path):
    table = {"delimiter": ";", "missing": {"age": [-1], "note": ["k. A."]}}
    spec = {
        "project_name": "Made",
        "inputs": [{"name": "age", "type": "numeric", "columns": ["age"]}],
        "outputs": [{"name": "label", "task": "binary"}],
    }
    spec["inputs"].append({"name": "note", "type": "text"})
    (tmp_path / "spec.yml").write_text(yaml.safe_dump({**spec, "table": table}))
    project = make(tmp_path / "made", "--spec", "spec.yml")
    before = files_in(project)
    for words in ("add input pulse:timeseries", "set age.bins 4", "remove input note"):
        done = run_scaffold(*words.split(), "--yes", "--commit", cwd=project)
        assert done.code == 0, done
    # The codes of a column went with the last input that read it.
    assert answers(project)["table"] == {"delimiter": ";", "missing": {"age": [-1]}}
    assert run_scaffold("doctor", cwd=project).code == 0
    for _ in range(3):
        assert run_scaffold("undo", cwd=project).code == 0
        git(project, "add", "-A")
        git(project, "commit", "-q", "-m", "Undo")
    assert files_in(project) == before


def test_doctor_names_a_feature_that_there_is_not(project):
    path = project / ".copier-answers.yml"
    path.write_text(path.read_text().replace("- report", "- reports"))
    done = run_scaffold("doctor", cwd=project)
    assert done.code == 1
    assert "features[5]: no feature \"reports\"; did you mean 'report'?" in done.out


def test_a_merge_that_does_not_follow_is_asked_for(tmp_path, terminal):
    tree = "concatenate(note, multiply(chart, pulse))"
    project = make(tmp_path / "made", *FLAGS, "-i", "pulse:numeric:3", "-m", tree)
    it = terminal(project, "add", "input", "more:numeric")
    it.asks("How do all the inputs merge?")
    assert "concatenate(note, multiply(chart, pulse), more)" in it.text()
    it.press("add(chart, note)", ENTER)
    it.shows("the input 'pulse' is not merged")
    it.press(CLEAR, "add(chart, note, pulse, more)", ENTER)
    it.answer("Make this change?", ENTER)
    assert it.ends() == 0
    assert answers(project)["merge"] == {"method": "add", "of": ["chart", "note", "pulse", "more"]}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["add", "input", "pulse:timeseries"], 2, ["no terminal", "--yes", "--dry-run"]),
        (["add", "input", "--yes"], 2, ["no input given", "NAME:TYPE"]),
        (["add", "input", "pulse:timeseris", "-y"], 2, ["did you mean 'timeseries'?"]),
        (["add", "input", "note:text", "-y"], 1, ["'note' is already the name of an input"]),
        (["add", "input", "label:text", "-y"], 1, ["'label' is already the name of an output"]),
        (["remove", "input", "nots", "-y"], 1, ["no input 'nots'", "did you mean 'note'?"]),
        (["remove", "output", "label", "-y"], 1, ["the only output"]),
        (["add", "feature", "onx", "-y"], 2, ["no feature 'onx'", "did you mean 'onnx'?"]),
        (["add", "feature", "-y"], 2, ["NAME"]),
        (["add", "feature", "report", "-y"], 1, ["already has the feature 'report'"]),
        (["remove", "feature", "onnx", "-y"], 1, ["no feature 'onnx' in the project", "report"]),
        (["remove", "feature", "ensembel", "-y"], 1, ["did you mean 'ensemble'?"]),
        (["rename", "input", "chart", "note", "-y"], 1, ["already the name of an input"]),
        (["rename", "input", "chart", "Chart", "-y"], 1, ["is no name"]),
        (["set", "merge", "concat", "-y"], 2, ["did you mean 'concatenate'?"]),
        (["set", "encoder", "chart", "cn", "-y"], 1, ["no encoder", "did you mean 'cnn'?"]),
        (["set", "chart.shap", "3", "-y"], 1, ["no field 'shap'", "did you mean 'shape'?"]),
        (["set", "chart.shape", "3", "-y"], 1, ["inputs[0] (chart).shape", "such as"]),
        (["set", "chart.type", "text", "-y"], 1, ["remove it and add it again"]),
        (["set", "chart", "-y"], 2, ["set NAME.FIELD VALUE"]),
        (["set", "table.delimeter", ";", "-y"], 1, ["no field", "did you mean 'delimiter'?"]),
        (["set", "table.decimal", "comma", "-y"], 1, ["table.decimal", '".", ","']),
        (["set", "table.missing", "{x: [-1]}", "-y"], 1, ["no input or output reads"]),
        (["undo"], 1, ["no change by scaffold"]),
        (["update", "--to", "v99", "-y"], 1, ["--to v99: no such version"]),
        (["update", "--all", "src"], 1, ["there is no project in it"]),
    ],
)
def test_errors_say_what_to_do(project, words, code, told):
    before = files_in(project)
    assert_one_error(run_scaffold(*words, cwd=project), code, *told)
    assert files_in(project) == before
    assert git(project, "status", "--porcelain") == ""


def test_outside_of_a_project_there_is_one_line(tmp_path):
    done = run_scaffold("add", "input", "pulse:timeseries", "--yes", cwd=tmp_path)
    assert_one_error(done, 1, "is in no project", "scaffold adopt")


def test_a_file_that_a_person_deleted_stays_so(project):
    git(project, "rm", "-q", "tests/test_data.py")
    git(project, "commit", "-q", "-m", "No such tests")
    done = run_scaffold("add", "input", "pulse:timeseries", "--yes", cwd=project)
    assert done.code == 0, done
    assert "skipped, as you deleted it: tests/test_data.py" in done.out
    assert not (project / "tests" / "test_data.py").exists()


def test_a_file_that_a_person_edited_is_not_deleted(tmp_path):
    project = make(tmp_path / "made", *FLAGS, "-i", "size:numeric:2")
    layers = project / "src" / "made" / "layers.py"
    layers.write_text(layers.read_text() + "\n\nMINE = 1\n")
    git(project, "commit", "-q", "-a", "-m", "A line of mine")
    done = run_scaffold("remove", "input", "size", "--yes", cwd=project)
    assert done.code == 1
    assert "src/made/layers.py: would be deleted, but you edited it" in done.err
    assert layers.read_text().endswith("MINE = 1\n")
    assert "UD src/made/layers.py" in git(project, "status", "--porcelain")
    assert run_scaffold("undo", cwd=project).code == 0
    assert git(project, "status", "--porcelain") == ""


def test_doctor_asks_before_it_fixes(project, terminal):
    path = project / ".copier-answers.yml"
    whole = path.read_text()
    path.write_text("inputs: [")
    it = terminal(project, "doctor", "--fix")
    it.answer("Restore that one?", DOWN, ENTER)
    assert it.ends() == 1
    assert path.read_text() == "inputs: ["
    it = terminal(project, "doctor", "--fix")
    it.answer("Restore that one?", ENTER)
    assert it.ends() == 0
    assert path.read_text() == whole


def test_adopt_shows_the_file_and_asks(project, terminal):
    path = project / ".copier-answers.yml"
    whole = path.read_text()
    path.unlink()
    it = terminal(project, "adopt")
    it.shows("from commit ")
    it.answer("Write .copier-answers.yml?", DOWN, ENTER)
    assert it.ends() == 0
    assert not path.exists()
    it = terminal(project, "adopt")
    it.answer("Write .copier-answers.yml?", ENTER)
    assert it.ends() == 0
    assert path.read_text() == whole


def test_marks_are_set_as_they_are_typed():
    """They would be YAML's own: the shell has taken the quotes away."""
    inputs = [{"name": "tags", "type": "set"}, {"name": "when", "type": "datetime"}]
    given = {"project_name": "P", "inputs": inputs, "outputs": [{"name": "y", "task": "binary"}]}
    changed = project_commands._set_field(given, "tags", "delimiter", ";")
    changed = project_commands._set_field(changed, "when", "format", "%d.%m.%Y")
    assert changed["inputs"][0]["delimiter"] == ";"
    assert changed["inputs"][1]["format"] == "%d.%m.%Y"
    assert project_commands._set_field(given, "tags", "delimiter", "|") == given
