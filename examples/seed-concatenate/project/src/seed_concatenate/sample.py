"""Sample data in the real formats: small, learnable, with a part of the truth in every input.

Each input hides a value of its own, and every output depends on all of them: a branch that is
wired wrongly, or asleep, shows as a worse score.
"""

from __future__ import annotations

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
    hidden = {
        "numbers": rng.normal(size=rows),
        "picture": rng.normal(size=rows),
    }
    score = np.sum(list(hidden.values()), axis=0) / len(hidden) ** 0.5
    columns = {
        **sample_numbers(rng, hidden["numbers"]),
        **sample_picture(rng, hidden["picture"], folder),
        **sample_label(score),
    }
    manifest = folder / "manifest.csv"
    pd.DataFrame(columns).to_csv(manifest, index=False)
    return manifest


def write_file(path: Path, data: bytes) -> None:
    """Write a file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def sample_numbers(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
    """Numbers that rise or fall with the hidden value of numbers, and noise."""
    slopes = rng.choice([-1, 1], 20) * rng.uniform(1, 3, 20)
    values = 10 + hidden[:, None] * slopes + rng.normal(0, 0.5, (len(hidden), 20))
    names = data.NUMBERS_COLUMNS
    return {name: values[:, index].round(4) for index, name in enumerate(names)}


def sample_picture(rng: np.random.Generator, hidden: np.ndarray, folder: Path) -> Columns:
    """Pictures, picture: a disc on a grainy ground, brighter where the hidden value is high."""
    paths = []
    for row, value in enumerate(hidden):
        picture = rng.normal(90, 15, (100, 100, 3))
        down, right = np.mgrid[:100, :100]
        # The disc of picture, never at quite the same place.
        center = rng.uniform(0.4, 0.6, 2) * (100, 100)
        inside = np.hypot(down - center[0], right - center[1]) < 35.0
        picture[inside] += 50 * value
        pixels = picture.clip(0, 255).astype("uint8")
        picture_bytes = tf.io.encode_jpeg(pixels, quality=90)
        paths.append(f"picture/{row:05}.jpg")
        write_file(folder / paths[-1], picture_bytes.numpy())
    return {
        "picture": paths,
    }


def sample_label(score: np.ndarray) -> Columns:
    """Label label: yes for the higher half of the scores."""
    ranks = score.argsort().argsort()
    labels = np.where(2 * ranks >= len(score), "yes", "no")
    return {
        "label": labels,
    }
