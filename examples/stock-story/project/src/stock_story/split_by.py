"""Splits by group or time: rows of one group are in one split, or the latest rows test."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from stock_story.manifest import SPLITS, DataError, Examples, assign_splits


def split_by(examples: Examples, seed: int, group: str | None, time: str | None) -> pd.Series[Any]:
    """Assign each row to a split, by its group or its time; fails where a column `split` does not."""
    if group and time:
        raise DataError("give --group or --time, not both")
    if group:
        splits = assign_splits(examples, seed, partial(draw_groups, column=group))
        torn = splits.groupby(examples.column(group).astype(str)).nunique() > 1
        if torn.any():
            raise DataError(
                f"{examples.source}: the rows of {group} {torn.idxmax()!r} are in several splits;"
                " fix the column split, or train without --group"
            )
    else:
        splits = assign_splits(examples, seed, partial(draw_times, column=str(time)))
        times = pd.Series(read_times(examples, str(time)), splits.index)
        spans = times.groupby(splits).agg(["min", "max"]).reindex(SPLITS).dropna()
        if (spans["max"].shift() > spans["min"]).any():
            raise DataError(
                f"{examples.source}: by {time}, a split begins before the one ahead of it ends;"
                " fix the column split, or train without --time"
            )
    return splits


def draw_groups(examples: Examples, seed: int, column: str) -> np.ndarray:
    """Draw ten folds of whole groups, (rows,)."""
    groups, names = pd.factorize(examples.column(column).astype(str))
    return (np.random.default_rng(seed).permutation(len(names)) % 10)[groups]


def draw_times(examples: Examples, seed: int, column: str) -> np.ndarray:
    """Make ten folds by time, (rows,): 0 is the latest; equal times are in one."""
    times = pd.Series(read_times(examples, column))
    later = times.rank(method="min", ascending=False) - 1
    return (10 * later / len(times)).astype(int).to_numpy()


def read_times(examples: Examples, column: str) -> np.ndarray:
    """Read a column of numbers or dates as numbers, (rows,)."""
    values = examples.column(column)
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.isna().any():
        dates = pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True)
        if dates.isna().any():
            row = dates.isna().idxmax()
            raise DataError(
                f"{examples.source}: row {row}: {column} is {values[row]!r}, neither a number nor a"
                " date such as 2020-12-31"
            )
        numbers = dates.astype("int64")
    return numbers.to_numpy("float64")
