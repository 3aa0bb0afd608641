"""What a verifier is: one function from a sample to a verdict, its options, its thresholds and its corpus-level fit."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, ParamSpec, TypeVar, get_type_hints

import orjson
from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from holdfast.db.errors import UsageError
from holdfast.db.models import Layer, Sample, Verdict, Vote

P = ParamSpec("P")
FitFunction = TypeVar("FitFunction", bound=Callable[..., Any])
MovedFunction = TypeVar("MovedFunction", bound=Callable[[Any, Any], Iterable[str]])

THRESHOLDS = ("flag_at", "fail_at")
"""The names that a threshold parameter may have: beyond the first a score is flagged, beyond the second it fails."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit on a score; crossing it changes the outcome, never the stored score."""

    side: Literal["above", "below"]
    limit: float

    def crossed(self, value: float) -> bool:
        """Whether the value lies strictly beyond the limit."""
        return value > self.limit if self.side == "above" else value < self.limit

    def to_json(self) -> dict[str, float | str]:
        """The form that is stored, `{"above": 0.8}`; an infinite limit is spelled out since JSON has none."""
        finite = self.limit not in (float("inf"), float("-inf"))
        return {self.side: self.limit if finite else str(self.limit)}

    @classmethod
    def parse(cls, raw: Any, default: Threshold) -> Threshold:
        """Read a number (the default's side), or `{"above": x}` or `{"below": x}`; ValueError otherwise."""
        if isinstance(raw, Threshold):
            return raw
        side: Any = default.side
        if isinstance(raw, Mapping) and len(raw) == 1:
            side, raw = next(iter(raw.items()))
        if side not in ("above", "below") or isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise ValueError("expected a number, {above = number} or {below = number}")
        limit = float(raw)
        if limit != limit:
            raise ValueError("a limit must be a number")
        return cls(side, limit)


def above(limit: float) -> Threshold:
    """A threshold that scores greater than `limit` cross."""
    return Threshold("above", float(limit))


def below(limit: float) -> Threshold:
    """A threshold that scores smaller than `limit` cross."""
    return Threshold("below", float(limit))


@dataclass(frozen=True, slots=True)
class Context:
    """What a verifier may know besides the sample: frozen states of fits by verifier name, and votes by sample uid."""

    states: Mapping[str, Any] = field(default_factory=dict)
    votes_by_uid: Mapping[str, tuple[Vote, ...]] = field(default_factory=dict)

    def state(self, name: str) -> Any:
        """The state that the named verifier's fit returned (after a JSON round trip); None where nothing was fitted."""
        return self.states.get(name)

    def votes(self, sample: Sample) -> tuple[Vote, ...]:
        """The judges' votes on the sample, oldest first; for verifiers made with `votes=True`."""
        return self.votes_by_uid.get(sample.uid, ())


@dataclass(frozen=True, slots=True)
class Settings:
    """One verifier's options and thresholds, validated, every default filled in."""

    options: Mapping[str, Any]
    thresholds: Mapping[str, Threshold]
    options_json: Mapping[str, Any]


