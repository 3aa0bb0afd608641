"""How surprising words are: smoothed unigram models of the texts of each task and domain, backed by all texts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from holdfast.verifiers.consistency.words import words

ENOUGH_TEXTS = 20
"""Texts of a setting from which it gets words of its own."""

_OWN_WEIGHT = 0.95
"""Weight of the task's and domain's own vocabulary; the rest is that of the whole corpus."""
_OWN_WORDS = 2_000
_ALL_WORDS = 20_000
_STATE_WORDS = 100_000


class Vocabularies:
    """In how many texts each word occurs, everywhere and by setting; a word of one text alone counts as unknown."""

    def __init__(self) -> None:
        self._texts: Counter[str] = Counter()
        self._own: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, setting: str, texts: Iterable[str]) -> None:
        """Count the words of texts of a setting."""
        own = self._own[setting]
        for text in texts:
            self._texts[setting] += 1
            own.update(set(words(text)))

    @cached_property
    def _everywhere(self) -> Counter[str]:
        everywhere: Counter[str] = Counter()
        for own in self._own.values():
            everywhere.update(own)
        return everywhere

    def held_out(self, setting: str) -> Mapping[str, float]:
        """What the words of a counted text would cost had this text not been counted."""
        return self._costs(self._own[setting].items(), self._texts[setting], left_out=1)

    def as_state(self) -> dict[str, Any]:
        """Costs in bits: of the commonest words of each setting, of those of the corpus, and of an unknown word."""
        most = max(200, min(_OWN_WORDS, _STATE_WORDS // max(1, len(self._own))))
        everywhere = [(word, 0) for word, _ in _commonest(self._everywhere, _ALL_WORDS)]
        return {
            "unknown": self._costs([("", 0)], 0)[""],
            "everywhere": self._costs(everywhere, 0),
            "words": {
                setting: self._costs(_commonest(own, most), self._texts[setting])
                for setting, own in self._own.items()
                if self._texts[setting] >= ENOUGH_TEXTS
            },
        }

    def _costs(self, counts: Collection[tuple[str, int]], n_own: int, *, left_out: int = 0) -> dict[str, float]:
        """Surprise at each word in bits, from the texts that hold it among those of its setting and of the corpus."""
        import numpy as np

        own = np.array([count for _, count in counts], dtype=float) - left_out
        everywhere = np.array([self._everywhere[word] for word, _ in counts], dtype=float) - left_out
        own_share = np.where(own > 1, own, 0) / (n_own - left_out + 1)
        share = np.maximum(everywhere, 1) / (self._texts.total() - left_out + 1)
        costs = -np.log2(_OWN_WEIGHT * own_share + (1 - _OWN_WEIGHT) * share)
        return dict(zip((word for word, _ in counts), np.round(costs, 2).tolist(), strict=True))


def _commonest(counts: Counter[str], most: int) -> list[tuple[str, int]]:
    """The words of two texts and more, the commonest first."""
    return sorted(((word, n) for word, n in counts.items() if n > 1), key=lambda one: (-one[1], one[0]))[:most]
