"""A spec: the description of a project, checked and completed from the catalog.

A spec is plain data (the keys of copier.yml). `validate` turns it into a `Spec`, or raises a
`SpecError` whose text is one line that names the place and what to write instead.
"""

from __future__ import annotations

import difflib
import json
import keyword
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import yaml

from keras_scaffold.catalog import (
    Check,
    Field,
    InputType,
    MergeMethod,
    load_catalog,
    template_root,
)

KEYS = ("project_name", "inputs", "merge", "outputs", "table", "features")
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
LONGEST_PROJECT_NAME = 60
LONGEST_SLUG = 40  # imports of the package then stand on one line
LONGEST_COLUMN = 100
MOST_BRANCHES = 100
DEEPEST_MERGE = 32
LARGEST_SPEC = 1_000_000  # characters
WIDEST_PROJECTION = 8192


class SpecError(Exception):
    """Something in a spec that cannot be done; the text is one line for the person who wrote it."""


class CommandLineError(SpecError):
    """The command line is wrong, not what it asks for."""

    exit_code = 2


@dataclass(frozen=True)
class Merge:
    """A node of the merge tree; operands are names of inputs or further nodes."""

    method: str
    of: tuple[str | Merge, ...]
    width: int | None = None

    @property
    def flat(self) -> bool:
        """Whether every operand is an input."""
        return all(isinstance(operand, str) for operand in self.of)


Code = str | int | float  # what stands in a cell where the value is missing


