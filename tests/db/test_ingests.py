"""Staged ingestion: atomic, resumable, idempotent."""

from __future__ import annotations

import pytest
from filling import ingest, make_sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.db import ingests, samples
from holdfast.db.check import check
from holdfast.db.errors import Refused, UsageError
from holdfast.db.ingests import Ingest, prepare
from holdfast.db.models import Message, Provenance, Sample, Status
from holdfast.db.rows import count_words
from holdfast.db.search import search
from holdfast.db.store import Store


def rows(*numbers: int, batch: str = "b") -> list[ingests.Row]:
    return [prepare(make_sample(number), batch=batch, external_id=str(number)) for number in numbers]


def texts(store: Store) -> list[str]:
    return [stored.sample.response for stored in samples.each(store)]


def test_rows_become_visible_together(store: Store) -> None:
    opened = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    opened.add(rows(1, 2))
    assert texts(store) == []
    assert opened.close() == ingests.IngestCounts(2, 2, 0, 0)
    assert texts(store) == ["answer 1", "answer 2"]
    assert list(check(store)) == []


def test_the_same_rows_again_are_known(store: Store) -> None:
    opened = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    opened.add(rows(1, 2))
    opened.close()
    again = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    again.add(rows(1, 2, 3))
    assert again.close() == ingests.IngestCounts(3, 1, 2, 0)
    other = Ingest.begin(store, batch="c", signature="s", actor="lead-1")
    other.add(rows(1, 2, batch="c"))
    assert other.close().new == 2
    assert len(texts(store)) == 3
    assert [occurrence.batch for occurrence in samples.occurrences(store, 1)] == ["b", "c"]


def test_an_external_id_with_other_content_is_quarantined(store: Store) -> None:
    opened = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    opened.add(rows(1))
    opened.add([prepare(make_sample(2), batch="b", external_id="1", file="x.jsonl", line=7)])
    assert opened.close() == ingests.IngestCounts(2, 1, 0, 1)
    (kept,) = ingests.quarantine(store)
    assert (kept.file, kept.line) == ("x.jsonl", 7)
    assert "'1'" in kept.reason
    assert b"answer 2" in kept.raw


def test_an_interrupted_ingest_is_resumed_by_the_same_call(store: Store) -> None:
    first = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    first.add(rows(1, 2), [ingests.Unreadable("f", 3, "not JSON", b"{", 1)])
    first.suspend()
    again = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    assert again.position == 3
    again.add(rows(4))
    assert again.close() == ingests.IngestCounts(4, 3, 0, 1)
    assert list(check(store)) == []


@pytest.mark.parametrize("filled", [False, True])
def test_an_interrupted_ingest_is_discarded_by_another(store: Store, filled: bool) -> None:
    if filled:
        ingest(store, [make_sample(1)])
    first = Ingest.begin(store, batch="x", signature="s", actor="lead-1")
    first.add(rows(1, 2, 2, 3, batch="x"), [ingests.Unreadable("f", 3, "not JSON", b"{", 1)])
    first.suspend()
    assert len(texts(store)) == int(filled)
    again = Ingest.begin(store, batch="b2", signature="t", actor="lead-1")
    assert again.position == 0
    again.add(rows(9, batch="b2"))
    again.close()
    assert texts(store) == ["answer 1"] * filled + ["answer 9"] if not filled else ["answer 0", "answer 9"]
    assert list(ingests.quarantine(store)) == []
    assert list(check(store)) == []


@pytest.mark.parametrize("filled", [False, True])
def test_an_ingest_whose_discarding_was_interrupted_is_never_resumed(
    store: Store, monkeypatch: pytest.MonkeyPatch, filled: bool
) -> None:
    if filled:
        ingest(store, [make_sample(10_000)], batch="earlier")
    first = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    first.add(rows(*range(1200)))
    remove = ingests._remove_slice
    calls = iter([remove, remove])
    with monkeypatch.context() as patch:
        patch.setattr(ingests, "_remove_slice", lambda *given: next(calls)(*given))
        with pytest.raises(StopIteration):
            first.discard()
    first.suspend()
    again = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    assert again.position == 0
    again.add(rows(*range(1200)))
    assert again.close() == ingests.IngestCounts(1200, 1200, 0, 0)
    assert len(texts(store)) == 1200 + filled
    assert len(search(store, "answer", limit=5000)) == 1200 + filled
    assert list(check(store)) == []


