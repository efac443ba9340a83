"""Questions, and the two ways to ask them: on a screen with a cursor, or line by line."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from keras_scaffold import interrupts
from keras_scaffold.render.diagram import for_encoding
from keras_scaffold.spec import SpecError

BACK = "<"
NONE = "none"  # the answer of a `Checklist` in which nothing is checked
CHECKED, UNCHECKED = "[x]", "[ ]"  # all terminals have these characters
WIDEST = 100


def _anything(answer: str) -> None:
    """Accept every answer."""


@dataclass(frozen=True)
class Text:
    """A question that is answered by typing; Enter alone takes the default."""

    message: str
    default: str
    check: Callable[[str], object]  # raises SpecError
    help: str = ""
    live: bool = True  # whether a mistake is shown while typing, or only at Enter
    paths: Callable[[str], bool] | None = None  # for a path: which files and folders Tab offers
    busy: str = ""  # what is shown while the check takes its time

    def problem(self, typed: str) -> str:
        """What is wrong with an answer, in one line; empty where nothing is."""
        return _problem(self.check, typed.strip() or self.default)

    def shown(self, answer: str) -> str:
        """An answer as the person gave it."""
        return answer


@dataclass(frozen=True)
class Option:
    """A line of a `Select`."""

    value: str
    title: str
    help: str = ""


@dataclass(frozen=True)
class Select:
    """A question that is answered by choosing one of a few lines."""

    message: str
    options: tuple[Option, ...]
    default: str
    help: str = ""
    check: Callable[[str], object] = _anything  # raises SpecError

    def problem(self, answer: str) -> str:
        """What is wrong with an answer, in one line; empty where nothing is."""
        return _problem(self.check, answer)

    def shown(self, answer: str) -> str:
        """An answer as the person saw it."""
        return next(option.title for option in self.options if option.value == answer)


@dataclass(frozen=True)
class Checklist:
    """A question that is answered by checking any of a few lines; `joined` values are an answer."""

    message: str
    options: tuple[Option, ...]
    default: str
    help: str = ""

    def problem(self, answer: str) -> str:
        """What is wrong with an answer, in one line; empty where nothing is."""
        known = [option.value for option in self.options]
        unknown = [value for value in checked(answer) if value not in known]
        return f"{', '.join(unknown)}: not in the list" if unknown else ""

    def shown(self, answer: str) -> str:
        """An answer as the person saw it."""
        return answer

    def answer(self, values: Iterable[str]) -> str:
        """The answer in which these values are checked, in the order of the list."""
        chosen = set(values)
        return joined(option.value for option in self.options if option.value in chosen)


def joined(values: Iterable[str]) -> str:
    """`["a", "b"]` -> `a, b`, the answer of a `Checklist`."""
    return ", ".join(values) or NONE


def checked(answer: str) -> list[str]:
    """`joined` the other way."""
    return [] if answer == NONE else answer.split(", ")


Question = Text | Select | Checklist


def _problem(check: Callable[[str], object], answer: str) -> str:
    try:
        check(answer)
    except SpecError as error:
        return str(error)
    return ""


class Terminal(Protocol):
    """Where questions are asked; an answer is the text or value, or `BACK`."""

    def show(self, text: str) -> None:
        """Show some lines."""

    def ask(self, question: Question, can_go_back: bool) -> str:
        """Ask one question; Ctrl-C and the end of the input raise KeyboardInterrupt."""


# Terminals


def columns() -> int:
    """How wide to write: the terminal, but no wider than is good to read."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def wrapped(text: str, indent: str = "") -> str:
    """The text with each line that is too long for the terminal broken between words."""
    width = max(columns(), 20)
    lines = text.split("\n")
    return "\n".join(
        textwrap.fill(line, width, subsequent_indent=indent) if len(line) > width else line
        for line in lines
    )


