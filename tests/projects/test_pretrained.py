"""Pretrained encoders: their vectors, the cache of them, and a run that needs nothing else."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from projects import project, random_weights, small_input, spec_of

TEXTS = ["a plain text", "", "another one, which is a little longer", "a plain text", "zz"]


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A project with a text and a picture, both encoded with random weights."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = small_input("text", "text", "pretrained", optional=True)
    picture = small_input("picture", "image", "pretrained")
    with project(spec_of([text, picture], features=[]), tmp_path) as made:
        yield made


@pytest.mark.slow
def test_a_vector_is_the_mean_over_the_tokens(made):
    encoder = made.module("pretrained").PretrainedText(
        str(random_weights("text")), 8, length=10, normalize=made.module("data").normal_form
    )
    vectors = encoder.encode(np.array(TEXTS, object))
    for text, vector in zip(TEXTS, vectors, strict=True):
        tokens = {name: ids[None] for name, ids in encoder.tokenize(text).items()}
        kept = np.flatnonzero(tokens["padding_mask"][0])
        mean = encoder.backbone(tokens)["sequence_output"].numpy()[0, kept].mean(axis=0)
        wanted = mean / np.linalg.norm(mean) if text else np.zeros(8)
        np.testing.assert_allclose(vector, wanted, atol=1e-6)


@pytest.mark.slow
def test_a_picture_is_encoded_by_its_content(made):
    manifest = made.sample()
    data, pretrained = made.module("data"), made.module("pretrained")
    paths = data.open_examples(manifest).values["picture"][:5]
    encoder = pretrained.PretrainedImage(
        str(random_weights("image")), 8, data.load_picture, view="32 x 32"
    )
    pixels = np.stack([data.load_picture(path) for path in paths])
    positions = encoder.backbone(encoder.scale(pixels)).numpy()
    vectors = encoder.encode(paths)
    np.testing.assert_allclose(vectors, positions.mean(axis=(1, 2)), atol=1e-5)
    first, second = paths[:2]
    shutil.copy(second, first)
    np.testing.assert_array_equal(encoder.encode(paths)[0], vectors[1])


@pytest.mark.slow
def test_each_content_is_encoded_once(made, monkeypatch):
    pretrained = made.module("pretrained")
    kind, seen = pretrained.PretrainedText, []
    encode_new = kind.encode_new
    monkeypatch.setattr(
        kind, "encode_new", lambda self, new: seen.append([*new.values()]) or encode_new(self, new)
    )
    weights, normal_form = str(random_weights("text")), made.module("data").normal_form
    first = kind(weights, 8, 10, normal_form).encode(np.array(TEXTS, object))
    again = kind(weights, 8, 10, normal_form).encode(np.array([*TEXTS, "new"], object))
    np.testing.assert_array_equal(again[:-1], first)
    kind(weights, 8, 4, normal_form).encode(np.array(TEXTS[:1], object))
    assert list(map(sorted, seen)) == [sorted(set(TEXTS)), ["new"], TEXTS[:1]]


@pytest.mark.slow
def test_pictures_in_another_view_are_encoded_again(made):
    import tensorflow as tf

    data, pretrained = made.module("data"), made.module("pretrained")
    paths = data.open_examples(made.sample()).values["picture"][:3]

    def large(path):
        return tf.cast(tf.image.resize(data.load_picture(path), (64, 64)), tf.uint8)

    one, other = (
        pretrained.PretrainedImage(str(random_weights("image")), 8, load, view)
        for load, view in [(data.load_picture, "32 x 32"), (large, "64 x 64")]
    )
    vectors = one.encode(paths)
    assert not np.allclose(other.encode(paths), vectors)
    np.testing.assert_array_equal(one.encode(paths), vectors)


@pytest.mark.slow
def test_what_was_encoded_before_an_interruption_is_kept(made, monkeypatch, capsys):
    pretrained = made.module("pretrained")
    kind, given = pretrained.PretrainedText, (str(random_weights("text")), 8, 10)
    normal_form, call = made.module("data").normal_form, kind.call
    batches = []

    def interrupted(self, texts):
        batches.append(texts)
        if len(batches) == 2:
            raise KeyboardInterrupt
        return call(self, texts)

    monkeypatch.setattr(pretrained, "BATCH", 2)
    monkeypatch.setattr(kind, "call", interrupted)
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        with pytest.raises(KeyboardInterrupt):
            kind(*given, normal_form).encode(np.array(TEXTS, object))
    finally:
        tf.config.run_functions_eagerly(False)
    assert sorted(map(len, kind(*given, normal_form).known.values())) == [8, 8]
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_a_run_needs_no_other_weights(made, tmp_path, monkeypatch):
    data = made.module("data")
    weights = shutil.copytree(random_weights("text"), tmp_path / "weights")
    monkeypatch.setitem(made.module("pretrained").PRESETS, "text", str(weights))
    manifest = made.sample()
    run = made.train(manifest)
    shutil.rmtree(weights)
    moved = run.rename(tmp_path / "moved")
    out = tmp_path / "out.csv"
    made.ok("predict", "--run", moved, "--data", manifest, "--out", out)
    made.ok("export", "--run", moved)
    served = _serve(moved, data.open_examples(manifest).values)
    predicted = pd.read_csv(out)
    np.testing.assert_allclose(
        served["label"].numpy()[:, 0], predicted["label_probability"], atol=1e-5
    )


def _serve(run, values):
    """What the SavedModel says of raw values: texts with spaces around them, and the pictures' bytes."""
    import tensorflow as tf

    served = tf.saved_model.load(str(run / "saved_model"))
    pictures = [tf.io.read_file(path) for path in values["picture"]]
    texts = [f"\u00a0{text} " if text else "" for text in values["text"]]
    return served.serve({"text": tf.constant(texts), "picture": tf.stack(pictures)})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        ("nowhere/at/all", "nowhere/at/all: neither a folder with weights nor a preset"),
        (None, "gives 8 numbers, the model takes 7"),
    ],
)
def test_wrong_weights_are_one_line(made, weights, problem):
    pretrained = made.module("pretrained")
    weights = weights or str(random_weights("text"))
    with pytest.raises(made.module("manifest").DataError) as error:
        pretrained.PretrainedText(weights, 7, 10, made.module("data").normal_form)
    assert problem in str(error.value)
    assert "\n" not in str(error.value)
