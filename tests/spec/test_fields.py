"""Each kind of field: its check and its JSON Schema agree, but for what a schema cannot express."""

import json

import jsonschema
import pytest
from helpers import field_values
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_scaffold.catalog import Field, load_catalog
from keras_scaffold.spec import SpecError, check_field
from keras_scaffold.spec.fields import _KINDS, field_schema, field_words, parse_field


def _fields():
    """One field for each kind and its limits, of all in the catalog."""
    catalog = load_catalog()
    found = [*catalog.table.values()]
    for kind in catalog.inputs.values():
        found += [
            field for encoder in kind.encoders for field in kind.fields_with(encoder).values()
        ]
    found += [field for method in catalog.merges.values() for field in method.fields.values()]
    found += [field for task in catalog.outputs.values() for field in task.fields.values()]
    alike = {}
    for field in found:
        key = (field.kind, field.empty, field.choices, field.axes)
        alike.setdefault(repr(key), field)
    return list(alike.values())


FIELDS = _fields()
NAMES = [f"{field.kind} {field.name}" for field in FIELDS]
every_field = pytest.mark.parametrize("field", FIELDS, ids=NAMES)


# What a schema accepts and the check refuses, by kind. There is nothing the other way around.


def _whole_float(value):
    """JSON has one type of number: 8.0 is an integer to a schema."""
    return isinstance(value, float) and value.is_integer()


def _unprintable(value):
    return isinstance(value, str) and not value.isprintable()


def _no_letter_of_ascii(value):
    """Letters and digits of other scripts, and the ends of lines."""
    return isinstance(value, str) and (value.isalnum() or value in ("\r", "\n", "\0"))


def _no_codec(value):
    return isinstance(value, str)


def _no_strptime_format(value):
    return isinstance(value, str)


def _untidy_code(value):
    return isinstance(value, str) and (value.strip() != value or not value.isprintable())


def _one_label_in_two_types(value):
    """1 and "1"."""
    return isinstance(value, list) and len(set(map(str, value))) < len(value)


BEYOND_SCHEMA = {
    "classes": lambda value: (
        _whole_float(value) or _untidy_code(value) or _one_label_in_two_types(value)
    ),
    "shape": _whole_float,
    "integers": _whole_float,
    "integer": _whole_float,
    "column": _unprintable,
    "columns": _unprintable,
    "preset": _unprintable,
    "character": _no_letter_of_ascii,
    "encoding": _no_codec,
    "date_format": _no_strptime_format,
    "names": lambda value: (
        _whole_float(value) or _untidy_code(value) or _one_label_in_two_types(value)
    ),
    "levels": lambda value: (
        isinstance(value, list) and (value != sorted(value) or 0.5 not in value[1:-1])
    ),
    "codes": lambda value: _unprintable(value) or _untidy_code(value),
}


def _parts(value):
    """A value, and everything in it."""
    yield value
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for below in value:
            yield from _parts(below)


def _accepted(field, value):
    try:
        check_field(field, value, "place")
    except SpecError as error:
        assert str(error).startswith("place")
        assert "\n" not in str(error)
        return False
    return True


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 10**6)
    | st.sampled_from([0.0, 1.0, 8.0, -0.5, 0.95, 10**12, 1e300])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | st.sampled_from(["", " ", "split", "a\nb", "\n", "\0", "é", '"', "-", ";;", "a" * 101, " x "])
    | st.sampled_from(["utf-8", "latin 1", "utf$8", "hex", "utf-88", "%Y", "%d.%m.", "%Y-%Q"])
)
ANYTHING = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS)


@st.composite
def _values(draw, field):
    """A value that the field takes; in half of the cases with one part replaced, added or removed."""
    value = json.loads(json.dumps(draw(field_values(field))))
    if draw(st.booleans()):
        return value
    other = draw(ANYTHING)
    if not value or not isinstance(value, list | dict) or draw(st.booleans()):
        return other
    if isinstance(value, dict):
        key = draw(st.sampled_from(list(value)))
        codes = draw(st.just(other) | st.just([*value[key], other]) | st.just(value[key] * 9))
        return {**value, draw(st.just(key) | SCALARS.filter(lambda it: isinstance(it, str))): codes}
    place = draw(st.integers(0, len(value)))
    return [*value[:place], *draw(st.sampled_from([[], [other], value])), *value[place + 1 :]]


@every_field
def test_check_and_schema_accept_the_same(field):
    schema = jsonschema.Draft202012Validator(field_schema(field))
    schema.check_schema(field_schema(field))

    @settings(max_examples=150)
    @given(_values(field))
    def agree(value):
        if _accepted(field, value):
            assert schema.is_valid(value)
        elif schema.is_valid(value):
            assert any(map(BEYOND_SCHEMA[field.kind], _parts(value)))

    agree()


@every_field
def test_what_a_field_takes_is_accepted(field):
    @settings(max_examples=30)
    @given(field_values(field))
    def accepted(value):
        assert _accepted(field, value)

    accepted()
    if field.default is not None:
        assert _accepted(field, field.default)
    assert all(_accepted(field, parse_field(field, word)) for word in field_words(field))


def test_every_kind_is_in_the_catalog():
    assert {field.kind for field in FIELDS} == set(_KINDS)
    assert set(BEYOND_SCHEMA) < set(_KINDS)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("shape", [8.0]),
        ("integers", [8.0]),
        ("integer", 8.0),
        ("column", "a\nb"),
        ("columns", ["a\tb"]),
        ("character", "é"),
        ("character", "\n"),
        ("encoding", "utf-88"),
        ("encoding", "hex"),
        ("date_format", "%Y-%Q"),
        ("codes", {"a": [" x"]}),
    ],
)
def test_a_schema_cannot_express(kind, value):
    """Each exception is one: were the schema to refuse it, it would go from the list."""
    field = next(it for it in FIELDS if it.kind == kind and len(it.axes) < 2)
    assert jsonschema.Draft202012Validator(field_schema(field)).is_valid(value)
    assert not _accepted(field, value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("shape", "64x64x3", [64, 64, 3]),
        ("shape", "[8]", [8]),
        ("integers", "[64, 32]", [64, 32]),
        ("number", "0.5", 0.5),
        ("flag", "no", False),
        ("choice", "|", "|"),
        ("character", ";", ";"),
        ("date_format", "%d.%m.%Y", "%d.%m.%Y"),
        ("column", "co", "co"),
        ("codes", "{co: [-200]}", {"co": [-200]}),
    ],
)
def test_values_as_they_are_typed(kind, text, value):
    assert parse_field(Field("it", kind, ""), text) == value
