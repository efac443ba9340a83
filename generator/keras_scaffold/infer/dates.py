"""Formats of dates: which one a column is written in, and which cells are dates in it.

A cell is a date where the generated project, which has the format, reads it as one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from keras_scaffold.spec import one_line

ISO, MIXED, UNIX, UNIX_MS = "", "mixed", "unix", "unix_ms"
# Where a column allows both orders, the first is taken.
DAYS = ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y")
TIMES = ("", " %H:%M", " %H:%M:%S")
FORMATS = tuple(
    f"{day}{time}" for days in DAYS for day in (days, days.replace("%Y", "%y")) for time in TIMES
)
DIGITS = {"%Y": r"[1-9]\d{3}", "%y": r"\d{2}", ".": r"\."}
DAY_FIRST = r"^(1[3-9]|2\d|3[01])[/.-]\d"  # 31/12, not 12/31
MONTH_FIRST = r"^\d\d?[/.-](1[3-9]|2\d|3[01])\b"
EITHER_FIRST = r"^\d\d?[/.-]\d\d?[/.-]"
UNIX_DIGITS = {UNIX: r"^\d{9,10}(\.\d+)?$", UNIX_MS: r"^\d{12,13}$"}
STRAY = 0.01  # of the dates may be in the other order, and are invalid
LAST = 253_402_300_799  # the last second of the year 9999

_HOUR = r"([01]?\d|2[0-3])"
_ISO_ZONE = rf"( ?(Z|[+-]{_HOUR}(:?[0-5]\d)?))?"
_ISO_CLOCK = rf"({_HOUR}(:[0-5]?\d(:[0-5]?\d(\.\d*)?)?)?|([01]\d|2[0-3])[0-5]\d([0-5]\d(\.\d*)?)?)"
_ISO_DAY = r"[1-9]\d{3}(-\d\d?-\d\d?|/\d\d?/\d\d?|\.\d\d?\.\d\d?|\d{4})"
_ISO_MOMENT = rf"^{_ISO_DAY}([T ]{_ISO_CLOCK}{_ISO_ZONE})?$"
_ISO_MONTH = r"^[1-9]\d{3}([-/.](0?[1-9]|1[0-2]))?$"  # 2020-12, also 2020 alone
_CLOCK = rf"{_HOUR}:[0-5]\d(:[0-5]\d(\.\d+)?)?"
_HALF_DAY = r"(0?[1-9]|1[0-2])(:[0-5]\d(:[0-5]\d)?)? ?[AaPp][Mm]"
_TIME = rf"(,?[T ] ?({_CLOCK}|{_HALF_DAY})( ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?)?$"
_NUMERIC = rf"^\d\d?[-/.]\d\d?[-/.]([1-9]\d{{3}}|\d\d){_TIME}"
_MONTH = (
    r"(?<month>Jan(uary)?|Feb(ruary)?|Mar(ch)?|Apr(il)?|May|June?|July?|Aug(ust)?|Sept?(ember)?|"
    r"Oct(ober)?|Nov(ember)?|Dec(ember)?)\.?"
)
_WEEKDAY = r"^(?i:((Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )?"
_DAY = r"(?<day>\d\d?)(st|nd|rd|th)?"
_NAMED = (
    rf"{_WEEKDAY}{_DAY}[- ]{_MONTH}[- ,]+(?<year>[1-9]\d{{3}}|\d\d)){_TIME}",
    rf"{_WEEKDAY}{_MONTH} {_DAY},? (?<year>[1-9]\d{{3}})){_TIME}",
)


def is_date(cell: pl.Expr, form: str) -> pl.Expr:
    """Whether a stripped cell is a date in a format: ISO 8601, a strptime format of ours or a word."""
    if form == ISO:
        valid = _is_iso(cell)
    elif form == MIXED:
        valid = _is_iso(cell) | _is_mixed(cell)
    elif form in UNIX_DIGITS:
        number = cell.cast(pl.Float64, strict=False)
        valid = number.abs() <= LAST * (1000 if form == UNIX_MS else 1)
    else:
        shape = re.sub("%.|[.]", lambda found: DIGITS.get(found[0], r"\d\d?"), form)
        moment = cell.str.to_datetime(form, strict=False)
        valid = cell.str.contains(f"^{shape}$") & moment.is_not_null()
    return valid.fill_null(False)


def _is_iso(cell: pl.Expr) -> pl.Expr:
    days = _in_calendar(cell, "%Y-%m-%d", "%Y%m%d")
    return cell.str.contains(_ISO_MONTH) | (cell.str.contains(_ISO_MOMENT) & days)


def _is_mixed(cell: pl.Expr) -> pl.Expr:
    days = _in_calendar(cell, "%d-%m-%Y", "%m-%d-%Y")  # year 20 is a leap year as 2020 is
    valid = cell.str.contains(_NUMERIC) & days
    for pattern in _NAMED:
        parts = cell.str.extract_groups(pattern)
        day, month, year = (parts.struct.field(name) for name in ("day", "month", "year"))
        text = pl.concat_str(day, month.str.slice(0, 3), year, separator=" ")
        valid |= text.str.to_date("%d %b %Y", strict=False).is_not_null()
    return valid


def _in_calendar(cell: pl.Expr, *formats: str) -> pl.Expr:
    """Whether the numbers that a cell begins with are a day of some month."""
    day = cell.str.extract(r"^([\d/.-]+)").str.replace_all("[/.]", "-")
    return pl.any_horizontal(day.str.to_date(form, strict=False).is_not_null() for form in formats)


def find_format(values: pl.Series) -> tuple[str, int]:
    """The plainest format in which nearly as many values are dates as in any; and how many are."""
    cell = pl.col(values.name)
    counts = {form: is_date(cell, form).sum() for form in (ISO, *FORMATS, MIXED)}
    counts |= {form: cell.str.contains(digits).sum() for form, digits in UNIX_DIGITS.items()}
    found = values.to_frame().select(
        count.alias(str(place)) for place, count in enumerate(counts.values())
    )
    by_form = dict(zip(counts, found.row(0), strict=True))
    enough = (1 - STRAY) * max(by_form.values())
    return next((form, count) for form, count in by_form.items() if count >= enough)


def find_number_format(numbers: pl.Series, *, named: bool) -> str | None:
    """The format of numbers that are dates by their values: 20210508, a Unix time; None for others.

    Where the column is `named` after a time, the range is wider: 1989 to 2039, not 1992 to 2033.
    """
    low, high = float(numbers.to_numpy().min()), float(numbers.to_numpy().max())
    distinct = numbers.n_unique()
    if distinct < (2 if named else 3):
        return None
    if low >= 19_000_101 and high <= 22_001_231:
        days = numbers.cast(pl.Int64).cast(pl.String).alias("day")
        valid = days.str.to_date("%Y%m%d", strict=False).is_not_null() & (
            numbers == numbers.round()
        )
        return ISO if int(valid.sum()) >= (1 - STRAY) * len(valid) else None
    first, last = (6e8, 2.2e9) if named else (7e8, 2.0e9)
    for form, unit in ((UNIX, 1), (UNIX_MS, 1000)):
        if first * unit <= low and high <= last * unit:
            return form
    return None


def span(values: pl.Series, form: str) -> str:
    """From the first to the last date of a column, or one as it is written where none is parsed."""
    if form == MIXED:
        return one_line(str(values[0]))
    if form in UNIX_DIGITS:
        numbers = values.cast(pl.Float64, strict=False) * (1000 if form == UNIX else 1)
        times = numbers.cast(pl.Int64, strict=False).cast(pl.Datetime("ms"))
    elif form:
        times = values.str.to_datetime(form, strict=False)
    else:
        return f"{one_line(str(values.min()))} … {one_line(str(values.max()))}"
    ends = pl.Series([times.min(), times.max()]).dt.strftime("%Y-%m-%d %H:%M")
    return " … ".join(ends.str.strip_suffix(" 00:00"))


def other_order(form: str) -> str:
    """The format with day and month swapped; empty where only one order is written like it."""
    other = form.translate(str.maketrans("dm", "md"))
    return other if form in FORMATS and other in FORMATS else ""


def decide_order(form: str, counts: Sequence[int], order: str = "") -> tuple[str, bool, bool]:
    """The format by the evidence of all rows: format, day_first, and whether both orders fit.

    `counts` are the rows with the day first (31/12), those with the month first, and those that are
    written in numbers. An `order` that a person gives holds whatever the rows show.
    """
    days, months, either = counts
    day_first = order == "day-first" if order else days > months
    doubtful = not (order or days or months)
    if form == MIXED or (not order and min(days, months) > STRAY * (days + months)):
        return MIXED, day_first, doubtful and either > 0
    is_day_first = form.index("%d") < form.index("%m")
    if doubtful or is_day_first == day_first:
        return form, False, doubtful
    return other_order(form), False, doubtful
