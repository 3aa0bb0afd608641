"""Merkle tree hash of RFC 6962 section 2.1, computed in one pass with memory of the order of log n."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


class MerkleTree:
    """Grows leaf by leaf; the root can be asked for at any size."""

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[tuple[int, bytes]] = []  # perfect subtrees from left to right: (leaves, hash)

    def add(self, leaf: bytes) -> None:
        """Append a leaf."""
        size, node = 1, hashlib.sha256(b"\x00" + leaf).digest()
        while self._subtrees and self._subtrees[-1][0] == size:
            node = _join(self._subtrees.pop()[1], node)
            size *= 2
        self._subtrees.append((size, node))
        self.size += 1

    def root(self) -> str:
        """The tree hash (hex); SHA-256 of nothing for an empty tree."""
        if not self._subtrees:
            return hashlib.sha256(b"").hexdigest()
        node = self._subtrees[-1][1]
        for _, left in reversed(self._subtrees[:-1]):
            node = _join(left, node)
        return node.hex()


def merkle_root(leaves: Iterable[bytes]) -> str:
    """The tree hash (hex) over leaves in order."""
    tree = MerkleTree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def _join(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