@dataclass(frozen=True)
class TableNotation:
    """How a table is written: the fields of the catalog's `table`; `missing` and `units` are by column."""

    delimiter: str
    encoding: str
    decimal: str
    thousands: str
    missing: Mapping[str, Sequence[Code]]
    units: Mapping[str, Sequence[Code]]

    @property
    def given(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as a spec states them."""
        fields = load_catalog().table
        return {key: value for key, value in asdict(self).items() if value != fields[key].default}


@dataclass(frozen=True)
class Spec:
    """A checked spec.

    `given` is the spec as it was written (what the answers file keeps), `inputs`, `outputs` and
    `table` are complete: every field has its value.
    """

    given: dict[str, Any]
    project_name: str
    inputs: tuple[dict[str, Any], ...]
    merge: Merge
    outputs: tuple[dict[str, Any], ...]
    table: TableNotation
    features: tuple[str, ...] = ()

    @property
    def project_slug(self) -> str:
        """The distribution's and the console script's name."""
        return project_slug(self.project_name)

    @property
    def package_name(self) -> str:
        """The import package's name."""
        return package_name(self.project_name)


# Reading


class _UniqueKeys(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys in silence; a spec with such keys is a mistake."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    for key, count in Counter(keys).items():
        if count > 1:
            line = node.start_mark.line + 1
            raise SpecError(f"line {line}: the key '{key}' occurs twice; keep one")
    return loader.construct_mapping(node, deep=True)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_spec(path: Path) -> dict[str, Any]:
    """Read a YAML or JSON spec from a file; SpecError if it cannot be read or is no mapping."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file; give the path of a spec (YAML or JSON)") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SpecError(f"{path}: cannot be read: {reason}") from None
    try:
        return parse_spec(text)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def parse_spec(text: str) -> dict[str, Any]:
    """Parse the text of a spec; aliases, tags and keys that stand twice are refused."""
    if len(text) > LARGEST_SPEC:
        raise SpecError("too large for a spec; a spec is a short YAML file")
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise SpecError(
                    f"YAML aliases (*{event.anchor}) are not understood; write the value out"
                )
        data = yaml.load(text, Loader=_UniqueKeys)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = error.problem or "it cannot be parsed"
        raise SpecError(f"line {line}: not valid YAML: {one_line(problem)}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else one_line(str(error))
        if "int_max_str_digits" in reason:
            reason = "a number has thousands of digits"
        raise SpecError(f"not valid YAML: {reason}") from None
    if not isinstance(data, dict):
        raise SpecError("a spec is a mapping with the keys " + ", ".join(KEYS))
    return data


def one_line(text: str) -> str:
    """The text on one line, cut to a readable length, control characters shown escaped."""
    text = " ".join(text.split())
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= 120 else text[:117] + "..."


def shown(value: object) -> str:
    """A value as it is shown in an error."""
    try:
        return one_line(json.dumps(value, ensure_ascii=False, default=str))
    except TypeError:  # a mapping with keys that JSON has not, such as dates
        return one_line(str(value))


def nearest(word: object, words: Iterable[str]) -> str:
    """The end of an error: the nearest valid word, and all of them where they are few."""
    words = list(words)
    close = difflib.get_close_matches(str(word), words, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    shown_words = (w if any(map(str.isalnum, w)) else f'"{w}"' for w in words)
    return "choose one of " + ", ".join(shown_words)


# Names that derive from the project's


@cache
def _taken_packages() -> frozenset[str]:
    path = template_root() / "template" / "shared" / "taken_packages.yml"
    return frozenset(yaml.safe_load(path.read_text(encoding="utf-8")))


def project_slug(project_name: str) -> str:
    """`Stock Direction` -> `stock-direction`; `project` where no Latin letter or digit is left."""
    slug = re.sub(r"[^a-z0-9]+", "-", project_name.lower()).strip("-")
    if not slug:
        return "project"
    slug = slug if slug[0].isalpha() else f"project-{slug}"
    slug = slug[:LONGEST_SLUG].strip("-")
    return f"{slug}-model" if slug.replace("-", "_") in _taken_packages() else slug


def package_name(project_name: str) -> str:
    """`Stock Direction` -> `stock_direction`; never a name that would hide another package."""
    return project_slug(project_name).replace("-", "_")


def default_project_name(folder: str) -> str:
    """`stock-direction` -> `Stock Direction`, from the name of the destination folder."""
    words = [word for word in re.split(r"[\W_]+", folder) if word]
    name = " ".join(word[:1].upper() + word[1:] for word in words)
    return name[:LONGEST_PROJECT_NAME].strip() or "My Project"


# Checking single values


def _fail(place: str, message: str) -> NoReturn:
    raise SpecError(f"{place}: {message}")


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def check_project_name(value: object) -> str:
    """Free text on one line, at most 60 characters."""
    place = "project_name"
    if not isinstance(value, str):
        _fail(place, f"is {shown(value)}, not text; write it in quotes")
    if not value.strip():
        _fail(place, "is empty; give the project a name")
    if len(value) > LONGEST_PROJECT_NAME:
        _fail(place, f"is {len(value)} characters long; {LONGEST_PROJECT_NAME} are the most")
    if not value.isprintable() or value != value.strip():
        _fail(place, "must be one line of printable text without spaces around it")
    return value


def check_name(value: object, place: str) -> str:
    """A name of an input or an output: [a-z][a-z0-9_]{0,31}, no Python keyword."""
    if isinstance(value, bool):
        word = "yes, on or true" if value else "no, off or false"
        _fail(place, f"YAML reads a bare {word} as a truth value; write the name in quotes")
    if not isinstance(value, str):
        _fail(place, f"is {shown(value)}, not a name; a name is a word such as chart_2")
    if not NAME.fullmatch(value):
        suggestion = re.sub(r"[^a-z0-9_]+", "_", value.lower()).strip("_")[:32].rstrip("_")
        hint = f"; for example {suggestion}" if NAME.fullmatch(suggestion) else ""
        rule = "a name is lower-case letters, digits and _, begins with a letter, at most 32 long"
        _fail(place, f"{shown(value)} is no name: {rule}{hint}")
    if keyword.iskeyword(value):
        _fail(place, f"'{value}' is a Python keyword; for example {value}_input")
    return value


def _check_column(value: object, place: str) -> str:
    if not isinstance(value, str):
        _fail(place, f"is {shown(value)}, not a column's name; write it in quotes")
    if not value or not value.isprintable():
        _fail(place, f"{shown(value)} is no column's name; give one line of printable text")
    if len(value) > LONGEST_COLUMN:
        _fail(place, f"is {len(value)} characters long; {LONGEST_COLUMN} are the most")
    if value == "split":
        _fail(place, "the column 'split' assigns rows to splits; it can be no input or output")
    return value


def _check_number(value: object, least: Any, most: Any, place: str, integer: bool) -> None:
    if integer and not _is_integer(value):
        _fail(place, f"is {shown(value)}, not a whole number; {least} to {most}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = ""
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]+e[+-]?[0-9]+", value):
            hint = f"; YAML takes {value} for text, write {value.replace('e', '.0e')}"
        _fail(place, f"is {shown(value)}, not a number; {least} to {most}{hint}")
    if not least <= value <= most:
        _fail(place, f"is {shown(value)}; it must be {least} to {most}")


def check_field(field: Field, value: object, place: str) -> None:
    """Check one value against its field of the catalog; SpecError where it does not fit."""
    if field.kind == "shape":
        axes = " x ".join(field.axes)
        example = json.dumps(field.default)
        if not isinstance(value, list) or len(value) != len(field.axes):
            _fail(place, f"is {shown(value)}; give {axes}, such as {example}")
        for axis, size, least, most in zip(field.axes, value, field.least, field.most, strict=True):
            _check_number(size, least, most, f"{place} ({axis})", integer=True)
    elif field.kind == "integers":
        if not isinstance(value, list):
            _fail(place, f"is {shown(value)}; give a list such as {json.dumps(field.default)}")
        if not value and not field.empty:
            _fail(place, f"is empty; give a list such as {json.dumps(field.default)}")
        if len(value) > field.count:
            _fail(place, f"has {len(value)} entries; {field.count} are the most")
        for index, number in enumerate(value):
            _check_number(number, field.least, field.most, f"{place}[{index}]", integer=True)
    elif field.kind in ("integer", "number"):
        _check_number(value, field.least, field.most, place, integer=field.kind == "integer")
    elif field.kind == "flag":
        if not isinstance(value, bool):
            _fail(place, f"is {shown(value)}; write true or false")
    elif field.kind == "choice":
        if value not in field.choices or isinstance(value, bool):
            _fail(place, f"is {shown(value)}; {nearest(value, field.choices)}")
    elif field.kind == "column":
        _check_column(value, place)
    elif field.kind == "columns":
        if not isinstance(value, list) or not value:
            _fail(place, f"is {shown(value)}; give a list of the manifest's columns")
        for index, column in enumerate(value):
            _check_column(column, f"{place}[{index}]")
        for column, times in Counter(value).items():
            if times > 1:
                _fail(place, f"names the column '{column}' twice")
    else:
        _OTHER_CHECKS[field.kind](field, value, place)


def _check_character(field: Field, value: object, place: str) -> None:
    allowed = isinstance(value, str) and (
        field.empty if not value else len(value) == 1 and not value.isalnum()
    )
    if not allowed or value in tuple('"+-\r\n\0'):
        none = ', or "" for none' if field.empty else ""
        _fail(
            place,
            f'is {shown(value)}; give one character that is no letter, digit, " or sign{none}',
        )


def _check_encoding(field: Field, value: object, place: str) -> None:
    try:
        if not isinstance(value, str):
            raise LookupError
        "a".encode(value)  # codecs that are not for text fail too
    except (LookupError, ValueError):
        _fail(
            place, f"no encoding {shown(value)}; give a codec of Python's, such as utf-8 or cp1252"
        )


def _check_date_format(field: Field, value: object, place: str) -> None:
    if value in ("", *field.choices):
        return
    words = ", ".join(field.choices)
    if not isinstance(value, str) or "%" not in value or not value.isprintable():
        _fail(place, f'is {shown(value)}; give a strptime format such as "%d.%m.%Y", or {words}')
    if not any(year in value for year in ("%Y", "%y", "%G", "%c", "%x")):
        _fail(place, f"{shown(value)} has no year (%Y)")
    moment = datetime(2020, 12, 31)
    try:
        with warnings.catch_warnings(action="ignore"):
            datetime.strptime(moment.strftime(value), value)
    except (ValueError, re.error) as error:
        _fail(place, f"{shown(value)} is no strptime format: {one_line(str(error))}")


def _check_codes(field: Field, value: object, place: str) -> None:
    if not isinstance(value, Mapping):
        _fail(place, f"is {shown(value)}; give lists of codes by column, such as {{co: [-200]}}")
    for column, codes in value.items():
        _check_column(column, place)
        if not isinstance(codes, list) or not codes:
            _fail(f"{place}.{column}", f"is {shown(codes)}; give a list such as [-200]")
        if len(codes) > field.count:
            _fail(f"{place}.{column}", f"has {len(codes)} codes; {field.count} are the most")
        for index, code in enumerate(codes):
            text = isinstance(code, str) and code.strip() == code != "" and code.isprintable()
            number = isinstance(code, int | float) and not isinstance(code, bool)
            if not text and not (number and math.isfinite(code)):
                _fail(f"{place}.{column}[{index}]", f"is {shown(code)}; give a number or a word")


_OTHER_CHECKS = {
    "character": _check_character,
    "encoding": _check_encoding,
    "date_format": _check_date_format,
    "codes": _check_codes,
}


def _check_keys(entry: Mapping[Any, Any], known: Iterable[str], place: str, what: str) -> None:
    known = list(known)
    for key in entry:
        if key not in known:
            _fail(place, f"unknown key {shown(key)} for {what}; {nearest(key, known)}")


@cache
def expression(text: str) -> Any:
    """A Jinja expression of the catalog as a function of the fields, compiled once."""
    from jinja2 import Environment  # only where an entry has checks

    return Environment().compile_expression(text)


def _run_checks(checks: Iterable[Check], entry: Mapping[str, Any], place: str) -> None:
    for check in checks:
        if not expression(check.that)(**entry):
            _fail(place, check.otherwise)


# Inputs and outputs


def _entries(value: object, place: str, example: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        _fail(place, f"is {shown(value)}; give a list with at least one entry, such as {example}")
    if len(value) > MOST_BRANCHES:
        _fail(place, f"has {len(value)} entries; {MOST_BRANCHES} are the most")
    return value


def _look_up(entry: Mapping[Any, Any], key: str, words: Iterable[str], place: str) -> str:
    words = list(words)
    value = entry.get(key)
    if key not in entry:
        _fail(place, f"has no {key}; choose one of {', '.join(words)}")
    if not isinstance(value, str) or value not in words:
        _fail(f"{place}.{key}", f"no {key} {shown(value)}; {nearest(value, words)}")
    return value


def complete_input(entry: object, place: str = "input") -> dict[str, Any]:
    """Check one input and fill in its defaults from the catalog."""
    types = load_catalog().inputs
    if not isinstance(entry, Mapping):
        _fail(place, f"is {shown(entry)}; an input is a mapping with a name and a type")
    name = check_name(entry.get("name"), f"{place}.name")
    place = f"{place} ({name})"
    input_type = types[_look_up(entry, "type", types, place)]
    encoder = input_type.default_encoder.name
    if "encoder" in entry:
        encoder = _look_up(entry, "encoder", input_type.encoders, place)
    fields = input_type.fields_with(encoder)
    known = ["name", "type", "encoder", *fields]
    _check_keys(entry, known, place, f"{input_type.name} with the encoder {encoder}")
    for key, field in fields.items():
        if key in entry:
            check_field(field, entry[key], f"{place}.{key}")
    done: dict[str, Any] = {"name": name, "type": input_type.name, "encoder": encoder}
    for key, field in fields.items():
        done[key] = entry[key] if key in entry else _default(field, entry, done)
    if "columns" in done and len(done["columns"]) != done["shape"][0]:
        counts = f"shape has {done['shape'][0]}, columns has {len(done['columns'])}"
        _fail(place, f"one column for each number of shape: {counts}")
    _run_checks((*input_type.checks, *input_type.encoders[encoder].checks), done, place)
    return done


def _default(field: Field, entry: Mapping[Any, Any], done: Mapping[str, Any]) -> Any:
    """What a field is where the spec is silent; shape comes before columns in every type."""
    if field.kind == "column":
        return done["name"]
    if field.kind == "columns":
        return [f"{done['name']}_{index}" for index in range(done["shape"][0])]
    if field.kind == "shape" and "columns" in entry:
        return [len(entry["columns"])]
    return field.default


def complete_output(entry: object, place: str = "output") -> dict[str, Any]:
    """Check one output and fill in its defaults from the catalog."""
    tasks = load_catalog().outputs
    if not isinstance(entry, Mapping):
        _fail(place, f"is {shown(entry)}; an output is a mapping with a name and a task")
    name = check_name(entry.get("name"), f"{place}.name")
    place = f"{place} ({name})"
    task = tasks[_look_up(entry, "task", tasks, place)]
    _check_keys(entry, ["name", "task", *task.fields], place, f"the task {task.name}")
    done: dict[str, Any] = {"name": name, "task": task.name}
    for key, field in task.fields.items():
        if key in entry:
            check_field(field, entry[key], f"{place}.{key}")
        done[key] = entry[key] if key in entry else _default(field, entry, done)
    return done


def complete_table(given: object, place: str = "table") -> TableNotation:
    """Check how a table is written, and fill in the defaults from the catalog."""
    catalog = load_catalog()
    if not isinstance(given, Mapping):
        _fail(place, f'is {shown(given)}; give a mapping such as {{delimiter: ";", decimal: ","}}')
    _check_keys(given, catalog.table, place, "a table")
    for key, value in given.items():
        check_field(catalog.table[key], value, f"{place}.{key}")
    done = {key: given.get(key, field.default) for key, field in catalog.table.items()}
    if given:
        _run_checks(catalog.table_checks, done, place)
    return TableNotation(**done)


def columns_of(entry: Mapping[str, Any]) -> list[str]:
    """The manifest columns of a completed input or output."""
    return list(entry["columns"]) if "columns" in entry else [entry["column"]]


# Merge trees


def complete_merge(value: object, names: list[str]) -> Merge:
    """A method's name or a tree of mappings -> Merge; each input must occur."""
    budget = iter(range(MOST_BRANCHES * 4))
    tree = _merge_node(
        {"method": value} if isinstance(value, str) else value, names, "merge", budget
    )
    used = set(inputs_of(tree))
    for name in names:
        if name not in used:
            _fail("merge", f"the input '{name}' is in no place of the tree; add it to an 'of'")
    return tree


def _merge_node(
    value: object, names: list[str], place: str, budget: Iterator[int], depth: int = 1
) -> Merge:
    methods = load_catalog().merges
    if depth > DEEPEST_MERGE:
        _fail("merge", f"the tree is over {DEEPEST_MERGE} levels deep; flatten it")
    if not isinstance(value, Mapping):
        _fail(place, f"is {shown(value)}; give a method or a mapping with method and of")
    _check_keys(value, ["method", "of", "width"], place, "a merge")
    method = methods[_look_up(value, "method", methods, place)]
    operands: list[str | Merge] = list(names)
    if "of" in value:
        given = value["of"]
        if not isinstance(given, list) or not given:
            _fail(f"{place}.of", f"is {shown(given)}; give a list of inputs and merges")
        operands = [
            _operand(operand, names, f"{place}.of[{index}]", budget, depth)
            for index, operand in enumerate(given)
        ]
    elif depth > 1:
        _fail(place, "has no 'of'; list the inputs that it merges")
    _check_operands(method, len(operands), place)
    if "width" in value:
        if method.width == "sum":
            _fail(f"{place}.width", f"{method.name} keeps every width; leave width out")
        _check_number(value["width"], 1, WIDEST_PROJECTION, f"{place}.width", integer=True)
    return Merge(method.name, tuple(operands), value.get("width"))


def _operand(
    operand: object, names: list[str], place: str, budget: Iterator[int], depth: int
) -> str | Merge:
    if next(budget, None) is None:
        _fail("merge", "the tree has too many operands")
    if isinstance(operand, Mapping):
        return _merge_node(operand, names, place, budget, depth + 1)
    if not isinstance(operand, str) or operand not in names:
        _fail(place, f"no input {shown(operand)}; {nearest(operand, names)}")
    return operand


def _check_operands(method: MergeMethod, count: int, place: str) -> None:
    if count < method.least or (method.most is not None and count > method.most):
        many = (
            f"exactly {method.least}" if method.least == method.most else f"at least {method.least}"
        )
        hint = "; nest merges to take more" if method.most and count > method.most else ""
        _fail(place, f"{method.name} takes {many} operands, here are {count}{hint}")


def inputs_of(tree: Merge) -> Iterator[str]:
    """The inputs of a merge tree, from left to right, again where they occur again."""
    for operand in tree.of:
        if isinstance(operand, str):
            yield operand
        else:
            yield from inputs_of(operand)


# The whole spec


def validate(data: object) -> Spec:
    """Check a spec and complete it from the catalog; SpecError names the first mistake."""
    given = _given(data)
    for key in ("project_name", "inputs", "outputs"):
        if key not in given:
            raise SpecError(f"{key}: missing; a spec has the keys {', '.join(KEYS)}")
    inputs, outputs = _complete_entries(given)
    merge = complete_merge(given.get("merge", "concatenate"), [entry["name"] for entry in inputs])
    catalog = load_catalog()
    asked = given.get("features", catalog.default_features)
    features = tuple(name for name in catalog.features if name in asked)
    table = complete_table(given.get("table", {}))
    columns = [column for entry in (*inputs, *outputs) for column in columns_of(entry)]
    for key, column in [("missing", each) for each in table.missing] + [
        ("units", each) for each in table.units
    ]:
        if column not in columns:
            _fail(
                f"table.{key}",
                f"no input or output reads {shown(column)}; {nearest(column, columns)}",
            )
    return Spec(given, given["project_name"], tuple(inputs), merge, tuple(outputs), table, features)


def without_unread_codes(given: dict[str, Any]) -> dict[str, Any]:
    """A spec without the codes and units of columns that no input or output reads any more."""
    table = given.get("table", {})
    if not (table.get("missing") or table.get("units")):
        return given
    entries = [complete_input(entry) for entry in given["inputs"]]
    entries += [complete_output(entry) for entry in given["outputs"]]
    read = {column for entry in entries for column in columns_of(entry)}
    kept = dict(table)
    for key in ("missing", "units"):
        by_column = {name: words for name, words in table.get(key, {}).items() if name in read}
        kept.pop(key, None)
        kept |= {key: by_column} if by_column else {}
    return {**given, "table": kept}


def check_features(value: object, place: str = "features") -> list[str]:
    """A list of features of the catalog, each at most once; empty for none."""
    known = load_catalog().features
    if not isinstance(value, list):
        _fail(place, f"is {shown(value)}; give a list such as [report], [] for none")
    for index, name in enumerate(value):
        if not isinstance(name, str) or name not in known:
            _fail(f"{place}[{index}]", f"no feature {shown(name)}; {nearest(name, known)}")
        if name in value[:index]:
            _fail(f"{place}[{index}]", f"'{name}' is listed twice; keep one")
    return value


def check_given(data: object) -> dict[str, Any]:
    """Check what is there of a spec, whose other keys are still to be asked for."""
    given = _given(data)
    inputs, _ = _complete_entries(given)
    if inputs and "merge" in given:
        complete_merge(given["merge"], [entry["name"] for entry in inputs])
    return given


def _given(data: object) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise SpecError("a spec is a mapping with the keys " + ", ".join(KEYS))
    _check_keys(data, KEYS, "spec", "a spec")
    if "project_name" in data:
        check_project_name(data["project_name"])
    if "table" in data:
        complete_table(data["table"])
    if "features" in data:
        check_features(data["features"])
    return {key: data[key] for key in KEYS if key in data}


def _complete_entries(data: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []
    if "inputs" in data:
        given = _entries(data["inputs"], "inputs", "{name: chart, type: image}")
        inputs = [complete_input(entry, f"inputs[{i}]") for i, entry in enumerate(given)]
    if "outputs" in data:
        given = _entries(data["outputs"], "outputs", "{name: label, task: binary}")
        outputs = [complete_output(entry, f"outputs[{i}]") for i, entry in enumerate(given)]
    _check_distinct(inputs, outputs)
    return inputs, outputs


def _check_distinct(inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> None:
    seen: dict[str, str] = {}
    for key, entries in (("inputs", inputs), ("outputs", outputs)):
        for index, entry in enumerate(entries):
            place = f"{key}[{index}]"
            if entry["name"] in seen:
                _fail(
                    f"{place}.name",
                    f"'{entry['name']}' is already the name of {seen[entry['name']]}",
                )
            seen[entry["name"]] = place
    truth = {column: entry["name"] for entry in outputs for column in columns_of(entry)}
    for index, entry in enumerate(inputs):
        for column in columns_of(entry):
            if column in truth:
                _fail(
                    f"inputs[{index}] ({entry['name']})",
                    f"the column '{column}' is what the output '{truth[column]}' predicts",
                )


# Widths


def branch_width(entry: Mapping[str, Any]) -> int:
    """The width of a completed input's branch: it ends in (batch, width)."""
    input_type: InputType = load_catalog().inputs[entry["type"]]
    encoder = input_type.encoders[entry["encoder"]]
    value = entry[encoder.width_of]
    width: int = value[-1] if isinstance(value, list) else value
    signs = 2 if encoder.raw and entry["optional"] else 1  # a sign besides, where it is missing
    return width * encoder.width_times * signs


def merge_width(tree: Merge, widths: Mapping[str, int]) -> tuple[int, int]:
    """The width of a merge's result, and the width to which its operands are brought."""
    sizes = [
        widths[operand] if isinstance(operand, str) else merge_width(operand, widths)[0]
        for operand in tree.of
    ]
    method = load_catalog().merges[tree.method]
    if method.width == "sum":
        return sum(sizes), 0
    common = tree.width or max(sizes)
    return (1 if method.width == "one" else common), common
