"""The figures as text: medians over the batches of a set."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from math import sqrt

from triage.figures import SHARES
from triage.measured import Measured, Row, Tried
from triage.project import Verified
from triage.replay import FOLDS


def table(name: str, batches: Sequence[Verified], found: Sequence[Measured]) -> Iterator[str]:
    """The lines of one set: p_bad alone, and under it, indented, the full priority of the queue."""
    yield ""
    yield _header(name, batches)
    yield f"{'':18} recall at {'   '.join(f'{share:.0%}' for share in SHARES):>14}   AUC  Brier  log loss"
    yield f"  {'random':<26}" + _recalls(SHARES) + "   .50"
    for rows in zip(*(one.rows for one in found), strict=True):
        yield from _lines(rows)
    last = [one.rows[-1] for one in found]
    yield "  reliability at the end, mean p_bad → share bad, by fifths: " + _reliability(last)


def experiments_table(found: Sequence[tuple[str, Sequence[Tried]]]) -> Iterator[str]:
    """The lines of what must never hurt: mean recall at a tenth, and how far it lies from the cold one."""
    found = [(name, trials) for name, trials in found if trials]
    if not found:
        return
    yield ""
    yield "recall at 10 % after shuffled decisions and after 50 true ones: means; difference to cold ± standard error"
    for name, trials in found:
        cold = statistics.mean(one.cold for one in trials)
        shuffled = _against(trials, [one.shuffled for one in trials])
        few = _against(trials, [one.few for one in trials])
        yield f"  {name:<44} cold {_figure(cold, 3)}   shuffled {shuffled}   50 true ones {few}   ({len(trials)} seeds)"


def _against(trials: Sequence[Tried], after: Sequence[float]) -> str:
    differences = [value - one.cold for one, value in zip(trials, after, strict=True)]
    mean = statistics.mean(differences)
    error = statistics.stdev(differences) / sqrt(len(differences)) if len(differences) > 1 else 0.0
    verdict = "no worse" if mean >= -2 * error else "WORSE"
    return f"{_figure(statistics.mean(after), 3)} ({mean:+.3f} ± {_figure(error, 3)}, {verdict})"


def _header(name: str, batches: Sequence[Verified]) -> str:
    first = batches[0]
    share = sum(first.bad) / len(first.bad)
    flagged = statistics.median(sum(one.flagged for one in batch.rankables) for batch in batches)
    queued = statistics.median(sum(one.flagged or one.audit for one in batch.rankables) for batch in batches)
    seeds = f", medians over {len(batches)} seeds" if len(batches) > 1 else ""
    aside = f", {first.rejected} more rejected by checks" if first.rejected else ""
    return (
        f"{name}: {len(first.bad):,} samples, {share * 100:.1f} % bad{aside}; {flagged:,.0f} flagged, "
        f"{queued:,.0f} in the queue{seeds}"
    )


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    first = rows[0]
    line = f"  {first.name:<26}" + _recalls(_medians([one.recalls for one in rows])) + "  " + _median(rows, "auc", 2)
    if first.brier is not None:
        learned = statistics.median(one.learned for one in rows)
        line += (
            f"  {_median(rows, 'brier', 3)}  {_median(rows, 'log_loss', 3)}   learned in {learned:.0f} of {FOLDS} folds"
        )
    yield line
    if first.queue is not None:
        yield f"  {'    full priority':<26}" + _recalls(_medians([one.queue or () for one in rows]))


def _median(rows: Sequence[Row], name: str, digits: int) -> str:
    return _figure(statistics.median(getattr(one, name) for one in rows), digits)


def _medians(found: Sequence[Sequence[float]]) -> list[float]:
    return [statistics.median(values) for values in zip(*found, strict=True)]


def _recalls(values: Sequence[float]) -> str:
    return "  ".join(f"{_figure(value, 2):>4}" for value in values)


def _reliability(rows: Sequence[Row]) -> str:
    bins = zip(*(one.reliability for one in rows), strict=True)
    return ", ".join(
        f"{_figure(statistics.median(p for p, _ in one), 2)}→{_figure(statistics.median(rate for _, rate in one), 2)}"
        for one in bins
    )


def _figure(value: float, digits: int) -> str:
    """A number of at most one as statistics print it, without the nought before the point."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("0") if text.startswith("0.") else text
