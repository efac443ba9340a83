"""Numbers that stand for a missing value, such as -200 or 9999: far from all others, again and again."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from keras_scaffold.infer.cells import Cells
from keras_scaffold.infer.decimals import LOOKS_NUMERIC, MOST
from keras_scaffold.infer.tables import Table
from keras_scaffold.spec.entries import Code

FEWEST = 3  # cells with the code
FEWEST_OTHERS = 20  # different values besides; fewer are rather classes
SMALLEST = 9  # of a code, without its sign
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

    @property
    def sure(self) -> bool:
        """Whether it is a code by its own column."""
        if self.value < 0:
            return self.gap > self.spread
        return bool(NINES.fullmatch(f"{self.value:g}")) and self.gap > FARTHER * self.spread


def find_missing_codes(table: Table) -> None:
    """Set the table's codes for a missing value, by column."""
    outliers = [
        outlier
        for name in table.columns
        if name not in table.arrays or name in table.native
        for outlier in _outliers(Cells.of(table, name))
    ]
    codes = {outlier.value for outlier in outliers if outlier.sure}
    # What is a code in one column is one in another, where only it is below zero.
    found = [each for each in outliers if each.sure or (each.value in codes and each.below_zero)]
    missing: dict[str, list[int | float]] = {}
    for each in found:
        whole = each.value.is_integer()
        missing.setdefault(each.column, []).append(int(each.value) if whole else each.value)
    table.written = replace(table.written, missing=missing)


def code_warnings(table: Table, numbers: set[str]) -> list[str]:
    """Drop the codes of columns that are read as no numbers; warnings that name the others."""
    missing = {name: codes for name, codes in table.written.missing.items() if name in numbers}
    table.written = replace(table.written, missing=missing)
    columns: dict[Code, list[str]] = {}
    for name, codes in missing.items():
        for code in codes:
            columns.setdefault(code, []).append(name)
    return [
        f"{', '.join(names[:4])}{f' … ({len(names)} columns)' if len(names) > 4 else ''}: {code} is"
        " far from all other values and is read as missing; if it is a number, remove it from missing"
        " of table"
        for code, names in columns.items()
    ]


def _outliers(cells: Cells) -> list[Outlier]:
    if cells.share(LOOKS_NUMERIC, 50) < 0.8:
        return []
    numbers = cells.numbers().drop_nulls()
    if len(numbers) < MOST * len(cells.values):
        return []
    values = numbers.unique().sort()
    if len(values) <= FEWEST_OTHERS:
        return []
    found = []
    for value, others in ((values[0], values[1:]), (values[-1], values[:-1])):
        low, high = float(others[0]), float(others[-1])
        rows = int((numbers == value).sum())
        if rows >= FEWEST and abs(value) >= SMALLEST:
            gap = low - value if value < low else value - high
            below_zero = value < 0 <= low
            found.append(Outlier(cells.name, float(value), rows, gap, high - low, below_zero))
    return found
