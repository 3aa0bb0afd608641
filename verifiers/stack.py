"""An ordered set of verifiers with their options: from one sample to its verdicts, without any store."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any

import orjson

from holdfast.db.errors import UsageError
from holdfast.db.models import (
    PASS,
    Finding,
    Layer,
    Outcome,
    Provenance,
    Sample,
    SampleVerdicts,
    Severity,
    Verdict,
    VerifierSpec,
)
from holdfast.verifiers import registry
from holdfast.verifiers.base import Context, Settings, Threshold
from holdfast.verifiers.outcomes import derive, settle

MESSAGE_LIMIT = 500
"""Longest message of a finding, in characters."""

_LAYERS = list(Layer)
_PLAIN = (float, type(None))


@dataclass(frozen=True, slots=True)
class Part:
    """One verifier of a stack as plain data: what another process needs to rebuild it.

    `ref` is an installed name or FILE.py:NAME, `options` are as configured, `sha256` pins a file's content, and `root`
    is the folder in which files that options name are looked for.
    """

    ref: str
    options: Mapping[str, Any] = field(default_factory=dict)
    sha256: str | None = None
    root: Path | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One verifier of a stack, loaded, with its settings."""

    verifier: registry.AnyVerifier
    settings: Settings

    @property
    def name(self) -> str:
        """The verifier's name."""
        return self.verifier.name

    @property
    def spec(self) -> VerifierSpec:
        """The verifier as a verdict remembers it."""
        limits = {name: limit.to_json() for name, limit in self.settings.thresholds.items()}
        one, options = self.verifier, dict(self.settings.options_json)
        return VerifierSpec(one.name, one.version, one.layer, options, limits, one.reads_votes, one.heeds_others)


class Stack:
    """Verifiers in the order in which they run: by layer, then by name. Pickles as its parts, never as code."""

    def __init__(self, parts: Sequence[Part], *, where: str = "holdfast.toml") -> None:
        self.parts = tuple(parts)
        members = []
        look_again = []
        for part in self.parts:
            loaded = registry.load(part.ref, sha256=part.sha256)
            if loaded.reads_votes or loaded.heeds_others:
                look_again.append(part)
            members.append(Member(loaded, loaded.settings(part.options, where=where, root=part.root)))
        self.members = tuple(sorted(members, key=lambda one: (_LAYERS.index(one.verifier.layer), one.name)))
        self._look_again = tuple(look_again)
        names = [one.name for one in self.members]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"two verifiers are called {name!r}: rename one, or enable one of them only")
        self._steps = tuple(
            (
                one.name,
                one.verifier.function,
                dict(one.settings.options) | dict(one.settings.thresholds),
                one.settings.thresholds,
            )
            for one in self.members
        )

    def __reduce__(self) -> tuple[type[Stack], tuple[tuple[Part, ...]]]:
        return Stack, (self.parts,)

    def member(self, name: str) -> Member:
        """The verifier of this name."""
        return next(one for one in self.members if one.name == name)

    def specs(self) -> tuple[VerifierSpec, ...]:
        """The verifiers as verdicts remember them, in stack order."""
        return tuple(one.spec for one in self.members)

    @property
    def second_look(self) -> Stack:
        """The verifiers whose verdicts change with votes or other samples, as a stack of their own."""
        return Stack(self._look_again)

    def run(
        self,
        sample: Sample,
        ctx: Context,
        *,
        known: Mapping[int, Verdict] | None = None,
        entering: Callable[[int], None] | None = None,
    ) -> SampleVerdicts:
        """Judge one sample: layer by layer, and no further than the first fail unless the sample is human.

        `known` gives verdicts, by position, of checks not to be run; `entering` is told each position before it runs.
        """
        human = sample.provenance is Provenance.HUMAN
        verdicts: list[Verdict | None] = [None] * len(self._steps)
        for index, (name, function, options, thresholds) in enumerate(self._steps):
            if entering is not None:
                entering(index)
            if known is not None and index in known:
                verdict = known[index]
            else:
                verdict = _judge(name, function, options, sample, ctx)
                if verdict is not PASS:
                    verdict = _settled(verdict, name, thresholds, sample)
            verdicts[index] = verdict
            if verdict.outcome is Outcome.FAIL and not human:
                break
        return SampleVerdicts(sample.uid, tuple(verdicts))

    def freeze(self, name: str, samples: Iterable[Sample], *, previous: Any = None) -> bytes:
        """Fit the named verifier to the corpus; UsageError with the verifier's name where its fit breaks.

        `previous` is what it learned before, for a fit that starts from that.
        """
        member = self.member(name)
        try:
            return member.verifier.freeze(samples, member.settings, previous)
        except Exception as error:
            raise UsageError(f"verifier {name} could not learn from the corpus: {_text_of(error)}") from error


def thaw(frozen: Mapping[str, bytes]) -> Context:
    """The context in which samples are judged, from the frozen states by verifier name."""
    return Context({name: orjson.loads(state) for name, state in frozen.items()})


def _judge(
    name: str, function: Callable[..., Any], options: Mapping[str, Any], sample: Sample, ctx: Context
) -> Verdict:
    try:
        verdict = function(sample, ctx, **options)
    except (Exception, SystemExit) as error:
        return Verdict.error(f"{name} broke: {_text_of(error)}")
    if isinstance(verdict, Verdict):
        return verdict
    return Verdict.error(f"{name} returned {type(verdict).__name__} instead of a Verdict")


def _settled(verdict: Verdict, name: str, thresholds: Mapping[str, Threshold], sample: Sample) -> Verdict:
    """The verdict with its outcome under the thresholds, as it can be stored; an error where it is none."""
    if type(verdict.value) is float and verdict.outcome is Outcome.PASS and thresholds and isfinite(verdict.value):
        if derive(verdict.value, thresholds) is Outcome.PASS:
            return verdict if not verdict.findings else Verdict(Outcome.PASS, verdict.value)
    elif verdict.outcome is Outcome.ABSTAIN and verdict.value is None and not verdict.findings:
        return verdict
    try:
        if type(verdict.outcome) is not Outcome or type(verdict.value) not in _PLAIN:
            value = None if verdict.value is None else _number(verdict.value)
            verdict = replace(verdict, outcome=Outcome(verdict.outcome), value=value)
        verdict = settle(verdict, name, thresholds)
        if verdict.findings:
            return replace(verdict, findings=tuple(_bounded(one, sample) for one in verdict.findings))
    except Exception as error:
        return Verdict.error(f"{name} returned a verdict that cannot be stored: {_text_of(error)}")
    if verdict.outcome in (Outcome.FLAG, Outcome.FAIL):
        return Verdict.error(f"{name} returned a {verdict.outcome} without a finding that says why")
    return verdict


def _number(value: Any) -> float:
    if isinstance(value, str | bytes):
        raise TypeError(f"a score must be a number, not {type(value).__name__}")
    return float(value)


def _text_of(error: BaseException) -> str:
    try:
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    except Exception:
        text = type(error).__name__
    return _clipped(text)


def _clipped(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"


def _bounded(finding: Finding, sample: Sample) -> Finding:
    """The finding with its message clipped and a span that lies outside its text taken away."""
    span = finding.span
    if span is not None:
        start, end = map(operator.index, span)
        length = len(sample.prompt if finding.of == "prompt" else sample.response)
        span = (start, end) if 0 <= start < end <= length else None
    code, message = _clipped(finding.code), _clipped(finding.message)
    severity = Severity(finding.severity)
    return Finding(code, severity, message, span, "prompt" if finding.of == "prompt" else "response")
