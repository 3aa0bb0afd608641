"""`holdfast.toml`: a project's settings as validated models, and the commented template made from them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, to_json

from holdfast.db.errors import UsageError
from holdfast.db.models import REASONS

FILE_NAME = "holdfast.toml"


def parse_ratio(text: str) -> Fraction:
    """A ratio of zero or more from a decimal ("0.5") or a fraction ("1/2"); ValueError for anything else."""
    try:
        ratio = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f'{text!r} is not a ratio; write a decimal such as "1.0" or a fraction such as "1/2"'
        ) from None
    if ratio < 0:
        raise ValueError(f"{text!r} is below zero; a ratio is zero or more")
    return ratio


def _ratio_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError('write a decimal such as "1.0" or a fraction such as "1/2"')
    parse_ratio(str(value))
    return str(value)


Ratio = Annotated[str, BeforeValidator(_ratio_text)]
"""A ratio as text, so that it stays exact; `parse_ratio` gives the number."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ReviewConfig(_Section):
    """The review desk: claims, the random audit, and what counts as approved."""

    lease_seconds: int = Field(
        default=600, ge=10, description="How long a claim lasts without a sign of life, in seconds."
    )
    heartbeat_seconds: int = Field(
        default=30, ge=1, description="How often the open desk extends its claims, in seconds."
    )
    idle_seconds: int = Field(
        default=1200, ge=60, description="Seconds without a key after which the desk gives its claims back."
    )
    claim_ahead: int = Field(
        default=3, ge=0, le=50, description="How many samples the desk claims ahead of the one on screen."
    )
    daily_goal: int | None = Field(
        default=None,
        ge=1,
        examples=[50],
        description="Decisions a day to show as the goal; left out (the default): no goal.",
    )
    audit_share: float = Field(
        default=0.05, ge=0, le=1, description="The share of each source that people review whatever the verifiers say."
    )
    audit_min_per_source: int = Field(
        default=25, ge=0, description="The least number of samples the audit draws from a source."
    )
    gold_share: float = Field(
        default=0.04, ge=0, le=0.5, description="The share of what an annotator is given that has a known answer."
    )
    rereview_share: float = Field(
        default=0.02, ge=0, le=0.5, description="The share of a reviewer's decisions shown again, blind, after a day."
    )
    overlap_share: float = Field(
        default=0.0, ge=0, le=1, description="The share of samples that several people decide, blind to each other."
    )
    overlap_reviewers: int = Field(
        default=2, ge=2, le=10, description="How many people decide a sample of the overlap share."
    )
    auto_approve: Literal["off", "guaranteed"] = Field(
        default="off",
        description='Who approves besides people; "off": nobody; "guaranteed": unflagged samples, within proven risk.',
    )
    auto_approve_risk: float = Field(
        default=0.05, gt=0, lt=1, description="The greatest share of bad samples among those approved without a look."
    )
    auto_approve_confidence: float = Field(
        default=0.95, gt=0.5, lt=1, description="How sure it must be that the share of bad ones stays below that."
    )
    guideline: str = Field(
        default="guideline.md",
        description="The file that reviewers go by (Markdown), beside this one; shown by the key `?`.",
    )
    theme: Literal["holdfast-dark", "holdfast-light"] = Field(
        default="holdfast-dark", description="The colours of the desk: holdfast-dark or holdfast-light."
    )


class OrderingConfig(_Section):
    """What a look is worth: the queue's order."""

    cost_of_bad: float = Field(
        default=5.0,
        gt=0,
        le=1000,
        strict=False,
        description="What it costs to use a bad sample, in units of a good one lost.",
    )
    exploration: float = Field(
        default=0.1, ge=0, le=1000, strict=False, description="The bonus for a source that nobody has looked at yet."
    )


class QuotaConfig(_Section):
    """How much synthetic data the next mix may hold for each piece of real data."""

    max_ratio: Ratio = Field(
        default="1.0",
        description="Most (synthetic + unknown + edited_weight * human-edited) / human, in samples and in tokens.",
    )
    edited_weight: Ratio = Field(
        default="1.0", description="How much a human-edited sample counts against the ratio, 0 to 1."
    )

    @property
    def cap(self) -> Fraction:
        """`max_ratio` as a number."""
        return parse_ratio(self.max_ratio)

    @property
    def omega(self) -> Fraction:
        """`edited_weight` as a number."""
        return parse_ratio(self.edited_weight)

    @model_validator(mode="after")
    def _weight_at_most_one(self) -> QuotaConfig:
        if self.omega > 1:
            raise ValueError("edited_weight is above 1; an edited sample counts once at most")
        return self


