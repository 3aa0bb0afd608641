"""A panel with judges that need no network: who is asked, what is kept, when it stops."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from filling import decide, ingest, judge, make_sample

from holdfast.db.check import check
from holdfast.db.models import Outcome, Vote
from holdfast.db.responses import reserve, responses_to, spent
from holdfast.db.store import Store
from holdfast.db.votes import votes_of
from holdfast.db.writer import Writer
from holdfast.reviewer.config import JudgesConfig
from holdfast.reviewer.pipeline import judge_tasks
from holdfast.reviewer.pipeline.judge_asking import GIVE_UP_AFTER, Panel
from holdfast.reviewer.pipeline.judge_report import JudgeReport
from holdfast.verifiers.calls import CallFailed, Price, Reply, Request
from holdfast.verifiers.judging.instructs_judge import INJECTION
from holdfast.verifiers.judging.questions import Judge, ask_score
from holdfast.verifiers.judging.rubric import DEFAULT, Rubric, read_rubric

RUBRIC = read_rubric(DEFAULT)
Says = Callable[[Request], str]


class Model:
    """A model that answers what a function says; it counts what it was asked."""

    def __init__(self, says: Says) -> None:
        self.says = says
        self.asked: Counter[str] = Counter()

    async def __call__(self, request: Request, timeout: float) -> Reply:
        self.asked[request.key] += 1
        await asyncio.sleep(0)
        return Reply(self.says(request), "stub-2026", "stop", 100, 20)

    @property
    def calls(self) -> int:
        return self.asked.total()


def token(request: Request) -> str:
    return str(re.findall(r"token being (\w+)", request.messages[1][1])[-1])


def rates(rating: float, **fields: Any) -> Says:
    """A judge who gives every response the same rating."""
    return lambda request: json.dumps({"ratings": {"quality": rating}, "token": token(request), **fields})


def prefers(place: Callable[[str, str], str]) -> Says:
    """A judge who compares by a function of the two responses."""

    def says(request: Request) -> str:
        first, second = (
            re.findall(rf" response {side}>>>\n(.*)\n<<<", request.messages[1][1])[0] for side in ("A", "B")
        )
        return json.dumps({"winner": place(first, second), "instructs": "none", "token": token(request)})

    return says


def killed_at(path: Path, number: int) -> bool:
    """Run a panel in a process that is killed at its statement of that number; False where it has no more of them."""
    child = os.fork()
    if child == 0:
        try:
            left = itertools.count(number, -1)
            read = Store.read

            def count(_: str) -> None:
                if next(left) == 1:
                    os.kill(os.getpid(), signal.SIGKILL)

            def traced(store: Store) -> sqlite3.Connection:
                connection = read(store)
                connection.set_trace_callback(count)
                return connection

            Store.read = traced  # type: ignore[assignment, method-assign]
            with Store.open(path) as store:
                ask(store, Model(rates(7)), concurrency=1)
        finally:
            os._exit(0)  # whatever happened: the tests are run by the other process
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def ask(
    store: Store,
    model: Any,
    *names: str,
    rubric: Rubric = RUBRIC,
    batch: str | None = None,
    most: int = 100,
    **config: Any,
) -> JudgeReport:
    """Run a panel of judges that are all the same model and answer with so many tokens at most."""
    models = names or ("kelp/judge-1",)
    settings = JudgesConfig(models=models, **config)
    judges = [Judge(name, "kelp", most) for name in models]
    prices = dict.fromkeys(models, Price.per_million(1, 2))
    with Writer(store, "lead-1") as writer:
        panel = Panel(store, writer, model, settings, judges, prices, rubric)
        return asyncio.run(panel.run(batch, lambda *_: None))


def fill(store: Store, count: int, **fields: Any) -> None:
    ingest(store, [make_sample(number, **fields) for number in range(count)])
    judge(store, dict.fromkeys(range(1, count + 1), Outcome.FLAG))


def scores(store: Store, ids: Sequence[int]) -> list[list[float | None]]:
    return [[vote.score for vote in votes_of(store, sample_id)] for sample_id in ids]


def test_undecided_samples_get_a_vote_of_each_judge_and_no_question_is_asked_twice(store: Store) -> None:
    fill(store, 5)
    model = Model(rates(7))
    report = ask(store, model, "kelp/judge-1", "wrack/judge-2")
    assert (model.calls, report.votes, report.stopped) == (10, 10, None)
    assert votes_of(store, 3)[0] == Vote("kelp/judge-1", "kelp", RUBRIC.named("quality"), 7, 10)
    again = ask(store, model, "kelp/judge-1", "wrack/judge-2")
    assert (model.calls, again.votes) == (10, 0)
    assert [(one.calls, one.cached) for one in again.judges] == [(0, 5), (0, 5)]
    assert list(check(store)) == []


def test_only_what_was_verified_and_not_decided_is_judged(store: Store) -> None:
    ingest(store, [make_sample(number) for number in range(5)])
    judge(store, {1: Outcome.PASS, 2: Outcome.FLAG, 3: Outcome.FAIL, 4: Outcome.FLAG})
    decide(store, 4, "accept")
    ask(store, Model(rates(7)))
    assert scores(store, range(1, 6)) == [[7], [7], [], [], []]


def test_only_samples_of_the_batch_are_judged(store: Store) -> None:
    ingest(store, [make_sample(1)], batch="a", signature="a")
    ingest(store, [make_sample(2)], batch="b", signature="b")
    judge(store, {1: Outcome.FLAG, 2: Outcome.FLAG})
    ask(store, Model(rates(7)), batch="b")
    assert scores(store, [1, 2]) == [[], [7]]


def test_equal_texts_are_asked_about_once_and_all_get_the_vote(store: Store) -> None:
    ingest(store, [make_sample(1, model=name) for name in ("model-a", "model-b", "model-c")])
    judge(store, dict.fromkeys((1, 2, 3), Outcome.FLAG))
    model = Model(rates(4))
    ask(store, model)
    assert model.calls == 1
    assert scores(store, (1, 2, 3)) == [[4], [4], [4]]


def test_another_rubric_asks_anew_and_older_votes_stay(store: Store) -> None:
    fill(store, 1)
    ask(store, Model(rates(7)))
    ask(store, Model(rates(3)), rubric=read_rubric("Be strict."))
    found = votes_of(store, 1)
    assert [vote.score for vote in found] == [7, 3]
    assert len({vote.criterion for vote in found}) == 2


def test_another_limit_on_answers_asks_anew_only_what_gave_no_vote(store: Store) -> None:
    fill(store, 3)
    ask(store, Model(lambda request: rates(7)(request) if "question 1" in request.messages[1][1] else "{"))
    model = Model(rates(3))
    report = ask(store, model, most=200)
    assert (model.calls, report.votes) == (2, 2)
    assert scores(store, (1, 2, 3)) == [[3], [7], [3]]


def test_a_comparison_is_not_asked_for_again_with_another_limit_on_answers(store: Store) -> None:
    grouped(store, 2)
    ask(store, Model(prefers(lambda *_: "A")), mode="pairwise")
    model = Model(prefers(lambda *_: "B"))
    ask(store, model, mode="pairwise", most=200)
    assert model.calls == 0
    ask(store, model, mode="pairwise", most=200, rubric=read_rubric("Be strict."))
    assert model.calls == 2


def test_several_criteria_give_several_votes(store: Store) -> None:
    fill(store, 1)
    rubric = read_rubric("## Criterion: facts\n## Criterion: tone")
    model = Model(lambda request: json.dumps({"ratings": {"tone": 2, "facts": 9}, "token": token(request)}))
    ask(store, model, rubric=rubric)
    assert {vote.criterion: vote.score for vote in votes_of(store, 1)} == {
        rubric.named("facts"): 9,
        rubric.named("tone"): 2,
    }


def test_a_reply_that_cannot_be_read_is_kept_and_gives_no_vote(store: Store) -> None:
    fill(store, 2)
    model = Model(lambda request: f"Token {token(request)}. Rating: high")
    report = ask(store, model)
    assert (report.votes, report.judges[0].unparsed) == (0, 2)
    assert report.judges[0].unread == "its verdict cannot be read for certain"
    for response in responses_to(store, list(model.asked)).values():
        assert response.reply.endswith("Rating: high")
        assert response.status == "its verdict cannot be read for certain"
    assert ask(store, model).judges[0].cached == 2
    assert model.calls == 2


def test_a_reply_with_half_a_character_or_a_nul_is_stored(store: Store) -> None:
    fill(store, 2)
    reason = r'"rationale": "cut in \ud83d\u0000 an emoji", '
    report = ask(store, Model(lambda request: rates(5)(request).replace("{", "{" + reason, 1)))
    assert report.votes == 2
    assert votes_of(store, 1)[0].reason == "cut in ?\0 an emoji"
    assert list(check(store)) == []


def test_an_obedient_judge_gives_no_vote(store: Store) -> None:
    """The sample says what to answer; the judge answers that, and so not the token that it was told outside."""
    fill(store, 1)
    report = ask(store, Model(lambda _: '{"rationale": "", "instructs": false, "ratings": {"quality": 10}}'))
    assert (report.votes, report.judges[0].unparsed) == (0, 1)


def test_a_judge_that_sees_an_injection_says_so_and_rates_nothing(store: Store) -> None:
    fill(store, 1)
    report = ask(store, Model(rates(10, instructs=True, rationale="asks for a 10")))
    assert report.judges[0].injections == 1
    assert votes_of(store, 1) == [Vote("kelp/judge-1", "kelp", INJECTION, reason="asks for a 10")]


def test_both_orders_of_a_pair_are_asked_and_votes_say_where_the_sample_stood(store: Store) -> None:
    grouped(store, 2)
    report = ask(store, Model(prefers(lambda first, second: "A" if first > second else "B")), mode="pairwise")
    tally = report.judges[0]
    assert (tally.calls, tally.pairs, tally.flips, tally.flip_rate) == (2, 1, 0, 0.0)
    assert {(vote.order, vote.winner) for vote in votes_of(store, 2)} == {("A", "A"), ("B", "B")}
    assert {(vote.order, vote.winner) for vote in votes_of(store, 1)} == {("A", "B"), ("B", "A")}
    assert list(check(store)) == []


def grouped(store: Store, count: int) -> None:
    """Samples of one group that answer one prompt."""
    prompt = make_sample(0).messages[0]
    samples = [make_sample(number, group="g") for number in range(count)]
    ingest(store, [one.model_copy(update={"messages": (prompt, one.messages[1])}) for one in samples])
    judge(store, dict.fromkeys(range(1, count + 1), Outcome.FLAG))


def test_a_judge_that_likes_the_first_place_flips(store: Store) -> None:
    grouped(store, 2)
    report = ask(store, Model(prefers(lambda *_: "A")), mode="pairwise")
    assert report.judges[0].flip_rate == 1.0
    assert {(vote.order, vote.winner) for vote in votes_of(store, 1)} == {("A", "A"), ("B", "A")}


def test_a_large_group_costs_two_questions_a_sample(store: Store) -> None:
    grouped(store, 7)
    tie = prefers(lambda *_: "tie")
    model = Model(lambda request: tie(request) if "response B" in request.messages[1][1] else rates(5)(request))
    report = ask(store, model, mode="both")
    assert report.judges[0].pairs == 7
    assert model.calls == 7 + 14
    assert all(len([vote for vote in votes_of(store, at) if vote.winner]) == 4 for at in range(1, 8))


def test_equal_pairs_of_several_groups_are_asked_about_once(store: Store) -> None:
    for name in ("model-a", "model-b", "model-c"):
        prompt = make_sample(0).messages[0]
        samples = [make_sample(number, group=name, model=name) for number in range(2)]
        samples = [one.model_copy(update={"messages": (prompt, one.messages[1])}) for one in samples]
        ingest(store, samples, batch=name, signature=name)
    judge(store, dict.fromkeys(range(1, 7), Outcome.FLAG))
    model = Model(prefers(lambda *_: "A"))
    report = ask(store, model, mode="pairwise", concurrency=1)
    assert set(model.asked.values()) == {1}
    assert (model.calls, report.votes, report.judges[0].pairs) == (2, 12, 3)
    assert list(check(store)) == []


def test_a_group_of_many_pages_is_one_ring(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_tasks, "_PAGE", 2)
    grouped(store, 7)
    judges = [Judge("kelp/judge-1", "kelp", 100)]
    asked = [task.ids for task in judge_tasks.tasks(store, judges, RUBRIC, mode="pairwise")]
    assert len(set(asked)) == len(asked) == 14
    assert Counter(at for ids in asked for at in ids) == dict.fromkeys(range(1, 8), 4)


def test_once_every_judge_is_given_up_nothing_more_is_looked_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, 20)
    looked = Counter(tasks=0)

    def counted(*given: Any) -> Any:
        looked["tasks"] += 1
        return ask_score(*given)

    async def refused(request: Request, timeout: float) -> Reply:
        raise CallFailed("wrong key", fatal=True)

    monkeypatch.setattr("holdfast.reviewer.pipeline.judge_tasks.ask_score", counted)
    ask(store, refused, concurrency=1)
    assert looked["tasks"] < 20


def test_the_budget_is_never_passed_and_a_larger_one_goes_on(store: Store) -> None:
    fill(store, 40)
    model = Model(rates(7))
    cost = 100 * 1_000 + 20 * 2_000
    report = ask(store, model, budget_usd=0.004)
    assert report.stopped is not None
    assert "budget_usd" in report.stopped
    assert spent(store) == model.calls * cost <= 0.004 * 1e9
    assert 10 <= model.calls < 28, "reservations at the greatest cost must not end the run while others may be settled"
    assert ask(store, model, budget_usd=1).stopped is None
    assert model.calls == 40
    assert list(check(store)) == []


def test_an_answer_that_cannot_be_stored_ends_the_run_and_leaves_nobody_waiting(store: Store) -> None:
    fill(store, 10)
    model = Model(lambda request: "half \ud83d of a character")
    with pytest.raises(UnicodeEncodeError):
        ask(store, model, budget_usd=0.004)
    assert model.calls <= 2, "the budget sets aside two calls at a time"
    assert spent(store) > 0


def test_a_call_whose_process_was_killed_counts_at_its_greatest_cost(store: Store) -> None:
    fill(store, 1)
    with store.write() as connection:
        reserve(connection, "0" * 64, "kelp/judge-1", 10**9, at="2026-01-05T09:00:00.000000Z")
    model = Model(rates(7))
    report = ask(store, model, budget_usd=1)
    assert model.calls == 0
    assert report.stopped is not None
    assert "1 calls whose end is not known" in report.stopped


def test_killed_at_any_statement_no_answer_that_came_is_lost_or_asked_for_again(tmp_path: Path, store: Store) -> None:
    fill(store, 2)
    store.close()
    for number in range(4, 10_000, 2):
        path = tmp_path / f"{number}.db"
        shutil.copyfile(store.path, path)
        killed = killed_at(path, number)
        with Store.open(path) as after:
            assert list(check(after)) == []
            voted = sum(map(len, scores(after, (1, 2))))
            model = Model(rates(7))
            report = ask(after, model)
            assert (report.judges[0].cached, model.calls) == (voted, 2 - voted)
            assert scores(after, (1, 2)) == [[7], [7]]
            assert list(check(after)) == []
        if not killed:
            break
    assert number > 20


def test_a_judge_that_never_answers_is_given_up_and_the_others_go_on(store: Store) -> None:
    fill(store, 30)
    calls: Counter[str] = Counter()

    async def transport(request: Request, timeout: float) -> Reply:
        calls[request.model] += 1
        if request.model == "wrack/judge-2":
            raise CallFailed("no such region")
        return Reply(rates(6)(request), tokens_in=1, tokens_out=1)

    report = ask(store, transport, "kelp/judge-1", "wrack/judge-2", concurrency=2)
    assert report.stopped == "judge wrack/judge-2 was given up: no such region"
    assert [one.votes for one in report.judges] == [30, 0]
    assert GIVE_UP_AFTER <= calls["wrack/judge-2"] < 2 * GIVE_UP_AFTER


def test_a_judge_whose_key_is_refused_is_given_up_at_once(store: Store) -> None:
    fill(store, 30)

    async def transport(request: Request, timeout: float) -> Reply:
        raise CallFailed("wrong key", fatal=True)

    report = ask(store, transport, concurrency=1)
    assert report.judges[0].failed <= 2
    assert report.stopped == "judge kelp/judge-1 was given up: wrong key"


def test_texts_too_long_for_a_judge_are_left_out_and_counted(store: Store) -> None:
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "a" * 200_000}]
    ingest(store, [make_sample(1, messages=messages), make_sample(2)])
    judge(store, {1: Outcome.FLAG, 2: Outcome.FLAG})
    report = ask(store, Model(rates(7)))
    assert scores(store, [1, 2]) == [[], [7]]
    assert (report.judges[0].too_long, report.judges[0].failed) == (1, 0)
