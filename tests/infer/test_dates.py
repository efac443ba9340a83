"""Formats of dates: found once for a column, and cells are valid where pandas says so."""

import random
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_scaffold.infer import Overrides, inspect
from keras_scaffold.infer.dates import FORMATS, ISO, MIXED, find_format, is_date


def moments(rows=200, seed=0, last_day=28):
    rng = random.Random(seed)
    return [
        datetime(rng.randint(1970, 2030), rng.randint(1, 12), rng.randint(1, last_day))
        + timedelta(seconds=rng.randint(0, 86_399))
        for _ in range(rows)
    ]


def look(values, tmp_path, **overrides):
    """The input that is made of a column, and what is warned of."""
    lines = [f'"{value}",{i * 7 % 5 % 2}' for i, value in enumerate(values)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["due,y", *lines]))
    found = inspect(path, Overrides(targets=["y"], **overrides))
    (entry,) = found.given["inputs"]
    assert (entry.pop("name"), entry.pop("type")) == ("due", "datetime")
    return entry, [it for it in found.warnings if it.startswith("due: ")]


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_is_found_from_its_dates(form, tmp_path):
    entry, warnings = look([it.strftime(form) for it in moments()], tmp_path)
    assert (entry, warnings) == ({"format": form}, [])


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y%m%dT%H%M"]
)
def test_iso_8601_needs_no_format(form, tmp_path):
    assert look([it.strftime(form) for it in moments()], tmp_path) == ({}, [])


@pytest.mark.parametrize(
    ("name", "forms", "entry"),
    [
        ("words", ["%b %d, %Y"], {"format": "mixed"}),
        ("US and ISO", ["%m/%d/%Y", "%Y-%m-%d"], {"format": "mixed"}),
        ("EU and ISO", ["%d/%m/%Y", "%Y-%m-%d"], {"format": "mixed", "day_first": True}),
        ("with and without times", ["%d/%m/%Y", "%d/%m/%Y %H:%M"], None),
        ("two marks", ["%m/%d/%Y", "%m-%d-%Y"], {"format": "mixed"}),
    ],
)
def test_dates_in_several_formats_are_parsed_each_by_itself(name, forms, entry, tmp_path):
    values = [it.strftime(forms[i % len(forms)]) for i, it in enumerate(moments())]
    found, _ = look(values, tmp_path)
    assert found == (entry or {"format": "mixed", "day_first": True})


def test_days_and_months_that_nothing_decides_are_said(tmp_path):
    early = [it.replace(day=it.day % 12 + 1) for it in moments()]
    entry, (warning,) = look([it.strftime("%m/%d/%Y") for it in early], tmp_path)
    assert entry == {"format": "%m/%d/%Y"}
    assert "--as due:datetime:day-first" in warning
    found, warnings = look(
        [it.strftime("%m/%d/%Y") for it in early], tmp_path, types=["due:datetime:day-first"]
    )
    assert (found, warnings) == ({"format": "%d/%m/%Y"}, [])
    entry, (warning,) = look([it.strftime("%d-%m-%Y") for it in early], tmp_path)
    assert entry == {"format": "%d-%m-%Y"}
    assert "--as due:datetime:month-first" in warning
    forms = ["%m/%d/%Y", "%Y-%m-%d"]
    values = [it.strftime(forms[i % 2]) for i, it in enumerate(early)]
    entry, (warning,) = look(values, tmp_path)
    assert entry == {"format": "mixed"}
    assert "--as due:datetime:day-first" in warning
    assert look(values, tmp_path, types=["due:datetime:day-first"]) == (
        {"format": "mixed", "day_first": True},
        [],
    )


def test_one_date_of_all_rows_decides(tmp_path):
    """A row beyond those of which the format is found."""
    early = [it.replace(day=it.day % 12 + 1).strftime("%m/%d/%Y") for it in moments(9000)]
    early[4321] = "31/12/2020"
    assert look(early, tmp_path) == ({"format": "%d/%m/%Y"}, [])


def test_few_dates_in_the_other_order_are_invalid(tmp_path):
    values = [it.strftime("%m/%d/%Y") for it in moments(9000)]
    values[4320] = "31/12/2020"
    entry, (warning,) = look(values, tmp_path)
    assert entry == {"format": "%m/%d/%Y"}
    assert "dates but for 1 cell such as '31/12/2020'" in warning


@pytest.mark.parametrize(("unit", "form"), [(1, "unix"), (1000, "unix_ms")])
def test_unix_times(unit, form, tmp_path):
    values = [int(it.timestamp()) % 10**9 + 10**9 for it in moments()]
    values = [value * unit for value in values]
    assert look(values, tmp_path, types=["due:datetime"])[0] == {"format": form}
    # By its name, without being told.
    lines = [f"{value},{i % 2}" for i, value in enumerate(values)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["created_at,y", *lines]))
    (entry,) = inspect(path, Overrides(targets=["y"])).given["inputs"]
    assert entry == {"name": "created_at", "type": "datetime", "format": form}


def test_days_as_numbers_are_iso_8601(tmp_path):
    values = [it.strftime("%Y%m%d") for it in moments()]
    assert look(values, tmp_path, types=["due:datetime"]) == ({}, [])


def test_days_that_no_calendar_has_are_invalid(tmp_path):
    values = [it.strftime("%d.%m.%Y") for it in moments(300)]
    values[150] = "30.02.2020"
    entry, (warning,) = look(values, tmp_path)
    assert entry == {"format": "%d.%m.%Y"}
    assert "dates but for 1 cell such as '30.02.2020'" in warning


# As pandas reads them, which the project asks

PARTS = st.tuples(
    st.sampled_from([1, 2, 9, 12, 13, 28, 29, 30, 31, 32, 0]),
    st.sampled_from([1, 2, 4, 12, 13, 0]),
    st.sampled_from(["2020", "2021", "20", "99", "1900", "020"]),
    st.sampled_from(["", " 5:07", " 05:07:09", " 24:00", "T23:59", "T23:59:59.123Z", " 5:60"]),
)
WRITTEN = st.sampled_from(
    [
        "{2}-{1:02}-{0:02}{3}",
        "{2}-{1}-{0}{3}",
        "{2}/{1:02}/{0:02}{3}",
        "{2}{1:02}{0:02}{3}",
        "{0}.{1}.{2}{3}",
        "{0:02}/{1:02}/{2}{3}",
        "{1:02}/{0:02}/{2}{3}",
        "{0} Feb {2}{3}",
        "Feb {0}, {2}{3}",
        "{2}-{1:02}",
        "{0}",
        "{2}-{1:02}/{0:02}",
        "soon",
    ]
)


@settings(max_examples=200)
@given(st.lists(st.tuples(WRITTEN, PARTS), min_size=1, max_size=20), st.sampled_from(FORMATS))
def test_what_is_a_date_here_is_one_for_pandas(cells, own):
    pandas = pytest.importorskip("pandas")
    texts = [written.format(*parts) for written, parts in cells]
    for form in (ISO, MIXED, own):
        series = pl.Series("due", texts)
        here = series.to_frame().select(is_date(pl.col("due"), form)).to_series().to_list()
        times = pandas.to_datetime(
            pandas.Series(texts, dtype="string"),
            format=form or "ISO8601",
            errors="coerce",
            utc=True,
        )
        there = times.notna().tolist()
        if form != MIXED:
            assert here == there
        # Of what it parses by itself, pandas also takes what nobody would write.
        assert not [t for t, one, other in zip(texts, here, there, strict=True) if one > other]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=10))
def test_no_text_breaks_the_formats(texts):
    find_format(pl.Series("due", texts))
