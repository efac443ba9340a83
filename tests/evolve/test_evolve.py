"""A project's life: no edit of a person's is lost or moved, there and back gives the same bytes."""

import random
import re
import shlex
import shutil
import subprocess

import copier
import pytest
from helpers import BIN, assert_one_error, files_in, run_scaffold
from keras_scaffold.catalog import load_catalog
from keras_scaffold.evolve.project import read_answers
from keras_scaffold.render.history import Recorded
from pairs import try_pair
from past import NOBODY, NOW, OLD, OLDER, commit_all, git, locked_repository, tool_with_past
from people import Person, check_parses, texts
from projects import ruff
from walks import (
    Command,
    begin,
    plain_update,
    quick_rendering,
    random_command,
    random_given,
    rendered,
    scaffold,
    unmerged,
    unreal_conflicts,
)

GIVEN = {
    "project_name": "Two Senses",
    "inputs": [
        {"name": "numbers", "type": "numeric"},
        {"name": "picture", "type": "image", "encoder": "resnet", "blocks": 2},
        {"name": "words", "type": "text"},
    ],
    "outputs": [{"name": "label", "task": "binary"}, {"name": "price", "task": "regression"}],
}
MODEL = "src/two_senses/model.py"


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module", autouse=True)
def tool(tmp_path_factory):
    """This process is a tool whose template has a past."""
    tool = tool_with_past(tmp_path_factory.mktemp("tool") / "tool")
    with locked_repository(tool), quick_rendering():
        yield tool


def old(tool, version):
    return Recorded(str(tool), version)


# Pairs of an edit and a command


def check_pair(seed, folder):
    it = try_pair(seed, folder)
    assert not it.problems, it
    assert not (it.apart and it.conflicts), it


@pytest.mark.parametrize("seed", [3, 7, 12])
def test_an_edit_and_a_command(seed, tmp_path):
    check_pair(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 125))
def test_many_edits_and_commands(seed, tmp_path):
    """The benchmark tries two hundred, and plain copier beside."""
    check_pair(seed, tmp_path)


# Walks


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_walk(seed, tmp_path):
    """Edits and commands in turn; after each command all edits stand where they stood."""
    chance = random.Random(seed)
    project = begin(random_given(chance, alike=seed % 3 == 0), tmp_path / "project")
    person = Person(project, chance)
    done = 0
    for _ in range(30):
        if done == 8:
            break
        for _ in range(chance.choice([0, 1, 3])):
            person.edit()
        commit_all(project)
        done += _step(project, person, chance, tmp_path / "rendered")
    assert done == 8
    _check_style(project, person)


def _step(project, person, chance, elsewhere):
    """Run a command, look, and go back, or on; whether it was one that is not refused."""
    before, marks, gone = files_in(project), dict(person.marks), list(person.deleted)
    command = random_command(chance, read_answers(project)[0])
    done = scaffold(project, *command.words)
    assert done.code in (0, 1), (command, done)
    assert done.err.count("\n") == done.code, (command, done)
    if files_in(project) == before:
        return False
    conflicts = frozenset(unmerged(project))
    assert done.code == bool(conflicts), (command, done)
    assert not unreal_conflicts(project), command
    wanted = rendered(project, elsewhere)
    assert not person.look(wanted, command.same, conflicts), command
    check_parses({path: text for path, text in texts(project).items() if path not in conflicts})
    if conflicts or chance.random() < 0.3:
        assert scaffold(project, "undo").code == 0, command
        assert files_in(project) == before, command
        assert not git(project, "status", "--porcelain"), command
        person.marks, person.deleted = marks, gone
        return True
    person.deleted = [tuple(map(command.same, it)) for it in gone]
    person.remember()
    commit_all(project, " ".join(command.words))
    if command.back and chance.random() < 0.5:
        back = scaffold(project, *command.back)
        if not back.code:
            assert files_in(project) == before, command
            person.marks, person.deleted = marks, gone
            commit_all(project, " ".join(command.back))
        else:
            assert files_in(project) != before
            scaffold(project, "undo")
            git(project, "reset", "-q", "--hard")
    return True


def _check_style(project, person):
    """Deleting can leave something unused; all else that a person put in is clean."""
    if not person.deleted:
        assert ruff("check", ".", cwd=project) == ""
    assert ruff("format", "--check", ".", cwd=project) == ""


