"""Sets of tags: 1 for each known one, whatever the order; unknown ones count for nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from projects import project, small_input, spec_of


@pytest.mark.slow
def test_tags_are_places_by_their_frequency(tmp_path):
    entry = small_input("tags", "set", shape=[3], delimiter=";")
    with project(spec_of([entry], features=[]), tmp_path / "made") as made:
        data, path = made.module("data"), tmp_path / "tags.csv"
        cells = ["b;a", " a ; a;c", "", "c;a", "d"]
        pd.DataFrame({"tags": cells, "label": ["no", "yes", "no", "yes", "no"]}).to_csv(path)
        examples = data.open_examples(path)
        preprocessing = data.Preprocessing.adapt(examples)
        # a is in three rows, c in two; b and d tie, and there is no place for both.
        assert preprocessing.state["tags"] == {"tags": ["a", "c", "b"]}
        batch, _ = next(iter(data.make_dataset(examples, preprocessing, 8)))
        wanted = [[1, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 0, 0]]
        np.testing.assert_array_equal(batch["tags"], wanted)
