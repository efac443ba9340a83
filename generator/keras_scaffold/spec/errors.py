"""Errors of a spec: one line that names the place, says what is wrong, and what to do."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn


class SpecError(Exception):
    """Something in a spec that cannot be done; the text is one line for the person who wrote it."""


class CommandLineError(SpecError):
    """The command line is wrong, not what it asks for."""

    exit_code = 2


def fail(place: str, message: str) -> NoReturn:
    """Raise a SpecError about a place."""
    raise SpecError(f"{place}: {message}")


def one_line(text: str) -> str:
    """The text on one line, cut to a readable length, control characters shown escaped."""
    text = " ".join(text.split())
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= 120 else text[:117] + "..."


def shown(value: object) -> str:
    """A value as it is shown in an error."""
    try:
        return one_line(json.dumps(value, ensure_ascii=False, default=str))
    except TypeError:  # a mapping with keys that JSON has not, such as dates
        return one_line(str(value))


def nearest(word: object, words: Iterable[str]) -> str:
    """The end of an error: the nearest valid word, and all of them where they are few."""
    words = list(words)
    close = difflib.get_close_matches(str(word), words, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    shown_words = (w if any(map(str.isalnum, w)) else f'"{w}"' for w in words)
    return "choose one of " + ", ".join(shown_words)


def check_keys(entry: Mapping[Any, Any], known: Iterable[str], place: str, what: str) -> None:
    """Refuse the first key that is not known."""
    known = list(known)
    for key in entry:
        if key not in known:
            fail(place, f"unknown key {shown(key)} for {what}; {nearest(key, known)}")


def known_word(entry: Mapping[Any, Any], key: str, words: Iterable[str], place: str) -> str:
    """The value of a key that must be one of the words."""
    words = list(words)
    value = entry.get(key)
    if key not in entry:
        fail(place, f"has no {key}; choose one of {', '.join(words)}")
    if not isinstance(value, str) or value not in words:
        fail(f"{place}.{key}", f"no {key} {shown(value)}; {nearest(value, words)}")
    return value
