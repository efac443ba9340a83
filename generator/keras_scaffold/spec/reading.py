"""Reading the text of a spec: YAML or JSON, without aliases, tags and keys that occur twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from keras_scaffold.spec.errors import SpecError, one_line

Given = dict[str, Any]  # a spec, or an entry of it, as it was written

KEYS = ("project_name", "inputs", "merge", "outputs", "table", "features")
DEEPEST = 100  # levels of YAML: a merge has two for each of its own
LARGEST_SPEC = 1_000_000  # characters


class _UniqueKeys(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys in silence; a spec with such keys is a mistake."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    for key, count in Counter(keys).items():
        if count > 1:
            line = node.start_mark.line + 1
            raise SpecError(f"line {line}: the key '{key}' occurs twice; keep one")
    return loader.construct_mapping(node, deep=True)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_spec(path: Path) -> Given:
    """Read a YAML or JSON spec from a file; SpecError if it cannot be read or is no mapping."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file; give the path of a spec (YAML or JSON)") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SpecError(f"{path}: cannot be read: {reason}") from None
    try:
        return parse_spec(text)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def parse_spec(text: str) -> Given:
    """Parse the text of a spec; aliases, tags and keys that occur twice are refused."""
    if len(text) > LARGEST_SPEC:
        raise SpecError("too large for a spec; a spec is a short YAML file")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise RecursionError
            if isinstance(event, yaml.AliasEvent):
                raise SpecError(
                    f"YAML aliases (*{event.anchor}) are not understood; write the value out"
                )
        data = yaml.load(text, Loader=_UniqueKeys)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = error.problem or "it cannot be parsed"
        raise SpecError(f"line {line}: not valid YAML: {one_line(problem)}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else one_line(str(error))
        if "int_max_str_digits" in reason:
            reason = "a number has thousands of digits"
        raise SpecError(f"not valid YAML: {reason}") from None
    if not isinstance(data, dict):
        raise SpecError("a spec is a mapping with the keys " + ", ".join(KEYS))
    return data
