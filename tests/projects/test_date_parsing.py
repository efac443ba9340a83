"""Dates: how each notation is read, in training and in the SavedModel, which have one parser."""

from __future__ import annotations

import random
import re

import pytest
from keras_scaffold.infer.dates import ISO, MIXED, is_date
from keras_scaffold.spec import validate
from projects import project, spec_of

# What pandas refuses and we read: an hour of one digit with nothing after it.
HOUR_ALONE = r"[T ]\d ?(Z|[+-][\d:]+)?\s*$"


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    """A project with a date in each way of writing; one may be missing."""
    inputs = [
        {"name": "when", "type": "datetime"},
        {"name": "due", "type": "datetime", "optional": True, "day_first": True},
        {"name": "built", "type": "datetime", "format": "%d.%m.%Y %H:%M"},
        {"name": "seen", "type": "datetime", "format": "unix"},
        {"name": "sent", "type": "datetime", "format": "unix_ms"},
        {"name": "any", "type": "datetime", "format": "mixed"},
        {"name": "logged", "type": "datetime", "format": "%a %d %b %y %I:%M:%S.%f %p %z"},
        {"name": "week", "type": "datetime", "format": "%Y %U %w"},
    ]
    with project(spec_of(inputs), tmp_path_factory.mktemp("dated")) as made:
        yield made


def dates_of(made, path, **columns):
    """Read a table of dates: of each column the moments, and what is wrong with rows."""
    import numpy as np
    import pandas as pd

    rows = len(next(iter(columns.values())))
    whole = {"when": "2020-01-01", "due": "", "built": "01.02.2020 00:00", "seen": "0", "sent": "0"}
    more = {"any": "2020-01-01", "logged": "Wed 01 Jan 20 01:00:00.0 AM Z", "week": "2020 1 1"}
    table = {**whole, **more, "label": ["a", "b"] * rows, **columns}
    table["label"] = table["label"][:rows]
    pd.DataFrame(table).to_csv(path, index=False)
    examples = made.module("data").open_examples(path)
    moments = {}
    for name in columns:
        days, seconds = examples.values[name].astype("float64").T
        milliseconds = np.where(np.isnan(days), np.nan, 1000 * (86_400 * days + seconds))
        moments[name] = milliseconds.astype("datetime64[ms]").astype(str).tolist()
    return moments, [problem[1] for problem in examples.problems]


@pytest.mark.parametrize(
    ("column", "text", "moment"),
    [
        ("when", "2020-12-31", "2020-12-31"),
        ("when", "2020-12-31T17:05:01.5Z", "2020-12-31T17:05:01.500"),
        ("when", "2020-12-31T01:05+02:00", "2020-12-30T23:05"),
        ("when", "20200131", "2020-01-31"),
        ("when", "20201231T170501+0100", "2020-12-31T16:05:01"),
        ("when", "2020-12", "2020-12-01"),
        ("when", "1066-10-14", "1066-10-14"),
        ("due", "31/12/2020", "2020-12-31"),
        ("due", "3/4/20", "2020-04-03"),
        ("due", "2020-03-04", "2020-03-04"),
        ("built", "03.04.2020 17:05", "2020-04-03T17:05"),
        ("seen", "1600000000", "2020-09-13T12:26:40"),
        ("sent", "1600000000000", "2020-09-13T12:26:40"),
        ("any", "12/31/2020", "2020-12-31"),
        ("any", "3/4/2020", "2020-03-04"),
        ("any", "Wed Dec 23 17:38:18 +0000 2009", "2009-12-23T17:38:18"),
        ("any", "December 3rd, 2020 5:07 PM", "2020-12-03T17:07"),
        ("any", "2020-12-03 12 AM UTC", "2020-12-03"),
        ("due", "12/31/2020", "2020-12-31"),
        ("logged", "FRI 03 apr 69 12:05:01.25 AM -0030", "1969-04-03T00:35:01.250"),
        ("week", "2020 12 1", "2020-03-23"),
        *(("when", text, None) for text in ("lots", "12:30", "now", "2020-02-30", "31.12.2020")),
        *(("built", text, None) for text in ("2020-12-31", "03.04.2020", "31.02.2020 10:00")),
        ("seen", "2020-12-31", None),
        ("seen", "1600000000000", None),
        ("logged", "Fri 03 Apr 20 13:05:01.25 AM Z", None),
    ],
)
def test_dates_are_read_as_the_spec_states(dated, tmp_path, column, text, moment):
    import numpy as np

    moments, problems = dates_of(dated, tmp_path / "table.csv", **{column: [text]})
    if moment is None:
        assert problems == [f"{column} is {text!r}, not a date"]
    else:
        assert not problems
        assert moments[column] == [str(np.datetime64(moment, "ms"))]


