"""Target leakage: columns from which a target follows, alone or together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from keras_scaffold.infer.cells import (
    TARGET_HOLES,
    Column,
    as_numbers,
)
from keras_scaffold.infer.tables import ROW, Table
from keras_scaffold.infer.targets import Target

CLOSE = 0.99  # balanced accuracy on a validation set
SAME = 0.999  # rank correlation
MOST_BINS = 20
FEWEST_IN_BIN = 5  # rows
MOST_NAMED = 50  # classes that are looked for in texts
NAMED = 0.9  # of the texts
MOSTLY = 0.5  # of the variance of a target
SEED = 0


@dataclass(frozen=True)
class Leak:
    """A column from which a target follows: how well, in words."""

    column: str
    target: str
    how: str
    sure: bool = True  # else it only stands out among the others


def find_leaks(table: Table, columns: list[Column], target: Target, group: str = "") -> list[Leak]:
    """The columns from each of which, alone, the target follows on a validation set.

    Rows with one value of the column `group` are all in the validation set, or none is.
    """
    if target.task == "multilabel":
        return []
    frame = table.sample.drop(ROW)
    label = frame[target.column].str.strip_chars()
    frame = frame.filter(label.is_not_null() & ~label.str.to_lowercase().is_in(TARGET_HOLES))
    if frame.height < 30:
        return []
    label = frame[target.column].str.strip_chars()
    parts = _halves(frame[group].fill_null("") if group else frame[target.column], bool(group))
    leaks, scores = [], {}
    classes = _codes(label)
    for column in columns:
        if column.name in table.arrays:
            continue
        if column.kind == "texts" and not target.numbers:
            how = _names_class(frame[column.name].fill_null(""), label)
            leaks += [Leak(column.name, target.column, how)] if how else []
        if column.kind not in ("numbers", "labels", "flags", "tags"):
            continue
        cells = frame[column.name].str.strip_chars().fill_null("")
        numbers = _numbers(table, frame, column.name)
        if target.numbers:
            y_true = _numbers(table, frame, target.column)
            if how := _predicts_number(cells, numbers, y_true, parts, column):
                leaks.append(Leak(column.name, target.column, how))
        else:
            scores[column.name] = _predicts_class(cells, numbers, classes, parts, column)
    return leaks + _outliers(scores, target.column, frame.height)


def _halves(cells: pl.Series, grouped: bool) -> Parts:
    """Two random halves of the rows, to learn and to test; of groups, where cells name them."""
    rng = np.random.default_rng(SEED)
    if not grouped:
        order = rng.permutation(len(cells))
        return order[: len(cells) // 2], order[len(cells) // 2 :]
    codes = _codes(cells)
    groups = rng.permutation(int(codes.max()) + 1)
    learns = np.isin(codes, groups[: len(groups) // 2])
    return np.flatnonzero(learns), np.flatnonzero(~learns)


def _outliers(scores: dict[str, float], target: str, rows: int) -> list[Leak]:
    """Leaks among columns by the share of classes that each predicts in a validation set."""
    leaks = []
    best = [*sorted(scores.values(), reverse=True)[:2], 0.0, 0.0]
    for column, score in scores.items():
        others = best[1] if score == best[0] else best[0]
        how = f"alone it predicts {score:.1%} of the classes of a validation set"
        if score >= CLOSE and (rows >= 200 or score == 1):
            leaks.append(Leak(column, target, how))
        elif score >= 0.95 and rows >= 200 and 1 - score < 0.2 * (1 - others):
            leaks.append(Leak(column, target, f"{how}, the next best {others:.0%}", sure=False))
    return leaks


Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Parts = tuple[Codes, Codes]


def _numbers(table: Table, frame: pl.DataFrame, name: str) -> Numbers:
    """A column of some of the table's rows as numbers, NaN where a cell is none."""
    # Of the column alone: an expression over a frame takes longer the more columns that has.
    cell = pl.col(name).str.strip_chars()
    read = as_numbers(cell, table.notation_of(name), name)
    return frame[name].to_frame().select(read).to_series().to_numpy().astype("float64")


def _codes(cells: pl.Series) -> Codes:
    return cells.rank("dense").to_numpy().astype("int64") - 1


def _predicts_class(
    cells: pl.Series, numbers: Numbers, y_true: Codes, parts: Parts, column: Column
) -> float:
    """How well the nearest value seen, or the same one, predicts the class in a validation set."""
    learn, test = parts
    classes = int(y_true.max()) + 1
    seen = np.bincount(y_true[test], minlength=classes)
    if classes > 200 or np.sort(seen)[::-1][1] < 5:
        return 0.0
    codes = _codes(cells)
    values = int(codes.max()) + 1
    if column.kind == "numbers" and values > 20:
        y_pred = _nearest(np.nan_to_num(numbers, nan=-1e300), y_true, learn, test)
    elif values <= len(codes) / 4:
        table = np.zeros((values, classes))
        np.add.at(table, (codes[learn], y_true[learn]), 1)
        y_pred = np.where(table.any(axis=1), table.argmax(axis=1), -1)[codes[test]]
    else:
        return 0.0
    right = np.bincount(y_true[test][y_pred == y_true[test]], minlength=classes)
    return float(np.mean(right[seen > 0] / seen[seen > 0]))


def _nearest(
    numbers: Numbers,
    y_true: Codes,
    learn: Codes,
    test: Codes,
) -> Codes:
    order = learn[np.argsort(numbers[learn], kind="stable")]
    known = numbers[order]
    place = np.clip(np.searchsorted(known, numbers[test]), 1, len(known) - 1)
    left = numbers[test] - known[place - 1] < known[place] - numbers[test]
    return y_true[order[np.where(left, place - 1, place)]]


