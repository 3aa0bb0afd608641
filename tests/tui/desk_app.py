"""The review desk over a fake queue in a real terminal, for test_terminal.py; says at the end what was decided."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from fake_desk import FakeDesk, make_item

from holdfast.reviewer.tui.app import HoldfastApp
from holdfast.reviewer.tui.settings import Settings

if __name__ == "__main__":
    texts: list[str] = json.loads(Path(sys.argv[1]).read_text())
    desk = FakeDesk([make_item(n, response=text) for n, text in enumerate(texts, 1)], now=lambda: datetime.now(UTC))
    HoldfastApp(desk, Settings(settle_ms=0)).run()
    edited = [answer.messages[1].content if answer.messages else None for _, answer in desk.decided]
    Path(sys.argv[2]).write_text(json.dumps([[answer.choice for _, answer in desk.decided], edited, desk.closed]))
