"""Encoders that are trained further: their vectors, which weights move and how far, and a run that needs nothing else."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from projects import project, random_weights, small_input, spec_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_xla")]

TEXTS = ["a plain text", "", "another one, which is a little longer", "zz"]
RATE = 0.125


@pytest.fixture
def made(tmp_path):
    """A project with a text and a picture, the backbones of both trained further."""
    text = small_input("text", "text", "fine_tuned", optional=True, last=1, rate=RATE)
    picture = small_input("picture", "image", "fine_tuned", last=2, rate=RATE)
    with project(spec_of([text, picture], features=[]), tmp_path) as made:
        yield made


def test_a_vector_is_the_mean_over_the_tokens(made):
    import tensorflow as tf

    pretrained = made.module("pretrained")
    weights = pretrained.PRESETS["text"]
    tokenizer = pretrained.PretrainedTokens(weights, 16, made.module("data").normal_form)
    encoder = pretrained.FineTunedText(pretrained.load_backbone("text", 8))
    tokens = tokenizer(tf.constant(TEXTS))
    assert not np.any(tokens[1])
    together = encoder(tokens).numpy()
    for row, text in enumerate(TEXTS):
        alone = encoder(tokens[row : row + 1]).numpy()[0]
        np.testing.assert_allclose(together[row], alone, atol=1e-5)
        inputs = {name: value[None] for name, value in tokenizer.tokenize(text).items()}
        kept = np.flatnonzero(inputs["padding_mask"][0])
        mean = encoder.backbone(inputs).numpy()[0, kept].mean(axis=0)
        np.testing.assert_allclose(alone, mean if text else np.zeros(8), atol=1e-5)


def test_the_last_layers_move_slower_than_the_rest(made):
    data, model = made.module("data"), made.module("model")
    examples = data.open_examples(made.sample())
    preprocessing = data.Preprocessing.adapt(examples)
    built = model.build_model()
    before = {weight.path: weight.numpy() for weight in built.trainable_weights}
    fixed = [weight.numpy() for weight in built.non_trainable_weights]
    model.compile_model(built, preprocessing.state, learning_rate=1e-3)
    batch = next(iter(data.make_dataset(examples, preprocessing, 16)))
    built.train_on_batch(*batch)
    moved = {
        weight.path: np.abs(weight.numpy() - before[weight.path]).max()
        for weight in built.trainable_weights
    }
    # The first step of Adam is the learning rate, whatever the gradient, besides a little decay.
    tuned = [
        path for path in moved if path.split("/")[0] in ("block5_conv1", "transformer_layer_0")
    ]
    others = [path for path in moved if "." in path.split("/")[0]]
    assert len(tuned) > 10
    assert len(others) > 5
    assert np.median([moved[path] for path in others]) == pytest.approx(1e-3, rel=0.05)
    assert np.median([moved[path] for path in tuned]) == pytest.approx(RATE * 1e-3, rel=0.05)
    assert max(moved[path] for path in tuned) < 1.1 * RATE * 1e-3
    for weight, value in zip(built.non_trainable_weights, fixed, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    assert any("token_embedding" in weight.path for weight in built.non_trainable_weights)


@pytest.mark.parametrize(("rows", "epochs"), [(100, 48), (700, 6), (2800, 5), (4999, 5), (5000, 3)])
def test_few_rows_are_seen_often(made, tmp_path, rows, epochs):
    train, manifest = made.module("train"), tmp_path / "manifest.csv"
    manifest.touch()
    frame = pd.DataFrame({"split": ["train"] * rows})
    examples = made.module("manifest").Examples(manifest, frame)
    options = train.begin_run(train.Options(tmp_path / "run"), examples)
    assert (options.batch_size, options.epochs) == (min(32, max(16, rows // 64)), epochs)
    assert train.begin_run(train.Options(tmp_path / "run", epochs=7), examples).epochs == 7


def test_lora_trains_updates_alone_and_goes_on_from_saved_weights(tmp_path):
    text = small_input("text", "text", "fine_tuned", lora=2, rate=1)
    with project(spec_of([text], features=[]), tmp_path / "made") as made:
        data, model = made.module("data"), made.module("model")
        examples = data.open_examples(made.sample())
        preprocessing = data.Preprocessing.adapt(examples)
        batch = next(iter(data.make_dataset(examples, preprocessing, 16)))

        def train(built):
            """Train twice: the first factor of an update moves once the second one is not zero."""
            model.compile_model(built, preprocessing.state, learning_rate=1e-2)
            before = {weight.path: weight.numpy() for weight in backbone(built).weights}
            callback = made.module("pretrained").RestartLora()
            callback.set_model(built)
            callback.on_train_begin()
            at_begin = built.predict_on_batch(batch[0])["label"]
            built.train_on_batch(*batch)
            built.train_on_batch(*batch)
            after = {weight.path: weight.numpy() for weight in backbone(built).weights}
            return at_begin, {path for path in after if np.any(before[path] != after[path])}

        def backbone(built):
            return built.get_layer("text.backbone").backbone

        built = model.build_model()
        _, moved = train(built)
        factors = {weight.path for weight in built.weights if "lora_kernel" in weight.path}
        assert len(factors) == 2 * 2 * 1  # of the queries and the values of one block
        assert factors < moved
        assert {path.rsplit("/", 1)[-1] for path in moved - factors} == {"bias"}

        learned = built.predict_on_batch(batch[0])["label"]
        built.save_weights(tmp_path / "backup.weights.h5")
        resumed = model.build_model()
        resumed.load_weights(tmp_path / "backup.weights.h5")
        at_begin, moved = train(resumed)
        np.testing.assert_allclose(at_begin, learned, atol=1e-5)
        assert factors < moved

        built.save(tmp_path / "model.keras")
        loaded = model.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(loaded.predict_on_batch(batch[0])["label"], learned, atol=1e-5)


def test_a_run_needs_no_other_weights(made, tmp_path, monkeypatch):
    import tensorflow as tf

    presets = made.module("pretrained").PRESETS
    for name, kind in (("text", "text"), ("picture", "image")):
        copied = shutil.copytree(random_weights(kind), tmp_path / f"weights of {name}")
        monkeypatch.setitem(presets, name, str(copied))
    manifest = made.sample()
    run = made.train(manifest)
    for name in presets:
        shutil.rmtree(tmp_path / f"weights of {name}")
    moved, out = run.rename(tmp_path / "moved"), tmp_path / "out.csv"
    made.ok("predict", "--run", moved, "--data", manifest, "--out", out)
    made.ok("export", "--run", moved)
    values = made.module("data").open_examples(manifest).values
    loaded = tf.saved_model.load(str(moved / "saved_model"))
    served = loaded.serve(
        {
            "text": tf.constant([f" {text}" if text else "" for text in values["text"]]),
            "picture": tf.stack([tf.io.read_file(path) for path in values["picture"]]),
        }
    )
    np.testing.assert_allclose(
        served["label"].numpy()[:, 0], pd.read_csv(out)["label_probability"], atol=1e-5
    )
