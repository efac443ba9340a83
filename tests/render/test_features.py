"""Features: what each adds to a project, and that a project without it has no trace of it."""

from __future__ import annotations

import re
import shlex
import shutil
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from helpers import ROOT, files_in, run_scaffold
from keras_scaffold.catalog import load_catalog
from keras_scaffold.render.project import render, render_to_memory
from keras_scaffold.spec import SpecError, parse_spec, validate
from keras_scaffold.spec.notation import command_line
from past import NOBODY, commit_all, locked_repository
from projects import drawn_specs, ruff

FEATURES = load_catalog().features
FOLDER = ROOT / "template" / "features"
DEFAULTS = ["ensemble", "calibration", "split-by", "arrays", "baselines", "report"]
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
        f"--{option.replace('_', '-')}"
        for command in entry.get("options", {}).values()
        for option in command
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
            elif word == "calibration" and "report" in features:
                assert "calibrate(" not in text  # the report has a calibration curve of its own
            elif word not in (
                "page",
                "report",
                "ensemble",
                "arrays",
            ):  # words of other sentences too
                assert not found, (name, word, found)
    for path, content in files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    assert ruff("check", ".", cwd=tmp_path) + ruff("format", "--diff", ".", cwd=tmp_path) == ""


def has(spec, name):
    """Whether a project has a feature: it is chosen, and some output needs it."""
    key = entry_of(name).get("output_needs")
    tasks = [
        ROOT / "template" / "outputs" / entry.task.name / "output.yml" for entry in spec.outputs
    ]
    needed = key is None or any(key in yaml.safe_load(path.read_text()) for path in tasks)
    return name in spec.features and needed


def test_any_spec_with_any_features_is_rendered_clean(tmp_path):
    """Types, tasks and merges at random, each with a random choice of features."""
    drawn = zip(drawn_specs(60), SUBSETS, strict=False)
    specs = [validate({**spec.given, "features": features}) for spec, features in drawn]
    assert len(specs) > len(FEATURES)
    assert {name for spec in specs for name in spec.features} == {*FEATURES}
    for index, spec in enumerate(specs):
        render(spec, tmp_path / str(index), git=False)
        files = {Path(path).name: code for path, code in files_in(tmp_path / str(index)).items()}
        main = files["__main__.py"].decode()
        for name in FEATURES:
            modules, words = traces(name)
            for module in modules:
                assert (module in files) == has(spec, name), (module, spec.given)
            for word in words:
                if word.startswith("--") and not has(spec, name):
                    assert f'"{word}"' not in main, (word, spec.given)
    assert ruff("check", ".", cwd=tmp_path) + ruff("format", "--diff", ".", cwd=tmp_path) == ""


def test_a_feature_that_no_output_needs_is_left_out():
    spec = {**SPEC, "outputs": [{"name": "price", "task": "regression"}]}
    files = render_to_memory(validate({**spec, "features": ["calibration"]}))
    assert not any("calibration" in path.name for path in files)
    assert not any("calibrate" in text for text in files.values())


HELLO = """\
order: 9
title: hello
help: greets at the end of a training
modules: [hello]
readme: Says hello.
options:
  train:
    greeting: {kind: choice, choices: [hi, hey], default: hi, help: words}
"""


@pytest.fixture
def tool_with_hello(tmp_path, monkeypatch):
    """This process is a tool whose template has one folder more."""
    root = tmp_path / "tool"
    shutil.copytree(ROOT / "template", root / "template")
    shutil.copy(ROOT / "copier.yml", root)
    hello = root / "template" / "features" / "hello"
    hello.mkdir()
    (hello / "feature.yml").write_text(HELLO)
    (hello / "hello.py.jinja").write_text('"""Greet {{ project_name }}."""\n')
    (hello / "train_end.py.jinja").write_text("    print(options.greeting)\n")
    commit_all(root)
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("keras_scaffold.catalog.template_root", lambda: root)
    load_catalog.cache_clear()
    with locked_repository(root):
        yield root
    load_catalog.cache_clear()


