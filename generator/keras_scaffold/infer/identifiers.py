"""Whole numbers that name something: row numbers, ids, telephone numbers. Decided by the values; a name adds to it."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from keras_scaffold.infer.cells import Cells, name_words

INDEX_NAMES = {"", "index", "rownames", "rowname", "row", "rowid", "rownum", "idx", "level_0"}
ID_WORDS = {"id", "ids", "uuid", "guid", "uid", "identifier"}
# Names of subjects with several rows each, which belong together.
PERSONS = {"subject", "patient", "participant", "respondent", "individual"}
# These may also stand in the name of an amount: "number of rooms".
NUMBERING_WORDS = {"key", "number", "num", "no", "nr"}
THINGS = "case|user|customer|client|order|product|item|patient|record|row|sample|session|account"
YEARS = (1500, 2200)
LONG = 9  # digits from which a number that is no date is rather a name
EXACT = 15  # digits that a float64 still tells apart
FEWEST_REPEATS = 12.0  # expected of a measure in whole numbers; by chance it has none once in e^12


def is_id_name(name: str) -> bool:
    """Whether a name is one of an id: user_id, PassengerId, index."""
    joined = re.search(rf"[a-z]I[Dd]$|(?i:{THINGS})[iI][dD]$", name)
    short = re.fullmatch(r"(?i)[pus]id|[pus]?id(num|no|nr)", name)
    known = name_words(name) & ID_WORDS or joined or short
    return bool(known) or is_person_name(name) or is_index_name(name)


def is_person_name(name: str) -> bool:
    """Whether a name is that of a person or a thing which several rows may be about."""
    return name.lower() in PERSONS


def is_index_name(name: str) -> bool:
    """Whether a name is one that libraries give to the numbers of rows."""
    return name.lower() in INDEX_NAMES or name.startswith("Unnamed: ")


def row_number(cells: Cells, numbers: pl.Series) -> tuple[float, str] | None:
    """How sure whole numbers count the rows, and why; None for others."""
    step = _step(cells, numbers)
    named = is_id_name(cells.name)
    low, high = float(numbers.to_numpy().min()), float(numbers.to_numpy().max())
    if abs(step) == 1 and low in (0, 1):
        return 0.99 if named else 0.98, "counts the rows"
    years = low >= YEARS[0] and high <= YEARS[1]
    if step and (named or (abs(step) == 1 and len(numbers) >= 20 and not years)):
        return 0.95 if named else 0.9, "goes up by one step from row to row"
    return None


def row_label(cells: Cells) -> tuple[float, str] | None:
    """How sure numbers with a point are labels of rows in two parts, as 1978.9, 1978.10 are."""
    if not is_index_name(cells.name) or len(cells.values) < 20:
        return None
    parts = cells.values.str.split_exact(".", 1).struct.unnest()
    whole = [parts[name].cast(pl.Int64, strict=False) for name in parts.columns]
    pairs = (whole[0] * 10**9 + whole[1]).diff().drop_nulls()
    numbers = cells.values.cast(pl.Float64, strict=False).diff().drop_nulls()
    # Labels without their last zero (1978.1 for 1978.10) go down: each tenth.
    if (numbers > 0).all() or int((pairs > 0).sum()) < 0.8 * len(cells.values):
        return None
    return 0.8, "numbers the rows in two parts, and an index by its name"


def _step(cells: Cells, numbers: pl.Series) -> float:
    """The step by which a number goes up with the row throughout; 0 without one."""
    if len(numbers) < 10:
        return 0.0
    rows = cells.at.cast(pl.Float64)
    steps = (numbers - numbers[0])[1:] / (rows - rows[0])[1:]
    return float(steps[0]) if (steps == steps[0]).all() else 0.0


def number_name(cells: Cells, numbers: pl.Series, distinct: int) -> tuple[float, str] | None:
    """How sure whole numbers name something, nearly each another, and why; None for amounts."""
    rows = len(numbers)
    low, high = float(numbers.to_numpy().min()), float(numbers.to_numpy().max())
    repeats = rows * rows / (2 * (high - low + 1))  # of a measure spread evenly over the range
    words = name_words(cells.name)
    years = low >= YEARS[0] and high <= YEARS[1]
    if distinct == rows and rows >= 10:
        numbered = bool(words & NUMBERING_WORDS) and (repeats >= 1 or low >= 10**6)
        if is_id_name(cells.name) or numbered:
            return 0.97, "another whole number in every row, and an id by its name"
        # A measure on a grid, such as a dose in steps of 5, repeats as little.
        if repeats >= FEWEST_REPEATS and not years and _common_step(numbers) == 1:
            return 0.8, f"whole numbers up to {high:.0f}, of which none repeats"
    if distinct > 0.9 * rows and rows >= 10 and max(low, -high) >= 10 ** (LONG - 1):
        return _long_number(cells)
    return None


def _common_step(numbers: pl.Series) -> int:
    """The largest step of which all differences are multiples."""
    return int(np.gcd.reduce(np.diff(numbers.cast(pl.Int64, strict=False).drop_nulls().to_numpy())))


def _long_number(cells: Cells) -> tuple[float, str] | None:
    """Long whole numbers of one length, which nobody rounded: amounts vary in size or end in zeros."""
    digits = cells.values.str.count_matches(r"\d").to_numpy()
    least, most = int(digits.min()), int(digits.max())
    if least > EXACT:
        return 0.95, f"whole numbers of {least} digits, more than a float can tell apart"
    plain = not cells.values.str.contains(r"[.,'’\s]").any()
    rounded = int(cells.values.str.ends_with("00").sum())
    if plain and most - least <= 1 and rounded < 0.1 * len(cells.values):
        return 0.85, f"whole numbers of {most} digits, nearly another in every row"
    return None
