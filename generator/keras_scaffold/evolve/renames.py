"""Applying a rename to code that people have edited.

A merge knows lines only: a line that a person edited and that a rename touches would conflict. So
the names that the template makes of `chart` (`encode_chart`, `chart_branch`, `"chart.conv_1"`) are
replaced in the person's files and in the old rendering first; the merge then has the rest to do.
Comments and names of the person's own stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CODE = (".py", ".md", ".toml", ".yml", ".yaml", ".cfg", ".ipynb")


# A package's name where it is one: in prose it can be an ordinary word.
MODULE = (
    r"(?:(?<=\bfrom )|(?<=\bimport )|(?<=-m )|(?<=src/)|(?<=[\"'`])){0}(?!\w)"
    r"|(?<![\w.]){0}(?=\.[A-Za-z_]|/)"
)


@dataclass(frozen=True)
class Renames:
    """What is replaced: identifiers everywhere, and words in quotes in the files that have them."""

    identifiers: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]  # for each file of the template
    stems: Mapping[str, str]  # the first part of a layer's name: "chart. -> "picture.
    layers: frozenset[str] = frozenset()  # the names that the template gives with such a part
    modules: Mapping[str, str] = field(default_factory=dict)  # only where a module is meant

    def apply(self, path: str, text: str) -> str:
        """The text of a file with the names replaced."""
        if not path.endswith(CODE):
            return text
        text = IDENTIFIER.sub(lambda found: self.identifiers.get(found[0], found[0]), text)
        for old, new in self.modules.items():
            text = re.sub(MODULE.format(re.escape(old)), new, text)
        for old, new in self.stems.items():
            text = self._with_stem(text, old, new)
        for old, new in self.words.get(path, {}).items():
            text = re.sub(rf"(?<=[\"'`]){re.escape(old)}(?=[\"'`])", new, text)
        return text

    def _with_stem(self, text: str, old: str, new: str) -> str:
        """Rename layers, those that a person added too; "chart.png" is none."""

        def one(found: re.Match[str]) -> str:
            ours = found["named"] or f"{old}.{found['rest']}" in self.layers
            return (
                f"{found['named'] or ''}{found['quote']}{new}.{found['rest']}" if ours else found[0]
            )

        layer = rf"(?P<named>\bname=)?(?P<quote>[\"'`]){re.escape(old)}\.(?P<rest>\w*)"
        return re.sub(layer, one, text)


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
    modules: dict[str, str] = {}
    for old, new in pairs:
        part = re.compile(rf"(?<![A-Za-z0-9]){re.escape(old)}(?![A-Za-z0-9])")
        for name in old_names - new_names:
            renamed = part.sub(new, name)
            if renamed == name or renamed not in new_names:
                continue
            if name != old:
                identifiers[name] = renamed
            elif bare:
                modules[old] = new
        if not any(f'"{old}.' in text for text in after.values()):
            stems[old] = new
        for path, text in before.items():
            if f'"{old}"' in text and f'"{old}"' not in after.get(path, ""):
                words.setdefault(path, {})[old] = new
    layers = {
        name
        for old in stems
        for text in before.values()
        for name in re.findall(rf"[\"'`]({re.escape(old)}\.\w+)[\"'`]", text)
    }
    return Renames(identifiers, words, stems, frozenset(layers), modules)


def _identifiers(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in IDENTIFIER.findall(text)}
