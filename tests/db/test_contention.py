"""Many processes on one store, killed at random: nothing decided twice, nothing acknowledged lost."""

from __future__ import annotations

import os
import random
import selectors
import signal
import subprocess
import sys
from pathlib import Path

from filling import flagged_store

from holdfast.db import queue
from holdfast.db.check import check
from holdfast.db.store import Store

ITEMS = 10_000
PROCESSES = 8

REVIEWER = """
import sys
from pathlib import Path
from holdfast.db import decisions, queue
from holdfast.db.models import Choice
from holdfast.db.store import Store

store = Store.open(Path(sys.argv[1]))
out = open(1, "wb", buffering=0, closefd=False)
while True:
    claim = queue.claim(store, reviewer=sys.argv[2], session=True)
    if claim is None:
        break
    submission = decisions.Submission(claim.sample_id, sys.argv[2], Choice.ACCEPT, token=claim.token)
    receipt = decisions.decide(store, submission)
    out.write(f"{receipt.seq} {int(receipt.late)}\\n".encode())
"""


class Desk:
    """A reviewer's process, started again whenever it was killed."""

    def __init__(self, path: Path, name: str, selector: selectors.BaseSelector) -> None:
        self.path, self.name, self.selector = path, name, selector
        self.acknowledged: list[int] = []
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", REVIEWER, str(self.path), self.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.rest = b""
        self.selector.register(self.process.stdout, selectors.EVENT_READ, self)

    def read(self) -> bool:
        """Take in acknowledgements; False at the process's end."""
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), 65536)
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            seq, late = line.split()
            assert late == b"0"
            self.acknowledged.append(int(seq))
        return bool(data)

    def end(self) -> int:
        assert self.process.stdout is not None
        self.selector.unregister(self.process.stdout)
        _, errors = self.process.communicate()
        assert self.process.returncode in (0, -signal.SIGKILL), errors.decode()
        return self.process.returncode


def test_killed_processes_lose_no_decision_and_decide_nothing_twice(store: Store) -> None:
    flagged_store(store, ITEMS)
    chance = random.Random(7)
    with selectors.DefaultSelector() as selector:
        desks = [Desk(store.path, f"annotator-{number}", selector) for number in range(PROCESSES)]
        until_kill, killed = 40, 0
        while selector.get_map():
            for key, _ in selector.select():
                desk: Desk = key.data
                until_kill -= 1
                if not desk.read() and desk.end() != 0:
                    desk.start()
                if until_kill <= 0:
                    victim = chance.choice(desks)
                    killed += victim.process.poll() is None
                    victim.process.kill()
                    until_kill = chance.randrange(20, 120)
    assert killed >= 10
    rows = (
        store.read()
        .execute("SELECT seq, sample_id FROM decisions WHERE undone_seq IS NULL AND kind = 'first'")
        .fetchall()
    )
    assert len(rows) == ITEMS
    assert len({row["sample_id"] for row in rows}) == ITEMS
    assert {seq for desk in desks for seq in desk.acknowledged} <= {row["seq"] for row in rows}
    assert queue.waiting(store) == 0
    assert list(check(store)) == []
