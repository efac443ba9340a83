"""No skew between training and serving: `predict`, the SavedModel and its JSON over HTTP agree on the same cells."""

from __future__ import annotations

import base64
import http.server
import json
import math
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from projects import TASKS, TYPES, project, small_input, small_output, spec_of

ROWS = 24
TRUE_WORDS = ("true", "1", "1.0", "yes", "y", "t")
FORMATS = ("", "unix", "unix_ms", "mixed", "%d.%m.%Y %H:%M", "%d %b %Y %I:%M %p", "%Y%m%d", "%j %Y")


# A client, and TensorFlow Serving


def sent(entry, cells, folder, spec):
    """What a client sends for the cells of one input in a row, as the project's README says."""
    import numpy as np
    import tensorflow as tf

    if entry.type.reads_files and "delimiter" in entry.fields:
        parts = map(str.strip, cells[0].split(entry.fields["delimiter"]))
        contents = [(folder / part).read_bytes() for part in parts if part]
        return contents + [b""] * (entry.shape[0] - len(contents))
    if entry.type.reads_files:
        path = folder / cells[0].strip()
        if spec.dtype == tf.string:
            return path.read_bytes() if cells[0].strip() else b""
        blank = np.full([size or 1 for size in spec.shape[1:]], np.nan)
        return (np.load(path) if cells[0].strip() else blank).tolist()
    if spec.dtype == tf.string:
        return cells[0] if spec.shape.rank == 1 else list(cells)
    if entry.type.name == "datetime":  # days and seconds, of a format that TensorFlow cannot parse
        moment = datetime.strptime(cells[0].strip(), entry.fields["format"]) - datetime(1970, 1, 1)
        return [float(moment.days), float(moment.seconds)]
    if entry.type.name == "binary":
        return [
            float(word.lower() in TRUE_WORDS) if word else math.nan
            for word in map(str.strip, cells)
        ]
    return [float(cell) if cell.strip() else math.nan for cell in cells]


def padded(rows):
    """Series of one batch, all as long as the longest, with steps of NaN at their ends."""
    longest = max(map(len, rows))
    return [series + [[math.nan] * len(series[0])] * (longest - len(series)) for series in rows]


def tensor(value, spec):
    """A JSON value as TensorFlow Serving reads it (tensorflow_serving/util/json_tensor.cc)."""
    import numpy as np
    import tensorflow as tf

    def leaf(value):
        if spec.dtype == tf.string:
            if isinstance(value, dict):
                assert list(value) == ["b64"], value
                return base64.b64decode(value["b64"], validate=True)
            assert isinstance(value, str), value
            return value.encode()
        assert isinstance(value, int | float) and not isinstance(value, bool), value
        assert not isinstance(value, int) or abs(value) < 2**24, "Lossy conversion to float"
        return np.float32(value)

    def whole(value):
        return [whole(one) for one in value] if isinstance(value, list) else leaf(value)

    return tf.constant(whole(value), spec.dtype)


def serve_json(signature, body):
    """Answer a request's body as TensorFlow Serving's REST API does: by rows or by columns."""
    import numpy as np

    specs = signature.structured_input_signature[1]
    request = json.loads(body)
    if "instances" in request:
        assert all(set(row) == set(specs) for row in request["instances"])
        columns = {name: [row[name] for row in request["instances"]] for name in specs}
    else:
        columns = request["inputs"]
        assert set(columns) == set(specs)
    outputs = signature(**{name: tensor(columns[name], spec) for name, spec in specs.items()})
    # Nine digits, as it writes what does not survive in six.
    lists = {
        name: np.vectorize(lambda number: float(f"{number:.9g}"))(array.numpy()).tolist()
        for name, array in outputs.items()
    }
    if "inputs" in request:
        return json.dumps({"outputs": lists if len(lists) > 1 else next(iter(lists.values()))})
    rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    return json.dumps(
        {"predictions": rows if len(lists) > 1 else [next(iter(row.values())) for row in rows]}
    )


def as_json(value):
    """Bytes as {"b64": ...}, all else as it is."""
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: as_json(one) for name, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list) else value


