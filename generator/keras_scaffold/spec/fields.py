"""The kinds of field in the catalog: what each takes, as a check and as a JSON Schema.

`check_field` gives a person one line about what is wrong, `field_schema` serves their editor. A kind
has both side by side, with the same limits; tests/spec/test_fields.py lists what a schema cannot express.
"""

from __future__ import annotations

import math
import re
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from keras_scaffold.catalog import Field
from keras_scaffold.spec.errors import fail, nearest, one_line, shown
from keras_scaffold.spec.names import check_name, name_schema
from keras_scaffold.spec.reading import parse_spec

Schema = dict[str, Any]

LONGEST_COLUMN = 100
LONGEST_PRESET = 500
SPLIT = "split"  # the column that assigns rows to splits
CHARACTER = r'[^A-Za-z0-9"+-]'
ENCODING = r"[A-Za-z0-9._ -]+"
YEAR = "%[YyGcx]"  # the directives of strptime that have a year


def check_field(field: Field, value: object, place: str) -> None:
    """Check one value against its field of the catalog; SpecError where it does not fit."""
    _KINDS[field.kind].check(field, value, place)


def field_schema(field: Field) -> Schema:
    """The JSON Schema of one field of the catalog."""
    schema: Schema = {"title": field.name, "description": field.help}
    if field.default is not None:
        schema["default"] = field.default
    return schema | _KINDS[field.kind].schema(field)


def parse_field(field: Field, text: str) -> Any:
    """A value of a field as it is typed on a command line, not checked yet."""
    return _KINDS[field.kind].parse(text)


