"""Where a sample belongs for what is learned from the corpus: its task and its source within it."""

from __future__ import annotations

from functools import lru_cache

import orjson

from holdfast.db.models import Provenance, Sample


def task_key(sample: Sample) -> str:
    """The sample's task as a key of a fitted state; the empty string where it has none."""
    return sample.task or ""


def source_key(sample: Sample) -> str:
    """The sample's source (provenance, model, family, generation, domain) and task as a key of a fitted state."""
    return _key(sample.provenance, sample.model, sample.family, sample.generation, sample.domain, sample.task)


@lru_cache(maxsize=1024)
def _key(*parts: str | int | None) -> str:
    return orjson.dumps(parts).decode()


def source_name(sample: Sample) -> str:
    """The source in words for a finding's message."""
    who = "human samples" if sample.provenance is Provenance.HUMAN else sample.model or f"{sample.provenance} samples"
    return f"{who} in {sample.domain}" if sample.domain else who
