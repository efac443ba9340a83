"""`scaffold adopt`: the spec that a project was rendered from, found again by its code."""

import json
import re
import shutil
from pathlib import Path

import pytest
from helpers import assert_one_error, run_scaffold, specs
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from keras_scaffold.catalog import load_catalog, template_root
from keras_scaffold.evolve.adopt import adopt
from keras_scaffold.evolve.project import open_project
from keras_scaffold.evolve.reading import Code, Owners
from keras_scaffold.evolve.renderer import Renderer
from keras_scaffold.render import history
from keras_scaffold.render.history import ANSWERS_FILE, Recorded, template_at
from keras_scaffold.render.project import render_to_memory, render_version
from keras_scaffold.spec import Spec, SpecError, read_spec, validate
from projects import ENCODERS, MERGES, TASKS, small_input, small_output
from repositories import WHO, commit, git, whole_history

CATALOG = load_catalog()
SIX = [
    {"name": "nums", "type": "numeric", "shape": [7], "units": [96, 48], "dropout": 0.25},
    {"name": "price", "type": "numeric", "columns": ["a", "b c"], "encoder": "periodic"},
    {"name": "pic", "type": "image", "encoder": "vit", "width": 50, "heads": 5},
    {"name": "note", "type": "text", "encoder": "conv", "filters": [32, 48], "optional": True},
    {"name": "trace", "type": "timeseries", "encoder": "tcn", "levels": 6},
    {"name": "kind", "type": "categorical", "columns": ["k"], "categories": 17},
]
TREE = {
    "method": "concatenate",
    "of": [
        "nums",
        {"method": "multiply", "of": ["price", "pic"], "width": 40},
        "note",
        {"method": "average", "of": ["trace", "kind"]},
    ],
}
OUTPUTS = [
    {"name": "y", "task": "multiclass", "classes": 5},
    {"name": "z", "task": "regression", "units": [], "weight": 2.5, "column": "target z"},
]
LARGE = {"project_name": "Ünusual, big", "inputs": SIX, "merge": TREE, "outputs": OUTPUTS}
SMALL = {
    "project_name": "Mine",
    "inputs": [{"name": "nums", "type": "numeric"}, {"name": "pic", "type": "image"}],
    "outputs": [{"name": "label", "task": "binary"}],
}


@pytest.fixture(scope="module")
def renderer():
    return Renderer(template_root())


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)


def _write(folder, files):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="\n")
    return folder


def _said(spec: Spec):
    """All that a spec says."""
    return spec.project_name, spec.inputs, spec.merge, spec.outputs


def _replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, text.count(old)
    path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")


@pytest.fixture
def mine(renderer, tmp_path):
    """A project without an answers file, in git."""
    folder = _write(tmp_path / "mine", renderer.render(validate(SMALL).given))
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "Start")
    return folder


# Rendering as copier does


def _same_as_copier(renderer, spec):
    copied = {path.as_posix(): text for path, text in render_to_memory(spec).items()}
    del copied[ANSWERS_FILE]
    assert renderer.render(spec.given) == copied


@pytest.mark.parametrize("given", [LARGE, SMALL], ids=["large", "small"])
def test_the_renderer_does_what_copier_does(renderer, given):
    _same_as_copier(renderer, validate(given))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(given=specs())
def test_the_renderer_does_what_copier_does_with_any_spec(renderer, given):
    try:
        spec = validate(given)
    except SpecError:
        assume(False)
    _same_as_copier(renderer, spec)


# What the code says


def test_whose_a_line_is():
    owners = Owners(["a", "a_b", "model"], neutral=["build_model"])
    lines = owners.lines(
        {
            "m.py": "def encode_a_b(x):\n    return x\n\n\ndef build_model():\n    y = 3\n"
            "    a_branch = encode_a(\n        inputs,\n    )\n    pair = (a_branch, model_branch)\n"
            'A_COLUMNS = [\n    "c",\n]\n'
        }
    )
    text = {name: [line for _, line in found] for name, found in lines.items()}
    assert text["a_b"] == ["def encode_a_b(x):", "return x"]
    assert text["a"] == ["a_branch = encode_a(", "inputs,", ")", "A_COLUMNS = [", '"c",', "]"]
    assert text["model"] == []


