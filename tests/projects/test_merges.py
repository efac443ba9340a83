"""Merges that are more than a layer of Keras: they are their equations, learn, save, load and export."""

from __future__ import annotations

import subprocess
import sys

import pytest
from keras_scaffold.catalog import load_catalog
from keras_scaffold.render.project import render
from projects import (
    assert_finite,
    check_structure,
    project,
    ruff,
    small_input,
    spec_of,
)

ROWS = 12
WIDTHS = {"a": 5, "b": 3, "c": 7}
FUNCTIONS = ("mixture", "gated", "film", "bilinear", "attention")


def branches(count=3):
    """Inputs whose branches have different widths."""
    names = list(WIDTHS)[:count]
    return [small_input(name, "numeric", units=[WIDTHS[name]]) for name in names]


def operands(method):
    return list(WIDTHS)[: load_catalog().merges[method].most or 3]


# The equations, in NumPy: `w` gives a layer's weights by the end of its name


def softmax(x):
    import numpy as np

    shares = np.exp(x - x.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def sigmoid(x):
    import numpy as np

    return 1 / (1 + np.exp(-x))


def relu(x):
    import numpy as np

    return np.maximum(x, 0)


def dense(x, weights):
    kernel, bias = weights
    return x @ kernel + bias


def normalized(x, weights):
    import numpy as np

    scale, shift = weights
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-3)  # epsilon of LayerNormalization
    return (x - x.mean(axis=-1, keepdims=True)) / spread * scale + shift


def mixture(x, w):
    import numpy as np

    gate = softmax(dense(np.concatenate(list(x.values()), axis=-1), w("gate")))
    experts = [relu(dense(x[name], w(f"expert_{name}_branch"))) for name in x]
    return sum(gate[:, [n]] * expert for n, expert in enumerate(experts))


def gated(x, w):
    import numpy as np

    together = np.concatenate(list(x.values()), axis=-1)
    return sum(
        sigmoid(dense(together, w(f"gate_{name}_branch")))
        * np.tanh(dense(x[name], w(f"features_{name}_branch")))
        for name in x
    )


def film(x, w):
    first, second = x.values()
    return dense(second, w("scale")) * first + dense(second, w("shift"))


def bilinear(x, w):
    """The mean over r of the product over n of [x_n, 1] times a matrix for each r and n."""
    import numpy as np

    rank, width = 4, 7
    products = np.ones((rank, ROWS, width))
    for name in x:
        kernel, bias = w(f"factor_{name}_branch")
        for r in range(rank):
            part = slice(r * width, (r + 1) * width)
            matrix = np.vstack([kernel[:, part], bias[part]])
            products[r] *= np.hstack([x[name], np.ones((ROWS, 1))]) @ matrix
    return products.mean(axis=0)


def attention(x, w):
    import numpy as np

    tokens = [dense(x[name], w(f"token_{name}_branch")) for name in x]
    x = np.stack(tokens, axis=1) + w("embedding")[0]  # (rows, N, width)
    for block in (1, 2):
        y = normalized(x, w(f"norm_{block}a"))
        query, key, value, out = np.reshape(np.array(w(f"attention_{block}"), object), (4, 2))
        q, k, v = (
            np.einsum("bnd,dhk->bhnk", y, kernel) + bias[:, None]
            for kernel, bias in (query, key, value)
        )
        shares = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]))  # (rows, heads, N, N)
        x = x + np.einsum("bhnk,hkd->bnd", shares @ v, out[0]) + out[1]
        y = normalized(x, w(f"norm_{block}b"))
        x = x + dense(relu(dense(y, w(f"widen_{block}"))), w(f"narrow_{block}"))
    return normalized(x, w("norm")).mean(axis=1)


EQUATIONS = {each.__name__: each for each in (mixture, gated, film, bilinear, attention)}
FIELDS = {"attention": {"width": 12, "heads": 3, "blocks": 2}}


