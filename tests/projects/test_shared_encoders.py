"""Inputs that are like another one: one encoder, one fitted state; and the merge that compares them."""

from __future__ import annotations

import json
import random

import pytest
from projects import (
    ENCODERS,
    Project,
    assert_same,
    check_life,
    check_structure,
    project,
    small_input,
    small_output,
    spec_of,
    tensors,
)

WORDS = ["red", "blue", "round", "flat", "old", "new", "big", "tiny"]
COMPARED = {"method": "comparator", "of": ["left", "right"]}


def pair(kind: str, encoder: str | None = None, **more: object):
    return [small_input("left", kind, encoder, **more), {"name": "right", "like": "left"}]


def branches(made: Project):
    """A model of the branches before they are merged."""
    import keras

    model = made.module("model").build_model()
    encoder = model.get_layer("left.encoder")
    return model, keras.Model(model.input, [encoder(model.input[name]) for name in model.input])


@pytest.mark.parametrize(("kind", "encoder"), ENCODERS)
def test_weights_are_shared(kind, encoder, tmp_path):
    """As many weights as one encoder has, and the same vector of the same values."""
    import numpy as np

    optional = len(encoder) % 2 == 0
    with project(spec_of(pair(kind, encoder, optional=optional), features=[]), tmp_path) as made:
        check_structure(made)
        model, encoded = branches(made)
        features = model.input["left"]
        alone = made.module("model").encode_left(features)
        assert alone.shape == encoded.output[0].shape == encoded.output[1].shape
        heads = [layer for layer in model.layers if layer.name.startswith("label.")]
        counted = [model.get_layer("left.encoder"), *heads]
        assert model.count_params() == sum(each.count_params() for each in counted)
        values = tensors(made, made.sample(16))["left"]
        left, right = encoded.predict({"left": values, "right": values}, verbose=0)
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in ENCODERS}))
def test_the_state_is_fitted_to_both_and_the_same_values_are_the_same_tensors(kind, tmp_path):
    import numpy as np

    with project(spec_of(pair(kind), features=[]), tmp_path) as made:
        data = made.module("data")
        examples = data.open_examples(made.sample())
        one, *others = (examples.values["left"][np.full(48, row)] for row in range(48))

        def state_of(left, right):
            examples.values |= {"left": left, "right": right}
            fitted = data.Preprocessing.adapt(examples).state
            assert "right" not in fitted
            return comparable(fitted.get("left"))

        alone, other = state_of(one, one), others[0]
        if alone is not None:
            other = next(each for each in others if state_of(each, each) != alone)
            assert state_of(one, other) == state_of(other, one)
        examples.values |= {"left": other, "right": other}
        batches = data.make_dataset(examples, data.Preprocessing.adapt(examples), 48)
        inputs = next(iter(batches))[0]
        np.testing.assert_array_equal(inputs["left"], inputs["right"])


def comparable(state):
    """A fitted state whose numbers have six digits, and whose words no order."""
    if isinstance(state, dict):
        return {key: comparable(value) for key, value in state.items()}
    if isinstance(state, list):
        return sorted((comparable(value) for value in state), key=str)
    return float(f"{state:.6g}") if isinstance(state, float) else state


def test_series_of_arrays_may_be_of_different_lengths(tmp_path):
    """Their state is that of the same series in files."""
    import numpy as np
    import pandas as pd

    with project(spec_of(pair("timeseries"), features=["arrays"]), tmp_path) as made:
        data, rng = made.module("data"), np.random.default_rng(0)
        series = {"left": rng.normal(5, 1, (4, 3, 4)), "right": rng.normal(-5, 2, (4, 7, 4))}
        labels = ["a", "b"] * 2
        np.savez(tmp_path / "series.npz", **series, label=labels)
        table = pd.DataFrame({"label": labels})
        for name, arrays in series.items():
            table[name] = [f"{name}_{row}.npy" for row in range(4)]
            for path, array in zip(table[name], arrays, strict=True):
                np.save(tmp_path / path, array)
        table.to_csv(tmp_path / "series.csv", index=False)
        of_files, of_arrays = (
            data.Preprocessing.adapt(data.open_examples(tmp_path / f"series.{suffix}"))
            for suffix in ("csv", "npz")
        )
        assert of_arrays.state == of_files.state
        assert_same(
            tensors(made, tmp_path / "series.npz", of_files),
            tensors(made, tmp_path / "series.csv", of_files),
        )


def test_a_vocabulary_has_the_words_of_both(tmp_path):
    import numpy as np
    import pandas as pd

    with project(spec_of(pair("text", vocabulary=50), features=[]), tmp_path) as made:
        path = tmp_path / "words.csv"
        rows = {"left": ["alpha beta"] * 9, "right": ["gamma beta"] * 9, "label": [0, 1, 0] * 3}
        pd.DataFrame(rows).to_csv(path, index=False)
        seen = {name: np.asarray(values) for name, values in tensors(made, path).items()}
        assert 1 not in seen["left"]  # no unknown token
        assert 1 not in seen["right"]
        assert seen["left"][0][1] == seen["right"][0][1]
        assert seen["left"][0][0] != seen["right"][0][0]
        assert np.unique([*seen["left"][0], *seen["right"][0]]).size == 4  # with padding


