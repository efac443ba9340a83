"""Sample data in the real formats: each input hides a value, and every output depends on all."""

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
    hidden = {name: rng.normal(size=rows) for name in data.INPUTS}
    score = sum(hidden.values()) / len(hidden) ** 0.5
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


def sample_indicators(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
    """Numbers that rise or fall with the hidden value of indicators, and noise."""
    slopes = rng.choice([-1, 1], 6) * rng.uniform(1, 3, 6)
    values = 10 + hidden[:, None] * slopes + rng.normal(0, 0.5, (len(hidden), 6))
    return dict(zip(data.INDICATORS_COLUMNS, values.round(4).T, strict=True))


def sample_fundamentals(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
    """Numbers that rise or fall with the hidden value of fundamentals, and noise."""
    slopes = rng.choice([-1, 1], 4) * rng.uniform(1, 3, 4)
    values = 10 + hidden[:, None] * slopes + rng.normal(0, 0.5, (len(hidden), 4))
    return dict(zip(data.FUNDAMENTALS_COLUMNS, values.round(4).T, strict=True))


def sample_news(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
    """Texts, news: more good words where the hidden value is high, more bad where it is low."""
    good, bad = ["strong", "gains", "rally"], ["weak", "losses", "slump"]
    words = [good, bad, ["the", "report", "says"]]
    texts = []
    for value in hidden:
        # The share of good words in news, among the good and the bad.
        share = 1 / (1 + np.exp(-4 * value))
        kinds = rng.choice(3, 12, p=[0.75 * share, 0.75 * (1 - share), 0.25])
        texts.append(" ".join(rng.choice(words[kind]) for kind in kinds))
    return {"news": np.array(texts)}


def sample_chart(rng: np.random.Generator, hidden: np.ndarray, folder: Path) -> Columns:
    """Pictures, chart: a square on a grainy ground, brighter where the hidden value is high."""
    paths = []
    for row, value in enumerate(hidden):
        picture = rng.normal(90, 15, (64, 64, 3))
        picture[16:48, 16:48] += 50 * value
        pixels = picture.clip(0, 255).astype("uint8")
        paths.append(f"chart/{row:05}.jpg")
        tf.io.write_file(str(folder / paths[-1]), tf.io.encode_jpeg(pixels, quality=90))
    return {"chart": paths}


def sample_direction(score: np.ndarray) -> Columns:
    """Label direction: yes for the higher half of the scores."""
    labels = np.where(score > np.median(score), "yes", "no")
    return {"direction": labels}
