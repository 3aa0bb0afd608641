"""Responses whose words or characters are unlike those of their task and source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from holdfast.db.models import Outcome, Provenance, Sample, Span, Verdict
from holdfast.verifiers.base import Context, Threshold, above, verifier
from holdfast.verifiers.consistency.specimens import Specimens
from holdfast.verifiers.consistency.vocabulary import Vocabularies
from holdfast.verifiers.consistency.words import placed_words, words
from holdfast.verifiers.sources import source_key, source_name, task_key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENOUGH_REAL = 50
"""Real samples of a task and domain from which its usual words are learned."""
ENOUGH_BATCH = 20
"""Samples of a source and task from which its usual words are learned."""

_EXCERPT = 300
"""Characters that are looked at from either end of a response."""
_SHOWN = 200_000
"""Characters of a very long response in which the most surprising stretch is sought."""
_MOST_TEXTS = 500
_MOST_TEXTS_IN_ALL = 8_000
_WEIGHED = 64
_SHRINK_WORDS = 20
_SHRINK_BYTES = 60
"""Usual words and bytes that are added to every response, so that a few odd ones are no outlier."""
_LEAST_BITS = 0.25
_LEAST_SHARE = 0.04
"""Spreads that are taken for granted."""
_WORTH_A_LOOK = 2.5
"""At lower scores the real samples are not asked, and there is no finding."""
_TAIL_OF_WORDS = (0.95, 1.645)
_TAIL_OF_CLASSES = (0.98, 2.054)
"""Quantiles that widen the spread, with the standard normal's: tables and code among prose are a tail, no outliers."""
_WHOLE = 0.8
_FAST_SETTINGS = 40

_CLASSES = ("capitals", "digits", "white space", "punctuation", "characters beyond ASCII")
_LOWER_CASE = len(_CLASSES)


def _class_of(code: int) -> int:
    letter = chr(code)
    if code >= 128:
        return 4
    if letter.isalpha():
        return _LOWER_CASE if letter.islower() else 0
    return 1 if letter.isdigit() else 2 if letter.isspace() else 3


_CLASS_TABLE = bytes(map(_class_of, range(256)))


class _Unlike(NamedTuple):
    """How unlike a reference a response is, and the class of characters that stands out most, None for its words."""

    z: float
    of: int | None
    reference: str
    band: Any


@verifier(layer="consistency", version="1", fit_cost=5)
def token_outlier(sample: Sample, ctx: Context, *, flag_at: Threshold = above(5.0)) -> Verdict:
    """Score how unlike a response's words and characters are those of its own source and of its task's real samples.

    The score is a robust z of the words' mean surprise in bits, or of the share of one class of characters where that
    is greater, at the beginning and the end of the text. Where its own source finds a response unusual, the smaller
    one of this z and of that among real samples of the task and domain counts.

    Options:
        flag_at: how many robust spreads the words of a text may be more surprising than usual
    """
    state = ctx.state("token_outlier")
    if not state or not sample.response:
        return Verdict.abstain()
    setting = _setting_key(sample)
    own, real = state["batch"].get(source_key(sample)), state["real"].get(setting)
    if own is None and real is None:
        return Verdict.abstain()
    costs = _costs_of(state, setting)
    text = _excerpt(sample.response)
    found = _weighed(text)
    measured = sum(map(costs.__getitem__, found)), len(found), _class_counts(text)
    unlike = _unlike("batch", own, *measured) if own is not None else None
    if real is not None and (unlike is None or unlike.z >= _WORTH_A_LOOK):
        among_real = _unlike("real", real, *measured)
        unlike = among_real if unlike is None else min(unlike, among_real, key=lambda one: one.z)
    return _verdict(sample, unlike, costs) if unlike is not None else Verdict.abstain()