@pytest.mark.parametrize("method", FUNCTIONS)
def test_a_merge_is_its_equations(method, tmp_path):
    """For random weights; each weight gets a finite gradient; saved and loaded, it is the same."""
    import keras
    import numpy as np
    import tensorflow as tf

    names = operands(method)
    tree = {"method": method, "of": names, **FIELDS.get(method, {})}
    spec = spec_of(branches(len(names)), tree, features=[])
    with project(spec, tmp_path) as made:
        merge = getattr(made.module("model"), f"merge_{method}")
        inputs = {
            f"{name}_branch": keras.Input((WIDTHS[name],), name=f"{name}_branch") for name in names
        }
        merged = merge(inputs)
        width, _ = spec.merge.widths(WIDTHS)
        assert merged.shape == (None, width)
        model = keras.Model(inputs, merged)
        rng = np.random.default_rng(1)
        model.set_weights([rng.normal(size=each.shape) for each in model.get_weights()])
        x = {name: rng.normal(size=(ROWS, WIDTHS[name])).astype("float32") for name in names}
        fed = {f"{name}_branch": values for name, values in x.items()}

        def weights(name):
            return model.get_layer(f"merged.{name}").get_weights()

        got = model.predict(fed, verbose=0)
        np.testing.assert_allclose(got, EQUATIONS[method](x, weights), rtol=1e-5, atol=1e-5)

        with tf.GradientTape() as tape:
            loss = keras.ops.sum(keras.ops.square(model(fed) - 1))
        for variable, gradient in zip(
            model.trainable_variables,
            tape.gradient(loss, model.trainable_variables),
            strict=True,
        ):
            assert np.isfinite(gradient).all(), variable.path
            # All but the key's bias, which shifts the scores of a query alike.
            assert np.any(gradient) or variable.path.endswith("key/bias"), variable.path

        model.save(tmp_path / "merge.keras")
        again = keras.saving.load_model(tmp_path / "merge.keras").predict(fed, verbose=0)
        np.testing.assert_array_equal(got, again)


def test_a_weighted_average_is_its_equation(tmp_path):
    """All weights begin equal; the layer learns, is saved and loaded."""
    import keras
    import numpy as np
    import tensorflow as tf

    with project(spec_of(branches(), "weighted", features=[]), tmp_path) as made:
        layer = made.module("layers").WeightedAverage()
        inputs = [keras.Input((4,)) for _ in range(3)]
        model = keras.Model(inputs, layer(inputs))
        rng = np.random.default_rng(1)
        x = rng.normal(size=(3, ROWS, 4)).astype("float32")
        np.testing.assert_allclose(model.predict([*x], verbose=0), x.mean(axis=0), atol=1e-6)
        layer.set_weights([np.array([0.5, -1, 2])])
        got = model.predict([*x], verbose=0)
        wanted = np.einsum("n,nbd->bd", softmax(np.array([0.5, -1, 2])), x)
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
        with tf.GradientTape() as tape:
            loss = keras.ops.sum(keras.ops.square(model([*x]) - 1))
        (gradient,) = tape.gradient(loss, model.trainable_variables)
        assert np.isfinite(gradient).all()
        assert np.any(gradient)
        model.save(tmp_path / "merge.keras")
        again = keras.saving.load_model(tmp_path / "merge.keras").predict([*x], verbose=0)
        np.testing.assert_array_equal(got, again)


def test_attention_knows_which_branch_is_which(tmp_path):
    """Two branches of the same values are not the same token: their embeddings differ."""
    import keras
    import numpy as np

    with project(spec_of(branches(2), "attention", features=[]), tmp_path) as made:
        tokens = keras.Input((2, 8))
        embedding = made.module("layers").PositionEmbedding()
        same = keras.Model(tokens, embedding(tokens)).predict(np.ones((1, 2, 8)), verbose=0)
        assert np.abs(same[0, 0] - same[0, 1]).min() > 0


def three_alike(method):
    """A tree with three merges of a method, whose code looks alike, and with the same input twice."""
    pairs = [[*pair, pair[0]] for pair in ("ab", "bc", "ca")]
    most = load_catalog().merges[method].most or 3
    return {"method": "concatenate", "of": [{"method": method, "of": p[:most]} for p in pairs]}


