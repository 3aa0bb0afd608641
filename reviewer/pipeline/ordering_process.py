"""The process that orders the queue in the background: `python -P -m …ordering_process PROJECT USER LOCK`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from holdfast.reviewer.pipeline.ordering import bring_up_to_date
from holdfast.reviewer.project import Project


def main(folder: str, actor: str, lock: str) -> None:
    """Order a project's queue where that is due, giving way to whoever is at work; `lock` is held, by descriptor."""
    os.set_inheritable(int(lock), False)
    project = Project(Path(folder))
    with project.store() as store:
        bring_up_to_date(project, store, actor=actor, wait=False, lock=int(lock))


if __name__ == "__main__":
    main(*sys.argv[1:])