# There and back


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("add input pulse:timeseries", "remove input pulse"),
        ("add output genre:multiclass:4", "remove output genre"),
        ("rename input picture chart", "rename input chart picture"),
        ("rename output price cost", "rename output cost price"),
        ("rename project Other", "rename project 'Two Senses'"),
        ("add feature warm-start", "remove feature warm-start"),
        ("remove feature report", "add feature report"),
        ("add input twin:like:words", "remove input twin"),
        ("set merge add", "set merge concatenate"),
        ("set encoder picture cnn", "set encoder picture resnet"),
        ("set numbers.bins 0", "set numbers.bins 16"),
        ("set table.delimiter ';'", "set table.delimiter ,"),
        ("set table.missing '{price: [-1]}'", "set table.missing {}"),
    ],
)
def test_there_and_back(there, back, tmp_path):
    """The same bytes, with edits in the midst of what changes and comes back."""
    project = begin(GIVEN, tmp_path / "project")
    person = Person(project, random.Random(there))
    for scope in (".encode_words", ".head_label", ".load_model"):
        assert person.edit_in(MODEL, scope, "comment")
    commit_all(project)
    before = files_in(project)
    done = scaffold(project, *shlex.split(there))
    assert done.code == 0, done
    assert files_in(project) != before
    assert scaffold(project, *shlex.split(back)).code == 0
    assert files_in(project) == before
    for _ in range(2):
        assert scaffold(project, "undo").code == 0
    assert files_in(project) == before


TRAIN = "src/two_senses/train.py"
MINE = {  # lines of train.py, and what a person made of them
    "    draw_curves(": "    print(result)\n    draw_curves(",
    "max(8, options.epochs // 3)": "12",
    "    learning_rate: float = 2e-3\n": "    learning_rate: float = 5e-4  # mine\n",
    "warmup = max(1, steps // 12)": "warmup = max(1, steps // 6)",
}


@pytest.mark.parametrize("features", [[], list(load_catalog().features)], ids=["none", "all"])
@pytest.mark.parametrize("name", load_catalog().features)
def test_a_feature_comes_and_goes_around_edits_of_train(name, features, tmp_path):
    """There and back are the same bytes, wherever the person edited train.py."""
    project = begin({**GIVEN, "features": features}, tmp_path / "project")
    text = (project / TRAIN).read_text()
    for plain, mine in MINE.items():
        assert plain in text
        text = text.replace(plain, mine, 1)
    (project / TRAIN).write_text(text)
    commit_all(project)
    before = files_in(project)
    words = [["add", "feature", name], ["remove", "feature", name]]
    for command in reversed(words) if features else words:
        done = scaffold(project, *command)
        assert done.code == 0, done
        text = (project / TRAIN).read_text()
        assert all(mine in text for mine in MINE.values())
        commit_all(project)
    assert files_in(project) == before


def test_a_project_of_a_template_without_features(tool, tmp_path):
    """Its update brings the default features; before it, none can be added or removed."""
    past = tmp_path / "past"
    shutil.copytree(tool, past)
    git(past, "checkout", "-q", "-b", "without", OLD)
    path = past / "copier.yml"
    text, question = path.read_text(), re.compile(r"^features:\n(?:  .*\n)+", re.M)
    assert question.search(text)
    hidden = 'features:\n  type: yaml\n  when: false\n  default: "[report]"\n'
    path.write_text(question.sub(hidden, text))
    shutil.move(past / "template" / "features", past / "template" / "parts")
    for place in (past / "template").rglob("*.jinja"):
        code = place.read_text()
        place.write_text(code.replace("template/features/", "template/parts/"))
    commit_all(past, "No features")
    git(past, "tag", "v0.0.2.5")
    git(past, "checkout", "-q", "main")
    with locked_repository(past):
        project = begin(GIVEN, tmp_path / "project", old(past, "v0.0.2.5"))
        assert "features" not in read_answers(project)[0]
        done = scaffold(project, "add", "feature", "onnx")
        assert_one_error(done, 1, "v0.0.2.5 of the template has no feature", "scaffold update")
        done = scaffold(project, "update")
        assert done.code == 0, done
        assert read_answers(project)[0]["features"] == load_catalog().default_features
        fresh = begin(GIVEN, tmp_path / "fresh")
        assert files_in(project) == files_in(fresh)


