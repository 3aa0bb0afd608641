"""Fills a store: ingests samples, runs a stack of one verifier, decides."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.db import decisions, ingests, queue, verdicts
from holdfast.db.models import (
    Choice,
    Layer,
    Message,
    Outcome,
    Provenance,
    Sample,
    SampleVerdicts,
    Stream,
    Verdict,
    VerifierSpec,
)
from holdfast.db.packing import Recorded
from holdfast.db.revisions import Revision
from holdfast.db.states import QueueEntry
from holdfast.db.store import Store

SPECS = (VerifierSpec("length", "1", Layer.FORMAT, {"limit": 3}, {"flag_at": {"above": 2.5}}),)
VERDICTS = {
    Outcome.PASS: Verdict.score(1.5),
    Outcome.FLAG: Verdict.flag("odd", "looks odd", span=(0, 1)),
    Outcome.FAIL: Verdict.fail("bad", "is bad"),
    Outcome.ERROR: Verdict.error("broke"),
}


def make_sample(number: int, **fields: object) -> Sample:
    """A synthetic sample; its number makes it different from others."""
    messages = (
        Message(role="user", content=f"question {number}"),
        Message(role="assistant", content=f"answer {number}"),
    )
    return Sample.model_validate({"messages": messages, "provenance": "synthetic", "model": "model-a", **fields})


def ingest(
    store: Store, samples: Sequence[Sample], *, batch: str = "b", signature: str = "s", first: int = 0
) -> ingests.IngestCounts:
    """Ingest samples under the external ids 0, 1, 2 …, or from another `first` one on."""
    opened = ingests.Ingest.begin(store, batch=batch, signature=signature, actor="lead-1")
    named = enumerate(samples, first)
    opened.add([ingests.prepare(sample, batch=batch, external_id=str(number)) for number, sample in named])
    return opened.close()


def judge(
    store: Store, outcomes: dict[int, Outcome], *, audit: Sequence[int] = (), newest_vote: int | None = None
) -> None:
    """Record a verdict for samples by row id, as one completed run that read votes up to `newest_vote`."""
    run = verdicts.begin_run(store, specs=SPECS, actor="lead-1")
    recorded = []
    for sample_id, outcome in outcomes.items():
        stored_uid = store.read().execute("SELECT uid FROM samples WHERE id = ?", (sample_id,)).fetchone()[0]
        entry = QueueEntry(Stream.FLAGGED, 1.0 / sample_id, 0.5, (("verdict", 1.0 / sample_id),), ("odd",))
        found = SampleVerdicts(stored_uid, (VERDICTS[outcome],))
        recorded.append(Recorded.of(sample_id, found, sample_id in audit, entry, newest_vote))
    verdicts.record(store, run, recorded)
    verdicts.complete_run(store, run, actor="lead-1")


def revise(store: Store, sample_id: int, text: str) -> Revision:
    """An edit of a sample's response."""
    uid, model = store.read().execute("SELECT uid, model FROM samples WHERE id = ?", (sample_id,)).fetchone()
    messages = (Message(role="user", content="question"), Message(role="assistant", content=text))
    sample = Sample(messages=messages, provenance=Provenance.HUMAN_EDITED, model=model, parents=(uid,))
    return Revision(sample, 0.25, SPECS, SampleVerdicts(sample.uid, (Verdict.score(1.0),)))


def decide(
    store: Store,
    sample_id: int,
    choice: str,
    *,
    reviewer: str = "annotator-1",
    revision: Revision | None = None,
) -> decisions.Receipt:
    """Claim a sample for a reviewer and decide it."""
    claim = queue.claim_sample(store, sample_id, reviewer=reviewer)
    return decisions.decide(
        store,
        decisions.Submission(sample_id, reviewer, Choice(choice), token=claim.token, revision=revision),
    )


def flagged_store(store: Store, count: int = 5) -> Store:
    """Ingest samples into batch `b` and flag them all; they are handed out in the order of their ids."""
    ingest(store, [make_sample(number) for number in range(count)])
    judge(store, dict.fromkeys(range(1, count + 1), Outcome.FLAG))
    return store
