"""Handing out the approved samples: the file and its manifest appear whole or not at all."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import rfc8785

from holdfast.db import events
from holdfast.db.approvals import approved_by
from holdfast.db.events import Head
from holdfast.db.exports import record_export
from holdfast.db.history import deciding
from holdfast.db.merkle import merkle_root
from holdfast.db.models import Provenance, Status
from holdfast.db.samples import Stored, each, tallies
from holdfast.db.store import Store
from holdfast.reviewer.config import QuotaConfig
from holdfast.reviewer.exchange.files import Pending
from holdfast.reviewer.exchange.write_jsonl import line
from holdfast.reviewer.pipeline.quota import number
from holdfast.reviewer.policy.quota import NOTHING, Ratio, Units, ratio, weight

Progress = Callable[[int, int], None]
"""Told how many samples are written, and of how many."""

_PAGE_ROWS = 500


@dataclass
class Written:
    """What went into a file so far."""

    uids: list[bytes] = field(default_factory=list)
    samples: Counter[Provenance] = field(default_factory=Counter)
    tokens: Counter[Provenance] = field(default_factory=Counter)
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, stored: Stored, data: bytes) -> None:
        """Count a sample and the bytes that it became."""
        self.uids.append(bytes.fromhex(stored.uid))
        self.samples[stored.sample.provenance] += 1
        self.tokens[stored.sample.provenance] += stored.tokens
        self.size += len(data)
        self.digest.update(data)

    def units(self, provenance: Provenance) -> Units:
        """How much of a provenance is in it."""
        return Units(Fraction(self.samples[provenance]), Fraction(self.tokens[provenance]))


def export_approved(
    store: Store, out: Path, *, policy: QuotaConfig, actor: str, force: bool = False, progress: Progress | None = None
) -> dict[str, Any]:
    """Write every approved sample to `out` as JSON lines, and `out`.manifest.json beside it; returns the manifest.

    Refused where one of them exists (unless `force`). The cap binds mixes alone: here `over_cap` says how it stands.
    """
    pending = Pending(force=force)
    manifest_path = out.with_name(f"{out.name}.manifest.json")
    pending.refuse_existing(out, manifest_path)
    try:
        with store.snapshot(), pending.open(out) as file:
            written = _write(store, file, progress)
            head = events.head(store)
        manifest = _manifest(written, head, policy, out.name)
        with pending.open(manifest_path) as file:
            file.write(rfc8785.dumps(manifest) + b"\n")
        record_export(
            store,
            actor=actor,
            path=str(out.absolute()),
            head=head,
            root=manifest["root"],
            counts=manifest["counts"],
            format=manifest["format"],
        )
        pending.publish()
    finally:
        pending.discard()
    return manifest


def _write(store: Store, file: BinaryIO, progress: Progress | None) -> Written:
    written = Written()
    total = sum(tally.samples for tally in tallies(store) if tally.status is Status.APPROVED)
    for page in _pages(each(store, status=Status.APPROVED)):
        decisions = deciding(store, [stored.id for stored in page])
        guarantees = approved_by(store, [stored.id for stored in page])
        for stored in page:
            data = line(stored, decisions.get(stored.id), guarantees.get(stored.id))
            file.write(data)
            written.add(stored, data)
        if progress is not None:
            progress(len(written.uids), total)
    return written


def _pages(samples: Iterator[Stored]) -> Iterator[list[Stored]]:
    while page := list(islice(samples, _PAGE_ROWS)):
        yield page


def _manifest(written: Written, head: Head, policy: QuotaConfig, name: str) -> dict[str, Any]:
    derived = NOTHING
    for provenance in Provenance:
        derived += written.units(provenance) * weight(provenance, policy.omega)
    found = ratio(derived, written.units(Provenance.HUMAN))
    over = found.over(policy.cap)
    written.uids.sort()
    return {
        "mix": None,
        "file": name,
        "format": "jsonl",
        "bytes": written.size,
        "sha256": written.digest.hexdigest(),
        "policy": {"max_ratio": policy.max_ratio, "edited_weight": policy.edited_weight},
        "log_head": {"size": head.size, "root": head.root},
        "samples": len(written.uids),
        "counts": {provenance.value: written.samples[provenance] for provenance in Provenance},
        "tokens": {provenance.value: written.tokens[provenance] for provenance in Provenance},
        "ratio": number(found.samples),
        "ratio_tokens": number(found.tokens),
        "over_cap": over,
        "root": merkle_root(written.uids),
        "warnings": [_over_cap(found, policy)] if over else [],
    }


def _over_cap(found: Ratio, policy: QuotaConfig) -> str:
    if found.samples is None or found.tokens is None:
        return f"over the cap of {policy.max_ratio}: no human sample is in it"
    by = f"{float(found.samples):.3f} by samples, {float(found.tokens):.3f} by tokens"
    return f"over the cap of {policy.max_ratio}: derived to human data stand at {by}"
