"""`holdfast gold`, and what the other commands say of gold samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from holdfast.db.check import check
from holdfast.reviewer.project import Project

Run = Callable[..., Result]
Read = Callable[..., Any]


def lines(*documents: Any) -> str:
    return "\n".join(one if isinstance(one, str) else json.dumps(one) for one in documents) + "\n"


def test_each_line_is_set_or_refused_by_itself(project: Project, run: Run, read: Read) -> None:
    file = project.root / "gold.jsonl"
    file.write_text(
        lines(
            {"ref": "b/1", "verdict": "reject", "reason": "factual", "note": "seven, not six"},
            {"ref": "b/2", "verdict": "accept"},
            {"ref": "b/99", "verdict": "accept"},
            {"ref": "b/3", "verdict": "skip"},
            {"ref": "b/3", "verdict": "reject", "reason": "ugly"},
            "not JSON",
            "",
            {"ref": "b/2", "verdict": "accept"},
        )
    )
    found = read("gold", str(file))
    assert (found["changed"], found["unchanged"]) == (2, 1)
    assert [one["line"] for one in found["refused"]] == [3, 4, 5, 6]
    assert "line 5: b/3: 'ugly' is no reason code" in run("gold", str(file)).stderr
    assert read("status")["statuses"]["gold"] == 2
    assert "gold" not in read("status", user="annotator-1")["statuses"]
    assert {one["external_id"] for one in read("queue")} == {"3", "4", "5", "6"}
    with project.store() as store:
        assert list(check(store)) == []


def test_retired_samples_are_data_again(project: Project, run: Run, read: Read) -> None:
    run("gold", "-", stdin=lines({"ref": "b/1", "verdict": "accept"}))
    assert read("show", "b/1")["status"] == "gold"
    assert read("gold", "-", "--retire", stdin=lines({"ref": "b/1"}))["changed"] == 1
    assert read("show", "b/1")["status"] == "flagged"
    assert "is no gold sample" in run("gold", "-", "--retire", stdin=lines({"ref": "b/1"}), status=1).stderr


def test_only_leads_say_what_is_gold(project: Project, run: Run) -> None:
    refused = run("gold", "-", stdin=lines({"ref": "b/1", "verdict": "accept"}), user="annotator-1", status=1)
    assert "only leads" in refused.stderr


def test_gold_is_handed_out_to_nobody(project: Project, run: Run, read: Read) -> None:
    for place in (1, 2, 3):
        run("decide", f"b/{place}", "accept", user="annotator-1")
    run("gold", "-", stdin=lines({"ref": "b/1", "verdict": "accept"}))
    counts = read("export", "out.jsonl", "--approved", "--format", "jsonl")["counts"]
    assert sum(counts.values()) == 2
    exported = [json.loads(line)["external_id"] for line in Path("out.jsonl").read_text().splitlines()]
    assert sorted(exported) == ["2", "3"]
    assert read("quota")["used"]["samples"] == 2


def test_what_is_found_in_gold_is_no_evidence_about_verifiers(project: Project, run: Run) -> None:
    from holdfast.reviewer.pipeline.catalogue import learned_precision

    for place in (1, 2):
        run("decide", f"b/{place}", "reject", user="annotator-1")
    run("gold", "-", stdin=lines({"ref": "b/1", "verdict": "reject"}))
    with project.store() as store:
        assert {one["decided"] for one in learned_precision(store).values()} == {1}


def test_an_answer_to_gold_reads_like_any_decision(project: Project, run: Run, read: Read) -> None:
    run("gold", "-", stdin=lines({"ref": "b/1", "verdict": "accept"}))
    ordinary = read("decide", "b/2", "reject", user="annotator-1")
    gold = read("decide", "b/1", "reject", user="annotator-1")
    assert gold.keys() == ordinary.keys()
    assert (gold["status"], gold["second_opinion"]) == (ordinary["status"], ordinary["second_opinion"])
    assert "decided already" in run("decide", "b/1", "accept", user="annotator-1", status=1).stderr
    assert read("show", "b/1", user="annotator-1").keys() == read("show", "b/2", user="annotator-1").keys()
    assert read("undo", user="annotator-1")["undone"][0]["verdict"] == "reject"
    assert read("show", "b/1", user="annotator-1")["status"] == "flagged"