def test_both_inputs_train_the_encoder(tmp_path):
    """The gradient through each input alone reaches the same variables."""
    import keras
    import numpy as np
    import tensorflow as tf

    spec = spec_of(pair("text", vocabulary=50), COMPARED, features=[])
    with project(spec, tmp_path) as made:
        values = tensors(made, made.sample(16))
        model, encoded = branches(made)
        variables = model.get_layer("left.encoder").trainable_variables
        for place in (0, 1):
            with tf.GradientTape() as tape:
                total = keras.ops.sum(encoded({name: values[name] for name in model.input})[place])
            norms = [
                float(tf.norm(tf.convert_to_tensor(each)))
                for each in tape.gradient(total, variables)
            ]
            assert len(norms) == len(variables)
            assert (np.array(norms) > 0).all(), norms


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
@pytest.mark.parametrize(
    "inputs",
    [
        [*pair("text", optional=True), small_input("numbers", "numeric", shape=[2])],
        [*pair("numeric"), *pair("image")],
        pair("timeseries", optional=True)[::-1],
        pair("categorical"),
        [*pair("set"), *pair("datetime")],
        pair("binary"),
    ],
    ids=["text", "numeric and image", "timeseries", "categorical", "set and datetime", "binary"],
)
def test_a_life(inputs, tmp_path):
    """With every feature: train, evaluate, predict, save, load, export."""
    named = []
    for number, entry in enumerate(inputs):
        entry = dict(entry, name=f"{entry['name']}{number // 2}")
        named.append({**entry, "like": f"{entry['like']}{number // 2}"} if entry["like"] else entry)
    outputs = [small_output("label", "binary"), small_output("price", "regression")]
    features = ["ensemble", "calibration", "arrays", "baselines", "report", "warm-start"]
    with project(spec_of(named, outputs=outputs, features=features), tmp_path) as made:
        check_life(made, tmp_path)
        run = made.folder / "runs" / "one"
        made.ok("export", "--run", run)
        again = ("--epochs", 1, "--batch-size", 16, "--members", 2, "--init-from", run)
        out = made.ok("train", "--data", made.sample(), "--run", run.with_name("two"), *again)
        assert "Initialized from" in out
        assert "right0" not in out.split("Member")[0]


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
def test_two_alike_texts_are_compared(tmp_path):
    """Whether two texts share more than two of four words: no text alone says it."""
    import numpy as np
    import pandas as pd
    import tensorflow as tf

    rng = random.Random(1)
    rows = []
    for _ in range(1500):
        a, b = rng.sample(WORDS, 4), rng.sample(WORDS, 4)
        rows.append((" ".join(a), " ".join(b), int(len({*a} & {*b}) > 2)))
    path = tmp_path / "texts.csv"
    table = pd.DataFrame(rows, columns=["left", "right", "same"])
    table.to_csv(path, index=False)
    left = {"name": "left", "type": "text"}
    outputs = [{"name": "same", "task": "binary"}]
    spec = spec_of([left, {"name": "right", "like": "left"}], COMPARED, outputs, features=[])
    with project(spec, tmp_path) as made:
        run = tmp_path / "run"
        made.ok("train", "--data", path, "--run", run, "--epochs", 60)
        result = json.loads(made.ok("evaluate", "--run", run, "--data", path, "--json"))
        accuracy = result["outputs"]["same"]["accuracy"]
        assert accuracy > 0.1 + max(table["same"].mean(), 1 - table["same"].mean()), result
        made.ok("export", "--run", run)
        served = tf.saved_model.load(str(run / "saved_model"))
        model, preprocessing, _ = made.module("evaluate").open_run(run)
        examples = made.module("data").open_examples(path).take(np.arange(9))
        batches = made.module("data").make_dataset(examples, preprocessing, 9, with_targets=False)
        y_pred = model.predict(batches, verbose=0)
        raw = {name: tf.constant(table[name][:9].tolist()) for name in ("left", "right")}
        assert_same(y_pred, served.serve(raw), rtol=1e-4, atol=1e-5)
        # The order of the two does not matter.
        turned = {"left": raw["right"], "right": raw["left"]}
        assert_same(y_pred, served.serve(turned), rtol=1e-4, atol=1e-5)


def test_a_comparator_is_its_equations(tmp_path):
    """|a - b| beside a * b, also of branches that are projected; saved and loaded."""
    import keras
    import numpy as np

    inputs = [small_input("left", "numeric", units=[5]), small_input("right", "numeric", units=[3])]
    with project(spec_of(inputs, COMPARED, features=[]), tmp_path) as made:
        model = made.module("model").build_model()
        layer = model.get_layer("merged.comparator")
        assert layer.output.shape == (None, 10)
        inner = keras.Model(model.input, [*layer.input, layer.output])
        values = tensors(made, made.sample(16))
        fed = {name: values[name] for name in ("left", "right")}
        a, b, compared = inner.predict(fed, verbose=0)
        wanted = np.concatenate([np.abs(a - b), a * b], axis=-1)
        np.testing.assert_allclose(compared, wanted, rtol=1e-6)
        inner.save(tmp_path / "inner.keras")
        again = keras.saving.load_model(tmp_path / "inner.keras").predict(fed, verbose=0)
        np.testing.assert_array_equal(again[2], compared)
