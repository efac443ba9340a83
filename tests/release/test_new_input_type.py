"""scripts/new_input_type: a type that works as written, and what CONTRIBUTING says of types."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest
import yaml
from helpers import ROOT
from keras_scaffold.catalog import load_catalog
from keras_scaffold.render.project import render
from keras_scaffold.spec import validate
from past import NOBODY, commit_all, locked_repository
from projects import ruff

sys.path.insert(0, str(ROOT / "scripts"))

import new_input_type

INPUTS = [
    {"name": "first", "type": "thing"},
    {"name": "second", "type": "thing", "optional": True, "column": "The, second"},
    {"name": "a" * 32, "type": "thing", "units": [8, 4]},
    {"name": "note", "type": "text"},
]
SPEC = {
    "project_name": "New Thing",
    "inputs": INPUTS,
    "outputs": [{"name": "label", "task": "binary"}],
}


@pytest.fixture
def tool_with_thing(tmp_path, monkeypatch):
    """This process is a tool whose template has the type `thing`."""
    root = tmp_path / "tool"
    shutil.copytree(ROOT / "template", root / "template")
    shutil.copy(ROOT / "copier.yml", root)
    new_input_type.write_type("thing", root)
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)
    commit_all(root)
    monkeypatch.setattr("keras_scaffold.catalog.template_root", lambda: root)
    load_catalog.cache_clear()
    with locked_repository(root):
        yield root
    load_catalog.cache_clear()


@pytest.mark.parametrize("features", [None, []], ids=["features", "minimal"])
def test_a_new_type_renders_clean(tool_with_thing, tmp_path, features):
    spec = SPEC if features is None else {**SPEC, "features": features}
    render(validate(spec), tmp_path / "made", git=False)
    assert "def encode_first(" in (tmp_path / "made/src/new_thing/model.py").read_text("utf-8")
    made = tmp_path / "made"
    assert ruff("check", ".", cwd=made) + ruff("format", "--diff", ".", cwd=made) == ""


@pytest.mark.slow
def test_a_project_with_a_new_type_passes_its_own_tests(tool_with_thing, tmp_path):
    made = tmp_path / "made"
    render(validate(SPEC), made, git=False)
    for tool in (["mypy"], ["pytest", "-q"]):
        done = subprocess.run([sys.executable, "-m", *tool], cwd=made, capture_output=True)
        assert done.returncode == 0, done.stdout.decode()[-4000:]


def test_a_new_type_comes_last(tool_with_thing):
    """And no column is proposed for it: it says no `found_in`."""
    catalog = load_catalog()
    assert list(catalog.inputs)[-1] == "thing"
    assert catalog.type_for("") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [("Thing", "lower-case"), ("two_words", "lower-case"), ("numeric", "exists already")],
)
def test_a_type_that_cannot_be_written_is_refused(name, message, capsys):
    assert new_input_type.main([name]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error
    assert new_input_type.main([]) == 2


# CONTRIBUTING.md


def section(heading):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.split(f"## {heading}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("heading", "pattern", "nested"),
    [
        ("Adding an input type", "inputs/*/input.yml", "encoders"),
        ("Adding a merge", "merges/*.yml", ""),
        ("Adding a task", "outputs/*/output.yml", ""),
        ("Adding a feature", "features/*/feature.yml", ""),
    ],
)
def test_contributing_names_every_key_of_the_catalog(heading, pattern, nested):
    """And in the table of keys none that no entry has."""
    entries = [yaml.safe_load(p.read_text("utf-8")) for p in (ROOT / "template").glob(pattern)]
    inner = [each for entry in entries for each in entry.get(nested, {}).values()]
    keys = {key for entry in entries + inner for key in entry}
    text = section(heading)
    assert not [key for key in sorted(keys) if f"`{key}`" not in text]
    cells = re.findall(r"^\| (`.*?) \|", text, flags=re.M)
    listed = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert not listed - keys


def test_contributing_counts_the_files_of_a_new_type():
    words = {6: "six", 7: "seven", 8: "eight"}
    assert f"{words[len(new_input_type.FILES)]} files" in section("Adding an input type")
