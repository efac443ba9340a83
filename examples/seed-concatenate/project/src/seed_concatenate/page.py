"""What the report's page is made of: its style, its charts, raw values as people read them.

The page is one file: pictures stand in it as data, and no script runs.
"""

from __future__ import annotations

import base64
import io
from html import escape
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Told apart by every kind of eye.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#888888")
MOST_LABELS = 30

STYLE = """
:root { color-scheme: light dark; --line: #8886; --blue: #0072b2; --orange: #d55e00; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: auto; padding: 1rem; }
h1 { margin-bottom: 0; }
h2 { border-bottom: 1px solid var(--line); margin-top: 3rem; }
h3, h4, p { margin: 0.5rem 0; }
h3 { font-size: 1.05rem; }
h4, small, th { font-weight: normal; font-size: small; opacity: 0.8; text-align: left; }
h4 { border-top: 1px solid var(--line); padding-top: 0.3rem; }
table { border-collapse: collapse; }
img, svg { display: block; max-width: 100%; }
svg { background: #8882; }
.plot { width: 26rem; }
.thumbnail { min-width: 6rem; image-rendering: pixelated; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
.flow, .columns { display: flex; flex-wrap: wrap; gap: 1rem; align-items: start; }
.columns { gap: 0 1rem; font-size: small; }
.card { border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.5rem 1rem; }
.card { box-sizing: border-box; max-width: 100%; min-width: 0; overflow-wrap: anywhere; }
.bad { border-left: 0.3rem solid var(--orange); padding-left: 0.5rem; }
.bars { width: 30rem; max-width: 100%; table-layout: fixed; }
.bars td + td { width: 7rem; padding-left: 0.5rem; font-size: small; }
.bars div { background: var(--blue); height: 0.8rem; min-width: 1px; }
.wide { overflow-x: auto; }
.matrix { font-size: small; }
.matrix td { text-align: center; min-width: 1.7rem; height: 1.7rem; }
.matrix tbody td { border: 1px solid var(--line); }
.matrix th { padding: 0.2rem 0.4rem; white-space: nowrap; }
.matrix thead th { writing-mode: sideways-lr; padding: 0.4rem 0; }
@media (prefers-color-scheme: dark) { .plot { filter: invert(0.9) hue-rotate(180deg); } }
@media (max-width: 30rem) { .grid { grid-template-columns: 1fr; } }
"""


def page(title: str, *sections: str) -> str:
    """The whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}: report</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{''.join(sections)}</body>\n</html>\n"
    )


def section(heading: str, *parts: str) -> str:
    """A part of the page."""
    return f"<section>\n<h2>{heading}</h2>\n{''.join(parts)}\n</section>\n"


def cards(contents: list[str], layout: str = "grid") -> str:
    """Contents side by side, as many as the screen is wide."""
    framed = "\n".join(f'<div class="card">{content}</div>' for content in contents)
    return f'<div class="{layout}">{framed}</div>'


def image(png: bytes, description: str, kind: str) -> str:
    """A picture, in the page itself."""
    encoded = base64.b64encode(png).decode()
    return f'<img class="{kind}" alt="{description}" src="data:image/png;base64,{encoded}">'


def plot(figure: Figure, description: str) -> str:
    """A figure as a picture."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=144)
    return image(file.getvalue(), description, "plot")


def rounded(number: float, digits: int = 5) -> str:
    """Write the first digits of a number, as people do: 250,000, not 2.5e+05."""
    few = float(f"{number:.{digits}g}")
    return f"{few:,.15g}"


def bar_chart(bars: list[tuple[str, float, str]], most: float | None = None) -> str:
    """A bar for each label, value and what is written beside it; the longest is for `most`."""
    most = most or max(value for _, value, _ in bars)
    rows = ""
    for label, value, words in bars:
        width = 100 * value / most if value > 0 else 0
        bar = f'<div style="width: {width:.1f}%"></div>'
        rows += f"<tr><th>{escape(label)}</th><td>{bar}</td><td>{words}</td></tr>\n"
    return f'<table class="bars">{rows}</table>'


def epoch_plot(
    title: str, lines: dict[str, list[float]], first: int = 1, kept: int = 0, log: bool = False
) -> str:
    """Lines over the epochs, and where the model was kept."""
    figure = Figure(figsize=(4.6, 2.6 + 0.1 * len(lines)), layout="constrained")
    axes = figure.subplots()
    for index, (label, values) in enumerate(lines.items()):
        style = ("-", "--", ":")[index // len(COLORS) % 3]  # where there are more than colors
        color = COLORS[index % len(COLORS)]
        axes.plot(range(first, first + len(values)), values, style, color=color, label=label)
    if kept:
        axes.axvline(kept, color="#888888", linewidth=1, linestyle=":")
    axes.set(xlabel="epoch", yscale="log" if log else "linear")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    return f"<p>{title}</p>" + plot(figure, title)


def readable(value: Any) -> str:
    """Write a raw value as people read it; of a long text the beginning."""
    if value == "" or value != value:  # NaN is not equal to itself
        return "<i>missing</i>"
    text = value if isinstance(value, str) else rounded(value)
    text = text if len(text) <= 300 else text[:299] + "…"
    return f'<span dir="auto">{escape(text)}</span>'


def in_columns(columns: list[str], values: np.ndarray) -> str:
    """Write values with the names of their columns; of many the first."""
    pairs = [
        f"<span>{escape(column)} <b>{readable(value)}</b></span>"
        for column, value in zip(columns[:40], values, strict=False)
    ]
    if len(columns) > 40:
        pairs.append(f"<span>and {len(columns) - 40} more</span>")
    return f'<div class="columns">{"".join(pairs)}</div>'


def thumbnail(picture: tf.Tensor, side: int = 160) -> str:
    """Show a picture, uint8 (height, width, channels), no larger than needed."""
    if max(picture.shape) > side:
        picture = tf.image.resize(picture, (side, side), preserve_aspect_ratio=True, antialias=True)
    return image(tf.io.encode_png(tf.cast(picture, "uint8")).numpy(), "picture", "thumbnail")


def confusion_matrix(labels: list[str], y_true: np.ndarray, y_pred: np.ndarray) -> str:
    """Count the predictions of each actual label; of many labels, those with the most mistakes."""
    count, wrong = len(labels), y_true != y_pred
    mistakes = np.bincount(np.concatenate([y_true[wrong], y_pred[wrong]]), minlength=count)
    shown = np.sort(np.argsort(-mistakes, kind="stable")[:MOST_LABELS])
    rows = ""
    for row in shown:
        rows += f"<tr><th>{escape(labels[row])}</th>"
        total = max(1, (y_true == row).sum())
        for column in shown:
            cell = ((y_true == row) & (y_pred == column)).sum()
            color = "--blue" if row == column else "--orange"
            shade = f"color-mix(in srgb, var({color}) {60 * cell / total:.0f}%, transparent)"
            rows += f'<td style="background: {shade}">{cell or ""}</td>'
        rows += "</tr>\n"
    heads = "".join(f"<th>{escape(labels[column])}</th>" for column in shown)
    left_out = f"; the {MOST_LABELS} of {count} with most mistakes" if count > MOST_LABELS else ""
    return (
        f"<p><small>rows: actual, columns: predicted{left_out}</small></p>"
        f'<div class="wide"><table class="matrix"><thead><tr><td></td>{heads}</tr></thead>\n'
        f"<tbody>{rows}</tbody></table></div>"
    )
