"""A column's cells in the sample, what is known of a column, and its small picture."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from keras_scaffold.catalog import load_catalog
from keras_scaffold.infer.tables import ROW, Table
from keras_scaffold.spec import TableNotation, one_line
from keras_scaffold.spec.entries import Code

# What a generated project takes for a hole, in any case: in numbers, flags and paths; of texts and
# categories only the empty cell (an NA is a category of its own). A label may be called none.
HOLES = ("", "-", "?", "<na>", "n/a", "na", "nan", "none", "null")
TEXT_HOLES = ("",)
TARGET_HOLES = ("", "?", "<na>", "n/a", "na", "nan", "null")
TRUE = ("true", "1", "yes", "y", "t")
FALSE = ("false", "0", "no", "n", "f")


FEW_VALUES = 50  # that are looked at first: most patterns cover none of a column
View = tuple[str, str]  # a small picture of the values, and what it goes over


@dataclass(frozen=True)
class Column:
    """What is known of a column; `facts` has what its kind alone has.

    The catalog says which type of input takes a kind; `chosen_type` is a type that takes none of them,
    which the person names.
    """

    name: str
    what: str
    sure: float
    why: str
    kind: str = ""  # of catalog.KINDS; empty where it can be no input
    aside: str = ""  # the reason for which it is set aside
    missing: int = 0  # cells, over all rows
    distinct: int = 0  # values, in the sample
    view: View = ("", "")
    facts: dict[str, Any] = field(default_factory=dict)
    chosen_type: str = ""

    @property
    def type(self) -> str | None:
        """The type of input that it becomes; None where it becomes none."""
        return self.chosen_type or load_catalog().type_for(self.kind)

    def set_aside(self, reason: str) -> Column:
        """The column, kept out of the inputs."""
        return replace(self, kind="", chosen_type="", aside=reason)


@dataclass
class Cells:
    """A column's sample, stripped: with holes as numbers have them, and as texts have them."""

    name: str
    native: str
    rows: pl.Series  # the numbers of all sampled rows
    strings: pl.Series  # all cells, stripped
    values: pl.Series  # those that are no hole
    at: pl.Series  # the rows of those
    written: TableNotation

    @classmethod
    def of(cls, table: Table, name: str) -> Cells:
        """Read a column's cells from the table's sample."""
        strings = table.sample[name].str.strip_chars()
        written = table.notation_of(name)
        if name in written.units:
            strings = pl.select(_without_units(pl.lit(strings), written, name)).to_series()
        hole = pl.select(is_hole(pl.lit(strings), written, name)).to_series()
        values, rows = strings.filter(~hole), table.sample[ROW]
        native = table.native.get(name, "")
        return cls(name, native, rows, strings, values, rows.filter(~hole), written)

    def numbers(self) -> pl.Series:
        """The values as numbers, null where one is none."""
        return pl.select(as_numbers(pl.lit(self.values), self.written, self.name)).to_series()

    def text(self) -> Cells:
        """The same, where only the empty cell is a hole."""
        whole = self.strings.is_not_null() & ~self.strings.is_in(TEXT_HOLES)
        return replace_cells(self, self.strings.filter(whole), self.rows.filter(whole))

    def share(self, pattern: re.Pattern[str], most: int = 500) -> float:
        """The share of values that a pattern covers, of some of them; 0 where a first few are none."""
        if most > FEW_VALUES and not self.share(pattern, FEW_VALUES):
            return 0.0
        some = self.some(most)
        return sum(bool(pattern.fullmatch(value)) for value in some) / max(1, len(some))

    def some(self, most: int) -> list[str]:
        """Some of the values, from the whole sample."""
        step = max(1, len(self.values) // most)
        return self.values.gather_every(step).to_list()

    def words(self) -> set[str]:
        """The words of the column's name."""
        return name_words(self.name)


def replace_cells(cells: Cells, values: pl.Series, at: pl.Series) -> Cells:
    """The cells with other values."""
    return replace(cells, values=values, at=at)


def name_words(name: str) -> set[str]:
    """`PassengerId` -> {passenger, id}."""
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3 \2\4", name)
    return {word.lower() for word in re.split(r"[\W_]+", spaced) if word}


# Numbers as text


def as_numbers(cell: pl.Expr, written: TableNotation, name: str, codes: bool = True) -> pl.Expr:
    """Numbers as a project reads them from the column `name`; null where a cell is none, or a code."""
    thousands = written.thousands
    cell = _without_units(cell, written, name)
    if written.decimal == ",":
        cell = cell.str.replace_many([",", "."], [".", ","])
        thousands = "," if thousands == "." else thousands
    if thousands:
        grouped = cell.str.contains(rf"^[+-]?[1-9]\d{{0,2}}([{thousands}]\d{{3}})+(\.\d*)?$")
        plain = cell.str.replace_all(thousands, "", literal=True)
        cell = pl.when(grouped).then(plain).otherwise(cell)
    number = cell.cast(pl.Float64, strict=False)
    missing = _numbers_of(_codes(written, name)) if codes else []
    return pl.when(number.is_finite() & ~number.is_in(missing)).then(number)


def _without_units(cell: pl.Expr, written: TableNotation, name: str) -> pl.Expr:
    for unit in written.units.get(name, ()):
        signed = cell.str.replace(f"-{unit}", "-", literal=True)
        cell = signed.str.strip_prefix(str(unit)).str.strip_suffix(str(unit)).str.strip_chars()
    return cell


def is_hole(cell: pl.Expr, written: TableNotation, name: str) -> pl.Expr:
    """Whether a stripped cell has no value, or a code for none."""
    hole = cell.is_null() | cell.str.to_lowercase().is_in(HOLES)
    codes = _codes(written, name)
    if numbers := _numbers_of(codes):
        hole |= as_numbers(cell, written, name, codes=False).is_in(numbers).fill_null(False)
    if words := [code for code in codes if isinstance(code, str)]:
        hole |= cell.str.to_lowercase().is_in(words)
    return hole


def _codes(written: TableNotation, name: str) -> Sequence[Code]:
    return written.missing.get(name, ())


def _numbers_of(codes: Sequence[Code]) -> list[float]:
    return [float(code) for code in codes if not isinstance(code, str)]


# Small pictures


def top(values: pl.Series) -> list[tuple[str, int]]:
    """The most frequent values, with their counts."""
    counts = values.alias("value").value_counts(sort=True).head(8)
    return [(str(value), count) for value, count in counts.iter_rows()]


def bars(counts: list[tuple[str, int]], rows: int) -> View:
    """A bar for each of the most frequent values, and the shares of one or two."""
    picture = spark([count for _, count in counts])
    shown = [f"{one_line(value)[:20]} {count / rows:.0%}" for value, count in counts[:2]]
    return picture, ", ".join(shown if len("".join(shown)) <= 16 else shown[:1])


def histogram(numbers: pl.Series) -> View:
    """How numbers lie between the first and the last hundredth."""
    low, high = numbers.quantile(0.01), numbers.quantile(0.99)
    least, most = numbers.min(), numbers.max()
    span = f"{_short(least)} … {_short(most)}"
    inside = numbers.filter((numbers >= low) & (numbers <= high))
    return spark(binned(inside.to_numpy())), span


def binned(values: npt.ArrayLike, bins: int = 8) -> list[int]:
    """How many values lie in each of equal steps."""
    numbers = np.asarray(values, "float64")
    low, high = numbers.min(), numbers.max()
    if not (high > low and np.isfinite(high - low)):
        return [numbers.size]
    places = ((numbers - low) * (bins / (high - low))).astype("int64").clip(max=bins - 1)
    counts: list[int] = np.bincount(places, minlength=bins).tolist()
    return counts


def spark(counts: Sequence[int]) -> str:
    """Bars from `▁` to `█`; a dot for nothing at all."""
    most = max(counts, default=0)
    return "".join("·▁▂▃▄▅▆▇█"[math.ceil(8 * count / most)] if most else "" for count in counts)


def _short(value: Any) -> str:
    size = abs(float(value))
    if size < 1e7 and (size >= 1000 or float(value).is_integer()):
        return f"{value:.0f}"
    return f"{value:.4g}"


def parse_number(text: str) -> int | float | None:
    """The number that a text is, whole where it can be; None where it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return plain(number) if math.isfinite(number) else None


def plain(number: float) -> int | float:
    """A number as people write it: whole where it can be."""
    return int(number) if number.is_integer() else number
