"""Options and thresholds of a verifier: what a configuration may say, and how it is told that it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from holdfast.db.errors import UsageError
from holdfast.verifiers import PASS, Context, ProjectFile, Sample, Threshold, Verdict, above, below, verifier


@verifier(layer="format", version="3")
def no_word(
    sample: Sample,
    ctx: Context,
    *,
    word: str = "TODO",
    limit: int = 2,
    kinds: tuple[Literal["a", "b"], ...] = ("a",),
    flag_at: Threshold = above(0.5),
    fail_at: Threshold = above(0.9),
) -> Verdict:
    """Flag a word.

    More text.

    Options:
        word: what is looked for,
            as it is written
        limit: how often the word may come: at most
    """
    return Verdict.score(sample.response.count(word) / limit)


def test_a_verifier_is_still_its_function(sample: object) -> None:
    made = sample("x", "TODO")  # type: ignore[operator]
    assert no_word(made, Context(), word="TODO", limit=4).value == 0.25
    assert (no_word.name, no_word.version, no_word.layer) == ("no_word", "3", "format")
    assert no_word.summary == "Flag a word."
    assert no_word.option_help == {
        "word": "what is looked for, as it is written",
        "limit": "how often the word may come: at most",
    }
    assert not no_word.fits


def test_defaults_fill_what_is_not_configured() -> None:
    settings = no_word.settings({"word": "FIXME"})
    assert settings.options == {"word": "FIXME", "limit": 2, "kinds": ("a",)}
    assert settings.options_json == {"word": "FIXME", "limit": 2, "kinds": ["a"]}
    assert settings.thresholds == {"flag_at": above(0.5), "fail_at": above(0.9)}


def test_lists_of_a_configuration_become_what_the_annotation_says() -> None:
    assert no_word.settings({"kinds": ["b", "a"]}).options["kinds"] == ("b", "a")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(0.7, above(0.7)), (1, above(1)), ({"below": 0.2}, below(0.2)), ({"above": "inf"}, above(float("inf")))],
)
def test_a_threshold_is_a_number_or_names_its_side(raw: object, expected: Threshold) -> None:
    threshold = no_word.settings({"flag_at": raw}).thresholds["flag_at"]
    assert threshold == expected
    assert Threshold.parse(threshold.to_json(), above(0)) == expected


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"wrod": "x"}, "wrod: verifier no_word has no such option; did you mean 'word'?"),
        ({"zzz": 1}, "(it has: word, limit, kinds, flag_at, fail_at)"),
        ({"limit": "two"}, "limit = 'two': Input should be a valid integer"),
        ({"limit": 2.5}, "limit = 2.5"),
        ({"kinds": ["c"]}, "kinds = ['c']"),
        ({"flag_at": "high"}, "flag_at = 'high'"),
        ({"flag_at": {"over": 1}}, "expected a number, {above = number} or {below = number}"),
        ({"flag_at": True}, "expected a number"),
        ({"flag_at": float("nan")}, "must be a number"),
    ],
)
def test_a_wrong_option_is_named_with_its_place(raw: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=r"holdfast\.toml: \[verifiers\.no_word\]") as caught:
        no_word.settings(raw)
    assert message in str(caught.value)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**30])
def test_a_number_that_could_not_be_told_from_others_later_is_refused(value: float) -> None:
    @verifier(layer="format", version="1")
    def scaled(sample: Sample, ctx: Context, *, by: int | float = 1.0) -> Verdict:
        return PASS

    with pytest.raises(UsageError, match=r"\[verifiers.scaled\] by = .*: a number must be finite"):
        scaled.settings({"by": value})


def test_a_verifier_without_options_says_so() -> None:
    @verifier(layer="oracle", version="1")
    def plain(sample: Sample, ctx: Context) -> Verdict:
        return PASS

    with pytest.raises(UsageError, match="it has none"):
        plain.settings({"word": "x"})


def test_signatures_that_no_verifier_can_have() -> None:
    def positional(sample: Sample, ctx: Context, word: str = "x") -> Verdict:
        return PASS

    def required(sample: Sample, ctx: Context, *, word: str) -> Verdict:
        return PASS

    def misnamed(sample: Sample, ctx: Context, *, limit: Threshold = above(1)) -> Verdict:
        return PASS

    functions: list[Callable[..., Verdict]] = [positional, required, misnamed]
    for function, words in zip(functions, ("must take", "a type and a default", "flag_at"), strict=True):
        with pytest.raises(TypeError, match=words):
            verifier(layer="format", version="1")(function)
    with pytest.raises(ValueError, match="nonsense"):
        verifier(layer="nonsense", version="1")(required)


def test_a_fit_gets_the_options_that_it_names() -> None:
    @verifier(layer="consistency", version="1")
    def counted(sample: Sample, ctx: Context, *, word: str = "a", least: int = 1) -> Verdict:
        return PASS

    @counted.fit
    def _count(samples: object, *, word: str) -> dict[str, str]:
        return {"word": word}

    assert counted.fits
    assert counted.freeze([], counted.settings({"word": "b"})) == b'{"word":"b"}'


@verifier(layer="consistency", version="1")
def reads_a_file(sample: Sample, ctx: Context, *, files: tuple[ProjectFile, ...] = ()) -> Verdict:
    """Look into files."""
    return Verdict.score(float(sum(len(file.path.read_bytes()) for file in files)))


def test_a_file_of_the_project_is_known_by_its_content(tmp_path: Path, sample: Callable[..., Sample]) -> None:
    (tmp_path / "kept.txt").write_text("one")
    before = reads_a_file.settings({"files": ["kept.txt"]}, root=tmp_path)
    assert reads_a_file(sample("x", "y"), Context(), **before.options).value == 3
    (tmp_path / "kept.txt").write_text("two")
    after = reads_a_file.settings({"files": ["kept.txt"]}, root=tmp_path)
    assert before.options_json["files"][0]["file"] == "kept.txt"
    assert before.options_json != after.options_json
    assert str(tmp_path) not in str(after.options_json)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"\[verifiers.reads_a_file\] files = .*: cannot read the file gone.txt: No such"
    ):
        reads_a_file.settings({"files": ["gone.txt"]}, root=tmp_path)