def test_only_one_ingest_runs_at_a_time(store: Store) -> None:
    opened = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    with pytest.raises(Refused, match="another ingest"):
        Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    opened.discard()
    Ingest.begin(store, batch="b", signature="s", actor="lead-1").discard()
    assert texts(store) == []


@pytest.mark.parametrize("filled", [False, True])
def test_the_same_sample_under_two_ids_is_stored_once(store: Store, filled: bool) -> None:
    if filled:
        ingest(store, [make_sample(100)], batch="earlier")
    opened = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    opened.add(
        [
            prepare(
                make_sample(1),
                batch="b",
                external_id="one",
            ),
            *rows(2),
        ]
    )
    opened.add([prepare(make_sample(1), batch="b", external_id="two")])
    assert opened.close().new == 3
    assert samples.resolve(store, "b/one") == samples.resolve(store, "b/two")
    assert len(search(store, "answer")) == 2 + filled
    indexed = store.read().execute("SELECT rowid FROM sample_search WHERE sample_search MATCH 'answer' ORDER BY rowid")
    assert [row[0] for row in indexed] == [stored.id for stored in samples.each(store)]
    assert len(texts(store)) == 2 + filled
    assert sum(tally.samples for tally in samples.tallies(store)) == 2 + filled
    assert list(check(store)) == []


def test_external_ids_may_hold_any_character(store: Store) -> None:
    odd = ["a\0b", "a\0c", "a", "\0", "a/b", "ü#2", "\u2028"]
    for expected in (7, 0):
        opened = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
        opened.add([prepare(make_sample(n), batch="b", external_id=external_id) for n, external_id in enumerate(odd)])
        assert opened.close().new == expected
    assert [samples.load(store, samples.resolve(store, f"b/{text}")).external_id for text in odd] == odd


def test_names_of_batches_are_checked(store: Store) -> None:
    with pytest.raises(UsageError, match="letters"):
        Ingest.begin(store, batch="a b", signature="s", actor="lead-1")


any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=any_text, response=any_text, label=st.none() | any_text)
def test_any_text_comes_back_to_the_letter(store: Store, prompt: str, response: str, label: str | None) -> None:
    messages = (Message(role="user", content=prompt), Message(role="assistant", content=response))
    sample = Sample(messages=messages, provenance=Provenance.HUMAN, label=label)
    opened = Ingest.begin(store, batch="b", signature="s", actor="lead-1")
    opened.add([prepare(sample, batch="b", external_id=None)])
    opened.close()
    stored = samples.load(store, samples.resolve(store, sample.uid))
    assert (stored.sample.prompt, stored.sample.response) == (prompt, response)
    assert stored.sample.messages == messages
    assert stored.status is Status.PENDING
    assert (stored.sample.uid, stored.content_id) == (sample.uid, sample.content_id)
    assert label in [occurrence.label for occurrence in samples.occurrences(store, stored.id)]


def test_search_finds_words_and_phrases_in_prompt_and_response(store: Store) -> None:
    ingest(store, [make_sample(number) for number in range(30)])
    assert [hit.external_id for hit in search(store, "answer 7")] == ["7"]
    assert [hit.external_id for hit in search(store, '"question 12"')] == ["12"]
    assert len(search(store, "question", limit=10)) == 10
    assert search(store, "nowhere") == []
    assert search(store, 'NEAR( * "') == []
    with pytest.raises(UsageError, match="at least one word"):
        search(store, "  ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("one two", 2),
        ("don't stop", 3),
        ("x_y 3.5", 4),
        ("你好 world", 3),
        ("naïve café", 2),
        ("カナ", 2),
        ("한국어 말", 2),
    ],
)
def test_tokens_are_words_and_each_cjk_character(text: str, words: int) -> None:
    assert count_words(text) == words