def test_undo_leaves_what_was_edited_since(tmp_path):
    project = begin(GIVEN, tmp_path / "project")
    before = files_in(project)
    assert scaffold(project, "add", "input", "pulse:timeseries").code == 0
    edits = {
        MODEL: ("def encode_words", "# Mine.\ndef encode_words"),
        "README.md": ("# Two Senses", "# Two Senses, mine"),
    }
    for path, (plain, edited) in edits.items():
        text = (project / path).read_text()
        (project / path).write_text(text.replace(plain, edited, 1))
    assert scaffold(project, "undo").code == 0
    for path, (plain, edited) in edits.items():
        text = (project / path).read_text()
        assert edited in text
        assert text.replace(edited, plain, 1).encode() == before.pop(path)
    found = files_in(project)
    assert {path: found[path] for path in before} == before


def test_undo_refuses_what_was_edited_in_the_same_lines(tmp_path):
    project = begin(GIVEN, tmp_path / "project")
    assert scaffold(project, "add", "input", "pulse:timeseries").code == 0
    text = (project / MODEL).read_text()
    (project / MODEL).write_text(text.replace('"""Encode pulse', '"""Mine: encode pulse'))
    before = files_in(project)
    assert_one_error(scaffold(project, "undo"), 1, MODEL, "in the same lines")
    assert files_in(project) == before


# Eight of one type


@pytest.mark.parametrize(
    "words", ["remove input in_4", "rename input in_4 other", "add input ninth:timeseries"]
)
def test_an_edit_in_each_of_eight_branches(words, tmp_path):
    names = [f"in_{number}" for number in range(8)]
    inputs = [{"name": name, "type": "timeseries"} for name in names]
    project = begin({**GIVEN, "inputs": inputs}, tmp_path / "project")
    person = Person(project, random.Random(words))
    for name in names:
        if words != "remove input in_4" or name != "in_4":
            for kind in ("line", "comment", "delete"):
                assert person.edit_in(MODEL, f".encode_{name}", kind)
    commit_all(project)
    command = Command(words.split())
    if command.words[0] == "rename":
        command.renamed = ((*command.words[2:],),)
    done = scaffold(project, *command.words)
    assert done.code == 0, done
    assert not person.look(rendered(project, tmp_path / "rendered"), command.same)


# Versions of the template


@pytest.mark.parametrize("version", [OLDER, OLD])
def test_an_update_is_what_plain_copier_makes(version, tool, tmp_path):
    """And what the tool renders now; from projects that scaffold or plain copier made."""
    ours = begin(GIVEN, tmp_path / "ours", old(tool, version))
    theirs = tmp_path / "theirs"
    copier.run_copy(
        str(tool), theirs, data=GIVEN, vcs_ref=version, defaults=True, overwrite=True, quiet=True
    )
    commit_all(theirs)
    assert files_in(ours) == files_in(theirs)
    assert scaffold(ours, "update", "--commit").code == 0
    assert not git(ours, "status", "--porcelain")
    plain_update(theirs, {}, NOW)
    fresh = begin(GIVEN, tmp_path / "fresh")
    assert files_in(ours) == files_in(fresh)
    assert files_in(theirs) == files_in(fresh)
    assert not (ours / "docs").exists()
    assert scaffold(ours, "update").out.startswith("Nothing changes")


def test_an_update_to_a_version(tool, tmp_path):
    project = begin(GIVEN, tmp_path / "project", old(tool, OLDER))
    (project / "notes" / "usage.md").write_text(
        (project / "notes" / "usage.md").read_text().replace("# Usage", "# Usage, mine")
    )
    commit_all(project)
    assert_one_error(scaffold(project, "update", "--to", "9.9"), 1, "9.9", OLD)
    assert scaffold(project, "update", "--to", OLD.removeprefix("v")).code == 0
    # The file moved, and the edit with it.
    text = (project / "docs" / "usage.md").read_text()
    assert "# Usage, mine" in text and "Step 1." in text
    assert not (project / "notes").exists()
    assert f"_commit: {OLD}\n" in (project / ".copier-answers.yml").read_text()


def test_check_says_it_with_its_exit_code(tool, tmp_path):
    project = begin(GIVEN, tmp_path / "project", old(tool, OLD))
    before = files_in(project)
    behind = run_scaffold("update", "--check", cwd=project)
    assert (behind.code, behind.out.count("\n")) == (3, 1)
    assert OLD in behind.out and NOW in behind.out
    assert files_in(project) == before
    assert scaffold(project, "update").code == 0
    assert run_scaffold("update", "--check", cwd=project).code == 0


