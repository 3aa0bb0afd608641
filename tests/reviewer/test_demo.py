"""The demo: its data are sound, and the project made of them has something to show in every place."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from holdfast.db import events
from holdfast.db.check import check
from holdfast.db.ingests import quarantine
from holdfast.db.models import Provenance, Status
from holdfast.db.samples import each
from holdfast.db.users import users
from holdfast.db.verdicts import each_current
from holdfast.db.votes import votes_of_many
from holdfast.reviewer.cli import main
from holdfast.reviewer.demo import BATCHES, data_file
from holdfast.reviewer.pipeline.demo import make_demo
from holdfast.reviewer.project import Project

UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def lines(name: str) -> list[str]:
    batch = next(one for one in BATCHES if one.name == name)
    with data_file(batch.file) as path:
        return path.read_text(encoding="utf-8").splitlines()


def rows(name: str) -> Iterator[dict[str, Any]]:
    """The batch's readable rows."""
    for line in lines(name):
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            assert name == "found", line


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A demo project, made once."""
    with no_network():
        return make_demo(tmp_path_factory.mktemp("demo") / "project", user="lead-0")


@contextmanager
def no_network() -> Iterator[None]:
    """Any attempt to reach another machine fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", _refuse)
        patch.setattr(socket, "getaddrinfo", _refuse)
        yield


def _refuse(*_: object, **__: object) -> None:
    raise AssertionError("the demo must not use the network")


def test_there_are_a_few_hundred_samples_of_several_kinds() -> None:
    everything = [row for batch in BATCHES for row in rows(batch.name)]
    assert 320 <= len(everything) <= 400
    human = sum(row["provenance"] == "human" for row in everything)
    assert 0.4 <= human / len(everything) <= 0.5
    assert {row.get("generation") for row in everything} >= {0, 1, 2}
    assert len({row["model"] for row in everything if "model" in row}) == 3
    per_task = Counter((row.get("model"), row["task"]) for row in everything if row["provenance"] != "unknown")
    assert min(per_task.values()) >= 20
    assert len({row["task"] for row in everything}) == 5


def test_several_models_answer_one_prompt() -> None:
    groups = Counter(row["group"] for batch in BATCHES for row in rows(batch.name) if "group" in row)
    assert sum(count >= 3 for count in groups.values()) >= 20


def test_the_files_hold_no_character_that_a_reader_cannot_see() -> None:
    for batch in BATCHES:
        for line in lines(batch.name):
            assert not UNSEEN.search(line)


def test_external_ids_are_unique() -> None:
    for batch in BATCHES:
        names = [row["external_id"] for row in rows(batch.name)]
        assert len(set(names)) == len(names)


def test_what_people_wrote_keeps_its_own_rules() -> None:
    for row in rows("seed"):
        metadata, answer = row.get("metadata", {}), row["messages"][-1]["content"]
        if "schema" in metadata:
            assert isinstance(json.loads(answer), dict | list)
        if "choices" in metadata:
            assert answer in metadata["choices"]
            assert row["label"] == answer
        if "entry_point" in metadata:
            assert metadata["entry_point"] in answer
            assert metadata["tests"].startswith("def check(candidate):")


def test_every_status_and_provenance_is_there(demo: Project) -> None:
    with demo.store() as store:
        found = list(each(store))
        # Which samples are gold is for a lead to say.
        assert {one.status for one in found} >= set(Status) - {Status.PENDING, Status.GOLD}
        assert {one.sample.provenance for one in found} == set(Provenance)
        assert sum(one.status is Status.FLAGGED for one in found) >= 20


def test_every_verifier_has_found_something(demo: Project) -> None:
    with demo.store() as store:
        codes = {finding.code for _, outcomes in each_current(store) for finding in outcomes.verdict.findings}
    assert codes >= {
        "bidi-control",
        "control-character",
        "empty-response",
        "exact-duplicate",
        "filler-text",
        "invisible-character",
        "loop",
        "lost-character",
        "mojibake",
        "no-prompt",
        "no-response",
        "placeholder",
        "too-long",
        "unfilled-template",
    }


def test_judges_have_voted_on_a_few_dozen_samples(demo: Project) -> None:
    with demo.store() as store:
        votes = votes_of_many(store, [one.id for one in each(store)])
        flagging = {outcomes.spec.name for _, outcomes in each_current(store) if outcomes.verdict.findings}
    assert 24 <= len(votes) <= 60
    assert {vote.judge for given in votes.values() for vote in given} >= {"judge-a", "judge-b", "judge-c"}
    assert flagging >= {"label_votes", "label_disagreement", "score_disagreement", "generator_gap", "order_flips"}


def test_a_row_that_cannot_be_read_is_kept_aside(demo: Project) -> None:
    with demo.store() as store:
        (one,) = quarantine(store)
    assert one.batch == "found"


def test_the_history_is_in_order_and_has_several_actors(demo: Project) -> None:
    with demo.store() as store:
        assert list(check(store)) == []
        made = [event for event in events.each(store) if event.type == "decision.made"]
        assert {event.actor for event in made} == {"annotator-1", "lead-1"}
        assert {event.payload["verdict"] for event in made} == {"accept", "edit", "reject", "escalate"}
        assert {user.name for user in users(store)} == {"lead-0", "lead-1", "annotator-1"}


def test_a_second_start_keeps_the_state(demo: Project) -> None:
    with demo.store() as store:
        before = events.head(store)
    again = make_demo(demo.root, user="somebody-else")
    with again.store() as store:
        assert events.head(store) == before


def test_two_demos_are_alike(demo: Project, tmp_path: Path) -> None:
    def state(project: Project) -> list[tuple[str, str, Status]]:
        with project.store() as store:
            return [(one.uid, one.external_id, one.status) for one in each(store)]

    assert state(make_demo(tmp_path / "other", user="lead-0")) == state(demo)


def test_an_interrupted_start_leaves_nothing_and_the_next_one_makes_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("holdfast.reviewer.pipeline.demo._decide", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            make_demo(tmp_path / "demo", user="lead-0")
    assert list(tmp_path.iterdir()) == []
    project = make_demo(tmp_path / "demo", user="lead-0")
    with project.store() as store:
        assert sum(event.type == "decision.made" for event in events.each(store)) > 20


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    result = CliRunner().invoke(main, ["demo", "--no-tui", "--dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "--dir" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_the_command_makes_it_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["demo", "--no-tui", "--user", "lead-0"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "holdfast-demo" in result.output
    assert Project.find(tmp_path / "holdfast-demo").store_path.exists()
