"""Prediction: one row for each row of a manifest, with labels and probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from seed_multiply.data import (
    make_dataset,
    open_examples,
)
from seed_multiply.evaluate import open_run
from seed_multiply.manifest import DataError, settle


def predict(
    run: Path,
    data: Path,
    out: Path,
    bad_rows: str = "stop",
) -> None:
    """Write the predictions for every row of the manifest, in its order."""
    if out.suffix not in (".csv", ".jsonl", ".parquet"):
        raise DataError(f"--out {out}: write to a .csv, .jsonl or .parquet file")
    predictions = predict_table(run, data, bad_rows)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".csv":
        predictions.to_csv(out, index=False)
    elif out.suffix == ".jsonl":
        predictions.to_json(out, orient="records", lines=True, force_ascii=False)
    else:
        predictions.to_parquet(out, index=False)
    print(f"{len(predictions)} predictions written to {out}")


def predict_table(
    run: Path,
    data: Path,
    bad_rows: str = "stop",
) -> pd.DataFrame:
    """Predict; the manifest need not have the columns of the truth."""
    model, preprocessing, options = open_run(run)
    examples = open_examples(data, with_outputs=False)
    examples = settle(examples, bad_rows)
    batches = make_dataset(examples, preprocessing, options["batch_size"], with_targets=False)
    predictions = model.predict(batches, verbose=0)
    table = pd.DataFrame({"row": examples.rows})
    learnt = preprocessing.learnt

    # label
    probability = predictions["label"][:, 0]
    labels = np.array(learnt["label"]["labels"])
    threshold = learnt["label"]["thresholds"][0]
    table["label"] = labels[(probability > threshold).astype(int)]
    table["label_probability"] = probability  # of the second label
    return table
