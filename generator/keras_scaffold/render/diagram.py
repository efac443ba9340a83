"""The model as text for a terminal: branches flow down into merges, and those into the heads.

   ┌─ chart     picture 100x100x3  cnn            → 128
   ├─ headline  text 64            embedding_bag  → 32 → Dense 128
┌─ ▼ multiply                                     → 128
├─ indicators   numbers 20         mlp            → 32
▼ concatenate                                     → 160
└▶ direction    one of two         Dense 64 → 1, sigmoid
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keras_scaffold.catalog import load_catalog
from keras_scaffold.spec import Input, Merge, Output, Spec
from keras_scaffold.spec.notation import shape_text

COLUMNS = 100
ASCII = str.maketrans("┌├└│╎─▼▶→…«»·▁▂▃▄▅▆▇█", ",+`|:-v>>~<>_.:-=+*%#")
GAP = "  "


@dataclass(frozen=True)
class Row:
    """A line of the diagram: its wires and name, then what is lined up in columns behind."""

    label: str
    what: str = ""
    how: str = ""
    width: str = ""


def draw(spec: Spec, columns: int = COLUMNS) -> str:
    """The diagram of a checked spec, no line over `columns` wide."""
    return draw_partial(spec.inputs, spec.merge, spec.outputs, columns)


def draw_partial(
    inputs: Sequence[Input],
    merge: Merge | None = None,
    outputs: Sequence[Output] = (),
    columns: int = COLUMNS,
) -> str:
    """The diagram of a spec under construction: its entries, and the merge once known."""
    if merge is None:
        apart = Merge("concatenate", tuple(entry.name for entry in inputs))
        rows = [*_Tree(inputs, apart).operands(apart), Row("╎")]
    else:
        rows = [*_Tree(inputs, merge).rows(), *_heads(outputs)]
    return "\n".join(_lines(rows, columns))


def for_encoding(text: str, encoding: str | None) -> str:
    """The text as it is, or in ASCII where a terminal of this encoding cannot show it."""
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return text.translate(ASCII)
    return text


class _Tree:
    """The rows of a merge tree; an operand's rows stand above the merge that takes them."""

    def __init__(self, inputs: Sequence[Input], merge: Merge) -> None:
        self.inputs = {entry.name: entry for entry in inputs}
        self.widths = {entry.name: entry.width for entry in inputs}
        self.merge = merge
        self.shown: set[str] = set()
        # Three columns a level are easier to read; two are what the deepest trees have room for.
        self.step = 3 if _depth(merge) <= 16 else 2

    def rows(self) -> Iterator[Row]:
        yield from self.operands(self.merge)
        alone = len(self.merge.of) == 1 and load_catalog().merges[self.merge.method].width == "sum"
        if alone:  # one input side by side with nothing: there is no merge to show
            yield Row("│")
        else:
            yield self._operand(self.merge, "", 0)

    def operands(self, merge: Merge, wires: str = "") -> Iterator[Row]:
        _, common = merge.widths(self.widths)
        for place, operand in enumerate(merge.of):
            if isinstance(operand, Merge):
                # This merge's wire passes by only where an operand above has begun it.
                passing = "│" if place else " "
                yield from self.operands(operand, wires + passing.ljust(self.step))
            connector = "├─" if place else "┌─"
            yield self._operand(operand, wires + connector.ljust(self.step), common)

    def _operand(self, operand: str | Merge, wires: str, common: int) -> Row:
        if isinstance(operand, Merge):
            width, _ = operand.widths(self.widths)
        else:
            width = self.widths[operand]
        flow = f"→ {width}"
        if common and width != common:
            flow += f" → Dense {common}"  # the projection to the merge's width
        if isinstance(operand, Merge):
            return Row(f"{wires}▼ {operand.method}", width=flow)
        if operand in self.shown:
            return Row(f"{wires}{operand}", "as above", width=flow)
        self.shown.add(operand)
        entry = self.inputs[operand]
        if entry.like:
            return Row(f"{wires}{operand}", f"like {entry.like}", width=flow)
        what = f"{entry.type.title} {shape_text(entry.shape)}"
        return Row(f"{wires}{operand}", what, entry.encoder.name, flow)


def _depth(merge: Merge) -> int:
    return 1 + max((_depth(below) for below in merge.of if isinstance(below, Merge)), default=0)


def _heads(outputs: Sequence[Output]) -> Iterator[Row]:
    for place, entry in enumerate(outputs, start=1):
        sizes = " → ".join(str(size) for size in (*entry.fields["units"], entry.size))
        corner = "└" if place == len(outputs) else "├"
        how = f"Dense {sizes}, {entry.task.activation}"
        yield Row(f"{corner}▶ {entry.name}", entry.task.title, how)


def _lines(rows: list[Row], columns: int) -> Iterator[str]:
    """In columns where that fits; else each row for itself, its end cut where it must be."""
    label = max(len(row.label) for row in rows)
    what = max(len(row.what) for row in rows)
    how = max((len(row.how) for row in rows if row.width), default=0)
    lines = [
        GAP.join([row.label.ljust(label), row.what.ljust(what), row.how.ljust(how), row.width])
        for row in rows
    ]
    if any(len(line.rstrip()) > columns for line in lines):
        lines = [
            GAP.join(cell for cell in (row.label, row.what, row.how, row.width) if cell)
            for row in rows
        ]
    for line in lines:
        line = line.rstrip()
        yield line if len(line) <= columns else line[: columns - 1] + "…"
