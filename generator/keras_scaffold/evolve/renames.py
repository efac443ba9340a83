"""Applying a rename to code that people have edited.

A merge knows lines only: a line that a person edited and that a rename touches would conflict. So
the names that the template makes of `chart` (`encode_chart`, `chart_branch`, `"chart.conv_1"`) are
replaced in the person's files and in the old rendering first; the merge then has the rest to do.
Comments and names of the person's own stay as they are. So do strings that can be a column of the
manifest, which keeps its name: `mentions` lists those.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CODE = (".py", ".md", ".toml", ".yml", ".yaml", ".cfg", ".ipynb")


# A package's name where it is one: in prose it can be an ordinary word.
MODULE = (
    r"(?:(?<=\bfrom )|(?<=\bimport )|(?<=-m )|(?<=src/)|(?<=[\"'`])){0}(?!\w)"
    r"|(?<![\w.]){0}(?=\.[A-Za-z_]|/)"
)
QUOTED = r"(?<=[\"'`]){0}(?=[\"'`]{1})"  # also as the key of a dict, with the colon
# What generated code and Keras call a dict by the names of inputs or outputs.
BY_NAME = ("input", "output", "inputs", "outputs", "batch", "state", "y_true", "y_pred")
# What can be a table, which has columns: by its name, or by a line that makes it one.
TABLE_NAME = re.compile(r"(?:frame|table|manifest|df)s?$")
TABLE = r"\b{0}\b\s*(?::|=|\bin\b).*(?:\bpd\.|\bpandas\b|DataFrame|\bframe\b|\btable\b|\bread_)"
FUNCTION = re.compile(r"^( *)def (\w+)\(.*\n", re.M)


@dataclass(frozen=True)
class Renames:
    """What is replaced: identifiers everywhere, and words in quotes in the files that have them."""

    identifiers: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]  # for each file of the template
    stems: Mapping[str, str]  # the first part of a layer's name: "chart. -> "picture.
    layers: frozenset[str] = frozenset()  # the names that the template gives with such a part
    modules: Mapping[str, str] = field(default_factory=dict)  # only where a module is meant
    by_name: Mapping[str, str] = field(default_factory=dict)  # keys of the dicts BY_NAME
    tables: frozenset[tuple[str, str]] = frozenset()  # file, variable: by name, as predictions are
    # As `words`, for single functions of a file; there also where the word is a key, followed by ":".
    inner_words: Mapping[tuple[str, str], Mapping[tuple[str, str], str]] = field(
        default_factory=dict
    )
    prose: Mapping[str, str] = field(default_factory=dict)  # comments that the template wrote

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
            text = self._with_word(path, text, (old, ""), new)
        if not path.endswith(".py"):
            return text
        for old, new in self.by_name.items():
            text = _with_keys(text, old, new)
        return self._with_prose(self._with_inner_words(path, text))

    def _with_stem(self, text: str, old: str, new: str) -> str:
        """Rename layers, those that a person added too; "chart.png" is none."""

        def one(found: re.Match[str]) -> str:
            name = f"{old}.{found['rest']}"
            ours = found["named"] or name in self.layers
            if found["open"] and found["rest"]:  # f"chart.conv_{number}"
                ours = ours or any(layer.startswith(name) for layer in self.layers)
            start = f"{found['named'] or ''}{found['quote']}"
            return f"{start}{new}.{found['rest']}{found['open']}" if ours else found[0]

        layer = (
            r"(?P<named>\bname=f?|\bget_layer\(f?)?(?P<quote>[\"'`])"
            rf"{re.escape(old)}\.(?P<rest>\w*)(?P<open>\{{?)"
        )
        return re.sub(layer, one, text)

    def _with_inner_words(self, path: str, text: str) -> str:
        """Rename words in quotes in those functions where they are no column."""
        if not any(each == path for each, _ in self.inner_words):
            return text
        for name, start, stop in reversed(list(_functions(text))):
            for word, new in self.inner_words.get((path, name), {}).items():
                changed = self._with_word(path, text, word, new, start, stop)
                stop += len(changed) - len(text)
                text = changed
        return text

    def _with_word(
        self,
        path: str,
        text: str,
        quoted: tuple[str, str],
        new: str,
        start: int = 0,
        stop: int | None = None,
    ) -> str:
        """Rename a word in quotes; in a person's prose, or as the key of a table, it stays."""
        stop = len(text) if stop is None else stop
        old, after = quoted
        word = re.compile(QUOTED.format(re.escape(old), after))
        if not word.search(text, start, stop):
            return text
        prose = _prose_spans(text) if path.endswith(".py") else []

        def one(found: re.Match[str]) -> str:
            place = found.start()
            if not start <= place < stop or any(first <= place < end for first, end in prose):
                return old
            before = text[max(place - 80, 0) : place - 1]
            holder = re.search(r"(\w+)\[$", before)
            if before.endswith(".column(") or (holder and self._is_table(path, holder[1], text)):
                return old
            return new

        return word.sub(one, text)

    def _is_table(self, path: str, holder: str, text: str) -> bool:
        if (path, holder) in self.tables:
            return False
        made = re.search(TABLE.format(holder), text)
        return bool(TABLE_NAME.search(holder) or made)

    def _with_prose(self, text: str) -> str:
        """Take the template's new comments, also where a person moved or prolonged them."""
        if not self.prose:
            return text
        longest_first = sorted(self.prose, key=len, reverse=True)
        known = "|".join(re.escape(line) for line in longest_first)
        return re.sub(rf"(?<!\w)(?:{known})(?!\w)", lambda found: self.prose[found[0]], text)


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
    pairs = list(pairs)
    old_names, new_names = _identifiers(before.values()), _identifiers(after.values())
    identifiers: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}
    stems: dict[str, str] = {}
    modules: dict[str, str] = {}
    for old, new in pairs:
        for name in old_names - new_names:
            renamed = _with_part(_with_part(name, old, new), old.upper(), new.upper())
            if renamed == name or renamed not in new_names:
                continue
            if name != old:
                identifiers[name] = renamed
            elif bare:
                modules[old] = new
        stems[old] = new
        for path, text in before.items():
            if f'"{old}"' in text and f'"{old}"' not in after.get(path, ""):
                words.setdefault(path, {})[old] = new
    # What is left is none: an input called `model` has layers, and there is a file "model.keras".
    layers = _layers(stems, before.values()) - _layers(stems, after.values())
    by_name = {} if bare else dict(pairs)
    tables = _holders(pairs, before)
    found = Renames(identifiers, words, stems, frozenset(layers), modules, by_name, tables)
    found = replace(found, inner_words=_inner_words(pairs, _applied(found, before), after))
    return replace(found, prose=_changed_prose(_applied(found, before), after))


