"""Eight people's processes at queue, gold and overlap at once, killed at random: nobody gets what is not theirs."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from filling import flagged_store

from holdfast.db import gold
from holdfast.db.check import check
from holdfast.db.models import Choice, Role
from holdfast.db.store import Store
from holdfast.db.users import add_user

ITEMS, GOLD, PEOPLE, OPINIONS, KILLS = 600, 10, 8, 3, 8

REVIEWER = """
import sys
from pathlib import Path
from holdfast.db.models import Choice
from holdfast.db.store import Store
from holdfast.reviewer.config import Config, ReviewConfig
from holdfast.reviewer.pipeline.decide import Ask, decide
from holdfast.reviewer.pipeline.queue import claim
from holdfast.reviewer.policy.streams import Shares

store, user = Store.open(Path(sys.argv[1])), sys.argv[2]
config = Config(review=ReviewConfig(gold_share=0.1, overlap_share=0.5, overlap_reviewers=3))
while True:
    taken = claim(store, config, user=user, session=True)
    if taken is None:
        break
    ask = Ask(taken.sample_id, Choice.ACCEPT, taken.token)
    decide(store, ask, reviewer=user, judge=None, shares=Shares.of(config.review))
"""


def start(path: Path, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", REVIEWER, str(path), name], stderr=subprocess.PIPE)


def test_nobody_decides_twice_and_no_sample_too_often(store: Store) -> None:
    add_user(store, name="lead-1", role=Role.LEAD, actor="lead-1")
    flagged_store(store, ITEMS)
    for sample_id in range(1, GOLD + 1):
        gold.set_gold(store, sample_id, actor="lead-1", verdict=Choice.ACCEPT)
    chance = random.Random(7)
    running = {name: start(store.path, name) for name in (f"annotator-{number}" for number in range(PEOPLE))}
    kills = KILLS
    while running:
        name = chance.choice(sorted(running))
        try:
            _, errors = running[name].communicate(timeout=0.5 if kills else 60)
        except subprocess.TimeoutExpired:
            running[name].kill()
            running[name].communicate()
            running[name] = start(store.path, name)
            kills -= 1
            continue
        assert running[name].returncode == 0, errors.decode()
        del running[name]
    assert kills < KILLS
    rows = store.read().execute("SELECT sample_id, reviewer, kind, late FROM decisions").fetchall()
    first = Counter(row["sample_id"] for row in rows if row["kind"] == "first")
    assert first == dict.fromkeys(range(GOLD + 1, ITEMS + 1), 1)
    assert max(Counter((row["sample_id"], row["reviewer"]) for row in rows).values()) == 1
    opinions = Counter(row["sample_id"] for row in rows if row["kind"] == "second")
    assert 0 < max(opinions.values()) <= OPINIONS - 1
    assert not any(row["late"] for row in rows)
    assert {row["sample_id"] for row in rows if row["kind"] == "gold"} <= set(range(1, GOLD + 1))
    assert store.read().execute("SELECT 1 FROM personal").fetchall() == []
    assert list(check(store)) == []