def test_a_persons_own_functions_are_no_inputs(mine, renderer):
    model = (mine / "src/mine/model.py").read_text()
    model += "\n\ndef encode_twice(x):\n    return encode_nums(encode_nums(x))\n"
    code = Code(model, (mine / "src/mine/data.py").read_text())
    assert code.names("inputs") == ["nums", "pic"]
    assert code.names("outputs") == ["label"]


def test_names_are_told_where_the_code_is_no_python(renderer):
    files = renderer.render(validate(LARGE).given)
    package = next(path for path in files if path.endswith("model.py")).rpartition("/")[0]
    model = f"<<<<<<< yours\n{files[f'{package}/model.py']}"
    code = Code(model, files[f"{package}/data.py"])
    assert code.names("inputs") == [entry["name"] for entry in SIX]
    assert code.merge(code.names("inputs")) is None


# Finding the spec again


def _found(renderer, given, tmp_path):
    """The spec that is found for a project which nobody edited."""
    spec = validate(given)
    found = adopt(_write(tmp_path / "project", renderer.render(spec.given)))
    assert not found.nearness.distance, found.nearness.line()
    assert _said(found.spec) == _said(spec)
    return found


def test_six_inputs_and_a_tree(renderer, tmp_path):
    _found(renderer, LARGE, tmp_path)


SOME = [ENCODERS[place : place + 6] for place in range(0, len(ENCODERS), 6)]


@pytest.mark.parametrize("some", SOME, ids=lambda some: "-".join(f"{a}.{b}" for a, b in some))
def test_every_type_and_encoder(renderer, tmp_path, some):
    inputs = [small_input(f"in_{i}", kind, encoder) for i, (kind, encoder) in enumerate(some)]
    outputs = [small_output("y", TASKS[0])]
    _found(renderer, {"project_name": "P", "inputs": inputs, "outputs": outputs}, tmp_path)


def test_every_task(renderer, tmp_path):
    outputs = [small_output(f"out_{task}", task) for task in TASKS]
    inputs = [{"name": "a", "type": ENCODERS[0][0]}]
    _found(renderer, {"project_name": "P", "inputs": inputs, "outputs": outputs}, tmp_path)


@pytest.mark.parametrize(
    ("method", "width"),
    [
        (method, width)
        for method in MERGES
        for width in ([None] if CATALOG.merges[method].width == "sum" else [None, 24])
    ],
)
def test_every_merge(renderer, tmp_path, method, width):
    known = CATALOG.merges[method]
    names = ["a", "b", "c"][: known.most or 3]
    merge = {"method": method, "of": names[::-1]}
    given = {
        "project_name": "P",
        "inputs": [small_input(name, *ENCODERS[i]) for i, name in enumerate(names)],
        "merge": merge | ({"width": width} if width else {}),
        "outputs": [small_output("y", TASKS[0])],
    }
    _found(renderer, given, tmp_path)


