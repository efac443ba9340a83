"""Sample data in the real formats: each input hides a value, and every output depends on all."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from seed_concatenate import data

Columns = dict[str, Any]


def write_sample(folder: Path, rows: int = 400, seed: int = 0) -> Path:
    """Write manifest.csv and the files that it names; gives the manifest's path."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    hidden = {name: rng.normal(size=rows) for name in data.INPUTS}
    score = sum(hidden.values()) / len(hidden) ** 0.5
    columns = {
        **sample_numbers(rng, hidden["numbers"]),
        **sample_picture(rng, hidden["picture"], folder),
        **sample_label(score),
    }
    manifest = folder / "manifest.csv"
    pd.DataFrame(columns).to_csv(manifest, index=False)
    return manifest


def sample_numbers(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
    """Numbers that rise or fall with the hidden value of numbers, and noise."""
    slopes = rng.choice([-1, 1], 20) * rng.uniform(1, 3, 20)
    values = 10 + hidden[:, None] * slopes + rng.normal(0, 0.5, (len(hidden), 20))
    return dict(zip(data.NUMBERS_COLUMNS, values.round(4).T, strict=True))


def sample_picture(rng: np.random.Generator, hidden: np.ndarray, folder: Path) -> Columns:
    """Pictures, picture: a square on a grainy ground, brighter where the hidden value is high."""
    paths = []
    for row, value in enumerate(hidden):
        picture = rng.normal(90, 15, (100, 100, 3))
        picture[25:75, 25:75] += 50 * value
        pixels = picture.clip(0, 255).astype("uint8")
        paths.append(f"picture/{row:05}.jpg")
        tf.io.write_file(str(folder / paths[-1]), tf.io.encode_jpeg(pixels, quality=90))
    return {"picture": paths}


def sample_label(score: np.ndarray) -> Columns:
    """Label label: yes for the higher half of the scores."""
    labels = np.where(score > np.median(score), "yes", "no")
    return {"label": labels}