def test_all_projects_of_a_team(tool, tmp_path):
    """A table at the end; what one cannot do stops no other."""
    team = tmp_path / "team"
    for name in ("a-old", "b-older", "c-dirty", "d-conflict", "e-damaged", "f-no-git", "h-edited"):
        begin(GIVEN, team / name, old(tool, OLDER if name == "b-older" else OLD))
    begin(GIVEN, team / "deep" / "er" / "now")
    _append(team / "c-dirty" / MODEL, "MINE = 1\n")
    _edit_what_an_update_changes(team / "d-conflict", team / "deep" / "er" / "now")
    _append(team / "e-damaged" / ".copier-answers.yml", "inputs: [\n")
    commit_all(team / "e-damaged")
    shutil.rmtree(team / "f-no-git" / ".git")
    _append(team / "h-edited" / MODEL, "MINE = 1\n")
    commit_all(team / "h-edited")
    (team / "g-foreign").mkdir()
    (team / "g-foreign" / ".copier-answers.yml").write_text("_src_path: gh:a/b\n_commit: v1\n")
    commit_all(team / "g-foreign")
    before = files_in(team)

    checked = run_scaffold("update", "--all", str(team), "--check", cwd=tmp_path)
    assert checked.code == 1, checked
    assert files_in(team) == before

    done = run_scaffold("update", "--all", str(team), "--yes", "--commit", cwd=tmp_path)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "4 of 8 projects need you" in done.err
    table = done.out[done.out.index("result") :]
    rows = {line.split()[0]: line for line in table.splitlines()[1:] if line.strip()}
    for name, told in {
        "a-old": "updated",
        "b-older": "updated",
        "c-dirty": "not committed",
        "d-conflict": "conflicts in",
        "e-damaged": "adopt",
        "f-no-git": "git init",
        "h-edited": "updated",
        "deep/er/now": "is current",
    }.items():
        assert told in re.sub(
            r"\s+", " ", done.out[done.out.index(name, done.out.index("result")) :]
        ), name
        assert name in rows
    assert "g-foreign" not in done.out
    after = files_in(team)
    for name in ("c-dirty", "e-damaged", "f-no-git", "g-foreign", "deep"):
        for path in before:
            if path.startswith(f"{name}/"):
                assert after[path] == before[path]
    for name in ("a-old", "b-older", "h-edited"):
        assert git(team / name, "log", "--format=%s").startswith("Update the template to")
        assert not git(team / name, "status", "--porcelain")
    assert (team / "h-edited" / MODEL).read_text().endswith("MINE = 1\n")
    again = run_scaffold("update", "--all", str(team), "--check", cwd=tmp_path)
    assert "a-old" in again.out


def _append(path, text):
    path.write_text(path.read_text() + text)


def _edit_what_an_update_changes(project, updated):
    """Change a line that the new version has no more, in a way of one's own."""
    for path, text in sorted(texts(project).items()):
        lines = text.splitlines()
        new = (updated / path).read_text().splitlines() if (updated / path).exists() else None
        for place, line in enumerate(lines):
            if new is not None and path.endswith(".py") and line not in new:
                lines[place] = (
                    f"{line}  # mine" if '"""' not in line else line.replace("Once", "Mine")
                )
                (project / path).write_text("\n".join(lines) + "\n")
                commit_all(project)
                return
    raise AssertionError("the update changes nothing")


# What a project's own tests say


@pytest.mark.slow
@pytest.mark.parametrize("words", ["add input pulse:timeseries:20x1", "rename input words phrases"])
def test_a_project_passes_its_tests_after_a_change(words, tmp_path):
    given = {
        "project_name": f"Own Tests {words.split()[0]}",
        "inputs": [
            {"name": "numbers", "type": "numeric", "shape": [3]},
            {"name": "words", "type": "text"},
        ],
        "outputs": [{"name": "label", "task": "binary"}],
    }
    project = begin(given, tmp_path / "project")
    person = Person(project, random.Random(words))
    for _ in range(6):
        person.edit("line comment")
    commit_all(project)
    assert scaffold(project, *words.split()).code == 0
    done = subprocess.run(
        [BIN / "python", "-m", "pytest", "-q", "-x"], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]
