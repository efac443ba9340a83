"""`train --init-from RUN` in a project whose model has changed: what is taken over, and what is said."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple

import pytest
from projects import project, small_input, small_output, spec_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_xla")]

NUMBERS = small_input("numbers", "numeric", shape=[3])
NOTE = small_input("note", "text", vocabulary=50)
KIND = small_input("kind", "categorical", categories=6)
EXTRA = small_input("extra", "numeric", "periodic", shape=[2])
LABEL = small_output("label", "binary")
PRICE = small_output("price", "regression")
STILL = 1e-9  # a learning rate at which nothing moves

Done = namedtuple("Done", "code out err run")


def spec(inputs, merge="concatenate", outputs=(LABEL, PRICE)):
    return spec_of(
        inputs, merge, list(outputs), "Take Over", ["ensemble", "calibration", "warm-start"]
    )


def train(made, manifest, name, *more):
    run = made.folder.parent / name
    options = ("--epochs", 1, "--members", 1, "--batch-size", 16, "--learning-rate", STILL)
    done = made.main("train", "--data", manifest, "--run", run, *options, *more)
    return Done(done.code, done.out, done.err, run)


def layers_of(run, number=1):
    """The weights of the layers of a run's member, which needs no code of the project's."""
    import keras

    model = keras.saving.load_model(run / "members" / str(number) / "model.keras")
    return {layer.name: layer.get_weights() for layer in model.layers if layer.get_weights()}


def assert_taken(before, after, *names):
    """The layers of these are as they were; those of all others are not."""
    import numpy as np

    for layer, weights in after.items():
        same = layer in before and all(
            one.shape == two.shape and np.allclose(one, two, atol=1e-5)
            for one, two in zip(before[layer], weights, strict=True)
        )
        assert same == (layer in names or layer.split(".")[0] in names), layer


def state(run):
    return json.loads((run / "preprocessing.json").read_text())


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A manifest with the columns of all inputs, and one without those of the last."""
    import pandas as pd

    everything = spec([NUMBERS, NOTE, KIND, EXTRA])
    with project(everything, tmp_path_factory.mktemp("data")) as made:
        wide = made.sample()
    table = pd.read_csv(wide, dtype=str)
    narrow = wide.with_name("narrow.csv")
    table.drop(columns=["extra_0", "extra_1"]).to_csv(narrow, index=False)
    return wide, narrow


@pytest.fixture(scope="module")
def first(data, tmp_path_factory):
    """A run of three inputs on the manifest that has no more, and the weights of its member."""
    with project(spec([NUMBERS, NOTE, KIND]), tmp_path_factory.mktemp("first")) as made:
        done = train(made, data[1], "run", "--learning-rate", 0.01, "--seed", 3)
        assert done.code == 0, done
        return done.run, layers_of(done.run)


def test_branches_survive_another_input(first, data, tmp_path):
    run, before = first
    with project(spec([NUMBERS, EXTRA, NOTE, KIND]), tmp_path) as made:
        done = train(made, data[0], "second", "--init-from", run, "--members", 2)
        assert done.code == 0, done
        assert done.out.splitlines()[1:3] == [
            f"Initialized from {run}: numbers, note, kind",
            "Trained from scratch: extra (new), label (the merge has changed),"
            " price (the merge has changed)",
        ]
        for number in (1, 2):  # of one member that was
            assert_taken(
                before, layers_of(done.run, number), "numbers", "note", "kind", "price.scale"
            )
        for name in ("numbers", "note", "kind"):
            assert state(done.run)[name] == state(run)[name]
        # The manifest has got columns, not rows: what was tested still is.
        assert (done.run / "splits.csv").read_text() == (run / "splits.csv").read_text()
        assert "rows keep their splits by their numbers" in done.err
        assert json.loads((done.run / "run.json").read_text())["options"]["seed"] == 3


def test_a_branch_with_another_encoder_begins_anew(first, data, tmp_path):
    """Though its run's model has a layer of ours that the project has no more."""
    run, before = first
    numbers = small_input("numbers", "numeric", "periodic", shape=[3], units=[6, 4])
    with project(spec([numbers, NOTE, KIND]), tmp_path) as made:
        assert "PiecewiseLinear" not in (made.folder / "src/take_over/layers.py").read_text()
        done = train(made, data[1], "second", "--init-from", run)
        assert done.code == 0, done
        assert done.out.splitlines()[1:3] == [
            f"Initialized from {run}: note, kind, label, price",
            "Trained from scratch: numbers (its layers have changed)",
        ]
        assert_taken(before, layers_of(done.run), "note", "kind", "label", "price")
        assert done.err == ""