def _option_text(option: Option, column: int, margin: int) -> str:
    """A title and its help, the help lined up with those of the other options."""
    if not option.help:
        return option.title
    indent = " " * (column + 2)
    width = max(columns() - margin, column + 22)
    text = option.title.ljust(column) + "  " + option.help
    wrapped = textwrap.fill(text, width, subsequent_indent=indent)
    return wrapped.replace("\n", "\n" + " " * margin)


class _Lines:
    """A terminal without a cursor: questions and answers are lines."""

    def show(self, text: str) -> None:
        print(for_encoding(text, sys.stdout.encoding), flush=True)

    def ask(self, question: Question, can_go_back: bool) -> str:
        self.show(f"? {question.message}" + (f" ({BACK} goes back)" if can_go_back else ""))
        if question.help:
            self.show(wrapped(f"  {question.help}", "  "))
        read: Callable[[str], str] = self._typed
        if isinstance(question, Select):
            read = self._choices(question, can_go_back)
        elif isinstance(question, Checklist):
            read = self._checks(question, can_go_back)
        while True:
            answer = read(question.default)
            if answer == BACK and can_go_back:
                return answer
            if problem := question.problem(answer):
                self.show(wrapped(f"  {problem}", "  "))
            else:
                return answer or question.default

    def _choices(self, question: Select, can_go_back: bool) -> Callable[[str], str]:
        """Show the options; a function that reads which of them is chosen."""
        numbers = {option.value: str(n) for n, option in enumerate(question.options, start=1)}
        column = max(len(option.title) for option in question.options)
        for option in question.options:
            self.show(f"  {numbers[option.value]:>2} {_option_text(option, column, 5)}")
        answers = {option.value: option.value for option in question.options}
        answers |= {option.title: option.value for option in question.options}
        answers |= {number: value for value, number in numbers.items()}  # a title may be a number
        answers |= {BACK: BACK} if can_go_back else {}

        def read(default: str) -> str:
            while (typed := self._typed(numbers[default]) or numbers[default]) not in answers:
                self.show(f"  type a number from 1 to {len(question.options)}")
            return answers[typed]

        return read

    def _checks(self, question: Checklist, can_go_back: bool) -> Callable[[str], str]:
        """Show the options; a function that reads which of them are checked."""
        numbers = {option.value: str(n) for n, option in enumerate(question.options, start=1)}
        column = max(len(option.title) for option in question.options)
        for option in question.options:
            mark = CHECKED if option.value in checked(question.default) else UNCHECKED
            text = _option_text(option, column, 9)
            self.show(f"  {numbers[option.value]:>2} {mark} {text}")
        values = {word: value for value in numbers for word in (numbers[value], value)}

        def read(default: str) -> str:
            proposed = " ".join(numbers[value] for value in checked(default)) or NONE
            while True:
                typed = self._typed(proposed) or proposed
                if typed == BACK and can_go_back:
                    return BACK
                words = [] if typed == NONE else re.split(r"[\s,]+", typed)
                if all(word in values for word in words):
                    return question.answer(values[word] for word in words)
                last = len(question.options)
                self.show(f"  type numbers from 1 to {last}, with spaces between, or {NONE}")

        return read

    def _typed(self, default: str) -> str:
        prompt = f"  [{default}] > " if default else "  > "
        interrupts.end_waits()
        try:
            return input(for_encoding(prompt, sys.stdout.encoding)).strip()
        except EOFError:
            raise KeyboardInterrupt from None


