"""A desk without a store, for tests and pictures of the screens."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from holdfast.db.errors import HoldfastError, Refused
from holdfast.db.models import REASONS, Choice, Message, Provenance, Severity, Span, Status
from holdfast.reviewer.pipeline.desk import (
    Answer,
    ClaimedItem,
    Draft,
    DraftKind,
    EditPreview,
    Event,
    Guideline,
    Hit,
    LineageStep,
    MyDecision,
    Progress,
    QuotaStand,
    Reason,
    Receipt,
    Redone,
    ShownFinding,
    ShownVote,
    Term,
    Undone,
    Votes,
)

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LEASE = timedelta(minutes=10)

PROMPT = "Explain TCP slow start to a beginner."
RESPONSE = (
    "Slow start begins with a small congestion window. For each acknowledgement the sender adds one segment, "
    "so the window doubles RTT after RTT until a loss occurs or the threshold is reached.\n\n"
    "After a loss the sender never reduces the window; it keeps sending at the same speed.\n\n"
    "In short: probe gently, grow fast, back off when the network says so."
)


def finding(text: str, severity: Severity, verifier: str, message: str, *, inside: str = RESPONSE) -> ShownFinding:
    """A finding about a stretch of a text."""
    start = inside.index(text)
    span: Span = (start, start + len(text))
    return ShownFinding(verifier, "2", "consistency", verifier.replace("_", "-"), severity, message, span)


def make_item(number: int = 1, *, prompt: str = PROMPT, response: str = RESPONSE, **fields: object) -> ClaimedItem:
    """The nth sample of the fake queue; any field can be given by name."""
    uid = f"{number:06x}" + "c0ffee" * 9 + "0000"
    defaults: dict[str, object] = {
        "sample_id": number,
        "token": f"token-{number}",
        "expires_at": START + LEASE,
        "uid": uid,
        "batch": "networks",
        "external_id": f"q-{number}",
        "status": Status.FLAGGED,
        "messages": (Message(role="user", content=prompt), Message(role="assistant", content=response)),
        "prompt": prompt,
        "response": response,
        "provenance": Provenance.SYNTHETIC,
        "model": "model-b",
        "family": "family-b",
        "generation": 2,
        "tokens": 61,
        "lineage": "s-77 (human) → model-a gen 1 → this",
        "lineage_steps": (
            LineageStep("77aa01" + "0" * 58, "human, batch seeds"),
            LineageStep(uid, "synthetic, model-b gen 2", here=True),
        ),
        "priority": 0.71,
        "p_bad": 0.62,
        "why": (Term("blocking finding", 0.41), Term("length unusual for its source", 0.22), Term("rare domain", 0.08)),
        "history_count": 2,
        "quota_weight": 1.0,
        "guideline_version": "7d1f",
    }
    return ClaimedItem(**{**defaults, **fields})  # type: ignore[arg-type]


def full_item(number: int = 1) -> ClaimedItem:
    """A sample with something true in every pane."""
    findings = (
        finding(
            "the sender never reduces the window", Severity.WARN, "contradiction", "says the opposite of its summary"
        ),
        finding("doubles RTT after RTT", Severity.WARN, "repetition", "“RTT” twice in three words"),
        ShownFinding("length_outlier", "1", "consistency", "short", Severity.INFO, "shorter than 97 % of its source"),
    )
    rows = (ShownVote("judge-1", "keep 7/10"), ShownVote("judge-2", "drop 3/10"))
    votes = Votes(count=3, tally="2 keep · 1 drop", entropy=0.92, rows=rows)
    return make_item(number, findings=findings, votes=votes, reference=None)


class FakeDesk:
    """Holds a queue in memory; `fail` maps a method's name to errors that its next calls raise."""

    def __init__(self, items: Collection[ClaimedItem] = (), *, now: Callable[[], datetime] = lambda: START) -> None:
        self.queue = deque(items)
        self.total = len(items)
        self.now = now
        self.project = "networks"
        self.reviewer = "annotator-2"
        self.decided: list[tuple[ClaimedItem, Answer]] = []
        self.undone: list[tuple[ClaimedItem, Answer]] = []
        self.released: set[str] = set()
        self.beats: list[frozenset[str]] = []
        self.lost: set[str] = set()
        self.drafts: dict[tuple[str, DraftKind], Draft] = {}
        self.fail: dict[str, list[HoldfastError]] = {}
        self.hold = threading.Event()
        self.hold.set()
        self.deciding = threading.Event()
        self.closed = 0
        self.next_steps: tuple[str, ...] = ("Hand out the 12 approved samples:", "holdfast export OUT.jsonl --approved")
        self.preview: Callable[[ClaimedItem, tuple[Message, ...]], EditPreview] | None = None
        self.wheres: list[str] = []
        self.text = "# How to review\n\n- Accept what you would be glad to see a model learn from."
        self._lock = threading.Lock()

    def _check(self, method: str) -> None:
        if self.fail.get(method):
            raise self.fail[method].pop(0)

    def claim(self, *, held: Collection[str] = (), where: str = "", uid: str | None = None) -> ClaimedItem | None:
        self._check("claim")
        with self._lock:
            self.wheres.append(where)
            for item in self.queue:
                matches = item.uid == uid if uid else item.uid not in held and where in item.response
                if matches:
                    self.queue.remove(item)
                    return item
        if uid:
            raise Refused("another reviewer holds this sample")
        return None

    def heartbeat(self, tokens: Collection[str]) -> Mapping[str, datetime]:
        self._check("heartbeat")
        self.beats.append(frozenset(tokens))
        return {token: self.now() + LEASE for token in tokens if token not in self.lost}

    def release(self, tokens: Collection[str]) -> None:
        self._check("release")
        self.released |= set(tokens)

    def decide(self, item: ClaimedItem, answer: Answer) -> Receipt:
        self.deciding.set()
        self.hold.wait(30)
        self._check("decide")
        with self._lock:
            self.decided.append((item, answer))
            self.undone.clear()
        late = item.token in self.lost
        return Receipt(len(self.decided), item.uid, answer.choice, Status.APPROVED, late=late, second_opinion=late)

    def undo(self) -> Undone | None:
        self._check("undo")
        if not self.decided:
            return None
        item, answer = self.decided.pop()
        self.undone.append((item, answer))
        return Undone(9, item.uid, answer.choice, replace(item, token=f"{item.token}-again"))

    def redo(self) -> Redone | None:
        self._check("redo")
        if not self.undone:
            return None
        item, answer = self.undone.pop()
        self.decided.append((item, answer))
        return Redone(10, item.uid, answer.choice)

    def preview_edit(self, item: ClaimedItem, messages: tuple[Message, ...]) -> EditPreview:
        self._check("preview_edit")
        if self.preview is not None:
            return self.preview(item, messages)
        return EditPreview((), 0.03, Provenance.HUMAN_EDITED)

    def save_draft(self, item: ClaimedItem, draft: Draft) -> None:
        self._check("save_draft")
        self.drafts[(item.uid, draft.kind)] = draft

    def drop_draft(self, item: ClaimedItem, kind: DraftKind) -> None:
        self.drafts.pop((item.uid, kind), None)

    def progress(self, *, where: str = "") -> Progress:
        self._check("progress")
        steps = () if self.queue else self.next_steps
        left = self.total - len(self.decided)
        stand = QuotaStand(195.5, 500, 1.0)
        return Progress(left, 37 + len(self.decided), goal=50, per_minute=6.1, quota=stand, next_steps=steps)

    def history(self, uid: str) -> tuple[Event, ...]:
        self._check("history")
        return (
            Event(1, START - timedelta(days=1), "engineer-1", "ingested", "batch networks, file answers.jsonl line 7"),
            Event(2, START - timedelta(hours=1), "engineer-1", "verified", "flagged by contradiction"),
        )

    def my_decisions(self, limit: int) -> tuple[MyDecision, ...]:
        made = enumerate(self.decided, 1)
        return tuple(
            MyDecision(
                n, START, item.uid, f"{item.batch}/{item.external_id}", answer.choice, answer.reason, answer.note
            )
            for n, (item, answer) in made
        )[::-1]

    def search(self, where: str, limit: int) -> tuple[Hit, ...]:
        self._check("search")
        found = [item for item in self.queue if where in item.response]
        return tuple(
            Hit(item.uid, f"{item.batch}/{item.external_id}", item.status, item.response[:80], len(item.findings))
            for item in found[:limit]
        )

    def reasons(self) -> tuple[Reason, ...]:
        return tuple(Reason(code, {"factual": "factually wrong"}.get(code, code)) for code in REASONS)

    def guideline(self) -> Guideline:
        return Guideline("7d1f", self.text)

    def close(self) -> None:
        self._check("close")
        self.closed += 1


def choices(desk: FakeDesk) -> list[Choice]:
    """What was decided, in order."""
    return [answer.choice for _, answer in desk.decided]