class Verifier(Generic[P]):
    """A verifier function with its name, layer, version, options and optional fit; call it like the function."""

    def __init__(
        self, function: Callable[P, Verdict], layer: Layer, version: str, *, votes: bool = False, fit_cost: float = 1
    ) -> None:
        self.function = function
        self.name: str = function.__name__
        self.layer = layer
        self.version = version
        self.reads_votes = votes
        self.fit_cost = fit_cost
        self.__doc__ = function.__doc__
        self._fit: Callable[..., Any] | None = None
        self._moved: Callable[[Any, Any], Iterable[str]] | None = None
        self._defaults = _option_defaults(function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Verdict:
        """Run the check on one sample."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<verifier {self.name} {self.version}, layer {self.layer}>"

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (self.__doc__ or "").strip().partition("\n")[0]

    @cached_property
    def option_help(self) -> Mapping[str, str]:
        """What each option means, from the docstring's part `Options:`, one indented `name: text` each."""
        _, _, part = inspect.cleandoc(self.__doc__ or "").partition("\nOptions:\n")
        found: dict[str, str] = {}
        for line in part.splitlines():
            name, colon, text = line.strip().partition(":")
            if line.startswith("    ") and line[4:5].strip() and colon and name in self._defaults:
                found[name] = text.strip()
            elif found and line.startswith("    "):
                last = next(reversed(found))
                found[last] = f"{found[last]} {line.strip()}"
        return found

    @property
    def fits(self) -> bool:
        """Whether the verifier learns from the corpus before it judges a sample."""
        return self._fit is not None

    def fit(self, function: FitFunction) -> FitFunction:
        """Register the corpus-level step, `function(samples, *, option…) -> state`, run before samples are judged.

        `samples` can be iterated more than once and is never held in memory as a whole; the state must be plain JSON
        data. Of the verifier's options the function gets those that it names; a parameter `previous` gets the state
        that was learned before with these options, None the first time.
        """
        self._fit = function
        return function

    @property
    def recalls(self) -> bool:
        """Whether the fit starts from the state that was learned before."""
        return self._fit is not None and "previous" in inspect.signature(self._fit).parameters

    def moves(self, function: MovedFunction) -> MovedFunction:
        """Register `function(before, after) -> starts of uids` of the samples whose verdicts a new state changes.

        They are looked at again, though they have a verdict of this version and these options.
        """
        self._moved = function
        return function

    def moved(self, before: bytes, after: bytes) -> list[str]:
        """The first hex digits of the uids of samples that the verifier judges otherwise after it has learned anew."""
        return [] if self._moved is None else list(self._moved(orjson.loads(before), orjson.loads(after)))

    @property
    def heeds_others(self) -> bool:
        """Whether the verdict on a sample that has one can change with other samples."""
        return self._moved is not None

    def freeze(self, samples: Iterable[Sample], settings: Settings, previous: Any = None) -> bytes:
        """Fit the corpus and return the state as canonical JSON, equal for equal corpora and previous states."""
        if self._fit is None:
            return b"null"
        named = inspect.signature(self._fit).parameters
        options = {name: value for name, value in settings.options.items() if name in named}
        if self.recalls:
            options["previous"] = previous
        return orjson.dumps(self._fit(samples, **options), option=orjson.OPT_SORT_KEYS)

    @cached_property
    def _adapters(self) -> Mapping[str, TypeAdapter[Any]]:
        hints = get_type_hints(self.function, include_extras=True)
        try:
            return {name: TypeAdapter(hints[name]) for name in self._defaults if name not in THRESHOLDS}
        except PydanticSchemaGenerationError as error:
            raise UsageError(
                f"verifier {self.name}: an option has a type that cannot be configured: {error}"
            ) from error

    def settings(self, raw: Mapping[str, Any], *, where: str = "holdfast.toml", root: Path | None = None) -> Settings:
        """Validate options as configured; UsageError names the verifier, the option and where it was written.

        Files that options name are looked for in `root`, the project's folder.
        """
        place = f"{where}: [verifiers.{self.name}]"
        for key in raw:
            if key not in self._defaults:
                raise UsageError(f"{place} {key}: verifier {self.name} has no such option{_known(key, self._defaults)}")
        options: dict[str, Any] = {}
        thresholds: dict[str, Threshold] = {}
        for name, default in self._defaults.items():
            if name in THRESHOLDS:
                thresholds[name] = _threshold(raw.get(name, default), default, f"{place} {name}")
            else:
                options[name] = self._option(name, raw[name], place, root) if name in raw else default
        as_json = {name: self._adapters[name].dump_python(value, mode="json") for name, value in options.items()}
        for name, plain in as_json.items():
            if not _is_storable(plain):
                raise UsageError(f"{place} {name} = {plain!r}: a number must be finite, and a whole one have 64 bits")
        return Settings(options, thresholds, as_json)

    def _option(self, name: str, value: Any, place: str, root: Path | None) -> Any:
        try:
            return self._adapters[name].validate_json(json.dumps(value), strict=True, context={"root": root})
        except (ValidationError, TypeError) as error:
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            reason = reason.removeprefix("Value error, ")
            raise UsageError(f"{place} {name} = {value!r}: {reason}") from error


def verifier(
    *, layer: str | Layer, version: str, votes: bool = False, fit_cost: float = 1
) -> Callable[[Callable[P, Verdict]], Verifier[P]]:
    """Make a verifier of a function `(sample, ctx, *, option: type = default) -> Verdict`.

    The options are its keyword-only parameters, set in `[verifiers.NAME]` of `holdfast.toml`. Change `version` whenever
    the function would judge a sample differently: samples judged by another version are judged again. With `votes` the
    function reads `ctx.votes(sample)`, and is run again when new votes on a sample arrive. `fit_cost` says how long its
    fit takes compared with others, so that worker processes get even shares.
    """

    def decorate(function: Callable[P, Verdict]) -> Verifier[P]:
        return Verifier(function, Layer(layer), version, votes=votes, fit_cost=fit_cost)

    return decorate


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where one of the known words is close, else the empty string."""
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _known(key: str, names: Iterable[str]) -> str:
    names = list(names)
    listed = f" (it has: {', '.join(names)})" if names else " (it has none)"
    return did_you_mean(key, names) or listed


def _is_storable(plain: Any) -> bool:
    """Whether a value comes back from JSON as it was, so that verdicts can tell it from others."""
    try:
        return bool(orjson.loads(orjson.dumps(plain)) == plain)
    except TypeError:
        return False


def _threshold(raw: Any, default: Threshold, place: str) -> Threshold:
    try:
        return Threshold.parse(raw, default)
    except ValueError as error:
        raise UsageError(f"{place} = {raw!r}: {error}") from error


def _option_defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """The keyword-only parameters and their defaults; TypeError where the signature is not that of a verifier."""
    parameters = list(inspect.signature(function).parameters.values())
    keyword_only = [one for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]
    if len(parameters) - len(keyword_only) != 2:
        raise TypeError(f"verifier {function.__name__} must take (sample, ctx, *, options…)")
    for one in keyword_only:
        if one.default is inspect.Parameter.empty or one.annotation is inspect.Parameter.empty:
            raise TypeError(f"verifier {function.__name__}: option {one.name!r} needs a type and a default")
        if isinstance(one.default, Threshold) != (one.name in THRESHOLDS):
            raise TypeError(f"verifier {function.__name__}: thresholds, and they alone, are named flag_at and fail_at")
    return {one.name: one.default for one in keyword_only}
