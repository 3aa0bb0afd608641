"""Merkle tree hash of RFC 6962 section 2.1, computed in one pass with memory of the order of log n."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def merkle_root(leaves: Iterable[bytes]) -> str:
    """The tree hash (hex) over leaves in order; SHA-256 of nothing for no leaf."""
    sha256 = hashlib.sha256
    subtrees: list[tuple[int, bytes]] = []  # perfect subtrees left to right: (size, hash)
    for leaf in leaves:
        size, node = 1, sha256(b"\x00" + leaf).digest()
        while subtrees and subtrees[-1][0] == size:
            node = sha256(b"\x01" + subtrees.pop()[1] + node).digest()
            size *= 2
        subtrees.append((size, node))
    if not subtrees:
        return sha256(b"").hexdigest()
    node = subtrees.pop()[1]
    while subtrees:
        node = sha256(b"\x01" + subtrees.pop()[1] + node).digest()
    return node.hex()
