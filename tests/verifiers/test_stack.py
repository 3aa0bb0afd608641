"""A stack: order, stops, checks that break, and how it travels to another process."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.db.errors import UsageError
from holdfast.db.models import Outcome, Sample, Severity, Verdict
from holdfast.db.packing import Recorded
from holdfast.verifiers import Context
from holdfast.verifiers.stack import MESSAGE_LIMIT, Part, Stack, thaw

CHECKS = '''
"""Checks of the tests."""
from __future__ import annotations

from fractions import Fraction

import numpy

from holdfast.verifiers import PASS, Context, Finding, Outcome, Sample, Severity, Threshold, Verdict, above, verifier


@verifier(layer="oracle", version="1")
def last(sample: Sample, ctx: Context) -> Verdict:
    return PASS


@verifier(layer="format", version="1")
def fails(sample: Sample, ctx: Context) -> Verdict:
    return Verdict.fail("bad", "is bad")


@verifier(layer="consistency", version="2")
def flags(sample: Sample, ctx: Context, *, word: str = "odd") -> Verdict:
    return Verdict.flag("odd", f"is {word}", span=(0, 1))


@verifier(layer="format", version="1")
def breaks(sample: Sample, ctx: Context) -> Verdict:
    raise KeyError("x" * 5000)


@verifier(layer="format", version="1")
def exits(sample: Sample, ctx: Context) -> Verdict:
    raise SystemExit(3)


@verifier(layer="format", version="1")
def forgets(sample: Sample, ctx: Context) -> Verdict:
    return None


@verifier(layer="format", version="1")
def not_a_number(sample: Sample, ctx: Context) -> Verdict:
    return Verdict.score(float("nan"))


@verifier(layer="format", version="1")
def returns(sample: Sample, ctx: Context, *, flag_at: Threshold = above(1e9)) -> Verdict:
    return {
        "float64": lambda: Verdict.score(numpy.float64(1.5)),
        "fraction": lambda: Verdict.score(Fraction(3, 2)),
        "int64 span": lambda: Verdict.flag("odd", "is odd", span=(numpy.int64(0), numpy.int64(2))),
        "surrogate": lambda: Verdict.flag("odd", "is \\ud800"),
        "text": lambda: Verdict.score("1.5"),
        "huge": lambda: Verdict.score(10**400),
        "no message": lambda: Verdict.flag("odd", None),
        "no code": lambda: Verdict.flag(None, "is odd"),
        "no span": lambda: Verdict.flag("odd", "is odd", span=5),
        "half span": lambda: Verdict.flag("odd", "is odd", span=(0.5, 1.5)),
        "no finding": lambda: Verdict(Outcome.FAIL),
        "no outcome": lambda: Verdict("bad"),
        "words": lambda: Verdict(Outcome.FLAG, None, ("is odd",)),
        "mute": lambda: (_ for _ in ()).throw(Mute()),
    }[sample.response]()


class Mute(Exception):
    def __str__(self):
        raise ValueError


@verifier(layer="format", version="1")
def overshoots(sample: Sample, ctx: Context) -> Verdict:
    return Verdict.flag("far", "y" * 5000, span=(2, 4000))


@verifier(layer="consistency", version="1")
def longest(sample: Sample, ctx: Context, *, flag_at: Threshold = above(0)) -> Verdict:
    return Verdict.score(len(sample.response) - ctx.state("longest"))


@longest.fit
def _longest(samples):
    return max(len(sample.response) for sample in samples)


@verifier(layer="consistency", version="1")
def unfit(sample: Sample, ctx: Context) -> Verdict:
    return PASS


@unfit.fit
def _unfit(samples):
    raise ValueError("no corpus will do")


NOT_ONE = 3
'''

MakeSample = Callable[..., Sample]


@pytest.fixture
def stack(tmp_path: Path) -> Callable[..., Stack]:
    """A stack of the checks above, by name."""
    (tmp_path / "checks.py").write_text(CHECKS)

    def make(*names: str) -> Stack:
        return Stack([Part(f"{tmp_path / 'checks.py'}:{name}") for name in names])

    return make


def outcomes(verdicts: tuple[Verdict | None, ...]) -> list[str | None]:
    """The outcomes as text."""
    return [None if verdict is None else verdict.outcome.value for verdict in verdicts]


def test_layers_run_in_their_order_whatever_order_they_are_named_in(stack: Callable[..., Stack]) -> None:
    specs = stack("last", "flags", "fails").specs()
    assert [(spec.name, spec.layer, spec.version) for spec in specs] == [
        ("fails", "format", "1"),
        ("flags", "consistency", "2"),
        ("last", "oracle", "1"),
    ]
    assert specs[1].options == {"word": "odd"}


def test_the_first_fail_ends_the_run_of_a_synthetic_sample(stack: Callable[..., Stack], sample: MakeSample) -> None:
    run = stack("fails", "flags", "last").run(sample(), Context())
    assert outcomes(run.verdicts) == ["fail", None, None]
    assert run.outcome is Outcome.FAIL


def test_a_human_sample_sees_every_check(stack: Callable[..., Stack], sample: MakeSample) -> None:
    run = stack("fails", "flags", "last").run(sample(provenance="human", model=None), Context())
    assert outcomes(run.verdicts) == ["fail", "flag", "pass"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("breaks", "breaks broke: KeyError: 'xxx"),
        ("exits", "exits broke: SystemExit: 3"),
        ("forgets", "forgets returned NoneType instead of a Verdict"),
        ("not_a_number", "not_a_number returned the score nan"),
    ],
)
def test_a_check_that_breaks_is_an_error_and_the_others_go_on(
    stack: Callable[..., Stack], sample: MakeSample, name: str, words: str
) -> None:
    run = stack(name, "last").run(sample(), Context())
    assert outcomes(run.verdicts) == ["error", "pass"]
    assert run.outcome is Outcome.ERROR
    broken = run.verdicts[0]
    assert broken is not None
    assert broken.findings[0].message.startswith(words)
    assert len(broken.findings[0].message) <= MESSAGE_LIMIT + 50
    assert broken.findings[0].severity is Severity.WARN


@pytest.mark.parametrize("what", ["float64", "fraction", "int64 span", "surrogate"])
def test_numbers_and_texts_of_other_kinds_are_stored_as_plain_ones(
    stack: Callable[..., Stack], sample: MakeSample, what: str
) -> None:
    run = stack("returns").run(sample(response=what), Context())
    (verdict,) = run.verdicts
    assert verdict is not None
    assert outcomes(run.verdicts) in (["pass"], ["flag"])
    assert type(verdict.value) in (float, type(None))
    assert all(type(place) is int for one in verdict.findings for place in one.span or ())
    assert Recorded.of(1, run, False, None).findings == tuple(
        (0, one.code, "warn", one.message, "response", *(one.span or (None, None))) for one in verdict.findings
    )
    assert all(one.message.encode() for one in verdict.findings)


@pytest.mark.parametrize(
    "what",
    ["text", "huge", "no message", "no code", "no span", "half span", "no finding", "no outcome", "words", "mute"],
)
def test_a_verdict_that_cannot_be_stored_is_an_error(
    stack: Callable[..., Stack], sample: MakeSample, what: str
) -> None:
    run = stack("returns", "last").run(sample(response=what), Context())
    assert outcomes(run.verdicts) == ["error", "pass"]
    broken = run.verdicts[0]
    assert broken is not None
    assert broken.findings[0].message.startswith("returns ")


def test_a_span_outside_the_text_is_dropped_and_a_long_message_cut(
    stack: Callable[..., Stack], sample: MakeSample
) -> None:
    verdict = stack("overshoots").run(sample(response="short"), Context()).verdicts[0]
    assert verdict is not None
    (finding,) = verdict.findings
    assert finding.span is None
    assert len(finding.message) == MESSAGE_LIMIT


def test_a_fit_is_frozen_and_used_again(stack: Callable[..., Stack], sample: MakeSample) -> None:
    one = stack("longest")
    frozen = one.freeze("longest", [sample(response="abc"), sample(response="a")])
    assert frozen == b"3"
    context = thaw({"longest": frozen})
    assert outcomes(one.run(sample(response="abcd"), context).verdicts) == ["flag"]
    assert outcomes(one.run(sample(response="abc"), context).verdicts) == ["pass"]


def test_a_fit_that_breaks_names_its_verifier(stack: Callable[..., Stack]) -> None:
    with pytest.raises(UsageError, match="unfit could not learn from the corpus: ValueError: no corpus will do"):
        stack("unfit").freeze("unfit", [])


def test_a_stack_travels_as_names_never_as_code(stack: Callable[..., Stack], sample: MakeSample) -> None:
    one = stack("flags", "last")
    packed = pickle.dumps(one)
    assert len(packed) < 1000
    there = pickle.loads(packed)
    assert there.specs() == one.specs()
    assert there.run(sample(), Context()) == one.run(sample(), Context())


def test_a_file_that_changed_since_it_was_pinned_does_not_run(tmp_path: Path) -> None:
    path = tmp_path / "checks.py"
    path.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(UsageError, match="has changed since it was checked"):
        Stack([Part(f"{path}:last", sha256="0" * 64)])
    assert not (tmp_path / "ran").exists()


def test_what_a_file_may_get_wrong(tmp_path: Path, stack: Callable[..., Stack]) -> None:
    stack("last")
    checks, broken = tmp_path / "checks.py", tmp_path / "broken.py"
    broken.write_text("import nothing_of_the_kind\n")
    wrong = {
        f"{checks}:lats": "did you mean 'last'?",
        f"{checks}:NOT_ONE": "is not a verifier: decorate",
        f"{broken}:x": "cannot be loaded: ModuleNotFoundError",
        f"{tmp_path / 'none.py'}:x": "cannot read the verifier file",
        "repetitoin": "did you mean 'repetition'?",
        "zzzz": "installed are: ",
    }
    for ref, words in wrong.items():
        with pytest.raises(UsageError) as caught:
            Stack([Part(ref)])
        assert words in str(caught.value)
    assert not any(name.startswith("holdfast_file_") and "broken" in str(sys.modules[name]) for name in sys.modules)


def test_two_verifiers_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(CHECKS + f"# {name}\n")
    with pytest.raises(UsageError, match="two verifiers are called 'last'"):
        Stack([Part(f"{tmp_path / 'a.py'}:last"), Part(f"{tmp_path / 'b.py'}:last")])


def test_checks_known_beforehand_are_not_run(stack: Callable[..., Stack], sample: MakeSample) -> None:
    entered: list[int] = []
    known = {0: Verdict.error("ended its process")}
    run = stack("breaks", "last").run(sample(), Context(), known=known, entering=entered.append)
    assert run.verdicts[0] == known[0]
    assert outcomes(run.verdicts) == ["error", "pass"]
    assert entered == [0, 1]
