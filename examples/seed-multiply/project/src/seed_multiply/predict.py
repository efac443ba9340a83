"""Prediction: one row of predictions for each row of a manifest."""

from pathlib import Path

import numpy as np
import pandas as pd

from seed_multiply.data import open_examples
from seed_multiply.evaluate import open_run, predict_batches
from seed_multiply.manifest import DataError, drop_invalid_rows


def predict(run: Path, data: Path, out: Path, carry: list[str], drop_invalid: bool) -> None:
    """Write a prediction for every row of the manifest, in its order, beside columns to carry."""
    if out.suffix not in (".csv", ".jsonl", ".parquet"):
        raise DataError(f"--out {out}: write to a .csv, .jsonl or .parquet file")
    model, preprocessing, options = open_run(run)
    examples = open_examples(data, with_outputs=False)
    examples = drop_invalid_rows(examples, drop_invalid)
    carried = pd.DataFrame({name: examples.column(name) for name in carry}, examples.frame.index)
    y_pred = predict_batches(model, preprocessing, examples, options["batch_size"])
    table = pd.DataFrame({"row": carried.index}, carried.index)
    probability = y_pred["label"][:, 0]
    labels = np.array(preprocessing.state["label"]["labels"])
    threshold = preprocessing.state["label"]["thresholds"][0]
    table["label"] = labels[(probability > threshold).astype(int)]
    table["label_probability"] = probability  # of the second label
    table = carried.merge(table, left_index=True, right_index=True, suffixes=("_carried", ""))
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".jsonl":
        table.to_json(out, orient="records", lines=True, force_ascii=False)
    else:
        {".csv": table.to_csv, ".parquet": table.to_parquet}[out.suffix](out, index=False)
    print(f"Wrote {len(table)} predictions to {out}")