def _completion(question: Text) -> dict[str, Any]:
    """What completes a path at Tab, as shells do it."""
    if question.paths is None:
        return {}
    from prompt_toolkit.buffer import ValidationState
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from questionary.prompts.path import GreatUXPathCompleter

    keys = KeyBindings()

    @keys.add("enter", eager=True)
    def choose(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None:
            buffer.complete_state = None  # the list closes; the next Enter is the answer
        else:
            buffer.validation_state = ValidationState.UNKNOWN  # the file may be fixed by now
            buffer.validate_and_handle()

    return {
        "completer": GreatUXPathCompleter(file_filter=question.paths, expanduser=True),
        "complete_while_typing": False,
        "key_bindings": keys,
    }


class _Screen:
    """A terminal with a cursor: arrow keys, and mistakes shown while typing."""

    def show(self, text: str) -> None:
        print(for_encoding(text, sys.stdout.encoding), flush=True)

    def ask(self, question: Question, can_go_back: bool) -> str:
        """Ask; then one line with the answer stands where the question stood."""
        while True:
            if isinstance(question, Select):
                answer = self._select(question, can_go_back)
            elif isinstance(question, Checklist):
                answer = self._checklist(question, can_go_back)
            else:
                answer = self._text(question, can_go_back)
            if answer == BACK and can_go_back:
                self._print(("class:instruction", "« back"))
                return answer
            shown = question.shown(answer)
            message = ("class:question", f"{question.message} ")
            self._print(("class:qmark", "? "), message, ("class:answer", shown))
            if isinstance(question, Text) or not (problem := question.problem(answer)):
                return answer
            self._print(("fg:ansired", wrapped(f"    {problem}", "    ")))
            question = replace(question, default=answer)

    def _print(self, *fragments: tuple[str, str]) -> None:
        from prompt_toolkit import print_formatted_text
        from prompt_toolkit.formatted_text import FormattedText
        from questionary.constants import DEFAULT_STYLE

        text = [(style, for_encoding(part, sys.stdout.encoding)) for style, part in fragments]
        print_formatted_text(FormattedText(text), style=DEFAULT_STYLE)

    def _text(self, question: Text, can_go_back: bool) -> str:
        import questionary
        from prompt_toolkit.application import get_app
        from prompt_toolkit.formatted_text import FormattedText
        from prompt_toolkit.layout.processors import AfterInput
        from prompt_toolkit.utils import get_cwidth

        # A long default stands on a line of its own, so that there is room to type.
        long = len(question.default) > 40
        prompt = f"  [{question.default}] > " if question.default and not long else "  > "
        above = f"\n  [{question.default}]" if long else ""
        problem = busy = ""

        def valid(typed: str) -> bool | str:
            nonlocal problem, busy
            if typed.strip() == BACK and can_go_back:
                return True
            busy = question.busy
            if busy:
                get_app().renderer.render(get_app(), get_app().layout)
            problem, busy = question.problem(typed), ""
            return "" if problem else True

        def below() -> FormattedText:
            # Below what is typed: prompt_toolkit's own place for errors is a single line.
            buffer = get_app().current_buffer
            if not busy and buffer.validation_error is None:
                return FormattedText()
            width = shutil.get_terminal_size().columns
            rest = -get_cwidth(prompt + buffer.text) % width
            lines = textwrap.wrap(busy or problem, width - 4)
            text = " " * rest + "".join(f"    {line}".ljust(width) for line in lines)
            return FormattedText([("class:instruction" if busy else "fg:ansired", text)])

        lines = [f"({BACK} goes back)" if can_go_back else ""]
        help = question.help + ("; Tab completes" if question.paths else "")
        lines += [wrapped(f"  {help}", "  ")] if help else []
        typed = self._run(
            questionary.text(
                question.message,
                instruction="\n".join(lines) + wrapped(above, "  ") + f"\n{prompt.rstrip()}",
                validate=valid,
                validate_while_typing=question.live,
                input_processors=[AfterInput(below)],
                **_completion(question),
            )
        )
        return typed.strip() or question.default

    def _select(self, question: Select, can_go_back: bool) -> str:
        import questionary

        column = max(len(option.title) for option in question.options)
        choices = [
            questionary.Choice(_option_text(option, column, margin=3), option.value)
            for option in question.options
        ]
        if can_go_back:
            choices.append(questionary.Choice(for_encoding("« back", sys.stdout.encoding), BACK))
        asked = questionary.select(
            question.message,
            choices,
            default=question.default,
            pointer=for_encoding("»", sys.stdout.encoding),
            instruction="(arrow keys, or type to search)",
            use_jk_keys=False,
            use_search_filter=True,
        )
        _rank(asked, question.options)
        _arrange(asked, can_go_back)
        answer: str = self._run(asked)
        return answer

    def _checklist(self, question: Checklist, can_go_back: bool) -> str:
        import questionary

        default = checked(question.default)
        column = max(len(option.title) for option in question.options)
        choices = [
            questionary.Choice(
                _option_text(option, column, margin=7),
                option.value,
                checked=option.value in default,
            )
            for option in question.options
        ]
        back = f", {BACK} goes back" if can_go_back else ""
        asked = questionary.checkbox(
            question.message,
            choices,
            pointer=for_encoding("»", sys.stdout.encoding),
            instruction=f"(arrow keys, space toggles{back})",
            use_jk_keys=False,
        )
        _arrange(asked, can_go_back)
        answer = self._run(asked)
        return BACK if answer == BACK else question.answer(answer)

    def _run(self, asked: Any) -> Any:
        asked.application.erase_when_done = True
        try:
            answer = asked.unsafe_ask()
        except EOFError:
            raise KeyboardInterrupt from None
        return answer


def _control(asked: Any) -> Any:
    """The part of a question that holds its choices."""
    from questionary.prompts.common import InquirerControl

    windows = asked.application.layout.find_all_windows()
    return next(it.content for it in windows if isinstance(it.content, InquirerControl))


def _rank(asked: Any, options: Iterable[Option]) -> None:
    """Let a search find an option by its value too, and names before words of the help."""
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
    from questionary.prompts.common import InquirerControl

    by_value = {option.value: option for option in options}

    def rank(choice: Any, typed: str) -> int:
        option = by_value.get(choice.value, Option(choice.value, choice.title))
        names = [option.value.lower(), option.title.lower()]
        if any(name.startswith(typed) for name in names):
            return 0
        if any(typed in name for name in names):
            return 1
        return 2 if typed in option.help.lower() else 3

    class Ranked(InquirerControl):
        @property
        def filtered_choices(self) -> Any:
            typed = (self.search_filter or "").lower()
            if not typed:
                return self.choices
            found = [choice for choice in self.choices if rank(choice, typed) < 3]
            self.found_in_search = bool(found)
            return sorted(found, key=lambda choice: rank(choice, typed)) or self.choices

    control = _control(asked)
    control.__class__ = Ranked
    keys = KeyBindings()
    lost = Condition(lambda: bool(control.search_filter) and not control.found_in_search)
    # Where nothing is found, Enter chooses nothing.
    keys.add("enter", filter=lost, eager=True)(lambda _: None)
    asked.application.key_bindings = merge_key_bindings([asked.application.key_bindings, keys])


def _arrange(asked: Any, can_go_back: bool) -> None:
    """Make a list as high as its lines, mark what is checked, and add the key that goes back."""
    from prompt_toolkit.filters import Always
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
    from questionary.constants import INDICATOR_SELECTED, INDICATOR_UNSELECTED

    marks = {f"{INDICATOR_SELECTED} ": f"{CHECKED} ", f"{INDICATOR_UNSELECTED} ": f"{UNCHECKED} "}

    def mark(control: Any) -> None:
        tokens: Callable[[], list[tuple[str, str]]] = control.text
        control.text = lambda: [(style, marks.get(text, text)) for style, text in tokens()]

    control = _control(asked)
    for window in asked.application.layout.find_all_windows():
        if window.content is control:
            window.dont_extend_height = Always()  # what is searched for stands right below
    mark(control)
    if can_go_back:
        keys = KeyBindings()
        keys.add(BACK, eager=True)(lambda event: event.app.exit(result=BACK))
        old = asked.application.key_bindings
        asked.application.key_bindings = merge_key_bindings([*([old] if old else []), keys])


def this_terminal() -> Terminal:
    """The way of asking that the terminal we run in can show."""
    from prompt_toolkit.utils import is_dumb_terminal

    return _Lines() if is_dumb_terminal() else _Screen()
