"""What a generated project has to beat: a constant, gradient boosting, and Ludwig.

    python benchmarks/accuracy/baselines.py TABLES                          # scikit-learn's
    LUDWIG_VENV/bin/python benchmarks/accuracy/baselines.py TABLES --methods ludwig

Reads what gather.py wrote. Ids, constants and columns that leak the answer are left out, for every
method alike. scikit-learn's learn from train and validation rows together, as they need no validation;
Ludwig stops early on the validation rows. Results go to results.csv beside this file, one line for each
table, method and seed; a line measured again replaces the old one.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RESULTS = Path(__file__).with_name("results.csv")
FIELDS = ["table", "method", "seed", "metric", "score", "auc", "balanced", "rmse", "seconds"]
LEFT_OUT = ("id", "constant", "leak")

Facts = dict[str, Any]
Scores = dict[str, float]


def read_table(tables: Path, name: str) -> pd.DataFrame:
    """Read a manifest with its split, every cell as text; R's NA and empty cells are holes."""
    path = tables / name / "manifest_split.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.mask(table.isin(["NA", ""]))


# Flat features, as scikit-learn expects them; fitted on the rows that are not for the test.


def number_features(column: pd.Series, known: np.ndarray) -> tuple[np.ndarray, bool]:
    """Read numbers; holes stay holes, boosting knows what to do with them."""
    return pd.to_numeric(column, errors="coerce").to_numpy("float64")[:, None], False


def code_features(column: pd.Series, known: np.ndarray) -> tuple[np.ndarray, bool]:
    """Number the categories by frequency; rare ones beyond what boosting takes are holes."""
    kept = column[known].value_counts().index[:254]
    codes = column.map({value: code for code, value in enumerate(kept)})
    return codes.to_numpy("float64")[:, None], True


def date_features(column: pd.Series, known: np.ndarray) -> tuple[np.ndarray, bool]:
    """Take a date apart: days since 1970, month, day of the week, hour."""
    first = column.str.split(" - ").str[0]  # "10/8/2009 - 12/1/2010" begins on the first day
    dates = pd.to_datetime(first, errors="coerce", format="mixed", utc=True)
    days = (dates - pd.Timestamp("1970-01-01", tz="UTC")).dt.total_seconds() / 86400
    parts = [days, dates.dt.month, dates.dt.dayofweek, dates.dt.hour]
    return np.stack([part.to_numpy("float64") for part in parts], axis=1), False


def text_features(column: pd.Series, known: np.ndarray) -> tuple[np.ndarray, bool]:
    """Weigh words and pairs of words by TF-IDF, squeezed to 32 numbers."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = column.fillna("")
    tfidf = TfidfVectorizer(ngram_range=(1, 2), max_features=20000, sublinear_tf=True)
    tfidf.fit(texts[known])
    svd = TruncatedSVD(min(32, len(tfidf.vocabulary_) - 1), random_state=0)
    svd.fit(tfidf.transform(texts[known]))
    return svd.transform(tfidf.transform(texts)), False


def picture_features(column: pd.Series, known: np.ndarray, folder: Path) -> tuple[np.ndarray, bool]:
    """Shrink pictures to 12 x 12, and add each channel's mean and deviation."""
    from PIL import Image

    rows = []
    for path in column:
        with Image.open(folder / path) as file:
            picture = file.convert("L" if file.mode == "L" else "RGB")
        full = np.asarray(picture, dtype="float64").reshape(-1, len(picture.getbands()))
        small = np.asarray(picture.resize((12, 12)), dtype="float64").ravel()
        rows.append(np.concatenate([small, full.mean(axis=0), full.std(axis=0)]))
    return np.stack(rows), False


def series_features(column: pd.Series, known: np.ndarray, folder: Path) -> tuple[np.ndarray, bool]:
    """Take the raw steps (at most 128, evenly), and each value's summary over time."""
    series = [np.load(folder / path) for path in column]
    steps = min(128, max(len(values) for values in series))
    rows = []
    for values in series:
        at = np.linspace(0, len(values) - 1, steps)
        raw = [np.interp(at, np.arange(len(values)), one) for one in values.T]
        quartiles = np.percentile(values, [0, 25, 50, 75, 100], axis=0)
        change = np.abs(np.diff(values, axis=0)).mean(axis=0)
        summary = [values.mean(axis=0), values.std(axis=0), change, *quartiles]
        rows.append(np.concatenate([*raw, *summary, [len(values)]]))
    return np.stack(rows), False


