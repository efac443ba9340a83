"""Renames after real edits: a rewritten branch, a moved head, a module of the person's own."""

import random
import subprocess

import pytest
from helpers import BIN, files_in
from keras_scaffold.evolve.project import read_answers
from keras_scaffold.evolve.renames import Renames, mentions, renames
from keras_scaffold.spec import validate
from past import NOBODY, commit_all, git
from people import check_parses, move_head, own_file, rewrite_branch, texts
from walks import begin, quick_rendering, random_given, scaffold

GIVEN = {
    "project_name": "Walk",
    "inputs": [
        {"name": "chart", "type": "image", "shape": [16, 16, 3]},
        {"name": "indicators", "type": "numeric", "shape": [4]},
    ],
    "outputs": [{"name": "direction", "task": "binary"}],
}
LONG = "a_name_as_long_as_one_may_be_32c"


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_rendering():
        yield


def edited(given, folder):
    """A project whose first branch is rewritten and whose first head is moved."""
    project = begin(given, folder)
    package = validate(given).package_name
    name, output = given["inputs"][0]["name"], given["outputs"][0]["name"]
    rewrite_branch(project, package, name)
    move_head(project, package, output)
    (project / "src" / package / "mine.py").write_text(own_file(name, output))
    commit_all(project)
    return project


def rename(project, section, old, new):
    done = scaffold(project, "rename", section, old, new)
    assert done.code == 0, done
    commit_all(project)
    return done


def test_an_edited_line_with_a_name_and_its_column_keeps_the_column(tmp_path):
    project = begin(GIVEN, tmp_path / "project")
    data = project / "src" / "walk" / "data.py"
    line = '"chart": file_column(examples, "chart"),'
    ours = '"chart": checked(file_column(examples, "chart")),'
    text = data.read_text()
    assert text.count(line) == 1
    data.write_text(text.replace(line, ours))
    commit_all(project)
    rename(project, "input", "chart", "plot")
    assert ours.replace('"chart":', '"plot":') in data.read_text()
    rename(project, "input", "plot", "chart")
    assert data.read_text() == text.replace(line, ours)


def test_names_in_code_change_and_columns_and_prose_do_not(tmp_path):
    project = edited(GIVEN, tmp_path / "project")
    package = project / "src" / "walk"
    before = files_in(project)
    done = rename(project, "input", "chart", "plot")
    assert "look at: src/walk/mine.py:18: chart\n" in done.out
    assert done.out.count("look at") == 1
    rename(project, "output", "direction", "side")
    assert (package / "mine.py").read_text() == (
        own_file("chart", "direction")
        .replace('"chart.ours', '"plot.ours')
        .replace('input["chart"]', 'input["plot"]')
        .replace('"chart": ', '"plot": ')
        .replace('batch["chart"]', 'batch["plot"]')
        .replace('output["direction"]', 'output["side"]')
    )
    model, heads = ((package / name).read_text() for name in ("model.py", "heads.py"))
    assert '"""Encode the chart of a day, as our paper has it.\n' in model
    assert 'The chart is of "chart" quality' in model
    assert 'name=f"plot.ours_{number}"' in model
    assert '    """Predict side: a probability, (batch, 1)."""\n' in heads
    assert "direction" not in heads
    rename(project, "output", "side", "direction")
    rename(project, "input", "plot", "chart")
    assert files_in(project) == before


@pytest.mark.parametrize("seed", range(12))
def test_no_conflict_whatever_the_branch_and_the_head(seed, tmp_path):
    chance = random.Random(seed)
    given = random_given(chance)
    project = edited(given, tmp_path / "project")
    state = []
    for section, new in (("inputs", LONG), ("outputs", "side"), ("inputs", "sky_2")):
        state.append(files_in(project))
        old = read_answers(project)[0][section][0]["name"]
        done = rename(project, section[:-1], old, new)
        assert "mine.py" in done.out
        check_parses(texts(project))
    for before in reversed(state):
        assert scaffold(project, "undo").code == 0
        assert files_in(project) == before
        git(project, "commit", "-q", "-a", "--allow-empty", "-m", "Undo")


