"""The parts of report.html, one file without scripts: its template, plots, and raw values."""

from __future__ import annotations

import base64
import io
import warnings
from html import escape
from string import Template
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay

from seed_two_lstms.data import series_file

# The browser draws the text of plots: it has the characters of more languages.
matplotlib.rcParams["svg.fonttype"] = "none"
warnings.filterwarnings("ignore", "Glyph .* missing")
MAX_LABELS = 30  # in a plot
PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title: report</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: auto; padding: 1rem; }
h2 { border-bottom: 1px solid #8886; margin-top: 3rem; }
h1, h3, h4, p { margin: 0.5rem 0; }
h4, th { font-weight: normal; opacity: 0.7; text-align: left; }
table, .card:has(h4) { font-size: small; }
td, thead th { padding-left: 1rem; text-align: right; white-space: nowrap; }
img { max-width: 100%; vertical-align: top; }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; align-items: start; }
.card { border: 1px solid #8886; border-radius: 0.5rem; padding: 0.5rem 1rem; overflow: auto; }
.card:has(h4) { width: 19rem; overflow-wrap: anywhere; }
.warning { border-left: 0.3rem solid #d55e00; padding-left: 0.5rem; }
@media (prefers-color-scheme: dark) { .plot { filter: invert(0.9) hue-rotate(180deg); } }
</style>
<h1>$title</h1>
<p>$about</p>
$sections
</html>
""")


def html(title: str, about: str, sections: dict[str, str]) -> str:
    """Make the page, with a heading for each section."""
    content = ""
    for heading, section in sections.items():
        content += f"<section>\n<h2>{heading}</h2>\n{section}\n</section>\n"
    return PAGE.substitute(title=escape(title), about=escape(about), sections=content)


def cards(contents: dict[str, str]) -> str:
    """Put contents side by side, each under its title."""
    framed = ""
    for title, content in contents.items():
        framed += f'<div class="card">\n<h3>{title}</h3>\n{content}\n</div>\n'
    return f'<div class="cards">\n{framed}</div>'


def new_axes(height: float = 3, width: float = 3.7) -> Any:
    """Make an empty plot, matplotlib.axes.Axes; sizes in inches."""
    return Figure(figsize=(width, height), layout="constrained").subplots()


def plot(axes: Any) -> str:
    """Embed a plot."""
    file = io.BytesIO()
    axes.figure.savefig(file, format="svg", transparent=True)
    return image(file.getvalue(), "svg+xml", axes.get_title() or "series", "plot")


def image(content: bytes, kind: str, description: str, style: str = "") -> str:
    """Embed an image."""
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return f'<img class="{style}" alt="{description}" src="{source}">'


def line_plot(title: str, data: pd.DataFrame, log: bool = False) -> Any:
    """Plot each column over the epochs, the index."""
    axes = data.plot(ax=new_axes(), title=title, xlabel="epoch", logy=log, marker=".", legend=False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.figure.legend(loc="outside lower center", ncols=2)
    return axes


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


def sparkline(series: str | np.ndarray, values: int) -> str:
    """Plot a series, a path or (steps, values), without its padding."""
    if isinstance(series, str):
        series = series_file(series, values)
    series = series[np.isfinite(series).all(axis=1)]
    if len(series) == 0:
        return readable("")
    few = pd.DataFrame(series[:: 1 + len(series) // 300])
    return plot(few.plot(ax=new_axes(1.2), legend=False))


def calibration_plot(y_true: np.ndarray, probability: np.ndarray) -> str:
    """Plot how often labels are right, (rows,) of 0 and 1, against their predicted probability."""
    bins = 10 if len(y_true) >= 500 else 5
    axes = new_axes(3.7)
    CalibrationDisplay.from_predictions(
        y_true, probability, n_bins=bins, strategy="quantile", ax=axes, name="network"
    )
    axes.set(title="calibration curve", xlabel="mean predicted probability", ylabel="frequency")
    return plot(axes)


def confusion_matrix(labels: list[str], y_true: np.ndarray, y_pred: np.ndarray) -> str:
    """Count the predictions for each actual label; of many labels, those with the most errors."""
    shown = np.arange(len(labels))
    if len(labels) > MAX_LABELS:
        errors = pd.Series(y_pred != y_true).groupby(y_true).sum()
        shown = np.sort(errors.nlargest(MAX_LABELS).index)
    names = [labels[label][:30].replace("$", "\\$") for label in shown]
    axes = new_axes(3 + len(names) / 4, 3 + len(names) / 4)
    ConfusionMatrixDisplay.from_predictions(
        y_true, y_pred, labels=shown, display_labels=names, cmap="Blues", colorbar=False, ax=axes
    )
    axes.tick_params(axis="x", rotation=90)
    axes.set(title="confusion matrix", xlabel="predicted", ylabel="actual")
    return plot(axes)
