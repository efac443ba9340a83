"""What a person corrects in the inference: the options of `inspect` and `new --data`, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from keras_scaffold.catalog import load_catalog
from keras_scaffold.infer.cells import parse_number
from keras_scaffold.infer.tables import DataError, Table
from keras_scaffold.infer.targets import known_column
from keras_scaffold.spec import SpecError, complete_table, nearest
from keras_scaffold.spec.entries import Code

WEIGHTS = "_weights"
ORDERS = ("day-first", "month-first")  # of dates, in --as


@dataclass(frozen=True)
class Overrides:
    """What a person corrects in the inference; all of it is optional."""

    targets: Sequence[str] = ()  # a column, or COLUMN:TASK
    drop: Sequence[str] = ()
    keep: Sequence[str] = ()
    types: Sequence[str] = ()  # COLUMN:TYPE; dates also COLUMN:TYPE:ORDER
    outside: bool = False
    decimal: str | None = None
    thousands: str | None = None
    missing: Sequence[str] = ()  # COLUMN:CODE
    ignore_case: Sequence[str] = ()  # targets
    text_weights: str | None = None  # TYPE_weights: a folder with pretrained weights
    image_weights: str | None = None

    @property
    def notation(self) -> dict[str, str]:
        """The marks of numbers that are given, as a spec's `table` has them."""
        given = {"decimal": self.decimal, "thousands": self.thousands}
        return {key: value for key, value in given.items() if value is not None}

    @property
    def weights(self) -> dict[str, str]:
        """The folders with pretrained weights that are given, by type of input."""
        names = (field.name for field in fields(self) if field.name.endswith(WEIGHTS))
        given = {name.removesuffix(WEIGHTS): getattr(self, name) for name in names}
        return {kind: folder for kind, folder in given.items() if folder is not None}


def stated_notation(overrides: Overrides) -> dict[str, str]:
    """The marks of numbers that a person gave, as a spec's `table` has them."""
    try:
        complete_table(overrides.notation, "--")
    except SpecError as error:
        raise DataError(str(error).replace("--.", "--")) from None
    return overrides.notation


def stated_codes(overrides: Overrides, table: Table) -> dict[str, list[Code]]:
    """The codes for missing values that a person gave, by column."""
    codes: dict[str, list[Code]] = {}
    for text in overrides.missing:
        name, colon, code = text.rpartition(":")
        if not colon or not code.strip():
            raise DataError(f"--missing {text}: give COLUMN:CODE, such as age:-1, or COLUMN:none")
        number = parse_number(code)
        given = codes.setdefault(known_column(name, table, "--missing"), [])
        given += [] if code == "none" else [code.strip().lower() if number is None else number]
    return codes


def typed_column(text: str) -> tuple[str, str, str]:
    """`due:datetime:day-first` -> (due, datetime, day-first); the order is empty where none is given."""
    rest, _, order = text.rpartition(":")
    if order not in ORDERS:
        rest, order = text, ""
    name, _, kind = rest.rpartition(":")
    return name, kind, order


def stated_types(overrides: Overrides, table: Table, targets: Sequence[str]) -> dict[str, str]:
    """The types that a person chose, by column; dates may have their order: datetime:day-first."""
    types: dict[str, str] = {}
    known = load_catalog().inputs
    for text in overrides.types:
        name, kind, order = typed_column(text)
        if not name:
            raise DataError(f"--as {text}: give COLUMN:TYPE, such as zip:categorical")
        name = known_column(name, table, "--as")
        if kind not in known:
            raise DataError(f"--as {text}: no type of input '{kind}'; {nearest(kind, known)}")
        if name in targets:
            raise DataError(f"--as {text}: it is the target; use --target {name}:TASK")
        if name in table.arrays:
            raise DataError(f"--as {text}: what an array is follows from its shape")
        if order and known[kind].found_in != "dates":
            raise DataError(f"--as {text}: {order} is of dates; use {name}:{kind}")
        types[name] = f"{kind}:{order}" if order else kind
    return types
