"""Carrying a rename into code that people have edited.

A merge knows lines only: a line that a person edited and that a rename touches would conflict. So
the names that the template makes of `chart` (`encode_chart`, `chart_branch`, `"chart.conv_1"`) are
replaced in the person's files and in the old rendering first; the merge then has the rest to do.
Comments and names of the person's own stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CODE = (".py", ".md", ".toml", ".yml", ".yaml", ".cfg", ".ipynb")


@dataclass(frozen=True)
class Renames:
    """What is replaced: identifiers everywhere, and words in quotes in the files that have them."""

    identifiers: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]  # for each file of the template
    stems: Mapping[str, str]  # the first part of a layer's name: "chart. -> "picture.

    def apply(self, path: str, text: str) -> str:
        """The text of a file with the names replaced."""
        if not path.endswith(CODE):
            return text
        text = IDENTIFIER.sub(lambda found: self.identifiers.get(found[0], found[0]), text)
        for old, new in self.stems.items():
            text = re.sub(rf"(?<=[\"'`]){re.escape(old)}(?=\.)", new, text)
        for old, new in self.words.get(path, {}).items():
            text = re.sub(rf"(?<=[\"'`]){re.escape(old)}(?=[\"'`])", new, text)
        return text


def renames(
    pairs: Iterable[tuple[str, str]],
    before: Mapping[str, str],
    after: Mapping[str, str],
    *,
    bare: bool = False,
) -> Renames:
    """Work out from two renderings what a rename of words does to names in code.

    Rendered code never has an input's name alone for an identifier: it would be a person's own.
    A package's name it has (`bare`).
    """
    old_names, new_names = _identifiers(before.values()), _identifiers(after.values())
    identifiers: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}
    stems: dict[str, str] = {}
    for old, new in pairs:
        part = re.compile(rf"(?<![A-Za-z0-9]){re.escape(old)}(?![A-Za-z0-9])")
        for name in old_names - new_names:
            renamed = part.sub(new, name)
            if renamed != name and renamed in new_names and (bare or name != old):
                identifiers[name] = renamed
        if not any(f'"{old}.' in text for text in after.values()):
            stems[old] = new
        for path, text in before.items():
            if f'"{old}"' in text and f'"{old}"' not in after.get(path, ""):
                words.setdefault(path, {})[old] = new
    return Renames(identifiers, words, stems)


def _identifiers(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in IDENTIFIER.findall(text)}
