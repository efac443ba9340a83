"""Tables as spreadsheets, pandas and R write them: inspect finds what was drawn, and how it was written."""

import csv
import io
import random
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras_scaffold.infer import Overrides, inspect

WORDS = ["red", "green", "blue", "old", "new", "fast", "slow", "round", "flat", "tiny", "größer"]
GENRES = ["rock", "pop", "indie", "jazz", "folk", "hip hop"]


@dataclass(frozen=True)
class Writer:
    """How a program writes a table; `rows` is how it names them: not, by a column or without a header."""

    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    day: str = "%Y-%m-%d"
    encoding: str = "utf-8"
    hole: str = ""
    truth: tuple[str, str] = ("True", "False")
    quoting: int = csv.QUOTE_MINIMAL
    rows: str = ""

    def cell(self, value):
        """A value as text, or a number that is left unquoted."""
        if value is None:
            return self.hole
        if isinstance(value, bool):
            return self.truth[not value]
        if isinstance(value, date):
            return value.strftime(self.day)
        if isinstance(value, float):
            marks = str.maketrans(",.", "\0\1")
            text = f"{value:,.2f}".translate(marks)
            return text.replace("\0", self.thousands).replace("\1", self.decimal)
        return str(value)

    def bytes(self, table):
        """The table as a file's content."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.delimiter, quoting=self.quoting)
        writer.writerow([*([""] if self.rows == "column" else []), *table])
        for place, row in enumerate(zip(*table.values(), strict=True), start=1):
            named = [str(place)] if self.rows else []
            writer.writerow([*named, *map(self.cell, row)])
        return text.getvalue().encode(self.encoding)


R = {"hole": "NA", "truth": ("TRUE", "FALSE"), "quoting": csv.QUOTE_ALL}
GERMAN = {"delimiter": ";", "decimal": ",", "day": "%d.%m.%Y", "truth": ("WAHR", "FALSCH")}
FRENCH = {"delimiter": ";", "decimal": ",", "day": "%d/%m/%Y", "truth": ("oui", "non")}
WRITERS = {
    "Excel, German": Writer(**GERMAN, encoding="utf-8-sig"),
    "Excel, German, old": Writer(**GERMAN, encoding="cp1252"),
    "Excel, German, thousands": Writer(**GERMAN, thousands=".", encoding="utf-8-sig"),
    "Excel, English": Writer(day="%m/%d/%Y", encoding="utf-8-sig", truth=("TRUE", "FALSE")),
    "Excel, English, thousands": Writer(day="%m/%d/%Y", thousands=",", truth=("Yes", "No")),
    "Excel, text": Writer(delimiter="\t", day="%d/%m/%Y", encoding="utf-16"),
    "French": Writer(**FRENCH, thousands=" ", encoding="utf-8-sig"),
    "French, old": Writer(**FRENCH, thousands="\u00a0", encoding="cp1252"),
    "French, thin": Writer(**FRENCH, thousands="\u202f"),
    "Swiss": Writer(**{**GERMAN, "decimal": "."}, thousands="'"),
    "pandas": Writer(),
    "pandas, index": Writer(rows="column"),
    "write.csv": Writer(**R, rows="column"),
    "write.csv2": Writer(**R, delimiter=";", decimal=",", rows="column"),
    "write.table": Writer(**R, rows="no header"),
}


def _measure(rng, rows):
    scale = rng.choice([1, 30, 5000, 10**6])
    return [round(rng.gauss(0, scale), 2) for _ in range(rows)]


def _whole(rng, rows):
    most = rng.choice([40, 300, 90_000])
    return [rng.randint(0, most) + rng.randint(0, 9) for _ in range(rows)]


def _day(rng, rows):
    first = date(rng.randint(1990, 2020), rng.randint(1, 12), 1)
    return [first + timedelta(days=rng.randint(0, 700)) for _ in range(rows)]


def _kind(rng, rows):
    return [rng.choice(["alpha", "beta", "gämma", "delta"]) for _ in range(rows)]


def _text(rng, rows):
    return [" ".join(rng.choice(WORDS) for _ in range(rng.randint(5, 9))) for _ in range(rows)]


def _flag(rng, rows):
    return [rng.random() < 0.4 for _ in range(rows)]


def _counter(rng, rows):
    first = rng.choice([1, 1000])
    return [first + row for row in range(rows)]


def _code(rng, rows):
    return [f"K-{number}" for number in rng.sample(range(10_000, 99_999), rows)]


def _tags(rng, rows):
    mark = rng.choice("|;,")
    return [mark.join(rng.sample(GENRES, rng.randint(1, 4))) for _ in range(rows)]


KINDS = {
    _measure: {"numeric"},
    _whole: {"numeric"},
    _day: {"datetime"},
    _kind: {"categorical"},
    _text: {"text"},
    _flag: {"binary", "categorical"},  # WAHR and oui are words like others
    _counter: {None},
    _code: {None},
    _tags: {"set"},
}


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    program=st.sampled_from(list(WRITERS)),
    wanted=st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=7),
    holes=st.sampled_from([0, 0.03, 0.3]),
    rows=st.integers(80, 200),
    seed=st.integers(0, 10**6),
)
def test_what_is_proposed_is_what_was_drawn(program, wanted, holes, rows, seed, tmp_path_factory):
    rng, writer = random.Random(seed), WRITERS[program]
    table = {"sure": [rng.uniform(0, 5000) for _ in range(rows)]}
    for place, make in enumerate(wanted):
        cells = make(rng, rows)
        table[f"spalte {place}"] = [None if rng.random() < holes else cell for cell in cells]
    table["y"] = [rng.choice(["ja", "nein", "vielleicht"]) for _ in range(rows)]
    path = tmp_path_factory.mktemp("table") / "table.csv"
    path.write_bytes(writer.bytes(table))

    found = inspect(path, Overrides(("y",)))
    columns = {column.name: column for column in found.columns}
    assert {*columns} - {"Unnamed: 0"} == {*table} - {"y"}
    for place, make in enumerate(wanted):
        column = columns[f"spalte {place}"]
        assert column.type in KINDS[make], (make.__name__, column, table[column.name][:5])
        if make is _day:
            assert column.facts["format"] == ("" if "Y-" in writer.day else writer.day)
            assert not column.facts.get("doubtful")
    if writer.rows == "column":
        assert columns["Unnamed: 0"].what == "id"
    stated = found.given.get("table", {})
    assert stated.get("delimiter", ",") == writer.delimiter
    assert (stated.get("decimal", "."), stated.get("thousands", "")) == (
        writer.decimal,
        writer.thousands,
    )
    assert stated.get("encoding", "utf-8") == writer.encoding.removesuffix("-sig") or (
        writer.encoding == "cp1252" and path.read_bytes().isascii()
    )
    assert len(pd.read_csv(path, sep=writer.delimiter, encoding=writer.encoding)) == rows


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    program=st.sampled_from(list(WRITERS)),
    name=st.sampled_from(["patient", "Probe", "Subject ID", "key"]),
    words=st.booleans(),
    holes=st.sampled_from([0, 0.03]),
    seed=st.integers(0, 10**6),
)
def test_groups_are_proposed_however_they_are_written(
    program, name, words, holes, seed, tmp_path_factory
):
    rng, writer = random.Random(seed), WRITERS[program]
    rows = []
    for key in rng.sample(range(1000, 9999), 30):
        base = [rng.gauss(0, 2000) for _ in range(4)]
        for _ in range(rng.randint(3, 8)):
            cells = [b + rng.gauss(0, 50) for b in base]
            cells = [None if rng.random() < holes else cell for cell in cells]
            rows.append([f"P{key}" if words else key, *cells, rng.choice("ab")])
    rng.shuffle(rows)
    header = [name, "v", "w", "größe", "z", "y"]
    path = tmp_path_factory.mktemp("table") / "table.csv"
    path.write_bytes(writer.bytes(dict(zip(header, zip(*rows, strict=True), strict=True))))
    found = inspect(path, Overrides(("y",)))
    assert found.group == name
    assert name not in [column for each in found.inputs for column in each.columns]
