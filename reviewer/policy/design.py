"""Decided samples as one sparse matrix: what is known of each, from which weights are fitted. Pure.

Imports scikit-learn: for child processes alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.db.ranking import Rankable
from holdfast.reviewer.policy import features
from holdfast.reviewer.policy.rule import Rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST = 3
"""Samples that must share a kind, and have a number, for it to be learned; words are in as many."""

_MOST_KINDS, _MOST_WORDS = 5_000, 20_000
_LEAST_SPREAD, _SAME = 0.05, 0.95
_WORDS_SCALE, _NUMBERS_SCALE, _KINDS_SCALE = 2.0, 0.5, 1.5
_KIND_SCALES = {"source": 3.0, "domain": 3.0, "task": 3.0, "template": 0.5, "label": 1.0}
"""How freely what is learned of words, numbers and kinds may differ from 0; of kinds by their term's last word."""


@dataclass(frozen=True, slots=True)
class Design:
    """One row a sample. The columns are the rule score, numbers, kinds, and the prompt's and the response's words.

    `centres` and `scales` are those of the numbers: a cell is (value - centre) * scale, 0 where it was not measured.
    Kinds have
    their scale as cell. `idf` are the factors of the words, which a row divides by the root of how many a text has.
    """

    matrix: Any
    rule: NDArray[np.float64]
    numbers: tuple[str, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]
    kinds: tuple[str, ...]
    kind_scales: tuple[float, ...]
    words: tuple[tuple[str, ...], tuple[str, ...]]
    idf: tuple[NDArray[np.float64], NDArray[np.float64]]


def design_of(samples: Sequence[Rankable], rule: Rule) -> Design:
    """The matrix of samples, the same for the same samples in the same order."""
    import numpy as np
    from scipy.sparse import csr_matrix, hstack

    scores = np.array([sum(value for _, value in rule.terms(one)) for one in samples])
    numbers, centres, scales, measured = _numbers([dict(features.numbers(one, rule)) for one in samples])
    kinds, kind_scales, kept = _kinds([list(features.kinds(one)) for one in samples])
    prompt_words, prompt_idf, prompts = _words([one.prompt for one in samples])
    response_words, response_idf, responses = _words([one.response for one in samples])
    blocks = [csr_matrix(scores[:, None]), measured, kept, prompts, responses]
    return Design(
        hstack(blocks, format="csr"), scores, numbers, centres, scales, kinds, kind_scales,
        (prompt_words, response_words), (prompt_idf, response_idf),
    )  # fmt: skip


def _numbers(measured: list[dict[str, float]]) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...], Any]:
    """Names, centres and scales of the numbers, and the block of their cells."""
    import numpy as np
    from scipy.sparse import csr_matrix

    values: dict[str, Counter[float]] = {}
    for one in measured:
        for name, value in one.items():
            values.setdefault(name, Counter())[value] += 1
    names = tuple(sorted(name for name, found in values.items() if _varies(found)))
    cells = np.full((len(measured), len(names)), np.nan)
    for row, one in enumerate(measured):
        for column, name in enumerate(names):
            if name in one:
                cells[row, column] = one[name]
    centres: NDArray[np.float64] = np.asarray(np.nanmean(cells, 0)).round(5) if names else np.zeros(0)
    spreads = np.nanstd(cells, 0) if names else np.zeros(0)
    scales: NDArray[np.float64] = np.round(_NUMBERS_SCALE / np.maximum(spreads, _LEAST_SPREAD), 5)
    block = csr_matrix(np.nan_to_num((cells - centres) * scales))
    return names, tuple(map(float, centres)), tuple(map(float, scales)), block


def _varies(found: Counter[float]) -> bool:
    """Whether a number is measured often enough, and is not nearly always the same."""
    measured = found.total()
    return measured >= FEWEST and found.most_common(1)[0][1] <= _SAME * measured


def _kinds(of_each: list[list[str]]) -> tuple[tuple[str, ...], tuple[float, ...], Any]:
    """The kinds that enough samples are of, the commonest, their scales, and the block that holds these."""
    counts = Counter(name for names in of_each for name in set(names))
    common = sorted((-count, name) for name, count in counts.items() if FEWEST <= count < len(of_each))
    kept = tuple(sorted(name for _, name in common[:_MOST_KINDS]))
    places = {name: place for place, name in enumerate(kept)}
    rows = [[places[name] for name in sorted(set(names)) if name in places] for names in of_each]
    scales = tuple(_KIND_SCALES.get(features.term_of(name).rpartition(" ")[2], _KINDS_SCALE) for name in kept)
    return kept, scales, _sparse(rows, [[scales[place] for place in row] for row in rows], len(kept))


def _words(texts: list[str]) -> tuple[tuple[str, ...], Any, Any]:
    """The words that enough texts hold, their factors, and the block of TF-IDF, in which a word counts once a text."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    sizes: list[int] = []

    def read(text: str) -> list[str]:
        found = features.words_of(text)
        sizes.append(max(len(found), 1))
        return sorted(word for word in found if len(word) <= features.LONGEST_WORD)

    try:
        vectorizer = TfidfVectorizer(
            analyzer=read, binary=True, norm=None, min_df=FEWEST, max_features=_MOST_WORDS, dtype=np.float64
        )
        block = vectorizer.fit_transform(texts)
    except ValueError:  # no word is in enough texts
        return (), np.zeros(0), _sparse([[] for _ in texts], [[] for _ in texts], 0)
    mean = float(np.mean(vectorizer.idf_))
    factors = np.round(_WORDS_SCALE * vectorizer.idf_ / mean, 5)
    block.data[:] = factors[block.indices]
    block.data /= np.sqrt(np.repeat(sizes, np.diff(block.indptr)))
    return tuple(vectorizer.get_feature_names_out().tolist()), factors, block


def _sparse(rows: list[list[int]], values: list[list[float]], columns: int) -> Any:
    import numpy as np
    from scipy.sparse import csr_matrix

    starts = np.cumsum([0, *map(len, rows)])
    indices = np.array([place for row in rows for place in row], np.int32)
    data = np.array([value for row in values for value in row], np.float64)
    return csr_matrix((data, indices, starts), shape=(len(rows), columns))
