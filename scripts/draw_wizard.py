"""Draw docs/wizard.svg: the wizard as it runs, an animation in plain SVG and CSS.

    python scripts/draw_wizard.py [docs/wizard.svg]

It drives the real wizard in a pseudo-terminal, as the tests do, and keeps a picture of the screen
after each answer. No font, browser or network is needed to make it.
"""

import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import pyte

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from terminal import DOWN, ENTER, Terminal  # noqa: E402

COLUMNS, ROWS = 96, 34
CELL_WIDTH, CELL_HEIGHT, FONT_SIZE, MARGIN = 8.4, 18, 14, 16
WIDTH, HEIGHT = round(COLUMNS * CELL_WIDTH + 2 * MARGIN), ROWS * CELL_HEIGHT + 2 * MARGIN
BACKGROUND, FOREGROUND = "#1d2025", "#d5d8dd"
COLORS = {"default": FOREGROUND, "red": "#ef6b73"}
PROGRAM = """
from pathlib import Path
from keras_scaffold.wizard.flow import Data, ask
ask({}, Path(%r), data=Data())
"""


@dataclass(frozen=True)
class Frame:
    """A screen, and for how many seconds it is shown."""

    svg: str
    seconds: float


def record() -> list[Frame]:
    """The flagship, answered in the wizard."""
    session = [
        ("How do you want to start?", [ENTER]),
        ("What is the project called?", ["Stock Direction", ENTER]),
        ("Input 1: what is it called?", ["indicators", ENTER]),
        ("What kind of input is indicators?", [ENTER]),
        ("What is the shape of indicators?", ["20", ENTER]),
        ("Which layers turn indicators into features?", [ENTER]),
        ("Another input?", [ENTER]),
        ("Input 2: what is it called?", ["Chart"]),
        ("Input 2: what is it called?", ["\x15", "chart", ENTER]),
        ("What kind of input is chart?", [ENTER]),
        ("What is the shape of chart?", ["100x100x3", ENTER]),
        ("Which layers turn chart into features?", [ENTER]),
        ("Another input?", ["\x1b[A", ENTER]),
        ("Input 3: what is it called?", ["headline", ENTER]),
        ("What kind of input is headline?", [DOWN, ENTER]),
        ("What is the shape of headline?", [ENTER]),
        ("Which layers turn headline into features?", [ENTER]),
        ("Another input?", [ENTER]),
        ("How should the branches be merged?", [ENTER]),
        ("What should be predicted?", ["direction", ENTER]),
        ("What is direction?", [ENTER]),
        ("Another output?", [ENTER]),
        ("Which features should the project have?", [ENTER]),
    ]
    frames = []
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", PROGRAM % "stock-direction"]
        terminal = Terminal(command, folder, COLUMNS, ROWS)
        for message, keys in session:
            terminal.asks(message)
            terminal.settle(0.3)
            frames.append(Frame(picture(terminal.screen), 1.0))
            for key in keys:
                terminal.press(key)
                if key != ENTER and key != "\x15":
                    terminal.settle(0.3)
                    frames.append(Frame(picture(terminal.screen), 0.9))
        terminal.asks("Create this project?")
        terminal.settle(0.3)
        frames.append(Frame(picture(terminal.screen), 5.0))
        terminal.close()
    return frames


def picture(screen: pyte.Screen) -> str:
    """The screen's rows as SVG text, one `tspan` for each run of words in one style."""
    rows = []
    for y in range(ROWS):
        cells = [screen.buffer[y][x] for x in range(COLUMNS)]
        spans, x = [], 0
        while x < COLUMNS:
            style = look(cells[x])
            end = x
            while end < COLUMNS and look(cells[end]) == style:
                end += 1
            text = "".join(cell.data for cell in cells[x:end])
            for words in re.finditer(r"\S+( \S+)*", text):
                at = round(MARGIN + (x + words.start()) * CELL_WIDTH, 1)
                # textLength keeps the columns where they are, whatever font is found.
                length = round(len(words[0]) * CELL_WIDTH, 1)
                spans.append(
                    f'<tspan x="{at}" textLength="{length}"{style}>{escape(words[0])}</tspan>'
                )
            x = end
        if spans:
            baseline = MARGIN + y * CELL_HEIGHT + FONT_SIZE
            rows.append(f'<text y="{baseline}">{"".join(spans)}</text>')
    if not screen.cursor.hidden:
        x, y = MARGIN + screen.cursor.x * CELL_WIDTH, MARGIN + screen.cursor.y * CELL_HEIGHT
        rows.append(
            f'<rect x="{x:.1f}" y="{y}" width="{CELL_WIDTH}" height="{CELL_HEIGHT}" opacity=".5"/>'
        )
    return "\n".join(rows)


def look(cell: pyte.screens.Char) -> str:
    """The attributes of a cell's text."""
    color = f"#{cell.fg}" if re.fullmatch("[0-9a-f]{6}", cell.fg) else COLORS[cell.fg]
    fill = "" if color == FOREGROUND else f' fill="{color}"'
    return fill + (' font-weight="bold"' if cell.bold else "")


def animate(frames: list[Frame]) -> str:
    """All frames on top of each other, each of them visible in its own time."""
    total = sum(frame.seconds for frame in frames)
    styles, groups, start = [], [], 0.0
    for number, frame in enumerate(frames):
        end = start + frame.seconds
        steps = [
            (0.0, "hidden" if start else "visible"),
            (start, "visible"),
            (end, "hidden"),
        ]
        keys = " ".join(f"{at / total:.3%}{{visibility:{shown}}}" for at, shown in steps)
        styles.append(f"@keyframes f{number}{{{keys}}} #f{number}{{animation-name:f{number}}}")
        groups.append(f'<g id="f{number}">\n{frame.svg}\n</g>')
        start = end
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}">
<title>The wizard of scaffold new</title>
<style>
text {{font: {FONT_SIZE}px "DejaVu Sans Mono", Menlo, Consolas, monospace}}
/* Where nothing moves, the last look is what stands there. */
g {{visibility: hidden; animation: {total:.1f}s step-end infinite}}
#f{len(frames) - 1} {{visibility: visible}}
{chr(10).join(styles)}
@media (prefers-reduced-motion: reduce) {{g {{animation: none}}}}
</style>
<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>
<g fill="{FOREGROUND}" style="visibility: visible">
{chr(10).join(groups)}
</g>
</svg>
"""


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "wizard.svg"
    target.write_text(animate(record()), encoding="utf-8")
    print(f"{target}: {target.stat().st_size / 1000:.0f} kB")
