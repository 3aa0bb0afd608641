"""Deciding from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from holdfast.db.errors import StoreFull
from holdfast.reviewer.pipeline import ordering
from holdfast.reviewer.project import Project

Run = Callable[..., Result]
Read = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("project")


def lines(*documents: dict[str, Any]) -> str:
    return "".join(json.dumps(document) + "\n" for document in documents)


def test_next_claims_in_order_and_decide_takes_the_token(read: Read) -> None:
    first = read("next", user="annotator-1")
    second = read("next", user="annotator-2")
    assert first["external_id"] == "1"
    assert second["external_id"] == "2"
    assert set(first["claim"]) == {"token", "expires_at"}
    done = read("decide", first["uid"], "accept", "--token", first["claim"]["token"], user="annotator-1")
    assert (done["decided"], done["refused"], done["late"]) == (1, [], 0)
    assert read("show", "b/1")["status"] == "approved"


def test_next_is_null_when_nothing_is_due(read: Read, run: Run) -> None:
    for number in (*range(1, 6), 6):
        run("decide", f"b/{number}", "accept")
    assert read("next") is None
    assert "Nothing is due" in run("next").stdout


def test_what_another_holds_is_refused_until_it_is_released(read: Read, run: Run) -> None:
    claimed = read("next", user="annotator-1")
    refused = run("decide", claimed["uid"], "accept", user="annotator-2", status=1)
    assert "annotator-1 holds this sample" in refused.stderr
    run("release", user="annotator-1")
    run("decide", claimed["uid"], "accept", user="annotator-2")


def test_a_second_decision_needs_to_be_called_a_second_opinion(read: Read, run: Run) -> None:
    run("decide", "b/1", "accept", user="annotator-1")
    assert "second-opinion" in run("decide", "b/1", "reject", user="annotator-2", status=1).stderr
    run("decide", "b/1", "reject", "--second-opinion", user="annotator-2")
    assert read("show", "b/1")["status"] == "escalated"


def test_a_lost_lease_makes_a_late_second_opinion(read: Read, run: Run) -> None:
    claimed = read("next", user="annotator-1")
    run("release", user="annotator-1")
    run("decide", claimed["uid"], "accept", user="annotator-2")
    token = claimed["claim"]["token"]
    late = read("decide", claimed["uid"], "accept", "--token", token, user="annotator-1")
    assert late["late"] == 1
    assert read("show", claimed["uid"])["decisions"][1]["late"] is True


def test_a_reject_has_a_reason(read: Read, run: Run) -> None:
    run("decide", "b/1", "reject")
    run("decide", "b/2", "reject", "--reason", "factual", "--note", "two and two make four")
    assert read("show", "b/1")["decision"]["reason"] == "other"
    decision = read("show", "b/2")["decision"]
    assert (decision["verdict"], decision["reason"], decision["note"]) == ("reject", "factual", "two and two make four")
    assert "the codes are" in run("decide", "b/3", "reject", "--reason", "wrong", status=2).stderr


def test_accepting_over_a_blocking_finding_says_why_or_is_unstated(read: Read, run: Run) -> None:
    run("decide", "b/8", "accept")
    assert read("show", "b/8")["decisions"][0]["override"] == "unstated"
    run("undo")
    run("decide", "b/8", "accept", "--reason", "the check is wrong here")
    assert read("show", "b/8")["decisions"][1]["override"] == "the check is wrong here"
    run("decide", "b/1", "accept")
    assert read("show", "b/1")["decisions"][0]["override"] is None


def test_an_edit_is_a_revision_that_inherits_and_supersedes(read: Read, run: Run, tmp_path: Path) -> None:
    original = read("show", "b/1")
    (tmp_path / "new.txt").write_text("answer 42\n", encoding="utf-8")
    done = read("decide", "b/1", "edit", "--response-file", str(tmp_path / "new.txt"))
    revision = read("show", done["revision"])
    assert revision["response"] == "answer 42"
    assert revision["prompt"] == original["prompt"]
    assert (revision["provenance"], revision["parents"]) == ("human-edited", [original["uid"]])
    assert revision["edit_share"] == pytest.approx(2 / 9)
    for key in ("batch", "model", "family", "domain", "task", "reference", "label", "metadata", "generation"):
        assert revision[key] == original[key]
    assert (revision["external_id"], revision["status"]) == ("1#2", "approved")
    assert read("show", original["uid"])["status"] == "superseded"
    assert read("show", "b/1")["uid"] == revision["uid"]


def test_small_edits_add_up_against_the_text_of_the_model(read: Read, run: Run) -> None:
    for text in ("answer 1!", "answer 1!!", "answer 1!!!!"):
        run("decide", "b/1", "edit", "--response-file", "-", "--second-opinion", stdin=text)
        last = read("show", "b/1")
    assert last["provenance"] == "human-edited"
    assert last["edit_share"] == pytest.approx(4 / 12)
    assert len(read("lineage", last["uid"])["edges"]) == 3


def test_an_edit_of_human_text_stays_human(read: Read, run: Run) -> None:
    run("decide", "b/0", "edit", "--response-file", "-", stdin="answer zero")
    revision = read("show", "b/0")
    assert (revision["provenance"], revision["generation"], revision["external_id"]) == ("human", 0, "0#2")


def test_an_edit_that_changes_nothing_is_an_accept(read: Read, run: Run) -> None:
    done = read("decide", "b/1", "edit", "--response-file", "-", stdin="answer 1\n")
    assert done["revision"] is None
    shown = read("show", "b/1")
    assert (shown["status"], shown["decision"]["verdict"]) == ("approved", "accept")


@pytest.mark.parametrize(
    "arguments",
    [
        ("b/1",),
        ("b/1", "edit"),
        ("b/1", "accept", "--response-file", "-"),
        ("b/1", "accept", "--from", "-"),
        ("b/1", "approve"),
        (),
    ],
)
def test_wrong_usage_is_status_2(run: Run, arguments: tuple[str, ...]) -> None:
    run("decide", *arguments, status=2)


def test_a_reference_that_names_nothing_is_status_1(run: Run) -> None:
    assert "no sample has the external id" in run("decide", "b/77", "accept", status=1).stderr
    assert "no sample's uid starts with" in run("decide", "0123456789abcdef", "accept", status=1).stderr


def test_a_file_of_decisions_reports_refused_lines_and_goes_on(run: Run, read: Read) -> None:
    text = lines(
        {"ref": "b/1", "verdict": "accept"},
        {"ref": "b/2", "verdict": "reject", "reason": "factual", "note": "no"},
        {"ref": "b/3", "verdict": "edit", "response": "better\n"},
        {"ref": "b/1", "verdict": "reject"},
        {"ref": "b/99", "verdict": "accept"},
        {"ref": "b/4", "verdict": "approve"},
        {"ref": "b/4", "verdict": "accept", "reasn": "x"},
        {"ref": "b/4", "verdict": "edit"},
    )
    text += '\n{"ref": \n[1]\n'
    done = read("decide", "--from", "-", stdin=text)
    assert (done["decided"], done["late"]) == (3, 0)
    assert [(refused["line"], refused["ref"]) for refused in done["refused"]] == [
        (4, "b/1"), (5, "b/99"), (6, "b/4"), (7, "b/4"), (8, "b/4"), (10, None), (11, None),
    ]  # fmt: skip
    assert read("show", "b/3")["response"] == "better\n"
    assert read("show", "b/2")["decision"]["note"] == "no"


def test_a_file_of_which_nothing_is_decided_is_a_failure(run: Run) -> None:
    refused = run("decide", "--from", "-", stdin='{"ref": "b/99", "verdict": "accept"}\n', status=1)
    assert "line 1: b/99" in refused.stderr


def test_undo_and_redo_over_several_steps(run: Run, read: Read) -> None:
    for number in (1, 2, 3):
        run("decide", f"b/{number}", "accept")
    undone = read("undo", "--steps", "2")["undone"]
    assert [step["uid"] for step in undone] == [read("show", f"b/{number}")["uid"] for number in (3, 2)]
    assert [read("show", f"b/{number}")["status"] for number in (1, 2, 3)] == ["approved", "flagged", "flagged"]
    run("redo", "--steps", "5")
    assert read("show", "b/3")["status"] == "approved"
    assert "nothing to be redone" in run("redo").stdout
    assert "nothing to be undone" in run("undo", user="annotator-1").stdout


def test_others_decisions_are_hidden_until_the_own_one(run: Run, read: Read) -> None:
    run("decide", "b/1", "reject", user="lead-1")
    blind = read("show", "b/1", user="annotator-1")
    assert (blind["decisions"], blind["votes"], blind["decision"]) == ("hidden", "hidden", "hidden")
    run("decide", "b/1", "reject", "--second-opinion", user="annotator-1")
    seen = read("show", "b/1", user="annotator-1")
    assert [decision["reviewer"] for decision in seen["decisions"]] == ["lead-1", "annotator-1"]
    assert seen["votes"] == []


@pytest.mark.parametrize("verdict", ["accept", "reject", "escalate"])
def test_nothing_says_how_another_decided_until_the_own_opinion(run: Run, read: Read, verdict: str) -> None:
    def statuses() -> list[str]:
        (hit,) = read("search", "answer", "1", user="annotator-1")
        (node,) = read("lineage", "b/1", user="annotator-1")["nodes"]
        return [read("show", "b/1", user="annotator-1")["status"], hit["status"], node["status"]]

    assert statuses() == ["flagged"] * 3
    run("decide", "b/1", "skip", user="annotator-1")
    run("decide", "b/1", verdict, user="annotator-2")
    assert statuses() == ["hidden"] * 3
    refused = run("decide", "b/1", "accept", user="annotator-1", status=1)
    assert verdict not in refused.stderr.replace("--second-opinion", "")
    run("decide", "b/1", verdict, "--second-opinion", user="annotator-1")
    assert "hidden" not in statuses()
    assert read("show", "b/1")["status"] != "hidden"


def test_a_decision_makes_an_unknown_name_an_annotator(run: Run, read: Read, project: Project) -> None:
    run("decide", "b/1", "accept", user="script-7")
    assert {user["name"]: user["role"] for user in read("user", "list")} == {"lead-1": "lead", "script-7": "annotator"}


def test_decisions_that_are_stored_are_told_though_the_queue_cannot_be_ordered(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreFull("the disk is full")

    monkeypatch.setattr(ordering, "bring_up_to_date", full)
    done = run("decide", "--from", "-", "--json", stdin=lines({"ref": "b/1", "verdict": "accept"}))
    assert json.loads(done.stdout)["decided"] == 1
    assert "not ordered anew: the disk is full" in done.stderr