def test_a_date_depends_on_no_other_row(dated, tmp_path):
    texts = ["31/12/2020", "3/4/2020", "2020-03-04", "12/31/2020", "13/1/2021"]
    together, _ = dates_of(dated, tmp_path / "all.csv", due=texts)
    alone = [dates_of(dated, tmp_path / "one.csv", due=[text])[0]["due"][0] for text in texts]
    assert together["due"] == alone


def test_bad_and_missing_dates(dated, tmp_path):
    import numpy as np

    columns = {"when": ["2020-01-02", "lots", ""], "due": ["", "3/4/2020", "soon"]}
    _, problems = dates_of(dated, tmp_path / "table.csv", **columns)
    assert problems == [
        "when is missing",
        "when is 'lots', not a date",
        "due is 'soon', not a date",
    ]
    data = dated.module("data")
    days = data.open_examples(tmp_path / "table.csv").values["due"][:2]
    np.testing.assert_equal(days, [[np.nan, np.nan], [18_355, 0]])
    tensors = data.time_and_cycles(days, data.spread_of_times(days, 4)).numpy()
    assert np.isnan(tensors[0]).all() and np.isfinite(tensors[1]).all()
    assert data.spread_of_times(days[:1], 4)["edges"] == [[0.0] * 5]


def test_time_is_told_to_the_second_and_goes_round(dated):
    import numpy as np

    data = dated.module("data")
    noon = np.array([[18_355, 43_200 + second] for second in range(3)], "float32")
    time = data.time_and_cycles(noon, data.spread_of_times(noon, 4)).numpy()[:, 0]
    np.testing.assert_allclose(time, [-(1.5**0.5), 0, 1.5**0.5], atol=1e-2)
    # Noon is half a day, a week later is the same day, 400 years later the same in the year.
    moments = np.array([[18_355, 43_200], [18_362, 43_200], [18_355 + 146_097, 0]], "float32")
    parts = data.time_and_cycles(moments, data.spread_of_times(moments, 4)).numpy()
    np.testing.assert_allclose(parts[:2, 4], -1, atol=1e-5)
    np.testing.assert_allclose(parts[0, [2, 5]], parts[1, [2, 5]], atol=1e-3)
    np.testing.assert_allclose(parts[0, [3, 6]], parts[2, [3, 6]], atol=1e-2)


def test_codes_for_a_missing_date_are_none_in_a_table_and_in_serving(tmp_path):
    import numpy as np
    import pandas as pd
    import tensorflow as tf

    inputs = [{"name": "when", "type": "datetime", "column": "Wann", "optional": True}]
    spec = spec_of(inputs, features=[]).given
    codes = {"missing": {"Wann": [19000101, "k. A.", "ÄH"]}}
    with project(validate({**spec, "table": codes}), tmp_path) as made:
        cells = ["19000101", " k. A.", "äh", "19000101.0", "", "N/A", "2020-04-03", "19000102"]
        path, data = tmp_path / "table.csv", made.module("data")
        pd.DataFrame({"Wann": cells}).to_csv(path, index=False)
        examples = data.open_examples(path, with_outputs=False)
        assert not examples.problems
        expected = [[np.nan, np.nan]] * 6 + [[18_355, 0], [-25_566, 0]]
        np.testing.assert_array_equal(examples.values["when"], expected)
        given = data.sent_times(tf.constant(cells), "Wann", data.parse_when, optional=True)
        np.testing.assert_array_equal(given, expected)


def random_moments(chance, count):
    """Dates of all years, leap days, times and zones; also days that no month has."""
    for _ in range(count):
        year = chance.choice(
            [chance.randint(1, 9999), chance.randint(1950, 2068), 1900, 2000, 2024]
        )
        day = chance.choice([chance.randint(1, 28), 28, 29, 30, 31])
        clock = [chance.randrange(24), chance.randrange(60), chance.randrange(60)]
        yield year, chance.randint(1, 12), day, *clock, chance.randint(-1439, 1439)


def iso_8601(chance, count):
    """Dates in the notations of ISO 8601, some with a character too many, too few or another."""
    for year, month, day, hour, minute, second, offset in random_moments(chance, count):
        sign, zone = "-" if offset < 0 else "+", divmod(abs(offset), 60)
        text = chance.choice(
            [
                f"{year:04}-{month:02}-{day:02}",
                f"{year:04}{month:02}{day:02}",
                f"{year:04}/{month}/{day}",
            ]
        )
        fraction = f"{chance.random():.{chance.randint(1, 5)}f}"[1:]
        times = [f"{hour:02}:{minute:02}", f"{hour}:{minute:02}:{second:02}{fraction}"]
        times += [f"{hour:02}{minute:02}{second:02}", f"{hour:02}"]
        zones = [
            "",
            "Z",
            " Z",
            f"{sign}{zone[0]:02}:{zone[1]:02}",
            f" {sign}{zone[0]:02}{zone[1]:02}",
        ]
        timed = chance.random() < 0.8
        text += chance.choice("T ") + chance.choice(times) if timed else ""
        if chance.random() < 0.1:
            place = chance.randrange(4, len(text))
            text = text[:place] + chance.choice(["", "x", "0", "7", "31"]) + text[place + 1 :]
        text += chance.choice(zones) if timed else ""
        yield chance.choice(["", " ", "\u00a0"]) + text + chance.choice(["", "  "])


