"""One reviewer's seat at one project: what the triage screen calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from itertools import islice

from holdfast.db import decisions, queue
from holdfast.db.drafts import drop_draft, save_draft
from holdfast.db.errors import Refused
from holdfast.db.models import Choice, Message, Status
from holdfast.db.queue import Claim
from holdfast.db.samples import load, load_many, resolve
from holdfast.db.store import Store, instant_of
from holdfast.db.verdicts import current
from holdfast.db.workload import in_hand
from holdfast.reviewer.pipeline import guideline as guidelines
from holdfast.reviewer.pipeline import queue as work
from holdfast.reviewer.pipeline.blindness import hidden_decisions, status_on_screen
from holdfast.reviewer.pipeline.decide import Ask, Judge, decide
from holdfast.reviewer.pipeline.desk import (
    Answer,
    ClaimedItem,
    Draft,
    DraftKind,
    EditPreview,
    Event,
    Guideline,
    Hit,
    MyDecision,
    Progress,
    QuotaStand,
    Reason,
    Receipt,
    Redone,
    Undone,
)
from holdfast.reviewer.pipeline.dups import neighbours_of
from holdfast.reviewer.pipeline.editing import revise, without_appended_newline
from holdfast.reviewer.pipeline.history import history
from holdfast.reviewer.pipeline.items import by_severity, claimed_item, packed_draft
from holdfast.reviewer.pipeline.judging import judge_of
from holdfast.reviewer.pipeline.quota import quota
from holdfast.reviewer.pipeline.status import decided_today, pace_of, tallies_of
from holdfast.reviewer.policy.streams import Shares
from holdfast.reviewer.project import Project

_SNIPPET = 160


class ReviewDesk:
    """The review pipeline behind `pipeline.desk.Desk`; every method may be called from any thread."""

    def __init__(self, project: Project, store: Store, *, reviewer: str, judge: Judge) -> None:
        self._project = project
        self._config = project.config
        self._store = store
        self._reviewer = reviewer
        self._judge = judge
        self._near = neighbours_of(project, store)
        self._tokens: set[str] = set()
        self._closed = False

    @classmethod
    def open(cls, project: Project, *, reviewer: str) -> ReviewDesk:
        """Take a seat at a project; to be closed."""
        store = project.store()
        return cls(project, store, reviewer=reviewer, judge=judge_of(project, store))

    @property
    def project(self) -> str:
        """The name of the project's folder."""
        return self._project.root.name

    @property
    def reviewer(self) -> str:
        """Who decides."""
        return self._reviewer

    def claim(self, *, held: Collection[str] = (), where: str = "", uid: str | None = None) -> ClaimedItem | None:
        """Lease the next item, or one sample by its uid; None when nothing is due."""
        if uid is not None:
            return self._claim_one(resolve(self._store, uid))
        claim = work.claim(self._store, self._config, user=self._reviewer, where=where, session=True)
        return None if claim is None else self._item(claim)

    def heartbeat(self, tokens: Collection[str]) -> Mapping[str, datetime]:
        """Extend leases; a token that is missing from the answer is lost."""
        lease = self._config.review.lease_seconds
        expires = self._store.now() + timedelta(seconds=lease)
        return dict.fromkeys(queue.heartbeat(self._store, tokens, lease_seconds=lease), expires)

    def release(self, tokens: Collection[str]) -> None:
        """Give claims back."""
        queue.release(self._store, tokens)
        self._tokens.difference_update(tokens)

    def decide(self, item: ClaimedItem, answer: Answer) -> Receipt:
        """Store a decision durably, after judging the revision that an edit makes."""
        ask = Ask(
            sample_id=item.sample_id,
            choice=answer.choice,
            token=item.token,
            reason=answer.reason,
            note=answer.note,
            override=answer.override,
            messages=None if answer.messages is None else _as_typed(item.messages, answer.messages),
            dwell_seconds=answer.dwell_seconds,
            shown={"guideline": item.guideline_version, "view": answer.view, "votes_seen": answer.votes_seen},
        )
        shares = Shares.of(self._config.review)
        receipt = decide(self._store, ask, reviewer=self._reviewer, judge=self._judge, shares=shares)
        self._tokens.discard(item.token)
        self._reorder_soon()
        unchanged = answer.choice is Choice.EDIT and receipt.revision_uid is None
        return Receipt(
            seq=receipt.seq,
            uid=receipt.uid,
            choice=Choice.ACCEPT if unchanged else answer.choice,
            status=receipt.status,
            late=receipt.late,
            second_opinion=receipt.second_opinion,
            revision_uid=receipt.revision_uid,
        )

    def _reorder_soon(self) -> None:
        """Have the queue ordered anew in the background where enough was decided since; the answer is stored by now."""
        from holdfast.reviewer.pipeline.ordering import start_in_background

        start_in_background(self._project, self._store, actor=self._reviewer)

    def undo(self) -> Undone | None:
        """Take back my newest decision that stands, and claim its sample again where it is free."""
        for undone in decisions.undo(self._store, reviewer=self._reviewer):
            try:
                item = self._claim_one(undone.sample_id)
            except Refused:
                item = None
            return Undone(undone.seq, undone.uid, undone.choice, item)
        return None

    def redo(self) -> Redone | None:
        """Make my newest undone decision again."""
        for redone in decisions.redo(self._store, reviewer=self._reviewer):
            return Redone(redone.seq, redone.uid, redone.choice)
        return None

    def preview_edit(self, item: ClaimedItem, messages: tuple[Message, ...]) -> EditPreview:
        """Judge a revision without storing it; one that changes nothing keeps its findings."""
        stored = load(self._store, item.sample_id)
        edit = revise(self._store, stored, _as_typed(item.messages, messages))
        if edit is None:
            return EditPreview(item.findings, stored.edit_share or 0.0, stored.sample.provenance)
        specs, verdicts = self._judge(edit.sample)
        found = [
            (spec, finding)
            for spec, verdict in zip(specs, verdicts.verdicts, strict=True)
            if verdict is not None
            for finding in verdict.findings
        ]
        return EditPreview(by_severity(found), edit.share, edit.sample.provenance)

    def save_draft(self, item: ClaimedItem, draft: Draft) -> None:
        """Keep an unfinished edit or note."""
        save_draft(
            self._store, sample_id=item.sample_id, reviewer=self._reviewer, kind=draft.kind, text=packed_draft(draft)
        )

    def drop_draft(self, item: ClaimedItem, kind: DraftKind) -> None:
        """Forget an unfinished edit or note."""
        drop_draft(self._store, sample_id=item.sample_id, reviewer=self._reviewer, kind=kind)

    def progress(self, *, where: str = "") -> Progress:
        """Where the queue and I stand, all of one instant."""
        with self._store.snapshot():
            return self._progress(where)

    def _progress(self, where: str) -> Progress:
        lead = work.is_lead(self._store, self._reviewer)
        left = work.waiting(self._store, self._config, user=self._reviewer, where=where)
        held = in_hand(self._store)
        return Progress(
            left=left,
            decided_today=decided_today(self._store, self._reviewer),
            goal=self._config.review.daily_goal,
            per_minute=pace_of(self._store, self._reviewer),
            leased_by_others=sum(held.values()) - held.get(self._reviewer, 0),
            quota=self._quota(),
            next_steps=() if left else self._next_steps(lead),
        )

    def _quota(self) -> QuotaStand:
        now = quota(self._store, self._config.quota, counts=tallies_of(self._store, self._reviewer))
        return QuotaStand(float(now.used.samples), int(now.real.samples), float(now.cap))

    def history(self, uid: str) -> tuple[Event, ...]:
        """What happened to a sample and its revisions, as the reviewer may know it."""
        return history(self._store, load(self._store, resolve(self._store, uid)), self._reviewer)

    def my_decisions(self, limit: int) -> tuple[MyDecision, ...]:
        """My last decisions, newest first."""
        mine = decisions.decisions_by(self._store, self._reviewer, limit=limit)
        apart = hidden_decisions(self._store, self._reviewer, mine)
        mine = [decision for decision in mine if decision.seq not in apart]
        samples = load_many(self._store, dict.fromkeys(decision.sample_id for decision in mine))
        names = {stored.id: f"{stored.batch}/{stored.external_id}" for stored in samples}
        return tuple(
            MyDecision(
                seq=decision.seq,
                at=instant_of(decision.at),
                uid=decision.uid,
                name=names[decision.sample_id],
                choice=decision.choice,
                reason=decision.reason,
                note=decision.note,
                undone=decision.undone,
            )
            for decision in mine
        )

    def search(self, where: str, limit: int) -> tuple[Hit, ...]:
        """Queued samples that match a filter, in queue order."""
        found = work.items(self._store, self._config, user=self._reviewer, where=where)
        return tuple(
            Hit(
                uid=stored.uid,
                name=f"{stored.batch}/{stored.external_id}",
                status=status_on_screen(self._store, stored.id, stored.status, self._reviewer),
                snippet=stored.sample.response[:_SNIPPET],
                findings=sum(len(one.verdict.findings) for one in current(self._store, stored.id)),
            )
            for _, stored in islice(found, limit)
        )

    def reasons(self) -> tuple[Reason, ...]:
        """The reject reasons in the order of their keys."""
        return guidelines.reasons(self._project)

    def guideline(self) -> Guideline:
        """The current guideline."""
        return guidelines.guideline(self._project)

    def close(self) -> None:
        """Give back every claim of this seat and close the store; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            queue.release(self._store, self._tokens)
        finally:
            self._store.close()

    def _claim_one(self, sample_id: int) -> ClaimedItem:
        lease = self._config.review.lease_seconds
        return self._item(
            queue.claim_sample(
                self._store,
                sample_id,
                reviewer=self._reviewer,
                lease_seconds=lease,
                session=True,
                lead=work.is_lead(self._store, self._reviewer),
            )
        )

    def _item(self, claim: Claim) -> ClaimedItem:
        self._tokens.add(claim.token)
        return claimed_item(
            self._store,
            claim,
            reviewer=self._reviewer,
            lead=work.is_lead(self._store, self._reviewer),
            policy=self._config.quota,
            guideline_version=self.guideline().version,
            near=self._near,
        )

    def _next_steps(self, lead: bool) -> tuple[str, ...]:
        """What to do once nothing is due."""
        counts = dict.fromkeys(Status, 0)
        for tally in tallies_of(self._store, self._reviewer):
            counts[tally.status] += tally.samples
        if not any(counts.values()):
            return ("Bring in samples:", "holdfast ingest FILE --batch NAME")
        if counts[Status.PENDING]:
            return (f"Not verified yet: {counts[Status.PENDING]:,}.", "holdfast verify")
        steps = []
        if counts[Status.ESCALATED] and not lead:
            steps.append(f"Waiting for a lead: {counts[Status.ESCALATED]:,}.")
        if counts[Status.APPROVED]:
            steps += [f"Approved, to hand out: {counts[Status.APPROVED]:,}.", "holdfast export OUT.jsonl --approved"]
        return tuple(steps or ("Everything is decided.", "holdfast status"))


def _as_typed(before: tuple[Message, ...], after: tuple[Message, ...]) -> tuple[Message, ...]:
    """Edited turns without the newlines that an editor appended."""
    texts = [message.content for message in before] + [""] * (len(after) - len(before))
    return tuple(
        message.model_copy(update={"content": without_appended_newline(text, message.content)})
        for text, message in zip(texts, after, strict=False)
    )
