"""From one spec to another in commands: what to say so that a project becomes what it should be."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from keras_scaffold.spec import SpecError, complete_input, complete_output
from keras_scaffold.spec.notation import input_text, merge_text, output_text

Given = Mapping[str, Any]


def commands(before: Given, after: Given) -> list[str]:
    """The `scaffold` lines that lead from one spec to the other, as near as they can say it."""
    lines = []
    if before["project_name"] != after["project_name"]:
        lines.append(_line("rename", "project", after["project_name"]))
    for section in ("inputs", "outputs"):
        lines += _entries(section, before[section], after[section])
    one, other = (spec.get("merge", "concatenate") for spec in (before, after))
    if one != other and isinstance(other, str | Mapping):
        lines.append(_line("set", "merge", merge_text(other)))
    return lines


def _entries(section: str, before: list[Given], after: list[Given]) -> list[str]:
    kind = section[:-1]
    old = {entry["name"]: entry for entry in before}
    new = {entry["name"]: entry for entry in after}
    lines = []
    for name, entry in new.items():
        key = "type" if kind == "input" else "task"
        if name in old and old[name][key] == entry[key]:
            lines += _fields(section, old[name], entry)
            continue
        if name in old:
            lines.append(_line("remove", kind, name))
        spelled = input_text if kind == "input" else output_text
        allowed = ("name", key, "shape", "encoder", "classes")
        short = {word: value for word, value in entry.items() if word in allowed}
        lines.append(_line("add", kind, str(spelled(short))))
        lines += _fields(section, short, entry)
    return lines + [_line("remove", kind, name) for name in old if name not in new]


def _fields(section: str, before: Given, after: Given) -> list[str]:
    complete = complete_input if section == "inputs" else complete_output
    lines = []
    so_far = {key: value for key, value in before.items() if key != "encoder"}
    try:
        wanted = complete(after)
        if "encoder" in wanted:
            if complete(before)["encoder"] != wanted["encoder"]:
                lines.append(_line("set", "encoder", wanted["name"], wanted["encoder"]))
                so_far = {key: value for key, value in so_far.items() if key in wanted}
            so_far["encoder"] = wanted["encoder"]
        for field, value in wanted.items():
            if complete(so_far)[field] != value:  # not so where it follows from what is said
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                lines.append(_line("set", f"{wanted['name']}.{field}", text))
                so_far[field] = value
    except SpecError:
        pass  # on the way it would be no spec: what was said until then is a beginning
    return lines


def _line(*words: str) -> str:
    return shlex.join(("scaffold", *words))
