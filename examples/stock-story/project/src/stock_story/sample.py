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

from stock_story import data

Columns = dict[str, Any]


def write_sample(folder: Path, rows: int = 400, seed: int = 0) -> Path:
    """Write manifest.csv and the files that it names; gives the manifest's path."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    hidden = {
        "indicators": rng.normal(size=rows),
        "fundamentals": rng.normal(size=rows),
        "news": rng.normal(size=rows),
        "chart": rng.normal(size=rows),
    }
    score = np.sum(list(hidden.values()), axis=0) / len(hidden) ** 0.5
    columns = {
        **sample_indicators(rng, hidden["indicators"]),
        **sample_fundamentals(rng, hidden["fundamentals"]),
        **sample_news(rng, hidden["news"]),
        **sample_chart(rng, hidden["chart"], folder),
        **sample_direction(score),
    }
    manifest = folder / "manifest.csv"
    pd.DataFrame(columns).to_csv(manifest, index=False)
    return manifest


def write_file(path: Path, data: bytes) -> None:
    """Write a file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def sample_indicators(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
    """Numbers that rise or fall with the hidden value of indicators, and noise."""
    slopes = rng.choice([-1, 1], 6) * rng.uniform(1, 3, 6)
    values = 10 + hidden[:, None] * slopes + rng.normal(0, 0.5, (len(hidden), 6))
    names = data.INDICATORS_COLUMNS
    return {name: values[:, index].round(4) for index, name in enumerate(names)}


def sample_fundamentals(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
    """Numbers that rise or fall with the hidden value of fundamentals, and noise."""
    slopes = rng.choice([-1, 1], 4) * rng.uniform(1, 3, 4)
    values = 10 + hidden[:, None] * slopes + rng.normal(0, 0.5, (len(hidden), 4))
    names = data.FUNDAMENTALS_COLUMNS
    return {name: values[:, index].round(4) for index, name in enumerate(names)}


def sample_news(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
    """Texts, news: more good words where the hidden value is high, more bad where it is low."""
    good = ["strong", "gains", "rally", "bright"]
    bad = ["weak", "losses", "slump", "gloomy"]
    other, space = ["the", "report", "says", "today"], " "
    texts = []
    for value in hidden:
        # The share of good words in news, among the good and the bad.
        share = 1 / (1 + np.exp(-4 * value))
        kinds = rng.choice(3, 12, p=[0.75 * share, 0.75 * (1 - share), 0.25])
        texts.append(space.join(rng.choice((good, bad, other)[kind]) for kind in kinds))
    return {
        "news": np.array(texts),
    }


def sample_chart(rng: np.random.Generator, hidden: np.ndarray, folder: Path) -> Columns:
    """Pictures, chart: a disc on a grainy ground, brighter where the hidden value is high."""
    paths = []
    for row, value in enumerate(hidden):
        picture = rng.normal(90, 15, (64, 64, 3))
        down, right = np.mgrid[:64, :64]
        # The disc of chart, never at quite the same place.
        center = rng.uniform(0.4, 0.6, 2) * (64, 64)
        inside = np.hypot(down - center[0], right - center[1]) < 22.4
        picture[inside] += 50 * value
        pixels = picture.clip(0, 255).astype("uint8")
        picture_bytes = tf.io.encode_jpeg(pixels, quality=90)
        paths.append(f"chart/{row:05}.jpg")
        write_file(folder / paths[-1], picture_bytes.numpy())
    return {
        "chart": paths,
    }


def sample_direction(score: np.ndarray) -> Columns:
    """Label direction: yes for the higher half of the scores."""
    ranks = score.argsort().argsort()
    labels = np.where(2 * ranks >= len(score), "yes", "no")
    return {
        "direction": labels,
    }
