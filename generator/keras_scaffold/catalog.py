"""What the product knows of inputs, merges, outputs and tables, read from the template's own files.

Each input type is a folder of `template/inputs`, each merge method a file of `template/merges`,
each task a folder of `template/outputs`. Nothing about a type is anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from keras_scaffold.source import template_root as template_root


@dataclass(frozen=True)
class Field:
    """One key that an input, an output or the table may have.

    `kind` is shape, integer, integers, number, flag, choice, column or columns, and also input, preset, date_format,
    character, encoding, codes, classes, names or levels; `least` and `most` bound each number (one bound per axis for a shape).
    """

    name: str
    kind: str
    help: str
    default: Any = None
    least: Any = None
    most: Any = None
    count: int = 16
    empty: bool = False
    choices: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    required: bool = False  # no default: a spec must give it
    gives: str = ""  # of a preset: the field with the size of its vectors


@dataclass(frozen=True)
class Check:
    """A condition over several fields: a Jinja expression and the message where it is false."""

    that: str
    otherwise: str


@dataclass(frozen=True)
class Encoder:
    """One way to turn an input into a vector.

    `width_of` names the field whose last number is the vector's width, `width_times` multiplies
    it. A `raw` one learns nothing of its own: a merge that needs equal widths always projects it.
    `hides` names the fields of the type that it has no use for, `tensor_shape` those that are the
    shape of the tensor, where that is not the field `shape`.
    """

    name: str
    help: str
    width_of: str
    fields: Mapping[str, Field]
    width_times: int = 1
    raw: bool = False
    hides: tuple[str, ...] = ()
    tensor_shape: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def weights_field(self) -> str:
        """The field that says where its pretrained weights are; empty for an encoder without."""
        return next((name for name, field in self.fields.items() if field.kind == "preset"), "")

    @property
    def size_field(self) -> str:
        """The field with the size of the vectors that those give; empty for an encoder without."""
        return self.fields[self.weights_field].gives if self.weights_field else ""


# What a column of a person's table can hold. At most one type of input is proposed for each.
KINDS = ("numbers", "labels", "flags", "texts", "tags", "dates", "pictures", "albums", "series")


@dataclass(frozen=True)
class InputType:
    """A type of input: what a manifest row has, the tensor it becomes, its encoders.

    `found_in` is the kind of column that it is proposed for; empty where only a person asks for it.
    """

    name: str
    title: str
    help: str
    row: str
    tensor: str
    absent_layer: str
    fields: Mapping[str, Field]
    encoders: Mapping[str, Encoder]
    checks: tuple[Check, ...] = ()
    found_in: str = ""
    reads_files: bool = False
    may_be_empty: bool = False

    @property
    def default_encoder(self) -> Encoder:
        """The first encoder in the catalog."""
        return next(iter(self.encoders.values()))

    @property
    def pretrained(self) -> Encoder | None:
        """The first encoder that takes pretrained weights; None for a type that has none."""
        return next((each for each in self.encoders.values() if each.weights_field), None)

    @property
    def own_fields(self) -> dict[str, Field]:
        """The fields of an input that is like another one; it has the others from that one."""
        kinds = ("column", "columns", "input")
        return {name: field for name, field in self.fields.items() if field.kind in kinds}

    def fields_with(self, encoder: str) -> dict[str, Field]:
        """The type's own fields and then the encoder's."""
        hidden = self.encoders[encoder].hides
        own = {name: field for name, field in self.fields.items() if name not in hidden}
        return {**own, **self.encoders[encoder].fields}


@dataclass(frozen=True)
class MergeMethod:
    """A way to join vectors.

    `width` is sum (side by side), first (that of the first operand), equal (operands must share one
    width), double (they share one, and the result has twice it) or one (a single number).
    """

    name: str
    help: str
    least: int
    width: str
    fields: Mapping[str, Field]
    most: int | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Task:
    """What is predicted: the column's content, the head's activation and loss."""

    name: str
    title: str
    help: str
    column: str
    tensor: str
    size: int | str
    activation: str
    loss: str
    metrics: tuple[str, ...]
    fields: Mapping[str, Field]
    numbers: bool = False  # whether its column has numbers, not labels
    beside: tuple[str, ...] = ()  # what `predict` writes beside the prediction, as NAME_THIS


@dataclass(frozen=True)
class Feature:
    """An optional part of a project; `default`: whether a spec without `features` has it."""

    name: str
    title: str
    help: str
    default: bool
    options: tuple[str, ...] = ()
    reads: str = ""  # the suffix of data that projects read with it alone


@dataclass(frozen=True)
class Catalog:
    """Everything that can be asked for, in the order in which it is shown."""

    inputs: Mapping[str, InputType] = field(default_factory=dict)
    merges: Mapping[str, MergeMethod] = field(default_factory=dict)
    outputs: Mapping[str, Task] = field(default_factory=dict)
    features: Mapping[str, Feature] = field(default_factory=dict)
    table: Mapping[str, Field] = field(default_factory=dict)
    table_checks: tuple[Check, ...] = ()

    @property
    def default_features(self) -> list[str]:
        """The features of a project whose spec does not name any."""
        return [feature.name for feature in self.features.values() if feature.default]

    def type_for(self, kind: str) -> str | None:
        """The type of input that takes a kind of column; None where none does, and for no kind."""
        found = (each.name for each in self.inputs.values() if kind and each.found_in == kind)
        return next(found, None)


def _read(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    return data


def _field(name: str, entry: dict[str, Any]) -> Field:
    lists: dict[str, Any] = {
        key: tuple(entry.pop(key)) for key in ("choices", "axes") if key in entry
    }
    return Field(name, **lists, **entry)


def _fields(data: dict[str, Any]) -> dict[str, Field]:
    return {name: _field(name, dict(entry)) for name, entry in data.items()}


def _checks(data: dict[str, Any]) -> tuple[Check, ...]:
    return tuple(Check(**check) for check in data.get("checks", []))


def _input_type(name: str, data: dict[str, Any], common: dict[str, Field]) -> InputType:
    encoders = {
        encoder: Encoder(
            name=encoder,
            help=entry["help"],
            width_of=entry["width_of"],
            width_times=entry.get("width_times", 1),
            raw=entry.get("raw", False),
            hides=tuple(entry.get("hides", ())),
            tensor_shape=tuple(entry.get("tensor_shape", ())),
            fields=_fields(entry["fields"]),
            checks=_checks(entry),
        )
        for encoder, entry in data["encoders"].items()
    }
    return InputType(
        name=name,
        fields={**_fields(data["fields"]), **common},
        encoders=encoders,
        checks=_checks(data),
        found_in=data.get("found_in", ""),
        reads_files=not {"file_column", "files_column"}.isdisjoint(data["helpers"]),
        may_be_empty=data.get("may_be_empty", False),
        **{key: data[key] for key in ("title", "help", "row", "tensor", "absent_layer")},
    )


def _check_kinds(inputs: Mapping[str, InputType]) -> None:
    """Fail where a type is found in no kind that is known, or two are in the same."""
    claims: dict[str, str] = {}
    for each in inputs.values():
        if not each.found_in:
            continue
        if each.found_in not in KINDS:
            raise ValueError(f"{each.name}: found_in is one of {', '.join(KINDS)}")
        other = claims.setdefault(each.found_in, each.name)
        if other != each.name:
            raise ValueError(f"{other} and {each.name}: both are found_in {each.found_in}")


COMMON_WIDTH = Field(
    "width",
    "integer",
    "the width to which branches are brought; by default that of the widest",
    least=1,
    most=8192,
)


def _merge_method(name: str, data: dict[str, Any]) -> MergeMethod:
    keeps_widths = data["width"] in ("sum", "first")
    common = {} if keeps_widths else {COMMON_WIDTH.name: COMMON_WIDTH}
    keys = ("help", "least", "width", "most")
    return MergeMethod(
        name=name,
        fields={**common, **_fields(data.get("fields", {}))},
        checks=_checks(data),
        **{key: data[key] for key in keys if key in data},
    )


def _task(name: str, data: dict[str, Any], common: dict[str, Field]) -> Task:
    keys = ("title", "help", "column", "tensor", "size", "activation", "loss")
    fields = {**_fields(data["fields"]), **common}
    metrics = tuple(data["metrics"])
    more: dict[str, Any] = {key: data[key] for key in keys}
    more["numbers"] = data.get("raw_dtype", "float32") == "float32"
    more["beside"] = tuple(data.get("beside", ()))
    return Task(name=name, fields=fields, metrics=metrics, **more)


def _feature(name: str, data: dict[str, Any], defaults: list[str]) -> Feature:
    options = [
        f"{command} --{option.replace('_', '-')}"
        for command, group in data.get("options", {}).items()
        for option in group
    ]
    if "format" in data:
        options.append(f"export --format {data['format']['name']}")
    default, reads = name in defaults, data.get("reads", "")
    return Feature(name, data["title"], data["help"], default, tuple(options), reads)


@cache
def load_catalog() -> Catalog:
    """Read the catalog from the template's folders; it is small, and read once a process."""
    root = template_root() / "template"
    inputs = {path.parent.name: _read(path) for path in root.glob("inputs/*/input.yml")}
    merges = {path.stem: _read(path) for path in root.glob("merges/*.yml")}
    outputs = {path.parent.name: _read(path) for path in root.glob("outputs/*/output.yml")}
    features = {path.parent.name: _read(path) for path in root.glob("features/*/feature.yml")}
    # copier.yml alone says which are on by default: plain copier cannot list folders.
    question = _read(template_root() / "copier.yml").get("features", {"default": "[]"})
    defaults = yaml.safe_load(question["default"])
    input_fields = _fields(_read(root / "inputs" / "fields.yml"))
    output_fields = _fields(_read(root / "outputs" / "fields.yml"))
    table = _read(root / "table.yml")

    def in_order(entries: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
        return sorted(entries.items(), key=lambda item: (item[1]["order"], item[0]))

    for data in inputs.values():
        for other, names in data.get("encoders_of", {}).items():
            data["encoders"] = {name: inputs[other]["encoders"][name] for name in names}
    types = {name: _input_type(name, data, input_fields) for name, data in in_order(inputs)}
    _check_kinds(types)
    return Catalog(
        inputs=types,
        merges={name: _merge_method(name, data) for name, data in in_order(merges)},
        outputs={name: _task(name, data, output_fields) for name, data in in_order(outputs)},
        features={name: _feature(name, data, defaults) for name, data in in_order(features)},
        table=_fields(table["fields"]),
        table_checks=_checks(table),
    )
