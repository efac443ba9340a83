"""What is to be predicted: the task of a target column, its classes, and columns that tell it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from keras_scaffold.catalog import load_catalog
from keras_scaffold.infer.cells import (
    HOLES,
    TARGET_HOLES,
    Column,
    View,
    as_numbers,
    bars,
    histogram,
    name_words,
    numbers_of,
)
from keras_scaffold.infer.tables import ROW, DataError, Table
from keras_scaffold.spec import nearest, one_line

FEW_NUMBERS = 20  # different whole numbers are classes, more an amount
MOST_CLASSES = 1000
FEWEST_ROWS = 3  # to train, to validate, to test
CLOSE = 0.99  # balanced accuracy on rows held out
SAME = 0.999  # rank correlation
MOSTLY = 0.5  # of the variance of a target
SEED = 0
PREDICTABLE = ("numbers", "labels", "flags")  # kinds of columns
# Names of columns that are to be predicted, the surest first.
NAMES = ("target", "label", "labels", "y", "class", "classes", "outcome", "response")


@dataclass(frozen=True)
class Target:
    """A column to predict: its task, and what is known of its labels."""

    column: str
    task: str
    why: str
    missing: int
    classes: int = 0
    counts: list[tuple[str, int]] = field(default_factory=list)  # most frequent first
    decimal: str = "point"
    view: View = ("", "")
    warnings: tuple[str, ...] = ()


def likely_target(columns: Sequence[Column]) -> str:
    """The column that is most likely to be predicted: by its name, else the last that can be."""
    types = [load_catalog().type_for(kind) for kind in PREDICTABLE]
    can = [c.name for c in columns if c.type in types and "shape" not in c.facts]
    named = {name.strip().lower(): name for name in can}
    told = [named[name] for name in NAMES if name in named]
    told += [name for name in can if name_words(name) & {"target", "label"}]
    return next(iter([*told, *reversed(can), columns[-1].name]))


def parse_target(text: str, table: Table) -> tuple[str, str]:
    """`price:regression` -> (price, regression); the task is empty where it is not said."""
    tasks = load_catalog().outputs
    column, colon, task = text.rpartition(":")
    if text not in table.columns and colon:
        if task in tasks and column in table.columns:
            return column, task
        if column in table.columns:
            raise DataError(f"--target {one_line(text)}: no task; {nearest(task, tasks)}")
    return known_column(text, table, "--target"), ""


def known_column(name: str, table: Table, flag: str) -> str:
    """The name of a column, or a DataError that names one that is like it."""
    if name in table.columns:
        return name
    close = nearest(name, table.columns)
    if not close.startswith("did you mean"):
        listed = ", ".join(map(one_line, table.columns[:12]))
        close = f"it has {listed}{' ...' if len(table.columns) > 12 else ''}"
    raise DataError(f"{flag} {one_line(name)}: no such column in {table.path}; {close}")


def find_target(table: Table, column: Column, said: str = "") -> Target:
    """Say what task a target is, from all its rows; `said` is the person's own word."""
    name, where = column.name, f"--target {one_line(column.name)}"
    if name in table.arrays and name not in table.native:
        raise DataError(f"{where}: the array has several values a row; a target has one")
    cell = pl.col(name).str.strip_chars().fill_null("")
    counted = table.all_rows(cell.alias("label").value_counts(sort=True)).unnest("label")
    counted, missing = _known(counted, TARGET_HOLES)
    numbers, decimal = numbers_of(counted["label"])
    amounts, _ = _known(counted, HOLES)
    if said == "regression" or (not said and _amounts(amounts)):
        counted, more = _known(counted, HOLES)
        numbers, decimal = numbers_of(counted["label"])
        missing += more
    elif said == "multilabel" or (not said and _joined(counted)):
        missing = 0  # an empty cell is a row without any label
    rows = int(counted["count"].sum())
    if not rows:
        raise DataError(f"{where}: no row has a value; choose another target")
    if rows < FEWEST_ROWS:
        raise DataError(f"{where}: {rows} rows have a value; {FEWEST_ROWS} are the fewest")
    if counted.height == 1:
        only = one_line(str(counted["label"][0]))
        raise DataError(f"{where}: every row has the same value '{only}'; there is none to predict")
    none = ("date", "time of day", "number with marks", "nested")
    if column.what in none and said != "multiclass":
        reason = (column.aside or column.why).partition(";")[0]
        timed = column.what in ("date", "time of day")
        hint = "make a number of it" if timed else "write plain numbers"
        raise DataError(f"{where}: {reason}; {hint}, or choose another target")
    task = said or _task(counted, rows, where)
    check = {"regression": _regression, "multilabel": _multilabel}.get(task, _classes)
    target = check(name, task, counted, numbers, where)
    return Target(
        **{**target, "column": name, "task": task, "missing": missing, "decimal": decimal}
    )


