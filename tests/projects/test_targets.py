"""Targets that some rows lack, classes that are balanced or named, weights of rows."""

from __future__ import annotations

import json

import pytest
from helpers import files_in
from keras_scaffold.render.project import render_to_memory
from projects import project, save_arrays, small_input, small_output, spec_of

pytestmark = pytest.mark.usefixtures("no_xla")

FEATURES = ["ensemble", "calibration", "split-by", "arrays", "baselines", "report", "warm-start"]


def outputs(**more):
    """An output of each task; `more` are fields that all of them have."""
    return [
        small_output("tox", "binary", balance=True, weight="sure", loss_weight=2.0, **more),
        small_output("outcome", "multiclass", classes=["home", "ward", "icu"], **more),
        small_output("tags", "multilabel", weight="trust", **more),
        small_output("price", "regression", weight="trust", **more),
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with an output of each task, each of which a row may lack."""
    spec = spec_of([small_input("size", "numeric")], outputs=outputs(optional=True))
    with project(spec, tmp_path_factory.mktemp("partly")) as one:
        yield one


@pytest.fixture(scope="module")
def tox_and_solubility(tmp_path_factory):
    """Two outputs, each row labeled for one of them."""
    inputs = [{"name": "numbers", "type": "numeric", "columns": ["weight", "logp"]}]
    named = [
        {"name": "tox", "task": "binary", "optional": True},
        {"name": "solubility", "task": "regression", "optional": True},
    ]
    spec = spec_of(inputs, outputs=named, features=FEATURES)
    with project(spec, tmp_path_factory.mktemp("labeled")) as one:
        yield one


def molecules(folder, rows=160, **columns):
    """A table in which a row is labeled for one of two outputs, and the last row for none."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    table = pd.DataFrame({"weight": rng.uniform(100, 500, rows), "logp": rng.uniform(-2, 5, rows)})
    even = np.arange(rows) % 2 == 0
    table["tox"] = np.where(even, np.where(table["logp"] > 2, "1", "0"), "NA")
    table["solubility"] = (3 - table["logp"]).round(2).mask(even)
    table = table.assign(**columns).astype(object)
    table.loc[rows - 1, ["tox", "solubility"]] = ["", ""]
    table.to_csv(folder / "molecules.csv", index=False)
    return folder / "molecules.csv"


# Losses and gradients, by hand


def batch_of(made, y_true, weights):
    """Examples with these raw targets and weights; the inputs do not matter."""
    import numpy as np
    import pandas as pd

    manifest, rows = made.module("manifest"), len(next(iter(y_true.values())))
    values = {"size": np.zeros((rows, made.spec.inputs[0].shape[0]), "float32"), **y_true}
    values |= {f"{name}.weight": array for name, array in weights.items()}
    return manifest.Examples("none", pd.DataFrame(index=range(1, rows + 1)), values)


def drawn(rng, rows, missing):
    """Raw targets of each task, where `missing` says which are; weights; y_pred."""
    import numpy as np

    raw = {
        "tox": rng.choice(["no", "no", "yes"], rows).astype(object),
        "outcome": rng.choice(["home", "ward", "icu"], rows).astype(object),
        "tags": rng.choice(["a", "b|c", "a|b|c", "|"], rows).astype(object),
        "price": rng.normal(100, 20, (rows, 1)).astype("float32"),
    }
    for name, array in raw.items():
        array[missing[name]] = np.nan if name == "price" else ""
    weights = {name: rng.uniform(0, 3, rows).astype("float32") for name in ("tox", "tags", "price")}
    y_pred = {name: rng.uniform(0.1, 0.9, (rows, size)) for name, size in SIZES.items()}
    y_pred["outcome"] /= y_pred["outcome"].sum(axis=1, keepdims=True)
    y_pred["price"] = y_pred["price"] * 100 + 50
    return raw, weights, {name: array.astype("float32") for name, array in y_pred.items()}


SIZES = {"tox": 1, "outcome": 3, "tags": 3, "price": 1}


def by_hand(state, raw, weights, y_pred):
    """The loss of each output and its gradient by y_pred, in float64."""
    import numpy as np

    found = {}
    for name, pred in y_pred.items():
        p, labeled = pred.astype("float64"), raw[name] != ""
        if name == "price":
            labeled = np.isfinite(raw[name][:, 0])
            delta, error = 0.5 * state["price"]["variance"] ** 0.5, p - np.nan_to_num(raw[name])
            small = np.abs(error) <= delta
            rows = np.where(small, error**2 / 2, delta * np.abs(error) - delta**2 / 2)[:, 0]
            slopes = np.where(small, error, delta * np.sign(error))
        elif name == "outcome":
            places = [state[name]["labels"].index(text or "home") for text in raw[name]]
            chosen = np.eye(3)[places]
            # Keras divides probabilities by their sum, 1: that has a slope too.
            rows, slopes = -np.log((p * chosen).sum(axis=1)), 1 - chosen / p
        else:
            known = state[name]["labels"][1:] if name == "tox" else state[name]["labels"]
            y = np.array([[label in text.split("|") for label in known] for text in raw[name]])
            rows = -np.where(y, np.log(p), np.log(1 - p)).mean(axis=1)
            slopes = np.where(y, -1 / p, 1 / (1 - p)) / y.shape[1]
        w = labeled * weights.get(name, np.ones(len(p))).astype("float64")
        if name == "tox":
            counts = {label: (state["seen"] == label).sum() for label in state["tox"]["labels"]}
            w *= [sum(counts.values()) / (2 * counts.get(text, 1)) for text in raw[name]]
        total = w.sum() or 1
        found[name] = (rows * w).sum() / total, slopes * w[:, None] / total
    return found


@pytest.mark.parametrize("lacking", ["some", "all of one output", "none"])
def test_losses_and_gradients_are_those_of_numpy(made, lacking):
    """Unlabeled rows count for nothing: the mean is over the weights of those that are labeled."""
    import numpy as np
    import tensorflow as tf

    rng, rows = np.random.default_rng(3), 24
    none = {name: np.zeros(rows, bool) for name in SIZES}
    training, trusted, _ = drawn(rng, 200, {name: np.zeros(200, bool) for name in SIZES})
    preprocessing = made.module("data").Preprocessing.adapt(batch_of(made, training, trusted))
    missing = {name: rng.random(rows) < 0.4 for name in SIZES} if lacking == "some" else none
    if lacking == "all of one output":
        missing["tags"] = np.ones(rows, bool)
    raw, weights, y_pred = drawn(rng, rows, missing)
    examples = batch_of(made, raw, weights)
    _, y, w = next(iter(made.module("data").make_dataset(examples, preprocessing, rows)))

    model = made.module("model").build_model()
    made.module("model").compile_model(model, preprocessing.state)
    tensors = {name: tf.constant(array) for name, array in y_pred.items()}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = model.compute_loss(None, y, tensors, w)
    gradients = tape.gradient(loss, tensors)

    state = {**preprocessing.state, "seen": training["tox"]}
    parts = {"tox": 2, "outcome": 1, "tags": 1, "price": 1 / state["price"]["variance"]}
    wanted = by_hand(state, raw, weights, y_pred)
    total = sum(part * wanted[name][0] for name, part in parts.items())
    np.testing.assert_allclose(float(loss), total, rtol=1e-6)
    for name, part in parts.items():
        assert np.isfinite(gradients[name]).all()
        np.testing.assert_allclose(
            gradients[name], part * wanted[name][1], rtol=2e-6, atol=1e-6, err_msg=name
        )
    # Keras keeps the loss of each output too, without its part in the total.
    for metric in model._compile_loss.metrics:
        name = metric.name.removesuffix("_loss")
        np.testing.assert_allclose(float(metric.result()), wanted[name][0], rtol=2e-6)


@pytest.mark.parametrize("more", [{"balance": True}, {"weight": "sure"}], ids=str)
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_single_output_is_weighted(task, more, tmp_path):
    """A dict of one name goes another way through Keras."""
    import numpy as np

    outputs = [small_output("it", task, units=[], **more)]
    with project(spec_of([small_input("size", "numeric")], outputs=outputs), tmp_path) as one:
        data = one.module("data")
        examples = data.open_examples(one.sample())
        first = examples.values["it"] == min(examples.values["it"])
        examples = examples.take(np.r_[np.flatnonzero(first)[:5], np.flatnonzero(~first)])
        preprocessing = data.Preprocessing.adapt(examples)
        batches = data.make_dataset(examples, preprocessing, len(examples))
        model = one.module("model").build_model()
        one.module("model").compile_model(model, preprocessing.state)
        found = model.evaluate(batches, return_dict=True, verbose=0)
        p = one.module("evaluate").predict_batches(model, preprocessing, examples, 8)["it"]
        labels = preprocessing.state["it"]["labels"]
        places = np.array([labels.index(label) for label in examples.values["it"]])
        chosen = np.where(places == 1, p[:, 0], 1 - p[:, 0])
        chosen = chosen if task == "binary" else p[np.arange(len(p)), places]
        counts = np.bincount(places)
        w = len(places) / (len(labels) * counts[places])
        w = examples.values["it.weight"] if "weight" in more else w
        loss = np.average(-np.log(chosen.astype("float64")), weights=w)
        assert found["loss"] == pytest.approx(loss, rel=1e-5)
        assert found["loss"] != pytest.approx(-np.log(chosen).mean(), rel=1e-5)
        assert found["accuracy"] == pytest.approx(
            np.mean((p[:, 0] > 0.5) == places if task == "binary" else p.argmax(axis=1) == places)
        )
        model.fit(batches, shuffle=False, verbose=0)


def test_metrics_in_training_count_labeled_rows(made):
    """As scikit-learn computes them of all labeled rows, with their weights, over several batches."""
    import keras
    import numpy as np
    from sklearn.metrics import accuracy_score, mean_absolute_error

    rng, rows = np.random.default_rng(4), 120
    missing = {name: rng.random(rows) < 0.5 for name in SIZES}
    raw, weights, _ = drawn(rng, rows, missing)
    examples = batch_of(made, raw, weights)
    examples.values["size"] = rng.normal(size=examples.values["size"].shape).astype("float32")
    preprocessing = made.module("data").Preprocessing.adapt(examples)
    model = made.module("model").build_model()
    made.module("model").compile_model(model, preprocessing.state)
    batches = made.module("data").make_dataset(examples, preprocessing, 16)
    history = model.evaluate(batches, return_dict=True, verbose=0)
    y_true = preprocessing.targets(examples)
    y_pred = made.module("evaluate").predict_batches(model, preprocessing, examples, 16)
    _, w = preprocessing.weighted_targets(examples)
    keep = {name: ~missing[name] for name in SIZES}
    y, p = ({name: each[name][keep[name]] for name in SIZES} for each in (y_true, y_pred))
    w = {name: w[name][keep[name]] for name in SIZES}
    wanted = {
        "tox_accuracy": accuracy_score(y["tox"], p["tox"] > 0.5, sample_weight=w["tox"]),
        "outcome_accuracy": accuracy_score(y["outcome"], p["outcome"].argmax(axis=1)),
        "price_mae": mean_absolute_error(y["price"], p["price"], sample_weight=w["price"]),
        "tags_binary_accuracy": np.average(
            (y["tags"] == (p["tags"] > 0.5)).mean(axis=1), weights=w["tags"]
        ),
    }
    for name, value in wanted.items():
        assert history[name] == pytest.approx(value, rel=1e-5), name
    for name in ("tox", "tags"):  # Keras approximates with 200 thresholds, so not as scikit-learn
        area = keras.metrics.AUC(multi_label=name == "tags")
        area.update_state(y[name], p[name], w[name])
        assert history[f"{name}_auc"] == pytest.approx(float(area.result()), rel=1e-5)

    # `evaluate` computes the same from labeled rows, but without weights.
    found = made.module("evaluate").compute_metrics(y_true, y_pred, preprocessing.state)
    assert found["tox"]["accuracy"] == accuracy_score(y["tox"], p["tox"] > 0.5)
    assert found["price"]["mae"] == pytest.approx(mean_absolute_error(y["price"], p["price"]))


def test_balanced_weights_are_those_of_scikit_learn(made):
    import numpy as np
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.array([*["no"] * 90, *["yes"] * 10, ""], object)
    state = made.module("data").adapt_tox(labels)
    wanted = compute_class_weight("balanced", classes=np.array(["no", "yes"]), y=labels[:-1])
    assert state["class_weights"] == pytest.approx(wanted)


# From a table to a run


@pytest.mark.slow
def test_a_partly_labeled_table_is_trained_on_and_evaluated(tox_and_solubility, tmp_path):
    import pandas as pd
    from sklearn.metrics import accuracy_score, mean_absolute_error

    one = tox_and_solubility
    manifest, run = molecules(tmp_path), tmp_path / "run"
    command = ("train", "--data", manifest, "--epochs", 20, "--batch-size", 16, "--members", 2)
    done = one.main(*command, "--run", run)
    assert done.code == 0, done
    assert "Dropped 1 of 160 rows" in done.err
    assert "160,every target is missing" in (run / "invalid_rows.csv").read_text()
    splits = pd.read_csv(run / "splits.csv", index_col="row")["split"]
    table = pd.read_csv(manifest).set_axis(range(1, 161)).loc[splits.index]
    for name in ("tox", "solubility"):  # equal shares of what is labeled
        counts = table[name].notna().groupby(splits).sum()
        assert counts["validation"] >= 7 and counts["test"] >= 7
        assert f"{name}: {counts['train']} labeled rows, {counts['validation']}" in done.out

    assert "</html>" in (run / "report.html").read_text()
    result = json.loads((run / "metrics.json").read_text())
    kept = table[splits == "validation"]
    assert result["labeled"] == {name: kept[name].count() for name in ("tox", "solubility")}

    result = json.loads(one.ok("evaluate", "--run", run, "--data", manifest, "--json"))
    one.ok("predict", "--run", run, "--data", manifest, "--out", run / "predictions.csv")
    predicted = pd.read_csv(run / "predictions.csv").set_index("row")
    test = table[splits == "test"]
    for name, metric, compute in (
        ("tox", "accuracy", accuracy_score),
        ("solubility", "mae", mean_absolute_error),
    ):
        labeled = test[name].dropna()
        assert result["labeled"][name] == len(labeled)
        value = compute(labeled, predicted.loc[labeled.index, name])
        assert result["outputs"][name][metric] == pytest.approx(value, rel=1e-5)
    assert result["outputs"]["tox"]["accuracy"] > 0.8
    assert result["outputs"]["solubility"]["r2_score"] > 0.5

    one.ok(*command, "--run", tmp_path / "second", "--init-from", run)
    # A table that is labeled for one output only is evaluated for that one.
    lone = tmp_path / "lone.csv"
    table.assign(tox="").dropna(subset="solubility").to_csv(lone, index=False)
    result = json.loads(one.ok("evaluate", "--run", run, "--data", lone, "--json"))
    assert result["outputs"]["tox"] == {} and result["labeled"]["tox"] == 0
    assert "r2_score" in result["outputs"]["solubility"]


@pytest.mark.slow
def test_an_output_without_labels_to_validate_on_is_named(tox_and_solubility, tmp_path):
    for splits, problem in (
        (["train", "train", "test", "validation"], "tox has no labeled rows in validation"),
        (["train", "validation"] * 2, "solubility has no labeled rows in train"),
    ):
        manifest, one = molecules(tmp_path, split=splits * 40), tox_and_solubility
        done = one.main("train", "--data", manifest, "--run", tmp_path / "run", "--epochs", 1)
        assert done.code == 1
        assert done.err.strip().splitlines()[-1] == f"error: {manifest}: {problem}".replace(
            f"{manifest}: s", "s"
        )


@pytest.mark.slow
def test_optional_targets_live_with_every_feature(made, tmp_path):
    """The sample lacks some of them; arrays of the same rows give the same metrics."""
    import numpy as np
    import pandas as pd

    manifest = made.sample(96)
    table = pd.read_csv(manifest)
    lacking = table[["tox", "outcome", "tags", "price"]].isna()
    assert lacking.any().all() and (lacking.sum(axis=1) <= 1).all()
    run = made.train(manifest)
    assert (run / "report.html").is_file()
    found = json.loads(made.ok("evaluate", "--run", run, "--data", manifest, "--json"))
    assert sum(found["labeled"].values()) < 4 * found["rows"]

    examples = made.module("data").open_examples(manifest)
    arrays = {name: array for name, array in examples.values.items() if "." not in name}
    arrays |= {name: table[name].to_numpy() for name in ("sure", "trust")}
    save_arrays(tmp_path / "same.npz", arrays)
    of_arrays = made.module("data").open_examples(tmp_path / "same.npz")
    assert not of_arrays.problems
    for name, array in examples.values.items():
        np.testing.assert_array_equal(array, of_arrays.values[name], err_msg=name)


def test_weights_are_needed_where_a_row_is_labeled(made):
    import pandas as pd

    manifest = made.sample()
    table = pd.read_csv(manifest, dtype=str)
    table.loc[3, ["tox", "sure"]] = ["yes", ""]
    table.loc[5, ["tox", "sure"]] = ["", ""]
    table.loc[7, ["tox", "sure"]] = ["no", "-1"]
    table.loc[9, ["tox", "sure"]] = ["no", "much"]
    table.to_csv(manifest, index=False)
    problems = made.module("data").open_examples(manifest).problems
    found = {(row, text) for row, text, _ in problems}
    assert found == {
        (4, "sure is missing"),
        (8, "sure is '-1.0', not a weight"),
        (10, "sure is 'much', not a number"),
    }


def test_classes_keep_their_order_and_others_are_invalid(made, capsys):
    import pandas as pd

    manifest = made.sample()
    table = pd.read_csv(manifest)
    table["outcome"] = table["outcome"].replace("icu", "home")
    table.loc[4, "outcome"] = "hospice"
    table.to_csv(manifest, index=False)
    examples = made.module("data").open_examples(manifest)
    preprocessing = made.module("data").Preprocessing.adapt(examples)
    assert "outcome: no training row has icu" in capsys.readouterr().out
    assert preprocessing.state["outcome"]["labels"] == ["home", "ward", "icu"]
    preprocessing.note_unknown_labels(examples)
    assert [(row, text) for row, text, _ in examples.problems] == [
        (5, "outcome is 'hospice', not one of the classes")
    ]


# Without these fields there is no trace of them


def test_one_output_is_the_same_with_and_without_optional():
    """Its unlabeled rows are dropped either way."""
    files = [
        render_to_memory(
            spec_of(
                [small_input("size", "numeric")],
                outputs=[{"name": "price", "task": "regression", "optional": optional}],
                name="Same",
            )
        )
        for optional in (False, True)
    ]
    different = {str(path) for path in files[0] if files[0][path] != files[1][path]}
    assert different == {".copier-answers.yml"}


def test_a_project_of_labeled_rows_has_no_trace(tmp_path):
    with project(spec_of([small_input("size", "numeric")]), tmp_path) as one:
        text = b"\n".join(files_in(one.folder / "src").values()).decode()
    for word in ("weighted", "sample_weight", "is_labeled", "OPTIONAL_OUTPUTS", "class_weight"):
        assert word not in text