@pytest.mark.slow
def test_such_a_project_still_trains(tmp_path):
    project = edited(GIVEN, tmp_path / "project")
    for words in ("input chart picture", "output direction side", "input picture " + LONG):
        rename(project, *words.split())
    check = (
        "import numpy as np\nfrom walk import mine, model\n"
        f"batch = {{'{LONG}': np.zeros((2, 16, 16, 3)), 'indicators': np.zeros((2, 4))}}\n"
        "built = model.build_model()\n"
        "names = [layer.name for layer in built.layers if layer.name.endswith('ours_1')]\n"
        f"assert names == ['{LONG}.ours_1'], names\n"
    )
    for command in (["-c", check], ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]):
        done = subprocess.run(
            [BIN / "python", *command],
            cwd=project,
            env={**NOBODY, "PATH": "/usr/bin:/bin", "PYTHONPATH": "src", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


# The rules, without a project

BEFORE = {
    "model.py": (
        "def encode_chart(features):\n"
        '    """Encode chart: pictures, small ones."""\n'
        '    return layers.Conv2D(8, 3, name="chart.conv_1")(features)\n'
        'INPUTS = {"chart": encode_chart}\n'
    ),
    "data.py": (
        'def read(examples):\n    return {"chart": column(examples, "chart")}\n\n\n'
        'def transform(raw):\n    return {"chart": raw["chart"]}\n'
    ),
}


def change():
    after = {
        "model.py": BEFORE["model.py"].replace("chart", "plot"),
        "data.py": BEFORE["data.py"].replace('"chart": ', '"plot": ').replace("raw[", "raw["),
    }
    after["data.py"] = after["data.py"].replace('raw["chart"]', 'raw["plot"]')
    return renames([("chart", "plot")], BEFORE, after)


@pytest.mark.parametrize(
    ("path", "text", "renamed"),
    [
        ("mine.py", 'get_layer("chart.own")', 'get_layer("plot.own")'),
        ("mine.py", 'get_layer(f"chart.{n}")', 'get_layer(f"plot.{n}")'),
        ("mine.py", 'f"chart.conv_{n}"', 'f"plot.conv_{n}"'),
        ("mine.py", 'f"chart.{suffix}"', 'f"chart.{suffix}"'),  # a file, as likely
        ("mine.py", "m.input['chart']", "m.input['plot']"),
        ("mine.py", 'm.predict({"chart": batch["chart"]})', 'm.predict({"plot": batch["plot"]})'),
        ("mine.py", 'DataFrame({"chart": batch["chart"]})', 'DataFrame({"chart": batch["plot"]})'),
        ("mine.py", 'row["chart"], {"chart": 1}', 'row["chart"], {"chart": 1}'),
        ("mine.py", 'inputs = pd.read_csv(p)\ninputs["chart"]', 'inputs = pd.read_csv(p)\ninputs["chart"]'),
        ("mine.py", 'def f(batch: pd.DataFrame): batch["chart"]', 'def f(batch: pd.DataFrame): batch["chart"]'),
        ("mine.py", '"""Encode chart: pictures, small ones."""', '"""Encode plot: pictures, small ones."""'),
        ("mine.py", '"""Encode chart: pictures of mine."""', '"""Encode chart: pictures of mine."""'),
        ("data.py", 'def transform(raw):\n    f("chart")\n', 'def transform(raw):\n    f("plot")\n'),
        ("model.py", '# A "chart" of mine.\nf("chart")', '# A "chart" of mine.\nf("plot")'),
        ("model.py", 'frame["chart"], x["chart"]', 'frame["chart"], x["plot"]'),
        ("model.py", 'x = pd.read_csv(p)\nx["chart"]', 'x = pd.read_csv(p)\nx["chart"]'),
        ("model.py", 'examples.column("chart")', 'examples.column("chart")'),
        ("data.py", 'def mine(raw):\n    f("chart")\n', 'def mine(raw):\n    f("chart")\n'),
    ],
)  # fmt: skip
def test_what_is_renamed_in_a_persons_code(path, text, renamed):
    assert change().apply(path, text) == renamed


def test_the_old_rendering_becomes_the_new_one():
    assert isinstance(change(), Renames)
    text = change().apply("model.py", BEFORE["model.py"])
    assert "chart" not in text


def test_mentions_are_strings_that_are_the_name():
    text = '"""The chart."""\na = "chart"\nb = f"chart.{a}"\nc = "chart of"\nd = {"chart": 1}\n'
    assert mentions("chart", text, {'d = {"chart": 1}'}) == [2, 3]
    assert mentions("chart", "a = (", set()) == []
