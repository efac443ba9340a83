"""The manifest: a table with one row for each example.

Problems of rows are collected while reading, so that all invalid rows are listed at once.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SPLITS = ("train", "validation", "test")
# How people write that there is no value; in texts and categories only an empty cell is none.
MISSING_WORDS = {"", "-", "?", "<na>", "n/a", "na", "nan", "none", "null"}
TRUE_WORDS = {"true", "1", "yes", "y", "t"}


class DataError(Exception):
    """A problem of the data that its owner must fix; the message is one line."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row; a row that only lacks a target is unlabeled, not invalid."""

    row: int
    text: str
    unlabeled: bool = False


@dataclass
class Examples:
    """Raw values by input and output name, one entry for each row."""

    source: Path
    rows: np.ndarray  # the row's number in the manifest, from 1
    splits: np.ndarray  # train, validation or test; empty where not given
    values: dict[str, np.ndarray]
    others: dict[str, np.ndarray] = field(default_factory=dict)  # columns to split by
    problems: list[Problem] = field(default_factory=list)  # also of dropped rows

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: np.ndarray) -> Examples:
        """Keep the chosen rows: a mask or indices."""
        values = {name: array[chosen] for name, array in self.values.items()}
        others = {name: array[chosen] for name, array in self.others.items()}
        return Examples(self.source, self.rows[chosen], self.splits[chosen], values, others)


@dataclass
class Table:
    """A manifest as read, and the problems that its columns' readers found."""

    source: Path
    frame: pd.DataFrame
    outside: bool = False  # whether files may lie outside the manifest's folder
    problems: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.frame)

    def column(self, name: str) -> pd.Series[Any]:
        """Get one column; fails where the manifest lacks it."""
        if name not in self.frame.columns:
            has = ", ".join(map(str, self.frame.columns[:12]))
            raise DataError(f"{self.source}: no column {name!r}; it has {has}")
        return self.frame[name]

    def note(self, invalid: np.ndarray, name: str, text: str, unlabeled: bool = False) -> None:
        """Note the invalid rows of a column; {} in the text is replaced by the row's value."""
        values = self.frame[name]
        for index in np.flatnonzero(invalid):
            message = f"{name} {text}".replace("{}", repr(str(values.iloc[index])))
            self.problems.append(Problem(int(index) + 1, message, unlabeled))


# Opening


