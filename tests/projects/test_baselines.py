"""Baselines beside the network's metrics: that they are right where the answer is known."""

from __future__ import annotations

import json
import re

import pytest
from projects import TASKS, TYPES, project, small_input, small_output, spec_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_xla")]


def metrics_of(run):
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))


def test_boosting_learns_a_step_and_the_trivial_model_gives_the_largest_class(tmp_path):
    import numpy as np
    import pandas as pd

    inputs = [small_input("step", "numeric", shape=[2]), small_input("noise", "numeric")]
    outputs = [small_output("label", "binary"), small_output("price", "regression")]
    with project(spec_of(inputs, outputs=outputs), tmp_path) as made:
        manifest = made.sample(rows=1000)
        table, rng = pd.read_csv(manifest), np.random.default_rng(0)
        for column in [name for name in table if name.startswith(("step_", "noise_"))]:
            table[column] = rng.normal(size=len(table))
        high = table["step_0"] > -0.5  # seven rows in ten
        table["label"] = np.where(high, "yes", "no")
        table["price"] = np.where(high, 500.0, 100.0)
        table["split"] = np.repeat(["train", "validation", "test"], [600, 300, 100])
        table.to_csv(manifest, index=False)
        run = made.folder / "run"
        options = ("--run", run, "--epochs", 1, *made.one_member)
        text = made.ok("train", "--data", manifest, *options)
        result = metrics_of(run)
        assert set(result) >= {"split", "rows", "outputs", "baselines"}
        found = result["baselines"]
        alone = ["boosting, step alone", "boosting, noise alone"]
        assert list(found) == ["trivial", "boosting", *alone]
        for each in found.values():
            assert {name: set(scores) for name, scores in each.items()} == {
                name: set(scores) for name, scores in result["outputs"].items()
            }
        share = high[600:900].mean()
        assert found["trivial"]["label"]["accuracy"] == pytest.approx(share)
        assert found["trivial"]["price"]["mae"] == pytest.approx(
            400 * (1 - share)
        )  # the median: 500
        for name in ("boosting", "boosting, step alone"):
            assert found[name]["label"]["accuracy"] > 0.98
            assert found[name]["price"]["mae"] < 10
        assert found["boosting, noise alone"]["label"]["accuracy"] < share + 0.03

        # Trained for one epoch, the network is worse, and the output names what is better.
        for name in ("label", "price"):
            assert f"  {name}  trivial  " in text
            (line,) = re.findall(rf"  {name}: as good as the network or better: (.*)", text)
            assert "boosting; boosting, step alone" in line


def test_thresholds_of_the_network_are_not_those_of_the_baselines(tmp_path):
    """Else a majority-class baseline answers with the other class."""
    with project(spec_of([small_input("numbers", "numeric")]), tmp_path) as made:
        examples = made.module("data").open_examples(made.sample(rows=200))
        preprocessing = made.module("data").Preprocessing.adapt(examples)
        fit_baselines = made.module("baselines").fit_baselines
        before = fit_baselines(examples, examples, preprocessing)
        preprocessing.state["label"]["thresholds"] = [0.05]
        assert fit_baselines(examples, examples, preprocessing) == before


