"""What the order reads of samples is what the store has of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from filling import SPECS, flagged_store, ingest, judge, make_sample

from holdfast.db.models import Message, Outcome, Sample
from holdfast.db.ranking import Check, measures_of, prompt_and_response, rankables
from holdfast.db.samples import load
from holdfast.db.store import Store


def test_samples_come_in_the_order_asked_for_with_what_their_verifiers_said(store: Store) -> None:
    flagged_store(store, 3)
    judge(store, {2: Outcome.PASS, 3: Outcome.FAIL}, audit=[3])
    found = rankables(store, [3, 1, 2])
    assert [one.sample_id for one in found] == [3, 1, 2]
    assert [[(said.letter, said.value, said.findings) for said in one.verdicts] for one in found] == [
        [("f", None, (("bad", "block"),))],
        [("g", None, (("odd", "warn"),))],
        [("p", 1.5, ())],
    ]
    assert found[0].verdicts[0].check == Check(SPECS[0].name, "format", 2.5, "above")
    assert [(one.flagged, one.audit) for one in found] == [(False, True), (True, False), (False, False)]
    for one in found:
        stored = load(store, one.sample_id)
        assert (one.uid, one.prompt, one.response) == (stored.uid, stored.sample.prompt, stored.sample.response)
        assert (one.status, one.tokens) == (stored.status, stored.tokens)


def test_a_sample_that_nothing_judged_yet_has_no_verdicts(store: Store) -> None:
    ingest(store, [make_sample(1, domain="maths", task="sums", label="x")])
    (one,) = rankables(store, [1])
    assert (one.verdicts, one.flagged, one.domain, one.task, one.label) == ((), False, "maths", "sums", "x")


@pytest.mark.parametrize(
    "roles", [("user", "assistant"), ("user",), ("assistant",), ("system", "user", "assistant", "user"), ("user",) * 3]
)
def test_prompt_and_response_are_a_samples(sample: Callable[..., Sample], roles: tuple[str, ...]) -> None:
    turns = [Message(role=role, content=f"turn {at}") for at, role in enumerate(roles)]  # type: ignore[arg-type]
    one = sample(messages=tuple(turns))
    assert prompt_and_response(one.messages_json) == (one.prompt, one.response)


def test_numbers_of_the_metadata_are_read_and_bounded() -> None:
    assert measures_of('{"logprob": -0.5, "ok": true, "extra": {"tries": 3, "deep": {"x": 1}}, "name": "7"}') == (
        ("extra.tries", 3.0),
        ("logprob", -0.5),
    )
    many = "{" + ",".join(f'"m{number}": {number}' for number in range(1_000)) + "}"
    assert len(measures_of(many)) == 16
    assert measures_of('{"huge": 1e300}') == ()