@contextmanager
def rest_server(signature) -> Iterator[str]:
    """A server that answers each POST with predictions; gives its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = serve_json(signature, body).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


# Cells as people write them


def drawn_date(chance, form):
    """A date in a format, or in one of the notations that it stands for."""
    moment = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(10**9))
    if form in ("unix", "unix_ms"):
        seconds = int(moment.timestamp())
        return str(seconds * (1000 if form == "unix_ms" else 1))
    if form == "":
        moment = moment.astimezone(timezone(timedelta(minutes=chance.randrange(-700, 700, 15))))
        forms = ("%Y-%m-%d", "%Y%m%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y%m%dT%H%M%SZ")
        return moment.strftime(chance.choice(forms))
    if form == "mixed":
        form = chance.choice(
            ["%m/%d/%Y", "%d %B %Y", "%b %d, %Y %I:%M %p", "%m-%d-%y %H:%M", "%Y-%m-%d"]
        )
    return moment.strftime(form)


def as_written(chance, entry, cell, folder):
    """A cell of the sample with what people do to it: spaces, another case, another date."""
    import numpy as np

    series = entry.type.name == "timeseries"
    if series and cell.endswith(".npy") and chance.random() < 0.3:  # longer than the model's tensor
        longer = f"{cell.removesuffix('.npy')}_longer.npy"
        np.save(folder / longer, np.tile(np.load(folder / cell), (3, 1)))
        cell = longer
    choices = {
        "datetime": lambda: [drawn_date(chance, entry.fields["format"])],
        "binary": lambda: ["true", "False", "YES", "no", "1", "0", "1.0", "T"],
        "categorical": lambda: [cell, "1", "1.0", "TRUE", "true", "an unknown one"],
        "numeric": lambda: [cell, f"{float(cell):e}", str(float(cell) * 1e9), "7"],
        "text": lambda: [cell, cell.upper(), "1.0", "é 日 ☃", f"{cell} unknown"],
        "set": lambda: [cell, cell.upper(), "1.0", f"{cell} | TRUE|unknown"],
        "sequence": lambda: [cell, cell.upper(), "1.0", f"{cell} | TRUE|unknown"],
    }
    cell = chance.choice(choices.get(entry.type.name, lambda: [cell])())
    spaces = ["", "", " ", "\t", *(["\u00a0"] if entry.type.name != "numeric" else [])]
    return chance.choice(spaces) + cell + chance.choice(["", "", " "])


def draw_cells(chance, made, manifest):
    """Rewrite a manifest with drawn cells, some of them missing where they may be; gives the table."""
    import pandas as pd

    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    for entry in made.spec.inputs:
        for row in range(len(table)):
            missing = entry.fields["optional"] and chance.random() < 0.25
            for name in entry.columns:
                cell = table.loc[row, name]
                drawn = as_written(chance, entry, cell, manifest.parent) if cell else ""
                table.loc[row, name] = chance.choice(["", " "]) if missing else drawn
    table.to_csv(manifest, index=False)
    return table


def rows_to_send(made, table, folder, specs):
    """The rows of a table as a client sends them: values by input name."""
    columns = {}
    for entry in made.spec.inputs:
        cells = table[entry.columns].to_numpy().tolist()
        columns[entry.name] = [sent(entry, row, folder, specs[entry.name]) for row in cells]
        if specs[entry.name].shape.rank == 3:
            columns[entry.name] = padded(columns[entry.name])
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


# Tests


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project with every type of input, required and optional, and every task; trained and exported."""
    import keras

    inputs = [
        small_input(f"{kind}_{must}", kind, optional=must == "may")
        for kind in TYPES
        for must in ("must", "may")
    ]
    inputs += [small_input(f"date_{n}", "datetime", format=form) for n, form in enumerate(FORMATS)]
    inputs += [
        small_input("day_first", "datetime", day_first=True),
        {"name": "twin", "like": "date_4"},
    ]
    outputs = [small_output(f"{task}_out", task) for task in TASKS]
    spec = spec_of(inputs, outputs=outputs, features=["ensemble", "calibration"])
    with (
        pytest.MonkeyPatch.context() as patch,
        project(spec, tmp_path_factory.mktemp("all")) as made,
    ):
        patch.setattr(keras.src.trainers.trainer, "model_supports_jit", lambda model: False)
        made.ok("export", "--run", made.train(made.sample()))
        yield made


@pytest.fixture(scope="module")
def served(trained):
    import tensorflow as tf

    return tf.saved_model.load(str(trained.folder / "runs" / "one" / "saved_model"))


def predictions_of(made, manifest):
    """The numbers that `predict` writes, by output name."""
    import pandas as pd

    out = manifest.with_name("predictions.csv")
    made.ok("predict", "--run", made.folder / "runs" / "one", "--data", manifest, "--out", out)
    table = pd.read_csv(out)
    found = {}
    for entry in made.spec.outputs:
        names = [name for name in table if name.startswith(f"{entry.name}_")] or [entry.name]
        if entry.task.name == "quantile":
            names = [name for name in names if not name.endswith(("_low", "_high"))]
        found[entry.name] = table[names].to_numpy("float32")
    return found


