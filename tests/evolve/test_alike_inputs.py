"""Changes of a spec in which inputs are like another one."""

import pytest
from helpers import run_scaffold
from keras_scaffold.cli.completion import complete_input
from keras_scaffold.evolve import edits
from keras_scaffold.spec import SpecError, validate
from keras_scaffold.spec.notation import input_text, parse_input

GIVEN = {
    "project_name": "P",
    "inputs": [
        {"name": "summary", "like": "headline", "column": "abstract"},
        {"name": "headline", "type": "text", "units": [8]},
        {"name": "numbers", "type": "numeric", "columns": ["a", "b"]},
        {"name": "later", "like": "numbers"},
    ],
    "outputs": [{"name": "label", "task": "binary"}],
}


def inputs(given):
    validate(given)
    return {entry["name"]: entry for entry in given["inputs"]}


def test_an_input_like_another_has_its_fields():
    spec = validate(GIVEN)
    summary, headline, numbers, later = spec.inputs
    assert (summary.type, summary.encoder, summary.width) == (headline.type, headline.encoder, 8)
    assert summary.columns == ["abstract"]
    assert later.shape == numbers.shape == [2]
    assert later.columns == ["later_0", "later_1"]


def test_likes_follow_a_new_name():
    changed = inputs(edits.rename(GIVEN, "inputs", "headline", "title"))
    assert changed["summary"] == {"name": "summary", "like": "title", "column": "abstract"}
    changed = inputs(edits.rename(GIVEN, "inputs", "later", "after"))
    assert changed["after"] == {
        "name": "after",
        "like": "numbers",
        "columns": ["later_0", "later_1"],
    }


def test_what_others_are_like_is_not_removed():
    with pytest.raises(SpecError, match="'summary' shares the encoder of 'headline'"):
        edits.remove_input(GIVEN, "headline")
    assert "headline" in inputs(edits.remove_input(GIVEN, "summary"))


def test_an_encoder_of_its_own_and_back():
    own = edits.set_field(GIVEN, "summary", "like", "")
    assert inputs(own)["summary"] == {
        "name": "summary",
        "type": "text",
        "units": [8],
        "column": "abstract",
    }
    again = edits.set_field(own, "summary", "like", "headline")
    assert inputs(again)["summary"] == {**GIVEN["inputs"][0], "type": "text"}
    own = edits.set_field(GIVEN, "later", "like", "")
    assert inputs(own)["later"] == {"name": "later", "type": "numeric", "shape": [2]}


def test_a_field_is_set_where_it_is():
    with pytest.raises(SpecError, match=r"summary.units: .* set headline.units"):
        edits.set_field(GIVEN, "summary", "units", [4])
    changed = edits.set_field(GIVEN, "headline", "units", [4])
    assert validate(changed).inputs[0].width == 4
    changed = inputs(edits.set_field(GIVEN, "summary", "column", "text"))
    assert changed["summary"]["column"] == "text"
    changed = inputs(edits.set_field(GIVEN, "summary", "column", "summary"))
    assert "column" not in changed["summary"]


def test_the_short_form():
    entry = parse_input("summary:like:headline")
    assert entry == {"name": "summary", "like": "headline"}
    assert input_text(entry) == "summary:like:headline"
    with pytest.raises(SpecError, match="summary:like:headline"):
        parse_input("summary:like")
    assert ("b:like:a", "an input") in complete_input("b:like:", ["a:text"])
    assert "b:like" in dict(complete_input("b:", ["a:text"]))
    assert "b:like" not in dict(complete_input("b:"))


def test_a_command_with_the_short_form(tmp_path):
    words = ["-i", "a:text", "-i", "b:like:a", "-o", "y:binary", "-m", "comparator", "--yes"]
    done = run_scaffold("new", "p", *words, "--no-git", cwd=tmp_path)
    assert done.code == 0, done
    model = (tmp_path / "p" / "src" / "p" / "model.py").read_text(encoding="utf-8")
    assert 'b_branch = a_encoder(inputs["b"])' in model
    assert "encode_b" not in model
