"""Responses that stop before they end: in mid-sentence, in an open bracket or code block, at a bare list marker."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from holdfast.db.models import Provenance, Sample, Span, Verdict
from holdfast.verifiers.base import Context, Threshold, above, verifier
from holdfast.verifiers.sources import source_key, source_name, task_key

ENOUGH_REAL = 50
"""Real samples of a task from which it is learned how often a text ends with punctuation."""
ENOUGH_BATCH = 20
"""Samples of a source from which that is learned."""

_CERTAIN = 1.0
_RARELY_ENDS = 0.5
_LEAST_WORDS = 20
_LINE_WORDS = 8
_SHORT_LINE_WORDS = 4
_MOST_UNENDED = 0.2
_LEAST_UNSPACED = 60
_LOOKED_AT = 4_000
_TAIL = 300
_FRAGMENT = 2

_END = ".!?…。！？｡।॥؟۔։።"
_CLOSERS = " \t\r\n\"'”’»›)]}*_`~」』）】>"
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_FENCE = re.compile(r"^[ \t]{0,3}(```+|~~~+)", re.MULTILINE)
_MARKER = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])(?=[ \t\n]|\Z)")
_NOT_PROSE = re.compile(r"[|\t{}=<>\\]|https?:|www\.")
_STOPPED = re.compile(
    r'"(?:finish_?reason|stop_?reason|done_?reason)"\s*:\s*"(length|max_?tokens|max_?length|token_?limit)"',
    re.IGNORECASE,
)
_CITED = re.compile(r"(?:\s{0,3}\[\d{1,3}\]){1,9}\s*\Z")
_SIGN_OFF = re.compile(
    r"(?:many |with )?(?:thank|look|hop|see|talk|best|your|love|kind|warm|regard|until|all the)", re.IGNORECASE
)
# English sentences do not end with these.
_DANGLING = frozenset(
    {
        "a", "an", "the", "of", "and", "or", "but", "nor", "with", "from", "into", "onto", "than", "as", "if",
        "because", "although", "whereas", "your", "our", "their", "my", "its", "every", "whose", "between",
        "among", "upon", "via", "per", "e.g", "i.e", "including", "to", "for", "at", "by",
    }
)  # fmt: skip


class Cut(NamedTuple):
    """Where and how a text stops: `sure` where nothing but a cut explains it."""

    span: Span
    what: str
    sure: bool


@verifier(layer="format", version="1", fit_cost=2)
def truncation(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0.9)) -> Verdict:
    """Score how sure it is that a response was cut off.

    1 where it stops at a word that ends no sentence, in an open code block or bracket, at a bare list marker, or where
    its source says so (`finish_reason`); where it only lacks the last punctuation, the share of the real samples of its
    task, or of its own source if that is greater, that end with some.
    Labels, lists, code, tables and people's last full stops are not judged.

    Options:
        flag_at: how usual a proper end must be in the source before its absence is flagged
    """
    limit = _STOPPED.search(sample.metadata_json) if sample.metadata_json else None
    cut = _cut(sample.response)
    if limit is not None:
        span = cut.span if cut is not None else _last_word(sample.response)
        return _found(_CERTAIN, f"its source stopped at a limit of length ({limit[1]})", span)
    if cut is None or _mirrors(sample, cut):
        return _WHOLE
    share, reference = _usual(ctx.state("truncation"), sample)
    human = sample.provenance is Provenance.HUMAN
    if cut.sure and not (human and share is not None and share < _RARELY_ENDS):
        return _found(_CERTAIN, cut.what, cut.span)
    # People leave the last full stop out; a model that was not stopped does not.
    if share is None or cut.sure or human:
        return Verdict.abstain()
    return _found(round(share, 3), f"{cut.what}; {share:.0%} of {reference} end with some", cut.span)


_WHOLE = Verdict.score(0.0)


def _found(value: float, message: str, span: Span) -> Verdict:
    return Verdict.score(value, code="cut-off", message=message, span=span)


def _usual(state: Any, sample: Sample) -> tuple[float | None, str]:
    """The share of texts like the sample that end with punctuation, and whose texts they are."""
    if not state:
        return None, ""
    shares = [
        (share, whose)
        for share, whose in (
            (state["real"].get(task_key(sample)), f"real samples {sample.task or ''}".rstrip() + " (reference: real)"),
            (state["batch"].get(source_key(sample)), f"{source_name(sample)} (reference: batch)"),
        )
        if share is not None
    ]
    return max(shares, default=(None, ""))


@truncation.fit
def _learn_endings(samples: Iterable[Sample]) -> dict[str, dict[str, float]]:
    """The share of prose that ends with punctuation, of each task's real samples and of each source."""
    seen: dict[str, Counter[str]] = {"real": Counter(), "batch": Counter()}
    ended: dict[str, Counter[str]] = {"real": Counter(), "batch": Counter()}
    for sample in samples:
        last = _last_line(sample.response)
        if last is None or not _is_prose(sample.response, last):
            continue
        keys = [("batch", source_key(sample))]
        if sample.provenance is Provenance.HUMAN:
            keys.append(("real", task_key(sample)))
        for which, key in keys:
            seen[which][key] += 1
            ended[which][key] += _ends(sample.response)
    enough = {"real": ENOUGH_REAL, "batch": ENOUGH_BATCH}
    return {
        which: {key: round(ended[which][key] / n, 4) for key, n in counts.items() if n >= enough[which]}
        for which, counts in seen.items()
    }