def test_adding_a_feature_is_adding_one_folder(tool_with_hello, tmp_path):
    """The catalog, the schema, `new`, `add` and `remove` learn of it; without it, nothing is there."""
    assert "hello" not in FEATURES
    for command in (["catalog", "features"], ["schema"]):
        assert "greets at the end of a training" in run_scaffold(*command, cwd=tmp_path).out
    flags = ("-i", "a:numeric:2", "-o", "y:binary", "--minimal")
    for name, options in (("made", ["--feature", "hello"]), ("plain", ["--name", "Made"])):
        assert run_scaffold("new", name, *flags, *options, "--no-git", cwd=tmp_path).code == 0
    made, plain = tmp_path / "made", files_in(tmp_path / "plain")
    commit_all(made)
    before, package = files_in(made), made / "src" / "made"
    assert (package / "hello.py").read_text() == '"""Greet Made."""\n'
    assert "    print(options.greeting)\n" in (package / "train.py").read_text()
    assert '"--greeting"' in (package / "__main__.py").read_text()
    assert "- Says hello." in (made / "README.md").read_text()
    assert not any(b"hello" in text or b"greeting" in text for text in plain.values())
    assert run_scaffold("remove", "feature", "hello", "--yes", cwd=made).code == 0
    assert files_in(made) == plain
    commit_all(made)
    assert run_scaffold("add", "feature", "hello", "--yes", cwd=made).code == 0
    assert files_in(made) == before


def features_of(folder):
    return parse_spec((folder / ".copier-answers.yml").read_text(encoding="utf-8"))["features"]


@pytest.mark.parametrize(
    ("options", "features"),
    [
        ([], DEFAULTS),
        (["--minimal"], []),
        (["--minimal", "--feature", "onnx"], ["onnx"]),
        (["--no-feature", "report"], DEFAULTS[:-1]),
        (
            ["--feature", "onnx", "--feature", "onnx"],
            [*DEFAULTS, "onnx"],
        ),
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
        (["--feature", "repor"], "--feature: no feature 'repor'; did you mean 'report'?"),
        (["--no-feature", "anything"], "--no-feature: no feature 'anything'; choose one of"),
        (["--feature", "report", "--no-feature", "report"], "give one of them"),
        (["--minimal", "--feature", "onnx", "--no-feature", "onnx"], "give one of them"),
    ],
)
def test_wrong_features_are_an_error_of_the_command_line(options, message, tmp_path):
    given = ("-i", "a:numeric:2", "-o", "y:binary", "--no-git")
    done = run_scaffold("new", "made", *given, *options, cwd=tmp_path)
    assert (done.code, done.out) == (2, ""), done
    assert message in done.err
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("kept", "options", "features"),
    [
        (["report"], [], ["report"]),
        (["report"], ["--feature", "onnx"], ["report", "onnx"]),
        (["report"], ["--no-feature", "report"], []),
        (["report"], ["--minimal", "--feature", "litert"], ["litert"]),
        (None, ["--no-feature", "onnx"], DEFAULTS),
    ],
)
def test_options_change_the_features_of_a_spec(kept, options, features, tmp_path):
    spec = SPEC if kept is None else {**SPEC, "features": kept}
    (tmp_path / "spec.yml").write_text(yaml.safe_dump(spec))
    given = ("--spec", "spec.yml", "--no-git", "--yes")
    shown = run_scaffold("new", "made", *given, *options, "--dry-run", cwd=tmp_path)
    done = run_scaffold("new", "made", *given, *options, cwd=tmp_path)
    assert (shown.code, done.code) == (0, 0), done
    assert features_of(tmp_path / "made") == features
    for module in ("report.py", "export_onnx.py", "export_litert.py"):
        there = (tmp_path / "made" / "src" / "some_features" / module).exists()
        assert there == (f" {module} " in shown.out), module


@pytest.mark.parametrize("features", [None, [], ["report"], ["ensemble", "onnx"], [*FEATURES]])
def test_a_command_line_says_the_features_of_a_spec(features, tmp_path):
    spec = {**SPEC, "project_name": "Made"} | ({} if features is None else {"features": features})
    words = shlex.split(command_line(spec, tmp_path / "made"))
    assert run_scaffold(*words[1:], "--no-git", cwd=tmp_path).code == 0
    default = load_catalog().default_features
    assert features_of(tmp_path / "made") == (default if features is None else features)


def test_preview_shows_the_features(tmp_path):
    modules = {name: f" {name}.py " for name in ("report", "warm_start", "ensemble")}
    for options, wanted in [
        ([], {"report", "ensemble"}),
        (["--minimal", "--feature", "warm-start"], {"warm_start"}),
        (["-i", "a:numeric", "-o", "y:binary", "--no-feature", "report"], {"ensemble"}),
    ]:
        done = run_scaffold("preview", *options, cwd=tmp_path)
        assert done.code == 0, done
        assert {name for name, text in modules.items() if text in done.out} == wanted
    assert run_scaffold("preview", "--feature", "x", cwd=tmp_path).code == 2


@pytest.mark.parametrize("features", ["report", ["report", "report"], ["nothing"], [1]], ids=repr)
def test_a_spec_with_wrong_features_is_refused(features):
    with pytest.raises(SpecError, match=r"^features"):
        validate({**SPEC, "features": features})