def _predicts_number(
    cells: pl.Series, numbers: Numbers, y_true: Numbers, parts: Parts, column: Column
) -> str:
    both = np.isfinite(numbers) & np.isfinite(y_true)
    if column.kind == "numbers" and both.mean() > 0.5 and len(np.unique(numbers[both])) > 10:
        first, second = (pl.Series(each[both]).rank().to_numpy() for each in (numbers, y_true))
        rank = abs(float(np.corrcoef(first, second)[0, 1]))
        return f"its rank correlation with it is {rank:.4f}" if rank > SAME else ""
    learn, test = parts
    codes = _codes(cells)
    values = int(codes.max()) + 1
    if values > len(codes) / 5:
        return ""
    sums = np.bincount(codes[learn], y_true[learn], minlength=values)
    counts = np.bincount(codes[learn], minlength=values)
    known = counts[codes[test]] > 0
    y_pred = (sums / np.maximum(counts, 1))[codes[test]]
    errors = (y_true[test] - y_pred)[known]
    spread = y_true[test][known].var() if known.any() else 0.0
    share = 1 - float(np.mean(errors**2)) / spread if spread else 0.0
    if share > SAME:
        return "each of its values has one value of it"
    return "each of its values has a range of it of its own" if _is_binned(codes, y_true) else ""


def _is_binned(codes: Codes, y_true: Numbers) -> bool:
    """Whether a few values divide the target into ranges, as low and normal do a weight."""
    known = np.isfinite(y_true)
    groups = [y_true[known & (codes == code)] for code in range(int(codes.max()) + 1)]
    if not 2 <= len(groups) <= MOST_BINS or min(map(len, groups)) < FEWEST_IN_BIN:
        return False
    ranges = sorted((each.min(), each.max()) for each in groups)
    return all(high <= low for (_, high), (low, _) in pairwise(ranges))  # rounded, they touch


def _names_class(texts: pl.Series, label: pl.Series) -> str:
    """How often a text has the row's own label in it, and no other; empty where that is no rule."""
    texts = texts.str.to_lowercase()
    labels = label.str.to_lowercase()
    classes = [each for each in labels.unique() if len(each) >= 3]
    if not 2 <= labels.n_unique() == len(classes) <= MOST_NAMED:
        return ""
    has = [texts.str.contains(each, literal=True).to_numpy() for each in classes]
    own = np.stack([(labels == each).to_numpy() for each in classes])
    named = float((np.stack(has) == own).all(axis=0).mean())
    return f"{named:.0%} of its texts have the label in them" if named > NAMED else ""


def find_sum(table: Table, columns: list[Column], target: Target) -> list[str]:
    """Two or three number columns whose weighted sum is the target, exactly; else none."""
    named = [c for c in columns if c.kind == "numbers" and c.name not in table.arrays][:200]
    if len(named) < 2:
        return []
    frame = table.sample
    y_true = _numbers(table, frame, target.column)
    values = np.stack([_numbers(table, frame, column.name) for column in named], axis=1)
    whole = np.isfinite(values).all(axis=1) & np.isfinite(y_true)
    values, y_true = values[whole][:5000], y_true[whole][:5000]
    if len(y_true) < 10 * len(named) or not y_true.std():
        return []
    spread = values.std(axis=0)
    values, y_true = (
        (values - values.mean(axis=0)) / np.where(spread, spread, 1),
        y_true - y_true.mean(),
    )
    weights, *_ = np.linalg.lstsq(values, y_true, rcond=None)
    error = y_true - values @ weights
    if float(error.var()) > 1e-8 * float(y_true.var()):
        return []
    telling = [
        c.name
        for c, weight in zip(named, weights, strict=True)
        if abs(weight) > 1e-3 * y_true.std()
    ]
    return telling if 2 <= len(telling) <= 3 else []


def find_mean(table: Table, columns: list[Column], target: Target) -> tuple[list[str], float]:
    """Numbered columns of which the target is about the mean, and how much of it that explains.

    As with votes: where r1 ... r10 hold how many gave a 1 ... 10, by shares or counts, the mean of
    the numbers in the names, weighted by the columns, is the rating.
    """
    families: dict[str, list[tuple[int, Column]]] = {}
    for column in columns:
        match = re.fullmatch(r"(.*\D)(\d{1,3})", column.name)
        if match and column.kind == "numbers" and column.name not in table.arrays:
            families.setdefault(match[1], []).append((int(match[2]), column))
    frame = table.sample
    y_true = _numbers(table, frame, target.column)
    known = np.isfinite(y_true)
    for family in families.values():
        numbers = np.array([number for number, _ in family])
        middle = float(np.median(y_true[known]))
        if not 4 <= len(family) <= 101 or not numbers.min() < middle < numbers.max():
            continue
        weights = np.stack([_numbers(table, frame, column.name) for _, column in family], axis=1)
        weights = np.nan_to_num(weights)
        rows = known & (weights.sum(axis=1) > 0)
        if (weights < 0).any() or rows.sum() < 30 or not y_true[rows].var():
            continue
        mean = weights[rows] @ numbers / weights[rows].sum(axis=1)
        explained = 1 - float((y_true[rows] - mean).var() / y_true[rows].var())
        if explained > MOSTLY:
            return [column.name for _, column in family], explained
    return [], 0.0
