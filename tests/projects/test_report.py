"""The report of a training: what stands on the page, and that it is true."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from projects import TASKS, TYPES, project, small_input, small_output, spec_of

SECTIONS = [
    "Metrics",
    "Learning curves",
    "Predictions",
    "Permutation importance",
    "Gradient norm per branch",
    "Worst predictions",
]
VOID = {"meta", "img", "br"}


@dataclass
class Element:
    """An element of a page, with the texts and elements in it."""

    tag: str
    attributes: dict[str, str | None]
    children: list[Any] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it."""
        parts = [c if isinstance(c, str) else c.text for c in self.children]
        return " ".join(" ".join(parts).split())

    def all(self, tag: str, kind: str = "") -> list[Element]:
        """The elements of a tag, and of a class, at any depth."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                classes = (child.attributes.get("class") or "").split()
                if child.tag == tag and (not kind or kind in classes):
                    found.append(child)
                found += child.all(tag, kind)
        return found


class Page(HTMLParser):
    """A page as a tree; every element must be closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open = [Element("", {})]
        self.feed(text)
        self.close()
        assert len(self.open) == 1, self.open[-1].tag
        self.root = self.open[0]

    def handle_starttag(self, tag, attributes):
        element = Element(tag, dict(attributes))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.open[-1].children.append(Element(tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag, tag

    def handle_data(self, data):
        self.open[-1].children.append(data)


def sections(path) -> dict[str, Element]:
    """The parts of a report by their headings."""
    text = path.read_text(encoding="utf-8")
    written = re.sub(r"base64,[^\"]*", "", text)
    assert not re.search(r"https?:|<script|<link|\bnan\b", written)
    root = Page(text).root
    return {part.all("h2")[0].text: part for part in root.all("section")}


def images(element: Element, kind: str) -> list[bytes]:
    """The images of a kind in an element, decoded."""
    found = []
    for image in element.all("img"):
        assert image.attributes["alt"]
        head, data = image.attributes["src"].split(",")
        if head == f"data:image/{kind};base64":
            found.append(base64.b64decode(data))
    return found


def plots(element: Element) -> list[list[str]]:
    """The texts of each plot in an element."""
    return [
        ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iterfind(".//{*}text")]
        for svg in images(element, "svg+xml")
    ]


def cards(section: Element) -> dict[str, Element]:
    """The cards of a section by the first word of their headings."""
    by_name = {}
    for card in section.all("div", "card"):
        by_name[re.split(r"\W", card.all("h3")[0].text)[0]] = card
    return by_name


@pytest.fixture(scope="module")
def six(tmp_path_factory):
    """A project with an input of each type and an output of each task, trained for two epochs."""
    import keras

    before = keras.src.trainers.trainer.model_supports_jit
    keras.src.trainers.trainer.model_supports_jit = lambda model: False
    inputs = [small_input(f"{kind}_in", kind) for kind in TYPES]
    outputs = [small_output(f"{task}_out", task) for task in TASKS]
    try:
        with project(spec_of(inputs, outputs=outputs), tmp_path_factory.mktemp("six")) as made:
            run = made.folder / "runs" / "one"
            options = ("--epochs", 2, "--members", 1, "--batch-size", 32, "--run", run)
            said = made.ok("train", "--data", made.sample(rows=200), *options)
            assert said.strip().splitlines()[-1].endswith(f"Open {run / 'report.html'}")
            yield made
    finally:
        keras.src.trainers.trainer.model_supports_jit = before


@pytest.fixture(scope="module")
def seen(six):
    """What the report has seen: the model, the fitted state, the validation rows, its predictions."""
    run = six.folder / "runs" / "one"
    model, preprocessing, _ = six.module("evaluate").open_run(run)
    examples = six.module("data").open_examples(six.folder / "sample" / "manifest.csv")
    examples.frame["split"] = six.module("manifest").load_splits(run, examples)
    rows = examples.split("validation")
    predicted = six.module("evaluate").predict_batches(model, preprocessing, rows, 32)
    return model, preprocessing, rows, predicted


def write_results(run, metrics, epochs=1):
    """Write what the report reads in a run: the history and the metrics."""
    rows = "".join(f"1,{epoch},1.0,1.0\n" for epoch in range(epochs))
    (run / "history.csv").write_text(f"member,epoch,loss,val_loss\n{rows}")
    (run / "metrics.json").write_text(json.dumps({"outputs": metrics}))


@pytest.mark.slow
def test_the_page_is_whole_and_needs_no_other_file(six):
    page = sections(six.folder / "runs" / "one" / "report.html")
    assert list(page) == SECTIONS
    names = [entry.name for entry in six.spec.outputs]
    for heading in ("Metrics", "Predictions", "Permutation importance"):
        assert list(cards(page[heading])) == names
    titles = [h.text for h in page["Worst predictions"].all("h3")]
    assert [title for title in titles if not title.startswith("row ")] == names
    curves = plots(page["Learning curves"])
    history = (six.folder / "runs" / "one" / "history.csv").read_text()
    assert len(curves) == len(set(re.findall(r"val_(\w+)", history)))
    assert all({"epoch", "training", "validation"} <= {*curve} for curve in curves)
    inputs = {entry.name for entry in six.spec.inputs}
    for card in cards(page["Permutation importance"]).values():
        (plot,) = plots(card)
        assert inputs <= {*plot}
    (plot,) = plots(page["Gradient norm per branch"])
    assert "gradient norm" in plot
    for name, card in cards(page["Predictions"]).items():
        assert len(plots(card)) == (1 if name in ERRORS else 2)


@pytest.mark.slow
def test_the_metrics_of_the_run_stand_beside_those_of_the_baselines(six):
    page = sections(six.folder / "runs" / "one" / "report.html")
    result = json.loads((six.folder / "runs" / "one" / "metrics.json").read_text())
    rounded = six.module("page").rounded
    found = {"network": result["outputs"], **result["baselines"]}
    assert {"trivial", "boosting"} < set(found)
    for name, card in cards(page["Metrics"]).items():
        head, *rows = card.all("tr")
        metrics = [cell.text for cell in head.all("th")[1:]]
        assert set(metrics) == set(result["outputs"][name])
        assert [row.all("th")[0].text for row in rows] == [*found]
        for row, scores in zip(rows, found.values(), strict=True):
            wanted = [rounded(scores[name][metric], 4) for metric in metrics]
            assert [cell.text for cell in row.all("td")] == wanted
        main = metrics[0]
        sign = -1 if name in ERRORS else 1
        network = sign * result["outputs"][name][main]
        better = [
            baseline
            for baseline, scores in result["baselines"].items()
            if sign * scores[name][main] >= network
        ]
        warning = [f"As good as the network or better: {'; '.join(better)}."] if better else []
        assert [part.text for part in card.all("p", "warning")] == warning


def importance(made, model, preprocessing, examples):
    """The mean importance of each input, by output."""
    found = made.module("report").compute_importance(model, preprocessing, examples)
    return {
        output: dict(zip(made.module("data").INPUTS, each.importances_mean, strict=True))
        for output, each in found.items()
    }


@pytest.mark.slow
def test_importance_is_what_the_main_metric_loses(six, seen):
    """With the input of all rows but one constant, shuffling others changes nothing."""
    import numpy as np

    model, preprocessing, rows, _ = seen
    for row in range(5):  # heads this small are silent for some constants
        values = {
            name: array if name == "numeric_in" else np.resize(array[row : row + 1], array.shape)
            for name, array in rows.values.items()
        }
        values |= {name: rows.values[name] for name in preprocessing.targets(rows)}
        few = type(rows)(rows.source, rows.frame, values)
        found = importance(six, model, preprocessing, few)
        for losses in found.values():
            others = [loss for name, loss in losses.items() if name != "numeric_in"]
            np.testing.assert_allclose(others, 0, atol=1e-4)
        felt = abs(found["regression_out"]["numeric_in"])
        if felt > 1e-4:
            break
    assert felt > 1e-4


@pytest.mark.slow
def test_a_large_number_is_written_out(six):
    rounded = six.module("page").rounded
    assert [rounded(number) for number in (1e6, 12345678.0, 0.1234567, -2.5)] == [
        "1,000,000",
        "12,346,000",
        "0.12346",
        "-2.5",
    ]
    assert rounded(72.4, 1) == "70"


@pytest.mark.slow
def test_the_rows_shown_are_those_of_the_highest_loss(six, seen):
    import numpy as np
    from PIL import Image

    _, preprocessing, rows, predicted = seen
    page = sections(six.folder / "runs" / "one" / "report.html")
    losses = own_losses(six, preprocessing.targets(rows), predicted)
    grids = page["Worst predictions"].all("div", "cards")
    inputs = [entry.name for entry in six.spec.inputs]
    for (name, loss), grid in zip(losses.items(), grids, strict=True):
        shown = [int(re.match(r"row (\d+)", card.text)[1]) for card in grid.all("div", "card")]
        of_row = dict(zip(rows.frame.index.tolist(), loss.tolist(), strict=True))
        assert len(shown) == len(set(shown)) == 12
        shown_losses = [of_row[row] for row in shown]
        np.testing.assert_allclose(shown_losses, sorted(loss, reverse=True)[:12], rtol=1e-3)
        for card in grid.all("div", "card"):
            assert [title.text for title in card.all("h4")] == inputs, name
            sizes = {Image.open(io.BytesIO(it)).size for it in images(card, "png")}
            assert sizes == {(160, 160)}
            assert len(plots(card)) == 1  # the series


# The outputs whose first metric is an error; the page has one plot of their predictions.
ERRORS = ("regression_out", "count_out", "quantile_out", "ordinal_out")


def own_losses(six, targets, predicted):
    """The loss of each row, computed again."""
    import numpy as np

    found = {}
    for entry in six.spec.outputs:
        name = entry.name
        y_true, y_pred = targets[name], predicted[name].clip(1e-7, 1 - 1e-7)
        if entry.task.name == "multiclass":
            found[name] = -np.log(y_pred[np.arange(len(y_true)), y_true])
        elif entry.task.name == "regression":
            found[name] = np.abs(y_true - predicted[name])[:, 0]
        elif entry.task.name == "count":
            rates = predicted[name]
            logs = y_true * np.log(np.maximum(y_true, 1) / rates)
            found[name] = 2 * (logs - y_true + rates)[:, 0]
        elif entry.task.name == "quantile":
            levels, error = np.array(entry.fields["levels"]), y_true - predicted[name]
            found[name] = np.where(error > 0, levels * error, (levels - 1) * error).mean(axis=1)
        elif entry.task.name == "ordinal":
            at_most = np.cumsum(y_pred, axis=1)[:, :-1].clip(1e-7, 1 - 1e-7)
            known = y_true[:, None] <= np.arange(at_most.shape[1])
            found[name] = -np.log(np.where(known, at_most, 1 - at_most)).mean(axis=1)
        else:
            found[name] = -np.log(np.where(y_true == 1, y_pred, 1 - y_pred)).mean(axis=1)
    return found


@pytest.mark.slow
def test_raw_values_are_shown_as_they_are_and_never_as_markup(six, seen, tmp_path):
    import numpy as np

    model, preprocessing, rows, _ = seen
    evil = '<script>alert("1")</script> & 株価 ' + "w" * 600
    values = dict(rows.values)
    for name, array in values.items():
        if name in ("text_in", "categorical_in"):
            values[name] = np.full_like(array, evil)
        if name == "numeric_in":
            values[name] = np.full_like(array, 1234.5)
        if name == "binary_in":
            values[name] = np.full_like(array, np.nan)
    few = type(rows)(rows.source.with_name("a<b>.csv"), rows.frame, values)
    report = six.module("report")
    metrics = {name: {metric: 1.0} for name, (metric, _) in report.MAIN_METRICS.items()}
    write_results(tmp_path, metrics)
    report.write_report(tmp_path, model, preprocessing, few, {})
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text and "a<b>" not in text
    assert "w" * 301 not in text
    root = Page(text).root
    assert "a<b>.csv" in root.text
    page = {part.all("h2")[0].text: part for part in root.all("section")}
    card = page["Worst predictions"].all("div", "card")[0].text
    assert '<script>alert("1")</script> & 株価 w' in card
    assert "numeric_in_0 1,234.5" in card
    assert "binary_in missing" in card


@pytest.mark.slow
def test_an_input_with_signal_has_importance_and_one_without_has_none(tmp_path):
    import numpy as np
    import pandas as pd

    # Wide enough that no run of chance leaves a head with dead units alone.
    inputs = [small_input(name, "numeric", units=[32]) for name in ("tells", "noise")]
    outputs = [small_output("label", "binary", units=[32])]
    outputs.append(small_output("price", "regression", units=[32]))
    with project(spec_of(inputs, outputs=outputs), tmp_path) as made:
        manifest = made.sample(rows=1200)
        table = pd.read_csv(manifest)
        rng = np.random.default_rng(0)
        for column in [name for name in table if name.startswith("noise_")]:
            table[column] = 10 + rng.normal(0, 1, len(table))
        score = table[[name for name in table if name.startswith("tells_")]].mean(axis=1)
        table["label"] = np.where(score > score.median(), "yes", "no")
        table["price"] = 100 * score
        table.to_csv(manifest, index=False)
        run = made.folder / "run"
        options = ("--epochs", 15, "--learning-rate", 5e-3)
        made.ok("train", "--data", manifest, "--run", run, *options)
        model, preprocessing, _ = made.module("evaluate").open_run(run)
        examples = made.module("data").open_examples(manifest)
        added = importance(made, model, preprocessing, examples)
        assert added["label"]["tells"] > 0.25
        assert abs(added["label"]["noise"]) < 0.1 * added["label"]["tells"]
        assert abs(added["price"]["noise"]) < 0.1 * added["price"]["tells"]


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
def test_what_shows_the_first_member_alone_says_so(tmp_path):
    with project(spec_of([small_input("numbers", "numeric")]), tmp_path) as made:
        run = made.train(made.sample(), "--members", 3, "--epochs", 2)
        page = sections(run / "report.html")
        told = "One member of the ensemble."
        shown = [name for name, part in page.items() if told in part.text]
        assert shown == ["Learning curves", "Gradient norm per branch"]


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
def test_a_branch_without_gradient_is_named(tmp_path):
    inputs = [small_input("awake", "numeric"), small_input("dozing", "numeric")]
    inputs.append(small_input("bare", "numeric", "passthrough"))
    with project(spec_of(inputs), tmp_path) as made:
        data, report = made.module("data"), made.module("report")
        examples = data.open_examples(made.sample(rows=64))
        preprocessing = data.Preprocessing.adapt(examples)
        model = made.module("model").build_model()
        made.module("model").compile_model(model, preprocessing.state)
        for layer in model.layers:
            if layer.name.startswith("dozing.") and layer.weights:
                layer.set_weights([0 * weight for weight in layer.get_weights()])
        watch = report.WatchBranches(examples, preprocessing)
        batches = data.make_dataset(examples, preprocessing, 32)
        model.fit(batches, epochs=2, callbacks=[watch], verbose=0)
        norms = watch.norms
        assert [list(epoch) for epoch in norms.values()] == [["awake", "dozing"]] * 2
        assert norms[1]["awake"] > 0
        assert norms[1]["dozing"] == 0
        write_results(tmp_path, {"label": {"accuracy": 0.5}}, epochs=5)  # three before a --resume
        norms = {epoch + 3: norm for epoch, norm in norms.items()}
        report.write_report(tmp_path, model, preprocessing, examples, norms)
        part = sections(tmp_path / "report.html")["Gradient norm per branch"]
        (told,) = part.all("p", "warning")
        assert told.text.startswith("dozing learns little")
        assert "awake" in told.text


@pytest.mark.slow
@pytest.mark.usefixtures("no_xla")
def test_gradient_norms_are_those_of_the_loss(tmp_path):
    """Against differences of the loss along the gradient: its slope there is the norm."""
    import keras
    import numpy as np
    import tensorflow as tf

    inputs = [small_input("a", "numeric", dropout=0), small_input("b", "numeric", dropout=0)]
    outputs = [small_output("y", "regression", dropout=0), small_output("z", "binary", dropout=0)]
    with project(spec_of(inputs, outputs=outputs), tmp_path) as made:
        data, report = made.module("data"), made.module("report")
        examples = data.open_examples(made.sample(rows=32))
        preprocessing = data.Preprocessing.adapt(examples)
        keras.utils.set_random_seed(0)
        model = made.module("model").build_model()
        made.module("model").compile_model(model, preprocessing.state)
        watch = report.WatchBranches(examples, preprocessing)
        watch.set_model(model)
        watch.on_epoch_end(0)
        layers = [layer for layer in model.layers if layer.name.startswith("a.")]
        weights = [weight for layer in layers for weight in layer.trainable_weights]
        batch, targets = next(iter(data.make_dataset(examples, preprocessing, 32)))

        def loss():
            return float(model.compute_loss(y=targets, y_pred=model(batch)))

        with tf.GradientTape() as tape:
            value = model.compute_loss(y=targets, y_pred=model(batch))
        gradients = tape.gradient(value, weights)
        norm = watch.norms[1]["a"]

        def step(size):
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.assign_add(size * gradient / norm)
            return loss()

        ahead, behind = step(1e-2), step(-2e-2)
        assert (ahead - behind) / 2e-2 == pytest.approx(norm, rel=0.1)
        assert np.isfinite(list(watch.norms[1].values())).all()


@pytest.mark.slow
def test_many_classes_in_the_matrix_are_those_with_most_errors(six):
    import numpy as np

    labels = [f"<{index}>" for index in range(500)]
    y_true = np.arange(500)
    y_pred = np.where(y_true % 50 == 0, 499 - y_true, y_true)
    text = six.module("page").confusion_matrix(labels, y_true, y_pred)
    (texts,) = plots(Page(text).root)
    shown = [text for text in texts if text.startswith("<")]
    assert len(shown) == 2 * len(set(shown)) == 60
    assert {f"<{index}>" for index in range(0, 500, 50)} <= {*shown}


@pytest.mark.slow
def test_the_matrix_has_a_row_for_each_actual_label(six):
    import numpy as np

    y_true, y_pred = np.array([0, 0, 0, 1, 2]), np.array([0, 1, 1, 1, 2])
    labels = ["$5-$10", "株価", "\\$^"]
    (texts,) = plots(Page(six.module("page").confusion_matrix(labels, y_true, y_pred)).root)
    assert [text for text in texts if text.isdigit()] == [*"120010001"]
    assert [text for text in texts if text in labels] == 2 * labels


@pytest.mark.slow
def test_a_split_with_one_label_has_a_report(six):
    """Curves of calibration, F1 scores and matrices are drawn although a label is missing."""
    import numpy as np

    report, state = six.module("report"), {"labels": ["a", "b"], "thresholds": [0.5, 0.5]}
    probabilities = np.linspace(0.1, 0.9, 6)
    one = np.zeros((6, 1))
    assert "confusion matrix" in report.draw_binary(state, one, probabilities[:, None])
    both = np.stack([probabilities, 1 - probabilities], axis=1)
    assert "confusion matrix" in report.draw_multiclass(state, one[:, 0].astype(int), both)
    assert "F1 score" in report.draw_multilabel(state, np.zeros((6, 2)), both)
