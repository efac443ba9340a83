"""Compare the encoders of texts on tables that have some, each project trained with its defaults.

    python benchmarks/accuracy/texts.py TABLES --weights FOLDER       # FOLDER: a sentence encoder
    python benchmarks/accuracy/texts.py TABLES --only debian_names --encoders embedding_bag ngrams
    python benchmarks/accuracy/texts.py TABLES --weights FOLDER --encoders fine_tuned --fields lora=8 rate=1

The tables are those of gather.py that have a text. For the encoder `pretrained` the same vectors go to
gradient boosting and to a linear model, too, with the other inputs beside them: what a person
would get without a network. Each line of the output has the mean over the seeds and the range.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from run import call, train

TABLES = (
    "birds",
    "breaches",
    "debian",
    "debian_names",
    "debian_size",
    "movies",
    "tate_texts",
    "trump_tweets",
)
CHARACTERS = 8  # of a word, with the space
# Fit both peers to the inputs of a project's model, and score them on the test rows.
PEERS = """
import json, sys
import numpy as np
from pathlib import Path
from importlib import import_module
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, mean_absolute_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

package, manifest, task = sys.argv[1:]
data = import_module(package + ".data")
examples = data.open_examples(Path(manifest))
split = examples.frame["split"].to_numpy()
preprocessing = data.Preprocessing.adapt(examples.take(np.flatnonzero(split == "train")))
batches = data.make_dataset(examples, preprocessing, 256, with_targets=False)
parts = [np.concatenate([np.asarray(batch[name]).reshape(len(batch[name]), -1) for name in data.INPUTS], axis=1) for batch in batches]
x, y = np.nan_to_num(np.concatenate(parts)), np.asarray(examples.values[data.OUTPUTS[0]]).ravel()
numbers = task == "regression"
boosting = HistGradientBoostingRegressor if numbers else HistGradientBoostingClassifier
linear = Ridge() if numbers else LogisticRegression(max_iter=2000)
score = mean_absolute_error if numbers else accuracy_score
known = y == y  # not so of a missing number
rows, test = known & (split != "test"), known & (split == "test")
for name, model in (("boosting", boosting(max_iter=100)), ("linear", make_pipeline(StandardScaler(), linear))):
    model.fit(x[rows], y[rows])
    print(json.dumps({"peer": name, "score": score(y[test], model.predict(x[test]))}))
"""


def spec_with(
    encoder: str, proposed: dict[str, Any], weights: str | None, fields: dict[str, Any]
) -> dict[str, Any]:
    """The proposed spec with one encoder for each text that has words, and fields of that encoder."""
    spec: dict[str, Any] = json.loads(json.dumps(proposed))
    for entry in spec["inputs"]:
        if entry["type"] != "text":
            continue
        tokens = entry["shape"][0]
        entry["encoder"] = encoder
        if encoder in ("ngrams", "pretrained", "fine_tuned"):
            entry.pop("vocabulary", None)
            entry.pop("tokens", None)
        if encoder == "ngrams":
            entry["shape"] = [min(512, CHARACTERS * tokens)]
        if encoder in ("pretrained", "fine_tuned"):
            entry["shape"] = [min(512, 2 * tokens)]
            entry["weights"] = str(weights)
        entry.update(fields)
    return spec


def propose(manifest: Path, facts: dict[str, Any], work: Path) -> dict[str, Any]:
    """What `scaffold inspect` proposes, without what is known only with the answer."""
    dropped = [
        word for name, kind in facts["types"].items() if kind == "leak" for word in ("--drop", name)
    ]
    out = work / "proposed.yml"
    target = ["--target", f"{facts['target']}:{facts['task']}", "--out", str(out), "--force"]
    call(
        [sys.executable, "-m", "keras_scaffold", "inspect", str(manifest), *target, *dropped], work
    )
    spec: dict[str, Any] = yaml.safe_load(out.read_text(encoding="utf-8"))
    return spec


def main() -> None:
    """Train and score each encoder on each table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("tables", type=Path, help="the folder that gather.py wrote")
    parser.add_argument("--only", nargs="*", default=TABLES)
    parser.add_argument("--encoders", nargs="*", default=["embedding_bag", "ngrams", "pretrained"])
    parser.add_argument(
        "--weights", help="the folder with the language model of `pretrained` and `fine_tuned`"
    )
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--fields", nargs="*", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    fields = {name: yaml.safe_load(value) for name, value in (f.split("=") for f in options.fields)}
    known = json.loads((options.tables / "tables.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_STATE_HOME"] = scratch  # no weights that a person has remembered
        for name in options.only:
            facts, folder = known[name], (options.tables / name).resolve()
            proposed = propose(folder / "manifest.csv", facts, Path(scratch))
            for encoder in options.encoders:
                project = Path(tempfile.mkdtemp(dir=scratch)) / "project"
                package = render(project, spec_with(encoder, proposed, options.weights, fields))
                manifest, more = folder / "manifest_split.csv", ["--members", str(options.members)]
                found = [
                    train(project, package, manifest, facts, seed, more) for seed in options.seeds
                ]
                show(name, encoder, [each["score"] for each in found], found[0]["seconds"])
                if encoder == "pretrained":
                    arguments = [package, str(manifest), facts["task"]]
                    lines = call(
                        [sys.executable, "-c", PEERS, *arguments], project, project / "src"
                    )
                    for line in lines.splitlines():
                        peer = json.loads(line) if line.startswith("{") else None
                        if peer:
                            show(name, f"pretrained, {peer['peer']}", [peer["score"]], 0)


def render(project: Path, spec: dict[str, Any]) -> str:
    """Render a spec without the features that take time; give the package's name."""
    path = project.with_suffix(".yml")
    path.write_text(yaml.safe_dump({**spec, "features": ["ensemble"]}), encoding="utf-8")
    command = ["new", str(project), "--spec", str(path), "--no-git", "--yes"]
    call([sys.executable, "-m", "keras_scaffold", *command], project.parent)
    return next((project / "src").glob("*/model.py")).parent.name


def show(table: str, method: str, scores: list[float], seconds: float) -> None:
    """Print a line of the table, in Markdown."""
    spread = f"{min(scores):.4g} to {max(scores):.4g}"
    print(f"| {table} | {method} | {np.mean(scores):.4g} | {spread} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
