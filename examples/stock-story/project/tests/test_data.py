"""The data: what a manifest becomes, and the errors of an invalid one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from conftest import Trained

from stock_story.data import (
    INPUTS,
    OUTPUTS,
    Preprocessing,
    make_dataset,
    note_broken_files,
    open_examples,
)
from stock_story.manifest import SPLITS, DataError, assign_splits, drop_invalid_rows, open_manifest
from stock_story.model import build_model

# A column of the manifest for each input.
A_COLUMN = {
    "indicators": "sma_5",
    "fundamentals": "revenue_growth",
    "news": "news",
    "chart": "chart",
}


def test_batches_fit_the_model(trained: Trained) -> None:
    """Each tensor has the shape and the type that the model's input asks for."""
    batches = make_dataset(trained.examples, trained.preprocessing, 8)
    inputs, targets = next(iter(batches))
    assert set(targets) == set(OUTPUTS)
    for name, wanted in build_model().input.items():
        assert inputs[name].shape == (8, *wanted.shape[1:])
        assert inputs[name].dtype == wanted.dtype
        assert np.isfinite(inputs[name].numpy()).all()


def test_the_order_of_keys_does_not_matter(trained: Trained) -> None:
    """Inputs go by name: a dict in another order gives the same predictions."""
    batches = make_dataset(trained.examples, trained.preprocessing, 8, with_targets=False)
    inputs = next(iter(batches))
    turned = {name: inputs[name] for name in reversed(INPUTS)}
    straight = trained.model.predict_on_batch(inputs)
    for name, value in trained.model.predict_on_batch(turned).items():
        np.testing.assert_allclose(value, straight[name], rtol=1e-5)


def test_missing_and_extra_inputs_are_refused(trained: Trained) -> None:
    """Keras would take a wrong dict in silence; Preprocessing does not."""
    with pytest.raises(DataError, match="the inputs are"):
        trained.preprocessing.inputs({})
    raw = {name: tf.constant(trained.examples.values[name][:2]) for name in INPUTS}
    with pytest.raises(DataError, match="the inputs are"):
        trained.preprocessing.inputs({**raw, "another": tf.zeros((2, 1))})


def test_preprocessing_is_the_same_after_loading(trained: Trained, tmp_path: Path) -> None:
    """A run keeps the whole fitted state."""
    trained.preprocessing.save(tmp_path / "preprocessing.json")
    loaded = Preprocessing.load(tmp_path / "preprocessing.json")
    before, _ = next(iter(make_dataset(trained.examples, trained.preprocessing, 8)))
    after, _ = next(iter(make_dataset(trained.examples, loaded, 8)))
    for name in INPUTS:
        np.testing.assert_array_equal(after[name], before[name])


def test_splits_share_no_row(trained: Trained) -> None:
    """Without a column `split` every row is in one split, the same for the same seed."""
    splits = assign_splits(trained.examples, 3)
    assert splits.value_counts().index.tolist()[0] == "train"
    assert set(splits) == set(SPLITS)
    assert splits.equals(assign_splits(trained.examples, 3))
    assert not splits.equals(assign_splits(trained.examples, 4))


def test_the_column_split_is_honored(manifest: Path) -> None:
    """Rows go where the column says."""
    table = open_manifest(manifest).frame
    table["split"] = ["train", "test", "validation"] * (len(table) // 3)
    path = manifest.with_name("with_split.jsonl")
    table.to_json(path, orient="records", lines=True)
    examples = open_examples(path)
    assert assign_splits(examples, 0).tolist() == table["split"].tolist()
    assert examples.split("test").frame.index[:2].tolist() == [2, 5]


def test_a_missing_column_is_named(manifest: Path) -> None:
    """The error names the column and the file."""
    table = open_manifest(manifest).frame
    path = manifest.with_name("short.jsonl")
    for column in table.columns:
        table.drop(columns=column).to_json(path, orient="records", lines=True)
        with pytest.raises(DataError, match="short.jsonl: no column"):
            open_examples(path)


def test_missing_values_are_named_or_known(manifest: Path) -> None:
    """A row without a value is invalid, unless the input is optional; all are listed."""
    table = open_manifest(manifest).frame
    path = manifest.with_name("holes.jsonl")
    for name, column in A_COLUMN.items():
        holes = table.copy()
        holes.loc[[2, 5], column] = ""
        holes.to_json(path, orient="records", lines=True)
        examples = open_examples(path)
        with pytest.raises(DataError, match="row 2: .* is missing; 2 invalid rows"):
            drop_invalid_rows(examples, allowed=False)
        left = drop_invalid_rows(examples, allowed=True).frame.index
        assert left.equals(examples.frame.index.drop([2, 5])), name


def test_an_empty_manifest_is_refused(tmp_path: Path) -> None:
    """No rows, or nothing at all: one line."""
    path = tmp_path / "empty.csv"
    path.write_text("")
    with pytest.raises(DataError, match=r"empty\.csv"):
        open_examples(path)


def test_unseen_direction_is_named(trained: Trained) -> None:
    """The error names the row and the label."""
    few = trained.examples.take(np.arange(4))
    labels = [*few.values["direction"][:3], "never seen"]
    few.values["direction"] = np.array(labels, dtype=object)
    trained.preprocessing.note_unknown_labels(few)
    with pytest.raises(DataError, match="row 4: .*'never seen', which no training row has"):
        drop_invalid_rows(few, allowed=False)


def test_broken_chart_is_named(trained: Trained, tmp_path: Path) -> None:
    """The error names the row and the file."""
    broken = tmp_path / "broken.npy"
    broken.write_bytes(b"not what the name says")
    few = trained.examples.take(np.arange(4))
    few.values["chart"][2] = str(broken)
    note_broken_files(few)
    with pytest.raises(DataError, match="row 3: chart .*broken"):
        drop_invalid_rows(few, allowed=False)
    assert drop_invalid_rows(few, allowed=True).frame.index.tolist() == [1, 2, 4]
