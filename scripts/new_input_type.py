"""Write the first files of a new input type: template/inputs/NAME/.

    scripts/new_input_type NAME

The type works as it is: a column of numbers, normalized, and dense layers. Replace what differs.
"""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]

FILES = {
    "input.yml": """\
# One number a row. Replace what differs; CONTRIBUTING.md lists all keys.
order: ORDER
title: TYPE
help: one number in a column of the manifest
row: a number
tensor: float32 (1,), normalized
fields:
  shape: {kind: shape, axes: [numbers], least: [1], most: [1], default: [1], help: always 1}
  column: {kind: column, help: "the manifest's column"}
page: [in_columns]
absent_layer: FillMissing
read: "number_columns(examples, {NAME}_COLUMNS{with_optional})"
adapt: "spread({values})"
transform: "normalize({raw}, {state})"
helpers: [is_missing, number_columns, normalize, spread]
sample: [rng]
encoders:
  mlp:
    help: dense layers
    width_of: units
    fields:
      units: {kind: integers, least: 1, most: 8192, default: [32], help: width of each dense layer}
""",
    "data.py.jinja": """\
# {{ i.name }}: a number

{{ i.name | upper }}_COLUMNS = [
    {{ literal(i.column) }},
]
""",
    "branch.py.jinja": """\
def encode_{{ i.name }}(features: keras.KerasTensor) -> keras.KerasTensor:
    \"""Encode {{ i.name }}: a number, normalized, (batch, {{ i.shape[0] }}) -> (batch, {{ i.width }}).\"""
{% if i.optional %}
    # What is missing is NaN: it becomes a learned value, with a sign beside it.
    x = FillMissing(name="{{ i.name }}.fill")(features)  # (batch, {{ 2 * i.shape[0] }})
{% endif %}
{% set x = "x" if i.optional else "features" %}
{% include "template/inputs/TYPE/encoders/" ~ i.encoder ~ ".py.jinja" %}
""",
    "encoders/mlp.py.jinja": """\
{% for width in i.units %}
{% call fit() %}
    x = layers.Dense({{ width }}, activation="relu", name="{{ i.name }}.dense_{{ loop.index }}")({{ x if loop.first else "x" }})
{% endcall %}
{% endfor %}
    return x
""",
    "sample.py.jinja": """\
{% call fit(0) %}
def sample_{{ i.name }}(rng: np.random.Generator, hidden: np.ndarray) -> Columns:
{% endcall %}
    \"""Numbers, {{ i.name }}: they rise with the hidden value, and noise.\"""
    numbers = (10 + 3 * hidden + rng.normal(0, 0.5, len(hidden))).round(4)
{% call column(i.column) %}
numbers
{% endcall %}
""",
    "show.py.jinja": """\
{% call fit() %}
    "{{ i.name }}": partial(page.in_columns, data.{{ i.name | upper }}_COLUMNS),
{% endcall %}
""",
}


class Refused(Exception):
    """The type cannot be written; the text says why."""


def write_type(name: str, root: Path = ROOT) -> Path:
    """Write the folder of a new type into the template of a repository."""
    types = root / "template" / "inputs"
    folder = types / name
    if not re.fullmatch("[a-z]+", name):
        raise Refused(f"{name}: a type's name has lower-case letters only")
    if folder.exists():
        raise Refused(f"{folder.relative_to(root)} exists already")
    entries = [yaml.safe_load(path.read_text("utf-8")) for path in types.glob("*/input.yml")]
    order = 1 + max(entry["order"] for entry in entries)
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        text = text.replace("ORDER", str(order)).replace("TYPE", name)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def main(arguments: list[str]) -> int:
    """Write a type and print what comes next; gives the exit status."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: scripts/new_input_type NAME", file=sys.stderr)
        return 2
    (name,) = arguments
    try:
        folder = write_type(name)
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Wrote {len(FILES)} files to {folder.relative_to(ROOT)}; edit them, then")
    print(f"    scaffold preview -i thing:{name} -o label:binary")
    print(f"    scripts/test tests/projects/test_projects.py -k {name}")
    print("    python scripts/render_docs.py")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
