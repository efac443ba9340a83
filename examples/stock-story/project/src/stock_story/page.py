"""The parts of report.html: its style, tables, plots, and raw values.

The page is one file without scripts; its images are embedded.
"""

from __future__ import annotations

import base64
import io
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.calibration import calibration_curve

# Distinct to color-blind readers too: Okabe and Ito, https://jfly.uni-koeln.de/color.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#888888")
MAX_LABELS = 30
STYLE = """
:root { color-scheme: light dark; --line: #8886; --blue: #0072b2; --orange: #d55e00; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: auto; padding: 1rem; }
h2 { border-bottom: 1px solid var(--line); margin-top: 3rem; }
h1, h3, h4, p { margin: 0.5rem 0; }
h4, small, th { font-weight: normal; font-size: small; opacity: 0.8; text-align: left; }
h4 { border-top: 1px solid var(--line); padding-top: 0.3rem; }
img, svg { display: block; max-width: 100%; }
table { border-collapse: collapse; }
th, td { padding: 0.1rem 0.8rem 0.1rem 0; font-size: small; }
.dataframe { white-space: nowrap; }
.dataframe td, .dataframe thead th { text-align: right; }
.flow, .columns { display: flex; flex-wrap: wrap; gap: 1rem; align-items: start; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); }
.card { border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.5rem 1rem; }
.card { box-sizing: border-box; max-width: 100%; min-width: 0; overflow-wrap: anywhere; }
.card, .wide { overflow-x: auto; }
.columns { gap: 0 1rem; font-size: small; }
.warning { border-left: 0.3rem solid var(--orange); padding-left: 0.5rem; }
.plot { width: 19.5rem; }
.thumbnail { min-width: 6rem; image-rendering: pixelated; }
.bars td:nth-child(2) { width: 15rem; }
.bars div { background: var(--blue); height: 0.8rem; min-width: 1px; }
.matrix td { border: 1px solid var(--line); text-align: center; min-width: 1.7rem; padding: 0.2rem; }
@media (prefers-color-scheme: dark) { .plot { filter: invert(0.9) hue-rotate(180deg); } }
"""


def html(title: str, about: str, sections: dict[str, str]) -> str:
    """Make the page, with a heading for each section."""
    body = f"<h1>{escape(title)}</h1>\n<p>{about}</p>\n"
    for heading, content in sections.items():
        body += f"<section>\n<h2>{heading}</h2>\n{content}\n</section>\n"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}: report</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )


def cards(contents: list[str], layout: str = "flow") -> str:
    """Put contents side by side, as many as fit."""
    framed = "\n".join(f'<div class="card">{content}</div>' for content in contents)
    return f'<div class="{layout}">{framed}</div>'


def image(png: bytes, description: str, kind: str) -> str:
    """Embed a PNG."""
    encoded = base64.b64encode(png).decode()
    return f'<img class="{kind}" alt="{description}" src="data:image/png;base64,{encoded}">'


