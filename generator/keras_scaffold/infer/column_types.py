"""What a column is: decided from a sample, then held against every row.

`look` goes over a table. A column gets what it is in words, how sure that is, the kind of input
that it can be, or the reason for which it is set aside. The rules stand in the order in which they
are tried, in `_decide`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import polars as pl

from keras_scaffold.catalog import load_catalog
from keras_scaffold.infer import dates, files, identifiers, tags
from keras_scaffold.infer.cells import (
    FALSE,
    TEXT_HOLES,
    TRUE,
    Cells,
    Column,
    as_numbers,
    bars,
    binned,
    histogram,
    is_hole,
    replace_cells,
    spark,
    top,
)
from keras_scaffold.infer.tables import DataError, Table
from keras_scaffold.spec import one_line
from keras_scaffold.spec.fields import LONGEST_COLUMN

SPLITS = ("train", "validation", "test")
FEW = 100  # categories that share one small table
STRAY = 0.01  # of the cells may be of another kind; their rows can be left out
LABELS = 8  # at most so many values of a person's column are a category
MANY = 1000  # beyond, categories are hashed
DATES = 2000  # values of a column of which the format is found
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?|\d{8}[T ]\d.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( .*)?|\d{4}-\d{2}|"
    r"(\w{3,9},? )?\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}( .*)?|"
    r"(\w{3},? )?[A-Za-z]{3,9}\.? \d{1,2},? .*\d{4}.*"
)
CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?")
MARKED = re.compile(
    r"[-+(]?\s*(?:[$€£¥]|[A-Z]{3} )?\s*[-+]?(\d{1,3}([, '’]\d{3})+|\d+)([.,]\d+)?\s*"
    r"([%$€£¥]|[A-Za-z]{1,3}\.?|°[CF]?)?\)?"
)
UUID = re.compile(r"(?i)[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,64}")
CONTACT = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]+|\+?[\d ()-]{7,}\d")
URL = re.compile(r"(?i)(https?|ftp|s3|gs)://\S+")
# Scripts that put no spaces between words: CJK, kana, Thai, Lao, Khmer, Burmese.
UNSPACED = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
)
WORDS = re.compile(r"[^\W\d_]{3,}")
FILES = ("pictures", "albums", "series")  # the kinds of columns of paths
# What is in a column that no type of input reads, even where a person would keep it.
READS_NOTHING = (
    "split",
    "nested",
    "address",
    "time of day",
    "file",
    "picture",
    "pictures",
    "series",
    "array",
)
CODE_WORDS = {"zip", "zipcode", "postal", "postcode", "code", "type", "fips"}
# Words of names whose few whole numbers name something, too.
PLACE_WORDS = {"precinct", "district", "region", "zone", "ward", "sector", "sex", "gender"}
PLACE_WORDS |= {"class", "status", "group", "cluster"}
DATE_WORDS = {
    "date",
    "time",
    "timestamp",
    "datetime",
    "day",
    "created",
    "updated",
    "at",
    "on",
    "ts",
}


Progress = Callable[[int, int], None]  # columns that are done, of how many


def no_progress(done: int, columns: int) -> None:
    """Show nothing."""


# Over the table


def look(
    table: Table,
    types: dict[str, str],
    *,
    keep: Sequence[str] = (),
    outside: bool = False,
    targets: Sequence[str] = (),
    fewest_names: int = 0,
    progress: Progress = no_progress,
) -> list[Column]:
    """What each column is; `types` are those that a person chose, by column, `keep` must be inputs.

    A type of dates may have their order behind it: datetime:day-first. Names, each another, are
    texts from `fewest_names` rows on: fewer tell an encoder nothing.
    """
    found = []
    for place, name in enumerate(table.columns):
        progress(place, len(table.columns))
        if name in table.arrays and name not in table.native:
            found.append(_array(table, name))
            continue
        cells = Cells.of(table, name)
        column = _decide(cells, table, outside, name in targets)
        if name in table.other_notation and name not in targets:
            why = f"written like {table.other_notation[name]}, unlike the numbers of other columns"
            column = Column(name, "number", 0.9, why, aside=f"{why}; rewrite it to use it")
        if name in types:
            kind, _, order = types[name].partition(":")
            column = _as_chosen(cells, column, kind, table, outside)
            column = replace(column, facts={**column.facts, "order": order})
        elif name in keep and column.aside:
            column = _kept(cells, column)
        elif column.facts.get("names") and table.rows >= fewest_names and name not in targets:
            text = load_catalog().type_for("texts") or ""
            column = _as_chosen(cells, column, text, table, outside)
            column = replace(column, sure=0.6, why="names, another in nearly every row")
        found.append(column)
    if not any(column.kind in FILES for column in found):
        found = [
            files.of_names(table, column)
            if column.name not in {*targets, *types, *keep, *table.arrays}
            else column
            for column in found
        ]
    found = [_usable(column, table) for column in found]
    return _held_against_all_rows(table, found, {*keep, *types})


def _usable(column: Column, table: Table) -> Column:
    if column.kind and column.type is None:
        return column.set_aside(f"no type of input takes {column.kind}")
    if column.type is None:
        return column
    if not is_allowed_name(column.name):
        return column.set_aside("its name is not allowed in a spec; rename the column")
    return column


def is_allowed_name(name: str) -> bool:
    """Whether a spec can have the name of a column."""
    return 0 < len(name) <= LONGEST_COLUMN and name.isprintable() and name != "split"


def _decide(cells: Cells, table: Table, outside: bool, target: bool = False) -> Column:
    rules: tuple[Callable[[Cells], Column | None], ...] = (
        _split,
        _nothing,
        _other,
        _truth,
        _date,
        _number,
        _other_numbers,
        lambda cells: files.column(cells, table.folder, outside) if not target else None,
        _marked,
        _category_or_text,
    )
    for rule in rules:
        column = rule(cells)
        if column is not None:
            return column
    raise AssertionError  # the last rule knows everything


def _held_against_all_rows(
    table: Table, columns: list[Column], chosen: Collection[str] = ()
) -> list[Column]:
    """Count over all rows what the sample can only guess: holes, and cells of another kind.

    A column that a person chose is not set aside for those.
    """
    columns = _with_orders(table, columns)
    used = [column for column in columns if column.type and not _is_array(table, column)]
    good = _count(table, {column.name: _plainly_good(table, column) for column in used})
    holes = _count(table, {column.name: pl.col(column.name).is_null() for column in used})
    # In most columns every cell is good or empty at first sight; only others are read closely.
    close = [c for c in used if good[c.name] + holes[c.name] < table.rows]
    holes |= _count(table, {column.name: _hole(table, column) for column in close})
    strict = [c for c in close if c.kind in _STRICT and good[c.name] + holes[c.name] < table.rows]
    bad = _count(table, {c.name: ~_hole(table, c) & ~_good(table, c) for c in strict})
    return [
        _told(
            table,
            replace(column, missing=holes.get(column.name, 0)),
            bad.get(column.name, 0),
            column.name in chosen,
        )
        if column.type
        else replace(column, missing=_missing_in_sample(table, column))
        for column in columns
    ]


# Kinds of which a cell may be wrong; any cell can be a text or a label.
_STRICT = ("numbers", "flags", "dates")


def _count(table: Table, true: dict[str, pl.Expr]) -> dict[str, int]:
    """In how many rows each expression is true."""
    if not true:
        return {}
    sums = [expression.sum().alias(f"{place}") for place, expression in enumerate(true.values())]
    return dict(zip(true, table.all_rows(*sums).row(0), strict=True))


def _stripped(column: Column) -> pl.Expr:
    return pl.col(column.name).str.strip_chars()


def _hole(table: Table, column: Column) -> pl.Expr:
    if column.kind in ("texts", "labels", "tags"):
        return pl.col(column.name).is_null() | _stripped(column).is_in(TEXT_HOLES)
    return is_hole(_stripped(column), table.notation_of(column.name), column.name)


def _plainly_good(table: Table, column: Column) -> pl.Expr:
    """Whether a cell is neither a hole nor wrong, without stripping it."""
    if column.kind in _STRICT:
        return _good(table, column, pl.col(column.name))
    if column.kind in ("texts", "labels", "tags"):
        return (_stripped(column).str.len_bytes() > 0).fill_null(False)
    return (~_hole(table, column)).fill_null(False)


def _good(table: Table, column: Column, cell: pl.Expr | None = None) -> pl.Expr:
    cell = _stripped(column) if cell is None else cell
    if column.kind == "flags":
        return cell.str.to_lowercase().is_in(TRUE + FALSE).fill_null(False)
    if column.kind == "dates":
        return dates.is_date(cell, column.facts["format"])
    return as_numbers(cell, table.notation_of(column.name), column.name).is_not_null()


def _with_orders(table: Table, columns: list[Column]) -> list[Column]:
    """Decide by all rows whether the day or the month is first, where dates allow both."""
    patterns = (dates.DAY_FIRST, dates.MONTH_FIRST, dates.EITHER_FIRST)
    done = []
    for column in columns:
        form = column.facts.get("format", "")
        if column.type and (form == dates.MIXED or dates.other_order(form)):
            counts = _count(table, {p: _stripped(column).str.contains(p) for p in patterns})
            order = column.facts.get("order", "")
            form, day_first, doubtful = dates.decide_order(form, list(counts.values()), order)
            more = {"format": form, "day_first": day_first, "doubtful": doubtful}
            facts = {**column.facts, **more}
            view = "", dates.span(Cells.of(table, column.name).values, form)
            column = replace(column, facts=facts, view=view)
        done.append(column)
    return done


def _told(table: Table, column: Column, bad: int, chosen: bool) -> Column:
    """The column, set aside where it has many cells of another kind and no person chose it."""
    if not bad:
        return column
    wrong = pl.col(column.name).filter(~_hole(table, column) & ~_good(table, column)).first()
    first = one_line(str(table.all_rows(wrong).item()))
    kind = "yes or no" if column.kind == "flags" else column.kind
    but = f"{kind} but for {bad:,} {'cells' if bad > 1 else 'cell'} such as '{first}'"
    if bad <= STRAY * table.rows or chosen:
        return replace(column, facts={**column.facts, "stray": but})
    return column.set_aside(f"{but}; empty them to use it")


def _missing_in_sample(table: Table, column: Column) -> int:
    if _is_array(table, column):
        return 0
    cells = Cells.of(table, column.name)
    return round((1 - len(cells.values) / len(cells.rows)) * table.rows)


def _is_array(table: Table, column: Column) -> bool:
    return column.name in table.arrays and column.name not in table.native


# The rules


def _split(cells: Cells) -> Column | None:
    if cells.name != "split" or not len(cells.values):
        return None
    if not cells.values.is_in(SPLITS).all():
        reason = "named 'split', but it has other words than train, validation and test; rename it"
        return Column(cells.name, "category", 0.9, "", aside=reason)
    counts = top(cells.values)
    return Column(
        cells.name,
        "split",
        1.0,
        "the split of each row; the project uses it",
        aside="the split of each row; no input",
        distinct=len(counts),
        view=bars(counts, len(cells.values)),
    )


def _nothing(cells: Cells) -> Column | None:
    distinct = cells.values.n_unique()
    if distinct == 0:
        return Column(cells.name, "empty", 1.0, "no cell has a value", aside="empty")
    text = cells.text().values
    if text.n_unique() > 1:
        return None
    value = one_line(str(cells.values[0]))[:40]
    return Column(
        cells.name,
        "constant",
        0.99,
        f"always '{value}'",
        aside=f"always '{value}'",
        distinct=1,
    )


def _other(cells: Cells) -> Column | None:
    if cells.native == "date":
        return _clock(cells, 1.0) if cells.share(CLOCK) > 0.5 else _dated(cells, 1.0, dates.ISO)
    if cells.native != "other" and cells.share(re.compile(r"\s*[\[{].*[\]}]\s*", re.S)) < 0.95:
        return None
    reason = "lists or objects; no type of input for them yet"
    return Column(cells.name, "nested", 0.95, reason, aside=reason, distinct=0)


def _truth(cells: Cells) -> Column | None:
    words = cells.values.str.to_lowercase()
    found = set(words.unique())
    if not (len(found) == 2 and len(found & set(TRUE)) == 1 and len(found & set(FALSE)) == 1):
        return None
    counts = top(words)
    return Column(
        cells.name,
        "yes or no",
        0.98,
        " and ".join(sorted(found)),
        "flags",
        distinct=2,
        view=bars(counts, len(words)),
    )


def _date(cells: Cells) -> Column | None:
    if cells.native in ("number", "boolean"):
        return None
    if (share := cells.share(CLOCK)) >= 0.9:
        return _clock(cells, share)
    if cells.share(DATE) < 0.9:
        return None
    form, count = dates.find_format(cells.values.gather_every(_step(cells)))
    share = count * _step(cells) / len(cells.values)
    return _dated(cells, min(1.0, share), form) if share >= 0.9 else None


def _step(cells: Cells) -> int:
    return max(1, len(cells.values) // DATES)


def _dated(cells: Cells, sure: float, form: str) -> Column:
    return Column(
        cells.name,
        "date",
        sure,
        f"reads as a date; train --time {cells.name!r} splits by it",
        "dates",
        distinct=cells.values.n_unique(),
        view=("", dates.span(cells.values, form)),
        facts={"format": form},
    )


def _clock(cells: Cells, sure: float) -> Column:
    return Column(
        cells.name,
        "time of day",
        sure,
        "reads as a time of day",
        aside="a time of day is no type of input yet; with its date in one column it is",
        distinct=cells.values.n_unique(),
        view=("", one_line(cells.values[0])),
    )


def _number(cells: Cells) -> Column | None:
    """Numbers, but for ids, codes and dates that are written as numbers."""
    numbers = cells.numbers()
    good = numbers.is_not_null()
    share = int(good.sum()) / len(numbers)
    if share < 0.95 or (share < 1 and cells.values.n_unique() <= 12):
        return None  # a word among few numbers is rather one category of several
    kept = replace_cells(cells, cells.values.filter(good), cells.at.filter(good))
    numbers = numbers.filter(good)
    whole = bool((numbers == numbers.round()).all())
    distinct = numbers.n_unique()
    special = _number_as_date(kept, numbers)
    if special is None and whole:
        special = _whole_number(kept, numbers, distinct)
    elif special is None and (labels := identifiers.row_label(kept)):
        special = _id(kept, *labels)
    if special is not None:
        return special
    return _amounts(kept, numbers, share)


def _amounts(cells: Cells, numbers: pl.Series, share: float) -> Column:
    """A column of numbers to compute with, of which a `share` of its values is."""
    whole = bool((numbers == numbers.round()).all())
    distinct = numbers.n_unique()
    why = "whole numbers" if whole else "decimals"
    why = f"{distinct} {why}" if distinct <= 20 else why
    if units := cells.written.units.get(cells.name):
        why += f", read without {units[0]}"
    if (numbers.abs() > 3.0e38).any():
        return Column(cells.name, "number", 0.9, why, aside="larger than a float32 can hold")
    sure = share if distinct > 12 or not whole else 0.85 * share
    return Column(
        cells.name,
        "number",
        sure,
        why,
        "numbers",
        distinct=distinct,
        view=histogram(numbers),
    )


def _whole_number(cells: Cells, numbers: pl.Series, distinct: int) -> Column | None:
    """Ids and codes among whole numbers; None for an amount."""
    words, rows = cells.words(), len(numbers)
    found = identifiers.row_number(cells, numbers) or identifiers.number_name(
        cells, numbers, distinct
    )
    if found:
        return _id(cells, *found)
    if identifiers.is_id_name(cells.name) and not identifiers.is_index_name(cells.name):
        return _repeated_id(cells, distinct, rows)
    zeros = bool(cells.values.str.contains(r"^0\d").any())
    name = cells.name.lower().rstrip("0123456789")
    code = any(name.endswith(word) for word in CODE_WORDS) or (
        distinct <= 50 and any(name.endswith(word) for word in PLACE_WORDS)
    )
    if distinct == 2 and rows >= 10 and "year" not in words:
        return _category(cells, 0.8, "two whole numbers")
    if zeros or (code and float(numbers.to_numpy().min()) >= 0):
        why = "codes: zeros in front" if zeros else "whole numbers, but codes by the name"
        return _category(cells, 0.9 if zeros else 0.75, why)
    return None


def _number_as_date(cells: Cells, numbers: pl.Series) -> Column | None:
    """Dates that are written as numbers; None for others."""
    named = bool(cells.words() & DATE_WORDS)
    form = dates.find_number_format(numbers, named=named)
    if form is None:
        return None
    if form != dates.ISO and not named and identifiers.row_number(cells, numbers):
        return None
    if form == dates.ISO and cells.values.str.contains(".", literal=True).any():
        example = one_line(cells.values[0])
        aside = f"dates written as decimals, such as {example}; write them without the point"
        return replace(_dated(cells, 0.9, form), kind="", aside=aside)
    return _dated(cells, 0.9 if named or form == dates.ISO else 0.75, form)


def _repeated_id(cells: Cells, distinct: int, rows: int) -> Column:
    """An id by its name that repeats: of few things a category, of many a group."""
    if distinct <= FEW and rows >= 20 * distinct:
        return _category(cells, 0.7, f"an id of {distinct} things that repeat")
    if distinct > 0.9 * rows:
        return _id(cells, 0.95, "an id by its name")
    found = _id(
        cells,
        0.85,
        f"an id by its name, {rows / distinct:.1f} rows for each",
        f"an id that repeats; train --group {shlex.quote(cells.name)} keeps its rows in one split",
    )
    return replace(found, facts={"repeats": True})


def _id(cells: Cells, sure: float, why: str, aside: str = "") -> Column:
    return Column(
        cells.name,
        "id",
        sure,
        why,
        aside=aside or f"an id: {why}",
        distinct=cells.values.n_unique(),
        view=("", one_line(f"{cells.values[0]} … {cells.values[-1]}")[:40]),
    )


def _other_numbers(cells: Cells) -> Column | None:
    """Words that name a row, or lead out of the table."""
    values = cells.values
    if cells.share(URL) > 0.9:
        reason = "addresses on the web; fetch the files and give their paths"
        return Column(cells.name, "address", 0.97, "begins with https://", aside=reason, distinct=0)
    distinct, rows = values.n_unique(), len(values)
    if cells.share(UUID) > 0.95:
        return (
            _id(cells, 0.98, "UUIDs or hashes")
            if distinct > 0.9 * rows
            else _repeated_id(cells, distinct, rows)
        )
    if cells.share(CONTACT) > 0.95 and distinct > 0.5 * rows:
        return _id(cells, 0.9, "addresses or telephone numbers")
    return None


def _marked(cells: Cells) -> Column | None:
    """Numbers with currencies or units, which projects do not read."""
    digits = cells.values.str.contains(r"\d").mean()
    if cells.share(MARKED) < 0.95 or digits != 1 or cells.values.n_unique() <= 12:
        return None
    if cells.values.str.contains(r"^[A-Za-z]?\d+[A-Za-z]?$").sum() > 0.5 * len(cells.values):
        return None  # 12B is rather a code
    example = one_line(str(cells.values[0]))[:30]
    return Column(
        cells.name,
        "number with marks",
        0.85,
        f"numbers written like '{example}'",
        aside=f"numbers written like '{example}'; write them plainly (1234.5) to use them",
        distinct=cells.values.n_unique(),
    )


# Words


def _category_or_text(cells: Cells) -> Column:
    cells = cells.text()
    values, rows = cells.values, len(cells.values)
    counts = top(values)
    distinct = values.n_unique()
    unique = distinct / rows
    some = cells.some(2000)
    words = [len(value.split()) for value in some]
    mean = sum(words) / len(words)
    unspaced = sum(len(UNSPACED.findall(v)) > len(v) / 3 for v in some) > len(some) / 2
    long = mean >= 3 or (unspaced and sum(map(len, some)) / len(some) >= 8)
    if mark := tags.find_mark(values):
        return _tags(cells, mark)
    if long and (unique > 0.3 or (mean >= 8 and distinct > FEW)) and distinct > 12:
        return _text(cells, some, unspaced, unique)
    if identifiers.is_person_name(cells.name) and max(LABELS, rows / 20) < distinct < rows:
        return _repeated_id(cells, distinct, rows)
    if distinct <= FEW and (rows >= 2 * distinct or distinct <= 12):
        sure = 0.97 if rows >= 10 * distinct else 0.8
        return _category(cells, sure, f"{distinct} values")
    if identifiers.is_id_name(cells.name):
        return _repeated_id(cells, distinct, rows)
    if unique > 0.5 and (mean >= 2.2 or _are_names(some)):
        return _text(cells, some, unspaced, unique, sure=0.65)
    if unique > 0.95:
        named = _id(cells, 0.85, "another word in nearly every row")
        return replace(named, facts={"names": _have_words(some)})
    if (once := int(values.is_unique().sum())) > 0.5 * rows:
        return Column(
            cells.name,
            "category",
            0.6,
            f"{distinct} values in {rows} rows",
            aside=f"most rows have a value of their own ({once} of {rows}): nothing to learn of",
            distinct=distinct,
            view=bars(counts, rows),
            facts={"names": _have_words(some)},
        )
    return _category(cells, 0.85, f"{distinct} values")


def _are_names(some: list[str]) -> bool:
    """Whether texts are mostly of several words, of which some recur: `Acolyte of Pain`, no `A-17 B`."""
    texts = [text.split() for text in some]
    words = [word.lower() for text in texts for word in text]
    several = sum(len(text) > 1 for text in texts) >= 0.6 * len(texts)
    letters = sum(word.strip(".,:'()-").isalpha() for word in words) >= 0.8 * len(words)
    return several and letters and len(set(words)) < 0.95 * len(words)


def _have_words(some: list[str]) -> bool:
    """Whether words are in names without spaces: `Kabul`, `python3-numpy`, but no `QX7` or `aB3x`."""
    known = sum(any(word[1:].islower() for word in WORDS.findall(text)) for text in some)
    letters = sum(len(word) for text in some for word in WORDS.findall(text))
    return known >= 0.9 * len(some) and letters >= 0.7 * sum(map(len, some))


def _category(cells: Cells, sure: float, why: str) -> Column:
    values = cells.text().values
    view = bars(top(values), len(values))
    distinct = values.n_unique()
    return Column(cells.name, "category", sure, why, "labels", distinct=distinct, view=view)


def _tags(cells: Cells, mark: str) -> Column:
    values = cells.text().values
    each = tags.split(values, mark).explode()
    count = each.n_unique()
    return Column(
        cells.name,
        "tags",
        0.9,
        f"{count} tags joined by '{mark}'",
        "tags",
        distinct=values.n_unique(),
        view=bars(top(each), len(values)),
        facts={"tags": count, "mark": mark},
    )


def _text(
    cells: Cells, some: list[str], unspaced: bool, unique: float, sure: float = 0.0
) -> Column:
    words = [list("".join(v.split())) if unspaced else v.split() for v in some]
    lengths = sorted(map(len, words))
    middle = lengths[len(lengths) // 2]
    tokens, kind, units = words, "characters", "characters"
    if not unspaced:  # as in the generated project, each mark is a token of its own
        apart = pl.Series(some, dtype=pl.String).str.replace_all(r"[\pP\pS]", " $0 ")
        tokens, kind, units = [v.split() for v in apart], "words", "words and marks"
    known = {token.lower() for each in tokens for token in each}
    p95 = sorted(map(len, tokens))[min(len(tokens) - 1, int(0.95 * len(tokens)))]
    return Column(
        cells.name,
        "text",
        sure or (0.95 if unique > 0.8 and middle >= 5 else 0.8),
        f"95% have at most {p95} {units}",
        "texts",
        distinct=cells.values.n_unique(),
        view=(spark(binned(lengths)), f"{lengths[0]} … {lengths[-1]} {kind}"),
        facts={"length": p95, "vocabulary": len(known), "tokens": kind, "texts": len(some)},
    )


def _kept(cells: Cells, column: Column) -> Column:
    """A column as the type that its values have, whatever speaks against using it."""
    if column.what in READS_NOTHING or not len(cells.values):
        return column
    numbers = cells.numbers()
    good = numbers.drop_nulls()
    if len(good) >= 0.95 * len(numbers):
        return replace(_amounts(cells, good, 1.0), why="as you chose")
    found = _category_or_text(cells)
    found = found if found.kind else _category(cells, 1.0, "as you chose")
    return replace(found, sure=1.0)


def _as_chosen(cells: Cells, column: Column, chosen: str, table: Table, outside: bool) -> Column:
    """The column as the type that a person chose."""
    if column.type == chosen:
        return replace(column, sure=1.0, aside="")
    why, place = "as you chose", f"--as {cells.name}:{chosen}"
    known = load_catalog().inputs[chosen]
    kind = known.found_in
    if kind in FILES:
        found = files.column(cells, table.folder, outside, kind)
        if found is None or not found.kind:
            reason = found.aside if found else "its cells are no paths of such files"
            raise DataError(f"{place}: {reason}")
        return replace(found, sure=1.0, why=why)
    if not len(cells.text().values):
        raise DataError(f"{place}: the column is empty")
    if kind == "texts":
        text = cells.text()
        some = text.some(2000)
        unspaced = sum(len(UNSPACED.findall(v)) > len(v) / 3 for v in some) > len(some) / 2
        return replace(_text(text, some, unspaced, 1.0), sure=1.0, why=why)
    if kind == "labels":
        return _category(cells, 1.0, why)
    if kind == "tags":
        return replace(_tags(cells, tags.likely_mark(cells.values)), sure=1.0)
    distinct = cells.values.n_unique()
    if kind == "flags":
        return Column(cells.name, "yes or no", 1.0, why, kind, distinct=distinct)
    if kind == "dates":
        form, count = dates.find_format(cells.values)
        if not count:
            raise DataError(f"{place}: it has no dates")
        return replace(_dated(cells, 1.0, form), why=why)
    if not kind:
        return Column(cells.name, known.title, 1.0, why, distinct=distinct, chosen_type=chosen)
    good = cells.numbers().drop_nulls()
    if not len(good):
        raise DataError(f"{place}: it has no numbers")
    return Column(
        cells.name,
        "number",
        1.0,
        why,
        kind,
        distinct=good.n_unique(),
        view=histogram(good),
    )


# Arrays


def _fits_albums(shape: tuple[int, ...]) -> bool:
    """Whether a row of an array has as many pictures as an input takes."""
    taken = load_catalog().type_for("albums")
    if taken is None or len(shape) != 4:
        return False
    field = load_catalog().inputs[taken].fields["shape"]
    return bool(field.least[0] <= shape[0] <= field.most[0])


def _array(table: Table, name: str) -> Column:
    """An array of several axes, in memory: numbers, a series or a picture for each row."""
    array = table.arrays[name]
    size = "x".join(map(str, array.shape)) or "one"
    why = f"{array.dtype} of {size} a row"
    if array.kind not in "biuf":
        return Column(name, "array", 1.0, why, aside=f"{why}; no type of input for it")
    facts = {"shape": list(array.shape), "file": False}
    if len(array.shape) == 1:
        return Column(name, "number", 0.95, why, "numbers", facts=facts)
    if len(array.shape) == 3 and array.shape[2] in (1, 3, 4) and array.dtype == "uint8":
        return Column(name, "picture", 0.97, why, "pictures", facts=facts)
    if _fits_albums(array.shape) and array.shape[3] in (1, 3, 4) and array.dtype == "uint8":
        return Column(name, "pictures", 0.97, why, "albums", facts=facts)
    if len(array.shape) == 2:
        hint = "; were they grey pictures, store them as (rows, height, width, 1)"
        why += hint if array.dtype == "uint8" else ""
        return Column(name, "series", 0.9, why, "series", facts=facts)
    if len(array.shape) in (3, 4) and array.shape[-1] in (1, 3, 4):
        why += "; pictures of 0 to 255 are stored as uint8"
        return Column(name, "array", 1.0, why, aside=why)
    return Column(name, "array", 1.0, why, aside=f"{why}; no type of input has this shape")
