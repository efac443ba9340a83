"""The entries of a spec, complete: each input, each output, and how the table is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from keras_scaffold.catalog import Check, Encoder, Field, InputType, Task, load_catalog
from keras_scaffold.spec.errors import check_keys, fail, known_word, nearest, shown
from keras_scaffold.spec.fields import check_field
from keras_scaffold.spec.names import check_name
from keras_scaffold.spec.reading import Given

Code = str | int | float  # a cell's text or number where the value is missing


@dataclass(frozen=True)
class Entry:
    """An input or an output; `fields` has the value of each field, given or the catalog's default."""

    name: str
    fields: Mapping[str, Any]

    @property
    def columns(self) -> list[str]:
        """Its columns in a manifest."""
        return list(self.fields.get("columns", ())) or [self.fields["column"]]


@dataclass(frozen=True)
class Input(Entry):
    """A branch of the model."""

    type: InputType
    encoder: Encoder

    @property
    def like(self) -> str:
        """The input whose encoder it shares; empty where it has one of its own."""
        like: str = self.fields["like"]
        return like

    @property
    def complete(self) -> Given:
        """The entry as a spec that leaves nothing out has it."""
        words = {"name": self.name, "type": self.type.name}
        if not self.like:
            words["encoder"] = self.encoder.name
        return {**words, **{key: self.fields[key] for key in self.known_fields}}

    @property
    def known_fields(self) -> Mapping[str, Field]:
        """Its fields in the catalog, those that it may have of its own."""
        return self.type.own_fields if self.like else self.type.fields_with(self.encoder.name)

    @property
    def shape(self) -> list[int]:
        """What the spec says of its size: of a text, how many tokens are kept."""
        shape: list[int] = self.fields["shape"]
        return shape

    @property
    def tensor_shape(self) -> list[int]:
        """The shape of what the model takes, without the batch: that, or what an encoder makes of it."""
        return [self.fields[name] for name in self.encoder.tensor_shape] or self.shape

    @property
    def width(self) -> int:
        """The width of its branch, which ends in (batch, width)."""
        value = self.fields[self.encoder.width_of]
        width: int = value[-1] if isinstance(value, list) else value
        # A raw one has a sign besides, where it may be missing: FillMissing adds it.
        filled = self.fields["optional"] and self.type.absent_layer == "FillMissing"
        signs = 2 if self.encoder.raw and filled else 1
        return width * self.encoder.width_times * signs


@dataclass(frozen=True)
class Output(Entry):
    """A head of the model."""

    task: Task

    @property
    def complete(self) -> Given:
        """The entry as a spec that leaves nothing out has it."""
        return {"name": self.name, "task": self.task.name, **self.fields}

    @property
    def known_fields(self) -> Mapping[str, Field]:
        """Its fields in the catalog."""
        return self.task.fields

    @property
    def size(self) -> int:
        """How many numbers its head gives."""
        size = self.task.size
        value = self.fields[size] if isinstance(size, str) else size
        return len(value) if isinstance(value, list) else value  # the names of classes

    @property
    def predicted_columns(self) -> list[str]:
        """The columns that `predict` writes, as far as they are known before training."""
        size = self.fields.get(self.task.size) if isinstance(self.task.size, str) else None
        labels = [str(label) for label in size] if isinstance(size, list) else []
        if self.fields.get("ignore_case"):
            labels = [" ".join(label.lower().split()) for label in labels]
        return [self.name, *(f"{self.name}_{each}" for each in (*labels, *self.task.beside))]

    @property
    def weight(self) -> str:
        """The column with a weight for each row; empty for none."""
        weight: str = self.fields["weight"]
        return weight


@dataclass(frozen=True)
class TableNotation:
    """How a table is written: the catalog's fields of `table`; `missing` and `units` are by column."""

    delimiter: str
    skip_rows: int
    encoding: str
    decimal: str
    thousands: str
    missing: Mapping[str, Sequence[Code]]
    units: Mapping[str, Sequence[Code]]
    ids: Sequence[str]
    group: str

    @property
    def given(self) -> Given:
        """The fields that differ from their defaults, as a spec states them."""
        fields = load_catalog().table
        return {key: value for key, value in asdict(self).items() if value != fields[key].default}


def complete_inputs(given: Sequence[object]) -> list[Input]:
    """Check all inputs and fill in their defaults: from the catalog, or from the one they are like."""
    return [complete_input(entry, f"inputs[{i}]", given) for i, entry in enumerate(given)]


