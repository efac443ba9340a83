"""Target columns: the task of each, and its classes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from keras_scaffold.catalog import Task, load_catalog
from keras_scaffold.infer.cells import (
    TARGET_HOLES,
    Column,
    View,
    as_numbers,
    bars,
    histogram,
    is_hole,
    name_words,
    parse_number,
)
from keras_scaffold.infer.tables import DataError, Table
from keras_scaffold.spec import Given, SpecError, complete_output, nearest, one_line
from keras_scaffold.spec.notation import parse_size

FEW_NUMBERS = 20  # different whole numbers are classes, more an amount
MOST_CLASSES = 1000
FEWEST_AMOUNTS = 7  # different numbers with gaps
FEWEST_ROWS = 3  # to train, to validate, to test
SEPARATORS = ("|", ";", ",", " ")
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
    view: View = ("", "")
    warnings: tuple[str, ...] = ()
    separator: str = ""  # of several labels in a cell
    ignore_case: bool = False  # whether a person wants spellings of a label to be one
    stated: Given = field(default_factory=dict)  # the classes or levels that a person gave

    @property
    def numbers(self) -> bool:
        """Whether it is predicted as a number."""
        return load_catalog().outputs[self.task].numbers


def likely_target(columns: Sequence[Column]) -> str:
    """The column that is most likely to be predicted: by its name, else the last that can be."""
    types = [load_catalog().type_for(kind) for kind in PREDICTABLE]
    can = [c.name for c in columns if c.type in types and "shape" not in c.facts]
    named = {name.strip().lower(): name for name in can}
    likely = [named[name] for name in NAMES if name in named]
    likely += [name for name in can if name_words(name) & {"target", "label"}]
    return next(iter([*likely, *reversed(can), columns[-1].name]))


class Chosen(NamedTuple):
    """A target as a person names it; what is not given is empty."""

    column: str
    task: str = ""
    size: str = ""


def parse_target(text: str, table: Table) -> Chosen:
    """`price:regression` -> (price, regression, ""), `size:ordinal:s,m,l` -> (size, ordinal, s,m,l)."""
    tasks = load_catalog().outputs
    parts = [] if text in table.columns else text.split(":")
    for place in range(len(parts) - 1, 0, -1):  # the name of a column may have colons
        column = ":".join(parts[:place])
        if column in table.columns:
            task, _, size = ":".join(parts[place:]).partition(":")
            if task not in tasks:
                raise DataError(f"--target {one_line(text)}: no task; {nearest(task, tasks)}")
            return Chosen(column, task, size)
    return Chosen(known_column(text, table, "--target"))


def known_column(name: str, table: Table, flag: str) -> str:
    """The name of a column, or a DataError that names one that is like it."""
    if name in table.columns:
        return name
    close = nearest(name, table.columns)
    if not close.startswith("did you mean"):
        listed = ", ".join(map(one_line, table.columns[:12]))
        close = f"it has {listed}{' ...' if len(table.columns) > 12 else ''}"
    raise DataError(f"{flag} {one_line(name)}: no such column in {table.path}; {close}")


def ordered_words(task: Task, target: Target) -> str:
    """The labels of a target where the task wants their order and they are words: `low,mid,high`."""
    labels = [label for label, _ in target.counts]
    ordered = isinstance(task.size, str) and task.fields[task.size].kind == "names"
    words = None in map(parse_number, labels) and not any("," in label for label in labels)
    return ",".join(labels) if ordered and words else ""


def find_target(
    table: Table, column: Column, chosen: str = "", size: str = "", *, ignore_case: bool = False
) -> Target:
    """The task of a target, from all its rows, or as it was `chosen`, with the `size` that is given."""
    name, where = column.name, f"--target {one_line(column.name)}"
    tasks = load_catalog().outputs
    if name in table.arrays and name not in table.native:
        raise DataError(f"{where}: the array has several values a row; a target has one")
    cell = _as_label(pl.col(name), ignore_case)
    counted = table.all_rows(cell.alias("label").value_counts(sort=True)).unnest("label")
    label = pl.col("label")
    counted, missing = _without(counted, label.str.to_lowercase().is_in(TARGET_HOLES))
    counted = counted.with_columns(
        as_numbers(label, table.notation_of(name), name, codes=False).alias("number")
    )
    amounts, more = _without(counted, is_hole(label, table.notation_of(name), name))
    if tasks[chosen].numbers if chosen else _amounts(amounts):
        counted = amounts
        missing += more
    elif chosen == "multilabel" or (not chosen and counted.height > 2 and _separator(counted)):
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
    if column.what in none and chosen != "multiclass":
        reason = (column.aside or column.why).partition(";")[0]
        timed = column.what in ("date", "time of day")
        hint = "make a number of it" if timed else "write plain numbers"
        raise DataError(f"{where}: {reason}; {hint}, or choose another target")
    task = chosen or _task(counted, rows, where)
    check = _numbers if tasks[task].numbers else _multilabel if task == "multilabel" else _classes
    target = check(name, task, counted, counted["number"], where)
    if ignore_case and "ignore_case" not in tasks[task].fields:
        raise DataError(
            f"--ignore-case {one_line(name)}: is {task}; only single labels have a case"
        )
    labels = [label for label, _ in target.get("counts", [])]
    stated = _stated(tasks[task], size, labels, ignore_case, where) if size else {}
    known = {"column": name, "task": task, "missing": missing, "ignore_case": ignore_case}
    return Target(**{**target, **known, "stated": stated})


def _as_label(cell: pl.Expr, ignore_case: bool) -> pl.Expr:
    """Cells in the form in which a project reads labels: 1.0 is 1, True is true."""
    cell = cell.str.strip_chars().fill_null("").str.replace(r"^(-?[0-9]+)\.0+$", "${1}")
    lower = cell.str.to_lowercase()
    if ignore_case:
        cell = lower.str.replace_all(r"\s+", " ")
    return pl.when(lower.is_in(["true", "false"])).then(lower).otherwise(cell)


def _stated(task: Task, size: str, labels: list[str], ignore_case: bool, where: str) -> Given:
    """The classes or levels that a person gave; DataError where they do not fit the labels."""
    place = f"{where}:{task.name}"
    try:
        stated = parse_size(task, size, place)
        complete_output({"name": "y", "task": task.name, **stated}, place)
    except SpecError as error:
        raise DataError(str(error)) from None
    if task.numbers:
        return stated
    ((key, classes),) = stated.items()
    if isinstance(classes, int):
        raise DataError(f"{place}: the data has the number of {key}; leave ':{classes}' out")
    classes = pl.select(_as_label(pl.lit(pl.Series(classes)), ignore_case)).to_series().to_list()
    unknown = [label for label in labels if label not in classes]
    if unknown:
        listed = ", ".join(map(one_line, unknown[:3]))
        comma = any("," in label for label in unknown)
        repair = "a class with a comma is named in the spec" if comma else "add it"
        raise DataError(f"{place}: rows have {listed}, which {one_line(size)} lacks; {repair}")
    return {key: classes}


def _without(counted: pl.DataFrame, hole: pl.Expr) -> tuple[pl.DataFrame, int]:
    """The labels that are no holes, and how many rows have a hole."""
    return counted.filter(~hole), int(counted.filter(hole)["count"].sum())


def _amounts(counted: pl.DataFrame) -> bool:
    """Whether labels are numbers, and too many or too finely divided for classes."""
    numbers = counted["number"]
    if counted.height <= 2 or numbers.null_count():
        return False
    whole = bool((numbers == numbers.round()).all())
    return not whole or counted.height > FEW_NUMBERS or _amount(counted) or _long_tail(counted)


def _task(counted: pl.DataFrame, rows: int, where: str) -> str:
    distinct = counted.height
    if distinct == 2:
        return "binary"
    if _amounts(counted):
        return "regression"
    if _separator(counted):
        return "multilabel"
    if distinct > MOST_CLASSES or (distinct > 0.5 * rows and distinct > FEW_NUMBERS):
        raise DataError(
            f"{where}: {distinct:,} different labels in {rows:,} rows; a class needs rows to learn"
            " from, so choose another target"
        )
    return "multiclass"


def _amount(counted: pl.DataFrame) -> bool:
    """Whether whole numbers are rather an amount: in a row, with one hill, and few far from it."""
    table = counted.sort("number")
    steps = table["number"].diff().drop_nulls()
    counts = table["count"].to_list()
    top = counts.index(max(counts))
    downhill = [*counts[top::-1], 0], [*counts[top:], 0]
    rises = sum(max(0, after - now) for side in downhill for now, after in pairwise(side))
    hill = rises <= 0.005 * sum(counts)
    return len(counts) >= 6 and bool((steps == 1).all()) and hill and counts[top] > 3 * min(counts)


def _long_tail(counted: pl.DataFrame) -> bool:
    """Whether whole numbers are amounts by their gaps: close at first, then ever farther and rarer."""
    table = counted.sort("number")
    if table.height < FEWEST_AMOUNTS:
        return False
    steps = table["number"].diff().drop_nulls().to_numpy()
    counts = table["count"].to_numpy()
    half = len(steps) // 2
    widens = (
        steps[:half].max() <= steps[half:].min() or np.median(steps[half:]) > steps[:half].mean()
    )
    gaps = np.unique(steps[steps > steps.min()])
    tail = counts[len(counts) // 2 :].sum() < 0.5 * counts.sum()
    far = steps[half:].sum() > 2 * steps[:half].sum()
    return bool(widens and len(gaps) >= 2 and tail and far)


def _separator(counted: pl.DataFrame) -> str:
    """The character that joins several labels in a cell; empty where each cell has one label."""
    return next((mark for mark in SEPARATORS if _joins(counted, mark)), "")


def _joins(counted: pl.DataFrame, mark: str) -> bool:
    """Whether labels are several, joined by a mark, of which each occurs in more than one."""
    marked = counted.filter(counted["label"].str.contains(mark, literal=True))
    if int(marked["count"].sum()) < 0.02 * int(counted["count"].sum()):
        return False
    cells = counted["label"].str.split(mark).list.eval(pl.element().str.strip_chars())
    parts = cells.explode().alias("part")
    if mark == "|":
        return parts.n_unique() < len(parts)
    # Others also stand in the names of classes: "New York", "Paris, France".
    alone = cells.filter(cells.list.len() == 1).explode().n_unique()
    times = parts.value_counts()["count"]
    several = int((times > 1).sum()) >= 0.5 * len(times)
    return (
        len(times) < counted.height
        and several
        and alone >= (0.5 * len(times) if mark == " " else 0)
    )


Facts = dict[str, Any]


def _numbers(name: str, task: str, counted: pl.DataFrame, numbers: pl.Series, where: str) -> Facts:
    wrong, what = numbers.is_null(), "numbers"
    if task == "count":
        wrong, what = wrong | (numbers < 0) | (numbers != numbers.round()), "whole numbers from 0"
    bad = counted.filter(wrong)
    if bad.height:
        example = one_line(str(bad["label"][0]))
        raise DataError(
            f"{where}: {int(bad['count'].sum()):,} cells are no {what}, such as '{example}';"
            " empty or fix them"
        )
    values = pl.Series(numbers).repeat_by(counted["count"].clip(upper_bound=50)).explode()
    why = f"numbers, {counted.height:,} different"
    if counted.height <= FEW_NUMBERS:
        why += f"; if they name classes, use {name}:multiclass"
    return {"why": why, "view": histogram(values)}


def _classes(name: str, task: str, counted: pl.DataFrame, numbers: pl.Series, where: str) -> Facts:
    distinct, rows = counted.height, int(counted["count"].sum())
    if task == "binary" and distinct != 2:
        raise DataError(f"{where}: binary has two labels, here are {distinct:,}; use multiclass")
    if distinct > MOST_CLASSES * 100:
        raise DataError(f"{where}: {distinct:,} different labels; 100,000 are the most")
    counts = [(str(row["label"]), int(row["count"])) for row in counted.iter_rows(named=True)]
    why = "two labels" if distinct == 2 else f"{distinct} labels"
    if task == "multiclass" and not numbers.null_count():
        why = f"{distinct} different whole numbers; if it is an amount, use {name}:regression"
    hint = f", or --ignore-case {shlex.quote(name)}"
    warnings = [*spelling_warnings(name, [label for label, _ in counts], hint)]
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
    mark = _separator(counted) or _most_frequent(counted)
    parts = counted.with_columns(pl.col("label").str.split(mark)).explode("label")
    parts = parts.with_columns(pl.col("label").str.strip_chars()).filter(pl.col("label") != "")
    parts = (
        parts.group_by("label").agg(pl.col("count").sum()).sort("count", "label", descending=True)
    )
    if parts.height > MOST_CLASSES:
        raise DataError(f"{where}: {parts.height:,} different labels; too many to learn each")
    counts = [(str(label), int(count)) for label, count in parts.iter_rows()]
    return {
        "why": f"{parts.height} labels, several a row joined by {'spaces' if mark == ' ' else mark}",
        "classes": parts.height,
        "separator": mark,
        "warnings": spelling_warnings(name, [label for label, _ in counts]),
        "counts": counts[:100],
        "view": bars(counts[:8], rows),
    }


def _most_frequent(counted: pl.DataFrame) -> str:
    """The separator that most labels have; a bar without any."""
    labels = counted["label"]
    counts = {mark: int(labels.str.contains(mark, literal=True).sum()) for mark in SEPARATORS}
    return max(counts, key=lambda mark: counts[mark])


def spelling_warnings(column: str, labels: Sequence[str], hint: str = "") -> tuple[str, ...]:
    """A warning where labels differ in upper and lower case or in spaces alone: yes, Yes, YES."""
    spellings: dict[str, list[str]] = {}
    for label in labels:
        spellings.setdefault(" ".join(label.split()).casefold(), []).append(label)
    several = [alike for alike in spellings.values() if len(alike) > 1]
    if not several:
        return ()
    shown = "; ".join(", ".join(map(one_line, alike[:4])) for alike in several[:3])
    more = " ..." if len(several) > 3 else ""
    return (
        f"{column}: differ in case or spaces alone: {shown}{more}; each spelling counts as a label of"
        f" its own, so write one{hint}",
    )