def open_table(path: Path, outside: bool = False) -> Table:
    """Open a manifest: CSV, TSV, Parquet, JSON Lines or Excel, by its suffix."""
    try:
        if path.suffix in (".csv", ".tsv", ".txt"):
            frame = read_csv(path)
        elif path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        elif path.suffix in (".jsonl", ".ndjson"):
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            frame = pd.DataFrame([json.loads(line) for line in lines if line.strip()])
        elif path.suffix == ".xlsx":
            frame = pd.read_excel(path, dtype=str, keep_default_na=False)
        else:
            known = ".csv, .tsv, .parquet, .jsonl, .xlsx or .npz"
            raise DataError(f"{path}: a manifest is a {known} file")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; `sample DIR` writes an example") from None
    except ImportError as error:
        raise DataError(f"{path}: a library is missing to read it: {error}") from None
    except (ValueError, OSError) as error:
        reason = str(error).strip().splitlines() or ["it is damaged"]
        raise DataError(f"{path}: cannot be read: {reason[0]}") from None
    if frame.empty:
        raise DataError(f"{path}: has no rows")
    return Table(path, frame, outside)


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file as text: 007 stays 007; encoding and delimiter are detected."""
    content = path.read_bytes()
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        head = content[: 1 << 16].decode(encoding, errors="ignore")
        content.decode(encoding)
    except UnicodeDecodeError:
        encoding, head = "cp1252", content[: 1 << 16].decode("cp1252", errors="replace")
    if "\0" in head:
        raise DataError(f"{path}: is not text; save it as CSV in UTF-8")
    delimiter = detect_delimiter(head.splitlines(keepends=True)[:50])
    return pd.read_csv(
        path, dtype=str, keep_default_na=False, encoding=encoding, delimiter=delimiter
    )


def detect_delimiter(lines: Sequence[str]) -> str:
    """Detect the delimiter: the one that splits all lines into the same, largest number of columns."""

    def fields(delimiter: str) -> int:
        counts = [len(row) for row in csv.reader(lines[:-1] or lines, delimiter=delimiter) if row]
        return counts[0] if len(set(counts)) == 1 else 0

    return max(",;\t|", key=fields)


# Columns


def is_missing(values: pd.Series[Any]) -> np.ndarray:
    """Find where a column has no value, (rows,)."""
    if pd.api.types.is_numeric_dtype(values):
        return values.isna().to_numpy()
    words = values.astype("string").fillna("").str.strip().str.lower()
    return words.isin(MISSING_WORDS).to_numpy(bool)


def split_column(table: Table) -> np.ndarray:
    """Read the column `split`, (rows,); empty strings where there is none."""
    if "split" not in table.frame.columns:
        return np.full(len(table), "", dtype=object)
    splits = table.frame["split"].astype("string").fillna("").str.strip().to_numpy(object)
    for row, split in enumerate(splits, start=1):
        if split not in SPLITS:
            place = f"{table.source}: row {row}"
            raise DataError(f"{place}: split is {split!r}; write train, validation or test")
    return splits


def number_columns(table: Table, columns: list[str]) -> np.ndarray:
    """Read number columns: float32 (rows, columns)."""
    numbers = np.empty((len(table), len(columns)), dtype="float32")
    for place, name in enumerate(columns):
        column = table.column(name)
        missing = is_missing(column)
        numbers[:, place] = parse_numbers(column.mask(missing))
        table.note(missing, name, "is missing")
        table.note(~missing & ~np.isfinite(numbers[:, place]), name, "is {}, not a number")
    return numbers


def parse_numbers(column: pd.Series[Any]) -> np.ndarray:
    """Parse numbers, also with commas between thousands: float32 (rows,), NaN where it is none."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy("float32", na_value=np.nan)
    text = column.astype("string").str.strip()
    grouped = text.str.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?").fillna(False)
    text = text.mask(grouped, text.str.replace(",", ""))
    numbers = pd.to_numeric(text, errors="coerce").to_numpy("float64", na_value=np.nan)
    with np.errstate(over="ignore"):
        return numbers.astype("float32")


def text_column(table: Table, name: str) -> np.ndarray:
    """Read a text column: strings, (rows,); an empty cell is an empty text."""
    values = table.column(name)
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")  # a column of 0 and 1 with a hole is read as 0.0 and 1.0
    return values.astype("string").fillna("").str.strip().to_numpy(object)


def label_column(table: Table, name: str) -> np.ndarray:
    """Read a column of labels: strings, (rows,)."""
    labels = text_column(table, name)
    # A class may well be called none.
    missing = is_missing(table.column(name)) & ~np.isin(labels, ["None", "none", "NONE", "-"])
    table.note(missing, name, "is missing", unlabeled=True)
    return labels


def file_column(table: Table, name: str) -> np.ndarray:
    """Read a column of paths, relative to the manifest: full paths, (rows,)."""
    folder = os.path.abspath(table.source if table.source.is_dir() else table.source.parent)
    missing = is_missing(table.column(name))
    paths = np.array(
        [os.path.normpath(os.path.join(folder, text)) for text in text_column(table, name)],
        dtype=object,
    )
    inside = np.array([path.startswith(folder + os.sep) for path in paths])
    away = ~missing & ~inside & (not table.outside)
    there = np.array([os.path.isfile(path) for path in paths])
    table.note(missing, name, "is missing")
    table.note(away, name, "is {}, outside the manifest's folder; --outside follows it")
    table.note(~missing & ~away & ~there, name, "is {}, and there is no such file")
    return np.where(missing, "", paths)


