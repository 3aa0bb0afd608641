"""What the claims of the queue and those beside it share: how long a lease lasts, and whether its process is alive."""

from __future__ import annotations

import os
from pathlib import Path

LEASE_SECONDS = 600
"""How long a claim lasts without a heartbeat."""


def is_alive(pid: int) -> bool:
    """Whether a process of this machine is still running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # A killed process keeps its number until its parent asks after it; some containers' first process never does.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True