@pytest.mark.slow
@seed(4)
@settings(
    max_examples=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(given=specs())
def test_any_spec_is_found_or_one_that_renders_the_same(renderer, given, tmp_path_factory):
    """A dropout without a layer to drop of stands nowhere; whatever renders the same will do."""
    try:
        spec = validate(given)
    except SpecError:
        assume(False)
    files = renderer.render(spec.given)
    found = adopt(_write(tmp_path_factory.mktemp("any") / "project", files))
    assert renderer.render(found.spec.given) == files


# Edited projects


def test_an_edited_project_is_found_and_goes_on(mine):
    model, data = mine / "src/mine/model.py", mine / "src/mine/train.py"
    _replace(
        model,
        '    x = layers.Dense(64, activation="relu"',
        '    x = layers.Dense(80, activation="gelu"',
    )
    text = model.read_text()
    start = text.index("    x = layers.", text.index("def encode_pic"))
    model.write_text(f"{text[:start]}    # Ours.\n    features = 2 * features\n{text[start:]}")
    data.write_text(data.read_text() + "\n\ndef ours() -> int:\n    return 7\n")
    (mine / "tests" / "test_report.py").unlink()
    commit(mine, "Work")
    before = {path: path.read_text() for path in (model, data)}
    done = run_scaffold("adopt", "--yes", cwd=mine)
    assert done.code == 0, done
    assert (
        "% of the rendered lines stand in the project; what differs: src/mine/model.py" in done.out
    )
    assert _said(open_project(mine).spec) == _said(validate(SMALL))
    assert {path: path.read_text() for path in before} == before
    assert git(mine, "status", "--porcelain") == f"?? {ANSWERS_FILE}"
    commit(mine, "Adopt")
    done = run_scaffold("add", "input", "note:text", "--yes", cwd=mine)
    assert done.code == 0, done
    text = model.read_text()
    assert "def encode_note" in text
    assert text.count("    # Ours.\n    features = 2 * features\n") == 1
    assert data.read_text().endswith("\n\ndef ours() -> int:\n    return 7\n")
    assert run_scaffold("doctor", cwd=mine).code == 0
    assert run_scaffold("undo", cwd=mine).code == 0
    assert {path: path.read_text() for path in before} == before


def test_a_renamed_package_is_found(mine):
    git(mine, "mv", "src/mine", "src/yours")
    for path in [*(mine / "src").rglob("*.py"), *(mine / "tests").glob("*.py")]:
        path.write_text(path.read_text().replace("from mine", "from yours"))
    found = adopt(mine)
    # The package's name follows from the project's; the title in README is another then.
    assert (found.spec.inputs, found.spec.project_name) == (validate(SMALL).inputs, "Yours")
    assert found.nearness.share > 0.99


def test_code_with_conflict_marks_is_found_all_the_same(mine):
    model = mine / "src/mine/model.py"
    model.write_text(model.read_text() + "<<<<<<< yours\n=======\n>>>>>>> theirs\n")
    assert _said(adopt(mine).spec) == _said(validate(SMALL))


# From git


def test_git_has_the_last_one(mine):
    assert run_scaffold("adopt", "--yes", cwd=mine).code == 0
    path = mine / ANSWERS_FILE
    path.write_text("# a note of ours\n" + path.read_text())
    kept = path.read_text()
    commit(mine, "Adopt")
    path.unlink()
    commit(mine, "Lose it")
    done = run_scaffold("adopt", "--yes", cwd=mine)
    assert done.code == 0, done
    assert "as it was in " in done.out
    assert path.read_text() == kept


def test_what_git_has_is_left_where_the_code_has_gone_on(mine, renderer):
    assert run_scaffold("adopt", "--yes", cwd=mine).code == 0
    commit(mine, "Adopt")
    (mine / ANSWERS_FILE).unlink()
    later = validate({**LARGE, "project_name": "Mine"})
    _write(mine, renderer.render(later.given))
    commit(mine, "Go on")
    assert _said(adopt(mine).spec) == _said(later)


# The file and the command


def test_a_damaged_file_is_kept_beside(mine):
    (mine / ANSWERS_FILE).write_text("inputs: [")
    done = run_scaffold("adopt", "--yes", cwd=mine)
    assert done.code == 0, done
    assert f"what was there is {ANSWERS_FILE}.orig" in done.out
    assert (mine / f"{ANSWERS_FILE}.orig").read_text() == "inputs: ["
    assert _said(open_project(mine).spec) == _said(validate(SMALL))


def test_it_asks_or_is_told(mine):
    assert_one_error(run_scaffold("adopt", cwd=mine), 2, "--yes", "--dry-run")
    done = run_scaffold("adopt", str(mine), "--dry-run", cwd=mine.parent)
    assert done.code == 0, done
    assert "name: pic" in done.out
    assert done.out.endswith("Nothing was written.\n")
    assert not (mine / ANSWERS_FILE).exists()


def test_a_file_that_is_well_is_left(mine):
    assert run_scaffold("adopt", "--yes", cwd=mine).code == 0
    before = (mine / ANSWERS_FILE).read_text()
    assert_one_error(run_scaffold("adopt", "--yes", cwd=mine), 1, "scaffold doctor", "--force")
    done = run_scaffold("adopt", "--yes", "--force", cwd=mine)
    assert done.code == 0, done
    assert (mine / ANSWERS_FILE).read_text() == before


def test_it_works_without_git(mine, monkeypatch):
    shutil.rmtree(mine / ".git")
    assert run_scaffold("adopt", "--yes", cwd=mine).code == 0
    assert _said(open_project(mine).spec) == _said(validate(SMALL))


def test_what_is_no_project(tmp_path):
    assert_one_error(run_scaffold("adopt", "--yes", cwd=tmp_path), 1, "model.py and data.py")
    package = tmp_path / "src" / "thing"
    package.mkdir(parents=True)
    for name in ("model.py", "data.py"):
        (package / name).write_text("x = 1\n")
    assert_one_error(run_scaffold("adopt", "--yes", cwd=tmp_path), 1, "encode_NAME")


def test_what_hardly_fits_is_refused(tmp_path):
    package = tmp_path / "src" / "thing"
    package.mkdir(parents=True)
    model = "def encode_a(x):\n    return x\n\n\ndef head_y(x):\n    return x\n"
    (package / "model.py").write_text(model)
    (package / "data.py").write_text('INPUTS = [\n    "a",\n]\nOUTPUTS = [\n    "y",\n]\n')
    done = run_scaffold("adopt", "--yes", cwd=tmp_path)
    assert done.code == 1
    assert re.search(r"^error: only \d+ % .* --force", done.err)
    assert not (tmp_path / ANSWERS_FILE).exists()
    assert run_scaffold("adopt", "--yes", "--force", cwd=tmp_path).code == 0
    assert open_project(tmp_path).spec.inputs[0]["name"] == "a"


# Versions of the template


def test_the_version_is_found_too(tmp_path, monkeypatch):
    past = whole_history(tmp_path / "past")
    monkeypatch.setattr(history, "template_root", lambda: past)
    history._repository.cache_clear()
    for tag in history.versions(str(past)):
        recorded, project = Recorded(str(past), tag), tmp_path / tag / "mine"
        with template_at(recorded) as root:
            render_version(validate(SMALL).given, project, root, recorded)
        expected = (project / ANSWERS_FILE).read_text()
        for damage in ("", "_commit: v0.0.7\n"):
            if damage:
                (project / ANSWERS_FILE).write_text(re.sub("_commit: .*\n", damage, expected))
            else:
                (project / ANSWERS_FILE).unlink()
            found = adopt(project)
            assert (found.recorded, found.nearness.distance) == (recorded, 0)
            assert found.text.replace("merge: concatenate\n", "") == expected.replace(
                "merge: concatenate\n", ""
            )
    history._repository.cache_clear()


def test_examples_are_found(tmp_path):
    for example in Path(__file__).parents[2].joinpath("examples").iterdir():
        shutil.copytree(example / "project", tmp_path / example.name)
        (tmp_path / example.name / ANSWERS_FILE).unlink(missing_ok=True)
        spec = validate(read_spec(example / "spec.yml"))
        found = adopt(tmp_path / example.name)
        assert json.dumps(found.spec.inputs) == json.dumps(spec.inputs)
        assert _said(found.spec)[1:] == _said(spec)[1:]
