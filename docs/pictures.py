"""Draw the pictures of the documentation from the demo: `python docs/pictures.py`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from holdfast.db.store import Store
from holdfast.reviewer.pipeline.demo import ANNOTATOR, make_demo
from holdfast.reviewer.pipeline.desk import ClaimedItem
from holdfast.reviewer.pipeline.judging import judge_of
from holdfast.reviewer.pipeline.review import ReviewDesk
from holdfast.reviewer.project import Project
from holdfast.reviewer.tui.app import HoldfastApp

IMAGES = Path(__file__).resolve().parent / "images"
SHOWN = "gen-2/math/library-fines/fucus"
SIZE = (100, 30)


class OpenedAt(ReviewDesk):
    """A desk whose first sample is the one to show."""

    def claim(self, *, held: Collection[str] = (), where: str = "", uid: str | None = None) -> ClaimedItem | None:
        """The sample to show; nothing after it."""
        return None if held else super().claim(uid=SHOWN)


async def triage() -> str:
    """The review desk with one sample on it, as SVG."""
    with TemporaryDirectory() as folder:
        project = make_demo(Path(folder) / "demo", user="lead-0")
        app = HoldfastApp(_desk(project, project.store()))
        async with app.run_test(size=SIZE) as pilot:
            while app.triage.session.current is None:
                await pilot.pause(0.05)
            await app.workers.wait_for_complete()
            await pilot.pause()
            return app.export_screenshot(title="holdfast review")


def _desk(project: Project, store: Store) -> ReviewDesk:
    return OpenedAt(project, store, reviewer=ANNOTATOR, judge=judge_of(project, store))


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / "triage.svg").write_text(asyncio.run(triage()), encoding="utf-8")
    sys.stdout.write("images/triage.svg\n")