def in_format(chance, form, count):
    """Dates in a strptime format, in any case, with numbers that no clock and no calendar has."""
    names = [
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    ]
    for year, month, day, hour, minute, second, offset in random_moments(chance, count):
        zone = "{}{:02}{:02}".format("-" if offset < 0 else "+", *divmod(abs(offset), 60))
        parts = {"%Y": f"{year:04}", "%y": f"{year % 100:02}", "%H": hour, "%I": hour % 12 or 12}
        parts |= {
            "%m": chance.choice([month, f"{month:02}"]),
            "%d": chance.choice([day, f"{day:02}"]),
        }
        parts |= {"%M": f"{minute:02}", "%S": chance.choice([second, f"{second:02}"]), "%z": zone}
        parts |= {"%b": names[0][month - 1], "%a": chance.choice(names[1]), "%f": second * 1000}
        parts |= {"%p": chance.choice(["AM", "pm"])}
        text = form
        for directive, part in parts.items():
            text = text.replace(directive, str(part))
        yield chance.choice([text, text.upper(), text.replace("1", "6"), f" {text} "])


@pytest.mark.parametrize(
    ("name", "form"),
    [("when", "ISO8601"), ("built", "%d.%m.%Y %H:%M"), ("logged", "%a %d %b %y %I:%M:%S.%f %p %z")],
)
def test_thousands_of_dates_are_those_of_pandas(dated, name, form):
    """Row by row: pandas takes the finest unit of a column, in which other years may not fit."""
    import numpy as np
    import pandas as pd

    chance = random.Random(name)
    texts = [*(iso_8601(chance, 3000) if name == "when" else in_format(chance, form, 3000))]
    given = np.asarray(getattr(dated.module("data"), f"parse_{name}")(np.array(texts, object)))
    expected = [
        pd.to_datetime(pd.Series([text.strip()]), format=form, errors="coerce", utc=True)[0]
        for text in texts
    ]
    for text, seconds, moment in zip(texts, given, expected, strict=True):
        if moment is pd.NaT:
            assert np.isnan(seconds) or re.search(HOUR_ALONE, text), text
        else:
            exact = moment.to_numpy().astype("datetime64[us]").astype("int64") / 1e6
            assert abs(seconds - exact) < 1e-4, text
    assert 0.5 < np.isfinite(given).mean() < 0.99


def in_words(chance, count):
    """Dates as people write them, each by itself."""
    for year, month, day, hour, minute, second, _ in random_moments(chance, count):
        name = f"{['Jan', 'February', 'MAR', 'Sept.', 'dec'][month % 5]}"
        mark = chance.choice("/.-")
        text = chance.choice(
            [
                f"{day}{mark}{month:02}{mark}{year:04}",
                f"{month}{mark}{day}{mark}{year % 100:02}",
                f"{day}th {name} {year:04}",
                f"Tuesday, {name} {day:02}, {year:04}",
                f"{day}-{name}-{year % 100:02}",
            ]
        )
        times = [
            "",
            f" {hour:02}:{minute:02}",
            f"T{hour}:{minute:02}:{second:02}.5Z",
            f", {hour}pm",
        ]
        yield text + chance.choice([*times, f" {hour}:{minute:02} AM UTC", f" {hour:02}:00+01:00"])


@pytest.mark.parametrize(
    ("name", "form"), [("when", ISO), ("any", MIXED), ("built", "%d.%m.%Y %H:%M")]
)
def test_what_inspect_takes_for_a_date_is_read(dated, name, form):
    import numpy as np
    import polars as pl

    chance = random.Random(1)
    texts = [
        *iso_8601(chance, 1000),
        *in_words(chance, 1000),
        *in_format(chance, "%d.%m.%Y %H:%M", 500),
    ]
    texts = [text.strip() for text in texts]
    frame = pl.Series("due", texts).to_frame()
    found = frame.select(is_date(pl.col("due"), form)).to_series().to_numpy()
    seconds = np.asarray(getattr(dated.module("data"), f"parse_{name}")(np.array(texts, object)))
    assert found.sum() > 200
    missed = found & np.isnan(seconds)
    assert not missed.any(), [text for text, miss in zip(texts, missed, strict=True) if miss]
