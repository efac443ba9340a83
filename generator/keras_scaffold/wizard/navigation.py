"""A conversation in which every question has a way back, and none has code for it.

Every answer is kept in a list. Going back takes the last one off the list and runs the conversation,
a plain function that asks on and on, again, with the kept answers in the place of the questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from keras_scaffold.wizard.questions import BACK, Question, Select, Terminal

T = TypeVar("T")


class _Back(Exception):
    """The person wants the question before."""


class Dialog:
    """A conversation that can be taken back answer by answer."""

    def __init__(self, terminal: Terminal, restored: Sequence[tuple[str, str]] = ()) -> None:
        self._terminal = terminal
        self._messages = [message for message, _ in restored]  # the question of each answer
        self._answers = [answer for _, answer in restored]
        self._restored = len(restored)  # those of a conversation that was interrupted
        self._asked = 0
        self._undone: str | None = None

    def run(self, flow: Callable[[], T]) -> T:
        """Run the conversation, again from its first question after each step back."""
        while True:
            self._asked = 0
            try:
                return flow()
            except _Back:
                continue

    @property
    def answers(self) -> list[tuple[str, str]]:
        """What was answered so far: the message of each question, and the answer."""
        return list(zip(self._messages, self._answers, strict=False))

    def is_new(self) -> bool:
        """Whether this part of the conversation is not only repeated."""
        return self._asked == len(self._answers)

    def show(self, text: str) -> None:
        """Show something, once."""
        if self.is_new():
            self._terminal.show(text)

    def ask(self, question: Question) -> str:
        """The answer to a question."""
        if self._asked < min(self._restored, len(self._answers)):
            same = self._messages[self._asked] == question.message
            if not same or not _fits(question, self._answers[self._asked]):
                del self._answers[self._asked :]  # it was another conversation: the rest is asked
        if self.is_new():
            self._answers.append(self._ask(question))
            self._messages[self._asked :] = [question.message]
        self._asked += 1
        return self._answers[self._asked - 1]

    def _ask(self, question: Question) -> str:
        undone, self._undone = self._undone, None
        if undone is not None and _fits(question, undone):
            question = replace(question, default=undone)
        answer = self._terminal.ask(question, can_go_back=bool(self._answers))
        if answer == BACK and self._answers:
            self._undone = self._answers.pop()
            raise _Back
        return answer


def _fits(question: Question, answer: str) -> bool:
    if not isinstance(question, Select):
        return not question.problem(answer)
    return answer in [option.value for option in question.options]
