"""Weights from decided samples, and how much they may count beside the rule score. Pure.

Imports scikit-learn: for child processes alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.reviewer.policy.design import Design
from holdfast.reviewer.policy.rule import BASE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

FOLDS = 5
BLENDS = (0.25, 0.5, 0.75, 1.0)
"""How much of the learned score may stand in the score that orders samples, beside the rule score's rest."""

_C, _ROUNDS, _TOLERANCE = 0.2, 60, 1e-3
_SHOWN = 2.5
"""Standard errors by which a blend must order better than the rule score does, out of fold, to be used."""
_LEAST_SLOPE = 0.05


@dataclass(frozen=True, slots=True)
class Fitted:
    """A weight for each column of a design, and the base; the weight of the rule score is positive."""

    weights: Floats
    base: float

    def scores(self, design: Design, rows: Rows) -> Floats:
        """The learned log-odds of rows."""
        found: Floats = design.matrix[rows] @ self.weights + self.base
        return found


def fit(design: Design, rows: Rows, bad: Floats, weight: Floats) -> Fitted:
    """Logistic regression with an L2 penalty on the rows; `bad` and `weight` are those of all rows."""
    import numpy as np

    matrix = design.matrix[rows]
    weights, base = _solved(matrix, bad[rows], weight[rows])
    if weights[0] < _LEAST_SLOPE:
        rest, base = _solved(matrix[:, 1:], bad[rows], weight[rows])
        weights = np.concatenate([[_LEAST_SLOPE], rest])
        base -= _LEAST_SLOPE * float(design.rule[rows].mean())
    return Fitted(weights, base)


def out_of_fold(design: Design, rows: Rows, folds: Rows, bad: Floats, weight: Floats) -> Floats | None:
    """The rows' learned log-odds, each by weights from the other folds; None where a fold leaves too little to learn.

    `folds` are those of all rows, as `bad` and `weight` are.
    """
    import numpy as np

    scores = np.zeros(len(rows))
    for fold in range(FOLDS):
        held = folds[rows] == fold
        others = rows[~held]
        if not 0 < bad[others].sum() < len(others):
            return None
        if held.any():
            scores[held] = fit(design, others, bad, weight).scores(design, rows[held])
    return scores


def blend_of(rule: Floats, learned: Floats, bad: Floats, weight: Floats, blocks: Rows) -> float:
    """How much the learned score may count: of the blends that are shown to order better than the rule, the best.

    The gain is in average precision. It is shown where it exceeds _SHOWN standard errors by a jackknife over `blocks`
    of prompts; where no blend's does, nothing that was learned counts.
    """
    best, chosen = 0.0, 0.0
    for blend in BLENDS:
        gain, error = _gain(rule, (1 - blend) * rule + blend * learned, bad, weight, blocks)
        if gain > _SHOWN * error and gain > best:
            best, chosen = gain, blend
    return chosen


def average_precision(score: Floats, bad: Floats, weight: Floats) -> float:
    """Mean precision at each bad sample, from the top of the order; ties share theirs."""
    import numpy as np

    order = np.argsort(-score, kind="stable")
    hits, mass = np.cumsum((weight * bad)[order]), np.cumsum(weight[order])
    last = np.flatnonzero(np.diff(score[order], append=-np.inf))
    gained = np.diff(hits[last], prepend=0.0)
    return float(gained @ (hits[last] / mass[last]) / hits[-1]) if hits[-1] > 0 else 0.0


def places_of(prompts: list[str], count: int, seed: str) -> Rows:
    """A number below `count` for each prompt by hash: the same prompt, the same number."""
    import numpy as np

    digests = (hashlib.blake2b(f"{seed}\0{one}".encode("utf-8", "surrogatepass"), digest_size=8) for one in prompts)
    return np.array([int.from_bytes(one.digest()) % count for one in digests], np.intp)


def _gain(rule: Floats, blended: Floats, bad: Floats, weight: Floats, blocks: Rows) -> tuple[float, float]:
    """What a blend gains in average precision, and its standard error."""
    import numpy as np

    def gain(kept: Any) -> float:
        mine = bad[kept], weight[kept]
        return average_precision(blended[kept], *mine) - average_precision(rule[kept], *mine)

    present = np.unique(blocks)
    without = np.array([gain(blocks != block) for block in present])
    shrink = (len(present) - 1) / len(present)
    return gain(slice(None)), float(np.sqrt(shrink * ((without - without.mean()) ** 2).sum()))


def _solved(matrix: Any, bad: Floats, weight: Floats) -> tuple[Floats, float]:
    """Weights of the columns, and the base."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_C, max_iter=_ROUNDS, tol=_TOLERANCE)
    with warnings.catch_warnings():
        # What more rounds would change is less than what is known.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(matrix, bad, weight / weight.mean())
    return model.coef_[0].astype(float), float(model.intercept_[0])


def parts(design: Design, fitted: Fitted, blend: float) -> dict[str, Any]:
    """What an Estimator needs of a blend of rule score and learned score: plain JSON, rounded."""
    weights = (fitted.weights * blend).tolist()
    slope = weights[0]
    numbers, at = {}, 1
    for name, centre, scale, weight in zip(design.numbers, design.centres, design.scales, weights[at:], strict=False):
        numbers[name] = [centre, round(weight * scale, 5)]
    at += len(design.numbers)
    kinds = {
        name: round(weight * scale, 5)
        for name, scale, weight in zip(design.kinds, design.kind_scales, weights[at:], strict=False)
    }
    at += len(design.kinds)
    found: dict[str, Any] = {
        "rule": round(1 - blend + slope, 6),
        "base": round(blend * fitted.base - slope * BASE, 6),
        "numbers": numbers,
        "kinds": {name: weight for name, weight in kinds.items() if weight},
    }
    for part, words, factors in zip(("prompt", "response"), design.words, design.idf, strict=True):
        own = zip(words, (factors * weights[at : at + len(words)]).round(4).tolist(), strict=True)
        found[part] = {word: weight for word, weight in own if weight}
        at += len(words)
    return found
