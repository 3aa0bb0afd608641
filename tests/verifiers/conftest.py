"""Samples, and a way to run one verifier as a stack does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest

from holdfast.db.models import Message, Sample, Verdict
from holdfast.verifiers import Context, Verifier
from holdfast.verifiers.outcomes import settle

Check = Callable[..., Verdict]


@pytest.fixture
def check() -> Check:
    """Run a verifier on a sample, after its fit to a corpus where one is given, as a stack would."""

    def run(verifier: Verifier[...], sample: Sample, corpus: Sequence[Sample] | None = None, **options: Any) -> Verdict:
        settings = verifier.settings(options)
        states = {}
        if corpus is not None:
            states[verifier.name] = orjson.loads(verifier.freeze(corpus, settings))
        verdict = verifier.function(sample, Context(states), **settings.options, **settings.thresholds)
        return settle(verdict, verifier.name, settings.thresholds)

    return run


@pytest.fixture
def turns() -> Callable[..., Sample]:
    """A synthetic sample of turns given as (role, content) pairs or Messages."""

    def make(*messages: tuple[str, str] | Message, **fields: Any) -> Sample:
        made = [one if isinstance(one, Message) else Message(role=one[0], content=one[1]) for one in messages]  # type: ignore[arg-type]
        return Sample.model_validate({"messages": made, "provenance": "synthetic", "model": "model-a", **fields})

    return make
