"""Sample data in the real formats: each input hides a value, and every output depends on all."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seed_multiply import data

Columns = dict[str, Any]


def write_sample(folder: Path, rows: int = 400, seed: int = 0) -> Path:
    """Write manifest.csv and the files that it names; gives the manifest's path."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    hidden = {name: rng.normal(size=rows) for name in data.INPUTS}
    score = sum(hidden.values()) / len(hidden) ** 0.5
    columns = {
        **sample_vector_1(rng, hidden["vector_1"]),
        **sample_vector_2(rng, hidden["vector_2"]),
        **sample_label(score),
    }
    manifest = folder / "manifest.csv"
    pd.DataFrame(columns).to_csv(manifest, index=False)
    return manifest


def sample_vector_1(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
    """Numbers that rise or fall with the hidden value of vector_1, and noise."""
    slopes = rng.choice([-1, 1], 10) * rng.uniform(1, 3, 10)
    values = 10 + hidden[:, None] * slopes + rng.normal(0, 0.5, (len(hidden), 10))
    return dict(zip(data.VECTOR_1_COLUMNS, values.round(4).T, strict=True))


def sample_vector_2(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
    """Numbers that rise or fall with the hidden value of vector_2, and noise."""
    slopes = rng.choice([-1, 1], 10) * rng.uniform(1, 3, 10)
    values = 10 + hidden[:, None] * slopes + rng.normal(0, 0.5, (len(hidden), 10))
    return dict(zip(data.VECTOR_2_COLUMNS, values.round(4).T, strict=True))


def sample_label(score: np.ndarray) -> Columns:
    """Label label: yes for the higher half of the scores."""
    labels = np.where(score > np.median(score), "yes", "no")
    return {"label": labels}