def test_heads_need_the_same_branches_side_by_side(first, data, tmp_path):
    run, _ = first
    with project(spec([NOTE, NUMBERS, KIND]), tmp_path / "other order") as made:
        done = train(made, data[1], "second", "--init-from", run)
        assert "label (the merge has changed)" in done.out, done
    outputs = [small_output("more", "binary", column="label_2"), PRICE]
    with project(spec([NUMBERS, NOTE, KIND], outputs=outputs), tmp_path / "another") as made:
        manifest = tmp_path / "manifest.csv"
        header, rows = data[1].read_text().split("\n", 1)
        manifest.write_text(header.replace("label", "label_2") + "\n" + rows)
        done = train(made, manifest, "second", "--init-from", run)
        assert f"Initialized from {run}: numbers, note, kind, price\n" in done.out, done
        assert "Trained from scratch: more (new)\n" in done.out


def test_projections_and_heads_survive_an_input_more_in_a_sum(data, tmp_path):
    wide = small_input("note", "text", vocabulary=50, units=[9])
    with project(spec([NUMBERS, wide], "add"), tmp_path / "one") as made:
        run = train(made, data[0], "run", "--learning-rate", 0.01).run
        before = layers_of(run)
    projection = "merged.project_numbers_branch"
    with project(spec([NUMBERS, wide, EXTRA], "add"), tmp_path / "two") as made:
        done = train(made, data[0], "second", "--init-from", run)
        assert done.code == 0, done
        assert f": numbers, note, label, price, {projection}\n" in done.out
        names = ("numbers", "note", "label", "price", projection)
        assert_taken(before, layers_of(done.run), *names)


def test_other_labels_are_learnt_anew(first, data, tmp_path):
    run, _ = first
    manifest = tmp_path / "manifest.csv"
    header, *rows = data[1].read_text().splitlines()
    place = header.split(",").index("label")
    assert place == len(header.split(",")) - 2  # nothing with a comma comes after it
    rows = [row.rsplit(",", 2) for row in rows]
    told = {label: f"is {label}" for label in {row[1] for row in rows}}
    manifest.write_text("\n".join([header, *(f"{a},{told[b]},{c}" for a, b, c in rows)]) + "\n")
    with project(spec([NUMBERS, NOTE, KIND]), tmp_path) as made:
        done = train(made, manifest, "second", "--init-from", run)
        assert done.code == 0, done
        assert "Trained from scratch: label (its labels have changed)\n" in done.out
        assert state(done.run)["label"]["labels"] == sorted(told.values())
        assert "price" in done.out.splitlines()[1]


def test_rows_that_are_new_take_their_places_among_the_old(first, data, tmp_path):
    import pandas as pd

    shutil.copytree(first[0], tmp_path / "first")
    run, manifest = tmp_path / "first", tmp_path / "manifest.csv"
    table = pd.read_csv(data[1], dtype=str)
    pd.concat([table, table[:20]]).to_csv(manifest, index=False)
    before = pd.read_csv(run / "splits.csv").set_index("row")["split"]
    with project(spec([NUMBERS, NOTE, KIND]), tmp_path) as made:
        done = train(made, manifest, "second", "--init-from", run)
        assert "has changed since" in done.err, done
        after = pd.read_csv(done.run / "splits.csv").set_index("row")["split"]
        assert len(after) == len(before) + 20
        assert after[before.index].equals(before)
        assert set(after[len(before) :]) == {"train", "validation", "test"}
        # Fewer rows are another manifest: they are drawn, and what follows from it is said.
        table[10:].to_csv(manifest, index=False)
        done = train(made, manifest, "third", "--init-from", done.run)
        assert "rows are not in the split that they had" in done.err, done


def test_what_cannot_be_begun_from_is_one_line(first, data, tmp_path):
    run, _ = first
    shutil.copytree(run, tmp_path / "damaged")
    (tmp_path / "damaged" / "members" / "1" / "model.keras").write_bytes(b"no model")
    shutil.copytree(run, tmp_path / "without")
    (tmp_path / "without" / "model.keras").unlink()
    only = small_input("other", "numeric", shape=[2], columns=["extra_0", "extra_1"])
    with project(spec([only]), tmp_path) as made:
        for arguments, words in (
            (
                ("--init-from", tmp_path / "nowhere"),
                "no run to initialize from, model.keras is missing",
            ),
            (
                ("--init-from", tmp_path / "without"),
                "no run to initialize from, model.keras is missing",
            ),
            (("--init-from", tmp_path / "damaged"), "cannot be read as a saved model"),
            (("--init-from", made.folder.parent / "new"), "no run to initialize from"),
            (("--init-from", run, "--run", run), "would overwrite its earlier run"),
            (("--init-from", run), "nothing in it fits this model: other (new), label (the merge"),
        ):
            done = train(made, data[0], "new", *arguments)
            assert done.code == 1, done
            assert done.err.splitlines()[-1].startswith("error: ")
            assert words in done.err, done
    assert (run / "model.keras").is_file()
