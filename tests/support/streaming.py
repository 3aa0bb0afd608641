"""A store with work of every stream, and what people do with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from filling import ingest, judge, make_sample

from holdfast.db.check import check
from holdfast.db.models import Choice, Outcome, Role
from holdfast.db.queue import Claim
from holdfast.db.store import Store
from holdfast.db.users import add_user
from holdfast.reviewer.config import Config, ReviewConfig
from holdfast.reviewer.pipeline import queue as work
from holdfast.reviewer.pipeline.decide import Ask, decide
from holdfast.reviewer.pipeline.documents import queue_item
from holdfast.reviewer.pipeline.gold import gold_lines
from holdfast.reviewer.policy.streams import Shares

SAMPLES = 60
GOLD = range(41, 61)
AUDITED = range(36, 41)
DAY = 86_400.0


class Clock:
    """A clock that stands still until it is stepped."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    def step(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@contextmanager
def all_streams(path: Path, now: Clock) -> Iterator[Store]:
    """Samples 1 to 35 flagged, 36 to 40 drawn by the audit, 41 to 60 gold: the even ones good."""
    with Store.create(path, now=now) as store:
        add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
        ingest(store, [make_sample(number) for number in range(SAMPLES)])
        outcomes = dict.fromkeys(range(1, 36), Outcome.FLAG) | dict.fromkeys(range(36, 61), Outcome.PASS)
        judge(store, outcomes, audit=AUDITED)
        make_gold(store, *GOLD)
        yield store
        assert list(check(store)) == []


def make_gold(store: Store, *sample_ids: int) -> None:
    lines = [
        json.dumps({"ref": f"b/{one - 1}", "verdict": "reject" if one % 2 else "accept"}).encode() for one in sample_ids
    ]
    report = gold_lines(store, lines, actor="lead-1")
    assert (report.changed, report.refused) == (len(sample_ids), [])


def config(**shares: Any) -> Config:
    given = {"gold_share": 0.0, "rereview_share": 0.0, "overlap_share": 0.0, **shares}
    return Config(review=ReviewConfig(**given))


def answer(store: Store, set_up: Config, claim: Claim, user: str, choice: Choice = Choice.ACCEPT) -> Any:
    ask = Ask(claim.sample_id, choice, claim.token)
    return decide(store, ask, reviewer=user, judge=lambda _: ((), None), shares=Shares.of(set_up.review))  # type: ignore[arg-type,return-value]


def claimed(store: Store, set_up: Config, user: str = "annotator-1") -> Claim:
    claim = work.claim(store, set_up, user=user)
    assert claim is not None
    return claim


def listed(store: Store, set_up: Config, user: str = "annotator-1") -> list[dict[str, Any]]:
    return [queue_item(store, stored, row, user=user) for row, stored in work.items(store, set_up, user=user)]
