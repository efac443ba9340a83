"""The manifest: a table with one row for each example, and the split of each row.

Problems of rows are collected while reading, so that all invalid rows are listed at once.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold

SPLITS = ["train", "validation", "test"]


class DataError(Exception):
    """A problem of the data that its owner must fix; the message is one line."""


@dataclass
class Examples:
    """The rows of a manifest, and their raw values by input and output name."""

    source: Path
    frame: pd.DataFrame  # as read; its index is the row's number in the manifest, from 1
    values: dict[str, np.ndarray] = field(default_factory=dict)
    # A row's number, what is wrong, and whether it only lacks a target; also of dropped rows.
    problems: list[tuple[int, str, bool]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def sha256(self) -> str:
        """Hash the manifest's content."""
        return hashlib.sha256(self.source.read_bytes()).hexdigest()

    def column(self, name: str) -> pd.Series[Any]:
        """Get a column of the manifest; fails where it has none of the name."""
        if name not in self.frame.columns:
            has = ", ".join(map(str, self.frame.columns[:12]))
            raise DataError(f"{self.source}: no column {name!r}; it has {has}")
        return self.frame[name]

    def note(self, bad: Any, name: str, text: str, cells: Any = (), target: bool = False) -> None:
        """Note the rows of a mask as invalid, or unlabeled; {} in the text becomes the row's cell."""
        for index in np.flatnonzero(bad):
            shown = text.replace("{}", repr(str(cells[index]))) if len(cells) else text
            self.problems.append((int(self.frame.index[index]), f"{name} {shown}", target))

    def take(self, chosen: np.ndarray | slice) -> Examples:
        """Keep the chosen rows: a mask, indices or a slice."""
        values = {name: array[chosen] for name, array in self.values.items()}
        return Examples(self.source, self.frame.iloc[chosen].copy(), values)

    def split(self, name: str) -> Examples:
        """Keep the rows of one split."""
        chosen = self.column("split").to_numpy() == name
        if not chosen.any():
            raise DataError(f"{self.source}: no rows in the split {name}")
        return self.take(chosen)


def open_manifest(path: Path) -> Examples:
    """Open a manifest by its suffix: Parquet, JSON Lines, Excel or CSV."""
    try:
        if path.suffix.lower() == ".parquet":
            frame = pd.read_parquet(path)
        elif path.suffix.lower() == ".jsonl":
            frame = pd.read_json(path, lines=True, dtype=False, convert_dates=False)
        elif path.suffix.lower() == ".xlsx":
            frame = pd.read_excel(path, dtype=str, keep_default_na=False)
        else:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; `sample DIR` writes an example") from None
    except (ImportError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines() or ["it is damaged"]
        raise DataError(f"{path}: cannot be read: {reason[0]}") from None
    if frame.empty:
        raise DataError(f"{path}: has no rows")
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return Examples(path, frame)


def drop_invalid_rows(examples: Examples, allowed: bool, listing: Path | None = None) -> Examples:
    """Drop the unlabeled rows, and the invalid ones if that is allowed, else fail; list each."""
    problems = sorted(examples.problems)
    invalid = [(row, problem) for row, problem, unlabeled in problems if not unlabeled]
    where = f", listed in {listing}" if listing else ""
    if listing:
        listing.unlink(missing_ok=True)  # of a previous training
    if listing and problems:
        listing.parent.mkdir(parents=True, exist_ok=True)
        listed = pd.DataFrame([problem[:2] for problem in problems], columns=["row", "problem"])
        listed.to_csv(listing, index=False)
    if invalid and not allowed:
        for row, problem in invalid[:100] if len(invalid) > 1 else []:
            print(f"row {row}: {problem}", file=sys.stderr)
        first = f"{examples.source}: row {invalid[0][0]}: {invalid[0][1]}"
        rows = f"{len({row for row, _ in invalid})} invalid rows{where}"
        raise DataError(f"{first}; {rows}, --drop-invalid-rows drops them")
    kept = ~examples.frame.index.isin([row for row, *_ in problems])
    if not kept.any():
        raise DataError(f"{examples.source}: no valid row; row {problems[0][0]}: {problems[0][1]}")
    if not kept.all():
        print(f"Dropped {(~kept).sum()} of {len(kept)} rows{where}", file=sys.stderr)
    valid = examples.take(kept)
    valid.problems = problems
    return valid


def draw_folds(examples: Examples, seed: int) -> np.ndarray:
    """Draw ten folds, (rows,): equally many rows in each, and equally many of each label."""
    labels = examples.values["label"]
    kind = StratifiedKFold if pd.Series(labels).value_counts().max() >= 10 else KFold
    folds = np.zeros(len(examples), int)
    if len(examples) > 1:
        splitter = kind(min(10, len(examples)), shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of labels with fewer rows than folds
            for fold, (_, rows) in enumerate(splitter.split(folds, labels)):
                folds[rows] = fold
        rare = pd.Series(folds).groupby(labels).transform("max") < 2
        folds[rare] = 2  # else no row of such a label would be trained on
    return folds


def assign_splits(examples: Examples, seed: int, draw: Any = draw_folds) -> pd.Series[Any]:
    """Assign each row to a split: of ten folds that `draw` makes, one tests and one validates.

    A column `split` is honored; where no row of it validates, a tenth of its training rows does.
    """
    if "split" not in examples.frame:
        folds = draw(examples, seed)
        splits = np.select([folds == 0, folds == 1], ["test", "validation"], "train")
        return pd.Series(splits, examples.frame.index)
    given = examples.frame["split"].astype("string").fillna("").str.strip()
    unknown = given[~given.isin(SPLITS)]
    if len(unknown):
        place = f"{examples.source}: row {unknown.index[0]}"
        raise DataError(f"{place}: split is {unknown.iloc[0]!r}; write train, validation or test")
    training = (given == "train").to_numpy(bool)
    if training.any() and not (given == "validation").any():
        folds = draw(examples.take(training), seed)
        given[training] = np.where(folds == 0, "validation", "train")
    return given


def load_splits(run: Path, examples: Examples) -> pd.Series[Any] | None:
    """Load the split of each row in a run; None if it was trained on another manifest."""
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    if about["sha256"] != examples.sha256:
        return None
    splits = pd.read_csv(run / "splits.csv", index_col="row", keep_default_na=False)["split"]
    if len(splits) != sum(about["rows"].values()):
        raise DataError(f"{run}: splits.csv is damaged; train again")
    return splits.reindex(examples.frame.index, fill_value="")