def plot(figure: Figure, title: str) -> str:
    """Embed a figure under its title."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=144)
    return f"<p>{title}</p>" + image(file.getvalue(), title, "plot")


def line_plot(title: str, lines: pd.DataFrame, kept: int = 0, log: bool = False) -> str:
    """Plot each column over the epochs, the index, and mark the epoch that was kept."""
    figure = Figure(figsize=(4, 2.4 + 0.1 * lines.shape[1]), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=COLORS)
    axes.plot(lines.index, lines, label=list(lines))
    if kept:
        axes.axvline(kept, color="#888888", linewidth=1, linestyle=":")
    axes.set(xlabel="epoch", yscale="log" if log else "linear")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    return plot(figure, title)


def bar_chart(bars: list[tuple[str, float, str]], most: float = 0) -> str:
    """Draw a bar for each label, value and text beside it; the longest possible is `most`."""
    most = most or max(value for _, value, _ in bars)
    rows = ""
    for label, value, text in bars:
        width = 100 * value / most if value > 0 else 0
        bar = f'<div style="width: {width:.1f}%"></div>'
        rows += f"<tr><th>{escape(label)}</th><td>{bar}</td><td>{text}</td></tr>\n"
    return f'<table class="bars">{rows}</table>'


def rounded(number: float, digits: int = 5) -> str:
    """Write the first digits of a number, and no exponent: 250,000, not 2.5e+05."""
    return f"{float(f'{number:.{digits}g}'):,.15g}"


def readable(value: Any) -> str:
    """Write a raw value or a label; of a long text the beginning."""
    if value == "" or value != value:  # NaN is not equal to itself
        return "<i>missing</i>"
    text = value if isinstance(value, str) else rounded(value)
    text = text if len(text) <= 300 else text[:299] + "…"
    return f'<span dir="auto">{escape(text)}</span>'


def diagonal_plot(title: str, x: np.ndarray, y: np.ndarray, xlabel: str, ylabel: str) -> str:
    """Plot y against x, with the line where they are equal."""
    figure = Figure(figsize=(4, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.scatter(x, y, s=16, alpha=0.6, color=COLORS[0])
    axes.axline((x[0], x[0]), slope=1, color="#888888", linestyle="--", linewidth=1)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    return plot(figure, title)


def in_columns(columns: list[str], values: np.ndarray) -> str:
    """Write values beside the names of their columns; of many the first."""
    pairs = [
        f"<span>{escape(column)} <b>{readable(value)}</b></span>"
        for column, value in zip(columns[:40], values, strict=False)
    ]
    if len(columns) > 40:
        pairs.append(f"<span>and {len(columns) - 40} more</span>")
    return f'<div class="columns">{"".join(pairs)}</div>'


def thumbnail(picture: tf.Tensor, side: int = 160) -> str:
    """Show a picture, uint8 (height, width, channels), at most `side` pixels wide and high."""
    if max(picture.shape) > side:
        picture = tf.image.resize(picture, (side, side), preserve_aspect_ratio=True, antialias=True)
    return image(tf.io.encode_png(tf.cast(picture, "uint8")).numpy(), "picture", "thumbnail")


def calibration_plot(y_true: np.ndarray, probability: np.ndarray) -> str:
    """Plot how often labels are right, (rows,) of 0 and 1, against their predicted probability."""
    bins = 10 if len(y_true) >= 500 else 5
    observed, mean = calibration_curve(y_true, probability, n_bins=bins, strategy="quantile")
    title = f"calibration curve, {bins} bins of equal row counts"
    return diagonal_plot(title, mean, observed, "mean predicted probability", "observed frequency")


def confusion_matrix(labels: list[str], y_true: np.ndarray, y_pred: np.ndarray) -> str:
    """Count the predictions for each actual label; of many labels, those with the most errors."""
    wrong = y_true != y_pred
    errors = np.bincount(np.append(y_true[wrong], y_pred[wrong]), minlength=len(labels))
    shown = np.sort(np.argsort(-errors, kind="stable")[:MAX_LABELS])
    rows = "".join(f"<th>{escape(labels[column])}</th>" for column in shown)
    rows = f"<tr><th>actual \\ predicted</th>{rows}</tr>\n"
    for row in shown:
        rows += f"<tr><th>{escape(labels[row])}</th>"
        of_label = y_pred[y_true == row]
        for column in shown:
            count = (of_label == column).sum()
            color = "0 114 178" if row == column else "213 94 0"
            share = 60 * count / max(1, len(of_label))
            rows += f'<td style="background: rgb({color} / {share:.0f}%)">{count or ""}</td>'
        rows += "</tr>\n"
    some = f", the {MAX_LABELS} of {len(labels)} labels with most errors"
    heading = f"confusion matrix{some if len(labels) > MAX_LABELS else ''}"
    return f'<p>{heading}</p><div class="wide"><table class="matrix">{rows}</table></div>'
