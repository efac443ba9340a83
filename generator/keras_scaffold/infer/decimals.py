"""How a table writes its numbers: the decimal mark and the mark between thousands, once for the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from keras_scaffold.infer.cells import Cells
from keras_scaffold.infer.tables import Table

SPACES = (" ", "\u00a0", "\u2009", "\u202f")
THOUSANDS = (",", ".", "'", "’", *SPACES)
# Digits with marks between them. Most columns of texts and dates are none of it at first sight.
LOOKS_NUMERIC = re.compile(rf"[+-]?[\d{''.join(THOUSANDS)}]*\d[\d.,]*([eE][+-]?\d+)?")
MOST = 0.95  # of a column's values are numbers where it is a column of numbers


@dataclass(frozen=True)
class Evidence:
    """What a column shows: the shapes of its numbers (12.5 is 99.9), and how often each occurs."""

    column: str
    shapes: Counter[str]

    def readable(self, decimal: str, thousands: str = "") -> int:
        """How many values are numbers in a notation."""
        pattern = _shape_pattern(decimal, thousands)
        return sum(count for shape, count in self.shapes.items() if pattern.fullmatch(shape))

    def groups(self, decimal: str) -> str:
        """The mark between thousands with which most values are numbers; empty without any."""
        best = self.readable(decimal), ""
        for mark in THOUSANDS:
            # Spaces also stand in telephone numbers, which are all of one shape.
            if mark != decimal and (mark not in SPACES or len(self.shapes) > 1):
                best = max(best, (self.readable(decimal, mark), mark), key=lambda pair: pair[0])
        return best[1]

    def decimals(self) -> str:
        """The decimal marks with which it is a column of numbers: one, either (.,) or none."""
        counts = {mark: self.readable(mark, self.groups(mark)) for mark in ".,"}
        most = max(counts.values())
        enough = most >= MOST * self.shapes.total() > 0
        return "".join(mark for mark in ".," if enough and counts[mark] == most)

    def likely_decimal(self) -> str:
        """The decimal mark where another mark stands between thousands alone: 9.066 beside 105."""
        plain = sum(count for shape, count in self.shapes.items() if shape.isalnum())
        short = all(len(shape) <= 3 for shape in self.shapes if shape.isalnum())
        enough = short and plain >= max(3, 0.1 * self.shapes.total())
        fits = [mark for mark in ".," if enough and self._grouped(mark)]
        return "".join(fits).translate(str.maketrans(".,", ",."))

    def _grouped(self, mark: str) -> bool:
        """Whether every value has a mark between all its thousands, and nowhere else."""
        pattern = re.compile(rf"[+-]?9{{1,3}}({re.escape(mark)}9{{3}})*")
        return self.marked and all(
            pattern.fullmatch(shape.replace("Z", "9")) for shape in self.shapes
        )

    @property
    def marked(self) -> bool:
        """Whether a point or a comma is in its values."""
        return any("." in shape or "," in shape for shape in self.shapes)


def _shape_pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    """The shapes of numbers in a notation; Z is a zero in front, which begins no thousands."""
    grouped = rf"|9{{1,3}}({re.escape(thousands)}9{{3}})+" if thousands else ""
    return re.compile(rf"(?=.*[9Z])[+-]?(Z?9*{grouped})({re.escape(decimal)}9*)?([eE][+-]?9+)?")


def find_number_notation(
    table: Table, targets: Sequence[str], given: Mapping[str, str], dropped: Sequence[str] = ()
) -> list[str]:
    """Set the marks of the table's numbers, and the columns that contradict them; warnings.

    `given` are marks that a person states, as a spec's `table` has them.
    """
    columns = [name for name in table.columns if name not in dropped]
    seen = [found for name in columns if (found := _evidence(table, name))]
    decimals = {found.column: found.decimals() for found in seen}
    certain = {name: mark for name, mark in decimals.items() if len(mark) == 1}
    likely = Counter(found.likely_decimal() for found in seen)
    votes = (
        Counter(certain[name] for name in targets if name in certain)
        or Counter(certain.values())
        or Counter({mark: likely[mark] for mark in ".," if likely[mark]})
    )
    decimal = given.get("decimal") or max(".,", key=lambda mark: votes[mark])
    groups = Counter(
        mark
        for found in seen
        if decimal in decimals[found.column] and (mark := found.groups(decimal))
    )
    found_mark = max(groups, key=lambda mark: groups[mark], default="")
    thousands = given.get("thousands", found_mark)
    table.written = replace(table.written, decimal=decimal, thousands=thousands)
    odd = [
        found
        for found in seen
        if decimals[found.column]
        and found.readable(decimal, thousands) < MOST * found.shapes.total()
    ]
    table.other_notation = {found.column: _example(table, found.column) for found in odd}
    either = [name for name, marks in decimals.items() if len(marks) == 2 and not given]
    return _warnings(table, [f for f in seen if f.column in either and f.marked], certain)


def _warnings(table: Table, either: list[Evidence], certain: dict[str, str]) -> list[str]:
    """What a person should look at: columns that contradict the others, or allow two readings."""
    odd, decimal = table.other_notation, table.written.decimal
    other = "," if decimal == "." else "."
    warnings = [
        f"{name}: numbers written like {example}, other columns write {_like(table)}; set aside. A"
        f" table has one notation: rewrite the column, or read the others so: --decimal {other}"
        for name, example in odd.items()
    ]
    # A decimal mark that a column proves holds for the file; 1.234 in a CSV with commas is usual.
    doubtful = [
        found.column
        for found in either
        if found.column not in odd
        and (set(certain.values()) == {".", ","} or not certain)
        and (found.groups(decimal) or table.written.delimiter == ";")
    ]
    if doubtful:
        example = _example(table, doubtful[0])
        plain = re.sub(r"[^\d.,]", "", example)
        mark = next(character for character in plain if character in ".,")
        read, else_read = plain.replace(mark, ""), plain.replace(mark, ".")
        read, else_read = (read, else_read) if mark != decimal else (else_read, read)
        warnings.append(
            f"{', '.join(doubtful)}: {example} is read as {read}; if it is {else_read}:"
            f" --decimal {other}"
        )
    return warnings


def _like(table: Table) -> str:
    """`1,234.5` in the table's notation."""
    return f"1{table.written.thousands}234{table.written.decimal}5"


def _example(table: Table, name: str) -> str:
    """A value of a column that has a mark in it."""
    values = Cells.of(table, name).values
    marked = values.filter(values.str.contains(r"\d[^\d]\d"))
    return str((marked if len(marked) else values)[0])[:30]


def _evidence(table: Table, name: str) -> Evidence | None:
    if name in table.arrays or table.native.get(name, "string") != "string":
        return None
    cells = Cells.of(table, name)
    if cells.share(LOOKS_NUMERIC, 50) < 0.8:
        return None
    shapes = cells.values.str.replace(r"^([+-]?)0", "${1}Z").str.replace_all(r"\d", "9")
    return Evidence(name, Counter(dict(shapes.alias("shape").value_counts().iter_rows())))