def flat_features(table: pd.DataFrame, facts: Facts, folder: Path) -> tuple[np.ndarray, list[bool]]:
    """Turn a table into numbers, and say which of them are categories' codes."""
    known = (table["split"] != "test").to_numpy()
    plain: dict[str, Callable[..., tuple[np.ndarray, bool]]] = {
        "numeric": number_features,
        "categorical": code_features,
        "binary": code_features,
        "date": date_features,
        "text": text_features,
    }
    filed = {"image": picture_features, "timeseries": series_features}
    blocks, categories = [], []
    for name, kind in facts["types"].items():
        if kind in LEFT_OUT:
            continue
        if kind in plain:
            block, coded = plain[kind](table[name], known)
        else:
            block, coded = filed[kind](table[name], known, folder)
        blocks.append(block)
        categories += [coded] * block.shape[1]
    return np.concatenate(blocks, axis=1), categories


# Scores


def classes(table: pd.DataFrame, facts: Facts) -> list[str]:
    """List the labels, sorted."""
    return sorted(table[facts["target"]].unique())


def score(facts: Facts, truth: np.ndarray, predicted: np.ndarray) -> Scores:
    """Score probabilities (rows, classes) against class indices, or numbers against numbers."""
    if facts["task"] == "regression":
        error = predicted - truth
        return {"score": float(np.abs(error).mean()), "rmse": float(np.sqrt((error**2).mean()))}
    chosen = predicted.argmax(axis=1)
    recalls = [(chosen[truth == label] == label).mean() for label in np.unique(truth)]
    areas = [
        rank_area(truth == label, predicted[:, label])
        for label in np.unique(truth)
        if (truth == label).any() and not (truth == label).all()
    ]
    return {
        "score": float((chosen == truth).mean()),
        "auc": float(np.mean(areas)),
        "balanced": float(np.mean(recalls)),
    }


def rank_area(positive: np.ndarray, scores: np.ndarray) -> float:
    """Area under the curve of one class against the rest, ties counted half."""
    ranks = pd.Series(scores).rank().to_numpy()
    many, few = positive.sum(), (~positive).sum()
    return float((ranks[positive].sum() - many * (many + 1) / 2) / (many * few))


def truth_of(table: pd.DataFrame, facts: Facts) -> np.ndarray:
    """Read the truth: numbers, or class indices."""
    target = table[facts["target"]]
    if facts["task"] == "regression":
        return pd.to_numeric(target).to_numpy("float64")
    return target.map({label: i for i, label in enumerate(classes(table, facts))}).to_numpy("int64")


# Methods: each gets the table and gives the predictions for its test rows.


def constant(table: pd.DataFrame, facts: Facts, folder: Path, seed: int) -> np.ndarray:
    """Predict the median, or the shares of the classes."""
    test = (table["split"] == "test").to_numpy()
    truth = truth_of(table, facts)
    if facts["task"] == "regression":
        return np.full(test.sum(), np.median(truth[~test]))
    shares = np.bincount(truth[~test], minlength=len(classes(table, facts))) / (~test).sum()
    return np.tile(shares, (test.sum(), 1))


