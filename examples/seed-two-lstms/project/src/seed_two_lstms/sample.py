"""Sample data in the real formats: each input hides a value, and every output depends on all."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seed_two_lstms import data

Columns = dict[str, Any]


def write_sample(folder: Path, rows: int = 400, seed: int = 0) -> Path:
    """Write manifest.csv and the files that it names; gives the manifest's path."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    hidden = {name: rng.normal(size=rows) for name in data.INPUTS}
    score = sum(hidden.values()) / len(hidden) ** 0.5
    columns = {
        **sample_sequence_1(rng, hidden["sequence_1"], folder),
        **sample_sequence_2(rng, hidden["sequence_2"], folder),
        **sample_label(score),
    }
    manifest = folder / "manifest.csv"
    pd.DataFrame(columns).to_csv(manifest, index=False)
    return manifest


def sample_sequence_1(rng: np.random.Generator, hidden: np.ndarray, folder: Path) -> Columns:
    """Series, sequence_1: waves whose level follows the hidden value; some shorter than others."""
    paths = []
    (folder / "sequence_1").mkdir(exist_ok=True)
    for row, value in enumerate(hidden):
        steps = rng.integers(5, 10, endpoint=True)
        waves = np.sin(np.arange(steps)[:, None] / 3 + rng.uniform(0, 6, 5))
        series = value + 0.3 * waves + rng.normal(0, 0.3, (steps, 5))
        paths.append(f"sequence_1/{row:05}.npy")
        np.save(folder / paths[-1], series.astype("float32"))
    return {"sequence_1": paths}


def sample_sequence_2(rng: np.random.Generator, hidden: np.ndarray, folder: Path) -> Columns:
    """Series, sequence_2: waves whose level follows the hidden value; some shorter than others."""
    paths = []
    (folder / "sequence_2").mkdir(exist_ok=True)
    for row, value in enumerate(hidden):
        steps = rng.integers(7, 15, endpoint=True)
        waves = np.sin(np.arange(steps)[:, None] / 3 + rng.uniform(0, 6, 3))
        series = value + 0.3 * waves + rng.normal(0, 0.3, (steps, 3))
        paths.append(f"sequence_2/{row:05}.npy")
        np.save(folder / paths[-1], series.astype("float32"))
    return {"sequence_2": paths}


def sample_label(score: np.ndarray) -> Columns:
    """Label label: yes for the higher half of the scores."""
    labels = np.where(score > np.median(score), "yes", "no")
    return {"label": labels}
