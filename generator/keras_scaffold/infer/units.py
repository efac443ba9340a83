"""Units around numbers, such as $459.00, 8.8% or 12 kg: one for a column, which the project then leaves out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from keras_scaffold.infer.tables import Table

SOME = 200  # cells of a column
MOST = 0.9  # of them are numbers with the unit
FEWEST = 5  # different cells
SIGNS = r"[%‰°$€£¥₹₽₩₺₪₴฿]{1,2}[CF]?"
# Letters are units where a space is before them, or where everybody knows them: 12B is a code.
CURRENCIES = (
    r"(?:US|AU|CA|NZ|HK|R)?\$|USD|EUR|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|Rs\.?|kr\.?"
)
KNOWN = r"USD|EUR|GBP|CHF|kr|kg|g|mg|lbs?|km|m|cm|mm|mi|ft|km/h|mph|kWh|MB|GB|ms|s|h|min|px|pt"
NUMBER = r"[+-]?\d[\d.,'’ \u00a0\u2009\u202f]*"
BEFORE = re.compile(rf"-?(?P<unit>{SIGNS}|{CURRENCIES})\s*{NUMBER}")
AFTER = re.compile(rf"{NUMBER}(?:(?P<unit>\s*(?:{SIGNS}|{KNOWN}))|(?P<word>\s[^\W\d_]{{1,8}}\.?))")


def find_units(table: Table, given: Collection[str] = ()) -> None:
    """Set the units of the table's columns of numbers; not of those whose type is `given`."""
    units = {
        name: [unit]
        for name in table.columns
        if name not in table.arrays
        and name not in given
        and table.native.get(name, "string") == "string"
        and (unit := _unit(table, name))
    }
    table.written = replace(table.written, units=units)


def _unit(table: Table, name: str) -> str:
    """The unit that stands beside nearly all numbers of a column; empty where there is none."""
    cells = table.sample[name].drop_nulls()
    some = [cell.strip() for cell in cells.gather_every(max(1, len(cells) // SOME))]
    some = [cell for cell in some if cell]
    # Most columns are decided by a first few cells.
    if not some or not any(map(_unit_of, some[:20])):
        return ""
    found = Counter(map(_unit_of, some))
    unit, times = found.most_common(1)[0]
    plain = sum(count for other, count in found.items() if other not in ("", unit))
    enough = times >= MOST * len(some) and not plain and len(set(some)) >= FEWEST
    return unit if enough else ""


def _unit_of(cell: str) -> str:
    match = BEFORE.fullmatch(cell) or AFTER.fullmatch(cell)
    if match is None:
        return ""
    return (match["unit"] or match.groupdict().get("word") or "").strip()
