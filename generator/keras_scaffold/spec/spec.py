"""A spec: the description of a project, checked and completed from the catalog.

What a person writes is plain data (the keys of copier.yml). `validate` parses it, once, into a `Spec`,
or raises a `SpecError` whose text is one line that names the place and what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras_scaffold.catalog import load_catalog
from keras_scaffold.spec.entries import (
    Input,
    Output,
    TableNotation,
    complete_inputs,
    complete_output,
    complete_table,
)
from keras_scaffold.spec.errors import SpecError, check_keys, fail, nearest, shown
from keras_scaffold.spec.merge import Merge, complete_merge
from keras_scaffold.spec.names import check_project_name, package_name, project_slug
from keras_scaffold.spec.reading import KEYS, Given

MOST_BRANCHES = 100


@dataclass(frozen=True)
class Spec:
    """A checked spec.

    `given` is the spec as it was written (what the answers file keeps), everything else is complete:
    every field has its value.
    """

    given: Given
    project_name: str
    inputs: tuple[Input, ...]
    merge: Merge
    outputs: tuple[Output, ...]
    table: TableNotation
    features: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[Input | Output, ...]:
        """The inputs, then the outputs."""
        return (*self.inputs, *self.outputs)

    @property
    def columns(self) -> list[str]:
        """The columns that a manifest must have."""
        return [column for entry in self.entries for column in entry.columns]

    @property
    def project_slug(self) -> str:
        """The distribution's and the console script's name."""
        return project_slug(self.project_name)

    @property
    def package_name(self) -> str:
        """The import package's name."""
        return package_name(self.project_name)


def validate(data: object) -> Spec:
    """Check a spec and complete it from the catalog; SpecError names the first mistake."""
    given = _given(data)
    for key in ("project_name", "inputs", "outputs"):
        if key not in given:
            raise SpecError(f"{key}: missing; a spec has the keys {', '.join(KEYS)}")
    inputs, outputs = _complete_entries(given)
    merge = complete_merge(given.get("merge", "concatenate"), [entry.name for entry in inputs])
    catalog = load_catalog()
    asked = given.get("features", catalog.default_features)
    features = tuple(name for name in catalog.features if name in asked)
    table = complete_table(given.get("table", {}))
    spec = Spec(given, given["project_name"], tuple(inputs), merge, tuple(outputs), table, features)
    columns = [*spec.columns, *(entry.weight for entry in outputs if entry.weight)]
    for key, by_column in (("missing", table.missing), ("units", table.units)):
        for column in by_column:
            if column not in columns:
                hint = nearest(column, columns)
                fail(f"table.{key}", f"no input or output reads {shown(column)}; {hint}")
    return spec


def check_given(data: object) -> Given:
    """Check what is there of a spec, whose other keys are still to be asked for."""
    given = _given(data)
    inputs, _ = _complete_entries(given)
    if inputs and "merge" in given:
        complete_merge(given["merge"], [entry.name for entry in inputs])
    return given


def without_unread_codes(given: Given) -> Given:
    """A spec without the codes and units of columns that no input or output reads any more."""
    table = given.get("table", {})
    if not (table.get("missing") or table.get("units")):
        return given
    entries = (*complete_inputs(given["inputs"]), *map(complete_output, given["outputs"]))
    read = {column for entry in entries for column in entry.columns}
    read |= {entry.weight for entry in entries if isinstance(entry, Output) and entry.weight}
    kept = dict(table)
    for key in ("missing", "units"):
        by_column = {name: words for name, words in table.get(key, {}).items() if name in read}
        kept.pop(key, None)
        kept |= {key: by_column} if by_column else {}
    return {**given, "table": kept}


def _given(data: object) -> Given:
    if not isinstance(data, Mapping):
        raise SpecError("a spec is a mapping with the keys " + ", ".join(KEYS))
    check_keys(data, KEYS, "spec", "a spec")
    if "project_name" in data:
        check_project_name(data["project_name"])
    if "table" in data:
        complete_table(data["table"])
    if "features" in data:
        _check_features(data["features"])
    return {key: data[key] for key in KEYS if key in data}


def _check_features(value: object, place: str = "features") -> None:
    """A list of features of the catalog, each at most once; empty for none."""
    known = load_catalog().features
    if not isinstance(value, list):
        fail(place, f"is {shown(value)}; give a list such as [report], [] for none")
    for index, name in enumerate(value):
        if not isinstance(name, str) or name not in known:
            fail(f"{place}[{index}]", f"no feature {shown(name)}; {nearest(name, known)}")
        if name in value[:index]:
            fail(f"{place}[{index}]", f"'{name}' is listed twice; keep one")


def _complete_entries(given: Given) -> tuple[list[Input], list[Output]]:
    inputs: list[Input] = []
    outputs: list[Output] = []
    if "inputs" in given:
        inputs = complete_inputs(_list(given["inputs"], "inputs", "{name: chart, type: image}"))
    if "outputs" in given:
        entries = _list(given["outputs"], "outputs", "{name: label, task: binary}")
        outputs = [complete_output(entry, f"outputs[{i}]") for i, entry in enumerate(entries)]
    _check_distinct(inputs, outputs)
    return inputs, outputs


def _list(value: object, place: str, example: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        fail(place, f"is {shown(value)}; give a list with at least one entry, such as {example}")
    if len(value) > MOST_BRANCHES:
        fail(place, f"has {len(value)} entries; {MOST_BRANCHES} are the most")
    return value


def _check_distinct(inputs: list[Input], outputs: list[Output]) -> None:
    """No two entries have one name, and no column is both read and predicted."""
    places = [f"inputs[{index}]" for index in range(len(inputs))]
    places += [f"outputs[{index}]" for index in range(len(outputs))]
    seen: dict[str, str] = {}
    for place, entry in zip(places, (*inputs, *outputs), strict=True):
        if entry.name in seen:
            fail(f"{place}.name", f"'{entry.name}' is already the name of {seen[entry.name]}")
        seen[entry.name] = place
    written = {"row": "the row's number"}
    for output in outputs:
        for column in output.predicted_columns:
            if column in written:
                what = f"predict writes the column '{column}' for {written[column]} too"
                fail(f"{seen[output.name]} ({output.name})", f"{what}; change a name")
            written[column] = f"the output '{output.name}'"
    targets = {column: entry.name for entry in outputs for column in entry.columns}
    readers = {column: f"input '{entry.name}'" for entry in inputs for column in entry.columns}
    readers |= {column: f"output '{name}'" for column, name in targets.items()}
    for output in outputs:
        if output.weight in readers:
            what = f"the column '{output.weight}' is read by the {readers[output.weight]}"
            place = f"{seen[output.name]} ({output.name}).weight"
            fail(place, f"{what}; give the weights a column of their own")
    for each in inputs:
        for column in each.columns:
            if column in targets:
                what = f"the column '{column}' is what the output '{targets[column]}' predicts"
                fail(f"{seen[each.name]} ({each.name})", what)
