"""Features: what each adds to a project, and that a project without it has no trace of it."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from helpers import ROOT, run_scaffold
from keras_scaffold.catalog import load_catalog
from keras_scaffold.render.project import render_to_memory
from keras_scaffold.spec import SpecError, parse_spec, validate
from projects import ruff

FEATURES = load_catalog().features
FOLDER = ROOT / "template" / "features"
SPEC = {
    "project_name": "Some Features",
    "inputs": [{"name": "numbers", "type": "numeric"}, {"name": "note", "type": "text"}],
    "outputs": [{"name": "label", "task": "binary"}, {"name": "price", "task": "regression"}],
}
SUBSETS = [[], *([name] for name in FEATURES), [*FEATURES], *map(list, combinations(FEATURES, 2))]


def entry_of(name):
    return yaml.safe_load((FOLDER / name / "feature.yml").read_text(encoding="utf-8"))


def traces(name):
    """What of a feature can be seen in a project: files, options, and packages."""
    entry = entry_of(name)
    files = [f"{module}.py" for module in entry.get("modules", []) + entry.get("tests", [])]
    options = [
        f"--{option.replace('_', '-')}" for option in entry.get("options", {}).get("train", {})
    ]
    packages = [re.split("[<>=]", each)[0] for each in entry.get("extras", [])]
    formats = [entry["format"]["name"]] if "format" in entry else []
    return files, [*options, *packages, *formats, *entry.get("modules", [])]


@pytest.mark.parametrize("features", SUBSETS, ids=lambda names: "+".join(names) or "none")
def test_a_project_has_its_features_and_no_trace_of_others(features, tmp_path):
    files = render_to_memory(validate({**SPEC, "features": features}))
    names = {path.name for path in files}
    text = "\n".join(text for path, text in files.items() if path.name != ".copier-answers.yml")
    for name in FEATURES:
        modules, words = traces(name)
        for module in modules:
            assert (module in names) == (name in features), module
        for word in words:
            found = re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)
            if name in features:
                assert found or word.startswith("--"), (name, word)
            elif word not in ("page", "report", "ensemble"):  # words of other sentences too
                assert not found, (name, word, found)
    for path, content in files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    assert ruff("check", ".", cwd=tmp_path) + ruff("format", "--diff", ".", cwd=tmp_path) == ""


def test_a_feature_that_no_output_needs_is_left_out():
    spec = {**SPEC, "outputs": [{"name": "price", "task": "regression"}]}
    files = render_to_memory(validate({**spec, "features": ["calibration"]}))
    assert not any("calibration" in path.name for path in files)
    assert not any("calibrate" in text for text in files.values())


def test_adding_a_feature_is_adding_one_folder(tmp_path):
    root = tmp_path / "template"
    root.mkdir()
    shutil.copy(ROOT / "copier.yml", root)
    shutil.copytree(ROOT / "template", root / "template")
    hello = root / "template" / "features" / "hello"
    hello.mkdir()
    (hello / "feature.yml").write_text(
        "order: 9\ntitle: hello\nhelp: greets\nmodules: [hello]\nreadme: Says hello.\n"
        "options: {train: {greeting: {kind: choice, choices: [hi, hey], default: hi, help: words}}}\n"
    )
    (hello / "hello.py.jinja").write_text('"""Greet {{ project_name }}."""\n')
    (hello / "train_end.py.jinja").write_text("    print(options.greeting)\n")
    spec = validate({**SPEC, "features": []})
    given = {**spec.given, "features": ["hello"]}
    files = render_to_memory(replace(spec, given=given), template=str(root))
    package = Path("src", "some_features")
    assert files[package / "hello.py"] == '"""Greet Some Features."""\n'
    assert "print(options.greeting)" in files[package / "train.py"]
    assert '"--greeting"' in files[package / "__main__.py"]
    assert "- Says hello." in files[Path("README.md")]
    assert render_to_memory(spec, template=str(root)).keys() == render_to_memory(spec).keys()


def features_of(folder):
    return parse_spec((folder / ".copier-answers.yml").read_text(encoding="utf-8"))["features"]


@pytest.mark.parametrize(
    ("options", "features"),
    [
        ([], ["ensemble", "calibration", "report"]),
        (["--minimal"], []),
        (["--minimal", "--feature", "onnx"], ["onnx"]),
        (["--no-feature", "report"], ["ensemble", "calibration"]),
        (["--feature", "onnx", "--feature", "onnx"], ["ensemble", "calibration", "report", "onnx"]),
    ],
    ids=lambda each: " ".join(each) or "none",
)
def test_options_of_new_choose_the_features(options, features, tmp_path):
    given = ("-i", "a:numeric:2", "-o", "y:binary", "--no-git")
    done = run_scaffold("new", "made", *given, *options, cwd=tmp_path)
    assert done.code == 0, done
    assert features_of(tmp_path / "made") == features


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--feature", "repor"], "no feature \"repor\"; did you mean 'report'?"),
        (["--feature", "report", "--no-feature", "report"], "give one of them"),
    ],
)
def test_wrong_features_are_an_error_of_the_command_line(options, message, tmp_path):
    given = ("-i", "a:numeric:2", "-o", "y:binary", "--no-git")
    done = run_scaffold("new", "made", *given, *options, cwd=tmp_path)
    assert (done.code, done.out) == (2, ""), done
    assert message in done.err
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("features", ["report", ["report", "report"], ["nothing"], [1]], ids=repr)
def test_a_spec_with_wrong_features_is_refused(features):
    with pytest.raises(SpecError, match=r"^features"):
        validate({**SPEC, "features": features})