def _ends(text: str) -> bool:
    tail = text[-_TAIL:]
    core = tail.rstrip(_CLOSERS)
    if core[-1:].isdigit() and "]" in tail:
        core = _CITED.sub("", tail).rstrip(_CLOSERS)
    return not core or core[-1] in _END


def _cut(text: str) -> Cut | None:
    """How a text stops before its end; None where it ends, or where that cannot be judged."""
    if "```" in text or "~~~" in text:
        fences = list(_FENCE.finditer(text))
        if len(fences) % 2:
            return Cut(fences[-1].span(1), "a code block is left open: its marks do not pair up", True)
    last = _last_line(text)
    if last is None or (_ends(text) and not text[last[0] : last[1] - 1].strip().isdigit()):
        return None
    return _bare_marker(text, last) or (_in_mid_sentence(text, last) if _is_prose(text, last) else None)


def _last_line(text: str) -> Span | None:
    """The last line that says something, without the white space around it."""
    end = len(text.rstrip())
    start = text.rfind("\n", 0, end) + 1
    return (start, end) if end else None


def _last_word(text: str) -> Span:
    end = len(text.rstrip())
    return max(text.rfind(" ", 0, end), text.rfind("\n", 0, end)) + 1, end


def _is_prose(text: str, last: Span) -> bool:
    """Whether the text is long enough, and its last line made of sentences rather than of names, code or cells."""
    tail = text[max(last[0], last[1] - _TAIL) : last[1]]
    if _NOT_PROSE.search(tail):
        return False
    if not tail.isascii() and _UNSPACED.search(tail):
        return len(tail) >= _LEAST_UNSPACED
    words = tail.split()
    least = _LINE_WORDS
    if last[0] and len(words) < least and not _SIGN_OFF.match(tail) and _ends(text[max(0, last[0] - _TAIL) : last[0]]):
        least = _SHORT_LINE_WORDS
    small = sum(word[0].islower() for word in words)
    return len(words) >= least and 2 * small >= len(words) and len(text[-_TAIL:].split()) >= _LEAST_WORDS


def _bare_marker(text: str, last: Span) -> Cut | None:
    """A list marker without an item at the end of a list."""
    marker = _MARKER.match(text, *last)
    if marker is None or marker.end() != last[1]:
        return None
    before = text[: last[0]].rstrip()
    above = before[before.rfind("\n") + 1 :]
    if _MARKER.match(above) is None:
        return None
    return Cut(last, "ends with a list marker that nothing follows", True)


def _in_mid_sentence(text: str, last: Span) -> Cut | None:
    """How prose stops that does not end with punctuation."""
    end = text[last[1] - 1]
    word = _last_word(text)
    spoken = text[slice(*word)].strip("(\"“'*_").rstrip(",;-–—")
    if end in ",;-–—":
        return Cut(word, f"ends in mid-sentence, after {text[slice(*word)]!r}", True)
    if spoken in _DANGLING:
        return Cut(word, f"ends in mid-sentence, after {spoken!r}", True)
    opened = _open_bracket(text, last)
    if opened is not None:
        return Cut((opened, opened + 1), "ends inside the bracket that opens here", True)
    if end == ":":
        return Cut((last[1] - 1, last[1]), "ends with a colon: what it announces is missing", True)
    if not _is_weighty(text[last[0] : last[1]]) or not _ends_elsewhere(text[max(0, last[0] - _LOOKED_AT) : last[0]]):
        return None
    return Cut(word, "stops without closing punctuation", False)


def _open_bracket(text: str, last: Span) -> int | None:
    """The place of a bracket in the last line that is opened and never closed; smileys are none."""
    start = max(last[0], last[1] - _TAIL)
    for opening, closing in ("()", "[]"):
        at = text.rfind(opening, start, last[1])
        if at >= 0 and text.find(closing, at) < 0 and text[at - 1 : at] not in (":", ";", "-", "="):
            return at
    return None


def _is_weighty(line: str) -> bool:
    """Whether the end of a line is a stretch of words, not a tag, a greeting (XOXO) or a word after a sentence."""
    words = line[-_TAIL:].split()
    last = words[-1]
    if not last[-1].isalpha() or last[0] in "#@" or last.isupper() or last == "etc":
        return False
    return not any(map(_ends, words[-_FRAGMENT:] if last.islower() else words[-2 * _FRAGMENT :]))


def _mirrors(sample: Sample, cut: Cut) -> bool:
    """Whether the prompt stops in the same way and is about as long, as the source of a translation may."""
    prompt = sample.prompt
    if len(sample.response) > 2 * len(prompt):
        return False
    if not cut.sure:
        return not _ends(prompt)
    mark = sample.response[cut.span[1] - 1]
    return not mark.isalnum() and mark not in _END and prompt.rstrip().endswith(mark)


def _ends_elsewhere(above: str) -> bool:
    """Whether the longer lines above end with punctuation, so that the writer may be held to it."""
    lines = [line for line in above.splitlines() if len(line) > 5 * _LINE_WORDS and not line.startswith("#")]
    unended = sum(not _ends(line) and line.rstrip(_CLOSERS)[-1:] != ":" for line in lines)
    return unended <= _MOST_UNENDED * len(lines)
