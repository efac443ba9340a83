"""Sequences of events: the last ones count; unknown ones, and none at all, are one event."""

from __future__ import annotations

import numpy as np
import pytest
from projects import project, small_input, spec_of


@pytest.mark.slow
def test_the_last_events_are_kept(tmp_path):
    import tensorflow as tf

    visits = small_input("visits", "sequence", shape=[3], vocabulary=6, delimiter="|")
    with project(spec_of([visits], features=[]), tmp_path) as made:
        data = made.module("data")
        fitted = data.most_frequent_tags(np.array(["a|b|c|d|e|f|g"], object), "|", 6)
        embedding = made.module("model").build_model().get_layer("visits.embedding")
        assert embedding.input_dim == len(fitted["tags"]) + 2  # padding, unknown events
        known = {"tags": ["home", "cart", "pay"]}
        preprocessing = data.Preprocessing({"visits": known, "label": {"labels": ["a", "b"]}})
        texts = ["home | cart", "pay|pay|home|cart", "", "new|pay", " home || cart "]
        ids = preprocessing.inputs({"visits": tf.constant(texts)})["visits"].numpy()
    home, cart, pay, other = 2, 3, 4, 1
    wanted = [[home, cart, 0], [pay, home, cart], [other, 0, 0], [other, pay, 0], [home, cart, 0]]
    np.testing.assert_array_equal(ids, wanted)
