"""The task ordinal: probabilities of ordered classes, their loss, and the label that is predicted."""

from __future__ import annotations

import pytest
from projects import project, small_input, small_output, spec_of


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    outputs = [small_output("risk", "ordinal", classes=["low", "mid", "high", "worst"])]
    spec = spec_of([small_input("a", "numeric")], outputs=outputs, features=[])
    with project(spec, tmp_path_factory.mktemp("ordinal")) as made:
        yield made


def test_probabilities_are_those_of_one_score_and_thresholds_in_any_order(made):
    import numpy as np

    layer = made.module("layers").OrderedClasses(4)
    score = np.linspace(-6, 6, 50, dtype="float32")[:, None]
    layer(score)
    np.testing.assert_allclose(layer(np.zeros((1, 1), "float32")), np.full((1, 4), 0.25), rtol=1e-5)
    layer.set_weights([np.array([2.0, -1.0, 0.5])])
    found = np.asarray(layer(score))
    at_most = 1 / (1 + np.exp(score - np.array([[-1.0, 0.5, 2.0]])))
    np.testing.assert_allclose(np.cumsum(found, axis=1)[:, :-1], at_most, atol=1e-6)
    assert (found >= 0).all()
    ranks = made.module("evaluate").predicted_ranks(found)
    assert (np.diff(ranks) >= 0).all()
    assert set(ranks) == {0, 1, 2, 3}


def test_the_loss_is_the_mean_binary_crossentropy_of_the_thresholds(made):
    import numpy as np
    from sklearn.metrics import log_loss

    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([1, 1, 1, 1], 100)
    ranks = rng.integers(0, 4, 100)
    found = made.module("model").OrdinalCrossentropy()(ranks, probabilities.astype("float32"))
    at_most = np.cumsum(probabilities, axis=1)
    wanted = [log_loss(ranks <= k, at_most[:, k]) for k in range(3)]
    assert float(found) == pytest.approx(np.mean(wanted), rel=1e-4)


def test_the_predicted_label_is_the_median(made):
    import numpy as np

    evaluate = made.module("evaluate")
    probabilities = np.array([[0.4, 0.0, 0.25, 0.35], [0, 0, 0, 1], [1, 0, 0, 0]])
    assert evaluate.predicted_ranks(probabilities).tolist() == [2, 3, 0]
    metrics = evaluate.ordinal_metrics(np.array([0, 3, 0]), probabilities, {})
    assert metrics == {"mae": pytest.approx(2 / 3), "accuracy": pytest.approx(2 / 3)}


def test_the_order_is_that_of_the_spec_and_another_label_is_invalid(made):
    import numpy as np
    import pandas as pd

    data, manifest = made.module("data"), made.sample()
    preprocessing = data.Preprocessing.adapt(data.open_examples(manifest))
    assert preprocessing.state["risk"]["labels"] == ["low", "mid", "high", "worst"]
    table = pd.read_csv(manifest, dtype=str).head(4).assign(risk=["worst", "low", "high", "huge"])
    table.to_csv(manifest, index=False)
    examples = data.open_examples(manifest)
    np.testing.assert_array_equal(preprocessing.targets(examples)["risk"][:3], [3, 0, 2])
    preprocessing.note_unknown_labels(examples)
    assert [text for _, text, _ in examples.problems] == ["risk is 'huge', not one of the classes"]
