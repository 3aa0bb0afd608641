"""Hashes against published and golden vectors."""

from __future__ import annotations

import hashlib

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from holdfast.db.merkle import MerkleTree, merkle_root
from holdfast.db.models import Message, Provenance, Sample

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
"""The eight leaves of the test vectors of Certificate Transparency."""


def test_merkle_roots_of_the_published_vectors() -> None:
    assert merkle_root([]) == hashlib.sha256(b"").hexdigest()
    assert merkle_root([b""]) == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    leaves = [bytes.fromhex(leaf) for leaf in LEAVES]
    assert merkle_root(leaves) == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + recursive_root(leaves[:split]) + recursive_root(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40))
def test_a_growing_tree_has_the_root_of_the_definition(leaves: list[bytes]) -> None:
    tree = MerkleTree()
    for number, leaf in enumerate(leaves, start=1):
        tree.add(leaf)
        assert tree.root() == recursive_root(leaves[:number]).hex()


@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    generation=st.none() | st.integers(0, 9),
    model=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    parents=st.lists(st.just("ab" * 32), max_size=2),
)
def test_identities_are_hashes_of_canonical_json(
    text: str, generation: int | None, model: str | None, parents: list[str]
) -> None:
    messages = (Message(role="user", content=text), Message(role="assistant", content="x", name="n"))
    sample = Sample(
        messages=messages, provenance=Provenance.UNKNOWN, model=model, generation=generation, parents=tuple(parents)
    )
    plain = [{"role": "user", "content": text}, {"role": "assistant", "content": "x", "name": "n"}]
    whole = {"messages": plain, "provenance": "unknown", "model": model, "generation": generation, "parents": parents}
    assert sample.uid == hashlib.sha256(rfc8785.dumps(whole)).hexdigest()
    assert sample.content_id == hashlib.sha256(rfc8785.dumps({"messages": plain})).hexdigest()


@pytest.mark.parametrize(
    ("turns", "prompt", "response"),
    [
        ([("user", "q"), ("assistant", "a")], "q", "a"),
        ([("system", "s"), ("user", "q"), ("assistant", "a")], "s\n\nq", "a"),
        ([("user", "q"), ("assistant", "a"), ("user", "r"), ("assistant", "b")], "q\n\na\n\nr", "b"),
        ([("user", "q")], "q", ""),
        ([("user", "q"), ("assistant", "a"), ("user", "thanks")], "q", "a"),
    ],
)
def test_prompt_and_response_are_derived_from_the_turns(
    turns: list[tuple[str, str]], prompt: str, response: str
) -> None:
    messages = tuple(Message.model_validate({"role": role, "content": content}) for role, content in turns)
    sample = Sample(messages=messages, provenance=Provenance.HUMAN)
    assert (sample.prompt, sample.response) == (prompt, response)
    edited = sample.model_copy(update={"messages": sample.with_response("new")})
    assert Sample.model_validate(edited.model_dump()).response == "new"
