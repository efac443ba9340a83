"""Columns that say which rows belong together, such as a patient: their values repeat, and fix the others.

Rows of one group that are in training and test make every metric too good, so such a column is
proposed for `train --group`, whatever its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from keras_scaffold.infer.cells import TARGET_HOLES, Column, as_numbers
from keras_scaffold.infer.tables import Table
from keras_scaffold.infer.targets import Target

FEWEST = 8  # groups; fewer are rather categories
ROWS_EACH = 2  # in the mean
FIXED = 0.8  # of the variance of a number's ranks lies between groups
TARGET_FIXED = 0.97  # of that of a target: a category may well tell most of it
FEWEST_FIXED = 3  # columns beside a target; two may be the place that a name of a district tells
SMOOTH = 0.5  # of it that the next lower and higher value tell, where the column is a measure
ALIKE = 0.98  # of the rows have the most frequent label of their group
MOST = 40  # columns that are looked at, on each side

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """A column of groups: how many, and the columns that it fixes."""

    column: str
    groups: int
    fixed: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reason in words."""
        shown = ", ".join(self.fixed[:3]) + (" …" if len(self.fixed) > 3 else "")
        return f"{self.groups} values that repeat and nearly fix {shown}"


def find_groups(
    table: Table, columns: Sequence[Column], targets: Sequence[Target], spared: Iterable[str]
) -> list[Group]:
    """The columns of groups, the one that fixes most columns first; none of those `spared`."""
    rows = table.sample.height
    usable = [c for c in columns if c.name not in table.arrays and (c.type or c.what == "id")]
    possible = [
        c
        for c in usable
        if FEWEST <= c.distinct <= rows / ROWS_EACH
        and c.name not in spared
        and (c.what in ("id", "category") or (c.kind == "numbers" and "whole" in c.why))
    ]
    if not possible:
        return []
    numbers = {c.name: _numbers(table, c.name) for c in _some(_measures(usable))}
    labels = {t.column: _labels(table, t) for t in targets if t.task != "multilabel"}
    found = [
        group
        for column in _some(possible)
        if (group := _group(table, column, numbers, labels)) is not None
    ]
    return sorted(found, key=lambda group: (-len(group.fixed), group.groups))


def _measures(columns: Sequence[Column]) -> list[Column]:
    return [c for c in columns if c.kind == "numbers"]


def _some(columns: list[Column]) -> list[Column]:
    step = max(1, -(-len(columns) // MOST))
    return columns[::step]


def _numbers(table: Table, name: str) -> Numbers:
    """The ranks of a column's numbers, NaN where a cell is none; a long tail weighs no more than others."""
    cell = pl.col(name).str.strip_chars()
    read = as_numbers(cell, table.notation_of(name), name)
    return (
        table.sample[name].to_frame().select(read.rank()).to_series().to_numpy().astype("float64")
    )


def _labels(table: Table, target: Target) -> Numbers | Codes:
    """A target in the sample: numbers, NaN where one is missing, or codes of labels, below 0."""
    if target.numbers:
        return _numbers(table, target.column)
    cells = table.sample[target.column].str.strip_chars().fill_null("")
    cells = pl.select(
        pl.when(~pl.lit(cells).str.to_lowercase().is_in(TARGET_HOLES)).then(pl.lit(cells))
    ).to_series()
    return cells.rank("dense").fill_null(0).to_numpy().astype("int64") - 1


def _group(
    table: Table,
    column: Column,
    numbers: dict[str, Numbers],
    labels: dict[str, Numbers | Codes],
) -> Group | None:
    cells = table.sample[column.name].str.strip_chars()
    keys = _numbers(table, column.name) if column.kind == "numbers" else None
    ranks = cells if keys is None else pl.Series(keys, nan_to_null=True)
    codes = ranks.rank("dense").fill_null(0).to_numpy().astype("int64") - 1
    others = {name: values for name, values in numbers.items() if name != column.name}
    fixed = [name for name, values in others.items() if _fixes(codes, values, keys is not None)]
    many = len(fixed) >= max(FEWEST_FIXED, len(others) / 2)
    told = [name for name, values in labels.items() if _tells(codes, values, keys is not None)]
    if not (many or told):
        return None
    return Group(column.name, int(codes.max()) + 1, (*told, *fixed))


def _fixes(codes: Codes, values: Numbers, ordered: bool, least: float = FIXED) -> bool:
    """Whether nearly all of a number's variance lies between groups, and in no smooth curve."""
    known = (codes >= 0) & np.isfinite(values)
    if known.sum() < ROWS_EACH * FEWEST:
        return False
    codes, values = codes[known], values[known]
    counts = np.bincount(codes)
    sums = np.bincount(codes, values)
    there = counts > 0
    means = sums[there] / counts[there]
    counts = counts[there]
    groups, rows = len(counts), len(values)
    between = float(counts @ (means - values.mean()) ** 2)
    within = float(((values - values.mean()) ** 2).sum()) - between
    if groups < FEWEST or rows <= groups or between <= 0:
        return False
    # The intraclass correlation, which chance does not raise as it does the share of the variance.
    per_group, per_row = between / (groups - 1), max(0.0, within) / (rows - groups)
    size = rows / groups
    if (per_group - per_row) / (per_group + (size - 1) * per_row) < least:
        return False
    return not (ordered and _smooth(means) > SMOOTH)


def _smooth(means: Numbers) -> float:
    """The share of the variance of means in order that the mean of both neighbors tells."""
    near = (means[:-2] + means[2:]) / 2
    spread = float(means[1:-1].var())
    return 1 - float(((means[1:-1] - near) ** 2).mean()) / spread if spread else 1.0


def _tells(codes: Codes, values: Numbers | Codes, ordered: bool) -> bool:
    """Whether a target is the same in all rows of a group, in more groups than chance makes so."""
    if values.dtype.kind == "f":
        return _fixes(codes, values.astype("float64"), ordered, TARGET_FIXED)
    known = (codes >= 0) & (values >= 0)
    codes, values = codes[known], values[known].astype("int64")
    if not len(codes):
        return False
    classes = int(values.max()) + 1
    groups = int(codes.max()) + 1
    if classes > 50 or groups < max(FEWEST, 2 * classes):
        return False
    counts = np.bincount(codes * classes + values, minlength=groups * classes)
    table = counts.reshape(groups, classes)
    table = table[table.sum(axis=1) > 0]
    if table.max(axis=1).sum() < ALIKE * len(codes) or len(codes) < ROWS_EACH * len(table):
        return False
    top = table.argmax(axis=1)
    shares = np.bincount(top) / len(top)
    changes = float((np.diff(top) != 0).mean())
    # Along a measure the class changes once or twice, along names as often as chance has it.
    return not ordered or changes > 0.5 * (1 - float(shares @ shares))