class VerifiersConfig(BaseModel):
    """Which verifiers run. Their options stand in tables of their own: `[verifiers.NAME]`."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    enabled: tuple[str, ...] | None = Field(
        default=None,
        strict=False,
        examples=[["required_fields", "repetition"]],
        description="The verifiers to run, by name; left out (the default): every installed one.",
    )
    files: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description='Verifiers in files, as "checks.py:no_todo"; they run once `holdfast trust checks.py` allows it.',
    )

    @model_validator(mode="after")
    def _extras_are_tables(self) -> VerifiersConfig:
        for name, value in (self.model_extra or {}).items():
            if not isinstance(value, dict):
                near = get_close_matches(name, ("enabled", "files"), 1)
                hint = (
                    f"did you mean {near[0]}?" if near else f"options of a verifier go into a table [verifiers.{name}]"
                )
                raise ValueError(f"{name}: no such key; {hint}")
        return self

    @property
    def options(self) -> Mapping[str, Mapping[str, Any]]:
        """Verifier name → its options, as written."""
        return dict(self.model_extra or {})


# Some providers take an address for a model's name: a project could have the user's key sent there.
_MODEL_NAME = re.compile(r"[\w.@+-]+(?:[/:][\w.@+-]+){0,8}", re.ASCII)


class JudgePrice(_Section):
    """What a model costs, in US dollars for a million tokens."""

    input: float = Field(ge=0, le=100_000, strict=False, description="Price of a million prompt tokens.")
    output: float = Field(ge=0, le=100_000, strict=False, description="Price of a million answer tokens.")


class JudgesConfig(_Section):
    """Models that rate samples. Keys and addresses come from the environment alone, e.g. OPENAI_API_KEY."""

    models: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description='The judges, as litellm names them, e.g. ["openai/gpt-4o-mini"]; none (the default): no panel.',
    )
    mode: Literal["score", "pairwise", "both"] = Field(
        default="score",
        description="What is asked: score, a rating of each sample; pairwise, the better of two of a group; or both.",
    )
    rubric: str | None = Field(
        default=None,
        examples=["rubric.md"],
        description="A file beside this one (Markdown) that judges go by; left out (the default): the built-in one.",
    )
    families: dict[str, str] = Field(
        default={},
        description='Families of judges where the name does not tell, e.g. { "openai/judge-1" = "kelp" }.',
    )
    prices: dict[str, JudgePrice] = Field(
        default={},
        description="US dollars for a million tokens where litellm knows no price, e.g. "
        '{ "openai/judge-1" = { input = 0.5, output = 1.5 } }.',
    )
    budget_usd: float | None = Field(
        default=None,
        ge=0,
        strict=False,
        examples=[5.0],
        description="Most that judges of this project may ever cost; left out (the default): no limit.",
    )
    max_tokens: int = Field(
        default=2048, ge=64, le=65536, description="Most tokens of an answer, a model's thinking included."
    )
    concurrency: int = Field(default=16, ge=1, le=256, description="How many calls are under way at a time.")
    timeout_seconds: float = Field(
        default=120.0, gt=0, le=3600, strict=False, description="How long a call may take before it is tried again."
    )
    retries: int = Field(
        default=4, ge=0, le=20, description="How often a call is tried again where another try may succeed."
    )

    @model_validator(mode="after")
    def _sound_names(self) -> JudgesConfig:
        for name in (*self.models, *self.families, *self.prices):
            if _MODEL_NAME.fullmatch(name) is None:
                raise ValueError(f"{name!r} is no model name; write it as litellm does, such as 'openai/gpt-4o-mini'")
        if len(set(self.models)) < len(self.models):
            raise ValueError("models: a judge is named twice")
        for what, named in (("families", self.families), ("prices", self.prices)):
            for name in named:
                if name not in self.models:
                    near = get_close_matches(name, self.models, 1)
                    hint = f"; did you mean {near[0]!r}?" if near else ""
                    raise ValueError(f"{what}: {name!r} is none of the models{hint}")
        return self


class Config(_Section):
    """Everything that `holdfast.toml` can say; what it leaves out has the default named there."""

    review: ReviewConfig = ReviewConfig()
    ordering: OrderingConfig = OrderingConfig()
    quota: QuotaConfig = QuotaConfig()
    verifiers: VerifiersConfig = VerifiersConfig()
    judges: JudgesConfig = JudgesConfig()
    keys: dict[str, str] = Field(
        default={}, description='Keys of the desk: action = "key" or "key,key", e.g. accept = "y".'
    )
    reasons: dict[str, str] = Field(
        default={}, description='Words for reject reasons: code = "words", e.g. factual = "wrong".'
    )

    @model_validator(mode="after")
    def _known_reasons(self) -> Config:
        for code in self.reasons:
            if code not in REASONS:
                near = get_close_matches(code, REASONS, 1)
                hint = f"did you mean {near[0]}?" if near else f"the codes are {', '.join(REASONS)}"
                raise ValueError(f"reasons.{code}: no such reason code; {hint}")
        return self


def load(path: Path) -> Config:
    """Read a `holdfast.toml`; UsageError names file, key and remedy for each thing wrong with it."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    try:
        return Config.model_validate(document)
    except ValidationError as error:
        raise UsageError("\n".join(f"{path}: {_explained(detail)}" for detail in error.errors())) from None


def template() -> str:
    """A `holdfast.toml` that names every setting with its default, all commented out."""
    lines = [
        "# Settings of this Holdfast project. The values shown are the defaults: remove a line's `#` to change it."
    ]
    for name, info in Config.model_fields.items():
        section = info.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            lines += ["", f"# {(section.__doc__ or '').strip()}", f"[{name}]", *_settings(section)]
        else:
            lines += ["", f"# {info.description}", f"[{name}]"]
    return "\n".join(lines) + "\n"


def _settings(section: type[BaseModel]) -> Iterator[str]:
    for name, info in section.model_fields.items():
        yield f"# {info.description}"
        shown = info.examples[0] if info.examples else info.default
        # JSON and TOML write strings, numbers, booleans and lists of them alike.
        yield f"#{name} = {to_json(shown).decode()}"


def _explained(detail: ErrorDetails) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = _keys_beside(detail["loc"])
        near = get_close_matches(str(detail["loc"][-1]), known, 1)
        return f"{place}: no such key; " + (f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}")
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] != "value_error":
        message += f", not {detail['input']!r}"
    return f"{place}: {message}" if place else message


def _keys_beside(loc: tuple[int | str, ...]) -> list[str]:
    if len(loc) == 1:
        return list(Config.model_fields)
    if loc[:2] == ("judges", "prices"):
        return list(JudgePrice.model_fields)
    section = Config.model_fields[str(loc[0])].annotation
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []
