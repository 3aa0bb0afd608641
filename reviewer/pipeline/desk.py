"""What the triage screen asks of the review pipeline, and the values it gets back: implemented by `pipeline.review`.

Every method blocks and is called from worker threads only, several at a time. All texts are the original ones: the
screen sanitises them. What a user can do something about is raised as a `HoldfastError`: `StoreBusy` (the screen
tries again), `StoreFull` and `StoreReadOnly` (it says so and keeps the answer), `Refused`, `NotPermitted`, `NotFound`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from holdfast.db.models import Choice, Message, Provenance, Severity, Span, Status

DraftKind = Literal["edit", "note"]
View = Literal["plain", "rendered", "raw"]


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with the verifier that made it; the span counts code points of the `of` text."""

    verifier: str
    version: str
    layer: str
    code: str
    severity: Severity
    message: str
    span: Span | None = None
    of: Literal["response", "prompt"] = "response"


@dataclass(frozen=True, slots=True)
class ShownVote:
    """One judge's recorded opinion."""

    judge: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Votes:
    """The votes on a sample, `tally` in one line; `hidden`, and nothing else said, until an annotator has answered."""

    hidden: bool = False
    count: int = 0
    tally: str = ""
    entropy: float | None = None
    rows: tuple[ShownVote, ...] = ()


@dataclass(frozen=True, slots=True)
class LineageStep:
    """One sample of the ancestry or descent, in order from the oldest; `here` marks the item itself."""

    uid: str
    label: str
    here: bool = False


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A near-duplicate of the item: its similarity in [0, 1] and its response; `status` may read `hidden`."""

    uid: str
    label: str
    provenance: Provenance
    status: str
    similarity: float
    response: str


@dataclass(frozen=True, slots=True)
class Term:
    """A part of the priority, in plain words; the values add up to it. Never names the stream."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class QuotaStand:
    """What the quota rests on: approved derived samples by weight, human samples, and the cap on their ratio."""

    used: float
    real: int
    cap: float

    def accepting(self, weight: float) -> QuotaEffect:
        """The effect of approving one more sample of a weight; ratios are infinite without human data."""
        before, after = (
            used / self.real if self.real else (float("inf") if used else 0.0)
            for used in (self.used, self.used + weight)
        )
        return QuotaEffect(before, after, self.cap)


@dataclass(frozen=True, slots=True)
class QuotaEffect:
    """The ratio of synthetic to human samples before and after accepting an item, against the cap."""

    before: float
    after: float
    cap: float

    @property
    def over(self) -> bool:
        """Whether accepting would leave the ratio above the cap."""
        return self.after > self.cap


@dataclass(frozen=True, slots=True)
class Draft:
    """An unfinished edit (the text of message number `turn`) or note, from an earlier session or a lost lease.

    `others` holds the further turns that the edit changed: their numbers and texts.
    """

    kind: DraftKind
    text: str
    saved_at: datetime
    turn: int | None = None
    others: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimedItem:
    """One sample under a lease of mine, with all that the screen shows without a further query."""

    sample_id: int
    token: str
    expires_at: datetime
    uid: str
    batch: str
    external_id: str
    status: Status
    messages: tuple[Message, ...]
    prompt: str
    response: str
    provenance: Provenance
    model: str | None = None
    family: str | None = None
    generation: int | None = None
    edit_share: float | None = None
    tokens: int = 0
    reference: str | None = None
    label: str | None = None
    findings: tuple[ShownFinding, ...] = ()
    votes: Votes | None = None
    lineage: str = ""
    lineage_steps: tuple[LineageStep, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    stream: str = "review"
    priority: float = 0.0
    p_bad: float | None = None
    why: tuple[Term, ...] = ()
    history_count: int = 0
    drafts: tuple[Draft, ...] = ()
    quota_weight: float = 0.0
    """How much accepting the item adds to what counts against the human samples."""
    guideline_version: str = ""

    @property
    def blocking(self) -> bool:
        """Whether a finding of severity `block` stands against the item."""
        return any(finding.severity is Severity.BLOCK for finding in self.findings)

    @property
    def response_turn(self) -> int:
        """The index in `messages` of the response; their number where there is no assistant turn yet."""
        turns = [index for index, message in enumerate(self.messages) if message.role == "assistant"]
        return turns[-1] if turns else len(self.messages)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reviewer decided, and under which view and after how long on screen.

    `messages` are all the turns of an edit. `override` is the reason for accepting, or keeping in an edit, what a
    blocking finding stands against. An edit that changes nothing is an accept.
    """

    choice: Choice
    reason: str | None = None
    note: str | None = None
    messages: tuple[Message, ...] | None = None
    override: str | None = None
    dwell_seconds: float | None = None
    view: View = "plain"
    votes_seen: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """A durable decision. `late`: the lease was lost before, so it is stored as a second opinion."""

    seq: int
    uid: str
    choice: Choice
    status: Status
    late: bool = False
    second_opinion: bool = False
    revision_uid: str | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """A decision of mine taken back; `item` is the sample, claimed for me again (None if another holds it now)."""

    seq: int
    uid: str
    choice: Choice
    item: ClaimedItem | None = None


@dataclass(frozen=True, slots=True)
class Redone:
    """A decision of mine made again after an undo."""

    seq: int
    uid: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class EditPreview:
    """What an edit would be stored as, and what the verifiers say of it."""

    findings: tuple[ShownFinding, ...]
    edit_share: float
    provenance_after: Provenance

    @property
    def blocking(self) -> bool:
        """Whether a blocking finding remains."""
        return any(finding.severity is Severity.BLOCK for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the queue and I stand. `left` is under the filter, if any; pace is decisions a minute, None at first."""

    left: int
    decided_today: int
    goal: int | None = None
    per_minute: float | None = None
    leased_by_others: int = 0
    alarm: str | None = None
    quota: QuotaStand | None = None
    next_steps: tuple[str, ...] = ()
    """For an empty queue: what to do next, a plain sentence each; a command stands alone on its line."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a sample's history, oldest first."""

    seq: int
    at: datetime
    actor: str
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MyDecision:
    """One of my decisions, newest first."""

    seq: int
    at: datetime
    uid: str
    name: str
    choice: Choice
    reason: str | None = None
    note: str | None = None
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A queued sample that matches a filter."""

    uid: str
    name: str
    status: Status
    snippet: str
    findings: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """A reject reason: the code that is stored and the words on screen; its place gives the key 1 to 9."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Guideline:
    """What reviewers go by: Markdown text and its version, which every decision stores."""

    version: str
    text: str


class Desk(Protocol):
    """One reviewer's seat at one project."""

    @property
    def project(self) -> str:
        """The project's name."""
        ...

    @property
    def reviewer(self) -> str:
        """Who decides."""
        ...

    def claim(self, *, held: Collection[str] = (), where: str = "", uid: str | None = None) -> ClaimedItem | None:
        """The next item under a new lease of mine, or None when nothing is due.

        `held` are the uids that this screen already shows or keeps ahead: they are never returned, while claims of
        mine that a dead session left come first. `where` restricts to a filter (`field:value`, `verifier:code`,
        `gen:2`, text); `uid` asks for one sample whatever its place (`Refused` if another holds it).
        """
        ...

    def heartbeat(self, tokens: Collection[str]) -> Mapping[str, datetime]:
        """Extend leases; the tokens still held with their new expiry. A missing token is lost."""
        ...

    def release(self, tokens: Collection[str]) -> None:
        """Give claims back at once; unknown tokens are ignored."""
        ...

    def decide(self, item: ClaimedItem, answer: Answer) -> Receipt:
        """Store a decision durably, and for an edit verify the revision first; drops the item's drafts.

        An error means that nothing was stored, so that the screen may ask again.
        """
        ...

    def undo(self) -> Undone | None:
        """Take back my newest decision that stands, whatever session made it; None if there is none."""
        ...

    def redo(self) -> Redone | None:
        """Make my newest undone decision again; None if there is none. Its item, if claimed by me, is let go."""
        ...

    def preview_edit(self, item: ClaimedItem, messages: tuple[Message, ...]) -> EditPreview:
        """Run the verifiers on a revision without storing anything."""
        ...

    def save_draft(self, item: ClaimedItem, draft: Draft) -> None:
        """Keep an unfinished edit or note; one of each kind per sample and reviewer, the newest wins."""
        ...

    def drop_draft(self, item: ClaimedItem, kind: DraftKind) -> None:
        """Forget an unfinished edit or note."""
        ...

    def progress(self, *, where: str = "") -> Progress:
        """Where the queue and I stand."""
        ...

    def history(self, uid: str) -> tuple[Event, ...]:
        """What happened to a sample and its revisions."""
        ...

    def my_decisions(self, limit: int) -> tuple[MyDecision, ...]:
        """My last decisions."""
        ...

    def search(self, where: str, limit: int) -> tuple[Hit, ...]:
        """Queued samples that match a filter, in queue order; `Refused` if the filter is not understood."""
        ...

    def reasons(self) -> tuple[Reason, ...]:
        """The reject reasons, at most nine, in the order of their keys."""
        ...

    def guideline(self) -> Guideline:
        """The current guideline."""
        ...

    def close(self) -> None:
        """Release every claim of this seat and close the store; a second call does nothing."""
        ...
