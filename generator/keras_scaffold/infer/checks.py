"""The section Check of an inspection: each column that is no input, why, and the option that makes it one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from keras_scaffold.catalog import load_catalog
from keras_scaffold.infer.cells import Column
from keras_scaffold.spec import one_line

FILES = ("picture", "pictures", "series", "file")
# The kind as which a column can be read that --keep cannot restore, by what it is.
READ_AS = {
    "address": "texts",
    "time of day": "labels",
    "number with marks": "labels",
}
NO_OPTION = (*FILES, "empty", "split", "nested", "array")  # the reason has the fix
NAMED = 4  # columns of a line
MOST_LINES = 40


def aside_lines(columns: Sequence[Column], warnings: Sequence[str]) -> list[str]:
    """A line for the columns of each reason; none for those that a warning names."""
    warned = {warning.partition(": ")[0] for warning in warnings if "set aside" in warning}
    groups: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        if column.aside and column.name not in warned:
            groups.setdefault((column.aside, _type_by_hand(column) or ""), []).append(column)
    lines = [_line(group) for group in groups.values()]
    if len(lines) > MOST_LINES:
        more = f"and {len(lines) - MOST_LINES} more reasons; --json lists all columns"
        lines = [*lines[:MOST_LINES], more]
    return lines


def _line(group: Sequence[Column]) -> str:
    names = ", ".join(one_line(column.name) or '""' for column in group[:NAMED])
    if len(group) > NAMED:
        names += f" … ({len(group)} columns)"
    options = [option for column in group[:NAMED] if (option := use_option(column))]
    use = f"; to use {'it' if len(group) == 1 else 'them'}: {' '.join(options)}" if options else ""
    return f"{names}: no input: {group[0].aside}{use}"


def _type_by_hand(column: Column) -> str | None:
    """The type that reads a column which --keep cannot restore; None for others."""
    return load_catalog().type_for(READ_AS.get(column.what, ""))


def use_option(column: Column) -> str:
    """The option that makes an input of a column that was set aside; empty where there is none."""
    if column.what in NO_OPTION or column.aside == CHOSEN or "rename" in column.aside:
        return ""
    if kind := _type_by_hand(column):
        return f"--as {shlex.quote(f'{column.name}:{kind}')}"
    return f"--keep {shlex.quote(column.name)}"


CHOSEN = "as you chose"
