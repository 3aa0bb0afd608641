"""Questions of choice: the option that a response names, against the options on offer and the reference."""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.db.models import PASS, Sample, Verdict
from holdfast.verifiers.answers import Answer, read_text_answer, stated_part
from holdfast.verifiers.base import Context, verifier
from holdfast.verifiers.choice_lists import LETTERS, options_in, options_of, same_text
from holdfast.verifiers.oracles.given import given, parsed
from holdfast.verifiers.shown import shown

_AFTER_LETTER = re.compile(r"[.):*\]\s]{0,6}(?:[-–—]\s)?")
_SHORT = 200
"""A longer response that names no option may mean one in words of its own."""
_SHOWN = 40
_MOST_DIGITS = 3


@verifier(layer="oracle", version="1")
def choices(sample: Sample, ctx: Context, *, within: str = "", first_index: int = 0) -> Verdict:
    """Fail responses that choose another option than the reference; flag those that choose none of them.

    The options are `metadata.choices`, else lettered ones in the prompt; `within` is the dotted path of the part of the
    metadata that holds them where that is not the top. The reference is a letter, an option's text, or an index that
    counts from `first_index`; where it can be read in two ways, only an answer that is wrong in both fails.

    Options:
        within: dotted place in the metadata under which `choices` stands; empty for the top
        first_index: the number that a reference uses for the first choice, 0 or 1
    """
    listed = options_in(parsed(given(sample, "choices", within)))
    options = listed or options_of(sample)
    if not options:
        return Verdict.abstain()
    text = sample.response
    answer = read_text_answer(text, kind="choice", choices=options)
    if answer is None:
        return _without_choice(text, options) if listed else Verdict.abstain()
    other = _other_text(text, answer, options)
    if other is not None:
        message = f"names {answer.value} with the text of {other}"
        return Verdict.flag("letter-and-text-differ", message, span=answer.span)
    wanted = _wanted(sample.reference, options, first_index)
    if answer.value in wanted:
        return PASS if len(wanted) == 1 else Verdict.abstain()
    if not wanted:
        return PASS if listed and sample.reference is None else Verdict.abstain()
    right = " or ".join(sorted(wanted))
    message = f"chooses {_named(answer.value, options)}; the reference says {_named(right, options)}"
    return Verdict.fail("wrong-choice", message, span=answer.span)


def _without_choice(text: str, options: Sequence[str]) -> Verdict:
    """The verdict on a response in which no single option was found."""
    part = stated_part(text)
    if part is None and len(text) > _SHORT:
        return Verdict.abstain()
    message = f"names no single one of the {len(options)} options"
    start, end = part or (len(text) - len(text.lstrip()), len(text.rstrip()))
    return Verdict.flag("no-choice", message, span=(start, end) if start < end else None)


def _other_text(text: str, answer: Answer, options: Sequence[str]) -> str | None:
    """The letter of the option whose text stands behind the letter of another one."""
    if answer.span is None or answer.span[1] - answer.span[0] != 1:
        return None
    line = _AFTER_LETTER.sub("", text[answer.span[1] :].partition("\n")[0], count=1).strip()
    place = LETTERS.index(answer.value)
    if not line or same_text(line, options[place]):
        return None
    return next((LETTERS[at] for at, option in enumerate(options) if same_text(line, option)), None)


def _wanted(reference: str | None, options: Sequence[str], first_index: int) -> set[str]:
    """The letters that a reference may mean: usually one, none where it cannot be read."""
    if reference is None or not reference.strip():
        return set()
    said = reference.strip()
    wanted = {LETTERS[place] for place, option in enumerate(options) if same_text(said, option)}
    if said.isdecimal() and len(said) <= _MOST_DIGITS:
        place = int(said) - first_index
        return wanted | ({LETTERS[place]} if 0 <= place < len(options) else set())
    if wanted:
        # Options may be letters themselves, or words of one: then it cannot be told which way "A" is meant.
        place = LETTERS.find(said.strip("().: ").upper()) if len(said.strip("().: ")) == 1 else -1
        return wanted | ({LETTERS[place]} if 0 <= place < len(options) else set())
    answer = read_text_answer(said, kind="choice", choices=options)
    return {answer.value} if answer is not None else set()


def _named(letter: str, options: Sequence[str]) -> str:
    if len(letter) != 1:
        return letter
    return f"{letter} ({shown(options[LETTERS.index(letter)], _SHOWN)})"