def parse_times(text: pd.Series[Any]) -> np.ndarray:
    """Parse dates in any common way of writing, also mixed: seconds since 1970, NaN for no date.

    Those without a zone are UTC. The column tells whether 03/04 is in March: by 31/12 or by 12/31.
    """
    text = text.astype("string").fillna("").str.strip()
    # Without a year, pandas would take 12:30 for today.
    text = text.where(text.str.contains(r"\d{4}|\d[-/. ]+\w+[-/., ]+\d\d"), "")
    days = text.str.match(r"(1[3-9]|2\d|3[01])[/.-]\d").sum()
    months = text.str.match(r"\d\d?[/.-](1[3-9]|2\d|3[01])\b").sum()
    moments = to_moments(text, False)
    if days > months:
        year_first = text.str.match(r"\d{4}").to_numpy(bool)
        moments = np.where(year_first, moments, to_moments(text, True))
    seconds = np.where(np.isnat(moments), np.nan, moments.astype("int64") / 1000)
    unix = text.where(text.str.fullmatch(r"\d{9,10}(\.\d+)?|\d{12,13}"), "")
    numbers = pd.to_numeric(unix, errors="coerce").to_numpy("float64", na_value=np.nan)
    numbers = np.where(numbers < 1e11, numbers, numbers / 1000)  # else milliseconds
    return np.where(np.isnan(numbers), seconds, numbers)


def to_moments(text: pd.Series[Any], day_first: bool) -> np.ndarray:
    """Parse dates with pandas: datetime64[ms], not a time where a text is no date."""
    times = pd.to_datetime(text, format="mixed", dayfirst=day_first, errors="coerce", utc=True)
    return times.to_numpy("datetime64[ms]")


# Invalid rows

MOST_LINES = 100  # of invalid rows, on the terminal


def drop_invalid_rows(examples: Examples, allowed: bool, listing: Path | None = None) -> Examples:
    """Drop the invalid rows if that is allowed, else fail; in both cases, list each of them.

    Unlabeled rows are always dropped: there is no target to train on or to compare with.
    """
    problems = sorted(examples.problems, key=lambda problem: problem.row)
    invalid = [problem for problem in problems if not problem.unlabeled]
    if listing and problems:
        listing.parent.mkdir(parents=True, exist_ok=True)
        lines = [{"row": problem.row, "problem": problem.text} for problem in problems]
        pd.DataFrame(lines).to_csv(listing, index=False)
    elif listing:
        listing.unlink(missing_ok=True)  # of a previous training in the same folder
    if invalid and not allowed:
        fail_at_invalid_rows(examples.source, invalid, listing)
    kept = ~np.isin(examples.rows, [problem.row for problem in problems])
    if kept.all():
        return examples
    if not kept.any():
        first = f"row {problems[0].row}: {problems[0].text}"
        raise DataError(f"{examples.source}: no valid row; {first}")
    where = f"; listed in {listing}" if listing else ""
    print(f"Dropped {(~kept).sum()} of {len(examples)} rows{where}", file=sys.stderr)
    valid = examples.take(kept)
    valid.problems = problems
    return valid


def fail_at_invalid_rows(source: Path, invalid: list[Problem], listing: Path | None) -> None:
    """Print the invalid rows, and fail with the first of them."""
    first = f"{source}: row {invalid[0].row}: {invalid[0].text}"
    if len(invalid) == 1:
        raise DataError(f"{first}; --drop-invalid-rows drops it")
    for problem in invalid[:MOST_LINES]:
        print(f"row {problem.row}: {problem.text}", file=sys.stderr)
    if len(invalid) > MOST_LINES:
        rest = f"... {len(invalid) - MOST_LINES} more"
        print(f"{rest}, all in {listing}" if listing else rest, file=sys.stderr)
    rows = len({problem.row for problem in invalid})
    raise DataError(f"{first}; {rows} invalid rows, --drop-invalid-rows drops them")
