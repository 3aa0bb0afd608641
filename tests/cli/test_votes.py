"""Votes from files: what is read, what is refused and why, and what becomes of the samples."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from holdfast.db import events
from holdfast.db.check import check
from holdfast.reviewer.pipeline import votes as pipeline
from holdfast.reviewer.project import Project

Run = Callable[..., Result]
Read = Callable[..., Any]

GOOD: list[dict[str, Any]] = [
    {"ref": "b/1", "judge": "judge-a", "family": "kelp", "criterion": "clarity", "score": 7, "reason": "clear"},
    {"ref": "b/1", "judge": "judge-b", "score": 0.5, "max": 1, "confidence": 0.9},
    {"ref": "b/2", "judge": "judge-a", "label": "B"},
    {"ref": "b/2", "judge": "judge-a", "winner": "A", "order": "A"},
]


def written(path: Path, *votes: object) -> str:
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in votes))
    return str(path)


def test_votes_are_stored_and_shown(project: Project, read: Read, tmp_path: Path) -> None:
    report = read("votes", written(tmp_path / "votes.jsonl", *GOOD))
    assert report == {"read": 4, "new": 4, "known": 0, "refused": []}
    first, second = read("show", "b/1")["votes"]
    assert (first["judge"], first["family"], first["criterion"]) == ("judge-a", "kelp", "clarity")
    assert (first["score"], first["max"], first["reason"]) == (7, 10, "clear")
    assert (second["score"], second["max"], second["confidence"]) == (0.5, 1, 0.9)
    assert [(vote["label"], vote["winner"], vote["order"]) for vote in read("show", "b/2")["votes"]] == [
        ("B", None, None),
        (None, "A", "A"),
    ]
    with project.store() as store:
        assert list(check(store)) == []


def test_the_same_file_again_adds_none(project: Project, read: Read, tmp_path: Path) -> None:
    file = written(tmp_path / "votes.jsonl", *GOOD, GOOD[0])
    assert read("votes", file)["new"] == 4
    assert read("votes", file) == {"read": 5, "new": 0, "known": 5, "refused": []}
    more = written(tmp_path / "more.jsonl", *GOOD, {**GOOD[0], "score": 8})
    assert read("votes", more) == {"read": 5, "new": 1, "known": 4, "refused": []}


def test_from_standard_input_and_from_gzip(project: Project, read: Read, tmp_path: Path) -> None:
    text = "\n".join(map(json.dumps, GOOD))
    assert read("votes", "-", stdin=text)["new"] == 4
    packed = tmp_path / "votes.jsonl.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert read("votes", str(packed))["known"] == 4


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("[1]", "a list, not a JSON object"),
        ({"judge": "judge-a"}, "ref"),
        ({"ref": "b/1"}, "judge"),
        ({"ref": "b/1", "judge": ""}, "judge"),
        ({"ref": "b/1", "judge": " \t"}, "judge"),
        ({"ref": "b/77", "judge": "judge-a"}, "no sample has the external id '77'"),
        ({"ref": "nonsense", "judge": "judge-a"}, "no reference"),
        ({"ref": "b/1", "judge": "judge-a", "score": "7"}, "score"),
        ({"ref": "b/1", "judge": "judge-a", "score": True}, "score"),
        ({"ref": "b/1", "judge": "judge-a", "score": -1}, "score"),
        ({"ref": "b/1", "judge": "judge-a", "score": 50}, "the score 50 is beyond its max, 10"),
        ('{"ref": "b/1", "judge": "judge-a", "score": NaN}', "not JSON"),
        ({"ref": "b/1", "judge": "judge-a", "winner": "C"}, "winner"),
        ({"ref": "b/1", "judge": "judge-a", "winner": "AB", "order": "A"}, "winner"),
        ({"ref": "b/1", "judge": "judge-a", "order": "third"}, "order"),
        ({"ref": "b/1", "judge": "judge-a", "scores": 7}, "scores"),
    ],
)
def test_a_line_that_is_refused_is_named_and_the_rest_goes_on(
    project: Project, run: Run, tmp_path: Path, line: object, why: str
) -> None:
    file = written(tmp_path / "votes.jsonl", GOOD[0], "", line, GOOD[1])
    result = run("votes", file, "--json")
    report = json.loads(result.stdout)
    assert (report["read"], report["new"]) == (3, 2)
    (refused,) = report["refused"]
    assert refused["line"] == 3
    assert why in refused["why"]
    assert f"{file}:3: " in result.stderr


def test_numbers_at_the_edge_of_what_a_number_can_be_are_kept_as_they_are(project: Project, read: Read) -> None:
    numbers = [
        '-0.0, "confidence": -0.0',
        '1e308, "max": 1.7e308',
        '5e-324, "max": 5e-324',
        "0",
        "9007199254740993e-15",
    ]
    text = "\n".join(f'{{"ref": "b/1", "judge": "judge-{at}", "score": {one}}}' for at, one in enumerate(numbers))
    assert read("votes", "-", stdin=text)["new"] == 5
    assert read("votes", "-", stdin=text)["known"] == 5
    with project.store() as store:
        assert list(check(store)) == []


def test_long_reasons_are_stored_a_few_at_a_time(project: Project, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "BYTES_AT_A_TIME", 10_000)
    votes = [{"ref": "b/1", "judge": f"judge-{number}", "reason": "x" * 4000} for number in range(7)]
    assert read("votes", "-", stdin="\n".join(map(json.dumps, votes)))["new"] == 7
    with project.store() as store:
        imports = [event.payload["new"] for event in events.each(store) if event.type == "votes.imported"]
        assert imports == [3, 3, 1]


def test_refused_lines_stand_in_the_order_of_the_file(project: Project, read: Read, tmp_path: Path) -> None:
    unknown, broken = {"ref": "b/99", "judge": "judge-a"}, {"ref": "b/1"}
    refused = read("votes", written(tmp_path / "v.jsonl", unknown, broken, unknown, GOOD[0]))["refused"]
    assert [(one["line"], one["ref"]) for one in refused] == [(1, "b/99"), (2, "b/1"), (3, "b/99")]


def test_a_file_of_which_nothing_can_be_stored_is_a_failure(project: Project, run: Run, tmp_path: Path) -> None:
    run("votes", written(tmp_path / "votes.jsonl", "{", "{"), status=1)
    run("votes", written(tmp_path / "empty.jsonl"))
    assert "no such file" in run("votes", str(tmp_path / "none.jsonl"), status=2).stderr


def test_a_judge_whose_reply_could_not_be_read_has_said_nothing(project: Project, read: Read) -> None:
    assert read("votes", "-", stdin='{"ref": "b/1", "judge": "judge-a", "reason": "?"}')["new"] == 1
    (vote,) = read("show", "b/1")["votes"]
    assert (vote["score"], vote["max"], vote["label"], vote["winner"]) == (None, None, None, None)


def test_other_spellings_of_a_place_and_of_a_label(project: Project, read: Read) -> None:
    votes: list[dict[str, Any]] = [{"winner": "b", "order": "second"}, {"winner": "Tie", "order": "AB"}, {"label": 3}]
    read("votes", "-", stdin="\n".join(json.dumps({"ref": "b/1", "judge": "judge-a", **vote}) for vote in votes))
    shown = [(vote["winner"], vote["order"], vote["label"]) for vote in read("show", "b/1")["votes"]]
    assert shown == [("B", "B", None), ("tie", "A", None), (None, None, "3")]


def test_a_file_that_is_damaged_is_read_up_to_there(project: Project, read: Read, tmp_path: Path) -> None:
    votes = [{"ref": "b/1", "judge": f"judge-{number}", "score": number % 10} for number in range(5000)]
    packed = tmp_path / "votes.jsonl.gz"
    packed.write_bytes(gzip.compress("\n".join(map(json.dumps, votes)).encode())[:-2000])
    report = read("votes", str(packed))
    assert report["new"] > 100
    assert "cut short" in report["refused"][-1]["why"]


def test_votes_go_to_the_revision_that_stands(project: Project, run: Run, read: Read) -> None:
    run("decide", "b/1", "edit", "--response-file", "-", stdin="new")
    read("votes", "-", stdin=json.dumps(GOOD[0]))
    assert read("show", "b/1")["external_id"] == "1#2"
    assert len(read("show", "b/1")["votes"]) == 1
