"""Tables drawn at random and written as people write them: inspect proposes what was drawn."""

import csv
import io
import random
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras_scaffold.infer import Overrides, inspect

NAMES = ["x1", "index", "idx", "row", "amount", "subject", "when", "id", "no", "v"]
IDS = ("id", "no", "index", "idx", "row", "subject")
WORDS = ["red", "green", "blue", "old", "new", "fast", "slow", "round", "flat", "tiny"]
MARKS = [(".", ""), (".", ","), (",", ""), (",", "."), (",", " "), (",", "\u00a0"), (".", "'")]


@dataclass(frozen=True)
class Writer:
    """How numbers are written in a table."""

    decimal: str
    thousands: str

    def number(self, value, places=2):
        swapped = {",": self.thousands, ".": self.decimal}
        return "".join(swapped.get(c, c) for c in f"{value:,.{places}f}")


def _measure(rng, rows, written):
    scale = rng.choice([1, 30, 5000, 10**6])
    return [written.number(rng.gauss(0, scale)) for _ in range(rows)]


def _whole(rng, rows, written):
    most = rng.choice([40, 300, 90_000])
    return [written.number(rng.randint(0, most) + rng.randint(0, 9), 0) for _ in range(rows)]


def _percent(rng, rows, written):
    return [f"{written.number(rng.uniform(0, 100), 1)}%" for _ in range(rows)]


def _counter(rng, rows, written):
    first = rng.choice([0, 1, 10_000])
    return [str(first + row) for row in range(rows)]


def _long_id(rng, rows, written):
    digits = rng.choice([10, 11, 13, 18])
    least = max(3 * 10**12, 10 ** (digits - 1)) if digits == 13 else 2 * 10 ** (digits - 1) + 10**9
    return [str(rng.randrange(least, 10**digits)) for _ in range(rows)]


def _day(rng, rows, written):
    form = rng.choice(["{0:04}{1:02}{2:02}", "{0:04}-{1:02}-{2:02}", "{2:02}.{1:02}.{0:04}"])
    return [
        form.format(rng.randint(1990, 2030), rng.randint(1, 12), rng.randint(1, 28))
        for _ in range(rows)
    ]


def _unix(rng, rows, written):
    unit = rng.choice([1, 1000])
    return [str((1_200_000_000 + rng.randint(0, 4 * 10**8)) * unit) for _ in range(rows)]


def _price(rng, rows, written):
    digits = rng.choice([6, 7, 8])
    return [str(rng.randrange(10 ** (digits - 1), 10**digits)) for _ in range(rows)]


def _kind(rng, rows, written):
    return [rng.choice(["alpha", "beta", "gamma", "delta"]) for _ in range(rows)]


def _text(rng, rows, written):
    return [" ".join(rng.choice(WORDS) for _ in range(rng.randint(5, 9))) for _ in range(rows)]


TYPES = {
    _measure: "numeric",
    _whole: "numeric",
    _percent: "numeric",
    _price: "numeric",
    _counter: None,
    _long_id: None,
    _day: "datetime",
    _unix: "datetime",
    _kind: "categorical",
    _text: "text",
}


def write(folder, table, delimiter=","):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([list(table), *zip(*table.values(), strict=True)])
    path = folder / "table.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    wanted=st.lists(st.sampled_from(list(TYPES)), min_size=1, max_size=6),
    names=st.permutations(NAMES),
    marks=st.sampled_from(MARKS),
    delimiter=st.sampled_from(",;\t"),
    holes=st.sampled_from([0, 0.02, 0.3]),
    rows=st.integers(100, 250),
    seed=st.integers(0, 10**6),
)
def test_types_are_those_that_were_drawn(
    wanted, names, marks, delimiter, holes, rows, seed, tmp_path_factory
):
    rng = random.Random(seed)
    written = Writer(*marks)
    table = {"sure": [written.number(rng.uniform(0, 5000)) for _ in range(rows)]}
    for name, make in zip(names, wanted, strict=False):
        cells = make(rng, rows, written)
        table[name] = ["" if rng.random() < holes else cell for cell in cells]
    table["y"] = [rng.randint(0, 1) for _ in range(rows)]
    found = inspect(write(tmp_path_factory.mktemp("table"), table, delimiter), Overrides(("y",)))
    types = {column.name: column.type for column in found.columns}
    for name, make in zip(names, wanted, strict=False):
        # Under a name of an id, whole numbers that never repeat are one.
        if not (TYPES[make] == "numeric" and name in IDS):
            assert types[name] == TYPES[make], (name, make.__name__, table[name][:9])
    stated = found.given.get("table", {})
    assert stated.get("decimal", ".") == marks[0]
    assert stated.get("thousands", "") in (marks[1], "")
    assert found.group in ("", "id", "subject")  # which may repeat
    named = {name for line in found.checks for name in line.partition(": ")[0].split(", ")}
    assert named >= {name for name, type in types.items() if type is None}


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(
    groups=st.integers(12, 60),
    each=st.integers(3, 12),
    columns=st.integers(3, 8),
    name=st.sampled_from(NAMES[5:]),
    words=st.booleans(),
    tells=st.booleans(),
    shuffled=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_groups_are_those_that_were_drawn(
    groups, each, columns, name, words, tells, shuffled, seed, tmp_path_factory
):
    rng = random.Random(seed)
    keys = rng.sample(range(100, 1000), groups)
    rows = []
    for place, key in enumerate(keys):
        base = [rng.gauss(0, 1) for _ in range(columns)]
        for _ in range(each):
            y = place % 2 if tells else rng.randint(0, 1)
            cells = [f"{b + rng.gauss(0, 0.1):.3f}" for b in base]
            rows.append([f"p{key}" if words else key, *cells, y])
    if shuffled:
        rng.shuffle(rows)
    header = [name, *(f"f{place}" for place in range(columns)), "y"]
    table = dict(zip(header, zip(*rows, strict=True), strict=True))
    found = inspect(write(tmp_path_factory.mktemp("table"), table), Overrides(("y",)))
    assert found.group == name
    assert name not in [column for each in found.inputs for column in each.columns]


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(
    low=st.integers(1, 10**9),
    size=st.integers(10**4, 10**10),
    rows=st.integers(30, 150),
    seed=st.integers(0, 10**6),
)
def test_plain_numbers_are_no_dates(low, size, rows, seed, tmp_path_factory):
    """But for numbers that all lie within the last thirty years of Unix times."""
    if low >= 7 * 10**8 and low + size < 1.9 * 10**9:
        return
    rng = random.Random(seed)
    cells = [low, low + size, *(rng.randint(low, low + size) for _ in range(rows))]
    table = {
        "v": cells,
        "x": [rng.random() for _ in cells],
        "y": [rng.randint(0, 1) for _ in cells],
    }
    found = inspect(write(tmp_path_factory.mktemp("table"), table), Overrides(("y",)))
    assert found.columns[0].what != "date"


@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_has_the_type_of_its_values(seed, tmp_path):
    rng = random.Random(seed)
    table = {make.__name__: make(rng, 150, Writer(".", "")) for make in TYPES}
    path = write(tmp_path, {**table, "y": [rng.randint(0, 1) for _ in range(150)]})
    kept = tuple(make.__name__ for make, type in TYPES.items() if type is None)
    found = inspect(path, Overrides(("y",), keep=kept))
    assert {c.name: c.type for c in found.columns if c.name in kept} == dict.fromkeys(
        kept, "numeric"
    )
