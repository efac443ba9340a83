"""The manifest: a table with one row for each example, and the split of its rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

SPLITS = ("train", "validation", "test")
TRUE_WORDS = {"true", "1", "yes", "y", "t"}


class DataError(Exception):
    """Something in the data that a person must mend; the text is one line."""


@dataclass
class Examples:
    """Raw values by input and output name, one entry for each row."""

    source: Path
    rows: np.ndarray  # the row's number in the manifest, from 1
    splits: np.ndarray  # train, validation or test; empty strings where nobody said
    values: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: np.ndarray) -> Examples:
        """Keep the chosen rows: a mask or indices."""
        values = {name: array[chosen] for name, array in self.values.items()}
        return Examples(self.source, self.rows[chosen], self.splits[chosen], values)


def open_table(path: Path) -> pd.DataFrame:
    """Open a manifest: CSV, Parquet or JSON Lines, told by its suffix."""
    try:
        if path.suffix == ".csv":
            # Text as it stands: 007 stays 007 and NA may be a country.
            table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        elif path.suffix == ".parquet":
            table = pd.read_parquet(path)
        elif path.suffix in (".jsonl", ".ndjson"):
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            table = pd.DataFrame([json.loads(line) for line in lines if line.strip()])
        else:
            raise DataError(f"{path}: a manifest is a .csv, .parquet, .jsonl or .npz file")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; `sample DIR` writes an example") from None
    except ImportError:
        raise DataError(f"{path}: Parquet files need pyarrow: pip install pyarrow") from None
    except (ValueError, OSError) as error:
        reason = str(error).strip().splitlines() or ["it is damaged"]
        raise DataError(f"{path}: cannot be read: {reason[0]}") from None
    if table.empty:
        raise DataError(f"{path}: has no rows")
    table.attrs["source"] = str(path)
    return table


def require_columns(table: pd.DataFrame, columns: list[str]) -> None:
    """Fail where the manifest lacks a column."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        has = ", ".join(map(str, table.columns[:12]))
        raise DataError(f"{table.attrs['source']}: no column {missing[0]!r}; it has {has}")


def split_column(table: pd.DataFrame) -> np.ndarray:
    """Read the column `split`, (rows,); empty strings where there is none."""
    if "split" not in table.columns:
        return np.full(len(table), "", dtype=object)
    splits = table["split"].astype("string").fillna("").str.strip().to_numpy(object)
    for row, split in enumerate(splits, start=1):
        if split not in SPLITS:
            place = f"{table.attrs['source']}: row {row}"
            raise DataError(f"{place}: split is {split!r}; write train, validation or test")
    return splits


def number_columns(table: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Read number columns: float32 (rows, columns)."""
    require_columns(table, columns)
    numbers = table[columns].apply(pd.to_numeric, errors="coerce").to_numpy("float32")
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        row, column = bad[0]
        value = table[columns[column]].iloc[row]
        place = f"{table.attrs['source']}: row {row + 1}: {columns[column]}"
        raise DataError(f"{place} is {str(value)!r}, not a number")
    return numbers


def text_column(table: pd.DataFrame, column: str) -> np.ndarray:
    """Read a text column: strings, (rows,); an empty cell is an empty text."""
    require_columns(table, [column])
    values = table[column]
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")  # a column of 0 and 1 with a hole is read as 0.0 and 1.0
    return values.astype("string").fillna("").str.strip().to_numpy(object)


def label_column(table: pd.DataFrame, column: str) -> np.ndarray:
    """Read a column of labels: strings, (rows,); none may be empty."""
    labels = text_column(table, column)
    for row, label in enumerate(labels, start=1):
        if not label:
            raise DataError(f"{table.attrs['source']}: row {row}: {column} is empty")
    return labels


def file_column(table: pd.DataFrame, column: str) -> np.ndarray:
    """Read a column of paths, relative to the manifest's folder: full paths, (rows,)."""
    folder = Path(table.attrs["source"]).parent
    paths = [folder / name for name in text_column(table, column)]
    for row, path in enumerate(paths, start=1):
        if not path.is_file():
            place = f"{table.attrs['source']}: row {row}: {column}"
            raise DataError(f"{place}: no such file: {path}")
    return np.array([str(path) for path in paths], dtype=object)


def split_examples(examples: Examples, split: str, seed: int) -> Examples:
    """Take the rows of one split; without a column `split`, 80/10/10 drawn with the seed."""
    if split == "all":
        return examples
    splits = examples.splits
    if not splits.astype(bool).any():
        held = max(1, len(examples) // 10)
        splits = np.full(len(examples), "train", dtype=object)
        order = np.random.default_rng(seed).permutation(len(examples))
        splits[order[:held]] = "test"
        splits[order[held : 2 * held]] = "validation"
    chosen = splits == split
    if not chosen.any():
        raise DataError(f"{examples.source}: no rows in the split {split}")
    return examples.take(chosen)
