"""What stands for a missing value: -200 or 9999, far from all other numbers; one word among numbers, such as nil."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from keras_scaffold.infer.cells import Cells, plain
from keras_scaffold.infer.decimals import LOOKS_NUMERIC, MOST
from keras_scaffold.infer.tables import DataError, Table
from keras_scaffold.spec.entries import Code

FEWEST = 3  # cells with the code
FEWEST_OTHERS = 20  # different values besides; fewer are rather classes
FEWEST_MAY_BE = 4  # different values, of which one may be a code
SMALLEST = 9  # of a code, without its sign
BELOW_ZERO = re.compile(r"1|[789]|77+|88+|99+(\.9+)?|[1-9]00+")  # codes without their sign
MOST_CODES = 3  # at each end of a column
NINES = re.compile(r"99+(\.9+)?")
FARTHER = 10  # times the range of all others, for a positive code


@dataclass(frozen=True)
class Outlier:
    """The lowest or the highest of a column's values, where it repeats and lies beyond the others."""

    column: str
    value: float
    rows: int
    gap: float  # to the next value
    spread: float  # of the others
    below_zero: bool  # alone
    others: int  # different values besides

    @property
    def sure(self) -> bool:
        """Whether it is a code by its own column."""
        if self.others < FEWEST_OTHERS or abs(self.value) < SMALLEST:
            return False
        if self.value < 0:
            return self.gap > self.spread
        return bool(NINES.fullmatch(f"{self.value:g}")) and self.gap > FARTHER * self.spread

    @property
    def may_be(self) -> bool:
        """Whether it looks like a code, which a person has to decide."""
        if self.below_zero:
            return bool(BELOW_ZERO.fullmatch(f"{-self.value:g}"))
        return bool(NINES.fullmatch(f"{self.value:g}")) and self.gap > self.spread / 2


def find_missing_codes(table: Table, given: Mapping[str, Sequence[Code]]) -> list[Outlier]:
    """Set the table's codes for a missing value, by column; other values that may be codes.

    `given` are codes that a person states, by column; nothing is then looked for in the column.
    """
    outliers = [
        outlier
        for name in table.columns
        if (name not in table.arrays or name in table.native) and name not in given
        for outlier in _outliers(Cells.of(table, name))
    ]
    codes = {outlier.value for outlier in outliers if outlier.sure}
    # What is a code in one column is one in another, where only it is below zero.
    found = [each for each in outliers if each.sure or (each.value in codes and each.below_zero)]
    missing: dict[str, list[Code]] = {name: list(codes) for name, codes in given.items() if codes}
    missing |= {
        name: [word]
        for name in table.columns
        if name not in table.arrays and name not in given and (word := _word(table, name))
    }
    for each in found:
        missing.setdefault(each.column, []).append(plain(each.value))
    table.written = replace(table.written, missing=missing)
    return [each for each in outliers if each.may_be and each not in found]


def code_warnings(
    table: Table, numbers: set[str], given: Mapping[str, Sequence[Code]], doubtful: list[Outlier]
) -> list[str]:
    """Drop the codes of columns that are read as no numbers; warnings that name the others."""
    missing = {name: codes for name, codes in table.written.missing.items() if name in numbers}
    table.written = replace(table.written, missing=missing)
    for name, codes in given.items():
        if codes and name not in missing:
            raise DataError(
                f"--missing {name}:{codes[0]}: it is read as no numbers, and only numbers have"
                f" codes; use --as {name}:TYPE too"
            )
    columns: dict[Code, list[str]] = {}
    for name, codes in missing.items():
        for code in codes if name not in given else ():
            columns.setdefault(code, []).append(name)
    warnings = [
        f"{', '.join(names[:4])}{f' … ({len(names)} columns)' if len(names) > 4 else ''}: {_why(code)}"
        + " ".join(f"--missing {shlex.quote(f'{name}:none')}" for name in names[:4])
        for code, names in columns.items()
    ]
    return warnings + [
        f"{each.column}: {each.value:g} in {each.rows:,} rows stands out; if it means missing:"
        f" --missing {shlex.quote(f'{each.column}:{each.value:g}')}"
        for each in doubtful
        if each.column in numbers
    ]


def _why(code: Code) -> str:
    if isinstance(code, str):
        return f"'{code}' among numbers is read as missing; if it is a value: "
    return f"{code} is far from all other values and is read as missing; if it is a number: "


def _word(table: Table, name: str) -> str:
    """The one word that stands among a column's numbers in several rows, lowercase; empty for none."""
    if table.native.get(name, "string") != "string":
        return ""
    cells = Cells.of(table, name)
    if cells.share(LOOKS_NUMERIC, 50) < 0.5:
        return ""
    numbers = cells.numbers()
    words = cells.values.filter(numbers.is_null()).str.to_lowercase()
    if len(words) < FEWEST or words.n_unique() > 1 or words.str.contains(r"\d").any():
        return ""
    enough = numbers.n_unique() > FEWEST_OTHERS and len(words) < 0.5 * len(numbers)
    return str(words[0]) if enough else ""


def _outliers(cells: Cells) -> list[Outlier]:
    if cells.share(LOOKS_NUMERIC, 50) < 0.8:
        return []
    numbers = cells.numbers().drop_nulls()
    if len(numbers) < MOST * len(cells.values):
        return []
    values, counts = np.unique(numbers.to_numpy(), return_counts=True)
    first, last = 0, len(values) - 1
    while first < MOST_CODES and _may_end(values[first : last + 1], counts[first], 0):
        first += 1
    while len(values) - 1 - last < MOST_CODES and _may_end(
        values[first : last + 1], counts[last], -1
    ):
        last -= 1
    if last - first < FEWEST_MAY_BE:
        return []
    low, high = float(values[first]), float(values[last])
    found = []
    for place in (*range(first), *range(last + 1, len(values))):
        value = float(values[place])
        gap = low - value if value < low else value - high
        size = gap, high - low, value < 0 <= low, last + 1 - first
        found.append(Outlier(cells.name, value, int(counts[place]), *size))
    return found


def _may_end(values: npt.NDArray[np.float64], rows: int, place: int) -> bool:
    """Whether the first or last of sorted values may be a code: it repeats, and looks like one."""
    if rows < FEWEST or len(values) <= FEWEST_MAY_BE:
        return False
    value, rest = float(values[place]), values[1:] if place == 0 else values[:-1]
    shape = BELOW_ZERO if value < 0 else NINES
    coded = bool(shape.fullmatch(f"{abs(value):g}"))
    return coded or (value < 0 and rest[0] - value > rest[-1] - rest[0])
