"""Arrays: an .npz in the place of a table, with one array for each input and output name."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import tensorflow as tf

from stock_story.manifest import DataError, Examples

# The type and the shape of a row of each array; None is any size.
INPUTS: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "indicators": ("float32", (6,)),
    "fundamentals": ("float32", (4,)),
    "news": ("str", ()),
    "chart": ("uint8", (64, 64, 3)),
}
# The columns of the targets, which are read and checked as those of a table.
OUTPUTS = {
    "direction": "direction",
}


def open_arrays(path: Path) -> Examples:
    """Read an .npz, as np.savez writes it; an array of one value a row is a column too."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {n: a.astype(str) if a.dtype.kind == "S" else a for n, a in file.items()}
        values = {n: arrays[n].astype(t, casting="same_kind") for n, (t, _) in INPUTS.items()}
    except KeyError as error:
        raise DataError(f"{path}: no array {error}; it has {', '.join(arrays)}") from None
    except (OSError, ValueError, EOFError, TypeError, BadZipFile) as error:
        raise DataError(f"{path}: cannot be read as arrays: {error}") from None
    for name, (dtype, sizes) in INPUTS.items():
        array = values[name]
        if not tf.TensorShape((None, *sizes)).is_compatible_with(array.shape):
            raise DataError(f"{path}: {name} has the shape {array.shape}, not (rows, *{sizes})")
        values[name] = array.astype(object) if dtype == "str" else array
    known = {n: a for n, a in arrays.items() if n in {*INPUTS, *OUTPUTS, "split"}}
    counts = {name: len(a) if name in INPUTS else a.size for name, a in known.items()}
    rows = min(counts.values())
    if rows == 0 or rows < max(counts.values()):
        raise DataError(f"{path}: arrays need the same number of rows, not 0; here are {counts}")
    columns = {name: a.ravel() for name, a in arrays.items() if a.size == rows}
    columns |= {column: columns.pop(name) for name, column in OUTPUTS.items() if name in columns}
    examples = Examples(path, pd.DataFrame(columns, pd.RangeIndex(1, rows + 1)), values)
    for name, (dtype, sizes) in INPUTS.items():
        if dtype == "float32" and None not in sizes:  # series are padded with NaN
            finite = np.isfinite(values[name]).all(axis=1)
            examples.note(~finite, name, "is not a finite number")
    return examples
