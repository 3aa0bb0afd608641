"""Sources that write to a template: many of their samples begin, end or are built in the same words."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any, Literal, NamedTuple

import orjson

from holdfast.db.models import Finding, Outcome, Provenance, Sample, Severity, Span, Verdict
from holdfast.verifiers.base import Context, Threshold, above, verifier
from holdfast.verifiers.consistency.specimens import Specimens
from holdfast.verifiers.consistency.words import placed_words
from holdfast.verifiers.sources import source_key, source_name, task_key

ENOUGH_REAL = 50
"""Real samples of a task and domain from which its usual concentration is learned."""
ENOUGH_BATCH = 20
"""Samples that a source must have for its templates to be counted."""

_OPENING = 3
"""Words that make an opening; it is extended while nearly all its samples go on alike."""
_LONGEST = 8
"""Words of an extended opening, and of a skeleton."""
_CLOSING = 5
_GO_ON_ALIKE = 0.8
_PLAIN_IN_SKELETON = 4
"""Words of a skeleton that must not be masked, so that it says something."""
_FORM, _COMMONEST = 0.5, 5
"""Without real samples, templates of which so few take up so much of a source are taken for the form of the task."""
_HEAD = 120
_TAIL = 80
_LONG_ENOUGH = 200
_MOST_TEXTS = 500
_MOST_TEXTS_IN_ALL = 8_000

Text = Literal["response", "prompt"]
Words = tuple[str, ...]
Ends = tuple[str, ...]
"""Beginning and end of a response, and the beginning of its prompt."""


class _Kind(NamedTuple):
    """One way of being alike: what of a text is compared (None where it is too short), and how that is said."""

    name: str
    of: Text
    read: Callable[[str], tuple[Words, Span] | None]
    verb: str


@verifier(layer="consistency", version="1", fit_cost=4)
def template_concentration(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0.08)) -> Verdict:
    """Score how far the share of a source that a sample's template takes up exceeds what real data show.

    A template is an opening, a closing, or a beginning in which numbers and names are masked. The score is the share
    of the source's samples that have it, less two standard errors, less the greatest share that any template has among
    the real samples of the task and domain. Where these are too few its other sources stand for them, or the source's
    own next template; what most of a source is made of passes as the form of the task.

    Options:
        flag_at: by how much the share of a template may exceed what is usual
    """
    state = ctx.state("template_concentration")
    templates = None if state is None else state.get(source_key(sample))
    if templates is None or not sample.response:
        return Verdict.abstain()
    found = {}
    for template in templates:
        kind = _KINDS[template[0]]
        # An opening says more than the same words with names masked, which come after it.
        if (kind.of, kind.verb[:5]) not in found and (match := _match(sample, template)) is not None:
            found[kind.of, kind.verb[:5]] = match
    if not found:
        return _NONE
    value = max(score for score, _ in found.values())
    return Verdict.score(value, findings=[finding for _, finding in found.values()])


_NONE = Verdict(Outcome.PASS, 0.0)
_USUAL = {
    "real": "the commonest {} of real samples: {:.0%} (reference: real)",
    "others": "the commonest {} of other sources: {:.0%} (reference: batch)",
    "own": "the next {}: {:.0%} (reference: batch)",
}


def _match(sample: Sample, template: Sequence[Any]) -> tuple[float, Finding] | None:
    """The excess and the finding where the sample has the template."""
    name, key, share, excess, limit, reference = template
    kind = _KINDS[name]
    text = sample.prompt if kind.of == "prompt" else sample.response
    read = kind.read(text)
    if read is None or list(read[0][: len(key)]) != key:
        return None
    span = read[1] if len(key) == len(read[0]) else _span_of_opening(text, len(key))
    said = " ".join(text[slice(*span)].split())
    whole = f"{share:.0%} of the {kind.of}s of {source_name(sample)} {kind.verb} {said!r}"
    message = f"{whole}; {_USUAL[reference].format(name.partition(' ')[0], limit)}"
    return excess, Finding(f"templated-{kind.of}", Severity.WARN, message, span, kind.of)


def _span_of_opening(text: str, n_words: int) -> Span:
    placed = placed_words(text[:_HEAD])
    return placed[0][1], placed[n_words - 1][2]


def _opening(text: str) -> tuple[Words, Span] | None:
    placed = placed_words(text[:_HEAD])[:_LONGEST]
    if len(placed) < _LONGEST:
        return None
    return tuple(word for word, _, _ in placed), (placed[0][1], placed[-1][2])


def _skeleton(text: str) -> tuple[Words, Span] | None:
    placed = placed_words(text[:_HEAD])[:_LONGEST]
    masked = tuple(_masked(word, text[start]) for word, start, _ in placed)
    plain = sum(word not in ("#", "A") for word in masked)
    if len(masked) < _LONGEST or plain < _PLAIN_IN_SKELETON or plain == _LONGEST:
        return None
    return masked, (placed[0][1], placed[-1][2])


def _masked(word: str, first: str) -> str:
    return "#" if first.isdigit() else "A" if first.isupper() else word


def _closing(text: str) -> tuple[Words, Span] | None:
    if len(text) < _LONG_ENOUGH:
        return None
    cut = len(text) - _TAIL
    # The first word of the tail may be the end of a longer one.
    placed = placed_words(text[cut:])[1:][-_CLOSING:]
    if len(placed) < _CLOSING:
        return None
    return tuple(word for word, _, _ in placed), (cut + placed[0][1], cut + placed[-1][2])


_KINDS = {
    one.name: one
    for one in (
        _Kind("opening", "response", _opening, "begin"),
        _Kind("closing", "response", _closing, "end in"),
        _Kind("skeleton", "response", _skeleton, "begin like"),
        _Kind("opening of prompts", "prompt", _opening, "begin"),
        _Kind("skeleton of prompts", "prompt", _skeleton, "begin like"),
    )
}


@template_concentration.fit
def _learn_templates(samples: Iterable[Sample]) -> dict[str, list[list[Any]]]:
    """The templates of each source of unreal samples that exceed the usual concentration; none is a list as well."""
    specimens: Specimens[Ends] = Specimens(_ends, most=_MOST_TEXTS, total=_MOST_TEXTS_IN_ALL)
    settings: dict[str, tuple[str, bool]] = {}
    for sample in samples:
        if sample.response:
            key = source_key(sample)
            specimens.add(key, sample)
            if key not in settings:
                setting = orjson.dumps((task_key(sample), sample.domain)).decode()
                settings[key] = (setting, sample.provenance is Provenance.HUMAN)
    by_setting: defaultdict[str, list[str]] = defaultdict(list)
    for key in sorted(settings):
        by_setting[settings[key][0]].append(key)
    state: dict[str, list[list[Any]]] = {}
    for keys in by_setting.values():
        texts = {key: specimens.of(key) for key in keys}
        real = [text for key in keys if settings[key][1] for text in texts[key]]
        judged = {key: kept for key, kept in texts.items() if len(kept) >= ENOUGH_BATCH and not settings[key][1]}
        state |= _templates(judged, real)
    return state


def _ends(sample: Sample) -> Ends:
    """Beginning and end of the response, and the beginning of the prompt."""
    response = sample.response
    tail = response if len(response) < _LONG_ENOUGH else response[-_LONG_ENOUGH:]
    return response[:_HEAD], tail, sample.prompt[:_HEAD]


def _templates(sources: dict[str, list[Ends]], real: list[Ends]) -> dict[str, list[list[Any]]]:
    """What exceeds the usual concentration in each source of one task and domain."""
    found: dict[str, list[list[Any]]] = {key: [] for key in sources}
    for kind in _KINDS.values():
        shares = {key: _shares(kind, texts) for key, texts in sources.items()}
        real_top = _top(_shares(kind, real)) if len(real) >= ENOUGH_REAL else None
        for key, texts in sources.items():
            commonest = sorted(shares[key].values(), reverse=True)[:_COMMONEST]
            if real_top is None and sum(commonest) > _FORM:
                continue
            others = [_top(other) for name, other in shares.items() if name != key]
            for template, share in sorted(shares[key].items()):
                if real_top is not None:
                    limit, reference = real_top, "real"
                elif others:
                    limit, reference = median(others), "others"
                else:
                    limit, reference = sum(commonest[1:2]) if share == commonest[0] else commonest[0], "own"
                if _excess(share, limit, len(texts)) > 0:
                    found[key] += _kept(kind, template, texts, limit, reference)
    return found


def _excess(share: float, limit: float, n: int) -> float:
    return share - 2 * math.sqrt(share * (1 - share) / n) - limit


def _top(shares: dict[Words, float]) -> float:
    return max(shares.values(), default=0.0)


def _kept(kind: _Kind, template: Words, texts: list[Ends], limit: float, reference: str) -> list[list[Any]]:
    """The template, an opening as long as it goes, if its share exceeds the limit by more than chance."""
    read = [one[0] for one in map(kind.read, _texts(kind, texts)) if one is not None]
    if kind.read is _opening:
        template = _extended(template, read)
    share = sum(one[: len(template)] == template for one in read) / len(texts)
    excess = _excess(share, limit, len(texts))
    if excess <= 0:
        return []
    return [[kind.name, list(template), round(share, 4), round(excess, 4), round(limit, 4), reference]]


def _shares(kind: _Kind, texts: list[Ends]) -> dict[Words, float]:
    """The share of the texts that each template has; openings by their first words alone."""
    length = _OPENING if kind.read is _opening else _LONGEST
    counts = Counter(read[0][:length] for read in map(kind.read, _texts(kind, texts)) if read is not None)
    return {template: count / len(texts) for template, count in counts.items()}


def _texts(kind: _Kind, texts: Iterable[Ends]) -> list[str]:
    place = 2 if kind.of == "prompt" else 1 if kind.read is _closing else 0
    return [text[place] for text in texts]


def _extended(opening: Words, openings: Sequence[Words]) -> Words:
    """The opening, longer by the words with which nearly all the texts that have it go on."""
    same = [one for one in openings if one[: len(opening)] == opening]
    least = _GO_ON_ALIKE * len(same)
    while len(opening) < _LONGEST:
        word, n = Counter(one[len(opening)] for one in same if one[: len(opening)] == opening).most_common(1)[0]
        if n < least:
            break
        opening = (*opening, word)
    return opening