def complete_input(given: object, place: str = "input", among: Sequence[object] = ()) -> Input:
    """Check one input and fill in its defaults; `among` has all inputs, where it may be like one."""
    types = load_catalog().inputs
    if not isinstance(given, Mapping):
        fail(place, f"is {shown(given)}; an input is a mapping with a name and a type")
    name = check_name(given.get("name"), f"{place}.name")
    place = f"{place} ({name})"
    if given.get("like", "") != "":
        return _complete_like(given, place, among)
    kind = types[known_word(given, "type", types, place)]
    encoder = kind.default_encoder
    if "encoder" in given:
        encoder = kind.encoders[known_word(given, "encoder", kind.encoders, place)]
    known = kind.fields_with(encoder.name)
    what = f"{kind.name} with the encoder {encoder.name}"
    check_keys(given, ["name", "type", "encoder", *known], place, what)
    done = Input(name, complete_fields(given, known, name, place), kind, encoder)
    if "columns" in known and len(done.columns) != done.shape[0]:
        counts = f"shape has {done.shape[0]}, columns has {len(done.columns)}"
        fail(place, f"one column for each number of shape: {counts}")
    run_checks((*kind.checks, *encoder.checks), done.complete, place)
    return done


def _complete_like(given: Mapping[Any, Any], place: str, among: Sequence[object]) -> Input:
    """An input with the type, the encoder and the fields of another one, but columns of its own."""
    name, like = given["name"], given["like"]
    check_name(like, f"{place}.like")
    if like == name:
        fail(f"{place}.like", "an input cannot be like itself; name another one")
    named = [each for each in among if isinstance(each, Mapping) and each.get("name") != name]
    other = next((each for each in named if each.get("name") == like), None)
    if other is None:
        names = [str(each.get("name")) for each in named]
        hint = nearest(like, names) if names else "there is no other input"
        fail(f"{place}.like", f"no input {shown(like)}; {hint}")
    if further := other.get("like"):
        fail(f"{place}.like", f"'{like}' is like {shown(further)} itself; name that one")
    same = complete_input(other, f"inputs[{among.index(other)}]")
    if given.get("type", same.type.name) != same.type.name:
        problem = f"is {shown(given['type'])}, but '{like}' is {same.type.name}"
        fail(f"{place}.type", f"{problem}; leave it out, or remove like")
    own = same.type.own_fields
    for key in given:
        if key == "encoder" or (key in same.known_fields and key not in own):
            fail(f"{place}.{key}", f"is that of '{like}', which it is like; leave it out here")
    check_keys(given, ["name", "type", *own], place, f"an input like '{like}'")
    unset = {key: value for key, value in same.fields.items() if key not in own}
    fields = complete_fields({**unset, **given}, same.known_fields, name, place)
    done = Input(name, fields, same.type, same.encoder)
    if "columns" in own and len(done.columns) != done.shape[0]:
        counts = f"'{like}' has {done.shape[0]}, here are {len(done.columns)}"
        fail(f"{place}.columns", f"as many columns as the input that it is like: {counts}")
    return done


def complete_output(given: object, place: str = "output") -> Output:
    """Check one output and fill in its defaults from the catalog."""
    tasks = load_catalog().outputs
    if not isinstance(given, Mapping):
        fail(place, f"is {shown(given)}; an output is a mapping with a name and a task")
    name = check_name(given.get("name"), f"{place}.name")
    place = f"{place} ({name})"
    task = tasks[known_word(given, "task", tasks, place)]
    check_keys(given, ["name", "task", *task.fields], place, f"the task {task.name}")
    return Output(name, complete_fields(given, task.fields, name, place), task)


def complete_table(given: object, place: str = "table") -> TableNotation:
    """Check how a table is written, and fill in the defaults from the catalog."""
    catalog = load_catalog()
    if not isinstance(given, Mapping):
        fail(place, f'is {shown(given)}; give a mapping such as {{delimiter: ";", decimal: ","}}')
    check_keys(given, catalog.table, place, "a table")
    done = complete_fields(given, catalog.table, "", place)
    if given:
        run_checks(catalog.table_checks, done, place)
    return TableNotation(**done)


def complete_fields(
    given: Mapping[Any, Any], known: Mapping[str, Field], name: str, place: str
) -> Given:
    """Check the values of fields, and fill in the defaults; `name` is that of the entry."""
    for key in given:
        if key in known:
            check_field(known[key], given[key], f"{place}.{key}")
    done: Given = {}
    for key, field in known.items():
        if field.required and key not in given:
            fail(f"{place}.{key}", f"is missing; give {field.help}")
        done[key] = given[key] if key in given else _default(field, name, given, done)
    return done


def _default(field: Field, name: str, given: Mapping[Any, Any], done: Given) -> Any:
    """What a field is where the spec is silent; shape comes before columns in every type."""
    if field.empty:
        return field.default
    if field.kind == "column":
        return name
    if field.kind == "columns":
        return [f"{name}_{index}" for index in range(done["shape"][0])]
    if field.kind == "shape" and "columns" in given:
        return [len(given["columns"])]
    return field.default


@cache
def _expression(text: str) -> Any:
    """A Jinja expression of the catalog as a function of the fields, compiled once."""
    from jinja2 import Environment  # only where an entry has checks

    return Environment().compile_expression(text)


def run_checks(checks: Iterable[Check], fields: Given, place: str) -> None:
    """SpecError where a condition over several fields does not hold."""
    for check in checks:
        if not _expression(check.that)(**fields):
            fail(place, check.otherwise)