def field_words(field: Field) -> list[str]:
    """The values of a field, where they are few words."""
    return _KINDS[field.kind].words(field)


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`, both included."""

    least: float
    most: float
    whole: bool = True

    def check(self, value: object, place: str) -> None:
        """SpecError where a value is no such number."""
        limits = f"{self.least} to {self.most}"
        if self.whole and (isinstance(value, bool) or not isinstance(value, int)):
            fail(place, f"is {shown(value)}, not a whole number; {limits}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            hint = ""
            if isinstance(value, str) and re.fullmatch(r"-?[0-9]+e[+-]?[0-9]+", value):
                hint = f"; YAML takes {value} for text, write {value.replace('e', '.0e')}"
            fail(place, f"is {shown(value)}, not a number; {limits}{hint}")
        if not self.least <= value <= self.most:
            fail(place, f"is {shown(value)}; it must be {limits}")

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        number = "integer" if self.whole else "number"
        return {"type": number, "minimum": self.least, "maximum": self.most}


class _Kind(ABC):
    @abstractmethod
    def check(self, field: Field, value: object, place: str) -> None: ...

    @abstractmethod
    def schema(self, field: Field) -> Schema: ...

    def parse(self, text: str) -> Any:
        return parse_spec(f"value: {text}").get("value")

    def words(self, field: Field) -> list[str]:
        return list(field.choices)


class _Text(_Kind):
    """Text with marks that YAML would read as its own: the shell has taken the quotes away."""

    def parse(self, text: str) -> Any:
        return text


class _Integer(_Kind):
    whole = True

    def check(self, field: Field, value: object, place: str) -> None:
        Range(field.least, field.most, self.whole).check(value, place)

    def schema(self, field: Field) -> Schema:
        return Range(field.least, field.most, self.whole).schema


class _Number(_Integer):
    whole = False


class _Integers(_Kind):
    def check(self, field: Field, value: object, place: str) -> None:
        if not isinstance(value, list):
            fail(place, f"is {shown(value)}; give a list such as {shown(field.default)}")
        if not value and not field.empty:
            fail(place, f"is empty; give a list such as {shown(field.default)}")
        if len(value) > field.count:
            fail(place, f"has {len(value)} entries; {field.count} are the most")
        for index, number in enumerate(value):
            _INTEGER.check(field, number, f"{place}[{index}]")

    def schema(self, field: Field) -> Schema:
        least = 0 if field.empty else 1
        items = _INTEGER.schema(field)
        return {"type": "array", "minItems": least, "maxItems": field.count, "items": items}


class _Shape(_Kind):
    def check(self, field: Field, value: object, place: str) -> None:
        axes = self._axes(field)
        if not isinstance(value, list) or len(value) != len(axes):
            form = f"{' x '.join(field.axes)}, such as {shown(field.default)}"
            fail(place, f"is {shown(value)}; give {form}")
        for (axis, limits), size in zip(axes.items(), value, strict=True):
            limits.check(size, f"{place} ({axis})")

    def schema(self, field: Field) -> Schema:
        sizes = [{"title": axis, **limits.schema} for axis, limits in self._axes(field).items()]
        count = len(sizes)
        return {"type": "array", "minItems": count, "maxItems": count, "prefixItems": sizes}

    def parse(self, text: str) -> Any:
        sizes = text.split("x")
        if all(size.isdigit() and len(size) < 12 for size in sizes):
            return [int(size) for size in sizes]
        return super().parse(text)

    def _axes(self, field: Field) -> dict[str, Range]:
        limits = map(Range, field.least, field.most)
        return dict(zip(field.axes, limits, strict=True))


class _Flag(_Kind):
    def check(self, field: Field, value: object, place: str) -> None:
        if not isinstance(value, bool):
            fail(place, f"is {shown(value)}; write true or false")

    def schema(self, field: Field) -> Schema:
        return {"type": "boolean"}

    def words(self, field: Field) -> list[str]:
        return ["true", "false"]


class _Choice(_Text):
    def check(self, field: Field, value: object, place: str) -> None:
        if value not in field.choices:
            fail(place, f"is {shown(value)}; {nearest(value, field.choices)}")

    def schema(self, field: Field) -> Schema:
        return {"enum": list(field.choices)}


class _Classes(_Kind):
    """How many classes there are, or their names in order."""

    def check(self, field: Field, value: object, place: str) -> None:
        if not isinstance(value, list):
            if isinstance(value, str | Mapping):
                fail(
                    place, f"is {shown(value)}; give a number, or a list such as [home, ward, icu]"
                )
            _INTEGER.check(field, value, place)
            return
        if not field.least <= len(value) <= field.most:
            fail(place, f"has {len(value)} names; {field.least} to {field.most} are possible")
        for index, name in enumerate(value):
            if isinstance(name, bool):
                fail(f"{place}[{index}]", f"is {shown(name)}, a truth value; write it in quotes")
            if not isinstance(name, str | int) or not str(name).isprintable():
                fail(f"{place}[{index}]", f"is {shown(name)}; give a label of the column in quotes")
            if not str(name) or str(name).strip() != str(name):
                fail(f"{place}[{index}]", f"is {shown(name)}; leave out spaces around a label")
        for name, times in Counter(map(str, value)).items():
            if times > 1:
                fail(place, f"names the class {shown(name)} twice")

    def schema(self, field: Field) -> Schema:
        label = {"type": ["string", "integer"], "minLength": 1}
        count = {"minItems": field.least, "maxItems": field.most}
        names = {"type": "array", **count, "uniqueItems": True, "items": label}
        return {"anyOf": [_INTEGER.schema(field), names]}

    def parse(self, text: str) -> Any:
        return [name.strip() for name in text.split(",")] if "," in text else super().parse(text)


class _Names(_Classes):
    """The names of classes, in their order."""

    def check(self, field: Field, value: object, place: str) -> None:
        if not isinstance(value, list):
            fail(place, f"is {shown(value)}; give a list such as [low, mid, high]")
        super().check(field, value, place)

    def schema(self, field: Field) -> Schema:
        names: Schema = super().schema(field)["anyOf"][1]
        return names


class _Levels(_Kind):
    """Levels of quantiles: numbers between 0 and 1, ascending, with the median inside."""

    def check(self, field: Field, value: object, place: str) -> None:
        if not isinstance(value, list):
            fail(place, f"is {shown(value)}; give a list such as {shown(field.default)}")
        for index, level in enumerate(value):
            if not isinstance(level, float) or not 0 < level < 1:
                fail(f"{place}[{index}]", f"is {shown(level)}; give a number between 0 and 1")
        if any(low >= high for low, high in pairwise(value)):
            fail(place, f"is {shown(value)}; write the levels in ascending order, each once")
        if 0.5 not in value[1:-1]:
            fail(place, f"is {shown(value)}; the median, 0.5, must be between other levels")
        if len(value) > field.most:
            fail(place, f"has {len(value)} levels; {field.most} are the most")

    def schema(self, field: Field) -> Schema:
        level = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
        several = {"minItems": 3, "maxItems": field.most, "uniqueItems": True}
        return {"type": "array", **several, "items": level, "contains": {"const": 0.5}}

    def parse(self, text: str) -> Any:
        return super().parse(text if text.startswith("[") else f"[{text}]")


class _Column(_Text):
    def check(self, field: Field, value: object, place: str) -> None:
        if field.empty and value == "":
            return
        if not isinstance(value, str):
            fail(place, f"is {shown(value)}, not a column's name; write it in quotes")
        if not value or not value.isprintable():
            fail(place, f"{shown(value)} is no column's name; give one line of printable text")
        if len(value) > LONGEST_COLUMN:
            fail(place, f"is {len(value)} characters long; {LONGEST_COLUMN} are the most")
        if value == SPLIT:
            fail(
                place, f"the column '{SPLIT}' assigns rows to splits; it can be no input or output"
            )

    def schema(self, field: Field) -> Schema:
        length = {"minLength": 0 if field.empty else 1, "maxLength": LONGEST_COLUMN}
        return {"type": "string", **length, "not": {"const": SPLIT}}


class _Columns(_Kind):
    def check(self, field: Field, value: object, place: str) -> None:
        if not isinstance(value, list) or not (value or field.empty):
            fail(place, f"is {shown(value)}; give a list of the manifest's columns")
        for index, column in enumerate(value):
            _COLUMN.check(replace(field, empty=False), column, f"{place}[{index}]")
        for column, times in Counter(value).items():
            if times > 1:
                fail(place, f"names the column '{column}' twice")

    def schema(self, field: Field) -> Schema:
        items = _COLUMN.schema(replace(field, empty=False))
        least = 0 if field.empty else 1
        return {"type": "array", "minItems": least, "uniqueItems": True, "items": items}


class _Input(_Text):
    """The name of another input; empty for none."""

    def check(self, field: Field, value: object, place: str) -> None:
        if value != "":
            check_name(value, place)

    def schema(self, field: Field) -> Schema:
        return {"anyOf": [{"const": ""}, name_schema()]}


class _Preset(_Text):
    """Pretrained weights: a folder, a file, or a name under which a library downloads them."""

    def check(self, field: Field, value: object, place: str) -> None:
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            fail(place, f"is {shown(value)}; give a folder, or a name such as {field.default}")
        if len(value) > LONGEST_PRESET:
            fail(place, f"is {len(value)} characters long; {LONGEST_PRESET} are the most")

    def schema(self, field: Field) -> Schema:
        return {"type": "string", "pattern": r"\S", "maxLength": LONGEST_PRESET}


class _Character(_Text):
    def check(self, field: Field, value: object, place: str) -> None:
        if field.empty and value == "":
            return
        fits = isinstance(value, str) and re.fullmatch(CHARACTER, value)
        if not fits or str(value).isalnum() or value in ("\r", "\n", "\0"):
            none = ', or "" for none' if field.empty else ""
            form = f'one character that is no letter, digit, " or sign{none}'
            fail(place, f"is {shown(value)}; give {form}")

    def schema(self, field: Field) -> Schema:
        length = {"minLength": 0 if field.empty else 1, "maxLength": 1}
        return {"type": "string", **length, "pattern": f"^{CHARACTER}*$"}


class _Encoding(_Text):
    def check(self, field: Field, value: object, place: str) -> None:
        try:
            if not isinstance(value, str) or not re.fullmatch(ENCODING, value):
                raise LookupError
            "a".encode(value)  # codecs that are not for text fail too
        except (LookupError, ValueError):
            hint = "give a codec of Python's, such as utf-8 or cp1252"
            fail(place, f"no encoding {shown(value)}; {hint}")

    def schema(self, field: Field) -> Schema:
        return {"type": "string", "pattern": f"^{ENCODING}$"}


class _DateFormat(_Text):
    def check(self, field: Field, value: object, place: str) -> None:
        if value in ("", *field.choices):
            return
        if not isinstance(value, str) or "%" not in value or not value.isprintable():
            words = ", ".join(field.choices)
            fail(place, f'is {shown(value)}; give a strptime format such as "%d.%m.%Y", or {words}')
        if not re.search(YEAR, value):
            fail(place, f"{shown(value)} has no year (%Y)")
        moment = datetime(2020, 12, 31, tzinfo=UTC)  # for %z
        try:
            with warnings.catch_warnings(action="ignore"):
                datetime.strptime(moment.strftime(value), value)
        except (ValueError, re.error) as error:
            fail(place, f"{shown(value)} is no strptime format: {one_line(str(error))}")

    def schema(self, field: Field) -> Schema:
        return {"anyOf": [{"enum": ["", *field.choices]}, {"type": "string", "pattern": YEAR}]}


class _Codes(_Kind):
    def check(self, field: Field, value: object, place: str) -> None:
        if not isinstance(value, Mapping):
            fail(place, f"is {shown(value)}; give lists of codes by column, such as {{co: [-200]}}")
        for column, codes in value.items():
            _COLUMN.check(field, column, place)
            if not isinstance(codes, list) or not codes:
                fail(f"{place}.{column}", f"is {shown(codes)}; give a list such as [-200]")
            if len(codes) > field.count:
                fail(f"{place}.{column}", f"has {len(codes)} codes; {field.count} are the most")
            for index, code in enumerate(codes):
                text = isinstance(code, str) and code.strip() == code != "" and code.isprintable()
                number = isinstance(code, int | float) and not isinstance(code, bool)
                if not text and not (number and math.isfinite(code)):
                    fail(f"{place}.{column}[{index}]", f"is {shown(code)}; give a number or a word")

    def schema(self, field: Field) -> Schema:
        code = {"type": ["string", "number"], "minLength": 1}
        codes = {"type": "array", "minItems": 1, "maxItems": field.count, "items": code}
        names = _COLUMN.schema(field)
        return {"type": "object", "propertyNames": names, "additionalProperties": codes}


_INTEGER, _COLUMN = _Integer(), _Column()

_KINDS: Mapping[str, _Kind] = {
    "shape": _Shape(),
    "integers": _Integers(),
    "integer": _INTEGER,
    "number": _Number(),
    "flag": _Flag(),
    "choice": _Choice(),
    "column": _COLUMN,
    "columns": _Columns(),
    "input": _Input(),
    "preset": _Preset(),
    "character": _Character(),
    "encoding": _Encoding(),
    "date_format": _DateFormat(),
    "codes": _Codes(),
    "classes": _Classes(),
    "names": _Names(),
    "levels": _Levels(),
}
