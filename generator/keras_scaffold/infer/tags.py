"""Columns of tags, such as `rock|pop|indie`: which character joins them."""

from __future__ import annotations

import polars as pl

MARKS = ("|", ";", ",")
JOINED = 0.2  # of the cells have several tags
CLEAR = "|"  # stands in no other text
TIMES = 3  # that a tag occurs in the mean
ALONE = 0.5  # of the tags, by occurrence, are at more than one place of a cell
WORDS = 3  # of a tag, in the mean


def split(values: pl.Series, mark: str) -> pl.Series:
    """The tags of each cell, without empty ones."""
    tags = values.str.split(mark).list.eval(pl.element().str.strip_chars())
    return tags.list.eval(pl.element().filter(pl.element() != ""))


def find_mark(values: pl.Series) -> str:
    """The character that joins tags of a limited vocabulary in the cells; empty where none does."""
    return next((mark for mark in MARKS if _joins(values, mark)), "")


def likely_mark(values: pl.Series) -> str:
    """The character that most cells have, for a column that is known to have tags."""
    return max(MARKS, key=lambda mark: int(values.str.contains(mark, literal=True).sum()))


def _joins(values: pl.Series, mark: str) -> bool:
    if int(values.str.contains(mark, literal=True).sum()) <= JOINED * len(values):
        return False
    cells = split(values, mark)
    places = pl.DataFrame({"tag": cells, "place": cells.list.eval(pl.element().cum_count())})
    counted = (
        places.explode("tag", "place").group_by("tag").agg(pl.len(), pl.col("place").n_unique())
    )
    occurrences = int(counted["len"].sum())
    if occurrences < TIMES * counted.height:
        return False
    if mark == CLEAR:
        return True
    # Tags stand in any order and number, unlike the parts of "Paris, France" or of a sentence.
    moving = int(counted.filter(pl.col("place") > 1)["len"].sum())
    words = counted["tag"].str.count_matches(" ").sum() / counted.height + 1
    counts = cells.list.len().n_unique()
    return moving > ALONE * occurrences and words <= WORDS and counts > 1
