"""Near-duplicate clusters as a list, and as neighbours at the desk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from holdfast.reviewer.pipeline.review import ReviewDesk
from holdfast.reviewer.project import Project

Run = Callable[..., Result]
Read = Callable[..., Any]

LONG = (
    "The tide rises twice a day because the moon pulls the sea towards itself and the earth away from the far side, "
    "so that two bulges of water stand across from each other while the ground turns beneath them."
)


def rows(path: Path, *responses: str, **fields: str) -> str:
    """A JSONL file of answers to one question each."""
    records = [
        {"external_id": f"{path.stem}-{number}", "prompt": f"Question {number}?", "response": response, **fields}
        for number, response in enumerate(responses)
    ]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return str(path)


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Project:
    """Human batch `seeds` and synthetic batches `first` and `second`, with copies across them, verified."""
    project = Project.init(tmp_path / "project", shared=False, user="lead-1")
    monkeypatch.chdir(project.root)
    other = "Bread rises since yeast turns sugar into gas, and dough kneaded for long holds on to it well."
    third = "A kite flies when wind presses on its tilted face harder than gravity draws the whole frame down."
    seeds = rows(tmp_path / "seeds.jsonl", LONG, provenance="human")
    first = rows(tmp_path / "first.jsonl", LONG.replace("twice", "two times"), other, third, model="model-a")
    second = rows(tmp_path / "second.jsonl", LONG, other.replace("well", "best"), model="model-b")
    for file, batch in ((seeds, "seeds"), (first, "first"), (second, "second")):
        run("ingest", file, "--batch", batch, "--provenance", "synthetic")
    run("verify")
    return project


def named(sample: dict[str, Any]) -> str:
    """A sample as batch/external_id."""
    return f"{sample['batch']}/{sample['external_id']}"


def test_clusters_reach_across_batches_and_provenances(copies: Project, read: Read) -> None:
    large, small = read("dups")
    assert named(large["representative"]) == "seeds/seeds-0"
    assert large["representative"]["provenance"] == "human"
    assert [(named(one), one["exact"]) for one in large["members"]] == [
        ("second/second-0", True),
        ("first/first-0", False),
    ]
    assert large["members"][0]["similarity"] == 1.0
    assert 0.7 <= large["members"][1]["similarity"] < 1
    assert {one["like"] for one in large["members"]} == {large["representative"]["uid"]}
    assert {named(small["representative"]), *map(named, small["members"])} == {"first/first-1", "second/second-1"}


def test_copies_of_what_a_person_wrote_are_memorised(copies: Project, run: Run) -> None:
    lines = [
        json.loads(line) for line in run("verdicts", "--verifier", "near_duplicate", "--jsonl").stdout.splitlines()
    ]
    found = {named(line): [one["code"] for one in line["findings"]] for line in lines}
    assert found["seeds/seeds-0"] == found["first/first-2"] == []
    assert found["second/second-0"] == found["first/first-0"] == ["memorised"]
    assert sorted(found["first/first-1"] + found["second/second-1"]) == ["near-duplicate"]


def test_a_batch_shows_the_clusters_that_it_has_a_part_in(copies: Project, read: Read) -> None:
    (only,) = read("dups", "--batch", "seeds")
    assert named(only["representative"]) == "seeds/seeds-0"
    assert len(read("dups", "--batch", "second")) == 2
    assert read("dups", "--batch", "none") == []


def test_people_get_lines_and_scripts_json_lines(copies: Project, run: Run) -> None:
    printed = run("dups").stdout
    assert "seeds/seeds-0" in printed
    assert "2 clusters" in printed
    assert len(run("dups", "--jsonl").stdout.splitlines()) == 2


def test_before_the_first_run_there_is_nothing_to_list(project: Project, run: Run) -> None:
    result = run("dups")
    assert "holdfast verify" in result.stderr
    assert json.loads(run("dups", "--json").stdout) == []


def test_superseded_samples_are_no_copies_any_more(copies: Project, read: Read, run: Run) -> None:
    (small,) = [one for one in read("dups") if len(one["members"]) == 1]
    run("decide", small["members"][0]["uid"], "edit", "--response-file", "-", stdin="Something else altogether.")
    assert len(read("dups")) == 1


def test_the_desk_shows_what_a_sample_is_like(copies: Project) -> None:
    desk = ReviewDesk.open(copies, reviewer="lead-1")
    try:
        item = desk.claim(uid="first/first-0")
        assert item is not None
        assert item.neighbours[0].label == "seeds/seeds-0"
        assert item.neighbours[0].response == LONG
        assert 0.7 <= item.neighbours[0].similarity < 1
        assert item.neighbours[0].status == "passed"
    finally:
        desk.close()


def test_what_was_verified_first_is_what_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, read: Read
) -> None:
    project = Project.init(tmp_path / "project", shared=False, user="lead-1")
    monkeypatch.chdir(project.root)
    for number in range(5):
        file = rows(tmp_path / f"copy-{number}.jsonl", LONG, model=f"model-{number}")
        run("ingest", file, "--batch", f"batch-{number}", "--provenance", "synthetic")
        run("verify", "--verifier", "near_duplicate")
    (only,) = read("dups")
    assert named(only["representative"]) == "batch-0/copy-0-0"
    assert len(only["members"]) == 4