@pytest.mark.parametrize("method", [*FUNCTIONS, "weighted"])
def test_merges_in_a_tree_have_layers_and_lines_of_their_own(method, tmp_path):
    with project(spec_of(branches(), three_alike(method), features=[]), tmp_path) as made:
        check_structure(made)
        lines = (made.folder / "src" / made.spec.package_name / "model.py").read_text().splitlines()
        windows = ["\n".join(lines[i : i + 6]) for i in range(len(lines) - 5)]
        assert len(set(windows)) == len(windows)


def test_the_longest_lines_are_clean(tmp_path):
    """Long names, the largest fields, and merges with numbers of three digits."""
    names = ["a" * 31 + digit for digit in "12"]
    inputs = [small_input(name, "numeric") for name in names]
    for method in (*FUNCTIONS, "weighted"):
        fields = load_catalog().merges[method].fields.values()
        node = {"method": method, "of": names, **{field.name: field.most for field in fields}}
        tree = {"method": "concatenate", "of": [node] * 101 + [{**node, "of": [names[0]] * 2}]}
        render(spec_of(inputs, tree, features=[]), tmp_path / method, git=False)
    assert not ruff("format", "--check", "--diff", ".", cwd=tmp_path)[:3000]
    assert not ruff("check", ".", cwd=tmp_path)[:3000]


@pytest.mark.parametrize("method", FUNCTIONS)
def test_a_warm_start_notices_branches_in_another_order(method, tmp_path):
    """Also where layers are the same but for what they take."""
    inputs = [small_input(name, "numeric", units=[4]) for name in "ab"]
    found = []
    for names in (["a", "b"], ["b", "a"], ["a", "b"]):
        spec = spec_of(inputs, {"method": method, "of": names}, features=["warm-start"])
        with project(spec, tmp_path) as made:
            model = made.module("model").build_model()
            found.append(made.module("warm_start").as_saved(model).merge)
    assert found[0] == found[2]
    if method != "bilinear":  # the product, of factors with the names of branches
        assert found[0] != found[1]


@pytest.mark.parametrize("method", [*FUNCTIONS[:2], *FUNCTIONS[3:], "weighted"])
def test_one_branch_alone_needs_no_merge(method, tmp_path):
    """And no layer, no function for it."""
    with project(spec_of(branches(1), method, features=[]), tmp_path) as made:
        model = check_structure(made)
        (head,) = (layer for layer in model.layers if layer.name == "label.dense_1")
        assert head.input.shape[-1] == made.spec.merge.widths(WIDTHS)[0]
        source = made.folder / "src" / made.spec.package_name
        assert "def merge_" not in (source / "model.py").read_text()
        assert "WeightedAverage" not in "".join(path.read_text() for path in source.glob("*.py"))


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
@pytest.mark.parametrize("file_format", ["saved-model", "onnx", "litert"])
def test_a_tree_of_all_is_exported(file_format, tmp_path):
    """The exporters compare the file's numbers with the model's."""
    if file_format == "onnx":
        pytest.importorskip("tf2onnx")
    tree = {
        "method": "attention",
        "of": [
            {"method": "gated", "of": ["a", "b"]},
            {"method": "film", "of": ["b", "c"]},
            {"method": "bilinear", "of": ["a", {"method": "mixture", "of": ["b", "c"]}]},
            {"method": "weighted", "of": ["a", "c"]},
        ],
    }
    with project(spec_of(branches(), tree, features=["onnx", "litert"]), tmp_path) as made:
        run = made.train(made.sample())
        assert_finite(run)
        made.ok("export", "--run", run, "--format", file_format)


@pytest.mark.slow
def test_a_project_with_all_passes_its_own_tests_and_linters(tmp_path):
    inputs = [
        {"name": "a", "type": "text", "optional": True},
        {"name": "b", "type": "numeric", "optional": True},
        {"name": "c", "type": "categorical"},
    ]
    nodes = [{"method": name, "of": operands(name)} for name in (*FUNCTIONS, "weighted")]
    spec = spec_of(inputs, {"method": "attention", "of": nodes, "blocks": 2}, features=[])
    with project(spec, tmp_path) as made:
        for tool in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["pytest", "-q"]):
            command = [sys.executable, "-m", *tool]
            done = subprocess.run(command, cwd=made.folder, capture_output=True)
            assert done.returncode == 0, done.stdout.decode()[-4000:]
