"""The task quantile: its loss, quantiles that never cross, and the conformal margin of its interval."""

from __future__ import annotations

import pytest
from projects import project, small_input, small_output, spec_of

LEVELS = [0.1, 0.25, 0.5, 0.9]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    inputs = [small_input("a", "numeric")]
    outputs = [small_output("price", "quantile", levels=LEVELS)]
    features = ["calibration", "baselines", "warm-start"]
    spec = spec_of(inputs, outputs=outputs, features=features)
    with project(spec, tmp_path_factory.mktemp("quantiles")) as made:
        yield made


def test_the_loss_is_the_pinball_loss_of_scikit_learn(made):
    import numpy as np
    from sklearn.metrics import mean_pinball_loss

    rng = np.random.default_rng(0)
    y_true, weights = rng.normal(0, 5, (300, 1)), rng.uniform(0, 2, 300)
    y_pred = np.sort(rng.normal(0, 5, (300, 4)), axis=1)
    loss = made.module("model").Pinball(LEVELS, reduction="mean_with_sample_weight")
    wanted = [
        mean_pinball_loss(y_true[:, 0], y, alpha=level, sample_weight=weights)
        for level, y in zip(LEVELS, y_pred.T, strict=True)
    ]
    found = float(loss(y_true.astype("float32"), y_pred.astype("float32"), weights))
    assert found == pytest.approx(np.mean(wanted), rel=1e-5)


def test_quantiles_never_cross_whatever_the_weights(made):
    import numpy as np

    layer = made.module("layers").Ascending(middle=2)
    rng = np.random.default_rng(0)
    values = rng.normal(0, 30, (1000, 4)).astype("float32")
    quantiles = np.asarray(layer(values))
    assert (np.diff(quantiles, axis=1) >= 0).all()
    np.testing.assert_array_equal(quantiles[:, 2], values[:, 2])  # the median is as it was


def calibrated(made, quantiles, y_true):
    """The state after calibration of a model with these predictions, by a stand-in for it."""
    calibration = made.module("calibration")
    state = {"price": {"levels": LEVELS, "mean": 0.0, "variance": 1.0, "margin": 0.0}}
    preprocessing = made.module("data").Preprocessing(state)
    before = calibration.predict_batches
    calibration.predict_batches = lambda *_: {"price": quantiles}
    preprocessing.targets = lambda _: {"price": y_true}
    try:
        calibration.calibrate(None, preprocessing, None)
    finally:
        calibration.predict_batches = before
    return preprocessing.state["price"]


@pytest.mark.parametrize("factor", [0.3, 1, 2], ids=["too narrow", "right", "too wide"])
def test_a_calibrated_interval_covers_its_share_of_new_rows(made, factor):
    """The mean over many draws is exact: rank ceil((n + 1) 0.8) of n misses, for 40 rows 33 of 41."""
    import numpy as np
    from scipy.stats import norm

    rng, found = np.random.default_rng(1), []
    evaluate = made.module("evaluate")
    for _ in range(200):
        center = rng.normal(0, 10, (1040, 1))
        y_true = center + rng.normal(0, 1, (1040, 1))
        quantiles = center + factor * norm.ppf(LEVELS)
        state = calibrated(made, quantiles[:40], y_true[:40])
        metrics = evaluate.quantile_metrics(y_true[40:], quantiles[40:], state)
        found.append(metrics["coverage"])
    assert np.mean(found) == pytest.approx(33 / 41, abs=0.01)
    assert np.sign(state["margin"]) == np.sign(1 - factor) or factor == 1


def test_an_interval_contains_the_median_however_negative_its_margin(made):
    import numpy as np

    state = {"levels": LEVELS, "margin": -5.0}
    quantiles = np.array([[-1.0, 0, 1, 2], [-100, 0, 1, 200]])
    low, high = made.module("evaluate").prediction_interval(quantiles, state)
    assert low.tolist() == [1, -95]
    assert high.tolist() == [1, 195]


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
def test_predictions_have_a_column_for_each_level_and_the_interval_of_the_run(made, tmp_path):
    import json

    import numpy as np
    import pandas as pd

    manifest = made.sample(rows=120)
    run = made.train(manifest)
    made.ok("predict", "--run", run, "--data", manifest, "--out", tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv")
    levels = [f"price_{level}" for level in LEVELS]
    assert list(table) == ["row", "price", *levels, "price_low", "price_high"]
    assert table["price"].equals(table["price_0.5"])
    margin = json.loads((run / "preprocessing.json").read_text())["price"]["margin"]
    assert margin != 0
    low = np.minimum(table["price_0.1"] - margin, table["price"])
    np.testing.assert_allclose(table["price_low"], low, rtol=1e-5)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["outputs"]["price"]["coverage"] >= 0.8  # of the rows that set the margin
