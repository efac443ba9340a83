"""Arrays: a table and an .npz of the same rows give the same batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from conftest import Trained

from seed_concatenate import data
from seed_concatenate.data import INPUTS, make_dataset, open_examples
from seed_concatenate.manifest import DataError


def test_arrays_give_the_batches_of_the_table(trained: Trained, tmp_path: Path) -> None:
    """Each array is read as what it stands for."""
    few = trained.examples.take(np.arange(8))
    values = dict(few.values)
    load = data.load_picture
    loaded = [load(tf.constant(path)) for path in values["picture"]]
    values["picture"] = np.stack(loaded)
    path = tmp_path / "few.npz"
    written: dict[str, Any] = {
        name: value.astype(str) if value.dtype == object else value
        for name, value in values.items()
    }
    np.savez(path, **written)
    wanted = next(iter(make_dataset(few, trained.preprocessing, 8)))
    given = next(iter(make_dataset(open_examples(path), trained.preprocessing, 8)))
    for name in INPUTS:
        np.testing.assert_array_equal(given[0][name], wanted[0][name])
    for name, target in wanted[1].items():
        np.testing.assert_array_equal(given[1][name], target)

    written.pop(INPUTS[0])
    np.savez(path, **written)
    with pytest.raises(DataError, match=f"no array '{INPUTS[0]}'"):
        open_examples(path)
