"""Listing the queue, filtering it, and where the project stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
Read = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("project")


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["external_id"] for item in items]


def test_the_queue_is_in_order_and_says_why(read: Read) -> None:
    items = read("queue")
    assert ids(items) == ["1", "2", "3", "4", "5", "6"]
    first = items[0]
    assert first["position"] == 1
    assert first["stream"] == "flagged"
    assert sum(term["value"] for term in first["why"]) == pytest.approx(first["priority"])
    assert first["reasons"] == ["odd"]
    assert first["findings"] == [
        {
            "verifier": "length", "version": "1", "layer": "format", "code": "odd", "severity": "warn",
            "message": "looks odd", "span": [0, 1], "of": "response",
        }
    ]  # fmt: skip


def test_all_ranks_what_nothing_flagged_after_the_rest(read: Read) -> None:
    items = read("queue", "--all")
    assert ids(items)[:6] == ["1", "2", "3", "4", "5", "6"]
    assert sorted(ids(items)[6:]) == ["0", "7", "9"]
    assert [item["position"] for item in items] == list(range(1, 10))


def test_reorder_says_what_it_learned_and_all_is_ranked_by_it(read: Read, run: Run) -> None:
    run("reorder")
    run("decide", "b/2", "accept")
    found = read("reorder")
    assert (found["version"], found["new"], found["decisions"], found["bad"]) == (2, True, 1, 0)
    assert found["learned"] is False
    assert found["ranked"] == 5
    items = read("queue", "--all")
    assert sorted(ids(items)[5:]) == ["0", "7", "9"]
    for item in items:
        assert sum(term["value"] for term in item["why"]) == pytest.approx(item["priority"])
        assert item["why"]
    rest = [(-item["p_bad"], item["uid"]) for item in items[5:]]
    assert rest == sorted(rest)
    assert ids(read("queue", "--all", "--filter", "id:9")) == ["9"]
    assert "unchanged" in run("reorder").stdout
    run("decide", "b/1", "reject")
    assert "1 of them reject or edit" in run("reorder").stdout


def test_limit_batch_and_lines(read: Read, run: Run) -> None:
    assert ids(read("queue", "--limit", "2")) == ["1", "2"]
    assert read("queue", "--batch", "other") == []
    lines = run("queue", "--jsonl").stdout.splitlines()
    assert ids([json.loads(line) for line in lines]) == ["1", "2", "3", "4", "5", "6"]
    assert len(run("queue").stdout.splitlines()) == 6


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("question", ["1", "2", "3", "4", "5", "6"]),
        ('"answer 3"', ["3"]),
        ("id:4", ["4"]),
        ("code:odd", ["1", "2", "3", "4", "5"]),
        ("severity:warn id:2", ["2"]),
        ("verifier:length", ["1", "2", "3", "4", "5"]),
        ("repetition:*", []),
        ("user", []),
        ("answer_3", []),
        ("answer%", []),
        ("model:MODEL-*", ["1", "2", "3", "4", "5", "6"]),
        ("gen:none", ["1", "2", "3", "4", "5", "6"]),
        ("gen:2", []),
        ("status:passed", ["6"]),
    ],
)
def test_a_filter_narrows_the_queue(read: Read, where: str, expected: list[str]) -> None:
    assert ids(read("queue", "--filter", where)) == expected
    claimed = read("next", "--filter", where)
    assert claimed is None if not expected else claimed["external_id"] == expected[0]


def test_a_filter_on_an_unknown_field_is_status_2(run: Run) -> None:
    message = run("queue", "--filter", "modle:x", status=2).stderr
    assert "did you mean model?" in message


def test_annotators_see_one_stream(read: Read) -> None:
    assert {item["stream"] for item in read("queue", user="annotator-1")} == {"review"}
    assert read("status", user="annotator-1")["streams"] == {"review": 6}


def test_an_item_that_another_claims_is_passed_over(read: Read) -> None:
    read("next", user="annotator-1")
    assert read("next", "--filter", "code:odd", user="annotator-2")["external_id"] == "2"
    assert [item["claimed"] for item in read("queue")] == [True, True, False, False, False, False]


def test_an_escalated_sample_goes_to_leads(read: Read, run: Run) -> None:
    run("decide", "b/5", "escalate", user="annotator-1")
    assert read("queue")[0]["external_id"] == "5"
    assert "5" not in ids(read("queue", user="annotator-1"))
    assert read("next")["external_id"] == "5"
    run("decide", "b/5", "accept")
    assert read("show", "b/5")["status"] == "approved"


def test_a_skipped_sample_stays_in_the_queue_but_not_for_me(read: Read, run: Run) -> None:
    run("decide", "b/1", "skip", user="annotator-1")
    assert read("next", user="annotator-1")["external_id"] == "2"
    assert read("next", user="annotator-2")["external_id"] == "1"


def test_a_late_skip_leaves_a_decision_as_it_is(read: Read, run: Run) -> None:
    claimed = read("next", user="annotator-1")
    run("release", user="annotator-1")
    run("decide", claimed["uid"], "accept", user="annotator-2")
    run("decide", claimed["uid"], "skip", "--token", claimed["claim"]["token"], user="annotator-1")
    assert read("show", claimed["uid"])["status"] == "approved"


def test_status_counts_by_status_stream_and_source(read: Read, run: Run) -> None:
    run("decide", "b/1", "accept")
    found = read("status")
    assert found["samples"] == 10
    assert {name: count for name, count in found["statuses"].items() if count} == {
        "pending": 1, "passed": 3, "flagged": 4, "approved": 1, "rejected": 1,
    }  # fmt: skip
    assert found["due"] == 5
    assert found["decided_today"] == 1
    assert [(source["provenance"], source["samples"]) for source in found["sources"]] == [
        ("synthetic", 9),
        ("human", 1),
    ]
    text = run("status").stdout
    assert "5 due for review" in text
    assert "Next: holdfast verify" in text


def test_quota_counts_real_and_approved_data(read: Read, run: Run) -> None:
    run("decide", "b/1", "accept")
    run("decide", "b/2", "edit", "--response-file", "-", stdin="another answer")
    found = read("quota")
    assert found["real"]["samples"] == 1
    assert (found["max_ratio"], found["effective_ratio"]) == (1, 1)
    assert found["allowed"]["samples"] == 1
    assert found["used"]["samples"] == 2
    assert found["ratio"] == 2
    assert {source["provenance"]: (source["available"], source["accepted"]) for source in found["sources"]} == {
        "synthetic": (7, 1),
        "human-edited": (1, 1),
    }
    assert set(found["sources"][0]) >= {
        "source", "available", "audited", "accepted", "lower_bound", "eligible", "weight", "limit", "allocated", "why",
    }  # fmt: skip
    assert len(found["warnings"]) == 2
    assert read("quota", "--max-ratio", "2.5")["allowed"]["samples"] == 2
    run("quota", "--max-ratio", "-1", status=2)
    assert "room left" in run("quota").stdout
