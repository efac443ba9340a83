"""The JSON Schema and `validate` agree, as far as a schema can say it."""

import copy
import json

import jsonschema
import pytest
from helpers import NUMBERS_AND_PICTURE, run_scaffold, specs
from hypothesis import assume, given
from hypothesis import strategies as st
from keras_scaffold.catalog import load_catalog
from keras_scaffold.spec import SpecError, validate
from keras_scaffold.spec.schema import spec_schema

SCHEMA = spec_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_command_prints_it(tmp_path):
    done = run_scaffold("schema", cwd=tmp_path)
    assert done.code == 0
    assert json.loads(done.out) == SCHEMA


def _accepted(spec):
    try:
        validate(spec)
    except SpecError:
        return False
    return True


@given(specs())
def test_what_validate_accepts_satisfies_the_schema(spec):
    assume(_accepted(spec))
    assert list(VALIDATOR.iter_errors(spec)) == []


def _paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _paths(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _paths(below, (*path, index))


@st.composite
def _mutated(draw):
    """A valid spec with one value replaced by what no field takes, or one key too many."""
    spec = draw(specs())
    assume(_accepted(spec))
    # A schema cannot express that an input is like one that there is.
    assume(not any(entry.get("like") for entry in spec["inputs"]))
    spec = copy.deepcopy(spec)
    path = draw(st.sampled_from([path for path in _paths(spec) if path]))
    *above, last = path
    place = spec
    for key in above:
        place = place[key]
    if isinstance(place, dict) and draw(st.booleans()):
        place["unknown_key"] = 1
    else:
        place[last] = draw(st.sampled_from([None, -1, 10**12, "", "No Such", {}, {"a": 1}, True]))
    return spec


@given(_mutated())
def test_mistakes_of_one_value_are_refused_by_both(spec):
    # A column or a project's name may well be "No Such": then both accept it.
    assert _accepted(spec) == VALIDATOR.is_valid(spec)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": []}, "non-empty"),
        ({"merge": "concat"}, "concat"),
        ({"merge": {"method": "concatenate", "width": 3}}, "width"),
        ({"merge": {"method": "attention", "heads": 0}}, "heads"),
        ({"merge": {"method": "add", "of": [{"method": "multiply"}]}}, "of"),
        ({"outputs": [{"name": "y", "task": "binary", "classes": 2}]}, "classes"),
        ({"inputs": [{"name": "y", "type": "numeric", "filters": [2]}]}, "filters"),
        ({"inputs": [{"name": "y", "type": "image", "encoder": "vit", "units": [2]}]}, "units"),
        ({"inputs": [{"name": "class", "type": "text"}]}, "class"),
        ({"features": ["repor"]}, "repor"),
        ({"features": ["report", "report"]}, "non-unique"),
        ({"features": "report"}, "array"),
        ({"table": {"delimeter": ";"}}, "delimeter"),
        ({"table": {"decimal": "comma"}}, "comma"),
        ({"table": {"missing": {"a": -1}}}, "array"),
        ({"note": "x"}, "note"),
    ],
)
def test_mistakes_an_editor_shows(change, message):
    spec = {**NUMBERS_AND_PICTURE, **change}
    errors = list(VALIDATOR.iter_errors(spec))
    assert errors
    assert message in " ".join(error.message for error in errors)
    assert not _accepted(spec)


def test_an_editor_can_show_the_features():
    features = SCHEMA["properties"]["features"]
    known = load_catalog().features.values()
    assert features["items"]["oneOf"] == [
        {"const": each.name, "description": each.help} for each in known
    ]
    assert features["default"] == load_catalog().default_features


def _leaves(schema):
    """Every schema in it that lists the keys of a mapping for good."""
    for below in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(below, dict | list):
            yield from _leaves(below)
    if isinstance(schema, dict) and schema.get("type") == "object" and "properties" in schema:
        yield schema


def test_no_mapping_is_open():
    # The three that choose by type, task and method are closed by what they choose.
    opened = {leaf["title"] for leaf in _leaves(SCHEMA) if "additionalProperties" not in leaf}
    assert opened == {"input", "output", "merge"}


def test_an_editor_can_show_every_help_and_default():
    text = json.dumps(SCHEMA)
    for field in load_catalog().table.values():
        properties = SCHEMA["properties"]["table"]["properties"]
        assert properties[field.name]["description"] == field.help
        assert properties[field.name]["default"] == field.default
    for method in load_catalog().merges.values():
        properties = SCHEMA["$defs"][f"merge_{method.name}"]["properties"]
        for field in method.fields.values():
            assert properties[field.name]["description"] == field.help
            assert properties[field.name].get("default") == field.default
    for kind in load_catalog().inputs.values():
        assert json.dumps(kind.help)[1:-1] in text
        for encoder in kind.encoders.values():
            properties = SCHEMA["$defs"][f"input_{kind.name}_{encoder.name}"]["properties"]
            for field in kind.fields_with(encoder.name).values():
                assert properties[field.name]["description"] == field.help
                assert properties[field.name].get("default") == field.default