def boosting(
    table: pd.DataFrame,
    facts: Facts,
    folder: Path,
    seed: int,
    categorical: bool = True,
    loss: str = "squared_error",
) -> np.ndarray:
    """Train HistGradientBoosting with its defaults on all rows but the test's."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    features, coded = flat_features(table, facts, folder)
    test = (table["split"] == "test").to_numpy()
    truth = truth_of(table, facts)
    given = {"categorical_features": np.array(coded) if categorical else None, "random_state": seed}
    if facts["task"] == "regression":
        model = HistGradientBoostingRegressor(loss=loss, **given)
        return model.fit(features[~test], truth[~test]).predict(features[test])
    model = HistGradientBoostingClassifier(**given).fit(features[~test], truth[~test])
    predicted = np.zeros((test.sum(), len(classes(table, facts))))
    predicted[:, model.classes_] = model.predict_proba(features[test])
    return predicted


def boosting_codes(table: pd.DataFrame, facts: Facts, folder: Path, seed: int) -> np.ndarray:
    """Train it with categories as plain codes."""
    return boosting(table, facts, folder, seed, categorical=False)


def boosting_mae(table: pd.DataFrame, facts: Facts, folder: Path, seed: int) -> np.ndarray:
    """Train it on the absolute error, which is what is scored."""
    return boosting(table, facts, folder, seed, loss="absolute_error")


def ludwig(
    table: pd.DataFrame, facts: Facts, folder: Path, seed: int, helped: bool = False
) -> np.ndarray:
    """Train Ludwig with its defaults: it is told each column's type and nothing else."""
    from ludwig.api import LudwigModel

    kinds = {"numeric": "number", "categorical": "category"}
    used = {name: kind for name, kind in facts["types"].items() if kind not in LEFT_OUT}
    target = facts["target"]
    table = table[[*used, target, "split"]].copy()
    for name, kind in used.items():
        if kind == "numeric":
            table[name] = pd.to_numeric(table[name], errors="coerce")
        elif kind == "image":
            table[name] = [str(folder / path) for path in table[name]]
        elif kind == "timeseries":
            # Ludwig reads a series from a cell, one value a step; more values follow each other.
            table[name] = [
                " ".join(f"{v:.5g}" for v in np.load(folder / path).T.ravel())
                for path in table[name]
            ]
    if facts["task"] == "regression":
        table[target] = pd.to_numeric(table[target])
    labels = sorted(table[target].unique())
    if facts["task"] == "binary":
        table[target] = table[target] == labels[1]
    table["split"] = table["split"].map({"train": 0, "validation": 1, "test": 2})
    tasks = {"regression": "number", "binary": "binary", "multiclass": "category"}
    config: dict[str, Any] = {
        "input_features": [
            {"name": name, "type": kinds.get(kind, kind)} for name, kind in used.items()
        ],
        "output_features": [{"name": target, "type": tasks[facts["task"]]}],
        "preprocessing": {"split": {"type": "fixed", "column": "split"}},
    }
    if helped:
        config["trainer"] = {"validation_field": target, "validation_metric": "loss"}
        if facts["task"] == "regression":
            config["output_features"][0]["preprocessing"] = {"normalization": "zscore"}
    work = tempfile.mkdtemp()
    model = LudwigModel(config, logging_level=40, backend="local")
    try:
        model.train(dataset=table, output_directory=work, random_seed=seed)
        test = table[table["split"] == 2]
        result = model.predict(dataset=test, split="full", output_directory=work)[0]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if facts["task"] == "regression":
        return result[f"{target}_predictions"].to_numpy("float64")
    probabilities = np.stack(result[f"{target}_probabilities"].to_numpy())
    if facts["task"] == "binary":
        return probabilities
    vocabulary = model.training_set_metadata[target]["idx2str"]
    if probabilities.ndim != 2 or probabilities.shape[1] != len(vocabulary):
        raise ValueError(f"probabilities {probabilities.shape} for {len(vocabulary)} labels")
    predicted = np.zeros((len(test), len(labels)))
    for column, label in enumerate(vocabulary):
        if label in labels:
            predicted[:, labels.index(label)] = probabilities[:, column]
    return predicted


def ludwig_helped(table: pd.DataFrame, facts: Facts, folder: Path, seed: int) -> np.ndarray:
    """Train Ludwig with what its defaults miss.

    By default it learns a wage in raw dollars, and keeps the epoch whose mean recall of the classes
    is best, which on rare classes is the first one.
    """
    return ludwig(table, facts, folder, seed, helped=True)


METHODS: dict[str, Callable[[pd.DataFrame, Facts, Path, int], np.ndarray]] = {
    "constant": constant,
    "hgb": boosting,
    "hgb_codes": boosting_codes,
    "hgb_mae": boosting_mae,
    "ludwig": ludwig,
    "ludwig_helped": ludwig_helped,
}


def save(line: dict[str, Any], path: Path = RESULTS) -> None:
    """Write a line, in place of an older one of the same table, method and seed."""
    lines: dict[tuple[str, ...], dict[str, Any]] = {}
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            lines = {tuple(old[k] for k in FIELDS[:3]): old for old in csv.DictReader(file)}
    lines[tuple(str(line[k]) for k in FIELDS[:3])] = line
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines[key] for key in sorted(lines))


def rounded(scores: Scores) -> dict[str, float]:
    """Round to five figures: no more are known."""
    return {name: float(f"{value:.5g}") for name, value in scores.items()}


def main() -> None:
    """Measure the methods."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("tables", type=Path, help="the folder that gather.py wrote")
    parser.add_argument("--only", nargs="*", help="only these tables")
    parser.add_argument(
        "--methods", nargs="*", choices=METHODS, default=["constant", "hgb", "hgb_codes", "hgb_mae"]
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    facts_by_name = json.loads((options.tables / "tables.json").read_text(encoding="utf-8"))
    for name in options.only or facts_by_name:
        facts = facts_by_name[name]
        table = read_table(options.tables, name)
        truth = truth_of(table, facts)[(table["split"] == "test").to_numpy()]
        for method in options.methods:
            if method == "hgb_mae" and facts["task"] != "regression":
                continue
            for seed in range(1 if method == "constant" else options.seeds):
                start = time.perf_counter()
                try:
                    predicted = METHODS[method](table, facts, options.tables / name, seed)
                except Exception as error:
                    if not method.startswith("ludwig"):
                        raise
                    # One table that Ludwig cannot take must not cost the others.
                    print(name, method, seed, f"FAILED {type(error).__name__}: {error}", flush=True)
                    break
                scores = score(facts, truth, predicted)
                seconds = time.perf_counter() - start
                line = {"table": name, "method": method, "seed": seed, "metric": facts["metric"]}
                save(line | rounded(scores | {"seconds": seconds}), options.results)
                print(name, method, seed, rounded(scores), f"{seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
