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
OUTPUTS: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "direction": ("str", ()),
}


def open_arrays(path: Path, with_outputs: bool) -> Examples:
    """Read an .npz, as np.savez writes it; without outputs to predict."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, EOFError, TypeError, BadZipFile) as error:
        raise DataError(f"{path}: cannot be read as arrays: {error}") from None
    wanted = {**INPUTS, **OUTPUTS} if with_outputs else INPUTS
    for name, (dtype, sizes) in wanted.items():
        if name not in arrays:
            raise DataError(f"{path}: no array {name!r}; it has {', '.join(arrays)}")
        array = arrays[name].astype(dtype)
        if sizes == (1,) and array.ndim == 1:
            array = array[:, None]
        if not tf.TensorShape((None, *sizes)).is_compatible_with(array.shape):
            raise DataError(f"{path}: {name} has the shape {array.shape}, not (rows, *{sizes})")
        arrays[name] = array.astype(object) if dtype == "str" else array
    values = {name: arrays[name] for name in wanted}
    if len({len(array) for array in values.values()}) != 1 or not len(array):
        raise DataError(f"{path}: the arrays must have the same number of rows, at least one")
    columns = {name: column for name, column in arrays.items() if column.ndim == 1}
    examples = Examples(path, pd.DataFrame(columns, pd.RangeIndex(1, len(array) + 1)), values)
    for name, (dtype, sizes) in wanted.items():
        if dtype == "float32" and None not in sizes:  # series are padded with NaN
            finite = np.isfinite(values[name]).all(axis=1)
            examples.note(~finite, name, "is not a finite number", target=name in OUTPUTS)
    return examples
