"""Can a conversation run like this: the order of its turns, tool calls and their answers, empty turns?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from holdfast.db.models import PASS, Finding, Message, Sample, Severity, Span, Verdict
from holdfast.verifiers.base import Context, verifier

SHOWN = 5
"""Most findings of one conversation."""

_PLAIN = (("user", "assistant"), ("assistant",), ("system", "user", "assistant"))
_SETTING = ("system", "developer")


@verifier(layer="format", version="1")
def message_roles(sample: Sample, ctx: Context) -> Verdict:
    """Flag turns out of order, tool calls and answers that do not match, and empty turns within a conversation."""
    messages = sample.messages
    roles = tuple(message.role for message in messages)
    if roles in _PLAIN and messages[0].content:
        return PASS
    if "assistant" not in roles:
        return Verdict.abstain()
    found = [
        Finding(code, Severity.WARN, f"turn {at + 1} ({messages[at].role}) {what}", _span(sample, at), "prompt")
        for at, code, what in islice(_problems(messages), SHOWN)
    ]
    return Verdict.found(found) if found else PASS


def _span(sample: Sample, at: int) -> Span | None:
    """Where a turn stands in the prompt; None where it is no part of it, or empty."""
    last = max(index for index, message in enumerate(sample.messages) if message.role == "assistant")
    if at >= last or not sample.messages[at].content:
        return None
    start = sum(len(message.content) + 2 for message in sample.messages[:at])
    return start, start + len(sample.messages[at].content)


def _problems(messages: Sequence[Message]) -> Iterator[tuple[int, str, str]]:
    """What is wrong with the turns, in order: place, code and words."""
    calls = _OpenCalls()
    before: Message | None = None
    asked = any(message.role == "user" and message.content.strip() for message in messages)
    for at, message in enumerate(messages):
        if message.role == "tool":
            what = calls.answered(message)
            if what:
                yield at, "tool-order", what
        else:
            if calls.open:
                yield at, "tool-order", f"comes before {calls.named()} was answered"
            what = _misplaced(message, before, asked)
            if what:
                yield at, "turn-order", what
            twice = calls.made(message)
            if twice:
                yield at, "tool-order", twice
        # An empty response, or that no user says anything, is what other checks report.
        if _is_empty(message) and at + 1 < len(messages) and (asked or message.role != "user"):
            yield at, "empty-turn", "is empty"
        if message.role not in _SETTING or before is None or before.role in _SETTING:
            before = message
    if messages[-1].role != "assistant":
        yield len(messages) - 1, "turn-order", "ends the conversation, and nothing answers it"


def _misplaced(message: Message, before: Message | None, asked: bool) -> str | None:
    previous = before.role if before is not None else None
    if message.role in _SETTING:
        return None if previous is None or previous in _SETTING else "comes after the conversation has begun"
    if message.role == "user":
        return "follows another user turn" if previous == "user" else None
    if previous == "assistant" and before is not None and not before.tool_calls:
        return "follows another assistant turn"
    if (previous is None or previous in _SETTING) and asked:
        return "speaks before any user does"
    return None


def _is_empty(message: Message) -> bool:
    # A tool may have nothing to say.
    return message.role != "tool" and not message.tool_calls and not message.content.strip()


class _OpenCalls:
    """The tool calls of the latest assistant turn that no tool has answered."""

    def __init__(self) -> None:
        self.open: Counter[str | None] = Counter()
        self._answered: set[str | None] = set()

    def made(self, message: Message) -> str | None:
        """Take note of a turn's calls; what is wrong with their ids, in words."""
        self.open = Counter(call.id for call in message.tool_calls or ())
        self._answered = set()
        twice = next((one for one, times in self.open.items() if one is not None and times > 1), None)
        return None if twice is None else f"gives {self.open[twice]} tool calls the id {twice!r}"

    def answered(self, message: Message) -> str | None:
        """Take note of a tool's answer; what is wrong with it, in words."""
        asked = message.tool_call_id
        meant = asked if asked in self.open else next(iter(self.open)) if asked is None and self.open else None
        if meant in self.open:
            self.open[meant] -= 1
            if not self.open[meant]:
                del self.open[meant]
            self._answered.add(asked)
            return None
        if asked is None:
            return "answers a tool call that was never made"
        again = asked in self._answered
        return (
            f"answers the tool call {asked!r} again"
            if again
            else f"answers the tool call {asked!r}, which was never made"
        )

    def named(self) -> str:
        """The open calls in words."""
        first, more = next(iter(self.open)), self.open.total() - 1
        what = "the tool call above" if first is None else f"the tool call {first!r}"
        return f"{what} and {more} more" if more else what
