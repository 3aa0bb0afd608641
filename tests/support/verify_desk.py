"""A project with one file of checks, and `verify` on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from filling import ingest, make_sample

from holdfast.db import queue
from holdfast.db.check import check
from holdfast.db.samples import Stored, each
from holdfast.db.store import Store
from holdfast.db.verdicts import current
from holdfast.reviewer import trust
from holdfast.reviewer.pipeline.verify import verify
from holdfast.reviewer.pipeline.verifying import VerifyReport
from holdfast.reviewer.project import Project

CHECKS = """
import os, signal, time
from pathlib import Path
from holdfast.verifiers import PASS, Context, Sample, Threshold, Verdict, above, verifier

LOG = Path(__file__).with_name("log")

def note(sample):
    with LOG.open("a") as out:
        out.write(sample.response + "\\n")

@verifier(layer="format", version="1")
def counted(sample: Sample, ctx: Context, *, bad: int = -1, flag_at: Threshold = above(1e9),
            fail_at: Threshold = above(1e9)) -> Verdict:
    note(sample)
    number = int(sample.response.split()[-1])
    return Verdict.flag("bad", "is bad") if number == bad else Verdict.score(number, code="high", message="is high")

@verifier(layer="oracle", version="1")
def late(sample: Sample, ctx: Context) -> Verdict:
    note(sample)
    return PASS

@verifier(layer="format", version="1")
def kills(sample: Sample, ctx: Context) -> Verdict:
    if sample.response == "answer 3":
        os.kill(os.getpid(), signal.SIGSEGV)
    if sample.response == "answer 5":
        os._exit(7)
    print("said on stdout")
    return PASS

@verifier(layer="consistency", version="1")
def slow(sample: Sample, ctx: Context) -> Verdict:
    note(sample)
    time.sleep(0.006)
    return Verdict.flag("even", "is even") if int(sample.response.split()[-1]) % 2 == 0 else PASS

@verifier(layer="format", version="1")
def waits(sample: Sample, ctx: Context) -> Verdict:
    gate = Path(__file__).with_name("gate")
    if sample.response == "answer 0":
        gate.read_bytes()
    if sample.response == "answer 7":
        gate.write_bytes(b"go on")
    return PASS

@verifier(layer="consistency", version="1")
def corpus(sample: Sample, ctx: Context) -> Verdict:
    return Verdict.score(ctx.state("corpus"))

@corpus.fit
def _count(samples):
    first = sum(1 for _ in samples)
    assert sum(1 for _ in samples) == first
    return first
"""


class Desk:
    """A project with one file of checks, and `verify` on it."""

    def __init__(self, root: Path) -> None:
        self.project = Project.init(root, shared=False, user="lead-1")
        self.checks = root / "checks.py"
        self.checks.write_text(CHECKS)
        trust.trust(self.checks)
        self.configure("enabled = []\nfiles = ['checks.py:counted']")

    def configure(self, verifiers: str, review: str = "audit_share = 0.0") -> None:
        """Write the settings; the project is read anew."""
        text = f"[review]\n{review}\n[verifiers]\n{verifiers}\n"
        (self.project.root / "holdfast.toml").write_text(text)
        self.project = Project(self.project.root)

    def verify(self, *verifiers: str, **options: Any) -> VerifyReport:
        """Verify as the lead."""
        with self.project.store() as store:
            return verify(self.project, store, actor="lead-1", verifiers=verifiers, **options)

    def ran(self) -> list[str]:
        """The responses on which a check ran since the last call."""
        log = self.project.root / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return sorted(lines)

    def outcomes(self) -> dict[str, tuple[Any, ...]]:
        """By response: status, audit, and each verifier's outcome, score and finding codes."""
        with self.project.store() as store:
            return {stored.sample.response: _said(store, stored) for stored in each(store)}

    def is_sound(self) -> bool:
        """Whether the store has no integrity problem."""
        with self.project.store() as store:
            return list(check(store)) == []


def _said(store: Store, stored: Stored) -> tuple[Any, ...]:
    found = current(store, stored.id)
    verdicts = tuple(
        (one.spec.name, one.verdict.outcome.value, one.verdict.value, tuple(each.code for each in one.verdict.findings))
        for one in found
    )
    return stored.status.value, stored.audit, verdicts


def fill(desk: Desk, numbers: range, **fields: object) -> None:
    """Ingest samples by number, as a batch of their own."""
    samples = [make_sample(number, **fields) for number in numbers]
    with desk.project.store() as store:
        ingest(store, samples, batch=f"b{numbers.start}", signature=f"s{numbers.start}")


def order(desk: Desk) -> list[int]:
    """The row ids that wait, in the order of the queue."""
    with desk.project.store() as store:
        return [row.sample_id for row in queue.listing(store, limit=1000)]
