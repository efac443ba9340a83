"""The splits: which rows train, which validate and which test; saved in the run.

A column `split` of the manifest is honored. Without one, a tenth of the rows validates and a
tenth tests: at random within each class, or whole groups at random, or the latest in time.
What `--group` and `--time` ask for must hold in given splits too.
"""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seed_two_lstms.manifest import (
    SPLITS,
    DataError,
    Examples,
    parse_times,
)


def assign_splits(
    examples: Examples,
    seed: int,
    strata: np.ndarray | None = None,
    group: str | None = None,
    time: str | None = None,
) -> np.ndarray:
    """Assign each row to train, validation or test, (rows,).

    `strata` are labels of which each split gets an equal share. All rows of a `group` are in one
    split. By `time`, the latest rows test and the earliest train.
    """
    if group and time:
        raise DataError("give --group or --time, not both")
    if not examples.splits.astype(bool).any():
        return assign_tenths(examples, seed, strata, group, time)
    if group:
        check_groups(examples, group)
    if time:
        check_times(examples, time)
    splits = examples.splits.copy()
    if not (splits == "validation").any():
        training = np.flatnonzero(splits == "train")
        rest, labels = examples.take(training), None if strata is None else strata[training]
        splits[training] = assign_tenths(rest, seed, labels, group, time, tests=False)
    return splits


def assign_tenths(
    examples: Examples,
    seed: int,
    strata: np.ndarray | None,
    group: str | None,
    time: str | None,
    tests: bool = True,
) -> np.ndarray:
    """Assign a tenth of the rows to validation and a tenth to test, (rows,)."""
    if group:
        groups, place = np.unique(examples.others[group].astype(str), return_inverse=True)
        return in_tenths(len(groups), seed, tests=tests)[place]
    if time:
        moments, place = np.unique(as_times(examples, time), return_inverse=True)
        share = np.cumsum(np.bincount(place, minlength=len(moments))) / len(examples)
        bounds = [0.8 + 1e-9, 0.9 + 1e-9] if tests else [0.9 + 1e-9]
        return np.array(SPLITS, dtype=object)[np.digitize(share, bounds)][place]
    return in_tenths(len(examples), seed, strata, tests)


def check_groups(examples: Examples, column: str) -> None:
    """Fail where a group stands in two of the given splits."""
    first: dict[str, tuple[int, str]] = {}
    groups = examples.others[column].astype(str).tolist()
    for row, split, group in zip(examples.rows, examples.splits, groups, strict=True):
        before, other = first.setdefault(group, (row, split))
        if other != split:
            raise DataError(
                f"{examples.source}: row {row}: {column} {group!r} is in the split {split}, but in"
                f" row {before} in {other}; fix the column split, or train without --group"
            )


def check_times(examples: Examples, column: str) -> None:
    """Fail where a given split begins before the one ends that should come before it."""
    times, texts = as_times(examples, column), examples.others[column].astype(str).tolist()
    given = [split for split in SPLITS if (examples.splits == split).any()]
    for earlier, later in pairwise(given):
        before, after = (np.flatnonzero(examples.splits == split) for split in (earlier, later))
        last, first = before[times[before].argmax()], after[times[after].argmin()]
        if times[last] > times[first]:
            raise DataError(
                f"{examples.source}: row {examples.rows[first]}: {column} {texts[first]!r} is in the"
                f" split {later}, but row {examples.rows[last]} in {earlier} is later,"
                f" {texts[last]!r}; fix the column split, or train without --time"
            )


def in_tenths(
    count: int, seed: int, strata: np.ndarray | None = None, tests: bool = True
) -> np.ndarray:
    """Assign a tenth of each stratum to validation and a tenth to test; small ones to train first."""
    order = np.random.default_rng(seed).permutation(count)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
        _, first, sizes = np.unique(strata[order], return_index=True, return_counts=True)
        place = np.arange(count) - np.repeat(first, sizes)
    else:
        place = np.arange(count)
    splits = np.full(count, "train", dtype=object)
    splits[order[place % 10 == 1]] = "validation"
    if tests:
        splits[order[place % 10 == 2]] = "test"
    return splits


def as_times(examples: Examples, column: str) -> np.ndarray:
    """Read the column of --time: numbers, or dates in any common notation, also mixed."""
    text = pd.Series(examples.others[column].astype(str))
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers.notna().all():
        return numbers.to_numpy()
    times = parse_times(text)
    if np.isnan(times).any():
        index = int(np.isnan(times).argmax())
        place = f"{examples.source}: row {examples.rows[index]}: {column}"
        raise DataError(f"{place} is {text[index]!r}, neither a date nor a number")
    return times


def select_split(examples: Examples, splits: np.ndarray, split: str) -> Examples:
    """Select the rows of one split, or all."""
    chosen = np.full(len(examples), True) if split == "all" else splits == split
    if not chosen.any():
        raise DataError(f"{examples.source}: no rows in the split {split}")
    return examples.take(chosen)


def fingerprint(path: Path) -> str:
    """Hash a manifest's content, or the names of the files in a folder."""
    if path.is_dir():
        content = "\n".join(sorted(map(str, path.glob("*/*")))).encode()
    else:
        content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def save_splits(path: Path, examples: Examples, splits: np.ndarray) -> None:
    """Save the split of every row, so that evaluation selects the same rows."""
    table = pd.DataFrame({"row": examples.rows, "split": splits})
    table.to_csv(path, index=False)
    about = {"manifest": str(examples.source.resolve()), "sha256": fingerprint(examples.source)}
    path.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def load_splits(path: Path, examples: Examples) -> np.ndarray | None:
    """Load what `save_splits` wrote, (rows,); None if the manifest is another one."""
    about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if about["sha256"] != fingerprint(examples.source):
        return None
    return read_split_table(path).reindex(examples.rows, fill_value="").to_numpy(object)


def read_split_table(path: Path) -> pd.Series[Any]:
    """Read the split of every row of a run, by the row's number."""
    table = pd.read_csv(path, dtype={"split": str}, keep_default_na=False)
    return table.set_index("row")["split"]