def _identifiers(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in IDENTIFIER.findall(text)}


def _layers(stems: Iterable[str], texts: Iterable[str]) -> set[str]:
    known = "|".join(map(re.escape, stems))
    layer = re.compile(rf"[\"'`]((?:{known})\.\w+)[\"'`]")
    return {name for text in texts for name in layer.findall(text)}


def _holders(
    pairs: Iterable[tuple[str, str]], before: Mapping[str, str]
) -> frozenset[tuple[str, str]]:
    """The variables of each file that the template subscripts with a name."""
    return frozenset(
        (path, holder)
        for old, _ in pairs
        for path, text in before.items()
        for holder in re.findall(rf"(\w+)\[\"{re.escape(old)}\"\]", text)
    )


def _with_part(name: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(old)}(?![A-Za-z0-9])", new, name)


def _applied(found: Renames, texts: Mapping[str, str]) -> dict[str, str]:
    return {path: found.apply(path, text) for path, text in texts.items() if path.endswith(".py")}


def _with_keys(text: str, old: str, new: str) -> str:
    """Rename keys such as batch["chart"], where `batch` is no table with a column of that name.

    In "chart": batch["chart"] both are the input's name, but for the column of a new table.
    """
    for holder in BY_NAME:
        key = rf"(?P<left>(?<!Frame\(\{{)[\"']{re.escape(old)}[\"']: *(?=[\w.]*{holder}\[))?"
        key += rf"(?P<of>\b(?:\w+\.)*{holder}\[[\"']){re.escape(old)}(?=[\"']\])"
        if re.search(key, text) and not re.search(TABLE.format(holder), text):
            text = re.sub(
                key,
                lambda found: (found["left"] or "").replace(old, new) + found["of"] + new,
                text,
            )
    return text


def _functions(text: str) -> Iterator[tuple[str, int, int]]:
    """The functions of a text, also of one that does not parse: name, start and end."""
    for found in FUNCTION.finditer(text):
        after = re.compile(rf"^ {{0,{len(found[1])}}}[^\s)\]}}#]", re.M).search(text, found.end())
        yield found[2], found.start(), after.start() if after else len(text)


def _inner_words(
    pairs: Iterable[tuple[str, str]], before: Mapping[str, str], after: Mapping[str, str]
) -> dict[tuple[str, str], dict[tuple[str, str], str]]:
    """The functions in which the new rendering has a word no more, though their file has it."""
    words: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for old, new in pairs:
        for path, text in before.items():
            wanted = after.get(path, "")
            for end in ("", ":"):  # in "chart": file_column(examples, "chart") the key alone
                word = f'"{old}"{end}'
                for name in _functions_with(word, text) - _functions_with(word, wanted):
                    words.setdefault((path, name), {})[old, end] = new
    return words


def _functions_with(word: str, text: str) -> set[str]:
    return {name for name, start, stop in _functions(text) if word in text[start:stop]}


def _changed_prose(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """The template's comments and lines of docstrings that a rename changes, and what they become."""
    changed: dict[str, str] = {}
    unclear: set[str] = set()
    for path, text in before.items():
        old, new = _prose(text), _prose(after.get(path, ""))
        if len(old) != len(new):
            continue
        for line, wanted in zip(old, new, strict=True):
            if changed.setdefault(line, wanted) != wanted:
                unclear.add(line)
    return {
        line: wanted
        for line, wanted in changed.items()
        # Two words can be a person's own.
        if line != wanted and line not in unclear and len(line.split()) > 2
    }


def _prose(text: str) -> list[str]:
    """The comments and the lines of docstrings in code that was rendered."""
    found = [text[start:stop] for start, stop in _prose_spans(text)]
    return [line.strip() for each in found for line in each.splitlines() if line.strip()]


def _prose_spans(text: str) -> list[tuple[int, int]]:
    """Where comments and docstrings start and end; those before the first error in the code."""
    starts = [0]
    for line in io.StringIO(text, newline=""):
        starts.append(starts[-1] + len(line))
    spans = []
    begins = True  # a statement
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and begins):
                (row, column), (end_row, end_column) = token.start, token.end
                spans.append((starts[row - 1] + column, starts[end_row - 1] + end_column))
            elif token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
                begins = True
            elif token.type != tokenize.NL:
                begins = False
    return spans


def mentions(name: str, text: str, known: Collection[str]) -> list[int]:
    """The lines of a Python file with a string that can be a name or a column; not `known` ones."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    found = {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(rf"{re.escape(name)}(\.\w*)?", node.value)
    }
    lines = text.splitlines()
    return sorted(number for number in found if lines[number - 1].strip() not in known)