def assert_agree(expected, given, tolerance=1e-6):
    import numpy as np

    assert expected.keys() == given.keys()
    for name, numbers in expected.items():
        found = np.asarray(given[name])[:, : numbers.shape[1]]
        np.testing.assert_allclose(found, numbers, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_predict_the_saved_model_and_json_agree(trained, served, seed):
    import numpy as np

    manifest, chance = trained.sample(ROWS), random.Random(seed)
    table = draw_cells(chance, trained, manifest)
    expected = predictions_of(trained, manifest)
    signature = served.signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    rows = rows_to_send(trained, table, manifest.parent, specs)
    columns = {name: [row[name] for row in rows] for name in specs}
    raw = {name: tensor(as_json(values), specs[name]) for name, values in columns.items()}
    assert_agree(expected, served.serve(raw))

    by_column = serve_json(signature, json.dumps({"inputs": as_json(columns)}))
    assert_agree(expected, json.loads(by_column)["outputs"])
    by_row = serve_json(signature, json.dumps({"instances": [as_json(row) for row in rows]}))
    answers = json.loads(by_row)["predictions"]
    assert_agree(expected, {name: [row[name] for row in answers] for name in expected})

    # A row alone gets the predictions that it has among others.
    row = chance.randrange(ROWS)
    alone = serve_json(signature, json.dumps({"instances": [as_json(rows[row])]}))
    (answer,) = json.loads(alone)["predictions"]
    one = {name: numbers[row : row + 1] for name, numbers in expected.items()}
    assert_agree(one, {name: np.asarray(answer[name])[None] for name in one}, 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text"), [("date_0", "31.12.2020"), ("date_0", " "), ("datetime_may", "soon")]
)
def test_an_invalid_date_is_an_error_in_predict_and_in_serving(trained, served, name, text):
    import pandas as pd
    import tensorflow as tf

    manifest = trained.sample(4)
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    signature = served.signatures["serving_default"]
    table.loc[2, name] = text
    table.to_csv(manifest, index=False)
    run, out = trained.folder / "runs" / "one", manifest.with_name("predictions.csv")
    done = trained.main("predict", "--run", run, "--data", manifest, "--out", out)
    assert done.code == 1 and f"row 3: {name} is " in done.err
    rows = rows_to_send(trained, table, manifest.parent, signature.structured_input_signature[1])
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{name} is not a date"):
        serve_json(signature, json.dumps({"instances": as_json(rows)}))
    serve_json(signature, json.dumps({"instances": as_json(rows[:2])}))


@pytest.mark.slow
def test_the_clients_of_the_readme_run(trained, served, tmp_path, monkeypatch):
    """Only the run and the address of the server differ."""
    readme = (trained.folder / "README.md").read_text(encoding="utf-8")
    local, over_http = re.findall(r"```python\n(.*?)```", readme, re.S)
    manifest, shown, names = trained.sample(4), [], {}
    (picture, *_) = sorted(manifest.parent.rglob("*.jpg"))
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").write_bytes(picture.read_bytes())
    monkeypatch.setattr("builtins.print", shown.append)
    exec(local.replace("runs/first", str(trained.folder / "runs" / "one")), names)
    with rest_server(served.signatures["serving_default"]) as address:
        exec(over_http.replace("http://localhost:8501", address), names)
    expected = {name: array.numpy() for name, array in shown[0].items()}
    assert_agree(expected, {name: [row[name] for row in shown[1]] for name in expected})


@pytest.mark.slow
def test_predict_writes_the_columns_that_the_readme_names(trained):
    import pandas as pd

    run, manifest = trained.folder / "runs" / "one", trained.sample(4)
    trained.ok("predict", "--run", run, "--data", manifest, "--out", manifest.with_name("out.csv"))
    columns = set(pd.read_csv(manifest.with_name("out.csv"))) - {"row"}
    readme = (trained.folder / "README.md").read_text(encoding="utf-8")
    table = readme.partition("what `predict` writes")[2].partition("\n\n")[0]
    state, named = json.loads((run / "preprocessing.json").read_text(encoding="utf-8")), set()
    for line in table.splitlines()[2:]:
        output, *_, columns_cell = re.split(r" ?(?<!\\)\| ?", line.strip("| "))
        fitted = state[output.strip("`")]
        for column in re.findall("`(.*?)`", columns_cell):
            name, each = re.fullmatch("(.*?)(CLASS|LABEL|LEVEL)?", column).groups()
            values = fitted["levels" if each == "LEVEL" else "labels"] if each else [""]
            named |= {f"{name}{value}" for value in values}
    assert columns == named
