"""The task count: its deviance, the rate it begins with, and the rows it refuses."""

from __future__ import annotations

import pytest
from projects import project, small_input, small_output, spec_of


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    inputs = [small_input("a", "numeric")]
    outputs = [small_output("visits", "count"), small_output("sold", "count", optional=True)]
    with project(spec_of(inputs, outputs=outputs), tmp_path_factory.mktemp("counts")) as made:
        yield made


def test_the_loss_is_the_deviance_of_scikit_learn(made):
    import numpy as np
    from sklearn.metrics import mean_poisson_deviance

    rng, rows = np.random.default_rng(0), 500
    rates, weights = rng.uniform(0.01, 3000, (rows, 1)), rng.uniform(0, 2, rows)
    counts = rng.poisson(rates * rng.choice([0, 0.1, 1, 3], (rows, 1)))
    assert (counts == 0).any()
    loss = made.module("model").PoissonDeviance(reduction="mean_with_sample_weight")
    found = loss(counts.astype("float32"), rates.astype("float32"), weights)
    wanted = mean_poisson_deviance(counts[:, 0], rates[:, 0], sample_weight=weights)
    assert float(found) == pytest.approx(wanted, rel=1e-4)
    assert float(loss(counts.astype("float32"), counts.astype("float32"))) == pytest.approx(
        0, abs=1e-6
    )


def test_an_untrained_model_predicts_about_the_mean_and_each_output_adds_about_1_to_the_loss(made):
    """However large the counts are, and with rows that are unlabeled."""
    data, model = made.module("data"), made.module("model")
    examples = data.open_examples(made.sample(rows=200))
    examples.values["visits"] = (examples.values["visits"] * 1000).round()
    preprocessing = data.Preprocessing.adapt(examples)
    network = model.build_model()
    model.compile_model(network, preprocessing.state)
    batches = data.make_dataset(examples, preprocessing, 200)
    rates = network.predict(batches, verbose=0)["visits"]
    assert rates.mean() == pytest.approx(examples.values["visits"].mean(), rel=0.5)
    losses = network.evaluate(batches, return_dict=True, verbose=0)
    parts = [
        losses[f"{name}_loss"] / preprocessing.state[name]["deviance"] for name in data.OUTPUTS
    ]
    assert all(0.5 < part < 2 for part in parts), parts
    assert losses["loss"] == pytest.approx(sum(parts), rel=1e-4)


@pytest.mark.parametrize("cell", ["2.5", "-1", "many"])
def test_what_is_no_count_is_an_invalid_row(made, cell):
    import pandas as pd

    manifest = made.sample()
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    table.loc[6, ["visits", "sold"]] = cell
    table.to_csv(manifest, index=False)
    done = made.main("train", "--data", manifest, "--run", made.folder / "runs" / "bad")
    assert done.code == 1
    assert "row 7" in done.err and cell in done.err
    noted = [
        text for row, text, _ in made.module("data").open_examples(manifest).problems if row == 7
    ]
    kind = "not a number" if cell == "many" else "not a whole number from 0"
    assert noted == [f"{name} is '{cell}', {kind}" for name in ("visits", "sold")]


def test_a_row_without_a_count_is_unlabeled_for_the_optional_output_alone(made):
    import numpy as np
    import pandas as pd

    manifest = made.sample()
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    table["sold"] = "3"
    table.loc[6, ["visits", "sold"]] = ""
    table.loc[8, "sold"] = ""
    table.to_csv(manifest, index=False)
    examples = made.module("data").open_examples(manifest)
    assert examples.problems == [(7, "visits is missing", True)]
    assert np.flatnonzero(np.isnan(examples.values["sold"][:, 0])).tolist() == [6, 8]


def test_counts_of_arrays_are_checked_as_those_of_a_table(made, tmp_path):
    import numpy as np

    data = made.module("data")
    values = data.open_examples(made.sample()).values
    values["visits"][[2, 4, 6, 8], 0] = [-1, 2.5, np.inf, np.nan]
    values["sold"][3] = -2
    np.savez(tmp_path / "counts.npz", **values)
    assert data.open_examples(tmp_path / "counts.npz").problems == [
        (9, "visits is missing", True),
        (7, "visits is 'inf', not a number", False),
        (3, "visits is '-1.0', not a whole number from 0", False),
        (5, "visits is '2.5', not a whole number from 0", False),
        (4, "sold is '-2.0', not a whole number from 0", False),
    ]


@pytest.mark.slow
def test_an_output_that_is_0_everywhere_is_trained_on(made):
    import pandas as pd

    manifest = made.sample()
    table = pd.read_csv(manifest).assign(visits=0)
    table.to_csv(manifest, index=False)
    run = made.train(manifest)
    assert "poisson_deviance" in (run / "metrics.json").read_text()