def _known(counted: pl.DataFrame, holes: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """The labels that are no holes, and how many rows have a hole."""
    hole = counted["label"].str.to_lowercase().is_in(holes)
    return counted.filter(~hole), int(counted["count"].filter(hole).sum())


def _amounts(counted: pl.DataFrame) -> bool:
    """Whether labels are numbers, and too many or too finely divided for classes."""
    numbers, _ = numbers_of(counted["label"])
    if counted.height <= 2 or numbers.null_count():
        return False
    whole = bool((numbers == numbers.round()).all())
    return not whole or counted.height > FEW_NUMBERS or _amount(counted, numbers)


def _task(counted: pl.DataFrame, rows: int, where: str) -> str:
    distinct = counted.height
    if distinct == 2:
        return "binary"
    if _amounts(counted):
        return "regression"
    if _joined(counted):
        return "multilabel"
    if distinct > MOST_CLASSES or (distinct > 0.5 * rows and distinct > FEW_NUMBERS):
        raise DataError(
            f"{where}: {distinct:,} different labels in {rows:,} rows; a class needs rows to learn"
            " from, so choose another target"
        )
    return "multiclass"


def _amount(counted: pl.DataFrame, numbers: pl.Series) -> bool:
    """Whether whole numbers are rather an amount: in a row, with one hill, and few far from it."""
    table = counted.with_columns(numbers.alias("number")).sort("number")
    steps = table["number"].diff().drop_nulls()
    counts = table["count"].to_list()
    top = counts.index(max(counts))
    downhill = [*counts[top::-1], 0], [*counts[top:], 0]
    rises = sum(max(0, after - now) for side in downhill for now, after in pairwise(side))
    hill = rises <= 0.005 * sum(counts)
    return len(counts) >= 6 and bool((steps == 1).all()) and hill and counts[top] > 3 * min(counts)


def _joined(counted: pl.DataFrame) -> bool:
    """Whether labels are several, joined by a bar, of which each occurs in more than one."""
    with_bar = counted.filter(counted["label"].str.contains("|", literal=True))
    if int(with_bar["count"].sum()) < 0.02 * int(counted["count"].sum()):
        return False
    parts = counted["label"].str.split("|").explode()
    return parts.n_unique() < len(parts)


Facts = dict[str, Any]


def _regression(
    name: str, task: str, counted: pl.DataFrame, numbers: pl.Series, where: str
) -> Facts:
    bad = counted.filter(numbers.is_null())
    if bad.height:
        example = one_line(str(bad["label"][0]))
        raise DataError(
            f"{where}: {int(bad['count'].sum()):,} cells are no numbers, such as '{example}';"
            " empty or mend them"
        )
    values = pl.Series(numbers).repeat_by(counted["count"].clip(upper_bound=50)).explode()
    why = f"numbers, {counted.height:,} different"
    if counted.height <= FEW_NUMBERS:
        why += f"; were they names of classes, say {name}:multiclass"
    return {"why": why, "view": histogram(values)}


def _classes(name: str, task: str, counted: pl.DataFrame, numbers: pl.Series, where: str) -> Facts:
    distinct, rows = counted.height, int(counted["count"].sum())
    if task == "binary" and distinct != 2:
        raise DataError(f"{where}: binary has two labels, here are {distinct:,}; say multiclass")
    if distinct > MOST_CLASSES * 100:
        raise DataError(f"{where}: {distinct:,} different labels; 100,000 are the most")
    counts = [(str(label), int(count)) for label, count in counted.iter_rows()]
    why = "two labels" if distinct == 2 else f"{distinct} labels"
    if task == "multiclass" and not numbers.null_count():
        why = f"{distinct} different whole numbers; were it an amount, say {name}:regression"
    warnings = []
    most, least = counts[0], counts[-1]
    if least[1] < 10:
        rare = [label for label, count in counts if count < 10]
        shown = ", ".join(map(one_line, rare[:3])) + (" ..." if len(rare) > 3 else "")
        warnings.append(
            f"{name}: {len(rare)} of {distinct} classes {'have' if len(rare) > 1 else 'has'} under"
            f" 10 rows ({shown}); too few to learn and to test"
        )
    if least[1] < 0.1 * most[1] and distinct <= 20:
        warnings.append(
            f"{name}: imbalanced: {one_line(most[0])} has {most[1] / rows:.0%} of the rows,"
            f" {one_line(least[0])} {least[1] / rows:.1%}; look at more than accuracy"
        )
    return {
        "why": why,
        "classes": distinct,
        "counts": counts[:100],
        "warnings": tuple(warnings),
        "view": bars(counts[:8], rows),
    }


def _multilabel(
    name: str, task: str, counted: pl.DataFrame, numbers: pl.Series, where: str
) -> Facts:
    rows = int(counted["count"].sum())
    parts = counted.with_columns(pl.col("label").str.split("|")).explode("label")
    parts = parts.with_columns(pl.col("label").str.strip_chars()).filter(pl.col("label") != "")
    parts = (
        parts.group_by("label").agg(pl.col("count").sum()).sort("count", "label", descending=True)
    )
    if parts.height > MOST_CLASSES:
        raise DataError(f"{where}: {parts.height:,} different labels; too many to learn each")
    counts = [(str(label), int(count)) for label, count in parts.iter_rows()]
    return {
        "why": f"{parts.height} labels, several a row joined by |",
        "classes": parts.height,
        "counts": counts[:100],
        "view": bars(counts[:8], rows),
    }


# Columns that give a target away


@dataclass(frozen=True)
class Leak:
    """A column from which a target follows: how well, in words."""

    column: str
    target: str
    how: str
    sure: bool = True  # else it only stands out among the others


def find_leaks(table: Table, columns: list[Column], target: Target) -> list[Leak]:
    """The columns from each of which, alone, the target follows on rows held out."""
    if target.task == "multilabel":
        return []
    frame = table.sample.drop(ROW)
    label = frame[target.column].str.strip_chars()
    frame = frame.filter(label.is_not_null() & ~label.str.to_lowercase().is_in(TARGET_HOLES))
    if frame.height < 30:
        return []
    label = frame[target.column].str.strip_chars()
    order = np.random.default_rng(SEED).permutation(frame.height)
    half = frame.height // 2
    parts = order[:half], order[half:]
    leaks, scores = [], {}
    for column in columns:
        if column.kind not in ("numbers", "labels", "flags") or column.name in table.arrays:
            continue
        cells = frame[column.name].str.strip_chars().fill_null("")
        numbers = _as_numbers(cells, column.facts.get("decimal", "point"))
        if target.task == "regression":
            truth = _as_numbers(label, target.decimal)
            if how := _tells_number(cells, numbers, truth, parts, column):
                leaks.append(Leak(column.name, target.column, how))
        else:
            scores[column.name] = _tells_class(cells, numbers, label, parts, column)
    return leaks + _standing_out(scores, target.column, frame.height)


def _standing_out(scores: dict[str, float], target: str, rows: int) -> list[Leak]:
    """Leaks among columns by the share of classes that each tells of rows held out."""
    leaks = []
    for column, score in scores.items():
        others = max((other for name, other in scores.items() if name != column), default=0.0)
        how = f"alone it tells {score:.1%} of the classes of rows held out"
        if score >= CLOSE and (rows >= 200 or score == 1):
            leaks.append(Leak(column, target, how))
        elif score >= 0.95 and rows >= 200 and 1 - score < 0.2 * (1 - others):
            leaks.append(Leak(column, target, f"{how}, the next best {others:.0%}", sure=False))
    return leaks


Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Parts = tuple[Codes, Codes]


def _as_numbers(cells: pl.Series, decimal: str) -> Numbers:
    numbers = pl.select(as_numbers(pl.lit(cells), decimal)).to_series()
    return numbers.to_numpy().astype("float64")


def _codes(cells: pl.Series) -> Codes:
    return cells.rank("dense").to_numpy().astype("int64") - 1


def _tells_class(
    cells: pl.Series, numbers: Numbers, label: pl.Series, parts: Parts, column: Column
) -> float:
    """How well the nearest value seen, or the same one, tells the class of rows held out."""
    learn, test = parts
    truth = _codes(label)
    classes = int(truth.max()) + 1
    seen = np.bincount(truth[test], minlength=classes)
    if classes > 200 or np.sort(seen)[::-1][1] < 5:
        return 0.0
    codes = _codes(cells)
    values = int(codes.max()) + 1
    if column.kind == "numbers" and values > 20:
        guess = _nearest(np.nan_to_num(numbers, nan=-1e300), truth, learn, test)
    elif values <= len(codes) / 4:
        table = np.zeros((values, classes))
        np.add.at(table, (codes[learn], truth[learn]), 1)
        guess = np.where(table.any(axis=1), table.argmax(axis=1), -1)[codes[test]]
    else:
        return 0.0
    right = np.bincount(truth[test][guess == truth[test]], minlength=classes)
    return float(np.mean(right[seen > 0] / seen[seen > 0]))


def _nearest(
    numbers: Numbers,
    truth: Codes,
    learn: Codes,
    test: Codes,
) -> Codes:
    order = learn[np.argsort(numbers[learn], kind="stable")]
    known = numbers[order]
    place = np.clip(np.searchsorted(known, numbers[test]), 1, len(known) - 1)
    left = numbers[test] - known[place - 1] < known[place] - numbers[test]
    return truth[order[np.where(left, place - 1, place)]]


def _tells_number(
    cells: pl.Series, numbers: Numbers, truth: Numbers, parts: Parts, column: Column
) -> str:
    both = np.isfinite(numbers) & np.isfinite(truth)
    if column.kind == "numbers" and both.mean() > 0.5 and len(np.unique(numbers[both])) > 10:
        first, second = (pl.Series(each[both]).rank().to_numpy() for each in (numbers, truth))
        rank = abs(float(np.corrcoef(first, second)[0, 1]))
        return f"its rank correlation with it is {rank:.4f}" if rank > SAME else ""
    learn, test = parts
    codes = _codes(cells)
    values = int(codes.max()) + 1
    if values > len(codes) / 5:
        return ""
    sums = np.bincount(codes[learn], truth[learn], minlength=values)
    counts = np.bincount(codes[learn], minlength=values)
    known = counts[codes[test]] > 0
    guess = (sums / np.maximum(counts, 1))[codes[test]]
    errors = (truth[test] - guess)[known]
    spread = truth[test][known].var() if known.any() else 0.0
    share = 1 - float(np.mean(errors**2)) / spread if spread else 0.0
    return "each of its values has one value of it" if share > SAME else ""


def find_sum(table: Table, columns: list[Column], target: Target) -> list[str]:
    """Two or three number columns whose weighted sum is the target, exactly; else none."""
    named = [c for c in columns if c.kind == "numbers" and c.name not in table.arrays][:200]
    if len(named) < 2:
        return []
    frame = table.sample
    truth = _as_numbers(frame[target.column].str.strip_chars(), target.decimal)
    values = np.stack([_numbers_of_column(table, column) for column in named], axis=1)
    whole = np.isfinite(values).all(axis=1) & np.isfinite(truth)
    values, truth = values[whole][:5000], truth[whole][:5000]
    if len(truth) < 10 * len(named) or not truth.std():
        return []
    spread = values.std(axis=0)
    values, truth = (
        (values - values.mean(axis=0)) / np.where(spread, spread, 1),
        truth - truth.mean(),
    )
    weights, *_ = np.linalg.lstsq(values, truth, rcond=None)
    error = truth - values @ weights
    if float(error.var()) > 1e-8 * float(truth.var()):
        return []
    telling = [
        c.name for c, weight in zip(named, weights, strict=True) if abs(weight) > 1e-3 * truth.std()
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
    truth = _as_numbers(table.sample[target.column].str.strip_chars(), target.decimal)
    known = np.isfinite(truth)
    for family in families.values():
        numbers = np.array([number for number, _ in family])
        middle = float(np.median(truth[known]))
        if not 4 <= len(family) <= 101 or not numbers.min() < middle < numbers.max():
            continue
        weights = np.stack([_numbers_of_column(table, column) for _, column in family], axis=1)
        weights = np.nan_to_num(weights)
        rows = known & (weights.sum(axis=1) > 0)
        if (weights < 0).any() or rows.sum() < 30 or not truth[rows].var():
            continue
        mean = weights[rows] @ numbers / weights[rows].sum(axis=1)
        explained = 1 - float((truth[rows] - mean).var() / truth[rows].var())
        if explained > MOSTLY:
            return [column.name for _, column in family], explained
    return [], 0.0


def _numbers_of_column(table: Table, column: Column) -> Numbers:
    cells = table.sample[column.name].str.strip_chars()
    return _as_numbers(cells, column.facts.get("decimal", "point"))
