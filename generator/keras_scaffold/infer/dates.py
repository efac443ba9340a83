"""Formats of dates: which one a column is written in, and which cells are dates in it.

A cell is a date where pandas.to_datetime, with the format, says so to the generated project.
"""

from __future__ import annotations

import re

import polars as pl

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
LAST = 253_402_300_799  # the last second of the year 9999

_HOUR = r"([01]?\d|2[0-3])"
_ZONE = r"( ?(Z|[+-]([01]?\d|2[0-3])(:?[0-5]\d)?))?"
_ISO_TIME = rf"[T ]{_HOUR}(:[0-5]?\d(:[0-5]?\d(\.\d*)?)?|[0-5]\d([0-5]\d(\.\d*)?)?)?{_ZONE}"
_ISO = (
    r"^(?<year>[1-9]\d{3})(?:(?<one>[-/. ]?)(?<month>\d\d?)(?:(?<two>[-/. ]?)(?<day>\d\d?)"
    rf"(?<time>{_ISO_TIME})?)?)?$"
)
_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?|(0?[1-9]|1[0-2])(:[0-5]\d(:[0-5]\d)?)? ?[AaPp][Mm]"
_TIME = rf"(,?[T ] ?({_CLOCK})( ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?)?$"
_MONTH = (
    r"(?<month>Jan(uary)?|Feb(ruary)?|Mar(ch)?|Apr(il)?|May|June?|July?|Aug(ust)?|Sept?(ember)?|"
    r"Oct(ober)?|Nov(ember)?|Dec(ember)?)\.?"
)
_WEEKDAY = r"^(?i:((Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )?"
_NUMERIC = rf"^(?<one>\d\d?)[-/.](?<two>\d\d?)[-/.](?<year>[1-9]\d{{3}}|\d\d){_TIME}"
_NAMED = (
    rf"{_WEEKDAY}(?<day>\d\d?)(st|nd|rd|th)?[- ]{_MONTH}[- ,]+(?<year>[1-9]\d{{3}}|\d\d)){_TIME}",
    rf"{_WEEKDAY}{_MONTH} (?<day>\d\d?)(st|nd|rd|th)?,? (?<year>[1-9]\d{{3}})){_TIME}",
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


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    text = pl.concat_str(_four_digits(year), month.str.zfill(2), day.str.zfill(2), separator="-")
    return text.str.to_date("%Y-%m-%d", strict=False).is_not_null()


def _four_digits(year: pl.Expr) -> pl.Expr:
    return pl.when(year.str.len_chars() == 2).then(pl.lit("20") + year).otherwise(year)


def _is_iso(cell: pl.Expr) -> pl.Expr:
    parts = cell.str.extract_groups(_ISO)
    year, month, day = (parts.struct.field(name) for name in ("year", "month", "day"))
    one, two = parts.struct.field("one"), parts.struct.field("two")
    # Without marks, it has eight digits.
    eight = (month.str.len_chars() == 2) & (day.str.len_chars() == 2)
    marks = (
        month.is_null()
        | ((one != "") & (day.is_null() | (one == two)))
        | ((one == "") & (two == "") & eight)
    )
    first = pl.lit("01")
    return _date(year, month.fill_null(first), day.fill_null(first)) & marks.fill_null(False)


def _is_mixed(cell: pl.Expr) -> pl.Expr:
    parts = cell.str.extract_groups(_NUMERIC)
    one, two, year = (parts.struct.field(name) for name in ("one", "two", "year"))
    valid = _date(year, one, two) | _date(year, two, one)
    for pattern in _NAMED:
        parts = cell.str.extract_groups(pattern)
        day, month, year = (parts.struct.field(name) for name in ("day", "month", "year"))
        text = pl.concat_str(day, month.str.slice(0, 3), _four_digits(year), separator=" ")
        valid |= text.str.to_date("%d %b %Y", strict=False).is_not_null()
    return valid


def find_format(values: pl.Series) -> tuple[str, int]:
    """The format in which most values are dates, the plainest first; and how many are."""
    cell = pl.col(values.name)
    counts = {form: is_date(cell, form).sum() for form in (ISO, *FORMATS, MIXED)}
    counts |= {form: cell.str.contains(digits).sum() for form, digits in UNIX_DIGITS.items()}
    found = values.to_frame().select(
        count.alias(str(place)) for place, count in enumerate(counts.values())
    )
    by_form = dict(zip(counts, found.row(0), strict=True))
    best = max(by_form, key=lambda form: by_form[form])
    return best, by_form[best]


def settle_order(form: str, days: int, months: int, either: int) -> tuple[str, bool, str]:
    """The format by the evidence of all rows: format, day_first, and the other reading if open.

    `days` rows have the day first (31/12), `months` the month; `either` are written in numbers.
    """
    other = form.translate(str.maketrans("dm", "md")) if form in FORMATS else ""
    if form != MIXED and other not in FORMATS:
        return form, False, ""
    if form == MIXED or (days and months):
        return MIXED, days > months, "" if days or months or not either else "day_first: true"
    if not (days or months):
        return form, False, f'format: "{other}"'
    is_day_first = form.index("%d") < form.index("%m")
    return (form if is_day_first == bool(days) else other), False, ""