def _verdict(sample: Sample, unlike: _Unlike, costs: _Costs) -> Verdict:
    value = round(unlike.z, 3)
    if value < _WORTH_A_LOOK:
        return Verdict(Outcome.PASS, value)
    whose = f"real samples {sample.task or ''}".rstrip() if unlike.reference == "real" else source_name(sample)
    if unlike.of is None:
        code, (message, span) = "unusual-words", _words_finding(sample.response[:_SHOWN], costs, unlike.band[0], whose)
    else:
        code, (message, span) = "unusual-characters", _class_finding(sample.response[:_SHOWN], unlike, whose)
    return Verdict.score(value, code=code, message=f"{message} (reference: {unlike.reference})", span=span)


def _excerpt(text: str) -> str:
    return text if len(text) <= 2 * _EXCERPT else f"{text[:_EXCERPT]} {text[-_EXCERPT:]}"


def _weighed(text: str) -> list[str]:
    """The words of a text that are weighed: all, or every second, third … of many."""
    found = words(text)
    return found if len(found) <= _WEIGHED else found[:: -(-len(found) // _WEIGHED)]


def _setting_key(sample: Sample) -> str:
    """Task and domain: the samples that share a vocabulary."""
    return orjson.dumps((task_key(sample), sample.domain)).decode()


def _class_counts(text: str) -> list[int]:
    """How many bytes of the text in UTF-8 are of each class, and how many there are in all."""
    classes = text.encode("utf-8", "surrogatepass").translate(_CLASS_TABLE)
    return [*map(classes.count, range(_LOWER_CASE)), len(classes)]


def _unlike(reference: str, band: Any, cost: float, n_words: int, counts: Sequence[int]) -> _Unlike:
    usual, (middle, spread), shares = band
    shrunk = (cost + _SHRINK_WORDS * usual) / (n_words + _SHRINK_WORDS)
    best, of = max(0.0, (shrunk - middle) / spread), None
    whole = counts[-1]
    pull = 1 / (whole + _SHRINK_BYTES)
    for index, (share, either_side) in enumerate(shares):
        z = abs(counts[index] - whole * share) * pull / either_side
        if z > best:
            best, of = z, index
    return _Unlike(best, of, reference, band)


class _Costs(dict[str, float]):
    """What each word costs, in bits; a word that the setting's own vocabulary lacks costs what it does everywhere."""

    def __init__(
        self, own: Mapping[str, float], everywhere: Mapping[str, float], unknown: float, *, fast: bool
    ) -> None:
        # Looking words up in one table is much faster than in two; it takes a megabyte or two for each setting.
        super().__init__({**everywhere, **own} if fast else own)
        self.own = own
        self._everywhere = everywhere
        self._unknown = unknown

    def __missing__(self, word: str) -> float:
        return self._everywhere.get(word, self._unknown)


_prepared: tuple[Any, dict[str, _Costs]] = (None, {})


def _costs_of(state: Any, setting: str) -> _Costs:
    """The costs of the setting's words; kept for as long as the same state is asked for."""
    global _prepared
    if _prepared[0] is not state:
        _prepared = (state, {})
    costs = _prepared[1].get(setting)
    if costs is None:
        costs = _Costs(
            state["words"].get(setting, {}),
            state["everywhere"],
            state["unknown"],
            fast=len(_prepared[1]) < _FAST_SETTINGS,
        )
        _prepared[1][setting] = costs
    return costs


def _words_finding(text: str, costs: _Costs, usual: float, whose: str) -> tuple[str, Span | None]:
    """How many words are rare, which, and the stretch where they are densest."""
    placed = placed_words(text)
    start, end = _densest([costs[word] - usual - 1 for word, _, _ in placed])
    span = (placed[start][1], placed[end - 1][2]) if end - start <= _WHOLE * len(placed) else None
    ranked = sorted({word for word, _, _ in placed[start:end]}, key=lambda word: (-costs[word], -len(word), word))
    share = sum(word not in costs.own for word, _, _ in placed) / len(placed)
    named = ", ".join(repr(word[:30]) for word in ranked[:3])
    return f"its words are unlike those of {whose}: {share:.0%} are rare there, such as {named}", span


def _class_finding(text: str, unlike: _Unlike, whose: str) -> tuple[str, Span | None]:
    """The share of a class of characters beside the usual one, and where they are densest if there are more."""
    of, looked = unlike.of or 0, _excerpt(text)
    counts = _class_counts(looked)
    share, usual = counts[of] / counts[-1], unlike.band[2][of][0]
    span: Span | None = None
    if share > usual:
        start, end = _densest([(_class_of(ord(mark)) == of) - (share + usual) / 2 for mark in text])
        span = (start, end) if end - start <= _WHOLE * len(text) else None
    where = "the text" if looked is text else "its beginning and end"
    measure = "" if looked.isascii() else ", in bytes"
    return f"{share:.0%} of {where} are {_CLASSES[of]}; typical of {whose}: {usual:.0%}{measure}", span


def _densest(weights: Sequence[float]) -> tuple[int, int]:
    """The run of weights with the greatest sum, [start, end); the first weight where none is positive."""
    best, best_run = 0.0, (0, min(1, len(weights)))
    total, start = 0.0, 0
    for at, weight in enumerate(weights):
        if total <= 0:
            total, start = 0.0, at
        total += weight
        if total > best:
            best, best_run = total, (start, at + 1)
    return best_run


@token_outlier.fit
def _learn_words(samples: Iterable[Sample]) -> dict[str, Any]:
    """Vocabularies by task and domain, and the bands of their real samples and of each source."""
    specimens: Specimens[str] = Specimens(
        lambda sample: _excerpt(sample.response), most=_MOST_TEXTS, total=_MOST_TEXTS_IN_ALL
    )
    sources: dict[str, tuple[str, bool]] = {}
    for sample in samples:
        if sample.response:
            key = source_key(sample)
            specimens.add(key, sample)
            if key not in sources:
                sources[key] = (_setting_key(sample), sample.provenance is Provenance.HUMAN)
    vocabularies = Vocabularies()
    by_setting: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for key, (setting, _) in sorted(sources.items()):
        by_setting[setting][key] = specimens.of(key)
    for setting, own in by_setting.items():
        vocabularies.add(setting, chain.from_iterable(own.values()))
    state: dict[str, Any] = {"batch": {}, "real": {}}
    for setting, own in by_setting.items():
        cost = vocabularies.held_out(setting)
        for key, texts in own.items():
            if len(texts) >= ENOUGH_BATCH:
                state["batch"][key] = _band(texts, cost)
        real = [text for key, texts in own.items() if sources[key][1] for text in texts]
        if len(real) >= ENOUGH_REAL:
            state["real"][setting] = _band(real, cost)
    return state | vocabularies.as_state()


def _band(texts: Sequence[str], cost: Mapping[str, float]) -> list[Any]:
    """What is usual: the mean cost of a word, the shrunk mean's middle and spread, and those of each class's share."""
    import numpy as np

    weighed = [_weighed(text) for text in texts]
    lengths = np.array([len(found) for found in weighed], dtype=float)
    costs = np.array([sum(map(cost.__getitem__, found)) for found in weighed])
    spoken = lengths > 0
    usual = float(np.median(costs[spoken] / lengths[spoken])) if spoken.any() else 0.0
    shrunk = (costs + _SHRINK_WORDS * usual) / (lengths + _SHRINK_WORDS)
    middle = float(np.median(shrunk))
    counts = np.array([_class_counts(text) for text in texts], dtype=float)
    whole = counts[:, -1]
    shares = []
    for column in counts.T[:-1]:
        share = float(np.median(column / whole))
        distance = np.abs(column - whole * share) / (whole + _SHRINK_BYTES)
        shares.append([round(share, 5), _spread(distance, _TAIL_OF_CLASSES, _LEAST_SHARE)])
    return [round(usual, 4), [round(middle, 4), _spread(shrunk - middle, _TAIL_OF_WORDS, _LEAST_BITS)], shares]


def _spread(distances: NDArray[np.floating[Any]], tail: tuple[float, float], least: float) -> float:
    """A robust spread that a heavy tail widens: of the median distance and the tail's quantile the greater one."""
    import numpy as np

    by_median = 1.4826 * float(np.median(distances[distances >= 0]))
    by_tail = float(np.quantile(distances, tail[0])) / tail[1]
    return round(max(by_median, by_tail, least), 5)