def test_features_of_every_type_are_what_its_name_says(tmp_path):
    import numpy as np

    inputs = [small_input(f"{kind}_in", kind) for kind in TYPES]
    with project(spec_of(inputs), tmp_path) as made:
        examples = made.module("data").open_examples(made.sample(rows=40))
        preprocessing = made.module("data").Preprocessing.adapt(examples)
        batches = made.module("data").make_dataset(examples, preprocessing, 40)
        tensors = {name: np.asarray(tensor) for name, tensor in next(iter(batches))[0].items()}
        table = made.module("baselines").flat_features(examples, preprocessing)
    for name in ("numeric_in", "binary_in", "datetime_in", "categorical_in"):
        np.testing.assert_array_equal(table[name].to_numpy("float32"), tensors[name])
    assert {str(kind) for kind in table["categorical_in"].dtypes} == {"category"}
    # 10 x 10 pixels in 8 x 8 cells: the mean is kept, color by color.
    colors = table["image_in"].to_numpy().reshape(40, 64, 3).mean(axis=1)
    np.testing.assert_allclose(colors, tensors["image_in"].mean(axis=(1, 2)), rtol=1e-3)
    counts, tokens = table["text_in"].to_numpy(), tensors["text_in"]
    assert (counts.sum(axis=1) == (tokens <= 100).sum(axis=1)).all()
    assert counts[7, tokens[7, 0]] == (tokens[7] == tokens[7, 0]).sum()
    series, numbers = tensors["timeseries_in"], table["timeseries_in"].to_numpy()
    lengths = (series[..., 0] != -1000).sum(axis=1)
    assert lengths.min() < series.shape[1], "some are padded"
    for row, length in enumerate(lengths):
        steps = series[row, :length].astype("float64")
        wanted = [steps.mean(0), steps.std(0), steps.min(0), steps.max(0), steps[0], steps[-1]]
        np.testing.assert_allclose(numbers[row], np.concatenate(wanted), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_labels_that_no_drawn_row_has_and_too_few_rows_stop_nothing(task, tmp_path):
    with project(
        spec_of([small_input("a", "numeric")], outputs=[small_output("y", task)]), tmp_path
    ) as made:
        import numpy as np

        examples = made.module("data").open_examples(made.sample(rows=60))
        preprocessing = made.module("data").Preprocessing.adapt(examples)
        for rows in (1, 2, 12):
            few = examples.take(np.arange(rows))
            found = made.module("baselines").fit_baselines(few, examples, preprocessing)
            for name in ("trivial", "boosting"):
                assert np.isfinite(list(found[name]["y"].values())).all()


def test_a_random_split_is_compared_with_one_by_group(tmp_path):
    """Each patient has a label and numbers of their own, and nothing tells a new patient's label."""
    import numpy as np
    import pandas as pd

    inputs = [small_input("blood", "numeric", shape=[2])]
    outputs = [small_output("label", "binary"), small_output("price", "regression")]
    table = {"group": "patient"}
    with project(spec_of(inputs, outputs=outputs, table=table), tmp_path) as made:
        rng, patients = np.random.default_rng(0), np.repeat(np.arange(100), 6)
        blood = rng.normal(size=(100, 2))[patients] + rng.normal(0, 0.01, (600, 2))
        label = rng.integers(0, 2, 100)[patients]
        columns = {"patient": patients, "blood_0": blood[:, 0], "blood_1": blood[:, 1]}
        frame = pd.DataFrame({**columns, "label": label, "price": 100 * label})
        manifest = tmp_path / "visits.csv"
        frame.to_csv(manifest, index=False)
        run = made.folder / "run"
        options = ("--data", manifest, "--run", run, "--epochs", 1, *made.one_member)
        text = made.ok("train", *options, "--group", "patient")
        result, page = metrics_of(run), (run / "report.html").read_text(encoding="utf-8")
        for name, metric in (("label", "accuracy"), ("price", "mae")):
            grouped = result["baselines"]["boosting"][name][metric]
            random = result["random_split"][name][metric]
            assert (random > grouped + 0.2) if name == "label" else (random < grouped - 20)
            line = f"split: {metric} {grouped:.2f}; on a random split: {random:.2f}. Rows of a"
            assert line in text
            assert line in page
            assert f"flatter the score by {abs(grouped - random):.2f}" in page
        text = made.ok("train", *options)
        assert "random_split" not in metrics_of(run)
        assert "random split" not in text


def test_only_what_is_reported_of_a_random_split_is_fitted(tmp_path, monkeypatch):
    inputs = [small_input("one", "numeric"), small_input("other", "numeric")]
    spec = spec_of(inputs, table={"group": "label"}, features=["split-by", "baselines"])
    with project(spec, tmp_path) as made:
        data, baselines = made.module("data"), made.module("baselines")
        examples = data.open_examples(made.sample())
        preprocessing = data.Preprocessing.adapt(examples)
        examples.frame["split"] = ["train", "train", "validation", "test"] * 12
        fitted = []
        monkeypatch.setattr(
            baselines, "predict_labels", lambda x, y, new: fitted.append([*x]) or new[[]]
        )
        monkeypatch.setattr(baselines, "compute_metrics", lambda *_: "of boosting")
        assert baselines.fit_on_random_split(examples, preprocessing) == "of boosting"
        columns = [*baselines.flat_features(examples, preprocessing)]
        assert fitted == [columns]
