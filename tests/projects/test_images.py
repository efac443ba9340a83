"""Several pictures a row: read in any order, as many as the model takes, each broken one named."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from projects import project, small_input, spec_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_xla")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with up to three pictures a row."""
    photos = small_input("photos", "images", shape=[3, 16, 16, 3], delimiter=";")
    with project(spec_of([photos], features=[]), tmp_path_factory.mktemp("images")) as made:
        yield made


@pytest.fixture
def table(made):
    """A sample, and the pictures that its rows name."""
    manifest = made.sample()
    frame = pd.read_csv(manifest, keep_default_na=False)
    names = [name for cell in frame["photos"] for name in cell.split(";") if name]
    return manifest, frame, names


def read(made, table, cells):
    """Write cells into the first rows, and read the table."""
    manifest, frame, _ = table
    frame.loc[range(len(cells)), "photos"] = cells
    frame.to_csv(manifest, index=False)
    return made.module("data").open_examples(manifest)


def test_the_order_of_pictures_does_not_matter(made, table):
    import keras
    import tensorflow as tf

    data, names = made.module("data"), table[2]
    cells = [";".join(some) for some in itertools.permutations(names[:3])]
    cells += [f"{names[0]};{names[1]}", f" {names[1]} ; {names[0]};"]
    examples = read(made, table, cells)
    assert not examples.problems
    pictures = tf.stack([data.load_photos(text) for text in examples.values["photos"]])
    assert pictures.shape[1:] == (3, 16, 16, 3)
    model = made.module("model").build_model()
    pooled = keras.Model(model.inputs, model.get_layer("photos.pooling").output)
    vectors = pooled.predict({"photos": pictures}, verbose=0)
    np.testing.assert_allclose(vectors[:6], vectors[[0] * 6], atol=1e-6)
    np.testing.assert_allclose(vectors[6], vectors[7], atol=1e-6)
    assert np.abs(vectors[0] - vectors[6]).max() > 1e-6


def test_a_row_has_no_picture_or_more_than_the_model_takes(made, table):
    data, names = made.module("data"), table[2]
    examples = read(made, table, ["", " ", ";".join(names[:5]), names[0]])
    assert not examples.problems
    none, blank, many, one = (
        data.load_photos(text).numpy() for text in examples.values["photos"][:4]
    )
    assert not none.any() and not blank.any()
    assert many.any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(one[0], many[0])
    assert not one[1:].any()
    beyond = ";".join([*names[:3], "nowhere.jpg", "../away.jpg"])
    assert not read(made, table, [beyond]).problems


def test_pictures_that_may_be_missing(tmp_path, capsys):
    photos = small_input("photos", "images", shape=[3, 16, 16, 3], optional=True)
    photo = small_input("photo", "image", shape=[16, 16, 3])
    with project(spec_of([photos, photo], features=["report"]), tmp_path) as made:
        manifest = made.sample()
        frame = pd.read_csv(manifest, keep_default_na=False)
        cells = frame["photos"][frame["photos"].str.count("[|]") == 1]
        first, second = cells.iloc[0].split("|")
        frame.loc[0, "photos"] = f"{first}|nowhere.jpg|{second}"
        frame.loc[1, "photos"] = "gone.jpg|lost.jpg"
        frame.loc[2, "photos"] = f"{first}|{second}"
        frame.to_csv(manifest, index=False)
        examples = made.module("data").open_examples(manifest)
        assert not examples.problems
        assert "3 files of photos are missing, such as nowhere.jpg" in capsys.readouterr().err
        paths = examples.values["photos"]
        assert paths[0] == paths[2] != "" == paths[1]
        show = made.module("report").SHOW["photos"]
        assert show("") == "<i>missing</i>"
        assert show(paths[0]).count("<img") == 2


def test_what_is_wrong_with_one_of_several_is_named(made, table):
    manifest, names = table[0], table[2]
    (manifest.parent / "broken.jpg").write_bytes(b"no picture")
    cells = [f"{names[0]};broken.jpg", f"{names[0]};nowhere.jpg", f"{names[0]};../away.jpg"]
    problems = read(made, table, cells).problems
    assert [row for row, *_ in problems] == [3, 2, 1]
    away, lost, broken = (problem[1] for problem in problems)
    assert "outside the manifest's folder" in away
    assert "nowhere.jpg" in lost and "there is no such file" in lost
    assert "broken.jpg: it is damaged" in broken and names[0] not in broken


def test_the_weights_of_pictures_are_a_softmax_over_those_that_are_there(made):
    layers = made.module("layers")
    rng = np.random.default_rng(0)
    pictures = rng.integers(1, 255, (2, 3, 4, 4, 3)).astype("uint8")
    pictures[0, 2], pictures[1] = 0, 0
    vectors = rng.normal(size=(6, 5)).astype("float32")
    pooling = layers.AttentionPooling()
    pooled = pooling(vectors, pictures).numpy()
    scores = vectors[:2] @ pooling.score.kernel.numpy()
    weights = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(pooled[0], (weights * vectors[:2]).sum(axis=0), atol=1e-6)
    np.testing.assert_array_equal(pooled[1], 0)
