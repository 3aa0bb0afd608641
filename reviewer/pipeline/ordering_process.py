"""The process that orders the queue in the background: `python -m …ordering_process PROJECT USER`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from holdfast.reviewer.pipeline.ordering import bring_up_to_date
from holdfast.reviewer.project import Project


def main(folder: str, actor: str) -> None:
    """Order a project's queue where that is due, giving way to whoever is at work."""
    os.nice(10)
    project = Project(Path(folder))
    with project.store() as store:
        bring_up_to_date(project, store, actor=actor, wait=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
